"""Which name of a program is a column of the data and which a parameter.

>>> chooser("mse(y, w*x)", ["w"], [])(["x", "y", "z"])
['x', 'y']
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from autodiff.errors import DATA, AutodiffError, quoted, shortened
from autodiff.train.declarations import Kept, declared, needed


def fitting(inputs: Sequence[str], parameters: Collection[str], columns: Collection[str]) -> None:
    """Raise AutodiffError for parameters that are no inputs of the program, or are columns as well, or are none at all."""
    for name in parameters:
        if name in columns:
            raise AutodiffError(f"{quoted(name)} is a parameter and a column of the data", hint="rename the parameter")
        if name not in inputs:
            raise AutodiffError(
                f"the parameter {quoted(name)} is not an input of the program",
                hint=f"its inputs are {', '.join(map(shortened, inputs[:12]))}",
            )
    if not parameters:
        raise AutodiffError("there is nothing to train", hint="name the parameters and their start: --params w=0,b=0")


def chooser(
    text: str, parameters: Sequence[str], watch: Sequence[str], kept: Kept | None = None
) -> Callable[[Collection[str]], list[str]]:
    """Which of a file's columns a program needs: its inputs that are no parameters. `kept` gets those of each matrix."""

    def choose(names: Collection[str]) -> list[str]:
        wanted: dict[str, None] = {}
        for more in ([], *([expression] for expression in watch)):
            program = declared(text, list(names), parameters, behind=more)
            wanted |= dict.fromkeys(needed(program))
            if kept is not None:
                kept.columns |= {key: list(columns) for key, columns in program.matrices.items()}
        used = [name for name in wanted if name not in parameters or name in names]
        places = {name: k for k, name in enumerate(names)}
        return sorted(used, key=lambda name: places.get(name, -1))

    return choose


def without_data(text: str, parameters: Sequence[str]) -> None:
    """Raise AutodiffError when the program needs data and there is none."""
    for name in needed(declared(text, [], parameters)):
        if name not in parameters:
            raise AutodiffError(
                f"{quoted(name)} is neither a parameter nor a column",
                hint="give it a start with --params, or a table that has it with --data",
                exit_status=DATA,
            )
