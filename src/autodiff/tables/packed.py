"""Compressed tables, read and written: `.gz` by Python's gzip, `.zst` by PyArrow.

>>> import gzip, io
>>> unpacked(io.BytesIO(gzip.compress(b"x,y\\n1,2\\n")), "rows.csv.gz").read()
b'x,y\\n1,2\\n'
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from autodiff.libraries import library

PACKED = (".gz", ".zst")


def unpacked(file: BinaryIO, path: str) -> BinaryIO:
    """The content of a file that is compressed, by the ending of its name; of another one the file itself."""
    ending = PurePath(path).suffix.lower()
    if ending not in PACKED:
        return file
    if ending == ".gz":
        from gzip import GzipFile  # most tables are not compressed

        return BufferedReader(_Unpacked(GzipFile(fileobj=file), "gzip"), 1 << 20)
    pa = library("pyarrow", "a file that ends in .zst")
    return BufferedReader(_Unpacked(pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd"), "zstd"), 1 << 20)


@contextmanager
def packed(file: BinaryIO, path: str) -> Iterator[BinaryIO]:
    """The stream that writes to `file`, packed as the ending of its name says; the same bytes are packed alike each time."""
    ending = PurePath(path).suffix.lower()
    if ending == ".gz":
        from gzip import GzipFile  # as above

        with GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as stream:
            yield cast("BinaryIO", stream)
    elif ending == ".zst":
        pa = library("pyarrow", "a file that ends in .zst")
        with pa.CompressedOutputStream(pa.PythonFile(_LeftOpen(file), "w"), "zstd") as stream:
            yield stream
    else:
        yield file


class _LeftOpen:
    """A file that whoever opened it closes, and not the stream that writes to it."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.write, self.flush = file.write, file.flush

    def close(self) -> None:
        self.closed = True


class _Unpacked(RawIOBase):
    """A stream that is unpacked as it is read. Every fault of the packed bytes is an OSError with a sentence."""

    def __init__(self, stream: Any, kind: str) -> None:
        self._stream, self._kind = stream, kind

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        from zlib import error as broken

        try:
            content = self._stream.read(len(buffer))
        except (OSError, EOFError, broken) as error:
            if isinstance(error, OSError) and error.strerror and error.errno != errno.EIO:
                raise
            raise OSError(errno.EIO, f"it is no whole {self._kind} file") from None
        buffer[: len(content)] = content
        return len(content)
