"""Why there is no value or no slope here, in the user's own words.

`log(x-3) needs x-3 > 0, but x-3 is -1 when x = 2`: the part as it was written, what it needs, what it got, and the
inputs that made it so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodiff.core import prelude
from autodiff.core.evaluate import DomainError, Trace
from autodiff.core.graph import reached
from autodiff.core.linearize import FRAMEWORKS
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import UNDEFINED, Primitive
from autodiff.errors import INTERNAL, AutodiffError, shortened

if TYPE_CHECKING:
    from autodiff.nonsmooth.verdict import Status, Verdict

SEVERITY: tuple[Status, ...] = ("ok", "unknown", "corner", "infinite", "jump", "overflow", "domain")
"""Every status, mildest first; an answer's status is the worst of its slopes'."""

REPORTED = 3
"""How many names a message explains."""


def written(lowered: Lowered, node: int) -> str:
    """The text of an equation where it was first written, without brackets around the whole, cut when it is long."""
    start, end = lowered.graph.spans[node]
    text = lowered.source[start:end]
    while text.startswith("(") and _closes(text) == len(text) - 1:
        text = text[1:-1]
    return shortened(text.strip(), 60)


def operand(lowered: Lowered, node: int) -> str:
    """The same; a part of a loss as the loss's formula has it, with the arguments of the call: `1 - p` in `bce(y, p)`."""
    part = lowered.graph.parts.get(node)
    return written(lowered, node) if part is None else shortened(prelude.worded(lowered.source, part), 60)


def _closes(text: str) -> int:
    depth = 0
    for place, character in enumerate(text[:10_000]):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place
    return -1


def shown(number: float) -> str:
    """The shortest text that reads back as the same number, whole numbers without a point; of an int every digit."""
    if isinstance(number, int):
        return str(number)
    text = repr(number + 0.0)
    return text.removesuffix(".0")


def disagreement() -> AutodiffError:
    return AutodiffError(f"the two modes disagree on this gradient: {_BUG}", exit_status=INTERNAL, hint=_REPORT)


_BUG = "a bug in autodiff, so no number is printed"
_REPORT = "please report the program and the point; --no-check prints the number all the same"


def rejected(lowered: Lowered, node: int) -> AutodiffError:
    """The error for an equation whose rule and values contradict each other."""
    why = f"the rule of {written(lowered, node)} gives a slope here that its own values beside the point deny: {_BUG}"
    return lowered.error(node, why, _REPORT, INTERNAL)


def outside(lowered: Lowered, trouble: DomainError, point: Mapping[str, Any]) -> str:
    """The sentence for a value that does not exist; of an array with the place of its element."""
    text = written(lowered, trouble.node)
    row, args = lowered.graph.rows[trouble.node], lowered.graph.args[trouble.node]
    at = f" at [{', '.join(map(str, trouble.place))}]" if trouble.place else ""
    if not trouble.needs:
        return f"{text} overflows{at}: it is beyond 1.8e308{_when(lowered, [trouble.node], point)}"
    assert row is not None
    places = dict(zip(row.params, args, strict=True))
    mentioned = [p for p in row.params if f"#{p}" in trouble.needs] or list(row.params)
    when = _when(lowered, args, point)
    args_text = {p: operand(lowered, places[p]) for p in mentioned}
    plain = [p for p, value in zip(row.params, trouble.args, strict=True) if args_text.get(p) == shown(value)]
    if all(places[p] in lowered.graph.constants or p in plain for p in mentioned):
        return f"{text} has no value: {row.signature} needs {trouble.needs.replace('#', '')}{when}"
    needs = re.sub(r"#(\w+)", lambda m: operand(lowered, places[m[1]]), trouble.needs)
    values = [
        f"{args_text[p]} is {shown(value) if math.isfinite(value) else 'beyond the range of float64'}"
        for p, value in zip(row.params, trouble.args, strict=True)
        if p in mentioned and p not in plain and places[p] not in lowered.graph.constants and not math.isnan(value)
    ]
    if not values:  # of whole arrays, the words say what they are
        return f"{text} needs {needs}{when}"
    return f"{text} needs {needs}, but{at} {' and '.join(values)}{when}"


