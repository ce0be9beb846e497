"""What is to be exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autodiff.core.lowering import Lowered
from autodiff.language.ast import Reading


@dataclass(frozen=True, slots=True)
class Request:
    """A program, the equation of each name to differentiate by, and what only SQL knows: numbers, sums, the table.

    `note` says what a reduction is taken to be, `readings` which parts of the program may be read otherwise.
    """

    lowered: Lowered
    sources: Mapping[str, int]
    at: Mapping[str, float]
    total: bool = False
    table: str = "data"
    note: str = ""
    readings: tuple[Reading, ...] = ()
