"""The sections that explain how the slopes come about: backward, in both modes, forward, and on both sides of a special point.

>>> from autodiff.explanation.build import explain
>>> from autodiff.render.document.blocks import PAGE
>>> [section.title for section in slope_sections(explain("abs(x)", {"x": 0.0}), PAGE)]
['Corner']
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from autodiff.diagnostics import shown
from autodiff.explanation.model import ChainStep, Explanation, Factor, ModeRow, OneSidedRow, OneSidedSlopes, PathChain
from autodiff.render.document.blocks import (
    AnyRow,
    Cell,
    CodeText,
    Column,
    Item,
    ItemList,
    Limits,
    Math,
    NumberText,
    Omitted,
    Paragraph,
    PathSum,
    RowHeading,
    Section,
    TableBlock,
    TableRow,
    Words,
    ends,
    joined,
    listed,
)
from autodiff.render.document.formulas import (
    differential,
    equation,
    formula,
    many,
    named,
    numbered,
    ratio,
    slashed,
)
from autodiff.render.text.labels import fitted

_SEVERAL = 3  # names at either end whose paths are listed, where many have several
_ROUTE = 3  # names at either end of a long path


def slope_sections(explanation: Explanation, limits: Limits) -> Iterator[Section]:
    if explanation.at is not None and explanation.value is None:
        return
    if explanation.sides:
        yield _hard(explanation, limits)
    if explanation.mode == "both" and explanation.rows and explanation.wrt:
        yield _both(explanation, limits)
    elif explanation.mode == "forward" and explanation.rows:
        yield _tangents(explanation, limits)
    elif explanation.blocks:
        yield _backward(explanation, limits)
    elif not explanation.sides and explanation.notes and any(slope.value for slope in explanation.slopes):
        first, *others = explanation.notes
        yield Section("backward", "Backward", (Words(first),), tuple(Paragraph((Words(note),)) for note in others))


# --- backward -----------------------------------------------------------------------------------------------------------


def _backward(explanation: Explanation, limits: Limits) -> Section:
    chains: dict[str, list[PathChain]] = {}
    for block in explanation.blocks:
        chains.setdefault(block.to, []).append(block)
    names = ends(list(chains), "names, each with its own paths", _SEVERAL)
    number = sum(len(chains[name]) for name in names if isinstance(name, str))
    most = max(1, min(limits.rows, limits.steps // number))
    rows: list[AnyRow] = []
    for name in names:
        if isinstance(name, Omitted):
            rows.append(name)
        elif chains[name][0].path:
            rows += _paths(explanation, name, chains[name], most)
        else:
            steps, plain = _plain_sums(chains[name][0].steps)
            rows += [_start(explanation), *_steps(explanation, steps, limits.rows), *plain]
    columns = [Column(()), Column((Words("rule"),)), Column((Words("local slope"),), wide=True)]
    if explanation.at is not None:
        columns += [Column((Words("number"),), numeric=True), Column((Words("product so far"),), numeric=True)]
    table = TableBlock((*columns, Column((Words("="),))), tuple(rows), "the chain rule, factor by factor", "steps")
    return Section("backward", "Backward", _route_in_words(explanation), (table, *_adjoints(explanation, limits)))


_HALF = 16  # signs of the longest bar


def bars_section(explanation: Explanation) -> Section | None:
    """The factors as bars on a logarithmic scale: to the left those below 1, to the right those above; then what is extreme."""
    if not explanation.bars:
        return None
    longest = max((abs(bar.size) for bar in explanation.bars if bar.size is not None), default=0.0)
    scale = _HALF / max(longest, 1.0)
    rows = []
    for bar in explanation.bars:
        length = _HALF if bar.size is None else round(abs(bar.size) * scale)
        below = bar.size is None or bar.size < 0
        drawn = f"{'=' * length:>{_HALF}}|" if below else f"{'':{_HALF}}|{'=' * length}"
        factor = ratio(bar.of, bar.by, partial=explanation.partial)
        cells: tuple[Cell, ...] = ((Words(bar.label),), (factor,), (NumberText(bar.value),), (CodeText(drawn),))
        rows.append(TableRow(cells, bar.by, (bar.by, bar.of)))
    columns = (
        Column(()),
        Column((Words("factor"),)),
        Column((Words("number"),), numeric=True),
        Column((Words("below 1 | above 1"),)),
    )
    table = TableBlock(columns, tuple(rows), "the factors as bars", "bars")
    remarks = dict.fromkeys(f"step {bar.label}: {bar.remark}" for bar in explanation.bars if bar.remark)
    items = tuple(Item((Words(remark),), mark="doubt") for remark in remarks)
    sentence = f"each factor on a logarithmic scale; the longest bar is a factor of 10^{longest:.1f}"
    return Section("bars", "Bars", (Words(sentence),), (table, *([ItemList(items)] if items else [])))


def _route_in_words(explanation: Explanation) -> Cell:
    """How the chain rule goes here, in a sentence."""
    first, result = explanation.blocks[0], explanation.result
    if first.path:
        listed_names = {block.to for block in explanation.blocks}
        slope = next(s for s in explanation.slopes if s.name in listed_names and s.paths > 1)
        along = (Words(" along "), Words(f"{slope.paths:,} paths: multiply along each, then add"))
        return named(slope.name), Words(" reaches "), named(result), *along
    forked = [step for step in first.steps if not step.label.isdigit()]
    if not forked:
        start = slashed(result, result, partial=explanation.partial)
        start = Math(f"{start.tex} = 1", f"{start.line} = 1", f"{start.typed} = 1")
        return Words("start from "), start, Words("; each step multiplies by one local slope")
    shared = len(first.steps) - len(forked)
    names = [(named(slope.name),) for slope in explanation.slopes if slope.paths]
    if not shared:
        return Words("start from "), named(result), Words("; each of "), *listed(names, 6), Words(" takes its own way")
    begin = f"steps 1-{shared} are" if shared > 1 else "step 1 is"
    which = listed(names, 6) if len(names) <= 6 else (Words(f"all {len(names):,} names"),)
    own = "its own last step" if len(forked) == len(names) else "its own steps"
    return Words(f"{begin} the same for "), *which, Words(f"; then each takes {own}")


_PLAIN = 2
"""Names of one sum that each have a row; further ones have one row for all."""


def _plain_sums(steps: Sequence[ChainStep]) -> tuple[list[ChainStep], list[RowHeading]]:
    """The steps without those that are one more term of a sum each, and the line that names these."""
    terms: dict[str, list[ChainStep]] = {}
    for step in steps:
        if step.answer and step.factor.rule == "sum rule" and step.factor.slope.formula == "1":
            terms.setdefault(step.factor.of, []).append(step)
    folded = [step for group in terms.values() if len(group) > _PLAIN + 1 for step in group[_PLAIN:]]
    if not folded:
        return list(steps), []
    names = listed([(named(step.factor.by),) for step in folded], 6)
    line = RowHeading(
        "", (Words(f"+ {len(folded):,} more that are plain sums, with the slope of their sum: "), *names), "note"
    )
    return [step for step in steps if step not in folded], [line]


def _start(explanation: Explanation) -> TableRow:
    ones: list[Cell] = [(NumberText(1.0),), (NumberText(1.0),)] if explanation.at is not None else []
    own = (ratio(explanation.result, explanation.result, partial=explanation.partial),)
    return TableRow(((Words("0"),), (Words("start"),), own, *ones, own), explanation.result)


def _steps(explanation: Explanation, steps: Sequence[ChainStep], most: int, total: str = "") -> Iterator[AnyRow]:
    """Steps of one chain; what the last one comes to is called `total` where it is one of several paths."""
    for step in ends(steps, "steps", most):
        yield step if isinstance(step, Omitted) else _step(explanation, step, total if step is steps[-1] else "")


def _step(explanation: Explanation, step: ChainStep, total: str) -> TableRow:
    factor = step.factor
    cells: list[Cell] = [(Words(step.label),), (Words(factor.rule),), _local(factor, partial=explanation.partial)]
    if explanation.at is not None:
        cells += [(NumberText(factor.value),), (NumberText(step.so_far),)]
    whole: Cell = (ratio(explanation.result, factor.by, partial=explanation.partial),) if step.whole else ()
    cells.append((Words(total, "quiet"),) if total else whole)
    return TableRow(tuple(cells), factor.by, (factor.by, factor.of), step.answer)


def _local(factor: Factor, *, partial: bool) -> Cell:
    """`dz/dy = cos(y)`, or `df/dx, s fixed = s` for a slope that holds still what changes too."""
    left = ratio(factor.of, factor.by, partial=partial)
    if not factor.fixed:
        return equation(left, factor.slope)
    still: Cell = (named(factor.fixed[0]),) if len(factor.fixed) == 1 else (Words("the others"),)
    right: Cell = (formula(factor.slope),) if factor.slope.formula else ()
    return (left, Words(", "), *still, Words(" fixed = " if right else " fixed"), *right)


def _paths(explanation: Explanation, name: str, chains: Sequence[PathChain], most: int) -> Iterator[AnyRow]:
    slope = next(s for s in explanation.slopes if s.name == name)
    if len({block.to for block in explanation.blocks}) > 1:
        yield RowHeading("to", (named(name), Words(f": {many(slope.paths, 'path')}")), "name")
    if slope.paths > slope.listed:
        which = "the largest" if explanation.at is not None else "the first"
        below = "; every adjoint stands below" if explanation.rows else ""
        yield RowHeading("", (Words(f"{which} {slope.listed} of {slope.paths:,} paths{below}", "quiet"),), "note")
    for i, chain in enumerate(chains, start=1):
        if slope.paths > 1:
            yield RowHeading(f"path {i}:", _route(chain.path), "path")
        yield from _steps(explanation, chain.steps, most, f"path {i} total" if slope.paths > 1 else "")
    if slope.value is not None and 1 < slope.paths == slope.listed:
        terms = tuple(NumberText(chain.total) for chain in chains)
        yield PathSum(terms, NumberText(slope.value), ratio(explanation.result, name, partial=explanation.partial))


def _route(path: Sequence[str]) -> Cell:
    names: list[Cell] = [
        (Words(f"… {stop.number:,} more …"),) if isinstance(stop, Omitted) else (named(stop),)
        for stop in ends(path, most=_ROUTE)
    ]
    return joined(names, " → ")


def _adjoints(explanation: Explanation, limits: Limits) -> Iterator[TableBlock | Paragraph]:
    """The slope of the result in every place, the last places first: what reverse mode computes in one sweep."""
    listed_names = {block.to for block in explanation.blocks if block.path}
    if not explanation.rows or not any(
        slope.name in listed_names and slope.paths > slope.listed for slope in explanation.slopes
    ):
        return
    sentence = "adjoints: each is the sum, over what it goes into, of adjoint × local slope"
    yield Paragraph((Words(sentence, "strong"),))
    rows = (
        row
        if isinstance(row, Omitted)
        else TableRow(
            (
                (ratio(explanation.result, row.name, partial=explanation.partial),),
                (NumberText(row.value),),
                (NumberText(_adjoint(explanation, row)),),
            ),
            row.name,
        )
        for row in ends(list(reversed(explanation.rows)), "places", limits.answers)
    )
    columns = (
        Column((Words("adjoint of"),)),
        Column((Words("place's value"),), numeric=True, optional="values"),
        Column((Words("adjoint"),), numeric=True),
    )
    yield TableBlock(columns, tuple(rows), "adjoints", "modes")


# --- both modes, forward mode -------------------------------------------------------------------------------------------


def _both(explanation: Explanation, limits: Limits) -> Section:
    names = list(explanation.rows[0].tangents)
    single, result = len(names) == 1, explanation.result
    tangents = "" if single else "tangents"
    columns = [
        *_PLACES,
        *(
            Column(
                (Words("forward ↓ "), _by(explanation, name)),
                numeric=True,
                brief=f"↓ {_d(explanation)}/{_d(explanation)}{fitted(name, 8)}",
                optional=tangents,
            )
            for name in names
        ),
        Column(
            (Words("backward ↑ "), _of(explanation)),
            numeric=True,
            brief=f"↑ {_d(explanation)}{fitted(result, 6)}/{_d(explanation)}·",
        ),
    ]
    columns += [Column((Words("product"),), numeric=True, optional="products")] if single else []
    rows: list[AnyRow] = []
    for row in ends(explanation.rows, "places", limits.rows):
        if isinstance(row, Omitted):
            rows.append(row)
            continue
        adjoint = _adjoint(explanation, row)
        numbers = [row.value, *(row.tangents[name] for name in names), adjoint]
        numbers += [_times(row.tangents[names[0]], adjoint)] if single else []
        rows.append(TableRow(numbered(row.name, numbers), row.name))
    sentence = "the same slopes on the way up and on the way down"
    table = TableBlock(tuple(columns), tuple(rows), "both modes side by side", "modes")
    return Section("modes", "Both modes", (Words(sentence),), (table, _reading(explanation)), "BOTH")


_PLACES = (Column((Words("node"),)), Column((Words("value"),), numeric=True))


def _d(explanation: Explanation) -> str:
    return "∂" if explanation.partial else "d"


def _by(explanation: Explanation, name: str) -> Math:
    sign, d = (r"\partial" if explanation.partial else r"\mathrm{d}"), _d(explanation)
    return Math(f"{sign}/{differential(name, partial=explanation.partial)}", f"{d}/{d}{name}", f"d/d{name}")


def _of(explanation: Explanation) -> Math:
    sign, d, result = (r"\partial" if explanation.partial else r"\mathrm{d}"), _d(explanation), explanation.result
    tex = rf"{differential(result, partial=explanation.partial)}/{sign}\cdot"
    return Math(tex, f"{d}{result}/{d}·", f"d{result}/d·")


def _adjoint(explanation: Explanation, row: ModeRow) -> float | None:
    """The adjoint of a place; an input at a special point has none, though the sweep has a number for it."""
    hard = any(side.name == row.name and side.status != "ok" for side in explanation.sides)
    return None if hard and not explanation.convention else row.adjoint


def _times(tangent: float | None, adjoint: float | None) -> float | None:
    return None if tangent is None or adjoint is None else tangent * adjoint


def _reading(explanation: Explanation) -> ItemList:
    cost = explanation.cost
    d = _d(explanation)
    down = f"forward mode carries {d}/{d}· beside each value (a dual number), one sweep per input."
    spent = (
        f"{many(cost.inputs, 'input')}, 1 output: forward {many(cost.forward_sweeps, 'sweep')} and "
        f"{many(cost.forward_products, 'product')}, reverse {many(cost.reverse_sweeps, 'sweep')} and "
        f"{many(cost.reverse_products, 'product')}."
    )
    up: Cell = (
        Words("reverse mode carries "),
        _of(explanation),
        Words(" back from the result, one sweep for all inputs."),
    )
    items = [
        Item((Words(down),), label="Read down:"),
        Item(up, label="Read up:"),
        Item((Words(spent),), label="Cost:"),
        Item((Words("With 1000 inputs: forward 1000 sweeps, reverse 1."),)),
        *(Item((Words(f"{words}."),)) for words in _not_made(explanation)),
    ]
    return ItemList(tuple(items))


def _not_made(explanation: Explanation) -> Iterator[str]:
    more = len(explanation.wrt) - len(explanation.rows[0].tangents)
    if more > 0:
        yield f"{many(more, 'more column')} of tangents not made"


def _tangents(explanation: Explanation, limits: Limits) -> Section:
    names = list(explanation.rows[0].tangents)
    heads = (
        Column(
            (_by(explanation, name),),
            numeric=True,
            brief=f"{_d(explanation)}/{_d(explanation)}{fitted(name, 9)}",
            optional="tangents",
        )
        for name in names
    )
    rows = (
        row
        if isinstance(row, Omitted)
        else TableRow(numbered(row.name, [row.value, *(row.tangents[name] for name in names)]), row.name)
        for row in ends(explanation.rows, "places", limits.rows)
    )
    table = TableBlock((*_PLACES, *heads), tuple(rows), "values and tangents", "modes")
    rest = (Paragraph((Words(words, "quiet"),)) for words in _not_made(explanation))
    sentence = "forward mode: each number and its slope, on the way up"
    return Section("modes", "Tangents", (Words(sentence),), (table, *rest))


# --- special points --------------------------------------------------------------------------------------------------------

_TITLES = {
    "corner": ("Corner", ""), "jump": ("Jump", ""), "infinite": ("Infinite slope", "INFINITE"), "unknown": ("Unknown", ""),
}  # fmt: skip


def _hard(explanation: Explanation, limits: Limits) -> Section:
    rows = (row for side in ends(explanation.sides, "names", limits.rows) for row in _side(explanation, side))
    columns = (
        Column((Words("slope"),)),
        Column((Words("left"),), numeric=True),
        Column((Words("right"),), numeric=True),
        Column((Words("so"),)),
    )
    why = [explanation.why] if any(side.status != "ok" for side in explanation.sides) else []
    notes = (Paragraph((Words(words, "bad" if words in why else ""),)) for words in (*why, *explanation.notes) if words)
    table = TableBlock(columns, tuple(rows), "the slopes from either side", "sides")
    sentence = "slopes from the left and from the right, one input at a time"
    title, brief = _TITLES.get(explanation.status, ("Both sides", ""))
    return Section("hard", title, (Words(sentence),), (table, *dict.fromkeys(notes)), brief)


def _side(explanation: Explanation, side: OneSidedSlopes | Omitted) -> Iterator[AnyRow]:
    """Both sides from an input to the result, place by place, and what follows."""
    if isinstance(side, Omitted):
        yield side
        return
    trace = side.trace or (OneSidedRow(explanation.result, side.left, side.right),)
    for row in trace:
        verdict: Cell = (_verdict(side),) if row is trace[-1] else ()
        yield TableRow(
            (
                (ratio(row.name, side.name, partial=explanation.partial),),
                (NumberText(row.left),),
                (NumberText(row.right),),
                verdict,
            ),
            row.name,
        )


def _verdict(side: OneSidedSlopes) -> Words:
    if side.status == "ok":
        return Words("only one side" if side.left is None or side.right is None else "equal: the slope", "good")
    if side.status == "corner":
        return Words("they differ", "bad")
    return Words({"jump": "a jump"}.get(side.status, side.status), "bad")


NO_SLOPE = "does not exist"


def no_slope(side: OneSidedSlopes) -> Words | NumberText:
    """That the slope does not exist, and what it is on either side."""
    if side.status != "corner" or side.left is None or side.right is None:
        return NumberText(None)
    left, right = _side_number(side.left), _side_number(side.right)
    return Words(f"{NO_SLOPE}: {left} from the left, {right} from the right")


def _side_number(number: float) -> str:
    return shown(number) if math.isfinite(number) else "-∞" if number < 0 else "∞"
