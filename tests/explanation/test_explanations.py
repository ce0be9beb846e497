"""Explanations: laid out as designed at every width, true to the answer in every factor, short for huge programs."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import autodiff as package
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError
from autodiff.explanation import factors
from autodiff.explanation.build import explain
from autodiff.explanation.model import Explanation
from autodiff.render.text.document import lines, text
from tests.support.command import autodiff, process
from tests.support.paths import GOLDEN
from tests.support.programs import programs

EXPLANATIONS = GOLDEN / "explanations.txt"
NEURON = "z = w*x + b; p = sigmoid(z); L = -(y*ln(p) + (1-y)*ln(1-p))"
LOSS = "z = w*x + b; yhat = sigmoid(z); L = bce(y, yhat)"
CHAIN = "y = x^2; z = sin(y); u = e^z"
SURVEY = "y = ln(x1) + x1*x2 - sin(x2)"

CASES: dict[str, tuple[str, dict[str, float] | None, dict[str, Any]]] = {
    "the notes' chain": (CHAIN, {"x": 4.0}, {}),
    "the notes' chain in both modes": (CHAIN, {"x": 4.0}, {"mode": "both"}),
    "the notes' chain in symbols": (CHAIN, None, {}),
    "the neuron": (NEURON, {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1.0}, {"wrt": ["w", "b"], "rate": 0.1}),
    "the neuron, loss opened": (NEURON, {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1.0}, {"wrt": ["w"], "expand": ["L"]}),
    "the neuron with its loss by name": (LOSS, {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1.0}, {"wrt": ["w", "b"]}),
    "the loss opened": (LOSS, {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1.0}, {"wrt": ["w"], "expand": ["L"]}),
    "two paths": ("x*sin(x^2)", {"x": 1.5}, {}),
    "the survey": (SURVEY, {"x1": 2.0, "x2": 5.0}, {}),
    "the survey in both modes": (SURVEY, {"x1": 2.0, "x2": 5.0}, {"mode": "both"}),
    "the survey in forward mode": (SURVEY, {"x1": 2.0, "x2": 5.0}, {"mode": "forward"}),
    "a corner": ("y = x^2; z = abs(y - 4); w = z*3 + x", {"x": 2.0}, {}),
    "corners that cancel": ("relu(x) - relu(-x)", {"x": 0.0}, {}),
    "a corner by convention": ("3*abs(x)", {"x": 0.0}, {"convention": "jax"}),
    "outside the domain": ("log(x-3)*sqrt(x)", {"x": 2.0}, {}),
    "a branch": ("if(x > 0, x^2, -x)", {"x": 3.0}, {}),
    "no inputs": ("2 + 3", None, {}),
}


def _example(name: str) -> Explanation:
    program, at, options = CASES[name]
    return explain(program, at, **options)


def _pages() -> Iterator[tuple[str, str]]:
    for name in CASES:
        explanation = _example(name)
        for width in (60, 80, 100):
            yield f"{name}, {width} columns", text(explanation, width)
        yield f"{name}, 80 columns, ASCII", text(explanation, 80, unicode=False)


def test_every_explanation_is_the_recorded_one() -> None:
    """`UPDATE_GOLDEN=1 pytest tests/explanation/test_explanations.py` writes the golden file anew; then it must be read."""
    pages = "".join(f"##### {title}\n{page}\n\n" for title, page in _pages())
    if os.environ.get("UPDATE_GOLDEN"):
        EXPLANATIONS.write_text(pages, encoding="utf-8")
    assert pages == EXPLANATIONS.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 69, 70, 80, 89, 90, 100, 200])
@pytest.mark.parametrize("name", CASES)
def test_no_line_is_wider_than_the_page_and_no_number_is_cut(name: str, width: int) -> None:
    explanation = _example(name)
    page = text(explanation, width)
    wide = [line for line in page.split("\n") if len(line) > max(width, 60)]
    assert not wide, wide
    for slope in explanation.slopes:
        if slope.value is not None:
            assert repr(slope.value).removesuffix(".0") in page
    ascii_page = text(explanation, width, unicode=False)
    assert ascii_page.isascii()


@pytest.mark.parametrize("name", CASES)
def test_blocks_come_in_their_order(name: str) -> None:
    page = text(_example(name), 100)
    middle: tuple[str, ...] = ("3 CORNER", "3 JUMP", "3 INFINITE", "3 UNKNOWN", "3 BOTH SIDES")
    middle += tuple(f"{number} {title}" for number in (3, 4) for title in ("BACKWARD", "BOTH", "TANGENTS"))
    heads = [line[1:14].strip() for line in page.split("\n") if line[:1] == " " and line[1:2].strip()]
    order = ["1 FORWARD", "2 GRAPH", *middle, "ANSWER", "NOTICE", "UPDATE", "CHECKED", "MEANS"]
    places = [order.index(head) for head in heads if head in order]
    assert places == sorted(places)
    assert {"1 FORWARD", "2 GRAPH", "ANSWER"} <= set(heads)


def test_the_surveys_table() -> None:
    """Baydin et al., Automatic Differentiation in Machine Learning: a Survey (2018), tables 2 and 3.

    Its v3 and v4 are v4 and v3 here, because v1 + v2 is computed before sin(x2).
    """
    explanation = explain(SURVEY, {"x1": 2.0, "x2": 5.0}, mode="both")
    rows = {row.name: row for row in explanation.rows}
    primal_column = {"x1": 2, "x2": 5, "v1": 0.693, "v2": 10, "v3": 10.693, "v4": -0.959, "y": 11.652}
    tangent_column = {"x1": 1, "x2": 0, "v1": 0.5, "v2": 5, "v3": 5.5, "v4": 0, "y": 5.5}
    adjoint_column = {"x1": 5.5, "x2": 1.716, "v1": 1, "v2": 1, "v3": 1, "v4": -1, "y": 1}
    for name, value in primal_column.items():
        assert rows[name].value == pytest.approx(value, abs=5e-4)
        assert rows[name].tangents["x1"] == pytest.approx(tangent_column[name], abs=5e-4)
        assert rows[name].adjoint == pytest.approx(adjoint_column[name], abs=5e-4)
    assert explanation.cost.forward_sweeps == 2
    assert explanation.cost.reverse_sweeps == 1
    assert explanation.cost.forward_products == 2 * explanation.cost.reverse_products


def test_each_factor_has_rule_symbol_number_and_product() -> None:
    steps = explain(CHAIN, {"x": 4.0}).blocks[0].steps
    assert [step.factor.rule for step in steps] == ["exponential rule", "sine rule", "power rule"]
    assert [step.factor.slope.formula for step in steps] == ["exp(z)", "cos(y)", "2*x"]
    assert [step.so_far for step in steps] == pytest.approx([0.74983409, -0.71808572, -5.74468576], abs=1e-8)
    assert steps[-1].answer


def test_a_loss_by_name_has_its_own_rule_and_cancels_like_the_formula() -> None:
    explanation = _example("the neuron with its loss by name")
    assert [step.factor.rule for step in explanation.blocks[0].steps][:2] == ["bce rule", "sigmoid rule"]
    assert explanation.cancelling[0].slope.formula == "yhat - y"
    assert {place.name: place.does for place in explanation.forward}["L"] == "binary cross-entropy"
    opened = _example("the loss opened")
    assert {step.factor.rule for block in opened.blocks for step in block.steps} >= {"logarithm rule", "sum rule"}
    by_loss = explain(LOSS, CASES["the loss opened"][1], ["w"], expand=["bce"])
    assert by_loss.blocks == opened.blocks
    assert explain("bce(y, p) + l2(p)", {"y": 1.0, "p": 0.5}).forward[-1].does != "binary cross-entropy"


def test_the_neuron_has_two_paths_and_two_steps_that_cancel() -> None:
    explanation = _example("the neuron")
    assert [step.label for step in explanation.blocks[0].steps] == ["1", "2", "3w", "3b"]
    (cancelling,) = explanation.cancelling
    assert (cancelling.steps, cancelling.slope.formula) == (2, "p - y")
    assert explanation.update is not None
    assert explanation.update.names["w"] == pytest.approx((0.4, 0.67282953), abs=1e-8)
    assert explanation.update.after == pytest.approx(0.06001236, abs=1e-8)


@pytest.mark.parametrize(
    ("program", "at", "by", "rule"),
    [
        ("2x", {"x": 1.0}, "x", "constant multiple"),
        ("x*y", {"x": 1.0, "y": 2.0}, "x", "product rule"),
        ("1/x", {"x": 2.0}, "x", "reciprocal rule"),
        ("x/y", {"x": 1.0, "y": 2.0}, "x", "quotient rule"),
        ("x^3", {"x": 2.0}, "x", "power rule"),
        ("3^x", {"x": 2.0}, "x", "exponential rule"),
        ("x - y", {"x": 1.0, "y": 2.0}, "y", "difference rule"),
        ("y = x + 1; z = 3*sin(y)^2 + 1", {"x": 1.0}, "y", "power and sine rules"),
    ],
)
def test_rules_have_the_names_of_textbooks(program: str, at: dict[str, float], by: str, rule: str) -> None:
    steps = [step for block in explain(program, at).blocks for step in block.steps]
    assert next(step.factor.rule for step in steps if step.factor.by == by) == rule


# --- true to the answer ---------------------------------------------------------------------------------------------------


def _value(program: str, point: dict[str, float]) -> float | None:
    lowered = lower(package.parse(program))
    try:
        return float(primal(lowered, {name: point[name] for name in lowered.inputs}).values[lowered.result])
    except DomainError:
        return None


def _agrees(data: dict[str, Any], at: dict[str, float]) -> int:
    """Read an explanation back from JSON: factors, products and sums are the answer; symbols are their numbers."""
    known = {**{place["name"]: place["value"] for place in data["forward"] if place["value"] is not None}, **at}
    compared = 0
    for slope in data["slopes"]:
        blocks = [b for b in data["blocks"] if b["to"] == slope["name"]]
        if slope["value"] is None or not slope["paths"] or slope["listed"] != slope["paths"] or not blocks:
            continue
        if any(step["factor"]["value"] is None for block in blocks for step in block["steps"]):
            continue  # a factor beyond float64, which the explanation has in words
        total = 0.0
        for block in blocks:
            product = 1.0
            for step in block["steps"]:
                product *= step["factor"]["value"]
                assert step["so_far"] == product
            total += product
        size = sum(abs(b["total"] or b["steps"][-1]["so_far"]) for b in blocks if b["steps"])
        assert math.isclose(total, slope["value"], rel_tol=1e-11, abs_tol=1e-13 * (1 + size))
    for factor in (step["factor"] for block in data["blocks"] for step in block["steps"]):
        if factor["slope"]["formula"] and factor["value"] is not None:
            value = _value(factor["slope"]["formula"], known)
            assert value is not None, factor
            assert math.isclose(value, factor["value"], rel_tol=1e-8, abs_tol=1e-9), factor
            compared += 1
    return compared


@pytest.mark.parametrize("atoms", [False, True])
@pytest.mark.parametrize("name", [n for n, (_, at, o) in CASES.items() if at and "convention" not in o])
def test_factors_are_the_answer_in_every_example(name: str, atoms: bool) -> None:
    program, at, options = CASES[name]
    assert at is not None
    data = json.loads(json.dumps(explain(program, at, **{**options, "atoms": atoms}).to_dict(), allow_nan=False))
    _agrees(data, at)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_factors_are_the_answer_in_random_programs(example: tuple[str, dict[str, float]]) -> None:
    program, point = example
    point = {name: value for name, value in point.items() if name in lower(package.parse(program)).inputs}
    explanation = explain(program, point, atoms=len(program) % 2 == 0)
    data = json.loads(json.dumps(explanation.to_dict(), allow_nan=False))
    assert {slope["name"]: slope["value"] for slope in data["slopes"]} == package.evaluate(program, point).gradient
    _agrees(data, point)


def test_a_step_beyond_float64_is_refused() -> None:
    with pytest.raises(AutodiffError, match="step of 'x' by the learning rate 1e"):
        explain("exp(x)", {"x": 700.0}, rate=1e300)


def test_the_comparison_has_something_to_compare() -> None:
    explanation = explain("a = x*sin(x); b = a^2 + x; b*a", {"x": 0.7})
    assert _agrees(json.loads(json.dumps(explanation.to_dict())), {"x": 0.7}) > 5


def test_a_wrong_factor_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = factors.numbers

    def bent(*args: Any) -> dict[int, float]:
        return {arg: slope * (1 + 1e-6) for arg, slope in honest(*args).items()}

    monkeypatch.setattr(factors, "numbers", bent)
    with pytest.raises(AssertionError):
        _agrees(explain("x*sin(x^2)", {"x": 1.5}).to_dict(), {"x": 1.5})


# --- huge programs --------------------------------------------------------------------------------------------------------

HUGE: dict[str, tuple[str, dict[str, float], bool]] = {
    "squarings": ("y0 = x;" + ";".join(f"y{i + 1} = y{i}*y{i}" for i in range(64)), {"x": 1.0}, False),
    "paths": ("y0 = x;" + ";".join(f"y{i + 1} = y{i}*sin(y{i})" for i in range(64)), {"x": 0.5}, True),
    "deep": ("sin(" * 5000 + "x" + ")" * 5000, {"x": 1.0}, False),
    "wide": ("+".join(f"sin({i}*x)" for i in range(3333)), {"x": 1.0}, False),
    "inputs": ("+".join(f"(x{i + 1} - x{i}^2)^2" for i in range(500)), {f"x{i}": 0.5 for i in range(501)}, False),
    "one big statement": ("z = x; f = " + "+".join(f"sin({i}*z)" for i in range(3333)), {"x": 1.0}, False),
}


@pytest.mark.parametrize("mode", ["reverse", "both", "forward"])
@pytest.mark.parametrize("name", HUGE)
def test_a_huge_program_has_a_short_explanation(name: str, mode: str) -> None:
    program, at, atoms = HUGE[name]
    page = text(explain(program, at, mode=mode, atoms=atoms), 100)
    assert len(page.split("\n")) <= 200
    assert "more" in page or name == "one big statement"


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_program_has_a_short_explanation_in_symbols(name: str) -> None:
    program, _, atoms = HUGE[name]
    symbols = text(explain(program, None, atoms=atoms), 100)
    assert len(symbols.split("\n")) <= 200


def test_paths_are_counted_and_the_largest_listed() -> None:
    program, at, _ = HUGE["paths"]
    explanation = explain(program, at, atoms=True)
    slope = explanation.slopes[0]
    assert slope.paths == 2**64
    assert slope.listed == len(explanation.blocks) == 8
    totals = [abs(block.total or 0.0) for block in explanation.blocks]
    assert totals == sorted(totals, reverse=True)
    few = explain("y = x*sin(x); z = y*exp(y)", {"x": 0.5}, atoms=True)
    assert few.slopes[0].paths == 4
    assert sum(block.total or 0.0 for block in few.blocks) == pytest.approx(few.slopes[0].value)


def test_a_slope_names_the_inputs_that_are_held_fixed() -> None:
    """In f = x·s the slope of f in x alone is no df/dx: s changes with x, too."""
    explanation = explain("q = x^2; s = sin(q); f = x*s", {"x": 1.5})
    held = {(step.factor.of, step.factor.by): step.factor.fixed for block in explanation.blocks for step in block.steps}
    assert held == {("f", "x"): ("s",), ("f", "s"): (), ("s", "q"): (), ("q", "x"): ()}
    assert "df/dx, s fixed = s " in text(explanation, 100)
    three = explain("a = x^2; b = sin(x); f = x*a*b + 0*c", {"x": 1.0, "c": 2.0})
    assert "∂f/∂x, the others fixed = a·b" in text(three, 100)


def test_an_assigned_name_is_checked_and_moved_as_an_input_is() -> None:
    explanation = explain("y = x^2; z = y^3 + x", {"x": 2.0}, wrt=["y", "x"])
    by_name = {row.name: row for row in explanation.differences}
    assert by_name["y"].agrees
    assert by_name["y"].quotient == pytest.approx(48)
    assert by_name["x"].agrees
    assert by_name["x"].quotient == pytest.approx(193)
    assert explanation.meanings[0].actual == pytest.approx(4.001**3 - 64)


def test_corners_that_cancel_are_checked_by_a_difference() -> None:
    assert [row.agrees for row in explain("relu(x) - relu(-x)", {"x": 0.0}).differences] == [True]
    assert explain("abs(x)", {"x": 0.0}).differences == ()


def test_every_table_has_a_number_of_its_own() -> None:
    page = text(explain("x*y*abs(z)", {"x": 0.0, "y": 0.0, "z": 0.0}), 100)
    assert "\n\n 3 BOTH SIDES" in page
    assert "\n\n 4 BACKWARD" in page


def test_text_beside_a_title_is_wrapped() -> None:
    page = " ".join(text(explain(CHAIN, {"x": 4.0}), 60).split())
    assert "start from du/du = 1; each step multiplies by one local slope" in page


def test_an_answer_is_printed_once_and_a_zero_has_its_reason() -> None:
    page = text(explain("y = x^2; z = 3*w", {"x": 2.0, "w": 1.0}), 100)
    assert "ANSWER       dz/dx = 0  (z does not change with x)\n              dz/dw = 3\n\n" in page
    assert "(f does not" not in text(explain("x^2", {"x": 0.0}), 100)


def test_a_slope_that_cancels_is_0_and_has_its_rule() -> None:
    (block,) = explain("y = (x - x)*2; sin(y)", {"x": 1.0}, atoms=True).blocks
    assert (block.steps[-1].factor.rule, block.steps[-1].factor.slope.formula) == ("difference rule", "0")


def test_a_constant_is_called_one() -> None:
    assert [place.does for place in explain("3").forward] == ["constant"]


def test_the_sum_that_is_announced_is_one() -> None:
    page = text(explain("y = x^2; z = 3*y + x", {"x": 2.0}, wrt=["y", "x"]), 100)
    assert "x reaches z along 2 paths: multiply along each, then add" in page


# --- the command ----------------------------------------------------------------------------------------------------------


def test_the_command_prints_plain_text_in_a_pipe() -> None:
    ended = process("explain", CHAIN, "--at", "x=4", COLUMNS="50")
    assert (ended.status, ended.err) == (0, "")
    assert "\x1b" not in ended.out
    assert ended.out.rstrip("\n") == text(explain(CHAIN, {"x": 4.0}), 100)


def test_ascii_where_the_output_is_ascii() -> None:
    ended = process("explain", NEURON.replace("p", "ŷ"), "--at", "w=0.4,b=-2.5,x=7.8,y=1", PYTHONIOENCODING="ascii")
    assert ended.status == 0
    assert ended.out.isascii()


def test_ascii_columns_fit_what_they_hold() -> None:
    """Escapes are longer than the characters that they replace, so columns are measured with them."""
    page = text(explain("ŷ = σ(z)^2; 2σ(ŷ)*ω", {"z": 1.0, "ω": 2.0}, mode="both"), 100, unicode=False)
    rows = [line.split("   ") for line in page.split("\n") if line.startswith(("   z  ", "   \\u03c9  "))]
    assert len({len(line[: line.index("input")]) for line in page.split("\n") if " input " in line}) == 1
    assert len(rows) >= 4
    assert "\\u0177 = sigmoid(z)^2" in page
    assert "2sigmoid(\\u0177)" in page
    assert "\\u03c3" not in page


def test_a_combining_mark_takes_no_column() -> None:
    page = text(explain("x\u0302^2*sin(x\u0302)", {"x\u0302": 2.0}), 100)
    assert "v2 = sin(x\u0302)   sine " in page


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["log(x)", "--at", "x=-1"], 3),
        (["abs(x)", "--at", "x=0"], 3),
        (["abs(x)", "--at", "x=0", "--convention", "torch"], 0),
        (["x^2", "--at", "x=1", "--lr", "1/10"], 0),
        (["x^2", "--at", "x=1", "--lr", "fast"], 2),
        (["x^2", "--lr", "0.1"], 2),
        (["y = x^2; y + 1", "--at", "x=1", "--expand", "q"], 2),
        (["x^2", "--at", "y=1"], 2),
        (["x^2", "--wrt", "q"], 2),
        (["x^2", "--at", "x=1", "--format", "json"], 0),
    ],
)
def test_exit_statuses(args: list[str], status: int) -> None:
    ended = autodiff("explain", *args)
    assert ended.status == status
    assert bool(ended.err) == (status != 0)


def test_a_rate_that_is_no_number() -> None:
    for rate in ("fast", "1,b=2"):
        ended = autodiff("explain", "x^2", "--at", "x=1", "--lr", rate)
        assert (ended.status, ended.err) == (
            2,
            f"error: --lr needs a number, not '{rate}'\n  such as 0.1, 1e-3 or 1/3\n",
        )


@pytest.mark.parametrize("choice", [{"mode": "sideways"}, {"convention": "numpy"}])
def test_an_unknown_choice_is_an_error(choice: dict[str, Any]) -> None:
    with pytest.raises(package.AutodiffError, match="unknown"):
        explain("x^2", {"x": 1.0}, **choice)


@pytest.mark.parametrize("form", ["text", "dot", "mermaid", "svg", "json"])
def test_graph_draws_every_form(form: str) -> None:
    ended = autodiff("graph", NEURON, "--at", "w=0.4,b=-2.5,x=7.8,y=1", "--format", form)
    assert (ended.status, ended.err) == (0, "")
    assert "sigmoid" in ended.out
    outside = autodiff("graph", "log(x)*x", "--at", "x=-1", "--format", form)
    assert outside.status == 3
    assert "needs x > 0" in outside.err


def test_styles_refer_to_existing_positions() -> None:
    explanation = _example("the neuron")
    names = {place.name for place in explanation.forward}
    styles = {style for line in lines(explanation, 100) for _, style in line}
    assert {style[1:] for style in styles if style.startswith("@")} <= names | {"L"}
    assert {"head", "answer", "good"} <= styles


def test_data_held_fixed_has_no_adjoint_rather_than_a_false_zero() -> None:
    rows = {row.name: row for row in _example("the neuron").rows}
    assert rows["x"].adjoint is None
    assert rows["z"].adjoint == pytest.approx(-0.34978145, abs=1e-8)
    both = explain(NEURON, {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1.0}, ["w"], "both")
    assert "x       7.8           0             —" in text(both, 100)


# --- arrays at the point ------------------------------------------------------------------------------------------------

REGRESSION = "mean((w @ X + b - y)^2)"
SMALL_TABLE = {"w": [0.5, -1.0], "X": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]], "b": 1.0, "y": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    ("program", "at"),
    [
        ("w @ x", {"w": [1.0, 2.0], "x": [3.0, 4.0]}),
        (REGRESSION, SMALL_TABLE),
        ("h = tanh(W @ x); sum(h*[1, v])", {"W": [[0.1, 0.2], [0.3, 0.4]], "x": [1.0, 2.0], "v": 3.0}),
        ("softmax(x)[1]", {"x": [1.0, 2.0, 0.5]}),
    ],
)
def test_elements_of_arrays_are_inputs(program: str, at: dict[str, Any]) -> None:
    """The slopes by element are eval's gradient; the factors of every path multiply to them."""
    explanation, answer = explain(program, at), package.evaluate(program, at)
    assert explanation.value == pytest.approx(answer.value, rel=1e-15)
    for name, gradient in answer.gradient.items():
        own = [s.value for s in explanation.slopes if s.name == name or s.name.startswith(f"{name}[")]
        assert own == pytest.approx(
            list(package.evaluate(program, at, [name]).gradient[name].ravel())
            if hasattr(gradient, "ravel")
            else [gradient],
            rel=1e-13,
        )
    assert explanation.checked
    for width in (60, 80, 100):
        assert "w[0]" in text(explain(REGRESSION, SMALL_TABLE, ["w"]), width)


