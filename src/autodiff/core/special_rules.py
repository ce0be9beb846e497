"""Rows of the table whose numbers come from ball arithmetic, in float64 too: no short float algorithm holds 4 ulp over their domain.

`value` names the function of `numbers.ball_functions`. Its float64 is the one nearest to the ball, and so is that of each
partial, whose formula is evaluated over balls; `core.floats.from_balls` has both. Without python-flint they are NaN.
"""

from __future__ import annotations

from typing import Any

from autodiff.core.primitive import Primitive, elementwise

_ORDER = "n >= 0 and mod(n, 1) == 0 and n < 1000 | #n to be 0, 1, …, 999"


def by_balls(names: str, params: str, *partials: str, **columns: Any) -> Primitive:
    """A row whose float64 numbers are those nearest to its balls."""
    return elementwise(names, params, names.split()[0], *partials, by_balls=True, **columns)


SPECIAL = (
    # === inverses of the error function and of the normal distribution ==================================================
    by_balls("erfinv", "u", "sqrt(pi)/2*exp(w^2)", rule="inverse error function", tex=r"\operatorname{erf}^{-1}",
             doc="inverse of erf", example="erfinv(0.5)", domain="-1 < u < 1"),
    by_balls("erfcinv", "u", "-sqrt(pi)/2*exp(w^2)", rule="inverse error function", tex=r"\operatorname{erfc}^{-1}",
             doc="inverse of erfc", example="erfcinv(0.5)", domain="0 < u < 2"),
    by_balls("probit norminv ndtri", "u", "sqrt(2*pi)*exp(w^2/2)", rule="normal quantile", tex=r"\Phi^{-1}",
             doc="inverse of normcdf: the quantile of the standard normal distribution", example="probit(0.975)", domain="0 < u < 1"),
    # === beta and binomial ==============================================================================================
    by_balls("beta", "u v", "w*(digamma(u) - digamma(u+v))", "w*(digamma(v) - digamma(u+v))", rule="beta",
             tex=r"\mathrm{B}\left(#u, #v\right)", doc="beta function: gamma(u)*gamma(v)/gamma(u + v)", example="beta(2, 3)",
             domain="u > 0; v > 0"),
    by_balls("lbeta betaln", "u v", "digamma(u) - digamma(u+v)", "digamma(v) - digamma(u+v)", rule="log-beta",
             tex=r"\ln \mathrm{B}\left(#u, #v\right)", doc="ln of beta(u, v)", example="lbeta(2, 3)", domain="u > 0; v > 0"),
    by_balls("binomial binom choose", "u v", "w*(digamma(u+1) - digamma(u-v+1))", "w*(digamma(u-v+1) - digamma(v+1))",
             rule="binomial coefficient", tex=r"\binom{#u}{#v}", doc="binomial coefficient, of numbers that are not whole, too",
             example="binomial(5, 2)", domain="-1 < v < u + 1 | -1 < #v < #u + 1; u > -1"),
    by_balls("gammainc", "a u", "none", "gammapdf(a, u)", rule="incomplete gamma", tex=r"P\left(#a, #u\right)",
             doc="lower incomplete gamma function over gamma(a), the gamma distribution's share below u", example="gammainc(2, 1)",
             domain="a > 0; u >= 0", partial_domain=("", "u > 0 or a > 1")),
    by_balls("gammaincc", "a u", "none", "-gammapdf(a, u)", rule="incomplete gamma", tex=r"Q\left(#a, #u\right)",
             doc="upper incomplete gamma function over gamma(a): 1 - gammainc(a, u), exact in the tail", example="gammaincc(2, 1)",
             domain="a > 0; u >= 0", partial_domain=("", "u > 0 or a > 1")),
    by_balls("gammapdf", "a u", "w*(ln(u) - digamma(a))", "w*((a-1)/u - 1)", rule="gamma density",
             doc="density of the gamma distribution of shape a: u^(a-1)*e^-u/gamma(a)", example="gammapdf(2, 1)", domain="a > 0; u > 0"),
    by_balls("betainc", "a b u", "none", "none", "betapdf(a, b, u)", rule="incomplete beta", tex=r"I_{#u}\left(#a, #b\right)",
             doc="incomplete beta function over beta(a, b), the beta distribution's share below u", example="betainc(2, 3, 0.5)",
             domain="0 < a <= 1e8; 0 < b <= 1e8; 0 <= u <= 1", partial_domain=("", "", "(u > 0 or a > 1) and (u < 1 or b > 1)")),
    by_balls("betapdf", "a b u", "w*(ln(u) - digamma(a) + digamma(a+b))", "w*(ln(1-u) - digamma(b) + digamma(a+b))",
             "w*((a-1)/u - (b-1)/(1-u))", rule="beta density", doc="density of the beta distribution: u^(a-1)*(1-u)^(b-1)/beta(a, b)",
             example="betapdf(2, 3, 0.5)", domain="a > 0; b > 0; 0 < u < 1"),
    # === integrals and Lambert's W ======================================================================================
    by_balls("lambertw", "u", "exp(-w)/(1+w)", rule="Lambert W", tex="W", doc="the w with w*e^w = u, w >= -1",
             example="lambertw(1)", domain="u >= -exp(-1) | #u >= -1/e"),
    by_balls("Si sinint", "u", "sinc(u)", rule="sine integral", doc="sine integral: of sinc from 0 to u", example="Si(pi)"),
    by_balls("Ci cosint", "u", "cos(u)/u", rule="cosine integral", doc="cosine integral: -(that of cos(t)/t from u on)",
             example="Ci(1)", domain="u > 0"),
    by_balls("Ei expint", "u", "exp(u)/u", rule="exponential integral", doc="exponential integral: of e^t/t up to u, a principal value",
             example="Ei(1)", domain="u != 0"),
    by_balls("li logint", "u", "1/ln(u)", rule="logarithmic integral", doc="logarithmic integral: of 1/ln(t) from 0 to u, a principal value",
             example="li(2)", domain="u > 0; u != 1"),
    # === Bessel and Airy functions ======================================================================================
    by_balls("besselj", "n u", "none", "if(n == 0, -besselj(1, u), (besselj(n-1, u) - besselj(n+1, u))/2)", rule="Bessel",
             tex=r"J_{#n}\left(#u\right)", doc="Bessel function of the first kind, n = 0, 1, 2, …", example="besselj(0, 1)", domain=_ORDER),
    by_balls("bessely", "n u", "none", "if(n == 0, -bessely(1, u), (bessely(n-1, u) - bessely(n+1, u))/2)", rule="Bessel",
             tex=r"Y_{#n}\left(#u\right)", doc="Bessel function of the second kind, n = 0, 1, 2, …", example="bessely(0, 1)",
             domain=f"u > 0; {_ORDER}"),
    by_balls("besseli", "n u", "none", "if(n == 0, besseli(1, u), (besseli(n-1, u) + besseli(n+1, u))/2)", rule="Bessel",
             tex=r"I_{#n}\left(#u\right)", doc="modified Bessel function of the first kind, n = 0, 1, 2, …", example="besseli(0, 1)",
             domain=_ORDER),
    by_balls("besselk", "n u", "none", "if(n == 0, -besselk(1, u), -(besselk(n-1, u) + besselk(n+1, u))/2)", rule="Bessel",
             tex=r"K_{#n}\left(#u\right)", doc="modified Bessel function of the second kind, n = 0, 1, 2, …", example="besselk(0, 1)",
             domain=f"u > 0; {_ORDER}"),
    by_balls("airy Ai airyai", "u", "airy_prime(u)", rule="Airy", tex=r"\operatorname{Ai}", doc="Airy function Ai", example="airy(1)"),
    by_balls("airy_prime", "u", "u*airy(u)", rule="Airy", tex=r"\operatorname{Ai}'", doc="slope of the Airy function Ai", example="airy_prime(1)"),
    by_balls("airybi Bi", "u", "airybi_prime(u)", rule="Airy", tex=r"\operatorname{Bi}", doc="Airy function Bi", example="airybi(1)"),
    by_balls("airybi_prime", "u", "u*airybi(u)", rule="Airy", tex=r"\operatorname{Bi}'", doc="slope of the Airy function Bi",
             example="airybi_prime(1)"),
)  # fmt: skip
