"""Functions whose numbers come from ball arithmetic: huge arguments, ends, exact values, and what is so without the library."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from flint import arb, ctx
from mpmath import mp, mpf, workdps

import autodiff
from autodiff.core import rules, templates
from autodiff.numbers import ball_shares, float_functions
from autodiff.numbers.ball_numbers import precision
from tests.support.command import PATIENCE, process
from tests.support.reference import SLOPES, VALUES, ulps

HUGE = {
    "besselj(0, 1e10)": lambda: mpmath.besselj(0, mpf(10) ** 10),
    "bessely(3, 1e8)": lambda: mpmath.bessely(3, mpf(10) ** 8),
    "besseli(1, 700)": lambda: mpmath.besseli(1, 700),
    "besselk(1, 700)": lambda: mpmath.besselk(1, 700),
    "gammainc(1e6, 1e6)": lambda: mpmath.gammainc(mpf(10) ** 6, 0, mpf(10) ** 6, regularized=True),
    "gammaincc(50, 900)": lambda: mpmath.gammainc(50, 900, mpmath.inf, regularized=True),
    "beta(1e10, 2.5)": lambda: mpmath.beta(mpf(10) ** 10, mpf("2.5")),
    "lbeta(1e200, 1e100)": lambda: _log_beta(mpf(10) ** 200, mpf(10) ** 100),
    "binomial(1e15, 3)": lambda: mpmath.binomial(mpf(10) ** 15, 3),
    "betainc(300, 300, 0.484375)": lambda: mpmath.betainc(300, 300, 0, mpf("0.484375"), regularized=True),
    "lambertw(1e300)": lambda: mpmath.lambertw(mpf(10) ** 300).real,
    "Si(1e15)": lambda: mpmath.si(mpf(10) ** 15),
    "Ei(-700)": lambda: mpmath.ei(-700),
    "li(1e300)": lambda: mpmath.li(mpf(10) ** 300),
    "airy(-1e4)": lambda: mpmath.airyai(-(10**4)),
    "erfcinv(1e-300)": lambda: mpmath.findroot(lambda w: mpmath.log(mpmath.erfc(w)) + 300 * mpmath.ln10, 26),
}


def _log_beta(u: mpf, v: mpf) -> mpf:
    with mp.workdps(400):
        return mpmath.loggamma(u) + mpmath.loggamma(v) - mpmath.loggamma(u + v)


@pytest.mark.parametrize("text", HUGE)
def test_huge_arguments_and_tails(text: str) -> None:
    with mp.workdps(60):
        true = HUGE[text]()
        value = autodiff.evaluate(text).value
        assert abs(value - true) <= mpf(math.ulp(float(true))), (value, true)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("erfinv(0)", 0), ("erfcinv(1)", 0), ("probit(0.5)", 0), ("beta(2, 3)", 1 / 12), ("lbeta(1, 1)", 0), ("binomial(60, 30)", 118264581564861424),
        ("gammainc(2, 0)", 0), ("gammaincc(2, 0)", 1), ("betainc(2, 3, 1)", 1), ("betainc(2, 3, 0.5)", 0.6875), ("lambertw(0)", 0), ("Si(0)", 0),
        ("besselj(0, 0)", 1), ("besselj(2, 0)", 0), ("besseli(0, 0)", 1), ("factorial(5)", 120), ("5!", 120),
    ],
)  # fmt: skip
def test_exact_values_are_exact(text: str, value: float) -> None:
    answer = autodiff.evaluate(text, digits=25)
    assert (autodiff.evaluate(text).value, answer.status) == (value, "ok")


def _reflected_polygamma(n: int, u: mpf) -> mpf:
    """By ψ(1 - u) and the Taylor series of cot(πu) (DLMF 5.15.6): mpmath's own takes a million steps for u = -1e6."""
    sine, cosine = (
        [f(mp.pi * u + k * mp.pi / 2) / mpmath.factorial(k) for k in range(n + 1)] for f in (mpmath.sin, mpmath.cos)
    )
    cot: list[mpf] = []
    for k in range(n + 1):
        cot.append((cosine[k] - sum(cot[j] * sine[k - j] for j in range(k))) / sine[0])
    return (-1) ** n * mpmath.psi(n, 1 - u) - mp.pi ** (n + 1) * mpmath.factorial(n) * cot[n]


