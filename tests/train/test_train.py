"""Training: PyTorch's trajectory, exact optima, resumed equals uninterrupted, and a file that is never half."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as package
from autodiff.arrays import pass_lines
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import lower
from autodiff.render.terminal.progress import EpochProgress, pieces
from autodiff.render.terminal.sparkline import curve
from autodiff.tables.columns import NumericTable, load
from autodiff.train.declarations import chooser, taken, with_matrices
from autodiff.train.loop import Hyperparameters
from autodiff.train.minibatch_sweep import Sweep, plan
from autodiff.train.model import Model, Overflow
from autodiff.train.training import Training
from tests.support.command import PATIENCE, autodiff, python, start, wait_until
from tests.support.paths import EXAMPLES
from tests.support.trajectories import CASES, EPOCHS, OPTIMIZERS, RECORDED, SHOWN, columns, torch_run

LOSSES = json.loads(RECORDED.read_text(encoding="utf-8"))
LINE = ["train", "L = mse(y, w*x + b)", "--data", str(EXAMPLES / "line.csv"), "--params", "w=0,b=0"]


def _training(case: str, optimizer: str, **options: Any) -> Training:
    about = CASES[case]
    text = (EXAMPLES / f"{about['example']}.ad").read_text(encoding="utf-8")
    path = str(EXAMPLES / f"{about['data']}.csv")
    params = {k: np.array(v) if isinstance(v, list) else v for k, v in about["params"].items()}
    return Training(
        text,
        load(path, chooser(text, list(params), [])),
        params,
        Hyperparameters(EPOCHS, about["lr"], optimizer),
        **options,
    )


# --- the numbers ------------------------------------------------------------------------------------------------------


@cache
def _trained(case: str, optimizer: str) -> tuple[list[float], Training]:
    training = _training(case, optimizer)
    return [record.loss for record in training.epochs()], training


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", CASES)
def test_a_thousand_epochs_follow_pytorch(case: str, optimizer: str) -> None:
    losses, training = _trained(case, optimizer)
    recorded = LOSSES[f"{case} {optimizer}"]
    assert [losses[k] for k in SHOWN] == pytest.approx(recorded["losses"], abs=1e-10, rel=1e-10)
    for name, value in recorded["params"].items():
        assert training.state.parameters[name] == pytest.approx(np.array(value), abs=1e-10, rel=1e-10)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", CASES)
def test_a_thousand_epochs_follow_pytorch_live(case: str, optimizer: str) -> None:
    losses, _ = _trained(case, optimizer)
    assert losses == pytest.approx(torch_run(case, optimizer)["losses"], abs=1e-10)


def test_the_first_step_can_be_followed_by_hand() -> None:
    """At w = b = 0 every p is 1/2, so dL/dz is (1/2 - y)/5 and dL/dw its product with the grades, summed."""
    ended = autodiff(
        "train", "z = w*cgpa + b; p = sigmoid(z); L = bce(placed, p)", "--data", str(EXAMPLES / "placements.csv"),
        "--params", "w=0,b=0", "--epochs", "1",
    )  # fmt: skip
    assert ended.err == ""
    x = np.array([9.11, 8.9, 7, 6.56, 4.56])
    slope = float(np.dot(x, [-0.1, -0.1, 0.1, -0.1, 0.1]))
    for line in (
        "1 forward  cgpa  placed  z    p",
        "           9.11       1  0  0.5",
        f"2 loss     L = {math.log(2)!r}",
        "             dL/dp = (p - placed)/(p·(1 - p))   bce rule",
        "             dp/dz = p·(1 - p)                  sigmoid rule",
        "             dz/dw = cgpa                       constant multiple",
        "             dL/dp  [-0.4, -0.4, 0.4, -0.4, 0.4]",
        "             dL/dz  [-0.1, -0.1, 0.1, -0.1, 0.1]",
        "             dL/db  -0.1",
        "4 update   old - lr × slope, lr = 0.1",
    ):
        assert line in ended.out.splitlines()
    data = json.loads(autodiff(*LINE, "--epochs", "1", "--format", "json").out)
    assert data["step"]["updated"] == data["params"]
    (printed,) = [line.split()[-1] for line in ended.out.splitlines() if "dL/dw" in line]
    assert float(printed) == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize("step", [1, 7])
def test_the_explained_step_is_the_one_that_was_taken(step: int) -> None:
    args = [*LINE, "--batch-size", "5", "--lr", "0.01", "--format", "json", "--explain-step", str(step)]
    taken = json.loads(autodiff(*args, "--epochs", "4").out)["step"]
    assert taken["number"] == step
    for name, value in taken["params"].items():
        assert taken["updated"][name] == value - 0.01 * taken["gradient"][name]


def test_the_explained_step_of_lbfgs_is_the_one_that_was_taken() -> None:
    args = [*LINE, "--optimizer", "lbfgs"]
    first = json.loads(autodiff(*args, "--epochs", "3", "--format", "json").out)["params"]
    step = json.loads(autodiff(*args, "--epochs", "9", "--format", "json", "--explain-step", "3").out)["step"]
    assert (step["number"], step["updated"]) == (3, first)
    shown = autodiff(*args, "--epochs", "9", "--explain-step", "3").out
    assert f"w          {step['params']['w']!r} → {first['w']!r}" in shown


def test_all_optimizers_reach_the_closed_form() -> None:
    table = columns("line")
    design = np.c_[table["x"], np.ones(len(table["x"]))]
    exact = np.linalg.lstsq(design, np.array(table["y"]), rcond=None)[0]
    for optimizer, epochs in (
        ("sgd", 3000),
        ("momentum", 1000),
        ("adam", 4000),
        ("lbfgs", 50),
        ("lm", 20),
        ("newton", 20),
    ):
        ended = autodiff(*LINE, "--optimizer", optimizer, "--epochs", str(epochs), "-q")
        assert [float(n) for n in ended.out.split()[1:]] == pytest.approx(exact, abs=1e-8), optimizer


def test_penalties_and_means() -> None:
    """--l2 is the penalty written out, and --l1 has its minimum; an array as the loss is averaged."""
    for l1, epochs, rel in (("0", "50", 1e-13), ("0.05", "3000", 1e-6)):
        plain = autodiff(*LINE, "--l2", "0.1", "--l1", l1, "--epochs", epochs, "-q").out
        written = ["train", f"(w*x + b - y)^2 + 0.1*(w^2 + b^2) + {l1}*(abs(w) + abs(b))", *LINE[2:]]
        found = [float(n) for n in autodiff(*written, "--epochs", epochs, "-q").out.split()]
        assert [float(n) for n in plain.split()] == pytest.approx(found, rel=rel)


def test_corners_use_pytorchs_number() -> None:
    """relu at 0 has slope 0, a tie of max is shared: descent needs a number, and this one is documented."""
    table = NumericTable("t", {"x": np.array([0.0, 1.0])}, [2, 3])
    model = Model(lower(package.parse("sum(relu(w*x) + max(w, v) + abs(w))")), ["w", "v"])
    assert model.over(table.columns).slopes({"w": 0.0, "v": 0.0})[1] == {"w": 1.0, "v": 1.0}
    assert "PyTorch" in " ".join(autodiff("train", "--help").out.split())


def test_what_is_computed_once_changes_nothing() -> None:
    """Values that hang on no parameter are kept, values that the way back does not need are not: the numbers stay."""
    chance = np.random.default_rng(0)
    table = {name: chance.uniform(0.5, 2, 40) for name in "xyz"}
    for text in (
        "mean(if(x > 1, ln(x)*w, sin(w*y)) + exp(x)*v)",
        "p = sigmoid(w*ln(x) + v*y^2); bce(z/3, p)",
        "s = w*x + v; sum(s*s*cos(y)) + std(x)*w",
        "mean(if(w*x > 100, ln(y - 5), w*v*x))",
        "max(w*x)*v + norm(w*y)",
    ):
        model = Model(lower(package.parse(text)), ["w", "v"])
        point = {"w": 0.7, "v": -0.3}
        lean = model.over(table).slopes(point)
        assert lean == model.over(table, once=False).slopes(point)
        needed = {name: table[name] for name in table if name in model.lowered.inputs}
        answer = package.evaluate(text, {**needed, **point}, ["w", "v"])
        assert lean[0] == answer.value
        assert lean[1] == pytest.approx(answer.gradient, rel=1e-14)


# --- repeatable, resumable ----------------------------------------------------------------------------------------------

NET = [
    "train", "H = tanh(transpose([x, y]) @ W + b); L = mean((H @ v - x*y)^2)", "--data", str(EXAMPLES / "line.csv"),
    "--params", "W=normal(2,3),b=zeros(3),v=0.5*normal(3)", "--lr", "0.01", "--batch-size", "7",
]  # fmt: skip


def test_the_seed_makes_the_numbers() -> None:
    first, second, other = (
        autodiff(*NET, "--seed", seed, "--epochs", "5", "--holdout", "0.25", "-q").out for seed in "110"
    )
    assert first == second != other


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_equals_uninterrupted(optimizer: str, tmp_path: Path) -> None:
    saved, history = str(tmp_path / "p.json"), tmp_path / "h.csv"
    args = [*NET, "--optimizer", optimizer, "--holdout", "0.25", "--seed", "3"]
    whole = autodiff(*args, "--epochs", "20", "-q", "--history", str(tmp_path / "whole.csv")).out
    autodiff(*args, "--epochs", "8", "--save", saved, "-q", "--history", str(history))
    rest = [word for word in args if word not in (NET[5],) and word != "--params"]
    ended = autodiff(*rest, "--resume", saved, "--epochs", "20", "-q", "--history", str(history))
    assert (ended.out, ended.err) == (whole, "")
    assert history.read_text() == (tmp_path / "whole.csv").read_text()
    assert history.read_text().splitlines()[0] == "epoch,loss,held_out"


def test_a_history_goes_on_where_the_saved_training_stands(tmp_path: Path) -> None:
    """A kill comes between two saves: what the history has beyond the save is cut, half a line as well."""
    saved, history, whole = tmp_path / "p.json", tmp_path / "h.csv", tmp_path / "whole.csv"
    autodiff(*LINE, "--epochs", "9", "-q", "--history", str(whole))
    autodiff(*LINE, "--epochs", "4", "-q", "--save", str(saved))
    rest = [word for word in LINE if word not in ("--params", LINE[5])]
    lines = whole.read_text().splitlines(keepends=True)
    for beyond in ("".join(lines[:8]), "".join(lines[:6]) + lines[6][:-3], "".join(lines[:5]), lines[0], ""):
        history.write_text(beyond)
        assert autodiff(*rest, "--resume", str(saved), "--epochs", "9", "-q", "--history", str(history)).status == 0
        kept = lines[1:5] if beyond.count("\n") >= 5 else []
        assert history.read_text() == "".join([lines[0], *kept, *lines[5:]])
    history.write_text("precious\n")
    ended = autodiff(*rest, "--resume", str(saved), "--epochs", "9", "-q", "--history", str(history))
    assert (ended.status, "is no history" in ended.err, history.read_text()) == (4, True, "precious\n")


@pytest.mark.parametrize(
    ("optimizer", "key", "shape", "cut"),
    [("lbfgs", "steps", (10, 2, 3), 1), ("lbfgs", "steps", (10, 2, 3), 5), ("lbfgs", "steps", (10, 2, 3), 14),
     ("lm", "scale", (2, 3), 5), ("newton", "scale", (2, 3), 5)],
)  # fmt: skip
def test_the_optimizer_remembers_across_a_resume(
    optimizer: str, key: str, shape: tuple[int, ...], cut: int, tmp_path: Path
) -> None:
    saved, history, whole = str(tmp_path / "p.json"), tmp_path / "h.csv", tmp_path / "whole.csv"
    args = [word for word in NET[:6] if word != "--lr"] + ["--optimizer", optimizer, "--holdout", "0.25", "--seed", "3"]
    rest = [word for word in args if word not in ("--params", NET[5])]
    out = autodiff(*args, "--epochs", "25", "-q", "--history", str(whole)).out
    autodiff(*args, "--epochs", str(cut), "--save", saved, "-q", "--history", str(history))
    ended = autodiff(*rest, "--resume", saved, "--epochs", "25", "-q", "--history", str(history), "--save", saved)
    assert (ended.out, ended.err) == (out, "")
    assert history.read_text() == whole.read_text()
    data = json.loads(Path(saved).read_text())
    assert np.shape(data["#training"]["memory"]["W"][key]) == shape
    del data["#training"]["memory"]["v"][key]
    Path(saved).write_text(json.dumps(data))
    broken = autodiff(*rest, "--resume", saved, "--epochs", "30", "-q")
    assert (broken.status, "does not belong to these parameters" in broken.err) == (4, True)


def test_lbfgs_shortens_a_step_that_leaves_the_domain() -> None:
    """From w = 0.01 the first direction points far beyond; where the loss has no digits left, the slope decides."""
    ended = autodiff("train", "(ln(w) - 3)^2 + sqrt(5 - v)", "--params", "w=0.01,v=-2", "--optimizer", "lbfgs", "-q")
    assert ended.status == 0
    ended = autodiff("train", "(ln(w) - 3)^2", "--params", "w=0.01", "--optimizer", "lbfgs", "-q")
    assert float(ended.out.split()[1]) == pytest.approx(math.exp(3), rel=1e-12)
    ended = autodiff("train", "1e6 + (x - 3)^2 + 10*(y + x)^2", "--params", "x=0,y=0", "--optimizer", "lbfgs", "-q")
    assert [float(n) for n in ended.out.split()[1:]] == pytest.approx([3, -3], abs=1e-9)
    ended = autodiff("train", "ln(w)", "--params", "w=-1", "--optimizer", "lbfgs")
    assert (ended.status, "there is no loss to start from" in ended.err) == (3, True)


def test_saved_parameters_are_a_point(tmp_path: Path) -> None:
    saved = tmp_path / "p.json"
    assert autodiff(*LINE, "--epochs", "40", "--save", str(saved), "-q").status == 0
    data = json.loads(saved.read_text())
    ended = autodiff("eval", "w*x + b", "--at", f"@{saved}", "--at", "x=2", "-q")
    assert float(ended.out.split()[0]) == pytest.approx(2 * data["w"] + data["b"])
    assert oct(saved.stat().st_mode & 0o777) == oct(0o666 & ~_umask())
    other = autodiff(*LINE[:4], "--resume", str(saved), "--optimizer", "adam", "--epochs", "41", "-q")
    assert "was made with --optimizer sgd, and here it is adam" in other.err
    assert "epochs are done already" in autodiff(*LINE[:4], "--resume", str(saved), "--epochs", "40", "-q").err


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_interrupt_saves_and_names_the_command_to_resume(tmp_path: Path) -> None:
    saved, history = tmp_path / "p.json", tmp_path / "h.csv"
    args = [*NET, "--save", str(saved), "--history", str(history), "--optimizer", "adam"]
    running = start(*args, "--epochs", "10000000", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: history.exists() and history.stat().st_size > 0)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert f"go on with --resume {saved}".encode() in err
    assert b"Traceback" not in err
    done = json.loads(saved.read_text())["#training"]["epochs"]
    assert done > 0
    assert f"after {done} epoch".encode() in out
    whole = autodiff(*NET, "--optimizer", "adam", "--epochs", str(done + 3), "-q").out
    rest = [word for word in NET if word not in ("--params", NET[5])]
    assert autodiff(*rest, "--optimizer", "adam", "--resume", str(saved), "--epochs", str(done + 3), "-q").out == whole


def test_a_kill_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    """Thousands of saves, killed at random moments: the file is always whole."""
    saved = tmp_path / "p.json"
    code = (
        "import sys, itertools\nfrom autodiff.train.checkpoint import State, save\n"
        "save(sys.argv[1], State({'w': [0.5]*20000}, {}), {})\nprint('ready', flush=True)\n"
        "for k in itertools.count():\n    save(sys.argv[1], State({'w': [float(k)]*20000}, {}, k, k), {})\n"
    )
    chance = np.random.default_rng(0)
    for _ in range(8):
        running = start(str(saved), code=code, stdout=subprocess.PIPE)
        assert running.stdout is not None
        running.stdout.readline()
        time.sleep(float(chance.uniform(0, 0.1)))
        running.kill()
        running.communicate(timeout=PATIENCE)
        data = json.loads(saved.read_text())
        assert len(set(data["w"])) == 1
        assert len(data["w"]) == 20000


# --- what goes wrong ----------------------------------------------------------------------------------------------------


def test_divergence_keeps_the_parameters_of_least_loss(tmp_path: Path) -> None:
    saved = tmp_path / "p.json"
    ended = autodiff(*LINE, "--lr", "10", "--epochs", "3000", "--save", str(saved), "--format", "json")
    assert ended.status == 3
    assert "the training diverged in step" in ended.err
    assert "mse(y, w*x + b) overflows at [0]: it is beyond 1.8e308 (row 1, line 2 of" in ended.err
    data = json.loads(ended.out)
    assert (data["status"], data["ended"], data["params"], data["best_epoch"]) == (
        "diverged",
        "diverged",
        {"w": 0, "b": 0},
        0,
    )
    assert data["loss"] == data["history"]["loss"][0]
    assert f"try a smaller rate: with --lr {data['working_lr']} the loss is" in ended.err
    kept = json.loads(saved.read_text())
    assert (kept["w"], kept["#training"]["epochs"], kept["#training"]["memory"]) == (0, 0, {})
    rest = [word for word in LINE if word not in ("--params", LINE[5])]
    again = autodiff(*rest, "--resume", str(saved), "--lr", str(data["working_lr"]), "--epochs", "1000", "--json")
    assert (again.status, json.loads(again.out)["ended"], again.err) == (0, "converged", "")


PLACEMENTS = ["train", "mse(placed, w*cgpa + b)", "--data", str(EXAMPLES / "placements.csv"), "--params", "w=0,b=0"]


@pytest.mark.parametrize(
    ("words", "status", "ended"),
    [
        ([*PLACEMENTS, "--lr", "0.05"], 3, "diverged"),
        (["train", "(x - 1)^2", "--params", "x=0", "--lr", "1.1"], 3, "diverged"),
        (["train", "(x - 1)^2", "--params", "x=0", "--lr", "1"], 0, "stuck"),
        (["train", "(x - 1)^2", "--params", "x=0"], 0, "converged"),
        (["train", "(x - 1)^2", "--params", "x=0", "--epochs", "9"], 0, "out of epochs"),
        (["train", "(x - 1)^2", "--params", "x=1", "--lr", "10"], 0, "converged"),
        (["train", "1e-9*(x - 1)^2", "--params", "x=0"], 0, "out of epochs"),
        (["train", "1e9*((x - 1)^2 + 1)", "--params", "x=0", "--lr", "1e-10"], 0, "converged"),
        (["train", "100*(y - x^2)^2 + (1 - x)^2", "--params", "x=-1.2,y=1", "--optimizer", "lbfgs", "--epochs", "10"], 0, "out of epochs"),
        (["train", "100*(y - x^2)^2 + (1 - x)^2", "--params", "x=-1.2,y=1", "--optimizer", "lbfgs"], 0, "converged"),
        (["train", "abs(x - 1)", "--params", "x=0.3", "--optimizer", "lbfgs"], 0, "converged"),
        (["train", "100*(y - x^2)^2 + (1 - x)^2", "--params", "x=-1.2,y=1", "--optimizer", "lm"], 0, "converged"),
        (["train", "100*(y - x^2)^2 + (1 - x)^2", "--params", "x=-1.2,y=1", "--optimizer", "newton"], 0, "converged"),
        (["train", "x^4 - 2*x^2 + y^2", "--params", "x=0,y=1", "--optimizer", "newton"], 0, "converged"),
        (["train", "exp(-(x - 5)^2) + 1", "--params", "x=1e3", "--optimizer", "newton", "--l2", "0"], 0, "converged"),
        (["train", "w^1.5 + w", "--params", "w=0", "--optimizer", "newton"], 3, "diverged"),
        (["train", "1000*abs(x)", "--params", "x=1", "--lr", "0.01", "--epochs", "9"], 3, "diverged"),
    ],
)  # fmt: skip
def test_a_training_says_how_it_ended(words: list[str], status: int, ended: str) -> None:
    found = autodiff(*words, "--json")
    data = json.loads(found.out)
    assert (found.status, data["ended"], "trained" if status == 0 else ended) == (status, ended, data["status"])
    assert data["loss"] <= max(data["history"]["loss"], default=math.inf)
    text = autodiff(*words)
    assert re.search(rf"^{ended.upper()} +after \d+ epochs?, loss \S+, largest slope", text.out, re.MULTILINE)
    assert text.status == status
    assert autodiff(*words, "-q").status == status


def test_the_rate_that_is_suggested_was_tried() -> None:
    """It trains to the end, from the same start; where none does, nothing is promised."""
    for rate in ("0.05", "1e3", "1e308"):
        data = json.loads(autodiff(*PLACEMENTS, "--lr", rate, "--json").out)
        assert data["working_lr"] < float(rate)
        again = autodiff(*PLACEMENTS, "--lr", str(data["working_lr"]), "--json")
        loss = json.loads(again.out)["loss"]
        assert (again.status, f"the loss is {loss:.6g} after 100 epochs" in data["hint"]) == (0, True)
    none = autodiff("train", "1e30*x^2", "--params", "x=1", "--json")
    assert (none.status, "working_lr" in json.loads(none.out)) == (3, False)
    assert "no smaller rate that was tried lowers the loss" in none.err


def test_the_parameters_of_the_least_loss_are_kept(tmp_path: Path) -> None:
    """Adam swings over the minimum; the file goes on from the last parameters all the same."""
    saved = tmp_path / "p.json"
    words = [
        "train",
        "(x - 1)^2",
        "--optimizer",
        "adam",
        "--lr",
        "0.5",
        "--epochs",
        "5",
        "--save",
        str(saved),
        "--json",
    ]
    data = json.loads(autodiff(*words, "--params", "x=0").out)
    losses = data["history"]["loss"]
    assert (data["loss"], data["best_epoch"]) == (min(losses), losses.index(min(losses)))
    assert data["best_epoch"] < 5
    assert (data["params"]["x"] - 1) ** 2 == data["loss"]
    kept = json.loads(saved.read_text())
    assert kept["x"] == data["params"]["x"] != kept["#training"]["last"]["x"]
    whole = json.loads(autodiff(*words[:6], "--epochs", "9", "--params", "x=0", "--json").out)
    going = json.loads(autodiff(*words[:6], "--epochs", "9", "--resume", str(saved), "--json").out)
    for key in ("params", "loss", "best_epoch", "ended"):
        assert going[key] == whole[key]
    text = autodiff(*words[:-1], "--params", "x=0").out
    assert f"the parameters are those of the least loss, after {data['best_epoch']} epochs" in text


def test_a_rate_that_is_too_large_is_no_bad_start(tmp_path: Path) -> None:
    """The first step leads to a loss that does not exist, so the start is kept, and it is the rate that is to blame."""
    saved = tmp_path / "p.json"
    data = EXAMPLES / "placements.csv"
    given = ("-f", str(EXAMPLES / "placements.ad"), "--data", str(data), "--params", "w=0,b=0", "--save", str(saved))
    ended = autodiff("train", *given, "--lr", "1e10", "--format", "json")
    assert ended.status == 3
    assert ended.err.startswith(
        "error: the training diverged in step 1: bce(placed, p) needs 1 - p > 0, but at [2] 1 - p is 0 (row 3, line 4 of"
    )
    assert re.search(r"try a smaller rate: with --lr \S+ the loss is 0\.\d+ after 100 epochs\n$", ended.err)
    found = json.loads(ended.out)
    assert (found["status"], found["params"], found["loss"]) == (
        "diverged",
        {"w": 0, "b": 0},
        pytest.approx(math.log(2)),
    )
    assert json.loads(saved.read_text())["w"] == 0
    assert autodiff("train", *given, "--lr", "0.1").status == 0
    later = autodiff("train", *given, "--lr", "10", "--epochs", "3000")
    assert "the training diverged in step" in later.err
    assert "try a smaller rate: with --lr " in later.err


def test_shapes_that_do_not_fit_are_no_divergence() -> None:
    ended = autodiff("train", "sum(A @ x)", "--params", "A=ones(2,3),x=ones(2)")
    assert (ended.status, ended.err.count("error:")) == (2, 1)
    assert "can't take shape (2, 3) and shape (2,)\n    sum(A @ x)\n        ^^^^^" in ended.err


def test_a_value_that_does_not_exist_names_operation_and_row(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x\n1\n2\n-3\n0.5\n")
    ended = autodiff("train", "L = mean((ln(x + w) - 1)^2)", "--data", str(table), "--params", "w=0")
    assert ended.status == 3
    assert (
        "there is no loss to start from: ln(x + w) needs x + w > 0, but at [2] x + w is -3 (row 3, line 4 of"
        in ended.err
    )
    deep = autodiff(
        "train", "L = mean(sqrt(w*x))", "--data", str(table), "--params", "w=1", "--holdout", "0.5", "--seed", "5"
    )
    assert "sqrt(w*x) needs w*x >= 0, but at [0] w*x is -" in deep.err
    assert "(row 2, line 3 of" in deep.err
    steep = autodiff("train", "sum((w*1e200)*1e200*v)", "--params", "w=0,v=1", "--epochs", "5")
    assert (steep.status, "the slope in v overflows" in steep.err or "the slope in w overflows" in steep.err) == (
        3,
        True,
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"x,y\n1,2\n3\n", "line 3: 1 cells, and the header has 2: column 'y' is missing"),
        (b"x,y\n1,2\n3,4,5\n", "line 3: 3 cells, and the header has 2: column 3 has no name"),
        (b'x,y\n1,"2,5"\n', "line 2, column 'y': '2,5' is no finite number; a decimal point is '.'"),
        (b"", " is empty\n  the first line names the columns"),
        (b"x,y\n1,2\n3,a\n", "line 3, column 'y': 'a' is no finite number"),
        (b"x,y\n1,2\n\n3,1e999\n", "line 4, column 'y': '1e999' is no finite number"),
        (b"x,y\n1,1e-400\n", "line 2, column 'y': '1e-400' is no finite number"),
        (b"x,y\n1,1_000\n", "line 2, column 'y'"),
        (b"x,y\n1,\n", "line 2, column 'y': an empty cell is no finite number"),
        (b"x,y\n", "there are no rows"),
        (b"x,y\n1,\xff\n", "line 2, column 'y': '\\udcff' is no finite number"),
        (b"x,x\n1,2\n", "line 1: column 'x' is there twice"),
        (b"x,y (1),y-1\n1,2,3\n", "line 1: no column 'y', which the program needs"),
        (b'x,y\n1,"2\n', "line 2: unexpected end of data\n  a quoted cell does not end"),
        (b"x,z\n1,2\n", "line 1: no column 'y', which the program needs\n  its columns are x, z; a parameter is given with --params y=0"),
        (b"x,Y\n1,2\n", "did you mean 'Y'?"),
    ],
)  # fmt: skip
def test_a_data_error_names_file_line_and_column(content: bytes, says: str, tmp_path: Path) -> None:
    table, saved = tmp_path / "t.csv", tmp_path / "p.json"
    table.write_bytes(content)
    saved.write_text("precious")
    ended = autodiff("train", "mse(y, w*x)", "--data", str(table), "--params", "w=0", "--save", str(saved))
    assert (ended.status, ended.out) == (4, "")
    assert says in ended.err
    assert str(table) in ended.err.replace("…", "") or "'" in ended.err
    assert saved.read_text() == "precious"


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["mse(y, w*x)", "--data", "line.csv"], 2, "there is nothing to train"),
        (["mse(y, w*x)", "--params", "w=0"], 4, "'y' is neither a parameter nor a column"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0,q=1"], 2, "the parameter 'q' is not an input"),
        (["mse(y, x*w)", "--data", "line.csv", "--params", "w=0,x=1"], 2, "'x' is a parameter and a column"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0", "--watch", "w*x"], 2, "must be a number"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=normal(0)"], 2, "normal takes up to three sizes"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=normal(2)"], 2, "can't take"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0", "--holdout", "0.99"], 2, "leaves no row"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0", "--save", "no/such/p.json"], 4, "can't write"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0", "--optimizer", "lbfgs", "--batch-size", "2"], 2, "takes no"),
        (["mse(y, w*x)", "--data", "line.csv", "--resume", "line.csv"], 4, "is not JSON"),
        (["mse(y, w*x)", "--data", "line.csv", "--resume", "a", "--params", "w=0"], 2, "both say where to start"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0", "--lr", "0"], 2, "--lr"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0", "--workers", "2"], 2, "add --engine local"),
        (["mse(y, w*x)", "--data", "line.csv", "--params", "w=0", "--scheduler", "tcp://a:1"], 2, "add --engine dask"),
        (["1", "--params", "w=0"], 2, "it has no inputs"),
    ],
)  # fmt: skip
def test_a_mistake_gets_its_next_step(args: list[str], status: int, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    ended = autodiff("train", *args)
    assert ended.status == status, ended.err
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_a_broken_resume_file(tmp_path: Path) -> None:
    saved = tmp_path / "p.json"
    trainings = (
        '{"lr": "fast"}',
        '{"lr": []}',
        '{"nesterov": 2}',
        '{"seed": {}}',
        '{"optimizer": "guess"}',
        '{"last": {"w": [1, 2], "b": 0}}',
        '{"kept": {"scales": {"s": 1}}}',
    )
    contents = ['{"w": "a"}', '{"w": 1e999}', '{"w": 0, "#training": 3}', '{"w": 0, "b": [[1], 2]}']
    for content in (*contents, *(f'{{"w": 0, "b": 0, "#training": {training}}}' for training in trainings)):
        saved.write_text(content)
        ended = autodiff(*LINE[:4], "--resume", str(saved))
        assert (ended.status, "is not what training saved" in ended.err) == (4, True), content


@pytest.mark.parametrize(
    ("optimizer", "memory"),
    [("momentum", {"velocity": [1, 2, 3]}), ("adam", {"mean": 1}), ("lbfgs", {"steps": [[1, 2]], "changes": [[1, 2]]})],
)
def test_a_memory_of_other_parameters_is_an_error(optimizer: str, memory: dict[str, Any], tmp_path: Path) -> None:
    """A velocity of three numbers made an array of a parameter that is a number."""
    saved = tmp_path / "p.json"
    saved.write_text(
        json.dumps({"w": 0, "b": 0, "#training": {"optimizer": optimizer, "memory": {"w": memory, "b": memory}}})
    )
    ended = autodiff(*LINE[:4], "--resume", str(saved), "-q")
    assert (ended.status, ended.out) == (4, "")
    assert f"what {optimizer} remembers does not belong to these parameters" in ended.err


@pytest.mark.parametrize(
    ("program", "step"),
    [
        ("mse(y, w*(x - mean(x))/std(x))", "no parameter changes that"),
        ("mse(y, w/(x - 1))", "no parameter changes that"),
        ("mse(y, x/w)", "start from other parameters"),
        ("mse(y, ln(w*x))", "start from other parameters"),
    ],
)
def test_a_value_that_no_parameter_changes(program: str, step: str, tmp_path: Path) -> None:
    """Of a column that is the same in each row, other parameters do not help."""
    data = tmp_path / "t.csv"
    data.write_text("x,y\n1,2\n1,4\n")
    ended = autodiff("train", program, "--data", str(data), "--params", "w=0", "-q")
    assert (ended.status, "there is no loss to start from" in ended.err) == (3, True)
    assert ended.err.splitlines()[-1].strip().startswith(step)


def test_settings_of_another_optimizer_are_not_resumed(tmp_path: Path) -> None:
    """lbfgs was refused for the batches of the training before, which nobody had typed."""
    saved = str(tmp_path / "p.json")
    assert autodiff(*LINE, "--batch-size", "2", "--epochs", "2", "-q", "--save", saved).status == 0
    ended = autodiff(*LINE[:4], "--resume", saved, "--optimizer", "lbfgs", "--epochs", "9", "-q")
    assert (ended.status, ended.err) == (0, f"notice: {saved} was made with --optimizer sgd, and here it is lbfgs\n")


def test_a_folder_is_no_file_to_save_in(tmp_path: Path) -> None:
    ended = autodiff(*LINE, "--save", str(tmp_path))
    assert (ended.status, "it is a folder" in ended.err) == (4, True)


def test_without_scipy_lbfgs_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['scipy'] = None; sys.modules['scipy.optimize'] = None\n"
        "from autodiff.cli.main import run\n"
        "sys.exit(run(['train', '(w - 1)^2', '--params', 'w=0', '--optimizer', 'lbfgs']))\n"
    )
    done = python("-c", code)
    assert done.status == 2
    assert "in the checkout that autodiff was installed from: pip install '.[lbfgs]'" in done.err


# --- on the screen ------------------------------------------------------------------------------------------------------


def test_the_curve() -> None:
    assert curve([4.0, 3.0, 2.0], width=6, height=3) == "        4 ┤••\n        3 ┤  ••\n        2 ┤    ••"
    assert curve([1e4, 1e2, 1.0], width=3, height=3, ascii_only=True) == "    1e+04 |*\n      100 | *\n        1 |  *"
    assert curve([5.0, 5.0], width=4) == "        5 ┤••••"
    assert curve([], width=4) == ""
    assert len(curve([float(k) for k in range(1000)]).splitlines()) == 8


def test_a_terminal_gets_a_bar_and_a_pipe_gets_none(tmp_path: Path) -> None:
    command = f"{sys.executable} -m autodiff {' '.join(map(repr, [*LINE, '--epochs', '300']))}"
    seen = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, text=True, timeout=PATIENCE)
    assert "/300" in seen.stdout
    piped = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE)
    assert (piped.returncode, piped.stderr) == (0, "")
    assert "\x1b" not in piped.stdout


@pytest.mark.parametrize("width", range(12, 140, 7))
def test_the_progress_line_omits_what_does_not_fit(width: int) -> None:
    """The share done is always shown; nothing else is cut, and the loss is omitted last."""
    says = ("loss 0.389838", "mean((p > 0.5) == placed) 0.8")
    line = "".join(pieces(EpochProgress(2019, 300_000, says, 1072.0, 277.9), width))
    assert line.startswith("epoch 2,019/300,000")
    assert len(line) <= max(width, len("epoch 2,019/300,000"))
    assert set(line.split("  ")[1:]) - {""} <= {*says, "1,072 epochs/s", "4:38 left"} | {"━" * n for n in range(8, 41)}
    assert (says[0] in line) == (width >= 34)
    assert (says[1] in line) == (width >= 75)


def test_the_curve_fits_the_terminal() -> None:
    command = f"{sys.executable} -m autodiff {' '.join(map(repr, [*LINE, '--epochs', '30']))}"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True, text=True, timeout=PATIENCE, env=os.environ | {"COLUMNS": "50"},
    )  # fmt: skip
    seen = done.stdout
    marks = [line for line in seen.splitlines() if "┤" in line]
    assert max(map(len, marks)) == 49


def test_strange_names_and_rows_are_printed_safely(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('"größe (m)",ŷ\n' + "".join(f"{k},{2 * k}\n" for k in range(20)), encoding="utf-8")
    ended = autodiff("train", "L = mse(ŷ, w*größe_m)", "--data", str(table), "--params", "w=0", "--lr", "0.001")
    assert ended.status == 0
    assert "… and 14 more rows" in ended.out
    assert "größe_m" in ended.out


# --- large tables -------------------------------------------------------------------------------------------------------


def _logistic(rows: int) -> tuple[dict[str, Any], Any]:
    chance = np.random.default_rng(0)
    base = np.ascontiguousarray(chance.normal(size=(11, rows)))
    base[10] = base[:10].T @ chance.normal(size=10) > 0
    return {**{f"x{k}": base[k] for k in range(10)}, "y": base[10]}, base


def test_a_large_table_gives_what_numpy_by_hand_gives() -> None:
    """Logistic regression on 100,000 rows of 10 columns, one epoch; `tests.benchmarks learn` measures it on 1,000,000."""
    table, base = _logistic(100_000)
    rows, y, w = base[:10].T.copy(), base[10], np.full(10, 0.01)
    text = f"L = bce_logits(y, w @ [{', '.join(f'x{k}' for k in range(10))}] + b)"
    model = Model(lower(package.parse(text)), ["w", "b"])
    loss, slopes = model.over(table).slopes({"w": w, "b": 0.5})
    z = rows @ w + 0.5
    slope = (1 / (1 + np.exp(-z)) - y) / len(y)
    assert loss == pytest.approx(np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))), rel=1e-12)
    assert slopes["w"] == pytest.approx(rows.T @ slope, rel=1e-9)
    assert slopes["b"] == pytest.approx(slope.sum(), rel=1e-9)


BY_BLOCKS = [
    "mse(y, w0*x0 - w1*x1 + w2*x2 - (w3*x3 - b))",
    "sqrt(mse(y, w0*x0 + b)) + 0.1*w1^2 - mae(y, w2)/(1 + b^2)",
    "(w0*x0 + w1*x1 + w2*x2 + b - y)^2 + w3",
    "H = tanh(transpose([x0, x1]) @ W + c); mean((H @ c - y)^2) + 0.01*l2(W)",
    "P = softmax(transpose([x0, x1]) @ W + c); mean(sum(P*c, -1)*y)",
    "huber(y, if(x0 > 0, w0*x1, w1*x0), 0.5) + mean(relu(w2*x2)) + 3",
    "dot(y, w0*x0)/1000 + sum(max(w1*x1, w2*x2))/1000 + b",
    "k = std(x0); s = exp(w0); mean((s*x0/k + s*ln(x2 + 9) - y)^2)*s",
    "hinge(y, c @ [x0, x1, x2] + b)",
]  # fmt: skip
AT_ONCE = [
    "z = w0*x0; mean((z - mean(z))^2)",
    "max(w0*x0 - y)",
    "mean(softmax(w0*x0)*y)",
    "norm(w0*x0 - y)",
    "mean((w0*x0)[0]*y)",
    "if(w0 > 0, mean(w0*x0), mean(y))",
    "w0^2",
    "c @ sum([x0, x1, x2]*w0, -1)",
]


def _many(text: str) -> tuple[Model, dict[str, Any], dict[str, Any]]:
    table, _ = _logistic(70_001)
    chance = np.random.default_rng(1)
    at = {
        **{f"w{k}": 0.3 - 0.1 * k for k in range(4)},
        "b": 0.25,
        "W": chance.normal(size=(2, 3)),
        "c": np.arange(3.0) - 0.7,
    }
    lowered = lower(package.parse(text))
    at = {name: value for name, value in at.items() if name in lowered.inputs}
    return Model(lowered, at), at, {name: table[name] for name in table if name in lowered.inputs}


@pytest.mark.parametrize("text", BY_BLOCKS)
def test_many_rows_are_summed_block_by_block(text: str) -> None:
    """The blocks' sums differ from one pass over the whole table by rounding only."""
    model, at, table = _many(text)
    objective = model.over(table)
    assert objective.fixed is not None
    assert plan(model.lowered, objective.fixed, at, 70_001, "torch") is not None
    loss, slopes = objective.slopes(at)
    whole, exact = model.over(table, once=False).slopes(at)
    assert loss == pytest.approx(whole, rel=1e-12)
    assert objective.loss(at) == loss
    for name in at:
        assert slopes[name] == pytest.approx(exact[name], rel=1e-10, abs=1e-12), name
        assert np.shape(slopes[name]) == np.shape(at[name])


