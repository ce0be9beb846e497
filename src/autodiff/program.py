"""One object for one program: everything that the module's functions say of a text, under one name.

>>> p = Program("y = x^2; sin(y)")
>>> p(x=4.0), p.gradient(x=4.0)
(-0.2879033166650653, {'x': -7.661275842587077})
>>> str(p.derivative("x"))
'2*x*cos(x^2)'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodiff.api.evaluate import evaluate, parse
from autodiff.api.inputs import finite
from autodiff.errors import AutodiffError, quoted, shortened, with_flags
from autodiff.language.ast import TRAINING_CALLS

if TYPE_CHECKING:
    from autodiff.api.answer import Answer
    from autodiff.api.derivative import Derivative
    from autodiff.api.matrices import Matrix
    from autodiff.batch.compile import Compiled
    from autodiff.explanation.model import Explanation
    from autodiff.grading.compare import Compared
    from autodiff.plotting.model import Plot, Surface
    from autodiff.train.training import Training


class Program:
    """A program: a function of its inputs. Two are equal where their texts are; it pickles as its text.

    The inputs are keywords, or a mapping where a name is no keyword: `p(x=4)`, `p({"x[0]": 4})`. What is not there is
    None, and `evaluate` says why. Raises AutodiffError for a mistake in the text.
    """

    __slots__ = ("strict", "text")

    @with_flags
    def __init__(self, text: str, *, strict: bool = False) -> None:
        parse(text, strict=strict, functions=TRAINING_CALLS)  # which `train` alone takes
        self.text, self.strict = text, strict

    def __repr__(self) -> str:
        return f"Program({self.text!r})"

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and (self.text, self.strict) == (other.text, other.strict)

    def __hash__(self) -> int:
        return hash((self.text, self.strict))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs, in the order of the text."""
        from autodiff.core.lowering import lower

        return lower(parse(self.text, strict=self.strict)).inputs

    def __call__(self, at: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """The value at a point."""
        return evaluate(self.text, _point(at, named), [], strict=self.strict).value

    def evaluate(self, at: Mapping[str, Any] | None = None, /, **named: Any) -> Answer:
        """Value and slopes at a point, with what there is to know about them."""
        return evaluate(self.text, _point(at, named), strict=self.strict)

    def gradient(self, at: Mapping[str, Any] | None = None, /, **named: Any) -> dict[str, Any]:
        """The slope in each input at a point. Raises AutodiffError for a result that is an array, which has no gradient."""
        answer = self.evaluate(at, **named)
        if getattr(answer.value, "shape", ()):
            raise AutodiffError(
                f"{answer.result} is an array, and a gradient is of a number", hint=f"take sum({answer.result})"
            )
        return dict(answer.gradient)

    def explain(self, at: Mapping[str, Any] | None = None, /, **named: Any) -> Explanation:
        """How the slopes come about at a point; in symbols without one."""
        from autodiff.explanation.build import explain

        point = _point(at, named)
        return explain(self.text, point or None, strict=self.strict)

    def derivative(self, wrt: str | Sequence[str] | None = None, *, order: int = 1) -> Derivative:
        """The derivative as a formula."""
        from autodiff.api.derivative import derivative

        return derivative(self.text, wrt, order=order, strict=self.strict)

    def hessian(self, at: Mapping[str, Any] | None = None, /, **named: Any) -> Matrix:
        """The second derivatives at a point."""
        from autodiff.api.matrices import hessian

        return hessian(self.text, _point(at, named), strict=self.strict)

    def jvp(self, at: Mapping[str, Any], direction: Mapping[str, Any]) -> Matrix:
        """The derivative along a direction."""
        from autodiff.api.matrices import jvp

        return jvp(self.text, at, direction, strict=self.strict)

    def vjp(self, at: Mapping[str, Any], weights: Mapping[str, Any]) -> Matrix:
        """The gradient of the weighted sum of results."""
        from autodiff.api.matrices import vjp

        return vjp(self.text, at, weights, strict=self.strict)

    def plot(self, at: Mapping[str, Any] | None = None, /, *, order: int = 1, **named: Any) -> Plot | Surface:
        """The curve over one range, or contours over two: `p.plot(x=(-2, 2))`; other inputs have numbers."""
        from autodiff.diagnostics import listed
        from autodiff.plotting.curve import plot
        from autodiff.plotting.surface import surface

        given = _point(at, named)
        over, numbers = list[tuple[str, float, float]](), dict[str, float]()
        for name, value in given.items():
            ends = [_number(name, end) for end in (value if isinstance(value, tuple) else (value,))]
            if len(ends) == 1 and not isinstance(value, tuple):
                numbers[name] = ends[0]
            elif len(ends) != 2:
                raise AutodiffError(f"the range of {quoted(name)} needs two ends", hint=f"such as {name}=(-2, 2)")
            else:
                over.append((name, ends[0], ends[1]))
        known = self.inputs
        if unknown := [name for name in (*numbers, *(name for name, _, _ in over if known)) if name not in known]:
            hint = f"its inputs are {listed(known)}" if known else "it has none"
            raise AutodiffError(f"{quoted(unknown[0])} is not an input of this program", hint=hint)
        if len(over) == 2:
            return surface(self.text, over[0], over[1], numbers)
        if len(over) != 1:
            raise AutodiffError(f"a plot is over one or two ranges, not {len(over)}", hint="such as x=(-2, 2)")
        return plot(self.text, over[0], numbers, order)

    def compile(self, wrt: Sequence[str] | None = None, *, exact: bool = False) -> Compiled:
        """A function over columns: keywords, a mapping, or a table."""
        from autodiff.batch.compile import compile as compiled

        return compiled(self.text, wrt, exact=exact, strict=self.strict)

    def export(self, to: str, wrt: Sequence[str] | None = None) -> str:
        """Value and gradient as source code."""
        from autodiff.codegen.registry import requested, written

        return written(requested(self.text, to, wrt, strict=self.strict), to)

    def check(self, answer: str, wrt: str | None = None) -> Compared:
        """Whether a formula is the derivative, and if not, which mistake it is."""
        from autodiff.grading.compare import compare

        return compare(self.text, answer, wrt, strict=self.strict)

    def train(
        self,
        table: Any,
        params: Mapping[str, Any],
        *,
        epochs: int = 100,
        lr: float = 0.1,
        optimizer: str = "sgd",
        batch_size: int = 0,
        seed: int = 0,
        missing: str = "error",
    ) -> Training:
        """Gradient descent of the last statement over the rows of a table, from `params` on, as `autodiff train` does it.

        The training keeps the parameters of the least loss (`parameters`), and `ending` says how it ended, such as
        "diverged". A column of texts has codes. A row with NaN is an error, left out (`missing="drop"`), or has the column's
        mean for it (`missing="mean"`). Raises AutodiffError where there is no loss to start from.
        """
        from autodiff.tables.columns import NumericTable, program_names
        from autodiff.tables.frames import column_names, columns_of, without_missing
        from autodiff.train.declarations import Kept, chooser
        from autodiff.train.ending import trained
        from autodiff.train.loop import Hyperparameters, require_plan
        from autodiff.train.training import Training

        if not isinstance(params, Mapping) or not params:
            raise AutodiffError(
                f"params are the start of each parameter, not {shortened(repr(params))}", hint='such as {"w": 0.0}'
            )
        plan = Hyperparameters(epochs, lr, optimizer, batch_size, seed)
        require_plan(plan)
        start, kept = {str(name): finite(str(name), value) for name, value in params.items()}, Kept()
        needed = chooser(self.text, list(start), (), kept)([*program_names(column_names(table))])
        columns, rows = without_missing(columns_of(table, needed, kept.codes), missing, kept.codes)
        numbers = NumericTable("the table", columns, rows, "row") if columns else None
        return trained(Training(self.text, numbers, start, plan, strict=self.strict, explain=None, kept=kept))


def _number(name: str, value: Any) -> float:
    number = finite(name, value)
    if not isinstance(number, float):
        raise AutodiffError(
            f"a plot takes numbers, and {quoted(name)} is an array", hint="a range is a pair: x=(-2, 2)"
        )
    return number


def _point(at: Mapping[str, Any] | None, named: Mapping[str, Any]) -> dict[str, Any]:
    if at is not None and not isinstance(at, Mapping):
        raise AutodiffError(f"a point is a value for each name, not {shortened(repr(at))}", hint="such as p(x=4.0)")
    return {str(name): value for name, value in {**(at or {}), **named}.items()}
