"""One reader: `eval --data`, `train` and `fit` read the same columns, types and faults from every format."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from autodiff.tables import csv_blocks
from autodiff.tables.columns import Missing, load, rows_of
from autodiff.tables.text import Chunk, Table, numbers
from tests.support.command import Ended, autodiff

FORMS = ["csv", "tsv", "ndjson", "parquet", "arrow", "csv.gz", "ndjson.gz", "csv.bz2", "ndjson.xz", "csv.zst"]


def _written(folder: Path, form: str, columns: dict[str, Any]) -> str:
    """A table in a file of this format."""
    path, ending = folder / f"rows.{form}", form.split(".")[0]
    table = pa.table(columns)
    plain = folder / f"plain.{ending}"
    if ending == "parquet":
        parquet.write_table(table, plain)
    elif ending == "arrow":
        feather.write_feather(table, str(plain), compression="uncompressed")
    elif ending == "ndjson":
        plain.write_text("".join(f"{json.dumps(row, default=float)}\n" for row in table.to_pylist()))
    else:
        sign = "\t" if ending == "tsv" else ","
        arrow_csv.write_csv(table, str(plain), arrow_csv.WriteOptions(delimiter=sign))
    content = plain.read_bytes()
    if packing := {"gz": gzip, "bz2": bz2, "xz": lzma}.get(form.rpartition(".")[2]):
        content = packing.compress(content)
    elif form.endswith("zst"):
        content = pa.compress(content, "zstd", asbytes=True)
    path.write_bytes(content)
    return str(path)


def _three(data: str, *words: str) -> list[Ended]:
    """What each of the three commands makes of a file."""
    return [
        autodiff("eval", "x*y", "--data", data, "--fail-fast", "--to", "csv", *words),
        autodiff("train", "mse(y, w*x)", "--data", data, "--params", "w=0", "--lr", "0.01", "-q", *words),
        autodiff("fit", "w*x", "--y", "y", "--data", data, "--start", "w=1", "-q", *words),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_every_format_is_the_same_table_for_every_command(form: str, tmp_path: Path) -> None:
    data = _written(tmp_path, form, {"x": [1.5, 2.5, -3.25], "y": [3.0, 5.5, -6.0], "other": ["a", "b", None]})
    like = _written(tmp_path, "csv", {"x": [1.5, 2.5, -3.25], "y": [3.0, 5.5, -6.0], "other": ["a", "b", None]})
    assert [ended.status for ended in _three(data)] == [0, 0, 0], _three(data)
    assert [ended.out for ended in _three(data)] == [ended.out for ended in _three(like)]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_types_are_alike(form: str, tmp_path: Path) -> None:
    """Decimals, dictionaries of numbers, booleans, whole numbers and texts of numbers are numbers; null is an empty cell."""
    columns = {
        "x": pa.array([True, False, True]),
        "y": pa.array([Decimal("1.5"), Decimal("2.25"), Decimal("-3.00")]),
        "z": pa.array(["7", "8", "7"]).dictionary_encode(),
        "n": pa.array([1, 2, 3], pa.int8()),
        "t": pa.array(["1e3", "-2", ".5"], pa.large_string()),
    }
    loaded = load(_written(tmp_path, form, columns), list)
    assert {name: column.tolist() for name, column in loaded.columns.items()} == {
        "x": [1, 0, 1],
        "y": [1.5, 2.25, -3],
        "z": [7, 8, 7],
        "n": [1, 2, 3],
        "t": [1000, -2, 0.5],
    }
    assert [ended.status for ended in _three(_written(tmp_path, form, columns))] == [0, 0, 0]
    data = _written(tmp_path, form, {"x": pa.array([1.0, None]), "y": pa.array([None, None], pa.null())})
    for ended in _three(data):
        assert (ended.status, "row 1, column 'y': an empty cell is no finite number" in ended.err) == (4, True)


def test_true_and_false_are_numbers_in_json_too(tmp_path: Path) -> None:
    data = _written(tmp_path, "ndjson", {"x": [True, False], "y": [1.0, 2.0]})
    assert autodiff("eval", "x + y", "--data", data, "--to", "csv").out.splitlines()[1:] == ["2,1,1,ok", "2,1,1,ok"]


FAULTS = {
    "x,y\n1,2\n3\n": ", line 3: 1 cells, and the header has 2: column 'y' is missing",
    "x,y\n1,2\n3,abc\n": ", line 3, column 'y': 'abc' is no finite number",
    "x,y\n1,2\n3,\n": ", line 3, column 'y': an empty cell is no finite number",
    "x,z\n1,2\n": ", line 1: no column 'y', which the program needs\n  its columns are x, z; ",
    "x,Y\n1,2\n": "did you mean 'Y'?",
    "x,y,x\n1,2,3\n": ", line 1: column 'x' is there twice",
    "x (,y,x)\n1,2,3\n": " are both called 'x' in a program\n  rename one of them",
    "x,\uff58,y\n1,5,2\n": " are both called 'x' in a program\n  rename one of them",
    "x,y,\uff59\n1,2,7\n": " are both called 'y' in a program\n  rename one of them",
    "": " is empty\n  the first line names the columns, such as x,y",
    'x,y\n1,"2\n': ", line 2: unexpected end of data\n  a quoted cell does not end",
    "x\ty\n1\t2\n3\t\n": ", line 3, column 'y': an empty cell is no finite number\n  ",
    "x|y\n1|2\n": "\n  between cells is a comma, a tab or a semicolon, or the sign that a first line such as sep=| names",
    "# measured at noon\nx,y\n1,2\n": "the first line must name the columns: take the comments out",
    'x,y\n1,"2"3\n': "a quote within a quoted cell is written twice",
    "x,y,,\n1,2,3,4\n": "column '' is there twice\n  give each column a name of its own",
    "x,y\n1,2\n1,2026-01-31\n": "; write a date or a time as a number, such as the days since the first one",
}


@pytest.mark.parametrize("plain", [True, False], ids=["python", "pyarrow"])
@pytest.mark.parametrize("content", FAULTS)
def test_the_same_fault_has_the_same_words(
    content: str, plain: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "LEAST", 1)
    if plain:
        monkeypatch.setattr("autodiff.tables.csv_blocks.has", lambda _: False)
    path = tmp_path / "rows.csv"
    path.write_text(content)
    for ended in _three(str(path)):
        assert (ended.status, FAULTS[content] in ended.err) == (4, True), ended.err


def test_a_file_that_is_not_there_or_tells_no_format(tmp_path: Path) -> None:
    for ended in _three(str(tmp_path / "none.csv")):
        assert (ended.status, ended.err.startswith("error: can't read '")) == (4, True)
    for ended in _three(str(tmp_path / "rows.xyz")):
        assert (ended.status, "does not tell its format\n  add --from with one of" in ended.err) == (2, True)
    for kind, step in (("xlsx", "save it as CSV"), ("json", "write one object a line"), ("zip", "unpack it")):
        for ended in _three(str(tmp_path / f"rows.{kind}")):
            assert (ended.status, f"is of a kind that is not read\n  {step}" in ended.err) == (2, True)
    path = tmp_path / "rows"
    path.write_text("x;y\n1;2\n2;4\n3;7\n")
    assert [ended.status for ended in _three(str(path))] == [0, 0, 0]
    assert [ended.status for ended in _three(str(path), "--from", "csv")] == [4, 4, 4]


@pytest.mark.parametrize("form", ["csv.gz", "csv.bz2", "csv.xz", "csv.zst"])
def test_a_packed_file_that_is_cut_is_said(form: str, tmp_path: Path) -> None:
    data = Path(_written(tmp_path, form, {"x": [0.1 * k for k in range(90_000)], "y": [1.5] * 90_000}))
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    for ended in _three(str(data)):
        assert ended.status == 4
        assert "can't be read: it is no whole" in ended.err
    data.write_bytes(b"x,y\n1,2\n")
    for ended in _three(str(data)):
        assert (ended.status, "line 1: can't be read: it is no whole" in ended.err) == (4, True), ended.err


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_marks_change_nothing(end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 10_000)
    rows = [f"{k / 7!r},{-k}" for k in range(20_000)]
    path = tmp_path / "rows.csv"
    for text, last in (
        (end.join(["x,y", *rows, ""]), 20_001),
        (end.join(["\ufeffx,y", *rows]), 20_001),
        (end.join(["x\ty", *rows]).replace(",", "\t"), 20_001),
        (end.join(["x,y", *rows[:-1], "", rows[-1]]), 20_002),
    ):
        path.write_bytes(text.encode())
        loaded = load(str(path), lambda _: ["y"])
        assert loaded.columns["y"].tolist() == [-k for k in range(20_000)]
        assert loaded.lines[-1] == last
        assert loaded.lines[0] == 2


def test_where_every_row_is_dropped_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n1,nan\n,2\n")
    ended = autodiff("train", "mse(y, w*x)", "--data", str(path), "--params", "w=0", "--missing", "drop")
    assert (ended.status, "there are no rows without a missing cell" in ended.err) == (4, True), ended.err


@pytest.mark.parametrize("missing", ["error", "drop"])
def test_columns_hold_all_rows_of_files_whose_length_nobody_knows(missing: Missing) -> None:
    sizes, line = [1, 2, 40, 3, 500, 7], 0

    def chunks(wanted: Sequence[str]) -> Iterator[Chunk]:
        nonlocal line
        for size in sizes:
            cells = [repr(line + k + 0.5) for k in range(size)] + [""] * (missing == "drop")
            yield Chunk(range(line + 2, line + 2 + len(cells)), dict.fromkeys(wanted, cells), numbers)
            line += size

    two = [Table(name, ("x", "y"), chunks) for name in ("a", "b")]
    rows, _ = rows_of(two, lambda _: ["x", "y"], missing=missing)
    assert rows.columns["x"].tolist() == rows.columns["y"].tolist() == [k + 0.5 for k in range(2 * sum(sizes))]
    assert len(rows) == 2 * sum(sizes)


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\nx;y\n1;2\n2;4\n",
        '"sep=|"\r\nx|y\r\n1|2\r\n2|4\r\n',
        "\ufeffSEP=\t\nx\ty\n1\t2\n2\t4\n",
        'x;"y";"a, b"\n1;2;\n2;4;\n',
    ],
)
def test_what_is_between_cells_is_known_from_the_first_line(content: str, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.write_bytes(content.encode())
    evaluated, trained, fitted = _three(str(data))
    assert evaluated.out.splitlines()[1:] == ["2,2,1,ok", "8,4,2,ok"]
    assert (trained.status, fitted.out) == (0, "2\n")
    assert load(str(data), lambda _: ["x"]).lines[0] == content.count("\n") - 1


NO_CLASSES = [
    "5%", "$5", "1/2", "0x1F", "\u22125", "2026-01-31", "2026-01-31 10:00", "2026-01-31T10:00:00Z", "31/01/2026", "10:30", "1'000", "(5)",
    "\u221e", "18-25",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_CLASSES)
def test_numbers_in_other_spellings_and_dates_are_no_classes(text: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"x,y\n{text},1\n{text},2\n")
    ended = _three(str(tmp_path / "rows.csv"))[1]
    assert (ended.status, f"'{text}' is no finite number" in ended.err) == (4, True), ended


def test_signs_and_single_letters_are_classes(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y\nE,1\n-,2\n10th,2\n")
    assert _three(str(tmp_path / "rows.csv"))[1].err == "notice: x is text: - is 0, 10th is 1, E is 2\n"


@pytest.mark.parametrize("form", ["ndjson", "parquet", "arrow"])
def test_lists_and_objects_are_no_classes(form: str, tmp_path: Path) -> None:
    """They were numbered as texts are."""
    for cells in ([[1, 2], [3, 4]], [{"a": 1}, {"a": 2}]):
        data = _written(tmp_path, form, {"x": pa.array(cells), "y": [1.0, 2.0]})
        assert [ended.status for ended in _three(data)] == [4, 4, 4]
