"""Value and gradient of a program where arrays appear; what a hard point is, is said element by element.

The NumPy sweeps give the numbers. Where an element sits on a corner, the program is written out as equations of numbers
and that element's slope is looked at from both sides, exactly as for plain numbers.

>>> from autodiff import parse
>>> from autodiff.core.lowering import lower
>>> lowered, point = lower(parse("sum(abs(x))")), {"x": numpy().array([1.0, 0.0])}
>>> evaluate(lowered, point, {"x": 0}, "reverse", asked=False, check=True, convention="")[0]["why"]
'abs(x) has a corner here: df/dx[1] is -1 from the left and 1 from the right'
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodiff import diagnostics
from autodiff.arrays.inputs import numpy
from autodiff.arrays.shapes import elements
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.lowering import Lowered
from autodiff.core.special_points import special_points
from autodiff.diagnostics import SEVERITY
from autodiff.errors import AutodiffError, Span
from autodiff.nonsmooth.propagate import verdicts
from autodiff.nonsmooth.verdict import Verdict

if TYPE_CHECKING:
    from autodiff.api.array_gradient import Gradient
    from autodiff.arrays.evaluate import ArrayTrace
    from autodiff.arrays.scalarize import Flat

EQUATIONS = 20_000
"""As long as the program written out may be."""

LOOKS = 400_000
"""Equations times elements that are looked at on a corner: a few seconds."""


def as_numbers(lowered: Lowered, point: Mapping[str, Any], names: Sequence[str]) -> Flat | None:
    """The same program over plain numbers: when the point, the result and what a slope is asked for are numbers.

    None when they are not. Raises AutodiffError for shapes that don't fit.
    """
    if any(not isinstance(value, float) for value in point.values()):
        return None
    from autodiff.arrays.scalarize import TooLarge, flatten  # not needed for plain numbers

    try:
        flat = flatten(lowered, {})
    except TooLarge:
        return None
    except AutodiffError as error:
        raise error.within(lowered.source) from None
    return flat if not flat.result.shape and all(flat.lowered.node(n) is not None for n in names) else None


def evaluate(
    lowered: Lowered,
    point: Mapping[str, Any],
    names: Mapping[str, int],
    mode: str,
    *,
    asked: bool,
    check: bool,
    convention: str,
) -> tuple[dict[str, Any], ArrayTrace | None]:
    """The fields of an answer that arrays fill: value, gradient, status and what explains them; and the sweep of values.

    asked   whether the caller named what to differentiate by; else an array as the result is no mistake
    """
    from autodiff.api.array_gradient import Gradient

    try:
        run = swept(lowered, point)
    except DomainError as trouble:
        return {
            "status": "domain" if trouble.needs else "overflow",
            "why": diagnostics.outside_element(lowered, trouble),
            "hint": diagnostics.hint(lowered, trouble),
            "span": lowered.graph.spans[trouble.node],
        }, None
    except AutodiffError as error:
        raise error.within(lowered.source) from None
    value = run.values[lowered.result]
    if not isinstance(value, float | int) and getattr(value, "shape", None):
        return {"value": value + 0.0, **array_result(value.shape, lowered, names, asked=asked)}, run
    found = Gradient(lowered, run, point, names, mode)
    looked = _Looked(found)
    looked.look(convention)
    checked = found.confirmed([name for name in names if name not in looked.hard]) if check else None
    return {"value": float(value) + 0.0, "checked": checked, **looked.fields()}, run


def array_result(
    of_shape: tuple[int, ...], lowered: Lowered, names: Mapping[str, int], *, asked: bool
) -> dict[str, Any]:
    """What stands beside an array as the result. Raises AutodiffError where slopes of it were asked for."""
    hint = f"take sum({lowered.name}) or mean({lowered.name}), or one element"
    what = f"the result is an array of shape {of_shape}, and a slope is of a number"
    if asked and names:
        raise AutodiffError(what, hint=hint)
    return {"gradient": {}, "notes": (f"{what}: {hint}",) if names else ()}


def swept(lowered: Lowered, point: Mapping[str, Any]) -> ArrayTrace:
    """The sweep of values. Raises DomainError where one does not exist."""
    numpy()
    from autodiff.arrays.evaluate import values

    return values(lowered, point)


def written(lowered: Lowered, point: Mapping[str, Any]) -> Flat | None:
    """The program written out in equations of numbers; None where there are too many."""
    from autodiff.arrays.scalarize import TooLarge, flatten  # most arrays need none

    try:
        return flatten(lowered, {name: numpy().shape(value) for name, value in point.items()}, EQUATIONS)
    except TooLarge:
        return None


def as_elements(point: Mapping[str, Any]) -> dict[str, float]:
    """The point as numbers: x[0], x[1], … in place of an array x."""
    np, found = numpy(), dict[str, float]()
    for name, value in point.items():
        found |= dict(zip(elements(name, np.shape(value)), np.ravel(value).tolist(), strict=True))
    return found


class _Looked:
    """What is said of each slope of a gradient: whether it exists, why not, and which number stands there then."""

    def __init__(self, found: Gradient) -> None:
        self.found, self.lowered, self.names = found, found.lowered, found.names
        self.verdicts: dict[str, Verdict] = {}
        self.reasons: list[str] = []
        self.span: Span | None = None
        self.convention = ""
        self.hard: dict[str, int] = {}

    def look(self, convention: str) -> None:
        """Take slopes away that don't exist, say why, and say what overflows."""
        from autodiff.arrays import nonsmooth

        odd = nonsmooth.special_points(self.found.run)
        if odd:
            reached = set(self.lowered.graph.reaching(*odd))
            self.hard = {name: node for name, node in self.names.items() if node in reached}
        if self.hard:
            self._from_both_sides(odd[0])
        if self.verdicts and convention:
            self._agree(convention)
        for name in self.names:
            self._overflow(name)

    def _from_both_sides(self, odd: int) -> None:
        written_out = self._written_out()
        if written_out is None:
            self._unknown(odd)
            return
        flat, numbers, run = written_out
        suspected = special_points(flat.lowered, run)
        reached = set(flat.lowered.graph.reaching(*suspected)) if suspected else set()
        places = {
            element: (name, k, number)
            for name, node in self.hard.items()
            for k, (element, number) in enumerate(
                zip(elements(name, flat.blocks[node].shape), flat.blocks[node].nodes, strict=True)
            )
            if number in reached
        }
        if not places:
            self._unknown(odd)
            return
        sources = {element: number for element, (_, _, number) in places.items()}
        hard = verdicts(flat.lowered, run, numbers, sources, suspected, LOOKS)
        for element, (name, k, _) in places.items():
            self.found.put(name, k, hard[element].slope)
        parts = {e: diagnostics.culprits(flat.lowered, suspected, sources[e], hard[e]) for e in diagnostics.told(hard)}
        worst = next((part for e, part in parts.items() if hard[e].status != "ok" and part), None)
        if worst is not None:
            self.span = self.span or flat.lowered.graph.spans[worst[0]]
        self.reasons += filter(None, [diagnostics.verdicts(flat.lowered, self.lowered.name, run, hard, parts)])
        self.verdicts |= {element: found for element, found in hard.items() if found.status != "ok" or len(hard) < 20}

    def _written_out(self) -> tuple[Flat, dict[str, float], Trace] | None:
        """The program as equations of numbers, the point as numbers, and the values; None where that can't be had."""
        flat, numbers = written(self.lowered, self.found.point), as_elements(self.found.point)
        try:
            return None if flat is None else (flat, numbers, primal(flat.lowered, numbers))
        except DomainError:  # at the end of a domain, by a rounding that the two engines do not share
            return None

    def _unknown(self, odd: int) -> None:
        """Too large, or too near to rounding, to be looked at from both sides."""
        for name in self.hard:
            self.verdicts[name] = Verdict("unknown", node=odd)
            self.found.gradient[name] = self.found.filled(name, math.nan)
            slope = f"d{self.lowered.name}/d{name}"
            what = f"an element of {diagnostics.written(self.lowered, odd)} is on a corner"
            self.reasons.append(
                f"{slope} is not known here: {what}, and the program is too large to look at both sides"
            )
        self.span = self.lowered.graph.spans[odd]

    def _agree(self, convention: str) -> None:
        """A framework's number where a corner or a jump leaves no slope, because it was asked for."""
        agreed = self.found.reverse(convention)
        for name in self.hard:
            names = list(elements(name, self.found.shape(name)))
            for k, element in enumerate(names):
                found = self.verdicts.get(element)
                if found is not None and found.status in ("corner", "jump"):
                    self.found.put(name, k, float(numpy().ravel(agreed[name])[k]))
                    self.convention = convention

    def _overflow(self, name: str) -> None:
        for k, element in enumerate(elements(name, self.found.shape(name))):
            slope = float(numpy().ravel(self.found.gradient[name])[k])
            if not math.isfinite(slope) and element not in self.verdicts and name not in self.verdicts:
                self.verdicts[element] = Verdict("overflow")
                self.reasons.append(f"d{self.lowered.name}/d{element} overflows: it is beyond 1.8e308")
                self.found.put(name, k, None)

    def fields(self) -> dict[str, Any]:
        """The gradient as it stands now, and what was found out, as an answer has it."""
        more = f"; and {len(self.reasons) - 3} more" if len(self.reasons) > 3 else ""
        status = max(("ok", *(found.status for found in self.verdicts.values())), key=SEVERITY.index)
        return {
            "gradient": self._known(self.found.gradient),
            "forward": self.found.forward and self._known(self.found.forward),
            "status": status,
            "why": "; ".join(self.reasons[:3]) + more,
            "hint": ""
            if status != "corner" or self.convention
            else "--convention torch, jax or zero gives a framework's number",
            "span": self.span,
            "verdicts": self.verdicts,
            "convention": self.convention,
        }

    def _known(self, slopes: Mapping[str, Any]) -> dict[str, Any]:
        """The same, with None for a number that is not there."""
        return {n: g if self.found.shape(n) or math.isfinite(g) else None for n, g in slopes.items()}
