"""Wrong input: each listed case ends with exactly this message, never with a traceback or an obeyed escape sequence.

`golden/wrong-input.txt` lists the cases: a line `$ [arguments as JSON] → status`, then what stderr says. To add one,
write its `$` line and run `UPDATE_GOLDEN=1 pytest tests/cli/test_error_messages.py`, then read what it says.
"""

from __future__ import annotations

import json
import os
import random

import pytest

from tests.support.command import autodiff
from tests.support.paths import GOLDEN

MESSAGES = GOLDEN / "wrong-input.txt"


def cases() -> list[tuple[list[str], int, str]]:
    cases = []
    for block in MESSAGES.read_text(encoding="utf-8").removeprefix("$ ").split("\n$ "):
        command, _, message = block.partition("\n")
        args, _, status = command.rpartition(" → ")
        cases.append((json.loads(args), int(status or 2), message.rstrip("\n")))
    return cases


@pytest.mark.skipif(not os.environ.get("UPDATE_GOLDEN"), reason="rewrites the golden file on request only")
def test_update() -> None:
    blocks = []
    for args, _, _ in cases():
        ended = autodiff(*args)
        blocks.append(f"$ {json.dumps(args, ensure_ascii=False)} → {ended.status}\n{ended.err}")
    MESSAGES.write_text("".join(blocks), encoding="utf-8")


@pytest.mark.parametrize(("args", "status", "message"), cases(), ids=lambda value: str(value)[:60])
def test_exact_message(args: list[str], status: int, message: str) -> None:
    ended = autodiff(*args)
    assert ended.err.rstrip("\n") == message
    assert (ended.status, ended.out) == (status, "")
    assert "Traceback" not in ended.err
    assert "\x1b" not in ended.err


def test_there_are_enough_cases() -> None:
    assert sum(status == 2 for _, status, _ in cases()) >= 60


PIECES = ["x", "y", "sin", "if", "(", ")", "[", "]", ",", "+", "-", "^", "/", "2", ".5", "1e", "=", "==", "<", ";", "\n", "and", "not", "f(t)=", " ", "|", "!", "²", "\x1b[2J", "\0", "é", "€", "'", '"', "\\", "@", "1/0", "log", "#", "[red]x[/red]", "\u202e", "0x1", "e", "max", "sum"]  # fmt: skip


def test_random_text_ends_in_an_answer_or_a_message() -> None:
    chance = random.Random(20)
    for _ in range(3000):
        text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 12)))
        ended = autodiff("eval", "--at", "x=0.5,y=2", "--", text)
        assert ended.status in (0, 2, 3), (text, ended)
        assert "\x1b" not in ended.out + ended.err
        assert "\u202e" not in ended.out + ended.err
        assert ended.out if ended.status == 0 else ended.err.startswith(("error: ", "notice: "))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * 60_000 + "(1, 2)", "unknown function"),
        ("x + " + "q" * 60_000, "no value for"),
        ("(" * 100_000, "never closed"),
        (")" * 100_000, "closes nothing"),
        ("1" * 100_000 + "x1" + "*" * 1000, "too large"),
        ("x + " * 200_000, "missing"),
        ("\n" * 100_000 + "x +", "line 100001"),
        ("x + " + "lny" * 5_000, "no value for"),
        ("x + " + "sinx" * 60_000, "no value for"),
        ("x + " + "q" * 900_000, "no value for"),
        ("x+" * 2_500_000 + "x", "at most 5,000,000 characters, and this one has 5,000,001"),
        ("\\frac{" * 170_000, "at most 1,000,000 characters"),
    ],
    ids=lambda value: value[:12],
)
def test_huge_wrong_input_gets_a_short_message(text: str, says: str) -> None:
    ended = autodiff("eval", text, "--at", "x=1")
    assert ended.status == 2
    assert says in ended.err
    assert len(ended.err) < 1000
