"""Two million points: the compiled function against JAX's `jit(vmap(value_and_grad))`; file to file against pandas and duckdb.

Both are called once before the clock starts, which is when they make their machine code, and both drop what a call
returned before the next one, whose results may then lie in the same memory. The file is read by a fresh process, and
making machine code counts.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from .clock import AUTODIFF, Line, has, race, run

ROWS = 2_000_000

FORMULAS = {
    "a polynomial": ("x^4 - 3*x^3 + 2*x - 1", "x**4 - 3*x**3 + 2*x - 1", "x"),
    "trigonometry": ("sin(x)*cos(y) + tan(x*y/4)", "jnp.sin(x)*jnp.cos(y) + jnp.tan(x*y/4)", "xy"),
    "a neuron's loss": ("(sigmoid(w*0.7 + b) - 1)^2", "(jax.nn.sigmoid(w*0.7 + b) - 1)**2", "wb"),
    "a normal density": ("exp(-x^2/2)/sqrt(2*pi)", "jnp.exp(-x**2/2)/math.sqrt(2*math.pi)", "x"),
    "Black-Scholes": (
        "d = (ln(s) + v^2/2)/v; s*erfc(-d/sqrt(2))/2 - erfc((v - d)/sqrt(2))/2",
        "(lambda d: s*erfc(-d/math.sqrt(2))/2 - erfc((v - d)/math.sqrt(2))/2)((jnp.log(s) + v**2/2)/v)",
        "sv",
    ),
    "Rosenbrock": ("(1 - x)^2 + 100*(y - x^2)^2", "(1 - x)**2 + 100*(y - x**2)**2", "xy"),
    "a logistic": ("1/(1 + exp(-x))", "1/(1 + jnp.exp(-x))", "x"),
    "a rational function": ("(x^2 + 1)/(x^3 + 2*x + 5)", "(x**2 + 1)/(x**3 + 2*x + 5)", "x"),
    "softplus": ("softplus(x)", "jax.nn.softplus(x)", "x"),
    "hypot": ("hypot(x, y)", "jnp.hypot(x, y)", "xy"),
    "a polynomial of degree 5": ("x^5 - 3*x^3 + 2*x - 7", "x**5 - 3*x**3 + 2*x - 7", "x"),
    "powers": ("ln(x)*x^y", "jnp.log(x)*x**y", "xy"),
}
"""Program, the same for JAX, and its inputs."""

MINE = """
import json, sys, time
import numpy as np
import autodiff

formulas, rows, exact = json.loads(sys.argv[1]), int(sys.argv[2]), bool(int(sys.argv[3]))
for text, _, inputs in formulas:
    at = {name: np.random.default_rng(k).uniform(0.5, 2, rows) for k, name in enumerate(inputs)}
    g = autodiff.compile(text, exact=exact)
    g(**at)
    taken = []
    for _ in range(7):
        start = time.perf_counter()
        g(**at)
        taken.append(time.perf_counter() - start)
    print(min(taken))
"""

JAX = """
import json, math, sys, time
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc

formulas, rows = json.loads(sys.argv[1]), int(sys.argv[2])
for _, text, inputs in formulas:
    at = [jnp.asarray(np.random.default_rng(k).uniform(0.5, 2, rows)) for k, _ in enumerate(inputs)]
    f = eval(f"lambda {', '.join(inputs)}: {text}")
    g = jax.jit(jax.vmap(jax.value_and_grad(f, argnums=tuple(range(len(inputs))))))
    jax.block_until_ready(g(*at))
    taken = []
    for _ in range(7):
        start = time.perf_counter()
        jax.block_until_ready(g(*at))
        taken.append(time.perf_counter() - start)
    print(min(taken))
"""

PANDAS = """
import sys
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import pandas as pd

table = pd.read_csv(sys.argv[1])
g = jax.jit(jax.vmap(jax.value_and_grad(lambda x, y: jnp.sin(x)*jnp.exp(-y) + x*y, argnums=(0, 1))))
value, (dx, dy) = g(table["x"].to_numpy(), table["y"].to_numpy())
pd.DataFrame({"f": value, "df/dx": dx, "df/dy": dy}).to_csv(sys.argv[2], index=False)
"""


DUCKDB = """
import sys
import duckdb

