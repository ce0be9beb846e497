"""What a program truly is at a point: value and derivatives by mpmath, at growing precision, with none of the product's code.

A number is a polynomial in the steps of the inputs, cut off at an order. Every sum and function says how many digits it may
have lost; where too few are left, all is done again with more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import mpmath

PRECISIONS = (50, 400, 1200)
"""Decimal digits, one after the other while too few are left; then the last is confirmed by half as many more."""

_LEFT = 25
"""Decimal digits that must be left."""

_TINY = 400
"""A number below 10 to the minus this is 0 here."""

_FAR = 10**6
"""Exponents beyond this, and arguments of functions that grow like exp, have results of too many digits."""

Tree: TypeAlias = tuple[Any, ...]
"""("var", name), ("const", text), (operator, left, right) or ("call", name, *arguments)."""

Place: TypeAlias = tuple[int, ...]
Jet: TypeAlias = dict[Place, Any]
"""Coefficients by the powers of the steps; what is not there is exactly 0."""

M: Any = mpmath


class Bad(Exception):
    """There is no number here, or none that this can tell."""


class Outside(Bad):
    """It is sure that the point lies outside the program's domain."""


def written(tree: Tree) -> str:
    """The program's text."""
    match tree:
        case ("var" | "const", text):
            return str(text)
        case ("call", name, *arguments):
            return f"{name}({', '.join(map(written, arguments))})"
        case ("^", base, exponent):
            return f"({written(base)})^({written(exponent)})"
        case (sign, left, right):
            return f"({written(left)} {sign} {written(right)})"
    raise ValueError(tree)


def used(tree: Tree) -> set[str]:
    """The inputs that a program has."""
    if tree[0] == "var":
        return {tree[1]}
    return set().union(*(used(part) for part in tree[1:] if isinstance(part, tuple)))