def _when(lowered: Lowered, nodes: Sequence[int], point: Mapping[str, Any]) -> str:
    """` when x = 2`: the inputs behind these equations, unless the equations are inputs themselves, or one is an array."""
    graph = lowered.graph
    if all(node in graph.inputs or node in graph.constants for node in nodes):
        return ""
    reaching = graph.reaching(*nodes)
    names = [graph.inputs[node] for node in reaching if node in graph.inputs]
    if not names or not all(isinstance(point.get(name), float) for name in names):
        return ""
    listed = ", ".join(f"{shortened(name)} = {shown(point[name])}" for name in names[:4])
    return f" when {listed}{f' and {len(names) - 4} more' if len(names) > 4 else ''}"


def hint(lowered: Lowered, trouble: DomainError) -> str:
    """What to try instead, when the row knows it."""
    row = lowered.graph.rows[trouble.node]
    return row.hint if row is not None and trouble.needs and trouble.args[0] < 0 else ""


def derivative_label(result: str, wrt: Sequence[str]) -> str:
    """How a derivative by one name after the other is called: df/dx, d2f/dx2, d2f/dxdy."""
    times = len(wrt)
    below = f"d{wrt[0]}{times}" if len(set(wrt)) == 1 and times > 1 else "".join(f"d{name}" for name in wrt)
    return f"d{times if times > 1 else ''}{result}/{below}"


def order(result: str, name: str, times: int) -> str:
    """The same by one name so many times, in a message."""
    return derivative_label(result, [shortened(name)] * times)


def mixed(result: str, first: str, second: str) -> str:
    """The same by two names."""
    return derivative_label(result, [shortened(first), shortened(second)])


def reported(verdicts: Mapping[str, Verdict]) -> list[str]:
    """The names that messages are about: the first three without a slope, the first three with one, the worst."""
    bad = [name for name, verdict in verdicts.items() if verdict.status not in ("ok", "overflow")]
    good = [name for name, verdict in verdicts.items() if verdict.status == "ok"]
    worst = max(verdicts, key=lambda name: SEVERITY.index(verdicts[name].status), default="")
    return list(dict.fromkeys([*bad[:REPORTED], *good[:REPORTED], worst])) if verdicts else []


def culprits(lowered: Lowered, special: Sequence[int], source: int, verdict: Verdict) -> list[int]:
    """The special equations that `source` reaches, the one that decided first."""
    moved = lowered.graph.depending([source])
    behind = [node for node in special if moved[node] and node != verdict.node]
    return behind if verdict.node is None else [verdict.node, *behind]


def verdicts(
    lowered: Lowered, result: str, run: Trace, by_name: Mapping[str, Verdict], culprits: Mapping[str, Sequence[int]]
) -> str:
    """Why slopes are not there, the first three of them; one part's effect on several names is one sentence."""
    bad = [name for name, verdict in by_name.items() if verdict.status not in ("ok", "overflow")]
    together: dict[str, list[str]] = {}
    for name in bad[:REPORTED]:
        place, slope = _reason(lowered, result, name, run, by_name[name], culprits[name])
        together.setdefault(place, []).append(slope)
    more = f"; and {len(bad) - REPORTED} more" if len(bad) > REPORTED else ""
    return "; ".join(f"{place}: {', '.join(slopes)}" for place, slopes in together.items()) + more


