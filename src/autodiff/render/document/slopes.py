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
from autodiff.explanation.model import (
    ChainStep,
    Explanation,
    FormulaText,
    ModeRow,
    OneSidedRow,
    OneSidedSlopes,
    PathChain,
)
from autodiff.render.document import blocks
from autodiff.render.document.blocks import (
    AnyRow,
    Cell,
    Column,
    Item,
    NumberText,
    Omitted,
    Paragraph,
    RowHeading,
    Section,
    TableBlock,
    TableRow,
    Words,
    joined,
    listed,
    shortened_list,
    shortened_rows,
)
from autodiff.render.document.formulas import Leibniz, equation, many, named
from autodiff.render.document.modes import adjoint_at, both_modes, forward_mode

_SEVERAL = 3  # names at either end whose paths are listed, where many have several
_ROUTE = 3  # names at either end of a long path


def slope_sections(explanation: Explanation, limits: blocks.Limits) -> Iterator[Section]:
    if explanation.at is not None and explanation.value is None:
        return
    if explanation.sides:
        yield _special_point(explanation, limits)
    if explanation.mode == "both" and explanation.rows and explanation.wrt:
        yield both_modes(explanation, limits)
    elif explanation.mode == "forward" and explanation.rows:
        yield forward_mode(explanation, limits)
    elif explanation.blocks:
        yield _backward(explanation, limits)
    elif not explanation.sides and explanation.notes and any(slope.value for slope in explanation.slopes):
        first, *others = explanation.notes
        yield Section("backward", "Backward", (first,), tuple(Paragraph((note,)) for note in others))


# --- backward -----------------------------------------------------------------------------------------------------------


def _backward(explanation: Explanation, limits: blocks.Limits) -> Section:
    chains: dict[str, list[PathChain]] = {}
    for block in explanation.blocks:
        chains.setdefault(block.to, []).append(block)
    names = shortened_list(list(chains), "names, each with its own paths", _SEVERAL)
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
    columns = [Column(()), Column(("rule",)), Column(("local slope",), wide=True)]
    if explanation.at is not None:
        columns += [Column(("number",), numeric=True), Column(("product so far",), numeric=True)]
    table = TableBlock((*columns, Column(("=",))), tuple(rows), "the chain rule, factor by factor", "steps")
    return Section("backward", "Backward", _route_in_words(explanation), (table, *_adjoints(explanation, limits)))


_HALF = 16  # signs of the longest bar


def bars_section(explanation: Explanation) -> Section | None:
    """The factors as bars on a logarithmic scale: to the left those below 1, to the right those above; then what is extreme."""
    if not explanation.bars:
        return None
    d, rows = Leibniz(explanation.partial), []
    longest = max((abs(bar.size) for bar in explanation.bars if bar.size is not None), default=0.0)
    scale = _HALF / max(longest, 1.0)
    for bar in explanation.bars:
        length = _HALF if bar.size is None else round(abs(bar.size) * scale)
        below = bar.size is None or bar.size < 0
        drawn = f"{'=' * length:>{_HALF}}|" if below else f"{'':{_HALF}}|{'=' * length}"
        cells = ((bar.label,), (d.ratio(bar.of, bar.by),), (NumberText(bar.value),), (blocks.CodeText(drawn),))
        rows.append(TableRow(cells, bar.by, (bar.by, bar.of)))
    columns = (Column(()), Column(("factor",)), Column(("number",), numeric=True), Column(("below 1 | above 1",)))
    table = TableBlock(columns, tuple(rows), "the factors as bars", "bars")
    remarks = dict.fromkeys(f"step {bar.label}: {bar.remark}" for bar in explanation.bars if bar.remark)
    items = tuple(Item((remark,), mark="doubt") for remark in remarks)
    sentence = f"each factor on a logarithmic scale; the longest bar is a factor of 10^{longest:.1f}"
    return Section("bars", "Bars", (sentence,), (table, *([blocks.ItemList(items)] if items else [])))


