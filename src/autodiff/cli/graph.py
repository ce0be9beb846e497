"""`autodiff graph`: the computation graph alone."""

from __future__ import annotations

from typing import Any

import click

from autodiff.cli import explanation_output, options, output
from autodiff.cli.main import ProgramCommand

EPILOG = """\b
Examples:
  autodiff graph "x*sin(x^2)" --at x=1.5
  autodiff graph "x*sin(x^2)" --at x=1.5 --direction right -o /tmp/graph.svg
"""


@click.command("graph", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.point_options
@options.steps_options("vertex")
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
def command(**given: Any) -> int:
    """Draw the computation graph of PROGRAM, with values and local slopes when --at is given.

    text is for the terminal; dot is read by Graphviz, mermaid by Markdown viewers, svg by browsers, tikz by LaTeX.
    """
    form = explanation_output.form(given, explanation_output.DRAWINGS, opened="svg")
    undirected = form in ("text", "json") and options.on_command_line("direction")
    options.require_none(
        [(undirected, f"--direction is of dot, mermaid, svg and tikz, and not of {form}", "add --format svg")]
    )
    explanation = explanation_output.explained(given)
    options.notices(explanation.readings, explanation.notes if explanation.at is None else ())
    return explanation_output.draw(
        explanation,
        form,
        given["out"],
        opened=given["opened"],
        right=given["direction"] == "right",
        fragment=given["fragment"],
    )
