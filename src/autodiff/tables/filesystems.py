"""Files by their address: a path on this machine, or `s3://…`, `memory://…` and all else that fsspec reads and writes.

>>> import fsspec
>>> fsspec.filesystem("memory").pipe_file("/doc/rows.csv", b"x\\n1\\n")
>>> open_to_read("memory://doc/rows.csv").read()
b'x\\n1\\n'
>>> files_below("memory://doc")
['memory://doc/rows.csv']
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import SEEK_SET, BufferedReader, RawIOBase
from stat import S_ISREG
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from autodiff.errors import AutodiffError, data_error, quoted, shortened
from autodiff.libraries import extra, library

WILDCARDS = "*?["


def is_remote(address: str) -> bool:
    """Whether fsspec has to read this address; a path of this machine that looks like one is a path."""
    scheme, separator, _ = address.partition("://")
    return bool(separator) and scheme.isidentifier() and scheme.lower() != "file" and not os.path.exists(address)


def local(address: str) -> str:
    """The path that `file://…` names; another path is left as it is."""
    if not address.lower().startswith("file://") or os.path.exists(address):
        return address
    return unquote(urlsplit(address).path)


def absolute(address: str) -> str:
    """The address as another process, whose working folder is another one, finds the same file."""
    return address if is_remote(address) else os.path.abspath(local(address))


def open_stdin(instead: str) -> BinaryIO:
    """The bytes on stdin. Raises AutodiffError where the caller closed it, as `<&-` does; `instead` is the next step then."""
    if sys.stdin is None or sys.stdin.closed:
        raise data_error("can't read stdin: it is closed", hint=instead)
    return sys.stdin.buffer


def open_to_read(address: str, name: str = "") -> BinaryIO:
    """The bytes of a file, which errors call `name`. Raises AutodiffError where there is no such file."""
    if is_remote(address):
        system, path = _system(address)
        return BufferedReader(_Stream(_done("read", name or address, lambda: system.open(path, "rb"))), 1 << 20)
    try:
        return open(local(address), "rb")
    except OSError as error:
        raise _cannot("read", name or address, error.strerror or str(error)) from None
    except ValueError:
        raise data_error(f"{quoted(name or address, 200)} is no file name") from None


@contextmanager
def written_whole(address: str) -> Iterator[BinaryIO]:
    """A stream whose bytes become a remote file at the end, unless there is an error: half of it is never there."""
    system, path = _system(address)
    with TemporaryFile() as file:
        yield cast("BinaryIO", file)
        file.seek(0)

        def write() -> None:
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.pipe_file(path, file.read())

        _done("write", address, write)


def make_folder(file: str) -> None:
    """Make the folder that a file is to be in. Raises AutodiffError where that can't be done."""
    if not is_remote(file):
        try:
            os.makedirs(os.path.dirname(local(file)) or ".", exist_ok=True)
        except OSError as error:
            raise _cannot("write", file, error.strerror or str(error)) from None


def exists(address: str) -> bool:
    """Whether there is such a file or folder."""
    return bool(_remote_answer(address, "exists")) if is_remote(address) else os.path.exists(local(address))


def size(address: str) -> int | None:
    """The bytes of a file; None where that is unknown."""
    if address == "-":
        return None
    if not is_remote(address):
        with suppress(OSError, ValueError):
            status = os.stat(local(address))
            return status.st_size if S_ISREG(status.st_mode) else None
        return None
    system, path = _system(address)
    with suppress(Exception):  # a store without sizes: the file is read to its end
        return int(system.size(path))
    return None


def digest(address: str) -> str:
    """The SHA-256 of a file of this machine; "" for a remote file, which its store has whole or not at all."""
    if is_remote(address):
        return ""
    with open_to_read(address) as file:
        return hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()


def is_folder(address: str) -> bool:
    """Whether the address is that of a folder."""
    return bool(_remote_answer(address, "isdir")) if is_remote(address) else os.path.isdir(local(address))


def files_below(folder: str) -> list[str]:
    """All files in a folder and the folders in it, in the order of their names."""
    if is_remote(folder):
        return _remote_files(folder, "find")
    paths = (os.path.join(place, name) for place, _, names in os.walk(local(folder)) for name in names)
    return sorted(paths, key=lambda path: path.split(os.sep))


def matching(pattern: str) -> list[str]:
    """The files and folders whose names a pattern with `*`, `**`, `?` or `[…]` fits, in the order of their names."""
    if is_remote(pattern):
        return _remote_files(pattern, "glob")
    return sorted(glob.glob(local(pattern), recursive=True), key=lambda path: path.split(os.sep))


def _remote_files(address: str, question: str) -> list[str]:
    """The addresses of the files that a remote filesystem has for an address."""
    (system, _), scheme = _system(address), address.partition("://")[0]
    urls = (path if "://" in path else str(system.unstrip_protocol(path)) for path in _remote_answer(address, question))
    return sorted((f"{scheme}://{url.partition('://')[2].lstrip('/')}" for url in urls), key=lambda url: url.split("/"))


def _remote_answer(address: str, question: str) -> Any:
    """What a remote filesystem answers to `question`, a method of fsspec's, about an address."""
    system, path = _system(address)
    return _done("read", address, lambda: getattr(system, question)(path))


def _system(address: str) -> tuple[Any, str]:
    """The filesystem of an address, and the path in it. Raises AutodiffError where a library for it is missing."""
    core = library("fsspec.core", f"the address {quoted(address, 200)}", "remote")
    try:
        system, path = core.url_to_fs(address)
    except ImportError as error:
        what = shortened(str(error), 200)
        raise AutodiffError(f"can't read {quoted(address, 200)}: {what}", hint=extra("remote")) from None
    except ValueError as error:
        raise AutodiffError(f"can't read {quoted(address, 200)}: {shortened(str(error), 200)}") from None
    return system, str(path)


def _done(what: str, address: str, act: Any) -> Any:
    """The result of `act`; the libraries of remote files raise errors of all kinds, which become one AutodiffError."""
    try:
        return act()
    except FileNotFoundError:
        raise _cannot(what, address, os.strerror(errno.ENOENT)) from None
    except Exception as error:
        raise _cannot(what, address, _reason(error)) from None


def _cannot(what: str, address: str, why: str) -> AutodiffError:
    return data_error(f"can't {what} {quoted(address, 200)}: {why}")


def _reason(error: Exception) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or shortened(str(error).partition("\n")[0], 200) or type(error).__name__


class _Stream(RawIOBase):
    """A remote file as a stream of which every fault is an OSError with a sentence."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._file.read(len(buffer))
        except Exception as error:
            raise OSError(errno.EIO, _reason(error)) from None
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()
