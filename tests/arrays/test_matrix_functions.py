"""Functions of whole arrays: both modes, the program written out, differences, NumPy and JAX; singular matrices and ties."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

from autodiff import AutodiffError, derivative, evaluate, hessian
from autodiff import compile as compile_rows
from autodiff.core import rules
from autodiff.core.primitive import ELEMENTWISE, REDUCTION, Primitive
from tests.arrays.test_array_derivatives import LINEAR, agree, lowered_program
from tests.support.command import autodiff

WELL = np.array([[3.0, 0.5, -1.0], [0.7, 2.0, 0.4], [-0.6, 1.1, 1.5]])
"""A matrix far from singular, with a positive determinant."""

CASES = [
    ("det(u)*v", (3, 3), ()), ("cofactor(u)*v", (3, 3), ()), ("logdet(u)*v", (3, 3), ()), ("detsign(u)*v", (3, 3), ()),
    ("inv(u)*v", (3, 3), ()), ("solve(u, v)", (3, 3), (3,)), ("solve(u, v)", (3, 3), (3, 2)), ("trace(u)*v", (3, 3), ()),
    ("diag(u)*v", (3,), (3, 3)), ("diag(u)*v", (3, 3), (3,)), ("outer(u, v)", (3,), (2,)), ("cumsum(u)*v", (4,), (4,)),
    ("cumsum(u, 0)*v", (2, 3), (2, 3)), ("cumsum(u, 1)*v", (2, 3), (2, 3)), ("cumprod(u)*v", (4,), (4,)), ("flip(u)*v", (4,), (4,)),
    ("flip(u, 0)*v", (2, 3), (3,)), ("flip(u, -1)*v", (2, 3), (3,)), ("sort(u)*v", (5,), (5,)), ("argsort(u)*v", (5,), (5,)),
    ("permute(u, [2, 0, 1])*v", (3,), (3,)), ("quantile(u, 0.3)*v", (5,), ()), ("quantile(u, 0)*v", (5,), ()),
    ("quantile(u, 1)*v", (5,), ()), ("median(u)*v", (5,), ()), ("median(u)*v", (4,), ()), ("argmin(u)*v", (4,), ()),
    ("concat(u, v)", (3,), (2,)), ("concat(u, v, u)", (2, 3), (1, 3)), ("stack(u, v)", (3,), (3,)), ("stack(u, v, 2*u)", (2, 2), (2, 2)),
    ("reshape(u, 6)*v", (2, 3), (6,)), ("reshape(u, 3, -1)*v", (2, 3), (2,)), ("reshape(u, 1, 3, 2)*v", (2, 3), (2,)),
    ("reshape_like(u, v)*v", (6,), (2, 3)), ("u[1:3]*v", (4,), (2,)), ("u[:-1]*v", (4,), (3,)), ("u[:, 1]*v", (2, 3), (2,)),
    ("u[0, 1:]*v", (2, 3), (2,)), ("u[:, 0:2]*v", (2, 3), (2, 2)), ("u[:, :, -1]*v", (2, 2, 3), (2,)), ("u[1, :, 0:2]*v", (2, 2, 3), (2,)),
    ("unslice(u, v, 1, 3, 0)*v", (2,), (4,)), ("put(u, v, 1, 1)*v", (2,), (2, 3)), ("u*v*len(u)", (3,), (3,)),
    ("gather(u, [2, 0, 2])*v", (3,), (3,)), ("u[round(0*v) + 1]*v", (2, 3), (3,)), ("gather_sum(u, v, [2, 0, 2])*v", (3,), (3,)),
    ("gather_sum(u, v, [1, 1])*v", (2, 3), (2, 3)), ("one_hot(2, 3)*u*v", (3,), ()), ("one_hot([0, 2], 3)*u*v", (3,), ()),
]  # fmt: skip


def _point(first: tuple[int, ...], second: tuple[int, ...]) -> dict[str, Any]:
    chance = np.random.default_rng(4)
    point = {n: chance.uniform(0.2, 2, s) if s else 0.8 for n, s in (("u", first), ("v", second))}
    return point | ({"u": WELL} if first == (3, 3) else {})


@pytest.mark.parametrize(("text", "first", "second"), CASES, ids=str)
def test_both_modes_the_elements_and_differences_agree(
    text: str, first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    agree(f"sum(sin({text}))", _point(first, second))


def test_every_row_of_whole_arrays_is_compared() -> None:
    cases = [*CASES, *LINEAR, ("u[0] + u[0, 0] + u[0, 0, 0]", (), ())]
    seen = {row for text, _, _ in cases for row in lowered_program(text).graph.rows}
    left_out = {row.name for row in rules.rows() if row.kind not in (ELEMENTWISE, REDUCTION)} - {
        row.name for row in seen if row is not None
    }
    assert left_out == {"stack"}  # which is read as an array literal


@pytest.mark.parametrize("row", [row for row in rules.rows() if row.value in ("det", "cofactor", "logdet", "inv")])
def test_slopes_of_slopes_of_matrices(row: Primitive) -> None:
    """The text of a partial is a program whose derivative holds, too: order 2."""
    point = {"u": WELL, "g": np.linspace(0.5, 1.5, 9).reshape(3, 3) if row.value in ("cofactor", "inv") else 0.7}
    agree(f"w = {row.signature}; sum(sin({row.partials[0]}))", point)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 12])
def test_matrices_of_any_size_are_as_numpy_has_them(size: int) -> None:
    chance = np.random.default_rng(size)
    matrix, right = chance.normal(size=(size, size)) + 2 * np.eye(size), chance.normal(size=size)
    at = {"A": matrix, "b": right}
    inverse = np.linalg.inv(matrix)
    assert evaluate("det(A)", {"A": matrix}).value == pytest.approx(np.linalg.det(matrix), rel=1e-11)
    assert evaluate("det(A)", {"A": matrix}).gradient["A"] == pytest.approx(np.linalg.det(matrix) * inverse.T, rel=1e-9)
    assert evaluate("inv(A)", {"A": matrix}).value == pytest.approx(inverse, rel=1e-9, abs=1e-12)
    found = evaluate("sum(solve(A, b)^2)", at)
    solution = np.linalg.solve(matrix, right)
    assert found.value == pytest.approx(solution @ solution, rel=1e-10)
    assert found.gradient["b"] == pytest.approx(2 * inverse.T @ solution, rel=1e-9)
    assert found.gradient["A"] == pytest.approx(-2 * np.outer(inverse.T @ solution, solution), rel=1e-9)
    assert found.checked


def test_values_and_gradients_are_as_jax_has_them() -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    with jax.enable_x64():
        x, matrix = jnp.array([0.7, -1.2, 2.5, 0.0, 1.1]), jnp.array(WELL)
        programs = {
            "sum(cumprod(x)*[1, 2, 3, 4, 5])": (lambda x: jnp.sum(jnp.cumprod(x) * jnp.arange(1.0, 6.0)), x),
            "sum(cumsum(x)^2)": (lambda x: jnp.sum(jnp.cumsum(x) ** 2), x),
            "dot(sort(x), [1, 2, 3, 4, 5])": (lambda x: jnp.sort(x) @ jnp.arange(1.0, 6.0), x),
            "quantile(x, 0.3)^2 + median(x)": (lambda x: jnp.quantile(x, 0.3) ** 2 + jnp.median(x), x),
            "logdet(x) + trace(inv(x)) + det(x)": (lambda a: jnp.linalg.slogdet(a)[1] + jnp.trace(jnp.linalg.inv(a)) + jnp.linalg.det(a), matrix),
            "sum(x[1:, 0:2]^3) + sum(x[:, 2])": (lambda a: jnp.sum(a[1:, 0:2] ** 3) + jnp.sum(a[:, 2]), matrix),
            "sum(concat(x, x^2)^3) + sum(diag(x)*[1, 2, 3])": (lambda a: jnp.sum(jnp.concatenate([a, a**2]) ** 3) + jnp.diag(a) @ jnp.arange(1.0, 4.0), matrix),
        }  # fmt: skip
        for text, (function, at) in programs.items():
            value, gradient = jax.value_and_grad(function)(at)
            found = evaluate(text, {"x": np.asarray(at)})
            assert found.value == pytest.approx(float(value), rel=1e-12), text
            assert found.gradient["x"] == pytest.approx(np.asarray(gradient), rel=1e-11, abs=1e-12), text


@pytest.mark.parametrize("zeros", [(), (1,), (0,), (4,), (1, 3), (0, 1, 4)], ids=str)
def test_running_products_through_zeros(zeros: tuple[int, ...]) -> None:
    x = np.array([1.5, -0.5, 2.0, 0.7, 3.0])
    x[list(zeros)] = 0.0
    agree("sum(sin(cumprod(x)*[1, 2, 3, 4, 5]))", {"x": x})


def test_numbers_of_a_textbook_stay_whole() -> None:
    found = evaluate("det(A)", {"A": [[1, 2, 3], [0, 4, 5], [1, 0, 6]]})
    assert (found.value, found.gradient["A"].tolist()) == (22.0, [[24.0, 5.0, -4.0], [-12.0, 3.0, 2.0], [-2.0, -5.0, 4.0]])  # fmt: skip
    assert evaluate("inv(A)", {"A": [[1, 2], [3, 4]]}).value.tolist() == [[-2.0, 1.0], [1.5, -0.5]]


@pytest.mark.parametrize("text", ["sum(inv(A))", "sum(solve(A, [1, 2, 3]))", "logdet(A)"])
@pytest.mark.parametrize(
    "matrix", [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 0], [2, 4, 0], [0, 0, 1]], [[0.0] * 3] * 3]
)
def test_a_singular_matrix_has_no_inverse(text: str, matrix: list[list[float]]) -> None:
    found = evaluate(text, {"A": matrix})
    assert (found.value, found.status) == (None, "domain")
    assert "needs det(A)" in found.why
    assert "is nan" not in found.why


def test_a_decimal_matrix_that_is_singular_only_as_typed() -> None:
    """det is 0 of what was typed, and 1e-17 of the nearest float64."""
    ended = autodiff("eval", "sum(inv(A))", "--at", "A=[[0.1, 0.3], [0.2, 0.6]]")
    assert ended.status == 3
    assert ended.out == ""
    assert autodiff("eval", "-q", "det(A)", "--at", "A=[[0.1, 0.3], [0.2, 0.6]]").out.split()[0] == "0"


def test_a_singular_matrix_has_a_determinant_with_slopes() -> None:
    found = evaluate("det(A)", {"A": [[1, 2], [2, 4]]})
    assert (found.value, found.gradient["A"].tolist()) == (0.0, [[4.0, -2.0], [-2.0, 1.0]])
    large = np.outer(np.arange(1.0, 9.0), np.arange(1.0, 9.0)) + np.diag([1.0] * 7 + [0.0])
    assert evaluate("det(A)", {"A": large}).gradient["A"][7, 7] == pytest.approx(np.linalg.det(large[:7, :7]), rel=1e-9)


def test_an_ill_conditioned_matrix_keeps_its_digits() -> None:
    """The inverse of Hilbert's matrix of 6 rows is whole; float64 has lost 7 of its digits."""
    places = range(6)
    text = f"inv([{', '.join('[' + ', '.join(f'1/{i + j + 1}' for j in places) + ']' for i in places)}])[5, 5]"
    assert evaluate(text).value == pytest.approx(698544.0, rel=1e-12)


