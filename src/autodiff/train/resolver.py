"""Declarations become operations of the language once the rows of a training are known, or what was kept of them.

>>> from autodiff.train.declarations import declared
>>> resolver = Resolver({}, Kept(), {"x": np.array([1.0, 3.0])}, slice(None))
>>> program = resolver.resolved(declared("standardise(x)", ["x"], []).program)
>>> program.statements[-1].body.label(), resolver.kept.scales
('/', {'standardise(x)': [2.0, 1.0]})
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodiff.arrays import algebra
from autodiff.core.evaluate import DomainError
from autodiff.core.lowering import lower
from autodiff.diagnostics import outside
from autodiff.errors import AutodiffError, Span, data_error, quoted
from autodiff.language.ast import (
    Array,
    Call,
    Define,
    Expr,
    Expression,
    Index,
    Name,
    Number,
    ParsedProgram,
    Statement,
    rewritten,
    walk,
)
from autodiff.train.declarations import Columns, Kept, is_declaration, varying, with_body

ROUNDING = 4
"""Steps of float64, at its largest number, between the least and the largest number of a column that counts as constant."""

MOST_CLASSES = 10_000
"""Of a `one_hot`: more are rather a measured number than a class."""


class Resolver:
    """Replaces declarations by operations, from the columns of all rows and of those `trained` on (a mask or numbers).

    `kept` is filled by a training and looked up by a prediction, for which `rows` is None. `masks` are the inputs that
    `dropout` makes, with their shares; `ranges` the expressions that must be whole numbers below a limit in each row.
    """

    def __init__(self, parameters: Mapping[str, Any], kept: Kept, rows: Columns | None, trained: Any = None) -> None:
        self.parameters, self.kept, self.rows, self.trained = parameters, kept, rows, trained
        self.masks: dict[str, float] = {}
        self.ranges: list[tuple[Expr, int]] = []
        self._program = ParsedProgram("", ())
        self._before: list[Statement] = []

    def resolved(self, program: ParsedProgram) -> ParsedProgram:
        """The program without declarations. Raises AutodiffError for one in a place where it has no meaning."""
        self._program, self._before = program, []
        try:
            for statement in program.statements:
                if isinstance(statement, Define):
                    self._require_none(statement)
                    self._before.append(statement)
                else:
                    self._before.append(with_body(statement, rewritten(statement.body, self._replaced)))
        except AutodiffError as error:
            raise error.within(program.source) from None
        return program.with_statements(self._before)

    def _require_none(self, function: Define) -> None:
        for node in walk((function.body,)):
            if is_declaration(node):
                raise AutodiffError(
                    f"{node.name} can't stand in a function of the program",
                    span=node.span,
                    hint=f"give its value to the function: X = {node.name}(…); f(X)",
                )

    def _replaced(self, node: Expr) -> Expr:
        if isinstance(node, Index) and varying(node.indices):
            return self._row_of(node)
        if not is_declaration(node):
            return node
        replace: Callable[[Call], Expr] = {
            "one_hot": self._one_hot, "standardise": self._standardised, "dropout": self._dropped,
        }[node.name]  # fmt: skip
        return replace(node)

    def _text(self, node: Expr) -> str:
        return re.sub(r"\s+", "", self._program.source[slice(*node.span)])

    def _one_argument(self, call: Call) -> Expr:
        if len(call.args) != 1:
            raise AutodiffError(
                f"{call.name} takes 1 argument, not {len(call.args)}", span=call.span, hint=f"write {call.name}(x)"
            )
        return call.args[0]

    def _standardised(self, call: Call) -> Expr:
        inner, key = self._one_argument(call), self._text(call)
        if key not in self.kept.scales:
            values = np.asarray(self._of_rows(inner, call)[self.trained], float)
            least, largest = np.min(values, axis=0), np.max(values, axis=0)
            constant = largest - least <= ROUNDING * np.spacing(np.maximum(abs(least), abs(largest)))
            self.kept.scales[key] = [
                np.clip(np.mean(values, axis=0), least, largest).tolist(),
                np.where(constant, 1.0, np.std(values, axis=0)).tolist(),
            ]  # fmt: skip
        mean, deviation = (_literal(np.asarray(number, float), call.span) for number in self.kept.scales[key])
        return _call("/", _call("-", inner, mean), deviation)

    def _one_hot(self, call: Call) -> Expr:
        inner = self._one_argument(call)
        return self._classes(inner, self._count(call, inner))

    def _classes(self, codes: Expr, count: int) -> Expr:
        self.ranges.append((codes, count))
        span = codes.span
        return _call("==", _call("expand_dims", codes, Number(1.0, span)), _literal(np.arange(float(count)), span))

    def _count(self, call: Expr, inner: Expr) -> int:
        """How many classes there are among the rows."""
        key = self._text(call)
        if key in self.kept.classes:
            return self.kept.classes[key]
        codes = self._of_rows(inner, call)
        self._require_codes(codes, inner, MOST_CLASSES, "a column of texts becomes such codes by itself")
        count = int(np.max(codes)) + 1
        if isinstance(inner, Name) and inner.name in self.kept.codes:
            count = len(self.kept.codes[inner.name])
        self.kept.classes[key] = count
        return count

    def _require_codes(self, codes: Any, inner: Expr, limit: int, advice: str) -> None:
        bad = (codes < 0) | (codes != np.floor(codes)) | (codes >= limit)
        if np.ndim(codes) != 1 or bad.any():
            what = f"{codes[bad][0]:g} in row {int(np.argmax(bad)) + 1}" if np.ndim(codes) == 1 else "a matrix"
            raise data_error(
                f"{quoted(self._text(inner))} must be a whole number from 0 to {limit - 1:,} in each row, and it is {what}",
                span=inner.span,
                hint=advice,
            )

    def _row_of(self, node: Index) -> Expr:
        """`U[user]`, `U[user, item]`: the row or the element of a parameter for each row of the table."""
        base, codes = node.base, node.indices[0]
        shape: tuple[int, ...] = np.shape(self.parameters.get(base.name, 0.0)) if isinstance(base, Name) else ()
        if not isinstance(base, Name) or len(shape) < len(node.indices):
            raise AutodiffError(
                "an index that differs from row to row takes a row of a parameter, or an element",
                span=node.span,
                hint="name an array among the parameters: --params U=normal(10,3) and U[user], or U[user, column]",
            )
        codes = self._code(node, base.name, codes, shape[0])
        for index, count in zip(node.indices[1:], shape[1:], strict=False):
            code = self._code(node, base.name, index, count)
            codes = _call("+", _call("*", codes, Number(float(count), index.span)), code)
        if len(node.indices) == 1:
            return _call("gather", base, codes)
        sizes = math.prod(shape[: len(node.indices)]), *shape[len(node.indices) :]
        return _call("gather", _call("reshape", base, *(Number(float(size), base.span) for size in sizes)), codes)

    def _code(self, node: Index, name: str, codes: Expr, count: int) -> Expr:
        """An index of the parameter `name` that is a whole number below `count` in each row."""
        advice = f"{name} has {count} row{'s' * (count != 1)}: give it one for each index"
        if not varying((codes,)):
            lowered = lower(self._program.with_statements([Expression(codes, codes.span)]))
            place = float(algebra.evaluate(lowered, {}).values[lowered.result])
            place += count * (place < 0)
            self._require_codes(np.array([place]), codes, count, advice)
            return Number(place, codes.span)
        if self.rows is not None:
            advice = advice if codes is node.indices[0] else advice.replace("row", "column", 1)
            self._require_codes(self._of_rows(codes, node), codes, count, advice)
        self.ranges.append((codes, count))
        if self.rows is None:  # a row of a prediction is reported by `ranges`, and its number has to be some place
            span = codes.span
            codes = _call("floor", _call("max", _call("min", codes, Number(count - 1.0, span)), Number(0.0, span)))
        return codes

    def _dropped(self, call: Call) -> Expr:
        share = call.args[1].value if len(call.args) == 2 and isinstance(call.args[1], Number) else -1.0
        if not 0 <= share < 1:
            raise AutodiffError(
                "dropout takes an array and the share of it that is dropped, from 0 to below 1",
                span=call.span,
                hint="write for example dropout(h, 0.2)",
            )
        name = f"dropout at {call.span[0]}"
        self.masks[name] = share
        return _call("*", call.args[0], Name(name, call.span))

    def _of_rows(self, inner: Expr, call: Expr) -> Any:
        """The values of an expression of columns, in all rows."""
        if self.rows is None:
            raise AutodiffError(
                f"{self._text(call)} is not known: nothing was kept for it with the parameters",
                span=call.span,
                hint="give --at @FILE.json that train --save wrote for this program",
            )
        lowered = lower(self._program.with_statements([*self._before, Expression(inner, inner.span)]))
        used = [lowered.graph.inputs[n] for n in lowered.graph.reaching(lowered.result) if n in lowered.graph.inputs]
        if other := [name for name in used if name not in self.rows]:
            raise AutodiffError(
                f"{self._text(call)} is computed from the columns once, and {quoted(other[0])} is none",
                span=call.span,
                hint="use it on columns, before parameters come in",
            )
        try:
            value = np.asarray(algebra.evaluate(lowered, self.rows).values[lowered.result], float)
        except DomainError as trouble:
            raise data_error(outside(lowered, trouble, {}), span=lowered.graph.spans[trouble.node]) from None
        if not value.ndim or len(value) != len(next(iter(self.rows.values()))):
            raise AutodiffError(
                f"{quoted(self._text(inner))} has no number for each row", span=inner.span, hint="use it on columns"
            )
        return value


def _call(name: str, *args: Expr) -> Call:
    span = args[0].span[0], args[0].span[1]
    return Call(name, args, span, span)


def _literal(value: Any, span: Span) -> Expr:
    """A number, or an array of numbers, as an expression."""
    if not np.ndim(value):
        return Number(float(value), span)
    return Array(tuple(_literal(part, span) for part in value), span)
