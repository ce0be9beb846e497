"""The point of an evaluation and the names to differentiate by, from what a user gives: every slip gets its next step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from autodiff import diagnostics
from autodiff.api.answer import flat
from autodiff.core import rules
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.lowering import Lowered, lower
from autodiff.core.primitive import ELEMENTWISE
from autodiff.errors import AutodiffError, Span, did_you_mean, nearest, normalised, quoted, shortened
from autodiff.language.ast import Call, Expr, Expression, Name, Number, ParsedProgram, Reading, rewritten
from autodiff.language.exact_float import UP, ExactFloat
from autodiff.language.parser import parse_bindings
from autodiff.language.synonyms import NO_NUMBERS, UNITS, as_a_value, factors, instead
from autodiff.verify import error_bound
from autodiff.verify.rounding import LEAST, Unsure

Value: TypeAlias = Any
"""A float, or a NumPy array."""

_TYPED = 20_000
"""Equations of an array's elements up to which each is known as it was typed."""

SAMPLES = frozenset(("normal", "uniform", "he", "xavier"))
"""Functions that only `--params` of a training takes: samples of these distributions."""

Sample: TypeAlias = "Callable[[str, tuple[int, ...]], Value]"


class Point(dict[str, Value]):
    """A value for each name; `typed` has the elements of arrays that were typed, last axis fastest, as they are meant."""

    def __init__(self, values: Mapping[str, Value], typed: Mapping[str, Sequence[float]]) -> None:
        super().__init__(values)
        self.typed = typed


def elements(point: Mapping[str, Value], name: str) -> Sequence[float]:
    """The numbers of a value at a point, last axis fastest."""
    value = point[name]
    if isinstance(value, float):
        return [value]
    numbers: list[float] = value.ravel().tolist()
    return point.typed.get(name, numbers) if isinstance(point, Point) else numbers


def appear(lowered: Lowered, point: Mapping[str, Any]) -> bool:
    """Whether the program or its point needs more than plain numbers."""
    arrays = any(not isinstance(value, float) for value in point.values())
    return arrays or any(row is not None and row.kind != ELEMENTWISE for row in set(lowered.graph.rows))


def parse_point(text: str, sample: Sample | None = None, readings: list[Reading] | None = None) -> dict[str, Value]:
    """The values of `x=4,y=[1, pi/2]`; each is a constant expression. Raises AutodiffError with the place of a mistake.

    What a person may read otherwise, such as `x=1/2pi`, is put into `readings`. With `sample`, `normal(3, 2)` is what `sample("normal", (3, 2))` gives.
    """
    point: dict[str, Value] = {}
    for binding in parse_bindings(text, rules.functions() | (SAMPLES if sample else set()), readings):
        name = binding.target.name
        if name in point:
            raise AutodiffError(f"{quoted(name)} is given twice", span=binding.target.span, source=text)
        body, samples = (binding.body, {}) if sample is None else _sampled(binding.body, text, sample)
        lowered = lower(ParsedProgram(text, (Expression(body, body.span),)))
        unknown = [name for name in lowered.inputs if name not in samples]
        if unknown:
            raise AutodiffError(
                f"the value of {quoted(name)} must be a number, and {quoted(unknown[0])} has no value here",
                span=binding.body.span,
                source=text,
                hint=as_a_value(unknown[0]) or "use numbers, pi, e, tau and functions of them",
            )
        point[name] = _constant(lowered, samples)
    return point


def _sampled(root: Expr, text: str, sample: Sample) -> tuple[Expr, dict[str, Value]]:
    """The expression with a name in place of every `normal(…)` and its like, and the values of these names."""
    samples: dict[str, Value] = {}

    def sampled(node: Expr) -> Expr:
        if not isinstance(node, Call) or node.name not in SAMPLES:
            return node
        name = f"{node.name} {len(samples)}"
        samples[name] = sample(node.name, _sizes(node, text))
        return Name(name, node.span)

    return rewritten(root, sampled), samples


def _sizes(call: Call, text: str) -> tuple[int, ...]:
    sizes = [arg.value for arg in call.args if isinstance(arg, Number)]
    least = 1 if call.name in ("he", "xavier") else 0  # they are about a layer
    if (
        not least <= len(sizes) == len(call.args)
        or not all(size >= 1 and size == int(size) for size in sizes)
        or len(sizes) > 3
    ):
        raise AutodiffError(
            f"{call.name} takes up to three sizes",
            span=call.span,
            source=text,
            hint=f"write for example {call.name}(3, 2)",
        )
    return tuple(int(size) for size in sizes)


