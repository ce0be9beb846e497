"""Rational numbers and multiples of π are an algebra: every scalar row runs over them, and what they give is exact."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, fmpq

import autodiff
from autodiff.core import rules, templates
from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.lowering import lower
from autodiff.core.primitive import ELEMENTWISE, Primitive
from autodiff.numbers.ball_numbers import ball, precision
from autodiff.numbers.balls import BALLS
from autodiff.numbers.exact import EXACT
from autodiff.numbers.pi_multiples import PiMultiple, turn

SCALAR = [row for row in rules.rows() if row.kind == ELEMENTWISE and row.branches is None and not row.conditions]
MANY = [Fraction(k, 2) for k in range(-4, 7)] + [turn(Fraction(k, 12)) for k in range(-12, 13, 2) if k]
FEW = [Fraction(k, 2) for k in range(-2, 4)] + [PiMultiple(Fraction(1, 2))]


@pytest.mark.parametrize("row", SCALAR, ids=lambda row: f"{row.name} {row.arity}")
def test_every_scalar_row_runs_over_exact_numbers_and_is_never_wrong(row: Primitive) -> None:
    lowered = lower(autodiff.parse(row.signature.replace(", …", "")))
    for args in itertools.product(MANY if row.arity < 3 else FEW, repeat=row.arity):
        try:
            value = EXACT.evaluate(lowered, dict(zip(row.params, args, strict=True))).values[lowered.result]
        except (DomainError, Indeterminate):
            continue
        wanted = templates.value(row)(*map(float, args))
        assert math.isclose(float(value), wanted, rel_tol=1e-9, abs_tol=1e-9), args
        with precision(256):
            assert ball(BALLS.apply(row, [_of_flint(a) for a in args])).overlaps(ball(_of_flint(value))), args


def _of_flint(number: Any) -> Any:
    if isinstance(number, PiMultiple):
        return PiMultiple(_of_flint(number.part))
    return number if isinstance(number, bool) else fmpq(number.numerator, number.denominator)


@pytest.mark.parametrize(
    ("program", "at", "value", "slope"),
    [("x*sin(x)", turn(Fraction(1)), Fraction(0), turn(Fraction(-1))), ("x^2 - 1/x", Fraction(2), Fraction(7, 2), Fraction(17, 4)),
     ("if(x < 22/7, cos(x), 0)", turn(Fraction(1)), Fraction(-1), Fraction(0)), ("sqrt(x)/3", Fraction(1, 9), Fraction(1, 9), Fraction(1, 2)),
     ("x^(2/3)", Fraction(8, 27), Fraction(4, 9), Fraction(1)), ("cbrt(x)", Fraction(-8), Fraction(-2), Fraction(1, 12)),
     ("log(x, 10) + log2(1/x)", Fraction(1), Fraction(0), None), ("floor(log10(x)) + log2(x/1000)", Fraction(1000), Fraction(3), None),
     ("log(x, 10)", Fraction(1, 1000), Fraction(-3), None), ("x^(-1/4)", Fraction(16), Fraction(1, 2), Fraction(-1, 128)),
     ("acos(x) + atan2(x, x)", Fraction(1, 2), turn(Fraction(7, 12)), None)],
)  # fmt: skip
def test_programs_have_exact_values_and_slopes(program: str, at: Any, value: Any, slope: Any) -> None:
    lowered = lower(autodiff.parse(program))
    trace = EXACT.evaluate(lowered, {"x": at})
    assert trace.values[lowered.result] == value
    source = lowered.graph.find("x") or 0
    linear = EXACT.linearize(lowered, trace, [source])
    assert EXACT.vjp(linear, {lowered.result: Fraction(1)}).get(source, Fraction(0)) == slope
    assert EXACT.jvp(linear, {source: Fraction(1)}).get(lowered.result, Fraction(0)) == slope


def test_order_is_decided_between_multiples_of_pi_and_rational_numbers_that_are_far_apart() -> None:
    pi = PiMultiple(Fraction(1))
    assert [EXACT.sign(pi, Fraction(n)) for n in ("3", "3.141592653", "3.141592654", "4")] == [1, 1, -1, -1]
    assert [EXACT.sign(Fraction(n), -pi) for n in (-3, -4)] == [1, -1]
    assert EXACT.sign(pi, Fraction(314159265358979, 10**14)) is None
    with precision(128):
        assert BALLS.sign(PiMultiple(fmpq(1)), fmpq(314159265358979, 10**14)) == 1
        assert BALLS.sign(arb(1), arb(1) / 3 * 3) is None
