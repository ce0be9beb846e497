"""An answer in ball arithmetic, where float64 loses digits or proven digits are asked for, with a note about it.

>>> from autodiff import evaluate
>>> evaluate("(exp(x) - 1)/x", {"x": 1e-12}).gradient
{'x': 0.5000000000003333}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from autodiff import diagnostics
from autodiff.api.answer import Answer
from autodiff.core import linearize
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.lowering import Lowered
from autodiff.core.special_points import special_points
from autodiff.core.vjp import vjp
from autodiff.nonsmooth.propagate import MOST, verdicts
from autodiff.nonsmooth.verdict import Status, Verdict

if TYPE_CHECKING:
    from autodiff.api.scalar_answer import Query
    from autodiff.verify.digits import Proven

_SAME = 1e-12
"""Numbers nearer than this part of them are the same to 12 digits."""

STEPS = 50_000
"""Names times equations, up to which one-sided slopes are computed by steps in balls: a few seconds."""

INSTALL = "install python-flint: pip install python-flint"


def proven_answer(query: Query, run: Trace | None) -> tuple[Answer, Proven | None]:
    """The answer with the proven numbers, and the proof itself; slopes at special points are not filled in.

    run   the float64 values, where there are any

    Raises DomainError where there is no value.
    """
    empty, lowered = query.empty, query.lowered
    try:
        from autodiff.verify import digits as by_balls
    except ImportError:
        why = "float64 can't tell the digits here, and ball arithmetic is not installed"
        return empty.lacking("unknown", why, hint=INSTALL), None
    proven = by_balls.proven(lowered, query.point, query.names, query.digits, least=query.least_bits)
    if proven.undecided is not None or proven.value is None:
        node = lowered.result if proven.undecided is None else proven.undecided
        why = f"{diagnostics.written(lowered, node)} can't be told from a special point, a jump or the end of its domain here"
        span = lowered.graph.spans[node]
        return empty.lacking("unknown", f"{why} ({proven.bits} bits)", span=span), proven
    if not proven.agree:
        raise diagnostics.disagreement()
    if not _is_finite(proven.value):
        why = f"{empty.result} overflows: it is beyond 1.8e308"
        return empty.lacking("overflow", why, span=lowered.graph.spans[lowered.result]), proven
    slopes = {name: slope if _is_finite(slope) else None for name, slope in proven.slopes.items()}
    answer = empty.filled(
        proven.value,
        slopes,
        slopes if query.mode == "both" and not query.digits else None,
        checked=True,
        digits=query.digits,
        bits=proven.bits,
        notes=tuple(_notes(query, run, proven)),
    )
    return _missing(query, answer, proven), proven


def proven_slopes(query: Query, answer: Answer, names: Iterable[str]) -> Answer | None:
    """The answer in float64 with the slopes by `names` proven, from the terms of its sum that they move; None where they are not.

    Of a sum of 20,000 terms a few slopes may lose digits: the others need no balls.
    """
    try:
        from autodiff.verify import digits as by_balls
    except ImportError:
        return None
    part, nodes = by_balls.of_terms(query.lowered, {name: query.names[name] for name in names})
    proven = by_balls.proven(part, query.point, nodes)
    if proven.undecided is not None or not proven.agree or not all(map(_is_finite, proven.slopes.values())):
        return None
    wrong = {n: answer.gradient[n] for n, slope in proven.slopes.items() if not _is_same(answer.gradient[n], slope)}
    forward = None if answer.forward is None else {**answer.forward, **proven.slopes}
    notes = (*_float64_numbers(query, wrong, proven.bits), *_sizes(query, proven))
    return answer.filled(answer.value, {**answer.gradient, **proven.slopes}, forward, bits=proven.bits, notes=notes)


def _is_same(number: float, proven: float) -> bool:
    return abs(number - proven) <= max(_SAME * abs(proven), 5e-324)


def _is_finite(number: float | str | None) -> bool:
    return isinstance(number, str) or (number is not None and math.isfinite(number))


def nearest(point: Mapping[str, float]) -> dict[str, float]:
    """The float64 nearest to each number of a point, as it is meant: of 0.1 + 0.2 that of three tenths."""
    from autodiff.numbers.ball_numbers import as_float, precision
    from autodiff.numbers.balls import BALLS

    with precision(256):
        floats = {name: as_float(BALLS.constant(value)) for name, value in point.items()}
    return {name: value if (value := floats[name]) is not None else float(point[name]) for name in point}


def ball_taylor() -> ModuleType | None:
    """Derivatives of higher orders in ball arithmetic; None where that is not installed."""
    try:
        from autodiff.verify import ball_taylor
    except ImportError:
        return None
    return ball_taylor


def limits(lowered: Lowered, point: Mapping[str, float], name: str, order: int, digits: int) -> list[str | None]:
    """The derivatives by a name at a special point that both sides have, of so many digits; None where that is not shown."""
    from autodiff.verify import exact_sides

    source = lowered.graph.find(name)
    if source is None or name in lowered.assigned:
        return [None] * order
    return exact_sides.derivatives(lowered, point, source, order, digits)


def in_digits(query: Query, answer: Answer) -> Answer:
    """The answer at a special point with so many digits of the slopes that float64 has from both sides."""
    gradient, missing = dict(answer.gradient), list[str]()
    for name, verdict in answer.verdicts.items():
        slope = gradient[name]
        if verdict.status != "ok" and slope is not None:
            gradient[name] = diagnostics.shown(slope)  # a framework's number
        elif slope is not None:
            (gradient[name],) = limits(query.lowered, query.point, name, 1, query.digits)
            missing += [name] if gradient[name] is None else []
    answer = answer.filled(answer.value, gradient, answer.forward)
    if not missing:
        return answer
    why = "; ".join(
        filter(None, [answer.why, f"{_slopes(answer, missing)} is not known to {query.digits} digits here"])
    )
    status = max(answer.status, "unknown", key=diagnostics.SEVERITY.index)
    unknown = dict.fromkeys(missing, Verdict("unknown"))
    return answer.lacking(status, why, verdicts=unknown)


def sides(query: Query, proven: Proven, floats: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The verdict on each name that moves a special point of exact numbers: by float64's series where these have it
    already, else by steps in balls, else by series.
    """
    from autodiff.verify import exact_sides

    lowered, reached = query.lowered, query.reached(proven.special)
    known = {name: verdict for name, verdict in floats.items() if name in reached and verdict.status != "unknown"}
    rest = {name: node for name, node in reached.items() if name not in known}
    if len(rest) * len(lowered.graph) <= STEPS:
        inputs = {name: node for name, node in rest.items() if node in lowered.graph.inputs}
        steps = {name: exact_sides.verdict(lowered, query.point, node) for name, node in inputs.items()}
        known |= {name: verdict for name, verdict in steps.items() if verdict.status != "unknown"}
    rest = {name: node for name, node in rest.items() if name not in known}
    return known | ({name: floats[name] for name in rest if name in floats} or _by_series(query, proven, rest))


