"""Programs and points as text: from an argument, a file or stdin.

>>> read_number("1/4", "--lr")
0.25
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import click

from autodiff.api.inputs import Sample, finite, named, parse_point
from autodiff.cli import streams
from autodiff.cli.options import SYNTAX, notices
from autodiff.core.lowering import lower
from autodiff.errors import AutodiffError, data_error, printable, quoted, shortened
from autodiff.language.ast import Reading
from autodiff.language.exact_float import decimal
from autodiff.language.parser import LONGEST, LONGEST_LATEX, require_short

_LARGEST = sys.float_info.max

_PROGRAM, _POINT = 4 * LONGEST, 1 << 28
"""Bytes of a file that are read, at most: devices and pipes need not end."""


def in_syntax(text: str) -> str:
    """A program or an answer as it is read: with `--syntax latex` what the LaTeX stands for."""
    syntax = click.get_current_context().meta.get(SYNTAX, "auto")
    if syntax == "auto":
        return text
    require_short(text, LONGEST_LATEX)
    from autodiff.core import rules
    from autodiff.language.latex import reader as latex  # few programs are LaTeX

    if syntax == "latex":
        return latex.program(text, rules.functions())
    if latex.is_latex(text):
        raise AutodiffError("this is LaTeX", source=text, hint="leave --syntax plain out")
    return text


def read_program(program: str | None, file: str | None) -> str:
    """The program's text from the argument, a file, or stdin for `-`."""
    if program is not None and file is not None:
        raise AutodiffError("the program is given twice, as an argument and with -f", hint="choose one")
    if file is not None:
        return in_syntax(_decoded(_bytes(file, _PROGRAM), file))
    if program is None:
        raise AutodiffError(
            "no program",
            hint=f'write it in quotes: {click.get_current_context().command_path} "sin(x^2)"; or use -f FILE, or - for stdin',
        )
    if program == "-":
        return in_syntax(_decoded(_stdin(), "stdin"))
    return in_syntax(program)


def read_point(points: Iterable[str], program: str = "") -> dict[str, Any]:
    """Every `--at` together; a name may be given once. A number alone is the value of the only input of `program`."""
    point: dict[str, Any] = {}
    for text in points:
        if program and "=" not in text and not text.startswith("@"):
            text = _of_the_only_input(text, program)
        values = _file_point(text[1:]) if text.startswith("@") else typed_point(text)
        for name, value in values.items():
            if name in point:
                raise AutodiffError(f"--at gives {quoted(name)} twice", hint="a name has one value")
            point[name] = value
    return point


def typed_point(text: str, sample: Sample | None = None) -> dict[str, Any]:
    """The values of `x=4,y=pi/2`; how doubtful parts are read is reported on stderr, or refused."""
    readings = list[Reading]()
    point = parse_point(text, sample, readings)
    _report(readings, text)
    return point


def _report(readings: Sequence[Reading], source: str) -> None:
    """Report how doubtful parts of `source` ("" shows none) are read. Raises AutodiffError with --strict."""
    if readings and _is_strict():
        hint = "with --strict, write the brackets"
        raise AutodiffError(f"doubtful: {readings[0]}", span=readings[0].span, source=source, hint=hint)
    notices(tuple(readings))


