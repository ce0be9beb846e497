"""What a target's library lacks, written in our own language: it becomes a small function there, or equations in place.

Sources, from the NIST Digital Library of Mathematical Functions (https://dlmf.nist.gov): Stirling's series 5.11.1 and
5.11.3, lgamma's 5.7.3, digamma's 5.11.2 and reflection 5.5.4, polygamma's 5.15, erf's series 7.6.1, spherical Bessel
functions 10.49 and 10.53. erfc is the trapezoidal rule for 7.7.1 with the pole's correction (Chiarella and Reichel, Math. Comp. 22, 1968);
log1p and expm1 by a corrected quotient are Kahan's (Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from autodiff.core.primitive import Primitive
from autodiff.core.rules import TABLE

POWER, _MOD = TABLE["^", 2], TABLE["mod", 2]
_POWERS = {
    2.0: "u*u", 3.0: "u*u*u", 4.0: "z = u*u; z*z", -1.0: "1/u", -2.0: "z = 1/u; z*z", -3.0: "z = 1/u; z*z*z", 0.5: "sqrt(u)",
}  # fmt: skip
"""What `floats.PRODUCTS` does for numbers, and u^-3, which is in the slope of u^-2."""

_EULER = "0.57721566490153286060651209008240243"
_SHIFT = 10  # Stirling's series holds to the last digit from here


def definition(row: Primitive) -> str:
    """The row as a text over its parameters; "" when there is none."""
    return row.definition or _TEXTS.get((row.name, row.arity), "")


def of_order(row: Primitive, order: float) -> str:
    """A row whose first argument is the whole number `order`, as a text over its parameters; "" when there is none."""
    text = _ORDERS.get((row.name, order))
    return text() if text else ""


def orders(row: Primitive) -> list[float]:
    """The first arguments for which a row can be written down."""
    return sorted(order for name, order in _ORDERS if name == row.name)


def with_constant(row: Primitive, static_args: tuple[float | None, ...]) -> str:
    """A row of two arguments whose second is a known number, as a text that is as good; "" when there is none."""
    if len(static_args) != 2 or static_args[1] is None or static_args[0] is not None:
        return ""
    if row is _MOD:
        return "u - v*floor(u/v)" if math.frexp(static_args[1])[0] == 0.5 else ""  # nothing of this is rounded
    return _POWERS.get(static_args[1], "") if row is POWER else ""


def _nested(ratios: Iterable[Fraction | int]) -> str:
    """1 + r1*z*(1 + r2*z*(1 + …)): a series by the ratios of its terms."""
    text = "1"
    for ratio in reversed(list(map(Fraction, ratios))):
        text = f"1 {'-' if ratio < 0 else '+'} z*{abs(ratio.numerator)}/{ratio.denominator}*({text})"
    return text


def _sum(terms: Iterable[str]) -> str:
    return " + ".join(terms)


def _horner(variable: str, coefficients: Iterable[Fraction]) -> str:
    text = ""
    for c in reversed(list(coefficients)):
        number = f"({c.numerator}/{c.denominator})"
        text = f"({number} + {variable}*{text})" if text else number
    return text


_STIRLING = [Fraction(*p) for p in ((1, 12), (-1, 360), (1, 1260), (-1, 1680), (1, 1188), (-691, 360360), (1, 156), (-3617, 122400))]  # fmt: skip
_BERNOULLI = [Fraction(*p) for p in ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510))]

_PLACE = "x = if(u < 0.5, 1 - u, u); y = if(x < 10, x + 10, x); q = 1/y; z = q*q; r = u - round(u)"
"""x: the argument, reflected to the right; y: shifted up to where the series holds; r: for sin(pi*u)."""

_FACTORS = "*".join(["x", *(f"(x + {k})" for k in range(1, _SHIFT))])
_SINE = "(1 - 2*mod(round(u), 2))*sin(pi*r)"


def _erf(small: str, right: str, left: str) -> str:
    """erf or erfc, from the series s of erf near 0 and the tail t of erfc, for which step 1/2 is enough.

    Beyond 40 it is 0. The rule's error is e^(-4 pi^2), the pole's correction, 2/(e^(4 pi x) - 1), counts below x = 2 pi.
    """
    ratios = [Fraction(-(2 * k - 1), k * (2 * k + 1)) for k in range(1, 15)]
    series = f"s = 2/sqrt(pi)*u*({_nested(ratios)})"
    terms = _sum(f"{math.exp(-k * k / 4)!r}/(z + {k * k / 4!r})" for k in range(1, 13))
    tail = f"t = gaussian(x)*x/pi*(0.5/z + {terms}) - if(x < 6, 2/expm1(4*pi*x), 0)"
    return f"x = min(abs(u), 40); z = x*x; {series}; {tail}; if(x < 0.5, {small}, if(u > 0, {right}, {left}))"


def _gamma() -> str:
    """Beyond 300, where it is infinite, as at 300: left of 0 it is divided by, factor by factor, and may be small."""
    place = _PLACE.replace("x + 10, x)", "x + 10, min(x, 300))")
    series = f"sqrt(2*pi)*exp({_horner('z', _STIRLING)}/y)"
    whole = f"p = y^(y/2 - 0.25); t = p*exp(-y); s = {series}; g = if(x < 10, s/({_FACTORS}), s)"
    return f"{place}; {whole}; if(u < 0.5, pi/p/t/({_SINE}*g), t*p*g)"


def _lgamma() -> str:
    """From 1/2 to 7/2, where its zeros are, by the series around 2: that of 5.7.3, and 5.5.1."""
    series = _horner("s", [1 - Fraction(_EULER), *((-1) ** k * _zeta(k, Fraction(2)) / k for k in range(2, 29))])
    near = f"s = if(u < 1.5, u - 1, if(u < 2.5, u - 2, u - 3)); n = s*{series}"
    whole = f"g = (y - 0.5)*ln(y) - y + 0.5*ln(2*pi) + {_horner('z', _STIRLING)}/y"
    lower = f"h = if(x < 10, g - ln({_FACTORS}), g)"
    left, right = "-ln(abs(sin(pi*r))/pi) - h", "if(u < 1.5, n - ln(u), if(u < 2.5, n, if(u < 3.5, n + ln(u - 1), h)))"
    return f"{_PLACE}; {whole}; {lower}; {near}; if(u < 0.5, {left}, {right})"


def _zeta(k: int, a: Fraction) -> Fraction:
    """The sum of 1/(a + m)^k over m = 0, 1, …, by the Euler-Maclaurin formula 25.11.5."""
    n = a + 20
    terms = [*(1 / (a + m) ** k for m in range(20)), 1 / ((k - 1) * n ** (k - 1)), 1 / (2 * n**k)]
    for j, b in enumerate(_BERNOULLI, start=1):
        terms += [b * math.prod(range(k, k + 2 * j - 1)) / (math.factorial(2 * j) * n ** (k + 2 * j - 1))]
    return Fraction(sum(round(term * 2**90) for term in terms), 2**90)


def _digamma() -> str:
    """Beside its zero by Taylor's series there, 5.15.1; the zero as a float64 and the rest of it."""
    zero = Fraction("1.46163214496836234126265954232572132846819620400644")
    place = Fraction(float(zero))
    near = f"s = u - {float(place)!r} - {float(zero - place)!r}; n = s*{_horner('s', [(-1) ** k * _zeta(k, zero) for k in range(2, 17)])}"
    series = _horner("z", [b / (2 * k) for k, b in enumerate(_BERNOULLI, start=1)])
    below = _sum(["1/x", *(f"1/(x + {k})" for k in range(1, _SHIFT))])
    whole = f"g = ln(y) - 0.5/y - z*{series}; h = if(x < 10, g - ({below}), g)"
    return f"{_PLACE}; {whole}; {near}; if(u < 0.5, h - pi/tan(pi*r), if(abs(s) < 0.125, n, h))"


