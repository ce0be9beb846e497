"""What a row of the table is.

Argument names are the row's own (`u`, `v`, …); `w` is the result; `du`, `dv` are the directions in which the arguments
move. Every text is in our own language, so each function that a text names must itself be a row.
"""

# no `from __future__ import annotations`: a NamedTuple compiles annotations that are texts, 28 times before the first row
from functools import lru_cache
from typing import NamedTuple

EACH, FOLD, LINEAR, FREE = "each", "fold", "linear", "free"
"""The kinds of row: what its slope texts are.

each    the local slope, element by element; arguments are broadcast
fold    an array to a number: the gradient, shaped like the argument; a parameter `axis` says along which axis to fold
linear  linear in each argument: the texts give what flows back, from `g`; forward is the row itself, slot by slot
free    the texts give what flows back, from `g`; `push` gives what flows on, from `du`, `dv`, …
"""

INDEX, LITERAL = "[]", "[…]"
"""The names of the rows behind `x[0]` and `[1, 2]`: no identifier can collide with them."""


class Columns(NamedTuple):
    """What the table says about a primitive: its value, its local slopes, and what people are told about it.

    value        a function of `algebra.FLOATS`, an operator, or "= text": a definition in our language
    slopes       a text per argument; "0" is structural: no derivative flows there; "none": this argument can't move
    formula      the slopes as a teacher writes them, where an algorithm is longer than its formula
    rule         the name of its derivative rule, as a teacher says it
    held         (argument, name): what the rule is called when only that argument moves
    names        all its names, the first is the one that is printed
    domain       conditions on the arguments, all of which a value needs; "condition | phrase" says it in words
    slope_domain per argument, where its slope exists if that is narrower than the domain ("" where it is not)
    corner       the condition under which left and right slope may differ
    jump         "value beside at condition": where the value itself may jump; " at condition" where order says it all
    vertical     the condition under which a slope is infinite
    scaling      "e in u v": f(s*u, s*v) is s^e*f(u, v) for s > 0; "+e in u v": it is f(u, v) + e*ln(s); it is how the row is
                 looked at beside u = v = 0, and where they are beyond all numbers
    torch, jax   the slopes that these frameworks give on the corner, for `--convention`
    truth        whether its value is a condition: 1 or 0
    conditions   how many of its first arguments must be conditions
    variadic     whether more arguments fold into it from the left
    pick         of a choice: the argument taken when the first one is true, and when it is false; the rest stays asleep
    hint         what to try when the domain is broken
    tex          LaTeX; `#u` stands for an argument, plain text is a function's name
    bound        allowed error of value and slopes, in ulp, as texts over the arguments, `w`, and `d` for the slope
    kind         each, fold, linear or free: see above
    push         of a free row: a text per argument, "" where nothing flows
    by           of a fold: the row of two arguments that gives its value, put between the elements
    alone        what a row of arrays is for plain numbers; "" where that has no meaning
    """

    names: tuple[str, ...]
    params: tuple[str, ...]
    value: str
    slopes: tuple[str, ...]
    rule: str
    doc: str
    example: str
    tex: str
    domain: tuple[str, ...] = ()
    slope_domain: tuple[str, ...] = ()
    corner: str = ""
    jump: str = ""
    vertical: str = ""
    scaling: str = ""
    torch: tuple[str, ...] = ()
    jax: tuple[str, ...] = ()
    truth: bool = False
    conditions: int = 0
    variadic: bool = False
    pick: tuple[int, int] | None = None
    held: tuple[tuple[int, str], ...] = ()
    formula: tuple[str, ...] = ()
    hint: str = ""
    bound: tuple[str, str] = ("4", "8")
    kind: str = EACH
    push: tuple[str, ...] = ()
    by: str = ""
    alone: str = ""


