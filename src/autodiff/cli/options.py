"""What commands share: where the program comes from, where the point comes from, notices."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autodiff.api.evaluate import parse
from autodiff.api.inputs import parse_point
from autodiff.cli import streams
from autodiff.core.lowering import lower
from autodiff.errors import DATA, AutodiffError, printable, quoted, shortened
from autodiff.language.ast import Reading
from autodiff.language.typed import decimal

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_LARGEST = sys.float_info.max

_SYNTAX = "autodiff.syntax"
"""Where Click's context keeps how the program is written."""

_SHORT = "autodiff.json"
"""Where the running command keeps that --json was typed."""

F = TypeVar("F", bound=Callable[..., Any])


def complete_function(incomplete: str, bracket: str = "") -> list[str]:
    """The functions that begin so, for the shell's completion."""
    from autodiff.core import rules

    return sorted(f"{name}{bracket}" for name in rules.functions() if name.startswith(incomplete))


def complete_file(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete a file's name. `click.Path` does so as well, and judges the file before its reader can."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


class Finite(click.FloatRange):
    """A number in a range; NaN, which no comparison sees, is in none, nor is infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found: float = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no finite number.", param, ctx)
        return found


def format_option(*forms: str) -> Callable[[F], F]:
    """`--format`, text before the other `forms`, and `--json` for `--format json`."""

    def decorate(command: F) -> F:
        command = click.option("--json", is_flag=True, is_eager=True, help="Short for --format json.")(command)
        return click.option(
            "--format", "form", type=click.Choice(["text", *forms]), default="text", show_default=True, callback=_form
        )(command)

    return decorate


def _form(ctx: click.Context, param: click.Parameter, form: str) -> str:
    """What `--format` is beside `--json`, which is looked at before it."""
    if not ctx.params.pop("json"):
        return form
    ctx.meta[_SHORT] = True
    if form != "json" and on_command_line("form"):
        raise AutodiffError(f"--json and --format {form} don't go together", hint="ask for one of them at a time")
    return "json"


def format_as_typed(form: str) -> str:
    """How the running command was told to answer as `form`, for a message."""
    return "--json" if _SHORT in click.get_current_context().meta else f"--format {form}"


def on_command_line(parameter: str) -> bool:
    """Whether an option of the running command was given, and is not what it is by default."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is not None and source is not click.core.ParameterSource.DEFAULT


def program_options(command: F) -> F:
    """PROGRAM, `-f FILE`, `--strict`, `--syntax`."""
    for decorate in (
        click.option(
            "--syntax",
            type=click.Choice(["auto", "plain", "latex"]),
            default="auto",
            expose_value=False,
            callback=_syntax,
            help="How PROGRAM is written; auto reads LaTeX where a backslash begins a word.",
        ),
        click.option("--strict", is_flag=True, help="Make a doubtful reading such as 1/2x an error."),
        click.option("-f", "--file", metavar="FILE", shell_complete=complete_file, help="Read the program from FILE."),
        click.argument(
            "program",
            required=False,
            shell_complete=lambda _ctx, _param, incomplete: complete_function(incomplete, "("),
        ),
    ):
        command = decorate(command)
    return command


def _syntax(ctx: click.Context, param: click.Parameter, syntax: str) -> None:
    """Keep what `--syntax` says for `in_syntax`."""
    ctx.meta[_SYNTAX] = syntax


def in_syntax(text: str) -> str:
    """A program or an answer as it is read: with `--syntax latex` what the LaTeX stands for."""
    syntax = click.get_current_context().meta.get(_SYNTAX, "auto")
    if syntax == "auto":
        return text
    from autodiff.core import rules
    from autodiff.language.latex import reader as latex  # few programs are LaTeX

    if syntax == "latex":
        return latex.program(text, rules.functions())
    if latex.is_latex(text):
        raise AutodiffError("this is LaTeX", source=text, hint="leave --syntax plain out")
    return text


def wrt_option(command: F) -> F:
    """`--wrt`."""
    return click.option(
        "--wrt", metavar="NAMES", help="Differentiate by these inputs or assigned names (default: every input)."
    )(command)


def matrix_options(command: F) -> F:
    """`--hessian`, `--jacobian`, `--of`."""
    for decorate in (
        click.option("--of", metavar="NAMES", help="With --jacobian: the results, names that the program assigns."),
        click.option("--jacobian", is_flag=True, help="The first derivatives of several results; name them with --of."),
        click.option("--hessian", is_flag=True, help="All second derivatives."),
    ):
        command = decorate(command)
    return command


def point_options(command: F) -> F:
    """`--at`, `--wrt`."""
    for decorate in (
        wrt_option,
        click.option(
            "--at",
            "points",
            metavar="NAME=VALUE[,…]",
            multiple=True,
            help="The point: constant expressions (x=pi/2,y=-1e-3), or @FILE.json. Repeatable.",
        ),
    ):
        command = decorate(command)
    return command


_FORMS = click.Choice(["csv", "tsv", "ndjson", "parquet", "arrow"])


def from_option(command: F) -> F:
    """`--from`."""
    return click.option(
        "--from", "from_form", type=_FORMS, help="The format of --data (default: by its extension; csv for -)."
    )(command)


def data_options(command: F) -> F:
    """`--data` and what goes with it."""
    for decorate in (
        click.option(
            "--to", "to_form", type=_FORMS, help="The format of the output (default: by --out, or as the input)."
        ),
        from_option,
        click.option("--fail-fast", is_flag=True, help="With --data: stop at the first row that is not ok."),
        click.option("--keep", is_flag=True, help="With --data: pass the file's own columns through."),
        click.option(
            "--out", metavar="FILE", shell_complete=complete_file,
            help="With --data: write to FILE, which is there only when it is whole.",
        ),
        click.option(
            "--data", metavar="FILE", shell_complete=complete_file,
            help="A point per row of FILE (- for stdin): CSV, TSV, NDJSON, Parquet or Arrow.",
        ),
    ):  # fmt: skip
        command = decorate(command)
    return command


def read_program(program: str | None, file: str | None) -> str:
    """The program's text from the argument, a file, or stdin for `-`."""
    if program is not None and file is not None:
        raise AutodiffError("the program is given twice, as an argument and with -f", hint="choose one")
    if file is not None:
        return in_syntax(_decoded(_bytes(file), file))
    if program is None:
        raise AutodiffError(
            "no program",
            hint=f'write it in quotes: {click.get_current_context().command_path} "sin(x^2)"; or use -f FILE, or - for stdin',
        )
    if program == "-":
        return in_syntax(_decoded(_stdin(), "stdin"))
    return in_syntax(program)


def read_point(points: Iterable[str], program: str = "", *, strict: bool = False) -> dict[str, Any]:
    """Every `--at` together; a name may be given once. A number alone is the value of the only input of `program`."""
    point: dict[str, Any] = {}
    for text in points:
        if program and "=" not in text and not text.startswith("@"):
            text = _of_the_only_input(text, program, strict=strict)
        for name, value in (_file_point(text[1:]) if text.startswith("@") else parse_point(text)).items():
            if name in point:
                raise AutodiffError(f"--at gives {quoted(name)} twice", hint="a name has one value")
            point[name] = value
    return point


def _of_the_only_input(value: str, program: str, *, strict: bool) -> str:
    """`x=3` for `--at 3`. Raises AutodiffError where the program has more inputs than one or none."""
    inputs = lower(parse(program)).inputs
    meaning = f"{inputs[0]}={value.strip()}" if inputs else ""
    try:
        number = len(inputs) == 1 and isinstance(parse_point(meaning)[inputs[0]], float)
    except AutodiffError:
        number = False
    if not number:
        return value
    if strict:
        raise AutodiffError(f"doubtful: --at {value} is read as {meaning}", hint="with --strict, write the name")
    streams.remark(f"notice: --at {printable(value)} is read as {printable(meaning)}")
    return meaning


def digits(count: int | None) -> int:
    """The digits that are asked for; 0 where none are. Raises AutodiffError for a number out of bounds."""
    if count is not None and not 1 <= count <= 1000:
        raise AutodiffError(f"--digits takes 1 to 1,000, not {count}", hint="write for example --digits 50")
    return count or 0


def names(text: str | None, option: str = "--wrt") -> list[str] | None:
    """`a, b` as a list; None stays None."""
    if text is None:
        return None
    found = [name.strip() for name in re.split(r",(?![^\[]*\])", text)]
    if not all(found):
        raise AutodiffError(f"{option} needs names separated by commas", hint=f"write for example {option} x,y")
    return found


def read_number(text: str, option: str) -> float:
    """The value of a constant expression, such as 0.1 or 1/3. Raises AutodiffError naming the option."""
    try:
        found = parse_point(f"value = {text}")
    except AutodiffError:
        found = {}
    value = found.get("value")
    if len(found) != 1 or not isinstance(value, float):
        raise AutodiffError(f"{option} needs a number, not {quoted(text)}", hint="such as 0.1, 1e-3 or 1/3")
    return value


def ranges(text: str, option: str) -> dict[str, tuple[float | None, float | None]]:
    """`x=-2..2,y=0..` as pairs of numbers; None where an end is left out. Raises AutodiffError naming the option."""
    found: dict[str, tuple[float | None, float | None]] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\w+)\s*=(.*?)\.\.(.*)", part)
        if match is None:
            raise AutodiffError(
                f"{option} can't be read at {quoted(part.strip())}", hint=f"write for example {option} x=-2..2"
            )
        name, low, high = (piece.strip() for piece in match.groups())
        if name in found:
            raise AutodiffError(f"{option} gives {quoted(name)} twice", hint="a name has one range")
        found[name] = (
            read_number(low, option) if low else None,
            read_number(high, option) if high else None,
        )
    return found


