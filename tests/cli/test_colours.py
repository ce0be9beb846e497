"""Colours: who decides whether there are some, and that they change nothing but the look."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autodiff.cli import colour
from autodiff.cli.main import COMMANDS
from autodiff.render.terminal import colours, rich
from tests.support.command import PATIENCE, Ended, Terminal, autodiff, process

ESCAPE = re.compile(r"\x1b\[[\d;]*m")

WRONG = ("eval", "x + sine(x)", "--at", "x=1")
PICTURES = [
    ("explain", "y = x^2; sin(y)", "--at", "x=4"),
    ("explain", "abs(x)", "--at", "x=0"),
    ("graph", "x*sin(x^2)", "--at", "x=1.5"),
    ("functions",),
]


@pytest.fixture(autouse=True)
def _no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WT_SESSION", raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ("", True, False),
        ("TERM=dumb", False, False),
        ("CLICOLOR=0", False, False),
        ("CLICOLOR=1", True, False),
        ("NO_COLOR=1", False, False),
        ("NO_COLOR=", True, False),
        ("FORCE_COLOR=1", True, True),
        ("FORCE_COLOR=3", True, True),
        ("FORCE_COLOR=", True, False),
        ("FORCE_COLOR=0", True, False),
        ("CLICOLOR_FORCE=1", True, True),
        ("CLICOLOR_FORCE=0", True, False),
        ("FORCE_COLOR=0 CLICOLOR_FORCE=1", True, True),
        ("FORCE_COLOR=1 TERM=dumb CLICOLOR=0", True, True),
        ("NO_COLOR=1 FORCE_COLOR=1 CLICOLOR_FORCE=1", False, False),
    ],
)
def test_the_environment_decides_and_the_option_before_it(
    environment: str, on_terminal: bool, in_pipe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting in environment.split():
        name, _, value = setting.partition("=")
        monkeypatch.setenv(name, value)
    for option, there, piped in (
        ((), on_terminal, in_pipe),
        (("--color", "auto"), on_terminal, in_pipe),
        (("--color", "always"), True, True),
        (("--color=never",), False, False),
    ):
        for args in ((*option, *WRONG), (*WRONG, *option)):
            assert ("\x1b" in _on_terminal(*args)) == there, args
            assert ("\x1b" in autodiff(*args).err) == piped, args


def test_the_nearer_option_wins_and_is_forgotten_with_its_command() -> None:
    assert "\x1b" not in autodiff("--color", "always", *WRONG, "--color", "never").err
    assert "\x1b" in autodiff("--color", "never", *WRONG, "--color", "always").err
    assert "\x1b" not in autodiff(*WRONG).err
    assert colour.CHOICE.get() == "auto"


@pytest.mark.parametrize(
    ("words", "painted"),
    [
        (["evil", "--color", "always"], True),
        (["eval", "x", "--wort", "--color=always"], True),
        (["eval", "--color", "always", "x", "y"], True),
        (["eval", "x", "--color", "always", "--color", "sometimes"], True),
        (["eval", "x", "--colorful=always"], False),
        (["eval", "x", "--color"], False),
        (["eval", "--", "--color", "always"], False),
    ],
)
def test_a_mistake_on_the_command_line_has_the_colours_that_it_asks_for(words: list[str], painted: bool) -> None:
    ended = autodiff(*words)
    assert ended.status == 2
    assert ("\x1b" in ended.err) == painted


def test_an_older_console_of_windows_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "platform", "win32")
    old = colour.wanted(screen)
    monkeypatch.setenv("WT_SESSION", "1")
    new = colour.wanted(screen)
    monkeypatch.undo()
    assert (old, new) == (False, True)


def test_a_closed_stream_has_none() -> None:
    with open(os.devnull, "w") as screen:
        pass
    assert not colour.wanted(screen)


@pytest.mark.parametrize("args", PICTURES, ids=" ".join)
def test_a_pipe_has_the_same_text_with_colours_where_they_are_wanted(args: tuple[str, ...]) -> None:
    plain, painted = autodiff(*args), autodiff(*args, "--color", "always")
    assert "\x1b" not in plain.out + plain.err
    assert "\x1b" in painted.out
    assert _unpainted(painted) == plain


@pytest.mark.parametrize("columns", ["60", "120"])
@pytest.mark.parametrize("args", PICTURES, ids=" ".join)
def test_a_terminal_has_the_same_text_without_colours(
    args: tuple[str, ...], columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    plain, painted = _on_terminal(*args, "--color", "never"), _on_terminal(*args)
    assert "\x1b" not in plain
    assert "\x1b" in painted
    assert [line.rstrip() for line in ESCAPE.sub("", painted).split("\n")] == [
        line.rstrip() for line in plain.split("\n")
    ]


@pytest.mark.parametrize("args", PICTURES, ids=" ".join)
def test_what_a_program_reads_has_no_colours(args: tuple[str, ...]) -> None:
    assert "\x1b" not in autodiff(*args, "--format", "json", "--color", "always").out
    assert autodiff("eval", "x^2", "--at", "x=3", "--color", "always").out == "f      9\ndf/dx  6\n"


def test_every_command_takes_the_option() -> None:
    for command in COMMANDS:
        assert "--color [auto|always|never]" in autodiff(command, "--help").out
    ended = autodiff("eval", "x", "--at", "x=1", "--color", "sometimes")
    assert ended.status == 2
    assert "'sometimes' is not one of 'auto', 'always', 'never'" in ended.err


def test_a_place_has_one_colour_in_all_parts_of_a_page() -> None:
    painted = autodiff(*PICTURES[0], "--color", "always").out
    assert "\x1b[36mx\x1b[0m" in painted
    assert "\x1b[33my = x^2\x1b[0m" in painted
    assert re.search(r"\x1b\[33m[^\x1b]*cos\(y\) = -0\.95766\x1b\[0m", painted)
    assert "\x1b[1m1 FORWARD" in painted


def test_nine_vertices_have_eight_colours_in_turn() -> None:
    names = [f"v{k}" for k in range(9)]
    painted = rich.painted([((name, f"@{name}"),) for name in names], names).split("\n")
    assert len(set(painted[:8])) == 8
    assert painted[8] == painted[0].replace("v0", "v8")


def test_a_line_ends_with_its_last_sign() -> None:
    assert rich.painted([(("a ", "bold"), ("  ", "dim")), (("", "good"),), (("  b", ""), (" c ", "good"))], []) == (
        "a\n\n  b\x1b[32m c\x1b[0m"
    )


@pytest.mark.parametrize(
    ("text", "painted"),
    [
        ("error: it is so", "\x1b[1;31merror:\x1b[0m it is so"),
        ("note: it is so", "\x1b[1mnote:\x1b[0m it is so"),
        ("notice: it is so", "\x1b[1mnotice:\x1b[0m it is so"),
        ("interrupted: it is so", "interrupted: it is so"),
        ("error", "error"),
        (
            "error: no\n    x^y\n     ^^\n  a hint",
            "\x1b[1;31merror:\x1b[0m no\n    x^y\n     \x1b[31m^^\x1b[0m\n  a hint",
        ),
        ("    x ^", "    x ^"),
    ],
)
def test_the_label_and_the_carets_of_a_remark_are_painted(text: str, painted: str) -> None:
    assert colours.remark(text) == painted


def test_a_real_terminal_and_a_real_pipe() -> None:
    assert "\x1b" in process(*WRONG, FORCE_COLOR="1").err
    assert "\x1b" not in process(*WRONG).err
    assert "\x1b" in process("--color=always", *WRONG).err
    controller, screen = pty.openpty()
    for more, wanted in (((), True), (("--color", "never"), False)):
        command = [sys.executable, "-m", "autodiff", "graph", "x^2", "--at", "x=3", *more]
        subprocess.run(command, stdout=screen, check=True, timeout=PATIENCE)
        assert (b"\x1b" in os.read(controller, 4096)) == wanted
    os.close(screen)
    os.close(controller)


def test_bars_have_colours_where_they_are_wanted(tmp_path: Path) -> None:
    data = tmp_path / "points.csv"
    data.write_text("x\n1\n2\n")
    rows = ("eval", "x^2", "--data", str(data), "--out", str(tmp_path / "out.csv"))
    epochs = ("train", "(x - 1)^2", "--params", "x=0", "-q")
    for args in (rows, epochs):
        assert re.search(r"\x1b\[(3|9)\dm", _on_terminal(*args)), args
        assert not re.search(r"\x1b\[(3|9)\dm", _on_terminal(*args, "--color", "never")), args
        assert "\x1b" not in autodiff(*args, "--color", "always").err  # a pipe has no bar


def _on_terminal(*args: str) -> str:
    from autodiff.cli.main import run

    both = Terminal()
    with contextlib.redirect_stdout(both), contextlib.redirect_stderr(both):
        run(args)
    return both.text()


def _unpainted(ended: Ended) -> Ended:
    return Ended(ended.status, ESCAPE.sub("", ended.out), ESCAPE.sub("", ended.err))
