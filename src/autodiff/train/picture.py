"""What a picture of a training shows beside its losses: the rows, and what is predicted between them.

It is there for a program whose loss is one of the prelude, such as `L = mse(y, p)`, and a prediction that needs one column of
the table, or two where the loss tells two classes apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.core import prelude
from autodiff.errors import AutodiffError, shortened
from autodiff.language.ast import Call, walk
from autodiff.train.declarations import declared
from autodiff.train.prediction import Outputs
from autodiff.train.training import Training

ALONG, ACROSS = 400, 120
"""Places at which the prediction is computed: along one column, and along each of two."""

BESIDE = 0.05
"""How far they go on beside the rows, in parts of their range."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """The rows over one or two `columns`, and the prediction over evenly spaced places.

    rows       the numbers of each column
    name       what is predicted, and `target` its number in each row
    places     for one column its places, for two those along each
    predicted  the prediction at the places; by rows of the second column where there are two
    level      the prediction at which two classes part, None for one column
    """

    columns: Sequence[str]
    rows: Sequence[Any]
    name: str
    target: Any
    places: Sequence[Any]
    predicted: Any
    level: float | None


def predicted(training: Training, parameters: Mapping[str, Any]) -> Predicted | None:
    """What such a picture shows with these parameters; None where the program or the table is another one."""
    try:
        return None if training.table is None else _predicted(training, training.table.columns, parameters)
    except AutodiffError:  # one that a row alone has no prediction of
        return None


def _predicted(training: Training, columns: Mapping[str, Any], parameters: Mapping[str, Any]) -> Predicted | None:
    program = declared(training.text, list(columns), parameters, training.kept).program
    calls = [node for node in walk(program.statements[-1].children()) if isinstance(node, Call)]
    call = next((node for node in calls if prelude.loss(node.name) is not None and len(node.args) > 1), None)
    if call is None:
        return None
    loss, texts = prelude.loss(call.name), [program.source[slice(*arg.span)] for arg in call.args[:2]]
    goal, outputs = (Outputs(training.text, [text], parameters, list(columns), training.kept) for text in texts)
    across = outputs.inputs
    level = float(loss.level) if loss is not None and loss.level else None
    if not (len(across) == 1 or (len(across) == 2 and level is not None)):
        return None
    rows = [np.asarray(columns[name], float) for name in across]
    places = [_places(column, ALONG if len(rows) == 1 else ACROSS) for column in rows]
    grid = [axis.ravel() for axis in np.meshgrid(*places)]
    drawn, _ = outputs.of_rows(dict(zip(across, grid, strict=True)), len(grid[0]))
    target, _ = goal.of_rows({name: np.asarray(columns[name], float) for name in goal.inputs}, len(rows[0]))
    if len(drawn) != 1 or len(target) != 1:
        return None
    (values,), (numbers,) = drawn.values(), target.values()
    shape = [len(axis) for axis in reversed(places)]
    return Predicted(
        across, rows, shortened(texts[0]), numbers, places, values.reshape(shape), level if len(across) == 2 else None
    )


def _places(column: Any, number: int) -> Any:
    low, high = float(np.nanmin(column)), float(np.nanmax(column))
    room = BESIDE * (high - low) or 0.5 * max(abs(low), 1.0)
    return np.linspace(low - room, high + room, number)
