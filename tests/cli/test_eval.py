"""`autodiff eval` from the outside: forms, files, exit statuses, pipes, programs that begin with a minus."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import termios
import tomllib
from array import array
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import IO, Any

import pytest

import autodiff as package
from autodiff.__main__ import main
from autodiff.api.evaluate import evaluate
from autodiff.cli.main import COMMANDS
from autodiff.core import rules
from autodiff.core.evaluate import primal
from autodiff.core.jvp import in_all_directions, jvp
from autodiff.core.linearize import Linearization, linearize
from autodiff.core.lowering import lower
from autodiff.core.vjp import vjp
from autodiff.verify.cross_mode import AGREE, BLURRED, DISAGREE, compared
from tests.support.command import PATIENCE, Ended, autodiff, process, start, wait_until
from tests.support.paths import ROOT


def test_text() -> None:
    ended = autodiff("eval", "exp(sin(x^2))", "--at", "x=4")
    assert ended == autodiff("eval", "exp(sin(x^2))", "--at", "x = 2^2")
    assert (ended.status, ended.out, ended.err) == (0, "f      0.7498340851945589\ndf/dx  -5.744685762849454\n", "")


def test_json_keys_are_a_promise() -> None:
    data = json.loads(autodiff("eval", "u = exp(sin(x^2))", "--at", "x=4", "--format", "json").out)
    assert data == {
        "result": "u",
        "value": 0.7498340851945589,
        "gradient": {"x": -5.744685762849454},
        "at": {"x": 4.0},
        "mode": "reverse",
        "status": "ok",
        "checked": True,
    }


def test_json_at_a_point_without_a_value() -> None:
    ended = autodiff("eval", "log(x-3)", "--at", "x=2", "--format", "json")
    data = json.loads(ended.out)
    assert (ended.status, ended.err) == (3, "")
    assert (data["value"], data["gradient"], data["status"]) == (None, {"x": None}, "domain")
    assert data["why"] == "log(x-3) needs x-3 > 0, but x-3 is -1 when x = 2"
    assert data["span"] == [0, 8]


def test_both_modes_in_json() -> None:
    data = json.loads(autodiff("eval", "x*y", "--at", "x=2,y=3", "--mode", "both", "--format", "json").out)
    assert data["gradient"] == data["forward"] == {"x": 3.0, "y": 2.0}
    assert data["ulps_apart"] == {"x": 0.0, "y": 0.0}


@pytest.mark.parametrize("program", ["-x^2", "-(x^2)", "-x*x", "--(-x^2)", "- x^2"])
def test_a_program_may_begin_with_a_minus(program: str) -> None:
    for args in (("eval", program, "--at", "x=3", "-q"), ("eval", "-q", "--at", "x=3", program), ("eval", "-q", "--at", "x=3", "--", program)):  # fmt: skip
        assert autodiff(*args).out == "-9 -6\n"


def test_constants_and_zero_print_plainly() -> None:
    assert autodiff("eval", "2 + 3").out == "f  5\n"
    assert autodiff("eval", "cos(x)", "--at", "x=0", "-q").out == "1 0\n"
    assert autodiff("eval", "x/3", "--at", "x=1e300", "-q").out == "3.3333333333333335e+299 0.3333333333333333\n"


def test_wrt_orders_and_names() -> None:
    assert autodiff("eval", "y = x^2; z = y*w", "--at", "x=3,w=2", "--wrt", "w, y,x", "-q").out == "18 9 2 12\n"


def test_files_and_stdin(tmp_path: Path) -> None:
    program, point = tmp_path / "p.txt", tmp_path / "point.json"
    program.write_bytes(b"\xef\xbb\xbfy = x^2  # a comment\r\ny + w\r\n")
    point.write_text('{"x": 3, "w": 0.5}')
    assert autodiff("eval", "-f", str(program), "--at", f"@{point}", "-q").out == "9.5 6 1\n"
    assert autodiff("eval", "-", "--at", "x=3", stdin="x²".encode()).out == "f      9\ndf/dx  6\n"
    assert autodiff("eval", "x + w", "--at", "x=1", "--at", "w=2", "-q").out == "3 1 1\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b'{"x": "4"}', "'x' must be a finite number"),
        (b'{"x": true}', "'x' must be a finite number"),
        (b'{"x": NaN}', "'x' must be a finite number"),
        (b'{"x": 1e999}', "'x' must be a finite number"),
        (b'{"x": 1e-999}', "too small for a 64-bit number"),
        (b'{"x": 1, "x": 2}', "gives 'x' twice"),
        (b"\xff", "is not UTF-8 text: byte 0 is 0xff"),
        (b"[" * 100_000, "is not"),
    ],
)
def test_a_bad_point_file_is_a_data_error(content: bytes, says: str, tmp_path: Path) -> None:
    point = tmp_path / "point.json"
    point.write_bytes(content)
    ended = autodiff("eval", "x", "--at", f"@{point}")
    assert (ended.status, ended.out) == (4, "")
    assert says in ended.err


def test_a_program_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"x\xff")
    assert autodiff("eval", "-f", str(tmp_path / "p")).status == 4
    assert autodiff("eval", "-f", str(tmp_path)).status == 4


def test_a_file_that_does_not_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "endless").open("wb") as file:
        file.truncate(1 << 40)
    for words in (["-f", str(file.name)], ["x", "--at", f"@{file.name}"]):
        ended = autodiff("eval", *words)
        assert (ended.status, "it has more than" in ended.err) == (4, True)
    assert autodiff("eval", "-", stdin=b"#" * 21_000_000).status == 4


def test_hard_points_quietly() -> None:
    ended = autodiff("eval", "ln(x)", "--at", "x=-1", "-q")
    assert (ended.status, ended.out) == (3, "")
    ended = autodiff("eval", "ln(x)", "--at", "x=-1", "--format", "csv")
    assert (ended.status, ended.out) == (3, "f,df/dx,status\n,,domain\n")


@pytest.fixture(params=["forward", "reverse"])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the two sweeps takes negative slopes, such as cos(16), for a little larger than they are."""

    def bent(factors: Linearization) -> Linearization:
        return {node: [(arg, s * (1 + 1e-9) if s < 0 else s) for arg, s in edges] for node, edges in factors.items()}

    if request.param == "forward":
        monkeypatch.setattr("autodiff.verify.cross_mode.jvp", lambda factors, seeds: jvp(bent(factors), seeds))
        everywhere = lambda factors, names: in_all_directions(bent(factors), names)  # noqa: E731
        monkeypatch.setattr("autodiff.api.scalar_answer.in_all_directions", everywhere)
    else:
        monkeypatch.setattr(
            "autodiff.api.scalar_answer.vjp", lambda to, factors, sources: vjp(to, bent(factors), sources)
        )


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
def test_a_broken_sweep_is_caught_before_a_number_is_printed(mode: str) -> None:
    ended = autodiff("eval", "exp(sin(x^2))", "--at", "x=4", "--mode", mode)
    assert (ended.status, ended.out) == (70, "")
    assert "disagree" in ended.err
    assert autodiff("eval", "exp(sin(x^2))", "--at", "x=4", "--mode", mode, "--no-check").status == 0
    assert autodiff("eval", "exp(cos(x^2))", "--at", "x=4", "--mode", mode).status == 0


