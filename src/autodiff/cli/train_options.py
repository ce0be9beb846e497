"""Which options of `autodiff train` go together, and what a program, a start and a saved training have to have for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autodiff.cli import inputs, options
from autodiff.errors import AutodiffError, quoted

if TYPE_CHECKING:
    from autodiff.train.training import Training

FIRST_ORDER = ("sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad")
"""The optimizers whose step is a rate times something that they make of a slope."""


WHOLE = ("lbfgs", "lm", "newton")
"""The optimizers that look at all rows in each step and choose its length."""


SETTINGS = (
    "optimizer", "momentum", "nesterov", "betas", "weight_decay", "schedule", "clip", "seed", "batch_size", "l1", "l2",
    "holdout", "missing", "patience",
)  # fmt: skip
"""Options that --save keeps beside the rate and the program, for --resume."""


def betas(text: str | None) -> tuple[float, float]:
    """The two weights of Adam."""
    if text is None:
        return 0.9, 0.999
    parts = [inputs.read_number(part, "--betas") for part in text.split(",")]
    if len(parts) != 2 or not all(0 <= part < 1 for part in parts):
        raise AutodiffError(
            f"--betas takes two numbers from 0 to below 1, not {quoted(text)}", hint="such as 0.9,0.999"
        )
    return parts[0], parts[1]


OPTIMIZERS_OF = dict.fromkeys(("lr", "batch_size", "weight_decay", "schedule", "clip"), FIRST_ORDER) | {
    "momentum": ("sgd", "momentum", "rmsprop"), "nesterov": ("sgd", "momentum"), "betas": ("adam", "adamw"),
}  # fmt: skip
"""The optimizers that an option is about."""


def require_together(given: Mapping[str, Any]) -> None:
    """Raise AutodiffError for options one of which would do nothing beside the others."""
    typed, optimizer, engine = options.on_command_line, given["optimizer"], given["engine"]
    conflicts: list[tuple[object, str, str]] = [
        (optimizer in WHOLE and typed("batch_size"), f"{optimizer} looks at all rows in each step, so it takes no --batch-size",
         "leave --batch-size out"),
        (optimizer in WHOLE and typed("lr"), f"{optimizer} chooses its own rate, so it takes no --lr", "leave --lr out"),
        (optimizer in WHOLE[1:] and given["l1"], f"{optimizer} needs second derivatives, and that of --l1 has a jump at 0",
         "take --l2, or another optimizer"),
        (engine and optimizer in WHOLE[1:], f"--engine adds up slopes of parts, and {optimizer} needs a matrix of all rows",
         "take --optimizer lbfgs, or leave --engine out"),
        *((optimizer not in optimizers and typed(key), f"{optimizer} takes no --{key.replace('_', '-')}",
           f"it is of {', '.join(optimizers)}") for key, optimizers in OPTIMIZERS_OF.items()),
        (given["nesterov"] and not given["momentum"] and optimizer == "sgd", "--nesterov needs a momentum", "add --momentum 0.9"),
        (given["quiet"] and typed("explain_step"), "--quiet and --explain-step don't go together",
         "--format json has the step as well"),
        (engine and given["batch_size"],
         "--engine adds up all rows in each step, and a minibatch has rows of many parts, which would have to be sent",
         "leave --batch-size or --engine out"),
        (engine and given["missing"] != "error", "--engine takes tables without missing cells", "leave --missing or --engine out"),
        (engine and typed("explain_step"), "--explain-step shows rows of one table, and with --engine they are in many parts",
         "leave --explain-step or --engine out"),
        (given["scheduler"] and not engine, "--scheduler is about an engine, and there is none", "add --engine dask"),
        (given["workers"] and not engine, "--workers is about an engine, and there is none", "add --engine local"),
        (given["patience"] and not given["holdout"], "--patience is about the rows held out, and there are none", "add --holdout 0.2"),
    ]  # fmt: skip
    about_rows = {"--batch-size": given["batch_size"], "--holdout": given["holdout"], "--from": given["from_form"]}
    about_rows |= {"--engine": engine, "--patience": given["patience"], "--missing": typed("missing")}
    for option, value in about_rows.items():
        message = f"{option} is about the rows of a table, and there is none"
        conflicts.append((value and not given["data"], message, "add --data FILE.csv"))
    options.require_none(conflicts)


def require_enough(training: Training, given: Mapping[str, Any]) -> None:
    """Raise AutodiffError where no row would be held out, or where there is no step of the number that is to be shown."""
    if given["holdout"] and training.validation is None:
        raise AutodiffError(
            f"--holdout {given['holdout']} of {training.rows} rows is less than half a row, so none is held out",
            hint="give a larger share, such as 0.2",
        )
    plan, wanted = training.plan, given["explain_step"]
    steps_per_epoch = math.ceil(training.rows / plan.batch) if plan.batch else 1
    left = max(plan.epochs - training.state.epochs, 0)
    if options.on_command_line("explain_step") and wanted > left * steps_per_epoch:
        steps = f"{left} epoch{'s' * (left != 1)} of {steps_per_epoch} step{'s' * (steps_per_epoch != 1)}"
        raise AutodiffError(
            f"there is no step {wanted} to explain in {steps}", hint="give --explain-step a smaller number"
        )


def require_one_start(given: Mapping[str, Any]) -> None:
    """Raise AutodiffError unless one of --params and --resume says where to start."""
    if (given["params"] is None) == (given["resume"] is None):
        both = given["params"] is not None
        raise AutodiffError(
            "--params and --resume both say where to start" if both else "there is nothing to train",
            hint="choose one" if both else "name the parameters and their start: --params w=0,b=0",
        )
