"""A page of the manual on a terminal: its Markdown with headings, tables and code set off."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown
from rich.theme import Theme

_THEME = Theme({"markdown.code": "bold cyan", "markdown.code_block": "none"})
"""Code in colour, and on the background of the terminal."""


def show(text: str, width: int) -> None:
    """Print the page, in lines of at most `width` columns."""
    console = Console(width=width, theme=_THEME, emoji=False, highlight=False)
    console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False))
