"""`eval --data`: one row in, one row out, the numbers of one-shot, a file that is whole or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import random
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import autodiff as package
from autodiff.render.terminal.progress import rows_bar
from autodiff.tables import csv_blocks
from autodiff.tables import text as rows_module
from autodiff.tables import writer as table_writer
from autodiff.tables.reader import opened
from tests.support.command import PATIENCE, Ended, autodiff, process

SPECIAL = [
    "0",
    "-0",
    "1",
    "0.5",
    "1e308",
    "5e-324",
    "-1e155",
    "",
    "nan",
    "inf",
    "text",
    "1_0",
    " 2 ",
    "1e999",
    "1e-400",
    "٣",
    "0e-9",
]
PROGRAMS = ["ln(x)*y", "abs(x) + max(y, 0)", "sqrt(x) - x/y", "if(x > y, x^y, exp(x))", "u = x*y; tan(u) + 1/u"]


def _table(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def _random_rows(count: int, seed: int) -> list[tuple[str, str]]:
    chance = random.Random(seed)

    def cell() -> str:
        return chance.choice(SPECIAL) if chance.random() < 0.3 else repr(chance.uniform(-3, 3))

    return [(cell(), cell()) for _ in range(count)]


def _csv(given: Sequence[tuple[str, str]]) -> bytes:
    return "".join(f"{x},{y}\n" for x, y in [("x", "y"), *given]).encode()


def _check(program: str, given: Sequence[tuple[str, str]], found: Sequence[dict[str, str]]) -> None:
    """Each row equals `eval` at that point; a cell without a number makes an empty row."""
    name = package.evaluate(program, {"x": 1.0, "y": 2.0}).result
    assert len(found) == len(given)
    for cells, row in zip(given, found, strict=True):
        numbers = [rows_module.number(cell) for cell in cells]
        if not all(abs(number) < float("inf") for number in numbers):
            assert row == {name: "", f"d{name}/dx": "", f"d{name}/dy": "", "status": "input"}, cells
            continue
        answer = package.evaluate(program, {"x": numbers[0], "y": numbers[1]}, check=False)
        shown = [answer.value, *answer.gradient.values()]
        assert row["status"] == answer.status, cells
        columns = [name, f"d{name}/dx", f"d{name}/dy"]
        assert [row[c] == "" for c in columns] == [number is None for number in shown], cells
        known = [(row[c], number) for c, number in zip(columns, shown, strict=True) if number is not None]
        assert [float(cell) for cell, _ in known] == pytest.approx([n for _, n in known], rel=1e-10, abs=5e-323), cells


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_row_equals_eval_at_that_point(program: str) -> None:
    given = _random_rows(300, len(program))
    ended = autodiff("eval", program, "--data", "-", stdin=_csv(given))
    assert ended.status == 0
    found = _table(ended.out)
    _check(program, given, found)
    hard = [row["status"] for row in found if row["status"] != "ok"]
    assert ended.err.startswith(f"note: {len(hard)} of 300 rows are not ok: ")
    assert all(f"{hard.count(status)} {status} (first in line " in ended.err for status in set(hard))


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14, 20])
def test_every_chunk_boundary(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "CHUNK", 7)
    given = _random_rows(count, count)
    ended = autodiff("eval", PROGRAMS[0], "--data", "-", stdin=_csv(given))
    assert ended.status == 0
    assert ended.out.splitlines()[0] == "f,df/dx,df/dy,status"
    _check(PROGRAMS[0], given, _table(ended.out))


def test_formats_by_extension_and_by_option(tmp_path: Path) -> None:
    rows = [{"x": 1.5, "y": 2, "name": 'é\t, "q"'}, {"x": None, "y": 1, "name": None}, {"x": -1, "y": 2, "name": "n"}]
    lines = tmp_path / "points.ndjson"
    lines.write_text("".join(json.dumps(row) + "\n\n" for row in rows), encoding="utf-8")
    for extension, delimiter in (("csv", ","), ("tsv", "\t")):
        out = tmp_path / f"result.{extension}"
        assert autodiff("eval", "ln(x)*y", "--data", str(lines), "--keep", "--out", str(out)).status == 0
        table = _table(out.read_text(encoding="utf-8"), delimiter)
        assert [row["name"] for row in table] == ['é\t, "q"', "", "n"]
        assert [row["x"] for row in table] == ["1.5", "", "-1"]
        back = autodiff("eval", "ln(x)*y", "--data", str(out), "--to", "ndjson", "--wrt", "y")
        found = [json.loads(line) for line in back.out.splitlines()]
        assert [row["status"] for row in found] == ["ok", "input", "domain"]
        assert found[0]["df/dy"] == float(table[0]["df/dy"])
        assert list(found[1]) == ["f", "df/dy", "status"]
        assert found[1]["f"] is None
    upper = tmp_path / "POINTS.TSV"
    upper.write_text("\ufeffx\ty\r\n1\t2\r\n", encoding="utf-8")
    assert autodiff("eval", "x*y", "--data", str(upper)).out == "f\tdf/dx\tdf/dy\tstatus\n2\t2\t1\tok\n"


def test_json_that_is_no_number() -> None:
    cells = ['"true"', '"one"', "null", "[1]", "NaN", "1e999", "-Infinity", "1" * 400]
    given = "".join(f'{{"x": {cell}}}\n' for cell in cells).encode()
    ended = autodiff("eval", "x^2", "--data", "-", "--from", "ndjson", "--keep", stdin=given)
    found = [json.loads(line, parse_constant=pytest.fail) for line in ended.out.splitlines()]
    assert [row["status"] for row in found] == ["input"] * len(cells)
    assert [row["x"] for row in found[:4]] == ["true", "one", None, [1]]


@pytest.mark.parametrize("cell", ["1e-400", "-2E-324", "0." + "0" * 400 + "1", "٣", "0x10", "1e999"])
def test_a_cell_is_read_as_the_command_line_reads_a_number(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert autodiff("eval", "x", "--at", f"x={cell}").status == 2
    given = {"csv": f"x\n1\n{cell}\n-0e-999\n", "ndjson": f'{{"x": "1"}}\n{{"x": "{cell}"}}\n{{"x": -0e-9}}\n'}
    if cell.isascii() and cell != "0x10":
        given["numbers"] = f'{{"x": 1}}\n{{"x": {cell}}}\n{{"x": -0.0e-9}}\n'
    for least in (1, 1 << 15):
        monkeypatch.setattr(csv_blocks, "LEAST", least)
        for form, text in given.items():
            words = ["--from", "csv" if form == "csv" else "ndjson", "--to", "csv"]
            ended = autodiff("eval", "x", "--data", "-", *words, stdin=text.encode())
            lines = ended.out.splitlines()[1:]
            assert [line.rpartition(",")[2] for line in lines] == ["ok", "input", "ok"], text
            assert lines[1] == ",,input"


def test_columns_that_are_no_inputs_pass_through_byte_by_byte() -> None:
    ended = autodiff("eval", "x^2", "--data", "-", "--keep", stdin='\ufeffid,x\n"a, b",3\n"two\nlines",4\n'.encode())
    assert ended.out == 'id,x,f,df/dx,status\n"a, b",3,9,6,ok\n"two\nlines",4,16,8,ok\n'
    done = subprocess.run(
        [sys.executable, "-m", "autodiff", "eval", "x^2", "--data", "-", "--keep"],
        input=b"id,x\n\xff\xfe,3\n", capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert done.stdout == b"id,x,f,df/dx,status\n\xff\xfe,3,9,6,ok\n"


def test_a_value_for_all_rows_and_an_assigned_name() -> None:
    ended = autodiff("eval", "u = k*x; v = u^2", "--data", "-", "--at", "k=2", "--wrt", "u,k", stdin=b"x\n1\n3\n")
    assert ended.out == "v,dv/du,dv/dk,status\n4,4,4,ok\n36,12,36,ok\n"
    assert (
        autodiff("eval", "ln(k)", "--data", "-", "--at", "k=-1", stdin=b"x\n1\n3\n").out
        == "f,df/dk,status\n,,domain\n,,domain\n"
    )
    assert autodiff("eval", "1 + 1", "--data", "-", stdin=b"x\n1\n3\n").out == "f,status\n2,ok\n2,ok\n"


@pytest.mark.parametrize(
    ("given", "words", "message"),
    [
        (b"", [], "error: stdin is empty"),
        (b"x,y\n1,2\n3\n", ["--fail-fast"], "stdin, line 3: 1 cells, and the header has 2: column 'y' is missing"),
        (b"x,y\n1,2,3\n", ["--fail-fast"], "stdin, line 2: 3 cells, and the header has 2: column 3 has no name"),
        (b'x,y\n1,"2\n', [], "stdin, line 2: unexpected end of data"),
        (b"x,y,x\n", [], "stdin, line 1: column 'x' is there twice"),
        (b"x,z\n1,2\n", [], "stdin, line 1: no column 'y', which the program needs"),
        ("x,y\n".encode("utf-16"), [], "is not UTF-8 text"),
        (b"x,y,f\n1,2,3\n", ["--keep"], "column 'f' is what a result is called"),
        (b'{"x": 1, "y": 2}\n{"x": 1\n', ["--from", "ndjson", "--fail-fast"], "line 2: column 8 is not JSON"),
        (b'{"x": 1, "y": 2}\n[1]\n', ["--from", "ndjson", "--fail-fast"], "stdin, line 2: is not a JSON object"),
        (b'{"x": 1, "y": 2}\n{"z": 1}\n', ["--from", "ndjson", "--fail-fast"], "line 2: column 'z' is not in the"),
        (b'[1]\n{"x": 1, "y": 2}\n', ["--from", "ndjson"], "stdin, line 1: is not a JSON object"),
        (b"[" * 200_000, ["--from", "ndjson"], "stdin, line 1: is not a JSON object"),
        (b"x,y\n1,2\n3,4\n5,oops\n", ["--fail-fast"], "stdin, line 4, column 'y': 'oops' is no finite number"),
    ],
)  # fmt: skip
def test_data_that_can_not_be_read(given: bytes, words: list[str], message: str) -> None:
    ended = autodiff("eval", "x*y", "--data", "-", *words, stdin=given)
    assert ended.status == 4
    assert message in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "o.csv"], "--out goes with --data"),
        (["--keep", "--at", "x=1"], "--keep goes with --data"),
        (["--data", "-", "--order", "2"], "--data and --order don't go together"),
        (["--data", "-", "--format", "json"], "--data and --format don't go together"),
        (["--data", "points.xyz"], "does not tell its format"),
        (["--data", "-", "--out", "result"], "does not tell its format"),
        (["--data", "-", "--at", "x=1"], "has a column and a value by --at"),
        (["--data", "-", "--at", "q=1"], "--at gives 'q'"),
        (["--data", "-", "--at", "x=[1, 2]"], "'x' is an array"),
        (["--data", "-", "--wrt", "q"], "can't differentiate by 'q'"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(words: list[str], message: str) -> None:
    ended = autodiff("eval", "x^2", *words, stdin=b"x\n1\n")
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err
    assert autodiff("eval", "-", "--data", "-").status == 2
    assert autodiff("eval", "status = x", "--data", "-", stdin=b"x\n1\n").status == 2
    assert autodiff("eval", "x", "--data", "none.csv").status == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b'x\n"1,5"\nabc\n', "2 input (first in line 2); line 2, column 'x': '1,5' is no finite number; a decimal point"),
        (b"x\n2\nNA\n", "1 input (first in line 3); line 3, column 'x': 'NA' is no finite number\n"),
        (b"x,y\n,1\nNA,1\n", "2 input (first in line 2)\n"),
    ],
)  # fmt: skip
def test_the_first_cell_that_is_no_number_is_shown(given: bytes, message: str) -> None:
    ended = autodiff("eval", "x^2", "--data", "-", stdin=given)
    assert ended.status == 0
    assert message in ended.err


@pytest.mark.parametrize(
    ("given", "words", "message"),
    [
        (b"x;y\n1.5;2\n", [], "f,df/dx,df/dy,status\n3,2,1.5,ok\n"),
        (b"x\ty\n1.5\t2\n", [], "f,df/dx,df/dy,status\n3,2,1.5,ok\n"),
        (b"x;y\n1,5;2\n", [], "line 2, column 'x': '1,5' is no finite number; a decimal point is '.'"),
        (b"x\ty\n1\t2\n", ["--from", "csv"], "no column 'x'"),
        (b"x;y\n1\n", ["--from", "tsv"], "no column 'x'"),
        (b"a;b,c\n1,2\n", [], "its columns are a;b, c"),
    ],
)
def test_the_header_tells_what_is_between_cells_where_no_option_does(
    given: bytes, words: list[str], message: str
) -> None:
    ended = autodiff("eval", "x*y", "--data", "-", *words, stdin=given)
    assert message in ended.out + ended.err


def test_a_header_that_is_no_identifier_is_made_one() -> None:
    ended = autodiff("eval", "width_cm^2", "--data", "-", stdin=b"width (cm),other\n3,1\n")
    assert ended.out == "f,df/dwidth_cm,status\n9,6,ok\n"


def test_fail_fast_stops_at_the_first_row_that_is_not_ok(tmp_path: Path) -> None:
    out = tmp_path / "result.csv"
    ended = autodiff("eval", "ln(x)", "--data", "-", "--fail-fast", "-o", str(out), stdin=b"x\n1\n-1\n2\n")
    assert ended.status == 3
    assert "stdin, line 3: ln(x) needs x > 0, but x is -1" in ended.err
    assert not out.exists()
    (before,) = tmp_path.glob("*.partial")
    assert before.read_text() == "f,df/dx,status\n0,1,ok\n"
    assert f"the rows before are in {before}" in ended.err


RAGGED = b"x,y,n\n1,2,a\n3\n4,5,b,6\n\n7,8,c\n"
ODD_JSON = b'{"x": 1, "y": 2, "n": "a"}\n{"x": 3\n[4]\n{"x": 5, "z": 1}\n{"x": 7, "y": 8, "n": "c"}\n'


@pytest.mark.parametrize(
    ("given", "words", "message"),
    [
        (
            RAGGED,
            [],
            "2 of 4 rows are not ok: 2 input (first in line 3); line 3: 1 cells, and the header has 3: column 'y'",
        ),
        (RAGGED, ["--keep"], "2 of 4 rows are not ok: 2 input (first in line 3); line 3: "),
        (
            ODD_JSON,
            ["--from", "ndjson"],
            "3 of 5 rows are not ok: 3 input (first in line 2); line 2: column 8 is not JSON",
        ),
        (ODD_JSON, ["--from", "ndjson", "--keep", "--to", "csv"], "3 of 5 rows are not ok: 3 input (first in line 2)"),
    ],
)
def test_a_row_that_does_not_fit_keeps_its_place_and_stops_nothing(
    given: bytes, words: list[str], message: str
) -> None:
    for program, first, last in (("x*y", 2, 56), ("x", 1, 7), ("0*x + 3", 3, 3), ("3", 3, 3)):
        ended = autodiff("eval", program, "--data", "-", *words, stdin=given)
        assert ended.status == 0
        assert message in ended.err
        if "ndjson" in words and "csv" not in words:
            found = [json.loads(line) for line in ended.out.splitlines()]
        else:
            found = [{k: json.loads(v) if k == "f" and v else v for k, v in row.items()} for row in _table(ended.out)]
        bad = [row for row in found if row["status"] == "input"]
        assert found[1:-1] == bad
        assert all(number in (None, "") for row in bad for name, number in row.items() if name[0] in "df")
        assert [found[0]["f"], found[-1]["f"]] == [first, last]
        assert [found[0]["status"], found[-1]["status"]] == ["ok", "ok"]


@pytest.mark.parametrize("x", [0.0, 3.0, -2.0, 1e10, 12345678901.0, 1e15, 1e16, 1e22, 1e-7, 0.1])
def test_a_row_is_spelled_as_the_answer_at_a_point(x: float) -> None:
    point = autodiff("eval", "x + 0", "--at", f"x={x!r}", "--format", "csv").out
    for count in (1, 2000):
        rows = autodiff("eval", "x + 0", "--data", "-", stdin=b"x\n" + f"{x!r}\n".encode() * count).out
        assert set(rows.splitlines()) == set(point.splitlines())


def test_columns_of_a_row_that_does_not_fit_pass_through_as_far_as_they_go() -> None:
    ended = autodiff("eval", "x", "--data", "-", "--keep", stdin=RAGGED)
    kept = [line.rpartition(",")[0].removesuffix(",,") for line in ended.out.splitlines()]
    assert kept[2:4] == ["3,,", "4,5,b"]


@pytest.mark.parametrize("mark", ["", "\n\n"])
def test_an_empty_line_is_the_empty_cell_of_an_only_column(mark: str) -> None:
    ended = autodiff("eval", "x", "--data", "-", stdin=f"{mark}x\n1\n\n3\r\n\r\n".encode())
    assert [line.rpartition(",")[2] for line in ended.out.splitlines()] == ["status", "ok", "input", "ok", "input"]
    assert f"2 input (first in line {3 + len(mark)})" in ended.err


def test_rows_before_a_broken_line_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "CHUNK", 2)
    out = tmp_path / "result.csv"
    out.write_text("from before")
    ended = autodiff("eval", "x", "--data", "-", "--out", str(out), stdin=b'x\n1\n2\n3\n"4"4\n5\n')
    assert ended.status == 4
    assert "stdin, line 5" in ended.err
    assert out.read_text() == "from before"
    (before,) = tmp_path.glob("result.csv.*.partial")
    assert before.read_text().count("ok") == 3
    assert autodiff("eval", "y", "--data", "-", "--out", str(tmp_path / "o.csv"), stdin=b"x\n1\n").status == 4
    assert {path.name for path in tmp_path.iterdir()} == {"result.csv", before.name}


def test_out_may_be_a_device_or_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert autodiff("eval", "x", "--data", "-", "--out", "/dev/null", "--to", "csv", stdin=b"x\n1\n") == Ended(
        0, "", ""
    )
    ended = autodiff("eval", "x", "--data", "-", "--out", str(tmp_path / "no" / "o.csv"), stdin=b"x\n1\n")
    assert (ended.status, ended.err.splitlines()[0].endswith(": No such file or directory")) == (4, True)


def test_a_full_disk_is_reported() -> None:
    given = b"x\n" + b"1\n" * 100
    ended = autodiff("eval", "x", "--data", "-", "--out", "/dev/full", "--to", "csv", stdin=given)
    assert ended.status == 4
    assert "can't write '/dev/full': No space left on device" in ended.err


def test_a_closed_pipe_ends_quietly() -> None:
    code = f"(echo x; yes 1 | head -200000) | {sys.executable} -m autodiff eval 'x^2' --data - | head -2"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("f,df/dx,status\n1,2,ok\n", "")


def _on_terminal(data: str, *, rows_too: bool = False, stdin: bytes = b"") -> str:
    """What a terminal on stderr, and with `rows_too` on stdout, gets."""
    controller, screen = pty.openpty()
    command = [sys.executable, "-m", "autodiff", "eval", "x", "--data", data]
    out = screen if rows_too else subprocess.PIPE
    done = subprocess.run(command, input=stdin, stdout=out, stderr=screen, timeout=PATIENCE, check=True)
    os.close(screen)
    message = os.read(controller, 10_000).decode()
    os.close(controller)
    assert rows_too or done.stdout.startswith(b"f,df/dx,status\n1,1,ok\n")
    return message


def test_progress_is_for_a_terminal_only(tmp_path: Path) -> None:
    assert process("eval", "x", "--data", "-", stdin="x\n1\n").err == ""
    data = tmp_path / "points.csv"
    data.write_text("x\n1\n2\n")
    message = _on_terminal(str(data))
    assert "100%" in message
    assert "2 rows" in message
    assert message.endswith("\x1b[2K")  # and nothing of it stays
    message = _on_terminal("-", stdin=b"x\n1\n")
    assert "1 row" in message
    assert "%" not in message
    assert _on_terminal(str(data), rows_too=True) == "f,df/dx,status\r\n1,1,ok\r\n2,1,ok\r\n"


@pytest.mark.parametrize(
    ("width", "known", "shown"),
    [
        (80, True, " 45% ━━━━━━━━━━━━━━━━╸                     1,234,560 rows 308,640 rows/s 0:00:05"),
        (40, True, " 45% ━━━━━        1,234,560 rows 0:00:05"),
        (80, False, "1,234,560 rows 308,640 rows/s 0:00:04"),
        (40, False, "1,234,560 rows 0:00:04"),
    ],
)
def test_the_bar_shows_the_share_the_rows_their_speed_and_the_time_left(width: int, known: bool, shown: str) -> None:
    now = [0.0]
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    bar = rows_bar(console, known=known, clock=lambda: now[0])
    for second in range(5):
        now[0] = float(second)
        bar.update(bar.task_ids[0], completed=0.1125 * second if known else 0, rows=308_640 * second)
    with console.capture() as capture:
        console.print(bar.get_renderable())
    assert capture.get().rstrip() == shown


def test_the_share_of_a_table_is_of_its_bytes_or_of_its_rows(tmp_path: Path) -> None:
    data = tmp_path / "points.csv"
    data.write_text("x\n" + "1\n" * 400_000)
    with opened(str(data), "csv") as table:
        shares = [table.share(chunk.lines[-1]) for chunk in table.chunks(["x"])]
    assert all(share is not None for share in shares)
    assert shares == sorted(set(shares), key=float)  # type: ignore[arg-type]
    assert shares[-1] == 1.0
    with opened("/dev/null", "ndjson") as table:
        assert table.share(0) is None
    table = rows_module.Table("t", ("x",), lambda _: iter(()), rows=4)
    assert (table.share(0), table.share(1), table.share(4)) == (0.0, 0.25, 1.0)
    assert rows_module.Table("t", ("x",), lambda _: iter(()), rows=0).share(0) == 1.0


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few blocks are read before their rows are written, and no answers are kept after that."""
    monkeypatch.setattr(csv_blocks, "BLOCK", 1 << 13)
    monkeypatch.setattr(csv_blocks, "LEAST", 1)
    monkeypatch.setattr(table_writer, "MANY", 1)
    read, answers, waiting, alive = list[int](), list[weakref.ref[Any]](), list[int](), list[int]()
    blocks, lines = csv_blocks._blocks, table_writer._lines

    def counted(content: Any) -> Iterator[bytes]:
        for block in blocks(content):
            read.append(len(block))
            yield block

    def written(form: str, columns: dict[str, Any], head: bytes) -> Any:
        answers.append(weakref.ref(columns["f"]))
        waiting.append(len(read) - len(answers))
        alive.append(sum(answer() is not None for answer in answers))
        return lines(form, columns, head)

    monkeypatch.setattr(csv_blocks, "_blocks", counted)
    monkeypatch.setattr(table_writer, "_lines", written)
    data = tmp_path / "points.csv"
    data.write_text("x,y\n" + "".join(f"{k % 97}.5,{k % 89}\n" for k in range(200_000)))
    assert autodiff("eval", "x*y", "--data", str(data), "--out", str(tmp_path / "o.csv")).status == 0
    assert len(read) > 40
    at_most = csv_blocks.AHEAD + table_writer.AHEAD + (os.cpu_count() or 1) + 2
    assert max(waiting) <= at_most, waiting
    assert max(alive) <= at_most, alive


