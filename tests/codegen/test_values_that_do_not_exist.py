"""Where a program has no value an export has none either; and a real PostgreSQL answers for every row of the table."""

from __future__ import annotations

import ctypes
import itertools
import json
import math
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

import autodiff
from autodiff.core import rules, templates
from autodiff.core.primitive import UNDEFINED, Primitive
from autodiff.errors import AutodiffError
from tests.support import postgres
from tests.support.export import export

NOTHING = [
    ("relu(ln(x))", -1.0), ("if(ln(x) > 0, 1, 2)", -1.0), ("if(not ln(x) > 0, x, 2)", -1.0), ("max(sqrt(x), 3)", -1.0),
    ("min(3, asin(x))", 2.0), ("clamp(x, 2, 1)", 3.0), ("clamp(x, x, x - 1)", 3.0), ("clamp(x, 1, x - 4)", 3.0), ("exp(-1/x^2)", 0.0),
    ("1/(1/x)", 0.0), ("atan(ln(x))", 0.0), ("xlogy(2, x)", -1.0), ("xlogy(x, x)", -1.0), ("atan2(x, x)", 0.0), ("log(3, x)", 0.0),
    ("(x > 1)*ln(x) + x", -1.0), ("if(ln(x) > 1 and 1 > 2, 3, x)", -1.0), ("if(1/x > 2, x, x)", 0.0), ("x + 0*ln(x)", -1.0),
    ("abs(sign(ln(x)))*x", -1.0), ("sqrt(x)^0 + x", -1.0), ("tanh(x^(-2))", 0.0), ("if(x < 1, if(x < 0, relu(ln(x)), 1), 2)", -1.0),
    ("clamp(digamma(x), 0, 3)", 0.0), ("exp(polygamma(2, x))", -1.0), ("atan(trigamma(x))", 0.0), ("if(digamma(x) < 2, x, 2)", -3.0),
    ("x*relu(ln(-2))", 1.0), ("if(x > 0, -ln(-2), x)*x", 1.0), ("if(sqrt(-2) > 1, x, 2*x)", 1.0),
]  # fmt: skip
"""Programs and where they have no value, because a part of them is outside its domain."""

NO_NUMBER = [
    "relu(x)",
    "if(x > 1, 2, 3)",
    "max(x, 1)",
    "clamp(x, 0, 1)",
    "x + 1",
    "sign(x)*3",
    "softplus(x)",
    "gaussian(x)",
]
"""Programs that are given NaN."""

Run = Callable[[str, float], list[float | None]]


def _module(target: str) -> Run:
    def run(text: str, x: float) -> list[float | None]:
        names: dict[str, Any] = {}
        exec(export(text, target), names)
        try:
            value, slopes = names["value_and_gradient"](x)
        except (ValueError, ArithmeticError):
            return [None, None]
        return [float(value), *map(float, slopes)]

    return run


def _in_sqlite(text: str, x: float) -> list[float | None]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE data (x REAL)")
    connection.execute("INSERT INTO data VALUES (?)", [x])
    return list(connection.execute(export(text, "sql")).fetchone()[1:])


def _in_node(text: str, x: float) -> list[float | None]:
    number = "NaN" if math.isnan(x) else repr(x)
    script = f"{export(text, 'javascript')} console.log(JSON.stringify(valueAndGradient({number}).flat()))"
    found: list[float | None] = json.loads(
        subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout
    )
    return found


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("c")
    texts = [*dict.fromkeys([*(text for text, _ in NOTHING), *NO_NUMBER])]
    lines = []
    for k, text in enumerate(texts):
        source = export(text, "c")
        for name in {*re.findall(r"static double (\w+)\(", source), "value_and_gradient"}:
            source = re.sub(rf"\b{name}\(", f"{name}_{k}(", source)
        lines.append(source)
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    (folder / "all.c").write_text("\n".join(lines))
    made = [str(folder / "all.so"), str(folder / "all.c"), "-lm"]
    subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", *made], check=True)
    library = ctypes.CDLL(made[0])

    def run(text: str, x: float) -> list[float | None]:
        function, gradient = library[f"value_and_gradient_{texts.index(text)}"], (ctypes.c_double * 1)()
        function.restype = ctypes.c_double
        return [function(ctypes.c_double(x), gradient), *gradient]

    return run