@pytest.mark.parametrize("n", [1, 2, 5, 20, 148])
@pytest.mark.parametrize("u", [-0.25, -7.0009765625, -1000000.25, -(2.0**40) - 0.25])
def test_polygamma_far_left_of_0(n: int, u: float) -> None:
    with mp.workdps(60):
        true = _reflected_polygamma(n, mpf(u))
        assert u < -10 or mpmath.almosteq(true, mpmath.psi(n, mpf(u)), 1e-40)
    answer = autodiff.evaluate("polygamma(n, x)", {"n": float(n), "x": u}, ["x"], digits=20)
    assert mpmath.almosteq(mpf(answer.value), true, 1e-19)
    assert answer.gradient["x"] is not None


@pytest.mark.parametrize(
    ("text", "at", "status", "value"),
    [
        ("trigamma(-exp(x))", 800.0, "overflow", 14.626942830056002),
        ("1 + trigamma(bessely(5, x))", 1e-70, "overflow", 2736.892161591245),
        ("betainc(20, 2, spherical_jn(0, x))", 0.0, "ok", 1.0),
    ],
)
def test_arguments_that_no_float_or_fraction_holds(text: str, at: float, status: str, value: float) -> None:
    answer = autodiff.evaluate(text, {"x": at})
    assert (answer.status, answer.value) == (status, value)
    assert autodiff.compile(text)(x=[at, 1.0])[0][0] == value


def test_a_shape_that_is_nearly_0() -> None:
    with mp.workdps(100):
        true = mpmath.gammainc(mpf(10) ** -30, 2, mpmath.inf, regularized=True)
    answer = autodiff.evaluate("gammaincc(10^-30, x)", {"x": 2.0}, digits=20)
    assert mpmath.almosteq(mpf(answer.value), true, 1e-19)
    inner = autodiff.evaluate("gammaincc(gammainc(1000, x), 0.5)", {"x": 2.0})
    assert (inner.value, inner.status, "e-2268, which float64 rounds to 0" in inner.notes[1]) == (0, "ok", True)


def test_the_order_of_a_bessel_function_is_a_whole_constant() -> None:
    assert autodiff.evaluate("besselj(1.5, x)", {"x": 1.0}).status == "domain"
    answer = autodiff.evaluate("besselj(n, x)", {"n": 1.0, "x": 2.0})
    assert answer.gradient["n"] is None
    assert answer.gradient["x"] == pytest.approx(float(mpmath.besselj(1, 2, derivative=1)), rel=1e-15)


@pytest.mark.parametrize(
    "args",
    [
        (2.0, 3.0), (0.3, 1e-8), (1e-12, 5.0), (50.0, 5.0), (5.0, 300.0), (1000.0, 1000.0), (2.0, 3.0, 0.4), (0.25, 0.5, 0.99), (40.0, 0.01, 0.999),
        (1e-9, 3.0, 0.5), (300.0, 200.0, 0.61), (7.0, 1e-6, 1e-20), (2.0, 90.0, 0.97),
    ],
)  # fmt: skip
def test_slopes_in_shapes_are_exact(args: tuple[float, ...]) -> None:
    names = "abx" if len(args) == 3 else "ax"
    name = "betainc" if len(args) == 3 else "gammainc"
    answer = autodiff.evaluate(f"{name}({', '.join(names)})", dict(zip(names, args, strict=True)))
    assert answer.status == "ok"
    for slope, true in zip(answer.gradient.values(), SLOPES[f"{name} {len(args)}"], strict=True):
        assert true is not None
        assert isinstance(slope, float)
        assert ulps(slope, true(*map(mpf, args))) <= 1


