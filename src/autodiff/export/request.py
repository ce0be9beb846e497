"""What is to be exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autodiff.calculus.lower import Lowered


@dataclass(frozen=True, slots=True)
class Request:
    """A program, the equation of each name to differentiate by, and what only SQL knows: numbers, sums, the table."""

    lowered: Lowered
    sources: Mapping[str, int]
    at: Mapping[str, float]
    total: bool = False
    table: str = "data"
