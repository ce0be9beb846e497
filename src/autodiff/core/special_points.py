"""The special places of the table's rows: where a rule alone would give a number that is not a slope.

>>> from autodiff.core.rules import TABLE
>>> special_tests(TABLE["abs", 1]).kink(0.0), special_tests(TABLE["sin", 1])
(True, None)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from autodiff.core import templates
from autodiff.core.evaluate import Trace
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
    graph = lowered.graph
    found = []
    for node in run.order:
        row = graph.rows[node]
        if row is None:
            continue
        places = (
            special_tests(row, templates.static_args(graph, node))
            if templates.needs_static_args(row)
            else special_tests(row)
        )
        if places is None:
            continue
        args = graph.args[node]
        if all(a in graph.constants for a in args) or (row.is_predicate and len(set(args)) < len(args)):
            continue
        if places.at([run.values[a] for a in args], [a not in graph.constants for a in args]):
            found.append(node)
    return found
