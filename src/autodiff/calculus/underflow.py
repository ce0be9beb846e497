"""Where float64 ends near 0: below 2.2e-308 a number has fewer digits, and below 5e-324 none.

Nearly always that is harmless: in 1 + e^-800 nobody misses e^-800. In e^-800 * e^700 it is all there is. Whether it shows
is tried: the sweeps are done again with every number that may have lost digits lifted to 2.2e-308, which is 4e15 times
more than it can have lost; an answer that hardly moves has not lost anything.

>>> from autodiff import parse
>>> from autodiff.calculus.lower import lower
>>> from autodiff.calculus.primal import primal
>>> lowered = lower(parse("exp(-x)*exp(-x)*exp(x)"))
>>> run = primal(lowered, {"x": 400.0})
>>> [lowered.source[slice(*lowered.graph.spans[node])] for node in faint(lowered, run)][0]
'exp(-x)*exp(-x)'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from math import copysign, fsum

from autodiff.calculus import algebra, local
from autodiff.calculus.local import Factors
from autodiff.calculus.lower import Lowered
from autodiff.calculus.ops import Row
from autodiff.calculus.primal import Outside, Run, number, sweep
from autodiff.calculus.reverse import sweep_down

TINY = 2.0**-1022
"""The smallest number with all its digits."""

RELATIVE, LIFTS = 2.0**-20, 4096
"""How far an answer may move, in parts of itself and in lifts, while the digits that underflow took don't show in it.

What a number lost is below 2.5e-324, so that an answer that moves by 4096 lifts may be off by 1e-320.
"""

_THROUGH = frozenset("*/^")
"""Values that are exactly 0 where an argument is, and lose digits elsewhere."""

_ALIKE = "+ - neg same abs min max floor ceil round sign mod sqrt cbrt ln log2 log10 log1p expm1"
_CURVES = "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
_KEEPING = frozenset(f"{_ALIKE} {_CURVES}".split())
"""Values that are only tiny where an argument is, and as exact."""


@lru_cache(maxsize=1024)
def keeps(row: Row) -> bool:
    """Whether the row's value loses no digits by being tiny."""
    if row.truth or row.pick is not None or row.value in _KEEPING:
        return True
    if not row.value.startswith("= "):
        return False
    rows = algebra.template(row.value[2:], row.params).graph.rows
    return all(inner is None or inner.truth or inner.pick is not None or inner.value in _KEEPING for inner in rows)


@lru_cache(maxsize=1024)
def exact_zeros(row: Row) -> bool:
    """Whether the row's value is exactly 0 where one of its arguments is: of a product, but not of y*ln(1 + e^z)."""
    return row.value in _THROUGH or row.arity == 1


def loses(row: Row, args: Sequence[float], value: float) -> bool:
    """Whether this value of the row is so small that it may have lost digits."""
    if not -TINY < value < TINY or keeps(row) or (0.0 in args and exact_zeros(row)):
        return False
    if row.scaling and not row.scaling.startswith("+") and not any(args):
        return False  # f(s*0) is s^e*f(0), whatever s is
    return not row.value.startswith("= ") or _within(row.value[2:], row.params, tuple(args))


@lru_cache(maxsize=4096)  # a large program may ask the same of one place of a row ever again
def _within(text: str, names: tuple[str, ...], given: tuple[float, ...]) -> bool:
    """Whether a number in a text of the table may have lost digits: ln(1) has none to lose."""
    lowered = algebra.template(text, names)
    graph, start, found = lowered.graph, dict(zip(names, given, strict=True)), list[int]()

    def leaf(node: int) -> float:
        return graph.constants[node] if node in graph.constants else start[graph.inputs[node]]

    def apply(node: int, inner: Sequence[float]) -> float:
        part = graph.rows[node]
        assert part is not None
        value = algebra.value(part)(*inner)
        if loses(part, inner, value):
            found.append(node)
        return value

    sweep(graph, lowered.result, leaf, apply, bool)
    return bool(found)


def faint(lowered: Lowered, run: Run) -> list[int]:
    """The equations whose value may have lost digits."""
    graph, values = lowered.graph, run.values
    small = [node for node in run.order if -TINY < values[node] < TINY]
    return [node for node in small if _loses(lowered, node, [values[a] for a in graph.args[node]], values[node])]


def before(lowered: Lowered, point: Mapping[str, float]) -> list[int]:
    """The same where the sweep of values comes to an end at a value that does not exist: those before it."""
    graph, found = lowered.graph, list[int]()

    def leaf(node: int) -> float:
        return graph.constants[node] if node in graph.constants else point[graph.inputs[node]]

    def apply(node: int, args: Sequence[float]) -> float:
        value = number(graph, node, args)
        if _loses(lowered, node, args, value):
            found.append(node)
        return value

    with suppress(Outside):
        sweep(graph, lowered.result, leaf, apply, bool)
    return found


