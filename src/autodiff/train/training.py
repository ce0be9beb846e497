"""Training a program on a table: what is reported after each epoch, and one step taken apart.

>>> table = NumericTable("rows.csv", {"x": np.array([1.0, 2.0]), "y": np.array([3.0, 5.0])}, lines=[2, 3])
>>> training = Training("z = w*x + b; L = mse(y, z)", table, {"w": 0.0, "b": 0.0}, Hyperparameters(epochs=2, rate=0.25))
>>> [record.loss for record in training.epochs()]
[17.0, 8.65625]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff import display
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import lower
from autodiff.diagnostics import written
from autodiff.errors import HARD_POINT, AutodiffError, data_error, quoted, shortened
from autodiff.language.ast import Reading
from autodiff.tables.columns import NumericTable
from autodiff.train.checkpoint import ROUNDING, Best, State, nested, without_losses
from autodiff.train.declarations import Declared, Kept, declared, fitting, needed, taken, with_matrices
from autodiff.train.divergence import Diverged, divergence_error
from autodiff.train.loop import Epoch, Hyperparameters, descend, is_minibatch, split, updated
from autodiff.train.model import Model, Objective, Overflow
from autodiff.train.optimizers.first_order import OPTIMIZERS
from autodiff.train.optimizers.whole_vector import TRUST_REGION
from autodiff.train.records import EpochRecord, TrainingStep
from autodiff.train.resolver import Resolver
from autodiff.train.row_axis import mixed_and_used, row_axes

if TYPE_CHECKING:
    from autodiff.train.ending import Ending


class Training:
    """A program, its data and its plan; `epochs()` trains from `start`; `state` is the state after the last epoch.

    trained  the loss over the rows trained on; `validation` that over the rows held out, None where there are none
    failed   whether a step had no loss or no slope
    ending   how it ended, of a training that `ending.trained` has run

    Raises AutodiffError for a program, parameters or columns that don't fit together.
    """

    def __init__(
        self,
        text: str,
        table: NumericTable | None,
        parameters: Mapping[str, Any],
        plan: Hyperparameters,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        holdout: float = 0.0,
        watch: Sequence[str] = (),
        strict: bool = False,
        explain: int | None = 1,
        kept: Kept | None = None,
        patience: int = 0,
    ) -> None:
        self.plan, self.table, self.explain = plan, table, explain
        self.text, self.kept, self.patience = text, Kept() if kept is None else kept, patience
        self.state = self.start = State(dict(parameters), {})
        self.failed = False
        self.step: TrainingStep | None = None
        self.ending: Ending | None = None
        self._kept, held_out_places = split(len(table) if table is not None else 1, holdout, plan.seed)
        if not len(self._kept):
            raise AutodiffError("--holdout leaves no row to train on", hint="give a smaller share, such as 0.2")
        columns = {} if table is None else self._without_missing(table.columns)
        names = [*columns, *(name for names in self.kept.columns.values() for name in names if name not in columns)]
        program = declared(text, names, parameters, self.kept, strict=strict)
        self.readings: tuple[Reading, ...] = program.program.readings
        self.kept.columns |= {key: list(members) for key, members in program.matrices.items()}
        watched = {
            expression: declared(text, names, parameters, self.kept, behind=[expression]) for expression in watch
        }
        for other in watched.values():
            self.kept.columns |= {key: list(members) for key, members in other.matrices.items()}
        fitting(needed(program), parameters, columns)
        columns = with_matrices(columns, self.kept.columns, by_rows=is_minibatch(len(self._kept), plan))
        model = self._model(program, columns, l1, l2)
        self.lowered = model.lowered
        if plan.optimizer in TRUST_REGION:
            from autodiff.train.optimizers.curvature import require_fit  # other optimizers do without

            require_fit(plan.optimizer, model, parameters, len(self._kept))
        watching = {expression: self._model(other, columns) for expression, other in watched.items()}
        used = {name for any_model in (model, *watching.values()) for name in any_model.lowered.inputs}
        columns = {name: column for name, column in columns.items() if name in used}
        trained_on = taken(columns, self._kept) if len(held_out_places) else columns
        held_out = taken(columns, held_out_places)
        self.trained: Objective = model.over(trained_on)
        self.validation: Objective | None = model.over(held_out) if len(held_out_places) else None
        self._watched: dict[str, Objective] = {name: other.over(trained_on) for name, other in watching.items()}
        self._validation_watched = {
            name: other.over(held_out) for name, other in watching.items() if len(held_out_places)
        }

    def _without_missing(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The columns with the mean of the rows trained on in place of NaN, which is a missing cell."""
        filled = dict(columns)
        for name, column in columns.items():
            missing = np.isnan(column)
            if missing.any():
                known = column[self._kept][~missing[self._kept]]
                if not known.size:
                    raise data_error(
                        f"the column {quoted(name)} has no number to train on", hint="leave it out of the program"
                    )
                self.kept.means[name] = float(np.mean(known))
                filled[name] = np.where(missing, self.kept.means[name], column)
        return filled

    def _model(self, program: Declared, columns: Mapping[str, Any], l1: float = 0.0, l2: float = 0.0) -> Model:
        """The loss of a program whose declarations are resolved by these columns."""
        parameters = self.state.parameters
        resolver = Resolver(parameters, self.kept, columns, self._kept)
        return Model(lower(resolver.resolved(program.program)), parameters, l1, l2, resolver.masks)

    @property
    def rows(self) -> int:
        """How many rows are trained on."""
        return self.trained.rows

    def untrained_texts(self) -> dict[str, list[str]]:
        """The texts of each column of texts that no row has that is trained on: only rows held out have them."""
        untrained = {}
        for name in self.kept.codes.keys() & self.trained.columns.keys():
            codes = set(np.unique(self.trained.columns[name]).tolist())
            untrained[name] = [text for code, text in enumerate(self.kept.codes[name]) if code not in codes]
        return {name: texts for name, texts in sorted(untrained.items()) if texts}

    def go_on(self, state: State, saved_losses: Mapping[str, float | None]) -> bool:
        """Start from a saved state; whether its losses are those of other rows or of another program, and count no more."""
        self.state = state
        try:
            losses = self.losses(state.parameters)
        except AutodiffError:  # the training itself raises the error
            return False
        tiny = ROUNDING * abs(state.first or 0.0)
        agrees = all(_agree(losses[name], loss, tiny) for name, loss in saved_losses.items())
        if not agrees:
            self.state = without_losses(state, keep_memory=self.plan.optimizer in OPTIMIZERS)
        return not agrees

    def losses(self, parameters: Mapping[str, Any]) -> dict[str, float | None]:
        """The loss of the rows trained on and of those held out; None where one has no value or there are no rows."""
        return {"loss": _loss(self.trained, parameters), "held_out": self.validation_loss(parameters)}

    def epochs(self) -> Iterator[EpochRecord]:
        """Train, an epoch at a time. Raises AutodiffError (exit status 3) where a step has no loss or no slope."""
        self.start = self.state
        if self.state.first is None and (self.plan.optimizer not in OPTIMIZERS or is_minibatch(self.rows, self.plan)):
            first, _ = self.measured(self.state.parameters)  # the loss of the first epoch is not the one of the start
            best = None if first is None else Best(first, self.state.parameters, self.state.epochs)
            self.state = replace(self.state, first=first, best=best)
        try:
            for done in descend(self.trained, self.state, self.plan, self._before_step):
                validation_loss = self.validation_loss(done.state.parameters)
                self.state = self._compared(done, validation_loss)
                self._completed()
                at = self.state.parameters
                yield EpochRecord(done.epoch, done.loss, validation_loss, self.watched(at), self.validation_watched(at))
                if self.stopped_early:
                    return
        except Diverged as trouble:
            self.failed = True
            self.state = replace(trouble.state, first=self.state.first, best=self.state.best)
            raise self._diverged(trouble) from None
        except AutodiffError as error:  # shapes that don't fit, or a start without curvature
            self.failed = error.exit_status == HARD_POINT
            raise error.within(self.lowered.source) from None

    __str__ = display.text
    _repr_html_ = display.notebook_html
    to_html, to_latex, to_markdown = display.html, display.latex, display.markdown

    def __repr__(self) -> str:
        ended = "" if self.ending is None else f" {self.ending.ended}"
        return f"<training of {shortened(self.text)!r}:{ended} after {self.state.epochs} epochs>"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters: once the training has ended, those of the least loss."""
        return self.state.parameters

    def to_dict(self) -> dict[str, Any]:
        """The state after the last epoch as JSON-ready data; the loss is that of the rows trained on."""
        loss, _ = self.measured(self.parameters)
        data: dict[str, Any] = {"epochs": self.state.epochs, "steps": self.state.steps, "loss": loss}
        if self.ending is not None:
            data |= {"ended": self.ending.ended, "largest_slope": self.ending.slope, "best_epoch": self.ending.epoch}
            data |= {"why": self.ending.why, "hint": self.ending.advice} if self.ending.why else {}
        return data | {"parameters": {name: nested(value) for name, value in self.parameters.items()}}

    @property
    def stopped_early(self) -> bool:
        """Whether the loss of the rows held out has not fallen for as many epochs as the patience lasts."""
        best = self.state.best
        return bool(self.patience) and best is not None and self.state.epochs - best.epoch >= self.patience

    def _compared(self, done: Epoch, validation_loss: float | None) -> State:
        """The state after an epoch, with the first and the least loss so far."""
        first, best = self.state.first, self.state.best
        if self.patience:
            if validation_loss is not None and (
                best is None or best.validation_loss is None or validation_loss < best.validation_loss
            ):
                best = Best(done.loss, done.state.parameters, done.state.epochs, validation_loss)
        elif best is None or done.loss < best.loss:
            best = Best(done.loss, done.measured.parameters, done.measured.epochs)
        return replace(done.state, first=done.loss if first is None else first, best=best)

    def measured(self, parameters: Mapping[str, Any]) -> tuple[float | None, Mapping[str, Any]]:
        """The loss of the rows trained on, None where it has no value, and its slopes, empty where one has none."""
        try:
            return self.trained.slopes(parameters)
        except (DomainError, Overflow):
            return _loss(self.trained, parameters), {}

    def validation_loss(self, parameters: Mapping[str, Any]) -> float | None:
        """The loss of the rows held out; None where there are none, or it has no value."""
        return None if self.validation is None else _loss(self.validation, parameters)

    def watched(self, parameters: Mapping[str, Any]) -> dict[str, float | None]:
        """The watched expressions over the rows trained on; None where one has no value."""
        return {expression: _number(expression, over, parameters) for expression, over in self._watched.items()}

    def validation_watched(self, parameters: Mapping[str, Any]) -> dict[str, float | None]:
        """The same over the rows held out; empty where there are none."""
        return {
            expression: _number(expression, over, parameters) for expression, over in self._validation_watched.items()
        }

    def row_mixing(self) -> list[str]:
        """What is computed from all rows of a step and used in each of them, such as the mean in x - mean(x)."""
        graph, order = self.lowered.graph, self.lowered.graph.reaching(self.lowered.result)

        def values(rows: int) -> Sequence[Any]:
            columns = {name: np.repeat(column[:1], rows, axis=0) for name, column in self.trained.columns.items()}
            return self.trained.model.over(columns, once=False).run(self.state.parameters).values

        try:
            axes = row_axes(values, order)
        except (DomainError, AutodiffError):  # the training itself raises the error
            return []
        return [written(self.lowered, node) for node in mixed_and_used(graph, order, axes)]

    # --- one step taken apart ------------------------------------------------------------------------------------------

    def _before_step(self, state: State, part: Objective) -> None:
        if self.step is None and self.explain is not None and state.steps + 1 >= self.explain:
            self.step = self._taken_apart(state, part)

    def _taken_apart(self, state: State, part: Objective) -> TrainingStep | None:
        graph = self.lowered.graph
        try:
            loss, slopes = part.slopes(state.parameters, proximal=True)
            run = part.run(state.parameters, self.lowered.assigned.values())
        except (DomainError, Overflow, AutodiffError):  # the step itself raises the error
            return None
        statements = {name: node for name, node in self.lowered.assigned.items() if run.values[node] is not None}
        if self.lowered.result not in statements.values():
            statements[self.lowered.name] = self.lowered.result
        # no further back than to the first statement: what lies before it would take as much memory again
        adjoints = part.model.adjoints(run, [node for node in statements.values() if part.model.active[node]])
        known = self.plan.optimizer in OPTIMIZERS
        return TrainingStep(
            number=state.steps + 1,
            rows=part.rows,
            parameters=state.parameters,
            columns={name: column for name, column in part.columns.items() if name in self.lowered.inputs},
            values=[(name, written(self.lowered, node), run.values[node]) for name, node in statements.items()],
            loss=loss,
            adjoints={
                n: adjoints[node] for n, node in statements.items() if node in adjoints and graph.rows[node] is not None
            },
            slopes=slopes,
            updated=updated(state, slopes, self.plan, part.model.l1).parameters if known else {},
        )

    def _completed(self) -> None:
        """Fill in the parameters after a step whose update is not a rule of one parameter."""
        if self.step is not None and not self.step.updated and self.step.number == self.state.steps:
            self.step = replace(self.step, updated=self.state.parameters)

    def _diverged(self, trouble: Diverged) -> AutodiffError:
        place = self._row(trouble.cause, trouble.rows) if isinstance(trouble.cause, DomainError) else ""
        return divergence_error(trouble, self.lowered, self.trained.model.active, place)

    def _row(self, cause: DomainError, rows: Sequence[int]) -> str:
        """` (row 5, line 6 of data.csv)`: the row of the table that an element belongs to."""
        axes = [k for k, size in enumerate(cause.wide) if size == len(rows)]
        if self.table is None or not axes or not cause.place:
            return ""
        return f" ({self.table.place(int(self._kept[int(rows[cause.place[axes[0]]])]))})"


def _agree(loss: float | None, other: float | None, tiny: float) -> bool:
    """Whether two losses differ by rounding only, as those of the same rows in other blocks do."""
    return loss == other or (loss is not None and other is not None and math.isclose(loss, other, abs_tol=tiny))


def _loss(objective: Objective, parameters: Mapping[str, Any]) -> float | None:
    """The loss; None where it has no value."""
    try:
        return objective.loss(parameters)
    except (DomainError, Overflow):
        return None


def _number(expression: str, objective: Objective, parameters: Mapping[str, Any]) -> float | None:
    """The value of a watched expression; None where it has none. Raises AutodiffError for an array."""
    try:
        value = objective.value(parameters)
    except DomainError:
        return None
    if np.ndim(value):
        raise AutodiffError(
            f"{quoted(expression)} is an array, and a watched expression must be a number",
            hint=f"watch mean({shortened(expression)})",
        )
    return float(value)
