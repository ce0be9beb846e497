"""`autodiff help`: the pages of the manual, which ship with the package."""

from __future__ import annotations

import os
import sys

import click

import autodiff.cli
from autodiff.cli import streams
from autodiff.cli.main import Helpful
from autodiff.errors import AutodiffError, nearest, quoted

EPILOG = """\b
Examples:
  autodiff help language
  autodiff help --list
"""

TOPICS: dict[str, tuple[str, ...]] = {
    "overview": ("help",),
    "language": (),
    "functions": ("functions",),
    "derivatives": ("eval", "diff", "check"),
    "explain": ("explain", "graph"),
    "data": (),
    "scale": (),
    "train": ("train", "predict"),
    "fit": ("fit",),
    "plot": ("plot",),
    "serve": ("serve",),
    "gallery": (),
    "export": ("export",),
    "python": (),
    "status": ("completion",),
    "digits": (),
    "performance": (),
    "internals": (),
}
"""The topics in the order in which they are read, each with the commands that its page describes."""

GALLERY = (
    "chain", "neuron", "xor", "softmax", "corner", "cancellation", "fit", "descent",
    "linear", "ridge", "lasso", "robust", "counts", "logistic", "margin", "multiclass", "network", "clusters", "boosting",
)  # fmt: skip
"""The worked pages, which are topics behind `gallery/`."""


def _known(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    return [
        name for name in (*TOPICS, *(name for names in TOPICS.values() for name in names)) if name.startswith(typed)
    ]


@click.command("help", cls=Helpful, epilog=EPILOG)
@click.argument("topic", required=False, shell_complete=_known)
@click.option("--list", "listed", is_flag=True, help="List the topics, one a line.")
def command(topic: str | None, listed: bool) -> None:
    """Show a page of the manual: that of TOPIC, which may be a command, or the overview."""
    if listed:
        if topic is not None:
            raise AutodiffError(
                f"--list lists all topics, so it takes no {quoted(topic)}", hint="leave one of them out"
            )
        wide = max(map(len, TOPICS))
        streams.say("\n".join(f"{name.ljust(wide)}  {summary(page(name))}" for name in TOPICS))
        return
    text = page(_chosen(topic or "overview"))
    if width := streams.width(sys.stdout):
        from autodiff.render.terminal import manual  # loads Rich, which a pipe does not need

        manual.show(text, width)
    else:
        streams.answer(text, nl=False)


def page(topic: str) -> str:
    """The text of a page."""
    folder = os.path.dirname(autodiff.cli.__path__[0])
    with open(os.path.join(folder, "manual", f"{topic}.md"), encoding="utf-8") as file:
        return file.read()


def summary(text: str) -> str:
    """The line below the title of a page."""
    return text.split("\n", 3)[2]


def _chosen(word: str) -> str:
    """The topic that `word` is, or is a command of. Raises AutodiffError with the nearest one."""
    name = word.lower()
    of = {command: topic for topic, commands in TOPICS.items() for command in commands} | {
        name: name for name in TOPICS
    }
    if name in of:
        return of[name]
    worked = [f"gallery/{page}" for page in GALLERY]
    if name in worked:
        return name
    from autodiff.core import rules  # which are slow to load

    if word in rules.functions():
        hint = f"{word} is a function: autodiff functions {word}"
    else:
        near = nearest(word, [*of, *worked])
        hint = f"did you mean {near}? " if near else ""
        hint += f"(topics: {', '.join(TOPICS)})"
    raise AutodiffError(f"no topic {quoted(word)}", hint=hint)
