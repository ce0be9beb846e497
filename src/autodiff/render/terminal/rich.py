r"""Explanations and graphs on a terminal: a colour for each place's name, its arrows and its row.

>>> painted([(("y", "@y"), (" = 2", ""))], ["x", "y"])
'\x1b[33my\x1b[0m = 2'
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from autodiff.render.text.layout import Line

STYLES = {"title": "bold", "head": "bold", "dim": "dim", "good": "green", "bad": "red", "answer": "bold"}
HUES = ("cyan", "yellow", "green", "magenta", "blue", "bright_red", "bright_cyan", "bright_yellow")


def painted(lines: Sequence[Line], names: Sequence[str]) -> str:
    """The lines as one text with colours; a piece of style "@name" has the colour of the place called so."""
    hues = {name: HUES[i % len(HUES)] for i, name in enumerate(names)}
    sheet = io.StringIO()
    console = Console(
        file=sheet,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        emoji=False,
        markup=False,
        no_color=False,
    )
    for line in lines:
        shown = Text(no_wrap=True, overflow="ignore")
        for words, style in line:
            shown.append(words, hues.get(style[1:], "") if style.startswith("@") else STYLES.get(style, ""))
        shown.rstrip()
        console.print(shown, soft_wrap=True)
    return sheet.getvalue().removesuffix("\n")
