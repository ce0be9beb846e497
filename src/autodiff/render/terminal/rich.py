"""Lines with styles on a terminal, in colour: one colour for each place's name, its arrows and its row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from autodiff.render.text.layout import Line

STYLES = {"title": "bold", "head": "bold", "dim": "dim", "good": "green", "bad": "red", "answer": "bold"}
HUES = ("cyan", "yellow", "green", "magenta", "blue", "bright_red", "bright_cyan", "bright_yellow")


def show(lines: Sequence[Line], names: Sequence[str]) -> None:
    """Print the lines; a piece of style "@name" has the colour of the place called so."""
    hues = {name: HUES[i % len(HUES)] for i, name in enumerate(names)}
    console = Console(highlight=False, emoji=False, markup=False)
    for line in lines:
        shown = Text(no_wrap=True, overflow="ignore")
        for words, style in line:
            shown.append(words, hues.get(style[1:], "") if style.startswith("@") else STYLES.get(style, ""))
        shown.rstrip()
        console.print(shown, soft_wrap=True)