def _plain(found: Sequence[float | None]) -> bool:
    return any(number is not None and math.isfinite(number) for number in found)


@pytest.fixture(params=["python", "numpy", "c", "javascript", "sqlite"])
def run(request: pytest.FixtureRequest) -> Run:
    if request.param == "c":
        made: Run = request.getfixturevalue("in_c")
        return made
    if request.param == "javascript":
        if not shutil.which("node"):
            pytest.skip("node is not installed")
        return _in_node
    return _in_sqlite if request.param == "sqlite" else _module(request.param)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("text", "x"), NOTHING)
def test_what_has_no_value_is_no_number(text: str, x: float, run: Run) -> None:
    assert autodiff.evaluate(text, {"x": x}).value is None
    assert not _plain(run(text, x))


@pytest.mark.parametrize("text", NO_NUMBER)
def test_slopes_of_nan_are_nan(text: str, run: Run) -> None:
    assert not _plain(run(text, math.nan))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", ["1/(1 + exp(x))", "if(exp(x) > 5, 1, 2)", "atan(exp(x))", "min(exp(x), 3)"])
def test_an_overflow_on_the_way_is_no_missing_value(text: str) -> None:
    wanted = autodiff.evaluate(text, {"x": 1000.0}).value
    for run in [_module("numpy"), *([_in_node] if shutil.which("node") else [])]:
        assert run(text, 1000.0)[0] == wanted


def test_a_sum_over_a_row_without_a_value_is_no_number() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE data (x REAL); INSERT INTO data VALUES (1), (2), (-3)")
    query = export("relu(ln(x)) + x", "sql", total=True)
    assert "A sum over such a row is NULL." in query
    assert connection.execute(query).fetchall() == [(None, None)]
    connection.execute("DELETE FROM data WHERE x < 0")
    assert connection.execute(query).fetchall() == [(3 + math.log(2), 2.5)]


@pytest.mark.parametrize(
    ("target", "power"), [("c", "pow"), ("javascript", "pow"), ("sql", "power"), ("numpy", "power"), ("python", "**")]
)
def test_small_whole_powers_are_products(target: str, power: str) -> None:
    for text in ("x^2", "x^3", "x^4", "x^(-1)", "x^(-2)", "sin(x)^2", "tanh(x)"):
        code = "\n".join(line for line in export(text, target).splitlines() if text not in line)
        assert power not in code.replace("value and", ""), (text, code)


@pytest.mark.parametrize("text", ["(w*x + b - y)^2", "x^2/2", "exp(sin(x^2))"])
def test_a_function_whose_constants_settle_its_domain_is_not_checked(text: str) -> None:
    for target, check in (("c", "NAN"), ("python", "nan"), ("javascript", "NaN;")):
        assert check not in export(text, target).split("Made by")[1], (text, target)


def test_powers_as_products_are_those_of_eval() -> None:
    for text, x in itertools.product(("x^2", "x^3", "x^4", "x^(-2)"), (0.1, 1.7, -3.3, 1e100)):
        value, (slope,) = _value_and_gradient(text)(x)
        answer = autodiff.evaluate(text, {"x": x})
        if answer.value is not None and math.isfinite(value):
            assert abs(value - answer.value) <= 3 * math.ulp(answer.value)
            assert abs(slope - (answer.gradient["x"] or 0.0)) <= 6 * math.ulp(slope)


