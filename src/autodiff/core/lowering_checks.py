"""What is no program though it can be parsed: calls with other arguments, conditions as numbers, places that are not constant."""

from __future__ import annotations

from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.primitive import ELEMENTWISE, UNDEFINED, Primitive
from autodiff.errors import AutodiffError, quoted
from autodiff.language.ast import TRAINING_CALLS, Call, Define, Expr
from autodiff.language.name_resolution import of_training
from autodiff.language.synonyms import WITH_OTHER_ARGUMENTS


def require_number(node: Expr) -> None:
    """Raise AutodiffError for a condition where a number is wanted."""
    if isinstance(node, Call) and node.name in rules.logic():
        raise AutodiffError(
            f"'{node.name}' gives a condition, and a number is wanted here",
            span=node.span,
            hint="write if(condition, 1, 0)",
        )


def require_count(node: Call, function: Define | None) -> None:
    """Raise AutodiffError unless a call has as many arguments as the function of the program, or a row of its name, takes."""
    wanted = rules.arities(node.name) if function is None else [len(function.params)]
    if len(node.args) not in wanted:
        if node.name in TRAINING_CALLS and len(node.args) == 1:
            raise of_training(node.name, node.name_span)
        row = rules.find(node.name, wanted[-1])
        shape = (
            row.signature if row else f"{node.name}({', '.join(p.name for p in function.params)})" if function else ""
        )
        numbers = f"{wanted[0]} or more" if row and row.variadic else " or ".join(map(str, wanted))
        raise AutodiffError(
            f"{node.name} takes {numbers} argument{'s' * (numbers != '1')}, not {len(node.args)}",
            span=node.span,
            hint=f"write {WITH_OTHER_ARGUMENTS.get((node.name, len(node.args)), shape)}",
        )


def require_conditions(graph: Graph, node: Call, row: Primitive, args: tuple[int, ...]) -> None:
    """Raise AutodiffError unless the first arguments of a call are conditions where its row needs that."""
    for arg, text in zip(args[: row.conditions], node.args, strict=False):
        condition = graph.rows[arg]
        if condition is None or not condition.is_predicate:
            raise AutodiffError(
                f"'{node.name}' needs a condition here, such as x > 0",
                span=text.span,
                hint="write for example x != 0",
            )


def require_constants(graph: Graph) -> None:
    """An index, an axis or a size is a constant: it has no slope, and shapes would depend on it."""
    if all(row is None or row.kind == ELEMENTWISE for row in set(graph.rows)):
        return
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
