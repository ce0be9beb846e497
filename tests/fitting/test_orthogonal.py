"""Errors in x as well as in y: the results of the literature and of scipy.odr, the limit of exact x, honest ends, and the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff.errors import AutodiffError
from autodiff.fitting.fit import Fit, fit
from tests.support.command import autodiff

pytest.importorskip("odrpack")

PEARSON = {
    "x": [0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4],
    "y": [5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5],
    "sx": [w**-0.5 for w in (1000, 1000, 500, 800, 200, 80, 60, 20, 1.8, 1)],
    "sy": [w**-0.5 for w in (1, 1.8, 4, 8, 20, 20, 70, 70, 100, 500)],
}
"""Pearson's data (1901) with the weights of York (Canadian Journal of Physics 44, 1079, 1966)."""

X = [0.1, 0.2, 0.4, 0.7, 1.1, 1.9, 3.2, 5.1]
SATURATION = {
    "x": X,
    "y": [0.34, 0.46, 0.92, 1.21, 1.56, 2.07, 2.29, 2.52],
    "sx": [0.03, 0.03, 0.05, 0.05, 0.1, 0.1, 0.2, 0.3],
    "sy": [0.05] * 4 + [0.1] * 4,
}
DECAY = {"x": X, "y": [2.71, 2.36, 2.03, 1.49, 1.14, 0.66, 0.57, 0.48], "sx": [0.05] * 8, "sy": [0.04] * 8}
RECORDED = [
    ("a*x/(b + x)", SATURATION, [1, 1], [3.0276573777860376, 0.9950544424986519],
     [0.13947593914053508, 0.1181434755176933], 2.186599948828273),
    ("a*exp(-b*x) + c", DECAY, [1, 1, 0], [2.5112352956129045, 1.292675904412151, 0.49088730514290796],
     [0.12369582420819049, 0.10221673793379278, 0.031164998787424052], 3.3623977277231956),
]  # fmt: skip
"""beta, the roots of cov_beta's diagonal and sum_square of scipy.odr (SciPy 1.17.1) with exact derivatives, sstol and partol 1e-15."""

STRAIGHT, START = "a + b*x", {"a": 1.0, "b": 1.0}


def _near(model: str, data: Any, start: dict[str, Any], **options: Any) -> Fit:
    return fit(model, data, "y", start, **({"sigma": "sy", "sigma_x": {"x": "sx"}} | options))


def test_a_straight_line_is_that_of_york_and_williamson() -> None:
    """Parameters: Williamson, Canadian Journal of Physics 46, 1845 (1968). Errors and S/(n - 2): York, Evensen, López Martínez
    and De Basabe Delgado, American Journal of Physics 72, 367 (2004), table II."""
    fitted = _near(STRAIGHT, PEARSON, START)
    assert fitted.ended == "converged"
    assert list(fitted.params.values()) == pytest.approx([5.47991022403, -0.48053340745], rel=1e-9)
    assert list(fitted.errors.values()) == pytest.approx([0.29497, 0.057985], rel=1e-5)
    assert fitted.ssr / fitted.freedom == pytest.approx(1.4833, rel=1e-4)
    assert fitted.deviation == pytest.approx(1.4833**0.5, rel=1e-4)
    assert fitted.r_squared is None


@pytest.mark.parametrize(("model", "data", "start", "params", "errors", "ssr"), RECORDED)
def test_curves_are_those_of_scipy(
    model: str, data: Any, start: list[float], params: list[float], errors: list[float], ssr: float
) -> None:
    fitted = _near(model, data, dict(zip("abc", start, strict=False)))
    assert fitted.ended == "converged"
    assert list(fitted.params.values()) == pytest.approx(params, rel=1e-7)
    assert list(fitted.errors.values()) == pytest.approx(errors, rel=1e-6)
    assert fitted.ssr == pytest.approx(ssr, rel=1e-9)


@pytest.mark.parametrize("share", [1e-4, 1e-9, 1e-40])
def test_small_errors_of_x_leave_the_plain_fit(share: float) -> None:
    plain = fit("a*x/(b + x)", SATURATION, "y", START, sigma="sy")
    fitted = _near("a*x/(b + x)", SATURATION, START, sigma_x={"x": share})
    assert list(fitted.params.values()) == pytest.approx(list(plain.params.values()), rel=(100 * share) ** 2 + 1e-9)
    assert list(fitted.errors.values()) == pytest.approx(list(plain.errors.values()), rel=(100 * share) ** 2 + 1e-9)
    assert fitted.ssr == pytest.approx(plain.ssr, rel=(100 * share) ** 2 + 1e-9)


