"""Ball arithmetic as an algebra: exact numbers stay exact, the others are a midpoint and a proven radius.

A row of the table is evaluated by its library function, or by its definition over the same numbers; a partial by the
row's formula.

>>> from autodiff.core import rules
>>> from autodiff.language.exact_float import ExactFloat
>>> from autodiff.numbers.ball_numbers import precision
>>> with precision(128):
...     at = BALLS.constant(ExactFloat(0.1, "0.1"))
...     str(BALLS.apply(rules.TABLE["*", 2], [at, fmpq(3)]))
'3/10'
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb, fmpq

from autodiff.core.evaluate import Indeterminate
from autodiff.core.primitive import Primitive
from autodiff.numbers.ball_functions import FUNCTIONS, NAMED
from autodiff.numbers.ball_numbers import Number, ball, shown
from autodiff.numbers.ball_special import EXACT_SPECIAL
from autodiff.numbers.exact import ExactNumbers


class Balls(ExactNumbers):
    """Exact numbers, and balls at the precision that holds where a number is not exact; None is an undecided condition."""

    def __init__(self) -> None:
        super().__init__(fmpq, fmpq, lambda number: (int(number.p), int(number.q)))
        self.functions |= EXACT_SPECIAL

    def typed(self, text: str, value: float) -> Number:
        return arb(1).exp() if text == "e" else super().typed(text, value)

    def apply(self, row: Primitive, args: Sequence[Number]) -> Number:
        if row.branches is not None or row.is_predicate:
            return super().apply(row, args)
        exact = self.functions.get(row.value)
        if exact is not None and (value := exact(*args)) is not None:
            return value
        arity, named = NAMED.get(row.name, (0, None))
        if named is not None and row.arity == arity:
            return named(*map(ball, args))
        if row.value in FUNCTIONS:
            return FUNCTIONS[row.value](*map(ball, args))
        return self.text(row.definition, row.params, args)

    def either(self, a: Number, b: Number) -> Number:
        return ball(a).union(ball(b))

    def sign_of_difference(self, a: Number, b: Number) -> int | None:
        apart = ball(a) - ball(b)
        return 1 if apart > 0 else -1 if apart < 0 else 0 if apart.is_zero() else None

    def checked(self, node: int, args: Sequence[Number], value: Number) -> Number:
        if value is None or (isinstance(value, arb) and not value.is_finite()):
            raise Indeterminate(node)
        return value

    def as_float(self, value: Number) -> float:
        return shown(value)

    def partial_text(self, row: Primitive, k: int, given: Sequence[Number]) -> str:
        return row.formula[k]

    def undefined(self) -> Number:
        return arb.nan()


BALLS = Balls()
