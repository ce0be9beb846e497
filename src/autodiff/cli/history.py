"""The file of `train --history`: a header and a line per epoch; a resumed training appends to it.

epoch,loss,held_out
1,0.25,0.5

The file takes its name with the first line of this training, and from then on grows by whole lines. So it is the old one or
the new one at any time; and of two trainings that write to one name, each has a file of its own.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from autodiff.errors import DATA, AutodiffError, quoted, shortened
from autodiff.render.terminal import training as rendered
from autodiff.tables.atomic_file import cannot, is_direct, whole
from autodiff.train.records import EpochRecord


class History:
    """The file `path`, for the lines after `done` epochs of a training whose records are like `like`.

    Raises AutodiffError where it can't be written, and, in a training that goes on, where it is another file than a
    history of such records.
    """

    def __init__(self, path: str, done: int, like: EpochRecord) -> None:
        self.path, self.kept = path, b""
        self._handle, self._is_file = -1, not is_direct(path)
        header = rendered.csv_header(like)
        if done and self._is_file:
            try:
                _same_columns(path, header)
                self.kept = _before(path, done)
            except OSError as error:
                raise cannot(path, error) from None
        self.kept = self.kept or f"{header}\n".encode("utf-8", "surrogateescape")

    def write(self, record: EpochRecord) -> None:
        """A line for the epoch, behind those before where it is the first one."""
        line = f"{rendered.csv_line(record)}\n".encode()
        if self._handle < 0:
            self._begin(line)
        else:
            self._append(line)

    def close(self) -> None:
        """End the file, which a training without a single epoch has not begun."""
        if self._handle < 0:
            self._begin(b"")
        os.close(self._handle)

    def _begin(self, line: bytes) -> None:
        with whole(self.path) as file:
            self._handle = os.dup(file.fileno())  # and not by its name, which may be another training's soon
            file.write(self.kept + line)

    def _append(self, line: bytes) -> None:
        there = os.lseek(self._handle, 0, os.SEEK_CUR) if self._is_file else 0
        try:
            left = line
            while left:
                left = left[os.write(self._handle, left) :]
        except BrokenPipeError:  # the reader has closed it
            raise
        except OSError as error:
            if self._is_file:
                os.ftruncate(self._handle, there)  # no half a line, where the disk is full
            raise cannot(self.path, error) from None


def _same_columns(path: str, wanted: str) -> None:
    """Raise AutodiffError where the columns of the lines to come are not those of the history."""
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as history:
        names = history.readline().rstrip("\n")
        if names.startswith("epoch,loss") and names != wanted.partition("\n")[0]:
            raise AutodiffError(
                f"{quoted(path, 200)} has the columns {shortened(names, 60)}, and here are {shortened(wanted, 60)}",
                exit_status=DATA,
                hint="give the same --watch and --holdout as before, or another --history",
            )


def _before(path: str, epochs: int) -> bytes:
    """The file's lines up to that epoch: a training that was killed may have gone on after its last save.

    Raises AutodiffError when the file is no history.
    """
    if not Path(path).exists():
        return b""
    with open(path, "rb") as file:
        first = file.readline()
        if first and not first.startswith(b"epoch,loss"):
            raise AutodiffError(
                f"{quoted(path, 200)} is no history that training wrote",
                exit_status=DATA,
                hint="give another --history",
            )
        lines = [first]
        for line in file:
            epoch = line.partition(b",")[0]
            if not (line.endswith(b"\n") and epoch.isdigit() and int(epoch) <= epochs):
                break
            lines.append(line)
    return b"".join(lines)
