"""Check that no file that a command writes is one that it reads, or writes for another option.

>>> apart([("--data", "points.csv")], [("--out", "./points.csv")])
Traceback (most recent call last):
autodiff.errors.AutodiffError: --data and --out are the same file, './points.csv'
  give --out another name: what --data reads would be lost
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from autodiff.errors import AutodiffError, quoted

if TYPE_CHECKING:
    from autodiff.tables.inputs import InputFile

Named = tuple[str, str | None]
"""An option and its path, if it is given one."""


def apart(read: Iterable[Named], written: Sequence[Named]) -> None:
    """Raise AutodiffError when an option writes the file that another one reads, or writes as well."""
    outputs = [(option, path) for option, path in written if path is not None and path != "-"]
    inputs = [(option, "/dev/stdin" if path == "-" else path) for option, path in read if path is not None]
    for k, (option, path) in enumerate(outputs):
        for other, where in (*inputs, *outputs[:k]):
            if _same(where, path):
                does = "writes" if k and (other, where) in outputs[:k] else "reads"
                raise AutodiffError(
                    f"{other} and {option} are the same file, {quoted(path, 200)}",
                    hint=f"give {option} another name: what {other} {does} would be lost",
                )


def require_outside(out: str, data: Iterable[str]) -> None:
    """Raise AutodiffError where parts in the folder `out` would be rows of a folder of --data the next time it is read."""
    for folder in (address for address in data if os.path.isdir(address)):
        inner = os.path.relpath(os.path.realpath(out), os.path.realpath(folder)).split(os.sep)
        if inner[0] != os.pardir and not any(name.startswith(("_", ".")) for name in inner if name != os.curdir):
            raise AutodiffError(
                f"--out {quoted(out, 200)} is in the folder {quoted(folder, 200)} of --data: its parts would be read as rows",
                hint=f"name a folder beside it, or begin its name with _: --out {folder.rstrip('/')}/_out/",
            )


def inputs(data: Sequence[str], form: str | None, program: str | None) -> list[InputFile]:
    """The files that the values of --data name. Raises AutodiffError where stdin is to be the program as well."""
    if "-" in data and program == "-":
        raise AutodiffError("the program and the data can't both come from stdin", hint="put one of them into a file")
    from autodiff.tables.inputs import input_files  # few commands read tables

    return input_files(data, form)


def named(files: Iterable[InputFile]) -> list[Named]:
    """Files of --data among those that a command reads."""
    return [("--data", file.address) for file in files]


def points(at: Iterable[str]) -> list[Named]:
    """The files among the values of `--at`."""
    return [("--at", text[1:]) for text in at if text.startswith("@")]


def _same(path: str, written: str) -> bool:
    """Whether both paths lead to one file, links followed; a device such as /dev/null may be both."""
    try:
        if not os.path.exists(written):
            return os.path.realpath(path) == os.path.realpath(written)
        return os.path.isfile(written) and os.path.exists(path) and os.path.samefile(path, written)
    except (OSError, ValueError):  # a path that can't be one: opening it raises the error
        return False