def test_what_to_differentiate_by_among_elements() -> None:
    assert explain(REGRESSION, SMALL_TABLE, ["w"]).wrt == ("w[0]", "w[1]")
    assert explain(REGRESSION, SMALL_TABLE, ["X[0,2]", "b"]).wrt == ("X[0, 2]", "b")
    assert explain("h = 2*w; sum(h^2)", {"w": [1.0, 2.0]}, ["h"]).wrt == ("h[0]", "h[1]")
    with pytest.raises(package.AutodiffError, match="no such name"):
        explain(REGRESSION, SMALL_TABLE, ["w[2]"])
    ended = autodiff("explain", "sum(A^2)", "--at", "A=[[1, 2], [3, 4]]", "--wrt", "A[0, 1],A[1,1]", "--format", "json")
    assert json.loads(ended.out)["wrt"] == ["A[0, 1]", "A[1, 1]"]
    assert r"A_{0,1}" in ended.out.replace("\\\\", "\\")
    moved = explain("w @ x", {"w": [1.0, 2.0], "x": [3.0, 4.0]}, ["w"], rate=0.1).update
    assert moved is not None
    assert moved.names["w[1]"] == (2.0, 2.0 - 0.1 * 4.0)


def test_a_corner_in_an_element_is_explained() -> None:
    ended = autodiff("explain", "sum(abs(x))", "--at", "x=[0, 2]")
    assert ended.status == 3
    assert "∂f/∂x[0] does not exist: -1 from the left, 1 from the right" in ended.out
    assert [s.value for s in explain("sum(abs(x))", {"x": [0.0, 2.0]}).slopes] == [None, 1.0]


