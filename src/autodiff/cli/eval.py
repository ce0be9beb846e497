"""`autodiff eval`: value and gradient at a point."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from autodiff.api.answer import Answer
from autodiff.api.evaluate import MODES, evaluate
from autodiff.cli import inputs, options, streams
from autodiff.cli.main import ProgramCommand
from autodiff.core.linearize import CONVENTIONS
from autodiff.errors import HARD_POINT, AutodiffError, quoted
from autodiff.libraries import library
from autodiff.render.text import answer as plain

if TYPE_CHECKING:
    from autodiff.api.matrices import Matrix
    from autodiff.tables.inputs import InputFile

EPILOG = """\b
Examples:
  autodiff eval "exp(sin(x^2))" --at x=4
  autodiff eval "y = x^2; z = sin(y)" --at x=4 --wrt x,y --format json
"""


OF_ROWS = (
    "out", "keep", "exact", "fail_fast", "from_form", "to_form", "resume", "summary", "engine", "scheduler", "workers",
)  # fmt: skip
"""Parameters about the rows of --data."""


@click.command("eval", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.point_options
@click.option("--mode", type=click.Choice(MODES), default="reverse", show_default=True, help="How slopes are computed.")
@click.option(
    "--order", type=int, default=1, show_default=True, metavar="N", help="Derivatives up to order N, by one name."
)
@options.matrix_options
@click.option("--jvp", metavar="NAME=RATE[,…]", help="How fast the result changes when the inputs move at these rates.")
@click.option("--vjp", metavar="NAME=WEIGHT[,…]", help="The slopes of a weighted sum of results.")
@options.format_option("json", "csv")
@click.option("-q", "--quiet", is_flag=True, help="Numbers only, on one line: the value, then the slopes.")
@click.option(
    "--convention",
    type=click.Choice(list(CONVENTIONS)),
    help="At a corner or a jump, give the number that this framework gives (--like is the same).",
)
@click.option("--like", type=click.Choice(list(CONVENTIONS)), hidden=True)
@click.option("--digits", type=int, metavar="N", help="Print N proven digits (1 to 1,000) of every number.")
@click.option("--no-check", is_flag=True, help="Skip the confirmation by the other mode.")
@options.data_options
@options.rows_options
@options.engine_options
def command(**given: Any) -> int:
    """Value and gradient of PROGRAM at a point, or at every row of a file.

    PROGRAM is an argument, -f FILE, or - for stdin: statements separated by ; or newlines, the last one is the result.

    Of arrays, matrices, products and higher orders are by their elements, x[0], x[1], …; an array as the result needs no
    --of. With --data each row has one number for each input, and a sum of an input is that of the one number.
    """
    options.require_data(given, OF_ROWS)
    options.one_matrix({"--convention": bool(given["convention"]), "--like": bool(given["like"])})
    given["convention"] = given["convention"] or given["like"]
    tables = _tables(given)
    options.one_form(given["form"], quiet=given["quiet"])
    text = inputs.read_program(given["program"], given["file"])
    matrix = {f"--{name}": bool(given[name]) for name in ("hessian", "jacobian")}
    matrix |= {f"--{name}": given[name] is not None for name in ("jvp", "vjp")}
    general = {"--mode": given["mode"] != "reverse", "--order": given["order"] != 1}
    if given["data"]:
        return _rows(text, tables, given, general, matrix)
    of_matrix = any(matrix.values()) or given["of"] is not None
    if of_matrix:
        others = {"--convention": bool(given["convention"]), "--format csv": given["form"] == "csv"}
        options.one_matrix({"--order": general["--order"], **matrix, **others, "--mode": general["--mode"]})
    point = inputs.read_point(given["points"], text)
    wrt, digits = options.names(given["wrt"]), options.digits(given["digits"])
    if of_matrix:
        return _shown(_matrix(text, point, wrt, given, {"strict": given["strict"], "digits": digits}), given)
    answer = evaluate(
        text,
        point,
        wrt,
        given["mode"],
        given["order"],
        strict=given["strict"],
        check=not given["no_check"],
        convention=given["convention"] or "",
        digits=digits,
    )
    return _shown(answer, given)


def _tables(given: Mapping[str, Any]) -> Sequence[InputFile]:
    if not given["data"]:
        return ()
    from autodiff.cli import files  # a point starts without them

    return files.inputs(given["data"], given["from_form"], given["program"])


def _rows(
    text: str, tables: Sequence[InputFile], given: Mapping[str, Any], general: dict[str, bool], matrix: dict[str, bool]
) -> int:
    """The answers of a file's rows."""
    form = given["form"]
    if form != "text":
        typed = options.format_as_typed(form).removesuffix(f" {form}")
        options.one_matrix({"--data": True, typed: True}, f"rows are written with --to {'nd' * (form == 'json')}{form}")
    general |= {**matrix, "--quiet": given["quiet"], "--digits": given["digits"] is not None}
    options.one_matrix({"--data": True, **general, "--convention": bool(given["convention"])})
    from autodiff.cli import engines, files  # a point starts without them

    files.apart(
        [*files.named(tables), ("-f", given["file"]), *files.points(given["points"])], [("--out", given["out"])]
    )
    at = inputs.read_point(given["points"])
    library("numpy", "--data")
    from autodiff.batch import parts
    from autodiff.cli.rows import RowsCommand

    def task_of(**fields: Any) -> parts.PartTask:
        if arrays := [name for name, value in at.items() if not isinstance(value, float)]:
            raise AutodiffError(f"with --data, --at gives numbers, and {quoted(arrays[0])} is an array")
        wrt = options.names(given["wrt"])
        at_once = len(tables) > 1 and engines.bytes_of(tables) >= parts.LARGE
        task = parts.RowsTask(
            wrt=None if wrt is None else tuple(wrt), fixed=tuple(at.items()), of=given["of"], exact=given["exact"],
            at_once=at_once, **fields,
        )  # fmt: skip
        batch, readings = parts.program_of(task)
        options.notices(readings, batch.notes)
        return task

    return RowsCommand(text, tables, given, task_of, reads_texts=given["keep"]).run()


