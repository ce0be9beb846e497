"""Special functions of balls, by the names in the table's value column, and where their values are exact.

>>> from flint import arb
>>> SPECIAL["besselj"](arb(0), arb(1)).str(10, radius=False), EXACT_SPECIAL["binomial"](fmpq(5), fmpq(2))
('0.7651976866', 10)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from math import comb, inf, sqrt

from flint import arb, ctx, fmpq, fmpz_poly

from autodiff.core.evaluate import Indeterminate
from autodiff.numbers.ball_numbers import Number, is_zero, precision
from autodiff.numbers.float_functions import cot_derivative

_LARGEST = 2000
"""Whole arguments up to which binomial coefficients and values of the beta function stay exact."""


_TRIED, _TERMS = 400, 60_000
"""Terms of a series after which it is given up if it would take more than so many."""


class SlowSeries(Indeterminate):
    """A series that takes too many terms, at whatever precision."""


_FAR, _NEGLIGIBLE = 4_000, arb(2) ** -1_200
"""From how far above its shape an argument of the gamma distribution is checked for a slope below all float64s."""

_LEAST_SHAPE, _MOST_SHAPE, _SHARE = 0.01, 30, 0.9
"""Shapes of a beta distribution that cancel few bits of the formula for its slopes, and shares whose series is short."""

_SMALL, _MOST_CANCELLED = 2.0**-40, 40_000
"""Shapes that are nearly 0, and the most bits that may cancel for them."""


def _lgamma(u: arb) -> arb:
    return u.lgamma() if u > 0 else abs(u.gamma()).log()


def _polygamma(n: Number, u: arb) -> arb:
    from flint import acb

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


def _gamma_share_in_shape(a: arb, u: arb) -> arb:
    """The slope of gammainc in a, from that of each term of u^a*e^-u/Γ(a+1)*Σ u^k/((a+1)…(a+k)) (DLMF 8.7.1)."""

    def terms() -> Iterator[tuple[arb, arb, arb]]:
        term, slope, k = arb(1), u.log() - (a + 1).digamma(), 0
        while True:
            k += 1
            yield term, slope, u / (a + k)
            term, slope = term * u / (a + k), slope - 1 / (a + k)

    if u.is_zero():
        return arb(0)
    if u > a + _FAR:
        bound = (1 + abs(a.digamma())) * a * u.gamma_upper(a + 1, 1)  # ln(t) is below t
        if bound < _NEGLIGIBLE:
            return arb(0, bound.abs_upper())
    return (a * u.log() - u - (a + 1).lgamma()).exp() * _series(terms(), 1 / (a + 1))


def _beta_share_in_shape(a: arb, b: arb, u: arb, *, second: bool) -> arb:
    """The slope of betainc in a, or in b, from that of each term of its series (DLMF 8.17.8), or of that for 1 - u.

    Of small shapes it is the slope of u^a/(a*B(a, b))*2F1(a, 1 - b; a + 1; u) (DLMF 8.17.7), whose two terms may cancel.
    """
    if u.is_zero() or u == 1:
        return arb(0)
    first, other, share = (b, a, 1 - u) if second else (a, b, u)
    if _LEAST_SHAPE < first < _MOST_SHAPE and other < _MOST_SHAPE and share < _SHARE:
        density = (first * share.log() - _log_beta(first, other)).exp() / first**2
        moved = (share.log() - first.digamma() + (first + other).digamma()) * _beta_share(first, other, share)
        slope: arb = moved - density * share.hypgeom([first, first, 1 - other], [first + 1, first + 1])
        return -slope if second else slope
    if ((a + b) / (b + 1)).max(arb(1)) * (1 - u) < ((a + b) / (a + 1)).max(arb(1)) * u:
        return -_beta_share_in_shape(b, a, 1 - u, second=not second)

    def terms() -> Iterator[tuple[arb, arb, arb]]:
        term, k = arb(1), 0
        slope = ((-u).log1p() - b.digamma() if second else u.log() - (a + 1).digamma()) + (a + b).digamma()
        while True:
            ratio = (a + b + k) / (a + 1 + k) * u
            yield term, slope, ratio.max(u)
            term, slope = term * ratio, slope + 1 / (a + b + k) - (0 if second else 1 / (a + 1 + k))
            k += 1

    scale = (a * u.log() + b * (-u).log1p() + (a + b).lgamma() - (a + 1).lgamma() - b.lgamma()).exp()
    return scale * _series(terms(), 1 / (a + b) + 1 / (a + 1))


def _series(terms: Iterator[tuple[arb, arb, arb]], drift: arb) -> arb:
    """Σ term*slope, with a bound of the tail. Raises SlowSeries.

    Terms are positive. Each comes with its slope and a bound of the ratio of each later term to the one before it; slopes
    of neighbouring terms differ by `drift` at most.
    """
    total, size, small = arb(0), arb(0), arb(2) ** -ctx.prec
    start: arb | None = None
    for k, (term, slope, ratio) in enumerate(islice(terms, _TERMS)):
        if k % 8 == 0 and ratio < 1:
            rest = 1 / (1 - ratio)
            bound = term * rest * (abs(slope) + drift * rest)
            if bound < size * small:
                return total + arb(0, bound.abs_upper())
        start = ratio if start is None else start
        if k == _TRIED and _terms_left(start, ratio) > _TERMS:
            raise SlowSeries
        part = term * slope
        total, size = total + part, size + abs(part)
    raise SlowSeries


def _terms_left(start: arb, ratio: arb) -> float:
    """How many terms it takes until they don't count, from the ratios of the first terms and of those after `_TRIED`."""
    if ratio.rel_accuracy_bits() < 20:
        return inf
    gap, bend = float((1 - ratio).mid()), float((start - ratio).mid()) / _TRIED
    if bend > 0:
        return (sqrt(gap * gap + 2 * bend * ctx.prec) - gap) / bend
    return ctx.prec / gap if gap > 0 else inf


