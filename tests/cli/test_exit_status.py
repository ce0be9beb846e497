"""How a command ends: its exit status is the answer's, whoever reads it, and no file that it reads is written over."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autodiff.cli.files import apart
from autodiff.cli.main import COMMANDS
from autodiff.errors import AutodiffError
from tests.support.command import PATIENCE, autodiff, python, start

AUTODIFF = [sys.executable, "-m", "autodiff"]


def _unread(*args: str, stderr_too: bool = False) -> tuple[int, str]:
    """The exit status and what stderr got, when nobody reads stdout, and with `stderr_too` nobody anything."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*AUTODIFF, *args],
            stdout=writer,
            stderr=writer if stderr_too else subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
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
    found, message = _unread(*words, stderr_too=stderr_too)
    assert found == status
    assert "Broken pipe" not in message
    assert "Traceback" not in message


def test_a_training_that_nobody_watches_saves_what_it_found(tmp_path: Path) -> None:
    saved = tmp_path / "w.json"
    assert _unread("train", "(x - 1)^2", "--params", "x=0", "--epochs", "50", "--save", str(saved))[0] == 0
    assert saved.read_text().startswith("{")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["eval", "x^2", "--data", "DATA", "--out", "DATA"], "--data and --out"),
        (["eval", "x^2", "--data", "DATA", "--out", "LINK"], "--data and --out"),
        (["eval", "x^2", "--data", "LINK", "--out", "RELATIVE"], "--data and --out"),
        (["eval", "-f", "OTHER", "--data", "DATA", "--out", "OTHER"], "-f and --out"),
        (["eval", "x^2*k", "--data", "DATA", "--at", "@OTHER", "--out", "OTHER"], "--at and --out"),
        (["train", "mean(w*x)^2", "--data", "DATA", "--params", "w=1", "--history", "DATA"], "--data and --history"),
        (["train", "mean(w*x)^2", "--data", "DATA", "--params", "w=1", "--history", "LINK"], "--data and --history"),
        (["train", "mean(w*x)^2", "--data", "DATA", "--params", "w=1", "--save", "RELATIVE"], "--data and --save"),
        (["train", "-f", "OTHER", "--params", "w=1", "--save", "OTHER"], "-f and --save"),
        (["train", "w^2", "--resume", "OTHER", "--history", "OTHER"], "--resume and --history"),
        (["train", "w^2", "--params", "w=1", "--save", "NEW", "--history", "NEWLINK"], "--history and --save"),
    ],
)  # fmt: skip
def test_no_file_that_is_read_is_written(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {
        "DATA": "data.csv", "LINK": "link.csv", "RELATIVE": f"../{tmp_path.name}/data.csv", "OTHER": "other.csv",
        "NEW": "new.json", "NEWLINK": f"{tmp_path}/newlink.json",
    }  # fmt: skip
    for place in ("DATA", "OTHER"):
        Path(places[place]).write_text("x\n1\n2\n")
    Path("link.csv").symlink_to("data.csv")
    Path("newlink.json").symlink_to("new.json")
    for name in sorted(places, key=len, reverse=True):
        words = [word.replace(name, places[name]) for word in words]
    ended = autodiff(*words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {message} are the same file, ")
    assert {Path(places[place]).read_text() for place in ("DATA", "OTHER")} == {"x\n1\n2\n"}
    assert not Path("new.json").exists()


def test_what_would_be_lost_is_what_the_other_option_reads_or_writes() -> None:
    for read, wanted in (([("-f", "a")], "what -f reads"), ([], "what --history writes")):
        with pytest.raises(AutodiffError) as raised:
            apart(read, [("--history", "b" if read else "a"), ("--save", "a")])
        assert raised.value.hint == f"give --save another name: {wanted} would be lost"


def test_the_file_behind_stdin_is_not_written_over(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("x\n1\n")
    with data.open() as stdin:
        done = subprocess.run(
            [*AUTODIFF, "eval", "x^2", "--data", "-", "--out", str(data)],
            stdin=stdin, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert (done.returncode, data.read_text()) == (2, "x\n1\n")
    assert done.stderr.startswith("error: --data and --out are the same file")


def test_a_device_may_be_read_and_written_and_a_training_goes_on_in_its_own_file(tmp_path: Path) -> None:
    ended = autodiff("eval", "x", "--data", "/dev/null", "--from", "csv", "--out", "/dev/null", "--to", "csv")
    assert (ended.status, "is empty" in ended.err) == (4, True)
    saved = str(tmp_path / "w.json")
    words = ["train", "(x - 1)^2", "--save", saved, "--epochs"]
    assert autodiff(*words, "2", "--params", "x=0").status == 0
    assert autodiff(*words, "4", "--resume", saved).status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["eval", "x^2", "--at", "x=1", "-q", "--format", "json"], "-q and --format json don't go together"),
        (["eval", "x^2", "--at", "x=1", "-q", "--format", "csv"], "-q and --format csv don't go together"),
        (["eval", "x^2", "--at", "x=1", "--hessian", "-q", "--format", "json"], "-q and --format json"),
        (["diff", "x^2", "-q", "--format", "latex"], "-q and --format latex don't go together"),
        (["train", "x^2", "--params", "x=1", "-q", "--format", "json"], "-q and --format json don't go together"),
        (["eval", "x^2", "--at", "x=1", "-q", "--json"], "-q and --json don't go together"),
        (["eval", "x^2", "--json", "--data", "points.csv"], "--data and --json don't go together"),
        (["eval", "x^2", "--format", "csv", "--data", "points.csv"], "--data and --format don't go together"),
        (["eval", "x^2", "--at", "x=1", "--json", "--format", "csv"], "--json and --format csv don't go together"),
        (["diff", "x^2", "--format", "latex", "--json"], "--json and --format latex don't go together"),
        (["graph", "x^2", "--format", "text", "--json"], "--json and --format text don't go together"),
        (["explain", "x^2", "--mode", "both"], "add --at NAME=VALUE"),
        (["explain", "x^2", "--mode", "forward"], "add --at NAME=VALUE"),
    ],
)
def test_options_that_can_not_both_hold_are_named(words: list[str], message: str) -> None:
    ended = autodiff(*words)
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "x^2", "--at", "x=3"],
        ["eval", "x^2*y", "--at", "x=3,y=1", "--hessian"],
        ["explain", "x^2", "--at", "x=3"],
        ["graph", "x^2"],
        ["diff", "x^2"],
        ["check", "x^2", "2x"],
        ["train", "(x - 1)^2", "--params", "x=0"],
        ["functions", "tanh"],
        ["functions", "losses"],
    ],
    ids=" ".join,
)
def test_json_is_short_for_format_json(words: list[str]) -> None:
    long = autodiff(*words, "--format", "json")
    assert json.loads(long.out)
    for short in (["--json"], ["--json", "--format", "json"], ["--format", "json", "--json"]):
        assert autodiff(*words, *short) == long
    assert autodiff(*words) != long


