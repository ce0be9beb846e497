"""An explanation as lines of text, each a run of pieces with a style: plain for pipes, coloured by `terminal`.

Blocks always come in this order: FORWARD, GRAPH, BACKWARD (or both modes, tangents, both sides of a hard point), ANSWER,
NOTICE and UPDATE where there are some, CHECKED, MEANS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autodiff.diagnostics import shown
from autodiff.errors import columns, printable
from autodiff.explanation.finite_differences import apart
from autodiff.explanation.model import Cancelling, Difference, Explanation, Place, Slope, Update
from autodiff.render.graph.text import pieces as drawn
from autodiff.render.text.backward import backward
from autodiff.render.text.elide import elide
from autodiff.render.text.labels import ascii_only
from autodiff.render.text.layout import (
    ENDS,
    MARGIN,
    NARROW,
    NARROWEST,
    STACKED,
    VERTICES,
    WIDEST,
    Line,
    Page,
    bracketed,
    eight_of,
    ends,
    few,
    signed,
)
from autodiff.render.text.modes import both_modes, trace
from autodiff.render.text.numbers import eight
from autodiff.render.text.one_sided import both_sides
from autodiff.render.text.wrap import folded

_SPARE = 12  # columns at most that a line needs more in ASCII
_ASCII = {"◀": "<-", "✓": "ok", "✗": "no", "×": "*", "⋮": ":", "↓": "down", "↑": "up", "─": "-", "—": "-", "→": "->", "∞": "inf", "±": "+-", "·": "*"}  # fmt: skip


def text(explanation: Explanation, width: int = WIDEST, *, unicode: bool = True) -> str:
    """The whole explanation as plain text."""
    return "\n".join(
        "".join(words for words, _ in line).rstrip() for line in lines(explanation, width, unicode=unicode)
    )


def lines(explanation: Explanation, width: int = WIDEST, *, unicode: bool = True) -> list[Line]:
    """The explanation, laid out: lines of at most `width` columns, but for a number that is longer."""
    room = max(NARROWEST, min(width, WIDEST))
    if unicode:
        return list(_all(Page(explanation, room, unicode)))
    from autodiff.render.text.ascii import in_ascii, spelt  # few screens need it

    colours = {f"@{spelt(place.name)}": f"@{place.name}" for place in explanation.forward}
    spelled = in_ascii(explanation)
    for less in range(_SPARE):  # some signs take more columns in ASCII: then the layout is one for a narrower page
        page = _all(Page(spelled, room - less, unicode))
        found = [tuple((_in_ascii(words), colours.get(style, style)) for words, style in line) for line in page]
        if all(sum(len(words) for words, _ in line) <= room for line in found):
            break
    return found


def _in_ascii(words: str) -> str:
    for sign, replacement in _ASCII.items():
        words = words.replace(sign, replacement)
    return ascii_only(words)


def _all(page: Page) -> Iterator[Line]:
    yield from title(page)
    for block in (forward_pass, graph, middle, answer, notices, checked, means):
        made = list(block(page))
        while made and not made[-1]:
            made.pop()
        if made:
            yield ()
            yield from made


def title(page: Page) -> Iterator[Line]:
    it = page.it
    whole = page.formula(it.title)
    made = f"{it.result} = {whole}" if whole else f"{it.result}, a program of {len(it.forward)} steps"
    where = f"{page.listed([page.slope(n) for n in it.wrt], 3)}{page.where()}"
    room = page.width - 2 - columns(where)
    if columns(made) + 3 > room:
        yield from (((" ", ""), (words, "title")) for words in few(made, page.width - 1, 2, 2))
        yield from (((" ", ""), (words, "dim")) for words in folded(where, page.width - 1, 1))
    else:
        yield (" ", ""), (made, "title"), (" " * (room - columns(made)), ""), (where, "dim")


def forward_pass(page: Page) -> Iterator[Line]:
    it = page.it
    tangents = it.mode == "forward" and bool(it.rows)
    said = "put the numbers in, inside out" if it.at is not None else "how the result is made, inside out"
    yield from page.headed("1 FORWARD", said)
    places = [p for p in it.forward if p.kind != "held"] if len(it.forward) > 2 * ENDS else list(it.forward)
    made = [(p, made_of(p)) for p in places]
    wide = max((columns(words) for _, words in made), default=0)
    does = max((len(p.does) for p in places), default=0)
    room = page.width - MARGIN - 18
    narrow = page.width < STACKED or tangents
    wide = min(wide, room - (0 if narrow else min(does, 20) + 3))
    for row in ends([(place, words) for place, words in made]):
        if isinstance(row, int):
            yield ((f"   ⋮ {row:,} more steps", "dim"),)
            continue
        place, words = row
        value = numbered(place)
        if columns(words) > wide:  # a long statement on lines of its own
            yield from (
                ((" " * MARGIN, ""), (line, f"@{place.name}")) for line in few(words, page.width - MARGIN, 3, 2)
            )
            yield (" " * (MARGIN + wide + 3), ""), (value, "")
            continue
        note = "" if narrow else f"   {place.does:<{does}}"
        pad = " " * (wide - columns(words))
        yield (" " * MARGIN, ""), (words, f"@{place.name}"), (f"{pad}{note}   ", "dim"), (value, "")


def numbered(place: Place) -> str:
    """A place's number, or why it has none; a number beyond float64 stands like any other."""
    words = place.why if place.value is None else signed(place.value)
    return f" {words}" if words[:1].isdigit() else words


