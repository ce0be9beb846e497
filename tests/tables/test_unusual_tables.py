"""Unusual tables: duplicate names, endless rows, numbers beyond float64; each is reported or passed through unchanged."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from autodiff.errors import AutodiffError
from autodiff.tables import columns, csv_blocks
from autodiff.tables import text as rows
from autodiff.tables.columns import program_names
from autodiff.tables.inputs import require_columns
from autodiff.tables.ndjson import lines_of_json
from tests.support.command import autodiff


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "arrow", "ndjson"])
@pytest.mark.parametrize("keep", [[], ["--keep"]])
def test_a_column_that_is_there_twice_is_an_error(form: str, keep: list[str], tmp_path: Path) -> None:
    path = tmp_path / f"twice.{form}"
    table = pa.table([pa.array([1.0]), pa.array([2.0]), pa.array([3.0])], names=["x", "y", "x"])
    if form == "parquet":
        parquet.write_table(table, path)
    elif form == "arrow":
        feather.write_feather(table, str(path), compression="uncompressed")
    elif form == "ndjson":
        path.write_text('{"x": 1, "y": 2, "x": 3}\n')
    else:
        path.write_text("x,y,x\n1,2,3\n".replace(",", rows.DELIMITERS[form]))
    for program in ("x^2", "y"):
        ended = autodiff("eval", program, "--data", str(path), *keep)
        assert (ended.status, ended.out, "column 'x' is there twice" in ended.err) == (4, "", True)


@pytest.mark.parametrize("keep", [[], ["--keep"]])
def test_a_key_that_is_there_twice_in_one_row_spoils_that_row(keep: list[str]) -> None:
    given = b'{"x": 1, "z": {"a": 1, "a": 2}}\n{"x": 1, "z": 0, "x": 2}\n{"x": 3, "z": 0}\n'
    ended = autodiff("eval", "x^2", "--data", "-", "--from", "ndjson", *keep, stdin=given)
    assert [json.loads(line)["status"] for line in ended.out.splitlines()] == ["ok", "input", "ok"]
    assert "line 2: column 'x' is there twice" in ended.err
    stopped = autodiff("eval", "x^2", "--data", "-", "--from", "ndjson", "--fail-fast", *keep, stdin=given)
    assert (stopped.status, "column 'x' is there twice" in stopped.err) == (4, True)


def test_two_columns_that_become_one_name_are_an_error_where_it_is_used() -> None:
    given = b"a b,a-b,c\n1,2,3\n"
    ended = autodiff("eval", "a_b", "--data", "-", stdin=given)
    assert (ended.status, "are both called 'a_b'" in ended.err) == (4, True)
    assert autodiff("eval", "c", "--data", "-", stdin=given).status == 0
    assert autodiff("eval", "a_b", "--data", "-", stdin=b"a b,a_b\n1,2\n").out == "f,df/da_b,status\n2,1,ok\n"


VALUES = [
    "1e999", "-1e999", "0.10000000000000000001", "1.50", "1E5", "-0", "-0.0", "1e-400", "12345678901234567890123",
    "[1e999, [0.10000000000000000001]]", '{"a":1e999,  "b":[]}', '"\\ud800"', '"\\u00e9é"', '"a\\"b:{,"', '"\\/"', "true", "null",
    "[]", '{"a": 1, "a": 2}', '""',
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_value_that_is_passed_through_is_what_was_written(value: str, blank: str) -> None:
    given = f'{{{blank}"x"{blank}:{blank}2{blank},{blank}"k"{blank}:{blank}{value}{blank}}}\n'.encode()
    ended = autodiff("eval", "x^2", "--data", "-", "--from", "ndjson", "--keep", stdin=given)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == f'{{"x": 2, "k": {value}, "f": 4.0, "df/dx": 4.0, "status": "ok"}}\n'


@pytest.mark.parametrize("value", VALUES)
def test_a_value_in_a_cell_is_the_text_or_what_was_written(value: str) -> None:
    given = f'{{"x": 2, "k": {value}}}\n'.encode()
    ended = autodiff("eval", "x", "--data", "-", "--from", "ndjson", "--keep", "--to", "csv", stdin=given)
    (row,) = csv.DictReader(io.StringIO(ended.out))
    expected = value
    if value == "null":
        expected = ""
    elif value.startswith('"') and "ud800" not in value:
        expected = json.loads(value)
    assert (ended.status, row["k"]) == (0, expected)


def test_what_is_no_json_does_not_get_out() -> None:
    given = b'{"x": NaN, "k": [NaN, 1], "s": "NaN"}\n'
    ended = autodiff("eval", "x", "--data", "-", "--from", "ndjson", "--keep", stdin=given)
    found = json.loads(ended.out, parse_constant=pytest.fail)
    assert (found["x"], found["k"], found["s"], found["status"]) == (None, [None, 1], "NaN", "input")


def test_infinities_inside_columns_of_arrow_are_null(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    lists = pa.array([[1.0, float("inf"), None], [float("nan")]])
    parquet.write_table(pa.table({"x": [1.0, 2.0], "k": lists}), path)
    ended = autodiff("eval", "x", "--data", str(path), "--keep", "--to", "ndjson")
    assert [json.loads(line, parse_constant=pytest.fail)["k"] for line in ended.out.splitlines()] == [
        [1, None, None],
        [None],
    ]


def test_a_lone_surrogate_in_a_name_is_reported() -> None:
    ended = autodiff("eval", "x", "--data", "-", "--from", "ndjson", "--keep", stdin=b'{"x": 1, "\\ud800": 2}\n')
    assert (ended.status, "is not UTF-8 text" in ended.err) == (4, True)


@pytest.mark.parametrize("size", [131_072, 131_073, 1_000_000])
@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("without", [[], ["pyarrow"]])
def test_a_cell_may_be_long(size: int, form: str, without: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in without:
        monkeypatch.setitem(sys.modules, name, None)
    text = "a" * size
    given = f"x,k\n2,{text}\n3,b\n" if form == "csv" else f'{{"x": 2, "k": "{text}"}}\n{{"x": 3, "k": "b"}}\n'
    ended = autodiff("eval", "x", "--data", "-", "--from", form, "--keep", stdin=given.encode())
    assert (ended.status, ended.err, text in ended.out, ended.out.count("ok")) == (0, "", True, 2)


def test_training_reads_long_cells_too(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"x,k\n2,{'a' * 200_000}\n")
    assert autodiff("train", "mean((w - x)^2)", "--params", "w=0", "--data", str(path), "-q").status == 0


class _Counting(io.BytesIO):
    """A file that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found

    def read1(self, size: int | None = -1, /) -> bytes:
        found = super().read1(size)
        self.taken += len(found)
        return found


