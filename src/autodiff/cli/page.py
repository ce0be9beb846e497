"""Where an explanation goes: in colour where it is wanted; as wide as a terminal is, or as the widest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from autodiff.cli import colour, streams
from autodiff.errors import HARD_POINT, printable
from autodiff.explanation.model import Explanation, plain
from autodiff.render.text import document
from autodiff.render.text.answer import as_json, place
from autodiff.render.text.layout import WIDEST, Line

_SIGNS = "◀✓·─▶σ"
"""Of the layout; a screen without them is given ASCII."""


def write(found: Explanation, form: str) -> int:
    """Print an explanation as `form`, and what is missing on stderr; the exit status."""
    if form == "text":
        _lines(document.lines(found, width(), unicode=streams.writable(_SIGNS)), found)
    elif form == "json":
        streams.answer(as_json(found))
    else:
        streams.answer(_renderer(form)(found))
    return _judged(found)


def draw(found: Explanation, form: str) -> int:
    """Print the drawing alone as `form`, and what is missing on stderr; the exit status."""
    if form == "text":
        from autodiff.render.graph.text import pieces

        lines = pieces(found.drawing, width(), unicode=streams.writable(_SIGNS))
        _lines([tuple((words, f"@{owner}" if owner else "") for words, owner in line) for line in lines], found)
    elif form == "json":
        streams.answer(as_json(plain(found.drawing)))
    else:
        streams.answer(getattr(import_module(f"autodiff.render.graph.{form}"), form)(found.drawing).rstrip("\n"))
    # an option that gives a slope all the same is one of other commands
    return _judged(found if found.value is None else replace(found, hint=""))


def _renderer(form: str) -> Callable[[Explanation], str]:
    found: Callable[[Explanation], str] = getattr(import_module(f"autodiff.render.document.{form}"), form)
    return found


def _lines(lines: Sequence[Line], found: Explanation) -> None:
    if colour.wanted(sys.stdout):
        from autodiff.render.terminal import rich  # what is piped starts without it

        streams.answer(rich.painted(lines, [place.name for place in found.forward]))
    else:
        streams.answer("\n".join("".join(words for words, _ in line).rstrip() for line in lines))


def _judged(found: Explanation) -> int:
    """What stderr says where there is no value or no slope: why, and the place in the program."""
    if found.at is None or (found.value is not None and all(slope.value is not None for slope in found.slopes)):
        return 0
    for line in [f"error: {printable(found.why)}", *place(found, streams.width(sys.stderr))]:
        streams.remark(line)
    return HARD_POINT


def width() -> int:
    """A terminal's own width; a pipe has none, so the widest layout."""
    return streams.width(sys.stdout) or WIDEST