class Row(Columns):
    """One primitive. A row equals itself only, and is the key of many look-ups."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def arity(self) -> int:
        return len(self.params)

    @property
    def signature(self) -> str:
        """How a call of it looks: `atan2(u, v)`, `u + v`."""
        if self.name == INDEX:
            return f"{self.params[0]}[{', '.join(self.params[1:])}]"
        if self.name == LITERAL:
            return f"[{', '.join(self.params)}]"
        if self.name.isidentifier() and not self.name[0].isupper():
            return f"{self.name}({', '.join(self.params)}{', …' if self.variadic else ''})"
        return f" {self.name} ".join(self.params) if self.arity == 2 else f"{self.name}{self.params[0]}"


def each(
    names: str,
    params: str,
    value: str,
    *slopes: str,
    rule: str,
    doc: str,
    example: str,
    tex: str = "",
    domain: str = "",
    slope_domain: tuple[str, ...] = (),
    corner: str = "",
    jump: str = "",
    vertical: str = "",
    scaling: str = "",
    torch: tuple[str, ...] = (),
    jax: tuple[str, ...] = (),
    variadic: bool = False,
    held: tuple[tuple[int, str], ...] = (),
    formula: tuple[str, ...] = (),
    hint: str = "",
    bound: tuple[str, str] = ("4", "8"),
) -> Row:
    """An elementwise function: numbers in, a number out, one local slope per argument."""
    if len(slopes) != len(params.split()):
        raise ValueError(f"{names}: one slope per argument")
    return Row(
        names=tuple(names.split()),
        params=tuple(params.split()),
        value=value,
        slopes=slopes,
        rule=rule,
        doc=doc,
        example=example,
        tex=tex or rf"\operatorname{{{names.split()[0].replace('_', chr(92) + '_')}}}",
        domain=tuple(part.strip() for part in domain.split(";") if part),
        slope_domain=slope_domain or ("",) * len(slopes),
        corner=corner,
        jump=jump,
        vertical=vertical,
        scaling=scaling,
        torch=torch,
        jax=jax,
        variadic=variadic,
        held=held,
        formula=formula or slopes,
        hint=hint,
        bound=bound,
    )


def truth(name: str, params: str, *, doc: str, example: str, tex: str, jump: str = "", conditions: int = 0) -> Row:
    """A condition: 1 or 0; no derivative flows through it."""
    arguments = tuple(params.split())
    return Row(
        names=(name,),
        params=arguments,
        value=name,
        slopes=("0",) * len(arguments),
        formula=("0",) * len(arguments),
        rule="condition",
        doc=doc,
        example=example,
        tex=tex,
        slope_domain=("",) * len(arguments),
        jump=jump,
        truth=True,
        conditions=conditions,
    )


def choice(names: str, params: str, *, pick: tuple[int, int], conditions: int, doc: str, example: str, tex: str) -> Row:
    """A choice: its value is that of one argument, and only that one is evaluated or differentiated."""
    arguments = tuple(params.split())
    return Row(
        names=tuple(names.split()),
        params=arguments,
        value="",
        slopes=tuple("1" if k in pick and k >= conditions else "0" for k in range(len(arguments))),
        formula=tuple("1" if k in pick and k >= conditions else "0" for k in range(len(arguments))),
        rule="taken branch",
        doc=doc,
        example=example,
        tex=tex,
        slope_domain=("",) * len(arguments),
        truth=conditions == len(arguments),
        conditions=conditions,
        pick=pick,
    )


def fold(
    names: str,
    params: str,
    value: str,
    *slopes: str,
    rule: str,
    doc: str,
    example: str,
    by: str = "",
    alone: str = "u",
    tex: str = "",
    corner: str = "",
    jump: str = "",
    torch: tuple[str, ...] = (),
    formula: tuple[str, ...] = (),
) -> tuple[Row]:
    """A reduction: an array to a number, one gradient per argument, shaped like it."""
    row = each(
        names, params, value, *slopes,
        rule=rule, doc=doc, example=example, tex=tex, corner=corner, jump=jump, torch=torch, formula=formula,
    )  # fmt: skip
    return (row._replace(kind=FOLD, by=by, alone=alone),)


def along(
    rows: tuple[Row], *, doc: str, example: str, names: str = "", slope: str = "", jump: str = ""
) -> tuple[Row, Row]:
    """A reduction to a number, and the same along one axis: the axis is one more argument, which can't move.

    In its slope, `w` has the axis still, with length 1.
    """
    (row,) = rows
    return row, row._replace(
        names=tuple(names.split()) or row.names,
        params=(*row.params, "axis"),
        slopes=(slope or row.slopes[0], "none"),
        formula=(*row.formula, "none"),
        slope_domain=(*row.slope_domain, ""),
        jump=jump or row.jump,
        doc=doc,
        example=example,
    )


def linear(
    names: str,
    params: str,
    value: str,
    *pulls: str,
    rule: str,
    doc: str,
    example: str,
    alone: str = "",
    tex: str = "",
    formula: tuple[str, ...] = (),
) -> Row:
    """A function of arrays that is linear in each argument; the texts are its transposes."""
    row = each(names, params, value, *pulls, rule=rule, doc=doc, example=example, tex=tex, formula=formula)
    return row._replace(kind=LINEAR, alone=alone)


def free(
    names: str,
    params: str,
    value: str,
    *pulls: str,
    push: tuple[str, ...] = (),
    rule: str,
    doc: str,
    example: str,
    alone: str = "",
    tex: str = "",
    jump: str = "",
) -> Row:
    """A function of arrays that fits no other kind; its texts say what flows back, `push` what flows on."""
    row = each(names, params, value, *pulls, rule=rule, doc=doc, example=example, tex=tex, jump=jump)
    return row._replace(kind=FREE, push=push or ("",) * row.arity, alone=alone)


@lru_cache(maxsize=1024)
def literal(count: int) -> Row:
    """The row of an array literal with so many elements."""
    names = [f"u{k}" for k in range(count)]
    return free(
        LITERAL, " ".join(names), "literal", *(f"g[{k}]" for k in range(count)),
        push=tuple(f"scatter(du{k}, w, {k})" for k in range(count)),
        rule="array", doc="an array of its arguments", example="[1, 2, 3]", tex=r"\left[ #u \right]",
    )  # fmt: skip
