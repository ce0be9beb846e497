"""`--summary`: the mean is the exact one, rounded once, whatever cancels and however the rows come."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autodiff.batch.summary import Summary

CHANCE = random.Random(7)
COLUMNS = [
    [1e16, 1.0, -1e16],
    [1e300, 1e200, 1.0, -1e200, -1e300],
    [1.7e308, 1.7e308, -1.7e308],
    [1.7976931348623157e308] * 3,
    [5e-324, 5e-324, -1.5e-323, 2.2250738585072014e-308],
    [0.1] * 10,
    [-0.0, 0.0],
    [CHANCE.choice((-1, 1)) * CHANCE.random() * 10.0 ** CHANCE.randint(-320, 308) for _ in range(2000)],
]


def _summary(values: list[float]) -> Summary:
    summary = Summary()
    columns: dict[str, Any] = {"f": np.array(values), "status": ("ok",) * len(values)}
    summary.add(columns)
    return summary


@pytest.mark.parametrize("values", COLUMNS)
def test_the_mean_is_exact(values: list[float]) -> None:
    wanted = float(sum(map(Fraction, values)) / len(values))
    assert _summary(values).columns["f"].mean == wanted
    parts = Summary()
    for value in values:
        parts.merge(_summary([value]))
    assert parts.columns["f"].mean == wanted


def test_rows_without_a_number_are_left_out() -> None:
    column = _summary([1.0, float("nan"), 3.0]).columns["f"]
    assert (column.numbers, column.mean, column.least, column.largest) == (2, 2.0, 1.0, 3.0)
