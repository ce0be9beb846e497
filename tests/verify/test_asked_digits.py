"""Every number that `digits` asks for has so many right digits: orders, matrices, products and arrays against mpmath."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import Any

import mpmath
import pytest

import autodiff as package
from autodiff.api.inputs import parse_point
from tests.support.command import autodiff

M: Any = mpmath
DIGITS = 60


def _right(text: Any, true: Any, digits: int = DIGITS) -> bool:
    """Whether a text is the true number rounded to so many digits."""
    assert isinstance(text, str), text
    with mpmath.workdps(3 * DIGITS), localcontext() as context:
        context.prec = 3 * DIGITS
        near = Decimal(mpmath.nstr(true, 2 * DIGITS))
        return abs(Decimal(text) - near) <= abs(near) * Decimal(10) ** (1 - digits)


def _derivative(function: Callable[..., Any], at: Sequence[str], times: Sequence[int]) -> Any:
    """A partial derivative, by differences in four times as many digits as are asked for."""
    with mpmath.workdps(4 * DIGITS):
        return mpmath.diff(function, tuple(map(mpmath.mpf, at)), tuple(times))


TWO: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("exp(x*y)/3", lambda x, y: M.exp(x * y) / 3),
    ("sin(x)/(1 + y^2)", lambda x, y: M.sin(x) / (1 + y**2)),
    ("ln(x + y)*x^2.5", lambda x, y: M.log(x + y) * x ** M.mpf("2.5")),
    ("(exp(x*y) - 1)/x", lambda x, y: (M.exp(x * y) - 1) / x),
    ("sqrt(x^2 + y^2) - x", lambda x, y: M.sqrt(x**2 + y**2) - x),
]


@pytest.mark.parametrize(("text", "true"), TWO, ids=[text for text, _ in TWO])
def test_orders_and_matrices(text: str, true: Callable[[Any, Any], Any]) -> None:
    at = {"x": "0.3", "y": "1.7"}
    point, numbers = parse_point("x=0.3,y=1.7"), [*at.values()]
    orders = package.evaluate(text, point, ["x"], order=3, digits=DIGITS)
    for k, number in enumerate(orders.derivatives, 1):
        assert _right(number, _derivative(true, numbers, (k, 0))), k
    assert _right(orders.value, _derivative(true, numbers, (0, 0)))
    hessian = package.hessian(text, point, digits=DIGITS)
    for row in at:
        for column in at:
            times = [(row == name) + (column == name) for name in at]
            assert _right(hessian.rows[row][column], _derivative(true, numbers, times)), (row, column)
    slopes = {"x": _derivative(true, numbers, (1, 0)), "y": _derivative(true, numbers, (0, 1))}
    jacobian = package.jacobian(text, point, digits=DIGITS)
    assert all(_right(jacobian.rows["f"][name], slope) for name, slope in slopes.items())
    with mpmath.workdps(3 * DIGITS):
        along = slopes["x"] * 2 - slopes["y"] / 10
        weighted = {name: 3 * slope for name, slope in slopes.items()}
    assert _right(package.jvp(text, point, parse_point("x=2,y=-0.1"), digits=DIGITS).rows["f"]["jvp"], along)
    back = package.vjp(text, point, {"f": 3.0}, digits=DIGITS)
    assert all(_right(back.rows["vjp"][name], slope) for name, slope in weighted.items())
    assert (back.digits, back.bits > 3.3 * DIGITS, back.checked, hessian.checked) == (DIGITS, True, True, True)


def test_parts_of_a_weighted_sum_and_of_a_direction_may_cancel() -> None:
    back = package.vjp("u = exp(x); v = -exp(x) + x/7", {"x": 20.0}, {"u": 1.0, "v": 1.0}, digits=40)
    assert back.rows["vjp"]["x"] == "0." + "142857" * 6 + "1429"
    along = package.jvp(
        "exp(x)*(y - z) + x/7", {"x": 20.0, "y": 1.0, "z": 1.0}, {"x": 1.0, "y": 2.0, "z": 2.0}, digits=40
    )
    assert along.rows["f"]["jvp"] == "0." + "142857" * 6 + "1429"


def test_arrays_have_the_digits_in_their_shape_and_mean_what_was_typed() -> None:
    pytest.importorskip("numpy")
    point = parse_point("x=[[0.1, 2/3], [pi, -0.1]]")
    found = package.evaluate("sum(x^2)/3", point, digits=DIGITS)
    with mpmath.workdps(2 * DIGITS):
        elements = [M.mpf("0.1"), M.mpf(2) / 3, +M.pi, -M.mpf("0.1")]
        assert _right(found.value, sum(x**2 for x in elements) / 3)
        assert all(_right(g, 2 * x / 3) for g, x in zip(found.gradient["x"].ravel(), elements, strict=True))
    assert found.gradient["x"].shape == (2, 2)
    assert package.evaluate("x/3", {"x": [1.0, 0.0]}, digits=5).value.tolist() == ["0.33333", "0"]
    product = package.hessian("prod(x)/3", {"x": [2.0, 3.0]}, digits=20)
    assert product.rows["x[0]"] == {"x[0]": "0", "x[1]": "0.33333333333333333333"}
    order = package.evaluate("sum(x^3)/7", {"x": [1.0, 2.0]}, ["x[1]"], order=3, digits=20)
    assert order.derivatives == ("1.7142857142857142857", "1.7142857142857142857", "0.85714285714285714286")
    assert package.evaluate("sum(abs(x))/3", {"x": [0.0, 2.0]}, digits=9).to_dict()["gradient"] == {
        "x": [None, "0.333333333"]
    }
    with pytest.raises(package.AutodiffError, match="too large for 30 digits"):
        package.evaluate("sum(x^2)", {"x": [0.5] * 30_000}, digits=30)


def test_what_is_typed_in_an_array_is_meant_as_typed() -> None:
    numpy = pytest.importorskip("numpy")
    assert package.evaluate("sum((x - [0.1, 0.5])*1e20)", parse_point("x=[0.1, 0.5]")).value == 0
    assert package.evaluate("(x[0] - 0.3)*1e20", parse_point("x=[0.1 + 0.2]")).value == 0
    assert package.evaluate("(x[0] - 0.1)*1e20", {"x": numpy.array([0.1])}).value == pytest.approx(555.1115123125783)


@pytest.mark.parametrize(
    ("text", "order", "derivatives"),
    [
        ("relu(x) - relu(-x) + x/3", 1, ("1.3333333333333333333",)),
        ("x^3*abs(x)/7 + x/3", 4, ("0.33333333333333333333", "0", "0", None)),
        ("x^3*abs(x)/7 + x/3", 3, ("0.33333333333333333333", "0", "0")),
        ("max(x, x*(1 + 1e-19)) + x/3", 1, (None,)),
        ("if(x == 0, 1, sin(x)/x) + x/7", 2, ("0.14285714285714285714", "-0.33333333333333333333")),
    ],
)
def test_slopes_at_special_points(text: str, order: int, derivatives: tuple[str | None, ...]) -> None:
    found = package.evaluate(text, {"x": 0.0}, order=order, digits=20)
    assert (found.derivatives if order > 1 else tuple(found.gradient.values())) == derivatives
    assert (found.status == "ok") == (None not in derivatives)
    assert bool(found.why) == (None in derivatives)


@pytest.mark.parametrize(
    ("text", "at", "status", "slope"),
    [
        ("asin(x)", 1.0, "infinite", None),
        ("1/3 + sqrt(x)", 0.0, "infinite", None),
        ("1/3 + abs(x)", 0.0, "corner", None),
        ("max(x, 2)/3", 2.0, "corner", None),
        ("pi + x*abs(x)", 0.0, "ok", "0"),
        ("pi + relu(x) - relu(-x)", 0.0, "ok", "1"),
        ("pi + floor(x)", 2.0, "jump", None),
    ],
)
def test_few_digits_make_no_jump(text: str, at: float, status: str, slope: str | None) -> None:
    for count in (1, 5, 12, 20):
        found = package.evaluate(text, {"x": at}, digits=count)
        assert (found.status, found.gradient) == (status, {"x": slope}), count


def test_a_number_that_has_no_ball_is_not_0() -> None:
    found = package.evaluate("x^3*abs(x)", {"x": 0.0}, order=4, digits=20)
    assert not any("nan" in note for note in found.notes)
    assert package.hessian("x*abs(x)", {"x": 0.0}, digits=20).rows == {"x": {"x": None}}


def test_an_exact_jump_is_no_internal_error() -> None:
    ended = autodiff("eval", "mod(x, 0.1)", "--at", "x=0.3", "--digits", "20")
    assert (ended.status, ended.out.splitlines()[1]) == (
        3,
        "df/dx  none  left 1, right 1  (a jump; PyTorch and JAX say 1)",
    )


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["exp(x)/3", "--at", "x=0", "--order", "2", "--digits", "20"], "f        0.33333333333333333333\ndf/dx    0.33333333333333333333\nd2f/dx2  0.33333333333333333333\n"),
        (["exp(x)/3", "--at", "x=0", "--order", "2", "--digits", "20", "-q"], "0.33333333333333333333 0.33333333333333333333 0.33333333333333333333\n"),
        (["exp(x)/3", "--at", "x=0", "--order", "2", "--digits", "5", "--format", "csv"], "f,df/dx,d2f/dx2,status\n0.33333,0.33333,0.33333,ok\n"),
        (["x^2*y/3", "--at", "x=1,y=2", "--hessian", "--digits", "20", "-q"], "0.66666666666666666667 1.3333333333333333333 0.33333333333333333333 1.3333333333333333333 0.66666666666666666667 0.66666666666666666667 0\n"),
        (["u = x/3; v = x*y", "--at", "x=1,y=2", "--jacobian", "--of", "u,v", "--digits", "10"], "u      0.3333333333\nv      2\ndu/dx  0.3333333333\ndu/dy  0\ndv/dx  2\ndv/dy  1\n"),
        (["x/3", "--at", "x=[1, 2]", "--vjp", "f=[1, 2]", "--digits", "10"], "f[0]                    0.3333333333\nf[1]                    0.6666666667\nd(f[0] + 2*f[1])/dx[0]  0.3333333333\nd(f[0] + 2*f[1])/dx[1]  0.6666666667\n"),
        (["x^2/3", "--at", "x=1", "--jvp", "x=2", "--digits", "10"], "f             0.3333333333\ndf along x=2  1.333333333\n"),
        (["sum(x)/3", "--at", "x=[1, 0.1]", "--digits", "10", "-q"], "0.3666666667 0.3333333333 0.3333333333\n"),
        (["exp(x)", "--at", "x=1000", "--order", "2", "--digits", "5", "-q"], "1.9701e434 1.9701e434 1.9701e434\n"),
    ],
)  # fmt: skip
def test_every_form_has_the_digits(arguments: list[str], printed: str) -> None:
    ended = autodiff("eval", *arguments)
    assert (ended.status, ended.out) == (0, printed)


def test_json_has_texts_and_says_how_many_digits_they_have() -> None:
    found = json.loads(autodiff("eval", "x^2*y/3", "--at", "x=1,y=2", "--hessian", "--digits", "5", "--json").out)
    assert found["hessian"]["x"] == {"x": "1.3333", "y": "0.66667"}
    assert (found["value"], found["gradient"]["y"], found["digits"], found["bits"]) == ("0.66667", "0.33333", 5, 128)
    order = json.loads(autodiff("eval", "exp(x)/3", "--at", "x=0", "--order", "2", "--digits", "5", "--json").out)
    assert (order["derivatives"], order["digits"], order["checked"]) == (["0.33333", "0.33333"], 5, True)
    assert "bits" not in json.loads(autodiff("eval", "x^2", "--at", "x=1", "--hessian", "--json").out)


def test_exponents_of_thousands_of_digits_are_no_text() -> None:
    """Python writes no whole number of so many digits, and nobody reads one."""
    answer = package.evaluate("u = Ai(Bi(x)); 0 + u", {"x": 1e200}, digits=20)
    assert (answer.value, answer.status) == ("0", "ok")
    assert "it is below 1e-99999999999999999999 in size" in answer.notes[0]


@pytest.mark.parametrize(
    ("text", "status", "slope"),
    [
        ("besselj(x, 2)", "domain", None), ("polygamma(x, x)", "domain", None), ("sum(besselj([0, 1]*x, 2))", "domain", None),
        ("1e300 + besselj(x, 1e-200) - 1e300", "domain", None), ("besselj(round(1.3x), 2) + x", "ok", 1), ("besselj(1 + 0*x, 2)", "ok", 0),
    ],
)  # fmt: skip
def test_a_slope_in_an_order_is_the_same_in_digits(text: str, status: str, slope: float | None) -> None:
    """No slope in the order is sought with more bits, which takes long and can't help."""
    for digits in (0, 20):
        answer = package.evaluate(text, {"x": 1.0}, digits=digits)
        assert (answer.status, answer.gradient["x"]) == (status, slope if slope is None or not digits else str(slope))
        assert answer.bits < 4096


