"""Every number that is printed as good has twelve right digits: cancelling programs against high precision, in every form."""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import mpmath
import pytest

import autodiff as package
from autodiff.api.inputs import parse_point
from autodiff.core import templates
from autodiff.core.rules import TABLE
from autodiff.explanation.build import explain
from autodiff.verify import rounding
from tests.support.command import autodiff, python
from tests.support.reference import VALUES

CASES = json.loads((Path(__file__).parent / "cancelling.json").read_text())


def _near(got: Any, want: str, digits: int) -> bool:
    with localcontext() as context:
        context.prec = 60
        try:
            number, true = Decimal(str(got)), Decimal(want)
        except ArithmeticError:
            return "e-" in str(got).lower() or "e-" in want.lower()  # below the range of Decimal itself
        return abs(number - true) <= abs(true) * Decimal(10) ** -digits + Decimal("5e-324")


def _at(case: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in case["at"].items())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['program']} at {_at(case)}")
def test_the_shipped_list_in_both_modes_in_rows_and_with_digits(case: dict[str, Any]) -> None:
    point = parse_point(_at(case))
    for mode in ("reverse", "forward"):
        found = package.evaluate(case["program"], point, mode=mode)
        assert found.checked
        assert _near(found.value, case["value"], 12)
        assert all(_near(found.gradient[name], true, 12) for name, true in case["slopes"].items())
    if "orders" in case:
        orders = package.evaluate(case["program"], point, order=len(case["orders"])).derivatives
        assert all(_near(number, true, 12) for number, true in zip(orders, case["orders"], strict=True))
    numpy = pytest.importorskip("numpy")
    names = list(case["at"])
    batch = package.compile(case["program"], names).batch(**{n: numpy.array([float(v)]) for n, v in case["at"].items()})
    assert not batch.hard
    assert _near(float(batch.value[0]), case["value64"], 10)
    assert all(_near(float(batch.gradient[n][0]), true, 10) for n, true in case["slopes64"].items())
    digits = package.evaluate(case["program"], point, digits=30)
    assert _near(digits.value, case["value"], 29)
    assert digits.digits == 30


M: Any = mpmath
KINDS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("(exp(a*x) - 1)/x", lambda x, a: (M.exp(a * x) - 1) / x),
    ("(1 - cos(a*x))/x^2", lambda x, a: (1 - M.cos(a * x)) / x**2),
    ("sin(a*x)/x - a", lambda x, a: M.sin(a * x) / x - a),
    ("ln(1 + a*x)/x", lambda x, a: M.log(1 + a * x) / x),
    ("sqrt(x + a) - sqrt(x)", lambda x, a: M.sqrt(x + a) - M.sqrt(x)),
    ("(1 + a*x)^(1/x)", lambda x, a: (1 + a * x) ** (1 / x)),
    ("1 - sigmoid(a + x)", lambda x, a: 1 - 1 / (1 + M.exp(-a - x))),
    ("(tan(x) - sin(x))/x^3 + a", lambda x, a: (M.tan(x) - M.sin(x)) / x**3 + a),
    ("(x^2 - a^2)/(x - a)", lambda x, a: (x**2 - a**2) / (x - a)),
    ("exp(x)*exp(-x) - 1 + a*x", lambda x, a: M.exp(x) * M.exp(-x) - 1 + a * x),
]


