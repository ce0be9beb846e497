"""`autodiff fit`: parameters of a curve from data, with their standard errors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from autodiff.api.inputs import named
from autodiff.cli import files, inputs, options, output, streams
from autodiff.cli.main import ProgramCommand
from autodiff.errors import HARD_POINT, AutodiffError, normalised, quoted
from autodiff.language.ast import Reading
from autodiff.libraries import library

if TYPE_CHECKING:
    from autodiff.fitting.fit import Fit
    from autodiff.tables.columns import NumericTable

EPILOG = """\b
Examples:
  printf 'x,y\\n0,1\\n1,2.7\\n2,7.4\\n3,20.1\\n' > /tmp/decay.csv; autodiff fit "a*exp(b*x)" --y y --data /tmp/decay.csv --start a=1,b=0.5
  autodiff fit "a*exp(b*x)" --y y --data /tmp/decay.csv --start a=1,b=0.5 --bounds b=0..0.9 --json
\b
Exit status 3 where the search did not converge: the numbers that it reached are printed, and are no minimum.
"""


@click.command("fit", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.data_option(f"The table (- for stdin): {options.TABLES}", required=True)
@options.from_option
@click.option("--y", "target", metavar="EXPR", required=True, help="What the model is to give: a column, or ln(y).")
@click.option("--start", metavar="NAME=VALUE[,…]", help="The parameters and where their search begins.")
@click.option("--sigma", metavar="EXPR", help="The standard deviation of each y: a column, or sqrt(y).")
@click.option("--sigma-x", metavar="NAME=EXPR[,…]", help="That of each x: x=sx (a column), x=0.1; needs --sigma.")
@click.option("--bounds", metavar="NAME=LOW..HIGH[,…]", help="Where parameters may be: a=0..,b=-1..1.")
@click.option(
    "--loss", type=click.Choice(["linear", "soft_l1", "huber", "cauchy", "arctan"]), default="linear",
    show_default=True, help="The loss of a residual; all but linear heed outliers less.",
)  # fmt: skip
@click.option(
    "--loss-scale", type=options.Finite(min=0, min_open=True), default=1.0, show_default=True,
    help="The residual at which a robust loss bends.",
)  # fmt: skip
@click.option("--starts", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many starts to try.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the other starts.")
@click.option(
    "--steps", type=click.IntRange(min=1), default=2000, show_default=True, help="Steps of a search, at most."
)
@click.option(
    "--level", type=options.Finite(0, 1, min_open=True, max_open=True), default=0.95, show_default=True,
    help="Of the band in --out and --plot.",
)  # fmt: skip
@click.option("--prediction", is_flag=True, help="That band is the one of new values, not of the curve.")
@options.file_option(
    "-o",
    "--out",
    help="Write each row's fit, lo, hi, residual, leverage and influence: CSV, TSV, NDJSON, Parquet or Arrow.",
)
@output.plot_option("Draw the curve, its band and the data")
@options.file_option("--save", metavar="FILE.json", help="Write the parameters, for eval --at @FILE.json.")
@options.format_option("json", "csv")
@click.option("-q", "--quiet", is_flag=True, help="The parameters only, on one line.")
def command(program: str | None, file: str | None, strict: bool, **given: Any) -> int:
    """Fit PROGRAM, a model of a table's rows, to the column --y by least squares, and say how sure the parameters are.

    Its inputs are the parameters of --start and columns of the table. The Jacobian is exact; the standard errors are
    those of the model's slopes at the solution.
    """
    given["data"] = files.inputs(given["data"], given["from_form"], program)
    options.one_form(given["form"], quiet=given["quiet"])
    read = [*files.named(given["data"]), ("-f", file)]
    files.apart(read, [("--out", given["out"]), ("--plot", given["plot"]), ("--save", given["save"])])
    of_band = given["prediction"] or options.on_command_line("level")
    options.require_none(
        [(of_band and not (given["out"] or given["plot"]), "--level and --prediction are about the band in --out and --plot", "add one of these")]
    )  # fmt: skip
    picture = output.picture_form(given["plot"])
    from autodiff.tables.reader import format_of  # the help does without it

    form = format_of(given["out"]) if given["out"] else "csv"
    text = inputs.read_program(program, file)
    start = _start(given["start"])
    fitted, table = _fit(text, start, strict, given)
    options.notices(fitted.readings)
    if given["out"]:
        _write(given["out"], form, fitted, table)
    if given["plot"]:
        from autodiff.render.plot.models import fit_image

        output.put(fit_image(fitted.with_data, picture), given["plot"])
    if given["save"]:
        output.put(json.dumps(dict(fitted.params), ensure_ascii=False), given["save"])
    _print(fitted, given)
    return 0 if fitted.ended == "converged" else HARD_POINT


def _start(text: str | None) -> dict[str, float]:
    if text is None:
        raise AutodiffError("there is nothing to fit", hint="name the parameters and their start: --start a=1,b=0.5")
    start = inputs.typed_point(text)
    for name, value in start.items():
        if not isinstance(value, int | float):
            raise AutodiffError(
                f"the parameter {quoted(name)} must be a number", hint="arrays are trained: autodiff train"
            )
    return {name: float(value) for name, value in start.items()}


def _fit(text: str, start: Mapping[str, float], strict: bool, given: Mapping[str, Any]) -> tuple[Fit, NumericTable]:
    for name in ("numpy", "scipy"):
        library(name, "a fit", "fit")
    sigma_x = _deviations(given["sigma_x"])
    if sigma_x:
        library("odrpack", "a fit with errors in x", "odr")
    from autodiff.batch.table import require_free
    from autodiff.fitting import fit, target
    from autodiff.tables import columns

    hidden = list[Reading]()
    table = columns.load(
        given["data"],
        target.chooser(text, start, (given["target"], given["sigma"], *sigma_x.values()), hidden, strict=strict),
        lambda name: f"a parameter is given with --start {name}=1",
        given["from_form"],
    )
    options.notices(tuple(hidden))
    if given["out"]:
        require_free(table.name, list(table.columns), ["fit", "lo", "hi", "residual", "leverage", "influence"])
    fitted = fit.fit(
        text, table.columns, given["target"], start, sigma=given["sigma"], sigma_x=sigma_x,
        bounds=_bounds(given["bounds"]), loss=given["loss"], loss_scale=given["loss_scale"], starts=given["starts"], seed=given["seed"],
        level=given["level"], prediction=given["prediction"], steps=given["steps"], strict=strict,
    )  # fmt: skip
    return fitted, table


def _deviations(text: str | None) -> dict[str, str]:
    """`x=sx,z=0.1` as expressions."""
    deviations = dict[str, str]()
    for part in [] if text is None else named(text):
        name, sign, expression = (piece.strip() for piece in normalised(part).partition("="))
        if not (name and sign and expression):
            raise AutodiffError(f"--sigma-x can't be read at {quoted(part)}", hint="write for example --sigma-x x=sx")
        if name in deviations:
            raise AutodiffError(f"--sigma-x gives {quoted(name)} twice", hint="a column has one standard deviation")
        deviations[name] = expression
    return deviations


def _bounds(text: str | None) -> dict[str, tuple[float, float]]:
    """`a=0..,b=-1..1` as pairs of numbers, an infinity where an end is left out."""
    ranges = inputs.ranges(text, "--bounds") if text else {}
    return {
        name: (-math.inf if low is None else low, math.inf if high is None else high)
        for name, (low, high) in ranges.items()
    }


def _write(path: str, form: str, fitted: Fit, table: NumericTable) -> None:
    from autodiff.tables import writer

    rows = fitted.by_row
    columns: dict[str, Any] = {
        **table.columns, "fit": rows.fitted, "lo": rows.lower, "hi": rows.upper, "residual": rows.residuals,
        "leverage": rows.leverage, "influence": rows.influence,
    }  # fmt: skip
    with writer.sink(path) as stream, writer.writer(form, stream) as write:
        write(columns)


def _print(fitted: Fit, given: Mapping[str, Any]) -> None:
    from autodiff.render.text import fit as rendered

    if given["quiet"]:
        streams.answer(rendered.numbers(fitted))
    elif given["form"] == "json":
        streams.answer(json.dumps(fitted.to_dict(), ensure_ascii=False))
    else:
        streams.say(rendered.text(fitted) if given["form"] == "text" else rendered.csv(fitted))
    if fitted.ended != "converged":
        streams.remark(f"error: the fit did not converge: {fitted.ended}")