STRAIGHT = [
    *BY_BLOCKS,
    "bce_logits(y, transpose([x0, x1]) @ c[0:2] + b)",
    "mse(y, transpose([x0, x1]) @ c[0:2] + b) + mean(exp(x0*w1)*(transpose([x0, x1]) @ c[0:2]))",
    "p = sigmoid(w0*x0 + b); bce(y, p)",
    "mean(leaky_relu(w0*x0, w1) + abs(w2*x1) + x2^w3)",
    "mean(if(w0 > 0, x0*w1, y)*(x1 > w2) + atan(w3*x1) - if(x0*b > 0.1, 1, x1)*w2)",
    "mean(max(w0*x0, 0*w1) + (1 - (x1 > w2))*ln(x2 + w3^2) + w2/(x2 + 1))",
    "mean(sum(max(transpose([x0, x1]) @ W, 0)^2, 1)*b/(1 + exp(-x2)))",
    "mean(logaddexp(sin(b), hypot(2, x0*w0)))",
    "mean(mish(if(x1 > w3, x0, w1))^2)*w2",
]  # fmt: skip


@pytest.mark.parametrize("text", STRAIGHT)
def test_a_straight_pass_has_the_numbers_of_one_equation_after_the_other(text: str) -> None:
    model, at, table = _many(text)
    table = {name: abs(column) if name == "x2" else column for name, column in table.items()}
    fixed = model.over(table).fixed
    assert fixed is not None
    by_blocks = plan(model.lowered, fixed, at, 70_001, "torch")
    assert by_blocks is not None
    assert by_blocks.passes
    for slopes in (False, True):
        sums, one_by_one = (
            Sweep(sweep_plan, fixed, 70_001, "torch").sums(at, slopes=slopes)
            for sweep_plan in (by_blocks, replace(by_blocks, passes=()))
        )
        assert sums.ends == one_by_one.ends
        for parts, others in zip(sums.slopes, one_by_one.slopes, strict=True):
            for part, other in zip(parts, others, strict=True):
                assert (part is None) == (other is None)
                assert part is None or np.array_equal(np.broadcast_to(part, np.shape(other)), other)