@pytest.mark.parametrize(
    ("text", "at", "true"),
    [
        ("gammainc(a, 2)", 3.0, lambda n: _shape(n, 0, mpf(3), mpf(2))), ("gammaincc(a, 2)", 3.0, lambda n: -_shape(n, 0, mpf(3), mpf(2))),
        ("gammainc(a, 900)", 20.0, lambda n: _shape(n, 0, mpf(20), mpf(900))), ("gammainc(a, 1e-9)", 0.5, lambda n: _shape(n, 0, mpf(0.5), mpf(10) ** -9)),
        ("betainc(a, 3, 0.4)", 2.0, lambda n: _shape(n, 0, mpf(2), mpf(3), mpf("0.4"))),
        ("betainc(3, a, 0.4)", 2.0, lambda n: _shape(0, n, mpf(3), mpf(2), mpf("0.4"))),
        ("betainc(a, 50, 0.984375)", 0.25, lambda n: _shape(n, 0, mpf("0.25"), mpf(50), mpf("0.984375"))),
    ],
)  # fmt: skip
def test_derivatives_in_shapes_of_higher_orders(text: str, at: float, true: Callable[[int], mpf]) -> None:
    answer = autodiff.evaluate(text, {"a": at}, order=4)
    assert answer.status == "ok"
    for n, derivative in enumerate(answer.derivatives, 1):
        assert ulps(derivative, true(n)) <= 1


def _shape(n: int, m: int, *args: mpf) -> mpf:
    if len(args) == 2:
        return VALUES["gammainc_a 3"](mpf(n), *args)
    return VALUES["betainc_ab 5"](mpf(n), mpf(m), *args)


def test_densities_of_high_orders_in_shapes() -> None:
    for text, args in (("gammapdf_a", (12, 0.875, 1.5)), ("betapdf_ab", (9, 5, 2.5, 0.25, 0.875))):
        true = VALUES[f"{text} {len(args)}"](*map(mpf, args))
        assert ulps(autodiff.evaluate(f"{text}{args}").value, true) <= 1


def test_hessians_in_shapes() -> None:
    rows = autodiff.hessian("betainc(a, b, x)", {"a": 3.0, "b": 2.0, "x": 0.3}).rows
    slopes = {key: SLOPES[f"betainc_{key} 3"] for key in "ab"}
    for name, row in zip("ab", slopes.values(), strict=True):
        for other, true in zip("abx", row, strict=True):
            assert true is not None
            assert ulps(float(rows[name][other] or 0), true(mpf(3), mpf(2), mpf(0.3))) <= 1
            assert rows[name][other] == rows[other][name]
    assert (
        autodiff.hessian("gammainc(a, x)", {"a": 3.0, "x": 2.0}, digits=30).rows["a"]["a"]
        == "0.098841548887540059754765677976"
    )
    assert autodiff.hessian("betainc(a, b, x)", {"a": 30.0, "b": 30.0, "x": 0.5}).rows["a"]["b"] == 0.0


@pytest.mark.parametrize("size", [1e8, 1e9])
def test_slopes_in_huge_shapes(size: float) -> None:
    """Near the mean, by the first terms of Temme's expansion (https://dlmf.nist.gov/8.12.E4): the next is 1/size of them."""
    answer = autodiff.evaluate("gammainc(a, x)", {"a": size, "x": size})
    density = 1 / mpmath.sqrt(2 * mpmath.pi * size)
    assert answer.gradient["a"] == pytest.approx(float(-density * (1 + 1 / (4 * size))), rel=3 / size)
    assert answer.gradient["x"] == pytest.approx(float(density), rel=1 / size)


def test_a_share_far_below_the_mean_keeps_its_digits() -> None:
    with mp.workdps(40):
        true = mpmath.log(mpmath.gammainc(10**4, 0, 100, regularized=True))
    assert autodiff.evaluate("ln(gammainc(1e4, x))", {"x": 100.0}).value == pytest.approx(float(true), rel=1e-15)


