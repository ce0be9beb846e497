"""Exact numbers as an algebra: rational numbers and multiples of π.

In float64 floor(1e17) - 1 is floor(1e17), sin(π) is 1.2e-16 and cos(asin(1)) is 6e-17, so that the sides of a special point would be decided by
rounding. A rational number is the sine or the tangent of a rational part of π in few cases only (Niven's theorem:
I. Niven, Irrational Numbers, 1956, chapter 3).

>>> from autodiff.core.rules import TABLE
>>> sine = EXACT.apply(TABLE["sin", 1], [PiMultiple(Fraction(7, 6))])
>>> str(sine), str(EXACT.apply(TABLE["asin", 1], [sine])), EXACT.apply(TABLE["sin", 1], [Fraction(1)])
('-1/2', '-1/6·π', None)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import Indeterminate
from autodiff.core.floats import OPERATORS
from autodiff.core.primitive import Primitive
from autodiff.language.ast import CONSTANTS
from autodiff.language.exact_float import ExactFloat, ratio
from autodiff.numbers.pi_multiples import PiMultiple, turn

_HUGE = 4096
"""Bits up to which a rational number stays exact."""

_PI = (103993, 33102), (104348, 33215)
"""Two rational numbers, numerator and denominator, with π between them."""

_TURNS = {"pi": 1, "tau": 2}
"""Constants by their names, as multiples of π."""

_SINES = {0: 0, 1: 1, 3: 2, 5: 1, 6: 0, 7: -1, 9: -2, 11: -1}
"""Twice the sine of so many sixths of π, where that is rational."""

_TANGENTS = {0: 0, 1: 1, 3: -1}
"""The tangent of so many quarters of π, where that is rational."""

Function: TypeAlias = "Callable[..., Any]"


class ExactNumbers(Algebra[Any]):
    """Rational numbers of a `kind`, and `PiMultiple`s of them; None is a number that is not known exactly.

    rational   makes one of a numerator and a denominator, and `parts` gives these
    functions  what a row's value column may name; None where a result is not exact
    """

    def __init__(self, kind: Any, rational: Callable[[int, int], Any], parts: Callable[[Any], tuple[int, int]]) -> None:
        self.kind, self.rational, self.parts = kind, rational, parts
        self.zero, self.unit = rational(0, 1), rational(1, 1)
        self.functions: dict[str, Function] = _arithmetic(self) | _values(self) | _angles(self) | _steps(self)

    # --- the algebra --------------------------------------------------------------------------------------------------

    def constant(self, value: float) -> Any:
        """What a number means: a typed one is what was typed, a float64 is itself."""
        if not isinstance(value, ExactFloat):
            return self.rational(*float(value).as_integer_ratio())
        if not isinstance(value.meaning, str):
            return self.unchecked(value.meaning, {}).values[value.meaning.result]
        return self.typed(value.meaning, value)

    def typed(self, text: str, value: float) -> Any:
        """The number that was typed as `text`: π by its name, or a decimal number, of which `value` is the float64."""
        if text in _TURNS:
            return PiMultiple(self.rational(_TURNS[text], 1))
        parts = ratio(text)
        return self.rational(*parts) if parts else None if text in CONSTANTS else self.constant(float(value))

    def apply(self, row: Primitive, args: Sequence[Any]) -> Any:
        if row.branches is not None:
            return self._undecided(row, row.branches, args)
        if any(arg is None for arg in args):
            return None
        if row.is_predicate:
            return self._condition(row, args)
        if row.value in self.functions:
            return self.functions[row.value](*args)
        return self.text(row.definition, row.params, args) if row.definition else None

    def branch(self, condition: Any) -> bool | None:
        return None if condition is None else bool(condition)

    def checked(self, node: int, args: Sequence[Any], value: Any) -> Any:
        if value is None:
            raise Indeterminate(node)
        return value

    def as_float(self, value: Any) -> float:
        return math.nan if value is None else float(value)

    def undefined(self) -> Any:
        return None

    def _undecided(self, row: Primitive, branches: tuple[int, int], args: Sequence[Any]) -> Any:
        """A choice whose condition is not decided."""
        if row.is_predicate:
            other = args[1]  # `c and false` is false, `c or true` is true, whatever c is
            return other if other is not None and bool(other) != (branches[0] == 1) else None
        first, second = (args[k] for k in branches)
        return None if first is None or second is None else self.either(first, second)

    def either(self, a: Any, b: Any) -> Any:
        """What is known of a number that is a or b."""
        return a if a == b else None

    def _condition(self, row: Primitive, args: Sequence[Any]) -> Any:
        if row.arity == 1:
            return not args[0]
        sign = self.sign(*args)
        return None if sign is None else OPERATORS[row.value](sign, 0)

    # --- order --------------------------------------------------------------------------------------------------------

    def sign(self, a: Any, b: Any) -> int | None:
        """The sign of a - b; None where that is not decided."""
        if isinstance(a, PiMultiple) and isinstance(b, PiMultiple):
            a, b = a.part, b.part
        if isinstance(a, self.kind | bool) and isinstance(b, self.kind | bool):
            return (a > b) - (a < b)
        return 0 if a is b else self.sign_of_difference(a, b)

    def sign_of_difference(self, a: Any, b: Any) -> int | None:
        """The sign of a - b, of which one is rational and the other a multiple of π."""
        if isinstance(b, PiMultiple):
            sign = self.sign_of_difference(b, a)
            return None if sign is None else -sign
        low, high = sorted(a.part * self.rational(*bound) for bound in _PI)
        return 1 if b <= low else -1 if b >= high else None

    def is_zero(self, a: Any) -> bool:
        """Whether a number is exactly 0."""
        return isinstance(a, self.kind) and a == 0

    def short(self, a: Any) -> Any:
        """A rational number, None where it is too long to stay exact."""
        above, below = self.parts(a)
        return a if above.bit_length() + below.bit_length() <= _HUGE else None


# --- functions of exact numbers: None where the result is not exact ------------------------------------------------------


def _arithmetic(of: ExactNumbers) -> dict[str, Function]:
    kind, known, short, is_zero = of.kind, of.kind | PiMultiple, of.short, of.is_zero

    def plus(a: Any, b: Any) -> Any:
        if isinstance(a, kind) and isinstance(b, kind):
            return short(a + b)
        if isinstance(a, PiMultiple) and isinstance(b, PiMultiple):
            return turn(a.part + b.part)
        return a if is_zero(b) else b if is_zero(a) else None

    def minus(a: Any, b: Any) -> Any:
        return of.zero if a is b else plus(a, -b) if isinstance(b, known) else None

    def times(a: Any, b: Any) -> Any:
        if is_zero(a) or is_zero(b):
            return of.zero  # of an inactive part: 0 times whatever the other factor is
        if isinstance(a, kind) and isinstance(b, kind):
            return short(a * b)
        multiple = isinstance(a, PiMultiple) and isinstance(b, kind)
        return a * b if multiple or (isinstance(b, PiMultiple) and isinstance(a, kind)) else None

    def over(a: Any, b: Any) -> Any:
        if is_zero(b):
            return None
        if is_zero(a):
            return of.zero
        if isinstance(a, kind) and isinstance(b, kind):
            return short(a / b)
        return a / b if isinstance(a, PiMultiple) and isinstance(b, kind | PiMultiple) else None

    return {
        "+": plus,
        "-": minus,
        "*": times,
        "/": over,
        "^": lambda u, v: _power(of, u, v),
        "neg": lambda a: -a if isinstance(a, known) else None,
        "same": lambda a: a,
        "sqrt": lambda u: _root(of, u) if isinstance(u, kind) else None,
        "cbrt": lambda u: _root(of, u, 3) if isinstance(u, kind) else None,
        "log2": lambda u: _logarithm(of, u, 2),
        "log10": lambda u: _logarithm(of, u, 10),
        "hypot": lambda u, v: (
            abs(v) if is_zero(u) and isinstance(v, kind) else abs(u) if is_zero(v) and isinstance(u, kind) else None
        ),
    }


def _power(of: ExactNumbers, u: Any, v: Any) -> Any:
    if of.is_zero(v):
        return of.unit
    if not isinstance(v, of.kind):
        return of.zero if of.is_zero(u) and of.sign(v, of.zero) == 1 else None
    if v == 1:
        return u
    if of.is_zero(u):
        return of.zero if v > 0 else None
    exponent, root = of.parts(v)
    if not isinstance(u, of.kind) or root > _HUGE or (u < 0 and root != 1):
        return None
    base = u if root == 1 else _root(of, u, root)
    if base is None:
        return None
    above, below = of.parts(base)
    return base**exponent if abs(exponent) * (abs(above) * below).bit_length() <= _HUGE else None


def _root(of: ExactNumbers, u: Any, n: int = 2) -> Any:
    """The real n-th root of a rational number; None where it is not rational."""
    above, below = (_whole_root(part, n) for part in of.parts(abs(u)))
    if above is None or below is None or (u < 0 and n % 2 == 0):
        return None
    return of.rational(above if u >= 0 else -above, below)


def _whole_root(number: int, n: int) -> int | None:
    """The n-th root of a whole number, by Newton's method from above; None where it is not whole."""
    if number < 2:
        return number
    root = 1 << -(-number.bit_length() // n)
    while (lower := ((n - 1) * root + number // root ** (n - 1)) // n) < root:
        root = lower
    return root if root**n == number else None


def _logarithm(of: ExactNumbers, u: Any, base: int) -> Any:
    """The logarithm of a whole power of the base; None of any other number."""
    if not isinstance(u, of.kind) or u <= 0:
        return None
    rest, below = of.parts(u if u >= 1 else 1 / u)
    power = 0
    while rest % base == 0:
        rest, power = rest // base, power + 1
    return of.rational(power if u >= 1 else -power, 1) if rest == below == 1 else None


def _values(of: ExactNumbers) -> dict[str, Function]:
    """Functions that are exact at some whole numbers."""

    def at(*known: tuple[int, int]) -> Function:
        table = {argument: of.rational(value, 1) for argument, value in known}

        def exactly(u: Any) -> Any:
            if not isinstance(u, of.kind) or abs(u) > 2:
                return None
            above, below = of.parts(u)
            return table.get(above) if below == 1 else None

        return exactly

    return {
        "exp": at((0, 1)),
        "exp2": at((0, 1), (1, 2), (2, 4)),
        "ln": at((1, 0)),
        **{name: at((0, 0)) for name in ["log1p", "expm1", "sinh", "tanh", "asinh", "atanh", "erf"]},
        **{name: at((0, 1)) for name in ["cosh", "erfc"]},
        "acosh": at((1, 0)),
        "gamma": at((1, 1), (2, 1)),
        "lgamma": at((1, 0), (2, 0)),
    }


def _angles(of: ExactNumbers) -> dict[str, Function]:
    kind, unit, half = of.kind, of.unit, of.rational(1, 2)

    def turned(steps: int, values: Mapping[int, int], scale: int, shift: Any) -> Function:
        """The values at multiples of π/steps, the argument moved by `shift` parts of π first."""

        def value(u: Any) -> Any:
            part = u.part if isinstance(u, PiMultiple) else u if of.is_zero(u) else None
            if part is None:
                return None
            whole, rest = of.parts(steps * (part + shift))
            number = values.get(whole % (scale * steps)) if rest == 1 else None
            return None if number is None else of.rational(number, scale)

        return value

    def inverse(*angles: tuple[Any, int, int]) -> Function:
        parts = {value: of.rational(above, below) for value, above, below in angles}
        return lambda u: turn(parts[u]) if isinstance(u, kind) and u in parts else None

    def angle(u: Any, v: Any) -> Any:
        """The angle of a point on an axis or a diagonal."""
        if not (isinstance(u, kind) and isinstance(v, kind)) or u == v == 0 or (u != 0 and v != 0 and abs(u) != abs(v)):
            return None
        if u == 0:
            return turn(of.zero if v > 0 else unit)
        quarters = 2 if v == 0 else 1 if v > 0 else 3
        return turn(of.rational(quarters if u > 0 else -quarters, 4))

    return {
        "sin": turned(6, _SINES, 2, 0),
        "cos": turned(6, _SINES, 2, half),
        "tan": turned(4, _TANGENTS, 1, 0),
        "asin": inverse((of.zero, 0, 1), (unit, 1, 2), (-unit, -1, 2), (half, 1, 6), (-half, -1, 6)),
        "acos": inverse((of.zero, 1, 2), (unit, 0, 1), (-unit, 1, 1), (half, 1, 3), (-half, 2, 3)),
        "atan": inverse((of.zero, 0, 1), (unit, 1, 4), (-unit, -1, 4)),
        "atan2": angle,
    }


def _steps(of: ExactNumbers) -> dict[str, Function]:
    """What depends on order, and rounding to whole numbers."""
    half = of.rational(1, 2)

    def floor(u: Any) -> Any:
        above, below = of.parts(u)
        return of.rational(above // below, 1)

    def rounded(u: Any) -> Any:
        """The nearest whole number, ties to the even one."""
        down = floor(u)
        return down + 1 if u - down > half or (u - down == half and int(down) % 2) else down

    def sign(u: Any) -> Any:
        number = of.sign(u, of.zero)
        return None if number is None else of.rational(number, 1)

    def of_rationals(function: Function) -> Function:
        return lambda *args: function(*args) if all(isinstance(a, of.kind) for a in args) else None

    return {
        "abs": lambda u: abs(u) if isinstance(u, of.kind | PiMultiple) else None,
        "sign": sign,
        "min": lambda a, b: {-1: a, 0: a, 1: b, None: None}[of.sign(a, b)],
        "max": lambda a, b: {-1: b, 0: a, 1: a, None: None}[of.sign(a, b)],
        "floor": of_rationals(floor),
        "ceil": of_rationals(lambda u: -floor(-u)),
        "round": of_rationals(rounded),
        "mod": of_rationals(lambda u, v: u - v * floor(u / v) if v else None),
    }


EXACT = ExactNumbers(Fraction, Fraction, Fraction.as_integer_ratio)
"""Exact numbers by Python's own fractions."""