def _reason(
    lowered: Lowered, result: str, name: str, run: Trace, verdict: Verdict, culprits: Sequence[int]
) -> tuple[str, str]:
    """What prevents a slope, and the effect on it."""
    what, first = _parts(lowered, culprits), _parts(lowered, culprits[:1])
    slope, along = f"d{result}/d{shortened(name)}", f"along {shortened(name)}, {shortened(result)} is"
    sides = _sides(verdict)
    if verdict.status == "corner":
        return f"{what} {_does(lowered, culprits, 'has a corner', 'have corners')} here", f"{slope} is {sides}"
    if verdict.status == "jump":
        left, right = (_side(value) for value in verdict.values)
        here = _side(run.values[lowered.result])
        does = _does(lowered, culprits, "jumps", "jump")
        if {left, right} <= {here, "undefined"}:
            return f"{what} {does} here", f"{along} {here}, and changes there by less than float64 can show of it"
        return f"{what} {does} here", f"{along} {left} before, {here} at, {right} after"
    if verdict.status == "infinite":
        does = _does(lowered, culprits, "has an infinite slope", "have an infinite slope")
        return f"{what} {does} here", f"{slope} is {sides}"
    if verdict.status == "domain":
        return f"{slope} does not exist here", f"{first} has no values beside this point"
    row = lowered.graph.rows[culprits[0]] if culprits else None
    if row is not None and UNDEFINED in row.partials:
        return f"{slope} is not known here", no_rule(row)
    return f"{slope} is not known here", f"{first} can't be decided from both sides"


def no_rule(row: Primitive) -> str:
    """Which slopes of a primitive have no rule, in words."""
    without = [param for param, text in zip(row.params, row.partials, strict=True) if text == UNDEFINED]
    return f"{row.name} has no rule for its slope in {' and '.join(without)}"


def no_derivative(row: Primitive, k: int) -> AutodiffError:
    """The error for an argument in which a row has no derivative, and which moves."""
    name = row.params[k]
    return AutodiffError(f"{row.name} has no derivative in its argument {name}", hint=f"{name} must be a constant")


def _sides(verdict: Verdict, left: str = "from the left", right: str = "from the right") -> str:
    """`-1 from the left and 1 from the right`, or the one side that there is."""
    sides = ((verdict.left, left), (verdict.right, right))
    return " and ".join(f"{_side(slope)} {at}" for slope, at in sides if slope is not None)


def beyond(lowered: Lowered, derivative: str, spot: int, verdict: Verdict | None) -> str:
    """Why a derivative of a higher order is not there, though the first one is; `spot` is where a series ends."""
    what = written(lowered, spot)
    if verdict is not None and verdict.status == "domain":
        return f"{derivative} does not exist here: {what} has no values beside this point"
    if verdict is None or verdict.status not in ("corner", "infinite"):
        return f"{derivative} is not known here: {what} has no series in powers of the step"
    return f"{derivative} does not exist here: because of {what} it is {_sides(verdict)}"


def directed(result: str, verdict: Verdict) -> str:
    """Why there is no slope along a direction, though there is one along each axis."""
    if verdict.status in ("corner", "infinite"):
        return f"{shortened(result)} has no slope along this direction: it is {_sides(verdict, 'before', 'after')} this point"
    what = "has no values beside this point" if verdict.status == "domain" else "jumps"
    known = f"{shortened(result)} {what} along this direction"
    return (
        f"the slope of {shortened(result)} along this direction is not known" if verdict.status == "unknown" else known
    )


def sided(verdicts: Mapping[str, Verdict]) -> Iterable[str]:
    """Notes on derivatives that exist from one side only."""
    for derivative, verdict in verdicts.items():
        if verdict.slope is not None and None in (verdict.left, verdict.right):
            side, other = ("right", "left") if verdict.left is None else ("left", "right")
            yield f"{derivative} is that from the {side}; on the {other} there are no values"


def _does(lowered: Lowered, nodes: Sequence[int], single: str, many: str) -> str:
    """The verb for these parts here: conditions switch; for others `one`, or `many` where there are several."""
    if _all(lowered, nodes, lambda row: row.is_predicate):
        single, many = "switches", "switch"
    return many if len({written(lowered, node) for node in nodes}) > 1 else single


def _all(lowered: Lowered, nodes: Sequence[int], holds: Callable[[Primitive], object]) -> bool:
    rows = [lowered.graph.rows[node] for node in nodes]
    return bool(rows) and all(row is not None and holds(row) for row in rows)


