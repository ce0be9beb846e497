"""Numbers that are computed behind --at are meant exactly, and special points are seen where exact numbers meet them."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import autodiff
from autodiff.api.inputs import parse_point


@pytest.mark.parametrize(
    ("program", "at", "value", "status"),
    [
        ("ceil(x)", "x=1.1*100", 110, "jump"),
        ("ceil(x)", "x=0.1*3*10", 3, "jump"),
        ("if(x<=3,1,2)", "x=0.1*3*10", 1, "jump"),
        ("1/x", "x=0.1+0.2-0.3", None, "domain"),
        ("x*1e20", "x=0.1+0.2-0.3", 0, "ok"),
        ("sign(x)", "x=1-0.9-0.1", 0, "jump"),
        ("abs(x)", "x=0.1+0.2-0.3", 0, "corner"),
        ("sqrt(x)", "x=0.3-0.1-0.2", 0, "infinite"),
        ("x", "x=1e16+1-1e16", 1, "ok"),
        ("1/x", "x=sin(pi)", None, "domain"),
        ("x", "x=cos(pi/2)", 0, "ok"),
        ("prod(1/x)", "x=[0.1+0.2-0.3, 1]", None, "domain"),
        ("floor(x-0.3)", "x=0.1+0.2", 0, "jump"),
        ("ceil(2.3-x)", "x=3*0.1", 2, "jump"),
        ("ceil(x)", "x=1000^(1/3)", 10, "jump"),
        ("tan(x)", "x=pi/2", None, "domain"),
        ("1 + sec(x)", "x=-3*pi/2", None, "domain"),
        ("cot(x)^2", "x=pi", None, "domain"),
        ("tan(rad(x))", "x=90", None, "domain"),
        ("tan(pi*x)", "x=0.5", None, "domain"),
    ],
)
def test_the_point_is_the_exact_number(program: str, at: str, value: float | None, status: str) -> None:
    answer = autodiff.evaluate(program, parse_point(at))
    assert (answer.value, answer.status) == (value, status)


def test_a_computed_point_is_shown_as_the_float64_nearest_to_it() -> None:
    assert parse_point("x=0.1+0.2,y=1/3,z=0.1*3-0.3") == {"x": 0.3, "y": 1 / 3, "z": 0.0}


@pytest.mark.parametrize("whole", [2**53 + 1, np.int64(2**53 + 1)])
def test_a_whole_number_beyond_float64_is_meant_exactly(whole: int) -> None:
    assert autodiff.evaluate("x - 9007199254740992", {"x": whole}).value == 1


@pytest.mark.parametrize("divisor", ["0.1", "0.2", "0.7", "1.1", "0.01", "1/3", "2.5"])
def test_remainders_of_typed_divisors(divisor: str) -> None:
    """mod(1, 0.1) is 0, not the 0.09999999999999995 of float64, in one-shots and rows."""
    chance, exact = random.Random(divisor), Fraction(divisor)
    compiled = autodiff.compile(f"mod(x, {divisor})")
    for _ in range(40):
        x = chance.choice([float(chance.randrange(1, 200)), chance.randrange(1, 2000) / 10, chance.randrange(800) / 8])
        true = float(Fraction(x) % exact)
        assert autodiff.evaluate(f"mod(x, {divisor})", {"x": x}).value == pytest.approx(true, rel=1e-12)
        rows, _ = compiled(x=np.full(40, x))
        assert math.isnan(rows[7]) or rows[7] == pytest.approx(true, rel=1e-10)


@pytest.mark.parametrize("program", ["floor(x/1.1)*x", "floor(x/0.1)*x", "ceil(x*0.1)*x", "round(x*1.1)*x"])
def test_steps_of_rows_are_not_decided_by_rounding(program: str) -> None:
    points = np.array([22.0, 9.9, 28.6, 3.3, 5.0, 10.0, 0.3, 45.0] * 8)
    rows, _ = autodiff.compile(program)(x=points)
    lone = [autodiff.evaluate(program, {"x": float(x)}).value for x in points[:8]]
    np.testing.assert_allclose(rows[:8], np.array(lone, float), rtol=1e-10)


@pytest.mark.parametrize(
    ("program", "x", "left", "right", "status"),
    [
        ("abs(if(floor(x)<5,x+1.3,x)-0.3)", "-1", -1, 1, "corner"),
        ("max(if(floor(x)<5,x+1.3,x),0.3)", "-1", 0, 1, "corner"),
        ("min(if(abs(x-0.1)<2,x+0.2,x),0.3)", "0.1", 1, 0, "corner"),
        ("max(abs(x-0.1)^2+x+0.2,0.3)", "0.1", 0, 1, "corner"),
        ("floor(if(max(x,0.1)<5,x+0.2,0)*10)", "0.1", 0, 0, "jump"),
        ("hardtanh(x+0.7)", "0.3", 1, 0, "corner"),
        ("min(if(floor(x)<2,x+0.3,x),0.4)", "0.1", 1, 0, "corner"),
    ],
)
def test_a_special_point_before_another_one_does_not_hide_it(
    program: str, x: str, left: float, right: float, status: str
) -> None:
    answer = autodiff.evaluate(program, parse_point(f"x={x}"))
    assert (answer.status, answer.one_sided) == (status, {"x": (left, right)})


@pytest.mark.parametrize(
    ("program", "x", "value", "slope"),
    [
        ("ln(normpdf(x))", 100.0, -5000.918938533205, -100.0),
        ("ln(gaussian(x))", 50.0, -2500.0, -100.0),
        ("normcdf(-x)/normpdf(x)", 700.0, 0.0014285685131373831, -2.0408038318642722e-06),
        ("ln(normcdf(x))", -60.0, -1805.0135606805673, 60.016657420241124),
        ("probit(normcdf(x))", -60.0, -60.0, 1.0),
    ],
)
def test_densities_far_out(program: str, x: float, value: float, slope: float) -> None:
    """Values by mpmath 1.3 with 60 digits."""
    answer = autodiff.evaluate(program, {"x": x})
    assert (answer.value, answer.gradient["x"]) == pytest.approx((value, slope), rel=1e-14)


@pytest.mark.parametrize("power", ["x^(2*3)", "n=2*3; x^n", "x^n"])
def test_a_slope_by_the_base_beside_cancelling_terms(power: str) -> None:
    """The base is negative, so that there is no slope by the exponent; that by the base is n*x^(n-1), times what cancels."""
    point = {"x": -2.0, "y": 1e-20} | ({"n": 6.0} if power == "x^n" else {})
    for text in (f"{power}*(exp(y)-1)/y", f"{power}*(1-cos(y))/y^2*2"):
        answer = autodiff.evaluate(text, point)
        assert (answer.value, answer.gradient["x"]) == pytest.approx((64, -192), rel=1e-12)
        assert float(autodiff.evaluate(text, point, digits=20).gradient["x"]) == pytest.approx(-192, rel=1e-12)
