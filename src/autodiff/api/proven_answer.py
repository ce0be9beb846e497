"""An answer in ball arithmetic: what float64 can't tell, or the digits that were asked for, with the note that says so.

>>> from autodiff import evaluate
>>> evaluate("(exp(x) - 1)/x", {"x": 1e-12}).gradient
{'x': 0.5000000000003333}
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING

from autodiff import diagnostics
from autodiff.api.answer import Answer
from autodiff.core import linearize
from autodiff.core.evaluate import Trace
from autodiff.core.lowering import Lowered
from autodiff.core.vjp import vjp
from autodiff.nonsmooth.verdict import Verdict

if TYPE_CHECKING:
    from autodiff.verify.digits import Proven

_SAME = 1e-12
"""Numbers nearer than this part of them are the same to 12 digits."""

INSTALL = "install python-flint: pip install python-flint"


def proven(
    empty: Answer, lowered: Lowered, names: Mapping[str, int], run: Trace | None, digits: int = 0
) -> tuple[Answer, Proven | None]:
    """The answer with what balls show, and that; slopes at special points are left to others.

    Raises DomainError where there is no value.
    """
    try:
        from autodiff.verify import digits as by_balls
    except ImportError:
        why = "float64 can't tell the digits here, and ball arithmetic is not installed"
        return empty._replace(status="unknown", why=why, hint=INSTALL), None
    found = by_balls.proven(lowered, empty.at, names, digits)
    if found.undecided is not None or found.value is None:
        node = lowered.result if found.undecided is None else found.undecided
        why = f"{diagnostics.written(lowered, node)} can't be told from a special point, a jump or the end of its domain here"
        span = lowered.graph.spans[node]
        return empty._replace(status="unknown", why=f"{why} ({found.bits} bits)", span=span), found
    if not found.agree:
        raise diagnostics.disagreement()
    if digits and found.value is not None:
        return _with_digits(empty, found, digits), found
    if math.isinf(found.value):
        why = f"{empty.result} overflows: it is beyond 1.8e308"
        return empty._replace(status="overflow", why=why, span=lowered.graph.spans[lowered.result]), found
    answer = empty._replace(
        value=found.value,
        gradient={name: _finite(slope) for name, slope in found.slopes.items()},
        forward={name: _finite(slope) for name, slope in found.slopes.items()} if empty.mode == "both" else None,
        checked=True,
        bits=found.bits,
        notes=tuple(_notes(empty, lowered, names, run, found)),
    )
    return _lost(answer, lowered, found, names), found


def nearest(point: Mapping[str, float]) -> dict[str, float]:
    """The float64 nearest to each number of a point, as it is meant: of 0.1 + 0.2 that of three tenths."""
    from autodiff.numbers.ball_numbers import as_float, precision
    from autodiff.numbers.balls import meaning

    with precision(256):
        found = {name: as_float(meaning(value)) for name, value in point.items()}
    return {name: value if (value := found[name]) is not None else float(point[name]) for name in point}


def sides(
    lowered: Lowered, point: Mapping[str, float], names: Mapping[str, int], reached: Container[int], value: float
) -> dict[str, Verdict] | None:
    """What is so on both sides, for each name that moves the special point; None where that is not found."""
    from autodiff.verify import exact_sides

    found = {}
    for name, node in names.items():
        if node in reached:
            if node not in lowered.graph.inputs:
                return None
            found[name] = exact_sides.verdict(lowered, point, node, value)
    return None if any(verdict.status == "unknown" for verdict in found.values()) else found


def unseen(
    answer: Answer, lowered: Lowered, found: Proven, names: Mapping[str, int], reached: Container[int]
) -> Answer:
    """The answer where float64 does not meet the special point that the exact numbers sit on, so that no side is known."""
    node = found.special[0]
    lost = [name for name, each in names.items() if each in reached]
    slopes = ", ".join(f"d{answer.result}/d{name}" for name in lost)
    why = f"{diagnostics.written(lowered, node)} is exactly on a special point, which float64 misses: {slopes} is not known here"
    return answer._replace(
        status="unknown",
        why=why,
        span=lowered.graph.spans[node],
        verdicts=dict(answer.verdicts) | {name: Verdict("unknown", node=node) for name in lost},
    )


def _finite(slope: float | None) -> float | None:
    return slope if slope is not None and math.isfinite(slope) else None


def _lost(answer: Answer, lowered: Lowered, found: Proven, names: Mapping[str, int]) -> Answer:
    """The answer with why slopes are not there that move no special point."""
    reached = set(lowered.graph.reaching(*found.special)) if found.special else set()
    missing = {n: found.slopes[n] for n, node in names.items() if answer.gradient[n] is None and node not in reached}
    if not missing:
        return answer
    beyond = [name for name, slope in missing.items() if slope is not None]
    status = "overflow" if beyond else "unknown"
    slopes = ", ".join(f"d{answer.result}/d{name}" for name in (beyond or missing))
    why = f"{slopes} overflows: it is beyond 1.8e308" if beyond else f"{slopes} is not known here ({found.bits} bits)"
    return answer._replace(
        status=status, why=why, span=lowered.graph.spans[lowered.result], verdicts={n: Verdict(status) for n in missing}
    )


def _with_digits(empty: Answer, found: Proven, digits: int) -> Answer:
    labels = {"": empty.result} | {name: f"d{empty.result}/d{name}" for name in found.slopes}
    return empty._replace(
        value=found.value,
        gradient=dict(found.slopes),
        checked=True,
        digits=digits,
        bits=found.bits,
        notes=tuple(f"{labels[name]} {size}" for name, size in found.sizes.items()),
    )


def _notes(
    empty: Answer, lowered: Lowered, names: Mapping[str, int], run: Trace | None, found: Proven
) -> Iterator[str]:
    labels = {"": empty.result} | {name: f"d{empty.result}/d{name}" for name in names}
    if run is None:
        yield f"a number on the way leaves the range of float64; these digits are proven ({found.bits} bits)"
    else:
        wrong = _wrong(lowered, names, run, found)
        if wrong:
            parts = [f"{labels[name]} = {diagnostics.shown(number)}" for name, number in list(wrong.items())[:3]]
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            said = f"float64 would give {', '.join(parts)}{more} here"
            yield f"{said}; these digits are proven ({found.bits} bits)"
    for name, size in found.sizes.items():
        yield f"{labels[name]} {size}"


def _wrong(lowered: Lowered, names: Mapping[str, int], run: Trace, found: Proven) -> dict[str, float]:
    """What float64 alone would give, of those that are another number: the value under "", slopes by name."""
    plain = vjp(lowered.result, linearize.linearize(lowered, run, names.values()), names.values())
    given = {"": (run.values[lowered.result] + 0.0, found.value)}
    given |= {name: (plain.get(node, 0.0) + 0.0, found.slopes[name]) for name, node in names.items()}
    return {
        name: a
        for name, (a, b) in given.items()
        if b is not None and math.isfinite(a) and abs(a - b) > _SAME * abs(b) and abs(a - b) > 5e-324
    }