source, out = sys.argv[1:]
columns = "sin(x)*exp(-y) + x*y f, cos(x)*exp(-y) + y dx, x - sin(x)*exp(-y) dy, 'ok' status"
form = "format csv, header" if out.endswith("csv") else "format parquet"
duckdb.sql(f"copy (select {columns} from '{source}') to '{out}' ({form})")
"""
"""The slopes are written by hand."""


def lines(peers: str) -> Iterator[Line]:
    """Each formula, all of them with the one-shot's digits, then files."""
    formulas, jax = [*FORMULAS.values()], has(peers, "jax")
    mine = _seconds(sys.executable, MINE, formulas, "0")
    exact = _seconds(sys.executable, MINE, formulas, "1")
    theirs = _seconds(peers, JAX, formulas) if jax else [None] * len(formulas)
    note = "" if jax else "not installed"
    for name, own, other in zip(FORMULAS, mine, theirs, strict=True):
        yield Line(f"2,000,000 points: {name}", "JAX", own, other, 1.0, note=note)
    mean = _mean([seconds for seconds in theirs if seconds is not None]) if jax else None
    yield Line("the twelve together, geometric mean", "JAX", _mean(mine), mean, 0.25, note=note)
    yield Line("the same with `exact=True`", "JAX", _mean(exact), mean, 1.0, note=note)
    yield from _files(peers)


def _files(peers: str) -> Iterator[Line]:
    """A file against pandas with JAX; then one five times as long, of which the memory counts."""
    with tempfile.TemporaryDirectory() as name:
        folder, chance = Path(name), random.Random(1)
        data, long, script = folder / "points.csv", folder / "long.csv", folder / "peer.py"
        with data.open("w") as file:
            file.write("x,y\n")
            file.writelines(f"{chance.uniform(0, 3)!r},{chance.uniform(0, 3)!r}\n" for _ in range(ROWS))
        script.write_text(PANDAS)
        commands = {"autodiff": _command(data)}
        if has(peers, "jax") and has(peers, "pandas"):
            commands["peer"] = [peers, str(script), str(data), str(folder / "theirs.csv")]
        ran = race(commands, 3)
        theirs = ran["peer"].seconds if "peer" in ran else None
        note = "" if theirs else "not installed"
        yield Line("a CSV file of 2,000,000 rows", "pandas with JAX", ran["autodiff"].seconds, theirs, 0.5, note=note)
        yield from _against_duckdb(data, script, peers)
        with long.open("w") as file:
            file.write("x,y\n")
            for _ in range(5):
                with data.open() as part:  # line by line: a child's peak counts from what its parent holds
                    file.writelines(islice(part, 1, None))
        yield Line("a CSV file of 10,000,000 rows", "allowed", run(_command(long)).megabytes, 500.0, 1.0, unit="MB")


def _against_duckdb(data: Path, script: Path, peers: str) -> Iterator[Line]:
    """CSV to CSV, Parquet to Parquet, and NDJSON out beside CSV out."""
    parquet = data.with_suffix(".parquet")
    convert = (
        "import sys, pyarrow.csv, pyarrow.parquet as p; p.write_table(pyarrow.csv.read_csv(sys.argv[1]), sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", convert, str(data), str(parquet)], check=True)
    sources = {"csv": data, "parquet": parquet, "ndjson": data}
    commands = {form: _command(source, form) for form, source in sources.items()}
    script.write_text(DUCKDB)
    if duckdb := has(peers, "duckdb"):
        for form in ("csv", "parquet"):
            theirs = str(data.with_name(f"theirs.{form}"))
            commands[f"duckdb {form}"] = [peers, str(script), str(sources[form]), theirs]
    ran = race(commands, 3)
    for form, name, limit in (("csv", "CSV", 1.0), ("parquet", "Parquet", 1.2)):
        seconds = ran[f"duckdb {form}"].seconds if duckdb else None
        note = "" if duckdb else "not installed"
        yield Line(f"{name} to {name}, 2,000,000 rows", "duckdb", ran[form].seconds, seconds, limit, note=note)
    yield Line("CSV to NDJSON, 2,000,000 rows", "CSV to CSV", ran["ndjson"].seconds, ran["csv"].seconds, 2.0)


def _command(data: Path, form: str = "csv") -> list[str]:
    out = str(data.with_suffix(f".out.{form}"))
    return [AUTODIFF, "eval", "sin(x)*exp(-y) + x*y", "--data", str(data), "--out", out]


def _seconds(python: str, script: str, formulas: Sequence[Sequence[str]], *words: str) -> list[float]:
    command = [python, "-c", script, json.dumps(formulas), str(ROWS), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def _mean(numbers: Sequence[float]) -> float:
    return math.exp(math.fsum(map(math.log, numbers)) / len(numbers))
