"""Value and gradient of a program at a point: parse, lower, sweep, look at hard points, check.

>>> answer = evaluate("exp(sin(x^2))", {"x": 4.0})
>>> answer.value, answer.gradient["x"], answer.status
(0.7498340851945589, -5.744685762849454, 'ok')
>>> evaluate("abs(x)", {"x": 0.0}).one_sided
{'x': (-1.0, 1.0)}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from autodiff.calculus import blame, local, rules, underflow
from autodiff.calculus.blame import SEVERITY
from autodiff.calculus.check import agrees, broken_rule
from autodiff.calculus.forward import in_all_directions
from autodiff.calculus.local import CONVENTIONS, FRAMEWORKS, Factors
from autodiff.calculus.lower import Lowered, lower
from autodiff.calculus.primal import Outside, Run, primal
from autodiff.calculus.reverse import adjoints
from autodiff.calculus.suspects import suspects
from autodiff.errors import INTERNAL, AutodiffError, Span, quoted, shortened
from autodiff.language.parse import parse as _parse
from autodiff.language.syntax import Program, Reading
from autodiff.point import appear, bind, sources

if TYPE_CHECKING:
    from autodiff.calculus.corners import Verdict
    from autodiff.calculus.steps import Number

MODES = ("reverse", "forward", "both")

HIGHEST = 100
"""The highest order of a derivative."""

_LOOKED = 8
"""The highest order that is looked at from both sides: such a look is slow."""

Value: TypeAlias = Any
"""A float, or a NumPy array where arrays appear, or None; NumPy is not imported to say so."""


class Answer(NamedTuple):
    """What `evaluate` found at a point.

    result      what the result is called
    value       the result there; None where it does not exist
    gradient    the slope in each name of `wrt`, shaped like it; None where there is none, NaN for such an element
    at          the value of every input
    mode        reverse, forward or both
    status      ok, corner, jump, infinite, domain, overflow or unknown; all but ok say `why`
    span        the part of the program that is to blame
    verdicts    what is so for each name, or element such as `w[0]`, where that is not plain: statuses and one-sided slopes
    notes       what a careful reader should know about a slope that is there
    convention  the framework whose number stands in place of a slope at a corner, where it was asked for
    frameworks  what torch and jax give at a hard point, per name, where that is a number and not the slope
    checked     whether the other mode confirmed the gradient; None when nobody asked, or nothing can be said
    forward     with mode "both", the slopes by the forward sweep
    order       the highest derivative that was asked for
    derivatives with an order above 1, the derivatives of orders 1, 2, …; None where there is none
    readings    parts of the program that a person might read otherwise
    """

    result: str
    value: Value
    gradient: Mapping[str, Value]
    at: Mapping[str, Value]
    mode: str
    status: str = "ok"
    why: str = ""
    hint: str = ""
    span: Span | None = None
    verdicts: Mapping[str, Verdict] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    convention: str = ""
    frameworks: Mapping[str, Mapping[str, float]] = MappingProxyType({})
    checked: bool | None = None
    forward: Mapping[str, Value] | None = None
    order: int = 1
    derivatives: tuple[float | None, ...] = ()
    readings: tuple[Reading, ...] = ()
    source: str = ""

    @property
    def complete(self) -> bool:
        """Whether the value and every slope that was asked for are there."""
        return not any(_missing(number) for number in (self.value, *self.gradient.values(), *self.derivatives))

    @property
    def one_sided(self) -> dict[str, tuple[float | None, float | None]]:
        """The slopes from the left and from the right, for each name whose sides differ; None is no finite slope."""
        hard = {n: v for n, v in self.verdicts.items() if v.status in ("corner", "infinite", "jump")}
        return {name: (_finite(v.left), _finite(v.right)) for name, v in hard.items()}

    def ulps_apart(self) -> dict[str, float]:
        """With mode "both": how many units in the last place the two modes differ by, per name."""
        return {
            name: max(
                (_ulps(a, b) for a, b in zip(numbers(slope), numbers((self.forward or {}).get(name)), strict=False)),
                default=0.0,
            )
            for name, slope in self.gradient.items()
            if slope is not None
        }

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready data: no NaN, no infinity; optional keys only where they say something."""
        data: dict[str, Any] = {
            "result": self.result,
            "value": nested(self.value),
            "gradient": {name: nested(slope) for name, slope in self.gradient.items()},
            "at": {name: nested(value) for name, value in self.at.items()},
            "mode": self.mode,
            "status": self.status,
            "checked": bool(self.checked),
        }
        optional: dict[str, Any] = {
            "order": self.order if self.order > 1 else None,
            "derivatives": list(self.derivatives) if self.order > 1 else None,
            "forward": self.forward and {name: nested(slope) for name, slope in self.forward.items()},
            "ulps_apart": None if self.forward is None else self.ulps_apart(),
            "why": self.why or None,
            "hint": self.hint or None,
            "span": None if self.span is None else list(self.span),
            "one_sided": {name: list(sides) for name, sides in self.one_sided.items()} or None,
            "verdicts": {name: found.status for name, found in self.verdicts.items()} or None,
            "notes": list(self.notes) or None,
            "convention": self.convention or None,
            "frameworks": {name: dict(said) for name, said in self.frameworks.items()} or None,
        }
        return data | {key: value for key, value in optional.items() if value is not None}


