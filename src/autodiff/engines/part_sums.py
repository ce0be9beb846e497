"""(parameters, rows) → (count, sums of losses, sums of slopes): the plain function of a training that every engine runs over parts.

    rows = load_part(task, file)                     # once; the rows stay where they were read
    part_sums(rows, task, -1, {"w": 0.5}, False, True, rows.count(False))

What a part adds depends on its rows, the parameters and the number of all rows alone; the sums are added in the order of
the parts, in pairs, whoever computed them. So the numbers are the same, bit for bit, on one process or on a cluster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any, Protocol, TypeVar

import numpy as np

from autodiff.arrays import algebra
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import lower
from autodiff.diagnostics import written
from autodiff.errors import AutodiffError, Span, quoted, shortened
from autodiff.tables.columns import NumericTable, program_names, rows_of
from autodiff.tables.inputs import InputFile, opened_file, require_columns
from autodiff.train.declarations import Declared, chooser, declarations_of_rows, declared, taken, with_matrices
from autodiff.train.minibatch_sweep import FEWEST, Sums, Sweep, SweepPlan, plan
from autodiff.train.model import CONVENTION, Model, Objective
from autodiff.train.row_axis import PROBES, mixing_equations, row_axes

T = TypeVar("T")

LOSS = -1
"""The number of the program among a task's expressions; the watched ones are 0, 1, …"""

_TRIAL = 2 * FEWEST + 5
"""Rows of such a table: as many as no array of a program has."""


@dataclass(frozen=True, slots=True)
class TrainTask:
    """What is trained on the rows of many files.

    program     its text; `watch` are expressions behind it
    parameters  their names
    columns     the names of the first file's columns, which each file has; `first` is that file's name
    form        the format of the files; None where their names tell
    holdout     the share of rows that are held out, chosen by a hash of the seed, the file and the row
    """

    program: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]
    first: str
    form: str | None = None
    watch: tuple[str, ...] = ()
    holdout: float = 0.0
    seed: int = 0
    strict: bool = False


@dataclass(frozen=True, slots=True)
class PartRows:
    """The rows of a part: those that are trained on, and those held out, by False and True.

    places  the rows of the file that they are; `objectives` keeps the losses over them, with what depends on no parameter
    """

    table: NumericTable
    columns: Mapping[bool, Mapping[str, Any]]
    places: Mapping[bool, Any]
    objectives: dict[tuple[int, bool], Objective] = field(default_factory=dict, repr=False)

    def count(self, held_out: bool) -> int:
        """How many rows there are."""
        return len(self.places[held_out])


@dataclass(frozen=True, slots=True)
class PartFault:
    """A value that does not exist in a part: its equation, as DomainError has it, and the row that it is in."""

    node: int
    args: tuple[float, ...]
    needs: str
    place: str


class Parts(Protocol):
    """The parts of a table where an engine keeps them."""

    def apply(self, function: Callable[..., T], *arguments: Any) -> list[T]:
        """The function's results over the parts, in order."""


def load_part(task: TrainTask, file: InputFile) -> PartRows:
    """Read a part. Raises AutodiffError (exit status 4) for a row without numbers, and for columns that are not the first file's."""
    choose = chooser(task.program, task.parameters, task.watch)
    with opened_file(file, task.form) as table:
        require_columns(table, task.columns, task.first)
        otherwise = "a parameter is given with --params {}=0".format
        rows, _ = rows_of([table], choose, otherwise, texts=False, empty=True)
    held_out = held_out_rows(task, file.name, len(rows))
    places = {False: np.flatnonzero(~held_out), True: np.flatnonzero(held_out)}
    whole = with_matrices(rows.columns, matrices_of(task))
    columns = {side: taken(whole, where) if task.holdout else whole for side, where in places.items()}
    return PartRows(rows, columns, places)


def counts(rows: PartRows) -> tuple[int, int]:
    """How many rows of a part are trained on, and how many are held out."""
    return rows.count(False), rows.count(True)


