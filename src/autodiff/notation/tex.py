r"""Equations in LaTeX, from the `tex` column of the table: `\frac{\cos\left(x\right)}{x}`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from autodiff.core import rules
from autodiff.core.graph import Graph
from autodiff.core.primitive import Primitive
from autodiff.diagnostics import shown
from autodiff.language.ast import CONSTANTS
from autodiff.notation.write import ATOM, LEVELS, POWER, PRODUCT, SIGN, Argument, flattened, write

_TIMES, _OVER, _POWER = (rules.TABLE[name, 2] for name in ("*", "/", "^"))
_NEGATIVE = rules.TABLE["-", 1]
_PLACE = re.compile(r"#([a-z]+)")
_ACCENTS = ("hat", "bar", "dot", "tilde", "vec")
COMBINING = {"\u0302": "hat", "\u0304": "bar", "\u0307": "dot", "\u0303": "tilde", "\u0308": "ddot"}
_SPECIAL = {"_": r"\_", "{": r"\{", "}": r"\}", "\\": r"\backslash ", "^": r"\hat{ }", "~": r"\sim "}


@dataclass(frozen=True, slots=True)
class Tex:
    """LaTeX's mathematics mode."""

    brackets: tuple[str, str] = (r"\left(", r"\right)")

    def name(self, name: str) -> str:
        return tex_name(name)

    def level(self, graph: Graph, node: int) -> int:
        row = graph.rows[node]
        if row is None:
            text = tex_number(graph.constants[node]) if node in graph.constants else ""
            return SIGN if text.startswith("-") else PRODUCT if r"\cdot" in text else POWER if "^" in text else ATOM
        if row is _OVER:
            return SIGN if _is_negative(graph, graph.args[node][0]) else POWER
        return LEVELS.get((row.name, row.arity), _template_level(row.tex))

    def _like_a_call(self, graph: Graph, args: tuple[int, ...]) -> bool:
        """Whether a product would be read otherwise: a letter that may be a function before a bracket, a difference, a transpose."""
        last = _last(graph, args[0])
        base, exponent = graph.args[last] if graph.rows[last] is _POWER else (last, -1)
        if graph.inputs.get(last) == "Delta" or graph.inputs.get(exponent) == "T":
            return True
        is_letter = _MAY_BE_FUNCTION.fullmatch(graph.inputs.get(base, "")) is not None
        return is_letter and self.level(graph, args[1]) < POWER

    def pieces(self, graph: Graph, node: int) -> list[str | Argument]:
        row, args = graph.rows[node], graph.args[node]
        if row is None:
            known = graph.constants
            return [tex_number(known[node]) if node in known else tex_name(graph.inputs[node])]
        if row is _TIMES and _juxtaposes(graph, args[1]) and not self._like_a_call(graph, args):
            words = _is_word(graph, args[1]) or _is_word(graph, _last(graph, args[0]))
            return [Argument(args[0], PRODUCT), r" \, " if words else " ", Argument(args[1], POWER)]
        if row is _OVER and _is_negative(graph, args[0]):
            return [r"-\frac{", Argument(args[0], change=_without_sign), "}{", Argument(args[1]), "}"]
        if row is _POWER and (exponent := graph.constants.get(args[1], 0.0)) in range(2, 100):
            return [Argument(args[0], ATOM, change=partial(_raised, exponent=f"^{{{exponent:g}}}"))]
        if "#" not in row.tex:
            return [row.tex, r"\left(", *_listed(args), r"\right)"]
        return _filled(graph, row, args)


_MAY_BE_FUNCTION = re.compile("[fghFGHW]|zeta|delta|Theta|sigma|σ|psi|ψ|Phi|Φ|[JYj]_?[0-9]+")
_FUNCTION = re.compile(r"\\(?:operatorname\{[A-Za-z]+\}|(?!sigma|psi)[a-z]{2,})")
"""A function whose power is written behind its name."""


def _raised(pieces: list[str | Argument], exponent: str) -> list[str | Argument]:
    r"""A power: \cos^{2}\left(x\right), or behind the whole."""
    first = pieces[0]
    if len(pieces) > 2 and isinstance(first, str) and _FUNCTION.fullmatch(first):
        return [first + exponent, *pieces[1:]]
    return [*pieces, exponent]


