"""`diff`: what is printed is the derivative, reads back, is no longer than need be, and has notes where it does not hold."""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sympy

import autodiff as package
from autodiff.core.lowering import lower
from autodiff.symbolic import monomial, polynomial
from tests.support.command import autodiff

TEXTBOOK = (Path(__file__).parent / "textbook.txt").read_text(encoding="utf-8").split("\n")[:-1]
ONE = ["sin({})", "cos({})", "exp({})", "ln({})", "sqrt({})", "tan({})", "atan({})", "tanh({})", "({})^2", "({})^3", "1/({})", "sinh({})", "asinh({})"]  # fmt: skip
TWO = ["({}) + ({})", "({}) - ({})", "({})*({})", "({})*({})", "({})/({})"]


def _random_formulas(count: int) -> list[str]:
    chance = random.Random(5)
    made: list[str] = []
    while len(made) < count:
        parts = ["x", "x", "x^2", "x + 1", "2*x", "y", "3"]
        text = "x"
        for _ in range(chance.randrange(2, 7)):
            if chance.random() < 0.45:
                text = chance.choice(ONE).format(text)
            else:
                pair = [text, chance.choice(parts)]
                chance.shuffle(pair)
                text = chance.choice(TWO).format(*pair)
        if "x" in text and len(_points(text, 5, 100)) == 5:
            made.append(text)
    return made


def _value(text: str, point: dict[str, float]) -> float | None:
    inputs = package.parse(text)
    value = package.evaluate(text, {n: point[n] for n in lower(inputs).inputs}).value
    assert value is None or isinstance(value, float)
    return value


def _points(text: str, count: int, tries: int = 2000) -> list[dict[str, float]]:
    """Points at which the formula has a slope, as far as so many tries find them."""
    chance = random.Random(text)
    inputs = lower(package.parse(text)).inputs
    found: list[dict[str, float]] = []
    for _ in range(tries):
        point = {name: chance.uniform(-3, 3) if chance.random() < 0.5 else chance.uniform(0, 1) for name in inputs}
        if len(found) == count:
            break
        if package.evaluate(text, point, ["x"] if "x" in inputs else None).status == "ok":
            found.append(point)
    return found


@cache
def _derivative(text: str) -> package.Derivative:
    """The derivative by x of one of the formulas below, which several tests look at."""
    return package.derivative(text, "x")


FORMULAS = TEXTBOOK + _random_formulas(300 - len(TEXTBOOK))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_printed_derivative_reads_back_as_the_derivative(text: str) -> None:
    ended = autodiff("diff", text, "--wrt", "x")
    assert ended.status == 0, ended.err
    points = _points(text, 20)
    assert len(points) >= 5
    for point in points:
        slope = package.evaluate(text, point, ["x"]).gradient["x"]
        printed = _value(ended.out, point)
        assert slope is not None
        assert printed is not None, (ended.out, point)
        size = max(abs(slope), abs(_value(text, point) or 0.0), 1.0)
        assert math.isclose(printed, slope, rel_tol=1e-7, abs_tol=1e-9 * size), (ended.out, point)


def _sympy(text: str) -> sympy.Expr:
    """The formula as SymPy reads it."""
    lowered = lower(package.parse(text))
    graph = lowered.graph
    special = {
        "ln": sympy.log,
        "log2": lambda u: sympy.log(u, 2),
        "log10": lambda u: sympy.log(u, 10),
        "abs": sympy.Abs,
    }
    infix = {"+": lambda u, v: u + v, "-": lambda u, v: u - v, "*": lambda u, v: u * v, "/": lambda u, v: u / v, "^": lambda u, v: u**v}  # fmt: skip
    made: dict[int, sympy.Expr] = {}
    for node, row in enumerate(graph.rows):
        args = [made[a] for a in graph.args[node]]
        if node in graph.inputs:
            made[node] = sympy.Symbol(graph.inputs[node])
        elif row is None:
            value = graph.constants[node]
            made[node] = sympy.pi if value == math.pi else sympy.Integer(int(value)) if value % 1 == 0 else sympy.Float(value)  # fmt: skip
        elif row.arity == 1 and row.name in "+-":
            made[node] = -args[0] if row.name == "-" else args[0]
        else:
            made[node] = (
                (infix | special)[row.name](*args) if row.name in infix | special else getattr(sympy, row.name)(*args)
            )
    return made[lowered.result]