def true(tree: Tree, point: Mapping[str, float], order: int) -> Jet:
    """The value and the derivatives up to `order` by the inputs in the order of `point`; derivatives that are not there are 0.

    Raises Bad where nothing can be said, Outside where there is no value.
    """
    for digits in PRECISIONS:
        found, left = _at(tree, point, order, digits)
        if left >= _LEFT and found is None:
            raise Outside
        if left >= _LEFT and found is not None and digits < PRECISIONS[-1]:
            return found
    if found is None:
        raise Bad
    again, _ = _at(tree, point, order, PRECISIONS[-1] * 3 // 2)
    if again is None:
        raise Bad
    with M.workdps(PRECISIONS[-1]):
        for place in {*found, *again}:
            a, b = found.get(place, M.mpf(0)), again.get(place, M.mpf(0))
            if max(abs(a), abs(b)) > M.mpf("1e-340") and abs(a - b) > abs(b) * M.mpf("1e-30"):
                raise Bad
    return again


def _at(tree: Tree, point: Mapping[str, float], order: int, digits: int) -> tuple[Jet | None, float]:
    """The numbers at so many digits, none outside the domain, and how many digits are left."""
    with M.workdps(digits):
        work, names = _Work(order, digits), list(point)
        inputs = {n: work.variable(M.mpf(v), k, len(names)) for k, (n, v) in enumerate(point.items())}
        try:
            found = work.jet(tree, inputs, len(names))
        except Outside:
            return None, work.left
        except (ArithmeticError, ValueError, TypeError, M.libmp.NoConvergence, M.libmp.ComplexResult):
            raise Bad from None
        if not all(isinstance(c, M.mpf) and M.isfinite(c) for c in found.values()):
            raise Bad
        return {p: c * math.prod(map(math.factorial, p)) for p, c in found.items()}, work.left


class _Work:
    """Arithmetic of polynomials, and how many digits it has left."""

    def __init__(self, order: int, digits: int) -> None:
        self.order = order
        self.left = float(digits)

    def variable(self, number: Any, k: int, count: int) -> Jet:
        """An input as the k-th of so many."""
        return {(0,) * count: number, tuple(int(j == k) for j in range(count)): M.mpf(1)}

    def jet(self, tree: Tree, inputs: Mapping[str, Jet], count: int) -> Jet:
        """The polynomial of a program."""
        match tree:
            case ("var", name):
                return inputs[name]
            case ("const", text):
                return {(0,) * count: M.mpf(M.pi) if text == "pi" else M.mpf(text)}
            case ("call", name, argument):
                return self.call(name, self.jet(argument, inputs, count))
            case ("call", name, left, right):
                u, v = self.jet(left, inputs, count), self.jet(right, inputs, count)
                return self.pair(name, u, v)
        u, v = self.jet(tree[1], inputs, count), self.jet(tree[2], inputs, count)
        match tree[0]:
            case "+":
                return self.sum(u, v)
            case "-":
                return self.sum(u, self.scaled(v, -1))
            case "*":
                return self.product(u, v)
            case "/":
                return self.product(u, self.power(v, M.mpf(-1)))
            case "^":
                if len(v) == 1:
                    return self.power(u, _start(v))
                if _start(u) <= 0:
                    raise Bad
                return self.call("exp", self.product(v, self.call("ln", u)))
        raise ValueError(tree)

    # --- polynomials ---

    def sum(self, *jets: Jet) -> Jet:
        """The sum, and what it loses."""
        return {place: self._total([j[place] for j in jets if place in j]) for place in {p for j in jets for p in j}}

    def _total(self, terms: Sequence[Any]) -> Any:
        terms = [term for term in terms if term]
        total = M.fsum(terms)
        if len(terms) > 1:
            largest = max(map(abs, terms))
            if not total and M.mp.dps < PRECISIONS[-1]:
                self.left -= 10_000
            elif not total and largest > M.mpf(10) ** (M.mp.dps - _TINY):
                raise Bad  # it may be no 0: what is left of such numbers need not be small
            elif total and abs(total) < largest:
                self.left -= float(M.log10(largest / abs(total)))
        return total

    def scaled(self, u: Jet, factor: Any) -> Jet:
        """The polynomial times a number."""
        return {place: c * factor for place, c in u.items()}

    def product(self, u: Jet, v: Jet) -> Jet:
        """The product, cut off."""
        terms: dict[Place, list[Any]] = {}
        for p, a in u.items():
            for q, b in v.items():
                place = tuple(map(int.__add__, p, q))
                if sum(place) <= self.order:
                    terms.setdefault(place, []).append(a * b)
        return {place: self._total(coefficients) for place, coefficients in terms.items()}

    def power(self, u: Jet, exponent: Any) -> Jet:
        """u to a number that does not move."""
        start, whole = _start(u), exponent == M.floor(exponent)
        if not start and (not whole or exponent < 0):
            raise Bad
        if start < 0 and not whole:
            raise Outside
        if exponent < 0 and abs(start) < M.mpf(10) ** -_TINY:
            raise Bad  # a factor that is 0 here may be as small
        if whole and 0 <= exponent <= 8:
            found: Jet = {(0,) * len(next(iter(u))): M.mpf(1)}
            for _ in range(int(exponent)):
                found = self.product(found, u)
            return found
        if abs(exponent) > _FAR:
            raise Bad
        first = start**exponent if whole else M.exp(exponent * M.log(start))
        parts = [first]
        for k in range(self.order):
            parts.append(parts[-1] * (exponent - k) / ((k + 1) * start))
        self.left -= float(M.log10(1 + abs(exponent)))
        return self.composed(u, parts)

    def composed(self, u: Jet, parts: Sequence[Any]) -> Jet:
        """A function of u, whose Taylor coefficients there are `parts`."""
        zero = (0,) * len(next(iter(u)))
        steps = {place: c for place, c in u.items() if place != zero}
        found: Jet = {zero: parts[-1]}
        for part in reversed(parts[:-1]):
            found = self.product(found, steps) if steps else {}
            found[zero] = part
        return found

    # --- functions ---

    def call(self, name: str, u: Jet) -> Jet:
        """A function of one argument."""
        start = _start(u)
        _inside(name, start)
        if name in ("abs", "relu", "leaky_relu"):
            if not start:
                raise Bad
            return self.scaled(u, M.mpf(1) if start > 0 else _BENT[name]())
        outer = _Work(self.order + 1, 0)
        found = _FUNCTIONS[name](outer, outer.variable(start, 0, 1))
        parts = [found.get((k,), M.mpf(0)) for k in range(self.order + 2)]
        self.left += min(0.0, outer.left)
        worst = 1.0
        for k, (part, following) in enumerate(itertools.pairwise(parts)):
            if part:
                worst = max(worst, abs(start * following * (k + 1) / part))
            elif start and following and M.mp.dps < PRECISIONS[-1]:
                self.left -= 10_000
            elif start and following:
                raise Bad  # ln(1 + u), where u is below the last digit
        self.left -= float(M.log10(worst))
        return self.composed(u, parts[:-1])

    def pair(self, name: str, u: Jet, v: Jet) -> Jet:
        """A function of two arguments."""
        a, b = _start(u), _start(v)
        match name:
            case "max" | "min":
                if a == b:
                    raise Bad
                self._total([a, -b])
                return u if (a > b) == (name == "max") else v
            case "hypot":
                return self.power(self.sum(self.product(u, u), self.product(v, v)), M.mpf("0.5"))
            case "logsumexp":
                _inside("exp", a)
                _inside("exp", b)
                return self.call("ln", self.sum(self.call("exp", u), self.call("exp", v)))
            case "atan2":
                if not b or not a:
                    raise Bad
                found = self.call("atan", self.product(u, self.power(v, M.mpf(-1))))
                if b < 0:
                    turn = M.pi if a > 0 else -M.pi
                    found = self.sum(found, {(0,) * len(next(iter(u))): turn})
                return found
        raise ValueError(name)

    def integral(self, u: Jet, start: Any) -> Jet:
        """What has the slope u and begins with `start`; of one variable."""
        return {(0,): start} | {(k + 1,): c / (k + 1) for (k,), c in u.items() if k < self.order}


def _start(u: Jet) -> Any:
    return u.get((0,) * len(next(iter(u))), M.mpf(0))


_BENT: Mapping[str, Callable[[], Any]] = {
    "abs": lambda: M.mpf(-1),
    "relu": lambda: M.mpf(0),
    "leaky_relu": lambda: M.mpf("0.01"),
}

_DOMAINS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(["ln", "log2", "log10", "sqrt"], lambda u: u > 0),
    "log1p": lambda u: u > -1,
    **dict.fromkeys(["asin", "acos", "atanh"], lambda u: abs(u) < 1),
    "acosh": lambda u: u > 1,
    "logit": lambda u: 0 < u < 1,
}
_GROWING = frozenset(
    ["exp", "exp2", "expm1", "sinh", "cosh", "tanh", "coth", "sech", "csch", "sigmoid", "softplus", "silu", "elu"]
)
_NORMAL = frozenset(["erf", "erfc", "gaussian", "gelu"])
_GAMMAS = frozenset(["gamma", "lgamma", "digamma"])
_EDGES = (-1, 0, 1)


