"""NIST's reference problems: every parameter to 6 digits and every standard deviation to 5, from both starts."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import autodiff

FOLDER = Path(__file__).parent / "nist"

EXPONENTIALS = "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"
PEAKS = "b1*exp(-b2*x) + b3*exp(-(x - b4)^2/b5^2) + b6*exp(-(x - b7)^2/b8^2)"
CUBICS = "(b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)"
MODELS = {
    "Misra1a": "b1*(1 - exp(-b2*x))",
    "Misra1b": "b1*(1 - (1 + b2*x/2)^-2)",
    "Misra1c": "b1*(1 - (1 + 2*b2*x)^-0.5)",
    "Misra1d": "b1*b2*x/(1 + b2*x)",
    "Chwirut1": "exp(-b1*x)/(b2 + b3*x)",
    "Chwirut2": "exp(-b1*x)/(b2 + b3*x)",
    "Lanczos1": EXPONENTIALS,
    "Lanczos2": EXPONENTIALS,
    "Lanczos3": EXPONENTIALS,
    "Gauss1": PEAKS,
    "Gauss2": PEAKS,
    "Gauss3": PEAKS,
    "DanWood": "b1*x^b2",
    "Kirby2": "(b1 + b2*x + b3*x^2)/(1 + b4*x + b5*x^2)",
    "Hahn1": CUBICS,
    "Nelson": "b1 - b2*x1*exp(-b3*x2)",
    "MGH17": "b1 + b2*exp(-x*b4) + b3*exp(-x*b5)",
    "Roszman1": "b1 - b2*x - atan(b3/(x - b4))/pi",
    "ENSO": "turn(period, c, s) = c*cos(2*pi*x/period) + s*sin(2*pi*x/period)\n"
    "b1 + turn(12, b2, b3) + turn(b4, b5, b6) + turn(b7, b8, b9)",
    "MGH09": "b1*(x^2 + x*b2)/(x^2 + x*b3 + b4)",
    "Thurber": CUBICS,
    "BoxBOD": "b1*(1 - exp(-b2*x))",
    "Rat42": "b1/(1 + exp(b2 - b3*x))",
    "Rat43": "b1/(1 + exp(b2 - b3*x))^(1/b4)",
    "MGH10": "b1*exp(b2/(x + b3))",
    "Eckerle4": "b1/b2*exp(-(x - b3)^2/(2*b2^2))",
    "Bennett5": "b1*(b2 + x)^(-1/b3)",
}


class Parameter(NamedTuple):
    starts: tuple[float, float]
    value: float
    deviation: float


def problem(name: str) -> tuple[dict[str, Parameter], dict[str, Any]]:
    """The parameters and the columns of a file."""
    lines = (FOLDER / f"{name}.dat").read_text(encoding="ascii").splitlines()
    parameters = {}
    for line in lines:
        match = re.match(r"\s*(b\d+)\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", line)
        if match:
            first, second, value, deviation = map(float, match.groups()[1:])
            parameters[match[1]] = Parameter((first, second), value, deviation)
    begin = max(k for k, line in enumerate(lines) if line.startswith("Data:")) + 1
    rows = np.array([[float(cell) for cell in line.split()] for line in lines[begin:] if line.strip()])
    names = ["y", "x"] if rows.shape[1] == 2 else ["y", "x1", "x2"]
    return parameters, dict(zip(names, rows.T, strict=True))


def digits(number: float, certified: float) -> float:
    return 15 if number == certified else -math.log10(abs(number - certified) / abs(certified))


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", MODELS)
def test_certified_digits_are_reached(name: str, start: int) -> None:
    parameters, columns = problem(name)
    target = "ln(y)" if name == "Nelson" else "y"
    begin = {b: parameter.starts[start] for b, parameter in parameters.items()}
    found = autodiff.fit(MODELS[name], columns, target, begin)
    assert found.ended == "converged"
    for b, parameter in parameters.items():
        assert digits(found.params[b], parameter.value) >= 6, b
        if name != "Lanczos1":  # its residuals are rounding of the data: 1e-13 of them
            error = found.errors[b]
            assert error is not None, b
            assert digits(error, parameter.deviation) >= 5, b
