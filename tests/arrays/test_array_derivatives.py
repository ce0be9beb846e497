"""Arrays: every row over shapes, both modes, orders 1 and 2; two engines that share only the table agree; corners are reported.

The NumPy sweeps (`array_sweeps`) are compared with the program written out over plain numbers (`flatten`) and with central
differences; a tangent carried up and an adjoint carried down give one number (the dot-product identity).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as package
from autodiff.api.answer import nested
from autodiff.api.evaluate import equations
from autodiff.arrays import algebra, functions, linearize, ufuncs
from autodiff.arrays.algebra import ArrayTrace
from autodiff.arrays.scalarize import flatten
from autodiff.arrays.shapes import elements
from autodiff.core import rules, templates
from autodiff.core.evaluate import primal
from autodiff.core.linearize import linearize as linearize_numbers
from autodiff.core.lowering import Lowered, lower
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, UNDEFINED, ZERO, Primitive, literal
from autodiff.core.vjp import vjp
from autodiff.errors import AutodiffError
from tests.support import graphs
from tests.support.cached_rows import forget_rows
from tests.support.command import autodiff, python
from tests.support.reference import arguments, ulps

Point = dict[str, Any]
SHAPES = {"scalar": (), "vector": (3,), "matrix": (2, 3), "cube": (2, 2, 3)}


def lowered_program(text: str) -> Lowered:
    lowered = lower(package.parse(text))
    graphs.check(lowered.graph)
    return lowered


def _gradients(lowered: Lowered, point: Point) -> tuple[Any, dict[str, Any], ArrayTrace]:
    """Value and gradient of a program by the NumPy sweeps."""
    run = algebra.evaluate(lowered, point)
    names = {name: lowered.node(name) for name in point if name in lowered.inputs}
    adjoints = algebra.vjp(run, [node for node in names.values() if node is not None])
    zeros = {name: np.zeros(np.shape(point[name])) for name in names}
    return run.values[lowered.result], {n: zeros[n] + _at(adjoints, names[n]) for n in names}, run


def _at(adjoints: Mapping[int, Any], node: int | None) -> Any:
    """The adjoint of an equation; 0 where none flows."""
    return 0.0 if node is None else adjoints.get(node, 0.0)


def _written_out(lowered: Lowered, point: Point) -> tuple[float, dict[str, Any]]:
    """Value and gradient of the same program over plain numbers."""
    flat = flatten(lowered, {name: np.shape(value) for name, value in point.items()})
    assert flat is not None
    graphs.check(flat.lowered.graph)
    numbers = {e: v for n, value in point.items() for e, v in zip(elements(n, np.shape(value)), np.ravel(value).tolist(), strict=True)}  # fmt: skip
    run = primal(flat.lowered, numbers)
    sources = [n for n in map(flat.lowered.node, numbers) if n is not None]
    adjoints = vjp(flat.lowered.result, linearize_numbers(flat.lowered, run, sources), sources)
    found = {
        name: np.reshape([_at(adjoints, flat.lowered.node(e)) for e in elements(name, np.shape(v))], np.shape(v))
        for name, v in point.items()
        if name in lowered.inputs
    }
    return run.values[flat.lowered.result], found


def agree(text: str, point: Point, *, difference: bool = True) -> None:
    """Reverse = written out = forward = central difference, for one program of numbers out of arrays."""
    lowered = lowered_program(text)
    point = {name: value for name, value in point.items() if name in lowered.inputs}
    value, gradient, run = _gradients(lowered, point)
    other, plain = _written_out(lowered, point)
    assert value == pytest.approx(other, rel=1e-12, abs=1e-13)
    for name, slope in gradient.items():
        assert np.shape(slope) == np.shape(point[name])
        assert slope == pytest.approx(plain[name], rel=1e-10, abs=1e-11), (text, name)
    chance = np.random.default_rng(3)
    along = {name: chance.uniform(-1, 1, np.shape(v)) if np.shape(v) else 0.7 for name, v in point.items()}
    seeds = {lowered.node(name): direction for name, direction in along.items()}
    moved = algebra.jvp(run, {node: seed for node, seed in seeds.items() if node is not None}).get(lowered.result)
    product = sum(float(np.sum(along[name] * gradient[name])) for name in gradient)
    assert (0.0 if moved is None else moved) == pytest.approx(product, rel=1e-9, abs=1e-11), text
    if difference:
        step = 1e-6
        ends = [algebra.evaluate(lowered, {n: v + s * step * along[n] for n, v in point.items()}).values[lowered.result] for s in (1, -1)]  # fmt: skip
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(product, rel=2e-6, abs=2e-6), text


# --- every row ----------------------------------------------------------------------------------------------------------


def _inside(row: Primitive, chance: np.random.Generator, shapes: list[tuple[int, ...]]) -> list[Any] | None:
    """Arguments of these shapes inside the row's domain, away from its corners; None when there are none at hand."""
    for low, high in ((0.2, 0.8), (1.2, 2.5), (-0.8, 0.8)):
        for _ in range(20):
            args = [chance.uniform(low, high, shape) if shape else float(chance.uniform(low, high)) for shape in shapes]
            if row.name == "clamp":
                args[1], args[2] = args[1] - 1, args[1]
            if row.params[0] == "n" and row.kind == ELEMENTWISE:
                args = [1.0 if name in ("n", "m") else arg for name, arg in zip(row.params, args, strict=True)]
            if all(np.all(holds(*args)) for holds, _ in functions.domain(row)):
                return args
    return None


