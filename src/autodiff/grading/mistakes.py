"""The mistakes that people make with one rule of differentiation, each as the wrong rule itself.

A mistake gets what the right rule has (the arguments, the result, the local slopes, the tangents) and gives the tangent
that somebody gets who makes it. The catalogue goes by the shape of a row, and for wrong rules through the whole table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from autodiff.core import rules, templates
from autodiff.core.floats import divide, logarithm, power
from autodiff.core.primitive import ZERO, Primitive

_ADD, _SUB, _MUL, _DIV, _POW = (rules.TABLE[name, 2] for name in ("+", "-", "*", "/", "^"))
_NEG, _SAME = rules.TABLE["-", 1], rules.TABLE["+", 1]


class Here(NamedTuple):
    """What a rule sees at its equation: arguments, result, local slopes, tangents, which arguments move, the variable.

    `shallow[k]` is argument k as it would be if its own inner function were the variable alone.
    """

    u: tuple[float, ...]
    w: float
    s: tuple[float, ...]
    t: tuple[float, ...]
    moves: tuple[bool, ...]
    x: float
    shallow: tuple[float, ...]

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


def mistakes(row: Primitive, moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    """The mistakes with the rule of `row`, likely ones first.

    moves   which arguments depend on the variable;  inner  which of those are not the variable itself
    """
    if row is _MUL:
        yield from _PRODUCT if all(moves) else _constant_factor(1 if moves[0] else 0)
    elif row is _DIV:
        yield from _quotient(moves)
    elif row is _POW:
        yield from _power(moves, inner)
    elif row is _ADD or row is _SUB:
        yield from _sum(row, moves)
    elif row not in (_NEG, _SAME):
        yield from _function(row, moves, inner)
    yield Mistake("sign", f"the sign is wrong: {_law(row)}", lambda h: -h.right())
    if row.arity == 1 and row not in (_NEG, _SAME):
        yield from _wrong_rules(row)


def _law(row: Primitive) -> str:
    """The rule as a teacher writes it."""
    laws = {
        _ADD: "(u + v)' = u' + v'",
        _SUB: "(u - v)' = u' - v'",
        _MUL: "(u*v)' = u'*v + u*v'",
        _DIV: "(u/v)' = (u'*v - u*v')/v^2",
        _POW: "(u^n)' = n*u^(n-1)*u', (a^u)' = a^u*ln(a)*u'",
        _NEG: "(-u)' = -u'",
    }
    if row in laws:
        return laws[row]
    terms = [
        f"({f})*{p}'" if "+" in f or "-" in f else f"{f}*{p}'"
        for f, p in zip(row.formula, row.params, strict=True)
        if f != ZERO
    ]
    result = f", w being {row.signature}" if any("w" in f for f in row.formula) else ""
    return f"({row.signature})' = {' + '.join(terms) or '0'}{result}"


# --- the chain rule ---------------------------------------------------------------------------------------------------


def _function(row: Primitive, moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    for k, (moving, deeper) in enumerate(zip(moves, inner, strict=True)):
        if moving and deeper:
            yield from _chain(row, k, _law(row))
        if moving and sum(moves) > 1:
            yield Mistake(
                "product or sum rule",
                f"the part through {row.params[k]} is missing: {_law(row)}",
                _plus(k, -1.0),
            )


def _chain(row: Primitive, k: int, law: str) -> Iterator[Mistake]:
    u = row.params[k]
    yield Mistake(
        "inner derivative", f"the inner derivative {u}' is missing: {law}", lambda h: _with_tangent(h, k, 1.0)
    )
    yield Mistake(
        "inner function",
        f"the outer derivative is taken at the variable alone, not at the inner function {u}: {law}",
        lambda h: _with_slope(h, k, _slope_at(row, k, h, h.x)),
    )
    yield Mistake(
        "inner function",
        f"the outer derivative is taken at the inner derivative {u}', not at the inner function {u}: {law}",
        lambda h: _with_slope(h, k, _slope_at(row, k, h, h.t[k])),
    )
    yield Mistake(
        "inner function",
        f"the outer derivative is taken at the inner derivative {u}', which is not a factor then: {law}",
        lambda h: _with_slope(_moved(h, k, 1.0), k, _slope_at(row, k, h, h.t[k])),
    )
    yield Mistake(
        "inner function",
        f"the outer derivative is taken at {u} with its own inner function left out: {law}",
        lambda h: _with_slope(h, k, _slope_at(row, k, h, h.shallow[k])),
        rare=True,
    )
    yield Mistake(
        "inner derivative",
        f"only the inner derivative {u}' is there, the outer one is missing: {law}",
        lambda h: _with_slope(h, k, 1.0),
    )
    yield Mistake(
        "inner derivative",
        f"the inner derivative is added where it is a factor: {law}",
        lambda h: h.right() - h.s[k] * h.t[k] + h.s[k] + h.t[k],
        rare=True,
    )
    yield Mistake(
        "inner derivative",
        f"the inner function {u} itself is the factor instead of its derivative {u}': {law}",
        lambda h: _with_tangent(h, k, h.u[k]),
        rare=True,
    )


def _moved(h: Here, k: int, tangent: float) -> Here:
    return h._replace(t=tuple(tangent if i == k else t for i, t in enumerate(h.t)))


def _with_tangent(h: Here, k: int, tangent: float) -> float:
    return _moved(h, k, tangent).right()


def _with_slope(h: Here, k: int, slope: float) -> float:
    return h._replace(s=tuple(slope if i == k else s for i, s in enumerate(h.s))).right()


def _slope_at(row: Primitive, k: int, h: Here, place: float) -> float:
    args = tuple(place if i == k else u for i, u in enumerate(h.u))
    return templates.partial(row, k)(*args, templates.value(row)(*args))


def _plus(k: int, times: float) -> Rule:
    """The part through argument k, so many times more."""
    return lambda h: h.right() + times * h.s[k] * h.t[k]


# --- sums, products, quotients ----------------------------------------------------------------------------------------


def _sum(row: Primitive, moves: tuple[bool, ...]) -> Iterator[Mistake]:
    law = _law(row)
    for k in (0, 1):
        if not moves[k]:
            yield Mistake(
                "constant term",
                "the derivative of a constant is 0, it was kept",
                _constant_kept(k),
            )
            yield Mistake("constant term", "the derivative of a constant is 0, not 1", _constant_as_one(k))
        elif all(moves):
            yield Mistake(
                "sign",
                f"the sign of the {('first', 'second')[k]} term is wrong: {law}",
                _plus(k, -2.0),
            )
            yield Mistake(
                "term lost",
                f"the {('first', 'second')[k]} term is lost: {law}",
                _plus(k, -1.0),
            )
    if all(moves):
        yield Mistake(
            "product rule", f"the terms' derivatives are multiplied: {law}", lambda h: h.t[0] * h.t[1], rare=True
        )


def _constant_kept(k: int) -> Rule:
    return lambda h: h.right() + h.s[k] * h.u[k]


def _constant_as_one(k: int) -> Rule:
    return lambda h: h.right() + h.s[k]


_PRODUCT = tuple(
    Mistake("product rule", f"{what}: {_law(_MUL)}", rule)
    for what, rule in (
        ("the factors' derivatives were multiplied", lambda h: h.t[0] * h.t[1]),
        ("only the first factor was differentiated", lambda h: h.t[0] * h.u[1]),
        ("only the second factor was differentiated", lambda h: h.u[0] * h.t[1]),
        ("the two parts are subtracted, not added", lambda h: h.t[0] * h.u[1] - h.u[0] * h.t[1]),
        ("the two parts are subtracted, not added", lambda h: h.u[0] * h.t[1] - h.t[0] * h.u[1]),
        ("each factor goes with its own derivative", lambda h: h.u[0] * h.t[0] + h.u[1] * h.t[1]),
        ("the derivatives are added without the other factors", lambda h: h.t[0] + h.t[1]),
        ("the parts are multiplied, not added", lambda h: h.t[0] * h.u[1] * h.u[0] * h.t[1]),
    )
)


def _constant_factor(k: int) -> Iterator[Mistake]:
    """`k` is the place of the constant."""
    moving = 1 - k
    yield Mistake("constant factor", "the constant factor is lost: (c*u)' = c*u'", lambda h: h.t[moving])
    yield Mistake("product rule", "the constant's derivative is 0, so (c*u)' = c*u', not 0", lambda h: 0.0 * h.u[k])
    yield Mistake(
        "constant factor",
        "the derivative of a constant factor is 0, not 1: (c*u)' = c*u'",
        lambda h: h.u[moving] + h.u[k] * h.t[moving],
    )
    yield Mistake(
        "constant factor", "the constant factor is added: (c*u)' = c*u'", lambda h: h.u[k] + h.t[moving], rare=True
    )
    yield Mistake(
        "constant factor",
        "the constant factor is there twice: (c*u)' = c*u'",
        lambda h: h.u[k] ** 2 * h.t[moving],
        rare=True,
    )
    yield Mistake(
        "constant factor",
        "it was divided by the constant factor: (c*u)' = c*u'",
        lambda h: divide(h.t[moving], h.u[k]),
        rare=True,
    )


def _quotient(moves: tuple[bool, ...]) -> Iterator[Mistake]:
    law = _law(_DIV)
    if not moves[1]:
        yield Mistake("constant factor", "the constant divisor is lost: (u/c)' = u'/c", lambda h: h.t[0])
        yield Mistake(
            "constant factor", "it was multiplied by the constant divisor: (u/c)' = u'/c", lambda h: h.t[0] * h.u[1]
        )
        yield Mistake(
            "quotient rule", "a constant divisor is not squared: (u/c)' = u'/c", lambda h: divide(h.t[0], h.u[1] ** 2)
        )
        return
    cross: dict[str, Rule] = {
        "the order in the numerator is swapped": lambda h: divide(h.u[0] * h.t[1] - h.t[0] * h.u[1], h.u[1] ** 2),
        "the derivatives were divided": lambda h: divide(h.t[0], h.t[1]),
        "the numerator has + where it has -": lambda h: divide(h.t[0] * h.u[1] + h.u[0] * h.t[1], h.u[1] ** 2),
        "the denominator is not squared": lambda h: divide(h.t[0] * h.u[1] - h.u[0] * h.t[1], h.u[1]),
        "the denominator is missing": lambda h: h.t[0] * h.u[1] - h.u[0] * h.t[1],
        "the order in the numerator is swapped and the denominator not squared": lambda h: divide(
            h.u[0] * h.t[1] - h.t[0] * h.u[1], h.u[1]
        ),
        "only the numerator was differentiated": lambda h: divide(h.t[0], h.u[1]),
        "only the first part of the numerator is there": lambda h: divide(h.t[0], h.u[1] ** 2),
        "only the denominator was differentiated": lambda h: divide(h.u[0], h.t[1]),
        "the second part of the numerator lacks the derivative": lambda h: divide(
            h.t[0] * h.u[1] - h.u[0], h.u[1] ** 2
        ),
        "the inner derivative v' is missing": lambda h: divide(h.t[0] * h.u[1] - h.u[0], h.u[1] ** 2),
        "the denominator is differentiated, not squared": lambda h: divide(
            h.t[0] * h.u[1] - h.u[0] * h.t[1], h.t[1] ** 2
        ),
        "each part of the numerator has its own derivative": lambda h: divide(
            h.u[0] * h.t[0] - h.u[1] * h.t[1], h.u[1] ** 2
        ),
        "the rule of 1/u is 1/u^2 with a minus, not a logarithm": lambda h: h.u[0] * logarithm(math.log)(abs(h.u[1])),
    }
    for what, rule in cross.items():
        yield Mistake("quotient rule", f"{what}: {law}", rule)


# --- powers -----------------------------------------------------------------------------------------------------------


def _power(moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    law = "(u^n)' = n*u^(n-1)*u'"
    if moves[0] and not moves[1]:
        slopes: dict[str, tuple[str, Rule]] = {
            "the exponent is not lowered by 1": ("exponent", lambda h: h.u[1] * h.w),
            "the exponent is missing as a factor": ("constant factor", lambda h: power(h.u[0], h.u[1] - 1)),
            "the lowered exponent is the factor": ("exponent", lambda h: (h.u[1] - 1) * power(h.u[0], h.u[1] - 1)),
            "the exponent is raised by 1, not lowered": ("exponent", lambda h: h.u[1] * power(h.u[0], h.u[1] + 1)),
            "the exponent is lowered by 2": ("exponent", lambda h: h.u[1] * power(h.u[0], h.u[1] - 2)),
            "the exponent is the factor, and the power is lost": ("exponent", lambda h: h.u[1] * h.u[0]),
            "the power itself stays": ("exponent", lambda h: h.w),
            "this is the rule of a^u": ("wrong rule", lambda h: h.w * logarithm(math.log)(h.u[0])),
            "this is an antiderivative": ("wrong rule", lambda h: divide(power(h.u[0], h.u[1] + 1), h.u[1] + 1)),
        }
        for what, (kind, rule) in slopes.items():
            yield Mistake(kind, f"{what}: {law}", _times_inner(rule))
    if moves[1] and not moves[0]:
        law = "(a^u)' = a^u*ln(a)*u'"
        yield Mistake("constant factor", f"the factor ln(a) is missing: {law}", lambda h: h.w * h.t[1])
        yield Mistake(
            "wrong rule", f"this is the rule of u^n: {law}", lambda h: h.u[1] * power(h.u[0], h.u[1] - 1) * h.t[1]
        )
        yield Mistake(
            "wrong rule",
            f"it is multiplied by ln(a), not divided: {law}",
            lambda h: divide(h.w, h.right() and logarithm(math.log)(h.u[0])) * h.t[1],
        )
    if all(moves):
        law = "(u^v)' = u^v*(v'*ln(u) + v*u'/u)"
        yield Mistake("wrong rule", f"only the rule of u^n was used: {law}", lambda h: h.s[0] * h.t[0])
        yield Mistake("wrong rule", f"only the rule of a^u was used: {law}", lambda h: h.s[1] * h.t[1])
        yield Mistake(
            "wrong rule",
            f"the part v*u'/u of the exponent's derivative is not just u': {law}",
            lambda h: h.w * logarithm(math.log)(h.u[0]),
        )
    for k in (0, 1):
        if inner[k]:
            yield from _chain(_POW, k, law)


def _times_inner(rule: Rule) -> Rule:
    return lambda h: rule(h) * h.t[0]


# --- the wrong function's rule ----------------------------------------------------------------------------------------


_RESULT = re.compile(r"\bw\b")
"""The function's own value, as the table calls it."""