def _polygamma(n: int) -> Callable[[], str]:
    def text() -> str:
        coefficients = [b * Fraction(math.factorial(2 * k + n - 1), math.factorial(2 * k)) for k, b in enumerate(_BERNOULLI, start=1)]  # fmt: skip
        first, half = math.factorial(n - 1), Fraction(math.factorial(n), 2)
        below = _sum(f"{math.factorial(n)}/(x + {k})^{n + 1}" for k in range(_SHIFT))
        whole = f"g = ({first} + ({half})/y + z*{_horner('z', coefficients)})/y^{n}"
        reflected = {
            1: "pi*pi/sin(pi*r)^2 - s",
            2: "s - 2*pi^3*sin(pi*(0.5 - abs(r)))/sin(pi*r)^3",
            3: "2*pi^4*(2*cos(pi*r)^2 + 1)/sin(pi*r)^4 - s",
        }[n]
        sign = "" if n % 2 else "-"
        return f"{_PLACE}; {whole}; s = {sign}if(x < 10, g + ({below}), g); if(u < 0.5, {reflected}, s)"

    return text


def _bessel_1() -> str:
    ratios = [Fraction(-1, 2 * k * (2 * k + 3)) for k in range(1, 9)]
    return f"z = u*u; if(abs(u) < 1, u/3*({_nested(ratios)}), (sin(u)/u - cos(u))/u)"


