"""Verdicts at corners, jumps and ends of domains: the shared list, high-precision limits from both sides, and no NaN."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import autodiff as package
from autodiff.api.evaluate import equations, evaluate
from autodiff.api.inputs import parse_point
from autodiff.core import evaluate as primal
from autodiff.core import linearize, rules, special_points, templates
from autodiff.core.lowering import Lowered, lower
from autodiff.core.primitive import UNDEFINED, Primitive
from autodiff.core.templates import StaticArgs
from autodiff.diagnostics import SEVERITY
from autodiff.nonsmooth import expand, verdict
from autodiff.numbers import one_sided
from autodiff.numbers.exact import EXACT
from autodiff.numbers.pi_multiples import PiMultiple, turn
from autodiff.verify import cross_mode, difference
from tests.support.cached_rows import forget_rows
from tests.support.command import autodiff
from tests.support.paths import SPECIAL_POINTS
from tests.support.programs import value_in_digits

# Points that break other tools, with the truth. "status" may list what is honest.
HARD: list[dict[str, Any]] = json.loads(SPECIAL_POINTS.read_text())


def _id(case: dict[str, Any]) -> str:
    return f"{case['expr']} at {case['at']}"


def _close(found: float | None, true: float) -> bool:
    return found is not None and abs(found - true) <= 8 * math.ulp(true)


@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
@pytest.mark.parametrize("case", HARD, ids=_id)
def test_the_shared_list_through_the_library(case: dict[str, Any], mode: str) -> None:
    answer = evaluate(case["expr"], case["at"], case.get("wrt"), mode)
    assert answer.status in ([case["status"]] if isinstance(case["status"], str) else case["status"])
    if "value" in case:
        assert _close(answer.value, case["value"])
    if answer.status == "ok":
        for name, true in case.get("gradient", {}).items():
            assert _close(answer.gradient[name], true)
        assert answer.complete
    else:
        assert answer.why
        assert None in answer.gradient.values()
    if "one_sided" in case:
        assert {name: list(sides) for name, sides in answer.one_sided.items()} == case["one_sided"]


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("case", HARD, ids=_id)
def test_the_shared_list_through_the_command(case: dict[str, Any], mode: str) -> None:
    at = ",".join(f"{name}={value!r}" for name, value in case["at"].items())
    wrt = ["--wrt", ",".join(case["wrt"])] if "wrt" in case else []
    ended = autodiff("eval", case["expr"], "--at", at, *wrt, "--mode", mode, "--format", "json")
    data = json.loads(ended.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert data["status"] in ([case["status"]] if isinstance(case["status"], str) else case["status"])
    assert ended.status == (0 if data["status"] == "ok" else 3)
    assert data.get("one_sided") == case.get("one_sided") or "one_sided" not in case
    text = autodiff("eval", case["expr"], "--at", at, *wrt, "--mode", mode)
    assert text.status == ended.status
    assert len(text.err.splitlines()) <= 5
    assert "nan" not in text.out.lower()
    assert "inf" not in text.out.replace("(infinite)", "").lower()


@pytest.mark.parametrize(
    ("text", "at", "status", "slope", "sides"),
    [
        ("sqrt(x^2)", 0, "corner", None, (-1, 1)),
        ("x*sqrt(x)", 0, "ok", 0, None),
        ("cbrt(x)^3", 0, "ok", 1, None),
        ("cbrt(x)", 0, "infinite", None, (None, None)),
        ("abs(x^3)", 0, "ok", 0, None),
        ("acos(1-x^2)", 0, "corner", None, (-(2**0.5), 2**0.5)),
        ("max(x, x^2)", 0, "corner", None, (0, 1)),
        ("sin(x) - x + abs(x)", 0, "corner", None, (-1, 1)),
        ("if(x <= 0, x^2, x^3)", 0, "ok", 0, None),
        ("if(x <= 1, x^2, 2x - 1)", 1, "ok", 2, None),
        ("if(x <= 1, x^2, x)", 1, "corner", None, (2, 1)),
        ("if(x < 1 and x < 2, 1, 2)", 1, "jump", None, (0, 0)),
        ("floor(x) - floor(x)", 3, "ok", 0, None),
        ("floor(x^2)", 0, "ok", 0, None),
        ("floor(-x^2)", 0, "jump", None, (0, 0)),
        ("sign(x)^2", 0, "jump", None, (0, 0)),
        ("x*sign(x)", 0, "corner", None, (-1, 1)),
        ("round(x)", 2.5, "jump", None, (0, 0)),
        ("atan2(x, -1)", 0, "jump", None, (-1, -1)),
        ("mod(x, 2)", 4, "jump", None, (1, 1)),
        ("clamp(x, 0, 1)", 1, "corner", None, (1, 0)),
        ("clamp(x, 0, 1) + relu(x - 1)", 1, "ok", 1, None),
        ("elu(x)", 0, "ok", 1, None),
        ("leaky_relu(x, 0.2)", 0, "corner", None, (0.2, 1)),
        ("hypot(x, 0)", 0, "corner", None, (-1, 1)),
        ("sqrt(-x^2)", 0, "domain", None, None),
        ("x^x", 0, "infinite", None, (None, None)),
        ("if(x > 0, 1/x, 0)", 0, "unknown", None, None),
        ("asin(x)", 1, "infinite", None, (None, None)),
        ("x^2*if(x > 0, 1, -1)", 0, "ok", 0, None),
        ("xlogy(x, 2) + 0^x", 1, "ok", math.log(2), None),
        ("max(x, x)", 2, "ok", 1, None),
        ("0*sqrt(x)", 0, "ok", 0, None),
        ("max(sin(x), x)", 0, "ok", 1, None),
        ("max(x, x + x^2)", 0, "ok", 1, None),
        ("abs(x - sin(x))", 0, "ok", 0, None),
        ("abs(tan(x) - x - x^3/3)", 0, "ok", 0, None),
        ("if(x^2 > x^3, x, 2x)", 0, "ok", 1, None),
        ("if(sin(x) < x, x^2, x)", 0, "corner", None, (1, 0)),
        ("if(x - x^3/6 < sin(x), 1, x)", 0, "jump", None, (1, 0)),
        ("if(elu(x) > x, 1, 0)", 0, "jump", None, (0, 0)),
        ("floor(cos(x))", 0, "jump", None, (0, 0)),
        ("floor(x^2 - x^3)", 0, "ok", 0, None),
        ("cbrt(x - sin(x))", 0, "ok", 0.5503212081491044, None),
        ("cbrt(x - sin(x)) - cbrt(x^3/6)", 0, "ok", 0, None),
        ("sqrt(1 - cos(x))", 0, "corner", None, (-(0.5**0.5), 0.5**0.5)),
        ("hypot(x, x^2)", 0, "corner", None, (-1, 1)),
        ("asin(1 - x^4)", 0, "ok", 0, None),
        ("if(x == 0, 1, sin(x)/x)", 0, "ok", 0, None),
        ("if(x == 1, 1, ln(x)/(x - 1))", 1, "ok", -0.5, None),
        ("if(x == 0, 0, (1 - cos(x))/x)", 0, "ok", 0.5, None),
        ("max(x^x, 1)", 1, "corner", None, (0, 1)),
        ("sqrt(x^2 - x^3)", 0, "corner", None, (-1, 1)),
        ("sqrt(x^3 - x^2)", 0, "domain", None, None),
        ("if(sin(x)^2 + cos(x)^2 >= 1, 1, 2)", 0.3, "unknown", None, None),
        ("if(1e-20*x + sin(x) - x > 0, 1, 0)", 0, "jump", None, (0, 0)),
        ("sin(asin(x))", -1, "ok", 1, None),
        ("floor(x)", 1e17, "jump", None, (0, 0)),
        ("ceil(x)", -1e300, "jump", None, (0, 0)),
        ("floor(x) + 1e20", 3, "jump", None, (0, 0)),
        ("round(x)", 1e17, "ok", 0, None),
        ("mod(x, 3)", 3e17, "jump", None, (1, 1)),
        ("cos(2*asin(x))", 1, "ok", -4, None),
        ("sin(acos(x))", 1, "infinite", None, (None, None)),
        ("3*sin(atan2(x, -2))", 0, "ok", 1.5, None),
        ("abs(sin(atan2(x, -1)))", 0, "corner", None, (-1, 1)),
        ("tan(asin(x))*sqrt(1 - x^2)", 1, "unknown", None, None),
        ("cos(asin(x)*1.0000000000000002)", 1, "infinite", None, (None, None)),
        ("floor(x)*sin(pi*x)", 1, "corner", None, (0, -math.pi)),
        ("csch(abs(x) + 1e-200)", 0, "unknown", None, None),
        ("abs(x)/abs(x + 1)", -1e-320, "ok", -1, None),
        ("if(x == 0, 0, abs(x)/x)", 0, "jump", None, (0, 0)),
        ("max(sin(x), sin(x))", 0, "ok", 1, None),
    ],
)
def test_verdicts(
    text: str, at: float, status: str, slope: float | None, sides: tuple[float | None, ...] | None
) -> None:
    for mode in ("reverse", "forward"):
        answer = evaluate(text, {"x": at}, mode=mode)
        assert answer.status == status, answer
        if slope is not None:
            assert _close(answer.gradient["x"], slope)
        if sides is not None:
            for found, true in zip(answer.one_sided["x"], sides, strict=True):
                assert found is None if true is None else _close(found, true)


# --- limits from both sides, in high precision -------------------------------------------------------------------------

CORNER_ROWS = [
    row for row in rules.rows() if row.kind == "elementwise" and (row.kink or row.jump or row.vertical_tangent)
]
INNER = ["{d}", "2*{d}", "-{d}", "sin({d})", "{d}*(1 + {d})", "{d} + {d}^2", "exp({d}) - 1", "{d}*(2 + cos({d}))", "{d}^2", "-({d}^2)", "tanh(3*{d})", "{d}^3 + {d}", "atan({d}) - {d}^2", "cos({d}) - 1"]  # fmt: skip
OUTER = ["{f}", "2*{f}", "{f} + {d}", "{f}*(1 + {d})", "sin({f})", "exp({f})", "{f}*cos({d})", "{f}^2 + {d}", "atan({f}) - 3*{d}", "{f}*{d}", "{f} - {d}^2", "1/(2 + tanh({f}))"]  # fmt: skip
NEARLY = ["{g} + {d}^2", "{g} - {d}^2", "{g} + {d}^3", "sin({g})", "{g} + {d}^2*sin({d})", "exp({g}) - 1", "{g}*(1 + {d}^2)", "tanh({g})"]  # fmt: skip
"""What has the slope of g, or its half, but is another function."""

PAIR: list[tuple[str, ...]] = [("{g}", "{h}"), ("1 + {g}", "1"), ("{g}", "{n}"), ("{n}", "{g}"), ("2 + {g}", "2 + {n}")]
PLACES: dict[str, list[tuple[str, ...]]] = {
    "^ 2": [("{g}", "0.5"), ("{g}", "0.25"), ("{g}", "0.9"), ("{g} - ({n})", "0.5")],
    "mod 2": [("4 + {g}", "2"), ("{g}", "1"), ("-3 + {g}", "1.5"), ("4 + 2*({g})", "2 + {n}"), ("4 + {g}", "2 + {h}")],
    "hypot 2": [("{g}", "0"), ("{g}", "2*({g})"), ("0", "{g}"), ("{g}", "{h}"), ("{g}", "{n}")],
    "min 2": PAIR,
    "max 2": PAIR,
    "clamp 3": [("{g}", "0", "1"), ("1 + {g}", "0", "1"), ("1 + {g}", "-1", "1 + {h}"), ("{g}", "{n}", "1"), ("{g}", "-1", "{n}")],
    "leaky_relu 2": [("{g}", "0.2"), ("{g}", "0.2 + {h}"), ("{g} - ({n})", "0.2")],
    "elu 2": [("{g}", "2"), ("{g}", "2 + {h}"), ("{g} - ({n})", "0.5")],
    "atan2 2": [("{g}", "-1"), ("{g}", "-2 + {h}"), ("{g} - ({n})", "-1")],
    "asin 1": [("1 + {g}",), ("-1 + {g}",), ("1 + {g} - ({n})",)],
    "acos 1": [("1 + {g}",), ("-1 + {g}",), ("1 + {g} - ({n})",)],
    "asec 1": [("1 + {g}",), ("-1 + {g}",), ("1 + {g} - ({n})",)],
    "acsc 1": [("1 + {g}",), ("-1 + {g}",), ("1 + {g} - ({n})",)],
    "asech 1": [("1 + {g}",), ("1 + {g}",), ("1 + {g} - ({n})",)],
    "acosh 1": [("1 + {g}",), ("1 + {g} - ({n})",)],
    "round 1": [("0.5 + {g}",), ("1.5 + {g}",), ("0.5 + {g} - ({n})",)],
    "floor 1": [("2 + {g}",), ("{g}",), ("{g} - ({n})",)],
    "ceil 1": [("-3 + {g}",), ("{g}",), ("{g} - ({n})",)],
    "trunc 1": [("2 + {g}",), ("-3 + {g}",), ("{g}",), ("{g} - ({n})",)],
    "frac 1": [("2 + {g}",), ("-3 + {g}",), ("{g}",)],
    "fmod 2": [("4 + {g}", "2"), ("-3 + {g}", "1.5"), ("4 + 2*({g})", "2 + {n}"), ("4 + {g}", "2 + {h}")],
    "hardtanh 1": [("1 + {g}",), ("-1 + {g}",), ("1 + {g} - ({n})",)],
    "relu6 1": [("{g}",), ("6 + {g}",), ("{g} - ({n})",)],
}  # fmt: skip
ALONE = [("{g}",), ("{h}",), ("{g} - ({n})",)]

CASES = int(os.environ.get("AUTODIFF_CASES", "150"))
"""How many compositions per row; 500 take a minute."""


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "asin", "acos", "atan", "atan2"])
def test_exact_angles_equal_mpmath(name: str) -> None:
    parts = [turn(Fraction(k, 12)) for k in range(-30, 31)]
    numbers = [Fraction(k, 4) for k in range(-6, 7)]
    given: list[tuple[Any, ...]]
    if name in ("sin", "cos", "tan"):
        given = [(part,) for part in parts]
    else:
        given = [(u,) for u in numbers] if name != "atan2" else list(itertools.product(numbers, numbers))
    found = 0
    for args in given:
        exact = EXACT.functions[name](*args)
        if exact is not None:
            found += 1
            with mp.workdps(60):
                truth = getattr(mp, name)(*map(_in_digits, args))
                assert abs(truth - _in_digits(exact)) < mpf(10) ** -50, (name, args)
    assert found >= 3


def _in_digits(angle: Any) -> mpf:
    part = Fraction(angle.part if isinstance(angle, PiMultiple) else angle)
    return mpf(part.numerator) / part.denominator * (mp.pi if isinstance(angle, PiMultiple) else 1)


def test_a_primitive_with_a_corner_has_one_sided_expansions() -> None:
    for row in (row for row in rules.rows() if row.kind == "elementwise"):
        if row.kink:
            assert row.value in one_sided.ORDER or row.definition or row.scaling, row.signature
        if row.jump and not row.jump.side_value:
            assert row.value in one_sided.ORDER, row.signature


def _around(row: Primitive) -> Iterator[str]:
    """Random smooth compositions that pass through the special place of `row` at x = 1."""
    chance = random.Random(f"{row.name} {row.arity}")
    places = PLACES.get(f"{row.name} {row.arity}", PAIR if row.is_predicate else ALONE)
    while True:
        g, h = (chance.choice(INNER).format(d="(x - 1)") for _ in range(2))
        n = chance.choice(NEARLY).format(g=f"({g})", d="(x - 1)")
        filled = [arg.format(g=f"({g})", h=f"({h})", n=n) for arg in chance.choice(places)]
        call = (
            f"{row.name}({', '.join(filled)})"
            if row.name.isidentifier()
            else f"(({filled[0]}) {row.name} ({filled[1]}))"
        )
        if row.is_predicate:
            yes, no = chance.choice(["1", "x", "(x-1)^2", "0"]), chance.choice(["0", "x", "2-x", "(x-1)"])
            call = f"if({call}, {yes}, {no})"
        yield chance.choice(OUTER).format(f=call, d="(x - 1)")


def _side_in_digits(lowered: Lowered, here: mpf, sign: int) -> tuple[str, float]:
    """What a mathematician sees on one side: values and difference quotients at ever smaller steps."""
    quotients = []
    for digits in (8, 16):
        step = sign * mpf(10) ** -digits
        try:
            value = mpf(value_in_digits(lowered, {"x": 1 + step}))
        except (TypeError, ValueError, ZeroDivisionError):
            return "gone", math.nan
        quotients.append((value - here) / step)
    if abs(value - here) > mpf(10) ** -2:
        return "jump", math.nan
    first, last = quotients
    if abs(last) > 3 * (1 + abs(first)):
        return "infinite", math.copysign(math.inf, last)
    return "slope", 0.0 if abs(last) < 0.1 * abs(first) else float(last)


def _true_verdict(lowered: Lowered, here: mpf) -> tuple[str, list[float | None]]:
    """The status, and the slopes from the left and from the right, None where there is none."""
    sides = [_side_in_digits(lowered, here, sign) for sign in (-1, 1)]
    kinds, slopes = {kind for kind, _ in sides}, [s if kind in ("slope", "infinite") else None for kind, s in sides]
    if kinds == {"gone"}:
        return "domain", slopes
    for status in ("jump", "infinite"):
        if status in kinds:
            return status, slopes
    known = [s for s in slopes if s is not None]
    same = max(known) - min(known) <= 1e-3 * sum(map(abs, known)) + 1e-8
    return ("ok" if same else "corner"), slopes


def _compare(row: Primitive) -> tuple[int, int]:
    """Compare verdicts around a row with limits in high precision: how many there were, how many were unknown."""
    unknown = looked = 0
    for text, _ in zip(_around(row), range(CASES), strict=False):
        lowered = lower(package.parse(text))
        answer = evaluate(text, {"x": 1.0})
        assert answer.value is not None, text
        with mp.workdps(120):
            here = value_in_digits(lowered, {"x": mpf(1)})
            assert abs(here - answer.value) < 1e-9, text
            status, sides = _true_verdict(lowered, here)
        looked += 1
        if answer.status == "unknown":
            unknown += 1
            continue
        assert answer.status == status, (text, answer, sides)
        if status == "ok":
            assert answer.gradient["x"] == pytest.approx(next(s for s in sides if s is not None), rel=1e-3, abs=1e-8), (
                text
            )
        if status in ("corner", "infinite"):
            found = answer.verdicts["x"]
            assert [found.left, found.right] == [
                s if s is None else pytest.approx(s, rel=1e-3, abs=1e-8) for s in sides
            ], text
    return looked, unknown


@pytest.mark.parametrize("row", CORNER_ROWS, ids=lambda row: f"{row.name} {row.arity}")
def test_verdicts_agree_with_limits_in_high_precision(row: Primitive) -> None:
    looked, unknown = _compare(row)
    assert looked == CASES
    assert unknown <= 0.02 * looked


# --- never a NaN, never silence -----------------------------------------------------------------------------------------

SPECIAL = [0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e-308, 1e-160, -1e-160, 1e160, -1e160, 1.7e308, -1.7e308, 0.5, 2.0]


CALLS = [
    row
    for row in rules.rows()
    if row.name.isidentifier() and not row.conditions and not row.is_predicate and row.kind == "elementwise"
]


def _random_program(chance: random.Random) -> str:
    parts = ["x", "y", "2", "0.5", "0"]
    for _ in range(chance.randrange(1, 6)):
        a, b, c = (chance.choice(parts) for _ in range(3))
        kind = chance.random()
        if kind < 0.45:
            row = chance.choice(CALLS)
            args = [*["1"] * (row.arity - 3), a, b, c][: row.arity]  # before three arguments stand orders
            text = f"{row.name}({', '.join(args)})"
        elif kind < 0.9:
            text = f"({a}) {chance.choice('+-*/^')} ({b})"
        else:
            text = f"if({a} {chance.choice(['<', '<=', '==', '!=', '>'])} {b}, {c}, {chance.choice(parts)})"
        parts.append(text)
    return parts[-1]


def test_random_programs_at_special_points_end_in_a_number_or_a_named_status() -> None:
    chance = random.Random(7)
    seen = dict.fromkeys(SEVERITY, 0)
    for i in range(20_000):
        text = _random_program(chance)
        point = {
            name: chance.choice(SPECIAL) if chance.random() < 0.7 else chance.uniform(-3, 3)
            for name in lower(package.parse(text)).inputs
        }
        answer = evaluate(text, point, mode=("reverse", "forward", "both")[i % 3])
        seen[answer.status] += 1
        numbers = [answer.value, *answer.gradient.values(), *(answer.forward or {}).values()]
        assert all(number is None or math.isfinite(number) for number in numbers), (text, point, answer)
        assert answer.complete == (answer.status == "ok"), (text, point, answer)
        assert bool(answer.why) == (answer.status != "ok"), (text, point, answer)
        json.dumps(answer.to_dict(), allow_nan=False)
    assert all(count > 20 for count in seen.values()), seen


def test_a_value_below_float64_beside_a_corner_is_undecided_and_the_search_ends() -> None:
    text = """f(t) = atan(t)
        v0 = f((f(x)*y + x)/(2 + sin(x)))
        v1 = asinh(log(3, 5 + cos(mod(y, 5 + sin(cos(x))))))
        2^sin(-(mod(max(sin(v0), v0), 5 + sin(v1))))"""
    for x in (5e-324, -5e-324, 1e-320):
        assert evaluate(text, {"x": x, "y": 0.0}).status in SEVERITY


# --- structural zeros ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at", "name"),
    [
        ("x + 0*ln(y^2)", {"x": 1, "y": 2}, "z"),
        ("if(x > 0, x, ln(z))", {"x": 1, "z": -1}, "z"),
        ("x*1e308*0.1 + if(x < 0, z/0, x)", {"x": 1, "z": 3}, "z"),
        ("if(x > 0 or 1/z > 0, x, z)", {"x": 1, "z": 0}, "z"),
        ("floor(z)*sqrt(x)", {"x": 4, "z": 1.5}, "z"),
        ("a = z; sqrt(x)", {"x": 4, "z": 1.5}, "z"),
    ],
)
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_an_input_that_cannot_reach_the_result_has_slope_0(
    text: str, at: dict[str, float], name: str, mode: str
) -> None:
    at = at if name in at else {**at, name: 1.0}
    text = text if name in lower(package.parse(text)).inputs else f"unused = {name}; {text}"
    assert evaluate(text, at, mode=mode).gradient[name] == 0.0


def test_the_slope_of_an_inactive_argument_is_never_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, tuple[object, ...]]] = []
    honest = templates.partials

    def noted(row: Primitive, moving: tuple[object, ...], held: templates.StaticArgs) -> Any:
        calls.append((row.name, moving))
        return honest(row, moving, held)

    monkeypatch.setattr(templates, "partials", noted)
    assert evaluate("x*ln(c)", {"x": 2.0, "c": 3.0}, ["x"], check=False).gradient == {"x": pytest.approx(math.log(3))}
    assert calls == [("*", (1, 0))]


def test_a_slope_beside_a_moving_argument_only_is_not_there() -> None:
    product = rules.TABLE["*", 2]
    assert templates.partials(product, (1, 0))((7, 5), 2.0, 3.0, 6.0) == [(7, 3.0)]
    assert templates.partials(product, (0, 1))((7, 5), 2.0, 3.0, 6.0) == [(5, 2.0)]
    assert templates.partials(rules.TABLE["<", 2], (1, 1))((7, 5), 2.0, 3.0, 1.0) == []


@pytest.mark.parametrize(
    "row",
    [r for r in rules.rows() if r.kind == "elementwise" and templates.needs_static_args(r) and not r.by_balls],
    ids=lambda r: r.name,
)
def test_what_constants_settle_changes_no_bit(row: Primitive) -> None:
    """A slope with its constants known gives what the whole text gives, at each of them, in domain or not."""
    orders = [-3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0, 3.0, 40.0, 1e200]
    spots = [*orders, 1e-200]  # balls of an order so near to a whole one take a minute to find that they have no value
    for args in itertools.product(*(orders if name == "n" else spots for name in row.params)):
        w = templates.value(row)(*args) if row.branches is None else args[1]
        whole = [templates.partial(row, k)(*args, w) for k in range(row.arity)]
        for fixed in range(row.arity):
            held = tuple(arg if k == fixed else None for k, arg in enumerate(args))
            moving = tuple(int(k != fixed) for k in range(row.arity))
            for k, slope in templates.partials(row, moving, held)(range(row.arity), *args, w):
                assert repr(slope) == repr(whole[k]), (args, k, held)


# --- the cost and the power of the check ----------------------------------------------------------------------------------


def test_the_check_computes_no_value_and_no_slope_again(monkeypatch: pytest.MonkeyPatch) -> None:
    visits = 0

    def counting(honest: Any) -> Any:
        def counted(*args: Any) -> Any:
            nonlocal visits
            visits += 1
            return honest(*args)

        return counted

    monkeypatch.setattr(primal, "number", counting(primal.number))
    monkeypatch.setattr(linearize, "partials", counting(linearize.partials))
    text = "+".join(f"sin({i}*x)*exp(-x)" for i in range(200))
    evaluate(text, {"x": 0.3}, check=False)
    alone, visits = visits, 0
    assert alone > 800
    assert evaluate(text, {"x": 0.3}).checked
    assert visits == alone


def test_a_rule_is_held_against_its_values_a_few_times_however_long_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held: list[tuple[str, int]] = []
    honest = difference.contradicts

    def counted(row: Primitive, k: int, args: Sequence[float], slope: float, constants: StaticArgs) -> bool:
        held.append((row.name, k))
        return honest(row, k, args, slope, constants)

    monkeypatch.setattr("autodiff.verify.cross_mode.contradicts", counted)
    assert evaluate("+".join(f"sin({i}*x)*exp(-x)" for i in range(200)), {"x": 0.3}).checked
    assert set(held) == {("*", 0), ("*", 1), ("sin", 0), ("exp", 0), ("-", 0), ("+", 0), ("+", 1)}
    assert max(Counter(held).values()) == cross_mode.USES


SLOPED = [(row, k) for row in rules.rows() if row.kind == "elementwise" and not row.is_predicate for k in range(row.arity) if row.partials[k] != UNDEFINED and row.branches is None]  # fmt: skip


def _orders(row: Primitive) -> list[str]:
    return [name for name, slope in zip(row.params, row.partials, strict=True) if slope == UNDEFINED]


def _ordinary_point(row: Primitive) -> dict[str, float]:
    """A point inside the domain, where the slopes are there and not small."""
    chance = random.Random(row.signature)
    for _ in range(10_000):
        point = {name: chance.uniform(-2.5, 2.5) for name in row.params} | dict.fromkeys(_orders(row), 2.0)
        args = list(point.values())
        places = special_points.special_tests(row)
        if all(inside(*args) for inside, _ in templates.domain(row)) and not (places and places.at(args, [False] * len(args))):  # fmt: skip
            value, slopes = (
                templates.value(row)(*args),
                templates.partials(row, tuple(text != UNDEFINED for text in row.partials)),
            )
            if all(slope == 0 or abs(slope) > 0.02 * abs(value) for _, slope in slopes(range(len(args)), *args, value)):
                return point
    raise AssertionError(f"no point inside the domain of {row.signature}")


@pytest.mark.parametrize(("row", "k"), SLOPED, ids=lambda p: p.signature if isinstance(p, Primitive) else str(p))
@pytest.mark.parametrize("wrong", ["1.001*({})", "-({})", "{} + 0.01", "0", "2*({}) + 1", "sin({}) + 3"])
def test_a_broken_rule_is_caught_before_a_number_is_printed(
    row: Primitive, k: int, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = _ordinary_point(row)
    wrt, orders = row.params[k], _orders(row)
    args = [str(point.pop(name)) if name in orders else name for name in row.params]
    text = f"{row.name}({', '.join(args)})" if row.name.isidentifier() else f" {row.name} ".join(["", *args][-2:])
    honest = evaluate(text, point, [wrt])
    assert honest.checked
    at = ",".join(f"{name}={value!r}" for name, value in point.items())
    with _broken(row, k, wrong, monkeypatch):
        slope_without_check = package.evaluate(text, point, [wrt], check=False).gradient[wrt]
        ended = autodiff("eval", text, "--at", at, "--wrt", wrt)
    if slope_without_check == pytest.approx(honest.gradient[wrt], rel=1e-6):
        assert ended.status in (
            0,
            70,
        )  # not broken at this point, or balls, which have the formula, say the right number
    elif ended.status == 0:  # balls, which have the definition of the function, say the right number
        assert float(ended.out.split()[-1]) == pytest.approx(honest.gradient[wrt], rel=1e-12)
        assert row.definition
    else:
        assert (ended.status, ended.out) == (70, "")
        assert "deny" in ended.err


@pytest.mark.parametrize("exponent", ["2", "3", "7", "-2", "0.5"])
def test_a_broken_power_rule_is_caught_where_the_exponent_is_a_constant(
    exponent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _broken(rules.TABLE["^", 2], 0, "1.001*({})", monkeypatch):
        ended = autodiff("eval", f"x^{exponent}", "--at", "x=1.3")
    assert (ended.status, ended.out) == (70, "")


@contextmanager
def _broken(row: Primitive, k: int, wrong: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The table with another slope of `row` in argument k, made from the right one."""
    slopes = (*row.partials[:k], wrong.format(row.partials[k]), *row.partials[k + 1 :])
    for name in row.names:
        monkeypatch.setitem(rules.TABLE, (name, row.arity), row.replaced(partials=slopes))
    rules.find.cache_clear()
    equations.cache_clear()
    try:
        yield
    finally:
        monkeypatch.undo()
        forget_rows()


