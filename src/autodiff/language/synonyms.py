"""What functions are called in other schools and libraries, for the hint at an unknown name.

>>> meant("tg", {"tan", "tanh"}), meant("sim", {"sin", "sinh"})
('tan', 'sin')
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from autodiff.errors import nearest
from autodiff.language.ast import CONSTANTS

GREEK = {
    "psi": "digamma", "ψ": "digamma", "Phi": "normcdf", "Φ": "normcdf", "phi": "normpdf", "φ": "normpdf", "sigma": "sigmoid",
}  # fmt: skip
"""Letters that are functions by custom, before a bracket only: without one, `φ x` is a product."""

ALIASES = {
    **GREEK,
    "tg": "tan", "ctg": "cot", "cotg": "cot", "cotan": "cot", "cosec": "csc", "sen": "sin",
    "arctg": "atan", "arcsen": "asin", "sh": "sinh", "ch": "cosh", "th": "tanh", "tgh": "tanh", "ctgh": "coth", "cosech": "csch",
    "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "argsinh": "asinh", "argcosh": "acosh", "argtanh": "atanh",
    "cth": "coth", "cotanh": "coth", "cotgh": "coth", "senh": "sinh", "asen": "asin", "atg": "atan", "actg": "acot", "arccosec": "acsc",
    **dict.fromkeys(("arcctg", "arccotg", "arccotan"), "acot"), **dict.fromkeys(("arsh", "argsh", "arcsenh"), "asinh"),
    **dict.fromkeys(("arch", "argch"), "acosh"), **dict.fromkeys(("arth", "argth"), "atanh"),
    "arctan2": "atan2", "clip": "clamp", "fmax": "max", "fmin": "min", "ceiling": "ceil", "rint": "round", "fix": "trunc",
    "signum": "sign", "lb": "log2", "ld": "log2", "radians": "rad", "deg2rad": "rad", "degrees": "deg", "rad2deg": "deg",
    "average": "mean", "product": "prod", "mse_loss": "mse", "l1_loss": "mae", "ndtr": "normcdf",
    "lg": "log10", "log_2": "log2", "log_10": "log10", "sgn": "sign", "fabs": "abs", "absolute": "abs",
    "expit": "sigmoid", "logistic": "sigmoid", "maximum": "max", "minimum": "min", "pow": "^", "power": "^",
    "gammaln": "lgamma", "tgamma": "gamma", "expint": "Ei", "loggamma": "lgamma", "swish": "silu", "logaddexp": "logsumexp",
    "ncr": "binomial", "nCr": "binomial", "comb": "binomial", "fact": "factorial", "invnorm": "probit", "productlog": "lambertw",
    "jn": "besselj", "jv": "besselj", "yn": "bessely", "yv": "bessely", "iv": "besseli", "kn": "besselk", "kv": "besselk",
}  # fmt: skip
"""The name here by the name elsewhere, which is read where it is called; in ISO 80000-2 lg is the logarithm to base 10."""

_CIRCULAR = ("sin", "cos", "tan")

_OF_C = (*_CIRCULAR, "exp", "log", "sqrt")
"""Functions with a name for each kind of number in C and Fortran."""

SPELT_OUT = {
    "reciprocal": "1/x", "rsqrt": "1/sqrt(x)", "cube": "x^3", **dict.fromkeys(("root", "nthroot", "surd", "real_root"), "{0}^(1/{1})"), "C": "binomial({0}, {1})", "matmul": "A @ B",
    "binary_cross_entropy": "bce(y, p), the target first", "softmin": "softmax(-x)", "smooth_l1": "huber(y, p, 1), the target first",
    "negative": "-x", "add": "x + y", "subtract": "x - y", "multiply": "x*y", "divide": "x/y", "remainder": "mod(x, y)",
    "nPr": "factorial(n)/factorial(n - k)", "sinhyp": "sinh(x)", "haversine": "(1 - cos(x))/2", "hav": "(1 - cos(x))/2",
    "tr": "trace(A)", "T": "transpose(A)",
    "pnorm": "normcdf(x)", "dnorm": "normpdf(x)", "qnorm": "probit(p)", "cdf": "normcdf(x)", "pdf": "normpdf(x)",
    "sine": "sin(x)", "cosine": "cos(x)", "tangent": "tan(x)", "cotangent": "cot(x)", "secant": "sec(x)", "cosecant": "csc(x)",
    "arcsine": "asin(x)", "arccosine": "acos(x)", "arctangent": "atan(x)", "logarithm": "ln(x)", "exponential": "exp(x)",
    "ifelse": "if(condition, u, v)", "piecewise": "if(condition, u, v)", "iif": "if(condition, u, v)", "cond": "if(condition, u, v)",
    "wurzel": "sqrt(x)", "racine": "sqrt(x)", "raiz": "sqrt(x)", "raíz": "sqrt(x)", "potenz": "u^v", "puissance": "u^v", "potencia": "u^v",
    "wenn": "if(condition, u, v)", "betrag": "abs(x)", "sinus": "sin(x)", "seno": "sin(x)", "cosinus": "cos(x)", "kosinus": "cos(x)",
    "coseno": "cos(x)", "tangens": "tan(x)", "tangente": "tan(x)", "logb": "log(x, b) for the logarithm to base b",
    "lambda": "f(x) = …", "function": "f(x) = …", "def": "f(x) = …",
    "integrate": "the formula itself: there are no integrals here", "int": "trunc(x) for the whole part; there are no integrals here", "idiv": "floor({0}/{1})", "rem": "fmod({0}, {1})",
    **{f"{name}d": f"{name}(rad({{0}}))" for name in _CIRCULAR}, **{f"a{name}d": f"deg(a{name}({{0}}))" for name in _CIRCULAR},
    **{f"{name}pi": f"{name}(pi*{{0}})" for name in _CIRCULAR}, "cuberoot": "cbrt({0})", "copysign": "abs({0})*sign({1})", "isqrt": "floor(sqrt({0}))",
    "plogis": "sigmoid({0})", "qlogis": "logit({0})", "combin": "binomial({0}, {1})", "sumsq": "{0}^2 + {1}^2", "quotient": "trunc({0}/{1})",
    "INT": "floor({0})", "i0": "besseli(0, {0})", "i1": "besseli(1, {0})", "j0": "besselj(0, {0})", "j1": "besselj(1, {0})", "y0": "bessely(0, {0})", "y1": "bessely(1, {0})",
    "huber_loss": "huber(y, p, delta), the target first", "length": "the number of elements", "cross": "its elements with * and -", "besselJ": "besselj({1}, {0})", "pmax": "max({0}, {1})", "pmin": "min({0}, {1})",
    **{f"{name}f": f"{name}({{0}})" for name in _OF_C}, **{f"d{name}": f"{name}({{0}})" for name in _OF_C},
    "loge": "ln({0})", **dict.fromkeys(("sd", "stdev"), "sqrt(sum(({0} - mean({0}))^2)/(n - 1)); std divides by n"), **dict.fromkeys(("cis", "re", "im", "real", "imag", "conj", "angle"), "real formulas: there are no complex numbers here"),
    "LOG": "log10({0}), which it is in spreadsheets, or ln({0})", "ATAN2": "atan2(y, x); spreadsheets have them in the other order",
    **dict.fromkeys(("float", "float64", "tensor", "array", "print", "return"), "{0} alone"), "Rational": "{0}/{1}",
}  # fmt: skip
"""What to write for a function of another library that has no name of its own here, or takes its arguments otherwise."""

WITH_OTHER_ARGUMENTS = {
    ("round", 2): "round(100*x)/100 for two decimals",
    ("sum", 4): "sum([u, v, w]), or the terms with +: there are no ranges",
    ("prod", 4): "prod([u, v, w]), or the factors with *: there are no ranges",
    ("ln", 2): "log(u, v) for the logarithm of u to base v", ("exp", 2): "u^v",
}  # fmt: skip
"""What to write for a call with so many arguments, which a function has elsewhere."""

_ARRAYS = "np numpy jnp torch"

IN_LIBRARIES = {
    "sinc": (f"{_ARRAYS} special", 1, "sinc(pi*x): sinc here is sin(x)/x"),
    **dict.fromkeys(("max", "min"), (_ARRAYS, 2, "max(u, v) or min(u, v) for the larger or smaller of two: no axis is read here")),
    "norm": (f"{_ARRAYS} linalg tf", 2, "sum(abs(x)) or another norm itself: the second argument of norm is an axis here"),
    "sort": ("torch", 1, "sort(x), which is the sorted array alone"), "median": ("torch", 1, "sort(x)[k]: median is the mean of the middle two here"),
    **dict.fromkeys(("std", "var"), ("torch", 1, "var(x)*n/(n - 1), or std(x)*sqrt(n/(n - 1)): here they divide by n")),
    "cross_entropy": ("F nn torch tf", 1, "cross_entropy(y, softmax(z)), the target first"),
    "round": ("Math", 1, "floor(x + 1/2)"), "remainder": ("math", 1, "x - y*round(x/y)"),
    "acot": ("sympy sp", 1, "atan(1/x)"), "frac": ("sympy sp", 1, "x - floor(x)"), "jn": ("sympy sp", 1, "spherical_jn(n, x)"), "yn": ("sympy sp", 1, "its formula, such as -cos(x)/x"),
    "solve": ("sympy sp", 1, "f = 0 by hand: equations are not solved here"),
    "logsumexp": (f"{_ARRAYS} special jax nn", 2, "ln(sum(exp(x), 0)): logsumexp here is that of all arguments"),
    **dict.fromkeys(("softmax", "log_softmax"), ("special", 0, "that along the last axis, not over all elements")),
    "gelu": ("jax", 1, "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3))), which it is by default there"), "leaky_relu": ("tf", 1, "leaky_relu(x, 0.2)"),
    "binomial": ("torch np numpy", 1, "binomial(n, k): that one draws random numbers"),
    "dot": ("np numpy jnp", 0, "sum(u*v); the product of matrices is A @ B"),
}  # fmt: skip
"""Functions that are others in some libraries, called with so many arguments: what to write; with 0, what is read."""

DEFINED_TWICE = {
    **dict.fromkeys(("std", "var"), (1, "the one that divides by n, not n - 1")),
    "sinc": (1, "sin(x)/x, not sin(pi*x)/(pi*x)"), "entropy": (1, "the one in bits, with log2"), "acot": (1, "pi/2 - atan(x), not atan(1/x)"),
    "frac": (1, "x - trunc(x), not x - floor(x)"), "gammainc": (1, "a share of gamma(a), with a first"), "betainc": (1, "a share of beta(a, b), with a and b first"),
    "norm": (2, "the 2-norms along that axis, not another norm"), "logsumexp": (2, "that of all arguments, not along an axis"),
    "solve": (0, "the x with A @ x = b, not the roots of an equation"),
}  # fmt: skip
"""Functions that people define in two ways, called with so many arguments, 0 for two of which the last is a name of the first: what they are here.

