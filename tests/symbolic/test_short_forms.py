"""A derivative is written in its shortest form with the same value, and what the user wrote is kept."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings

import autodiff
from autodiff.core.lowering import Lowered, lower
from autodiff.notation.infix import infix
from autodiff.notation.parts import parted, size
from autodiff.symbolic import identities
from autodiff.symbolic.adjoint import Image, image, slopes
from autodiff.symbolic.shortest import shorter
from tests.support import graphs
from tests.support.programs import programs, value_at


def _slope(lowered: Lowered, name: str) -> tuple[Image, int]:
    seen = image(lowered.graph, lowered.result, {})
    node = lowered.node(name)
    assert node is not None
    found = slopes(lowered.graph, lowered.result, {}, [node], seen)
    return seen, found.get(node, seen.symbols.constant(0.0))


def _short(text: str, name: str = "x") -> str:
    seen, node = _slope(lower(autodiff.parse(text)), name)
    return infix(seen.symbols.graph, shorter(seen.symbols, node))


@pytest.mark.parametrize(
    ("text", "name", "derivative"),
    [
        ("2^x/2^x", "x", "0"),
        ("x^y/x^y", "x", "0"),
        ("-(y*ln(p) + (1-y)*ln(1-p))", "p", "(p - y)/(p*(1 - p))"),
        ("(3x + 2)/(x - 1)", "x", "-5/(x - 1)^2"),
        ("x*(x^2 - 2x)", "x", "3*x^2 - 4*x"),
        ("x*sqrt(x^2 + 1)", "x", "(2*x^2 + 1)/sqrt(x^2 + 1)"),
        ("exp(x)*(x^2 + 2x)", "x", "exp(x)*(x^2 + 4*x + 2)"),
        ("(x^2 - 1)/(x^2 + 1)", "x", "4*x/(x^2 + 1)^2"),
        ("ln(x + sqrt(x^2 + 1))", "x", "1/sqrt(x^2 + 1)"),
        ("a*x/(b + x)", "x", "a*b/(b + x)^2"),
        ("exp(-x)*cos(x)", "x", "-exp(-x)*(cos(x) + sin(x))"),
        ("sin(x)/x", "x", "cos(x)/x - sin(x)/x^2"),
        ("x^x", "x", "x^x*(ln(x) + 1)"),
        ("x*xlogy(x, 1)", "x", "xlogy(x, 1)"),
        ("x + x/x", "x", "1"),
        ("(x^2 - 1)/(x - 1)", "x", "1"),
        ("(x^3 - y^3)/(x - y)", "x", "2*x + y"),
        ("(x^4 - 1)/(x^2 + 1)", "x", "2*x"),
        ("x/((x + 1) + (y + x*(x + 1)/x))", "x", "(y + 2)/(x + 1 + (y + x*(x + 1)/x))^2"),
        ("exp(sin(x^2))", "x", "2*x*cos(x^2)*exp(sin(x^2))"),
        ("0.5*x^2 - 1.5*x", "x", "x - 1.5"),
        ("if(x > 0, x*ln(x) - x, -x^2)", "x", "if(x > 0, ln(x), -2*x)"),
        ("x*2^x", "x", "2^x*(x*ln(2) + 1)"),
        ("x^2 + x^3/3", "x", "x^2 + 2*x"),
        ("x^y*ln(x)", "x", "x^(y - 1)*(y*ln(x) + 1)"),
        ("x^sin(x)", "x", "x^sin(x)*(ln(x)*cos(x) + sin(x)/x)"),
        ("x^(y/x)", "x", "y*x^(y/x - 2)*(1 - ln(x))"),
        ("x^sqrt(x)", "x", "x^(sqrt(x) - 0.5)*(ln(x) + 2)/2"),
        ("ln(1 + 1/x)", "x", "-1/(x*(x + 1))"),
        ("atan(x/2)", "x", "2/(x^2 + 4)"),
        ("x*sqrt(4 - x^2)/2 + 2*asin(x/2)", "x", "sqrt(4 - x^2)"),
        ("asin(x/y)", "x", "1/(y*sqrt(1 - x^2/y^2))"),
        ("sin(x)*cos(x)", "x", "cos(2*x)"),
        ("cos(3x)^4 - sin(3x)^4", "x", "-6*sin(6*x)"),
        ("sin(x)/cos(x)", "x", "sec(x)^2"),
        ("tan(x) - x", "x", "tan(x)^2"),
        ("(1 - cos(x))/sin(x)", "x", "1/(cos(x) + 1)"),
        ("ln((1 + sin(x))/(1 - sin(x)))", "x", "2/cos(x)"),
        ("sinh(y*x)/cosh(y*x)", "x", "y*sech(y*x)^2"),
        ("exp(x)/exp(-x)", "x", "2*exp(2*x)"),
        ("ln(abs(x^2 - 1))", "x", "2*x/(x^2 - 1)"),
        ("x*abs(x)", "x", "2*abs(x)"),
    ],
)
def test_the_shortest_form_is_found(text: str, name: str, derivative: str) -> None:
    assert _short(text, name) == derivative


@pytest.mark.parametrize("part", ["x*y + x*z", "(x + 1)*(x - 1)", "x/2 + 1/2", "2*x + 2*y", "y*(-(1 - x))"])
def test_what_the_user_wrote_is_left_alone(part: str) -> None:
    assert _short(f"t*({part})", "t") == infix(*_program(part))
    assert f"exp({infix(*_program(part))})" in _short(f"exp({part})")


def _program(text: str) -> tuple[autodiff.core.graph.Graph, int]:
    lowered = lower(autodiff.parse(text))
    seen = image(lowered.graph, lowered.result, {})
    return seen.symbols.graph, seen.of[lowered.result]


@pytest.mark.parametrize("text", [*identities._PRODUCTS, *(square for set_ in identities._SQUARES for square in set_)])
def test_an_identity_holds_wherever_its_first_way_has_a_value(text: str) -> None:
    others = [identities._PRODUCTS.get(text), *(squares.get(text) for squares in identities._SQUARES)]
    for other in filter(None, others):
        for u in (-2.5, -1.0, -0.3, 0.0, 0.4, 1.0, 3.0):
            before, after = (value_at(t.replace("u", "(u + 0*u)"), {"u": u}) for t in (text, other))
            if before is not None:
                assert after is not None, (text, other, u)
                assert math.isclose(before, after, rel_tol=1e-14, abs_tol=1e-300), (text, other, u)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(programs())
def test_shorter_is_the_same_number_and_never_longer(made: tuple[str, dict[str, float]]) -> None:
    text, point = made
    lowered = lower(autodiff.parse(text))
    for name in lowered.inputs:
        seen, node = _slope(lowered, name)
        graph = seen.symbols.graph
        short = shorter(seen.symbols, node)
        graphs.check(graph)
        if size(graph, node) < 3000:
            assert len(infix(graph, short)) <= len(infix(graph, node)) + 4, infix(graph, node)
        before, after = (value_at(str(parted(graph, [n], taken=point)), point) for n in (node, short))
        if before is not None:
            assert after is not None
            assert math.isclose(before, after, rel_tol=1e-6, abs_tol=1e-7), (text, point, infix(graph, short))


@pytest.mark.parametrize(
    "text", ["sin(" * 10_000 + "x" + ")" * 10_000, "+".join(f"x*y{i}^2*{i}" for i in range(5_000)), "*".join(["(x+1)"] * 10_000)], ids=["deep", "wide", "product"]
)  # fmt: skip
def test_large_programs_are_answered(text: str) -> None:
    seen, node = _slope(lower(autodiff.parse(text)), "x")
    before = len(seen.symbols.graph)
    assert parted(seen.symbols.graph, [shorter(seen.symbols, node)]).results
    assert len(seen.symbols.graph) < 3 * before


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("besselj(0, x^2)", "-2*x*besselj(1, x^2)"),
        ("besselj(3, x)", "(besselj(2, x) - besselj(4, x))/2"),
        ("x*besselk(0, x)", "besselk(0, x) - x*besselk(1, x)"),
    ],
)
def test_a_choice_that_constants_settle_is_its_branch(text: str, slope: str) -> None:
    assert _short(text) == slope
