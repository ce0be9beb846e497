"""The derivative of a program as a formula: what `autodiff diff` prints.

>>> print(derivative("exp(sin(x^2))", "x"))
2*x*cos(x^2)*exp(sin(x^2))
>>> derivative("ln(x)").notes
('only where x > 0',)
>>> derivative("x^2*y", hessian=True).to_dict()["hessian"]
{'x': {'x': '2*y', 'y': '2*x'}, 'y': {'x': '2*x', 'y': '0'}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autodiff import display
from autodiff.api.elementwise_view import numbers_of
from autodiff.api.evaluate import inputs_only, one_name, parse, results
from autodiff.api.inputs import named, sources
from autodiff.api.reduction_notes import note as taken_as
from autodiff.api.smoothness import of_result
from autodiff.api.sympy import simplified
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import derivative_label
from autodiff.errors import AutodiffError, quoted, shortened, with_flags
from autodiff.language.ast import ParsedProgram, Reading
from autodiff.language.derivative_notation import requested
from autodiff.notation.infix import PLAIN, infix
from autodiff.notation.parts import Parted, parted
from autodiff.notation.write import Notation
from autodiff.symbolic.adjoint import Image, image, slopes
from autodiff.symbolic.conditions import Proviso, beyond, provisos
from autodiff.symbolic.expression import Symbols
from autodiff.symbolic.repeated import Repeated
from autodiff.symbolic.shortest import shorter

LARGEST = 10_000
"""Equations that the derivatives of a formula may make before it is called off, and ten times as many as it has itself."""

HIGHEST = 1000
"""The highest order of a derivative as a formula."""

_NOTES = 12

_SMALL = 1000
"""Equations of a formula whose higher derivatives are collected as sums of terms."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One derivative: of what, by which names one after the other, as the equation `node`."""

    of: str
    wrt: tuple[str, ...]
    node: int

    @property
    def label(self) -> str:
        return derivative_label(self.of, self.wrt)


@dataclass(frozen=True, slots=True)
class Derivative:
    """The derivatives that were asked for, as formulas; `str()` is a text that `autodiff.parse` reads back.

    result    what the program's result is called
    kind      gradient, hessian or jacobian
    order     how often each was differentiated
    entries   one per derivative; `formulas` has their texts in the same order
    parts     what the formulas share, when they are long: (name, text) in the order to be read
    notes     where the formulas do not hold, in words, and what a reduction is taken to be
    readings  parts of the program that a person might read otherwise
    """

    result: str
    kind: str
    order: int
    entries: tuple[Entry, ...]
    formulas: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    readings: tuple[Reading, ...] = field(default=(), repr=False)
    symbols: Symbols = field(default_factory=Symbols, repr=False, compare=False)
    names: Mapping[int, str] = field(default_factory=dict, repr=False, compare=False)

    _repr_html_, _repr_latex_ = display.notebook_html, display.notebook_latex
    to_html, to_latex, to_markdown = display.html, display.latex, display.markdown

    def __str__(self) -> str:
        """One derivative: its parts and its formula. Several: a statement each, `df_dx = …`."""
        lines = [f"{name} = {text}" for name, text in self.parts]
        if len(self.entries) == 1:
            return "\n".join([*lines, self.formulas[0]])
        taken = {*self.symbols.graph.inputs.values(), *(name for name, _ in self.parts)}
        for entry, text in zip(self.entries, self.formulas, strict=True):
            name = entry.label.replace("/", "_")
            while name in taken:
                name += "_"
            taken.add(name)
            lines.append(f"{name} = {text}")
        return "\n".join(lines)

    def program(self) -> ParsedProgram:
        """The syntax tree of `str()`: a program with the inputs of the original one."""
        return parse(str(self))

    def written(self, notation: Notation = PLAIN) -> Parted:
        """The formulas in another notation."""
        return parted(self.symbols.graph, [e.node for e in self.entries], notation, names=self.names)

    def to_dict(self) -> dict[str, Any]:
        """The derivatives as JSON-ready data, keyed by name."""
        data: dict[str, Any] = {"result": self.result}
        texts = dict(zip(self.entries, self.formulas, strict=True))
        if self.kind == "gradient":
            data |= {"derivative": {e.wrt[0]: text for e, text in texts.items()}, "order": self.order}
        else:
            rows: dict[str, dict[str, str]] = {}
            for entry, text in texts.items():
                rows.setdefault(entry.of if self.kind == "jacobian" else entry.wrt[0], {})[entry.wrt[-1]] = text
            data[self.kind] = rows
        return data | {"parts": dict(self.parts), "notes": list(self.notes)}


