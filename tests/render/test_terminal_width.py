"""Narrow and wide screens: no line is wider than the screen, and no number and no word is broken."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodiff.cli.main import run as run_command
from autodiff.diagnostics import shown
from autodiff.errors import AutodiffError, columns, excerpt
from autodiff.explanation.build import explain
from autodiff.explanation.model import Explanation
from autodiff.render.text.document import text
from autodiff.render.text.labels import fitted
from autodiff.render.text.layout import folded, screen
from autodiff.render.text.numbers import eight, short
from tests.explanation.test_explanations import CASES
from tests.support.command import Terminal
from tests.support.programs import programs

WIDTHS = (40, 60, 80, 120)

NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")
SAID = "value each old slope path paths total more column format json has all that were made steps left right equal only side columns o of"
"""Words that not every width has."""

WORD = re.compile(r"…?(?<!\w)[^\W\d]\w*(?:…\w*)*")

HARD: dict[str, tuple[str, dict[str, Any] | None, dict[str, Any]]] = {
    "tiny and huge numbers": ("x^3*y + 1.23456789e-7*x", {"x": -1.23456789e-5, "y": -9.87654321e17}, {"rate": 0.123456789}),
    "both modes, long numbers": ("x^3*y*z", {"x": -1.23456789e-5, "y": -9.87654321e17, "z": 3.3}, {"mode": "both"}),
    "forward mode, long numbers": ("x^3*y*z", {"x": -1.23456789e-5, "y": -9.87654321e17, "z": 3.3}, {"mode": "forward"}),
    "long names": (
        "activation_of_the_hidden_layer = tanh(weight_of_the_first_input*value_of_the_first_input);"
        " total_loss = (activation_of_the_hidden_layer - 1)^2",
        {"weight_of_the_first_input": 0.51234567, "value_of_the_first_input": 1.87654321},
        {"rate": 0.05},
    ),
    "many paths": ("a = x^2 + x; b = a*a + a; c = b*b + sin(b); c*c + x", {"x": 0.3}, {}),
    "many inputs": ("+".join(f"w{i}*{i}.125" for i in range(30)), {f"w{i}": i / 7 for i in range(30)}, {"rate": 0.1}),
    "an array": ("sum((A @ x)^2)", {"A": [[1.5, 2.25], [3.125, 4.0625]], "x": [0.1, 0.2]}, {}),
    "a corner of many": ("max(x, y, z) + abs(w)", {"x": 1.0, "y": 1.0, "z": 1.0, "w": 0.0}, {}),
    "infinite": ("sqrt(x) + 123.456789*y", {"x": 0.0, "y": 1.0}, {}),
    "outside, long": ("log(3.1415926535*x - 2.718281828459*y - 12345.678901)", {"x": 1.0, "y": 2.0}, {}),
    "overflow": ("exp(exp(x))", {"x": 1000.0}, {}),
    "conditions": ("if(x > 0.123456789 and y < 9.87654321, x^2*y, sin(x)/y)", {"x": 1.0, "y": 2.0}, {}),
    "symbols alone": ("z = w*x + b; p = sigmoid(z); L = bce(y, p) + 0.12345678*l2(w)", None, {}),
    "a long number beside a statement": (
        "v = (max(z, y)/(z + 2*x)); (y + v)^2", {"x": 100.0, "z": 3.141592653589793, "y": 1e200}, {"mode": "both"},
    ),
    "wide signs": ("変数 = 幅*幅; 結果 = sin(変数)", {"幅": 1.23456789}, {}),
}  # fmt: skip


def test_a_drawing_and_its_table_fit_at_the_screens_people_have() -> None:
    page = text(explain("z = w*x + b; p = sigmoid(z)", {"w": 0.4, "b": -2.5, "x": 7.8}, ["w"], rate=0.1), 40)
    assert " UPDATE\n   each: old - 0.1 × slope\n   w  0.4 → 0.22260118\n" in page
    assert "      ∂p/∂z = p·(1 - p) = 0.22743439\n" in page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [*CASES, *HARD])
def test_no_line_is_wider_than_the_page_and_no_number_or_word_is_broken(name: str, width: int) -> None:
    program, at, options = CASES[name] if name in CASES else HARD[name]
    explanation = explain(program, at, **options)
    for unicode in (True, False):
        _whole(explanation, text(explanation, width, unicode=unicode), width)


@given(programs(), st.sampled_from(WIDTHS), st.sampled_from(["reverse", "forward", "both"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_programs_fit_any_page(example: tuple[str, dict[str, float]], width: int, mode: str) -> None:
    program, point = example
    used = set(re.findall(r"\w+", program))
    explanation = explain(program, {name: value for name, value in point.items() if name in used}, mode=mode, rate=0.01)
    _whole(explanation, text(explanation, width), width)


def _whole(explanation: Explanation, page: str, width: int) -> None:
    wide = [line for line in page.split("\n") if columns(line) > width]
    assert not wide, "\n".join(wide)
    source = "\n".join(
        [*_texts(explanation.to_dict()), text(explanation, 1000), text(explanation, 1000, unicode=False)]
    )
    numbers = set(NUMBER.findall(source))
    broken = [number for number in NUMBER.findall(re.sub(r"[\d,]+ more", "", page)) if number not in numbers]
    assert not broken, f"{broken}\n{page}"
    words = set(re.findall(r"\w+", f"{source} {SAID}"))
    cut = re.sub(r"\.\.\.|~", "…", page)  # a screen without the sign has dots
    parts = [word for word in WORD.findall(cut) if "…" not in word and not {word, word.removeprefix("d")} & words]
    assert not parts, f"{parts}\n{page}"


def _texts(data: object) -> Iterator[str]:
    """All text of an explanation, its numbers in every form that a page has for them."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)
    elif isinstance(data, float):
        yield from (shown(data), eight(data), short(data), f"{data:.5g}", f"{data:.0e}", shown(float(f"{data:.12g}")))
    else:
        yield f"{data:,}" if isinstance(data, int) else str(data)


