"""A live line on a terminal's stderr: how far the training or the reading of a table is, how fast, how long it will take.

In a pipe there is nothing.

>>> texts = EpochProgress(30, 100, ("loss 0.25", "held out 0.5"), 120.0, 0.6)
>>> "".join(pieces(texts, 60)), "".join(pieces(texts, 30))
('epoch 30/100  ━━━━━━━━━━  loss 0.25  held out 0.5  0:01 left', 'epoch 30/100  loss 0.25')
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

T = TypeVar("T")

SHORTEST, LONGEST = 8, 40
"""Characters of the bar."""


class EpochProgress(NamedTuple):
    """Epochs done, of how many; the texts beside the bar, the most important first; epochs a second; seconds left."""

    done: int
    total: int
    texts: Sequence[str]
    speed: float | None = None
    left: float | None = None


def pieces(now: EpochProgress, width: int, mark: str = "━") -> tuple[str, str, str, str]:
    """The line in four pieces, the bar's done and open part in the middle: what has no room is left out, nothing is cut."""
    head = f"epoch {now.done:,}/{now.total:,}"
    speed = [f"{now.speed:,.0f} epochs/s"] if now.speed else []
    left = [f"{_clock(now.left)} left"] if now.left is not None else []
    kept, room = list[str](), width - len(head)
    for k, part in enumerate((*now.texts, *speed, *left)):
        wanted = len(part) + 2 + (SHORTEST + 2 if k else 0)  # the bar goes before all but the first
        if wanted <= room:
            kept.append(part)
            room -= len(part) + 2
    long = min(LONGEST, room - 2) if room - 2 >= SHORTEST else 0
    filled = min(long, long * now.done // max(now.total, 1))
    tail = "".join(f"  {part}" for part in kept)
    return head + "  " * bool(long), mark * filled, mark * (long - filled), tail


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def with_progress(
    items: Iterable[T], total: int, done: int, text_of: Callable[[T], Sequence[str]], *, coloured: bool
) -> Iterator[T]:
    """The items, one after the other, with a line on stderr while they come; `text_of(item)` gives its texts."""
    if not sys.stderr.isatty():
        yield from items
        return
    with _bar(coloured=coloured) as bar:
        task = bar.add_task("training", total=total, completed=done, texts=())
        for item in items:
            bar.update(task, advance=1, texts=text_of(item))
            yield item


def _bar(*, coloured: bool) -> Progress:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.text import Text

    console = Console(stderr=True, no_color=not coloured)
    mark = "-" if console.options.ascii_only else "━"

    class EpochLine(ProgressColumn):
        def render(self, task: Task) -> Text:
            now = EpochProgress(
                int(task.completed), int(task.total or 0), task.fields["texts"], task.speed, task.time_remaining
            )
            head, filled, open_, tail = pieces(now, console.width - 1, mark)
            return Text.assemble(head, (filled, "bar.complete"), (open_, "bar.back"), tail, no_wrap=True)

    return Progress(EpochLine(), console=console, transient=True)


@contextmanager
def row_progress(*, shows: bool, coloured: bool) -> Iterator[Callable[[int, float | None, str], None]]:
    """What shows, with `shows`, how many rows are done, the share of all, from 0 to 1, where it is known, and a text."""
    if not shows:
        yield lambda _rows, _share, _text: None
        return
    from rich.console import Console

    bars: list[Progress] = []  # the first share decides which columns it has

    def show(rows: int, share: float | None, text: str) -> None:
        if not bars:
            bars.append(rows_bar(Console(stderr=True, no_color=not coloured), known=share is not None))
            bars[0].start()
        bars[0].update(bars[0].task_ids[0], completed=share or 0.0, rows=rows, text=text)

    try:
        yield show
    finally:
        for bar in bars:
            bar.stop()


def rows_bar(console: Console, *, known: bool, clock: Callable[[], float] | None = None) -> Progress:
    """A bar with one task, whose field `rows` is shown; without a share that is `known`, it counts only."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeElapsedColumn, TimeRemainingColumn

    texts = [_column(_rows)] if console.width < 60 else [_column(_rows), _column(_speed)]  # the bar is worth more
    columns = (
        [TaskProgressColumn(), BarColumn(None), *texts, TimeRemainingColumn()]
        if known
        else [*texts, TimeElapsedColumn()]
    )
    bar = Progress(*columns, console=console, transient=True, expand=known, get_time=clock)
    bar.add_task("rows", total=1.0 if known else None, rows=0, text="")
    return bar


def _rows(task: Task) -> str:
    rows, text = task.fields["rows"], task.fields["text"]
    return "  ".join(filter(None, [text, "1 row" if rows == 1 else f"{rows:,} rows"]))


def _speed(task: Task) -> str:
    return f"{task.fields['rows'] / task.elapsed:,.0f} rows/s" if task.elapsed else ""


def _column(text_of: Callable[[Task], str]) -> ProgressColumn:
    """A column of a bar: a text about its task, on one line."""
    from rich.progress import ProgressColumn
    from rich.table import Column
    from rich.text import Text

    class TaskText(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(text_of(task))

    return TaskText(Column(no_wrap=True))