def _constant(lowered: Lowered, samples: Mapping[str, Value]) -> Value:
    """The value of a program without other inputs than `samples`, which must have one."""
    try:
        if appear(lowered, samples):
            from autodiff.arrays import inputs  # most values are plain numbers

            value = inputs.constant(lowered, samples)
            return value if samples else _typed_array(lowered, value)
        value = primal(lowered, samples).values[lowered.result]
        return value if samples else _as_typed(lowered, value)
    except DomainError as trouble:
        raise lowered.error(trouble.node, diagnostics.outside(lowered, trouble, {})) from None


def _typed_array(lowered: Lowered, value: Value) -> Value:
    """The value of a constant expression; an array as nested lists where elements of it are no float64."""
    from autodiff.arrays.inputs import numpy
    from autodiff.arrays.scalarize import flatten

    if (block := flatten(lowered, {}, _TYPED)) is None:
        return value
    flat, floats = block.lowered, numpy().ravel(value).tolist()
    nodes = zip(block.result.nodes, floats, strict=True)
    typed = [_as_typed(flat._replace(result=node), number) for node, number in nodes]
    if not any(isinstance(number, ExactFloat) for number in typed) and typed == floats:
        return value
    return typed[0] if isinstance(value, float) else numpy().array(typed, dtype=object).reshape(value.shape).tolist()


def _as_typed(lowered: Lowered, value: float) -> float:
    """The value of a constant expression: a number of its own where it is no float64, as of -0.1 and 1/3."""
    graph, node = lowered.graph, lowered.result
    row, args = graph.rows[node], graph.args[node]
    if row is None:
        return graph.constants[node]
    if row.value == "neg" and args[0] in graph.constants:
        number = graph.constants[args[0]]
        return ExactFloat(value, lowered, number.error) if isinstance(number, ExactFloat) else value
    from fractions import Fraction  # most values are one number

    from autodiff.numbers.exact import EXACT

    exact = EXACT.unchecked(lowered, {}).values[node]
    if isinstance(exact, Fraction | int):
        with suppress(OverflowError):
            number = float(exact)
            apart = float(abs(exact - Fraction(number)))
            return ExactFloat(number, lowered, max(UP * apart, LEAST)) if apart else number
    return ExactFloat(value, lowered, _error(lowered))


def _error(lowered: Lowered) -> float:
    """How far the value of a constant expression may be off; more than itself where that is not known."""
    run = primal(lowered, {})
    value = float(run.values[lowered.result])
    try:
        return error_bound.values(lowered, run)[lowered.result]
    except (Unsure, OverflowError):
        return 1.0 + abs(value)


def bind(lowered: Lowered, at: Mapping[str, Any]) -> Point:
    """A finite float or an array of such for every input of the program, and for nothing else."""
    given: dict[str, Value] = {}
    typed: dict[str, Sequence[float]] = {}
    if not isinstance(at, Mapping):
        raise AutodiffError(f"a point is a value for each name, not {shortened(repr(at))}", hint='such as {"x": 4.0}')
    for key, value in at.items():
        name = normalised(str(key))
        if name in given:
            raise AutodiffError(f"{quoted(name)} is given twice")
        given[name] = finite(name, value)
        if isinstance(value, list | tuple) and any(isinstance(number, ExactFloat) for number in flat(value)):
            typed[name] = [number if isinstance(number, ExactFloat) else float(number) for number in flat(value)]
    wanted = dict.fromkeys(lowered.inputs)
    unknown = [name for name in given if name not in wanted]
    if unknown:
        raise AutodiffError(
            f"{quoted(unknown[0])} is not an input of this program", hint=_inputs(lowered, unknown[0], list(given))
        )
    missing = [name for name in wanted if name not in given]
    if missing:
        raise AutodiffError(
            f"no value for {diagnostics.listed(missing)}",
            span=_first_use(lowered, missing[0]),
            source=lowered.source,
            hint=_slip(missing[0], [*given, *wanted]) or f'give it one: {{"{shortened(missing[0])}": VALUE}}',
            command_hint=_slip(missing[0], [*given, *wanted], "--at ") or f"add --at {shortened(missing[0])}=VALUE",
        )
    return Point({name: given[name] for name in wanted}, typed)


def finite(name: str, value: Any) -> Value:
    """The float or the array of floats that a value is. Raises AutodiffError where it is none, or not finite."""
    if (type(value) is float or isinstance(value, ExactFloat)) and math.isfinite(value):
        return value  # the usual case, which must be quick for a thousand names
    if isinstance(value, list | tuple) or getattr(value, "shape", None):
        from autodiff.arrays import inputs  # see above

        return inputs.array(name, value)
    try:
        if isinstance(value, str | bytes) or type(value).__name__ == "MaskedConstant":  # NumPy's, of a masked array
            raise TypeError
        number = float(value.detach() if getattr(value, "requires_grad", False) else value)
    except OverflowError:
        raise AutodiffError(f"the value of {quoted(name)} is beyond the range of float64") from None
    except (TypeError, ValueError):
        raise AutodiffError(f"the value of {quoted(name)} must be a number, not {shortened(repr(value))}") from None
    if not math.isfinite(number):
        raise AutodiffError(f"the value of {quoted(name)} must be a finite number, not {number}")
    if type(value) is float or not number.is_integer():
        return number
    from numbers import Integral

    whole = int(value) if isinstance(value, Integral) else number
    return number if whole == number else ExactFloat(number, str(whole))


