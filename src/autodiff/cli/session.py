"""One training as `autodiff train` runs it: what it prints and what it writes while the training goes on."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autodiff.cli import colour, explanation_output, options, streams
from autodiff.cli.train_options import SETTINGS
from autodiff.errors import HARD_POINT, AutodiffError, data_error, quoted, shortened
from autodiff.render.terminal import progress
from autodiff.render.terminal import training as rendered
from autodiff.render.text.labels import spelled
from autodiff.tables.atomic_file import cannot, handled, is_direct, whole
from autodiff.train import checkpoint
from autodiff.train.ending import Ending, conclude, to_save
from autodiff.train.records import EpochRecord
from autodiff.train.training import Training


class History:
    """The file `path`, for the lines after `done` epochs of a training whose records are like `like`.

    Raises AutodiffError where it can't be written, and, in a training that goes on, where it is another file than a
    history of such records.
    """

    def __init__(self, path: str, done: int, like: EpochRecord) -> None:
        self.path, self.kept = path, b""
        self._handle, self._is_file = -1, not is_direct(path)
        header = rendered.csv_header(like)
        if done and self._is_file:
            try:
                self.kept = _before(path, done, header)
            except OSError as error:
                raise cannot(path, error) from None
        self.kept = self.kept or f"{header}\n".encode("utf-8", "surrogateescape")

    def write(self, record: EpochRecord) -> None:
        """A line for the epoch, behind those before where it is the first one."""
        line = f"{rendered.csv_line(record)}\n".encode()
        if self._handle < 0:
            self._begin(line)
        else:
            self._append(line)

    def close(self) -> None:
        """End the file, which a training without a single epoch has not begun."""
        if self._handle < 0:
            self._begin(b"")
        os.close(self._handle)

    def _begin(self, line: bytes) -> None:
        with whole(self.path) as file:
            self._handle = os.dup(file.fileno())  # and not by its name, which may be another training's soon
            file.write(self.kept + line)

    def _append(self, line: bytes) -> None:
        there = os.lseek(self._handle, 0, os.SEEK_CUR) if self._is_file else 0
        try:
            left = line
            while left:
                left = left[os.write(self._handle, left) :]
        except BrokenPipeError:  # the reader has closed it
            raise
        except OSError as error:
            if self._is_file:
                os.ftruncate(self._handle, there)  # no half a line, where the disk is full
            raise cannot(self.path, error) from None


def _before(path: str, epochs: int, wanted: str) -> bytes:
    """The file's lines up to that epoch: a training that was killed may have gone on after its last save.

    Raises AutodiffError when the file is no history, or has other columns than the lines to come, which are `wanted`.
    """
    if not Path(path).exists():
        return b""
    with open(path, "rb") as file:
        first = file.readline()
        names = first.decode("utf-8", "surrogateescape").rstrip("\n")
        if first and not names.startswith("epoch,loss"):
            raise data_error(f"{quoted(path, 200)} is no history that training wrote", hint="give another --history")
        if first and names != wanted:
            raise data_error(
                f"{quoted(path, 200)} has the columns {shortened(names, 60)}, and here are {shortened(wanted, 60)}",
                hint="give the same --watch and --holdout as before, or another --history",
            )
        lines = [first]
        for line in file:
            epoch = line.partition(b",")[0]
            if not (line.endswith(b"\n") and epoch.isdigit() and int(epoch) <= epochs):
                break
            lines.append(line)
    return b"".join(lines)


_PATIENCE = 5.0
"""Seconds after which --save is written again while the training goes on."""

_SIGNALS = ("SIGTERM", "SIGHUP")
"""Signals that end a training as Ctrl-C does: with what it has reached."""


class _Signalled(KeyboardInterrupt):
    """A signal came, which `number` says."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _stop(number: int, _frame: object) -> None:
    raise _Signalled(number)


