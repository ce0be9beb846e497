"""A plan in a processor's words: instructions, and calls of the C library with the instructions that must wait for them.

    sin(x*y) + 1    becomes    turn 0: fmul;  turn 1: sin;  turn 2: fadd

>>> made = Code()
>>> x, y = made.column("x"), made.column("y")
>>> made.turn[made.do("fadd double {0}, {1}", made.call("sin", made.do("fmul double {0}, {1}", x, y)), x)]
2
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from autodiff.calculus import rules
from autodiff.calculus.ops import Row
from autodiff.calculus.special import PRODUCTS
from autodiff.data.plan import Plan


@dataclass(frozen=True, slots=True)
class Operation:
    """An instruction, `{0}` standing for its first argument, or the name of a function of the C library."""

    text: str
    args: tuple[int, ...]
    kind: str = "double"
    call: bool = False


@dataclass(slots=True)
class Code:
    """Operations in order, each with its turn: instructions have even ones and calls odd ones, behind their arguments'.

    So everything of one turn is one loop over rows. A value is the number of its operation; those in `columns` are
    inputs, and those in `fixed` the same in every row. `looks` are conditions that hold where a row can be trusted.
    """

    operations: list[Operation | None] = field(default_factory=list)
    turn: list[int] = field(default_factory=list)
    columns: dict[int, str] = field(default_factory=dict)
    fixed: dict[int, str] = field(default_factory=dict)
    looks: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)

    def column(self, name: str) -> int:
        """An input that has a number for each row."""
        value = self._new(None, 0)
        self.columns[value] = name
        return value

    def same(self, text: str) -> int:
        """A number for all rows, as the processor's language writes it."""
        value = self._new(None, 0)
        self.fixed[value] = text
        return value

    def constant(self, number: float) -> int:
        return self.same(f"0x{struct.pack('>d', number).hex().upper()}")

    def do(self, text: str, *args: int, kind: str = "double") -> int:
        """The result of an instruction."""
        after = max(self.turn[a] for a in args)
        return self._new(Operation(text, args, kind), after + after % 2)

    def test(self, text: str, *args: int) -> int:
        """The result of an instruction that makes a condition."""
        return self.do(text, *args, kind="i1")

    def call(self, name: str, *args: int) -> int:
        """The result of a function of the C library."""
        after = max(self.turn[a] for a in args)
        return self._new(Operation(name, args, call=True), after + 1 + after % 2)

    def choose(self, condition: int, u: int, v: int) -> int:
        return self.do("select i1 {0}, double {1}, double {2}", condition, u, v)

    @property
    def numbers(self) -> list[str]:
        """The names of the inputs that are one number."""
        return [text for text in self.fixed.values() if text.startswith("%")]

    def turns(self) -> list[list[int]]:
        """The operations of each turn; there is a first one, and no other that is empty."""
        found: dict[int, list[int]] = {0: []}
        for value, made in enumerate(self.operations):
            if made is not None:
                found.setdefault(self.turn[value], []).append(value)
        return [found[turn] for turn in sorted(found)]

    def calls(self) -> set[str]:
        """The functions of the C library that are called."""
        return {made.text for made in self.operations if made is not None and made.call}

    def kind(self, value: int) -> str:
        """`double`, or `i1` for a condition."""
        made = self.operations[value]
        return made.kind if made else "double"

    def number(self, value: int) -> int:
        """A condition as 1 or 0."""
        return self.do("uitofp i1 {0} to double", value) if self.kind(value) == "i1" else value

    def condition(self, value: int) -> int:
        """A number as a condition."""
        return value if self.kind(value) == "i1" else self.test("fcmp une double {0}, 0.0", value)

    def _new(self, made: Operation | None, turn: int) -> int:
        self.operations.append(made)
        self.turn.append(turn)
        return len(self.turn) - 1


def code(plan: Plan, same: Collection[str]) -> Code | None:
    """The plan's operations, with one number for all rows in the inputs `same`; None where the C library lacks a function."""
    made = Code()
    slots = {k: made.constant(number) for k, number in plan.constants.items()}
    known = {value: plan.constants[k] for k, value in slots.items()}
    for name, k in plan.inputs.items():
        slots[k] = made.same(f"%same.{k}") if name in same else made.column(name)
    for step in plan.steps:
        given = [slots[a] for a in step.args]
        if step.row is None:
            made.looks.append(_look(made, given, finite=step.finite))
            continue
        value = _value(made, step.row, given, known)
        if value is None:
            return None
        slots[step.out] = value
    zero = made.constant(0.0)  # x + 0 is x, but a zero has no sign
    made.results = [made.do("fadd double {0}, {1}", made.number(slots[k]), zero) for k in plan.results]
    return made


def _look(made: Code, given: Sequence[int], *, finite: bool) -> int:
    if not finite:
        return made.test("xor i1 {0}, true", made.condition(given[0]))
    size = made.do("call double @llvm.fabs.f64(double {0})", made.number(given[0]))
    fine = made.test("fcmp one double {0}, 0x7FF0000000000000", size)
    if len(given) == 1:
        return fine
    asleep = made.test("xor i1 {0}, true", made.condition(given[1]))
    return made.test("or i1 {0}, {1}", fine, asleep)


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

_NAMES = "cbrt exp exp2 expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc"
LIBRARY = {"ln": "log"} | {name: name for name in _NAMES.split()}
"""Values of rows that are a function of one number in the C library, and its name there."""


