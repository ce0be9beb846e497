"""`autodiff predict`: the rows of the tables as `eval --data` has them, with names of a trained program as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodiff.batch.parts import PartTask
from autodiff.cli import options
from autodiff.cli.rows import RowsCommand
from autodiff.engines.predicted_parts import outputs_of, predict_task
from autodiff.errors import AutodiffError, quoted, shortened
from autodiff.tables.inputs import InputFile
from autodiff.tables.text import Table


class PredictedRows(RowsCommand):
    """One run of `predict`; `given` has what the training kept of its rows, and the names that were typed with --at."""

    def __init__(
        self, text: str, files: Sequence[InputFile], parameters: Mapping[str, Any], given: Mapping[str, Any], *,
        strict: bool,
    ) -> None:  # fmt: skip
        super().__init__(text, files, None, parameters, {**given, "summary": False, "exact": False}, strict=strict)

    @property
    def reads_texts(self) -> bool:
        return bool(self.given["keep"] or self.given["kept"].codes)

    def task_for(self, first: Table) -> PartTask:
        task = predict_task(self.fixed, self.given["kept"], of=tuple(self.given["of"]), **self.fields_of_task(first))
        outputs = outputs_of(task)
        known = outputs.lowered.inputs
        if unknown := [name for name in self.given["typed"] if name not in known]:
            raise AutodiffError(
                f"--at gives {quoted(unknown[0])}, which is not an input of this program",
                hint=f"its inputs are {', '.join(map(shortened, known[:12]))}",
            )
        options.notices(outputs.readings)
        return task
