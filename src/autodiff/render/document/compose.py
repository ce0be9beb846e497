"""From an explanation to a document: the blocks of the text layout, in the same order, as sections of a page.

>>> from autodiff.explanation.build import explain
>>> made = compose(explain("y = x^2; z = sin(y)", {"x": 4.0}))
>>> [section.title for section in made.sections]
['Forward', 'Graph', 'Backward', 'Answer', 'Checked', 'Means']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autodiff.diagnostics import shown
from autodiff.errors import excerpt
from autodiff.explanation.finite_differences import apart
from autodiff.explanation.model import Explanation, Place, Slope, Text
from autodiff.notation.tex import tex_name
from autodiff.render.document.derivation import slope_sections
from autodiff.render.document.formulas import (
    formula,
    joined,
    listed,
    many,
    named,
    numbered,
    ratio,
    slashed,
    term,
    tex_value,
)
from autodiff.render.document.model import (
    Cell,
    Code,
    Column,
    Derivation,
    Document,
    Graph,
    Items,
    Math,
    More,
    Number,
    Paragraph,
    Row,
    Section,
    Source,
    Table,
    Words,
    ends,
)
from autodiff.render.text.labels import fitted

_CHAIN = 10  # factors that are written as one product
_DETAILED = 4  # answers that are derived, beyond that they are listed
_LINE = 400  # columns of a program line


def compose(explanation: Explanation) -> Document:
    """The explanation as a document."""
    it = explanation
    made = [
        _forward(it),
        _graph(it),
        *slope_sections(it),
        _answer(it),
        _notice(it),
        _update(it),
        _checked(it),
        _means(it),
    ]
    return Document(
        heading=_heading(it),
        asked=_asked(it),
        program=_program(it.source),
        readings=tuple(map(str, it.readings)),
        answers=tuple(
            (ratio(it.result, slope.name), _found(it, slope), slope.name)
            for slope in (it.slopes[:_DETAILED] if it.at is not None and it.value is not None else ())
        ),
        sections=tuple(section for section in made if section is not None),
        places=tuple(vertex.name for vertex in it.drawing.vertices),
    )


# --- the head -----------------------------------------------------------------------------------------------------------


def _heading(it: Explanation) -> Cell:
    if it.title.tex:
        return (Math(f"{tex_name(it.result)} = {it.title.tex}", f"{it.result} = {it.title.pretty}"),)
    return named(it.result), Words(f", a program of {many(len(it.forward), 'step')}")


def _asked(it: Explanation) -> Cell:
    asked = listed([(slashed(it.result, name),) for name in it.wrt], 3)
    if not it.at:
        return asked
    point = [
        (Math(rf"{tex_name(name)} = {tex_value(value)}", f"{name} = {shown(value)}"),) for name, value in it.at.items()
    ]
    return (*asked, Words(" at "), *listed(point, 6))


def _program(source: str) -> Source:
    lines = re.split(r"\r\n|\r|\n", source.expandtabs(4).strip("\r\n"))
    return Source(tuple(str(row) if isinstance(row, More) else _line(row) for row in ends(lines, "lines")))


def _line(line: str) -> str:
    return line if len(line) <= _LINE else fitted(line, _LINE)


# --- forward, graph -----------------------------------------------------------------------------------------------------


def _forward(it: Explanation) -> Section:
    said = "put the numbers in, inside out" if it.at is not None else "how the result is made, inside out"
    long = len(it.forward) > 24
    places = [place for place in it.forward if not (long and place.kind == "held")]
    rows = tuple(row if isinstance(row, More) else _place(it, row) for row in ends(places, "steps"))
    columns = [Column((Words("step"),), wide=True), Column((Words("what it does"),))]
    columns += [Column((Words("value"),), numeric=True)] if it.at is not None else []
    table = Table(tuple(columns), rows, "the forward pass", "places")
    held = len(it.forward) - len(places)
    rest = (Paragraph((Words(f"{many(held, 'input')} held fixed not listed", "quiet"),)),) if held else ()
    return Section("forward", "Forward", (Words(said),), (table, *rest))


def _place(it: Explanation, place: Place) -> Row:
    cells: list[Cell] = [_made(place), (Words(place.does),)]
    value = Words(place.why, "quiet") if place.value is None and place.why else Number(place.value)
    cells += [(value,)] if it.at is not None else []
    return Row(tuple(cells), place.name)


def _made(place: Place) -> Cell:
    """`y = x^2`, or only the name of an input."""
    if place.kind in ("input", "held") or not (place.tex or place.text):
        return (named(place.name),)
    if place.tex:
        return (Math(f"{tex_name(place.name)} = {place.tex}", f"{place.name} = {place.text}"),)
    return named(place.name), Words(" = "), Code(place.text)


def _graph(it: Explanation) -> Section:
    slopes = any(arrow.slope for arrow in it.drawing.arrows)
    said = (Words("each arrow carries its local slope"),) if slopes else ()
    return Section("graph", "Graph", said, (Graph(it.drawing),))


# --- the answer ---------------------------------------------------------------------------------------------------------


def _answer(it: Explanation) -> Section:
    if it.at is not None and it.value is None:
        return _no_value(it)
    if not it.slopes:
        value = (Words(" = "), Number(it.value, whole=True)) if it.value is not None else ()
        said: Cell = (named(it.result), *value, Words(", and it has no inputs to differentiate by."))
        return Section("answer", "Answer", (), (Paragraph(said),))
    if len(it.slopes) > _DETAILED:
        return Section("answer", "Answer", (), (_answers(it),))
    return Section("answer", "Answer", (), tuple(_derived(it, slope) for slope in it.slopes))


def _no_value(it: Explanation) -> Section:
    where = (Source(tuple(line.removeprefix("    ") for line in excerpt(it.source, it.span))),) if it.span else ()
    hint = (Paragraph((Words(it.hint, "quiet"),)),) if it.hint else ()
    parts = (Paragraph((Words(it.why, "bad"),)), *where, *hint)
    return Section("answer", "Answer", (named(it.result), Words(" has no value here")), parts)


def _answers(it: Explanation) -> Table:
    rows = [row if isinstance(row, More) else _answered(it, row) for row in ends(it.slopes, "slopes")]
    found = Column((Words("its value" if it.at is not None else "formula"),), numeric=it.at is not None, wide=True)
    return Table((Column((Words("slope"),)), found), tuple(rows), "the answers")


def _answered(it: Explanation, slope: Slope) -> Row:
    return Row(((ratio(it.result, slope.name),), _found(it, slope)), slope.name)


def _found(it: Explanation, slope: Slope) -> Cell:
    """What is asked for: the number, or without a point the formula."""
    if it.at is None:
        return (formula(slope.formula),) if slope.formula else (Words("too long for one line; see `autodiff diff`"),)
    hard = {side.name for side in it.sides if side.status != "ok"}
    if slope.value is not None and it.convention and slope.name in hard:
        return Number(slope.value, whole=True), Words(f" ({it.convention}'s convention)", "quiet")
    return (Words(slope.digits),) if slope.digits else (Number(slope.value, whole=True),)


def _derived(it: Explanation, slope: Slope) -> Derivation:
    """The chain as d·/d·, as symbols, as one formula, as numbers: each once, those that add something."""
    chain = slope.chain if 1 < len(slope.chain) <= _CHAIN else ()
    rights: list[Cell] = []
    if chain:
        rights.append((_product_of([ratio(factor.of, factor.by) for factor in chain]),))
        if all(factor.slope.tex for factor in chain):
            rights.append((_product_of([_factor(factor.slope) for factor in chain]),))
    if slope.formula and slope.value is not None and slope.formula.formula != shown(slope.value):
        rights.append((formula(slope.formula),))
    if chain and all(factor.value is not None for factor in chain):
        rights.append(joined([term(factor.value, first=i == 0) for i, factor in enumerate(chain)], " × "))
    return Derivation(ratio(it.result, slope.name), tuple(dict.fromkeys([*rights, _found(it, slope)])), slope.name)


def _product_of(factors: Sequence[Math]) -> Math:
    return Math(r" \cdot ".join(f.tex for f in factors), " · ".join(f.line for f in factors))


def _factor(slope: Text) -> Math:
    """A local slope as it stands in a product: a sum, a sign or a choice in brackets."""
    if not _is_sum(slope.formula) and r"\begin" not in slope.tex and r"\bmod" not in slope.tex:
        return Math(slope.tex, slope.pretty)
    return Math(rf"\left({slope.tex}\right)", f"({slope.pretty})")


def _is_sum(formula: str) -> bool:
    depth = 0
    for i, sign in enumerate(formula):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign in "+-" and (i == 0 or formula[i - 1] == " "):
            return True
    return False


# --- notice, update, checks, meaning ------------------------------------------------------------------------------------


def _notice(it: Explanation) -> Section | None:
    parts = []
    for found in it.cancelling:
        which = "Steps 1 and 2 cancel: " if found.steps == 2 else f"Steps 1 to {found.steps} cancel: "
        number = () if found.value is None else (Words(" = "), Number(found.value))
        parts.append(
            Paragraph(
                (Words(which), ratio(it.result, found.by), Words(" = "), formula(found.slope), *number, Words("."))
            )
        )
    return Section("notice", "Notice", (), tuple(parts)) if parts else None


def _update(it: Explanation) -> Section | None:
    update = it.update
    if update is None:
        return None
    slopes: Mapping[str, float | None] = {slope.name: slope.value for slope in it.slopes}
    rows = [
        row if isinstance(row, More) else Row(numbered(row[0], [row[1][0], slopes.get(row[0]), row[1][1]]), row[0])
        for row in ends(list(update.names.items()), "names")
    ]
    columns = (
        Column((Words("name"),)),
        *(Column((Words(head),), numeric=True) for head in ("old", "slope", "new")),
    )
    after: Cell = (Words("none: it has no value there"),) if update.after is None else (Number(update.after),)
    moved: Cell = (named(it.result), Words(" goes from "), Number(update.before), Words(" to "), *after, Words("."))
    said = (Words(f"one step of gradient descent: new = old − {shown(update.rate)} × slope"),)
    table = Table(columns, tuple(rows), "one step of gradient descent", "modes")
    return Section("update", "Update", said, (table, Paragraph(moved)))


def _checked(it: Explanation) -> Section | None:
    done = [s for s in it.slopes if s.value is not None and s.forward is not None and s.ulps is not None]
    items: list[tuple[str, Cell]] = []
    if done:
        worst = max(slope.ulps or 0.0 for slope in done)
        number: Cell = (Words(": "), Number(done[0].forward, whole=True)) if len(done) == 1 else ()
        mark = "good" if it.checked is not False else "bad"
        items.append((mark, (Words("forward mode (dual numbers)"), *number, Words(f", {worst:g} ulp apart"))))
    slopes = {slope.name: slope.value or 0.0 for slope in it.slopes}
    for row in it.differences:
        by: Cell = (Words(" in "), named(row.name)) if len(it.differences) > 1 else ()
        if row.quotient is None or row.bound is None:
            items.append(("", (Words("no central difference"), *by, Words(f": {row.why}"))))
            continue
        slope = slopes[row.name]
        rest = f", {apart(row, slope)}"
        made = (Words(f", h = {row.step:.0e}: "), Number(float(f"{row.quotient:.12g}"), whole=True), Words(rest))
        mark = "good" if row.agrees else "doubt"
        items.append((mark, (Words("central difference"), *by, *made)))
    return Section("checked", "Checked", (), (Items(tuple(items)),)) if items else None


def _means(it: Explanation) -> Section | None:
    items: list[tuple[str, Cell]] = []
    for found in it.meanings[:_DETAILED]:
        really = "" if found.actual is None else f" (really {found.actual:.5g})"
        items.append(
            (
                "",
                (
                    Words("Moving "),
                    named(found.name),
                    Words(f" by +{shown(found.step)} moves "),
                    named(it.result),
                    Words(f" by about {found.expected:.5g}{really}."),
                ),
            )
        )
    return Section("means", "Means", (), (Items(tuple(items)),)) if items else None
