"""The equations of a program just beside a point, as series: only arithmetic, order, and the table's own texts.

A row's series comes from its slopes: with θ = t·d/dt, θw = Σ slope·θu, and a slope is a text of the table, evaluated
over the series of the arguments in the same way, one order lower. On a corner the definition of the row is followed.

>>> from autodiff.core.lowering import lower
>>> series = beside(lower("abs(x - sin(x))"), {"x": 0.0}, {0: -1.0}, depth=3)       # t^3/6 + O(t^4)
>>> series.terms, series.order
((Term(power=3, coefficient=Fraction(1, 6), error_bound=0.0, logs=0),), (4, 0))
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from types import MappingProxyType

from autodiff.core import templates
from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import Indeterminate
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive, Scaling
from autodiff.core.special_points import special_tests
from autodiff.core.templates import Number
from autodiff.language.exact_float import ExactFloat
from autodiff.numbers import one_sided
from autodiff.numbers.exact import EXACT
from autodiff.numbers.one_sided import EPSILON, Series, constant
from autodiff.numbers.one_sided_terms import CONSTANT, NOTHING, Size, fit
from autodiff.numbers.pi_multiples import Exact, PiMultiple

_MANY = 100  # an upper limit on the terms of a series, beyond every depth


class OneSidedDomainError(Exception):
    """The program has no values on this side: equation `node` leaves its domain."""

    def __init__(self, node: int | None = None) -> None:
        super().__init__(node)
        self.node = node


def at_point(lowered: Lowered, point: Mapping[str, float]) -> Series:
    """The result at the point, with as little rounding as beside it. Raises Indeterminate where that is not known."""
    try:
        return beside(lowered, point, {}, 0).value_alone
    except OneSidedDomainError:
        raise Indeterminate from None


class SeriesBeside(Algebra[Series]):
    """Series in the step beside a point.

    depth  how many terms of a function's Taylor series are taken
    rates  equations that move with the step, and how fast
    """

    def __init__(self, depth: int, rates: Mapping[int, float] = MappingProxyType({})) -> None:
        self.depth, self.rates = depth, rates

    def constant(self, value: float) -> Series:
        exact = EXACT.constant(value)  # what was typed is meant
        return (
            constant(value, value.error if isinstance(value, ExactFloat) else 0.0)
            if exact is None
            else one_sided.exactly(exact)
        )

    def apply(self, row: Primitive, args: Sequence[Series]) -> Series:
        return _apply(row, args, self.depth).cut(self.depth + 1)

    def branch(self, condition: Series) -> bool:
        return bool(condition.value)

    def equation(self, node: int, row: Primitive, args: Sequence[Series]) -> Series:
        try:
            return self.with_step(node, self.apply(row, args))
        except (Indeterminate, OverflowError):
            raise Indeterminate(node) from None
        except OneSidedDomainError:
            raise OneSidedDomainError(node) from None

    def with_step(self, node: int, a: Series) -> Series:
        return one_sided.plus(a.value_alone, one_sided.step(self.rates[node])) if node in self.rates else a


def beside(lowered: Lowered, point: Mapping[str, float], rates: Mapping[int, float], depth: int) -> Series:
    """The result just beside the point, when equations move at these rates, none of them 0.

    `depth` says how many terms of a function's Taylor series are taken.
    Raises Indeterminate, or OneSidedDomainError where this side has no values.
    """
    algebra, inputs = SeriesBeside(depth, rates), lowered.graph.inputs
    series = {
        name: algebra.with_step(node, algebra.constant(point[name])) for node, name in inputs.items() if name in point
    }
    return algebra.evaluate(lowered, series).values[lowered.result]  # type: ignore[no-any-return]


def _value(a: Series) -> tuple[float, float]:
    value = a.value
    if value is None:
        raise Indeterminate
    return value, a.constant.error


def _text(text: str, names: tuple[str, ...], given: Sequence[Series], depth: int) -> Series:
    """A text of the table over series."""
    try:
        return SeriesBeside(depth).text(text, names, given)
    except (OneSidedDomainError, OverflowError):
        raise Indeterminate from None


def _apply(row: Primitive, args: Sequence[Series], depth: int) -> Series:
    if row.value in one_sided.ORDER:
        return one_sided.ORDER[row.value](*args)
    if row.value in one_sided.ARITHMETIC:
        return one_sided.ARITHMETIC[row.value](*args)
    if all(a.is_number for a in args):
        return _value_series(row, args, [_value(a)[0] for a in args], OneSidedDomainError)
    _stays_inside(row, args, depth)
    if row.scaling and (scaled := _scaled(row, row.scaling, args, depth)) is not None:
        return scaled
    values = [_value(a)[0] for a in args]
    places = special_tests(row)
    if places is None:
        return _smooth(row, args, _value_series(row, args, values, Indeterminate), depth)
    if places.cuts(values, [not a.is_number for a in args]):
        raise Indeterminate
    if places.kink is not None and places.kink(*values):
        return _text(row.definition, row.params, args, depth)
    value_at = _value_series(row, args, values, Indeterminate)
    if row.jump is not None and places.jump is not None and places.jump(*values):
        names = (*row.params, *(f"d{p}" for p in row.params))
        given = [a.value_alone for a in args] + [a.variation for a in args]
        value_at = _text(row.jump.side_value, names, given, depth).value_alone
    return _smooth(row, args, value_at, depth)


def _value_series(
    row: Primitive, args: Sequence[Series], values: Sequence[float], domain_error: type[Exception]
) -> Series:
    """The row's value at the point. Raises `domain_error` outside its domain, and Indeterminate where it is not finite."""
    conditions, function = templates.meaning(row)
    if not all(inside(*values) for inside, _ in conditions):
        raise domain_error
    value = function(*values)
    if not math.isfinite(value):
        raise Indeterminate  # a limit may exist; the value does not
    return _computed(row, args, value)