def test_a_slope_that_is_0_is_soon_known_to_be_small() -> None:
    """The library's own series of a beta distribution takes a minute for these bits."""
    answer = autodiff.evaluate("betainc(a, a, 0.5)", {"a": 1e4})
    assert (answer.status, answer.gradient["a"], answer.bits) == ("ok", 0, 2048)


def test_a_formula_names_the_derivatives_in_shapes() -> None:
    assert str(autodiff.derivative("gammainc(a, x)", "a")) == "gammainc_a(a, x)"
    assert str(autodiff.derivative("gammainc_a(a, x)", "a")) == "gammainc_a(2, a, x)"
    assert str(autodiff.derivative("betainc_a(a, b, x)", "b")) == "betainc_ab(1, 1, a, b, x)"
    digits = autodiff.evaluate("betainc(a, 3, 0.4)", {"a": 2.0}, digits=30)
    assert digits.gradient["a"] == "-0.240869376087556578208315080736"


def test_a_share_that_is_not_known_is_not_printed() -> None:
    assert autodiff.evaluate("gammainc(a, 1e20)", {"a": 1e20}).status == "unknown"


WITHOUT = """
import sys
sys.modules["flint"] = None
import autodiff
from autodiff.core import rules, templates
for row in rules.rows():
    if row.by_balls:
        answer = autodiff.evaluate(row.example)
        print(answer.status, answer.value, "pip install python-flint" in answer.hint)
"""


def test_without_the_library_the_answer_is_unknown() -> None:
    lines = _python(WITHOUT).splitlines()
    assert set(lines) == {"unknown None True"}
    assert len(lines) == len([row for row in rules.rows() if row.by_balls])


def _python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout


def test_the_library_is_loaded_when_a_function_needs_it() -> None:
    code = "import sys, autodiff; autodiff.evaluate({!r}, {{'x': 2.0}}); print('flint' in sys.modules)"
    for text, loaded in (("exp(sin(x^2)) + gamma(x)", "False\n"), ("besselj(0, x)", "True\n")):
        assert _python(code.format(text)) == loaded


def test_rows_and_exports() -> None:
    value, gradient = autodiff.compile("besselj(0, x)*y")(x=[1.0, 2.0, 30.0], y=2.0)
    assert value.tolist() == pytest.approx([2 * float(mpmath.besselj(0, x)) for x in (1, 2, 30)], rel=1e-14)
    assert gradient["x"].tolist() == pytest.approx([-2 * float(mpmath.besselj(1, x)) for x in (1, 2, 30)], rel=1e-14)
    ended = process("export", "erfinv(x)", "--to", "c")
    assert ended.status == 2
    assert "erfinv can't be exported to C" in ended.err


@pytest.mark.parametrize(
    ("text", "at", "status", "slope"),
    [
        ("gammainc(1, x)", 0.0, "ok", 1.0), ("gammaincc(1, x)/3", 0.0, "ok", -1 / 3), ("gammainc(1, x^2)", 0.0, "ok", 0.0), ("betainc(1, 2.5, x)", 0.0, "ok", 2.5),
        ("betainc(0.5, 1, x)", 1.0, "ok", 0.5), ("gammainc(0.5, x)", 0.0, "infinite", None), ("betainc(0.5, 2, x)", 0.0, "infinite", None),
        ("gammainc(0.5, x^2)", 0.0, "corner", None), ("gammainc(1, abs(x))", 0.0, "corner", None),
    ],
)  # fmt: skip
def test_shares_at_the_ends_of_their_domains(text: str, at: float, status: str, slope: float | None) -> None:
    answer = autodiff.evaluate(text, {"x": at})
    assert (answer.status, answer.gradient["x"]) == (status, slope)