def _inside(name: str, u: Any) -> None:
    if name in _DOMAINS and not _DOMAINS[name](u):
        raise Bad if u in _EDGES else Outside
    if (name in _GROWING and abs(u) > _FAR) or (name in _NORMAL and abs(u) > 3000):
        raise Bad
    if name in _GAMMAS and (not -30 < u < 1e6 or (u <= 0 and u == M.floor(u)) or M.mp.dps > 500):
        raise Bad


Function: TypeAlias = Callable[[_Work, Jet], Jet]


def _taylor(parts: Callable[[Any, int], Iterable[Any]]) -> Function:
    """A function from its Taylor coefficients at a number."""
    return lambda work, x: {(k,): part for k, part in enumerate(parts(_start(x), work.order)) if k <= work.order}


def _turning(first: Sequence[Callable[[Any], Any]]) -> Function:
    """A function whose derivatives come round: sin, cos, sinh, cosh, exp."""

    def parts(u: Any, order: int) -> list[Any]:
        if abs(u) > M.mpf("1e310"):
            raise Bad
        turns = [function(u) for function in first[: min(2, order + 1)]]
        turns += [-turn for turn in turns] if len(first) == 4 else []
        return [turns[k % len(first)] / math.factorial(k) for k in range(order + 1)]

    return _taylor(parts)


def _over(above: str, below: str) -> Function:
    return lambda w, x: w.product(_FUNCTIONS[above](w, x), w.power(_FUNCTIONS[below](w, x), M.mpf(-1)))


def _squared(name: str, sign: int) -> Function:
    return lambda w, x: w.scaled(w.power(_FUNCTIONS[name](w, x), M.mpf(2)), sign)


def _integral(value: Callable[[Any], Any], slope: Function) -> Function:
    return lambda w, x: w.integral(slope(w, x), value(_start(x)))


def _root(sign: int, shift: int, scale: int = 1) -> Function:
    """scale/sqrt(sign*x^2 + shift)."""

    def slope(w: _Work, x: Jet) -> Jet:
        inside = w.sum(w.scaled(w.product(x, x), sign), {(0,): M.mpf(shift)})
        return w.scaled(w.power(inside, M.mpf("-0.5")), scale)

    return slope


def _fraction(sign: int) -> Function:
    """1/(1 + sign*x^2)."""
    return lambda w, x: w.power(w.sum({(0,): M.mpf(1)}, w.scaled(w.product(x, x), sign)), M.mpf(-1))


def _gaussian(w: _Work, x: Jet) -> Jet:
    return w.call("exp", w.scaled(w.product(x, x), -1))


def _sigmoid(w: _Work, x: Jet) -> Jet:
    return w.power(w.sum({(0,): M.mpf(1)}, w.call("exp", w.scaled(x, -1))), M.mpf(-1))


def _scaled(function: Function, factor: Callable[[], Any]) -> Function:
    return lambda w, x: w.scaled(function(w, x), factor())


def _logarithm(u: Any, order: int) -> list[Any]:
    return [M.log(u), *((-1) ** (k + 1) / (k * u**k) for k in range(1, order + 1))]


def _polygamma(start: int) -> Callable[[Any, int], list[Any]]:
    return lambda u, d: [M.psi(start + k, u) / math.factorial(k) for k in range(d + 1)]