def nested(value: Value) -> Any:
    """A number or an array as JSON: an array as nested lists, NaN as null."""
    if value is None or isinstance(value, float):
        return None if value is None or value != value else value
    return [nested(item) for item in value.tolist()] if hasattr(value, "tolist") else [nested(item) for item in value]


def numbers(value: Value) -> list[float | None]:
    """The number, or the elements of an array, last axis fastest; None for one that does not exist."""
    found, todo = list[float | None](), [nested(value)]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo.extend(reversed(item))
        else:
            found.append(item)
    return found


def _ulps(a: float | None, b: float | None) -> float:
    return 0.0 if a is None or b is None else abs(a - b) / math.ulp(max(abs(a), abs(b)))


def _missing(value: Value) -> bool:
    return value is None or bool((value != value).any() if hasattr(value, "any") else value != value)


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
    answer = higher(answer, lowered, names, order) if order > 1 else answer
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

    hard = verdicts(lowered, run, point, {name: node for name, node in names.items() if node in reached}, odd)
    return _hard(answer, lowered, run, hard, odd, names, convention) if hard else answer


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
        gradient=dict(answer.gradient) | {name: _finite(slope) for name, slope in slopes.items()},
        forward=None
        if answer.mode != "both"
        else dict(answer.gradient) | {name: _finite(slope) for name, slope in slopes.items()},
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


def higher(answer: Answer, lowered: Lowered, names: Mapping[str, int], order: int) -> Answer:
    """The answer with its derivatives up to `order`; behind one that does not exist there is none."""
    from autodiff.calculus import steps  # a plain eval starts without it

    empty = answer._replace(order=order, derivatives=(None,) * order)
    (name, source), first = next(iter(names.items())), next(iter(answer.gradient.values()))
    if answer.value is None or first is None:
        return empty
    try:
        run = primal(lowered, answer.at)
    except Outside:  # the answer has a wider range of exponents
        return _faded(empty, name, (first,))
    made = steps.Steps(lowered, run, answer.at, [source], order)
    found = made.derivatives(source)
    if found[0].lost and (found[0].spoilt or underflow.moved(found[0].value, first)):
        return _faded(empty, name, (first,))
    if not found[0].lost:
        _as_swept(lowered, run, names, found[0].value)
    found[0] = steps.Number(first)
    looked = _beside(lowered, run, answer.at, source, found)
    known = next((m for m, number in enumerate(found) if not number.sound), order)
    sound = tuple(number.value + 0.0 for number in found[:known])
    orders = {m: blame.order(answer.result, name, m) for m in (*looked, known + 1)}
    empty = empty._replace(notes=(*answer.notes, *blame.sided({orders[m]: one for m, one in looked.items()})))
    if known == order:
        return empty._replace(derivatives=sound)
    if found[known].spoilt:
        return _faded(empty, name, sound)
    over = math.isinf(found[known].value)
    lost, spot = orders[known + 1], None if over else made.plain.culprit()
    return empty._replace(
        derivatives=(*sound, *(None,) * (order - known)),
        status="overflow" if over else looked[known + 1].status if known + 1 in looked else "unknown",
        why=f"{lost} overflows: it is beyond 1.8e308"
        if spot is None
        else blame.beyond(lowered, lost, spot, looked.get(known + 1)),
        span=None if spot is None else lowered.graph.spans[spot],
    )


def _beside(
    lowered: Lowered, run: Run, point: Mapping[str, float], source: int, found: list[Number]
) -> dict[int, Verdict]:
    """The derivatives that have no series in powers of the step, looked at from both sides, up to one that is not there.

    Those that are there are filled in; `found` holds the derivatives of orders 1, 2, …
    """
    looked: dict[int, Verdict] = {}
    for m, number in enumerate(found[:_LOOKED], 1):
        if math.isnan(number.value):
            from autodiff.calculus.corners import verdict  # most points are no hard points

            looked[m] = verdict(lowered, run, point, source, m)
            found[m - 1] = number._replace(value=math.nan if (slope := looked[m].slope) is None else slope)
        if not found[m - 1].sound:
            break
    return looked


def _as_swept(lowered: Lowered, run: Run, names: Mapping[str, int], slope: float) -> None:
    """Raise AutodiffError where the first derivative of a series is not the one that a sweep gives."""
    factors = local.factors(lowered, run, names.values())
    backward = adjoints(lowered.result, factors, names.values())
    gradient = dict.fromkeys(names, slope)
    if math.isfinite(slope) and agrees(lowered, run, factors, names, gradient, "forward", backward) is False:
        raise AutodiffError(
            "the Taylor series and the adjoint sweep disagree: a bug in autodiff, so no number is printed",
            exit_status=INTERNAL,
            hint="please report the program and the point",
        )


