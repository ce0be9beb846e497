"""What functions are called in other schools and libraries, for the hint at an unknown name.

>>> meant("tg", {"tan", "tanh"}), meant("sine", {"sin", "sinh"})
('tan', 'sin')
"""

from __future__ import annotations

import re
from collections.abc import Collection

from autodiff.errors import AutodiffError, nearest, shortened

ALIASES = {
    "tg": "tan", "ctg": "cot", "cotg": "cot", "cotan": "cot", "cosec": "csc", "sen": "sin",
    "arctg": "atan", "arcsen": "asin", "sh": "sinh", "ch": "cosh", "th": "tanh", "tgh": "tanh",
    "lg": "log10", "log_2": "log2", "log_10": "log10", "sgn": "sign", "fabs": "abs", "absolute": "abs",
    "expit": "sigmoid", "logistic": "sigmoid", "maximum": "max", "minimum": "min", "pow": "^", "power": "^",
    "gammaln": "lgamma", "loggamma": "lgamma", "psi": "digamma", "ψ": "digamma", "swish": "silu", "logaddexp": "logsumexp",
    "ncr": "binomial", "comb": "binomial", "fact": "factorial", "invnorm": "probit", "productlog": "lambertw",
    "jn": "besselj", "jv": "besselj", "yn": "bessely", "yv": "bessely", "iv": "besseli", "kn": "besselk", "kv": "besselk",
}  # fmt: skip
"""The name here by the name elsewhere, which is read where it is called; in ISO 80000-2 lg is the logarithm to base 10."""

INVERSES = {
    "sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot", "sec": "asec", "csc": "acsc", "sech": "asech", "csch": "acsch", "coth": "acoth", "sinh": "asinh", "cosh": "acosh", "tanh": "atanh", "ln": "exp", "exp": "ln",
    "erf": "erfinv", "erfc": "erfcinv", "normcdf": "probit",
}  # fmt: skip
"""The inverse function that `sin^-1` stands for."""

CONDITIONAL = "if"
"""The function that `a if c else b` calls."""

UNITS = {"deg": "90 degrees are rad(90)"}
"""Names of functions that are also written behind a number, as a unit."""


def meant(name: str, functions: Collection[str]) -> str:
    """The one of `functions` that an unknown name stands for elsewhere, or is most likely a slip of; or ""."""
    known = ALIASES.get(name.lower(), "")
    return known if known in functions else nearest(name, functions)


def with_a_point(text: str, functions: Collection[str]) -> AutodiffError | None:
    """What is wrong with a program that says where it is to be evaluated, as in `x^2 at 3`; None where it does not."""
    if len(text) > 1000:
        return None
    found = re.fullmatch(
        r"(?:(?P<program>.*)\s)?\s*at\s+(?:(?P<name>\w+)\s*=)?\s*(?P<value>[-−+]?[\d.][^=]*)", text, re.DOTALL
    )
    if found is None:
        return None
    program = (found["program"] or "").strip() or "PROGRAM"
    names = [name for name in re.findall(r"[^\W\d]\w*", program) if name not in functions]
    name = found["name"] or (names[0] if names and found["program"] else "x")
    return AutodiffError(
        "a point is no part of a program",
        span=(text.index("at", len(found["program"] or "")), len(text)),
        hint=f'write autodiff eval "{shortened(program)}" --at {name}={found["value"].strip()}',
    )
