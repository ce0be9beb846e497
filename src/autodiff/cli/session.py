"""One training as `autodiff train` runs it: what it prints and what it writes while the training goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from autodiff.cli import colour, options, page, streams
from autodiff.cli.history import History
from autodiff.errors import HARD_POINT, AutodiffError, shortened
from autodiff.render.terminal import progress
from autodiff.render.terminal import training as rendered
from autodiff.render.text.labels import spelled
from autodiff.train import checkpoint
from autodiff.train.training import Record, Training

_PATIENCE = 5.0
"""Seconds after which --save is written again while the training goes on."""

_INTERRUPTED = 130


class Session:
    """A training, and the options of the command that started it (`given`); the records that it left so far."""

    def __init__(self, training: Training, given: Mapping[str, Any]) -> None:
        self.training, self.given = training, given
        self.records: list[Record] = []
        self.status, self.why = "trained", ""
        self.saved_at = time.monotonic()
        self.text = given["form"] == "text" and not given["quiet"]

    def announce(self) -> None:
        """The model, before its training."""
        if self.text:
            name = "stdin" if self.given["data"] == "-" else self.given["data"] or ""
            streams.say(rendered.opening(self.training, shortened(name, 60)))

    def run(self) -> int:
        """Train to the end, to an interrupt, or to a divergence; the exit status of each."""
        plan, done = self.training.plan, self.training.state.epochs
        if done >= plan.epochs > 0 and self.given["resume"]:
            streams.remark(f"notice: {done} epochs are done already; --epochs counts them from the beginning")
        kept = self._history()
        try:
            colours = colour.wanted(sys.stderr)
            for record in progress.live(self.training.epochs(), plan.epochs, done, self._told, coloured=colours):
                self.records.append(record)
                if kept is not None:
                    kept.write(record)
                if self.given["save"] and time.monotonic() - self.saved_at > _PATIENCE:
                    self.save()
        except KeyboardInterrupt:
            return self._interrupted()
        except AutodiffError as error:
            if error.exit_status != HARD_POINT:
                raise
            self.status, self.why = "diverged", error.message
            streams.remark(f"error: {error.report(streams.width(sys.stderr))}")
            return error.exit_status
        finally:
            if kept is not None:
                kept.close()
        return 0

    def _interrupted(self) -> int:
        self.status = "interrupted"
        go_on = f"go on with --resume {self.given['save']}" if self.given["save"] else "with --save it could go on"
        streams.remark(f"interrupted after {self.training.state.epochs} epochs; {go_on}")
        return _INTERRUPTED

    def _told(self, record: Record) -> tuple[str, ...]:
        return rendered.told({"loss": record.loss, "held out": record.held, **record.watched})

    def _history(self) -> History | None:
        path, held = self.given["history"], None if self.training.held is None else 0.0
        like = Record(0, 0.0, held, dict.fromkeys(self.given["watch"], 0.0))
        return History(path, self.training.state.epochs, like) if path else None

    def save(self) -> None:
        """Write the parameters, whole or not at all."""
        plan = self.training.plan
        checkpoint.save(self.given["save"], self.training.state, {"optimizer": plan.optimizer, "seed": plan.seed})
        self.saved_at = time.monotonic()

    def finish(self) -> None:
        """Save, and print what was found."""
        if self.given["save"]:
            self.save()
        if self.training.step is None and options.on_command_line("explain_step"):
            steps, wanted = self.training.state.steps, self.training.explain
            streams.remark(f"notice: the training ended after step {steps}, so step {wanted} is not shown")
        if self.given["quiet"]:
            streams.answer(rendered.numbers(self.training))
        elif self.given["form"] == "json":
            streams.answer(rendered.as_json(self.training, self.records, self.status, self.why))
        else:
            self._conclude()

    def _conclude(self) -> None:
        """The step taken apart, and where the training ended."""
        ascii_only = not streams.writable("•┤→")
        if self.training.step is not None:
            step = rendered.step(self.training.step, self.training, streams.width(sys.stdout))
            streams.say(f"\n{spelled(step) if ascii_only else step}\n")
        closing = rendered.closing(self.training, self.records, self.status, ascii_only=ascii_only, width=page.width())
        streams.say(closing)