def _value(made: Code, row: Row, given: Sequence[int], known: dict[int, float]) -> int | None:
    """The value of `row`, or None where there is no code for it."""
    if row.truth:
        return _condition(made, row, given)
    if row is rules.TABLE["if", 3]:
        return made.choose(made.condition(given[0]), made.number(given[1]), made.number(given[2]))
    numbers = [made.number(a) for a in given]
    if text := _PLAIN.get((row.name, row.arity)):
        return made.do(text, *numbers)
    if row is rules.TABLE["^", 2]:
        return _power(made, numbers[0], numbers[1], known.get(numbers[1]))
    if row.value in LIBRARY:
        return made.call(LIBRARY[row.value], *numbers)
    special = _SPECIAL.get((row.name, row.arity))
    return None if special is None else special(made, *numbers)


def _condition(made: Code, row: Row, given: Sequence[int]) -> int:
    if row.name in _LOGIC:
        return made.test(_LOGIC[row.name], *map(made.condition, given))
    return made.test(f"fcmp {_COMPARED[row.name]} double {{0}}, {{1}}", *map(made.number, given))


def _power(made: Code, u: int, v: int, exponent: float | None) -> int:
    """The C library's `pow`, but products where `special.power` has them."""
    if exponent is not None:
        return _products(made, u, exponent) if exponent in PRODUCTS else made.call("pow", u, v)
    value = made.call("pow", u, v)
    for each in PRODUCTS:
        is_it = made.test("fcmp oeq double {0}, {1}", v, made.constant(each))
        value = made.choose(is_it, _products(made, u, each), value)
    return value


def _products(made: Code, u: int, exponent: float) -> int:
    def times(a: int, b: int) -> int:
        return made.do("fmul double {0}, {1}", a, b)

    if exponent == 0.5:
        return made.do(_PLAIN["sqrt", 1], u)
    base = made.do("fdiv double {0}, {1}", made.constant(1.0), u) if exponent < 0 else u
    if abs(exponent) == 1:
        return base
    square = times(base, base)
    return {2: lambda: square, 3: lambda: times(square, base), 4: lambda: times(square, square)}[abs(int(exponent))]()


def _smaller(made: Code, u: int, v: int) -> int:
    return made.choose(made.test("fcmp olt double {0}, {1}", v, u), v, u)


def _larger(made: Code, u: int, v: int) -> int:
    return made.choose(made.test("fcmp ogt double {0}, {1}", v, u), v, u)


def _sign(made: Code, u: int) -> int:
    zero = made.constant(0.0)
    negative = made.choose(made.test("fcmp olt double {0}, {1}", u, zero), made.constant(-1.0), zero)
    return made.choose(made.test("fcmp ogt double {0}, {1}", u, zero), made.constant(1.0), negative)


def _modulo(made: Code, u: int, v: int) -> int:
    """The remainder with the sign of v, from one with the sign of u."""
    rest, zero = made.call("fmod", u, v), made.constant(0.0)
    below, down = (made.test("fcmp olt double {0}, {1}", each, zero) for each in (rest, v))
    apart = made.test("xor i1 {0}, {1}", below, down)
    moves = made.test("and i1 {0}, {1}", apart, made.test("fcmp une double {0}, {1}", rest, zero))
    return made.choose(moves, made.do("fadd double {0}, {1}", rest, v), rest)


def _angle(made: Code, u: int, v: int) -> int:
    zero = made.constant(0.0)
    return made.call("atan2", *(made.do("fadd double {0}, {1}", each, zero) for each in (u, v)))


def _hypot(made: Code, u: int, v: int) -> int:
    """The root of a sum of squares that is exact to twice the digits, by one step of Newton's; Python does it likewise.

    Numbers far from 1 are scaled by a power of 2 first, which rounds nothing. The exact products are Dekker's
    (https://doi.org/10.1007/BF01397083).
    """
    a, b = (made.do(_PLAIN["abs", 1], each) for each in (u, v))
    long, short = _larger(made, a, b), _smaller(made, a, b)
    one = made.constant(1.0)
    far = made.test("fcmp ogt double {0}, {1}", long, made.constant(2.0**400))
    near = made.test("fcmp olt double {0}, {1}", long, made.constant(2.0**-400))
    down, up = made.constant(2.0**-600), made.constant(2.0**600)
    scale = made.choose(far, down, made.choose(near, up, one))
    back = made.choose(far, up, made.choose(near, down, one))

    def do(name: str, x: int, y: int) -> int:
        return made.do(_PLAIN[name, 2], x, y)

    def squared(x: int) -> tuple[int, int]:
        """x^2 and what rounding took from it."""
        wide = do("*", x, made.constant(2.0**27 + 1))
        high = do("-", wide, do("-", wide, x))
        low, square = do("-", x, high), do("*", x, x)
        middle = do("*", high, low)
        rest = do("+", do("+", do("-", do("*", high, high), square), do("+", middle, middle)), do("*", low, low))
        return square, rest

    (p, p_rest), (q, q_rest) = (squared(do("*", each, scale)) for each in (long, short))
    total = do("+", p, q)
    lost = do("+", do("+", do("-", p, total), q), do("+", p_rest, q_rest))
    root = made.do(_PLAIN["sqrt", 1], total)
    again, rest = squared(root)
    step = do("/", do("+", do("-", do("-", total, again), rest), lost), do("+", root, root))
    zero = made.constant(0.0)
    return made.choose(made.test("fcmp oeq double {0}, {1}", long, zero), zero, do("*", do("+", root, step), back))


_SPECIAL: dict[tuple[str, int], Callable[..., int]] = {
    ("min", 2): _smaller,
    ("max", 2): _larger,
    ("sign", 1): _sign,
    ("mod", 2): _modulo,
    ("atan2", 2): _angle,
    ("hypot", 2): _hypot,
}
