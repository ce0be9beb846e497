"""`autodiff export`: value and gradient as source code."""

from __future__ import annotations

from typing import Any

import click

from autodiff.cli import files, inputs, options, output, streams
from autodiff.cli.main import ProgramCommand
from autodiff.codegen.registry import TARGETS, requested, written
from autodiff.errors import AutodiffError

EPILOG = """\b
Examples:
  autodiff export "exp(sin(x^2))" --to python
  autodiff export "(w*x + b - y)^2" --to sql --wrt w,b --at w=0.5,b=1 --sum
"""


ENDINGS = {".py": "python", ".c": "c", ".js": "javascript", ".sql": "sql", ".tex": "latex"}
"""The languages of a file by its ending."""


@click.command("export", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.point_options
@click.option("--to", type=click.Choice(TARGETS), help="The language; by default that of the file's ending.")
@output.out_option(ENDINGS)
@click.option("--sum", "total", is_flag=True, help="SQL: the sums of value and slopes over all rows, for a loss.")
@click.option("--table", default="data", show_default=True, help="SQL: the table whose columns the inputs are.")
def command(program: str | None, file: str | None, to: str | None, out: str | None, **given: Any) -> None:
    """Value and gradient of PROGRAM as source code that needs nothing of this package.

    In SQL inputs are columns of --table; those that --at gives are numbers, the same in every row.
    """
    files.apart([("-f", file), *files.points(given["points"])], [("--out", out)])
    if to is None and out is None:
        raise AutodiffError("the language is missing", hint=f"add --to {'|'.join(TARGETS)}, or -o FILE")
    to = to or output.form_of(out, "text", ENDINGS)
    text = inputs.read_program(program, file)
    more = {option: given[option] for option in ("total", "table", "strict")}
    request = requested(text, to, options.names(given["wrt"]), at=inputs.read_point(given["points"]), **more)
    source = written(request, to)
    options.notices(request.readings, filter(None, [request.note]))
    if out is None:
        streams.answer(source, nl=False)
    else:
        output.put(source, out)
