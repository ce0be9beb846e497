"""From a program, and maybe a point, to the explanation of its slopes.

>>> explain("y = x^2; z = sin(y)", {"x": 4.0}).slopes[0].chain[0].slope.formula
'cos(y)'
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autodiff.api.answer import Answer
from autodiff.api.elementwise_view import numbers_of, over_elements
from autodiff.api.evaluate import parse, proven_digits, require_known
from autodiff.api.inputs import named, sources
from autodiff.api.reduction_notes import note
from autodiff.api.scalar_answer import Query
from autodiff.core.lowering import Lowered
from autodiff.errors import AutodiffError, shortened, with_flags
from autodiff.explanation.backward import blocks_of, cancelling, slope
from autodiff.explanation.context import WIDE, Analysis
from autodiff.explanation.evaluation import evaluated
from autodiff.explanation.factors import operation_name
from autodiff.explanation.finite_differences import differences, meanings, update, value
from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.explanation.model import Explanation, Factor, FormulaText, Place
from autodiff.explanation.modes import cost, mode_rows, sides
from autodiff.explanation.spellings import NOTHING, written_out
from autodiff.explanation.steps import places, two_arrows
from autodiff.symbolic.adjoint import image, slopes
from autodiff.symbolic.shortest import shorter

MANY = 64
"""Names above which the slopes are confirmed by one sweep of the other mode, instead of one per name."""

DRAWN = 24
"""Places at either end of a program whose arrows carry formulas in the drawing."""

_GIVE, _ADD = 'give the values of the inputs: {"x": 4.0}', "add --at NAME=VALUE"
"""What to do where a point is missing, in Python and on the command line."""


@with_flags
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
    digits: int = 0,
    bars: bool = False,
) -> Explanation:
    """How the slopes of the program `text` come about, at the point `at` or, without one, in symbols.

    at      numbers; and arrays, whose elements are then the inputs: `w[0]`, `w[1]`, …
    wrt, mode, strict, convention   as for `evaluate`; mode says which table is to be shown
    rate    the learning rate of one step of gradient descent, to be shown as well
    digits  1 to 1,000: the answer also as a text of so many proven digits
    bars    the factors by their size as well, with the steps that make a slope tiny or huge
    atoms   one step per operation instead of one per statement; `expand` does so for the statements named in it

    Without a point every name is one number, and `notes` say what a sum or a mean is then. Raises AutodiffError for a
    mistake in the text or the arguments; a special point is explained as one.
    """
    require_known(mode, convention)
    expand = named(expand)
    if not (rate is None or (isinstance(rate, int | float) and abs(rate) <= sys.float_info.max)):
        raise AutodiffError(f"a learning rate is a finite number, not {shortened(repr(rate))}", hint="such as 0.1")
    program = parse(text, strict=strict, given=at, wrt=wrt)
    elements = None if at is None else over_elements(program, at)
    numbers = numbers_of(program) if elements is None else elements
    lowered, scalar_note = numbers.lowered, note(numbers) if elements is None else ""
    wanted = sources(lowered, wrt if elements is None or wrt is None else elements.names(wrt))
    drawn, of = two_arrows(lowered)
    steps = places(drawn, atoms=atoms, expand=expand)
    point = {} if elements is None and not lowered.inputs else None if elements is None else elements.point
    of_numbers = {
        "a step of gradient descent needs": rate is not None, "digits of a slope need": proven_digits(digits),
        "bars of the factors need": bars, "a convention needs": convention,
    }  # fmt: skip
    for what, wanted_here in of_numbers.items() if point is None else ():
        if wanted_here:
            raise AutodiffError(f"{what} a point", hint=_GIVE, command_hint=_ADD)
    if mode != "reverse" and point is None:
        raise AutodiffError(
            f"the table of mode {mode} is one of numbers, and without a point there are none",
            hint=_GIVE, command_hint=f"{_ADD}; or leave --mode {mode} out: then the chain rule is in symbols",
        )  # fmt: skip
    both = "both" if len(wanted) <= MANY else "reverse"
    evaluation = None if point is None else evaluated(steps.lowered, point)
    trace = None if evaluation is None or of else evaluation.trace
    answer = None if point is None else Query(lowered, point, wanted, both, convention=convention).answer(trace)
    shown = {name: of.get(node, node) for name, node in wanted.items()}
    analysis = Analysis(steps, shown, answer, mode, evaluation)
    explanation = _explanation(analysis)
    if bars:
        from autodiff.explanation import bars as by_size  # few explanations show them

        explanation = replace(explanation, bars=by_size.bars(analysis, explanation.blocks))
    notes = (*explanation.notes, *filter(None, [scalar_note]))
    explanation = replace(explanation, source=program.source, readings=program.readings, notes=notes)
    if digits and point is not None:
        explanation = _with_digits(explanation, Query(lowered, point, wanted, digits=digits).answer())
    return explanation if rate is None else _with_update(explanation, steps.lowered, wanted, rate)


def local_factors(text: str, wrt: Sequence[str]) -> tuple[Factor, ...]:
    """The factors of the chain rule between a program's statements, in symbols, from the result to the names `wrt`.

    Each is there once. Columns of data are taken as the numbers of one row; a program that works on whole arrays, such as
    A @ x, has no such factors: then, and beyond a dozen of them, the answer is empty.
    """
    try:
        blocks = explain(text, None, wrt).blocks
    except AutodiffError:
        return ()
    factors = {(step.factor.of, step.factor.by): step.factor for block in blocks for step in block.steps}
    return tuple(factors.values()) if len(factors) <= 12 and all(f.slope.formula for f in factors.values()) else ()


def _explanation(analysis: Analysis) -> Explanation:
    """All parts of the explanation."""
    answer = analysis.answer
    whole = _whole(analysis)
    blocks = blocks_of(analysis)
    analysis.listed = {step.factor.by for block in blocks for step in block.steps if step.answer} | {
        b.to for b in blocks
    }
    analysis.cancelling = cancelling(analysis, blocks)
    answers = tuple(slope(analysis, name, whole) for name in analysis.wanted)
    title, steps = _title(analysis), differences(analysis)
    known: dict[str, Any] = {"at": None, "status": "ok", "value": None}
    if answer is not None:
        known = {part: getattr(answer, part) for part in (*known, "checked", "why", "hint", "span", "notes")}
    drawing = _drawing(analysis, title.pretty)
    return Explanation(
        result=analysis.lowered.name,
        title=title,
        wrt=tuple(analysis.wanted),
        mode=analysis.mode,
        forward=_forward(analysis, {arrow.slope for arrow in drawing.arrows}),
        drawing=drawing,
        blocks=blocks,
        slopes=answers,
        rows=mode_rows(analysis),
        cost=cost(analysis),
        cancelling=analysis.cancelling,
        differences=steps,
        meanings=meanings(analysis),
        sides=sides(analysis),
        convention=analysis.convention,
        **known,
    )


def _forward(analysis: Analysis, slopes: Iterable[str]) -> tuple[Place, ...]:
    """The places as people list them, and the other values of calls that slopes name, such as p[0] in that of p[1]."""
    known = set(re.findall(r"[^\W\d]\w*(?:\[[^]]*\])?", " ".join(slopes)))
    beside = {node for node, name in analysis.places.beside.items() if name in known}
    return tuple(
        _beside(analysis, node) if node in beside else analysis.place(node)
        for node in sorted(
            {*analysis.places.names, *beside}, key=lambda node: (node not in analysis.graph.inputs, node)
        )
    )


def _beside(analysis: Analysis, node: int) -> Place:
    from autodiff.explanation.textbook import beside  # most programs call no such function

    name, text = analysis.places.beside[node], beside(analysis.places, node)
    does = next(
        operation_name(analysis.places, place) for place, call in analysis.places.calls.items() if node in call.outputs
    )
    at = None if analysis.answer is None else analysis.answer.at
    value = None if at is None else evaluated(analysis.lowered._replace(result=node), at).values.get(node)
    return Place(name, "step", text.pretty, text.tex, does, value)


def _title(analysis: Analysis) -> FormulaText:
    """The whole program as one formula of its inputs, if it is short."""
    if len(analysis.graph) > WIDE:
        return NOTHING
    if analysis.graph.calls:
        from autodiff.explanation.textbook import title  # most programs call no such function

        return title(analysis.lowered)
    seen = image(analysis.graph, analysis.lowered.result, {})
    return written_out(seen.symbols.graph, seen.of[analysis.lowered.result])


def _whole(analysis: Analysis) -> dict[str, FormulaText]:
    """The slopes as formulas of the inputs, where they are short."""
    if len(analysis.graph) > WIDE or (analysis.answer is not None and analysis.trace is None):
        return {}
    seen = image(analysis.graph, analysis.lowered.result, {})
    adjoints = slopes(analysis.graph, analysis.lowered.result, {}, list(analysis.wanted.values()), seen)
    symbols = seen.symbols
    whole = {name: adjoints.get(node, symbols.constant(0.0)) for name, node in analysis.wanted.items()}
    return {name: written_out(symbols.graph, shorter(symbols, node)) for name, node in whole.items()}


def _drawing(analysis: Analysis, title: str) -> Drawing:
    names = analysis.places.names
    vertices = tuple(
        Vertex(place.name, place.text, place.kind, place.value, place.why if place.why[-1:].isdigit() else "")
        for place in (analysis.place(node) for node in reversed(analysis.order))
    )
    order = analysis.in_order()
    ends = {*order[:DRAWN], *order[-DRAWN:]}
    arrows = []
    for node in reversed(analysis.order):
        active = set(analysis.flows.get(node, ()))
        hard = not analysis.convention and not analysis.special.isdisjoint(analysis.places.own(node))
        for arg in analysis.places.arguments(node):
            slope = analysis.text(node, arg).pretty if arg in active and node in ends and arg in ends else ""
            value = analysis.numbers.get((node, arg))
            if hard and arg in active:
                slope, value = "no slope", None
            beyond = analysis.beyond.get((node, arg), "")
            arrows.append(Arrow(names[arg], names[node], slope, value, arg in active, beyond))
    return Drawing(vertices, tuple(arrows), title)


def _with_digits(explanation: Explanation, proven: Answer) -> Explanation:
    """The explanation with the slopes as texts of proven digits; without them where there are none."""
    texts = {name: text for name, text in proven.gradient.items() if isinstance(text, str)}
    slopes = tuple(
        slope._replace(digits=texts.get(slope.name, "")) if slope.value is not None else slope
        for slope in explanation.slopes
    )
    return replace(explanation, slopes=slopes)


def _with_update(explanation: Explanation, lowered: Lowered, wanted: Mapping[str, int], rate: float) -> Explanation:
    """One step of gradient descent from here."""
    fixed = [name for name, node in wanted.items() if node not in lowered.graph.inputs]
    if fixed:
        raise AutodiffError(f"{fixed[0]} is computed, so it can't be moved by a step", hint="name inputs with --wrt")
    if explanation.value is None or explanation.at is None:
        return explanation
    gradient = {slope.name: slope.value for slope in explanation.slopes}
    step = update(lambda point: value(lowered, point), explanation.at, gradient, rate, explanation.value)
    return replace(explanation, update=step)
