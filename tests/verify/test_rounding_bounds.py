"""The bounds on rounding errors hold: every row of the table by itself and over rounded arguments, against balls of many bits."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff import parse
from autodiff.api.inputs import parse_point
from autodiff.batch.error_equations import ErrorEquations
from autodiff.codegen.emitter import Emitter
from autodiff.core.evaluate import DomainError, Indeterminate, primal
from autodiff.core.linearize import linearize
from autodiff.core.lowering import Lowered, lower
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.core.rules import TABLE
from autodiff.core.special_points import special_points
from autodiff.core.vjp import vjp
from autodiff.language.ast import CONSTANTS
from autodiff.language.exact_float import ExactFloat
from autodiff.numbers.ball_numbers import ball, precision, rational
from autodiff.numbers.balls import BALLS
from autodiff.verify import error_bound
from autodiff.verify.rounding import Unsure

flint = pytest.importorskip("flint")

ROWS = [
    row
    for row in dict.fromkeys(TABLE.values())
    if row.kind == "elementwise"
    and row.branches is None
    and not row.is_predicate
    and not row.by_balls
    and not {UNDEFINED}.intersection(row.partials)
    and not {ZERO}.issuperset(row.partials)
]
ROUNDED = ["0.1*{}", "{}/3", "exp({})", "sin({})", "{} + 1/7"]
"""What rounds a name, so that a row's argument has an error."""


def _number(chance: random.Random) -> float:
    size = chance.choice([10 ** chance.uniform(-2, 1.3), 10 ** chance.uniform(-8, 3), 10 ** chance.uniform(-300, 300)])
    beside_1 = 1 + chance.choice([-1, 1]) * 10 ** chance.uniform(-15, -1)
    return chance.choice([-1, 1]) * chance.choice([size, size, size, beside_1, 0.5, 2.0, 3.0, 10.0, -0.75])


def _call(row: Primitive, operands: list[str]) -> str:
    if row.name.isidentifier():
        return f"{row.name}({', '.join(operands)})"
    return f"({operands[0]}) {row.name} ({operands[1]})" if row.arity == 2 else f"{row.name}({operands[0]})"


def _true(lowered: Lowered, point: dict[str, float], sources: list[int]) -> list[Any] | None:
    """The value and the slopes to a hundred bits."""
    for bits in (200, 1000, 5000):
        with precision(bits):
            trace = BALLS.evaluate(lowered, {name: rational(value) for name, value in point.items()})
            adjoints = BALLS.vjp(BALLS.linearize(lowered, trace, sources), {lowered.result: flint.fmpq(1)})
            numbers = [ball(trace.values[lowered.result]), *(ball(adjoints.get(s, flint.fmpq(0))) for s in sources)]
            if all(n.is_exact() or (not n.contains(0) and n.rel_accuracy_bits() > 100) for n in numbers):
                return numbers
    return None


def _compared(lowered: Lowered, point: dict[str, float]) -> int:
    """How many numbers were compared with their bounds; none where rounding may decide, or there is no slope."""
    sources = [node for node, name in lowered.graph.inputs.items() if name in point]
    try:
        run = primal(lowered, point)
        if special_points(lowered, run):
            return 0
        factors = linearize(lowered, run, sources)
        errors = error_bound.values(lowered, run)
        true = _true(lowered, point, sources)
    except (DomainError, Indeterminate, Unsure, OverflowError):
        return 0
    if true is None:
        return 0
    slopes = vjp(lowered.result, factors, sources)
    numbers = [run.values[lowered.result], *(slopes.get(s, 0.0) for s in sources)]
    bounds = [[errors[lowered.result], *[math.inf] * len(sources)]]
    for fine in (False, True):
        try:
            adjoints = error_bound._adjoints(lowered, run, factors, errors, fine=fine)
        except (Unsure, OverflowError):
            continue
        bounds.append([math.inf, *(adjoints.get(s, 0.0) for s in sources)])
    compared = 0
    for one_way in bounds:
        for k, bound in enumerate(one_way):
            if not math.isfinite(bound) or not math.isfinite(numbers[k]) or bound > abs(numbers[k]):
                continue
            with precision(5000):
                off = abs(true[k] - flint.arb(rational(numbers[k])))
                assert not off > flint.arb(rational(bound)) * flint.arb("1.001") + flint.arb(2) ** -1073, (point, k)
            compared += 1
    return compared


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.name}/{row.arity}" for row in ROWS])
def test_errors_of_a_row_are_within_their_bounds(row: Primitive) -> None:
    chance, compared = random.Random(f"{row.name} {row.arity}"), 0
    names = "xyzabc"[: row.arity]
    plain = lower(parse(_call(row, list(names))))
    for _ in range(24):
        compared += _compared(plain, {name: _number(chance) for name in names})
    for _ in range(6):
        rounded = lower(parse(_call(row, [chance.choice(ROUNDED).format(name) for name in names])))
        for _ in range(4):
            compared += _compared(rounded, {name: _number(chance) for name in names})
    assert compared >= 8


