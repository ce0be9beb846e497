"""What can be typed ends in an answer or in a sentence, never in a bug of this tool: one test for each kind that did."""

from __future__ import annotations

import json
import random

import pytest

from autodiff.core import rules
from tests.support.command import autodiff


@pytest.mark.parametrize("text", ["1/x", "-1/x", "1/x^2", "y/x", "x^(-1.5)"])
def test_a_slope_beyond_float64_is_reported_for_a_drawing(text: str) -> None:
    ended = autodiff("graph", text, "--at", "x=1e-200,y=1" if "y" in text else "x=1e-200", "--format", "json")
    assert (ended.status, "overflow" in ended.err) == (3, True)
    json.loads(ended.out or "{}", parse_constant=pytest.fail)


def test_a_local_slope_beyond_float64_is_null_in_a_drawing() -> None:
    ended = autodiff("graph", "sqrt(1/x)", "--at", "x=1e-200", "--format", "json")
    assert (ended.status, ended.err) == (0, "")
    assert [arrow["value"] for arrow in json.loads(ended.out, parse_constant=pytest.fail)["arrows"]] == [None, 5e-101]


Z = "z=[1,2],y=[[1,2],[3,4]]"


@pytest.mark.parametrize(
    ("program", "at", "value", "slopes"),
    [
        ("sum(if(z>1,y,2))", Z, "10", {"z": [0, 0], "y": [[0, 1], [0, 1]]}),
        ("sum(if(z>1,2,y))", Z, "8", {"z": [0, 0], "y": [[1, 0], [1, 0]]}),
        ("sum(if(z>1,ln(y),if(y>2,y,1)))", "z=[[2],[0]],y=[1,3]", f"{1.0986122886681098 + 4}", None),
        ("sum(if(z>1,y,if(x>1.5,x,1)))", "z=[[2],[1]],y=[1,2,3],x=[1,2,3]", "12", {"y": [1, 1, 1], "x": [0, 1, 1]}),
        ("sum(if(2>1,y,if(z>1,x,1)))", "z=[2],y=[[1],[2]],x=[[1,2],[3,4]]", "3", {"y": [[1], [1]]}),
        ("sum(leaky_relu(if(2>1,0*x,y))) + 0*sum(y)", "x=2,y=[[0.5,1]]", "0", {"x": 0, "y": [[0, 0]]}),
        ("sum(if(1>2,x,y) + if(z>1,y,1))", "z=[2,0],y=[[1],[2]],x=[1,2,3]", None, {"x": [0, 0, 0]}),
    ],
)
def test_a_condition_may_have_fewer_elements_than_a_branch(
    program: str, at: str, value: str | None, slopes: dict[str, object] | None
) -> None:
    ended = autodiff("eval", program, "--at", at, "--format", "json")
    assert ended.status == 0, ended.err
    found = json.loads(ended.out)
    assert value is None or found["value"] == pytest.approx(float(value))
    assert (slopes or {}).items() <= found["gradient"].items()


def test_shapes_are_checked_before_the_domain() -> None:
    rows = [row for row in rules.rows() if row.name != "gather"]  # whose places may have any shape
    limited = [row for row in rows if row.arity == 2 and row.domain and row.names[0].isidentifier()]
    assert len(limited) > 5
    for row in limited:
        ended = autodiff("eval", f"{row.names[0]}(x, y)", "--at", "x=[1,2,3],y=[1,2]")
        assert ended.status == 2, (row.names, ended)
        assert "shape" in ended.err or "whole number" in ended.err or "constant" in ended.err, (row.names, ended)


@pytest.mark.parametrize("number", ["1e-7", "1e30", "2.5e-9", "-1e-7", "pi", "-pi", "7"])
@pytest.mark.parametrize("program", ["{}^x", "x^{}", "({})^(x^2)", "x*{}", "{}/x", "({})^(x^{})", "sin(({})^x)^2"])
def test_every_number_is_written_in_every_formula(number: str, program: str) -> None:
    for form in ("html", "latex", "markdown"):
        ended = autodiff("explain", program.format(number, number), "--format", form)
        assert (ended.status, ended.err) == (0, "")
    assert "}^{x}" not in autodiff("diff", program.format(number, number), "--format", "latex").out