def _by_series(query: Query, proven: Proven, names: Mapping[str, int]) -> dict[str, Verdict]:
    """The verdicts by series, where float64 meets the special points, too."""
    lowered, at = query.lowered, nearest(query.point)
    unknown = {name: Verdict("unknown", node=proven.special[0]) for name in names}
    try:
        there = primal(lowered, at)
    except DomainError:
        return unknown
    special = special_points(lowered, there)
    if not names or not set(proven.special).issubset(special):
        return unknown
    return verdicts(lowered, there, query.point, names, special, query.most or MOST)  # typed 0.1 is no float64


def _slopes(answer: Answer, names: Iterable[str]) -> str:
    return ", ".join(f"d{answer.result}/d{name}" for name in names)


def _missing(query: Query, answer: Answer, proven: Proven) -> Answer:
    """The answer with why slopes are not there that move no special point."""
    reached = query.reached(proven.special)
    missing = {n: proven.slopes[n] for n in query.names if answer.gradient[n] is None and n not in reached}
    if not missing:
        return answer
    beyond = [name for name, slope in missing.items() if slope is not None]
    status: Status = "overflow" if beyond else "unknown"
    slopes = _slopes(answer, beyond or missing)
    why = f"{slopes} overflows: it is beyond 1.8e308" if beyond else f"{slopes} is not known here ({proven.bits} bits)"
    span = query.lowered.graph.spans[query.lowered.result]
    return answer.lacking(status, why, span=span, verdicts={name: Verdict(status) for name in missing})


def _notes(query: Query, run: Trace | None, proven: Proven) -> Iterator[str]:
    """What float64 would give, unless so many digits were asked for, and the size of numbers that round to 0."""
    if run is not None:
        yield from _float64_numbers(query, _wrong(query, run, proven), proven.bits)
    elif not query.digits:
        yield f"a number on the way leaves the range of float64; these digits are proven ({proven.bits} bits)"
    yield from _sizes(query, proven)


def _float64_numbers(query: Query, wrong: Mapping[str, float], bits: int) -> Iterator[str]:
    if wrong:
        parts = [f"{_label(query, name)} = {diagnostics.shown(number)}" for name, number in list(wrong.items())[:3]]
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        yield f"float64 would give {', '.join(parts)}{more} here; these digits are proven ({bits} bits)"


def _sizes(query: Query, proven: Proven) -> Iterator[str]:
    return (f"{_label(query, name)} {size}" for name, size in proven.sizes.items())


def _label(query: Query, name: str) -> str:
    """What the value, under "", or a slope is called."""
    return f"d{query.lowered.name}/d{name}" if name else query.lowered.name


def _wrong(query: Query, run: Trace, proven: Proven) -> dict[str, float]:
    """What float64 alone would give, of those that are another number: the value under "", slopes by name."""
    lowered, names = query.lowered, query.names
    plain = vjp(lowered.result, linearize.linearize(lowered, run, names.values()), names.values())
    given = {"": (run.values[lowered.result] + 0.0, proven.value)}
    given |= {name: (plain.get(node, 0.0) + 0.0, proven.slopes[name]) for name, node in names.items()}
    return {name: a for name, (a, b) in given.items() if b is not None and math.isfinite(a) and not _is_same(a, b)}
