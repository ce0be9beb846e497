"""Every target equals `eval` over random programs with nested conditions, at hard points as well.

A difference is silent when a target gives a plain number where there is none, or another one. Digits that float64 can't
have are no difference: `bounded` says which these are. At a corner, where only the slope does not exist, the slope is
that of one side.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import json
import math
import random
import re
import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff.api.elementwise_view import numbers_of
from autodiff.api.inputs import sources
from autodiff.codegen.gradient import gradient_equations
from autodiff.core import templates
from autodiff.core.lowering import Lowered
from autodiff.verify.error_bound import bounded
from autodiff.verify.rounding import Unsure
from tests.support import postgres
from tests.support.command import PATIENCE
from tests.support.export import export, python_function

SHARDS, COUNT = 5, 100
"""The programs come in parts of `COUNT`, so that processes that share the tests don't compute the same answers."""

SLOW = ("duckdb", "jax")
"""Targets that take 20 to 50 ms to plan or compile a program: they run the first part only."""

TARGETS = ["python", "numpy", "jax", "torch", "c", "javascript", "sqlite", "duckdb", "postgresql"]

SPECIAL = [
    (0.0, 0.0),
    (-1.0, 1.0),
    (1.0, 1.0),
    (1.0, -1.0),
    (0.0, 2.0),
    (2.0, 0.0),
    (0.5, 0.5),
    (-2.0, -3.0),
    (3.0, 2.0),
]

EDGES = {
    "lgamma(x)*y": [(1.0, 1.0), (2.0, 1.0), (1.001, 1.0), (1.9999, 2.0), (0.5, 2.0), (2.5, 2.0), (1e306, 1.0)],
    "u = sin(0.5); if(if(u > u, 3, 2) > x, x, y)": [(1.0, 5.0), (3.0, 1.0)],
    "clamp(digamma(x), 0, 3)*y": [(0.0, 1.0), (-1.0, 1.0), (1.0, 1.0), (1e-310, 1.0)],
    "if(trigamma(x) > y, y, x)": [(0.0, 1.0), (-2.0, 1.0), (1.0, 1.0)],
    "if(x > y, (1e155)^3 + x, y)": [(1.0, 2.0), (2.0, 1.0)],
    "if(x > y, x + 1/(1e-200*1e-200), y)": [(1.0, 2.0), (2.0, 1.0)],
    "x + y": [(1e308, 1e308), (1.0, 2.0)],
    "2*x - y": [(1.7e308, 1.0), (-1.7e308, 1e308), (1.0, 2.0)],
    "1/x + y": [(1e-310, 1.0), (5e-324, 1.0), (0.0, 1.0), (2.0, 1.0)],
    "x^y": [(1e300, 1e308), (1e-300, 1e308), (0.5, -2000.0), (2.0, 3.0)],
    "sinh(x) + cosh(y)": [(710.2, 710.2), (1.0, 1.0)],
    "1e10*(1e10*(1e10*x)) + y": [(1e290, 1.0), (1.0, 1.0)],
    "x + x + x + x + x + x + exp(y)": [(1e308, 1.0), (1e300, 690.0), (1.0, 1.0)],
}
"""Programs at points where a target has its own answer, stops, or stops the query of all rows."""

TIES = {
    "max(x, y)": [(1.0, 1.0), (-2.0, -2.0)],
    "min(x, y) + max(y, x)": [(1.0, 1.0)],
    "max(x, x) + min(y, y)": [(1.0, 1.0)],
    "abs(x)*y": [(0.0, 1.0)],
    "relu(x) + leaky_relu(y)": [(0.0, 0.0)],
    "clamp(x, 0, y)": [(0.0, 1.0), (1.0, 1.0)],
    "if(x > y, x^2, 3*y)": [(1.0, 1.0)],
    "round(x) + floor(y)": [(0.5, 1.0)],
    "max(x^2, y^2)*min(abs(x), y)": [(1.0, 1.0), (-1.0, 1.0)],
}
"""Programs where two sides are equal: which slope an export has there is the same in every target."""

Row = list[float | None]


@dataclass(frozen=True)
class Program:
    text: str
    points: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]
    wanted: tuple[tuple[str, Row], ...]


