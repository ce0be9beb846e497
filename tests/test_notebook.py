"""Notebooks: the magics run commands, pages and pictures are shown as such, and answers show themselves."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autodiff
from tests.support.command import PATIENCE

pytest.importorskip("IPython")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield from _shell()


def _shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    found: Any = InteractiveShell.instance()
    found.run_line_magic("load_ext", "autodiff")
    yield found
    found.history_manager.end_session()
    InteractiveShell.clear_instance()


def _shown(shell: Any, code: str) -> tuple[str, list[Any]]:
    """What a cell prints, and what it displays."""
    from IPython.utils import capture

    capture_output: Any = capture.capture_output
    with capture_output() as captured:
        assert shell.run_cell(code).success
    return captured.stdout + captured.stderr, [output.data for output in captured.outputs]


def test_a_line_runs_a_command(shell: Any) -> None:
    text, outputs = _shown(shell, '%autodiff eval "exp(sin(x^2))" --at x=4')
    assert text.splitlines() == ["f      0.7498340851945589", "df/dx  -5.744685762849454"]
    assert outputs == []


def test_a_cell_is_the_program(shell: Any) -> None:
    text, _ = _shown(shell, "%%autodiff eval -q --at x=4\ny = x^2\nexp(sin(y))")
    assert text == "0.7498340851945589 -5.744685762849454\n"


def test_rows_of_a_table_are_shown(shell: Any, tmp_path: Path) -> None:
    table, saved = tmp_path / "t.csv", tmp_path / "p.json"
    table.write_text("x,y\n1,2\n2,4\n")
    for command, rows in (
        (f'eval "x^2" --data {table} --keep', ["x,y,f,df/dx,status", "1,2,1,2,ok", "2,4,4,4,ok"]),
        (f'train "p = a*x; mse(y, p)" --data {table} --params a=2 --epochs 1 -q --save {saved}', ["0 2"]),
        (f'predict "p = a*x; mse(y, p)" --of p --data {table} --at @{saved}', ["p,status", "2,ok", "4,ok"]),
    ):
        text, outputs = _shown(shell, f"%autodiff {command}")
        assert text.splitlines() == rows
        assert outputs == []


def test_pages_and_pictures_are_shown(shell: Any) -> None:
    _, (page,) = _shown(shell, "%%autodiff explain --at x=4\nsin(x^2)")
    assert page["text/html"].startswith("<div><iframe srcdoc=")
    assert "<script" not in page["text/html"]
    _, (graph,) = _shown(shell, '%autodiff graph "sin(x^2)" --at x=4')
    assert graph["image/svg+xml"].startswith("<svg")
    _, (plot,) = _shown(shell, '%autodiff plot "abs(x)" --range x=-1..1')
    assert "svg" in plot["image/svg+xml"]
    text, outputs = _shown(shell, '%autodiff explain "x^2" --at x=1 --format markdown')
    assert text.startswith("#")
    assert outputs == []


def test_a_mistake_is_a_sentence(shell: Any) -> None:
    text, outputs = _shown(shell, '%autodiff eval "sin(x" --at x=4')
    assert text.startswith("error: this '(' is never closed")
    assert outputs == []


def test_values_of_cells_show_themselves(shell: Any) -> None:
    formats, _ = shell.display_formatter.format(autodiff.explain("sin(x^2)", {"x": 4.0}))
    assert formats["text/html"].startswith("<div><iframe")
    formats, _ = shell.display_formatter.format(autodiff.derivative("sin(x^2)", "x"))
    assert formats["text/latex"].startswith(r"$\displaystyle ")
    assert r"\cos" in formats["text/latex"]
    formats, _ = shell.display_formatter.format(autodiff.evaluate("abs(x)*y", {"x": 0.0, "y": 2.0}))
    assert "<tr><th>df/dx</th><td>none</td></tr>" in formats["text/html"]
    assert "corner" in formats["text/html"]


CELLS = [
    "%load_ext autodiff\nimport autodiff",
    '%autodiff eval "exp(sin(x^2))" --at x=4',
    "%%autodiff explain --at x=4\ny = x^2\nsin(y)",
    'p = autodiff.Program("y = x^2; sin(y)")\np.evaluate(x=4.0)',
    "p.explain(x=4.0)",
    'p.derivative("x")',
    "p.plot(x=(-2, 2))",
    'print(p(x=4.0)); p.compile()({"x": [1.0, 2.0]})',
]


def test_eight_cells_in_a_real_kernel() -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    v4: Any = importlib.import_module("nbformat.v4")
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3").execute()
    shown = [
        "".join(str(output.get("text", "")) + str(output.get("data", "")) for output in cell.outputs)
        for cell in notebook.cells
    ]
    assert shown[0] == ""
    assert "df/dx  -5.744685762849454" in shown[1]
    assert "<iframe srcdoc=" in shown[2]
    assert "<th>df/dx</th><td>-7.661275842587077</td>" in shown[3]
    assert "<iframe srcdoc=" in shown[4]
    assert "text/latex" in shown[5]
    assert "image/svg+xml" in shown[6]
    assert "-0.2879033166650653" in shown[7]
    assert "array([" in shown[7]


def test_what_a_notebook_cannot_run_is_an_error_that_says_so(shell: Any) -> None:
    for code, message in (
        ("%autodiff serve", "error: a page is served until it is stopped"),
        ('%autodiff eval "x*', "error: the line can't be read: no closing quotation"),
    ):
        text, _ = _shown(shell, code)
        assert text.startswith(message)