def _of_notation(text: str, wrt: str | Sequence[str] | None) -> tuple[str, str | Sequence[str] | None]:
    """The program and its variable where `text` is a derivative itself, as `d/dx x^2` is."""
    stated_by = requested(text) if isinstance(text, str) else None
    if stated_by is None:
        return text, wrt
    if wrt is not None and [stated_by.wrt] != named(wrt):
        raise AutodiffError(
            f"the program is a derivative by {quoted(stated_by.wrt)} itself",
            hint="leave --wrt out, or write the function alone",
        )
    return stated_by.text, stated_by.wrt


@with_flags
def derivative(
    text: str,
    wrt: str | Sequence[str] | None = None,
    *,
    order: int = 1,
    hessian: bool = False,
    of: Sequence[str] = (),
    simplify: bool = False,
    strict: bool = False,
) -> Derivative:
    """The derivative of the program `text` as a formula; every name is one number, and `notes` say what a sum is then.

    wrt      a name or several ("x,y" is two), inputs or assigned; every input when None. In the derivative by an assigned name that
             name is a variable of its own: dz/dy of `y = x^2; z = sin(y)` is cos(y)
    order    how often to differentiate by the name, which must be one
    hessian  all second derivatives instead
    of       the first derivatives of these names instead of the result's: the Jacobian
    simplify let SymPy, which must be installed, try to make it shorter
    strict   make a doubtful reading such as `1/2x` an error

    Raises AutodiffError for a mistake in the text or the arguments, where a function has no derivative, and when the
    formula grows beyond all bounds.
    """
    of = [*filter(None, named(of))]
    text, wrt = _of_notation(text, wrt)
    program = parse(text, strict=strict, wrt=wrt)
    numbers = numbers_of(program)
    lowered = numbers.lowered
    if not (lowered.inputs or lowered.assigned):  # a constant: of the variable that is named, or of x
        wrt = named(wrt or "x")
        _ = [lowered.graph.input(name) for name in wrt if name.isidentifier()]
    names = sources(lowered, wrt, of_result=not of)
    _sensible(lowered, names, order, hessian=hessian, of=of)
    maker = _Maker(lowered, text)
    if hessian:
        kind, entries = "hessian", list(maker.hessian(lowered.name, [*names]))
    elif of:
        kind, entries = "jacobian", [maker.repeated(name, x, 1) for name in results(lowered, of) for x in names]
    else:
        kind, entries = "gradient", [maker.repeated(lowered.name, x, order) for x in names]
    for entry in entries:
        maker.known(entry)
    if simplify:
        entries = [replace(entry, node=simplified(maker.symbols, entry.node)) for entry in entries]
    pieces = parted(maker.symbols.graph, [e.node for e in entries], names=maker.names())
    return Derivative(
        result=lowered.name,
        kind=kind,
        order=2 if hessian else order,
        entries=tuple(entries),
        formulas=pieces.results,
        parts=pieces.parts,
        notes=(*filter(None, [taken_as(numbers)]), *maker.notes(entries)),
        readings=program.readings,
        symbols=maker.symbols,
        names=maker.names(),
    )


def _sensible(lowered: Lowered, names: Mapping[str, int], order: int, *, hessian: bool, of: Sequence[str]) -> None:
    if not names:
        raise AutodiffError("the program has no inputs to differentiate by", hint="name one with --wrt")
    if isinstance(order, int) and order > 1 and (hessian or of):
        raise AutodiffError("--order and a whole matrix don't go together", hint="leave --order out")
    if hessian and of:
        raise AutodiffError("--hessian and --jacobian don't go together", hint="ask for one of them")
    if hessian:
        inputs_only(lowered, names)
    one_name(names, order, HIGHEST)


