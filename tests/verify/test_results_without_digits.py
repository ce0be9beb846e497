"""Functions that are flat far from 0, of arguments that are 0 but for rounding: float64 has a wrong value, and a steady one."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff

FLAT = {
    "tanh(G*1e17)": 0.0,
    "exp(-(G*1e18)^2)": 1.0,
    "1/(1 + (G*1e20)^2)": 1.0,
    "cos(G*1e19)": 1.0,
    "sigmoid(G*1e18)": 0.5,
    "atan(G*1e19)": 0.0,
    "if(G > 1e-17, 1, 2)": 2.0,
    "erf(G*1e19)": 0.0,
    "gaussian(G*1e18)": 1.0,
    "normpdf(G*1e18)*sqrt(2*pi)": 1.0,
    "sech(G*1e18)": 1.0,
    "exp(-(cos(x)^2 + sin(x)^2 - 1)^2*1e36)": 1.0,
    "max(G*1e17, -3)": 0.0,
}
"""Programs of a number G that is 0, and their values."""

ZEROS = ("((1+x)-1-x)", "(sqrt(1+x)^2-1-x)", "(ln(exp(x))-x)")
POINTS = np.array([0.7, 1.9, 2.3])


@pytest.mark.parametrize("beside", ["", "1e9 + "])
@pytest.mark.parametrize("flat", FLAT)
def test_an_array_has_no_wrong_value(flat: str, beside: str) -> None:
    right = FLAT[flat] + (1e9 if beside else 0.0)
    for zero in ZEROS:
        answer = autodiff.evaluate(beside + flat.replace("G", zero), {"x": POINTS})
        assert answer.value is None or np.allclose(answer.value, right, rtol=1e-12, atol=0), zero


@pytest.mark.parametrize("flat", FLAT)
def test_a_number_has_no_wrong_value(flat: str) -> None:
    for zero in ZEROS:
        for x in POINTS:
            answer = autodiff.evaluate(flat.replace("G", zero), {"x": float(x)}, wrt=[])
            assert answer.value is None or answer.value == pytest.approx(FLAT[flat], rel=1e-12, abs=0), (zero, x)


@pytest.mark.parametrize("flat", ["tanh(G*1e17)", "max(G*1e17, -3)", "1/(1 + (G*1e20)^2)", "gaussian(G*1e18)"])
def test_rows_have_no_wrong_value(flat: str) -> None:
    for zero in ZEROS:
        values = autodiff.compile("1e9 + " + flat.replace("G", zero))(x=np.linspace(0.5, 2.5, 60))[0]
        assert np.all(np.isnan(values) | (np.abs(values / (1e9 + FLAT[flat]) - 1) <= 1e-10)), zero


def test_a_sum_of_an_element_without_digits_has_its_value() -> None:
    x = np.array([0.81, -0.72, 1.882594052122e-15, -1.8505825769e-16])
    with np.errstate(all="ignore"):
        right = 4e10 + np.sum(np.exp(np.log1p(x) / x))
    answer = autodiff.evaluate("sum((1+x)^(1/x) + 1e10)", {"x": x})
    assert answer.value == pytest.approx(right, rel=1e-14)
