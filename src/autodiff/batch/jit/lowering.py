"""Lowers a block program to instructions and calls of the C library, where these give the digits that Python gives.

>>> from autodiff.batch.compile import compile
>>> program = jit_program(compile("exp(x)*y").plan, {"y"}, exact=True)
>>> program.columns, program.numbers, program.calls()
({0: 'x'}, ['%same.1'], {'exp'})
>>> jit_program(compile("gamma(x)").plan, (), exact=True) is None
True
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from autodiff.batch.jit.instructions import JitProgram
from autodiff.batch.jit.libm import LIBRARY
from autodiff.batch.program import BlockProgram
from autodiff.batch.whole_powers import by_products, is_product
from autodiff.core import rules, templates
from autodiff.core.floats import PRODUCTS
from autodiff.core.primitive import Primitive


def jit_program(plan: BlockProgram, same: Collection[str], *, exact: bool) -> JitProgram | None:
    """The plan's operations, with one number for all rows in the inputs `same`; None where the C library lacks a function.

    exact    compute powers as `evaluate` does
    """
    program = JitProgram()
    slots = {k: program.constant(number) for k, number in plan.constants.items()}
    known = {value: plan.constants[k] for k, value in slots.items()}
    for name, k in plan.inputs.items():
        slots[k] = program.same(f"%same.{k}") if name in same else program.column(name)
    for step in plan.steps:
        given = [slots[a] for a in step.args]
        if step.row is None:
            program.checks.append(_check(program, given, finite=step.finite))
            continue
        value = _value(program, step.row, given, known, exact=exact)
        if value is None:
            return None
        slots[step.out] = value
    zero = program.constant(0.0)  # x + 0 is x, but a zero has no sign
    program.results = [program.do("fadd double {0}, {1}", program.number(slots[k]), zero) for k in plan.results]
    return program


def _check(program: JitProgram, given: Sequence[int], *, finite: bool) -> int:
    if not finite:
        return program.test("xor i1 {0}, true", program.condition(given[0]))
    size = program.do("call double @llvm.fabs.f64(double {0})", program.number(given[0]))
    fine = program.test("fcmp one double {0}, 0x7FF0000000000000", size)
    if len(given) == 1:
        return fine
    inactive = program.test("xor i1 {0}, true", program.condition(given[1]))
    return program.test("or i1 {0}, {1}", fine, inactive)


# --- rows of the table ------------------------------------------------------------------------------------------------

_PLAIN = {
    ("+", 2): "fadd double {0}, {1}",
    ("-", 2): "fsub double {0}, {1}",
    ("*", 2): "fmul double {0}, {1}",
    ("/", 2): "fdiv double {0}, {1}",
    ("-", 1): "fneg double {0}",
    ("+", 1): "fadd double {0}, 0x8000000000000000",
    ("sqrt", 1): "call double @llvm.sqrt.f64(double {0})",
    ("abs", 1): "call double @llvm.fabs.f64(double {0})",
    ("floor", 1): "call double @llvm.floor.f64(double {0})",
    ("ceil", 1): "call double @llvm.ceil.f64(double {0})",
    ("round", 1): "call double @llvm.rint.f64(double {0})",
}
_COMPARED = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}
_LOGIC = {"not": "xor i1 {0}, true", "and": "and i1 {0}, {1}", "or": "or i1 {0}, {1}"}


def _value(
    program: JitProgram, row: Primitive, given: Sequence[int], known: dict[int, float], *, exact: bool
) -> int | None:
    """The value of `row`, or None where there is no code for it."""
    if row.is_predicate:
        return _condition(program, row, given)
    if row is rules.TABLE["if", 3]:
        return program.choose(program.condition(given[0]), program.number(given[1]), program.number(given[2]))
    numbers = [program.number(a) for a in given]
    if text := _PLAIN.get((row.name, row.arity)):
        return program.do(text, *numbers)
    if row is rules.TABLE["^", 2]:
        return _power(program, numbers[0], numbers[1], known.get(numbers[1]), exact=exact)
    if row.value in LIBRARY:
        return program.call(LIBRARY[row.value], *numbers)
    if row is rules.TABLE["atan2", 2]:  # a zero has no sign
        return program.call("atan2", *(program.do("fadd double {0}, 0.0", number) for number in numbers))
    if row is rules.TABLE["mod", 2] and known.get(numbers[1]) == 1:  # a call of the C library takes ten times as long
        return _of_text(program, "u - floor(u)", {"u": numbers[0]})
    if (row.name, row.arity) not in _TEXTS:
        return None
    function, text = _TEXTS[row.name, row.arity]
    names = dict(zip(row.params, numbers, strict=True))
    return _of_text(program, text, names | ({"w": program.call(function, *numbers)} if function else {}))


def _condition(program: JitProgram, row: Primitive, given: Sequence[int]) -> int:
    if row.name in _LOGIC:
        return program.test(_LOGIC[row.name], *map(program.condition, given))
    return program.test(f"fcmp {_COMPARED[row.name]} double {{0}}, {{1}}", *map(program.number, given))


def _power(program: JitProgram, u: int, v: int, exponent: float | None, *, exact: bool) -> int:
    """The C library's `pow`, but products where the exponent has them."""
    if exponent is not None:
        return _product(program, u, exponent) if is_product(exponent, exact=exact) else program.call("pow", u, v)
    value = program.call("pow", u, v)
    for product in PRODUCTS:
        is_exponent = program.test("fcmp oeq double {0}, {1}", v, program.constant(product))
        value = program.choose(is_exponent, _product(program, u, product), value)
    return value


