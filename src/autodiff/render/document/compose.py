"""From an explanation to a document: what every format shows, in one order and in one wording.

>>> from autodiff.explanation.build import explain
>>> document = compose(explain("y = x^2; z = sin(y)", {"x": 4.0}))
>>> [section.title for section in document.sections]
['Forward', 'Graph', 'Backward', 'Answer', 'Checked', 'Means']
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module

from autodiff.diagnostics import shown
from autodiff.errors import excerpt
from autodiff.explanation.finite_differences import agreement
from autodiff.explanation.graph import Drawing
from autodiff.explanation.model import Difference, Explanation, FormulaText, Place, Slope
from autodiff.explanation.spellings import as_factor, product
from autodiff.notation.tex import tex_name
from autodiff.render.document import blocks
from autodiff.render.document.blocks import (
    PAGE,
    Cell,
    Column,
    Document,
    Equation,
    Item,
    NumberText,
    Section,
    TableRow,
    Words,
    joined,
    shortened_rows,
    term,
)
from autodiff.render.document.formulas import Leibniz, many, named, numbered, tex_value
from autodiff.render.document.slopes import bars_section, no_slope, slope_sections
from autodiff.render.text.elide import without_inputs
from autodiff.render.text.labels import fitted

_CHAIN = 10  # factors that are written as one product
_DETAILED = 4  # answers that are derived, and names that are said to move
_TITLE = 100  # characters of a title that LaTeX does not write
_LINE = 400  # columns of a program line
_LINES = 12  # lines at either end of a program
_VERTICES = 14  # of a drawing with all inputs
_STEP = "step"  # the kind of a place of the forward pass that is no input


def written(explanation: Explanation, form: str, *, fragment: bool = False) -> str:
    """The explanation as html, markdown or latex; a `fragment` is LaTeX to be included in a document."""
    writer = import_module(f"autodiff.render.document.{form}")
    text: str = getattr(writer, "fragment" if fragment else form)(explanation)
    return text


def compose(explanation: Explanation, limits: blocks.Limits = PAGE) -> Document:
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
    d = Leibniz(explanation.partial)
    return Document(
        heading=_heading(explanation, limits),
        slopes=tuple((d.slashed(explanation.result, name),) for name in explanation.wrt),
        point=tuple(_coordinate(name, value) for name, value in (explanation.at or {}).items()),
        program=_program(explanation.source),
        readings=tuple(map(str, explanation.readings)),
        sections=tuple(section for section in sections if section is not None),
        places=tuple(vertex.name for vertex in drawing_of(explanation).vertices),
    )


def _heading(explanation: Explanation, limits: blocks.Limits) -> Cell:
    title, result = explanation.title, explanation.result
    last = next((place for place in explanation.forward if place.kind == "result"), None)
    if last is not None and len(title.pretty) > _TITLE and len(last.text) <= _TITLE and _is_named(explanation, last):
        return _statement(last)
    if title.tex or (limits.titles and title.pretty):
        tex = f"{tex_name(result)} = {title.tex}" if title.tex else ""
        return (FormulaText(f"{result} = {title.formula}", f"{result} = {title.pretty}", tex),)
    if title.pretty and len(title.pretty) <= _TITLE:
        return named(result), " = ", blocks.CodeText(title.pretty)
    return named(result), f", a program of {many(len(explanation.forward), 'step')}"


def _is_named(explanation: Explanation, last: Place) -> bool:
    """Whether the last statement is made of names of the program, not of v1, v2, …"""
    names = set(re.findall(r"[^\W\d]\w*", last.text))
    steps = {place.name for place in explanation.forward if place.kind == _STEP}
    return bool(steps & names) and names <= set(re.findall(r"[^\W\d]\w*", explanation.source))


def _coordinate(name: str, value: float) -> Cell:
    line = f"{name} = {shown(value)}"
    return (FormulaText(line, line, rf"{tex_name(name)} = {tex_value(value)}"),)


def _program(source: str) -> blocks.SourceLines:
    lines = re.split(r"\r\n|\r|\n", source.expandtabs(4).strip("\r\n"))
    return blocks.SourceLines(tuple(map(str, shortened_rows(_line, lines, "lines", _LINES))))


def _line(line: str) -> str:
    return line if len(line) <= _LINE else fitted(line, _LINE)


# --- forward, graph -----------------------------------------------------------------------------------------------------


def _forward(explanation: Explanation, limits: blocks.Limits) -> Section:
    at_point = explanation.at is not None
    order = "work out each step, from the inputs to the result"
    sentence = order if at_point else "how the result is made, from the inputs on"
    long = len(explanation.forward) > 2 * limits.rows
    places = [place for place in explanation.forward if not (long and place.kind == "held")]
    columns = (Column(("step",), wide=True), Column(("what it does",)), Column(("value",), numeric=True))
    rows = shortened_rows(lambda place: _place(place, at_point=at_point), places, "steps", limits.rows)
    table = blocks.TableBlock(columns if at_point else columns[:2], rows, "the forward pass", "places")
    rest = _left_out(len(explanation.forward) - len(places), "held fixed not listed")
    return Section("forward", "Forward", (sentence,), (table, *rest))


def _left_out(inputs: int, how: str) -> Iterator[blocks.Paragraph]:
    """A remark on inputs that are not shown, if there are any."""
    if inputs:
        yield blocks.Paragraph((Words(f"{many(inputs, 'input')} {how}", "quiet"),))


def _place(place: Place, *, at_point: bool) -> TableRow:
    value = Words(place.why, "quiet") if place.value is None and place.why else NumberText(place.value)
    return TableRow((_statement(place), (place.does,), *([(value,)] if at_point else [])), place.name)


def _statement(place: Place) -> Cell:
    """`y = x^2`, or only the name of an input."""
    if place.kind in ("input", "held") or not (place.tex or place.text):
        return (named(place.name),)
    if place.tex:
        line = f"{place.name} = {place.text}"
        return (FormulaText(line, line, f"{tex_name(place.name)} = {place.tex}"),)
    return named(place.name), " = ", blocks.CodeText(place.text)


def drawing_of(explanation: Explanation) -> Drawing:
    """The graph as it is drawn: a larger one without the inputs of one step alone, which that step's formula names."""
    return without_inputs(explanation.drawing, _VERTICES)


