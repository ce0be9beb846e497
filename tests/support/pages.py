"""README and the pages of the manual, with what their commands print now.

A block ```console holds commands behind `$ ` and what each printed, stdout before stderr. What stands behind
`<!-- generated: COMMAND -->` is what COMMAND printed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.command import PATIENCE, Ended, autodiff
from tests.support.paths import ROOT, SOURCE

README = ROOT / "README.md"
MANUAL = SOURCE / "manual"
PAGES = [README, *sorted(MANUAL.glob("*.md"))]

_BLOCK = re.compile(
    r"(?P<console>```console\n)(?P<examples>.*?)(?P<close>```\n)"
    r"|(?P<open><!-- generated: (?P<command>.*?) -->\n).*?(?P<end><!-- end of generated -->)",
    re.DOTALL,
)


class Shell:
    """A bash in which `autodiff` is this checkout's command; `status` is that of the last command.

    With `here`, a command that needs nothing of bash is run in this process, which has all modules loaded.
    """

    def __init__(self, folder: Path, where: Path, *, here: bool = False) -> None:
        script = folder / "autodiff"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m autodiff "$@"\n')
        script.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        self.where, self.here, self.status = where, here, 0

    def run(self, command: str) -> str:
        """What a command prints, stdout before stderr."""
        ended = self.ended(command)
        return ended.out + ended.err

    def ended(self, command: str) -> Ended:
        """How a command ends."""
        stages = [command]
        if self.here and re.fullmatch(rf"{_STAGE}(?:\|{_STAGE})*", command):
            stages = [stage.strip() for stage in re.findall(_STAGE, command)]
        out = err = ""
        for stage in stages:
            ended = self._stage(stage, out)
            out, err, self.status = ended.out, err + ended.err, ended.status
        return Ended(self.status, out, err)

    def _stage(self, command: str, stdin: str) -> Ended:
        if self.here and _PLAIN.fullmatch(command):
            with contextlib.chdir(self.where):
                return autodiff(*shlex.split(command)[1:], stdin=stdin.encode())
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.status}); {command}"], input=stdin,
            capture_output=True, text=True, env=self.environment, cwd=self.where, timeout=PATIENCE,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)


_STAGE = r"""(?:[^|;&<>$`\\'"]|'[^']*'|"[^"$`\\!]*")+"""
"""A command of a pipeline, where bash puts nothing in place of its words but names of files."""

_PLAIN = re.compile(r"""autodiff(?: +(?:[\w./:,=+@%^\[\]-]|'[^']*'|"[^"$`\\!]*")+)+""")
"""One whose words mean themselves."""


def commands(text: str) -> list[str]:
    """The commands of the console examples in a page."""
    found = (block["examples"] or "" for block in _BLOCK.finditer(text))
    return [line[2:] for block in found for line in block.splitlines() if line.startswith("$ ")]


def renewed(page: Path, folder: Path) -> str:
    """The text of a page with what its commands print now; README's run in the checkout, the manual's in `folder`."""
    text = page.read_text(encoding="utf-8")
    shell = Shell(folder, ROOT if page == README else folder, here=page != README)
    if page != README and "tests/examples/" in text:
        (folder / "tests").symlink_to(ROOT / "tests")  # as in the checkout, where a reader has the tables

    def block(found: re.Match[str]) -> str:
        if found["open"]:
            return found["open"] + shell.run(found["command"]) + found["end"]
        ran = (f"$ {command}\n{_ended(shell.run(command))}" for command in commands(found[0]))
        return found["console"] + "".join(ran) + found["close"]

    return _BLOCK.sub(block, text)


def _ended(printed: str) -> str:
    return f"{printed.rstrip(chr(10))}\n" if printed.strip() else ""
