"""A training whose rows are in many parts, which an engine keeps where it read them: each step adds up what the parts send.

    training = PartedTraining(text, PartedTable(task, parts, "20 files"), {"w": 0.0}, Hyperparameters())

Optimizers, endings and files are those of every training; one step taken apart is not there, since no process has all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.arrays.ufuncs import in_pairs
from autodiff.core.evaluate import DomainError
from autodiff.engines.part_sums import LOSS, PartFault, Parts, TrainTask, counts, driver_sweep, part_sums
from autodiff.errors import AutodiffError, data_error, shortened
from autodiff.language.ast import Reading
from autodiff.tables.columns import NumericTable, chosen
from autodiff.tables.text import Table
from autodiff.train.declarations import chooser
from autodiff.train.loop import Hyperparameters
from autodiff.train.minibatch_sweep import Sums, Swept
from autodiff.train.model import Objective, Overflow
from autodiff.train.training import Training


def used_columns(
    table: Table, text: str, parameters: Sequence[str], watch: Sequence[str], readings: list[Reading], *, strict: bool
) -> list[str]:
    """The columns of a table that a training reads, by their names in the program; what it says of others goes to `readings`.

    Raises AutodiffError for a missing one.
    """
    choose = chooser(text, parameters, watch, readings=readings, strict=strict)
    return list(chosen(table, choose, "a parameter is given with --params {}=0".format))


class PartedTable:
    """The parts that an engine keeps, and how many of their rows are trained on and held out.

    Raises AutodiffError where there is no row to train on.
    """

    def __init__(self, task: TrainTask, parts: Parts, name: str) -> None:
        self.task, self.parts, self.name = task, parts, name
        pairs = parts.apply(counts)
        self.rows, self.held_out_rows = (sum(pair[k] for pair in pairs) for k in (0, 1))
        if not self.rows + self.held_out_rows:
            raise data_error(f"{shortened(name, 200)}: there are no rows", hint="add at least one row of numbers")

    def sums(
        self, expression: int, parameters: Mapping[str, Any], *, held_out: bool, slopes: bool
    ) -> tuple[Sums, PartFault | None]:
        """What all parts add up to; the first value that does not exist in one of them."""
        total = self.held_out_rows if held_out else self.rows
        sums = self.parts.apply(part_sums, self.task, expression, dict(parameters), held_out, slopes, total)
        fault = next((part for part in sums if isinstance(part, PartFault)), None)
        return in_pairs([part for part in sums if isinstance(part, Sums)] or [Sums([], [])]), fault


class PartedObjective(Objective):
    """A model whose rows are in parts, those trained on or those `held_out`: its loss and slopes are sums over them.

    `fault_place` is the row of the last error.
    """

    has_rows = False

    def __init__(
        self, over: Objective, parameters: Mapping[str, Any], table: PartedTable, expression: int, *, held_out: bool
    ) -> None:
        super().__init__(over.model, over.columns)
        self.table, self.expression, self.held_out, self.fault_place = table, expression, held_out, ""
        self._sweep = driver_sweep(table.task, expression, parameters)

    @property
    def rows(self) -> int:
        """How many rows the parts have."""
        return self.table.held_out_rows if self.held_out else self.table.rows

    def value(self, parameters: Mapping[str, Any]) -> Any:
        """The last statement where it is a number, without penalties; an array where it is none."""
        swept = self._swept(parameters, slopes=False)
        return swept.value if swept.is_number else np.empty(1)

    def _swept(self, parameters: Mapping[str, Any], *, slopes: bool) -> Swept:
        sums, fault = self.table.sums(self.expression, parameters, held_out=self.held_out, slopes=slopes)
        self.fault_place = "" if fault is None else fault.place
        if fault is not None:
            raise DomainError(fault.node, fault.args, fault.needs)
        swept = self._sweep.combined(parameters, sums, slopes=slopes)
        if swept is None:
            raise DomainError(self.model.lowered.result, ())
        return swept

    def _slopes_of_one_pass(self, parameters: Mapping[str, Any], l1: float) -> tuple[float, dict[str, Any]]:
        """Raise the error alone: no process has all rows to find the equation that overflows."""
        slopes = self._swept(parameters, slopes=True).slopes
        name = next(name for name in parameters if not np.all(np.isfinite(slopes.get(name, 0.0))))
        raise Overflow(name, self.model.lowered.result)


class PartedTraining(Training):
    """A training over parts. Raises AutodiffError for a program whose rows meet otherwise than in sums and means."""

    def __init__(
        self,
        text: str,
        table: PartedTable,
        parameters: Mapping[str, Any],
        plan: Hyperparameters,
        *,
        names: Sequence[str],
        **options: Any,
    ) -> None:
        like = NumericTable(table.name, {name: np.ones(1) for name in names}, range(1))
        super().__init__(text, like, parameters, plan, holdout=0.0, explain=None, **options)
        if not table.rows:
            raise AutodiffError("--holdout leaves no row to train on", hint="give a smaller share, such as 0.2")

        def over(objective: Objective, expression: int, *, held_out: bool) -> Objective:
            return PartedObjective(objective, parameters, table, expression, held_out=held_out)

        watched = list(enumerate(self._watched.items()))
        self.validation = over(self.trained, LOSS, held_out=True) if table.held_out_rows else None
        self.trained = over(self.trained, LOSS, held_out=False)
        self._watched = {text: over(objective, k, held_out=False) for k, (text, objective) in watched}
        if self.validation is not None:
            self._validation_watched = {text: over(objective, k, held_out=True) for k, (text, objective) in watched}

    def _row(self, cause: DomainError, rows: Sequence[int]) -> str:
        place = self.trained.fault_place if isinstance(self.trained, PartedObjective) else ""
        return f" ({place})" if place else ""
