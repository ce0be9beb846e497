"""An explanation shows the trace that made the answer: the program is evaluated once at the point."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import autodiff as package
from autodiff.api.evaluate import equations
from autodiff.core import evaluate, rules
from autodiff.explanation.build import explain
from autodiff.verify import digits

CHAIN = "y = x^2; z = sin(y); u = e^z"
CASES: dict[str, tuple[str, dict[str, float], dict[str, Any]]] = {
    "backward": (CHAIN, {"x": 4.0}, {}),
    "forward": (CHAIN, {"x": 4.0}, {"mode": "forward"}),
    "both modes": (CHAIN, {"x": 4.0}, {"mode": "both"}),
    "by an assigned name": (CHAIN, {"x": 4.0}, {"wrt": ["y"]}),
    "a step of descent": ("z = w*x + b; (z - 1)^2", {"w": 0.4, "b": 0.5, "x": 2.0}, {"wrt": ["w", "b"], "rate": 0.1}),
    "a branch": ("y = if(x > 0, x^2, -x); sin(y)", {"x": 3.0}, {}),
    "a corner": ("y = abs(x); 2y + cos(x)", {"x": 0.0}, {}),
    "a convention": ("relu(x)*3", {"x": 0.0}, {"convention": "torch"}),
    "a result that is an input": ("y = x; y", {"x": 2.0}, {"atoms": True}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_program_is_evaluated_once_at_the_point(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, at, options = CASES[name]
    traces, sweep = Counter[tuple[object, ...]](), evaluate.sweep

    def counting(*args: Any) -> evaluate.Trace:
        trace = sweep(*args)
        if all(isinstance(value, float | int) for value in trace.values if value is not None):
            traces[tuple(trace.values[node] for node in trace.order)] += 1
        return trace

    monkeypatch.setattr(evaluate, "sweep", counting)
    explain(program, at, **options)
    first, *_ = traces
    assert traces[first] == 1
    assert len(traces) > 1 or name in ("a corner", "a convention"), "the program is evaluated beside the point as well"


def test_a_choice_that_was_made_has_its_value_where_a_later_step_has_none() -> None:
    places = {place.name: place for place in explain("ln(if(x > 0, 2x, 0) - 5)", {"x": 1.0}, atoms=True).forward}
    assert [(places[name].value, places[name].why) for name in ("v2", "v3", "f")] == [(2, ""), (-3, ""), (None, "none")]


@pytest.mark.parametrize(
    "options", [{}, {"mode": "both"}, {"order": 3}, {"digits": 30}, {"convention": "torch"}, {"order": 2, "digits": 20}]
)
@pytest.mark.parametrize("text", ["abs(x) + sin(x)", "u = x^2; if(u > 1, ln(u), u*3)"])
def test_a_text_is_read_once_for_many_points(text: str, options: dict[str, Any]) -> None:
    """And no answer adds anything to the equations that the next one has."""
    equations.cache_clear()
    lowered = equations(text, rules.functions(), False, frozenset("x"), frozenset())[1]
    size = len(lowered.graph)
    first = [package.evaluate(text, {"x": x}, **options) for x in (0.0, 0.5, 1.0, -3.0)]
    assert first == [package.evaluate(text, {"x": x}, **options) for x in (0.0, 0.5, 1.0, -3.0)]
    assert (equations.cache_info().misses, len(lowered.graph)) == (1, size)


def test_a_nudge_test_in_balls_takes_few_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them takes up to seconds."""
    taken, value = list[object](), digits.value

    def counted(*given: Any) -> float | None:
        taken.append(given)
        return value(*given)

    monkeypatch.setattr(digits, "value", counted)
    shown = explain("gammainc(x, y)", {"x": 1e8, "y": 1e5})
    assert [row.agrees for row in shown.differences] == [True, True]
    assert 0 < len(taken) <= 16
