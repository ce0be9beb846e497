"""The table: every function of the language, one row each, and the only place where derivatives are written down.

To add a function, add a row. `core.primitive` says what the columns mean; the first string after the names is the list of
arguments, then comes the value, then one local slope per argument, all in our own language. A text is an algorithm:
where two formulas are equal on paper, the one that keeps its digits in float64 is in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from autodiff.core import prelude
from autodiff.core.primitive import (
    INDEX,
    Primitive,
    choice,
    elementwise,
    general,
    linear,
    literal,
    predicate,
    reduction,
    with_axis,
)
from autodiff.core.table.derived import DERIVED, DERIVED_NETWORKS
from autodiff.core.table.matrices import MATRICES
from autodiff.core.table.special import SPECIAL

NEAR_0 = "smaller weights, scaled inputs or relu keep its slope alive"

_SCHOOL = (
    # === operators =====================================================================================================
    elementwise("+", "u v", "+", "1", "1", rule="sum", tex="#u + #v", doc="sum", example="2 + 3"),
    elementwise("-", "u v", "-", "1", "-1", rule="difference", tex="#u - #v", doc="difference", example="2 - 3"),
    elementwise("*", "u v", "*", "v", "u", rule="product", rule_by_argument=((0, "constant multiple"), (1, "constant multiple")),
                tex=r"#u \cdot #v", doc="product", example="2 * 3"),
    elementwise("/", "u v", "/", "1/v", "-w/v", rule="quotient", rule_by_argument=((0, "constant multiple"), (1, "reciprocal")), tex=r"\frac{#u}{#v}", doc="quotient", example="1/4",
                domain="v != 0", ulp_error=("1", "if(abs(w) < 2.3e-308, 1/0, 8)")),
    elementwise("-", "u", "neg", "-1", rule="sign", tex="-#u", doc="the negative", example="-(3)"),
    elementwise("+", "u", "same", "1", rule="identity", tex="#u", doc="the number itself", example="+(3)"),
    # u^(v-1) is right at 0, where w underflows, and where v-1 is exact; else w/u keeps the digits that v-1 loses
    elementwise("^", "u v", "^",
                "if(v == 0, 0, if(mod(v, 1) == 0 and abs(v) < 1e15 or u == 0 or abs(w) < 1e-290, v*u^(v-1),"
                " if(abs(u) < 1, v*w/u, v*(w/u))))",
                "if(u == 0, 0, w*ln(u))",
                formula=("v*u^(v-1)", "w*ln(u)"), rule="power", rule_by_argument=((0, "power"), (1, "exponential")), tex="#u^{#v}", doc="power; 0^0 is 1; a negative base takes whole exponents only", example="2^10",
                domain="u != 0 or v >= 0 | #u != 0 for a negative power; u >= 0 or mod(v, 1) == 0 | #u >= 0 or a whole exponent",
                partial_domain=("", "u > 0 or u == 0 and v > 0"), vertical_tangent="u == 0 and 0 < v < 1", scaling="v in u",
                ulp_error=("4", "if(abs(w) < 2.3e-308, 1/0, 8)"),
                hint="for an odd root of a negative number use cbrt(x), or -(-x)^(1/n)"),
    # === roots, powers, exponentials, logarithms =======================================================================
    elementwise("sqrt", "u", "sqrt", "0.5/w", formula=("1/(2*w)",), rule="square root", tex=r"\sqrt{#u}", doc="square root", example="sqrt(2)",
                domain="u >= 0", vertical_tangent="u == 0", scaling="0.5 in u"),
    elementwise("cbrt", "u", "cbrt", "1/(3*w^2)", rule="cube root", tex=r"\sqrt[3]{#u}", doc="cube root, of negatives too",
                example="cbrt(-8)", vertical_tangent="u == 0", scaling="1/3 in u"),
    elementwise("exp", "u", "exp", "w", rule="exponential", tex="e^{#u}", doc="e to the power u", example="exp(1)"),
    elementwise("exp2", "u", "exp2", "w*ln(2)", rule="exponential", tex="2^{#u}", doc="2 to the power u", example="exp2(10)"),
    elementwise("expm1", "u", "expm1", "exp(u)", rule="exponential", tex=r"\left(e^{#u} - 1\right)",
                doc="e^u - 1, exact near 0", example="expm1(1e-9)"),
    elementwise("ln log", "u", "ln", "1/u", rule="logarithm", tex=r"\ln", doc="natural logarithm", example="ln(2)",
                domain="u > 0", scaling="+1 in u"),
    elementwise("log", "u v", "= if(v == 10, log10(u), if(v == 2, log2(u), ln(u)/ln(v)))", "1/ln(v)/u", "-w/ln(v)/v",
                rule="logarithm", tex=r"\log_{#v}\left(#u\right)", doc="logarithm of u to base v", example="log(8, 2)",
                domain="u > 0; v > 0; v != 1", scaling="+1/ln(v) in u"),
    elementwise("log2", "u", "log2", "1/ln(2)/u", rule="logarithm", tex=r"\log_{2}", doc="logarithm to base 2",
                example="log2(8)", domain="u > 0", scaling="+1/ln(2) in u"),
    elementwise("log10", "u", "log10", "1/ln(10)/u", rule="logarithm", tex=r"\log_{10}", doc="logarithm to base 10",
                example="log10(1000)", domain="u > 0", scaling="+1/ln(10) in u"),
    elementwise("log1p", "u", "log1p", "1/(1+u)", rule="logarithm", tex=r"\ln\left(1 + #u\right)",
                doc="ln(1 + u), exact near 0", example="log1p(1e-9)", domain="u > -1"),
    elementwise("xlogy", "u v", "= if(v > 0, u*ln(v), 0)", "ln(v)", "if(v > 0, u/v, 0)", formula=("ln(v)", "u/v"), rule="product with logarithm",
                rule_by_argument=((0, "constant multiple"), (1, "logarithm")),
                tex=r"#u \ln #v", doc="u*ln(v), and 0 where u is 0, even at v = 0", example="xlogy(0, 0)",
                domain="v > 0 or u == 0 and v == 0 | #v > 0", partial_domain=("v > 0", ""), scaling="+u in v"),
    # === trigonometry, in radians ======================================================================================
    elementwise("sin", "u", "sin", "cos(u)", rule="sine", tex=r"\sin", doc="sine", example="sin(pi/6)"),
    elementwise("cos", "u", "cos", "-sin(u)", rule="cosine", tex=r"\cos", doc="cosine", example="cos(pi/3)"),
    elementwise("tan", "u", "tan", "1 + w^2", formula=("sec(u)^2",), rule="tangent", tex=r"\tan", doc="tangent", example="tan(pi/4)"),
    elementwise("sec", "u", "= 1/cos(u)", "w*tan(u)", rule="secant", tex=r"\sec", doc="secant, 1/cos", example="sec(pi/3)"),
    elementwise("csc", "u", "= 1/sin(u)", "-w*cot(u)", rule="cosecant", tex=r"\csc", doc="cosecant, 1/sin",
                example="csc(pi/6)", domain="u != 0"),
    elementwise("cot", "u", "= 1/tan(u)", "-csc(u)^2", rule="cotangent", tex=r"\cot", doc="cotangent, 1/tan",
                example="cot(pi/4)", domain="u != 0"),
    elementwise("asin arcsin", "u", "asin", "1/sqrt((1-u)*(1+u))", formula=("1/sqrt(1-u^2)",), rule="inverse sine", tex=r"\arcsin", doc="inverse sine",
                example="asin(0.5)", domain="-1 <= u <= 1", vertical_tangent="abs(u) == 1"),
    elementwise("acos arccos", "u", "acos", "-1/sqrt((1-u)*(1+u))", formula=("-1/sqrt(1-u^2)",), rule="inverse cosine", tex=r"\arccos",
                doc="inverse cosine", example="acos(0.5)", domain="-1 <= u <= 1", vertical_tangent="abs(u) == 1"),
    elementwise("atan arctan", "u", "atan", "if(abs(u) < 1e150, 1/(1 + u^2), (1/u)/u)", formula=("1/(1+u^2)",), rule="inverse tangent", tex=r"\arctan",
                doc="inverse tangent", example="atan(1)"),
    elementwise("atan2", "u v", "atan2", "if(1e-150 < max(abs(u), abs(v)) < 1e150, v/(u^2 + v^2), v/hypot(u, v)/hypot(u, v))",
                "if(1e-150 < max(abs(u), abs(v)) < 1e150, -u/(u^2 + v^2), -u/hypot(u, v)/hypot(u, v))",
                formula=("v/(u^2+v^2)", "-u/(u^2+v^2)"),
                rule="angle", doc="angle of the point with height u over v, from -pi to pi", example="atan2(1, -1)",
                domain="u != 0 or v != 0 | a point other than the origin", jump="if(du < 0, -pi, pi) at u == 0 and v < 0",
                ulp_error=("4", "if(min(abs(u), abs(v))/hypot(u, v) < 2.3e-308, 1/0, 8)")),
    elementwise("sinc", "u", "= if(u == 0, 1, sin(u)/u)", "-spherical_jn(1, u)", rule="sinc", doc="sin(u)/u, and 1 at 0",
                example="sinc(0)", ulp_error=("4", "8*max(1, 1/abs(u*d))")),
    elementwise("deg", "u", "= u*(180/pi)", "180/pi", rule="constant multiple", doc="radians to degrees", example="deg(pi)"),
    elementwise("rad", "u", "= u*(pi/180)", "pi/180", rule="constant multiple", doc="degrees to radians", example="rad(180)"),
    # === hyperbolic functions ==========================================================================================
    elementwise("sinh", "u", "sinh", "cosh(u)", rule="hyperbolic sine", tex=r"\sinh", doc="hyperbolic sine",
                example="sinh(1)"),
    elementwise("cosh", "u", "cosh", "sinh(u)", rule="hyperbolic cosine", tex=r"\cosh", doc="hyperbolic cosine",
                example="cosh(1)"),
    elementwise("tanh", "u", "tanh", "sech(u)^2", cure=NEAR_0, rule="hyperbolic tangent", tex=r"\tanh", doc="hyperbolic tangent",
                example="tanh(1)"),
    elementwise("sech", "u", "= 2*exp(-abs(u))/(1 + exp(-2*abs(u)))", "-w*tanh(u)", rule="hyperbolic secant",
                doc="hyperbolic secant, 1/cosh", example="sech(1)"),
    elementwise("csch", "u", "= -2*sign(u)*exp(-abs(u))/expm1(-2*abs(u))", "-w*coth(u)", rule="hyperbolic cosecant",
                doc="hyperbolic cosecant, 1/sinh", example="csch(1)", domain="u != 0"),
    elementwise("coth", "u", "= 1/tanh(u)", "-csch(u)^2", rule="hyperbolic cotangent", tex=r"\coth",
                doc="hyperbolic cotangent, 1/tanh", example="coth(1)", domain="u != 0"),
    elementwise("asinh arcsinh", "u", "asinh", "1/hypot(1, u)", formula=("1/sqrt(1+u^2)",), rule="inverse hyperbolic sine",
                doc="inverse hyperbolic sine", example="asinh(1)"),
    elementwise("acosh arccosh", "u", "acosh", "1/(sqrt(u-1)*sqrt(u+1))", formula=("1/sqrt(u^2-1)",), rule="inverse hyperbolic cosine",
                doc="inverse hyperbolic cosine", example="acosh(2)", domain="u >= 1", vertical_tangent="u == 1"),
    elementwise("atanh arctanh", "u", "atanh", "1/((1-u)*(1+u))", formula=("1/(1-u^2)",), rule="inverse hyperbolic tangent",
                doc="inverse hyperbolic tangent", example="atanh(0.5)", domain="-1 < u < 1"),
    # === corners and steps =============================================================================================
    elementwise("abs", "u", "abs", "sign(u)", rule="absolute value", tex=r"\left|#u\right|", doc="absolute value",
                example="abs(-3)", kink="u == 0", torch=("0",), jax=("1",)),
    elementwise("sign", "u", "sign", "0", rule="step", doc="-1, 0 or 1", example="sign(-3)",
                jump=" at u == 0"),
    elementwise("floor", "u", "floor", "0", rule="step", tex=r"\left\lfloor #u \right\rfloor", doc="largest whole number <= u",
                example="floor(2.7)", jump="if(du < 0, u - 1, u) at u == floor(u)"),
    elementwise("ceil", "u", "ceil", "0", rule="step", tex=r"\left\lceil #u \right\rceil", doc="smallest whole number >= u",
                example="ceil(2.1)", jump="if(du > 0, u + 1, u) at u == floor(u)"),
    elementwise("round", "u", "round", "0", rule="step", doc="nearest whole number, ties to the even one",
                example="round(2.5)", jump="u + sign(du)/2 at mod(u, 1) == 0.5"),
    elementwise("mod", "u v", "mod", "1", "-round((u - w)/v)", formula=("1", "-floor(u/v)"), rule="remainder", tex=r"#u \bmod #v",
                doc="remainder with the sign of v: u - v*floor(u/v)", example="mod(-7, 3)", domain="v != 0",
                jump="if((du - dv*(u/v))*sign(v) < 0, v, 0) at mod(u, v) == 0"),
    elementwise("min", "u v", "min", "if(u < v, 1, 0)", "if(u < v, 0, 1)", rule="minimum", tex=r"\min\left(#u, #v\right)",
                doc="the smallest of its arguments", example="min(3, 1, 2)", kink="u == v", variadic=True,
                torch=("0.5", "0.5"), jax=("0.5", "0.5")),
    elementwise("max", "u v", "max", "if(u > v, 1, 0)", "if(u > v, 0, 1)", rule="maximum", tex=r"\max\left(#u, #v\right)",
                doc="the largest of its arguments", example="max(3, 1, 2)", kink="u == v", variadic=True,
                torch=("0.5", "0.5"), jax=("0.5", "0.5")),
    elementwise("clamp", "u lo hi", "= min(max(u, lo), hi)", "if(lo < u and u < hi, 1, 0)", "if(u <= lo, 1, 0)",
                "if(u >= hi and u > lo, 1, 0)", rule="clamp", doc="u, held between lo and hi", example="clamp(5, 0, 1)",
                domain="lo <= hi", kink="u == lo or u == hi",
                torch=("1", "0", "0"), jax=("if(lo == hi, 0.25, 0.5)", "if(u != lo, 0, if(lo == hi, 0.25, 0.5))",
                                            "if(u != hi, 0, 0.5)")),
    elementwise("hypot", "u v", "hypot", "u/w", "v/w", rule="hypotenuse", tex=r"\sqrt{#u^2 + #v^2}",
                doc="sqrt(u^2 + v^2) without overflow", example="hypot(3, 4)", kink="u == 0 and v == 0", scaling="1 in u v", jax=("0.5", "0.5"),
                ulp_error=("4", "if(w < 1e-307, 1/0, 8)")),
)  # fmt: skip

_NETWORKS = (
    elementwise("sigmoid σ", "u", "= t = exp(-abs(u)); if(u < 0, t, 1)/(1 + t)", "w*sigmoid(-u)", formula=("w*(1-w)",), cure=NEAR_0, rule="sigmoid", tex=r"\sigma",
                doc="1/(1 + e^-u)", example="sigmoid(0)"),
    elementwise("logit", "u", "= if(abs(u - 0.5) < 0.25, 2*atanh(2*u - 1), ln(u/(1 - u)))", "1/(u*(1-u))", rule="logit",
                doc="ln(u/(1-u)), the inverse of sigmoid", example="logit(0.9)", domain="0 < u < 1"),
    elementwise("softplus", "u", "= max(u, 0) + log1p(exp(-abs(u)))", "sigmoid(u)", rule="softplus", doc="ln(1 + e^u)",
                example="softplus(0)"),
    elementwise("relu", "u", "= max(u, 0)", "if(u > 0, 1, 0)", cure="leaky_relu has a slope there, too", rule="ReLU", doc="max(u, 0)", example="relu(-3)",
                kink="u == 0", torch=("0",), jax=("0",)),
    elementwise("leaky_relu", "u", "= if(u > 0, u, 0.01*u)", "if(u > 0, 1, 0.01)", rule="leaky ReLU",
                doc="u, or 0.01*u where u is negative", example="leaky_relu(-3)", kink="u == 0",
                torch=("0.01",), jax=("1",)),
    elementwise("leaky_relu", "u a", "= if(u > 0, u, a*u)", "if(u > 0, 1, a)", "if(u > 0, 0, u)", rule="leaky ReLU",
                doc="u, or a*u where u is negative", example="leaky_relu(-3, 0.1)", kink="u == 0",
                torch=("a", "0"), jax=("1", "0")),
    elementwise("elu", "u", "= if(u > 0, u, expm1(u))", "if(u > 0, 1, exp(u))", rule="exponential linear",
                doc="u, or e^u - 1 where u is negative", example="elu(-1)"),
    elementwise("elu", "u a", "= if(u > 0, u, a*expm1(u))", "if(u > 0, 1, a*exp(u))", "if(u > 0, 0, expm1(u))",
                rule="exponential linear", doc="u, or a*(e^u - 1) where u is negative", example="elu(-1, 2)",
                kink="u == 0", torch=("a", "0"), jax=("a", "0"),
                ulp_error=("4", "if(u < -708, 1/0, 8)")),
    elementwise("gelu", "u", "= u*(erfc(-u/sqrt(2))/2)", "erfc(-u/sqrt(2))/2 + u*(gaussian(u/sqrt(2))/sqrt(2*pi))",
                rule="Gaussian linear", doc="u times the normal distribution's Phi(u)", example="gelu(1)",
                ulp_error=("if(u > 0, 8, 8 + 2*u^2)", "8 + (16 + 4*min(u*u, 1e4))*abs(u)*exp(-min(u*u, 1e4)/2)/abs(d)")),
    elementwise("silu", "u", "= u*sigmoid(u)", "sigmoid(u)*(1 + u*sigmoid(-u))", rule="sigmoid linear", doc="u*sigmoid(u)",
                example="silu(1)", ulp_error=("if(u < -708, 1/0, 5)", "if(u < -708, 1/0, 8*max(1, sigmoid(u)*(1 + abs(u))/abs(d)))")),
    elementwise("logsumexp", "u v", "= max(u, v) + log1p(exp(-abs(u - v)))", "sigmoid(u - v)", "sigmoid(v - u)",
                rule="log-sum-exp", doc="ln(e^u + e^v + …) without overflow", example="logsumexp(1000, 1000)", variadic=True,
                ulp_error=("8 + 4/abs(w)", "8 + 2*abs(u - v)*(1 - d)")),
    elementwise("logistic_loss", "y z", "= log1p(exp(-abs(z))) + (y*max(-z, 0) + (1 - y)*max(z, 0))", "-z",
                "(1 - y)*sigmoid(z) - y*sigmoid(-z)", formula=("-z", "sigmoid(z) - y"),
                rule="cross-entropy of a score", doc="binary cross-entropy of the target y and the score z, stable for any z",
                example="logistic_loss(1, -1000)", ulp_error=("8*max(1, (abs(y) + abs(1 - y))*(1 + abs(z))/abs(w))",
                                                       "8*max(1, (abs(y) + abs(1 - y))/abs(d))")),
)  # fmt: skip

_ARRAYS = (
    # === reductions: an array to a number, or along one axis ============================================================
    *with_axis(reduction("sum", "u", "sum", "1", reduce_with="+", rule="sum", tex=r"\sum", doc="sum of all elements", example="sum([1, 2, 3])"),
               doc="sum along an axis: 0 down the columns, 1 or -1 across a row", example="sum([[1, 2], [3, 4]], 0)"),
    *with_axis(reduction("mean", "u", "mean", "numel(w)/numel(u)", reduce_with="= sum(u)/numel(u)", rule="mean", formula=("1/numel(u)",),
                    doc="mean of all elements", example="mean([1, 2, 6])"),
               doc="mean along an axis", example="mean([[1, 2], [3, 4]], 0)"),
    # w/u is the product of the others, except where u is 0: that element's slope is 0 unless it is the only zero
    *reduction("prod", "u", "prod", "if(u == 0, if(sum(if(u == 0, 1, 0)) == 1, prod(if(u == 0, 1, u)), 0), w/u)", reduce_with="*",
               rule="product", tex=r"\prod", formula=("w/u",), doc="product of all elements", example="prod([2, 3, 4])"),
    *with_axis(reduction("max amax", "u", "amax", "if(u == w, 1, 0)*numel(w)/sum(if(u == w, 1, 0))", reduce_with="max", rule="larger one",
                    tex=r"\max", formula=("if(u == w, 1, 0)",), doc="the largest element", example="max([3, 1, 2])",
                    kink="sum(if(u == w, 1, 0)) > numel(w)"), names="amax",
               partial="if(u == w, 1, 0)/expand_dims(sum(if(u == w, 1, 0), axis), axis)",
               doc="the largest along an axis", example="amax([[1, 2], [3, 4]], 0)"),
    *with_axis(reduction("min amin", "u", "amin", "if(u == w, 1, 0)*numel(w)/sum(if(u == w, 1, 0))", reduce_with="min", rule="smaller one",
                    tex=r"\min", formula=("if(u == w, 1, 0)",), doc="the smallest element", example="min([3, 1, 2])",
                    kink="sum(if(u == w, 1, 0)) > numel(w)"), names="amin",
               partial="if(u == w, 1, 0)/expand_dims(sum(if(u == w, 1, 0), axis), axis)",
               doc="the smallest along an axis", example="amin([[1, 2], [3, 4]], 0)"),
    *with_axis(reduction("norm", "u", "norm", "u/w", reduce_with="hypot", scalar_meaning="abs(u)", rule="length", tex=r"\left\lVert #u \right\rVert",
                    doc="length: sqrt(sum(u^2)), without overflow", example="norm([3, 4])", kink="min(w) == 0",
                    torch=("0",)),
               doc="lengths along an axis", example="norm([[3, 4], [6, 8]], 1)"),
    *reduction("dot", "u v", "dot", "v", "u", reduce_with="= sum(u*v)", scalar_meaning="u*v", rule="product", tex=r"#u \cdot #v",
               doc="sum of the products of two arrays of one shape", example="dot([1, 2], [3, 4])"),
    *reduction("logsumexp", "u", "logsumexp", "exp(u - w)", reduce_with="logsumexp", rule="log-sum-exp",
               doc="ln of the sum of e^u, without overflow", example="logsumexp([1000, 1000])"),
    *reduction("var", "u", "var", "2*(u - mean(u))/numel(u)", reduce_with="= mean((u - mean(u))^2)", scalar_meaning="0*u", rule="variance",
               doc="variance: mean((u - mean(u))^2)", example="var([1, 2, 3, 4])"),
    *reduction("std", "u", "std", "(u - mean(u))/(numel(u)*w)", reduce_with="= sqrt(var(u))", scalar_meaning="0*u", rule="standard deviation",
               doc="standard deviation: sqrt(var(u))", example="std([1, 2, 3, 4])", kink="w == 0"),
    *with_axis(reduction("argmax", "u", "argmax", "0", scalar_meaning="0*u", rule="step", doc="place of the largest element, from 0",
                    example="argmax([3, 9, 2])", jump="another place at sum(if(u == max(u), 1, 0)) > 1"),
               doc="places of the largest along an axis", example="argmax([[1, 2], [4, 3]], 1)",
               jump="another place at sum(if(u == expand_dims(amax(u, axis), axis), 1, 0)) > numel(w)"),
    # === arrays ========================================================================================================
    # matmul_left and matmul_right are the transposes of u @ v; the three are closed under differentiation
    linear("@", "u v", "matmul", "matmul_left(g, v)", "matmul_right(u, g)", rule="product", tex="#u #v",
           doc="matrix product, of vectors and matrices", example="[[1, 2], [3, 4]] @ [5, 6]", formula=("g v^T", "u^T g")),
    linear("matmul_left", "u v", "matmul_left", "g @ v", "matmul_right(g, u)", rule="product", tex=r"#u #v^T",
           doc="what an adjoint u of a @ v gives to a", example="matmul_left([1, 2], [3, 4])"),
    linear("matmul_right", "u v", "matmul_right", "matmul_left(v, g)", "u @ g", rule="product", tex=r"#u^T #v",
           doc="what an adjoint v of u @ b gives to b", example="matmul_right([1, 2], [3, 4])"),
    linear("transpose", "u", "transpose", "transpose(g)", scalar_meaning="u", rule="transpose", tex=r"#u^T",
           doc="rows and columns exchanged", example="transpose([[1, 2], [3, 4]])"),
    linear("expand_dims", "u axis", "expand_dims", "sum(g, axis)", "none", rule="new axis", scalar_meaning="u",
           doc="the same elements with a new axis of length 1", example="expand_dims([1, 2], 1)"),
    general("softmax", "u", "softmax", "w*(g - expand_dims(sum(w*g, -1), -1))", pushforward=("w*(du - expand_dims(sum(w*du, -1), -1))",),
            scalar_meaning="1 + 0*u", rule="softmax", doc="e^u/sum(e^u), along the last axis, without overflow", example="softmax([0, 0])"),
    general("log_softmax", "u", "log_softmax", "exp(w)*(g - expand_dims(sum(g, -1), -1)) - g*expm1(w)", formula=("g - exp(w)*expand_dims(sum(g, -1), -1)",),
            pushforward=("exp(w)*du - expand_dims(sum(exp(w)*du, -1), -1) - du*expm1(w)",),
            scalar_meaning="0*u", rule="log-softmax", doc="ln of softmax(u), along the last axis, stable for any u", example="log_softmax([0, 0])"),
    *(general(INDEX, f"u {i}", "index", f"scatter(g, u, {j})", *("none" for _ in j.split(",")),
              pushforward=(f"du[{j}]", *("" for _ in j.split(","))), rule="element", tex=tex, doc=doc, example=example)
      for i, j, tex, doc, example in (
          ("i", "i", "{#u}_{#i}", "an element of a vector, or a row of a matrix, counted from 0", "[5, 6, 7][1]"),
          ("i j", "i, j", "{#u}_{#i,#j}", "an element of a matrix", "[[1, 2], [3, 4]][1, 0]"),
          ("i j k", "i, j, k", "{#u}_{#i,#j,#k}", "an element of a cube", "zeros(2, 2, 2)[1, 0, 1]"))),
    *(general("scatter", f"v u {i}", "scatter", f"g[{j}]", "0", *("none" for _ in j.split(",")),
              pushforward=(f"scatter(dv, u, {j})", "", *("" for _ in j.split(","))), rule="element",
              doc=f"zeros shaped like u, with v at [{j}]", example=example)
      for i, j, example in (("i", "i", "scatter(7, [1, 2], 0)"), ("i j", "i, j", "scatter(7, [[1, 2]], 0, 1)"),
                            ("i j k", "i, j, k", "scatter(7, ones(1, 2, 1), 0, 1, 0)"))),
    *(general(name, params, name, *("none" for _ in params.split()), rule="constant", doc=f"{shape} of {name}",
              example=f"{name}({sizes})")
      for name in ("zeros", "ones")
      for params, shape, sizes in (("n", "n", "3"), ("n m", "n by m", "2, 3"), ("n m k", "n by m by k", "2, 1, 2"))),

    general("numel", "u", "numel", "0", scalar_meaning="1", rule="constant", doc="how many elements there are", example="numel([5, 6, 7])"),
)  # fmt: skip

_CONDITIONS = (
    predicate("<", "u v", tex="#u < #v", doc="less: 1 or 0", example="1 < 2", jump=" at u == v"),
    predicate("<=", "u v", tex=r"#u \le #v", doc="less or equal", example="1 <= 2",
              jump=" at u == v"),
    predicate(">", "u v", tex="#u > #v", doc="greater", example="1 > 2", jump=" at u == v"),
    predicate(">=", "u v", tex=r"#u \ge #v", doc="greater or equal", example="1 >= 2",
              jump=" at u == v"),
    predicate("==", "u v", tex="#u = #v", doc="equal", example="1 == 2", jump=" at u == v"),
    predicate("!=", "u v", tex=r"#u \ne #v", doc="unequal", example="1 != 2", jump=" at u == v"),
    predicate("not", "u", tex=r"\neg #u", doc="the opposite of a condition", example="if(not 1 < 2, 1, 0)", conditions=1),
    choice("if where", "c u v", branches=(1, 2), conditions=1, example="if(1 < 2, 10, 20)",
           doc="u where the condition c holds, else v; the other one is not evaluated",
           tex=r"\begin{cases} #u & \text{if } #c \\ #v & \text{otherwise} \end{cases}"),
    choice("and", "u v", branches=(1, 0), conditions=2, example="if(1 < 2 and 2 < 3, 1, 0)", tex=r"#u \land #v",
           doc="both conditions; the second is only looked at if the first holds"),
    choice("or", "u v", branches=(0, 1), conditions=2, example="if(1 > 2 or 2 < 3, 1, 0)", tex=r"#u \lor #v",
           doc="one of the conditions; the second is only looked at if the first fails"),
)  # fmt: skip

GROUPS: Mapping[str, tuple[Primitive, ...]] = {
    "school": (*_SCHOOL, *DERIVED, *_CONDITIONS),
    "special": SPECIAL,
    "arrays": (*_ARRAYS, *MATRICES),
    "networks": (*_NETWORKS, *DERIVED_NETWORKS),
}
"""The rows by what they are used for; the losses of the prelude are one more group."""

_LITERAL = literal(1).value
"""What the row behind a call computes that is one of an array literal, of however many elements."""

TABLE: dict[tuple[str, int], Primitive] = {}
"""Every row under each of its names: (name, number of arguments) → row."""


def add(row: Primitive) -> None:
    """Put a row into the table; its name is a function of the language from now on.

    Raises ValueError when the name is taken.
    """
    taken = [n for n in row.names if (n, row.arity) in TABLE]
    if taken:
        raise ValueError(f"{taken[0]} with {row.arity} arguments is in the table already")
    for name in row.names:
        TABLE[name, row.arity] = row
    forget()


def forget() -> None:
    """Look names up again: the table has changed."""
    functions.cache_clear()
    find.cache_clear()
    logic.cache_clear()


def group(row: Primitive) -> str:
    """The group of a row; one that was added is among those of school."""
    return next((name for name, table in GROUPS.items() if row in table), "school")


def rows() -> tuple[Primitive, ...]:
    """Every row once, in the order of the table."""
    return tuple(dict.fromkeys(TABLE.values()))


@lru_cache(maxsize=4096)
def find(name: str, arity: int) -> Primitive | None:
    """The row of a call with so many arguments, variadic ones included (as their two-argument row)."""
    row = TABLE.get((name, arity))
    if row is None and arity > 2:
        row = TABLE.get((name, 2))
        row = row if row and row.variadic else None
    return literal(arity) if row is not None and row.value == _LITERAL else row


def arities(name: str) -> list[int]:
    """With how many arguments `name` can be called; empty when it is no function."""
    return sorted(arity for n, arity in TABLE if n == name)


@lru_cache(maxsize=1)
def functions() -> frozenset[str]:
    """The names that a program can call, losses included."""
    words = (name for name, _ in TABLE if name.isidentifier() and name not in ("and", "or", "not"))
    return prelude.names().union(words)


@lru_cache(maxsize=1)
def logic() -> frozenset[str]:
    """The names of what takes conditions and is one."""
    return frozenset(name for (name, _), row in TABLE.items() if row.is_predicate and row.conditions)


for table in GROUPS.values():
    for row in table:
        add(row)
