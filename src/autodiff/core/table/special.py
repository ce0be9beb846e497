"""The special functions of the table.

Those that are made `by_balls` have no short float algorithm that holds 4 ulp over their domain: their numbers come from ball
arithmetic, in float64 too. `value` names the function of `numbers.ball_special`; its float64 is the one nearest to the
ball, and so is that of each partial, whose formula is evaluated over balls. Without python-flint they are NaN.
"""

from __future__ import annotations

from typing import Any

from autodiff.core.primitive import Primitive, elementwise


def _order(name: str, end: int) -> str:
    """The domain of an order: whole numbers from 0 on."""
    return f"{name} >= 0 and mod({name}, 1) == 0 and {name} < {end} | #{name} to be 0, 1, …, {end - 1}"


def _sum_of_poles(result: str, order: object, otherwise: str) -> str:
    """The error of a polygamma function left of 0, where terms of both signs are added: those of the nearest pole are the largest."""
    terms = f"gamma({order} + 1)*(2 + pi*abs(cot(pi*mod(u, 1))))^({order} + 1)"
    return otherwise.format(f"8 + 8*({terms} + ln(2 + abs(u)))/abs({result})")


def by_balls(names: str, params: str, *partials: str, **columns: Any) -> Primitive:
    """A row whose float64 numbers are those nearest to its balls."""
    return elementwise(names, params, names.split()[0], *partials, by_balls=True, **columns)


