"""The errors of programs that can be parsed and have no meaning; loaded where there is one, or an array."""

from __future__ import annotations

from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.primitive import ELEMENTWISE, UNDEFINED
from autodiff.errors import AutodiffError, Span, quoted
from autodiff.language.ast import TRAINING_CALLS, Call, Define, Expr, Name
from autodiff.language.synonyms import WITH_OTHER_ARGUMENTS


def too_many(operations: int, span: Span) -> AutodiffError:
    """A program that is larger than that when its functions are inlined."""
    return AutodiffError(
        f"the program grows beyond {operations:,} operations when its functions are inlined",
        span=span,
        hint="functions that call each other twice double each time: assign what is used twice to a name",
    )


def not_yet_assigned(node: Name, place: Span) -> AutodiffError:
    """A name that is assigned further down."""
    return AutodiffError(
        f"{quoted(node.name)} is used before it is assigned",
        span=node.span,
        also=(("assigned here:", place),),
        hint="move the assignment up",
    )


def no_number(node: Call) -> AutodiffError:
    """A condition where a number is wanted."""
    return AutodiffError(
        f"'{node.name}' gives a condition, and a number is wanted here",
        span=node.span,
        hint="write if(condition, 1, 0)",
    )


def no_condition(node: Call, arg: Expr) -> AutodiffError:
    """An argument of a call that is no condition, where one is needed."""
    return AutodiffError(
        f"'{node.name}' needs a condition here, such as x > 0", span=arg.span, hint="write for example x != 0"
    )


def wrong_count(node: Call, function: Define | None) -> AutodiffError:
    """A call with other arguments than the function of the program, or every row of its name, takes."""
    if node.name in TRAINING_CALLS and len(node.args) == 1:
        from autodiff.language.diagnostics import (
            of_training,  # about arrays alone this module is loaded without a mistake
        )

        return of_training(node.name, node.name_span)
    wanted = rules.arities(node.name) if function is None else [len(function.params)]
    row = rules.find(node.name, wanted[-1])
    own = f"{node.name}({', '.join(p.name for p in function.params)})" if function else ""
    shape = row.signature if row else own
    numbers = f"{wanted[0]} or more" if row and row.variadic else " or ".join(map(str, wanted))
    return AutodiffError(
        f"{node.name} takes {numbers} argument{'s' * (numbers != '1')}, not {len(node.args)}",
        span=node.span,
        hint=f"write {WITH_OTHER_ARGUMENTS.get((node.name, len(node.args)), shape)}",
    )


def require_constants(graph: Graph) -> None:
    """Raise AutodiffError for an index, an axis or a size that depends on an input: it has no slope, and shapes would depend on it."""
    static = dict.fromkeys(
        arg
        for row, args in zip(graph.rows, graph.args, strict=True)
        if row is not None and row.kind != ELEMENTWISE
        for arg, partial in zip(args, row.partials, strict=True)
        if partial == UNDEFINED and arg not in graph.constants
    )
    for arg in static:
        active = [graph.inputs[n] for n in graph.reaching(arg) if n in graph.inputs]
        if active:
            raise AutodiffError(
                f"an index, an axis or a size must be constant, and {quoted(active[0])} is an input",
                span=graph.spans[arg],
                hint="write a whole number",
            )
