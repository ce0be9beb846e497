"""One object for one program; records show themselves as text, HTML, LaTeX, Markdown and pictures."""

from __future__ import annotations

import math
import pickle
from html.parser import HTMLParser
from typing import Any

import pytest

import autodiff
from autodiff.display import svg, text

TEXT = "y = x^2; sin(y)*b"
POINT = {"x": 1.5, "b": 2.0}


def test_a_program_says_what_the_functions_say() -> None:
    program = autodiff.Program(TEXT)
    answer = autodiff.evaluate(TEXT, POINT)
    assert program.inputs == ("x", "b")
    assert program(**POINT) == program(POINT) == answer.value
    assert program.gradient(**POINT) == answer.gradient
    assert program.evaluate(POINT) == answer
    assert program.explain(**POINT) == autodiff.explain(TEXT, POINT)
    assert program.explain().at is None
    assert str(program.derivative("x")) == str(autodiff.derivative(TEXT, "x"))
    assert program.hessian(**POINT) == autodiff.hessian(TEXT, POINT)
    assert program.jvp(POINT, {"x": 1.0}) == autodiff.jvp(TEXT, POINT, {"x": 1.0})
    assert program.vjp(POINT, {"f": 2.0}) == autodiff.vjp(TEXT, POINT, {"f": 2.0})
    assert program.compile()(**POINT)[0] == pytest.approx(answer.value)
    assert program.check("2*x*b*cos(x^2)", "x").verdict == "yes"
    assert "sin" in program.export("c")


def test_a_program_pickles_as_its_text_and_compares_by_it() -> None:
    program = autodiff.Program(TEXT)
    assert pickle.loads(pickle.dumps(program)) == program == autodiff.Program(TEXT)
    assert len(pickle.dumps(program)) < 120
    assert program != autodiff.Program("x")
    assert len({program, autodiff.Program(TEXT)}) == 1
    assert eval(repr(program), {"Program": autodiff.Program}) == program


def test_a_mistake_is_found_when_the_program_is_made() -> None:
    with pytest.raises(autodiff.AutodiffError):
        autodiff.Program("sin(")
    with pytest.raises(autodiff.AutodiffError, match="one or two ranges"):
        autodiff.Program("x*y*z").plot(x=(0, 1), y=(0, 1), z=(0, 1))


def test_an_export_needs_the_name_of_a_target() -> None:
    with pytest.raises(autodiff.AutodiffError, match="unknown target '5'"):
        autodiff.Program(TEXT).export(5)  # type: ignore[arg-type]


def _tables() -> dict[str, Any]:
    pandas, polars, arrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    columns = {"x": [1.0, 2.0, 3.0], "b": [2.0, 2.0, 2.0], "other": ["a", "b", "c"]}
    return {
        "pandas": pandas.DataFrame(columns),
        "polars": polars.DataFrame(columns),
        "arrow": arrow.table(columns),
        "mapping": columns,
    }


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "mapping"])
def test_compiled_functions_and_trainings_take_tables(kind: str) -> None:
    table = _tables()[kind]
    compiled = autodiff.compile(TEXT)
    value, gradient = compiled(table)
    expected, slopes = compiled(x=[1.0, 2.0, 3.0], b=2.0)
    assert value.tolist() == expected.tolist()
    assert {name: slope.tolist() for name, slope in gradient.items()} == {n: s.tolist() for n, s in slopes.items()}
    assert compiled(table, b=3.0)[0].tolist() == compiled(x=[1.0, 2.0, 3.0], b=3.0)[0].tolist()
    with pytest.raises(autodiff.AutodiffError, match="no column 'z'"):
        autodiff.compile("x*z")(table)
    with pytest.raises(autodiff.AutodiffError, match="holds no numbers"):
        autodiff.compile("other^2")(table)
    training = autodiff.Program("p = w*x; L = mse(b, p)").train(table, {"w": 0.0}, epochs=3)
    assert training.to_dict()["epochs"] == 3
    assert training.to_dict()["parameters"]["w"] != 0.0
    assert str(training).splitlines()[0] == "epochs  3"


def _records() -> dict[str, Any]:
    program = autodiff.Program(TEXT)
    return {
        "answer": program.evaluate(POINT),
        "no value": autodiff.evaluate("ln(x)", {"x": -1.0}),
        "explanation": program.explain(POINT),
        "derivative": program.derivative(),
        "matrix": program.hessian(POINT),
        "jvp": program.jvp(POINT, {"x": 1.0}),
        "drawing": program.explain(POINT).drawing,
        "training": program.train({}, {"x": 1.0, "b": 1.0}, epochs=2, lr=0.01),
        "plot": program.plot({"x": (-1, 1), "b": 2.0}),
        "surface": autodiff.Program("x*y").plot(x=(-1, 1), y=(-1, 1)),
    }