def _require_short(shape: arb) -> None:
    """Raise Indeterminate where the library's series of a gamma or beta distribution takes minutes."""
    if ctx.prec > 6000 and shape > 1e5:
        raise Indeterminate


def _upper_share(a: arb, u: arb) -> arb:
    """gammaincc; of a shape near 0 by the step Q(a, u) = Q(a + 1, u) - u^a*e^-u/Γ(a + 1) (https://dlmf.nist.gov/8.8.E6).

    There the library's own formula takes minutes; the two terms cancel as many bits as 1/a has.
    """
    _require_short(a)
    if not 0 < a < _SMALL or not u > 0:
        return u.gamma_upper(a, 1)
    mantissa, exponent = (int(part) for part in a.mid().man_exp())
    cancelled = -exponent - mantissa.bit_length()
    if cancelled > _MOST_CANCELLED:
        return u.gamma_upper(a, 1)
    with precision(ctx.prec + cancelled):
        share: arb = u.gamma_upper(a + 1, 1) - (a * u.log() - u - (a + 1).lgamma()).exp()
    return share


def _beta_density(a: arb, b: arb, u: arb) -> arb:
    left, right = _end(a, u, b), _end(b, 1 - u, a)
    at_end = left if left is not None else right
    if at_end is not None:
        return at_end
    return ((a - 1) * u.log() + (b - 1) * (-u).log1p() - _log_beta(a, b)).exp()


def _beta_share(a: arb, b: arb, u: arb) -> arb:
    """By the tail that is the smaller one: the series of the other is long."""
    _require_short(a + b)
    return 1 - (1 - u).beta_lower(b, a, 1) if u * (a + b) > a else u.beta_lower(a, b, 1)


def _end(a: arb, u: arb, b: arb) -> arb | None:
    """The density where u is 0; None where it is not."""
    if not u.is_zero():
        return None
    return b if a == 1 else arb(0) if a > 1 else arb.nan()


SPECIAL: Mapping[str, Callable[..., arb]] = {
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
    "gammainc": lambda a, u: u.gamma_lower(a, 1) if a < 100 else 1 - _upper_share(a, u),  # its series is long
    "gammaincc": _upper_share,
    "gammainc_a": _gamma_share_in_shape,
    "gammapdf": _gamma_density,
    "betainc": _beta_share,
    "betainc_a": lambda a, b, u: _beta_share_in_shape(a, b, u, second=False),
    "betainc_b": lambda a, b, u: _beta_share_in_shape(a, b, u, second=True),
    "betapdf": _beta_density,
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
    "gammainc_a": lambda a, u: fmpq(0) if is_zero(u) else None,
    **{name: lambda a, b, u: fmpq(0) if is_zero(u) or u == 1 else None for name in ["betainc_a", "betainc_b"]},
    **{name: lambda n, u: fmpq(int(is_zero(n))) if is_zero(u) else None for name in ["besselj", "besseli"]},
}
"""Values that are exact, where no precision would tell a ball from them; None where they are not."""
