"""A compiled program over arrays equals `evaluate` at the point of each row."""

from __future__ import annotations

import itertools
import json
import math
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import autodiff
from autodiff.api.scalar_answer import Query
from autodiff.batch import ufuncs
from autodiff.batch.compile import Batch
from autodiff.batch.jit import libm, libmvec
from autodiff.batch.recompute import Recomputation
from autodiff.batch.run import BLOCK
from autodiff.core import rules, templates
from autodiff.core.lowering import lower
from autodiff.core.primitive import ELEMENTWISE, Primitive
from tests.support.command import python
from tests.support.paths import SPECIAL_POINTS
from tests.support.programs import programs
from tests.support.reference import arguments

HARD: list[dict[str, Any]] = json.loads(SPECIAL_POINTS.read_text())
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, math.pi / 2, 5e-324, 1e-300, -1e155, 1e308, math.inf, -math.inf, math.nan]


def _ulps(a: float | None, b: float | None) -> float:
    if a is None or b is None:
        return 0.0 if a is b else math.inf
    return abs(a - b) / math.ulp(max(abs(a), abs(b)))


def _number(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)


def _as_one_shot(
    found: Batch, text: str, rows: Sequence[Mapping[str, float]], wrt: Sequence[str] | None, most: float
) -> None:
    for k, row in enumerate(rows):
        status = found.hard.get(k, "ok")
        numbers = [_number(found.value[k]), *(_number(slope[k]) for slope in found.gradient.values())]
        if not all(map(math.isfinite, row.values())):
            assert (status, set(numbers)) == ("input", {None}), row
            continue
        answer = autodiff.evaluate(text, row, wrt, check=False)
        if any("these digits are proven" in note for note in answer.notes) or answer.status == "unknown":
            continue  # small losses, one after the other, are not added up over rows
        assert status == answer.status, (text, row)
        for number, other in zip(numbers, [answer.value, *answer.gradient.values()], strict=True):
            near = (
                number is not None and other is not None and math.isclose(number, other, rel_tol=1e-10, abs_tol=5e-323)
            )
            assert _ulps(number, other) <= most or near, (text, row, number, other)


