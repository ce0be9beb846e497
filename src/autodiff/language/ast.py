"""The syntax tree: what the user wrote, with the place of every part.

`2x + sin(y)` is `Call("+", (Call(JUXTAPOSITION, (Number(2), Name("x"))), Call("sin", (Name("y"),))))`.
An operator is a call of the function whose name is its symbol; no identifier can collide with one.
A tree may be 100,000 levels deep, so nothing here recurses. The nodes are plain classes because a program of a megabyte
makes 500,000 of them, and because ten data classes would take longer to define than a short program to evaluate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from autodiff.errors import AutodiffError, Span, quoted
from autodiff.language.exact_float import ExactFloat
from autodiff.record import Record

JUXTAPOSITION = "implicit *"
"""The name of a product written without an operator. A row has no such name: it is lowered as `*`."""

CHAIN = "chained <"
"""The name of `a < b <= c`: its arguments are the comparisons, each a call that shares its middle with the next."""

TRAINING_CALLS = frozenset(("one_hot", "standardise", "dropout"))
"""Calls with a meaning in `train` and `predict` only, beside `columns(…)`: see `train.declarations`."""

_PI, _E = ExactFloat(math.pi, "pi", 1.2247e-16), ExactFloat(math.e, "e", 1.4457e-16)
_TAU = ExactFloat(math.tau, "tau", 2.4493e-16)

CONSTANTS: dict[str, float] = {"pi": _PI, "π": _PI, "e": _E, "tau": _TAU, "τ": _TAU}
"""Names with a fixed value; no program may assign them."""


class _Tree:
    """Equality by shape and a short repr, both without recursion; places in the text don't count."""

    __slots__ = ()
    span: Span

    def children(self) -> tuple[Expr, ...]:
        return ()

    def label(self) -> object:
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Tree):
            return NotImplemented
        pairs: list[tuple[_Tree, _Tree]] = [(self, other)]
        while pairs:
            a, b = pairs.pop()
            inner = a.children(), b.children()
            if type(a) is not type(b) or a.label() != b.label() or len(inner[0]) != len(inner[1]):
                return False
            pairs.extend(zip(*inner, strict=True))
        return True

    def __hash__(self) -> int:
        return hash((type(self), self.label(), len(self.children())))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label()} {self.span[0]}:{self.span[1]}>"


class Number(_Tree):
    """A literal; `value` is the float64 nearest to what was written."""

    __slots__ = ("span", "value")

    def __init__(self, value: float, span: Span) -> None:
        self.value: Final = value
        self.span = span

    def label(self) -> object:
        return self.value


class Name(_Tree):
    """An input, an assigned name, a parameter or a constant; NFKC-normalised."""

    __slots__ = ("name", "span")

    def __init__(self, name: str, span: Span) -> None:
        self.name: Final = name
        self.span = span

    def label(self) -> object:
        return self.name


class Call(_Tree):
    """A function or operator applied to arguments; `name_span` is the place of the name or symbol."""

    __slots__ = ("args", "name", "name_span", "span")

    def __init__(self, name: str, args: tuple[Expr, ...], span: Span, name_span: Span) -> None:
        self.name: Final = name
        self.args: Final = args
        self.span = span
        self.name_span: Final = name_span

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def label(self) -> object:
        return self.name


class Array(_Tree):
    """`[a, b, c]`; a matrix is an array of arrays."""

    __slots__ = ("items", "span")

    def __init__(self, items: tuple[Expr, ...], span: Span) -> None:
        self.items: Final = items
        self.span = span

    def children(self) -> tuple[Expr, ...]:
        return self.items


class Index(_Tree):
    """`base[i, j]`."""

    __slots__ = ("base", "indices", "span")

    def __init__(self, base: Expr, indices: tuple[Expr, ...], span: Span) -> None:
        self.base: Final = base
        self.indices: Final = indices
        self.span = span

    def children(self) -> tuple[Expr, ...]:
        return (self.base, *self.indices)


Expr: TypeAlias = Number | Name | Call | Array | Index


class Expression(_Tree):
    """A statement that is a bare expression."""

    __slots__ = ("body", "span")

    def __init__(self, body: Expr, span: Span) -> None:
        self.body: Final = body
        self.span = span

    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


class Assign(_Tree):
    """`y = x^2`, and one `NAME=VALUE` of `--at`."""

    __slots__ = ("body", "span", "target")

    def __init__(self, target: Name, body: Expr, span: Span) -> None:
        self.target: Final = target
        self.body: Final = body
        self.span = span

    def children(self) -> tuple[Expr, ...]:
        return (self.target, self.body)


