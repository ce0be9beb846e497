"""Reference values: every row of the table in 50-digit arithmetic, and the points where it is tested.

`VALUES` gives a row's value and `SLOPES` its local slopes from mpmath alone, by formulas that are not the table's.
A row without an entry here fails the test, so nothing enters the table untested.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
from mpmath import mp, mpf

mp.dps = 50

Mp = Any
"""An mpmath number; the library has no type information."""


def _digits(*args: Mp) -> None:
    """Enough digits that no argument is lost beside 1: 50 behind the larger of 1 and the argument, and before 1/it."""
    exponents = [abs(int(mpmath.mag(a))) for a in args if a]
    mp.prec = 400 + 2 * min(max(exponents, default=0), 1100)


def _erfc(u: Mp) -> Mp:
    return mpmath.erfc(u) if u < 1e6 else mpf(0)


SLOW = {
    "trigamma", "gamma", "lgamma", "digamma", "polygamma", "spherical_jn", "factorial", "beta", "lbeta", "binomial", "gammainc",
    "gammaincc", "gammapdf", "betainc", "betapdf", "Si", "Ci", "Ei", "besselj", "bessely", "besseli", "besselk", "airy", "airy_prime",
    "airybi", "airybi_prime", "gammainc_a", "gammapdf_a", "betainc_a", "betainc_b", "betainc_ab", "betapdf_ab",
}  # fmt: skip
"""Rows whose reference takes long at huge arguments: tested up to 300, in 120 digits."""


CANCELLING = {"beta", "lbeta", "binomial"}
"""Those of them whose slopes are small differences at tiny arguments, for which 120 digits are too few."""


def _exact(name: str, function: Callable[..., Mp]) -> Callable[..., Mp]:
    def run(*args: Mp) -> Mp:
        with mp.workdps(120):
            if name not in SLOW or name in CANCELLING:
                _digits(*args)
            return function(*args)

    return run


def _mod(u: Mp, v: Mp) -> Mp:
    return u - v * mpmath.floor(u / v)


def _spherical(n: Mp, u: Mp) -> Mp:
    if u == 0:
        return mpf(n == 0)
    return (
        mpmath.sqrt(mpmath.pi / (2 * abs(u))) * mpmath.besselj(n + mpf(1) / 2, abs(u)) * (-1 if u < 0 and n % 2 else 1)
    )


def _lgamma(u: Mp) -> Mp:
    return mpmath.log(abs(mpmath.gamma(u))) if u < 0 or abs(u) < 1e6 else mpmath.loggamma(u)


def _phi(u: Mp) -> Mp:
    return _erfc(-u / mpmath.sqrt(2)) / 2


def _density(u: Mp) -> Mp:
    return mpmath.exp(-u * u / 2) / mpmath.sqrt(2 * mpmath.pi)


def _power(u: Mp, v: Mp) -> Mp:
    return mpf(1) if v == 0 else mpmath.power(u, v) if u else mpf(0)


def _sigmoid(u: Mp) -> Mp:
    return 1 / (1 + mpmath.exp(-u))


def _softplus(u: Mp) -> Mp:
    return max(u, mpf(0)) + mpmath.log1p(mpmath.exp(-abs(u)))


def _log(u: Mp) -> Mp:
    return mpmath.log(u)


def _trunc(u: Mp) -> Mp:
    return mpmath.sign(u) * mpmath.floor(abs(u))


def _inverse_erf(u: Mp) -> Mp:
    """By Newton's method for erfc(w) = 1 - u, from the side where that is exact; mpmath's own loses digits near 1."""
    return -_inverse_erfc(1 + u) if u < 0 else _inverse_erfc(1 - u)


def _inverse_erfc(u: Mp) -> Mp:
    if u > 1:
        return -_inverse_erfc(2 - u)
    w = mpmath.sqrt(-mpmath.log(u * mpmath.sqrt(mpmath.pi))) if u < 0.1 else (1 - u) * mpmath.sqrt(mpmath.pi) / 2
    if u < 0.1:
        w = mpmath.sqrt(-mpmath.log(u * mpmath.sqrt(mpmath.pi) * w))
    for _ in range(200):
        step = (mpmath.erfc(w) - u) * mpmath.exp(w * w) * mpmath.sqrt(mpmath.pi) / 2
        w += step / (1 - w * step)  # Halley's
        if abs(step) < abs(w) * mpf(10) ** -100:
            break
    return w


def _beta_density(a: Mp, b: Mp, u: Mp) -> Mp:
    return u ** (a - 1) * (1 - u) ** (b - 1) / mpmath.beta(a, b)


def _gamma_density(a: Mp, u: Mp) -> Mp:
    return mpmath.exp((a - 1) * mpmath.log(u) - u) / mpmath.gamma(a)


def _of_order(function: Callable[..., Mp], slope: Callable[..., Mp]) -> Any:
    return lambda n, u: function(int(n), u), (None, lambda n, u: slope(int(n), u))


def _bessel_slope(function: Callable[..., Mp], below: int, above: int) -> Callable[..., Mp]:
    """The slope by the recurrence from both neighbours, the one of order -1 included."""
    return lambda n, u: (below * function(n - 1, u) + above * function(n + 1, u)) / 2


def _besseli(n: int, u: Mp) -> Mp:
    """By its series, whose terms all have one sign; mpmath's own does not end at some tiny arguments."""
    term = total = (u / 2) ** abs(n) / mpmath.factorial(abs(n))
    k = 0
    while abs(term) > abs(total) * mpf(2) ** -mp.prec:
        k += 1
        term *= u * u / (4 * k * (k + abs(n)))
        total += term
    return total


