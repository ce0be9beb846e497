"""Where a fit ends: at a least sum of squares, and not wherever the sum has no slope."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff.batch.compile import Compiled
from autodiff.fitting import other_starts, problem
from tests.support.command import autodiff as command
from tests.support.paths import EXAMPLES

LINE: dict[str, Any] = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]}

LEAST = 10 / 7
"""The sum of squares of a*x over LINE at its least, a = 17/7."""


def _peak(start: dict[str, float], **options: Any) -> autodiff.Fit:
    x = np.linspace(0.1, 10, 40)
    y = 5 * np.exp(-(((x - 5) / 0.3) ** 2) / 2) + 0.05 * np.random.default_rng(7).standard_normal(40)
    return autodiff.fit("a*exp(-((x - m)/s)^2/2)", {"x": x, "y": y}, "y", start, **options)


@pytest.mark.parametrize(
    ("model", "start", "least"),
    [
        ("a^2*x", {"a": 0.0}, LEAST),  # a maximum
        ("a^3*x", {"a": 0.0}, LEAST),  # an inflection
        ("a*b*x", {"a": 0.0, "b": 0.0}, LEAST),  # saddles
        ("(a - 1)^2*x + c", {"a": 1.0, "c": 0.0}, 0.0),
        ("if(a > 0, a*x, 0)", {"a": -1.0}, LEAST),  # the model is constant there
    ],
)
@pytest.mark.parametrize("loss", ["linear", "huber"])
def test_a_point_without_slope_is_left_for_a_minimum(
    model: str, start: dict[str, float], least: float, loss: str
) -> None:
    fitted = autodiff.fit(model, LINE, "y", start, loss=loss, loss_scale=100.0)
    assert fitted.ended == "converged"
    assert fitted.ssr == pytest.approx(least, abs=1e-9)


def test_a_maximum_at_a_bound_is_left() -> None:
    fitted = autodiff.fit("a^2*x", LINE, "y", {"a": 0.0}, bounds={"a": (0.0, math.inf)})
    assert fitted.ssr == pytest.approx(LEAST)


def test_a_maximum_beside_slopes_is_left() -> None:
    x = np.linspace(-1, 1, 21)
    fitted = autodiff.fit("exp(w*x)", {"x": x, "y": np.cosh(3 * x)}, "y", {"w": 0.0})
    assert fitted.ended == "converged"
    assert abs(fitted.params["w"]) > 1


def test_a_maximum_over_many_rows_is_left() -> None:
    x = np.linspace(0, 1, 250_000)
    fitted = autodiff.fit("a^2*x", {"x": x, "y": 4 * x}, "y", {"a": 0.0})
    assert abs(fitted.params["a"]) == pytest.approx(2)


def test_a_minimum_without_a_slope_of_the_model_is_one() -> None:
    """A note named the parameter as one that changes nothing."""
    fitted = autodiff.fit("a^2*x", LINE, "-y", {"a": 1.0})
    assert (fitted.ended, fitted.errors["a"]) == ("converged", None)
    assert fitted.params["a"] == pytest.approx(0, abs=1e-6)
    assert fitted.notes == ("the model has no slope by a here, so nothing says how sure it is",)


def test_a_step_function_is_flat() -> None:
    done = command("fit", "floor(a)*x", "--y", "y", "--data", str(EXAMPLES / "growth.csv"), "--start", "a=0.5")
    assert done.status == 3
    assert "ended        flat" in done.out
    assert "the fit did not converge: flat" in done.err


def test_a_model_that_vanished_is_no_fit() -> None:
    assert _peak({"a": 1.0, "m": 1e9, "s": 0.3}).ended == "flat"
    near = _peak({"a": 1.0, "m": 4.8, "s": 0.3})
    far = _peak({"a": 1.0, "m": 90.0, "s": 0.3}, starts=20)
    assert far.ended == "converged"
    assert far.ssr == pytest.approx(near.ssr)


def test_a_factor_that_grows_has_not_diverged() -> None:
    t = np.linspace(300, 400, 40)
    rate = 1e13 * np.exp(-80000 / (8.314 * t)) * (1 + 0.02 * np.random.default_rng(7).standard_normal(40))
    far, near = (
        autodiff.fit("A*exp(-E/(8.314*T))", {"T": t, "y": rate}, "y", start)
        for start in ({"A": 1.0, "E": 1.0}, {"A": 1e13, "E": 80000.0})
    )
    assert (far.ended, near.ended) == ("converged", "converged")
    assert far.params == pytest.approx(near.params)


@pytest.mark.parametrize("unit", [1e-30, 1e15, 1e30])
def test_the_unit_of_y_does_not_matter_to_a_factor(unit: float) -> None:
    x = np.linspace(0.1, 10, 40)
    y = (3 * np.exp(-x / 2) + 0.01 * np.random.default_rng(7).standard_normal(40)) * unit
    fitted = autodiff.fit("a*exp(-b*x)", {"x": x, "y": y}, "y", {"a": 1.0, "b": 1.0})
    assert fitted.ended == "converged"
    assert (fitted.params["a"] / unit, fitted.params["b"]) == pytest.approx((3, 0.5), rel=0.02)


def test_what_is_not_determined_takes_no_degree_of_freedom() -> None:
    """The reference for a constant column is R's lm, which has rank 1 there."""
    fitted = autodiff.fit("a + b*x", {"x": [1, 1, 1], "y": [5, 6, 7]}, "y", {"a": 0.0, "b": 0.0})
    assert fitted.freedom == 2
    assert fitted.deviation == pytest.approx(1)
    data = {"x": [0, 1, 2, 3, 4], "y": [1.1, 2.6, 7.5, 20, 54.7]}
    single = autodiff.fit("a*exp(b*x)", data, "y", {"a": 1.0, "b": 0.5})
    double = autodiff.fit("(a + c)*exp(b*x)", data, "y", {"a": 1.0, "b": 0.5, "c": 1.0})
    assert double.errors["b"] == pytest.approx(single.errors["b"], rel=1e-6)
    assert double.by_row.upper == pytest.approx(single.by_row.upper, rel=1e-6)
    assert double.by_row.influence == pytest.approx(single.by_row.influence, rel=1e-6)