def test_one_sided_expansions_are_made_only_at_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    honest = expand.beside

    def counted(*args: Any) -> Any:
        nonlocal looked
        looked += 1
        return honest(*args)

    monkeypatch.setattr(verdict, "beside", counted)
    evaluate("abs(x) + relu(y) + floor(x) + if(x > 0, y, 2)", {"x": 0.5, "y": -0.5})
    assert looked == 0
    evaluate("abs(x) + y", {"x": 0.0, "y": 1.0})
    assert looked == 2


# --- conventions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "convention", "slope"),
    [
        ("abs(x)", "torch", 0),
        ("abs(x)", "jax", 1),
        ("abs(x)", "zero", 0),
        ("relu(x)", "torch", 0),
        ("max(x, 0)", "torch", 0.5),
        ("max(x, 0)", "jax", 0.5),
        ("max(x, 0)", "zero", 0),
        ("3*abs(x) + x", "torch", 1),
        ("leaky_relu(x)", "torch", 0.01),
        ("leaky_relu(x)", "jax", 1),
        ("if(x < 0, 0, x + 5)", "torch", 1),
        ("floor(x)", "jax", 0),
    ],
)
def test_a_convention_gives_its_number_and_says_so(text: str, convention: str, slope: float) -> None:
    answer = evaluate(text, {"x": 0.0}, convention=convention)
    assert answer.gradient["x"] == slope
    assert answer.status in ("corner", "jump")
    assert answer.to_dict()["convention"] == convention
    for option in ("--convention", "--like"):
        ended = autodiff("eval", text, "--at", "x=0", option, convention)
        assert ended.status == 0
        assert f"{convention}'s convention" in ended.out


