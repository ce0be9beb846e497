"""A fit as text: each parameter with its standard error, the residuals, how the search ended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autodiff.diagnostics import shown

if TYPE_CHECKING:
    from autodiff.fitting.fit import Fit

MOST = 12
"""Parameters up to which every correlation of note is listed."""

NOTABLE = 0.5
"""Correlations that are listed."""


def text(fit: Fit) -> str:
    """The answer for people."""
    cells = [_row(name, value, fit.errors[name], bound=name in fit.at_bound) for name, value in fit.params.items()]
    widths = [max(len(row[k]) for row in cells) for k in range(3)]
    lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}} {c:<{widths[2]}}  {d}".rstrip() for a, b, c, d in cells]
    pairs = [(pair, value) for pair, value in fit.correlations.items() if abs(value) >= NOTABLE]
    if pairs and len(fit.params) <= MOST:
        pairs.sort(key=lambda item: -abs(item[1]))
        lines.append("correlation  " + ", ".join(f"{a} {b} {value:.3f}" for (a, b), value in pairs[:6]))
    lines += ["", f"residual sd  {_deviation(fit)}"]
    if fit.r_squared is not None:
        lines.append(f"R squared    {_share(fit.r_squared)}")
    lines.append(f"rows         {fit.rows}")
    ending = f"{fit.ended} in {fit.steps} step{'s' * (fit.steps != 1)}"
    lines.append(f"ended        {ending}")
    return "\n".join([*lines, *(f"note: {note}" for note in fit.notes)])


def _share(r_squared: float) -> str:
    """R squared; what is near 1 as its distance from it, since 1 would say that the model is exact."""
    text = f"{0.0 if abs(r_squared) < 1e-12 else r_squared:.6g}"
    return f"1 - {1 - r_squared:.2g}" if text == "1" and r_squared != 1 else text


def _deviation(fit: Fit) -> str:
    plural = "degree" + "s" * (fit.freedom != 1)
    if fit.deviation is None:
        return "unknown (no degree of freedom)"
    return f"{fit.deviation:.4g} ({fit.freedom} {plural} of freedom)"


def _row(name: str, value: float, error: float | None, *, bound: bool) -> tuple[str, str, str, str]:
    if error is None:
        return name, f"{value:.8g}", "± unknown" if not bound else "at its bound", ""
    if error == 0 or not math.isfinite(error):
        return name, shown(value), f"± {error:.3g}", ""
    share = f"({percent(100 * error / abs(value))} %)" if value and error / abs(value) < 100 else ""
    return name, rounded(value, error), f"± {error:.3g}", share


def rounded(value: float, error: float) -> str:
    """`value` to the third digit of its error: more are noise, fewer lose something.

    >>> rounded(0.990517, 0.00536), rounded(238.94212918, 2.707)
    ('0.99052', '238.94')
    """
    places = 2 - math.floor(math.log10(error))
    if value and math.floor(math.log10(abs(value))) + places > 15:
        return shown(value)
    if places > 15 or places < 0 or abs(value) >= 1e7 or 0 < abs(value) < 1e-4:
        digits = max(math.floor(math.log10(abs(value))) + places, 0) if value else 2
        return f"{value:.{digits}e}"
    return f"{value:.{max(places, 0)}f}"


def percent(share: float) -> str:
    """Two digits, or all before the point.

    >>> percent(165.3), percent(0.0834)
    ('165', '0.083')
    """
    return f"{share:.0f}" if share >= 100 else f"{share:.2g}"


def numbers(fit: Fit) -> str:
    """The parameters on one line, for a shell."""
    return " ".join(shown(value) for value in fit.params.values())


def csv(fit: Fit) -> str:
    """A line per parameter: name, value, standard error."""
    lines = ["name,value,stderr"]
    for name, value in fit.params.items():
        error = fit.errors[name]
        lines.append(f"{name},{shown(value)},{'' if error is None else shown(error)}")
    return "\n".join(lines)
