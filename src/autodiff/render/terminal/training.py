"""A training as text: the model, one step in detail, the curve of its loss, the fitted parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.diagnostics import shown
from autodiff.errors import printable, shortened
from autodiff.explanation.build import local_factors
from autodiff.explanation.model import Factor
from autodiff.render.terminal.sparkline import curve
from autodiff.render.text.answer import array
from autodiff.train.checkpoint import nested
from autodiff.train.ending import Ending
from autodiff.train.optimizers.first_order import OPTIMIZERS, formula
from autodiff.train.records import EpochRecord, TrainingStep
from autodiff.train.training import Training

_ROWS, _ELEMENTS = 6, 8
_SHOWN = 12  # parameters that the summary lists
_LABEL, _NARROW = 11, 60  # columns of a label, and of a screen where it is on a line of its own


def opening(training: Training, name: str) -> str:
    """The model: the program, the data, the parameters."""
    held_out = "" if training.validation is None else f", {training.validation.rows} held out"
    rows = f"{training.rows} row{'s' * (training.rows != 1)} of {name}{held_out}" if name else "no data"
    lines = [line.strip() for line in training.lowered.source.splitlines() if line.split("#")[0].strip()]
    columns = ", ".join(training.trained.columns) or "none"
    weights = ", ".join(f"{name} = {_brief(value)}" for name, value in training.state.parameters.items())
    return "\n".join(
        [
            f"MODEL      {lines[0]}",
            *(f"           {line}" for line in lines[1:]),
            f"data       {columns} ({rows})",
            f"parameters {weights}",
        ]
    )


def step(taken: TrainingStep, training: Training, width: int = 0) -> str:
    """The four parts of a step, with numbers; on a screen of `width` columns, a table as wide as it at most."""
    result = taken.values[-1][0]
    plan = training.plan
    rule = formula(plan.optimizer, plan.constants, training.trained.model.l1)
    rule += f", lr = {shown(plan.rate)}" if plan.optimizer in OPTIMIZERS else ""
    lines = [f"STEP {taken.number}     {taken.rows} row{'s' * (taken.rows != 1)}"]
    room = width - (2 if 0 < width < _NARROW else _LABEL) if width else 0
    lines += _part("1 forward", _forward(taken, room), width)
    mean = "the mean of " if np.ndim(taken.values[-1][2]) else ""
    penalty = ", with its penalties" if training.trained.model.l1 or training.trained.model.l2 else ""
    lines += _part("2 loss", [f"{mean}{result} = {shown(taken.loss)}{penalty}"], width)
    back = chain(taken, result, local_factors(training.lowered.source, list(taken.slopes)))
    lines += _part("3 backward", back, width)
    updates = [f"{name:<10} {_brief(taken.parameters[name])} → {_brief(new)}" for name, new in taken.updated.items()]
    lines += _part("4 update", [rule, *updates], width)
    return "\n".join(lines)


def _part(label: str, lines: Sequence[str], width: int) -> list[str]:
    """Lines behind their label; below it where the screen is narrow."""
    if 0 < width < _NARROW:
        return [label, *(f"  {line}" for line in lines)]
    return [f"{'' if k else label:<{_LABEL}}{line}" for k, line in enumerate(lines)]


def chain(taken: TrainingStep, result: str, factors: Sequence[Factor]) -> list[str]:
    """The backward pass: the factors of the chain rule in one row, then the slope of the loss in each name.

    Slopes run from the loss back to the parameters; those of a column have one number per row.
    """
    slopes = list(taken.adjoints.items())[::-1] + list(taken.slopes.items())
    wide = max(len(f"d{result}/d{name}") for name, _ in slopes)
    lines = [f"{f'd{result}/d{name}':<{wide}}  {_brief(value)}" for name, value in slopes]
    if not factors:
        return lines
    formulas = [f"d{f.of}/d{f.by} = {printable(f.slope.pretty)}" for f in factors]
    wide = max(map(len, formulas))
    local = [f"{formula:<{wide}}   {factor.rule}" for formula, factor in zip(formulas, factors, strict=True)]
    summed = (
        "multiplied along the way back, and gathered over the rows:"
        if taken.rows > 1
        else "multiplied along the way back:"
    )
    return ["local slopes, in one row:", *(f"  {line}" for line in local), summed, *(f"  {line}" for line in lines)]


def _forward(taken: TrainingStep, room: int) -> list[str]:
    """The rows as a table of `room` columns when all is a column; a line per statement in any case."""
    columns = [(name, values) for name, values in taken.columns.items() if np.ndim(values) == 1]
    columns += [(name, value) for name, _, value in taken.values if np.shape(value) == (taken.rows,)]
    lines = (
        _table(columns, taken.rows, room)
        if taken.rows > 1
        else [f"{name} = {_brief(value)}" for name, value in columns]
    )
    others = [(name, values) for name, values in taken.columns.items() if np.ndim(values) > 1]
    others += [(name, value) for name, _, value in taken.values if np.shape(value) != (taken.rows,)]
    lines += [f"{name} = {_brief(value)}" for name, value in others[:-1] or others]
    return lines or ["the loss alone"]


def _table(columns: Sequence[tuple[str, Any]], rows: int, room: int) -> list[str]:
    """Columns side by side, those that have no room below the first ones."""
    shows = [[name, *(shown(float(v)) for v in values[:_ROWS])] for name, values in columns]
    blocks, used = list[list[list[str]]](), 0
    for cells in shows:
        wide = max(map(len, cells))
        used += 2 + wide
        if not blocks or (room and used - 2 > room):
            blocks.append([])
            used = 2 + wide
        blocks[-1].append([cell.rjust(wide) for cell in cells])
    if not blocks:
        return []
    lines = ["  ".join(row) for block in blocks for row in zip(*block, strict=True)]
    return [*lines, *([f"… and {rows - _ROWS} more rows"] if rows > _ROWS else [])]


def _brief(value: Any) -> str:
    """A number in full; of an array that is long, its shape and its first elements, each of them in full."""
    flat = np.ravel(value)
    if not np.all(np.isfinite(flat)):
        return "beyond 1.8e308"
    if not np.ndim(value):
        return shown(float(value))
    if flat.size <= _ELEMENTS:
        return array(nested(value)).replace("\n", "")
    first = ", ".join(shown(float(v)) for v in flat[:4])
    return f"[{first}, … {flat.size} elements, shape {np.shape(value)}]"


def closing(
    training: Training, records: Sequence[EpochRecord], ending: Ending, *, ascii_only: bool, width: int = 80
) -> str:
    """The curve, at most as wide as the screen; how the training ended, the parameters in full."""
    lines: list[str] = []
    if len(records) > 1:
        lines += [
            f"LOSS       over epochs {records[0].epoch} to {records[-1].epoch}{_marks(records, ascii_only=ascii_only)}",
            curve(
                [r.loss for r in records],
                max(10, min(60, width - 12)),
                ascii_only=ascii_only,
                beside=_validation_losses(records),
            ),
        ]
    steep = "" if ending.slope is None else f", largest slope {ending.slope:.3g}"
    lines.append(
        f"{ending.ended.upper():<10} after {_epochs(training.state.epochs)}, loss {_known(ending.loss)}{steep}"
    )
    if ending.ended == "flat":
        lines.append(
            "           the slope is 0, but the loss falls in some direction, or a parameter has no effect: this is no minimum"
        )
    if ending.ended == "stuck":
        lines.append("           no step lowers the loss further")
    if ending.epoch != training.state.epochs:
        reached = f"after {_epochs(ending.epoch)}" if ending.epoch else "at the start"
        whose = " of the rows held out" if training.patience else ""
        lines.append(f"           the parameters are those of the least loss{whose}, {reached}")
    if ending.validation_loss is not None:
        lines.append(f"           held out: loss {_known(ending.validation_loss)}")
    for name, value in ending.watched.items():
        held_out = f", held out {_known(ending.validation_watched[name])}" if name in ending.validation_watched else ""
        lines.append(f"           {shortened(name, 60)} = {_known(value)}{held_out}")
    wide = max(map(len, ending.parameters))
    for name, value in list(ending.parameters.items())[:_SHOWN]:
        indent = "\n" + " " * (wide + 2)
        lines.append(f"{printable(name):<{wide}}  {_summary(value, width - wide - 2).replace(chr(10), indent)}")
    if len(ending.parameters) > _SHOWN:
        lines.append(f"… and {len(ending.parameters) - _SHOWN} more parameters")
    return "\n".join(lines)


def _summary(value: Any, room: int) -> str:
    """An array in full where it is a few short lines; else its shape and its length."""
    text = array(nested(value))
    if not np.ndim(value) or (text.count("\n") < 3 and all(len(line) <= room for line in text.split("\n"))):
        return text
    elements = " elements" if np.ndim(value) == 1 else ""
    return f"{'×'.join(map(str, np.shape(value)))}{elements}, norm {np.linalg.norm(value):.4g}"


def _validation_losses(records: Sequence[EpochRecord]) -> list[float]:
    """The losses of the rows held out; NaN where there is none."""
    validation_loss = [math.nan if record.validation_loss is None else record.validation_loss for record in records]
    return validation_loss if any(map(math.isfinite, validation_loss)) else []


def _marks(records: Sequence[EpochRecord], *, ascii_only: bool) -> str:
    return f", {'o' if ascii_only else '◦'} of the rows held out" if _validation_losses(records) else ""


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' * (count != 1)}"


def numbers(ending: Ending) -> str:
    """The loss, then the parameters element by element, on one line; empty when there is no loss."""
    parameters = [float(v) for value in ending.parameters.values() for v in np.ravel(value)]
    return "" if ending.loss is None else " ".join(map(shown, [ending.loss, *parameters]))


def _known(value: float | None) -> str:
    return "none" if value is None else shown(value)


_STATUS = {"diverged": "diverged", "interrupted": "interrupted"}
"""What `status` is in JSON; "trained" where the training ran as far as it could."""


def as_json(training: Training, records: Sequence[EpochRecord], ending: Ending) -> str:
    """Everything for a script: how it ended, parameters, the whole history, the step that was taken apart."""
    taken = training.step
    data: dict[str, Any] = {
        "status": _STATUS.get(ending.ended, "trained"),
        "ended": ending.ended,
        "params": {name: nested(value) for name, value in ending.parameters.items()},
        "loss": ending.loss,
        "largest_slope": ending.slope,
        "epochs": training.state.epochs,
        "best_epoch": ending.epoch,
        "rows": training.rows,
        "optimizer": training.plan.optimizer,
        "lr": training.plan.rate if training.plan.optimizer in OPTIMIZERS else None,
        "seed": training.plan.seed,
        "history": history(records),
    }
    if ending.why:
        data |= {"why": ending.why, "hint": ending.advice}
    if ending.rate is not None:
        data["working_lr"] = ending.rate
    if taken is not None:
        data["step"] = {
            "number": taken.number,
            "params": _finite(taken.parameters),
            "values": _finite({name: value for name, _, value in taken.values}),
            "loss": taken.loss,
            "adjoints": _finite(taken.adjoints),
            "gradient": _finite(taken.slopes),
            "updated": _finite(taken.updated),
        }
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and arrays as JSON, which has no infinity: None in its place."""
    arrays = {name: np.array(value, dtype=object) for name, value in values.items()}
    for elements in arrays.values():
        elements[~np.isfinite(elements.astype(float))] = None
    return {name: elements.tolist() for name, elements in arrays.items()}