def test_far_ends_of_float64() -> None:
    assert evaluate("det(A)", {"A": [[1e200, 0], [0, 1e-200]]}).value == 1.0
    assert evaluate("logdet(A)", {"A": np.eye(50) * 1e-100}).value == pytest.approx(50 * np.log(1e-100), rel=1e-12)
    assert evaluate("sum(inv(A))", {"A": [[1e-200, 0], [0, 1e-200]]}).value == pytest.approx(2e200, rel=1e-12)


def test_ties_are_corners() -> None:
    tied = evaluate("dot(sort(x), [1, 2, 3])", {"x": [1, 1, 2]})
    assert tied.status == "corner"
    assert "df/dx[0] is 1 from the left and 2 from the right" in tied.why
    assert tied.gradient["x"][2] == 3.0
    assert evaluate("sum(sort(x))", {"x": [1, 1, 2]}).gradient["x"].tolist() == [1.0, 1.0, 1.0]
    assert evaluate("median(x)", {"x": [1, 1, 2]}).status == "corner"
    assert evaluate("median(x)", {"x": [0, 1, 1, 3]}).status == "ok"  # the two in the middle count alike
    assert evaluate("median(x)", {"x": [0, 1, 5, 7, 7]}).status == "ok"  # a tie elsewhere
    assert evaluate("argmin(x)", {"x": [1, 1, 2]}).status == "jump"