def _first_use(lowered: Lowered, name: str) -> Span | None:
    node = lowered.node(name)
    return None if node is None else lowered.graph.spans[node]


def _inputs(lowered: Lowered, name: str, given: Sequence[str]) -> str:
    if (
        called := next((wanted for wanted in lowered.inputs if wanted in rules.functions()), "")
    ) and called not in given:
        return f"did you mean {called}({shortened(name)})?"
    near = nearest(name, lowered.inputs)
    slips = (_slip(wanted, given) for wanted in lowered.inputs[:50] if wanted not in given)
    if meant := next((slip for slip in slips if slip.startswith("did")), ""):
        return meant
    needs = f"it needs {diagnostics.listed(lowered.inputs)}" if lowered.inputs else "it has no inputs"
    if name in lowered.assigned:
        needs = f"it is assigned in the program; {needs}"
    return f"{needs}; did you mean {quoted(near)}?" if near else needs


def _slip(name: str, known: Sequence[str], option: str = "") -> str:
    """`sinx` for `sin(x)`, `xy` for `x*y`: what an input without a value may have been meant as."""
    if name in rules.functions():
        return UNITS.get(name) or f"add {option}{name}=VALUE, or write {name}(…): without brackets it is an input"
    others = {other for other in known if other != name}
    if name in NO_NUMBERS:
        return NO_NUMBERS[name]
    if question := instead(name, others, rules.functions()):
        return question
    near = nearest(name, others)
    return f"add {option}{name}=VALUE, or did you mean {quoted(near)}?" if near else ""


def named(names: str | Iterable[str]) -> list[str]:
    """Names as they are given: several, or one text with commas between them, of which those in brackets part none.

    >>> named("x, A[0,1]"), named("p = max(f(u), v)"), named(("x",))
    (['x', 'A[0,1]'], ['p = max(f(u), v)'], ['x'])
    """
    if isinstance(names, str):
        parts, depth = [""], 0
        for sign in names:
            depth += (sign in "([") - (sign in ")]")
            if sign == "," and depth <= 0:
                parts.append("")
            else:
                parts[-1] += sign
        return [name.strip() for name in parts]
    try:
        given: list[Any] = [names] if isinstance(names, Iterator) else list(names)  # which is read more than once
    except TypeError:
        given = [names]
    if others := [name for name in given if not isinstance(name, str)]:
        raise AutodiffError(f"a name is a text, not {shortened(repr(others[0]))}", hint='write for example ["x", "y"]')
    return given


def _instead(name: str, lowered: Lowered) -> str:
    """What to differentiate by instead; or that `xy`, where that is an input, is no product of x and y."""
    known = [*lowered.inputs, *lowered.assigned]
    if near := did_you_mean(name, known):
        return near
    listed = f"its names are {diagnostics.listed(known)}" if known else ""
    for wanted in lowered.inputs[:50]:
        if name in (parts := factors(wanted, ())):
            return f"{listed}; {wanted} is one name, a product is {'*'.join(parts)}"
    return listed


def sources(lowered: Lowered, wrt: Sequence[str] | None, *, of_result: bool = True) -> dict[str, int]:
    """The equation of each name that a slope is asked for, by default the slope of the result.

    Raises AutodiffError for a name that is assigned and that the result does not depend on.
    """
    names = lowered.inputs if wrt is None else [normalised(name.strip()) for name in named(wrt)]
    nodes: dict[str, int] = {}
    for name in names:
        node = lowered.node(name)
        if node is None:
            raise AutodiffError(
                f"can't differentiate by {quoted(name)}: the program has no such name", hint=_instead(name, lowered)
            )
        if name in nodes:
            raise AutodiffError(f"{quoted(name)} stands twice among the names to differentiate by")
        nodes[name] = node
    if wrt is not None and of_result and not nodes.keys().isdisjoint(lowered.assigned):
        needed = {*lowered.graph.reaching(lowered.result)}
        for name in (name for name, node in nodes.items() if name in lowered.assigned and node not in needed):
            raise AutodiffError(
                f"{quoted(name)} is assigned, and {lowered.name} does not depend on it",
                hint=f"along a curve, d{lowered.name}/d{name} is the quotient of the derivatives of both by its parameter",
            )
    return nodes
