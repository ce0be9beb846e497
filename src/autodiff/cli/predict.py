"""`autodiff predict`: what a trained program gives for the rows of a table."""

from __future__ import annotations

from typing import Any

import click

from autodiff.api.inputs import finite
from autodiff.cli import files, inputs, options
from autodiff.cli.main import ProgramCommand
from autodiff.diagnostics import not_an_input
from autodiff.errors import AutodiffError, quoted
from autodiff.libraries import library

EPILOG = """\b
Examples:
  printf 'x\\n1\\n2\\n' > /tmp/new.csv; autodiff predict "p = w*x; L = mse(y, p)" --of p --data /tmp/new.csv --at w=2
  autodiff predict "H = tanh(expand_dims(x, 1)*W); p = H @ v" --of "p, sure = abs(p) > 1" --data /tmp/new.csv --at W=[1,2],v=[3,4]
\b
A row without a value has empty cells, and its status is not ok.
"""


@click.command("predict", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@click.option(
    "--of",
    metavar="NAMES",
    required=True,
    help="What to predict: names of the program, or NAME=EXPR, separated by commas.",
)
@click.option(
    "--at", "points", metavar="@FILE.json", multiple=True,
    help="The parameters: what train --save wrote, or NAME=VALUE[,…]. Repeatable.",
)  # fmt: skip
@options.data_options
@options.resume_option
@options.engine_options
def command(program: str | None, file: str | None, strict: bool, of: str, points: tuple[str, ...], **given: Any) -> int:
    """Predict: what names of PROGRAM are in each row of a table, with the parameters that training found.

    Only the statements are evaluated that these names need, so the table needs no target column. Rows are read and written
    in blocks.
    """
    if not given["data"]:
        raise AutodiffError("there are no rows to predict", hint="add --data FILE.csv")
    tables = files.inputs(given["data"], given["from_form"], program)
    files.apart([*files.named(tables), ("-f", file), *files.points(points)], [("--out", given["out"])])
    library("numpy", "a prediction")
    from autodiff.cli.rows import RowsCommand
    from autodiff.engines.predicted_parts import PredictTask, outputs_of, predict_task
    from autodiff.train import checkpoint
    from autodiff.train.declarations import Kept

    text, kept = inputs.read_program(program, file), Kept()
    saved = {path: inputs.read_object(path) for _, path in files.points(points) if path is not None}
    for path, data in saved.items():
        kept = kept.joined(checkpoint.kept_rows(path, data))
    parameters = {name: finite(name, value) for name, value in inputs.read_point(points).items()}
    typed = [name for name in parameters if not any(name in data for data in saved.values())]

    def task_of(**fields: Any) -> PredictTask:
        task = predict_task(parameters, kept, of=tuple(options.names(of, "--of") or []), **fields)
        outputs = outputs_of(task)
        known = outputs.lowered.inputs
        if unknown := [name for name in typed if name not in known]:
            raise not_an_input(f"--at gives {quoted(unknown[0])}, which is not an input of this program", known)
        options.notices(outputs.readings)
        return task

    given |= {"summary": False, "strict": strict}
    return RowsCommand(text, tables, given, task_of, reads_texts=given["keep"] or bool(kept.codes)).run()
