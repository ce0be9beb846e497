"""Every number and formula of a slope says the same: beyond float64's range, and where other branches have other paths."""

from __future__ import annotations

import pytest

from tests.support.command import autodiff


@pytest.mark.parametrize(
    ("program", "at", "number"),
    [
        ("x/y", "x=1e-300,y=1e300", "-1.00000e-900"), ("x*y*z", "x=1e-200,y=1e-200,z=1e250", "1.00000e-400"),
        ("y = x^2; z = y*y; z*z*1e300", "x=1e-100", "8.00000e-400"),
    ],
)  # fmt: skip
def test_a_slope_beyond_float64_is_the_same_number_everywhere(program: str, at: str, number: str) -> None:
    for form in ("text", "markdown", "html", "latex"):
        out = autodiff("explain", program, "--at", at, "--format", form).out
        number_in_form = number.replace("-", "{-}") if form == "latex" else number.lstrip("-")
        assert out.count(number_in_form) >= 2
    backward, answer = autodiff("explain", program, "--at", at).out.split("BACKWARD")[1].split("ANSWER")
    assert number in backward
    assert f"= {number}" in answer.split("CHECKED")[0]
    assert "none" not in backward


def test_a_product_that_comes_back_into_range_has_its_number() -> None:
    out = autodiff("explain", "a = x^2; b = a*1e-250; c = b*1e-250; c*1e300", "--at", "x=1e-50").out
    assert "none" not in out


@pytest.mark.parametrize(
    ("program", "at", "formula"),
    [("y = x^2; if(y > 0, y^2, -x)", "x=1", "4x^3"), ("g = x*y; if(g > 0, g^2, x)", "x=1,y=2", "2x·y^2")],
)
def test_a_formula_of_other_paths_is_no_line_of_the_answer(program: str, at: str, formula: str) -> None:
    out = autodiff("explain", program, "--at", at, "--wrt", "x").out
    assert formula not in out.split("ANSWER")[1]


def test_a_formula_of_the_same_paths_stays() -> None:
    assert "(2x^2 if x > 0, else 1)" in autodiff("explain", "y = x^2; if(x > 0, y^2, y)", "--at", "x=1").out


@pytest.mark.parametrize(
    ("program", "at", "total"),
    [
        ("1e-200*x*1e-200*x", "x=3", "3.00000e-400 + 3.00000e-400 = 6.00000e-400"),
        ("exp(x)/exp(x+1)", "x=800", "0.36787944 + (-0.36787944) = 0"),
    ],
)  # fmt: skip
def test_paths_beyond_float64_add_up_to_the_answer(program: str, at: str, total: str) -> None:
    shown = autodiff("explain", program, "--at", at).out
    assert f"sum of the paths: {total}  df/dx" in shown


def test_the_title_says_which_element() -> None:
    assert autodiff("explain", "softmax(z)[1]", "--at", "z=[1,2,3]").out.startswith(" f = softmax(z)[1] ")