def _computed(row: Primitive, args: Sequence[Series], value: float) -> Series:
    """What a row computes of the values of its arguments: exactly where that is known."""
    if all(a.constant.exact for a in args):
        numbers = (a.constant.coefficient for a in args)
        exact = EXACT.apply(row, [Fraction(n) if isinstance(n, int) else n for n in numbers])
        if exact is not None:
            return one_sided.exactly(exact)
    units = _units(row.ulp_error[0], (*row.params, "w"), [_value(a)[0] for a in args], value)
    return constant(value, _value_error(templates.value(row), args, value, units))


def _units(text: str, names: tuple[str, ...], args: Sequence[float], *results: float) -> float:
    """How many units in the last place a number may be off by a row's own algorithm."""
    return float(text) if text.isdigit() else templates.compiled(text, names)(*args, *results)


def _value_error(function: Number, args: Sequence[Series], value: float, units: float) -> float:
    """How far `value`, what a function of floats gives for these arguments, may be off.

    Not at all where short numbers give a short one: cos(0) is 1, ln(1) is 0, sqrt(4) is 2. A value that is not
    short ends in thirty zero bits by chance only, which does not happen unless an argument saturates (tanh(20)). Else it is the
    function's own error, and what the errors of its arguments do to it: cos(asin(1)) is not known to be other than 0.
    """
    known = [_value(a) for a in args]
    values = [x for x, _ in known]
    if _short(value) and all(error_bound == 0 and _short(x) for x, error_bound in known):
        return 0.0
    error_bound = units * EPSILON * abs(value)
    for k, (x, off) in enumerate(known):
        if off:
            ends = [function(*values[:k], end, *values[k + 1 :]) for end in (x + off, x - off)]
            moved = [abs(end - value) for end in ends if math.isfinite(end)]
            error_bound += max(moved, default=math.inf)
    return error_bound


def _short(value: float) -> bool:
    return value == 0 or (2.0**-10 <= abs(value) <= 4.0 and (value * 2.0**20).is_integer())


def _stays_inside(row: Primitive, args: Sequence[Series], depth: int) -> None:
    """Raise OneSidedDomainError when the arguments step out of the domain: sqrt(x) at 0 has no left side."""
    conditions = templates.domain(row)
    if not conditions:
        return
    values = [a.value for a in args]
    ways = [(v,) if a.is_number else (v, *around(v)) for a, v in zip(args, values, strict=True) if v is not None]
    if None not in values and all(inside(*place) for place in product(*ways) for inside, _ in conditions):
        return
    for text, _ in row.domain:
        if not _text(text, row.params, args, depth).value:
            raise OneSidedDomainError


def around(value: float) -> tuple[float, float]:
    """The floats next to a value."""
    return math.nextafter(value, -math.inf), math.nextafter(value, math.inf)


@lru_cache(maxsize=1024)
def _fixed_exponent(law: Scaling, params: tuple[str, ...]) -> float | None:
    return templates.static_value(law.exponent, params, ())


def _exponent(row: Primitive, law: Scaling, args: Sequence[Series], depth: int) -> Series:
    number = _fixed_exponent(law, row.params)
    if number is None:
        return _text(law.exponent, row.params, args, depth)
    return constant(number, 0.0 if _short(number) else 8 * EPSILON * abs(number))


