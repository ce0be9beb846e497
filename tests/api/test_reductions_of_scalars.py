"""Without shapes every name is a scalar; a sum or a mean of a scalar is the scalar, and a note reports it.

The losses of the prelude are meant for one row as well: about what happens inside them nothing is said.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import autodiff as package
from autodiff.api.elementwise_view import numbers_of
from autodiff.api.reduction_notes import note
from autodiff.codegen.registry import TARGETS
from autodiff.grading.compare import compare
from tests.support.command import autodiff
from tests.support.export import export

SAID = "x is taken as one number: mean(x^2) is x^2"

NOTES = {
    "mean(x^2)": SAID,
    "softmax(x)*y": "x is taken as one number: softmax(x) is 1",
    "norm(x - 1)": "x is taken as one number: norm(x - 1) is abs(x - 1)",
    "dot(x + 1, y)": "x and y are each taken as one number: dot(x + 1, y) is y*(x + 1)",
    "sum(x, -1)": "x is taken as one number: sum(x, -1) is x",
    "p = w*x; L = mean((y - p)^2)": "w, x and y are each taken as one number: mean((y - p)^2) is (y - p)^2",
    "q(v) = sum(v^2); q(x + 1)": "x is taken as one number: sum(v^2) is (x + 1)^2",
    "mse(y, mean(x))": "x is taken as one number: mean(x) is x",
    "var(x) + std(y) + max(x) + numel(x)": (
        "x and y are each taken as one number: var(x) is 0, std(y) is 0, max(x) is x, and 1 more are alike"
    ),
    "mean(" + "sin(" * 80 + "x" + ")" * 81: (
        "x is taken as one number: mean(sin(sin(sin(sin(sin(s…))))))))))))) is that of one number"
    ),
    "mean(x^2 + y^2) + 0*mean(x^2 + y^2)": "x and y are each taken as one number: mean(x^2 + y^2) is x^2 + y^2",
}
"""Programs whose reductions are of a name's number."""

SILENT = [
    "exp(sin(x^2))", "p = w*x; mse(y, p)", "bce(y, sigmoid(w*x + b)) + 0.1*l2(w)", "cross_entropy(y, p)", "rmse(y, p) + gini(p)",
    "sum([x, y]^2)", "mean([x, 2*x]) + norm([x, 1])", "sum(3)*x", "max(x, y)", "x*mean([1, 2])", "bce ( y, p )",
]  # fmt: skip
"""Programs in which nothing is reduced but arrays, constants, and what a loss takes as one row."""


@pytest.mark.parametrize(("text", "message"), NOTES.items())
def test_a_reduction_of_a_scalar_has_a_note(text: str, message: str) -> None:
    assert note(numbers_of(package.parse(text))) == message
    assert message in package.derivative(text, "x").notes
    assert package.explain(text).notes == (message,)
    assert package.compile(text).notes == (f"in each row, {message}",)
    with pytest.raises(package.AutodiffError, match="every name is taken as one number, and then"):
        compare(text, "0", "x")


@pytest.mark.parametrize("text", SILENT)
def test_losses_and_scalarized_arrays_have_no_note(text: str) -> None:
    name = numbers_of(package.parse(text)).lowered.inputs[0]
    assert note(numbers_of(package.parse(text))) == ""
    assert not any("one number" in words for words in package.derivative(text, name).notes)
    assert package.compile(text).notes == ()
    assert "one number" not in export(text, "numpy")
    assert autodiff("diff", text, "--format", "json").err == ""
    assert compare(text, str(package.derivative(text, name)), name).verdict == "yes"


def test_every_command_has_the_note() -> None:
    ended = autodiff("diff", "mean(x^2)")
    assert (ended.status, ended.out, ended.err) == (0, "2*x\n", f"note: {SAID}\n")
    assert SAID in json.loads(autodiff("diff", "mean(x^2)", "--format", "json").out)["notes"]
    for command in ("explain", "graph"):
        ended = autodiff(command, "mean(x^2)")
        assert (ended.status, ended.err) == (0, f"notice: {SAID}\n")
        assert autodiff(command, "mean(x^2)", "--at", "x=3").err == ""  # who gives a number has one
    ended = autodiff("check", "mean(x^2)", "2x")
    assert (ended.status, ended.out) == (2, "")
    assert "every name is taken as one number, and then mean(x^2) is x^2" in ended.err
    assert "\n    mean(x^2)\n    ^^^^^^^^^\n" in ended.err
    assert autodiff("check", "p = w*x; mse(y, p)", "2*(p - y)*x", "--wrt", "w").status == 0
    assert autodiff("check", "x^2", "sum(2x)").status == 0


@pytest.mark.parametrize("target", TARGETS)
def test_exported_source_has_the_note_in_its_comment(target: str) -> None:
    ended = autodiff("export", "mean(x^2)", "--to", target)
    assert (ended.status, ended.err) == (0, f"notice: {SAID}\n")
    assert f"Here {SAID}." in ended.out
    assert "one number" not in autodiff("export", "mse(y, p)", "--to", target).out


def test_rows_without_a_batch_form_are_evaluated_one_by_one_with_a_note(tmp_path: Path) -> None:
    found = package.compile("sum(x^2)")
    value, gradient = found(x=np.array([1.0, 2.0]))
    assert value.tolist() == [1, 4]
    assert gradient["x"].tolist() == [2, 4]
    assert found.notes == ("in each row, x is taken as one number: sum(x^2) is x^2",)
    assert package.evaluate("sum(x^2)", {"x": [1.0, 2.0]}).value == 5
    table = tmp_path / "t.csv"
    table.write_text("x\n1\n2\n")
    ended = autodiff("eval", "sum(x^2)", "--data", str(table))
    assert (ended.status, ended.out) == (0, "f,df/dx,status\n1,2,ok\n4,4,ok\n")
    assert ended.err == "notice: in each row, x is taken as one number: sum(x^2) is x^2\n"
    assert autodiff("eval", "mse(x, 3)", "--data", str(table)).err == ""


def test_a_deep_program_with_a_reduction_has_the_note_as_well() -> None:
    text = "y = x\n" + "".join(f"y{k} = sin({f'y{k - 1}' if k else 'y'})\n" for k in range(20_000)) + "sum(y19999)"
    assert note(numbers_of(package.parse(text))) == "x is taken as one number: sum(y19999) is y19999"