def test_a_pass_back_reads_each_value_of_a_row_as_seldom_as_it_can() -> None:
    """A product with a matrix, and what follows, in as few arrays as hold it; signs and factors of 2 beside the one number."""
    model, at, table = _many("mse(y, transpose([x0, x1]) @ c[0:2] + b)")
    fixed = model.over(table).fixed
    assert fixed is not None
    by_blocks = plan(model.lowered, fixed, at, 70_001, "torch")
    assert by_blocks is not None
    assert [straight.rooms for straight in by_blocks.passes] == [[()], [(), ()]]
    lines = by_blocks.passes[1].lines
    assert sum("out=room" in line for line in lines) == 5  # the product, + b, y - p, its square and the slope
    assert lines[1].startswith("if not finite(")


def test_a_matrix_of_columns_lies_in_memory_by_columns_but_for_minibatches() -> None:
    columns = {"x": np.arange(4.0), "y": np.ones(4)}
    for by_rows in (False, True):
        whole = with_matrices(columns, {"X": ["y", "x"]}, by_rows=by_rows)
        some = taken(whole, np.array([1, 3]))
        assert some["X"].tolist() == [[1, 1], [1, 3]]
        assert some["x"].tolist() == [1, 3]
        assert [part["X"].flags.c_contiguous for part in (whole, some)] == [by_rows, by_rows]


