"""The shares of gamma and beta distributions in balls, and their derivatives of every order in the shapes.

>>> gamma_in_shape(arb(1), arb(3), arb(2)).str(10, radius=False)
'-0.2318486720'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import comb, factorial, lgamma, log, log1p, prod

from flint import acb, arb, arb_series, ctx

from autodiff.core.evaluate import Indeterminate
from autodiff.numbers.ball_numbers import Number, precision, remembered

_TERMS, _MOST_WORK = 1_000_000, 100_000_000
"""Terms of a series that are summed at most, and terms times bits: about a second."""

_FEW = 30
"""Shapes of a beta distribution up to which the library is the fastest."""

_HUGE = 1e300
"""From where on shapes are no float64 whose factorials have a logarithm."""

_MOST_BITS = 4096
"""Bits that a derivative in a shape gets at most: more for one that is 0 would take minutes, and tell nothing."""

_ROUGH = 128
"""Bits of numbers that only bounds and steps are made of."""

_SMALL, _MOST_CANCELLED = 2.0**-40, 40_000
"""Shapes that are nearly 0, and the most bits that may cancel for them."""


@remembered
def upper_share(a: arb, u: arb) -> arb:
    """gammaincc; of a shape near 0 by the step Q(a, u) = Q(a + 1, u) - u^a*e^-u/Γ(a + 1) (https://dlmf.nist.gov/8.8.E6).

    There the library's own formula takes minutes; the two terms cancel as many bits as 1/a has.
    """
    if ctx.prec > 6000 and a > 1e5:
        raise Indeterminate  # the library's series takes minutes
    if not 0 < a < _SMALL or not u > 0:
        return u.gamma_upper(a, 1)
    cancelled = -_exponent(a)
    if cancelled > _MOST_CANCELLED:
        return u.gamma_upper(a, 1)
    with precision(ctx.prec + cancelled):
        share: arb = u.gamma_upper(a + 1, 1) - (a * u.log() - u - (a + 1).lgamma()).exp()
    return share


def lower_share(a: arb, u: arb) -> arb:
    """gammainc; where that is so small that 1 - gammaincc has lost most bits, by a series (https://dlmf.nist.gov/8.7.E1)."""
    if 4 * u < a:
        series = arb(1).union(arb(4) / 3)  # what is left of it after any term, in parts of that
        for k in range(ctx.prec // 2 + 8, 0, -1):
            series = 1 + u / (a + k) * series
    else:
        share = 1 - upper_share(a, u)
        if share.rel_accuracy_bits() > ctx.prec // 2 or not 4 * u < _TERMS or not u < a:
            return share
        least = 4 * int(float(u)) + 16  # the library's bound of the rest wants as many terms
        series = acb(u).hypgeom([1], [a + 1], n=max(_terms(None, a + 1, u), least)).real
    return (a * u.log() - u - (a + 1).lgamma()).exp() * series


def beta_share(a: arb, b: arb, u: arb) -> arb:
    """By the tail that is the smaller one: the series of the other is long."""
    return 1 - _beta_tail(b, a, 1 - u) if _is_above(a, b, u) else _beta_tail(a, b, u)


def _is_above(a: arb, b: arb, u: arb) -> bool:
    """Whether the share beyond u is the better one to compute: it is the smaller, and its series is not the longer."""
    return u * (a + b) > a and (2 * u > 1 or u * b > 1)


@remembered
def _beta_tail(a: arb, b: arb, u: arb) -> arb:
    """betainc below the mean by a series without cancellation (https://dlmf.nist.gov/8.17.E8), unless that is long.

    With a shape near 0 the library's own formulas take seconds, and the series of the other tail cancels as many bits as 1/b has.
    """
    if 0 < b < _SMALL and 2 * u > 1 and a * (1 - u) < _FEW and -_exponent(b) <= _MOST_CANCELLED:
        with precision(ctx.prec + 2 * _FEW - _exponent(b)):
            share: arb = 1 - _beta_tail(b, a, 1 - u)
        return share
    if _SMALL < a < _FEW and _SMALL < b < _FEW:
        return u.beta_lower(a, b, 1)
    terms = _terms(a + b, a + 1, u)
    if terms > 100 * ctx.prec or terms > _TERMS:
        if ctx.prec < 400:
            return u.beta_lower(a, b, 1)
        if terms > _TERMS or terms * ctx.prec > _MOST_WORK:
            raise Indeterminate
    scale = (a * u.log() + b * (-u).log1p() + (a + b).lgamma() - (a + 1).lgamma() - b.lgamma()).exp()
    return scale * acb(u).hypgeom([a + b, 1], [a + 1], n=terms).real


def _terms(top: arb | None, bottom: arb, u: arb) -> int:
    """After how many terms of Σ u^k*(top)_k/(bottom)_k the rest does not count, about; without `top` that is Σ u^k/(bottom)_k."""
    if not (u > 0 and 0 < bottom < _HUGE and (top is None or 0 < top < _HUGE)):
        return _TERMS + 1
    above, below, ratio, terms = 0.0 if top is None else float(top), float(bottom), float(u) or 5e-324, 16
    while terms <= _TERMS:
        terms += terms // 4
        last = ratio / (below + terms) * (1.0 if top is None else above + terms)
        rise = 0.0 if top is None else lgamma(above + terms) - lgamma(above)
        if last < 1 and rise - lgamma(below + terms) + lgamma(below) + terms * log(ratio) - log1p(-last) < -ctx.prec:
            break
    return terms


# --- derivatives in shapes --------------------------------------------------------------------------------------------


def gamma_in_shape(n: Number, a: arb, u: arb) -> arb:
    """The n-th derivative of gammainc in a."""
    if u.is_zero():
        return arb(0)
    share, sign = (upper_share, -1) if u > a else (lower_share, 1)
    with precision(_ROUGH):
        leaning = u.log() - a.digamma()
    return sign * _by_differences(share, gamma_density_in_shape, (n,), (a,), u, (-sign,), (leaning,))


def beta_in_shapes(n: Number, m: Number, a: arb, b: arb, u: arb) -> arb:
    """The n-th derivative in a of the m-th in b of betainc."""
    if u.is_zero() or u == 1:
        return arb(0)
    if _is_above(a, b, u):
        return -beta_in_shapes(m, n, b, a, 1 - u)
    with precision(_ROUGH):
        both = (a + b).digamma()
        leanings = (u.log() - a.digamma() + both, (-u).log1p() - b.digamma() + both)
    return _by_differences(_beta_tail, beta_density_in_shapes, (n, m), (a, b), u, (-1, 1), leanings)


def _by_differences(
    share: Callable[..., arb],
    density: Callable[..., arb],
    orders: Sequence[Number],
    shapes: Sequence[arb],
    u: arb,
    rising: Sequence[int],
    leanings: Sequence[arb],
) -> arb:
    """A derivative of a share in its shapes: a central difference of its values to more bits, and bounds of all errors.

    R is at most sqrt(a) and a/2. At s with abs(s - a) <= R, Γ(Re s) is less than 5*abs(Γ(s)), by the sum for ψ', and the
    integrand is largest at Re s. So the share is at most 5 times that at the real end of the disc towards which it rises
    (25 times, of two shapes), and by Cauchy the k-th coefficient of its series at a at most this bound over R^k. That
    gives the error of the difference, which has those of order n + 2, n + 4, …, and what the radii of the shapes do; what
    that of u does follows from the density.

    rising    by shape, 1 if the share rises with it, -1 if it falls
    leanings  by shape, about the slope of the share's logarithm, where that is steep
    """

    def known(*given: arb) -> arb:
        try:
            return share(*given)
        except Indeterminate:  # its series is too long
            return arb.nan()

    counts = [int(n.unique_fmpz()) for n in orders]
    bits = min(ctx.prec, _MOST_BITS)
    every, half = sum(counts), bits // 2 + 16
    centres, place = [a.mid() for a in shapes], u.mid()
    steepest = zip(leanings, centres, strict=True)
    reaches = [1 / abs(leaning).max(2 / a).max(1 / a.sqrt()) for leaning, a in steepest]
    if not all(reach.is_finite() for reach in reaches):
        return arb.nan()
    radii = [_power_below(reach) for reach in reaches]
    wide = sum((a.rad() / radius for a, radius in zip(shapes, radii, strict=True)), arb(0))
    if not wide < arb(1) / (4 * every + 8):
        return arb.nan()
    with precision(bits + every * half + 64):
        total = arb(0)
        for chosen in product(*(range(n + 1) for n in counts)):
            factor = prod((-1) ** (n - j) * comb(n, j) for n, j in zip(counts, chosen, strict=True))
            moved = [
                a + radius * (2 * j - n) / 2 ** (half + 1)
                for a, radius, n, j in zip(centres, radii, counts, chosen, strict=True)
            ]
            total += factor * known(*moved, place)
        scale = prod((radius**n for radius, n in zip(radii, counts, strict=True)), start=arb(1))
        difference: arb = total * 2 ** (every * half) / scale
    with precision(_ROUGH):
        step = arb(every) / 2 ** (half + 1)
        part = 5 ** len(shapes) * prod(map(factorial, counts)) / scale
        part *= 3 * (every + 1) * (every + 2) * step**2 + 2 * (every + 1) * wide
        enough = part < abs(difference) / arb(2) ** bits  # a share is at most 1
        ends = [a + way * radius for a, way, radius in zip(centres, rising, radii, strict=True)]
        error = part if enough else part * known(*ends, place)
        if not u.is_exact():
            error += u.rad() * abs(density(*orders, *shapes, u))
    return difference + arb(0, abs(error).upper())


def _power_below(x: arb) -> arb:
    """About the largest power of 2 below a number: exact, so that steps are."""
    return arb(2) ** (_exponent(x) - 1)


def _exponent(x: arb) -> int:
    """Of the smallest power of 2 above a number."""
    mantissa, exponent = (int(part) for part in x.mid().man_exp())
    return mantissa.bit_length() + exponent


def _gammas(a: arb, factor: tuple[arb, arb], sign: int, most: int) -> list[arb]:
    """The series in t, up to a power, of exp(factor)*Γ(a + t)^sign, the factor linear in t."""
    before, ctx.cap = ctx.cap, most + 1  # the library ends series there, whatever their own length is
    try:
        series = (arb_series([*factor], most + 1) + sign * arb_series([a, 1], most + 1).lgamma()).exp()
        return [series[k] for k in range(most + 1)]
    finally:
        ctx.cap = before


def _weights(a: arb, logarithm: arb, most: int) -> list[arb]:
    """The series of x^(a-1)/Γ(a) in a, of x by its logarithm."""
    return _gammas(a, ((a - 1) * logarithm, logarithm), -1, most)


def gamma_density_in_shape(n: Number, a: arb, u: arb) -> arb:
    order = int(n.unique_fmpz())
    return factorial(order) * _weights(a, u.log(), order)[order] * (-u).exp()


def beta_density_in_shapes(n: Number, m: Number, a: arb, b: arb, u: arb) -> arb:
    first, second = (int(order.unique_fmpz()) for order in (n, m))
    most = first + second
    left, right = _weights(a, u.log(), first), _weights(b, (-u).log1p(), second)
    both = _gammas(a + b, (arb(0), arb(0)), 1, most)
    terms = (
        left[i] * right[j] * both[most - i - j] * comb(most - i - j, first - i)
        for i in range(first + 1)
        for j in range(second + 1)
    )
    return factorial(first) * factorial(second) * sum(terms, arb(0))