MOST = 100_000

ENDLESS = {
    "a header": b"x" * (50 * MOST),
    "a cell": b"x,y\n1,2\n" + b"1" * (50 * MOST),
    "a quote": b'x,y\n1,"' + b"1\n" * (25 * MOST),
    "many quotes": b"x" + b',"a\nb"' * (20 * MOST),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("reader", ["plain", "blocks"])
def test_an_endless_row_is_rejected_before_it_is_read(kind: str, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LONGEST", MOST)
    monkeypatch.setattr(csv_blocks, "BLOCK", MOST // 10)
    monkeypatch.setattr(csv_blocks, "has", lambda _: reader == "blocks")
    file = _Counting(ENDLESS[kind])

    def read() -> None:
        for chunk in csv_blocks.table(file, "f.csv", ",").chunks(["x"]):
            assert list(chunk.lines) == [2]

    with pytest.raises(AutodiffError, match=r"f\.csv, line \d+: a row of more than 100,000 characters can't be read"):
        read()
    assert file.taken < 3 * MOST


def test_an_endless_row_of_json_is_rejected_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LONGEST", MOST)
    file = _Counting(b'{"x": 1}\n{"x": "' + b"1" * (50 * MOST))
    table = lines_of_json(io.TextIOWrapper(file, "utf-8"), "f")
    with pytest.raises(AutodiffError, match="f, line 2: a row of more than 100,000 characters can't be read"):
        list(table.chunks(["x"]))
    assert file.taken < 3 * MOST


def test_training_rejects_an_endless_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LONGEST", MOST)
    for kind in ("a header", "a cell"):
        path = tmp_path / "f.csv"
        path.write_bytes(ENDLESS[kind])
        ended = autodiff("train", "mean((w - x)^2)", "--params", "w=0", "--data", str(path))
        assert (ended.status, "a row of more than 100,000 characters" in ended.err) == (4, True)


class _Name(str):
    """A name that counts how often it is compared with another one."""

    compared: ClassVar[Counter[str]] = Counter()

    def __eq__(self, other: object) -> bool:
        self.compared["=="] += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_wide_header_is_read_in_linear_time() -> None:
    wide = 20_000
    _Name.compared.clear()
    assert rows.twice([*(_Name(f"c{k}") for k in range(wide)), _Name("c7")]) == ["c7"]
    assert _Name.compared["=="] < 10 * wide
    header = ",".join(f"c{k}" for k in range(wide))
    cells: dict[str, Any] = dict.fromkeys(header.split(","), "1")
    given = f"{header}\n{','.join(cells.values())}\n".encode()
    assert autodiff("eval", "c5", "--data", "-", stdin=given).out == "f,df/dc5,status\n1,1,ok\n"


class _Hashed(str):
    """A name that counts how often it is looked up."""

    looked_up: ClassVar[Counter[str]] = Counter()

    def __hash__(self) -> int:
        self.looked_up["hash"] += 1
        return str.__hash__(self)


def test_columns_of_wide_tables_are_compared_in_linear_time() -> None:
    wide = 300
    names = tuple(_Hashed(f"c{k}") for k in range(wide))
    _Hashed.looked_up.clear()
    require_columns(rows.Table("a.csv", names, lambda _: iter(())), names, "b.csv")
    assert _Hashed.looked_up["hash"] <= 4 * wide


def test_the_headers_of_a_wide_table_are_names_without_being_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = [f"c{k}" for k in range(1000)]
    assert program_names([*headers, "a b", "_z_", "ﬁ"]) == {
        "a_b": ["a b"], "z": ["_z_"], "fi": ["ﬁ"], **{name: [name] for name in headers}, "a b": ["a b"], "_z_": ["_z_"],
    }  # fmt: skip
    monkeypatch.setattr(columns, "unicodedata", None)
    assert program_names(headers) == {name: [name] for name in headers}
