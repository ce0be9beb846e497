"""Files that are written whole or not at all: under a private name in the same folder, which is replaced at the end.

    with whole("result.csv") as file:       # result.csv is the old one until here …
        file.write(b"x\\n1\\n")
                                            # … and the new one from here on

The private name is new and random: no existing file is touched, no link is followed, and of two writers of one file the last
one wins, whole. A private file stays behind only after SIGKILL, and after an AutodiffError, whose hint names it.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from typing import Any, BinaryIO

from autodiff.errors import AutodiffError, data_error, quoted

_ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGALRM", "SIGUSR1", "SIGUSR2")
"""Signals that end a process by default; SIGINT already raises an exception."""

_LONGEST = 200
"""Bytes of the file's own name in the private one: a name has 255."""

_DEVICES = ("/dev", "/dev/fd", "/proc/self/fd")
"""Folders whose entries are streams that are open already, even where such a stream is a file."""


@contextmanager
def whole(path: str, *, salvage: bool = True) -> Iterator[BinaryIO]:
    """The file `path`, or the one that it links to, open for writing; a device or a pipe is written to directly.

    The permissions of a file that is there are kept. With `salvage` an AutodiffError leaves the bytes written so far, if there
    are any, under the private name, and says so. Raises AutodiffError where the file can't be written.
    """
    require_name(path)
    try:
        with open(path, "wb") if is_direct(path) else _replaced(path, salvage=salvage) as file:
            yield file
    except OSError as error:
        raise cannot(path, error) from None


def cannot(path: str, error: OSError) -> AutodiffError:
    """The error for a file that the system does not let us write."""
    return data_error(f"can't write {quoted(path, 200)}: {error.strerror or error}")


def require_name(path: str) -> None:
    """Raise AutodiffError for a text that is no file's name."""
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(path):
            return
    raise data_error(f"can't write {quoted(path, 200)}: it is no file name")


def is_direct(path: str) -> bool:
    """Whether the path leads to something that is no file of its own, such as a device or a pipe, or to a folder."""
    if os.path.dirname(os.path.abspath(path)) in _DEVICES:
        return True
    return os.path.exists(path) and not os.path.isfile(path)


@contextmanager
def _replaced(path: str, *, salvage: bool) -> Iterator[BinaryIO]:
    target = os.path.realpath(path)
    if os.path.islink(target):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not path or path.endswith(os.sep):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    private = _private(target)
    with _removed_by_signals(private):
        try:
            with _created(target, private) as file:
                yield file
                file.flush()
                _like(target, file.fileno())
                os.fsync(file.fileno())
            os.replace(private, target)
        except BaseException as error:
            if salvage and isinstance(error, AutodiffError) and os.path.exists(private) and os.path.getsize(private):
                error.hint = "; ".join(filter(None, [error.hint, f"the rows before are in {_shown(path, private)}"]))
            else:
                _remove(private)
            raise


def _private(target: str) -> str:
    folder, name = os.path.split(os.fsencode(target))
    return os.fsdecode(os.path.join(folder, name[:_LONGEST] + b"." + os.urandom(8).hex().encode() + b".partial"))


def remove_leftovers(paths: Iterable[str]) -> None:
    """Remove what writers of these files left that were killed; none may be writing them now."""
    names: dict[bytes, set[bytes]] = {}
    for path in paths:
        folder, name = os.path.split(os.fsencode(os.path.realpath(path)))
        names.setdefault(folder, set()).add(name[:_LONGEST])
    for folder, known in names.items():
        with suppress(OSError):
            for entry in os.listdir(folder):
                if (left := _LEFT.fullmatch(entry)) and left[1] in known:
                    _remove(os.fsdecode(os.path.join(folder, entry)))


_LEFT = re.compile(rb"(.*)\.[0-9a-f]{16}\.partial", re.DOTALL)


def _shown(path: str, private: str) -> str:
    """The private name, in the folder as the user wrote it where no link leads to another one."""
    beside = os.path.join(os.path.dirname(path), os.path.basename(private))
    return beside if os.path.exists(beside) else private


def _created(target: str, private: str) -> BinaryIO:
    """The new file, with no more permissions than the one that it will replace; for a new one the umask decides."""
    rights = 0o600 if os.path.exists(target) else 0o666
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return open(private, "wb", opener=lambda name, _: os.open(name, flags, rights))


def _like(target: str, handle: int) -> None:
    """Copy the owner and the permissions of the file that is there to the open one, as far as the system allows it."""
    try:
        status = os.stat(target)
    except FileNotFoundError:
        return
    mine = os.fstat(handle)
    if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
        with suppress(OSError, AttributeError):  # only root gives files away, and Windows has no owners
            os.fchown(handle, status.st_uid, status.st_gid)
    with suppress(OSError, AttributeError):  # some disks have no rights
        os.fchmod(handle, stat.S_IMODE(status.st_mode))


def _remove(private: str) -> None:
    with suppress(OSError):
        os.unlink(private)


@contextmanager
def _removed_by_signals(private: str) -> Iterator[None]:
    """Within this context a signal that ends the process removes the file first. Signals that have a handler keep it."""

    def end(number: int, _: Any) -> None:
        _remove(private)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    with handled(_ENDING, end):
        yield


@contextmanager
def handled(names: Iterable[str], handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Within this context `handler` gets those of the signals that have none yet, and are not ignored, as by nohup."""
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ours = [number for number in known if signal.getsignal(number) == signal.SIG_DFL]
    ours = ours if current_thread() is main_thread() else []  # no other may set them
    for number in ours:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
