"""A mistake in the arguments of the Python functions is an AutodiffError with a sentence, whatever was given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as package
from tests.support.command import autodiff

ODD: list[Any] = [
    None, 2.5, "2", 5, -1, 10**30, [3], [1], [None], [[]], "x,z", "q", "", b"x", object(), {"x": "a"}, {"x": None}, {1: 2}, True,
    np.array("x"), np.array([1.0, 2.0]), np.array(["x"]), 10**400, {None: None}, iter(["x"]), float("nan"), (), {"x": [1, "a"]}, 1 + 1j, {"x": 1j}, len, {"x": [[1], [1, 2]]},
]  # fmt: skip


def _of_program(method: str) -> Callable[..., Any]:
    """A method of a program, called with the text of the program as well."""

    def call(text: Any, *given: Any, **named: Any) -> Any:
        at = [named.pop("at")] if "at" in named else []
        return getattr(package.Program(text), method)(*at, **named)

    return call


CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "evaluate": (package.evaluate, {"at": {"x": 1.0}, "wrt": None, "mode": "reverse", "order": 1, "convention": "", "digits": 0}),
    "explain": (package.explain, {"at": {"x": 1.0}, "wrt": None, "mode": "reverse", "rate": None, "expand": (), "digits": 0}),
    "derivative": (package.derivative, {"wrt": None, "order": 1, "of": ()}),
    "compile": (package.compile, {"wrt": None}),
    "hessian": (package.hessian, {"at": {"x": 1.0}, "wrt": None, "digits": 0}),
    "jacobian": (package.jacobian, {"at": {"x": 1.0}, "wrt": None, "of": (), "digits": 0}),
    "jvp": (package.jvp, {"at": {"x": 1.0}, "direction": {"x": 1.0}, "of": (), "digits": 0}),
    "vjp": (package.vjp, {"at": {"x": 1.0}, "weights": {"u": 1.0}, "wrt": None, "digits": 0}),
    "parse": (package.parse, {"given": (), "wrt": None, "functions": ()}),
    "Program.plot": (_of_program("plot"), {"at": {"x": (0.0, 1.0)}}),
    "Program.export": (_of_program("export"), {"to": "c", "wrt": None}),
    "Program.check": (_of_program("check"), {"answer": "2x", "wrt": None}),
    "Program.train": (
        _of_program("train"),
        {"table": {"a": [1.0]}, "params": {"x": 1.0}, "lr": 0.1, "optimizer": "sgd", "batch_size": 0, "missing": "error"},
    ),
    "fit": (
        package.fit,
        {
            "data": {"a": [0.0, 1.0], "u": [0.0, 1.0]}, "y": "u", "start": {"x": 1.0}, "sigma": None, "sigma_x": None, "bounds": None,
            "loss": "linear", "loss_scale": 1.0, "starts": 1, "level": 0.95, "steps": 5, "seed": 0,
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_no_argument_ends_in_an_error_of_python(name: str) -> None:
    call, usual = {**CALLS}[name]
    given = {"text": "u = x^2; u", **usual}
    call(**given)
    messages = []
    for argument in given:
        for wrong in ODD:
            try:
                call(**{**given, argument: wrong})
            except package.AutodiffError as error:
                messages.append(str(error))
    assert len(messages) >= len(ODD) // 2
    assert all(messages)


@pytest.mark.parametrize(
    ("call", "messages"),
    [
        (lambda: package.evaluate("x^2", {"x": 1}, order=2.5), "a whole number, 1 to 100, not 2.5"),  # type: ignore[arg-type]
        (lambda: package.evaluate("x^2", {"x": 1}, order="2"), "a whole number, 1 to 100, not '2'"),  # type: ignore[arg-type]
        (lambda: package.evaluate("x^2", {"x": 1}, wrt=5), "a name is a text, not 5"),  # type: ignore[arg-type]
        (lambda: package.evaluate("x^2", {"x": 1}, wrt=[1]), "a name is a text, not 1"),  # type: ignore[list-item]
        (lambda: package.evaluate(None), "a program is a text, not None"),  # type: ignore[arg-type]
        (lambda: package.compile(None), "a program is a text, not None"),  # type: ignore[arg-type]
        (lambda: package.evaluate("x^2", [3]), "a point is a value for each name, not [3]"),  # type: ignore[arg-type]
        (lambda: package.jvp("x^2", {"x": 1.0}, [1]), "a direction is a number for each name"),  # type: ignore[arg-type]
        (lambda: package.derivative("exp(x)", order=10**30), "a whole number, 1 to 1000"),
        (lambda: package.explain("x^2", {"x": 1.0}, rate="1"), "a learning rate is a finite number"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_the_message_names_what_was_expected(call: Callable[[], Any], messages: str) -> None:
    with pytest.raises(package.AutodiffError) as raised:
        call()
    assert messages in raised.value.message


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (package.evaluate, "x^2"), (package.explain, "x^2"), (package.derivative, "x^2"), (package.compile, "x^2"), (package.hessian, "x^2"),
        (package.jacobian, "x^2"), (package.jvp, "x^2"), (package.vjp, "x^2"), (package.parse, "x^2"), (package.Program, "x^2"), (package.fit, "x^2"),
    ],
)  # fmt: skip
def test_a_flag_is_true_or_false(call: Callable[..., Any], text: str) -> None:
    named = call.__init__ if isinstance(call, type) else call  # type: ignore[misc]
    flags = [name for name, usual in inspect.unwrap(named).__kwdefaults__.items() if isinstance(usual, bool)]
    assert "strict" in flags
    given = ({"x": [1.0]}, "x", {"x": 1.0}) if call is package.fit else ()
    for flag in flags:
        for wrong in (np.array([1, 2]), np.array([])):
            with pytest.raises(package.AutodiffError, match=f"'{flag}' is True or False, not array"):
                call(text, *given, **{flag: wrong})


def test_many_names_are_read_from_one_text() -> None:
    at = {"x": 2.0, "y": 3.0}
    assert list(package.evaluate("x*y", at, "y, x").gradient) == ["y", "x"]
    assert list(package.evaluate("x*y", at, "x").gradient) == ["x"]
    assert package.explain("x*y", at, "x,y").wrt == ("x", "y")
    assert package.explain("sum(A)", {"A": [[1.0, 2.0]]}, "A[0,1]").wrt == ("A[0, 1]",)
    assert [entry.wrt for entry in package.derivative("x*y", "x,y").entries] == [("x",), ("y",)]
    assert list(package.compile("x*y", "x,y").sources) == ["x", "y"]
    assert list(package.jacobian("u = x; v = y; u*v", at, of="u,v").rows) == ["u", "v"]


def test_the_next_step_is_one_of_python_or_of_the_command_line() -> None:
    with pytest.raises(package.AutodiffError) as raised:
        package.evaluate("x^2")
    assert raised.value.hint == 'give it one: {"x": VALUE}'
    assert "add --at x=VALUE" in autodiff("eval", "x^2").err
    with pytest.raises(package.AutodiffError) as raised:
        package.explain("x^2", mode="both")
    assert "--" not in raised.value.hint


def test_what_is_public_is_listed_once() -> None:
    listed = [name for name in dir(package) if not name.startswith("__")]
    assert listed == sorted(package.__all__)