def test_arrays_that_are_too_large_or_do_not_fit() -> None:
    for program, at, says in (
        ("sum(x^2)", "x=ones(900)", "the program grows beyond 1,000 operations"),
        ("A @ x", "A=[[1,2],[3,4]],x=[1,1]", "the result is an array of shape (2,)"),
        ("w @ x", "w=[1,2,3],x=[3,4]", "can't take shape (3,) and shape (2,)"),
    ):
        ended = autodiff("explain", program, "--at", at)
        assert (ended.status, says in ended.err) == (2, True), ended.err
    ended = autodiff("explain", "sum(x^2)", "--at", "x=ones(300)")
    assert (ended.status, len(ended.out) < 10_000) == (0, True)
    assert "write a vector as [w0, w1]" in autodiff("diff", "w @ x", "--wrt", "w").err
    drawn = autodiff("graph", "w @ x", "--at", "w=[1,2],x=[3,4]")
    assert "v1 = w[0]·x[0]" in drawn.out


def test_small_steps_never_contradict_a_proven_slope() -> None:
    """cos(x) is 1 at 1e-8 in float64, so that a small step sees nothing of (1 - cos(x))/x^2."""
    ended = process("explain", "(1-cos(x))/x^2", "--at", "x=1e-8")
    assert ended.status == 0
    assert "= -8.333333333333334e-10\n" in ended.out
    assert "these digits are proven" in ended.err
    assert "✓ nudge test" in ended.out
    assert "denied" not in ended.out
    ended = process("explain", "1/(1+exp(x))", "--at", "x=400")
    assert ended.status == 0
    assert "these digits are proven" in ended.err
    assert "= 0 × 1" not in ended.out