def _faded(answer: Answer, name: str, sound: tuple[float, ...]) -> Answer:
    """The `sound` derivatives alone: the series of the others has no wider range of exponents."""
    lost = blame.order(answer.result, name, len(sound) + 1)
    why = f"{lost} is not known here: a number on the way is below 2.2e-308, where float64 loses digits"
    return answer._replace(derivatives=(*sound, *answer.derivatives[len(sound) :]), status="unknown", why=why)


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
    checked = (
        agrees(lowered, run, factors, finite, gradient, answer.mode, backward)
        if check and (finite or not answer.gradient)
        else None
    )
    if checked is False:
        raise _disagreement()
    if check and (node := broken_rule(lowered, run, factors)) is not None:
        raise blame.denied(lowered, node)
    lost = [name for name in names if name not in finite]
    if lost:
        answer = _overflowing(answer, lowered, lost, blame.steep(lowered, run, names[lost[0]]))
    return answer._replace(
        gradient=dict(answer.gradient) | {name: _finite(gradient[name]) for name in names},
        forward=None
        if onward is None or answer.mode == "forward"
        else dict(answer.gradient) | {name: _finite(onward[name]) for name in names},
        checked=checked,
    )


def _hard(
    answer: Answer,
    lowered: Lowered,
    run: Run,
    verdicts: dict[str, Verdict],
    odd: Sequence[int],
    names: Mapping[str, int],
    convention: str,
) -> Answer:
    """The slopes that were looked at from both sides, and what is so where there is none."""
    slopes = {name: found.slope for name, found in verdicts.items()}
    said = {each: _agreed(lowered, run, verdicts, names, each) for each in FRAMEWORKS}
    frameworks = {
        name: _apart(found, {each: said[each].get(name) for each in said}) for name, found in verdicts.items()
    }
    asked = said.get(convention) or _agreed(lowered, run, verdicts, names, convention)
    bent = [name for name, found in verdicts.items() if found.status in ("corner", "jump")]
    agreed = {name: asked[name] for name in bent if name in asked}
    slopes |= agreed
    known = {name: None if slope is None else slope + 0.0 for name, slope in slopes.items()}
    verdicts = dict(answer.verdicts) | verdicts
    status = max((answer.status, *(found.status for found in verdicts.values())), key=SEVERITY.index)
    culprits = {name: blame.culprits(lowered, odd, names[name], verdicts[name]) for name in blame.told(verdicts)}
    worst = next((name for name, found in verdicts.items() if found.status == status), "")
    return answer._replace(
        gradient=dict(answer.gradient) | known,
        forward=None if answer.forward is None else dict(answer.forward) | known,
        status=status,
        why="; ".join(filter(None, [answer.why, blame.verdicts(lowered, answer.result, run, verdicts, culprits)])),
        hint=_advice(status, convention, [name for name in bent if name not in agreed], frameworks),
        span=lowered.graph.spans[culprits[worst][0]] if status != "ok" and culprits.get(worst) else answer.span,
        verdicts=verdicts,
        notes=tuple(blame.notes(lowered, answer.result, verdicts, culprits, frameworks)),
        convention=convention if agreed else "",
        frameworks={name: numbers for name, numbers in frameworks.items() if numbers},
    )


def _agreed(
    lowered: Lowered,
    run: Run,
    verdicts: Mapping[str, Verdict],
    names: Mapping[str, int],
    convention: str,
) -> dict[str, float]:
    """The numbers of a convention at a hard point, without those that it gives as NaN or infinity."""
    hard = {name: names[name] for name, found in verdicts.items() if found.status in ("ok", "corner", "jump")}
    if not convention:
        return {}
    found = _of(hard, adjoints(lowered.result, local.factors(lowered, run, hard.values(), convention), hard.values()))
    return {name: slope + 0.0 for name, slope in found.items() if math.isfinite(slope)}


def _advice(status: str, convention: str, missing: Sequence[str], frameworks: Mapping[str, Mapping[str, float]]) -> str:
    """What to try at a corner, or why the convention that was asked for did not help."""
    if convention and missing:
        return f"{FRAMEWORKS.get(convention, convention)} gives NaN or infinity here for {blame.listed(missing)}"
    helps = status == "corner" and not convention and any(frameworks.values())
    return "--convention torch, jax or zero gives a framework's number" if helps else ""


def _apart(found: Verdict, numbers: Mapping[str, float | None]) -> dict[str, float]:
    """The numbers that are there and not the slope."""
    slope = math.nan if found.slope is None else found.slope
    return {each: n for each, n in numbers.items() if n is not None and not math.isclose(n, slope, abs_tol=1e-12)}


def _of(names: Mapping[str, int], found: Mapping[int, float]) -> dict[str, float]:
    return {name: found.get(node, 0.0) for name, node in names.items()}


def _onward(lowered: Lowered, factors: Factors, names: Mapping[str, int]) -> dict[str, float]:
    tangent = in_all_directions(factors, names).get(lowered.result, {})
    return {name: tangent.get(name, 0.0) for name in names}


def _finite(slope: float | None) -> float | None:
    return slope + 0.0 if slope is not None and math.isfinite(slope) else None
