"""Numbers below 2.2e-308: no answer that they spoil is printed, one by one or over arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import pytest

from autodiff.api.evaluate import evaluate, parse
from autodiff.api.inputs import parse_point
from autodiff.api.matrices import hessian
from autodiff.core.evaluate import Trace
from autodiff.core.lowering import lower
from autodiff.core.rules import TABLE
from autodiff.verify import digits, exact_sides
from tests.support.command import autodiff

CASES = {
    ("f(t) = 1/(1 + e^-t); f(x)", -400.0): lambda x: 1 / (1 + mpmath.exp(-x)),
    ("f(t) = 1/(1 + e^-t); f(x)", -365.0): lambda x: 1 / (1 + mpmath.exp(-x)),
    ("f(t) = 1/(1 + e^-t); f(x)", -370.0): lambda x: 1 / (1 + mpmath.exp(-x)),
    ("1/(1 + exp(x))", 400.0): lambda x: 1 / (1 + mpmath.exp(x)),
    ("1/cosh(x)", 400.0): lambda x: 1 / mpmath.cosh(x),
    ("1/(1 + 2^(1/x))", 1e-3): lambda x: 1 / (1 + mpmath.mpf(2) ** (1 / x)),
    ("exp(-x)*exp(-x)*exp(x)", 400.0): lambda x: mpmath.exp(-x),
    ("exp(-x)*exp(-x)*exp(x)*exp(x) + x", 400.0): lambda x: 1 + x,
    ("ln(exp(-x))", 1000.0): lambda x: -x,
    ("ln(x^2)", 1e-200): lambda x: 2 * mpmath.log(x),
    ("sqrt(x^2)", 1e-200): lambda x: x,
    ("(x*1e-300)*1e300", 1e-20): lambda x: x * mpmath.mpf(1e-300) * mpmath.mpf(1e300),
    ("sin(exp(-x))*exp(x/2)*exp(x/2)", 800.0): lambda x: mpmath.mpf(1),
    ("sinh(exp(-x))*exp(x/2)*exp(x/2)", 800.0): lambda x: mpmath.mpf(1),
    ("erfc(x)*exp(x^2/2)*exp(x^2/2)", 28.0): lambda x: mpmath.erfc(x) * mpmath.exp(x * x),
    ("gaussian(x)*exp(x^2/3)*exp(x^2/2)", 28.0): lambda x: mpmath.exp(-x * x / 6),
    ("logistic_loss(1, x)*exp(700)", 800.0): lambda x: mpmath.log1p(mpmath.exp(-x)) * mpmath.exp(700),
    ("sigmoid(-x)/sigmoid(5 - x)", 800.0): lambda x: (1 + mpmath.exp(x - 5)) / (1 + mpmath.exp(x)),
    ("if(exp(-x) > 0, x, 2*x)", 800.0): lambda x: x,
    ("abs(exp(-x))*exp(x/2)*exp(x/2)", 800.0): lambda x: mpmath.mpf(1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "x"), CASES)
def test_what_underflow_would_spoil_is_right(text: str, x: float) -> None:
    with mpmath.workdps(60):
        true = float(CASES[text, x](mpmath.mpf(x)))
    with mpmath.workdps(1200):
        slope = float(mpmath.diff(CASES[text, x], mpmath.mpf(x), h=mpmath.mpf(x) * mpmath.mpf(10) ** -400))
    for mode in ("reverse", "forward", "both"):
        found = evaluate(text, {"x": x}, mode=mode)
        assert found.status == "ok"
        assert found.value == pytest.approx(true, rel=1e-13)
        assert found.gradient["x"] == pytest.approx(slope, rel=1e-13, abs=1e-40 if "exp(x/2)" in text else 0)
        assert found.checked


def test_a_note_reports_that_float64_is_not_enough() -> None:
    assert evaluate("ln(exp(-x))", {"x": 1000.0}).notes == (
        "a number on the way leaves the range of float64; these digits are proven (128 bits)",
    )
    assert "float64 would give df/dx = 0 here" in evaluate("1/(1 + exp(x))", {"x": 400.0}).notes[0]


def test_what_is_beyond_float64_overflows_and_is_no_matter_of_domains() -> None:
    found = evaluate("1/exp(-x)", {"x": 1000.0})
    assert (found.status, found.value) == ("overflow", None)
    assert "overflows" in found.why


def test_a_true_zero_stays_what_it_is() -> None:
    assert evaluate("1/(x*y)", {"x": 0.0, "y": 1e-200}).status == "domain"
    assert evaluate("ln(x)", {"x": 0.0}).status == "domain"
    assert evaluate("abs(x*y)", {"x": 0.0, "y": 3.0}).status == "corner"


@pytest.mark.parametrize(
    "text", ["exp(-x)", "exp(-x^2)", "softplus(-x)", "1 + exp(-x)", "sigmoid(-x)", "gelu(-x)", "tanh(x)"]
)
def test_an_underflow_that_does_not_change_the_result_is_no_error(text: str) -> None:
    found = evaluate(text, {"x": 900.0})
    assert found.status == "ok"
    assert all("which float64 rounds to 0" in note for note in found.notes)
    assert found.gradient["x"] == 0


def test_a_function_that_underflows_is_no_end() -> None:
    found = evaluate("gamma(x)*exp(300)*exp(500)", {"x": -180.5})
    with mpmath.workdps(40):
        true = mpmath.gamma(-180.5) * mpmath.exp(800)
        assert found.value == pytest.approx(float(true), rel=1e-15)
        assert found.gradient["x"] == pytest.approx(float(true * mpmath.psi(0, -180.5)), rel=1e-15)


def test_a_row_that_is_made_of_rows_that_keep_digits_keeps_them() -> None:
    np = pytest.importorskip("numpy")
    from autodiff.verify.random_rounding import faint, keeps

    assert all(keeps(TABLE[key]) for key in (("relu", 1), ("clamp", 3), ("max", 2)))
    assert not any(keeps(TABLE[key]) for key in (("*", 2), ("exp", 1), ("silu", 1)))
    product, numbers = TABLE["*", 2], [np.array([1e-200, 0.0, 1.0]), np.array([1e-120, 1e-120, 1.0])]
    assert faint(product, numbers, numbers[0] * numbers[1]).tolist() == [True, False, False]


@pytest.mark.parametrize("rows", [1, 40_000])
def test_rows_over_arrays_are_one_shots(rows: int) -> None:
    np = pytest.importorskip("numpy")
    from autodiff.batch.compile import compile as compiled

    for text, x in CASES:
        if rows > 1 and text.startswith("abs("):
            continue  # its slope is 0 in every row, by parts that cancel: each row takes balls
        program = compiled(text)
        at = np.full(14 * rows, 1.5)
        at[3] = x
        for _ in range(2 if rows > 1 else 1):  # then there is machine code, where LLVM is
            batch = program.batch(x=at)
        found, easy = evaluate(text, {"x": x}), evaluate(text, {"x": 1.5})
        assert batch.hard == {}
        for place, answer in ((3, found), (-1, easy)):
            numbers = batch.value[place], batch.gradient["x"][place]
            assert numbers == pytest.approx((answer.value, answer.gradient["x"]), rel=1e-10, abs=5e-324)


@pytest.mark.parametrize(
    ("text", "x", "second"), [("exp(-x)*exp(-x)*exp(x)", 400.0, math.exp(-400)), ("ln(exp(-x))", 1000.0, 0.0)]
)
def test_higher_derivatives_have_numbers_beyond_float64_on_their_way(text: str, x: float, second: float) -> None:
    found = evaluate(text, {"x": x}, order=2)
    assert found.status == "ok"
    assert found.derivatives == pytest.approx((found.gradient["x"], second), rel=1e-14)


def test_higher_derivatives_are_there_where_their_series_needs_no_small_numbers() -> None:
    found = evaluate("1/(1 + exp(x))", {"x": 400.0}, order=3)
    assert found.derivatives == pytest.approx([-math.exp(-400), math.exp(-400), -math.exp(-400)], rel=1e-13)


@pytest.mark.parametrize(
    ("text", "status"),
    [("sqrt(hypot(x, 2x))", "infinite"), ("hypot(x, 2x)^2", "ok"), ("cbrt(hypot(x, x^2))^3", "corner")],
)
def test_a_length_of_zeros_has_lost_no_digits(text: str, status: str) -> None:
    found = evaluate(text, {"x": 0.0})
    assert (found.value, found.status) == (0.0, status)
    assert "underflow" not in found.why


def test_a_slope_that_is_tiny_and_exact_has_lost_nothing() -> None:
    found = evaluate("cos(x)*1e300", {"x": 1e-310})
    assert (found.status, found.notes) == ("ok", ())
    assert found.gradient["x"] == pytest.approx(-1e-10, rel=1e-12)


@pytest.mark.parametrize("constant", ["5e-324", "1e-320", "2.3e-308", "-5e-324"])
def test_rows_of_a_program_with_a_subnormal_constant_equal_eval(constant: str) -> None:
    """Half an ulp of such a number is 0 in float64, and so is its product with the rounding unit."""
    for text in (f"u = {constant}; x + u", f"x*{constant}*1e300", f"({constant})^2*x"):
        value, slope = autodiff("eval", text, "--at", "x=2", "-q").out.split()
        assert autodiff("eval", text, "--data", "-", stdin=b"x\n2\n").out.splitlines()[1] == f"{value},{slope},ok"
        assert autodiff("eval", text, "--data", "-", stdin=b"x\n").out == "f,df/dx,status\n"


def test_a_second_derivative_halfway_between_two_numbers_is_one_of_them() -> None:
    """6x is such a number here, but for the other term, e^-319000: no precision decided, and steps larger than x gave 0."""
    x = 2.5832690810162524e-246
    matrix = hessian("x^3 + gaussian(lgamma(x))", {"x": x})
    assert matrix.status == "ok"
    assert matrix.rows["x"]["x"] == pytest.approx(6 * x, rel=1e-15, abs=0)


@pytest.mark.parametrize("size", ["1e-160", "1e-250", "1e-300"])
def test_sides_are_looked_at_nearer_than_the_numbers_of_the_program(size: str) -> None:
    """Steps of 2^-500 are larger than these numbers, and saw the other branch."""
    lowered = lower(parse(f"if(abs(x) < {size}, relu(x)*5, relu(x)*2 + 1)"))
    seen = exact_sides.verdict(lowered, {"x": 0.0}, lowered.graph.find("x") or 0)
    assert (seen.status, seen.left, seen.right) == ("corner", 0.0, 5.0)
    at = parse_point(f"x={size}")
    squared = lower(parse(f"abs(x - {size})*(x - {size})*x"))
    assert exact_sides.derivatives(squared, at, squared.graph.find("x") or 0, 1, 17) == ["0"]


@pytest.mark.parametrize("steep", ["cbrt(ln(1 + x))/(1 + exp(745))", "x^0.75*exp(-700)", "cbrt(x)*1e-300*1e-300"])
def test_a_steep_term_with_a_tiny_factor_is_steep_beside_terms_that_cancel(steep: str) -> None:
    assert evaluate(f"{steep} + x*(exp(y) - 1)/y", {"x": 0.0, "y": 1e-20}).status == "infinite"


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("abs(tanh(exp2(x)))", lambda x: mpmath.tanh(2**x)),
        ("exp2(x)/(1 + exp(exp2(x)))*2^20", lambda x: 2**x / (1 + mpmath.exp(2**x)) * 2**20),
    ],
)
def test_slopes_over_arrays_are_right_to_the_smallest_number(text: str, true: Callable[[Any], Any]) -> None:
    np = pytest.importorskip("numpy")
    x = np.linspace(8.49, 9.6, 60)
    answer = evaluate(f"sum({text})", {"x": x})
    assert answer.status == "ok"
    with mpmath.workdps(900):
        for number, slope in zip(x, answer.gradient["x"], strict=True):
            want = mpmath.diff(true, mpmath.mpf(float(number)), h=mpmath.mpf(10) ** -400)
            assert abs(mpmath.mpf(float(slope)) - want) <= abs(want) * mpmath.mpf("1e-12") + mpmath.mpf("5e-324")


class _Order(list[int]):
    """The order of a trace, which counts how often it is walked."""

    walks = 0

    def __iter__(self) -> Iterator[int]:
        _Order.walks += 1
        return super().__iter__()


def test_large_arrays_take_balls_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    np = pytest.importorskip("numpy")
    values = digits.values

    def counted(*args: Any, **options: Any) -> tuple[Trace, list[int]]:
        trace, special = values(*args, **options)
        return trace._replace(order=_Order(trace.order)), special

    monkeypatch.setattr(digits, "values", counted)
    walks = []
    for size in (100, 400):
        _Order.walks = 0
        assert evaluate("sum(exp(-x^2))", {"x": np.linspace(-40, 40, size)}).bits
        walks.append(_Order.walks)
    assert 0 < walks[0] == walks[1]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sum(exp(-x*x)*gelu(x))*1e-313", [0.999, 0.851]), ("sum(exp(-x*x)*atan(x))*1e-317", [1.023, 0.91]), ("dot(x, cos(x))*1e-190*1e-122", [1.59, 1.768]),
    ],
)  # fmt: skip
def test_elements_below_float64s_range_are_right_to_its_smallest_step(text: str, at: list[float]) -> None:
    found, proven = evaluate(text, {"x": at}), evaluate(text, {"x": at}, digits=25)
    pairs = zip([found.value, *found.gradient["x"]], [proven.value, *proven.gradient["x"]], strict=True)
    assert all(abs(mpmath.mpf(float(number)) - mpmath.mpf(str(true))) <= mpmath.mpf(5e-324) for number, true in pairs)
