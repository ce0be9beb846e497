"""The file of `train --history`: a header and a line per epoch, gone on with where a training is resumed.

epoch,loss,held_out
1,0.25,0.5
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TextIO

from autodiff.errors import DATA, AutodiffError, quoted, shortened
from autodiff.learn.train import Record
from autodiff.render import training as rendered


def opened(path: str, done: int, like: Record) -> TextIO:
    """The file, open for the lines after `done` epochs.

    Raises AutodiffError where it can't be written, and where it is another file than a history of records like `like`.
    """
    try:
        if done:
            _same_columns(path, rendered.csv_header(like))
            _shorten(path, done)
        return open(path, "a" if done else "w", encoding="utf-8")
    except OSError as error:
        raise AutodiffError(f"can't write {quoted(path, 200)}: {error.strerror}", exit_status=DATA) from None


def write(history: TextIO, record: Record) -> None:
    """A line for the epoch, behind a header where it is the first."""
    if history.tell() == 0:
        history.write(rendered.csv_header(record) + "\n")
    history.write(rendered.csv_line(record) + "\n")


def _same_columns(path: str, wanted: str) -> None:
    """Raise AutodiffError when the lines to come would not stand under the header that a history has."""
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as history:
        found = history.readline().rstrip("\n")
        if found.startswith("epoch,loss") and found != wanted.partition("\n")[0]:
            raise AutodiffError(
                f"{quoted(path, 200)} has the columns {shortened(found, 60)}, and here are {shortened(wanted, 60)}",
                exit_status=DATA,
                hint="give the same --watch and --holdout as before, or another --history",
            )


def _shorten(path: str, epochs: int) -> None:
    """Cut the file behind these epochs: a training that was killed may have gone on after its last save.

    Raises AutodiffError when the file is no history.
    """
    if not Path(path).exists():
        return
    with open(path, "r+b") as file:
        end = len(first := file.readline())
        if first and not first.startswith(b"epoch,loss"):
            raise AutodiffError(
                f"{quoted(path, 200)} is no history that training wrote",
                exit_status=DATA,
                hint="give another --history",
            )
        for line in file:
            epoch = line.partition(b",")[0]
            if not (line.endswith(b"\n") and epoch.isdigit() and int(epoch) <= epochs):
                break
            end += len(line)
        file.truncate(end)
