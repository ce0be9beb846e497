"""CSV by PyArrow, in and out, is what the plain reader and the csv module make of it, to the byte."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from autodiff.errors import AutodiffError
from autodiff.tables import csv_blocks, lines, writer
from autodiff.tables import text as rows
from autodiff.tables.cells import bad_cell
from autodiff.tables.text import Statuses
from tests.support.command import PATIENCE, Ended, autodiff

SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 100.0, 1e-4, 9.999999999999999e-05, 1e-5, 1.5e-5, 1e-6, 1e-7, 1.5e-7, 1e-9, 9.999999999999999e-10,
    1e-10, 1e-99, 1e-100, 5e-324, 2.2250738585072014e-308, 999999999999999.0, 999999999999999.9, 1e15, 1.0000000000000005e15,
    2.0**53, 9999999999999998.0, 1e16, 1e17, 123456789012345680.0, 1e21, 1e22, 1e23, 1.7e308, 1.7976931348623157e308, 0.1, 2.5,
]  # fmt: skip

ODD = ["", " ", "text", "1_0", " 2 ", "1e999", "1e-999", "-2.5E-400", "0e-999", "-0", "0.0000000", "inf", "-Infinity", "nan", "NaN", "NULL", "null", "NA", "0x1p3", "+1",
    "1.", ".5", "-.5e-3", "1E5", "1e5 ", "\t3", "٣", "\u00a05", "é", "true", "00012", "--1", "1e", "1" * 400, "#1", "'1'"]  # fmt: skip

QUOTED = ['"3"', '"4"', '"a,"', '","', '" 5"', '"a, b"', '"two\nlines"', '"say ""x"""', 'a"b', '""', '"1"2', '"open']


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyArrow from the first row on, in small blocks, so that many of them meet."""
    monkeypatch.setattr(csv_blocks, "BLOCK", 256)
    monkeypatch.setattr(csv_blocks, "LEAST", 1)
    monkeypatch.setattr(writer, "MANY", 1)
    monkeypatch.setattr(rows, "CHUNK", 7)


def _doubles(count: int, seed: int) -> Any:
    """Numbers of random bits, of random sizes, and the special ones with their signs and neighbours."""
    chance = random.Random(seed)
    bits = [struct.unpack("<d", chance.randbytes(8))[0] for _ in range(count)]
    sizes = [round(chance.uniform(-10, 10), chance.randrange(16)) * 10.0 ** chance.randrange(-25, 25) for _ in bits]
    special = np.array([*SPECIAL, *(-each for each in SPECIAL)])
    with np.errstate(all="ignore"):
        near = [special, np.nextafter(special, np.inf), np.nextafter(special, -np.inf)]
    found = np.concatenate([bits, sizes, *near, np.arange(-50.0, 50), 10.0 ** np.arange(-323, 309)])
    found[np.isinf(found)] = np.nan
    return found


@pytest.mark.parametrize("form", ["csv", "tsv", "ndjson"])
def test_numbers_are_spelled_as_the_plain_writer_spells_them(form: str) -> None:
    numbers = _doubles(100_000, 1)
    assert np.isnan(numbers).any()
    finite = numbers[np.isfinite(numbers)]
    for column in (numbers, finite[finite == np.rint(finite)], numbers[:0]):
        columns = {"f": column, "status": Statuses(len(column), {0: "domain"} if len(column) else {})}
        fast = lines.written(columns, form)
        assert fast is not None
        assert bytes(fast) == writer.written(form, columns, head=False)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_kept_columns_are_spelled_as_the_plain_writer_spells_them(form: str) -> None:
    numbers = [*_doubles(1000, 2).tolist(), *([float("inf"), -float("inf")] if form == "csv" else []), None]
    if form == "ndjson":
        numbers = [None if number != number else number for number in numbers]
    texts = [chr(ord("a") + k % 26) * (k % 5) for k in range(len(numbers) - 1)] + [None]
    kept = {
        "x": pa.array(numbers, pa.float64()),
        "k": pa.array([*range(-500, len(numbers) - 501), None], pa.int32()),
        "name": pa.array(["cut off", *texts])[1:],
        'a "quoted" näme': pa.array(texts),
        "f": np.ones(len(numbers)),
        "status": Statuses(len(numbers), {}),
    }
    fast = lines.written(kept, form)
    assert fast is not None
    assert bytes(fast) == writer.written(form, kept, head=False)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (["a", "b,c"], 'a,ok\n"b,c",ok\n'),
        (["a", 'b"c'], 'a,ok\n"b""c",ok\n'),
        (["a", "b\nc"], 'a,ok\n"b\nc",ok\n'),
        ([True, False], "true,ok\nfalse,ok\n"),
        ([[1], [2]], "[1],ok\n[2],ok\n"),
        ([{"a": 1}, None], '"{""a"": 1}",ok\n,ok\n'),
    ],
    ids=str,
)
def test_what_needs_quotes_or_json_is_left_to_the_csv_module(column: list[Any], text: str) -> None:
    shown = {"kept": pa.array(column), "status": Statuses(2, {})}
    assert lines.written(shown, "csv") is None
    assert lines.written({"kept": column, "status": Statuses(2, {})}, "csv") is None
    page = io.BytesIO()
    with writer.writer("csv", page) as write:
        for _ in range(2):
            write({"kept": shown["kept"].take(pa.array([0, 1] * writer.MANY)), "status": Statuses(2 * writer.MANY, {})})
    assert page.getvalue().decode() == "kept,status\n" + text * (2 * writer.MANY)


@pytest.mark.parametrize(
    "cell", ['a "quote"', "a\\backslash", "a\nline", "\x01", float("nan"), float("inf"), True, [1]], ids=repr
)
def test_what_json_escapes_is_left_to_the_plain_writer(cell: Any) -> None:
    shown = {"kept": pa.array([cell]), "status": Statuses(1, {})}
    assert lines.written(shown, "ndjson") is None
    page = io.BytesIO()
    with writer.writer("ndjson", page) as write:
        write({"kept": shown["kept"].take(pa.array([0] * writer.MANY)), "status": Statuses(writer.MANY, {})})
    expected = None if isinstance(cell, float) else cell
    assert json.loads(page.getvalue().splitlines()[-1]) == {"kept": expected, "status": "ok"}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("cell", ["-1e3", "0", "1e-7", *ODD, *QUOTED])
def test_blocks_of_numbers_mean_the_same(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "x,y\n" + "1.5,0\n" * 60 + f"{cell},1\n" + "0,-2.5\n" * 60
    kinds = list[str]()
    real = csv_blocks._cells

    def seen(*args: Any) -> Any:
        kinds.append(args[-1])
        return real(*args)

    monkeypatch.setattr(csv_blocks, "_cells", seen)
    read = []
    for by_pyarrow in (True, False):
        monkeypatch.setattr(csv_blocks, "has", lambda _, known=by_pyarrow: known)
        table = csv_blocks.table(io.BytesIO(text.encode()), "f", ",")
        numbers, faults = list[float](), list[str]()
        try:
            for chunk in table.chunks(["x", "y"]):
                numbers += [float(number) for name in ("x", "y") for number in chunk.read(chunk.cells[name])]
                bad = (bad_cell(chunk, row, ["x", "y"]) for row in range(len(chunk.lines)))
                faults += [str(cell) for cell in bad if cell] + [*chunk.faults.values()]
        except AutodiffError as error:
            faults.append(str(error))
        read.append((sorted(map(repr, numbers)), faults))
    assert read[0] == read[1]
    assert kinds[0] == "float64"
    if cell in ("-1e3", "1e-7", "0", "", "text", "1e-999", "inf", "nan"):
        assert ("string" in kinds) == (cell in ("text", "1e-999", "inf", "nan"))


def test_blocks_grow_so_that_a_long_file_is_read_in_few_of_them(tmp_path: Path) -> None:
    source, size = tmp_path / "long.csv", 12 << 20
    source.write_bytes(b"x\n" + b"12345.6\n" * (size // 8))
    with source.open("rb") as content:
        blocks = [len(block) for block in csv_blocks._blocks(content)]
    assert sum(blocks) == source.stat().st_size
    assert len(blocks) < csv_blocks.SMALL_BLOCKS + 12
    assert max(blocks) <= 5 * csv_blocks.BLOCK


EMPTY_LINES = ["x,y\n,\n\n1,2\n" + "3,4\n" * 99, "x,y\n" + ",\n\n" * 99, "x,y\r\n1,2\r\n" + ",\r\n\r\n" * 99]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("text", EMPTY_LINES)
def test_empty_lines_beside_empty_cells_are_no_rows(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, plain, kinds = _both(monkeypatch, tmp_path / "o.csv", text.encode())
    assert fast == plain
    assert "plain" in kinds


def _both(monkeypatch: pytest.MonkeyPatch, out: Path, given: bytes, *words: str) -> tuple[Ended, Ended, list[str]]:
    """What the command writes and reports with PyArrow and without it, and how the first read each block."""
    kinds: list[str] = []
    real = csv_blocks._cells

    def seen(*args: Any) -> Any:
        found = real(*args)
        kinds.append("plain" if found is None else "fast")
        return found

    source = out.with_name("given.csv")
    source.write_bytes(given)
    data = "-" if len(given) % 2 else str(source)  # a file is parsed ahead, a pipe is not

    def answered() -> Ended:
        ended = autodiff("eval", "sqrt(x)*y + abs(y)", "--data", data, *words, "--out", str(out), stdin=given)
        written = next(iter([*out.parent.glob(out.name), *out.parent.glob(f"{out.name}.*.partial")]), None)
        if written is None:
            return Ended(ended.status, repr(b""), ended.err)
        content = written.read_bytes()
        written.unlink()
        return Ended(ended.status, repr(content), ended.err.replace(written.name, "PRIVATE"))

    monkeypatch.setattr(csv_blocks, "_cells", seen)
    fast = answered()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow", None)
        return fast, answered(), kinds


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("seed", range(60))
def test_files_of_every_kind_mean_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    end = chance.choice(["\n", "\n", "\r\n", "\r"])
    ragged_row, quoted, blank, ragged = (chance.choice([0, 0, each]) for each in (0.1, 0.02, 0.02, 0.002))

    def cell() -> str:
        draw = chance.random()
        if draw < ragged_row:
            return chance.choice(ODD)
        return chance.choice(QUOTED) if draw < ragged_row + quoted else repr(chance.uniform(-1, 3))

    def line() -> str:
        return "" if chance.random() < blank else ",".join(cell() for _ in range(4 if chance.random() < ragged else 3))

    header = chance.choice(["x,y,name", '"x", y ,"na,me"', '\ufeffx,y,"two\nlines"', f"{end}x,y,name"])
    text = end.join([header, *(line() for _ in range(200))]) + chance.choice(["", end, end + end])
    data = text.encode()
    if chance.random() < 0.2:
        data = data.replace("é".encode(), b"\xff") + b"1,2,\xe2\x82"
    words = chance.choice([[], ["--keep"], ["--keep"], ["--fail-fast"]])
    out = tmp_path / f"o.{chance.choice(['csv', 'csv', 'tsv', 'ndjson'])}"
    fast, plain, kinds = _both(monkeypatch, out, data, *words)
    assert fast == plain
    assert kinds or end == "\r" or fast.status


@pytest.mark.usefixtures("eager")
def test_plain_files_are_read_by_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for end, quote in (("\n", ""), ("\r\n", ""), ("\n", '"'), ("\r\n", '"')):
        text = end.join(["x,y,name", *(f"{quote}{k}.5{quote},{k % 7},{quote}é{k}{quote}" for k in range(300))])
        fast, plain, kinds = _both(monkeypatch, tmp_path / "o.csv", text.encode(), "--keep")
        assert fast == plain
        assert fast.out.count(r"\n") == 301
        assert set(kinds) == {"fast"}
        assert len(kinds) > 2


@pytest.mark.usefixtures("eager")
def test_after_a_block_that_needs_care_pyarrow_reads_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f'{k}.5,{"" if k % 400 else -k},"""{k}"\n' if k % 200 == 50 else f"{k}.5,1,n\n" for k in range(1000))
    fast, plain, kinds = _both(monkeypatch, tmp_path / "o.csv", b"x,y,name\n" + text.encode())
    assert fast == plain
    assert "first in line 52)" in fast.err
    assert kinds.count("plain") < 12 < kinds.count("fast")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("ragged_row", ["1,2", "1,2,3,4"])