def results(of: str | None, *, jacobian: bool) -> list[str]:
    """The names of `--of`, which `--jacobian` needs and nothing else takes."""
    if jacobian and of is None:
        raise AutodiffError("--jacobian needs the results' names", hint="add --of u,v")
    if of is not None and not jacobian:
        raise AutodiffError("--of goes with --jacobian", hint="add --jacobian")
    return names(of, "--of") or []


def one_matrix(given: Mapping[str, bool]) -> None:
    """Raise AutodiffError when options that ask for different things stand together."""
    together = [option for option, is_given in given.items() if is_given]
    if len(together) > 1:
        raise AutodiffError(f"{together[0]} and {together[1]} don't go together", hint="ask for one of them at a time")


def one_form(form: str, *, quiet: bool) -> None:
    """Raise AutodiffError when `-q`, which is a form of its own, stands beside another one."""
    one_matrix({"-q": quiet, format_as_typed(form): form != "text"})


def notices(readings: tuple[Reading, ...], more: Iterable[str] = ()) -> None:
    """Say on stderr how doubtful parts were read, the first three of them, and what `more` there is to be said."""
    for reading in readings[:3]:
        streams.remark(f"notice: {printable(str(reading))}")
    if len(readings) > 3:
        streams.remark(f"notice: and {len(readings) - 3} more readings like these; --strict stops at the first")
    for words in more:
        streams.remark(f"notice: {printable(words)}")


