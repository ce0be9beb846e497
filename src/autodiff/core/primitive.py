"""What the table says about a primitive: typed columns, and the one reader of the texts that a row is written with.

>>> row = elementwise("half", "u", "= u/2", "1/2", rule="half", doc="half of u", example="half(4)", domain="u >= 0")
>>> row.definition, row.partials, row.domain
('u/2', ('1/2',), (Condition(text='u >= 0', words='#u >= 0'),))

Argument names are the row's own (`u`, `v`, …); `w` is the result; `du`, `dv` are the directions in which the arguments
move. Every text is in our own language, so each function in a text must itself be a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from autodiff.record import Record

ELEMENTWISE, REDUCTION, LINEAR, GENERAL = "elementwise", "reduction", "linear", "general"
"""The kinds of row: what its partials are.

elementwise  the partial derivative, element by element; arguments are broadcast
reduction    an array to a number: the gradient, shaped like the argument; a parameter `axis` says along which axis
linear       linear in each argument: the texts are the vjp, from `g`; the jvp is the row itself, argument by argument
general      the texts are the vjp, from `g`; `pushforward` gives the jvp, from `du`, `dv`, …
"""

ZERO, UNDEFINED = "0", "none"
"""Partials that are no formula: this argument's partial is structurally 0, and this argument must not be active."""

INDEX, LITERAL = "[]", "[…]"
"""The names of the rows behind `x[0]` and `[1, 2]`: no identifier can collide with them."""


class Condition(Record):
    """A condition on the arguments, and the words for it, where `#u` is the argument u as the user writes it."""

    text: str
    words: str

    @property
    def plain(self) -> str:
        """The words with the row's own names of its arguments."""
        return self.words.replace("#", "")


class Jump(Record):
    """Where the value itself may jump, and its value on either side, over `u` and `du`; "" where comparing decides it."""

    condition: str
    side_value: str


class Scaling(Record):
    """f(s*u) is s^exponent*f(u) for s > 0, or f(u) + exponent*ln(s) if `additive`; `args` are the arguments that scale.

    Where these are all 0, or beyond float64, one-sided derivatives are found after rescaling by it.
    """

    exponent: str
    additive: bool
    args: tuple[int, ...]