# --- what is folded ---------------------------------------------------------------------------------------------------

_WORDS = st.lists(st.sampled_from(["a", "word", "1.2345e-07", "x", "=", "+", "(y", "longer_than_most", "·", "h"]), min_size=1, max_size=30)  # fmt: skip


@given(_WORDS, st.lists(st.sampled_from([" ", "  "]), min_size=30, max_size=30), st.integers(20, 80))
def test_folding_changes_blanks_alone(words: list[str], gaps: list[str], width: int) -> None:
    line = "".join(f"{word}{gap}" for word, gap in zip(words, gaps, strict=False)).rstrip()
    rows = folded(line, width, 2)
    assert " ".join(rows).split() == line.split()
    assert all(len(row) <= width for row in rows)
    signs = any(gap == "  " for gap in gaps) or line.startswith(("+", "·"))
    assert signs or not any(
        row.strip().startswith(("+", "·")) for row in rows
    )  # it would read as a statement of its own


def test_only_a_long_formula_is_parted_without_a_blank() -> None:
    formula = "2*x*cos(x^2)*exp(sin(x^2))*1234567890.123456789e-12*exp(x)"
    rows = folded(formula, 26)
    assert "".join(rows) == formula
    assert all(len(row) <= 26 for row in rows)
    assert any(row.endswith("1234567890.123456789e-12*") for row in rows)
    assert folded("x" * 100, 40) == ["x" * 100]


def test_a_line_goes_on_below_its_second_column() -> None:
    assert screen("label   words that go on and on", 22) == "label   words that go\n        on and on"
    assert screen("  --hint that goes on", 14) == "  --hint that\n  goes on"


_PIECES = st.sampled_from(["x", "weight_w", "*", " + ", "(", ")", " - ", "0.12345678", "1.5e-07", "42", ".5", "sin"])


@given(st.lists(_PIECES, min_size=1, max_size=40), st.integers(8, 60))
def test_a_formula_is_cut_between_its_numbers(pieces: list[str], limit: int) -> None:
    formula = " ".join(pieces)
    found = fitted(formula, limit)
    assert columns(found) <= limit
    known = set(re.findall(r"[\w.]+(?:-\d+)?", formula))
    assert all(part in known for part in re.findall(r"[\w.]+(?:-\d+)?", found) if part[0] in ".0123456789")


# --- commands on a terminal -------------------------------------------------------------------------------------------

