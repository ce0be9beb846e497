"""The grammars to plain tables, by Lark: run `python -m autodiff.language.generate` after changing a grammar.

Lark computes the LALR(1) automaton and the order in which terminals are tried; `GRAMMAR.lalr` holds them for
`tables.py`, so that the parser starts without Lark. A test makes the tables anew and compares.

>>> tables("autodiff").splitlines()[0]
'# The automaton of grammar/autodiff.lark, written by python -m autodiff.language.generate: not to be edited.'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lark import Lark
from lark.grammar import Rule

from autodiff.errors import AutodiffError

GRAMMARS = {"autodiff": ("program", "bindings"), "latex": ("program",)}
"""The start symbols of each grammar."""


def grammar_path(grammar: str) -> Path:
    """Where a grammar is: inside an installed package, or at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "grammar", package.parent.parent / "grammar"):
        if (folder / f"{grammar}.lark").is_file():
            return folder / f"{grammar}.lark"
    raise AutodiffError("the grammar file is missing from this installation", hint="reinstall autodiff-cli")


def lark(grammar: str, transformer: Any = None) -> Lark:
    """Lark itself for this grammar; with a `transformer` it calls that one's methods as it parses."""
    return Lark(
        grammar_path(grammar).read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        start=list(GRAMMARS[grammar]),
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=transformer,
    )


def tables(grammar: str) -> str:
    """The text that `tables.Tables` reads, for the grammar as it stands."""
    built = lark(grammar)
    start_symbols = GRAMMARS[grammar]
    scanner, callbacks = built.parser.lexer.scanner, built.parser.lexer.callback
    inside = callbacks["NAME"].scanner.terminals if "NAME" in callbacks else ()
    automaton = built.parser.parser._parse_table
    numbers = _numbered(automaton, start_symbols)
    rules = sorted({a.rule for row in automaton.states.values() for a in _actions(row) if a.rule}, key=_order)
    patterns, symbols = _tokens_and_symbols({t.name: t.pattern.to_regexp() for t in scanner.terminals})
    states = [_moves(_actions(automaton.states[state]), rules, numbers) for state in numbers]
    shared = Counter(" ".join(names) for moves in states for names in moves.values() if len(names) > 1)
    sets = {names: f"{{{number}}}" for number, names in enumerate(sorted(shared))}
    lines = [
        f"# The automaton of grammar/{grammar}.lark, written by python -m autodiff.language.generate: not to be edited.",
        *(f"PATTERN {name} {_on_one_line(pattern)}" for name, pattern in patterns.items()),
        *(f"ASCII {name} {_on_one_line(_for_ascii(p))}" for name, p in patterns.items() if p != _for_ascii(p)),
        *(f"FIRST {name} {_escaped(characters)}" for name, characters in _first(patterns).items()),
        *(f"SYMBOL {name} {_escaped(text)}" for text, name in symbols.items()),
        *(f"KEYWORD {terminal.name} {terminal.pattern.value}" for terminal in inside),
        f"IGNORED {' '.join(sorted(built.parser.lexer.ignore_types))}",
        *(f"START {s} {numbers[automaton.start_states[s]]} {numbers[automaton.end_states[s]]}" for s in start_symbols),
        *(f"RULE {_plain(rule)}" for rule in rules),
        *(f"SET {number} {names}" for names, number in sets.items()),
        *(
            " ".join(["STATE", *(f"{sets.get(' '.join(names), names[0])} {move}" for move, names in moves.items())])
            for moves in states
        ),
        "",
    ]
    return "\n".join(lines)


def _moves(actions: Iterable[_Action], rules: Sequence[Rule], numbers: Mapping[int, int]) -> dict[int, list[str]]:
    """The symbols of each move of a state."""
    moves = dict[int, list[str]]()
    for action in actions:
        moves.setdefault(~rules.index(action.rule) if action.rule else numbers[action.state], []).append(action.symbol)
    return moves


