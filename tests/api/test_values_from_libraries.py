"""What is masked or missing in the arrays and tables of other libraries is NaN or an error, and no data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff

MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])


def _squares(given: Any) -> list[str]:
    square = autodiff.compile("x^2")
    value, gradient = square(given) if isinstance(given, dict) or hasattr(given, "columns") else square(x=given)
    assert np.array_equal(np.isnan(gradient["x"]), np.isnan(value))
    return [str(number) for number in value.tolist()]


@pytest.mark.parametrize("masked", [MASKED, np.ma.array([1, 2, 3], mask=[False, True, False]), MASKED.astype("f4")])
def test_masked_values_are_missing(masked: Any) -> None:
    assert _squares(masked) == _squares({"x": masked}) == ["1.0", "nan", "9.0"]
    assert autodiff.compile("x^2").batch(x=masked).hard == {1: "input"}
    with pytest.raises(autodiff.AutodiffError, match=r"'x\[1\]' must be a finite number"):
        autodiff.evaluate("sum(x)", {"x": masked})
    with pytest.raises(autodiff.AutodiffError, match="'x' is missing in row 2"):
        autodiff.Program("mse(x, w)").train({"x": masked}, {"w": 0.0})
    with pytest.raises(autodiff.AutodiffError, match="must be a number"):
        autodiff.evaluate("x", {"x": np.ma.masked})


def test_objects_are_numbers_missing_or_an_error() -> None:
    assert _squares(np.array([1, 2.5, None], dtype=object)) == ["1.0", "6.25", "nan"]
    for values, message in (([10**400], "beyond the range of float64"), (["1"], "texts"), ([1j], "real numbers")):
        with pytest.raises(autodiff.AutodiffError, match=message):
            autodiff.compile("x^2")(x=values)
    with pytest.raises(autodiff.AutodiffError, match="beyond the range of float64"):
        autodiff.evaluate("sum(x)", {"x": [10**400]})


def test_columns_of_pandas() -> None:
    pandas = pytest.importorskip("pandas", reason="tables of pandas")
    for kind, values, shown in (("boolean", [True, None], "1.0"), ("Int64", [2, None], "4.0")):
        assert _squares(pandas.DataFrame({"x": pandas.array(values, dtype=kind)})) == [shown, "nan"]
    twice = pandas.DataFrame([[1.0, 2.0, 3.0]], columns=["x", "x", "y"])
    with pytest.raises(autodiff.AutodiffError, match="'x' of the table is there twice"):
        autodiff.compile("x^2*y")(twice)
    wide = pandas.DataFrame({"width (cm)": [1.0, 2.0], "width [cm]": [1.0, 2.0]})
    assert autodiff.compile("width_cm*2")(wide[["width (cm)"]])[0].tolist() == [2.0, 4.0]
    with pytest.raises(autodiff.AutodiffError, match="both called 'width_cm'"):
        autodiff.compile("width_cm*2")(wide)
    with pytest.raises(autodiff.AutodiffError, match="holds no numbers"):
        autodiff.compile("x^2")(pandas.DataFrame({"x": ["1", "2"]}))
    with pytest.raises(autodiff.AutodiffError, match="holds '5%', which is no number"):
        autodiff.Program("mse(y, w*x)").train(pandas.DataFrame({"x": ["5%", "7%"], "y": [1, 2]}), {"w": 0})


def test_a_table_of_polars_without_rows_yet() -> None:
    polars = pytest.importorskip("polars", reason="tables of Polars")
    frame = polars.DataFrame({"x": [3.0, None]})
    assert _squares(frame) == ["9.0", "nan"]
    with pytest.raises(autodiff.AutodiffError, match="collect it first"):
        autodiff.compile("x^2")(frame.lazy())


def test_tensors_that_record_a_gradient() -> None:
    torch = pytest.importorskip("torch", reason="tensors")
    tensor = torch.tensor([1.0, 2.0], requires_grad=True)
    assert _squares(tensor) == _squares({"x": tensor}) == ["1.0", "4.0"]
    assert autodiff.evaluate("sum(x)", {"x": tensor}).value == 3.0
    assert autodiff.evaluate("x", {"x": tensor.sum()}).value == 3.0
