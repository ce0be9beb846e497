"""Mistakes with the rules of sums, products, quotients and powers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from autodiff.core.floats import divide, logarithm, power
from autodiff.core.primitive import Primitive
from autodiff.grading.mistake_rules import (
    AS_POWER,
    DIV,
    MUL,
    POWER_LAWS,
    Mistake,
    Rule,
    listed,
    plus,
    textbook_rule,
)


def of_sum(row: Primitive, moves: tuple[bool, ...]) -> Iterator[Mistake]:
    law = textbook_rule(row)
    for k, place in enumerate(("first", "second")):
        if not moves[k]:
            yield Mistake("constant term", "the derivative of a constant is 0, it was kept", _constant_kept(k))
            yield Mistake("constant term", "the derivative of a constant is 0, not 1", _constant_as_one(k))
        elif all(moves):
            yield Mistake("sign", f"the sign of the {place} term is wrong: {law}", plus(k, -2.0))
            yield Mistake("term lost", f"the {place} term is lost: {law}", plus(k, -1.0))
            kept = f"the {place} term is kept as it is, not differentiated: {law}"
            yield Mistake("term not differentiated", kept, _term_kept(k), rare=True)
    if all(moves):
        multiplied: dict[str, Rule] = {"the terms' derivatives are multiplied": lambda h: h.t[0] * h.t[1]}
        yield from listed("product rule", law, multiplied, rare=True)


def _constant_kept(k: int) -> Rule:
    return lambda h: h.right() + h.s[k] * h.u[k]


def _term_kept(k: int) -> Rule:
    return lambda h: h.right() + h.s[k] * (h.u[k] - h.t[k])


def _constant_as_one(k: int) -> Rule:
    return lambda h: h.right() + h.s[k]


OF_PRODUCT = tuple(
    Mistake("product rule", f"{what}: {textbook_rule(MUL)}", rule)
    for what, rule in (
        ("the factors' derivatives were multiplied", lambda h: h.t[0] * h.t[1]),
        ("only the first factor was differentiated", lambda h: h.t[0] * h.u[1]),
        ("only the second factor was differentiated", lambda h: h.u[0] * h.t[1]),
        ("the two parts are subtracted, not added", lambda h: h.t[0] * h.u[1] - h.u[0] * h.t[1]),
        ("the two parts are subtracted, not added", lambda h: h.u[0] * h.t[1] - h.t[0] * h.u[1]),
        ("each factor goes with its own derivative", lambda h: h.u[0] * h.t[0] + h.u[1] * h.t[1]),
        ("the derivatives are added without the other factors", lambda h: h.t[0] + h.t[1]),
        ("the second part lacks the factor u", lambda h: h.t[0] * h.u[1] + h.t[1]),
        ("the first part lacks the factor v", lambda h: h.t[0] + h.u[0] * h.t[1]),
        ("the parts are multiplied, not added", lambda h: h.t[0] * h.u[1] * h.u[0] * h.t[1]),
    )
)


def of_constant_factor(k: int) -> Iterator[Mistake]:
    """`k` is the place of the constant."""
    argument, kind, law = 1 - k, "constant factor", "(c*u)' = c*u'"
    without: dict[str, Rule] = {"the constant factor is lost": lambda h: h.t[argument]}
    yield from listed(kind, law, without)
    yield Mistake("product rule", "the constant's derivative is 0, so (c*u)' = c*u', not 0", lambda h: 0.0 * h.u[k])
    as_one: dict[str, Rule] = {
        "the derivative of a constant factor is 0, not 1": lambda h: h.u[argument] + h.u[k] * h.t[argument]
    }
    yield from listed(kind, law, as_one)
    others: dict[str, Rule] = {
        "the constant factor is added": lambda h: h.u[k] + h.t[argument],
        "the constant factor is there twice": lambda h: h.u[k] ** 2 * h.t[argument],
        "it was divided by the constant factor": lambda h: divide(h.t[argument], h.u[k]),
    }
    kept: dict[str, Rule] = {
        "the product is kept as it is, not differentiated": lambda h: h.w,
        "the constant factor is lost, and the other one is not differentiated": lambda h: h.u[argument],
    }
    yield from listed(kind, law, others, rare=True)
    yield from listed("term not differentiated", law, kept, rare=True)


def of_quotient(moves: tuple[bool, ...]) -> Iterator[Mistake]:
    law = textbook_rule(DIV)
    if not moves[1]:
        divisor: dict[str, Rule] = {
            "the constant divisor is lost": lambda h: h.t[0],
            "it was multiplied by the constant divisor": lambda h: h.t[0] * h.u[1],
        }
        squared: dict[str, Rule] = {"a constant divisor is not squared": lambda h: divide(h.t[0], h.u[1] ** 2)}
        yield from listed("constant factor", "(u/c)' = u'/c", divisor)
        yield from listed("quotient rule", "(u/c)' = u'/c", squared)
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
    if all(moves):
        cross |= {
            "only the second part of the numerator is there": lambda h: divide(-h.u[0] * h.t[1], h.u[1] ** 2),
            "only the second part of the numerator is there, without its minus": lambda h: divide(
                h.u[0] * h.t[1], h.u[1] ** 2
            ),
        }
    yield from listed("quotient rule", law, cross)


def of_power(moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    law = POWER_LAWS[moves[0], moves[1]]
    if moves[0] and not moves[1]:
        slopes: dict[str, tuple[str, Rule]] = {
            "the exponent is not lowered by 1": ("exponent", lambda h: h.u[1] * h.w),
            "the exponent is missing as a factor": ("constant factor", lambda h: power(h.u[0], h.u[1] - 1)),
            "the lowered exponent is the factor": ("exponent", lambda h: (h.u[1] - 1) * power(h.u[0], h.u[1] - 1)),
            "the exponent is lowered as the factor, not above": ("exponent", lambda h: (h.u[1] - 1) * h.w),
            "the new exponent is n - 1, not 1 - n": (
                "exponent",
                lambda h: h.u[1] * power(h.u[0], 1 - h.u[1]) if h.u[1] != 1 else math.nan,
            ),
            "the exponent is raised by 1, not lowered": ("exponent", lambda h: h.u[1] * power(h.u[0], h.u[1] + 1)),
            "the exponent is lowered by 2": ("exponent", lambda h: h.u[1] * power(h.u[0], h.u[1] - 2)),
            "the exponent is the factor, and the power is lost": ("exponent", lambda h: h.u[1] * h.u[0]),
            "the power itself stays": ("exponent", lambda h: h.w),
            "this is the rule of a^u": ("wrong rule", lambda h: h.w * logarithm(math.log)(h.u[0])),
            "this is an antiderivative": ("wrong rule", lambda h: divide(power(h.u[0], h.u[1] + 1), h.u[1] + 1)),
        }
        for what, (kind, rule) in slopes.items():
            yield from listed(kind, law, {what: _times_inner(rule)})
        if inner[0]:
            alone = f"the power is taken of the variable alone, not of the whole u: {law}"
            yield Mistake("inner function", alone, lambda h: h.t[0] * h.u[1] * power(h.x, h.u[1] - 1))
            only = f"only what is inside the power is differentiated, the power stays: {law}"
            yield Mistake("inner function", only, lambda h: power(h.t[0], h.u[1]), rare=True)
            inside = f"the power is taken of the inner derivative u', whose minus stays in front: {law}"
            yield Mistake("inner function", inside, lambda h: -h.u[1] * power(-h.t[0], h.u[1] - 1), rare=True)
    if moves[1] and not moves[0]:
        yield Mistake("constant factor", f"the factor ln(a) is missing: {law}", lambda h: h.w * h.t[1])
        of_base: dict[str, Rule] = {
            AS_POWER: lambda h: h.u[1] * power(h.u[0], h.u[1] - 1) * h.t[1],
            f"{AS_POWER}, and the inner derivative is missing": lambda h: h.u[1] * power(h.u[0], h.u[1] - 1),
            "it is multiplied by ln(a), not divided": lambda h: (
                divide(h.w, h.right() and logarithm(math.log)(h.u[0])) * h.t[1]
            ),
        }
        yield from listed("wrong rule", law, of_base)
        yield Mistake("exponent", f"the exponent is lost: {law}", lambda h: h.u[0] * h.t[1], rare=True)
    if all(moves):
        of_both: dict[str, Rule] = {
            "only the rule of u^n was used": lambda h: h.s[0] * h.t[0],
            "only the rule of a^u was used": lambda h: h.s[1] * h.t[1],
            "the part v*u'/u of the exponent's derivative is not just u'": lambda h: h.w * logarithm(math.log)(h.u[0]),
        }
        yield from listed("wrong rule", law, of_both)


def _times_inner(rule: Rule) -> Rule:
    return lambda h: rule(h) * h.t[0]
