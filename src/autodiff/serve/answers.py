"""What the page asks for, answered as JSON-ready data: an explanation, a plot, source code.

>>> found = answer({"what": "explain", "program": "x^2", "at": "x=3"})
>>> found["inputs"], found["status"], found["slopes"]
([{'name': 'x', 'value': 3.0}], 'ok', {'x': 6.0})

A value that is not given is 1. No file is read or written: a point is text, and programs have no files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodiff.api.evaluate import parse
from autodiff.api.inputs import parse_point
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError, quoted, shortened

LONGEST = 10_000
"""Characters of a program that is typed."""

MOST = 40
"""Inputs that get a slider."""

AROUND = 5.0
"""How far a plot reaches from the point, at least."""

FORMS = ("markdown", "latex", "json", "html")
"""What an explanation can be saved as; the other exports are source code."""


def answer(request: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a request of the page; a mistake in it is a sentence in `error`.

    Keys of a request: what (explain, plot or export), program, at, to; `narrow` where a plot is for a phone.
    """
    try:
        return _answer(request)
    except AutodiffError as error:
        return {"error": error.report(0), "span": None if error.span is None else list(error.span)}


def _answer(request: Mapping[str, str]) -> dict[str, Any]:
    text, at = request.get("program", ""), request.get("at", "")
    if len(text) + len(at) > LONGEST:
        raise AutodiffError(
            f"the page takes programs of up to {LONGEST:,} characters", hint="use the command for longer ones"
        )
    if not text.strip():
        raise AutodiffError("no program", hint="type a formula, such as exp(sin(x^2))")
    if "@" in at:
        raise AutodiffError("the page reads no files, so a point is numbers", hint="write for example x=4")
    program = parse(text)
    inputs = lower(program).inputs
    point = parse_point(at) if at.strip() else {}
    unknown = [name for name in point if name not in inputs]
    if unknown:
        return {"error": f"{quoted(unknown[0])} is not an input of this program", "span": None, "unknown": unknown}
    if len(inputs) > MOST:
        listed = ", ".join(map(shortened, inputs[:5]))
        raise AutodiffError(f"the page takes up to {MOST} inputs, and these are {len(inputs)}: {listed}, …")
    point = {name: point.get(name, 1.0) for name in inputs}
    what = {"explain": _explained, "plot": _plotted, "export": _exported}.get(request.get("what", "explain"))
    if what is None:
        raise AutodiffError(f"the page asks for no {quoted(request.get('what', ''))}")
    return what(text, point, request)


def _explained(text: str, point: Mapping[str, Any], request: Mapping[str, str]) -> dict[str, Any]:
    from autodiff.explanation.build import explain
    from autodiff.render.document.html import html

    explanation = explain(text, point)
    return {
        "page": html(explanation),
        "inputs": [{"name": name, "value": value} for name, value in point.items() if isinstance(value, float)],
        "status": explanation.status,
        "value": explanation.value,
        "slopes": {slope.name: slope.value for slope in explanation.slopes},
        "why": explanation.why,
        "notices": [str(reading) for reading in explanation.readings] + list(explanation.notes),
    }


def _plotted(text: str, point: Mapping[str, Any], request: Mapping[str, str]) -> dict[str, Any]:
    from autodiff.plotting.curve import plot
    from autodiff.render.plot.image import NARROW, WIDTH, image

    over = request.get("over") or next(iter(point), "")
    if over not in point or not all(isinstance(value, float) for value in point.values()):
        return {"plot": "", "over": ""}
    x = point[over]
    reach = max(AROUND, 1.5 * abs(x))
    picture = plot(text, (over, x - reach, x + reach), point)
    width = NARROW if request.get("narrow") else WIDTH
    return {"plot": image(picture, "svg", width=width).decode(), "over": over, "tangent": picture.tangent is not None}


def _exported(text: str, point: Mapping[str, Any], request: Mapping[str, str]) -> dict[str, Any]:
    to = request.get("to", "")
    if to in FORMS:
        from autodiff.explanation.build import explain
        from autodiff.render.document import compose
        from autodiff.render.text.answer import as_json

        explanation = explain(text, point)
        return {"source": as_json(explanation) if to == "json" else compose.written(explanation, to)}
    from autodiff.codegen.registry import TARGETS, requested, written

    if to not in TARGETS:
        raise AutodiffError(
            f"there is no export to {quoted(to)}", hint=f"there are {', '.join(dict.fromkeys((*FORMS, *TARGETS)))}"
        )
    return {"source": written(requested(text, to), to)}
