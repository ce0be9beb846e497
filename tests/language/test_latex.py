"""LaTeX formulas are read right or refused, none wrong: `latex.txt` says of each what it is in the first language."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

import autodiff
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError, Translation
from autodiff.language import generate
from tests.support.command import autodiff as command

LISTED = [
    tuple(part.strip() for part in line.rsplit(" | ", 1))
    for line in (Path(__file__).parent / "latex.txt").read_text(encoding="utf-8").splitlines()
    if " | " in line and not line.startswith("#")
]


def test_the_tables_are_what_lark_makes_of_the_grammar() -> None:
    written = Path(generate.__file__).with_name("latex.lalr").read_text(encoding="utf-8")
    assert generate.tables("latex") == written, "stale: run python -m autodiff.language.generate"


def test_there_are_enough_formulas() -> None:
    assert len({formula for formula, _ in LISTED}) >= 600


@pytest.mark.parametrize(("formula", "meaning"), LISTED, ids=[formula for formula, _ in LISTED])
def test_a_formula_is_read_right_or_refused(formula: str, meaning: str) -> None:
    if meaning == "refused":
        with pytest.raises(AutodiffError) as refused:
            lower(autodiff.parse(formula))
        assert refused.value.hint
        return
    program, expected = autodiff.parse(formula), autodiff.parse(meaning)
    names = {*lower(program).inputs, *lower(expected).inputs}
    chance = random.Random(formula)
    for _ in range(3):
        point = {name: chance.uniform(0.1, 0.9) for name in sorted(names)}
        values = []
        for one in (program, expected):
            inputs = lower(one).inputs
            values.append(autodiff.evaluate(one.source, {n: v for n, v in point.items() if n in inputs}).value)
        assert values[0] == pytest.approx(values[1], rel=1e-12, abs=1e-12)


def test_the_reading_is_a_notice_and_strict_refuses_it() -> None:
    ended = command("diff", r"\frac{1}{x}")
    assert ended.out == "-1/x^2\n"
    assert ended.err.startswith(r"notice: \frac{1}{x} is read as 1/x")
    assert command("diff", r"\frac{1}{x}", "--strict").status == 2


DOUBTFUL = {
    "1/2x": "1/2x is read as (1/2)*x",
    "1/2(x+1)": "1/2(x+1) is read as (1/2)*(x+1)",
    "e^2x": "e^2x is read as (e^2)*x",
    "x^1/2": "x^1/2 is read as (x^1)/2",
    "x^m/n": "x^m/n is read as (x^m)/n",
    r"\operatorname{std}(x)": "std(…) is read as the one that divides by n, not n - 1",
    r"\sin x": r"\sin x is read as sin(x)",
    r"\sin x^2": r"\sin x^2 is read as sin(x^2)",
    r"\sin{x}^2": r"\sin{x}^2 is read as sin({x}^2)",
    r"\sin x/2": r"\sin x/2 is read as sin(x)/2",
    r"\ln x y": r"\ln x y is read as ln(x y)",
    r"\tanh x y": r"\tanh x y is read as tanh(x y)",
    r"\sin xy": r"\sin xy is read as sin(xy)",
    r"\cos(y) + \sin 2 x \cos(x)": r"\sin 2 x is read as sin(2 x)",
    r"\ln 2x": r"\ln 2x is read as ln(2x)",
    r"\log_2 x y": r"\log_2 x y is read as log_2(x y)",
    r"\sin^2 x y": r"\sin^2 x y is read as sin(x y)^2",
    r"\sin^{2} x": r"\sin^{2} x is read as sin(x)^2",
    r"\sin^{-1}(x)": r"\sin^{-1}(x) is read as asin(x)",
    r"\tan^{-1} x": r"\tan^{-1} x is read as atan(x)",
    r"\sqrt2x": r"\sqrt2x is read as sqrt(2)x",
    "x(2+1)": "x(2 + 1) is read as x*(2 + 1)",
    r"\Phi(x)": "Phi is read as normcdf",
    r"\varphi(x)": "phi is read as normpdf",
    r"\psi(x)": "psi is read as digamma",
}
"""What is doubtful in the first language, too, and the first notice of it."""


@pytest.mark.parametrize(("formula", "notice"), DOUBTFUL.items())
def test_what_is_doubtful_in_latex_is_a_notice_and_strict_shows_it_in_the_formula(formula: str, notice: str) -> None:
    words = ["diff", formula, "--syntax", "latex", "--wrt", "x"]
    assert f"notice: {notice}\n" in command(*words).err
    strict = command(*words, "--strict")
    assert (strict.status, strict.out) == (2, "")
    assert f"doubtful: {notice}\n    {formula}\n" in strict.err


@pytest.mark.parametrize(
    "formula",
    [r"\frac{1}{2}x", "e^{2}x", "x^{1}/2", "x^{n}/2", r"\sqrt{2}x", r"\sin(x)^2", "xy", r"\sigma(x)", "J_0(x)", "1/2"],
)
def test_what_has_one_reading_in_latex_is_silent(formula: str) -> None:
    assert "doubtful" not in command("diff", formula, "--syntax", "latex", "--wrt", "x", "--strict").err


@pytest.mark.parametrize(
    ("formula", "marked"),
    [(r"y + \frac{1}{x-2}", r"\frac{1}{x-2}"), (r"y + \frac{1}{x-\mathrm{foo}}", r"\mathrm{foo}")],
)
def test_an_error_is_shown_in_the_formula(formula: str, marked: str) -> None:
    shown = command("eval", formula, "--at", "x=2,y=1").err.splitlines()
    carets = " " * (4 + formula.index(marked)) + "^" * len(marked)
    assert [f"    {formula}", carets] == shown[-2:] or [f"    {formula}", carets] == shown[-3:-1]


@pytest.mark.parametrize(
    ("plain", "latex", "meaning"),
    [("Φ(x)", r"\Phi(x)", "normcdf(x)"), ("φ(x)", r"\varphi(x)", "normpdf(x)"), ("σ(x)", r"\sigma(x)", "sigmoid(x)")],
)
def test_a_letter_of_custom_is_one_function_in_both(plain: str, latex: str, meaning: str) -> None:
    expected = autodiff.evaluate(meaning, {"x": 0.3}).value
    assert autodiff.evaluate(plain, {"x": 0.3}).value == autodiff.evaluate(latex, {"x": 0.3}).value == expected
    assert str(autodiff.derivative("φ x", "x")) == "φ"


def test_a_reading_that_is_repeated_is_said_of_its_first_place() -> None:
    first, second = autodiff.parse(r"x+\Phi(x)+\Phi(x)").readings
    assert (first.span, second.text, second.span) == ((0, 17), "Phi", (2, 6))


def test_latex_in_a_comment_makes_no_program_latex() -> None:
    assert autodiff.evaluate(r"y = x^2 # as in \frac{1}{2} x_{1}", {"x": 3.0}).value == 9


def test_an_answer_may_be_latex() -> None:
    assert command("check", r"\frac{1}{x}", r"-\frac{1}{x^{2}}").out.startswith("yes")
    assert command("check", "1/x", r"y' = -\frac{1}{x^{2}}").out.startswith("yes")


def test_syntax_is_asked_for() -> None:
    assert command("diff", "xy", "--syntax", "latex", "--wrt", "x", "--strict").out == "y\n"
    assert command("check", "xy", "y", "--syntax", "latex", "--wrt", "x").out.startswith("yes")
    assert command("diff", r"\frac{1}{x}", "--syntax", "plain").status == 2
    assert command("diff", r"\int x", "--syntax", "latex").status == 2


@pytest.mark.parametrize(
    ("formula", "slope"),
    [
        (r"\frac{d}{dx} x^2", "2*x"),
        (r"\frac{\mathrm{d}}{\mathrm{d}x}\left(x^{2}\right)", "2*x"),
        (r"\dfrac{\partial}{\partial x} xy", "y"),
        (r"\frac{d}{d\theta}\left[\sin\theta\right]", "cos(theta)"),
        (r"\frac{\partial}{\partial x_1} x_1^2 x_2", "2*x_1*x_2"),
        (r"y = x^2; \frac{dy}{dx}", "2*x"),
    ],
)
def test_a_derivative_in_latex_is_what_diff_prints(formula: str, slope: str) -> None:
    assert command("diff", formula).out == f"{slope}\n"
    assert r"\," not in command("diff", formula).err
    assert command("eval", formula, "--at", "x=1").status == 2


def test_an_answer_may_begin_with_a_derivative_in_latex() -> None:
    assert command("check", "x^2*y", r"\frac{\partial f}{\partial x} = 2xy").out.startswith("yes")
    assert command("check", "y = x^2", r"\frac{dy}{dx} = 3x").out.startswith("no")


def test_the_place_of_each_of_many_readings_is_searched_for_among_few() -> None:
    class Counted(list[tuple[int, int, tuple[int, int]]]):
        looks = 0

        def __getitem__(self, key: object) -> object:  # type: ignore[override]
            Counted.looks += 1
            return super().__getitem__(key)  # type: ignore[call-overload]

    names = ["".join(letters) for letters in itertools.product("bcfgh", repeat=4)]
    program = autodiff.parse("+".join(rf"\mathrm{{{name}}}" for name in names))
    assert [reading.text for reading in program.readings[1:]] == names
    source = program.source
    assert isinstance(source, Translation)
    source.places = Counted(source.places)
    for start, end, _ in [*source.places]:
        source.span_of((start, end))
    assert Counted.looks < 100 * len(names)
