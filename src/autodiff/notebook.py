"""The command inside notebooks: `%load_ext autodiff`, then `%autodiff` and `%%autodiff`.

    %autodiff eval "exp(sin(x^2))" --at x=4          what a shell shows
    %%autodiff explain --at x=4                      the program is the rest of the cell
    y = x^2
    sin(y)

Explanations, graphs and plots are shown as pages and pictures; so are explanations, answers and derivatives that are
the value of a cell.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import tempfile
from typing import Any

from autodiff.render.show import framed

PAGES = {"explain": ("--format", "html"), "graph": ("--format", "svg"), "plot": ("-o", "svg")}
"""Commands whose answer is a page or a picture, and the option that asks for it."""


def load(shell: Any) -> None:
    """Give the shell of IPython the magic; records show themselves."""
    shell.register_magic_function(lambda line, cell=None: magic(line, cell), "line_cell", "autodiff")


def magic(line: str, cell: str | None = None) -> None:
    """Run `autodiff LINE`, with `cell` as the program where there is one."""
    from IPython import display

    shown: Any = display  # its functions have no types

    try:
        words = shlex.split(line)
    except ValueError as error:
        print(
            f"error: the line can't be read: {str(error).lower()}\n  close the quote, or put the program into a cell: %%autodiff"
        )
        return
    if words[:1] == ["serve"] and not {"--help", "-h"} & {*words}:
        print(
            "error: a page is served until it is stopped, and the notebook would wait for it\n  run it in a terminal: autodiff serve"
        )
        return
    if cell is not None:
        words.insert(1, cell.strip("\n"))
    command = words[0] if words else ""
    option, form = PAGES.get(command, ("", ""))
    has_form = any(word.partition("=")[0] in ("--format", "--json", "-o", "--out", "--help", "-h") for word in words)
    if not option or has_form:
        out, err = _run(words)
        print(out, end="")
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "picture.svg")
            out, err = _run([*words, option, path if option == "-o" else form])
            if option == "-o" and os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    out = file.read()
        if out:
            shown.display(shown.HTML(framed(out)) if form == "html" else shown.SVG(out))
    if err:
        print(err, end="")


def _run(words: list[str]) -> tuple[str, str]:
    """What the command prints on stdout and on stderr."""
    from autodiff.cli.main import run

    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2)]  # tables go out as bytes
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        run(words)
    texts = []
    for stream in streams:
        stream.seek(0)
        texts.append(stream.read())
    return texts[0], texts[1]
