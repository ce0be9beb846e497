"""Training over parts: the numbers of one table to rounding, the same bits with any number of processes, faults as sentences."""

from __future__ import annotations

import json
import os
import pickle
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff.arrays.ufuncs import in_pairs
from autodiff.engines.local import LocalEngine
from autodiff.engines.part_sums import TrainTask, held_out_rows, load_part, part_sums
from autodiff.engines.parted_training import PartedTable, PartedTraining
from autodiff.tables.inputs import input_files
from autodiff.train.loop import Hyperparameters
from tests.support.command import Ended, autodiff
from tests.support.parts import write_parts

PROGRAM = "p = tanh(w*x + b)*c; L = mse(y, p)"
START = "w=0.1,b=0,c=1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_parts(tmp_path / "parts", 5, 30)
    return tmp_path


def _train(*words: str, program: str = PROGRAM, start: str = START) -> Ended:
    return autodiff("train", program, "--params", start, "--data", "parts", "--format", "json", *words)


def _numbers(ended: Ended) -> Mapping[str, Any]:
    assert ended.status == 0, ended
    found: Mapping[str, Any] = json.loads(ended.out)
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "lbfgs"])
def test_parts_train_as_one_table_does(optimizer: str, folder: Path) -> None:
    words = ["--optimizer", optimizer, "--epochs", "8", "--l2", "0.01", "--watch", "mean(abs(p - y))"]
    words += [] if optimizer == "lbfgs" else ["--lr", "0.02"]
    whole, parts = _numbers(_train(*words)), _numbers(_train(*words, "--engine", "local", "--workers", "1"))
    for name in ("w", "b", "c"):
        assert parts["params"][name] == pytest.approx(whole["params"][name], rel=1e-9)
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-11)
    assert parts["ended"] == whole["ended"]
    np.testing.assert_allclose(parts["history"]["mean(abs(p - y))"], whole["history"]["mean(abs(p - y))"], rtol=1e-9)


def test_processes_change_no_bit(folder: Path) -> None:
    for optimizer in ("adam", "lbfgs"):
        words = ["--engine", "local", "--optimizer", optimizer, "--epochs", "6", "--holdout", "0.25"]
        ended = [_train(*words, "--workers", workers) for workers in ("1", "2")]
        assert ended[0] == ended[1]
        assert ended[0].status == 0


@pytest.mark.parametrize(
    ("program", "start"),
    [
        ("L = sqrt(mean((w*x - y)^2))", "w=0"),
        ("L = 0.001*sum((w*x - y)^2) + sum(w^2)", "w=0"),
        ("h = sigmoid(expand_dims(x, 1)*W + b); L = mse(y, h @ v)", "W=[0.1,0.2],b=[0,0.1],v=[1,2]"),
        ("L = if(w*x > 1, w*x - y, (w*x - y)^2)", "w=0.3"),
        ("X = columns(x, y); L = mse(y, X @ W)", "W=[0.1,0.2]"),
        ("L = (exp(w) - 2)^2 + 0*mean(x)", "w=0"),
    ],
)
def test_sums_means_arrays_and_conditions(program: str, start: str, folder: Path) -> None:
    words = ["--epochs", "5", "--lr", "0.001"]
    whole, parts = (
        _train(*words, program=program, start=start),
        _train(*words, "--engine", "local", "--workers", "1", program=program, start=start),
    )
    if parts.status == 2:
        assert "so the parts of a table can't be summed up" in parts.err
        assert "mean(x)" in program or "if(" in program
        return
    for name, value in _numbers(whole)["params"].items():
        np.testing.assert_allclose(_numbers(parts)["params"][name], value, rtol=1e-9)


def test_what_can_not_be_summed_up_has_a_reason(folder: Path) -> None:
    for program, reason in (
        ("L = mean((w*(x - mean(x)) - y)^2)", "mean(x) is computed from several rows"),
        ("L = mse(y, w*standardise(x))", "standardise(x) needs all rows before the first step"),
        ("L = max(w*x - y)", "in max(w*x - y) rows meet otherwise than in sums and means"),
    ):
        ended = _train("--engine", "local", program=program, start="w=1")
        assert (ended.status, f"error: {reason}, so the parts of a table can't be summed up" in ended.err) == (
            2,
            True,
        ), ended
        assert _train("--epochs", "2", program=program, start="w=1").status in (0, 3)
    ended = _train("--engine", "local", "--batch-size", "10")
    assert (ended.status, "a minibatch has rows of many parts" in ended.err) == (2, True)
    ended = _train("--engine", "local", "--explain-step", "2")
    assert (ended.status, "--explain-step shows rows of one table" in ended.err) == (2, True)
    ended = autodiff("train", "(w-1)^2", "--params", "w=0", "--engine", "local")
    assert (ended.status, "--engine is about the rows of a table" in ended.err) == (2, True)