def _number(chance: random.Random, deep: int) -> str:
    if deep <= 0 or chance.random() < 0.15:
        return chance.choice(["x", "y", "x", "y", "u", "1", "2", "0.5", "3"])
    kind = chance.random()
    sub = [_number(chance, deep - 1) for _ in range(3)]
    if kind < 0.3:
        return f"if({_condition(chance, deep - 1)}, {sub[0]}, {sub[1]})"
    if kind < 0.55:
        return f"({sub[0]} {chance.choice('+-*/')} {sub[1]})"
    if kind < 0.65:
        return f"{chance.choice(['max', 'min', 'atan2', 'hypot', 'mod', 'xlogy', 'logsumexp'])}({sub[0]}, {sub[1]})"
    if kind < 0.7:
        return f"clamp({sub[0]}, {sub[1]}, {sub[2]})"
    if kind < 0.8:
        return f"({sub[0]})^{chance.choice(['2', '3', '(-1)', '0.5', '(-2)', '1.5', '5', f'({sub[1]})'])}"
    one = "sqrt ln exp sin cos tanh relu abs sigmoid softplus asin acosh atanh log1p atan floor sign cbrt erf leaky_relu sinc silu"
    return f"{chance.choice(one.split())}({sub[0]})"


def _condition(chance: random.Random, deep: int) -> str:
    kind = chance.random()
    if deep > 0 and kind < 0.25:
        return f"({_condition(chance, deep - 1)} {chance.choice(['and', 'or'])} {_condition(chance, deep - 1)})"
    if deep > 0 and kind < 0.32:
        return f"not ({_condition(chance, deep - 1)})"
    return (
        f"{_number(chance, deep - 1)} {chance.choice(['<', '<=', '>', '>=', '==', '!='])} {_number(chance, deep - 1)}"
    )


@lru_cache(maxsize=1)
def programs(shard: int | None) -> tuple[Program, ...]:
    """The programs of a part, or all of them, the points, and the answers of `eval` there."""
    chance, found, seen = random.Random(4), list[tuple[str, tuple[tuple[float, float], ...]]](), set[str]()
    while len(found) < SHARDS * COUNT:
        text = f"u = {_inner(chance)}; {_number(chance, 4)}"
        names = numbers_of(autodiff.parse(text)).lowered.inputs
        if len(names) != 2 or "if(" not in text or text in seen:
            continue
        seen.add(text)
        spots = (*SPECIAL, *((chance.uniform(-3, 3), chance.uniform(-3, 3)) for _ in range(11)))
        found.append((text, spots))
    return tuple(_program(text, spots) for text, spots in (found if shard is None else found[shard::SHARDS]))


@cache
def _program(text: str, places: tuple[tuple[float, float], ...]) -> Program:
    """A program with points of x and y, and the answers there, which all targets are compared with."""
    names, wanted = numbers_of(autodiff.parse(text)).lowered.inputs, []
    points = places if names[0] == "x" else tuple((y, x) for x, y in places)
    for point in points:
        answer = autodiff.evaluate(text, dict(zip(names, point, strict=True)))
        wanted.append((answer.status, [answer.value, *(answer.gradient.get(name) for name in names)]))
    return Program(text, points, tuple(names), tuple(wanted))


def _inner(chance: random.Random) -> str:
    while True:
        text = _number(chance, 2)
        if not re.search(r"\bu\b", text):
            return text


def agree(target: str, tried: Sequence[Program], found: Sequence[Sequence[Row]], most: float = 0.01) -> None:
    """Fail unless every number is right, and none is given where there is none; `most` is the part that may be refused."""
    wrong, refused = list[str](), 0
    for program, rows in zip(tried, found, strict=True):
        for point, (status, wanted), row in zip(program.points, program.wanted, rows, strict=True):
            for place, (true, given) in enumerate(zip(wanted, row, strict=True)):
                plain = given is not None and math.isfinite(given)
                if true is None:
                    if place and wanted[0] is not None:
                        continue  # a corner: the slope of one side, by convention
                    if plain and status != "unknown" and not (place and status == "overflow"):
                        wrong.append(f"{program.text} at {point}[{place}]: {given}, but {status}")
                elif given is None or not plain:
                    refused += 1
                elif abs(given - true) > 1e-12 * abs(true) + 1e-300 and not (
                    _noise(program, point, place, given - true) or (place and _one_sided(program, point, place, given))
                ):
                    wrong.append(f"{program.text} at {point}[{place}]: {given}, not {true} ({status})")
    assert not wrong, f"{target}: {len(wrong)} silent differences\n" + "\n".join(wrong[:20])
    assert refused < most * sum(3 * len(p.points) for p in tried), f"{target}: {refused} numbers refused"


@lru_cache(maxsize=1000)
def _equations(text: str) -> tuple[Lowered, ...]:
    lowered = numbers_of(autodiff.parse(text)).lowered
    found = gradient_equations(lowered, sources(lowered, None))
    return tuple(Lowered(found.graph, n, "", lowered.inputs, {}, "") for n in (found.value, *found.slopes.values()))


