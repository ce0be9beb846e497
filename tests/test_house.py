"""The house: who may import whom, what start-up costs, and that only the table knows a derivative."""

from __future__ import annotations

import ast
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autodiff.calculus import rules

from .command import process

SOURCE = Path(__file__).parent.parent / "src" / "autodiff"
ROOMS = [
    "errors", "stdin", "whole", "typed", "language", "calculus", "numbers", "verify", "array_point", "array_gradient", "elements", "written_out", "point", "over", "answer", "hard", "proven_answer", "higher", "evaluation", "orders", "notation", "simplify", "single", "smooth", "formula", "checking",
    "explaining", "export", "data", "learn", "render", "cli",
]  # fmt: skip
"""From the ground up: a room imports only what stands before it."""

INSIDE = {
    "language": ["syntax", "tables", "words", "build", "elsewhere", "complaint", "parse", "grammar"],
    "calculus": [
        "ops", "prelude", "rules", "special", "graph", "lower", "algebra", "primal", "local", "forward", "reverse", "witness", "check",
        "suspects", "exact", "series", "beside", "corners", "taylor", "blame", "demand", "straight", "shapes", "flatten",
        "elementwise", "arrays", "array_needs", "array_values", "array_slopes", "array_sweeps", "array_suspects", "array_witness", "products", "tidy", "symbolic", "polynomial", "lengths", "shorter", "repeated", "provisos",
    ],
    "notation": ["write", "infix", "tex", "python", "parts"],
    "data": [
        "limits", "columns", "extra", "losses", "plan", "vector", "code", "exponential", "instructions", "assembly", "clibrary", "machine", "spare", "steps",
        "batch", "rows", "arrow", "blocks", "lines", "source", "sink", "stream",
    ],
    "checking": ["bounded", "points", "mistakes", "slips", "names", "symbols", "trials", "compare"],
}  # fmt: skip
"""The same inside some folders."""

ONLY_IN = {
    "click": ["cli"],
    "lark": ["language/grammar.py"],
    "latex2mathml": ["render/mathml.py"],
    "rich": ["render/table.py", "render/progress.py"],
    "numpy": [
        "calculus/elementwise.py",
        "calculus/array",
        "array_point.py",
        "array_gradient.py",
        "data/",
        "learn/",
        "render/training.py",
        "verify/random_rounding.py",
    ],
    "scipy": ["learn/quasi_newton.py"],
    "pyarrow": ["data/vector.py", "data/arrow.py"],
    "llvmlite": ["data/machine.py"],
    "flint": ["numbers/balls.py", "verify/digits.py", "verify/ball_series.py", "verify/beside.py"],
    "sympy": ["simplify.py"],
}


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def _files() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if path.name not in ("__init__.py", "__main__.py")]


@pytest.mark.parametrize("path", _files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_room_imports_only_what_stands_above_it(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert room in ROOMS, "a new room: give it its place in ROOMS"
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] != "autodiff":
            continue
        other = parts[1]
        if other not in ROOMS:
            continue
        assert ROOMS.index(other) <= ROOMS.index(room), f"{path.name} imports {name}"
        order = INSIDE.get(room)
        if other == room and order and len(parts) > 2 and path.stem in order:
            assert order.index(parts[2]) < order.index(path.stem), f"{path.name} imports {name}"


@pytest.mark.parametrize(("library", "places"), ONLY_IN.items())
def test_a_library_is_imported_in_one_place(library: str, places: list[str]) -> None:
    for path in _files():
        if library in {name.split(".")[0] for name in _imports(path)}:
            assert any(str(path.relative_to(SOURCE)).startswith(place) for place in places), path


def _loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


HEAVY = {"rich", "latex2mathml", "numpy", "importlib.metadata", "importlib.resources", "difflib"}


def test_import_costs_nothing() -> None:
    loaded = _loaded("import autodiff")
    assert not loaded & (HEAVY | {"lark", "click"})
    assert not any(name.startswith("autodiff.") for name in loaded)


@pytest.mark.parametrize("option", ["-q", "--strict"], ids=["quiet", "named"])
def test_one_shot_eval_loads_nothing_that_it_does_not_use(option: str) -> None:
    code = f"from autodiff.cli.main import run; assert run(['eval', {option!r}, 'exp(sin(x^2))', '--at', 'x=4']) == 0"
    loaded = _loaded(code) - _loaded("import click; click.Command('none').main([], standalone_mode=False)")
    assert not loaded & (HEAVY | {"lark", "dataclasses", "json", "pathlib", "fractions", "decimal", "unicodedata"})
    rooms = {name.removeprefix("autodiff.") for name in loaded if name.startswith("autodiff.")}
    assert not rooms & {
        "calculus.corners",
        "language.grammar",
        "render.table",
        "render.terminal",
        "cli.functions",
        "cli.rows",
    }
    assert not any(room.startswith("data") for room in rooms)
    assert not rooms & {"orders", "formula", "calculus.taylor", "calculus.tidy", "render.matrix"}


@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
def test_explain_in_a_pipe_loads_nothing_that_it_does_not_use(mode: str) -> None:
    code = f"from autodiff.cli.main import run; assert run(['explain', 'exp(sin(x^2))', '--at', 'x=4', '--mode', {mode!r}]) == 0"
    loaded = _loaded(code) - _loaded("import click; click.Command('none').main([], standalone_mode=False)")
    assert not loaded & (HEAVY | {"lark", "json", "shutil", "pathlib", "sympy", "html"})
    rooms = {name.removeprefix("autodiff.") for name in loaded if name.startswith("autodiff.")}
    assert not rooms & {
        "calculus.corners",
        "render.html",
        "render.latex",
        "render.markdown",
        "render.terminal",
        "render.document",
        "export",
    }


def test_eval_on_a_terminal_does_not_load_rich() -> None:
    controller, screen = pty.openpty()
    code = "import sys; from autodiff.cli.main import run; run(['eval', 'x^2', '--at', 'x=4']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], stdout=screen, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(screen)
    assert os.read(controller, 100).split() == [b"f", b"16", b"df/dx", b"8"]
    os.close(controller)
    assert not set(done.stderr.split()) & HEAVY


@pytest.mark.parametrize("words", ["['explain', 'abs(x)', '--at', 'x=0']", "['graph', 'x^2']", "['eval', 'sine(x)']"])
def test_colours_do_not_load_rich(words: str) -> None:
    loaded = _loaded(f"from autodiff.cli.main import run; run([*{words}, '--color', 'always'])")
    assert "autodiff.render.terminal" in loaded
    assert not any(name.startswith("rich") for name in loaded)


def test_a_start_makes_no_enumeration_of_signals() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "autodiff", "eval", "-q", "x", "--at", "x=1"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "1 1\n"
    assert "autodiff.evaluation" in done.stderr
    assert not re.search(r"\| +signal$", done.stderr, re.MULTILINE)


def test_the_process_ends_with_the_status_and_all_that_was_said() -> None:
    done = process("eval", "ln(x)", "--at", "x=-1")
    assert (done.status, done.out) == (3, "")
    assert "needs x > 0" in done.err
    assert process("eval", "x", "--at", "x=1", "--format", "json").out.endswith("}\n")


def test_no_function_is_named_outside_the_table() -> None:
    names = {name for row in rules.rows() for name in row.names if name.isidentifier() and len(name) > 1}
    comparison = re.compile(
        rf"""[!=]=\s*["']({"|".join(sorted(names))})["']|name in \(["']({"|".join(sorted(names))})"""
    )
    for path in _files():
        if path.name != "rules.py":
            assert not comparison.search(path.read_text(encoding="utf-8")), path
