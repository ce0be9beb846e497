"""`autodiff explain`: the chain rule, factor by factor."""

from __future__ import annotations

from typing import Any

import click

from autodiff.api.evaluate import MODES
from autodiff.cli import explanation_output, inputs, options, output
from autodiff.cli.main import ProgramCommand
from autodiff.core.linearize import CONVENTIONS

EPILOG = """\b
Examples:
  autodiff explain "y = x^2; z = sin(y); u = e^z" --at x=4
  autodiff explain "tanh(3x)^2" --at x=2 --bars -o /tmp/page.html
"""


@click.command("explain", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.point_options
@click.option("--mode", type=click.Choice(MODES), default="reverse", show_default=True, help="Which table is shown.")
@click.option("--lr", "rate", metavar="RATE", help="Show one step of gradient descent with this learning rate.")
@options.steps_options("step")
@click.option(
    "--convention",
    type=click.Choice(list(CONVENTIONS)),
    help="At a corner or a jump, go on with the number that this framework gives.",
)
@click.option("--digits", type=int, metavar="N", help="Print N proven digits (1 to 1,000) of each slope.")
@click.option("--bars", is_flag=True, help="Show the factors as bars on a logarithmic scale.")
@click.option("--fragment", is_flag=True, help="LaTeX without a preamble, to be included in a document.")
@output.out_option(explanation_output.EXPLANATIONS)
@output.open_option
@options.format_option("json", "markdown", "latex", "html")
def command(**given: Any) -> int:
    """Explain the slopes of PROGRAM: forward pass, graph, chain rule factor by factor, answer, checks.

    Without --at the explanation is in symbols. Every step shows its rule, formula, number and the product so far.
    """
    form = explanation_output.form(given, explanation_output.EXPLANATIONS, opened="html")
    explanation = explanation_output.explained(
        given,
        mode=given["mode"],
        rate=None if given["rate"] is None else inputs.read_number(given["rate"], "--lr"),
        convention=given["convention"] or "",
        digits=options.digits(given["digits"]),
        bars=given["bars"],
    )
    in_symbols = explanation.at is None or (explanation.status == "ok" and not explanation.sides)
    options.notices(explanation.readings, explanation.notes if in_symbols else ())  # else the page has them
    return explanation_output.write(explanation, form, given["out"], opened=given["opened"], fragment=given["fragment"])
