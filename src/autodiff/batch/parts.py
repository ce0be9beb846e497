"""Rows to rows with value, slopes and status, a file at a time: the plain function that every engine runs over parts.

    answer_part(task, file, "squares/a.csv")     # the answers of a file's rows in that file, and their count

A task is text and plain data, so that it is all that another process needs beside the address of the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, BinaryIO

from autodiff.api.evaluate import parse
from autodiff.batch.compile import Compiled, compiled
from autodiff.batch.summary import Summary
from autodiff.batch.table import Count, filled, results
from autodiff.core.lowering import lower
from autodiff.diagnostics import listed
from autodiff.errors import AutodiffError, did_you_mean, quoted, shortened
from autodiff.language.ast import Assign, ParsedProgram, Reading, statements_for
from autodiff.tables import filesystems
from autodiff.tables.columns import program_names
from autodiff.tables.inputs import InputFile, opened_file, require_columns
from autodiff.tables.text import DELIMITERS, Table
from autodiff.tables.writer import sink, writer

LARGE = 1 << 26
"""Bytes of all files together from which on machine code is made at once: the files decide, not who reads how many of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTask:
    """What an engine runs over parts.

    program  its text
    columns  the names of the first file's columns, which each file has; `first` is that file's name
    form     the format of the files, None where their names tell; `to` the format of the answers
    several  rows of several files are answered: places in messages have the file's name
    """

    program: str
    columns: tuple[str, ...]
    first: str
    form: str | None
    to: str
    keep: bool = False
    fail_fast: bool = False
    strict: bool = False
    summary: bool = False
    several: bool = False

    @property
    def reads_texts(self) -> bool:
        """Whether cells are read as they are written, and not as numbers alone."""
        return self.keep

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a folder of answers was made with, beside the program."""
        raise NotImplementedError

    def answers(self, table: Table, count: Count, kept: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        """The answers of a table's rows as columns, a chunk at a time, behind its columns `kept`; `count` counts them."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsTask(PartTask):
    """Value and slopes of every row.

    wrt      the names to differentiate by
    of       the name that is evaluated; None for the last statement
    fixed    the inputs that have one value for all rows, with these values
    exact    call the functions that `eval` calls at a point
    at_once  make machine code before the first row
    """

    wrt: tuple[str, ...] | None
    fixed: tuple[tuple[str, float], ...]
    of: str | None = None
    exact: bool = False
    at_once: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "wrt": None if self.wrt is None else list(self.wrt), "of": self.of,
            "at": {name: float(value) for name, value in self.fixed}, "keep": self.keep, "exact": self.exact,
            "format": self.to,
        }  # fmt: skip

    def answers(self, table: Table, count: Count, kept: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        batch, _ = program_of(self)
        if batch.machine_code is not None:
            batch.machine_code.restart(at_once=self.at_once)
        yield from results(table, batch, dict(self.fixed), count, kept=kept, fail_fast=self.fail_fast)


@dataclass(frozen=True, slots=True)
class PartResult:
    """What a part came to: its count, its summary if one was asked for, and its answers where they were not written, else the
    bytes and the digest of the file that they were written to.
    """

    count: Count
    summary: Summary | None
    content: bytes = b""
    written: tuple[int | None, str] = (None, "")


@lru_cache(maxsize=2)
def program_of(task: RowsTask) -> tuple[Compiled, tuple[Reading, ...]]:
    """The task's program over its columns, and how doubtful parts of it were read; made once in a process.

    Raises AutodiffError for a program that can't be read, and for fixed values that it does not take.
    """
    fixed = dict(task.fixed)
    given = [*program_names(task.columns), *fixed]
    program = parse(task.program, strict=task.strict, given=given, wrt=task.wrt)
    batch = compiled(lower(program if task.of is None else _ending_with(program, task.of)), task.wrt, exact=task.exact)
    known = batch.lowered.inputs if task.of is None else lower(program).inputs
    if unknown := [name for name in fixed if name not in known]:
        raise AutodiffError(f"--at gives {quoted(unknown[0])}, which is not an input of this program")
    return batch, program.readings


def _ending_with(program: ParsedProgram, of: str) -> ParsedProgram:
    """The statements that the name `of` needs. Raises AutodiffError where the program does not assign it."""
    ending = statements_for(program, of)
    if ending is None:
        raise not_assigned(of, [s.target.name for s in program.statements if isinstance(s, Assign)])
    return ending


def not_assigned(name: str, assigned: Sequence[str]) -> AutodiffError:
    """The error for a result that the program does not assign."""
    hint = did_you_mean(name, assigned, f"its names are {listed(assigned)}" if assigned else "")
    return AutodiffError(f"--of {shortened(name)}: the program assigns no such name", hint=hint)


def answer_part(task: PartTask, file: InputFile, out: str) -> PartResult:
    """Answer the rows of a file into the part `out`, which is there when it is whole.

    With `keep` it has the columns of the file, and not those that are in the names of its folders, which it is in as well.
    """
    filesystems.make_folder(out)
    with sink(out, salvage=False) as stream:
        kept = [name for name in task.columns if task.keep and name not in file.partition]
        result = _answered(task, file, stream, kept)
    return replace(result, written=fingerprint(out))


def fingerprint(path: str) -> tuple[int | None, str]:
    """The bytes of a file and its digest: what a part has to have again to be whole."""
    return filesystems.size(path), filesystems.digest(path)


def answer_bytes(task: PartTask, file: InputFile, head: bool) -> PartResult:
    """The answers of a file's rows as bytes, which begin with the columns' names with `head`, where the format has them."""
    page = io.BytesIO()
    answered = _answered(task, file, page, task.columns if task.keep else (), head=head)
    return replace(answered, content=page.getvalue())


def count_part(task: PartTask, file: InputFile) -> PartResult:
    """What the answers of a file's rows are together, without the answers."""
    return _answered(task, file, None, ())


def join_parts(parts: Iterable[bytes], form: str, stream: BinaryIO) -> None:
    """Write the answers of parts one behind the other: lines of text as they are, and Arrow streams in the format `form`."""
    if form in (*DELIMITERS, "ndjson"):
        for part in parts:
            stream.write(part)
        return
    from autodiff.tables import arrow  # text does without PyArrow

    with writer(form, stream) as write:
        for columns in filled(columns for part in parts for columns in arrow.columns_of(part)):
            write(columns)


def _answered(
    task: PartTask, file: InputFile, stream: BinaryIO | None, kept: Sequence[str], *, head: bool = True
) -> PartResult:
    count, summary = Count(named=task.several), Summary() if task.summary else None
    with opened_file(file, task.form, keep=task.reads_texts) as table:
        require_columns(table, task.columns, task.first)
        table = replace(table, names=task.columns)
        with writer(task.to, stream, head=head) if stream is not None else nullcontext(_nowhere) as write:
            for columns in task.answers(table, count, kept):
                write(columns)
                if summary is not None:
                    summary.add(columns, len(kept))
    return PartResult(count, summary)


def _nowhere(_: Mapping[str, Sequence[Any]]) -> None:
    """Write nothing."""
