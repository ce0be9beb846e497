"""A program over arrays: value and slopes of every row, special points by the one-shot evaluation.

>>> import numpy as np
>>> g = compile("exp(sin(x^2))*y")
>>> value, gradient = g(x=np.array([0.0, 4.0]), y=2.0)
>>> value, gradient["y"]
(array([2.        , 1.49966817]), array([1.        , 0.74983409]))
>>> compile("ln(x)").batch(x=np.array([1.0, -1.0])).hard
{1: 'domain'}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

from autodiff.api.answer import Answer
from autodiff.api.elementwise_view import OverNumbers
from autodiff.api.evaluate import parse as _parse
from autodiff.api.inputs import appear, bind, sources
from autodiff.api.scalar_answer import Query
from autodiff.arrays.inputs import plain_array
from autodiff.batch.jit.compile import MachineCodeCache
from autodiff.batch.program import BlockProgram, block_program
from autodiff.batch.run import BlockRunner, BufferPool, divided
from autodiff.core.lowering import Lowered, lower
from autodiff.errors import AutodiffError, quoted, with_flags
from autodiff.libraries import library
from autodiff.verify import error_bound

if TYPE_CHECKING:
    from autodiff.batch.recompute import Recomputation
    from autodiff.batch.ufuncs import Numbers, Operation

SHARE = 131_072
"""Rows that a core takes at a time where there is machine code: few, so that no core waits long for another."""

_REMEMBERED = 65_536
"""Points whose answers are kept while the rows of a call are done one by one: whole numbers come again and again."""

INPUT: Literal["input"] = "input"
"""The status of a row where an input is no finite number; all others are those of `evaluate`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Value and slopes of rows, in the shape of the inputs; NaN where there is none.

    `hard` has the status of every row, counted in C order, that is not "ok".
    """

    value: Numbers
    gradient: Mapping[str, Numbers]
    hard: Mapping[int, str]

    @property
    def status(self) -> Numbers:
        """The status of every row, as an array of text."""
        np = library("numpy", "a batch")
        statuses = np.full(self.value.size, "ok", dtype="<U8")
        for row, status in self.hard.items():
            statuses[row] = status
        return statuses.reshape(self.value.shape)


@dataclass(frozen=True, slots=True, repr=False)
class Compiled:
    """A program made ready for arrays: call it with an array or a number for each input, by name; shapes broadcast.

    `value, gradient = g(x=…, y=…)`; the gradient has an array for each name of `wrt`. `batch` says more. Large arrays that
    a call returned and that nothing references any more are filled again by the next call.

    `notes` say where the program is not what it would be over whole arrays: a sum or a mean of an input is that of the
    one number that the input has in a row.
    """

    lowered: Lowered
    sources: Mapping[str, int]
    plan: BlockProgram | None
    operations: tuple[Operation, ...]
    recomputation: Recomputation | None = field(default=None, repr=False, compare=False)
    machine_code: MachineCodeCache | None = field(default=None, repr=False, compare=False)
    buffers: BufferPool = field(default_factory=BufferPool, repr=False, compare=False)
    flags: BufferPool = field(default_factory=BufferPool, repr=False, compare=False)
    notes: tuple[str, ...] = ()
    origin: tuple[str, tuple[str, ...] | None, bool, bool] | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<compiled {self.lowered.source!r} by {', '.join(self.sources) or 'nothing'}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle keeps: the arguments of `compile`, by which another process compiles the text itself."""
        if self.origin is None:
            raise TypeError("only what autodiff.compile returned can be pickled")
        return _compile_again, self.origin

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        """What Dask knows a function by: equal texts and options are equal functions."""
        return "autodiff.compile", *self.__reduce__()[1]

    def __call__(self, table: Any = None, /, **at: Numbers) -> tuple[Numbers, dict[str, Numbers]]:
        rows = self.batch(table, **at)
        return rows.value, dict(rows.gradient)

    def batch(self, table: Any = None, /, **at: Numbers) -> Batch:
        """Value, slopes and statuses; inputs without a keyword are columns of `table`, a mapping or a table in memory.

        Raises AutodiffError for names, types or shapes that do not fit the program."""
        if table is not None:
            from autodiff.tables.frames import columns_of

            at = {**columns_of(table, [name for name in self.lowered.inputs if name not in at]), **at}
        return self.checked(lambda rows, left: True, at)

    def checked(self, needs: Callable[[Batch, Numbers], bool], at: Mapping[str, Numbers]) -> Batch:
        """The same; rows that one-shot has to do stay as the longest numbers have them unless `needs` is true of all rows
        and the places of these."""
        np = library("numpy", "a compiled program")
        columns, shape = self._columns(np, at)
        (value, *slopes), good = self._in_float64(columns, math.prod(shape))
        if self.recomputation is None:
            places = np.arange(value.size)
        else:
            places = self.recomputation.left(columns, [value, *slopes], good)
        gradient = {n: s.reshape(shape) for n, s in zip(self.sources, slopes, strict=True)}
        rows = Batch(value.reshape(shape), gradient, {})
        if not places.size or not needs(rows, places):
            return rows
        return replace(rows, hard=self._one_by_one(np, columns, [value, *slopes], places))

    def _one_by_one(
        self, np: Any, columns: Mapping[str, Numbers], results: Sequence[Numbers], places: Numbers
    ) -> dict[int, str]:
        """Fill the rows at `places` with what one-shot says of each, equal points once; the statuses that are not ok."""
        points = zip(*(np.broadcast_to(c, len(results[0]))[places].tolist() for c in columns.values()), strict=True)
        known: dict[tuple[float, ...], tuple[list[float], str]] = {}
        hard: dict[int, str] = {}
        bits = 0  # the least that a row needed so far: rows of one program often need the same
        for row, point in zip(places.tolist(), points if columns else repeat(()), strict=False):
            if point not in known:
                answer = self.answer(dict(zip(columns, point, strict=True)), least_bits=bits)
                bits = min(bits or answer.bits, answer.bits or bits)
                numbers = [math.nan if n is None else n + 0.0 for n in (answer.value, *answer.gradient.values())]
                if len(known) == _REMEMBERED:
                    known.clear()
                known[point] = numbers, answer.status
            numbers, status = known[point]
            for column, number in zip(results, numbers, strict=True):
                column[row] = number
            if status != "ok":
                hard[row] = status
        return hard

    @property
    def in_blocks(self) -> bool:
        """Whether rows are computed together; else each is a one-shot evaluation, which takes a millisecond or more."""
        return self.plan is not None

    def approximate(self, /, **at: Numbers) -> tuple[Numbers, dict[str, Numbers], Numbers]:
        """Value, slopes, and whether their digits are sure, as float64 has them without a second computation.

        For a search that ends with sure numbers, and for pictures. A row at a special point has any number, or NaN.
        """
        np = library("numpy", "a compiled program")
        columns, shape = self._columns(np, at)
        if self.plan is None:
            answers = self.batch(**at)
            return answers.value, dict(answers.gradient), np.ones(shape, dtype=bool)
        (value, *slopes), good = self._in_float64(columns, math.prod(shape))
        gradient = {n: s.reshape(shape) for n, s in zip(self.sources, slopes, strict=True)}
        return value.reshape(shape), gradient, good.reshape(shape)

    def _in_float64(self, columns: Mapping[str, Numbers], rows: int) -> tuple[Sequence[Numbers], Numbers]:
        """Value and slopes of so many rows, and whether their digits are sure: by machine code where that is worth while,
        else by the steps; without a plan, no row is.
        """
        results = self.buffers.arrays(1 + len(self.sources), rows)
        good = self.flags.arrays(1, -(-rows // 8))[0].view(bool)[:rows]
        if self.plan is not None:
            same = frozenset(name for name, column in columns.items() if isinstance(column, float))
            machine = None if self.machine_code is None else self.machine_code.machine(rows, same)
            steps = BlockRunner(self.plan, self.operations, columns, results, good)
            if machine is None:
                steps.fill()
            else:
                divided(rows, SHARE, partial(machine.run, columns, results, good, steps.doubt))
        return results, good

    def answer(self, point: Mapping[str, float], digits: int = 0, least_bits: int = 0) -> Answer:
        """The one-shot answer of a row, `digits` of them proven; a row that it refuses has the status `input`.

        least_bits  the precision that ball arithmetic begins with, where float64's digits are known not to be sure
        """
        not_finite = [name for name, number in point.items() if not math.isfinite(number)]
        query = Query(self.lowered, point, self.sources, check=False, digits=digits, least_bits=least_bits)
        if not not_finite:
            return query.answer()
        return query.empty.lacking(INPUT, f"{quoted(not_finite[0])} is no finite number")

    def _columns(self, np: Any, at: Mapping[str, Numbers]) -> tuple[dict[str, Numbers], tuple[int, ...]]:
        """A flat array or one float for every input, and the shape of the answer."""
        given = {name: _numbers(np, name, values) for name, values in at.items()}
        order = bind(self.lowered, dict.fromkeys(given, 0.0))
        try:
            shape = np.broadcast_shapes(*(a.shape for a in given.values()))
        except ValueError:
            shapes = ", ".join(f"{name} {a.shape}" for name, a in given.items())
            raise AutodiffError(
                f"the arrays' shapes don't fit each other: {shapes}", hint="give arrays of one shape, and numbers"
            ) from None

        def column(array: Any) -> Numbers:
            if array.ndim == 0:
                return float(array)
            return np.require(np.broadcast_to(array, shape).reshape(-1), requirements=["C", "A"])

        return {name: column(given[name]) for name in order}, shape


@with_flags
def compile(text: str, wrt: Sequence[str] | None = None, *, exact: bool = False, strict: bool = False) -> Compiled:  # noqa: A001 - as `re.compile`
    """The program `text` as a function over NumPy arrays: `value, gradient = g(x=array, y=number)`.

    Elements at the same place of all arrays are a row, a number is the same in every row, and each row is evaluated by
    itself: the answer has the arrays' shape. Nothing is added up over the rows: "sum(x^2)" is x^2 in each, as `notes` of
    the result say. For the sum over all of them take `value.sum()`; of one whole array, `evaluate` gives the slopes.

    wrt     names of inputs or assigned names, in the order of the gradient; every input when None
    exact   compute every function as `evaluate` does. Without it functions are at most 4 units in the last place off
            each, by the C library's functions over four numbers at a time (glibc 2.35 or later, a processor with AVX2;
            elsewhere nothing changes), and whole powers up to 16 are products.

    Where llvmlite is installed, of the extra `fast`, both become machine code, with the same digits, when half a million
    rows have come; but for hypot below 2.2e-308, which may differ by one unit in the last place. Rows agree with
    `evaluate` to 10 digits: where rounding may have taken more, they are done again as `evaluate` does them.

    Special points are treated as by `evaluate`, with the same status row by row. Raises AutodiffError for a mistake in
    the program, and where NumPy, of the extra `data`, is not installed.
    """
    library("numpy", "a compiled program")
    program = compiled(lower(_parse(text, strict=strict, wrt=wrt)), wrt, exact=exact)
    return replace(program, origin=(text, None if wrt is None else tuple(wrt), exact, strict))


def _compile_again(text: str, wrt: tuple[str, ...] | None, exact: bool, strict: bool) -> Compiled:
    """What a pickled program becomes."""
    return compile(text, wrt, exact=exact, strict=strict)


def compiled(lowered: Lowered, wrt: Sequence[str] | None, *, exact: bool) -> Compiled:
    """The same for a program that is lowered already."""
    from autodiff.batch.recompute import Recomputation  # loads NumPy
    from autodiff.batch.ufuncs import operation

    numbers = _of_numbers(lowered, list(sources(lowered, wrt)))
    notes = _notes(numbers)
    lowered = numbers.lowered
    names = sources(lowered, wrt)
    constants = error_bound.folded(lowered)
    try:
        plan = None if constants is None else block_program(lowered, names, constants)
    except (
        AutodiffError
    ):  # a function without a derivative in an active argument: the one-shot evaluation reports it, row by row
        plan = None
    if plan is None or constants is None:
        return Compiled(lowered, names, None, (), notes=notes)
    operations = tuple(operation(row, known, exact=exact) for row, known in plan.calls)
    again = Recomputation(lowered, names, constants)
    return Compiled(lowered, names, plan, operations, again, MachineCodeCache(plan, exact=exact), notes=notes)


def _notes(numbers: OverNumbers) -> tuple[str, ...]:
    if numbers.flat is None:
        return ()
    from autodiff.api.reduction_notes import note  # few programs hold arrays

    return tuple(f"in each row, {text}" for text in [note(numbers)] if text)


def _of_numbers(lowered: Lowered, names: Sequence[str]) -> OverNumbers:
    """The program over plain numbers, of which a row has one for each input.

    Raises AutodiffError where its result, or a name to differentiate by, is an array then.
    """
    if not appear(lowered, {}):
        return OverNumbers(lowered, lowered)
    from autodiff.api import array_answer  # few programs hold arrays

    view = array_answer.as_numbers(lowered, dict.fromkeys(lowered.inputs, 0.0), names)
    if view is None:
        raise AutodiffError(
            "over many points, the result and the names to differentiate by must be numbers, and one is an array here",
            hint="ask for one element, such as v[0], or for a sum",
        )
    return OverNumbers(view.lowered, lowered, view)


def _numbers(np: Any, name: str, values: Numbers) -> Any:
    """An array of float64, the given one where it is one."""
    try:
        array = plain_array(values)
        if array.dtype.kind in "SU":
            raise AutodiffError(f"the values of {quoted(name)} must be real numbers, not texts")
        if array.dtype.kind not in "biuf":
            raise TypeError
        return array.astype(float, copy=False)
    except OverflowError:
        raise AutodiffError(f"a value of {quoted(name)} is beyond the range of float64") from None
    except (TypeError, ValueError):
        raise AutodiffError(
            f"the values of {quoted(name)} must be real numbers, not {quoted(type(values).__name__)}"
        ) from None
