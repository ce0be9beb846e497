"""`autodiff graph`: the computation graph alone."""

from __future__ import annotations

import click

from autodiff.cli import inputs, options, page
from autodiff.cli.main import ProgramCommand
from autodiff.explanation.build import explain

EPILOG = """\b
Examples:
  autodiff graph "x*sin(x^2)" --at x=1.5
  autodiff graph "y = x^2; z = sin(y); u = e^z" --format dot
"""


@click.command("graph", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.point_options
@click.option("--atoms", is_flag=True, help="One vertex per operation instead of one per statement.")
@click.option("--expand", metavar="NAME", multiple=True, help="Open this statement to its operations. Repeatable.")
@options.format_option("dot", "mermaid", "svg", "json")
def command(
    program: str | None,
    file: str | None,
    strict: bool,
    points: tuple[str, ...],
    wrt: str | None,
    atoms: bool,
    expand: tuple[str, ...],
    form: str,
) -> int:
    """Draw the computation graph of PROGRAM, with values and local slopes when --at is given.

    text is for the terminal; dot is read by Graphviz, mermaid by Markdown viewers, svg by browsers.
    """
    text = inputs.read_program(program, file)
    found = explain(
        text,
        inputs.read_point(points, text, strict=strict) if points else None,
        options.names(wrt),
        atoms=atoms,
        expand=expand,
        strict=strict,
    )
    options.notices(found.readings, found.notes if found.at is None else ())
    return page.draw(found, form)
