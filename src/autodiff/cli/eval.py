"""`autodiff eval`: value and gradient at a point."""

from __future__ import annotations

import click

from autodiff.answer import MODES, evaluate
from autodiff.calculus.local import CONVENTIONS
from autodiff.cli import options
from autodiff.cli.main import ProgramCommand
from autodiff.errors import HARD_POINT
from autodiff.render import plain

EPILOG = """\b
Examples:
  autodiff eval "exp(sin(x^2))" --at x=4
  autodiff eval "y = x^2; z = sin(y)" --at x=4 --wrt x,y --format json
"""


@click.command("eval", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.point_options
@click.option("--mode", type=click.Choice(MODES), default="reverse", show_default=True, help="How slopes are computed.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Numbers only, on one line: the value, then the slopes.")
@click.option(
    "--convention",
    type=click.Choice(list(CONVENTIONS)),
    help="At a corner or a jump, give the number that this framework gives (--like is the same).",
)
@click.option("--like", type=click.Choice(list(CONVENTIONS)), hidden=True)
@click.option("--no-check", is_flag=True, help="Skip the confirmation by the other mode.")
def command(
    program: str | None,
    file: str | None,
    strict: bool,
    points: tuple[str, ...],
    wrt: str | None,
    mode: str,
    form: str,
    quiet: bool,
    convention: str | None,
    like: str | None,
    no_check: bool,
) -> int:
    """Value and gradient of PROGRAM at a point.

    PROGRAM is an argument, -f FILE, or - for stdin: statements separated by ; or newlines, the last one is the result.
    """
    text = options.read_program(program, file)
    answer = evaluate(
        text,
        options.read_point(points),
        options.names(wrt),
        mode,
        strict=strict,
        check=not no_check,
        convention=convention or like or "",
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
        click.echo(printed)
    if form == "text" or quiet:
        for line in plain.remarks(answer, quiet=quiet):
            click.echo(line, err=True)
    return 0 if answer.complete else HARD_POINT