def made_of(place: Place) -> str:
    """`y = x^2`, or only the name of an input."""
    if place.kind in ("input", "held"):
        return printable(place.name)
    return printable(f"{place.name} = {place.text}" if place.text else place.name)


def graph(page: Page) -> Iterator[Line]:
    drawing = page.it.drawing
    slopes = any(arrow.slope for arrow in drawing.arrows)
    yield from page.headed("2 GRAPH", "each arrow carries its local slope" if slopes else "")
    small = drawing if len(drawing.vertices) <= VERTICES else elide(drawing, VERTICES).drawing
    for line in drawn(small, page.width - MARGIN, unicode=page.unicode):
        yield (" " * MARGIN, ""), *((words, f"@{owner}" if owner else "") for words, owner in line)


def middle(page: Page) -> Iterator[Line]:
    it = page.it
    if it.status == "domain" and it.value is None:
        return
    if it.at is not None and it.value is None:
        return
    if any(side.status != "ok" or it.convention for side in it.sides) or it.sides:
        yield from both_sides(page)
        yield ()
    if it.mode == "both" and it.rows and it.wrt:
        yield from both_modes(page)
    elif it.mode == "forward" and it.rows:
        yield from trace(page)
    elif it.blocks:
        yield from backward(page)
    elif not it.sides and any(slope.value for slope in it.slopes):
        for words in it.notes:
            yield from page.headed(f"{page.third} BACKWARD", words)


def answer(page: Page) -> Iterator[Line]:
    it = page.it
    if it.at is not None and it.value is None:
        yield from page.headed("ANSWER", f"{it.result} has no value here")
        for words in filter(None, [it.why, it.hint]):
            rows = folded(printable(words), page.width - page.text)
            yield from page.under("", (((line, "bad"),) for line in rows))
        return
    if not it.slopes:
        words = f"{it.result} = {shown(it.value or 0.0)}, and it has no inputs to differentiate by"
        yield from page.noted("ANSWER", ("", ""), words)
        return
    first = True
    for row in ends(it.slopes, 6):
        label, first = ("ANSWER" if first else ""), False
        if isinstance(row, int):
            yield from page.under(label, [((f"⋮ {row:,} more", "dim"),)])
        else:
            yield from result(page, row, label, detail=len(it.slopes) <= 4)


def result(page: Page, slope: Slope, label: str, *, detail: bool) -> Iterator[Line]:
    it = page.it
    name = page.slope(slope.name)
    made = list(derivation(page, slope)) if detail else []
    if it.at is not None:
        number = "none" if slope.value is None else slope.digits or shown(slope.value)
        made = [words for words in made if words != number]
        if (
            slope.value is not None
            and it.convention
            and any(s.name == slope.name and s.status != "ok" for s in it.sides)
        ):
            number += f"  ({it.convention}'s convention)"
        elif slope.value == 0 and not slope.paths and all(side.name != slope.name for side in it.sides):
            number += f"  ({it.result} does not change with {slope.name})"
        made.append(number)
    elif not made:
        made.append(page.formula(slope.formula) if slope.formula else "too long for one line; see `autodiff diff`")
    yield from page.under(label, equal(page, slope.name, name, made))


def equal(page: Page, of: str, name: str, made: Sequence[str]) -> Iterator[Line]:
    """`name = …` and further lines of what it is equal to, the last one the answer; a name that is too long stands above."""
    room = page.width - page.text
    above = columns(name) + 3 + max(columns(made[-1].partition("  ")[0]), 18) > room
    indent = 2 if above else columns(name)
    if above:
        yield from (((line, f"@{of}"),) for line in few(name, room, 3, 1))
    for i, words in enumerate(made):
        style = "answer" if i == len(made) - 1 else ""
        begin = (" " * indent, "") if above or i else (name, f"@{of}")
        first, *rest = folded(words, room - indent - 3)
        yield begin, (" = ", ""), (first, style)
        yield from (((" " * (indent + 3), ""), (line, style)) for line in rest)


