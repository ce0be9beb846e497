"""SQL: one SELECT over the columns of a table, for any engine with the usual mathematical functions.

Lines become columns, stage by stage: a stage is a common table expression whose columns need only those of the stages
before, so no expression is deep and shared parts are computed once. A query of more than a few stages says MATERIALIZED
(SQLite 3.35, PostgreSQL 12, DuckDB), or an engine would inline them into one another, which grows exponentially. A line under a condition is NULL where it does not
hold, which keeps engines that raise errors outside a domain from looking there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodiff.codegen.dialect import Dialect, DialectEmitter, exported
from autodiff.codegen.lines import Names, named, with_lines
from autodiff.codegen.registry import Request, made_from
from autodiff.codegen.straightline import StraightLineProgram
from autodiff.codegen.syntax import INFIX, Spelling, calls
from autodiff.core import rules
from autodiff.core.primitive import Primitive, elementwise
from autodiff.errors import AutodiffError, quoted

# --- arithmetic that an engine can stop at, in forms that give NULL or 0 instead --------------------------------------
#
# PostgreSQL ends a query where a result is too small or too large for a number, where a divisor is 0, and where an
# argument is outside a function's domain; others give NULL there. So a row with a domain is evaluated under it only, and
# a product is compared with the smallest and the largest number first. These are a little apart from float64's own, so
# that most of what is guarded can be added, or multiplied by a constant, as it is.

_IF, _MUL, _DIV, _POW, _SQRT = (rules.TABLE[key] for key in (("if", 3), ("*", 2), ("/", 2), ("^", 2), ("sqrt", 1)))
_BETWEEN = frozenset(rules.TABLE[key] for key in (("+", 2), ("-", 2)))

PRODUCT = elementwise("product", "u v", "*", "v", "u", rule="", doc="a product that may be 0", example="")
SQUARE = elementwise("square", "u", "= u*u", "2*u", rule="", doc="a square that may be 0", example="")
QUOTIENT = elementwise("quotient", "u v", "/", "1/v", "-w/v", rule="", doc="a quotient that may be 0", example="")
LIMITED = elementwise("limited", "u", "= u", "1", rule="", doc="u; nothing where it is very large", example="")
COMMON = elementwise("common", "u", "= u", "1", rule="", doc="u; nothing where it is very small or large", example="")

_ANY = (-1074.0, 1024.0)
"""The binary exponents of the smallest and the largest number."""

_COMMON = (-1040.0, 1000.0)
"""Those of what is guarded, which is 0 below 1e-313 and NULL beyond 1e300."""

_DIVISOR = -997.0
"""That of the smallest divisor, 1e-300."""

_BOUNDED = frozenset([PRODUCT, SQUARE, QUOTIENT, COMMON, _POW, rules.TABLE["exp", 1]])
_GROWING, _NOT_SMALL = (
    frozenset(rules.TABLE[name, 1] for name in names.split())
    for names in ("sinh cosh", "cos cosh ln log10 acos acosh floor ceil")
)
"""Rows that may have any size, and those that are 0 or above 2^-65: no number is nearer to an odd multiple of pi/2."""


def total(emitter: DialectEmitter, row: Primitive, args: tuple[int, ...]) -> int | None:
    """`row(args)` in a form that no engine stops at; None where it is one already."""
    graph, given = emitter.graph, args
    constant = [a in graph.constants for a in args]
    if all(constant):
        return None
    if row is _POW:
        args = (args[0], _guarded(emitter, args[1], LIMITED))  # an exponent is multiplied by a logarithm
    elif row in _BETWEEN or row is _MUL or row is _DIV:
        if not _fits(emitter, row, args) and (row in _BETWEEN or constant[1] or (row is _MUL and constant[0])):
            args = tuple([_guarded(emitter, a, LIMITED if row in _BETWEEN else COMMON) for a in args])
        if row not in _BETWEEN and not _fits(emitter, row, args):
            same = row is _MUL and given[0] == given[1]
            return graph.call(SQUARE, given[:1]) if same else graph.call(PRODUCT if row is _MUL else QUOTIENT, given)
    inside = [emitter.in_place(text, row, args) for text, _ in row.domain]
    if row is _DIV and not constant[1]:
        inside = [emitter.in_place("abs(v) >= 1e-300", row, args)]
    if args == given and not inside:
        return None
    value = graph.call(row, args)
    for condition in reversed(inside):
        value = emitter.emit(_IF, (condition, value, graph.constant(math.nan)))
    return value


def _guarded(emitter: DialectEmitter, node: int, row: Primitive) -> int:
    """An equation, guarded by `row` where it may be smaller or much larger than that lets through."""
    (least, most), constants = _size(emitter, node), emitter.graph.constants
    within = node in constants or ((least >= _COMMON[0] or row is LIMITED) and most <= _COMMON[1] + 10)
    return node if within else emitter.graph.call(row, (node,))


def _fits(emitter: DialectEmitter, row: Primitive, args: Sequence[int]) -> bool:
    """Whether arithmetic with these arguments has no result that is too small or too large for a number."""
    least, most = _result(row, [_size(emitter, a) for a in args])
    return (least >= _ANY[0] or row in _BETWEEN) and most <= _ANY[1]


def _size(emitter: DialectEmitter, node: int) -> tuple[float, float]:
    """Binary exponents that an equation is not below, unless it is 0, and not above."""
    graph, known = emitter.graph, emitter.sizes
    for new in range(len(known), node + 1):
        row, constant = graph.rows[new], graph.constants.get(new)
        if row is not None:
            known.append(_result(row, [known[a] for a in graph.args[new]]))
        elif constant is None:
            known.append(_ANY)
        else:
            known.append((math.log2(abs(constant)),) * 2 if constant else (math.inf, -math.inf))
    return known[node]


def _result(row: Primitive, sizes: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The same of a row by those of its arguments."""
    if row in _BOUNDED:
        return _COMMON
    sizes = sizes[row.conditions :]
    if row is _MUL:
        return sizes[0][0] + sizes[1][0], sizes[0][1] + sizes[1][1]
    if row is _DIV:
        divisor = sizes[1][0] if sizes[1][0] == sizes[1][1] else max(sizes[1][0], _DIVISOR)
        return sizes[0][0] - sizes[1][1], sizes[0][1] - divisor
    if row is LIMITED:
        return sizes[0][0], _COMMON[1]
    if row is _SQRT:
        return sizes[0][0] / 2, sizes[0][1] / 2
    least, most = min((s[0] for s in sizes), default=0.0), max((s[1] for s in sizes), default=0.0)
    if row in _BETWEEN:  # what is left of c - u is at least half a unit in the last place of c
        return max((s[0] - 54 for s in sizes if s[0] == s[1]), default=least), most + 1
    return -65.0 if row in _NOT_SMALL else least, _ANY[1] if row in _GROWING else max(most, 64.0)


