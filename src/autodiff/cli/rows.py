"""`autodiff eval --data` and `autodiff predict`: every row of the tables, streamed, or part by part on an engine."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from typing import Any

from autodiff.batch.parts import (
    PartResult,
    PartTask,
    answer_bytes,
    answer_part,
    count_part,
    join_parts,
)
from autodiff.batch.summary import Summary
from autodiff.batch.table import Count, filled
from autodiff.cli import colour, engines, options, streams
from autodiff.cli.files import require_outside
from autodiff.errors import printable
from autodiff.render.terminal import progress
from autodiff.tables.inputs import InputFile, each_table, is_read_once, opened_file, require_read_twice
from autodiff.tables.reader import format_of, input_format, is_table
from autodiff.tables.text import Table
from autodiff.tables.writer import Write, sink, writer

Show = Callable[[int, float | None, str], None]
"""Shows how many rows are done, their share of all where it is known, and what else there is to say."""


class RowsCommand:
    """One run over the rows of `files`: the program `text`, and the options `given` on the command line.

    task_of      what is asked of every row, from the fields that every task has
    reads_texts  whether cells are read as they are written, and not as numbers alone
    """

    def __init__(
        self,
        text: str,
        files: Sequence[InputFile],
        given: Mapping[str, Any],
        task_of: Callable[..., PartTask],
        *,
        reads_texts: bool,
    ) -> None:
        self.text, self.files, self.given, self.task_of = text, files, given, task_of
        self.reads_texts = reads_texts
        self.out: str | None = given["out"]
        self.to_stdout = self.out is None or self.out == "-"
        self.in_parts = self.out is not None and self._is_folder(self.out)
        self.rows_shown = not (given["summary"] and self.out is None)
        self.count = Count(named=len(files) > 1)
        self.summary = Summary() if given["summary"] else None
        self._require_options_that_fit()

    def run(self) -> int:
        """Answer every row; the exit status is 0 when the files were read to their ends, whatever their rows were."""
        with engines.chosen(self.given, self.files) as (engine, files):
            alone = engine.workers == 1 and not self.in_parts and self.given["engine"] is None
            if alone or is_read_once(self.files[0]):
                self._stream()
            else:
                checked = (
                    self._first_with_columns() if self.in_parts else self.files
                )  # a part that differs is an error of its own
                with closing(each_table(checked, self.given["from_form"])) as tables:
                    task = self._task(next(tables))
                gc.enable()
                engines.announce(engine)
                self._parts(engine, task, files)
        if self.summary is not None:
            streams.say(self.summary.text(self.count))
        if self.count.hard:
            streams.remark(f"note: {printable(str(self.count))}")
        return 0

    # --- one table after the other ----------------------------------------------------------------------------------------

    def _stream(self) -> None:
        with ExitStack() as stack:
            tables = stack.enter_context(
                closing(each_table(self.files, self.given["from_form"], keep=self.reads_texts))
            )
            first = next(tables)
            task = self._task(first)
            gc.enable()  # rows go on for as long as there are some
            write, show = stack.enter_context(self._writer()), stack.enter_context(self._progress())
            for columns in filled(self._answers(task, chain([first], tables), show)):
                write(columns)

    def _answers(self, task: PartTask, tables: Iterable[Table], show: Show) -> Iterator[Mapping[str, Sequence[Any]]]:
        """The answers of all tables, chunk by chunk."""
        kept = task.columns if task.keep else ()
        for done, table in enumerate(tables):
            for columns in task.answers(table, self.count, kept):
                yield columns
                if self.summary is not None:
                    self.summary.add(columns, len(kept))
                share = table.share(self.count.rows) if len(self.files) == 1 else done / len(self.files)
                show(self.count.rows, share, "" if len(self.files) == 1 else f"file {done + 1}/{len(self.files)}")

    # --- parts on an engine -----------------------------------------------------------------------------------------------

    def _parts(self, engine: engines.Engine, task: PartTask, files: Sequence[InputFile]) -> None:
        with self._progress() as show:

            def taken(k: int, result: PartResult) -> None:
                self._add(result)
                shown(k + 1)

            def shown(done: int) -> None:
                show(self.count.rows, done / len(files), f"{done}/{len(files)} parts, {engine.description}")

            if self.in_parts:
                self._part_files(engine, task, files, shown)
            elif not self.rows_shown:
                calls = [(task, file) for file in files]
                with closing(engine.completed(count_part, calls)) as results:
                    for k, result in results:
                        taken(k, result)
            else:
                self._joined(engine, task, files, taken)

    def _joined(
        self,
        engine: engines.Engine,
        task: PartTask,
        files: Sequence[InputFile],
        taken: Callable[[int, PartResult], None],
    ) -> None:
        """All parts in one file or on stdout, in order."""
        calls = [(task, file, k == 0) for k, file in enumerate(files)]
        form = self._format(task.form)
        with closing(engine.completed(answer_bytes, calls)) as results, sink(self.out) as stream:
            join_parts(_noted(results, taken), form, stream)

    def _part_files(
        self, engine: engines.Engine, task: PartTask, files: Sequence[InputFile], shown: Callable[[int], None]
    ) -> None:
        """A part file for each file, in the folder."""
        from autodiff.batch.manifest import Manifest, part_names  # most runs write no folder

        assert self.out is not None, "a folder has a name"
        names = part_names(self.files, task.to)
        manifest = Manifest(self.out, task, resume=self.given["resume"])
        manifest.require_files(names)
        done: dict[int, PartResult] = {}
        for k, (name, file) in enumerate(zip(names, self.files, strict=True)):
            if (count := manifest.done(name, file)) is not None:
                done[k] = PartResult(count, None)
        if done:
            streams.remark(f"notice: {len(done)} of {len(files)} parts are whole already")
        manifest.write(names)
        left = [k for k in range(len(files)) if k not in done]
        calls = [(task, files[k], engines.address(engine, manifest.place(names[k]))) for k in left]
        try:
            with closing(engine.completed(answer_part, calls, ordered=False)) as results:
                for place, result in results:
                    done[left[place]] = result
                    manifest.add(names[left[place]], self.files[left[place]], result)
                    self.count.rows += result.count.rows
                    shown(len(done))
        finally:
            manifest.clean(names)
            manifest.write(names, complete=len(done) == len(files))
        self.count.rows = 0
        for k in range(len(files)):
            self._add(done[k])

    def _add(self, result: PartResult) -> None:
        """Count a part, which comes behind those before it."""
        self.count.merge(result.count)
        if self.summary is not None and result.summary is not None:
            self.summary.merge(result.summary)

    # --- what they share --------------------------------------------------------------------------------------------------

    def _task(self, first: Table) -> PartTask:
        """What is asked of every row, given the columns of the first table."""
        given = {name: self.given[name] for name in ("keep", "fail_fast", "summary", "strict")}
        return self.task_of(
            program=self.text, columns=tuple(first.names), first=first.name, form=self.given["from_form"],
            to=self._part_format(), several=len(self.files) > 1, **given,
        )  # fmt: skip

    def _first_with_columns(self) -> Sequence[InputFile]:
        """The first file that names columns, which one of NDJSON without rows does not; the first one where none does."""
        for file in self.files:
            with opened_file(file, self.given["from_form"]) as table:
                if table.names:
                    return [file]
        return self.files[:1]

    def _part_format(self) -> str:
        """The format of each part's answers; those that are joined are sent as Arrow streams where they are no text."""
        form = self._format(self.given["from_form"])
        joined = self.rows_shown and not self.in_parts and form in ("parquet", "arrow")
        return "arrow" if joined and len(self.files) > 1 else form

    def _format(self, from_form: str | None) -> str:
        """The format of the answers."""
        if to := self.given["to_form"]:
            return str(to)
        if not self.to_stdout and not self.in_parts:
            return format_of(self.out or "", "--to")
        form = from_form or input_format(self.files[0].address)
        return "csv" if self.to_stdout and form in ("parquet", "arrow") else form

    def _is_folder(self, out: str) -> bool:
        """Whether --out names a folder: by a slash at its end or, for several files, a name without a table's ending."""
        return out.endswith("/") or (len(self.files) > 1 and out != "-" and not is_table(out))

    def _require_options_that_fit(self) -> None:
        resume, summary = self.given["resume"], self.summary is not None
        options.require_none([
            (resume and not self.in_parts, "--resume goes with a folder of parts", "end the name of the folder with /: --out DIR/"),
        ])  # fmt: skip
        if self.in_parts:
            assert self.out is not None, "a folder has a name"
            require_outside(self.out, self.given["data"])
            require_read_twice(
                self.files[0],
                "--out DIR/ reads the columns of the first file before its rows",
                "name a file: --out FILE",
            )
        if self.given["engine"] == "dask":  # before its columns are read
            require_read_twice(self.files[0], *engines.ON_WORKERS)
        options.require_none([
            (resume and summary, "--summary does not go with --resume, which reads no part twice", ""),
            (summary and self.out == "-", "the rows and their summary can't both go to stdout", "give the rows a file: --out FILE"),
        ])  # fmt: skip

    @contextmanager
    def _writer(self) -> Iterator[Write]:
        if not self.rows_shown:
            yield lambda _: None
            return
        with sink(self.out) as stream, writer(self._format(self.given["from_form"]), stream) as write:
            yield write

    @contextmanager
    def _progress(self) -> Iterator[Show]:
        mixed = (
            self.to_stdout and self.rows_shown and sys.stdout.isatty()
        )  # rows on a terminal and a bar would overwrite each other
        shows = sys.stderr.isatty() and not mixed
        with progress.row_progress(shows=shows, coloured=colour.wanted(sys.stderr)) as show:
            yield show


def _noted(results: Iterator[tuple[int, PartResult]], taken: Callable[[int, PartResult], None]) -> Iterator[bytes]:
    """The bytes of each part, once it is counted."""
    for k, result in results:
        taken(k, result)
        yield result.content
