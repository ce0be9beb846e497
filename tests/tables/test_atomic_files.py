"""A file that is written is the old one or the new one, whatever ends the command, and nothing else is touched."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import Ended, autodiff, start

ROWS = b"x\n" + b"".join(b"%d\n" % k for k in range(20_000))
TRAIN = ["train", "(x - 1)^2", "--params", "x=0"]


def _is_one_table(text: str) -> bool:
    """Whether it is a table that `eval "a*x"` made of ROWS, of one a alone."""
    lines = text.splitlines()
    factors = {line.split(",")[1] for line in lines[1:]}
    return lines[0] == "f,df/dx,status" and len(lines) == 20_001 and len(factors) == 1 and text.endswith(",ok\n")


def _is_history(text: str) -> bool:
    """Whether it is the head of a history, in whole lines."""
    lines = text.splitlines()
    return (
        text.endswith("\n")
        and lines[0] == "epoch,loss"
        and [line.split(",")[0] for line in lines[1:]] == [str(k) for k in range(1, len(lines))]
    )


def _is_saved(text: str) -> bool:
    return text.endswith("\n") and "#training" in json.loads(text)


Judge = Callable[[str], bool]

WRITERS: dict[str, tuple[list[str], Judge]] = {
    "--out": (["eval", "2*x", "--data", "-", "--out", "FILE"], _is_one_table),
    "--save": ([*TRAIN, "--epochs", "300", "--save", "FILE"], _is_saved),
    "--history": ([*TRAIN, "--epochs", "300", "--history", "FILE"], _is_history),
}


def _words(option: str, path: Path) -> list[str]:
    return [str(path) if word == "FILE" else word for word in WRITERS[option][0]]


def _feed(running: subprocess.Popen[bytes], option: str, *, more: bool = False) -> None:
    """Give it its rows, where it reads some; with `more` the end does not come."""
    assert running.stdin is not None
    if option == "--out":
        running.stdin.write(ROWS)
        running.stdin.flush()
    if not more:
        running.stdin.close()
        running.stdin = None


def _run(option: str, path: Path, stdin: bytes = ROWS) -> Ended:
    """The command in this process, so that what it prints is kept."""
    return autodiff(*_words(option, path), stdin=stdin)


@pytest.mark.parametrize("option", WRITERS)
def test_what_somebody_calls_partial_is_theirs(option: str, tmp_path: Path) -> None:
    path, victim = tmp_path / "made.csv", tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "made.csv.partial").symlink_to(victim)
    assert _run(option, path).status == 0
    assert WRITERS[option][1](path.read_text())
    assert (victim.read_text(), (tmp_path / "made.csv.partial").is_symlink()) == ("mine", True)
    assert {each.name for each in tmp_path.iterdir()} == {"made.csv", "made.csv.partial", "victim"}


@pytest.mark.parametrize("option", WRITERS)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_file_is_written(option: str, there: bool, tmp_path: Path) -> None:
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    path, target = tmp_path / "here" / "made.csv", tmp_path / "there" / "real.csv"
    if there:
        target.write_text("epoch,loss\n")
    path.symlink_to("../there/real.csv")
    assert _run(option, path).status == 0
    assert path.is_symlink()
    assert WRITERS[option][1](target.read_text())
    assert [each.name for folder in ("here", "there") for each in (tmp_path / folder).iterdir()] == [
        "made.csv",
        "real.csv",
    ]


@pytest.mark.parametrize("option", WRITERS)
@pytest.mark.parametrize("rights", [0o600, 0o640, 0o664, 0o755, 0o444])
def test_the_rights_of_a_file_are_kept(option: str, rights: int, tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    path.write_text("old")
    path.chmod(rights)
    assert _run(option, path).status == 0
    assert stat.S_IMODE(path.stat().st_mode) == rights
    assert path.read_text() != "old"


@pytest.mark.parametrize("option", WRITERS)
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007])
def test_a_new_file_has_what_the_umask_leaves(option: str, mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        assert _run(option, tmp_path / "made.csv").status == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "made.csv").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("option", WRITERS)
def test_a_name_may_be_as_long_as_names_may_be(option: str, tmp_path: Path) -> None:
    for name in ("a" * 251 + ".csv", "é" * 125 + ".csv", "\udcff.csv"):
        assert _run(option, tmp_path / name).status == 0
        assert WRITERS[option][1]((tmp_path / name).read_text())


@pytest.mark.parametrize("option", WRITERS)
def test_pipes_and_devices_are_written_to(option: str, tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    os.mkfifo(path)
    running = start(*_words(option, path), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _feed(running, option)
    said = path.read_text()
    assert (running.wait(60), WRITERS[option][1](said), path.is_fifo()) == (0, True, True)
    assert running.stderr is not None
    running.stderr.close()
    words = [*_words(option, Path("/dev/stdout")), *(["--to", "csv"] if option == "--out" else ["-q"])]
    with (tmp_path / "shell.csv").open("wb") as out:
        assert (
            subprocess.run([sys.executable, "-m", "autodiff", *words], input=ROWS, stdout=out, timeout=60).returncode
            == 0
        )
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("option", WRITERS)
def test_a_device_that_is_full_is_said(option: str) -> None:
    words = [*_words(option, Path("/dev/full")), *(["--to", "csv"] if option == "--out" else [])]
    ended = autodiff(*words, stdin=ROWS)
    assert (ended.status, "can't write '/dev/full': No space left on device" in ended.err) == (4, True)


@pytest.mark.parametrize("option", WRITERS)
@pytest.mark.parametrize("room", [0, 40, 4096])
def test_a_full_disk_leaves_the_old_file(option: str, room: int, tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "autodiff", *_words(option, path)], input=ROWS, capture_output=True, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip
    left = path.read_text()
    if option == "--save" and room == 4096:
        assert (done.returncode, _is_saved(left)) == (0, True)
        return
    assert (done.returncode, b"can't write" in done.stderr) == (4, True), done.stderr
    assert left == "old" or (option == "--history" and _is_history(left))
    assert [each.name for each in tmp_path.iterdir()] == ["made.csv"]


@pytest.mark.parametrize("option", WRITERS)
def test_two_writers_of_one_file_leave_one_of_theirs(option: str, tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    for _ in range(2):
        pair = [
            start(*(word.replace("2*x", f"{k}*x") for word in _words(option, path)), stdin=subprocess.PIPE,
                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for k in (2, 3)
        ]  # fmt: skip
        for each in pair:
            _feed(each, option)
        assert [each.communicate(timeout=60)[1] for each in pair] == [b"", b""]
        assert [each.returncode for each in pair] == [0, 0]
        assert WRITERS[option][1](path.read_text())
        assert [each.name for each in tmp_path.iterdir()] == ["made.csv"]


KINDS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE]
ROUNDS = int(os.environ.get("AUTODIFF_KILLS", "2"))
"""Kills of each kind for each option."""

LONG: dict[str, list[str]] = {
    "--out": ["eval", "2*x", "--data", "-", "--out", "FILE"],
    "--save": [*TRAIN, "--epochs", "100000000", "--save", "FILE"],
    "--history": [*TRAIN, "--epochs", "100000000", "--history", "FILE"],
}
HASTE = (
    "import autodiff.cli.session as it, autodiff.__main__ as command\n"
    "it._PATIENCE = 0.0\n"  # save after each epoch
    "command.main()"
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("option", WRITERS)
def test_a_signal_leaves_the_old_file_or_the_new_one(option: str, kind: signal.Signals, tmp_path: Path) -> None:
    chance = np.random.default_rng([KINDS.index(kind), len(option)])
    path, judge = tmp_path / "made.csv", WRITERS[option][1]
    for _ in range(ROUNDS):
        path.write_text("old")
        running = start(*(str(path) if word == "FILE" else word for word in LONG[option]), code=HASTE,
                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
        _feed(running, option, more=True)
        _until_begun(running, path)
        time.sleep(float(chance.uniform(0, 0.1)))
        running.send_signal(kind)
        if kind == signal.SIGPIPE:  # which Python ignores, as everything that looks at what it writes
            running.send_signal(signal.SIGTERM)
        said = running.communicate(timeout=60)[1]
        assert running.returncode == {signal.SIGINT: 130, signal.SIGPIPE: -signal.SIGTERM}.get(kind, -kind), said
        assert b"Traceback" not in said
        left = path.read_text()
        assert left == "old" or judge(left)
        private = [each for each in tmp_path.iterdir() if each != path]
        assert not private or kind == signal.SIGKILL
        for each in private:
            assert each.name.endswith(".partial")
            each.unlink()


def _until_begun(running: subprocess.Popen[bytes], path: Path) -> None:
    """Wait for the file to be another one, or to have a private one beside it."""
    for _ in range(2000):
        if running.poll() is not None or len(list(path.parent.iterdir())) > 1 or path.read_bytes() != b"old":
            return
        time.sleep(0.01)


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    command = f"trap '' HUP TERM; exec {sys.executable} -m autodiff eval 2*x --data - --out {path}"
    running = subprocess.Popen(["bash", "-c", command], stdin=subprocess.PIPE)
    assert running.stdin is not None
    running.stdin.write(ROWS)
    running.stdin.flush()
    while not list(tmp_path.iterdir()):
        time.sleep(0.01)
    for kind in (signal.SIGHUP, signal.SIGTERM):
        running.send_signal(kind)
    running.communicate(timeout=60)
    assert (running.returncode, _is_one_table(path.read_text())) == (0, True)
