"""`autodiff graph`: the computation graph alone."""

from __future__ import annotations

import click

from autodiff.cli import explanation_output, files, inputs, options, output
from autodiff.cli.main import ProgramCommand
from autodiff.explanation.build import explain

EPILOG = """\b
Examples:
  autodiff graph "x*sin(x^2)" --at x=1.5
  autodiff graph "x*sin(x^2)" --at x=1.5 --direction right -o /tmp/graph.svg
"""


@click.command("graph", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.point_options
@click.option("--atoms", is_flag=True, help="One vertex per operation instead of one per statement.")
@click.option("--expand", metavar="NAME", multiple=True, help="Open this statement to its operations. Repeatable.")
@click.option(
    "--direction",
    type=click.Choice(["down", "right"]),
    default="down",
    show_default=True,
    help="Where the arrows of dot, mermaid, svg and tikz go.",
)
@click.option("--fragment", is_flag=True, help="TikZ without a document around it, to be included in one.")
@output.out_option(explanation_output.DRAWINGS)
@output.open_option
@options.format_option("dot", "mermaid", "svg", "tikz", "json")
def command(
    program: str | None,
    file: str | None,
    strict: bool,
    points: tuple[str, ...],
    wrt: str | None,
    atoms: bool,
    expand: tuple[str, ...],
    direction: str,
    fragment: bool,
    out: str | None,
    opened: bool,
    form: str,
) -> int:
    """Draw the computation graph of PROGRAM, with values and local slopes when --at is given.

    text is for the terminal; dot is read by Graphviz, mermaid by Markdown viewers, svg by browsers, tikz by LaTeX.
    """
    files.apart([("-f", file), *files.points(points)], [("--out", out)])
    form = output.form_of(out, form, explanation_output.DRAWINGS, opened="svg" if opened else "")
    options.require_page(form, opened=opened, fragment=fragment)
    text = inputs.read_program(program, file)
    explanation = explain(
        text,
        inputs.read_point(points, text, strict=strict) if points else None,
        options.names(wrt),
        atoms=atoms,
        expand=expand,
        strict=strict,
    )
    options.notices(explanation.readings, explanation.notes if explanation.at is None else ())
    return explanation_output.draw(explanation, form, out, opened=opened, right=direction == "right", fragment=fragment)
