"""Several files, folders, patterns and remote addresses are one table for `eval`, `train` and `fit`."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import fsspec
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from autodiff.errors import AutodiffError
from autodiff.tables.columns import load
from autodiff.tables.inputs import each_table, input_files
from tests.support.command import Ended, autodiff

ROWS = ["x,y\n1,2\n2,4.5\n", "x,y\n3,5\n4,8.5\n", "y,x\n-1,-2\n"]
WHOLE = "x,y\n1,2\n2,4.5\n3,5\n4,8.5\n-2,-1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with `parts/a.csv`, `parts/b.csv`, `parts/sub/c.csv`, and the same rows in `whole.csv`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts" / "sub").mkdir(parents=True)
    for name, text in zip(["a.csv", "b.csv", "sub/c.csv"], ROWS, strict=True):
        (tmp_path / "parts" / name).write_text(text)
    (tmp_path / "whole.csv").write_text(WHOLE)
    return tmp_path


def _three(*words: str) -> list[Ended]:
    return [
        autodiff("eval", "x*y", "--keep", *words),
        autodiff("train", "mse(y, w*x)", "--params", "w=0", "--lr", "0.01", "-q", *words),
        autodiff("fit", "w*x", "--y", "y", "--start", "w=1", "-q", *words),
    ]


@pytest.mark.parametrize(
    "data",
    [
        ["parts"],
        ["parts/"],
        ["file://{}/parts"],
        ["parts/**/*.csv"],
        ["parts/[ab].csv", "parts/sub"],
        ["parts/a.csv", "parts/b.csv", "parts/sub/c.csv"],
    ],
    ids=str,
)
def test_many_files_are_one_table(data: list[str], folder: Path) -> None:
    words = [word for address in data for word in ("--data", address.format(folder))]
    assert _three(*words) == _three("--data", "whole.csv")


def test_predictions_of_many_files_are_those_of_one_table(folder: Path) -> None:
    words = ["predict", "p = w*x; L = mse(y, p)", "--of", "p", "--at", "w=2", "--keep"]
    assert autodiff(*words, "--data", "parts") == autodiff(*words, "--data", "whole.csv")
    (folder / "parts" / "b.csv").write_text("x,y\n1,2\nabc,3\n")
    ended = autodiff(*words, "--data", "parts")
    assert "(first in line 3 of parts/b.csv); line 3 of parts/b.csv, column 'x': 'abc' is no finite number" in ended.err


def test_texts_are_classes_across_files(folder: Path) -> None:
    for name, text in (("a", "kind,y\nred,1\nblue,2\n"), ("b", "kind,y\ngreen,3\nred,1\n")):
        (folder / "parts" / f"{name}.csv").write_text(text)
    (folder / "whole.csv").write_text("kind,y\nred,1\nblue,2\ngreen,3\nred,1\n")
    words = ["train", "mse(y, one_hot(kind) @ w)", "--params", "w=zeros(3)", "-q", "--data"]
    parts = autodiff(*words, "parts/a.csv", "--data", "parts/b.csv")
    assert (parts.status, parts) == (0, autodiff(*words, "whole.csv"))


def test_two_inputs_are_two_inputs_in_the_order_given(folder: Path) -> None:
    ended = autodiff("eval", "x", "--data", "parts/b.csv", "--data", "-", "--data", "parts/a.csv", stdin=b"x,y\n9,9\n")
    assert ended.out == "f,df/dx,status\n3,1,ok\n4,1,ok\n9,1,ok\n1,1,ok\n2,1,ok\n"


def test_a_folder_has_the_tables_in_it_and_nothing_else(folder: Path) -> None:
    for name in ("_SUCCESS", ".hidden.csv", "_old/x.csv", "notes.md", "a.csv.0123456789abcdef.partial"):
        path = folder / "parts" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x,y\n100,100\n")
    assert [file.place for file in input_files(["parts"])] == ["a.csv", "b.csv", "sub/c.csv"]
    (folder / "other").mkdir()
    (folder / "other" / "part-0").write_text("x,y\n1,2\n")
    ended = autodiff("eval", "x", "--data", "other")
    assert (ended.status, "the folder 'other' has no table" in ended.err) == (4, True)
    assert autodiff("eval", "x", "--data", "other", "--from", "csv").out == "f,df/dx,status\n1,1,ok\n"


def test_names_of_folders_are_columns(folder: Path) -> None:
    for year, city in ((2025, "Bern"), (2026, "St%20Gallen")):
        path = folder / "table" / f"year={year}" / f"city={city}"
        path.mkdir(parents=True)
        parquet.write_table(pa.table({"x": [1.0, 2.0]}), path / "part-0.parquet")
    ended = autodiff("eval", "x*year", "--data", "table", "--keep", "--to", "ndjson")
    assert ended.out.splitlines()[-1] == (
        '{"x": 2.0, "year": 2026, "city": "St Gallen", "f": 4052.0, "df/dx": 2026.0, "df/dyear": 2.0, "status": "ok"}'
    )
    assert load(input_files(["table/year=2026"]), lambda _: ["year"]).columns["year"].tolist() == [2026, 2026]
    (folder / "table" / "year=__HIVE_DEFAULT_PARTITION__" / "city=").mkdir(parents=True)
    parquet.write_table(pa.table({"x": [1.0]}), folder / "table" / "year=__HIVE_DEFAULT_PARTITION__/city=/a.parquet")
    assert "1 input (first in row 1 of table/year=__H" in autodiff("eval", "x*year", "--data", "table").err
    assert autodiff("eval", "x*y*city", "--data", "table").status == 4


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_column_of_the_folder_is_there_in_every_format(form: str, folder: Path) -> None:
    path = folder / "t" / "k=0.5"
    path.mkdir(parents=True)
    text = "x\n3\n" if form == "csv" else '{"x": 3}\n'
    (path / f"a.{form}").write_text(text * 1)
    assert autodiff("eval", "x*k", "--data", "t", "--keep", "--to", "csv").out.splitlines()[1] == "3,0.5,1.5,0.5,3,ok"
    (path / f"a.{form}").write_text(text.replace("x", "k"))
    ended = autodiff("eval", "k", "--data", "t")
    assert (ended.status, "column 'k' is there twice, in the file and in its folder's name" in ended.err) == (4, True)


def test_schemas_that_differ_name_both_files(folder: Path) -> None:
    (folder / "parts" / "c.csv").write_text("x,z\n1,2\n")
    for ended in _three("--data", "parts"):
        assert ended.status == 4
        assert "parts/c.csv has other columns than parts/a.csv: it lacks y, and it has z as well" in ended.err


@pytest.mark.parametrize(
    ("form", "text"), [("csv", "x,z\n1,2\n"), ("csv", ""), ("ndjson", '{"x": 1, "z": 2}\n'), ("parquet", "none")]
)
def test_no_row_is_answered_where_a_later_file_does_not_fit(form: str, text: str, folder: Path) -> None:
    (folder / f"c.{form}").write_text(text)
    for command in (["eval", "x*y"], ["eval", "x*y", "--workers", "2"], ["predict", "p = x*y", "--of", "p"]):
        ended = autodiff(*command, "--data", "parts/a.csv", "--data", "parts/b.csv", "--data", f"c.{form}")
        assert (ended.status, ended.out) == (4, "")
        assert f"c.{form}" in ended.err
    assert autodiff("eval", "x*y", "--data", "parts/a.csv", "--data", "parts/none.csv").out == ""


def test_a_pipe_is_read_once_and_its_columns_are_checked_at_its_turn(folder: Path) -> None:
    os.mkfifo("pipe.csv")
    for content, status in ((b"x,y\n9,9\n", 0), (b"x,z\n9,9\n", 4)):
        writing = Thread(target=Path("pipe.csv").write_bytes, args=(content,))
        writing.start()
        ended = autodiff("eval", "x", "--data", "parts/a.csv", "--data", "pipe.csv")
        writing.join()
        assert (ended.status, ended.out.splitlines()[:3]) == (status, ["f,df/dx,status", "1,1,ok", "2,1,ok"])


def test_a_bad_row_has_its_file_and_line(folder: Path) -> None:
    (folder / "parts" / "b.csv").write_text("x,y\n1,2\n3,abc\n")
    evaluated, *others = _three("--data", "parts")
    assert evaluated.err == (
        "note: 1 of 5 rows are not ok: 1 input (first in line 3 of parts/b.csv); "
        "line 3 of parts/b.csv, column 'y': 'abc' is no finite number\n"
    )
    for ended in others:
        assert (ended.status, "parts/b.csv, line 3, column 'y': 'abc' is no finite number" in ended.err) == (4, True)
    ended = autodiff("train", "ln(w*x)", "--params", "w=1", "--data", "parts/a.csv", "--data", "parts/sub/c.csv")
    assert "(row 1, line 2 of parts/sub/c.csv)" in ended.err


def test_parts_without_rows_are_parts(folder: Path) -> None:
    (folder / "parts" / "a.csv").write_text("x,y\n")
    assert [len(table.names) for table in each_table(input_files(["parts"]))] == [2, 2, 2]
    assert autodiff("eval", "x", "--data", "parts").out == "f,df/dx,status\n3,1,ok\n4,1,ok\n-2,1,ok\n"
    assert len(load(input_files(["parts"]), list)) == 3
    empty = autodiff("eval", "x", "--data", "parts/a.csv", "--data", "parts/a.csv")
    assert (empty.status, empty.out) == (0, "f,df/dx,status\n")
    ended = autodiff("fit", "w*x", "--y", "y", "--start", "w=1", "--data", "parts/a.csv", "--data", "parts/a.csv")
    assert (ended.status, "there are no rows" in ended.err) == (4, True)


def test_remote_files_by_fsspec(folder: Path) -> None:
    system = fsspec.filesystem("memory")
    for name, text in zip(["a.csv", "b.csv", "sub/c.csv"], ROWS, strict=True):
        system.pipe_file(f"/many/{name}", text.encode())
    wanted = _three("--data", "whole.csv")
    for data in ("memory://many", "memory://many/**/*.csv"):
        assert _three("--data", data) == wanted
    parquet.write_table(pa.table({"x": [1.0, 2.0, 3.0, 4.0, -2.0], "y": [2, 4.5, 5, 8.5, -1]}), "whole.parquet")
    system.put_file("whole.parquet", "/many.parquet")
    assert (
        autodiff("eval", "x*y", "--data", "memory://many.parquet").out
        == autodiff("eval", "x*y", "--data", "whole.csv").out
    )
    ended = autodiff("eval", "x", "--data", "memory://many/none.csv")
    assert (ended.status, ended.err) == (4, "error: can't read 'memory://many/none.csv': No such file or directory\n")


def test_an_address_that_cant_be_read_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = autodiff("eval", "x", "--data", "nowhere://bucket/rows.csv")
    assert (ended.status, ended.err) == (
        2,
        "error: can't read 'nowhere://bucket/rows.csv': Protocol not known: nowhere\n",
    )
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    ended = autodiff("eval", "x", "--data", "s3://bucket/rows.csv")
    assert (ended.status, "which is not installed" in ended.err, "pip install '.[remote]'" in ended.err) == (
        2,
        True,
        True,
    )


def test_nothing_is_read_twice_or_silently_left_out(folder: Path) -> None:
    ended = autodiff("eval", "x", "--data", "parts/*.tsv")
    assert (ended.status, ended.err) == (4, "error: no file fits 'parts/*.tsv'\n")
    with pytest.raises(AutodiffError, match="stdin can be read once"):
        input_files(["-", "-"])
    ended = autodiff("eval", "x", "--data", "parts", "--out", "parts/b.csv")
    assert (ended.status, "--data and --out are the same file" in ended.err) == (2, True)
    (folder / "odd[1].csv").write_text("x\n1\n")
    assert autodiff("eval", "x", "--data", "odd[1].csv").out == "f,df/dx,status\n1,1,ok\n"
    os.mkdir("empty")
    assert autodiff("eval", "x", "--data", "empty").status == 4


def test_partitions_keep_their_spelling(tmp_path: Path) -> None:
    """A postcode keeps its zero: where a folder's text is not as numbers are written, the column is one of texts."""
    for k, text in enumerate(("02134", "94110")):
        folder = tmp_path / f"zip={text}" / f"n={k - 1}" / f"w=0.{k}5"
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text("x\n2\n")
    words = ["eval", "f = x*zip", "--wrt", "x", "--data", str(tmp_path), "--keep"]
    assert autodiff(*words).out.splitlines()[1:] == ["2,02134,-1,0.05,4268,2134,ok", "2,94110,0,0.15,188220,94110,ok"]
    assert '"zip": "02134", "n": -1, "w": 0.05' in autodiff(*words, "--to", "ndjson").out


def test_a_file_of_ndjson_without_rows_is_a_part_without_rows(tmp_path: Path) -> None:
    """It names no columns, so that it has no other ones than its neighbours."""
    for name, content in (("a", ""), ("b", '{"x": 1}\n'), ("c", "")):
        (tmp_path / f"{name}.ndjson").write_text(content)
    for words in ([], ["--workers", "2"], ["--out", f"{tmp_path}/_out/"]):
        ended = autodiff("eval", "2*x", "--data", str(tmp_path), *words)
        assert (ended.status, ended.err) == (0, "")
        if not words:
            assert ended.out == '{"f": 2.0, "df/dx": 2.0, "status": "ok"}\n'
    assert [(tmp_path / "_out" / f"{name}.ndjson").read_text().count("\n") for name in "abc"] == [0, 1, 0]
