"""A live bar on a terminal's stderr: how far the training or the reading of a table is, how fast, how long it will take.

In a pipe there is nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, Task

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


@contextmanager
def counted(*, shows: bool) -> Iterator[Callable[[int, float | None], None]]:
    """What shows, with `shows`, how many rows are done and the share of all, from 0 to 1, where it is known."""
    if not shows:
        yield lambda _rows, _share: None
        return
    from rich.console import Console

    bars: list[Progress] = []  # which columns it has, the first share tells

    def show(rows: int, share: float | None) -> None:
        if not bars:
            bars.append(rows_bar(Console(stderr=True), known=share is not None))
            bars[0].start()
        bars[0].update(bars[0].task_ids[0], completed=share or 0.0, rows=rows)

    try:
        yield show
    finally:
        for bar in bars:
            bar.stop()


def rows_bar(console: Console, *, known: bool, clock: Callable[[], float] | None = None) -> Progress:
    """A bar with one task, whose field `rows` is shown; without a share that is `known`, it counts only."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeElapsedColumn, TimeRemainingColumn

    says = [_said(_rows)] if console.width < 60 else [_said(_rows), _said(_speed)]  # the bar is worth more
    columns = (
        [TaskProgressColumn(), BarColumn(None), *says, TimeRemainingColumn()] if known else [*says, TimeElapsedColumn()]
    )
    bar = Progress(*columns, console=console, transient=True, expand=known, get_time=clock)
    bar.add_task("rows", total=1.0 if known else None, rows=0)
    return bar


def _rows(task: Task) -> str:
    rows = task.fields["rows"]
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _speed(task: Task) -> str:
    return f"{task.fields['rows'] / task.elapsed:,.0f} rows/s" if task.elapsed else ""


def _said(say: Callable[[Task], str]) -> ProgressColumn:
    """A column of a bar that says something of its task, on one line."""
    from rich.progress import ProgressColumn
    from rich.table import Column
    from rich.text import Text

    class Said(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(say(task))

    return Said(Column(no_wrap=True))