def test_faults_have_file_and_line(folder: Path) -> None:
    (folder / "parts" / "part-003.csv").write_text("x,y\n1,2\n3,abc\n")
    ended = _train("--engine", "local", "--workers", "2")
    assert (ended.status, "parts/part-003.csv, line 3, column 'y': 'abc' is no finite number" in ended.err) == (4, True)
    for k in range(5):
        (folder / "parts" / f"part-{k:03}.csv").write_text(f"x,y\n2,1\n{k - 2},1\n")
    ended = _train("--engine", "local", "--workers", "2", program="L = mean((ln(w*x) - y)^2)", start="w=1")
    assert (
        ended.status,
        "ln(w*x) needs w*x > 0, but w*x is -2 (row 2, line 3 of parts/part-000.csv)" in ended.err,
    ) == (3, True)
    (folder / "parts" / "part-001.csv").write_text("x,z\n1,2\n")
    ended = _train("--engine", "local")
    assert "parts/part-001.csv has other columns than parts/part-000.csv" in ended.err
    ended = _train("--engine", "local", program="L = mean(w*q)", start="w=1")
    assert (ended.status, "no column 'q', which the program needs" in ended.err) == (4, True)
    for k in range(5):
        (folder / "parts" / f"part-{k:03}.csv").write_text("x,y\n")
    ended = _train("--engine", "local")
    assert (ended.status, "there are no rows" in ended.err) == (4, True)


def test_rows_are_held_out_by_a_hash_of_seed_file_and_row() -> None:
    task = TrainTask("w*x", ("w",), ("x",), "a", holdout=0.25, seed=3)
    held = held_out_rows(task, "a.csv", 20_000)
    assert 0.24 < held.mean() < 0.26
    assert held_out_rows(task, "a.csv", 100).tolist() == held[:100].tolist()
    others = [
        held_out_rows(task, "b.csv", 20_000),
        held_out_rows(TrainTask("w*x", ("w",), ("x",), "a", holdout=0.25), "a.csv", 20_000),
    ]
    for other in others:
        assert 0.05 < (held & other).mean() < 0.075


def test_a_part_without_rows_adds_nothing(folder: Path) -> None:
    before = _train("--engine", "local", "--workers", "1", "--epochs", "3")
    (folder / "parts" / "part-9.csv").write_text("x,y\n")
    assert _numbers(_train("--engine", "local", "--workers", "1", "--epochs", "3"))["loss"] == _numbers(before)["loss"]


def test_what_a_step_sends_does_not_grow_with_the_rows(folder: Path) -> None:
    write_parts(folder / "parts", 1, 5000)
    small, large = (load_part(_task(), file) for file in (input_files(["parts"])[1], input_files(["parts"])[0]))
    sizes = [
        len(pickle.dumps(part_sums(part, _task(), -1, {"w": 0.1, "b": 0.0}, False, True, 9999)))
        for part in (small, large)
    ]
    assert sizes[0] == sizes[1] < 1000


def _task() -> TrainTask:
    return TrainTask("p = w*x + b; L = mse(y, p)", ("w", "b"), ("x", "y"), "parts/part-000.csv")


def test_a_process_that_is_killed_is_replaced(folder: Path) -> None:
    files = input_files(["parts"])
    losses = []
    for kill in (False, True):
        with LocalEngine(2) as engine:
            kept = engine.hold(load_part, [(_task(), file) for file in files])
            table = PartedTable(_task(), kept, "parts")
            training = PartedTraining(
                _task().program, table, {"w": 0.0, "b": 0.0}, Hyperparameters(6, 0.01), names=["x", "y"]
            )
            for record in training.epochs():
                losses.append(record.loss)
                if kill and record.epoch == 3:
                    os.kill(kept.apply(_process)[0], signal.SIGKILL)
    assert losses[:6] == losses[6:]


def _process(_: Any) -> int:
    return os.getpid()


def test_neighbours_are_added_first() -> None:
    assert in_pairs([1e16, 1.0, 1.0, -1e16]) == (1e16 + 1.0) + (1.0 - 1e16)
    assert in_pairs([0.1] * 1024) == 0.1 * 1024
