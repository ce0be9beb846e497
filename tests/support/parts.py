"""Tables in many files, and a part that makes a worker wait: a named pipe that the test holds."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from tests.support.command import PATIENCE, wait_until


def write_parts(folder: Path, count: int, rows: int, form: str = "csv", *, seed: int = 1) -> list[str]:
    """Files with columns x and y, where y is near 3*x + 1; some of x are negative."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    for k in range(count):
        x = [round(chance.uniform(-1, 5), 3) for _ in range(rows + k)]
        y = [3 * number + 1 + chance.gauss(0, 0.1) for number in x]
        path = folder / f"part-{k:03}.{form}"
        if form == "parquet":
            parquet.write_table(pa.table({"x": x, "y": y}), path)
        else:
            path.write_text("x,y\n" + "".join(f"{a!r},{b!r}\n" for a, b in zip(x, y, strict=True)))
    return sorted(str(path) for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name, with the manifest as what it says of the rows."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    manifest = json.loads(found["_autodiff.json"])
    assert manifest["complete"]
    return found


class HeldPart:
    """A part that its reader waits for until `give` is called."""

    def __init__(self, path: Path) -> None:
        self.path, self._handle = path, -1
        os.mkfifo(path)

    def wait_for_reader(self) -> int:
        """Wait until a process reads the part; its number."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if self._handle < 0:
                    self._handle = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
                return next(pid for pid in _holders(self.path) if pid != os.getpid())
            except (OSError, StopIteration) as error:
                if isinstance(error, OSError) and error.errno != errno.ENXIO:
                    raise
                time.sleep(0.02)
        raise AssertionError("nobody reads the part")

    def kill_reader(self) -> None:
        """Kill the process that reads the part, without a byte for it, and wait until it's dead; the next reader waits.

        It is stopped before the pipe is closed, so that it does not take the end of the pipe for the end of the part.
        """
        reader = self.wait_for_reader()
        os.kill(reader, signal.SIGSTOP)
        self.close()
        os.kill(reader, signal.SIGKILL)
        wait_until(lambda: reader not in _holders(self.path))

    def give(self, text: str) -> None:
        """Give the part to whoever reads it, once somebody does."""
        if self._handle < 0:
            self.wait_for_reader()
        os.write(self._handle, text.encode())
        self.close()

    def close(self) -> None:
        """End the part for its reader."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


def _holders(path: Path) -> Iterator[int]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if any(os.path.samefile(handle, path) for handle in (process / "fd").iterdir() if handle.exists()):
                    yield int(process.name)
            except OSError:
                continue


@contextmanager
def held_part(path: Path) -> Iterator[HeldPart]:
    """A part that is held, until the end of the context."""
    part = HeldPart(path)
    try:
        yield part
    finally:
        part.close()
