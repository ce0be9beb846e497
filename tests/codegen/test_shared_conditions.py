"""Exported programs whose conditions depend on each other: what is shared by branches, and how much is written."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess

import pytest

import autodiff
from tests.support.export import export

SHARED = [
    ("u=if(x>1,x,3); if(x>0,u,u^2)", [-1.0, 0.5, 2.0]),
    ("u=ln(x); v=if(x>2,u,x); if(x>0 and v>1,u*v,v)", [-1.0, 0.5, 1.5, 5.0]),
    ("s=sqrt(x); c=if(x>0,s,2); if(c>1,if(x>2,s,3),if(x>0.25,s^2,x))", [-1.0, 0.1, 0.5, 1.5, 5.0]),
    ("if(if(z<x,y,x)>z,z,sqrt(max(y*2,x*y)))", [0.5, 1.0, 2.5]),
]


def _wanted(text: str, at: float) -> tuple[dict[str, float], list[float]]:
    names = [name for name in ("z", "x", "y") if name in text]
    point = {name: at + 0.3 * k for k, name in enumerate(names)}
    answer = autodiff.evaluate(text, point)
    order = list(answer.gradient)
    return {name: point[name] for name in order}, [answer.value or 0.0, *(answer.gradient[n] or 0.0 for n in order)]


@pytest.mark.parametrize(("text", "places"), SHARED)
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_shared_equations_are_computed_in_each_branch(target: str, text: str, places: list[float]) -> None:
    for at in places:
        point, wanted = _wanted(text, at)
        names: dict[str, object] = {}
        exec(export(text, target), names)
        value, slopes = names["value_and_gradient"](*point.values())  # type: ignore[operator]
        assert [float(value), *map(float, slopes)] == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(("text", "places"), SHARED)
def test_shared_equations_are_computed_in_javascript_and_sql(text: str, places: list[float]) -> None:
    for at in places:
        point, wanted = _wanted(text, at)
        connection = sqlite3.connect(":memory:")
        connection.execute(f"CREATE TABLE data ({', '.join(point)})")
        connection.execute(f"INSERT INTO data VALUES ({', '.join('?' * len(point))})", list(point.values()))
        row = connection.execute(export(text, "sql")).fetchone()
        assert list(row[len(point) :]) == pytest.approx(wanted, rel=1e-14)
        if shutil.which("node"):
            call = f"valueAndGradient({', '.join(map(repr, point.values()))})"
            script = f"{export(text, 'javascript')} console.log(JSON.stringify({call}.flat()))"
            done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
            assert json.loads(done.stdout) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "target", "lines"),
    [
        ("max(gamma(x),y)", "sql", 1100),
        ("max(gamma(x),y,lgamma(x),digamma(y))", "sql", 1800),
        ("if(if(z<x,y,x)>z,z,sqrt(max(y*2,x*y)))", "c", 60),
        ("if(if(z<x,y,x)>z,z,sqrt(max(y*2,x*y)))", "sql", 200),
    ],
)
def test_conditions_on_conditions_are_written_once(text: str, target: str, lines: int) -> None:
    assert export(text, target).count("\n") < lines


@pytest.mark.parametrize("target", ["c", "python", "sql", "numpy"])
def test_a_chain_of_conditions_on_conditions_grows_by_as_much_with_each(target: str) -> None:
    def size(count: int) -> int:
        lines = ["u0 = x", *(f"u{k + 1} = if(u{k} > y, sqrt(u{k}) + y, max(u{k}*2, x*y))" for k in range(count))]
        return len(export("\n".join(lines), target))

    two, four, eight = size(2), size(4), size(8)
    assert eight - four < 3 * (four - two)
