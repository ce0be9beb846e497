"""Drawings to draw: the four of the design, and random ones."""

from __future__ import annotations

import random
from itertools import pairwise

from autodiff.explanation.graph import Arrow, Drawing, Vertex

CHAIN = Drawing(
    (
        Vertex("x", "x", "input", 4.0),
        Vertex("y", "x^2", "step", 16.0),
        Vertex("z", "sin(y)", "step", -0.2879033166650653),
        Vertex("u", "e^z", "result", 0.7498340851945589),
    ),
    (
        Arrow("x", "y", "2x", 8.0),
        Arrow("y", "z", "cos(y)", -0.9576594803233847),
        Arrow("z", "u", "e^z", 0.7498340851945589),
    ),
    "u = e^sin(x^2)",
)

NEURON = Drawing(
    (
        Vertex("w", "w", "input", 0.4),
        Vertex("x", "x", "held", 7.8),
        Vertex("b", "b", "input", -2.5),
        Vertex("y", "y", "held", 1.0),
        Vertex("z", "w·x + b", "step", 0.6200000000000001),
        Vertex("ŷ", "σ(z)", "step", 0.6502185485738271),
        Vertex("L", "bce(y, ŷ)", "result", 0.430446744029496),
    ),
    (
        Arrow("w", "z", "x", 7.8),
        Arrow("x", "z", active=False),
        Arrow("b", "z", "1", 1.0),
        Arrow("z", "ŷ", "ŷ·(1-ŷ)", 0.22743438766437274),
        Arrow("ŷ", "L", "(ŷ-y)/(ŷ·(1-ŷ))", -1.5379444375946745),
        Arrow("y", "L", active=False),
    ),
    "L = bce(y, sigmoid(w·x + b))",
)

FORK = Drawing(
    (
        Vertex("x", "x", "input", 1.5),
        Vertex("q", "x^2", "step", 2.25),
        Vertex("s", "sin(q)", "step", 0.7780731968879212),
        Vertex("f", "x·s", "result", 1.1671097953318819),
    ),
    (
        Arrow("x", "q", "2x", 3.0),
        Arrow("q", "s", "cos(q)", -0.6281736227227391),
        Arrow("x", "f", "s", 0.7780731968879212),
        Arrow("s", "f", "x", 1.5),
    ),
    "f = x·sin(x^2)",
)

SURVEY = Drawing(
    (
        Vertex("x1", "x1", "input", 2.0),
        Vertex("x2", "x2", "input", 5.0),
        Vertex("v1", "ln(x1)", "step", 0.6931471805599453),
        Vertex("v2", "x1·x2", "step", 10.0),
        Vertex("v3", "sin(x2)", "step", -0.9589242746631385),
        Vertex("v4", "v1 + v2", "step", 10.693147180559945),
        Vertex("y", "v4 - v3", "result", 11.652071455223084),
    ),
    (
        Arrow("x1", "v1", "1/x1", 0.5),
        Arrow("x1", "v2", "x2", 5.0),
        Arrow("x2", "v2", "x1", 2.0),
        Arrow("x2", "v3", "cos(x2)", 0.28366218546322625),
        Arrow("v1", "v4", "1", 1.0),
        Arrow("v2", "v4", "1", 1.0),
        Arrow("v4", "y", "1", 1.0),
        Arrow("v3", "y", "-1", -1.0),
    ),
    "y = ln(x1) + x1·x2 - sin(x2)",
)

FOUR = {"chain": CHAIN, "neuron": NEURON, "fork": FORK, "survey": SURVEY}

NAMES = (
    "ŷ", "θ_1", 'a"b', "it's", "<b>x</b>", "a\nb", "</script><script>alert(1)</script>", "a|b", "a[0]", "{z}", "a\\nb", "\\N",
    "\\", "&lt;", "#quot;", "`x`", '"`**m**`"', "--> y", "end", "1. x", "- x", "%% c", "速度", "e\u0301", "x\x00y", "\u202ex",
    "a;b", "%%{init:{}}%%", "subgraph", "𝑥", "🙂", "(y", "@{ shape: a }", "$$x$$", ":::cls", "x]--", "\ud800", "]]>", "<!--",
)  # fmt: skip
"""What a name can be in the worst case, in a language or format that is none of ours."""

_SLOPES = ("1", "2x", "cos(y)·exp(z)", "(ŷ-y)/(ŷ·(1-ŷ))", "(ŷ-y)/(ŷ·(1-ŷ))" * 6)
_VALUES = (None, 1.0, -0.123456789, 1e-300, -123456.789012345)
_FORMULAS = ("x^2", "a + b", "sin(x)·" * 10)


def drawing(seed: int, most: int = 14, *, least: int = 1, density: float | None = None) -> Drawing:
    """A random drawing of `least` to `most` vertices, with up to three arguments each or `density` of all possible."""
    chance = random.Random(seed)
    names = [
        f"{chance.choice(('x', 'y', 'longer_name_', 'ŷ', '速度', 'v'))}{n}" for n in range(chance.randint(least, most))
    ]
    vertices: list[Vertex] = []
    arrows: list[Arrow] = []
    for number, name in enumerate(names):
        count = chance.choice((0, 1, 1, 2, 2, 3)) if density is None else int(density * number)
        sources = chance.sample(names[:number], min(number, count))
        for source in sources:
            known = chance.random() > 0.1
            slope = chance.choice(_SLOPES) if known else ""
            arrows.append(Arrow(source, name, slope, chance.choice(_VALUES) if known else None, known))
        made = chance.choice(_FORMULAS) if sources else name
        kind = "step" if sources else chance.choice(("input", "held", "constant"))
        vertices.append(Vertex(name, made, kind, chance.choice(_VALUES)))
    return Drawing(tuple(vertices), tuple(arrows))


def chain(length: int) -> Drawing:
    names = [f"v{number}" for number in range(length)]
    steps = pairwise(names)
    return Drawing(
        tuple(Vertex(name, f"{name}^2", "step", 1.5) for name in names),
        tuple(Arrow(source, target, "2x", 0.5) for source, target in steps),
    )


def fan(count: int) -> Drawing:
    names = [f"x{number}" for number in range(count)]
    return Drawing(
        (*(Vertex(name, name, "input", 1.5) for name in names), Vertex("s", "sum(x)", "result", 1.5 * count)),
        tuple(Arrow(name, "s", "1", 1.0) for name in names),
    )