EACHWISE = [
    row
    for row in rules.rows()
    if row.kind == ELEMENTWISE and row.branches is None and not row.is_predicate and {*row.partials} != {UNDEFINED}
]


@pytest.mark.parametrize("row", EACHWISE, ids=lambda row: f"{row.name} {row.arity}")
@pytest.mark.parametrize("case", ["vector", "matrix", "broadcast"])
def test_elementwise_rows(row: Primitive, case: str) -> None:
    chance = np.random.default_rng(1)
    shapes = [SHAPES[case] if case in SHAPES else [(2, 1), (3,), ()][k % 3] for k in range(row.arity)]
    args = _inside(row, chance, shapes)
    assert args is not None
    point = dict(zip(row.params, args, strict=True)) | {
        "q": chance.uniform(0.5, 1.5, (2, 3) if case != "vector" else (3,))
    }
    call = row.signature.replace(", …", "")
    for name, slope in zip(row.params, row.partials, strict=True):
        if slope == UNDEFINED:
            call = call.replace(f"{name},", "1,")
    agree(f"sum(q*{call})", point)
    if UNDEFINED in row.partials:
        return
    for slope in row.partials:  # the slope is a program too: order 2, where it has one itself
        rows = templates.template(slope, (*row.params, "w")).graph.rows
        if slope != ZERO and not any(inner is not None and UNDEFINED in inner.partials for inner in rows):
            agree(f"w = {call}; sum(q*({slope}))", point)


def test_a_slope_of_a_softmax_that_is_rounded_to_one_has_its_digits() -> None:
    near_one = {"x": [1.0, 2.0, 40.0]}
    assert package.evaluate("softmax(x)[2]", near_one).gradient["x"] == pytest.approx(
        [-1.1548224173015785e-17, -3.1391327920480296e-17, 4.2939552093496076e-17], rel=1e-12
    )
    answer = package.evaluate("log_softmax(x)[2]", near_one)
    assert answer.value == pytest.approx(-4.293955209349608e-17, rel=1e-12)
    assert answer.gradient["x"][2] == pytest.approx(4.293955209349608e-17, rel=1e-12)


def test_an_argument_without_a_slope_has_none_in_arrays() -> None:
    answer = package.evaluate("sum(polygamma(n, x))", {"n": [1.0, 2.0], "x": [1.0, 2.0]})
    assert answer.status == "domain"
    assert np.isnan(answer.gradient["n"]).all()
    assert answer.gradient["x"] == pytest.approx([-2.4041138063191885, 0.49393940226682914])


FOLDS = [row for row in rules.rows() if row.kind == REDUCTION]


@pytest.mark.parametrize("row", FOLDS, ids=lambda row: row.signature)
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 2, 3)], ids=str)
def test_reductions(row: Primitive, shape: tuple[int, ...]) -> None:
    chance = np.random.default_rng(2)
    point = {name: chance.uniform(-2, 2, shape) for name in row.params if name != "axis"} | {"q": 1.5}
    for axis in range(-1, len(shape)) if row.params[-1] == "axis" else [0]:
        call = row.signature.replace("axis", str(axis))
        agree(f"sum(sin({call})*(1 + u[0]))" if len(shape) == 1 else f"sum(sin({call}))", point)
        gradient = row.partials[0].replace("axis", str(axis))
        if gradient != ZERO and row.params[-1] != "axis":
            agree(f"w = {call}; sum(cos(u)*({gradient}))", point)