def _columns(record: EpochRecord) -> list[tuple[str, float | None]]:
    """An epoch as named numbers: epoch, loss, held_out if rows are, and each watched expression."""
    held_out = [] if record.validation_loss is None else [("held_out", record.validation_loss)]
    watched = [
        *record.watched.items(),
        *((f"held_out {name}", value) for name, value in record.validation_watched.items()),
    ]
    return [("epoch", record.epoch), ("loss", record.loss), *held_out, *watched]


def history(records: Sequence[EpochRecord]) -> dict[str, list[Any]]:
    """The columns of the history."""
    rows = [dict(_columns(record)) for record in records]
    return {name: [row.get(name) for row in rows] for name in (rows[0] if rows else ("epoch", "loss"))}


def csv_header(record: EpochRecord) -> str:
    """The first line of a history file."""
    names = (name for name, _ in _columns(record))
    return ",".join(f'"{name}"' if set(name) & set(',"\n') else name for name in names)


def csv_line(record: EpochRecord) -> str:
    """One epoch as a line of a history file."""
    return ",".join("" if number is None else shown(number) for _, number in _columns(record))


def progress_texts(values: Mapping[str, float | None]) -> tuple[str, ...]:
    """The texts beside a progress bar."""
    return tuple(f"{name} {value:.6g}" for name, value in values.items() if value is not None)
