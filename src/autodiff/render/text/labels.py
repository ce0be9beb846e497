"""The texts of a drawing: the label of an arrow, text cut to a width, text in ASCII.

>>> from autodiff.explanation.graph import Arrow
>>> label(Arrow("y", "z", "cos(y)", -0.9576594803233847))
'cos(y) = -0.95766'
>>> fitted("a_rather_long_name", 9), ascii_only("2·x → ∂y")
('a_rat…ame', '2*x -> dy')
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autodiff.errors import columns, shortened
from autodiff.explanation.graph import Arrow, Vertex
from autodiff.render.text.elide import GAP
from autodiff.render.text.numbers import short

_GREEK = {"σ": "sigmoid", "Γ": "gamma"}
_SIGNS = str.maketrans({
    "·": "*", "×": "*", "−": "-", "—": "-", "─": "-", "…": "...", "→": "->", "↓": "down", "↑": "up", "⋮": ":", "²": "^2",
    "³": "^3", "√": "sqrt", "∞": "inf", "±": "+-", "◀": "<-", "✓": "ok", "✗": "no", "∂": "d",
})  # fmt: skip


WIDEST = 44
"""Columns of a label in a picture."""


def label(arrow: Arrow, limit: int = 1000) -> str:
    """`symbols = number`, or the one of them that there is; beyond `limit` columns the symbols are cut, never the number."""
    if arrow.beyond:
        return f"{fitted(arrow.slope, limit - len(arrow.beyond) - 3)} = {arrow.beyond}"
    if arrow.value is None:
        return fitted(arrow.slope, limit)
    number = short(arrow.value)
    if arrow.slope in ("", number) or limit - len(number) < 6:
        return number
    return f"{fitted(arrow.slope, limit - len(number) - 3)} = {number}"


def brief_label(arrow: Arrow) -> str:
    """The number alone where there is one, else the symbols, cut."""
    return arrow.beyond or (fitted(arrow.slope, 12) if arrow.value is None else short(arrow.value))


def value(vertex: Vertex) -> str:
    """The number of a vertex, if it has one."""
    return vertex.beyond or ("" if vertex.value is None else short(vertex.value))


def formula(vertex: Vertex) -> str:
    """The right-hand side of a vertex; none for an input."""
    return "" if vertex.text == vertex.name or not vertex.text else vertex.text


def fitted(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` terminal columns (not below 3), the middle left out.

    A formula is cut between its numbers and names, a name where it must be.
    """
    limit = max(limit, 3)
    whole = shortened(text, 4 * limit)
    if columns(whole) <= limit:  # combining marks are characters that take no column
        return whole
    parts = _PARTS.findall(whole)
    head = _first(parts, limit - limit // 3 - 1)
    tail = _first(parts[::-1], limit // 3)[::-1]
    if len(parts) == 1 and not parts[0][0].isdigit():
        cut, allowed = shortened(text, limit), limit
        while columns(cut) > limit and allowed > 3:
            allowed -= 1
            cut = shortened(text, allowed)
        return cut if columns(cut) <= limit else "…"
    if not head and not parts[0][0].isdigit():
        head = _first([*parts[0]], limit - limit // 3 - 1)
    return f"{''.join(head).rstrip()}…{''.join(tail).lstrip()}"


_PARTS = re.compile(r"(?:\.?\d[\w.]*(?:(?<=\d[eE])[+-]\d+)?|\w+|\s+|.)", re.DOTALL)
"""Numbers, names, blanks and signs."""


def _first(parts: Sequence[str], room: int) -> list[str]:
    """As many of the first parts as have room."""
    first = list[str]()
    for part in parts:
        room -= columns(part)
        if room < 0:
            break
        first.append(part)
    return first


def spelled(text: str) -> str:
    """A text in ASCII, Greek functions by their names in the language; what has no such spelling is an escape.

    >>> spelled("ŷ = σ(2·z)")
    '\\\\u0177 = sigmoid(2*z)'
    """
    return text if text.isascii() else ascii_only(re.sub(r"(?<![^\W\d])[σΓ](?=\()", lambda sign: _GREEK[sign[0]], text))


def ascii_only(text: str) -> str:
    """The usual signs as people type them, every other one as an escape."""
    return text.translate(_SIGNS).encode("ascii", "backslashreplace").decode("ascii")


def described(vertex: Vertex) -> list[str]:
    """A vertex in one or two lines: `name = formula`, and its value."""
    if vertex.kind == GAP:
        return [f"⋮ {vertex.text}"]
    right_side = formula(vertex)
    head = f"{fitted(vertex.name, 60)} = {fitted(right_side, 60)}" if right_side else fitted(vertex.name, 60)
    return [head, *filter(None, [value(vertex)])]
