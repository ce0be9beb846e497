"""Random programs, points and tables: mostly sensible, with numbers at the ends of the range, and some broken ones."""

from __future__ import annotations

import json
import re

from hypothesis import strategies as st

from autodiff.core import rules

NAMES = ["x", "y", "z"]

_CALLS = sorted({(name, arity) for name, arity in rules.TABLE if name in rules.functions() and arity <= 3})
_FOLDS = ["sum", "mean", "prod", "norm", "max", "min", "softmax", "logsumexp", "dot", "transpose", "std", "var"]
_NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "0.1",
    "1e-3",
    "1e3",
    "1e5",
    "1e-8",
    "1e300",
    "1e-300",
    "5e-324",
    "1.7e308",
    "pi",
    "e",
    "1/3",
    "150",
    "0.3",
]
_ARRAYS = ["[1, 2, 3]", "[x, y]", "[[1, 2], [3, 4]]", "[x, 2]", "zeros(3)", "ones(2)", "[[x, y], [1, 2]]"]
_POINTS = [
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "-0.5",
    "4",
    "1e-8",
    "1e-200",
    "1e200",
    "1e-320",
    "-1e5",
    "1/3",
    "pi/2",
    "700",
    "-745",
    "1e308",
    "0.1+0.2",
]
_ARRAY_POINTS = ["[1, 2, 3]", "[0, -1]", "[[1, 2], [3, 4]]", "[1e200, 1e-200]", "[]", "[1]"]
_CELLS = ["1", "0", "-1", "2.5", "1e300", "1e-300", "nan", "inf", "-0", "1e999", "0.10000000000000000001", "x", "true"]
_CELLS += ["", " 3", '"4"', "1,5", "é"]


def expressions(*, arrays: bool = False) -> st.SearchStrategy[str]:
    """One expression over `NAMES`, of numbers or of arrays too."""
    leaves = st.sampled_from(NAMES) | st.sampled_from(NAMES) | st.sampled_from(_NUMBERS)
    return st.recursive(
        leaves | st.sampled_from(_ARRAYS) if arrays else leaves, _of_arrays if arrays else _larger, max_leaves=8
    )


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(made: tuple[tuple[str, int], list[str]]) -> str:
        (name, arity), args = made
        return f"{name}({', '.join(args[:arity])})"

    sums = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "^"]), inner).map(lambda m: f"({m[0]} {m[1]} {m[2]})")
    choices = st.tuples(inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner, inner)
    return st.one_of(
        sums,
        sums,
        st.tuples(st.sampled_from(_CALLS), st.lists(inner, min_size=3, max_size=3)).map(call),
        choices.map(lambda m: f"if({m[0]} {m[1]} {m[2]}, {m[3]}, {m[4]})"),
        inner.map(lambda u: f"(-{u})"),
    )


def _of_arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        _larger(inner),
        st.tuples(st.sampled_from(_FOLDS), inner).map(lambda m: f"{m[0]}({m[1]})"),
        st.tuples(inner, inner).map(lambda m: f"({m[0]} @ {m[1]})"),
        st.tuples(inner, st.integers(-1, 3)).map(lambda m: f"{m[0]}[{m[1]}]"),
    )


@st.composite
def programs(draw: st.DrawFn, *, arrays: bool = False) -> str:
    """A program of a few statements; one in twelve with a sign too much, too few or exchanged."""
    kind, expression = draw(st.integers(0, 9)), expressions(arrays=arrays)
    last = draw(expression)
    if kind <= 2:
        last = f"u = {draw(expression)}; {last} + u"
    elif kind == 3:
        last = f"f(t) = sin(t)*{draw(st.sampled_from(['t', '2', 'x']))}; f({last}) + f(y)"
    elif kind == 4:
        last = f"u = {draw(expression)}; v = u^2; if(u > x, v, u) + {last}"
    if draw(st.integers(0, 11)) == 0:
        last = _broken(draw, last)
    return last


def _broken(draw: st.DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    sign = draw(
        st.sampled_from(["", ",", "(", ")", "'", "\u2013", "²", "\x00", "\ud800", "=", ";", "{", "π", "1e", "..", "\n"])
    )
    return text[:at] + sign + text[at + draw(st.integers(0, 2)) :]


@st.composite
def points(draw: st.DrawFn, program: str, *, arrays: bool = False) -> str:
    """A point for a program with numbers or arrays; sometimes one that does not fit."""
    values = st.sampled_from(_POINTS) | st.sampled_from(_ARRAY_POINTS) if arrays else st.sampled_from(_POINTS)
    names = [name for name in NAMES if re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", program)]
    names = draw(st.sampled_from([names] * 15 + [["x", "q"]]))
    return ",".join(f"{name}={draw(values)}" for name in names)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """A table, with its format: rows over `NAMES`, with odd cells."""
    names = draw(st.sampled_from([NAMES] * 8 + [[*NAMES, "label"], ["x"], ["x", "x", "y"], ["x", "", "y"]]))
    cells = (
        st.sampled_from(_CELLS)
        | st.sampled_from(["1", "2", "-3.5"])
        | st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr)
    )
    rows = draw(st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), max_size=5))
    form = draw(st.sampled_from(["csv", "csv", "tsv", "ndjson"]))
    if form == "ndjson":
        pairs = [", ".join(f"{json.dumps(n)}: {_json(c)}" for n, c in zip(names, row, strict=True)) for row in rows]
        text = "".join(f"{{{pair}}}\n" for pair in pairs)
    else:
        text = "".join((("," if form == "csv" else "\t").join(row) + "\n") for row in [names, *rows])
    content = text.encode("utf-8", "surrogatepass")
    cut = draw(st.integers(0, 20))
    return form, content[: len(content) - cut] if cut < 4 else content


def _json(cell: str) -> str:
    try:
        float(cell)
    except ValueError:
        return json.dumps(cell)
    return cell.strip() if cell.strip()[-1:].isdigit() else "null"