A library before the name says which is meant.
"""

DECADIC = r"p[HK]\w*|pOH|2\.303|0?\.059\d*"
"""Names and numbers of chemistry, beside which a logarithm is one to base 10."""

BETWEEN = frozenset({"mod", "binomial"})
"""Functions that people write between their arguments."""

BASE_LAST = frozenset({"log"})
"""Functions of one or two arguments whose base other languages write first, or have as 10."""

NATURAL = frozenset({"ln"})
"""Their other names, beside which people mean the base 10."""

WORDS = {
    **dict.fromkeys(("times", "mal", "fois", "por"), "the operator *"), "plus": "the operator +",
    **dict.fromkeys(("minus", "moins", "menos"), "the operator -"), **dict.fromkeys(("over", "durch", "geteilt", "divided"), "the operator /"),
    "hoch": "the operator ^", "squared": "the power ^2", "cubed": "the power ^3", "div": "floor(a/b)", "mod": "mod(a, b)", "of": "a bracket",
    "sine": "sin(x)", "cosine": "cos(x)", "tangent": "tan(x)", "logarithm": "ln(x)", "root": "sqrt(x)", "Σ": "sum(x)", "Π": "prod(x)",
    **dict.fromkeys(("return", "import", "print", "def", "let", "const", "double", "float", "int", "long"), "a statement of another language"),
    "GoldenRatio": "(1 + sqrt(5))/2", "EulerGamma": "-digamma(1)", "Degree": "rad(1)", "Catalan": "the constant 0.915965594177219",
    **dict.fromkeys(("True", "TRUE"), "the number 1"), **dict.fromkeys(("False", "FALSE"), "the number 0"),
    **dict.fromkeys(("derivative", "differentiate", "derive", "ableitung", "ableiten", "derivada", "dérivée", "derivata"), "the command autodiff diff"),
}  # fmt: skip
"""Words for operators and functions, which are names of inputs here, and what they mean to people."""

DERIVATIVES = frozenset(
    {"diff", "d", "derivative", "deriv", "differentiate", "grad", "gradient", "jacobian", "hessian"}
)
"""What other systems call the function that differentiates, in lower case."""

INVERSES = {
    "sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot", "sec": "asec", "csc": "acsc", "sech": "asech", "csch": "acsch", "coth": "acoth", "sinh": "asinh", "cosh": "acosh", "tanh": "atanh", "ln": "exp", "exp": "ln",
    "erf": "erfinv", "erfc": "erfcinv", "normcdf": "probit",
}  # fmt: skip
"""The inverse function that `sin^-1` stands for."""

CONDITIONAL = "if"
"""The function that `a if c else b` calls."""

ELEMENTARY = tuple(sorted({*INVERSES, "log", "log2", "log10", "sqrt"}, key=len, reverse=True))
"""Functions whose names are no names of inputs."""

_CALLS = rf"([^\W\d_]?|arc)({'|'.join(ELEMENTARY)})(\d*[^\W\d_]{{1,2}}|\d+)"
"""Names that begin with a function, or a factor before one."""

_LETTER = r"(?:k_B|[a-zA-ZΑ-ωħ](?:_?\d+)?)"
"""A name of one letter, with or without an index: such are the factors for people who leave out the sign of a product."""

_VOWELS, _ALPHABET = frozenset("aeiouAEIOU"), "abcdefghijklmnopqrstuvwxyz"

_NO_PRODUCTS = frozenset(
    ["mu", "nu", "xi", "Mu", "Nu", "Xi", "pi", "lr", "lhs", "rhs", "tmp", "std", "rms", "src", "dst", "str", "ptr", "cnt", "ctr", "qty", "pH", "mph", "kWh", "pin", "pit", "pid", "kpi",
    "spin", "cost", "using", "sing", "since", "tang", "tank", "expr", "exps", "secs", "logs", "login"]
)  # fmt: skip
"""Names of a few letters that are no products, and no calls."""

BEHIND_A_FACTOR = frozenset({*ELEMENTARY, "exp", "abs"})
"""Functions that people write behind a letter without a sign: xsin(x)."""

_SHORT = 4
"""Letters of a name that may be a product of more than two factors."""

NO_NUMBERS = {
    **dict.fromkeys(("inf", "infinity", "oo", "Inf", "Infinity"), "infinity is not a number here"),
    **dict.fromkeys(("nan", "NaN", "NA", "undefined", "null", "NULL", "nil", "None"), "a missing number is not a number here"),
}  # fmt: skip
"""Names that stand for no number elsewhere, and what to say where they have no value."""

UNITS = {
    **dict.fromkeys(
        ["mm", "cm", "dm", "km", "nm", "µm", "μm", "kg", "mg", "ms", "ns", "Hz", "kHz", "MHz", "GHz", "Pa", "kPa", "MPa", "eV", "keV", "MeV", "GeV", "mol", "sec", "min", "hr", "kW", "MW", "mW", "mV", "kV", "mA", "kJ", "MJ", "kN", "mL", "ml", "ft", "mph", "lb", "oz", "bar", "atm", "dB", "kcal", "degC"],
        "a value is a number without its unit",
    ),
    **dict.fromkeys(("rad", "radians"), "angles are radians: leave it out"), **dict.fromkeys(("deg", "degree", "degrees", "Grad"), "90 degrees are rad(90)"),
}  # fmt: skip
"""Units that people write behind a number, and what to write."""

QUOTIENTS_OF_UNITS = {
    "m": ("s", "h", "min"),
    "N": ("m", "kg", "C"),
    "J": ("K", "kg", "s", "mol"),
    "W": ("m",),
    "V": ("m",),
    "g": ("mol", "L", "cm"),
    **dict.fromkeys("CsAKhLΩ", ()),
}
"""Units of one letter, which names are, too, and the units below them."""

EXPONENTIALS = (" exp", " e ^", " e **")
"""What stands before an exponent of e."""

IMAGINARY = frozenset(("i", "I", "j", "J", "im"))
"""What the imaginary unit is called."""

PREFIXES = {
    "k": "a thousand", "M": "a million", "G": "a billion", **dict.fromkeys("uµμ", "a millionth"), "n": "a billionth", "p": "a trillionth",
}  # fmt: skip
"""What letters are behind a number in electronics."""

ENDINGS = {
    **dict.fromkeys(IMAGINARY, "the imaginary unit"), **dict.fromkeys(("f", "F", "d", "D", "L"), "the end of a number"),
    **dict.fromkeys(("UL", "LL", "ULL", "ul", "ll", "ull"), "the end of a whole number"),
}  # fmt: skip
"""What stands behind a number at once in other languages, as in 2.0f and 1j."""


def in_library(name: str, library: str, arguments: int) -> tuple[str, bool]:
    """What to write for a function of a library, such as `np.`, that is another one there; True where it is refused."""
    libraries, least, meaning = IN_LIBRARIES.get(name, ("", 0, ""))
    if arguments < least or not set(libraries.split()) & set(re.split(r"[^\w.]", library)[-1].split(".")):
        return "", False
    return meaning, least > 0


def constant_elsewhere(name: str) -> str:
    """The constant that a name is in another language, as PI and M_PI are; or ""."""
    constant = name.lower().removeprefix("m_")
    return constant if constant in CONSTANTS and name not in CONSTANTS else ""


def meant(name: str, functions: Collection[str]) -> str:
    """The one of `functions` that an unknown name stands for elsewhere, or is most likely a slip of; or ""."""
    known = ALIASES.get(name.lower(), "")
    return known if known in functions else nearest(name, functions)


def glued(name: str, known: Collection[str], functions: Collection[str], letters: Collection[str]) -> str:
    """What a name without a value is rather, a call or a product without its signs: `sin(2x)` for sin2x, `x*y` for xy.

    The argument is in `known` or one of `letters`, the factors are in `known`. "" for any other name.
    """
    if len(name) > 100:  # such a name is no slip, and its parts would be looked for one within the other
        return ""
    for function in functions:
        factor, called, rest = name.partition(function)
        argument = rest.lstrip("0123456789")
        if called and all(not part or part in known or part in letters for part in (factor, argument)) and argument:
            return f"{factor}{'*' * bool(factor)}{function}({rest})"
        if called and not factor and rest[:1] in letters and (tail := glued(rest[1:], known, functions, letters)):
            return f"{function}({rest[0]})*{tail}"
    products = {0: ""}
    for start in range(min(len(name), 20)):
        for end in range(start + 1, len(name) + 1) if start in products else ():
            whole = end - start == len(name) or (start and end < len(name) and len(name) > _SHORT)
            if not whole and name[start:end] in known:
                products.setdefault(end, f"{products[start]}*{name[start:end]}")
    return products.get(len(name), "").removeprefix("*")


def instead(name: str, known: Collection[str], functions: Collection[str]) -> str:
    """The question for a name without a value: did you mean `x^2` for x2, `*` for times, `sin(x)` for sinx? "" for others."""
    base = name.rstrip("0123456789")
    letters = name[-1] if name[-1].isalpha() else ""
    if name.lower() in WORDS:
        return f"did you mean {WORDS[name.lower()]}?"
    if name == "x10":
        return "did you mean *10?"
    if base != name and base in known:
        return f"did you mean {base}^{name[len(base) :]}?"
    if constant := constant_elsewhere(name):
        return f"did you mean the constant {constant}?"
    meant_as = glued(name, {*known, *CONSTANTS}, sorted(functions, key=len, reverse=True), letters)
    return f"did you mean {meant_as}?" if meant_as else ""


def as_a_value(name: str) -> str:
    """What to write for the name in a value, which only numbers and constants make: 4.7e3 for 4.7k, ln(2) for ln2; or ""."""
    if name in IMAGINARY:
        return "there are no complex numbers here"
    if name in PREFIXES:
        return f"write a power of ten for {PREFIXES[name]}, as in 4.7e3"
    if name in ENDINGS or (name[0] in "dDeE" and name[1:].isdecimal()):
        return "write the number alone, a power of ten as in 1.5e3"
    question = instead(name, (), ELEMENTARY) or (f"did you mean {call}?" if (call := called(name)) else "")
    return UNITS.get(name) or NO_NUMBERS.get(name) or question


def factors(name: str, names: Collection[str]) -> Sequence[str]:
    """The factors of the name of an input that may have been meant as a product: kt, mgh, ωt, a1x, 2pix; none of any other name.

    `names` are the names beside it. Doubtful are letters without a vowel, or where each is a name, too.
    """
    letters = re.findall(_LETTER, name) if len(name) < 20 else []
    if not name.isascii():
        few = 2 <= len(letters) <= 4 and not re.search("[a-zA-Z]{3}", name)
        return letters if "".join(letters) == name and few and name[0] not in "Δδ" else ()
    if name in _NO_PRODUCTS or re.fullmatch("[dD][a-zA-Z](d[a-zA-Z])?", name):  # dt, dydx
        return ()
    if pieces := re.fullmatch(r"([a-zA-Z]?)pi((?:[a-zA-Z]\d*){0,2})", name):
        return (
            () if set(name.replace("pi", "")) & _VOWELS else [*pieces[1], "pi", *re.findall(r"[a-zA-Z]\d*", pieces[2])]
        )
    if re.search(r"(?:\d|k_B)[a-zA-Z]", name) and "".join(letters) == name and 2 <= len(letters) <= 4:
        return letters
    if name[1:] in names and re.fullmatch(r"[a-z]{2}\d+", name):
        return name[0], name[1:]
    if not (2 <= len(name) <= 4 and name.isalpha()):
        return ()
    is_abbreviation = name[0].isupper() and (name.isupper() or name[1:].islower())
    plain = len(name) == 2 or name in _ALPHABET or not (set(name) & _VOWELS or is_abbreviation)
    return name if plain or all(letter in names for letter in name) else ()


def called(name: str) -> str:
    """The call that a name of an input may have been meant as: sin(xy) for sinxy, r*cos(θ) for rcosθ; "" for any other name."""
    parts = re.fullmatch(_CALLS, name) if len(name) > 2 else None
    calls = re.findall(rf"({'|'.join(ELEMENTARY)})(\d*[^\W\d_])", name) if parts is None else []
    if parts is None or name in _NO_PRODUCTS:
        return (
            "*".join("{}({})".format(*w) for w in calls)
            if len(calls) > 1 and name == "".join(map("".join, calls))
            else ""
        )
    factor = parts[1] if parts[1] in ("", "a", "arc") else f"{parts[1]}*"
    return f"{factor}{parts[2]}({parts[3]})"
