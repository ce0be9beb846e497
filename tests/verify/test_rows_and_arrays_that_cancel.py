"""Rows and arrays in which two results cancel: no digit is printed that random rounding kept by chance."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import autodiff

FUNCTIONS: dict[str, Callable[[float], tuple[float, float]]] = {
    "exp": lambda m: (np.exp(m), np.exp(m) / 2),
    "sin": lambda m: (np.cos(m), -np.sin(m) / 2),
    "atan": lambda m: (1 / (1 + m * m), -m / (1 + m * m) ** 2),
    "sinh": lambda m: (np.cosh(m), np.sinh(m) / 2),
}
"""What the quotient of differences and its slope come to between two near numbers."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_row_keeps_its_wrong_digits_by_chance(name: str) -> None:
    x, rows = np.pi, 300
    near = x + 2.6e-14
    batch = autodiff.compile(f"({name}(x) - {name}(y))/(x - y)").batch(x=np.full(rows, x), y=np.full(rows, near))
    value, slope = FUNCTIONS[name]((x + near) / 2)
    assert not batch.hard
    assert np.asarray(batch.value) == pytest.approx(np.full(rows, value), rel=1e-10)
    assert np.asarray(batch.gradient["x"]) == pytest.approx(np.full(rows, slope), rel=1e-10, abs=1e-12)


def test_no_array_keeps_its_wrong_digits_by_chance() -> None:
    chance = np.random.default_rng(7)
    for x in chance.uniform(1, 3, 150):
        near = x + 2.0**-45
        answer = autodiff.evaluate("sum((exp(x) - exp(y))/(x - y))", {"x": [x], "y": [near]})
        value, slope = FUNCTIONS["exp"]((x + near) / 2)
        assert answer.value == pytest.approx(value, rel=1e-10)
        assert answer.gradient["x"] == pytest.approx(np.array([slope]), rel=1e-10)


@pytest.mark.parametrize("text", ["atan2(csch(z), -1)", "atan2(z*1e-300*1e-300, -1)", "atan2(-exp(-z^2), -1)"])
@pytest.mark.parametrize("count", [1, 60])
def test_what_underflows_to_0_decides_no_jump(text: str, count: int) -> None:
    points = np.array([-1611.0, 2.0] * count)
    once = [autodiff.evaluate(text, {"z": float(z)}).value for z in points[:2]]
    assert once[0] == -math.pi
    assert autodiff.evaluate(text, {"z": points}).value == pytest.approx(once * count)
    assert autodiff.compile(text)(z=points)[0] == pytest.approx(once * count)


@pytest.mark.parametrize("constant", ["(1 + 1e200)^(1/1e200)", "tanh(25)", "cos(1e-9)", "exp(1e-20)"])
def test_rows_know_that_a_constant_is_rounded_to_1(constant: str) -> None:
    text = f"z - {constant}*(2 + z)"
    once = autodiff.evaluate(text, {"z": 3.0}).gradient["z"]
    assert once
    slopes = autodiff.compile(text)(z=np.full(60, 3.0))[1]["z"]
    assert slopes == pytest.approx(np.full(60, once), rel=1e-10)


def test_arrays_know_the_errors_of_the_functions_themselves() -> None:
    """lgamma has few right digits beside 1 and 2, which the table says, and a quotient by it fewer than twelve."""
    z = np.array([1.035177617895383, 3.538705807624355e-05])
    answer = autodiff.evaluate("cot(1/lgamma(z))", {"z": z})
    assert answer.status == "ok"
    for k, number in enumerate(z):
        assert answer.value[k] == pytest.approx(
            autodiff.evaluate("cot(1/lgamma(z))", {"z": float(number)}).value, rel=1e-13
        )