def _stdin() -> bytes:
    from autodiff.tables import stdin  # most programs are an argument

    try:
        return stdin.opened("pipe a program into it, or use -f FILE").read()
    except OSError as error:
        raise AutodiffError(f"can't read stdin: {error.strerror}", exit_status=DATA) from None


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise AutodiffError(f"can't read {quoted(path, 200)}: {error.strerror}", exit_status=DATA) from None
    except ValueError:
        raise AutodiffError(f"{quoted(path, 200)} is no file name", exit_status=DATA) from None


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AutodiffError(
            f"{quoted(name, 200)} is not UTF-8 text: byte {error.start} is {content[error.start]:#04x}",
            exit_status=DATA,
            hint="save it as UTF-8",
        ) from None


def _file_point(path: str) -> dict[str, Any]:
    """A JSON object of numbers and arrays, as nested lists; a key that begins with # is a comment."""
    import json  # most points are written on the command line

    data = {name: value for name, value in read_object(path).items() if not name.startswith("#")}
    for name, value in data.items():
        if isinstance(value, list):
            _finite_lists(path, name, value)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST <= value <= _LARGEST:
            raise AutodiffError(
                f"{quoted(path, 200)}: {quoted(name)} must be a finite number, not {quoted(json.dumps(value))}",
                exit_status=DATA,
            )
    return data


def read_object(path: str) -> dict[str, Any]:
    """A JSON object of a file, no key of which stands twice."""
    import json  # as above

    text = _decoded(_bytes(path), path)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise AutodiffError(f"{quoted(path, 200)} gives {quoted(name)} twice", exit_status=DATA)
            found[name] = value
        return found

    def kept(digits: str) -> float:
        value = float(digits)
        if value == 0 and any(digit in "123456789" for digit in digits.lower().partition("e")[0]):
            raise AutodiffError(
                f"{quoted(path, 200)}: {quoted(shortened(digits))} is too small for a 64-bit number", exit_status=DATA
            )
        return decimal(digits, value) if math.isfinite(value) else value

    try:
        data = json.loads(text, object_pairs_hook=once, parse_float=kept)
    except json.JSONDecodeError as error:
        raise AutodiffError(
            f"{quoted(path, 200)} is not JSON: {error.msg}, line {error.lineno} column {error.colno}", exit_status=DATA
        ) from None
    except (RecursionError, ValueError):
        raise AutodiffError(f"{quoted(path, 200)} is not a JSON object of numbers", exit_status=DATA) from None
    if not isinstance(data, dict):
        raise AutodiffError(
            f"{quoted(path, 200)} is not a JSON object", exit_status=DATA, hint='it should look like {"x": 4.0}'
        )
    return data


def _finite_lists(path: str, name: str, value: list[Any]) -> None:
    """Refuse what is no array of finite numbers; whether its rows are equally long is seen later."""
    import json  # see above

    todo = list(value)
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, bool) or not isinstance(item, int | float) or not -_LARGEST <= item <= _LARGEST:
            raise AutodiffError(
                f"{quoted(path, 200)}: {quoted(name)} must hold finite numbers only, not {quoted(json.dumps(item))}",
                exit_status=DATA,
            )
