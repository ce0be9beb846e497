"""Mistakes with the rules of sums, products, quotients and powers: texts in our own language, as the right rules are.

>>> from autodiff.core import rules
>>> [mistake.why for mistake in of_sum(rules.TABLE["+", 2], (True, False))]
['the derivative of a constant is 0, it was kept', 'the derivative of a constant is 0, not 1']
"""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.core.primitive import Primitive
from autodiff.grading.mistake_rules import AS_POWER, DIV, MUL, POWER_LAWS, Mistake, textbook_rule, texts, written


def of_sum(row: Primitive, moves: tuple[bool, ...]) -> Iterator[Mistake]:
    law = textbook_rule(row)
    for place, u, is_active in zip(("first", "second"), "uv", moves, strict=True):
        if not is_active:
            yield Mistake("constant term", "the derivative of a constant is 0, it was kept", written(f"r + s{u}*{u}"))
            yield Mistake("constant term", "the derivative of a constant is 0, not 1", written(f"r + s{u}"))
        elif all(moves):
            yield from texts("sign", law, (f"the sign of the {place} term is wrong", f"r - 2*s{u}*d{u}"))
            yield from texts("term lost", law, (f"the {place} term is lost", f"r - s{u}*d{u}"))
            kept = f"the {place} term is kept as it is, not differentiated"
            yield from texts("term not differentiated", law, (kept, f"r + s{u}*({u} - d{u})"), rare=True)
    if all(moves):
        yield from texts("product rule", law, ("the terms' derivatives are multiplied", "du*dv"), rare=True)


OF_PRODUCT = tuple(
    texts(
        "product rule",
        textbook_rule(MUL),
        ("the factors' derivatives were multiplied", "du*dv"),
        ("only the first factor was differentiated", "du*v"),
        ("only the second factor was differentiated", "u*dv"),
        ("the two parts are subtracted, not added", "du*v - u*dv"),
        ("the two parts are subtracted, not added", "u*dv - du*v"),
        ("each factor goes with its own derivative", "u*du + v*dv"),
        ("the derivatives are added without the other factors", "du + dv"),
        ("the second part lacks the factor u", "du*v + dv"),
        ("the first part lacks the factor v", "du + u*dv"),
        ("the parts are multiplied, not added", "du*v*u*dv"),
    )
)


def of_constant_factor(k: int) -> Iterator[Mistake]:
    """`k` is the place of the constant."""
    c, u = ("uv", "vu")[k]
    kind, law = "constant factor", "(c*u)' = c*u'"
    yield from texts(kind, law, ("the constant factor is lost", f"d{u}"))
    yield Mistake("product rule", "the constant's derivative is 0, so (c*u)' = c*u', not 0", written(f"0*{c}"))
    yield from texts(kind, law, ("the derivative of a constant factor is 0, not 1", f"{u} + {c}*d{u}"))
    yield from texts(
        kind,
        law,
        ("the constant factor is added", f"{c} + d{u}"),
        ("the constant factor is there twice", f"{c}^2*d{u}"),
        ("it was divided by the constant factor", f"d{u}/{c}"),
        rare=True,
    )
    dropped = "the constant factor is lost, and the other one is not differentiated"
    kept = "the product is kept as it is, not differentiated"
    yield from texts("term not differentiated", law, (kept, "w"), (dropped, u), rare=True)


