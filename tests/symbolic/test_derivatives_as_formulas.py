"""Symbols: the derivative as a formula is the derivative, written so that it reads back, and without surprises in size."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings

import autodiff
from autodiff.core import rules
from autodiff.core.lowering import Lowered, lower
from autodiff.notation.infix import PLAIN, PRETTY, Infix, infix
from autodiff.notation.parts import parted, size
from autodiff.notation.tex import tex, tex_name
from autodiff.symbolic.adjoint import Image, image, slopes
from tests.support import graphs
from tests.support.programs import programs, value_at


def _derivative(text: str, name: str = "x") -> tuple[Image, int]:
    lowered = lower(autodiff.parse(text))
    seen = image(lowered.graph, lowered.result, {})
    node = lowered.node(name)
    assert node is not None
    found = slopes(lowered.graph, lowered.result, {}, [node], seen)
    return seen, found.get(node, seen.symbols.constant(0.0))


def _written(text: str, style: Infix = PLAIN, name: str = "x") -> str:
    seen, node = _derivative(text, name)
    return infix(seen.symbols.graph, node, style)


@pytest.mark.parametrize(
    ("text", "derivative"),
    [
        ("exp(sin(x^2))", "2*x*cos(x^2)*exp(sin(x^2))"),
        ("y = x^2; z = sin(y); u = e^z", "2*x*cos(x^2)*exp(sin(x^2))"),
        ("x^3 + x^2 + x + 1", "3*x^2 + 2*x + 1"),
        ("x^3/3", "x^2"),
        ("0.1*x^2", "0.2*x"),
        ("x*x", "2*x"),
        ("y = x*x; z = y*y; z*z", "8*x^7"),
        ("sqrt(x)*x", "3*sqrt(x)/2"),
        ("sqrt(x)", "1/(2*sqrt(x))"),
        ("1/(1 - x)", "1/(1 - x)^2"),
        ("sin(x)/x", "cos(x)/x - sin(x)/x^2"),
        ("x^n", "n*x^(n - 1)"),
        ("x^x", "x^x*ln(x) + x^x"),
        ("2^x", "2^x*ln(2)"),
        ("pi*x^2", "2*pi*x"),
        ("ln(ln(x))", "1/(x*ln(x))"),
        ("cos(x)^2 + sin(x)^2", "0"),
        ("x/x", "0"),
        ("-(x^2)", "-2*x"),
        ("(x^2 + 1)^5", "10*x*(x^2 + 1)^4"),
        ("x^(1/3)", "1/(3*x^(2/3))"),
        ("sigmoid(x)", "sigmoid(x)*(1 - sigmoid(x))"),
        ("if(x > 0, sqrt(x), 0)", "if(x > 0, 1/(2*sqrt(x)), 0)"),
        ("if(x > 0, x^2, -x)", "if(x > 0, 2*x, -1)"),
        ("max(x, 2x, 3x)", "if(max(x, 2*x) > 3*x, if(x > 2*x, 1, 2), 3)"),
        ("max(x, 1, x^2)*0.5", "if(max(x, 1) > x^2, if(x > 1, 0.5, 0), x)"),
        ("x + y", "1"),
        ("x + max(x, x)", "2"),
        ("if(x > 0, x, 0) + if(x > 0, 0, x) + x", "2"),
        ("if(x > 0, x^2, 1) + if(x > 0, 2, x^2) + x^2", "4*x"),
        ("if(x > 0, x^2, 0) + if(x > 0, 0, x^2) - x^2", "0"),
        ("floor(x)", "0"),
    ],
)
def test_the_formula_is_what_a_person_writes(text: str, derivative: str) -> None:
    assert _written(text) == derivative


def test_the_pretty_spelling_reads_back_too() -> None:
    assert _written("exp(sin(x^2))", PRETTY) == "2x·cos(x^2)·e^sin(x^2)"
    assert _written("sigmoid(2*pi*x)", PRETTY) == "2π·σ(2π·x)·(1 - σ(2π·x))"
    assert _written("exp(2*e1*x)", PRETTY) == "2·e1·e^(2·e1·x)"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_symbols_equal_numbers_and_read_back_in_both_spellings(made: tuple[str, dict[str, float]]) -> None:
    text, point = made
    lowered = lower(autodiff.parse(text))
    point = {name: value for name, value in point.items() if name in lowered.inputs}
    answer = autodiff.evaluate(text, point)
    if answer.status != "ok":
        return
    seen = image(lowered.graph, lowered.result, {})
    nodes = {name: lowered.node(name) for name in lowered.inputs}
    found = slopes(lowered.graph, lowered.result, {}, [n for n in nodes.values() if n is not None], seen)
    graphs.check(seen.symbols.graph)
    for name, node in nodes.items():
        assert node is not None
        formula = found.get(node, seen.symbols.constant(0.0))
        for style in (PLAIN, PRETTY):
            written = str(parted(seen.symbols.graph, [formula], style, taken=point))
            value = value_at(_typed(written), point)
            slope = answer.gradient[name]
            assert value is not None, written
            assert slope is not None
            assert math.isclose(value, slope, rel_tol=1e-8, abs_tol=1e-9), (text, point, written)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_what_is_written_reads_back_as_the_same_equations(made: tuple[str, dict[str, float]]) -> None:
    lowered = lower(autodiff.parse(made[0]))
    graph, result = _unnamed(lowered)
    if size(graph, result) > 3000:
        return
    again = lower(autodiff.parse(infix(graph, result)))
    second, node = _unnamed(again)
    assert infix(second, node) == infix(graph, result)
    assert _shape(second, node) == _shape(graph, result)


def _unnamed(lowered: Lowered) -> tuple[autodiff.core.graph.Graph, int]:
    seen = image(lowered.graph, lowered.result, {})
    return seen.symbols.graph, seen.of[lowered.result]


def _shape(graph: autodiff.core.graph.Graph, result: int) -> list[str]:
    """The equations behind `result`, whatever their numbers are."""
    order = graph.reaching(result)
    text = {node: infix(graph, node) for node in order}
    leaves = graph.inputs | graph.constants
    return sorted(
        f"{row.name if (row := graph.rows[n]) else leaves[n]} {[text[a] for a in graph.args[n]]}" for n in order
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x - (y - z)", "x - (y - z)"),
        ("(x - y) - z", "x - y - z"),
        ("x/(y*z)", "x/(y*z)"),
        ("x/y*z", "x/y*z"),
        ("x*(y/z)", "x*(y/z)"),
        ("(-x)^2", "(-x)^2"),
        ("-x^2", "-x^2"),
        ("2^-x", "2^(-x)"),
        ("(x^y)^z", "(x^y)^z"),
        ("x^y^z", "x^y^z"),
        ("-(-x)", "-(-x)"),
        ("x - -y", "x - (-y)"),
        ("if(0 < x and not (x > 1 or y > 2), x, y)", "if(0 < x and not (x > 1 or y > 2), x, y)"),
        ("max(x, y, z, 1)", "max(x, y, z, 1)"),
        ("max(x, max(y, z))", "max(x, max(y, z))"),
        ("(x < y) + 1", "(x < y) + 1"),
        ("1e-7*x + 1e300", "1e-07*x + 1e+300"),
        ("x^2 + -1", "x^2 + (-1)"),
    ],
)
def test_brackets_are_the_fewest(text: str, written: str) -> None:
    graph, node = _unnamed(lower(autodiff.parse(text)))
    assert infix(graph, node) == written
    assert _shape(*_unnamed(lower(autodiff.parse(written)))) == _shape(graph, node)


def _typed(pretty: str) -> str:
    """The pretty form as it may be typed: the comma before `else` is for readers."""
    return pretty.replace(", else ", " else ")


def test_every_row_is_written_and_reads_back_in_every_notation() -> None:
    for row in (row for row in rules.rows() if row.kind == "elementwise"):
        graph, node = _unnamed(lower(autodiff.parse(row.example)))
        assert _shape(*_unnamed(lower(autodiff.parse(infix(graph, node))))) == _shape(graph, node)
        assert _shape(*_unnamed(lower(autodiff.parse(_typed(infix(graph, node, PRETTY)))))) == _shape(graph, node)
        written = tex(graph, node)
        assert written.count("{") == written.count("}")
        assert written.count(r"\left") == written.count(r"\right")
        assert "#" not in written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("exp(sin(x^2))", r"e^{\sin\left(x^{2}\right)}"),
        ("(x + 1)^2*(x - 1)", r"\left(x + 1\right)^{2} \left(x - 1\right)"),
        ("(x/y)^2", r"\left(\frac{x}{y}\right)^{2}"),
        ("2*3*x", r"2 \cdot 3 x"),
        ("max(x, y, z)", r"\max\left(x, y, z\right)"),
        ("abs(x + 1)", r"\left|x + 1\right|"),
        ("hypot(x + 1, y)", r"\sqrt{\left(x + 1\right)^2 + y^2}"),
        ("if(x > 0, x, -x)", r"\begin{cases} x & \text{if } x > 0 \\ -x & \text{otherwise} \end{cases}"),
        ("1.5e-7*θ", r"1.5 \cdot 10^{-7} \theta"),
        ("x - (y - z)", r"x - \left(y - z\right)"),
    ],
)
def test_latex(text: str, written: str) -> None:
    assert tex(*_unnamed(lower(autodiff.parse(text)))) == written


def test_names_in_latex() -> None:
    names = ["x", "x1", "x_1", "yhat", "ŷ", "θ1", "Δ", "learning_rate", "_"]
    assert [tex_name(name) for name in names] == ["x", "x_{1}", "x_{1}", r"\hat{y}", r"\hat{y}", r"\theta_{1}", r"\Delta", r"\mathrm{learning}_{\mathrm{rate}}", r"\_"]  # fmt: skip


def test_letters_that_latex_has_no_name_for_stay_themselves() -> None:
    assert [tex_name(name) for name in ("ο", "ϝ", "ϡ", "ς", "λ", "Ω", "Α")] == [
        "ο",
        "ϝ",
        "ϡ",
        "ς",
        r"\lambda",
        r"\Omega",
        "Α",
    ]


def test_words_are_separated_in_latex() -> None:
    """Two names set upright beside each other would read as one."""
    assert tex(*_unnamed(lower(autodiff.parse("-rate*x")))) == r"-\mathrm{rate} \, x"
    assert tex(*_unnamed(lower(autodiff.parse("size*exp(-rate*t)")))) == r"\mathrm{size} \, e^{-\mathrm{rate} \, t}"
    assert tex(*_unnamed(lower(autodiff.parse("alpha*exp(-lambda*t)")))) == r"\alpha e^{-\lambda t}"
    assert tex(*_unnamed(lower(autodiff.parse("rate*speed*x*y")))) == r"\mathrm{rate} \, \mathrm{speed} \, x y"
    assert tex(*_unnamed(lower(autodiff.parse("leaky_relu(x)")))) == r"\operatorname{leaky\_relu}\left(x\right)"


def test_size_is_counted_before_anything_is_written() -> None:
    squarings = "y0 = x + 1;" + ";".join(f"y{i + 1} = sin(y{i})*y{i}" for i in range(64))
    seen, node = _derivative(squarings)
    assert size(seen.symbols.graph, node) > 2**64
    made = parted(seen.symbols.graph, [node])
    assert len(str(made)) < 60_000
    assert len(made.parts) > 64
    value = value_at(str(made), {"x": 0.5})
    slope = autodiff.evaluate(squarings, {"x": 0.5}).gradient["x"]
    assert value is not None
    assert slope is not None
    assert math.isclose(value, slope, rel_tol=1e-9)


@pytest.mark.parametrize(
    "text", ["sin(" * 10_000 + "x" + ")" * 10_000, "+".join(f"x*{i}" for i in range(10_000))], ids=["deep", "wide"]
)
def test_depth_and_width_are_no_different(text: str) -> None:
    seen, node = _derivative(text)
    assert len(seen.symbols.graph) < 200_000
    assert len(infix(seen.symbols.graph, seen.of[max(seen.of)])) > 50_000
    assert parted(seen.symbols.graph, [node]).results
