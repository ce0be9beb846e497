"""An explanation as one page for a browser: formulas in MathML, the graph as SVG, and nothing from anywhere else.

The page runs no script and asks for nothing: its Content-Security-Policy forbids both. A step that is pointed at, or has
the keyboard's focus, highlights its arrow, and an arrow its steps, by CSS alone. The style sheet is `page.css`.

>>> from autodiff.explanation.build import explain
>>> page = html(explain("y = x^2; z = sin(y)", {"x": 4.0}))
>>> page[:15], page.count("<svg"), "<script" in page
('<!doctype html>', 1, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from itertools import islice

from autodiff.diagnostics import shown
from autodiff.errors import printable
from autodiff.explanation.model import Explanation
from autodiff.render.document import blocks
from autodiff.render.document.blocks import Cell, Inline, Words, across, answered, as_table, plain, sentence
from autodiff.render.document.compose import compose, drawing_of
from autodiff.render.document.mathml import mathml
from autodiff.render.graph.svg import DARK, LIGHT, svg

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_BRIEF = 4  # answers at the head of the page
_LONG = 40  # signs of the formula at the head from which on it is set smaller
_BESIDE, _STAYS = (
    480,
    640,
)  # pixels: the width up to which a drawing is beside a table, the height up to which it stays in view
_BROAD = 62  # signs in the columns of a table beside which there is no room


def html(explanation: Explanation) -> str:
    """The whole page."""
    document = compose(explanation)
    arrows = {(arrow.source, arrow.target): n for n, arrow in enumerate(drawing_of(explanation).arrows)}
    return "\n".join(_Page(document, {name: n for n, name in enumerate(document.places)}, arrows).all()) + "\n"


@dataclass(frozen=True, slots=True)
class _Page:
    """A document on a page: the numbers of its places and arrows in the drawing."""

    document: blocks.Document
    places: Mapping[str, int]
    arrows: Mapping[tuple[str, str], int]

    def all(self) -> Iterator[str]:
        question, heading = self.document.question, self.document.heading
        yield "<!doctype html>"
        yield '<html lang="en">'
        yield "<head>"
        yield '<meta charset="utf-8">'
        yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield '<meta name="color-scheme" content="light dark">'
        yield '<meta name="generator" content="autodiff">'
        yield f"<title>{_text(plain((*question, Words(' · '), *heading)))}</title>"
        yield f"<style>{_style()}{''.join(self.highlights())}</style>"
        yield "</head>"
        yield "<body>"
        yield "<main>"
        yield from self.header()
        yield from self.sections()
        yield "</main>"
        yield "</body>"
        yield "</html>"

    # --- the head ---------------------------------------------------------------------------------------------------

    def header(self) -> Iterator[str]:
        document = self.document
        kind = "long" if len(plain(document.heading)) > _LONG else "short"
        yield f'<header class="{kind}">'
        yield '<div class="heading">'
        yield f'<h1 class="scroll">{_cell(document.heading)}</h1>'
        yield f'<p class="asked">{_cell(document.question)}</p>'
        yield "</div>"
        if answers := self.answers():
            yield '<dl class="answers" aria-label="The answer in brief">'
            for answer in answers:
                name, value = _piece(answer.left), _cell(answered(answer))
                yield f"<div{self.hue(answer.place)}><dt>{name}</dt><dd>{value}</dd></div>"
            yield "</dl>"
        yield '<div class="program">'
        yield '<h2 class="label">Program</h2>'
        yield _source(document.program)
        yield from (f'<p class="reading">{_text(reading)}</p>' for reading in document.readings)
        yield "</div>"
        yield "</header>"

    def answers(self) -> list[blocks.Equation]:
        """The first answers, where the program is evaluated at a point."""
        equations = (
            block
            for section in self.document.sections
            for block in section.blocks
            if isinstance(block, blocks.Equations)
        )
        rows = (row for block in equations for row in block.rows if isinstance(row, blocks.Equation))
        return list(islice(rows, _BRIEF)) if self.document.point else []

    # --- sections ---------------------------------------------------------------------------------------------------

    def sections(self) -> Iterator[str]:
        """The sections; the graph and the table after it in one frame, beside each other where there is room."""
        number = 0
        open_pair = False
        for section in self.document.sections:
            counted = section.numbered
            number += counted
            if section.key == "graph":
                yield f'<div class="pair{self.pairing(section)}">'
                open_pair = True
            elif open_pair and not counted:
                yield "</div>"
                open_pair = False
            yield from self.section(section, str(number) if counted else "")
        if open_pair:
            yield "</div>"

    def pairing(self, graph: blocks.Section) -> str:
        """How the drawing and the table after it share the page: beside each other only where both are narrow."""
        following = self.document.sections[self.document.sections.index(graph) + 1 :][:1]
        tables = [part for section in following for part in section.blocks if isinstance(part, blocks.TableBlock)]
        drawn = "".join(svg(part.drawing) for part in graph.blocks if isinstance(part, blocks.GraphDrawing))
        box = re.search(r'viewBox="0 0 (\d+) (\d+)"', drawn)
        if box is None or not tables or int(box[1]) > _BESIDE or max(map(_breadth, tables)) > _BROAD:
            return ""
        return " beside stays" if int(box[2]) < _STAYS else " beside"

    def section(self, section: blocks.Section, number: str) -> Iterator[str]:
        subtitle = f' <span class="said">{_cell(section.subtitle)}</span>' if section.subtitle else ""
        count = f'<span class="number">{number}</span> ' if number else ""
        yield f'<section class="{section.key}" aria-labelledby="{section.key}">'
        yield f'<h2 id="{section.key}">{count}<span class="title">{_text(section.title)}</span>{subtitle}</h2>'
        for block in section.blocks:
            yield from self.block(block)
        yield "</section>"

    def block(self, block: blocks.DocumentBlock) -> Iterable[str]:
        match block:
            case blocks.TableBlock(about=about, note=note):
                return [*([f"<p>{_text(f'{about}: {note}')}</p>"] * bool(note)), *self.table(block)]
            case blocks.Equations(rows, as_rows):
                if as_rows:
                    return self.table(as_table(block))
                return [line for row in rows if isinstance(row, blocks.Equation) for line in self.equation(row)]
            case blocks.GraphDrawing(drawing):
                return ['<figure class="scroll">', svg(drawing), "</figure>"]
            case blocks.ItemList(items):
                return ["<ul>", *map(_item, items), "</ul>"]
            case blocks.SourceLines():
                return [_source(block)]
            case blocks.Paragraph(pieces):
                return [f"<p>{_cell(pieces)}</p>"]

    def equation(self, equation: blocks.Equation) -> Iterator[str]:
        yield f'<div class="derivation"{self.hue(equation.place)}>'
        yield f'<div class="left">{_piece(equation.left)}</div>'
        for right in equation.rights[:-1]:
            yield f'<div class="equals">=</div><div class="right scroll">{_cell(right)}</div>'
        yield f'<div class="equals">=</div><div class="right scroll final">{_cell(answered(equation))}</div>'
        yield "</div>"

    # --- tables -----------------------------------------------------------------------------------------------------

    def table(self, table: blocks.TableBlock) -> Iterator[str]:
        yield '<div class="scroll">'
        yield f'<table class="{table.kind or "plain"}" aria-label="{_attribute(table.about)}">'
        heads = (f'<th scope="col"{_kind(c.numeric)}>{_cell(c.head) or _hidden("step")}</th>' for c in table.columns)
        yield f"<thead><tr>{''.join(heads)}</tr></thead>"
        yield "<tbody>"
        for row in table.rows:
            yield from self.row(table, row)
        yield "</tbody>"
        yield "</table>"
        yield "</div>"

    def row(self, table: blocks.TableBlock, row: blocks.AnyRow) -> Iterator[str]:
        wide = len(table.columns)
        if isinstance(row, blocks.TableRow):
            arrow = self.arrows.get(row.arrow)
            place = self.places.get(row.place)
            linked = f' data-arrow="{arrow}" tabindex="0"' if arrow is not None else ""
            linked += f' data-place="{place}"' if place is not None and arrow is None else ""
            kind = ' class="answer"' if row.answer else ""
            cells = "".join(self.cells(table, row))
            yield f"<tr{kind}{linked}{self.hue(row.place)}>{cells}</tr>"
        elif isinstance(row, blocks.Omitted):
            yield f'<tr class="more"><td colspan="{wide}">{_text(str(row))}</td></tr>'
        else:
            kind, mark = ("total", _ANSWER) if isinstance(row, blocks.PathSum) else ("group", "")
            words = f"<span>{_cell(across(row))}{mark}</span>"
            yield f'<tr class="{kind}"><th scope="rowgroup" colspan="{wide}">{words}</th></tr>'

    def cells(self, table: blocks.TableBlock, row: blocks.TableRow) -> Iterator[str]:
        last = len(row.cells) - 1
        for at, (column, cell) in enumerate(zip(table.columns, row.cells, strict=True)):
            mark = _ANSWER if row.answer and at == last else ""
            label = f' data-label="{_attribute(plain(column.head))}"'
            inner = f"{_cell(cell)}{mark}"
            if at == 0:
                yield f'<th scope="row">{inner}</th>'
            else:
                yield f"<td{_kind(column.numeric)}{label}>{inner}</td>"

    def hue(self, place: str) -> str:
        """The colour of a place, as in the drawing."""
        at = self.places.get(place)
        return "" if at is None else f' style="--hue:var(--h{at % len(LIGHT)})"'

    def highlights(self) -> Iterator[str]:
        """A step that is pointed at highlights its arrow, and an arrow its steps; the same for places."""
        rows = [
            row for s in self.document.sections for p in s.blocks if isinstance(p, blocks.TableBlock) for row in p.rows
        ]
        shown = [row for row in rows if isinstance(row, blocks.TableRow)]
        arrows = (self.arrows.get(row.arrow) for row in shown)
        for n in dict.fromkeys(n for n in arrows if n is not None):
            yield (
                f"main:has([data-arrow='{n}']:is(:hover,:focus)) #drawing-arrow-{n} path{{stroke-width:4.5}}"
                f"main:has([data-arrow='{n}']:is(:hover,:focus)) #drawing-arrow-{n} .plate{{stroke:var(--hue);stroke-width:1.5}}"
                f"main:has(#drawing-arrow-{n}:hover) [data-arrow='{n}']{{background:var(--lit)}}"
            )
        places = (self.places.get(row.place) for row in shown if row.arrow not in self.arrows)
        for n in dict.fromkeys(n for n in places if n is not None):
            yield (
                f"main:has([data-place='{n}']:hover) #drawing-vertex-{n} rect{{fill-opacity:.3;stroke-width:3}}"
                f"main:has(#drawing-vertex-{n}:hover) [data-place='{n}']{{background:var(--lit)}}"
            )


_ANSWER = '<span class="mark">◀ answer</span>'


def _breadth(table: blocks.TableBlock) -> int:
    """How many signs the widest row of a table has."""
    rows = [row for row in table.rows if isinstance(row, blocks.TableRow)]
    widest = (max((len(plain(row.cells[at])) for row in rows), default=0) for at in range(len(table.columns)))
    return sum(widest)


def _style() -> str:
    sheet = (resources.files("autodiff.render.document") / "page.css").read_text(encoding="utf-8")
    return f"\n:root{{{_hues(LIGHT)}}}\n@media (prefers-color-scheme:dark){{:root{{{_hues(DARK)}}}}}\n{sheet}"


def _hues(colours: Sequence[str]) -> str:
    return ";".join(f"--h{n}:{colour}" for n, colour in enumerate(colours))


def _kind(numeric: bool) -> str:
    return ' class="numeric"' if numeric else ""


def _hidden(words: str) -> str:
    return f'<span class="hidden">{words}</span>'


def _item(item: blocks.Item) -> str:
    mark, cell = item.mark, sentence(item)
    sign = {"good": "✓", "bad": "✗", "doubt": "?"}.get(mark, "")
    spoken = {"good": "agrees: ", "bad": "does not agree: ", "doubt": "undecided: "}.get(mark, "")
    lead = f'<span class="sign {mark}" aria-hidden="true">{sign}</span>{_hidden(spoken)}' if sign else ""
    kind = "checked" if sign else "plain"
    return f'<li class="{kind}"><div>{lead}{_cell(cell)}</div></li>'


def _source(source: blocks.SourceLines) -> str:
    return f'<pre class="scroll" tabindex="0"><code>{_text(chr(10).join(source.lines))}</code></pre>'


# --- pieces -------------------------------------------------------------------------------------------------------------


def _cell(cell: Cell) -> str:
    return "".join(map(_piece, cell))


def _piece(piece: Inline) -> str:
    match piece:
        case Words(text, tone):
            return f'<span class="{tone}">{_text(text)}</span>' if tone else _text(text)
        case blocks.CodeText(text):
            return f"<code>{_text(text)}</code>"
        case blocks.Math(tex, line):
            return mathml(printable(tex)) if tex else f"<code>{_text(line)}</code>"
        case blocks.NumberText():
            return _number(piece)


def _number(number: blocks.NumberText) -> str:
    """A number with all its digits behind it; one without a sign begins where the others' digits do."""
    if number.value is None:
        return '<span class="none">none</span>'
    exact, text = shown(number.value), str(number).replace("inf", "∞")
    sign = " signed" if text.startswith("-") else ""
    return f'<data class="n{sign}" value="{exact}" title="{exact}">{text}</data>'


def _text(text: str) -> str:
    return escape(printable(text), quote=False)


def _attribute(text: str) -> str:
    return escape(printable(text))
