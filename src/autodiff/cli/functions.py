"""`autodiff functions`: the table, listed from the table itself."""

from __future__ import annotations

import sys

import click

from autodiff.calculus import rules
from autodiff.cli import options
from autodiff.errors import AutodiffError, nearest, quoted
from autodiff.render import table

EPILOG = """\b
Examples:
  autodiff functions
  autodiff functions tanh
"""


@click.command("functions", epilog=EPILOG)
@click.argument("name", required=False, shell_complete=lambda _ctx, _param, typed: options.complete_function(typed))
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def command(name: str | None, form: str) -> None:
    """Every function of the language, or all about one: formula, derivative rule, domain, corner, example."""
    rows = [row for row in rules.rows() if name is None or name in row.names]
    if not rows:
        near = nearest(name or "", {n for n, _ in rules.TABLE})
        raise AutodiffError(
            f"no function {quoted(name or '')}",
            hint=f"did you mean {near}?" if near else "autodiff functions lists them",
        )
    if form == "json":
        click.echo(table.as_json(rows))
    elif form == "markdown":
        click.echo(table.markdown(rows))
    elif name is not None:
        click.echo("\n\n".join(table.details(row) for row in rows))
    else:
        table.show(rows, terminal=sys.stdout.isatty())
