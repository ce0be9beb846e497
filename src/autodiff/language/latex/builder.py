r"""LaTeX tokens to nodes: what each rule of `grammar/latex.lark` makes of its parts, and its text in the first language.

>>> half = LatexBuilder().short_fraction([Token("SHORT_FRACTION", r"\frac12", (0, 7))])
>>> str(half)
'1/2'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from autodiff.errors import AutodiffError, Span
from autodiff.language.ast import JUXTAPOSITION
from autodiff.language.latex.node import ATOM, BRACKET, POWER, PRODUCT, SIGN, SUM, Node, Text, check_argument
from autodiff.language.synonyms import ALIASES, INVERSES
from autodiff.language.token import USUAL_FUNCTIONS, Token

Parts: TypeAlias = "list[Any]"
_OPERATORS = {r"\cdot": "*", r"\times": "*", r"\ast": "*", r"\div": "/", "·": "*", "×": "*", "−": "-"}
_FUNCTIONS = {
    "log": "ln", "lg": "log10", "Gamma": "gamma", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "B": "beta", "W": "lambertw",
}  # fmt: skip
_COMPARISONS = {
    r"\le": "<=",
    r"\leq": "<=",
    r"\ge": ">=",
    r"\geq": ">=",
    r"\ne": "!=",
    r"\neq": "!=",
    r"\lt": "<",
    r"\gt": ">",
    "=": "==",
}
_COMPLEMENTS = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}

_UNKNOWN_FUNCTIONS = frozenset({"zeta", "delta", "Theta", "W"})
"""Letters that are functions elsewhere, before a bracket."""

_WITH_ORDER = {
    r"sigma": "σ(", r"psi\^\((\d+)\)": r"polygamma(\1, ", r"J_(\d+)": r"besselj(\1, ", r"Y_(\d+)": r"bessely(\1, ", r"j_(\d+)": r"spherical_jn(\1, ",
}  # fmt: skip
"""Functions that have a letter's name, with their order behind it: what stands before the bracket, and the call that it is."""

SINGLE = {"POWER": "^", "ROOT": r"\sqrt", "LOG_TO": r"\log_", "FRACTION": r"\frac"}
"""Tokens that take the next character alone, unless there are braces."""


def _across(parts: Parts) -> Span:
    return parts[0].span[0], parts[-1].span[1]


def _joined(nodes: Sequence[Node], between: str) -> Text:
    return [part for node in nodes for part in (between, node)][1:]


def plain_name(text: str) -> str:
    r"""The name in the first language: `x_hat` for `\hat{x}` and `\hat x`, `phi` for `\varphi`."""
    if accent := re.match(r"\\(hat|bar|tilde)\s*(\{[^}]*\}|\\?[A-Za-z]+)", text):
        text = f"{accent[2]}_{accent[1]}{text[accent.end() :]}"
    text = re.sub(r"\\(?:mathrm|textrm|text|mathit)|[\\{}\s]", "", text)
    return re.sub(r"^var(?=epsilon|theta|phi)", "", text)


def _calling(name: str) -> Callable[[LatexBuilder, Parts], Node]:
    """The method for a rule whose second part is the argument of the function `name`."""
    return lambda _, parts: _called(name, (parts[1],), _across(parts))


