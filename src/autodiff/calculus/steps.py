"""Derivatives of higher order that underflow did not spoil: series in steps that suit the point.

Far out, the coefficients of a series fall fast: of ln(x) at 1e100 they are 1e-100, 1e-200, 1e-300 and then nothing, and
so is what products of them add to a derivative that is there. So a step as long as the point is far is tried as well: a
power of two, which changes no digit. Whether the digits that are lost show is tried as in `underflow`.

>>> from autodiff import parse
>>> from autodiff.calculus.lower import lower
>>> from autodiff.calculus.primal import primal
>>> lowered = lower(parse("x^2*ln(x)"))
>>> (x,) = lowered.graph.inputs
>>> [n.value for n in Steps(lowered, primal(lowered, {"x": 1e100}), {"x": 1e100}, [x], 3).derivatives(x)]
[4.615170185988092e+102, 463.51701859880916, 2e-100]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeAlias

from autodiff.calculus import underflow
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside, Run
from autodiff.calculus.taylor import Expansion
from autodiff.calculus.underflow import Watched

_FARTHEST = 1023
"""2 to this power is the largest step that is a number; from there to the largest number it is not far."""

Read: TypeAlias = Callable[[Expansion, Run, float], "list[float]"]
Units: TypeAlias = Sequence[tuple[int, float]]
"""For each number that is read, the power with which it grows with the step, and what it is multiplied by."""


class Number(NamedTuple):
    """A derivative: NaN where it is not known, an infinity where it overflows; whether underflow took digits that
    show in it; whether digits were lost at all on the way."""

    value: float
    spoilt: bool = False
    lost: bool = False

    @property
    def sound(self) -> bool:
        """Whether it may be printed."""
        return math.isfinite(self.value) and not self.spoilt


class Steps:
    """The expansion of a program at a point, and another one with all lifted that may have lost digits."""

    def __init__(
        self, lowered: Lowered, run: Run, point: Mapping[str, float], sources: Sequence[int], order: int
    ) -> None:
        self._given = lowered, point, sources, order
        self._run = run
        self.plain = Expansion(lowered, run, sources, order)
        self._lost = bool(self.plain.by.lost or underflow.faint(lowered, run))

    @cached_property
    def _lifted(self) -> tuple[Expansion, Run] | None:
        lowered, point, sources, order = self._given
        try:
            run = underflow.lifted_run(lowered, point)
        except Outside:
            return None
        return Expansion(lowered, run, sources, order, Watched(lift=True)), run

    def derivatives(self, source: int) -> list[Number]:
        """The derivatives of orders 1, 2, … by `source`."""
        lowered, _, _, order = self._given

        def read(expansion: Expansion, _: Run, step: float) -> list[float]:
            series = expansion.series({source: step}, order)[expansion.of[lowered.result]]
            return [*series[1:], *([0.0] * (order + 1 - len(series)))]

        return self._tried(source, read, [(m, float(math.factorial(m))) for m in range(1, order + 1)])

    def row(self, source: int) -> list[Number]:
        """The second derivatives by `source` and each of the sources."""
        lowered, _, sources, _ = self._given

        def read(expansion: Expansion, run: Run, step: float) -> list[float]:
            found = expansion.adjoints(lowered, run, {node: step * (node == source) for node in sources})
            return [found.get(node, (0.0, 0.0))[1] for node in sources]

        return self._tried(source, read, [(1, 1.0)] * len(sources))

    def _tried(self, source: int, read: Read, units: Units) -> list[Number]:
        """What `read` finds with steps of length 1, or else of the point's size."""
        found = self._in_steps(0, read, units)
        value = self._run.values[source] or 0.0  # nothing has asked for one that does not count
        far = min(math.frexp(value)[1], _FARTHEST)
        if not far or all(n.sound for n in found):
            return found
        return [
            b if b.sound and not a.sound else a for a, b in zip(found, self._in_steps(far, read, units), strict=True)
        ]

    def _in_steps(self, far: int, read: Read, units: Units) -> list[Number]:
        """What `read` finds with steps of length 2^far, and which of it is another number once lost digits are lifted."""
        step, by = math.ldexp(1.0, far), self.plain.by
        by.lost = 0
        found = read(self.plain, self._run, step)
        numbers = [_product(c, factor, -far * m) for c, (m, factor) in zip(found, units, strict=True)]
        if not (self._lost or by.lost):
            return [Number(value) for value in numbers]
        lifted = read(*self._lifted, step) if self._lifted else [math.nan] * len(found)
        lifts = [_product(underflow.TINY, 1 / factor, far * m) for m, factor in units]
        spoilt = map(_moved, found, lifted, lifts)
        return [Number(value, spoilt=bad, lost=True) for value, bad in zip(numbers, spoilt, strict=True)]


def _moved(before: float, after: float, lift: float) -> bool:
    """Whether what may have been lost shows; a 0 may stand for whatever is below 3e-312, as far out in saturation."""
    return math.isfinite(before) and underflow.moved(before, after, lift if before else lift * 2.0**28)


def _product(a: float, b: float, far: int) -> float:
    """a*b*2^far, with one rounding more only below 2.2e-308; an infinity where it overflows."""
    (m, i), (n, j) = math.frexp(a), math.frexp(b)
    try:
        return math.ldexp(m * n, i + j + far)
    except OverflowError:
        return math.copysign(math.inf, a)
