"""Value and gradient of a program at a point: parse, lower, sweep, look at hard points, check.

>>> answer = evaluate("exp(sin(x^2))", {"x": 4.0})
>>> answer.value, answer.gradient["x"], answer.status
(0.7498340851945589, -5.744685762849454, 'ok')
>>> evaluate("abs(x)", {"x": 0.0}).one_sided
{'x': (-1.0, 1.0)}
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from autodiff import diagnostics
from autodiff.api.answer import Answer, Value, clean
from autodiff.api.inputs import appear, bind, sources
from autodiff.core import linearize, rules
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.jvp import in_all_directions
from autodiff.core.linearize import CONVENTIONS, Linearization
from autodiff.core.lowering import Lowered, lower
from autodiff.core.special_points import special_points
from autodiff.core.vjp import vjp
from autodiff.errors import AutodiffError, normalised, quoted, shortened
from autodiff.language.ast import Program
from autodiff.language.parser import parse as _parse
from autodiff.verify import error_bound
from autodiff.verify.cross_mode import AGREE, DISAGREE, broken_rule, compared

MODES = ("reverse", "forward", "both")

MOST_DIGITS = 1000
"""Digits that may be asked for."""

HIGHEST = 100
"""The highest order of a derivative."""


def parse(text: str, *, strict: bool = False, given: Any = (), functions: Iterable[str] = ()) -> Program:
    """The syntax tree of a program, in which the names `given` have values, and `functions` are defined elsewhere.

    Raises AutodiffError for a mistake; with `strict` for a doubtful reading, too.
    """
    names = frozenset(normalised(str(name)) for name in given) if isinstance(given, Iterable) else frozenset()
    return _parse(text, rules.functions().union(functions), strict=strict, given=names)


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
    wrt         names of inputs or assigned names, in the order of the answer ("x,y" is two); every input when None
    mode        "reverse" (one sweep for all slopes), "forward" (dual numbers) or "both"
    order       also the derivatives up to this order, by one name, from Taylor series carried forward
    strict      make a doubtful reading such as `1/2x` an error
    check       confirm the gradient by one sweep of the other mode
    convention  "torch", "jax" or "zero": that framework's number where a corner or a jump leaves no slope
    digits      1 to 1,000: value and slopes as texts of so many proven digits, in ball arithmetic; 0 for float64

    Raises AutodiffError for a mistake in the text or the arguments. A point without a value or a slope is no mistake:
    `status` and `why` of the answer say what is so there.
    """
    for kind, given, choices in (("mode", mode, MODES), ("convention", convention, ("", *CONVENTIONS))):
        if not isinstance(given, str) or given not in choices:
            raise AutodiffError(
                f"unknown {kind} {quoted(str(given))}", hint=f"choose one of {', '.join(filter(None, choices))}"
            )
    point = {} if at is None else at
    program = parse(text, strict=strict, given=point)
    lowered = lower(program)
    point = bind(lowered, point)
    if digits:
        _digits_of_numbers(digits, point, order)
    if order != 1 and any(not isinstance(value, float) for value in point.values()):
        return _of_an_element(program, point, wrt, mode, order, check=check, convention=convention)
    names = sources(lowered, wrt)
    one_name(names, order)
    if appear(lowered, point):
        from autodiff.api import array_answer, scalarized_answer  # a plain eval starts without them

        as_numbers = array_answer.as_numbers(lowered, point, list(names))
        if as_numbers is None:
            if order > 1:
                raise AutodiffError("derivatives of an order above 1 are of a number", hint="ask for one element")
            found = scalarized_answer.evaluate(
                answered, lowered, point, names, mode, asked=wrt is not None, check=check, convention=convention
            )
            empty = Answer(lowered.name, None, dict.fromkeys(names), point, mode, source=lowered.source)
            return empty._replace(**found, readings=program.readings)
        lowered, names = as_numbers.lowered, sources(as_numbers.lowered, wrt)
    answer = answered(lowered, point, names, mode, check=check, convention=convention, digits=digits)
    if order > 1:
        from autodiff.api.higher_order import higher  # a plain eval starts without it

        answer = higher(answer, lowered, names, order)
    return answer._replace(readings=program.readings)


