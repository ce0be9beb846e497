"""From an explanation to a document: what every format shows, in one order and in one wording.

>>> from autodiff.explanation.build import explain
>>> document = compose(explain("y = x^2; z = sin(y)", {"x": 4.0}))
>>> [section.title for section in document.sections]
['Forward', 'Graph', 'Backward', 'Answer', 'Checked', 'Means']
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from autodiff.diagnostics import shown
from autodiff.errors import excerpt
from autodiff.explanation.finite_differences import apart
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Difference, Explanation, FormulaText, Place, Slope
from autodiff.notation.tex import tex_name
from autodiff.render.document.blocks import (
    PAGE,
    Cell,
    CodeText,
    Column,
    Document,
    Equation,
    Equations,
    GraphDrawing,
    Item,
    ItemList,
    Limits,
    Math,
    NumberText,
    Omitted,
    Paragraph,
    Section,
    SourceLines,
    TableBlock,
    TableRow,
    Words,
    ends,
    joined,
    term,
)
from autodiff.render.document.formulas import (
    formula,
    in_product,
    many,
    named,
    numbered,
    product,
    ratio,
    slashed,
    tex_value,
)
from autodiff.render.document.slopes import bars_section, no_slope, slope_sections
from autodiff.render.text.elide import without_inputs
from autodiff.render.text.labels import fitted

_CHAIN = 10  # factors that are written as one product
_DETAILED = 4  # answers that are derived, and names that are said to move
_TITLE = 100  # characters of a title that LaTeX does not write
_LINE = 400  # columns of a program line


_STEP = "step"
"""The kind of a place of the forward pass that is no input."""


def compose(explanation: Explanation, limits: Limits = PAGE) -> Document:
    """The explanation as a document."""
    sections = [
        _forward(explanation, limits),
        _graph(explanation),
        *slope_sections(explanation, limits),
        bars_section(explanation),
        _answer(explanation, limits),
        _notice(explanation),
        _update(explanation, limits),
        _checked(explanation),
        _means(explanation),
    ]
    return Document(
        heading=_heading(explanation, limits),
        slopes=tuple((slashed(explanation.result, name, partial=explanation.partial),) for name in explanation.wrt),
        point=tuple(_coordinate(name, value) for name, value in (explanation.at or {}).items()),
        program=_program(explanation.source),
        readings=tuple(map(str, explanation.readings)),
        sections=tuple(section for section in sections if section is not None),
        places=tuple(vertex.name for vertex in drawing_of(explanation).vertices),
    )


def _heading(explanation: Explanation, limits: Limits) -> Cell:
    title, result = explanation.title, explanation.result
    last = next((place for place in explanation.forward if place.kind == "result"), None)
    if last is not None and len(title.pretty) > _TITLE and len(last.text) <= _TITLE and _is_named(explanation, last):
        return _statement(last)
    if title.tex or (limits.titles and title.pretty):
        tex = f"{tex_name(result)} = {title.tex}" if title.tex else ""
        return (Math(tex, f"{result} = {title.pretty}", f"{result} = {title.formula}"),)
    if title.pretty and len(title.pretty) <= _TITLE:
        return named(result), Words(" = "), CodeText(title.pretty)
    return named(result), Words(f", a program of {many(len(explanation.forward), 'step')}")


def _is_named(explanation: Explanation, last: Place) -> bool:
    """Whether the last statement is made of names of the program, not of v1, v2, …"""
    names = set(re.findall(r"[^\W\d]\w*", last.text))
    steps = {place.name for place in explanation.forward if place.kind == _STEP}
    return bool(steps & names) and names <= set(re.findall(r"[^\W\d]\w*", explanation.source))


def _coordinate(name: str, value: float) -> Cell:
    return (Math(rf"{tex_name(name)} = {tex_value(value)}", f"{name} = {shown(value)}"),)


def _program(source: str) -> SourceLines:
    lines = re.split(r"\r\n|\r|\n", source.expandtabs(4).strip("\r\n"))
    return SourceLines(tuple(str(row) if isinstance(row, Omitted) else _line(row) for row in ends(lines, "lines")))


def _line(line: str) -> str:
    return line if len(line) <= _LINE else fitted(line, _LINE)


# --- forward, graph -----------------------------------------------------------------------------------------------------


def _forward(explanation: Explanation, limits: Limits) -> Section:
    at_point = explanation.at is not None
    sentence = (
        "work out each step, from the inputs to the result"
        if at_point
        else "how the result is made, from the inputs on"
    )
    long = len(explanation.forward) > 2 * limits.rows
    places = [place for place in explanation.forward if not (long and place.kind == "held")]
    rows = ends(places, "steps", limits.rows)
    columns = [Column((Words("step"),), wide=True), Column((Words("what it does"),))]
    columns += [Column((Words("value"),), numeric=True)] if at_point else []
    table = TableBlock(
        tuple(columns),
        tuple(row if isinstance(row, Omitted) else _place(row, at_point=at_point) for row in rows),
        "the forward pass",
        "places",
    )
    held = len(explanation.forward) - len(places)
    rest = (Paragraph((Words(f"{many(held, 'input')} held fixed not listed", "quiet"),)),) if held else ()
    return Section("forward", "Forward", (Words(sentence),), (table, *rest))


def _place(place: Place, *, at_point: bool) -> TableRow:
    cells: list[Cell] = [_statement(place), (Words(place.does),)]
    value = Words(place.why, "quiet") if place.value is None and place.why else NumberText(place.value)
    return TableRow((*cells, (value,)) if at_point else tuple(cells), place.name)


def _statement(place: Place) -> Cell:
    """`y = x^2`, or only the name of an input."""
    if place.kind in ("input", "held") or not (place.tex or place.text):
        return (named(place.name),)
    if place.tex:
        return (Math(f"{tex_name(place.name)} = {place.tex}", f"{place.name} = {place.text}"),)
    return named(place.name), Words(" = "), CodeText(place.text)


_VERTICES = 14  # of a drawing with all inputs


def drawing_of(explanation: Explanation) -> Drawing:
    """The graph as it is drawn: a larger one without the inputs of one step alone, which that step's formula names."""
    return without_inputs(explanation.drawing, _VERTICES)


