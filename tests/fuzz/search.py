"""Many commands from one seed, and the smallest one that shows a fault."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, HypothesisWarning

from .commands import Command, commands
from .trial import run


class Found(NamedTuple):
    """How many commands ended with which status, and the faults: what is wrong by command."""

    statuses: Counter[int]
    faults: dict[str, str]


def search(number: int, count: int, end: float = float("inf")) -> Found:
    """Run `count` random commands from the seed `number`, or fewer until the time `end`; a fault is made small first."""
    statuses, last = Counter[int](), dict[str, str]()

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
        if time.monotonic() > end and not last:
            return
        outcome = run(command)
        statuses[outcome.status] += 1
        if outcome.fault:
            last.clear()
            last[repr(command)] = outcome.fault
        assert not outcome.fault

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)  # the strategies are large
            trial()
    except (AssertionError, Flaky):  # flaky is what shows once, such as a time limit
        return Found(statuses, dict(last))
    return Found(statuses, {})