class Define(_Tree):
    """`f(t, u) = t*u`."""

    __slots__ = ("body", "params", "span", "target")

    def __init__(self, target: Name, params: tuple[Name, ...], body: Expr, span: Span) -> None:
        self.target: Final = target
        self.params: Final = params
        self.body: Final = body
        self.span = span

    def children(self) -> tuple[Expr, ...]:
        return (self.target, *self.params, self.body)


Statement: TypeAlias = Expression | Assign | Define


class Reading(Record):
    """A part of the text that a person might read otherwise, and the one meaning that it has."""

    text: str
    meaning: str
    span: Span

    def __str__(self) -> str:
        return f"{self.text} is read as {self.meaning}"


class ParsedProgram:
    """A parsed program: its `source`, its `statements`, the doubtful `readings` among them, and the names `given` a value.

    Two programs are equal when their statements are, wherever the blanks and brackets stand.
    """

    __slots__ = ("given", "readings", "source", "statements")

    def __init__(
        self,
        source: str,
        statements: tuple[Statement, ...],
        readings: tuple[Reading, ...] = (),
        given: frozenset[str] = frozenset(),
    ) -> None:
        self.source: Final = source
        self.statements: Final = statements
        self.readings: Final = readings
        self.given: Final = given

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParsedProgram) and self.statements == other.statements

    def __hash__(self) -> int:
        return hash(self.statements)

    def __repr__(self) -> str:
        return f"<ParsedProgram of {len(self.statements)} statements>"

    def with_statements(self, statements: Iterable[Statement], source: str | None = None) -> ParsedProgram:
        """The program with other statements, which are parts of its source unless another one is given."""
        source = self.source if source is None else source
        return ParsedProgram(source, tuple(statements), self.readings, self.given)


def walk(roots: tuple[Expr, ...]) -> Iterator[Expr]:
    """Every node under `roots`, each before its arguments, in the order of the text."""
    stack = list(reversed(roots))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children()))


def upward(root: Expr) -> Iterator[Expr]:
    """Every node under `root`, each behind its arguments, in the order of the text."""
    nodes, stack = list[Expr](), [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack += node.children()
    return reversed(nodes)


def places(program: ParsedProgram) -> dict[str, Span]:
    """Where each name is given its meaning. Raises AutodiffError for a name that is given two."""
    spans: dict[str, Span] = {}
    for statement in program.statements:
        if isinstance(statement, Assign | Define):
            target = statement.target
            if target.name in spans:
                raise AutodiffError(
                    f"{quoted(target.name)} is given a meaning twice",
                    span=target.span,
                    also=(("first here:", spans[target.name]),),
                    hint="a name means one thing: choose another one",
                )
            spans[target.name] = target.span
    return spans


def check_no_cycles(functions: Mapping[str, Define]) -> None:
    """Raise AutodiffError where a function calls itself, directly or through others."""
    if not functions:
        return
    from graphlib import CycleError, TopologicalSorter  # few programs define functions

    def called(function: Define) -> set[str]:
        return {n.name for n in walk((function.body,)) if isinstance(n, Call) and n.name in functions}

    try:
        TopologicalSorter({name: called(function) for name, function in functions.items()}).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]
        raise AutodiffError(
            f"a function can't call itself: {' → '.join(cycle[:8])}",
            span=functions[cycle[0]].target.span,
            hint="write the repeated steps out as statements",
        ) from None


def rewritten(root: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The tree with `change(node)` in place of each node, arguments first; a part that does not change is the same."""
    done = list[Expr]()
    for node in upward(root):
        cut = len(done) - len(node.children())
        args = tuple(done[cut:])
        del done[cut:]
        if any(a is not b for a, b in zip(args, node.children(), strict=True)):
            if isinstance(node, Call):
                node = Call(node.name, args, node.span, node.name_span)
            elif isinstance(node, Array):
                node = Array(args, node.span)
            else:
                node = Index(args[0], args[1:], node.span)
        done.append(change(node))
    return done[0]


def statements_for(program: ParsedProgram, name: str) -> ParsedProgram | None:
    """The program that ends with the assignment of `name` and holds no statement that it does not need; None where no
    statement assigns the name."""
    kept, needed = list[Statement](), {name}
    for statement in reversed(program.statements):
        if isinstance(statement, Expression) or statement.target.name not in needed:
            continue
        if not kept and not isinstance(statement, Assign):
            return None
        kept.append(statement)
        needed |= {node.name for node in walk((statement.body,)) if isinstance(node, Name | Call)}
    return ParsedProgram(program.source, tuple(reversed(kept)), program.readings, program.given) if kept else None