class _Maker:
    """Formulas over one set of symbols, so that what they share is made once."""

    def __init__(self, lowered: Lowered, text: str) -> None:
        self.lowered = lowered
        self.text = text
        self.symbols = Symbols()
        self._images: dict[str, Image] = {}
        self._first_size = 0

    def repeated(self, of: str, name: str, times: int) -> Entry:
        """The derivative of a result by a name, so many times."""
        return Entry(of, (name,) * times, self._higher(self._first(of, name), name, times - 1))

    def _higher(self, node: int, name: str, times: int) -> int:
        """A formula differentiated so many times: as a sum of terms, and one step after the other where that is too long."""
        if times and len(self.symbols.graph.reaching(node)) <= _SMALL:
            node, times = Repeated(self.symbols, lambda base: self._again(base, name)).higher(node, times)
        for _ in range(times):
            node = self._again(node, name)
        return node

    def hessian(self, of: str, names: Sequence[str]) -> Iterable[Entry]:
        """Row by row; what lies below the diagonal is what lies above it."""
        nodes: dict[tuple[str, str], int] = {}
        for i, first in enumerate(names):
            slope = self._first(of, first)
            nodes |= {(first, second): self._again(slope, second) for second in names[i:]}
        for first in names:
            for second in names:
                node = nodes[first, second] if (first, second) in nodes else nodes[second, first]
                yield Entry(of, (first, second), node)

    def names(self) -> dict[int, str]:
        """The user's names for parts; a part that is named in the output is called so."""
        images = ((name, self._image(name).of) for name in self._images)
        assigned = self.lowered.assigned.items()
        return {of[node]: name for stopped, of in images for name, node in assigned if node in of and name != stopped}

    def known(self, entry: Entry) -> None:
        """Raise AutodiffError where the formula needs a function beyond the orders that it is known for."""
        node = beyond(self.symbols, entry.node)
        if node is not None:
            row = self.symbols.graph.rows[node]
            assert row is not None
            words = row.domain[-1].plain
            raise AutodiffError(
                f"the formula needs {shortened(infix(self.symbols.graph, node))}, which has no value: {row.name} needs {words}",
                hint="autodiff eval gives the number at a point",
            )

    def notes(self, entries: Sequence[Entry]) -> tuple[str, ...]:
        """The conditions of the formulas in words; one that does not hold for all of them names those it holds for."""
        by_note: dict[str, list[Entry]] = {}
        for entry in entries:
            for note in dict.fromkeys(map(self._worded, self._provisos(entry))):
                by_note.setdefault(note, []).append(entry)
        notes = [
            note if len(which) == len(entries) else f"{', '.join(e.label for e in which[:4])}: {note}"
            for note, which in by_note.items()
        ]
        more = [f"and {len(notes) - _NOTES} more conditions like these"] if len(notes) > _NOTES else []
        return (*notes[:_NOTES], *more)

    def _first(self, of: str, name: str) -> int:
        result, node = self._result(of), self._node(name)
        if result == node:
            return self.symbols.constant(1.0)
        adjoints = slopes(self.lowered.graph, result, self._stops(name), [node], self._image(name))
        return self._tidied(adjoints.get(node))

    def _again(self, node: int, name: str) -> int:
        """The slope of a formula in one of its names."""
        graph, source = self.symbols.graph, self.symbols.input(name)
        itself = Image(self.symbols, {n: n for n in graph.reaching(node)})
        return self._tidied(slopes(graph, node, {}, [source], itself).get(source))

    def _tidied(self, node: int | None) -> int:
        if node is None:
            return self.symbols.constant(0.0)
        self._first_size = self._first_size or len(self.symbols.graph)
        limit = LARGEST + 10 * self._first_size
        if len(self.symbols.graph) > limit:
            raise AutodiffError(
                f"the formula grows beyond {limit:,} operations",
                hint="autodiff eval gives the numbers, of any order (--order) and of any program",
            )
        return shorter(self.symbols, node)

    def _result(self, of: str) -> int:
        return self.lowered.assigned.get(of, self.lowered.result)

    def _node(self, name: str) -> int:
        node = self.lowered.node(name)
        assert node is not None  # `sources` has seen to it
        return node

    def _stops(self, name: str) -> dict[int, str]:
        """An assigned name that is differentiated by is a variable of its own."""
        return {self.lowered.assigned[name]: name} if name in self.lowered.assigned else {}

    def _image(self, name: str) -> Image:
        """The program as symbols, with `name` held if it is assigned."""
        stops = self._stops(name)
        stopped = name if stops else ""
        if stopped not in self._images:
            of: dict[int, int] = {}
            for root in sorted({self.lowered.result, *self.lowered.assigned.values()} - stops.keys()):
                if root not in of:
                    of |= image(self.lowered.graph, root, stops, self.symbols).of
            self._images[stopped] = Image(self.symbols, of)
        return self._images[stopped]

    def _provisos(self, entry: Entry) -> list[Proviso]:
        name, result = entry.wrt[0], self._result(entry.of)
        if result == self._node(name):
            return []
        graph, seen = self.lowered.graph, self._image(name)
        sources = {self._node(n) for n in entry.wrt}
        conditions = provisos(graph, result, self._stops(name), sources, seen, entry.node)
        if entry.of != self.lowered.name or set(entry.wrt) & self.lowered.assigned.keys():
            return conditions

        left = (
            of_result(condition, self.symbols, self.text, self.lowered.inputs, seen.of[result], entry.node, entry.wrt)
            for condition in conditions
        )
        return [condition for condition in left if condition is not None]

    def _worded(self, proviso: Proviso) -> str:
        if proviso.kind == "slope" and self.symbols.graph.constants.get(proviso.condition) == 0.0:
            return "nowhere: the program has no derivative"
        if self.symbols.graph.constants.get(proviso.condition) == 0.0:
            return (
                "in a branch of a condition the program has no value"
                if proviso.branch
                else "nowhere: the program has no value"
            )
        return proviso.in_words(shortened(infix(self.symbols.graph, proviso.condition), 100))
