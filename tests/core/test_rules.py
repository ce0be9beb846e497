"""The table is right: every row against 50-digit arithmetic, in both modes, orders 1 and 2; adding one is one line."""

from __future__ import annotations

import math

import mpmath
import pytest
from mpmath import mpf

import autodiff
from autodiff.core import floats, rules, templates
from autodiff.core.evaluate import DomainError, primal
from autodiff.core.jvp import in_all_directions
from autodiff.core.linearize import linearize
from autodiff.core.lowering import Lowered, lower
from autodiff.core.primitive import UNDEFINED, ZERO, Primitive
from autodiff.core.vjp import vjp
from autodiff.language.parser import parse
from autodiff.verify.difference import values_contradict
from tests.support import graphs
from tests.support.reference import SLOPES, SLOW, VALUES, arguments, ulps

ROWS = [row for row in rules.rows() if row.kind == "elementwise" and row.branches is None and not row.conditions]
COUNT = 150


def _key(row: Primitive) -> str:
    return f"{row.name} {row.arity}"


def _orders(row: Primitive) -> set[str]:
    """The arguments that are whole numbers, and come first: a place in an array doesn't."""
    return {"n", "m"} if row.params[0] == "n" else set()


def _points(row: Primitive, count: int = COUNT) -> list[tuple[float, ...]]:
    """Points inside the row's domain; an order (`n`, `m`) is a small whole number."""
    points = []
    for args in arguments(row.arity, count // 3 if row.by_balls else count):
        args = tuple(
            float(abs(int(a % 1e9)) % 4) if p in _orders(row) else a for p, a in zip(row.params, args, strict=True)
        )
        if row.name in SLOW and max(map(abs, args)) > 300:
            continue
        if row.name == "mod" and abs(args[0]) > 1e30:
            continue
        if all(holds(*args) for holds, _ in templates.domain(row)):
            points.append(args)
    return points


def _program(text: str) -> Lowered:
    lowered = lower(parse(text, rules.functions()))
    graphs.check(lowered.graph)
    return lowered


def _both(
    lowered: Lowered, point: dict[str, float], wrt: list[str]
) -> tuple[float, dict[str, float], dict[str, float]]:
    """The value, the slopes by the reverse sweep, and by the forward sweep."""
    nodes = {name: node for name in wrt if (node := lowered.node(name)) is not None}
    run = primal(lowered, point)
    linear = linearize(lowered, run, nodes.values())
    adjoints = vjp(lowered.result, linear, nodes.values())
    tangent = in_all_directions(linear, nodes).get(lowered.result, {})
    backward = {name: adjoints.get(nodes[name], 0.0) if name in nodes else 0.0 for name in wrt}
    return run.values[lowered.result], backward, {name: tangent.get(name, 0.0) for name in wrt}


def _allowed(row: Primitive, which: int, args: tuple[float, ...], value: float, slope: float) -> float:
    bound: float = templates.compiled(row.ulp_error[which], (*row.params, "w", "d"))(*args, value, slope)
    return bound if bound == bound else math.inf


def _special(row: Primitive, k: int, args: tuple[float, ...]) -> bool:
    """Whether this point is a corner, a jump, or has no finite slope: those are another test's."""
    if any(templates.compiled(text, row.params)(*args) for text in row.special_conditions):
        return True
    return bool(row.partial_domain[k] and not templates.compiled(row.partial_domain[k], row.params)(*args))


@pytest.mark.parametrize("row", ROWS, ids=_key)
def test_value_and_slopes_hold_their_bounds_in_both_modes(row: Primitive) -> None:
    lowered = _program(row.signature.replace(", …", ""))
    moving = [name for name, text in zip(row.params, row.partials, strict=True) if text != UNDEFINED]
    seen = 0
    for args in _points(row):
        exact = [mpf(a) for a in args]
        true = mpf(VALUES[_key(row)](*exact))
        point = dict(zip(row.params, args, strict=True))
        if math.isinf(float(true)):
            with pytest.raises(DomainError):
                primal(lowered, point)
            continue
        value, backward, onward = _both(lowered, point, moving)
        allowed = _allowed(row, 0, args, value, 0.0)
        assert ulps(value, true) <= allowed, f"{row.signature} at {args}: {value}, not {mpmath.nstr(true, 20)}"
        for k, name in enumerate(row.params):
            reference = SLOPES[_key(row)][k]
            if name in moving and reference is not None and not _special(row, k, args):
                slope, truth = backward[name], mpf(reference(*exact))
                assert onward[name] == slope
                away, allowed = ulps(slope, truth), _allowed(row, 1, args, value, slope)
                assert away <= allowed, (
                    f"d {row.signature} / d{name} at {args}: {slope}, not {mpmath.nstr(truth, 20)}: "
                    f"{away:.1f} ulp away, {allowed:.1f} allowed"
                )
                seen += 1
    assert seen or set(SLOPES[_key(row)]) == {None}


SMOOTH = [row for row in ROWS if any(SLOPES[_key(row)])]


@pytest.mark.parametrize("row", SMOOTH, ids=_key)
def test_second_derivatives_in_both_modes(row: Primitive) -> None:
    """The slope texts are programs too: their slopes against a central difference of the slope in 200 digits.

    The allowed error grows with what the chain rule adds up (the sum of the sizes of its terms), not with the result,
    which may cancel to nothing.
    """
    for k, reference in enumerate(SLOPES[_key(row)]):
        if reference is None:
            continue
        lowered = _program(f"w = {row.signature.replace(', …', '')}; {row.partials[k]}")
        names = [
            n for n, text in zip(row.params, row.partials, strict=True) if text != UNDEFINED and _ruled(lowered, n)
        ]
        for args in _points(row, 40):
            if any(not 1e-3 < abs(a) < 30 for a in args[len(_orders(row).intersection(row.params)) :]) or _special(
                row, k, args
            ):
                continue
            point = dict(zip(row.params, args, strict=True))
            if _near_special(row, args):
                continue
            _, backward, onward = _both(lowered, point, names)
            for name in names:
                true, scale = _central(reference, args, row.params.index(name)), _scale(lowered, point, name)
                for slope in (backward[name], onward[name]):
                    assert abs(slope - float(true)) <= 2.0**-52 * (64 * scale + 8 * abs(slope)) + 1e-40, (
                        f"d2 {row.signature} / d{row.params[k]} d{name} at {args}: {slope}, not {mpmath.nstr(true, 17)}"
                    )


def _ruled(lowered: Lowered, name: str) -> bool:
    """Whether no function of the program is without a rule for its slope in the input: gammainc_a(a, u) has none in a."""
    graph, source = lowered.graph, lowered.node(name)
    rows = zip(graph.rows, graph.args, strict=True)
    return not any(
        text == UNDEFINED and arg == source
        for row, args in rows
        if row is not None
        for text, arg in zip(row.partials, args, strict=True)
    )


def _near_special(row: Primitive, args: tuple[float, ...]) -> bool:
    """Too near an end of the domain, a corner or a step for a two-sided difference."""
    return any(
        _special(row, k, tuple(moved)) or not all(holds(*moved) for holds, _ in templates.domain(row))
        for k in range(row.arity)
        for j in range(row.arity)
        for step in (-1e-9, 0.0, 1e-9)
        for moved in [[a + step * (i == j) if row.params[i] not in _orders(row) else a for i, a in enumerate(args)]]
    ) or (row.jump is not None and any(abs(a - round(a)) < 1e-6 for a in args))


def _central(function: object, args: tuple[float, ...], k: int) -> mpmath.mpf:
    with mpmath.mp.workdps(120):
        step = mpf(10) ** -30
        high, low = [mpf(a) for a in args], [mpf(a) for a in args]
        high[k], low[k] = high[k] + step, low[k] - step
        return (mpf(function(*high)) - mpf(function(*low))) / (2 * step)  # type: ignore[operator]


def _scale(lowered: Lowered, point: dict[str, float], name: str) -> float:
    """The sum of the sizes of all terms that the chain rule adds up on the way to `name`, and of their conditions."""
    run = primal(lowered, point)
    graph, source = lowered.graph, lowered.node(name)
    if source is None:
        return 0.0
    sizes: dict[int, float] = {source: 1.0}
    for node in run.order:
        row = graph.rows[node]
        if row is None:
            continue
        args = graph.args[node]
        if node in run.taken:
            sizes[node] = sizes.get(run.taken[node], 0.0)
            continue
        values = [run.values[a] for a in args]
        total = 0.0
        for k, a in enumerate(args):
            if a in sizes and row.partials[k] not in (ZERO, UNDEFINED):
                total += abs(templates.partial(row, k)(*values, run.values[node])) * sizes[a] * _condition(row, values)
        sizes[node] = total
    return sizes.get(lowered.result, 0.0) * (1 + len(run.order))


def _condition(row: Primitive, values: list[float]) -> float:
    """How much a rounding of the arguments grows in the local slope of the rows that state a bound of their own."""
    return 1.0 if row.ulp_error == ("4", "8") else 10 * (1 + max(map(abs, values))) ** 2


@pytest.mark.parametrize("row", rules.rows(), ids=lambda row: f"{row.name} {row.arity}")
def test_every_row_is_documented_and_its_example_runs(row: Primitive) -> None:
    assert row.rule
    assert row.doc
    assert row.tex
    answer = autodiff.evaluate(row.example, {})
    assert answer.status == "ok"


def test_every_row_can_be_differentiated_or_is_a_step() -> None:
    shapes_only = {"zeros", "ones", "numel", "len", "place_below"}
    for row in (row for row in rules.rows() if row.name not in shapes_only):
        assert any(text not in (ZERO, UNDEFINED) for text in row.partials) or row.jump or row.is_predicate, (
            row.signature
        )


@pytest.mark.parametrize(
    ("text", "x", "slope"),
    [
        ("atan(x)", 1.0, 0.5), ("atan(x)", 0.5, 0.8), ("atan(x)", 2.0, 0.2), ("atan2(x, 1)", 1.0, 0.5), ("atan2(1, x)", 2.0, -0.2),
        ("atan(x)", 1e160, 1e-320), ("cbrt(x)", 27.0, 1/27), ("tan(x)", math.pi/4, 1.9999999999999998),
    ],
)  # fmt: skip
def test_short_slopes_are_short(text: str, x: float, slope: float) -> None:
    assert autodiff.evaluate(text, {"x": x}).gradient["x"] == slope


def test_cube_roots_of_cubes_are_exact() -> None:
    for k in [*range(1, 2000), 100_003, 2**40]:
        assert floats.cbrt(float(k) ** 3) == k
        assert floats.cbrt(-((k / 8) ** 3)) == -k / 8
    assert [floats.cbrt(u) for u in (0.0, math.inf, -math.inf)] == [0.0, math.inf, -math.inf]
    assert math.isnan(floats.cbrt(math.nan))


@pytest.mark.parametrize("offset", [0.0, 1000.0, -1e6])
def test_values_contradict_a_wrong_slope_however_large_they_are(offset: float) -> None:
    assert values_contradict(lambda x: (offset + x * x, 2.2 * x), 1.0)
    assert not values_contradict(lambda x: (offset + x * x, 2 * x), 1.0)
