"""The command `autodiff`: which commands there are, how words become programs or options, how everything ends."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import click

from autodiff import __version__
from autodiff.cli import streams
from autodiff.errors import DATA, INTERNAL, USAGE, AutodiffError, nearest, printable, quoted

COMMANDS = {
    "eval": "value and gradient at a point",
    "explain": "the chain rule, factor by factor: forward pass, graph, backward pass, checks",
    "graph": "the computation graph alone",
    "plot": "curves and contours: corners, jumps and poles drawn as what they are",
    "diff": "the derivative as a formula",
    "check": "is my derivative right, and if not, which slip was it",
    "fit": "parameters of a curve from data, with their standard errors",
    "train": "gradient descent on a table, the four steps shown",
    "predict": "what a trained program gives for the rows of a table",
    "export": "value and gradient as source code of another language",
    "serve": "a page to type in: the explanation and the plot follow",
    "functions": "every function: formula, derivative, domain, example",
    "completion": "the shell's completion script",
    "help": "the manual: a page for each topic",
}


def _shown(text: Callable[[click.Context], str]) -> Callable[[click.Context, click.Parameter, bool], None]:
    """What an option does that shows a text and ends the command."""

    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(text(ctx), color=ctx.color)
            ctx.exit()

    return show


def _flag(*names: str, text: Callable[[click.Context], str], doc: str) -> click.Option:
    """Click's own `--help` and `--version`, which look for a translation of their help: a millisecond for each start."""
    return click.Option(names, is_flag=True, expose_value=False, is_eager=True, help=doc, callback=_shown(text))


_HELP = _flag("-h", "--help", text=click.Context.get_help, doc="Show this message and exit.")
_VERSION = _flag("-V", "--version", text=lambda _: f"autodiff, version {__version__}", doc="Show the version and exit.")


_COLOURS = ("auto", "always", "never")

_COLOUR = click.Option(
    ("--color",), type=click.Choice(_COLOURS), expose_value=False,  # `run` reads it before Click does
    help="Colours on stdout and stderr; auto is by the environment (NO_COLOR, FORCE_COLOR) and the terminal.",
)  # fmt: skip


class Helpful(click.Command):
    """A command with `--color`, `-h` and `--help`."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*self.params, _COLOUR, _HELP]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _HELP if self.add_help_option else None


class Group(Helpful, click.Group):
    """The commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"autodiff.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("--"):
            near = nearest(args[0], COMMANDS)
            hint = (
                f"did you mean {near}?"
                if near
                else f'for a value and its slopes: autodiff eval "{printable(args[0])[:60]}"'
            )
            raise AutodiffError(f"no such command {quoted(args[0])}", hint=f"{hint} (commands: {', '.join(COMMANDS)})")
        return super().resolve_command(ctx, args)


