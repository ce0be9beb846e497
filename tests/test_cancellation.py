"""Digits that cancel: a value or a slope of which rounding may have taken nearly all digits is said to be so."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from mpmath import mp, mpf

from autodiff.calculus.lower import lower
from autodiff.errors import AutodiffError
from autodiff.evaluation import evaluate, parse

from .command import autodiff
from .test_programs import value_in_digits


@pytest.mark.parametrize(
    ("text", "at", "doubtful", "part"),
    [
        ("(1 - cos(x))/x^2", {"x": 1e-8}, ["f", "df/dx"], "cos(x)"),
        ("(exp(x) - 1 - x)/x^2", {"x": 1e-9}, ["f", "df/dx"], "exp(x)"),
        ("sqrt(x^2 + 1) - x", {"x": 1e8}, ["f", "df/dx"], "sqrt(x^2 + 1)"),
        ("y = exp(x) - exp(1)", {"x": 1.0}, ["y"], "exp(x)"),
        ("ln(x + 1e17) - ln(1e17)", {"x": 2.0}, ["f"], "ln(x + 1e17)"),
        ("x^2 - 2", {"x": 2.0**0.5}, ["f"], "x^2"),
        ("((x - x) + atan(3))*(2*x - x)", {"x": 1e200}, ["df/dx"], ""),
        ("(1 - cos(x))/x^2 + 0*y", {"x": 1e-8, "y": 1.0}, ["f", "df/dx"], "cos(x)"),
    ],
)
def test_what_has_lost_its_digits_is_told(text: str, at: dict[str, float], doubtful: list[str], part: str) -> None:
    answer = evaluate(text, at)
    (note,) = answer.notes
    assert answer.status == "ok"
    assert note.startswith(f"few digits of {', '.join(doubtful)} are sure: larger parts cancel")
    assert (f"rounding {part} alone moves" in note) == bool(part)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("x - x", {"x": 3.7}),
        ("cos(x) - 1", {"x": 0.0}),
        ("ln(x)", {"x": 1.0}),
        ("x - 1", {"x": 1.000000000000001}),
        ("(x - 0.1)^2", {"x": 0.1}),
        ("sin(x)", {"x": 3.141592653589793}),
        ("tanh(x) - 1", {"x": 30.0}),
        ("exp(sin(x^2))", {"x": 4.0}),
        ("x*0", {"x": 3.0}),
        ("1.5*x - x*x", {"x": 1.5}),
        ("0.75 - x/2", {"x": 1.5}),
        ("abs(x) - max(x, y)", {"x": 2.3, "y": 1.1}),
        ("1e-300*x - 1e-300*y", {"x": 2.0, "y": 1.0}),
    ],
)
def test_what_is_exact_or_right_bears_no_note(text: str, at: dict[str, float]) -> None:
    assert evaluate(text, at).notes == ()


PARTS = ["sin({})", "cos({})", "exp({})", "ln({})", "sqrt({})", "{}^2", "tanh({})", "1/({})", "({} + 1)", "1e5*({})", "({})*1e-5"]  # fmt: skip


def _made(chance: random.Random, depth: int) -> str:
    if depth == 0:
        return chance.choice(["x", "y", "1", "2", "0.1"])
    if chance.random() < 0.6:
        return chance.choice(PARTS).format(_made(chance, depth - 1))
    return f"({_made(chance, depth - 1)} {chance.choice('-+-*-/')} {_made(chance, depth - 1)})"


def test_no_value_is_wrong_in_its_first_digits_without_a_note() -> None:
    """Random programs against 60 digits: where a value is off by 5 %, it is said; where 9 digits are right, nothing is."""
    chance, told, wrong, missed, alarms = random.Random(1), 0, 0, 0, 0
    for _ in range(9000):
        text = " - ".join(_made(chance, chance.randint(1, 4)) for _ in range(2))
        point = {"x": chance.choice([1e-8, 1e8, 0.3]), "y": chance.choice([1e-5, 1e16])}
        try:
            lowered = lower(parse(text))
            at = {name: point[name] for name in lowered.inputs}
            answer = evaluate(text, at)
        except AutodiffError:
            continue
        if answer.value is None or "f" not in lowered.name or not at:
            continue
        with mp.workdps(60):
            try:
                true = value_in_digits(lowered, {name: mpf(value) for name, value in at.items()})
            except (TypeError, ZeroDivisionError):  # outside the domain without rounding
                continue
            off = abs(true - mpf(answer.value)) / abs(true) if true else mpf(answer.value != 0)
        said = any("few digits of f" in note for note in answer.notes)
        wrong += off > 0.05
        told += said
        missed += off > 0.05 and not said
        alarms += said and off < 1e-9 and answer.value != 0
    assert wrong > 50
    assert missed <= wrong / 50  # where the first order is 0: cos((y - 1) - (1 + y)) at 1e16
    assert alarms <= told / 10


def test_the_note_is_printed_and_nothing_more_is_loaded_without_one() -> None:
    ended = autodiff("eval", "(1 - cos(x))/x^2", "--at", "x=1e-8")
    assert ended.status == 0
    assert "note: few digits of f, df/dx are sure" in ended.err
    assert autodiff("eval", "-q", "(1 - cos(x))/x^2", "--at", "x=1e-8").out == "0 99999999.99999999\n"
    code = "import sys; from autodiff import evaluate; evaluate('exp(sin(x^2)) - x', {'x': 4.0}); print('autodiff.calculus.cancellation' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