def test_x_and_y_change_places() -> None:
    """A straight line of y over x is that of x over y."""
    other = fit("(y - a)/b", PEARSON, "x", {"a": 5.0, "b": -0.5}, sigma="sx", sigma_x={"y": "sy"})
    fitted = _near(STRAIGHT, PEARSON, START)
    assert list(other.params.values()) == pytest.approx(list(fitted.params.values()), rel=1e-7)
    assert list(other.errors.values()) == pytest.approx(list(fitted.errors.values()), rel=1e-6)


@pytest.mark.parametrize("rows", [2, 3, 40])
def test_several_columns_have_errors(rows: int) -> None:
    """Also where they are as many as rows. A plane is weighted least squares with one deviation for each row, found by steps."""
    draw = np.random.default_rng(5)
    data = {"x": draw.uniform(0, 5, rows), "z": draw.uniform(0, 5, rows), "sx": draw.uniform(0.1, 0.3, rows)}
    data["y"] = 2 * data["x"] - data["z"] + 0.3 * draw.standard_normal(rows)
    fitted = fit("a*x + b*z", data, "y", START, sigma="0.2", sigma_x={"x": "sx", "z": 0.1})
    a, b = fitted.params.values()
    variance = 0.04 + (a * data["sx"]) ** 2 + (b * 0.1) ** 2
    residuals = a * data["x"] + b * data["z"] - data["y"]
    assert fitted.ended == "converged"
    assert fitted.ssr == pytest.approx(float(np.sum(residuals**2 / variance)), rel=1e-9, abs=1e-12)
    slopes = [
        np.sum(residuals * data[name] / variance - residuals**2 * value * s**2 / variance**2)
        for name, value, s in (("x", a, data["sx"]), ("z", b, 0.1))
    ]
    assert slopes == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_do_not_matter(unit: float) -> None:
    data = {name: np.array(numbers) * unit for name, numbers in PEARSON.items()}
    fitted = _near(STRAIGHT, data, {"a": 1.0, "b": 1.0})
    assert fitted.ended == "converged"
    assert list(fitted.params.values()) == pytest.approx([5.47991022403 * unit, -0.48053340745], rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_columns_far_from_zero_converge_within_their_rounding(seed: int) -> None:
    """x such as seconds since 1970: an error of x beside it has seven digits."""
    x = 1e9 + np.arange(20.0)
    y = 3 + 2 * (x - 1e9) + 0.3 * np.random.default_rng(seed).standard_normal(20)
    fitted = fit("a + b*(x - 1e9)", {"x": x, "y": y}, "y", {"a": 0, "b": 0}, sigma="0.1", sigma_x={"x": 0.1})
    near = fit("a + b*x", {"x": x - 1e9, "y": y}, "y", {"a": 0, "b": 0}, sigma="0.1", sigma_x={"x": 0.1})
    assert fitted.ended == "converged"
    assert list(fitted.params.values()) == pytest.approx(list(near.params.values()), rel=1e-5)


def test_a_row_is_nearest_the_other_side_of_a_bend() -> None:
    """The last row is right of the top, from where the search went on to the right, and the curve is nearer on the left."""
    x = np.array([0, 0.25, 0.5, 0.75, 1.25, 1.5, 2, 3, 4, 5, 1.1])
    y = 2 * x * np.exp(-x)
    y[-1] = 0.05
    fitted = fit("a*x*exp(-b*x)", {"x": x, "y": y}, "y", {"a": 2, "b": 1}, sigma="0.01", sigma_x={"x": 0.4})
    assert fitted.ended == "converged"
    a, b = fitted.params.values()
    beside = np.linspace(-3, 6, 90_001)
    squares = ((x - beside[:, None]) / 0.4) ** 2 + ((y - (a * beside * np.exp(-b * beside))[:, None]) / 0.01) ** 2
    assert fitted.ssr == pytest.approx(float(squares.min(axis=0).sum()), rel=1e-3)


def test_a_bound_is_kept_and_the_others_are_as_if_it_were_fixed() -> None:
    bounded = _near("a*exp(-b*x) + c", DECAY, {"a": 1, "b": 1, "c": 0}, bounds={"b": (0, 1.1)})
    fixed = _near("a*exp(-1.1*x) + c", DECAY, {"a": 1, "c": 0})
    assert (bounded.ended, bounded.at_bound, bounded.errors["b"]) == ("converged", ("b",), None)
    assert bounded.params["b"] == pytest.approx(1.1)
    for name in "ac":
        assert bounded.params[name] == pytest.approx(fixed.params[name], rel=1e-6)
        assert bounded.errors[name] == pytest.approx(fixed.errors[name], rel=1e-5)
    inside = _near("a*exp(-b*x) + c", DECAY, {"a": 1, "b": 1, "c": 0}, bounds={"b": (0, 9), "a": (0, float("inf"))})
    assert list(inside.params.values()) == pytest.approx(RECORDED[1][3], rel=1e-7)


def test_ends_are_honest() -> None:
    nowhere = fit("exp(-a*x)", {"x": [1, 2, 3], "y": [-1, -1, -1]}, "y", {"a": 1}, sigma="1", sigma_x={"x": 0.1})
    assert nowhere.ended == "diverged"
    both = _near("(a + d)*exp(-b*x) + c", DECAY, {"a": 1, "b": 1, "c": 0, "d": 1})
    assert (both.ended, both.errors["a"], both.errors["d"]) == ("converged", None, None)
    assert "the data don't determine a and d separately" in both.notes[0]
    assert both.errors["b"] == pytest.approx(RECORDED[1][4][1], rel=1e-5)
    exact = fit("a*x + b", {"x": [0, 1, 2], "y": [1, 3, 5]}, "y", START, sigma="1", sigma_x={"x": 1})
    assert exact.ended == "converged"
    assert exact.ssr == pytest.approx(0, abs=1e-20)
    assert exact.params == pytest.approx({"a": 2, "b": 1})


def test_several_starts_are_tried() -> None:
    x = np.linspace(0, 6, 60)
    data = {"x": x, "y": np.sin(3 * x) + 0.05 * np.cos(99 * x**2)}
    fitted = fit("sin(w*x)", data, "y", {"w": 1.2}, starts=30, sigma="0.05", sigma_x={"x": 0.01})
    assert fitted.params["w"] == pytest.approx(3, rel=1e-2)
    assert fitted.starts[0] == 30


def test_rows_and_the_picture_are_those_of_what_was_measured() -> None:
    fitted = _near(STRAIGHT, PEARSON, START)
    a, b = fitted.params.values()
    x, y = np.array(PEARSON["x"]), np.array(PEARSON["y"])
    assert fitted.by_row.fitted == pytest.approx(a + b * x)
    assert fitted.by_row.residuals == pytest.approx(y - a - b * x)
    covariance = fitted.correlations["a", "b"] * (fitted.errors["a"] or 0) * (fitted.errors["b"] or 0)
    variance = (fitted.errors["a"] or 0) ** 2 + (x * (fitted.errors["b"] or 0)) ** 2 + 2 * x * covariance
    assert fitted.by_row.upper - fitted.by_row.fitted == pytest.approx(1.959963984540054 * np.sqrt(variance), rel=1e-6)
    curve = fitted.with_data
    assert curve.at.tolist() == PEARSON["x"]
    assert curve.sigma_at is not None
    assert curve.sigma_at.tolist() == PEARSON["sx"]
    assert "<svg" in fitted.to_svg()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": None}, "--sigma-x needs --sigma"),
        ({"loss": "huber"}, "--sigma-x and --loss don't go together"),
        ({"prediction": True}, "--sigma-x and --prediction don't go together"),
        ({"sigma_x": {"z": "sx"}}, "--sigma-x names 'z', which is no column of the model"),
        ({"sigma_x": {"a": "sx"}}, "--sigma-x names 'a', which is no column of the model"),
        ({"sigma_x": {"x": 0}}, "--sigma-x x is a standard deviation, which is above 0, and it is 0 in row 1"),
        ({"sigma_x": {"x": "sx - 0.1"}}, "--sigma-x x is a standard deviation, which is above 0, and it is -0.068"),
        ({"sigma_x": {"x": "x"}}, "and it is 0 in row 1"),
        ({"sigma_x": {"x": "q"}}, "the table has no column 'q'"),
        ({"sigma_x": {"x": "ln(x)"}}, "--sigma-x x 'ln\\(x\\)' has no value in row 1"),
        ({"sigma_x": {"x": float("nan")}}, "must name a column, or be a finite number"),
        ({"sigma_x": {"x": 1e-200}}, "the squares of --sigma and --sigma-x x are too far apart"),
        ({"sigma_x": {"x": [0.1]}}, "sigma_x of 'x' must name a column, or be a finite number"),
        ({"sigma_x": "sx"}, "sigma_x must be a dictionary of columns"),
    ],
)
def test_what_is_no_deviation_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AutodiffError, match=message):
        _near(STRAIGHT, PEARSON, START, **options)