def derivation(page: Page, slope: Slope) -> Iterator[str]:
    """The chain as d·/d·, as symbols, as one formula, as numbers: those that fit on a line and add something."""
    room = page.width - page.text - 3 - columns(page.slope(slope.name))
    room *= 2 if page.width < NARROW else 1  # where little fits on a line, two are better than none
    dot = " · " if page.unicode else " * "
    chain = slope.chain
    candidates: list[str] = []
    if len(chain) > 1:
        candidates.append(dot.join(f"d{f.of}/d{f.by}" for f in chain))
        candidates.append(
            dot.join(bracketed(page.formula(f.slope)) for f in chain if f.slope.formula != "1")
            if all(f.slope.formula for f in chain)
            else ""
        )
    if slope.formula:
        candidates.append(page.formula(slope.formula))
    if len(chain) > 1 and all(f.value is not None for f in chain):
        candidates.append(
            " × ".join(
                f"({n})" if n.startswith("-") and i else n for i, n in enumerate(eight_of(f.value) for f in chain)
            )
        )
    for words in dict.fromkeys(candidates):
        if words and columns(words) <= room:
            yield words


def notices(page: Page) -> Iterator[Line]:
    label = "NOTICE"
    for found in page.it.cancelling:
        yield from page.noted(label, ("", ""), *cancelling(page, found))
    update = page.it.update
    if update is None:
        return
    yield from page.under("UPDATE", moved(page, update))


def moved(page: Page, update: Update) -> Iterator[Line]:
    """Old and new of each name, and how it moves: beside it, or once for all where there is no room."""
    room = page.width - page.text
    how = f"old - {shown(update.rate)} × slope"
    rows = [
        row if isinstance(row, int) else (row[0], f"{row[0]}  {eight(row[1][0])} → {eight(row[1][1])}")
        for row in ends(list(update.names.items()))
    ]
    beside = all(isinstance(row, int) or columns(f"{row[1]}     {how}") <= room for row in rows)
    if not beside:
        yield ((f"each: {how}", "dim"),)
    for row in rows:
        if isinstance(row, int):
            yield ((f"⋮ {row:,} more", "dim"),)
        else:
            first, *rest = folded(row[1], room, 2)
            yield (first, f"@{row[0]}"), (f"     {how}" if beside else "", "dim")
            yield from (((line, f"@{row[0]}"),) for line in rest)
    after = "none: it has no value there" if update.after is None else eight(update.after)
    yield from (((line, ""),) for line in folded(f"{page.it.result}  {eight(update.before)} → {after}", room, 2))


def cancelling(page: Page, found: Cancelling) -> tuple[str, str]:
    which = "steps 1 and 2 cancel" if found.steps == 2 else f"steps 1 to {found.steps} cancel"
    number = "" if found.value is None else f" = {eight(found.value)}"
    return f"{which}:", f"{page.slope(found.by)} = {page.formula(found.slope)}{number}"


def checked(page: Page) -> Iterator[Line]:
    it = page.it
    done = [
        slope for slope in it.slopes if slope.value is not None and slope.forward is not None and slope.ulps is not None
    ]
    label = "CHECKED"
    if done:
        worst = max(slope.ulps or 0.0 for slope in done)
        number = f"  {shown(done[0].forward or 0.0)}" if len(done) == 1 else ""
        mark = ("✓ ", "good") if it.checked is not False else ("✗ ", "bad")
        yield from page.noted(label, mark, f"forward mode (dual numbers){number}", f"{worst:g} ulp apart")
        label = ""
    for row in ends(it.differences):
        if isinstance(row, int):
            yield from page.under(label, [((f"⋮ {row:,} more", "dim"),)])
        else:
            yield from difference(page, label, row)
        label = ""


def difference(page: Page, label: str, row: Difference) -> Iterator[Line]:
    by = f" in {row.name}" if len(page.it.differences) > 1 else ""
    if row.quotient is None or row.bound is None:
        yield from page.noted(label, ("- ", "dim"), f"no central difference{by}:", row.why)
        return
    slope = next(s for s in page.it.slopes if s.name == row.name).value or 0.0
    mark = ("✓ ", "good") if row.agrees else ("? ", "bad")
    number = shown(float(f"{row.quotient:.12g}"))
    yield from page.noted(label, mark, f"central difference{by}, h = {row.step:.0e}  {number}", apart(row, slope))


def means(page: Page) -> Iterator[Line]:
    label = "MEANS"
    for found in page.it.meanings[:4]:
        step = shown(found.step)
        words = f"moving {found.name} by +{step} moves {page.it.result} by about {found.expected:.5g}"
        really = "" if found.actual is None else f"(really {found.actual:.5g})"
        yield from page.noted(label, ("", ""), words, really)
        label = ""
