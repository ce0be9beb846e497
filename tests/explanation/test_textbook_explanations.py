"""Explanations of losses, softmax, a network and textbook functions read like a textbook's, at 80 columns."""

from __future__ import annotations

import json
import math
import os
import re
from typing import Any

import pytest

import autodiff as package
from autodiff.core import prelude
from autodiff.explanation.build import explain
from autodiff.explanation.model import Explanation
from autodiff.render.text.document import text
from tests.support.command import autodiff
from tests.support.paths import GOLDEN

TEXTBOOK = GOLDEN / "textbook.txt"

Case = tuple[str, dict[str, Any], list[str] | None]

LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "mse": ("y, p", {"y": 1.0, "p": 1.5}),
    "mae": ("y, p", {"y": 1.0, "p": 1.5}),
    "rmse": ("y, p", {"y": [1.0, 2.0], "p": [1.5, 4.0]}),
    "huber": ("y, p, 1", {"y": 1.0, "p": 1.5}),
    "logcosh": ("y, p", {"y": 1.0, "p": 1.5}),
    "bce": ("y, p", {"y": 1.0, "p": 0.7}),
    "bce_logits": ("y, z", {"y": 1.0, "z": 0.5}),
    "cross_entropy": ("y, p", {"y": [0.0, 1.0, 0.0], "p": [0.2, 0.7, 0.1]}),
    "hinge": ("y, s", {"y": 1.0, "s": 0.5}),
    "kl": ("y, p", {"y": [0.4, 0.6], "p": [0.5, 0.5]}),
    "exponential": ("y, s", {"y": 1.0, "s": 0.5}),
    "gini": ("p", {"p": [0.4, 0.6]}),
    "entropy": ("p", {"p": [0.4, 0.6]}),
    "information_gain": ("[a, 1 - a], [b, 1 - b], [c, 1 - c], 0.5", {"a": 0.5, "b": 0.8, "c": 0.2}),
    "wcss": ("x, c", {"x": [[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]], "c": [[0.0, 0.0], [5.0, 4.0]]}),
    "l1": ("w", {"w": [3.0, -4.0]}),
    "l2": ("w", {"w": [3.0, -4.0]}),
}

FUNCTIONS: dict[str, dict[str, Any]] = {
    "3x^2 - 5x + 2": {"x": 2.0},
    "x + sin(x) + x^2 + 3x": {"x": 2.0},
    "sqrt(x^2 + 1)": {"x": 2.0},
    "sin(x)*cos(x)": {"x": 0.5},
    "sin(x)/x": {"x": 2.0},
    "e^(-x^2)": {"x": 0.5},
    "ln(x^2 + 1)": {"x": 2.0},
    "x^x": {"x": 2.0},
    "a^x": {"a": 3.0, "x": 2.0},
    "x^y": {"x": 2.0, "y": 3.0},
    "2^x": {"x": 3.0},
    "tan(x)": {"x": 0.5},
    "atan(x/y)": {"x": 1.0, "y": 2.0},
    "1/(1 + e^(-x))": {"x": 0.5},
    "relu(x)*3": {"x": 2.0},
    "abs(x)": {"x": 0.0},
    "if(x > 0, x^2, -x)": {"x": 3.0},
    "(x^2 + 1)^5": {"x": 1.0},
    "x*e^x*sin(x)": {"x": 1.0},
    "norm(x)": {"x": [3.0, 4.0]},
}

NEURON_POINT = {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1.0}

WEIGHTS = {f"w{i}{j}": (3 * i + j) / 10 - 0.8 for i in (1, 2, 3) for j in (1, 2, 3)} | {
    **{f"b{i}": i / 10 for i in (1, 2, 3)},
    **{f"v{i}": 0.5 - i / 4 for i in (1, 2, 3)},
}
HIDDEN = "; ".join(f"h{i} = tanh(w{i}1*x1 + w{i}2*x2 + w{i}3*x3 + b{i})" for i in (1, 2, 3))
NETWORK = f"{HIDDEN}; yhat = sigmoid(v1*h1 + v2*h2 + v3*h3); L = bce(y, yhat)"

