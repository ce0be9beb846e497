"""The man page: made from the manual's pages when a wheel is built, with all that they tell, and roff that is understood."""

from __future__ import annotations

import doctest
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from autodiff.manual import manpage
from tests.support import pages
from tests.support.command import PATIENCE
from tests.support.paths import ROOT

PAGE = manpage.page("1.2.3")
TEXTS = {page.stem: page.read_text(encoding="utf-8") for page in pages.PAGES[1:]}


def _plain(roff: str) -> str:
    """The words of the page without roff's signs."""
    text = re.sub(r"\\\[u([0-9A-F]+)\]", lambda found: chr(int(found[1], 16)), roff)
    for sign, meant in ((r"\(ha", "^"), (r"\(ti", "~"), (r"\(ga", "`"), (r"\(aq", "'"), (r"\-", "-"), (r"\&", "")):
        text = text.replace(sign, meant)
    return re.sub(r"\\f[BIR]", "", text).replace(r"\e", "\\")


def test_the_example_of_the_module_holds() -> None:
    assert doctest.testmod(manpage).failed == 0


def test_the_page_has_the_header_of_man_pages() -> None:
    lines = PAGE.splitlines()
    assert lines[1] == '.TH AUTODIFF 1 "" "autodiff 1.2.3" "User Commands"'
    sections = re.findall(r'^\.SH "?(.*?)"?$', PAGE, re.MULTILINE)
    assert sections[:4] == ["NAME", "SYNOPSIS", "DESCRIPTION", "LANGUAGE"]
    assert {section.lower() for section in sections[3:]} == set(TEXTS) - {"overview"}
    assert PAGE.isascii()


@pytest.mark.parametrize("topic", TEXTS)
def test_the_page_has_all_text_of_the_manual(topic: str) -> None:
    plain = _plain(PAGE).splitlines()
    code = re.findall(r"^```\w*\n(.*?)^```$", TEXTS[topic], re.DOTALL | re.MULTILINE)
    for line in (line for block in code for line in block.splitlines()):
        assert line in plain
    rest = re.sub(r"^```.*?^```$", "", TEXTS[topic], flags=re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^\|.*\n(?=\| ---)", "", rest, flags=re.MULTILINE)  # a table's rows tell what its columns are
    words = re.sub(r"\]\(.*?\)|<!--.*?-->|\\\||[`|*\[\]#]", " ", rest)
    assert set(re.findall(r"[a-z]{3,}", words.lower())) <= set(re.findall(r"[a-z]{3,}", _plain(PAGE).lower()))


@pytest.mark.parametrize("line", [".TH x", "'x'", "a\\b", "-x^2 ~ `", "a.b"])
def test_no_sign_of_a_line_is_taken_for_roff(line: str) -> None:
    made = list(manpage.blocks(f"```text\n{line}\n```\n"))
    assert made[3][:1] not in (".", "'")
    assert _plain(made[3]) == line


@pytest.mark.skipif(not shutil.which("groff"), reason="needs groff")
def test_groff_finds_no_fault() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-z"],
        input=PAGE,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wheel_gets_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interface = ModuleType("interface")
    interface.BuildHookInterface = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin.interface", interface)
    hook = runpy.run_path(str(ROOT / ".ci" / "build_hook.py"))["ManPage"](
        root=str(ROOT), directory=str(tmp_path / "dist"), metadata=SimpleNamespace(version="1.2.3")
    )
    data: dict[str, Any] = {"shared_data": {}}
    hook.initialize("standard", data)
    ((source, target),) = data["shared_data"].items()
    assert target == "share/man/man1/autodiff.1"
    assert Path(source).read_text(encoding="utf-8") == PAGE
    hook.finalize("standard", data, "")
    assert not Path(source).exists()
