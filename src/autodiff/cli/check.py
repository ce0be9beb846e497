"""`autodiff check`: is this the derivative?"""

from __future__ import annotations

import click

from autodiff.cli import inputs, options, streams
from autodiff.cli.main import ProgramCommand
from autodiff.errors import HARD_POINT, AutodiffError
from autodiff.grading.compare import compare
from autodiff.render.text import grading
from autodiff.render.text.answer import as_json

EPILOG = """\b
Examples:
  autodiff check "sin(x^2)" "cos(x^2)*2x" --wrt x
  autodiff check "sin(x^2)" "cos(x)*2x" --wrt x || test $? = 1
"""

STATUS = {"yes": 0, "no": 1, "undecided": HARD_POINT}


@click.command("check", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@click.argument("answer", required=False)
@click.option("--wrt", metavar="NAME", help="By which input or assigned name (needed when there is more than one).")
@options.format_option("json")
def command(program: str | None, answer: str | None, file: str | None, strict: bool, wrt: str | None, form: str) -> int:
    """Is ANSWER the derivative of PROGRAM? If not: where they differ, and which slip it was.

    ANSWER may use the names that PROGRAM assigns. The status is 0 for yes, 1 for no, 3 when nothing can be said.
    """
    if file is not None and answer is None:
        program, answer = None, program
    text = inputs.read_program(program, file)
    if answer is None:
        raise AutodiffError("no answer to check", hint='write it behind the program: autodiff check "x^2" "2x"')
    comparison = compare(text, inputs.in_syntax(answer), wrt, strict=strict)
    options.notices(comparison.readings)
    if form == "json":
        streams.answer(as_json(comparison))
    else:
        streams.say(grading.text(comparison))
    return STATUS[comparison.verdict]
