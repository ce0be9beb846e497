"""The rate of each epoch. The formulas are PyTorch's: StepLR, CosineAnnealingLR, ReduceLROnPlateau.

>>> plan = Schedule.of("step:2:0.5", epochs=6)
>>> [plan.factor(epoch, {}) for epoch in range(1, 7)]
[1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from autodiff.errors import AutodiffError, quoted

BETTER = 1e-4
"""By how much, relatively, a loss must be smaller than the least one to count as smaller, for `plateau`."""

LEAST_CHANGE = 1e-8
"""By how much `plateau` must lower a rate, or it stays, as in PyTorch."""

STEP, COSINE, PLATEAU = "step", "cosine", "plateau"


class Schedule(NamedTuple):
    """A schedule: what the rate is multiplied with.

    step     by `share` after each `every` epochs
    cosine   from 1 to 0 along a cosine, over `every` epochs
    plateau  by `share` when the loss has not become smaller for more than `every` epochs
    """

    kind: str = ""
    every: int = 1
    share: float = 0.1

    @classmethod
    def of(cls, text: str | None, epochs: int) -> Schedule:
        """The schedule that `step`, `step:30`, `step:30:0.5`, `cosine` and the like name. Raises AutodiffError for others."""
        if not text:
            return cls()
        match = re.fullmatch(r"(step|cosine|plateau)(?::(\d+))?(?::([\d.eE-]+))?", text)
        try:
            every = int(match[2]) if match and match[2] else None
            share = float(match[3]) if match and match[3] else 0.1
        except ValueError:
            match = None
        if match is None or every == 0 or not 0 < share < 1:
            raise AutodiffError(
                f"--schedule can't be read: {quoted(text)}",
                hint="write step, step:30 (every 30 epochs), step:30:0.5 (to the half), cosine, plateau or plateau:10",
            )
        default = {STEP: max(1, epochs // 3), COSINE: epochs, PLATEAU: 10}[match[1]]
        return cls(match[1], default if every is None else every, share)

    def factor(self, epoch: int, memory: Mapping[str, float]) -> float:
        """What the rate is multiplied with in an epoch, counted from 1; `memory` is what `after` gave for the one before."""
        done = epoch - 1
        if self.kind == STEP:
            return float(self.share ** (done // self.every))
        if self.kind == COSINE:
            return (1 + math.cos(math.pi * min(done, self.every) / self.every)) / 2
        return memory.get("factor", 1.0)

    def after(self, loss: float, memory: Mapping[str, float], rate: float) -> dict[str, float]:
        """What is to be remembered after an epoch: the factor, the least loss, epochs without a smaller one.

        loss  the loss of that epoch
        rate  the rate that training began with
        """
        if self.kind != PLATEAU:
            return {}
        factor, least, waited = memory.get("factor", 1.0), memory.get("least", math.inf), memory.get("waited", 0.0)
        if loss < least * (1 - BETTER) if least > 0 else loss < least:
            least, waited = loss, 0.0
        else:
            waited += 1
        if waited > self.every:
            lower, waited = factor * self.share, 0.0
            factor = lower if rate * (factor - lower) > LEAST_CHANGE else factor
        return {"factor": factor, "least": least if math.isfinite(least) else loss, "waited": waited}