def test_a_step_that_is_shown_keeps_the_values_that_it_shows() -> None:
    """A value before the first statement, or only on the way back, would be as large as a column."""
    model, at, table = _many("p = sigmoid(w0*x0 + w1*x1 + b); L = bce(y, p)")
    objective, chance = model.over(table), model.lowered.assigned["p"]
    run = objective.run(at, [chance])
    (score,) = model.lowered.graph.args[chance]
    assert run.values[score].strides == (0,)
    assert run.values[chance].strides == (8,)
    wanted, whole = model.adjoints(run, [chance]), model.adjoints(objective.run(at), [chance, score])
    assert wanted.keys() == {chance}
    assert np.array_equal(wanted[chance], whole[chance])


def _random_loss(chance: random.Random) -> str:
    ones = [
        "sin({})",
        "exp({})",
        "tanh({})",
        "relu({})",
        "softplus({})",
        "abs({})",
        "atan({})",
        "mish({})",
        "elu({})",
        "sigmoid({})",
        "-{}",
    ]
    twos = [
        "max({}, {})",
        "({} + {})",
        "({} * {})",
        "({} - {})",
        "hypot({}, {})",
        "leaky_relu({}, {})",
        "logaddexp({}, {})",
        "if({} > {}, x0, w1)",
    ]
    leaves = ["x0", "x1", "y", "w0", "w1", "w2", "b", "2", "x0*w0", "x1*w1 + b"]

    def part(depth: int) -> str:
        if depth == 0 or chance.random() < 0.15:
            return chance.choice(leaves)
        text = chance.choice(chance.choice([ones, twos]))
        return text.format(*(part(depth - 1) for _ in range(text.count("{}"))))

    ends = [
        "mean({})",
        "mse(y, {})",
        "huber(y, {}, 1)",
        "sqrt(mean(({})^2) + 1)",
        "bce_logits(y, {})",
        "t = {}; mean(t*t) + mean(t)",
    ]
    return chance.choice(ends).format(part(3))