def _incomplete(a: Mp, low: Mp, high: Mp) -> Mp:
    return mpmath.gammainc(a, low, high, regularized=True)


def _gamma_in_shape(n: int, a: Mp, u: Mp) -> Mp:
    """By a central difference, of the tail that is the smaller one."""
    if u == 0:
        return mpf(0)
    if u > a:
        return -_differences(lambda t: _incomplete(t, u, mpmath.inf), (n,), (a,))
    return _differences(lambda t: _incomplete(t, mpf(0), u), (n,), (a,))


def _beta_in_shape(n: int, m: int, a: Mp, b: Mp, u: Mp) -> Mp:
    if u in (0, 1):
        return mpf(0)
    if u * (a + b) > a:
        return -_beta_in_shape(m, n, b, a, 1 - u)

    def share(x: Mp, y: Mp) -> Mp:
        scale = mpmath.exp(x * mpmath.log(u) + y * mpmath.log(1 - u)) / (x * mpmath.beta(x, y))
        return scale * mpmath.hyp2f1(x + y, 1, x + 1, u)

    return _differences(share, (n, m), (a, b))


def _differences(function: Callable[..., Mp], orders: tuple[int, ...], places: tuple[Mp, ...]) -> Mp:
    """The central difference over widths so small beside the places that its error is below 50 digits."""
    sizes = [40 - min(int(mpmath.mag(place) * 0.3), 0) for place in places]
    with mp.workdps(100 + sum(n * size for n, size in zip(orders, sizes, strict=True))):
        steps = [place * mpf(10) ** -40 for place in places]
        total = mpf(0)
        for chosen in itertools.product(*(range(n + 1) for n in orders)):
            moved = [p + (k - mpf(n) / 2) * step for p, k, n, step in zip(places, chosen, orders, steps, strict=True)]
            total += math.prod(
                (-1) ** (n - k) * math.comb(n, k) for n, k in zip(orders, chosen, strict=True)
            ) * function(*moved)
        return total / math.prod(step**n for step, n in zip(steps, orders, strict=True))


def _of_gamma_density(n: Mp, a: Mp, u: Mp) -> Mp:
    return _differences(lambda t: _gamma_density(t, u), (int(n),), (a,))


def _of_beta_density(n: Mp, m: Mp, a: Mp, b: Mp, u: Mp) -> Mp:
    return _differences(lambda x, y: _beta_density(x, y, u), (int(n), int(m)), (a, b))