TRAIN = ("train", "z = w*cgpa + b; p = sigmoid(z); L = bce(placed, p)", "--data", "tests/examples/placements.csv")
COMMANDS = [
    ("eval", "abs(x)", "--at", "x=0"),
    ("eval", "log(x-3)*sqrt(x)", "--at", "x=2"),
    ("eval", "a*b*c", "--at", "a=1.2345678901,b=-1.234567890123e-7,c=3", "--hessian"),
    ("eval", "exp(sin(x^2)) + cos(x)*tan(x)*sqrt(x)*log(x) + unknown_name(x)", "--at", "x=1"),
    ("eval", "x^2 + 3*x + " * 30 + ")", "--at", "x=1"),
    ("eval", "x^2"),
    ("evil",),
    ("explain", "exp(sin(x^2))", "--at", "x=4"),
    ("explain", "z = w*x + b; L = bce(y, sigmoid(z))", "--at", "w=0.4,b=-2.5,x=7.8,y=1", "--wrt", "w,b", "--lr", "0.1"),
    ("explain", "abs(x)", "--at", "x=0"),
    ("explain", "x*sin(x^2)*y", "--at", "x=1.5,y=2", "--mode", "both"),
    ("graph", "y = ln(x1) + x1*x2 - sin(x2)", "--at", "x1=2,x2=5"),
    ("diff", "sigmoid(w*x + b)*tanh(w*x - b)*exp(sin(x^2))"),
    ("diff", "-(y*ln(p) + (1-y)*ln(1-p))"),
    ("check", "sin(x^2)", "cos(x)*2x", "--wrt", "x"),
    ("functions",),
    ("functions", "softplus"),
    ("functions", "losses"),
    ("functions", "bce"),
    (*TRAIN, "--params", "w=0,b=0", "--epochs", "20"),
]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_terminal_gets_no_line_that_it_must_break(
    args: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = _on_screen(args, width, monkeypatch)
    rows = [row for row in out.split("\n") if not re.search(r"^epoch \d|┤", row)]  # the bar writes over itself
    assert not [row for row in rows if columns(row) > width]
    plain = _on_screen(args, 1000, monkeypatch)
    numbers = set(NUMBER.findall(plain))
    assert [number for number in NUMBER.findall("\n".join(rows)) if number not in numbers] == []


def _on_screen(args: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What both streams show on a terminal of that width, colours left out."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    both = Terminal()
    with contextlib.redirect_stdout(both), contextlib.redirect_stderr(both):
        run_command(args)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", both.text()).replace("\r", "\n")


def test_what_a_program_reads_is_never_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = _on_screen(("eval", "x*y*z", "--at", "x=1.123456789,y=2,z=3", "--format", "json"), 40, monkeypatch)
    assert json.loads(printed)["status"] == "ok"
    assert printed.count("\n") == 1
    assert _on_screen(("diff", "sin(x)*cos(x)*tan(x)*exp(x)", "-q"), 40, monkeypatch).count("\n") == 1


def test_a_folded_formula_read_back_is_the_same_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that ends is a statement that ends: one that begins with a sign would silently be another formula."""
    printed = _on_screen(("diff", "sin(x)*cos(x)*tan(x)*exp(x) + sqrt(x)*ln(x)*atan(x)"), 40, monkeypatch)
    assert printed.count("\n") > 1
    assert all(re.match(r" *[\w(]", row) for row in printed.rstrip().split("\n"))


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize(
    "source", ["x + " * 60 + "sine(x)" + " + x" * 60, "幅*" * 60 + "sine(幅)", "x\ny\n" * 40 + "a" * 60 + "*sine(x)"]
)
def test_an_error_shows_as_much_of_the_program_as_the_screen_holds(source: str, width: int) -> None:
    at = source.index("sine")
    line, carets = excerpt(source, (at, at + 4), width)
    assert columns(line) <= width
    assert line[_character(line, carets.index("^")) :].startswith("sine")
    assert carets.strip() == "^^^^"
    report = AutodiffError("unknown function 'sine'", span=(at, at + 4), source=source).report(width)
    assert all(columns(row) <= width for row in report.split("\n"))


def _character(line: str, column: int) -> int:
    """Which character is in a column."""
    return next(i for i in range(len(line) + 1) if columns(line[:i]) == column)


def test_the_numbers_of_short_lists_are_below_each_other() -> None:
    page = text(explain("a*b1*c^2*d1*long_name", dict.fromkeys(["a", "b1", "c", "d1", "long_name"], 1.5), rate=0.1), 80)
    answers = re.findall(r"^.*∂f/∂\w+ += \S+$", page, re.MULTILINE)
    updates = re.findall(r"^.*→.*old - 0.1 × slope$", page, re.MULTILINE)
    assert len(answers) == len(updates) == 5
    assert len({line.index("=") for line in answers}) == 1
    assert len({line.index("1.5 →") for line in updates}) == len({line.index("old") for line in updates}) == 1