class LatexBuilder:
    """One method per alias of the grammar; each gets the parts of its rule, tokens included, and returns a node."""

    def program(self, parts: Parts) -> Text:
        return _joined([part for part in parts if not isinstance(part, Token)], "; ")

    def expression(self, parts: Parts) -> Node:
        return cast(Node, parts[0])

    def equation(self, parts: Parts) -> Node:
        left, _, right = parts
        return Node("=", (left, right), _across(parts), [left, " = ", right], SUM)

    def sum(self, parts: Parts) -> Node:
        left, sign, right = parts
        second = right.within(PRODUCT if right.level != SIGN else ATOM)
        return Node(_operator(sign), (left, right), _across(parts), [left, f" {_operator(sign)} ", *second], SUM)

    def binary(self, parts: Parts) -> Node:
        left, sign, right = parts
        if sign.text == r"\bmod":
            return _called("mod", (left, right), _across(parts))
        name, written = _operator(sign), [*left.within(PRODUCT), _operator(sign), *right.within(POWER)]
        of_numbers = _is_number(left) and _is_number(right)
        slash = sign.span if name == "/" and not of_numbers else None
        return Node(name, (left, right), _across(parts), written, PRODUCT, slash=slash)

    def juxtaposition(self, parts: Parts) -> Node:
        left, right = parts
        if left.slash:
            raise AutodiffError(
                "a product behind a slash may be in the denominator or in front of the fraction",
                span=left.slash,
                hint=r"write \frac{…}{…}, or \cdot after the denominator",
            )
        if left.level == SIGN and (product := self.juxtaposition([*left.parts(), right])).name != JUXTAPOSITION:
            return self.unary([left, product])  # -\Phi(3) calls what is behind the sign
        span, caller = _across(parts), left.parts()[1] if left.name in ("*", JUXTAPOSITION) else left
        bracketed = _is_bracketed(right)
        if bracketed and (called := _of_letter(caller)):
            call = Node("call", (), (caller.span[0], right.span[1]), [called, *_without_bracket(right)])
            if caller is left:
                return call
            first = left.parts()[0]
            return Node("*", (first, call), span, [*first.within(PRODUCT), "*", call], PRODUCT)
        if (
            bracketed
            and not caller.args
            and caller.name not in _UNKNOWN_FUNCTIONS
            and (re.fullmatch("[A-Za-z]", caller.name) or caller.name in ALIASES)
        ):
            name = BRACKET if caller.name not in USUAL_FUNCTIONS else "call"
            return Node(name, (), span, [*left.within(PRODUCT), *right.within(POWER)], PRODUCT)
        letter = caller.parts()[0] if caller.name == "^" else caller
        functions = _UNKNOWN_FUNCTIONS if letter is caller else _UNKNOWN_FUNCTIONS | USUAL_FUNCTIONS
        if bracketed and letter.name in functions:
            hint = r"write \cdot before the bracket for a product"
            raise AutodiffError(f"unknown function {letter.name}(…)", span=span, hint=hint)
        written = [*left.within(PRODUCT), "*", *right.within(POWER)]
        return Node(JUXTAPOSITION, (left, right), span, written, PRODUCT)

    def unary(self, parts: Parts) -> Node:
        sign, operand = parts
        name, place = (sign.name, sign.name_span) if isinstance(sign, Node) else (_operator(sign), sign.span)
        return Node(name, (operand,), _across(parts), [name, *operand.within(POWER)], SIGN, name_span=place)

    def power(self, parts: Parts) -> Node:
        base, _, exponent = parts
        return Node("^", (base, exponent), _across(parts), [*base.within(ATOM), "^", *exponent.within(ATOM)], POWER)

    def exponent(self, parts: Parts) -> Node:
        if len(parts) == 3:
            return cast(Node, parts[1].of_span(_across(parts), "{ }"))
        if not isinstance(parts[0], Token):
            return cast(Node, parts[0])
        return self.number(parts) if parts[0].type == "NUMBER" else self.name(parts)

    def part(self, parts: Parts) -> Node:
        if len(parts) == 1:
            check_single([Token("FRACTION", "", parts[0].span), *parts])
        return self.exponent(parts)

    def raised(self, parts: Parts) -> Node:
        text = "".join(_operator(part) for part in parts if part.type in ("ADDITIVE", "NUMBER"))
        place = next(part.span[0] for part in parts if part.type in ("ADDITIVE", "NUMBER")), parts[-1].span[1]
        closed = parts[-1].type == "CLOSE"
        return Node(text, (), (place[0], parts[-1].span[0] if closed else place[1]), [text])

    def number(self, parts: Parts) -> Node:
        return Node(parts[0].text, (), parts[0].span, [parts[0].text])

    def name(self, parts: Parts) -> Node:
        text = plain_name(parts[0].text)
        return Node(text, (), parts[0].span, [text])

    def bracket(self, parts: Parts) -> Node:
        return Node(BRACKET, (parts[1],), _across(parts), ["(", parts[1], ")"])

    grouped = bracket

    def several(self, parts: Parts) -> Node:
        return Node(BRACKET, (parts[1],), _across(parts), ["(", parts[1], ", ", parts[3], ")"])

    absolute, norm, floor, ceil, root = map(_calling, ("abs", "norm", "floor", "ceil", "sqrt"))

    def fraction(self, parts: Parts) -> Node:
        written = [*parts[1].within(PRODUCT), "/", *parts[2].within(POWER)]
        return Node("frac", (parts[1], parts[2]), _across(parts), written, PRODUCT)

    def binomial(self, parts: Parts) -> Node:
        return _called("binomial", (parts[1], parts[2]), _across(parts))

    def branch(self, parts: Parts) -> Node:
        value, condition = (part for part in parts if not isinstance(part, Token))
        return Node("branch", (value, condition), _across(parts), ["if(", condition, ", ", value, ", "])

    def cases(self, parts: Parts) -> Node:
        branches = [part for part in parts if isinstance(part, Node) and part.name == "branch"]
        value = next(part for part in parts if isinstance(part, Node) and part.name != "branch")
        return Node("cases", (), _across(parts), [*branches, value, ")" * len(branches)])

    def cases_of_complements(self, parts: Parts) -> Node:
        """Two cases whose conditions are `x < 0` and `x >= 0`, or the like: the second one is the other case."""
        *_, last, end = parts
        branches = [part for part in parts if isinstance(part, Node) and part.name == "branch"]
        first = branches[0].parts()[1]
        complement = _COMPLEMENTS.get(first.name, "")
        sides = [str(side) for side in first.children()]
        if len(branches) > 1 or last.name != complement or [str(side) for side in last.children()] != sides:
            raise AutodiffError(
                "what is outside of these cases has no value", span=end.span, hint=r"end with & \text{otherwise}"
            )
        return self.cases([*branches, *(part for part in parts[:-2] if part not in branches)])

    def comparison(self, parts: Parts) -> Node:
        left, sign, right = parts
        name = _COMPARISONS.get(sign.text, sign.text)
        return Node(name, (left, right), _across(parts), [left, f" {name} ", right])

    def logic(self, parts: Parts) -> Node:
        left, sign, right = parts
        name = "and" if sign.type == "LAND" else "or"
        return Node(name, (left, right), _across(parts), ["(", left, f") {name} (", right, ")"])

    def negation(self, parts: Parts) -> Node:
        return Node("not", (parts[1],), _across(parts), ["not (", parts[1], ")"])

    def short_fraction(self, parts: Parts) -> Node:
        digits = re.sub(r"\\[cdt]?frac|\s", "", parts[0].text)
        return Node("frac", (), parts[0].span, [f"{digits[0]}/{digits[1]}"], PRODUCT)

    def root_of_order(self, parts: Parts) -> Node:
        order, radicand, span = parts[2], parts[4], _across(parts)
        if order.written in (["2"], ["3"]):
            return _called("sqrt" if order.written == ["2"] else "cbrt", (radicand,), span)
        return Node("root", (radicand, order), span, [*radicand.within(ATOM), "^(1/", *order.within(POWER), ")"], POWER)

    def factorial(self, parts: Parts) -> Node:
        return Node("!", (parts[0],), _across(parts), [*parts[0].within(ATOM), "!"])

    def degrees(self, parts: Parts) -> Node:
        return _called("rad", (parts[0],), _across(parts))

    def items(self, parts: Parts) -> Node:
        nodes = [part for part in parts if not isinstance(part, Token)]
        return Node(",", tuple(nodes), _across(parts), _joined(nodes, ", "))

    def call(self, parts: Parts) -> Node:
        return _called(_function(parts[0]), (parts[2],), _across(parts))

    def call_power(self, parts: Parts) -> Node:
        return _raised(parts[0], parts[1], parts[3], _across(parts))

    def applied(self, parts: Parts) -> Node:
        check_argument(parts[-1])
        return _called(_function(parts[0]), (parts[1],), _across(parts))

    def applied_power(self, parts: Parts) -> Node:
        check_argument(parts[-1])
        return _raised(parts[0], parts[1], parts[2], _across(parts))

    def log_call(self, parts: Parts) -> Node:
        return self.log_applied([*parts[:2], *parts[3:]])

    def log_applied(self, parts: Parts) -> Node:
        _, base, argument = parts[:3]
        name, span = f"log_{base}", _across(parts)
        if str(base) in ("2", "10"):
            return Node(name, (argument,), span, ["log", base, "(", argument, ")"])
        return Node(name, (argument,), span, ["log(", argument, ", ", base, ")"])


