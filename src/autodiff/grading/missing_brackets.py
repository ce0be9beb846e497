"""The slip of leaving out a pair of brackets when an answer is typed: `1/1+x^2` for `1/(1+x^2)`.

>>> next(bracketed("1/1+x^2"))
'1/(1+x)^2'
>>> "1/(1+x^2)" in list(bracketed("1/1+x^2"))
True
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from autodiff.core.evaluate import DomainError, primal
from autodiff.core.lowering import Lowered
from autodiff.errors import AutodiffError
from autodiff.grading.slip import Sample, Slip, close

_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W\d]\w*|\*\*|\S")
_TAKES_MORE = frozenset(("/", "^", "**", "*", "·", "-", "−"))
"""Operators whose operand people leave without its brackets."""

_MOST, _READ = 200, 20_000
"""Pairs of brackets that are tried, and letters that are read for it: of a long answer, only the first pairs are tried."""


def missing_brackets(answer: str, read: Callable[[str], Lowered], samples: Sequence[Sample]) -> Slip | None:
    """The slip where one more pair of brackets makes the answer right at every sample; `read` gives an answer's equations."""
    if "\\" in answer or "{" in answer or not any(sign in answer for sign in _TAKES_MORE):
        return None
    if 2 * sum(close(s.answer, s.derivative) for s in samples) >= len(samples):
        return None  # a hidden difference: the answer is as it was meant
    for text in islice(bracketed(answer), min(_MOST, _READ // len(answer))):
        try:
            lowered = read(text)
            values = (primal(lowered, s.at).values[lowered.result] for s in samples)
            if all(close(value, s.derivative) for value, s in zip(values, samples, strict=True)):
                return Slip("missing brackets", f"with one more pair of brackets the answer is right: {text}")
        except (AutodiffError, DomainError):
            continue
    return None


def bracketed(text: str) -> Iterator[str]:
    """The text with one more pair of brackets, around what stands behind an operator or before it."""
    pieces = list(_TOKEN.finditer(text))
    for place, piece in enumerate(pieces):
        if piece[0] not in _TAKES_MORE:
            continue
        for last in list(_reach(pieces, place, 1))[1:]:
            if piece[0] == "/" and _is_fraction(pieces[place - 1 : place + 3]):
                break
            start, end = pieces[place + 1].start(), pieces[last].end()
            yield f"{text[:start]}({text[start:end]}){text[end:]}"
        for first in list(_reach(pieces, place, -1))[1:] if piece[0] not in "-−" else ():
            start, end = pieces[first].start(), pieces[place - 1].end()
            yield f"{text[:start]}({text[start:end]}){text[end:]}"


def _is_fraction(pieces: Sequence[re.Match[str]]) -> bool:
    """Whether these are a fraction of numbers before a sign of a product, as in `1/3*x`."""
    return [piece[0].isdecimal() for piece in pieces] == [True, False, True, False] and pieces[-1][0] in "*·"


def _reach(pieces: Sequence[re.Match[str]], place: int, step: int) -> Iterator[int]:
    """The places in one direction where an operand of the operator at `place` may end, within the brackets around it."""
    opening, closing = ("([", ")]") if step > 0 else (")]", "([")
    depth, at = 0, place + step
    while 0 <= at < len(pieces):
        sign = pieces[at][0]
        depth += (sign in opening) - (sign in closing)
        if depth < 0 or (depth == 0 and sign in (",", ";", "=")):
            return
        if depth == 0 and (sign[0].isalnum() or sign in closing):
            yield at
        at += step
