"""The section of a page that says how the slopes come about: backward, in both modes, forward, or beside a hard point.

>>> from autodiff.explanation.build import explain
>>> [section.title for section in slope_sections(explain("abs(x)", {"x": 0.0}))]
['Corner']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autodiff.explanation.model import Beside, Block, Explanation, Factor, Side, Slope, Step
from autodiff.explanation.model import Row as Line
from autodiff.render.document.formulas import (
    differential,
    formula,
    joined,
    listed,
    many,
    named,
    numbered,
    ratio,
    slashed,
    term,
)
from autodiff.render.document.model import (
    Cell,
    Code,
    Column,
    Group,
    Items,
    Math,
    More,
    Number,
    Paragraph,
    Row,
    Section,
    Table,
    Words,
    ends,
)

_SEVERAL = 3  # names at either end whose paths are listed, where many have several
_STEPS = 36  # steps at either end of all paths together


def slope_sections(it: Explanation) -> Iterator[Section]:
    if it.at is not None and it.value is None:
        return
    if it.sides:
        yield _hard(it)
    if it.mode == "both" and it.rows and it.wrt:
        yield _both(it)
    elif it.mode == "forward" and it.rows:
        yield _trace(it)
    elif it.blocks:
        yield _backward(it)
    elif not it.sides and it.notes and any(slope.value for slope in it.slopes):
        yield Section("backward", "Backward", (), tuple(Paragraph((Words(f"{note}."),)) for note in it.notes))


def _backward(it: Explanation) -> Section:
    names = list(dict.fromkeys(block.to for block in it.blocks))
    rows: list[Row | Group | More] = []
    few = ends(names, "names with paths of their own", _SEVERAL if it.blocks[0].path else 12)
    for name in few:
        if isinstance(name, More):
            rows.append(name)
            continue
        mine = [block for block in it.blocks if block.to == name]
        rows += (
            _paths(it, name, mine, max(2, _STEPS // (len(mine) * len(few))))
            if mine[0].path
            else [_start(it), *_steps(it, mine[0].steps, 12)]
        )
    numbers = it.at is not None
    columns = [Column(()), Column((Words("rule"),)), Column((Words("local slope"),), wide=True)]
    if numbers:
        columns += [Column((Words("its value"),), numeric=True), Column((Words("so far"),), numeric=True)]
    table = Table((*columns, Column((Words("which is"),))), tuple(rows), "the chain rule, factor by factor", "steps")
    return Section("backward", "Backward", _road(it), (table, *_adjoints(it)))


def _road(it: Explanation) -> Cell:
    """How the chain rule goes here, in a sentence."""
    first = it.blocks[0]
    if first.path:
        slope = next(s for s in it.slopes if s.name == first.to)
        sums = "the sum over" if slope.paths != 1 else "the product along"
        return Words("so "), slashed(it.result, first.to), Words(f" is {sums} {many(slope.paths, 'path')}")
    forked = [step for step in first.steps if not step.label.isdigit()]
    if not forked:
        one = slashed(it.result, it.result)
        start = Math(f"{one.tex} = 1", f"{one.line} = 1")
        return Words("start from "), start, Words("; each step multiplies by one local slope")
    shared = len(first.steps) - len(forked)
    begin = f"steps 1-{shared} are shared; " if shared > 1 else "step 1 is shared; " if shared else ""
    names = listed([(named(slope.name),) for slope in it.slopes if slope.paths], 6)
    return Words(f"{begin}at "), named(forked[0].factor.of), Words(" the road forks, to "), *names


def _start(it: Explanation) -> Row:
    one: list[Cell] = [(Number(1.0),), (Number(1.0),)] if it.at is not None else []
    own = (ratio(it.result, it.result),)
    return Row(((Words("0"),), (Words("start"),), own, *one, own), it.result)


def _steps(it: Explanation, steps: Sequence[Step], each: int, total: str = "") -> Iterator[Row | More]:
    """Steps of one chain; what the last one comes to is called `total` where it is one of several paths."""
    for step in ends(steps, "steps", each):
        yield step if isinstance(step, More) else _step(it, step, total if step is steps[-1] else "")


def _step(it: Explanation, step: Step, total: str) -> Row:
    factor = step.factor
    cells: list[Cell] = [(Words(step.label),), (Words(factor.rule),), _local(factor)]
    if it.at is not None:
        cells += [(Number(factor.value),), (Number(step.so_far),)]
    whole: Cell = (ratio(it.result, factor.by),) if step.whole else ()
    cells.append((Words(total, "quiet"),) if total else whole)
    return Row(tuple(cells), factor.by, (factor.by, factor.of), step.answer)


def _local(factor: Factor) -> Cell:
    left = ratio(factor.of, factor.by)
    if factor.fixed:
        return _partial(left, factor)
    if factor.slope.tex:
        return (Math(f"{left.tex} = {factor.slope.tex}", f"{left.line} = {factor.slope.pretty}"),)
    return (left, Words(" = "), Code(factor.slope.pretty)) if factor.slope.pretty else (left,)


def _partial(left: Math, factor: Factor) -> Cell:
    """`df/dx, s fixed = s`: a slope that holds still what changes too."""
    still: Cell = (named(factor.fixed[0]),) if len(factor.fixed) == 1 else (Words("the others"),)
    found: Cell = (formula(factor.slope),) if factor.slope.formula else ()
    return (left, Words(", "), *still, Words(" fixed = " if found else " fixed"), *found)


def _paths(it: Explanation, name: str, blocks: Sequence[Block], each: int) -> Iterator[Row | Group | More]:
    slope = next(s for s in it.slopes if s.name == name)
    if len({block.to for block in it.blocks}) > 1:
        yield Group((Words("to ", "strong"), named(name), Words(f": {many(slope.paths, 'path')}", "strong")))
    if slope.paths > slope.listed:
        said = "the largest" if it.at is not None else "the first"
        below = "; every adjoint stands below" if it.rows else ""
        yield Group((Words(f"{said} {slope.listed} of {slope.paths:,} paths{below}", "quiet"),))
    for i, block in enumerate(blocks, start=1):
        if slope.paths > 1:
            yield Group((Words(f"path {i}: ", "strong"), *_route(block.path)))
        yield from _steps(it, block.steps, each, f"path {i} total" if slope.paths > 1 else "")
    if slope.value is not None and 1 < slope.paths == slope.listed:
        yield _sum(it, slope, blocks)


def _route(path: Sequence[str]) -> Cell:
    names: list[Cell] = [
        (Words(f"… {stop.count:,} more …"),) if isinstance(stop, More) else (named(stop),)
        for stop in ends(path, each=4)
    ]
    return joined(names, " → ")


def _sum(it: Explanation, slope: Slope, blocks: Sequence[Block]) -> Group:
    terms = [term(block.total, first=i == 0) for i, block in enumerate(blocks)]
    total: Cell = (Words(" = "), Number(slope.value), Words(" = "), ratio(it.result, slope.name))
    return Group((Words("sum of the paths: ", "strong"), *joined(terms, " + "), *total), total=True)


def _adjoints(it: Explanation) -> Iterator[Table | Paragraph]:
    """The slope of the result in every place, the last places first: what reverse mode computes in one sweep."""
    listed = {block.to for block in it.blocks if block.path}
    if not it.rows or not any(slope.name in listed and slope.paths > slope.listed for slope in it.slopes):
        return
    yield Paragraph(
        (
            Words("Adjoints: ", "strong"),
            Words("each is the sum, over what it goes into, of adjoint × local slope, all in one sweep."),
        )
    )
    rows = ends(list(reversed(it.rows)))
    made = (
        row
        if isinstance(row, More)
        else Row(((ratio(it.result, row.name),), (Number(row.value),), (Number(_adjoint(it, row)),)), row.name)
        for row in rows
    )
    columns = (
        Column((Words("adjoint of"),)),
        Column((Words("place's value"),), numeric=True),
        Column((Words("adjoint"),), numeric=True),
    )
    yield Table(columns, tuple(made), "adjoints", "modes")


# --- both modes, forward mode -------------------------------------------------------------------------------------------


def _both(it: Explanation) -> Section:
    names = list(it.rows[0].tangents)
    single = len(names) == 1
    heads: list[Cell] = [
        *((Words("forward ↓ "), Math(rf"\mathrm{{d}}/{differential(name)}", f"d/d{name}")) for name in names),
        (Words("backward ↑ "), Math(rf"{differential(it.result)}/\mathrm{{d}}\cdot", f"d{it.result}/d·")),
        *([(Words("product"),)] if single else []),
    ]
    rows: list[Row | More] = []
    for row in ends(it.rows, "places"):
        if isinstance(row, More):
            rows.append(row)
            continue
        adjoint = _adjoint(it, row)
        numbers = [*(row.tangents[name] for name in names), adjoint]
        numbers += [_product(row.tangents[names[0]], adjoint)] if single else []
        rows.append(Row(numbered(row.name, [row.value, *numbers]), row.name))
    table = Table(
        (*_NODE, *(Column(head, numeric=True) for head in heads)), tuple(rows), "both modes side by side", "modes"
    )
    return Section(
        "modes", "Both modes", (Words("the same slopes on the way up and on the way down"),), (table, *_reading(it))
    )


_NODE = (Column((Words("node"),)), Column((Words("value"),), numeric=True))


def _adjoint(it: Explanation, row: Line) -> float | None:
    """The adjoint of a place; an input at a hard point has none, whatever the sweep went on with."""
    hard = any(side.name == row.name and side.status != "ok" for side in it.sides)
    return None if hard and not it.convention else row.adjoint


def _product(tangent: float | None, adjoint: float | None) -> float | None:
    return None if tangent is None or adjoint is None else tangent * adjoint


def _reading(it: Explanation) -> Iterator[Items]:
    cost = it.cost
    one = Math(rf"{differential(it.result)}/\mathrm{{d}}\cdot", f"d{it.result}/d·")
    down = "forward mode carries d/d· beside each value (a dual number), one sweep per input."
    spent = (
        f"{many(cost.inputs, 'input')}, 1 output: forward {many(cost.forward_sweeps, 'sweep')} and "
        f"{many(cost.forward_products, 'product')}, reverse {many(cost.reverse_sweeps, 'sweep')} and "
        f"{many(cost.reverse_products, 'product')}. With 1000 inputs: forward 1000 sweeps, reverse 1."
    )
    reverse: Cell = (
        Words("Read up: ", "strong"),
        Words("reverse mode carries "),
        one,
        Words(" back from the result, one sweep for all inputs."),
    )
    items: list[Cell] = [
        (Words("Read down: ", "strong"), Words(down)),
        reverse,
        (Words("Cost: ", "strong"), Words(spent)),
    ]
    more = len(it.wrt) - len(it.rows[0].tangents)
    if more > 0:
        items.append((Words(f"{many(more, 'more column')} of tangents not shown."),))
    yield Items(tuple(("", item) for item in items))


def _trace(it: Explanation) -> Section:
    names = list(it.rows[0].tangents)
    heads = [Column((Math(rf"\mathrm{{d}}/{differential(name)}", f"d/d{name}"),), numeric=True) for name in names]
    rows = [
        row
        if isinstance(row, More)
        else Row(numbered(row.name, [row.value, *(row.tangents[name] for name in names)]), row.name)
        for row in ends(it.rows, "places")
    ]
    more = len(it.wrt) - len(names)
    rest = (Paragraph((Words(f"{many(more, 'more column')} of tangents not shown.", "quiet"),)),) if more > 0 else ()
    table = Table((*_NODE, *heads), tuple(rows), "values and tangents", "modes")
    return Section(
        "modes", "Tangents", (Words("forward mode: each number and its slope, on the way up"),), (table, *rest)
    )


# --- hard points --------------------------------------------------------------------------------------------------------

_TITLES = {"corner": "Corner", "jump": "Jump", "infinite": "Infinite slope", "unknown": "Unknown"}


def _hard(it: Explanation) -> Section:
    rows = (row for side in ends(it.sides, "names") for row in _sides(it, side))
    columns = (
        Column((Words("slope"),)),
        Column((Words("from the left"),), numeric=True),
        Column((Words("from the right"),), numeric=True),
        Column((Words("so"),)),
    )
    said = [it.why] if any(side.status != "ok" for side in it.sides) else []
    notes = tuple(Paragraph((Words(words),)) for words in dict.fromkeys([*said, *it.notes]) if words)
    table = Table(columns, tuple(rows), "the slopes from either side", "sides")
    how = "slopes from the left and from the right, one input at a time"
    return Section("hard", _TITLES.get(it.status, "Both sides"), (Words(how),), (table, *notes))


def _sides(it: Explanation, side: Side | More) -> Iterator[Row | More]:
    """Both sides from an input to the result, place by place, and what follows."""
    if isinstance(side, More):
        yield side
        return
    trace = side.trace or (Beside(it.result, side.left, side.right),)
    for row in trace:
        verdict: Cell = (_verdict(side),) if row is trace[-1] else ()
        yield Row(((ratio(row.name, side.name),), (Number(row.left),), (Number(row.right),), verdict), row.name)


def _verdict(side: Side) -> Words:
    if side.status == "ok":
        one = side.left is None or side.right is None
        return Words("only this side has values" if one else "equal, so this is the slope", "good")
    differ = {"corner": "they differ: a corner", "jump": "a jump"}
    return Words(f"no slope: {differ.get(side.status, side.status)}", "bad")
