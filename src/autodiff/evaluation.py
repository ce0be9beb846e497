"""Value and gradient of a program at a point: parse, lower, sweep, look at hard points, check.

>>> answer = evaluate("exp(sin(x^2))", {"x": 4.0})
>>> answer.value, answer.gradient["x"], answer.status
(0.7498340851945589, -5.744685762849454, 'ok')
>>> evaluate("abs(x)", {"x": 0.0}).one_sided
{'x': (-1.0, 1.0)}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from autodiff.answer import Answer, Value, clean
from autodiff.calculus import blame, local, rules, underflow
from autodiff.calculus.check import AGREE, BLURRED, DISAGREE, broken_rule, cancels, compared
from autodiff.calculus.forward import in_all_directions
from autodiff.calculus.local import CONVENTIONS, Factors
from autodiff.calculus.lower import Lowered, lower
from autodiff.calculus.primal import Outside, Run, primal
from autodiff.calculus.reverse import adjoints
from autodiff.calculus.suspects import suspects
from autodiff.errors import INTERNAL, AutodiffError, quoted, shortened
from autodiff.language.parse import parse as _parse
from autodiff.language.syntax import Program
from autodiff.point import appear, bind, sources

MODES = ("reverse", "forward", "both")

HIGHEST = 100
"""The highest order of a derivative."""


def parse(text: str, *, strict: bool = False) -> Program:
    """The syntax tree of a program. Raises AutodiffError for a mistake; with `strict` for a doubtful reading, too."""
    return _parse(text, rules.functions(), strict=strict)


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
) -> Answer:
    """Value and slopes of the program `text` where its inputs have the values `at`.

    at          numbers, or arrays: NumPy arrays or nested lists
    wrt         names of inputs or assigned names, in the order of the answer ("x,y" is two); every input when None
    mode        "reverse" (one sweep for all slopes), "forward" (dual numbers) or "both"
    order       also the derivatives up to this order, by one name, from Taylor series carried forward
    strict      make a doubtful reading such as `1/2x` an error
    check       confirm the gradient by one sweep of the other mode
    convention  "torch", "jax" or "zero": that framework's number where a corner or a jump leaves no slope

    Raises AutodiffError for a mistake in the text or the arguments. A point without a value or a slope is no mistake:
    `status` and `why` of the answer say what is so there.
    """
    for kind, given, choices in (("mode", mode, MODES), ("convention", convention, ("", *CONVENTIONS))):
        if not isinstance(given, str) or given not in choices:
            raise AutodiffError(
                f"unknown {kind} {quoted(str(given))}", hint=f"choose one of {', '.join(filter(None, choices))}"
            )
    program = parse(text, strict=strict)
    lowered = lower(program)
    point = bind(lowered, {} if at is None else at)
    if order != 1 and any(not isinstance(value, float) for value in point.values()):
        return _of_an_element(program, point, wrt, mode, order, check=check, convention=convention)
    names = sources(lowered, wrt)
    one_name(names, order)
    if appear(lowered, point):
        from autodiff import elements, written_out  # a plain eval starts without them

        as_numbers = elements.as_numbers(lowered, point, list(names))
        if as_numbers is None:
            if order > 1:
                raise AutodiffError("derivatives of an order above 1 are of a number", hint="ask for one element")
            found = written_out.evaluate(
                answered, lowered, point, names, mode, asked=wrt is not None, check=check, convention=convention
            )
            empty = Answer(lowered.name, None, dict.fromkeys(names), point, mode, source=lowered.source)
            return empty._replace(**found, readings=program.readings)
        lowered, names = as_numbers.lowered, sources(as_numbers.lowered, wrt)
    answer = answered(lowered, point, names, mode, check=check, convention=convention)
    if order > 1:
        from autodiff.higher import higher  # a plain eval starts without it

        answer = higher(answer, lowered, names, order)
    return answer._replace(readings=program.readings)


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
    from autodiff.higher import higher
    from autodiff.over import over_elements  # most points are plain numbers

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
) -> Answer:
    """Value and slopes of equations that are at hand already."""
    empty = Answer(lowered.name, None, dict.fromkeys(names), point, mode, source=lowered.source)
    try:
        run = primal(lowered, point)
    except Outside as trouble:
        faint = underflow.before(lowered, point)
        return _widely(empty, lowered, names, faint) if faint else _outside(empty, lowered, trouble)
    answer = empty._replace(value=run.values[lowered.result] + 0.0)
    odd = suspects(lowered, run)
    if odd and (faint := underflow.faint(lowered, run)):
        found = _widely(answer, lowered, names, faint)
        if found.status != "unknown":
            return found
    reached = set(lowered.graph.reaching(*odd)) if odd else set()
    plain = {name: node for name, node in names.items() if node not in reached}
    answer = _plain(answer, lowered, run, plain, check=check)
    if not reached:
        return answer
    from autodiff.calculus.carried import verdicts  # most points are no hard points
    from autodiff.hard import at_hard_points

    hard = verdicts(lowered, run, point, {name: node for name, node in names.items() if node in reached}, odd)
    return at_hard_points(answer, lowered, run, hard, odd, names, convention) if hard else answer


def _outside(answer: Answer, lowered: Lowered, trouble: Outside) -> Answer:
    return answer._replace(
        status="domain" if trouble.needs else "overflow",
        why=blame.outside(lowered, trouble, answer.at),
        hint=blame.hint(lowered, trouble),
        span=lowered.graph.spans[trouble.node],
    )


def _widely(answer: Answer, lowered: Lowered, names: Mapping[str, int], faint: Sequence[int]) -> Answer:
    """The answer where what `faint` equations lost by underflow shows: with a wider range of exponents, or unknown."""
    from autodiff.calculus import wide  # underflow that shows is rare

    node = faint[0] if faint else lowered.result
    empty = answer._replace(value=None, gradient=dict(answer.gradient) | dict.fromkeys(names), checked=None)
    try:
        found = wide.answer(lowered, answer.at, list(names.values()))
    except Outside as trouble:
        return _outside(empty, lowered, trouble)
    except wide.Lost:
        why = blame.underflow(lowered, node, answer.at, slopes=not faint)
        return empty._replace(status="unknown", why=why, span=lowered.graph.spans[node])
    if not math.isfinite(found.value):
        return _outside(empty, lowered, Outside(lowered.result, ()))
    if not found.checked:
        raise _disagreement()
    slopes = dict(zip(names, found.slopes, strict=True))
    near = answer.value is not None and math.isclose(answer.value, found.value, rel_tol=1e-9)
    answer = answer._replace(
        value=answer.value if near else found.value + 0.0,  # the one that the equations before it show, if it is right
        gradient=dict(answer.gradient) | {name: clean(slope) for name, slope in slopes.items()},
        forward=None
        if answer.mode != "both"
        else dict(answer.gradient) | {name: clean(slope) for name, slope in slopes.items()},
        checked=True,
        notes=(*answer.notes, blame.widened(lowered, node, slopes=not faint)),
    )
    lost = [name for name, slope in slopes.items() if not math.isfinite(slope)]
    return _overflowing(answer, lowered, lost, lowered.result) if lost else answer


def _overflowing(answer: Answer, lowered: Lowered, lost: Sequence[str], node: int) -> Answer:
    from autodiff.calculus.corners import Verdict  # most points are no hard points

    return answer._replace(
        status="overflow",
        why=blame.overflow(lowered, node, lost, answer.result),
        span=lowered.graph.spans[node],
        verdicts={name: Verdict("overflow") for name in lost},
    )


def _disagreement() -> AutodiffError:
    return AutodiffError(
        "the two modes disagree on this gradient: a bug in autodiff, so no number is printed",
        exit_status=INTERNAL,
        hint="please report the program and the point; --no-check prints the number all the same",
    )


def _plain(answer: Answer, lowered: Lowered, run: Run, names: Mapping[str, int], *, check: bool) -> Answer:
    """The slopes that the sweeps give where no corner is met: confirmed by the other mode, overflow said."""
    factors = local.factors(lowered, run, names.values())
    onward = None if answer.mode == "reverse" else _onward(lowered, factors, names)
    backward = adjoints(lowered.result, factors, names.values())
    gradient = onward if onward is not None and answer.mode == "forward" else _of(names, backward)
    faint = underflow.faint(lowered, run)
    if faint or underflow.fading(lowered, run, factors, backward):
        value = run.values[lowered.result]
        if any(
            underflow.shows(lowered, answer.at, names, value, each) for each in (gradient, onward) if each is not None
        ):
            return _widely(answer, lowered, names, faint)
    finite = {name: node for name, node in names.items() if math.isfinite(gradient[name])}
    found = ""
    if check and (finite or not answer.gradient):
        found = compared(lowered, run, factors, finite, gradient, answer.mode, backward)
    if found == DISAGREE:
        raise _disagreement()
    if check and (node := broken_rule(lowered, run, factors)) is not None:
        raise blame.denied(lowered, node)
    lost = [name for name in names if name not in finite]
    if lost:
        answer = _overflowing(answer, lowered, lost, blame.steep(lowered, run, names[lost[0]]))
    blurred = found == BLURRED or cancels(lowered, run, backward)
    notes = _cancelled(lowered, run, answer.at, finite, backward) if blurred else ()
    return answer._replace(
        notes=(*answer.notes, *notes),
        gradient=dict(answer.gradient) | {name: clean(gradient[name]) for name in names},
        forward=None
        if onward is None or answer.mode == "forward"
        else dict(answer.gradient) | {name: clean(onward[name]) for name in names},
        checked=True if found == AGREE else None,
    )


def _cancelled(
    lowered: Lowered, run: Run, point: Mapping[str, float], names: Mapping[str, int], backward: Mapping[int, float]
) -> Iterable[str]:
    """What to know of a value, or of slopes, of which larger parts cancel."""
    from autodiff.calculus import cancellation  # most programs are far from it

    lost = cancellation.lost(lowered, run, backward)
    yield from blame.cancelled(lowered, lost, cancellation.unsure(lowered, run, point, names))


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


def _onward(lowered: Lowered, factors: Factors, names: Mapping[str, int]) -> dict[str, float]:
    tangent = in_all_directions(factors, names).get(lowered.result, {})
    return {name: tangent.get(name, 0.0) for name in names}
