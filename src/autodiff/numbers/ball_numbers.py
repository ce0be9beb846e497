"""The numbers of ball arithmetic, and how they become float64 or decimal digits.

A rational number and a rational multiple of π stay exact; anything else is an `arb` of python-flint, a midpoint and a
proven radius. Precision is the caller's: `with precision(bits): …`.

>>> with precision(128):
...     decimal(ball(PiMultiple(fmpq(1, 2))), 20), as_float(fmpq(1, 3))
('1.5707963267948966192', 0.3333333333333333)
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Context
from typing import Any, TypeAlias

from flint import arb, ctx, fmpq

from autodiff.numbers.pi_multiples import PiMultiple

Number: TypeAlias = Any
"""A `fmpq` (exact), a `PiMultiple` (exact), an `arb` (midpoint and radius), or the bool of a condition."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls are rounded to so many bits inside."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def rational(value: float) -> fmpq:
    """A float64, exactly."""
    return fmpq(*float(value).as_integer_ratio())


def ball(number: Number) -> arb:
    """A number as a ball at the precision that holds."""
    if isinstance(number, arb):
        return number
    if isinstance(number, PiMultiple):
        return arb.pi() * arb(number.part)
    return arb(number if isinstance(number, fmpq | float) else int(number))


def is_zero(number: Number) -> bool:
    """Whether a number is exactly 0."""
    return isinstance(number, fmpq) and number == 0


# --- numbers out ------------------------------------------------------------------------------------------------------


def shown(number: Number) -> float:
    """A number as the nearest float64, or the midpoint's where the ball is wider."""
    nearest = as_float(number)
    if nearest is None:
        nearest = float(ball(number).mid())
    return nearest


def as_float(number: Number) -> float | None:
    """The float64 nearest to a number, an infinity beyond the largest; None where its ball holds several."""
    if isinstance(number, bool):
        return float(number)
    if isinstance(number, fmpq):
        return _quotient(int(number.p), int(number.q))
    whole = ball(number)
    if not whole.is_finite():
        return None
    low, high = _end(whole.lower()), _end(whole.upper())
    return low + 0.0 if low == high else None


def _quotient(above: int, below: int) -> float:
    try:
        return above / below
    except OverflowError:
        return math.inf if above > 0 else -math.inf


def _end(number: arb) -> float:
    mantissa, exponent = (int(part) for part in number.man_exp())
    size = mantissa.bit_length() + exponent
    if not mantissa or size < -1200:
        return 0.0
    if size > 1100:
        return math.inf if mantissa > 0 else -math.inf
    return _quotient(mantissa << max(exponent, 0), 1 << max(-exponent, 0))


def decimal(number: Number, digits: int) -> str | None:
    """A number rounded to so many significant digits; None where its ball does not say what they are."""
    if isinstance(number, fmpq) and number == 0:
        return "0"
    whole = ball(number)
    if not whole.is_finite():
        return None
    ends = [end.str(digits + 20, radius=False).partition("e") for end in (whole.lower(), whole.upper())]
    if any(len(power) > _LONGEST for _, _, power in ends):
        return None
    low, high = (_rounded(mantissa, power, digits) for mantissa, _, power in ends)
    return low if low == high else None


_LONGEST = 400
"""Digits of an exponent, beyond which a number is nothing to print."""


def _rounded(mantissa: str, power: str, digits: int) -> str:
    rounded = Context(prec=digits).create_decimal(mantissa)
    exponent = int(power or 0) + rounded.adjusted()
    sign, figures, _ = rounded.as_tuple()
    text = "".join(map(str, figures)).rstrip("0") or "0"
    minus = "-" if sign else ""
    if -7 <= exponent < max(digits, 17):
        return minus + _plain(text, exponent)
    return f"{minus}{text[0]}{'.' + text[1:] if text[1:] else ''}e{exponent}"


def _plain(figures: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{figures}"
    whole, part = figures[: exponent + 1].ljust(exponent + 1, "0"), figures[exponent + 1 :]
    return f"{whole}.{part}" if part else whole


def words(number: Number) -> str:
    """A number that is beyond float64's range with its digits, such as 5.07596e-435; else empty."""
    if ball(number).contains(0) or 2.0**-1022 <= abs(shown(number)) <= sys.float_info.max:
        return ""
    return str(ball(number).mid().str(6, radius=False))


def shown_or_words(number: Number) -> tuple[float | None, str]:
    """A number as the nearest float64, or beyond its range in words."""
    beyond = words(number)
    return (None, beyond) if beyond else (shown(number), "")


def size_of(number: Number) -> str:
    """How large a number is that float64 rounds to 0: "is 5.08e-435", or "is below 1e-3000"; empty where it is 0."""
    whole = ball(number)
    if is_zero(number) or whole.is_zero():
        return ""
    if whole.contains(0):
        bound = abs(whole).upper().str(1, radius=False)
        return f"can't be told from 0: it is below {bound if len(bound) < 30 else '1e-' + '9' * 20} in size"
    return f"is {whole.mid().str(3, radius=False)}, which float64 rounds to 0"


_MANY_BITS, _REMEMBERED = 128, 512
"""From how many bits on values are remembered, and how many: there a value takes up to seconds, and places beside a special
point, and slopes of the second order, have most arguments in common.
"""


def remembered(function: Callable[..., arb]) -> Callable[..., arb]:
    """The same function of balls, with its last values kept."""
    values: dict[tuple[object, ...], arb] = {}

    def value(*args: arb) -> arb:
        if ctx.prec < _MANY_BITS or not all(a.is_finite() for a in args):
            return function(*args)
        key = (ctx.prec, *((*a.mid().man_exp(), *a.rad().man_exp()) for a in args))
        if key not in values:
            if len(values) == _REMEMBERED:
                values.clear()
            values[key] = function(*args)
        # a new one: a ball less itself is exactly 0, and arguments that differ by less than their radius have one ball
        return arb(values[key])

    return value
