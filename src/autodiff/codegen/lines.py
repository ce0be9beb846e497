"""Which equations of an export get a line of their own; the others are written inside the only line that uses them. And its names.

if(x > 0, ln(x), 0) + x*x    becomes    b1 = x > 0;  under b1: t1 = ln(x);  f = if(b1, t1, 0) + x*x
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import replace

from autodiff.codegen.dialect import Dialect, ExportEquations
from autodiff.codegen.guards import Guards
from autodiff.codegen.straightline import StraightLineProgram, schedule
from autodiff.core.lowering import Lowered
from autodiff.notation.tex import COMBINING


def with_lines(parts: ExportEquations, dialect: Dialect) -> StraightLineProgram:
    """The program whose statements are the lines of an export."""
    program = schedule(parts.graph, parts.results, Guards(parts.graph, parts.eager), names=parts.names)
    graph, required, flags = parts.graph, program.required, program.flags
    own = _with_own_line(program, dialect)
    live = set(parts.results)
    for node in reversed(program.equations):
        if node in live:
            live.update(graph.args[node])
            if node in own and graph.rows[node] is not None and required[node] in flags:
                own.add(flags[required[node]])
                live.add(flags[required[node]])
    written = (node for node in program.equations if node in own and node in live and graph.rows[node] is not None)
    return replace(program, statements=tuple(written))


def _with_own_line(program: StraightLineProgram, dialect: Dialect) -> set[int]:
    """Results, named equations, those with several users, and parts of what would be too long otherwise."""
    graph = program.graph
    own = {*program.results, *program.names}
    inside = _inline(program, dialect)
    size: dict[int, int] = {}
    for node in program.equations:
        row = graph.rows[node]
        if row is None:
            size[node] = 0
            continue
        if (row.name, row.arity) in dialect.repeats:
            own.update(a for a in graph.args[node] if graph.rows[a] is not None)
        size[node] = 1 + sum(0 if a in own else size[a] for a in graph.args[node])
        if size[node] > dialect.longest:  # the largest parts get lines, so that what remains is short
            for arg in sorted(set(graph.args[node]), key=lambda a: -size[a]):
                if size[arg] and size[node] > dialect.longest:
                    own.add(arg)
                    size[node] -= size[arg] * graph.args[node].count(arg)
                    size[arg] = 0
        if node in own or node not in inside:
            size[node] = 0
            own.add(node)
    return own


def _inline(program: StraightLineProgram, dialect: Dialect) -> set[int]:
    """The equations that may be written inside the only line that uses them."""
    graph, required = program.graph, program.required
    users: dict[int, list[int]] = {}
    for node in program.equations:
        for arg in graph.args[node]:
            users.setdefault(arg, []).append(node)
    inline = set()
    for node, (user, *others) in users.items():
        if not others:
            row = graph.rows[user]
            same = required[node] == required[user]
            lazy = dialect.nested and row is not None and row.branches is not None and not same
            if same or (lazy and _branch_only(graph.args[user], node)):
                inline.add(node)
    return inline


def _branch_only(args: tuple[int, ...], node: int) -> bool:
    """Whether the choice of `args` uses `node` as a branch only, which need not be evaluated."""
    return args[0] != node and args.count(node) == 1


# --- names -----------------------------------------------------------------------------------------------------------

LONGEST = 60
"""Characters of a name; a longer one is cut."""


class Names:
    """Hands out names, each once; `folded`: the target takes X and x for the same."""

    def __init__(self, reserved: Collection[str], *, ascii_only: bool = True, folded: bool = False) -> None:
        self.ascii_only, self.folded = ascii_only, folded
        self.taken = {self._key(name) for name in reserved}
        self._counts: dict[str, int] = {}

    def fresh(self, name: str) -> str:
        """`name` as the target can write it; with a `_` behind it, or a number, where that is taken."""
        plain = self._plain(name)[:LONGEST]
        free = plain
        if self._key(free) in self.taken:
            free = f"{plain}_"
        while self._key(free) in self.taken:
            self._counts[plain] = self._counts.get(plain, 1) + 1
            free = f"{plain}_{self._counts[plain]}"
        self.taken.add(self._key(free))
        return free

    def numbered(self, letter: str) -> str:
        """The next of t1, t2, … that is free."""
        while True:
            self._counts[letter] = self._counts.get(letter, 0) + 1
            name = f"{letter}{self._counts[letter]}"
            if self._key(name) not in self.taken:
                self.taken.add(self._key(name))
                return name

    def _key(self, name: str) -> str:
        return name.lower() if self.folded else name

    def _plain(self, name: str) -> str:
        if name.isidentifier() and (name.isascii() or not self.ascii_only):
            return name
        text = "".join(map(_in_ascii, unicodedata.normalize("NFD", name)))
        return text if text[:1].isalpha() else f"v{text}"


def _in_ascii(letter: str) -> str:
    if letter.isascii():
        return letter if letter.isalnum() else "_"
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and "LETTER" in words:
        word = {"LAMDA": "lambda"}.get(words[-1], words[-1].lower())
        return word.capitalize() if "CAPITAL" in words else word
    if letter in COMBINING:
        return COMBINING[letter]
    return "" if unicodedata.combining(letter) else f"u{ord(letter):x}"


def named(
    names: Names, program: StraightLineProgram, lowered: Lowered, wrt: Collection[str], inputs: Mapping[str, str]
) -> tuple[dict[int, str], tuple[str, ...]]:
    """A name for every input and line, and the names of the results: `f`, `df_dx`, …

    A line that is a result has its name; for the others see `name_lines`.
    """
    graph = program.graph
    of = {node: inputs[name] for node, name in graph.inputs.items()}
    results = [names.fresh(lowered.name), *(names.fresh(f"d{lowered.name}_d{name}") for name in wrt)]
    for node, name in zip(program.results, results, strict=True):
        if graph.rows[node] is not None:
            of.setdefault(node, name)
    name_lines(names, program, of)
    return of, tuple(results)


def name_lines(names: Names, program: StraightLineProgram, of: dict[int, str]) -> None:
    """Give the lines that have no name yet the program's name for them, or t1, t2, …, and b1, b2, … to conditions."""
    for node in program.equations:
        row = program.graph.rows[node]
        if node in of:
            continue
        if node in program.names:
            of[node] = names.fresh(program.names[node])
        else:
            of[node] = names.numbered("b" if row is not None and row.is_predicate else "t")
