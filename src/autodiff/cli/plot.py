"""`autodiff plot`: curves and contours, on a terminal or as a picture."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from autodiff.cli import files, inputs, options, output, streams
from autodiff.cli.main import ProgramCommand
from autodiff.diagnostics import not_an_input
from autodiff.errors import HARD_POINT, AutodiffError, quoted, shortened
from autodiff.render.text.answer import as_json

if TYPE_CHECKING:
    from autodiff.plotting.model import Plot, Surface

EPILOG = """\b
Examples:
  autodiff plot "abs(x^2 - 1)" --range x=-2..2
  autodiff plot "sin(x)/x" --range x=-10..10 --at x=2 -o /tmp/sinc.svg
\b
Corners, jumps, poles and ends are found and drawn as what they are; nothing is drawn that was not computed.
"""

ENDINGS = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".txt": "text", ".json": "json"}
"""The formats of a file by its ending; pictures need Matplotlib."""

USUAL = (-5.0, 5.0)
"""The range of an input for which none is given."""


@click.command("plot", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@click.option("--range", "ranges", metavar="NAME=LOW..HIGH[,…]", help="One or two variables: x=-2..2,y=-1..3.")
@click.option(
    "--at", "points", metavar="NAME=VALUE[,…]", multiple=True,
    help="The other inputs; of a variable, where its tangent or its gradient is shown. Repeatable.",
)  # fmt: skip
@click.option(
    "--order", type=click.IntRange(0, 3), default=1, show_default=True,
    help="Derivatives up to this order below the curve.",
)  # fmt: skip
@options.file_option("--data", metavar="FILE.csv", help="A table of points to show.")
@click.option(
    "--x", "x_column", metavar="COLUMN", help="With --data: the column that goes across (default: the first)."
)
@click.option("--y", "y_column", metavar="COLUMN", help="With --data: the column that goes up (default: the second).")
@output.out_option(ENDINGS)
@output.open_option
@click.option(
    "--theme", type=click.Choice(["light", "dark"]), help="Of a picture. Without it an SVG follows the screen's."
)
@options.format_option("json")
def command(program: str | None, file: str | None, strict: bool, **given: Any) -> int:
    """Plot PROGRAM over one variable with its derivatives, or over two as contour lines with arrows of descent."""
    options.require_data(given, ("x_column", "y_column"))
    given["data"] = files.inputs([given["data"]], None, program) if given["data"] else []
    read = [*files.named(given["data"]), ("-f", file), *files.points(given["points"])]
    files.apart(read, [("--out", given["out"])])
    text = inputs.read_program(program, file)
    form = output.form_of(given["out"], given["form"], ENDINGS, opened="svg" if given["opened"] else "")
    options.require_page(form, opened=given["opened"], fragment=False)
    unthemed = form in ("text", "json") and given["theme"]
    options.require_none([(unthemed, f"--theme is of a picture, and {form} has no colours", "write one: -o FILE.svg")])
    picture = _picture(text, strict, given)
    height = shutil.get_terminal_size().lines if streams.width(sys.stdout) else 24
    content = _content(picture, form, given["theme"], height)
    output.put(
        content + b"\n" * (form == "text" and bool(given["out"])),
        given["out"],
        opened=given["opened"],
        ending=f".{form}",
    )
    return 0


def _picture(text: str, strict: bool, given: Mapping[str, Any]) -> Plot | Surface:
    from autodiff.api.evaluate import evaluate, parse
    from autodiff.core.lowering import lower
    from autodiff.libraries import library

    library("numpy", "a plot", "plot")
    at = inputs.read_point(given["points"])
    ranges = inputs.ranges(given["ranges"], "--range") if given["ranges"] else {}
    parsed = parse(text, strict=strict, given={*at, *ranges})
    names = lower(parsed).inputs
    for name, value in at.items():
        if name not in names:
            raise AutodiffError(f"--at gives {quoted(name)}, which is not an input of this program")
        if not isinstance(value, float):
            raise AutodiffError(f"a plot takes numbers, and {quoted(name)} is an array")
    over = _over(ranges, names, at)
    typed_order = len(over) == 2 and options.on_command_line("order")
    options.require_none(
        [(typed_order, "--order is about a curve, and two variables have contours", "leave --order out")]
    )
    options.notices(parsed.readings)
    points = _points(given) if given["data"] else None
    if len(over) == 2:
        from autodiff.plotting.surface import surface

        path = list(zip(*points, strict=True)) if points else []
        picture: Plot | Surface = surface(text, over[0], over[1], at, path)
    else:
        from autodiff.plotting.curve import plot

        picture = plot(text, over[0], at, given["order"], points)
    if picture.empty:
        middle = {name: low + (high - low) / 2 for name, low, high in over}
        answer = evaluate(text, {name: middle.get(name, at.get(name)) for name in names})
        if answer.value is None:
            hint = "; ".join(filter(None, [answer.hint, "there is no value in the whole range: give another one"]))
            raise AutodiffError(answer.why, span=answer.span, source=answer.source, hint=hint, exit_status=HARD_POINT)
    return picture


def _over(
    ranges: Mapping[str, tuple[float | None, float | None]], names: Sequence[str], at: Mapping[str, float]
) -> list[tuple[str, float, float]]:
    """The variables and their ranges; without any, the inputs that have no value."""
    for name, ends in ranges.items():
        if names and name not in names:  # a constant is a horizontal line over any name
            raise not_an_input(f"--range names {quoted(name)}, which is not an input of this program", names)
        if None in ends:
            raise AutodiffError(f"the range of {quoted(name)} needs two ends", hint=f"write for example {name}=-2..2")
    free = [name for name in names if name not in ranges and name not in at]
    if not ranges:
        free = free or list(names[:1])
        if len(free) > 2:
            raise AutodiffError(
                f"{len(free)} inputs have no value, and a plot is over one or two",
                hint="name them with --range, and give the others with --at",
            )
        if not free:
            raise AutodiffError(
                "the program has no input to plot over",
                hint="it is the same number everywhere: name one with --range x=-2..2",
            )
        streams.remark(
            f"notice: the range is {', '.join(f'{shortened(n)}={USUAL[0]:g}..{USUAL[1]:g}' for n in free)}; --range gives another"
        )
        return [(name, *USUAL) for name in free]
    if len(ranges) > 2:
        raise AutodiffError(f"--range names {len(ranges)} variables, and a plot is over one or two")
    return [(name, float(low or 0.0), float(high or 0.0)) for name, (low, high) in ranges.items()]


def _points(given: Mapping[str, Any]) -> tuple[Sequence[float], Sequence[float]]:
    """Two columns of --data."""
    from autodiff.tables import columns as tables

    def choose(names: Collection[str]) -> Sequence[str]:
        first, second, *_ = (*names, *names, "x", "y")  # a table of one column is plotted over itself
        return list(dict.fromkeys([given["x_column"] or first, given["y_column"] or second]))

    columns = list(tables.load(given["data"], choose).columns.values())
    return columns[0].tolist(), columns[-1].tolist()


def _content(picture: Plot | Surface, form: str, theme: str | None, height: int) -> bytes:
    from autodiff.plotting.model import Plot

    if form == "json":
        return as_json(picture).encode()
    if form == "text":
        from autodiff.render.plot import terminal

        width = min(streams.width(sys.stdout) or 80, 200)
        unicode = streams.writable("⣿┤○●┊×")
        lines = max(height - 4, 16)
        text = terminal.text(picture, width, lines, unicode=unicode)
        return (streams.fitting(text, sys.stdout) if width >= terminal.NARROWEST else text).encode()
    from autodiff.render.plot import image

    image.load()
    if isinstance(picture, Plot):
        return image.image(picture, form, theme)
    return image.surface_image(picture, form, theme)