@pytest.mark.parametrize("program", ["csch(y*2e160)", "y*1e200", "y/1e-200", "1e200*y + y", "2^(1e3*y)", "(1e160*y)^2", "sinh(y*700)"])  # fmt: skip
@pytest.mark.parametrize("answer", ["1", "y", "1e200", "2e160*y"])
def test_a_mistaken_rule_may_leave_the_range_of_numbers(program: str, answer: str) -> None:
    ended = autodiff("check", program, answer, "--wrt", "y", "--format", "json")
    assert ended.status in (0, 1, 3), ended.err
    json.loads(ended.out, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("x[1/0]", "1/0 has no value"),
        ("x*sum(zeros(2, ln(-1)))", "ln(-1) has no value"),
        ("x*sum([1, 2], sqrt(-2))", "sqrt(-2) has no value"),
        ("x*sum(expand_dims([1, 2], exp(1e4)))", "exp(1e4) overflows"),
        ("x*ones(gamma(1e300))", "gamma(1e300) overflows"),
        ("x[0*(1/0)]", "1/0 has no value"),
    ],
)
def test_an_index_without_a_value_is_reported(program: str, message: str) -> None:
    for command in (
        ["diff"],
        ["explain"],
        ["export", "--to", "python"],
        ["graph"],
        ["check", "1"],
        ["eval", "--at", "x=1"],
    ):
        ended = autodiff(command[0], program, *command[1:])
        assert (ended.status, message in ended.err) == (2, True), (command, ended)


@pytest.mark.parametrize("call", ["matmul_left({}, {})", "matmul_right({}, {})", "scatter({}, {}, 0)", "dot({}, {})", "{} @ {}"])  # fmt: skip
def test_arrays_of_wrong_shapes_are_rejected(call: str) -> None:
    arrays = ["2", "x", "[1, 2]", "[1, 2, 3]", "[[1, 2], [3, 4]]", "[[1], [2]]", "[[[1, 2]]]"]
    for first in arrays:
        for second in arrays:
            for options in ([], ["--jacobian"]):
                ended = autodiff("eval", f"sum({call.format(first, second)}) + x", "--at", "x=1", *options)
                assert ended.status in (0, 2), (call.format(first, second), ended)


@pytest.mark.parametrize(
    "call", ["polygamma(x, y)", "polygamma(x + 1, 2)*y", "spherical_jn(x, y)", "y + polygamma(x, 3)^2"]
)
@pytest.mark.parametrize("options", ["--hessian", "--order 2", "--order 3", "--mode both", "--jvp x=1"])
def test_an_argument_without_a_derivative_has_none_of_any_order(call: str, options: str) -> None:
    words = ["--wrt", "x"] if "order" in options else []
    at = "x=1,y=2"
    ended = autodiff("eval", call, "--at", at, *options.split(), *words, "--format", "json")
    assert ended.status == 3, ended.err
    json.loads(ended.out, parse_constant=pytest.fail)


@pytest.mark.parametrize("command", ["diff", "explain", "graph", "export --to c", "check x"])
def test_an_array_too_large_to_be_scalarized_is_rejected(command: str) -> None:
    first, *more = command.split()
    ended = autodiff(first, "x + sum(ones(20000000))", *more)
    assert (ended.status, ended.err.splitlines()[0].startswith("error: ")) == (2, True)


def test_random_arrays_end_in_an_answer_or_a_message() -> None:
    chance, names = random.Random(7), ["x", "y", "2", "1e-7", "1e300", "0"]
    functions = [row for row in rules.rows() if row.names[0].isidentifier()]

    def text(depth: int) -> str:
        if not depth or chance.random() < 0.15:
            return chance.choice(names)
        if chance.random() < 0.4:
            return f"({text(depth - 1)}{chance.choice('+-*/^')}{text(depth - 1)})"
        if chance.random() < 0.4:
            return f"if({text(depth - 1)}>{text(depth - 1)},{text(depth - 1)},{text(depth - 1)})"
        row = chance.choice(functions)
        return f"{row.names[0]}({','.join(text(depth - 1) for _ in range(2 if row.variadic else row.arity))})"

    points = ["x=[1,2],y=[[1,2],[3,4]]", "x=[[1],[2]],y=[-1,0,3]", "x=[1e200],y=[0,1e-200]", "x=2,y=[[0.5]]"]
    for _ in range(400):
        program = f"{text(3)} + 0*sum(x) + 0*sum(y)"
        ended = autodiff("eval", program, "--at", chance.choice(points))
        assert ended.status in (0, 2, 3), (program, ended)


@pytest.mark.parametrize(
    "words",
    [
        ("graph", "u = (-(-(-x))); x + u", "--at", "x=1e308"),
        ("explain", "u = tanh(x); y + u", "--at", "x=0,y=1e308"),
        ("explain", "x*1e300", "--at", "x=1e8"),
        ("explain", "(-1.5)*x", "--at", "x=-1.7e308"),
    ],
)
def test_steps_that_leave_the_range_are_not_taken(words: tuple[str, ...]) -> None:
    ended = autodiff(*words)
    assert ended.status in (0, 3)
    assert "inf" not in ended.out.split()


@pytest.mark.parametrize("program", ["Ci(x)", "Ei(x)", "mod(x, y)", "sqrt(x)/mod(x, y)", "x^2/y"])
def test_the_least_numbers_are_explained(program: str) -> None:
    at = "x=5e-324,y=5e-324" if "y" in program else "x=5e-324"
    assert autodiff("explain", program, "--at", at).status in (0, 3)
