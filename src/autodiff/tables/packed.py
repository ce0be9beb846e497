"""Compressed tables: `.gz` by Python's gzip, `.zst` by PyArrow.

>>> import gzip, io
>>> unpacked(io.BytesIO(gzip.compress(b"x,y\\n1,2\\n")), "rows.csv.gz").read()
b'x,y\\n1,2\\n'
"""

from __future__ import annotations

import errno
from io import BufferedReader, RawIOBase
from pathlib import PurePath
from typing import Any, BinaryIO

from autodiff.tables.optional import library

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