def test_no_formula_is_much_longer_than_sympys() -> None:
    ratios = []
    for text in FORMULAS:
        theirs = str(sympy.diff(_sympy(text), sympy.Symbol("x")))
        ours = str(_derivative(text))
        ratios.append((len(ours) / len(theirs), text, ours, theirs))
    worst = max(ratios)
    print(f"\nmedian {statistics.median(r[0] for r in ratios):.2f}, worst {worst}")
    assert statistics.median(ratio for ratio, *_ in ratios) <= 1.5
    assert worst[0] <= 4, worst


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("ln(x)", ["only where x > 0"]),
        ("ln(2x)", ["only where 2*x > 0"]),
        ("x/0", ["nowhere: the program has no value"]),
        ("ln(-1)*x", ["nowhere: the program has no value"]),
        ("x/x", ["only where x != 0"]),
        ("x*y/x", ["only where x != 0"]),
        ("abs(x)", ["not at x = 0 (a corner)"]),
        ("floor(x)*x", ["not at x = floor(x) (a jump)"]),
        ("acosh(x)", ["only where x >= 1"]),
        ("hypot(x, 0)", ["not at x = 0 (a corner)"]),
        ("x + ln(acos(y))", ["only where -1 <= y", "only where y <= 1", "only where acos(y) > 0"]),
        ("x + ln(acosh(y))", ["only where y >= 1", "only where acosh(y) > 0"]),
        ("sqrt(x)", []),
        ("1/x", []),
        ("x^(1/3)", []),
        ("x^n", []),
        ("ln(x^2 + 1)", []),
        ("abs(x^2 + 1)", []),
        ("abs(y)*x", []),
        ("exp(sin(x^2))", []),
        ("exp(ln(x))", ["only where x > 0"]),
        ("if(x > 0, ln(x), x)", ["not at x = 0, unless the branches that meet there have one slope"]),
        ("if(x > 1, ln(x), 0)", ["not at x = 1, unless the branches that meet there have one slope", "in the branches of a condition: only where x > 0"]),
        ("ln(x) + if(x > 0, x, 0)", ["only where x > 0"]),
    ],
)  # fmt: skip
def test_a_lost_condition_is_noted(text: str, notes: list[str]) -> None:
    assert sorted(package.derivative(text, "x").notes) == sorted(notes)
    ended = autodiff("diff", text, "--wrt", "x")
    assert sorted(ended.err.splitlines()) == sorted(f"note: {note}" for note in notes)


def test_a_derivative_with_a_value_outside_the_domain_has_a_note() -> None:
    for text in FORMULAS:
        found = _derivative(text)
        chance = random.Random(text)
        for _ in range(15):
            point = {name: chance.uniform(-3, 3) for name in ("x", "y", "a", "b", "c", "d", "n")}
            if _value(text, point) is None and _value(str(found), point) is not None:
                assert any(note.startswith("only where") for note in found.notes), (text, point)
                break


def test_one_name_is_a_bare_formula_and_several_are_labelled() -> None:
    assert autodiff("diff", "x*y^2", "--wrt", "x").out == "y^2\n"
    assert autodiff("diff", "x*y^2").out == "df/dx = y^2\ndf/dy = 2*x*y\n"
    assert autodiff("diff", "L = x*y^2", "-q").out == "y^2\n2*x*y\n"
    assert str(package.derivative("x*y^2")) == "df_dx = y^2\ndf_dy = 2*x*y"
    assert len(package.derivative("x*y^2").program().statements) == 2


def test_an_assigned_name_is_a_variable_of_its_own() -> None:
    assert autodiff("diff", "y = x^2; z = sin(y)", "--wrt", "x,y").out == "dz/dx = 2*x*cos(x^2)\ndz/dy = cos(y)\n"
    assert autodiff("diff", "y = x^2; y^3*x", "--wrt", "y", "--order", "2").out == "6*x*y\n"
    assert autodiff("diff", "y = x^2", "--wrt", "y").out == "1\n"


def test_json_has_keys() -> None:
    assert json.loads(autodiff("diff", "ln(x)*y", "--format", "json").out) == {
        "result": "f", "derivative": {"x": "y/x", "y": "ln(x)"}, "order": 1, "parts": {}, "notes": ["df/dx: only where x > 0"],
    }  # fmt: skip
    hessian = json.loads(autodiff("diff", "x^2*y", "--hessian", "--format", "json").out)
    assert hessian["hessian"] == {"x": {"x": "2*y", "y": "2*x"}, "y": {"x": "2*x", "y": "0"}}
    jacobian = json.loads(
        autodiff("diff", "u = x*y; v = x + u; v", "--jacobian", "--of", "u,v", "--format", "json").out
    )
    assert jacobian["jacobian"] == {"u": {"x": "y", "y": "x"}, "v": {"x": "y + 1", "y": "x"}}


