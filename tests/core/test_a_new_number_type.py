"""A new kind of number is one class: dual numbers over fractions, through which every scalar row of the table goes."""

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import pytest

import autodiff
from autodiff.core import rules, templates
from autodiff.core.algebra import Algebra
from autodiff.core.lowering import lower
from autodiff.core.primitive import ELEMENTWISE, UNDEFINED, ZERO, Primitive


class Dual(NamedTuple):
    value: Fraction
    tangent: Fraction = Fraction(0)


class DualFractions(Algebra[Dual]):
    def constant(self, value: float) -> Dual:
        return Dual(Fraction(value))

    def apply(self, row: Primitive, args: Sequence[Dual]) -> Dual:
        if row.definition:
            return self.text(row.definition, row.params, args)
        values = [float(a.value) for a in args]
        result = templates.value(row)(*values)
        ways = (k for k, a in enumerate(args) if a.tangent and row.partials[k] not in (ZERO, UNDEFINED))
        rate = sum(args[k].tangent * Fraction(templates.partial(row, k)(*values, result)) for k in ways)
        return Dual(Fraction(result), Fraction(rate))

    def branch(self, condition: Dual) -> bool:
        return condition.value != 0


SCALAR = [
    row
    for row in rules.rows()
    if row.kind == ELEMENTWISE and row.branches is None and not row.conditions and {*row.partials} != {UNDEFINED}
]


@pytest.mark.parametrize("row", SCALAR, ids=lambda row: f"{row.name} {row.arity}")
def test_every_scalar_row_runs_over_a_number_type_of_one_class(row: Primitive) -> None:
    algebra, chance, seen = DualFractions(), random.Random(row.name), 0
    lowered = lower(autodiff.parse(row.signature.replace(", …", "")))
    while seen < 10:
        values = [float(chance.randrange(5)) if p == UNDEFINED else chance.uniform(-4, 4) for p in row.partials]
        inside = all(holds(*values) for holds, _ in templates.domain(row))
        w = templates.value(row)(*values)
        for k in (k for k in range(row.arity) if inside and row.partials[k] != UNDEFINED):
            duals = (Dual(Fraction(v), Fraction(i == k)) for i, v in enumerate(values))
            trace = algebra.evaluate(lowered, dict(zip(row.params, duals, strict=True)))
            source, slope = lowered.graph.find(row.params[k]) or 0, templates.partial(row, k)(*values, w)
            seeds = {lowered.result: Dual(Fraction(1))}
            adjoint = algebra.vjp(algebra.linearize(lowered, trace, [source]), seeds).get(source, Dual(Fraction(0)))
            for got, wanted in zip((*trace.values[lowered.result], adjoint.value), (w, slope, slope), strict=True):
                assert math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-9), (values, k)
            seen += 1