CASES: dict[str, Case] = {
    **{name: (f"L = {name}({args})", at, None) for name, (args, at) in LOSSES.items()},
    "a neuron": ("z = w*x + b; yhat = sigmoid(z); L = bce(y, yhat)", NEURON_POINT, ["w", "b"]),
    "a neuron in one line": ("bce(y, sigmoid(w*x + b))", NEURON_POINT, ["w", "b"]),
    "softmax with cross-entropy": (
        "p = softmax(z); L = cross_entropy(y, p)",
        {"z": [1.0, 2.0, 0.5], "y": [0.0, 1.0, 0.0]},
        ["z"],
    ),
    "a network": (NETWORK, {**WEIGHTS, "x1": 1.0, "x2": 2.0, "x3": -1.0, "y": 1.0}, list(WEIGHTS)),
    **{program: (program, at, None) for program, at in FUNCTIONS.items()},
}


def _explained(name: str) -> Explanation:
    program, at, wrt = CASES[name]
    return explain(program, at, wrt)


def test_every_loss_of_the_prelude_is_here() -> None:
    assert set(LOSSES) == prelude.names()


def test_the_pages_are_the_recorded_ones() -> None:
    """`UPDATE_GOLDEN=1 pytest tests/explanation/test_textbook_explanations.py` writes the file anew; then it must be read."""
    pages = "".join(f"##### {name}\n{text(_explained(name), 80)}\n\n" for name in CASES)
    if os.environ.get("UPDATE_GOLDEN"):
        TEXTBOOK.write_text(pages, encoding="utf-8")
    assert pages == TEXTBOOK.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_no_page_names_what_was_neither_typed_nor_shown(name: str) -> None:
    explanation = _explained(name)
    page = text(explanation, 80)
    assert max(map(len, page.split("\n"))) <= 80
    assert not re.search(r"xlogy|logistic_loss|log1p|expm1|\bt1\b", page)
    assert "…" not in page
    if "logsumexp" not in CASES[name][0]:
        assert "logsumexp" not in page
    places = {place.name for place in explanation.forward}
    assert set(re.findall(r"\bv\d+\b", page)) <= places
    for line in page.split("\n"):
        assert not re.fullmatch(r"\s*◀.*", line)
        assert "◀" not in line or re.search(r"[d∂].*/[d∂].* ◀", line)
    for step in (step for block in explanation.blocks for step in block.steps):
        assert all(word in page for word in step.factor.rule.split())
        assert "…" not in step.factor.rule


@pytest.mark.parametrize("name", CASES)
def test_factors_multiplied_are_the_answer(name: str) -> None:
    """Per name: the product along each path, added; read back from JSON, as every formula is at its point."""
    data = json.loads(json.dumps(_explained(name).to_dict(), allow_nan=False))
    answer = package.evaluate(*CASES[name][:2])
    assert data["value"] == pytest.approx(answer.value, rel=1e-15)
    known = {place["name"]: place["value"] for place in data["forward"] if place["value"] is not None}
    for slope in data["slopes"]:
        if slope["value"] is None or not slope["paths"]:
            continue
        blocks = [block for block in data["blocks"] if block["path"] and block["to"] == slope["name"]]
        if slope["chain"]:
            total = math.prod(factor["value"] for factor in slope["chain"])
        else:
            total = sum(math.prod(step["factor"]["value"] for step in block["steps"]) for block in blocks)
        if slope["listed"] == slope["paths"]:
            assert math.isclose(total, slope["value"], rel_tol=1e-12, abs_tol=1e-15), slope["name"]
        for formula in (slope["short"], slope["formula"]):
            if formula is not None:
                assert math.isclose(_value(formula["formula"], known), slope["value"], rel_tol=1e-9, abs_tol=1e-12)
    factors = (step["factor"] for block in data["blocks"] for step in block["steps"])
    for factor in (factor for factor in factors if factor["slope"]["formula"]):
        assert math.isclose(_value(factor["slope"]["formula"], known), factor["value"], rel_tol=1e-9, abs_tol=1e-12)


