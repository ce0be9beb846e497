"""A program as an append-only list of equations.

An equation's number is larger than those of its arguments, so the order of the list is a topological order and every
pass is a loop. Equal equations are made once; `named` ones stay apart from all others, because `a = x^2; a + x^2`
has slope 1 in `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, TypeAlias

from autodiff.core.prelude import LossPart
from autodiff.core.primitive import Primitive
from autodiff.errors import Span
from autodiff.language.exact_float import ExactFloat
from autodiff.record import Record

Key: TypeAlias = "tuple[Primitive, tuple[int, ...]] | str | float"


class WrittenOut(Record):
    """A call whose equations are written out: of a loss of the prelude, or of a row of arrays over plain numbers.

    `args` are the equations of each argument's elements, `shapes` their shapes, `outputs` those of the value's elements.
    """

    name: str
    args: tuple[tuple[int, ...], ...]
    shapes: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]
    row: Primitive | None = None


class Graph:
    """Columns of equally many entries: equation `i` is `rows[i]` applied to the equations `args[i]`.

    A leaf has no row: it is in `constants` with its number or in `inputs` with its name. `spans` says where in the
    text an equation was written first, `names` what the user calls it. What a loss of the prelude is made of bears the
    span of its call, and `parts` says which part of the loss it is; `calls` has each such call under the equations of its value.
    """

    def __init__(self) -> None:
        self.rows: list[Primitive | None] = []
        self.args: list[tuple[int, ...]] = []
        self.spans: list[Span] = []
        self.constants: dict[int, float] = {}
        self.inputs: dict[int, str] = {}
        self.names: dict[int, str] = {}
        self.parts: dict[int, LossPart] = {}
        self.calls: dict[int, WrittenOut] = {}
        self._numbers: dict[Key, int] = {}
        self._swept: tuple[int, list[int], bool] = (-1, [], False)

    def __len__(self) -> int:
        return len(self.rows)

    def constant(self, value: float, span: Span = (0, 0)) -> int:
        """The number of a constant; constants differ where their bits do, so -0.0 is not 0.0, or what they mean.

        An int is meant exactly, beyond float64's whole numbers too; 0.1 is one tenth, and another number than its float64.
        """
        if isinstance(value, ExactFloat):
            node = self._leaf(value.key, span)
            self.constants[node] = value
            return node
        # as keys, the zeros are equal and NaN differs from itself, so these go by what is written; as do exact numbers
        by_value = value and value == value and not (isinstance(value, int) and abs(value) > 2**53)
        node = self._leaf(value if by_value else repr(value), span)
        self.constants[node] = value
        return node

    def input(self, name: str, span: Span = (0, 0)) -> int:
        """The number of the input called `name`."""
        node = self._leaf(f"input {name}", span)
        self.inputs[node] = name
        return node

    def find(self, name: str) -> int | None:
        """The number of the input called `name`, where there is one."""
        return self._numbers.get(f"input {name}")

    def call(self, row: Primitive, args: tuple[int, ...], span: Span = (0, 0)) -> int:
        """The number of the equation `row(args)`."""
        fresh = len(self.rows)
        node = self._numbers.setdefault((row, args), fresh)
        if node == fresh:
            self.rows.append(row)
            self.args.append(args)
            self.spans.append(span)
        return node

    def named(self, node: int, name: str, fresh: int, same: Primitive, span: Span) -> int:
        """Call an equation by the user's name. A leaf, a choice, and one older than `fresh` are copied by the row `same`."""
        row = self.rows[node]
        if node < fresh or row is None or row.branches is not None or node in self.names:
            node = self._append(f"copy {name}", same, (node,), span)
        else:
            del self._numbers[row, self.args[node]]
        self.names[node] = name
        return node

    def twin(self, row: Primitive, args: tuple[int, ...], span: Span = (0, 0)) -> int:
        """The number of a new equation `row(args)`, though there may be one like it."""
        known = self._numbers.pop((row, args), None)
        node = self._append((row, args), row, args, span)
        if known is not None:
            self._numbers[row, args] = known
        return node

    def leaf(self, node: int, inputs: Mapping[str, Any], constant: Callable[[float], Any] | None = None) -> Any:
        """The value of a leaf: its number, or what `constant` makes of that, or what `inputs` have under its name."""
        if node in self.constants:
            return constant(self.constants[node]) if constant else self.constants[node]
        return inputs[self.inputs[node]]

    def depending(self, sources: Iterable[int]) -> bytearray:
        """A flag per equation: whether it is one of `sources` or made from one, even if its derivative is 0."""
        flags = bytearray(len(self))
        for source in sources:
            flags[source] = 1
        for node, args in enumerate(self.args):
            flags[node] = flags[node] or any(flags[a] for a in args)
        return flags

    def reaching(self, *results: int) -> list[int]:
        """The numbers of the equations that `results` are made from, themselves included, ascending."""
        last = max(results, default=-1)
        needed = bytearray(last + 1)
        for result in results:
            needed[result] = 1
        for node in range(last, -1, -1):
            if needed[node]:
                for arg in self.args[node]:
                    needed[arg] = 1
        return list(compress(range(last + 1), needed))

    def movers(self, nodes: Iterable[int]) -> set[int]:
        """The equations that move one of `nodes`: those that their arguments are made from."""
        return set(self.reaching(*(arg for node in nodes for arg in self.args[node])))

    def behind(self, result: int) -> tuple[list[int], bool]:
        """The equations that `result` is made from, ascending, and whether a choice is among them; remembered, for a program is swept many times."""
        known, equations, choices = self._swept
        if known != result:
            equations = self.reaching(result)
            choices = any(row is not None and row.branches is not None for row in {self.rows[n] for n in equations})
            self._swept = result, equations, choices
        return equations, choices

    def carried(
        self,
        results: Iterable[int],
        constant: Callable[[float], int],
        leaf: Callable[[str], int],
        call: Callable[[Primitive, tuple[int, ...]], int],
    ) -> dict[int, int]:
        """The equations behind `results` made once more somewhere else: which number each of them has there.

        `constant`, `leaf` (of an input's name) and `call` make one of each kind, arguments first, and give its number.
        """
        of: dict[int, int] = {}
        for node in self.reaching(*results):
            row = self.rows[node]
            if row is not None:
                of[node] = call(row, tuple([of[a] for a in self.args[node]]))
            elif node in self.constants:
                of[node] = constant(self.constants[node])
            else:
                of[node] = leaf(self.inputs[node])
        return of

    def copied(self, node: int, into: Graph, of: Mapping[int, int]) -> int:
        """The number of an equation made once more in another graph, where its arguments have the numbers that `of` says."""
        row, span = self.rows[node], self.spans[node]
        if row is not None:
            return into.twin(row, tuple([of[a] for a in self.args[node]]), span)
        return (
            into.constant(self.constants[node], span) if node in self.constants else into.input(self.inputs[node], span)
        )

    def _leaf(self, key: str | float, span: Span) -> int:
        node = self._numbers.get(key)
        return self._append(key, None, (), span) if node is None else node

    def _append(self, key: Key, row: Primitive | None, args: tuple[int, ...], span: Span) -> int:
        node = self._numbers[key] = len(self.rows)
        self.rows.append(row)
        self.args.append(args)
        self.spans.append(span)
        return node


def reached(result: int, args: Callable[[int], Sequence[int]]) -> set[int]:
    """The equations that `result` is made from, itself included, where `args` tells what each one is made from.

    Only these are walked, not the whole list as by `Graph.reaching`.
    """
    nodes, todo = {result}, [result]
    while todo:
        new = [arg for arg in args(todo.pop()) if arg not in nodes]
        nodes.update(new)
        todo.extend(new)
    return nodes