def _called(name: str, args: tuple[Node, ...], span: Span) -> Node:
    return Node(name, args, span, [name, "(", *_joined(args, ", "), ")"])


def _raised(function: Token, exponent: Node, argument: Node, span: Span) -> Node:
    """A power of a call whose exponent stands behind the function's name, or the inverse function for -1."""
    name = _function(function)
    if exponent.name == "-1" and name in INVERSES:
        return _called(INVERSES[name], (argument,), span)
    call = Node(name, (argument,), span, [])
    return Node("^", (call, exponent), span, [f"{name}^{exponent.name}(", argument, ")"], POWER)


def _is_number(node: Node) -> bool:
    return node.name[:1] in tuple(".0123456789") and not node.args


def _is_bracketed(node: Node) -> bool:
    """Whether a factor begins with a round bracket: `(x)`, `(x)^2`, `(x)!`."""
    while node.name in ("^", "!"):
        node = node.parts()[0]
    return node.name == BRACKET


def _without_bracket(node: Node) -> Text:
    """The text of a bracketed factor behind the first bracket."""
    text: list[Any] = [node]
    while isinstance(text[0], Node):
        text[:1] = text[0].written
    return text[1:]


def _of_letter(caller: Node) -> str:
    """What a letter, or one with its order, calls, up to its bracket: `besselj(0, ` for `J_0`; "" for other nodes."""
    if (caller.args[0] if caller.name == "^" else caller).children():
        return ""
    matches = ((re.fullmatch(pattern, str(caller)), call) for pattern, call in _WITH_ORDER.items())
    return next((match.expand(call) for match, call in matches if match), "")


def _operator(token: Token) -> str:
    return _OPERATORS.get(token.text, token.text)


def _function(token: Token) -> str:
    name = re.sub(r"\\(?:operatorname|mathrm)|[\\{}*\s]", "", token.text)
    return _FUNCTIONS.get(name, name)


def check_single(tokens: Sequence[Token]) -> None:
    """Raise AutodiffError for x^10, of which TeX raises to the 1 only."""
    token = tokens[-1]
    before = tokens[-2].type if len(tokens) > 1 else ""
    if before in SINGLE and token.type in ("NUMBER", "NAME"):
        long = len(token.text) > 1 if token.type == "NUMBER" else "_" in token.text
        if long:
            raise AutodiffError(
                f"without braces, {SINGLE[before]}{token.text} takes {token.text[0]} alone",
                span=token.span,
                hint=f"write {SINGLE[before]}{{{token.text}}}",
            )
