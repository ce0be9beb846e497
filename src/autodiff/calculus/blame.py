"""Why there is no value or no slope here, in the user's own words.

`log(x-3) needs x-3 > 0, but x-3 is -1 when x = 2`: the part as it was written, what it needs, what it got, and the
inputs that made it so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside
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


def listed(names: Iterable[str], limit: int = 12) -> str:
    """`x, y and 3 more`."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(shortened(name) for name in names[:limit]) + more
