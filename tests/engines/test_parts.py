"""Many parts on the local engine: one file or a part file each, whole or absent, the same bytes with any number of workers."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from autodiff.batch.parts import RowsTask, answer_bytes
from autodiff.engines.local import LocalEngine
from autodiff.tables.inputs import input_files
from tests.support.command import PATIENCE, autodiff, start, wait_until
from tests.support.parts import contents, held_part, write_parts

PROGRAM = "ln(x)*y"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_parts(tmp_path / "parts", 5, 20)
    return tmp_path


@pytest.mark.parametrize("to", ["csv", "ndjson", "arrow", "parquet"])
def test_parts_in_one_file_are_the_streamed_file(to: str, folder: Path) -> None:
    for name, words in (("streamed", ()), ("engine", ("--engine", "local", "--workers", "1"))):
        ended = autodiff("eval", PROGRAM, "--data", "parts", "--keep", "--out", f"{name}.{to}", *words)
        assert ended.status == 0, ended
    if to in ("csv", "ndjson"):
        assert Path(f"engine.{to}").read_bytes() == Path(f"streamed.{to}").read_bytes()
    read = [
        autodiff("eval", "u = f + y + x", "--data", f"{name}.{to}", "--to", "csv").out
        for name in ("engine", "streamed")
    ]
    assert read[0] == read[1]
    assert read[0].count("\n") == 111


def test_processes_change_no_byte(folder: Path) -> None:
    wanted = autodiff("eval", PROGRAM, "--data", "parts")
    assert autodiff("eval", PROGRAM, "--data", "parts", "--engine", "local", "--workers", "2") == wanted
    for workers in ("1", "3"):
        ended = autodiff("eval", PROGRAM, "--data", "parts", "--out", f"out{workers}/", "--workers", workers)
        assert (ended.status, ended.err) == (0, wanted.err)
    assert contents(folder / "out1") == contents(folder / "out3")


def test_a_part_file_for_each_file_and_a_manifest(folder: Path) -> None:
    assert autodiff("eval", PROGRAM, "--data", "parts", "--out", "out").status == 0
    for path in sorted((folder / "parts").iterdir()):
        assert (folder / "out" / path.name).read_text() == autodiff("eval", PROGRAM, "--data", str(path)).out
    manifest = json.loads((folder / "out" / "_autodiff.json").read_text())
    assert (manifest["program"], manifest["version"], manifest["complete"]) == (PROGRAM, "0.1.0", True)
    assert [part["name"] for part in manifest["parts"]] == [f"part-{k:03}.csv" for k in range(5)]
    assert (
        manifest["rows"] == sum(manifest["statuses"].values()) == sum(part["rows"] for part in manifest["parts"]) == 110
    )
    assert manifest["statuses"]["domain"] == autodiff("eval", PROGRAM, "--data", "parts").out.count("domain")
    again = autodiff("eval", "f", "--data", "out", "--summary")  # a folder of answers is a folder of parts
    assert (again.status, again.out.splitlines()[0].split()) == (0, ["rows", "110"])


def test_folders_and_formats_of_parts(folder: Path) -> None:
    for year in (2025, 2026):
        path = folder / "table" / f"year={year}"
        path.mkdir(parents=True)
        (path / "a.csv.gz").write_bytes(gzip.compress(b"x\n1\n2\n"))
    assert autodiff("eval", "x*year", "--data", "table", "--out", "out/", "--keep", "--to", "parquet").status == 0
    found = parquet.read_table(folder / "out" / "year=2026" / "a.parquet", partitioning=None)
    assert found.column_names == ["x", "f", "df/dx", "df/dyear", "status"]
    assert found["f"].to_pylist() == [2026, 4052]
    assert autodiff("eval", "f*year", "--data", "out", "--to", "csv").out.splitlines()[-1].startswith("8209352,")
    ended = autodiff(
        "eval", "x", "--data", "table/year=2025/a.csv.gz", "--data", "table/year=2026/a.csv.gz", "--out", "o/"
    )
    assert (ended.status, "would both be written to 'a.csv'" in ended.err) == (2, True)


def test_a_run_that_died_goes_on(folder: Path) -> None:
    (folder / "parts" / "part-003.csv").write_text("x,y\n1,2,3\n'\n\"1,2\n")
    ended = autodiff("eval", PROGRAM, "--data", "parts", "--out", "out/")
    assert (ended.status, "parts/part-003.csv, line 4: unexpected end of data" in ended.err) == (4, True)
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("*.csv")}
    assert sorted(before) == ["part-000.csv", "part-001.csv", "part-002.csv"]
    assert not json.loads((folder / "out" / "_autodiff.json").read_text())["complete"]
    assert "is not empty" in autodiff("eval", PROGRAM, "--data", "parts", "--out", "out/").err
    write_parts(folder / "parts", 5, 20)
    os.unlink("out/part-001.csv")
    ended = autodiff("eval", PROGRAM, "--data", "parts", "--out", "out/", "--resume")
    assert ended.err.splitlines()[0] == "notice: 2 of 5 parts are whole already"
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("*.csv")}
    assert sorted(name for name in before if after[name] == before[name]) == ["part-000.csv", "part-002.csv"]
    autodiff("eval", PROGRAM, "--data", "parts", "--out", "fresh/")
    assert contents(folder / "out") == contents(folder / "fresh")
    assert ended.err.splitlines()[1:] == autodiff("eval", PROGRAM, "--data", "parts").err.splitlines()
    for words, message in ((["x*y"], "program was 'ln(x)*y', and is 'x*y'"), ([PROGRAM, "--keep"], "keep was 'False'")):
        ended = autodiff("eval", *words, "--data", "parts", "--out", "out/", "--resume")
        assert (ended.status, f"'out' is of another run: {message}" in ended.err) == (4, True)


def test_an_input_that_changed_is_computed_again(folder: Path) -> None:
    autodiff("eval", "x", "--data", "parts", "--out", "out/")
    (folder / "parts" / "part-004.csv").write_text("x,y\n7,8\n")
    assert "4 of 5 parts are whole" in autodiff("eval", "x", "--data", "parts", "--out", "out/", "--resume").err
    assert (folder / "out" / "part-004.csv").read_text() == "f,df/dx,status\n7,1,ok\n"


def test_the_first_part_that_fails_is_the_error(folder: Path) -> None:
    (folder / "parts" / "part-001.csv").write_text("x,y\n-1,1\n")
    (folder / "parts" / "part-003.csv").write_text("x,y\n-2,1\n")
    for words in ((), ("--engine", "local", "--workers", "2"), ("--out", "out/", "--workers", "2")):
        data = ["parts/part-001.csv", "parts/part-003.csv"]
        ended = autodiff("eval", PROGRAM, *(w for name in data for w in ("--data", name)), "--fail-fast", *words)
        assert (ended.status, "parts/part-001.csv, line 2: ln(x) needs x > 0" in ended.err) == (3, True), ended.err
    assert not list((folder / "out").glob("*.csv*"))


def test_schemas_that_differ_and_files_that_are_not_there(folder: Path) -> None:
    (folder / "parts" / "part-003.csv").write_text("x,z\n1,1\n")
    ended = autodiff("eval", PROGRAM, "--data", "parts", "--out", "out/", "--workers", "2")
    assert ended.status == 4
    assert "parts/part-003.csv has other columns than parts/part-000.csv: it lacks y, and it has z as well" in ended.err
    assert not (folder / "out" / "part-003.csv").exists()
    ended = autodiff("eval", PROGRAM, "--data", "parts/part-000.csv", "--data", "none.csv", "--workers", "2")
    assert (ended.status, ended.err) == (4, "error: can't read 'none.csv': No such file or directory\n")


def test_summary_is_one_pass_with_the_same_numbers_everywhere(folder: Path) -> None:
    ended = autodiff("eval", "u = x*y", "--data", "parts", "--summary")
    rows = [line.split(",") for line in autodiff("eval", "u = x*y", "--data", "parts").out.splitlines()[1:]]
    values = [float(row[0]) for row in rows]
    name, numbers, least, largest, mean = ended.out.splitlines()[4].split()
    assert (name, int(numbers), float(least), float(largest)) == ("u", 110, min(values), max(values))
    assert float(mean) == pytest.approx(sum(values) / 110, rel=1e-14)
    for words in (["--workers", "2"], ["--out", "rows.csv"], ["--out", "out/", "--workers", "2"]):
        assert autodiff("eval", "u = x*y", "--data", "parts", "--summary", *words).out == ended.out
    assert Path("rows.csv").read_text().count("\n") == 111
    (folder / "one.csv").write_text("x,y\n-1,1\n")
    lines = autodiff("eval", PROGRAM, "--data", "one.csv", "--summary").out.splitlines()
    assert [line.split() for line in lines[:3]] == [["rows", "1"], ["ok", "0"], ["domain", "1"]]
    assert [line.split() for line in lines[5:]] == [["f", "0"], ["df/dx", "0"], ["df/dy", "0"]]


def test_a_part_that_is_not_what_was_written_is_computed_again(folder: Path) -> None:
    """Cut short, or with the rows of another part that is as long; a part without its file is refused, not kept."""
    autodiff("eval", "x", "--data", "parts", "--out", "out/")
    wanted = contents(folder / "out")
    os.truncate("out/part-001.csv", 5)
    text = Path("out/part-003.csv").read_text()
    Path("out/part-003.csv").write_text(text.replace("ok", "OK", 1))
    again = autodiff("eval", "x", "--data", "parts", "--out", "out/", "--resume")
    assert again.err.splitlines()[0] == "notice: 3 of 5 parts are whole already"
    assert contents(folder / "out") == wanted
    os.unlink("parts/part-004.csv")
    words = ["eval", "x", "--data", "parts", "--out", "out/", "--resume"]
    message = "error: 'out/part-004.csv' is the part of 'parts/part-004.csv', which is not there any more\n"
    assert (autodiff(*words).status, autodiff(*words).err.startswith(message)) == (4, True)
    os.unlink("out/part-004.csv")
    assert autodiff(*words).status == 0
    assert "part-004.csv" not in Path("out/_autodiff.json").read_text()


@pytest.mark.parametrize(
    "damaged",
    [
        '{"name": "part-000.csv"}', "5", '{"rows": "20"}', '{"rows": null}', '{"statuses": 5}', '{"statuses": {"ok": "20"}}',
        '{"statuses": {"ok": 20, "domain": 2}}', '{"first": 5}', '{"input": 7}', '{"fault": 7}', '{"written": 5}', '{"name": 5}',
    ],
)  # fmt: skip
def test_a_manifest_that_no_run_wrote_is_refused(damaged: str, folder: Path) -> None:
    autodiff("eval", "x", "--data", "parts", "--out", "out/")
    path = Path("out/_autodiff.json")
    manifest = json.loads(path.read_text())
    part = json.loads(damaged)
    whole = isinstance(part, dict) and part != {"name": "part-000.csv"}
    manifest["parts"][0] = {**manifest["parts"][0], **part} if whole else part
    path.write_text(json.dumps(manifest))
    ended = autodiff("eval", "x", "--data", "parts", "--out", "out/", "--resume")
    assert (ended.status, ended.err) == (4, "error: 'out/_autodiff.json' is no manifest of a run\n")


def test_parts_are_not_written_among_the_rows(folder: Path) -> None:
    for out in ("parts/out/", "parts/"):
        ended = autodiff("eval", "x", "--data", "parts", "--out", out)
        assert (ended.status, f"--out '{out}' is in the folder 'parts' of --data" in ended.err) == (2, True), ended
    assert sorted(path.suffix for path in (folder / "parts").iterdir()) == [".csv"] * 5
    assert autodiff("eval", "x", "--data", "parts", "--out", "parts/_out/").status == 0
    assert autodiff("eval", "x", "--data", "parts").out.count("\n") == 111


def test_remote_parts_are_read_and_written(folder: Path) -> None:
    system = fsspec.filesystem("memory")
    for k in range(2):
        system.pipe_file(f"/in/part-{k}.csv", f"x\n{k}\n".encode())
    assert autodiff("eval", "x^2", "--data", "memory://in", "--out", "memory://out/").status == 0
    assert system.cat_file("/out/part-1.csv") == b"f,df/dx,status\n1,2,ok\n"
    assert json.loads(system.cat_file("/out/_autodiff.json"))["rows"] == 2
    again = autodiff("eval", "x^2", "--data", "memory://in", "--out", "memory://out/", "--resume")
    assert again.err == "notice: 2 of 2 parts are whole already\n"
    assert autodiff("eval", "x", "--data", "memory://in", "--out", "memory://one.csv.gz").status == 0
    assert gzip.decompress(system.cat_file("/one.csv.gz")) == b"f,df/dx,status\n0,1,ok\n1,1,ok\n"
    system.rm("/", recursive=True)


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_a_file_is_packed_as_its_name_ends(ending: str, folder: Path) -> None:
    out = f"rows.csv.{ending}"
    assert autodiff("eval", "x", "--data", "parts", "--out", out).status == 0
    content = Path(out).read_bytes()
    text = (
        gzip.decompress(content)
        if ending == "gz"
        else pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
    )
    assert text.decode() == autodiff("eval", "x", "--data", "parts").out
    assert autodiff("eval", "u = f", "--data", out).status == 0


def test_a_task_is_text_and_plain_data(folder: Path) -> None:
    task = RowsTask(program="a*x", wrt=("x",), fixed=(("a", 0.5),), columns=("x", "y"), first="p", form=None, to="csv")
    found = answer_bytes(task, input_files(["parts/part-000.csv"])[0], True)
    assert found.content.startswith(b"f,df/dx,status\n")
    assert (
        found.content
        == autodiff("eval", "a*x", "--at", "a=0.5", "--wrt", "x", "--data", "parts/part-000.csv").out.encode()
    )


def test_predictions_in_parts_are_the_streamed_ones(folder: Path) -> None:
    """With codes of texts that the training kept, and a text that it did not have; a folder of parts goes on."""
    (folder / "rows.csv").write_text("kind,y\na,1\nb,3\n")
    words = ["p = U[kind]", "--data"]
    train = ["train", "L = mse(y, U[kind])", "--data", "rows.csv", "--params", "U=[1,3]", "-q", "--save", "p.json"]
    assert autodiff(*train).status == 0
    (folder / "new").mkdir()
    for k in range(4):
        (folder / "new" / f"{k}.csv").write_text(f"kind,n\na,{k}\nz,{k}\nb,{k}\n")
    words = ["predict", "p = U[kind]", "--of", "p, q = 2*p", "--keep", "--data", "new", "--at", "@p.json"]
    streamed = autodiff(*words)
    assert (streamed.status, streamed.out.splitlines()[1:4]) == (0, ["a,0,1,2,ok", "z,0,,,input", "b,0,3,6,ok"])
    assert "4 of 12 rows are not ok" in streamed.err
    for workers in ("1", "2"):
        assert autodiff(*words, "--engine", "local", "--workers", workers) == streamed
    assert autodiff(*words, "--out", "out/", "--workers", "2").err == streamed.err
    rows = [line for path in sorted((folder / "out").glob("*.csv")) for line in path.read_text().splitlines()[1:]]
    assert rows == streamed.out.splitlines()[1:]
    (folder / "out" / "2.csv").unlink()
    again = autodiff(*words, "--out", "out/", "--resume")
    assert (again.status, "3 of 4 parts are whole already" in again.err) == (0, True)
    other = autodiff(*words[:-1], "U=[1,2]", "--out", "out/", "--resume")
    assert (other.status, other.out) == (4, "")


def test_options_that_do_not_fit(folder: Path) -> None:
    for words, message in (
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler goes with --engine dask"),
        (["--resume"], "--resume goes with a folder of parts"),
        (["--summary", "--out", "-"], "the rows and their summary can't both go to stdout"),
        (["--summary", "--resume", "--out", "o/"], "--summary does not go with --resume"),
    ):
        ended = autodiff("eval", "x", "--data", "parts", *words)
        assert (ended.status, message in ended.err) == (2, True), ended
    ended = autodiff("eval", "x", "--engine", "local", "--at", "x=1")
    assert (ended.status, "--engine goes with --data" in ended.err) == (2, True)


def test_a_local_process_that_is_killed_changes_nothing(folder: Path) -> None:
    wanted = autodiff("eval", PROGRAM, "--data", "parts").out
    text = (folder / "parts" / "part-002.csv").read_text()
    os.unlink("parts/part-002.csv")
    with held_part(folder / "parts" / "part-002.csv") as part:
        running = start(
            "eval", PROGRAM, "--data", "parts", "--workers", "2", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        part.kill_reader()
        part.give(text)
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out.decode()) == (0, wanted), err


def test_a_process_that_is_killed_between_two_calls_is_replaced() -> None:
    with LocalEngine(2) as engine:
        results = engine.completed(pow, [(k, 3) for k in range(12)])
        assert next(results) == (0, 0)
        pool = engine._started()
        for process in list(pool._processes.values()):
            process.kill()
        wait_until(lambda: pool._broken)
        assert list(results) == [(k, k**3) for k in range(1, 12)]


def test_ctrl_c_ends_the_processes(folder: Path) -> None:
    os.unlink("parts/part-001.csv")
    with held_part(folder / "parts" / "part-001.csv") as part:
        running = start(
            "eval",
            PROGRAM,
            "--data",
            "parts",
            "--out",
            "out/",
            "--workers",
            "2",
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        worker = part.wait_for_reader()
        os.kill(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err) == (130, b"\n")
    assert not Path(f"/proc/{worker}").exists()
    assert not list((folder / "out").glob("*.partial"))
    assert not json.loads((folder / "out" / "_autodiff.json").read_text())["complete"]


def test_results_come_in_order_or_as_they_are_done() -> None:
    calls = [(k, 3) for k in range(7)]
    for workers in (1, 2):
        with LocalEngine(workers) as engine:
            assert list(engine.completed(pow, calls)) == [(k, k**3) for k in range(7)]
            assert sorted(engine.completed(pow, calls, ordered=False)) == [(k, k**3) for k in range(7)]


def test_a_pipe_is_read_once(folder: Path) -> None:
    """Where the first file is one, its rows are read here, or it is refused; a second reader would wait for ever."""
    text = (folder / "parts" / "part-000.csv").read_text()
    plain = autodiff("eval", PROGRAM, "--data", "parts/part-000.csv", "--keep")
    words = ["eval", PROGRAM, "--data", "-", "--keep", "--engine", "local", "--workers", "2"]
    assert autodiff(*words, stdin=text.encode()).out == plain.out
    with held_part(folder / "pipe.csv") as part:
        running = start("eval", PROGRAM, "--data", "pipe.csv", "--keep", "--engine", "local", stdout=subprocess.PIPE)
        part.give(text)
        assert running.communicate(timeout=PATIENCE)[0].decode() == plain.out
        for data, name in (("-", "stdin"), ("pipe.csv", "'pipe.csv'")):
            train = ["train", "mse(y, w*x)", "--data", data, "--params", "w=0", "--engine", "local"]
            for refused in (["eval", PROGRAM, "--data", data, "--out", "out/"], train):
                ended = autodiff(*refused, stdin=text.encode())
                assert (ended.status, f"before its rows, and {name} can be read once" in ended.err) == (2, True), ended
    assert not Path("out").exists()
