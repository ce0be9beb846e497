"""The commonest slips of learners are named, by the rule that they break, and no rule is named that has nothing to do with it."""

from __future__ import annotations

import pytest

from autodiff.grading.compare import compare
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