SPECIAL = (
    # === error function, normal distribution, gamma function: float64 has algorithms for these =============================
    elementwise("gaussian", "u", "= a = abs(u); r = round(16*min(a, 40))/16; exp(-r*r)*exp((r - a)*(r + a))", "-2*(u*w)",
                rule="Gaussian", tex=r"e^{-#u^2}", doc="e^(-u^2), exact in the tails", example="gaussian(1)", ulp_error=("4", "if(abs(u) > 26, 1/0, 8)")),
    elementwise("erf", "u", "erf", "2/sqrt(pi)*gaussian(u)", formula=("2/sqrt(pi)*exp(-u^2)",), rule="error function", doc="error function", example="erf(1)"),
    elementwise("erfc", "u", "erfc", "-2/sqrt(pi)*gaussian(u)", formula=("-2/sqrt(pi)*exp(-u^2)",), rule="error function", doc="1 - erf(u), exact for large u",
                example="erfc(3)"),
    elementwise("gamma Γ", "u", "gamma", "w*digamma(u)", rule="gamma", tex=r"\Gamma",
                doc="gamma function; gamma(n + 1) is n!", example="gamma(5)",
                ulp_error=("4", "if(u > 0, 8, 8 + 8*abs(w)*(ln(2 + abs(u)) + 8*abs(cot(pi*mod(u, 1))))/abs(d))"), domain="u > 0 or mod(u, 1) != 0 | #u not to be 0, -1, -2, …"),
    elementwise("lgamma", "u", "lgamma", "digamma(u)", rule="log-gamma", doc="ln of abs(gamma(u))", example="lgamma(10)",
                ulp_error=("if(u > 0, 4, 8 + 8*(1 + abs(u))/abs(w))", _sum_of_poles("d", 0, "if(u > 0, 8, {})")),
                domain="u > 0 or mod(u, 1) != 0 | #u not to be 0, -1, -2, …"),
    elementwise("digamma", "u", "digamma", "polygamma(1, u)", rule="digamma", tex=r"\psi", doc="slope of lgamma",
                example="digamma(1)",
                ulp_error=(_sum_of_poles("w", 0, "if(u > 0, 4, {})"), "8"), domain="u > 0 or mod(u, 1) != 0 | #u not to be 0, -1, -2, …"),
    elementwise("polygamma", "n u", "polygamma", "none", "polygamma(n + 1, u)", rule="polygamma",
                tex=r"\psi^{(#n)}\left(#u\right)", doc="n-th derivative of digamma, n = 0, 1, 2, …", example="polygamma(1, 1)",
                ulp_error=(_sum_of_poles("w", "n", "if(u > 0 or mod(n, 2) == 1, 4, {})"), _sum_of_poles("d", "n + 1", "if(u > 0 or mod(n, 2) == 0, 8, {})")),
                domain="u > 0 or mod(u, 1) != 0 | #u not to be 0, -1, -2, …; " + _order("n", 150)),
    elementwise("spherical_jn", "n u", "spherical_jn", "none",
                "if(n == 0, -spherical_jn(1, u), (n*spherical_jn(n - 1, u) - (n + 1)*spherical_jn(n + 1, u))/(2*n + 1))",
                rule="spherical Bessel", tex=r"j_{#n}\left(#u\right)", doc="spherical Bessel function, n = 0, 1, 2, …",
                example="spherical_jn(1, 2)",
                ulp_error=("if(u*u < 4*n + 6, 4, 4 + (n + 1)/abs(u*w))", "if(u*u < 2*n + 1, 8, 8 + 2*(n + 1)/abs(u*d))"), domain=_order("n", 900)),
    elementwise("normpdf", "u", "= a = abs(u); r = round(16*min(a, 56))/16; exp(-r*r/2)*exp((r - a)*(r + a)/2)/sqrt(2*pi)", "-u*w",
                formula=("-u*w",), rule="normal density", doc="density of the standard normal distribution", example="normpdf(0)",
                ulp_error=("4", "if(abs(u) > 37, 1/0, 8)")),
    # v/sqrt(2) is rounded to t, and so erfc(-t) is off by a factor of e^(t^2 - v^2/2), whose exponent has all its digits by parts
    elementwise("normcdf", "u", "= v = min(max(u, -60), 0); t = v/sqrt(2); r = round(1024*t)/1024; q = round(1024*v)/1024;"
                " erfc(-max(u, -60)/sqrt(2))/2*(1 + (r*r - q*q/2) + ((t - r)*(t + r) - (v - q)*(v + q)/2))", "normpdf(u)",
                rule="normal distribution", tex=r"\Phi", doc="the standard normal distribution's share below u", example="normcdf(0)"),
    elementwise("factorial", "u", "= if(abs(u) < 0.75 or mod(u, 1) == 0, gamma(u + 1), u*gamma(u))", "w*digamma(u + 1)",
                rule="factorial", tex=r"\Gamma\left(#u + 1\right)", doc="u!, of numbers that are not whole too: gamma(u + 1)", example="factorial(5)",
                ulp_error=("if(abs(w) < 1e-305, 1/0, 4)", "if(abs(w) < 1e-305, 1/0, 8) + 8*abs(w)*(ln(2 + abs(u)) + if(u < 0, 8*abs(cot(pi*mod(u, 1))), 0))/abs(d)"),
                domain="u > -1 or mod(u, 1) != 0 | #u not to be -1, -2, …"),
    elementwise("trigamma", "u", "= polygamma(1, u)", "polygamma(2, u)", rule="polygamma", doc="slope of digamma",
                example="trigamma(1)",
                ulp_error=("4", _sum_of_poles("d", 2, "if(u > 0, 8, {})")),
                domain="u > 0 or mod(u, 1) != 0 | #u not to be 0, -1, -2, …"),
    # === inverses of the error function and of the normal distribution ==================================================
    by_balls("erfinv", "u", "sqrt(pi)/2*exp(w^2)", rule="inverse error function", tex=r"\operatorname{erf}^{-1}",
             doc="inverse of erf", example="erfinv(0.5)", domain="-1 < u < 1"),
    by_balls("erfcinv", "u", "-sqrt(pi)/2*exp(w^2)", rule="inverse error function", tex=r"\operatorname{erfc}^{-1}",
             doc="inverse of erfc", example="erfcinv(0.5)", domain="0 < u < 2"),
    by_balls("probit norminv ndtri", "u", "sqrt(2*pi)*exp(w^2/2)", rule="normal quantile",
             doc="inverse of normcdf: the quantile of the standard normal distribution", example="probit(0.975)", domain="0 < u < 1"),
    # === beta and binomial ==============================================================================================
    by_balls("beta", "u v", "w*(digamma(u) - digamma(u+v))", "w*(digamma(v) - digamma(u+v))", rule="beta",
             tex=r"\mathrm{B}\left(#u, #v\right)", doc="beta function: gamma(u)*gamma(v)/gamma(u + v)", example="beta(2, 3)",
             domain="u > 0; v > 0"),
    by_balls("lbeta betaln", "u v", "digamma(u) - digamma(u+v)", "digamma(v) - digamma(u+v)", rule="log-beta",
             doc="ln of beta(u, v)", example="lbeta(2, 3)", domain="u > 0; v > 0"),
    by_balls("binomial binom choose", "u v", "w*(digamma(u+1) - digamma(u-v+1))", "w*(digamma(u-v+1) - digamma(v+1))",
             rule="binomial coefficient", tex=r"\binom{#u}{#v}", doc="binomial coefficient, of numbers that are not whole, too",
             example="binomial(5, 2)", domain="-1 < v < u + 1 | -1 < #v < #u + 1; u > -1"),
    by_balls("gammainc", "a u", "gammainc_a(a, u)", "gammapdf(a, u)", rule="incomplete gamma",
             doc="lower incomplete gamma function over gamma(a), the gamma distribution's share below u", example="gammainc(2, 1)",
             domain="a > 0; u >= 0", partial_domain=("", "u > 0 or a > 1")),
    by_balls("gammaincc", "a u", "-gammainc_a(a, u)", "-gammapdf(a, u)", rule="incomplete gamma",
             doc="upper incomplete gamma function over gamma(a): 1 - gammainc(a, u), exact in the tail", example="gammaincc(2, 1)",
             domain="a > 0; u >= 0", partial_domain=("", "u > 0 or a > 1")),
    by_balls("gammainc_a", "a u", "gammainc_a(2, a, u)", "gammapdf_a(1, a, u)", rule="incomplete gamma",
             doc="slope of gammainc in a", example="gammainc_a(2, 1)", domain="a > 0; u >= 0", partial_domain=("", "u > 0")),
    by_balls("gammainc_a", "n a u", "none", "gammainc_a(n+1, a, u)", "gammapdf_a(n, a, u)", rule="incomplete gamma",
             doc="n-th derivative of gammainc in a", example="gammainc_a(2, 2, 1)",
             domain="a > 0; u >= 0; n >= 1 and mod(n, 1) == 0 and n < 100 | #n to be 1, 2, …, 99", partial_domain=("", "", "u > 0")),
    by_balls("gammapdf", "a u", "w*(ln(u) - digamma(a))", "w*((a-1)/u - 1)", rule="gamma density",
             doc="density of the gamma distribution of shape a: u^(a-1)*e^-u/gamma(a)", example="gammapdf(2, 1)", domain="a > 0; u > 0"),
    by_balls("gammapdf_a", "n a u", "none", "gammapdf_a(n+1, a, u)", "((a-1-u)*w + if(n == 0, 0, n*gammapdf_a(n-1, a, u)))/u",
             rule="gamma density", doc="n-th derivative of gammapdf in a", example="gammapdf_a(1, 2, 1)",
             domain=f"a > 0; u > 0; {_order('n', 100)}"),
    by_balls("betainc", "a b u", "betainc_a(a, b, u)", "betainc_b(a, b, u)", "betapdf(a, b, u)", rule="incomplete beta",
             doc="incomplete beta function over beta(a, b), the beta distribution's share below u", example="betainc(2, 3, 0.5)",
             domain="0 < a <= 1e8; 0 < b <= 1e8; 0 <= u <= 1", partial_domain=("", "", "(u > 0 or a > 1) and (u < 1 or b > 1)")),
    by_balls("betainc_a", "a b u", "betainc_ab(2, 0, a, b, u)", "betainc_ab(1, 1, a, b, u)", "betapdf_ab(1, 0, a, b, u)",
             rule="incomplete beta", doc="slope of betainc in a", example="betainc_a(2, 3, 0.5)",
             domain="0 < a <= 1e8; 0 < b <= 1e8; 0 <= u <= 1", partial_domain=("", "", "u > 0 and u < 1")),
    by_balls("betainc_b", "a b u", "betainc_ab(1, 1, a, b, u)", "betainc_ab(0, 2, a, b, u)", "betapdf_ab(0, 1, a, b, u)",
             rule="incomplete beta", doc="slope of betainc in b", example="betainc_b(2, 3, 0.5)",
             domain="0 < a <= 1e8; 0 < b <= 1e8; 0 <= u <= 1", partial_domain=("", "", "u > 0 and u < 1")),
    by_balls("betainc_ab", "n m a b u", "none", "none", "betainc_ab(n+1, m, a, b, u)", "betainc_ab(n, m+1, a, b, u)", "betapdf_ab(n, m, a, b, u)",
             rule="incomplete beta", doc="derivative of betainc, n times in a and m times in b", example="betainc_ab(1, 1, 2, 3, 0.5)",
             domain=f"0 < a <= 1e8; 0 < b <= 1e8; 0 <= u <= 1; n + m >= 1; {_order('n', 50)}; {_order('m', 50)}", partial_domain=("", "", "", "", "u > 0 and u < 1")),
    by_balls("betapdf", "a b u", "w*(ln(u) - digamma(a) + digamma(a+b))", "w*(ln(1-u) - digamma(b) + digamma(a+b))",
             "w*((a-1)/u - (b-1)/(1-u))", rule="beta density", doc="density of the beta distribution: u^(a-1)*(1-u)^(b-1)/beta(a, b)",
             example="betapdf(2, 3, 0.5)", domain="a > 0; b > 0; 0 < u < 1"),
    by_balls("betapdf_ab", "n m a b u", "none", "none", "betapdf_ab(n+1, m, a, b, u)", "betapdf_ab(n, m+1, a, b, u)",
             "w*((a-1)/u - (b-1)/(1-u)) + if(n == 0, 0, n*betapdf_ab(n-1, m, a, b, u)/u) - if(m == 0, 0, m*betapdf_ab(n, m-1, a, b, u)/(1-u))",
             rule="beta density", doc="derivative of betapdf, n times in a and m times in b", example="betapdf_ab(1, 1, 2, 3, 0.5)",
             domain=f"a > 0; b > 0; 0 < u < 1; {_order('n', 50)}; {_order('m', 50)}"),
    # === integrals and Lambert's W ======================================================================================
    by_balls("lambertw", "u", "exp(-w)/(1+w)", rule="Lambert W", tex=r"\operatorname{W}", doc="the w with w*e^w = u, w >= -1",
             example="lambertw(1)", domain="u >= -exp(-1) | #u >= -1/e"),
    by_balls("Si sinint", "u", "sinc(u)", rule="sine integral", doc="sine integral: of sinc from 0 to u", example="Si(pi)"),
    by_balls("Ci cosint", "u", "cos(u)/u", rule="cosine integral", doc="cosine integral: -(that of cos(t)/t from u on)",
             example="Ci(1)", domain="u > 0"),
    by_balls("Ei expi", "u", "exp(u)/u", rule="exponential integral", doc="exponential integral: of e^t/t up to u, a principal value",
             example="Ei(1)", domain="u != 0"),
    by_balls("li logint", "u", "1/ln(u)", rule="logarithmic integral", doc="logarithmic integral: of 1/ln(t) from 0 to u, a principal value",
             example="li(2)", domain="u > 0; u != 1"),
    # === Bessel and Airy functions ======================================================================================
    by_balls("besselj", "n u", "none", "if(n == 0, -besselj(1, u), (besselj(n-1, u) - besselj(n+1, u))/2)", rule="Bessel",
             tex=r"J_{#n}\left(#u\right)", doc="Bessel function of the first kind, n = 0, 1, 2, …", example="besselj(0, 1)", domain=_order("n", 1000)),
    by_balls("bessely", "n u", "none", "if(n == 0, -bessely(1, u), (bessely(n-1, u) - bessely(n+1, u))/2)", rule="Bessel",
             tex=r"Y_{#n}\left(#u\right)", doc="Bessel function of the second kind, n = 0, 1, 2, …", example="bessely(0, 1)",
             domain=f"u > 0; {_order('n', 1000)}"),
    by_balls("besseli", "n u", "none", "if(n == 0, besseli(1, u), (besseli(n-1, u) + besseli(n+1, u))/2)", rule="Bessel",
             doc="modified Bessel function of the first kind, n = 0, 1, 2, …", example="besseli(0, 1)",
             domain=_order("n", 1000)),
    by_balls("besselk", "n u", "none", "if(n == 0, -besselk(1, u), -(besselk(n-1, u) + besselk(n+1, u))/2)", rule="Bessel",
             doc="modified Bessel function of the second kind, n = 0, 1, 2, …", example="besselk(0, 1)",
             domain=f"u > 0; {_order('n', 1000)}"),
    by_balls("airy Ai airyai", "u", "airy_prime(u)", rule="Airy", tex=r"\operatorname{Ai}", doc="Airy function Ai", example="airy(1)"),
    by_balls("airy_prime", "u", "u*airy(u)", rule="Airy", doc="slope of the Airy function Ai", example="airy_prime(1)"),
    by_balls("airybi Bi", "u", "airybi_prime(u)", rule="Airy", tex=r"\operatorname{Bi}", doc="Airy function Bi", example="airybi(1)"),
    by_balls("airybi_prime", "u", "u*airybi(u)", rule="Airy", doc="slope of the Airy function Bi",
             example="airybi_prime(1)"),
)  # fmt: skip