@pytest.mark.parametrize(("text", "true"), KINDS, ids=[text for text, _ in KINDS])
def test_two_hundred_cancelling_programs_at_twenty_points(text: str, true: Callable[[Any, Any], Any]) -> None:
    chance = random.Random(len(text))
    numpy = pytest.importorskip("numpy")
    for _ in range(20):
        a = round(chance.uniform(0.5, 5), 2)
        points = [chance.uniform(1, 9) * 10.0 ** chance.randint(-12, 0) for _ in range(20)]
        program = text.replace("a", "A").replace("tAn", "tan").replace("A", repr(a))
        rows = package.compile(program).batch(x=numpy.array(points))
        for k, x in enumerate(points):
            with mpmath.workdps(200):
                value = true(mpmath.mpf(x), mpmath.mpf(repr(a)))
                ends = (true(mpmath.mpf(x) * (1 + s * M.mpf(10) ** -60), mpmath.mpf(repr(a))) for s in (-1, 1))
                low, high = ends
                slope = (high - low) / (2 * mpmath.mpf(x) * M.mpf(10) ** -60)
                found = package.evaluate(program, {"x": x})
                for got, row, want in (
                    (found.value, rows.value[k], value),
                    (found.gradient["x"], rows.gradient["x"][k], slope),
                ):
                    assert got is not None
                    assert abs(M.mpf(got) - want) <= M.mpf("1e-12") * abs(want) + 5e-324, (program, x)
                    assert abs(M.mpf(float(row)) - want) <= M.mpf("1e-10") * abs(want) + 5e-324, (program, x)


def test_what_is_typed_is_meant_as_typed_and_a_float_is_itself() -> None:
    assert package.evaluate("0.1 + 0.2 - 0.3").value == 0
    assert package.evaluate("x - 0.3", {"x": 0.1 + 0.2}).value == pytest.approx(4.44e-17 + 1.11e-17, rel=1e-2)
    ended = autodiff("eval", "abs(x - 0.3)", "--at", "x=0.1+0.2")
    assert (ended.status, "left -1, right 1  (a corner" in ended.out) == (3, True)
    assert autodiff("eval", "if(x == 0.3, 1, 2)", "--at", "x=0.1+0.2", "--wrt", "x", "--no-check").out.startswith(
        "f      1\n"
    )
    assert "0\n" in autodiff("eval", "sin(pi)").out


def test_the_note_says_what_float64_would_give() -> None:
    (note,) = package.evaluate("(exp(x) - 1)/x", {"x": 1e-12}).notes
    assert note == (
        "float64 would give f = 1.000088900582341, df/dx = -88900581.34094238 here; these digits are proven (256 bits)"
    )
    notes = package.evaluate("1/(1 + exp(-x))", {"x": -1000.0}).notes
    assert notes[1:] == ("f is 5.08e-435, which float64 rounds to 0", "df/dx is 5.08e-435, which float64 rounds to 0")
    (note,) = package.evaluate("sin(x)^2 + cos(x)^2", {"x": 1.0}).notes
    assert note.startswith("df/dx can't be told from 0: it is below ")


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["eval", "(1-cos(1e-8))/1e-8^2"], "f  0.5\n"),
        (["eval", "tan(x)/x", "--at", "x=1e-3", "--order", "6", "-q"], "38.85758374737187"),
        (["eval", "(exp(x*y)-1)/x", "--at", "x=1e-9,y=2", "--hessian"], "d2f/dx2   2.666666670666667\n"),
        (["eval", "(exp(x*y)-1)/x", "--at", "x=1e-9,y=2", "--jvp", "x=1,y=1"], "3.0000000046666666\n"),
        (["eval", "sum((exp(x)-1)/x)", "--at", "x=[1e-9,1]"], "df/dx  [0.5000000003333334, 1]\n"),
        (["eval", "sum([1e16,1,-1e16])"], "f  1\n"),
        (["eval", "u=leaky_relu(x/log1p(x)); u^2", "--at", "x=1e-8", "--mode", "both"], "forward   0 ulp apart\n"),
        (["eval", "relu(coth(x))", "--at", "x=-1e-300"], "f      0\ndf/dx  0\n"),
        (["eval", "exp(sin(x^2))", "--at", "x=4", "--digits", "30", "-q"], "0.749834085194558805867514798954 -5.7446857628494536958503171776\n"),
        (["eval", "exp(-x^2)", "--at", "x=1e10", "--digits", "5", "-q"], "7.711e-43429448190325182766 -1.5422e-43429448190325182755\n"),
    ],
)  # fmt: skip
def test_numbers_that_were_wrong_once(arguments: list[str], printed: str) -> None:
    ended = autodiff(*arguments)
    assert (ended.status, printed in ended.out) == (0, True), ended.out


