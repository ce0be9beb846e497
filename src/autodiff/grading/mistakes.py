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
    listed,
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
    u = row.params[k]
    missing: dict[str, Rule] = {f"the inner derivative {u}' is missing": lambda h: _with_tangent(h, k, 1.0)}
    at: dict[str, Rule] = {
        f"the outer derivative is taken at the variable alone, not at the inner function {u}": lambda h: _with_slope(
            h, k, _slope_at(row, k, h, h.x)
        ),
        f"the outer derivative is taken at the inner derivative {u}', not at the inner function {u}": lambda h: (
            _with_slope(h, k, _slope_at(row, k, h, h.t[k]))
        ),
        f"the outer derivative is taken at the inner derivative {u}', which is not a factor then": lambda h: (
            _with_slope(_moved(h, k, 1.0), k, _slope_at(row, k, h, h.t[k]))
        ),
    }
    shallow: dict[str, Rule] = {
        f"the outer derivative is taken at {u} with its own inner function left out": lambda h: _with_slope(
            h, k, _slope_at(row, k, h, h.shallow[k])
        ),
    }
    if f"{u}^2" in row.formula[k]:
        at[f"the square is taken of the variable alone, not of the whole {u}"] = lambda h: _with_slope(
            h, k, _slope_at(row, k, h, math.sqrt(h.u[k] * h.x))
        )
    alone: dict[str, Rule] = {
        f"only the inner derivative {u}' is there, the outer one is missing": lambda h: _with_slope(h, k, 1.0)
    }
    factors: dict[str, Rule] = {
        "the inner derivative is added where it is a factor": lambda h: h.right() - h.s[k] * h.t[k] + h.s[k] + h.t[k],
        f"the inner function {u} itself is the factor instead of its derivative {u}'": lambda h: _with_tangent(
            h, k, h.u[k]
        ),
    }
    yield from listed("inner derivative", law, missing)
    yield from listed("inner function", law, at)
    for place, which in ((0, "first"), (-1, "last")):
        shallow[f"the outer derivative is taken at {u} without its {which} term"] = partial(
            _without_term, row, k, place
        )
    yield from listed("inner function", law, shallow, rare=True)
    yield from listed("inner derivative", law, alone)
    brackets = f"the brackets around the inner derivative {u}', a sum, are missing"
    yield from listed("inner derivative", law, factors, rare=True)
    for place in (0, -1):
        yield Mistake("inner derivative", f"{brackets}: {law}", partial(_without_brackets, k=k, place=place), rare=True)


def _without_brackets(h: Here, k: int, place: int) -> float:
    """The slope times the first or the last term of the inner derivative, and the other terms as they are."""
    slope, term = h.s[k], h.terms[k][place]
    return h.right() - slope * h.t[k] + slope * term + (h.t[k] - term)


def _without_term(row: Primitive, k: int, place: int, h: Here) -> float:
    return _with_slope(h, k, _slope_at(row, k, h, h.shorter[k][place]))


def _moved(h: Here, k: int, tangent: float) -> Here:
    return h._replace(t=tuple(tangent if i == k else t for i, t in enumerate(h.t)))


def _with_tangent(h: Here, k: int, tangent: float) -> float:
    return _moved(h, k, tangent).right()


def _with_slope(h: Here, k: int, slope: float) -> float:
    return h._replace(s=tuple(slope if i == k else s for i, s in enumerate(h.s))).right()


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
        rules_of_others += [(text, slope), (f"-({text})" if is_sum(text) else f"-{text}", _negative(slope))]
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
