"""`autodiff eval --data`: every row of the tables, streamed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from itertools import chain
from typing import Any

from autodiff.api.evaluate import parse
from autodiff.batch.compile import Compiled, compiled
from autodiff.batch.table import Count, results
from autodiff.cli import colour, options, streams
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError, printable, quoted
from autodiff.render.terminal import progress
from autodiff.tables.columns import program_names
from autodiff.tables.inputs import InputFile, each_table
from autodiff.tables.optional import library
from autodiff.tables.reader import format_of, input_format
from autodiff.tables.text import Table
from autodiff.tables.writer import Write, sink, writer


def run(
    text: str,
    files: Sequence[InputFile],
    out: str | None,
    wrt: Sequence[str] | None,
    fixed: Mapping[str, float],
    forms: tuple[str | None, str | None],
    keep: bool,
    fail_fast: bool,
    *,
    strict: bool,
) -> int:
    """Answer every row of the files; the exit status is 0 when they were read to their ends, whatever their rows were."""
    library("numpy", "--data")
    form = forms[0] or input_format(files[0].address)
    to_stdout = out is None or out == "-"
    form_out = forms[1] or (_as_text(form) if to_stdout else format_of(out or "", "--to"))
    with closing(each_table(files, forms[0], keep=keep)) as tables:
        first = next(tables)
        made = _made(text, wrt, [*program_names(first), *fixed], fixed, strict=strict)
        gc.enable()  # rows go on for as long as there are some
        rows = _Rows(made, fixed, len(files), keep=keep, fail_fast=fail_fast)
        with sink(out) as stream, writer(form_out, stream) as write:
            shows = sys.stderr.isatty() and not (to_stdout and sys.stdout.isatty())  # rows and a bar would mix
            with progress.counted(shows=shows, coloured=colour.wanted(sys.stderr)) as show:
                rows.answer(chain([first], tables), write, show)
    if rows.count.hard:
        streams.remark(f"note: {printable(str(rows.count))}")
    return 0


class _Rows:
    """The rows of several tables, answered by one program."""

    def __init__(self, made: Compiled, fixed: Mapping[str, float], files: int, *, keep: bool, fail_fast: bool) -> None:
        self.made, self.fixed, self.files, self.keep, self.fail_fast = made, fixed, files, keep, fail_fast
        self.count = Count(named=files > 1)

    def answer(self, tables: Iterable[Table], write: Write, show: Callable[[int, float | None], None]) -> None:
        """Write the answers of all tables; where there is no row at all, the columns without rows."""
        empty: Mapping[str, Sequence[Any]] = {}
        for done, table in enumerate(tables):
            for columns in results(table, self.made, self.fixed, self.count, keep=self.keep, fail_fast=self.fail_fast):
                if len(columns["status"]):
                    write(columns)
                else:
                    empty = columns
                share = table.share(self.count.rows) if self.files == 1 else done / self.files
                show(self.count.rows, share)
        if not self.count.rows:
            write(empty)


def _made(
    text: str, wrt: Sequence[str] | None, names: Sequence[str], fixed: Mapping[str, float], *, strict: bool
) -> Compiled:
    """The program over columns; `names` have values, some of them `fixed` ones."""
    program = parse(text, strict=strict, given=names)
    made = compiled(lower(program), wrt, exact=True)
    options.notices(program.readings, made.notes)
    if unknown := [name for name in fixed if name not in made.lowered.inputs]:
        raise AutodiffError(f"--at gives {quoted(unknown[0])}, which is not an input of this program")
    if arrays := [name for name, value in fixed.items() if not isinstance(value, float)]:
        raise AutodiffError(f"with --data, --at gives numbers, and {quoted(arrays[0])} is an array")
    return made


def _as_text(form: str) -> str:
    return "csv" if form in ("parquet", "arrow") else form
