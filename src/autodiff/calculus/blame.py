"""Why there is no value or no slope here, in the user's own words.

`log(x-3) needs x-3 > 0, but x-3 is -1 when x = 2`: the part as it was written, what it needs, what it got, and the
inputs that made it so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from autodiff.calculus.corners import Verdict
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside, Run
from autodiff.calculus.reverse import depending, reverse
from autodiff.errors import shortened


def written(lowered: Lowered, node: int) -> str:
    """The text of an equation where it was first written, without brackets around the whole, cut when it is long."""
    start, end = lowered.graph.spans[node]
    text = lowered.source[start:end]
    while text.startswith("(") and _closes(text) == len(text) - 1:
        text = text[1:-1]
    return shortened(text.strip(), 60)


def _closes(text: str) -> int:
    depth = 0
    for place, character in enumerate(text[:10_000]):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place
    return -1


def shown(number: float) -> str:
    """The shortest text that reads back as the same number, whole numbers without a point."""
    text = repr(number + 0.0)
    return text.removesuffix(".0")


def outside(lowered: Lowered, trouble: Outside, point: Mapping[str, float]) -> str:
    """The sentence for a value that does not exist."""
    text = written(lowered, trouble.node)
    if not trouble.needs:
        return f"{text} overflows: it is beyond 1.8e308{_when(lowered, [trouble.node], point)}"
    row, args = lowered.graph.rows[trouble.node], lowered.graph.args[trouble.node]
    assert row is not None
    places = dict(zip(row.params, args, strict=True))
    mentioned = [p for p in row.params if f"#{p}" in trouble.needs] or list(row.params)
    when = _when(lowered, args, point)
    if all(places[p] in lowered.graph.constants for p in mentioned):
        return f"{text} has no value: {row.signature} needs {trouble.needs.replace('#', '')}{when}"
    needs = re.sub(r"#(\w+)", lambda m: written(lowered, places[m[1]]), trouble.needs)
    found = [
        f"{written(lowered, places[p])} is {shown(value)}"
        for p, value in zip(row.params, trouble.args, strict=True)
        if p in mentioned and places[p] not in lowered.graph.constants
    ]
    return f"{text} needs {needs}, but {' and '.join(found)}{when}"


def _when(lowered: Lowered, nodes: Sequence[int], point: Mapping[str, float]) -> str:
    """` when x = 2`: the inputs behind these equations, unless the equations are inputs themselves."""
    graph = lowered.graph
    if all(node in graph.inputs or node in graph.constants for node in nodes):
        return ""
    reaching = graph.reaching(*nodes)
    names = [graph.inputs[node] for node in reaching if node in graph.inputs]
    if not names:
        return ""
    listed = ", ".join(f"{shortened(name)} = {shown(point[name])}" for name in names[:4])
    return f" when {listed}{f' and {len(names) - 4} more' if len(names) > 4 else ''}"


def hint(lowered: Lowered, trouble: Outside) -> str:
    """What to try instead, when the row knows it."""
    row = lowered.graph.rows[trouble.node]
    return row.hint if row is not None and trouble.needs and trouble.args[0] < 0 else ""


def steep(lowered: Lowered, run: Run, source: int) -> int:
    """The equation at which the slope by `source` leaves the range of float64, on the way down from the result."""
    adjoints = reverse(lowered, run, [source])
    active = depending(lowered, run, [source])
    for node in reversed(run.order):
        args = lowered.graph.args[node]
        if not math.isfinite(adjoints.get(node, 0.0)) or node in run.taken or lowered.graph.rows[node] is None:
            continue
        if any(active[a] and not math.isfinite(adjoints.get(a, 0.0)) for a in args):
            return node
    return lowered.result


def overflow(lowered: Lowered, node: int, names: Sequence[str], result: str) -> str:
    """The sentence for slopes that are beyond float64."""
    which = ", ".join(f"d{result}/d{shortened(name)}" for name in names[:4])
    return f"{which} overflows: it is beyond 1.8e308 from {written(lowered, node)} on"


def culprits(lowered: Lowered, odd: Sequence[int], source: int, found: Verdict) -> list[int]:
    """The special equations that `source` reaches, the one that decided first."""
    behind = [node for node in odd if source in lowered.graph.reaching(node)] if len(odd) <= 50 else list(odd[:1])
    return [*([found.node] if found.node is not None else []), *(node for node in behind if node != found.node)]


def verdict(lowered: Lowered, result: str, name: str, run: Run, found: Verdict, culprits: Sequence[int]) -> str:
    """The sentence for a slope that is not there."""
    what, slope = _parts(lowered, culprits), f"d{result}/d{shortened(name)}"
    many = len({written(lowered, node) for node in culprits}) > 1
    if found.status == "corner":
        here = f"{what} {'have corners' if many else 'has a corner'} here"
        return f"{here}: {slope} is {_side(found.left)} from the left and {_side(found.right)} from the right"
    if found.status == "jump":
        left, right = (_side(value) for value in found.values)
        here = _side(run.values[lowered.result])
        return f"{what} {'jump' if many else 'jumps'} here: along {name}, {result} is {left} before, {here} at, {right} after"
    if found.status == "infinite":
        sides = [
            f"{_side(s)} from the {at}" for s, at in ((found.left, "left"), (found.right, "right")) if s is not None
        ]
        return f"{what} {'have' if many else 'has'} an infinite slope here: {slope} is {' and '.join(sides)}"
    if found.status == "domain":
        return f"{slope} does not exist here: beside this point {what} has no values"
    return f"{slope} is not known here: {what} can't be decided from both sides"


def notes(
    lowered: Lowered, result: str, verdicts: Mapping[str, Verdict], culprits: Mapping[str, Sequence[int]]
) -> Iterable[str]:
    """What is worth knowing about slopes that are there although a special place was met."""
    good = [(name, found) for name, found in verdicts.items() if found.status == "ok"]
    for name, found in good[:3]:
        what, slope = _parts(lowered, culprits[name]), f"d{result}/d{shortened(name)}"
        if found.left is None or found.right is None:
            side, other = ("right", "left") if found.left is None else ("left", "right")
            yield f"{slope} is the slope from the {side}; on the {other} there are no values ({what})"
        else:
            yield f"{what}: a special place, but {slope} is {_side(found.slope)} from both sides"
    if len(good) > 1:
        yield "each slope holds along its own axis; that alone does not make the function differentiable here"


def _parts(lowered: Lowered, nodes: Sequence[int]) -> str:
    texts = list(dict.fromkeys(written(lowered, node) for node in nodes))[:3]
    return " and ".join(texts) or "the program"


def _side(number: float | None) -> str:
    if number is None:
        return "undefined"
    return shown(number) if math.isfinite(number) else "+∞" if number > 0 else "-∞"


def listed(names: Iterable[str], limit: int = 12) -> str:
    """`x, y and 3 more`."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(shortened(name) for name in names[:limit]) + more
