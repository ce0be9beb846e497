"""Programs with many special points: local expansions give the verdict of an expansion of the whole program."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from autodiff.api.array_answer import ONE_SIDED
from autodiff.api.evaluate import evaluate, parse
from autodiff.core.evaluate import DomainError, Trace, primal
from autodiff.core.lowering import Lowered, lower
from autodiff.core.special_points import special_points
from autodiff.nonsmooth import expand, propagate, verdict
from autodiff.nonsmooth.verdict import Verdict

UNARY = ["abs", "relu", "sqrt", "cbrt", "floor", "sin", "exp", "cos", "sign", "tanh", "leaky_relu", "elu", "softplus"]
BINARY = ["+", "-", "*", "/", "+", "-", "*", "max", "min", "hypot", "^"]


def _random_text(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(["x", "y", "z", "x", "y", "2", "0.5", "1", "3"])
    left, right = _random_text(chance, depth - 1), _random_text(chance, depth - 1)
    kind = chance.random()
    if kind < 0.45:
        return f"{chance.choice(UNARY)}({left})"
    if kind < 0.9:
        operator = chance.choice(BINARY)
        return f"{operator}({left}, {right})" if operator.isalpha() else f"({left} {operator} {right})"
    return f"if({left} < {right}, {_random_text(chance, depth - 1)}, {_random_text(chance, depth - 1)})"


def _programs(
    seed: int, count: int
) -> Iterator[tuple[str, dict[str, float], Lowered, Trace, list[int], dict[str, int]]]:
    """Programs on a hard point, with the names that have a part in it."""
    chance = random.Random(seed)
    while count:
        text = " + ".join(_random_text(chance, chance.randint(1, 4)) for _ in range(chance.randint(1, 4)))
        lowered = lower(parse(text))
        point = {name: chance.choice([0.0, 0.0, 1.0, -1.0, 0.5, 2.0, -0.0]) for name in lowered.inputs}
        try:
            run = primal(lowered, point)
        except DomainError:
            continue
        points = special_points(lowered, run)
        reached = set(lowered.graph.reaching(*points)) if points else set()
        names = {name: node for node, name in lowered.graph.inputs.items() if node in reached}
        if names:
            count -= 1
            yield text, point, lowered, run, points, names


def _near(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return a == b or abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def _alike(a: Verdict, b: Verdict) -> bool:
    pairs = [(a.slope, b.slope), (a.left, b.left), (a.right, b.right), *zip(a.values, b.values, strict=True)]
    return a.status == b.status and all(_near(x, y) for x, y in pairs)


@pytest.mark.parametrize("seed", range(4))
def test_local_expansions_equal_those_of_the_whole_program(seed: int) -> None:
    plain = 0
    for text, point, lowered, run, points, names in _programs(seed, 250):
        for name, found in propagate.carried(lowered, run, point, names, points).items():
            whole = verdict.verdict(lowered, run, point, names[name])
            assert whole.status == "unknown" or _alike(found, whole), (text, point, name, found, whole)
            plain += found.status in ("ok", "corner")
    assert plain > 150


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("sin(sqrt(x) - asin(y))", {"x": 0.0, "y": -1.0}),  # cos(pi/2) times an infinite slope
        ("sqrt(cos(acos(x)))", {"x": 0.0}),  # sqrt(6e-17), where sqrt(0) is meant
        ("hypot(acos(x), 3)", {"x": 1.0}),  # 0 times an infinite slope
        ("0.1*abs(x) + 0.2*abs(x) - 0.3*abs(x)", {"x": 0.0}),
        ("floor(x) + x", {"x": 1.0}),
        ("cbrt(x) - cbrt(x + y)", {"x": 0.0, "y": 0.0}),
    ],
)
def test_expansions_stop_where_rounding_or_a_limit_decides(text: str, point: dict[str, float]) -> None:
    lowered = lower(parse(text))
    run = primal(lowered, point)
    node = lowered.node("x")
    assert node is not None
    assert propagate.carried(lowered, run, point, {"x": node}, special_points(lowered, run)) == {}


@pytest.mark.parametrize(
    "term", ["abs(x{0})", "relu(x{0} - x{1})", "max(x{0}, 2*x{1}, 0)", "sqrt(x{0})*2", "hypot(x{0}, x{1})"]
)
def test_each_special_point_is_expanded_once(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    honest = expand._apply

    def counted(*args: object) -> object:
        nonlocal looked
        looked += 1
        return honest(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(expand, "_apply", counted)
    counts = []
    for terms in (200, 400):
        looked = 0
        text = " + ".join(term.format(k, k + 1) for k in range(terms))
        lowered = lower(parse(text))
        answer = evaluate(text, dict.fromkeys(lowered.inputs, 0.0))
        assert answer.status in ("corner", "infinite")
        assert len(answer.one_sided) == len(lowered.inputs)
        counts.append(looked)
    assert counts[1] < 2.1 * counts[0]


def test_the_numbers_of_many_corners() -> None:
    text = " + ".join(f"{k}*abs(x{k}) + x{k}*x{k + 1}" for k in range(1, 300))
    answer = evaluate(text, {f"x{k}": 0.0 if k % 3 else 1.0 for k in range(1, 301)})
    for k in range(1, 300):
        beside_it = (1.0 if (k - 1) % 3 == 0 and k > 1 else 0.0) + (1.0 if (k + 1) % 3 == 0 else 0.0)
        if k % 3:
            assert answer.one_sided[f"x{k}"] == (beside_it - k, beside_it + k)
        else:
            assert answer.gradient[f"x{k}"] == k + beside_it
    third = "abs(x4) has a corner here: df/dx4 is -3 from the left and 5 from the right"
    assert answer.why.endswith(f"{third}; and 197 more")


def test_many_names_whose_corners_cancel_have_their_slopes() -> None:
    text = " + ".join(f"relu({name}) - relu(-{name})" for name in "abcdef")
    found = evaluate(text, dict.fromkeys("abcdef", 0.0))
    assert (found.status, set(found.gradient.values())) == ("ok", {1.0})
    assert len([note for note in found.notes if "they cancel" in note]) == 3


def test_equal_elements_of_a_long_vector_take_no_time_that_grows_with_their_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numpy = pytest.importorskip("numpy")
    expanded: list[int] = []
    before = verdict.side

    def side(part: Lowered, *args: Any) -> verdict.OneSided:
        expanded.append(len(part.graph))
        return before(part, *args)

    monkeypatch.setattr(propagate, "side", side)
    assert evaluate("max(v) + min(v)", {"v": numpy.full(600, 0.5)}).status == "unknown"
    assert sum(expanded) <= 2 * ONE_SIDED
    assert evaluate("sum(max(v, 0.5))", {"v": numpy.full(600, 0.5)}).gradient["v"].shape == (600,)
