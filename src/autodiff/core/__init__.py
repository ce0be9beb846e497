"""The core: a program as a list of equations, one table of primitives, and the two sweeps. It does no input and no output."""