def notes(
    lowered: Lowered,
    result: str,
    taken: Mapping[int, int],
    verdicts: Mapping[str, Verdict],
    culprits: Mapping[str, Sequence[int]],
    frameworks: Mapping[str, Mapping[str, float]],
) -> Iterable[str]:
    """Notes on slopes that exist at special points.

    `taken` says which branch each choice became. There is no note on a corner that only a condition depends on: `abs(x)` in
    `if(abs(x) < 1, x^2, 0)`.
    """
    good = [(name, verdict) for name, verdict in verdicts.items() if verdict.status == "ok" and name in culprits]
    if _all(lowered, [node for name, _ in good for node in culprits[name]], lambda row: row.kink):
        flows = _flowing(lowered, taken)
        good = [(name, verdict) for name, verdict in good if not flows.isdisjoint(culprits[name])]
    for name, verdict in good[:REPORTED]:
        what, slope = _parts(lowered, culprits[name]), f"d{result}/d{shortened(name)}"
        numbers = f" ({framework_numbers(frameworks[name])})" if frameworks.get(name) else ""
        if verdict.left is None or verdict.right is None:
            side, other = ("right", "left") if verdict.left is None else ("left", "right")
            yield f"{slope} is the slope from the {side}; on the {other} there are no values ({what}){numbers}"
        else:
            yield f"{what} {_harmless(lowered, culprits[name])}: {slope} is {_side(verdict.slope)} from both sides{numbers}"
    if len(good) > 1:
        yield "each slope holds along its own axis; that alone does not make the function differentiable here"


def _flowing(lowered: Lowered, taken: Mapping[int, int]) -> set[int]:
    """The equations that the result is made from otherwise than by a condition, where choices became what they are `taken` for."""
    graph = lowered.graph

    def parts(node: int) -> Sequence[int]:
        row = graph.rows[node]
        if row is None or row.is_predicate:
            return ()
        return graph.args[node] if row.branches is None else (taken[node],)

    return reached(lowered.result, parts)


def _harmless(lowered: Lowered, nodes: Sequence[int]) -> str:
    """What these parts do here without an effect on the slope."""
    many = len({written(lowered, node) for node in nodes}) > 1
    if _all(lowered, nodes, lambda row: row.kink):
        return "have corners here, but they cancel" if many else "has a corner here that does not show"
    if _all(lowered, nodes, lambda row: row.jump):
        return f"{_does(lowered, nodes, 'jumps', 'jump')} here without an effect on the slope"
    return "are special here, but the sides agree" if many else "is special here, but the sides agree"


def framework_numbers(numbers: Mapping[str, float]) -> str:
    """`PyTorch says 0, JAX says 1`, `PyTorch and JAX say 0`."""
    names, values = [FRAMEWORKS[framework] for framework in numbers], [shown(number) for number in numbers.values()]
    if len(names) > 1 and len(set(values)) == 1:
        return f"{' and '.join(names)} say {values[0]}"
    return ", ".join(f"{name} says {value}" for name, value in zip(names, values, strict=True))


def _parts(lowered: Lowered, nodes: Sequence[int]) -> str:
    texts = list(dict.fromkeys(written(lowered, node) for node in nodes))[:3]
    return " and ".join(texts) or "the program"


def _side(number: float | None) -> str:
    if number is None:
        return "undefined"
    return shown(number + 0.0) if math.isfinite(number) else "+∞" if number > 0 else "-∞"


def listed(names: Iterable[str], limit: int = 12) -> str:
    """`x, y and 3 more`."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(shortened(name) for name in names[:limit]) + more


def not_an_input(sentence: str, inputs: Sequence[str]) -> AutodiffError:
    """The error where a name is no input of a program: the next step is one of those that it has."""
    return AutodiffError(sentence, hint=f"its inputs are {listed(inputs)}" if inputs else "it has no inputs")
