"""Random rounding: whether digits of arrays are sure, from sweeps in which every result is moved by a few roundings.

A result is moved by parts of itself, and near 0 also by what underflow may lose. An answer that changes has few sure digits.
This is stochastic arithmetic (J. Vignes, A stochastic arithmetic for reliable scientific computation, Mathematics and
Computers in Simulation 35 (1993)): an estimate, from four sweeps with a margin of 8, and a fifth where results have no digit.

>>> from autodiff.core import rules
>>> bool(faint(rules.TABLE["*", 2], [1e-200, 1e-200], 0.0)), bool(faint(rules.TABLE["*", 2], [0.0, 1e-200], 0.0))
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from autodiff.arrays import ufuncs
from autodiff.core import templates
from autodiff.core.primitive import ELEMENTWISE, Primitive
from autodiff.verify.rounding import rounding

_MANY = 4096
"""How many roundings a result is moved by in two sweeps: so many that two results that cancel are hardly moved alike, as
happens where the few numbers beside a result are all that it may be moved to."""

_FEW = 8
"""How many in two others, which are mirror images: many roundings push tanh(u) to 1 in every sweep where u has no digit."""

_ROUNDING = 2.0**-53
"""One rounding in parts of a result."""

_SMALL = 2.0**-500
"""Below this, and beyond its inverse, products of two numbers may leave the range."""

_LARGEST = 2.0**1000
"""The largest adjoint that is counted with."""

TAKEN = 2.0**-1070
"""How far a result below that is moved, and an answer may move: 16 times the least number; underflow takes at most half."""

_ARITHMETIC = frozenset(["+", "-", "*", "neg", "same", "abs", "min", "max", "floor", "ceil", "round", "sign"])
"""Operations that are exact where numbers are short."""

_ROUNDED = frozenset("+-*")
"""Those of them that round where numbers are not short: 1 + 1e-20 is 1."""

_CANCELLING = frozenset(["+", "-", "sin", "cos", "tan", "mod"])
"""Values that may have no digit though their arguments have some, and may be 0 then."""

_TURNED = 2.0**40
"""Arguments from which on a few roundings turn an angle so far that the slope of its sine is another one."""

_CHOSEN = frozenset(["min", "max"])
"""What is put between the elements where the value is one of them: moved, it would be none, and its slope 0/0."""

_MATRICES = frozenset(["det", "detsign", "cofactor", "logdet", "inv", "solve"])
"""Values of matrices whose elements mix: their errors are parts of the largest element, whichever it is."""

_FACTORS = frozenset(["prod"])
"""Values whose digits underflow may take on the way, when the value itself is large again."""

_EXPONENTIALS = frozenset(["softmax", "log_softmax", "logsumexp"])
"""Values over arrays that round even where the elements are short numbers, and may round to one: softmax([0, 40])[1] is 1."""


FAINT = 2.0**-1022
"""The smallest number with all its digits."""

_ALIKE = "+ - neg same abs min max floor ceil round sign mod sqrt cbrt ln log2 log10 log1p expm1"
_CURVES = "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
_KEEPING = frozenset(f"{_ALIKE} {_CURVES} sum mean".split())
"""Values that are only tiny where an argument is, and as exact."""

_THROUGH = frozenset([*"*/^", "atan2"])
"""Values that are exactly 0 where an argument is, and lose digits elsewhere."""


def _short(value: Any) -> Any:
    """Where a number has so few bits that sums and products of such are exact."""
    scaled = np.asarray(value, float) * 1024.0
    return (np.abs(scaled) <= 2.0**40) & (scaled == np.floor(scaled))


def _plain_slope(row: Primitive, k: int, args: Sequence[Any]) -> bool:
    """Whether a short local slope is an exact one: a text that rounds is so of short numbers, one with functions at 0."""
    text = row.partials[k]
    if row.kind != ELEMENTWISE or text in (*row.params, "w"):
        return True
    least = _roughest(text, row.params)
    if least == _FREE:
        return True
    return all(np.all(_short(a)) for a in args) if least == _SHORT else not any(map(np.any, args))


_FREE, _SHORT, _ZERO = range(3)


@lru_cache(maxsize=1024)
def _roughest(text: str, params: tuple[str, ...]) -> int:
    """What the arguments must be for a text to be exact: anything, short numbers, or zeros."""
    rows = [row for row in templates.template(text, (*params, "w")).graph.rows if row is not None]
    rough = [
        row.value
        for row in rows
        if not row.is_predicate and row.branches is None and row.value not in _ARITHMETIC - _ROUNDED
    ]
    return _FREE if not rough else _SHORT if _ROUNDED.union("/^").issuperset(rough) else _ZERO


_USUAL, _MOST_UNITS = 16.0, 2.0**40
"""Units in the last place that the margin covers, and the most that a result is moved by for each rounding."""


def _units(row: Primitive, args: Sequence[Any]) -> Any:
    """How many times more than the usual the value of a row may be off, by the table; `args` ends with the value."""
    if row.ulp_error[0].isdigit():
        return 1.0
    with np.errstate(all="ignore"):
        units = ufuncs.text(row.ulp_error[0], (*row.params, "w"))(*args) / _USUAL
    return np.where(np.equal(args[-1], 0.0), 1.0, np.fmin(np.fmax(units, 1.0), _MOST_UNITS))


class RandomRounding:
    """Moves results at random, from a fixed seed.

    roundings   how many roundings a result is moved by: at least half as many, up or down
    mirrored    move each result the other way
    digits      learns of every result
    """

    def __init__(
        self, seed: int, roundings: int = _MANY, *, mirrored: bool = False, digits: _Digits | None = None
    ) -> None:
        self.roundings = roundings
        self._digits, self._count = digits, 0
        self._chance = np.random.default_rng(seed)
        self._sign = -1.0 if mirrored else 1.0
        self._far = False  # whether a result was so far from 1 that a slope of 0 may be none

    def constant(self, value: float) -> float:
        """A constant, moved where it is not exactly what was typed."""
        error = rounding(value)
        return value + self.roundings * error * float(self._signed(())) if error else value

    def inputs(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """The point, with typed numbers that are no float64 moved."""
        typed = getattr(point, "typed", {})
        moved = {name: self.constant(value) if isinstance(value, float) else value for name, value in point.items()}
        for name, numbers in typed.items():
            errors = [rounding(number) for number in numbers]
            shape = np.shape(moved[name])
            moved[name] = moved[name] + self.roundings * np.reshape(errors, shape) * self._signed(shape)
        return moved

    def arguments(self, row: Primitive, args: list[Any]) -> list[Any]:
        """The arguments of a row that adds up inside, which rounds as they are moved."""
        if row.value in _MATRICES:
            return self.matrices(row, args)
        return args if row.kind == ELEMENTWISE or row.reduce_with in _CHOSEN else [self.unless_short(a) for a in args]

    def matrices(self, row: Primitive, args: list[Any]) -> list[Any]:
        """The arguments of a row of matrices moved by parts of the largest element; others stay."""
        if row.value not in _MATRICES:
            return args
        part = self._sign * self.roundings * _ROUNDING
        sizes = [part * float(np.max(np.abs(a), initial=0.0)) for a in args]
        moved = [a + size * self._chance.uniform(-1.0, 1.0, np.shape(a)) for a, size in zip(args, sizes, strict=True)]
        return [a if np.shape(a) else float(a) for a in moved]

    def result(self, row: Primitive, args: Sequence[Any], value: Any) -> Any:
        """The result of a row for these arguments."""
        if row.is_predicate:
            return value
        moved = self._moved(row, args, value)
        if self._digits is not None:
            self._digits.learn(self._count, row, args, moved, self.roundings)
            self._count += 1
        return moved

    def _moved(self, row: Primitive, args: Sequence[Any], value: Any) -> Any:
        size = np.abs(value)
        self._far |= bool(np.any((size > 1 / _SMALL) | ((size < _SMALL) & (size > 0))))
        if row.value in _EXPONENTIALS:
            return self._near_zero(row, (), self.number(value))
        if row.kind != ELEMENTWISE:
            return self._product(args[0], value) if row.value in _FACTORS else self._near_zero(row, (), value)
        exact = row.value in _ARITHMETIC and (row.value not in _ROUNDED or all(np.all(_short(a)) for a in args))
        if row.value == "/" and all(np.all(_short(a)) for a in (*args, value)):
            exact = bool(np.all(np.equal(value * args[1], args[0])))
        moved = self.unless_short(value) if exact else self.number(value, _units(row, (*args, value)))
        return self._near_zero(row, args, moved)

    def _near_zero(self, row: Primitive, args: Sequence[Any], value: Any) -> Any:
        """The result, moved by what underflow may have taken, up or down: what is 0 then may have been negative."""
        small = faint(row, args, value)
        if not np.any(small):
            return value
        self._far = True
        return value + self._sign * np.where(small, TAKEN * self._chance.uniform(0.5, 1.0, np.shape(value)), 0.0)

    @staticmethod
    def _product(factors: Any, value: Any) -> Any:
        """A product of many; NaN where partial products may underflow though the whole product does not."""
        low = np.minimum(np.abs(factors), 1.0)
        with np.errstate(divide="ignore"):
            underflows = np.all(low > 0) and np.sum(np.log2(low)) < -1022
        return value * np.nan if underflows else value

    def part(self, row: Primitive, k: int, args: Sequence[Any], adjoint: Any, value: Any) -> Any:
        """The adjoint of argument k of a row, from the adjoint of the result."""
        if value is None or np.asarray(value).dtype.kind != "f":
            return value
        moved = self.unless_short(value) if _plain_slope(row, k, args) else self.number(value)
        # a large adjoint makes much of what underflow takes from the partial
        scale = min(max(1.0, float(np.max(np.abs(adjoint), initial=0.0))), _LARGEST)
        small = (np.abs(value) < FAINT * scale) & (np.not_equal(value, 0.0) | (self._far and np.any(adjoint)))
        if not np.any(small):
            return moved
        return moved + np.where(small, TAKEN * scale * self._signed(np.shape(value)), 0.0)

    def plus(self, a: Any, b: Any) -> Any:
        """The sum of two adjoints."""
        total = a + b
        if np.asarray(total).dtype.kind != "f":
            return total
        exact = _short(a) & _short(b) | np.equal(a, 0.0) | np.equal(b, 0.0)
        return np.where(exact, total, self.number(total)) if np.shape(total) else total if exact else self.number(total)

    def number(self, value: Any, units: Any = 1.0) -> Any:
        """A number or an array, each element moved by so many times as much."""
        moved = value * (1.0 + units * self.roundings * _ROUNDING * self._signed(np.shape(value)))
        return moved if np.shape(moved) else float(moved)

    def _signed(self, shape: tuple[int, ...]) -> Any:
        """Random numbers from a half to 1 in size, of either sign."""
        return self._sign * self._chance.uniform(0.5, 1.0, shape) * self._chance.choice([-1.0, 1.0], shape)

    def unless_short(self, value: Any) -> Any:
        """A number or an array, each element moved that has more bits than a short number."""
        if value is None or np.asarray(value).dtype.kind != "f":
            return value
        short = _short(value)
        return np.where(short, value, self.number(value)) if np.shape(value) else value if short else self.number(value)


def _turned(row: Primitive, args: Sequence[Any]) -> Any:
    """Where an argument is so large that a few roundings may turn the sine of it to any other number."""
    if row.kind != ELEMENTWISE or row.scaling or row.value == "/" or row.value in _ARITHMETIC or not args:
        return np.False_
    return reduce(np.logical_or, (np.abs(a) > _TURNED for a in args))


class _Digits:
    """Which results of a program have no digit: moved by a few roundings, they change by half of themselves, and may be 0."""

    def __init__(self) -> None:
        self._results: list[Any] = []
        self.without: list[Any] = []

    def learn(self, k: int, row: Primitive, args: Sequence[Any], result: Any, roundings: int) -> None:
        """Result number k in one more sweep; those of the first sweep are what the others are compared with."""
        if k == len(self._results):
            self._results.append(np.array(result))
            self.without.append(False)
            return
        turned, first = _turned(row, args), self._results[k]
        if row.kind == ELEMENTWISE and row.value not in _CANCELLING and not np.any(turned):
            return
        with np.errstate(all="ignore"):
            change = np.abs(result - first) / (roundings / _FEW)
            self.without[k] |= (change > 0.5 * np.abs(first)) | (turned & (change > 1e-6 * np.abs(first)))


class _WithoutDigits(RandomRounding):
    """Puts 0 for the results that have no digit, and moves no other: exp(-u^2) is 0 in all other sweeps where u is far from
    0 by rounding alone."""

    def __init__(self, without: Sequence[Any]) -> None:
        super().__init__(0, _FEW)
        self._without = iter(without)

    def _moved(self, row: Primitive, args: Sequence[Any], value: Any) -> Any:
        zero = next(self._without)
        other = np.where(_turned(row, args) & (np.abs(value) < 0.5), 1.0, 0.0)
        return np.where(zero, other, value) if np.shape(value) else float(other) if zero else value

    def part(self, row: Primitive, k: int, args: Sequence[Any], adjoint: Any, value: Any) -> Any:
        if value is None or not np.any(turned := _turned(row, args)):
            return value
        size = float(np.max(np.abs(adjoint), initial=0.0))
        moved = np.where(turned, np.where(np.abs(value) < 0.5 * size, size, 0.0), value)
        return moved if np.shape(value) else float(np.max(moved))

    def number(self, value: Any, units: Any = 1.0) -> Any:
        return value

    def _signed(self, shape: tuple[int, ...]) -> Any:
        return np.zeros(shape)


def sweeps() -> Iterator[RandomRounding]:
    """What moves the results in each sweep; each is used before the next is asked for."""
    digits = _Digits()
    yield RandomRounding(3, _FEW, digits=digits)
    yield RandomRounding(3, _FEW, mirrored=True, digits=digits)
    yield RandomRounding(1, digits=digits)
    yield RandomRounding(2, digits=digits)
    if any(map(np.any, digits.without)):
        yield _WithoutDigits(digits.without)


# --- where underflow may have taken digits -----------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def keeps(row: Primitive) -> bool:
    """Whether the row's value loses no digits by being tiny."""
    if row.is_predicate or row.branches is not None or row.value in _KEEPING or row.is_step:
        return True
    if not row.definition:
        return False
    rows = templates.template(row.definition, row.params).graph.rows
    return all(
        inner is None or inner.is_predicate or inner.branches is not None or inner.value in _KEEPING for inner in rows
    )


def faint(row: Primitive, args: Sequence[Any], value: Any) -> Any:
    """Where a row's value may have lost digits by underflow; a 0 that is made of a 0 has not."""
    small = False if keeps(row) else np.abs(value) < FAINT
    if not np.any(small):
        return False
    for a in args if row.value in _THROUGH or row.arity == 1 else ():
        small = small & np.not_equal(a, 0.0)
    return small
