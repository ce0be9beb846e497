"""What a target can write, and a program in equations of that kind: other functions become their definitions.

softplus(x) in SQL    becomes    max(x, 0) + log1p(exp(-abs(x))), and log1p what SQL has for it
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from autodiff.codegen import fallbacks, validity
from autodiff.codegen.emitter import Emitter
from autodiff.codegen.gradient import gradient_equations
from autodiff.codegen.syntax import Key, Spelling
from autodiff.core import rules, templates
from autodiff.core.graph import Graph
from autodiff.core.lowering import Lowered
from autodiff.core.primitive import Primitive
from autodiff.errors import AutodiffError

_SAME, _NOT = rules.TABLE["+", 1], rules.TABLE["not", 1]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the lines may be made of, and how they are written: the rows that the target has are those of `spelling.calls`.

    own        rows for which it has a definition of its own, and the lines of that
    in_place   whether what it lacks becomes equations in place (or a function: `functions` of the ExportEquations)
    nested     whether a branch may be written inside its choice, which evaluates it only when it is taken
    longest    equations that a line may hold
    raises     whether a function outside its domain stops the program
    attempt    how a line is written that may be outside its domain where it does not matter
    instead    what is written instead of a row that the target may stop at
    repeats    rows that are written with an argument more than once, which must be a name or a number then
    """

    name: str
    spelling: Spelling
    own: Mapping[Key, str] = field(default_factory=dict)
    in_place: bool = False
    nested: bool = True
    longest: int = 6
    raises: bool = False
    attempt: str = "{}"
    repeats: Collection[Key] = ()
    instead: Callable[[DialectEmitter, Primitive, tuple[int, ...]], int | None] | None = None


@dataclass(frozen=True, slots=True)
class ExportEquations:
    """Equations that a target can write: results in order, the program's names, and the rows that need a function."""

    graph: Graph
    results: tuple[int, ...]
    names: Mapping[int, str]
    functions: tuple[Primitive, ...]
    eager: frozenset[int] = frozenset()


class DialectEmitter(Emitter):
    """Emits equations that a target knows; `functions` are the rows that it must be given a function for.

    `sizes` is for `instead`: what it knows of how small and large the first equations may be.
    """

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self.dialect = dialect
        self.functions: dict[Primitive, None] = {}
        self.sizes = list[tuple[float, float]]()
        self._instead: dict[tuple[Primitive, tuple[int, ...]], int | None] = {}

    def emit(self, row: Primitive, args: tuple[int, ...]) -> int:
        dialect, known, key = self.dialect, self.graph.constants, (row.name, row.arity)
        numbers = row.branches is None and bool(args) and all(a in known for a in args)
        constant = self._folded(row, args) if numbers else None
        if constant is not None:
            return constant
        text = fallbacks.with_constant(row, tuple(known.get(a) for a in args))
        if text and (row is fallbacks.POWER or (key not in dialect.spelling.calls and key not in dialect.own)):
            return self.in_place(text, row, args)
        if row.branches is None and row is not _NOT and any(math.isnan(known.get(a, 0.0)) for a in args):
            return self.graph.constant(0.0 if row.is_predicate else math.nan)
        if numbers and not _inside(row, *(known[a] for a in args)):  # compilers warn of it, and Python stops there
            return self.graph.constant(math.nan)
        if numbers and templates.value(row)(*(known[a] for a in args)) == 0.0:  # by underflow: Python stops at 1/0
            return self.graph.constant(0.0)
        if dialect.instead is not None and key in dialect.spelling.calls and not row.is_predicate:
            # once: what is guarded by two conditions would be computed under neither
            if (row, args) not in self._instead:
                self._instead[row, args] = dialect.instead(self, row, args)
            total = self._instead[row, args]
            if total is not None:
                return total
        if row.is_predicate or row.branches is not None or row is _SAME or key in dialect.spelling.calls:
            return super().emit(row, args)
        if key in dialect.own:
            self.functions[row] = None
            return super().emit(row, args)
        order = known.get(args[0])
        fixed = "" if order is None else fallbacks.of_order(row, order)
        text = fixed or fallbacks.definition(row)
        if not text:
            raise _rejected(row, order, dialect)
        if not fixed and not dialect.in_place:
            self.functions[row] = None
            return super().emit(row, args)
        return self.in_place(text, row, args)

    def in_place(self, text: str, row: Primitive, args: tuple[int, ...]) -> int:
        """Definitions are nested three deep at most (gelu, erfc, gaussian, round), so this recursion is bounded."""
        graph, result = _folded(text, row.params)
        known = {node: args[row.params.index(name)] for node, name in graph.inputs.items()}
        return self.copied(graph, [result], known)[result]

    def equations(self, results: Sequence[int], names: Mapping[int, str], eager: Collection[int]) -> ExportEquations:
        """What was emitted for `results`."""
        numbers = tuple(map(self.number, results))
        used = {self.graph.rows[node] for node in self.graph.reaching(*numbers)}  # some are folded away by their users
        functions = tuple(row for row in self.functions if row in used)
        return ExportEquations(self.graph, numbers, names, functions, frozenset(eager))


@lru_cache(maxsize=256)
def _folded(text: str, params: tuple[str, ...]) -> tuple[Graph, int]:
    """A definition as equations over its parameters, with the constants in it evaluated."""
    emitter = Emitter()
    result = emitter.text(text, params, tuple(map(emitter.graph.input, params)))
    return emitter.graph, result


def exported(lowered: Lowered, sources: Mapping[str, int], dialect: Dialect) -> ExportEquations:
    """Value, then slopes, in rows that the target knows."""
    equations = gradient_equations(lowered, sources)
    slopes = [equations.slopes[name] for name in sources]
    equations, results = validity.guarded(lowered, equations, slopes, raises=dialect.raises)
    emitter = DialectEmitter(dialect)
    for name in equations.graph.inputs.values():
        emitter.graph.input(name)
    of = emitter.copied(equations.graph, results)
    names = {of[node]: name for node, name in reversed(list(equations.names.items())) if node in of}
    return emitter.equations([of[r] for r in results], names, [of[node] for node in equations.eager if node in of])


def body(row: Primitive, dialect: Dialect) -> ExportEquations:
    """The definition of a function that the target lacks; its inputs are the row's parameters."""
    emitter = DialectEmitter(dialect)
    return emitter.equations(
        [emitter.in_place(fallbacks.definition(row), row, tuple(map(emitter.graph.input, row.params)))], {}, ()
    )


def _rejected(row: Primitive, order: float | None, dialect: Dialect) -> AutodiffError:
    """The error for a row that the target can't have: which one it was, and which it can have."""
    orders = fallbacks.orders(row)
    which = f" with {row.params[0]} = {order:g}" if orders and order is not None else ""
    can = (
        orders
        and f"with {row.params[0]} from {orders[0]:g} to {orders[-1]:g} it can, and a slope needs one more than its value"
    )
    return AutodiffError(f"{row.name} can't be exported to {dialect.name}{which}", hint=can or "")


def _inside(row: Primitive, *args: float) -> bool:
    return all(inside(*args) for inside, _ in templates.domain(row))
