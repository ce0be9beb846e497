"""A private PostgreSQL server for tests: its data and its socket are in a folder of its own, and no port is open."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.command import PATIENCE


def missing() -> str:
    """Why there can be no server here; "" when there can."""
    if not _programs():
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and not (shutil.which("runuser") and _user()):
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


def _programs() -> str:
    """The folder of initdb and pg_ctl, which Debian keeps off the path."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    return str(Path(initdb).parent) if initdb and shutil.which("psql") else ""


def _user() -> bool:
    return subprocess.run(["id", "postgres"], capture_output=True).returncode == 0


def _run(*command: str, **given: str) -> str:
    own = ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)
    done = subprocess.run(own, capture_output=True, text=True, timeout=PATIENCE, cwd="/", input=given.get("text"))
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr[-3000:]}")
    return done.stdout


class Server:
    """One that runs; `rows` asks it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def rows(self, script: str) -> list[list[str]]:
        """Every row that the statements give, as texts; NULL is an empty one. Raises RuntimeError at the first error."""
        out = _run(
            "psql", "-X", "-q", "-h", self.folder, "-U", "postgres", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-A", "-t",
            "-F", ",", text=script,
        )  # fmt: skip
        return [line.split(",") for line in out.splitlines()]


@contextmanager
def server() -> Iterator[Server]:
    """A server that is stopped and removed at the end."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        _run(f"{programs}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale=C", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c jit=off"
        _run(f"{programs}/pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield Server(folder)
        finally:
            _run(f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def table(name: str, columns: Sequence[str], rows: Sequence[Sequence[float]]) -> str:
    """The statements that make a table of numbers."""
    listed = ", ".join(f'"{column}" double precision' for column in columns) or "unused_ double precision"
    values = ", ".join("(" + ", ".join(f"'{v!r}'" for v in row) + ")" for row in rows)
    return f"CREATE TABLE {name} ({listed});\nINSERT INTO {name} VALUES {values};\n"
