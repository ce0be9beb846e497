"""The same trainings in PyTorch: what `trajectories.json` records, and what it is compared with where torch is.

Record anew with `python -m tests.support.trajectories` in an environment that has torch (recorded with 2.13.0, float64, CPU).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from tests.support.paths import EXAMPLES

RECORDED = Path(__file__).with_suffix(".json")
EPOCHS = 1000
SHOWN = [0, 1, 9, 99, 999]

XOR = {
    "W1": [[0.5, -0.4, 0.9, 0.1], [-0.7, 0.3, 0.8, -0.2]],
    "b1": [0.0, 0.1, -0.1, 0.0],
    "w2": [0.6, -0.9, 0.2, 0.4],
    "b2": 0.0,
}
SOFTMAX = {"W": [[0.1, -0.2, 0.0], [0.0, 0.1, -0.1], [0.2, 0.0, 0.1], [-0.1, 0.1, 0.0]], "b": [0.0, 0.0, 0.0]}

CASES: dict[str, dict[str, Any]] = {
    "neuron": {"example": "placements", "data": "placements", "params": {"w": 0.0, "b": 0.0}, "lr": 0.05},
    "xor": {"example": "xor", "data": "xor", "params": XOR, "lr": 0.1},
    "softmax": {"example": "softmax", "data": "iris", "params": SOFTMAX, "lr": 0.02},
}
OPTIMIZERS = ["sgd", "momentum", "adam"]


def columns(name: str) -> dict[str, list[float]]:
    with (EXAMPLES / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {key: [float(row[key]) for row in rows] for key in rows[0]}


def torch_run(case: str, optimizer: str) -> dict[str, Any]:
    """The losses before each update and the parameters at the end, by PyTorch in float64."""
    import torch

    torch.set_num_threads(1)  # more only wait for each other over so few numbers
    about = CASES[case]
    data = {key: torch.tensor(value, dtype=torch.float64) for key, value in columns(about["data"]).items()}
    params = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in about["params"].items()}
    make: Any = {
        "sgd": lambda p: torch.optim.SGD(p, lr=about["lr"]),
        "momentum": lambda p: torch.optim.SGD(p, lr=about["lr"], momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=about["lr"]),
    }[optimizer]
    descent = make(list(params.values()))
    losses = []
    for _ in range(EPOCHS):
        value = loss(torch, case, data, params)
        descent.zero_grad()
        value.backward()
        descent.step()
        losses.append(value.item())
    return {"losses": losses, "params": {name: value.detach().tolist() for name, value in params.items()}}


def loss(torch: Any, case: str, data: Any, p: Any) -> Any:
    """The loss of a case over its rows."""
    if case == "neuron":
        prediction = torch.sigmoid(p["w"] * data["cgpa"] + p["b"])
        return torch.nn.functional.binary_cross_entropy(prediction, data["placed"])
    if case == "xor":
        hidden = torch.tanh(torch.stack([data["a"], data["b"]], 1) @ p["W1"] + p["b1"])
        return torch.nn.functional.binary_cross_entropy(torch.sigmoid(hidden @ p["w2"] + p["b2"]), data["y"])
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    scores = torch.stack([data[name] for name in names], 1) @ p["W"] + p["b"]
    return torch.nn.functional.cross_entropy(scores, data["species"].long())


if __name__ == "__main__":
    recorded = {}
    for case in CASES:
        for optimizer in OPTIMIZERS:
            run = torch_run(case, optimizer)
            recorded[f"{case} {optimizer}"] = {
                "losses": [run["losses"][k] for k in SHOWN],
                "params": run["params"],
            }
    RECORDED.write_text(json.dumps(recorded, indent=1) + "\n")