def test_large_arrays_with_ties_away_from_the_quantile() -> None:
    x = np.concatenate([np.repeat(np.arange(20_000.0), 2), [1e6], np.repeat(2e6 + np.arange(20_000.0), 2)])
    found = evaluate("median(x)", {"x": x})
    assert found.status == "ok"
    assert found.gradient["x"].sum() == 1.0


def _slices() -> list[str]:
    ranges = [":", "1:", ":2", "1:3", "-2:", ":-1", "0", "-1", "1:9"]
    return [", ".join(places) for count in (1, 2) for places in itertools.product(ranges, repeat=count)]


def test_slices_are_as_numpy_has_them() -> None:
    matrix = np.arange(12.0).reshape(3, 4)
    for place in _slices():
        expected = eval(f"matrix[{place}]", {"matrix": matrix})
        found = evaluate(f"sum(sin(A[{place}]))", {"A": matrix})
        assert found.value == pytest.approx(float(np.sum(np.sin(expected))), rel=1e-12, abs=1e-14), place
        mask = np.zeros((3, 4))
        exec(f"mask[{place}] = 1", {"mask": mask})
        assert found.gradient["A"] == pytest.approx(mask * np.cos(matrix), rel=1e-12), place


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("det(A)", "det(u) can't take shape (2, 3)"),
        ("solve(A, x)", "solve(u, v) can't take shape (2, 3) and shape (3,)"),
        ("outer(A, x)", "outer(u, v) can't take shape (2, 3)"),
        ("sort(A)", "sort(u) can't take shape (2, 3)"),
        ("cumsum(A)", "cumsum(u) can't take shape (2, 3)"),
        ("concat(A, x)", "concat(u, v, …) can't take shape (2, 3) and shape (3,)"),
        ("reshape(x, 2)", "reshape to shape (2,) needs as many elements, not shape (3,)"),
        ("x[2:1]", "there is no element in this slice"),
        ("x[0:2, 0]", "take along axis 1 needs an array that has it, not shape (3,)"),
        ("y[1:]", "slice along axis 0 needs an array that has it, not a number"),
        ("quantile(x, 2)", "a quantile needs a share from 0 to 1, not 2"),
        ("permute(x, [0, 0, 1])", "permute(u, i) can't take shape (3,) and shape (3,)"),
        ("x[y:]", "an index, an axis or a size must be constant, and 'y' is an input"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_so(program: str, message: str) -> None:
    at = {"A": np.ones((2, 3)), "x": np.array([1.0, 2.0, 3.0]), "y": 1.0}
    with pytest.raises(AutodiffError) as caught:
        evaluate(f"sum({program})", {name: value for name, value in at.items() if name in program.replace("sum", "")})
    assert message in str(caught.value)


def test_symbols_orders_and_digits() -> None:
    assert str(derivative("det([[a, b], [c, d]])", "a")) == "d"
    assert str(derivative("trace([[a, b], [c, a^2]])", "a")) == "2*a + 1"
    found = hessian("det(A)", {"A": [[1.0, 2.0], [3.0, 4.0]]})
    assert found.rows["A[0, 0]"]["A[1, 1]"] == 1.0
    assert found.rows["A[0, 1]"]["A[1, 0]"] == -1.0
    asked = autodiff("eval", "det(A)", "--at", "A=[[1, 1/3], [1/7, 1]]", "--digits", "30", "-q").out.split()[0]
    assert asked == "0.952380952380952380952380952381"


def test_a_number_stands_for_a_matrix_of_one_row() -> None:
    point = {"x": 2.0, "y": np.array([1.0, 3.0])}
    for text in ("inv(x)", "det(x)", "solve(x, x^2)", "trace(x)", "logdet(x)", "sort(x)", "cumsum(x)", "median(x)"):
        agree(f"sum({text}*y)", point)


def test_class_labels_in_training() -> None:
    table = "x,label\n0.5,0\n1.5,2\n-1,1\n"
    text = "P = softmax(expand_dims(x, 1)*expand_dims(w, 0)); L = -mean(sum(one_hot(label, 3)*ln(P), 1))"
    ended = autodiff(
        "train", text, "--data", "-", "--params", "w=[0,0.1,0.2]", "--epochs", "5", "-q", stdin=table.encode()
    )
    assert ended.status == 0


def test_slopes_of_an_ill_conditioned_matrix_keep_their_digits() -> None:
    places = range(6)
    text = f"logdet([{', '.join('[' + ', '.join(f'1/({i + j + 1} + x[{i}])' for j in places) + ']' for i in places)}])"
    found = evaluate(text, {"x": np.zeros(6)})
    exact = autodiff("eval", text, "--at", "x=[0,0,0,0,0,0]", "--digits", "20", "--format", "json")
    assert found.gradient["x"] == pytest.approx(np.array(json.loads(exact.out)["gradient"]["x"], float), rel=1e-12)


def test_more_elements_than_can_be_put_in_order_one_by_one() -> None:
    x = np.random.default_rng(1).normal(size=3000)
    found = evaluate("quantile(x, 0.1)", {"x": x})
    assert found.value == pytest.approx(np.quantile(x, 0.1), rel=1e-12)
    assert found.gradient["x"].sum() == pytest.approx(1.0)


PROGRAM = "det([[a, b], [c, 3]]) + median([a, b, c]) + inv([[a, b], [c, 3]])[0, 1] + sum(sort([a, b, c])[1:]^2) + cumprod([a, b, c])[2]"


def test_exports_and_rows_are_what_a_point_has() -> None:
    at = {"a": 1.5, "b": -0.5, "c": 0.7}
    point = evaluate(PROGRAM, at)
    names: dict[str, Any] = {}
    exec(autodiff("export", PROGRAM, "--to", "python").out, names)
    value, slopes = names["value_and_gradient"](**at)
    assert (value, *slopes) == pytest.approx((point.value, *point.gradient.values()), rel=1e-12)
    column, gradient = compile_rows(PROGRAM)(**{name: np.array([number, 2.0]) for name, number in at.items()})
    assert column[0] == pytest.approx(point.value, rel=1e-10)
    assert [gradient[name][0] for name in at] == pytest.approx([*point.gradient.values()], rel=1e-10)


def test_numpy_spellings() -> None:
    assert evaluate("np.linalg.inv(A)[0, 0] + np.linalg.det(A)", {"A": [[1, 2], [3, 4]]}).value == -4.0
    assert evaluate("np.concatenate(x, x)[3]", {"x": [1, 2]}).value == 2.0


@pytest.mark.parametrize("program", ["median(x)", "u = sort(x); u[1]", "quantile(x, 0.5)"])
def test_no_framework_s_number_is_claimed_for_equal_elements_in_order(program: str) -> None:
    """PyTorch shares a median among equal elements, and takes the first of them in a sort; JAX takes the first in both."""
    answer = evaluate(program, {"x": [1.0, 2.0, 2.0]})
    assert (answer.status, answer.frameworks) == ("corner", {})
    asked = evaluate(program, {"x": [1.0, 2.0, 2.0]}, convention="torch")
    assert (asked.status, asked.convention) == ("corner", "")
    assert "PyTorch" in asked.hint
    assert evaluate("max(x)", {"x": [1.0, 2.0, 2.0]}).frameworks
