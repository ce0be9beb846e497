"""Exported code compiles, runs and agrees with `eval`, in every target whose tool is on this machine.

Agreement is judged by the bound that 4 units in the last place per operation allow: `bounded` carries it along the same
equations.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import math
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff.api.elementwise_view import numbers_of
from autodiff.api.inputs import sources
from autodiff.codegen import fallbacks
from autodiff.codegen.gradient import gradient_equations
from autodiff.codegen.registry import TARGETS, requested, written
from autodiff.core import rules, templates
from autodiff.core.lowering import Lowered, lower
from autodiff.core.primitive import UNDEFINED
from autodiff.errors import AutodiffError
from autodiff.verify.error_bound import BoundedValue, bounded
from autodiff.verify.rounding import Unsure
from tests.support.command import PATIENCE
from tests.support.command import autodiff as command
from tests.support.export import export, python_function

FORMULAS = [
    "exp(sin(x^2))", "y = x^2; z = sin(y); u = e^z", "x^3 - 2x + 1", "x^2*y^3", "x^y", "x^-2", "x^0.5", "(x + y)^1.5", "2^x*ln(x)",
    "sin(x)/x", "x/(x + y)", "sqrt(x^2 + y^2)", "hypot(x, y)", "atan2(y, x)", "ln(1 + e^x)", "softplus(x)", "sigmoid(x)*tanh(y)",
    "relu(x) - relu(-x)", "max(x, y, 1)", "min(x, y)*clamp(x, -1, 1)", "abs(x - y)", "if(x > 0, ln(x), x^2)",
    "if(x > 1, sqrt(x - 1), if(x > -1, asin(x), -1/x))", "if(x > 0 and y > 0, ln(x*y), x - y)", "if(x != 0 and 1/x > 2, 1/x, 3x)",
    "s = sqrt(y); if(x > 0, s, 1) + if(x > 1, s, 2)", "if(x > 0, exp(800*sin(x)*0.01), exp(-x))", "(x > 1)*2 + x^3", "mod(x, y) + 2*mod(x, 3)",
    "round(x)*x + floor(y)*y + ceil(x)", "sinc(x)*gelu(x)", "silu(x) + elu(y, 2) + leaky_relu(x)", "bce_logits(y, x)", "erf(x)*erfc(y)",
    "gamma(x + 3)", "lgamma(x + 4)", "digamma(x + 4)", "xlogy(x, y)", "log(x, y)", "logsumexp(x, y)", "asinh(x) + acosh(1 + y^2) + atanh(x/10)",
    "sec(x) + csc(x) + cot(y)", "sinh(x)*cosh(y)*sech(x)", "cbrt(x) + exp2(y) + expm1(x) + log1p(x^2)", "log2(x)*log10(y)", "sign(x)*x",
    "a = x*y; b = sin(a); c = a*b; d = b*c; c*d + a", "t = x; for_ = t^2; lambda = for_ + 1; lambda*x", "θ = x^2; cos(θ)*θ", "x", "3", "x - x",
    "not_used = y; x^2", "-x^2 - -y", "logit(x)", "spherical_jn(1, x)*x", "deg(x)*rad(y)",
    "if(x > y, if(x > 2*y, x, y), if(y > 1, x*y, ln(3 + x)))", "r(t) = if(t > 0, t, 0); r(x)*r(y) + r(x - y)",
]  # fmt: skip

COUNT = 50  # points per formula


@lru_cache(maxsize=256)
def cases(text: str) -> tuple[tuple[dict[str, float], float, tuple[float, ...], tuple[float, ...]], ...]:
    """Points where `eval` finds value and slopes: the point, the value, the slopes, and the bound of each."""
    lowered = numbers_of(autodiff.parse(text)).lowered
    found = gradient_equations(lowered, sources(lowered, None))
    chance = random.Random(text)
    scales: list[Callable[[], float]] = [
        lambda: chance.uniform(-2, 2), lambda: chance.uniform(0, 1), lambda: chance.uniform(0, 6), lambda: chance.lognormvariate(0, 1)
    ]  # fmt: skip
    kept = []
    for _ in range(2000):
        point = {name: chance.choice(scales)() for name in lowered.inputs}
        answer = autodiff.evaluate(text, point)
        if not answer.complete or answer.status != "ok":
            continue
        try:
            balls = [
                bounded(Lowered(found.graph, n, "", lowered.inputs, {}, ""), point)
                for n in (found.value, *found.slopes.values())
            ]
        except Unsure:
            continue
        assert answer.value is not None
        slopes = tuple(slope for slope in answer.gradient.values() if slope is not None)
        assert _near(
            (balls[0].value, [b.value for b in balls[1:]]), answer.value, slopes, tuple(b.error for b in balls)
        )
        kept.append((point, answer.value, slopes, tuple(b.error for b in balls)))
        if len(kept) == COUNT:
            break
    return tuple(kept)


def _near(
    found: tuple[float, Sequence[float]],
    value: float,
    slopes: Sequence[float],
    bounds: Sequence[float],
    times: float = 1.0,
) -> bool:
    pairs = zip([found[0], *found[1]], [value, *slopes], bounds, strict=True)
    return all(abs(a - b) <= times * bound + 1e-300 for a, b, bound in pairs)


def agree(
    text: str, run: Callable[[Sequence[Mapping[str, float]]], list[tuple[float, Sequence[float]]]], times: float = 1.0
) -> None:
    """Fail unless `run` gives, for the points of a formula, what `eval` gives."""
    points = cases(text)
    for (point, value, slopes, bounds), found in zip(points, run([p for p, *_ in points]), strict=True):
        assert _near(found, value, slopes, bounds, times), (point, found, value, slopes, bounds)


def test_there_are_points_for_every_formula() -> None:
    short = {text: len(cases(text)) for text in FORMULAS if len(cases(text)) < COUNT}
    assert not short


# --- each target ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", FORMULAS)
def test_python_agrees(text: str) -> None:
    function = python_function(export(text, "python"))
    agree(text, lambda points: [function(*p.values()) for p in points], _OF_PYTHON.get(text, 1.0))


def _arrays(function: Callable[..., Any], points: Sequence[Mapping[str, float]]) -> list[tuple[float, Sequence[float]]]:
    names = list(points[0])
    value, slopes = function(*([p[name] for p in points] for name in names))
    arrays = [np.asarray(column, dtype=float) for column in (value, *slopes)]
    columns = [array.tolist() if names else [float(array)] * len(points) for array in arrays]
    return [(row[0], row[1:]) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("library", ["numpy", "jax", "torch"])
def test_array_libraries_agree(library: str, text: str) -> None:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    with warnings.catch_warnings():
        if library != "numpy":
            warnings.simplefilter("ignore")
        if library == "jax":
            jax = pytest.importorskip("jax")
            jax.config.update("jax_enable_x64", True)
        function = python_function(export(text, library))
        slack = _OF_PYTHON if library == "numpy" else _SLACK
        agree(text, lambda points: _arrays(function, points), slack.get(text, 1.0))


@pytest.fixture(scope="module")
def shared_library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    folder = tmp_path_factory.mktemp("c")

    def build(source: str) -> Any:
        if compiler is None:
            pytest.skip("no C compiler on this machine")
        name = folder / f"f{abs(hash(source))}"
        name.with_suffix(".c").write_text(source)
        subprocess.run(
            [compiler, "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-ffp-contract=off", "-shared", "-fPIC",
             "-o", f"{name}.so", f"{name}.c", "-lm"],
            check=True, timeout=PATIENCE,
        )  # fmt: skip
        function = ctypes.CDLL(f"{name}.so").value_and_gradient
        function.restype = ctypes.c_double
        return function

    return build


@pytest.mark.parametrize("text", FORMULAS)
def test_c_agrees_and_compiles_without_a_warning(text: str, shared_library: Callable[[str], Any]) -> None:
    function = shared_library(export(text, "c"))

    def run(points: Sequence[Mapping[str, float]]) -> list[tuple[float, Sequence[float]]]:
        found: list[tuple[float, Sequence[float]]] = []
        for point in points:
            gradient = (ctypes.c_double * max(1, len(point)))()
            value = function(*map(ctypes.c_double, point.values()), gradient)
            found.append((value, list(gradient)[: len(point)]))
        return found

    agree(text, run)


def test_one_bad_element_does_not_spoil_an_array_in_numpy() -> None:
    for name in ("gamma", "lgamma"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values, _ = python_function(export(f"{name}(x)", "numpy"))([3.0, -1.0, 1e308])
        assert math.isclose(values[0], math.lgamma(3) if name == "lgamma" else 2.0)
        assert not math.isfinite(values[1])
        assert values[2] == math.inf


def test_javascript_agrees(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    calls = [
        {"source": export(text, "javascript"), "points": [list(p.values()) for p, *_ in cases(text)]}
        for text in FORMULAS
    ]
    (tmp_path / "asked.json").write_text(json.dumps(calls))
    script = """
      const asked = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
      const run = (a) => { const f = new Function('"use strict";' + a.source + "; return valueAndGradient;")(); return a.points.map((p) => f(...p)); };
      console.log(JSON.stringify(asked.map(run)));
    """
    done = subprocess.run(
        [node, "-e", script, str(tmp_path / "asked.json")], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    for text, found in zip(FORMULAS, json.loads(done.stdout), strict=True):
        for (point, value, slopes, bounds), (v, s) in zip(cases(text), found, strict=True):
            assert _near((v, s), value, slopes, bounds, _SLACK.get(text, 1.0)), (text, point)


_SLACK = {"gamma(x + 3)": 20.0, "digamma(x + 4)": 4.0, "lgamma(x + 4)": 7.0}
"""Functions that a target lacks are written out in many operations; each of them may round."""

_OF_PYTHON = {"lgamma(x + 4)": 5.0}
"""Python's own function, which is less exact than that of `eval`."""