def test_latex_is_partial_where_there_are_several_names() -> None:
    assert autodiff("diff", "sin(x)/x", "--format", "latex").out == (
        "\\frac{\\cos\\left(x\\right)}{x} - \\frac{\\sin\\left(x\\right)}{x^{2}}\n"
    )
    assert autodiff("diff", "x*y", "--hessian", "--format", "latex").out.startswith(r"\frac{\partial^{2} f}{\partial x^{2}} = 0")  # fmt: skip


def test_python_is_a_module_with_a_function() -> None:
    assert autodiff("diff", "exp(sin(x^2))", "--format", "python").out == (
        "import math\n\n\ndef df_dx(x):\n    return 2*x*math.cos(x**2)*math.exp(math.sin(x**2))\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        *TEXTBOOK[::6],
        "abs(x)*y",
        "if(x > 0.5 and y > 0, x^2, sin(x))*x",
        "mod(x, 2)*x",
        "sigmoid(x*y)*tanh(x)",
        "lambda*x^2 + math*x",
        "gelu(x)",
        "x = 1; L = (y - 1)^3",
        "max(x, 2*y, 0.1)^2",
        "pi*x^2",
        "; ".join(["h1 = tanh(x*w + b)", *(f"h{i + 1} = tanh(h{i}*w + b)*h{i}" for i in range(1, 7)), "(h7 - y)^2"]),
    ],
)
def test_python_computes_the_same(text: str) -> None:
    names: dict[str, Any] = {}
    exec(autodiff("diff", text, "--format", "python").out, names)
    inputs = lower(package.parse(text)).inputs
    for point in _points(text, 5):
        answer = package.evaluate(text, point)
        for name in inputs:
            slope = answer.gradient[name]
            found = names[f"d{answer.result}_d{name}"](*point.values())
            assert slope is not None
            assert math.isclose(found, slope, rel_tol=1e-7, abs_tol=1e-9), (name, point)


def test_generated_python_names_what_it_lacks() -> None:
    ended = autodiff("diff", "lgamma(x)", "--format", "python")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: Python's math has no digamma")


@pytest.mark.parametrize(
    ("text", "order", "written"),
    [
        ("sin(x)", 4, "sin(x)"),
        ("x^7", 5, "2520*x^2"),
        ("exp(2x)", 10, "1024*exp(2*x)"),
        ("1/(1 - x)", 3, "6/(1 - x)^4"),
        ("exp(x)*sin(x)", 4, "-4*exp(x)*sin(x)"),
        ("x^3", 4, "0"),
    ],
)
def test_higher_orders(text: str, order: int, written: str) -> None:
    assert str(package.derivative(text, "x", order=order)) == written