LINEAR = [
    ("u @ v", (3,), (3,)), ("u @ v", (2, 3), (3,)), ("u @ v", (2,), (2, 3)), ("u @ v", (2, 3), (3, 4)),
    ("matmul_left(u, v)", (), (3,)), ("matmul_left(u, v)", (2,), (3,)), ("matmul_left(u, v)", (2, 4), (3, 4)),
    ("matmul_left(u, v)", (4,), (3, 4)), ("matmul_right(u, v)", (3,), ()), ("matmul_right(u, v)", (2,), (3,)),
    ("matmul_right(u, v)", (2, 3), (2, 4)), ("matmul_right(u, v)", (2, 3), (2,)), ("transpose(u)*v", (2, 3), (3, 2)),
    ("transpose(u)*v", (3,), (3,)), ("expand_dims(u, 0)*v", (3,), (2, 1)), ("expand_dims(u, -1)*v", (2, 3), (2, 3, 2)),
    ("softmax(u)*v", (3,), (3,)), ("softmax(u)*v", (2, 3), (2, 3)), ("log_softmax(u)*v", (3,), (3,)), ("log_softmax(u)*v", (2, 3), (2, 3)), ("u[1]*v", (3,), ()), ("u[-1]*v", (2, 3), (3,)),
    ("u[1, 2]*v", (2, 3), ()), ("u[0, 1, -1]*v", (2, 2, 3), ()), ("[u, v, 2*u]^2", (3,), (3,)), ("[u, v]@[1, 2]", (), ()),
    ("[[u, 1], [2, v]]^2", (), ()), ("scatter(u, v, 1)*[1, 2, 3]", (), (3,)), ("scatter(u, v, 1)^2", (3,), (2, 3)),
    ("scatter(u, v, 1, 0)^2", (), (2, 3)), ("scatter(u, v, 1, 0, 1)^2", (), (2, 2, 3)), ("u*zeros(3) + v*ones(2, 3) + zeros(2, 1)*ones(3) + zeros(2, 2, 3)", (), ()),
    ("u*ones(2, 3, 1)*v/numel(v)", (3, 1), (4,)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "first", "second"), LINEAR, ids=str)