def _table(text: str) -> tuple[list[str], list[list[float]]]:
    names = list(cases(text)[0][0])
    return names, [list(p.values()) for p, *_ in cases(text)]


def _rows(text: str, execute: Callable[[str], list[Sequence[float]]]) -> list[tuple[float, Sequence[float]]]:
    names, _ = _table(text)
    found = {tuple(row[: len(names)]): row[len(names) :] for row in execute(export(text, "sql"))}
    return [(found[tuple(p.values())][0], found[tuple(p.values())][1:]) for p, *_ in cases(text)]


@pytest.mark.parametrize("text", FORMULAS)
def test_sql_agrees_on_sqlite(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("SELECT exp(1.0)")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no mathematical functions")
    names, rows = _table(text)
    columns = ", ".join(f'"{name}" REAL' for name in names) or "unused_ REAL"
    connection.execute(f"CREATE TABLE data ({columns})")
    connection.executemany(
        f"INSERT INTO data VALUES ({', '.join('?' * max(1, len(names)))})", rows if names else [[0.0]]
    )
    agree(text, lambda _: _rows(text, lambda query: connection.execute(query).fetchall()), _SLACK.get(text, 1.0))


@pytest.mark.parametrize("text", FORMULAS)
def test_sql_agrees_on_duckdb(text: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect(":memory:")
    names, rows = _table(text)
    columns = ", ".join(f'"{name}" DOUBLE' for name in names) or "unused_ DOUBLE"
    connection.execute(f"CREATE TABLE data ({columns})")
    connection.executemany(
        f"INSERT INTO data VALUES ({', '.join('?' * max(1, len(names)))})", rows if names else [[0.0]]
    )
    agree(text, lambda _: _rows(text, lambda query: connection.execute(query).fetchall()), _SLACK.get(text, 1.0))
    connection.close()


# --- what is written --------------------------------------------------------------------------------------------------

PYTHON = '''\
"""Value and gradient; outside its domain a function raises ValueError, ZeroDivisionError or OverflowError, or gives NaN."""

# Made by autodiff VERSION from:
#     y = x^2; z = exp(sin(y))
# differentiated by x, y.

import math


def value_and_gradient(x):
    """z, (dz_dx, dz_dy)"""
    y = x*x
    z = math.exp(math.sin(y))
    dz_dy = z*math.cos(y)
    dz_dx = dz_dy*(2.0*x)
    return z, (dz_dx, dz_dy)
'''


@pytest.mark.parametrize(
    ("program", "value", "slope"),
    [
        ("x*(1 - cos(1e-8))/1e-16", 1.5, 0.5),
        ("k = (exp(1e-12) - 1)/1e-12; k*x", 3.0000000000015, 1.0000000000005),
        ("x + 1e16*sin(pi)", 3.0, 1.0),
        ("if((1 - cos(1e-8)) > 0, 2*x, x)", 6.0, 2.0),
        ("if(x > 10^16 + 1 - 10^16, x^2, x)*(sqrt(1 + 1e-14) - 1)/1e-14", 4.5, 3.0),
    ],
)
def test_constants_are_exact_that_lose_their_digits(program: str, value: float, slope: float) -> None:
    got, (derivative,) = python_function(export(program, "python"))(3.0)
    assert (got, derivative) == pytest.approx((value, slope), rel=1e-13)


def test_without_balls_constants_are_those_of_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "autodiff.verify.digits", raising=False)
    for name in [name for name in sys.modules if name.startswith("autodiff.numbers.ball")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flint", None)
    got, _ = python_function(export("x*(1 - cos(1e-8))", "python"))(3.0)
    assert got == 0.0


def test_shared_parts_are_written_once_under_the_programs_names() -> None:
    assert export("y = x^2; z = exp(sin(y))", "python", ["x", "y"]) == PYTHON.replace("VERSION", autodiff.__version__)


def test_latex_is_the_formula() -> None:
    source = export("y = x^2; z = exp(sin(y))", "latex", ["x", "y"])
    assert r"z &= e^{\sin\left(x^{2}\right)} \\" in source
    assert r"\frac{\mathrm{d} z}{\mathrm{d} y} &= \cos\left(y\right) e^{\sin\left(y\right)}" in source
    assert source.count(r"\begin{align*}") == source.count(r"\end{align*}") == 1
    long = export("y = x*x + 1; " + "; ".join(f"y{k + 1} = y{k or ''}*y{k or ''} + x" for k in range(12)), "latex")
    assert "t_{1} &= " in long
    assert len(long) < 5000


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_needs_this_package(target: str) -> None:
    code = "\n".join(line for line in export("sinc(x)*gelu(y)", target).splitlines() if "Made by" not in line)
    assert "autodiff" not in code


NASTY = [
    "x^2 # */ } drop table data; --", "x^2 # \\", 'x^2 # \"\"\" + 1/0', "x^2 # coding: klingon", "x^2 # \u2028 import os", "x^2\n# second line\n", "x^2 # /* */ //",
    "x^2 # ?" + "?/", "x^2 # \x1b[31m\x00",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_the_comment_cannot_end_early(text: str, shared_library: Callable[[str], Any]) -> None:
    assert python_function(export(text, "python"))(3.0) == (9.0, (6.0,))
    assert float(python_function(export(text, "numpy"))(3.0)[1][0]) == 6.0
    gradient = (ctypes.c_double * 1)()
    assert shared_library(export(text, "c"))(ctypes.c_double(3.0), gradient) == 9.0
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE data (x REAL); INSERT INTO data VALUES (3)")
    assert connection.execute(export(text, "sql")).fetchall() == [(3.0, 9.0, 6.0)]
    if shutil.which("node"):
        script = export(text, "javascript") + "console.log(valueAndGradient(3)[1][0])"
        assert subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout == "6\n"
    comment, _, _ = export(text, "latex").partition(r"\begin")
    for line in comment.splitlines():
        assert line.startswith("%")


def test_a_long_program_is_cut_in_the_comment() -> None:
    source = export("\n".join(f"y{k} = x + {k}" for k in range(1000)), "python")
    assert "… and 970 lines more" in source
    assert max(map(len, source.splitlines())) < 200


RESERVED = {
    "python": "class = x; None_ = class*2; math = None_ + yield; range = math; all*float*range*t1*b1*value_and_gradient*print",
    "c": "double = x; int = double*2; main = int + while; θ*ŷ*x1*π2*main*y1*gradient*t1*φ_1*été*変数",
    "javascript": "let = x; const = let*2; arguments = const + await; undefined*eval*θ*arguments*valueAndGradient*t1",
    "sql": "select = x; order = select*2; group = order + having; from*table*θ*t1*stage_1*given*group*source*data",
    "numpy": "np = x; math = np*2; lambda*math*t1*b1*sinc_*float",
}


@pytest.mark.parametrize("target", RESERVED)
def test_names_that_mean_something_there_are_changed(target: str, shared_library: Callable[[str], Any]) -> None:
    text = RESERVED[target]
    names = numbers_of(autodiff.parse(text)).lowered.inputs
    point = {name: 1.0 + k / 8 for k, name in enumerate(names)}
    answer = autodiff.evaluate(text, point)
    slopes = [answer.gradient[name] for name in names]
    source = export(text, target)
    if target in ("python", "numpy"):
        value, gradient = python_function(source)(*point.values())
    elif target == "c":
        gradient = (ctypes.c_double * len(names))()
        value = shared_library(source)(*map(ctypes.c_double, point.values()), gradient)
    elif target == "sql":
        connection = sqlite3.connect(":memory:")
        connection.execute(f"CREATE TABLE data ({', '.join(chr(34) + name + chr(34) for name in names)})")
        connection.execute(f"INSERT INTO data VALUES ({', '.join('?' * len(names))})", list(point.values()))
        value, *gradient = connection.execute(source).fetchone()[len(names) :]
    else:
        if not shutil.which("node"):
            pytest.skip("no node on this machine")
        script = f'"use strict"; {source} console.log(JSON.stringify(valueAndGradient({", ".join(map(repr, point.values()))})))'
        value, gradient = json.loads(
            subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout
        )
    assert math.isclose(float(value), answer.value or 0.0)
    assert [float(g) for g in gradient] == pytest.approx(slopes)


# --- branches stay asleep ---------------------------------------------------------------------------------------------

ASLEEP = [
    ("if(x > 0, ln(x), 1/(x - 1))", [-3.0, 2.0]), ("if(x > 0, exp(1000*x), x)", [-3.0, -1.0]), ("if(x > 1, sqrt(ln(x)), acosh(2 - x))", [0.5, 2.0]),
    ("if(x < 1e100, x*x*x*x, 0)", [1e200, 2.0]), ("s = sqrt(x); if(x > 0, s, 1) + if(x > 1, ln(s), 2)", [-1.0, 4.0]),
    ("if(x > 0 and ln(x) > 1, ln(ln(x)), x)", [-1.0, 5.0]), ("u = if(x > 0, ln(x), 0); if(u > 0, ln(u), u)", [-1.0, 5.0]),
    ("if(x > 0, atanh(x), digamma(-x)) + if(x > 0, gamma(x), lgamma(0.5 - x))", [0.5, -1.5]),
    ("u = ln(x); v = if(x > 2, u, x); if(x > 0 and v > 1, u*v, v)", [-1.0, 5.0, 1.5]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "places"), ASLEEP)
def test_an_untaken_branch_is_not_evaluated(text: str, places: list[float]) -> None:
    answers = [autodiff.evaluate(text, {"x": x}) for x in places]
    wanted = [(a.value, (a.gradient["x"],)) for a in answers]
    function = python_function(export(text, "python"))
    assert all(_close(function(x), w) for x, w in zip(places, wanted, strict=True))
    value, (slope,) = python_function(export(text, "numpy"))(places)  # a warning is an error in these tests
    assert all(_close((v, (s,)), w) for v, s, w in zip(value, slope, wanted, strict=True))


def _close(found: tuple[float, Sequence[float]], wanted: tuple[float | None, Sequence[float | None]]) -> bool:
    return all(
        math.isclose(a, b or 0.0, rel_tol=1e-13)
        for a, b in zip([found[0], *found[1]], [wanted[0], *wanted[1]], strict=True)
    )


def test_an_else_if_ladder_of_five_hundred_steps_stays_flat() -> None:
    text = "0"
    for k in range(500, 0, -1):
        text = f"if(x < {k}, x^2 + {k}, {text})"
    function = python_function(export(text, "python"))
    assert function(250.5) == (250.5**2 + 251, (501.0,))
    assert max(len(line) - len(line.lstrip()) for line in export(text, "python").splitlines()) <= 8


# --- size -------------------------------------------------------------------------------------------------------------


def _long(count: int) -> str:
    return "\n".join(["y0 = x", *(f"y{k + 1} = sin(y{k}) + {k % 7}*y{k}/{count}" for k in range(count))])


def test_ten_thousand_equations_are_exported() -> None:
    text = _long(2500)
    answer = autodiff.evaluate(text, {"x": 0.7})
    assert len(numbers_of(autodiff.parse(text)).lowered.graph) > 10_000
    value, (slope,) = python_function(export(text, "python"))(0.7)
    assert math.isclose(value, answer.value or 0.0, rel_tol=1e-9)
    assert math.isclose(slope, answer.gradient["x"] or 0.0, rel_tol=1e-9)
    assert export(text, "javascript").count("\n") > 2500


@pytest.mark.parametrize(
    ("text", "count"),
    [(lambda n: "if(x > 1, " * n + "x" + ", 2)" * n, 50), (lambda n: "x^" * n + "x", 16)],
    ids=["choices", "powers"],
)
def test_conditions_under_conditions_take_as_many_steps_more(text: Callable[[int], str], count: int) -> None:
    few, many = (_steps(partial(export, text(n), "c")) for n in (count, 8 * count))
    assert many < 16 * few, "eight times as many: 64 times is by their square"


def _steps(work: Callable[[], object]) -> int:
    """How many lines of Python are run."""
    run = 0

    def traced(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal run
        run += event == "line"
        return traced

    work()  # what is made once
    before = sys.gettrace()
    sys.settrace(traced)
    try:
        work()
    finally:
        sys.settrace(before)
    return run


def test_sql_is_nested_deeply_or_rejected() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE data (x REAL); INSERT INTO data VALUES (0.7)")
    wide = " + ".join(f"sin({k}*x)" for k in range(200))
    for text in (_long(30), wide):
        answer = autodiff.evaluate(text, {"x": 0.7})
        (row,) = connection.execute(export(text, "sql")).fetchall()
        assert row == pytest.approx((0.7, answer.value, answer.gradient["x"]))
    with pytest.raises(AutodiffError, match="too deep for one query"):
        export(_long(600), "sql")


# --- SQL's own --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_the_gradient_of_a_summed_loss(engine: str) -> None:
    connection: Any = (
        sqlite3.connect(":memory:") if engine == "sqlite" else pytest.importorskip("duckdb").connect(":memory:")
    )
    connection.execute('CREATE TABLE "my data" (x INTEGER, y DOUBLE PRECISION, w INTEGER)')
    rows = [(1, 2.5, 9), (2, 3.75, 9), (3, 1.0, 9)]
    connection.executemany('INSERT INTO "my data" VALUES (?, ?, ?)', rows)
    query = export("(w*x + b - y)^2/x", "sql", ["w", "b"], at={"w": 0.5, "b": 0.1}, total=True, table="main.my data")
    (found,) = connection.execute(query).fetchall()
    residuals = [(0.5 * x + 0.1 - y, x) for x, y, _ in rows]
    assert found == pytest.approx(
        (sum(r * r / x for r, x in residuals), sum(2 * r for r, _ in residuals), sum(2 * r / x for r, x in residuals))
    )


def test_whole_numbers_are_divided_as_numbers() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE data (x INTEGER, y INTEGER); INSERT INTO data VALUES (1, 2)")
    assert connection.execute(export("x/y", "sql")).fetchone() == (1, 2, 0.5, 0.5, -0.25)


# --- what the targets lack --------------------------------------------------------------------------------------------

HARD = {"gamma": 120.0, "lgamma": 12.0, "digamma": 8.0, "polygamma": 8.0, "spherical_jn": 4.0}
"""By how much a definition may miss the row's own bound; gamma's is what reflection and shift cost."""


@pytest.mark.parametrize(("name", "arity"), [*fallbacks._TEXTS, *((name, order) for name, order in fallbacks._ORDERS)])
def test_definitions_hold_against_fifty_digits(name: str, arity: float) -> None:
    from mpmath import mp, mpf

    from tests.support.reference import VALUES

    order = None if (name, arity) in fallbacks._TEXTS else arity
    row = rules.TABLE[name, 2 if order is not None else int(arity)]
    text = fallbacks.definition(row) if order is None else fallbacks.of_order(row, order)
    function, chance = templates.compiled(text, row.params), random.Random(name)
    tried = 0
    with mp.workdps(50):
        while tried < 300:
            args = [
                chance.choice([chance.uniform(-3, 3), chance.uniform(0, 25), chance.lognormvariate(0, 1)])
                for _ in row.params
            ]
            if order is not None:
                args[0] = order
            if not all(inside(*args) for inside, _ in templates.domain(row)):
                continue
            true, found = VALUES[f"{row.name} {row.arity}"](*map(mpf, args)), function(*args)
            bound = templates.compiled(row.ulp_error[0], (*row.params, "w"))(*args, float(true)) * HARD.get(name, 2.0)
            assert abs(mpf(found) - true) <= bound * math.ulp(float(true)) + mpf(1e-300), (args, found, float(true))
            tried += 1


@pytest.mark.parametrize("target", ["python", "numpy", "jax", "torch"])
def test_gamma_functions_have_their_digits_left_of_0(target: str) -> None:
    if target in ("jax", "torch"):
        library = pytest.importorskip(target)
        if target == "jax":
            library.config.update("jax_enable_x64", True)
    for text, places in (
        ("trigamma(x)", (-5.5, -5.25, -700.5, -4096.5)),
        ("gamma(x)", (-1000.5, -170.6, -25.5, -3.25)),
        ("lgamma(x)", (-2.6, -700.25, -1e-300)),
    ):
        function = python_function(export(text, target))
        for x in places:
            answer, (value, (slope,)) = autodiff.evaluate(text, {"x": x}), function(x)
            assert math.isclose(float(value), answer.value or 0.0, rel_tol=1e-12, abs_tol=1e-300), (text, x)
            assert math.isclose(float(slope), answer.gradient["x"] or 0.0, rel_tol=1e-12, abs_tol=1e-300), (text, x)


def test_gamma_is_small_where_its_reflection_would_overflow() -> None:
    text = fallbacks.definition(rules.TABLE["gamma", 1])
    function = templates.compiled(text, ("u",))
    assert function(-1000.5) == 0
    assert math.isclose(function(-171.9), 7.971266640086e-311, rel_tol=1e-10)
    assert function(400.0) == math.inf


@pytest.mark.parametrize("target", ["python", "jax", "torch"])
@pytest.mark.parametrize("text", ["digamma(x)", "polygamma(0, x)"])
def test_digamma_has_its_digits_beside_its_zero_too(text: str, target: str) -> None:
    from mpmath import digamma, mp, mpf

    if target != "python":
        library = pytest.importorskip(target)
        if target == "jax":
            library.config.update("jax_enable_x64", True)
    function, zero = python_function(export(text, target)), 1.4616321449683622
    points = [zero, *(zero + sign * 10.0**-k for k in range(1, 17, 3) for sign in (-1, 1)), 0.5, 1.0, 1.25, 1.75, 2.0]
    values = [function(x)[0] for x in points] if target == "python" else function(points)[0].tolist()
    with mp.workdps(50):
        for x, value in zip(points, values, strict=True):
            assert abs(mpf(value) / digamma(mpf(x)) - 1) < 4e-15, (x, value)


@pytest.mark.parametrize("target", [t for t in TARGETS if t != "latex"])
def test_every_row_of_the_table_is_exported_or_refused_by_name(target: str) -> None:
    for row in rules.rows():
        if row.kind != "elementwise" or row.is_predicate or row.branches is not None or not row.name.isidentifier():
            continue
        if {*row.partials} == {UNDEFINED}:
            continue
        given = ("1" if partial == UNDEFINED else f"{p}_" for p, partial in zip(row.params, row.partials, strict=True))
        text = f"{row.name}({', '.join(given)})"
        if row.by_balls:
            with pytest.raises(AutodiffError, match=f"{row.name} can't be exported to"):
                export(text, target)
        else:
            assert "df_d" in export(text, target)
    if target not in ("jax", "torch"):
        with pytest.raises(AutodiffError, match="polygamma can't be exported to"):
            export("polygamma(7, x)", target)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_the_source() -> None:
    ended = command("export", "-x^2", "--to", "python")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == export("-x^2", "python")
    assert "read as" in command("export", "1/2x", "--to", "c").err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x^2", "--to", "cobol"], "'cobol' is not one of"),
        (["x^2", "--to", "c", "--sum"], "--sum, --table and --at belong to SQL"),
        (["x^2", "--to", "python", "--at", "x=1"], "--sum, --table and --at belong to SQL"),
        (["x^2", "--to", "sql", "--at", "z=1"], "'z' is not an input of this program"),
        (["x + X", "--to", "sql"], "SQL takes 'x' and 'X' for the same column"),
        (["x^2", "--to", "sql", "--table", "a..b"], "'a..b' is no name of a table"),
        (["polygamma(7, x)", "--to", "c"], "polygamma can't be exported to C"),
        (["x^2", "--to", "c", "--wrt", "q"], "can't differentiate by 'q'"),
    ],
)
def test_what_cannot_be_exported_is_reported(args: list[str], message: str) -> None:
    ended = command("export", *args)
    assert ended.status == 2
    assert message in ended.err
    assert ended.out == ""


def test_an_unknown_target_is_an_error_in_python_too() -> None:
    with pytest.raises(AutodiffError, match="unknown target"):
        export("x", "cobol")


def test_the_words_of_duckdb_are_known() -> None:
    duckdb = pytest.importorskip("duckdb")
    from autodiff.codegen.targets import sql

    words = duckdb.sql("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'").fetchall()
    assert {word for (word,) in words} <= set(sql.RESERVED)


def test_error_bounds_are_narrow() -> None:
    """The bound is small beside the numbers, so agreement within it is a strict test."""
    for text in FORMULAS:
        for _, value, slopes, bounds in cases(text)[:10]:
            scale = max(map(abs, (value, *slopes)))
            assert max(bounds) <= 1e-11 * max(scale, 1.0), (text, bounds)


def test_ball_is_exact_for_what_is_exact() -> None:
    assert BoundedValue(1.0, 0.0) == bounded(lower(autodiff.parse("if(x > 0, 1, 2)")), {"x": 3.0})
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", autodiff.__version__)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.parametrize("awkward", [False, True])
def test_no_name_of_ours_is_one_of_math_h(awkward: bool) -> None:
    """Each function of the table in one program, and inputs that are called as what the header defines."""
    names = [
        "NAN",
        "INFINITY",
        "M_PI",
        "HUGE_VALF",
        "OVERFLOW",
        "trunc",
        "fma",
        "sinf",
        "remainder",
        "jn",
        "nan",
        "signgam",
        "fmaxl",
    ]
    calls = [
        f"{row.name}({', '.join('xyz'[: row.arity])})"
        for row in rules.rows()
        if row.kind == "elementwise"
        and row.name.isidentifier()
        and not (row.by_balls or row.conditions or UNDEFINED in row.partials)
    ]
    source = written(requested(" + ".join(names if awkward else calls), "c"), "c")
    words = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"]
    done = subprocess.run(words, input=source, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("max(x, y)*min(x, y)", (2.0, 2.0)),
        ("max(x, y) + min(x, y)", (2.0, 2.0)),
        ("min(x, y)*max(y, x)", (-3.0, -3.0)),
        ("clamp(x, y, 2)", (2.0, 2.0)),
    ],
)
def test_where_two_corners_make_none_the_slopes_are_those_of_eval(text: str, point: tuple[float, float]) -> None:
    """At a tie max and min take different arguments, as their sum and product have them; clamp between equal ends is constant."""
    answer = autodiff.evaluate(text, {"x": point[0], "y": point[1]})
    assert answer.status == "ok"
    _, slopes = python_function(export(text, "python"))(*point)
    assert list(slopes) == list(answer.gradient.values())
