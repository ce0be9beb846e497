"""`python -m tests.fuzz [--minutes M] [--seed S]`: run random commands until the time is over, and print what fell."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter

from .search import search


def main() -> int:
    """The exit status is 1 where a fault was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, help="begin with this seed; any without it")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    end, counts, faults = time.monotonic() + 60 * given.minutes, Counter[int](), dict[str, str]()
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # what a command writes goes there
        while time.monotonic() < end:
            found = search(seed, 500, end)
            counts += found.statuses
            for command, fault in found.faults.items():
                if fault not in faults:
                    print(f"seed {seed}: {fault}\n    {command}", flush=True)
                    faults[fault] = command
            seed += 1
    shown = ", ".join(f"{number:,} with {status}" for status, number in sorted(counts.items()))
    print(f"{sum(counts.values()):,} commands: {shown}; {len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
