"""`autodiff completion`: Click's own completion script for a shell."""

from __future__ import annotations

import click

from autodiff.cli import streams
from autodiff.cli.main import Helpful

EPILOG = """\b
Examples:
  eval "$(autodiff completion bash)"
  autodiff completion zsh > ~/.autodiff-complete.zsh
"""


@click.command("completion", cls=Helpful, epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL."""
    from click.shell_completion import get_completion_class

    from autodiff.cli.main import cli

    script = get_completion_class(shell)
    assert script is not None  # the choice above lists what Click has
    streams.answer(script(cli, {}, "autodiff", "_AUTODIFF_COMPLETE").source())
