"""An explanation as lines of text, each a run of pieces with a style: plain for pipes, coloured by `terminal`.

The layout is made once, for a width: from 90 columns on with every column of the table, from 70 on without the last one,
below that a step on several lines. No number is ever cut; formulas and names are, in the middle, where they must be.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from autodiff.calculus.blame import shown
from autodiff.errors import columns, printable
from autodiff.explain.checks import digits
from autodiff.explain.model import (
    Beside,
    Block,
    Cancelling,
    Difference,
    Explanation,
    Factor,
    Place,
    Side,
    Slope,
    Step,
    Text,
)
from autodiff.render.drawing_text import pieces as drawn
from autodiff.render.elide import elide
from autodiff.render.labels import ascii_only, fitted
from autodiff.render.numbers import eight

Piece = tuple[str, str]
"""A run of text and its style: "", "title", "head", "dim", "good", "bad", "answer", or "@name" for a place's colour."""

Line = tuple[Piece, ...]

WIDEST, NARROWEST = 100, 40
_ENDS = 10  # lines that are shown at either end of a list that is too long
_STEPS = 30  # steps that are shown of all blocks together, at either end
_VERTICES = 14  # vertices of the drawing inside an explanation
_MARGIN = 3

_ASCII = {"◀": "<-", "✓": "ok", "✗": "no", "×": "*", "⋮": ":", "↓": "down", "↑": "up", "─": "-", "—": "-", "→": "->", "∞": "inf", "±": "+-", "·": "*"}  # fmt: skip


def text(explanation: Explanation, width: int = WIDEST, *, unicode: bool = True) -> str:
    """The whole explanation as plain text."""
    return "\n".join(
        "".join(words for words, _ in line).rstrip() for line in lines(explanation, width, unicode=unicode)
    )


def lines(explanation: Explanation, width: int = WIDEST, *, unicode: bool = True) -> list[Line]:
    """The explanation, laid out: lines of at most `width` columns, but for a number that is longer."""
    page = _Page(explanation, max(NARROWEST, min(width, WIDEST)), unicode)
    found = list(page.all())
    return found if unicode else [tuple((_in_ascii(words), style) for words, style in line) for line in found]


def _in_ascii(words: str) -> str:
    for sign, replacement in _ASCII.items():
        words = words.replace(sign, replacement)
    return ascii_only(words)