# --- how it is written ---------------------------------------------------------------------------------------------------

_SAME = "sqrt exp ln log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh abs floor ceil"
_SMALL, _LARGE = "-720e0 THEN 0e0", "693e0"
"""The logarithms of the smallest and the largest number that is given, 1e-313 and 1e300."""


def _compared(logarithm: str, result: str) -> str:
    """0 where the result would be too small for a number, and NULL where it would be too large."""
    return f"WHEN {logarithm} < {_SMALL} WHEN {logarithm} < {_LARGE} THEN {result} END"


_GUARDED = {
    ("exp", 1): "CASE WHEN {0} < -720e0 THEN 0e0 WHEN {0} < 693e0 THEN exp({0}) END",
    ("^", 2): "CASE WHEN {0} = 0e0 THEN CASE WHEN {1} = 0e0 THEN 1e0 WHEN {1} > 0e0 THEN 0e0 END "
    + _compared("{1!}*ln(abs({0}))", "power({0}, {1})"),
    ("square", 1): "CASE WHEN abs({0}) < 3e-157 THEN 0e0 WHEN abs({0}) < 1e150 THEN {0!}*{0!} END",
    ("product", 2): "CASE WHEN {0} = 0e0 OR {1} = 0e0 THEN {0!}*{1!} "
    + _compared("ln(abs({0})) + ln(abs({1}))", "{0!}*{1!}"),
    ("quotient", 2): "CASE WHEN {1} = 0e0 THEN NULL WHEN {0} = 0e0 THEN {0!}/{1!} "
    + _compared("ln(abs({0})) - ln(abs({1}))", "{0!}/{1!}"),
    ("limited", 1): "CASE WHEN abs({0}) <= 1e300 THEN {0} END",
    ("common", 1): "CASE WHEN {0} = 0e0 OR abs({0}) BETWEEN 1e-313 AND 1e300 THEN {0} END",
    **{(name, 1): "({0!} - {0!} = 0e0)" for name in ("known", "finite")},
}

