"""How long things take beside other programs that do the same: `python -m tests.benchmarks`.

One module per benchmark, each with a function `lines(peers)` that yields what it measured. `peers` is the interpreter
that has the Python packages to compare with; what is not installed there is skipped, and the table says so.
"""