@pytest.mark.parametrize(
    ("text", "order", "notes"),
    [
        ("x*abs(x)", 1, []),
        ("x*abs(x)", 2, ["not at x = 0 (a corner)"]),
        ("abs(x)^3", 1, []),
        ("abs(x)^3", 2, []),
        ("abs(x)^3", 3, ["not at x = 0 (a corner)"]),
        ("max(x, 0)^2", 1, []),
        ("x^2*sign(x)", 1, []),
        ("x*sign(x)", 1, ["not at x = 0 (a corner)"]),
        ("x*sign(x)^2", 1, ["not at x = 0"]),
        ("x*(x != 0)", 1, ["not at x = 0"]),
        ("x/sign(x)", 1, []),
        ("heaviside(x)*x", 1, ["not at x = 0 (a corner)"]),
        ("heaviside(x - 1)*(x - 1)*y", 1, ["not at x - 1 = 0 (a corner)"]),
        ("heaviside(x)*(x + 1)", 1, ["not at x = 0 (a jump)"]),
        ("heaviside(x)*x^2", 1, []),
        ("ln(abs(sin(x)))", 1, ["only where abs(sin(x)) > 0"]),
        ("1/abs(sin(x)) + abs(sin(x))", 1, ["only where abs(sin(x)) != 0"]),
        ("(-1)^x", 1, ["nowhere: the program has no derivative"]),
        ("xlogy(x, x)", 1, []),
        ("abs(x - 0.1)*(x - 0.1)", 1, []),
        ("(max(x, y) - y)^2", 1, []),
        ("max(x, y)^2", 1, ["not at x = y (a corner)"]),
        ("y*x*abs(x)", 1, []),
        ("y*abs(x)", 1, ["not at x = 0 (a corner)"]),
        ("hypot(x, y)^2", 1, []),
        ("clamp(x, 0, 1)^2", 1, ["not at x = 1 (a corner)"]),
        ("if(x > 0, x^2, 0)", 1, []),
        ("if(x > 0, x^2, 0)", 2, ["not at x = 0, unless the branches that meet there have one slope"]),
        ("ln(x)*x*abs(x)", 1, []),
        ("abs(sin(x))*sin(x)", 1, []),
        ("sin(x)*sign(sin(x))", 1, ["not at sin(x) = 0 (a corner)"]),
        ("sign(sin(x))*(1 + sin(x))", 1, ["not at sin(x) = 0 (a jump)"]),
        ("(x^2 - 2)*sign(2 - x^2)", 1, ["not at 2 - x^2 = 0 (a corner)"]),
        ("max(x^2 - 2, 0)^2", 1, []),
        ("(x - floor(x))^2", 1, ["not at x = floor(x) (a jump)"]),
        ("sin(pi*x)*floor(x)", 1, ["not at x = floor(x) (a corner)"]),
        ("sin(x*y)*sign(sin(x*y))", 1, ["not at sin(x*y) = 0 (a corner)"]),
        ("0^x", 1, ["only where x > 0"]),
        ("0^(x - 1)*y", 1, ["only where x - 1 > 0"]),
        ("2^x", 1, []),
        ("1/x", 1, []),
    ],
)  # fmt: skip
def test_a_corner_is_noted_only_where_the_derivative_has_none(text: str, order: int, notes: list[str]) -> None:
    assert list(package.derivative(text, "x", order=order).notes) == notes


def test_what_a_break_of_a_second_derivative_is_like_is_asked_for_each_entry() -> None:
    """The second derivative by x is there at 0; of a mixed one eval knows nothing there, so nothing is promised."""
    found = package.derivative("abs(x)^3*y", hessian=True)
    assert found.notes == ("d2f/dxdy, d2f/dydx: not at x = 0 (a corner)",)


def test_the_slope_of_a_power_of_0_is_0() -> None:
    assert str(package.derivative("0^x", "x")) == "0"
    assert str(package.derivative("x + 3*0^x", "x")) == "1"


@pytest.mark.parametrize(
    ("text", "notes", "values"),
    [
        ("(x-x)^x", ["only where x > 0"], {2.0: 0.0, -2.0: None}),
        ("(0*x)^x", ["only where x > 0"], {2.0: 0.0}),
        ("(x-x)^(x-1)*x", ["only where x - 1 > 0"], {2.0: 0.0, 0.5: None}),
        ("x^(x-x)", [], {2.0: 0.0, -2.0: 0.0}),
        ("abs(x-x) + sqrt(x-x)", [], {2.0: 0.0}),
        ("xlogy(x-x, x)", ["only where x >= 0"], {2.0: 0.0, -2.0: None}),
        ("ln(x-x)", ["nowhere: the program has no value"], {2.0: None}),
        ("x/(y-y)", ["nowhere: the program has no value"], {2.0: None}),
    ],
)
def test_terms_that_cancel_are_the_constant_0(text: str, notes: list[str], values: dict[float, float | None]) -> None:
    """A formula of ln(x - x) has no value at any x, though eval has the slope."""
    found = package.derivative(text, "x")
    assert list(found.notes) == notes
    for x, slope in values.items():
        answer = package.evaluate(text, {"x": x, "y": 1.0} if "(y" in text else {"x": x}, wrt=["x"])
        assert answer.gradient.get("x") == slope
        if slope is not None:
            assert package.evaluate(str(found), {"x": x} if "x" in str(found) else {}, wrt=[]).value == slope


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("polygamma(149, x)", "polygamma(150, x), which has no value: polygamma needs n to be 0, 1, …, 149"),
        ("spherical_jn(899, x)", "spherical_jn(900, x), which has no value: spherical_jn needs n to be 0, 1, …, 899"),
    ],
)
def test_a_formula_that_would_not_read_back_is_refused(text: str, message: str) -> None:
    ended = autodiff("diff", text)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: the formula needs {message}")
    assert autodiff("diff", text.replace("149", "148").replace("899", "898")).status == 0


