"""Logistic regression on 1,000,000 rows of 10 columns: an epoch against the same in NumPy by hand, and a whole process's room."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .clock import AUTODIFF, Line, run

ROWS = 1_000_000

RACE = """
import json, sys, time
import numpy as np
import autodiff
from autodiff.core.lowering import lower
from autodiff.train.model import Model

rows, loss, form = int(sys.argv[1]), sys.argv[2], sys.argv[3]
chance = np.random.default_rng(0)
base = np.ascontiguousarray(chance.normal(size=(11, rows)))
base[10] = base[:10].T @ chance.normal(size=10) > 0
x, y, w = base[:10].T.copy(), base[10], np.full(10, 0.01)
table = {**{f"x{k}": base[k] for k in range(10)}, "y": y}
if form == "matrix":
    score, at = f"w @ [{', '.join(f'x{k}' for k in range(10))}] + b", {"w": w, "b": 0.5}
else:
    score = " + ".join(f"w{k}*x{k}" for k in range(10)) + " + b"
    at = {**{f"w{k}": 0.01 for k in range(10)}, "b": 0.5}
text = f"L = bce_logits(y, {score})" if loss == "bce_logits" else f"p = sigmoid({score}); L = bce(y, p)"
model = Model(lower(autodiff.parse(text)), list(at))
fixed = model.fixed(table)

def from_scores():
    z = x @ w + 0.5
    loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))
    slope = (1 / (1 + np.exp(-z)) - y) / len(y)
    return loss, x.T @ slope, slope.sum()

def from_chances():
    p = 1 / (1 + np.exp(-(x @ w + 0.5)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    slope = (p - y) / len(y)
    return loss, x.T @ slope, slope.sum()

by_hand = from_scores if loss == "bce_logits" else from_chances
found, exact = model.slopes(at, table, fixed), by_hand()
assert abs(found[0] - exact[0]) < 1e-9 * exact[0] and abs(found[1]["b"] - exact[2]) < 1e-9
times = {"mine": [], "hand": []}
for _ in range(7):
    for name, epoch in (("hand", by_hand), ("mine", lambda: model.slopes(at, table, fixed))):
        start = time.process_time()
        epoch()
        times[name].append(time.process_time() - start)
print(json.dumps({name: min(taken) for name, taken in times.items()}))
"""
"""Both in one process, in turn, in processor time: what else the machine does counts for neither."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""For both: threads that wait for each other would count as work."""


def lines(peers: Sequence[str]) -> Iterator[Line]:
    """A line per loss and way of writing the score; then the command from file to answer, beside the size of its numbers."""
    for loss in ("bce_logits", "bce"):
        for form, what in (("matrix", "w @ [x0, …]"), ("columns", "w0*x0 + …")):
            command = [sys.executable, "-c", RACE, str(ROWS), loss, form]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD)
            found = json.loads(done.stdout)
            yield Line(f"an epoch, 1,000,000 × 10, {loss}, {what}", "NumPy by hand", found["mine"], found["hand"], 1.5)
    yield _room()


def _room() -> Line:
    """The whole process at its largest, the interpreter, NumPy and the file's text included."""
    names = [f"x{k}" for k in range(10)]
    with tempfile.TemporaryDirectory() as folder:
        data, chance = Path(folder) / "rows.csv", random.Random(0)
        with data.open("w") as file:
            file.write(",".join([*names, "y"]) + "\n")
            for _ in range(ROWS):
                row = [chance.gauss(0, 1) for _ in names]
                file.write(",".join(f"{x:.6f}" for x in row) + f",{int(row[0] > row[1])}\n")
        score = " + ".join(f"w{k}*{name}" for k, name in enumerate(names))
        params = ",".join(f"w{k}=0" for k in range(10))
        ran = run(
            [
                AUTODIFF, "train", f"p = sigmoid({score}); L = bce(y, p)", "--data", str(data), "--params", params,
                "--epochs", "3", "--watch", "mean((p > 0.5) == y)",
            ]
        )  # fmt: skip
    size = ROWS * (len(names) + 1) * 8 / 2**20
    return Line("train, 1,000,000 × 10 from a CSV file", "its numbers", ran.megabytes, size, 3.0, unit="MB")