def _value(formula: str, known: dict[str, float]) -> float:
    """A formula of the steps at their numbers; an element of an array is a name of its own."""
    names = sorted(known, key=len, reverse=True)
    plain = {name: re.sub(r"\W+", "_", f"n{name}") for name in names}
    for name in names:
        formula = re.sub(rf"(?<![\w\]]){re.escape(name)}(?![\w\[])", plain[name], formula)
    at = {plain[name]: value for name, value in known.items() if re.search(rf"\b{plain[name]}\b", formula)}
    value = package.evaluate(formula, at).value
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(
    ("program", "at", "wrt", "short"),
    [
        ("z = w*x + b; yhat = sigmoid(z); L = bce(y, yhat)", NEURON_POINT, ["w"], "(yhat - y)*x"),
        (
            "p = softmax(z); cross_entropy(y, p)",
            {"z": [1.0, 2.0, 0.5], "y": [0.0, 1.0, 0.0]},
            ["z[1]"],
            "p[1] - y[1]",
        ),
        ("p = softmax([a, b, c]); L = -log(p[1])", {"a": 1.0, "b": 2.0, "c": 0.5}, ["b"], "p[1] - 1"),
        ("cross_entropy([0, 1, 0], softmax([a, b, c]))", {"a": 1.0, "b": 2.0, "c": 0.5}, ["b"], "v2 - 1"),
        (
            "h = tanh(a*x + b*z + c); p = sigmoid(v*h); L = bce(y, p)",
            {"a": 0.3, "x": 1.5, "b": 0.2, "z": 2.0, "c": 0.1, "v": 0.7, "y": 1.0},
            ["a"],
            "v*(p - y)*x*(1 - h^2)",
        ),
        (
            "cross_entropy(y, softmax(z))",
            {"z": [[1.0, 2.0], [0.5, 1.0]], "y": [[0.0, 1.0], [1.0, 0.0]]},
            ["z[1, 0]"],
            "v3/2 - y[1, 0]/2",
        ),
        (
            "p = w*x + b; L = mse(y, p)",
            {"w": 0.5, "x": [1.0, 2.0, 2.0], "y": [1.0, 0.0, 1.0], "b": 0.1},
            ["w"],
            "2*(x[0]*(p[0] - y[0]) + x[1]*(p[1] - y[1]) + x[2]*(p[2] - y[2]))/3",
        ),
    ],
)
def test_the_answer_is_the_lectures(program: str, at: dict[str, Any], wrt: list[str], short: str) -> None:
    (slope,) = explain(program, at, wrt).slopes
    assert slope.short is not None
    assert slope.short.formula == short


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_results_of_the_textbook_stand_beside_many_slopes(form: str) -> None:
    """Also where slopes of the target itself are asked for."""
    program, at = "p = softmax(z); L = cross_entropy(y, p)", "y=[0,1,0],z=[1,2,0.5]"
    done = autodiff("explain", program, "--at", at, "--format", form)
    assert len(re.findall(r"p(?:\[1\]|_\{1\}) - y(?:\[1\]|_\{1\}).*since y", done.out)) == 1
    assert "-0.37146828078823746" in done.out


@pytest.mark.parametrize("width", [60, 80])
def test_no_formula_of_an_arrow_is_cut(width: int) -> None:
    page = text(explain("L = huber(y, p, 1)", {"y": [1.0, 2.0], "p": [2.5, 1.5]}), width)
    drawn = re.sub(r"[●│ \n]+", " ", page.partition(" 2 GRAPH")[2].partition("BACKWARD")[0])
    assert "y[0] ─▶ L (y[0] - p[0] if abs(y[0] - p[0]) <= 1, else sign(y[0] - p[0]))/2 = -0.5" in drawn
    assert "…" not in page


def test_the_answer_has_a_formula_of_several_lines() -> None:
    at = {"w": 0.5, "x": [1.0, 2.0, 2.0], "y": [1.0, 0.0, 1.0], "b": 0.1}
    lines = text(explain("L = bce_logits(y, w*x + b)", at, ["w"]), width=80).splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith(" ANSWER"))
    shown = " ".join(line.strip() for line in lines[first : first + 4])
    assert shown.count("σ(w·x[") == 3
    assert "= 0." in shown