@pytest.mark.parametrize(
    ("text", "order", "written"),
    [
        ("ln(1+x)", 50, f"-{math.factorial(49)}/(1 + x)^50"),
        ("1/x", 50, f"{math.factorial(50)}/x^51"),
        ("x*exp(x)", 50, "exp(x)*(x + 50)"),
        ("sin(x)*cos(x)", 50, f"-{2**49}*sin(2*x)"),
        ("sqrt(x)", 20, f"-{math.prod(range(1, 38, 2))}/({2**20}*x^19.5)"),
        ("x^(1/x)", 2, "x^(1/x - 4)*(2*x*ln(x) - 2*ln(x) - 3*x + ln(x)^2 + 1)"),
        ("(x+1)^n", 3, "n*(n - 1)*(n - 2)*(x + 1)^(n - 3)"),
    ],
)
def test_high_orders_are_collected_with_exact_numbers(text: str, order: int, written: str) -> None:
    assert str(package.derivative(text, "x", order=order)) == written


@pytest.mark.parametrize(
    ("text", "order", "characters", "equations"),
    [
        ("exp(sin(x^2))", 5, 250, 3_000),
        ("exp(sin(x^2))", 10, 1_300, 6_000),
        ("x^n", 50, 500, 4_000),
        ("exp(-x^2)", 50, 1_000, 4_000),
        ("atan(x)", 50, 600, 6_000),
        ("tan(x)", 50, 1_700, 6_000),
        ("(x^2+1)^(1/3)", 50, 1_250, 6_000),
        ("if(x > 0, exp(sin(x^2)), x)", 10, 1_300, 6_000),
    ],
)
def test_the_size_of_a_high_order_is_bounded(text: str, order: int, characters: int, equations: int) -> None:
    found = package.derivative(text, "x", order=order)
    assert len(str(found)) <= characters
    assert len(found.symbols.graph) <= equations


@pytest.mark.parametrize(
    ("text", "order"),
    [("exp(sin(x^2))", 10), ("atan(x)", 12), ("tan(x)", 12), ("(x^2+1)^(1/3)", 12), ("if(x > 0, exp(sin(x^2)), x)", 8),
     ("gamma(x)", 6), ("x^x", 8), ("sin(x)^x", 6), ("(x+1)/(x^2+3*x+1)", 12), ("sigmoid(x)", 12)],
)  # fmt: skip
def test_a_high_order_has_the_number_that_taylor_series_have(text: str, order: int) -> None:
    found = str(package.derivative(text, "x", order=order))
    for x in (0.4, 0.9):
        number, printed = package.evaluate(text, {"x": x}, order=order).derivatives[-1], _value(found, {"x": x})
        assert number is not None
        assert printed is not None
        assert math.isclose(number, printed, rel_tol=1e-9)


def test_an_inactive_branch_stays_inactive_in_every_order() -> None:
    """sqrt(relu(u)) is 0 for a negative u, and so are all its derivatives: none may be divided by it."""
    found = str(package.derivative("atan2(1-x, sqrt(relu(1/x)))", "x", order=3))
    assert _value(found, {"x": -1.53}) == 0.0


@pytest.mark.parametrize(("text", "order"), [("exp(sin(x^2))", 50), ("gamma(x)", 40), ("ln(x)", 400), ("x^n", 1000)])
def test_an_order_that_has_no_readable_formula_is_refused_before_it_is_made(text: str, order: int) -> None:
    ended = autodiff("diff", text, "--order", str(order), "--wrt", "x")
    assert (ended.status, ended.out) == (2, "")
    assert "grows beyond 10," in ended.err


def test_a_division_of_sums_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """z^0 and 1 both lead the divisor 1.277 - z^0: subtracting one of them left the other, again and again."""
    steps, collect = [0], monomial.add

    def counted(total: Any, part: Any) -> None:
        steps[0] += 1
        collect(total, part)

    monkeypatch.setattr(polynomial, "add", counted)
    assert "csc(y + x)" in str(package.derivative("csc(y+x)/(1.277-z^0)", hessian=True))
    assert steps[0] < 500


def test_the_slope_of_a_remainder_is_a_whole_number_for_certain() -> None:
    assert str(package.derivative("mod(5, x)", "x")) == "-floor(5/x)"


def test_long_formulas_have_parts_under_the_users_names() -> None:
    text = "; ".join(
        ["h1 = tanh(x*w + b)", *(f"h{i + 1} = tanh(h{i}*w + b)*h{i}" for i in range(1, 7)), "L = (h7 - y)^2"]
    )
    found = package.derivative(text, "w")
    assert "h3" in dict(found.parts)
    point = {"x": 0.3, "w": 0.7, "b": 0.1, "y": 0.5}
    slope, printed = package.evaluate(text, point).gradient["w"], _value(str(found), point)
    assert slope is not None
    assert printed is not None
    assert math.isclose(slope, printed, rel_tol=1e-9)
    assert len(autodiff("diff", text, "--wrt", "w", "-q").out.splitlines()) == 1


