"""Derivatives in the notation of Leibniz and Lagrange: `d/dx x^2`, `dy/dx = 2x`, `f'(x) = 2x`; also in LaTeX.

>>> requested("y = x^2; dy/dx")
RequestedDerivative(text='y = x^2; y', wrt='x')
>>> stated("f'(x) = 2x")
StatedDerivative(text='2x', wrt='x', of='f')
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Sequence
from typing import NamedTuple

from autodiff.errors import AutodiffError, quoted, shortened
from autodiff.language.token import CLOSES, Token

_NAME = r"[^\W\d_]\w*"
_PRIME = r"\s*['′’\u00b4`]"
_OPERATOR = rf"d\s*/\s*d\s*(?P<wrt>{_NAME})"
_QUOTIENT = rf"d(?P<of>{_NAME})\s*/\s*d\s*(?P<wrt>{_NAME})"
_OF_BRACKETS = rf"d\s*\((?P<inner>.*)\)\s*/\s*d\s*(?P<wrt>{_NAME})"
_APPLIED = rf"{_OPERATOR}\s*(?P<inner>.+)"
_D = r"(?:\\mathrm\s*\{\s*d\s*\}|\\partial(?![A-Za-z])|d)\s*"
_IN_LATEX = (
    rf"\\[dt]?frac\s*\{{\s*{_D}(?P<of>\\?[A-Za-z]*)\s*\}}\s*\{{\s*{_D}(?P<wrt>\\?[A-Za-z]+(?:_\w|_\{{\w+\}})?)\s*\}}"
)
_SIDES = (
    rf"(?P<of>{_NAME}){_PRIME}\s*(?:\(\s*(?P<wrt>{_NAME})\s*\))?",
    _QUOTIENT,
    _OF_BRACKETS,
    rf"{_OPERATOR}\s*[\[(](?P<inner>.*)[\])]",
    rf"{_OPERATOR}\s*(?P<of>{_NAME})\s*(?:\(\s*{_NAME}\s*\))?",
    _APPLIED,
    rf"\((?P<inner>.*)\){_PRIME}",
)
_OTHER_SIDES = (
    rf"d\s*(?:\^\s*\d|[²³])|\\[dt]?frac\s*\{{\s*{_D}\^|{_NAME}(?:{_PRIME}{_PRIME}|\s*[″\"])"
    rf"|{_NAME}{_PRIME}\s*\(\s*[-−+]?[\d.]|d{_NAME}\s*/\s*d{_NAME}\s*\|"
)
"""Higher derivatives, and a derivative at a point."""


class RequestedDerivative(NamedTuple):
    """The program of which a text writes the derivative, and the name to differentiate by."""

    text: str
    wrt: str


class StatedDerivative(NamedTuple):
    """An answer without its left side; `wrt` and `of` are what the left side says, where it does."""

    text: str
    wrt: str
    of: str


def requested(text: str) -> RequestedDerivative | None:
    """The derivative that the last statement of a program is, as in `d/dx x^2`; None where it is none."""
    before, last = _last_statement(_without_latex(text))
    if "/" not in last and not re.search(_PRIME, last):
        return None
    if match := re.fullmatch(_QUOTIENT, last):
        of = match["of"]
        return (
            RequestedDerivative(before + of, match["wrt"])
            if re.search(rf"(?<!\w){of}\s*(\(.*\)\s*)?=", before)
            else None
        )
    for pattern in (_OF_BRACKETS, _APPLIED):
        match = re.fullmatch(pattern, last, re.DOTALL)
        if match and "=" not in last:
            inner = match["inner"].strip()
            whole = inner[1:-1] if inner[:1] + inner[-1:] == "[]" else inner
            return RequestedDerivative(before + whole, match["wrt"])
    if match := re.fullmatch(rf"(?P<of>{_NAME}){_PRIME}\s*\(\s*(?P<wrt>{_NAME})\s*\)", last):
        return RequestedDerivative(f"{before}{match['of']}({match['wrt']})", match["wrt"])
    return None


def stated(text: str) -> StatedDerivative | None:
    """An answer that begins with what it is the derivative of, as in `y' = 2x`; None where it does not.

    Raises AutodiffError for one that is not about the slope as a formula, as `y'' = 2` and `y'(1) = 2` are.
    """
    if formula := re.fullmatch(r"\s*\$([^$]+)\$\s*", text):
        inner = stated(formula[1])
        return inner and inner._replace(text=LATEX_BLANK + inner.text)
    plain = _without_latex(text)
    before, last = _last_statement(plain)
    left, equal, right = last.partition("=")
    if not equal or right.startswith("="):
        return None
    left, right = (left.replace(LATEX_BLANK, ""), LATEX_BLANK + right) if plain != text else (left, right)
    if re.match(_OTHER_SIDES, left.strip()):
        raise AutodiffError(
            f"{quoted(left.strip())} is not the first derivative as a formula",
            hint="write y' = and that formula; a slope at a point is given by autodiff eval",
        )
    for pattern in _SIDES:
        if match := re.fullmatch(pattern, left.strip(), re.DOTALL):
            groups = match.groupdict()
            return StatedDerivative(
                before + right.strip(), groups.get("wrt") or "", groups.get("inner") or groups.get("of") or ""
            )
    return None


def last_part(text: str) -> tuple[str, str]:
    """An answer, and all of it where it has steps: `2*x^1 = 2x` is (2x, 2*x^1 = 2x), `2x` is (2x, "").

    >>> last_part("y = 2x"), last_part("= 2x")
    (('y = 2x', ''), ('2x', ''))
    """
    before, last = _last_statement(text)
    prefix, formula = (LATEX_BLANK, last.removeprefix(LATEX_BLANK)) if last.startswith(LATEX_BLANK) else ("", last)
    depth, ends = 0, [-1]
    for place, sign in enumerate(formula):
        depth += (sign in "([{") - (sign in ")]}")
        if (
            sign == "="
            and depth == 0
            and "=" not in formula[place + 1 : place + 2]
            and formula[place - 1] not in "=<>!:"
        ):
            ends.append(place)
    first = formula[: ends[1]].strip() if len(ends) > 1 else ""
    names = re.fullmatch(rf"{_NAME}\s*(\([\w\s,]*\))?", first) is not None
    if len(ends) == 1 or (names and len(ends) == 2) or "\\begin" in formula:
        return text, ""
    return before + prefix + formula[ends[-1] + 1 :].strip(), formula.strip() if first else ""


def at_a_number(text: str) -> AutodiffError | None:
    """What is wrong with a program that asks for a derivative at a number, as in `f'(3)`; None where it does not."""
    before, last = _last_statement(text[:2000])
    match = re.fullmatch(rf"(?P<of>{_NAME}){_PRIME}\s*\((?P<value>[^()]*)\)", last)
    if match is None:
        return None
    of, value = match["of"], match["value"].strip()
    definition = re.search(rf"(?<!\w){of}\s*\(\s*(?P<parameter>{_NAME})\s*\)\s*=", before)
    name = definition["parameter"] if definition else "x"
    program = f"{before}{of}({name})" if definition else f"{of}({name}) = …; {of}({name})"
    return AutodiffError(
        f"a derivative is no part of a program: {quoted(last)}",
        span=(len(before), len(before) + len(last)),
        hint=f'it is asked for by a command: autodiff eval "{shortened(program)}" --at {name}={value if re.match(r"[-+.0-9]", value) else "VALUE"}',
    )


def with_a_point(text: str, functions: Collection[str]) -> AutodiffError | None:
    """What is wrong with a program that says where it is evaluated, as in `x^2 at 3` and `x^2, x=3`; None where it does not."""
    if len(text) > 1000:
        return None
    match = re.fullmatch(
        r"(?:(?P<program>.*?)\s)?\s*(?P<at>at\s+(?:(?P<name>\w+)\s*=)?|(?:for|where|when|with|if|bei|für)\s+(?P<name2>\w+)\s*=(?!=))"
        r"\s*(?P<value>[-−+]?[\d.][^=]*)"
        r"|(?P<program3>[^=]*?)(?P<at3>[,|]|/\.|@)\s*(?P<name3>[^\W\d]\w*)\s*(?:=(?!=)|->|→)\s*(?P<value3>[-−+]?[\d.][^=]*)",
        text,
        re.DOTALL,
    )
    if match is None:
        return None
    part = match.groupdict("")
    program = (part["program"] or part["program3"]).strip() or "PROGRAM"
    program = derivative.text if (derivative := requested(program)) else program
    if program.count("(") != program.count(")"):  # x=3 is an argument
        return None
    names = [name for name in re.findall(r"[^\W\d]\w*", program) if name not in functions]
    given = part["name"] or part["name2"] or part["name3"]
    name = given or (names[0] if names and part["program"] else "x")
    value = (part["value"] or part["value3"]).strip()
    return AutodiffError(
        "a point is no part of a program",
        span=(match.start("at3" if part["at3"] else "at"), len(text)),
        hint=f'write autodiff eval "{shortened(program)}" --at {name}={value}',
    )


def check_differentials(tokens: Sequence[Token], place: int, text: str, known: Container[str]) -> None:
    """Raise AutodiffError for a derivative written as a quotient at `place`: `dy/dx`, `d(x^2)/dx`, `d/dx x^2`."""
    below, start = tokens[place + 1], place - 1
    if tokens[start].type == "NAME" and tokens[start].text[0] != "d":  # d²y/dx²
        start -= tokens[max(0, start - 1)].type in ("SUPERSCRIPT", "NUMBER")
    higher = tokens[start].type == "SUPERSCRIPT" or [w.type for w in tokens[max(0, start - 1) : start + 1]] == [
        "POWER",
        "NUMBER",
    ]
    if higher:  # d²/dx² or d^2/dx^2
        start -= 1 if tokens[start].type == "SUPERSCRIPT" else 2
    if below.text in known or len(below.text) != 2 or below.text[0] != "d" or not below.text.isalpha():
        return
    if tokens[start].type == "RPAR":
        depth = 1
        while depth and start > 0:
            start -= 1
            depth += (tokens[start].type in CLOSES) - (tokens[start].type in CLOSES.values())
        start -= 1
    above = tokens[start].text if start >= 0 else ""
    plain = start == place - 1 or higher
    if not above.startswith("d") or above in known or len(above) > 1 + plain or not above.isalpha():
        return
    rest = (
        text[below.span[1] :].strip()
        if plain and not higher
        else ""
        if higher
        else text[tokens[start].span[1] : tokens[place].span[0]].strip()
    )
    rest = rest.lstrip(") ")  # (d/dx) x^2
    whole = rest[1:-1] if re.fullmatch(r"\([^()]*\)|\[[^\[\]]*\]", rest) else rest
    program = whole.strip() if len(above) == 1 and rest and rest.count("(") == rest.count(")") else "PROGRAM"
    raise AutodiffError(
        f"a derivative is no part of a program: {quoted(text[tokens[start].span[0] : below.span[1]])}",
        span=(tokens[start].span[0], below.span[1]),
        hint=f'it is asked for by a command: autodiff diff "{shortened(program)}" --wrt {below.text[1]}{" --order 2" * higher}',
    )


LATEX_BLANK = r"\, "
"""A blank that makes what is behind it LaTeX, in which letters side by side are a product."""


def _without_latex(text: str) -> str:
    r"""The text with `d/dx` in place of `\frac{d}{dx}`, and `dy/dx` in place of `\frac{dy}{dx}`."""

    def plain(quotient: re.Match[str]) -> str:
        of, wrt = (re.sub(r"[\\{}]", "", name) for name in quotient.group("of", "wrt"))
        return f"d{of}/d{wrt}" if of else f"d/d{wrt} {LATEX_BLANK}"

    return re.sub(_IN_LATEX, plain, text) if "frac" in text else text


def _last_statement(text: str) -> tuple[str, str]:
    """What stands before the last statement, its separator included, and the statement."""
    stripped = text.rstrip("; \t\r\n")
    cut = max(stripped.rfind(";"), stripped.rfind("\n")) + 1
    while cut < len(stripped) and stripped[cut].isspace():
        cut += 1
    return stripped[:cut], stripped[cut:]