def test_a_convention_changes_nothing_where_the_slope_exists() -> None:
    for text in ("relu(x) - relu(-x)", "abs(x)*x", "x^2"):
        answer = evaluate(text, {"x": 0.0}, convention="torch")
        assert answer == evaluate(text, {"x": 0.0})
    assert evaluate("sqrt(x)", {"x": 0.0}, convention="torch").gradient["x"] is None


def _in_torch() -> Callable[[str, dict[str, float]], dict[str, float]]:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    functional = torch.nn.functional
    calls = {
        "abs": torch.abs, "min": torch.minimum, "max": torch.maximum, "clamp": torch.clamp, "hypot": torch.hypot,
        "relu": torch.relu, "sign": torch.sign, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
        "mod": torch.remainder, "atan2": torch.atan2, "exp": torch.exp, "log": torch.log, "where": torch.where,
        "leaky_relu": lambda u, a=0.01: functional.prelu(u.reshape(1, 1), torch.as_tensor(a, dtype=u.dtype).reshape(1)).sum(),
        "elu": lambda u, a=1.0: functional.elu(u, float(torch.as_tensor(a).detach())),
        "selu": functional.selu, "relu6": functional.relu6, "hardtanh": functional.hardtanh, "trunc": torch.trunc,
        "frac": torch.frac, "fmod": torch.fmod, "heaviside": lambda u: (torch.sign(u) + 1) / 2,
    }  # fmt: skip

    def slopes(text: str, at: dict[str, float]) -> dict[str, float]:
        point = {name: torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for name, v in at.items()}
        eval(text, dict(calls), point).backward()
        return {name: 0.0 if v.grad is None else v.grad.item() for name, v in point.items()}

    return slopes