def _graph(explanation: Explanation) -> Section:
    drawing = drawing_of(explanation)
    sentence = ("each arrow carries its local slope",) if any(arrow.slope for arrow in drawing.arrows) else ()
    left_out = len(explanation.drawing.vertices) - len(drawing.vertices)
    rest = _left_out(left_out, "not drawn: each is in the formula of its step")
    return Section("graph", "Graph", sentence, (blocks.GraphDrawing(drawing), *rest))


# --- the answer ---------------------------------------------------------------------------------------------------------


def _answer(explanation: Explanation, limits: blocks.Limits) -> Section:
    result, value = named(explanation.result), explanation.value
    if explanation.at is not None and value is None:
        return _no_value(explanation)
    if not explanation.slopes:
        number = (" = ", NumberText(value, whole=True)) if value is not None else ()
        words: Cell = (result, *number, ", and it has no inputs to differentiate by")
        return Section("answer", "Answer", (), (blocks.Paragraph(words),))
    detailed = len(explanation.slopes) <= _DETAILED
    rows = shortened_rows(
        lambda slope: _equation(explanation, slope, detailed=detailed), explanation.slopes, "slopes", limits.answers
    )
    alone = all(isinstance(row, blocks.Omitted) or len(row.rights) == 1 for row in rows)
    return Section("answer", "Answer", (), (blocks.Equations(rows, table=alone and not detailed),))


def _no_value(explanation: Explanation) -> Section:
    source, span = explanation.source, explanation.span
    where = (blocks.SourceLines(tuple(line.removeprefix("    ") for line in excerpt(source, span))),) if span else ()
    hint = (blocks.Paragraph((Words(explanation.hint, "quiet"),)),) if explanation.hint else ()
    parts = (blocks.Paragraph((Words(explanation.why, "bad"),)), *where, *hint)
    missing = " is not known here" if explanation.status == "unknown" else " has no value here"
    return Section("answer", "Answer", (named(explanation.result), missing), parts)


def _equation(explanation: Explanation, slope: Slope, *, detailed: bool) -> Equation:
    """The chain as d·/d·, as symbols, as one formula, as numbers: each once, those that add something."""
    d, answer, rights = Leibniz(explanation.partial), _number_or_formula(explanation, slope), list[Cell]()
    chain = slope.chain if detailed and 1 < len(slope.chain) <= _CHAIN else ()
    if chain:
        rights.append((product([d.ratio(factor.of, factor.by) for factor in chain], " "),))
        slopes = [factor.slope for factor in chain if factor.slope.formula != "1"]
        if slopes and all(factor.slope.formula for factor in chain):
            rights.append((product([as_factor(s) for s in slopes] if len(slopes) > 1 else slopes, " "),))
    if slope.short:
        because = (Words(f"   since {slope.because}", "quiet"),) if slope.because else ()
        rights.append((slope.short, *because))
    elif detailed and slope.formula and slope.value is not None and slope.formula.formula != shown(slope.value):
        rights += [(slope.formula,)] if _is_typed(explanation, slope.formula) else []
    if chain and all(factor.value is not None for factor in chain):
        terms = [term(NumberText(factor.value), first=i == 0) for i, factor in enumerate(chain)]
        rights.append(joined(terms, " × "))
    rights = [right for right in dict.fromkeys(rights) if right != answer]
    exists = explanation.at is None or slope.value is not None or answer == (NumberText(None),)
    left, note = d.ratio(explanation.result, slope.name), _note(explanation, slope)
    return Equation(left, (*rights, answer), note, slope.name, exists)


