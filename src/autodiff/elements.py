"""Value and gradient of a program where arrays appear; what a hard point is, is said element by element.

The NumPy sweeps give the numbers. Where an element sits on a corner, the program is written out as equations of numbers
and that element's slope is looked at from both sides, exactly as for plain numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodiff.calculus import blame
from autodiff.calculus.blame import SEVERITY
from autodiff.calculus.corners import Verdict, verdict
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside, primal
from autodiff.calculus.shapes import AXES, elements, too_deep
from autodiff.calculus.suspects import suspects
from autodiff.errors import INTERNAL, AutodiffError, quoted

if TYPE_CHECKING:
    from autodiff.calculus.bulk import Bulk
    from autodiff.calculus.flatten import Flat

_EQUATIONS = 20_000
"""As long as the program written out may be for a corner to be looked at."""

_LOOKS = 400_000
"""Equations times elements that are looked at on a corner: a few seconds."""

_EPSILON = 2.0**-52


def as_numbers(lowered: Lowered, point: Mapping[str, Any], names: Sequence[str]) -> Flat | None:
    """The same program over plain numbers: when the point, the result and what a slope is asked for are numbers.

    None when they are not. Raises AutodiffError for shapes that don't fit.
    """
    if any(not isinstance(value, float) for value in point.values()):
        return None
    from autodiff.calculus.flatten import TooLarge, flatten  # not needed for plain numbers

    try:
        flat = flatten(lowered, {})
    except TooLarge:
        return None
    except AutodiffError as error:
        raise error.within(lowered.source) from None
    return flat if not flat.result.shape and all(flat.lowered.node(n) is not None for n in names) else None


def numpy() -> Any:
    """The library, imported when the first array appears."""
    try:
        import numpy
    except ModuleNotFoundError as error:
        raise AutodiffError(
            f"arrays need {error.name}, which is not installed",
            hint="pip install 'autodiff-cli[arrays]'",
        ) from None
    return numpy


def array(name: str, value: Any) -> Any:
    """What a user gives as an array, as one of floats. Raises AutodiffError for ragged, empty or non-finite ones."""
    np = numpy()
    if _nested_too_deep(value):
        raise AutodiffError(f"the value of {quoted(name)} is nested too deep: {too_deep()}")
    try:
        found = np.array(value)
    except (ValueError, RecursionError):
        found = None
    if found is None or found.dtype.kind not in "biuf" or found.size == 0:
        raise AutodiffError(
            f"the value of {quoted(name)} must be a number or an array of numbers, in rows of equal length",
            hint="write for example [1, 2, 3] or [[1, 2], [3, 4]]",
        )
    found = found.astype(np.float64)
    if not np.isfinite(found).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(found))[0]))
        raise AutodiffError(f"the value of {quoted(f'{name}[{place}]')} must be a finite number")
    return found if found.ndim else float(found)


def _nested_too_deep(value: Any) -> bool:
    """Whether an array, or the first elements of nested lists, have more axes than there may be."""
    for _ in range(AXES):
        if not isinstance(value, list | tuple) or not value:
            return getattr(value, "ndim", 0) > AXES
        value = value[0]
    return isinstance(value, list | tuple)


def constant(lowered: Lowered, point: Mapping[str, Any]) -> Any:
    """The value of a program at a point, an array or a float. Raises Outside where it has none."""
    numpy()
    from autodiff.calculus import bulk

    try:
        value = bulk.values(lowered, point).values[lowered.result]
    except AutodiffError as error:
        raise error.within(lowered.source) from None
    return value if getattr(value, "shape", None) else float(value)


def evaluate(
    lowered: Lowered,
    point: Mapping[str, Any],
    names: Mapping[str, int],
    mode: str,
    *,
    asked: bool,
    check: bool,
    convention: str,
) -> dict[str, Any]:
    """The fields of an answer that arrays fill: value, gradient, status and what explains them.

    asked   whether the caller named what to differentiate by; else an array as the result is no mistake
    """
    numpy()
    from autodiff.calculus import bulk

    try:
        run = bulk.values(lowered, point)
    except Outside as trouble:
        return {
            "status": "domain" if trouble.needs else "overflow",
            "why": outside(lowered, trouble),
            "hint": blame.hint(lowered, trouble),
            "span": lowered.graph.spans[trouble.node],
        }
    except AutodiffError as error:
        raise error.within(lowered.source) from None
    value = run.values[lowered.result]
    if not isinstance(value, float | int) and getattr(value, "shape", None):
        return _array_result(value, lowered, names, asked)
    found = _Slopes(lowered, run, point, names, mode)
    found.look(convention)
    if check:
        found.confirm()
    return {"value": float(value) + 0.0, **found.fields()}


def _array_result(value: Any, lowered: Lowered, names: Mapping[str, int], asked: bool) -> dict[str, Any]:
    hint = f"take sum({lowered.name}) or mean({lowered.name}), or one element"
    what = f"the result is an array of shape {value.shape}, and a slope is of a number"
    if asked and names:
        raise AutodiffError(what, hint=hint)
    return {"value": value + 0.0, "gradient": {}, "notes": (f"{what}: {hint}",) if names else ()}


def outside(lowered: Lowered, trouble: Outside) -> str:
    """The sentence for an element that has no value."""
    graph = lowered.graph
    row, args = graph.rows[trouble.node], graph.args[trouble.node]
    assert row is not None
    text = blame.written(lowered, trouble.node)
    at = f" at [{', '.join(map(str, trouble.place))}]" if trouble.place else ""
    if not trouble.needs:
        return f"{text} overflows{at}: it is beyond 1.8e308"
    places = dict(zip(row.params, args, strict=True))
    mentioned = [p for p in row.params if f"#{p}" in trouble.needs] or list(row.params)
    needs = re.sub(r"#(\w+)", lambda m: blame.operand(lowered, places[m[1]]), trouble.needs)
    found = [
        f"{blame.operand(lowered, places[p])} is {blame.shown(value)}"
        for p, value in zip(row.params, trouble.args, strict=True)
        if p in mentioned and places[p] not in graph.constants
    ]
    return f"{text} needs {needs}, but{at} {' and '.join(found) or f'{trouble.args} came'}"


class _Slopes:
    """The gradient of a number in arrays and numbers, as it is found."""

    def __init__(
        self, lowered: Lowered, run: Bulk, point: Mapping[str, Any], names: Mapping[str, int], mode: str
    ) -> None:
        from autodiff.calculus import bulk

        self.lowered, self.run, self.point, self.names, self.bulk = lowered, run, point, names, bulk
        self.mode = mode
        self.verdicts: dict[str, Verdict] = {}
        self.reasons: list[str] = []
        self.notes: list[str] = []
        self.span: Any = None
        self.convention = ""
        self.checked: bool | None = None
        self.gradient = self._reverse() if mode != "forward" else self._forward()
        self.forward = self._forward() if mode == "both" else None
        self.hard: dict[str, int] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        value = self.run.values[self.names[name]]
        return tuple(numpy().shape(self.point.get(name, 0.0) if value is None else value))

    def _reverse(self, convention: str = "") -> dict[str, Any]:
        adjoints = self.bulk.backward(self.run, list(self.names.values()), convention)
        return {name: self._filled(name, adjoints.get(node, 0.0)) for name, node in self.names.items()}

    def _filled(self, name: str, slope: Any) -> Any:
        shape = self.shape(name)
        return numpy().array(numpy().broadcast_to(slope, shape), dtype=float) + 0.0 if shape else float(slope) + 0.0

    def _forward(self) -> dict[str, Any]:
        """A sweep for every element of every name."""
        found = {}
        for name, node in self.names.items():
            units = numpy().eye(math.prod(self.shape(name)))
            rates = [self._along({node: unit.reshape(self.shape(name)) if self.shape(name) else 1.0}) for unit in units]
            found[name] = self._filled(name, numpy().reshape(rates, self.shape(name)))
        return found

    def _along(self, seeds: Mapping[int, Any]) -> float:
        rate = self.bulk.onward(self.run, seeds)[self.lowered.result]
        return 0.0 if rate is None else float(rate)

    # --- hard points ------------------------------------------------------------------------------------------------

    def look(self, convention: str) -> None:
        """Take slopes away that don't exist, say why, and say what overflows."""
        odd = self.bulk.suspects(self.run)
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
        from autodiff.calculus.flatten import TooLarge, flatten

        np = numpy()
        try:
            flat = flatten(self.lowered, {name: np.shape(value) for name, value in self.point.items()}, _EQUATIONS)
        except TooLarge:
            self._unknown(odd)
            return
        numbers: dict[str, float] = {}
        for name, value in self.point.items():
            numbers |= dict(zip(elements(name, np.shape(value)), np.ravel(value).tolist(), strict=True))
        try:
            run = primal(flat.lowered, numbers)
        except Outside:  # at the end of a domain, by a rounding that the two engines do not share
            self._unknown(odd)
            return
        places = suspects(flat.lowered, run)
        reached = set(flat.lowered.graph.reaching(*places)) if places else set()
        looks = [(name, node) for name, node in self.hard.items() if set(flat.blocks[node].nodes) & reached]
        count = sum(len(flat.blocks[node].nodes) for _, node in looks)
        if not looks or count * len(flat.lowered.graph) > _LOOKS:
            self._unknown(odd)
            return
        hard: dict[str, Verdict] = {}
        parts: dict[str, list[int]] = {}
        for name, node in looks:
            block = flat.blocks[node]
            for k, (element, number) in enumerate(zip(elements(name, block.shape), block.nodes, strict=True)):
                if number in reached:
                    found = verdict(flat.lowered, run, numbers, number)
                    hard[element] = found
                    self._put(name, k, found.slope)
                    parts[element] = blame.culprits(flat.lowered, places, number, found)
                    if found.status != "ok" and parts[element]:
                        self.span = self.span or flat.lowered.graph.spans[parts[element][0]]
        self.reasons += filter(None, [blame.verdicts(flat.lowered, self.lowered.name, run, hard, parts)])
        self.verdicts |= {element: found for element, found in hard.items() if found.status != "ok" or len(hard) < 20}

    def _unknown(self, odd: int) -> None:
        """Too large, or too near to rounding, to be looked at from both sides."""
        for name in self.hard:
            self.verdicts[name] = Verdict("unknown", node=odd)
            self.gradient[name] = self._filled(name, math.nan)
            slope = f"d{self.lowered.name}/d{name}"
            what = f"an element of {blame.written(self.lowered, odd)} is on a corner"
            self.reasons.append(
                f"{slope} is not known here: {what}, and the program is too large to look at both sides"
            )
        self.span = self.lowered.graph.spans[odd]

    def _put(self, name: str, k: int, slope: float | None) -> None:
        number = math.nan if slope is None else slope + 0.0
        for gradient in (self.gradient, self.forward):
            if gradient is not None and self.shape(name):
                gradient[name].reshape(-1)[k] = number
            elif gradient is not None:
                gradient[name] = number

    def _agree(self, convention: str) -> None:
        """A framework's number where a corner or a jump leaves no slope, because it was asked for."""
        agreed = self._reverse(convention)
        for name in self.hard:
            names = list(elements(name, self.shape(name)))
            for k, element in enumerate(names):
                found = self.verdicts.get(element)
                if found is not None and found.status in ("corner", "jump"):
                    self._put(name, k, float(numpy().ravel(agreed[name])[k]))
                    self.convention = convention

    def _overflow(self, name: str) -> None:
        for k, element in enumerate(elements(name, self.shape(name))):
            slope = float(numpy().ravel(self.gradient[name])[k])
            if not math.isfinite(slope) and element not in self.verdicts and name not in self.verdicts:
                self.verdicts[element] = Verdict("overflow")
                self.reasons.append(f"d{self.lowered.name}/d{element} overflows: it is beyond 1.8e308")
                self._put(name, k, None)

    # --- the other mode ---------------------------------------------------------------------------------------------

    def confirm(self) -> None:
        """Compare with one sweep of the other mode along a fixed direction; raise AutodiffError when they disagree."""
        np, bulk = numpy(), self.bulk
        names = {name: node for name, node in self.names.items() if np.all(np.isfinite(self.gradient[name]))}
        names = {name: node for name, node in names.items() if name not in self.hard}
        along = {name: _direction(np, self.shape(name), k) for k, name in enumerate(names)}
        tangents = bulk.onward(self.run, {node: along[name] for name, node in names.items()})
        adjoints = bulk.backward(self.run, list(names.values()))
        rate = tangents[self.lowered.result]
        here = math.fsum(float(np.sum(along[name] * self.gradient[name])) for name in names)
        there = 0.0 if rate is None else float(rate)
        if self.mode == "forward":
            there = math.fsum(float(np.sum(along[n] * adjoints.get(node, 0.0))) for n, node in names.items())
        allowed = 16 * _EPSILON * bulk.sizes(self.run, adjoints, tangents) + 1e-300
        if not (math.isfinite(there) and math.isfinite(allowed)):
            return
        self.checked = abs(here - there) <= allowed
        if not self.checked:
            raise AutodiffError(
                "the two modes disagree on this gradient: a bug in autodiff, so no number is printed",
                exit_status=INTERNAL,
                hint="please report the program and the point; --no-check prints the number all the same",
            )
        from autodiff.calculus.array_witness import broken_rule

        if (node := broken_rule(self.run)) is not None:
            raise blame.denied(self.lowered, node)

    def fields(self) -> dict[str, Any]:
        more = f"; and {len(self.reasons) - 3} more" if len(self.reasons) > 3 else ""
        status = max(("ok", *(found.status for found in self.verdicts.values())), key=SEVERITY.index)
        return {
            "gradient": {n: g if self.shape(n) else _known(g) for n, g in self.gradient.items()},
            "forward": self.forward and {n: g if self.shape(n) else _known(g) for n, g in self.forward.items()},
            "status": status,
            "why": "; ".join(self.reasons[:3]) + more,
            "hint": ""
            if status != "corner" or self.convention
            else "--convention torch, jax or zero gives a framework's number",
            "span": self.span,
            "verdicts": self.verdicts,
            "convention": self.convention,
            "checked": self.checked,
        }


def _known(slope: float) -> float | None:
    return slope if math.isfinite(slope) else None


def _direction(np: Any, shape: tuple[int, ...], start: int) -> Any:
    """A fixed pseudo-random direction: a weight in (0.25, 0.75) for each element, the golden ratio's multiples mod 1."""
    steps = np.arange(1 + 7919 * start, 1 + 7919 * start + math.prod(shape))
    weights = 0.25 + 0.5 * ((steps * 0.6180339887498949) % 1)
    return weights.reshape(shape) if shape else float(weights[0])
