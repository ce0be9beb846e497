"""Value and gradient of a program at a point: parse, lower, bind, and answer over numbers, arrays or elements.

>>> answer = evaluate("exp(sin(x^2))", {"x": 4.0})
>>> answer.value, answer.gradient["x"], answer.status
(0.7498340851945589, -5.744685762849454, 'ok')
>>> evaluate("abs(x)", {"x": 0.0}).one_sided
{'x': (-1.0, 1.0)}
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from autodiff import diagnostics
from autodiff.api.answer import Answer, Value
from autodiff.api.inputs import appear, bind, named, sources
from autodiff.api.scalar_answer import Query
from autodiff.core import rules
from autodiff.core.linearize import CONVENTIONS
from autodiff.core.lowering import Lowered, lower
from autodiff.errors import AutodiffError, Span, did_you_mean, normalised, quoted, shortened, with_flags
from autodiff.language.ast import CONSTANTS, ParsedProgram
from autodiff.language.parser import parse as _parse

MODES = ("reverse", "forward", "both")

MOST_DIGITS = 1000
"""Digits that may be asked for."""

HIGHEST = 100
"""The highest order of a derivative."""


@with_flags
def parse(
    text: str,
    *,
    strict: bool = False,
    given: Any = (),
    wrt: str | Sequence[str] | None = None,
    functions: str | Iterable[str] = (),
) -> ParsedProgram:
    """The syntax tree of a program, in which the names `given` have values, and `functions` are defined elsewhere.

    A constant's name in `wrt` is an input: it is differentiated by. Raises AutodiffError for a mistake; with `strict` for
    a doubtful reading, too.
    """
    names, wanted = _with_values(given, wrt)
    known, others = rules.functions(), named(functions)
    return _parse(text, known.union(others) if others else known, strict=strict, given=names, wrt=wanted)


def _with_values(given: Any, wrt: str | Sequence[str] | None) -> tuple[frozenset[str], frozenset[str]]:
    """The names that have a value, and those that are differentiated by."""
    names = (
        frozenset(normalised(str(name)) for name in given)
        if isinstance(given, Iterable) and getattr(given, "shape", None) != ()
        else frozenset()
    )
    wanted = frozenset[str]() if wrt is None else frozenset(named(wrt))
    return names | CONSTANTS.keys() & wanted, wanted


_SHORT = 10_000
"""Characters up to which a program is remembered."""


@lru_cache(maxsize=8)
def equations(
    text: str, functions: frozenset[str], strict: bool, given: frozenset[str], wanted: frozenset[str]
) -> tuple[ParsedProgram, Lowered]:
    """A program and its equations, to which nothing may be added: the next point of the same text has them too."""
    program = _parse(text, functions, strict=strict, given=given, wrt=wanted)
    return program, lower(program)


def _pickled(program: ParsedProgram) -> tuple[Any, ...]:
    """What pickle stores of a program: its text, which is parsed again when it is loaded.

    The tree itself may be too deeply nested for pickle, which recurses.
    """
    spans = tuple(statement.span for statement in program.statements)
    return _program_again, (program.source, spans, program.given)


def _program_again(source: str, spans: tuple[Span, ...], given: frozenset[str]) -> ParsedProgram:
    """What a pickled program becomes."""
    program = _parse(source, rules.functions(), given=given)
    kept = tuple(statement for statement in program.statements if statement.span in spans)
    return program.with_statements(kept)


copyreg.pickle(ParsedProgram, _pickled)


@with_flags
def evaluate(
    text: str,
    at: Mapping[str, Value] | None = None,
    wrt: Sequence[str] | None = None,
    mode: str = "reverse",
    order: int = 1,
    *,
    strict: bool = False,
    check: bool = True,
    convention: str = "",
    digits: int = 0,
) -> Answer:
    """Value and slopes of the program `text` where its inputs have the values `at`.

    at          numbers, or arrays: NumPy arrays or nested lists
    wrt         names of inputs or assigned names, or elements such as "x[0]", in the order of the answer ("x,y" is two);
                every input when None
    mode        "reverse" (one sweep for all slopes), "forward" (dual numbers) or "both"
    order       also the derivatives up to this order, by one name, from Taylor series carried forward
    strict      make a doubtful reading such as `1/2x` an error
    check       confirm the gradient by one sweep of the other mode
    convention  "torch", "jax" or "zero": that framework's number where a corner or a jump leaves no slope
    digits      1 to 1,000: every number as a text of so many proven digits, in ball arithmetic; 0 for float64

    >>> evaluate("exp(x)", {"x": 1.0}, order=2, digits=20).derivatives
    ('2.7182818284590452354', '2.7182818284590452354')

    Raises AutodiffError for a mistake in the text or the arguments. A point without a value or a slope is no mistake:
    `status` and `why` of the answer give the reason.
    """
    require_known(mode, convention)
    read = equations if type(text) is str and len(text) <= _SHORT else equations.__wrapped__
    program, lowered = read(text, rules.functions(), bool(strict), *_with_values({} if at is None else at, wrt))
    point: Mapping[str, Value] = bind(lowered, {} if at is None else at)
    proven_digits(digits)
    by_element = (
        not isinstance(order, int) or order != 1 or (wrt is not None and any("[" in name for name in named(wrt)))
    )
    elements = by_element and any(not isinstance(value, float) for value in point.values())
    if elements:
        from autodiff.api.elementwise_view import over_elements  # most points are plain numbers

        over = over_elements(program, point)
        lowered, point, wrt = over.lowered, over.point, None if wrt is None else over.names(wrt)
    names = sources(lowered, wrt)
    one_name(names, order)
    if not elements and appear(lowered, point):
        from autodiff.api.array_answer import array_answer, as_numbers  # a plain eval does not load it

        flat = as_numbers(lowered, point, list(names))
        if flat is None:
            if order > 1:
                raise AutodiffError("derivatives of an order above 1 are of a number", hint="ask for one element")
            answer = array_answer(
                Query(lowered, point, names, mode, check, convention, digits), wrt_given=wrt is not None
            )
            return answer._replace(readings=program.readings)
        lowered, names = flat.lowered, sources(flat.lowered, wrt)
    answer = Query(lowered, point, names, mode, check, convention, digits).answer()
    if order > 1:
        from autodiff.api.higher_order import higher  # a plain eval does not load it

        answer = higher(answer, lowered, names, order, point)
    return answer._replace(readings=program.readings)


def require_known(mode: str, convention: str) -> None:
    """Raise AutodiffError for a mode or a convention that there is none of."""
    for kind, given, choices in (("mode", mode, MODES), ("convention", convention, ("", *CONVENTIONS))):
        if not isinstance(given, str) or given not in choices:
            raise AutodiffError(
                f"unknown {kind} {quoted(str(given))}", hint=f"choose one of {', '.join(filter(None, choices))}"
            )


def proven_digits(count: int) -> int:
    """The number of digits that is asked for, 0 for float64. Raises AutodiffError where so many can't be had."""
    if not (isinstance(count, int) and 0 <= count <= MOST_DIGITS):
        raise AutodiffError(f"digits are a whole number, 1 to {MOST_DIGITS:,}, not {shortened(repr(count))}")
    return count