def test_array_rows(text: str, first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """Linear in nothing once a sine is around it: a wrong transpose shows in the value of its slope."""
    chance = np.random.default_rng(4)
    point = {n: chance.uniform(0.2, 2, s) if s else 0.8 for n, s in (("u", first), ("v", second))}
    agree(f"sum(sin({text}))", point)


@pytest.mark.parametrize(("text", "first", "second"), [case for case in LINEAR if not case[0].endswith("*v")], ids=str)
def test_the_texts_of_array_rows_are_programs_too(text: str, first: tuple[int, ...], second: tuple[int, ...]) -> None:
    lowered = lowered_program(text)
    row = lowered.graph.rows[lowered.result]
    assert row is not None
    if row.kind in (ELEMENTWISE, REDUCTION) or row.name.startswith(("[", "scatter")) or "[" in text:
        return
    chance = np.random.default_rng(5)
    point = {n: chance.uniform(0.2, 2, s) if s else 0.8 for n, s in (("u", first), ("v", second))}
    shape = ufuncs.shape(algebra.evaluate(lowered, point).values[lowered.result])
    point["g"] = chance.uniform(0.2, 2, shape) if shape else 0.6
    for pull in row.partials:
        if pull not in (ZERO, UNDEFINED):
            agree(f"sum(sin({pull}))", point)


@pytest.mark.parametrize("row", EACHWISE, ids=lambda row: f"{row.name} {row.arity}")
def test_arrays_keep_the_digits_of_the_numbers(row: Primitive) -> None:
    """Value and slopes of a whole column against the same rows one by one; the bound of both, and NumPy's 4 ulp."""
    points = [
        args
        for args in arguments(row.arity, 100)
        if row.params[0] != "n"
        and all(holds(*args) for holds, _ in templates.domain(row))
        and not (row.name == "mod" and abs(args[0]) > 1e15)
        and max(map(abs, args)) < 300
        and min(abs(a) for a in args) > 1e-30
    ]
    if not points:
        return
    columns = [np.array(column) for column in zip(*points, strict=True)]
    with np.errstate(all="ignore"):
        found = functions.apply(row, columns)
        slopes = {
            k: linearize.slope(row, k, columns, found, "")
            for k, t in enumerate(row.partials)
            if t not in (ZERO, UNDEFINED)
        }
    assert isinstance(found, np.ndarray)
    for i, args in enumerate(points):
        value = templates.value(row)(*args)
        bound = templates.compiled(row.ulp_error[0], (*row.params, "w", "d"))(*args, value, 0.0)
        if math.isfinite(value) and bound == bound:
            assert ulps(float(found[i]), value) <= 2 * bound + 4, (row.name, args)
        for k, slope in slopes.items():
            exact = templates.partial(row, k)(*args, value)
            bound = templates.compiled(row.ulp_error[1], (*row.params, "w", "d"))(*args, value, exact)
            if math.isfinite(exact) and math.isfinite(value) and bound == bound and abs(exact) > 1e-290:
                mine = float(np.broadcast_to(slope, found.shape)[i])
                assert ulps(mine, exact) <= 2 * bound + 16, (row.name, k, args)


# --- the truth --------------------------------------------------------------------------------------------------------


def test_only_the_taken_branch_is_evaluated() -> None:
    answer = package.evaluate("sum(if(x > 0, sqrt(x)*ln(x), 1/(x - 1)))", {"x": [-1.0, -3.0, 4.0]})
    assert answer.status == "ok"
    assert answer.gradient["x"].tolist() == [-0.25, -0.0625, math.log(4) / 4 + 0.5]
    nested = package.evaluate(
        "sum(if(x > 0, if(x > 2, ln(x - 2), ln(2 - x)), 0))", {"x": np.array([-1.0, 1.0, 3.0, 3.5])}
    )
    assert nested.gradient["x"].tolist() == [0.0, -1.0, 1.0, 1 / 1.5]
    rows = package.evaluate("sum(if([1, 0] > 0, sum(ln(A), 1), 0))", {"A": [[1.0, 2.0], [-1.0, 0.0]]})
    assert rows.gradient["A"].tolist() == [[1.0, 0.5], [0.0, 0.0]]
    both = package.evaluate("sum(if(x > 0 and ln(x) > 0, x, 0))", {"x": [-1.0, 0.5, 3.0]}, mode="both")
    assert both.gradient["x"].tolist() == [0.0, 0.0, 1.0]
    assert both.ulps_apart() == {"x": 0.0}


def test_a_missing_value_names_the_element() -> None:
    answer = package.evaluate("sum(ln(x - 3))", {"x": [[4.0, 5.0], [6.0, 2.5]]})
    assert (answer.value, answer.status, answer.complete) == (None, "domain", False)
    assert answer.why == "ln(x - 3) needs x - 3 > 0, but at [1, 1] x - 3 is -0.5"
    over = package.evaluate("sum(exp(x))", {"x": [1.0, 1000.0]})
    assert (over.status, over.why) == ("overflow", "exp(x) overflows at [1]: it is beyond 1.8e308")
    steep = package.evaluate("sum(exp(x)*1e300*y)", {"x": [1.0, 10.0], "y": 1.0})
    assert steep.status == "ok"
    steep = package.evaluate("sum((x*1e200)^2*1e-100)", {"x": [1e-100, 1e-250]})
    assert steep.status == "ok"
    lost = package.evaluate("sum((x*1e200)*1e200*y)", {"x": [0.0, 1.0], "y": 0.0})
    assert lost.status == "overflow"


@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
def test_a_corner_takes_one_element_away(mode: str) -> None:
    answer = package.evaluate("sum(abs(w)) + sum(w)", {"w": [0.0, 1.0, -2.0]}, mode=mode)
    assert (answer.status, answer.complete) == ("corner", False)
    assert np.isnan(answer.gradient["w"]).tolist() == [True, False, False]
    assert answer.gradient["w"].tolist()[1:] == [2.0, 0.0]
    assert answer.one_sided == {"w[0]": (0.0, 2.0)}
    assert "dfdw" not in answer.why
    assert "df/dw[0] is 0 from the left and 2 from the right" in answer.why
    data = answer.to_dict()
    assert data["gradient"] == {"w": [None, 2.0, 0.0]}
    json.dumps(data, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "at", "gradient"),
    [
        ("sum(relu(x) - relu(-x))", [0.0, 2.0], [1.0, 1.0]),
        ("max(x)", [1.0, 3.0, 3.0], [0.0, None, None]),
        ("norm(x)", [0.0, 0.0], [None, None]),
        ("norm(x)^2", [0.0, 0.0], [0.0, 0.0]),
        ("std(x)", [2.0, 2.0, 2.0], [None, None, None]),
        ("sum(amax(x, 0))", [[1.0, 5.0], [1.0, 4.0]], [[None, 1.0], [None, 0.0]]),
        ("sum(sqrt(x))", [0.0, 4.0], [None, 0.25]),
        ("argmax(x) + x[0]", [1.0, 1.0], [None, None]),
        ("sum(sqrt(x^4))", [0.0, 1.0], [0.0, 2.0]),
        ("rmse(x, [1, 2])", [1.0, 2.0], [None, None]),
        ("mae(x, [1, 5])", [1.0, 2.0], [None, -0.5]),
        ("hinge([1, -1], x)", [1.0, -3.0], [None, 0.0]),
        ("huber(x, [0, 0], 1)", [1.0, 0.25], [0.5, 0.125]),
    ],
)
def test_corners_are_decided_element_by_element(text: str, at: list[Any], gradient: list[Any]) -> None:
    answer = package.evaluate(text, {"x": at})
    assert nested(answer.gradient["x"]) == gradient
    assert answer.complete == ("None" not in str(gradient))


def test_a_convention_fills_the_gap_and_says_so() -> None:
    answer = package.evaluate("sum(abs(w)) + max(w)", {"w": [0.0, -1.0]}, convention="torch")
    assert answer.gradient["w"].tolist() == [1.0, -1.0]
    assert (answer.convention, answer.status, answer.complete) == ("torch", "corner", True)
    assert package.evaluate("sum(max(w, v))", {"w": [2.0], "v": [2.0]}, convention="jax").gradient["v"].tolist() == [
        0.5
    ]


def test_a_program_too_large_to_expand_is_unknown() -> None:
    answer = package.evaluate("sum(abs(w)) + b", {"w": np.zeros(30_000), "b": 1.0})
    assert answer.status == "unknown"
    assert np.isnan(answer.gradient["w"]).all()
    assert answer.gradient["b"] == 1.0
    assert "too large" in answer.why