@dataclass(frozen=True, slots=True)
class _Page:
    """An explanation on a page of a given width."""

    it: Explanation
    width: int
    unicode: bool

    def all(self) -> Iterator[Line]:
        yield from self.title()
        blocks = [
            self.forward(),
            self.graph(),
            self.middle(),
            self.answer(),
            self.notices(),
            self.checked(),
            self.means(),
        ]
        for block in blocks:
            made = list(block)
            if made:
                yield ()
                yield from made

    def formula(self, formula: Text) -> str:
        return printable(formula.pretty if self.unicode else formula.formula)

    def slope(self, name: str) -> str:
        return f"d{self.it.result}/d{name}"

    # --- the head ---------------------------------------------------------------------------------------------------

    def title(self) -> Iterator[Line]:
        it = self.it
        whole = self.formula(it.title)
        made = f"{it.result} = {whole}" if whole else f"{it.result}, a program of {len(it.forward)} steps"
        where = f"{self.listed([self.slope(n) for n in it.wrt], 3)}{self.where()}"
        room = self.width - 2 - columns(where)
        if columns(made) + 3 > room:
            yield (" ", ""), (fitted(made, self.width - 1), "title")
            yield (" ", ""), (fitted(where, self.width - 1), "dim")
        else:
            yield (" ", ""), (made, "title"), (" " * (room - columns(made)), ""), (where, "dim")

    def where(self) -> str:
        """` at x = 4`: the point, if its numbers are few."""
        at = self.it.at
        if not at:
            return ""
        known = [f"{name} = {shown(value)}" for name, value in at.items()]
        return f" at {', '.join(known)}" if len(known) == 1 or sum(map(len, known)) < 30 else ""

    def listed(self, names: Sequence[str], most: int) -> str:
        more = f" and {len(names) - most} more" if len(names) > most else ""
        if len(names) == 2:
            return " and ".join(names)
        return ", ".join(names[:most]) + more

    def head(self, title: str, said: str = "") -> Line:
        return (" ", ""), (f"{title:<13}", "head"), (fitted(said, self.width - 15) if said else "", "")

    # --- 1 forward ----------------------------------------------------------------------------------------------------

    def forward(self) -> Iterator[Line]:
        it = self.it
        tangents = it.mode == "forward" and bool(it.rows)
        said = "put the numbers in, inside out" if it.at is not None else "how the result is made, inside out"
        yield self.head("1 FORWARD", said)
        places = [p for p in it.forward if p.kind != "held"] if len(it.forward) > 2 * _ENDS else list(it.forward)
        made = [(p, self.made(p)) for p in places]
        wide = max((columns(words) for _, words in made), default=0)
        does = max((len(p.does) for p in places), default=0)
        room = self.width - _MARGIN - 18
        narrow = self.width < 70 or tangents
        wide = min(wide, room - (0 if narrow else min(does, 20) + 3))
        for row in _ends([(place, words) for place, words in made]):
            if isinstance(row, int):
                yield ((f"   ⋮ {row:,} more steps", "dim"),)
                continue
            place, words = row
            words = fitted(words, wide)
            note = "" if narrow else f"   {place.does:<{does}}"
            value = place.why if place.value is None else _signed(place.value)
            pad = " " * (wide - columns(words))
            yield (" " * _MARGIN, ""), (words, f"@{place.name}"), (f"{pad}{note}   ", "dim"), (value, "")

    def made(self, place: Place) -> str:
        """`y = x^2`, or only the name of an input."""
        if place.kind in ("input", "held"):
            return printable(place.name)
        return printable(f"{place.name} = {place.text}" if place.text else place.name)

    # --- 2 graph ------------------------------------------------------------------------------------------------------

    def graph(self) -> Iterator[Line]:
        drawing = self.it.drawing
        slopes = any(arrow.slope for arrow in drawing.arrows)
        yield self.head("2 GRAPH", "each arrow carries its local slope" if slopes else "")
        small = drawing if len(drawing.vertices) <= _VERTICES else elide(drawing, _VERTICES).drawing
        for line in drawn(small, self.width - _MARGIN, unicode=self.unicode):
            yield (" " * _MARGIN, ""), *((words, f"@{owner}" if owner else "") for words, owner in line)

    # --- 3 backward, or another table -----------------------------------------------------------------------------------

    def middle(self) -> Iterator[Line]:
        it = self.it
        if it.status == "domain" and it.value is None:
            return
        if it.at is not None and it.value is None:
            return
        if any(side.status != "ok" or it.convention for side in it.sides) or it.sides:
            yield from self.hard()
        if it.mode == "both" and it.rows and it.wrt:
            yield from self.both()
        elif it.mode == "forward" and it.rows:
            yield from self.trace()
        elif it.blocks:
            yield from self.backward()

    def backward(self) -> Iterator[Line]:
        blocks = self.it.blocks
        yield self.head("3 BACKWARD", self.road())
        yield from self.table_head()
        if not blocks[0].path:
            yield from self.step(self.start())
            yield from self.steps(blocks[0].steps, _ENDS)
            return
        mine: dict[str, list[Block]] = {}
        for block in blocks:
            mine.setdefault(block.to, []).append(block)
        for name in _ends(list(mine), 3):
            if isinstance(name, int):
                yield ((f"   ⋮ {name:,} more names, each with its own paths", "dim"),)
            else:
                yield from self.paths(name, mine[name], _STEPS // sum(len(mine[n]) for n in list(mine)[:6]))

    def road(self) -> str:
        """How the chain rule goes here, in a sentence."""
        it = self.it
        first = it.blocks[0]
        if first.path:
            slope = next(s for s in it.slopes if s.name == first.to)
            return f"so {self.slope(first.to)} is the SUM over the {slope.paths:,} path{'s' * (slope.paths != 1)}"
        forked = [step for step in first.steps if not step.label.isdigit()]
        if not forked:
            product = "each step multiplies by one local slope"
            return f"start from d{it.result}/d{it.result} = 1; {product}"
        shared = len([step for step in first.steps if step.label.isdigit()])
        at = forked[0].factor.of
        names = [s.name for s in it.slopes if s.paths]
        begin = f"steps 1-{shared} are shared; " if shared > 1 else "step 1 is shared; " if shared else ""
        return f"{begin}at {at} the road forks, to {self.listed(names, 6)}"

    def start(self) -> Step:
        it = self.it
        one = None if it.at is None else 1.0
        words = self.slope(it.result)
        return Step("0", Factor(it.result, it.result, "start", Text(words, words, ""), one), one, True)

    def sizes(self) -> tuple[int, int, int]:
        """The widths of the columns label, rule and local slope."""
        steps = [step for block in self.it.blocks for step in block.steps[:200]]
        label = max((columns(step.label) for step in steps), default=1)
        rule = min(max((len(step.factor.rule) for step in steps), default=5), 22)
        numbers = 0 if self.it.at is None else 26
        last = 18 if self.width >= 90 else 2
        room = self.width - _MARGIN - label - rule - numbers - last - 6
        slope = max((columns(self.local(step.factor)) for step in steps), default=8)
        return label, max(rule, 5), max(min(slope, room), 11)

    def local(self, factor: Factor) -> str:
        words = self.formula(factor.slope)
        return (
            f"d{factor.of}/d{factor.by} = {words}"
            if words and factor.rule != "start"
            else words or f"d{factor.of}/d{factor.by}"
        )

    def table_head(self) -> Iterator[Line]:
        if self.width < 70:
            return
        label, rule, slope = self.sizes()
        words = f"{'':{label}}  {'rule':<{rule}}  {'local slope':<{slope}}"
        if self.it.at is not None:
            words += f"   {'its value':<12} {'so far':<12}"
        if self.width >= 90:
            words += " which is" if self.it.at is not None else "  which is"
        yield (" " * _MARGIN, ""), (words, "dim")
        yield (" " * _MARGIN, ""), ("─" * (self.width - _MARGIN), "dim")

    def steps(self, steps: Sequence[Step], ends: int, total: str = "") -> Iterator[Line]:
        """The lines of a chain, so many at either end; `total` says what the last product is."""
        for row in _ends(steps, max(1, min(ends, _ENDS))):
            if isinstance(row, int):
                yield ((f"   ⋮ {row:,} more steps", "dim"),)
            else:
                yield from self.step(row, total if row is steps[-1] else "")

    def step(self, step: Step, total: str = "") -> Iterator[Line]:
        if self.width < 70:
            yield from self.stacked(step, total)
            return
        label, rule, slope = self.sizes()
        factor = step.factor
        whole = self.local(factor)
        words = whole if columns(whole) <= slope else fitted(f"d{factor.of}/d{factor.by} = …", slope)
        line: list[Piece] = [
            (" " * _MARGIN, ""),
            (f"{step.label:<{label}}  ", "dim"),
            (f"{fitted(factor.rule, rule):<{rule}}  ", ""),
        ]
        line.append((words, f"@{factor.by}"))
        gap = " " * (slope - columns(words))
        if self.it.at is not None:
            line.append((f"{gap}  {_signed(factor.value):<13}{_signed(step.so_far):<13}", ""))
        if self.width >= 90:
            reached = fitted(self.which(step, total), 14)
            line.append((f"{'' if self.it.at is not None else gap + ' '} {reached}", "dim"))
        if step.answer:
            line.append((" ◀ answer" if self.width >= 90 else "◀", "answer"))
        yield tuple(line)
        if words != whole:
            indent = " " * (_MARGIN + label + rule + 4)
            yield (indent, ""), (fitted(whole.partition(" = ")[2], self.width - len(indent)), f"@{factor.by}")

    def which(self, step: Step, total: str = "") -> str:
        """What the product so far is: a slope, a path's part of one, or nothing with a name of its own."""
        return total or (self.slope(step.factor.by) if step.whole else "")

    def stacked(self, step: Step, total: str) -> Iterator[Line]:
        factor = step.factor
        yield (" " * _MARGIN, ""), (f"{step.label}  ", "dim"), (factor.rule, "")
        yield (" " * 6, ""), (fitted(self.local(factor), self.width - 6), f"@{factor.by}")
        if self.it.at is not None and factor.rule != "start":
            yield (" " * 6, ""), (f"= {eight_of(factor.value)}", "")
            mark = (("  ◀ answer", "answer"),) if step.answer else ()
            yield (" " * 6, ""), (f"so far {eight_of(step.so_far)}", ""), (f"  {self.which(step, total)}", "dim"), *mark

    def paths(self, name: str, blocks: Sequence[Block], ends: int) -> Iterator[Line]:
        slope = next(s for s in self.it.slopes if s.name == name)
        several = len({block.to for block in self.it.blocks}) > 1
        if several:
            times = f"{slope.paths:,} path{'s' * (slope.paths != 1)}"
            yield (" " * _MARGIN, ""), (f"to {name}: {times}", "head")
        if slope.paths > slope.listed:
            said = "the largest" if self.it.at is not None else "the first"
            yield (
                (" " * _MARGIN, ""),
                (f"{said} {slope.listed} of {slope.paths:,} paths; every adjoint stands below", "dim"),
            )
        for i, block in enumerate(blocks, start=1):
            route = " → ".join(_middle_out(block.path, 7))
            if slope.paths > 1:
                yield (" " * _MARGIN, ""), (fitted(f"path {i}:  {route}", self.width - _MARGIN), "dim")
            yield from self.steps(block.steps, ends, f"path {i} total" if slope.paths > 1 else "")
        yield from self.sum(slope, blocks)
        if slope.paths > slope.listed:
            yield from self.adjoints()

    def sum(self, slope: Slope, blocks: Sequence[Block]) -> Iterator[Line]:
        if slope.value is None or slope.paths < 2 or slope.paths > slope.listed:
            return
        totals = [eight_of(block.total) for block in blocks]
        terms = " + ".join(f"({t})" if t.startswith("-") and i else t for i, t in enumerate(totals))
        said, result = "sum of the paths: ", f" = {eight(slope.value)}"
        if columns(terms) + len(said) + len(result) + _MARGIN > self.width:
            terms = f"{len(totals)} numbers"
        yield (
            (" " * _MARGIN, ""),
            (said, ""),
            (terms, ""),
            (f"{result}  ", ""),
            (f"{self.slope(slope.name)} ◀ answer", "answer"),
        )

    def adjoints(self) -> Iterator[Line]:
        """The slope of the result in every place, the last places first: what reverse mode computes in one sweep."""
        if not self.it.rows:
            return
        yield (
            (" " * _MARGIN, ""),
            ("adjoints", "head"),
            ("  each is the sum, over what it goes into, of adjoint × local slope", "dim"),
        )
        rows = list(reversed(self.it.rows))
        wide = min(max(columns(self.slope(row.name)) for row in rows), 24)
        for row in _ends(rows, 6):
            if isinstance(row, int):
                yield ((f"   ⋮ {row:,} more", "dim"),)
            else:
                yield (
                    (" " * _MARGIN, ""),
                    (f"{fitted(self.slope(row.name), wide):<{wide}}  ", f"@{row.name}"),
                    (_signed(row.adjoint), ""),
                )

    # --- both modes -----------------------------------------------------------------------------------------------------

    def both(self) -> Iterator[Line]:
        it = self.it
        yield self.head("3 BOTH", "the same slopes on the way up and on the way down")
        names = list(it.rows[0].tangents)
        wide = max(4, min(max(columns(row.name) for row in it.rows), 16))
        fits = max(1, (self.width - _MARGIN - wide - 4 - 28 - (14 if len(names) == 1 else 0)) // 14)
        names, more = names[:fits], len(names) - fits
        heads = ["value", *(f"↓ d/d{fitted(n, 8)}" for n in names), f"↑ d{fitted(it.result, 6)}/d·"]
        heads += ["product"] if len(names) == 1 else []
        yield (" " * _MARGIN, ""), (f"{'node':<{wide}}   " + " ".join(f" {head:<12}" for head in heads), "dim")
        yield (" " * _MARGIN, ""), ("─" * (self.width - _MARGIN), "dim")
        for row in _ends(it.rows):
            if isinstance(row, int):
                yield ((f"   ⋮ {row:,} more", "dim"),)
                continue
            numbers = [row.value, *(row.tangents[n] for n in names), row.adjoint]
            if len(names) == 1:
                tangent, adjoint = row.tangents[names[0]], row.adjoint
                numbers.append(None if tangent is None or adjoint is None else tangent * adjoint)
            words = f"{fitted(row.name, wide)}"
            pad = " " * (wide - columns(words))
            yield (
                (" " * _MARGIN, ""),
                (words, f"@{row.name}"),
                (pad + "   " + " ".join(f"{_signed(n):<13}" for n in numbers), ""),
            )
        yield from self.reading(more)

    def reading(self, more: int) -> Iterator[Line]:
        cost = self.it.cost
        said = [
            "Read down: forward mode carries d/d· beside each value (a dual number), one sweep per input.",
            f"Read up:   reverse mode carries d{self.it.result}/d· back from the result, one sweep for all inputs.",
            f"Cost:      {_many(cost.inputs, 'input')}, 1 output: forward {_many(cost.forward_sweeps, 'sweep')} and "
            f"{_many(cost.forward_products, 'product')}, reverse {_many(cost.reverse_sweeps, 'sweep')} and "
            f"{_many(cost.reverse_products, 'product')}.",
            "           With 1000 inputs: forward 1000 sweeps, reverse 1.",
        ]
        if more > 0:
            said.append(
                f"           {_many(more, 'more column')} of tangents not shown; --format json has all that were made."
            )
        for words in said:
            for line in _wrapped(words, self.width - _MARGIN, 11):
                yield (" " * _MARGIN, ""), (line, "dim")

    # --- forward mode ---------------------------------------------------------------------------------------------------

    def trace(self) -> Iterator[Line]:
        it = self.it
        yield self.head("3 TANGENTS", "forward mode: each number and its slope, on the way up")
        names = list(it.rows[0].tangents)
        wide = min(max(columns(row.name) for row in it.rows), 20)
        fits = max(1, (self.width - _MARGIN - wide - 18) // 14)
        heads = ["value", *(f"d/d{fitted(n, 9)}" for n in names[:fits])]
        yield (" " * _MARGIN, ""), (f"{'':<{wide}}   " + " ".join(f" {head:<12}" for head in heads), "dim")
        yield (" " * _MARGIN, ""), ("─" * (self.width - _MARGIN), "dim")
        for row in _ends(it.rows):
            if isinstance(row, int):
                yield ((f"   ⋮ {row:,} more", "dim"),)
                continue
            words = fitted(row.name, wide)
            numbers = [row.value, *(row.tangents[n] for n in names[:fits])]
            yield (
                (" " * _MARGIN, ""),
                (words, f"@{row.name}"),
                (" " * (wide - columns(words)) + "   " + " ".join(f"{_signed(n):<13}" for n in numbers), ""),
            )
        if len(names) > fits:
            yield (" " * _MARGIN, ""), (f"{_many(len(names) - fits, 'more column')}; --format json has them", "dim")

    # --- hard points ----------------------------------------------------------------------------------------------------

    def hard(self) -> Iterator[Line]:
        it = self.it
        bad = any(side.status != "ok" for side in it.sides)
        titles = {"corner": "3 CORNER", "jump": "3 JUMP", "infinite": "3 INFINITE", "unknown": "3 UNKNOWN"}
        yield self.head(
            titles.get(it.status, "3 BOTH SIDES"), "slopes from the left and from the right, one input at a time"
        )
        for side in it.sides:
            yield from self.side(side)
        for words in filter(None, [it.why if bad else "", *it.notes]):
            for line in _wrapped(printable(words), self.width - _MARGIN, 0):
                yield (" " * _MARGIN, ""), (line, "bad" if words is it.why else "")

    def side(self, side: Side) -> Iterator[Line]:
        trace = side.trace or (Beside(self.it.result, side.left, side.right),)
        slopes = [f"d{row.name}/d{side.name}" for row in trace]
        wide = min(max(map(columns, slopes)), self.width - 36)
        yield (" " * _MARGIN, ""), (f"{'':<{wide}}   {' left':<14}{' right':<14}", "dim")
        for row, slope in zip(trace, slopes, strict=True):
            words = fitted(slope, wide)
            gap = " " * (wide - columns(words) + 3)
            line: list[Piece] = [
                (" " * _MARGIN, ""),
                (words, f"@{row.name}"),
                (f"{gap}{_ended(row.left):<14}{_ended(row.right)}", ""),
            ]
            if row is trace[-1]:
                line.append((f"   {self.judged(side)}", "good" if side.status == "ok" else "bad"))
            yield tuple(line)

    def judged(self, side: Side) -> str:
        if side.status == "ok":
            return "only one side" if side.left is None or side.right is None else "equal: the slope"
        return {"corner": "they differ", "jump": "a jump", "infinite": "infinite"}.get(side.status, side.status)

    # --- the answer -----------------------------------------------------------------------------------------------------

    def answer(self) -> Iterator[Line]:
        it = self.it
        if it.at is not None and it.value is None:
            yield self.head("ANSWER", f"{it.result} has no value here")
            for words in filter(None, [it.why, it.hint]):
                for line in _wrapped(printable(words), self.width - 14, 0):
                    yield (" " * 14, ""), (line, "bad")
            return
        if not it.slopes:
            yield (
                *self.head("ANSWER")[:2],
                (f"{it.result} = {shown(it.value or 0.0)}, and it has no inputs to differentiate by", "answer"),
            )
            return
        first = True
        for row in _ends(it.slopes, 6):
            label, first = ("ANSWER" if first else ""), False
            if isinstance(row, int):
                yield ((f"              ⋮ {row:,} more", "dim"),)
            else:
                yield from self.result(row, label, detail=len(it.slopes) <= 4)

    def result(self, slope: Slope, label: str, *, detail: bool) -> Iterator[Line]:
        it = self.it
        name = self.slope(slope.name)
        made = list(self.derivation(slope)) if detail else []
        if it.at is not None:
            number = "none" if slope.value is None else shown(slope.value)
            if (
                slope.value is not None
                and it.convention
                and any(s.name == slope.name and s.status != "ok" for s in it.sides)
            ):
                number += f"  ({it.convention}'s convention)"
            made.append(number)
        elif not made:
            made.append(self.formula(slope.formula) if slope.formula else "too long for one line; see `autodiff diff`")
        indent = " " * columns(name)
        for i, words in enumerate(made):
            last = i == len(made) - 1
            head = self.head(label if i == 0 else "")[:2]
            yield (
                *head,
                (name if i == 0 else indent, f"@{slope.name}" if i == 0 else ""),
                (" = ", ""),
                (words, "answer" if last else ""),
            )

    def derivation(self, slope: Slope) -> Iterator[str]:
        """The chain as d·/d·, as symbols, as one formula, as numbers: those that fit on a line and add something."""
        room = self.width - 17 - columns(self.slope(slope.name))
        dot = " · " if self.unicode else " * "
        chain = slope.chain
        candidates: list[str] = []
        if len(chain) > 1:
            candidates.append(dot.join(f"d{f.of}/d{f.by}" for f in chain))
            candidates.append(
                dot.join(_bracketed(self.formula(f.slope)) for f in chain)
                if all(f.slope.formula for f in chain)
                else ""
            )
        if slope.formula:
            candidates.append(self.formula(slope.formula))
        if len(chain) > 1 and all(f.value is not None for f in chain):
            candidates.append(
                " × ".join(
                    f"({n})" if n.startswith("-") and i else n for i, n in enumerate(eight_of(f.value) for f in chain)
                )
            )
        for words in dict.fromkeys(candidates):
            if words and columns(words) <= room:
                yield words

    # --- notices, update, checks, meaning -------------------------------------------------------------------------------

    def notices(self) -> Iterator[Line]:
        label = "NOTICE"
        for found in self.it.cancelling:
            yield *self.head(label)[:2], *self.cancelling(found)
        update = self.it.update
        if update is None:
            return
        label = "UPDATE"
        for row in _ends(list(update.names.items())):
            head, label = self.head(label)[:2], ""
            if isinstance(row, int):
                yield *head, (f"⋮ {row:,} more", "dim")
            else:
                name, (old, new) = row
                yield (
                    *head,
                    (f"{name}  {eight(old)} → {eight(new)}", f"@{name}"),
                    (f"     old - {shown(update.rate)} × slope", "dim"),
                )
        after = "none: it has no value there" if update.after is None else eight(update.after)
        yield *self.head("")[:2], (f"{self.it.result}  {eight(update.before)} → {after}", "")

    def cancelling(self, found: Cancelling) -> Iterable[Piece]:
        which = "steps 1 and 2 cancel" if found.steps == 2 else f"steps 1 to {found.steps} cancel"
        number = "" if found.value is None else f" = {eight(found.value)}"
        words = f"{which}: {self.slope(found.by)} = {self.formula(found.slope)}{number}"
        return ((fitted(words, self.width - 14), ""),)

    def checked(self) -> Iterator[Line]:
        it = self.it
        done = [
            slope
            for slope in it.slopes
            if slope.value is not None and slope.forward is not None and slope.ulps is not None
        ]
        label = "CHECKED"
        if done:
            worst = max(slope.ulps or 0.0 for slope in done)
            number = f"  {shown(done[0].forward or 0.0)}" if len(done) == 1 else ""
            mark = ("✓ ", "good") if it.checked is not False else ("✗ ", "bad")
            yield from self.noted(label, mark, f"forward mode (dual numbers){number}", f"{worst:g} ulp apart")
            label = ""
        for row in _ends(it.differences):
            if isinstance(row, int):
                yield *self.head(label)[:2], (f"⋮ {row:,} more", "dim")
            else:
                yield from self.difference(label, row)
            label = ""

    def difference(self, label: str, row: Difference) -> Iterator[Line]:
        by = f" in {row.name}" if len(self.it.differences) > 1 else ""
        if row.quotient is None or row.bound is None:
            yield from self.noted(label, ("- ", "dim"), f"no central difference{by}:", row.why)
            return
        slope = next(s for s in self.it.slopes if s.name == row.name).value or 0.0
        agree = f"{digits(row, slope)} digits agree" if row.quotient != slope else "the same"
        if not row.agrees:
            agree += f", off by more than its own error of {row.bound:.0e}"
        mark = ("✓ ", "good") if row.agrees else ("? ", "bad")
        number = shown(float(f"{row.quotient:.12g}"))
        yield from self.noted(label, mark, f"central difference{by}, h = {row.step:.0e}  {number}", agree)

    def noted(self, label: str, mark: Piece, words: str, more: str) -> Iterator[Line]:
        """A remark behind its label; what does not fit goes on on the next line."""
        head = self.head(label)[:2]
        if columns(words) + columns(more) + 18 <= self.width:
            yield *head, mark, (f"{words}  {more}", "")
        else:
            yield *head, mark, (words, "")
            yield *self.head("")[:2], ("  " if mark[0] else "", ""), (more, "")

    def means(self) -> Iterator[Line]:
        label = "MEANS"
        for found in self.it.meanings[:4]:
            step = shown(found.step)
            words = f"moving {found.name} by +{step} moves {self.it.result} by about {found.expected:.5g}"
            really = "" if found.actual is None else f"(really {found.actual:.5g})"
            yield from self.noted(label, ("", ""), words, really)
            label = ""


T = TypeVar("T")


def _ends(rows: Sequence[T], ends: int = _ENDS) -> list[T | int]:
    """All of a short list; of a long one its first and last rows, and between them how many are left out."""
    if len(rows) <= 2 * ends + 1:
        return list(rows)
    return [*rows[:ends], len(rows) - 2 * ends, *rows[-ends:]]


def _middle_out(names: Sequence[str], most: int) -> list[str]:
    """The first and last names of a route."""
    return (
        list(names)
        if len(names) <= most
        else [*names[: most // 2], f"… {len(names) - 2 * (most // 2)} more …", *names[-(most // 2) :]]
    )


def eight_of(number: float | None) -> str:
    """A number of a table; `none` where there is none."""
    return "none" if number is None else eight(number)


def _signed(number: float | None) -> str:
    """The same with a blank where a minus would stand."""
    words = eight_of(number)
    return words if words.startswith("-") else f" {words}"


def _ended(number: float | None) -> str:
    """A one-sided slope, maybe infinite."""
    if number is None:
        return " none"
    return _signed(number) if abs(number) != float("inf") else " +∞" if number > 0 else "-∞"


def _bracketed(formula: str) -> str:
    """A factor as it stands in a product: a sum or a sign in brackets."""
    depth = 0
    for i, sign in enumerate(formula):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign in "+-" and (i == 0 or formula[i - 1] == " "):
            return f"({formula})"
    return formula


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' if number != 1 else ''}"


def _wrapped(words: str, width: int, indent: int) -> list[str]:
    return textwrap.wrap(words, width, subsequent_indent=" " * indent, break_long_words=False) or [words]