def _noise(program: Program, point: tuple[float, ...], place: int, difference: float) -> bool:
    """Whether a difference is within what roundings may do, at 16 units in the last place an operation."""
    try:
        ball = bounded(_equations(program.text)[place], dict(zip(program.names, point, strict=True)))
    except Unsure:
        return True
    return abs(difference) <= 4 * ball.error


def _tied(text: str, point: tuple[float, ...]) -> bool:
    """Whether a comparison has equal sides there, or a function its corner."""
    lowered = numbers_of(autodiff.parse(text)).lowered
    graph, value = lowered.graph, dict[int, float]()
    at = dict(zip(lowered.inputs, point, strict=True))
    for node in graph.reaching(lowered.result):
        row, args = graph.rows[node], [value[a] for a in graph.args[node]]
        if row is None:
            value[node] = graph.constants[node] if node in graph.constants else at[graph.inputs[node]]
            continue
        if row.branches is None:
            value[node] = float(templates.value(row)(*args))
        else:
            value[node] = args[row.branches[0] if args[0] else row.branches[1]]
        if row.is_predicate and not row.conditions and args[0] == args[1]:
            return True
        if row.kink and templates.compiled(row.kink, row.params)(*args):
            return True
    return False


def _one_sided(program: Program, point: tuple[float, ...], place: int, given: float) -> bool:
    """Whether a slope at a hard point is that of a point beside it, or of a branch that only this point takes."""
    if _tied(program.text, point):
        return True
    name = program.names[place - 1]
    for steps in itertools.product((-1e-9, 0.0, 1e-9), repeat=2):
        beside = dict(zip(program.names, (p + s for p, s in zip(point, steps, strict=True)), strict=True))
        slope = autodiff.evaluate(program.text, beside).gradient.get(name)
        if slope is not None and math.isclose(slope, given, rel_tol=1e-4, abs_tol=1e-4):
            return True
    return False


def sources_of(target: str, tried: Sequence[Program]) -> Iterator[str]:
    for program in tried:
        yield _source(program.text, target)


@lru_cache(maxsize=COUNT)
def _source(text: str, target: str) -> str:
    """SQL is written once for three engines."""
    return export(text, target)


def _in_python(tried: Sequence[Program]) -> list[list[Row]]:
    found = []
    for program, source in zip(tried, sources_of("python", tried), strict=True):
        function, rows = python_function(source), list[Row]()
        for point in program.points:
            try:
                value, slopes = function(*point)
                rows.append([value, *slopes])
            except (ValueError, ArithmeticError):
                rows.append([math.nan] * 3)
        found.append(rows)
    return found


def _in_arrays(library: str, tried: Sequence[Program]) -> list[list[Row]]:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if library == "jax":
            jax = pytest.importorskip("jax")
            jax.config.update("jax_enable_x64", True)
        for program, source in zip(tried, sources_of(library, tried), strict=True):
            value, slopes = python_function(source)(*map(list, zip(*program.points, strict=True)))
            columns = [np.asarray(column, dtype=float).tolist() for column in (value, *slopes)]
            found.append([list(row) for row in zip(*columns, strict=True)])
    return found


def _in_c(tried: Sequence[Program], folder: Path) -> list[list[Row]]:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    lines = list[str]()
    for k, source in enumerate(sources_of("c", tried)):
        for name in {*re.findall(r"static double (\w+)\(", source), "value_and_gradient"}:
            source = re.sub(rf"\b{name}\(", f"{name}_{k}(", source)
        lines.append(source)
    (folder / "all.c").write_text("\n".join(lines))
    subprocess.run(
        [compiler, "-std=c99", "-O0", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic", "-ffp-contract=off", "-shared",
         "-fPIC", "-o", str(folder / "all.so"), str(folder / "all.c"), "-lm"],
        check=True, timeout=PATIENCE,
    )  # fmt: skip
    library, found = ctypes.CDLL(str(folder / "all.so")), []
    for k, program in enumerate(tried):
        function, rows = library[f"value_and_gradient_{k}"], list[Row]()
        function.restype = ctypes.c_double
        for point in program.points:
            gradient = (ctypes.c_double * 2)()
            value = function(*map(ctypes.c_double, point), gradient)
            rows.append([value, *gradient])
        found.append(rows)
    return found


