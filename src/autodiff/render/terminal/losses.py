"""The table of losses: formula, the models that use it, an example; and the models that have none, with why.

>>> from autodiff.core.prelude import loss
>>> print(shown([loss("hinge")], "text", terminal=True).split("\\n")[1])
  formula  mean max(0, 1 - y·s)
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from autodiff.core import prelude
from autodiff.core.prelude import Loss

HEADER = ("loss", "formula", "models")


def shown(losses: Sequence[Loss], form: str, *, terminal: bool) -> str:
    """One loss in full, or the table; `form` is text, json or markdown. In a pipe the cells are separated by tabs."""
    if form == "json":
        return json.dumps([loss._asdict() for loss in losses], ensure_ascii=False, indent=1)
    if form == "markdown":
        cells = [
            HEADER,
            ("---",) * 3,
            *((f"`{loss.signature}`", loss.formula.replace("|", "\\|"), loss.models) for loss in losses),
        ]
        return "\n".join(f"| {' | '.join(row)} |" for row in cells)
    if len(losses) == 1:
        return _details(losses[0])
    lines = [
        _details(loss, example=False) if terminal else f"{loss.signature}\t{loss.formula}\t{loss.models}"
        for loss in losses
    ]
    return "\n".join(
        [*lines, *([""] if terminal else []), *(f"{model}: {why}" for model, why in prelude.lossless().items())]
    )


def _details(loss: Loss, *, example: bool = True) -> str:
    lines = [f"{loss.signature}   {loss.doc}", f"  formula  {loss.formula}", f"  used by  {loss.models}"]
    return "\n".join([*lines, *([f"  example  {loss.example}"] if example else [])])