def _escaped(text: str) -> str:
    """A text without blanks, as it is or with the escapes of a Python string."""
    plain = text.isprintable() and " " not in text and "\\" not in text
    return text if plain else text.encode("unicode_escape").decode("ascii").replace(" ", "\\x20")


def _on_one_line(pattern: str) -> str:
    """A pattern in printable characters without blanks: the others as escapes of a regular expression."""
    return "".join(c if c.isprintable() and c != " " else f"\\u{ord(c):04x}" for c in pattern)


def _for_ascii(pattern: str) -> str:
    """A pattern that is the same for ASCII texts: no other character is there to be matched."""
    other = r"(?:\\u[0-9a-f]{4}|[^\x00-\x7f])"

    def smaller(characters: re.Match[str]) -> str:
        kept = re.sub(f"{other}(?:-{other})?", "", characters[2])
        return f"[{characters[1]}{kept}]" if kept else "(?!)"

    return re.sub(other, "(?!)", re.sub(r"\[(\^?)((?:\\.|[^\]\\])*)\]", smaller, pattern))


def _tokens_and_symbols(patterns: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Patterns and symbols, from each terminal's regular expression in the order in which they are tried."""
    listed = {name: _texts(pattern) for name, pattern in patterns.items()}
    symbols = {text: name for name, texts in listed.items() for text in texts}
    tokens = {name: pattern for name, pattern in patterns.items() if not listed[name]}
    for symbol in symbols:
        if _beginning(tokens, symbol):
            raise ValueError(f"{symbol!r} begins like a token: {_beginning(tokens, symbol)}")
    return tokens, symbols


def _first(patterns: Mapping[str, str]) -> dict[str, str]:
    """The characters that are a token alone, and with which no other token begins."""
    texts = dict.fromkeys(patterns, "")
    for character in map(chr, range(128)):
        names = _beginning(patterns, character)
        if len(names) == 1 and re.fullmatch(patterns[names[0]], character):
            texts[names[0]] += character
    return {name: characters for name, characters in texts.items() if characters}


def _beginning(patterns: Mapping[str, str], text: str) -> list[str]:
    """Which tokens begin with `text`, as far as one more character tells."""
    return [
        n for n, pattern in patterns.items() if any(re.match(pattern, text + more) for more in ("", "0", "a", " ", "²"))
    ]


def _texts(pattern: str) -> list[str]:
    """All texts that a regular expression matches, where it is a list of them; otherwise none."""
    inner = pattern[3:-1] if pattern.startswith("(?:") and pattern.endswith(")") else pattern
    texts = re.split(r"(?<!\\)\|", inner)
    plain = all(re.fullmatch(r"(?:\\\W|[^\\.^$*+?{}\[\]()])+", text) for text in texts)
    return [re.sub(r"\\(\W)", r"\1", text) for text in texts] if plain else []


class _Action(NamedTuple):
    """What a state does at a symbol: go to a state, or reduce by a rule."""

    symbol: str
    state: int
    rule: Rule | None


def _actions(row: Any) -> list[_Action]:
    """A state's row in the order of its symbols' names."""
    actions = ((str(symbol), texts) for symbol, (_, texts) in sorted(row.items()))
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


def _plain(rule: Rule) -> str:
    """A rule's line. A name that begins with _ is a repetition, which Lark opens into the rule around it."""
    origin, parts = str(rule.origin.name), [str(symbol.name) for symbol in rule.expansion]
    passes = rule.options.expand1 and not rule.alias and len(parts) == 1
    method = "*" if origin.startswith("_") else "" if passes else str(rule.alias or origin)
    spliced = method != "*" and any(part.startswith("_") for part in parts)
    return f"{origin} {len(parts)} {method} {'lists' if spliced else 'parts'}"


if __name__ == "__main__":
    for grammar in GRAMMARS:
        (Path(__file__).parent / f"{grammar}.lalr").write_text(tables(grammar), encoding="utf-8")