def _is_typed(explanation: Explanation, slope: FormulaText) -> bool:
    """Whether a formula has no function that neither the program has nor one of the local slopes."""
    factors = (step.factor.slope.formula for block in explanation.blocks for step in block.steps)
    known = set(re.findall(_FUNCTION, " ".join((explanation.title.formula, explanation.source, *factors))))
    return known.issuperset(re.findall(_FUNCTION, slope.formula))


_FUNCTION = r"\w+(?=\()"


def _number_or_formula(explanation: Explanation, slope: Slope) -> Cell:
    """What is asked for: the number, or without a point the formula."""
    if explanation.at is None:
        return (slope.formula or "too long for one line; see `autodiff diff`",)
    if slope.value is None:
        sides = next((side for side in explanation.sides if side.name == slope.name), None)
        return (NumberText(None) if sides is None else no_slope(sides),)
    return (slope.digits or slope.beyond or NumberText(slope.value, whole=True),)


def _note(explanation: Explanation, slope: Slope) -> str:
    """What to know about the number: that it is a convention, or why it is 0."""
    unsloped = {side.name: side.status != "ok" for side in explanation.sides}
    if slope.value is not None and explanation.convention and unsloped.get(slope.name):
        return f"{explanation.convention}'s convention"
    if slope.value == 0 and not slope.paths and slope.name not in unsloped:
        return f"{explanation.result} does not change with {slope.name}"
    return ""


# --- notice, update, checks, meaning ------------------------------------------------------------------------------------


def _listed(key: str, items: list[Item]) -> Section | None:
    return Section(key, key.capitalize(), (), (blocks.ItemList(tuple(items)),)) if items else None


def _notice(explanation: Explanation) -> Section | None:
    items, d = [], Leibniz(explanation.partial)
    for cancelling in explanation.cancelling:
        which = "steps 1 and 2 cancel:" if cancelling.steps == 2 else f"steps 1 to {cancelling.steps} cancel:"
        number: Cell = () if cancelling.value is None else (" = ", NumberText(cancelling.value))
        slope: Cell = (d.ratio(explanation.result, cancelling.by), " = ", cancelling.slope, *number)
        items.append(Item((which,), remark=slope))
    return _listed("notice", items)


def _update(explanation: Explanation, limits: blocks.Limits) -> Section | None:
    update = explanation.update
    if update is None:
        return None
    slopes: Mapping[str, float | None] = {slope.name: slope.value for slope in explanation.slopes}

    def moved(name: str) -> TableRow:
        old, new = update.names[name]
        return TableRow(numbered(name, [old, slopes.get(name), new]), name)

    after: Cell = ("none: it has no value there",) if update.after is None else (NumberText(update.after),)
    result = TableRow(((named(explanation.result),), (NumberText(update.before),), (), after))
    columns = (Column(("name",)), *(Column((head,), numeric=True) for head in ("old", "slope", "new")))
    rows: tuple[blocks.AnyRow, ...] = (*shortened_rows(moved, list(update.names), "names", limits.rows), result)
    rule = f"new = old - {shown(update.rate)} × slope"
    table = blocks.TableBlock(columns, rows, "one step of gradient descent", "update", rule)
    return Section("update", "Update", (), (table,))


def _checked(explanation: Explanation) -> Section | None:
    return _listed(
        "checked", [*_other_mode(explanation), *(_difference(explanation, row) for row in explanation.differences)]
    )


def _other_mode(explanation: Explanation) -> Iterator[Item]:
    done = [s for s in explanation.slopes if s.value is not None and s.forward is not None and s.ulps is not None]
    if done:
        worst = max(slope.ulps or 0.0 for slope in done)
        number: Cell = (NumberText(done[0].forward, whole=True),) if len(done) == 1 else ()
        mark = "good" if explanation.checked is not False else "bad"
        remark = f"{worst:g} ulp apart" if worst else "the same to the last digit"
        yield Item(("forward mode (dual numbers)",), number, (remark,), mark=mark)


def _difference(explanation: Explanation, row: Difference) -> Item:
    by: Cell = (" in ", named(row.name)) if len(explanation.differences) > 1 else ()
    if row.quotient is None or row.bound is None:
        return Item(("no nudge test", *by, ":"), remark=(row.why,), mark="none")
    slope = next(slope.value for slope in explanation.slopes if slope.name == row.name) or 0.0
    words: Cell = ("nudge test", *by, f", h = {row.step:.0e}")
    number = NumberText(float(f"{row.quotient:.12g}"), whole=True)
    return Item(words, (number,), (agreement(row, slope),), mark="good" if row.agrees else "doubt")


def _means(explanation: Explanation) -> Section | None:
    items = []
    for meaning in explanation.meanings[:_DETAILED]:
        by, about = f" by +{shown(meaning.step)} moves ", f" by about {meaning.expected:.5g}"
        words: Cell = ("moving ", named(meaning.name), by, named(explanation.result), about)
        really: Cell = () if meaning.actual is None else (f"(really {meaning.actual:.5g})",)
        items.append(Item(words, remark=really))
    return _listed("means", items)
