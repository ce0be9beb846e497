"""Hard points: what the slope is from each side, where a rule alone would give a number that is not one.

Just beside the point, at a step t → 0+ in one direction, every number is `value + coefficient·t^power + o(t^power)`.
This leading term is carried through the equations once for +1 and once for -1:

    |x| at 0          +1: 0 + 1·t      -1: 0 + 1·t        slopes 1 and -1: a corner
    sqrt(x^4) at 0    ±1: 0 + 1·t^2                       slopes 0 and 0: the derivative is 0
    cbrt(x) at 0      ±1: 0 ± 1·t^(1/3)                   infinite

A choice takes the branch that holds beside the point. What a leading term can't decide is Undecided, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product

from autodiff.calculus import algebra
from autodiff.calculus.algebra import Number
from autodiff.calculus.forward import forward
from autodiff.calculus.lower import Lowered
from autodiff.calculus.ops import Row
from autodiff.calculus.primal import Outside, Run, number, sweep

_NOISE = 2.0**-46
"""What is smaller than this, relative to the terms that it was added from, may be rounding alone."""


class Undecided(Exception):
    """The leading term does not say what happens beside the point, at equation `node`."""

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


class Gone(Exception):
    """There are no values on this side: equation `node` leaves its domain."""

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


@dataclass(frozen=True, slots=True)
class Side:
    """A number just beside the point: `value + coefficient·t^power + o(t^power)`; still when `power` is infinite.

    `size` bounds the coefficient's terms before they cancelled.
    """

    value: float
    coefficient: float = 0.0
    power: float = math.inf
    size: float = 0.0

    @property
    def moves(self) -> bool:
        return self.power < math.inf

    def slope(self) -> float | None:
        """The one-sided slope, maybe infinite; None when the leading term does not tell."""
        if self.power > 1 or (self.coefficient == 0 and self.power == 1):
            return 0.0
        if self.power == 1:
            return self.coefficient
        return math.copysign(math.inf, self.coefficient) if self.coefficient else None


@dataclass(frozen=True, slots=True)
class Special:
    """The special places of a row, compiled: a test on its arguments, and what is so there."""

    corner: tuple[Number, str] | None
    jump: tuple[Number, str] | None
    touch: tuple[Number, Number, Number] | None
    vertical: Number | None
    unsloped: tuple[Number | None, ...]

    def at(self, args: Sequence[float], free: Sequence[bool]) -> bool:
        """Whether these arguments, of which the `free` ones are no constants, need a look from both sides."""
        tests = (self.corner and self.corner[0], self.jump and self.jump[0], self.vertical)
        return any(test is not None and test(*args) for test in tests) or any(
            test is not None and can_move and not test(*args)
            for test, can_move in zip(self.unsloped, free, strict=True)
        )


@lru_cache(maxsize=1024)
def special(row: Row) -> Special | None:
    """The special places of a row; None when it is smooth wherever it has a value."""
    if not (row.corner or row.jump or row.vertical or any(row.slope_domain) or "none" in row.slopes):
        return None
    directions = tuple(f"d{p}" for p in row.params)

    def place(text: str) -> tuple[Number, str] | None:
        rule, _, condition = text.partition(" at ")
        return (algebra.compiled(condition, row.params), rule) if text else None

    touch = None
    if row.touch:
        rule, _, condition = row.touch.partition(" at ")
        coefficient, _, exponent = rule.partition(" t^")
        names = (*row.params, *directions)
        touch = (
            algebra.compiled(condition, row.params),
            algebra.compiled(coefficient, names),
            algebra.compiled(exponent, names),
        )
    unsloped = tuple(
        (lambda *_: False) if slope == "none" else algebra.compiled(text, row.params) if text else None
        for slope, text in zip(row.slopes, row.slope_domain, strict=True)
    )
    vertical = algebra.compiled(row.vertical, row.params) if row.vertical else None
    return Special(place(row.corner), place(row.jump), touch, vertical, unsloped)


def suspects(lowered: Lowered, run: Run) -> list[int]:
    """The equations that sit exactly on a corner, a jump, or where a slope is infinite or missing."""
    graph = lowered.graph
    found = []
    for node in run.order:
        row = graph.rows[node]
        places = None if row is None else special(row)
        if places is None or row is None:
            continue
        args = graph.args[node]
        if all(a in graph.constants for a in args) or (row.truth and len(set(args)) < len(args)):
            continue
        if places.at([run.values[a] for a in args], [a not in graph.constants for a in args]):
            found.append(node)
    return found


def beside(lowered: Lowered, point: Mapping[str, float], source: int, sign: float) -> Side:
    """The result just beside the point, when the equation `source` moves at the rate `sign`.

    Raises Undecided, or Gone where this side has no values.
    """
    graph = lowered.graph
    start = {node: Side(point[name]) for node, name in graph.inputs.items()}
    return _look(lowered, start, source, sign)


def _look(lowered: Lowered, start: Mapping[int, Side], source: int = -1, sign: float = 0.0) -> Side:
    graph = lowered.graph

    def moved(side: Side) -> Side:
        return Side(side.value, sign, 1.0, abs(sign))

    def leaf(node: int) -> Side:
        side = Side(graph.constants[node]) if node in graph.constants else start[node]
        return moved(side) if node == source else side

    def apply(node: int, args: Sequence[Side]) -> Side:
        side = _apply(lowered, node, args)
        return moved(side) if node == source else side

    return sweep(graph, lowered.result, leaf, apply, lambda side: bool(side.value))[0][lowered.result]


def _apply(lowered: Lowered, node: int, args: Sequence[Side]) -> Side:
    row = lowered.graph.rows[node]
    assert row is not None
    values = [a.value for a in args]
    try:
        value = number(lowered.graph, node, values)
    except Outside:
        raise Undecided(node) from None  # a limit may exist; the value does not
    if not any(a.moves for a in args):
        return Side(value)
    _stays_inside(node, row, args)
    places = special(row)
    if places is not None:
        if any(t is not None and a.moves and not t(*values) for t, a in zip(places.unsloped, args, strict=True)):
            raise Gone(node)
        if places.corner is not None and places.corner[0](*values):
            return _at_corner(row, places.corner[1], args, value)
        if places.jump is not None and places.jump[0](*values):
            value = _limit(node, row, places.jump[1], args)
        if places.touch is not None and args[0].moves and places.touch[0](*values):
            return _touch(places.touch, args, value)
    return _smooth(node, row, args, value)


def _stays_inside(node: int, row: Row, args: Sequence[Side]) -> None:
    """Raise Gone when the arguments step out of the domain: sqrt(x) at 0 has no left side."""
    if not row.domain:
        return
    towards = [math.copysign(math.inf, a.coefficient) for a in args]
    nudged = [math.nextafter(a.value, to) if a.coefficient else a.value for a, to in zip(args, towards, strict=True)]
    if not all(inside(*nudged) for inside, _ in algebra.domain(row)):
        raise Gone(node)


def _at_corner(row: Row, text: str, args: Sequence[Side], value: float) -> Side:
    """A corner's own rule, applied to the coefficients of the lowest power among the arguments."""
    power = min(a.power for a in args)
    steps = [a.coefficient if a.power == power else 0.0 for a in args]
    size = max(a.size for a in args if a.power == power)
    coefficient = algebra.compiled(text, _with_steps(row))(*(a.value for a in args), *steps)
    if coefficient:
        return Side(value, coefficient, power, size)
    straight = all(a.power == power and a.coefficient for a in args if a.moves)
    return Side(value) if straight else Side(value, 0.0, power, size)  # max(0, x) stands still on the left of 0


