"""What is written in LaTeX is read back by the LaTeX reader as the same function: random programs over every scalar row."""

from __future__ import annotations

import math
import random

import pytest

import autodiff
from autodiff.core import rules
from autodiff.core.lowering import lower
from autodiff.core.primitive import UNDEFINED
from autodiff.errors import AutodiffError
from autodiff.language.latex import reader
from autodiff.notation.tex import TEX, tex

ROWS = [
    row
    for row in rules.rows()
    if row.kind == "elementwise" and not row.is_predicate and row.branches is None and row.name.isidentifier()
]
NAMES = ["x", "y", "z", "alpha", "beta_hat", "x_1", "speed", "gamma", "phi_max", "sigma", "theta_2", "J_0", "f"]
NUMBERS = ["2", "3", "0.5", "1.5", "7", "pi", "1e-3"]


def _program(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(NAMES if chance.random() < 0.75 else NUMBERS)

    def part() -> str:
        return _program(chance, depth - 1)

    kind = chance.random()
    if kind < 0.45:
        return f"({part()}){chance.choice('+-*/*')}({part()})"
    if kind < 0.55:
        return f"({part()})^{chance.choice(['2', '3', '0.5', '(-1)', '(-2)', 'x', '(y+1)'])}"
    if kind < 0.62:
        return f"-({part()})"
    if kind < 0.68:
        more = chance.choice(["", " and x < y", " or not x > 2"])
        return f"if(({part()}) {chance.choice(['<', '<=', '>', '>=', '!='])} ({part()}){more}, {part()}, {part()})"
    row = chance.choice(ROWS)
    return f"{row.name}({', '.join('2' if partial == UNDEFINED else part() for partial in row.partials)})"


def _same(text: str, latex: str, chance: random.Random) -> None:
    """The program and what is read from its LaTeX have the same value, or both have none."""
    inputs = lower(autodiff.parse(text)).inputs
    back = reader.program(latex, rules.functions())
    assert set(lower(autodiff.parse(back)).inputs) <= set(inputs), (text, latex, back)
    for _ in range(2):
        point = {name: chance.uniform(0.2, 2.5) for name in inputs}
        there = {name: point[name] for name in lower(autodiff.parse(back)).inputs}
        expected, found = (
            autodiff.evaluate(program, at, [], check=False).value for program, at in ((text, point), (back, there))
        )
        assert (expected is None) == (found is None), (text, latex, back)
        assert expected is None or math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-12), (text, latex, back)


@pytest.mark.parametrize("seed", range(5))
def test_random_programs_read_back(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        text = _program(chance, chance.choice([1, 2, 2, 3]))
        lowered = lower(autodiff.parse(text))
        _same(text, tex(lowered.graph, lowered.result), chance)


def test_derivatives_of_random_programs_read_back() -> None:
    chance, read = random.Random(5), 0
    for _ in range(60):
        text = _program(chance, 2)
        try:
            found = autodiff.derivative(text, "x")
        except AutodiffError:  # no x in it, or a slope that has no formula
            continue
        written = found.written(TEX)
        if not written.parts:
            _same(found.formulas[0], written.results[0], chance)
            read += 1
    assert read > 20


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("cos(x)^2*y", r"\cos^{2}\left(x\right) y"),
        ("-2*x/(3*y)", r"-\frac{2 x}{3 y}"),
        ("-(x + 1)/y", r"-\frac{x + 1}{y}"),
        ("-(x + 1)*z/y", r"-\frac{\left(x + 1\right) z}{y}"),
        ("a - -x/y", r"a - \left(-\frac{x}{y}\right)"),
        ("alpha*beta_hat*x_1", r"\alpha \hat{\beta} x_{1}"),
        ("speed*time", r"\mathrm{speed} \, \mathrm{time}"),
        ("lambda_max^2", r"\lambda_{\mathrm{max}}^{2}"),
        ("gamma*gamma(x)", r"\gamma \Gamma\left(x\right)"),
        ("sigma*(x + 1)", r"\sigma \cdot \left(x + 1\right)"),
        ("abs(x)^2", r"\left|x\right|^{2}"),
        ("exp2(x)^3", r"\left(2^{x}\right)^{3}"),
    ],
)
def test_how_formulas_are_written(text: str, written: str) -> None:
    lowered = lower(autodiff.parse(text))
    assert tex(lowered.graph, lowered.result) == written