def _scaled(row: Primitive, law: Scaling, args: Sequence[Series], depth: int) -> Series | None:
    """f(s·u) is s^e·f(u) or f(u) + e·ln(s), so that the row is expanded away from 0; None where it is there already."""
    scaled = [args[k] for k in law.args]
    if any(a.value for a in scaled):
        return None
    exponent, (power, shrinks) = _exponent(row, law, args, depth), min(a.low for a in scaled)
    if isinstance(power, float):
        return Series() if not law.additive and one_sided.sign(exponent) > 0 else None  # 0 all along
    leads, logs = [a.terms[0] for a in scaled if a.low == (power, shrinks) and a.terms], -shrinks
    if not leads and not law.additive and _value(exponent)[0] > 0:
        return _raised(Series((), CONSTANT), exponent, power, logs, depth)
    if not any(term.certain for term in leads):
        raise Indeterminate
    units = [a.shifted(-power, -logs) if k in law.args else a for k, a in enumerate(args)]
    if all(units[k].value == 0 for k in law.args):
        raise Indeterminate  # beyond float64
    series = _apply(row, units, depth)
    if law.additive:
        return one_sided.plus(series, one_sided.times(exponent, one_sided.logarithm(power, logs)))
    return _raised(series, exponent, power, logs, depth)


def _raised(series: Series, exponent: Series, power: Exact, logs: Exact, depth: int) -> Series:
    """`series` times the scale t^power·ln(1/t)^logs to the power `exponent`, which may vary."""
    e, bend = _rational(exponent), exponent.variation
    series = series.shifted(fit(power * e), fit(logs * e))
    if not bend.terms and bend.order == NOTHING:
        return series
    return one_sided.times(
        series, _text("exp(u)", ("u",), [one_sided.times(bend, one_sided.logarithm(power, logs))], depth)
    )


def _rational(exponent: Series) -> Exact:
    """The exponent at the point, a third where its float may mean one.

    Raises Indeterminate where rounding may be all that parts it from a whole number.
    """
    value, error_bound = _value(exponent)
    exact = exponent.constant.coefficient
    if isinstance(exact, int | Fraction) and exponent.constant.exact:
        return fit(exact)
    near = Fraction(value).limit_denominator(1000)
    if abs(near - Fraction(value)) > error_bound:
        return fit(Fraction(value))
    if near.denominator == 1:
        raise Indeterminate
    return near


def _smooth(row: Primitive, args: Sequence[Series], value_at: Series, depth: int) -> Series:
    """Taylor's series, a term more at each turn: from the slopes, of which the row's own result may be part."""
    active = [k for k, a in enumerate(args) if not a.is_number and row.partials[k] != ZERO]
    if not active:
        return value_at
    rates = {k: one_sided.rate(args[k]) for k in active}
    low = min(args[k].variation.low for k in active)
    last = max(0, min(depth - 1, _worth(low, min(args[k].order for k in active))))
    series = value_at.within(low)
    for turn in range(0 if _uses_result(row) else last, last + 1):
        parts = [one_sided.times(_slope(row, k, args, series, turn, low), rates[k]) for k in active]
        series = one_sided.plus(value_at, one_sided.total(one_sided.plus(*parts))).cut(depth + 1)
    return series


def _worth(low: Size, order: Size) -> int:
    """The turn after which nothing is to be gained from arguments that are known from `low` to `order`."""
    if order == NOTHING or not low[0]:
        return _MANY
    turns = math.ceil(order[0] / low[0]) - 2
    return min(_MANY, turns if low[1] == order[1] == 0 else turns + 1)


@lru_cache(maxsize=1024)
def _uses_result(row: Primitive) -> bool:
    names, texts = (*row.params, "w"), (text for text in row.partials if text != UNDEFINED)
    return any("w" in templates.used(text, names) for text in texts)


def _slope(row: Primitive, k: int, args: Sequence[Series], result: Series, depth: int, low: Size) -> Series:
    """The local slope in argument k, as a series; where nothing more than its value is wanted, that and an order."""
    given = (*args, result)
    if depth == 0:
        function = templates.partial(row, k)
        values = [a.value or 0.0 for a in given]
        slope = function(*values)
        if math.isfinite(slope):
            if any(isinstance(a.constant.coefficient, PiMultiple) for a in given):
                return _text(row.partials[k], (*row.params, "w"), [a.value_alone for a in given], 0).value_alone.within(
                    low
                )
            units = _units(row.ulp_error[1], (*row.params, "w", "d"), values, slope)
            return constant(slope, _value_error(function, given, slope, units)).within(low)
        places = special_tests(row)
        if places is None or places.vertical_tangent is None or not places.vertical_tangent(*values[:-1]):
            raise Indeterminate  # beyond float64, not infinite
    return _text(row.partials[k], (*row.params, "w"), given, depth)