class Session:
    """A training, and the options of the command that started it (`given`); the records that it left so far."""

    def __init__(self, training: Training, given: Mapping[str, Any]) -> None:
        self.training, self.given = training, given
        self.records: list[EpochRecord] = []
        self.ending: Ending | None = None
        self.saved_at = time.monotonic()
        self.text = given["form"] == "text" and not given["quiet"]

    def announce(self) -> None:
        """The model, before its training."""
        if self.text:
            table = self.training.table
            streams.say(rendered.opening(self.training, "" if table is None else shortened(table.name, 60)))

    def run(self) -> int:
        """Train to the end, to an interrupt, or to a divergence; the exit status of each."""
        plan, done = self.training.plan, self.training.state.epochs
        if done >= plan.epochs > 0 and self.given["resume"]:
            streams.remark(f"notice: {done} epochs are done already; --epochs counts them from the beginning")
        kept, failure = self._history(), None
        try:
            colours = colour.wanted(sys.stderr)
            with handled(_SIGNALS, _stop):
                for record in progress.with_progress(
                    self.training.epochs(), plan.epochs, done, self._beside_the_bar, coloured=colours
                ):
                    self.records.append(record)
                    if kept is not None:
                        kept.write(record)
                    if self.given["save"] and time.monotonic() - self.saved_at > _PATIENCE:
                        self.save()
        except KeyboardInterrupt as stop:
            return self._interrupted(stop.number if isinstance(stop, _Signalled) else signal.SIGINT)
        except AutodiffError as error:
            if error.exit_status != HARD_POINT:
                raise
            failure = error
        finally:
            if kept is not None:
                kept.close()
        return self._concluded(failure)

    def _concluded(self, failure: AutodiffError | None) -> int:
        """Judge how a training ended that was not interrupted; `failure` is the error of a step that could not be taken."""
        self.ending = conclude(self.training)
        if self.ending.ended != "diverged":
            return 0
        error = failure or AutodiffError(self.ending.why, exit_status=HARD_POINT)
        error.hint = error.hint or self.ending.advice
        self.ending = replace(self.ending, why=error.message, advice=error.hint)
        streams.remark(f"error: {error.report(streams.width(sys.stderr))}")
        return HARD_POINT

    def _interrupted(self, number: int) -> int:
        self.ending = conclude(self.training, interrupted=True)
        go_on = f"go on with --resume {self.given['save']}" if self.given["save"] else "with --save it could go on"
        streams.remark(f"interrupted after {self.training.state.epochs} epochs; {go_on}")
        return 128 + number

    def _beside_the_bar(self, record: EpochRecord) -> tuple[str, ...]:
        held_out = {f"held out {name}": value for name, value in record.validation_watched.items()}
        return rendered.progress_texts(
            {"loss": record.loss, "held out": record.validation_loss, **record.watched, **held_out}
        )

    def _history(self) -> History | None:
        path, validation_loss = self.given["history"], None if self.training.validation is None else 0.0
        watched = dict.fromkeys(self.given["watch"], 0.0)
        like = EpochRecord(0, 0.0, validation_loss, watched, {} if validation_loss is None else watched)
        return History(path, self.training.state.epochs, like) if path else None

    def save(self) -> None:
        """Write the parameters of the least loss, whole or not at all."""
        training, plan = self.training, self.training.plan
        settings = {key: self.given[key] for key in SETTINGS} | {"lr": plan.rate, "program": training.text}
        settings["schedule_every"] = plan.schedule.every
        if self.ending is not None and self.ending.rate is not None:
            settings["lr"] = self.ending.rate  # the one that was tried and works
        state = training.state if self.ending is None else to_save(training, self.ending)
        settings |= {"kept": asdict(training.kept), "losses": training.losses(state.parameters)}
        checkpoint.save(self.given["save"], state, settings, None if self.ending is None else self.ending.parameters)
        self.saved_at = time.monotonic()

    def _plot(self, ending: Ending) -> None:
        """Write the picture of the losses."""
        from autodiff.render.plot.models import loss_image  # Matplotlib is an extra
        from autodiff.train.picture import predicted

        curves: dict[str, Sequence[float | None]] = {"rows trained on": [record.loss for record in self.records]}
        if self.training.validation is not None:
            curves["rows held out"] = [record.validation_loss for record in self.records]
        epochs = [record.epoch for record in self.records]
        best = ending.epoch if epochs and ending.epoch in range(epochs[0], epochs[-1]) else None
        title = self.training.lowered.source.strip().splitlines()[-1]
        path = self.given["plot"]
        between = predicted(self.training, ending.parameters)
        with whole(path) as file:
            file.write(loss_image(title, epochs, curves, path.rpartition(".")[2].lower(), best, between))

    def finish(self) -> None:
        """Save, and print what the training led to."""
        assert self.ending is not None, "run() comes first"
        if self.given["plot"]:
            self._plot(self.ending)
        if self.given["save"]:
            self.save()
        if self.training.step is None and options.on_command_line("explain_step"):
            steps, wanted = self.training.state.steps, self.training.explain
            streams.remark(f"notice: the training ended after step {steps}, so step {wanted} is not shown")
        if self.given["quiet"]:
            streams.answer(rendered.numbers(self.ending))
        elif self.given["form"] == "json":
            streams.answer(rendered.as_json(self.training, self.records, self.ending))
        else:
            self._conclude(self.ending)

    def _conclude(self, ending: Ending) -> None:
        """The step taken apart, and where the training ended."""
        ascii_only = not streams.writable("•┤→")
        if self.training.step is not None:
            step = rendered.step(self.training.step, self.training, streams.width(sys.stdout))
            streams.say(f"\n{spelled(step) if ascii_only else step}\n")
        closing = rendered.closing(
            self.training, self.records, ending, ascii_only=ascii_only, width=explanation_output.width()
        )
        streams.say(closing)
