"""Value and gradient of a program at a point: parse, lower, sweep, check.

>>> answer = evaluate("exp(sin(x^2))", {"x": 4.0})
>>> answer.value, answer.gradient["x"], answer.status
(0.7498340851945589, -5.744685762849454, 'ok')
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff.calculus import blame, rules
from autodiff.calculus.check import agrees
from autodiff.calculus.forward import forward
from autodiff.calculus.lower import Lowered, lower
from autodiff.calculus.primal import Outside, Run, primal
from autodiff.calculus.reverse import reverse
from autodiff.errors import INTERNAL, AutodiffError, Span, nearest, quoted, shortened
from autodiff.language.parse import parse as _parse
from autodiff.language.parse import parse_bindings
from autodiff.language.syntax import Expression, Program, Reading

MODES = ("reverse", "forward", "both")


@dataclass(frozen=True, slots=True)
class Answer:
    """What `evaluate` found at a point.

    result     what the result is called
    value      the result there; None where it does not exist
    gradient   the slope in each name of `wrt`; None where there is none
    at         the value of every input
    mode       reverse, forward or both
    status     ok, corner, jump, infinite, domain, overflow or unknown; all but ok say `why`
    span       the part of the program that is to blame
    checked    whether the other mode confirmed the gradient; None when nobody asked, or there was nothing to confirm
    forward    with mode "both", the slopes by the forward sweep
    readings   parts of the program that a person might read otherwise
    """

    result: str
    value: float | None
    gradient: Mapping[str, float | None]
    at: Mapping[str, float]
    mode: str
    status: str = "ok"
    why: str = ""
    hint: str = ""
    span: Span | None = None
    checked: bool | None = None
    forward: Mapping[str, float | None] | None = None
    readings: tuple[Reading, ...] = field(default=(), repr=False)
    source: str = field(default="", repr=False)

    def ulps_apart(self) -> dict[str, float]:
        """With mode "both": how many units in the last place the two modes differ by, per name."""
        pairs = ((name, slope, (self.forward or {}).get(name)) for name, slope in self.gradient.items())
        return {n: abs(a - b) / math.ulp(max(abs(a), abs(b))) for n, a, b in pairs if a is not None and b is not None}

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready data: no NaN, no infinity; optional keys only where they say something."""
        data: dict[str, Any] = {
            "result": self.result,
            "value": self.value,
            "gradient": dict(self.gradient),
            "at": dict(self.at),
            "mode": self.mode,
            "status": self.status,
            "checked": bool(self.checked),
        }
        if self.forward is not None:
            data["forward"] = dict(self.forward)
            data["ulps_apart"] = self.ulps_apart()
        if self.status != "ok":
            data |= {"why": self.why}
        if self.hint:
            data["hint"] = self.hint
        if self.span is not None:
            data["span"] = list(self.span)
        return data


def parse(text: str, *, strict: bool = False) -> Program:
    """The syntax tree of a program. Raises AutodiffError for a mistake; with `strict` for a doubtful reading, too."""
    return _parse(text, rules.functions(), strict=strict)


def evaluate(
    text: str,
    at: Mapping[str, float] | None = None,
    wrt: Sequence[str] | None = None,
    mode: str = "reverse",
    *,
    strict: bool = False,
    check: bool = True,
) -> Answer:
    """Value and slopes of the program `text` where its inputs have the values `at`.

    wrt     names of inputs or assigned names, in the order of the answer; every input when None
    mode    "reverse" (one sweep for all slopes), "forward" (dual numbers) or "both"
    strict  make a doubtful reading such as `1/2x` an error
    check   confirm the gradient by one sweep of the other mode

    Raises AutodiffError for a mistake in the text or the arguments. A point without a value or a slope is no mistake:
    `status` and `why` of the answer say what is so there.
    """
    if mode not in MODES:
        raise AutodiffError(f"unknown mode {quoted(str(mode))}", hint=f"choose one of {', '.join(MODES)}")
    program = parse(text, strict=strict)
    lowered = lower(program)
    point = _point(lowered, at or {})
    sources = _sources(lowered, wrt)
    common: dict[str, Any] = {
        "result": lowered.name,
        "at": point,
        "mode": mode,
        "readings": program.readings,
        "source": program.source,
    }
    try:
        run = primal(lowered, point)
    except Outside as trouble:
        return Answer(
            value=None,
            gradient=dict.fromkeys(sources),
            status="domain" if trouble.needs else "overflow",
            why=blame.outside(lowered, trouble, point),
            hint=blame.hint(lowered, trouble),
            span=lowered.graph.spans[trouble.node],
            **common,
        )
    gradient = _gradient(lowered, run, point, sources, "forward" if mode == "forward" else "reverse")
    onward = _gradient(lowered, run, point, sources, "forward") if mode == "both" else None
    checked = None
    if check and all(map(math.isfinite, gradient.values())):
        checked = agrees(lowered, run, point, sources, gradient, mode)
        if checked is False:
            raise AutodiffError(
                "the two modes disagree on this gradient: a bug in autodiff, so no number is printed",
                exit_status=INTERNAL,
                hint="please report the program and the point; --no-check prints the number all the same",
            )
    return Answer(
        value=run.values[lowered.result] + 0.0,
        gradient={name: slope + 0.0 for name, slope in gradient.items()},
        forward=None if onward is None else {name: slope + 0.0 for name, slope in onward.items()},
        checked=checked,
        **common,
    )