def test_digits_are_texts_in_json_and_have_a_limit() -> None:
    found = json.loads(autodiff("eval", "1/x", "--at", "x=3", "--digits", "40", "--format", "json").out)
    assert found["value"] == "0." + "3" * 40
    assert (found["digits"], found["checked"], found["bits"] >= 133) == (40, True, True)
    for wish in ("0", "1001", "1000000"):
        ended = autodiff("eval", "x", "--at", "x=1", "--digits", wish)
        assert (ended.status, "1 to 1,000" in ended.err) == (2, True)
    assert autodiff("eval", "x", "--data", "-", "--digits", "5").status == 2
    with pytest.raises(package.AutodiffError, match="1 to 1,000"):
        package.hessian("x^2", {"x": 1.0}, digits=1001)


def test_a_plain_point_loads_no_ball_arithmetic() -> None:
    code = (
        "import sys, autodiff; autodiff.evaluate('exp(sin(x^2)) + ln(x)/3', {'x': 0.7}); print('flint' in sys.modules)"
    )
    done = python("-c", code)
    assert done.out == "False\n"


def test_ordinary_programs_at_ordinary_points_need_no_balls() -> None:
    chance, needed = random.Random(5), 0
    functions = ["sin", "cos", "exp", "ln", "sqrt", "tanh", "sigmoid", "atan"]
    for _ in range(400):
        f, g = chance.choice(functions), chance.choice(functions)
        text = f"{f}(x*{chance.randint(1, 5)} + 1)*{g}(x + y)/(1 + x^2) + {chance.choice(['y^2', 'x*y', 'exp(-y)'])}"
        at = {"x": round(chance.uniform(0.1, 3), 2), "y": round(chance.uniform(0.1, 3), 2)}
        needed += any("proven" in note for note in package.evaluate(text, at).notes)
    assert needed <= 8


@pytest.mark.parametrize("name", sorted(rounding._HALVES.keys() - {"/", "hypot"}))
def test_a_function_is_as_near_as_the_bound_of_its_rounding_takes_it_to_be(name: str) -> None:
    chance, row = random.Random(name), next(row for row in TABLE.values() if row.value == name)
    for _ in range(1000):
        at = [
            chance.choice([chance.uniform(-1, 1), chance.uniform(-20, 20), chance.lognormvariate(0, 3)])
            for _ in row.params
        ]
        value = templates.value(row)(*at) if all(inside(*at) for inside, _ in templates.domain(row)) else math.nan
        if math.isfinite(value) and abs(value) > 1e-300:
            with mpmath.workprec(200):
                true = VALUES[f"{row.name} {row.arity}"](*map(mpmath.mpf, at))
                assert abs(mpmath.mpf(value) - true) <= rounding._HALVES[name] * math.ulp(value) / 2, at


def test_a_program_of_exact_functions_is_not_rounded() -> None:
    names = {row.name for row in TABLE.values() if rounding.never_rounds(row) and row.arity == 1}
    assert {"relu", "abs", "floor", "-"} <= names
    assert not {"leaky_relu", "softplus", "sec", "deg"} & names


