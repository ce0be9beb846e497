"""Ball arithmetic as an algebra: exact numbers stay exact, the others are a midpoint and a proven radius.

A row of the table is evaluated by its library function, or by its definition over the same numbers; a partial by the
row's formula.

>>> from autodiff.core import rules
>>> from autodiff.numbers.ball_numbers import precision
>>> with precision(128):
...     at = meaning(ExactFloat(0.1, "0.1"))
...     str(BALLS.apply(rules.TABLE["*", 2], [at, fmpq(3)]))
'3/10'
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import arb, fmpq

from autodiff.core.algebra import Algebra
from autodiff.core.evaluate import DomainError, Indeterminate
from autodiff.core.primitive import Primitive
from autodiff.language.exact_float import ExactFloat, ratio
from autodiff.numbers import ball_functions
from autodiff.numbers.ball_numbers import Number, ball, rational, shown
from autodiff.numbers.exact import PiMultiple


def meaning(value: float) -> Number:
    """What a number means: a typed one is what was typed, a float64 is itself."""
    if not isinstance(value, ExactFloat):
        return rational(value)
    if not isinstance(value.meaning, str):
        return BALLS.unchecked(value.meaning, {})[0][value.meaning.result]
    if value.meaning in _CONSTANTS:
        return _CONSTANTS[value.meaning]()
    parts = ratio(value.meaning)
    return rational(value) if parts is None else fmpq(*parts)


_CONSTANTS: Mapping[str, Callable[[], Number]] = {
    "pi": lambda: PiMultiple(fmpq(1)),
    "tau": lambda: PiMultiple(fmpq(2)),
    "e": lambda: arb(1).exp(),
}


class Balls(Algebra[Number]):
    """Balls at the precision that holds; a condition that a ball does not decide is None."""

    def constant(self, value: float) -> Number:
        return meaning(value)

    def apply(self, row: Primitive, args: Sequence[Number]) -> Number:
        if row.branches is not None:
            return _both(row, args)
        if row.is_predicate:
            return _condition(row, args)
        exact = ball_functions.EXACT.get(row.value)
        if exact is not None and (value := exact(*args)) is not None:
            return value
        arity, named = ball_functions.NAMED.get(row.name, (0, None))
        if named is not None and row.arity == arity:
            return named(*map(ball, args))
        if row.value in ball_functions.BALLS:
            return ball_functions.BALLS[row.value](*map(ball, args))
        return self.text(row.definition, row.params, args)

    def branch(self, condition: Number) -> bool | None:
        return None if condition is None else bool(condition)

    def equation(self, node: int, row: Primitive, args: Sequence[Number]) -> Number:
        self.require_domain(node, row, args)
        value = self.apply(row, args)
        if value is None or (isinstance(value, arb) and not value.is_finite()):
            for name, arg in zip(row.params, args, strict=False):
                if isinstance(arg, PiMultiple) and (2 * arg.part).q == 1:  # sin and cos are 0 or ±1 there
                    raise DomainError(node, [self.as_float(a) for a in args], f"#{name} not to be at a pole")
            raise Indeterminate(node)
        return value

    def as_float(self, value: Number) -> float:
        return shown(value)

    def partial_text(self, row: Primitive, k: int, given: Sequence[Number]) -> str:
        return row.formula[k]

    def undefined(self) -> Number:
        return arb.nan()


BALLS = Balls()


def _both(row: Primitive, args: Sequence[Number]) -> Number:
    """A choice that is not decided: the union of both branches."""
    assert row.branches is not None
    if row.is_predicate:
        other = args[1]  # `c and false` is false, `c or true` is true, whatever c is
        return other if other is not None and bool(other) != (row.branches[0] == 1) else None
    sides = [args[k] for k in row.branches]
    return None if None in sides else ball(sides[0]).union(ball(sides[1]))


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _condition(row: Primitive, args: Sequence[Number]) -> bool | None:
    if row.arity == 1:
        return None if args[0] is None else not args[0]
    if None in args:
        return None
    compare, sign = _COMPARISONS[row.value], ball_functions.sign(*args)
    return None if sign is None else compare(sign, 0)