@pytest.mark.parametrize(("noise", "degree", "days"), [(0.1, 2, 2), (1e-6, 2, 2), (0.1, 3, 48)])
@pytest.mark.parametrize("start", [0.0, 1.0])
def test_terms_that_cancel_far_from_zero_are_fitted(noise: float, degree: int, days: int, start: float) -> None:
    """Days since 1970: the reference is the same polynomial of centred days, whose highest coefficient is the same."""
    t = np.arange(48) * days / 48
    x = 19000 + t
    y = 3 - 5 * t + 4 * t**2 + noise * np.random.default_rng(1).standard_normal(48)
    names = "abcd"[: degree + 1]
    model = " + ".join(f"{name}*x^{k}" for k, name in enumerate(names))
    far = autodiff.fit(model, {"x": x, "y": y}, "y", dict.fromkeys(names, start))
    near = autodiff.fit(model, {"x": x - 19001, "y": y}, "y", dict.fromkeys(names, 0.0))
    assert (far.ended, far.undetermined) == ("converged", ())
    error, expected = far.errors[names[-1]], near.errors[names[-1]]
    assert error == pytest.approx(expected, rel=1e-5 if noise == 0.1 else 0.05)
    assert expected is not None
    assert far.params[names[-1]] == pytest.approx(near.params[names[-1]], abs=(1e-4 if noise == 0.1 else 1) * expected)


