"""Optimizers, schedules and clipping in PyTorch: what `rules.json` records, and what it is compared with where torch is.

Record anew with `python -m tests.support.rules` in an environment that has torch (recorded with 2.13.0, float64, CPU).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.trajectories import CASES, columns, loss

RECORDED = Path(__file__).with_suffix(".json")
EPOCHS = 300
SHOWN = [0, 1, 9, 99, 299]
CASE = "softmax"

RULES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "sgd": ({}, "SGD", {}),
    "sgd decay": ({"weight_decay": 0.1}, "SGD", {"weight_decay": 0.1}),
    "momentum": ({"momentum": 0.7}, "SGD", {"momentum": 0.7}),
    "momentum nesterov": ({"momentum": 0.8, "nesterov": True}, "SGD", {"momentum": 0.8, "nesterov": True}),
    "adam betas": ({"betas": (0.8, 0.99)}, "Adam", {"betas": (0.8, 0.99)}),
    "adam decay": ({"weight_decay": 0.05}, "Adam", {"weight_decay": 0.05}),
    "adamw": ({}, "AdamW", {}),
    "adamw decay": ({"weight_decay": 0.3}, "AdamW", {"weight_decay": 0.3}),
    "rmsprop": ({}, "RMSprop", {}),
    "rmsprop momentum": ({"momentum": 0.5, "weight_decay": 0.01}, "RMSprop", {"momentum": 0.5, "weight_decay": 0.01}),
    "adagrad": ({}, "Adagrad", {}),
    "adagrad decay": ({"weight_decay": 0.02}, "Adagrad", {"weight_decay": 0.02}),
}
"""By name, whose first word is our optimizer: our constants, the class in torch.optim, its arguments."""

SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "step:40:0.5": lambda optim, descent: optim.lr_scheduler.StepLR(descent, 40, 0.5),
    "cosine": lambda optim, descent: optim.lr_scheduler.CosineAnnealingLR(descent, EPOCHS),
    "plateau:3:0.5": lambda optim, descent: optim.lr_scheduler.ReduceLROnPlateau(descent, patience=3, factor=0.5),
}

RUNS = (
    [(name, "", 0.0) for name in RULES]
    + [("sgd", schedule, 0.0) for schedule in SCHEDULES]
    + [("rmsprop", "plateau:3:0.5", 0.0), ("sgd", "", 0.05), ("adam betas", "cosine", 0.5)]
)
"""(rule, schedule, clip)"""


def rate(name: str, schedule: str) -> float:
    """Large enough that a plateau comes, and so small that no oscillation multiplies the rounding."""
    return 0.5 if schedule.startswith("plateau") else 0.002 if name == "rmsprop momentum" else 0.02


def torch_run(name: str, schedule: str, clip: float) -> dict[str, Any]:
    """The losses before each update and the parameters at the end, by PyTorch in float64."""
    import torch

    torch.set_num_threads(1)  # more only wait for each other over so few numbers
    about = CASES[CASE]
    data = {key: torch.tensor(value, dtype=torch.float64) for key, value in columns(about["data"]).items()}
    params = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in about["params"].items()}
    _, rule, arguments = RULES[name]
    descent = getattr(torch.optim, rule)(list(params.values()), lr=rate(name, schedule), **arguments)
    plan = SCHEDULES[schedule](torch.optim, descent) if schedule else None
    losses = []
    for _ in range(EPOCHS):
        value = loss(torch, CASE, data, params)
        descent.zero_grad()
        value.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(list(params.values()), clip)
        descent.step()
        if plan is not None:
            plan.step(*([value.item()] if schedule.startswith("plateau") else []))
        losses.append(value.item())
    return {"losses": losses, "params": {key: value.detach().tolist() for key, value in params.items()}}


if __name__ == "__main__":
    recorded = {}
    for run in RUNS:
        found = torch_run(*run)
        recorded[" / ".join(map(str, run))] = {"losses": [found["losses"][k] for k in SHOWN], "params": found["params"]}
    RECORDED.write_text(json.dumps(recorded, indent=1) + "\n")
