"""`autodiff functions`: the table, listed from the table itself."""

from __future__ import annotations

import sys

import click

from autodiff.cli import colour, options, streams
from autodiff.cli.main import Helpful
from autodiff.core import prelude, rules
from autodiff.core.primitive import Primitive
from autodiff.errors import AutodiffError, quoted
from autodiff.language.ast import CONSTANTS
from autodiff.language.synonyms import meant
from autodiff.render.terminal import functions

EPILOG = """\b
Examples:
  autodiff functions tanh
  autodiff functions losses
"""


@click.command("functions", cls=Helpful, epilog=EPILOG)
@click.argument("name", required=False, shell_complete=lambda _ctx, _param, typed: options.complete_function(typed))
@options.format_option("json", "markdown")
def command(name: str | None, form: str) -> None:
    """Every function and loss, or all about one: formula, derivative rule, domain, corner, example.

    NAME is a function, a loss, a group of functions ("school", "special", "arrays", "networks"), or "losses" for the table of
    losses and the models that use them.
    """
    if name == "losses" or prelude.loss(name or "") is not None:
        chosen = [loss for loss in prelude.losses() if name in ("losses", loss.name)]
        shown = functions.losses(chosen, form, terminal=sys.stdout.isatty())
        (streams.say if form == "text" else streams.answer)(shown)
        return
    whole = name is None or name in rules.GROUPS
    groups: dict[str, list[Primitive]] = {}
    for row in rules.rows():
        if name in (None, rules.group(row), *row.names):
            groups.setdefault(rules.group(row), []).append(row)
    if not groups:
        near = meant(name or "", rules.functions() | {"losses", *rules.GROUPS})
        constant = f"{name} is a constant, {CONSTANTS[name]}" if name in CONSTANTS else ""
        raise AutodiffError(
            f"no function {quoted(name or '')}",
            hint=constant or (f"did you mean {near}?" if near else "autodiff functions lists them"),
        )
    if form == "json":
        streams.answer(functions.as_json(groups))
    elif form == "markdown":
        streams.answer(functions.markdown(groups))
    elif not whole:
        streams.say("\n\n".join(functions.details(row) for rows in groups.values() for row in rows))
    else:
        functions.show(groups, width=streams.width(sys.stdout), coloured=colour.wanted(sys.stdout))
