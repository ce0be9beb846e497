"""Values that are exact: multiples of π and the numbers that belong to them, stairs and remainders of rational numbers.

In float64 floor(1e17) - 1 is floor(1e17), sin(π) is 1.2e-16 and cos(asin(1)) is 6e-17, so that the sides of a special point would be decided by
rounding. A rational number is the sine or the tangent of a rational part of π in these few cases only (Niven's theorem:
I. Niven, Irrational Numbers, 1956, chapter 3).

>>> sine = EXACT["sin"](PiMultiple(Fraction(7, 6)))
>>> sine, EXACT["asin"](sine), EXACT["atan2"](0, -1)
(Fraction(-1, 2), PiMultiple(part=Fraction(-1, 6)), PiMultiple(part=Fraction(1, 1)))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

Exact: TypeAlias = "int | Fraction"
"""A rational number; a whole one is an int, because that is ten times faster."""


@dataclass(frozen=True, slots=True)
class PiMultiple:
    """`part`·π, where the part is a `Fraction`, or a `fmpq` among balls, and not 0; beside floats it is one."""

    part: Any

    def __float__(self) -> float:
        return float(self.part) * math.pi

    def __neg__(self) -> PiMultiple:
        return PiMultiple(-self.part)

    def __abs__(self) -> PiMultiple:
        return PiMultiple(abs(self.part))

    def __add__(self, other: Any) -> Any:
        return turn(self.part + other.part) if isinstance(other, PiMultiple) else float(self) + other

    __radd__ = __add__

    def __mul__(self, other: Any) -> Any:
        is_float = isinstance(other, PiMultiple | float)
        return float(self) * float(other) if is_float else turn(self.part * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, PiMultiple):
            return self.part / other.part
        return float(self) / other if isinstance(other, float) else turn(self.part / other)

    def __rtruediv__(self, other: Any) -> Any:
        return other / float(self)

    def __lt__(self, other: float) -> bool:
        return float(self) < other

    def __gt__(self, other: float) -> bool:
        return float(self) > other

    def __str__(self) -> str:
        return f"{self.part}·π"


def turn(part: Any) -> Any:
    """`part`·π, or a plain 0."""
    return PiMultiple(part) if part else part


_SINES = {0: 0, 1: 1, 3: 2, 5: 1, 6: 0, 7: -1, 9: -2, 11: -1}
"""Twice the sine of so many sixths of π, where that is rational."""

_TANGENTS = {0: 0, 1: 1, 3: -1}
"""The tangent of so many quarters of π, where that is rational."""


def exact_functions(
    kind: Any, rational: Callable[[int, int], Any], floor: Callable[[Any], Any]
) -> Mapping[str, Callable[..., Any]]:
    """What a row's value column may name, over `rational` numbers, which are of this `kind`, and `PiMultiple`s of them.

    None where a result is not exact.
    """
    half, unit = rational(1, 2), rational(1, 1)

    def turned(steps: int, values: Mapping[int, int], scale: int, shift: Any) -> Callable[[Any], Any]:
        """The values at multiples of π/steps, the argument moved by `shift` parts of π first."""

        def value(u: Any) -> Any:
            part = u.part if isinstance(u, PiMultiple) else u if isinstance(u, kind) and u == 0 else None
            if part is None:
                return None
            count = steps * (part + shift)
            whole = floor(count)
            number = values.get(int(whole) % (scale * steps)) if whole == count else None
            return None if number is None else rational(number, scale)

        return value

    def inverse(*angles: tuple[Any, int, int]) -> Callable[[Any], Any]:
        parts = {value: rational(above, below) for value, above, below in angles}
        return lambda u: turn(parts[u]) if isinstance(u, kind) and u in parts else None

    def angle(u: Any, v: Any) -> Any:
        """The angle of a point on an axis or a diagonal."""
        if not (isinstance(u, kind) and isinstance(v, kind)) or u == v == 0 or (u != 0 and v != 0 and abs(u) != abs(v)):
            return None
        if u == 0:
            return turn(rational(0 if v > 0 else 1, 1))
        quarters = 2 if v == 0 else 1 if v > 0 else 3
        return turn(rational(quarters if u > 0 else -quarters, 4))

    def rounded(u: Any) -> Any:
        """The nearest whole number, ties to the even one."""
        down = floor(u)
        return down + 1 if u - down > half or (u - down == half and int(down) % 2) else down

    def of_rationals(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: function(*args) if all(isinstance(a, kind) for a in args) else None

    return {
        "sin": turned(6, _SINES, 2, 0),
        "cos": turned(6, _SINES, 2, half),
        "tan": turned(4, _TANGENTS, 1, 0),
        "asin": inverse((0 * unit, 0, 1), (unit, 1, 2), (-unit, -1, 2), (half, 1, 6), (-half, -1, 6)),
        "acos": inverse((0 * unit, 1, 2), (unit, 0, 1), (-unit, 1, 1), (half, 1, 3), (-half, 2, 3)),
        "atan": inverse((0 * unit, 0, 1), (unit, 1, 4), (-unit, -1, 4)),
        "atan2": angle,
        "floor": of_rationals(floor),
        "ceil": of_rationals(lambda u: -floor(-u)),
        "round": of_rationals(rounded),
        "mod": of_rationals(lambda u, v: u - v * floor(u * (unit / v)) if v else None),
    }


EXACT = exact_functions((int, Fraction), Fraction, math.floor)
