"""Lowers a block program to instructions and calls of the C library, where these give the digits that Python gives.

>>> from autodiff.batch.compile import compile
>>> program = jit_program(compile("exp(x)*y").plan, {"y"}, exact=True)
>>> program.columns, program.numbers, program.calls()
({0: 'x'}, ['%same.1'], {'exp'})
>>> jit_program(compile("gamma(x)").plan, (), exact=True) is None
True
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from autodiff.batch.jit.instructions import JitProgram
from autodiff.batch.jit.libm import LIBRARY
from autodiff.batch.program import BlockProgram
from autodiff.batch.whole_powers import by_products, is_product
from autodiff.core import rules
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
    asleep = program.test("xor i1 {0}, true", program.condition(given[1]))
    return program.test("or i1 {0}, {1}", fine, asleep)


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
    special = _SPECIAL.get((row.name, row.arity))
    return None if special is None else special(program, *numbers)


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


def _smaller(program: JitProgram, u: int, v: int) -> int:
    return program.choose(program.test("fcmp olt double {0}, {1}", v, u), v, u)


def _larger(program: JitProgram, u: int, v: int) -> int:
    return program.choose(program.test("fcmp ogt double {0}, {1}", v, u), v, u)


def _sign(program: JitProgram, u: int) -> int:
    zero = program.constant(0.0)
    negative = program.choose(program.test("fcmp olt double {0}, {1}", u, zero), program.constant(-1.0), zero)
    return program.choose(program.test("fcmp ogt double {0}, {1}", u, zero), program.constant(1.0), negative)


def _modulo(program: JitProgram, u: int, v: int) -> int:
    """The remainder with the sign of v, from one with the sign of u."""
    rest, zero = program.call("fmod", u, v), program.constant(0.0)
    below, down = (program.test("fcmp olt double {0}, {1}", each, zero) for each in (rest, v))
    apart = program.test("xor i1 {0}, {1}", below, down)
    moves = program.test("and i1 {0}, {1}", apart, program.test("fcmp une double {0}, {1}", rest, zero))
    return program.choose(moves, program.do("fadd double {0}, {1}", rest, v), rest)


def _angle(program: JitProgram, u: int, v: int) -> int:
    zero = program.constant(0.0)
    return program.call("atan2", *(program.do("fadd double {0}, {1}", each, zero) for each in (u, v)))


def _cube_root(program: JitProgram, u: int) -> int:
    """As `special.cbrt` does it; beside 0 and infinity the step is NaN, and none is taken."""
    root = program.call("cbrt", u)
    again = program.do(_PLAIN["/", 2], u, program.do(_PLAIN["*", 2], root, root))
    step = program.do(_PLAIN["/", 2], program.do(_PLAIN["-", 2], root, again), program.constant(3.0))
    found = program.do(_PLAIN["-", 2], root, step)
    return program.choose(program.test("fcmp ord double {0}, {0}", found), found, root)


def _hypot(program: JitProgram, u: int, v: int) -> int:
    """The root of a sum of squares that is exact to twice the digits, by one step of Newton's; Python does it likewise.

    Numbers far from 1 are scaled by a power of 2 first, which rounds nothing. The exact products are Dekker's
    (https://doi.org/10.1007/BF01397083).
    """
    a, b = (program.do(_PLAIN["abs", 1], each) for each in (u, v))
    long, short = _larger(program, a, b), _smaller(program, a, b)
    one = program.constant(1.0)
    far = program.test("fcmp ogt double {0}, {1}", long, program.constant(2.0**400))
    near = program.test("fcmp olt double {0}, {1}", long, program.constant(2.0**-400))
    down, up = program.constant(2.0**-600), program.constant(2.0**600)
    scale = program.choose(far, down, program.choose(near, up, one))
    back = program.choose(far, up, program.choose(near, down, one))

    def do(name: str, x: int, y: int) -> int:
        return program.do(_PLAIN[name, 2], x, y)

    def squared(x: int) -> tuple[int, int]:
        """x^2 and what rounding took from it."""
        wide = do("*", x, program.constant(2.0**27 + 1))
        high = do("-", wide, do("-", wide, x))
        low, square = do("-", x, high), do("*", x, x)
        middle = do("*", high, low)
        rest = do("+", do("+", do("-", do("*", high, high), square), do("+", middle, middle)), do("*", low, low))
        return square, rest

    (p, p_rest), (q, q_rest) = (squared(do("*", each, scale)) for each in (long, short))
    total = do("+", p, q)
    lost = do("+", do("+", do("-", p, total), q), do("+", p_rest, q_rest))
    root = program.do(_PLAIN["sqrt", 1], total)
    again, rest = squared(root)
    step = do("/", do("+", do("-", do("-", total, again), rest), lost), do("+", root, root))
    zero = program.constant(0.0)
    return program.choose(
        program.test("fcmp oeq double {0}, {1}", long, zero), zero, do("*", do("+", root, step), back)
    )


_SPECIAL: dict[tuple[str, int], Callable[..., int]] = {
    ("min", 2): _smaller,
    ("max", 2): _larger,
    ("sign", 1): _sign,
    ("mod", 2): _modulo,
    ("atan2", 2): _angle,
    ("cbrt", 1): _cube_root,
    ("hypot", 2): _hypot,
}