def _loses(lowered: Lowered, node: int, args: Sequence[float], value: float) -> bool:
    row = lowered.graph.rows[node]
    return row is not None and loses(row, args, value)


def fading(lowered: Lowered, run: Run, factors: Factors, rates: Mapping[int, float]) -> bool:
    """Whether a local slope, or one of the `rates` that a sweep made of them, may have lost digits."""
    small = [node for node, edges in factors.items() for _, slope in edges if -TINY < slope < TINY]
    if any(any(_fades(lowered, run, node, slope) for _, slope in factors[node]) for node in small):
        return True
    low = {node for node, rate in rates.items() if -TINY < rate < TINY}
    if not low:
        return False
    steps = ((rates.get(node, 0.0), arg, slope) for node, edges in factors.items() for arg, slope in edges)
    return any(arg in low and g and slope and abs(g * slope) < TINY for g, arg, slope in steps)


def _fades(lowered: Lowered, run: Run, node: int, slope: float) -> bool:
    """Whether so small a slope may be another than it seems: a 0 is meant where an argument or the value is 0."""
    if not -TINY < slope < TINY:
        return False
    row = lowered.graph.rows[node]
    if row is None or row.pick is not None or node in run.taken:
        return False
    values = [run.values[a] for a in lowered.graph.args[node]]
    if not slope and (0.0 in values or run.values[node] == 0 or _switches(row)):
        return False
    given = (*values, run.values[node])  # cos(u) has the slope -sin(u), which is tiny where u is, and as exact
    return any(_within(text, (*row.params, "w"), given) for text in row.slopes if text != "none")


@lru_cache(maxsize=1024)
def _switches(row: Row) -> bool:
    """Whether the row's slopes are zeros and ones by choice, as those of max are."""
    return all(re.fullmatch(r"[01]|if\(.*, [01], [01]\)", text) for text in row.slopes)


# --- the trial --------------------------------------------------------------------------------------------------------


def lifted(place: int, value: float) -> float:
    """2.2e-308 in place of a number that may be anything below it; not all the same, so that they don't cancel."""
    return copysign(TINY * (1 + place * 0.6180339887498949 % 1), value)


def moved(before: float, after: float, lift: float = TINY) -> bool:
    """Whether an answer is another one once what may have lost digits is lifted, to `lift` in the answer's units."""
    return not abs(after - before) <= RELATIVE * abs(before) + LIFTS * lift


class Watched:
    """Products and quotients that notice when one may have lost digits, and lift it where that is being tried."""

    def __init__(self, *, lift: bool = False) -> None:
        self.lift = lift
        self.lost = 0

    def times(self, a: float, b: float) -> float:
        """a times b."""
        made = a * b
        return self.below(made) if a and b and -TINY < made < TINY else made

    def over(self, a: float, b: float) -> float:
        """a divided by b, which is not 0."""
        made = a / b
        return self.below(made) if a and -TINY < made < TINY else made

    def total(self, terms: Sequence[float]) -> float:
        """The sum, rounded once where it has one."""
        try:
            return fsum(terms)
        except (OverflowError, ValueError):
            return sum(terms)

    def below(self, value: float) -> float:
        """A value that may have lost digits."""
        self.lost += 1
        return lifted(self.lost, value) if self.lift else value


def lifted_run(lowered: Lowered, point: Mapping[str, float]) -> Run:
    """The sweep of values with every one lifted that may have lost digits. Raises Outside as the plain one does."""
    graph = lowered.graph

    def leaf(node: int) -> float:
        return graph.constants[node] if node in graph.constants else point[graph.inputs[node]]

    def apply(node: int, args: Sequence[float]) -> float:
        found = number(graph, node, args)
        return lifted(node, found) if _loses(lowered, node, args, found) else found

    return Run(*sweep(graph, lowered.result, leaf, apply, bool))


def shows(
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], value: float, gradient: Mapping[str, float]
) -> bool:
    """Whether lost digits show in the value, or in the gradient by `names`."""
    try:
        run = lifted_run(lowered, point)
    except Outside:
        return True
    if moved(value, run.values[lowered.result]):
        return True
    found = _adjoints(lowered, run, names.values())
    return any(moved(gradient[name], found.get(node, 0.0)) for name, node in names.items())


def _adjoints(lowered: Lowered, run: Run, sources: Collection[int]) -> dict[int, float]:
    factors = local.factors(lowered, run, sources)

    def pull(node: int, g: float) -> Iterable[tuple[int, float]]:
        for arg, slope in factors[node]:
            steep = lifted(2 * node + arg, slope) if _fades(lowered, run, node, slope) else slope
            part = g * steep
            yield arg, lifted(node + 2 * arg, part) if g and steep and abs(part) < TINY else part

    moves = lowered.result in factors or lowered.result in sources
    return sweep_down(reversed(factors), {lowered.result: 1.0} if moves else {}, pull, float.__add__)
