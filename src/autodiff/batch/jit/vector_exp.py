"""Instructions for e^u that give the C library's digits, eight numbers at a time, and detect where they might not.

Calling the C library for each number takes four times as long, and other instructions would not give its digits.

>>> from autodiff.batch.jit.instructions import JitProgram
>>> program = JitProgram(wide=True)
>>> program.stage[exponential(program, program.column("x"))]    # a call, though few rows need it
1
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

from autodiff.batch.jit.instructions import JitProgram

_LN2 = Fraction("0.693147180559945309417232121458176568075500134360255254120680")

PARTS = 128
"""Parts of an octave, from whose powers of 2 `exponential` starts."""

_FARTHEST = 708.0
"""Beyond this, e^u overflows or has fewer digits."""

_MARGIN = 0.03
"""Of a unit in the last place: by how much `exponential` (0.01) and the C library (0.02) may be off before they round.

GNU's and musl's exp are off by 0.011; whatever the library is, `machine` tries first whether the digits are the same.
"""


def exponential(program: JitProgram, u: int) -> int:
    """e^u as the C library rounds it, which is asked itself where the digits behind the last one leave that open.

    u is k/128 octaves and a rest r: 2^(k/128) is in a table, to twice the digits, and e^r is 1 + r + r^2/2 + …; Ziv's
    test (https://doi.org/10.1145/114697.116813) is whether the sum rounds to the same number a little lower and higher.
    """

    def fused(a: int, b: int, c: int) -> int:
        return program.do("call double @llvm.fma.f64(double {0}, double {1}, double {2})", a, b, c)

    def number(value: float) -> int:
        return program.constant(value)

    step = math.log(2) / PARTS
    high = math.ldexp(math.floor(math.ldexp(step, 40)), -40)  # so short that k times it is exact
    low = float(_LN2 / PARTS - Fraction(high))
    shift = 1.5 * 2.0**52  # added to a number, it leaves a whole one in the last bits
    shifted = fused(u, number(1 / step), number(shift))
    k = program.do("fsub double {0}, {1}", shifted, number(shift))
    bits = program.do("bitcast double {0} to i64", shifted, kind="i64")
    part = program.do(f"and i64 {{0}}, {PARTS - 1}", bits, kind="i64")
    minus = program.do("fneg double {0}", k)
    r = fused(minus, number(low), fused(minus, number(high), u))
    square = program.do("fmul double {0}, {1}", r, r)
    third, fifth = fused(r, number(1 / 6), number(1 / 2)), fused(r, number(1 / 120), number(1 / 24))
    grown = fused(square, fused(square, fifth, third), r)
    start, rest = (_entry(program, part, name) for name in ("high", "low"))
    more = fused(start, grown, rest)
    lower, upper = (
        program.do("fadd double {0}, {1}", start, program.do("fadd double {0}, {1}", more, number(margin * 2.0**-52)))
        for margin in (-_MARGIN, _MARGIN)
    )
    octave = program.do(f"and i64 {{0}}, {-PARTS}", bits, kind="i64")
    raised = program.do(f"shl i64 {{0}}, {52 - PARTS.bit_length() + 1}", octave, kind="i64")
    exponent = program.do(f"add i64 {{0}}, {1023 << 52}", raised, kind="i64")
    found = program.do("fmul double {0}, {1}", lower, program.do("bitcast i64 {0} to double", exponent))
    size = program.do("call double @llvm.fabs.f64(double {0})", u)
    outside = program.test("fcmp uge double {0}, {1}", size, number(_FARTHEST))
    undecided = program.test("fcmp une double {0}, {1}", lower, upper)
    return program.ask("exp", u, found, program.test("or i1 {0}, {1}", outside, undecided))


def _entry(program: JitProgram, part: int, name: str) -> int:
    place = program.do(f"getelementptr double, ptr @exp.{name}, i64 {{0}}", part, kind="ptr")
    return program.do("load double, ptr {0}, align 8, !llvm.access.group !0", place)


@lru_cache(maxsize=1)
def octave() -> tuple[list[float], list[float]]:
    """2^(k/128): the nearest numbers, and what they lack."""
    with localcontext(prec=50):
        exact = [Decimal(2) ** (Decimal(k) / PARTS) for k in range(PARTS)]
        high = [float(each) for each in exact]
        return high, [float(each - Decimal(near)) for each, near in zip(exact, high, strict=True)]