def _limit(node: int, row: Row, text: str, args: Sequence[Side]) -> float:
    """The value just beside a jump. What rounding, or a term that is not known, could turn around is Undecided."""
    power = min(a.power for a in args)
    steps = [a.coefficient if a.power == power else 0.0 for a in args]
    scale = max(map(abs, steps)) or 1.0
    doubts = [
        0.0 if not a.moves else _NOISE * a.size if step else 1e-6 * scale for a, step in zip(args, steps, strict=True)
    ]
    rule = algebra.compiled(text, _with_steps(row))
    values = [a.value for a in args]
    limits = {
        float(rule(*values, *(step + way * doubt for step, way, doubt in zip(steps, ways, doubts, strict=True))))
        for ways in product((-1, 0, 1), repeat=len(args))
    }
    if len(limits) > 1:
        raise Undecided(node)
    return limits.pop()


def _touch(touch: tuple[Number, Number, Number], args: Sequence[Side], value: float) -> Side:
    """The end of a root: its leading term is a power of the argument's."""
    first = args[0]
    places = [*(a.value for a in args), *(a.coefficient for a in args)]
    power = _rational(first.power * touch[2](*places))
    coefficient = touch[1](*places) if first.coefficient else 0.0
    return Side(value, coefficient, power, abs(coefficient))


def _rational(power: float) -> float:
    """A third of 1, times 3, is 1."""
    near = float(Fraction(power).limit_denominator(1000)) if power < 1000 else power
    return near if abs(near - power) < 1e-12 else power