def _is_negative(graph: Graph, node: int) -> bool:
    """Whether the text of a factor, or a product's first one, begins with a minus sign."""
    while graph.rows[node] is _TIMES:
        node = graph.args[node][0]
    return graph.rows[node] is _NEGATIVE or graph.constants.get(node, 0.0) < 0


def _without_sign(pieces: list[str | Argument], *, whole: bool = True) -> list[str | Argument]:
    """The same without the minus sign that it begins with; `whole` where nothing follows it."""
    first, *rest = [piece for piece in pieces if piece]
    if isinstance(first, Argument):
        return [first._replace(change=partial(_without_sign, whole=False)), *rest]
    if whole and len(rest) == 1 and isinstance(rest[0], Argument):
        return [Argument(rest[0].node)]
    return [first.removeprefix("-"), *rest]


def _juxtaposes(graph: Graph, node: int) -> bool:
    """Whether a factor may follow another one without a dot: it must not begin with a digit or a sign."""
    base = graph.args[node][0] if graph.rows[node] is _POWER else node
    row = graph.rows[base]
    if row is not None:
        return not row.tex[:1].isdigit()
    return base not in graph.constants or graph.constants[base] in CONSTANTS.values()


def _last(graph: Graph, node: int) -> int:
    """The last factor of a product, which may have a sign."""
    while graph.rows[node] in (_TIMES, _NEGATIVE):
        node = graph.args[node][-1]
    return node


def _is_word(graph: Graph, node: int) -> bool:
    """Whether a factor is a name of several upright letters, which needs a space beside another name."""
    base = graph.args[node][0] if graph.rows[node] is _POWER else node
    return base in graph.inputs and tex_name(graph.inputs[base]).startswith(r"\mathrm")


def _listed(args: tuple[int, ...]) -> list[str | Argument]:
    pieces: list[str | Argument] = []
    for i, arg in enumerate(args):
        pieces += [", "] * (i > 0) + [Argument(arg)]
    return pieces


def _filled(graph: Graph, row: Primitive, args: tuple[int, ...]) -> list[str | Argument]:
    """The row's template with its arguments in their places."""
    if row.variadic:
        return [
            row.tex.partition("#")[0],
            *_listed(flattened(graph, row, args)),
            row.tex.rpartition("#")[2][len(row.params[-1]) :],
        ]
    level = LEVELS.get((row.name, row.arity))
    pieces: list[str | Argument] = []
    end = 0
    for place in _PLACE.finditer(row.tex):
        k = row.params.index(place[1])
        before, after = row.tex[: place.start()], row.tex[place.end() :]
        pieces.append(row.tex[end : place.start()])
        pieces.append(
            _argument(args[k], before, after, None if row is _OVER or row is _POWER else level, last=k == row.arity - 1)
        )
        end = place.end()
    return [*pieces, row.tex[end:]]


def _argument(node: int, before: str, after: str, level: int | None, *, last: bool) -> Argument:
    """How tightly an argument must bind to need no brackets between `before` and `after`."""
    if after.startswith(("^", "}^")):
        return Argument(node, ATOM)
    if level is not None:
        need = POWER if level == SIGN else level + (last and bool(before))
        return Argument(node, need, unsigned=bool(before))
    if before.endswith(
        ("{", r"\left(", r"\left|", "floor ", "ceil ", r"if } ", "cases} ", r"\\ ", ", ")
    ) or not before.strip(" -"):
        return Argument(node, 0 if before else PRODUCT)
    return Argument(node, ATOM)


@lru_cache(maxsize=1024)
def _template_level(tex: str) -> int:
    return POWER if re.match(r"\w+\^|\{#\w+\}\^", tex) else PRODUCT if tex.startswith("#") else ATOM


def tex_number(value: float) -> str:
    """A constant: by its name if it has one; powers of ten written out."""
    sign = "-" * (value < 0)
    names = {CONSTANTS["pi"]: r"\pi", CONSTANTS["e"]: "e", CONSTANTS["tau"]: r"\tau"}
    if abs(value) in names:
        return sign + names[abs(value)]
    digits, _, exponent = shown(abs(value)).partition("e")
    if not exponent:
        return sign + digits
    power = f"10^{{{int(exponent)}}}"
    return sign + (power if digits == "1" else rf"{digits} \cdot {power}")