def test_a_straight_pass_of_random_losses_has_the_same_numbers() -> None:
    """But for the last digits of sums where a choice takes one side in a whole block."""
    chance, compared = random.Random(8), 0
    while compared < 60:
        text = _random_loss(chance)
        if not {"w0", "w1", "w2", "b"}.intersection(lower(package.parse(text)).inputs):
            continue
        model, at, table = _many(text)
        fixed = model.over(table).fixed
        by_blocks = None if fixed is None else plan(model.lowered, fixed, at, 70_001, "torch")
        if by_blocks is None or not by_blocks.passes:
            continue
        assert fixed is not None
        sums, one_by_one = (
            Sweep(sweep_plan, fixed, 70_001, "torch").sums(at, slopes=True)
            for sweep_plan in (by_blocks, replace(by_blocks, passes=()))
        )
        assert sums.ends == one_by_one.ends, text
        for parts, others in zip(sums.slopes, one_by_one.slopes, strict=True):
            for part, slope in zip(parts, others, strict=True):
                if slope is not None:
                    near = pytest.approx(np.asarray(slope), rel=1e-12, abs=1e-14 * float(np.max(np.abs(slope))))
                    assert np.broadcast_to(part, np.shape(slope)) == near, text
        compared += 1


NETWORKS = [
    "cross_entropy(one_hot(y, 3), softmax(relu(X @ V + d) @ U + c))",
    "mean((tanh(X @ V + d) @ U @ c - y)^2)",
    "mean(log_softmax(X @ V)[:, 0]*y) + w0^2",
    "mean(relu(X @ V + 1000*d)) + exp(w1)/b",
    "norm(X @ V) + std(x0*w1) + median(x1*w0 - y)",
]


