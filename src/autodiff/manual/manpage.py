"""The manual's pages as one man page: `python src/autodiff/manual/manpage.py > autodiff.1`. A wheel gets it when it is built.

Of Markdown it takes what the pages use: headings, paragraphs, lists, tables of which each row becomes an entry, blocks of code,
`code`, **strong** words and [links](to). Hidden comments are left out.

>>> print("\\n".join(blocks("## Of `x`\\n\\nA line,\\ngone on with.")))
.SS "Of x"
.PP
A line,
gone on with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

MANUAL = Path(__file__).parent
FIRST = (
    "overview",
    "language",
    "functions",
    "derivatives",
    "explain",
    "data",
    "train",
    "fit",
    "plot",
    "serve",
    "export",
    "python",
    "status",
    "digits",
)
"""The pages in the order in which they are read; others follow."""

_BULLET = r"\(bu"
_ITEM = re.compile(r"([-*]|\d+\.) +")
_MARKED = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>.+?)\*\*|\[(?P<link>[^\]]+)\]\([^)]+\)")


def page(version: str, manual: Path = MANUAL) -> str:
    """The text of `autodiff.1`."""
    names = [*FIRST, *sorted(path.stem for path in manual.glob("*.md") if path.stem not in FIRST)]
    texts = [(manual / f"{name}.md").read_text(encoding="utf-8") for name in names]
    texts[0] = texts[0].replace("# autodiff\n", "# Description\n", 1)
    head = [
        ".nr HY 0",
        f'.TH AUTODIFF 1 "" "autodiff {version}" "User Commands"',
        ".ad l",
        ".SH NAME",
        f"autodiff {_escaped('- a derivative calculator for the command line')}",
        ".SH SYNOPSIS",
        ".B autodiff",
        r"\fICOMMAND\fR [\fIOPTIONS\fR] \fIPROGRAM\fR",
    ]
    return "\n".join([*head, *(line for text in texts for line in blocks(text))]) + "\n"


def blocks(text: str) -> Iterator[str]:
    """The lines of one page."""
    text = re.sub(r"<!--.*?-->\n?", "", text)
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        code = block[:1] and block[0].startswith("```")
        if code and line == "```":
            yield from _code(block[1:])
            block = []
        elif line or code:
            block.append(line)
        elif block:
            yield from _block(block)
            block = []


def _code(lines: list[str]) -> Iterator[str]:
    yield from (".PP", ".RS 4", ".EX", *(_guarded(_escaped(line)) for line in lines), ".EE", ".RE")


def _block(lines: list[str]) -> Iterator[str]:
    """A heading, a table, a list or a paragraph."""
    if (heading := re.match(r"(#+) (.*)", lines[0])) is not None:
        top = heading[1] == "#"
        yield f'.{"SH" if top else "SS"} "{_title(heading[2], upper=top)}"'
    elif lines[0].startswith("|"):
        yield from _entries([_cells(row) for row in lines])
    elif _ITEM.match(lines[0]):
        for line in lines:
            if (item := _ITEM.match(line)) is not None:
                yield f".IP {item[1] if item[1][0].isdigit() else _BULLET} 4"
            yield _words(_ITEM.sub("", line).strip())
    else:
        yield ".PP"
        yield from map(_words, lines)


def _cells(row: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def _entries(rows: list[list[str]]) -> Iterator[str]:
    """A table as a list: the first cell of a row, then the others, from the third on with the column's name."""
    header, _, *body = rows
    for row in body:
        named = [
            f"{name}: {cell}" if k > 1 else cell for k, (name, cell) in enumerate(zip(header, row, strict=True)) if cell
        ]
        yield ".TP"
        yield _words(named[0])
        yield _words("; ".join(named[1:]))


def _words(line: str) -> str:
    """A line of running text, with its bold words."""
    text, end = "", 0
    for match in _MARKED.finditer(line):
        marked = _escaped(match["code"] or match["strong"] or match["link"])
        text += _escaped(line[end : match.start()]) + (marked if match["link"] else rf"\fB{marked}\fR")
        end = match.end()
    return _guarded(text + _escaped(line[end:]))


def _title(title: str, *, upper: bool) -> str:
    title = title.replace("`", "").replace('"', '""')
    return _escaped(title.upper() if upper else title)


def _guarded(line: str) -> str:
    """A line that begins with a sign of roff is text nevertheless."""
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _escaped(text: str) -> str:
    text = (
        text.replace("\\", r"\e").replace("-", r"\-").replace("^", r"\(ha").replace("~", r"\(ti").replace("`", r"\(ga")
    )
    text = text.replace("'", r"\(aq")
    return "".join(sign if sign.isascii() else rf"\[u{ord(sign):04X}]" for sign in text)


if __name__ == "__main__":
    print(page(""), end="")
