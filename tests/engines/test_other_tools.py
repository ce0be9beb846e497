"""What is computed elsewhere: programs, functions and answers pickle, and the manual's examples for other tools run."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as package
from autodiff.core.lowering import lower
from tests.support import pages
from tests.support.command import PATIENCE

PAGE = (pages.MANUAL / "scale.md").read_text(encoding="utf-8")


def _again(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize(
    "text", ["y = x^2; sin(y)", "a(t) = t^2\na(x) + 1/2x", "+".join(["x"] * 50_000), "(" * 20_000 + "x" + ")" * 20_000]
)
def test_a_program_pickles_as_its_text(text: str) -> None:
    program = package.parse(text)
    again = _again(program)
    assert (again.source, again.readings, again.given) == (program.source, program.readings, program.given)
    assert len(again.statements) == len(program.statements)
    assert len(lower(again).graph) == len(lower(program).graph)
    assert len(pickle.dumps(program)) < 2 * len(text) + 300


def test_a_name_that_is_given_is_still_given() -> None:
    assert lower(_again(package.parse("e^x", given=["e"]))).inputs == ("e", "x")
    assert lower(_again(package.parse("e^x"))).inputs == ("x",)


def test_a_compiled_function_pickles_as_its_text() -> None:
    columns = {"x": np.linspace(-1, 3, 1000), "y": np.linspace(1, 2, 1000)}
    for wrt, exact in ((None, False), (["y"], True)):
        made = package.compile("ln(x)*y + sin(x^3)", wrt, exact=exact)
        here, there = made.batch(**columns), _again(made).batch(**columns)
        assert here.value.tobytes() == there.value.tobytes()
        assert list(here.gradient) == list(there.gradient)
        assert all(here.gradient[name].tobytes() == there.gradient[name].tobytes() for name in here.gradient)
        assert here.hard == there.hard == _again(here).hard
        assert len(pickle.dumps(made)) < 200


def test_answers_pickle() -> None:
    point = {"x": 4.0}
    for answer in (
        package.evaluate("exp(sin(x^2))", point),
        package.evaluate("abs(x)", {"x": 0.0}),
        package.evaluate("x/3", point, digits=30),
        package.hessian("x*y^2", {"x": 1.0, "y": 2.0}),
        package.derivative("exp(sin(x^2))", "x"),
        package.explain("exp(sin(x^2))", point),
    ):
        assert _again(answer) == answer
    found = package.fit("a*x", {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 6.0]}, "y", {"a": 1.0})
    assert _again(found).to_dict() == found.to_dict()
    assert _again(found).by_row.fitted.tolist() == found.by_row.fitted.tolist()
    with pytest.raises(package.AutodiffError) as error:
        package.evaluate("sine(x)", point)
    assert str(_again(error.value)) == str(error.value)


@pytest.mark.parametrize(
    ("tool", "module"), [("Dask", "distributed"), ("joblib", "joblib"), ("multiprocessing", "pandas")]
)
def test_the_manuals_examples_for_other_tools_run(tool: str, module: str, tmp_path: Path) -> None:
    for needed in (module, "pandas"):
        pytest.importorskip(needed)
    example = re.search(rf"(?:with|With) {tool}:\n\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert example
    assert len(example[1].splitlines()) <= 13
    (tmp_path / "parts").mkdir()
    for k in (1, 2, 3):
        (tmp_path / "parts" / f"{k}.csv").write_text(f"x,y\n{k},1\n-1,2\n")
    (tmp_path / "example.py").write_text(example[1])
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    shown = re.search(r"print\(.*\)  # (.*)", example[1])
    assert shown
    assert done.stdout.strip() == shown[1], done.stderr
