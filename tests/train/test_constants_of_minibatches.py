"""What depends on no parameter is computed once for all minibatches, where each row's is its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodiff import parse
from autodiff.arrays.functions import NumPyArrays
from autodiff.core.lowering import lower
from autodiff.train import loop
from autodiff.train.checkpoint import State
from autodiff.train.minimum import _directions
from autodiff.train.model import Model, Objective

CHANCE = np.random.default_rng(3)
X, Y = CHANCE.normal(size=(50, 4)), CHANCE.normal(size=50)
PLAN = loop.Hyperparameters(epochs=3, rate=0.05, batch=16)


def _trained(text: str, monkeypatch: pytest.MonkeyPatch, *, whole: bool) -> tuple[dict[str, Any], list[int]]:
    """The parameters at the end, and how many rows each evaluation of constants had."""
    rows: list[int] = []
    evaluate = Model.inactive

    def counted(self: Model, nodes: Any, columns: Any) -> dict[int, Any]:
        rows.append(len(columns["y"]))
        return evaluate(self, nodes, columns)

    model = Model(lower(parse(text)), ["w"])
    with monkeypatch.context() as patched:
        patched.setattr(Model, "inactive", counted)
        if not whole:
            patched.setattr(Objective, "_axes_of_fixed", None)
        epochs = list(loop.descend(model.over({"X": X, "y": Y}), State({"w": np.full(4, 0.1)}, {}), PLAN))
    return dict(epochs[-1].state.parameters), rows


@pytest.mark.parametrize(
    "text",
    [
        "mean((tanh((X - 0.3)/1.7) @ w - y^2)^2)",
        "mean((exp(-X^2) @ w - softmax(X) @ w + y)^2)",
        "z = transpose(X); mean((w @ sin(z) - y)^2)",
        "mean((X @ w - y)^2) + 2^3*sum(w^2)",
    ],
)
def test_rows_of_constants_are_those_of_each_minibatch(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, evaluated = _trained(text, monkeypatch, whole=True)
    apart, _ = _trained(text, monkeypatch, whole=False)
    assert np.allclose(whole["w"], apart["w"], rtol=1e-13, atol=0)  # BLAS adds a transposed matrix in another order
    assert sorted(evaluated) == [2, 3, 50]  # two to see where the rows are; none is of a minibatch


@pytest.mark.parametrize(
    "text", ["mean((X @ w - (y - mean(y)))^2)", "mean((X @ w - y*y[0])^2)", "mean((X @ w - cumsum(y))^2)"]
)
def test_a_constant_of_several_rows_is_that_of_each_minibatch(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(lower(parse(text)), ["w"])
    assert model.over({"X": X, "y": Y}).part(np.arange(2)).fixed is None
    assert np.array_equal(
        _trained(text, monkeypatch, whole=True)[0]["w"], _trained(text, monkeypatch, whole=False)[0]["w"]
    )


def test_a_value_of_which_a_slope_uses_only_the_size_is_freed() -> None:
    lowered = lower(parse("L = mean(w*x + 1)"))
    added = lowered.graph.args[lowered.result][0]
    assert added in Model(lowered, ["w"]).unused[lowered.result]


def test_tall_matrices_are_multiplied_with_vectors_in_parts() -> None:
    chance = np.random.default_rng(0)
    matrix, rows, columns = chance.normal(size=(20_001, 3)), chance.normal(size=20_001), chance.normal(size=3)
    product = NumPyArrays().product
    np.testing.assert_allclose(product(matrix, columns), matrix @ columns, rtol=1e-12)
    np.testing.assert_allclose(product(rows, matrix), rows @ matrix, rtol=1e-10)


def test_a_backward_pass_keeps_the_slopes_of_the_parameters_alone() -> None:
    model = Model(lower(parse("mse(y, tanh(x*w + b))")), ["w", "b"])
    run = model.over({"x": np.ones(5), "y": np.zeros(5)}).run({"w": 1.0, "b": 0.0})
    assert model.adjoints(run).keys() == set(model.sources.values())


def test_a_curvature_beyond_float64_is_no_warning() -> None:
    with np.errstate(all="raise"):
        assert [*_directions(lambda direction: 1e200 * direction, np.array([1e200, 0.0]), 0.0)] == []
