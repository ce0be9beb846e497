"""An answer that differs from the derivative only far away, on a short stretch, at one point or by very little is wrong."""

from __future__ import annotations

import pytest

from autodiff.api.evaluate import parse
from autodiff.core.lowering import lower
from autodiff.grading.compare import compare
from autodiff.grading.line_search import grid, zeros
from autodiff.grading.places import places
from tests.support.command import autodiff


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("exp(x)", "exp(x) + exp(-(x - 50)^2)"), ("x^2", "2x + x^300*1e-320"), ("x^2", "2x + x^400/400!"), ("sin(x)", "cos(x) + exp(-(x + 90)^2)"),
        ("x^2", "2x + max(0, ln(x) - 15)"), ("x^2", "2x + relu(x - 1e9)"), ("x^2", "2x + max(0, x^3 - 1e15)"), ("x^2", "2x + relu(-1e7 - cbrt(x)*1e3)"),
        ("x^2", "2x + if(x > 1 and x < 1.0001, 1, 0)"), ("x^2", "2x + if(abs(x - 1.2345) < 1e-4, 1, 0)"), ("x^2", "2x + max(0, 1e-5 - abs(x - 2.2))"),
        ("x^2", "2x + if(x > pi and x < pi + 1e-6, 1, 0)"), ("x^2", "2x + if((x - 3.3)^2 < 1e-8, 1, 0)"), ("x*y^2", "y^2 + max(0, 1e-6 - abs(x*y - 7))"),
        ("x^2", "2x + (x == 77)"), ("x^2", "2x + (x == 0.1)"), ("x^2", "if(x == 3, 7, 2x)"), ("x^2", "2x + if(floor(x) == 12345, 1, 0)"),
    ],
)  # fmt: skip
def test_a_difference_is_noticed_wherever_it_is(program: str, answer: str) -> None:
    compared = compare(program, answer, "x")
    assert compared.verdict == "no"
    assert compared.at


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("x^2*y", "2x*y + if(x > 5 and y < -7, 1, 0)"), ("x^2*y", "2x*y + if(x > 50 and y < -70, 1, 0)"), ("x^2*y", "2x*y + if(x^2 + y^2 < 1e-4, 1, 0)"),
        ("x^2*y*z", "2x*y*z + if(x > 5 and y < -7 and z > 3, 1, 0)"), ("x^2*y", "2x*y + if((x - 3)^2 + (y - 5)^2 < 1e-6, 1, 0)"),
        ("x^2*y", "2x*y + if(x > 100 and x + y < -20, 1, 0)"), ("x^2*y", "2x*y + (x == 5)*(y == 7)"), ("x^2*y", "2x*y + relu(x - 40)*relu(-30 - y)"),
        ("x^2*y*z*w", "2x*y*z*w + if(x > 5 and y < -7 and z > 3 and w < -9, 1, 0)"), ("x^2*y", "2x*y + 1e-20*if(x > 5 and y < -7, 1, 0)"),
    ],
)  # fmt: skip
def test_conditions_on_several_names_are_met_together(program: str, answer: str) -> None:
    compared = compare(program, answer, "x")
    assert (compared.verdict, compared.slip) == ("no", None)


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("abs(x)", "tanh(1e9*x)"), ("abs(x)", "tanh(1e30*x)"), ("x^2", "2x + exp(-1e9*(ln(x) - 1)^2)"), ("x^2", "2x + exp(5 - 1e9*(ln(x) - 1)^2)"),
        ("x^2", "2x + sech(1e6*(x^2 - 2))"), ("x^2", "2x + 1 - tanh(1e8*(x^3 - 5))^2"), ("x^2*y", "2x*y + exp(-1e9*(x^2 + y^2))"),
        ("x^2", "2x + if(ln(x) < -500, 1, 0)"),
    ],
)  # fmt: skip
def test_a_narrow_difference_is_shown_where_it_is_large(program: str, answer: str) -> None:
    compared = compare(program, answer, "x")
    assert compared.verdict == "no"
    assert compared.derivative is not None
    assert compared.answer is not None
    assert abs(compared.derivative - compared.answer) > 0.1


def test_a_difference_beyond_large_numbers_is_noticed() -> None:
    assert compare("x^2", "2x + if(ln(x) > 700, 1, 0)", "x").notes == (
        "the two differ by 1, which does not show beside these numbers",
    )