ANGLES = ["sin(x/3)", "cos(x/7 + 1)", "cot(0.1*x)", "sinc(x/3)*x", "sin(x/3)*cos(x/3)"]


@pytest.mark.parametrize("text", ANGLES)
def test_slopes_at_angles_without_a_digit_are_sure_beside_large_ones(text: str) -> None:
    """Rounding of the argument turns the angle to any other: no bound of first order holds."""
    chance, asked = random.Random(text), 0
    for _ in range(30):
        x, factor = float(f"{10 ** chance.uniform(15, 200):.6e}"), float(f"{10 ** chance.uniform(7, 9.7):.4g}")
        digits = autodiff.evaluate(f"{factor!r}*x + {text}", {"x": x}, digits=30).gradient["x"]
        found = autodiff.evaluate(f"{factor!r}*x + {text}", {"x": x})
        many = autodiff.evaluate(f"{factor!r}*sum(x) + sum({text})", {"x": [x, x]})
        batch = autodiff.compile(f"{factor!r}*x + {text}", ["x"]).batch(x=np.array([x, 1.0]))
        true = Fraction(str(digits))
        for answer, number, parts in (
            (found.status, found.gradient["x"], 1e-12),
            (many.status, many.gradient["x"][0] if many.status == "ok" else None, 1e-12),
            ("ok", float(batch.gradient["x"][0]), 1e-10),
        ):
            if answer == "ok" and number is not None and number == number:
                asked += 1
                assert abs(Fraction(number) - true) <= Fraction(parts) * abs(true), (x, factor)
    assert asked > 45


@pytest.mark.parametrize("text", ["exp(x)", "x*x + 1", "sqrt(x)", "x^3", "cos(x)/7"])
def test_bounds_of_rows_shrink_with_the_rounding_of_an_operation(text: str) -> None:
    """Rows in wider numbers than float64 are rounded by less, functions as well as sums."""
    program, own = lower(parse(text)), []
    for unit in (1.0, 0.25):
        emitter = Emitter()
        of = emitter.copied(program.graph, [program.result])
        equations = ErrorEquations(emitter, program.graph, of, unit=unit, constants={})
        own.append(equations.bounds[program.result].own)
    assert 0 < own[1] <= own[0] / 4


@pytest.mark.parametrize(
    "text", ["8.9", "0.1", "1e22", "123456.789", "4.7e-324", "1e23", "-2.675", "1.7976931348623157e308"]
)
def test_a_typed_number_is_off_by_what_its_decimal_says(text: str) -> None:
    (number,) = parse_point(f"x={text}").values()
    apart = abs(Fraction(text) - Fraction(float(number)))
    if not apart:
        assert type(number) is float
    else:
        assert apart <= Fraction(number.error) <= max(apart * (1 + Fraction(2) ** -49), Fraction(5e-324))


def test_pi_e_and_tau_are_off_by_less_than_half_a_unit() -> None:
    for name, value in (("pi", 1.2246467991473532e-16), ("e", 1.4456468917292502e-16), ("tau", 2.4492935982947064e-16)):
        number = CONSTANTS[name]
        assert isinstance(number, ExactFloat)
        assert value < number.error < 1.0001 * value


@pytest.mark.parametrize("text", ["x/x + cbrt(3)", "(x/x)^2*sec(erfc(x))", "atan2(x, x) + x/x", "sin(x/x)"])
def test_a_ratio_of_one_number_to_itself_needs_no_balls(text: str) -> None:
    found = autodiff.evaluate(text, {"x": 4.94})
    assert (found.bits, found.gradient["x"]) == (0, 0) or "erfc" in text
    assert found.status == "ok"


def test_a_ratio_of_two_equal_numbers_is_not_one_of_a_number_to_itself() -> None:
    found = autodiff.evaluate("1e16*(x/y - 1)", {"x": 3.0, "y": 3.0})
    assert found.gradient == {"x": pytest.approx(1e16 / 3), "y": pytest.approx(-1e16 / 3)}
