"""`autodiff diff`: the derivative as a formula."""

from __future__ import annotations

from typing import Any

import click

from autodiff.api.derivative import derivative
from autodiff.cli import inputs, options, streams
from autodiff.cli.main import ProgramCommand
from autodiff.errors import AutodiffError
from autodiff.render.text import derivative as render
from autodiff.render.text.answer import as_json

EPILOG = """\b
Examples:
  autodiff diff "exp(sin(x^2))"
  autodiff diff "100*(y - x^2)^2 + (1 - x)^2" --hessian --format latex
"""


@click.command("diff", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.wrt_option
@click.option("--order", type=int, default=1, show_default=True, metavar="N", help="Differentiate N times.")
@options.matrix_options
@click.option("--simplify", is_flag=True, help="Let SymPy, an extra, try to make it shorter; checked at random points.")
@options.format_option("latex", "python", "json")
@click.option("-q", "--quiet", is_flag=True, help="Formulas only, one a line, and no notes.")
def command(form: str, quiet: bool, **given: Any) -> int:
    """The derivative of PROGRAM as a formula.

    It equals the program's derivative wherever both are defined; what the program needs and the formula alone no longer
    says (only where x > 0) stands on stderr. Formulas are written in the language itself.
    """
    options.one_form(form, quiet=quiet)
    text = inputs.read_program(given["program"], given["file"])
    of = options.results(given["of"], jacobian=given["jacobian"])
    more = {option: given[option] for option in ("order", "hessian", "simplify", "strict")}
    derivatives = derivative(text, options.names(given["wrt"]), of=of, **more)
    options.notices(derivatives.readings)
    if quiet and derivatives.parts and len(derivatives.entries) > 1:
        raise AutodiffError("these formulas have named parts, so they can't stand one a line", hint="leave -q out")
    forms = {"text": render.text, "latex": render.latex, "python": render.python, "json": as_json}
    shown = render.quiet(derivatives) if quiet else forms[form](derivatives)
    (streams.say if form == "text" and not quiet else streams.answer)(shown)
    if form != "json" and not quiet:
        for note in derivatives.notes:
            streams.remark(f"note: {note}")
    return 0
