"""Slopes at an argument that is 0, or nearly, by rounding: cos(u) is 1 there, and what is left of cos(u) - 1 has no digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest

from autodiff.api.evaluate import evaluate

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(mpmath, name) for name in ["sin", "atan", "tanh", "sinh", "asin", "expm1", "erf", "asinh"]},
    "silu": lambda u: u / (1 + mpmath.exp(-u)),
}

ARGUMENTS: dict[str, Callable[[Any], Any]] = {
    "(1-cos(y))": lambda y: 1 - mpmath.cos(y),
    "(cosh(y)-1)": lambda y: mpmath.cosh(y) - 1,
    "(exp(y)-1)": mpmath.expm1,
    "(y+1-1)": lambda y: y,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("inner", ARGUMENTS)
def test_a_slope_is_right_where_an_argument_has_no_digit(name: str, inner: str) -> None:
    """The value is mostly x, whose digits are sure; the slope by y was 0, called ok."""
    argument, function = ARGUMENTS[inner], FUNCTIONS[name]

    def difference(y: Any) -> Any:
        return function(argument(y)) - argument(y)

    for y in (-3.144182885195869e-12, 1e-9, 2e-17):
        answer = evaluate(f"x + {name}({inner}) - {inner}", {"x": 7.9, "y": y})
        with mpmath.workdps(120):
            true = mpmath.diff(difference, mpmath.mpf(y), h=mpmath.mpf(10) ** -60)
            assert answer.status == "ok"
            assert abs(mpmath.mpf(answer.gradient["y"]) - true) <= 1e-12 * abs(true) + mpmath.mpf("5e-324")
