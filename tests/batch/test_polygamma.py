"""The polygamma functions over blocks: the digits of the one-shot evaluation, and no call of it for each number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autodiff import compile as compiled
from autodiff.batch import ufuncs
from autodiff.batch.ufuncs import HIGHEST, polygamma
from autodiff.numbers import float_functions

ENDS = [0.0, -1.0, -2.0, np.inf, np.nan, 0.5, -0.5, 1e308, 5e-324, -5e-324, -1e16, -1e-200, 1e-200]


@pytest.mark.parametrize("n", range(HIGHEST + 1))
def test_numbers_are_those_of_one_point(n: int) -> None:
    draw = np.random.default_rng(n)
    u = np.concatenate([draw.uniform(-20, 20, 2000), 10 ** draw.uniform(-300, 300, 500), ENDS])
    out, known = np.empty(len(u)), np.array([float_functions.polygamma(n, float(x)) for x in u])
    polygamma(n)(u, out=out)
    # between two poles the sum of larger terms is as far off as these are rounded
    with np.errstate(all="ignore"):
        poles = np.where(u < 0, math.factorial(n) / np.abs(u - np.rint(u)) ** (n + 1), 0.0)
        near = np.abs(out - known) <= 8 * 2.0**-52 * np.abs(known) + (2.0**-50 * poles if n % 2 == 0 else 0.0)
    assert (near | (out == known) | (np.isnan(out) & np.isnan(known))).all()


def test_blocks_are_computed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: float) -> float:
        raise AssertionError("a number was computed by itself")

    program = compiled("gamma(x) + lgamma(x) + digamma(x) + polygamma(1, x)")
    ufuncs._lgamma_at_2(), float_functions.digamma_at_its_zero()  # once
    monkeypatch.setattr(float_functions, "_terms", refused)
    value, gradient, _ = program.approximate(x=np.linspace(2, 3, 100))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient["x"]).all()
