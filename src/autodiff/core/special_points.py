"""The special places of the table's rows: where a rule alone would give a number that is not a slope.

>>> from autodiff.core.rules import TABLE
>>> special_tests(TABLE["abs", 1]).kink(0.0), special_tests(TABLE["sin", 1])
(True, None)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from autodiff.core import templates
from autodiff.core.evaluate import Trace
from autodiff.core.linearize import active
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, Primitive
from autodiff.core.templates import Number, StaticArgs
from autodiff.record import Record


class SpecialTests(Record):
    """Tests on the arguments of a row, None where it has no such place; `unsloped`: per argument, that its partial exists."""

    kink: Number | None
    jump: Number | None
    vertical_tangent: Number | None
    unsloped: tuple[Number | None, ...]

    def at(self, args: Sequence[float], free: Sequence[object]) -> bool:
        """Whether these arguments, of which the `free` ones are no constants, are a special point, to be expanded on both sides."""
        for test in (self.kink, self.jump, self.vertical_tangent):
            if test is not None and test(*args):
                return True
        return self.cuts(args, free)

    def cuts(self, args: Sequence[float], active: Sequence[object]) -> bool:
        """Whether one of the `active` arguments has no partial here."""
        for test, is_active in zip(self.unsloped, active, strict=True):
            if test is not None and is_active and not test(*args):
                return True
        return False


@lru_cache(maxsize=1024)
def special_tests(row: Primitive, static: StaticArgs = ()) -> SpecialTests | None:
    """The special places of a row; None when it is smooth wherever it has a value.

    With `static`, those that it has where these arguments are constants: `x^2` has none.
    """
    if not (row.special_conditions or any(row.partial_domain) or UNDEFINED in row.partials):
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
    return SpecialTests(kink, jump, vertical, unsloped) if kink or jump or vertical or any(unsloped) else None


def special_points(lowered: Lowered, run: Trace, sources: Iterable[int] | None = None) -> list[int]:
    """The equations that sit exactly on a corner, a jump, or where a slope is infinite or missing.

    With `sources`, those that are so for the slopes by these: besselj(n, x) has none in n, which does not depend on x.
    """
    constants = lowered.graph.constants
    special = [node for node in run.order if _is_special(lowered, run, node, lambda arg: arg not in constants)]
    if sources is None or not special:
        return special
    reached = active(lowered.graph, run.order, sources, run.taken)
    return [node for node in special if _is_special(lowered, run, node, reached.__contains__)]


def _is_special(lowered: Lowered, run: Trace, node: int, free: Callable[[int], bool]) -> bool:
    graph = lowered.graph
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return False
    places = special_tests(row, templates.static_args(graph, node))
    if places is None or all(a in graph.constants for a in args) or row.never_changes(args):
        return False
    return places.at([run.values[a] for a in args], [free(a) for a in args])