class Primitive:
    """One row of the table: its value, its partials, and what people read about it. It equals itself only."""

    names: tuple[str, ...]  # all its names, the first is the one that is printed
    params: tuple[str, ...]  # the names of its arguments in the texts
    value: str  # the function that computes it in each algebra; "" where there is a definition
    definition: str  # the value in our own language; "" where each algebra has its own function
    partials: tuple[str, ...]  # a text per argument, or ZERO or UNDEFINED
    formula: tuple[str, ...]  # the partials as a teacher writes them, where the algorithm is longer than its formula
    rule: str  # the name of its derivative rule, as a teacher uses it
    doc: str  # what it is, in a few words
    example: str  # a call of it
    tex: str  # LaTeX; `#u` is the argument u, plain text is a function's name
    partial_domain: tuple[str, ...]  # per argument, where its partial exists; "" where that is the whole domain
    domain_text: str = ""  # what a value needs of its arguments: "condition | words", between semicolons
    kink: str = ""  # the condition under which left and right derivative may differ
    jump: Jump | None = None  # where the value may jump
    vertical_tangent: str = ""  # the condition under which a partial is infinite
    scaling: Scaling | None = None  # how it scales, for its one-sided derivatives at 0
    torch: tuple[str, ...] = ()  # the partials that PyTorch gives on the kink, for `--convention`
    jax: tuple[str, ...] = ()  # those that JAX gives there
    by_balls: bool = False  # whether float64 takes value and partials from ball arithmetic
    is_predicate: bool = False  # whether its value is a condition: 1 or 0
    conditions: int = 0  # how many of its first arguments must be conditions
    variadic: bool = False  # whether more arguments fold into it from the left
    branches: tuple[int, int] | None = None  # of a choice: the argument taken if the first one holds, and if not
    rule_by_argument: tuple[tuple[int, str], ...] = ()  # (argument, name): the rule where only that argument is active
    hint: str = ""  # what to try when the domain is broken
    ulp_error: tuple[str, str] = ("4", "8")  # allowed error of value and partials: over the arguments, `w`, partial `d`
    kind: str = ELEMENTWISE  # elementwise, reduction, linear or general
    pushforward: tuple[str, ...] = ()  # of a general row: the jvp, a text per argument, "" where nothing flows
    reduce_with: str = ""  # of a reduction: the primitive of two arguments that is put between the elements
    elements: str = ""  # of a reduction: its value over other reductions, where `reduce_with` can't give it
    scalar_meaning: str = ""  # what a row of arrays is for a scalar; "" where that has no meaning
    cure: str = ""  # what helps where its partial is tiny because it saturates; "" where it doesn't

    def __init__(self, **columns: Any) -> None:
        if not columns.keys() <= Primitive.__annotations__.keys():
            raise TypeError(f"no such column: {', '.join(columns.keys() - Primitive.__annotations__.keys())}")
        vars(self).update(columns)

    def replaced(self, **columns: Any) -> Primitive:
        """The row with other columns where they are named."""
        own = {name: column for name, column in vars(self).items() if name in Primitive.__annotations__}
        return Primitive(**own | columns)

    @cached_property
    def name(self) -> str:
        return self.names[0]

    @cached_property
    def arity(self) -> int:
        return len(self.params)

    @property
    def signature(self) -> str:
        """How a call of it looks: `atan2(u, v)`, `u + v`."""
        if self.name == INDEX:
            return f"{self.params[0]}[{', '.join(self.params[1:])}]"
        if self.name == LITERAL:
            return f"[{', '.join(self.params)}]"
        if self.name.isidentifier():
            return f"{self.name}({', '.join(self.params)}{', …' if self.variadic else ''})"
        return f" {self.name} ".join(self.params) if self.arity == 2 else f"{self.name}{self.params[0]}"

    @cached_property
    def domain(self) -> tuple[Condition, ...]:
        """The conditions of the domain, each with the words for it, which are its text where the row has no others."""
        parts = (part.strip().partition(" | ") for part in self.domain_text.split(";") if part)
        return tuple(Condition(text, words or marked(text, self.params)) for text, _, words in parts)

    def taken(self, args: Sequence[int], known: Mapping[int, float]) -> int | None:
        """The argument that a choice becomes where the numbers of equations in `known` decide it, else None."""
        assert self.branches is not None
        yes, no = (args[k] for k in self.branches)
        if args[0] in known:
            return yes if known[args[0]] else no
        if (
            self.is_predicate and args[1] in known
        ):  # `a and b` is b if b fails, else a; `a or b` is b if b holds, else a
            return args[0] if bool(known[args[1]]) == (self.branches[0] == 1) else args[1]
        return yes if yes == no else None

    @property
    def is_step(self) -> bool:
        """Whether the value only changes by jumps: floor(u), argmax(u), numel(u)."""
        return {*self.partials} <= {ZERO, UNDEFINED}

    def never_changes(self, args: Sequence[int]) -> bool:
        """Whether this is a condition that compares an equation with itself; `args` are the numbers of equations."""
        return self.is_predicate and len(set(args)) < len(args)

    @property
    def special_conditions(self) -> tuple[str, ...]:
        """The conditions of its special points: kink, jump and vertical tangent, those that it has."""
        conditions = (self.kink, self.jump.condition if self.jump else "", self.vertical_tangent)
        return tuple(condition for condition in conditions if condition)


# --- the reader: the texts that a row is written with, read once ---------------------------------------------------------


def by_cases(text: str) -> bool:
    """Whether a text is a choice, or has one in it."""
    return "if(" in text


def equalities(condition: str) -> list[tuple[str, str]]:
    """Both sides of each equation in a condition."""
    parts = (part.partition(" == ") for part in re.split(r" and | or ", condition))
    return [(left, right) for left, sign, right in parts if sign]


def with_result(text: str, result: str) -> str:
    """A text with `result` in place of `w`."""
    return re.sub(r"\bw\b", result, text)


def is_quotient(text: str) -> bool:
    """Whether a text is a quotient, or has one in it."""
    return "/" in text


def with_other_signs(text: str) -> list[str]:
    """The texts that have in place of one sum a difference, or the other way round: for `1-u^2`, `1+u^2`."""
    signs = re.finditer(r"(?<=[\w)])[+-](?=[\w(])", text)
    return [f"{text[: s.start()]}{'+' if s[0] == '-' else '-'}{text[s.end() :]}" for s in signs]


def marked(text: str, params: tuple[str, ...]) -> str:
    """`text` with its parameters marked as places to fill in: `u > 0` becomes `#u > 0`."""
    return re.sub(r"\b[a-z]\w*", lambda name: f"#{name[0]}" if name[0] in params else name[0], text)


def _jump(text: str) -> Jump:
    """ "side value at condition"; " at condition" where comparing decides on which side the value is."""
    side_value, _, condition = text.rpartition(" at ")
    return Jump(condition, side_value)


