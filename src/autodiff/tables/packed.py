"""Compressed tables, read and written: `.gz`, `.bz2` and `.xz` by Python, `.zst` by PyArrow.

>>> import gzip, io
>>> unpacked(io.BytesIO(gzip.compress(b"x,y\\n1,2\\n")), "rows.csv.gz").read()
b'x,y\\n1,2\\n'
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from autodiff.libraries import library

_MODULES = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
"""Python's module for each ending."""

PACKED = (*_MODULES, ".zst")


def unpacked(file: BinaryIO, path: str) -> BinaryIO:
    """The content of a file that is compressed, by the ending of its name; of another one the file itself."""
    ending = PurePath(path).suffix.lower()
    if ending not in PACKED:
        return file
    if ending in _MODULES:
        module = library(_MODULES[ending], f"a file that ends in {ending}")  # most tables are not compressed
        return BufferedReader(_Unpacked(module.open(file, "rb"), ending.removeprefix(".")), 1 << 20)
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
    elif ending in _MODULES:
        fast = (
            {"preset": 0} if ending == ".xz" else {}
        )  # a higher one takes nine times as long for a file a seventh smaller
        with library(_MODULES[ending], f"a file that ends in {ending}").open(file, "wb", **fast) as stream:
            yield stream
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

        own = getattr(sys.modules.get("lzma"), "LZMAError", broken)
        try:
            content = self._stream.read(len(buffer))
        except (OSError, EOFError, broken, own) as error:
            if isinstance(error, OSError) and error.strerror and error.errno != errno.EIO:
                raise
            raise OSError(errno.EIO, f"it is no whole {self._kind} file") from None
        buffer[: len(content)] = content
        return len(content)