def test_an_array_as_the_result_has_a_value_and_no_gradient() -> None:
    answer = package.evaluate("x^2", {"x": [1.0, 2.0]})
    assert isinstance(answer.value, np.ndarray)
    assert (answer.value.tolist(), answer.gradient, answer.status) == ([1.0, 4.0], {}, "ok")
    assert "shape (2,)" in answer.notes[0]
    with pytest.raises(package.AutodiffError, match="a slope is of a number"):
        package.evaluate("x^2", {"x": [1.0, 2.0]}, ["x"])


def test_names_inside_the_program() -> None:
    answer = package.evaluate("z = X @ w; p = sigmoid(z); L = mean(p)", {"X": [[1.0, 2.0], [3.0, 4.0]], "w": [0.1, -0.2]}, ["z", "w"])  # fmt: skip
    z = np.array([[1.0, 2.0], [3.0, 4.0]]) @ [0.1, -0.2]
    slope = np.exp(-z) / (1 + np.exp(-z)) ** 2 / 2
    assert answer.gradient["z"] == pytest.approx(slope, rel=1e-14)
    assert answer.gradient["w"] == pytest.approx(slope @ [[1.0, 2.0], [3.0, 4.0]], rel=1e-14)


def test_a_broken_sweep_is_caught_before_a_number_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = linearize.slope
    tampered = lambda row, k, args, result, convention: honest(row, k, args, result, convention) * (1 + 1e-9)  # noqa: E731
    adjoints = algebra.vjp

    def backward(*args: Any, **options: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(linearize, "slope", tampered)
            return adjoints(*args, **options)

    monkeypatch.setattr(algebra, "vjp", backward)
    with pytest.raises(package.AutodiffError, match="disagree"):
        package.evaluate("sum(sin(x))", {"x": [1.0, 2.0]})
    assert package.evaluate("sum(sin(x))", {"x": [1.0, 2.0]}, check=False).status == "ok"


ARRAY_RULES = [
    ("sum(u)", "sum", 0), ("mean(u)", "mean", 0), ("sum(mean(u, 0)*[1, 2, 3])", "mean", 0), ("prod(u)", "prod", 0),
    ("max(u)", "amax", 0), ("min(u)", "amin", 0), ("norm(u)", "norm", 0), ("dot(u[0], u[1])", "dot", 1),
    ("logsumexp(u)", "logsumexp", 0), ("var(u)", "var", 0), ("std(u)", "std", 0), ("sum(u @ [1, 2, 3])", "matmul", 0),
    ("sum([1, 2] @ u)", "matmul", 1), ("transpose(u)[2, 0]*2", "transpose", 0), ("softmax(u[1])[0]", "softmax", 0),
    ("u[1, 2] + 0", "index", 0), ("sum(exp(u))", "exp", 0), ("sum(u*u[0])", "*", 1), ("sum(abs(u))", "abs", 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "k"), ARRAY_RULES)
@pytest.mark.parametrize("wrong", ["1.001*({})", "-({})", "0"])
def test_a_broken_rule_is_caught_before_a_number_is_printed(
    text: str, value: str, k: int, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = {"u": [[0.5, -1.25, 2.0], [1.5, 0.75, -0.25]]}
    assert package.evaluate(text, at).checked
    for key, row in list(rules.TABLE.items()):
        if row.value == value and row.kind == ("elementwise" if value in ("exp", "*", "abs") else row.kind):
            slopes = list(row.partials)
            slopes[k] = wrong.format(slopes[k])
            push = [f"{p}*1.001" if wrong.startswith("1.001") else f"-({p})" for p in row.pushforward]
            monkeypatch.setitem(rules.TABLE, key, row.replaced(partials=tuple(slopes), pushforward=tuple(push)))
    rules.find.cache_clear()
    equations.cache_clear()
    try:
        with pytest.raises(package.AutodiffError, match=r"deny|disagree") as caught:
            package.evaluate(text, at)
        assert caught.value.exit_status == 70
        assert package.evaluate(text, at, check=False).status == "ok"
    finally:
        monkeypatch.undo()
        forget_rows()


# --- at the command line ------------------------------------------------------------------------------------------------


def test_text_and_quiet_and_csv() -> None:
    ended = autodiff("eval", "sum(A @ x)", "--at", "A=[[1, 2], [30, -4.25]],x=[5, 6]")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "f      141.5\ndf/dA  [[5, 6],\n        [5, 6]]\ndf/dx  [31, -2.25]\n"
    assert autodiff("eval", "x @ x", "--at", "x=[1,2]", "-q").out == "5 2 4\n"
    assert (
        autodiff("eval", "x @ x", "--at", "x=[1,2]", "--format", "csv").out == "f,df/dx[0],df/dx[1],status\n5,2,4,ok\n"
    )
    assert autodiff("eval", "[[1, 20], [3, 4]]*2").out == "f  [[2, 40],\n    [6,  8]]\n"


def test_a_point_file_holds_nested_lists(tmp_path: Path) -> None:
    point = tmp_path / "p.json"
    point.write_text('{"A": [[1, 2], [3, 4]], "x": [1, -1]}')
    assert autodiff("eval", "sum(A @ x)", "--at", f"@{point}", "-q").out == "-2 1 -1 1 -1 4 6\n"
    for content, says in (('{"x": [1, null]}', "finite numbers only"), ('{"x": [[1], 2]}', "rows of equal length")):
        point.write_text(content)
        ended = autodiff("eval", "sum(x)", "--at", f"@{point}")
        assert ended.status in (2, 4)
        assert says in ended.err


def test_arrays_of_numbers_need_no_numpy() -> None:
    """A literal of numbers is written out; only an array as a value needs the library, and its absence is reported."""
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from autodiff.cli.main import run\n"
        "assert run(['eval', 'bce([1, 0], [p, 1 - p])', '--at', 'p=0.25']) == 0\n"
        "assert run(['eval', 'L = bce(y, p)', '--at', 'p=0.25,y=1']) == 0\n"
        "assert run(['eval', 'sum(x)', '--at', 'x=[1, 2]']) == 2\n"
    )
    done = python("-c", code)
    assert done.status == 0, done.err
    assert (
        "an array needs NumPy, which is not installed\n  in the checkout that autodiff was installed from: pip install '.[arrays]'"
        in done.err
    )
    assert done.out.splitlines()[0] == f"f      {-math.log(0.25)!r}"


def test_many_elements_and_many_equations() -> None:
    big = np.linspace(0.1, 2, 200_001)
    answer = package.evaluate("sum(sin(x)*exp(-x))", {"x": big})
    assert answer.checked
    true = (np.cos(big) - np.sin(big)) * np.exp(-big)
    assert answer.gradient["x"].shape == true.shape
    assert (abs(answer.gradient["x"] - true) <= np.maximum(1e-12 * abs(true), 1e-12)).all()  # as approx has it
    deep = "x" + " + sin(x)" * 4_000  # a stack of calls ends at 1,000
    answer = package.evaluate(f"sum({deep})", {"x": [0.5, 1.0]})
    assert answer.gradient["x"] == pytest.approx(1 + 4_000 * np.cos([0.5, 1.0]))
    long = ", ".join("x" for _ in range(5_000))
    assert package.evaluate(f"sum([{long}])", {"x": 2.0}).gradient["x"] == 5_000


@pytest.mark.parametrize(
    "text", ["if(u > 0, ln(u), v)", "if(u > 0 and v > u, u*v, -u)", "if(v > 0, u, v)*(u > v) + v", "(u < v)*2"]
)
def test_a_text_over_elements_is_the_text_of_each(text: str) -> None:
    """Numbers among the arguments, branches that all elements or some take, conditions that are counted."""
    exact = templates.compiled(text, ("u", "v"))
    rows = [np.array(row) for row in ([1.0, 2.0, 0.5], [-1.0, 2.0, -0.5], [-1.0, -2.0, -0.25])]
    first: list[Any] = [*rows, 1.5, -1.5]
    second: list[Any] = [*rows, 1.0, -1.0]
    for u in first:
        for v in second:
            with np.errstate(all="ignore"):
                found = ufuncs.text(text, ("u", "v"))(u, v)
            pairs = np.broadcast(u, v)
            wanted = np.reshape([float(exact(float(a), float(b))) for a, b in pairs], pairs.shape)
            assert np.all(np.broadcast_to(found, wanted.shape) == wanted)
            if not pairs.shape:
                assert not isinstance(found, np.ndarray)


def test_columns_of_a_table_become_a_matrix_without_a_copy() -> None:
    base = np.arange(24.0).reshape(4, 6)
    row = literal(3)
    for picked in (base[:3], base[1:], base[:3, 2:5], base[::1][1:4, :1]):
        found = functions.apply(row, list(picked))
        assert np.array_equal(found, picked)
        assert np.shares_memory(found, base)
    for picked in (base[[0, 1, 3]], base[::-1][:3], np.stack([base[0], base[0], base[0]]), base.T[:3]):
        assert np.array_equal(functions.apply(row, list(picked)), picked)
    assert np.array_equal(functions.apply(row, [base[0], base[2], base[3]]), base[[0, 2, 3]])


@pytest.mark.parametrize(
    "text",
    ["sum(x[[0, 1]])", "take(x, [0, 1], 0)", "slice(x, [0, 1], 2, 0)", "slice(x, 0, [0, 1], 0)", "reshape(x, [2, 3])",
     "quantile(x, [0, 1])", "sum(x, [0, 1])", "x + zeros([0, 1])", "x + one_hot(1, [0, 1])"],
)  # fmt: skip
@pytest.mark.parametrize("x", [[1.0, 2.0, 3.0], None])
def test_an_array_where_a_number_is_needed_is_named_with_its_shape(text: str, x: list[float] | None) -> None:
    with pytest.raises(package.AutodiffError, match=r"a number is needed here, not an array of shape \(2,\)"):
        package.evaluate(text, {"x": x}) if x else package.evaluate(text.replace("x", "[1, 2, 3]"), {})


@pytest.mark.parametrize("depth", [33, 65, 20_000])
def test_arrays_nested_deeper_than_numpy_goes_are_refused_where_they_are_written(depth: int) -> None:
    """At 20,000 brackets the shapes alone would take gigabytes, so the first one too many ends it."""
    nest = "[" * depth + "1" + "]" * depth
    for args in (
        ("eval", nest.replace("1", "x"), "--at", "x=1"),
        ("eval", f"sum({nest})"),
        ("eval", "sum(x)", "--at", f"x={nest}"),
        ("diff", nest.replace("1", "x")),
        ("explain", nest.replace("1", "x"), "--at", "x=[1, 2]"),
        ("train", nest.replace("1", "x"), "--params", "x=1"),
    ):
        ended = autodiff(*args)
        assert ended.status == 2
        assert ended.err.startswith("error: an array has at most 32 axes, and here are more\n    ")
        assert "^^^" in ended.err
    inside = autodiff("eval", "expand_dims(x, 0)", "--at", f"x={'[' * 32}1{']' * 32}")
    assert (inside.status, "at most 32 axes" in inside.err) == (2, True)


def test_arrays_as_deep_as_may_be() -> None:
    nest = "[" * 32 + "x, 2*x" + "]" * 32
    answer = package.evaluate(f"sum(abs({nest}))", {"x": 0.5}, mode="both")
    assert (answer.value, answer.gradient, answer.checked) == (1.5, {"x": 3.0}, True)
    deep: Any = [1.0, 2.0]
    for _ in range(31):
        deep = [deep]
    assert package.evaluate("sum(x^2)", {"x": deep}).value == 5
    for axes in (32, 20_000):
        for _ in range(axes):
            deep = [deep]
        with pytest.raises(package.AutodiffError, match="'x' is nested too deep: an array has at most 32 axes"):
            package.evaluate("sum(x^2)", {"x": deep})


# --- numbers that leave the range of float64 on the way -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at", "value", "gradient"),
    [
        ("prod(x)", {"x": [1e-200, 1e-200, 1e300]}, 1e-100, {"x": [1e100, 1e100, 0.0]}),
        ("sum(exp(-x)*exp(-x)*exp(x)*exp(x))", {"x": [400.0, 1.0]}, 2.0, {"x": [0.0, 0.0]}),
        ("var(x)*1e300", {"x": [1e-200, 3e-200]}, 1e-100, {"x": [-1e100, 1e100]}),
        ("sum((x*1e-200)*y*1e-200*1e300)", {"x": [1e-10, 2.0], "y": [1.0, 2.0]}, 4e-100, {"x": [1e-100, 2e-100]}),
        ("ln(softmax(x)[0])", {"x": [-800.0, 800.0]}, -1600.0, {"x": [1.0, -1.0]}),
        ("dot(x, x)*1e300*1e300", {"x": [1e-300, 2e-300]}, 5.0, {"x": [2e300, 4e300]}),
        ("sum(ln(2/x))", {"x": [1e265, 1.0]}, 2 * np.log(2) - 265 * np.log(10), {"x": [-1e-265, -1.0]}),
    ],
)
def test_underflow_that_shows_in_arrays_is_computed_with_a_wider_range(
    text: str, at: dict[str, Any], value: float, gradient: dict[str, list[float]]
) -> None:
    answer = package.evaluate(text, at, mode="both")
    assert answer.status == "ok"
    assert answer.value == pytest.approx(value, rel=1e-9)
    for name, slopes in gradient.items():
        assert answer.gradient[name].tolist() == pytest.approx(slopes, rel=1e-9, abs=1e-300)
    assert "these digits are proven" in " ".join(answer.notes)


