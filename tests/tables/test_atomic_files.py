"""A file that is written is the old one or the new one, whatever ends the command, and nothing else is touched."""

from __future__ import annotations

import os
import random
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import PATIENCE, Ended, autodiff, start, wait_until
from tests.support.writers import (
    ROWS,
    SIGNALS,
    WRITERS,
    feed,
    interrupted,
    is_history,
    is_one_table,
    is_saved,
    written_twice,
)


def _run(option: str, path: Path, stdin: bytes = ROWS) -> Ended:
    """The command in this process, so that what it prints is kept."""
    return autodiff(*WRITERS[option].command(path), stdin=stdin)


@pytest.mark.parametrize("option", WRITERS)
def test_a_partial_file_of_the_user_is_kept(option: str, tmp_path: Path) -> None:
    path, victim = tmp_path / "made.csv", tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "made.csv.partial").symlink_to(victim)
    assert _run(option, path).status == 0
    assert WRITERS[option].is_whole(path.read_text())
    assert (victim.read_text(), (tmp_path / "made.csv.partial").is_symlink()) == ("mine", True)
    assert {file.name for file in tmp_path.iterdir()} == {"made.csv", "made.csv.partial", "victim"}


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
    assert WRITERS[option].is_whole(target.read_text())
    assert [file.name for folder in ("here", "there") for file in (tmp_path / folder).iterdir()] == [
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
        assert WRITERS[option].is_whole((tmp_path / name).read_text())


@pytest.mark.parametrize("option", WRITERS)
def test_pipes_and_devices_are_written_to(option: str, tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    os.mkfifo(path)
    running = start(
        *WRITERS[option].command(path), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    feed(running, option)
    written = path.read_text()
    assert (running.wait(PATIENCE), WRITERS[option].is_whole(written), path.is_fifo()) == (0, True, True)
    assert running.stderr is not None
    running.stderr.close()
    words = [*WRITERS[option].command(Path("/dev/stdout")), *(["--to", "csv"] if option == "--out" else ["-q"])]
    with (tmp_path / "shell.csv").open("wb") as out:
        assert (
            subprocess.run(
                [sys.executable, "-m", "autodiff", *words], input=ROWS, stdout=out, timeout=PATIENCE
            ).returncode
            == 0
        )
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("option", WRITERS)
def test_a_full_device_is_reported(option: str) -> None:
    words = [*WRITERS[option].command(Path("/dev/full")), *(["--to", "csv"] if option == "--out" else [])]
    ended = autodiff(*words, stdin=ROWS)
    assert (ended.status, "can't write '/dev/full': No space left on device" in ended.err) == (4, True)


@pytest.mark.parametrize("option", WRITERS)
@pytest.mark.parametrize("room", [0, 40, 4096])
def test_a_full_disk_leaves_the_old_file(option: str, room: int, tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "autodiff", *WRITERS[option].command(path)], input=ROWS, capture_output=True, timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip
    left = path.read_text()
    if option == "--save" and room == 4096:
        assert (done.returncode, is_saved(left)) == (0, True)
        return
    assert (done.returncode, b"can't write" in done.stderr) == (4, True), done.stderr
    assert left == "old" or (option == "--history" and is_history(left))
    assert [file.name for file in tmp_path.iterdir()] == ["made.csv"]


@pytest.mark.parametrize("option", WRITERS)
def test_two_writers_of_one_file_leave_one_of_theirs(option: str, tmp_path: Path) -> None:
    assert [written_twice(option, tmp_path) for _ in range(2)] == ["", ""]


@pytest.mark.parametrize("kind", SIGNALS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("option", WRITERS)
def test_a_signal_leaves_the_old_file_or_the_new_one(option: str, kind: signal.Signals, tmp_path: Path) -> None:
    """`python -m tests.fuzz.kills` tries it many times."""
    chance = random.Random(f"{option} {kind}")
    for moment in ("middle", "end"):
        assert interrupted(option, kind, moment, chance.uniform(0, 0.1), tmp_path) == ""


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    command = f"trap '' HUP TERM; exec {sys.executable} -m autodiff eval 2*x --data - --out {path}"
    running = subprocess.Popen(["bash", "-c", command], stdin=subprocess.PIPE)
    assert running.stdin is not None
    running.stdin.write(ROWS)
    running.stdin.flush()
    wait_until(lambda: any(tmp_path.iterdir()))
    for kind in (signal.SIGHUP, signal.SIGTERM):
        running.send_signal(kind)
    running.communicate(timeout=PATIENCE)
    assert (running.returncode, is_one_table(path.read_text())) == (0, True)
