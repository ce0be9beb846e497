"""One-sided slopes in balls: the bits that the two steps take, and no more than the sides need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flint import arb, ctx

from autodiff.api.evaluate import parse
from autodiff.api.inputs import parse_point
from autodiff.core.lowering import Lowered, lower
from autodiff.numbers.ball_numbers import precision, remembered
from autodiff.numbers.balls import FUNCTIONS
from autodiff.verify import ball_taylor, exact_sides


@pytest.fixture
def bits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    used: list[int] = []

    @contextmanager
    def counted(bits: int) -> Iterator[None]:
        used.append(bits)
        with precision(bits):
            yield

    monkeypatch.setattr(exact_sides, "precision", counted)
    return used


def _program(text: str) -> tuple[Lowered, dict[str, float], int]:
    lowered = lower(parse(text))
    source = lowered.graph.find("x")
    assert source is not None
    return lowered, dict(parse_point("x=0,y=1")), source


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("cbrt(sinh(x) - x) - 1e300", 6 ** (-1 / 3), 6 ** (-1 / 3)),
        ("cbrt(sinh(abs(x)) - abs(x)) - exp(y)", -(6 ** (-1 / 3)), 6 ** (-1 / 3)),
        ("asin(1 - abs(sinh(x) - x)) + 3 + 1e-300*x", 1e-300, 1e-300),
    ],
)
def test_sides_have_the_bits_that_terms_of_third_order_take(text: str, left: float, right: float) -> None:
    seen = exact_sides.verdict(*_program(text))
    assert [seen.left, seen.right] == pytest.approx([left, right], rel=1e-15)


def test_sides_take_no_more_bits_than_they_need(bits: list[int]) -> None:
    program = _program("abs(x) + 1e300*y")
    assert exact_sides.verdict(*program).status == "corner"
    assert exact_sides.derivatives(*program, order=2, count=20) == [None, "0"]
    assert max(bits) < 14_000, "two steps of 2^-9000 take 9,000 bits; eight times the first one's were 36,000"


def test_a_derivative_that_no_rule_gives_is_not_tried_again(bits: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ball_taylor, "series", lambda *_: [arb("nan"), arb("nan")])
    assert exact_sides.derivatives(*_program("abs(x)"), order=2, count=20) == [None, None]
    assert len(bits) == 4, "the size of the numbers and one precision, on each side"


def test_a_part_that_does_not_move_is_computed_once_at_a_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def slow(*_: arb) -> arb:
        seen.append(ctx.prec)
        return arb(2)

    monkeypatch.setitem(FUNCTIONS, "polygamma", remembered(slow))
    assert exact_sides.verdict(*_program("abs(x) + polygamma(3, exp(y)) + 1e300")).status == "corner"
    assert len([bits for bits in seen if bits > 4096]) == 1
