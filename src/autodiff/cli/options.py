"""What commands share: where the program comes from, where the point comes from, notices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autodiff.api.inputs import named
from autodiff.cli import streams
from autodiff.errors import AutodiffError, printable
from autodiff.language.ast import Reading

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SYNTAX = "autodiff.syntax"
"""Where Click's context keeps how the program is written."""

_SHORT = "autodiff.json"
"""Where the running command keeps that --json was typed."""

F = TypeVar("F", bound=Callable[..., Any])


def complete_function(incomplete: str, bracket: str = "") -> list[str]:
    """The functions that begin so, for the shell's completion."""
    from autodiff.core import rules

    return sorted(f"{name}{bracket}" for name in rules.functions() if name.startswith(incomplete))


def complete_file(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete a file's name. `click.Path` would also check the file before its reader does."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def file_option(*names: str, help: str, metavar: str = "FILE", **more: Any) -> Callable[[F], F]:  # noqa: A002 - Click's
    """An option that takes the name of a file."""
    return click.option(*names, metavar=metavar, shell_complete=complete_file, help=help, **more)


class Finite(click.FloatRange):
    """A number in a range; NaN, which no comparison sees, is in none, nor is infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


def format_option(*forms: str) -> Callable[[F], F]:
    """`--format`, text before the other `forms`, and `--json` for `--format json`."""

    def decorate(command: F) -> F:
        command = click.option("--json", is_flag=True, is_eager=True, help="Short for --format json.")(command)
        return click.option(
            "--format", "form", type=click.Choice(["text", *forms]), default="text", show_default=True, callback=_form
        )(command)

    return decorate


def _form(ctx: click.Context, param: click.Parameter, form: str) -> str:
    """The value of `--format`, given that `--json` was read before."""
    if not ctx.params.pop("json"):
        return form
    ctx.meta[_SHORT] = True
    if form != "json" and on_command_line("form"):
        raise AutodiffError(f"--json and --format {form} don't go together", hint="ask for one of them at a time")
    return "json"


def require_page(form: str, *, opened: bool, fragment: bool) -> None:
    """Raise AutodiffError where --open or --fragment is given with a format that has no such thing."""
    if fragment and form not in ("latex", "tikz"):
        raise AutodiffError("--fragment belongs to LaTeX", hint="add --format latex (explain) or --format tikz (graph)")
    if opened and form not in ("html", "svg", "png", "pdf"):
        raise AutodiffError(f"a browser does not show {form}", hint="leave --open out, or the format")


def format_as_typed(form: str) -> str:
    """The option that asked the running command for `form`, for a message."""
    return "--json" if _SHORT in click.get_current_context().meta else f"--format {form}"


def on_command_line(parameter: str) -> bool:
    """Whether an option of the running command was given, and is not what it is by default."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is not None and source is not click.core.ParameterSource.DEFAULT


def _options(*decorators: Callable[[Any], Any]) -> Callable[[F], F]:
    """Some options as one decorator; the help lists them in this order."""

    def decorate(command: F) -> F:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _syntax(ctx: click.Context, param: click.Parameter, syntax: str) -> None:
    """Keep what `--syntax` says for `in_syntax`."""
    ctx.meta[SYNTAX] = syntax


program_options = _options(
    click.argument(
        "program", required=False, shell_complete=lambda _ctx, _param, incomplete: complete_function(incomplete, "(")
    ),
    file_option("-f", "--file", help="Read the program from FILE."),
    click.option("--strict", is_flag=True, help="Make a doubtful reading such as 1/2x an error."),
    click.option(
        "--syntax", type=click.Choice(["auto", "plain", "latex"]), default="auto", expose_value=False, callback=_syntax,
        help="How PROGRAM is written; auto reads LaTeX where a backslash begins a word.",
    ),
)  # fmt: skip

wrt_option = click.option(
    "--wrt", metavar="NAMES", help="Differentiate by these inputs or assigned names (default: every input)."
)

point_options = _options(
    click.option(
        "--at", "points", metavar="NAME=VALUE[,…]", multiple=True,
        help="The point: constant expressions (x=pi/2,y=-1e-3), or @FILE.json. Repeatable.",
    ),
    wrt_option,
)  # fmt: skip

matrix_options = _options(
    click.option("--hessian", is_flag=True, help="All second derivatives."),
    click.option("--jacobian", is_flag=True, help="The first derivatives of several results; name them with --of."),
    click.option(
        "--of", metavar="NAMES",
        help="With --jacobian: the results, names that the program assigns; with --data: one of them.",
    ),
)  # fmt: skip


def steps_options(part: str) -> Callable[[F], F]:
    """`--atoms` and `--expand`, where each statement is one `part` of what is shown."""
    return _options(
        click.option("--atoms", is_flag=True, help=f"One {part} per operation instead of one per statement."),
        click.option(
            "--expand", metavar="NAME", multiple=True, help="Open this statement to its operations. Repeatable."
        ),
    )


_FORMS = click.Choice(["csv", "tsv", "ndjson", "parquet", "arrow"])

from_option = click.option(
    "--from", "from_form", type=_FORMS, help="The format of --data (default: by its extension; csv for -)."
)


def data_option(help_text: str, *, required: bool = False) -> Callable[[F], F]:
    """`--data`, which may be given several times."""
    return file_option("--data", help=help_text, multiple=True, required=required)


TABLES = "CSV, TSV, NDJSON, Parquet or Arrow; a folder, a pattern, an address such as s3://…. Repeatable."
"""What --data takes, for the help of each command that has it."""

data_options = _options(
    data_option(f"A point per row of FILE (- for stdin): {TABLES}"),
    file_option(
        "-o", "--out",
        help="With --data: write to FILE, which is there only when it is whole; a folder DIR/ gets a part for each file.",
    ),
    click.option("--keep", is_flag=True, help="With --data: pass the file's own columns through."),
    click.option("--fail-fast", is_flag=True, help="With --data: stop at the first row that is not ok."),
    from_option,
    click.option("--to", "to_form", type=_FORMS, help="The format of the output (default: by --out, or as the input)."),
)  # fmt: skip

resume_option = click.option(
    "--resume", is_flag=True, help="With --out DIR/: skip the parts that are whole, and go on with the others."
)

rows_options = _options(
    resume_option,
    click.option(
        "--summary", is_flag=True, help="With --data: print how many rows are ok, and each column's min, max and mean."
    ),
    click.option(
        "--exact", is_flag=True, help="With --data: compute functions exactly as at a single point, which takes longer."
    ),
)

engine_options = _options(
    click.option(
        "--engine", type=click.Choice(["local", "dask"]), help="What runs the files of --data (default: local)."
    ),
    click.option(
        "--scheduler", metavar="ADDRESS", help="With --engine dask: tcp://host:8786 (default: a cluster here)."
    ),
    click.option("--workers", type=click.IntRange(min=1), help="Processes of this machine (default: its cores)."),
)


def digits(count: int | None) -> int:
    """The digits that are asked for; 0 where none are. Raises AutodiffError for a number out of bounds."""
    if count is not None and not 1 <= count <= 1000:
        raise AutodiffError(f"--digits takes 1 to 1,000, not {count}", hint="write for example --digits 50")
    return count or 0


def names(text: str | None, option: str = "--wrt") -> list[str] | None:
    """`a, b[0, 1]` as a list, cut at the commas that are in no brackets; None stays None."""
    if text is None:
        return None
    names = named(text)
    if not all(names):
        raise AutodiffError(f"{option} needs names separated by commas", hint=f"write for example {option} x,y")
    return names


def results(of: str | None, *, jacobian: bool) -> list[str]:
    """The names of `--of`, which `--jacobian` needs and nothing else takes."""
    if jacobian and of is None:
        raise AutodiffError("--jacobian needs the results' names", hint="add --of u,v")
    if of is not None and not jacobian:
        raise AutodiffError("--of goes with --jacobian", hint="add --jacobian")
    return names(of, "--of") or []


def one_matrix(given: Mapping[str, bool], hint: str = "ask for one of them at a time") -> None:
    """Raise AutodiffError when options that ask for different things are given together."""
    together = [option for option, is_given in given.items() if is_given]
    if len(together) > 1:
        raise AutodiffError(f"{together[0]} and {together[1]} don't go together", hint=hint)


def require_data(given: Mapping[str, Any], parameters: Iterable[str]) -> None:
    """Raise AutodiffError where an option about the rows of --data is given, and --data is not."""
    for parameter in parameters if not given["data"] else ():
        if given[parameter]:
            typed = parameter.removesuffix("_form").removesuffix("_column").replace("_", "-")
            raise AutodiffError(f"--{typed} goes with --data", hint="add --data points.csv")


def require_none(conflicts: Iterable[tuple[object, str, str]]) -> None:
    """Raise AutodiffError for the first of these (whether it holds, message, hint) that holds."""
    for holds, message, hint in conflicts:
        if holds:
            raise AutodiffError(message, hint=hint)


def one_form(form: str, *, quiet: bool) -> None:
    """Raise AutodiffError when `-q`, which is a format of its own, is given together with another one."""
    one_matrix({"-q": quiet, format_as_typed(form): form != "text"})


def notices(readings: tuple[Reading, ...], more: Iterable[str] = ()) -> None:
    """Report on stderr how doubtful parts were read, the first three of them, and then the notes in `more`."""
    for reading in readings[:3]:
        streams.remark(f"notice: {printable(str(reading))}")
    if len(readings) > 3:
        streams.remark(f"notice: and {len(readings) - 3} more readings like these; --strict stops at the first")
    for words in more:
        streams.remark(f"notice: {printable(words)}")
