"""Powers with whole exponents by products: which exponents, in which order, and how many roundings that takes.

>>> by_products(3.0, 5, lambda a, b: a * b)                 # ((3*3)^2)*3
243.0
>>> roundings(5.0), roundings(-2.0)      # u^5 may be a pow, at most 8 off; 1/u is rounded once and counts twice in its square
(8.0, 3.0)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from autodiff.core.floats import PRODUCTS

T = TypeVar("T")

LARGEST = 16
"""Exponents up to this are products over rows, unless rows are to have the digits of `evaluate`; `pow` takes ten times as long."""


def is_product(exponent: float | None, *, exact: bool) -> bool:
    """Whether u^exponent is computed by products or by a square root."""
    if exponent is None or exponent in PRODUCTS:
        return exponent is not None
    return not exact and exponent % 1 == 0 and 1 < abs(exponent) <= LARGEST


def by_products(base: T, exponent: int, multiply: Callable[[T, T], T]) -> T:
    """base^exponent, exponent at least 1: squares, from the exponent's leading binary digit to its last."""
    power = base
    for digit in f"{exponent:b}"[1:]:
        power = multiply(power, power)
        if digit == "1":
            power = multiply(power, base)
    return power


def roundings(exponent: float) -> float:
    """Roundings that u^exponent is off by at most, however rows compute it; `pow` is at most 8 off."""
    size = abs(exponent)
    products = 2 * size - 1 if exponent < 0 else max(size - 1, 1.0)
    return products if exponent in PRODUCTS else max(8.0, products)
