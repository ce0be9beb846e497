"""The recipes of the page of internals, followed: an export target and a format of explanations are one module each.

The recipe of a function is followed in `tests/core/test_a_new_function.py`, that of a kind of number in
`tests/core/test_a_new_number_type.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autodiff.cli import explanation_output
from autodiff.codegen import registry
from autodiff.codegen.dialect import Dialect
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.codegen.targets.braces import Braces
from autodiff.core import rules
from autodiff.explanation.build import explain
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Explanation
from autodiff.render.document import blocks
from autodiff.render.document.compose import compose
from autodiff.render.document.writer import DocumentWriter


def _module(monkeypatch: pytest.MonkeyPatch, name: str, **names: Any) -> None:
    module = ModuleType(name)
    vars(module).update(names)
    monkeypatch.setitem(sys.modules, name, module)


SPELLING = Spelling(
    {**INFIX, **calls("{}", "sin cos exp ln:log sqrt abs known:is_known finite:is_finite", "^:pow")},
    "{0} ? {1} : {2}", ("&&", "||", "!"),
)  # fmt: skip

TARGET = Braces(
    Dialect("Braces", SPELLING, {}),
    ["if"],
    ascii_only=False,
    comment=("#", "#", ""),
    indent=" ",
    head=lambda name, row, inputs: [f"def {name}({', '.join(inputs)}) {{"],
    main=lambda block: [f"def gradient({', '.join(block.inputs)}) {{"],
    ending=lambda block: [f"return {', '.join(block.results)}"],
    variables=[("var", "", [False, True])],
    constant=("let", "let"),
)


def test_an_export_target_is_one_module_and_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _module(monkeypatch, "autodiff.codegen.targets.curly", write=TARGET.write)
    monkeypatch.setattr(registry, "TARGETS", (*registry.TARGETS, "curly"))
    source = registry.written(registry.requested("if(x > 0, sigmoid(x)*y, 0)", "curly"), "curly")
    assert "def gradient(x, y) {" in source
    assert "if (" in source
    assert f"# {rules.TABLE['sigmoid', 1].doc}" not in source
    assert "def sigmoid(u) {" in source  # what the target lacks is defined by the table's text


class PlainWriter(DocumentWriter):
    answer = " <"

    def words(self, text: str, tone: str = "") -> str:
        return text

    def code(self, text: str) -> str:
        return f"[{text}]"

    def formula(self, tex: str) -> str:
        return f"${tex}$"

    def number(self, number: blocks.NumberText) -> str:
        return str(number)

    def table(self, table: blocks.TableBlock) -> Iterable[str]:
        rows = [row for row in table.rows if isinstance(row, blocks.TableRow)]
        return [" | ".join(map(self.cell, row.cells)) for row in rows]

    def equation(self, equation: blocks.Equation) -> Iterable[str]:
        return [f"= {equation}"]

    def items(self, items: Sequence[blocks.Item]) -> Iterable[str]:
        return [f"- {item}" for item in items]

    def source(self, source: blocks.SourceLines) -> str:
        return str(source)

    def drawing(self, drawing: Drawing) -> Iterable[str]:
        return [f"{len(drawing.vertices)} vertices"]


def plain(explanation: Explanation) -> str:
    document, page = compose(explanation), PlainWriter()
    parts = [part for section in document.sections for block in section.blocks for part in page.block(block)]
    return "\n".join([page.cell(document.heading), *parts])


def test_a_format_of_explanations_is_one_module_with_a_function_of_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _module(monkeypatch, "autodiff.render.document.plain", plain=plain)
    explanation = explain("exp(sin(x^2))", {"x": 4.0})
    assert explanation_output.write(explanation, "plain", str(tmp_path / "page.plain")) == 0
    page = (tmp_path / "page.plain").read_text(encoding="utf-8")
    assert "vertices" in page
    assert "sine" in page
    assert " | " in page
