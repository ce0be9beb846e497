"""`autodiff train`: gradient descent on a table, the four steps shown."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from autodiff.api.inputs import finite
from autodiff.cli import files, inputs, options, output, streams
from autodiff.cli.main import ProgramCommand
from autodiff.cli.train_options import (
    FIRST_ORDER,
    OPTIMIZERS_OF,
    SETTINGS,
    WHOLE,
    betas,
    require_enough,
    require_one_start,
    require_together,
)
from autodiff.errors import printable, quoted, shortened
from autodiff.language.ast import Reading
from autodiff.libraries import library

if TYPE_CHECKING:
    from autodiff.train.checkpoint import State
    from autodiff.train.loop import Hyperparameters
    from autodiff.train.training import Training

_CLUSTER_PAYS = 10_000_000
"""Rows from which on a step takes longer than what Dask adds to it."""


EPILOG = """\b
Examples:
  printf 'x,y\\n1,2\\n2,4\\n' > /tmp/xy.csv; autodiff train "p = w*x; L = mse(y, p)" --data /tmp/xy.csv --params w=0
  autodiff train "(x - 1)^2 + (y + 2)^2" --params x=0,y=0 --optimizer adam --epochs 500 --format json
\b
Where a slope does not exist because the loss sits on a corner, a step uses the number that PyTorch gives.
"""


@click.command("train", cls=ProgramCommand, epilog=EPILOG)
@options.program_options
@options.data_option(f"The table (- for stdin); its columns are the inputs that are no parameters: {options.TABLES}")
@options.from_option
@click.option(
    "--params",
    metavar="NAME=START[,…]",
    help="The parameters and their start: w=0,b=zeros(2),W=he(3,2); also ones, normal, uniform, xavier.",
)
@options.file_option(
    "--resume", metavar="FILE.json", help="Go on from what --save wrote; --epochs counts from the beginning."
)
@click.option("--lr", type=options.Finite(min=0, min_open=True), default=0.1, show_default=True, help="The rate.")
@click.option("--epochs", type=click.IntRange(min=1), default=100, show_default=True, help="Passes over the table.")
@click.option(
    "--optimizer", type=click.Choice([*FIRST_ORDER, *WHOLE]), metavar="NAME", default="sgd", show_default=True,
    help=f"{', '.join(FIRST_ORDER)}; lbfgs (needs SciPy), lm (sums of squares) and newton choose the length of their steps.",
)  # fmt: skip
@click.option("--momentum", type=options.Finite(0, 1, max_open=True), help="Of sgd, momentum (0.9) and rmsprop.")
@click.option("--nesterov", is_flag=True, help="Of sgd and momentum: the slope ahead of the step.")
@click.option("--betas", metavar="B1,B2", help="Of adam and adamw: the weights of what was before (default 0.9,0.999).")
@click.option("--weight-decay", type=options.Finite(min=0), help="PyTorch's weight decay (adamw: 0.01).")
@click.option(
    "--schedule", metavar="KIND[:N[:SHARE]]",
    help="Of the rate: step:30:0.1 (every 30 epochs to a tenth), cosine, plateau:10.",
)  # fmt: skip
@click.option(
    "--clip", type=options.Finite(min=0, min_open=True), help="The largest length of all slopes together in a step."
)
@click.option("--batch-size", type=click.IntRange(min=1), help="Rows per step, shuffled each epoch (default: all).")
@click.option("--l2", type=options.Finite(min=0), default=0.0, help="Add this times the sum of w² over all parameters.")
@click.option(
    "--l1",
    type=options.Finite(min=0),
    default=0.0,
    help="Add this times the sum of |w| over all parameters, by steps that end at exactly 0.",
)
@click.option(
    "--missing", type=click.Choice(["error", "drop", "mean"]), default="error", show_default=True,
    help="What to do about a missing cell: drop its row, or take the mean of the column.",
)  # fmt: skip
@click.option("--holdout", type=options.Finite(0, 1, max_open=True), default=0.0, help="Share of rows to test on.")
@click.option(
    "--patience", type=click.IntRange(min=1),
    help="Stop after so many epochs without a smaller loss of the rows held out, and keep the best.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Makes everything random.")
@click.option(
    "--watch", metavar="EXPR", multiple=True, help="Report this number after each epoch: mean((p > 0.5) == y)."
)
@click.option(
    "--explain-step", type=click.IntRange(min=1), default=1, show_default=True, help="The step to take apart."
)
@options.file_option("--history", metavar="FILE.csv", help="Write a line per epoch.")
@output.plot_option("Draw the loss over the epochs and, of one or two columns, the rows and predictions")
@options.file_option(
    "--save", metavar="FILE.json", help="Write the parameters, for --resume and for eval --at @FILE.json."
)
@options.engine_options
@options.format_option("json")
@click.option("-q", "--quiet", is_flag=True, help="Numbers only, on one line: the loss, then the parameters.")
def command(program: str | None, file: str | None, strict: bool, **given: Any) -> int:
    """Train PROGRAM on a table: its last statement is the loss, averaged over the rows if it is not a number.

    Each step is a forward pass, the loss, a backward pass and an update; the first one is shown with its numbers.
    """
    library("numpy", "training")
    given["data"] = files.inputs(given["data"], given["from_form"], program)
    options.one_form(given["form"], quiet=given["quiet"])
    read = [*files.named(given["data"]), ("-f", file)]
    written = [("--history", given["history"]), ("--plot", given["plot"])]
    files.apart([*read, ("--resume", given["resume"])], written)
    files.apart(read, [*written, ("--save", given["save"])])  # --resume and --save may be one
    output.picture_form(given["plot"])
    saved: Mapping[str, Any] = {}
    if given["resume"] is not None:
        require_one_start(given)
        saved = inputs.read_object(given["resume"])
    text = _restored(given, saved, program, file)
    require_one_start(given)
    with ExitStack() as engines:
        training = _training(text, strict, given, saved, engines)
        options.notices(training.readings)
        from autodiff.cli.session import Session  # loads NumPy

        session = Session(training, given)
        session.announce()
        gc.enable()  # as steps do
        status = session.run()
        session.finish()
    return status


def _training(
    text: str, strict: bool, given: Mapping[str, Any], saved: Mapping[str, Any], engines: ExitStack
) -> Training:
    """The training that the options describe; its engine, if it has one, ends with `engines`."""
    from autodiff.tables.columns import rows_of
    from autodiff.tables.inputs import each_table
    from autodiff.train import checkpoint, declarations, loop
    from autodiff.train import training as train
    from autodiff.train.optimizers.first_order import Constants
    from autodiff.train.optimizers.schedule import Schedule

    for path in filter(None, (given["save"], given["history"], given["plot"])):
        checkpoint.writable(path)
    plan = loop.Hyperparameters(
        given["epochs"], given["lr"], given["optimizer"], given["batch_size"] or 0, given["seed"],
        Constants(given["momentum"], given["nesterov"], betas(given["betas"]), given["weight_decay"]),
        Schedule.of(given["schedule"], given["epochs"]), given["clip"] or 0.0,
    )  # fmt: skip
    require_together(given)
    state = _start(given, plan.seed, saved)
    loop.require_memory(state, plan)
    parameters, kept = list(state.parameters), declarations.Kept()
    before = checkpoint.kept_rows(given["resume"], saved)
    options_of_training = {"l1": given["l1"], "l2": given["l2"], "watch": given["watch"], "strict": strict}
    options_of_training["patience"] = given["patience"] or 0
    if given["engine"]:
        training: Training = _over_parts(text, plan, state, options_of_training, given, engines)
        _go_on(training, state, given, saved)
        require_enough(training, given)
        return training
    if not given["data"]:
        declarations.without_data(text, parameters)
        table = None
    else:
        hidden = list[Reading]()
        choose = declarations.chooser(text, parameters, given["watch"], kept, hidden, strict=strict)
        otherwise = "a parameter is given with --params {}=0".format
        with closing(each_table(given["data"], given["from_form"])) as tables:
            table, kept.codes = rows_of(tables, choose, otherwise, given["missing"], known=before.codes)
        options.notices(tuple(hidden))
        for name, texts in kept.codes.items():
            streams.remark(f"notice: {printable(_coded(name, texts))}")
    training = train.Training(
        text, table, state.parameters, plan, holdout=given["holdout"], **options_of_training,
        explain=None if given["quiet"] else state.steps + given["explain_step"], kept=kept,
    )  # fmt: skip
    for name, texts in training.untrained_texts().items():
        listed = ", ".join(quoted(text, 30) for text in texts[:5])
        streams.remark(
            printable(
                f"notice: no row that is trained on has {shortened(name)} {listed}: what is predicted of it is no result"
            )
        )
    _go_on(training, state, given, saved)
    if before not in (declarations.Kept(), training.kept):
        streams.remark(f"notice: {given['resume']} was made with rows of other classes, texts, means or deviations")
    require_enough(training, given)
    for text in training.row_mixing()[:3] if given["data"] is not None else ():
        streams.remark(
            f"notice: {printable(shortened(text, 60))} is computed from all rows of a step and used in each of them"
        )
    return training


def _go_on(training: Training, state: State, given: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    """Start from the state; a notice says where the losses that were saved with it are others than those of these rows, and
    where the schedule of the rate got another length with `--epochs`."""
    from autodiff.train import checkpoint

    schedule, before = given["schedule"], checkpoint.settings(saved)
    epochs, every = before.get("schedule_every"), training.plan.schedule.every
    if schedule and before.get("schedule") == schedule and isinstance(epochs, int) and epochs != every:
        streams.remark(
            f"notice: --schedule {schedule} means {schedule}:{epochs} in {given['resume']}, and here {schedule}:{every}, by"
            " --epochs: the rate goes on as if it had been so from the beginning"
        )

    if training.go_on(state, checkpoint.saved_losses(given["resume"], saved)):
        streams.remark(
            f"notice: the parameters in {given['resume']} had another loss when they were saved: this training is judged"
            " by its own losses"
        )


def _over_parts(
    text: str, plan: Hyperparameters, state: State, how: Mapping[str, Any], given: Mapping[str, Any], engines: ExitStack
) -> Training:
    """A training whose rows an engine keeps, file by file."""
    from autodiff.cli.engines import announce, chosen
    from autodiff.engines.part_sums import TrainTask, load_part, part_plan
    from autodiff.engines.parted_training import PartedTable, PartedTraining, used_columns
    from autodiff.tables.inputs import opened_file, require_read_twice

    require_read_twice(
        given["data"][0], "--engine reads the columns of the first file before its rows",
        "put the rows into a file, or leave --engine out",
    )  # fmt: skip
    with opened_file(given["data"][0], given["from_form"]) as table:
        hidden = list[Reading]()
        names = used_columns(table, text, list(state.parameters), given["watch"], hidden, strict=how["strict"])
        options.notices(tuple(hidden))
        task = TrainTask(
            text, tuple(state.parameters), table.names, table.name, given["from_form"], tuple(given["watch"]),
            given["holdout"], plan.seed, how["strict"],
        )  # fmt: skip
    for expression in range(-1, len(given["watch"])):
        part_plan(task, expression, state.parameters)  # before anything is read
    engine, files = engines.enter_context(chosen(given, given["data"]))
    announce(engine)
    kept = engine.hold(load_part, [(task, file) for file in files])
    count = len(files)
    parted = PartedTable(task, kept, table.name if count == 1 else f"{count} files")
    if given["engine"] == "dask" and parted.rows < _CLUSTER_PAYS and sys.stderr.isatty():
        streams.remark(
            f"notice: for {parted.rows:,} rows --engine local is faster; a cluster pays from some {_CLUSTER_PAYS:,} on"
        )
    return PartedTraining(text, parted, state.parameters, plan, names=names, **how)


def _coded(name: str, texts: Sequence[str]) -> str:
    """How the texts of a column are read."""
    listed = ", ".join(f"{shortened(text, 30)} is {k}" for k, text in enumerate(texts[:5]))
    return f"{shortened(name)} is text: {listed}{f' and so on to {len(texts) - 1}' * (len(texts) > 5)}"


def _start(given: Mapping[str, Any], seed: int, saved: Mapping[str, Any]) -> Any:
    """The parameters at the beginning, from --params or --resume."""
    from autodiff.train import checkpoint, loop

    if given["params"] is not None:
        start = inputs.typed_point(given["params"], loop.sampler(seed))
        return checkpoint.State({name: finite(name, value) for name, value in start.items()}, {})
    state = checkpoint.load(given["resume"], saved)
    if checkpoint.settings(saved).get("optimizer", given["optimizer"]) != given["optimizer"]:
        state = replace(state, memory={})
    return state


def _restored(given: dict[str, Any], saved: Mapping[str, Any], program: str | None, file: str | None) -> str:
    """The program; what --resume has and the command line has not is put into `given`; a notice names what differs."""
    from autodiff.train import checkpoint

    before = checkpoint.settings(saved)
    context = click.get_current_context()
    for parameter in context.command.params:
        key = parameter.name or ""
        if key not in (*SETTINGS, "lr") or before.get(key) is None:
            continue
        if options.on_command_line("optimizer") and given["optimizer"] not in OPTIMIZERS_OF.get(
            key, given["optimizer"]
        ):
            continue  # a setting of another optimizer
        try:
            value = parameter.type_cast_value(context, before[key])
        except (click.BadParameter, TypeError, ValueError, AttributeError):  # Click takes texts and numbers alone
            raise checkpoint.not_saved(given["resume"]) from None
        if not options.on_command_line(key):
            given[key] = value
        elif given[key] != value:
            option = f"--{key.replace('_', '-')}"
            streams.remark(f"notice: {given['resume']} was made with {option} {value}, and here it is {given[key]}")
    text = before.get("program")
    if program is None and file is None and isinstance(text, str):
        return text
    typed = inputs.read_program(program, file)
    if isinstance(text, str) and text.split() != typed.split():
        streams.remark(f"notice: {given['resume']} was made with another program")
    return typed