def test_the_check_lets_rounding_and_underflow_pass() -> None:
    for text, x in [
        ("(x*1e-200)*1e-200*1e300", 1.0),
        ("+".join(f"sin({i}*x)" for i in range(2000)), 0.7),
        ("x - x", 3.0),
    ]:
        lowered = lower(package.parse(text))
        node = lowered.node("x")
        assert node is not None
        found = evaluate(text, {"x": x})
        assert found.checked
        slope = found.gradient["x"]
        assert slope is not None
        run = primal(lowered, {"x": x})
        wrong = slope * (1 + 1e-6) + 1e-3
        linear = linearize(lowered, run, [node])
        backward = vjp(lowered.result, linear, [node])
        for mode in ("reverse", "forward"):
            assert compared(lowered, run, linear, {"x": node}, {"x": slope}, mode, backward) in (AGREE, BLURRED)
            assert compared(lowered, run, linear, {"x": node}, {"x": wrong}, mode, backward) == DISAGREE


def test_completion_scripts_name_the_command() -> None:
    for shell in ("bash", "zsh", "fish"):
        ended = autodiff("completion", shell)
        assert ended.status == 0
        assert "_AUTODIFF_COMPLETE" in ended.out
    ended = process(_AUTODIFF_COMPLETE="bash_complete", COMP_WORDS="autodiff functions tan", COMP_CWORD="2")
    assert "plain,tanh" in ended.out.split()
    ended = process(_AUTODIFF_COMPLETE="bash_complete", COMP_WORDS="autodiff eval sig", COMP_CWORD="2")
    assert "plain,sigmoid(" in ended.out.split()


@pytest.mark.parametrize(
    "words",
    [
        "eval -f", "eval --file", "eval --data", "eval x --data", "eval --out", "explain --file", "diff -f", "graph -f",
        "check -f", "export -f", "train --data", "train x --save", "train --resume", "train --history",
    ],
)  # fmt: skip
def test_the_shell_completes_the_names_of_files(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for typed in (["tab"], [""]):
        assert _completed([*words.split(), *typed], monkeypatch) == [f"file,{typed[0]}"]
    if "--" in words:
        assert _completed([*words.split()[:-1], f"{words.split()[-1]}=tab"], monkeypatch) == ["file,tab"]


def test_the_shell_completes_options_and_their_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _completed(["eval", "--js"], monkeypatch) == ["plain,--json"]
    assert _completed(["eval", "--color", "a"], monkeypatch) == ["plain,auto", "plain,always"]
    assert _completed(["--col"], monkeypatch) == ["plain,--color"]
    assert _completed(["eval", "--at", "ta"], monkeypatch) == []


def _completed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a shell is offered for the last word."""
    monkeypatch.setenv("_AUTODIFF_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", shlex.join(["autodiff", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    return autodiff().out.split()


def test_the_command_has_the_name_of_the_distribution_as_well() -> None:
    """So that `uvx autodiff-cli` and `pipx run autodiff-cli` find it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["scripts"]) == {"autodiff", project["name"]}
    for name, value in project["scripts"].items():
        assert EntryPoint(name, value, "console_scripts").load() is main


