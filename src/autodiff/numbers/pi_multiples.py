"""Values that are exact: parts of π and the numbers that belong to them, stairs and remainders of rational numbers.

In float64 floor(1e17) - 1 is floor(1e17), sin(π) is 1.2e-16 and cos(asin(1)) is 6e-17, so that the sides of a special point would be decided by
rounding. A rational number is the sine or the tangent of a rational part of π in these few cases only (Niven's theorem:
I. Niven, Irrational Numbers, 1956, chapter 3).

>>> sine = EXACT["sin"](OfPi(Fraction(7, 6)))
>>> sine, EXACT["asin"](sine), EXACT["atan2"](0, -1)
(Fraction(-1, 2), OfPi(part=Fraction(-1, 6)), OfPi(part=Fraction(1, 1)))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Exact: TypeAlias = "int | Fraction"
"""A rational number; a whole one is an int, because that is ten times faster."""


@dataclass(frozen=True, slots=True)
class OfPi:
    """`part`·π, where the part is not 0."""

    part: int | Fraction

    def __float__(self) -> float:
        return float(self.part) * math.pi

    def __neg__(self) -> OfPi:
        return OfPi(-self.part)

    def __abs__(self) -> OfPi:
        return OfPi(abs(Fraction(self.part)))

    def __lt__(self, other: float) -> bool:
        return float(self) < other

    def __gt__(self, other: float) -> bool:
        return float(self) > other

    def __str__(self) -> str:
        return f"{self.part}·π"


Angle: TypeAlias = "Exact | OfPi"


def turn(part: Exact) -> Angle:
    """`part`·π, or a plain 0."""
    return OfPi(part) if part else 0


_SINES = {Fraction(0): Fraction(0), Fraction(1, 6): Fraction(1, 2), Fraction(1, 2): Fraction(1)}
"""Part of π in the first quarter → its sine, where both are rational."""

_TANGENTS = {Fraction(0): Fraction(0), Fraction(1, 4): Fraction(1)}


def _sine(u: Angle) -> Exact | None:
    if not isinstance(u, OfPi):
        return None if u else 0
    part = Fraction(u.part) % 2
    sign, part = (-1, part - 1) if part >= 1 else (1, part)
    found = _SINES.get(min(part, 1 - part))
    return None if found is None else sign * found


def _cosine(u: Angle) -> Exact | None:
    if not isinstance(u, OfPi):
        return None if u else 1
    return _sine(turn(u.part + Fraction(1, 2)))


def _tangent(u: Angle) -> Exact | None:
    if not isinstance(u, OfPi):
        return None if u else 0
    part = Fraction(u.part) % 1
    sign, part = (-1, 1 - part) if part > Fraction(1, 2) else (1, part)
    found = _TANGENTS.get(part)
    return None if found is None else sign * found


def _inverse(table: Mapping[Fraction, Fraction], u: Angle) -> Fraction | None:
    """The part of π of which `table` gives u, or -u."""
    if isinstance(u, OfPi):
        return None  # a part of π is no rational number
    parts = {number: part for part, number in table.items()}
    part = parts.get(abs(Fraction(u)))
    return part if part is None or u >= 0 else -part


def _arcsine(u: Angle) -> Angle | None:
    part = _inverse(_SINES, u)
    return None if part is None else turn(part)


def _arccosine(u: Angle) -> Angle | None:
    part = _inverse(_SINES, u)
    return None if part is None else turn(Fraction(1, 2) - part)


def _arctangent(u: Angle) -> Angle | None:
    part = _inverse(_TANGENTS, u)
    return None if part is None else turn(part)


def _angle(u: Angle, v: Angle) -> Angle | None:
    if isinstance(u, OfPi) or isinstance(v, OfPi) or not (u or v):
        return None
    if v == 0:
        return turn(Fraction(1 if u > 0 else -1, 2))
    part = _inverse(_TANGENTS, Fraction(u) / v)
    return None if part is None else turn(part if v > 0 else part + (1 if u >= 0 else -1))


def _remainder(u: Angle, v: Angle) -> Exact | None:
    return None if isinstance(u, OfPi) or isinstance(v, OfPi) or not v else u - v * math.floor(Fraction(u) / v)


def _stair(step: Callable[[Exact], int]) -> Callable[[Angle], Exact | None]:
    return lambda u: None if isinstance(u, OfPi) else step(u)


EXACT: Mapping[str, Callable[..., Angle | None]] = {
    "sin": _sine,
    "cos": _cosine,
    "tan": _tangent,
    "asin": _arcsine,
    "acos": _arccosine,
    "atan": _arctangent,
    "atan2": _angle,
    "floor": _stair(math.floor),
    "ceil": _stair(math.ceil),
    "round": _stair(round),
    "mod": _remainder,
}
"""What a row's value column may name, for exact numbers; None where the result is not one."""
