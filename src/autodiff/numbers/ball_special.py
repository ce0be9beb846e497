"""Special functions of balls, by the names in the table's value column, and where their values are exact.

>>> from flint import arb
>>> SPECIAL["besselj"](arb(0), arb(1)).str(10, radius=False), EXACT_SPECIAL["binomial"](fmpq(5), fmpq(2))
('0.7651976866', 10)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import comb

from flint import acb, arb, fmpq, fmpz_poly

from autodiff.numbers.ball_numbers import Number, is_zero, remembered
from autodiff.numbers.ball_shares import (
    beta_density_in_shapes,
    beta_in_shapes,
    beta_share,
    gamma_density_in_shape,
    gamma_in_shape,
    lower_share,
    upper_share,
)
from autodiff.numbers.float_functions import cot_derivative

_LARGEST = 2000
"""Whole arguments up to which binomial coefficients and values of the beta function stay exact."""


def _lgamma(u: arb) -> arb:
    return u.lgamma() if u > 0 else abs(u.gamma()).log()


def _polygamma(n: Number, u: arb) -> arb:
    if n == 0:
        return u.digamma()
    whole = n.unique_fmpz()
    if u > 0:
        sign = 1 if int(whole) % 2 else -1
        positive: arb = sign * (n + 1).gamma() * acb(n + 1).zeta(acb(u)).real
        return positive
    return _reflected(int(whole), u)


def _reflected(n: int, u: arb) -> arb:
    """The polygamma function left of 0: ψ(u) = ψ(1 - u) - π·cot(πu), n times differentiated (https://dlmf.nist.gov/5.15.E6)."""
    cotangent: arb = arb.pi() ** (n + 1) * fmpz_poly(list(cot_derivative(n)))(u.cot_pi())
    reflected = _polygamma(arb(n), 1 - u)
    return -reflected - cotangent if n % 2 else reflected - cotangent


def _spherical(n: Number, u: arb) -> arb:
    """j_n(u) = u^n/(2n+1)!!·0F1(; n + 3/2; -u²/4), https://dlmf.nist.gov/10.53.E1."""
    whole = int(n.unique_fmpz())
    double = arb(1)
    for k in range(3, 2 * whole + 2, 2):
        double *= k
    return u**whole / double * (-u * u / 4).hypgeom_0f1(arb(whole) + arb(3) / 2)


def _beta(u: arb, v: arb) -> arb:
    return u.gamma() * v.gamma() * (u + v).rgamma()


def _log_beta(u: arb, v: arb) -> arb:
    return u.lgamma() + v.lgamma() - (u + v).lgamma()


def _binomial(u: arb, v: arb) -> arb:
    return (u + 1).gamma() * (v + 1).rgamma() * (u - v + 1).rgamma()


def _gamma_density(a: arb, u: arb) -> arb:
    if u.is_zero():
        return arb(int(a == 1)) if a >= 1 else arb.nan()
    return ((a - 1) * u.log() - u - a.lgamma()).exp()


def _beta_density(a: arb, b: arb, u: arb) -> arb:
    left, right = _end(a, u, b), _end(b, 1 - u, a)
    at_end = left if left is not None else right
    if at_end is not None:
        return at_end
    return ((a - 1) * u.log() + (b - 1) * (-u).log1p() - _log_beta(a, b)).exp()


def _end(a: arb, u: arb, b: arb) -> arb | None:
    """The density where u is 0; None where it is not."""
    if not u.is_zero():
        return None
    return b if a == 1 else arb(0) if a > 1 else arb.nan()


_FUNCTIONS: Mapping[str, Callable[..., arb]] = {
    "gamma": arb.gamma,
    "digamma": arb.digamma,
    "lgamma": _lgamma,
    "polygamma": _polygamma,
    "spherical_jn": _spherical,
    "erfinv": arb.erfinv,
    "erfcinv": arb.erfcinv,
    "probit": lambda u: -arb(2).sqrt() * (2 * u).erfcinv(),
    "beta": _beta,
    "lbeta": _log_beta,
    "binomial": _binomial,
    "gammainc": lower_share,
    "gammaincc": upper_share,
    "gammainc_a": lambda *given: gamma_in_shape(*[arb(1), *given][-3:]),
    "gammapdf": _gamma_density,
    "gammapdf_a": gamma_density_in_shape,
    "betainc": beta_share,
    "betainc_a": lambda *given: beta_in_shapes(arb(1), arb(0), *given),
    "betainc_b": lambda *given: beta_in_shapes(arb(0), arb(1), *given),
    "betainc_ab": beta_in_shapes,
    "betapdf": _beta_density,
    "betapdf_ab": beta_density_in_shapes,
    "lambertw": arb.lambertw,
    "Si": arb.si,
    "Ci": arb.ci,
    "Ei": arb.ei,
    "li": arb.li,
    "besselj": lambda n, u: u.bessel_j(n),
    "bessely": lambda n, u: u.bessel_y(n),
    "besseli": lambda n, u: u.bessel_i(n),
    "besselk": lambda n, u: u.bessel_k(n),
    **{name: lambda u, k=k: u.airy()[k] for k, name in enumerate(["airy", "airy_prime", "airybi", "airybi_prime"])},
}

SPECIAL: Mapping[str, Callable[..., arb]] = {name: remembered(function) for name, function in _FUNCTIONS.items()}


def _whole(*numbers: Number) -> bool:
    return all(isinstance(n, fmpq) and n.q == 1 and 0 <= n <= _LARGEST for n in numbers)


def _exact_binomial(u: Number, v: Number) -> fmpq | None:
    return fmpq(comb(int(u.p), int(v.p))) if _whole(u, v) else None


def _exact_beta(u: Number, v: Number) -> fmpq | None:
    """1/(v*binomial(u + v - 1, v))."""
    if not _whole(u, v) or u * v == 0:
        return None
    return fmpq(1, int(v.p) * comb(int(u.p) + int(v.p) - 1, int(v.p)))


def _exact_share(a: Number, b: Number, u: Number) -> fmpq | None:
    """The incomplete beta function of whole a and b, a polynomial, where that is short; of any at its ends."""
    if is_zero(u) or u == 1:
        return fmpq(u == 1)
    if not (_whole(a, b) and isinstance(u, fmpq)) or a + b > 40:
        return None
    n = int(a.p) + int(b.p) - 1
    total = fmpq(0)
    for j in range(int(a.p), n + 1):
        total += comb(n, j) * u**j * (1 - u) ** (n - j)
    return total


EXACT_SPECIAL: Mapping[str, Callable[..., Number | None]] = {
    **{name: lambda u: fmpq(0) if is_zero(u) else None for name in ["erfinv", "lambertw", "Si"]},
    "erfcinv": lambda u: fmpq(0) if isinstance(u, fmpq) and u == 1 else None,
    "probit": lambda u: fmpq(0) if isinstance(u, fmpq) and 2 * u == 1 else None,
    "binomial": _exact_binomial,
    "beta": _exact_beta,
    "lbeta": lambda u, v: fmpq(0) if _exact_beta(u, v) == 1 else None,
    "betainc": _exact_share,
    "gammainc": lambda a, u: fmpq(0) if is_zero(u) else None,
    "gammaincc": lambda a, u: fmpq(1) if is_zero(u) else None,
    "gammainc_a": lambda *given: fmpq(0) if is_zero(given[-1]) else None,
    **{
        name: lambda *given: fmpq(0) if is_zero(given[-1]) or given[-1] == 1 else None
        for name in ["betainc_a", "betainc_b", "betainc_ab"]
    },
    **{name: lambda n, u: fmpq(int(is_zero(n))) if is_zero(u) else None for name in ["besselj", "besseli"]},
}
"""Values that are exact, where no precision would tell a ball from them; None where they are not."""
