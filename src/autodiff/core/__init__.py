"""The mathematics: a program as a list of equations, one table of rules, two sweeps. It knows no screen and no file.

Rooms called `array_…` do over arrays what others do over numbers: values, slopes, sweeps, special places, the witness.
"""
