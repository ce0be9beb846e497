"""`autodiff explain`: the chain rule, factor by factor."""

from __future__ import annotations

import click

from autodiff.api.evaluate import MODES
from autodiff.cli import explanation_output, files, inputs, options, output
from autodiff.cli.main import ProgramCommand
from autodiff.core.linearize import CONVENTIONS
from autodiff.explanation.build import explain

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
@click.option("--atoms", is_flag=True, help="One step per operation instead of one per statement.")
@click.option("--expand", metavar="NAME", multiple=True, help="Open this statement to its operations. Repeatable.")
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
def command(
    program: str | None,
    file: str | None,
    strict: bool,
    points: tuple[str, ...],
    wrt: str | None,
    mode: str,
    rate: str | None,
    atoms: bool,
    expand: tuple[str, ...],
    convention: str | None,
    digits: int | None,
    bars: bool,
    fragment: bool,
    out: str | None,
    opened: bool,
    form: str,
) -> int:
    """Explain the slopes of PROGRAM: forward pass, graph, chain rule factor by factor, answer, checks.

    Without --at the explanation is in symbols. Every step shows its rule, formula, number and the product so far.
    """
    files.apart([("-f", file), *files.points(points)], [("--out", out)])
    form = output.form_of(out, form, explanation_output.EXPLANATIONS, opened="html" if opened else "")
    options.require_page(form, opened=opened, fragment=fragment)
    text = inputs.read_program(program, file)
    explanation = explain(
        text,
        inputs.read_point(points, text, strict=strict) if points else None,
        options.names(wrt),
        mode,
        rate=None if rate is None else inputs.read_number(rate, "--lr"),
        atoms=atoms,
        expand=expand,
        strict=strict,
        convention=convention or "",
        digits=options.digits(digits),
        bars=bars,
    )
    plain = explanation.at is None or (explanation.status == "ok" and not explanation.sides)
    options.notices(explanation.readings, explanation.notes if plain else ())  # else the page has them
    return explanation_output.write(explanation, form, out, opened=opened, fragment=fragment)
