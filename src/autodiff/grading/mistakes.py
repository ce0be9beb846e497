"""The mistakes that people make with one rule of differentiation, each as the wrong rule itself.

A mistake gets what the right rule has (the arguments, the result, the local slopes, the tangents) and gives the tangent
that the mistake leads to. The catalogue goes by the shape of a row, and for wrong rules through the whole table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TypeAlias

from autodiff.core import rules, templates
from autodiff.core.floats import divide
from autodiff.core.primitive import ZERO, Primitive, is_quotient, with_other_signs, with_result
from autodiff.grading.arithmetic_mistakes import OF_PRODUCT, of_constant_factor, of_power, of_quotient, of_sum
from autodiff.grading.mistake_rules import (
    ADD,
    AS_POWER,
    DIV,
    EXP,
    MUL,
    NEG,
    POW,
    POWER_LAWS,
    SAME,
    SUB,
    Here,
    Mistake,
    Rule,
    is_sum,
    plus,
    textbook_rule,
    texts,
)


def mistakes(row: Primitive, moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    """The mistakes with the rule of `row`, likely ones first.

    moves   which arguments depend on the variable;  inner  which of those are not the variable itself
    """
    if row is MUL:
        yield from OF_PRODUCT if all(moves) else of_constant_factor(1 if moves[0] else 0)
    elif row is DIV:
        yield from of_quotient(moves)
    elif row is POW:
        yield from of_power(moves, inner)
        for k in (0, 1):
            if inner[k]:
                yield from _chain(POW, k, POWER_LAWS[moves[0], moves[1]])
    elif row is ADD or row is SUB:
        yield from of_sum(row, moves)
    elif row not in (NEG, SAME):
        yield from _function(row, moves, inner)
    yield Mistake("sign", f"the sign is wrong: {textbook_rule(row, moves)}", lambda h: -h.right())
    if row.arity == 1 and row not in (NEG, SAME) and row.formula[0] != ZERO:
        yield from _wrong_rules(row)


# --- the chain rule ---------------------------------------------------------------------------------------------------


def _function(row: Primitive, moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    if row is EXP:
        law = "(e^u)' = e^u*u'"
        power, lacking = (AS_POWER, "u*(w/e)*du"), (f"{AS_POWER}, and the inner derivative is missing", "u*(w/e)")
        yield from texts("wrong rule", law, power, lacking)
        yield from texts("exponent", law, ("the exponent is lost", "e*du"), rare=True)
    for k, (is_active, deeper) in enumerate(zip(moves, inner, strict=True)):
        if is_active and deeper:
            yield from _chain(row, k, textbook_rule(row))
        if is_active and sum(moves) > 1:
            missing = f"the part through {row.params[k]} is missing: {textbook_rule(row)}"
            yield Mistake("product or sum rule", missing, plus(k, -1.0))


def _chain(row: Primitive, k: int, law: str) -> Iterator[Mistake]:
    u, at = row.params[k], "the outer derivative is taken at"
    inner, outer = "inner derivative", "inner function"

    def taken_at(place: Callable[[Here], float]) -> Rule:
        return lambda h: _through(h, k, _slope_at(row, k, h, place(h)), h.t[k])

    slips: list[tuple[str, str, Rule]] = [
        (inner, f"the inner derivative {u}' is missing", lambda h: _through(h, k, h.s[k], 1.0)),
        (outer, f"{at} the variable alone, not at the inner function {u}", taken_at(lambda h: h.x)),
        (outer, f"{at} the inner derivative {u}', not at the inner function {u}", taken_at(lambda h: h.t[k])),
        (
            outer,
            f"{at} the inner derivative {u}', which is not a factor then",
            lambda h: _through(h, k, _slope_at(row, k, h, h.t[k]), 1.0),
        ),
        (
            inner,
            f"only the inner derivative {u}' is there, the outer one is missing",
            lambda h: _through(h, k, 1.0, h.t[k]),
        ),
    ]
    if f"{u}^2" in row.formula[k]:
        square = f"the square is taken of the variable alone, not of the whole {u}"
        slips.insert(4, (outer, square, taken_at(lambda h: math.sqrt(h.u[k] * h.x))))
    instead = f"the inner function {u} itself is the factor instead of its derivative {u}'"
    brackets = f"the brackets around the inner derivative {u}', a sum, are missing"
    rare: list[tuple[str, str, Rule]] = [
        (outer, f"{at} {u} with its own inner function left out", taken_at(lambda h: h.shallow[k])),
        (outer, f"{at} {u} without its first term", taken_at(lambda h: h.shorter[k][0])),
        (outer, f"{at} {u} without its last term", taken_at(lambda h: h.shorter[k][-1])),
        (
            inner,
            "the inner derivative is added where it is a factor",
            lambda h: h.right() - h.s[k] * h.t[k] + h.s[k] + h.t[k],
        ),
        (inner, instead, lambda h: _through(h, k, h.s[k], h.u[k])),
        (inner, brackets, partial(_without_brackets, k=k, place=0)),
        (inner, brackets, partial(_without_brackets, k=k, place=-1)),
    ]
    yield from (Mistake(kind, f"{what}: {law}", rule) for kind, what, rule in slips)
    yield from (Mistake(kind, f"{what}: {law}", rule, rare=True) for kind, what, rule in rare)


def _through(h: Here, k: int, slope: float, tangent: float) -> float:
    """The right rule, but for the slope and the tangent of argument k."""
    s, t = (*h.s[:k], slope, *h.s[k + 1 :]), (*h.t[:k], tangent, *h.t[k + 1 :])
    return h._replace(s=s, t=t).right()


def _without_brackets(h: Here, k: int, place: int) -> float:
    """The slope times the first or the last term of the inner derivative, and the other terms as they are."""
    slope, term = h.s[k], h.terms[k][place]
    return h.right() - slope * h.t[k] + slope * term + (h.t[k] - term)


def _slope_at(row: Primitive, k: int, h: Here, place: float) -> float:
    args = tuple(place if i == k else u for i, u in enumerate(h.u))
    return templates.partial(row, k)(*args, templates.value(row)(*args))


# --- the wrong function's rule ----------------------------------------------------------------------------------------

Slope: TypeAlias = "Callable[[float, float], float]"
"""A local slope of one argument, from the argument and the result."""


@lru_cache(maxsize=1)
def _candidate_slopes() -> tuple[tuple[str, Slope], ...]:
    """Every slope of one argument that the table knows, every function of it, and a few powers; each with both signs."""
    texts = dict.fromkeys(["1/u", "1/u^2", "1/w", "w", "u*w", "u", "u^2", "w^2", "w^2/3", "1+w^2", "1-w^2", "1/(2*u)", "1/(2*w)", "2/w", "2*w", "1/sqrt(u)", "sqrt(u)/2", "w/u", "w/2", "1/w^2", "1/(3*u)", "1", "1/2", "1/3", "2", "u*exp(u-1)", "u*2^(u-1)", "1/(u*ln(u))", "ln(u)", "ln(10)/u", "ln(2)/u", "w*ln(w)", "sec(u)", "csc(u)"])  # fmt: skip
    singles = [
        row
        for row in rules.rows()
        if row.kind == "elementwise" and row.arity == 1 and not row.is_predicate and row not in (NEG, SAME)
    ]
    calls = {row: f"{row.name}(u)" for row in singles}
    formulas = {row: with_result(row.formula[0], call) for row, call in calls.items() if row.formula[0] != ZERO}
    texts |= dict.fromkeys(text for row, text in formulas.items() if text == row.formula[0])
    texts |= dict.fromkeys(calls.values())
    texts |= dict.fromkeys(text for row, text in formulas.items() if text != row.formula[0])
    rules_of_others: list[tuple[str, Slope]] = []
    for text in texts:
        slope = templates.compiled(text, ("u", "w"))
        positive = text.removeprefix("-")
        is_negative = positive != text and not is_sum(positive)
        opposite = positive if is_negative else f"-({text})" if is_sum(text) else f"-{text}"
        rules_of_others += [(text, slope), (opposite, _negative(slope))]
    return tuple(rules_of_others)


def _negative(slope: Slope) -> Slope:
    return lambda u, w: -slope(u, w)


def _wrong_rules(row: Primitive) -> Iterator[Mistake]:
    law = textbook_rule(row)
    if is_quotient(row.formula[0]):
        upside_down = f"the fraction is upside down: {law}"
        yield Mistake("wrong rule", upside_down, lambda h: divide(1.0, h.right()), rare=True)
    for what, slope in _candidate_slopes():
        other = with_result(what, f"{row.name}(u)")
        yield Mistake(
            "wrong rule", f"the derivative of {row.name}(u) is not {other}: {law}", _with_rule(slope), rare=True
        )
    for text in with_other_signs(row.formula[0]):
        slope = templates.compiled(text, (*row.params, "w"))
        yield Mistake("sign", f"a sign within the rule is wrong: {law}", _with_rule(slope), rare=True)


def _with_rule(slope: Slope) -> Rule:
    return lambda h: slope(h.u[0], h.w) * h.t[0]
