"""An answer at a hard point: the slopes that were looked at from both sides, frameworks' numbers, and what to say.

>>> from autodiff import evaluate
>>> evaluate("abs(x)", {"x": 0.0}, convention="torch").gradient
{'x': 0.0}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from autodiff import diagnostics
from autodiff.api.answer import Answer
from autodiff.core import linearize
from autodiff.core.evaluate import Trace
from autodiff.core.linearize import FRAMEWORKS
from autodiff.core.lowering import Lowered
from autodiff.core.vjp import vjp
from autodiff.diagnostics import SEVERITY
from autodiff.nonsmooth.verdict import Verdict


def at_hard_points(
    answer: Answer,
    lowered: Lowered,
    run: Trace,
    verdicts: dict[str, Verdict],
    odd: Sequence[int],
    names: Mapping[str, int],
    convention: str,
) -> Answer:
    """The slopes that were looked at from both sides, and what is so where there is none."""
    slopes = {name: found.slope for name, found in verdicts.items()}
    said = {each: _agreed(lowered, run, verdicts, names, each) for each in FRAMEWORKS}
    frameworks = {
        name: _apart(found, {each: said[each].get(name) for each in said}) for name, found in verdicts.items()
    }
    asked = said.get(convention) or _agreed(lowered, run, verdicts, names, convention)
    bent = [name for name, found in verdicts.items() if found.status in ("corner", "jump")]
    agreed = {name: asked[name] for name in bent if name in asked}
    slopes |= agreed
    known = {name: None if slope is None else slope + 0.0 for name, slope in slopes.items()}
    verdicts = dict(answer.verdicts) | verdicts
    status = max((answer.status, *(found.status for found in verdicts.values())), key=SEVERITY.index)
    culprits = {
        name: diagnostics.culprits(lowered, odd, names[name], verdicts[name]) for name in diagnostics.told(verdicts)
    }
    worst = next((name for name, found in verdicts.items() if found.status == status), "")
    return answer._replace(
        gradient=dict(answer.gradient) | known,
        forward=None if answer.forward is None else dict(answer.forward) | known,
        status=status,
        why="; ".join(
            filter(None, [answer.why, diagnostics.verdicts(lowered, answer.result, run, verdicts, culprits)])
        ),
        hint=_advice(status, convention, [name for name in bent if name not in agreed], frameworks),
        span=lowered.graph.spans[culprits[worst][0]] if status != "ok" and culprits.get(worst) else answer.span,
        verdicts=verdicts,
        notes=tuple(diagnostics.notes(lowered, answer.result, run.taken, verdicts, culprits, frameworks)),
        convention=convention if agreed else "",
        frameworks={name: numbers for name, numbers in frameworks.items() if numbers},
    )


def _agreed(
    lowered: Lowered,
    run: Trace,
    verdicts: Mapping[str, Verdict],
    names: Mapping[str, int],
    convention: str,
) -> dict[str, float]:
    """The numbers of a convention at a hard point, without those that it gives as NaN or infinity."""
    hard = {name: names[name] for name, found in verdicts.items() if found.status in ("ok", "corner", "jump")}
    if not convention:
        return {}
    found = vjp(lowered.result, linearize.linearize(lowered, run, hard.values(), convention), hard.values())
    slopes = {name: found.get(node, 0.0) for name, node in hard.items()}
    return {name: slope + 0.0 for name, slope in slopes.items() if math.isfinite(slope)}


def _advice(status: str, convention: str, missing: Sequence[str], frameworks: Mapping[str, Mapping[str, float]]) -> str:
    """What to try at a corner, or why the convention that was asked for did not help."""
    if convention and missing:
        return f"{FRAMEWORKS.get(convention, convention)} gives NaN or infinity here for {diagnostics.listed(missing)}"
    helps = status == "corner" and not convention and any(frameworks.values())
    return "--convention torch, jax or zero gives a framework's number" if helps else ""


def _apart(found: Verdict, numbers: Mapping[str, float | None]) -> dict[str, float]:
    """The numbers that are there and not the slope."""
    slope = math.nan if found.slope is None else found.slope
    return {each: n for each, n in numbers.items() if n is not None and not math.isclose(n, slope, abs_tol=1e-12)}