def test_without_the_library_what_needs_it_is_unknown_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("autodiff.verify.digits", "autodiff.numbers.ball"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flint", None)
    import autodiff.verify

    monkeypatch.delattr(autodiff.verify, "digits", raising=False)
    found = package.evaluate("(exp(x) - 1)/x", {"x": 1e-12})
    assert (found.status, found.value) == ("unknown", None)
    assert "pip install python-flint" in found.hint
    assert package.evaluate("exp(sin(x^2))", {"x": 4.0}).value == 0.7498340851945589
    assert math.isclose(package.evaluate("x^3", {"x": 2.0}, order=2).derivatives[1] or 0.0, 12.0)


@pytest.mark.parametrize(
    ("program", "at", "status", "left", "right"),
    [
        ("abs(sin(x))", "pi", "corner", -1, 1),
        ("mod(x, 0.1)", "0.3", "jump", 1, 1),
        ("floor(10*x)", "0.3", "jump", 0, 0),
        ("max(x, 0.3)^2", "0.1+0.2", "corner", 0, 0.6),
        ("sqrt(sin(x))", "pi", "infinite", -math.inf, None),
        ("sign(cos(x))", "pi/2", "jump", 0, 0),
    ],
)
def test_special_points_that_only_exact_numbers_meet(
    program: str, at: str, status: str, left: float, right: float | None
) -> None:
    found = package.evaluate(program, parse_point(f"x={at}"))
    verdict = found.verdicts["x"]
    assert found.status == status
    assert verdict.left == pytest.approx(left)
    assert verdict.right == (right if right is None else pytest.approx(right))


def test_a_corner_that_cancels_at_an_exact_point_has_its_slope() -> None:
    assert package.evaluate("abs(sin(x))^2", parse_point("x=pi")).gradient == {"x": 0.0}


@pytest.mark.parametrize("form", ["text", "json", "markdown", "latex", "html"])
def test_an_explanation_has_the_digits_that_are_asked_for(form: str) -> None:
    ended = autodiff("explain", "exp(sin(x^2))", "--at", "x=4", "--digits", "40", "--format", form)
    assert ended.status == 0
    assert "5.744685762849453695850317177598142548706" in ended.out
    refused = autodiff("explain", "x^2", "--at", "x=1", "--digits", "1000001")
    assert refused.status == 2
    assert "1,000" in refused.err
    assert autodiff("explain", "x^2", "--digits", "30").status == 2


def test_an_explanation_shows_the_numbers_that_made_the_answer() -> None:
    found = explain("(exp(x) - 1)/x", parse_point("x=1e-12"))
    assert [place.value for place in found.forward if place.name == "v2"] == [
        pytest.approx(1.0000000000005e-12, rel=1e-15)
    ]
    assert all(difference.agrees for difference in found.differences)
    far = explain("1/(1 + exp(x))", parse_point("x=1000"))
    assert [place.why for place in far.forward if place.value is None] == [
        "1.97007e+434",
        "1.97007e+434",
        "5.07596e-435",
    ]


@pytest.mark.parametrize(
    ("program", "at"),
    [("sin(x)", "x=1e7"), ("1/(x - 1)", "x=1.000001"), ("abs(x - 1)", "x=1.000000001"), ("tanh(1e8*(x - 1))", "x=1.00000001")],
)  # fmt: skip
def test_a_right_slope_far_out_or_beside_a_pole_is_confirmed(program: str, at: str) -> None:
    found = explain(program, parse_point(at))
    assert [difference.agrees for difference in found.differences] == [True]
    (meaning,) = found.meanings
    assert meaning.actual == pytest.approx(meaning.expected, rel=0.11)


WITHOUT_BALLS = """
import sys
sys.modules["flint"] = None
import autodiff
found = autodiff.evaluate("x/(exp(x) - 1)", {"x": 1e-3}, order=6)
print(found.status, found.hint)
print(autodiff.evaluate("exp(sin(x^2))", {"x": 1.0}, order=4).status)
print(autodiff.hessian("(exp(x*y) - 1)/x", {"x": 1e-9, "y": 2.0}).status)
print(autodiff.hessian("exp(x*y)", {"x": 1.0, "y": 2.0}).status)
print("f is not known here" in str(autodiff.explain("(exp(x) - 1)/x", {"x": 1e-12})))
print(autodiff.jvp("u = 0.5 + x + x; v = erf(x)/tanh(3); (u + u)*(u - u)", {"x": 0.3}, {"x": 0.0}))
"""


def test_without_balls_a_higher_order_that_rounding_spoils_is_unknown() -> None:
    ended = python("-c", WITHOUT_BALLS)
    assert ended.out.splitlines() == [
        "unknown install python-flint: pip install python-flint",
        "ok",
        "unknown",
        "ok",
        "True",
        "f             0",
        "df along x=0  0",
    ]


@pytest.mark.parametrize(
    ("program", "at", "slopes"),
    [
        ("(hypot(1e200 - x, 3)*x)^(-1)", {"x": 7e-16}, {"x": "-2.0408163265306122e-170"}),
        ("1/atan2(z*z, abs(z))", {"z": -6.859538362163836e150}, {"z": "8.6133177216849511e-303"}),
        ("atan(x^2)", {"x": -3.2394500856714286e88}, {"x": "-5.883233938630838e-266"}),
        ("expm1(sqrt(y))^-1", {"y": 147110.1288587089}, {"y": "-3.4815155168486363e-170"}),
        ("z + (tanh(x + z) - tanh(1e-150*z)) - z", {"x": 8.375905351963648e-08, "z": -8.676187984776009}, {"z": "1.1641767115528057e-7"}),
    ],
)  # fmt: skip
def test_slopes_that_underflow_or_cancel_on_the_way(program: str, at: dict[str, float], slopes: dict[str, str]) -> None:
    for mode in ("reverse", "forward"):
        found = package.evaluate(program, at, mode=mode)
        assert all(_near(found.gradient[name], slope, 12) for name, slope in slopes.items()), mode


@pytest.mark.parametrize(
    ("program", "at", "slopes"),
    [
        ("sin(z) - z", {"z": [-0.35, 4.667393394228413e-16]}, ["-0.0606272872", "-1.0892280548243515e-31"]),
        ("(z - z) + z*z", {"z": [9.286788128092839, -8.761786820607127e-12]}, ["18.573576256185678", "-1.7523573641214254e-11"]),
        ("tan(z) - z", {"z": [1e-9, 4e-12]}, ["1e-18", "1.6e-23"]),
        ("(1 + z) - 1 + z^2/2", {"z": [1e-20, 1e-10]}, ["1", "1.0000000001"]),
    ],
)  # fmt: skip
def test_arrays_where_a_slope_is_rounded_to_a_short_number(
    program: str, at: dict[str, list[float]], slopes: list[str]
) -> None:
    numpy = pytest.importorskip("numpy")
    found = package.evaluate(f"sum({program})", {"z": numpy.array(at["z"])})
    assert all(_near(slope, true, 7) for slope, true in zip(found.gradient["z"], slopes, strict=True))
    assert _near(package.evaluate("sum((1 + z) - 1)", {"z": numpy.array([1e-20, -1e-21])}).value, "9e-21", 12)


@pytest.mark.parametrize(
    ("program", "at", "value", "slope"),
    [
        ("csc(elu(csc(2*x)))", 2.696628219294382e-05, None, "17160453148591.66"),
        ("cot(7/x)", 8.783349089321703e-16, None, None),
        ("sec(1e10/x)", 7.112282243090812e-08, None, None),
        ("acos(1 - x^2)", 1e-6, None, None),
        ("logit(1 - x/3)", 1e-11, None, None),
        ("lgamma(x/3 - 2)", 1e-12, None, None),
        ("sin(3*x)", 0.5235987, None, None),
        ("(1 + 1e-12)^x", 3.0, None, "1.0000000000025e-12"),
        ("x^0.5 + (exp(1e-8) - 1)/1e-8", 0.26978773581578014, "1.51941095580464", None),
        ("2 - (sin(gelu(x)) - gelu(x))/asinh(x)", 8.934421949923013e-12, None, None),
        ("1e200^(-2)/x", 9.48830170107854e-120, "1.0539293874754525e-281", None),
        ("sqrt(y)*y + cos(y)^x - sqrt(y)*y", 8.965071471169367, None, None),
    ],
)
def test_rows_that_lose_digits_in_one_function(program: str, at: float, value: str | None, slope: str | None) -> None:
    numpy = pytest.importorskip("numpy")
    point = {"x": at} if "y" not in program else {"x": at, "y": 5.650134921181481e-08}
    proven = package.evaluate(program, point, digits=20)
    for rows in (1, 40):
        batch = package.compile(program, ["x"]).batch(**{n: numpy.full(rows, number) for n, number in point.items()})
        assert not batch.hard
        assert _near(float(batch.value[0]), value or proven.value, 10)
        assert _near(float(batch.gradient["x"][0]), slope or proven.gradient["x"], 10)


def test_a_rate_of_change_whose_parts_cancel_on_the_way_only() -> None:
    at = {"y": 3.6582530796525905, "z": 7.684162467095121}
    found = package.jvp("(y + z) - y", at, {"y": -7.1317776518582106, "z": 6.777721862927844e-05})
    assert found.rows["f"]["jvp"] == 6.777721862927844e-05
    assert package.vjp("u = x^3; v = x", {"x": 1e-170}, {"u": 1e300, "v": 0.0}).rows["vjp"]["x"] == pytest.approx(3e-40)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("7 + lgamma(z)*pi", {"z": 0.99}),  # few digits of lgamma itself are known, and the sum needs no more
        ("lgamma(y) + 7 - y", {"y": 1.01}),
        ("logsumexp(1, exp2(z))", {"z": 9.11}),  # the slope is 1 to all digits, however far apart the two are
        ("log1p(a)^-1^(1/3)", {"a": 0.3}),  # a positive base needs no whole exponent
    ],
)
def test_what_float64_is_sure_of_is_not_computed_again(text: str, point: dict[str, float]) -> None:
    found, proven = package.evaluate(text, point), package.evaluate(text, point, digits=25)
    assert found.bits == 0
    assert found.value == pytest.approx(float(proven.value), rel=5e-13)
    assert {n: float(g) for n, g in proven.gradient.items()} == pytest.approx(found.gradient, rel=5e-13)