def _gradient(
    lowered: Lowered, run: Run, point: Mapping[str, float], sources: Mapping[str, int], mode: str
) -> dict[str, float]:
    if mode == "reverse":
        adjoints = reverse(lowered, run, list(sources.values()))
        return {name: adjoints.get(node, 0.0) for name, node in sources.items()}
    seeds: dict[int, dict[str, float]] = {}
    for name, node in sources.items():
        seeds.setdefault(node, {})[name] = 1.0
    tangent = forward(lowered, point, seeds)[lowered.result].tangent
    return {name: tangent.get(name, 0.0) for name in sources}


# --- the point and the names --------------------------------------------------------------------------------------------


def parse_point(text: str) -> dict[str, float]:
    """The values of `x=4,y=pi/2`; each is a constant expression. Raises AutodiffError with the place of a mistake."""
    point: dict[str, float] = {}
    for binding in parse_bindings(text, rules.functions()):
        name = binding.target.name
        if name in point:
            raise AutodiffError(f"{quoted(name)} is given twice", span=binding.target.span, source=text)
        lowered = lower(Program(text, (Expression(binding.body, binding.body.span),)))
        if lowered.inputs:
            raise AutodiffError(
                f"the value of {quoted(name)} must be a number, and {quoted(lowered.inputs[0])} has no value here",
                span=binding.body.span,
                source=text,
                hint="use numbers, pi, e, tau and functions of them",
            )
        try:
            point[name] = primal(lowered, {}).values[lowered.result]
        except Outside as trouble:
            raise AutodiffError(
                blame.outside(lowered, trouble, {}), span=lowered.graph.spans[trouble.node], source=text
            ) from None
    return point


def _point(lowered: Lowered, at: Mapping[str, Any]) -> dict[str, float]:
    """A finite float for every input of the program, and for nothing else."""
    given: dict[str, float] = {}
    for key, value in at.items():
        name = unicodedata.normalize("NFKC", str(key))
        if name in given:
            raise AutodiffError(f"{quoted(name)} is given twice")
        given[name] = _finite(name, value)
    wanted = dict.fromkeys(lowered.inputs)
    unknown = [name for name in given if name not in wanted]
    if unknown:
        raise AutodiffError(
            f"{quoted(unknown[0])} is not an input of this program", hint=_inputs(lowered, unknown[0], list(given))
        )
    missing = [name for name in wanted if name not in given]
    if missing:
        raise AutodiffError(
            f"no value for {blame.listed(missing)}",
            span=_first_use(lowered, missing[0]),
            source=lowered.source,
            hint=_slip(missing[0], [*given, *wanted]) or f"add --at {shortened(missing[0])}=VALUE",
        )
    return {name: given[name] for name in wanted}


def _finite(name: str, value: Any) -> float:
    if isinstance(value, list | tuple):
        raise AutodiffError(f"{quoted(name)} is an array, which is read but not evaluated yet")
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise AutodiffError(f"the value of {quoted(name)} must be a number, not {quoted(repr(value))}") from None
    if not math.isfinite(number):
        raise AutodiffError(f"the value of {quoted(name)} must be a finite number, not {number}")
    return number


def _first_use(lowered: Lowered, name: str) -> Span | None:
    node = lowered.node(name)
    return None if node is None else lowered.graph.spans[node]


def _inputs(lowered: Lowered, name: str, given: Sequence[str]) -> str:
    near = nearest(name, lowered.inputs)
    slips = (_slip(wanted, given) for wanted in lowered.inputs[:50] if wanted not in given)
    if meant := next((slip for slip in slips if slip.startswith("did")), ""):
        return meant
    needs = f"it needs {blame.listed(lowered.inputs)}" if lowered.inputs else "it has no inputs"
    if name in lowered.assigned:
        needs = f"it is assigned in the program; {needs}"
    return f"{needs}; did you mean {quoted(near)}?" if near else needs


def _slip(name: str, known: Sequence[str]) -> str:
    """`sinx` for `sin(x)`, `xy` for `x*y`: what an input without a value may have been meant as."""
    others = {other for other in known if other != name}
    for function in sorted(rules.functions(), key=len, reverse=True):
        rest = name.removeprefix(function)
        if rest != name and (rest in others or (rest and len(rest) == 1 and rest.isalpha())):
            return f"did you mean {function}({rest})?"
    for cut in range(1, min(len(name), 20)):
        if name[:cut] in others and name[cut:] in others:
            return f"did you mean {name[:cut]}*{name[cut:]}?"
    near = nearest(name, others)
    return f"add --at {name}=VALUE, or did you mean {quoted(near)}?" if near else ""


def _sources(lowered: Lowered, wrt: Sequence[str] | None) -> dict[str, int]:
    """The equation of each name that a slope is asked for."""
    names = lowered.inputs if wrt is None else [unicodedata.normalize("NFKC", name.strip()) for name in wrt]
    sources: dict[str, int] = {}
    for name in names:
        node = lowered.node(name)
        if node is None:
            known = [*lowered.inputs, *lowered.assigned]
            near = nearest(name, known)
            raise AutodiffError(
                f"can't differentiate by {quoted(name)}: the program has no such name",
                hint=f"did you mean {quoted(near)}?"
                if near
                else f"its names are {blame.listed(known)}"
                if known
                else "",
            )
        if name in sources:
            raise AutodiffError(f"{quoted(name)} stands twice among the names to differentiate by")
        sources[name] = node
    return sources