def _product(program: JitProgram, u: int, exponent: float) -> int:
    if exponent % 1:
        return program.do(_PLAIN["sqrt", 1], u)
    base = program.do("fdiv double {0}, {1}", program.constant(1.0), u) if exponent < 0 else u
    return by_products(base, int(abs(exponent)), lambda a, b: program.do("fmul double {0}, {1}", a, b))


def _of_text(program: JitProgram, text: str, given: Mapping[str, int]) -> int:
    """The value of a text of our language without powers, in which `given` are the values of its names."""

    def value(row: Primitive, args: tuple[int, ...]) -> int:
        known = _value(program, row, args, {}, exact=True)
        assert known is not None, text
        return known

    return templates.filled(text, given, program.constant, value)


_TEXTS = {
    ("min", 2): ("", "if(v < u, v, u)"),
    ("max", 2): ("", "if(v > u, v, u)"),
    ("sign", 1): ("", "if(u > 0, 1, if(u < 0, -1, 0))"),
    ("mod", 2): ("fmod", "if(w != 0 and (w < 0) != (v < 0), w + v, w)"),
    ("cbrt", 1): ("cbrt", "z = w - (w - u/(w*w))/3; if(z == z, z, w)"),
    ("hypot", 2): (
        "",
        "high(x) = 134217729*x - (134217729*x - x); low(x) = x - high(x);"
        "rest(x) = high(x)*high(x) - x*x + (high(x)*low(x) + high(x)*low(x)) + low(x)*low(x);"
        f"a = max(abs(u), abs(v)); far = a > {2.0**400!r}; near = a < {2.0**-400!r};"
        f"s = if(far, {2.0**-600!r}, if(near, {2.0**600!r}, 1)); x = a*s; y = min(abs(u), abs(v))*s;"
        "z = x*x + y*y; lost = (x*x - z + y*y) + (rest(x) + rest(y)); r = sqrt(z);"
        "step = (z - r*r - rest(r) + lost)/(r + r);"
        f"if(a == 0, 0, (r + step)*if(far, {2.0**600!r}, if(near, {2.0**-600!r}, 1)))",
    ),
}
"""Rows that are made of others: the function of the C library that is called w in the text, if any, and the text.

The remainder gets the sign of v. The cube root's step is NaN beside 0 and infinity, where none is taken. The hypotenuse
is the root of a sum of squares that is exact to twice the digits, by one step of Newton's, as in Python; numbers far from
1 are scaled by a power of 2 first, which rounds nothing. The exact products are Dekker's
(https://doi.org/10.1007/BF01397083).
"""
