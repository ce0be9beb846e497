"""`autodiff eval`: value and gradient at a point."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from autodiff.api.evaluate import MODES, evaluate
from autodiff.api.inputs import parse_point
from autodiff.cli import inputs, options, streams
from autodiff.cli.main import ProgramCommand
from autodiff.core.linearize import CONVENTIONS
from autodiff.errors import HARD_POINT, AutodiffError
from autodiff.render.text import answer as plain

if TYPE_CHECKING:
    from autodiff.api.matrices import Matrix
    from autodiff.tables.inputs import InputFile

EPILOG = """\b
Examples:
  autodiff eval "exp(sin(x^2))" --at x=4
  autodiff eval "y = x^2; z = sin(y)" --at x=4 --wrt x,y --format json
"""


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
def command(
    program: str | None,
    file: str | None,
    strict: bool,
    points: tuple[str, ...],
    wrt: str | None,
    mode: str,
    order: int,
    hessian: bool,
    jacobian: bool,
    of: str | None,
    jvp: str | None,
    vjp: str | None,
    form: str,
    quiet: bool,
    convention: str | None,
    like: str | None,
    digits: int | None,
    no_check: bool,
    data: tuple[str, ...],
    out: str | None,
    keep: bool,
    exact: bool,
    fail_fast: bool,
    from_form: str | None,
    to_form: str | None,
    **run: Any,
) -> int:
    """Value and gradient of PROGRAM at a point, or at every row of a file.

    PROGRAM is an argument, -f FILE, or - for stdin: statements separated by ; or newlines, the last one is the result.

    Of arrays, matrices, products and higher orders are by their elements, x[0], x[1], …; an array as the result needs no
    --of. With --data each row has one number for each input, and a sum of an input is that of the one number.
    """
    rows = {
        "out": out,
        "keep": keep,
        "exact": exact,
        "fail_fast": fail_fast,
        "from_form": from_form,
        "to_form": to_form,
        **run,
    }
    if not data and (given := [option for option, is_given in rows.items() if is_given]):
        option = f"--{given[0].removesuffix('_form').replace('_', '-')}"
        raise AutodiffError(f"{option} goes with --data", hint="add --data points.csv")
    tables = _tables(data, from_form, program)
    options.one_form(form, quiet=quiet)
    text = inputs.read_program(program, file)
    if data:
        if form != "text":
            as_typed = options.format_as_typed(form).removesuffix(f" {form}")
            options.one_matrix(
                {"--data": True, as_typed: True}, f"rows are written with --to {'nd' * (form == 'json')}{form}"
            )
        asked = {"--data": True, "--mode": mode != "reverse", "--order": order != 1}
        asked |= {"--hessian": hessian, "--jacobian": jacobian, "--jvp": jvp is not None}
        asked |= {
            "--vjp": vjp is not None,
            "--quiet": quiet,
            "--digits": digits is not None,
            "--convention": bool(convention or like),
        }
        options.one_matrix(asked)
        from autodiff.cli import files  # a point starts without them
        from autodiff.cli.rows import RowsCommand

        files.apart([*files.named(tables), ("-f", file), *files.points(points)], [("--out", out)])
        at = inputs.read_point(points)
        return RowsCommand(text, tables, options.names(wrt), at, {**rows, "of": of}, strict=strict).run()
    if hessian or jacobian or of is not None or jvp is not None or vjp is not None:
        asked = {"--order": order != 1, "--hessian": hessian, "--jacobian": jacobian}
        asked |= {"--jvp": jvp is not None, "--vjp": vjp is not None}
        asked |= {"--convention": bool(convention or like), "--format csv": form == "csv", "--mode": mode != "reverse"}
        options.one_matrix(asked)
        asked_for = {"strict": strict, "digits": options.digits(digits)}
        found = _matrix(
            text,
            inputs.read_point(points, text, strict=strict),
            options.names(wrt),
            of,
            hessian,
            jacobian,
            jvp,
            vjp,
            asked_for,
        )
        return _shown(found, form, quiet=quiet)
    answer = evaluate(
        text,
        inputs.read_point(points, text, strict=strict),
        options.names(wrt),
        mode,
        order,
        strict=strict,
        check=not no_check,
        convention=convention or like or "",
        digits=options.digits(digits),
    )
    options.notices(answer.readings)
    if quiet:
        printed = plain.quiet(answer)
    elif form == "json":
        printed = plain.as_json(answer)
    elif form == "csv":
        printed = plain.as_csv(answer)
    else:
        printed = plain.text(answer)
    if printed:
        (streams.say if form == "text" and not quiet else streams.answer)(printed)
    if form == "text" or quiet:
        for line in plain.remarks(answer, streams.width(sys.stderr), quiet=quiet):
            streams.remark(line)
    return 0 if answer.complete else HARD_POINT


def _tables(data: Sequence[str], form: str | None, program: str | None) -> Sequence[InputFile]:
    if not data:
        return ()
    from autodiff.cli import files  # a point starts without them

    return files.inputs(data, form, program)


def _matrix(
    text: str,
    point: dict[str, float],
    wrt: list[str] | None,
    of: str | None,
    hessian: bool,
    jacobian: bool,
    jvp: str | None,
    vjp: str | None,
    given: Mapping[str, Any],
) -> Matrix:
    from autodiff.api import matrices  # a plain eval starts without it

    if hessian:
        options.results(of, jacobian=False)
        return matrices.hessian(text, point, wrt, **given)
    if jvp is not None:
        if wrt is not None:
            raise AutodiffError("--wrt does not go with --jvp", hint="the direction names what moves: --jvp x=1,y=0")
        return matrices.jvp(text, point, parse_point(jvp), of=options.names(of, "--of") or [], **given)
    if vjp is not None:
        if of is not None:
            raise AutodiffError("--of does not go with --vjp", hint="the weights name the results: --vjp u=1,v=2")
        return matrices.vjp(text, point, parse_point(vjp), wrt, **given)
    if of is not None:
        return matrices.jacobian(text, point, wrt, of=options.results(of, jacobian=jacobian), **given)
    found = matrices.jacobian(text, point, wrt, **given)
    if len(found.rows) == 1:  # one number, which has a gradient: more results were meant
        options.results(of, jacobian=jacobian)
    return found


def _shown(found: Matrix, form: str, *, quiet: bool) -> int:
    from autodiff.render.text import matrix

    options.notices(found.readings)
    printed = matrix.quiet(found) if quiet else plain.as_json(found) if form == "json" else matrix.text(found)
    if printed:
        (streams.say if form == "text" and not quiet else streams.answer)(printed)
    if form == "text" or quiet:
        for line in plain.remarks(found, streams.width(sys.stderr), quiet=quiet):
            streams.remark(line)
    return 0 if found.complete else HARD_POINT
