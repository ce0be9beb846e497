"""What a mistake is: the wrong rule, what it is given at an equation, and the right rule as a teacher writes it.

>>> textbook_rule(rules.TABLE["*", 2])
"(u*v)' = u'*v + u*v'"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from autodiff.core import rules, templates
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive, with_result

ADD, SUB, MUL, DIV, POW = (rules.TABLE[name, 2] for name in ("+", "-", "*", "/", "^"))


NEG, SAME, EXP = rules.TABLE["-", 1], rules.TABLE["+", 1], rules.TABLE["exp", 1]


class Here(NamedTuple):
    """What a rule is given at its equation: arguments, result, local slopes, tangents, which arguments move, the variable.

    `shallow[k]` is argument k as it would be if its own inner function were the variable alone; `terms[k]` are the tangents
    of the terms of a sum that is argument k, and `shorter[k]` what it is without its first or its last term.
    """

    u: tuple[float, ...]
    w: float
    s: tuple[float, ...]
    t: tuple[float, ...]
    moves: tuple[bool, ...]
    x: float
    shallow: tuple[float, ...]
    terms: tuple[tuple[float, ...], ...]
    shorter: tuple[tuple[float, float], ...]

    def right(self) -> float:
        return sum(s * t for s, t, moves in zip(self.s, self.t, self.moves, strict=True) if moves)


Rule: TypeAlias = Callable[[Here], float]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What kind of slip it is, the sentence about it, and the mistaken rule; `rare` ones are tried last."""

    kind: str
    why: str
    rule: Rule
    rare: bool = False


POWER_LAWS = {
    (True, False): "(u^n)' = n*u^(n-1)*u'",
    (False, True): "(a^u)' = a^u*ln(a)*u'",
    (True, True): "(u^v)' = u^v*(v'*ln(u) + v*u'/u)",
}
"""By which of base and exponent depends on the variable."""


def textbook_rule(row: Primitive, moves: tuple[bool, ...] = ()) -> str:
    """The rule as a teacher writes it, where these arguments depend on the variable."""
    laws = {
        ADD: "(u + v)' = u' + v'",
        SUB: "(u - v)' = u' - v'",
        MUL: "(u*v)' = u'*v + u*v'",
        DIV: "(u/v)' = (u'*v - u*v')/v^2",
        NEG: "(-u)' = -u'",
    }
    if row in laws:
        return laws[row]
    if row is POW:
        return POWER_LAWS[moves[0], moves[1]]
    terms = [
        f"({f})*{p}'" if is_sum(f) else f"{f}*{p}'"
        for f, p in zip(row.formula, row.params, strict=True)
        if f not in (ZERO, UNDEFINED)
    ]
    result = f", w being {row.signature}" if any(with_result(f, row.name) != f for f in row.formula) else ""
    return f"({row.signature})' = {' + '.join(terms) or '0'}{result}"


def is_sum(text: str) -> bool:
    """Whether a text of the table needs brackets as a factor; a call as a whole, such as `if(…)`, needs none."""
    depth = 0
    for k, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign in "+-" and not depth and k:
            return True
    return text.startswith("-")


AS_POWER = "this is the rule of u^n"


def plus(k: int, times: float) -> Rule:
    """The part through argument k, so many times more."""
    return lambda h: h.right() + times * h.s[k] * h.t[k]


def written(text: str) -> Rule:
    """The rule that a text says, of a primitive of u, or of u and v.

    Names of the text: the arguments, their derivatives du and dv, the local slopes su and sv, the result w, the right
    derivative r, and the variable x.
    """

    def rule(h: Here) -> float:
        names = [f"{kind}{u}" for kind in ("", "d", "s") for u in "uv"[: len(h.u)]]
        return templates.compiled(text, (*names, "w", "r", "x"))(*h.u, *h.t, *h.s, h.w, h.right(), h.x)

    return rule


def texts(kind: str, law: str, *slips: tuple[str, str], rare: bool = False) -> Iterator[Mistake]:
    """Mistakes of one kind, each as what was done, before the rule that says otherwise, and as what comes of it."""
    return (Mistake(kind, f"{what}: {law}", written(text), rare) for what, text in slips)