CALLS = {**INFIX, **calls("{}", _SAME, "atan2"), **_GUARDED}


def _number(value: float) -> str:
    """With an exponent: `0.1` would be a decimal in some engines, and `1` a whole number, whose division rounds."""
    text = repr(value).removesuffix(".0")
    return text if "e" in text else f"{text}e0"


SPELLING = Spelling(
    CALLS,
    "CASE {0!} WHEN TRUE THEN {1} WHEN FALSE THEN {2} END",
    ("AND", "OR", "NOT "),
    number=_number,
    signs={"==": "=", "!=": "<>"},
    nan="NULL",
)
DIALECT = Dialect("SQL", SPELLING, in_place=True, longest=16, repeats=_GUARDED.keys(), instead=total)

_WORDS = """all alter analyse analyze and anti any array as asc asof asymmetric at authorization avg before begin between bit both by
cascade case cast check collate column commit constraint count create cross cube current current_date current_role
current_time current_timestamp current_user cursor data date day decimal default deferrable delete desc describe do distinct
div double drop else end escape except exec execute exists explain external false fetch filter first float for foreign
from full function given glob grant group grouping groups having hour if ilike in index initially inner insert int integer intersect
interval into is isnull join key lambda lateral leading left level like limit localtime localtimestamp match max min minute mod
month natural new no not notnull null number numeric of off offset old on only option or order out outer over overlaps
partition percent pivot pivot_longer pivot_wider placing plan precision primary procedure qualify range real recursive references release rename
replace returning revoke right rollback row rows schema second select semi session_user set share show similar size smallint some
source start sum summarize symmetric system table tablesample temp text then time timestamp to top trailing transaction trigger
true truncate type uid union unique unpivot update use user using vacuum value values varchar variadic view virtual when
where window with within without year"""
RESERVED = [*_WORDS.split(), *_SAME.split(), "power", "atan2"]
_FLAT = 3
"""Stages that an engine may write into one another; SQLite does, and twice as much with each."""
_LONGEST = 1000
"""Stages that an engine's planner can handle."""


@dataclass(frozen=True, slots=True)
class _StageColumn:
    name: str
    text: str
    needs: frozenset[str]
    stage: int


def write(request: Request) -> str:
    """The source of one query: the inputs, the value and the slopes of each row, or with `total` their sums."""
    lowered = request.lowered
    _distinct(lowered.inputs)
    _fixed(request)
    names = Names([*RESERVED, *request.table.split(".")], folded=True)
    inputs = {name: names.fresh(name) for name in lowered.inputs}
    program = with_lines(exported(lowered, request.sources, DIALECT), DIALECT)
    of, results = named(names, program, lowered, request.sources, inputs)
    columns = _columns(program, of, inputs.values())
    graph = program.graph
    last = [of[node] if node in of else SPELLING.text(graph, node, {}) for node in program.results]
    note = (
        "Value and gradient; a row without a value has NULL or NaN." + " A sum over such a row is NULL." * request.total
    )
    stages = _stages(request, inputs, columns, [text for text in last if text in of.values()])
    count = max((c.stage for c in columns), default=0)
    deep = ["Leave out MATERIALIZED for an engine that does not know it."] * (count > _FLAT)
    comment = [f"-- {line}".rstrip() for line in [note, *deep, "", *made_from(request)]]
    final = _final(request, inputs, list(zip(last, results, strict=True)), count)
    return "\n".join([*comment, "WITH " + ",\n".join(stages), final]) + "\n"