@pytest.mark.parametrize("args", [["5"], ["5", "--wrt", "x"], ["5", "--wrt", "t", "--order", "3"], ["pi^2"]])
def test_the_derivative_of_a_constant_is_zero(args: list[str]) -> None:
    ended = autodiff("diff", *args)
    assert (ended.status, ended.out, ended.err) == (0, "0\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["polygamma(x, 2)"], "polygamma has no derivative in its argument n"),
        (["x*y", "--order", "2"], "order 2 needs one name to differentiate by, and here are 2"),
        (["x = 3; x^2"], "the program has no inputs to differentiate by"),
        (["x", "--order", "0"], "the order of a derivative is a whole number, 1 to 1000, not 0"),
        (["x", "--jacobian"], "--jacobian needs the results' names"),
        (["x", "--of", "y"], "--of goes with --jacobian"),
        (["x", "--jacobian", "--of", "y"], "'y' is no result of this program"),
        (["x", "--hessian", "--order", "2"], "--order and a whole matrix don't go together"),
        (["y = x; y^2", "--hessian", "--wrt", "y"], "'y' is assigned in the program, and a Hessian is by inputs"),
        (["x", "--wrt", "z"], "can't differentiate by 'z': the program has no such name"),
    ],
)
def test_a_mistake_is_explained(args: list[str], message: str) -> None:
    ended = autodiff("diff", *args)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("text", "plain", "simplified"),
    [
        ("x - sin(x)*cos(x)", "2*sin(x)^2", "2*sin(x)^2"),
        ("sin(x)^2 - 2*sin(2*x)", "sin(2*x) - 4*cos(2*x)", "sin(2*x) - 4*cos(2*x)"),
        ("(sin(x)^2 - 1)/(sin(x) - 1)", "cos(x)", "cos(x)"),
        ("exp(sin(x^2))", "2*x*cos(x^2)*exp(sin(x^2))", "2*x*cos(x^2)*exp(sin(x^2))"),
        ("sigmoid(x - sin(x)*cos(x))", None, None),
    ],
)
def test_simplify_takes_what_sympy_finds_when_it_is_shorter(text: str, plain: str, simplified: str) -> None:
    if plain is not None:
        assert str(package.derivative(text, "x")) == plain
        assert str(package.derivative(text, "x", simplify=True)) == simplified
    points = _points(text, 20)
    for point in points:
        slope, printed = package.evaluate(text, point).gradient["x"], _value(autodiff("diff", text, "--simplify").out, point)  # fmt: skip
        assert slope is not None
        assert printed is not None
        assert math.isclose(slope, printed, rel_tol=1e-9, abs_tol=1e-12)


def test_simplify_notes_the_lost_conditions() -> None:
    assert package.derivative("(x^2 - 1)/(x - 1)", simplify=True).notes == ("only where x - 1 != 0",)


def test_a_simplification_that_is_not_the_same_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sympy, "simplify", lambda expression: sympy.Symbol("x", real=True))
    assert str(package.derivative("sin(x^2)", simplify=True)) == "2*x*cos(x^2)"


def test_simplify_without_sympy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    ended = autodiff("diff", "x^2", "--simplify")
    assert (ended.status, ended.out) == (2, "")
    assert "pip install '.[sympy]'" in ended.err


def test_a_formula_that_grows_too_large_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodiff.api.derivative.LARGEST", 5_000)
    ended = autodiff("diff", "sin(" * 50 + "x" + ")" * 50, "--order", "9")
    assert ended.status == 2
    assert "grows beyond" in ended.err


def test_deep_programs_are_answered() -> None:
    ended = autodiff("diff", "ln(2 + sin(" * 3_000 + "x" + "))" * 3_000)
    assert ended.status == 0
    assert len(ended.out.splitlines()) > 100


def test_a_loss_at_a_number_keeps_no_factor_of_one() -> None:
    """hinge(1, s) is max(0, 1 - 1·s): the 1 is not printed."""
    assert autodiff("diff", "hinge(1, 2*w)").out == "if(0 > 1 - 2*w, 0, -2)\n"
    assert "-1 if v1 < 1, else 0" in autodiff("explain", "L = hinge(1, 2*w)").out