def test_a_target_that_does_not_sum_to_one_has_no_such_shortcut() -> None:
    (slope,) = explain("p = softmax(z); cross_entropy(y, p)", {"z": [1.0, 2.0], "y": [0.5, 1.0]}, ["z[0]"]).slopes
    assert slope.because == ""


@pytest.mark.parametrize(
    ("program", "at", "name", "slope"),
    [
        ("logcosh(y, p)", {"y": 1.0, "p": 1.5}, "p", "tanh(p - y)"),
        ("p = softmax(z); p[0]", {"z": [1.0, 2.0]}, "z[0]", "p[0]*(1 - p[0])"),
        ("p = softmax(z); p[0]", {"z": [1.0, 2.0]}, "z[1]", "-p[0]*p[1]"),
        ("f = logsumexp(z)", {"z": [1.0, 2.0, 3.0]}, "z[1]", "exp(z[1] - f)"),
        ("huber(y, p, 1)", {"y": [1.0, 2.0], "p": [1.5, 4.0]}, "p[1]", "if(abs(p[1] - y[1]) <= 1, p[1] - y[1], sign(p[1] - y[1]))/2"),
    ],
)  # fmt: skip
def test_a_call_is_one_step_with_its_textbook_slope(program: str, at: dict[str, Any], name: str, slope: str) -> None:
    steps = [step for block in explain(program, at, [name]).blocks for step in block.steps]
    assert slope in [step.factor.slope.formula for step in steps]
    opened = explain(program, at, [name], expand=[re.findall(r"\w+(?=\()", program)[0]])
    assert len(opened.forward) > len(explain(program, at, [name]).forward)


@pytest.mark.parametrize(
    ("program", "at", "wrt", "beside"),
    [
        ("p = softmax(z); p[0]", {"z": [1.0, 2.0, 0.5]}, ["z[1]"], {"p[1]": "softmax(z)[1]"}),
        ("p = softmax([a, b]); L = -log(p[1])", {"a": 1.0, "b": 2.0}, None, {"p[0]": "softmax([a, b])[0]"}),
        ("softmax([a, b])[0]^2", {"a": 1.0, "b": 2.0}, None, {"v2": "softmax([a, b])[1]"}),
        ("softmax(z)[0]*v1", {"z": [1.0, 2.0], "v1": 3.0}, ["z[0]"], {}),
    ],
)
def test_every_value_that_a_slope_names_is_shown(
    program: str, at: dict[str, Any], wrt: list[str] | None, beside: dict[str, str]
) -> None:
    explanation = explain(program, at, wrt)
    shown = {place.name: place for place in explanation.forward}
    slopes = [step.factor.slope.formula for block in explanation.blocks for step in block.steps]
    named = {name for text in slopes for name in re.findall(r"[^\W\d]\w*(?:\[\d+\])?(?!\w*\()", text)}
    assert named <= shown.keys()
    vertices = {vertex.name for vertex in explanation.drawing.vertices}
    assert {name: place.text for name, place in shown.items() if name not in vertices} == beside
    for name, call in beside.items():
        value = package.evaluate(call, {key: at[key] for key in at if key != "v1"}).value
        assert shown[name].value == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("program", "step"),
    [
        ("det([[a, 2], [3, b]])", "f = det([[a, 2], [3, b]])"), ("max([[a, 1], [2, b]])", "f = max([[a, 1], [2, b]])"),
        ("det([[a,1,2,4],[3,4,5,6],[6,7,8,9],[1,b,2,3]])", "f = det([[a, 1, 2, 4], [3, 4, 5, 6], …, [1, b, 2, 3]])"),
        ("max([a, 1, 2, 3, 4, 5, b])", "f = max([a, 1, …, b])"),
    ],
)  # fmt: skip
def test_a_matrix_in_a_call_keeps_its_rows(program: str, step: str) -> None:
    assert step in text(explain(program, {"a": 5.0, "b": 7.0}), 120)


