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

from autodiff.batch.parts import PartTask
from autodiff.batch.table import Count
from autodiff.tables.columns import program_names
from autodiff.tables.text import Table
from autodiff.train.checkpoint import nested
from autodiff.train.declarations import Kept
from autodiff.train.predicted_rows import predictions
from autodiff.train.prediction import Outputs


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


def predict_task(parameters: Mapping[str, Any], kept: Kept | None, **fields: Any) -> PredictTask:
    """The task with these parameters."""
    values = {name: nested(value) for name, value in parameters.items()}
    return PredictTask(parameters=json.dumps(values), kept=json.dumps(asdict(kept or Kept())), **fields)


@lru_cache(maxsize=2)
def outputs_of(task: PredictTask) -> Outputs:
    """The outputs of a task; made once in a process. Raises AutodiffError for an output that the program does not have."""
    parameters = {n: np.array(v) if isinstance(v, list) else v for n, v in json.loads(task.parameters).items()}
    names = list(program_names(task.columns))
    return Outputs(task.program, task.of, parameters, names, Kept(**json.loads(task.kept)), strict=task.strict)
