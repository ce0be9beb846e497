"""How records show themselves: as text, as HTML, Markdown, LaTeX and SVG; in notebooks by the names that these look for.

The writers are in `render.show`, which is imported when a record is shown: a record itself depends on none of them.

    __str__, _repr_html_, to_html = text, notebook_html, html          in the body of a record's class
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def _written(record: Any, form: str) -> str:
    written: str = import_module("autodiff.render.show").write(record, form)
    return written


def text(record: Any) -> str:
    """What a terminal shows."""
    return _written(record, "text")


def html(record: Any) -> str:
    """A page, a table or a picture, as HTML."""
    return _written(record, "html")


def notebook_html(record: Any) -> str:
    """The same inside a notebook; a page is in a frame of its own, so that no style leaves or enters it."""
    return _written(record, "notebook")


def latex(record: Any) -> str:
    """LaTeX to be included in a document."""
    return _written(record, "latex")


def notebook_latex(record: Any) -> str:
    """One displayed formula."""
    return f"$\\displaystyle {_written(record, 'formula')}$"


def markdown(record: Any) -> str:
    """Markdown."""
    return _written(record, "markdown")


def svg(record: Any) -> str:
    """A picture."""
    return _written(record, "svg")