def _in_jax() -> Callable[[str, dict[str, float]], dict[str, float]]:
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    jax.config.update("jax_enable_x64", True)
    numpy, neural = jax.numpy, jax.nn
    calls = {
        "abs": numpy.abs, "min": numpy.minimum, "max": numpy.maximum, "clamp": numpy.clip, "hypot": numpy.hypot,
        "relu": neural.relu, "sign": numpy.sign, "floor": numpy.floor, "ceil": numpy.ceil, "round": numpy.round,
        "mod": numpy.mod, "atan2": numpy.arctan2, "exp": numpy.exp, "log": numpy.log, "where": numpy.where,
        "leaky_relu": lambda u, a=0.01: neural.leaky_relu(u, a), "elu": lambda u, a=1.0: neural.elu(u, a),
        "selu": neural.selu, "relu6": neural.relu6, "hardtanh": neural.hard_tanh, "trunc": numpy.trunc,
        "frac": lambda u: u - numpy.trunc(u), "fmod": numpy.fmod, "heaviside": lambda u: (numpy.sign(u) + 1) / 2,
    }  # fmt: skip

    def slopes(text: str, at: dict[str, float]) -> dict[str, float]:
        found = jax.grad(lambda point: eval(text, dict(calls), point))({n: float(v) for n, v in at.items()})
        return {name: float(slope) for name, slope in found.items()}

    return slopes


