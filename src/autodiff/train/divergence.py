"""A step of a training that has no loss or no slope: the exception, and the error that says which value is missing and why."""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import hint, outside, written
from autodiff.errors import HARD_POINT, AutodiffError
from autodiff.train.checkpoint import State
from autodiff.train.model import Overflow


class Diverged(Exception):
    """A step whose loss or slope does not exist.

    `state` is the last one with a loss, and `moved` whether a step was taken from there; `cause` is the value that does not
    exist, `rows` are the rows of the table in the step.
    """

    def __init__(self, state: State, cause: DomainError | Overflow, rows: Sequence[int], *, moved: bool) -> None:
        super().__init__(state.steps)
        self.state, self.cause, self.rows, self.moved = state, cause, rows, moved


def divergence_error(trouble: Diverged, lowered: Lowered, active: Sequence[object], place: str) -> AutodiffError:
    """The error of a divergence; `active` says which equations depend on a parameter, `place` where in the table it is."""
    step, cause = trouble.state.steps, trouble.cause
    why = outside(lowered, cause, {}) if isinstance(cause, DomainError) else _overflow(lowered, cause)
    what, hints = f"the training diverged in step {step + 1}", [""]
    if not trouble.moved:
        what = "there is no loss to start from"
        hints = ["start from other parameters"]
        if isinstance(cause, DomainError):
            of_columns = "no parameter changes that: leave the row or the column out"
            hints = [of_columns if _is_of_columns(lowered, active, cause) else hints[0], hint(lowered, cause)]
    return lowered.error(cause.node, f"{what}: {why}{place}", "; ".join(filter(None, hints)), HARD_POINT)


def _overflow(lowered: Lowered, cause: Overflow) -> str:
    """What is beyond float64, in words."""
    if cause.name:
        return f"the slope in {cause.name} overflows from {written(lowered, cause.node)} on"
    return "the loss overflows: with its penalties it is beyond 1.8e308"


def _is_of_columns(lowered: Lowered, active: Sequence[object], cause: DomainError) -> bool:
    """Whether what a value lacks depends on no parameter."""
    row, args = lowered.graph.rows[cause.node], lowered.graph.args[cause.node]
    if row is None or not cause.needs:
        return not active[cause.node]
    needed = [arg for name, arg in zip(row.params, args, strict=True) if f"#{name}" in cause.needs] or args
    return not any(active[arg] for arg in needed)
