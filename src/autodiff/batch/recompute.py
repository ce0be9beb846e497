"""Rows that float64 may not be enough for: computed again with longer numbers, then with random rounding.

>>> from autodiff.batch.compile import compile
>>> value, _ = compile("x^2 - 2")(x=np.full(1000, 2**0.5))
>>> f"{value[0]:.10g}"                                  # in float64, x^2 is 2.0000000000000004
'2.734323463e-16'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from autodiff.batch.program import BlockProgram, block_program
from autodiff.batch.run import BlockRunner, divided
from autodiff.batch.ufuncs import Numbers, Operation, extended, operation
from autodiff.core.lowering import Lowered

FEW = 32
"""Rows that are given to one-shot at once; more of them are computed again first."""

MANY = 131_072
"""Rows from which on one-shot would take longer for a few than all others take."""

_KEPT = 2.0**13
"""Roundings of a constant from which on random rounding, which moves no constants, is not asked."""

_Way: TypeAlias = Callable[[Mapping[str, Numbers], Sequence[Numbers], Numbers], None]
"""Fills arrays of numbers, and of which of them are sound, from columns."""


class Recomputation:
    """The ways to compute rows of a program again; `constants` are how many roundings its constants are off."""

    def __init__(self, lowered: Lowered, sources: Mapping[str, int], constants: Mapping[float, float]) -> None:
        self._lowered, self._sources, self._constants = lowered, sources, constants
        self._ways: dict[str, _Way | None] = {}

    def left(self, columns: Mapping[str, Numbers], results: Sequence[Numbers], good: Numbers) -> Numbers:
        """The rows that are left when those of `results` that are not `good`, but sound the next time, are filled in.

        What is left has the longer numbers, rounded, where there are some.
        """
        places, few = _false(good), FEW if len(good) <= MANY else 0
        for name, make, least in (("longer", self._longer, few), ("random", self._randomly, FEW)):
            if len(places) <= least:
                continue
            if name not in self._ways:
                self._ways[name] = make()
            way = self._ways[name]
            if way is not None:
                places = _replaced(way, columns, results, places, unsound=name == "longer")
        return places

    def _longer(self) -> _Way | None:
        """By the processor's longest numbers; None where those are float64, or lack a function."""
        unit = float(np.finfo(np.longdouble).eps / np.finfo(float).eps)
        plan = block_program(self._lowered, self._sources, self._constants, unit=unit) if unit < 1 else None
        if plan is None:
            return None
        operations = [extended(row, known) for row, known in plan.calls]
        return None if None in operations else partial(_in_longer_numbers, plan, tuple(filter(None, operations)))

    def _randomly(self) -> _Way | None:
        """By random rounding; None where constants are off by more than it moves results, or rounded to short numbers."""
        plan = block_program(self._lowered, self._sources, {}, unit=None)
        short = any(units and (1024 * value).is_integer() for value, units in self._constants.items())
        if plan is None or short or max(self._constants.values(), default=0.0) > _KEPT:
            return None
        return partial(_in_random_rounding, plan, [operation(row, known, exact=True) for row, known in plan.calls])


def _replaced(
    way: _Way, columns: Mapping[str, Numbers], results: Sequence[Numbers], places: Numbers, *, unsound: bool
) -> Numbers:
    """The places that are not sound, after filling in those that are, and with `unsound` the others as well."""
    picked = {n: c if isinstance(c, float) else np.ascontiguousarray(c[places]) for n, c in columns.items()}
    numbers = [np.empty(len(places)) for _ in results]
    sound = np.empty(len(places), dtype=bool)
    way(picked, numbers, sound)
    filled = slice(None) if unsound else sound
    for column, number in zip(results, numbers, strict=True):
        column[places[filled]] = number[filled] + 0.0  # a zero has no sign
    return places[~sound]


def _in_longer_numbers(
    plan: BlockProgram,
    operations: Sequence[Operation],
    columns: Mapping[str, Numbers],
    numbers: Sequence[Any],
    sound: Any,
) -> None:
    longer = {n: np.broadcast_to(c, sound.shape).astype(np.longdouble) for n, c in columns.items()}
    BlockRunner(plan, operations, longer, numbers, sound, dtype=np.longdouble, watched=False).fill()
    for number in numbers:
        sound &= np.isfinite(number)


def _in_random_rounding(
    plan: BlockProgram,
    operations: Sequence[Operation],
    columns: Mapping[str, Numbers],
    numbers: Sequence[Any],
    sound: Any,
) -> None:
    from autodiff.verify.array_digits import unmoved  # loads the arrays
    from autodiff.verify.random_rounding import sweeps

    def judge(blocks: Iterator[slice]) -> None:
        for block in blocks:
            part = {n: c if isinstance(c, float) else c[block] for n, c in columns.items()}
            good, shown = sound[block], [number[block] for number in numbers]
            BlockRunner(plan, operations, part, shown, good, watched=False).fill()
            moved, unused = [np.empty(len(good)) for _ in numbers], np.empty_like(good)
            for rounding in sweeps():
                BlockRunner(plan, operations, part, moved, unused, rounding, watched=False).fill()
                for number, other in zip(shown, moved, strict=True):
                    good &= unmoved(number, other, rounding.roundings)

    divided(len(sound), BlockRunner(plan, operations, columns, numbers, sound).size, judge)


def _false(flags: Numbers) -> Numbers:
    """The places of what is false, which is rare: eight flags are compared at a time."""
    if flags.all():
        return np.empty(0, np.intp)
    whole = len(flags) // 8 * 8
    words = np.flatnonzero(flags[:whole].view(np.uint64) != 0x0101010101010101)
    near = np.concatenate([(8 * words[:, None] + np.arange(8)).ravel(), np.arange(whole, len(flags))])
    return near[~flags[near]]
