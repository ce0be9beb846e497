"""An explanation for a screen that knows ASCII only, made before it is laid out, so that columns fit what they hold.

>>> from autodiff.explanation.build import explain
>>> made = in_ascii(explain("ŷ = σ(z)^2; 2ŷ", {"z": 1.0}))
>>> [place.name for place in made.forward], made.forward[1].text
(['z', '\\\\u0177', 'f'], 'sigmoid(z)^2')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from autodiff.explanation.model import Explanation
from autodiff.render.text.labels import ascii_only

T = TypeVar("T")

_GREEK = {"σ": "sigmoid", "Γ": "gamma"}


def in_ascii(explanation: Explanation) -> Explanation:
    """The same with every name and formula in ASCII: what people type where there is such, else an escape."""
    return _mapped(explanation)


def spelt(text: str) -> str:
    """One text; the Greek functions by their names in the language."""
    return text if text.isascii() else ascii_only(re.sub(r"(?<![^\W\d])[σΓ](?=\()", lambda m: _GREEK[m[0]], text))


def _mapped(value: T) -> T:
    """The records nest a few levels deep, whatever the program."""
    made: object = value
    if isinstance(value, str):
        made = spelt(value)
    elif isinstance(value, tuple):
        items = [_mapped(item) for item in value]
        made = type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    elif isinstance(value, Mapping):
        made = {_mapped(key): _mapped(item) for key, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        made = replace(value, **{f.name: _mapped(getattr(value, f.name)) for f in fields(value)})
    return made  # type: ignore[return-value]
