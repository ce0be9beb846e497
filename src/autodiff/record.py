"""Named tuples that are quick to define: `typing.NamedTuple` compiles source for each class, a tenth of a one-line program's time.

>>> class Interval(Record):
...     low: float
...     high: float = 1.0
>>> Interval(0.5), Interval(low=0.5).high, Interval(0.5)._replace(high=2.0)
(Interval(low=0.5, high=1.0), 1.0, Interval(low=0.5, high=2.0))
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record(tuple[Any, ...]):
    """A tuple whose items have names: a subclass annotates them, those with a default last, as for `NamedTuple`."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        cls._defaults = {name: vars(cls)[name] for name in cls._fields if name in vars(cls)}
        for place, name in enumerate(cls._fields):
            setattr(cls, name, property(itemgetter(place)))

    def __new__(cls, *values: Any, **named: Any) -> Self:
        if len(values) != len(cls._fields):
            names, defaults = cls._fields[len(values) :], cls._defaults
            values += tuple([named.pop(n) if n in named else defaults[n] for n in names if n in named or n in defaults])
        if named or len(values) != len(cls._fields):
            raise TypeError(f"{cls.__name__} has the fields {', '.join(cls._fields)}")
        return super().__new__(cls, values)

    def _replace(self, **changes: Any) -> Self:
        """The record with other values in the fields that are named."""
        return type(self)(*[changes.pop(n, v) for n, v in zip(self._fields, self, strict=True)], **changes)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({fields})"
