"""From a program, and maybe a point, to the explanation of its slopes.

>>> explain("y = x^2; z = sin(y)", {"x": 4.0}).slopes[0].chain[0].slope.formula
'cos(y)'
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autodiff.answer import MODES, answered, parse
from autodiff.calculus.blame import order, shown
from autodiff.calculus.forward import forward
from autodiff.calculus.local import CONVENTIONS
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside, number, sweep
from autodiff.calculus.reverse import reverse
from autodiff.calculus.shorter import shorter
from autodiff.calculus.symbolic import image, slopes
from autodiff.errors import AutodiffError, quoted, shortened
from autodiff.explaining import checks, factors
from autodiff.explaining.backward import blocks_of, cancelling, slope
from autodiff.explaining.drawing import Arrow, Drawing, Vertex
from autodiff.explaining.findings import WIDE, Findings
from autodiff.explaining.model import (
    Beside,
    Cost,
    Difference,
    Explanation,
    Factor,
    Meaning,
    Row,
    Side,
    Text,
)
from autodiff.explaining.places import places
from autodiff.explaining.texts import NOTHING, text_of, written_out
from autodiff.over import OverNumbers, numbers_of, over_elements
from autodiff.point import named, sources
from autodiff.single import note

TRACED = 24
"""Places up to which both sides of a hard point are followed one by one."""

MANY = 64
"""Names above which the slopes are confirmed by one sweep of the other mode, instead of one per name."""

DRAWN = 24
"""Places at either end of a program whose arrows carry formulas in the drawing."""

SMALL = 8
"""Names for which difference quotients and meanings are made."""


_GIVE, _ADD = 'give the values of the inputs: {"x": 4.0}', "add --at NAME=VALUE"
"""What to do where a point is missing, in Python and on the command line."""

_UNMOVED: Mapping[int, float] = {}


def explain(
    text: str,
    at: Mapping[str, Any] | None = None,
    wrt: Sequence[str] | None = None,
    mode: str = "reverse",
    *,
    rate: float | None = None,
    atoms: bool = False,
    expand: Sequence[str] = (),
    strict: bool = False,
    convention: str = "",
) -> Explanation:
    """How the slopes of the program `text` come about, at the point `at` or, without one, in symbols.

    at      numbers; and arrays, whose elements are then the inputs: `w[0]`, `w[1]`, …
    wrt, mode, strict, convention   as for `evaluate`; mode says which table is to be shown
    rate    the learning rate of one step of gradient descent, to be shown as well
    atoms   one step per operation instead of one per statement; `expand` does so for the statements named in it

    Without a point every name is one number, and `notes` say what a sum or a mean is then. Raises AutodiffError for a
    mistake in the text or the arguments; a hard point is explained as one.
    """
    for kind, given, choices in (("mode", mode, MODES), ("convention", convention, ("", *CONVENTIONS))):
        if not isinstance(given, str) or given not in choices:
            raise AutodiffError(
                f"unknown {kind} {quoted(str(given))}", hint=f"choose one of {', '.join(filter(None, choices))}"
            )
    expand = named(expand)
    if not (rate is None or (isinstance(rate, int | float) and math.isfinite(rate))):
        raise AutodiffError(f"a learning rate is a finite number, not {shortened(repr(rate))}", hint="such as 0.1")
    program = parse(text, strict=strict)
    over = None if at is None else over_elements(program, at)
    numbers = numbers_of(program) if over is None else over
    first, said = numbers.lowered, note(numbers) if isinstance(numbers, OverNumbers) else ""
    wanted = sources(first, wrt if over is None or wrt is None else over.names(wrt))
    made = places(first, atoms=atoms, expand=expand)
    point = {} if over is None and not first.inputs else None if over is None else over.point
    if rate is not None and point is None:
        raise AutodiffError("a step of gradient descent needs a point", hint=_GIVE, command_hint=_ADD)
    if mode != "reverse" and point is None:
        raise AutodiffError(
            f"the table of mode {mode} is one of numbers, and without a point there are none",
            hint=_GIVE, command_hint=f"{_ADD}; or leave --mode {mode} out: then the chain rule is in symbols",
        )  # fmt: skip
    both = "both" if len(wanted) <= MANY else "reverse"
    answer = None if point is None else answered(first, point, wanted, both, convention=convention)
    found = Findings(made, wanted, answer, mode)
    explanation = _explanation(found)
    notes = (*explanation.notes, *filter(None, [said]))
    explanation = replace(explanation, source=program.source, readings=program.readings, notes=notes)
    return explanation if rate is None else _with_update(explanation, made.lowered, wanted, rate)


def local_factors(text: str, wrt: Sequence[str]) -> tuple[Factor, ...]:
    """The factors of the chain rule between a program's statements, in symbols, from the result to the names `wrt`.

    Each stands once. Columns of data are taken as the numbers of one row; a program that works on whole arrays, such as
    A @ x, has no such factors: then, and beyond a dozen of them, the answer is empty.
    """
    try:
        blocks = explain(text, None, wrt).blocks
    except AutodiffError:
        return ()
    found = {(step.factor.of, step.factor.by): step.factor for block in blocks for step in block.steps}
    return tuple(found.values()) if len(found) <= 12 and all(f.slope.formula for f in found.values()) else ()


def _explanation(it: Findings) -> Explanation:
    """All of it."""
    answer = it.answer
    whole = _whole(it)
    blocks = blocks_of(it)
    it.listed = {step.factor.by for block in blocks for step in block.steps if step.answer} | {b.to for b in blocks}
    found = tuple(slope(it, name, whole) for name in it.wanted)
    value = None if answer is None else answer.value
    differences = _differences(it)
    return Explanation(
        result=it.lowered.name,
        title=_title(it),
        at=None if answer is None else answer.at,
        wrt=tuple(it.wanted),
        mode=it.mode,
        status="ok" if answer is None else answer.status,
        value=value,
        forward=tuple(it.place(node) for node in it.in_order()),
        drawing=_drawing(it),
        blocks=blocks,
        slopes=found,
        rows=_rows(it),
        cost=_cost(it),
        cancelling=cancelling(it, blocks),
        differences=differences,
        checked=None if answer is None else answer.checked,
        meanings=_meanings(it),
        why="" if answer is None else answer.why,
        hint="" if answer is None else answer.hint,
        span=None if answer is None else answer.span,
        sides=_sides(it),
        notes=() if answer is None else (*answer.notes, *_doubts(it, differences)),
        convention=it.convention,
    )


def _title(it: Findings) -> Text:
    """The whole program as one formula of its inputs, if it is short."""
    if len(it.graph) > WIDE:
        return NOTHING
    seen = image(it.graph, it.lowered.result, {})
    return written_out(seen.symbols.graph, seen.of[it.lowered.result])


def _whole(it: Findings) -> dict[str, Text]:
    """The slopes as formulas of the inputs, where they are short."""
    if len(it.graph) > WIDE or (it.answer is not None and it.run is None):
        return {}
    seen = image(it.graph, it.lowered.result, {})
    found = slopes(it.graph, it.lowered.result, {}, list(it.wanted.values()), seen)
    symbols = seen.symbols
    whole = {name: found.get(node, symbols.constant(0.0)) for name, node in it.wanted.items()}
    return {name: written_out(symbols.graph, shorter(symbols, node)) for name, node in whole.items()}


def _drawing(it: Findings) -> Drawing:
    names = it.places.names
    vertices = tuple(
        Vertex(place.name, place.text, place.kind, place.value)
        for place in (it.place(node) for node in reversed(it.order))
    )
    order = it.in_order()
    ends = {*order[:DRAWN], *order[-DRAWN:]}
    arrows = []
    for node in reversed(it.order):
        flowing = set(it.flows.get(node, ()))
        hard = not it.convention and not it.corners.isdisjoint(it.places.own(node))
        for arg in it.places.arguments(node):
            formula = it.formula(node, arg) if arg in flowing and node in ends and arg in ends else None
            slope = "" if formula is None else text_of(formula).pretty
            value = it.numbers.get((node, arg))
            if hard and arg in flowing:
                slope, value = "no slope", None
            arrows.append(Arrow(names[arg], names[node], slope, value, arg in flowing))
    return Drawing(vertices, tuple(arrows), _title(it).pretty)


def _rows(it: Findings) -> tuple[Row, ...]:
    """Values, tangents and adjoints side by side, place by place."""
    if it.run is None or it.answer is None:
        return ()
    shown = list(it.plain.items())[:SMALL]
    seeds: dict[int, dict[str, float]] = {}
    for name, node in shown:
        seeds.setdefault(node, {})[name] = 1.0
    duals = forward(it.lowered, it.answer.at, seeds)
    adjoints = reverse(it.lowered, it.run, list(it.plain.values()), it.convention)
    swept = factors.moving(it.places, it.plain.values(), it.run)
    rows = []
    for node in it.in_order():
        if it.run.values[node] is not None:
            tangents = {name: duals[node].tangent.get(name, 0.0) for name, _ in shown}
            adjoint = adjoints.get(node, 0.0) if node in swept else None
            rows.append(Row(it.places.names[node], it.values[node], tangents, adjoint))
    return tuple(rows)


def _cost(it: Findings) -> Cost:
    """Multiplications by a local slope: one per argument that moves, in each sweep."""
    graph, run = it.graph, it.run
    order = graph.reaching(it.lowered.result) if run is None else run.order
    products = 0
    for node in order:
        row = graph.rows[node]
        if row is not None and not (run is not None and node in run.taken):
            products += sum(a in it.moves and text != "0" for a, text in zip(graph.args[node], row.slopes, strict=True))
    inputs = len(it.wanted)
    return Cost(inputs, inputs, inputs * products, 1, products)


def _sure(it: Findings) -> list[tuple[str, float]]:
    """Names with a slope that is no convention and stands at no hard point, with it; the first few."""
    if it.answer is None:
        return []
    verdicts = it.answer.verdicts
    smooth = (n for n in it.wanted if n not in verdicts or verdicts[n].status == "ok")
    known = ((name, it.answer.gradient[name]) for name in smooth)
    most = SMALL if len(it.graph) <= WIDE else 1
    return [(name, slope) for name, slope in known if slope is not None][:most]


def _function(it: Findings) -> checks.Function:
    assigned = {name: node for name, node in it.wanted.items() if node not in it.graph.inputs}
    return lambda point: _value(it.lowered, point, {assigned[n]: point[n] for n in assigned if n in point})


def _point(it: Findings, name: str) -> Mapping[str, float]:
    """The point; with the number of an assigned name, which then stands for its statement."""
    at = {} if it.answer is None else it.answer.at
    return at if name in at else {**at, name: it.values[it.wanted[name]]}


def _differences(it: Findings) -> tuple[Difference, ...]:
    return tuple(checks.difference(_function(it), _point(it, n), n, slope) for n, slope in _sure(it))


def _doubts(it: Findings, differences: Sequence[Difference]) -> Iterator[str]:
    """What is to be said of a slope that small steps, really taken, deny altogether."""
    slopes = dict(_sure(it))
    for each in differences:
        if checks.denied(each, slopes[each.name]):
            slope = order(it.lowered.name, each.name, 1)
            yield f"{slope} may have no right digit: small steps give {shown(each.quotient or 0.0)} instead, so digits cancel here"


def _meanings(it: Findings) -> tuple[Meaning, ...]:
    if it.answer is None or it.answer.value is None:
        return ()
    value, function = it.answer.value, _function(it)
    return tuple(checks.meaning(function, _point(it, n), n, slope, value) for n, slope in _sure(it))


def _sides(it: Findings) -> tuple[Side, ...]:
    verdicts = {} if it.answer is None else it.answer.verdicts
    return tuple(
        Side(name, found.status, found.left, found.right, _trace(it, name)) for name, found in verdicts.items()
    )


def _trace(it: Findings, name: str) -> tuple[Beside, ...]:
    """Both sides, place by place, from the input to the result."""
    source = it.wanted[name]
    reached = factors.moving(it.places, [source], it.run)
    nodes = [node for node in sorted(it.places.names) if node in reached or node == it.lowered.result]
    if it.run is None or it.answer is None or len(nodes) > TRACED:
        return ()
    from autodiff.calculus.corners import verdict  # most points are no hard points

    found = []
    for node in nodes:
        if it.run.values[node] is not None:
            seen = verdict(it.lowered._replace(result=node), it.run, it.answer.at, source)
            found.append(Beside(it.places.names[node], seen.left, seen.right))
    return tuple(found)


def _value(lowered: Lowered, point: Mapping[str, float], moved: Mapping[int, float] = _UNMOVED) -> float | None:
    """The result at a point, None where it has none; the equations in `moved` have those values, whatever they are made of."""
    graph = lowered.graph
    try:
        return sweep(
            graph,
            lowered.result,
            lambda node: graph.constants[node] if node in graph.constants else point[graph.inputs[node]],
            lambda node, args: moved[node] if node in moved else number(graph, node, args),
            bool,
        )[0][lowered.result]
    except Outside:
        return None


def _with_update(explanation: Explanation, lowered: Lowered, wanted: Mapping[str, int], rate: float) -> Explanation:
    """One step of gradient descent from here."""
    fixed = [name for name, node in wanted.items() if node not in lowered.graph.inputs]
    if fixed:
        raise AutodiffError(f"{fixed[0]} is computed, so it can't be moved by a step", hint="name inputs with --wrt")
    if explanation.value is None or explanation.at is None:
        return explanation
    gradient = {slope.name: slope.value for slope in explanation.slopes}
    made = checks.update(lambda point: _value(lowered, point), explanation.at, gradient, rate, explanation.value)
    return replace(explanation, update=made)
