"""A folder of answers: a part file for each file of rows, and `_autodiff.json`, which says what they are and how far the run is.

>>> from autodiff.tables.inputs import InputFile
>>> part_names([InputFile("d/year=1/a.csv.gz", "year=1/a.csv.gz", "d/year=1/a.csv.gz")], "parquet")
['year=1/a.parquet']
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from autodiff import __version__
from autodiff.batch.parts import PartResult, PartTask, fingerprint
from autodiff.batch.table import Count
from autodiff.errors import AutodiffError, data_error, quoted
from autodiff.tables import filesystems
from autodiff.tables.atomic_file import remove_leftovers
from autodiff.tables.inputs import InputFile
from autodiff.tables.packed import PACKED
from autodiff.tables.reader import FORMATS
from autodiff.tables.writer import sink

NAME = "_autodiff.json"

_PATIENCE = 1.0
"""Seconds between two writings of a manifest: a run that was killed repeats the parts that it finished since the last one."""


def part_names(files: Sequence[InputFile], to: str) -> list[str]:
    """The part file of each file, below the folder: its own name with the ending of the format.

    Raises AutodiffError where two files would have one part.
    """
    names: dict[str, InputFile] = {}
    for file in files:
        name = _part_name(file.place, to)
        if name in names:
            raise AutodiffError(
                f"{quoted(names[name].name, 200)} and {quoted(file.name, 200)} would both be written to {quoted(name, 200)}",
                hint="give the folder above them to --data, or a pattern, so that their parts are in folders as well",
            )
        names[name] = file
    return list(names)


def _part_name(place: str, to: str) -> str:
    path = PurePosixPath(place)
    path = path.with_suffix("") if path.suffix.lower() in PACKED else path
    ending = path.suffix.removeprefix(".").lower()
    if FORMATS.get(ending) == to:
        return str(path)
    return str(path.with_suffix(f".{to}") if ending in FORMATS else f"{path}.{to}")


_KINDS = {"name": str, "input": str, "rows": int, "statuses": dict, "first": dict, "fault": str, "written": list}
"""What a part has in a manifest, beside the bytes of its file."""


def _checked(part: Any) -> Any:
    """A part as a manifest has it. Raises TypeError or KeyError for one that no run wrote."""
    statuses = part["statuses"]
    if not all(isinstance(part[key], kind) for key, kind in _KINDS.items()) or "bytes" not in part:
        raise TypeError
    if {type(number) for number in statuses.values()} - {int} or statuses.keys() - {"ok"} != part["first"].keys():
        raise TypeError
    return part


class Manifest:
    """The manifest of the folder `folder` for a run of `task`: its parts by name, each with its count.

    Raises AutodiffError for a folder that is not empty and, with `resume`, for one of another run.
    """

    def __init__(self, folder: str, task: PartTask, *, resume: bool) -> None:
        self.folder, self.path = folder.rstrip("/"), f"{folder.rstrip('/')}/{NAME}"
        self._settings = {"program": task.program, "version": __version__, **task.settings}
        self._parts: dict[str, Mapping[str, Any]] = {}
        self._written = time.monotonic()
        if resume and filesystems.exists(self.path):
            self._resume()
        elif filesystems.is_folder(folder) and filesystems.files_below(folder):
            raise data_error(
                f"the folder {quoted(folder, 200)} is not empty",
                hint=f"it has no {NAME} to go on from"
                if resume
                else "go on with the run in it: --resume; or name another",
            )

    def require_files(self, names: Sequence[str]) -> None:
        """Raise AutodiffError where a part is in the folder whose file is not there any more; `names` are those of this run."""
        others = self._parts.keys() - set(names)
        for name in sorted(name for name in others if not filesystems.exists(self._parts[name]["input"])):
            if filesystems.exists(self.place(name)):
                raise data_error(
                    f"{quoted(self.place(name), 200)} is the part of {quoted(self._parts[name]['input'], 200)}, which is not "
                    "there any more",
                    hint="remove the part, or bring the file back",
                )
            del self._parts[name]

    def place(self, name: str) -> str:
        """The address of a part."""
        return f"{self.folder}/{name}"

    def done(self, name: str, file: InputFile) -> Count | None:
        """The count of a part that is what was written, from a file that is as long as it was; None for another part."""
        part = self._parts.get(name)
        if part is None or part["input"] != file.name or part["bytes"] != filesystems.size(file.address):
            return None
        place = self.place(name)
        if not filesystems.exists(place) or part.get("written") != list(fingerprint(place)):
            return None
        hard = {status: number for status, number in part["statuses"].items() if status != "ok"}
        return Count(True, part["rows"], Counter(hard), dict(part["first"]), part["fault"])

    def add(self, name: str, file: InputFile, result: PartResult) -> None:
        """Note a part that is whole."""
        count = result.count
        self._parts[name] = {
            "input": file.name, "bytes": filesystems.size(file.address), "rows": count.rows, "statuses": count.statuses,
            "first": count.first, "fault": count.fault, "written": list(result.written),
        }  # fmt: skip
        if time.monotonic() - self._written > _PATIENCE:
            self.write([])

    def write(self, order: Sequence[str], *, complete: bool = False) -> None:
        """Write the manifest, whole: the parts in this order before others."""
        names = [*(name for name in order if name in self._parts), *(name for name in self._parts if name not in order)]
        statuses = sum((Counter(part["statuses"]) for part in self._parts.values()), Counter[str]())
        text = json.dumps(
            {
                **self._settings,
                "complete": complete,
                "rows": sum(part["rows"] for part in self._parts.values()),
                "statuses": dict(statuses),
                "parts": [{"name": name, **self._parts[name]} for name in names],
            },
            ensure_ascii=False,
            indent=1,
        )
        filesystems.make_folder(self.path)
        with sink(self.path, salvage=False) as file:
            file.write(f"{text}\n".encode("utf-8", "surrogateescape"))
        self._written = time.monotonic()

    def clean(self, names: Sequence[str]) -> None:
        """Remove the unfinished parts of workers that were killed."""
        if not filesystems.is_remote(self.folder):
            remove_leftovers(filesystems.local(self.place(name)) for name in names)

    def _resume(self) -> None:
        try:
            with filesystems.open_to_read(self.path) as file:
                manifest = json.loads(file.read())
            settings = {key: manifest[key] for key in self._settings}
            parts = {part.pop("name"): part for part in map(_checked, manifest["parts"])}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise data_error(f"{quoted(self.path, 200)} is no manifest of a run") from None
        for key, value in self._settings.items():
            if settings[key] != value:
                raise data_error(
                    f"{quoted(self.folder, 200)} is of another run: {key} was {quoted(str(settings[key]), 100)}, "
                    f"and is {quoted(str(value), 100)}",
                    hint="give the same program and options as before, or name another folder",
                )
        self._parts = parts
