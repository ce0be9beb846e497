"""The optimum of scikit-learn: each model of the notes on a real table reaches its loss, to a millionth."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.support.command import autodiff
from tests.support.optima import MODELS, RECORDED
from tests.support.paths import EXAMPLES

LOSSES = json.loads(RECORDED.read_text(encoding="utf-8"))["losses"]
CORNERS = ("quantile", "hinge")
"""Losses with corners at their minimum, where no slope becomes small."""


@pytest.mark.parametrize("name", MODELS)
def test_a_model_reaches_the_optimum_of_scikit_learn(name: str) -> None:
    model = MODELS[name]
    ended = autodiff(
        "train", model.program, "--data", str(EXAMPLES / f"{model.data}.csv"), *shlex.split(model.words), "--json"
    )
    assert (ended.status, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert found["loss"] == pytest.approx(LOSSES[name], rel=1e-6)
    assert found["ended"] == ("out of epochs" if name in CORNERS else "converged")
    if name == "lasso":
        assert [weight == 0 for weight in found["params"]["w"]] == [True, False, False, False, True, True, False, True, False, False]  # fmt: skip
