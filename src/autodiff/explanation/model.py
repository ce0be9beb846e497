"""An explanation as plain, frozen data: what every renderer reads, and all that it reads.

Numbers are whole float64s, None where there is none; formulas are texts of the language, in the spelling for scripts
(`formula`), for people (`pretty`) and in LaTeX (`tex`). The small records are named tuples: sixteen dataclasses would take
the time of 1,000 equations to make, at every start.

>>> plain(Meaning("x", 0.001, 0.008, None))
{'name': 'x', 'step': 0.001, 'expected': 0.008, 'actual': None}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple

from autodiff import display
from autodiff.errors import Span
from autodiff.explanation.graph import Drawing
from autodiff.language.ast import Reading


class FormulaText(NamedTuple):
    """A formula in its three spellings."""

    formula: str
    pretty: str
    tex: str


class Place(NamedTuple):
    """A line of the forward pass: a named number, how it is made, and what it is at the point.

    kind  "input" (a slope is asked for), "held" (an input that stays fixed), "step" or "result"
    does  what the step does, in a word; what an input is for
    why   where a point leaves it without a value: "none", "not taken" (in the other branch) or "not reached"
    """

    name: str
    kind: str
    text: str
    tex: str
    does: str
    value: float | None
    why: str = ""


class Factor(NamedTuple):
    """One factor of the chain rule: d(of)/d(by), by which rule, as symbols, and as a number.

    `beyond` is a number beyond float64's range with its digits; then `value` is None. `fixed` names the other places in `of` that `by` changes as well, and that this slope keeps fixed.
    """

    of: str
    by: str
    rule: str
    slope: FormulaText
    value: float | None
    fixed: tuple[str, ...] = ()
    beyond: str = ""


class ChainStep(NamedTuple):
    """A line of the backward table: a factor, the product so far, and what that product is.

    `label` numbers it ("3w" on the branch of the path that leads to w); `whole` tells whether the product so far is the whole slope
    of the result in `factor.by`, or only this path's part of it; `answer` marks a slope that was asked for. `beyond` is a product
    beyond float64's range with its digits.
    """

    label: str
    factor: Factor
    so_far: float | None
    whole: bool
    answer: bool = False
    beyond: str = ""


class PathChain(NamedTuple):
    """Lines of the backward table that belong together: a chain, or one path to one input.

    `to` is the input that it leads to, "" for several; `path` names its places from that input to the result; `total` is
    what the path contributes, None without a point, `beyond` the same beyond float64's range, with its digits.
    """

    steps: tuple[ChainStep, ...]
    to: str = ""
    path: tuple[str, ...] = ()
    total: float | None = None
    beyond: str = ""


class Slope(NamedTuple):
    """The answer for one name: the slope, by how many paths it comes, and as a formula of the inputs.

    `paths` counts all of them, `listed` how many of them have a block. `chain` is the product of local slopes where there
    is one path. `digits` is the slope with as many proven digits as were asked for. `short` is the slope as a formula of
    the steps, `(yhat - y)*x`, where that is shorter than its factors; it may hold at this point alone, `because` of its numbers.
    `beyond` is a slope that float64 rounds to 0, with its digits.
    """

    name: str
    value: float | None
    paths: int
    listed: int
    formula: FormulaText | None
    chain: tuple[Factor, ...] = ()
    forward: float | None = None
    ulps: float | None = None
    digits: str = ""
    short: FormulaText | None = None
    because: str = ""
    beyond: str = ""


class ModeRow(NamedTuple):
    """A line of the table that shows both modes: a place, its tangents per input, its adjoint.

    A place that no name with a slope moves, such as data held fixed, has no adjoint here: none was swept.
    """

    name: str
    value: float | None
    tangents: Mapping[str, float | None]
    adjoint: float | None


class Cost(NamedTuple):
    """What the slopes cost: sweeps and multiplications by local slopes, per mode."""

    inputs: int
    forward_sweeps: int
    forward_products: int
    reverse_sweeps: int
    reverse_products: int


class Difference(NamedTuple):
    """A central difference (f(x+h) - f(x-h))/2h beside the slope, and how far it may be off itself."""

    name: str
    step: float
    quotient: float | None
    bound: float | None
    agrees: bool | None
    why: str = ""


class Meaning(NamedTuple):
    """What a slope means: moving `name` by `step` moves the result by about `expected`, and really by `actual`."""

    name: str
    step: float
    expected: float
    actual: float | None


class Update(NamedTuple):
    """One step of gradient descent: each name's old and new value, and the result before and after."""

    rate: float
    names: Mapping[str, tuple[float, float]]
    before: float
    after: float | None


class Cancelling(NamedTuple):
    """Steps whose product is simpler than they are: the last step's number, d(result)/d(by) as a formula, its value."""

    steps: int
    by: str
    slope: FormulaText
    value: float | None


class Bar(NamedTuple):
    """A factor of the backward pass by its size, the power of ten that it is (None for 0); `remark` where it is extreme."""

    label: str
    of: str
    by: str
    value: float
    size: float | None
    remark: str = ""


class OneSidedRow(NamedTuple):
    """A place at a special point: its slope in the input from the left and from the right; None where a side has none."""

    name: str
    left: float | None
    right: float | None


class OneSidedSlopes(NamedTuple):
    """A special point for one name: its status, the slopes of the result from either side, and how they come about.

    `trace` follows both sides from the input to the result, place by place, where there are few.
    """

    name: str
    status: str
    left: float | None
    right: float | None
    trace: tuple[OneSidedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The slopes of a program and how they come about, at a point or (with `at` None) in symbols.

    result     what the result is called; `title` is the whole of it as one formula of the inputs
    status     as in `Answer`; at a special point `why`, `hint`, `span` and `sides` explain it
    forward    the places in order of evaluation; each with its value
    blocks     the backward table
    slopes     the answers, in the order asked for
    rows       values, tangents and adjoints of every place
    """

    result: str
    title: FormulaText
    at: Mapping[str, float] | None
    wrt: tuple[str, ...]
    mode: str
    status: str
    value: float | None
    forward: tuple[Place, ...]
    drawing: Drawing
    blocks: tuple[PathChain, ...]
    slopes: tuple[Slope, ...]
    rows: tuple[ModeRow, ...]
    cost: Cost
    cancelling: tuple[Cancelling, ...] = ()
    differences: tuple[Difference, ...] = ()
    checked: bool | None = None
    meanings: tuple[Meaning, ...] = ()
    update: Update | None = None
    why: str = ""
    hint: str = ""
    span: Span | None = None
    sides: tuple[OneSidedSlopes, ...] = ()
    notes: tuple[str, ...] = ()
    convention: str = ""
    bars: tuple[Bar, ...] = ()
    source: str = field(default="", repr=False)
    readings: tuple[Reading, ...] = field(default=(), repr=False)

    __str__ = display.text
    _repr_html_ = display.notebook_html
    to_html, to_latex, to_markdown = display.html, display.latex, display.markdown

    @property
    def partial(self) -> bool:
        """Whether there are several inputs, so that the slopes are partial derivatives."""
        return sum(place.kind in ("input", "held") for place in self.forward) > 1

    def to_dict(self) -> dict[str, Any]:
        """The explanation as JSON-ready data: every number in full, None for one that is no finite number."""
        data = plain(self)
        assert isinstance(data, dict)
        return {key: value for key, value in data.items() if key not in ("source", "readings")}


def plain(value: object) -> object:
    """Records as dictionaries, tuples as lists, and None for a number that is not finite, which JSON has not.

    The records nest a few levels deep, whatever the program.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(item) for name, item in zip(value._fields, value, strict=True)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
