"""Syntax tree to equations: names resolved, functions inlined, operators looked up in the table.

`y = x^2; f(t) = 2t; f(y)` becomes the equations x, 2, y = x ^ 2, 2 * y.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any, TypeAlias

from autodiff.core import prelude, rules
from autodiff.core.graph import Graph, WrittenOut
from autodiff.core.prelude import LossPart
from autodiff.core.primitive import ELEMENTWISE, INDEX, Primitive, literal
from autodiff.errors import USAGE, AutodiffError, Span, quoted
from autodiff.language.ast import (
    CHAIN,
    CONSTANTS,
    JUXTAPOSITION,
    Array,
    Assign,
    Call,
    Define,
    Expr,
    Index,
    Name,
    Number,
    ParsedProgram,
    check_no_cycles,
    places,
    upward,
    walk,
)
from autodiff.language.parser import parse
from autodiff.language.synonyms import ELEMENTARY, glued
from autodiff.record import Record

Called: TypeAlias = "tuple[str, tuple[int, ...]]"
"""A function of the program, and the equations of its arguments."""

LIMIT = 20_000
"""Equations that inlining functions may make, and twenty more for each name, number and call of the text.

Functions that call each other twice double with each one: sixteen of them are 65,536 times the first.
"""


_OPERATORS = {JUXTAPOSITION: "*", CHAIN: "and"}
"""Operators that a program writes without a sign of the table, and that sign."""


class Scope(Record):
    """The parameters of the function being inlined, by name.

    Where the function is none of the program's, `span` is that of the call and `texts` has what its arguments are written as.
    """

    names: Mapping[str, int]
    span: Span | None = None
    texts: Mapping[str, Span | LossPart] = MappingProxyType({})

    def place(self, node: Expr) -> Span:
        """Where to say that `node` is written."""
        return self.span or node.span


_NOWHERE = Scope({})


class Lowered(Record):
    """A program as equations: the number of its result and what that is called, its inputs, all names it assigns.

    framework_kinks  whether corners of the equations are those of frameworks; a sort written out by pairs has others
    """

    graph: Graph
    result: int
    name: str
    inputs: tuple[str, ...]
    assigned: Mapping[str, int]
    source: str
    framework_kinks: bool = True

    def node(self, name: str) -> int | None:
        """The equation of an input or an assigned name."""
        if name in self.assigned:
            return self.assigned[name]
        return self.graph.find(name)

    def error(self, node: int, message: str, hint: str = "", exit_status: int = USAGE) -> AutodiffError:
        """The error for an equation, which shows the part of the text that it stands for."""
        span = self.graph.spans[node]
        return AutodiffError(message, span=span, source=self.source, hint=hint, exit_status=exit_status)


def lower(program: ParsedProgram | str) -> Lowered:
    """The equations of a program, or of its text. Raises AutodiffError for a name or a call that has no meaning."""
    program = parse(program, rules.functions()) if isinstance(program, str) else program
    lowering = _Lowering(program)
    try:
        lowered = lowering.run()
        _require_number(program.statements[-1].body)
        if any(row is not None and row.kind != ELEMENTWISE for row in set(lowered.graph.rows)):
            _errors().require_constants(lowered.graph)
        require_no_slip_in_a_name(lowered, program.given)
        return lowered
    except AutodiffError as error:
        raise error.within(program.source) from None


def lower_template(program: ParsedProgram, params: tuple[str, ...]) -> Lowered:
    """The equations of a row's text; every parameter is an input, used or not."""
    lowering = _Lowering(program)
    lowering.constant_places = True
    for name in params:
        lowering.graph.input(name)
    return lowering.run()


