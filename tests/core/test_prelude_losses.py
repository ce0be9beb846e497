"""The prelude: each loss against scikit-learn, SciPy or PyTorch (recorded), its gradient in both modes, its own example.

Recorded with scikit-learn 1.9.1, SciPy 1.17.1 and PyTorch 2.13 (float64) on the arrays that stand here.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import autodiff as package
from autodiff.core import prelude, rules
from tests.support.command import autodiff

Y, P = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.5]
LABELS, SHARES = [1.0, 0.0, 1.0, 1.0, 0.0], [0.9, 0.2, 0.65, 0.31, 0.5]
SIGNS, SCORES = [1.0, -1.0, 1.0, 1.0, -1.0], [0.8, -0.4, 1.7, -2.0, 0.3]
ONEHOT = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
ROWS = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]]

RECORDED: list[tuple[str, dict[str, Any], float]] = [
    ("mse(y, p)", {"y": Y, "p": P}, 0.6875),  # sklearn.metrics.mean_squared_error
    ("mae(y, p)", {"y": Y, "p": P}, 0.625),  # sklearn.metrics.mean_absolute_error
    ("rmse(y, p)", {"y": Y, "p": P}, 0.82915619758885),  # sklearn.metrics.root_mean_squared_error
    ("huber(y, p, 1)", {"y": Y, "p": P}, 0.3125),  # mean of scipy.special.huber
    ("huber(y, p, 0.75)", {"y": Y, "p": P}, 0.2734375),  # torch.nn.functional.huber_loss
    ("logcosh(y, p)", {"y": Y, "p": P}, 0.273917296232588),  # mean of numpy.logaddexp(p-y, y-p) - ln 2
    ("bce(y, p)", {"y": LABELS, "p": SHARES}, 0.5247234290254761),  # sklearn.metrics.log_loss
    ("bce_logits(y, z)", {"y": LABELS, "z": [2.5, -30.0, 0.25, -1.5, 800.0]}, 160.47124848643085),  # torch
    ("cross_entropy(y, p)", {"y": ONEHOT, "p": ROWS}, 0.5202159160882228),  # sklearn.metrics.log_loss
    ("hinge(y, s)", {"y": SIGNS, "s": SCORES}, 1.02),  # sklearn.metrics.hinge_loss
    ("kl(y, p)", {"y": [0.5, 0.3, 0.2, 0.0], "p": [0.4, 0.4, 0.1, 0.1]}, 0.1638965900335596),  # scipy.stats.entropy
    ("entropy(p)", {"p": [0.5, 0.3, 0.2, 0.0]}, 1.4854752972273346),  # scipy.stats.entropy, base 2
    ("exponential(y, s)", {"y": SIGNS, "s": SCORES}, 2.0082494881424497),  # mean of numpy.exp
    ("gini(p)", {"p": [0.4, 0.6]}, 0.48),  # DecisionTreeClassifier.tree_.impurity
    ("information_gain(p, l, r, 0.5)", {"p": [0.4, 0.6], "l": [0.8, 0.2], "r": [0.0, 1.0]},
     0.9709505944546686 - 0.7219280948873623 / 2),  # the same, criterion="entropy"
    ("wcss(x, c)", {"x": [[0, 0], [1, 0], [5, 5], [6, 4.5], [9, 0.5]], "c": [[0.5, 0.25], [6.0, 4.0]]}, 24.125),  # KMeans
    ("l1(w)", {"w": [3.0, -4.0]}, 7.0),
    ("l2(w)", {"w": [3.0, -4.0]}, 25.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "value"), RECORDED, ids=lambda v: v if isinstance(v, str) else "")
def test_the_value_equals_other_libraries(text: str, at: dict[str, Any], value: float) -> None:
    assert package.evaluate(text, at, [] if "l" in at or "entropy" in text[:7] else None).value == pytest.approx(
        value, rel=1e-14
    )


def test_every_loss_is_recorded() -> None:
    assert (
        {text.partition("(")[0] for text, _, _ in RECORDED}
        == {loss.name for loss in prelude.losses()}
        == prelude.names()
    )


@pytest.mark.parametrize(("text", "at", "value"), RECORDED, ids=lambda v: v if isinstance(v, str) else "")
def test_the_gradient_in_both_modes(text: str, at: dict[str, Any], value: float) -> None:
    """By the last argument, the prediction: both modes, and a central difference."""
    name = list(at)[-1]
    at = {n: np.array(v, dtype=float) for n, v in at.items()}
    at[name] = at[name] * 1.01 + 1e-3 * np.arange(at[name].size).reshape(at[name].shape)  # off the corners
    if name == "r":
        at[name] = np.array([0.3, 0.7])
    if name == "p" and text.startswith("entropy"):
        at[name] = np.array([0.5, 0.3, 0.2])
    answer = package.evaluate(text, at, [name], "both")
    assert answer.status == "ok", answer.why
    assert answer.forward is not None
    assert answer.forward[name] == pytest.approx(answer.gradient[name], rel=1e-12, abs=1e-15)
    for place in np.ndindex(at[name].shape):
        step = np.zeros(at[name].shape)
        step[place] = 1e-6
        ends = [package.evaluate(text, {**at, name: at[name] + sign * step}, []).value for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(answer.gradient[name][place], rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("loss", prelude.losses(), ids=lambda loss: loss.name)
def test_the_example_in_its_comment(loss: prelude.Loss) -> None:
    call, _, value = loss.example.rpartition(" = ")
    assert package.evaluate(call).value == float(value)
    assert loss.formula
    assert loss.models


@pytest.mark.parametrize("loss", prelude.losses(), ids=lambda loss: loss.name)
def test_plain_numbers_work_too(loss: prelude.Loss) -> None:
    at = {name: 0.3 + 0.1 * k for k, name in enumerate(loss.signature.partition("(")[2][:-1].split(", "))}
    plain = package.evaluate(loss.signature, at, mode="both")
    rows = package.evaluate(
        loss.signature, {name: [value] if name not in ("delta", "weight") else value for name, value in at.items()}
    )
    assert plain.status == "ok"
    assert plain.value == pytest.approx(rows.value, rel=1e-14)
    for name, slope in plain.gradient.items():
        assert slope == pytest.approx(np.ravel(rows.gradient[name])[0], rel=1e-13)


@pytest.mark.parametrize(
    ("text", "at", "value", "slope"),
    [
        ("logcosh(0, p)", {"p": 1e-5}, 4.9999999999166666e-11, 9.999999999666667e-06),
        ("logcosh(0, p)", {"p": 1e6}, 1e6 - math.log(2), 1.0),
        ("logcosh(0, p)", {"p": 0.0}, 0.0, 0.0),
        ("bce(1, p)", {"p": 1.0}, 0.0, -1.0),
        ("bce(0, p)", {"p": 1e-17}, 1e-17, 1.0),
        ("bce_logits(1, z)", {"z": 1000.0}, 0.0, 0.0),
        ("bce_logits(1, z)", {"z": -1000.0}, 1000.0, -1.0),
        ("kl(0, p)", {"p": 0.3}, 0.0, 0.0),
    ],
)
def test_hard_places(text: str, at: dict[str, float], value: float, slope: float) -> None:
    answer = package.evaluate(text, at)
    assert answer.value == pytest.approx(value, rel=4e-16, abs=1e-300)
    (found,) = answer.gradient.values()
    assert found == pytest.approx(slope, rel=1e-15, abs=1e-300)


def test_a_loss_without_value_or_slope_has_no_number() -> None:
    assert package.evaluate("bce(1, p)", {"p": 0.0}).status == "domain"
    assert package.evaluate("bce(y, p)", {"y": [1.0, 0.0], "p": [0.5, 1.0]}).status == "domain"
    assert package.evaluate("entropy(p)", {"p": [1.0, 0.0]}).status in ("infinite", "unknown", "domain")
    assert package.evaluate("mae(1, p)", {"p": 1.0}).status == "corner"
    assert package.evaluate("kl(y, p)", {"y": [0.0, 1.0], "p": [0.0, 1.0]}, ["p"]).value == 0.0


def test_errors_use_the_users_names() -> None:
    answer = package.evaluate("L = bce(y, w + 2)", {"y": 1.0, "w": -3.0})
    assert answer.why.startswith("bce(y, w + 2) needs w + 2 > 0")
    for text, at, says in (
        ("bce(y, w)", {"y": 0.0, "w": 3.0}, "bce(y, w) needs 1 - w > 0, but 1 - w is -2 when y = 0, w = 3"),
        ("bce(y, 2*w)", {"y": 0.0, "w": [0.25, 1.5]}, "bce(y, 2*w) needs 1 - (2*w) > 0, but at [1] 1 - (2*w) is -2"),
        ("f(t) = bce(0, t); f(w) + f(3)", {"w": 0.5}, "bce(0, t) needs 1 - t > 0, but 1 - t is -2"),
        ("kl(a, b*b)", {"a": 1.0, "b": 0.0}, "kl(a, b*b) needs b*b != 0, but b*b is 0 when a = 1, b = 0"),
        ("kl(a, b)", {"a": -1.0, "b": 2.0}, "kl(a, b) needs a/b > 0, but a/b is -0.5 when a = -1, b = 2"),
        ("information_gain([v, 1], [1, 0], [0, 1], 0.5)", {"v": -1.0}, "0.5) needs v > 0, but v is -1"),
        ("entropy(mae(a, -1) - 3)", {"a": 0.5}, "entropy(mae(a, -1) - 3) needs mae(a, -1) - 3 > 0, but"),
    ):
        assert says in package.evaluate(text, at).why
    assert answer.span == (4, 17)


def test_a_name_of_the_prelude_cannot_be_defined_again() -> None:
    with pytest.raises(package.AutodiffError, match="built-in function"):
        package.evaluate("mse(a, b) = a - b; mse(1, 2)")
    assert package.evaluate("f(t) = mse(t, 1); f(3)").value == 4.0


def test_the_listing_has_the_table_of_functions() -> None:
    out = autodiff("functions", "losses").out
    for loss in prelude.losses():
        assert loss.signature in out
        assert loss.formula in out
        assert loss.models in out
    assert "k-nearest neighbours: nothing is fitted" in out
    assert "naive Bayes: nothing is minimised" in out
    data = json.loads(autodiff("functions", "losses", "--format", "json").out)
    assert [row["name"] for row in data] == [loss.name for loss in prelude.losses()]
    listing = autodiff("functions", "hinge").out
    assert "support vector machines" in listing
    assert "hinge([1, -1], [0.5, -3]) = 0.25" in listing
    assert autodiff("functions", "hing").err == "error: no function 'hing'\n  did you mean hinge?\n"
    assert autodiff("functions", "losses", "--format", "markdown").out.startswith("| loss | formula | models |")


def test_the_language_knows_every_loss() -> None:
    assert prelude.names() <= rules.functions()