def test_underflow_that_shows_in_an_array_as_the_result() -> None:
    assert package.evaluate("(x*1e-200)*1e200*[1, 2]", {"x": 1e-200}).value.tolist() == [1e-200, 2e-200]
    answer = package.evaluate("ln(x*1e-200*1e-200*[1, 2])", {"x": 1.0})
    assert answer.status == "ok"
    assert answer.value.tolist() == pytest.approx([-400 * np.log(10), np.log(2) - 400 * np.log(10)])


@pytest.mark.parametrize("text", ["sum(relu(x)*1e-200*1e200)", "sum(relu(x)) + sum(abs(x))/2 - sum(x)/2"])
def test_many_elements_on_a_corner_have_both_sides(text: str) -> None:
    answer = package.evaluate(text, {"x": np.zeros(3000)})
    assert (answer.value, answer.status) == (0.0, "corner")
    left, right = answer.one_sided["x[2999]"]
    assert left == (0.0 if "200" in text else -1.0)
    assert right == pytest.approx(1.0)


def test_many_elements_on_a_jump_are_unknown() -> None:
    answer = package.evaluate("sum(floor(x))", {"x": np.zeros(3000)})
    assert (answer.value, answer.status) == (0.0, "unknown")
    assert "can't be decided from both sides" in answer.why


