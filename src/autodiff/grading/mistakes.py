"""The mistakes that people make with one rule of differentiation, each as the wrong rule itself.

A mistake gets what the right rule has (the arguments, the result, the local slopes, the tangents) and gives the tangent
that the mistake leads to. The catalogue goes by the shape of a row, and for wrong rules through the whole table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

from autodiff.core import rules, templates
from autodiff.core.floats import divide, logarithm, power
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive, with_result
from autodiff.grading.candidate_slopes import Slope, candidate_slopes

_ADD, _SUB, _MUL, _DIV, _POW = (rules.TABLE[name, 2] for name in ("+", "-", "*", "/", "^"))
_NEG, _SAME, _EXP = rules.TABLE["-", 1], rules.TABLE["+", 1], rules.TABLE["exp", 1]


class Here(NamedTuple):
    """What a rule is given at its equation: arguments, result, local slopes, tangents, which arguments move, the variable.

    `shallow[k]` is argument k as it would be if its own inner function were the variable alone; `terms[k]` are the tangents
    of the terms of a sum that is argument k.
    """

    u: tuple[float, ...]
    w: float
    s: tuple[float, ...]
    t: tuple[float, ...]
    moves: tuple[bool, ...]
    x: float
    shallow: tuple[float, ...]
    terms: tuple[tuple[float, ...], ...]

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
    yield Mistake("sign", f"the sign is wrong: {_law(row, moves)}", lambda h: -h.right())
    if row.arity == 1 and row not in (_NEG, _SAME) and row.formula[0] != ZERO:
        yield from _wrong_rules(row)


_POWER_LAWS = {
    (True, False): "(u^n)' = n*u^(n-1)*u'",
    (False, True): "(a^u)' = a^u*ln(a)*u'",
    (True, True): "(u^v)' = u^v*(v'*ln(u) + v*u'/u)",
}
"""By which of base and exponent depends on the variable."""


def _law(row: Primitive, moves: tuple[bool, ...] = ()) -> str:
    """The rule as a teacher writes it, where these arguments depend on the variable."""
    laws = {
        _ADD: "(u + v)' = u' + v'",
        _SUB: "(u - v)' = u' - v'",
        _MUL: "(u*v)' = u'*v + u*v'",
        _DIV: "(u/v)' = (u'*v - u*v')/v^2",
        _NEG: "(-u)' = -u'",
    }
    if row in laws:
        return laws[row]
    if row is _POW:
        return _POWER_LAWS[moves[0], moves[1]]
    terms = [
        f"({f})*{p}'" if _is_sum(f) else f"{f}*{p}'"
        for f, p in zip(row.formula, row.params, strict=True)
        if f not in (ZERO, UNDEFINED)
    ]
    result = f", w being {row.signature}" if any(with_result(f, row.name) != f for f in row.formula) else ""
    return f"({row.signature})' = {' + '.join(terms) or '0'}{result}"


def _is_sum(text: str) -> bool:
    """Whether a text of the table needs brackets as a factor; a call as a whole, such as `if(…)`, needs none."""
    depth = 0
    for k, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign in "+-" and not depth and k:
            return True
    return text.startswith("-")


# --- the chain rule ---------------------------------------------------------------------------------------------------


_AS_POWER = "this is the rule of u^n"


def _function(row: Primitive, moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    if row is _EXP:
        as_power: dict[str, Rule] = {
            _AS_POWER: lambda h: h.u[0] * divide(h.w, math.e) * h.t[0],
            f"{_AS_POWER}, and the inner derivative is missing": lambda h: h.u[0] * divide(h.w, math.e),
        }
        yield from _listed("wrong rule", "(e^u)' = e^u*u'", as_power)
    for k, (is_active, deeper) in enumerate(zip(moves, inner, strict=True)):
        if is_active and deeper:
            yield from _chain(row, k, _law(row))
        if is_active and sum(moves) > 1:
            missing = f"the part through {row.params[k]} is missing: {_law(row)}"
            yield Mistake("product or sum rule", missing, _plus(k, -1.0))


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
    yield from _listed("inner derivative", law, missing)
    yield from _listed("inner function", law, at)
    yield from _listed("inner function", law, shallow, rare=True)
    yield from _listed("inner derivative", law, alone)
    brackets = f"the brackets around the inner derivative {u}', a sum, are missing"
    yield from _listed("inner derivative", law, factors, rare=True)
    for place in (0, -1):
        yield Mistake("inner derivative", f"{brackets}: {law}", partial(_without_brackets, k=k, place=place), rare=True)


def _without_brackets(h: Here, k: int, place: int) -> float:
    """The slope times the first or the last term of the inner derivative, and the other terms as they are."""
    slope, term = h.s[k], h.terms[k][place]
    return h.right() - slope * h.t[k] + slope * term + (h.t[k] - term)


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


def _listed(kind: str, law: str, slips: Mapping[str, Rule], *, rare: bool = False) -> Iterator[Mistake]:
    """Mistakes of one kind: what was done, the rule that says otherwise, and what comes of it."""
    return (Mistake(kind, f"{what}: {law}", rule, rare) for what, rule in slips.items())


def _sum(row: Primitive, moves: tuple[bool, ...]) -> Iterator[Mistake]:
    law = _law(row)
    for k, place in enumerate(("first", "second")):
        if not moves[k]:
            yield Mistake("constant term", "the derivative of a constant is 0, it was kept", _constant_kept(k))
            yield Mistake("constant term", "the derivative of a constant is 0, not 1", _constant_as_one(k))
        elif all(moves):
            yield Mistake("sign", f"the sign of the {place} term is wrong: {law}", _plus(k, -2.0))
            yield Mistake("term lost", f"the {place} term is lost: {law}", _plus(k, -1.0))
            kept = f"the {place} term is kept as it is, not differentiated: {law}"
            yield Mistake("term not differentiated", kept, _term_kept(k), rare=True)
    if all(moves):
        multiplied: dict[str, Rule] = {"the terms' derivatives are multiplied": lambda h: h.t[0] * h.t[1]}
        yield from _listed("product rule", law, multiplied, rare=True)


def _constant_kept(k: int) -> Rule:
    return lambda h: h.right() + h.s[k] * h.u[k]


def _term_kept(k: int) -> Rule:
    return lambda h: h.right() + h.s[k] * (h.u[k] - h.t[k])


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
    argument, kind, law = 1 - k, "constant factor", "(c*u)' = c*u'"
    without: dict[str, Rule] = {"the constant factor is lost": lambda h: h.t[argument]}
    yield from _listed(kind, law, without)
    yield Mistake("product rule", "the constant's derivative is 0, so (c*u)' = c*u', not 0", lambda h: 0.0 * h.u[k])
    as_one: dict[str, Rule] = {
        "the derivative of a constant factor is 0, not 1": lambda h: h.u[argument] + h.u[k] * h.t[argument]
    }
    yield from _listed(kind, law, as_one)
    others: dict[str, Rule] = {
        "the constant factor is added": lambda h: h.u[k] + h.t[argument],
        "the constant factor is there twice": lambda h: h.u[k] ** 2 * h.t[argument],
        "it was divided by the constant factor": lambda h: divide(h.t[argument], h.u[k]),
    }
    kept: dict[str, Rule] = {"the product is kept as it is, not differentiated": lambda h: h.w}
    yield from _listed(kind, law, others, rare=True)
    yield from _listed("term not differentiated", law, kept, rare=True)


def _quotient(moves: tuple[bool, ...]) -> Iterator[Mistake]:
    law = _law(_DIV)
    if not moves[1]:
        divisor: dict[str, Rule] = {
            "the constant divisor is lost": lambda h: h.t[0],
            "it was multiplied by the constant divisor": lambda h: h.t[0] * h.u[1],
        }
        squared: dict[str, Rule] = {"a constant divisor is not squared": lambda h: divide(h.t[0], h.u[1] ** 2)}
        yield from _listed("constant factor", "(u/c)' = u'/c", divisor)
        yield from _listed("quotient rule", "(u/c)' = u'/c", squared)
        return
    if not moves[0]:
        yield Mistake("sign", "the sign is wrong: (c/v)' = -c*v'/v^2", lambda h: -h.right())
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
        "the denominator is differentiated, not squared": lambda h: divide(
            h.t[0] * h.u[1] - h.u[0] * h.t[1], h.t[1] ** 2
        ),
        "each part of the numerator has its own derivative": lambda h: divide(
            h.u[0] * h.t[0] - h.u[1] * h.t[1], h.u[1] ** 2
        ),
        "the rule of 1/u is 1/u^2 with a minus, not a logarithm": lambda h: h.u[0] * logarithm(math.log)(abs(h.u[1])),
    }
    yield from _listed("quotient rule", law, cross)


# --- powers -----------------------------------------------------------------------------------------------------------


def _power(moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    law = _POWER_LAWS[moves[0], moves[1]]
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
            yield from _listed(kind, law, {what: _times_inner(rule)})
        if inner[0]:
            alone = f"the power is taken of the variable alone, not of the whole u: {law}"
            yield Mistake("inner function", alone, lambda h: h.t[0] * h.u[1] * power(h.x, h.u[1] - 1))
            inside = f"the power is taken of the inner derivative u', whose minus stays in front: {law}"
            yield Mistake("inner function", inside, lambda h: -h.u[1] * power(-h.t[0], h.u[1] - 1), rare=True)
    if moves[1] and not moves[0]:
        yield Mistake("constant factor", f"the factor ln(a) is missing: {law}", lambda h: h.w * h.t[1])
        of_base: dict[str, Rule] = {
            _AS_POWER: lambda h: h.u[1] * power(h.u[0], h.u[1] - 1) * h.t[1],
            f"{_AS_POWER}, and the inner derivative is missing": lambda h: h.u[1] * power(h.u[0], h.u[1] - 1),
            "it is multiplied by ln(a), not divided": lambda h: (
                divide(h.w, h.right() and logarithm(math.log)(h.u[0])) * h.t[1]
            ),
        }
        yield from _listed("wrong rule", law, of_base)
    if all(moves):
        of_both: dict[str, Rule] = {
            "only the rule of u^n was used": lambda h: h.s[0] * h.t[0],
            "only the rule of a^u was used": lambda h: h.s[1] * h.t[1],
            "the part v*u'/u of the exponent's derivative is not just u'": lambda h: h.w * logarithm(math.log)(h.u[0]),
        }
        yield from _listed("wrong rule", law, of_both)
    for k in (0, 1):
        if inner[k]:
            yield from _chain(_POW, k, law)


def _times_inner(rule: Rule) -> Rule:
    return lambda h: rule(h) * h.t[0]


# --- the wrong function's rule ----------------------------------------------------------------------------------------


def _wrong_rules(row: Primitive) -> Iterator[Mistake]:
    law = _law(row)
    for what, slope in candidate_slopes():
        other = with_result(what, f"{row.name}(u)")
        yield Mistake(
            "wrong rule", f"the derivative of {row.name}(u) is not {other}: {law}", _with_rule(slope), rare=True
        )


def _with_rule(slope: Slope) -> Rule:
    return lambda h: slope(h.u[0], h.w) * h.t[0]