def test_what_can_not_be_searched_is_refused() -> None:
    with pytest.raises(AutodiffError, match="as many rows as parameters, and there are 1 and 2"):
        fit(STRAIGHT, {"x": [1], "y": [1]}, "y", START, sigma="1", sigma_x={"x": 1})
    with pytest.raises(AutodiffError, match="no slope by x in row 1"):
        fit("a*sqrt(x) + b", {"x": [0, 1, 2], "y": [0, 1, 2]}, "y", START, sigma="1", sigma_x={"x": 1})


@pytest.fixture
def table(tmp_path: Path) -> list[str]:
    path = tmp_path / "pearson.csv"
    rows = zip(*PEARSON.values(), strict=True)
    path.write_text("\n".join([",".join(PEARSON), *(",".join(map(repr, row)) for row in rows)]) + "\n")
    return ["fit", STRAIGHT, "--y", "y", "--data", str(path), "--start", "a=1,b=1"]


def test_the_command_has_the_same_report(table: list[str], tmp_path: Path) -> None:
    options = [*table, "--sigma", "sy", "--sigma-x", "x=sx"]
    plain = json.loads(autodiff(*table, "--sigma", "sy", "--json").out)
    answer = json.loads(autodiff(*options, "--json").out)
    assert list(answer) == list(plain)
    assert answer["params"]["b"]["value"] == pytest.approx(-0.48053340745)
    assert answer["notes"][-1] == "residuals are distances from the curve, in standard deviations of x, y"
    text = autodiff(*options)
    assert text.status == 0
    assert text.out.startswith("a    5.480 ± 0.295  (5.4 %)\nb  -0.4805 ± 0.058  (12 %)\n")
    rows = tmp_path / "rows.csv"
    assert autodiff(*options, "--out", str(rows)).status == 0
    assert rows.read_text().startswith("x,y,sx,sy,fit,lo,hi,residual,leverage,influence\n")


