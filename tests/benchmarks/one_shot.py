"""A short program at a point, as a whole process: against Maxima, and against a Click command that does nothing.

An explanation may cost what the answer costs and what it takes to load Rich, which many commands draw with.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .clock import AUTODIFF, Line, race

NOTHING = """
import click

@click.command()
@click.argument("word")
def main(word):
    pass

if __name__ == "__main__":
    main()
"""
PROGRAM = "exp(sin(x^2))"
MAXIMA = "float(subst(4,x,diff(exp(sin(x^2)),x)));"


def lines(_peers: str, rounds: int = 20) -> Iterator[Line]:
    """Quiet, and with names on a terminal; explained in a pipe, and on a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "nothing.py"
        script.write_text(NOTHING)
        commands = {
            "eval -q": [AUTODIFF, "eval", "-q", PROGRAM, "--at", "x=4"],
            "eval": [AUTODIFF, "eval", PROGRAM, "--at", "x=4"],
            "explain": [AUTODIFF, "explain", PROGRAM, "--at", "x=4"],
            "explain, drawn": [AUTODIFF, "explain", PROGRAM, "--at", "x=4"],
            "Click": [sys.executable, str(script), "word"],
            "Rich": [sys.executable, "-c", "import rich.console"],
            "Python": [sys.executable, "-c", "pass"],
        }
        if maxima := shutil.which("maxima"):
            commands["Maxima"] = [maxima, "--very-quiet", f"--batch-string={MAXIMA}"]
        ran = race(commands, rounds, terminals=frozenset({"eval", "explain, drawn"}))
    for mine in ("eval -q", "eval"):
        what = f'`{mine} "{PROGRAM}"`' + (" on a terminal" if mine == "eval" else "")
        theirs = ran["Maxima"].seconds if "Maxima" in ran else None
        yield Line(what, "Maxima", ran[mine].seconds, theirs, 0.72, note="" if theirs else "not installed")
        yield Line(what, "an empty Click command", ran[mine].seconds, ran["Click"].seconds, 1.12)
    rich = ran["Rich"].seconds - ran["Python"].seconds
    for mine, where in (("explain", "in a pipe"), ("explain, drawn", "on a terminal")):
        theirs = ran["eval -q"].seconds + rich
        yield Line(f'`explain "{PROGRAM}"` {where}', "`eval -q` and importing Rich", ran[mine].seconds, theirs, 1.2)
