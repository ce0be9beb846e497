"""The record that answers a question at a point: value, slopes, status, and why a number is missing.

>>> from autodiff import evaluate
>>> evaluate("abs(x)", {"x": 0.0}).to_dict()["one_sided"]
{'x': [-1.0, 1.0]}
"""

# no `from __future__ import annotations`: a NamedTuple compiles annotations that are texts, at every start
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from autodiff import display
from autodiff.errors import Span
from autodiff.language.ast import Reading
from autodiff.record import Record

if TYPE_CHECKING:
    from autodiff.nonsmooth.verdict import Status, Verdict

Value: TypeAlias = Any
"""A float, or a NumPy array where arrays appear, or None; NumPy is not imported to say so."""


class Answer(Record):
    """Value and slopes at a point, filled by one pipeline for numbers, arrays and rows.

    result      what the result is called
    value       the result there; None where it does not exist
    gradient    the slope in each name of `wrt`, shaped like it; None where there is none, NaN for such an element
    at          the value of every input
    mode        reverse, forward or both
    status      ok, corner, jump, infinite, domain, overflow or unknown; all but ok say `why`
    span        the part of the program that is the reason
    verdicts    statuses and one-sided slopes of the names, or elements such as `w[0]`, that move a special point
    notes       remarks on numbers that exist
    convention  the framework whose number replaces a slope at a corner, on request
    frameworks  what torch and jax give at a hard point, per name, where that is a number and not the slope
    checked     whether the other mode confirmed the gradient; None without a check, or where it decides nothing
    forward     with mode "both", the slopes by the forward sweep
    order       the highest derivative that was asked for
    derivatives with an order above 1, the derivatives of orders 1, 2, …; None where there is none
    readings    parts of the program that a person might read otherwise
    digits      how many proven digits were asked for; numbers are then texts of them, arrays of texts; 0 for float64
    bits        the precision of the ball arithmetic that proved the digits; 0 where float64's are sure
    """

    result: str
    value: Value
    gradient: Mapping[str, Value]
    at: Mapping[str, Value]
    mode: str
    status: "Status" = "ok"
    why: str = ""
    hint: str = ""
    span: Span | None = None
    verdicts: "Mapping[str, Verdict]" = MappingProxyType({})
    notes: tuple[str, ...] = ()
    convention: str = ""
    frameworks: Mapping[str, Mapping[str, float]] = MappingProxyType({})
    checked: bool | None = None
    forward: Mapping[str, Value] | None = None
    order: int = 1
    derivatives: tuple[Value, ...] = ()
    readings: tuple[Reading, ...] = ()
    source: str = ""
    digits: int = 0
    bits: int = 0

    def filled(
        self,
        value: Value,
        gradient: Mapping[str, Value],
        forward: Mapping[str, Value] | None = None,
        *,
        checked: bool | None = None,
        notes: tuple[str, ...] = (),
        digits: int = 0,
        bits: int = 0,
    ) -> "Answer":
        """The answer with its numbers, whatever computed them: sweeps over numbers or arrays, balls, or elements one by one.

        A name of the answer that `gradient` lacks has no slope (yet).
        """
        return self._replace(
            value=_unsigned(value),
            gradient=self._slopes(gradient),
            forward=None if forward is None else self._slopes(forward),
            checked=self.checked if checked is None else checked,
            notes=(*self.notes, *notes),
            digits=digits or self.digits,
            bits=bits or self.bits,
        )

    def _slopes(self, known: Mapping[str, Value]) -> dict[str, Value]:
        return dict.fromkeys(self.gradient) | {name: _unsigned(slope) for name, slope in known.items()}

    def lacking(
        self,
        status: "Status",
        why: str,
        *,
        hint: str = "",
        span: Span | None = None,
        verdicts: "Mapping[str, Verdict]" = MappingProxyType({}),
    ) -> "Answer":
        """The answer where a number is missing: why, where in the program, and the verdicts on names that lack a slope."""
        verdicts = {**self.verdicts, **verdicts} if verdicts else self.verdicts
        return self._replace(status=status, why=why, hint=hint or self.hint, span=span or self.span, verdicts=verdicts)

    def __reduce__(self) -> tuple[type["Answer"], tuple[Any, ...]]:
        """What pickle keeps: the fields, with an ordinary mapping where there is nothing."""
        return Answer, tuple({} if isinstance(value, MappingProxyType) else value for value in self)

    __str__ = display.text
    _repr_html_, _repr_latex_ = display.notebook_html, display.notebook_latex
    to_html, to_latex, to_markdown = display.html, display.latex, display.markdown

    @property
    def complete(self) -> bool:
        """Whether the value and every slope that was asked for are there."""
        return not any(_missing(number) for number in (self.value, *self.gradient.values(), *self.derivatives))

    @property
    def one_sided(self) -> dict[str, tuple[float | None, float | None]]:
        """The slopes from the left and from the right, for each name whose sides differ; None is no finite slope."""
        sided = {n: v for n, v in self.verdicts.items() if v.status in ("corner", "infinite", "jump")}
        return {name: (clean(v.left), clean(v.right)) for name, v in sided.items()}

    def ulps_apart(self, *names: str) -> dict[str, float]:
        """With mode "both": how many units in the last place the two modes differ by, per name; of all without `names`."""
        return {
            name: max(
                (_ulps(a, b) for a, b in zip(numbers(slope), numbers((self.forward or {}).get(name)), strict=False)),
                default=0.0,
            )
            for name in names or self.gradient
            if (slope := self.gradient[name]) is not None
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
            "verdicts": {name: verdict.status for name, verdict in self.verdicts.items()} or None,
            "notes": list(self.notes) or None,
            "convention": self.convention or None,
            "digits": self.digits or None,
            "bits": self.bits or None,
            "frameworks": {name: dict(numbers_there) for name, numbers_there in self.frameworks.items()} or None,
        }
        return data | known(optional)


def known(optional: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that say something: those without None."""
    return {key: value for key, value in optional.items() if value is not None}


def nested(value: Value) -> Any:
    """A number or an array as JSON: an array as nested lists, NaN as null."""
    if value is None or isinstance(value, float | str):
        return None if value is None or value != value else value
    return [nested(item) for item in value.tolist()] if hasattr(value, "tolist") else [nested(item) for item in value]


def numbers(value: Value) -> list[float | None]:
    """The number, or the elements of an array, last axis fastest; None for one that does not exist."""
    return list(flat(nested(value)))


def flat(value: Any) -> Iterator[Any]:
    """The elements of nested lists, in order."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, list | tuple):
            todo.extend(reversed(item))
        else:
            yield item


def _ulps(a: float | None, b: float | None) -> float:
    return 0.0 if a is None or b is None else abs(a - b) / math.ulp(max(abs(a), abs(b)))


def _missing(value: Value) -> bool:
    return value is None or bool((value != value).any() if hasattr(value, "any") else value != value)


def _unsigned(number: Value) -> Value:
    return number + 0.0 if isinstance(number, float) else number


def clean(slope: float | None) -> float | None:
    """A slope as it is printed: no -0, and None where it is no number."""
    return slope + 0.0 if slope is not None and math.isfinite(slope) else None