def _distinct(inputs: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in inputs:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise AutodiffError(f"SQL takes {quoted(other)} and {quoted(name)} for the same column", hint="rename one")


def _fixed(request: Request) -> None:
    for name in request.at:
        if name not in request.lowered.inputs:
            raise AutodiffError(f"{quoted(name)} is not an input of this program")


def _columns(program: StraightLineProgram, of: Mapping[int, str], inputs: Collection[str]) -> list[_StageColumn]:
    """The lines as columns, each in the last stage that is early enough, so that few columns live at a time."""
    depth = dict.fromkeys(inputs, 0)
    written: list[tuple[str, str, list[str]]] = []
    for node in program.equations:
        text, under = _short(SPELLING.text(program.graph, node, of)), program.guard(node)
        if under is not None:
            text = f"CASE WHEN {of[under]} THEN {text} END"
        needs = [word for word in re.findall(r"[A-Za-z_]\w*", text) if word in depth]
        depth[of[node]] = 1 + max((depth[name] for name in needs), default=0)
        written.append((of[node], text, needs))
    latest: dict[str, int] = {}
    count = max(depth.values(), default=0)
    columns = []
    for name, text, needs in reversed(written):
        stage = latest.get(name, count)
        for needed in needs:
            latest[needed] = min(latest.get(needed, count), stage - 1)
        columns.append(_StageColumn(name, text, frozenset(needs), stage))
    return columns[::-1]


def _short(text: str) -> str:
    """A CASE without an ELSE gives NULL, so a branch of NULL is left out."""
    return text.replace(" WHEN FALSE THEN NULL END", " END")


def _given(request: Request, inputs: Mapping[str, str]) -> str:
    """The first stage: columns as numbers with a point, and what `--at` fixes."""
    table = ".".join(identifier(part) for part in _table(request.table))
    columns = [
        f"{_number(request.at[name])} AS {own}"
        if name in request.at
        else f"CAST(source.{identifier(name)} AS DOUBLE PRECISION) AS {own}"
        for name, own in inputs.items()
    ]
    return f"given AS (\n{_select(columns or ['1 AS one'], f'{table} AS source', '  ')}\n)"


def _table(text: str) -> list[str]:
    parts = text.split(".")
    if not all(part.strip() for part in parts) or not text.isprintable():
        raise AutodiffError(f"{quoted(text)} is no name of a table", hint="write --table NAME or --table SCHEMA.NAME")
    return parts


def identifier(name: str) -> str:
    """A column's or table's own name, in quotes unless every engine takes it without."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and (name.lower() not in _WORDS.split() or name == "data")
    return name if plain else '"' + name.replace('"', '""') + '"'


def _select(columns: Sequence[str], table: str, indent: str = "") -> str:
    listed = f",\n{indent}  ".join(columns)
    return f"{indent}SELECT\n{indent}  {listed}\n{indent}FROM {table}"


def _stages(
    request: Request, inputs: Mapping[str, str], columns: Sequence[_StageColumn], last: Sequence[str]
) -> Iterator[str]:
    """A common table expression for each stage; columns go on as long as a later one needs them."""
    count = max((c.stage for c in columns), default=0)
    if count > _LONGEST:
        raise AutodiffError(
            f"the program is {count:,} shared parts deep, too deep for one query (at most {_LONGEST:,})",
            hint="export it to python, c or javascript",
        )
    until = dict.fromkeys(last if request.total else [*last, *inputs.values()], count + 1)
    by_stage: dict[int, list[_StageColumn]] = {}
    for column in columns:
        by_stage.setdefault(column.stage, []).append(column)
        for name in column.needs:
            until[name] = max(until.get(name, 0), column.stage)
    yield _given(request, inputs)
    alive = list(inputs.values())
    for stage in range(1, count + 1):
        carried = [name for name in alive if until.get(name, 0) >= stage + 1]
        new = by_stage[stage]
        selected = [*carried, *(f"{c.text} AS {c.name}" for c in new)]
        barrier = "MATERIALIZED " if count > _FLAT and stage % _FLAT == 0 else ""
        yield f"{_stage(stage)} AS {barrier}(\n{_select(selected, _stage(stage - 1), '  ')}\n)"
        alive = [*carried, *(c.name for c in new)]


def _stage(number: int) -> str:
    return f"stage_{number}" if number else "given"


def _final(request: Request, inputs: Mapping[str, str], results: Sequence[tuple[str, str]], count: int) -> str:
    if request.total:
        columns = [f"CASE WHEN COUNT({text}) = COUNT(*) THEN SUM({text}) END AS {name}" for text, name in results]
    else:
        columns = [*inputs.values(), *(name if text == name else f"{text} AS {name}" for text, name in results)]
    return _select(columns, _stage(count))