def proven_digits(count: int) -> int:
    """The number of digits that is asked for. Raises AutodiffError where so many can't be had."""
    if not (isinstance(count, int) and 1 <= count <= MOST_DIGITS):
        raise AutodiffError(f"digits are a whole number, 1 to {MOST_DIGITS:,}, not {shortened(repr(count))}")
    return count


def _digits_of_numbers(digits: int, point: Mapping[str, Value], order: int) -> None:
    """Raise AutodiffError where so many digits can't be had, or not of such an answer."""
    proven_digits(digits)
    if order > 1 or any(not isinstance(value, float) for value in point.values()):
        raise AutodiffError(
            "proven digits are of the value and the slopes at a point of numbers",
            hint="ask without an order and without arrays",
        )


def _of_an_element(
    program: Program,
    point: Mapping[str, Value],
    wrt: Sequence[str] | None,
    mode: str,
    order: int,
    *,
    check: bool,
    convention: str,
) -> Answer:
    """The answer with derivatives of a higher order by one element, such as x[0], of an array at the point."""
    from autodiff.api.elementwise_view import over_elements  # most points are plain numbers
    from autodiff.api.higher_order import higher

    over = over_elements(program, point)
    names = sources(over.lowered, None if wrt is None else over.names(wrt))
    one_name(names, order)
    answer = answered(over.lowered, over.point, names, mode, check=check, convention=convention)
    return higher(answer, over.lowered, names, order)._replace(readings=program.readings)


def answered(
    lowered: Lowered,
    point: Mapping[str, float],
    names: Mapping[str, int],
    mode: str = "reverse",
    *,
    check: bool = True,
    convention: str = "",
    digits: int = 0,
    trace: Trace | None = None,
) -> Answer:
    """Value and slopes of equations that are at hand already; with their `trace` they are not evaluated again."""
    empty = Answer(lowered.name, None, dict.fromkeys(names), point, mode, source=lowered.source)
    if digits:
        return _in_balls(empty, lowered, names, None, convention, digits)
    try:
        run = primal(lowered, point) if trace is None else trace
    except DomainError as trouble:
        if not trouble.needs or not error_bound.outside(lowered, point, trouble):
            answer = _in_balls(empty, lowered, names, None, convention)
            beyond = answer.status == "overflow" and answer.value is None and not trouble.needs
            return _outside(empty, lowered, trouble) if beyond else answer
        return _outside(empty, lowered, trouble)
    odd = special_points(lowered, run)
    reached = set(lowered.graph.reaching(*odd)) if odd else set()
    plain = {name: node for name, node in names.items() if node not in reached}
    swept = _plain(empty._replace(value=run.values[lowered.result] + 0.0), lowered, run, plain, check=check)
    if swept is None:
        return _in_balls(empty, lowered, names, run, convention)
    if not reached:
        return swept
    return _hard(swept, lowered, run, odd, names, reached, convention)


def _hard(
    answer: Answer,
    lowered: Lowered,
    run: Trace,
    odd: Sequence[int],
    names: Mapping[str, int],
    reached: Container[int],
    convention: str,
) -> Answer:
    """The answer with the slopes by names that move a special point, looked at from both sides."""
    from autodiff.api.nonsmooth_answer import at_hard_points
    from autodiff.nonsmooth.propagate import verdicts  # most points are no hard points

    moved = {name: node for name, node in names.items() if node in reached}
    hard = verdicts(lowered, run, answer.at, moved, odd)
    return at_hard_points(answer, lowered, run, hard, odd, names, convention) if hard else answer


