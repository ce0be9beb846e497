"""Learning: logistic regression on 1,000,000 rows against NumPy by hand and PyTorch, minibatches of a network, a fit, reading.

All are timed in one process, in turn, in processor time: what else the machine does counts for neither.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .clock import AUTODIFF, Line, has, run

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
objective = Model(lower(autodiff.parse(text)), list(at)).over(table)
objective.fixed

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
found, exact = objective.slopes(at), by_hand()
assert abs(found[0] - exact[0]) < 1e-9 * exact[0] and abs(found[1]["b"] - exact[2]) < 1e-9
times = {"mine": [], "hand": []}
for _ in range(7):
    for name, epoch in (("hand", by_hand), ("mine", lambda: objective.slopes(at))):
        start = time.process_time()
        epoch()
        times[name].append(time.process_time() - start)
print(json.dumps({name: min(taken) for name, taken in times.items()}))
"""
"""Both in one process, in turn, in processor time: what else the machine does counts for neither."""

NETWORK = """
import json, time
import numpy as np, torch
from autodiff import parse
from autodiff.core.lowering import lower
from autodiff.train import loop
from autodiff.train.checkpoint import State
from autodiff.train.model import Model

torch.set_num_threads(1)
chance, rows = np.random.default_rng(0), 40*128
X, one = chance.normal(size=(rows, 784)), np.eye(10)[chance.integers(0, 10, rows)]
start = dict(W1=chance.normal(size=(784, 32))*.03, b1=np.zeros(32), W2=chance.normal(size=(32, 10))*.1, b2=np.zeros(10))
model = Model(lower(parse("cross_entropy(one, softmax(relu(X @ W1 + b1) @ W2 + b2))")), list(start))
tX, tone = torch.tensor(X), torch.tensor(one)

def mine():
    [*loop.descend(model.over({"X": X, "one": one}), State(start, {}), loop.Hyperparameters(1, 0.01, batch=128))]

def theirs():
    p = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    optimizer, order = torch.optim.SGD(p.values(), 0.01), torch.randperm(rows)
    for k in range(0, rows, 128):
        part = order[k:k + 128]
        optimizer.zero_grad()
        z = torch.relu(tX[part] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
        torch.nn.functional.cross_entropy(z, tone[part]).backward()
        optimizer.step()

"""

EPOCH = """
import json, time
import numpy as np, torch
from autodiff import parse
from autodiff.core.lowering import lower
from autodiff.train.model import Model

torch.set_num_threads(1)
chance, rows = np.random.default_rng(0), 1_000_000
x, y = np.ascontiguousarray(chance.normal(size=(rows, 10))), (chance.uniform(size=rows) < 0.5) + 0.0
at = {"w": np.full(10, 0.01), "b": 0.5}
table = {"X": x, "y": y}
objective = Model(lower(parse("bce_logits(y, X @ w + b)")), list(at)).over(table)
objective.fixed
tx, ty = torch.from_numpy(x), torch.tensor(y)

def mine():
    objective.slopes(at)

def theirs():
    w, b = torch.full((10,), 0.01, dtype=torch.float64, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    torch.nn.functional.binary_cross_entropy_with_logits(tx @ w + b, ty).backward()

"""

SQUARES = EPOCH.replace("bce_logits(", "mse(").replace("binary_cross_entropy_with_logits", "mse_loss")

EPOCH_BY_COLUMNS, SQUARES_BY_COLUMNS = (
    text.replace("ascontiguousarray", "asfortranarray") for text in (EPOCH, SQUARES)
)
"""With the matrix in memory as `train` makes it of columns, for both."""

FIT = """
import json, time
import numpy as np
from scipy.optimize import curve_fit
import autodiff

chance, rows = np.random.default_rng(0), 1_000_000
x = chance.uniform(0, 4, rows)
y = 2.5*np.exp(-1.3*x) + 0.5 + chance.normal(0, 0.2, rows)

def mine():
    autodiff.fit("a*exp(-b*x) + c", {"x": x, "y": y}, "y", {"a": 1, "b": 1, "c": 0})

def theirs():
    curve_fit(lambda x, a, b, c: a*np.exp(-b*x) + c, x, y, p0=[1, 1, 0])

"""

READ = """
import json, sys, time
import pandas as pd
from autodiff.tables.reader import opened
from autodiff.tables.columns import rows_of

def mine():
    with opened(sys.argv[1], None) as table:
        rows_of([table], lambda names: [f"x{k}" for k in range(10)] + ["y"])

def theirs():
    pd.read_csv(sys.argv[1])

"""

TIMED = """
times = {"mine": [], "theirs": []}
for _ in range(7):
    for name, work in (("theirs", theirs), ("mine", mine)):
        begun = CLOCK()
        work()
        times[name].append(CLOCK() - begun)
print(json.dumps({name: min(taken) for name, taken in times.items()}))
"""

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
    for what, peer, package, script, clock, limit in (
        ("an epoch, 1,000,000 × 10, bce_logits(y, X @ w + b)", "PyTorch", "torch", EPOCH, "time.process_time", 1.1),
        ("an epoch, 1,000,000 × 10, mse(y, X @ w + b)", "PyTorch", "torch", SQUARES, "time.process_time", 1.1),
        ("the same by columns, bce_logits", "PyTorch", "torch", EPOCH_BY_COLUMNS, "time.process_time", 1.1),
        ("the same by columns, mse", "PyTorch", "torch", SQUARES_BY_COLUMNS, "time.process_time", 1.1),
        ("784-32-10, a batch of 128 × 40", "PyTorch", "torch", NETWORK, "time.process_time", 1.5),
        ("a fit, 1,000,000 rows × 3 parameters", "SciPy", "scipy", FIT, "time.perf_counter", 1.0),
    ):
        yield _peer(what, peer, package, script + TIMED.replace("CLOCK", clock), limit)
    yield _reading()
    yield _room()


def _peer(what: str, peer: str, package: str, script: str, limit: float, *words: str) -> Line:
    """Both in this interpreter, which has to have the package."""
    if not has(sys.executable, package):
        return Line(what, peer, 0.0, None, limit, note="not installed")
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD)
    found = json.loads(done.stdout)
    return Line(what, peer, found["mine"], found["theirs"], limit)


def _reading() -> Line:
    """198 MB of CSV, in time on the clock: both read on all cores."""
    with tempfile.TemporaryDirectory() as folder:
        data, chance = Path(folder) / "rows.csv", random.Random(0)
        with data.open("w") as file:
            file.write(",".join([*(f"x{k}" for k in range(10)), "y"]) + "\n")
            for _ in range(950_000):
                file.write(",".join(repr(chance.gauss(0, 1)) for _ in range(11)) + "\n")
        script = READ + TIMED.replace("CLOCK", "time.perf_counter")
        return _peer("reading 198 MB of CSV to train", "pandas", "pandas", script, 1.5, str(data))


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
