"""The picture of a training: the rows and what is predicted between them, where that needs one column or two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autodiff.tables import columns
from autodiff.train.loop import Hyperparameters
from autodiff.train.picture import Predicted, predicted
from autodiff.train.training import Training
from tests.support.command import autodiff

XOR = "h = tanh(a*x1 + b*x2 + c); k = tanh(b*x1 + a*x2 + c); p = sigmoid(6*h + 6*k + 5); L = bce(y, p)"


def _predicted(tmp_path: Path, table: str, program: str, parameters: dict[str, float]) -> Predicted | None:
    path = tmp_path / "t.csv"
    path.write_text(table)
    training = Training(program, columns.load(str(path), list), parameters, Hyperparameters())
    return predicted(training, parameters)


def test_over_one_column_the_prediction_is_a_curve(tmp_path: Path) -> None:
    found = _predicted(tmp_path, "x,y\n0,1\n1,3\n2,5\n", "p = w*x + b; L = mse(y, p) + 0*w^2", {"w": 2.0, "b": 1.0})
    assert found is not None
    assert (found.columns, found.name, found.level) == (["x"], "y", None)
    assert found.rows[0].tolist() == [0, 1, 2]
    assert found.target.tolist() == [1, 3, 5]
    assert np.allclose(found.predicted, 2 * found.places[0] + 1)
    assert found.places[0][0] < 0 < 2 < found.places[0][-1]


def test_over_two_columns_two_classes_part_at_a_line(tmp_path: Path) -> None:
    table = "x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
    found = _predicted(tmp_path, table, XOR, {"a": -4.5, "b": 4.5, "c": -2.1})
    assert found is not None
    assert (found.columns, found.name, found.level) == (["x1", "x2"], "y", 0.5)
    for x1, x2, y in zip(*found.rows, found.target, strict=True):
        at = found.predicted[np.abs(found.places[1] - x2).argmin(), np.abs(found.places[0] - x1).argmin()]
        assert (at > 0.5) == (y > 0.5)
    scores = _predicted(tmp_path, "u,v,y\n0,0,0\n0,1,1\n", "L = hinge(2*y - 1, a*u + b*v)", {"a": 1.0, "b": -1.0})
    assert scores is not None
    assert (scores.name, scores.level, scores.target.tolist()) == ("2*y - 1", 0.0, [-1, 1])


@pytest.mark.parametrize(
    ("table", "program"),
    [
        ("u,v,y\n0,0,0\n0,1,1\n", "L = mse(y, a*u + v)"),
        ("u,v,t,y\n0,0,0,0\n0,1,1,1\n", "L = bce(y, sigmoid(a*u + v + t))"),
        ("u,y\n0,0\n1,1\n", "L = mean((y - a*u)^2)"),
        ("u,y\n0,0\n1,1\n", "L = mse(y, a*(u - mean(u)))"),
        ("u,y\n0,0\n1,1\n", "L = mse(y, a)"),
    ],
)
def test_other_programs_have_the_loss_alone(tmp_path: Path, table: str, program: str) -> None:
    assert _predicted(tmp_path, table, program, {"a": 1.0}) is None


def test_the_picture_has_both_panels(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "t.csv").write_text("x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    picture = tmp_path / "p.svg"
    data, out = ("--data", str(tmp_path / "t.csv")), ("--epochs", "3", "-q", "--plot", str(picture))
    assert autodiff("train", XOR, *data, "--params", "a=-4,b=4,c=-2", *out).status == 0
    words = picture.read_text()
    assert all(f"<!-- {label} -->" in words for label in ("epoch", "x1", "x2", "y = 0", "y = 1", "prediction 0.5"))