def one_name(names: Mapping[str, int], order: int, highest: int = HIGHEST) -> None:
    """Raise AutodiffError unless derivatives of this order can be asked for by these names."""
    if not (isinstance(order, int) and 1 <= order <= highest):
        raise AutodiffError(
            f"the order of a derivative is a whole number, 1 to {highest}, not {shortened(repr(order))}"
        )
    if order > 1 and len(names) != 1:
        raise AutodiffError(
            f"order {order} needs one name to differentiate by, and here are {len(names)}",
            hint=f"add --wrt {shortened(next(iter(names), 'x'))}; all second derivatives are --hessian",
        )


def results(lowered: Lowered, of: Sequence[str]) -> dict[str, int]:
    """The equations of several results. Raises AutodiffError for a name that the program does not assign."""
    nodes: dict[str, int] = {}
    for name in named(of):
        node = lowered.assigned.get(name, lowered.result if name == lowered.name else None)
        if node is None:
            known = f"it assigns {diagnostics.listed(lowered.assigned)}" if lowered.assigned else ""
            hint = did_you_mean(name, lowered.assigned, known or "give its parts names: u = …; v = …")
            raise AutodiffError(f"{quoted(name)} is no result of this program", hint=hint)
        if name in nodes:
            raise AutodiffError(f"{quoted(name)} stands twice among the results")
        nodes[name] = node
    return nodes


def inputs_only(lowered: Lowered, names: Mapping[str, int]) -> None:
    """Raise AutodiffError for an assigned name: it depends on the inputs, so second derivatives by both have no meaning."""
    for name in names:
        if name in lowered.assigned:
            raise AutodiffError(
                f"{quoted(name)} is assigned in the program, and a Hessian is by inputs",
                hint=f"its inputs are {diagnostics.listed(lowered.inputs)}",
            )
