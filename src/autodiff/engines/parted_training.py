"""A training whose rows are in many parts, which an engine keeps where it read them: each step adds up what the parts send.

    training = PartedTraining(text, PartedTable(task, parts, "20 files"), {"w": 0.0}, Hyperparameters())

Optimizers, endings and files are those of every training; one step taken apart is not there, since no process has all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.core.evaluate import DomainError
from autodiff.engines.part_sums import LOSS, PartFault, Parts, TrainTask, added, counts, driver_sweep, part_sums
from autodiff.errors import DATA, AutodiffError, shortened
from autodiff.tables.columns import NumericTable, missing, program_names
from autodiff.tables.text import Table
from autodiff.train.declarations import chooser
from autodiff.train.loop import Hyperparameters
from autodiff.train.minibatch_sweep import Sums, Swept
from autodiff.train.model import Model, Overflow
from autodiff.train.training import Training


def used_columns(table: Table, text: str, parameters: Sequence[str], watch: Sequence[str]) -> list[str]:
    """The columns of a table that a training reads, by their names in the program. Raises AutodiffError for a missing one."""
    known = program_names(table.names)
    wanted = chooser(text, parameters, watch)(known)
    for name in wanted:
        if name not in known:
            raise missing(table, name, f"a parameter is given with --params {name}=0")
    return list(wanted)


class PartedColumns(Mapping[str, Any]):
    """The names of columns that are elsewhere, each with as many numbers as there are rows: trained on, or held out."""

    def __init__(self, names: Sequence[str], rows: int, *, held: bool) -> None:
        self.names, self.rows, self.held = names, rows, held

    def __getitem__(self, name: str) -> range:
        if name not in self.names:
            raise KeyError(name)
        return range(self.rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class PartedTable:
    """The parts that an engine keeps, and how many of their rows are trained on and held out.

    Raises AutodiffError where there is no row to train on.
    """

    def __init__(self, task: TrainTask, parts: Parts, name: str) -> None:
        self.task, self.parts, self.name = task, parts, name
        pairs = parts.apply(counts)
        self.rows, self.held_rows = (sum(pair[k] for pair in pairs) for k in (0, 1))
        if not self.rows + self.held_rows:
            raise AutodiffError(
                f"{shortened(name, 200)}: there are no rows", exit_status=DATA, hint="add at least one row of numbers"
            )

    def sums(
        self, expression: int, parameters: Mapping[str, Any], *, held: bool, slopes: bool
    ) -> tuple[Sums, PartFault | None]:
        """What all parts add up to; the first value that does not exist in one of them."""
        total = self.held_rows if held else self.rows
        sums = self.parts.apply(part_sums, self.task, expression, dict(parameters), held, slopes, total)
        fault = next((part for part in sums if isinstance(part, PartFault)), None)
        return added([part for part in sums if isinstance(part, Sums)] or [Sums({}, {})]), fault


class PartedModel(Model):
    """A model whose rows are in parts: its losses and slopes are sums over them. `fault_place` is the row of the last error."""

    def __init__(self, model: Model, parameters: Mapping[str, Any], table: PartedTable, expression: int = LOSS) -> None:
        super().__init__(model.lowered, parameters, model.l1, model.l2)
        self.table, self.expression, self.fault_place = table, expression, ""
        self.sweep = driver_sweep(table.task, expression, parameters)

    def slopes(
        self,
        parameters: Mapping[str, Any],
        columns: Mapping[str, Any],
        fixed: Mapping[int, Any] | None = None,
        *,
        proximal: bool = False,
    ) -> tuple[float, dict[str, Any]]:
        """The loss, and its slope in each parameter, as of Model."""
        swept, l1 = self._swept(parameters, columns, slopes=True), 0.0 if proximal else self.l1
        gradient = {name: self._slope(swept.slopes.get(name), value, l1) for name, value in parameters.items()}
        for name, slope in gradient.items():
            if not np.all(np.isfinite(slope)):
                raise Overflow(name, self.lowered.result)
        return swept.value + self._penalty(parameters), gradient

    def loss(
        self, parameters: Mapping[str, Any], columns: Mapping[str, Any], fixed: Mapping[int, Any] | None = None
    ) -> float:
        """The loss alone."""
        return self._swept(parameters, columns, slopes=False).value + self._penalty(parameters)

    def value(
        self, parameters: Mapping[str, Any], columns: Mapping[str, Any], fixed: Mapping[int, Any] | None = None
    ) -> Any:
        """The last statement where it is a number, without penalties; an array where it is none."""
        return self._swept(parameters, columns, slopes=False).value if self.sweep.plan.number else np.empty(1)

    def fixed(self, columns: Mapping[str, Any]) -> dict[int, Any] | None:
        """Nothing: the parts keep what depends on no parameter."""
        return {}

    def _swept(self, parameters: Mapping[str, Any], columns: Mapping[str, Any], *, slopes: bool) -> Swept:
        held = isinstance(columns, PartedColumns) and columns.held
        sums, fault = self.table.sums(self.expression, parameters, held=held, slopes=slopes)
        self.fault_place = "" if fault is None else fault.place
        if fault is not None:
            raise DomainError(fault.node, fault.args, fault.needs)
        swept = self.sweep.combined(parameters, sums, slopes=slopes)
        if swept is None:
            raise DomainError(self.lowered.result, ())
        return swept


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
        used = list(self.columns)
        self.columns = PartedColumns(used, table.rows, held=False)
        self.held = PartedColumns(used, table.held_rows, held=True) if table.held_rows else None
        if not table.rows:
            raise AutodiffError("--holdout leaves no row to train on", hint="give a smaller share, such as 0.2")
        self._kept = range(table.rows)
        self.model = PartedModel(self.model, parameters, table)
        self._watched = {
            expression: PartedModel(model, parameters, table, k)
            for k, (expression, model) in enumerate(self._watched.items())
        }

    def _row(self, cause: DomainError, rows: Sequence[int]) -> str:
        place = self.model.fault_place if isinstance(self.model, PartedModel) else ""
        return f" ({place})" if place else ""