@pytest.mark.parametrize(
    ("text", "value", "slope"),
    [
        ("x*1.00000000000000005 - x*1", 1.5e-16, 5e-17),
        ("x*1.0 - x*1.00000000000000005", -1.5e-16, -5e-17),
        ("x*0.1000000000000000055511151231257827 - x*0.1", 1.66533453693773481e-17, 5.5511151231257827e-18),
        ("x*0.1 - x*0.10", 0.0, 0.0),
        ("x*3.141592653589793 - pi*x", -7.153879301498385e-16, -2.384626433832795e-16),
    ],
)
def test_numbers_that_share_a_float64_stay_apart(text: str, value: float, slope: float) -> None:
    answer = package.evaluate(text, {"x": 3})
    assert answer.value == pytest.approx(value, rel=1e-12, abs=0)
    assert answer.gradient["x"] == pytest.approx(slope, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    "factor",
    [
        "x/cosh(1e-8)",
        "x*cosh(1e-8)",
        "x^cosh(1e-8)",
        "x*1.00000000000000005",
        "-x*cosh(1e-8)",
        "if(x > 1, cosh(1e-8), 0)*x",
    ],
)
def test_rows_know_that_a_constant_is_only_nearly_1(factor: str) -> None:
    numpy = pytest.importorskip("numpy")
    point = 392558447.43716323
    text = f"sin({factor}) - x"
    true = package.evaluate(text, {"x": point})
    batch = package.compile(text, ["x"]).batch(x=numpy.full(39, point))
    assert batch.value[0] == pytest.approx(true.value, rel=1e-10)
    assert batch.gradient["x"][0] == pytest.approx(true.gradient["x"], rel=1e-10)
