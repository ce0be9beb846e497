"""Numbers that were typed: a float64 that remembers what it stands for, where that is another number.

What is typed is meant as typed: `0.1` is one tenth, `pi` is π. A plain float is meant exactly.

>>> number = decimal("0.1", 0.1)
>>> number, number.meaning
(0.1, '0.1')
>>> type(decimal("0.5", 0.5)) is float      # exactly what was typed
True
"""

from __future__ import annotations

import math
import re
from typing import Any, TypeAlias

Meaning: TypeAlias = Any
"""A decimal number as text, a constant's name ("pi", "e"), or the equations of a constant expression."""

_PARTS = r"([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?"  # compiled where a decimal is read: most programs have none

UP = 1 + 2.0**-50
"""More than a quotient and a product of two float64 may be rounded down by."""

_LONGEST_EXPONENT = 5000
"""Beyond this a decimal exponent is not followed: the number is then taken as its float64."""


class ExactFloat(float):
    """A float64 for what was typed, and what that means; it is off by `error` at most: half a unit in the last place where no more is known."""

    __slots__ = ("error", "meaning")
    error: float
    meaning: Meaning

    def __new__(cls, value: float, meaning: Meaning, error: float | None = None) -> ExactFloat:
        number = super().__new__(cls, value)
        number.meaning = meaning
        number.error = math.ulp(value) / 2 if error is None else error
        return number

    @property
    def key(self) -> str:
        """What it stands for, the same for `0.1` and `0.10`."""
        exact = ratio(self.meaning) if isinstance(self.meaning, str) and self.meaning[-1:].isdigit() else None
        if exact is not None:
            common = math.gcd(*exact)
            return f"= {exact[0] // common}/{exact[1] // common}"
        return f"= {self.meaning}" if isinstance(self.meaning, str) else f"= {float(self)!r} {id(self.meaning)}"

    def __reduce__(self) -> tuple[type[ExactFloat], tuple[float, Meaning, float]]:
        return ExactFloat, (float(self), self.meaning, self.error)


def decimal(text: str, value: float) -> float:
    """`value`, the float64 nearest to a decimal `text`, as a plain float where it is that number exactly."""
    if "." not in text and "e" not in text and "E" not in text and abs(value) <= 2.0**53:
        return value
    exact = ratio(text)
    if exact is None:
        return value
    above, below = value.as_integer_ratio()
    apart = abs(above * exact[1] - below * exact[0])
    return ExactFloat(value, text, max(UP * (apart / (below * exact[1])), 5e-324)) if apart else value


def ratio(text: str) -> tuple[int, int] | None:
    """A decimal number as numerator and denominator; None where its exponent is out of bounds."""
    match = re.fullmatch(_PARTS, text)
    if match is None:
        return None
    sign, whole, part, power = match.groups()
    exponent = int(power or 0) - len(part)
    if abs(exponent) > _LONGEST_EXPONENT + len(text):
        return None
    digits = int(sign + (whole + part or "0"))
    return (digits * 10**exponent, 1) if exponent >= 0 else (digits, 10**-exponent)


def is_number(text: str) -> bool:
    """Whether a text is what Python reads as a float."""
    try:
        float(text)
    except ValueError:
        return False
    return True
