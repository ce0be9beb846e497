"""Plots: every special point that `eval` knows is marked, no line goes through a gap, and nothing is drawn that is not sure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as package
from autodiff import Answer, evaluate
from autodiff.batch.compile import Compiled
from autodiff.errors import AutodiffError
from autodiff.plotting.curve import plot, sampled
from autodiff.plotting.marks import simplest
from autodiff.plotting.sampler import Sampler
from autodiff.plotting.surface import surface
from autodiff.render.plot import terminal, words
from autodiff.render.plot.image import THEMES, image
from autodiff.verify import digits
from tests.support.command import autodiff

PI = math.pi
MARKED = [
    ("abs(x^2-1)", -2, 2, [("corner", -1), ("corner", 1)]),
    ("1/x", -2, 2, [("pole", 0)]),
    ("1/x^2", -2, 2, [("pole", 0)]),
    ("1/(x - 1/3)^2", -2, 2, [("pole", 1 / 3)]),
    ("tan(x)", -5, 5, [("pole", k * PI / 2) for k in (-3, -1, 1, 3)]),
    ("1/sin(x)", -10, 10, [("pole", k * PI) for k in range(-3, 4)]),
    ("floor(x)", -2.5, 2.5, [("jump", k) for k in range(-2, 3)]),
    ("round(x)", -2, 2, [("jump", k + 0.5) for k in range(-2, 2)]),
    ("mod(x, 1)", -1.5, 1.5, [("jump", k) for k in range(-1, 2)]),
    ("if(x < 1, x, 3 - x)", -2, 2, [("jump", 1)]),
    ("x/abs(x)", -2, 2, [("jump", 0)]),
    ("atan(1/x)", -2, 2, [("jump", 0)]),
    ("sqrt(x)", -2, 2, [("end", 0)]),
    ("ln(x)", -2, 2, [("pole", 0)]),
    ("x*ln(x)", -2, 2, [("end", 0)]),
    ("asin(x)", -2, 2, [("end", -1), ("end", 1)]),
    ("sqrt(x^2 - 1)", -2, 2, [("end", -1), ("end", 1)]),
    ("x^x", -1, 2, [("end", 0)]),
    ("cbrt(x)", -2, 2, [("vertical tangent", 0)]),
    ("sqrt(abs(x - 0.3))", -2, 2, [("vertical tangent", 0.3)]),
    ("gamma(x)", -2.5, 2, [("pole", k) for k in range(-2, 1)]),
    ("abs(sin(x))", -4, 4, [("corner", k * PI) for k in (-1, 0, 1)]),
    ("relu(x) + 0.001*abs(x - 1.37)", -2, 2, [("corner", 0), ("corner", 1.37)]),
    ("max(x, 1 - x)", -2, 2, [("corner", 0.5)]),
    ("abs(x - 100000)", 99990, 100010, [("corner", 100000)]),
    ("1/sin(pi*x)", 0, 5, [("pole", k) for k in range(6)]),
    ("1/sin(x)", 0, 2 * PI, [("pole", k * PI) for k in range(3)]),
    ("cot(pi*x)", 0, 4, [("pole", k) for k in range(5)]),
    ("tan(x)", -300, 300, [("pole", (k + 0.5) * PI) for k in range(-95, 95)]),
    ("tan(pi*x)", -2, 2, [("pole", k + 0.5) for k in range(-2, 2)]),
    ("1/(x^2 - 2)^2", -2, 2, [("pole", -math.sqrt(2)), ("pole", math.sqrt(2))]),
    ("1/(cosh(x) - 1)", -1, 4, [("pole", 0)]),
    ("1/(cosh(x) - 1)", 0, 4, [("pole", 0)]),
    ("1/(exp(x) - 1)", 0, 4, [("pole", 0)]),
    ("exp(1/x)", -1, 1, [("pole", 0)]),
    ("tanh(1/x)", -1, 1, [("jump", 0)]),
    ("x*sin(1/x)", -0.01, 0.01, [("hole", 0)]),
    ("sin(1/x)", -0.1, 0.1, [("hole", 0)]),
    ("floor(exp(x))", -0.5, 1.5, [("jump", math.log(k)) for k in range(1, 5)]),
    ("sign(x^2 - 2)", -2, 2, [("jump", -math.sqrt(2)), ("jump", math.sqrt(2))]),
    ("if(x == 1, 5, x)", -2, 2, [("jump", 1)]),
    ("(x^2 - 1)/(x - 1)", -2, 2, [("hole", 1)]),
    ("(x - 0.3)/(x - 0.3)", -2, 2, [("hole", 0.3)]),
    ("x^2/x", -2, 2, [("hole", 0)]),
    ("exp(-1/x^2)", -3, 4, [("hole", 0)]),
    ("x*ln(abs(x))", -10, 10, [("hole", 0)]),
    ("(1 - cos(x))/x^2", -2, 2, [("hole", 0)]),
    ("sqrt(sin(x))", -4, 4, [("end", -PI), ("end", 0), ("end", PI)]),
    ("abs(x^2 - 1e-8)", -2, 2, [("corner", -1e-4), ("corner", 1e-4)]),
    ("abs(x - 0.1) + abs(x - 0.1001)", -1, 1, [("corner", 0.1), ("corner", 0.1001)]),
    ("abs(x)", -1e-200, 1e-200, [("corner", 0)]),
    ("tanh(1e20*(x - 1))", 0, 2, []),
    ("1/x + 1/(x - 1e-6)", -1, 1, [("pole", 0), ("pole", 1e-6)]),
    ("sin(pi*x)/sin(pi*x)", -1, 1, [("hole", k) for k in (-1, 0, 1)]),
    ("x*sqrt(x)", -1.0, 1.0, [("end", 0.0)]),
    ("1/floor(x)", -1.5, 2.5, [("jump", -1), ("end", 0), ("end", 1), ("jump", 2)]),
    ("asin(sin(x))", -10, 10, [("corner", (k + 0.5) * PI) for k in range(-3, 3)]),
    ("sqrt(x)", 0, 4, [("end", 0)]),
    ("asin(x)", -1, 1, [("end", -1), ("end", 1)]),
    ("abs(x - 0.1)", 0.1, 1, [("corner", 0.1)]),
    ("max(x, 0.5)", -1, 0.5, [("corner", 0.5)]),
    ("cbrt(x)", 0, 1, [("vertical tangent", 0)]),
    ("floor(x)", 0, 1.5, [("jump", 1)]),
    ("5", -1, 1, []),
    ("exp(x)", -2, 2, []),
    ("sin(x)/x", -10, 10, [("hole", 0)]),
    ("max(x, 0)^2", -2, 2, []),
    ("tanh(50x)", -2, 2, []),
    ("exp(exp(x))", -2, 8, []),
    ("5 + 0x", -2, 2, []),
    ("sqrt(-1 - x^2)", -2, 2, []),
]


@pytest.mark.parametrize(("text", "start", "stop", "marks"), MARKED, ids=[case[0] for case in MARKED])
def test_special_points_are_found(text: str, start: float, stop: float, marks: list[tuple[str, float]]) -> None:
    found = sampled(Sampler(text, ("x",), {}), float(start), float(stop))
    assert [mark.kind for mark in found.marks] == [kind for kind, _ in marks]
    assert [mark.x for mark in found.marks] == pytest.approx([x for _, x in marks], abs=1e-12)


@pytest.mark.parametrize("place", [0.1, 1 / 3, -7.25, 1e5, math.sqrt(2)])
@pytest.mark.parametrize(("text", "kind"), [("abs(x - c)", "corner"), ("1/(x - c)", "pole"), ("sign(x - c)", "jump")])
def test_special_points_are_found_anywhere(text: str, kind: str, place: float) -> None:
    found = sampled(Sampler(text, ("x",), {"c": place}), place - 1.3, place + 1.7)
    (mark,) = found.marks
    assert mark.kind == kind
    assert mark.x == pytest.approx(place, rel=1e-15)


def test_functions_of_balls_take_fewer_samples() -> None:
    assert len(sampled(Sampler("gammainc(x, 2)", ("x",), {}), 0.5, 5.0).xs) < 600
    assert len(sampled(Sampler("sinh(x)", ("x",), {}), 0.5, 5.0).xs) > 2000


@pytest.mark.parametrize("case", MARKED, ids=[case[0] for case in MARKED])
def test_no_line_goes_through_a_gap(case: tuple[str, float, float, list[tuple[str, float]]]) -> None:
    text, start, stop, _ = case
    found = plot(text, ("x", float(start), float(stop)))
    gaps = [mark.x for mark in found.marks if mark.kind in ("pole", "jump", "hole")]
    for xs, _ in found.curves[0].segments:
        assert not any(xs[0] < gap < xs[-1] for gap in gaps)
    for xs, _ in found.curves[1].segments:
        assert not any(xs[0] < mark.x < xs[-1] for mark in found.marks)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("mod(x, 1)", 1.0, 0.0),
        ("mod(x, 0.01)", 0.01, 0.0),
        ("atan(tan(x))", PI / 2, -PI / 2),
        ("1/(1 + exp(1/(x - 1)))", 1.0, 0.0),
        ("sqrt(abs(x - 1))*0 + sign(x - 1)/3", -1 / 3, 1 / 3),
        ("(x^2 - 1)/(x - 1)", 2.0, 2.0),
        ("(x - 1)*sin(1/(x - 1))", 0.0, 0.0),
        ("sin(1/(x - 1))", None, None),
    ],
)
def test_sides_are_limits(text: str, left: float | None, right: float | None) -> None:
    for mark in sampled(Sampler(text, ("x",), {}), 0.505, 2.495).marks:
        assert [mark.left, mark.right] == [
            None if side is None else pytest.approx(side, rel=1e-10) for side in (left, right)
        ]


def test_a_value_apart_from_the_curve_is_in_view() -> None:
    assert plot("if(x == 1, 5, x/9)", ("x", 0.0, 2.0)).curves[0].high > 5


def test_a_curve_that_leaves_float64_beside_a_pole_has_a_gap() -> None:
    for xs, _ in plot("1e300*tan(x)", ("x", 0.0, 3.0)).curves[0].segments:
        assert not xs[0] < PI / 2 < xs[-1]


def test_words_of_holes_and_jumps() -> None:
    listed = [
        *words.lines(plot("if(x == 1, 5, x) + 0*sin(1/(x - 2)) + floor(x/3) + (x^2 - 16)/(x - 4)", ("x", 0.0, 5.0)))
    ]
    assert listed == [
        "jump at x = 1: 10, near 6",
        "hole at x = 2: no value, near 8",
        "jump at x = 3: from 10 to 11",
        "hole at x = 4: no value, near 13",
    ]
    assert [*words.lines(plot("sin(1/x)", ("x", -1.0, 1.0)))] == ["hole at x = 0: no limit"]


def test_more_breaks_than_can_be_named_are_gaps_without_marks() -> None:
    stairs = plot("floor(x)", ("x", -500.5, 500.5))
    assert len(stairs.curves[0].segments) == 1002
    assert len(stairs.marks) < 100
    assert stairs.notes[0].startswith("there are 1001 places")


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("text", ["x + 1", "2x", "x^2", "0*x", "5"])
def test_derivatives_of_low_degree_are_lines(text: str, order: int) -> None:
    *_, last = plot(text, ("x", -1.0, 1.0), order=order).curves
    ((xs, ys),) = last.segments
    assert (xs[0], xs[-1]) == (-1, 1)
    assert set(ys) == {2.0 if (text, order) == ("x^2", 2) else 0.0}


@pytest.mark.parametrize("text", ["exp(x)", "-exp(x)", "1e-200*x", "-1e-100*x^2", "123456.789*x"])
def test_labels_of_an_axis_fit_beside_it(text: str) -> None:
    rows = terminal.text(plot(text, ("x", -700.0, 700.0), order=0), 80).splitlines()[1:22]
    assert {row.index("┤" if "┤" in row else "│") for row in rows} == {10}


def test_samples_are_what_eval_says() -> None:
    for text, start, stop in (
        ("exp(sin(x^2))", -2.0, 2.0),
        ("(exp(x) - 1)/x", -1e-8, 1e-8),
        ("ln(x)*sqrt(x)", 0.1, 4.0),
    ):
        found = sampled(Sampler(text, ("x",), {}), start, stop)
        for k in range(0, len(found.xs), max(len(found.xs) // 15, 1)):
            answer = evaluate(text, {"x": float(found.xs[k])})
            assert found.values[k] == pytest.approx(answer.value, rel=1e-10)
            assert found.slopes[k] == pytest.approx(answer.gradient["x"], rel=1e-10, abs=1e-300)


def test_a_narrow_peak_is_not_cut_off() -> None:
    found = plot("exp(-(1000x)^2)", ("x", -2.0, 2.0))
    assert max(max(ys) for _, ys in found.curves[0].segments) > 0.99


def test_derivatives_of_higher_order_have_the_gaps_of_the_first() -> None:
    found = plot("abs(x)^3 + abs(x - 1)", ("x", -2.0, 2.0), order=3)
    assert [curve.label for curve in found.curves] == ["f", "df/dx", "d²f/dx²", "d³f/dx³"]
    for curve, formula in zip(found.curves[1:], ("3x*abs(x) + sign(x - 1)", "6*abs(x)", "6*sign(x)"), strict=True):
        for xs, ys in curve.segments:
            for x, y in list(zip(xs, ys, strict=True))[:: len(xs) // 7 + 1]:
                assert y == pytest.approx(evaluate(formula, {"x": float(x)}).value, rel=1e-9, abs=1e-9)


def test_tangents() -> None:
    assert plot("x^2", ("x", -2.0, 2.0), {"x": 1.5}).tangent.slopes == (3.0,)  # type: ignore[union-attr]
    assert plot("abs(x)", ("x", -2.0, 2.0), {"x": 0.0}).tangent.slopes == (-1.0, 1.0)  # type: ignore[union-attr]
    nowhere = plot("ln(x)", ("x", -2.0, 2.0), {"x": -1.0})
    assert nowhere.tangent is None
    assert nowhere.notes[0].startswith("there is no tangent at x = -1: ")


def test_the_view_leaves_out_what_has_no_end() -> None:
    curve = plot("tan(x)", ("x", -5.0, 5.0)).curves[0]
    assert 4 < curve.high < 50
    assert plot("x^2", ("x", -1.0, 1.0)).curves[0].high == pytest.approx(1.05)


@pytest.mark.parametrize(
    ("text", "stop", "order", "low", "high"),
    [
        ("exp(-x^2/0.0001)", 1, 0, 1, 1.2), ("tanh(100x)", 1, 1, 100, 110), ("1/(1 + exp(-1000x))", 1, 1, 250, 275),
        ("log(x^2 - 1)", 3, 1, 1, 100), ("sqrt(sin(x))", 20, 1, 0.5, 100), ("x*exp(1/x)", 2, 0, 3, 1000),
        ("(x^2 - 1)/(x - 1)", 2, 1, 1.2, 2),
    ],
)  # fmt: skip
def test_the_view_has_all_of_a_peak_and_little_of_what_has_no_end(
    text: str, stop: float, order: int, low: float, high: float
) -> None:
    picture = plot(text, ("x", -stop, stop), order=order)
    assert low < picture.curves[order].high < high
    assert all(mark.kind != "jump" for mark in picture.marks)


def test_a_single_point_is_a_value_in_the_range() -> None:
    picture = plot("sqrt(x - 1)*sqrt(1 - x)", ("x", 0.0, 2.0))
    assert not picture.empty
    assert not picture.notes


@pytest.mark.parametrize(
    ("low", "high", "number"), [(0.2999999, 0.3000001, 0.3), (-1e-300, 1, 0), (1.5, 1.5, 1.5), (PI, PI, PI)]
)
def test_the_simplest_number_between_two(low: float, high: float, number: float) -> None:
    assert simplest(low, high) == number


def test_contours_and_arrows_of_descent() -> None:
    found = surface("x^2 + 3y^2", ("x", -1.0, 1.0), ("y", -2.0, 2.0), {"x": 1.0, "y": 1.0})
    assert found.gradient == {"x": 2.0, "y": 6.0}
    assert found.levels == list(range(1, 13))
    for x, y, dx, dy in found.arrows:
        assert dx * -6 * y - dy * -2 * x == pytest.approx(0, abs=1e-12)
        assert dx * -2 * x + dy * -6 * y >= 0
    lonely = surface("ln(x) + y", ("x", -2.0, -1.0), ("y", 0.0, 1.0))
    assert lonely.notes == ("there is no value in this range",)
    assert not lonely.levels
    assert not lonely.arrows


def test_json_has_samples_and_marks() -> None:
    data = json.loads(autodiff("plot", "abs(x)", "--range", "x=-1..1", "--json").out)
    assert data["marks"] == [
        {"kind": "corner", "x": 0.0, "value": 0.0, "left": 0.0, "right": 0.0, "left_slope": -1.0, "right_slope": 1.0}
    ]
    assert [curve["label"] for curve in data["curves"]] == ["f", "df/dx"]
    assert len(data["curves"][1]["segments"]) == 2


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_terminal_is_never_wider_than_asked(width: int) -> None:
    for text in ("abs(x^2-1)", "tan(x)", "1e300*x", "floor(x)"):
        found = terminal.text(plot(text, ("x", -5.0, 5.0), {"x": 1.5}), width)
        assert max(map(len, found.splitlines()[:-8])) <= width
    assert "\n" in terminal.text(surface("x*y", ("x", -1.0, 1.0), ("y", -1.0, 1.0)), width)


@pytest.mark.parametrize("text", ["tan(x)", "x^3/7", "exp(x)/3", "1e-200*x", "5.123", "sin(1/x)*77"])
def test_axes_of_the_terminal_end_at_round_numbers(text: str) -> None:
    rows = terminal.text(plot(text, ("x", -3.0, 3.0), order=0), 80).splitlines()
    high, low = (float(row.split("┤")[0]) for row in rows if "┤" in row)
    assert low < high
    assert all(len(f"{abs(end):.12e}".partition("e")[0].replace(".", "").rstrip("0")) <= 3 for end in (low, high))
    assert any("⠀" < sign <= "⣿" for row in rows for sign in row)


@pytest.mark.parametrize(
    ("text", "over", "low", "high"),
    [
        ("x^2 + 1e-3", "-1e-8..1e-8", "0.001", "+1.1e-16"),
        ("1e5 + x", "-1e-9..1e-9", "1e+05", "+2.2e-09"),
        ("x + 99999000", "0..1000", "99998900", "100000100"),
    ],
)
def test_ends_of_a_narrow_axis_differ(text: str, over: str, low: str, high: str) -> None:
    """Both had the same number, or the picture none: an axis of 1e-16 beside 0.001 ended with status 70."""
    run = autodiff("plot", text, "--range", f"x={over}")
    assert run.status == 0
    assert [line.split(" ┤")[0].strip() for line in run.out.splitlines() if "┤" in line][:2] == [high, low]


def test_ends_of_a_narrow_range_differ() -> None:
    assert "100000000.0  " in autodiff("plot", "x", "--range", "x=1e8..100000001").out


def test_the_last_column_and_the_highest_line_are_drawn() -> None:
    rows = terminal.text(plot("exp(exp(x))", ("x", -2.0, 6.0), order=0), 80).splitlines()
    assert rows[2][-1:] not in ("", "⠀", "│")


def test_a_derivative_has_open_dots_where_there_is_no_slope() -> None:
    image = pytest.importorskip("autodiff.render.plot.image")
    dots = [
        image.image(plot(text, ("x", -1.0, 1.0)), "svg").count(b"<use ") for text in ("sin(x)", "abs(x)", "floor(x)")
    ]
    assert dots[1] >= dots[0] + 3
    assert dots[2] >= dots[0] + 4


def test_surfaces_of_balls_take_few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, sloped = list[int](), list[int]()
    honest = Compiled.approximate

    def approximate(self: Compiled, **columns: Any) -> Any:
        (sloped if self.sources else counted).append(max(np.size(column) for column in columns.values()))
        return honest(self, **columns)

    monkeypatch.setattr(Compiled, "approximate", approximate)
    found = surface("betainc(x, y, 0.3)", ("x", 0.5, 5.0), ("y", 0.5, 5.0))
    assert sum(counted) == 25 * 25
    assert sum(sloped) < 400
    for x, y, dx, dy in found.arrows[::20]:
        slopes = evaluate("betainc(x, y, 0.3)", {"x": x, "y": y}).gradient
        assert slopes["x"] is not None
        assert slopes["y"] is not None
        assert slopes["x"] * dy == pytest.approx(slopes["y"] * dx, rel=1e-12)


@pytest.mark.parametrize(
    ("order", "height", "lines"), [(0, 24, 23), (1, 24, 23), (1, 40, 39), (2, 60, 59), (1, 10, 20)]
)
def test_the_terminal_keeps_a_line_for_the_prompt(order: int, height: int, lines: int) -> None:
    wave = plot("sin(x)", ("x", -5.0, 5.0), order=order)
    assert len(terminal.text(wave, 80, height).splitlines()) - len(list(words.lines(wave))) == lines


def test_a_screen_without_braille_gets_stars() -> None:
    found = terminal.text(plot("floor(x)", ("x", -2.0, 2.0)), 60, unicode=False)
    assert found.isascii() or found.replace("²", "").isascii()
    assert "@****" in found


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_pictures_are_files_that_do_not_change(form: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first, second, contours = (tmp_path / f"{name}.{form}" for name in "abc")
    for path in (first, second):
        assert autodiff("plot", "abs(x) + 1/(x - 1)", "--range", "x=-2..3", "--at", "x=0", "-o", str(path)).status == 0
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[form])
    done = autodiff("plot", "x^2 + y", "--range", "x=-1..1,y=0..1", "--theme", "dark", "-o", str(contours))
    assert (done.status, done.out, contours.exists()) == (0, "", True)


@pytest.mark.parametrize(
    ("text", "kind", "sides"),
    [
        ("atan(1/(x-0.3))", "jump", (-math.pi / 2, math.pi / 2)), ("tanh(1/(0.7-x))", "jump", (1.0, -1.0)),
        ("abs(x-0.7)/(x-0.7)", "jump", (-1.0, 1.0)), ("exp(1/(x-0.3))", "pole", (0.0, None)), ("exp(1/(0.7-x))", "pole", (None, 0.0)),
    ],
)  # fmt: skip
def test_both_sides_of_a_decimal_are_those_of_the_decimal(
    text: str, kind: str, sides: tuple[float | None, float | None]
) -> None:
    (mark,) = plot(text, ("x", -1.0, 1.0)).marks
    assert mark.kind == kind
    assert (mark.left, mark.right) == pytest.approx(sides)


def test_an_svg_follows_the_theme_of_the_screen() -> None:
    image = pytest.importorskip("autodiff.render.plot.image")
    drawn = image.image(plot("abs(x)", ("x", -1.0, 1.0)), "svg").decode()
    shapes = re.sub("<style.*?</style>", "", drawn, flags=re.DOTALL)
    assert set(re.findall("#[0-9a-f]{6}", shapes)) <= set(image.THEMES["light"])
    assert shapes.count(' style="') == shapes.count(' class="autodiff" style="')
    assert all(f'[style*="fill: {colour}"]' in drawn for colour in image.THEMES["light"])
    asked = image.image(plot("abs(x)", ("x", -1.0, 1.0)), "svg", "light").decode()
    assert "prefers-color-scheme" in drawn
    assert "prefers-color-scheme" not in asked
    assert "svg.autodiff{max-width: 100%" in drawn
    assert "*{" not in drawn  # a rule for all of a page that has the picture inside


def test_points_of_a_table_are_shown(tmp_path: Path) -> None:
    table = tmp_path / "points.csv"
    table.write_text("t,h\n0,1\n1,2\n2,9\n")
    done = autodiff("plot", "x^2", "--range", "x=-1..3", "--order", "0", "--data", str(table))
    assert done.out.count("×") == 3
    drawn = image(plot("x^2", ("x", 0.0, 2.0), points=([0.0, 2.0, 5.0], [1.0, 4.0, 4.0])), "svg").decode()
    crosses = re.findall(rf"<g[^>]*>\s*<use[^>]*{THEMES['light'].data}[^>]*>(?:\s*<use[^>]*>)*", drawn)
    assert len(crosses) == 1
    assert crosses[0].count("<use") == 2  # of what is in the range, those on its ends whole
    assert "clip-path" not in crosses[0]
    wrong = autodiff("plot", "x^2", "--range", "x=-1..3", "--data", str(table), "--y", "hh")
    assert (wrong.status, wrong.out) == (4, "")
    assert "no column 'hh'" in wrong.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x^2", "--range", "x=2..1"], "the range of x is empty: 2 to 1"),
        (["x^2", "--range", "x=0..1e308"], "the range of x reaches 1e+308, and numbers up to 1e+150 are drawn"),
        (["x^2", "--range", "x=-1e308..1e308"], "the range of x reaches 1e+308"),
        (["x^2", "--range", "x=1..1+1e-14"], "the range of x is too narrow"),
        (["x^2", "--range", "x=0..1e-290"], "the range of x is too narrow"),
        (["x^2", "--range", "x=0..1e-310"], "the range of x is too narrow"),
        (["x*y", "--range", "x=0..1,y=-1e200..1"], "the range of y reaches 1e+200"),
        (["x^2", "--range", "y=1..2"], "--range names 'y', which is not an input"),
        (["x^2", "--range", "x=1.."], "the range of 'x' needs two ends"),
        (["x^2", "--range", "x=1"], "--range can't be read at 'x=1'"),
        (["x^2", "--range", "x=0..1,x=1..2"], "--range gives 'x' twice"),
        (["a*x^2", "--range", "x=-1..1"], "'a' has no value"),
        (["5"], "no input to plot over"),
        (["x+y+z"], "3 inputs have no value, and a plot is over one or two"),
        (["x+y+z", "--range", "x=0..1,y=0..1,z=0..1"], "--range names 3 variables"),
        (["x^2", "-o", "a.gif"], "'a.gif' does not tell its format"),
        (["x^2", "--json", "-o", "a.svg"], "don't go together"),
        (["x^2", "--at", "q=1"], "--at gives 'q', which is not an input"),
    ],
)
def test_mistakes_are_sentences(args: list[str], message: str) -> None:
    done = autodiff("plot", *args)
    assert message in done.err
    assert (done.status, done.out) == (2, "")


def test_a_program_without_blocks_is_drawn_with_few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "if(ceil(-1) >= -0, 0.5 - 5e-324, y)*x + y"
    counted: list[Mapping[str, float]] = []
    honest = Compiled.answer

    def answer(self: Compiled, point: Mapping[str, float], **options: int) -> Answer:
        counted.append(point)
        return honest(self, point, **options)

    monkeypatch.setattr(Compiled, "answer", answer)
    assert not package.compile(text).in_blocks
    surface(text, ("x", -2.0, 2.0), ("y", -1.0, 3.0))
    assert len(counted) < 1000
    counted.clear()
    found = plot(text, ("x", -2.0, 2.0), {"y": 1.0})
    assert len(counted) < 1000
    assert found.notes[0].startswith("samples of this program are computed one by one")


@pytest.mark.parametrize("text", ["sin(x)/abs(sin(x))", "sin(x)^2 + cos(x)^2"])
def test_samples_that_need_more_digits_begin_with_what_others_needed(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    tried: list[int] = []
    honest = digits._at_precision

    def at_precision(*given: Any, **options: Any) -> Any:
        tried.append(given[3])
        return honest(*given, **options)

    monkeypatch.setattr(digits, "_at_precision", at_precision)
    found = plot(text, ("x", -5.0, 5.0))
    assert found.curves[1].low < 0 < found.curves[1].high
    assert len(tried) > 100
    assert tried.count(max(tried)) > 0.8 * len(tried)


@pytest.mark.parametrize(
    ("text", "over", "marks", "most"),
    [
        ("gammainc_a(x, 0.5)", (-5.0, 5.0), [("end", 0.0)], 600),
        ("besselj(0, x)", (1e5, 2e5), [], 12_000),  # waves shorter than the distance of samples
    ],
)
def test_functions_by_balls_are_sampled_few_times(
    text: str, over: tuple[float, float], marks: list[Any], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    honest = Sampler.approximate

    def approximate(self: Sampler, *places: Any) -> Any:
        counted.append(places[0].size)
        return honest(self, *places)

    monkeypatch.setattr(Sampler, "approximate", approximate)
    found = plot(text, ("x", *over))
    assert [(mark.kind, mark.x) for mark in found.marks] == marks
    assert sum(counted) < most


def test_a_derivative_without_a_value_is_left_out_with_a_note() -> None:
    drawn = plot("1e200*sin(1e200*x)", ("x", 0.1, 3.0))
    assert [curve.label for curve in drawn.curves] == ["f"]
    assert drawn.notes[0] == "df/dx has no value at any sample, and is left out"


def test_orders_have_a_limit() -> None:
    with pytest.raises(AutodiffError, match="up to order 3"):
        plot("x^2", ("x", 0.0, 1.0), order=4)


def test_every_sample_of_a_smooth_curve_is_close_to_the_next() -> None:
    """Where the curve bends, samples are added: the picture has no edges that the curve lacks."""
    (_, ys), *rest = plot("tanh(1000x)", ("x", -2.0, 2.0)).curves[0].segments
    assert not rest
    height = max(ys) - min(ys)
    assert np.max(np.abs(np.diff(ys))) < 0.25 * height


@pytest.mark.parametrize(
    "args",
    [
        ["exp(x)", "--range", "x=-800..800"],
        ["1e308*x", "--range", "x=-1.7..1.7"],
        ["-exp(x^2)", "--range", "x=-40..40"],
        ["1e-320*x", "--range", "x=0..1"],
        ["5e-324*x", "--range", "x=-2..2"],
        ["if(x > 0, 5e-324, 0)", "--range", "x=-2..2"],
        ["1e-307*x", "--range", "x=-2..2"],
        ["5e-324*x*y", "--range", "x=-2..2,y=-1..1"],
        ["1e-306*x*y", "--range", "x=-2..2,y=-1..1"],
        ["x^2", "--range", "x=-1e150..1e150"],
        ["x^3", "--range", "x=-1e-200..1e-200"],
        ["1/x", "--range", "x=-1e-270..1e-270"],
        ["5", "--range", "x=-1..1", "--order", "3"],
        ["sin(x)", "--range", "x=-1e-148..1e-148"],
        ["1e308*x*y", "--range", "x=-1..1,y=-1..1"],
        ["exp(1/x)", "--range", "x=-0.01..0.01"],
        ["if(x > 0, 1e300, -1e300)", "--range", "x=-1..1"],
    ],
    ids=lambda args: args[0],
)
def test_numbers_at_the_ends_of_float64_are_drawn(args: list[str], tmp_path: Path) -> None:
    for form in ([], ["--json"], ["-o", str(tmp_path / "a.svg")]):
        done = autodiff("plot", *args, *form)
        assert (done.status, done.err) == (0, "")
        assert "nan" not in done.out.lower()
        assert "infinity" not in done.out.lower()
