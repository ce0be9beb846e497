"""An explanation as one page for a browser: formulas in MathML, the graph as SVG, and nothing that is loaded from elsewhere.

The page runs no script and sends no request: its Content-Security-Policy forbids both. A step that is pointed at, or has
the keyboard's focus, highlights its arrow, and an arrow its steps, by CSS alone. The style sheet is `page.css`.

>>> from autodiff.explanation.build import explain
>>> page = html(explain("y = x^2; z = sin(y)", {"x": 4.0}))
>>> page[:15], page.count("<svg"), "<script" in page
('<!doctype html>', 1, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from itertools import islice

from autodiff.diagnostics import shown
from autodiff.errors import printable
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Explanation
from autodiff.render.document import blocks
from autodiff.render.document.blocks import Cell, answered, plain, sentence
from autodiff.render.document.compose import compose, drawing_of
from autodiff.render.document.mathml import mathml
from autodiff.render.document.writer import DocumentWriter
from autodiff.render.graph.svg import DARK, LIGHT, svg

_MARKS = {"good": ("✓", "agrees: "), "bad": ("✗", "does not agree: "), "doubt": ("?", "undecided: ")}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_BRIEF = 4  # answers at the head of the page
_LONG = 40  # signs of the formula at the head from which on it is set smaller
_WIDE = 24  # signs of a heading from which on it may not fit a phone
_BESIDE = 480  # pixels: the width up to which a drawing is beside a table
_STAYS = 640  # pixels: the height up to which it stays in view
_BROAD = 62  # signs in the columns of a table beside which there is no room


def html(explanation: Explanation) -> str:
    """The whole page."""
    document, drawing = compose(explanation), drawing_of(explanation)
    arrows = {(arrow.source, arrow.target): n for n, arrow in enumerate(drawing.arrows)}
    page = _Page(document, {name: n for n, name in enumerate(document.places)}, arrows, svg(drawing))
    return "\n".join(page.all()) + "\n"


@dataclass(frozen=True, slots=True)
class _Page(DocumentWriter):
    """A document on a page: the numbers of its places and arrows in the drawing, and the drawing as SVG."""

    document: blocks.Document
    places: Mapping[str, int]
    arrows: Mapping[tuple[str, str], int]
    drawn: str

    answer = '<span class="mark">◀ answer</span>'

    def all(self) -> Iterator[str]:
        title = plain((*self.document.question, " · ", *self.document.heading))
        yield f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="autodiff">
<title>{self.words(title)}</title>
<style>{_style()}{"".join(self.highlights())}</style>
</head>
<body>
<main>"""
        yield from self.header()
        yield from self.sections()
        yield "</main>\n</body>\n</html>"

    # --- the head ---------------------------------------------------------------------------------------------------

    def header(self) -> Iterator[str]:
        document = self.document
        kind = "long" if len(plain(document.heading)) > _LONG else "short"
        yield f'<header class="{kind}">'
        yield '<div class="heading">'
        yield f'<h1 class="scroll" tabindex="0" aria-label="{escape(printable(plain(document.heading)))}">{self.cell(document.heading)}</h1>'
        yield f'<p class="asked">{self.cell(document.question)}</p>'
        yield "</div>"
        if answers := self.answers():
            yield '<dl class="answers" aria-label="The answer in brief">'
            for answer in answers:
                name, value = self.piece(answer.left), self.cell(answered(answer))
                yield f"<div{self.hue(answer.place)}><dt>{name}</dt><dd>{value}</dd></div>"
            yield "</dl>"
        yield '<div class="program">'
        yield '<h2 class="label">Program</h2>'
        yield self.source(document.program)
        yield from (f'<p class="reading">{self.words(reading)}</p>' for reading in document.readings)
        yield "</div>"
        yield "</header>"

    def answers(self) -> list[blocks.Equation]:
        """The first answers, where the program is evaluated at a point."""
        parts = (part for section in self.document.sections for part in section.blocks)
        rows = (row for part in parts if isinstance(part, blocks.Equations) for row in part.rows)
        equations = (row for row in rows if isinstance(row, blocks.Equation))
        return list(islice(equations, _BRIEF)) if self.document.point else []

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
        box = re.search(r'viewBox="0 0 (\d+) (\d+)"', self.drawn)
        if box is None or not tables or int(box[1]) > _BESIDE or max(map(_breadth, tables)) > _BROAD:
            return ""
        return " beside stays" if int(box[2]) < _STAYS else " beside"

    def section(self, section: blocks.Section, number: str) -> Iterator[str]:
        subtitle = f' <span class="said">{self.cell(section.subtitle)}</span>' if section.subtitle else ""
        count = f'<span class="number">{number}</span> ' if number else ""
        yield f'<section class="{section.key}" aria-labelledby="{section.key}">'
        yield f'<h2 id="{section.key}">{count}<span class="title">{self.words(section.title)}</span>{subtitle}</h2>'
        for block in section.blocks:
            yield from self.block(block)
        yield "</section>"

    def drawing(self, drawing: Drawing) -> list[str]:
        return ['<figure class="scroll" tabindex="0">', self.drawn, "</figure>"]

    def items(self, items: Sequence[blocks.Item]) -> list[str]:
        return ["<ul>", *map(self.item, items), "</ul>"]

    def item(self, item: blocks.Item) -> str:
        sign, spoken = _MARKS.get(item.mark, ("", ""))
        lead = f'<span class="sign {item.mark}" aria-hidden="true">{sign}</span>{_hidden(spoken)}' if sign else ""
        return f'<li class="{"checked" if sign else "plain"}"><div>{lead}{self.cell(sentence(item))}</div></li>'

    def paragraph(self, cell: Cell) -> str:
        return f"<p>{self.cell(cell)}</p>"

    def source(self, source: blocks.SourceLines) -> str:
        return f'<pre class="scroll" tabindex="0">{self.code(chr(10).join(source.lines))}</pre>'

    def equation(self, equation: blocks.Equation) -> Iterator[str]:
        yield f'<div class="derivation"{self.hue(equation.place)}>'
        yield f'<div class="left">{self.piece(equation.left)}</div>'
        for right in equation.rights[:-1]:
            yield f'<div class="equals">=</div><div class="right scroll">{self.cell(right)}</div>'
        sign = "=" if equation.exists else ""
        yield f'<div class="equals">{sign}</div><div class="right scroll final">{self.cell(answered(equation))}</div>'
        yield "</div>"

    # --- pieces -----------------------------------------------------------------------------------------------------

    def words(self, text: str, tone: str = "") -> str:
        content = escape(printable(text), quote=False)
        return f'<span class="{tone}">{content}</span>' if tone else content

    def code(self, text: str) -> str:
        return f"<code>{self.words(text)}</code>"

    def formula(self, tex: str) -> str:
        return mathml(printable(tex))

    def number(self, number: blocks.NumberText) -> str:
        """A number with all its digits behind it; one without a sign begins where the others' digits do."""
        if number.value is None:
            return '<span class="none">none</span>'
        exact, text = shown(number.value), str(number)
        sign = " signed" if text.startswith("-") else ""
        return f'<data class="n{sign}" value="{exact}" title="{exact}">{text}</data>'

    # --- tables -----------------------------------------------------------------------------------------------------

    def table(self, table: blocks.TableBlock) -> Iterator[str]:
        yield '<div class="scroll" tabindex="0">'
        yield f'<table class="{table.kind or "plain"}" aria-label="{escape(table.about)}">'
        heads = (
            f'<th scope="col"{_kind(c.numeric)}>{self.cell(c.head) or _hidden("step")}</th>' for c in table.columns
        )
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
            yield f'<tr class="more"><td colspan="{wide}">{self.across(row)}</td></tr>'
        else:
            kind = "total" if isinstance(row, blocks.PathSum) else "group"
            words = f"<span>{self.across(row)}</span>"
            yield f'<tr class="{kind}"><th scope="rowgroup" colspan="{wide}">{words}</th></tr>'

    def cells(self, table: blocks.TableBlock, row: blocks.TableRow) -> Iterator[str]:
        last = len(row.cells) - 1
        for at, (column, cell) in enumerate(zip(table.columns, row.cells, strict=True)):
            label = f' data-label="{escape(printable(plain(column.head)))}"'
            inner = f"{self.cell(cell)}{self.answer * (row.answer and at == last)}"
            if at == 0:
                words = escape(printable(plain(cell)))
                keys = ' tabindex="0"' if len(words) > _WIDE else ""
                text = f'{_hidden(words)}<span aria-hidden="true">{inner}</span>' if "<math" in inner else inner
                yield f'<th scope="row"{keys}>{text}</th>'
            else:
                yield f"<td{_kind(column.numeric)}{label}>{inner}</td>"

    def hue(self, place: str) -> str:
        """The colour of a place, as in the drawing."""
        at = self.places.get(place)
        return "" if at is None else f' style="--hue:var(--h{at % len(LIGHT)})"'

    def highlights(self) -> Iterator[str]:
        """A step that is pointed at highlights its arrow, and an arrow its steps; the same for places."""
        parts = (part for section in self.document.sections for part in section.blocks)
        rows = (row for part in parts if isinstance(part, blocks.TableBlock) for row in part.rows)
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