def _in_balls(
    empty: Answer, lowered: Lowered, names: Mapping[str, int], run: Trace | None, convention: str, digits: int = 0
) -> Answer:
    """The answer in ball arithmetic, where float64's digits are not sure, or `digits` are asked for."""
    from autodiff.api import proven_answer  # most answers need none
    from autodiff.api.nonsmooth_answer import at_hard_points

    try:
        answer, found = proven_answer.proven(empty, lowered, names, run, digits)
    except DomainError as trouble:
        return _outside(empty, lowered, trouble)
    if found is None or not found.special or answer.value is None:
        return answer
    reached = set(lowered.graph.reaching(*found.special))
    point = proven_answer.nearest(empty.at)
    try:
        there = primal(lowered, point)
    except DomainError:
        there = None
    odd = [] if there is None else special_points(lowered, there)
    if there is None or not odd or not set(found.special).issubset({*odd, *_behind(lowered, odd)}):
        sides = proven_answer.sides(lowered, empty.at, names, reached, answer.value)
        if sides is None or there is None:
            return proven_answer.unseen(answer, lowered, found, names, reached)
        return at_hard_points(answer, lowered, found.run, sides, found.special, names, convention)
    return _hard(answer._replace(at=point), lowered, there, odd, names, reached, convention)


def _behind(lowered: Lowered, nodes: Sequence[int]) -> Iterator[int]:
    """The equations that are made from `nodes`."""
    active = bytearray(len(lowered.graph))
    for node, args in enumerate(lowered.graph.args):
        active[node] = node in nodes or any(active[a] for a in args)
        if active[node]:
            yield node


def _outside(answer: Answer, lowered: Lowered, trouble: DomainError) -> Answer:
    return answer._replace(
        status="domain" if trouble.needs else "overflow",
        why=diagnostics.outside(lowered, trouble, answer.at),
        hint=diagnostics.hint(lowered, trouble),
        span=lowered.graph.spans[trouble.node],
    )


def _plain(answer: Answer, lowered: Lowered, run: Trace, names: Mapping[str, int], *, check: bool) -> Answer | None:
    """The slopes that the sweeps give where no corner is met, confirmed by the other mode; None where float64 won't do."""
    factors = linearize.linearize(lowered, run, names.values())
    onward = None if answer.mode == "reverse" else _onward(lowered, factors, names)
    backward = vjp(lowered.result, factors, names.values())
    gradient = onward if onward is not None and answer.mode == "forward" else _of(names, backward)
    slopes = [backward.get(node, 0.0) for node in names.values()]
    if not all(map(math.isfinite, (*slopes, *gradient.values(), *(onward or {}).values()))):
        return None
    near = onward is None or error_bound.alike(slopes, [onward[name] for name in names])
    if check and not near and compared(lowered, run, factors, names, gradient, answer.mode, backward) == DISAGREE:
        raise diagnostics.disagreement()
    if not near or not error_bound.sure(lowered, run, factors, names.values(), slopes):
        if check and (node := broken_rule(lowered, run, factors)) is not None:
            raise diagnostics.denied(lowered, node)
        return None
    found = ""
    if check and (names or not answer.gradient):
        found = compared(lowered, run, factors, names, gradient, answer.mode, backward)
    if found == DISAGREE:
        raise diagnostics.disagreement()
    if check and (node := broken_rule(lowered, run, factors)) is not None:
        raise diagnostics.denied(lowered, node)
    return answer._replace(
        gradient=dict(answer.gradient) | {name: clean(gradient[name]) for name in names},
        forward=None
        if onward is None or answer.mode == "forward"
        else dict(answer.gradient) | {name: clean(onward[name]) for name in names},
        checked=True if found == AGREE else None,
    )


def one_name(names: Mapping[str, int], order: int) -> None:
    """Raise AutodiffError unless derivatives of this order can be asked for by these names."""
    if not (isinstance(order, int) and 1 <= order <= HIGHEST):
        raise AutodiffError(
            f"the order of a derivative is a whole number, 1 to {HIGHEST}, not {shortened(repr(order))}"
        )
    if order > 1 and len(names) != 1:
        raise AutodiffError(
            f"order {order} needs one name to differentiate by, and here are {len(names)}",
            hint=f"add --wrt {shortened(next(iter(names), 'x'))}; all second derivatives are --hessian",
        )


def _of(names: Mapping[str, int], found: Mapping[int, float]) -> dict[str, float]:
    return {name: found.get(node, 0.0) for name, node in names.items()}


def _onward(lowered: Lowered, factors: Linearization, names: Mapping[str, int]) -> dict[str, float]:
    tangent = in_all_directions(factors, names).get(lowered.result, {})
    return {name: tangent.get(name, 0.0) for name in names}