def _smooth(node: int, row: Row, args: Sequence[Side], value: float) -> Side:
    """The first term of Taylor's series that does not vanish; the second is looked at when every first slope is 0."""
    moving = [k for k, a in enumerate(args) if a.moves and row.slopes[k] != "0"]
    if not moving:
        return Side(value)
    values = [a.value for a in args]
    slopes = {k: algebra.slope(row, k)(*values, value) for k in moving}
    if not all(map(math.isfinite, slopes.values())):
        raise Undecided(node)
    lowest = min(args[k].power for k in moving)
    terms = [(args[k].power, s * args[k].coefficient, abs(s) * args[k].size) for k, s in slopes.items() if s]
    if not any(power == lowest for power, _, _ in terms):
        for (j, k), curvature in _curvatures(node, row, values, value, slopes).items():
            a, b = args[j], args[k]
            term = 0.5 * curvature * a.coefficient * b.coefficient
            terms.append((a.power + b.power, term, abs(0.5 * curvature) * a.size * b.size))
    power = min((power for power, _, _ in terms), default=math.inf)
    if power > 2 * lowest:
        return Side(value, 0.0, 2 * lowest)
    coefficient = math.fsum(term for p, term, _ in terms if p == power)
    size = math.fsum(size for p, _, size in terms if p == power)
    if not math.isfinite(size):
        raise Undecided(node)
    return Side(value, coefficient if abs(coefficient) > _NOISE * size else 0.0, power, size)


def _curvatures(
    node: int, row: Row, values: Sequence[float], value: float, slopes: Mapping[int, float]
) -> dict[tuple[int, int], float]:
    """The second derivatives of a row that are not 0, by forward mode over the texts of its slopes."""
    names = (*row.params, "w")
    point = dict(zip(names, (*values, value), strict=True))
    found: dict[tuple[int, int], float] = {}
    for k in slopes:
        template = algebra.template(row.slopes[k], names)
        seeds: dict[int, dict[str, float]] = {}
        for j, slope in slopes.items():
            seeds.setdefault(_input(template, row.params[j]), {})[str(j)] = 1.0
            seeds.setdefault(_input(template, "w"), {})[str(j)] = slope
        try:
            tangent = forward(template, point, seeds)[template.result].tangent
        except Outside:
            raise Undecided(node) from None
        found |= {(j, k): tangent[str(j)] for j in slopes if tangent.get(str(j))}
    return found


def _input(template: Lowered, name: str) -> int:
    node = template.node(name)
    assert node is not None  # every parameter is an input of its template
    return node


def _with_steps(row: Row) -> tuple[str, ...]:
    return (*row.params, *(f"d{p}" for p in row.params))


# --- the verdict ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is so for one name: its status, its slope if there is one, and what was seen on the left and on the right.

    `left` and `right` are slopes, `values` the values there; None where a side has no values or is not decided.
    `node` is the equation that stands in the way, where it is one.
    """

    status: str
    slope: float | None = None
    left: float | None = None
    right: float | None = None
    values: tuple[float | None, float | None] = (None, None)
    node: int | None = None


def verdict(lowered: Lowered, run: Run, point: Mapping[str, float], source: int) -> Verdict:
    """The slope by `source` at a hard point, from both sides."""
    here = run.values[lowered.result]
    sides: list[Side | None] = []
    gone = None
    for sign in (-1.0, 1.0):
        try:
            sides.append(beside(lowered, point, source, sign))
        except Undecided as doubt:
            return Verdict("unknown", node=doubt.node)
        except Gone as edge:
            sides.append(None)
            gone = edge.node
    left, right = sides
    values = (left.value if left else None, right.value if right else None)
    slopes = (_oriented(left, -1), _oriented(right, 1))
    seen = {"left": slopes[0], "right": slopes[1], "values": values}
    if left is None and right is None:
        return Verdict("domain", node=gone)
    apart = [value for value in values if value is not None and not _same(value, here, abs(here))]
    if apart and all(_same(value, here, 1.0) for value in apart):
        return Verdict("unknown")  # sin(π) is not 0 in float64: so small a jump may be rounding
    if apart:
        return Verdict("jump", **seen)  # type: ignore[arg-type]
    known = [slope for side, slope in zip(sides, slopes, strict=True) if side is not None]
    if None in known:
        return Verdict("unknown")
    if any(slope is not None and math.isinf(slope) for slope in known):
        return Verdict("infinite", **seen)  # type: ignore[arg-type]
    sizes = max(side.size for side in sides if side is not None)
    if len(known) == 1 or _same(known[0] or 0.0, known[1] or 0.0, sizes):
        return Verdict("ok", known[-1], **seen)  # type: ignore[arg-type]
    return Verdict("corner", **seen)  # type: ignore[arg-type]


def _oriented(side: Side | None, sign: int) -> float | None:
    slope = None if side is None else side.slope()
    return None if slope is None else sign * slope


def _same(a: float, b: float, size: float) -> bool:
    """Equal, as far as rounding lets one tell."""
    return a == b or abs(a - b) <= _NOISE * max(abs(a), abs(b), size)
