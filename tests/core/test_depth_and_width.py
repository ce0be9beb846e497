"""Deep, wide and long programs: the right value and slopes in both modes, without recursion, in linear memory."""

from __future__ import annotations

import math
import tracemalloc
from collections import Counter
from collections.abc import Sequence

import pytest

import autodiff
from autodiff.core import evaluate, templates
from autodiff.core.graph import Graph
from autodiff.core.linearize import linearize
from autodiff.core.lowering import lower
from autodiff.core.primitive import ZERO, Primitive
from autodiff.core.vjp import vjp
from autodiff.errors import Span
from tests.support.command import autodiff as command_line

N = 100_000


def _iterated_sine(x: float, times: int) -> tuple[float, float]:
    value, slope = x, 1.0
    for _ in range(times):
        value, slope = math.sin(value), slope * math.cos(value)
    return value, slope


CASES = {
    "nested calls": ("sin(" * N + "x" + ")" * N, 1.0, *_iterated_sine(1.0, N)),
    "nested brackets": ("(" * N + "x" + ")" * N, 3.0, 3.0, 1.0),
    "a long sum": ("+".join(["x"] * N), 0.5, 0.5 * N, float(N)),
    "a long sum of products": ("+".join(f"{i}*x" for i in range(N // 2)), 1.0, (N // 2 - 1) * (N // 2) / 2, None),
    "signs": ("-" * N + "x", 2.0, 2.0, 1.0),
    "powers": ("x^" * 1000 + "1", 1.0, 1.0, 1.0),
    "squarings": ("y0 = x;" + ";".join(f"y{i + 1} = y{i}*y{i}" for i in range(1000)), 1.0, 1.0, 2.0**1000),
    "statements": ("y0 = x;" + ";".join(f"y{i + 1} = y{i} + 1" for i in range(20_000)), 1.0, 20_001.0, 1.0),
    "conditions": ("if(x > 0, " * 10_000 + "x" + ", 1)" * 10_000, 2.0, 2.0, 1.0),
    "functions": ("f0(t) = t + 1;" + "".join(f"f{i + 1}(t) = f{i}(t) + f{i}(t);" for i in range(60)) + "f60(x)", 1.0, 2.0**61, 2.0**60),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_right_in_both_modes(name: str) -> None:
    text, x, value, slope = CASES[name]
    answer = autodiff.evaluate(text, {"x": x}, mode="both")
    assert answer.value is not None
    assert math.isclose(answer.value, value, rel_tol=1e-12)
    backward, onward = answer.gradient["x"], (answer.forward or {})["x"]
    assert backward is not None
    assert onward is not None
    assert math.isclose(backward, value if slope is None else slope, rel_tol=1e-10)
    assert math.isclose(backward, onward, rel_tol=1e-10)
    assert answer.checked


def test_shared_parts_are_equations_once() -> None:
    squarings = "y0 = x;" + ";".join(f"y{i + 1} = y{i}*y{i}" for i in range(64))
    assert len(lower(autodiff.parse(squarings)).graph) == 66
    assert len(lower(autodiff.parse("sin(x^2) + cos(x^2) + sin(x^2)")).graph) == 7


def test_memory_grows_linearly() -> None:
    def peak(terms: int) -> int:
        text = "+".join(f"tanh(x + {i})" for i in range(terms))
        tracemalloc.start()
        autodiff.evaluate(text, {"x": 0.5})
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(2000) < 5 * peak(500)


def _rosenbrock(n: int) -> tuple[str, dict[str, float]]:
    terms = (f"100*(x{i + 1}-x{i}^2)^2 + (1-x{i})^2" for i in range(n - 1))
    return " + ".join(terms), {f"x{i}": 0.5 + 0.1 * (i % 7) for i in range(n)}


def test_ten_thousand_variables() -> None:
    """Rosenbrock's sum: every slope, against its formula."""
    text, at = _rosenbrock(10_000)
    answer = autodiff.evaluate(text, at)
    x = list(at.values())
    assert answer.checked
    for i in (0, 1, 2, 5000, 9998, 9999):
        ahead = -400 * x[i] * (x[i + 1] - x[i] ** 2) - 2 * (1 - x[i]) if i < 9999 else 0.0
        behind = 200 * (x[i] - x[i - 1] ** 2) if i else 0.0
        slope = answer.gradient[f"x{i}"]
        assert slope is not None
        assert math.isclose(slope, ahead + behind, rel_tol=1e-12, abs_tol=1e-10)


def _executed(row: Primitive, k: int, args: Sequence[float], held: templates.StaticArgs) -> int:
    """The operations that the text of a slope takes at these arguments, what it asks before it chooses included."""
    params, done = (*row.params, "w"), 0
    text = templates.template(row.partials[k], params)
    known, _ = templates.fold_static_args(text.graph, (text.result,), params, held)
    given = dict(zip(params, args, strict=True))

    def apply(node: int, numbers: Sequence[float]) -> float:
        nonlocal done
        done += node not in known
        return evaluate.number(text.graph, node, numbers)

    def leaf(node: int) -> float:
        return text.graph.constants.get(node, given.get(text.graph.inputs.get(node, ""), math.nan))

    evaluate.sweep(text.graph, text.result, leaf, apply, bool)
    return done


@pytest.mark.parametrize(
    ("text", "at"),
    [
        _rosenbrock(300),
        ("sin(" * 3000 + "x" + ")" * 3000, {"x": 1.0}),
        ("*".join(["x"] * 3000), {"x": 1.0}),
        ("(" * 3000 + "x" + "^2)" * 3000, {"x": 1.0}),
        (" + ".join(f"x^{k % 9 - 4}" for k in range(3000)), {"x": 0.5}),
        (" + ".join(f"x{k}^3*x{k + 1}^-2" for k in range(999)), {f"x{k}": 0.5 + 0.01 * k for k in range(1000)}),
    ],
    ids=["rosenbrock", "nested", "product", "nested powers", "powers of one", "powers of many"],
)
def test_all_slopes_take_at_most_four_times_the_operations_of_the_value(
    text: str, at: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted: what the texts of local slopes execute, and every product and sum of the sweep over them."""
    counted: Counter[str] = Counter()
    slopes = templates.partials

    class Counting(float):
        """A number that counts the products and sums that are made with it."""

        def __mul__(self, other: float) -> Counting:
            counted["slopes"] += 1
            return Counting(float(self) * float(other))

        def __add__(self, other: float) -> Counting:
            counted["slopes"] += 1
            return Counting(float(self) + float(other))

        __rmul__, __radd__ = __mul__, __add__

    def counted_slopes(row: Primitive, moving: tuple[object, ...], held: templates.StaticArgs = ()) -> templates.Edges:
        texts = [k for k, slope in enumerate(row.partials) if moving[k] and slope != ZERO]

        def run_once(to: Sequence[int], *given: float) -> list[tuple[int, float]]:
            counted["slopes"] += sum(_executed(row, k, given, held) for k in texts)
            return [(arg, Counting(slope)) for arg, slope in slopes(row, moving, held)(to, *given)]

        return run_once

    lowered = lower(autodiff.parse(text))
    run = evaluate.primal(lowered, at)
    counted["value"] = sum(lowered.graph.rows[node] is not None for node in run.order)
    monkeypatch.setattr(templates, "partials", counted_slopes)
    sources = [node for name in at if (node := lowered.node(name)) is not None]
    assert len(vjp(lowered.result, linearize(lowered, run, sources), sources)) > len(sources)
    assert counted["value"] > 1000
    assert counted["value"] < counted["slopes"] <= 4 * counted["value"], counted


def test_equal_deep_programs_compare_without_recursion() -> None:
    deep = "sin(" * 20_000 + "x" + ")" * 20_000
    assert autodiff.parse(deep) == autodiff.parse("sin( " * 20_000 + "x" + ")" * 20_000)
    assert autodiff.parse(deep) != autodiff.parse(deep.replace("x", "y"))
    assert len(repr(autodiff.parse(deep))) < 100


def _doubling(times: int) -> str:
    """Functions that call each other twice, with different arguments."""
    lines = [f"f{i + 1}(t) = sin(f{i}(f{i}(t)))" for i in range(times)]
    return "\n".join(["f0(t) = sin(t) + t", *lines, f"f{times}(x)"])


_COMMANDS = [["eval", "--at", "x=0.3"], ["diff"], ["explain"], ["graph"], ["export", "--to", "c"]]


@pytest.mark.parametrize(
    ("command", "times"), [*((command, times) for command in _COMMANDS for times in (16, 60)), (_COMMANDS[0], 2_000)]
)
def test_functions_that_double_are_refused_before_they_are_inlined(command: list[str], times: int) -> None:
    made: list[int] = []

    class Counted(Graph):
        def __init__(self) -> None:
            super().__init__()
            made.append(0)

        def call(self, row: Primitive, args: tuple[int, ...], span: Span = (0, 0)) -> int:
            made[-1] += 1
            return super().call(row, args, span)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autodiff.core.lowering.Graph", Counted)
        ended = command_line(*command, _doubling(times))
    assert (ended.status, ended.out) == (2, "")
    assert "operations when its functions are inlined" in ended.err
    assert max(made) < 25_000 + 100 * times


def test_functions_that_double_a_few_times_and_deep_nests_of_functions_are_answered() -> None:
    assert autodiff.evaluate(_doubling(8), {"x": 0.3}).status == "ok"
    nest = "\n".join(["f0(t) = sin(t)", *(f"f{i + 1}(t) = sin(f{i}(t))" for i in range(30_000)), "f30000(x)"])
    assert len(lower(autodiff.parse(nest)).graph) == 30_002
    calls = "f(a, b) = (a - b)^2*exp(a*b); " + " + ".join(f"f(x, {i}.5)" for i in range(10_000))
    assert lower(autodiff.parse(calls)).inputs == ("x",)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["eval", "sum(ones(1e8)*x)", "--at", "x=2"], "an array can't have the shape (100000000,)"),
        (["eval", "sum(zeros(1e4, 1e4)*x)", "--at", "x=2"], "an array can't have the shape (10000, 10000)"),
        (["eval", "sum(ones(1e12)*x)", "--at", "x=2"], "an array can't have the shape (1000000000000,)"),
        (["eval", "sum(ones(1e6, 1)*(ones(1, 1e6)*x))", "--at", "x=2"], "u * v would be an array of shape (1000000, 1000000)"),
        (["eval", "sum(ones(1e5, 1) @ ones(1, 1e5))*x", "--at", "x=2"], "u @ v would be an array of shape (100000, 100000)"),
        (["diff", "sum(ones(1e5)*x)"], "written out by elements, the program grows beyond 20,100 operations"),
        (["export", "sum(ones(1e5)*x)", "--to", "c"], "written out by elements, the program grows beyond 20,100 operations"),
        (["diff", "sum(ones(900, 1)*ones(1, 900)*x)"], "written out by elements, the program grows beyond 20,160 operations"),
        (["diff", "sum((ones(60, 60)*x) @ (ones(60, 60)*x))"], "written out by elements, the program grows beyond 20,120 operations"),
    ],
)  # fmt: skip
def test_arrays_are_refused_by_their_size_before_they_are_made(command: list[str], message: str) -> None:
    tracemalloc.start()
    ended = command_line(*command)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {message}")
    assert peak < 60_000_000


def test_arrays_that_are_large_but_allowed_have_their_slope() -> None:
    assert autodiff.evaluate("sum(ones(1e6)*x)", {"x": 2.0}).gradient["x"] == 1e6
    assert str(autodiff.derivative("sum(ones(1e4)*x)")) == "10000"
