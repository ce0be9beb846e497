"""Which files a table comes from: files, folders, patterns and remote addresses, and what the names of folders say of rows.

>>> file, = input_files(["year=2026/rows.csv"])         # a file by its name is that file alone
>>> file.place, dict(file.partition)
('rows.csv', {})
>>> partition_of("points/year=2026/city=St%20Gallen/rows.csv")
{'year': '2026', 'city': 'St Gallen'}
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from autodiff.diagnostics import listed
from autodiff.errors import AutodiffError, data_error, quoted, shortened
from autodiff.tables import filesystems, reader
from autodiff.tables.atomic_file import is_direct
from autodiff.tables.text import Chunk, Table, number, numbers

NO_VALUE = ("", "__HIVE_DEFAULT_PARTITION__")
"""What a folder is called whose rows have no value in its column."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of rows.

    address    where it is; `-` for stdin
    place      its name below the folder or pattern that it was found by
    name       what messages call it: its address as it was given
    partition  columns whose value for all of its rows is in the names of its folders: `year=2026`
    """

    address: str
    place: str
    name: str
    partition: Mapping[str, Any] = field(default_factory=dict)


def input_files(given: Sequence[str], form: str | None = None) -> list[InputFile]:
    """The files that the values of --data name, in the order given; those of a folder or a pattern in the order of their names.

    Of a folder, files whose names begin with a dot or an underscore are left out and, without a format, those whose ending
    is none of a table. Raises AutodiffError where nothing is there, and for stdin given twice.
    """
    if list(given).count("-") > 1:
        raise AutodiffError("--data - is given twice, and stdin can be read once")
    return _typed([file for address in given for file in _named(address, form)])


def partition_of(address: str) -> dict[str, str]:
    """The columns in the names of a file's folders, with their texts."""
    folders = address.replace(os.sep, "/").split("/")[:-1]
    pairs = [folder.partition("=")[::2] for folder in folders if "=" in folder]
    return {unquote(name): unquote(value) for name, value in pairs if name}


def _named(address: str, form: str | None) -> Iterator[InputFile]:
    if address == "-":
        yield InputFile("-", "stdin", "stdin")
    elif _is_folder(address):
        yield from _below(address, form)
    elif _is_pattern(address):
        paths = filesystems.matching(address)
        if not paths:
            raise data_error(f"no file fits {quoted(address, 200)}")
        root = _fixed(address)
        for path in paths:
            if filesystems.is_folder(path):
                yield from _below(path, form, root)
            else:
                yield InputFile(path, _relative(path, root), path, partition_of(path))
    else:
        yield InputFile(address, address.replace(os.sep, "/").rpartition("/")[2], address)


def _below(folder: str, form: str | None, root: str = "") -> Iterator[InputFile]:
    count = 0
    for path in filesystems.files_below(folder):
        names = _relative(path, folder).split("/")
        if not any(name.startswith((".", "_")) for name in names) and (form or reader.is_table(path)):
            count += 1
            yield InputFile(path, _relative(path, root or folder), path, partition_of(path))
    if not count:
        raise data_error(
            f"the folder {quoted(folder, 200)} has no table",
            hint=f"its files end with .{', .'.join(sorted(reader.FORMATS))}; other ones are read with --from",
        )


def _is_folder(address: str) -> bool:
    """A remote address that ends as a table does is not asked whether it is a folder: a server may say so of any page."""
    if filesystems.is_remote(address) and (reader.is_table(address) or _is_pattern(address)):
        return False
    return filesystems.is_folder(address)


def _is_pattern(address: str) -> bool:
    if not any(sign in address for sign in filesystems.WILDCARDS):
        return False
    return filesystems.is_remote(address) or not os.path.lexists(filesystems.local(address))


def _fixed(pattern: str) -> str:
    """The folders of a pattern before its first wildcard."""
    folders = filesystems.local(pattern).replace(os.sep, "/").split("/")[:-1]
    place = next((k for k, name in enumerate(folders) if any(sign in name for sign in filesystems.WILDCARDS)), None)
    return "/".join(folders[:place])


def _relative(path: str, folder: str) -> str:
    """The path below the folder, with slashes."""
    path, folder = (text.replace(os.sep, "/") for text in (path, filesystems.local(folder)))
    return path.removeprefix(folder.rstrip("/")).lstrip("/") if folder else path.lstrip("/")