def test_a_repeated_pass_over_few_rows_has_the_numbers_of_the_first_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit: which steps of a training are made by it depends on where it was resumed."""
    chance, numbers, compared = random.Random(4), np.random.default_rng(4), 0
    texts = [*STRAIGHT, *AT_ONCE, *NETWORKS, *(_random_loss(chance) for _ in range(300))]
    monkeypatch.setattr("autodiff.train.model.OFTEN", 1)
    for text in texts:
        lowered, rows = lower(package.parse(text)), chance.choice([1, 2, 7, 128, 1500])
        columns: dict[str, Any] = {f"x{k}": numbers.normal(size=rows) for k in range(4)}
        columns |= {"x2": abs(columns["x2"]), "y": (columns["x3"] > 0) + 0.0, "X": numbers.normal(size=(rows, 5))}
        at: dict[str, Any] = {f"w{k}": float(numbers.normal()) for k in range(4)} | {"b": float(numbers.normal())}
        at |= {"W": (2, 3), "c": 3, "V": (5, 4), "U": (4, 3), "d": 4}
        at = {name: value if isinstance(value, float) else numbers.normal(size=value) for name, value in at.items()}
        at = {name: value for name, value in at.items() if name in lowered.inputs}
        model = Model(lowered, at)
        objective = model.over({name: column for name, column in columns.items() if name in lowered.inputs})
        try:
            loss, slopes = objective.slopes(at)
        except (package.AutodiffError, DomainError, Overflow):
            continue
        again, repeated = objective.slopes(at)
        compared += model.passed(objective.given(at)) is not None
        assert loss == again, text
        for name, slope in slopes.items():
            assert np.array_equal(slope, repeated[name]), (text, rows, name)
    assert compared > 100


@pytest.mark.parametrize("text", AT_ONCE)
def test_rows_that_meet_otherwise_are_taken_at_once(text: str) -> None:
    model, at, table = _many(text)
    objective = model.over(table)
    assert objective.fixed is not None
    assert plan(model.lowered, objective.fixed, at, 70_001, "torch") is None
    loss, slopes = objective.slopes(at)
    whole, exact = model.over(table, once=False).slopes(at)
    assert (loss, slopes["w0"]) == pytest.approx((whole, exact["w0"]), rel=1e-12)


def test_a_row_of_a_late_block_is_named() -> None:
    """An error in a block names the operation and the row of the whole table."""
    x = np.full(70_001, 2.0)
    x[65_432] = -1.0
    columns = {"x": x, "y": np.ones(70_001)}
    training = Training(
        "mean((ln(w*x) - y)^2)", NumericTable("t", columns, range(2, 70_003)), {"w": 1.0}, Hyperparameters(3)
    )
    with pytest.raises(package.AutodiffError, match=r"at \[65432\] w\*x is -1 \(row 65433, line 65434 of t\)"):
        list(training.epochs())
    x[65_432] = 1e200
    training = Training(
        "mean((w*x - y)^2)", NumericTable("t", columns, range(2, 70_003)), {"w": 1.0}, Hyperparameters(3)
    )
    with pytest.raises(package.AutodiffError, match=r"overflows at \[65432\].*row 65433"):
        list(training.epochs())
    steep = Model(lower(package.parse("mean(v*(w*1e200)*1e200*x)")), ["w", "v"])
    with pytest.raises(Overflow) as caught:
        steep.over({"x": columns["y"]}).slopes({"w": 0.0, "v": 1.0})
    assert caught.value.name == "w"


def test_both_ways_of_writing_a_sum_of_products_agree() -> None:
    table, _ = _logistic(70_001)
    first = Model(
        lower(package.parse(f"bce_logits(y, {' + '.join(f'w{k}*x{k}' for k in range(10))} + b)")),
        [*(f"w{k}" for k in range(10)), "b"],
    )
    second = Model(
        lower(package.parse(f"bce_logits(y, w @ [{', '.join(f'x{k}' for k in range(10))}] + b)")), ["w", "b"]
    )
    weights = np.linspace(-1, 1, 10)
    loss, slopes = first.over(table).slopes({**{f"w{k}": float(weights[k]) for k in range(10)}, "b": 0.1})
    same, exact = second.over(table).slopes({"w": weights, "b": 0.1})
    assert loss == pytest.approx(same, rel=1e-13)
    assert [slopes[f"w{k}"] for k in range(10)] == pytest.approx(exact["w"], rel=1e-10)


def test_memory_stays_within_three_times_the_data() -> None:
    import tracemalloc

    table, base = _logistic(300_000)
    products = " + ".join(f"w{k}*x{k}" for k in range(10))
    for text, params in (
        (f"p = sigmoid({products} + b); L = bce(y, p)", {**{f"w{k}": 0.01 for k in range(10)}, "b": 0.0}),
        (f"L = bce_logits(y, w @ [{', '.join(f'x{k}' for k in range(10))}] + b)", {"w": np.zeros(10), "b": 0.0}),
    ):
        model = Model(lower(package.parse(text)), params)
        tracemalloc.start()
        model.over(table).slopes(params)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert base.nbytes + peak <= 3 * base.nbytes


OUT_OF_RANGE = {
    "--lr": ["nan", "inf", "-inf", "0", "-1", "1e999", "abc"],
    "--l1": ["nan", "inf", "-0.5"],
    "--l2": ["nan", "inf", "-0.5"],
    "--holdout": ["nan", "1", "-0.1", "2", "0.0001"],
    "--epochs": ["0", "-3", "1.5"],
    "--batch-size": ["0", "-1"],
    "--seed": ["-1", "x"],
    "--explain-step": ["0", "-1", "41"],
}


@pytest.mark.parametrize(("option", "value"), [(o, v) for o, values in OUT_OF_RANGE.items() for v in values])
def test_numbers_out_of_range_are_mistakes_of_usage(option: str, value: str) -> None:
    given = [] if option == "--epochs" else ["--epochs", "40"]
    ended = autodiff(*LINE, *given, option, value)
    assert (ended.status, ended.out) == (2, "")
    assert option in ended.err
    assert value in ended.err or "there is no step" in ended.err or str(float(value)) in ended.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--optimizer", "lbfgs", "--lr", "0.1"], "lbfgs chooses its own rate, so it takes no --lr"),
        (
            ["--optimizer", "lbfgs", "--batch-size", "5"],
            "lbfgs looks at all rows in each step, so it takes no --batch-size",
        ),
        (["--optimizer", "lm", "--lr", "0.1"], "lm chooses its own rate, so it takes no --lr"),
        (["--optimizer", "newton", "--batch-size", "5"], "newton looks at all rows in each step"),
        (["--optimizer", "newton", "--l1", "1"], "newton needs second derivatives, and that of --l1 has a jump at 0"),
        (["--optimizer", "lm", "--engine", "local"], "--engine adds up slopes of parts, and lm needs a matrix"),
        (["--explain-step", "2", "-q"], "--quiet and --explain-step don't go together"),
        (["--explain-step", "10", "--epochs", "3"], "there is no step 10 to explain in 3 epochs of 1 step\n"),
        (["--explain-step", "7", "--epochs", "1", "--batch-size", "5"], "there is no step 7 to explain in 1 epoch of "),
    ],
)
def test_an_option_that_would_do_nothing_is_a_mistake(options: list[str], says: str) -> None:
    ended = autodiff(*LINE, *options)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err


def test_rows_are_asked_for_where_there_are_none() -> None:
    for option in ("--batch-size", "--holdout"):
        ended = autodiff("train", "(x - 1)^2", "--params", "x=0", option, "0.5" if option == "--holdout" else "5")
        assert (ended.status, f"{option} is about the rows of a table" in ended.err) == (2, True)


def test_a_missing_step_is_reported() -> None:
    ended = autodiff(*LINE, "--optimizer", "lbfgs", "--explain-step", "90")
    assert ended.status == 0
    assert re.search(r"^notice: the training ended after step \d+, so step 90 is not shown$", ended.err, re.MULTILINE)
    ended = autodiff(*LINE, "--lr", "1e200", "--explain-step", "9")
    assert ended.status == 3
    assert ended.err.endswith("notice: the training ended after step 0, so step 9 is not shown\n")
    assert "notice" not in autodiff(*LINE, "--explain-step", "100").err


def test_a_history_goes_on_under_the_same_columns(tmp_path: Path) -> None:
    history, saved = tmp_path / "h.csv", tmp_path / "p.json"
    files = ["--history", str(history), "--save", str(saved), "-q"]
    assert autodiff(*LINE, "--lr", "0.01", "--watch", "mean(w)", "--epochs", "3", *files).status == 0
    before = history.read_text()
    going = [*LINE[:-2], "--lr", "0.01", "--resume", str(saved), "--epochs", "5", *files]
    ended = autodiff(*going)
    assert ended.status == 4
    assert "has the columns epoch,loss,mean(w), and here are epoch,loss\n  give the same --watch" in ended.err
    assert history.read_text() == before
    assert autodiff(*going, "--watch", "mean(w)").status == 0
    assert [line.count(",") for line in history.read_text().splitlines()] == [2] * 6


def test_lbfgs_has_no_rate_to_report() -> None:
    args = ("train", "(x - 1)^2", "--params", "x=0", "--epochs", "3", "--format", "json")
    assert json.loads(autodiff(*args, "--optimizer", "lbfgs").out)["lr"] is None
    assert json.loads(autodiff(*args).out)["lr"] == 0.1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_saving_to_a_pipe_or_a_device_leaves_it_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        ended = autodiff("train", "(x - 1)^2", "--params", "x=0", "--epochs", "1", "--save", str(pipe))
        assert ended.status == 0, ended.err
        assert pipe.is_fifo()
        assert json.loads(os.read(reader, 65536))["x"] == pytest.approx(0.2)
    finally:
        os.close(reader)


@pytest.mark.parametrize("start", ["a=0,b=0", "a=[0,0],b=0"])
def test_a_step_beyond_the_range_of_float64_is_described(start: str, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x,y\n1,1\n")
    ended = autodiff("train", "mean((sum(a)*x + b - y)^2)", "--data", str(table), "--params", start, "--lr", "1e308")
    assert ended.status == 3
    assert "beyond 1.8e308" in ended.out
    assert "inf" not in ended.out.split()


@pytest.mark.parametrize("words", [[], ["-q"], ["--json"], ["--optimizer", "lbfgs"]])
def test_penalties_beyond_the_range_of_float64_are_described(words: list[str]) -> None:
    ended = autodiff("train", "x/1e300", "--params", "x=1e200", "--l1", "1e300", *words)
    assert (ended.status, re.findall(r"\b(?:inf|nan)\b", (ended.out + ended.err).lower())) == (3, [])
    assert "there is no loss to start from: the loss overflows: with its penalties it is beyond 1.8e308" in ended.err


def test_a_mean_of_huge_losses_is_their_mean(tmp_path: Path) -> None:
    (tmp_path / "big.csv").write_text("y\n1e308\n1.5e308\n")
    ended = autodiff("train", "y + x", "--params", "x=0", "--data", str(tmp_path / "big.csv"), "-q", "--epochs", "1")
    assert (ended.status, ended.out.split()[0]) == (0, "1.25e+308")


def test_a_penalty_that_is_not_asked_for_adds_nothing() -> None:
    """0 times the square of 1e200 is no number."""
    model = Model(lower(package.parse("mean(x*w)")), ["w"], l1=0.1)
    assert model.penalized(0.0, {"w": np.array([1e200, 1.0])}) == pytest.approx(1e199)


def test_values_that_the_backward_pass_does_not_use_are_freed() -> None:
    """Of a sum of products only the columns and the result are kept: the products are used by the sum alone."""
    text = "bce_logits(y, " + " + ".join(f"w{k}*x{k}" for k in range(10)) + ")"
    model = Model(lower(package.parse(text)), [f"w{k}" for k in range(10)])
    table = {name: np.linspace(0, 1, 50) for name in model.lowered.inputs if name[0] in "xy"}
    values = model.over(table).run({f"w{k}": 0.5 for k in range(10)}).values
    arrays = [value for value in values if np.ndim(value)]
    freed = [value for value in arrays if value.strides == (0,)]
    assert (len(arrays) - len(freed) <= len(table) + 5, len(freed) >= 18) == (True, True)


# --- threads and memory of libraries -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "seen"), [({}, "1 system"), ({"OPENBLAS_NUM_THREADS": "3"}, "3 system")])
def test_what_libraries_are_told_before_they_are_loaded(given: dict[str, str], seen: str) -> None:
    """Beside other programs threads of BLAS wait for one another: small batches of a network took six times as long."""
    names = ("OPENBLAS_NUM_THREADS", "ARROW_DEFAULT_MEMORY_POOL")
    code = (
        "import os, sys; from autodiff.__main__ import main; end = os._exit; sys.argv = ['autodiff', 'eval', '1']\n"
        f"os._exit = lambda status: (os.write(2, ' '.join(map(os.environ.get, {names})).encode()), end(status)); main()"
    )
    environment = {name: value for name, value in os.environ.items() if name not in names} | given
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == seen


def test_numbers_are_seen_to_be_finite_in_parts_for_which_blas_starts_no_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes, dot = list[int](), np.vdot

    def counted(a: Any, b: Any) -> Any:
        sizes.append(a.size)
        return dot(a, b)

    monkeypatch.setattr(np, "vdot", counted)
    table, last = np.ones((9000, 3)), np.ones(30_000)
    last[-1] = np.nan
    values: list[Any] = [table, 2.0, last, np.full(3, 1e200)]
    with np.errstate(over="ignore"):
        assert [pass_lines._finite(value) for value in values] == [True, True, False, False]
    assert len(sizes) > 4
    assert max(sizes) <= 10_000
