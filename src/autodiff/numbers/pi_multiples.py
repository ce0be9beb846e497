"""Multiples of π as numbers: exact among each other and with rational numbers, floats beside floats.

>>> str(PiMultiple(Fraction(1, 2)) + PiMultiple(Fraction(1, 3))), PiMultiple(Fraction(1, 2)) + 1.0
('5/6·π', 2.5707963267948966)
"""

from __future__ import annotations

import math
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