def test_records_show_themselves() -> None:
    for kind, record in _records().items():
        assert str(record) == text(record) or kind == "derivative"
        assert "object at 0x" not in str(record)
        for form in (record.to_html(), record.to_markdown()):
            assert form.strip()
        parser = HTMLParser()
        parser.feed(record.to_html())
        if kind not in ("plot", "surface"):
            assert record.to_latex().count("{") == record.to_latex().count("}")
        assert record.to_dict()
        shown = getattr(record, "_repr_html_", None) or record._repr_svg_
        assert shown().lstrip().startswith("<")
    assert "<svg" in svg(_records()["explanation"])


def test_what_a_record_shows_is_no_markup_of_the_user() -> None:
    answer = autodiff.evaluate("ln(x)", {"x": -1.0})
    assert "x &gt; 0" in answer.to_html()
    assert "domain: ln(x) needs x > 0" in str(answer)


def test_a_program_trains_on_whole_rows_only() -> None:
    """As the command does: a missing cell is no number, unless one says what to do with it."""
    program = autodiff.Program("mse(y, w*x)")
    table = {"x": [1, 2, 3], "y": [2, math.nan, 4]}
    with pytest.raises(autodiff.AutodiffError, match="the column 'y' is missing in row 2"):
        program.train(table, {"w": 0.0})
    assert program.train(table, {"w": 0.0}, missing="drop").state.parameters["w"] == pytest.approx(1.4)
    assert program.train(table, {"w": 0.0}, missing="mean").state.parameters["w"] == pytest.approx(20 / 14)
    infinite, empty = {"x": [1, 2], "y": [math.inf, 1]}, {"x": [1], "y": [math.nan]}
    for rows, missing, message in (
        (table, "x", "error, drop or mean"),
        (infinite, "drop", "the column 'y' is infinite in row 1"),
        (empty, "drop", "every row of the table lacks a cell"),
    ):
        with pytest.raises(autodiff.AutodiffError, match=message):
            program.train(rows, {"w": 0.0}, missing=missing)


_LINE = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.5]}


def test_a_training_that_diverges_says_so_and_keeps_the_parameters_of_least_loss() -> None:
    training = autodiff.Program("mse(y, w*x)").train(_LINE, {"w": 0.0}, lr=1.0)
    shown = training.to_dict()
    assert (shown["ended"], shown["loss"], shown["parameters"]) == ("diverged", 20.75, {"w": 0.0})
    assert training.parameters == {"w": 0.0}
    assert "rose from 20.75" in shown["why"]
    assert "lr=0.1" in shown["hint"]
    assert "ended   diverged" in str(training)
    assert "object at 0x" not in repr(training)
    overflown = autodiff.Program("(w-1)^2").train({}, {"w": 0.0}, lr=1000.0, epochs=1000)
    assert (overflown.to_dict()["ended"], overflown.parameters) == ("diverged", {"w": 0.0})
    assert "overflows" in overflown.to_dict()["why"]
    assert autodiff.Program("(w^2-1)^2").train({}, {"w": 0.0}).to_dict()["ended"] == "flat"
    assert autodiff.Program("mse(y, w*x)").train(_LINE, {"w": 0.0}).to_dict()["ended"] == "converged"
    with pytest.raises(autodiff.AutodiffError, match="there is no loss to start from"):
        autodiff.Program("ln(w)").train({}, {"w": -1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1}, "lr is a number above 0"), ({"lr": 0}, "lr is a number"), ({"lr": "0.1"}, "lr is a number"),
        ({"epochs": 0}, "epochs is a whole number from 1"), ({"epochs": 1.5}, "epochs is a whole number"),
        ({"batch_size": -2}, "batch_size is a whole number from 0"), ({"seed": -1}, "seed is a whole number"),
        ({"optimizer": "foo"}, "unknown optimizer 'foo'"), ({"optimizer": ["sgd"]}, "unknown optimizer"),
        ({"params": "w=0"}, "params are the start"), ({"params": {"w": "0"}}, "must be a number"),
        ({"table": {"x": [1.0, 2.0], "y": [1.0]}}, "columns are equally long, and these are not: x 2, y 1"),
        ({"table": {"x": [], "y": []}}, "the table has no rows"), ({"table": {"x": 1.0, "y": 2.0}}, "is one number"),
    ],
)  # fmt: skip
def test_arguments_of_a_training_are_judged(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"table": _LINE, "params": {"w": 0.0}} | options
    with pytest.raises(autodiff.AutodiffError, match=message):
        autodiff.Program("mse(y, w*x)").train(given.pop("table"), given.pop("params"), **given)


