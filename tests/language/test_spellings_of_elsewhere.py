"""What pupils and people of other systems type gets its meaning, a notice, or an error that says what to write."""

from __future__ import annotations

import math

import pytest

import autodiff as library
from autodiff.api.inputs import parse_point
from autodiff.language.ast import Reading
from tests.support.command import autodiff

HINTS = {
    ("eval", "3,5*x"): "write 3.5",
    ("eval", "2 1/2"): "for a mixed number",
    ("eval", "1 000*x"): "write 1000 without a blank",
    ("eval", "1'000*x"): "without a sign between them",
    ("eval", "[1 2]*x"): "a comma in an array",
    ("eval", "=x^2"): "leave it out at the start",
    ("eval", "2x."): "leave it out at the end",
    ("eval", "6:2"): "write / for a quotient",
    ("eval", "x → x^2"): "a function is f(x) = …",
    ("eval", "¬x"): "write `not`",
    ("eval", "if x > 0 then x else -x"): "write if(condition, u, v)",
    ("eval", "Log[2, x]"): "'Log' is called with round brackets",
    ("eval", "D[x^2, x]"): "autodiff diff",
    ("eval", "PI()*x"): "pi is a constant, not a function",
    ("eval", "POWER(x, 2)"): "write u^v",
    ("eval", "WURZEL(x)"): "write sqrt(x)",
    ("eval", "E^x", "--at", "x=3"): "did you mean the constant e?",
    ("eval", "x times y", "--at", "x=3,y=2"): "did you mean the operator *?",
    ("eval", "x hoch 2"): "write the operator ^",
    ("eval", "x squared", "--at", "x=3"): "did you mean the power ^2?",
    ("eval", "2x3", "--at", "x=3"): "did you mean x^3?",
    ("eval", "3*e^2", "--wrt", "e"): "add --at e=VALUE",
    ("eval", "x^2, x=3"): 'write autodiff eval "x^2" --at x=3',
    ("eval", "x^2 for x=3"): 'write autodiff eval "x^2" --at x=3',
    ("eval", "x^2 | x=3"): 'write autodiff eval "x^2" --at x=3',
    ("eval", "x^2 /. x -> 3"): 'write autodiff eval "x^2" --at x=3',
    ("eval", "3x10^8", "--at", "x=1"): "did you mean *10?",
    ("eval", "sum(x)", "--at", "x=[1;2]"): "elements are separated by commas",
    ("eval", "surd(x, 3)"): "write x^(1/3)",
    ("eval", "root(y, n)"): "write y^(1/n)",
    ("eval", "root(x + 1, 3)"): "write u^(1/v)",
    ("eval", "a mod b"): "write mod(a, b)",
    ("eval", "5 nCr 2"): "write binomial(5, 2)",
    ("eval", "C(n, k)"): "write binomial(u, v)",
    ("eval", "J_0(x)"): "write besselj(0, x)",
    ("eval", "xsin(x)"): "did you mean x*sin(…)?",
    ("eval", "loge(x)"): "write ln(x)",
    ("eval", "sind(x)"): "write sin(rad(x))",
    ("eval", "acosd(x)"): "write deg(acos(x))",
    ("eval", "cospi(x)"): "write cos(pi*x)",
    ("eval", "INT(x)"): "write floor(x)",
    ("eval", "rem(x, 3)"): "write fmod(x, 3)",
    ("eval", "copysign(x, y)"): "write abs(x)*sign(y)",
    ("eval", "j0(x)"): "write besselj(0, x)",
    ("eval", "besselJ(x, 2)"): "write besselj(2, x)",
    ("eval", "dsqrt(x)"): "write sqrt(x)",
    ("eval", "LOG(x)"): "write log10(x), which it is in spreadsheets, or ln(x)",
    ("eval", "x.sum()"): "a function stands before its argument",
    ("eval", "1.000,5x"): "write 1000.5",
    ("eval", "1,000x"): "write 1.000, or 1000 for digits in groups",
    ("eval", "0,125x"): "write 0.125\n",
    ("eval", "e⁻ˣ"): "write a power with ^",
    ("eval", "\u2223x\u2223"): "write |x|",
    ("eval", "d/dx(x²)|x=3"): 'write autodiff eval "(x²)" --at x=3',
    ("eval", "3 at 4"): 'write autodiff eval "3" --at x=4',
    ("eval", "at 4"): 'write autodiff eval "PROGRAM" --at x=4',
    ("eval", "x^2", "--at", "x=1,000"): "write 1.000, or 1000 for digits in groups",
    ("eval", "x^2", "--at", "x=1.000,5"): "write 1000.5",
    ("eval", "x^2", "--at", "x=30 deg"): "90 degrees are rad(90)",
    ("eval", "x^2", "--at", "x=4.7k"): "write a power of ten for a thousand, as in 4.7e3",
    ("eval", "x^2", "--at", "x=10u"): "write a power of ten for a millionth",
    ("eval", "x^2", "--at", "x=2x10^3"): "did you mean *10?",
    ("eval", "x^2", "--at", "x=1.5d0"): "a power of ten as in 1.5e3",
    ("eval", "x^2", "--at", "x=2+3i"): "there are no complex numbers here",
    ("eval", "x^2", "--at", "x=-inf"): "infinity is not a number here",
    ("eval", "x^2", "--at", "x=PI/2"): "did you mean the constant pi?",
    ("train", "(w-3)^2", "--params", "w=sqrt2"): "did you mean sqrt(2)?",
    ("eval", "d/dx sin(x)"): 'autodiff diff "sin(x)" --wrt x',
    ("eval", "1{,}500x"): "write 1.500, or 1500 for digits in groups",
    ("eval", "x^2", "--at", "x:5"): "write x=VALUE",
    ("eval", "x^2", "--at", "x='5'"): "leave the quotes out",
    ("eval", "x^2", "--at", "x=5 +- 0.1"): "write 5 alone",
    ("eval", "x^2", "--at", "x->5"): "write x=VALUE",
    ("eval", "x^2", "--at", "x==5"): "write x=VALUE",
    ("eval", "x^2", "--at", "x 5"): "write x=5",
    ("eval", "x^2", "--at", "x=1,5"): "a decimal point is '.'",
    ("diff", "d²/dx² x^3"): "--wrt x --order 2",
    ("diff", "d^2/dx^2 x^3"): "--wrt x --order 2",
    ("plot", "x^2", "--range", "x=-2...2"): "write two: x=-2..2",
    ("check", "x^2", "2x + C"): "a derivative has none",
    ("check", "x^3", "3x2"): "did you mean x^2?",
    ("check", "e^x", "ex"): "did you mean e*x?",
    ("check", "x^2", "2x dx"): "leave dx out",
    ("check", "sin(x)", "cosx"): "\n    cosx\n    ^^^^\n  did you mean cos(x)?",
    ("check", "sin(x)", "cos"): "write cos(…)",
    ("check", "x^2", ""): "the answer is empty",
}


