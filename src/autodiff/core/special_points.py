"""The special places of the table's rows: where a rule alone would give a number that is not a slope.

>>> from autodiff.core.rules import TABLE
>>> special_tests(TABLE["abs", 1]).kink(0.0), special_tests(TABLE["sin", 1])
(True, None)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from autodiff.core import templates
from autodiff.core.evaluate import Trace
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, Primitive
from autodiff.core.templates import Number, StaticArgs


class SpecialTests(NamedTuple):
    """The special places of a row: tests on its arguments, None where it has no such place.

    jump       the test and the text of the value beside it, "" where only order decides
    unsloped   per argument: the test that its slope exists
    """

    kink: Number | None
    jump: tuple[Number, str] | None
    vertical_tangent: Number | None
    unsloped: tuple[Number | None, ...]

    def at(self, args: Sequence[float], free: Sequence[object]) -> bool:
        """Whether these arguments, of which the `free` ones are no constants, are a special point, to be expanded on both sides."""
        for test in (self.kink, self.jump and self.jump[0], self.vertical_tangent):
            if test is not None and test(*args):
                return True
        return self.cuts(args, free)

    def cuts(self, args: Sequence[float], moving: Sequence[object]) -> bool:
        """Whether one of the `moving` arguments has no slope here."""
        for test, moves in zip(self.unsloped, moving, strict=True):
            if test is not None and moves and not test(*args):
                return True
        return False


@lru_cache(maxsize=1024)
def special_tests(row: Primitive, static: StaticArgs = ()) -> SpecialTests | None:
    """The special places of a row; None when it is smooth wherever it has a value.

    With `static`, those that it has where these arguments are constants: `x^2` has none.
    """
    if not (row.kink or row.jump or row.vertical_tangent or any(row.partial_domain) or UNDEFINED in row.partials):
        return None

    def test(condition: str, never: bool) -> Number | None:
        """The test, None where it can't come out other than `never`."""
        if not condition or (static and templates.static_value(condition, row.params, static) == never):
            return None
        return templates.compiled(condition, row.params, static)

    texts = (row.kink, row.jump.condition if row.jump else "", row.vertical_tangent)
    kink, jump, vertical = (test(text, False) for text in texts)
    unsloped = tuple(
        (lambda *_: False) if slope == UNDEFINED else test(text, True) if static[k : k + 1] in ((), (None,)) else None
        for k, (slope, text) in enumerate(zip(row.partials, row.partial_domain, strict=True))
    )
    if static and not (kink or jump or vertical or any(unsloped)):
        return None
    return SpecialTests(
        kink=kink,
        jump=jump and row.jump and (jump, row.jump.side_value),
        vertical_tangent=vertical,
        unsloped=unsloped,
    )


def special_points(lowered: Lowered, run: Trace) -> list[int]:
    """The equations that sit exactly on a corner, a jump, or where a slope is infinite or missing."""
    constants = lowered.graph.constants
    return [node for node in run.order if _is_special(lowered, run, node, lambda arg: arg not in constants)]


def without_inactive(lowered: Lowered, run: Trace, special: Sequence[int], sources: Iterable[int]) -> list[int]:
    """Those of `special` that are so for the slopes by `sources`: besselj(n, x) has none in n, which x does not move."""
    moving = active(lowered.graph, run.order, sources, run.taken) if special else set()
    return [node for node in special if _is_special(lowered, run, node, moving.__contains__)]


def _is_special(lowered: Lowered, run: Trace, node: int, free: Callable[[int], bool]) -> bool:
    graph = lowered.graph
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return False
    static = templates.static_args(graph, node) if templates.needs_static_args(row) else ()
    places = special_tests(row, static)
    if places is None or all(a in graph.constants for a in args) or (row.is_predicate and len(set(args)) < len(args)):
        return False
    return places.at([run.values[a] for a in args], [free(a) for a in args])
