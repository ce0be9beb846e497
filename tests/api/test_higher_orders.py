"""Higher orders: n-th derivatives, Hessians, Jacobians, products with them; and the status where they don't exist."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from mpmath import mpf

import autodiff as package
from autodiff.core import rules
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError
from autodiff.numbers import taylor
from tests.support.command import autodiff
from tests.support.programs import programs
from tests.support.reference import VALUES

ORDER = 20

ELEMENTARY: list[tuple[str, Callable[[Any], Any], list[float]]] = [
    ("exp(x)", mpmath.exp, [-3.0, 0.0, 1.5]),
    ("sin(x)", mpmath.sin, [-3.0, 0.0, 1.5, 100.0]),
    ("ln(1 + x)", lambda x: mpmath.log(1 + x), [-0.5, 0.0, 0.3, 2.5]),
    ("x^7", lambda x: x**7, [-2.0, 0.5, 3.0]),
    ("1/(1 - x)", lambda x: 1 / (1 - x), [-2.0, 0.0, 0.5, 3.0]),
    ("tan(x)", mpmath.tan, [-1.0, 0.0, 0.7]),
    ("cos(x)", mpmath.cos, [0.3, 2.0]),
    ("sqrt(x)", mpmath.sqrt, [0.3, 2.0]),
    ("x^2.5", lambda x: x ** mpf(2.5), [1.0, 0.4]),
    ("x^-3", lambda x: x**-3, [-1.5, 0.4]),
    ("2^x", lambda x: mpf(2) ** x, [0.4, 3.0]),
    ("asin(x)", mpmath.asin, [0.0, 0.4]),
    ("atan(x)", mpmath.atan, [0.0, 0.4]),
    ("sinh(x)", mpmath.sinh, [0.4]),
    ("tanh(x)", mpmath.tanh, [0.0, 0.4]),
    ("asinh(x)", mpmath.asinh, [0.0, 0.4]),
    ("erf(x)", mpmath.erf, [0.0, 0.4]),
    ("sigmoid(x)", lambda x: 1 / (1 + mpmath.exp(-x)), [0.0, 0.4]),
    ("exp(sin(x^2))", lambda x: mpmath.exp(mpmath.sin(x * x)), [0.4, 1.0]),
    ("x^x", lambda x: x**x, [0.4, 2.0]),
    ("sin(x)/x", lambda x: mpmath.sin(x) / x, [2.0, 5.0]),
]


def _true(function: Callable[[Any], Any], x: float) -> list[Any]:
    with mpmath.workdps(120):
        return [c * mpmath.factorial(m) for m, c in enumerate(mpmath.taylor(function, mpf(x), ORDER))]


@pytest.mark.parametrize(("text", "function", "points"), ELEMENTARY, ids=[text for text, *_ in ELEMENTARY])
def test_orders_to_twenty_agree_with_mpmath(text: str, function: Callable[[Any], Any], points: list[float]) -> None:
    for x in points:
        answer = package.evaluate(text, {"x": x}, order=ORDER)
        assert answer.status == "ok"
        for m, (got, true) in enumerate(zip(answer.derivatives, _true(function, x)[1:], strict=True), 1):
            assert got is not None
            assert math.isclose(got, float(true), rel_tol=1e-12, abs_tol=1e-15 * math.factorial(m)), (x, m, got, true)


@pytest.mark.parametrize("n", range(21))
def test_powers_at_0_are_exact_in_every_order(n: int) -> None:
    answer = package.evaluate(f"x^{n}", {"x": 0.0}, order=ORDER)
    expected = [float(math.factorial(n)) if m == n and n else 0.0 for m in range(1, ORDER + 1)]
    assert answer.status == "ok"
    assert list(answer.derivatives) == expected


@pytest.mark.parametrize("key", [k for k in VALUES if k.endswith(" 1") and k.split()[0].isidentifier()])
def test_every_function_has_a_series_where_it_is_smooth(key: str) -> None:
    name = key.split()[0]
    row = rules.TABLE[name, 1]
    x = 1.3 if row.name in ("acosh", "acoth", "asec", "acsc") else 0.3
    answer = package.evaluate(f"{name}(x)", {"x": x}, order=6)
    if row.is_predicate:
        return
    with mpmath.workdps(50):
        true = [mpmath.diff(VALUES[key], mpf(x), m, h=mpf(10) ** -10) if m else 0 for m in range(7)]
    assert answer.status == "ok"
    for got, expected in zip(answer.derivatives, true[1:], strict=True):
        assert got is not None
        assert math.isclose(got, float(expected), rel_tol=1e-10, abs_tol=1e-10), (got, expected)


@pytest.mark.parametrize(
    ("text", "x", "derivatives", "status"),
    [
        ("abs(x)", 0.0, (None, None, None), "corner"),
        ("x*abs(x)", 0.0, (0.0, None, None), "corner"),
        ("x^1.5", 0.0, (0.0, None, None), "infinite"),
        ("x^2.5", 0.0, (0.0, 0.0, None), "infinite"),
        ("cbrt(x)^4", 0.0, (0.0, None, None), "infinite"),
        ("abs(x)^3", 0.0, (0.0, 0.0, None), "corner"),
        ("x^2*x^x", 0.0, (0.0, 2.0, None), "infinite"),
        ("xlogy(x^2, x)", 0.0, (0.0, None, None), "infinite"),
        ("if(x == 0, 0, x/ln(x))", 0.0, (0.0, None, None), "infinite"),
        ("if(x == 0, 0, x^2*ln(ln(1/x)))", 0.0, (0.0, None, None), "unknown"),
        ("x^3*floor(x)", 0.0, (0.0, 0.0, None), "corner"),
        ("relu(x) - relu(-x)", 0.0, (1.0, 0.0, 0.0), "ok"),
        ("if(x == 0, 1, sin(x)/x)", 0.0, (0.0, -1 / 3, 0.0), "ok"),
        ("sqrt(x)^6 + sqrt(x)^4", 0.0, (0.0, 2.0, 6.0), "ok"),
        ("sqrt(x)", 0.0, (None, None, None), "infinite"),
        ("elu(x)", 0.0, (1.0, None, None), "corner"),
        ("if(x > 0, x^2, -x^2)", 0.0, (0.0, None, None), "corner"),
        ("floor(x)", 1.0, (None, None, None), "jump"),
        ("ln(x)", -1.0, (None, None, None), "domain"),
        ("exp(1000*x)", 0.7, (1000 * math.exp(700), None, None), "overflow"),
        ("if(x > 0, x^2, -x)", 1.0, (2.0, 2.0, 0.0), "ok"),
        ("max(x, 1)*x", 2.0, (4.0, 2.0, 0.0), "ok"),
        ("sinc(x)", 0.0, (0.0, -1 / 3, 0.0), "ok"),
        ("3", 0.0, (0.0, 0.0, 0.0), "ok"),
    ],
)
def test_a_hard_point_has_a_status_in_every_order(
    text: str, x: float, derivatives: tuple[float | None, ...], status: str
) -> None:
    answer = package.evaluate(f"y = x; {text} + 0*y", {"x": x}, ["x"], order=3)
    assert answer.status == status
    assert bool(answer.why) == (status != "ok")
    assert [d is None for d in answer.derivatives] == [d is None for d in derivatives]
    for got, true in zip(answer.derivatives, derivatives, strict=True):
        assert got is None or true is None or math.isclose(got, true, rel_tol=1e-12)


def test_orders_by_an_assigned_name() -> None:
    answer = package.evaluate("y = x^2; y^3*x", {"x": 2.0}, ["y"], order=3)
    assert answer.derivatives == (96.0, 48.0, 12.0)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_series_agree_with_symbols_on_random_programs(made: tuple[str, dict[str, float]]) -> None:
    text, point = made
    inputs = lower(package.parse(text)).inputs
    point = {name: point[name] for name in inputs}
    for name in list(inputs)[:1]:
        answer = package.evaluate(text, point, [name], order=2)
        if answer.status != "ok":
            continue
        formula = str(package.derivative(text, name, order=2))
        symbolic = package.evaluate(formula, {n: point[n] for n in lower(package.parse(formula)).inputs})
        second = answer.derivatives[1]
        assert second is not None
        if symbolic.value is not None:
            assert math.isclose(second, symbolic.value, rel_tol=1e-6, abs_tol=1e-6), (text, point)
        matrix = package.hessian(text, point, [name])
        entry = matrix.rows[name][name]
        assert entry is not None
        assert math.isclose(second, entry, rel_tol=1e-9, abs_tol=1e-9), (text, point)


@pytest.mark.parametrize(
    ("text", "x", "order", "true"),
    [
        ("x*asinh(x)", 1e200, 2, 1e-200),
        ("x*log1p(x/2)", 1e100, 4, 2e-300),
        ("sqrt(x^-2)", 1e60, 4, 2.4e-299),
        ("atan(x^2)", 1e60, 3, 2.4e-299),
        ("log1p(x)*x/(exp(3)/(x*x))", 1e100, 3, 6 * (math.log(1e100) + 11 / 6) / math.exp(3)),
        ("((x^1.5)^-1)*1e200", 1e60, 3, -1.3125e-69),
    ],
)
def test_far_out_no_derivative_is_spoilt_by_underflow(text: str, x: float, order: int, true: float) -> None:
    answer = package.evaluate(text, {"x": x}, order=order)
    found = answer.derivatives[order - 1]
    assert answer.status == "ok"
    assert found is not None
    assert math.isclose(found, true, rel_tol=1e-11)


def test_an_underflow_on_the_way_does_not_show_in_a_higher_order() -> None:
    answer = package.evaluate("1e300*(sin(x)*1e-170)^2", {"x": 1e-8}, order=3)
    second = 2e-40 * math.cos(2e-8)
    assert answer.derivatives[1:] == pytest.approx((second, -4e-40 * math.sin(2e-8)), rel=1e-14)
    assert answer.status == "ok"


@pytest.mark.parametrize("x", [1.7976931348623157e308, -1.7976931348623157e308, 1e308])
def test_at_the_largest_number_there_is_an_answer_or_a_reason(x: float) -> None:
    answer = package.evaluate("gelu(x)", {"x": x}, order=3)
    assert (answer.status, answer.derivatives) == ("ok", (float(x > 0), 0.0, 0.0))
    found = package.evaluate("(x*1e-200)^2", {"x": x}, order=2).derivatives[0]
    assert found == pytest.approx(2e-200 * (x * 1e-200), rel=1e-15)


def test_a_hessian_far_out_is_not_spoilt_by_underflow() -> None:
    rows = package.hessian("(2*x + sqrt(y))*(x/y)^-2", {"x": 1e100, "y": 1e5}).rows
    assert rows["x"]["x"] == pytest.approx(4e-290, rel=1e-12)
    assert rows["x"]["y"] == rows["y"]["x"] == pytest.approx(-4e-195, rel=1e-12)
    assert rows["y"]["y"] == pytest.approx(4e-100, rel=1e-12)


@pytest.mark.parametrize("x", [1e-300, 1e-20, 0.3, 1e20, 1e300])
@pytest.mark.parametrize("p", [1 / 3, -0.1, 2.7])
def test_a_broken_power_agrees_with_its_sweep_at_every_size(x: float, p: float) -> None:
    answer = package.evaluate(f"x^({p!r})", {"x": x}, order=2)
    assert answer.status in ("ok", "overflow")
    if answer.derivatives[1] is not None:
        with mpmath.workdps(50):
            typed = mpf(repr(p))
            true = float(typed * (typed - 1) * mpf(x) ** (typed - 2))
        assert math.isclose(answer.derivatives[1], true, rel_tol=1e-14, abs_tol=1e-320)


def test_where_only_a_wider_range_has_an_answer_matrices_have_it_or_say_so() -> None:
    text, at = "x*y*exp(-x)/exp(-x)", {"x": 800.0, "y": 1.0}
    assert package.jvp(text, at, {"x": 1.0, "y": 0.0}).to_dict()["jvp"] == {"f": 1.0}
    matrix = package.hessian(text, at)
    assert matrix.gradient == {"x": pytest.approx(1.0), "y": pytest.approx(800.0)}
    assert matrix.status == "ok"
    assert matrix.rows == {"x": {"x": 0.0, "y": 1.0}, "y": {"x": 1.0, "y": 0.0}}


# --- Hessians and Jacobians -----------------------------------------------------------------------------------------------

# J. J. Moré, B. S. Garbow, K. E. Hillstrom, Testing unconstrained optimization software,
# ACM Transactions on Mathematical Software 7 (1981), problems 1, 13, 14, 5 and 2.
MINIMISED = {
    "100*(b - a^2)^2 + (1 - a)^2": [{"a": -1.2, "b": 1.0}, {"a": 1.0, "b": 1.0}],
    "(a + 10*b)^2 + 5*(c - d)^2 + (b - 2*c)^4 + 10*(a - d)^4": [
        {"a": 3.0, "b": -1.0, "c": 0.0, "d": 1.0},
        {"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0},
    ],
    "100*(b - a^2)^2 + (1 - a)^2 + 90*(d - c^2)^2 + (1 - c)^2 + 10*(b + d - 2)^2 + 0.1*(b - d)^2": [
        {"a": -3.0, "b": -1.0, "c": -3.0, "d": -1.0},
        {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0},
    ],
    "(1.5 - a*(1 - b))^2 + (2.25 - a*(1 - b^2))^2 + (2.625 - a*(1 - b^3))^2": [
        {"a": 1.0, "b": 1.0},
        {"a": 3.0, "b": 0.5},
        {"a": 0.0, "b": 0.0},
    ],
}
ROOTS = "u = -13 + a + ((5 - b)*b - 2)*b; v = -29 + a + ((b + 1)*b - 14)*b"


@pytest.mark.parametrize("text", MINIMISED)
def test_hessians_are_symmetric_and_sympys(text: str) -> None:
    expression = sympy.sympify(text.replace("^", "**"))
    for point in MINIMISED[text]:
        made = package.hessian(text, point)
        assert (made.status, made.checked) == ("ok", True)
        for i in point:
            for j in point:
                true = float(sympy.diff(expression, i, j).subs(point))
                got = made.rows[i][j]
                assert got is not None
                assert got == made.rows[j][i]
                assert math.isclose(got, true, rel_tol=1e-13, abs_tol=1e-12), (i, j, got, true)


@pytest.mark.parametrize("text", MINIMISED)
def test_symbolic_hessians_are_sympys_too(text: str) -> None:
    expression = sympy.sympify(text.replace("^", "**"))
    rows = package.derivative(text, hessian=True).to_dict()["hessian"]
    for i in rows:
        for j in rows[i]:
            ours = sympy.sympify(rows[i][j].replace("^", "**"))
            assert sympy.simplify(ours - sympy.diff(expression, i, j)) == 0


def test_the_jacobian_of_freudenstein_and_roth() -> None:
    for point in ({"a": 0.5, "b": -2.0}, {"a": 5.0, "b": 4.0}):
        b = point["b"]
        made = package.jacobian(ROOTS, point, of=["u", "v"])
        assert made.rows == {"u": {"a": 1.0, "b": 10 * b - 3 * b**2 - 2}, "v": {"a": 1.0, "b": 3 * b**2 + 2 * b - 14}}
        assert made.checked
    written = package.derivative(ROOTS, of=["u", "v"]).to_dict()["jacobian"]
    b = sympy.Symbol("b")
    assert sympy.expand(sympy.sympify(written["u"]["b"].replace("^", "**")) - (10 * b - 3 * b**2 - 2)) == 0


def test_products_with_the_jacobian() -> None:
    point = {"a": 0.5, "b": -2.0}
    rows = package.jacobian(ROOTS, point, of=["u", "v"]).rows
    along = package.jvp(ROOTS, point, {"a": 2.0, "b": -1.0}, of=["u", "v"])
    back = package.vjp(ROOTS, point, {"u": 3.0, "v": 0.5})
    for name in "uv":
        assert along.rows[name]["jvp"] == 2 * (rows[name]["a"] or 0) - (rows[name]["b"] or 0)
    for name in "ab":
        assert back.rows["vjp"][name] == 3 * (rows["u"][name] or 0) + 0.5 * (rows["v"][name] or 0)


@pytest.mark.parametrize(
    ("text", "direction", "status", "speed"),
    [
        ("relu(x) - relu(-x) + y", {"x": 2.0, "y": 1.0}, "ok", 3.0),
        ("if(x == 0, 1, (1 - cos(x))/x)*(y + 1)", {"x": 2.0, "y": 5.0}, "jump", None),
        ("if(x == 0, 0, sin(x)^2/x)*(y + 1)", {"x": 2.0, "y": 5.0}, "ok", 2.0),
        ("max(x, y) + log1p(exp(-abs(x - y)))", {"x": 3.0, "y": -1.0}, "ok", 1.0),
        ("x*x^x + y", {"x": 2.0, "y": 1.0}, "ok", 3.0),
        ("sqrt(abs(x*y))", {"x": 2.0, "y": 8.0}, "corner", None),
        ("sqrt(abs(x*y))", {"x": 2.0, "y": 0.0}, "ok", 0.0),
        ("cbrt(x*y)", {"x": 1.0, "y": 1.0}, "infinite", None),
        ("if(x*y == 0, 0, 1)", {"x": 1.0, "y": 1.0}, "jump", None),
        ("abs(x) + y", {"x": 2.0, "y": 1.0}, "corner", None),
        ("abs(x) + y", {"x": 0.0, "y": 1.0}, "ok", 1.0),
        ("abs(x - y) + y", {"x": 2.0, "y": 2.0}, "ok", 2.0),
        ("abs(x - y) + y", {"x": 2.0, "y": 1.0}, "corner", None),
        ("max(x, y)", {"x": 3.0, "y": 3.0}, "ok", 3.0),
        ("sqrt(abs(x - y)) + x", {"x": 1.0, "y": 1.0}, "ok", 1.0),
        ("floor(x)*2 + y", {"x": 0.0, "y": 1.0}, "ok", 1.0),
        ("floor(x)*2 + y", {"x": 1.0, "y": 1.0}, "jump", None),
    ],
)
def test_a_slope_along_a_direction_at_a_hard_point(
    text: str, direction: dict[str, float], status: str, speed: float | None
) -> None:
    found = package.jvp(text, {"x": 0.0, "y": 0.0}, direction)
    assert (found.status, found.rows["f"]["jvp"]) == (status, speed)
    assert bool(found.why) == (status != "ok")
    assert not found.hint


@pytest.mark.parametrize(
    ("text", "y", "message"),
    [
        ("sqrt(abs(x*y))", 1.0, "f has no slope along this direction: it is -1 before and 1 after this point"),
        ("cbrt(x*y)", 1.0, "f has no slope along this direction: it is -∞ before and +∞ after this point"),
        ("if(x*y == 0, 0, 1)", 1.0, "f jumps along this direction"),
        ("sqrt(x*y)", -1.0, "f has no values beside this point along this direction"),
    ],
)
def test_a_missing_slope_along_a_direction_has_its_reason(text: str, y: float, message: str) -> None:
    """Along each axis alone these programs are constant, so the reason is that of the direction."""
    assert package.jvp(text, {"x": 0.0, "y": 0.0}, {"x": 1.0, "y": y}).why == message


def test_products_with_the_jacobian_that_leave_the_range_of_numbers_say_so() -> None:
    for matrix in (
        package.jvp("u = x*10; v = y", {"x": 1.0, "y": 2.0}, {"x": 1e308}, of=["u"]),
        package.vjp("u = x*10; v = y", {"x": 1.0, "y": 2.0}, {"u": 1e308}),
    ):
        assert not matrix.complete
        assert matrix.status == "overflow"
        assert "overflows" in matrix.why
    ended = autodiff("eval", "u = x*10; v = y", "--at", "x=1,y=2", "--jvp", "x=1e308", "--of", "u")
    assert (ended.status, ended.err) == (3, "error: the rate of u overflows: it is beyond 1.8e308\n")
    assert package.jvp("(x*1e-200)*1e200", {"x": 1.0}, {"x": 1e-200}).rows["f"]["jvp"] == 1e-200


def test_second_derivatives_that_are_not_there() -> None:
    corner = package.hessian("abs(x)*y", {"x": 0.0, "y": 2.0})
    assert (corner.status, corner.complete) == ("corner", False)
    assert corner.rows["x"]["x"] is None
    hidden = package.hessian("x*abs(x)", {"x": 0.0})
    assert (hidden.status, hidden.rows["x"]["x"]) == ("corner", None)
    assert hidden.why == "d2f/dx2 does not exist here: because of abs(x) it is -2 from the left and 2 from the right"
    steep = package.hessian("x^1.5*y + x*y*x^x", {"x": 0.0, "y": -1.0})
    assert (steep.status, steep.rows["x"]["x"], steep.rows["y"]["y"]) == ("infinite", None, 0.0)
    assert "d2f/dx2 does not exist here" in steep.why
    assert steep.why.endswith("d2f/dxdy is not known here, because of x^1.5")
    there = package.hessian("x^2*x^x + y^2", {"x": 0.0, "y": 3.0})
    assert (there.rows["x"]["x"], there.rows["y"]["y"]) == (2.0, 2.0)
    outside = package.hessian("ln(x)", {"x": -1.0})
    assert (outside.status, outside.values["f"]) == ("domain", None)
    assert package.hessian("xlogy(x, y)", {"x": 0.0, "y": 2.0}).rows["x"]["y"] == 0.5
    assert package.hessian("x^2*y^3", {"x": 0.0, "y": 0.0}).rows == {"x": {"x": 0, "y": 0}, "y": {"x": 0, "y": 0}}


# --- the command ------------------------------------------------------------------------------------------------------------


def test_the_command_prints_orders_in_every_form() -> None:
    args = ["eval", "sin(x)", "--at", "x=0", "--order", "3"]
    assert autodiff(*args).out == "f        0\ndf/dx    1\nd2f/dx2  0\nd3f/dx3  -1\n"
    assert autodiff(*args, "-q").out == "0 1 0 -1\n"
    assert autodiff(*args, "--format", "csv").out == "f,df/dx,d2f/dx2,d3f/dx3,status\n0,1,0,-1,ok\n"
    data = json.loads(autodiff(*args, "--format", "json").out)
    assert (data["order"], data["derivatives"], data["gradient"]) == (3, [1.0, 0.0, -1.0], {"x": 1.0})
    hard = autodiff("eval", "x*abs(x)", "--at", "x=0", "--order", "2")
    assert (hard.status, hard.out) == (3, "f        0\ndf/dx    0\nd2f/dx2  none\n")
    assert "d2f/dx2 does not exist here: because of abs(x) it is -2 from the left and 2 from the right" in hard.err
    slow = autodiff("eval", "if(x == 0, 0, x^2*ln(ln(1/x)))", "--at", "x=0", "--order", "2")
    assert "d2f/dx2 is not known here: x == 0 has no series" in slow.err
    sided = autodiff("eval", "sqrt(x)^6", "--at", "x=0", "--order", "2")
    assert (sided.status, sided.out) == (0, "f        0\ndf/dx    0\nd2f/dx2  0\n")
    assert "d2f/dx2 is that from the right; on the left there are no values" in sided.err


def test_the_command_prints_matrices_in_every_form() -> None:
    hessian = ["eval", "x^2*y", "--at", "x=1,y=2", "--hessian"]
    assert autodiff(*hessian).out == "f         2\ndf/dx     4\ndf/dy     1\nd2f/dx2   4\nd2f/dxdy  2\nd2f/dy2   0\n"
    assert autodiff(*hessian, "-q").out == "2 4 1 4 2 2 0\n"
    assert json.loads(autodiff(*hessian, "--format", "json").out)["hessian"] == {"x": {"x": 4, "y": 2}, "y": {"x": 2, "y": 0}}  # fmt: skip
    two = ["eval", "u = x*y; v = x + y", "--at", "x=1,y=2"]
    assert (
        autodiff(*two, "--jacobian", "--of", "u,v").out
        == "u      2\nv      3\ndu/dx  2\ndu/dy  1\ndv/dx  1\ndv/dy  1\n"
    )
    assert json.loads(autodiff(*two, "--jacobian", "--of", "u", "--format", "json").out)["jacobian"] == {"u": {"x": 2, "y": 1}}  # fmt: skip
    assert autodiff(*two, "--jvp", "x=1,y=0", "--of", "u,v", "-q").out == "2 3 2 1\n"
    jvp = json.loads(autodiff(*two, "--jvp", "x=1,y=0", "--format", "json").out)
    assert (jvp["jvp"], jvp["direction"]) == ({"v": 1.0}, {"x": 1.0, "y": 0.0})
    assert autodiff(*two, "--vjp", "u=1,v=2").out == "u              2\nv              3\nd(u + 2*v)/dx  4\nd(u + 2*v)/dy  3\n"  # fmt: skip
    vjp = json.loads(autodiff(*two, "--vjp", "u=1,v=2", "--format", "json").out)
    assert (vjp["vjp"], vjp["weights"]) == ({"x": 4.0, "y": 3.0}, {"u": 1.0, "v": 2.0})
    hard = autodiff("eval", "x*abs(x)", "--at", "x=0", "--hessian", "--format", "json")
    assert hard.status == 3
    assert json.loads(hard.out)["hessian"] == {"x": {"x": None}}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x*y", "--order", "2"], "order 2 needs one name to differentiate by, and here are 2"),
        (["x*y", "--order", "0"], "the order of a derivative is a whole number, 1 to 100, not 0"),
        (["x*y", "--hessian", "--jvp", "x=1"], "--hessian and --jvp don't go together"),
        (["x*y", "--hessian", "--order", "2"], "--order and --hessian don't go together"),
        (["x*y", "--hessian", "--format", "csv"], "--hessian and --format csv don't go together"),
        (["x*y", "--jacobian"], "--jacobian needs the results' names"),
        (["x*y", "--jvp", "z=1"], "can't differentiate by 'z'"),
        (["x*y", "--vjp", "z=1"], "'z' is no result of this program"),
        (["x*y", "--vjp", "f=1", "--of", "f"], "--of does not go with --vjp"),
        (["x*y", "--jvp", "x=1", "--wrt", "x"], "--wrt does not go with --jvp"),
        (["z = x*y", "--hessian", "--wrt", "z"], "'z' is assigned in the program"),
    ],
)
def test_a_mistake_is_explained(args: list[str], message: str) -> None:
    ended = autodiff("eval", *args, "--at", "x=1,y=2")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {message}")


def test_the_library_says_the_same() -> None:
    with pytest.raises(AutodiffError, match="order 2 needs one name"):
        package.evaluate("x*y", {"x": 1.0, "y": 1.0}, order=2)


def test_deep_programs_are_answered() -> None:
    deep = "sin(" * 10_000 + "x" + ")" * 10_000
    answer = package.evaluate(deep, {"x": 0.5}, order=3)
    assert answer.status == "ok"
    entry = package.hessian(deep, {"x": 0.5}).rows["x"]["x"]
    assert entry is not None
    assert answer.derivatives[1] is not None
    assert math.isclose(entry, answer.derivatives[1], rel_tol=1e-6)


# --- arrays, element by element ------------------------------------------------------------------------------------------

A, X = [[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]], [2.0, -1.0]


def _table(found: package.Matrix) -> list[list[float | None]]:
    return [list(row.values()) for row in found.rows.values()]


def test_the_hessian_over_elements() -> None:
    found = package.hessian("x @ (B @ x) + c^3", {"x": X, "B": [[1.0, 2.0], [5.0, -3.0]], "c": 2.0}, ["x", "c"])
    assert list(found.rows) == ["x[0]", "x[1]", "c"]
    assert _table(found) == [[2, 7, 0], [7, -6, 0], [0, 0, 12]]
    whole = package.evaluate("x @ (B @ x) + c^3", {"x": X, "B": [[1.0, 2.0], [5.0, -3.0]], "c": 2.0})
    assert [*found.gradient.values()] == [*whole.gradient["x"].tolist(), whole.gradient["c"]]
    assert (found.status, found.checked, found.at["B[1, 0]"]) == ("ok", True, 5.0)
    assert _table(package.hessian("sum(x^2)", {"x": X}, ["x[1]"])) == [[2]]
    softmax = package.hessian("logsumexp(x)", {"x": [0.0, 0.0]})
    assert _table(softmax) == [[pytest.approx(0.25), pytest.approx(-0.25)], [pytest.approx(-0.25), pytest.approx(0.25)]]


def test_the_jacobian_of_an_array_and_products_with_it() -> None:
    at = {"A": A, "x": X}
    whole = package.jacobian("A @ x", at, ["x"])
    assert (list(whole.rows), list(whole.values.values())) == (["f[0]", "f[1]", "f[2]"], [0, 10, 1])
    assert _table(whole) == A
    named = package.jacobian("s = A @ x; t = sum(s); s*t", at, ["x"], of=["s", "t"])
    assert (list(named.rows), _table(named)) == (["s[0]", "s[1]", "s[2]", "t"], [*A, [4.5, -2.0]])
    assert _table(package.jacobian("A @ x", at, ["A[1,0]"], of=["f"])) == [[0], [2], [0]]
    assert _table(package.jvp("A @ x", at, {"x": [1.0, 2.0]})) == [[5], [-5], [0.5]]
    assert package.jvp("A @ x", at, {"x[1]": 1.0}).given == {"x[1]": 1.0}
    back = package.vjp("A @ x", at, {"f": [1.0, 0.0, 2.0]}, ["x"])
    assert (back.rows, back.given) == ({"vjp": {"x[0]": 2.0, "x[1]": 2.0}}, {"f[0]": 1.0, "f[1]": 0.0, "f[2]": 2.0})
    assert package.vjp("A @ x", at, wrt=["x"]).rows == {"vjp": {"x[0]": 4.5, "x[1]": -2.0}}
    assert _table(package.jacobian("[x*y, x + y]", {"x": 2.0, "y": 3.0})) == [[3, 2], [1, 1]]


def test_orders_by_an_element() -> None:
    answer = package.evaluate("sum(x^3)*x[0]", {"x": [1.0, 2.0]}, ["x[1]"], order=3)
    assert (answer.value, answer.derivatives, answer.status) == (9, (12, 12, 6), "ok")
    answer = package.evaluate("sum(sqrt(x))", {"x": [1.0, 0.0]}, ["x[1]"], order=2)
    assert (answer.status, answer.derivatives) == ("infinite", (None, None))


def test_the_command_takes_arrays() -> None:
    square = ["eval", "sum(x^2)", "--at", "x=[1, 2]"]
    ended = autodiff(*square, "--hessian")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == (
        "f               5\ndf/dx[0]        2\ndf/dx[1]        4\nd2f/dx[0]2      2\nd2f/dx[0]dx[1]  0\nd2f/dx[1]2      2\n"
    )
    assert autodiff(*square, "--jvp", "x=[1, 0]").out == "f                       5\ndf along x[0]=1,x[1]=0  2\n"
    assert autodiff(*square, "--vjp", "f=3", "-q").out == "5 6 12\n"
    assert autodiff(*square, "--order", "2", "--wrt", "x[1]", "-q").out == "5 4 2\n"
    product = ["eval", "A @ x", "--at", "A=[[1, 2], [3, 4]],x=[1, 1]", "--wrt", "x"]
    ended = autodiff(*product, "--jacobian")
    assert (
        ended.out == "f[0]         3\nf[1]         7\ndf[0]/dx[0]  1\ndf[0]/dx[1]  2\ndf[1]/dx[0]  3\ndf[1]/dx[1]  4\n"
    )
    data = json.loads(autodiff(*product, "--jacobian", "--format", "json").out)
    assert data["jacobian"] == {"f[0]": {"x[0]": 1, "x[1]": 2}, "f[1]": {"x[0]": 3, "x[1]": 4}}
    assert data["checked"]
    assert autodiff(*product, "--vjp", "f=[1, 10]", "-q").out == "3 7 31 42\n"
    hard = autodiff("eval", "sum(abs(x))", "--at", "x=[0, 2]", "--hessian")
    assert hard.status == 3
    assert "d2f/dx[1]2      0\n" in hard.out
    assert "d2f/dx[0]2      none\n" in hard.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["sum(x)", "--at", "x=ones(2000)", "--hessian"],
            "written out by elements, the program grows beyond 1,000 operations",
        ),
        (["2*x", "--at", "x=[1, 2]", "--hessian"], "the result is an array of shape (2,)"),
        (["sum(x)", "--at", "x=[1, 2]", "--jvp", "x=1"], "'x' has the elements x[0], x[1], and what is given for it"),
        (["sum(x)", "--at", "x=[1, 2]", "--jvp", "x=[1, 2, 3]"], "'x' has the elements x[0], x[1], and what is given"),
        (
            ["2*x", "--at", "x=[1, 2]", "--vjp", "f=[[1, 2]]"],
            "'f' has the elements f[0], f[1], and what is given for it",
        ),
        (["sum(x)", "--at", "x=[1, 2]", "--order", "2"], "order 2 needs one name to differentiate by, and here are 2"),
        (["2*x", "--at", "x=[1, 2]", "--order", "2", "--wrt", "x[0]"], "the result is an array of shape (2,)"),
        (["sum(x)", "--at", "x=[1, 2]", "--jacobian"], "--jacobian needs the results' names"),
        (["x @ y", "--at", "x=[1, 2],y=[1, 2, 3]", "--hessian"], "u @ v can't take shape (2,) and shape (3,)"),
        (["sum(x)", "--at", "x=[1, 2]", "--hessian", "--wrt", "x[2]"], "can't differentiate by 'x[2]'"),
    ],
)
def test_a_mistake_with_arrays_is_explained(args: list[str], message: str) -> None:
    ended = autodiff("eval", *args)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {message}")


def test_a_hessian_writes_its_slopes_out_once_for_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each precision, not for each input: a Hessian by 100 inputs took 10 s of processor time, then 1."""
    made: list[int] = []
    expansion = taylor.Expansion.__init__

    def counted(self: taylor.Expansion, lowered: Any, run: Any, sources: Any, order: int, *more: Any) -> None:
        made.append(order)
        expansion(self, lowered, run, sources, order, *more)

    monkeypatch.setattr(taylor.Expansion, "__init__", counted)
    inputs = {f"x{k}": 0.1 * k for k in range(12)}
    program = " + ".join(f"sin(x{k})*exp(-x{k + 1}^2)" for k in range(11))
    assert package.hessian(program, inputs).status == "ok"
    assert made == [2]