@pytest.mark.parametrize(
    ("options", "message", "status"),
    [
        (["--sigma-x", "x"], "--sigma-x can't be read at 'x'", 2),
        (["--sigma-x", "x="], "--sigma-x can't be read at 'x='", 2),
        (["--sigma-x", ""], "--sigma-x can't be read at ''", 2),
        (["--sigma-x", "x=1,\uff58=2"], "--sigma-x gives 'x' twice", 2),
        (["--sigma-x", "x=1,x=2"], "--sigma-x gives 'x' twice", 2),
        (["--sigma-x", "z=1"], "--sigma-x names 'z', which is no column of the model\n  its columns are x", 2),
        (["--sigma-x", "x=q"], "no column 'q'", 4),
        (["--sigma-x", "x=0"], "--sigma-x x is a standard deviation, which is above 0, and it is 0 in row 1", 4),
        (["--sigma-x", "x=sx", "--loss", "huber"], "--sigma-x and --loss don't go together", 2),
        (["--sigma-x", "x=sx", "--prediction", "--plot", "p.svg"], "--sigma-x and --prediction don't go together", 2),
    ],
)
def test_mistakes_are_reported_in_a_sentence(table: list[str], options: list[str], message: str, status: int) -> None:
    done = autodiff(*table, "--sigma", "sy", *options)
    assert message in done.err
    assert (done.status, done.out) == (status, "")


def test_a_cell_of_the_deviations_that_is_no_number_is_named(table: list[str]) -> None:
    path = Path(table[5])
    path.write_text(path.read_text().replace("5.4,0.0316", "5.4,nan0.0316"))
    done = autodiff(*table, "--sigma", "sy", "--sigma-x", "x=sx")
    assert (done.status, done.out) == (4, "")
    assert "pearson.csv, line 3, column 'sx'" in done.err


def test_without_sigma_or_the_library_the_next_step_is_named(table: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    done = autodiff(*table, "--sigma-x", "x=sx")
    assert (done.status, done.out) == (2, "")
    assert "--sigma-x needs --sigma" in done.err
    monkeypatch.setitem(sys.modules, "odrpack", None)
    done = autodiff(*table, "--sigma", "sy", "--sigma-x", "x=sx")
    assert (done.status, done.out) == (2, "")
    assert "a fit with errors in x needs odrpack, which is not installed" in done.err
    assert "pip install '.[odr]'" in done.err
    assert autodiff(*table, "--sigma", "sy").status == 0
