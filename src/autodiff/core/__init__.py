"""The core: a program as a list of equations, one table of primitives, and the two sweeps. It knows no screen and no file."""
