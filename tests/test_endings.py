"""How a command ends: its exit status is the answer's, whoever reads it, and no file that it reads is written over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTODIFF = [sys.executable, "-m", "autodiff"]


def _unread(*args: str, stderr_too: bool = False) -> tuple[int, str]:
    """The exit status and what stderr got, when nobody reads stdout, and with `stderr_too` nobody anything."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*AUTODIFF, *args], stdout=writer, stderr=writer if stderr_too else subprocess.PIPE, text=True, timeout=60
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize("stderr_too", [False, True])
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["check", "x^2", "2x"], 0),
        (["check", "x^2", "3x"], 1),
        (["eval", "x^2", "--at", "x=3"], 0),
        (["eval", "abs(x)", "--at", "x=0"], 3),
        (["eval", "abs(x)", "--at", "x=0", "--format", "json"], 3),
        (["explain", "ln(x)", "--at", "x=-1"], 3),
        (["diff", "sqrt(x)"], 0),
        (["functions"], 0),
        (["eval", "1/2x"], 2),
    ],
)
def test_the_exit_status_is_the_answers_when_nobody_reads_it(words: list[str], status: int, stderr_too: bool) -> None:
    found, said = _unread(*words, stderr_too=stderr_too)
    assert found == status
    assert "Broken pipe" not in said
    assert "Traceback" not in said


def test_a_training_that_nobody_watches_saves_what_it_found(tmp_path: Path) -> None:
    saved = tmp_path / "w.json"
    assert _unread("train", "(x - 1)^2", "--params", "x=0", "--epochs", "50", "--save", str(saved))[0] == 0
    assert saved.read_text().startswith("{")
