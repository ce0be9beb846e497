"""What a training reports: a record of each epoch, and one step taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What is reported of an epoch.

    loss     of the rows trained on, as the epoch's steps saw them, before each update
    validation_loss  of the rows held out, after the epoch; None when there are none
    watched  the value of each watched expression over the rows trained on, after the epoch
    validation_watched  the same over the rows held out; empty when there are none
    """

    epoch: int
    loss: float
    validation_loss: float | None = None
    watched: Mapping[str, float | None] = field(default_factory=dict)
    validation_watched: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One step, taken apart: forward pass, loss, backward pass, update.

    number      of the step, from 1
    rows        how many rows it uses
    parameters  before the step
    columns     the data of its rows
    values      (name, text, value) of each statement, in order; the loss is the last one
    loss        the number that descends: the mean of the last statement, and penalties
    adjoints    the slope of the loss in each statement that it depends on
    slopes      the slope of the loss in each parameter
    updated     the parameters after the step; empty before it, for an optimizer whose update is not a rule of one parameter
    """

    number: int
    rows: int
    parameters: Mapping[str, Any]
    columns: Mapping[str, Any]
    values: Sequence[tuple[str, str, Any]]
    loss: float
    adjoints: Mapping[str, Any]
    slopes: Mapping[str, Any]
    updated: Mapping[str, Any]