def _matrix(
    text: str, point: dict[str, float], wrt: list[str] | None, given: Mapping[str, Any], more: Mapping[str, Any]
) -> Matrix:
    from autodiff.api import matrices  # a plain eval starts without it

    of = given["of"]
    if given["hessian"]:
        options.results(of, jacobian=False)
        return matrices.hessian(text, point, wrt, **more)
    if given["jvp"] is not None:
        if wrt is not None:
            raise AutodiffError("--wrt does not go with --jvp", hint="the direction names what moves: --jvp x=1,y=0")
        rates = inputs.typed_point(given["jvp"])
        return matrices.jvp(text, point, rates, of=options.names(of, "--of") or [], **more)
    if given["vjp"] is not None:
        if of is not None:
            raise AutodiffError("--of does not go with --vjp", hint="the weights name the results: --vjp u=1,v=2")
        return matrices.vjp(text, point, inputs.typed_point(given["vjp"]), wrt, **more)
    if of is not None:
        return matrices.jacobian(text, point, wrt, of=options.results(of, jacobian=given["jacobian"]), **more)
    jacobian = matrices.jacobian(text, point, wrt, **more)
    if len(jacobian.rows) == 1:  # one number, which has a gradient: more results were meant
        options.results(of, jacobian=True)
    return jacobian


def _shown(answer: Answer | Matrix, given: Mapping[str, Any]) -> int:
    """Print an answer in the form that the options ask for; the exit status."""
    form, quiet = given["form"], given["quiet"]
    options.notices(answer.readings)
    if form == "json":
        printed = plain.as_json(answer)
    elif isinstance(answer, Answer):
        printed = (plain.quiet if quiet else plain.as_csv if form == "csv" else plain.text)(answer)
    else:
        from autodiff.render.text import matrix

        printed = (matrix.quiet if quiet else matrix.text)(answer)
    plainly = form == "text" and not quiet
    if printed:
        (streams.say if plainly else streams.answer)(printed)
    if form == "text" or quiet:
        for line in plain.remarks(answer, streams.width(sys.stderr), quiet=quiet):
            streams.remark(line)
    return 0 if answer.complete else HARD_POINT
