"""How a slope becomes a step: the rules of one parameter, the optimizers over all of them, the schedules of the rate."""
