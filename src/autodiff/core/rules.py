"""The table: every function of the language, one row each, looked up by name; nothing else knows a derivative.

To add a function, add a row to one of the files of `table`. `core.primitive` says what the columns mean; the first string
after the names is the list of arguments, then comes the value, then one local slope per argument, all in our own language.

>>> find("sin", 1).partials, find("max", 3).signature
(('cos(u)',), 'max(u, v, …)')
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from autodiff.core import prelude
from autodiff.core.primitive import Primitive, literal
from autodiff.core.table.arrays import ARRAYS, MATRICES
from autodiff.core.table.elementary import CONDITIONS, DERIVED, DERIVED_NETWORKS, NETWORKS, SCHOOL
from autodiff.core.table.special import SPECIAL

GROUPS: Mapping[str, tuple[Primitive, ...]] = {
    "school": (*SCHOOL, *DERIVED, *CONDITIONS),
    "special": SPECIAL,
    "arrays": (*ARRAYS, *MATRICES),
    "networks": (*NETWORKS, *DERIVED_NETWORKS),
}
"""The rows by what they are used for; the losses of the prelude are one more group."""

_LITERAL = literal(1).value
"""What the row behind a call computes that is one of an array literal, of however many elements."""

TABLE: dict[tuple[str, int], Primitive] = {
    (name, row.arity): row for rows in GROUPS.values() for row in rows for name in row.names
}
"""Every row under each of its names: (name, number of arguments) → row."""


def add(row: Primitive) -> None:
    """Put a row into the table; its name is a function of the language from now on.

    Raises ValueError when the name is taken.
    """
    taken = [n for n in row.names if (n, row.arity) in TABLE]
    if taken:
        raise ValueError(f"{taken[0]} with {row.arity} arguments is in the table already")
    for name in row.names:
        TABLE[name, row.arity] = row
    forget()


def forget() -> None:
    """Look names up again: the table has changed."""
    functions.cache_clear()
    find.cache_clear()
    logic.cache_clear()


def group(row: Primitive) -> str:
    """The group of a row; one that was added is among those of school."""
    return next((name for name, table in GROUPS.items() if row in table), "school")


def rows() -> tuple[Primitive, ...]:
    """Every row once, in the order of the table."""
    return tuple(dict.fromkeys(TABLE.values()))


@lru_cache(maxsize=4096)
def find(name: str, arity: int) -> Primitive | None:
    """The row of a call with so many arguments, variadic ones included (as their two-argument row)."""
    row = TABLE.get((name, arity))
    if row is None and arity > 2:
        row = TABLE.get((name, 2))
        row = row if row and row.variadic else None
    return literal(arity) if row is not None and row.value == _LITERAL else row


def arities(name: str) -> list[int]:
    """With how many arguments `name` can be called; empty when it is no function."""
    return sorted(arity for n, arity in TABLE if n == name)


@lru_cache(maxsize=1)
def functions() -> frozenset[str]:
    """The names that a program can call, losses included."""
    words = (name for name, _ in TABLE if name.isidentifier() and name not in ("and", "or", "not"))
    return prelude.names().union(words)


@lru_cache(maxsize=1)
def logic() -> frozenset[str]:
    """The names of what takes conditions and is one."""
    return frozenset(name for (name, _), row in TABLE.items() if row.is_predicate and row.conditions)
