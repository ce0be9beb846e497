"""Rows held out: watched, stopped by, kept; a resumed training knows what it was made with; signals lose nothing."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff.tables.columns import NumericTable
from autodiff.train.ending import conclude
from autodiff.train.loop import Hyperparameters, split
from autodiff.train.training import Training
from tests.support.command import PATIENCE, autodiff, start, wait_until
from tests.support.paths import EXAMPLES

LINE = ["train", "L = mse(y, w*x + b)", "--data", str(EXAMPLES / "line.csv")]


def _overfitting(patience: int, **options: Any) -> Training:
    """Eight weights for a few noisy rows: the loss of the rows held out falls and rises again."""
    chance = np.random.default_rng(2)
    columns = {f"x{k}": chance.normal(size=20) for k in range(8)}
    columns["y"] = columns["x0"] + chance.normal(size=20)
    text = "L = mse(y, transpose([x0, x1, x2, x3, x4, x5, x6, x7]) @ w)"
    plan = Hyperparameters(epochs=options.pop("epochs", 2000), rate=0.05)
    table = NumericTable("t", columns, range(20))
    return Training(text, table, {"w": np.zeros(8)}, plan, holdout=0.4, patience=patience, **options)


def test_patience_stops_and_keeps_the_best_of_the_rows_held_out() -> None:
    free = _overfitting(0)
    held = [record.validation_loss for record in free.epochs()]
    best = int(np.argmin(np.array(held, float))) + 1
    training = _overfitting(15)
    records = list(training.epochs())
    assert len(records) == best + 15 < 2000
    ending = conclude(training)
    assert (ending.ended, ending.epoch, ending.validation_loss) == ("stopped early", best, held[best - 1])
    assert ending.validation_loss == training.validation_loss(ending.parameters)
    assert ending.loss == training.measured(ending.parameters)[0]


def test_watched_expressions_are_reported_for_both_parts(tmp_path: Path) -> None:
    history = tmp_path / "h.csv"
    args = ["--params", "w=0,b=0", "--holdout", "0.3", "--watch", "mean(abs(y - w*x - b))", "--epochs", "5"]
    data = json.loads(autodiff(*LINE, *args, "--json", "--history", str(history)).out)["history"]
    watched = "mean(abs(y - w*x - b))"
    assert list(data) == ["epoch", "loss", "held_out", watched, f"held_out {watched}"]
    rows = list(csv.DictReader(io.StringIO(history.read_text())))
    assert [float(row[f"held_out {watched}"]) for row in rows] == data[f"held_out {watched}"]
    shown = autodiff(*LINE, *args).out
    assert f"{watched} = {data[watched][-1]!r}, held out {data[f'held_out {watched}'][-1]!r}" in shown
    assert "◦ of the rows held out" in shown


def test_a_resumed_training_is_the_uninterrupted_one_without_repeating_its_options(tmp_path: Path) -> None:
    whole, half = tmp_path / "whole.json", tmp_path / "half.json"
    options = ["--params", "w=0,b=0", "--holdout", "0.3", "--batch-size", "3", "--lr", "0.01", "--l2", "0.1",
               "--optimizer", "adam", "--seed", "5", "--patience", "30"]  # fmt: skip
    autodiff(*LINE, *options, "--epochs", "20", "--save", str(whole), "-q")
    autodiff(*LINE, *options, "--epochs", "8", "--save", str(half), "-q")
    ended = autodiff("train", *LINE[2:], "--resume", str(half), "--epochs", "20", "--save", str(half), "-q")
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(half.read_text()) == json.loads(whole.read_text())


def test_a_resumed_training_says_what_differs(tmp_path: Path) -> None:
    saved = tmp_path / "p.json"
    autodiff(*LINE, "--params", "w=0,b=0", "--lr", "0.01", "--epochs", "3", "--save", str(saved), "-q")
    other = ["train", "L = mse(y, w*x + b) + 0", *LINE[2:]]
    ended = autodiff(*other, "--resume", str(saved), "--lr", "0.02", "--optimizer", "adam", "--epochs", "5", "-q")
    assert ended.err.splitlines() == [
        f"notice: {saved} was made with --lr 0.01, and here it is 0.02",
        f"notice: {saved} was made with --optimizer sgd, and here it is adam",
        f"notice: {saved} was made with another program",
    ] or set(ended.err.splitlines()) == {
        f"notice: {saved} was made with --lr 0.01, and here it is 0.02",
        f"notice: {saved} was made with --optimizer sgd, and here it is adam",
        f"notice: {saved} was made with another program",
    }


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_a_schedule_that_gets_another_length_is_said(schedule: str, tmp_path: Path) -> None:
    saved = tmp_path / "p.json"
    words = ["--params", "w=0,b=0", "--lr", "0.01", "--schedule", schedule, "--save", str(saved), "-q"]
    autodiff(*LINE, *words, "--epochs", "6")
    rest = ["train", *LINE[2:], "--resume", str(saved), "-q", "--epochs"]
    assert "--schedule" not in autodiff(*rest, "6").err
    every = {"cosine": (6, 12), "step": (2, 4)}[schedule]
    says = f"--schedule {schedule} means {schedule}:{every[0]} in {saved}, and here {schedule}:{every[1]}, by --epochs"
    assert says in autodiff(*rest, "12").err
    assert f"means {schedule}" not in autodiff(*rest, "12", "--schedule", f"{schedule}:{every[0]}").err


def test_a_text_that_only_rows_held_out_have_is_named(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("k,y\n" + "".join(f"{'abc'[n % 3]},{n}\n" for n in range(9)) + "z,9\n")
    words = ["train", "mse(y, U[k])", "--data", str(table), "--params", "U=zeros(4)", "--epochs", "2", "-q"]
    notices = {seed: autodiff(*words, "--holdout", "0.3", "--seed", str(seed)).err for seed in range(5)}
    untrained = "notice: no row that is trained on has k 'z'"
    held_out = {seed for seed in range(5) if 9 not in split(10, 0.3, seed)[0]}
    assert {seed for seed, text in notices.items() if untrained in text} == held_out
    assert 0 < len(held_out) < 5
    assert "no row that is trained on" not in autodiff(*words).err


def test_patience_survives_a_resume(tmp_path: Path) -> None:
    table, saved = tmp_path / "t.csv", tmp_path / "p.json"
    chance = np.random.default_rng(3)
    x, y = chance.normal(size=(2, 12))
    table.write_text("x,y\n" + "".join(f"{a!r},{b!r}\n" for a, b in zip(x.tolist(), y.tolist(), strict=True)))
    base = [
        "train",
        "L = mse(y, w*x + v*tanh(3x) + u*cos(4x) + b)",
        "--data",
        str(table),
        "--holdout",
        "0.4",
        "--lr",
        "0.1",
    ]
    start_at = ["--params", "w=0,v=0,u=0,b=0", "--patience", "10"]
    whole = json.loads(autodiff(*base, *start_at, "--epochs", "3000", "--json").out)
    assert whole["ended"] == "stopped early"
    autodiff(*base, *start_at, "--epochs", str(whole["epochs"] - 4), "--save", str(saved), "-q")
    again = json.loads(autodiff("train", *base[2:4], "--resume", str(saved), "--epochs", "3000", "--json").out)
    assert (again["ended"], again["epochs"], again["params"]) == ("stopped early", whole["epochs"], whole["params"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs", "newton"])
@pytest.mark.parametrize("held_out", [[], ["--holdout", "0.34", "--patience", "3"]])
def test_other_rows_are_judged_by_their_own_losses(optimizer: str, held_out: list[str], tmp_path: Path) -> None:
    saved, small, large = tmp_path / "p.json", tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text("x,y\n1,2\n2,4\n3,6.1\n")
    large.write_text("x,y\n1,200\n2,400\n3,610\n")
    options = ["-q", "--optimizer", optimizer, "--save", str(saved), *(["--lr", "0.05"] if optimizer == "sgd" else [])]
    words = ["train", "mse(y, a*x)", "--data"]
    autodiff(*words, str(small), "--params", "a=0", "--epochs", "20", *options, *held_out)
    ended = autodiff(*words, str(large), "--resume", str(saved), "--epochs", "40", *options[:3])
    assert ended.status == 0
    assert "had another loss when they were saved" in ended.err
    assert "diverged" not in ended.err
    assert float(ended.out.split()[1]) > 3  # those of the first table are about 2
    same = autodiff(*words, str(small), "--resume", str(saved), "--epochs", "30", *options[:3])
    assert (same.status, same.err) == (0, "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_save_what_was_reached(tmp_path: Path, name: str) -> None:
    saved, history = tmp_path / "p.json", tmp_path / "h.csv"
    process = start(
        "train", "(x - 1)^2", "--params", "x=0", "--lr", "1e-6", "--epochs", "100000000", "-q", "--save", str(saved),
        "--history", str(history), stdout=-1, stderr=-1,
    )  # fmt: skip
    wait_until(lambda: history.exists() and history.stat().st_size > 0)
    number = getattr(signal, name)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert b"go on with --resume" in err
    data = json.loads(saved.read_text())
    assert data["#training"]["epochs"] > 0
    assert 0 < data["x"] < 1


def test_patience_without_rows_held_out_is_a_mistake() -> None:
    ended = autodiff(*LINE, "--params", "w=0,b=0", "--patience", "3")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "error: --patience is about the rows held out, and there are none\n  add --holdout 0.2\n"


def test_the_summary_of_a_large_network_fits_the_screen(tmp_path: Path) -> None:
    args = ["--params", "W1=normal(4,32),b1=zeros(32),W2=normal(32,3),b2=zeros(3)", "--holdout", "0.2", "--epochs", "9"]
    program = (
        "P = softmax(tanh(columns(*  except species) @ W1 + b1) @ W2 + b2); L = cross_entropy(one_hot(species), P)"
    )
    shown = autodiff("train", program, "--data", str(EXAMPLES / "iris.csv"), *args, "--watch", "mean(P)").out
    summary = shown[shown.index("LOSS  ") :].splitlines()
    assert len(summary) <= 23
    assert max(map(len, summary)) <= 80
    assert summary[-4].startswith("W1  4×32, norm ")
    assert summary[-3].startswith("b1  32 elements, norm ")


def test_an_array_of_three_short_lines_is_shown_in_full_and_one_of_four_is_not() -> None:
    shown = autodiff("train", "sum(A^2) + sum(B^2)", "--params", "A=ones(3,1),B=ones(4,1)", "--epochs", "1").out
    assert re.search(r"^A  \[\[.*\],\n    \[.*\],\n    \[.*\]\]\nB  4×1, norm .*$", shown, re.MULTILINE), shown


def test_the_picture_of_the_loss(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "loss.svg"
    args = [
        *LINE,
        "--params",
        "w=0,b=0",
        "--lr",
        "0.01",
        "--holdout",
        "0.3",
        "--epochs",
        "300",
        "-q",
        "--plot",
        str(picture),
    ]
    assert autodiff(*args).status == 0
    first = picture.read_text()
    assert "loss (logarithmic axis)" in first
    assert "rows held out" in first
    autodiff(*args)
    assert picture.read_text() == first
    ended = autodiff(*LINE, "--params", "w=0,b=0", "--plot", str(tmp_path / "loss.txt"))
    assert (ended.status, ended.out) == (2, "")
    assert "is no picture\n  end its name with .svg, .png, .pdf" in ended.err