def of_quotient(moves: tuple[bool, ...]) -> Iterator[Mistake]:
    if not moves[1]:
        without, multiplied = (
            ("the constant divisor is lost", "du"),
            ("it was multiplied by the constant divisor", "du*v"),
        )
        yield from texts("constant factor", "(u/c)' = u'/c", without, multiplied)
        yield from texts("quotient rule", "(u/c)' = u'/c", ("a constant divisor is not squared", "du/v^2"))
        return
    if not moves[0]:
        yield Mistake("sign", "the sign is wrong: (c/v)' = -c*v'/v^2", written("-r"))
    second = "only the second part of the numerator is there"
    yield from texts(
        "quotient rule",
        textbook_rule(DIV),
        ("the order in the numerator is swapped", "(u*dv - du*v)/v^2"),
        ("the derivatives were divided", "(du)/(dv)"),
        ("the numerator has + where it has -", "(du*v + u*dv)/v^2"),
        ("the denominator is not squared", "(du*v - u*dv)/v"),
        ("the denominator is missing", "du*v - u*dv"),
        ("the order in the numerator is swapped and the denominator not squared", "(u*dv - du*v)/v"),
        ("only the numerator was differentiated", "du/v"),
        ("only the first part of the numerator is there", "du/v^2"),
        ("only the denominator was differentiated", "u/dv"),
        ("the second part of the numerator lacks the derivative", "(du*v - u)/v^2"),
        ("the denominator is differentiated, not squared", "(du*v - u*dv)/dv^2"),
        ("each part of the numerator has its own derivative", "(u*du - v*dv)/v^2"),
        ("the rule of 1/u is 1/u^2 with a minus, not a logarithm", "u*ln(abs(v))"),
        *([(second, "-u*dv/v^2"), (f"{second}, without its minus", "u*dv/v^2")] if all(moves) else []),
    )


def of_power(moves: tuple[bool, ...], inner: tuple[bool, ...]) -> Iterator[Mistake]:
    law = POWER_LAWS[moves[0], moves[1]]
    if moves[0] and not moves[1]:
        for kind, what, slope in (
            ("exponent", "the exponent is not lowered by 1", "v*w"),
            ("constant factor", "the exponent is missing as a factor", "u^(v - 1)"),
            ("exponent", "the lowered exponent is the factor", "(v - 1)*u^(v - 1)"),
            ("exponent", "the exponent is lowered as the factor, not above", "(v - 1)*w"),
            ("exponent", "the new exponent is n - 1, not 1 - n", "if(v == 1, 0/0, v*u^(1 - v))"),
            ("exponent", "the exponent is raised by 1, not lowered", "v*u^(v + 1)"),
            ("exponent", "the exponent is lowered by 2", "if(v == 2, 0/0, v*u^(v - 2))"),
            ("exponent", "the exponent is the factor, and the power is lost", "v*u"),
            ("exponent", "the power itself stays", "w"),
            ("wrong rule", "this is the rule of a^u", "w*ln(u)"),
            ("wrong rule", "this is an antiderivative", "u^(v + 1)/(v + 1)"),
        ):
            yield from texts(kind, law, (what, f"{slope}*du"))
        if inner[0]:
            alone = "the power is taken of the variable alone, not of the whole u"
            only = "only what is inside the power is differentiated, the power stays"
            inside = "the power is taken of the inner derivative u', whose minus stays in front"
            yield from texts("inner function", law, (alone, "du*v*x^(v - 1)"))
            yield from texts("inner function", law, (only, "du^v"), (inside, "-v*(-du)^(v - 1)"), rare=True)
    if moves[1] and not moves[0]:
        yield from texts("constant factor", law, ("the factor ln(a) is missing", "w*dv"))
        yield from texts(
            "wrong rule",
            law,
            (AS_POWER, "v*u^(v - 1)*dv"),
            (f"{AS_POWER}, and the inner derivative is missing", "v*u^(v - 1)"),
            ("it is multiplied by ln(a), not divided", "w/if(r == 0, 0, ln(u))*dv"),
        )
        yield from texts("exponent", law, ("the exponent is lost", "u*dv"), rare=True)
    if all(moves):
        yield from texts(
            "wrong rule",
            law,
            ("only the rule of u^n was used", "su*du"),
            ("only the rule of a^u was used", "sv*dv"),
            ("the part v*u'/u of the exponent's derivative is not just u'", "w*ln(u)"),
        )
