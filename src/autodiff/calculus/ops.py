"""What a row of the table is.

Argument names are the row's own (`u`, `v`, …); `w` is the result; `du`, `dv` are the directions in which the arguments
move. Every text is in our own language, so each function that a text names must itself be a row.
"""

from __future__ import annotations

from typing import NamedTuple


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
    scaling      "e in u v": f(s*u, s*v) is s^e*f(u, v) for s > 0; it is how the row is looked at beside u = v = 0
    torch, jax   the slopes that these frameworks give on the corner, for `--convention`
    truth        whether its value is a condition: 1 or 0
    conditions   how many of its first arguments must be conditions
    variadic     whether more arguments fold into it from the left
    pick         of a choice: the argument taken when the first one is true, and when it is false; the rest stays asleep
    hint         what to try when the domain is broken
    tex          LaTeX; `#u` stands for an argument, plain text is a function's name
    bound        allowed error of value and slopes, in ulp, as texts over the arguments, `w`, and `d` for the slope
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