@pytest.mark.parametrize(
    ("program", "x"),
    [("sin(x)", "1e7"), ("1/(x-1)", "1.000001"), ("abs(x-1)", "1.000000001"), ("tanh(1e8*(x-1))", "1")],
)
def test_a_right_slope_is_never_denied(program: str, x: str) -> None:
    ended = process("explain", program, "--at", f"x={x}")
    assert (ended.status, "denied" in ended.out) == (0, False)


@pytest.mark.parametrize(
    ("program", "arrow", "number"),
    [
        ("1/(1 + exp(x))", ("v2", "f"), "-3.66787e-348"),
        ("exp(-x)*exp(-x)*exp(x)", ("v4", "f"), "3.66787e-348"),
        ("a = exp(-x); b = a*a; c = b*exp(x); c + 1e-200", ("a", "b"), ""),
    ],
)
def test_where_float64_ends_the_page_has_the_numbers_that_make_the_answer(
    program: str, arrow: tuple[str, str], number: str
) -> None:
    """e^-400 is 1.9e-174 and its square, 3.7e-348, is no float64; the slope is -e^-400 in all three."""
    explanation = explain(program, {"x": 400.0})
    assert explanation.slopes[0].value == pytest.approx(-1.9151695967140057e-174, rel=1e-14)
    assert next(a.beyond for a in explanation.drawing.arrows if (a.source, a.target) == arrow) == number
    assert explanation.forward[-1].value == explanation.value == pytest.approx(1.9151695967140057e-174, rel=1e-9)
    assert explanation.differences[0].agrees
    page = text(explanation, 100)
    assert "3 BACKWARD   " in page
    assert "3.66787e-348" in page
    assert not re.search(r"= 0$| 0$", page, re.MULTILINE)
    assert autodiff("explain", program, "--at", "x=400").status == 0