def columns(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """The rows as arrays, by name."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def rows_like(point: Mapping[str, float], chance: random.Random) -> list[dict[str, float]]:
    """The point and thirty random rows for the same names, special numbers among them."""
    rows = [dict(point)]
    for _ in range(30):
        sizes = [chance.choice(SPECIAL), chance.uniform(-2, 2), float(chance.randrange(-3, 4)), chance.gauss(0, 1e3)]
        rows.append({name: chance.choice(sizes) for name in point})
    return rows


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(programs(), st.randoms(use_true_random=False))
def test_rows_of_random_programs_are_one_shots(case: tuple[str, dict[str, float]], chance: random.Random) -> None:
    text, full = case
    names = lower(autodiff.parse(text)).inputs
    point = {name: full[name] for name in names}
    rows = rows_like(point, chance)
    found = autodiff.compile(text, names, exact=True).batch(**columns(rows))
    if not names:
        found, rows = Batch(found.value.reshape(1), {}, found.hard), rows[:1]
    _as_one_shot(found, text, rows, names, 2)


def test_a_name_for_what_stands_already_is_summed_as_in_one_shot() -> None:
    text = "f(t) = atan(t); v1 = f(f(y*z))*x + f(y*z); v2 = f(y*z); atan(v2)*v1 + v2"
    rows = [{"x": -3.0, "y": -1.3 + k / 97, "z": -3.0} for k in range(200)]
    _as_one_shot(autodiff.compile(text, exact=True).batch(**columns(rows)), text, rows, None, 0)
    unused = autodiff.compile("f(t) = ln(t); a = f(x); b = f(x); x^2").batch(x=np.array([-1.0, 2.0]))
    assert (unused.value.tolist(), unused.hard) == ([1.0, 4.0], {})


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("case", HARD, ids=lambda case: f"{case['expr']} at {case['at']}")
def test_the_shared_list_of_hard_points(case: dict[str, Any], exact: bool) -> None:
    at = {name: np.array([float(value)] * 2) for name, value in case["at"].items()}
    found = autodiff.compile(case["expr"], case.get("wrt"), exact=exact).batch(**at)
    _as_one_shot(found, case["expr"], [case["at"]] * 2, case.get("wrt"), 0 if exact else 2)


@pytest.mark.parametrize("row", [row for row in rules.rows() if row.kind == ELEMENTWISE], ids=lambda row: row.signature)
def test_every_row_of_the_table_at_its_special_points(row: Any) -> None:
    call = row.example if row.is_predicate or row.branches else None
    names = [f"a{k}" for k in range(row.arity)]
    if row.name.isidentifier() and not row.is_predicate and not row.branches:
        call = f"{row.name}({', '.join(names)})"
    elif call is None:
        call = f" {row.name} ".join(names) if row.arity == 2 else f"{row.name}{names[0]}"
    else:
        return  # conditions are in the random programs
    rows = [dict(zip(names, args, strict=True)) for args in arguments(row.arity, 60)]
    rows += [dict.fromkeys(names, value) for value in SPECIAL]
    with np.errstate(all="raise"):
        found = autodiff.compile(call, exact=True).batch(**columns(rows))
    _as_one_shot(found, call, rows, None, 2)


CALLED = [row for row in rules.rows() if row.value in ufuncs._C_NAMES]
"""Rows whose values the C library has."""


@pytest.mark.parametrize("row", CALLED, ids=lambda row: row.signature)
def test_functions_over_four_numbers_are_close_to_those_of_one_shot(row: Primitive) -> None:
    inside = [condition for condition, _ in templates.domain(row)]
    points = [a for a in arguments(row.arity, 4000) if all(c(*a) for c in inside)]
    columns = [np.array(column) + 0.0 for column in zip(*points, strict=True)]  # -0.0 beside a jump is a hard point
    out = np.empty(len(points))
    with np.errstate(all="ignore"):
        ufuncs.operation(row, [None] * row.arity, exact=False)(*columns, out=out)
    function = templates.value(row)
    for args, got in zip(points, out.tolist(), strict=True):
        want = function(*(a + 0.0 for a in args))
        assert got == want or _ulps(got, want) <= 4, (args, got, want)


@pytest.mark.parametrize("name", sorted(ufuncs._C_NAMES.values()))
def test_a_function_over_four_numbers_does_not_depend_on_those_beside(name: str) -> None:
    function = libmvec.vector_function(name)
    if function is None:
        pytest.skip("no libmvec, or no AVX2")
    numbers = [*SPECIAL, 1e22, -3e9, 26.5, 708.5, -745.0, 0.3]
    columns = [np.array(c) for c in zip(*itertools.product(numbers, repeat=libm.arity(name)), strict=True)]
    alone, mixed, moved = (np.empty(len(columns[0])) for _ in range(3))
    for k in range(len(alone)):
        function.over(alone[k : k + 1], *(c[k : k + 1] for c in columns))
    function.over(mixed, *columns)
    function.over(moved, *(np.roll(c, 3) for c in columns))
    assert alone.tobytes() == mixed.tobytes() == np.roll(moved, -3).tobytes()


@pytest.mark.parametrize(
    "row", [*map(rules.TABLE.__getitem__, sorted(ufuncs._EXACT)), *CALLED], ids=lambda row: row.signature
)
def test_outside_its_domain_a_function_shows_it(row: Primitive) -> None:
    from autodiff.codegen.validity import outside_domain

    inside = [condition for condition, _ in templates.domain(row)]
    points = [a for a in arguments(row.arity, 2000) if not all(c(*a) for c in inside)]
    checked = bool(row.domain) and outside_domain(row, (None,) * row.arity)[0]  # rows have a check of the domain then
    if not points or checked:
        assert not row.domain or checked
        return
    columns = [np.array(column) for column in zip(*points, strict=True)]
    for exact in (True, False):
        out = np.empty(len(points))
        with np.errstate(all="ignore"):
            ufuncs.operation(row, [None] * row.arity, exact=exact)(*columns, out=out)
        assert not np.isfinite(out).any()


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("rows", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_every_block_boundary(rows: int, exact: bool) -> None:
    text = "if(x > 0, sqrt(x), exp(x)) + abs(y)*x"
    chance = np.random.default_rng(rows)
    x, y = chance.normal(size=rows), chance.normal(size=rows)
    corners = sorted({0, 1, BLOCK - 1, BLOCK, BLOCK + 1, rows - 1} & set(range(rows)))
    y[corners] = 0.0
    x[corners[1:2]] = np.nan
    found = autodiff.compile(text, exact=exact).batch(x=x, y=y)
    assert found.value.shape == found.gradient["x"].shape == found.gradient["y"].shape == (rows,)
    assert found.hard == {k: "input" if math.isnan(x[k]) else "corner" for k in corners}
    looked = sorted({*corners, *range(0, rows, max(1, rows // 50))})
    part = Batch(
        found.value[looked],
        {name: slope[looked] for name, slope in found.gradient.items()},
        {k: found.hard[row] for k, row in enumerate(looked) if row in found.hard},
    )
    _as_one_shot(part, text, [{"x": x[k], "y": y[k]} for k in looked], None, 2 if exact else 64)  # a sum that cancels


def test_shapes_scalars_and_types() -> None:
    g = autodiff.compile("x*y + 1")
    value, gradient = g(x=np.array([[1], [2]]), y=np.array([3.0, 4.0, 5.0]))
    assert value.tolist() == [[4, 5, 6], [7, 9, 11]]
    assert gradient["x"].tolist() == [[3, 4, 5], [3, 4, 5]]
    value, gradient = g(x=2, y=3)
    assert (value.shape, float(value), float(gradient["y"])) == ((), 7.0, 2.0)
    assert g(x=[1, 2], y=np.float32(0.5))[0].tolist() == [1.5, 2.0]
    strided = np.arange(10.0)[::3]
    assert g(x=strided, y=True)[0].tolist() == (strided + 1).tolist()
    assert g.batch(x=[[1.0, np.inf]], y=1).status.tolist() == [["ok", "input"]]


def test_the_given_arrays_are_left_alone() -> None:
    x = np.linspace(-1, 1, 3 * BLOCK)
    before = x.copy()
    autodiff.compile("x^3 + x")(x=x)
    assert (x == before).all()


def test_assigned_names_and_constants() -> None:
    value, gradient = autodiff.compile("u = x^2; sin(u)", ["u", "x"])(x=np.array([0.5, 1.0]))
    assert gradient["u"].tolist() == pytest.approx(np.cos([0.25, 1.0]))
    assert gradient["x"].tolist() == pytest.approx([math.cos(0.25), 2 * math.cos(1)])
    with pytest.raises(autodiff.AutodiffError, match="'v' is assigned, and f does not depend on it"):
        autodiff.compile("u = x^2; v = 3; sin(u)", ["u", "v"])
    value, gradient = autodiff.compile("2 + 3")()
    assert (float(value), gradient) == (5.0, {})
    assert autodiff.compile("ln(-1) + x").batch(x=[1, 2]).hard == {0: "domain", 1: "domain"}
    assert autodiff.compile("if(1 > 2, x, 7)")(x=[0.0, 1.0])[0].tolist() == [7.0, 7.0]


def test_a_number_that_no_branch_needs_raises_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the one-shot evaluation is for hard points")

    monkeypatch.setattr(Query, "answer", never)
    x = np.array([-1.0, 2.0, -1000.0])
    value, gradient = autodiff.compile("if(x > 0, ln(x), -x) + if(x < 0, sqrt(-x), 1/x)")(x=x)
    assert value.tolist() == pytest.approx([2.0, math.log(2) + 0.5, 1000 + math.sqrt(1000)])
    assert gradient["x"].tolist() == pytest.approx([-1.5, 0.5 - 0.25, -1 - 0.5 / math.sqrt(1000)])


def test_an_overflow_inside_is_met_though_the_result_is_finite() -> None:
    found = autodiff.compile("1/exp(x) + atan(y^9)").batch(x=np.array([1.0, 800.0, 1.0]), y=np.array([1.0, 1.0, 1e200]))
    assert found.hard == {}
    assert found.value[1:].tolist() == pytest.approx([math.pi / 4, math.exp(-1) + math.pi / 2], rel=1e-15)


def test_a_function_without_a_derivative_in_what_moves() -> None:
    rows = [{"n": 1.0, "u": 2.0}, {"n": 2.0, "u": 0.5}]
    found = autodiff.compile("polygamma(n, u)").batch(**columns(rows))
    _as_one_shot(found, "polygamma(n, u)", rows, None, 0)


def test_arrays_inside_a_program_over_rows_of_numbers() -> None:
    rows = [{"x": value} for value in (0.5, 2.0, 0.0)]
    for text in ("sum([x, 2*x, abs(x)])", "y = [x, 3]; dot(y, [x, 1])", "mean(x) + norm([x, 1])"):
        _as_one_shot(autodiff.compile(text).batch(**columns(rows)), text, rows, None, 2)
    for text, wrt in (("[x, 2]", None), ("v = [x, 1]; sum(v)", ["v"])):
        with pytest.raises(autodiff.AutodiffError, match="must be numbers, and one is an array"):
            autodiff.compile(text, wrt)


def test_a_condition_that_decides_nothing_is_evaluated_all_the_same() -> None:
    rows = [{"x": value} for value in (-1.0, 0.5, 1.0, 1e200)]
    for text in ("if(ln(x) > 0 and 2 < 1, 1, x)", "if(x^2 > 1 or 1 < 2, x, 2*x)", "if(sqrt(x) > 1, x, x)"):
        _as_one_shot(autodiff.compile(text).batch(**columns(rows)), text, rows, None, 0)


def test_a_long_program_compiles_in_linear_room() -> None:
    text = "+".join(f"sin({k}*x)" for k in range(1, 2000))
    g = autodiff.compile(text)
    assert g.plan is not None
    assert len(g.plan.numbers) < 10_000
    deep = autodiff.compile("sin(" * 5000 + "x" + ")" * 5000)
    value, _ = deep(x=np.array([1.0, 2.0]))
    assert value[0] == pytest.approx(autodiff.evaluate("sin(" * 5000 + "x" + ")" * 5000, {"x": 1.0}).value)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ({}, "no value for"),
        ({"x": [1.0], "z": 1}, "'z' is not an input"),
        ({"x": ["a"], "y": 1}, "'x' must be real numbers"),
        ({"x": [[1.0], [2.0, 3.0]], "y": 1}, "'x' must be real numbers"),
        ({"x": [1j], "y": 1}, "'x' must be real numbers"),
        ({"x": [1, 2], "y": [1, 2, 3]}, "shapes don't fit each other: x (2,), y (3,)"),
    ],
)
def test_columns_of_wrong_lengths_are_rejected(at: dict[str, Any], message: str) -> None:
    with pytest.raises(autodiff.AutodiffError, match=message.replace("(", r"\(").replace(")", r"\)")):
        autodiff.compile("x*y")(**at)


def test_without_pyarrow_the_digits_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "exp(sin(x)) + ln(x + 9)*x^y - atan2(tan(x), cosh(y)) + log1p(x^2) - expm1(asinh(y)) + erf(x)*log(9 + y, 2)"
    x, y = np.random.default_rng(1).uniform(-8, 8, (2, 500))
    by_arrow = autodiff.compile(text).batch(x=x, y=y)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    alone = autodiff.compile(text).batch(x=x, y=y)
    assert by_arrow.hard == alone.hard
    assert 0 < len(alone.hard) < 500
    for number, other in zip(
        (by_arrow.value, *by_arrow.gradient.values()), (alone.value, *alone.gradient.values()), strict=True
    ):
        assert np.array_equal(number, other, equal_nan=True)


def test_rows_by_pyarrow_load_no_pandas() -> None:
    pytest.importorskip("pyarrow")
    code = (
        "import sys, autodiff, numpy as np\n"
        "autodiff.compile('exp(x)^y + atan2(y, 2)', exact=True)(x=np.ones(3), y=np.array([0.0, -0.0, 2.5]))\n"
        "print('pyarrow' in sys.modules, 'pandas' in sys.modules)"
    )
    assert python("-c", code).out == "True False\n"


def test_without_numpy_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\nimport autodiff\n"
        "try: autodiff.compile('x')\nexcept autodiff.AutodiffError as error: print(error)"
    )
    done = python("-c", code)
    assert done.out.splitlines() == [
        "a compiled program needs NumPy, which is not installed",
        "  in the checkout that autodiff was installed from: pip install '.[data]'",
    ]


def test_terms_that_cancel_beside_a_larger_one_need_no_ball_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[int] = []

    def count(self: Recomputation, columns: Any, results: Any, good: Any) -> Any:
        again.append(int(np.count_nonzero(~good)))
        return left(self, columns, results, good)

    left = Recomputation.left
    monkeypatch.setattr(Recomputation, "left", count)
    price = (
        "d = (ln(s) + v^2/2)/v; s*erfc(-d/sqrt(2))/2 - erfc((v - d)/sqrt(2))/2"  # in its slope by s two terms are equal
    )
    at = {name: np.random.default_rng(seed).uniform(0.5, 2.0, 20_000) for seed, name in enumerate("sv")}
    autodiff.compile(price)(**at)
    assert sum(again) == 0


@pytest.mark.parametrize(
    ("text", "names", "most"),
    [
        ("x^4 - 3*x^3 + 2*x - 1", "x", 2),
        ("(1 - x)^2 + 100*(y - x^2)^2", "xy", 2),
        ("exp(sin(x^2))", "x", 2),
        ("sin(x)*cos(y) + tan(x*y/4)", "xy", 5),
        ("(sigmoid(w*0.7 + b) - 1)^2", "wb", 0),
        ("x^2 + exp(y)*(1 + y*y)", "xy", 0),
    ],
)
def test_only_rows_beside_a_zero_are_computed_again(text: str, names: str, most: int) -> None:
    at = {name: np.random.default_rng(seed).uniform(0.5, 2.0, 100_000) for seed, name in enumerate(names)}
    _, _, good = autodiff.compile(text).approximate(**at)
    assert np.count_nonzero(~good) <= most


@pytest.mark.parametrize("text", ["(y - y) - (1e-8*y)", "y*(1 - 0.99999999) + y*y", "y*(0.1 + 0.2 - 0.3) + 1"])
def test_constants_that_cancel_keep_ten_digits(text: str) -> None:
    batch = autodiff.compile(text).batch(y=np.array([0.0, 1e-9, 2.0]))
    for row, y in enumerate([0.0, 1e-9, 2.0]):
        truth = autodiff.evaluate(text, {"y": y}, digits=20)
        for number, exact in ((batch.value[row], truth.value), (batch.gradient["y"][row], truth.gradient["y"])):
            assert abs(number - float(exact)) <= 1e-10 * abs(float(exact))


def test_rows_that_cancel_among_many_are_right_to_ten_digits() -> None:
    """Beside the zeros of value and slopes, where float64 has none of their digits."""
    rows = 200_000
    x = np.random.default_rng(1).uniform(0.5, 2.0, rows)
    roots = np.array([2.0**0.5, 1.5 ** (1 / 3), 1.0, (2 / 3) ** 0.5])
    x[: 8 * len(roots)] = (roots[:, None] * (1 + np.array([0, 1, -3, 1e3, -1e5, 1e7, -1e9, 1e11]) * 2.0**-52)).ravel()
    for text in ("x^3 - 2*x", "(x^2 - 1)/(x + 2)", "sin(pi*x*x/2)", "ln(x)*(x^3 - 1.5)", "x - cos(x - 1)"):
        batch = autodiff.compile(text).batch(x=x)
        assert not batch.hard
        for row in range(8 * len(roots)):
            truth = autodiff.evaluate(text, {"x": float(x[row])}, digits=20)
            value, slope = float(truth.value), float(truth.gradient["x"])
            assert abs(batch.value[row] - value) <= 1e-10 * abs(value)
            assert abs(batch.gradient["x"][row] - slope) <= 1e-10 * abs(slope)


@pytest.mark.parametrize(
    "text", ["(x*1e200)^2/1e200/1e200", "tanh(x*1e-120*1e-250)*1e200", "(x*1e170)^2*1e-200*1e-200 + x"]
)
def test_constants_whose_product_underflows_are_not_folded(text: str) -> None:
    """1/1e200/1e200 is 0 in float64: folded, it made the slope of a hundred rows 0."""
    lone = autodiff.evaluate(text, {"x": 1e-170})
    value, slopes = autodiff.compile(text)(x=np.full(100, 1e-170))
    assert value[50] == pytest.approx(lone.value, rel=1e-10, abs=5e-324)
    assert slopes["x"][50] == pytest.approx(lone.gradient["x"], rel=1e-10, abs=5e-324)


def test_equal_points_at_corners_are_answered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Mapping[str, float]] = []
    compiled = autodiff.compile("abs(x)*y")
    answer = type(compiled).answer

    def noted(self: autodiff.Compiled, point: Mapping[str, float], **options: int) -> autodiff.Answer:
        asked.append(point)
        return answer(self, point, **options)

    monkeypatch.setattr(type(compiled), "answer", noted)
    rows = compiled.batch(x=np.zeros(5000), y=np.arange(5000) % 4 + 1.0)
    assert [point["y"] for point in asked] == [1.0, 2.0, 3.0, 4.0]
    assert rows.status.tolist() == ["corner"] * 5000


def test_a_zero_in_rows_has_no_sign() -> None:
    _, slopes = autodiff.compile("x^2*y^-2")(x=np.full(40, 2.0), y=np.full(40, 1e300))
    assert not np.signbit(slopes["y"]).any()


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("y = x; if(x <= y, y^3, 0)", "y"), ("y = x; if(x == y, 0, y - x)", "y"), ("y = x; z = y; y^3*if(x == z, 1, 0)", "z"),
        ("y = x; abs(x - y)", "y"), ("y = x; max(x, y)", "y"), ("y = x; if(x != y, y, x)", "x"), ("a = abs(x); a^2 + a", "a"),
    ],
)  # fmt: skip
def test_a_second_name_of_an_input_moves_without_it(text: str, by: str) -> None:
    rows = autodiff.compile(text, [by]).batch(x=np.array([2.0, 0.5, 0.0]))
    for row, x in enumerate([2.0, 0.5, 0.0]):
        answer = autodiff.evaluate(text, {"x": x}, [by])
        assert rows.hard.get(row, "ok") == answer.status
        np.testing.assert_allclose(
            rows.gradient[by][row], np.nan if answer.gradient[by] is None else answer.gradient[by]
        )