def test_json_is_offered_where_the_format_is() -> None:
    for command in COMMANDS:
        offered = autodiff(command, "--help").out
        assert bool(re.search(r"--format \[text.*json", offered)) == ("  --json  " in offered), command


def test_a_program_without_inputs_has_its_point() -> None:
    assert autodiff("explain", "2 + 1", "--mode", "both").status == 0


def test_terse_terms_are_explained() -> None:
    assert "the derivative of sin(u) is not -sin(u)" in autodiff("check", "sin(x)", "-sin(x)").out
    assert "d(2*f)/dx  8" in autodiff("eval", "f = x^2; f", "--at", "x=2", "--vjp", "f=2").out.splitlines()
    assert "df/dx  4" in autodiff("eval", "f = x^2; f", "--at", "x=2", "--vjp", "f=1").out.splitlines()


@pytest.mark.parametrize("form", ["text", "json"])
def test_graph_and_explain_end_as_eval_does(form: str) -> None:
    for program, point, status in (
        ("abs(x)", "x=0", 3),
        ("ln(x)", "x=-1", 3),
        ("floor(x)", "x=1", 3),
        ("x^2", "x=1", 0),
    ):
        message = autodiff("eval", program, "--at", point).err
        for command in ("graph", "explain"):
            ended = autodiff(command, program, "--at", point, "--format", form)
            assert ended.status == status
            assert ended.err.splitlines()[:3] == message.splitlines()[:3]
    assert "--convention" not in autodiff("graph", "abs(x)", "--at", "x=0").err


