"""The README tells the truth: its examples run, its table is the program's own, its commands are what CI runs."""

from __future__ import annotations

import doctest
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import autodiff as package
from autodiff.cli.main import COMMANDS, Group, cli

from .command import autodiff

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = "\n".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL))
EXAMPLES = [tuple(block.split("\n", 1)) for block in re.split(r"^\$ ", CONSOLE, flags=re.MULTILINE) if block.strip()]


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `autodiff` is this checkout's command."""
    script = tmp_path / "autodiff"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m autodiff "$@"\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def test_every_console_example_prints_what_the_readme_shows(shell: dict[str, str]) -> None:
    assert len(EXAMPLES) > 8
    status = 0
    for command, printed in EXAMPLES:
        done = subprocess.run(
            ["bash", "-c", f"(exit {status}); {command}"], capture_output=True, text=True, env=shell, timeout=60
        )
        status = done.returncode
        assert done.stdout + done.stderr == printed.rstrip("\n") + "\n", command


def test_the_table_is_the_programs_own() -> None:
    listed = re.search(r"<!-- functions:.*?-->\n(.*)<!-- end of functions -->", README, re.DOTALL)
    assert listed
    assert listed[1] == autodiff("functions", "--format", "markdown").out, "run tests/update_readme.py"


def test_the_python_example_runs() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    names: dict[str, object] = {}
    for line in code[1].splitlines():
        expression, _, shown = line.partition("#")
        if shown.strip()[:1] in "'\"-[0123456789" and shown.strip():
            assert eval(expression, names) == eval(shown, {})
        else:
            exec(line, names)


def test_ci_runs_the_readmes_second_command() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in ci
    assert len(re.findall(r"^python3 .*pytest.*$", README, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_two_examples_that_run(name: str, shell: dict[str, str]) -> None:
    assert isinstance(cli, Group)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    examples = [line.strip() for line in (command.epilog or "").splitlines() if "autodiff" in line]
    assert len(examples) == 2
    for example in examples:
        example = example.replace("~/", "/tmp/")
        done = subprocess.run(["bash", "-c", example], capture_output=True, text=True, env=shell, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), example


def test_every_help_names_only_commands_that_exist() -> None:
    for name in COMMANDS:
        assert autodiff(name, "--help").status == 0
    said = autodiff("--help").out
    assert all(name in said for name in COMMANDS)


def test_docstring_examples_run() -> None:
    names = ["autodiff", *(found.name for found in pkgutil.walk_packages(package.__path__, "autodiff."))]
    ran = 0
    for name in names:
        if not name.endswith("__main__"):
            done = doctest.testmod(import_module(name))
            assert done.failed == 0, name
            ran += done.attempted
    assert ran > 40
