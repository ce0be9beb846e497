"""The answer that is judged, in the names of the program: `cos(y)*2x` behind `y = x^2; sin(y)`.

>>> from autodiff.api.evaluate import parse
>>> from autodiff.core.lowering import lower
>>> program = parse("y = x^2; sin(y)")
>>> found = in_names(program, lower(program), parse("cos(y)*2x"))
>>> found.inputs, found.source
(('x',), 'y = x^2; sin(y)\\n;\\ncos(y)*2x')
"""

from __future__ import annotations

from autodiff.api.elementwise_view import numbers_of
from autodiff.core import rules
from autodiff.core.lowering import Lowered
from autodiff.diagnostics import listed
from autodiff.errors import AutodiffError, did_you_mean, quoted
from autodiff.language.ast import Assign, Expression, Name, ParsedProgram, Statement
from autodiff.language.parser import parse_behind
from autodiff.language.synonyms import instead


def in_names(program: ParsedProgram, lowered: Lowered, given: ParsedProgram) -> Lowered:
    """The equations of the answer behind the program's own statements, whose names it may use."""
    own = {s.target.name for s in program.statements if not isinstance(s, Expression)}
    for statement in given.statements:
        if not isinstance(statement, Expression) and statement.target.name in own:
            raise AutodiffError(
                f"{quoted(statement.target.name)} has a meaning in the program already",
                span=statement.target.span,
                source=given.source,
                hint="choose another name in the answer",
            )
    together = parse_behind(program, given.source, rules.functions())
    count = len(program.statements)
    named, last = together.statements[:count], together.statements[count - 1]
    taken = own | {s.target.name for s in given.statements if not isinstance(s, Expression)}
    if isinstance(last, Expression) and lowered.name not in taken:
        named = (*named[:-1], Assign(Name(lowered.name, last.span), last.body, last.span))
    statements = (*named, *_as_values(together.statements[count:]))
    try:
        answered = numbers_of(together.with_statements(statements)).lowered
    except AutodiffError as error:
        raise _in_answer(error, together.source, given.source) from None
    known = [*lowered.inputs, *lowered.assigned]
    for name in answered.inputs:
        if name not in lowered.inputs:
            raise AutodiffError(
                f"the answer has {quoted(name)}, which the program does not have", hint=_instead(name, known)
            )
    return answered


def _in_answer(error: AutodiffError, together: str, answer: str) -> AutodiffError:
    """The error with its place in the answer's own text, which stands at the end of both texts together."""
    before = len(together) - len(answer)
    if error.span is not None and error.source == together and error.span[0] >= before and not error.also:
        error.source, error.span = answer, (error.span[0] - before, error.span[1] - before)
    return error


def _instead(name: str, known: list[str]) -> str:
    """The next step for a name of the answer that the program does not have."""
    if name in rules.functions():
        return f"write {name}(…): a function has its argument in brackets"
    if question := instead(name, known, rules.functions()):
        return question
    if name[0] == "d" and name[1:] in known:
        return f"leave {name} out: the answer is the slope alone"
    if name in ("C", "c"):
        return "a constant of integration belongs to an integral: a derivative has none"
    return did_you_mean(name, known, f"the program's names are {listed(known)}")


def _as_values(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """`dy = 2x` answers as `2x` does."""
    last = statements[-1]
    return (*statements[:-1], Expression(last.body, last.span)) if isinstance(last, Assign) else statements