def _bessel_2() -> str:
    ratios = [Fraction(-1, 2 * k * (2 * k + 5)) for k in range(1, 10)]
    return f"z = u*u; if(abs(u) < 1.5, z/15*({_nested(ratios)}), ((3/z - 1)*sin(u) - 3*cos(u)/u)/u)"


_TEXTS: dict[tuple[str, int], str] = {
    ("sign", 1): "if(u > 0, 1, if(u < 0, -1, 0))",
    ("min", 2): "if(v < u, v, u)",
    ("max", 2): "if(v > u, v, u)",
    # the product v*q in halves, so that nothing is lost in the difference; no digit is left where q has no unit
    (
        "mod",
        2,
    ): "p = floor(u/v); q = if(abs(p) < 9007199254740992, p, 0/0); c = 134217729*v; a = c - (c - v); b = v - a; d = 134217729*q; h = d - (d - q); l = q - h;"
    " r = u - a*h - a*l - b*h - b*l; if(r != 0 and (r < 0) != (v < 0), r + v, r)",
    ("exp2", 1): "2^u",
    ("atanh", 1): "(log1p(u) - log1p(-u))/2",
    ("log2", 1): "ln(u)/ln(2)",
    ("cbrt", 1): "w = sign(u)*abs(u)^(1/3); if(u == 0, 0, w - (w - u/(w*w))/3)",
    ("expm1", 1): "w = exp(u); if(w == 1, u, if(w - 1 == -1, -1, if(abs(u) < 1, (w - 1)*u/ln(w), w - 1)))",
    ("log1p", 1): "w = 1 + u; if(w == 1, u, if(abs(u) < 1, ln(w)*u/(w - 1), ln(w)))",
    ("hypot", 2): "m = max(abs(u), abs(v)); if(m == 0, 0, m*sqrt((u/m)*(u/m) + (v/m)*(v/m)))",
    ("round", 1): "r = floor(u); d = u - r; if(d < 0.5, r, if(d > 0.5, r + 1, 2*floor(r/2 + 0.5)))",
    ("erf", 1): _erf("s", "1 - t", "t - 1"),
    ("erfc", 1): _erf("1 - s", "t", "2 - t"),
    ("gamma", 1): _gamma(),
    ("lgamma", 1): _lgamma(),
    ("digamma", 1): _digamma(),
}

_ORDERS: dict[tuple[str, float], Callable[[], str]] = {
    ("polygamma", 0.0): _digamma,
    ("polygamma", 1.0): _polygamma(1),
    ("polygamma", 2.0): _polygamma(2),
    ("polygamma", 3.0): _polygamma(3),
    ("spherical_jn", 0.0): lambda: "if(u == 0, 1, sin(u)/u)",
    ("spherical_jn", 1.0): _bessel_1,
    ("spherical_jn", 2.0): _bessel_2,
}
