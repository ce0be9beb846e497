"""Curves fitted to data: errors as SciPy has them, honest ends, bounds, what the data don't determine, and the command."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit

import autodiff as package
from autodiff.errors import AutodiffError
from autodiff.fitting import statistics
from autodiff.fitting.fit import fit
from autodiff.render.text.fit import percent, rounded
from tests.support.command import autodiff
from tests.support.paths import EXAMPLES

GROWTH = ["fit", "a*exp(b*x)", "--y", "y", "--data", str(EXAMPLES / "growth.csv")]
START = ["--start", "a=1,b=0.5"]


def _decay(rows: int = 40, noise: float = 0.05) -> dict[str, Any]:
    draw = np.random.default_rng(3)
    x = draw.uniform(0, 4, rows)
    return {
        "x": x,
        "y": 2.5 * np.exp(-1.3 * x) + 0.5 + noise * draw.standard_normal(rows),
        "s": draw.uniform(0.02, 0.1, rows),
    }


@pytest.mark.parametrize("sigma", [None, "s"])
def test_parameters_and_covariance_are_those_of_scipy(sigma: str | None) -> None:
    data = _decay()
    found = package.fit("a*exp(-b*x) + c", data, "y", {"a": 1, "b": 1, "c": 0}, sigma=sigma)
    expected, covariance = curve_fit(
        lambda x, a, b, c: a * np.exp(-b * x) + c, data["x"], data["y"], [1, 1, 0], None if sigma is None else data["s"],
        absolute_sigma=sigma is not None, ftol=1e-14, xtol=1e-14,
    )  # fmt: skip
    assert list(found.params.values()) == pytest.approx(list(expected), rel=1e-6)
    assert list(found.errors.values()) == pytest.approx(list(np.sqrt(np.diagonal(covariance))), rel=1e-4)
    between = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found.correlations["a", "b"] == pytest.approx(between, rel=1e-3)


def test_many_rows_end_where_few_do() -> None:
    data = _decay(100_000)
    many = package.fit("a*exp(-b*x) + c", data, "y", {"a": 1, "b": 1, "c": 0})
    expected, covariance = curve_fit(
        lambda x, a, b, c: a * np.exp(-b * x) + c, data["x"], data["y"], [1, 1, 0], ftol=1e-14, xtol=1e-14
    )
    assert many.ended == "converged"
    assert list(many.params.values()) == pytest.approx(list(expected), rel=1e-7)
    assert list(many.errors.values()) == pytest.approx(list(np.sqrt(np.diagonal(covariance))), rel=1e-5)


def test_confidence_bands_have_their_coverage() -> None:
    draw, inside, runs = np.random.default_rng(11), 0, 200
    x = np.linspace(0, 1, 12)
    for _ in range(runs):
        found = package.fit(
            "a + b*x", {"x": x, "y": 1 + 2 * x + 0.3 * draw.standard_normal(12)}, "y", {"a": 0, "b": 0}, level=0.8
        )
        inside += found.by_row.lower[6] <= 1 + 2 * x[6] <= found.by_row.upper[6]
    assert 0.72 < inside / runs < 0.88


@pytest.mark.parametrize("rows", [2, 3, 5, 40])
@pytest.mark.parametrize("prediction", [False, True])
def test_deviations_that_are_given_have_a_normal_band(rows: int, prediction: bool) -> None:
    x = np.linspace(0, 1, rows)
    data = {"x": x, "y": 1 + x + np.cos(9 * x), "s": 0.5 + x}
    found = package.fit("a + b*x", data, "y", {"a": 0, "b": 0}, sigma="s", level=0.9, prediction=prediction)
    slopes = np.stack([np.ones(rows), x], axis=1)
    covariance = np.linalg.inv(slopes.T @ (slopes / data["s"][:, None] ** 2))
    deviation = np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes) + prediction * data["s"] ** 2)
    half = 1.6448536269514722 * deviation  # of the normal distribution: 95 % are below
    assert found.by_row.upper - found.by_row.fitted == pytest.approx(half, rel=1e-9)
    assert found.by_row.fitted - found.by_row.lower == pytest.approx(half, rel=1e-9)
    assert not any("nothing says how sure" in note for note in found.notes)


def test_a_straight_line_has_the_influence_of_the_textbook() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 10.0]), np.array([1.0, 2.1, 2.9, 4.0])
    found = package.fit("a + b*x", {"x": x, "y": y}, "y", {"a": 0, "b": 0})
    leverage = 1 / 4 + (x - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    assert found.by_row.leverage == pytest.approx(leverage, rel=1e-9)
    deviation = np.sum(found.by_row.residuals**2) / 2
    cook = found.by_row.residuals**2 * leverage / (2 * deviation * (1 - leverage) ** 2)
    assert found.by_row.influence == pytest.approx(cook, rel=1e-9)
    assert "row 4 moves the parameters much by itself (Cook's distance above 1)" in found.notes


def test_what_the_data_do_not_determine_has_no_error() -> None:
    data = _decay()
    found = package.fit("(a + 2*c)*exp(-b*x) + d", data, "y", {"a": 1, "b": 1, "c": 1, "d": 0})
    assert found.ended == "converged"
    assert found.errors["a"] is None
    assert found.errors["c"] is None
    assert found.errors["b"] is not None
    (direction,) = found.undetermined
    assert direction["c"] / direction["a"] == pytest.approx(-0.5, rel=1e-6)
    assert set(direction) == {"a", "c"}


@pytest.mark.parametrize("start", [{"a": 1, "b": 1, "c": 1, "d": 0}, {"a": 5, "b": 1, "c": -1, "d": 0}])
def test_values_that_fit_equally_well_are_nearest_the_start(start: dict[str, float]) -> None:
    fitted = package.fit("(a + 2*c)*exp(-b*x) + d", _decay(), "y", start)
    moved = {name: fitted.params[name] - start[name] for name in ("a", "c")}
    assert moved["a"] == pytest.approx(2 * moved["c"], rel=1e-6)  # steps measured by their effect on the model


def test_where_the_direction_is_curved_the_fit_stays() -> None:
    x = np.linspace(0, 2, 20)
    fitted = package.fit("a*c*x", {"x": x, "y": 3 * x}, "y", {"a": 1, "c": 40})
    assert fitted.ended == "converged"
    assert fitted.params["a"] * fitted.params["c"] == pytest.approx(3, rel=1e-12)


def test_a_parameter_without_effect_is_reported() -> None:
    found = package.fit("a*x + 0*b", {"x": [1, 2, 3], "y": [1, 2, 4]}, "y", {"a": 1, "b": 1})
    assert found.undetermined == ({"b": 1.0},)
    assert "the data don't determine b: moving it changes nothing here" in found.notes


def test_a_bound_is_held_and_has_no_error() -> None:
    found = package.fit("a*exp(-b*x) + c", _decay(), "y", {"a": 1, "b": 0.5, "c": 0}, bounds={"b": (0, 1)})
    assert found.params["b"] == pytest.approx(1)
    assert found.at_bound == ("b",)
    assert found.errors["b"] is None
    assert found.errors["a"] is not None


def test_where_all_parameters_are_at_a_bound_none_has_an_error() -> None:
    data = {"x": [1.0, 2.0, 4.0], "y": [1.0, 3.0, 5.0]}
    fitted = package.fit("a*x + b", data, "y", {"a": 0, "b": 0}, bounds={"a": (-1, 0), "b": (-4, 0)})
    assert fitted.at_bound == ("a", "b")
    assert fitted.errors == {"a": None, "b": None}


@pytest.mark.parametrize(
    ("x", "y", "named"),
    [
        ([1e300, 1.0, 3.0], [1.0, 1.0, 1.0], "slope by a is 1e\\+300"),
        ([1e-200, 2e-200, 0.0], [1.0, 1.0, 2.0], "slope by a is 2e-200"),
        ([1.0, 2.0, 3.0], [1e-200, 0.0, 0.0], "--y is 1e-200"),
    ],
)
@pytest.mark.parametrize("bounds", [{}, {"a": (0.0, math.inf)}])
def test_squares_beyond_float64_are_refused(
    x: list[float], y: list[float], named: str, bounds: dict[str, tuple[float, float]]
) -> None:
    with pytest.raises(AutodiffError, match=named) as caught:
        package.fit("a*x + b", {"x": x, "y": y}, "y", {"a": 0.0, "b": 0.0}, bounds=bounds)
    assert caught.value.exit_status == 3


def test_slopes_whose_squares_leave_float64_say_nothing_of_errors() -> None:
    known = statistics.estimate(("a", "b"), np.array([0.4, -0.2]),
                                np.array([[1e200, 1.0], [1.0, 1e200]]), known=False)  # fmt: skip
    assert known.errors == {"a": None, "b": None}
    assert known.undetermined == ()


def test_outliers_weigh_less_with_a_robust_loss() -> None:
    data = _decay()
    data["y"][5] += 30
    plain = package.fit("a*exp(-b*x) + c", data, "y", {"a": 1, "b": 1, "c": 0})
    robust = package.fit("a*exp(-b*x) + c", data, "y", {"a": 1, "b": 1, "c": 0}, loss="huber", loss_scale=0.1)
    assert abs(robust.params["a"] - 2.5) < 0.1 < abs(plain.params["a"] - 2.5)


def test_a_model_without_a_minimum_does_not_converge() -> None:
    found = package.fit("exp(-a*x)", {"x": [1, 2, 3], "y": [-1, -1, -1]}, "y", {"a": 1}, steps=5)
    assert found.ended != "converged"
    assert found.notes


def test_several_starts_find_the_lower_of_two_minima() -> None:
    x = np.linspace(0, 6, 60)
    data = {"x": x, "y": np.sin(3 * x)}
    alone = package.fit("sin(w*x)", data, "y", {"w": 1.2})
    several = package.fit("sin(w*x)", data, "y", {"w": 1.2}, starts=30)
    assert alone.ssr > 1
    assert several.ssr < 1e-12
    assert several.starts[0] == 30
    assert 1 <= several.starts[1] < 30


def test_an_exact_model_has_no_error() -> None:
    found = package.fit("a*x + b", {"x": [0, 1, 2], "y": [1, 3, 5]}, "y", {"a": 0, "b": 0})
    assert found.ended == "converged"
    assert found.params == {"a": 2, "b": 1}
    assert found.ssr == 0


def test_as_many_parameters_as_rows_have_no_error() -> None:
    found = package.fit("a*x + b", {"x": [0, 1], "y": [1, 3]}, "y", {"a": 0, "b": 0})
    assert found.errors == {"a": None, "b": None}
    assert found.deviation is None
    assert any("not more rows than parameters" in note for note in found.notes)


@pytest.mark.parametrize(
    ("options", "message", "status"),
    [
        (
            ["--start", "a=1"],
            "no column 'b', which the program needs\n  its columns are x, y; a parameter is given with --start b=1",
            4,
        ),
        (["--start", "a=1,b=1,x=1"], "'x' is a parameter and a column", 2),
        (["--start", "a=1,b=1,d=1"], "the parameter 'd' is not an input of the model\n  its inputs are", 2),
        (["--start", "a=1,b=1000"], "at the start the model has no value in row 2", 3),
        (["--start", "a=[1,2],b=1"], "the parameter 'a' must be a number", 2),
        ([*START, "--bounds", "a=3"], "--bounds can't be read at 'a=3'", 2),
        ([*START, "--bounds", "a=0..1,a=0..2"], "--bounds gives 'a' twice", 2),
        ([*START, "--bounds", "z=0..1"], "bounds for 'z', which is no parameter", 2),
        ([*START, "--bounds", "a=2..3"], "the start of 'a', 1, is outside its bounds, 2 to 3", 2),
        ([*START, "--bounds", "a=3..2"], "the bounds of 'a' leave nothing between them", 2),
        ([*START, "--sigma", "x"], "--sigma is a standard deviation, which is above 0, and it is 0 in row 1", 4),
        ([*START, "--sigma", "q"], "no column 'q'", 4),
        ([*START, "--out", "rows.xyz"], "does not tell its format", 2),
        ([*START, "--y", "1e200*y"], "at the start the sum of squares is beyond the range of float64", 3),
        ([], "there is nothing to fit", 2),
    ],
)
def test_mistakes_are_reported_in_a_sentence(options: list[str], message: str, status: int) -> None:
    done = autodiff(*GROWTH, *options)
    assert message in done.err
    assert (done.status, done.out) == (status, "")


def test_a_target_that_is_no_column_is_named() -> None:
    done = autodiff("fit", "a*x", "--y", "yy", "--data", str(EXAMPLES / "growth.csv"), "--start", "a=1")
    assert done.status == 4
    assert "no column 'yy'" in done.err
    done = autodiff("fit", "a*x", "--y", "ln(x)", "--data", str(EXAMPLES / "growth.csv"), "--start", "a=1")
    assert done.status == 4
    assert "--y 'ln(x)' has no value in row 1" in done.err


def test_the_forms_agree(tmp_path: Path) -> None:
    saved, rows = tmp_path / "p.json", tmp_path / "rows.csv"
    data = json.loads(autodiff(*GROWTH, *START, "--json", "--save", str(saved), "--out", str(rows)).out)
    a, b = (data["params"][name]["value"] for name in "ab")
    assert data["ended"] == "converged"
    assert autodiff(*GROWTH, *START, "-q").out == f"{a!r} {b!r}\n"
    error = data["params"]["a"]["stderr"]
    assert autodiff(*GROWTH, *START, "--format", "csv").out.splitlines()[1] == f"a,{a!r},{error!r}"
    assert json.loads(saved.read_text()) == {"a": a, "b": b}
    answer = autodiff("eval", "a*exp(b*x)", "--at", f"@{saved}", "--at", "x=2", "-q").out.split()[0]
    lines = rows.read_text().splitlines()
    assert lines[0] == "x,y,fit,lo,hi,residual,leverage,influence"
    assert float(lines[3].split(",")[2]) == pytest.approx(float(answer), rel=1e-12)
    text = autodiff(*GROWTH, *START).out
    assert f" {rounded(a, error)} ± " in text.splitlines()[0]


def test_what_did_not_converge_is_printed_with_status_3(tmp_path: Path) -> None:
    table = tmp_path / "flat.csv"
    table.write_text("x,y\n1,-1\n2,-1\n3,-1\n")
    done = autodiff("fit", "exp(-a*x)", "--y", "y", "--data", str(table), "--start", "a=1", "--steps", "5")
    assert done.status == 3
    assert "error: the fit did not converge" in done.err
    assert done.out.startswith("a ")


def test_python_takes_tables_of_other_libraries() -> None:
    with pytest.raises(AutodiffError, match="no rows"):
        package.fit("a*x", {"x": [], "y": []}, "y", {"a": 1})
    with pytest.raises(AutodiffError, match="equally long"):
        package.fit("a*x", {"x": [1, 2], "y": [1]}, "y", {"a": 1})
    with pytest.raises(AutodiffError, match="no loss 'square'"):
        package.fit("a*x", {"x": [1, 2], "y": [1, 2]}, "y", {"a": 1}, loss="square")


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (238.94212918, 2.707, "238.94"),
        (5.5015643e-4, 7.2668688e-6, "0.00055016"),
        (1.5e-9, 3e-11, "1.5000e-09"),
        (12345678.9, 1000.0, "1.234568e+07"),
        (0.0, 0.1, "0.000"),
        (1.0, 1e-17, "1"),
    ],
)
def test_values_end_with_the_third_digit_of_their_error(value: float, error: float, text: str) -> None:
    assert rounded(value, error) == text


def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    done = autodiff(*GROWTH, *START)
    assert (done.status, done.out) == (2, "")
    assert "a fit needs SciPy, which is not installed" in done.err
    assert "pip install '.[fit]'" in done.err
    monkeypatch.setitem(sys.modules, "numpy", None)
    vars(package).pop("fit", None)
    with pytest.raises(AutodiffError, match=r"autodiff\.fit needs NumPy"):
        _ = package.fit
    assert "pip install '.[plot]'" in autodiff("plot", "x^2", "--range", "x=0..1").err


def test_cells_that_are_no_numbers_are_named() -> None:
    for data, message in (
        ({"x": [1, 2, 3], "y": [2, None, 4]}, "the column 'y' is missing in row 2"),
        ({"x": [1, math.inf, 3], "y": [2, 3, 4]}, "the column 'x' is infinite in row 2"),
        ({"x": [1, 2, 3], "y": ["a", "b", "c"]}, "the column 'y' of the table holds no numbers"),
        ({"x": ["a", "b", "c"], "y": [1, 2, 3]}, "the column 'x' of the table holds no numbers"),
        (
            {"x": np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"), "y": [1, 2]},
            "the column 'x' of the table holds no numbers",
        ),
        ({"x": [1, 2], "\uff58": [5, 5], "y": [1, 2]}, "both called 'x' in a program"),
    ):
        with pytest.raises(AutodiffError, match=message):
            fit("a*x", data, y="y", start={"a": 1.0})


def test_rounding_accuses_no_row_and_shares_are_no_powers_of_ten() -> None:
    x = [k / 7 for k in range(40)]
    exact = fit("a + b*x", {"x": x, "y": [1 + 2 * v for v in x]}, y="y", start={"a": 0.0, "b": 0.0})
    assert not exact.notes
    assert percent(165.3) == "165"


def test_rows_keep_a_column_that_has_the_name_of_a_result(tmp_path: Path) -> None:
    """The fitted values took the place of a column `fit`."""
    table, out = tmp_path / "t.csv", tmp_path / "o.csv"
    table.write_text("fit,y\n1,2\n2,4\n")
    done = autodiff("fit", "a*fit", "--y", "y", "--data", str(table), "--start", "a=1", "--out", str(out))
    assert (done.status, "column 'fit' is what a result is called" in done.err, out.exists()) == (4, True, False)


@pytest.mark.parametrize(
    "program", ["a + b*(x - mean(x))", "m = mean(x); a + b*(x - m)", "a*x/max(x) + b", "f(u) = sum(u); a*f(x) + b"]
)
def test_a_reduction_of_a_column_is_no_model_of_a_row(program: str) -> None:
    """It was taken over the one number of each row."""
    with pytest.raises(AutodiffError, match="whole column 'x'"):
        fit(program, {"x": [1, 2, 3], "y": [1, 2, 4]}, "y", {"a": 0.0, "b": 0.0})


def test_a_reduction_in_the_target_is_refused_and_one_of_an_array_is_not() -> None:
    data = {"x": [1, 2, 3], "y": [1, 2, 4]}
    with pytest.raises(AutodiffError, match="whole column 'y'"):
        fit("a*x", data, "y - mean(y)", {"a": 0.0})
    assert fit("a*mean([x, 3*x])", data, "y", {"a": 1.0}).ended == "converged"


def test_arrow_tables_are_fitted() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    data = {"x": [0.0, 1.0, 2.0], "y": [1.0, 3.0, 5.5], "name": ["a", "b", "c"]}
    table = fit("a*x + b", pyarrow.table(data), "y", {"a": 0.0, "b": 0.0})
    assert table.params == fit("a*x + b", data, "y", {"a": 0.0, "b": 0.0}).params


def test_masked_cells_are_missing() -> None:
    y = np.ma.MaskedArray([1.0, 2.0, 3.0], mask=[False, True, False])
    with pytest.raises(AutodiffError, match="'y' is missing in row 2"):
        fit("a*x", {"x": [1, 2, 3], "y": y}, "y", {"a": 0.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 95}, "level must be a probability"),
        ({"loss_scale": -1}, "loss_scale must be a number above 0"),
        ({"starts": 0}, "starts must be a whole number from 1"),
        ({"steps": -1}, "steps must be a whole number from 1"),
        ({"bounds": {"a": 5}}, "the bounds of 'a' must be two numbers"),
        ({"bounds": {"a": (None, 5)}}, "the bounds of 'a' must be two numbers"),
        ({"bounds": {"a": (2, 2)}}, "leave nothing between them"),
        ({"start": [1, 2]}, "start must be a dictionary of parameters"),
        ({"bounds": [(0, 1)]}, "bounds must be a dictionary of parameters"),
        ({"start": {"a": math.nan}}, "the start of 'a' must be a finite number"),
        ({"start": {"a": np.ones(2)}}, "the start of 'a' must be a finite number"),
        ({"sigma": np.ones(3)}, "sigma names a column"),
        ({"y": np.ones(3)}, "y names a column"),
        ({"level": "x"}, "level must be a probability"),
        ({"loss_scale": None}, "loss_scale must be a number above 0"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"loss": 3}, "no loss '3'"),
        ({"bounds": {3: (0, 2)}}, "bounds for '3', which is no parameter"),
    ],
)
def test_arguments_that_the_command_refuses_are_refused_in_python(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AutodiffError, match=message):
        fit("a*x", {"x": [1, 2, 3], "y": [1, 2, 4]}, **({"y": "y", "start": {"a": 1.0}} | options))


@pytest.mark.parametrize(
    ("model", "across", "places"), [("a*exp(b*x)", "x", 400), ("a + b*x*z", "fitted value", 6), ("a + 0*b", "row", 6)]
)
def test_the_picture_has_the_curve_its_band_and_the_data(model: str, across: str, places: int, tmp_path: Path) -> None:
    data = {"x": [0, 1, 2, 3, 4, 5], "z": [1, 3, 2, 1, 3, 2], "y": [1.1, 1.6, 2.9, 4.4, 7.6, 12.0]}
    curve = fit(model, data, y="y", start={"a": 1, "b": 0.5}, prediction=True).with_data
    assert (curve.across, curve.up, len(curve.x)) == (across, "y", places)
    assert curve.y.tolist() == data["y"]
    known = np.isfinite(curve.lower)
    assert known.all() == (across != "fitted value")
    assert (curve.lower <= curve.fitted)[known].all()
    table, picture = tmp_path / "data.csv", tmp_path / "fit.svg"
    table.write_text("x,z,y\n" + "".join(f"{x},{z},{y}\n" for x, z, y in zip(*data.values(), strict=True)))
    autodiff("fit", model, "--y", "y", "--data", str(table), "--start", "a=1,b=0.5", "--plot", str(picture))
    drawn = picture.read_text()
    assert "<svg" in drawn
    assert across in drawn