@pytest.mark.parametrize(("words", "hint"), HINTS.items(), ids=[" ".join(words) for words in HINTS])
def test_an_error_says_what_to_write(words: tuple[str, ...], hint: str) -> None:
    ended = autodiff(*words)
    assert (ended.status, ended.out) == (2, "")
    assert hint in ended.err


NOTICES = {
    ("eval", "[x+1]^2", "--at", "x=3"): "[x+1] is read as an array of one number, not a bracket",
    (
        "eval",
        "solve(x^2 - 1, x)",
        "--at",
        "x=3",
    ): "solve(…) is read as the x with A @ x = b, not the roots of an equation",
    ("eval", "log(2, x)", "--at", "x=3"): "log(2, x…) is read as the logarithm of 2, its base last",
    ("diff", "x times y", "--wrt", "x"): "times is read as an input of that name, not the operator *",
    ("diff", "x^2 dx", "--wrt", "x"): "dx is read as an input of that name, not a differential",
    ("eval", "expint(x)", "--at", "x=1"): "expint is read as Ei",
    ("eval", "tgamma(x)", "--at", "x=1"): "tgamma is read as gamma",
    ("eval", "20*log(x)", "--at", "x=3"): "log(…) is read as the natural logarithm; to base 10 it is log10(…)",
    ("eval", "100 - 20%"): "% is read as a hundredth, u/100",
    ("eval", "x^2", "--at", "x=1/2pi"): "1/2pi is read as (1/2)*pi",
    ("eval", "x^2", "--at", "x=sin 30°"): "sin 30° is read as sin(30°)",
    ("eval", "x^2", "--at", "x=tg(1)"): "tg is read as tan",
    ("explain", "x^2", "--at", "x=1/2pi"): "1/2pi is read as (1/2)*pi",
    ("eval", "x*y", "--at", "x=1,y=2", "--jvp", "x=1/2pi"): "1/2pi is read as (1/2)*pi",
    ("train", "(w-3)^2", "--params", "w=1/2pi", "--epochs", "1", "-q"): "1/2pi is read as (1/2)*pi",
    ("plot", "x^2", "--range", "x=0..1", "--at", "x=1/3pi"): "1/3pi is read as (1/3)*pi",
    ("check", "x^2", "x*2 = 2x"): "x*2 = 2x is read as its last part, 2x",
    ("check", "x^2", "y' = 2*x^1 = 2x"): "2*x^1 = 2x is read as its last part, 2x",
}