def test_a_long_slope_with_choices_is_that_of_the_branches_taken() -> None:
    at = {"x": [[0.0, 0.0], [5.0, 5.0]], "c": [[0.0, 1.0], [5.0, 4.0]]}
    slope = explain("wcss(x, c)", at, ["c[1, 1]"]).blocks[0].steps[-1].factor.slope
    assert (slope.formula, slope.pretty) == ("2*(c[1, 1] - x[1, 1])", "2·(c[1, 1] - x[1, 1]) here")


def test_a_power_of_itself_has_two_arrows() -> None:
    explanation = explain("y = x^x; sin(y)", {"x": 2.0})
    assert [arrow.target for arrow in explanation.drawing.arrows if arrow.source == "x"] == ["base", "exponent"]
    rules = {step.factor.by: step.factor.rule for block in explanation.blocks for step in block.steps}
    assert (rules["base"], rules["exponent"]) == ("power rule", "exponential rule")
    assert explanation.slopes[0].value == package.evaluate("y = x^x; sin(y)", {"x": 2.0}).gradient["x"]
    names = [place.name for place in explain("base^base + (base+1)^(base+1)", {"base": 2.0}).forward]
    assert {"base2", "exponent2", "base3", "exponent3"} <= set(names)


def test_paths_come_in_the_order_of_the_text() -> None:
    paths = [block.path for block in explain("x^2 + x + 3x + sin(x)", {"x": 2.0}).blocks]
    assert paths == [("x", "v1", "f"), ("x", "f"), ("x", "v2", "f"), ("x", "v3", "f")]


def test_many_terms_of_a_sum_are_folded() -> None:
    page = text(explain("a + b + c + d + g", dict.fromkeys("abcdg", 1.0)), 80)
    assert "+ 3 more that are plain sums, with the slope of their sum: c, d, g" in page


def test_a_network_is_drawn_without_its_weights() -> None:
    page = text(_explained("a network"), 80)
    drawing = page[page.index("2 GRAPH") : page.index("3 BACKWARD")]
    assert all(f"h{i} = tanh(" in drawing for i in (1, 2, 3))
    assert "yhat = sigmoid(v1*h1 + v2*h2 + v3*h3)" in drawing
    assert "inputs not drawn" in drawing
    assert "more steps" not in drawing


@pytest.mark.parametrize(
    ("program", "x"),
    [("sin(1e7*x)", 1.0), ("sin(x)^2 + cos(x)^2 + 1e-9*x", 1.0), ("1e-12*x + cos(1e5*x)", 0.0), ("exp(x)", 700.0)],
)
def test_the_nudge_test_never_denies_a_right_slope(program: str, x: float) -> None:
    (difference,) = explain(program, {"x": x}).differences
    assert difference.agrees is not False


def test_the_nudge_test_denies_a_wrong_slope_with_a_bound() -> None:
    from autodiff.explanation import build, finite_differences  # the parts that are bent

    kept = finite_differences._sure
    try:
        finite_differences._sure = lambda analysis: [(n, s * 1.01, h) for n, s, h in kept(analysis)]
        (difference,) = build.explain("sin(x^2)", {"x": 1.5}).differences
    finally:
        finite_differences._sure = kept
    assert difference.agrees is False
    assert difference.bound is not None


@pytest.mark.parametrize(
    ("program", "x", "change"),
    [
        ("1e16 + x", 1.0, 1e-3), ("(1 - cos(x))/x^2", 1e-8, -8.3375e-21), ("(x + 1e8)^2", 0.1, 20000.0), ("tanh(x)", 18.0, 9.1859e-18),
        ("1 + 1e-17*x", 1.0, 1e-20), ("sin(x^2)", 2.0, -0.0026092), ("x^2", 0.0, 1e-6),
    ],
)  # fmt: skip
def test_what_a_step_really_does_is_no_rounding(program: str, x: float, change: float) -> None:
    """The difference of two numbers of float64 may have no right digit, though each of them has 16."""
    (meaning,) = explain(program, {"x": x}).meanings
    assert meaning.actual == pytest.approx(change, rel=2e-5)


def test_beside_the_least_numbers_there_are_no_smaller_steps() -> None:
    assert explain("u = x + x; if(u > x, u^2, u) + (x - x)", {"x": 1e-320}).status == "ok"