def _is_strict() -> bool:
    """Whether --strict was given to the running command."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.params.get("strict"))


def _of_the_only_input(value: str, program: str) -> str:
    """`x=3` for `--at 3`. Raises AutodiffError where the program has more inputs than one or none."""
    inputs = lower(program).inputs
    meaning = f"{inputs[0]}={value.strip()}" if inputs else ""
    try:
        number = len(inputs) == 1 and isinstance(parse_point(meaning)[inputs[0]], float)
    except AutodiffError:
        number = False
    if not number:
        return value
    if _is_strict():
        raise AutodiffError(f"doubtful: --at {value} is read as {meaning}", hint="with --strict, write the name")
    streams.remark(f"notice: --at {printable(value)} is read as {printable(meaning)}")
    return meaning


def read_number(text: str, option: str) -> float:
    """The value of a constant expression, such as 0.1 or 1/3. Raises AutodiffError naming the option."""
    readings = list[Reading]()
    try:
        point = parse_point(f"value = {text}", None, readings)
    except AutodiffError:
        point = {}
    value = point.get("value")
    if len(point) != 1 or not isinstance(value, float):
        raise AutodiffError(f"{option} needs a number, not {quoted(text)}", hint="such as 0.1, 1e-3 or 1/3")
    _report(readings, "")
    return value


def ranges(text: str, option: str) -> dict[str, tuple[float | None, float | None]]:
    """`x=-2..2,y=0..` as pairs of numbers; None where an end is left out. Raises AutodiffError naming the option."""
    intervals: dict[str, tuple[float | None, float | None]] = {}
    for part in named(text):
        match = re.fullmatch(r"(\w+)\s*=(.*?)\.\.(.*)", part)
        if match is None:
            raise AutodiffError(f"{option} can't be read at {quoted(part)}", hint=f"write for example {option} x=-2..2")
        name, low, high = (piece.strip() for piece in match.groups())
        if high.startswith("."):
            raise AutodiffError(
                f"{option} has three points at {quoted(part)}",
                hint=f"write two: {name}={low}..{high.lstrip('.')}, or a zero",
            )
        if name in intervals:
            raise AutodiffError(f"{option} gives {quoted(name)} twice", hint="a name has one range")
        intervals[name] = (read_number(low, option) if low else None, read_number(high, option) if high else None)
    return intervals


def _stdin() -> bytes:
    from autodiff.tables import filesystems  # most programs are an argument

    try:
        return _whole(filesystems.open_stdin("pipe a program into it, or use -f FILE"), "stdin", _PROGRAM)
    except OSError as error:
        raise data_error(f"can't read stdin: {error.strerror}") from None


def _whole(file: BinaryIO, name: str, most: int) -> bytes:
    """What is in a file. Raises AutodiffError, without the rest, where that is more than so many bytes."""
    content = file.read(most + 1)
    if len(content) > most:
        raise data_error(f"can't read {name}: it has more than {most:,} bytes")
    return content


def _bytes(path: str, most: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return _whole(file, quoted(path, 200), most)
    except OSError as error:
        raise data_error(f"can't read {quoted(path, 200)}: {error.strerror}") from None
    except ValueError:
        raise data_error(f"{quoted(path, 200)} is no file name") from None


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise data_error(
            f"{quoted(name, 200)} is not UTF-8 text: byte {error.start} is {content[error.start]:#04x}",
            hint="save it as UTF-8",
        ) from None


def _file_point(path: str) -> dict[str, Any]:
    """A JSON object of numbers and arrays, as nested lists; a key that begins with # is a comment."""
    try:
        data = {name: value for name, value in read_object(path).items() if not name.startswith("#")}
    except AutodiffError as error:
        if "=" in path.partition(",")[2]:
            error.hint = f"give --at twice: --at @{path.partition(',')[0]} --at {path.partition(',')[2]}"
        raise
    for name, value in data.items():
        _require_finite(path, name, value)
    return {name: value if isinstance(value, list) else finite(name, value) for name, value in data.items()}


def read_object(path: str) -> dict[str, Any]:
    """A JSON object of a file, with no key twice."""
    import json  # as above

    text = _decoded(_bytes(path, _POINT), path)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in pairs:
            if name in values:
                raise data_error(f"{quoted(path, 200)} gives {quoted(name)} twice")
            values[name] = value
        return values

    def kept(digits: str) -> float:
        value = float(digits)
        if value == 0 and any(digit in "123456789" for digit in digits.lower().partition("e")[0]):
            raise data_error(f"{quoted(path, 200)}: {quoted(shortened(digits))} is too small for a 64-bit number")
        return decimal(digits, value) if math.isfinite(value) else value

    try:
        data = json.loads(text, object_pairs_hook=once, parse_float=kept)
    except json.JSONDecodeError as error:
        raise data_error(
            f"{quoted(path, 200)} is not JSON: {error.msg}, line {error.lineno} column {error.colno}"
        ) from None
    except (RecursionError, ValueError):
        raise data_error(f"{quoted(path, 200)} is not a JSON object of numbers") from None
    if not isinstance(data, dict):
        raise data_error(f"{quoted(path, 200)} is not a JSON object", hint='it should look like {"x": 4.0}')
    return data


def _require_finite(path: str, name: str, value: Any) -> None:
    """Raise AutodiffError unless the value is a finite number or nested lists of them; shapes are checked later."""
    import json  # most points are written on the command line

    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, bool) or not isinstance(item, int | float) or not -_LARGEST <= item <= _LARGEST:
            wanted = "hold finite numbers only" if isinstance(value, list) else "be a finite number"
            raise data_error(f"{quoted(path, 200)}: {quoted(name)} must {wanted}, not {quoted(json.dumps(item))}")
