"""Commands that write a file, runs of them that a signal ends or that write one file both, and what is wrong with what is left."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import PATIENCE, start, wait_until

ROWS = b"x\n" + b"".join(b"%d\n" % k for k in range(20_000))
TRAIN = ["train", "(x - 1)^2", "--params", "x=0"]


def is_one_table(text: str) -> bool:
    """Whether `eval "a*x"` made it of ROWS, with one number a in all rows."""
    lines = text.splitlines()
    factors = {line.split(",")[1] for line in lines[1:]}
    return lines[:1] == ["f,df/dx,status"] and len(lines) == 20_001 and len(factors) == 1 and text.endswith(",ok\n")


def is_history(text: str) -> bool:
    """Whether it is the head of a history, in whole lines."""
    lines = text.splitlines()
    epochs = [line.split(",")[0] for line in lines[1:]]
    return text.endswith("\n") and lines[0] == "epoch,loss" and epochs == [str(k) for k in range(1, len(lines))]


def is_saved(text: str) -> bool:
    """Whether it is a whole saved training."""
    return text.endswith("\n") and "#training" in json.loads(text)


@dataclass(frozen=True)
class Writer:
    """A command with FILE in place of what it writes, the same command without an end, and whether a text is whole."""

    words: tuple[str, ...]
    endless: tuple[str, ...]
    is_whole: Callable[[str], bool]

    def command(self, path: Path, *, endless: bool = False) -> list[str]:
        """The words that write `path`."""
        return [str(path) if word == "FILE" else word for word in (self.endless if endless else self.words)]


def _training(option: str, is_whole: Callable[[str], bool]) -> Writer:
    ending, endless = ((*TRAIN, "--epochs", epochs, option, "FILE") for epochs in ("300", "100000000"))
    return Writer(ending, endless, is_whole)


_TABLE = ("eval", "2*x", "--data", "-", "--out", "FILE")
WRITERS = {
    "--out": Writer(_TABLE, _TABLE, is_one_table),  # which ends when stdin does
    "--save": _training("--save", is_saved),
    "--history": _training("--history", is_history),
}

SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE]
MOMENTS = ["start", "middle", "end"]
"""When a signal comes: after the start of the process, while it writes, or when it has all its input and may end."""

_SAVE_EACH_EPOCH = (
    "import autodiff.cli.session as session, autodiff.__main__ as command\nsession._PATIENCE = 0.0\ncommand.main()"
)


def feed(running: subprocess.Popen[bytes], option: str, *, more: bool = False) -> None:
    """Give a command its rows, where it reads some; with `more` its input does not end."""
    assert running.stdin is not None
    if option == "--out":
        running.stdin.write(ROWS)
        running.stdin.flush()
    if not more:
        running.stdin.close()
        running.stdin = None


def interrupted(option: str, kind: signal.Signals, moment: str, delay: float, folder: Path) -> str:
    """Send a signal to a command that writes over an old file in `folder`; what is wrong with what is left, or ""."""
    path, writer = folder / "made.csv", WRITERS[option]
    path.write_text("old")
    running = start(*writer.command(path, endless=moment == "middle"), code=_SAVE_EACH_EPOCH,
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
    if moment != "start":
        feed(running, option, more=moment == "middle")
        _wait_until_it_writes(running, path)
    time.sleep(delay)
    running.send_signal(kind)
    if kind == signal.SIGPIPE:  # Python ignores it, as programs do that check what they write
        running.send_signal(signal.SIGTERM)
    errors = running.communicate(timeout=PATIENCE)[1]
    left, private = path.read_text(), [file for file in folder.iterdir() if file != path]
    status = 128 + (signal.SIGTERM if kind == signal.SIGPIPE else kind)
    ended = running.returncode if running.returncode >= 0 else 128 - running.returncode  # as a shell says it
    faults = []
    if left != "old" and not writer.is_whole(left):
        faults.append(f"{len(left)} characters that are no whole file")
    if moment == "middle" and ended != status:
        faults.append(f"exit status {ended}, not {status}")
    if moment != "start" and b"Traceback" in errors:  # before that, Python has not come to this program
        faults.append("a traceback")
    if private and kind != signal.SIGKILL:
        faults.append(f"{private[0].name} is left")
    if any(not file.name.endswith(".partial") for file in private):
        faults.append("another file is left")
    for file in private:
        file.unlink()
    return "; ".join(faults)


def _wait_until_it_writes(running: subprocess.Popen[bytes], path: Path) -> None:
    """Wait until the file is another one, or has a private one beside it."""
    wait_until(
        lambda: running.poll() is not None or len(list(path.parent.iterdir())) > 1 or path.read_bytes() != b"old"
    )


def written_twice(option: str, folder: Path) -> str:
    """Let two commands write one file at the same time; what is wrong with what they leave, or ""."""
    path = folder / "made.csv"
    pair = [
        start(*(word.replace("2*x", f"{k}*x") for word in WRITERS[option].command(path)),
              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for k in (2, 3)
    ]  # fmt: skip
    for running in pair:
        feed(running, option)
    errors = [running.communicate(timeout=PATIENCE)[1] for running in pair]
    statuses, names = [running.returncode for running in pair], [file.name for file in folder.iterdir()]
    if errors != [b"", b""] or statuses != [0, 0]:
        return f"exit statuses {statuses}, {errors}"
    if names != ["made.csv"]:
        return f"left are {names}"
    return "" if WRITERS[option].is_whole(path.read_text()) else "a mixed file"