CORNERS: list[tuple[str, dict[str, float]]] = [
    ("abs(x)", {"x": 0}),
    ("min(x, y)", {"x": 1, "y": 1}),
    ("max(x, y)", {"x": 1, "y": 1}),
    ("clamp(x, y, z)", {"x": 0, "y": 0, "z": 1}),
    ("clamp(x, y, z)", {"x": 1, "y": 0, "z": 1}),
    ("clamp(x, y, z)", {"x": 1, "y": 1, "z": 1}),
    ("hypot(x, y)", {"x": 0, "y": 0}),
    ("relu(x)", {"x": 0}),
    ("leaky_relu(x)", {"x": 0}),
    ("leaky_relu(x, y)", {"x": 0, "y": 0.2}),
    ("elu(x, y)", {"x": 0, "y": 2}),
    ("sign(x)", {"x": 0}),
    ("floor(x)", {"x": 2}),
    ("ceil(x)", {"x": 2}),
    ("round(x)", {"x": 0.5}),
    ("mod(x, y)", {"x": 4, "y": 2}),
    ("atan2(x, y)", {"x": 0, "y": -1}),
    ("selu(x)", {"x": 0}),
    ("relu6(x)", {"x": 0}),
    ("relu6(x)", {"x": 6}),
    ("hardtanh(x)", {"x": 1}),
    ("hardtanh(x)", {"x": -1}),
    ("trunc(x)", {"x": 2}),
    ("frac(x)", {"x": 2}),
    ("fmod(x, y)", {"x": 4, "y": 2}),
    ("heaviside(x)", {"x": 0}),
    ("where(x < y, 2*x, 3*y)", {"x": 1, "y": 1}),
    ("where(x <= y, 2*x, 3*y)", {"x": 1, "y": 1}),
    ("max(x, 0*x) + log(1 + exp(-abs(x)))", {"x": 0}),
    ("relu(x) - relu(-x)", {"x": 0}),
    ("3*abs(x)*exp(x) + x*max(x, 2*x)", {"x": 0}),
]


