"""Numbers for people: whole where they are short, otherwise rounded with every decimal shown, so that none looks exact.

>>> short(-0.9576594803233847), short(8.0), short(-0.28790331666506533), short(12345678901.5)
('-0.95766', '8', '-0.28790', '1.23457e+10')
>>> eight(0.7780731968879212), eight(0.62), eight(1.25e-7), eight(1.0000000001)
('0.77807320', '0.62', '1.25e-07', '1.00000000')
"""

from __future__ import annotations

import math

from autodiff.diagnostics import shown


def short(number: float) -> str:
    """At most five decimals, for drawings and sentences; below 0.001 and from a billion on with an exponent."""
    return _rounded(number, 5, 1e-3)


def eight(number: float) -> str:
    """At most eight decimals, for tables; below 0.0001 and from a billion on with an exponent."""
    return _rounded(number, 8, 1e-4)


def _rounded(number: float, places: int, least: float) -> str:
    """The shortest text if it has at most `places` decimals, otherwise exactly `places` of them.

    A few units in the last place are not counted: 0.4·7.8 - 2.5, which is 0.6200000000000001, is 0.62 to a reader.
    """
    if not math.isfinite(number):
        return shown(number)
    brief = _brief(number)
    exact = shown(brief)
    if "e" not in exact and abs(number) < 1e9 and _decimals(exact) <= places:
        return exact
    if least <= abs(number) < 1e9:
        return f"{number:.{places}f}"
    exact = next(text for text in (f"{brief:.{digits}e}" for digits in range(18)) if float(text) == brief)
    return exact if _decimals(exact) <= places else f"{number:.{places}e}"


def _brief(number: float) -> float:
    """The number of 12 digits that is the same to 15, where there is one; else the number itself."""
    rounded = float(f"{number:.12g}")
    return rounded if math.isfinite(rounded) and f"{rounded:.14e}" == f"{number:.14e}" else number


def _decimals(text: str) -> int:
    return len(text.partition("e")[0].partition(".")[2])
