"""Functions of whole arrays as formulas that are the same whatever the numbers are.

Determinants and cofactors are sums of products, without a division, exact wherever these are; sorting is exchanges in a
fixed order.

>>> import operator
>>> ring = Ring(operator.neg, operator.add, operator.sub, operator.mul)
>>> determinant([[1, 2], [3, 4]], ring), cofactors([[1, 2], [3, 4]], ring)
(-2, [[4, -3], [-2, 1]])
>>> list(exchanges(3))
[(0, 2), (0, 1), (1, 2)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Ring(NamedTuple, Generic[T]):
    """What is done to the elements."""

    negative: Callable[[T], T]
    plus: Callable[[T, T], T]
    minus: Callable[[T, T], T]
    times: Callable[[T, T], T]


def products(size: int) -> int:
    """How many products `determinant` takes."""
    return size << (size - 1)


def determinant(rows: Sequence[Sequence[T]], ring: Ring[T]) -> T:
    """The determinant of a square matrix: minors of its last k rows are made from those of its last k - 1."""
    size = len(rows)
    minors: dict[tuple[int, ...], T] = {(column,): rows[-1][column] for column in range(size)}
    for count in range(2, size + 1):
        row = rows[-count]
        minors = {columns: _expanded(row, columns, minors, ring) for columns in combinations(range(size), count)}
    return minors[tuple(range(size))]


def _expanded(row: Sequence[T], columns: tuple[int, ...], minors: dict[tuple[int, ...], T], ring: Ring[T]) -> T:
    """A minor by its first row, which alternates in sign."""
    total = ring.times(row[columns[0]], minors[columns[1:]])
    for k in range(1, len(columns)):
        product = ring.times(row[columns[k]], minors[columns[:k] + columns[k + 1 :]])
        total = ring.minus(total, product) if k % 2 else ring.plus(total, product)
    return total


def cofactors(rows: Sequence[Sequence[T]], ring: Ring[T]) -> list[list[T]]:
    """The matrix of cofactors of a square matrix of two rows or more: the partials of its determinant."""
    size = len(rows)

    def cofactor(i: int, j: int) -> T:
        others = [[*row[:j], *row[j + 1 :]] for k, row in enumerate(rows) if k != i]
        minor = determinant(others, ring)
        return ring.negative(minor) if (i + j) % 2 else minor

    return [[cofactor(i, j) for j in range(size)] for i in range(size)]


def exchanges(count: int) -> Iterator[tuple[int, int]]:
    """The pairs of places to put in order, one after the other, so that `count` numbers are sorted in the end.

    This is Batcher's merge exchange (D. Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M).
    """
    top = 1 << max(0, (count - 1).bit_length() - 1)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            yield from ((k, k + d) for k in range(count - d) if k & p == r)
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