def test_a_program_trains_on_texts_as_the_command_does() -> None:
    table = {"y": [1.0, 2.0, 3.0], "c": ["b", "a", "b"], "x": [1.0, 2.0, 4.0]}
    training = autodiff.Program("mse(y, U[c])").train(table, {"U": [0.0, 0.0]}, epochs=1000)
    assert training.parameters["U"] == pytest.approx([2.0, 2.0])
    assert training.kept.codes == {"c": ["a", "b"]}
    program = autodiff.Program("mse(y, one_hot(c) @ U + w*standardise(x))")
    assert program.train(table, {"U": [0.0, 0.0], "w": 0.0}, epochs=1000).to_dict()["loss"] < 1e-10
    lacking = table | {"c": ["b", None, "b"]}
    for missing, message in (("error", "'c' is missing in row 2"), ("mean", "texts have no mean")):
        with pytest.raises(autodiff.AutodiffError, match=message):
            program.train(lacking, {"U": [0.0, 0.0], "w": 0.0}, missing=missing)
    assert program.train(lacking, {"U": [0.0], "w": 0.0}, missing="drop").rows == 2


def test_what_has_no_gradient_and_what_is_no_point_are_errors() -> None:
    program = autodiff.Program("sin(x^2)")
    with pytest.raises(autodiff.AutodiffError, match="f is an array, and a gradient is of a number"):
        program.gradient(x=[1, 2])
    with pytest.raises(autodiff.AutodiffError, match="a point is a value for each name"):
        program(4.0)  # type: ignore[arg-type]
    with pytest.raises(autodiff.AutodiffError, match="beyond the range of float64"):
        program(x=10**400)
    with pytest.raises(autodiff.AutodiffError, match="must be real numbers, not texts"):
        program.compile()(x=["a"])


def test_verdicts_fits_and_compiled_programs_show_themselves() -> None:
    verdict = autodiff.Program("sin(x^2)").check("cos(x^2)")
    assert str(verdict).splitlines()[0].split() == ["no", "at", "x", "=", "1:"]
    assert "inner derivative" in verdict.to_html()
    assert "| no |" in verdict.to_markdown()
    data = {"x": [0, 1, 2, 3], "y": [1, 3, 5, 7.1]}
    fit = autodiff.fit("a + b*x", data, y="y", start={"a": 0.0, "b": 0.0})
    assert str(fit).splitlines()[:2] == ["a  0.9800 ± 0.0324  (3.3 %)", "b  2.0300 ± 0.0173  (0.85 %)"]
    assert r"b &= 2.0300 \pm 0.0173" in fit.to_latex()
    assert "<th>a</th><td>0.9800 ± 0.0324</td>" in fit._repr_html_()
    assert repr(autodiff.compile("ln(x)*y")) == "<compiled 'ln(x)*y' by x, y>"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": (1,)}, "range of 'x' needs two ends"),
        ({"x": ("a", "b")}, "value of 'x' must be a number, not 'a'"),
        ({"x": [-2, 2]}, "'x' is an array"),
        ({"x": (0, 1), "a": "k"}, "value of 'a' must be a number"),
        ({"x": (0, 1), "a": float("nan")}, "value of 'a' must be a finite number"),
        ({"x": (0, 1), "a": 1, "order": 1.5}, "up to order 3 are drawn, not 1.5"),
        ({"x": (0, 1), "a": 1, "q": 2}, "'q' is not an input of this program"),
        ({"q": (0, 1), "a": 1, "x": 1}, "'q' is not an input of this program"),
    ],
)
def test_what_is_no_range_and_no_number_of_a_plot_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(autodiff.AutodiffError, match=message):
        autodiff.Program("a*x^2").plot(**given)  # type: ignore[arg-type]


def test_other_arguments_of_a_wrong_kind_are_named() -> None:
    program = autodiff.Program("mse(y, w*x)")
    with pytest.raises(autodiff.AutodiffError, match="lm looks at all rows in each step"):
        program.train({"x": [1.0], "y": [2.0]}, {"w": 0.0}, optimizer="lm", batch_size=2)
    with pytest.raises(autodiff.AutodiffError, match="missing is error, drop or mean, not 3"):
        program.train({"x": [1.0], "y": [2.0]}, {"w": 0.0}, missing=3)  # type: ignore[arg-type]
    with pytest.raises(autodiff.AutodiffError, match="lm looks at all rows in each step"):
        program.train({"x": [1.0], "y": [2.0]}, {"w": 0.0}, optimizer="lm", batch_size=2)
    with pytest.raises(autodiff.AutodiffError, match="unknown target '5'"):
        program.export(5)  # type: ignore[arg-type]
