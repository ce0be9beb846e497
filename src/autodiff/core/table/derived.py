"""Rows of the table that are defined in the language itself: functions that people expect beside the elementary ones.

Where two formulas are equal on paper, the one that keeps its digits in float64 is used here: `acoth(u)` is
`log1p(2/(abs(u) - 1))/2` for positive `u`, because `atanh(1/u)` loses them beside 1.
"""

from __future__ import annotations

from autodiff.core.primitive import elementwise

_WHOLE = "u == floor(u) and u != 0"

_LEG = "if(abs(u) < 1e150, sqrt((1 - u)*(-1 - u)), abs(u))"
"""sqrt(u^2 - 1) without overflow; at -1 it is 0, not -0, which an angle would take for the other side."""

DERIVED = (
    # === powers and steps ==============================================================================================
    elementwise("square sqr", "u", "= u*u", "2*u", rule="power", tex="#u^{2}", doc="u*u", example="square(3)"),
    elementwise("exp10", "u", "= 10^u", "w*ln(10)", rule="exponential", tex="10^{#u}", doc="10 to the power u",
                example="exp10(3)", ulp_error=("4", "if(abs(w) < 2.3e-308, 1/0, 8)")),
    elementwise("trunc", "u", "= sign(u)*floor(abs(u))", "0", rule="step", doc="the whole part, towards 0", example="trunc(-2.7)",
                jump=f"u - if(du*u < 0, sign(u), 0) at {_WHOLE}"),
    elementwise("frac", "u", "= sign(u)*mod(abs(u), 1)", "1", rule="identity", doc="what trunc(u) leaves: u - trunc(u)",
                example="frac(-2.75)", jump=f"if(du*u < 0, sign(u), 0) at {_WHOLE}"),
    elementwise("fmod", "u v", "= sign(u)*mod(abs(u), abs(v))", "1", "-round((u - w)/v)", formula=("1", "-trunc(u/v)"), rule="remainder",
                doc="remainder with the sign of u: u - v*trunc(u/v)", example="fmod(-7, 3)", domain="v != 0",
                jump="if((du - dv*(u/v))*sign(u) < 0, sign(u)*abs(v), 0) at mod(u, v) == 0 and u != 0"),
    elementwise("heaviside step", "u", "= if(u < 0, 0, if(u > 0, 1, 0.5))", "0", rule="step", doc="0 below 0, 1 above, 0.5 at 0",
                example="heaviside(2)", jump="if(du < 0, 0, 1) at u == 0"),
    elementwise("place_below", "i n", "= i", "none", "none", rule="step", doc="i itself, a place in an array of n elements", example="place_below(1, 3)",
                domain="0 <= i and i < n and mod(i, 1) == 0 | #i to be a place in the array, counted from 0"),
    # === inverse functions =============================================================================================
    elementwise("acot arccot", "u", "= atan2(1, u)", "-if(abs(u) < 1e150, 1/(1 + u^2), (1/u)/u)", formula=("-1/(1+u^2)",),
                rule="inverse cotangent", doc="inverse cotangent, from 0 to pi", example="acot(1)"),
    elementwise("asec arcsec", "u", f"= atan2({_LEG}, sign(u))", f"1/abs(u)/{_LEG}",
                formula=("1/(abs(u)*sqrt(u^2-1))",), rule="inverse secant", doc="inverse secant, from 0 to pi", example="asec(2)",
                domain="abs(u) >= 1 | abs(#u) >= 1", vertical_tangent="abs(u) == 1"),
    elementwise("acsc arccsc", "u", f"= atan2(sign(u), {_LEG})", f"-1/abs(u)/{_LEG}",
                formula=("-1/(abs(u)*sqrt(u^2-1))",), rule="inverse cosecant", doc="inverse cosecant, from -pi/2 to pi/2", example="acsc(2)",
                domain="abs(u) >= 1 | abs(#u) >= 1", vertical_tangent="abs(u) == 1"),
    elementwise("asech arcsech", "u", "= r = sqrt((1 - u)*(1 + u)); if(u < 0.5, ln(1 + r) - ln(u), 2*atanh(r/(1 + u)))",
                "-1/u/sqrt((1 - u)*(1 + u))", formula=("-1/(u*sqrt(1-u^2))",), rule="inverse hyperbolic secant",
                doc="inverse hyperbolic secant", example="asech(0.5)", domain="0 < u <= 1", vertical_tangent="u == 1"),
    elementwise("acsch arccsch", "u", "= if(abs(u) < 1e-290, sign(u)*(ln(2) - ln(abs(u))), asinh(1/u))",
                "-1/abs(u)/hypot(1, u)", formula=("-1/(abs(u)*sqrt(1+u^2))",), rule="inverse hyperbolic cosecant",
                doc="inverse hyperbolic cosecant", example="acsch(2)", domain="u != 0"),
    elementwise("acoth arccoth", "u", "= sign(u)*log1p(2/(abs(u) - 1))/2", "1/(1 - u)/(1 + u)", formula=("1/(1-u^2)",),
                rule="inverse hyperbolic cotangent", doc="inverse hyperbolic cotangent", example="acoth(2)",
                domain="abs(u) > 1 | abs(#u) > 1"),
)  # fmt: skip

DERIVED_NETWORKS = (
    elementwise("softsign", "u", "= u/(1 + abs(u))", "1/(1 + abs(u))/(1 + abs(u))", formula=("1/(1+abs(u))^2",), rule="softsign",
                doc="u/(1 + abs(u))", example="softsign(3)"),
    elementwise("log_sigmoid logsigmoid", "u", "= -softplus(-u)", "sigmoid(-u)", rule="log-sigmoid", doc="ln of sigmoid(u), stable for any u",
                example="log_sigmoid(-1000)"),
    elementwise("selu", "u", "= if(u > 0, 1.0507009873554804934*u, 1.7580993408473768600*expm1(u))",
                "if(u > 0, 1.0507009873554804934, 1.7580993408473768600*exp(u))", rule="exponential linear",
                doc="1.0507*u, or 1.7581*(e^u - 1) where u is negative", example="selu(-1)", kink="u == 0",
                torch=("1.7580993408473766",), jax=("1.7580993408473766",)),
    elementwise("mish", "u", "= t = exp(-abs(u)); if(u < 0, u*t*(2 + t)/(2 + t*(2 + t)), u*(1 + 2*t)/(1 + 2*t*(1 + t)))",
                "tanh(softplus(u)) + u*sigmoid(u)*sech(softplus(u))^2",
                rule="mish", doc="u*tanh(softplus(u))", example="mish(1)",
                ulp_error=("if(u < -700, 1/0, 4)", "if(u < -700, 1/0, 8*max(1, exp(min(u, 0))*(1 + abs(u))/abs(d)))")),
    elementwise("relu6", "u", "= min(max(u, 0), 6)", "if(u > 0 and u < 6, 1, 0)", rule="rectifier", doc="u, held between 0 and 6",
                example="relu6(8)", kink="u == 0 or u == 6", torch=("0",), jax=("0",)),
    elementwise("hardtanh", "u", "= min(max(u, -1), 1)", "if(u > -1 and u < 1, 1, 0)", rule="clamp", doc="u, held between -1 and 1",
                example="hardtanh(3)", kink="abs(u) == 1", torch=("0",), jax=("1",)),
)  # fmt: skip
