"""Parameters in a file: a JSON object that `eval --at @FILE` reads, written so that it is always the old or the new one.

The key `#training`, which no name can be, holds what going on needs: the epochs done and the optimizer's memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.errors import DATA, AutodiffError, quoted
from autodiff.tables.atomic_file import is_direct, whole

KEY = "#training"


@dataclass(frozen=True, slots=True)
class State:
    """Where a training stands: its parameters, the optimizer's memory of each, steps and epochs done."""

    parameters: Mapping[str, Any]
    memory: Mapping[str, Mapping[str, Any]]
    steps: int = 0
    epochs: int = 0


def nested(value: Any) -> Any:
    """A float or an array as JSON."""
    return np.asarray(value).tolist() if np.ndim(value) else float(value)


def save(path: str, state: State, settings: Mapping[str, Any]) -> None:
    """Write the state. The file is replaced as a whole, after the new one is complete on the disk; what is no file is written to."""
    training = {
        "epochs": state.epochs,
        "steps": state.steps,
        **settings,
        "memory": {n: {k: nested(v) for k, v in kept.items()} for n, kept in state.memory.items() if kept},
    }
    text = json.dumps({**{n: nested(v) for n, v in state.parameters.items()}, KEY: training}, ensure_ascii=False)
    with whole(path) as file:
        file.write(f"{text}\n".encode("utf-8", "surrogateescape"))


def writable(path: str) -> None:
    """Raise AutodiffError at once when the file can't be written later."""
    target = path if is_direct(path) else os.path.dirname(os.path.realpath(path))
    if not (is_direct(path) or os.path.isdir(target)) or not os.access(target, os.W_OK) or os.path.isdir(path):
        raise AutodiffError(f"can't write {quoted(path, 200)}: there is no such folder to write to", exit_status=DATA)


def load(path: str, data: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[State, list[str]]:
    """The state in a file's JSON object, and in which settings it was made otherwise. Parameters alone start at epoch 0."""
    training = data.get(KEY, {})
    try:
        parameters = {name: _value(value) for name, value in data.items() if name != KEY}
        differ = [key for key, value in settings.items() if key in training and training[key] != value]
        memory = {n: {k: _value(v) for k, v in kept.items()} for n, kept in training.get("memory", {}).items()}
        return State(parameters, memory, int(training.get("steps", 0)), int(training.get("epochs", 0))), differ
    except (TypeError, ValueError, AttributeError):
        raise AutodiffError(
            f"{quoted(path, 200)} is not what training saved", exit_status=DATA, hint="give a file that --save wrote"
        ) from None


def _value(value: Any) -> Any:
    found = np.array(value, dtype=np.float64)
    if not np.all(np.isfinite(found)):
        raise ValueError
    return found if found.ndim else float(found)
