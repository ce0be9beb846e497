"""`check` knows a derivative in whatever form it is written, and which slip made a wrong one."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import pytest

from autodiff.core import rules, templates
from autodiff.core.lowering import lower
from autodiff.core.rules import functions
from autodiff.errors import AutodiffError
from autodiff.grading.compare import compare
from autodiff.grading.diagnose import _Change, _first
from autodiff.grading.mistakes import mistakes
from autodiff.grading.sampling import points
from autodiff.language.parser import parse
from autodiff.verify.error_bound import bounded
from autodiff.verify.rounding import Unsure
from tests.support.command import autodiff

RIGHT = [
    ("x^2", "2x"), ("x^2", "x + x"), ("x^2", "2*(x + 1) - 2"), ("x*x*x", "3x^2"), ("(x + 1)^2", "2x + 2"),
    ("(x + 1)^3", "3x^2 + 6x + 3"), ("(2x - 1)^4", "8*(2x - 1)^3"), ("1/x", "-1/x^2"), ("1/x", "-x^-2"), ("1/x", "-(1/x)*(1/x)"),
    ("sqrt(x)", "1/(2*sqrt(x))"), ("sqrt(x)", "0.5*x^-0.5"), ("sqrt(x)", "sqrt(x)/(2x)"), ("x^1.5", "3*sqrt(x)/2"),
    ("cbrt(x)", "cbrt(x)/(3x)"), ("sin(x^2)", "2x*cos(x^2)"), ("sin(x)^2", "sin(2x)"), ("sin(x)^2", "2*sin(x)*cos(x)"),
    ("cos(x)^2", "-sin(2x)"), ("sin(x)*cos(x)", "cos(2x)"), ("sin(x)*cos(x)", "1 - 2*sin(x)^2"), ("tan(x)", "1 + tan(x)^2"),
    ("tan(x)", "1/cos(x)^2"), ("tan(x)", "sec(x)^2"), ("sec(x)", "sin(x)/cos(x)^2"), ("cot(x)", "-1 - cot(x)^2"),
    ("exp(x)", "e^x"), ("exp(2x)", "2*exp(x)^2"), ("exp(x^2)", "2x*e^(x^2)"), ("exp(-x)", "-1/exp(x)"), ("2^x", "ln(2)*2^x"),
    ("2^x", "ln(2)*exp(x*ln(2))"), ("x^x", "x^x*(1 + ln(x))"), ("ln(3x)", "1/x"), ("ln(x^2)", "2/x"), ("ln(x^2 + 1)", "2x/(1 + x^2)"),
    ("ln(x)/x", "(1 - ln(x))/x^2"), ("x*ln(x) - x", "ln(x)"), ("x*exp(x)", "(x + 1)*exp(x)"), ("x^2*exp(x)", "x*exp(x)*(x + 2)"),
    ("sin(x)/x", "(x*cos(x) - sin(x))/x^2"), ("x/(x + 1)", "1/(x + 1)^2"), ("x/(x + 1)", "1/(x^2 + 2x + 1)"),
    ("(x^2 - 1)/(x - 1)", "1"), ("atan(x)", "1/(x^2 + 1)"), ("asin(x)", "(1 - x^2)^-0.5"), ("acos(x)", "-1/sqrt(1 - x^2)"),
    ("sinh(x)", "(e^x + e^-x)/2"), ("cosh(x)", "(e^x - e^-x)/2"), ("tanh(x)", "1 - tanh(x)^2"), ("tanh(x)", "1/cosh(x)^2"),
    ("sigmoid(x)", "sigmoid(x)*(1 - sigmoid(x))"), ("1/(1 + e^-x)", "e^-x/(1 + e^-x)^2"), ("1/(1 + e^-x)", "f*(1 - f)"),
    ("softplus(x)", "1/(1 + exp(-x))"), ("erf(x)", "2/sqrt(pi)*exp(-x^2)"), ("abs(x)", "x/abs(x)"), ("abs(x)", "sign(x)"),
    ("if(x > 0, x^2, -x)", "if(x <= 0, -1, 2x)"), ("max(x, 2)", "if(x > 2, 1, 0)"), ("y = x^2; z = sin(y)", "cos(y)*2x"),
    ("y = x^2; z = sin(y)", "dy = 2x; dy*cos(y)"), ("g(t) = t^2 + 1; g(x)^3", "6x*g(x)^2"), ("sin(x)^2 + cos(x)^2", "0"),
    ("x - x", "0"), ("2*cos(x)*sin(x)*3", "6*cos(2x)"), ("2*cos(x)*x", "2*cos(x) - 2x*sin(x)"), ("ln(sqrt(x))", "0.5/x"),
    ("floor(x)", "0"), ("x^5/5 - x^3/3", "x^2*(x - 1)*(x + 1)"), ("0.1*x^3", "0.3x^2"), ("gelu(x)", "0.5*(1 + erf(x/sqrt(2))) + x*exp(-x^2/2)/sqrt(2*pi)"),
]  # fmt: skip

WRONG = [
    ("sin(x^2)", "cos(x^2)", "inner derivative"), ("sin(3x)", "cos(3x)", "inner derivative"), ("exp(2x)", "exp(2x)", ""),
    ("exp(x^2)", "exp(x^2)", ""), ("ln(x^2 + 1)", "1/(x^2 + 1)", "inner derivative"), ("(2x + 1)^5", "5*(2x + 1)^4", "inner derivative"),
    ("sqrt(x^2 + 1)", "1/(2*sqrt(x^2 + 1))", "inner derivative"), ("sin(x)^2", "2*sin(x)", "inner derivative"), ("cos(x^3)", "-sin(x^3)", "inner derivative"),
    ("sin(exp(x))", "cos(exp(x))", "inner derivative"), ("2^(3x)", "2^(3x)*ln(2)", "inner derivative"),
    ("exp(sin(x^2))", "exp(sin(x^2))*cos(x^2)", "inner derivative"), ("tan(5x)", "sec(5x)^2", "inner derivative"),
    ("sin(x^2)", "cos(x)*2x", "inner function"), ("sin(x^2)", "cos(2x)*2x", "inner function"), ("cos(3x)", "-3*sin(x)", "inner function"),
    ("ln(x^2 + 1)", "2x/x", "inner function"), ("exp(x^2)", "2x*exp(x)", "inner function"), ("(x^2 + 1)^3", "3x^2*2x", "inner function"),
    ("exp(x^2)", "2x*exp(2x)", "inner function"), ("exp(sin(x^2))", "exp(sin(x))*cos(x^2)*2x", "inner function"), ("sin(x^2)", "cos(2x)", "inner function"),
    ("sqrt(3x)", "3/(2*sqrt(x))", "inner function"),
    ("x*sin(x)", "cos(x)", "product rule"), ("x^2*exp(x)", "2x*exp(x)", "product rule"), ("x*ln(x)", "ln(x) - 1", "product rule"),
    ("x*exp(x)", "exp(x)*(x - 1)", "product rule"), ("x^2*sin(x)", "2x*cos(x)", "product rule"), ("x^2*sin(x)", "x^2*cos(x)", "product rule"),
    ("sin(x)*cos(x)", "-cos(x)*sin(x)", "product rule"), ("x^3*ln(x)", "3x^2*ln(x)", "product rule"),
    ("sin(x)/x", "(sin(x) - x*cos(x))/x^2", "quotient rule"), ("sin(x)/x", "(x*cos(x) - sin(x))/x", "quotient rule"),
    ("sin(x)/x", "cos(x)", "quotient rule"), ("x/(x + 1)", "(2x + 1)/(x + 1)^2", "quotient rule"), ("ln(x)/x", "(1 + ln(x))/x^2", "quotient rule"),
    ("exp(x)/x^2", "exp(x)/(2x)", "quotient rule"), ("x^2/(x^2 + 1)", "2x*(x^2 + 1) - x^2*2x", "quotient rule"), ("1/(x^2 + 1)", "2x/(x^2 + 1)^2", "sign"),
    ("1/(x^2 + 1)", "-1/(x^2 + 1)^2", "quotient rule"), ("cos(x)/x", "-sin(x)/x", "quotient rule"),
    ("cos(x)", "sin(x)", "sign"), ("x^2 - sin(x)", "2x + cos(x)", "sign"), ("exp(-x)", "exp(-x)", ""), ("-x^3", "3x^2", "sign"),
    ("cos(x)*3", "3*sin(x)", "sign"), ("x^3 - x", "3x^2 + 1", "sign"), ("acos(x)", "1/sqrt(1 - x^2)", "sign"), ("cot(x)", "csc(x)^2", "sign"),
    ("x^3", "3x^3", "exponent"), ("x^5", "5x^6", "exponent"), ("x^4 + x", "4x^4 + 1", "exponent"), ("(x + 1)^3", "2*(x + 1)^2", "exponent"), ("x^-2", "-2x^-1", "exponent"),
    ("5x^2", "2x", "constant factor"), ("x^3", "x^2", "constant factor"), ("3*sin(x)", "cos(x)", "constant factor"), ("2^x", "2^x", ""),
    ("sin(x)/4", "cos(x)", "constant factor"), ("x^2 + 5", "2x + 5", "constant term"), ("x^2 + 5", "2x + 1", "constant term"),
    ("sin(x)", "-cos(x)", "sign"), ("ln(x)", "1/x^2", "wrong rule"), ("tan(x)", "sec(x)*tan(x)", "wrong rule"), ("exp(x)", "x*e^(x - 1)", "wrong rule"),
    ("2^x", "x*2^(x - 1)", "wrong rule"), ("sqrt(x)", "1/sqrt(x)", "wrong rule"), ("atan(x)", "1/(1 - x^2)", "wrong rule"), ("asin(x)", "1/(1 + x^2)", "wrong rule"),
    ("x^x", "x*x^(x - 1)", "wrong rule"), ("sinh(x)", "-cosh(x)", "sign"), ("ln(x)", "exp(x)", "wrong rule"), ("tan(x)", "cot(x)", "wrong rule"),
    ("sin(x^2)", "cos(x^2)*x^2", ""), ("x*y^2", "0", ""), ("sin(x*y)", "cos(x*y)", "inner derivative"), ("x^2*y", "2x", "constant factor"),
]  # fmt: skip
"""Program, an answer with one slip, the kind of slip; "" where one slip has more than one fair name."""


def test_both_kinds_have_enough_cases() -> None:
    assert len(RIGHT) >= 60
    assert len(WRONG) >= 60
    assert sum(bool(kind) for _, _, kind in WRONG) >= 50


@pytest.mark.parametrize(("program", "answer"), RIGHT)
def test_a_right_answer_is_right_however_it_is_written(program: str, answer: str) -> None:
    found = compare(program, answer, "x")
    assert (found.verdict, found.at) == ("yes", {}), found


@pytest.mark.parametrize(("program", "answer", "kind"), WRONG)
def test_a_slip_is_named(program: str, answer: str, kind: str) -> None:
    found = compare(program, answer, "x")
    assert found.verdict == "no"
    assert found.at
    assert found.derivative != found.answer
    assert found.second is None
    assert found.slip is not None, "no slip was named"
    assert kind in ("", found.slip.kind), found.slip


@pytest.mark.parametrize(
    ("program", "answer", "message"),
    [
        ("ln(x^2)", "2/sqrt(x)^2", "the same where both are defined; at x = -1 the derivative is -2 and the answer has no value"),
        ("2*ln(x)", "2/x", "at x = -1 the answer has a value, -2, and the program has none"),
        ("x^2", "2*x^2/x", "at x = 0 the derivative is 0 and the answer has no value"),
    ],
)  # fmt: skip
def test_domains_that_differ_are_reported(program: str, answer: str, message: str) -> None:
    found = compare(program, answer, "x")
    assert found.verdict == "yes"
    assert any(message in note for note in found.notes), found.notes


def test_the_same_domain_needs_no_note() -> None:
    assert compare("x^2", "2x", "x").notes == ()
    assert compare("ln(x^2)", "2/x", "x").notes == ()


def test_an_answer_without_a_value_where_the_derivative_is_is_wrong() -> None:
    found = compare("ln(x)", "1/sqrt(-x)", "x")
    assert (found.verdict, found.derivative, found.answer) == ("no", 1.0, None)
    assert "answer     no value" in autodiff("check", "ln(x)", "1/sqrt(-x)").out


@pytest.mark.parametrize(
    ("program", "answer", "kinds"),
    [
        ("x^2*sin(x^3)", "2x*sin(x^3) - x^2*cos(x^3)", {"sign", "product rule", "inner derivative"}),
        ("5*sin(x^2)", "cos(x)*2x", {"constant factor", "inner function"}),
        ("sin(x^2)/x", "(sin(x^2) - x*cos(x^2))/x^2", {"quotient rule", "inner derivative"}),
    ],
)
def test_two_slips_are_both_named(program: str, answer: str, kinds: set[str]) -> None:
    found = compare(program, answer, "x")
    assert found.slip is not None
    assert found.second is not None
    assert {found.slip.kind, found.second.kind} <= kinds
    assert "no single slip explains it, two together do:" in autodiff("check", program, answer).out


@pytest.mark.parametrize(
    ("program", "answer", "kinds", "words"),
    [
        ("sin(x^2 + 3x)", "cos(x^2 + 3x)*2x + 3", ["inner derivative"], "brackets"),
        ("sin(x^2 + 3x)", "2x + 3cos(x^2 + 3x)", ["inner derivative"], "brackets"),
        ("sqrt(x^2 - 4x + 1)", "1/(2sqrt(x^2 - 4x + 1))*2x - 4", ["inner derivative"], "brackets"),
        ("exp(x^3 + x^2 - x)", "exp(x^3 + x^2 - x)*3x^2 + 2x - 1", ["inner derivative"], "brackets"),
        ("acos(2x)", "-2/sqrt(1 - 2x^2)", ["inner function"], "the square is taken of the variable alone"),
        ("atan(3x)", "3/(1 + 3x^2)", ["inner function"], "the square is taken of the variable alone"),
        ("(2x)^3", "6x^2", ["inner function"], "the power is taken of the variable alone"),
        ("x^2*y^3", "2x*y^3 + 3x^2*y^2", ["other variable"], "y is a constant here"),
        ("x*y*z", "y*z + x*z + x*y", ["other variable"], "y and z are constants here"),
        ("x*y^2", "2x*y", ["other variable"], "this is the derivative by y"),
        ("x^2*y^3", "2x*3y^2", ["other variable", "product rule"], "y is a constant here"),
        ("x^2/3", "0.666667x", ["constant factor"], "a constant is rounded"),
        ("1/x", "1/x^2", ["sign"], "(c/v)' = -c*v'/v^2"),
        ("sin(30)", "cos(30)", ["constant term"], "a constant's derivative is 0"),
        ("pi^2", "2pi", ["constant term"], "a constant's derivative is 0"),
    ],
)
def test_slips_of_brackets_other_names_and_constants(program: str, answer: str, kinds: list[str], words: str) -> None:
    found = compare(program, answer, "x")
    assert [slip.kind for slip in (found.slip, found.second) if slip is not None] == kinds
    assert found.slip is not None
    assert words in found.slip.why


def test_a_constant_has_the_derivative_0_by_any_name() -> None:
    assert compare("5", "0", "x").verdict == "yes"
    assert compare("pi^2", "2x", "x").verdict == "no"
    with pytest.raises(AutodiffError, match="no such name"):
        compare("x^2", "0", "y")


def test_what_no_slip_explains_is_not_explained() -> None:
    found = compare("sin(x)*exp(x)", "x^7 + 3*cosh(x)", "x")
    assert (found.verdict, found.slip) == ("no", None)
    assert "no single slip explains it, nor do two" in autodiff("check", "sin(x)*exp(x)", "x^7 + 3*cosh(x)").out


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("sin(x)", "cos(x) + 1e-14"),  # the mistaken rule that gives cos(x) is the right one
        ("sqrt(x^2)", "1"),  # -1 times the derivative where they differ, but not where they agree
        ("max(x, 0)", "1"),
    ],
)
def test_a_slip_that_does_not_make_the_whole_answer_is_not_named(program: str, answer: str) -> None:
    found = compare(program, answer)
    assert (found.verdict, found.slip) == ("no", None)


def test_a_slip_in_one_use_of_a_shared_part_is_found() -> None:
    found = compare("sin(x^2)*exp(x^2)", "cos(x^2)*exp(x^2) + sin(x^2)*exp(x^2)*2x", "x")
    assert found.slip is not None
    assert (found.slip.kind, found.slip.where) == ("inner derivative", "sin(x^2)")


def test_a_tiny_difference_is_a_difference_and_rounding_is_none() -> None:
    assert compare("x^3", "3.0000001*x^2", "x").verdict == "no"
    assert compare("1e-20*x", "0", "x").verdict == "no"
    assert compare("(x - 1)^8", "8x^7 - 56x^6 + 168x^5 - 280x^4 + 280x^3 - 168x^2 + 56x - 8", "x").verdict == "yes"
    assert compare("(x - 1)^8", "8x^7 - 56x^6 + 168x^5 - 280x^4 + 280x^3 - 168x^2 + 56.0001x - 8", "x").verdict == "no"


def test_what_cannot_be_decided_is_not_guessed() -> None:
    nowhere = "no point was found where the program has a derivative"
    found = compare("ln(-1 - x^2)", "2", "x")
    assert (found.verdict, found.why) == ("undecided", nowhere)
    assert autodiff("check", "ln(-1 - x^2)", "2").status == 3
    assert nowhere in compare("0*ln(-1 - x^2)", "0", "x").notes


def test_a_special_case_at_a_single_number_is_noticed() -> None:
    assert compare("x^2", "if(x == 17.25, 0, 2x)", "x").at == {"x": 17.25}
    assert compare("x^2", "if(x > 17.25, 0, 2x)", "x").at["x"] > 17.25
    assert compare("if(x > 1000, x, 0)", "0", "x").at["x"] > 1000


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("abs(x + 30)", "1"), ("abs(x - 30)", "-1"), ("abs(2x + 60)", "2"), ("max(x, -25)", "1"), ("sqrt(x^2 + 40x + 400)", "1"),
        ("x^2", "2x*sign(x + 5000)"), ("x^2/2", "relu(x + 400) - 400"), ("x^2/2", "x*heaviside(x + 40)"), ("x^2", "if(x > -37.5, 2x, 3x)"),
        ("abs(ln(x) + 9)", "1/x"), ("abs(x + exp(10))", "1"), ("abs(x*y + 1e5)", "y"), ("x^2*y", "2x*abs(y + 70) - 140x"),
    ],
)  # fmt: skip
def test_a_corner_far_from_zero_is_noticed(program: str, answer: str) -> None:
    """The answer is right on one side of the corner, where all small numbers lie."""
    assert compare(program, answer, "x").verdict == "no"


def test_the_point_is_one_that_can_be_checked_by_hand() -> None:
    assert compare("sin(x^2)", "cos(x^2)", "x").at == {"x": 1.0}
    assert compare("x^2 + y^2", "2x + y", "x").at == {"x": 1.0, "y": 2.0}


def test_points_are_the_same_every_time_and_neighbours_differ() -> None:
    once, twice = (list(points(["x", "y"], {5.0}, 50)) for _ in range(2))
    assert once == twice
    assert sum(p["x"] == p["y"] for p in once) < 5


def test_by_an_assigned_name() -> None:
    assert compare("y = x^2; sin(y)*x", "cos(y)*x", "y").verdict == "yes"
    assert compare("y = x^2; sin(y)*x", "cos(y)", "y").verdict == "no"


@pytest.mark.parametrize(
    "text", ["x^2 + 0.1", "1 - cos(x)", "(x + 1e8) - 1e8", "sin(1e5*x)", "exp(x) - 1 - x", "x^30 - 3", "ln(1 + x)"]
)
def test_the_bound_holds_the_true_value(text: str) -> None:
    from mpmath import mp, mpf

    from tests.support.programs import value_in_digits

    lowered = lower(parse(text, functions()))
    with mp.workdps(60):
        for x in (0.3, 1e-5, 2.0, 17.1):
            ball = bounded(lowered, {"x": x})
            true = value_in_digits(lowered, {"x": mpf(x)})
            if "0.1" in text:
                true += mpf("0.1") - mpf(0.1)
            assert abs(true - mpf(ball.value)) <= 4 * ball.error
            assert ball.error < 1e-7 * max(1, abs(ball.value))


def test_a_condition_within_rounding_is_not_decided() -> None:
    lowered = lower(parse("if(sin(x)^2 + cos(x)^2 > 1, 1, 2)", functions()))
    with pytest.raises(Unsure):
        bounded(lowered, {"x": 0.3})
    with pytest.raises(Unsure):
        bounded(lower(parse("sqrt(1 - sin(x)^2 - cos(x)^2)", functions())), {"x": 2.0})


def test_json_says_the_same() -> None:
    ended = autodiff("check", "sin(x^2)", "cos(x)*2x", "--wrt", "x", "--format", "json")
    data = json.loads(ended.out)
    assert ended.status == 1
    assert (data["verdict"], data["wrt"], data["at"]) == ("no", "x", {"x": 2.0})
    assert math.isclose(data["derivative"], 4 * math.cos(4))
    assert math.isclose(data["answer"], 4 * math.cos(2))
    assert data["slips"][0]["kind"] == "inner function"
    assert data["slips"][0]["span"] == [0, 8]
    assert json.loads(autodiff("check", "x^2", "2x", "--format", "json").out) == {"verdict": "yes", "wrt": "x", "method": "symbols", "agreed": 40}  # fmt: skip


def test_a_minus_in_front_is_no_option() -> None:
    assert autodiff("check", "-x^2", "-2x").status == 0
    assert autodiff("check", "-x^2", "2x", "--wrt", "x").status == 1
    assert autodiff("check", "x^-2", "-2/x^3").status == 0


def test_the_program_may_come_from_stdin() -> None:
    assert autodiff("check", "-", "2x", stdin=b"x^2").status == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x*y", "x"], "by which name is the answer a derivative? The program's inputs are x, y"),
        (["x*y", "z", "--wrt", "x"], "the answer has 'z', which the program does not have"),
        (["y = x^2; sin(y)", "y = 3; y"], "'y' has a meaning in the program already"),
        (["x^2"], "no answer to check"),
        (["x^2", "2x +"], "an operand is missing after '+'"),
        (["a = 3", "0"], "the program has no inputs to differentiate by"),
    ],
)
def test_a_mistake_in_the_question_is_reported(args: list[str], message: str) -> None:
    ended = autodiff("check", *args)
    assert ended.status == 2
    assert message in ended.err
    assert ended.out == ""


def test_a_long_program_is_checked_in_reasonable_time() -> None:
    long = " + ".join(f"sin({k}x)" for k in range(1, 400))
    right = " + ".join(f"{k}*cos({k}x)" for k in range(1, 400))
    assert compare(long, right, "x").verdict == "yes"
    assert compare(long, right + " + cos(7x)", "x").verdict == "no"


def test_the_bound_of_a_row_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    compiled = templates.compiled

    def counted(text: str, params: tuple[str, ...]) -> templates.Number:
        made.append(text)
        return compiled(text, params)

    monkeypatch.setattr(templates, "compiled", counted)
    bounded(lower(parse(" + ".join(f"tan({k}x)" for k in range(1, 60)), functions())), {"x": 0.3})
    assert len(made) < 20


def test_no_more_mistakes_are_made_up_than_tried() -> None:
    sine = next(mistakes(rules.TABLE["sin", 1], (True,), (True,)))
    endless = (_Change((0, None), replace(sine, rare=bool(i % 2))) for i in itertools.count())
    frequent, rare = _first(endless, 3)
    assert (len(frequent), len(rare)) == (3, 3)


def test_all_errors_are_autodiff_errors() -> None:
    with pytest.raises(AutodiffError):
        compare("x^2", "2*q", "x")


def test_a_quotient_that_is_1_has_a_derivative() -> None:
    compared = compare("sin(x)/sin(x)", "0")
    assert compared.verdict == "yes"
    assert not [note for note in compared.notes if "no point" in note]


def test_a_value_without_a_derivative_is_no_missing_value() -> None:
    notes = compare("betainc(2, 3, x)", "12x(1 - x)^2").notes
    assert not [note for note in notes if "the program has none" in note]
    (note,) = compare("ln(x)", "1/x").notes
    assert note.startswith("at x = -1 the answer has a value, -1, and the program has none")
