"""What functions are called in other schools and libraries, for the hint at an unknown name.

>>> meant("tg", {"tan", "tanh"}), meant("sine", {"sin", "sinh"})
('tan', 'sin')
"""

from __future__ import annotations

from collections.abc import Collection

from autodiff.errors import nearest

_ELSEWHERE = {
    "tg": "tan", "ctg": "cot", "cotg": "cot", "cotan": "cot", "cosec": "csc", "sen": "sin",
    "arctg": "atan", "arcsen": "asin", "tgh": "tanh",
    "lg": "log10", "sgn": "sign", "fabs": "abs", "expit": "sigmoid", "logistic": "sigmoid",
}  # fmt: skip
"""The name here by the name elsewhere; ISO 80000-2 has lg for the logarithm to base 10, which is spelt most like ln's."""


UNITS = {"deg": "90 degrees are rad(90)"}
"""Names of functions that are also written behind a number, as a unit."""


def meant(name: str, functions: Collection[str]) -> str:
    """The one of `functions` that an unknown name stands for elsewhere, or is most likely a slip of; or ""."""
    known = _ELSEWHERE.get(name.lower(), "")
    return known if known in functions else nearest(name, functions)