_SELU, _SELU_BELOW = mpf("1.0507009873554804934"), mpf("1.7580993408473768600")
_LEAK = mpf(0.01)
_DIFF: dict[str, tuple[Callable[..., Mp], tuple[Callable[..., Mp] | None, ...]]] = {
    "+ 2": (lambda u, v: u + v, (lambda u, v: 1, lambda u, v: 1)),
    "- 2": (lambda u, v: u - v, (lambda u, v: 1, lambda u, v: -1)),
    "* 2": (lambda u, v: u * v, (lambda u, v: v, lambda u, v: u)),
    "/ 2": (lambda u, v: u / v, (lambda u, v: 1 / v, lambda u, v: -u / v**2)),
    "- 1": (lambda u: -u, (lambda u: -1,)),
    "+ 1": (lambda u: u, (lambda u: 1,)),
    "^ 2": (
        _power,
        (lambda u, v: v * mpmath.power(u, v - 1) if v else 0, lambda u, v: _power(u, v) * mpmath.log(u) if u else 0),
    ),
    "sqrt 1": (mpmath.sqrt, (lambda u: 1 / (2 * mpmath.sqrt(u)),)),
    "cbrt 1": (
        lambda u: mpmath.sign(u) * mpmath.cbrt(abs(u)),
        (lambda u: 1 / (3 * mpmath.cbrt(abs(u)) ** 2),),
    ),
    "exp 1": (mpmath.exp, (mpmath.exp,)),
    "exp2 1": (lambda u: mpmath.power(2, u), (lambda u: mpmath.power(2, u) * mpmath.ln2,)),
    "expm1 1": (mpmath.expm1, (mpmath.exp,)),
    "ln 1": (_log, (lambda u: 1 / u,)),
    "log 2": (
        lambda u, v: _log(u) / _log(v),
        (lambda u, v: 1 / (u * _log(v)), lambda u, v: -_log(u) / (v * _log(v) ** 2)),
    ),
    "log2 1": (lambda u: _log(u) / mpmath.ln2, (lambda u: 1 / (u * mpmath.ln2),)),
    "log10 1": (lambda u: _log(u) / mpmath.ln10, (lambda u: 1 / (u * mpmath.ln10),)),
    "log1p 1": (mpmath.log1p, (lambda u: 1 / (1 + u),)),
    "xlogy 2": (
        lambda u, v: u * _log(v) if u else 0,
        (lambda u, v: _log(v), lambda u, v: u / v if u else 0),
    ),
    "sin 1": (mpmath.sin, (mpmath.cos,)),
    "cos 1": (mpmath.cos, (lambda u: -mpmath.sin(u),)),
    "tan 1": (mpmath.tan, (lambda u: mpmath.cos(u) ** -2,)),
    "sec 1": (lambda u: 1 / mpmath.cos(u), (lambda u: mpmath.sin(u) / mpmath.cos(u) ** 2,)),
    "csc 1": (lambda u: 1 / mpmath.sin(u), (lambda u: -mpmath.cos(u) / mpmath.sin(u) ** 2,)),
    "cot 1": (lambda u: mpmath.cos(u) / mpmath.sin(u), (lambda u: -(mpmath.sin(u) ** -2),)),
    "asin 1": (mpmath.asin, (lambda u: 1 / mpmath.sqrt(1 - u * u),)),
    "acos 1": (mpmath.acos, (lambda u: -1 / mpmath.sqrt(1 - u * u),)),
    "atan 1": (mpmath.atan, (lambda u: 1 / (1 + u * u),)),
    "atan2 2": (
        mpmath.atan2,
        (lambda u, v: v / (u * u + v * v), lambda u, v: -u / (u * u + v * v)),
    ),
    "sinc 1": (
        lambda u: mpmath.sin(u) / u if u else 1,
        (lambda u: (u * mpmath.cos(u) - mpmath.sin(u)) / u**2 if u else 0,),
    ),
    "deg 1": (lambda u: u * 180 / mpmath.pi, (lambda u: 180 / mpmath.pi,)),
    "rad 1": (lambda u: u * mpmath.pi / 180, (lambda u: mpmath.pi / 180,)),
    "sinh 1": (mpmath.sinh, (mpmath.cosh,)),
    "cosh 1": (mpmath.cosh, (mpmath.sinh,)),
    "tanh 1": (mpmath.tanh, (lambda u: mpmath.cosh(u) ** -2,)),
    "sech 1": (lambda u: 1 / mpmath.cosh(u), (lambda u: -mpmath.sinh(u) / mpmath.cosh(u) ** 2,)),
    "csch 1": (lambda u: 1 / mpmath.sinh(u), (lambda u: -mpmath.cosh(u) / mpmath.sinh(u) ** 2,)),
    "coth 1": (lambda u: mpmath.cosh(u) / mpmath.sinh(u), (lambda u: -(mpmath.sinh(u) ** -2),)),
    "asinh 1": (mpmath.asinh, (lambda u: 1 / mpmath.sqrt(1 + u * u),)),
    "acosh 1": (mpmath.acosh, (lambda u: 1 / mpmath.sqrt(u * u - 1),)),
    "atanh 1": (mpmath.atanh, (lambda u: 1 / (1 - u * u),)),
    "square 1": (lambda u: u * u, (lambda u: 2 * u,)),
    "exp10 1": (lambda u: mpmath.power(10, u), (lambda u: mpmath.power(10, u) * mpmath.ln10,)),
    "trunc 1": (_trunc, (None,)),
    "frac 1": (lambda u: u - _trunc(u), (lambda u: 1,)),
    "fmod 2": (lambda u, v: u - v * _trunc(u / v), (lambda u, v: 1, lambda u, v: -_trunc(u / v))),
    "heaviside 1": (lambda u: mpf(1 + mpmath.sign(u)) / 2, (None,)),
    "place_below 2": (lambda i, n: i, (None, None)),
    "acot 1": (lambda u: mpmath.pi / 2 - mpmath.atan(u), (lambda u: -1 / (1 + u * u),)),
    "acsch 1": (lambda u: mpmath.asinh(1 / u), (lambda u: -1 / (abs(u) * mpmath.sqrt(1 + u * u)),)),
    "acoth 1": (lambda u: mpmath.log((u + 1) / (u - 1)) / 2, (lambda u: 1 / (1 - u * u),)),
    "asec 1": (lambda u: mpmath.acos(1 / u), (lambda u: 1 / (abs(u) * mpmath.sqrt(u * u - 1)),)),
    "acsc 1": (lambda u: mpmath.asin(1 / u), (lambda u: -1 / (abs(u) * mpmath.sqrt(u * u - 1)),)),
    "asech 1": (lambda u: mpmath.acosh(1 / u), (lambda u: -1 / (u * mpmath.sqrt(1 - u * u)),)),
    "mish 1": (
        lambda u: u * mpmath.tanh(_softplus(u)),
        (lambda u: mpmath.tanh(_softplus(u)) + u * _sigmoid(u) / mpmath.cosh(_softplus(u)) ** 2,),
    ),
    "factorial 1": (
        lambda u: mpmath.gamma(u + 1),
        (lambda u: mpmath.gamma(u + 1) * mpmath.digamma(u + 1),),
    ),
    "erfinv 1": (_inverse_erf, (lambda u: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(_inverse_erf(u) ** 2),)),
    "erfcinv 1": (_inverse_erfc, (lambda u: -mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(_inverse_erfc(u) ** 2),)),
    "probit 1": (
        lambda u: -mpmath.sqrt(2) * _inverse_erfc(2 * u),
        (lambda u: mpmath.sqrt(2 * mpmath.pi) * mpmath.exp(_inverse_erfc(2 * u) ** 2),),
    ),
    "beta 2": (
        mpmath.beta,
        (
            lambda u, v: mpmath.beta(u, v) * (mpmath.digamma(u) - mpmath.digamma(u + v)),
            lambda u, v: mpmath.beta(u, v) * (mpmath.digamma(v) - mpmath.digamma(u + v)),
        ),
    ),
    "lbeta 2": (
        lambda u, v: mpmath.log(mpmath.beta(u, v)),
        (
            lambda u, v: mpmath.digamma(u) - mpmath.digamma(u + v),
            lambda u, v: mpmath.digamma(v) - mpmath.digamma(u + v),
        ),
    ),
    "binomial 2": (
        mpmath.binomial,
        (
            lambda u, v: mpmath.binomial(u, v) * (mpmath.digamma(u + 1) - mpmath.digamma(u - v + 1)),
            lambda u, v: mpmath.binomial(u, v) * (mpmath.digamma(u - v + 1) - mpmath.digamma(v + 1)),
        ),
    ),
    "gammainc 2": (lambda a, u: _incomplete(a, mpf(0), u), (lambda a, u: _gamma_in_shape(1, a, u), _gamma_density)),
    "gammaincc 2": (
        lambda a, u: _incomplete(a, u, mpmath.inf),
        (lambda a, u: -_gamma_in_shape(1, a, u), lambda a, u: -_gamma_density(a, u)),
    ),
    "gammainc_a 2": (
        lambda a, u: _gamma_in_shape(1, a, u),
        (
            lambda a, u: _gamma_in_shape(2, a, u),
            lambda a, u: _gamma_density(a, u) * (mpmath.log(u) - mpmath.digamma(a)),
        ),
    ),
    "gammainc_a 3": (
        lambda n, a, u: _gamma_in_shape(int(n), a, u),
        (None, lambda n, a, u: _gamma_in_shape(int(n) + 1, a, u), _of_gamma_density),
    ),
    "gammapdf_a 3": (
        _of_gamma_density,
        (
            None,
            lambda n, a, u: _of_gamma_density(n + 1, a, u),
            lambda n, a, u: _differences(lambda t: _gamma_density(t, u) * ((t - 1) / u - 1), (int(n),), (a,)),
        ),
    ),
    "gammapdf 2": (
        _gamma_density,
        (
            lambda a, u: _gamma_density(a, u) * (mpmath.log(u) - mpmath.digamma(a)),
            lambda a, u: _gamma_density(a, u) * ((a - 1) / u - 1),
        ),
    ),
    "betainc 3": (
        lambda a, b, u: mpmath.betainc(a, b, 0, u, regularized=True),
        (lambda a, b, u: _beta_in_shape(1, 0, a, b, u), lambda a, b, u: _beta_in_shape(0, 1, a, b, u), _beta_density),
    ),
    "betainc_a 3": (
        lambda a, b, u: _beta_in_shape(1, 0, a, b, u),
        (
            lambda a, b, u: _beta_in_shape(2, 0, a, b, u),
            lambda a, b, u: _beta_in_shape(1, 1, a, b, u),
            lambda a, b, u: _beta_density(a, b, u) * (mpmath.log(u) - mpmath.digamma(a) + mpmath.digamma(a + b)),
        ),
    ),
    "betainc_b 3": (
        lambda a, b, u: _beta_in_shape(0, 1, a, b, u),
        (
            lambda a, b, u: _beta_in_shape(1, 1, a, b, u),
            lambda a, b, u: _beta_in_shape(0, 2, a, b, u),
            lambda a, b, u: _beta_density(a, b, u) * (mpmath.log(1 - u) - mpmath.digamma(b) + mpmath.digamma(a + b)),
        ),
    ),
    "betainc_ab 5": (
        lambda n, m, a, b, u: _beta_in_shape(int(n), int(m), a, b, u),
        (
            None,
            None,
            lambda n, m, a, b, u: _beta_in_shape(int(n) + 1, int(m), a, b, u),
            lambda n, m, a, b, u: _beta_in_shape(int(n), int(m) + 1, a, b, u),
            _of_beta_density,
        ),
    ),
    "betapdf_ab 5": (
        _of_beta_density,
        (
            None,
            None,
            lambda n, m, a, b, u: _of_beta_density(n + 1, m, a, b, u),
            lambda n, m, a, b, u: _of_beta_density(n, m + 1, a, b, u),
            lambda n, m, a, b, u: _differences(
                lambda x, y: _beta_density(x, y, u) * ((x - 1) / u - (y - 1) / (1 - u)), (int(n), int(m)), (a, b)
            ),
        ),
    ),
    "betapdf 3": (
        _beta_density,
        (
            lambda a, b, u: _beta_density(a, b, u) * (mpmath.log(u) - mpmath.digamma(a) + mpmath.digamma(a + b)),
            lambda a, b, u: _beta_density(a, b, u) * (mpmath.log(1 - u) - mpmath.digamma(b) + mpmath.digamma(a + b)),
            lambda a, b, u: _beta_density(a, b, u) * ((a - 1) / u - (b - 1) / (1 - u)),
        ),
    ),
    "lambertw 1": (lambda u: mpmath.lambertw(u).real, (lambda u: 1 / (u + mpmath.exp(mpmath.lambertw(u).real)),)),
    "Si 1": (mpmath.si, (lambda u: mpmath.sin(u) / u if u else 1,)),
    "Ci 1": (mpmath.ci, (lambda u: mpmath.cos(u) / u,)),
    "Ei 1": (mpmath.ei, (lambda u: mpmath.exp(u) / u,)),
    "li 1": (lambda u: mpmath.ei(mpmath.log(u)), (lambda u: 1 / mpmath.log(u),)),
    "besselj 2": _of_order(mpmath.besselj, _bessel_slope(mpmath.besselj, 1, -1)),
    "bessely 2": _of_order(mpmath.bessely, _bessel_slope(mpmath.bessely, 1, -1)),
    "besseli 2": _of_order(_besseli, _bessel_slope(_besseli, 1, 1)),
    "besselk 2": _of_order(mpmath.besselk, _bessel_slope(mpmath.besselk, -1, -1)),
    "airy 1": (mpmath.airyai, (lambda u: mpmath.airyai(u, derivative=1),)),
    "airy_prime 1": (lambda u: mpmath.airyai(u, derivative=1), (lambda u: u * mpmath.airyai(u),)),
    "airybi 1": (mpmath.airybi, (lambda u: mpmath.airybi(u, derivative=1),)),
    "airybi_prime 1": (lambda u: mpmath.airybi(u, derivative=1), (lambda u: u * mpmath.airybi(u),)),
    "softsign 1": (lambda u: u / (1 + abs(u)), (lambda u: 1 / (1 + abs(u)) ** 2,)),
    "log_sigmoid 1": (lambda u: -_softplus(-u), (lambda u: _sigmoid(-u),)),
    "selu 1": (
        lambda u: _SELU * u if u > 0 else _SELU_BELOW * mpmath.expm1(u),
        (lambda u: _SELU if u > 0 else _SELU_BELOW * mpmath.exp(u),),
    ),
    "relu6 1": (lambda u: min(max(u, mpf(0)), mpf(6)), (lambda u: 0 < u < 6,)),
    "hardtanh 1": (lambda u: min(max(u, mpf(-1)), mpf(1)), (lambda u: -1 < u < 1,)),
    "normpdf 1": (_density, (lambda u: -u * _density(u),)),
    "normcdf 1": (_phi, (_density,)),
    "trigamma 1": (lambda u: mpmath.polygamma(1, u), (lambda u: mpmath.polygamma(2, u),)),
    "abs 1": (abs, (mpmath.sign,)),
    "sign 1": (mpmath.sign, (None,)),
    "floor 1": (mpmath.floor, (None,)),
    "ceil 1": (mpmath.ceil, (None,)),
    "round 1": (mpmath.nint, (None,)),
    "mod 2": (_mod, (lambda u, v: 1, lambda u, v: -mpmath.floor(u / v))),
    "min 2": (min, (lambda u, v: u < v, lambda u, v: v < u)),
    "max 2": (max, (lambda u, v: u > v, lambda u, v: v > u)),
    "clamp 3": (
        lambda u, a, b: min(max(u, a), b),
        (lambda u, a, b: a < u < b, lambda u, a, b: u < a, lambda u, a, b: u > b),
    ),
    "hypot 2": (
        lambda u, v: mpmath.sqrt(u * u + v * v),
        (lambda u, v: u / mpmath.sqrt(u * u + v * v), lambda u, v: v / mpmath.sqrt(u * u + v * v)),
    ),
    "sigmoid 1": (_sigmoid, (lambda u: _sigmoid(u) * _sigmoid(-u),)),
    "logit 1": (lambda u: _log(u / (1 - u)), (lambda u: 1 / (u * (1 - u)),)),
    "softplus 1": (_softplus, (_sigmoid,)),
    "relu 1": (lambda u: max(u, mpf(0)), (lambda u: u > 0,)),
    "leaky_relu 1": (lambda u: u if u > 0 else _LEAK * u, (lambda u: 1 if u > 0 else _LEAK,)),
    "leaky_relu 2": (
        lambda u, a: u if u > 0 else a * u,
        (lambda u, a: 1 if u > 0 else a, lambda u, a: 0 if u > 0 else u),
    ),
    "elu 1": (lambda u: u if u > 0 else mpmath.expm1(u), (lambda u: 1 if u > 0 else mpmath.exp(u),)),
    "elu 2": (
        lambda u, a: u if u > 0 else a * mpmath.expm1(u),
        (lambda u, a: 1 if u > 0 else a * mpmath.exp(u), lambda u, a: 0 if u > 0 else mpmath.expm1(u)),
    ),
    "logsumexp 2": (
        lambda u, v: max(u, v) + mpmath.log1p(mpmath.exp(-abs(u - v))),
        (lambda u, v: _sigmoid(u - v), lambda u, v: _sigmoid(v - u)),
    ),
    "logistic_loss 2": (
        lambda y, z: y * _softplus(-z) + (1 - y) * _softplus(z),
        (lambda y, z: -z, lambda y, z: (1 - y) * _sigmoid(z) - y * _sigmoid(-z)),
    ),
    "gelu 1": (lambda u: u * _phi(u), (lambda u: _phi(u) + u * _density(u),)),
    "silu 1": (lambda u: u * _sigmoid(u), (lambda u: _sigmoid(u) * (1 + u * _sigmoid(-u)),)),
    "gaussian 1": (lambda u: mpmath.exp(-u * u), (lambda u: -2 * u * mpmath.exp(-u * u),)),
    "erf 1": (mpmath.erf, (lambda u: 2 * mpmath.exp(-u * u) / mpmath.sqrt(mpmath.pi),)),
    "erfc 1": (_erfc, (lambda u: -2 * mpmath.exp(-u * u) / mpmath.sqrt(mpmath.pi),)),
    "gamma 1": (mpmath.gamma, (lambda u: mpmath.gamma(u) * mpmath.digamma(u),)),
    "lgamma 1": (_lgamma, (mpmath.digamma,)),
    "digamma 1": (mpmath.digamma, (lambda u: mpmath.polygamma(1, u),)),
    "polygamma 2": (
        lambda n, u: mpmath.polygamma(int(n), u),
        (None, lambda n, u: mpmath.polygamma(int(n) + 1, u)),
    ),
    "spherical_jn 2": (
        _spherical,
        (
            None,
            lambda n, u: (
                (n * _spherical(n - 1, u) if n else 0) / (2 * n + 1) - (n + 1) * _spherical(n + 1, u) / (2 * n + 1)
            ),
        ),
    ),
    "< 2": (lambda u, v: u < v, (None, None)),
    "<= 2": (lambda u, v: u <= v, (None, None)),
    "> 2": (lambda u, v: u > v, (None, None)),
    ">= 2": (lambda u, v: u >= v, (None, None)),
    "== 2": (lambda u, v: u == v, (None, None)),
    "!= 2": (lambda u, v: u != v, (None, None)),
}

