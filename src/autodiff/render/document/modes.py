"""The sections of forward mode and of both modes side by side: every place with its tangents, and its adjoint."""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.explanation.model import Explanation, FormulaText, ModeRow
from autodiff.render.document import blocks
from autodiff.render.document.blocks import (
    Cell,
    Column,
    Item,
    Paragraph,
    Section,
    TableBlock,
    TableRow,
    Words,
    shortened_rows,
)
from autodiff.render.document.formulas import Leibniz, many, numbered
from autodiff.render.text.labels import fitted

_PLACES = (Column(("node",)), Column(("value",), numeric=True))


def both_modes(explanation: Explanation, limits: blocks.Limits) -> Section:
    names, d = list(explanation.rows[0].tangents), Leibniz(explanation.partial)
    single, sign = len(names) == 1, d.sign.pretty
    tangents = (
        Column(
            ("forward ↓ ", _by(d, name)), numeric=True, brief=f"↓ {sign}/{sign}{fitted(name, 8)}",
            optional="" if single else "tangents",
        )
        for name in names
    )  # fmt: skip
    brief = f"↑ {sign}{fitted(explanation.result, 6)}/{sign}·"
    columns = [*_PLACES, *tangents, Column(("backward ↑ ", _of(explanation)), numeric=True, brief=brief)]
    columns += [Column(("product",), numeric=True, optional="products")] if single else []

    def place(row: ModeRow) -> TableRow:
        adjoint, rates = adjoint_at(explanation, row), [row.tangents[name] for name in names]
        product = [None if rates[0] is None or adjoint is None else rates[0] * adjoint] if single else []
        return TableRow(numbered(row.name, [row.value, *rates, adjoint, *product]), row.name)

    rows = shortened_rows(place, explanation.rows, "places", limits.rows)
    table = TableBlock(tuple(columns), rows, "both modes side by side", "modes")
    sentence = "the same slopes on the way up and on the way down"
    return Section("modes", "Both modes", (sentence,), (table, _reading(explanation)), "BOTH")


def _by(d: Leibniz, name: str) -> FormulaText:
    sign = d.sign
    return FormulaText(f"d/d{name}", f"{sign.pretty}/{sign.pretty}{name}", f"{sign.tex}/{d.differential(name)}")


def _of(explanation: Explanation) -> FormulaText:
    d, result = Leibniz(explanation.partial), explanation.result
    sign = d.sign
    tex = rf"{d.differential(result)}/{sign.tex}\cdot"
    return FormulaText(f"d{result}/d·", f"{sign.pretty}{result}/{sign.pretty}·", tex)


def adjoint_at(explanation: Explanation, row: ModeRow) -> float | None:
    """The adjoint of a place; an input at a special point has none, though the sweep has a number for it."""
    unsloped = any(side.name == row.name and side.status != "ok" for side in explanation.sides)
    return None if unsloped and not explanation.convention else row.adjoint


def _reading(explanation: Explanation) -> blocks.ItemList:
    cost, sign = explanation.cost, Leibniz(explanation.partial).sign.pretty
    down = f"forward mode carries {sign}/{sign}· beside each value (a dual number), one sweep per input."
    spent = (
        f"{many(cost.inputs, 'input')}, 1 output: forward {many(cost.forward_sweeps, 'sweep')} and "
        f"{many(cost.forward_products, 'product')}, reverse {many(cost.reverse_sweeps, 'sweep')} and "
        f"{many(cost.reverse_products, 'product')}."
    )
    up: Cell = ("reverse mode carries ", _of(explanation), " back from the result, one sweep for all inputs.")
    items = [
        Item((down,), label="Read down:"),
        Item(up, label="Read up:"),
        Item((spent,), label="Cost:"),
        Item(("With 1000 inputs: forward 1000 sweeps, reverse 1.",)),
        *(Item((f"{words}.",)) for words in _not_computed(explanation)),
    ]
    return blocks.ItemList(tuple(items))


def _not_computed(explanation: Explanation) -> Iterator[str]:
    more = len(explanation.wrt) - len(explanation.rows[0].tangents)
    if more > 0:
        yield f"{many(more, 'more column')} of tangents not made"


def forward_mode(explanation: Explanation, limits: blocks.Limits) -> Section:
    names, d = list(explanation.rows[0].tangents), Leibniz(explanation.partial)
    sign = d.sign.pretty
    heads = (
        Column((_by(d, name),), numeric=True, brief=f"{sign}/{sign}{fitted(name, 9)}", optional="tangents")
        for name in names
    )

    def place(row: ModeRow) -> TableRow:
        return TableRow(numbered(row.name, [row.value, *(row.tangents[name] for name in names)]), row.name)

    rows = shortened_rows(place, explanation.rows, "places", limits.rows)
    table = TableBlock((*_PLACES, *heads), rows, "values and tangents", "modes")
    rest = (Paragraph((Words(words, "quiet"),)) for words in _not_computed(explanation))
    return Section("modes", "Tangents", ("forward mode: each number and its slope, on the way up",), (table, *rest))
