"""Optimizers, schedules and clipping follow PyTorch; a penalty of |w| ends at exact zeros and the optimum of the lasso."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff.tables.columns import NumericTable, load
from autodiff.train.declarations import chooser
from autodiff.train.ending import conclude
from autodiff.train.loop import Hyperparameters
from autodiff.train.optimizers.first_order import Constants
from autodiff.train.optimizers.schedule import Schedule
from autodiff.train.training import Training
from tests.support import rules
from tests.support.command import autodiff
from tests.support.paths import EXAMPLES
from tests.support.trajectories import CASES

RECORDED = json.loads(rules.RECORDED.read_text(encoding="utf-8"))


def _training(name: str, schedule: str, clip: float) -> Training:
    about = CASES[rules.CASE]
    text = (EXAMPLES / f"{about['example']}.ad").read_text(encoding="utf-8")
    params = {key: np.array(value) for key, value in about["params"].items()}
    plan = Hyperparameters(
        rules.EPOCHS, rules.rate(name, schedule), name.split()[0], constants=Constants(**rules.RULES[name][0]),
        schedule=Schedule.of(schedule, rules.EPOCHS), clip=clip,
    )  # fmt: skip
    return Training(text, load(str(EXAMPLES / f"{about['data']}.csv"), chooser(text, list(params), [])), params, plan)


@cache
def _trained(name: str, schedule: str, clip: float) -> tuple[list[float], Training]:
    training = _training(name, schedule, clip)
    return [record.loss for record in training.epochs()], training


@pytest.mark.parametrize("run", rules.RUNS, ids=str)
def test_three_hundred_epochs_follow_pytorch(run: tuple[str, str, float]) -> None:
    losses, training = _trained(*run)
    recorded = RECORDED[" / ".join(map(str, run))]
    assert [losses[k] for k in rules.SHOWN] == pytest.approx(recorded["losses"], abs=1e-10, rel=1e-10)
    for name, value in recorded["params"].items():
        assert training.state.parameters[name] == pytest.approx(np.array(value), abs=1e-10, rel=1e-10)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("run", rules.RUNS, ids=str)
def test_three_hundred_epochs_follow_pytorch_live(run: tuple[str, str, float]) -> None:
    losses, _ = _trained(*run)
    assert losses == pytest.approx(rules.torch_run(*run)["losses"], abs=1e-10)


@pytest.mark.parametrize(
    ("loss", "start", "least"),
    [("rmse(y, a*x)", 0, 1e-13), ("std(y - a*x)", 0, 1e-13), ("mae(y, a*x)", 0, 1e-13), ("norm(y - a*x)", 5, 1e-12),
     ("sqrt(a) + 0*sum(x*y)", 1, 1e-9), ("ln(a) + 0*sum(x*y)", 1, -40), ("abs(a - 1) + abs(a + 1) + 0*sum(x*y)", -7, 2)],
)  # fmt: skip
def test_lbfgs_reaches_a_corner_and_the_end_of_a_domain(loss: str, start: float, least: float, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,y\n1,2\n2,4\n3,6\n5,10\n")
    words = ["train", loss, "--data", str(table), "--params", f"a={start}", "--optimizer", "lbfgs", "--json"]
    assert json.loads(autodiff(*words).out)["loss"] <= least


def test_a_plateau_comes_in_the_recorded_run() -> None:
    _, training = _trained("rmsprop", "plateau:3:0.5", 0.0)
    assert training.state.schedule["factor"] < 1


def test_a_plateau_lowers_a_rate_by_no_less_than_pytorch_does() -> None:
    plan, memory, rates = Schedule.of("plateau:1", 100), dict[str, float](), list[float]()
    for _ in range(30):
        memory = plan.after(1.0, memory, 0.05)
        rates.append(0.05 * memory["factor"])
    assert min(rates) == pytest.approx(5e-9)


# --- the penalty of |w| ------------------------------------------------------------------------------------------------

CHANCE = np.random.default_rng(11)
ROWS = CHANCE.normal(size=(60, 5))
TARGET = ROWS @ np.array([1.5, 0, 0, -0.7, 0.02]) + 0.1 * CHANCE.normal(size=60)
TABLE = NumericTable("t", {f"x{k}": ROWS[:, k] for k in range(5)} | {"y": TARGET}, range(60))


@cache
def _lasso(l1: float) -> Any:
    """The minimum of mean((y - Xw)²) + l1*sum|w|, by coordinate descent."""
    w = np.zeros(5)
    for _ in range(2000):
        for k in range(5):
            rest = TARGET - ROWS @ w + ROWS[:, k] * w[k]
            slope, curve = 2 * np.mean(ROWS[:, k] * rest), 2 * np.mean(ROWS[:, k] ** 2)
            w[k] = np.sign(slope) * max(abs(slope) - l1, 0) / curve
    return w


@pytest.mark.parametrize(
    ("optimizer", "rate", "constants"),
    [
        ("sgd", 0.1, Constants()), ("momentum", 0.05, Constants()), ("sgd", 0.05, Constants(0.8, nesterov=True)),
        ("adam", 0.01, Constants()), ("rmsprop", 0.001, Constants()), ("adagrad", 0.3, Constants()),
    ],
)  # fmt: skip
def test_l1_ends_at_the_lasso_with_exact_zeros(optimizer: str, rate: float, constants: Constants) -> None:
    plan = Hyperparameters(4000, rate, optimizer, constants=constants)
    training = Training("L = mse(y, columns(x0..x4) @ w)", TABLE, {"w": np.ones(5)}, plan, l1=0.3)
    list(training.epochs())
    found, wanted = conclude(training), _lasso(0.3)
    near = 1e-3 if optimizer == "rmsprop" else 1e-6
    assert found.parameters["w"] == pytest.approx(wanted, abs=near)
    assert [float(v) for v in found.parameters["w"][wanted == 0]] == [0.0] * int(np.sum(wanted == 0))
    if optimizer in ("sgd", "momentum"):
        assert found.ended == "converged"


def test_the_explained_step_says_how_a_parameter_comes_to_zero() -> None:
    args = [
        "train",
        "L = mse(y, w*x + b)",
        "--data",
        str(EXAMPLES / "line.csv"),
        "--params",
        "w=0.001,b=0",
        "--l1",
        "9",
    ]
    shown = autodiff(*args, "--lr", "0.01", "--epochs", "1").out
    assert "4 update   old - lr × slope; then towards 0 by lr × 9, lr = 0.01" in shown
    data = json.loads(autodiff(*args, "--lr", "0.01", "--epochs", "1", "--json").out)
    assert data["params"] == {**data["params"], "b": data["step"]["updated"]["b"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--schedule", "steps"], "--schedule can't be read: 'steps'\n  write step, step:30 (every 30 epochs)"),
        (["--schedule", "step:0"], "--schedule can't be read: 'step:0'"),
        (["--betas", "0.9"], "--betas takes two numbers from 0 to below 1, not '0.9'"),
        (["--betas", "0.9,1"], "--betas takes two numbers from 0 to below 1"),
        (["--optimizer", "adam", "--momentum", "0.9"], "adam takes no --momentum\n  it is of sgd, momentum, rmsprop"),
        (["--optimizer", "lbfgs", "--clip", "1"], "lbfgs takes no --clip"),
        (["--nesterov"], "--nesterov needs a momentum\n  add --momentum 0.9"),
    ],
)
def test_an_option_of_another_optimizer_is_a_mistake(options: list[str], message: str) -> None:
    ended = autodiff(
        "train", "(x - 1)^2", "--params", "x=0", *(["--optimizer", "adam"] if "--betas" in options else []), *options
    )
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {message}")


# --- flat places -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "start", "optimizer", "ended"),
    [
        ("(x^2 - 1)^2", "x=0", "sgd", "flat"),  # a maximum
        ("x*y + x^4 + y^4", "x=0,y=0", "lbfgs", "flat"),  # a saddle
        ("1 + exp(-x)", "x=20", "sgd", "flat"),  # no minimum at all
        ("(x + y - 1)^2", "x=3,y=4", "lbfgs", "converged"),  # a valley of minima
        ("(x - 1)^4", "x=1", "sgd", "converged"),
        ("abs(x) + (y - 1)^2", "x=0,y=0", "sgd", "converged"),
    ],
)
def test_a_slope_of_zero_is_a_minimum_only_where_the_loss_falls_nowhere(
    program: str, start: str, optimizer: str, ended: str
) -> None:
    data = json.loads(
        autodiff("train", program, "--params", start, "--optimizer", optimizer, "--epochs", "200", "--json").out
    )
    assert data["ended"] == ended


def test_a_valley_at_a_loss_of_nothing_but_rounding_is_a_minimum(tmp_path: Path) -> None:
    """Two exponentials where one is enough: the loss is 7e-28, and another one of rounding lies beside it."""
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "".join(f"{k / 7},{2 * np.exp(-k / 7) + 1}\n" for k in range(20)))
    program, start = "mse(y, a*exp(-b*x) + c*exp(-d*x) + g)", "a=1,b=1,c=1,d=0.5,g=0"
    data = json.loads(
        autodiff("train", program, "--data", str(table), "--params", start, "--optimizer", "lbfgs", "--json").out
    )
    assert (data["ended"], data["loss"] < 1e-24) == ("converged", True)


def test_hahn1_ends_in_no_minimum_from_its_second_start() -> None:
    """The valley of NIST's Hahn1 to which L-BFGS leads: slopes of 4e-12, and 20 times the certified sum of squares.

    Which of the two it is depends on the last digits, which are the processor's.
    """
    text = (Path(__file__).parents[1] / "fitting" / "nist" / "Hahn1.dat").read_text().splitlines()
    start = [float(line.split()[3]) for line in text if line.strip().startswith("b") and "=" in line]
    first = max(k for k, line in enumerate(text) if line.startswith("Data:")) + 1
    y, x = np.array([[float(cell) for cell in line.split()] for line in text[first:] if line.strip()]).T
    model = "(b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)"
    parameters = {f"b{k + 1}": value for k, value in enumerate(start)}
    plan = Hyperparameters(400, 0.1, "lbfgs")
    training = Training(
        f"mse(y, {model})", NumericTable("t", {"x": x, "y": y}, range(len(x))), parameters, plan, explain=None
    )
    list(training.epochs())
    assert conclude(training).ended in {"flat", "stuck"}