def _lgamma(w: _Work, x: Jet) -> Jet:
    u = _start(x)
    return w.integral(_taylor(_polygamma(0))(w, x), M.log(abs(M.gamma(u))))


def _gamma(w: _Work, x: Jet) -> Jet:
    return w.scaled(w.call("exp", _lgamma(w, x)), M.sign(M.gamma(_start(x))))


def _gelu(w: _Work, x: Jet) -> Jet:
    return w.product(x, w.scaled(_FUNCTIONS["erfc"](w, w.scaled(x, -1 / M.sqrt(2))), M.mpf("0.5")))


def _erf(sign: int) -> Function:
    """erf or erfc, of a multiple of the variable."""

    def slopes(w: _Work, x: Jet) -> Jet:
        inner = w.variable(_start(x), 0, 1)
        found = w.integral(
            w.scaled(_gaussian(w, inner), sign * 2 / M.sqrt(M.pi)), (M.erf if sign > 0 else M.erfc)(_start(x))
        )
        return w.composed(x, [found.get((k,), M.mpf(0)) for k in range(w.order + 1)])

    return slopes


def _elu(w: _Work, x: Jet) -> Jet:
    if not _start(x):
        raise Bad
    return x if _start(x) > 0 else w.sum(w.call("exp", x), {(0,): M.mpf(-1)})


def _logit(w: _Work, x: Jet) -> Jet:
    rest = w.sum({(0,): M.mpf(1)}, w.scaled(x, -1))
    return w.sum(w.call("ln", x), w.scaled(w.call("ln", rest), -1))


def _cbrt(w: _Work, x: Jet) -> Jet:
    if not _start(x):
        raise Bad
    sign = M.sign(_start(x))
    return w.scaled(w.power(w.scaled(x, sign), M.mpf(1) / 3), sign)


_FUNCTIONS: dict[str, Function] = {
    "exp": _turning([M.exp]),
    "exp2": lambda w, x: w.call("exp", w.scaled(x, M.log(2))),
    "expm1": lambda w, x: {**_turning([M.exp])(w, x), (0,): M.expm1(_start(x))},
    "ln": _taylor(_logarithm),
    "log2": _scaled(_taylor(_logarithm), lambda: 1 / M.log(2)),
    "log10": _scaled(_taylor(_logarithm), lambda: 1 / M.log(10)),
    "log1p": lambda w, x: w.integral(w.power(w.sum({(0,): M.mpf(1)}, x), M.mpf(-1)), M.log1p(_start(x))),
    "sqrt": lambda w, x: w.power(x, M.mpf("0.5")),
    "cbrt": _cbrt,
    "sin": _turning([M.sin, M.cos, lambda u: -M.sin(u), lambda u: -M.cos(u)]),
    "cos": _turning([M.cos, lambda u: -M.sin(u), lambda u: -M.cos(u), M.sin]),
    "sinh": _turning([M.sinh, M.cosh]),
    "cosh": _turning([M.cosh, M.sinh]),
    "tan": _over("sin", "cos"),
    "cot": _over("cos", "sin"),
    "sec": lambda w, x: w.power(_FUNCTIONS["cos"](w, x), M.mpf(-1)),
    "csc": lambda w, x: w.power(_FUNCTIONS["sin"](w, x), M.mpf(-1)),
    "tanh": _integral(M.tanh, _squared("sech", 1)),
    "coth": _integral(M.coth, _squared("csch", -1)),
    "sech": lambda w, x: w.power(_FUNCTIONS["cosh"](w, x), M.mpf(-1)),
    "csch": lambda w, x: w.power(_FUNCTIONS["sinh"](w, x), M.mpf(-1)),
    "asin": _integral(M.asin, _root(-1, 1)),
    "acos": _integral(M.acos, _root(-1, 1, -1)),
    "atan": _integral(M.atan, _fraction(1)),
    "asinh": _integral(M.asinh, _root(1, 1)),
    "acosh": _integral(M.acosh, _root(1, -1)),
    "atanh": _integral(M.atanh, _fraction(-1)),
    "sigmoid": _sigmoid,
    "softplus": _integral(lambda u: M.log1p(M.exp(u)), _sigmoid),
    "silu": lambda w, x: w.product(x, _sigmoid(w, x)),
    "logit": _logit,
    "elu": _elu,
    "gaussian": _gaussian,
    "erf": _erf(1),
    "erfc": _erf(-1),
    "gelu": _gelu,
    "gamma": _gamma,
    "lgamma": _lgamma,
    "digamma": _taylor(_polygamma(0)),
}

FUNCTIONS = [*_FUNCTIONS, *_BENT]
"""Functions of one argument."""

PAIRS = ["max", "min", "hypot", "logsumexp", "atan2"]
