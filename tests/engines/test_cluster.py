"""The Dask engine with a real scheduler and workers on loopback: the bytes of the local engine, whatever happens to a worker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import PATIENCE, Ended, autodiff, start, wait_until
from tests.support.parts import contents, held_part, write_parts

distributed: Any = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

PROGRAM = "ln(x)*y"


class Cluster:
    """A scheduler and workers, processes of their own, in the folder `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        address_file = folder / "scheduler.json"
        self.processes = [
            self._begun(
                "dask_scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--scheduler-file",
                str(address_file),
            )
        ]
        wait_until(lambda: address_file.exists() and address_file.read_text().endswith("}"))
        self.address: str = json.loads(address_file.read_text())["address"]

    def add_worker(self, code: str = "") -> int:
        """Start a worker; `code` runs in it before anything else. The number of its process."""
        words = [self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
        words += ["--local-directory", str(self.folder), "--death-timeout", str(PATIENCE)]
        process = self._begun("dask_worker", *words, code=code)
        self.processes.append(process)
        return process.pid

    def settle(self) -> None:
        """Wait until the scheduler knows all workers that run, and no others."""
        with _client(self) as client:
            wait_until(lambda: len(client.nthreads()) == sum(process.poll() is None for process in self.processes[1:]))

    def end(self, pid: int = 0) -> None:
        """Kill a worker, or everything."""
        for process in self.processes:
            if pid in (0, process.pid):
                process.kill()
                process.wait()

    def _begun(self, module: str, *words: str, code: str = "") -> subprocess.Popen[bytes]:
        text = f"{code}\nimport sys\nfrom distributed.cli.{module} import main\nmain()"
        return subprocess.Popen(
            [sys.executable, "-c", text, *words], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@contextlib.contextmanager
def _cluster(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.end()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with _cluster(tmp_path_factory.mktemp("cluster")) as found:
        found.add_worker()
        found.settle()
        yield found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _client(cluster: Cluster) -> Any:
    return distributed.Client(cluster.address, set_as_default=False, timeout=PATIENCE)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine may need longer than a user waits."""
    monkeypatch.setattr("autodiff.engines.cluster.PATIENCE", PATIENCE)


def _on(cluster: Cluster, *words: str) -> Ended:
    return autodiff(*words, "--engine", "dask", "--scheduler", cluster.address)


def _started_on(cluster: Cluster, *words: str) -> subprocess.Popen[bytes]:
    code = (
        "import autodiff.__main__, autodiff.engines.cluster\n"
        f"autodiff.engines.cluster.PATIENCE = {PATIENCE}; autodiff.__main__.main()"
    )
    words = (*words, "--engine", "dask", "--scheduler", cluster.address)
    return start(*words, code=code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_one_worker_or_three_give_the_local_bytes(cluster: Cluster, folder: Path) -> None:
    rows, trainings = {}, {}
    for form in ("csv", "parquet"):
        write_parts(folder / form, 20, 10, form)
        rows[form] = autodiff(*_rows(form), f"local-{form}/")
        assert rows[form].status == 0
    joined = autodiff("eval", PROGRAM, "--data", "csv", "--data", "parquet")
    for optimizer in ("sgd", "adam", "lbfgs"):
        trainings[optimizer] = autodiff(*_training(optimizer), "--engine", "local", "--workers", "1")
        assert trainings[optimizer].status == 0
    predicted = autodiff(*_PREDICTED)
    assert (predicted.status, predicted.out.count("\n")) == (0, 1 + joined.out.count("\n") // 2)
    for workers in (1, 2, 3):
        while len(cluster.processes) - 1 < workers:
            cluster.add_worker()
        cluster.settle()
        for form in rows:
            assert _on(cluster, *_rows(form), f"dask-{form}-{workers}/") == rows[form]
            assert contents(folder / f"dask-{form}-{workers}") == contents(folder / f"local-{form}")
        assert _on(cluster, "eval", PROGRAM, "--data", "csv", "--data", "parquet") == joined
        for optimizer, ended in trainings.items():
            assert _on(cluster, *_training(optimizer)) == ended
        assert _on(cluster, *_PREDICTED) == predicted


_PREDICTED = ["predict", "p = tanh(w*x)*y", "--of", "p", "--data", "csv", "--at", "w=0.5"]


def _rows(form: str) -> list[str]:
    return ["eval", PROGRAM, "--data", form, "--keep", "--summary", "--out"]


def _training(optimizer: str) -> list[str]:
    words = [
        "train",
        "p = tanh(w*x + b)*c; L = mse(y, p)",
        "--data",
        "csv",
        "--params",
        "w=0.1,b=0,c=1",
        "--epochs",
        "5",
    ]
    return [*words, "--optimizer", optimizer, "--holdout", "0.2", "--watch", "mean(p)", "--format", "json"]


def test_a_training_goes_on_when_a_worker_is_killed(cluster: Cluster, folder: Path) -> None:
    from autodiff.engines.cluster import DaskEngine
    from autodiff.engines.part_sums import TrainTask, load_part
    from autodiff.engines.parted_training import PartedTable, PartedTraining
    from autodiff.tables.inputs import input_files
    from autodiff.train.loop import Hyperparameters

    write_parts(folder / "parts", 6, 10)
    pid, losses = cluster.add_worker(), list[float]()
    cluster.settle()
    task = TrainTask("L = mse(y, w*x)", ("w",), ("x", "y"), "parts/part-000.csv")
    files = [replace(file, address=os.path.abspath(file.address)) for file in input_files(["parts"])]
    for kill in (False, True):
        with DaskEngine(cluster.address) as engine:
            table = PartedTable(task, engine.hold(load_part, [(task, file) for file in files]), "parts")
            training = PartedTraining(task.program, table, {"w": 0.0}, Hyperparameters(5, 0.01), names=["x", "y"])
            for record in training.epochs():
                losses.append(record.loss)
                if kill and record.epoch == 2:
                    cluster.end(pid)
    assert losses[:5] == losses[5:]


def test_a_worker_that_is_killed_changes_nothing(cluster: Cluster, folder: Path) -> None:
    write_parts(folder / "parts", 6, 10)
    words = ["eval", PROGRAM, "--data", "parts", "--out"]
    local, text = autodiff(*words, "local/"), (folder / "parts" / "part-002.csv").read_text()
    os.unlink("parts/part-002.csv")
    with held_part(folder / "parts" / "part-002.csv") as part:
        cluster.add_worker()
        cluster.settle()
        running = _started_on(cluster, *words, "dask/")
        part.kill_reader()
        part.give(text)
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err.decode()) == (local.status, local.err)
    found, wanted = contents(folder / "dask"), contents(folder / "local")
    del found["_autodiff.json"], wanted["_autodiff.json"]  # a pipe has no size
    assert found == wanted


def test_faults_of_parts_are_sentences(cluster: Cluster, folder: Path) -> None:
    write_parts(folder / "parts", 4, 10)
    words = ["eval", PROGRAM, "--data", "parts", "--out", "out/"]
    for text, message in (
        (
            "x,z\n1,2\n",
            "parts/part-002.csv has other columns than parts/part-000.csv: it lacks y, and it has z as well",
        ),
        ('x,y\n1,"2\n', "parts/part-002.csv, line 2: unexpected end of data"),
    ):
        (folder / "parts" / "part-002.csv").write_text(text)
        ended = _on(cluster, *words)
        assert (ended.status, message in ended.err) == (4, True), ended
        assert not (folder / "out" / "part-002.csv").exists()
        assert not list((folder / "out").glob("*.partial"))
        assert ended.err.splitlines()[0] == autodiff(*words, "--resume").err.splitlines()[-1 - ended.err.count("\n  ")]
        for path in (folder / "out").iterdir():
            path.unlink()
    (folder / "parts" / "part-002.csv").unlink()
    (folder / "parts" / "part-002.csv").symlink_to(folder / "none.csv")
    ended = _on(cluster, *words)
    assert (ended.status, ended.err) == (4, "error: can't read 'parts/part-002.csv': No such file or directory\n")


@pytest.mark.parametrize("words", [["eval", "x", "--data", "parts"], ["eval", "z", "--data", "parts"]])
def test_a_scheduler_that_is_slow_to_let_go_changes_no_answer(
    words: list[str], cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(client: Any, timeout: float | None = None) -> None:
        close(client)
        if timeout is not None:  # without one it is a client that is garbage collected meanwhile
            raise TimeoutError(f"timed out after {timeout} s.")

    write_parts(folder / "parts", 2, 10)
    wanted, close = _on(cluster, *words), distributed.Client.close
    monkeypatch.setattr(distributed.Client, "close", slow)
    assert _on(cluster, *words) == wanted


def test_ctrl_c_leaves_no_task(cluster: Cluster, folder: Path) -> None:
    write_parts(folder / "parts", 6, 10)
    os.unlink("parts/part-000.csv")
    with held_part(folder / "parts" / "part-000.csv") as part:
        running = _started_on(cluster, "eval", "x", "--data", "parts/part-001.csv", "--data", "parts/part-000.csv")
        part.wait_for_reader()
        os.kill(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
        assert (running.returncode, err) == (130, b"\n")
        part.close()
    with _client(cluster) as client:
        wait_until(lambda: not any(client.processing().values()))


def test_workers_of_another_version_or_without_the_package_are_refused(cluster: Cluster, folder: Path) -> None:
    write_parts(folder / "parts", 2, 10)
    words = ["eval", PROGRAM, "--data", "parts"]
    for code, message in (
        ("import autodiff; autodiff.__version__ = '0.0.9'", "has autodiff 0.0.9, and this is autodiff 0.1.0"),
        ("import sys; sys.modules['autodiff'] = None", "has no autodiff, and this is autodiff 0.1.0"),
    ):
        pid = cluster.add_worker(code)
        cluster.settle()
        ended = _on(cluster, *words)
        cluster.end(pid)
        cluster.settle()
        assert (ended.status, ended.out, message in ended.err) == (4, "", True), ended
    assert _on(cluster, *words).status == 0


def test_no_scheduler_and_a_scheduler_that_is_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parts(folder / "parts", 3, 10)
    for address in ("tcp://127.0.0.1:1", "nonsense"):
        with monkeypatch.context() as hasty:
            hasty.setattr("autodiff.engines.cluster.PATIENCE", 1)
            ended = autodiff("eval", "x", "--data", "parts", "--engine", "dask", "--scheduler", address)
        assert (ended.status, f"there is no Dask scheduler at '{address}'" in ended.err) == (4, True), ended
    os.unlink("parts/part-001.csv")
    with _cluster(folder) as own, held_part(folder / "parts" / "part-001.csv") as part:
        with monkeypatch.context() as hasty:
            wait = distributed.Client.wait_for_workers
            hasty.setattr(
                distributed.Client, "wait_for_workers", lambda client, count, timeout: wait(client, count, 0.5)
            )
            ended = autodiff("eval", "x", "--data", "parts", "--engine", "dask", "--scheduler", own.address)
        assert (ended.status, "has no worker" in ended.err) == (4, True), ended
        own.add_worker()
        own.settle()
        running = _started_on(own, "eval", "x", "--data", "parts", "--out", "out/")
        part.wait_for_reader()
        own.end(own.processes[0].pid)
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err.decode().splitlines()[0]) == (
        4,
        "error: the Dask scheduler is gone: its connection was lost",
    )
    assert {path.name for path in (folder / "out").iterdir()} <= {"_autodiff.json", "part-000.csv", "part-002.csv"}


def test_stdin_stays_here(folder: Path) -> None:
    ended = autodiff("eval", "x", "--data", "-", "--engine", "dask")
    assert (ended.status, "a worker reads the file itself, and stdin can be read once" in ended.err) == (2, True)
