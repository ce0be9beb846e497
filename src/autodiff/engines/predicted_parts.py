"""Predictions of a trained program, a file at a time: the task that every engine runs over parts.

    answer_part(task, file, "predicted/a.csv")     # the predictions for a file's rows in that file, and their count

A task is text, so that it is all that another process needs beside the address of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autodiff.batch.compile import INPUT
from autodiff.batch.parts import PartTask
from autodiff.batch.table import Count, columns_of, require_free
from autodiff.errors import HARD_POINT, AutodiffError, data_error, quoted, shortened
from autodiff.tables.cells import MISSING
from autodiff.tables.columns import NEW_TEXT, program_names, row_fault
from autodiff.tables.text import Chunk, Statuses, Table, text_of
from autodiff.train.checkpoint import nested
from autodiff.train.declarations import Kept
from autodiff.train.prediction import Outputs


def predictions(
    table: Table, outputs: Outputs, count: Count, *, kept: Sequence[str] = (), fail_fast: bool = False
) -> Iterator[dict[str, Sequence[Any]]]:
    """The rows' outputs, chunk by chunk, as columns: the outputs (NaN for none), status; behind the table's columns `kept`.

    Raises AutodiffError where the table can't be read on and, with `fail_fast`, at the first row that is not ok.
    """
    of = columns_of(table, outputs.inputs, outputs.parameters)
    read = list(dict.fromkeys(of.values()))
    for chunk in table.chunks([*dict.fromkeys([*kept, *read])] if kept else read):
        rows, usable = len(chunk.lines), np.ones(len(chunk.lines), bool)
        numbers = {name: _numbers(chunk, column, name, outputs.kept) for name, column in of.items()}
        for column in numbers.values():
            usable &= np.isfinite(column)
        usable[list(chunk.faults)] = False
        good = np.flatnonzero(usable)
        numbers = {name: column[good] for name, column in numbers.items()}
        values, lacking = outputs.of_rows(numbers, len(good))
        hard = {int(row): INPUT for row in np.flatnonzero(~usable)} | {int(good[k]): s for k, s in lacking.items()}
        stop = min(hard, default=rows) if fail_fast else rows
        whole: dict[str, Any] = {name: np.full(rows, np.nan) for name in values}
        for name, column in values.items():
            whole[name][good] = column
        if kept:
            require_free(table.name, kept, [*whole, "status"])
        status = Statuses(rows, dict(sorted(hard.items()))).before(stop)
        count.add(table, chunk, status, [column for name, column in of.items() if name not in outputs.kept.codes])
        count.fault = count.fault or _unknown_text(table, chunk, of, outputs.kept, stop, named=count.named)
        cells = {name: chunk.cells[name][:stop] for name in kept}
        shown = {name: _texts(column[:stop], outputs.kept.codes.get(name)) for name, column in whole.items()}
        yield {**cells, **shown, "status": status}
        if stop < rows:
            place = f"{shortened(table.name, 200)}, {table.unit} {chunk.lines[stop]}"
            unknown = _unknown_text(table, chunk, of, outputs.kept, stop + 1, named=False)
            if hard[stop] == INPUT and unknown:
                raise data_error(f"{shortened(table.name, 200)}, {unknown}")
            if hard[stop] == INPUT and not usable[stop]:
                raise row_fault(table, chunk, stop, read)
            if hard[stop] == INPUT:
                raise data_error(f"{place}: a class or an index that the training did not have")
            why, span = outputs.fault(numbers, int(np.searchsorted(good, stop)))
            source = outputs.lowered.source
            raise AutodiffError(f"{place}: {why}", exit_status=HARD_POINT, span=span, source=source)
    if not count.rows:
        yield dict.fromkeys((*kept, *outputs.names, "status"), ())


def _numbers(chunk: Chunk, column: str, name: str, kept: Kept) -> Any:
    """A column as numbers: codes of texts as in the training, and the mean there for a missing cell if it was so there."""
    cells = chunk.cells[column]
    numbers = np.array(chunk.read(cells), float)
    if name in kept.codes:
        codes = {text: float(k) for k, text in enumerate(kept.codes[name])}
        return np.array([codes.get(text_of(cell), np.nan) for cell in cells])
    if name in kept.means:
        lacking = np.flatnonzero(~np.isfinite(numbers))
        numbers[[row for row in lacking.tolist() if text_of(cells[row]) in MISSING]] = kept.means[name]
    return numbers


def _unknown_text(table: Table, chunk: Chunk, of: Mapping[str, str], kept: Kept, rows: int, *, named: bool) -> str:
    """What is wrong with the first of these rows that has a text which no row of the training had; "" where all are known."""
    file = f" of {shortened(table.name, 200)}" if named else ""
    for name in (name for name in of if name in kept.codes):
        known = {"", *kept.codes[name]}
        for row, cell in enumerate(chunk.cells[of[name]][:rows]):
            if text_of(cell) not in known:
                place = f"{table.unit} {chunk.lines[row]}{file}, column {quoted(of[name])}"
                return f"{place}: {NEW_TEXT.format(quoted(text_of(cell)))}"
    return ""


def _texts(numbers: Any, texts: Sequence[str] | None) -> Any:
    """The column of an output; one with the name of a column of texts has texts for its codes."""
    if texts is None:
        return numbers
    return [texts[int(code)] if code in range(len(texts)) else None for code in numbers.tolist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictTask(PartTask):
    """Names and expressions, `of`, of every row.

    parameters  the values of the parameters, and `kept` what the rows of the training decided, as JSON
    """

    of: tuple[str, ...]
    parameters: str
    kept: str

    @property
    def reads_texts(self) -> bool:
        return self.keep or bool(json.loads(self.kept)["codes"])

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "program": self.program, "of": list(self.of), "at": json.loads(self.parameters), "keep": self.keep,
            "format": self.to, "kept": json.loads(self.kept),
        }  # fmt: skip

    def answers(self, table: Table, count: Count, kept: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        yield from predictions(table, outputs_of(self), count, kept=kept, fail_fast=self.fail_fast)


def predict_task(parameters: Mapping[str, Any], kept: Kept, **fields: Any) -> PredictTask:
    """The task with these parameters."""
    values = {name: nested(value) for name, value in parameters.items()}
    return PredictTask(parameters=json.dumps(values), kept=json.dumps(asdict(kept)), **fields)


@lru_cache(maxsize=2)
def outputs_of(task: PredictTask) -> Outputs:
    """The outputs of a task; made once in a process. Raises AutodiffError for an output that the program does not have."""
    parameters = {n: np.array(v) if isinstance(v, list) else v for n, v in json.loads(task.parameters).items()}
    names = list(program_names(task.columns))
    return Outputs(task.program, task.of, parameters, names, Kept(**json.loads(task.kept)), strict=task.strict)
