"""Parameters in a file: a JSON object that `eval --at @FILE` reads, written so that it is always the old or the new one.

The parameters are those of the least loss. The key `#training`, which no name can be, holds what going on needs: the epochs
done, the last parameters where they are others, and the optimizer's memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import index
from typing import Any

import numpy as np

from autodiff.errors import AutodiffError, data_error, quoted
from autodiff.tables.atomic_file import is_direct, require_name, whole
from autodiff.tables.columns import MOST_CODES
from autodiff.train.declarations import Kept

KEY = "#training"

ROUNDING = 1e-12
"""Two losses that differ by less, relatively, differ by rounding."""


@dataclass(frozen=True, slots=True)
class Best:
    """The parameters of the least loss so far, that loss, and the epoch after which they were reached (0: the start).

    `validation_loss` is the loss of the rows held out, where that is the one that is least.
    """

    loss: float
    parameters: Mapping[str, Any]
    epoch: int
    validation_loss: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Where a training is: its parameters, the optimizer's memory of each, steps and epochs done.

    first  the loss at the start of the training; None before it was computed
    best   the parameters of the least loss so far; None before there is a loss
    schedule  what a schedule of the rate remembers
    """

    parameters: Mapping[str, Any]
    memory: Mapping[str, Mapping[str, Any]]
    steps: int = 0
    epochs: int = 0
    first: float | None = None
    best: Best | None = None
    schedule: Mapping[str, float] = field(default_factory=dict)


def without_losses(state: State, *, keep_memory: bool) -> State:
    """The state at the start of a training with another loss: nothing that was compared with losses so far.

    `keep_memory` is whether the optimizer remembers slopes alone, and no curvature, which is that of the loss.
    """
    return replace(state, memory=state.memory if keep_memory else {}, first=None, best=None, schedule={})


def nested(value: Any) -> Any:
    """A float or an array as JSON."""
    return np.asarray(value).tolist() if np.ndim(value) else float(value)


def save(path: str, state: State, settings: Mapping[str, Any], kept: Mapping[str, Any] | None = None) -> None:
    """Write the state, and `kept`, the parameters to use, which are those of the state unless others are given.

    The file is replaced as a whole, after the new one is complete on the disk; a pipe or a device is written to directly.
    """
    shown = _nested(state.parameters if kept is None else kept)
    last, best = _nested(state.parameters), state.best
    training: dict[str, Any] = {
        "epochs": state.epochs,
        "steps": state.steps,
        **settings,
        "memory": {n: {k: nested(v) for k, v in memory.items()} for n, memory in state.memory.items() if memory},
        "first": state.first,
    }
    if state.schedule:
        training["schedule_memory"] = dict(state.schedule)
    if last != shown:
        training["last"] = last
    if best is not None:
        least = _nested(best.parameters)
        parameters = {} if least == shown else {"parameters": least}
        held_out = {} if best.validation_loss is None else {"held_out": best.validation_loss}
        training["best"] = {"loss": best.loss, "epoch": best.epoch, **held_out, **parameters}
    text = json.dumps({**shown, KEY: training}, ensure_ascii=False)
    with whole(path) as file:
        file.write(f"{text}\n".encode("utf-8", "surrogateescape"))


def writable(path: str) -> None:
    """Raise AutodiffError at once when the file can't be written later."""
    require_name(path)
    target = path if is_direct(path) else os.path.dirname(os.path.realpath(path))
    reasons = {
        "it is a folder": os.path.isdir(path),
        "there is no such folder": not is_direct(path) and not os.path.isdir(target),
        "you may not write there": not os.access(target, os.W_OK),
    }
    for why, holds in reasons.items():
        if holds:
            raise data_error(f"can't write {quoted(path, 200)}: {why}", hint="name a file in a folder of yours")


def load(path: str, data: Mapping[str, Any]) -> State:
    """The state in a file's JSON object. Parameters alone start at epoch 0."""
    training = data.get(KEY, {})
    try:
        kept = _values({name: value for name, value in data.items() if name != KEY})
        memory = {name: _values(memory) for name, memory in training.get("memory", {}).items()}
        schedule = {key: float(value) for key, value in training.get("schedule_memory", {}).items()}
        last = _values(training["last"]) if "last" in training else kept
        first = None if training.get("first") is None else float(training["first"])
        stored = training.get("best")
        least = None if stored is None else _values(stored["parameters"]) if "parameters" in stored else kept
        validation_loss = None if stored is None or stored.get("held_out") is None else float(stored["held_out"])
        best = None if least is None else Best(float(stored["loss"]), least, int(stored["epoch"]), validation_loss)
        state = State(
            last, memory, int(training.get("steps", 0)), int(training.get("epochs", 0)), first, best, schedule
        )
        shapes = [{n: np.shape(v) for n, v in values.items()} for values in (kept, last, *([least] if least else []))]
    except (TypeError, ValueError, AttributeError, KeyError):
        raise not_saved(path) from None
    if any(other != shapes[0] for other in shapes):
        raise not_saved(path)
    return state


def settings(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a file's JSON object says about how its parameters were trained; empty where it holds parameters alone."""
    training = data.get(KEY, {})
    return training if isinstance(training, dict) else {}


def saved_losses(path: str, data: Mapping[str, Any]) -> dict[str, float | None]:
    """The losses of the last parameters, as `Training.losses` names them; none in a file that has none."""
    try:
        losses = settings(data).get("losses", {})
        return {key: None if losses.get(key) is None else float(losses[key]) for key in ("loss", "held_out") if losses}
    except (TypeError, ValueError, AttributeError):
        raise not_saved(path) from None


def kept_rows(path: str, data: Mapping[str, Any]) -> Kept:
    """What a file's JSON object says about the rows of the training; nothing where it holds parameters alone."""
    try:
        kept = Kept(**data.get(KEY, {}).get("kept", {}))
        return Kept(
            {name: _texts(columns) for name, columns in kept.columns.items()},
            {name: _texts(texts) for name, texts in kept.codes.items()},
            {name: _count(count) for name, count in kept.classes.items()},
            {name: [nested(_value(mean)), nested(_value(size))] for name, (mean, size) in kept.scales.items()},
            {name: float(mean) for name, mean in kept.means.items()},
        )
    except (TypeError, ValueError, AttributeError):
        raise not_saved(path) from None


def _count(count: Any) -> int:
    if not 1 <= index(count) <= MOST_CODES:
        raise ValueError
    return int(count)


def _texts(texts: Any) -> list[str]:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise TypeError
    return texts


def not_saved(path: str) -> AutodiffError:
    """The error for a file that `--save` can't have written."""
    return data_error(f"{quoted(path, 200)} is not what training saved", hint="give a file that --save wrote")


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: nested(value) for name, value in values.items()}


def _values(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in data.items()}


def _value(value: Any) -> Any:
    array = np.array(value, dtype=np.float64)
    if not array.size or not np.all(np.isfinite(array)):
        raise ValueError
    return array if array.ndim else float(array)
