"""What a fit reads of its table: the columns of the model, and the target as an expression of them.

>>> numbers_of_target("2*y", {"y": np.array([1.0, 2.0])})
array([2., 4.])
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.api.elementwise_view import numbers_of
from autodiff.api.reduction_notes import reduced
from autodiff.batch.compile import compiled
from autodiff.core import rules
from autodiff.core.lowering import lower
from autodiff.diagnostics import listed, written
from autodiff.errors import data_error, did_you_mean, quoted, shortened
from autodiff.language.ast import CONSTANTS, ParsedProgram, Reading
from autodiff.language.parser import parse


def require_rows_apart(program: ParsedProgram, columns: Collection[str]) -> None:
    """Raise AutodiffError for a reduction of a column, such as mean(x), which over a single row would be x itself."""
    numbers = numbers_of(program)
    graph = numbers.written.graph
    for node in reduced(numbers):
        names = [graph.inputs[n] for n in graph.reaching(node) if n in graph.inputs]
        name = next((name for name in names if name in columns), None)
        if name is not None:
            raise numbers.written.error(
                node,
                f"{shortened(written(numbers.written, node))} would be of the whole column {quoted(name)}, and a model is of one row",
                "compute it before, and write the number, or add a column that holds it",
            )


def numbers_of_target(text: str, columns: Mapping[str, Any], option: str = "--y") -> Any:
    """An expression of the columns, row by row. Raises AutodiffError for other names, and a row without a value."""
    if text in columns:
        return columns[text]
    program = parse(text, rules.functions(), given=CONSTANTS.keys() & columns)
    require_rows_apart(program, columns)
    expression = compiled(lower(program), [], exact=False)
    for name in expression.lowered.inputs:
        if name not in columns:
            hint = did_you_mean(name, columns, f"the columns are {listed(columns)}")
            message = f"{option} names {quoted(name)}, and there is no such column"
            raise data_error(message, hint=hint)
    rows = len(next(iter(columns.values())))
    value, _ = expression(**{name: columns[name] for name in expression.lowered.inputs})
    value = np.broadcast_to(value, rows).copy()
    if not np.isfinite(value).all():
        row = int(np.argmin(np.isfinite(value)))
        raise data_error(f"{option} {quoted(text)} has no value in row {row + 1}", hint="leave the row out")
    return value


def deviations_of(text: str, columns: Mapping[str, Any], option: str) -> Any:
    """The same for standard deviations, which are above 0."""
    deviations = numbers_of_target(text, columns, option)
    if not (deviations > 0).all():
        row = int(np.argmin(deviations > 0))
        raise data_error(
            f"{option} is a standard deviation, which is above 0, and it is {deviations[row]:g} in row {row + 1}",
            hint="leave the row out, or give its deviation",
        )
    return deviations


def chooser(
    text: str, start: Collection[str], targets: Sequence[str | None], readings: list[Reading], *, strict: bool
) -> Callable[[Collection[str]], list[str]]:
    """Which of a file's columns a problem reads: those of the model and of `targets`, expressions of columns; `readings` gets
    what the program says of the others."""

    def choose(names: Collection[str]) -> list[str]:
        program = parse(text, rules.functions(), strict=strict, given={*names, *start})
        wanted = dict.fromkeys(name for name in lower(program).inputs if name not in start)
        for target in filter(None, targets):
            wanted |= dict.fromkeys(
                [target]
                if target in names
                else lower(parse(target, rules.functions(), given=CONSTANTS.keys() & names)).inputs
            )
        readings.extend(r for r in program.readings if r.text in names and r.text not in wanted)
        return [*(name for name in names if name in wanted or name in start), *(n for n in wanted if n not in names)]

    return choose
