"""`autodiff help`: a page for each topic and command, plain in a pipe, set by Rich on a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from autodiff import errors
from autodiff.cli import help as manual
from autodiff.cli.main import COMMANDS, run
from tests.support import pages
from tests.support.command import PATIENCE, Terminal, autodiff, process, python, start

TEXTS = {page.stem: page.read_text(encoding="utf-8") for page in pages.PAGES[1:]}


def _on_a_screen(monkeypatch: pytest.MonkeyPatch, *words: str, columns: int = 80, **environment: str) -> str:
    """What a command prints on a terminal that is so wide."""
    screen = Terminal()
    for name, value in {"COLUMNS": str(columns), "TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", screen)
    assert run(words) == 0
    monkeypatch.undo()
    return screen.text()


def test_every_page_is_a_topic_and_every_command_has_a_page() -> None:
    assert set(TEXTS) == set(manual.TOPICS)
    assert sorted(name for names in manual.TOPICS.values() for name in names) == sorted(COMMANDS)


@pytest.mark.parametrize("topic", TEXTS)
def test_a_pipe_gets_a_page_as_it_is_written(topic: str) -> None:
    done = autodiff("help", topic)
    assert (done.status, done.out, done.err) == (0, TEXTS[topic], "")


@pytest.mark.parametrize(("topic", "names"), manual.TOPICS.items())
def test_the_page_of_a_command_documents_it(topic: str, names: tuple[str, ...]) -> None:
    for name in names:
        done = autodiff("help", name)
        assert done.out == TEXTS[topic]
        assert f"autodiff {name}" in done.out


@pytest.mark.parametrize("topic", TEXTS)
def test_a_page_begins_with_its_title_and_one_line_that_says_what_it_tells(topic: str) -> None:
    title, blank, line, after = TEXTS[topic].split("\n")[:4]
    assert title.lower() == f"# {topic if topic != 'overview' else 'autodiff'}"
    assert (blank, after) == ("", "")
    assert line.endswith(".")
    assert len(line) <= 100


def test_the_list_has_a_line_for_each_topic() -> None:
    lines = autodiff("help", "--list").out.splitlines()
    assert [line.split()[0] for line in lines] == list(manual.TOPICS)
    assert all(line.endswith(".") for line in lines)
    assert autodiff("help").out == TEXTS["overview"]


def test_a_wrong_topic_is_an_error_with_the_nearest_one() -> None:
    done = autodiff("help", "langage")
    assert (done.status, done.out) == (2, "")
    assert "no topic 'langage'" in done.err
    assert "did you mean language?" in done.err
    assert "did you mean export?" in autodiff("help", "exprt").err
    assert "(topics: overview, language," in autodiff("help", "zzz").err
    assert "autodiff functions tanh" in autodiff("help", "tanh").err
    assert autodiff("help", "../manual/language").status == 2
    assert autodiff("help", "--list", "data").status == 2
    assert autodiff("help", "Language").status == 0


@pytest.mark.parametrize("topic", TEXTS)
def test_a_terminal_gets_headings_tables_and_code_within_its_width(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _on_a_screen(monkeypatch, "help", topic, NO_COLOR="1")
    assert "```" not in shown
    assert "<!--" not in shown
    assert "| ---" not in shown
    assert all(len(line) <= 80 for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines())


def test_a_terminal_without_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in _on_a_screen(monkeypatch, "help", "language", NO_COLOR="")
    assert not re.search(r"\x1b\[(?:\d+;)*[34][0-9]", _on_a_screen(monkeypatch, "help", "language", NO_COLOR="1"))
    assert "\x1b[" not in _on_a_screen(monkeypatch, "help", "language", TERM="dumb")


def test_a_pipe_does_not_load_rich() -> None:
    code = "import sys; from autodiff.cli.main import run; run(['help', 'data']); print(*sys.modules, file=sys.stderr)"
    done = python("-c", code)
    assert done.out == TEXTS["data"]
    loaded = set(done.err.split())
    assert not loaded & {"rich", "lark", "numpy", "difflib", "importlib.resources", "autodiff.core.rules"}


def test_a_closed_reader_is_no_failure() -> None:
    for topic in ("functions", "overview"):
        done = start("help", topic, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.stdout is not None
        done.stdout.close()
        _, listed = done.communicate(timeout=PATIENCE)
        assert (done.returncode, listed) == (0, b"")


def test_a_process_that_has_only_ascii_gets_a_page() -> None:
    done = process("help", "language", PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    assert done.status == 0
    assert "`\\u03c0`" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "exp(sin(x^2))", "--at", "x=4", "--digits", "30"],
        ["eval", "(1 - cos(x))/x^2", "--at", "x=1e-8"],
        ["eval", "abs(x)", "--at", "x=0", "--convention", "torch"],
        ["eval", "ln(x)", "--at", "x=-1"],
        ["eval", "abs(x)", "--at", "x=0"],
        ["eval", "x^3", "--at", "x=1", "--order", "2"],
        ["eval", "x^2*y", "--at", "x=1,y=2", "--hessian"],
        ["eval", "u = x*y; v = x + y", "--at", "x=1,y=2", "--jacobian", "--of", "u,v"],
        ["eval", "x*y", "--at", "x=1,y=2", "--jvp", "x=1,y=0"],
        ["eval", "u = x*y; v = x + y", "--at", "x=1,y=2", "--vjp", "u=1,v=0"],
        ["check", "sin(x^2)", "cos(x)*2x"],
        ["check", "x^2", "2x"],
        ["check", "ln(-x^2)", "1/x"],
        ["diff", "x^2"],
        ["diff", "x^2*y", "--hessian"],
        ["diff", "u = x*y; v = x", "--jacobian", "--of", "u,v"],
        ["graph", "x^2", "--at", "x=1"],
        ["functions", "tanh"],
        ["functions", "losses"],
        ["train", "(x - 1)^2", "--params", "x=0", "--epochs", "2"],
        ["train", "ln(x)", "--params", "x=-1"],
    ],
    ids=" ".join,
)
def test_the_page_about_json_has_every_key(words: list[str]) -> None:
    data = json.loads(autodiff(*words, "--format", "json").out)
    listed = set(re.findall(r"`(\w+)`", TEXTS["status"]))
    assert set(data[0] if isinstance(data, list) else data) <= listed


def test_the_page_about_exit_statuses_has_them_all() -> None:
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", TEXTS["status"], re.MULTILINE)}
    assert listed == {0, 1, errors.USAGE, errors.HARD_POINT, errors.DATA, errors.INTERNAL, 130}
