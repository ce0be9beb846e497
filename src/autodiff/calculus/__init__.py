"""The mathematics: a program as a list of equations, one table of rules, two sweeps. It knows no screen and no file."""
