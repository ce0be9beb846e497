"""`eval --data` over Parquet and Arrow: the same rows as over text, types kept, broken files reported."""

from __future__ import annotations

import datetime
import io
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from autodiff.errors import AutodiffError
from autodiff.tables import arrow, writer
from autodiff.tables.text import CHUNK
from tests.support.command import PATIENCE, autodiff

DATES = [datetime.date(2020, 1, day) for day in (1, 2, 3, 4)]


def _saved(table: Any, path: Path) -> str:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with (ipc.new_file if path.suffix == ".arrow" else ipc.new_stream)(str(path), table.schema) as file:
            file.write_table(table)
    return str(path)


def _read(path: Path) -> Any:
    return pq.read_table(path) if path.suffix == ".parquet" else ipc.open_stream(str(path)).read_all()


@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows"])
@pytest.mark.parametrize("rows", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_the_rows_are_those_of_the_same_table_as_csv(extension: str, rows: int, tmp_path: Path) -> None:
    chance = random.Random(rows)
    cells = [0.0, None, 1e308, -1.0]
    x, y = (
        [chance.choice(cells) if chance.random() < 0.01 else chance.uniform(-1, 3) for _ in range(rows)] for _ in "xy"
    )
    data = _saved(
        pa.table({"x": pa.array(x, pa.float64()), "y": pa.array(y, pa.float64())}), tmp_path / f"d.{extension}"
    )
    text = "".join(
        f"{'' if a is None else repr(a)},{'' if b is None else repr(b)}\n" for a, b in zip(x, y, strict=True)
    )
    want = autodiff("eval", "sqrt(x)*y + abs(y)", "--data", "-", stdin=f"x,y\n{text}".encode())
    found = autodiff("eval", "sqrt(x)*y + abs(y)", "--data", data)
    assert (found.status, found.out) == (0, want.out)
    for out in (tmp_path / "o.parquet", tmp_path / "o.arrow"):
        assert autodiff("eval", "sqrt(x)*y + abs(y)", "--data", data, "--out", str(out)).status == 0
        table = _read(out)
        assert [str(kind) for kind in table.schema.types] == ["double", "double", "double", "string"]
        lines = want.out.splitlines()[1:]
        assert len(table) == len(lines)
        shown = [
            ",".join("" if c is None else str(c).removesuffix(".0") for c in row.values()) for row in table.to_pylist()
        ]
        assert shown == lines


def test_types_are_kept_and_whole_numbers_and_decimals_are_read(tmp_path: Path) -> None:
    table = pa.table({
        "x": pa.array([1, 2, None, 4], pa.int32()),
        "y": pa.array([1, 2, 3, 4], pa.decimal128(5, 2)),
        "z": ["1.5", "two", "3", None],
        "day": DATES,
    })  # fmt: skip
    data, out = _saved(table, tmp_path / "d.parquet"), tmp_path / "o.parquet"
    assert autodiff("eval", "x*y", "--data", data, "--keep", "--out", str(out)).status == 0
    found = _read(out)
    assert found.schema.types[:4] == table.schema.types
    assert found["f"].to_pylist() == [1.0, 4.0, None, 16.0]
    assert found["day"].to_pylist() == DATES
    assert autodiff("eval", "z^2", "--data", data, "--wrt", "z").out.splitlines()[1:] == [
        "2.25,3,ok", ",,input", "9,6,ok", ",,input",
    ]  # fmt: skip
    assert autodiff("eval", "day", "--data", data).out.count("input") == 4
    kept = autodiff("eval", "x", "--data", data, "--keep", "--to", "ndjson").out.splitlines()[0]
    assert kept == '{"x": 1, "y": "1.00", "z": "1.5", "day": "2020-01-01", "f": 1.0, "df/dx": 1.0, "status": "ok"}'


def test_a_stream_of_arrow_goes_through_a_pipe() -> None:
    text = "\n".join(["x", *map(str, range(1, 50))])
    first = f"{sys.executable} -m autodiff eval 'ln(x)' --data - --to arrow"
    code = f"{first} | {sys.executable} -m autodiff eval 'f^2' --data - --from arrow"
    done = subprocess.run(
        ["bash", "-c", code], input=text, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert len(done.stdout.splitlines()) == 50
    assert done.stdout.splitlines()[1] == "0,0,ok"
    done = subprocess.run(
        ["bash", "-c", f"cat - | {sys.executable} -m autodiff eval x --data - --from parquet"],
        input=text, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        4, "error: Parquet is read from its end, so it can't come through a pipe or compressed",
    )  # fmt: skip


def test_broken_files_and_columns_are_reported(tmp_path: Path) -> None:
    (tmp_path / "d.parquet").write_bytes(b"x,y\n1,2\n")
    (tmp_path / "d.arrow").write_bytes(b"x,y\n1,2\n")
    for name, kind in (("d.parquet", "Parquet"), ("d.arrow", "Arrow")):
        ended = autodiff("eval", "x", "--data", str(tmp_path / name))
        assert ended.status == 4
        assert f"is no {kind} file" in ended.err
    whole = Path(_saved(pa.table({"x": [float(k) for k in range(200_000)]}), tmp_path / "e.arrows")).read_bytes()
    (tmp_path / "cut.arrows").write_bytes(whole[: len(whole) // 2])
    ended = autodiff("eval", "x", "--data", str(tmp_path / "cut.arrows"))
    assert ended.status == 4
    assert ", row 1: can't be read" in ended.err
    data = _saved(pa.table({"x": [1.0, None, 2.0]}), tmp_path / "n.parquet")
    ended = autodiff("eval", "x", "--data", data, "--fail-fast")
    assert (ended.status, ", row 2, column 'x': an empty cell is no finite number" in ended.err) == (4, True)
    mixed = b'{"x": 1, "k": 1}\n{"x": 1, "k": "a"}\n'
    ended = autodiff("eval", "x", "--data", "-", "--from", "ndjson", "--keep", "--to", "arrow", stdin=mixed)
    assert (ended.status, "column 'k' has no one type" in ended.err) == (4, True)


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = _saved(pa.table({"x": [1.0]}), tmp_path / "d.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ended = autodiff("eval", "x", "--data", data)
    assert (ended.status, ended.err.splitlines()) == (
        2, ["error: Parquet needs PyArrow, which is not installed", "  in the checkout that autodiff was installed from: pip install '.[data]'"],
    )  # fmt: skip
    assert autodiff("eval", "exp(x)", "--data", "-", stdin=b"x\n0\n").out == "f,df/dx,status\n1,1,ok\n"


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_no_rows_are_written_behind_those_that_cannot_be(form: str) -> None:
    page = io.BytesIO()

    def write() -> None:
        with writer.writer(form, page) as put:
            for cells in ([1.0, 2.0], [3.0, "text"], [4.0, 5.0]):
                put({"x": cells})

    with pytest.raises(AutodiffError, match="no one type"):
        write()
    (chunk,) = arrow.table(io.BytesIO(page.getvalue()), "page", form).chunks(["x"])
    assert chunk.read(chunk.cells["x"]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("columns", "chunks"), [(1, 18), (17, 24)])
def test_chunks_of_few_columns_grow(columns: int, chunks: int, tmp_path: Path) -> None:
    path, names = tmp_path / "long.parquet", [f"x{k}" for k in range(columns)]
    pq.write_table(pa.table(dict.fromkeys(names, range(24 * CHUNK))), path)
    with path.open("rb") as content:
        found = list(arrow.table(content, "long", "parquet").chunks(names))
    assert len(found) == chunks
    assert [line for chunk in found for line in chunk.lines] == list(range(1, 24 * CHUNK + 1))
    assert [cell for chunk in found for cell in chunk.read(chunk.cells["x0"]).tolist()] == list(range(24 * CHUNK))


CELLS = [
    (pa.array([253402300799 * 10**6], pa.timestamp("us", "Asia/Kolkata")), "10000-01-01 05:29:59+05:30"),
    (pa.array([1767225600123], pa.timestamp("ms", "Mars/Phobos")), "2026-01-01 00:00:00.123000+00:00"),
    (pa.array([10**16], pa.timestamp("s")), "10000000000000000"),
    (pa.array([3_000_000], pa.int32()).cast(pa.date32()), "10183-09-21"),
    (pa.array([-1_000_000], pa.int32()).cast(pa.date32()), "-0768-02-04"),
    (pa.array([1234567891001], pa.time64("ns")), "00:20:34.567891001"),
    (pa.array([1234567891000], pa.time64("ns")), "00:20:34.567891"),
    (pa.array(["a\u00f1".encode()], pa.binary()), "a\u00f1"),
    (pa.array([b"02"], pa.binary(2)), "02"),
]


@pytest.mark.parametrize(("cells", "text"), CELLS, ids=[text for _, text in CELLS])
def test_cells_that_python_has_no_value_for_are_kept(cells: Any, text: str, tmp_path: Path) -> None:
    """Times beyond Python's years, in unknown zones or with nanoseconds, and bytes; as inputs they are no numbers."""
    column = pa.concat_arrays([cells, pa.nulls(1, cells.type)])
    path = _saved(pa.table({"x": [3.0, 2.0], "c": column}), tmp_path / "rows.arrow")
    rows = autodiff("eval", "x", "--data", path, "--keep")
    assert (rows.status, rows.out.splitlines()[1:]) == (0, [f"3,{text},3,1,ok", "2,,2,1,ok"]), rows
    lines = autodiff("eval", "x", "--data", path, "--keep", "--to", "ndjson").out.splitlines()
    assert [str(json.loads(line)["c"]) for line in lines] == [text, "None"]
    if not pa.types.is_fixed_size_binary(cells.type):
        faults = autodiff("eval", "c", "--data", path)
        assert (faults.out.splitlines()[1:], f"'{text}' is no finite number" in faults.err) == ([",,input"] * 2, True)
