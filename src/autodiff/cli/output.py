"""Answers that go to a file or to a browser: `-o FILE`, whose ending says the format, and `--open`.

autodiff explain "x^2" --at x=3 -o page.html        the page, written whole or not at all
autodiff graph "x^2" --open                         the drawing, in the browser
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from autodiff.cli import options, streams
from autodiff.errors import AutodiffError, quoted

F = TypeVar("F", bound=Callable[..., object])


def out_option(endings: Mapping[str, str]) -> Callable[[F], F]:
    """`-o FILE`, for files with these endings."""
    known = ", ".join(endings)
    return options.file_option(
        "-o", "--out", help=f"Write to this file, whole or not at all; its ending says the format: {known}."
    )


def plot_option(help_text: str) -> Callable[[F], F]:
    """`--plot FILE`, a picture beside the answer."""
    endings = "needs Matplotlib; its ending says the format: .svg, .png, .pdf"
    return options.file_option("--plot", metavar="FILE.svg", help=f"{help_text} ({endings}).")


open_option = click.option("--open", "opened", is_flag=True, help="Show the page or picture in the browser.")


def form_of(path: str | None, form: str, endings: Mapping[str, str], *, opened: str = "") -> str:
    """The format of the answer: that of the file by its ending, else that of `--format`; else `opened` for `--open`."""
    if path is None:
        return opened if opened and form == "text" else form
    ending = os.path.splitext(path)[1].lower()
    if ending not in endings:
        raise AutodiffError(
            f"{quoted(path, 200)} does not tell its format", hint=f"end its name with {', '.join(endings)}"
        )
    if form != "text" and endings[ending] != form:
        raise AutodiffError(
            f"--format {form} and a file that ends with {ending} don't go together", hint="leave one out"
        )
    return endings[ending]


def picture_form(path: str | None) -> str:
    """The format of a picture by its ending; without a path none is asked for.

    Raises AutodiffError where it is no picture, or Matplotlib is not installed.
    """
    if path is None:
        return ""
    from autodiff.render.plot.image import FORMATS, load

    form = path.rpartition(".")[2].lower()
    if form not in FORMATS:
        raise AutodiffError(f"{quoted(path, 200)} is no picture", hint=f"end its name with .{', .'.join(FORMATS)}")
    load()
    return form


def put(content: str | bytes, path: str | None, *, opened: bool = False, ending: str = "") -> None:
    """Write an answer to `path`, or to stdout; with `opened` show it, from a new file with that ending if there is no `path`."""
    if opened and path is None:
        import tempfile  # few answers are shown

        path = os.path.join(tempfile.mkdtemp(prefix="autodiff-"), f"autodiff{ending}")
        streams.remark(f"notice: shown from {path}")
    if path is None:
        streams.answer(content if isinstance(content, str) else content.decode())
        return
    from autodiff.tables.atomic_file import whole

    data = content.encode() if isinstance(content, str) else content
    with whole(path) as file:
        file.write(data if isinstance(content, bytes) or content.endswith("\n") else data + b"\n")
    if opened:
        import webbrowser
        from pathlib import Path

        if not webbrowser.open(Path(path).resolve().as_uri()):
            streams.remark(f"notice: no browser was found; {quoted(path, 200)} can be opened by hand")