@pytest.mark.parametrize("count", [1000, 100_000, 1_000_000])
@pytest.mark.parametrize("mode", ["reverse", "both"])
def test_a_long_sum_of_equal_terms_keeps_its_digits(count: int, mode: str) -> None:
    found = package.evaluate(f"sum(exp(ones({count})*x))", {"x": 2.0}, mode=mode)
    assert found.value == pytest.approx(count * math.exp(2.0), rel=1e-13)
    assert found.gradient["x"] == pytest.approx(count * math.exp(2.0), rel=1e-13)


def test_sums_along_rows_keep_their_digits() -> None:
    x = np.full((100_000, 3), math.exp(2.0))
    for text, true in (("sum(sum(x, 0)*[1, 0, 0])", 1e5 * math.exp(2.0)), ("mean(x, 0)[1]", math.exp(2.0))):
        assert package.evaluate(text, {"x": x}).value == pytest.approx(true, rel=1e-13)
    slope = package.evaluate("sum((x + b)^2)", {"x": x, "b": [0.0, 0.0, 0.0]}, wrt=["b"]).gradient["b"]
    assert slope == pytest.approx([2e5 * math.exp(2.0)] * 3, rel=1e-13)


@pytest.mark.parametrize("factor", [-3, -2, -1, 0, 1, 2])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_constant_factor_is_in_every_slope(factor: int, mode: str) -> None:
    """A factor of 1 or -1 is not multiplied out."""
    x = np.array([0.3, 1.1])
    found = package.evaluate(f"sum(sin({factor}*x))", {"x": x}, mode=mode).gradient["x"]
    assert found == pytest.approx(factor * np.cos(factor * x), rel=1e-15)