def _value_and_gradient(text: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(export(text, "python"), names)
    found: Callable[..., Any] = names["value_and_gradient"]
    return found


def test_a_refusal_says_which_order_it_was() -> None:
    value, (slope,) = _value_and_gradient("polygamma(2, x)")(1.5)
    answer = autodiff.evaluate("polygamma(2, x)", {"x": 1.5})
    assert [value, slope] == pytest.approx([answer.value, answer.gradient["x"]], rel=1e-13)
    with pytest.raises(AutodiffError, match=r"polygamma can't be exported to C with n = 4") as refused:
        export("polygamma(3, x)", "c")
    assert "from 0 to 3" in (refused.value.hint or "")


# --- PostgreSQL -------------------------------------------------------------------------------------------------------

ONE = [0.0, 1e-300, -1e-300, 1e-8, 0.3, -0.3, 0.75, 1.0, -1.0, 1.5, -2.5, 3.0, 20.0, -20.0, 40.0, 400.0, -400.0, 745.0, 800.0, -800.0, 1e15, -1e150, 1e300, -1e300, 1.7e308, -1.7e308, 5e-324, -1e-310]  # fmt: skip
TWO = [0.0, 1e-300, 0.3, -0.7, 2.0, -2.5, 20.0, 800.0, 1e200, -1e300, 1.7e308, -1.7e308, 5e-324]
THREE = [0.0, 1e-300, -0.7, 2.0, 800.0, -1e300, 1.7e308, 5e-324]


def _calls() -> Iterator[tuple[Primitive, str, list[str], list[tuple[float, ...]]]]:
    """Every elementwise row as a program, with its inputs and the points where it is evaluated."""
    for row in rules.rows():
        if row.kind == "elementwise" and not row.is_predicate and row.branches is None and not row.by_balls:
            params = [
                "1" if slope == UNDEFINED else f"{name}_" for name, slope in zip(row.params, row.partials, strict=True)
            ]
            names = [name for name in params if name != "1"]
            if not names:
                continue
            values = {1: ONE, 2: TWO, 3: THREE}[len(names)]
            yield row, _call(row, params), names, list(itertools.product(values, repeat=len(names)))


def _call(row: Primitive, params: Sequence[str]) -> str:
    if row.name.isidentifier():
        return f"{row.name}({', '.join(params)})"
    return f"{params[0]} {row.name} {params[1]}" if row.arity == 2 else f"{row.name}{params[0]}"


def test_postgresql_answers_for_every_row_of_the_table_tails_included(server: postgres.Server) -> None:
    script, calls = ["SET client_min_messages = error;"], list(_calls())
    for _, text, names, points in calls:
        script += [
            "DROP TABLE IF EXISTS data;",
            postgres.table("data", names, points),
            export(text, "sql") + ";",
            "SELECT 'end';",
        ]
    lines = iter(server.rows("\n".join(script)))
    wrong = list[str]()
    for row, text, names, points in calls:
        for line in iter(lambda: next(lines), ["end"]):
            *at, value = map(_number, line[: len(names) + 1])
            assert all(a is not None for a in at)
            point = {name: a or 0.0 for name, a in zip(names, at, strict=True)}
            true = autodiff.evaluate(text, point).value
            if (
                value is not None
                and math.isfinite(value)
                and (true is None or abs(value - true) > _error(row, at, true))
            ):
                wrong.append(f"{text} at {point}: {value}, not {true}")
            if (
                value is None
                and true is not None
                and all(1e-300 <= abs(a or 1.0) < 1e3 for a in at)
                and 1e-9 < abs(true) < 1e300
            ):
                wrong.append(f"{text} at {point}: nothing, not {true}")
        assert points
    assert not wrong, "\n".join(wrong[:20])


def _error(row: Primitive, at: Sequence[float | None], true: float) -> float:
    """How far the row's own bound, times what writing it out may cost, lets a value be from the exact one."""
    args = [1.0] * (row.arity - len(at)) + [a or 0.0 for a in at]
    ulps = templates.compiled(row.ulp_error[0], (*row.params, "w"))(*args, true)
    return 1e-9 * abs(true) + 1e-300 + (4 * ulps * math.ulp(true) if math.isfinite(ulps) else 1e-14)


def _number(text: str) -> float | None:
    return float(text) if text else None


def test_postgresql_gets_through_the_tails_of_a_sigmoid(server: postgres.Server) -> None:
    table = "DROP TABLE IF EXISTS data;" + postgres.table("data", ["x"], [[800.0], [-800.0], [0.5]])
    rows = server.rows(table + export("sigmoid(x)", "sql") + " ORDER BY x;")
    sums = server.rows(export("relu(ln(x))", "sql", total=True) + ";")
    assert [[float(n) for n in row] for row in rows] == [
        [-800.0, 0.0, 0.0], [0.5, pytest.approx(0.6224593312018546), pytest.approx(0.23500371220159449)], [800.0, 1.0, 0.0]
    ]  # fmt: skip
    assert sums == [["", ""]]