def _route_in_words(explanation: Explanation) -> Cell:
    """How the chain rule goes here, in a sentence."""
    first, result = explanation.blocks[0], explanation.result
    if first.path:
        listed_names = {block.to for block in explanation.blocks}
        slope = next(s for s in explanation.slopes if s.name in listed_names and s.paths > 1)
        along = f" along {slope.paths:,} paths: multiply along each, then add"
        return named(slope.name), " reaches ", named(result), along
    forked = [step for step in first.steps if not step.label.isdigit()]
    if not forked:
        start = Leibniz(explanation.partial).slashed(result, result)
        start = FormulaText(*(f"{text} = 1" for text in start))
        return "start from ", start, "; each step multiplies by one local slope"
    shared = len(first.steps) - len(forked)
    names = [(named(slope.name),) for slope in explanation.slopes if slope.paths]
    if not shared:
        return "start from ", named(result), "; each of ", *listed(names, 6), " takes its own way"
    begin = f"steps 1-{shared} are" if shared > 1 else "step 1 is"
    which = listed(names, 6) if len(names) <= 6 else (f"all {len(names):,} names",)
    own = "its own last step" if len(forked) == len(names) else "its own steps"
    return f"{begin} the same for ", *which, f"; then each takes {own}"


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
    words = f"+ {len(folded):,} more that are plain sums, with the slope of their sum: "
    return [step for step in steps if step not in folded], [RowHeading("", (words, *names), "note")]


def _start(explanation: Explanation) -> TableRow:
    ones: list[Cell] = [(NumberText(1.0),), (NumberText(1.0),)] if explanation.at is not None else []
    own = (Leibniz(explanation.partial).ratio(explanation.result, explanation.result),)
    return TableRow((("0",), ("start",), own, *ones, own), explanation.result)


def _steps(explanation: Explanation, steps: Sequence[ChainStep], most: int, total: str = "") -> Sequence[AnyRow]:
    """Steps of one chain; what the last one comes to is called `total` where it is one of several paths."""
    last = steps[-1] if steps else None
    return shortened_rows(lambda step: _step(explanation, step, total if step is last else ""), steps, "steps", most)


def _step(explanation: Explanation, step: ChainStep, total: str) -> TableRow:
    factor, d = step.factor, Leibniz(explanation.partial)
    local = equation(d.ratio(factor.of, factor.by), factor.slope)
    if factor.fixed:  # `df/dx, s fixed = s`: a slope that holds still what changes too
        still = named(factor.fixed[0]) if len(factor.fixed) == 1 else "the others"
        right: Cell = (" fixed = ", factor.slope) if factor.slope.formula else (" fixed",)
        local = (d.ratio(factor.of, factor.by), ", ", still, *right)
    numbers: list[Cell] = (
        [(factor.beyond or NumberText(factor.value),), (step.beyond or NumberText(step.so_far),)]
        if explanation.at is not None
        else []
    )
    whole: Cell = (d.ratio(explanation.result, factor.by),) if step.whole else ()
    cells = ((step.label,), (factor.rule,), local, *numbers, (Words(total, "quiet"),) if total else whole)
    return TableRow(cells, factor.by, (factor.by, factor.of), step.answer)


def _paths(explanation: Explanation, name: str, chains: Sequence[PathChain], most: int) -> Iterator[AnyRow]:
    slope = next(s for s in explanation.slopes if s.name == name)
    if len({block.to for block in explanation.blocks}) > 1:
        yield RowHeading("to", (named(name), f": {many(slope.paths, 'path')}"), "name")
    if slope.paths > slope.listed:
        which = "the largest" if explanation.at is not None else "the first"
        below = "; every adjoint stands below" if explanation.rows else ""
        yield RowHeading("", (Words(f"{which} {slope.listed} of {slope.paths:,} paths{below}", "quiet"),), "note")
    for i, chain in enumerate(chains, start=1):
        if slope.paths > 1:
            yield RowHeading(f"path {i}:", _route(chain.path), "path")
        yield from _steps(explanation, chain.steps, most, f"path {i} total" if slope.paths > 1 else "")
    if slope.value is not None and 1 < slope.paths == slope.listed:
        terms = tuple(chain.beyond or NumberText(chain.total) for chain in chains)
        ratio = Leibniz(explanation.partial).ratio(explanation.result, name)
        yield blocks.PathSum(terms, slope.beyond or NumberText(slope.value), ratio)


