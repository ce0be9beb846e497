"""The factors of the backward pass by their size: which step makes a slope tiny or huge, why, and what helps.

>>> from autodiff.explanation.build import explain
>>> bars = explain("v = 5*x; y = tanh(v)", {"x": 1.0}, bars=True).bars
>>> [(bar.label, round(bar.size, 1)) for bar in bars], bars[0].remark[:42]
([('1', -3.7), ('2', 0.7)], 'v = 5 saturates tanh: its slope is 1.8e-04')
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from autodiff.core.primitive import Primitive
from autodiff.diagnostics import shown
from autodiff.explanation.context import Analysis
from autodiff.explanation.model import Bar, ChainStep, PathChain

EXTREME = 2.0
"""Powers of ten from which on a factor is called tiny or huge."""

_NAMES = 3
"""Names whose largest path has bars, where several paths lead to each."""


def bars(analysis: Analysis, blocks: Sequence[PathChain]) -> tuple[Bar, ...]:
    """A bar for each factor with a number: of the one table of all names, or of the largest path to each of the first names."""
    chosen: dict[str, PathChain] = {}
    for block in blocks:
        if block.to not in chosen or abs(block.total or 0.0) > abs(chosen[block.to].total or 0.0):
            chosen[block.to] = block
    return tuple(bar for block in list(chosen.values())[:_NAMES] for bar in _of(analysis, block.steps))


def _of(analysis: Analysis, steps: Sequence[ChainStep]) -> Iterator[Bar]:
    by_name = {name: node for node, name in analysis.places.names.items()}
    for step in steps:
        factor = step.factor
        if factor.value is None or not math.isfinite(factor.value):
            continue
        size = math.log10(abs(factor.value)) if factor.value else None
        extreme = size is None or abs(size) >= EXTREME
        remark = _remark(analysis, by_name[factor.of], by_name[factor.by], factor.value) if extreme else ""
        yield Bar(step.label, factor.of, factor.by, factor.value, size, remark)


def _remark(analysis: Analysis, place: int, arg: int, value: float) -> str:
    """What makes the factor tiny or huge, and the cure that the table has for its function."""
    rows = (analysis.graph.rows[node] for node in reversed(analysis.places.own(place)))
    row = next((row for row in rows if row is not None and row.cure), None)
    number = analysis.values.get(arg)
    by = analysis.places.names[arg] + ("" if number is None else f" = {shown(float(f'{number:.3g}'))}")
    slope = "0" if not value else f"{value:.1e}"
    if row is None or abs(value) > 1:
        does = "is multiplied" if abs(value) > 1 else "is lost"
        return f"at {by} the slope {does}: the factor is {slope}; {_cure(row, value)}"
    return f"{by} saturates {row.name}: its slope is {slope}; {row.cure}"


def _cure(row: Primitive | None, value: float) -> str:
    if abs(value) > 1:
        return "smaller weights or scaled inputs keep it near 1"
    return "scaled inputs or another unit keep it near 1" if row is None else row.cure
