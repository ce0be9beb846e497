"""Deep, wide and long programs: the right value and slopes in both modes, without recursion, in linear memory."""

from __future__ import annotations

import math
import tracemalloc

import pytest

import autodiff
from autodiff.calculus.lower import lower

N = 100_000


def _iterated_sine(x: float, times: int) -> tuple[float, float]:
    value, slope = x, 1.0
    for _ in range(times):
        value, slope = math.sin(value), slope * math.cos(value)
    return value, slope


CASES = {
    "nested calls": ("sin(" * N + "x" + ")" * N, 1.0, *_iterated_sine(1.0, N)),
    "nested brackets": ("(" * N + "x" + ")" * N, 3.0, 3.0, 1.0),
    "a long sum": ("+".join(["x"] * N), 0.5, 0.5 * N, float(N)),
    "a long sum of products": ("+".join(f"{i}*x" for i in range(N // 2)), 1.0, (N // 2 - 1) * (N // 2) / 2, None),
    "signs": ("-" * N + "x", 2.0, 2.0, 1.0),
    "powers": ("x^" * 1000 + "1", 1.0, 1.0, 1.0),
    "squarings": ("y0 = x;" + ";".join(f"y{i + 1} = y{i}*y{i}" for i in range(1000)), 1.0, 1.0, 2.0**1000),
    "statements": ("y0 = x;" + ";".join(f"y{i + 1} = y{i} + 1" for i in range(20_000)), 1.0, 20_001.0, 1.0),
    "conditions": ("if(x > 0, " * 10_000 + "x" + ", 1)" * 10_000, 2.0, 2.0, 1.0),
    "functions": ("f0(t) = t + 1;" + "".join(f"f{i + 1}(t) = f{i}(t) + f{i}(t);" for i in range(60)) + "f60(x)", 1.0, 2.0**61, 2.0**60),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_right_in_both_modes(name: str) -> None:
    text, x, value, slope = CASES[name]
    answer = autodiff.evaluate(text, {"x": x}, mode="both")
    assert answer.value is not None
    assert math.isclose(answer.value, value, rel_tol=1e-12)
    backward, onward = answer.gradient["x"], (answer.forward or {})["x"]
    assert backward is not None
    assert onward is not None
    assert math.isclose(backward, value if slope is None else slope, rel_tol=1e-10)
    assert math.isclose(backward, onward, rel_tol=1e-10)
    assert answer.checked


def test_shared_parts_are_equations_once() -> None:
    squarings = "y0 = x;" + ";".join(f"y{i + 1} = y{i}*y{i}" for i in range(64))
    assert len(lower(autodiff.parse(squarings)).graph) == 66
    assert len(lower(autodiff.parse("sin(x^2) + cos(x^2) + sin(x^2)")).graph) == 7


def test_memory_grows_linearly() -> None:
    def peak(terms: int) -> int:
        text = "+".join(f"sin({i}*x)" for i in range(terms))
        tracemalloc.start()
        autodiff.evaluate(text, {"x": 0.5})
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(2000) < 5 * peak(500)


def test_equal_deep_programs_compare_without_recursion() -> None:
    deep = "sin(" * 20_000 + "x" + ")" * 20_000
    assert autodiff.parse(deep) == autodiff.parse("sin( " * 20_000 + "x" + ")" * 20_000)
    assert autodiff.parse(deep) != autodiff.parse(deep.replace("x", "y"))
    assert len(repr(autodiff.parse(deep))) < 100
