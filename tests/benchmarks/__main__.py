"""`python -m tests.benchmarks [NAME…] [--peers PYTHON]`: one table, every ratio from one run."""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import sys
from importlib import import_module
from pathlib import Path

import autodiff

from .clock import Line

BENCHMARKS = ("one_shot", "huge", "many", "learn")


def main() -> int:
    """Measure what was asked for; the exit status is 1 when a ratio is above its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", default=BENCHMARKS, metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that has PyTorch, JAX and pandas"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    compileall.compile_dir(Path(autodiff.__file__).parent, quiet=1)  # as every installation does
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print("| what | autodiff | beside | takes | ratio | at most |\n|---|---|---|---|---|---|", flush=True)
    missed = 0
    for name in given.names:
        for line in import_module(f"{__package__}.{name}").lines(given.peers):
            print(shown(line), flush=True)
            missed += line.ratio is not None and line.ratio > line.limit
    return int(missed > 0)


def shown(line: Line) -> str:
    """A row of the table."""
    theirs = "skipped: " + line.note if line.theirs is None else _measure(line.theirs, line.unit)
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    cells = (line.what, _measure(line.mine, line.unit), line.peer, theirs, ratio, f"{line.limit:g}")
    return f"| {' | '.join(cells)} |"


def _measure(amount: float, unit: str) -> str:
    if unit == "s" and amount < 1:
        return f"{1000 * amount:.0f} ms"
    return f"{amount:.3g} {unit}" if amount < 1000 else f"{amount:.0f} {unit}"


if __name__ == "__main__":
    sys.exit(main())
