"""The one error of this package: what was found, where, and what to do next.

>>> str(AutodiffError("unknown function 'sine'", span=(0, 4), source="sine(x)", hint="did you mean 'sin'?"))
"unknown function 'sine'\\n    sine(x)\\n    ^^^^\\n  did you mean 'sin'?"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

Span = tuple[int, int]
"""Start and end of a piece of the program's text, in characters, end excluded."""

USAGE, HARD_POINT, DATA, INTERNAL = 2, 3, 4, 70
"""Exit statuses: a mistake in text or options; no value or no derivative here; a file; a bug in this tool."""

_WIDEST = 100  # characters of a program line that an error shows around the caret


class AutodiffError(Exception):
    """A mistake in a program or in the arguments, never a hard point (that is a result).

    `message` says what was found and expected, `span` where in `source`, `hint` the next step, `also` other places
    with a label each, `exit_status` what the command ends with. `str()` is the whole report, safe to print:
    control characters of the user's text are shown escaped. `command_hint` is the next step where it is another one on the
    command line than in Python.
    """

    def __init__(
        self,
        message: str,
        *,
        span: Span | None = None,
        source: str = "",
        hint: str = "",
        also: tuple[tuple[str, Span], ...] = (),
        exit_status: int = USAGE,
        command_hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message, self.span, self.source, self.hint = message, span, source, hint
        self.also, self.exit_status, self.command_hint = also, exit_status, command_hint

    def within(self, source: str) -> AutodiffError:
        """The same error, knowing the text that its spans count in."""
        self.source = self.source or source
        return self

    def __str__(self) -> str:
        return self.report()

    def report(self, width: int = 0) -> str:
        """The whole of it, with excerpts of the program that fit a screen of `width` columns, if there is one."""
        hint = [f"  {printable(self.hint)}"] if self.hint else []
        return "\n".join([printable(self.message), *self._places(width), *hint])

    def _places(self, width: int) -> list[str]:
        if self.span is None or not self.source:
            return []
        lines = excerpt(self.source, self.span, width)
        for label, span in self.also:
            lines += [f"  {printable(label)}", *excerpt(self.source, span, width)]
        return lines


def data_error(message: str, *, hint: str = "", span: Span | None = None, source: str = "") -> AutodiffError:
    """The error for a file, a table or a row that can't be taken as it is: the exit status is 4."""
    return AutodiffError(message, span=span, source=source, hint=hint, exit_status=DATA)


def with_flags(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same function, whose options of True or False refuse what is neither, such as an array of NumPy.

    >>> with_flags(lambda *, strict=False: strict)(strict=1)
    True
    """
    flags = [
        name for name, usual in (getattr(function, "__kwdefaults__", None) or {}).items() if isinstance(usual, bool)
    ]

    @wraps(function)
    def checked(*args: _P.args, **named: _P.kwargs) -> _R:
        for name in flags:
            if name in named:
                try:
                    named[name] = bool(named[name])
                except Exception as error:
                    raise AutodiffError(
                        f"{quoted(name)} is True or False, not {shortened(repr(named[name]))}"
                    ) from error
        return function(*args, **named)

    return checked


class Translation(str):
    """A program that stands for a text in another notation, whose places errors show.

    `original` is that text. A place is a start and an end in the program, and the span in the original that they stand for.
    `readings` are the parts of the original that a person may read otherwise.
    """

    original: str
    places: list[tuple[int, int, Span]]
    readings: tuple[Any, ...]

    def __new__(
        cls, text: str, original: str = "", places: Sequence[tuple[int, int, Span]] = (), readings: Sequence[Any] = ()
    ) -> Translation:
        program = super().__new__(cls, text)
        program.original, program.readings = original, tuple(readings)
        # each behind those around it: what is written last of two equal ones is the outer one
        program.places = sorted(places, key=lambda place: (-place[0], place[1]))[::-1]
        return program

    def span_of(self, span: Span) -> Span:
        """The part of the original that a part of the program stands for: all places in it, or the shortest one around it."""
        from bisect import bisect_left  # few programs are translations

        first, last = span
        inside = list[Span]()
        number = bisect_left(self.places, (first, -last), key=lambda place: (place[0], -place[1]))
        while number < len(self.places) and self.places[number][0] < last:
            _, end, place = self.places[number]
            inside += [place] * (end <= last)
            number = bisect_left(self.places, (end,), number + 1) if end <= last else number + 1
        if not inside:
            number = bisect_left(self.places, (first + 1,)) - 1
            while number >= 0 and self.places[number][1] < last:
                number = self.around[number]
            inside = [self.places[number][2] if number >= 0 else (0, len(self.original))]
        return min(start for start, _ in inside), max(end for _, end in inside)

    @cached_property
    def around(self) -> list[int]:
        """The place around each place, of which one is in another or apart from it; -1 for none."""
        around, opened = list[int](), [-1]
        for number, (start, end, _) in enumerate(self.places):
            while opened[-1] >= 0 and not start <= end <= self.places[opened[-1]][1]:
                opened.pop()
            around.append(opened[-1])
            opened.append(number)
        return around


def printable(text: str) -> str:
    """`text` with every control, format and surrogate character shown as an escape, so a terminal obeys none."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def quoted(text: str, limit: int = 40) -> str:
    """A piece of the user's text for a message: in quotes, safe, cut in the middle when it is long."""
    return f"'{shortened(text, limit)}'"


def shortened(text: str, limit: int = 40) -> str:
    """`text` on one line, at most `limit` characters, the middle left out."""
    if len(text) > 4 * limit:  # a name of 60,000 characters need not be split to be cut
        text = text[: 2 * limit] + text[-2 * limit :]
    text = printable(" ".join(text.split()))
    return text if len(text) <= limit else f"{text[: limit - limit // 3 - 1]}…{text[-(limit // 3) :]}"


def normalised(name: str) -> str:
    """`name` in Unicode's form NFKC, so that two spellings of it can't look alike."""
    if name.isascii():
        return name
    import unicodedata  # few programs have names beyond ASCII

    return unicodedata.normalize("NFKC", name)


def nearest(word: str, options: Iterable[str]) -> str:
    """The option that `word` is most likely a slip of, or ""."""
    import difflib  # only an error needs it

    if len(word) > 40:
        return ""
    known = {option.lower(): option for option in options}
    close = difflib.get_close_matches(word.lower(), known, n=5, cutoff=0.65)
    if not close:
        return ""
    likeness, changes = dict[str, float](), dict[str, tuple[int, bool]]()
    for near in close:
        matcher = difflib.SequenceMatcher(None, word.lower(), near)
        changed = sum(max(j - i, n - m) for kind, i, j, m, n in matcher.get_opcodes() if kind != "equal")
        if sorted(near) == sorted(word.lower()):  # letters that changed places, in sni, are one slip
            changed = 1
        # a wrong letter is a likelier slip than a missing one: six is sin, not Si
        likeness[near], changes[near] = matcher.ratio(), (changed, len(near) != len(word))
    best = min(close, key=changes.__getitem__)
    return known[best] if likeness[best] >= 0.7 or len(best) == len(word) == 3 else ""


def did_you_mean(word: str, options: Iterable[str], otherwise: str = "") -> str:
    """The next step for a word that is none of the options: the nearest of them, else `otherwise`."""
    near = nearest(word, options)
    return f"did you mean {quoted(near)}?" if near else otherwise


def excerpt(source: str, span: Span, width: int = 0) -> list[str]:
    """The program line of `span` with carets under it, in a long program with its number.

    A long line is cut around the carets: to 100 characters, or to what a screen of `width` columns has room for.
    """
    if isinstance(source, Translation):
        span, source = source.span_of(span), source.original
    number = f"line {source.count(chr(10), 0, max(0, span[0])) + 1}: " if "\n" in source.rstrip() else ""
    most = min(_WIDEST, max(width - 6 - len(number), 12)) if width else _WIDEST
    shown = _excerpt(source, span, number, most)
    while width and most > 12 and columns(shown[0]) > width:  # wide characters and escapes take more than one column
        most -= 1 + (columns(shown[0]) - width) // 4
        shown = _excerpt(source, span, number, most)
    return shown


def _excerpt(source: str, span: Span, number: str, most: int) -> list[str]:
    start, end = min(span[0], len(source)), min(max(span), len(source))
    first = max(source.rfind("\n", 0, start), source.rfind("\r", 0, start)) + 1
    stops = [i for i in (source.find("\n", start), source.find("\r", start)) if i >= 0]
    last = min(stops, default=len(source))
    end = max(min(end, last), start)
    left = max(first, min(start - most // 3, last - most)) if last - first > most else first
    right = min(last, left + most)
    head, tail = "…" * (left > first), "…" * (right < last)
    before, marked = head + printable(source[left:start]), printable(source[start : min(end, right)])
    line = before + marked + printable(source[max(start, min(end, right)) : right]) + tail
    return [f"    {number}{line}", " " * (4 + columns(number + before)) + "^" * max(1, columns(marked))]


def columns(text: str) -> int:
    """How many terminal columns `text` takes: wide characters two, combining marks none."""
    import unicodedata  # only an error needs it

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
