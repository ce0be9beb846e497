"""The commonest slips of learners are named, by the rule that they break, and no rule is named that has nothing to do with it."""

from __future__ import annotations

import pytest

from autodiff.grading.compare import compare
from autodiff.grading.missing_brackets import bracketed
from tests.support.command import autodiff


@pytest.mark.parametrize(
    ("program", "answer", "kind", "words"),
    [
        ("e^(2x)", "2x*e^(2x - 1)", "wrong rule", "this is the rule of u^n"), ("e^(x^2)", "x^2*e^(x^2 - 1)", "wrong rule", "the rule of u^n, and the inner derivative is missing"),
        ("exp(3x)", "3*3x*exp(3x - 1)", "wrong rule", "this is the rule of u^n: (e^u)'"), ("2^(3x)", "3x*2^(3x - 1)", "wrong rule", "the rule of u^n, and the inner"),
        ("3x^2 + 5x - 7", "6x + 5x", "term not differentiated", "the second term is kept"), ("sin(x) + x^2", "sin(x) + 2x", "term not differentiated", "the first term is kept"),
        ("(2x + 1)^5", "10x*(2x + 1)^4", "term not differentiated", "the product is kept"), ("cos(x)^3", "-3*sin(x)^2", "inner function", "the power is taken of the inner derivative u'"),
        ("log10(x)", "ln(10)/x", "wrong rule", "not ln(10)/u"), ("log2(x)", "ln(2)/x", "wrong rule", "not ln(2)/u"),
        ("asin(x)", "1/sqrt(x^2 - 1)", "sign", "with its terms swapped the answer is right"), ("acosh(x)", "1/sqrt(1 - x^2)", "sign", "with its terms swapped"),
        ("sqrt(1 - x^2)", "-x*(x^2 - 1)^(-1/2)", "sign", "with its terms swapped"),
        ("sin(x)^2", "cos(x)^2", "inner function", "only what is inside the power is differentiated"), ("sin(w*x + p)", "w*cos(w*x)", "inner function", "taken at u without its last term"),
        ("sqrt(x^2 + 1)", "x", "wrong rule", "the derivative of sqrt(u) is not 1/2"),
        ("(2x + 1)^3", "6*(2x)^2", "inner function", "without its last term"), ("x^5", "4x^5", "exponent", "lowered as the factor, not above"), ("x^n", "(n - 1)*x^n", "exponent", "lowered as the factor"),
        ("5x", "x", "term not differentiated", "the constant factor is lost, and the other one is not differentiated"), ("x*sqrt(x + 1)", "sqrt(x + 1) + 1/(2sqrt(x + 1))", "product rule", "the second part lacks the factor u"),
        ("ln(sin(x))", "tan(x)", "wrong rule", "upside down"), ("tanh(x)", "1 + tanh(x)^2", "wrong rule", "is not 1+tanh(u)^2"), ("tanh(x)", "-(1 + tanh(x)^2)", "wrong rule", "is not -(1+tanh(u)^2)"), ("sigmoid(x)", "sigmoid(x)*(1 + sigmoid(x))", "sign", "a sign within the rule"),
        ("cbrt(x)", "1/3*x^(2/3)", "wrong rule", "is not cbrt(u)^2/3"), ("x^(1/5)", "1/5*x^(4/5)", "exponent", "n - 1, not 1 - n"), ("x/(x + 1)", "x/(x + 1)^2", "quotient rule", "only the second part of the numerator"),
        ("1/(2x + 1)", "ln(2x + 1)/2", "wrong rule", "an antiderivative"), ("ln(x)", "x*ln(x) - x", "wrong rule", "an antiderivative"), ("e^x", "e", "exponent", "the exponent is lost"), ("2^x", "2", "exponent", "the exponent is lost"),
        ("(2x)^3", "24x", "exponent", "the derivative divided by x"), ("sin(x) + x^3", "x*cos(x) + 3x^3", "exponent", "x times the derivative"),
    ],
)  # fmt: skip
def test_a_common_slip_is_named(program: str, answer: str, kind: str, words: str) -> None:
    compared = compare(program, answer, "x")
    assert compared.verdict == "no"
    assert compared.slip is not None
    assert (compared.slip.kind, compared.second) == (kind, None)
    assert words in compared.slip.why


@pytest.mark.parametrize(
    ("program", "answer", "words"),
    [
        ("ceil(x)*x", "floor(x)", "-1/u"), ("besselj(0, x)", "besselj(1, x)", "none"), ("cos(x)^3", "3*cos(x)^2*sin(x)", "a^u"),
        ("floor(x)*x", "floor(x) + 3", "a constant's derivative"),
    ],
)  # fmt: skip
def test_no_absurd_rule_is_named(program: str, answer: str, words: str) -> None:
    compared = compare(program, answer, "x")
    assert compared.verdict == "no"
    assert words not in (compared.slip.why if compared.slip else "")


def test_an_answer_without_any_value_has_a_line_about_the_slip() -> None:
    assert "slip       no single slip explains it" in autodiff("check", "ln(x)", "1/sqrt(-x)").out


def test_a_variable_that_no_branch_taken_has_is_no_factor() -> None:
    ended = autodiff("check", "u = if(y < Ai(y), x, y); y + u", "f'(x) = x")
    assert (ended.status, "no single slip explains it" in ended.out) == (1, True), ended


@pytest.mark.parametrize(
    ("program", "answer", "meant"),
    [
        ("atan(x)", "1/1+x^2", "1/(1+x^2)"), ("sqrt(x)", "1/2sqrt(x)", "1/(2sqrt(x))"), ("e^(2x)", "2e^2x", "2e^(2x)"),
        ("sqrt(x)", "1/2*x^-1/2", "1/2*x^(-1/2)"), ("x/(x + 1)", "1/x+1^2", "1/(x+1)^2"),
        ("x^2/(x - 1)", "(2x*(x-1) - x^2)/x-1^2", "(2x*(x-1) - x^2)/(x-1)^2"), ("asin(x)", "1/sqrt(1-x)(1+x)", None), ("x^3", "3x", None),
        ("y*x^2 - 3*x", "2*x*y - 3 + 1", None),
    ],
)  # fmt: skip
def test_brackets_that_were_not_typed_are_named(program: str, answer: str, meant: str | None) -> None:
    compared = compare(program, answer, "x")
    assert compared.verdict == "no"
    named = compared.slip is not None and compared.slip.kind == "missing brackets"
    assert named == (meant is not None), compared
    assert compared.slip is None or meant is None or compared.slip.why.endswith(f"right: {meant}")


@pytest.mark.parametrize(
    ("program", "answer", "words", "never"),
    [("tan(x)", "csc(x)^2", "is not csc(u)^2", "--"), ("sin(x)^2", "2cos(x)", "at the inner derivative u'", "lowered by 2")],
)  # fmt: skip
def test_a_wrong_rule_is_written_as_people_write_it(program: str, answer: str, words: str, never: str) -> None:
    slip = compare(program, answer, "x").slip
    assert slip is not None
    assert words in slip.why
    assert never not in slip.why


@pytest.mark.parametrize(
    ("answer", "tried"),
    [
        ("x + 1/2", ["(x + 1)/2"]), ("2*x - 1", ["2*(x - 1)"]),
        ("a/b*c + d", ["a/(b*c) + d", "a/(b*c + d)", "a/b*(c + d)", "(a/b)*c + d"]),
    ],
)  # fmt: skip
def test_each_pair_of_brackets_that_may_be_missing_is_tried(answer: str, tried: list[str]) -> None:
    assert list(bracketed(answer)) == tried