def test_functions_listing() -> None:
    listed = autodiff("functions").out.splitlines()
    assert len(listed) == len(rules.rows())
    assert all(line.count("\t") == 3 for line in listed)
    data = json.loads(autodiff("functions", "--format", "json").out)
    assert {row["name"] for row in data} == {row.name for row in rules.rows()}
    assert autodiff("functions", "arcsin").out.startswith("asin(u)")


def test_help_everywhere() -> None:
    for args in (["--help"], ["-h"], *([c, "--help"] for c in COMMANDS)):
        ended = autodiff(*args)
        assert (ended.status, ended.err) == (0, "")
    assert autodiff("--version").out == f"autodiff, version {package.__version__}\n"
    assert autodiff().status == 2


def test_help_is_as_wide_as_a_screen_and_no_wider_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, widest in (("70", 70), ("90", 90), ("200", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        pages = [autodiff(command, "--help").out.partition("Examples:")[0] for command in COMMANDS]
        assert max(len(line) for page in pages for line in page.splitlines()) <= widest


def test_a_closed_pipe_ends_quietly() -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m autodiff functions --format json | head -n 1'], capture_output=True, timeout=PATIENCE
    )  # fmt: skip
    assert done.stderr == b""


def in_shell(command: str) -> Ended:
    """Run a line of bash in which `autodiff` is the command."""
    done = subprocess.run(
        ["bash", "-c", f'autodiff() {{ "{sys.executable}" -m autodiff "$@"; }}; {command}'],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def test_a_pipe_that_nobody_reads_is_no_failure(tmp_path: Path) -> None:
    """The answer is longer than what a pipe holds, so writing it fails in the middle."""
    long = tmp_path / "long.ad"
    long.write_text("+".join(f"sin({i}*x)" for i in range(2000)))
    ended = in_shell(f"autodiff graph -f {long} --format json | true; exit ${{PIPESTATUS[0]}}")
    assert (ended.status, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("command", "status", "errors"),
    [
        ("autodiff eval - <&-", 4, "error: can't read stdin: it is closed\n"),
        ("autodiff explain x --at x=1 >&-", 4, "error: stdout is closed, so the answer has nowhere to go\n"),
        ("autodiff eval x --at x=1 2>&-", 0, ""),
        ("autodiff eval 'abs(x)' --at x=0 2>&-", 3, ""),
        ("autodiff explain sine >&- 2>&-", 4, ""),
    ],
)
def test_a_closed_stream_is_a_sentence_not_a_traceback(command: str, status: int, errors: str) -> None:
    ended = in_shell(command)
    assert (ended.status, ended.err.partition("\n")[0]) == (status, errors.strip())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_reported() -> None:
    assert in_shell("autodiff eval x --at x=1 >/dev/full") == Ended(
        4, "", "error: can't write the answer: No space left on device\n"
    )
    assert in_shell("autodiff eval 'abs(x)' --at x=0 2>/dev/full").status == 4


def _unread(pipe: IO[bytes]) -> int:
    """How many bytes of a pipe its reader has not taken yet."""
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def test_interrupt_exits_130() -> None:
    running = start("eval", "-", "--at", "x=1", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdin is not None
    running.stdin.write(b"x")
    running.stdin.flush()
    pipe = running.stdin
    wait_until(lambda: _unread(pipe) == 0)  # it waits for more
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert b"Traceback" not in errors


def test_a_latin_1_terminal_gets_escapes_not_a_traceback() -> None:
    ended = process("eval", "σ(t) = x", "--at", "x=1", PYTHONIOENCODING="ascii")
    assert ended.status == 2
    ended = process("eval", "ŷ = x", "--at", "x=1", PYTHONIOENCODING="ascii")
    assert (ended.status, ended.err) == (0, "")


def test_python_api_errors() -> None:
    points: tuple[dict[str, Any], ...] = (
        {"x": "4"},
        {"x": None},
        {"x": float("nan")},
        {"x": float("inf")},
        {"x": []},
        {"x": [[1.0], 2.0]},
        {"x": ["1"]},
        {"x": 10**400},
    )
    for at in points:
        with pytest.raises(package.AutodiffError):
            evaluate("x", at)
    with pytest.raises(package.AutodiffError, match="unknown mode"):
        evaluate("x", {"x": 1}, mode="sideways")
    assert package.evaluate("x", {"x": 1}).to_dict()["gradient"] == {"x": 1.0}
    with pytest.raises(AttributeError):
        package.nothing  # noqa: B018


def test_a_file_and_values_in_one_option_are_shown_apart() -> None:
    done = autodiff("eval", "x*y", "--at", "@p.json,y=2")
    assert done.status == 4
    assert "give --at twice: --at @p.json --at y=2" in done.err
