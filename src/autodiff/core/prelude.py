"""The losses: functions written in the language itself, in `prelude.ad`, and what its comments say about them.

>>> loss("hinge").formula
'mean max(0, 1 - y·s)'

The file is read for its names, and parsed when a program calls one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from autodiff.errors import Span
from autodiff.language.ast import Define
from autodiff.language.parser import parse
from autodiff.record import Record

_COMMENT = r"^# (?P<name>\w+): (?P<doc>.*)\n#   formula: (?P<formula>.*)\n#   models: (?P<models>.*)\n#   example: (?P<example>.*)\n(?:#   classes part at: (?P<level>.*)\n)?(?P<slopes>(?:#   slope .*\n)*)"
_UNUSED = r"^# ([\w -]+): (.*)"


class LossPart(Record):
    """A piece of the prelude's text, and what its parameters are called: pieces of the program's text, or of the prelude's."""

    span: Span
    names: Mapping[str, Span | LossPart]


class Loss(Record):
    """A loss as its comment describes it; `example` is `call = value`, `signature` how a call looks.

    `slopes` has the partials that textbooks write shorter than what the definition leads to: in our own language, shaped
    like the parameter. `level` is the prediction at which two classes part, "" for another loss.
    """

    name: str
    signature: str
    doc: str
    formula: str
    models: str
    example: str
    slopes: Mapping[str, str]
    level: str


@lru_cache(maxsize=1)
def text() -> str:
    """The prelude's source."""
    with open(f"{__file__.removesuffix('.py')}.ad", encoding="utf-8") as file:
        return file.read()


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """The functions that the prelude defines."""
    return frozenset(_signatures())


def worded(source: str, part: LossPart) -> str:
    """A part of a loss with the arguments of its call, which are pieces of the program `source`, in place of its parameters."""
    start, end = part.span
    piece = text()[start:end]

    def argument(name: re.Match[str]) -> str:
        given = part.names.get(name[0])
        if given is None:
            return name[0]
        written = worded(source, given) if isinstance(given, LossPart) else source[given[0] : given[1]]
        before, after = piece[: name.start()].rstrip()[-1:], piece[name.end() :].lstrip()[:1]
        alone = before in ("", "(", ",") and after in ("", ")", ",")
        return written if alone or re.fullmatch(r"[\w.]+|\(.*\)", written, re.DOTALL) else f"({written})"

    return re.sub(r"[^\W\d]\w*", argument, piece)


def calls(source: str, span: Span) -> bool:
    """Whether a piece of a program calls one of these functions: all that is inlined bears the place of its call."""
    name = re.match(r"\w+(?=\s*\()", source[span[0] : span[1]])
    return name is not None and name[0] in names()


def _signatures() -> dict[str, str]:
    """Each function as it is called: a definition is a line that begins with its name."""
    lines = (line for line in text().splitlines() if line[:1].isalpha())
    return {line.partition("(")[0]: f"{line.partition(') = ')[0]})" for line in lines}


@lru_cache(maxsize=1)
def losses() -> tuple[Loss, ...]:
    """Every loss with its comment, in the order of the file."""
    comments = (match.groupdict("") for match in re.finditer(_COMMENT, text(), re.MULTILINE))
    slopes = ((comment, dict(re.findall(r"slope (\w+): (.*)", comment.pop("slopes")))) for comment in comments)
    return tuple(Loss(signature=_signatures()[comment["name"]], slopes=own, **comment) for comment, own in slopes)


def loss(name: str) -> Loss | None:
    """The loss of that name, or None."""
    return next((loss for loss in losses() if loss.name == name), None)


def lossless() -> dict[str, str]:
    """Models that have no loss, each with the reason."""
    return dict(re.findall(_UNUSED, text().partition("# --- no loss")[2], re.MULTILINE))


@lru_cache(maxsize=4)
def definitions(functions: frozenset[str]) -> Mapping[str, Define]:
    """The syntax trees of the prelude's functions, where `functions` are the built-in ones."""
    program = parse(text(), functions - names())
    return {s.target.name: s for s in program.statements if isinstance(s, Define)}