@pytest.mark.parametrize(("words", "notice"), NOTICES.items(), ids=[" ".join(words) for words in NOTICES])
def test_a_doubtful_spelling_is_a_notice_and_strict_refuses_it(words: tuple[str, ...], notice: str) -> None:
    assert f"notice: {notice}\n" in autodiff(*words).err
    strict = autodiff(*words, "--strict")
    assert (strict.status, strict.out) == (2, "")
    assert f"doubtful: {notice}" in strict.err


@pytest.mark.parametrize(
    "program", ["sum([x])", "log(x, 2)", "log(8, 2)", "x + x1", "[x, 1]^2", "max(x, 2)", "x - 20%*y", "20%*x"]
)
def test_what_has_one_meaning_is_silent(program: str) -> None:
    assert library.parse(program, strict=True).readings == ()


@pytest.mark.parametrize("left", ["= ", "(x^2)' = ", "d/dx x^2 = ", "f\u00b4(x) = ", "y` = "])
def test_an_answer_begins_as_pupils_write_it(left: str) -> None:
    assert autodiff("check", "x^2", f"{left}2x").out.startswith("yes")
    assert autodiff("check", "x^2", f"{left}3x").out.startswith("no")


def test_the_last_part_of_an_answer_is_judged() -> None:
    assert autodiff("check", "x^2", "2*x^1 = 3x").out.startswith("no")
    assert autodiff("check", "x^2", "y = 2x").err == ""


def test_the_derivative_of_a_number_is_zero() -> None:
    assert autodiff("check", "5", "0").out.startswith("yes")
    assert autodiff("check", "5", "1").out.startswith("no")


BY_A_CONSTANT = {
    ("diff", "3*e^2", "--wrt", "e"): "6*e\n",
    ("diff", "pi*r^2", "--wrt", "pi"): "r^2\n",
    ("check", "3*e^2", "6*e", "--wrt", "e"): "yes",
    ("explain", "3*e^2", "--wrt", "e"): "df/de",
    ("graph", "3*e^2", "--wrt", "e"): "2·e",
    ("export", "3*e^2", "--wrt", "e", "--to", "c"): "df_de",
}


@pytest.mark.parametrize(("words", "shown"), BY_A_CONSTANT.items(), ids=[" ".join(words) for words in BY_A_CONSTANT])
def test_a_name_to_differentiate_by_wins_over_a_constant(words: tuple[str, ...], shown: str) -> None:
    ended = autodiff(*words)
    assert shown in ended.out
    assert ended.err.count("is read as the input") == 1
    assert autodiff(*words, "--strict").status == 2


def test_a_comparison_is_a_number() -> None:
    assert autodiff("eval", "x >= 0", "--at", "x=-3", "-q").out == "0 0\n"
    assert type(library.evaluate("x >= 0", {"x": 3.0}).value) is float


POINTS = {
    r"\theta=2": {"theta": 2.0},
    r"x=\frac{1}{2}": {"x": 0.5},
    r"x=\sqrt{4},y=[1, 2]": {"x": 2.0, "y": [1.0, 2.0]},
    "x=10^{-3}": {"x": 0.001},
    r"x_{1}=2\,\pi,\,n=3": {"x_1": 2 * math.pi, "n": 3.0},
    "x=1{,}5": {"x": 1.5},
    r"rate=\frac12": {"rate": 0.5},
}


@pytest.mark.parametrize(("text", "point"), POINTS.items())
def test_points_in_latex_are_read_and_noted(text: str, point: dict[str, float | list[float]]) -> None:
    readings = list[Reading]()
    read = {
        name: getattr(value, "tolist", lambda value=value: value)()
        for name, value in parse_point(text, readings=readings).items()
    }
    assert read == pytest.approx(point) if "y" not in point else read == point
    assert [reading.text for reading in readings] == [text]


def test_latex_that_is_doubtful_as_a_whole_is_noted_once() -> None:
    assert autodiff("eval", r"\sin 2x", "--at", "x=1").err == "notice: \\sin 2x is read as sin(2*x)\n"