def test_elements_can_be_asked_for_alone() -> None:
    at = {"x": [1.0, 2.0], "y": 2.0}
    found = package.evaluate("sum(x^2)*y", at, ["x[1]", "y"], mode="both")
    assert (found.gradient, found.checked) == ({"x[1]": 8.0, "y": 5.0}, True)
    assert package.evaluate("u = x*x; sum(u)", {"x": [1.0, 2.0]}, "u[0]").gradient == {"u[0]": 1.0}
    product = package.evaluate("A[0] @ A[1]", {"A": [[1, 2], [3, 4]]}, "A[0,1], A[1, 0]")
    assert product.gradient == {"A[0, 1]": 4.0, "A[1, 0]": 1.0}
    with pytest.raises(AutodiffError, match="can't differentiate by 'x\\[5\\]'"):
        package.evaluate("sum(x)", {"x": [1.0, 2.0]}, ["x[5]"])
    for wrong in (3, [1]):
        with pytest.raises(AutodiffError, match="a name is a text"):
            package.evaluate("sum(x)", {"x": [1.0, 2.0]}, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["max(cumsum(v))", "mean(cumsum(v))", "v @ cumsum(v)", "sum(flip(v)*cumsum(cumsum(v)))"]
)
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_long_running_sums_agree_in_both_modes_as_far_as_their_roundings_do(text: str, mode: str) -> None:
    size = 20_000 if mode == "reverse" else 500
    for v in (np.random.default_rng(1).normal(size=size), np.full(size, 0.1)):
        assert package.evaluate(text, {"v": v}, mode=mode).checked


@pytest.mark.parametrize("size", [50, 5_000, 30_000])
@pytest.mark.parametrize(
    ("place", "at"),
    [
        ("numel(v) - 1", -1),
        ("len(u) - 1", -1),
        ("argmax(v)", -1),
        ("argmin(v)", 0),
        ("floor(len(v)/2)", None),
        ("mod(numel(v), 1)", 0),
        ("floor(v[1] + 0.2)", 2),
    ],
)
def test_a_place_that_stays_where_the_elements_move_is_no_corner(place: str, at: int | None, size: int) -> None:
    at = size // 2 if at is None else at % size
    v = np.arange(1.0, size + 1)
    answer = package.evaluate(f"u = v - 0; v[{place}]^2", {"v": v})
    assert (answer.status, answer.value, np.flatnonzero(answer.gradient["v"]).tolist()) == ("ok", (at + 1.0) ** 2, [at])
    assert answer.gradient["v"][at] == 2 * (at + 1)


@pytest.mark.parametrize("place", ["round(v[0] + 0.5)", "argmax(floor(v/4))", "v[0]"])
def test_a_place_that_moves_or_jumps_is_a_special_point_in_large_arrays_too(place: str) -> None:
    assert package.evaluate(f"v[{place}]", {"v": np.arange(1.0, 30_001)}).status == "unknown"
