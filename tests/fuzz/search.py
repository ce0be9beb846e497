"""Many commands from one seed, and the smallest one that shows a fault."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, HypothesisWarning

from .commands import Command, commands
from .trial import run

_KIND = 60
"""Characters of what is wrong that tell one kind of fault from another."""


class Found(NamedTuple):
    """How many commands ended with which status, and the faults: what is wrong by command."""

    statuses: Counter[int]
    faults: dict[str, str]


def search(number: int, count: int, end: float = float("inf")) -> Found:
    """Run `count` random commands from the seed `number`, or fewer until the time `end`; a fault is made as small as time allows."""
    statuses, smallest = Counter[int](), dict[str, tuple[str, str]]()

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(commands())
    def trial(command: Command) -> None:
        if time.monotonic() > end:
            return
        outcome = run(command)
        statuses[outcome.status] += 1
        if outcome.fault:
            kind, shown = outcome.fault[:_KIND], repr(command)
            if kind not in smallest or len(shown) <= len(smallest[kind][0]):
                smallest[kind] = shown, outcome.fault
        assert not outcome.fault

    with suppress(AssertionError, Flaky), warnings.catch_warnings():  # flaky is what shows once, such as a time limit
        warnings.simplefilter("ignore", HypothesisWarning)  # the strategies are large
        trial()
    return Found(statuses, dict(smallest.values()))