def test_a_point_beyond_float64_is_described_and_the_next_one_is_right() -> None:
    explanation = explain("exp(-x)/exp(-x)", {"x": 800.0})
    assert [(p.name, p.value, p.why) for p in explanation.forward[2:]] == [("v2", None, "3.66787e-348"), ("f", 1.0, "")]
    assert "v2 = e^v1   exponential    3.66787e-348\n" in text(explanation, 100)


@pytest.mark.parametrize(
    ("program", "at", "really"),
    [
        ("exp(x)/exp(x - 1)", "x=1000", "(really 0)"), ("binomial(x, x)", "x=3.141592653589793", "(really 0)"), ("binomial(x, x)", "x=0.7", "(really 0)"),
        ("Si(x)", "x=1e15", "(really -6.3152e-16)"), ("tanh(x)", "x=1", "(really 0.00041965)"),
    ],
)  # fmt: skip
def test_the_real_change_is_no_rounding(program: str, at: str, really: str) -> None:
    assert really in autodiff("explain", program, "--at", at).out


def test_a_difference_quotient_is_taken_near_the_point() -> None:
    assert "nudge test, h = 6e-03" in autodiff("explain", "erf(x)/x", "--at", "x=1e-9").out


def test_a_nudge_test_that_says_nothing_gives_its_reason() -> None:
    checked = autodiff("explain", "tanh(1e8*(x - 1))", "--at", "x=1").out
    assert re.search(r"nudge test, .* not judged: the step is too coarse here\n", checked)