@pytest.mark.parametrize(
    "words",
    [
        ["train", "mse(w, 2)", "--params", "w=0"], ["train", "mse(y, w*x)", "--data", "-", "--params", "w=0"],
        ["predict", "w*x", "--of", "p", "--data", "-"], ["fit", "a*x", "--data", "-", "--y", "y", "--start", "a=1"],
        ["plot", "x^2"], ["eval", "sum(x)", "--at", "x=[1,2]"], ["explain", "sum(x)", "--at", "x=[1,2]"],
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_without_numpy_every_command_names_an_extra(words: list[str]) -> None:
    code = f"import sys; sys.modules['numpy'] = None; from autodiff.cli.main import run; sys.exit(run({words}))"
    done = subprocess.run(
        [sys.executable, "-c", code], input="x,y\n1,2\n", capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "not installed" in done.stderr
    assert "pip install" in done.stderr


def test_without_numpy_the_extra_is_named() -> None:
    code = "import sys; sys.modules['numpy'] = None; from autodiff.cli.main import run; sys.exit(run(['eval', 'x', '--data', '-']))"
    done: Any = subprocess.run(
        [sys.executable, "-c", code], input="x\n1\n", capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: --data needs NumPy, which is not installed",
        "  in the checkout that autodiff was installed from: pip install '.[data]'",
    ]


def test_rows_turn_on_the_collector_of_cycles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process starts without the collector of cycles, which only a program of megabytes is better without."""
    turned_on: list[str] = []
    monkeypatch.setattr("gc.enable", lambda: turned_on.append("on"))
    (tmp_path / "rows.csv").write_text("x\n1\n")
    assert autodiff("eval", "x^2", "--at", "x=1").status == 0
    assert turned_on == []
    assert autodiff("eval", "x^2", "--data", str(tmp_path / "rows.csv")).status == 0
    assert turned_on == ["on"]
    assert autodiff("train", "(x - 1)^2", "--params", "x=0", "--epochs", "2").status == 0
    assert turned_on == ["on", "on"]


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("1,2\n3,4\n", [], "the first line must name the columns, and it is numbers: 1, 2"),
        ('{"x": 1}\n', [], "this looks like JSON: add --from ndjson"),
        ("x\n1\n", ["--json"], "rows are written with --to ndjson"),
        ("x\n1\n", ["--format", "csv"], "rows are written with --to csv"),
    ],
)
def test_what_was_meant_is_the_next_step(text: str, words: list[str], message: str) -> None:
    ended = autodiff("eval", "x", "--data", "-", *words, stdin=text.encode())
    assert ended.status in (2, 4)
    assert message in ended.err


def test_a_key_that_nobody_asks_for_does_not_matter() -> None:
    rows = b'{"x": 1}\n{"x": 2, "note": "a"}\n'
    plain = autodiff("eval", "x", "--data", "-", "--from", "ndjson", stdin=rows)
    assert (plain.status, [json.loads(line)["f"] for line in plain.out.splitlines()]) == (0, [1.0, 2.0])
    kept = autodiff("eval", "x", "--data", "-", "--from", "ndjson", "--keep", stdin=rows)
    assert [json.loads(line)["status"] for line in kept.out.splitlines()] == ["ok", "input"]


def test_an_empty_table_is_called_so() -> None:
    for words in (["fit", "a*x", "--y", "y", "--start", "a=1"], ["train", "mse(y, a*x)", "--params", "a=1"]):
        ended = autodiff(*words, "--data", "-", "--from", "ndjson")
        assert (ended.status, "stdin, line 1: the table is empty" in ended.err) == (4, True), ended


def test_a_whole_number_of_a_file_is_a_number(tmp_path: Path) -> None:
    point, table = tmp_path / "point.json", tmp_path / "rows.csv"
    point.write_text('{"a": 2}')
    table.write_text("x\n1\n3\n")
    assert autodiff("eval", "a*x", "--data", str(table), "--at", f"@{point}", "--wrt", "x").out.split() == [
        "f,df/dx,status", "2,2,ok", "6,2,ok",
    ]  # fmt: skip
    ended = autodiff("plot", "a*x", "--range", "x=min(0, 1)..max(1, 2)", "--at", f"@{point}", "--json")
    assert json.loads(ended.out)["range"] == [0.0, 2.0]
