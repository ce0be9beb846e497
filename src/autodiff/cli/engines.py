"""`--engine`, `--scheduler` and `--workers`: what runs the parts of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from autodiff.cli import streams
from autodiff.errors import AutodiffError
from autodiff.tables import filesystems
from autodiff.tables.inputs import InputFile, require_read_twice

if TYPE_CHECKING:
    from autodiff.engines.cluster import DaskEngine
    from autodiff.engines.local import LocalEngine

SMALL = 1 << 24
"""Bytes of all files together below which processes of their own would take longer to start than to read them."""


Engine: TypeAlias = "LocalEngine | DaskEngine"
"""What runs a function over parts."""

ON_WORKERS = "a worker reads the file itself", "put the rows into a file"
"""Why a table must not be a pipe where workers read it, and the next step."""


@contextmanager
def chosen(given: Mapping[str, Any], files: Sequence[InputFile]) -> Iterator[tuple[Engine, Sequence[InputFile]]]:
    """The engine that the options name, and the files as its workers find them."""
    if given["scheduler"] and given["engine"] != "dask":
        raise AutodiffError("--scheduler goes with --engine dask")
    if given["engine"] == "dask":
        for file in files:
            if file.address == "-":
                require_read_twice(file, *ON_WORKERS)
        from autodiff.engines.cluster import DaskEngine  # Dask is an extra, and takes long to load

        with DaskEngine(given["scheduler"], given["workers"]) as cluster:
            yield cluster, [replace(file, address=filesystems.absolute(file.address)) for file in files]
        return
    from autodiff.engines.local import LocalEngine

    with LocalEngine(_processes(given, files)) as engine:
        yield engine, files


def announce(engine: Engine) -> None:
    """Say on a terminal where the dashboard of a cluster is."""
    import sys

    if (dashboard := getattr(engine, "dashboard", "")) and sys.stderr.isatty():
        streams.remark(f"notice: the cluster's dashboard is at {dashboard}")


def address(engine: Engine, path: str) -> str:
    """A path to write, as a worker of the engine finds it."""
    return filesystems.absolute(path) if hasattr(engine, "dashboard") else path


def bytes_of(files: Sequence[InputFile]) -> int:
    """The bytes of all files together, as far as they are files of this machine."""
    return sum(filesystems.size(file.address) or 0 for file in files if not filesystems.is_remote(file.address))


def _processes(given: Mapping[str, Any], files: Sequence[InputFile]) -> int | None:
    """How many processes; None for one a core. Those that no other process can read are read here."""
    if any(file.address == "-" or file.address.startswith("memory:") for file in files):
        return 1
    if given["workers"] or given["engine"]:
        return given["workers"]  # type: ignore[no-any-return]
    remote = any(filesystems.is_remote(file.address) for file in files)
    return None if len(files) > 1 and (remote or bytes_of(files) >= SMALL) else 1