def test_many_rows_whose_terms_cancel_are_not_computed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are those of the fit that does compute them one by one."""
    answered, singular = list[int](), list[int]()
    answer, svd = Compiled.answer, np.linalg.svd

    def counted(*given: Any, **options: Any) -> Any:
        answered.append(1)
        return answer(*given, **options)

    def measured(matrix: Any, **given: Any) -> Any:
        singular.append(min(matrix.shape) if given.get("full_matrices") is False else max(matrix.shape))
        return svd(matrix, **given)

    monkeypatch.setattr(Compiled, "answer", counted)
    monkeypatch.setattr(np.linalg, "svd", measured)
    monkeypatch.setattr(problem, "MANY_UNSURE", 100)
    rows = 200
    t = np.arange(rows) * 2 / rows
    data = {"x": 19000 + t, "y": 3 - 5 * t + 4 * t**2 + 0.1 * np.random.default_rng(1).standard_normal(rows)}
    together = autodiff.fit("a + b*x + c*x^2", data, "y", {"a": 0.0, "b": 0.0, "c": 0.0})
    few, largest = len(answered), max(singular)
    monkeypatch.setattr(problem, "MANY_UNSURE", rows)
    apart = autodiff.fit("a + b*x + c*x^2", data, "y", {"a": 0.0, "b": 0.0, "c": 0.0})
    assert (together.ended, largest) == ("converged", 3)
    assert 2 * few < len(answered) - few
    assert together.ssr == pytest.approx(apart.ssr, rel=1e-9)
    for name, error in apart.errors.items():
        assert error is not None
        assert together.errors[name] == pytest.approx(error, rel=1e-6)
        assert together.params[name] == pytest.approx(apart.params[name], abs=1e-4 * error)


def test_a_smaller_sum_from_another_start_is_said() -> None:
    x = np.linspace(0, 10, 60)
    data = {"x": x, "y": 2 * np.sin(3 * x + 0.4) + 0.1 * np.random.default_rng(3).standard_normal(60)}
    for w in (0.3, 1.0, 5.0):
        local = autodiff.fit("a*sin(w*x + p)", data, "y", {"a": 1.0, "w": w, "p": 0.0})
        assert local.ssr > 100
        assert local.notes[-1].startswith("another start leads to a smaller sum, ")
    least = autodiff.fit("a*sin(w*x + p)", data, "y", {"a": 1.0, "w": 2.9, "p": 0.0})
    assert least.ssr < 1
    assert least.notes == ()


@pytest.mark.parametrize(
    ("model", "start"),
    [
        ("a*x + b*sin(w*x + p)", {"a": 90.0, "b": 1.0, "w": 1.0, "p": 0.0}),
        ("a*exp(b*x) + c*exp(-((x - m)/s)^2)", {"a": 20.0, "b": 0.3, "c": 1.0, "m": 2.0, "s": 1.0}),
    ],
)
def test_a_smaller_sum_is_said_of_a_fit_that_explains_most_of_y(model: str, start: dict[str, float]) -> None:
    """The residuals of the part that is not fitted follow each other, also where rows are in no order."""
    chance = np.random.default_rng(1)
    x = chance.permutation(np.linspace(0, 10, 60))
    part = 2 * np.sin(3 * x + 0.4) if "sin" in model else 9 * np.exp(-(((x - 7) / 0.5) ** 2))
    y = (100 * x if "sin" in model else 20 * np.exp(0.3 * x)) + part + 0.05 * chance.standard_normal(60)
    fitted = autodiff.fit(model, {"x": x, "y": y}, "y", start)
    assert fitted.r_squared is not None
    assert fitted.r_squared > 0.999
    assert fitted.notes[-1].startswith("another start leads to a smaller sum, ")


def test_of_random_residuals_no_other_start_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = list[Any]()

    def draw(*given: Any) -> Any:
        drawn.append(given)
        return given[1]

    monkeypatch.setattr(other_starts, "_drawn", draw)
    x, looks = np.linspace(0, 5, 200), list[int]()
    for seed in range(20):
        y = 5 * np.exp(-x) + 0.01 * np.random.default_rng(seed).standard_normal(200)
        autodiff.fit("a*exp(b*x)", {"x": x, "y": y}, "y", {"a": 1.0, "b": -0.5})
        looks.append(len(drawn))
    assert len({*looks, 0}) <= 6


def test_another_start_where_the_model_has_no_value_is_passed_over(tmp_path: Path) -> None:
    """Within the bounds b may be drawn below 0, and 0^b has no value then."""
    (tmp_path / "data.csv").write_text("x,y\n0,1\n0.1,1\n")
    given = ["--data", str(tmp_path / "data.csv"), "--y", "y", "--start", "a=1,b=1", "--bounds", "b=-1..1"]
    ended = command("fit", "a*x^b", *given, "--steps", "1")
    assert (ended.status, ended.err) == (0, "")
    assert "b      1 at its bound" in ended.out