@lru_cache(maxsize=4096)
def tex_name(name: str) -> str:
    r"""A name of the program: `x1` is x_{1}, `yhat` is \hat{y}, `θ` is \theta, words are upright; `w[0]` is w_{0}."""
    if name.endswith("]"):
        array, _, place = name[:-1].partition("[")
        whole = tex_name(array)
        return f"{f'{{{whole}}}' if '_' in whole else whole}_{{{place.replace(' ', '')}}}"
    stem, _, below = name.partition("_")
    accent, _, rest = below.partition("_")
    if accent in _ACCENTS and stem:
        whole = rf"\{accent}{{{tex_name(stem)}}}"
        return rf"{whole}_{{{_stem(rest)}}}" if rest else whole
    digits = re.search(r"[0-9]+$", stem)
    if digits and digits.start() > 0:
        stem, below = stem[: digits.start()], ",".join(filter(None, [digits[0], below]))
    text = _stem(stem) if stem else r"\_"
    return rf"{text}_{{{_stem(below)}}}" if below else text


def _stem(stem: str) -> str:
    plain = unicodedata.normalize("NFD", stem)
    if len(plain) == 2 and plain[1] in COMBINING:
        return rf"\{COMBINING[plain[1]]}{{{_stem(plain[0])}}}"
    for accent in _ACCENTS:
        if stem.endswith(accent) and len(stem) == len(accent) + 1:
            return rf"\{accent}{{{stem[0]}}}"
    if len(stem) == 1:
        return _letter(stem)
    if stem in _GREEK:
        return f"\\{stem}"
    if stem.replace(",", "").isdigit():
        return stem
    return rf"\mathrm{{{''.join(map(_spaced, stem))}}}"


def _letter(letter: str) -> str:
    """A letter; the Greek ones by their LaTeX names."""
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and words[2:3] == ["LETTER"] and len(words) == 4:
        word = {"LAMDA": "LAMBDA"}.get(words[3], words[3])
        if word in (_CAPITALS if words[1] == "CAPITAL" else _SMALL):
            return f"\\{word.capitalize() if words[1] == 'CAPITAL' else word.lower()}"
    return _SPECIAL.get(letter, letter)


def _spaced(letter: str) -> str:
    text = _letter(letter)
    return f"{text} " if text[1:].isalpha() else text


_CAPITALS = {"GAMMA", "DELTA", "THETA", "LAMBDA", "XI", "PI", "SIGMA", "UPSILON", "PHI", "PSI", "OMEGA"}
_SMALL = {
    "ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON", "ZETA", "ETA", "THETA", "IOTA", "KAPPA", "LAMBDA", "MU", "NU", "XI", "PI", "RHO",
    "SIGMA", "TAU", "UPSILON", "PHI", "CHI", "PSI", "OMEGA",
}  # fmt: skip
"""The Greek letters that LaTeX has a name for: the others look like Latin ones, or are older than its fonts."""

_GREEK = {word.lower() for word in _SMALL - {"PI", "TAU"}} | {w.capitalize() for w in _CAPITALS - {"GAMMA", "UPSILON"}}
"""Names that are written as Greek letters: not those of constants, and not that of a function."""

TEX = Tex()


def tex(graph: Graph, node: int) -> str:
    """The LaTeX of an equation."""
    return write(graph, node, TEX)


def tex_derivative(result: str, wrt: Sequence[str], *, partial: bool) -> str:
    r"""How a derivative is called: \frac{df}{dx}, with `partial` \frac{\partial^{2} f}{\partial x \, \partial y}."""
    d, times = r"\partial " if partial else "d", len(wrt)
    power = f"^{{{times}}}" if times > 1 else ""
    below = [f"{d}{tex_name(wrt[0])}{power}"] if len(set(wrt)) == 1 else [d + tex_name(name) for name in wrt]
    above = f"{d.strip()}{power} {tex_name(result)}" if partial or power else f"d{tex_name(result)}"
    return rf"\frac{{{above}}}" + "{" + r" \, ".join(below) + "}"