def _typed(files: Sequence[InputFile]) -> list[InputFile]:
    """The files with numbers for those partition columns that have nothing else in any of them, in the spelling of numbers:
    `zip=02134` is a text, which reads as a number where a program uses it.
    """
    texts = {name for file in files for name, text in file.partition.items() if not _is_number(text)}
    return [
        replace(file, partition={name: _value(text, name in texts) for name, text in file.partition.items()})
        for file in files
    ]


def _is_number(text: str) -> bool:
    return text in NO_VALUE or str(_value(text, False)) == text


def _value(text: str, is_text: bool) -> Any:
    if text in NO_VALUE:
        return None
    return text if is_text else int(text) if re.fullmatch("-?[0-9]{1,18}", text) else number(text)


@contextmanager
def opened_file(file: InputFile, form: str | None = None, *, keep: bool = False) -> Iterator[Table]:
    """The table in a file, with the columns that the names of its folders give."""
    with reader.opened(file.address, form, keep=keep, name=file.name) as table:
        yield _partitioned(table, file.partition) if file.partition else table


def each_table(files: Sequence[InputFile], form: str | None = None, *, keep: bool = False) -> Generator[Table]:
    """The tables of the files, one after the other, each open until the next is asked for, with columns in one order.

    Raises AutodiffError for a file whose columns are not those of the first one: for files of this machine before the first
    table is given, so that no row is answered then; for pipes and remote files, which are opened once, when it is their turn.
    """
    first: Table | None = None
    for k, file in enumerate(files):
        with opened_file(file, form, keep=keep) as table:
            if not table.names and k + 1 < len(files):
                continue  # a file of NDJSON without rows
            if first is None:
                first = table
                for other in filter(_can_be_opened_twice, files[k + 1 :]):
                    with opened_file(other, form) as later:
                        require_columns(later, first.names, first.name)
            require_columns(table, first.names, first.name)
            yield replace(table, names=first.names)


def _can_be_opened_twice(file: InputFile) -> bool:
    return (
        file.address != "-"
        and not filesystems.is_remote(file.address)
        and not is_direct(filesystems.local(file.address))
    )


def require_read_twice(file: InputFile, why: str, hint: str) -> None:
    """Raise AutodiffError for a pipe, which can be read once: by the second reader it is empty, or waits for ever."""
    if is_read_once(file):
        name = "stdin" if file.address == "-" else quoted(file.name, 200)
        raise AutodiffError(f"{why}, and {name} can be read once", hint=hint)


def is_read_once(file: InputFile) -> bool:
    """Whether a file is a pipe or a device, whose rows can't be read a second time."""
    path = filesystems.local(file.address)
    return file.address == "-" or (os.path.exists(path) and not os.path.isfile(path))


def require_columns(table: Table, names: Sequence[str], first: str) -> None:
    """Raise AutodiffError where a table has other columns than those of the file `first`, in whatever order; an empty file of
    NDJSON names none."""
    if not table.names:
        return
    known, there = set(names), set(table.names)
    more = [name for name in table.names if name not in known]
    fewer = [name for name in names if name not in there]
    if more or fewer:
        parts = [f"it lacks {listed(fewer)}"] * bool(fewer) + [f"it has {listed(more)} as well"] * bool(more)
        raise data_error(
            f"{shortened(table.name, 200)} has other columns than {shortened(first, 200)}: {', and '.join(parts)}",
            hint="parts of one table have the same columns; run the command for each kind of file",
        )


def _partitioned(table: Table, partition: Mapping[str, Any]) -> Table:
    if both := [name for name in partition if name in table.names]:
        raise data_error(
            f"{shortened(table.name, 200)}: column {quoted(both[0])} is there twice, in the file and in its folder's name",
            hint="rename one of them",
        )

    def chunks(wanted: Sequence[str]) -> Iterator[Chunk]:
        for chunk in table.chunks([name for name in wanted if name not in partition]):
            constants = {name: _repeated(chunk, value) for name, value in partition.items() if name in wanted}
            yield replace(chunk, cells={**chunk.cells, **constants})

    return replace(table, names=(*table.names, *partition), chunks=chunks)


def _repeated(chunk: Chunk, value: Any) -> Any:
    """A column with the same value in every row of a chunk, of the kind that its other columns are."""
    if chunk.read is numbers:
        return [value] * len(chunk.lines)
    from autodiff.tables import arrow  # text is read without PyArrow

    return arrow.repeated(value, len(chunk.lines))