def test_a_jump_is_one_of_the_result() -> None:
    lines = autodiff("explain", "floor(x)", "--at", "x=1").out.splitlines()
    assert ["df/dx", "0", "0", "a", "jump"] in [line.split() for line in lines]
    assert not any(line.split()[:1] == ["dx/dx"] and "jump" in line for line in lines)


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_an_ascii_terminal_gets_ascii() -> None:
    train = ["train", "(x - 1)^2", "--params", "x=0", "--epochs", "2"]
    greek = ["explain", "eval"]
    for setting, words in [
        (ASCII, train),
        *(({"PYTHONIOENCODING": "ascii"}, [c, "abs(λ)", "--at", "λ=1"]) for c in greek),
    ]:
        done = subprocess.run([*AUTODIFF, *words], env={**os.environ, **setting}, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0
        assert done.stdout.decode("utf-8").isascii()
        assert "λ" not in words[1] or b"\\u03bb" in done.stdout


def test_training_reads_stdin_too(tmp_path: Path) -> None:
    table = "x,y\n1,2\n2,4\n"
    (tmp_path / "xy.csv").write_text(table)
    words = ["train", "L = mse(y, w*x)", "--params", "w=0", "--epochs", "3", "--data"]
    piped = autodiff(*words, "-", stdin=table.encode())
    assert piped.status == 0
    assert "(2 rows of stdin)" in piped.out
    assert autodiff(*words, "-", "-q", stdin=table.encode()) == autodiff(*words, str(tmp_path / "xy.csv"), "-q")
    assert "stdin, line 3" in autodiff(*words, "-", stdin=b"x,y\n1,2\n2\n").err.replace("'", "")
    assert autodiff("train", "-", "--params", "w=0", "--data", "-").status == 2


@pytest.mark.parametrize(
    "name", ["click", "autodiff.cli", "autodiff.errors", "autodiff.cli.main", "autodiff.cli.eval", "autodiff.api.evaluate"]
)  # fmt: skip
def test_an_interrupt_while_the_command_is_loaded_is_quiet(name: str) -> None:
    code = (
        "import os, sys, autodiff.__main__ as it\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {name!r}: os.kill(os.getpid(), 2)\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "sys.argv = ['autodiff', 'eval', 'x', '--at', 'x=1']\n"
        "it.main()"
    )
    running = start(code=code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err.strip()) == (130, b"", b"")  # Click ends the line that shows ^C


def test_nothing_else_is_loaded_before_an_interrupt_is_quiet() -> None:
    code = "import sys; there = {*sys.modules}; import autodiff.__main__; print(*sorted({*sys.modules} - there))"
    done = python("-c", code)
    assert set(done.out.split()) <= {"autodiff", "autodiff.__main__", "gc"}


@pytest.mark.parametrize("command", ["eval x*y --data -", "train mse(y,w*x) --params w=0 --data -", "eval - --at x=1", "diff -", "explain -", "graph -", "check - x", "export - --to c", "train - --params x=0"])  # fmt: skip
@pytest.mark.parametrize("closed", ["<&-", "0>/dev/null"])
def test_an_unreadable_stdin_is_reported(command: str, closed: str) -> None:
    words = " ".join(f"'{word}'" for word in command.split())
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m autodiff {words} {closed}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert "stdin" in done.stderr.splitlines()[0]
    assert ("it is closed" in done.stderr) == (closed == "<&-")