class _Lowering:
    def __init__(self, program: ParsedProgram) -> None:
        self.program = program
        self.graph = Graph()
        self.assigned: dict[str, int] = {}
        self.places: dict[str, Span] = {}
        self.functions = {s.target.name: s for s in program.statements if isinstance(s, Define)}
        self.calls: dict[Called, int] = {}
        self.known: dict[str, int] = {}
        self.plain: dict[tuple[str, int], Primitive] = {}  # rows of calls that need no other check
        self.conditions = False
        self.limit = 0
        self.same = rules.TABLE["+", 1]
        self.constant_places = False  # in a row's text a parameter that is a place stands for a constant

    def run(self) -> Lowered:
        self.places = places(self.program)
        check_no_cycles(self.functions)
        last = self.program.statements[-1]
        result, name = -1, ""
        for statement in self.program.statements:
            if isinstance(statement, Define):
                self._free_names(statement)
                if statement is last:
                    scope = Scope({p.name: self._name(p, _NOWHERE) for p in statement.params})
                    result, name = self._expression(statement.body, scope), statement.target.name
                continue
            fresh = len(self.graph)
            result = self._expression(statement.body, _NOWHERE)
            if isinstance(statement, Assign):
                name = statement.target.name
                if isinstance(statement.body, Call) and statement.body.name in self.functions:
                    fresh = len(self.graph)  # a later call with the same arguments must not be the named equation
                result = self.graph.named(result, name, fresh, self.same, statement.body.span)
                self.assigned[name] = self.known[name] = result
            else:
                name = ""
        inputs = tuple(self.graph.inputs.values())
        taken = {*inputs, *self.assigned}
        free = (n for n in ("f", "y", "g", "h", *(f"f{i}" for i in range(len(taken) + 1))) if n not in taken)
        return Lowered(self.graph, result, name or next(free), inputs, self.assigned, self.program.source)

    # --- statements ---------------------------------------------------------------------------------------------------

    def _free_names(self, function: Define) -> None:
        """The inputs that a function's body mentions are inputs of the program, whether it is called or not."""
        known = {p.name for p in function.params} | (CONSTANTS.keys() - self.program.given)
        for node in walk((function.body,)):
            if isinstance(node, Name) and node.name not in known and node.name not in self.places:
                self.graph.input(node.name, node.span)

    # --- expressions --------------------------------------------------------------------------------------------------

    def _expression(self, root: Expr, scope: Scope) -> int:
        """The equation of `root`: its nodes in order, a stack of equations, one of the functions that are inlined."""
        constant, known, equation, part = self.graph.constant, self.known, self._equation, self._part
        put, plain = self.graph.call, self.plain
        done: list[int] = []
        around: list[tuple[Iterator[Expr], Scope, Called]] = []
        steps = upward(root)
        while True:
            for node in steps:
                if isinstance(node, Name):
                    leaf = known.get(node.name) if scope is _NOWHERE else None
                    done.append(self._name(node, scope) if leaf is None else leaf)
                elif isinstance(node, Number):
                    done.append(constant(node.value, scope.span or node.span))
                else:
                    cut = len(done) - len(node.children())
                    args = tuple(done[cut:])
                    del done[cut:]
                    row = plain.get((node.name, len(args))) if isinstance(node, Call) else None
                    if row is not None and not scope.span and not self.conditions:
                        done.append(put(row, args, node.span))
                        continue
                    row = self._row(node)
                    if row is not None:
                        done.append((part if scope.span else equation)(node, row, args, scope))
                        continue
                    assert isinstance(node, Call)  # the rest has rows
                    call: Called = node.name, args
                    if call in self.calls:
                        done.append(self.calls[call])
                        continue
                    around.append((steps, scope, call))
                    scope, body = self._inner(node, args, scope)
                    steps = upward(body)
                    break
            else:
                if not around:
                    return done[0]
                inner = scope
                steps, scope, call = around.pop()
                self.calls[call] = done[-1]
                if not scope.span:
                    self.graph.parts.pop(done[-1], None)  # the value of the call is this equation
                if inner.span and not scope.span:
                    numbers = tuple((arg,) for arg in call[1])
                    self.graph.calls[done[-1]] = WrittenOut(call[0], numbers, ((),) * len(numbers), (done[-1],))

    def _inner(self, call: Call, args: tuple[int, ...], scope: Scope) -> tuple[Scope, Expr]:
        """The values of the parameters of the function that is called, and its body."""
        if len(self.graph) > LIMIT and len(self.graph) > self._room():
            raise _errors().too_many(self._room(), scope.span or call.span)
        function = self.functions[call.name]
        names = dict(zip((p.name for p in function.params), args, strict=True))
        if scope.span:
            texts: dict[str, Span | LossPart] = {
                p: LossPart(a.span, scope.texts) for p, a in zip(names, call.args, strict=True)
            }
            return Scope(names, scope.span, texts), function.body
        if call.name in prelude.names():
            return Scope(names, call.span, {p: a.span for p, a in zip(names, call.args, strict=True)}), function.body
        return Scope(names), function.body

    def _room(self) -> int:
        """How many equations there may be."""
        if not self.limit:
            self.limit = LIMIT + 20 * sum(1 for _ in walk(tuple(s.body for s in self.program.statements)))
        return self.limit

    def _name(self, node: Name, scope: Scope) -> int:
        equation = scope.names.get(node.name)
        if equation is None:
            equation = self.known.get(node.name)
        if equation is None:
            equation = self.known[node.name] = self._leaf(node, scope)
        return equation

    def _leaf(self, node: Name, scope: Scope) -> int:
        """The equation of a name that is met for the first time: it must be a constant or an input."""
        if node.name in CONSTANTS and (scope.span or node.name not in self.program.given):
            return self.graph.constant(CONSTANTS[node.name], scope.place(node))
        if node.name in self.places:
            raise _errors().not_yet_assigned(node, self.places[node.name])
        return self.graph.input(node.name, scope.place(node))

    def _row(self, node: Call | Array | Index) -> Primitive | None:
        """The row of a call, None where it calls a function that is to be inlined."""
        args = node.children()
        if isinstance(node, Array):
            row: Primitive | None = literal(len(args))
        elif isinstance(node, Index):
            row = rules.find(INDEX, len(args))
            if row is None:
                raise AutodiffError("an array has at most three indices", span=node.span)
        else:
            sign = _OPERATORS.get(node.name)
            row = rules.TABLE[sign, 2] if sign else rules.find(node.name, len(args))
            if row is None:
                function = self._function(node.name)
                if function is None or len(function.params) != len(args):
                    raise _errors().wrong_count(node, function)
        if self.conditions:
            for arg in args[row.conditions :] if row and row.conditions else args:
                _require_number(arg)
        if row is not None and row.conditions and row.is_predicate:
            self.conditions = True
        return row

    def _function(self, name: str) -> Define | None:
        """A function of the program, or a loss of the prelude, which is not read before one is called."""
        if name not in self.functions and name in prelude.names():
            self.functions |= prelude.definitions(rules.functions())
        return self.functions.get(name)

    def _part(self, node: Call | Array | Index, row: Primitive, args: tuple[int, ...], scope: Scope) -> int:
        """The equation of a part of a loss, which the graph keeps the text of."""
        fresh = len(self.graph)
        equation = self._equation(node, row, args, scope)
        self.graph.parts.update(dict.fromkeys(range(fresh, len(self.graph)), LossPart(node.span, scope.texts)))
        return equation

    def _equation(self, node: Call | Array | Index, row: Primitive, args: tuple[int, ...], scope: Scope) -> int:
        span = scope.span or node.span
        if isinstance(node, Index) and len(args) == 2 and self._varies(args[1]):
            row = rules.TABLE["gather", 2]
        if isinstance(node, Call):
            if row.conditions:
                for arg, text in zip(args[: row.conditions], node.args, strict=False):
                    condition = self.graph.rows[arg]
                    if condition is None or not condition.is_predicate:
                        raise _errors().no_condition(node, text)
            elif node.name not in ("^", JUXTAPOSITION) and len(args) == len(row.params):
                self.plain[node.name, len(args)] = row
            if node.name == "^" and self._power_of_e(node, scope):
                return self.graph.call(rules.TABLE["exp", 1], args[1:], span)
        if len(args) > len(row.params):
            return reduce(lambda left, right: self.graph.call(row, (left, right), span), args)
        return self.graph.call(row, args, span)

    def _varies(self, place: int) -> bool:
        """Whether a place in an array depends on an input, so that it is known where the program is evaluated."""
        graph = self.graph
        if self.constant_places or place in graph.constants:
            return False
        return any(n in graph.inputs for n in graph.reaching(place))

    def _power_of_e(self, node: Call, scope: Scope) -> bool:
        """`e^z` is the exponential function: the constant e itself is rounded, exp(z) is not built on it."""
        base = node.args[0]
        if not isinstance(base, Name) or base.name != "e" or "e" in scope.names:
            return False
        return bool(scope.span) or "e" not in self.program.given


def _errors() -> Any:
    """The module of errors, loaded where there is one, or an array."""
    from autodiff.core import lowering_errors

    return lowering_errors


def _require_number(node: Expr) -> None:
    if isinstance(node, Call) and node.name in rules.logic():
        raise _errors().no_number(node)


def require_no_slip_in_a_name(lowered: Lowered, given: Collection[str]) -> None:
    """Raise AutodiffError for a slip in a name: `xy` beside `x` and `y` is rather their product than an input of its own, and `sinx` a sine."""
    names = {*lowered.inputs, *lowered.assigned, *given, "pi", "tau"}
    for name in lowered.inputs:
        if len(name) == 1 or name in given:
            continue
        if meant := glued(name, names, ELEMENTARY, tuple("xyzθφ")):
            node = lowered.graph.find(name)
            span = None if node is None else lowered.graph.spans[node]
            raise AutodiffError(f"{quoted(name)} has no value", span=span, hint=f"did you mean {meant}?")
