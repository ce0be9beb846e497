"""Contours: no line goes through a pole or a jump, no level is drawn that the function never takes, and levels are round numbers.

`golden/plots.txt` holds pictures of a terminal: `UPDATE_GOLDEN=1 pytest tests/plotting/test_contours.py` writes it anew, then it
must be looked at.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
from pathlib import Path

import numpy as np
import pytest

from autodiff import evaluate
from autodiff.cli.main import run as run_command
from autodiff.plotting.contours import SCRAP
from autodiff.plotting.curve import plot
from autodiff.plotting.model import Surface
from autodiff.plotting.surface import BALLS_GRID, surface
from autodiff.render.plot import terminal, words
from tests.support.command import Terminal, autodiff
from tests.support.paths import GOLDEN

PI = math.pi


def _over(text: str, reach: float = 2.0) -> Surface:
    return surface(text, ("x", -reach, reach), ("y", -reach, reach))


BROKEN = [
    ("1/(x+y)", lambda x, y: abs(x + y)),
    ("1/(x+y)^2", lambda x, y: abs(x + y)),
    ("ln(abs(x+y))", lambda x, y: abs(x + y)),
    ("tan(x*y)", lambda x, y: np.minimum(abs(x * y - PI / 2), abs(x * y + PI / 2))),
    ("floor(x)+y", lambda x, y: abs(x - np.round(x))),
    ("sign(x*y)", lambda x, y: np.minimum(abs(x), abs(y))),
    ("floor(x*y)", lambda x, y: abs(x * y - np.round(x * y))),
    ("atan2(y,x)", lambda x, y: np.where(x < 0, abs(y), np.hypot(x, y))),
    ("mod(x+y,1)", lambda x, y: abs(x + y - np.round(x + y))),
    ("if(x > y, x, y + 5)", lambda x, y: abs(x - y)),
    ("x/y", lambda x, y: abs(y)),
]
"""Programs, and the distance from where they jump or have a pole."""


@pytest.mark.parametrize(("text", "distance"), BROKEN, ids=[case[0] for case in BROKEN])
def test_lines_have_their_level_and_cuts_are_where_the_program_breaks(text: str, distance: object) -> None:
    assert callable(distance)
    picture = _over(text)
    for level, lines in picture.lines.items():
        for line in lines:
            steps = np.abs(np.diff(line, axis=0)).max(axis=1)
            assert steps.max() <= 0.03  # from one edge of a cell to another one of it
            middle = ((line[:-1] + line[1:]) / 2)[::29]
            middle = middle[np.hypot(*middle.T) > 0.3]  # where all lines of an angle meet, they are no straight lines
            values = [evaluate(text, {"x": x, "y": y}).value or 0.0 for x, y in middle.tolist()]
            assert np.abs(np.array(values) - level).max(initial=0) <= 0.05 * max(abs(level), 1.0)
    assert picture.cuts
    for cut in picture.cuts:
        assert distance(*cut.T).max() < 0.02


@pytest.mark.parametrize("text", ["sign(x*y)", "floor(x*y)", "if(x > 0, 1, 2)", "heaviside(x - y)"])
def test_levels_that_a_program_never_takes_are_not_drawn(text: str) -> None:
    picture = _over(text)
    assert not picture.lines
    assert "no lines: the value only jumps" in terminal.text(picture, 80)


@pytest.mark.parametrize(
    "text", ["abs(x)-abs(y)", "max(x,y)", "sqrt(abs(x-y))", "tanh(30*(x+y))", "sin(10*x*y)", "relu(x)+relu(y)", "x^2*y"]
)
def test_corners_and_steep_parts_are_no_cuts(text: str) -> None:
    picture = _over(text)
    assert not picture.cuts
    assert len(picture.levels) >= 5
    assert not picture.notes


def test_lines_that_the_samples_can_not_follow_are_left_out_with_a_note() -> None:
    (note,) = _over("sin(1000*x*y)").notes
    assert note.startswith("the value changes faster than the samples")


@pytest.mark.parametrize(
    "text", ["x^2+y^2", "1e-7*x*y", "1000+tan(x*y)", "100*(y-x^2)^2+(1-x)^2", "exp(5x+y)", "1/(x+y)", "sin(x)*y/3"]
)
def test_levels_are_round_numbers(text: str) -> None:
    levels = np.array(_over(text).levels)
    assert 5 <= len(levels) <= 13
    steps = np.diff(levels)
    even = np.allclose(steps, steps[0])
    for number in [steps[0]] if even else np.abs(levels[levels != 0]):
        assert float(f"{number:e}".partition("e")[0]) in (1.0, 2.0, 2.5, 5.0)


@pytest.mark.parametrize(
    ("text", "span", "levels"),
    [
        ("exp(x+y)", 10, [10.0**k for k in range(-5, 6)]), ("exp(-(x^2+y^2)*50)", 3, [k / 10 for k in range(1, 10)]),
        ("log(x*y)", 2, [-2.5, -2, -1.5, -1, -0.5, 0, 0.5]),
    ],
)  # fmt: skip
def test_levels_are_those_that_a_person_would_choose(text: str, span: float, levels: list[float]) -> None:
    picture = surface(text, ("x", -span, span), ("y", -span, span))
    assert set(picture.levels) <= set(levels)
    assert len(picture.levels) >= len(levels) - 2


def test_labels_of_levels_differ() -> None:
    assert list(words.apart([1000000.1, 1000000.2]).values()) == ["1000000.1", "1000000.2"]


def test_values_that_float64_loses_are_computed_again() -> None:
    picture = surface("(1 - cos(x))/x^2 + y", ("x", -1e-7, 1e-7), ("y", 0.0, 1.0))
    for level, lines in picture.lines.items():
        for line in lines:
            assert np.abs(line[:, 1] - (level - 0.5)).max() < 1e-6


PICTURES = [
    (40, "tan(x)", "x=-5..5", "x=0.5"),
    (80, "abs(x^2 - 1)", "x=-2..2", "x=1"),
    (200, "x*sin(1/x)", "x=-0.2..0.2", ""),
    (40, "x^2 + y^2", "x=-2..2,y=-2..2", "x=1,y=1"),
    (80, "1/(x+y)", "x=-2..2,y=-2..2", ""),
    (80, "floor(x)+y", "x=-2..2,y=-2..2", ""),
    (80, "sign(x*y)", "x=-2..2,y=-2..2", ""),
    (80, "atan2(y,x)", "x=-2..2,y=-2..2", ""),
    (200, "tan(x*y)", "x=-2..2,y=-2..2", ""),
]


def _on_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int, *args: str) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "24")
    out = Terminal()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert run_command(["plot", *args]) == 0
    return out.text()


def test_terminal_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for width, text, over, at in PICTURES:
        picture = _on_a_terminal(monkeypatch, width, text, "--range", over, *(["--at", at] if at else []))
        assert max(map(len, picture.splitlines())) <= width
        drawn.append(f"# {text}, {width} columns\n{picture.rstrip()}\n")
    path = GOLDEN / "plots.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text("\n".join(drawn), encoding="utf-8")
    assert "\n".join(drawn) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("args", [["ln(x)", "--range", "x=-2..-1"], ["ln(x)+y", "--range", "x=-2..-1,y=0..1"]])
@pytest.mark.parametrize("form", [[], ["--json"], ["-o"]])
def test_a_range_without_any_value_ends_with_the_reason(args: list[str], form: list[str], tmp_path: Path) -> None:
    target = tmp_path / "a.svg"
    done = autodiff("plot", *args, *form, *([str(target)] if form == ["-o"] else []))
    assert (done.status, done.out, target.exists()) == (3, "", False)
    assert done.err.startswith("error: ln(x) needs x > 0, but x is -1.5")


def test_equal_spans_have_equal_scales(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib.image")
    from autodiff.render.plot.image import surface_image

    path = tmp_path / "a.png"
    path.write_bytes(surface_image(_over("1/(x^2+y^2)"), "png"))
    blue = np.abs(matplotlib.imread(path)[:, :, :3] - [0x0B / 255, 0x5C / 255, 0xAD / 255]).max(axis=2) < 0.05
    rows, columns = np.nonzero(blue)
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), rel=0.02)


@pytest.mark.parametrize("text", ["y + 0.1*floor(25*x)", "y + x + floor(20*x)", "floor(6*x*y) + x"])
def test_scraps_between_two_cuts_are_not_drawn(text: str) -> None:
    """A line of two or three cells with a cut at both ends shows nothing but the grid."""
    assert all(len(line) > SCRAP for lines in _over(text).lines.values() for line in lines)


def test_labels_of_lines_are_apart() -> None:
    pytest.importorskip("matplotlib")
    from autodiff.render.plot import image

    placed = image.surface_image(_over("tan(x*y)"), "svg").decode().count("<!-- 0.5 -->")
    assert placed <= 8


def test_poles_closer_than_samples_leave_only_samples() -> None:
    pytest.importorskip("matplotlib")
    picture = plot("tan(1000x)", ("x", -5.0, 5.0))
    assert {len(xs) for curve in picture.curves for xs, _ in curve.segments} == {1}
    assert picture.notes == ("the curve breaks about as often as it is sampled: the samples are not joined",)
    for frequency in (100, 400):
        assert max(len(xs) for xs, _ in plot(f"tan({frequency}x)", ("x", -5.0, 5.0)).curves[0].segments) > 1


def test_slopes_of_a_corner_are_written_once_and_losses_without_markup() -> None:
    pytest.importorskip("matplotlib")
    from autodiff.render.plot import image, models

    corner = image.image(plot("abs(x)", ("x", -1.0, 1.0), {"x": 0.0}), "svg").decode()
    assert corner.count("<!-- slope") == 1
    losses = models.loss_image("L", [1, 2, 3], {"loss": [10.0, 1.0, 0.1]}, "svg").decode()
    assert "mathdefault" not in losses
    assert "<!-- 0.1 -->" in losses


def test_poles_are_dotted_in_every_panel() -> None:
    pytest.importorskip("matplotlib")
    from autodiff.render.plot import image

    picture = image.image(plot("1/x", ("x", -1.0, 1.0)), "svg").decode()
    assert picture.count("stroke-dasharray") == 2


@pytest.mark.parametrize("text", ["airy(x*y)", "besselj(0, x) + y"])
def test_functions_by_balls_have_fewer_samples(text: str) -> None:
    found = surface(text, ("x", -3.0, 3.0), ("y", -3.0, 3.0))
    assert found.values.shape == (BALLS_GRID + 1, BALLS_GRID + 1)
    assert found.lines


@pytest.mark.parametrize("text", ["x^2 - y^2", "1/(x^2 + y^2 - 1)", "x*y", "exp(-x^2 - y^2)"])
def test_a_picture_names_the_value_of_each_line(text: str) -> None:
    image = pytest.importorskip("autodiff.render.plot.image")
    over = surface(text, ("x", -2.0, 2.0), ("y", -2.0, 2.0))
    drawn = image.surface_image(over, "svg").decode()
    assert [level for level in over.levels if f"<!-- {level:g} -->" not in drawn] == []


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_labels_that_are_moved_apart_get_room_where_they_need_it(place: float) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure(layout="constrained")
    from autodiff.render.plot import image

    axis = figure.subplots()
    axis.plot([0, 1], [0, 1])
    side = -10 if place == 0 else 10
    for label in "ab":
        axis.annotate(label, (0.5, place), xytext=(0, side), textcoords="offset points")
    low, high = axis.get_ylim()
    image._apart(figure, axis)
    (first, second), (below, above) = axis.texts, axis.get_ylim()
    assert not first.get_window_extent().overlaps(second.get_window_extent())
    assert (below < low, above > high) == (place == 0, place == 1)
