"""A least-squares problem: residuals of a model over the rows of a table, and their exact Jacobian in the parameters.

>>> import numpy as np
>>> problem = Problem.of("a*x", {"x": np.array([1.0, 2.0]), "y": np.array([2.0, 5.0])}, "y", {"a": 3.0})
>>> problem.residuals(np.array([3.0])), problem.jacobian(np.array([3.0])).T
(array([1., 1.]), array([[1., 2.]]))
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autodiff.api.answer import Answer
from autodiff.batch import compile as batch
from autodiff.batch.compile import Batch, Compiled
from autodiff.batch.run import BufferPool, divided
from autodiff.core import rules
from autodiff.core.lowering import lower
from autodiff.diagnostics import listed, not_an_input
from autodiff.errors import HARD_POINT, AutodiffError, data_error, nearest, quoted
from autodiff.fitting.target import deviations_of, numbers_of_target, require_rows_apart
from autodiff.language.ast import Reading
from autodiff.language.parser import parse
from autodiff.tables.frames import require_finite

Vector: TypeAlias = NDArray[np.float64]

BLOCK = 32768
"""Rows whose sums are made together: few enough for the cache."""


NARROW = 12
"""Columns of products that are summed without BLAS."""


MANY_UNSURE, SAMPLED = 1000, 16
"""Rows that float64 is not enough for: from when on they may stay as the longest numbers have them, and of how many the
status is looked at then."""

LONGER_ROUNDING = 4 * float(np.finfo(np.longdouble).eps)
"""How much of its terms a sum of a few loses in the longest numbers, at most."""

HIDDEN = 1e-4
"""Rounding beside the residuals that moves no parameter by more than so much of its standard error."""


class NormalSums(NamedTuple):
    """Sums over rows: of the squared residuals, of the products of their slopes, of slopes times residuals.

    complete  whether every row has a value and slopes, and so have their squares
    """

    squares: float
    matrix: Vector
    slope: Vector
    complete: bool


@dataclass(slots=True)
class Problem:
    """Residuals (model - y)/sigma of every row, and their slopes by the parameters `names`.

    columns  the inputs of the model that are no parameters, an array of `rows` numbers each
    y        what the model is to give, row by row
    sigma    the standard deviation of each y; 1 everywhere where none is known
    sure     compute rows in which float64 loses digits again until they are sure; a search does without
    """

    model: Compiled
    names: tuple[str, ...]
    columns: Mapping[str, Vector]
    y: Vector
    sigma: Vector | None = None
    readings: tuple[Reading, ...] = ()
    sure: bool = True
    size: float = field(init=False, repr=False)
    _latest: tuple[tuple[bool, bytes], Vector, Vector, Vector] | None = field(default=None, repr=False)
    _sums: dict[bool, tuple[bytes, NormalSums]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.size = float(np.linalg.norm(self.y if self.sigma is None else self.y / self.sigma))

    @classmethod
    def of(
        cls,
        text: str,
        columns: Mapping[str, Vector],
        y: str,
        start: Mapping[str, float],
        sigma: str | None = None,
        *,
        strict: bool = False,
    ) -> Problem:
        """The problem of fitting the program `text` to the expression `y` of the columns.

        Raises AutodiffError for names that are neither columns nor given a start, and for a target without a value.
        """
        program = parse(text, rules.functions(), strict=strict, given={*columns, *start})
        inputs = lower(program).inputs
        for name in start:
            if name not in inputs:
                raise not_an_input(f"the parameter {quoted(name)} is not an input of the model", inputs)
            if name in columns:
                raise AutodiffError(
                    f"{quoted(name)} is a parameter and a column of the data", hint="rename the parameter"
                )
        used = {name: columns[name] for name in inputs if name not in start and name in columns}
        for name in inputs:
            if name not in start and name not in columns:
                raise data_error(f"{quoted(name)} is neither a column nor a parameter", hint=_neither(name, columns))
        require_rows_apart(program, columns)
        model = replace(
            _compiled(text, tuple(start), tuple(sorted(program.given))), buffers=BufferPool(), flags=BufferPool()
        )
        target = numbers_of_target(y, columns)
        deviations = None if sigma is None else deviations_of(sigma, columns, "--sigma")
        require_finite({**used, y: target} if deviations is None else {**used, y: target, str(sigma): deviations})
        return cls(model, tuple(start), used, target, deviations, program.readings)

    @property
    def rows(self) -> int:
        return len(self.y)

    def sample(self, rows: int) -> Problem:
        """The problem over about so many of its rows, evenly spread; itself where it has no more."""
        if self.rows <= rows:
            return self
        every = slice(None, None, -(-self.rows // rows))
        return Problem(
            self.model, self.names, {name: column[every].copy() for name, column in self.columns.items()},
            self.y[every], None if self.sigma is None else self.sigma[every], sure=self.sure,
        )  # fmt: skip

    def fitted(self, parameters: Vector) -> Vector:
        """The model's value in each row; NaN where it has none."""
        return self._evaluated(parameters)[0]

    def slopes(self, parameters: Vector) -> Vector:
        """The slopes of the fitted values, shaped (rows, parameters); NaN where there is none."""
        return self._evaluated(parameters)[1]

    def residuals(self, parameters: Vector) -> Vector:
        """(model - y)/sigma in each row; infinite where the model has no value."""
        return self._evaluated(parameters)[2]

    def jacobian(self, parameters: Vector) -> Vector:
        """The slopes of the residuals, shaped (rows, parameters); 0 where there is none."""
        slopes = self.slopes(parameters)
        return _jacobian(slopes if self.sigma is None else slopes / self.sigma[:, None])

    def sums(self, parameters: Vector) -> NormalSums:
        """The sums over all rows that a step of Gauss and Newton is made of."""
        key = parameters.tobytes()
        if self.sure not in self._sums or self._sums[self.sure][0] != key:
            self._sums[self.sure] = key, self._sums_of_blocks(parameters)
        return self._sums[self.sure][1]

    def _sums_of_blocks(self, parameters: Vector) -> NormalSums:
        """The sums, block by block; in a search each block's rows are evaluated for it, and stay in the cache."""
        at = dict(zip(self.names, map(float, parameters), strict=True))
        if self.sure:
            self._evaluated(parameters)
        parts: dict[int, NormalSums] = {}

        def work(blocks: Iterator[slice]) -> None:
            with np.errstate(all="ignore"):
                for block in blocks:
                    parts[block.start] = self._sums_of(parameters, at, block)

        divided(self.rows, BLOCK, work)
        squares, matrices, slopes, complete = zip(*(parts[start] for start in sorted(parts)), strict=True)
        return NormalSums(math.fsum(squares), np.sum(matrices, axis=0), np.sum(slopes, axis=0), all(complete))

    def _sums_of(self, parameters: Vector, at: Mapping[str, float], block: slice) -> NormalSums:
        table = np.empty((1 + len(self.names), block.stop - block.start))
        if self._is_latest(parameters):
            _, slopes, table[0] = (values[block] for values in self._evaluated(parameters))
            table[1:] = slopes.T
        else:
            value, gradient, _ = self.model.approximate(**{n: c[block] for n, c in self.columns.items()}, **at)
            np.subtract(value, self.y[block], out=table[0])
            for k, name in enumerate(self.names):
                table[1 + k] = gradient[name]
            if self.sigma is not None:
                table[0] /= self.sigma[block]
        if self.sigma is not None:
            table[1:] /= self.sigma[block]
        products = _products(table)
        complete = bool(np.isfinite(products).all())
        if not complete:
            table[0, np.isnan(table[0])] = np.inf
            table[1:] = _jacobian(table[1:])
            products = _products(table)
        return NormalSums(float(products[0, 0]), products[1:, 1:], products[1:, 0], complete)

    def require_values(self, parameters: Vector) -> None:
        """Raise AutodiffError (exit status 3) naming the first row in which the model has no value or no slope."""
        fitted, slopes, _ = self._evaluated(parameters)
        faulty = ~(np.isfinite(fitted) & np.isfinite(slopes).all(axis=1))
        if not faulty.any():
            return
        row = int(np.argmax(faulty))
        answer = self.answer(parameters, row)
        lacking = "value" if answer.value is None else "slope"
        raise AutodiffError(
            f"at the start the model has no {lacking} in row {row + 1}: {answer.why or answer.status}",
            source=self.model.lowered.source,
            hint="start from other parameters, or leave the row out",
            exit_status=HARD_POINT,
        )

    @contextmanager
    def searching(self) -> Iterator[None]:
        """Within it, rows have the digits that float64 gives them."""
        self.sure = False
        try:
            yield
        finally:
            self.sure = True

    def answer(self, parameters: Vector, row: int, digits: int = 0) -> Answer:
        """The one-shot answer of a row, which says why a number is missing; its numbers are texts where `digits` are asked."""
        point = {name: float(column[row]) for name, column in self.columns.items()}
        return self.model.answer(point | dict(zip(self.names, map(float, parameters), strict=True)), digits)

    def _is_latest(self, parameters: Vector) -> bool:
        return self._latest is not None and self._latest[0] == (self.sure, parameters.tobytes())

    def _evaluated(self, parameters: Vector) -> tuple[Vector, Vector, Vector]:
        """Fitted values, their slopes and the residuals; those of the latest parameters are kept."""
        if self._latest is None or not self._is_latest(parameters):
            at = {**self.columns, **dict(zip(self.names, map(float, parameters), strict=True))}
            if self.sure:
                rows = self.model.checked(partial(self._needs_one_shot, parameters), at)
                value, gradient = rows.value, rows.gradient
            else:
                value, gradient, _ = self.model.approximate(**at)
            slopes = self._matrix(gradient)
            fitted = np.broadcast_to(value, self.rows)
            self._latest = (self.sure, parameters.tobytes()), fitted, slopes, _residuals(fitted, self.y, self.sigma)
        return self._latest[1:]

    def _matrix(self, gradient: Mapping[str, Any]) -> Vector:
        slopes = np.empty((self.rows, len(self.names)), order="F")
        for k, name in enumerate(self.names):
            slopes[:, k] = gradient[name]
        return slopes

    def _needs_one_shot(self, parameters: Vector, rows: Batch, places: Vector) -> bool:
        """Whether the rows at these places have to be computed one by one, half a millisecond each.

        Not so where they are many and their rounding is nothing beside the residuals.
        """
        if len(places) <= MANY_UNSURE:
            return True
        slopes, fitted = self._matrix(rows.gradient), np.broadcast_to(rows.value, self.rows)
        terms = np.linalg.norm(slopes, axis=0) @ np.abs(parameters)
        if not terms * LONGER_ROUNDING < HIDDEN * np.linalg.norm(fitted - self.y):
            return True
        return any(self.answer(parameters, int(row)).status != "ok" for row in places[:: len(places) // SAMPLED])


@lru_cache(maxsize=8)
def _compiled(text: str, names: tuple[str, ...], given: tuple[str, ...]) -> Compiled:
    """The model: one that is fitted to table after table is compiled once. Its buffers, as long as a table, are not kept."""
    return batch.compiled(lower(parse(text, rules.functions(), given=given)), names, exact=False)


def _residuals(fitted: Vector, y: Vector, sigma: Vector | None) -> Vector:
    residuals = fitted - y if sigma is None else (fitted - y) / sigma
    if not np.isfinite(residuals.sum()):
        residuals[np.isnan(residuals)] = np.inf
    return np.asarray(residuals)


def _products(table: Vector) -> Vector:
    """The product of each row with each row."""
    # BLAS would start threads for so few rows, which wait for each other longer than they work
    return np.asarray(np.einsum("ir,jr->ij", table, table) if len(table) <= NARROW else table @ table.T)


def _jacobian(slopes: Vector) -> Vector:
    """The slopes, with 0 where there is none."""
    if np.isfinite(slopes.sum()) or np.isfinite(slopes).all():
        return slopes
    return np.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)


def _neither(name: str, columns: Collection[str]) -> str:
    near = nearest(name, columns)
    if near:
        return f"did you mean the column {quoted(near)}? a parameter is given with --start {name}=1"
    return f"give it a start with --start {name}=1; the columns are {listed(columns)}"
