"""A live bar on a terminal's stderr: how far the training is, its loss, its speed. In a pipe there is nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def live(items: Iterable[T], total: int, done: int, say: object) -> Iterator[T]:
    """The items, one after the other, with a bar on stderr while they come; `say(item)` is what stands beside it."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Speed(TextColumn):
        def render(self, task: object) -> Text:
            speed = getattr(task, "speed", None)
            return Text(f"{speed:,.0f} epochs/s" if speed else "")

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[says]}", markup=False),
        Speed(""),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training", total=total, completed=done, says="")
        for item in items:
            bar.update(task, advance=1, says=say(item))  # type: ignore[operator]
            yield item