TAILS: dict[str, list[tuple[float, ...]]] = {
    "normcdf": [(-29.0,), (-37.20436772298296,), (-4.02,), (-0.99,)],
    "gelu": [(-29.0,), (-36.77856674333798,), (-12.3,)],
    "logsumexp": [(-494.0012566919201, 24.500015258789062), (248.73927145694165, -277.41844236688786), (0.1, 700.7)],
    "spherical_jn": [(20.0, 19.0), (20.0, 19.180525011345125), (20.0, 2.5), (6.0, 5.88), (6.0, 0.3)],
    "polygamma": [(21.0, -14.9), (65.0, -273.1384058144123), (5.0, -0.45), (149.0, 161.75), (145.0, -51.75), (148.0, 147.0), (0.0, 1.46163)],
    "trigamma": [(-0.25,), (-41.5,)],
    "digamma": [(1.4616321,), (1.9,), (1.0,)],
    "lgamma": [(1.0001,), (1.9999,), (2.588790598348358,), (3.3,), (1.5,), (2.5,)],
}  # fmt: skip
"""Points where a plain formula loses digits: by an exponent's rounding, a difference, or a sum of larger terms."""


@pytest.mark.parametrize("name", TAILS)
def test_values_and_slopes_hold_eight_units_in_tails_and_beside_zeros(name: str) -> None:
    row = rules.TABLE[name, len(TAILS[name][0])]
    for args in TAILS[name]:
        exact, value = [mpf(a) for a in args], templates.value(row)(*args)
        with mp.workdps(400):
            true = [VALUES[f"{name} {row.arity}"](*exact), *(s and s(*exact) for s in SLOPES[f"{name} {row.arity}"])]
        numbers = [value, *(s and templates.partial(row, k)(*args, value) for k, s in enumerate(true[1:]))]
        for number, truth in zip(numbers, true, strict=True):
            assert truth is None or ulps(number, truth) <= (8 if number is value else 14), (args, number, truth)


GAMMA_FAMILY = ("gamma", "lgamma", "digamma", "trigamma")


@pytest.mark.parametrize("name", GAMMA_FAMILY)
def test_the_gamma_family_holds_four_and_eight_units_right_of_0(name: str) -> None:
    row, of_value, of_slope = rules.TABLE[name, 1], VALUES[f"{name} 1"], SLOPES[f"{name} 1"][0]
    assert of_slope is not None
    draw = random.Random(17)
    points = [draw.uniform(0, end) for end in (0.7, 3, 12, 170) for _ in range(40)]
    for u in (*points, 1e-300, 3e-9, 0.35, 0.65, 1.3616, 1.4616321449683622, 2.7322, 2.9519539380542152, 24.0, 171.0):
        value = templates.value(row)(u)
        slope = templates.partial(row, 0)(u, value)
        assert ulps(value, of_value(mpf(u))) <= (1 if name in ("gamma", "lgamma") else 4), u
        assert math.isinf(slope) or ulps(slope, of_slope(mpf(u))) <= 8, u


def test_gamma_is_rounded_once_left_of_0_too() -> None:
    draw = random.Random(18)
    for u in (draw.uniform(-170, 0) for _ in range(100)):
        assert ulps(float_functions.gamma(u), mpmath.gamma(mpf(u))) <= 1, u
        assert ulps(float_functions.lgamma(u), mpmath.log(abs(mpmath.gamma(mpf(u))))) <= 1, u
        assert ulps(templates.value(rules.TABLE["factorial", 1])(u), mpmath.gamma(1 + mpf(u))) <= 2, u


def test_a_bound_that_float64_cannot_hold_calls_for_balls() -> None:
    for text, at, slope in (
        ("gaussian(x)", -27.040276293186917, 1.53852686e-316),
        ("normpdf(x)", 38.2403, -4.4126e-317),
    ):
        answer = autodiff.evaluate(text, {"x": at})
        assert (answer.status, answer.bits > 0) == ("ok", True)
        assert answer.gradient["x"] == pytest.approx(slope, rel=1e-3)