def _in_javascript(tried: Sequence[Program], folder: Path) -> list[list[Row]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    pairs = zip(sources_of("javascript", tried), tried, strict=True)
    (folder / "asked.json").write_text(json.dumps([{"source": s, "points": p.points} for s, p in pairs]))
    script = """
      const asked = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
      const run = (a) => { const f = new Function('"use strict";' + a.source + "; return valueAndGradient;")(); return a.points.map((p) => f(...p).flat()); };
      console.log(JSON.stringify(asked.map(run)));
    """
    done = subprocess.run(
        [node, "-e", script, str(folder / "asked.json")], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    found: list[list[Row]] = json.loads(done.stdout)
    return found


def _in_sql(
    tried: Sequence[Program], execute: Callable[[str], list[Sequence[Any]]], put: Callable[[Program], None]
) -> list[list[Row]]:
    found = []
    for program, query in zip(tried, sources_of("sql", tried), strict=True):
        put(program)
        rows = {tuple(row[:2]): list(row[2:]) for row in execute(query)}
        found.append([rows[point] for point in program.points])
    return found


def _in_sqlite(tried: Sequence[Program]) -> list[list[Row]]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("SELECT exp(1.0)")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no mathematical functions")

    def put(program: Program) -> None:
        connection.execute("DROP TABLE IF EXISTS data")
        connection.execute(f"CREATE TABLE data ({program.names[0]} REAL, {program.names[1]} REAL)")
        connection.executemany("INSERT INTO data VALUES (?, ?)", program.points)

    return _in_sql(tried, lambda query: connection.execute(query).fetchall(), put)


def _in_duckdb(tried: Sequence[Program]) -> list[list[Row]]:
    connection = pytest.importorskip("duckdb").connect(":memory:")
    connection.execute("SET threads = 1")

    def put(program: Program) -> None:
        connection.execute(f"CREATE OR REPLACE TABLE data ({program.names[0]} DOUBLE, {program.names[1]} DOUBLE)")
        connection.executemany("INSERT INTO data VALUES (?, ?)", program.points)

    found = _in_sql(tried, lambda query: connection.execute(query).fetchall(), put)
    connection.close()
    return found


def _in_postgres(tried: Sequence[Program], server: postgres.Server) -> list[list[Row]]:
    script = list[str]()
    for program, query in zip(tried, sources_of("sql", tried), strict=True):
        script += [
            "DROP TABLE IF EXISTS data;",
            postgres.table("data", program.names, program.points),
            query + ";",
            "SELECT 'end';",
        ]
    lines = iter(server.rows("SET client_min_messages = error;\n" + "\n".join(script)))
    found = []
    for program in tried:
        rows = dict[tuple[float, ...], Row]()
        for line in iter(lambda: next(lines), ["end"]):
            numbers = [float(text) if text else None for text in line]
            rows[tuple(n for n in numbers[:2] if n is not None)] = numbers[2:]
        found.append([rows[point] for point in program.points])
    return found


@pytest.fixture
def run(target: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Sequence[Program]], list[list[Row]]]:
    """What a target gives for programs at their points."""
    runs: dict[str, Callable[[Sequence[Program]], list[list[Row]]]] = {
        "python": _in_python,
        "c": lambda tried: _in_c(tried, tmp_path),
        "javascript": lambda tried: _in_javascript(tried, tmp_path),
        "sqlite": _in_sqlite,
        "duckdb": _in_duckdb,
        "postgresql": lambda tried: _in_postgres(tried, request.getfixturevalue("server")),
    }
    return runs.get(target, lambda tried: _in_arrays(target, tried))


@pytest.mark.parametrize(
    ("shard", "target"),
    [(None, "python")]  # of one part it refuses more than of all
    + [(k, t) for k in range(SHARDS) for t in TARGETS if t != "python" and (not k or t not in SLOW)],
)
def test_every_target_equals_eval_or_has_no_number(shard: int | None, target: str, run: Any) -> None:
    agree(target, programs(shard), run(programs(shard)))


@pytest.mark.parametrize("target", TARGETS)
def test_the_ends_of_domains_and_of_float64_are_those_of_eval(target: str, run: Any) -> None:
    tried = [_program(text, tuple(points)) for text, points in EDGES.items() if target != "jax" or text != "1/x + y"]
    agree(target, tried, run(tried), most=0.4)


@pytest.mark.parametrize("target", TARGETS)
def test_slopes_at_ties_are_the_same_in_every_target(target: str, run: Any) -> None:
    tried = [_program(text, tuple(points)) for text, points in TIES.items()]
    for program, rows, others in zip(tried, run(tried), _in_python(tried), strict=True):
        for point, row, other in zip(program.points, rows, others, strict=True):
            numbers = [number for number in row if number is not None and math.isfinite(number)]
            assert numbers == [n for n in other if n is not None and math.isfinite(n)], (program.text, point)