def _route(path: Sequence[str]) -> Cell:
    stops = shortened_list(path, most=_ROUTE)
    return joined([(f"… {s.number:,} more …" if isinstance(s, Omitted) else named(s),) for s in stops], " → ")


def _adjoints(explanation: Explanation, limits: blocks.Limits) -> Iterator[TableBlock | Paragraph]:
    """The slope of the result in every place, the last places first: what reverse mode computes in one sweep."""
    listed_names = {block.to for block in explanation.blocks if block.path}
    shortened = (slope.name in listed_names and slope.paths > slope.listed for slope in explanation.slopes)
    if not explanation.rows or not any(shortened):
        return
    d = Leibniz(explanation.partial)

    def adjoint(row: ModeRow) -> TableRow:
        ratio, number = d.ratio(explanation.result, row.name), NumberText(adjoint_at(explanation, row))
        return TableRow(((ratio,), (NumberText(row.value),), (number,)), row.name)

    columns = (
        Column(("adjoint of",)),
        Column(("place's value",), numeric=True, optional="values"),
        Column(("adjoint",), numeric=True),
    )
    sentence = "adjoints: each is the sum, over what it goes into, of adjoint × local slope"
    yield Paragraph((Words(sentence, "strong"),))
    yield TableBlock(
        columns, shortened_rows(adjoint, explanation.rows[::-1], "places", limits.answers), "adjoints", "modes"
    )


# --- special points -----------------------------------------------------------------------------------------------------

_TITLES = {
    "corner": ("Corner", ""), "jump": ("Jump", ""), "infinite": ("Infinite slope", "INFINITE"), "unknown": ("Unknown", ""),
}  # fmt: skip


def _special_point(explanation: Explanation, limits: blocks.Limits) -> Section:
    rows = (row for side in shortened_list(explanation.sides, "names", limits.rows) for row in _side(explanation, side))
    columns = (Column(("slope",)), *(Column((side,), numeric=True) for side in ("left", "right")), Column(("so",)))
    why = [explanation.why] if any(side.status != "ok" for side in explanation.sides) else []
    notes = (Paragraph((Words(note, "bad") if note in why else note,)) for note in (*why, *explanation.notes) if note)
    table = TableBlock(columns, tuple(rows), "the slopes from either side", "sides")
    sentence = "slopes from the left and from the right, one input at a time"
    title, brief = _TITLES.get(explanation.status, ("Both sides", ""))
    return Section("hard", title, (sentence,), (table, *dict.fromkeys(notes)), brief)


def _side(explanation: Explanation, side: OneSidedSlopes | Omitted) -> Iterator[AnyRow]:
    """Both sides from an input to the result, place by place, and what follows."""
    if isinstance(side, Omitted):
        yield side
        return
    trace = side.trace or (OneSidedRow(explanation.result, side.left, side.right),)
    for row in trace:
        ratio = Leibniz(explanation.partial).ratio(row.name, side.name)
        verdict: Cell = (_verdict(side),) if row is trace[-1] else ()
        yield TableRow(((ratio,), (NumberText(row.left),), (NumberText(row.right),), verdict), row.name)


def _verdict(side: OneSidedSlopes) -> Words:
    if side.status == "ok":
        return Words("only one side" if side.left is None or side.right is None else "equal: the slope", "good")
    return Words({"corner": "they differ", "jump": "a jump"}.get(side.status, side.status), "bad")


def no_slope(side: OneSidedSlopes) -> str | NumberText:
    """That the slope does not exist, and what it is on either side."""
    if side.status != "corner" or side.left is None or side.right is None:
        return NumberText(None)
    left, right = _side_number(side.left), _side_number(side.right)
    return f"does not exist: {left} from the left, {right} from the right"


def _side_number(number: float) -> str:
    return shown(number) if math.isfinite(number) else "-∞" if number < 0 else "∞"
