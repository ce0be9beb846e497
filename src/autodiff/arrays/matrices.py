"""Determinants, cofactors and linear systems over NumPy's matrices of float64.

>>> solution(np.array([[1.0, 2.0], [3.0, 4.0]]), np.eye(2))
array([[-2. ,  1. ],
       [ 1.5, -0.5]])
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import numpy as np

from autodiff.arrays import by_formulas
from autodiff.arrays.ufuncs import Array

SMALL = 6
"""Rows up to which determinants are sums of products: those of short numbers are then exact."""

_FLOATS = by_formulas.Ring[float](operator.neg, operator.add, operator.sub, operator.mul)

_FAINTEST = 1e-290
"""Below this a product may have lost digits to underflow."""


def _sums(matrix: Array) -> bool:
    """Whether determinants are taken as sums of products: of few rows, and far from the ends of float64."""
    sizes = np.abs(matrix[matrix != 0])
    count = len(matrix)
    return count <= SMALL and (
        sizes.size == 0 or (float(sizes.max()) < 1e300 ** (1 / count) and float(sizes.min()) > _FAINTEST ** (1 / count))
    )


def _determinant(matrix: Array) -> float:
    return by_formulas.determinant(matrix.tolist(), _FLOATS) if _sums(matrix) else float(np.linalg.det(matrix))


def _sign(matrix: Array) -> float:
    return float(np.sign(_determinant(matrix)) if _sums(matrix) else np.linalg.slogdet(matrix)[0])


def _logarithm(matrix: Array) -> float:
    return float(np.log(_determinant(matrix)) if _sums(matrix) else np.linalg.slogdet(matrix)[1])


DETERMINANTS: Mapping[str, Callable[[Array], float]] = {"det": _determinant, "detsign": _sign, "logdet": _logarithm}
"""What a row makes of a determinant, by the name in its value column."""


def cofactors(matrix: Array) -> Array:
    """By sums of products, else by U, V and the singular values: that holds for singular matrices, too."""
    size = len(matrix)
    if size == 1:
        return np.ones((1, 1))
    if _sums(matrix):
        return np.array(by_formulas.cofactors(matrix.tolist(), _FLOATS))
    left, values, right = np.linalg.svd(matrix)
    others = [np.prod(np.delete(values, k)) for k in range(size)]
    return np.asarray(np.linalg.det(left) * np.linalg.det(right) * ((left * others) @ right))


def solution(matrix: Array, right: Array) -> Array:
    """The x with matrix @ x = right; NaN where there is none."""
    if _sums(matrix):
        size = _determinant(matrix)
        return cofactors(matrix).T @ right / (size or np.nan)
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        return np.full(right.shape, np.nan)
