"""Values and one-sided slopes at ends of domains with logarithms: compositions of x^x, x*ln(x) and x/ln(x) at x = 0."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from mpmath import mp, mpf

import autodiff as package
from autodiff.api.evaluate import evaluate
from autodiff.arrays.scalarize import flatten
from autodiff.core.evaluate import Indeterminate
from autodiff.core.lowering import Lowered, lower
from autodiff.numbers import one_sided
from autodiff.numbers.one_sided import Series
from autodiff.numbers.one_sided_terms import NOTHING, Term
from tests.support.command import autodiff
from tests.support.programs import value_in_digits

INF = math.inf

ENDS: list[tuple[str, str, float | None, float | None, float | None]] = [
    # program, status, slope, from the left, from the right; None where there is none
    ("x^x", "infinite", None, None, -INF),
    ("xlogy(x, x)", "infinite", None, None, -INF),
    ("exp(xlogy(x, x))", "infinite", None, None, -INF),
    ("sin(x^x)", "infinite", None, None, -INF),
    ("(x^x)^2", "infinite", None, None, -INF),
    ("x^(-x)", "infinite", None, None, INF),
    ("x^x + 1e6*x", "infinite", None, None, -INF),
    ("x^(2x) - x^x", "infinite", None, None, -INF),
    ("x^(2x) - 2*x^x", "ok", 0, None, 0),
    ("xlogy(sin(x), sin(x))", "infinite", None, None, -INF),
    ("xlogy(sqrt(x), x)", "infinite", None, None, -INF),
    ("xlogy(x, x^2)", "infinite", None, -INF, -INF),
    ("(x^2)^x", "infinite", None, -INF, -INF),
    ("abs(x)^abs(x)", "infinite", None, INF, -INF),
    ("entropy([x, 1 - x])", "infinite", None, None, INF),
    ("sqrt(entropy([x, 1 - x]))", "infinite", None, None, INF),
    ("kl([x, 1 - x], [0.5, 0.5])", "infinite", None, None, -INF),
    ("bce(x, x)", "infinite", None, None, INF),
    ("cross_entropy([x, 1 - x], [x, 1 - x])", "infinite", None, None, INF),
    ("if(x == 0, 0, x*ln(x))", "infinite", None, None, -INF),
    ("if(x == 0, 0, x*log(x, 3)^3)", "infinite", None, None, -INF),
    ("if(x == 0, 0, x*log2(x)*log10(x))", "infinite", None, None, INF),
    ("if(x == 0, 0, 1/ln(x))", "infinite", None, None, -INF),
    ("if(x == 0, 1, (1/x)^x)", "infinite", None, None, INF),
    ("x^(x + 0.5)", "infinite", None, None, INF),
    ("x^0.9999999999999999", "infinite", None, None, INF),
    ("x^(0.1 + 0.2 - 0.3 + x)", "infinite", None, None, -INF),
    ("(x^(1/3))^3", "ok", 1, None, 1),
    ("x*x^x", "ok", 1, None, 1),
    ("x^2*x^x", "ok", 0, None, 0),
    ("x*xlogy(x, x)", "ok", 0, None, 0),
    ("xlogy(x^2, x)", "ok", 0, None, 0),
    ("x^(x^2)", "ok", 0, None, 0),
    ("x^(x^x)", "ok", 1, None, 1),
    ("(x^x)^x", "ok", 0, None, 0),
    ("xlogy(x^2, x^2) + 3x", "ok", 3, 3, 3),
    ("xlogy(x, 2x) - xlogy(x, x)", "ok", math.log(2), None, math.log(2)),
    ("x^x - exp(xlogy(x, x))", "ok", 0, None, 0),
    ("(2x)^x/x^x", "ok", math.log(2), None, math.log(2)),
    ("kl([x, 1 - x], [x/2 + (1 - x)/4, 0.5]) - xlogy(x, 4x)", "ok", -1 - math.log(2), None, -1 - math.log(2)),
    ("if(x == 0, 0, x/ln(x))", "ok", 0, None, 0),
    ("if(x == 0, 0, x/(1 + 1/ln(3x)))", "ok", 1, None, 1),
    ("if(x == 0, 0, x*(ln(2x) - ln(x)))", "ok", math.log(2), None, math.log(2)),
    ("if(x == 0, 0, x*ln(2x)/ln(x))", "ok", 1, None, 1),
    ("if(x^x < 1, x, 2x)", "ok", 1, None, 1),
    ("max(x^x, 1)", "ok", 0, None, 0),
    ("max(x^x, 1 - 9x)", "ok", -9, None, -9),
    ("floor(x^x)", "jump", None, None, 0),
    ("0^x", "jump", None, None, 0),
    ("if(x == 0, 1, 2*x^x)", "jump", None, None, -INF),
    ("xlogy(x, 0)", "domain", None, None, None),
    ("xlogy(x, -x^2)", "domain", None, None, None),
    ("x + (-x^2)^x", "domain", None, None, None),
    ("if(x == 0, 0, x*ln(ln(1/x)))", "unknown", None, None, None),
    ("if(x == 0, 0, x*log2(x) - x*ln(x)/ln(2))", "ok", 0, None, 0),
    ("if(x == 0, 0, x*log(x, 3) - x*ln(x)/ln(3))", "ok", 0, None, 0),
    ("if(x == 0, 0, x^2*ln(ln(1/x)))", "ok", 0, None, 0),
    ("if(x == 0, 0, x*ln(x)*ln(ln(1/x)) + x*ln(x)^2)", "infinite", None, None, INF),
]


@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
@pytest.mark.parametrize(("text", "status", "slope", "left", "right"), ENDS, ids=[text for text, *_ in ENDS])
def test_one_sided_slopes_at_0_are_exact(
    text: str, status: str, slope: float | None, left: float | None, right: float | None, mode: str
) -> None:
    answer = evaluate(text, {"x": 0.0}, mode=mode)
    found = answer.verdicts["x"]
    assert answer.status == found.status == status
    assert answer.gradient["x"] == (slope if slope is None else pytest.approx(slope, rel=1e-15))
    for side, true in ((found.left, left), (found.right, right)):
        assert side == (true if true is None else pytest.approx(true, rel=1e-15))
    assert answer.complete == (status == "ok")
    assert bool(answer.why) == (status != "ok")


@pytest.mark.parametrize(("text", "status", "slope"), [case[:3] for case in ENDS], ids=[text for text, *_ in ENDS])
def test_eval_rows_and_explain_agree_in_the_command(
    text: str, status: str, slope: float | None, tmp_path: Path
) -> None:
    once = json.loads(autodiff("eval", text, "--at", "x=0", "--format", "json").out)
    assert (once["status"], once["gradient"]["x"]) == (status, evaluate(text, {"x": 0.0}).gradient["x"])
    table = tmp_path / "rows.csv"
    table.write_text("x\n0.25\n0\n0.75\n")
    rows = [
        json.loads(line) for line in autodiff("eval", text, "--data", str(table), "--to", "ndjson").out.splitlines()
    ]
    assert rows[1]["status"] == status
    assert (rows[1]["f"], rows[1]["df/dx"]) == (once["value"], once["gradient"]["x"])
    ended = autodiff("explain", text, "--at", "x=0")
    assert ended.status == (0 if status == "ok" else 3)
    assert f"df/dx = {'none' if slope is None else ''}" in ended.out
    assert "nan" not in ended.out.lower()


def test_several_inputs_at_a_corner_are_expanded_one_by_one() -> None:
    answer = evaluate("x^x + y^2*x^x", {"x": 0.0, "y": 3.0})
    assert (answer.value, answer.status) == (10.0, "infinite")
    assert answer.gradient == {"x": None, "y": 6.0}
    assert evaluate("x^y", {"x": 0.0, "y": 0.0}).verdicts["y"].status == "jump"


# --- limits in high precision -------------------------------------------------------------------------------------------

SMALL = ["x", "2*x", "sin(x)", "x + x^2", "x^2", "exp(x) - 1", "x*(1 + x)", "tanh(3*x)", "x^3", "sqrt(x)", "x^1.5", "x - sin(x)", "1 - cos(x)", "abs(x)", "x*x^x", "log1p(x)", "1 - x^x", "x/(3 - x)"]  # fmt: skip
"""What is 0 at 0 and positive on the right."""

EXPONENTS = ["{q}", "0.5 + {q}", "1 + {q}", "2 + {q}", "1 - {q}", "{q}/2", "{p}*{q}", "-({q})"]
ENDING = ["(({p})^({e}))", "xlogy({p}, {q})", "xlogy({p}, {p})", "xlogy({p}, -abs({q}))", "if(x == 0, 0, ({p})*ln({q}))", "if(x == 0, 0, ({p})*log2({q}))", "if(x == 0, 0, ({p})*log({q}, 2 + x))", "if(x == 0, 0, ({p})/ln({q}))", "kl([{p}, 0.5], [0.2 + x, 0.5])"]  # fmt: skip
AROUND = ["2*{f}", "{f} + x", "{f}*(1 + x)", "sin({f})", "exp({f})", "({f})^2", "atan({f})", "{f}*x", "{f} - x^2", "1/(2 + tanh({f}))", "{f} + {g}", "{f} - {g}", "{f}*({g})", "sqrt(abs({f}))", "abs({f})", "max({f}, {g})", "xlogy({f}, abs({f}) + x)", "abs({f})^x", "x^abs({f})", "cbrt({f})", "{f}*x^x", "xlogy(x, 2 + {f})", "if({f} > {g}, {f}, {g})", "hypot({f}, {g})", "log1p({f})", "relu({f})"]  # fmt: skip

CASES = 4 * int(os.environ.get("AUTODIFF_CASES", "150"))


def _compositions(chance: random.Random) -> Iterator[str]:
    def ending() -> str:
        p, q = chance.choice(SMALL), chance.choice(SMALL)
        return chance.choice(ENDING).format(p=p, q=q, e=chance.choice(EXPONENTS).format(p=f"({p})", q=f"({q})"))

    while True:
        text = ending()
        for _ in range(chance.randrange(4)):
            other = ending() if chance.random() < 0.5 else chance.choice(SMALL)
            text = chance.choice(AROUND).format(f=text, g=other)
        if len(text) < 300:
            yield text


def _side(lowered: Lowered, here: mpf, sign: int) -> tuple[str, float]:
    """What values at ever smaller steps show; each step is the square of the one before, so its logarithm the double."""
    moved, slopes = [], []
    for digits in (12, 24, 48):
        step = sign * mpf(10) ** -digits
        try:
            value = mpf(value_in_digits(lowered, {"x": step}))
        except (TypeError, ValueError, ZeroDivisionError):
            return "gone", math.nan
        moved.append(abs(value - here))
        slopes.append((value - here) / step)
    if moved[2] > mpf(10) ** -5:
        return ("jump", math.nan) if moved[2] > 0.75 * moved[1] else ("infinite", math.copysign(INF, slopes[2]))
    before, after = abs(slopes[1] - slopes[0]), abs(slopes[2] - slopes[1])
    if after < mpf(10) ** -7 * (1 + abs(slopes[2])):
        return "slope", float(slopes[2])
    if after > 1.2 * before:
        return "infinite", math.copysign(INF, slopes[2] - slopes[1])
    return "slow", math.nan  # such as a + b/ln(x): too slow to be told a


def _truth(lowered: Lowered, here: mpf) -> tuple[str, list[tuple[str, float]]]:
    sides = [_side(lowered, here, sign) for sign in (-1, 1)]
    kinds = {kind for kind, _ in sides}
    for status, kind in (("slow", "slow"), ("jump", "jump"), ("infinite", "infinite")):
        if kind in kinds:
            return status, sides
    slopes = [slope for kind, slope in sides if kind == "slope"]
    if not slopes:
        return "domain", sides
    return ("ok" if max(slopes) - min(slopes) <= 1e-6 * (1 + sum(map(abs, slopes))) else "corner"), sides


def test_compositions_agree_with_limits_in_high_precision() -> None:
    seen = dict.fromkeys(("ok", "infinite", "domain", "corner", "jump", "unknown", "slow"), 0)
    for k, text in enumerate(itertools.islice(_compositions(random.Random(11)), CASES)):
        lowered = lower(package.parse(text))
        if "[" in text and (flat := flatten(lowered, {})) is not None:
            lowered = flat.lowered
        answer = evaluate(text, {"x": 0.0}, mode=("reverse", "forward", "both")[k % 3])
        with mp.workdps(130):
            here = value_in_digits(lowered, {"x": mpf(0)})
            assert answer.value == pytest.approx(float(here), rel=1e-12), text
            status, sides = _truth(lowered, here)
        seen[answer.status if status != "slow" else "slow"] += 1
        if answer.status == "unknown":
            continue
        if status == "slow":
            assert answer.status in ("ok", "corner"), (text, sides)
            continue
        assert answer.status == status, (text, answer, sides)
        found = answer.verdicts.get("x")
        if found is None:
            assert answer.gradient["x"] == pytest.approx(sides[1][1], rel=1e-6, abs=1e-6), text
        elif status != "jump":
            for side, (kind, slope) in zip((found.left, found.right), sides, strict=True):
                assert side == (None if kind == "gone" else pytest.approx(slope, rel=1e-6, abs=1e-6)), (text, sides)
    assert seen["ok"] > CASES // 4
    assert seen["infinite"] > CASES // 4
    assert min(seen[status] for status in ("domain", "slow")) > 0, seen
    assert seen["unknown"] <= 0.02 * CASES


BENT = ["abs(x)^3", "x*abs(x)", "relu(x)^2", "max(x^2, x^3)", "cbrt(x)^4", "cbrt(x)^6", "x^2.5", "x^1.5", "x^3.5*x^x", "if(x <= 0, x^2, x^3)", "hypot(x, x^2)^2", "sqrt(1 - cos(x))^3", "if(x == 0, 1, sin(x)/x)", "x^3*floor(x)", "x^2*x^x", "xlogy(x^3, x)", "xlogy(x^4, x^2)", "if(x == 0, 0, x^2/ln(x))"]  # fmt: skip
MADE = ["{f}", "sin({f})", "exp({f})", "({f})*(1 + x)", "({f}) + x^2", "({f})*({g})", "({f}) - ({g})", "1/(2 + {f})"]


def _difference(lowered: Lowered, here: mpf, sign: int, order: int) -> tuple[str, float]:
    """The same for a derivative of a higher order, from differences forward along the side."""
    found = []
    for digits in (8, 16, 32):
        step = sign * mpf(10) ** -digits
        try:
            values = [here, *(mpf(value_in_digits(lowered, {"x": k * step})) for k in range(1, order + 1))]
        except (TypeError, ValueError, ZeroDivisionError):
            return "gone", math.nan
        found.append(sum((-1) ** (order - k) * math.comb(order, k) * v for k, v in enumerate(values)) / step**order)
    before, after = abs(found[1] - found[0]), abs(found[2] - found[1])
    if after < mpf(10) ** -6 * (1 + abs(found[2])):
        return "slope", float(found[2])
    if after > 1.2 * before:
        return "infinite", math.copysign(INF, found[2] - found[1])
    return "slow", math.nan


def test_higher_derivatives_agree_with_limits_in_high_precision() -> None:
    chance, seen = random.Random(5), dict.fromkeys(("there", "corner", "infinite", "unknown"), 0)
    for _ in range(CASES):
        f, g = chance.choice(BENT), chance.choice(BENT)
        text = chance.choice(MADE).format(f=f, g=g)
        answer, lowered = evaluate(text, {"x": 0.0}, order=3), lower(package.parse(text))
        assert answer.derivatives[0] is not None, text
        for order, found in enumerate(answer.derivatives[1:], 2):
            with mp.workdps(120):
                here = value_in_digits(lowered, {"x": mpf(0)})
                sides = [_difference(lowered, here, sign, order) for sign in (-1, 1)]
            kinds, slopes = {kind for kind, _ in sides}, [slope for kind, slope in sides if kind != "gone"]
            if "slow" in kinds:
                break
            same = max(slopes) - min(slopes) <= 1e-5 * (1 + abs(slopes[0])) if "infinite" not in kinds else False
            if found is None:
                seen[answer.status] += 1
                assert answer.status in ("unknown", "infinite" if "infinite" in kinds else "corner"), (text, sides)
                assert answer.status == "unknown" or not same, (text, order, sides)
                break
            seen["there"] += 1
            assert same, (text, order, found, sides)
            assert found == pytest.approx(slopes[0], rel=1e-5, abs=1e-5), (text, order)
    assert min(seen["there"], seen["corner"], seen["infinite"]) > CASES // 20, seen
    assert seen["unknown"] <= 0.02 * CASES, seen


# --- the terms ----------------------------------------------------------------------------------------------------------


def _in_digits(a: Series, t: mpf) -> mpf:
    def digits(number: object) -> mpf:
        assert isinstance(number, int | Fraction)
        return mpf(Fraction(number).numerator) / Fraction(number).denominator

    total = mpf(0)
    for term in a.terms:
        total += digits(term.coefficient) * t ** digits(term.power) * mp.ln(1 / t) ** digits(term.logs)
    return total


T, LOG = one_sided.step(), one_sided.logarithm(-1, 0)
TERMS = [
    one_sided.plus(T, one_sided.times(T, LOG)),
    one_sided.times(T, one_sided.times(LOG, LOG)),
    one_sided.plus(one_sided.constant(1.0), one_sided.over(T, LOG)),
    one_sided.over(one_sided.constant(2.0), one_sided.plus(LOG, one_sided.constant(0.5))),
    one_sided.plus(one_sided.constant(3.0), T, one_sided.times(one_sided.times(T, T), LOG)),
]


@pytest.mark.parametrize(("a", "b"), [*itertools.product(TERMS, TERMS)])
def test_sums_products_and_quotients_hold_up_to_what_they_say_they_leave_out(a: Series, b: Series) -> None:
    with mp.workdps(250):
        made_of = (
            one_sided.plus(a, b),
            one_sided.minus(a, one_sided.times(b, b)),
            one_sided.times(a, b),
            one_sided.over(a, b),
        )
        for t in (mpf(10) ** -40, mpf(10) ** -80):
            u, v = _in_digits(a, t), _in_digits(b, t)
            for made, true in zip(made_of, (u + v, u - v * v, u * v, u / v), strict=True):
                found = _in_digits(made, t)
                left, size = abs(found - true), mpf(10) ** -240 * (1 + abs(found))
                if made.order != NOTHING:
                    size += 2000 * t ** mpf(made.order[0]) * mp.ln(1 / t) ** -mpf(made.order[1])
                assert left <= size, (made, t)


@pytest.mark.parametrize("a", TERMS)
def test_what_has_a_rate_is_the_total_of_it(a: Series) -> None:
    back = one_sided.total(one_sided.rate(a))
    expected = a.variation.within(back.order)
    assert back.terms == expected.terms
    assert back.low < (2, 0)


@pytest.mark.parametrize("k", [0, 1, 3])
def test_a_logarithm_alone_has_no_total(k: int) -> None:
    with pytest.raises(Indeterminate):
        one_sided.total(Series((Term(0, 1, logs=k),)))


def test_what_logarithms_leave_unknown_is_an_order_with_logarithms() -> None:
    quotient = one_sided.over(T, one_sided.plus(LOG, T)).cut(1)
    assert quotient == Series((Term(1, 1, logs=-1),), (2, 2))
    assert one_sided.logarithm(2, 1) == Series((Term(0, -2, logs=1),), (0, -Fraction(1, 64)))
