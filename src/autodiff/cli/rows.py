"""`autodiff eval --data`: every row of a table, streamed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from autodiff.api.evaluate import parse
from autodiff.batch.compile import Compiled, compiled
from autodiff.batch.table import Count, results
from autodiff.cli import colour, options, streams
from autodiff.core.lowering import lower
from autodiff.diagnostics import listed
from autodiff.errors import AutodiffError, nearest, printable, quoted, shortened
from autodiff.language.ast import Assign, ParsedProgram, statements_for
from autodiff.render.terminal import progress
from autodiff.tables.columns import program_names
from autodiff.tables.optional import library
from autodiff.tables.reader import format_of, input_format, opened
from autodiff.tables.text import Table
from autodiff.tables.writer import sink, writer


def run(
    text: str,
    data: str,
    out: str | None,
    wrt: Sequence[str] | None,
    fixed: Mapping[str, float],
    forms: tuple[str | None, str | None],
    keep: bool,
    fail_fast: bool,
    *,
    exact: bool,
    strict: bool,
    of: str | None = None,
) -> int:
    """Answer every row of `data` with the result, or with the assigned name `of`; the exit status is 0 when the table was read to its end, whatever its rows were."""
    library("numpy", "--data")
    form = forms[0] or input_format(data)
    to_stdout = out is None or out == "-"
    form_out = forms[1] or (_as_text(form) if to_stdout else format_of(out or "", "--to"))
    count = Count()
    with opened(data, forms[0], keep=keep) as table:
        made = _made(text, wrt, [*program_names(table), *fixed], fixed, of, exact=exact, strict=strict)
        gc.enable()  # rows go on for as long as there are some
        with sink(out) as stream:
            shows = sys.stderr.isatty() and not (to_stdout and sys.stdout.isatty())  # rows and a bar would mix
            _written(stream, form_out, table, made, fixed, count, keep=keep, fail_fast=fail_fast, shows=shows)
    if count.hard:
        streams.remark(f"note: {printable(str(count))}")
    return 0


def _made(
    text: str,
    wrt: Sequence[str] | None,
    names: Sequence[str],
    fixed: Mapping[str, float],
    of: str | None,
    *,
    exact: bool,
    strict: bool,
) -> Compiled:
    """The program over columns; `names` have values, some of them `fixed` ones."""
    program = parse(text, strict=strict, given=names)
    whole = program
    program = program if of is None else _ending_with(program, of)
    made = compiled(lower(program), wrt, exact=exact)
    options.notices(program.readings, made.notes)
    known = made.lowered.inputs if whole is program else lower(whole).inputs
    if unknown := [name for name in fixed if name not in known]:
        raise AutodiffError(f"--at gives {quoted(unknown[0])}, which is not an input of this program")
    if arrays := [name for name, value in fixed.items() if not isinstance(value, float)]:
        raise AutodiffError(f"with --data, --at gives numbers, and {quoted(arrays[0])} is an array")
    return made


def _ending_with(program: ParsedProgram, of: str) -> ParsedProgram:
    """The statements that the name `of` needs. Raises AutodiffError where the program does not assign it."""
    found = statements_for(program, of)
    if found is None:
        assigned = [s.target.name for s in program.statements if isinstance(s, Assign)]
        near = nearest(of, assigned)
        hint = f"did you mean {quoted(near)}?" if near else f"its names are {listed(assigned)}" if assigned else ""
        raise AutodiffError(f"--of {shortened(of)}: the program assigns no such name", hint=hint)
    return found


def _as_text(form: str) -> str:
    return "csv" if form in ("parquet", "arrow") else form


def _written(
    stream: BinaryIO,
    form: str,
    table: Table,
    made: Compiled,
    fixed: Mapping[str, float],
    count: Count,
    *,
    keep: bool,
    fail_fast: bool,
    shows: bool,
) -> None:
    with writer(form, stream) as write, progress.counted(shows=shows, coloured=colour.wanted(sys.stderr)) as show:
        for columns in results(table, made, fixed, count, keep=keep, fail_fast=fail_fast):
            write(columns)
            show(count.rows, table.share(count.rows))