def _scaling(text: str, params: tuple[str, ...]) -> Scaling:
    """ "exponent in u v", or "+exponent in u v" where the scaling is additive."""
    exponent, _, args = text.removeprefix("+").partition(" in ")
    return Scaling(exponent, text[0] == "+", tuple(map(params.index, args.split())))


def elementwise(
    names: str,
    params: str,
    value: str,
    *partials: str,
    domain: str = "",
    jump: str = "",
    scaling: str = "",
    partial_domain: tuple[str, ...] = (),
    formula: tuple[str, ...] = (),
    tex: str = "",
    **columns: Any,
) -> Primitive:
    """An elementwise function: numbers in, a number out, one partial per argument; a `value` "= text" is a definition."""
    arguments, named = tuple(params.split()), tuple(names.split())
    if len(partials) != len(arguments):
        raise ValueError(f"{names}: one partial per argument")
    return Primitive(
        names=named,
        params=arguments,
        value="" if value.startswith("= ") else value,
        definition=value[2:] if value.startswith("= ") else "",
        partials=partials,
        formula=formula or partials,
        tex=tex or rf"\operatorname{{{named[0].replace('_', chr(92) + '_')}}}",
        domain_text=domain,
        partial_domain=partial_domain or ("",) * len(partials),
        jump=_jump(jump) if jump else None,
        scaling=_scaling(scaling, arguments) if scaling else None,
        **columns,
    )


def predicate(name: str, params: str, **columns: Any) -> Primitive:
    """A condition: 1 or 0; no derivative flows through it."""
    partials = (ZERO,) * len(params.split())
    return elementwise(name, params, name, *partials, rule="condition", is_predicate=True, **columns)


def choice(names: str, params: str, *, branches: tuple[int, int], conditions: int, **columns: Any) -> Primitive:
    """A choice: its value is that of one argument, and only that one is evaluated or differentiated."""
    count = len(params.split())
    partials = ("1" if k in branches and k >= conditions else ZERO for k in range(count))
    return elementwise(
        names, params, "", *partials,
        rule="taken branch", is_predicate=conditions == count, conditions=conditions, branches=branches, **columns,
    )  # fmt: skip


def reduction(
    names: str,
    params: str,
    value: str,
    *partials: str,
    reduce_with: str = "",
    scalar_meaning: str = "u",
    **columns: Any,
) -> tuple[Primitive]:
    """A reduction: an array to a number, one gradient per argument, shaped like it; "= text" in `reduce_with` is `elements`."""
    columns |= {"elements": reduce_with[2:]} if reduce_with.startswith("= ") else {"reduce_with": reduce_with}
    return (elementwise(names, params, value, *partials, kind=REDUCTION, scalar_meaning=scalar_meaning, **columns),)


def with_axis(
    rows: tuple[Primitive], *, doc: str, example: str, names: str = "", partial: str = "", jump: str = ""
) -> tuple[Primitive, Primitive]:
    """A reduction to a number, and the same along one axis: the axis is one more argument, which must not be active.

    In its partial, `w` has the axis still, with length 1.
    """
    (row,) = rows
    return row, row.replaced(
        names=tuple(names.split()) or row.names,
        params=(*row.params, "axis"),
        partials=(partial or row.partials[0], UNDEFINED),
        formula=(*row.formula, UNDEFINED),
        partial_domain=(*row.partial_domain, ""),
        jump=_jump(jump) if jump else row.jump,
        doc=doc,
        example=example,
    )


def linear(names: str, params: str, value: str, *vjp: str, **columns: Any) -> Primitive:
    """A function of arrays that is linear in each argument; the texts are its transposes."""
    return elementwise(names, params, value, *vjp, kind=LINEAR, **columns)


def general(
    names: str, params: str, value: str, *vjp: str, pushforward: tuple[str, ...] = (), **columns: Any
) -> Primitive:
    """A function of arrays that fits no other kind; its texts are the vjp, `pushforward` is the jvp."""
    return elementwise(names, params, value, *vjp, kind=GENERAL, pushforward=pushforward or ("",) * len(vjp), **columns)


@lru_cache(maxsize=1024)
def literal(count: int) -> Primitive:
    """The row of an array literal with so many elements."""
    names = [f"u{k}" for k in range(count)]
    return general(
        LITERAL, " ".join(names), "literal", *(f"g[{k}]" for k in range(count)),
        pushforward=tuple(f"scatter(du{k}, w, {k})" for k in range(count)),
        rule="array", doc="an array of its arguments", example="[1, 2, 3]", tex=r"\left[ #u \right]",
    )  # fmt: skip
