"""`python -m tests.fuzz.kills [--times 300] [--pairs 50] [--seed S]`: end commands that write a file at random moments.

Each kill sends KILL, TERM, INT, HUP or PIPE to `eval --out`, `train --save` or `train --history`; what it leaves must be the
old file or a whole new one. Each pair is two commands that write one file at the same time.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.support.writers import MOMENTS, SIGNALS, WRITERS, interrupted, written_twice

_LONGEST = {"start": 1.0, "middle": 0.3, "end": 0.1}
"""Seconds until the signal, at most, by the moment from which they count."""


def main() -> int:
    """Print each fault and the counts; the exit status is 1 where there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kills")
    parser.add_argument("--times", type=int, default=300, help="how many commands are ended by a signal (300)")
    parser.add_argument("--pairs", type=int, default=50, help="how many pairs write one file (50)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of moments and delays (0)")
    given = parser.parse_args()
    chance, counts, faults = random.Random(given.seed), Counter[str](), 0
    for number in range(given.times + given.pairs):
        option, kind = list(WRITERS)[number % 3], SIGNALS[number % 5]
        with tempfile.TemporaryDirectory() as folder:
            if number < given.times:
                moment = chance.choice(MOMENTS)
                name, delay = f"{kind.name} of {option}", chance.uniform(0, _LONGEST[moment])
                fault = interrupted(option, kind, moment, delay, Path(folder))
                shown = f"{name}, {delay:.3f} s after the {moment}"
            else:
                name = shown = f"two writers of {option}"
                fault = written_twice(option, Path(folder))
        counts[name] += 1
        if fault:
            faults += 1
            print(f"{shown}: {fault}", flush=True)
    print(*(f"{count:4} × {name}" for name, count in sorted(counts.items())), sep="\n")
    print(f"{sum(counts.values())} runs, {faults} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