def test_a_row_that_does_not_fit_stops_nothing(
    ragged_row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "x,y,name\n" + "1,2,n\n" * 500 + ragged_row + "\n" + "1,2,n\n" * 500
    fast, plain, kinds = _both(monkeypatch, tmp_path / "o.csv", text.encode(), "--keep")
    assert fast == plain
    assert (fast.status, fast.out.count(r",ok\n"), fast.out.count(r",input\n")) == (0, 1000, 1)
    assert "1 input (first in line 502); line 502: " in fast.err
    assert kinds.count("plain") == 1


@pytest.mark.usefixtures("eager")
def test_an_empty_line_in_an_only_column_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = b"x\n" + b"1.25\n" * 500 + b"\n" + b"2.5\r\n" * 500 + b"\r\n"
    results = []
    for lacking in (False, True):
        with monkeypatch.context() as without:
            if lacking:
                without.setitem(sys.modules, "pyarrow", None)
            results.append(autodiff("eval", "x", "--data", "-", stdin=given))
    assert results[0] == results[1]
    assert results[0].out.count("input\n") == 2
    assert results[0].out.count("\n") == 1003


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("ragged_row", "message"),
    [
        ('1,"2"3,4', "',' expected after '\"'"),
        (f"1,2,{'n' * 140_000}", "a row of more than 100,000 characters can't be read"),
    ],
)
def test_errors_name_the_line_and_rows_before_it_are_kept(
    ragged_row: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "x,y,name\n" + "1,2,n\n" * 500 + ragged_row + "\n" + "1,2,n\n" * 500
    monkeypatch.setattr(rows, "LONGEST", 100_000)
    fast, plain, _ = _both(monkeypatch, tmp_path / "o.csv", text.encode())
    assert fast == plain
    assert fast.status == 4
    assert re.search(rf"(stdin|given.csv), line 502: .*{re.escape(message)}", fast.err)
    assert fast.out.count(r",ok\n") == 500
    assert "the rows before are in " in fast.err


class _Failing(io.BytesIO):
    """A stream that breaks when its text is used up."""

    def read1(self, size: int | None = -1, /) -> bytes:
        found = super().read1(100)
        if not found:
            raise OSError(5, "Input/output error")
        return found


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("begun", [b"", b"x,y\n", b"x,y\n1,2\n" * 1, b"x,y\n" + b"1,2\n" * 300 + b"1,"])
def test_a_file_that_breaks_off_is_read_up_to_there(begun: bytes) -> None:
    whole = begun.count(b"\n")
    found: list[int] = []

    def read() -> None:
        for chunk in csv_blocks.table(_Failing(begun), "f", ",").chunks(["x"]):
            found.extend(chunk.lines)

    with pytest.raises(AutodiffError, match=rf"f, line {whole + 1}: can't be read: Input/output error"):
        read()
    assert found == [*range(2, whole + 1)]


@pytest.mark.usefixtures("eager")
def test_blocks_of_a_file_are_parsed_ahead_and_a_fault_counts_in_its_place(tmp_path: Path) -> None:
    """Whichever block is read with care, and though the blocks behind it are parsed already."""
    lines = [f"{k},{k}" for k in range(3000)]
    for place in (3, 700, 1500, 2999):
        path = tmp_path / f"{place}.csv"
        path.write_text("x,y\n" + "\n".join([*lines[:place], f'"{place}\n",{place}', *lines[place + 1 :]]) + "\n")
        with path.open("rb") as file:
            chunks = list(csv_blocks.table(file, "f", ",").chunks(["y"]))
        assert len(chunks) > 10
        assert [float(cell) for chunk in chunks for cell in chunk.read(chunk.cells["y"])] == [*range(3000)]
        read = [line for chunk in chunks for line in chunk.lines]
        assert read == [k + 2 + (k >= place) for k in range(3000)]  # the row of two lines ends on the second
        path.write_text("x,y\n" + "\n".join([*lines[:place], f'"{place}', *lines[place + 1 :]]) + "\n")
        with path.open("rb") as file, pytest.raises(AutodiffError, match="line 3001: unexpected end of data"):
            list(csv_blocks.table(file, "f", ",").chunks(["y"]))


def _pieces(text: bytes, size: int) -> Iterator[bytes]:
    class Slow(io.BytesIO):
        def read1(self, _: int | None = -1, /) -> bytes:
            return super().read1(size)

    return csv_blocks._blocks(Slow(text))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 10_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_blocks_are_whole_lines_and_together_the_text(size: int, end: bytes) -> None:
    chance = random.Random(size)
    text = b"x,y" + end + b"".join(b"1" * chance.choice([0, 1, 9, 300, 1000]) + end for _ in range(60)) + b"last"
    found = [block for block in _pieces(text, size) if block]
    assert b"".join(found) == text
    assert len(found) > 10 or size == 10_000
    each = [list(io.StringIO(block.decode(), newline="")) for block in found]
    assert [line for part in each for line in part] == list(io.StringIO(text.decode(), newline=""))


def test_few_rows_do_not_load_pyarrow() -> None:
    code = (
        "import sys; from autodiff.cli.main import run; assert run(['eval', 'x*y', '--data', '-']) == 0\n"
        "print('pyarrow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="x,y\n1,2\n", capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"
