"""Adding a function is adding a row: everything that the other functions have follows from it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
import pytest
from mpmath import mp, mpf

import autodiff
from autodiff.codegen.registry import TARGETS
from autodiff.core import rules
from autodiff.core.primitive import elementwise
from tests.support import command

ROW = elementwise(
    "gudermannian gd", "u", "= atan(sinh(u))", "sech(u)",
    rule="Gudermannian", tex=r"\operatorname{gd}", doc="turns hyperbolic into circular functions", example="gudermannian(1)",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _row() -> Iterator[None]:
    table = dict(rules.TABLE)
    rules.add(ROW)
    yield
    rules.TABLE.clear()
    rules.TABLE.update(table)
    rules.forget()


def _gd(x: float, order: int = 0) -> float:
    with mp.workdps(40):
        return float(mp.diff(lambda t: mp.atan(mp.sinh(t)), mpf(x), order))


def test_value_both_modes_and_orders() -> None:
    for mode in ("reverse", "forward", "both"):
        answer = autodiff.evaluate("2gudermannian(x^2)", {"x": 0.5}, mode=mode)
        assert answer.value == pytest.approx(2 * _gd(0.25), rel=1e-14)
        assert answer.gradient["x"] == pytest.approx(2 / math.cosh(0.25), rel=1e-14)
    answer = autodiff.evaluate("gd(x)", {"x": 0.5}, order=4)
    assert answer.derivatives == pytest.approx([_gd(0.5, order) for order in (1, 2, 3, 4)], rel=1e-12)
    assert autodiff.hessian("gd(x*y)", {"x": 0.5, "y": 1.0}).rows["x"]["x"] == pytest.approx(_gd(0.5, 2), rel=1e-12)


def test_the_name_is_taken_now_and_free_afterwards() -> None:
    with pytest.raises(ValueError, match="in the table already"):
        rules.add(ROW)


def test_a_text_that_was_read_before_is_read_anew() -> None:
    """k(x) is a product where k has a value, until k is a function."""
    point = {"k": 3.0, "x": 2.0}
    assert autodiff.evaluate("k(x)", point).value == 6
    rules.add(elementwise("k", "u", "= u^2", "2*u", rule="square", doc="the square of u", example="k(2)"))
    assert autodiff.evaluate("k(x)", {"x": 2.0}).value == 4
    with pytest.raises(autodiff.AutodiffError, match="'k' is not an input"):
        autodiff.evaluate("k(x)", point)


def test_balls() -> None:
    answer = autodiff.evaluate("gudermannian(x)", {"x": 0.5}, digits=30)
    with mp.workdps(40):
        assert str(answer.value) == mp.nstr(mp.atan(mp.sinh(mpf("0.5"))), 30)
        assert str(answer.gradient["x"]) == mp.nstr(1 / mp.cosh(mpf("0.5")), 30)


def test_arrays_rows_and_compiled_functions() -> None:
    x = np.linspace(-1.0, 2.0, 20_001)
    slopes = 1 / np.cosh(x)
    answer = autodiff.evaluate("sum(gudermannian(x))", {"x": x})
    assert np.allclose(answer.gradient["x"], slopes, rtol=1e-14)
    value, gradient = autodiff.compile("y*gudermannian(x)")(x=x, y=2.0)
    assert np.allclose(value, 2 * np.arctan(np.sinh(x)), rtol=1e-14, atol=1e-300)
    assert np.allclose(gradient["x"], 2 * slopes, rtol=1e-14)
    done = command.autodiff("eval", "gudermannian(x)", "--data", "-", stdin=b"x\n0.5\n1\n")
    rows = [[float(cell) for cell in line.split(",")[:2]] for line in done.out.splitlines()[1:3]]
    assert rows == [pytest.approx([_gd(x), 1 / math.cosh(x)], rel=1e-14) for x in (0.5, 1.0)]


def test_symbols_and_latex() -> None:
    assert str(autodiff.derivative("gudermannian(x^2)", "x")) == "2*x*sech(x^2)"
    assert r"\operatorname{gd}\left(x\right)" in command.autodiff("export", "gudermannian(x)", "--to", "latex").out


@pytest.mark.parametrize("target", TARGETS)
def test_every_export(target: str) -> None:
    source = command.autodiff("export", "gudermannian(x)", "--to", target).out
    assert "sech" in source or "exp" in source.lower()
    if target in ("python", "numpy"):
        names: dict[str, object] = {}
        exec(source, names)
        value, (slope,) = names["value_and_gradient"](0.5)  # type: ignore[operator]
        assert (float(value), float(slope)) == pytest.approx((_gd(0.5), 1 / math.cosh(0.5)), rel=1e-14)


def test_explanation_listing_and_check() -> None:
    shown = command.autodiff("explain", "gudermannian(x^2)", "--at", "x=0.5").out
    assert "Gudermannian rule" in shown
    assert "sech(" in shown
    (listed,) = json.loads(command.autodiff("functions", "gd", "--format", "json").out)
    assert listed["slopes"] == {"u": "sech(u)"}
    assert command.autodiff("check", "gudermannian(x^2)", "2x*sech(x^2)", "--wrt", "x").status == 0