@pytest.fixture
def series(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The series that shares are summed by: how many terms, the precision, and the arguments."""
    summed: list[tuple[Any, ...]] = []
    terms = ball_shares._terms

    def counted(*args: Any) -> int:
        summed.append((count := terms(*args), ctx.prec, *(a and (a.mid().man_exp(), a.rad().man_exp()) for a in args)))
        return count

    monkeypatch.setattr(ball_shares, "_terms", counted)
    return summed


@pytest.mark.parametrize(
    ("a", "b", "u"),
    [(0.75, 5e-324, 0.8414), (0.75, 5e-324, 0.9991), (1.5, 1e-20, 0.8414), (3.0, 1e-300, 0.9999999), (1e-300, 2e-310, 0.7), (1e-200, 50.0, 0.1)],
)  # fmt: skip
def test_shares_of_a_shape_near_0_are_summed(a: float, b: float, u: float, series: list[tuple[Any, ...]]) -> None:
    with precision(160), workdps(400):
        share = ball_shares.beta_share(arb(a), arb(b), arb(u))
        true = mpf(u) ** a / (a * mpmath.beta(a, b)) * mpmath.hyp2f1(a, 1 - mpf(b), mpf(a) + 1, u)
        assert abs(mpf(share.str(40, radius=False)) / true - 1) < 1e-18
    assert 0 < sum(terms for terms, *_ in series) < 20_000


@pytest.mark.parametrize(("a", "u"), [(1e8, 1e5), (1e12, 1e11), (3.0, 0.7), (0.5, 1e-300)])
def test_a_share_far_below_the_shape_needs_as_many_terms_as_digits(
    a: float, u: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ball_shares, "acb", None)  # the library's series, whose bound of the rest wants 4u terms
    with precision(160), workdps(400):
        share = ball_shares.lower_share(arb(a), arb(u))
        rest, term, k = mpf(1), mpf(1), 0
        while term > 1e-60:
            k += 1
            term *= mpf(u) / (mpf(a) + k)
            rest += term
        logarithm = mpf(a) * mpmath.log(u) - u - mpmath.loggamma(mpf(a) + 1) + mpmath.log(rest)
        assert abs(mpf(share.log().str(30, radius=False)) / logarithm - 1) < 1e-25


def test_slopes_in_shapes_take_few_bits_for_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    leanings = list[arb]()

    def by_differences(*given: Any) -> arb:
        leanings.extend(given[-1])
        return arb(0)

    monkeypatch.setattr(ball_shares, "_by_differences", by_differences)
    with precision(10_000):
        ball_shares.gamma_in_shape(arb(1), arb(5e-324), arb(5e-324))
        ball_shares.beta_in_shapes(arb(1), arb(0), arb(5e-324), arb(2), arb(0.5))
    assert len(leanings) == 3
    assert all(leaning.mid().bits() <= 128 for leaning in leanings)


def test_a_share_in_huge_shapes_is_summed_once_for_all_slopes(series: list[tuple[Any, ...]]) -> None:
    autodiff.hessian("betainc(a, b, x)", {"a": 1e8, "b": 1e8, "x": 0.5})
    summed = [part for part in series if part[1] >= 128 and part[0] * part[1] < ball_shares._MOST_WORK]
    assert len(summed) == len(set(summed))
    assert sum(terms * bits for terms, bits, *_ in summed) < 2_000_000_000


@pytest.mark.parametrize("x", [0.999, 1 - 2.0**-30, 0.9999999999])
def test_a_huge_shape_beside_one_near_0_has_second_slopes(x: float) -> None:
    """With t = a*(1 - x) the share is about b*E1(t)."""
    answer = autodiff.hessian("betainc(a, b, x)", {"a": 1e8, "b": 1e-300, "x": x})
    assert answer.status == "ok"
    assert answer.values["f"] == pytest.approx(float(mpf("1e-300") * mpmath.e1(1e8 * (1 - x))), rel=1e-6)


def test_balls_that_are_remembered_are_not_taken_for_the_same_equation() -> None:
    # digamma(u + 1) and digamma(u + 0.5) have the same ball below 530 bits, and their difference was exactly 0
    answer = autodiff.evaluate("binomial(x, 0.5)", {"x": 1e160})
    assert answer.gradient["x"] == 5.641895835477563e-81
    share = autodiff.evaluate("digamma(x + 1) - digamma(x + 0.5)", {"x": 1e160})
    assert share.value == 5e-161