def _graph(explanation: Explanation) -> Section:
    drawing = drawing_of(explanation)
    slopes = any(arrow.slope for arrow in drawing.arrows)
    sentence = (Words("each arrow carries its local slope"),) if slopes else ()
    count = len(explanation.drawing.vertices) - len(drawing.vertices)
    words = f"{many(count, 'input')} not drawn: each is in the formula of its step"
    rest = (Paragraph((Words(words, "quiet"),)),) if count else ()
    return Section("graph", "Graph", sentence, (GraphDrawing(drawing), *rest))


# --- the answer ---------------------------------------------------------------------------------------------------------


def _answer(explanation: Explanation, limits: Limits) -> Section:
    result, value = named(explanation.result), explanation.value
    if explanation.at is not None and value is None:
        return _no_value(explanation)
    if not explanation.slopes:
        number = (Words(" = "), NumberText(value, whole=True)) if value is not None else ()
        words: Cell = (result, *number, Words(", and it has no inputs to differentiate by"))
        return Section("answer", "Answer", (), (Paragraph(words),))
    detailed = len(explanation.slopes) <= _DETAILED
    rows = ends(explanation.slopes, "slopes", limits.answers)
    equations = (row if isinstance(row, Omitted) else _equation(explanation, row, detailed=detailed) for row in rows)
    return Section("answer", "Answer", (), (Equations(tuple(equations), table=not detailed),))


def _no_value(explanation: Explanation) -> Section:
    source, span = explanation.source, explanation.span
    where = (SourceLines(tuple(line.removeprefix("    ") for line in excerpt(source, span))),) if span else ()
    hint = (Paragraph((Words(explanation.hint, "quiet"),)),) if explanation.hint else ()
    blocks = (Paragraph((Words(explanation.why, "bad"),)), *where, *hint)
    return Section("answer", "Answer", (named(explanation.result), Words(" has no value here")), blocks)


def _equation(explanation: Explanation, slope: Slope, *, detailed: bool) -> Equation:
    """The chain as d·/d·, as symbols, as one formula, as numbers: each once, those that add something."""
    chain = slope.chain if detailed and 1 < len(slope.chain) <= _CHAIN else ()
    answer, rights, partial = _number_or_formula(explanation, slope), list[Cell](), explanation.partial
    if chain:
        rights.append((product([ratio(factor.of, factor.by, partial=partial) for factor in chain]),))
        if all(factor.slope.formula for factor in chain):
            factors = [in_product(factor.slope) for factor in chain if factor.slope.formula != "1"]
            rights += [(product(factors),)] if factors else []
    if slope.short and detailed:
        because = (Words(f"   since {slope.because}", "quiet"),) if slope.because else ()
        rights.append((formula(slope.short), *because))
    if (
        detailed
        and slope.formula
        and not slope.short
        and slope.value is not None
        and slope.formula.formula != shown(slope.value)
    ):
        rights += [(formula(slope.formula),)] if _is_typed(explanation, slope.formula) else []
    if chain and all(factor.value is not None for factor in chain):
        terms = [term(NumberText(factor.value), first=i == 0) for i, factor in enumerate(chain)]
        rights.append(joined(terms, " × "))
    rights = [right for right in dict.fromkeys(rights) if right != answer]
    return Equation(
        ratio(explanation.result, slope.name, partial=partial), (*rights, answer), _note(explanation, slope), slope.name
    )


def _is_typed(explanation: Explanation, slope: FormulaText) -> bool:
    """Whether a formula has no function that neither the program has nor one of the local slopes."""
    factors = (step.factor.slope.formula for block in explanation.blocks for step in block.steps)
    known = set(re.findall(_FUNCTION, " ".join((explanation.title.formula, explanation.source, *factors))))
    return known.issuperset(re.findall(_FUNCTION, slope.formula))


