"""`autodiff predict`: what a trained program gives for the rows of a table."""

from __future__ import annotations

import sys
from contextlib import closing
from itertools import chain

import click

from autodiff.api.inputs import finite
from autodiff.cli import colour, files, inputs, options, streams
from autodiff.cli.main import ProgramCommand
from autodiff.errors import AutodiffError, printable, quoted, shortened
from autodiff.libraries import library

EPILOG = """\b
Examples:
  printf 'x\\n1\\n2\\n' > /tmp/new.csv; autodiff predict "p = w*x; L = mse(y, p)" --of p --data /tmp/new.csv --at w=2
  autodiff predict "H = tanh(expand_dims(x, 1)*W); p = H @ v" --of "p, sure = abs(p) > 1" --data /tmp/new.csv --at W=[1,2],v=[3,4]
\b
A row without a value has empty cells, and its status is not ok.
"""


@click.command("predict", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@click.option(
    "--of",
    metavar="NAMES",
    required=True,
    help="What to predict: names of the program, or NAME=EXPR, separated by commas.",
)
@click.option(
    "--at", "points", metavar="@FILE.json", multiple=True,
    help="The parameters: what train --save wrote, or NAME=VALUE[,…]. Repeatable.",
)  # fmt: skip
@options.data_options
def command(
    program: str | None,
    file: str | None,
    strict: bool,
    of: str,
    points: tuple[str, ...],
    data: tuple[str, ...],
    out: str | None,
    keep: bool,
    fail_fast: bool,
    from_form: str | None,
    to_form: str | None,
) -> int:
    """Predict: what names of PROGRAM are in each row of a table, with the parameters that training found.

    Only the statements are evaluated that these names need, so the table needs no target column. Rows are read and written
    in blocks.
    """
    if not data:
        raise AutodiffError("there are no rows to predict", hint="add --data FILE.csv")
    tables = files.inputs(data, from_form, program)
    files.apart([*files.named(tables), ("-f", file), *files.points(points)], [("--out", out)])
    library("numpy", "a prediction")
    from autodiff.batch.table import Count
    from autodiff.render.terminal import progress
    from autodiff.tables import reader
    from autodiff.tables.columns import program_names
    from autodiff.tables.inputs import each_table
    from autodiff.tables.writer import sink, writer
    from autodiff.train import checkpoint
    from autodiff.train.prediction import Outputs, predictions

    text = inputs.read_program(program, file)
    to_stdout = out is None or out == "-"
    form_in = from_form or reader.input_format(tables[0].address)
    as_text = "csv" if form_in in ("parquet", "arrow") else form_in
    form = to_form or (as_text if to_stdout else reader.format_of(out or "", "--to"))
    count, kept = Count(named=len(tables) > 1), None
    for _, path in files.points(points):
        kept = checkpoint.kept_rows(path or "", inputs.read_object(path or ""))
    parameters = {name: finite(name, value) for name, value in inputs.read_point(points).items()}
    with closing(each_table(tables, from_form, keep=keep or bool(kept and kept.codes))) as opened:
        first = next(opened)
        names = list(program_names(first.names))
        outputs = Outputs(text, options.names(of, "--of") or [], parameters, names, kept, strict=strict)
        typed = inputs.read_point([point for point in points if not point.startswith("@")])
        if unknown := [name for name in typed if name not in outputs.lowered.inputs]:
            raise AutodiffError(
                f"--at gives {quoted(unknown[0])}, which is not an input of this program",
                hint=f"its inputs are {', '.join(map(shortened, outputs.lowered.inputs[:12]))}",
            )
        options.notices(outputs.readings)
        shows = sys.stderr.isatty() and not (to_stdout and sys.stdout.isatty())
        with (
            sink(out) as stream,
            writer(form, stream) as write,
            progress.row_progress(shows=shows, coloured=colour.wanted(sys.stderr)) as show,
        ):
            for table in chain([first], opened):
                for columns in predictions(table, outputs, count, keep=keep, fail_fast=fail_fast):
                    write(columns)
                    show(count.rows, table.share(count.rows) if len(tables) == 1 else None, "")
    if count.hard:
        streams.remark(f"note: {printable(str(count))}")
    return 0
