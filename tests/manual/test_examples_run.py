"""README and the manual are current: their examples run, their tables are the program's own, CI runs their commands."""

from __future__ import annotations

import doctest
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import click
import pytest

import autodiff as package
from autodiff.cli.main import COMMANDS, Group, cli
from tests.support import pages
from tests.support.command import autodiff
from tests.support.paths import ROOT

README = pages.README.read_text(encoding="utf-8")
LANGUAGE = (pages.MANUAL / "language.md").read_text(encoding="utf-8")


@pytest.fixture
def shell(tmp_path: Path) -> pages.Shell:
    return pages.Shell(tmp_path, ROOT, here=True)


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.stem)
def test_every_example_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    if page.stem == "fit":
        pytest.importorskip("odrpack", reason="has no wheel for this machine")
    shown = page.read_text(encoding="utf-8").splitlines()
    assert shown == pages.renewed(page, tmp_path).splitlines(), "python -m tests.update_readme"


def test_the_pages_have_examples_of_every_kind() -> None:
    assert len(pages.commands(README)) >= 8
    used = {
        word
        for page in pages.PAGES
        for word in re.findall(r"autodiff (\w+)", "\n".join(pages.commands(page.read_text(encoding="utf-8"))))
    }
    assert used >= set(COMMANDS) - {"completion", "serve"}
    generated = [page.stem for page in pages.PAGES if "<!-- generated: " in page.read_text(encoding="utf-8")]
    assert generated == ["functions"]


def test_readme_is_short_and_shows_a_picture() -> None:
    assert len(README.splitlines()) <= 130
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert (ROOT / picture).is_file()


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)(.*?)\)", text):
        assert (page.parent / target).exists(), target
    files = {path.name for folder in ("src", "grammar", "tests") for path in (ROOT / folder).rglob("*.*")}
    for name in re.findall(r"`(?:\w+/)?(\w+\.(?:py|ad|lark))`", text):
        assert name in files, name


def test_readme_links_to_every_page() -> None:
    assert {page.stem for page in pages.PAGES[1:]} == set(re.findall(r"manual/(\w+)\.md", README))


@pytest.mark.parametrize("name", ["README", "python"])
def test_the_python_examples_run(name: str) -> None:
    text = next(page for page in pages.PAGES if page.stem == name).read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    names: dict[str, object] = {}
    for line in code[1].splitlines():
        expression, _, shown = line.partition("#")
        if shown.strip()[:1] in "'\"-[0123456789" and shown.strip():
            assert eval(expression, names) == eval(shown, {})
        else:
            exec(line, names)


def _pairs(header: str) -> list[tuple[str, str]]:
    """The cells of the table of two columns that begins so, as code."""
    table = LANGUAGE.partition(header)[2].partition("\n\n")[0].replace(r"\|", "|")
    return re.findall(r"^\| `(.*?)` \| `(.*?)` \|$", table, re.MULTILINE)


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [*_pairs("| you may type | it means |"), *_pairs("| you may type in LaTeX | it means |")],
)
def test_what_may_be_typed_means_what_the_manual_says(typed: str, meaning: str) -> None:
    values = {"x": 1.3, "y": 0.7, "r": 2.1, "beta_hat_1": 1.9, "sigma_x": 0.4, "x_max": 3.2}
    at = {name: value for name, value in values.items() if re.search(rf"\b{name}\b", meaning)}
    found, wanted = package.evaluate(typed, at), package.evaluate(meaning, at)
    assert found.value == pytest.approx(wanted.value, rel=1e-15)
    assert found.gradient == pytest.approx(wanted.gradient, rel=1e-15)


@pytest.mark.parametrize(("wrong", "right"), _pairs("| not | but |"))
def test_what_the_manual_calls_an_error_is_one(wrong: str, right: str) -> None:
    with pytest.raises(package.AutodiffError) as error:
        package.evaluate(wrong, {"x": 1.3})
    assert error.value.hint
    package.parse(right)


def test_ci_runs_the_readmes_second_command() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in ci
    assert len(re.findall(r"^python3 .*pytest.*$", README, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "serve"])  # which goes on until it is ended
def test_every_command_has_two_examples_that_run(name: str, shell: pages.Shell) -> None:
    assert isinstance(cli, Group)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    examples = [line.strip() for line in (command.epilog or "").splitlines() if "autodiff" in line]
    assert len(examples) == 2
    for example in examples:
        ended = shell.ended(example.replace("~/", "/tmp/"))
        assert (ended.status, ended.err) == (0, ""), example


def test_every_help_names_only_commands_that_exist() -> None:
    for name in COMMANDS:
        assert autodiff(name, "--help").status == 0
    listing = autodiff("--help").out
    assert all(name in listing for name in COMMANDS)


def test_docstring_examples_run() -> None:
    names = ["autodiff", *(found.name for found in pkgutil.walk_packages(package.__path__, "autodiff."))]
    ran = 0
    for name in names:
        if not name.endswith("__main__"):
            done = doctest.testmod(import_module(name))
            assert done.failed == 0, name
            ran += done.attempted
    assert ran > 40


def test_what_the_internals_name_is_there() -> None:
    """Files, and the functions and classes that are named behind them."""
    text = (pages.MANUAL / "internals.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:src/|tests/)?[a-z_]+(?:/[a-z_]+)+\.py)(?:: (\w+))?`", text)
    assert len(named) > 15
    for file, name in named:
        path = ROOT / file if file.startswith("tests/") else ROOT / "src" / "autodiff" / file
        assert path.is_file(), file
        assert not name or re.search(rf"^(def|class) {name}\b", path.read_text(encoding="utf-8"), re.MULTILINE), name