def held_out_rows(task: TrainTask, name: str, rows: int) -> Any:
    """Which rows of a file are held out: those whose hash is among the least; the same whoever reads them, in any order.

    The hash is splitmix64 of the row, from a beginning that is a hash of the seed and the file's name.
    """
    if not task.holdout:
        return np.zeros(rows, bool)
    start = int.from_bytes(blake2b(f"{task.seed}\n{name}".encode("utf-8", "surrogateescape"), digest_size=8).digest())
    with np.errstate(over="ignore"):
        mixed = np.arange(1, rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(float) * 2.0**-53 < task.holdout


def part_sums(
    rows: PartRows,
    task: TrainTask,
    expression: int,
    parameters: Mapping[str, Any],
    held_out: bool,
    slopes: bool,
    total: int,
) -> Sums | PartFault | None:
    """What a part adds to the sums of an expression over `total` rows; None for a part without rows."""
    count = rows.count(held_out)
    if not count:
        return None
    with _one_thread():
        key = expression, held_out
        objective = rows.objectives.setdefault(key, model_of(task, expression).over(rows.columns[held_out]))
        try:
            if objective.fixed is not None:
                sweep_plan = part_plan(task, expression, parameters)
                sums = Sweep(sweep_plan, objective.fixed, count, CONVENTION).sums(parameters, slopes=slopes, rows=total)
                if all(map(math.isfinite, sums.ends)):
                    return sums
        except DomainError:
            pass
        return _fault(objective, rows, parameters, held_out)


def _fault(objective: Objective, rows: PartRows, parameters: Mapping[str, Any], held_out: bool) -> PartFault:
    """Which value of a part does not exist, and in which row."""
    try:
        objective.run(parameters)
    except DomainError as error:
        axes = [k for k, size in enumerate(error.wide) if size == rows.count(held_out)]
        row = int(rows.places[held_out][error.place[axes[0]]]) if axes and error.place else None
        return PartFault(error.node, error.args, error.needs, "" if row is None else rows.table.place(row))
    raise AutodiffError(
        "a column has no value in a branch that is not taken, which a training over parts can't leave out",
        hint="train on one file",
    )


@lru_cache(maxsize=8)
def declared_of(task: TrainTask, expression: int) -> Declared:
    """An expression of the task over its columns, read once in a process.

    Raises AutodiffError for one that needs all rows before the first step.
    """
    behind = [] if expression == LOSS else [task.watch[expression]]
    names = list(program_names(task.columns))
    program = declared(task.program, names, task.parameters, behind=behind, strict=task.strict)
    for node in declarations_of_rows(program):
        text = shortened(program.program.source[slice(*node.span)])
        raise _not_by_parts(f"{text} needs all rows before the first step", node.span, program.program.source)
    return program


@lru_cache(maxsize=8)
def model_of(task: TrainTask, expression: int) -> Model:
    """The model of an expression of the task, made once in a process."""
    return Model(lower(declared_of(task, expression).program), task.parameters)


def matrices_of(task: TrainTask) -> dict[str, tuple[str, ...]]:
    """The columns of each `columns(…)` of the task."""
    return {
        k: v for expression in range(LOSS, len(task.watch)) for k, v in declared_of(task, expression).matrices.items()
    }


_PLANS: dict[Any, SweepPlan] = {}
"""Plans by task, expression and shapes of the parameters; few, as a process works for few trainings."""


def part_plan(task: TrainTask, expression: int, parameters: Mapping[str, Any]) -> SweepPlan:
    """How to compute an expression over parts. Raises AutodiffError where rows meet otherwise than in sums and means."""
    key = task, expression, tuple((name, np.shape(value)) for name, value in parameters.items())
    if key not in _PLANS:
        _PLANS[key] = _planned(task, expression, parameters)
    return _PLANS[key]


def driver_sweep(task: TrainTask, expression: int, parameters: Mapping[str, Any]) -> Sweep:
    """The sweep that combines the sums of the parts; it has no rows of its own."""
    sweep_plan = part_plan(task, expression, parameters)
    model = model_of(task, expression)
    for number in PROBES:
        fixed = model.fixed(_probe(task, model, number, _TRIAL))
        if fixed is not None:
            return Sweep(sweep_plan, fixed, _TRIAL, CONVENTION)
    raise AssertionError("a plan was made from one of these numbers")


def _planned(task: TrainTask, expression: int, parameters: Mapping[str, Any]) -> SweepPlan:
    model = model_of(task, expression)
    lowered = model.lowered
    for start in (parameters, {name: np.full(np.shape(value), 0.5)[()] for name, value in parameters.items()}):
        for number in PROBES:
            with suppress(DomainError):
                _require_rows_apart(task, model, start, number)
                fixed = model.fixed(_probe(task, model, number, _TRIAL))
                sweep_plan = None if fixed is None else plan(lowered, fixed, start, _TRIAL, CONVENTION)
                if sweep_plan is not None:
                    return sweep_plan
    what = written(lowered, lowered.result) if expression == LOSS else quoted(task.watch[expression])
    why = f"in {what} rows meet otherwise than in sums and means"
    raise _not_by_parts(why, lowered.graph.spans[lowered.result], lowered.source)


def _require_rows_apart(task: TrainTask, model: Model, parameters: Mapping[str, Any], number: float) -> None:
    """Raise AutodiffError for a value that is computed from several rows before the parameters come in, such as a column's mean."""
    lowered = model.lowered
    order = [node for node in lowered.graph.reaching(lowered.result) if not model.active[node]]

    def values(rows: int) -> Sequence[Any]:
        point = {**_probe(task, model, number, rows), **parameters}
        return algebra.evaluate(lowered, point, results=order[-1:], order=order).values

    axes = row_axes(values, order)
    for node in mixing_equations(lowered.graph, order, axes):
        why = f"{written(lowered, node)} is computed from several rows"
        raise _not_by_parts(why, lowered.graph.spans[node], lowered.source)


def _not_by_parts(why: str, span: Span, source: str) -> AutodiffError:
    hint = "leave --engine out: the files are then read as one table"
    return AutodiffError(f"{why}, so the parts of a table can't be summed up", span=span, source=source, hint=hint)


def _probe(task: TrainTask, model: Model, number: float, rows: int) -> dict[str, Any]:
    """Columns and matrices of rows that hold this number."""
    wide = {name: (rows, len(columns)) for name, columns in matrices_of(task).items()}
    names = [name for name in model.lowered.inputs if name not in task.parameters]
    return {name: np.full(wide.get(name, (rows,)), number) for name in names}


_THREADS = {"users": 0, "limit": None}
_LOCK = Lock()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Within it, BLAS uses one thread, where threadpoolctl is installed: how sums are split must not depend on the machine."""
    with _LOCK:
        _THREADS["users"] += 1  # type: ignore[operator]
        if _THREADS["users"] == 1:
            _THREADS["limit"] = _limited()
    try:
        yield
    finally:
        with _LOCK:
            _THREADS["users"] -= 1  # type: ignore[operator]
            if not _THREADS["users"] and _THREADS["limit"] is not None:
                _THREADS["limit"].restore_original_limits()  # type: ignore[attr-defined]


def _limited() -> Any:
    controller = _controller()
    return None if controller is None else controller.limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _controller() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