def test_a_slope_that_does_not_exist_leaves_the_others() -> None:
    answer = package.evaluate("y*besselj(x, 2) + y^2", {"x": 1.0, "y": 2.0}, digits=9)
    assert answer.gradient == {"y": "4.57672481", "x": None}


@pytest.mark.parametrize("digits", [0, 20])
@pytest.mark.parametrize("text", ["y = x; if(x <= y, y^3, 0)", "y = x; z = y; y^3*(x == z)", "y = x; y + floor(y/x)"])
def test_a_name_for_an_input_moves_without_it(text: str, digits: int) -> None:
    answer = package.evaluate(text, {"x": 2.0}, ["y"], digits=digits)
    assert (answer.status, answer.gradient) == ("jump", {"y": None})


def test_a_condition_on_one_number_never_changes_in_float64_either() -> None:
    from autodiff.core.evaluate import primal
    from autodiff.core.lowering import lower
    from autodiff.numbers import float_taylor
    from autodiff.verify import ball_taylor

    lowered, point = lower(package.parse("if(x <= x, x^3, 0)")), {"x": 2.0}
    floats = float_taylor.derivatives(lowered, primal(lowered, point), 0, 3)
    assert floats == ball_taylor.derivatives(lowered, point, 0, 3).numbers == [12.0, 12.0, 6.0]