@pytest.mark.parametrize(
    ("program", "answer", "words", "x"),
    [
        ("x^2", "2x + (x == pi)", "x = pi", 3.141592653589793), ("x^2", "2x + if(sin(x) == 1, 1, 0)", "sin(x) = 1", 1.5707963267948966), ("x^2", "2x + if(x^2 == 2, 1, 0)", "x^2 = 2", -1.4142135623730951),
        ("x^2", "2x + if(x^3 - x == 0.1, 1, 0)", "x^3 - x = 0.1", -0.10103125788101082), ("x^2", "2x + 1 - sign(x^2 - 2)^2", "x^2 - 2 = 0", -1.4142135623730951),
        ("x^2", "2x + if(x <= pi and x >= pi, 1, 0)", "x = pi", 3.141592653589793), ("x^2", "if(x != sqrt(3), 2x, 0)", "x = sqrt(3)", 1.7320508075688772),
        ("x^2*y", "2x*y + (x^2 == 2)*(y == 7)", "x^2 = 2", -1.4142135623730951), ("x^2", "2x + if((x^2 - 2)^2 == 0, 1, 0)", "(x^2 - 2)^2 = 0", -1.4142135623730951),
    ],
)  # fmt: skip
def test_an_equality_that_holds_at_a_number_between_float64_numbers_is_met(
    program: str, answer: str, words: str, x: float
) -> None:
    compared = compare(program, answer, "x")
    assert (compared.verdict, compared.at["x"]) == ("no", x)
    assert compared.notes == (f"the two differ where {words}: that is at a number beside this x, which is rounded",)


@pytest.mark.parametrize(
    ("program", "answer", "size"), [("x", "1 + 1e-17", "1e-17"), ("3x", "3 - 1e-25", "1e-25"), ("x*y", "y + 1e-30*y", "e-30")]
)  # fmt: skip
def test_typed_constants_are_exact(program: str, answer: str, size: str) -> None:
    compared = compare(program, answer, "x")
    assert (compared.verdict, compared.slip) == ("no", None)
    assert f"{size}, which does not show beside these numbers" in compared.notes[0]


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("atan(x) + atan(1/x)", "0"), ("asin(x) + acos(x)", "0"), ("ln(2x) - ln(x)", "0"), ("x*abs(x)", "2*abs(x)"), ("max(x, 1)^2", "2x*heaviside(x - 1)"),
        ("abs(x)^3", "3x*abs(x)"), ("floor(x)*x", "floor(x)"), ("0.1*x^3", "0.3*x^2"), ("x^3/3", "x^2"), ("if(x < 1, x^2, 2x - 1)", "min(2x, 2)"),
        ("x^3", "if(x^2 == 2, 6, 3x^2)"), ("max(x^2 - 2, 0)^2", "4x*max(x^2 - 2, 0)*(x^2 >= 2)"), ("abs(x^2 - 2)", "2x*sign(x^2 - 2)"), ("x^2", "2x + if(floor(x) == 2.5, 1, 0)"), ("x^2", "2x + if(sin(x) == 1.0000000001, 1, 0)"),
        ("exp(x)", "(exp(x/2))^2"), ("relu(x - 5)^2*relu(-7 - y)", "2*relu(x - 5)*relu(-7 - y)"), ("ln(cosh(1e9*x))", "1e9*tanh(1e9*x)"), ("abs(x)*y + x*abs(y)", "y*sign(x) + abs(y)"),
        ("sinh(x)", "(e^x + e^-x)/2"), ("relu(sin(x))", "if(sin(x) > 0, cos(x), 0)"), ("mod(x, 3)*x", "2x - 3*floor(x/3)"),
    ],
)  # fmt: skip
def test_right_answers_stay_right_at_special_points(program: str, answer: str) -> None:
    assert compare(program, answer, "x").verdict == "yes"


def test_points_lie_at_between_and_beside_special_points() -> None:
    values = [at["x"] for at in places([lower(parse("if(x > 2 and x < 2.001, 1, 0) + abs(exp(x) - 20)"))])]
    assert {2.0, 2.001} <= set(values)
    assert any(2 < value < 2.001 for value in values)
    assert any(value < 2 for value in values)
    assert any(abs(value - 2.995732273553991) < 1e-11 for value in values)


def test_a_smooth_formula_has_no_special_points() -> None:
    assert list(places([lower(parse("sin(x)^2*exp(x)"))])) == []


@pytest.mark.parametrize("program", ["u = (-1)^x; x + u", "u = x/(x - x); x + u"])
def test_a_place_at_the_end_of_float64_has_no_point_beyond(program: str) -> None:
    ended = autodiff("check", program, "if(x < 1.7e308, x, x)")
    assert ended.status in (1, 3), ended


def test_a_dip_through_half_of_the_largest_value_is_followed_between_the_points_of_a_grid() -> None:
    along = zeros(lambda x: 4 - 2.2 / (1 + (min(abs(x - 0.3), 1e9) / 0.05) ** 2), grid([]))
    assert {0.2842, 0.3158} <= {round(zero, 4) for zero, _ in along}