VALUES = {key: _exact(key.split()[0], value) for key, (value, _) in _DIFF.items()}
SLOPES = {key: tuple(s and _exact(key.split()[0], s) for s in slopes) for key, (_, slopes) in _DIFF.items()}

TINY = (5e-324, 1e-310, 2.3e-308, 1e-300, 1e-200, 1e-160, 1e-100, 1e-20, 1e-16, 1e-8)
MIDDLE = (1e-4, 0.01, 0.1, 0.25, 0.49999999999, 0.5, 0.75, 0.9, 0.999999, 1 - 2**-53, 1.0, 1 + 2**-52, 1.25, 1.5, 1.57, 2.0, 2.5, 3.0, 5.5, 10.0, 20.0, 36.7, 40.0)  # fmt: skip
LARGE = (88.0, 170.5, 300.0, 709.0, 744.9, 1e4, 1e6, 1e8, 1e15, 2.0**53, 1e16, 1e22, 1e100, 1e154, 3e155, 1e160, 1e200, 1e300, 1.7e308)  # fmt: skip


def arguments(arity: int, count: int) -> Iterator[tuple[float, ...]]:
    """Points for a row: ends, tiny and huge numbers with both signs, and `count` random ones over all sizes."""
    special = [s * x for x in (*TINY, *MIDDLE, *LARGE) for s in (1, -1)] + [0.0]
    if arity == 1:
        yield from ((x,) for x in special)
    chance = random.Random(arity)
    for _ in range(count):
        yield tuple(
            chance.choice(special) if chance.random() < 0.4 else math.copysign(_random(chance), chance.random() - 0.4)
            for _ in range(arity)
        )


def _random(chance: random.Random) -> float:
    kind = chance.random()
    if kind < 0.6:
        return chance.uniform(0, 6)
    if kind < 0.75:
        return float(chance.randrange(12))
    return math.ldexp(
        chance.uniform(0.5, 1), chance.randrange(-40, 40) if kind < 0.9 else chance.randrange(-1000, 1000)
    )


def ulps(got: float, true: Mp) -> float:
    """How many units in the last place `got` is away from the exact value; 0 where that is beyond float64."""
    with mp.workprec(2400):
        near = float(true)
        if math.isinf(near):
            return 0.0 if math.isinf(got) else math.inf
        return float(abs(mpf(got) - true) / mpf(math.ulp(near)))
