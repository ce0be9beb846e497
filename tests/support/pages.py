"""README and the pages of the manual, with what their commands print now.

A block ```console holds commands behind `$ ` and what each printed, stdout before stderr. What stands behind
`<!-- generated: COMMAND -->` is what COMMAND printed. The last digits of trained numbers are the machine's: its processor
says in which order NumPy adds. They are left as they are shown.
"""

from __future__ import annotations

import contextlib
import math
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


_FLOAT = re.compile(r"-?\d+\.\d{4,}(?:e[-+]?\d+)?")

_TRAINS = re.compile(r"autodiff (?:train|fit)\b")


def examples(block: str) -> list[tuple[str, str]]:
    """The commands of a block and what is shown of each."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def commands(text: str) -> list[str]:
    """The commands of the console examples in a page."""
    blocks = (block["examples"] or "" for block in _BLOCK.finditer(text))
    return [command for block in blocks for command, _ in examples(block)]


def same_but_last_digits(shown: str, printed: str) -> bool:
    """Whether two texts are the same but for digits of their numbers after the tenth."""
    return _FLOAT.split(shown) == _FLOAT.split(printed) and all(
        math.isclose(float(old), float(new), rel_tol=1e-10)
        for old, new in zip(_FLOAT.findall(shown), _FLOAT.findall(printed), strict=True)
    )


def renewed(page: Path, folder: Path) -> str:
    """The text of a page with what its commands print now; README's run in the checkout, the manual's in `folder`."""
    text = page.read_text(encoding="utf-8")
    shell = Shell(folder, ROOT if page == README else folder, here=page != README)
    if page != README and "tests/examples/" in text:
        (folder / "tests").symlink_to(ROOT / "tests")  # as in the checkout, where a reader has the tables

    trained = False

    def block(found: re.Match[str]) -> str:
        nonlocal trained
        if found["open"]:
            return found["open"] + shell.run(found["command"]) + found["end"]
        ran = []
        for command, shown in examples(found["examples"]):
            printed = _ended(shell.run(command))
            trained = trained or _TRAINS.search(command) is not None
            ran.append(f"$ {command}\n{shown if trained and same_but_last_digits(shown, printed) else printed}")
        return found["console"] + "".join(ran) + found["close"]

    return _BLOCK.sub(block, text)


def _ended(printed: str) -> str:
    return f"{printed.rstrip(chr(10))}\n" if printed.strip() else ""