class ProgramCommand(Helpful):
    """A command with a PROGRAM, which may begin with a minus: a word that is no option of ours is a program.

    `-x^2` is a program, `-q` an option, `--wort` a mistake. Click gets every option by its long name: it looks for one
    that is spelt like `-q` before it takes that for a short one, which costs as much as evaluating a short program.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        flags, takes_value = dict[str, str](), set[str]()
        for param in self.get_params(ctx):
            if isinstance(param, click.Option):
                for names in (param.opts, param.secondary_opts):
                    flags.update(dict.fromkeys(names, max(names, key=len, default="")))
                if not param.is_flag and not param.count:
                    takes_value.update(param.opts)
        chosen: list[str] = []
        programs: list[str] = []
        rest = iter(args)
        for word in rest:
            if word == "--":
                programs.extend(rest)
            elif word in takes_value:
                value = [word for word in [next(rest, None)] if word is not None]
                if not value:
                    return super().parse_args(ctx, [word])  # Click says what is missing
                chosen += [flags[word], *value]
            elif word in flags or _is_option(word):
                chosen.append(flags.get(word, word))
            else:
                programs.append(word)
        if all(
            word.partition("=")[0] in flags or not _is_option(word) for word in args
        ):  # else Click reports the unknown option
            self._one_word_each(ctx, chosen, programs)
        return super().parse_args(ctx, [*chosen, "--", *programs] if programs else chosen)

    def _one_word_each(self, ctx: click.Context, chosen: Sequence[str], programs: Sequence[str]) -> None:
        """Raise AutodiffError for more words than the command takes: blanks that the shell has cut at, mostly."""
        extra = programs[sum(isinstance(param, click.Argument) for param in self.get_params(ctx)) :]
        if not extra:
            return
        for word in programs:
            if re.fullmatch(r"-[A-Za-z]", word):  # by itself it would be a program
                raise click.NoSuchOption(word, ctx=ctx)
        hint = 'a program is one word: put it in quotes, "x + 1"'
        if "--at" in chosen:
            hint = 'a point is one word, as the program is: --at x=4,y=2, or in quotes --at "x = 4, y = 2"'
        elif re.match(r"\w+\s*=(?!=)", extra[0]):
            hint = f"a value stands behind --at, as in {ctx.command_path} PROGRAM --at x=4"
        raise AutodiffError(f"{quoted(' '.join(extra))} is more than {ctx.command_path} takes", hint=hint)


def _is_option(word: str) -> bool:
    if not word.startswith("--"):  # the usual case, which needs no regular expression
        return False
    return re.fullmatch(r"--[A-Za-z][A-Za-z-]*(=.*)?", word, re.DOTALL) is not None


@click.group(
    cls=Group, params=[_VERSION], context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def cli() -> None:
    """A derivative calculator that explains itself and does not lie.

    \b
    autodiff eval "exp(sin(x^2))" --at x=4
    autodiff explain "y = x^2; z = sin(y); u = e^z" --at x=4
    autodiff functions tanh
    autodiff help language
    """


def run(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; every error ends here as a sentence on stderr."""
    if sys.stdout is None:  # closed by the caller, as `>&-` does
        return _fail("stdout is closed, so the answer has nowhere to go", DATA)
    choice = _colour(sys.argv[1:] if args is None else args)
    if choice == "auto":
        return _run(args)
    from autodiff.cli import colour  # most commands are not asked

    before = colour.CHOICE.set(choice)
    try:
        return _run(args)
    finally:
        colour.CHOICE.reset(before)


def _colour(words: Sequence[str]) -> str:
    """The value of the last `--color`, read before Click parses, since Click may raise errors before it knows that value."""
    choice = "auto"
    for k, word in enumerate(words):
        if word == "--":
            break
        if word.startswith("--color"):
            value = "".join(words[k + 1 : k + 2]) if word == "--color" else word.removeprefix("--color=")
            choice = value if value in _COLOURS else choice
    return choice


def _run(args: Sequence[str] | None) -> int:
    try:
        status = cli.main(None if args is None else list(args), prog_name="autodiff", standalone_mode=False)
        streams.flush()
        return status if isinstance(status, int) else 0
    except AutodiffError as error:
        error.hint = error.command_hint or error.hint
        return _fail(error.report(streams.width(sys.stderr)), error.exit_status)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return USAGE
    except click.Abort:
        return _fail("", 130)
    except click.ClickException as error:
        return _fail(_click_message(error), USAGE)
    except KeyboardInterrupt:
        return _fail("", 130)
    except (BrokenPipeError, SystemExit):  # the reader of rows or a table has closed the pipe, which is no error
        streams.discard(sys.__stdout__ or sys.stdout)  # Click has put a wrapper before it
        return 0
    except OSError as error:  # reading raises AutodiffError, so this is an error of writing
        return _fail(f"can't write the answer: {error.strerror or error}", DATA)
    except MemoryError:
        return _fail("out of memory: the program or its answer is too large for this machine", INTERNAL)
    except Exception as error:  # no user sees a traceback
        if os.environ.get("AUTODIFF_DEBUG"):
            raise
        return _fail(
            f"a bug in autodiff ({type(error).__name__}: {error})\n"
            "  please report the command; AUTODIFF_DEBUG=1 shows where it happened",
            INTERNAL,
        )


def _click_message(error: click.ClickException) -> str:
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"\n  see {error.ctx.command_path} --help"
    if isinstance(error, click.NoSuchOption) and error.option_name == "--at":
        return f"{error.message}\n  values at a point are what eval and explain give"
    if isinstance(error, click.BadParameter) and re.match(r"'[+-]?\d+,\d+' ", error.message):
        hint = f"\n  a decimal point is '.'{hint.replace(chr(10) + ' ', ';')}"
    return error.format_message().replace("\n\t", " ") + hint  # Click puts each choice on a line of its own


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError):  # stderr may be a file on a full disk; the status still reports the failure
        if message:
            streams.remark(f"error: {printable(message)}")
    return status