def test_every_corner_row_is_compared_with_the_frameworks() -> None:
    compared = {text.split("(")[0] for text, _ in CORNERS}
    assert compared >= {
        row.name
        for row in rules.rows()
        if row.kind == "elementwise" and (row.kink or (row.jump and not row.is_predicate))
    }


@pytest.mark.parametrize(("framework", "convention"), [(_in_torch, "torch"), (_in_jax, "jax")], ids=["torch", "jax"])
def test_a_convention_is_what_the_framework_does(
    framework: Callable[[], Callable[[str, dict[str, float]], dict[str, float]]], convention: str
) -> None:
    slopes = framework()
    for text, at in CORNERS:
        answer = evaluate(text, at, convention=convention)
        for name, true in slopes(text, at).items():
            where = (text, at, name)
            found = answer.verdicts.get(name)
            if found is None or found.status not in ("ok", "corner", "jump"):
                continue
            slope_by_convention = answer.frameworks.get(name, {}).get(convention)
            if math.isnan(true):
                assert slope_by_convention is None, where
                assert answer.gradient[name] is None, where
            elif found.status == "ok":
                assert (answer.gradient[name] if slope_by_convention is None else slope_by_convention) == true, where
            else:
                assert slope_by_convention == true, where
                assert answer.gradient[name] == true, where


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("where(x*3 < 0.3, x, 5*x)", "x=0.1"), ("abs(x - 0.3)", "x=0.1+0.2"), ("max(x + 0.2, 0*x + 0.3)", "x=0.1"), ("relu(x*y - 1)", "x=0.1,y=10"),
        ("relu(3*x - 0.3)", "x=0.1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("framework", "convention"), [(_in_torch, "torch"), (_in_jax, "jax")], ids=["torch", "jax"])
def test_at_a_point_that_float64_misses_frameworks_are_quoted_as_float64_has_it(
    framework: Callable[[], Callable[[str, dict[str, float]], dict[str, float]]], convention: str, text: str, at: str
) -> None:
    point = parse_point(at)
    floats = {name: float(value) for name, value in point.items()}
    answer = evaluate(text, point)
    assert answer.gradient["x"] is None
    true = framework()(text, floats)["x"]
    assert answer.frameworks["x"][convention] == pytest.approx(true, rel=1e-15)


def test_a_number_that_is_not_that_of_the_function_is_not_quoted() -> None:
    answer = evaluate("norm(x)", {"x": [0.0, 0.0]})
    assert (answer.status, answer.frameworks) == ("corner", {})
    assert (
        "what PyTorch gives here is not known"
        in autodiff("eval", "norm(x)", "--at", "x=[0,0]", "--convention", "torch").err
    )


def test_several_inputs_at_a_corner_are_certified_one_by_one() -> None:
    answer = evaluate("max(x,y)+log1p(exp(-abs(x-y)))", {"x": 1, "y": 1})
    assert answer.status == "ok"
    assert "along its own axis" in answer.notes[-1]
    ended = autodiff("eval", "max(x,y)+log1p(exp(-abs(x-y)))", "--at", "x=1,y=1")
    assert (ended.status, ended.err.count("note: ")) == (0, 3)


@pytest.mark.parametrize("text", ["if(x == 0, 0, x*ln(ln(1/x)))", "if(x == 0, 0, x*sqrt(ln(ln(1/x))))"])
def test_an_unknown_slope_is_not_reported_as_missing(text: str) -> None:
    found = evaluate(text, {"x": 0.0})
    assert (found.status, found.gradient["x"]) == ("unknown", None)
    assert "does not exist" not in found.why


def test_a_jump_that_float64_does_not_show_is_not_printed_as_three_equal_numbers() -> None:
    found = evaluate("floor(x)", {"x": 1e17})
    assert found.status == "jump"
    assert found.why.endswith("f is 1e+17, and changes there by less than float64 can show of it")


@pytest.mark.parametrize(
    ("text", "at"),
    [("logcosh(y, p)", {"y": 1.0, "p": 1.0}), ("huber(y, p, 2)", {"y": 1.0, "p": 1.0}), ("if(abs(x) < 1, x^2, 0)", {"x": 0.0}),
     ("if(max(x, 0) < 1 and x < 5, x^3, abs(x))", {"x": 0.0})],
)  # fmt: skip
def test_a_corner_that_only_a_condition_meets_is_not_reported(text: str, at: dict[str, float]) -> None:
    answer = package.evaluate(text, at)
    assert (answer.status, answer.notes) == ("ok", ())
    assert set(answer.gradient.values()) == {0.0}


def test_a_corner_beside_a_condition_is_reported() -> None:
    answer = package.evaluate("abs(x) - abs(x) + if(abs(x) < 1, x, 0)", {"x": 0.0})
    assert answer.notes == ("abs(x) has a corner here that does not show: df/dx is 1 from both sides",)


CANCELLING_BESIDE_CORNERS: list[tuple[str, dict[str, float], float | tuple[float, float]]] = [
    ("relu(x)*x*1e5 + x*(exp(y) - 1)/y", {"x": 0.0, "y": 1e-20}, 1.0),
    ("max(x, 0)^2 + x*(exp(y) - 1)/y", {"x": 0.0, "y": 1e-20}, 1.0),
    ("min(x, 0)*x + x*(1 - cos(y))/y^2", {"x": 0.0, "y": 1e-9}, 0.5),
    ("x*abs(x)*1e3 + x*(sqrt(1 + y) - 1)/y", {"x": 0.0, "y": 1e-18}, 0.5),
    ("relu(x - 1)*(x - 1) + (x^2 - 1)*(exp(y) - 1)/y", {"x": 1.0, "y": 1e-20}, 2.0),
    ("if(x > 0, x*(exp(y) - 1)/y, x) + 0*y", {"x": 0.0, "y": 0.1}, (1.0, 1.0517091807564762)),
    ("abs(x)*(exp(y) - 1)/y", {"x": 0.0, "y": 1e-20}, (-1.0, 1.0)),
    ("clamp(x, 0, 1)*(exp(y) - 1)/y", {"x": 0.0, "y": 1e-20}, (0.0, 1.0)),
    ("exp(y)*x + 1e-15*abs(x)", {"x": 0.0, "y": 1.0}, (2.718281828459044, 2.7182818284590464)),
]


@pytest.mark.parametrize(
    ("text", "at", "slope"), CANCELLING_BESIDE_CORNERS, ids=lambda p: p if isinstance(p, str) else ""
)
def test_one_sided_slopes_have_their_digits(
    text: str, at: dict[str, float], slope: float | tuple[float, float], tmp_path: Path
) -> None:
    found = evaluate(text, at, wrt=["x"])
    table = tmp_path / "rows.csv"
    table.write_text("x,y\n" + f"{at['x']},{at['y']}\n" * 40)
    rows = [json.loads(row) for row in autodiff("eval", text, "--data", str(table), "--to", "ndjson").out.splitlines()]
    batch = package.compile(text)(**{name: np.full(40, number) for name, number in at.items()})
    if isinstance(slope, float):
        assert found.gradient["x"] == pytest.approx(slope, rel=1e-12)
        assert {row["df/dx"] for row in rows} == {found.gradient["x"]} == {*batch[1]["x"]}
    else:
        assert found.status == "corner"
        assert found.one_sided["x"] == pytest.approx(slope, rel=1e-15)
        assert {(row["status"], row["df/dx"]) for row in rows} == {("corner", None)}
        assert np.isnan(batch[1]["x"]).all()


def test_elements_of_arrays_at_corners_have_their_digits() -> None:
    found = evaluate("sum(relu(x)*x + x*(exp(y) - 1)/y)", {"x": [0.0, 1.0, 0.0], "y": 1e-20}, wrt=["x"])
    assert (found.value, found.gradient["x"].tolist()) == (2.0, [1.0, 3.0, 1.0])


@pytest.mark.parametrize("order", [2, 3])
def test_higher_orders_at_corners_have_their_digits(order: int) -> None:
    found = evaluate("abs(x)^3 + x^2*(exp(y) - 1)/y", {"x": 0.0, "y": 1e-20}, wrt=["x"], order=order)
    assert found.derivatives == (0.0, 2.0, None)[:order]


def test_typed_numbers_are_meant_on_both_sides() -> None:
    once = json.loads(autodiff("eval", "relu(x)*x + x*(3*y - 0.3)*1e17", "--at", "x=0,y=0.1", "--json").out)
    assert (once["gradient"]["x"], once["status"]) == (0, "ok")
    float64 = evaluate("relu(x)*x + x*(3*y - 0.3)*1e17", {"x": 0.0, "y": 0.1}, wrt=["x"])
    assert float64.gradient["x"] == pytest.approx(1.6653345369377348, rel=1e-12)


def test_a_jump_that_is_smaller_than_a_rounding_is_one() -> None:
    assert evaluate("exp(y) + 1e-15*floor(x)", {"x": 0.0, "y": 1.0}).status == "jump"


def test_a_side_beyond_float64_is_not_decided() -> None:
    """Exact whole numbers have no largest one, a float64 has: this ended with a fault of the program."""
    assert autodiff("diff", "u = if(x <= y, x, 1.7e308); if(x < x, x, 1.7e308) + u").status == 0
    lowered = lower(package.parse("abs(x) + 1.7e308 + 1.7e308"))
    with pytest.raises(primal.Indeterminate):
        verdict.side(lowered, {"x": 0.0}, lowered.graph.find("x") or 0, 1.0)


@pytest.mark.parametrize("options", [{}, {"digits": 20}, {"mode": "forward"}, {"check": False}], ids=str)
@pytest.mark.parametrize(
    ("program", "at", "by", "slope"),
    [
        ("a = abs(x); 2*a^2 + a", 0.0, "a", 1.0),
        ("a = max(x, x); 2*a", 1.0, "a", 2.0),
        ("a = floor(x); b = abs(a - 2); (a + 1)*b", 2.0, "b", 3.0),
        ("a = sqrt(x); 3*a", 0.0, "a", 3.0),
        ("a = if(x > 0, 1, 2); 3*a", 0.0, "a", 3.0),
    ],
)
def test_the_slope_by_a_name_does_not_depend_on_how_its_value_comes_about(
    program: str, at: float, by: str, slope: float, options: dict[str, Any]
) -> None:
    answer = package.evaluate(program, {"x": at}, [by], **options)
    assert (answer.status, float(answer.gradient[by]), answer.notes) == ("ok", slope, ())


@pytest.mark.parametrize(
    ("text", "x", "sides"),
    [
        ("max(x, 0.1) + max(x, x)", "0.1", [1, 2]),
        ("abs(x - 0.3) + max([x, x])", "0.1 + 0.2", [0, 2]),
        ("sqrt(max(x, 0.1))*median([3, x, x])", "0.1", [0.31622776601683794, 0.4743416490252569]),
        ("relu(0.7 - x) + sum(sort([x, x]))", "0.7", [1, 2]),
    ],
)
def test_typed_numbers_are_meant_beside_corners_that_do_not_show(text: str, x: str, sides: list[float]) -> None:
    found = json.loads(autodiff("eval", text, "--at", f"x={x}", "--json").out)
    assert (found["status"], found["gradient"]["x"], found["one_sided"]["x"]) == ("corner", None, sides)
