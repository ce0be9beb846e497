"""Which name of a program is a column of the data and which a parameter.

>>> chooser("mse(y, w*x)", ["w"], [])(["x", "y", "z"])
['x', 'y']
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from autodiff.core import rules
from autodiff.core.lowering import Lowered, lower
from autodiff.errors import DATA, AutodiffError, quoted, shortened
from autodiff.language.ast import Assign, Program
from autodiff.language.parser import parse, parse_behind


def fitting(lowered: Lowered, parameters: Collection[str], columns: Collection[str]) -> None:
    """Raise AutodiffError for parameters that are no inputs of the program, or are columns as well, or are none at all."""
    for name in parameters:
        if name in columns:
            raise AutodiffError(f"{quoted(name)} is a parameter and a column of the data", hint="rename the parameter")
        if name not in lowered.inputs:
            raise AutodiffError(
                f"the parameter {quoted(name)} is not an input of the program",
                hint=f"its inputs are {', '.join(map(shortened, lowered.inputs[:12]))}",
            )
    if not parameters:
        raise AutodiffError("there is nothing to train", hint="name the parameters and their start: --params w=0,b=0")


def watching(program: Program, expression: str) -> Lowered:
    """The program with one more statement, so that an expression can use all of its names."""
    assigned = {s.target.name for s in program.statements if isinstance(s, Assign)}
    parse(expression, rules.functions(), given=program.given | assigned)
    return lower(parse_behind(program, expression, rules.functions()))


def chooser(text: str, parameters: Sequence[str], watch: Sequence[str]) -> Callable[[Collection[str]], list[str]]:
    """Which of a file's columns a program needs: its inputs that are no parameters."""

    def choose(names: Collection[str]) -> list[str]:
        program = parse(text, rules.functions(), given={*parameters, *names})
        wanted = dict.fromkeys(lower(program).inputs)
        for expression in watch:
            wanted |= dict.fromkeys(watching(program, expression).inputs)
        needed = [name for name in wanted if name not in parameters or name in names]
        places = {name: k for k, name in enumerate(names)}
        return sorted(needed, key=lambda name: places.get(name, -1))

    return choose


def without_data(text: str, parameters: Sequence[str]) -> None:
    """Raise AutodiffError when the program needs data and there is none."""
    for name in lower(parse(text, rules.functions(), given=parameters)).inputs:
        if name not in parameters:
            raise AutodiffError(
                f"{quoted(name)} is neither a parameter nor a column",
                hint="give it a start with --params, or a table that has it with --data",
                exit_status=DATA,
            )
