"""Each example program is run by its own command and reaches the numbers in its comments.

A file begins with comments: what it shows, `$ COMMAND`, and checks such as `check: loss < 0.1` or
`check: w[0] = 2.5 within 1e-6`, where a name is a parameter, `loss`, `held_out`, `value` or a watched expression.
"""

from __future__ import annotations

import json
import operator
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.command import autodiff
from tests.support.paths import EXAMPLES

FILES = sorted(EXAMPLES.glob("*.ad"))
CHECK = re.compile(r"^# check: (.+?) (=|<|>) (\S+)(?: within (\S+))?$", re.MULTILINE)


def _reached(data: dict[str, Any], name: str) -> float:
    """The number that a check is about."""
    history = data.get("history", {})
    params = data.get("params", {})
    found = re.fullmatch(r"(\w+)\[([\d, ]+)\]", name)
    if name in params:
        return float(params[name])
    if found and found[1] in params:
        return float(np.array(params[found[1]])[tuple(int(i) for i in found[2].split(","))])
    return float(history[name][-1] if name != "loss" and name in history else data[name])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_example(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    text = file.read_text(encoding="utf-8")
    command = re.search(r"^# \$ autodiff (.*)$", text, re.MULTILINE)
    assert command
    args = shlex.split(command[1])
    assert file.name in args
    ended = autodiff(*args, "--format", "json")
    assert (ended.status, ended.err) == (0, "")
    data = json.loads(ended.out)
    checks = CHECK.findall(text)
    assert len(checks) == text.count("# check:") > 0
    for name, relation, value, within in checks:
        reached = _reached(data, name)
        if relation == "=":
            assert abs(reached - float(value)) <= float(within), (name, reached)
        else:
            assert {"<": operator.lt, ">": operator.gt}[relation](reached, float(value)), (name, reached)


def test_every_model_of_the_notes_has_an_example() -> None:
    names = {file.stem for file in FILES}
    assert names >= {"placements", "linear", "ridge", "huber", "logistic", "svm", "softmax", "iris", "xor", "kmeans", "adaboost", "gini", "gain"}  # fmt: skip
