"""The grammars to plain tables, by Lark: run `python -m autodiff.language.generate` after changing a grammar.

Lark computes the LALR(1) automaton and the order in which terminals are tried; what it found is written to `tables.py`,
for LaTeX to `latex/tables.py`, as literals, so that the parser starts without Lark. A test makes the tables anew and compares.

>>> tables().splitlines()[0]
'\"\"\"The automaton of `grammar/autodiff.lark`, written by `python -m autodiff.language.generate`: not to be edited.'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lark import Lark
from lark.grammar import Rule

from autodiff.errors import AutodiffError

GRAMMARS = {"autodiff": ("tables", ("program", "bindings")), "latex": ("latex/tables", ("program",))}
"""The module that each grammar is written to, and its start symbols."""

_HEAD = '''"""The automaton of `grammar/NAME.lark`, written by `python -m autodiff.language.generate`: not to be edited.

WORDS     the patterns of all terminals that no list of texts can give, in the order in which they are tried
FIRST     ASCII characters that settle which of WORDS begins with them
SYMBOLS   the texts of all other terminals, and what they are; none begins like one of WORDS
KEYWORDS  words that WORDS takes for a NAME, and what they are
IGNORED   terminals that separate words and mean nothing
START     of each start symbol: the first state, and the one in which it is complete
RULES     origin, number of parts, method of `Builder` ("": the one part itself, "*": all parts in a list), and
          whether some of its parts are such lists
STATES    per state, what to do: at a terminal n > 0, shift it and go to n, or n < 0, reduce by rule ~n; after a
          reduction, the state for its origin
"""

# fmt: off
from __future__ import annotations
'''


def grammar_path(grammar: str = "autodiff") -> Path:
    """Where a grammar is: inside an installed package, or at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "grammar", package.parent.parent / "grammar"):
        if (folder / f"{grammar}.lark").is_file():
            return folder / f"{grammar}.lark"
    raise AutodiffError("the grammar file is missing from this installation", hint="reinstall autodiff-cli")


def lark(transformer: Any = None, grammar: str = "autodiff") -> Lark:
    """Lark itself for this grammar; with a `transformer` it calls that one's methods as it parses."""
    return Lark(
        grammar_path(grammar).read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        start=list(GRAMMARS[grammar][1]),
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=transformer,
    )


def tables(grammar: str = "autodiff") -> str:
    """The source text of a grammar's module for the grammar as it stands."""
    built = lark(None, grammar)
    start_symbols = GRAMMARS[grammar][1]
    scanner, callbacks = built.parser.lexer.scanner, built.parser.lexer.callback
    inside = callbacks["NAME"].scanner.terminals if "NAME" in callbacks else ()
    keywords = {t.pattern.value: t.name for t in inside}
    automaton = built.parser.parser._parse_table
    numbers = _numbered(automaton, start_symbols)
    rules = sorted({a.rule for row in automaton.states.values() for a in _actions(row) if a.rule}, key=_order)
    starts = {s: (numbers[automaton.start_states[s]], numbers[automaton.end_states[s]]) for s in start_symbols}
    words, symbols = _told_apart({t.name: t.pattern.to_regexp() for t in scanner.terminals})
    rows = [
        {a.symbol: ~rules.index(a.rule) if a.rule else numbers[a.state] for a in _actions(automaton.states[state])}
        for state in numbers
    ]
    return "\n".join(
        [
            _HEAD.replace("NAME.lark", f"{grammar}.lark"),
            "WORDS = {", *(f"    {name!r}: {pattern!a}," for name, pattern in words.items()), "}",
            f"FIRST = {_first(words)!r}",
            f"SYMBOLS = {symbols!a}",
            f"KEYWORDS: dict[str, str] = {keywords!r}",
            f"IGNORED = frozenset({sorted(built.parser.lexer.ignore_types)!r})",
            f"START = {starts!r}",
            "RULES: tuple[tuple[str, int, str, bool], ...] = (", *(f"    {_plain(rule)!r}," for rule in rules), ")",
            "STATES: tuple[dict[str, int], ...] = (", "    {},", *(f"    {row!r}," for row in rows), ")", "",
        ]
    )  # fmt: skip


def _told_apart(patterns: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """WORDS and SYMBOLS, from each terminal's regular expression in the order in which they are tried."""
    listed = {name: _texts(pattern) for name, pattern in patterns.items()}
    symbols = {text: name for name, texts in listed.items() for text in texts}
    words = {name: pattern for name, pattern in patterns.items() if not listed[name]}
    for symbol in symbols:
        if _beginning(words, symbol):
            raise ValueError(f"{symbol!r} begins like a word: {_beginning(words, symbol)}")
    return words, symbols


def _first(words: Mapping[str, str]) -> dict[str, str]:
    """FIRST: the characters that are a word alone, and with which no other word begins."""
    found = dict.fromkeys(words, "")
    for character in map(chr, range(128)):
        names = _beginning(words, character)
        if len(names) == 1 and re.fullmatch(words[names[0]], character):
            found[names[0]] += character
    return {name: characters for name, characters in found.items() if characters}


def _beginning(words: Mapping[str, str], text: str) -> list[str]:
    """Which words begin with `text`, as far as one more character tells."""
    return [
        n for n, pattern in words.items() if any(re.match(pattern, text + more) for more in ("", "0", "a", " ", "²"))
    ]


def _texts(pattern: str) -> list[str]:
    """All texts that a regular expression matches, where it is a list of them; otherwise none."""
    inner = pattern[3:-1] if pattern.startswith("(?:") and pattern.endswith(")") else pattern
    found = re.split(r"(?<!\\)\|", inner)
    plain = all(re.fullmatch(r"(?:\\\W|[^\\.^$*+?{}\[\]()])+", text) for text in found)
    return [re.sub(r"\\(\W)", r"\1", text) for text in found] if plain else []


class _Action(NamedTuple):
    """What a state does at a symbol: go to a state, or reduce by a rule."""

    symbol: str
    state: int
    rule: Rule | None


def _actions(row: Any) -> list[_Action]:
    """A state's row in the order of its symbols' names."""
    actions = ((str(symbol), found) for symbol, (_, found) in sorted(row.items()))
    return [_Action(s, -1, f) if isinstance(f, Rule) else _Action(s, f, None) for s, f in actions]


def _numbered(automaton: Any, start_symbols: Sequence[str]) -> dict[int, int]:
    """New numbers for the states, from 1 as they are reached: Lark's own differ from run to run."""
    order = [automaton.start_states[s] for s in start_symbols]
    for state in order:  # grows as it is walked
        order += dict.fromkeys(
            a.state for a in _actions(automaton.states[state]) if not a.rule and a.state not in order
        )
    return {state: number for number, state in enumerate(order, start=1)}


def _order(rule: Rule) -> tuple[str, int]:
    return str(rule.origin.name), rule.order


def _plain(rule: Rule) -> tuple[str, int, str, bool]:
    """A rule as a row of RULES. A name that begins with _ is a repetition, which Lark opens into the rule around it."""
    origin, parts = str(rule.origin.name), [str(symbol.name) for symbol in rule.expansion]
    passes = rule.options.expand1 and not rule.alias and len(parts) == 1
    method = "*" if origin.startswith("_") else "" if passes else str(rule.alias or origin)
    return origin, len(parts), method, method != "*" and any(part.startswith("_") for part in parts)


if __name__ == "__main__":
    for grammar, (module, _) in GRAMMARS.items():
        (Path(__file__).parent / f"{module}.py").write_text(tables(grammar), encoding="utf-8")