_FUNCTION = r"\w+(?=\()"


def _number_or_formula(explanation: Explanation, slope: Slope) -> Cell:
    """What is asked for: the number, or without a point the formula."""
    if explanation.at is None:
        return (formula(slope.formula),) if slope.formula else (Words("too long for one line; see `autodiff diff`"),)
    if slope.value is None:
        sides = next((side for side in explanation.sides if side.name == slope.name), None)
        return (NumberText(None),) if sides is None else (no_slope(sides),)
    return (Words(slope.digits),) if slope.digits else (NumberText(slope.value, whole=True),)


def _note(explanation: Explanation, slope: Slope) -> str:
    """What to know about the number: that it is a convention, or why it is 0."""
    hard = {side.name: side.status != "ok" for side in explanation.sides}
    if slope.value is not None and explanation.convention and hard.get(slope.name):
        return f"{explanation.convention}'s convention"
    if slope.value == 0 and not slope.paths and slope.name not in hard:
        return f"{explanation.result} does not change with {slope.name}"
    return ""


# --- notice, update, checks, meaning ------------------------------------------------------------------------------------


def _notice(explanation: Explanation) -> Section | None:
    items = []
    for cancelling in explanation.cancelling:
        which = "steps 1 and 2 cancel:" if cancelling.steps == 2 else f"steps 1 to {cancelling.steps} cancel:"
        number: Cell = () if cancelling.value is None else (Words(" = "), NumberText(cancelling.value))
        slope: Cell = (
            ratio(explanation.result, cancelling.by, partial=explanation.partial),
            Words(" = "),
            formula(cancelling.slope),
            *number,
        )
        items.append(Item((Words(which),), remark=slope))
    return Section("notice", "Notice", (), (ItemList(tuple(items)),)) if items else None


def _update(explanation: Explanation, limits: Limits) -> Section | None:
    update = explanation.update
    if update is None:
        return None
    slopes: Mapping[str, float | None] = {slope.name: slope.value for slope in explanation.slopes}
    rows = [
        row
        if isinstance(row, Omitted)
        else TableRow(numbered(row[0], [row[1][0], slopes.get(row[0]), row[1][1]]), row[0])
        for row in ends(list(update.names.items()), "names", limits.rows)
    ]
    after: Cell = (Words("none: it has no value there"),) if update.after is None else (NumberText(update.after),)
    result: tuple[Cell, ...] = ((named(explanation.result),), (NumberText(update.before),), (), after)
    columns = (
        Column((Words("name"),)),
        *(Column((Words(head),), numeric=True) for head in ("old", "slope", "new")),
    )
    table = TableBlock(
        columns,
        (*rows, TableRow(result)),
        "one step of gradient descent",
        "update",
        f"new = old - {shown(update.rate)} × slope",
    )
    return Section("update", "Update", (), (table,))


def _checked(explanation: Explanation) -> Section | None:
    items = [*_other_mode(explanation), *(_difference(explanation, row) for row in explanation.differences)]
    return Section("checked", "Checked", (), (ItemList(tuple(items)),)) if items else None


def _other_mode(explanation: Explanation) -> Iterator[Item]:
    done = [s for s in explanation.slopes if s.value is not None and s.forward is not None and s.ulps is not None]
    if done:
        worst = max(slope.ulps or 0.0 for slope in done)
        number: Cell = (NumberText(done[0].forward, whole=True),) if len(done) == 1 else ()
        mark = "good" if explanation.checked is not False else "bad"
        yield Item(
            (Words("forward mode (dual numbers)"),),
            number,
            (Words(f"{worst:g} ulp apart" if worst else "the same to the last digit"),),
            mark=mark,
        )


def _difference(explanation: Explanation, row: Difference) -> Item:
    by: Cell = (Words(" in "), named(row.name)) if len(explanation.differences) > 1 else ()
    if row.quotient is None or row.bound is None:
        return Item((Words("no nudge test"), *by, Words(":")), remark=(Words(row.why),), mark="none")
    slope = next(slope.value for slope in explanation.slopes if slope.name == row.name) or 0.0
    words: Cell = (Words("nudge test"), *by, Words(f", h = {row.step:.0e}"))
    number = NumberText(float(f"{row.quotient:.12g}"), whole=True)
    return Item(words, (number,), (Words(apart(row, slope)),), mark="good" if row.agrees else "doubt")


def _means(explanation: Explanation) -> Section | None:
    items = []
    for meaning in explanation.meanings[:_DETAILED]:
        words: Cell = (
            Words("moving "),
            named(meaning.name),
            Words(f" by +{shown(meaning.step)} moves "),
            named(explanation.result),
            Words(f" by about {meaning.expected:.5g}"),
        )
        really: Cell = () if meaning.actual is None else (Words(f"(really {meaning.actual:.5g})"),)
        items.append(Item(words, remark=really))
    return Section("means", "Means", (), (ItemList(tuple(items)),)) if items else None