def _wrong_rules(row: Primitive) -> Iterator[Mistake]:
    for what, slope in _other_slopes():
        yield Mistake(
            "wrong rule",
            f"the derivative of {row.name}(u) is not {re.sub(_RESULT, f'{row.name}(u)', what)}: {_law(row)}",
            _with_rule(slope),
            rare=True,
        )


Slope: TypeAlias = "Callable[[float, float], float]"
"""A local slope of one argument, from the argument and the result."""


def _with_rule(slope: Slope) -> Rule:
    return lambda h: slope(h.u[0], h.w) * h.t[0]


def _negative(slope: Slope) -> Slope:
    return lambda u, w: -slope(u, w)


@lru_cache(maxsize=1)
def _other_slopes() -> tuple[tuple[str, Slope], ...]:
    """Every slope of one argument that the table knows, every function of it, and a few powers; each with both signs."""
    texts = dict.fromkeys(["1/u", "1/u^2", "1/w", "w", "u*w", "u", "u^2", "w^2", "1/(2*u)", "1/(2*w)", "2/w", "2*w", "1/sqrt(u)", "sqrt(u)/2", "w/u", "w/2", "1/w^2", "1/(3*u)", "1", "1/2", "1/3", "2", "u*exp(u-1)", "u*2^(u-1)", "1/(u*ln(u))", "ln(u)", "w*ln(w)", "sec(u)", "csc(u)"])  # fmt: skip
    singles = [
        row
        for row in rules.rows()
        if row.kind == "elementwise" and row.arity == 1 and not row.is_predicate and row not in (_NEG, _SAME)
    ]
    texts |= dict.fromkeys(row.formula[0] for row in singles if row.formula[0] != ZERO and "w" not in row.formula[0])
    texts |= dict.fromkeys(f"{row.name}(u)" for row in singles)
    texts |= dict.fromkeys(row.formula[0].replace("w", f"{row.name}(u)") for row in singles if "w" in row.formula[0])
    rules_of_others: list[tuple[str, Slope]] = []
    for text in texts:
        slope = templates.compiled(text, ("u", "w"))
        rules_of_others.append((text, slope))
        rules_of_others.append((f"-{text}", _negative(slope)))
    return tuple(rules_of_others)
