"""Predictions: those of the trained program, row by row, without its target column; rows that can't be told apart are named."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff.train import prediction
from tests.support.command import autodiff
from tests.support.paths import EXAMPLES

NETWORK = "X = transpose([a, b]); H = tanh(X @ W1 + b1); P = softmax(H @ W2); L = cross_entropy(Y, P)"


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_trained_network_predicts_a_table_without_the_target(tmp_path: Path) -> None:
    params, features = tmp_path / "params.json", tmp_path / "new.csv"
    trained = autodiff(
        "train", "-f", str(EXAMPLES / "iris.ad"), "--data", str(EXAMPLES / "iris.csv"), "--epochs", "30", "-q",
        "--params", "W1=0.5*normal(4,8),b1=zeros(8),W2=0.5*normal(8,3),b2=zeros(3)", "--save", str(params),
    )  # fmt: skip
    assert trained.status == 0
    with (EXAMPLES / "iris.csv").open() as file:
        table = list(csv.DictReader(file))
    features.write_text("".join(",".join(list(row)[:4]) + "\n" for row in table[:1]))
    with features.open("a") as file:
        file.writelines(",".join(list(row.values())[:4]) + "\n" for row in table)
    ended = autodiff(
        "predict", "-f", str(EXAMPLES / "iris.ad"), "--of", "P, species = argmax(P, -1)",
        "--data", str(features), "--at", f"@{params}",
    )  # fmt: skip
    assert (ended.status, ended.err) == (0, "")
    p = {k: np.array(v) for k, v in json.loads(params.read_text()).items() if not k.startswith("#")}
    x = np.array([[float(v) for v in list(row.values())[:4]] for row in table])
    scores = np.exp(np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])
    wanted = scores / scores.sum(axis=1, keepdims=True)
    rows = _rows(ended.out)
    assert list(rows[0]) == ["P[0]", "P[1]", "P[2]", "species", "status"]
    assert [[float(row[f"P[{k}]"]) for k in range(3)] for row in rows] == pytest.approx(wanted, rel=1e-13)
    assert [float(row["species"]) for row in rows] == wanted.argmax(axis=1).tolist()


def test_blocks_give_what_one_row_at_a_time_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "BLOCK", 7)
    chance = np.random.default_rng(1)
    parameters = {"W1": chance.normal(size=(2, 3)), "b1": chance.normal(size=3), "W2": chance.normal(size=(3, 2))}
    columns = {name: chance.normal(size=40) for name in "ab"}
    outputs = prediction.Outputs(NETWORK, ["P", "H"], parameters, ["a", "b"])
    assert outputs.inputs == ["a", "b"]
    assert outputs.names == ["P[0]", "P[1]", "H[0]", "H[1]", "H[2]"]
    whole, statuses = outputs.of_rows(columns, 40)
    assert not statuses
    for row in range(40):
        alone, _ = outputs.of_rows({name: column[row : row + 1] for name, column in columns.items()}, 1)
        assert [float(whole[name][row]) for name in outputs.names] == pytest.approx(
            [float(alone[name][0]) for name in outputs.names], rel=1e-13
        )


def test_a_program_of_numbers_is_what_eval_gives(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x\n1\n-2\n\nfour\n0.5\n1e300\n")
    ended = autodiff(
        "predict", "p = exp(w)*log(x)*x^2; L = mse(y, p)", "--of", "p", "--data", str(table), "--at", "w=1"
    )
    rows = _rows(ended.out)
    by_eval = _rows(autodiff("eval", "p = exp(w)*log(x)*x^2", "--data", str(table), "--at", "w=1").out)
    assert [row["status"] for row in rows] == [row["status"] for row in by_eval]
    for row, other in zip(rows, by_eval, strict=True):
        assert (row["p"] == other["p"] == "") or float(row["p"]) == pytest.approx(float(other["p"]), rel=1e-12)
    assert ended.err == "note: 4 of 6 rows are not ok: 2 input (first in line 4), 1 domain (first in line 3), 1 overflow (first in line 7)\n"  # fmt: skip


def test_eval_takes_the_name_to_evaluate_in_each_row(tmp_path: Path) -> None:
    """The inputs of other statements need no column; parameters of them may be given."""
    table = tmp_path / "rows.csv"
    table.write_text("x\n1\n3\n")
    program = "f(t) = t + 1; u = w*x^2; z = f(u); v = y*q; L = z*v"
    ended = autodiff("eval", program, "--of", "z", "--data", str(table), "--at", "w=2,q=1", "--wrt", "x")
    assert (ended.out, ended.err) == ("z,dz/dx,status\n3,4,ok\n19,12,ok\n", "")
    ended = autodiff("eval", program, "--of", "zz", "--data", str(table), "--at", "w=2,q=1")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "error: --of zz: the program assigns no such name\n  its names are u, z, v, L\n"


@pytest.mark.parametrize(
    ("program", "mixes"),
    [
        ("p = w*(x - mean(x))", "mean(x)"),
        ("p = x/max(x)", "max(x)"),
        ("X = transpose([x, x]); G = transpose(X) @ X; p = X @ G", "transpose(X) @ X"),
        ("p = softmax(w*x)", "softmax(w*x)"),
        ("s = sum(x^2); p = if(x > 0, s, w)", "sum(x^2)"),
        ("p = x[0]*w", "x[0]"),
    ],
)
def test_what_mixes_rows_is_an_error_that_names_it(tmp_path: Path, program: str, mixes: str) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x\n1\n2\n")
    ended = autodiff("predict", program, "--of", "p", "--data", str(table), "--at", "w=1")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {mixes} is computed from several rows, so a row alone has no prediction\n")


def test_sums_within_a_row_are_no_mixing(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x,z\n1,2\n3,4\n")
    program = "X = transpose([x, z]); p = sum(X*w, 1) + mean(X, 1)"
    ended = autodiff("predict", program, "--of", "p", "--data", str(table), "--at", "w=[1,10]")
    assert ended.out == "p,status\n22.5,ok\n46.5,ok\n"


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_keep_and_out(tmp_path: Path, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    table, out = tmp_path / "rows.csv", tmp_path / f"out.{form}"
    table.write_text("id,x\nfirst,1\nsecond,\n")
    args = ["predict", "p = 2x", "--of", "p", "--data", str(table), "--keep"]
    ended = autodiff(*args, "--out", str(out))
    assert ended.status == 0
    again = autodiff("predict", "q = 3p", "--of", "q", "--data", str(out), "--to", "csv")
    assert again.out == "q,status\n6,ok\n,input\n"
    ended = autodiff("predict", "x = 2; p = x", "--of", "x=p", "--data", str(table), "--keep")
    assert (ended.status, ended.out) == (4, "")
    assert "column 'x' is what a result is called" in ended.err


def test_errors_say_where_and_what_next(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x\n1\n-1\n")
    base = ["predict", "p = sqrt(w*x); L = mse(y, p)", "--data", str(table)]
    for args, message in (
        (["--of", "p"], f"error: {table}, line 1: no column 'w', which the program needs\n  its columns are x; or give the value for all rows: --at w=VALUE\n"),
        (["--of", "q", "--at", "w=1"], "error: --of q: the program assigns no such name\n  its names are p, L\n"),
        (["--of", "p,p", "--at", "w=1"], "error: --of gives 'p' twice\n  call one of them something else: p2 = …\n"),
        (["--of", "p", "--at", "w=1,x=2"], "error: 'x' has a column and a value by --at\n  give one of them\n"),
        (["--of", "p", "--at", "w=1", "--out", str(table)], f"error: --data and --out are the same file, '{table}'\n"),
        (["--of", "p", "--at", "w=1", "--fail-fast"], f"error: {table}, line 3: sqrt(w*x) needs w*x >= 0, but at [0] w*x is -1\n"),
    ):  # fmt: skip
        ended = autodiff(*base, *args)
        assert ended.status in (2, 3, 4)
        assert ended.err.startswith(message), ended.err
    assert table.read_text() == "x\n1\n-1\n"


def test_an_empty_table_has_the_header_of_its_outputs(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x\n")
    ended = autodiff("predict", "p = expand_dims(x, 1)*w", "--of", "p", "--data", str(table), "--at", "w=[1,2]")
    assert ended.out == "p[0],p[1],status\n"


@pytest.mark.parametrize(
    "kept",
    [
        {"scales": {"standardise(x)": [1]}}, {"scales": {"standardise(x)": ["a", "b"]}}, {"classes": {"one_hot(x)": 1.5}},
        {"scales": {"standardise(x)": [[], []]}}, {"classes": {"one_hot(x)": 0}}, {"classes": {"one_hot(x)": 10**9}},
        {"codes": {"x": 5}}, {"columns": {"columns(*)": 4}}, {"means": {"x": "q"}}, {"other": {}},
    ],
)  # fmt: skip
def test_what_training_cannot_have_saved_is_an_error(kept: dict[str, Any], tmp_path: Path) -> None:
    table, saved = tmp_path / "new.csv", tmp_path / "p.json"
    table.write_text("x\n1\n")
    saved.write_text(json.dumps({"w": 1, "#training": {"kept": kept}}))
    ended = autodiff("predict", "p = standardise(x)*w", "--of", "p", "--data", str(table), "--at", f"@{saved}")
    assert (ended.status, "is not what training saved" in ended.err) == (4, True)


def test_a_prediction_is_not_called_as_its_status(tmp_path: Path) -> None:
    """Of two columns with one name, the prediction was lost."""
    table = tmp_path / "new.csv"
    table.write_text("x\n1\n")
    ended = autodiff("predict", "p = x", "--of", "status = p", "--data", str(table))
    assert (ended.status, "would be one column" in ended.err, ended.out) == (2, True, "")


def test_the_first_unknown_text_is_named_as_one(tmp_path: Path) -> None:
    table, saved = tmp_path / "new.csv", tmp_path / "p.json"
    table.write_text("k\na\nzzz\n")
    saved.write_text(json.dumps({"w": 1, "#training": {"kept": {"codes": {"k": ["a", "b"]}}}}))
    ended = autodiff("predict", "p = w*k", "--of", "p", "--data", str(table), "--at", f"@{saved}", "--fail-fast")
    assert (ended.status, ended.err) == (
        4,
        f"error: {table}, line 3, column 'k': 'zzz' is no text that the training had\n",
    )


def test_a_value_for_no_input_is_an_error(tmp_path: Path) -> None:
    """As of eval. Parameters in a file may be those of the loss alone."""
    table, saved = tmp_path / "new.csv", tmp_path / "p.json"
    table.write_text("x\n1\n")
    saved.write_text('{"w": 2, "b": 1}')
    args = ["predict", "p = w*x", "--of", "p", "--data", str(table)]
    assert autodiff(*args, "--at", f"@{saved}").out == "p,status\n2,ok\n"
    ended = autodiff(*args, "--at", "w=1,v=2")
    assert (ended.status, ended.out) == (2, "")
    assert "--at gives 'v', which is not an input of this program\n  its inputs are w, x" in ended.err


_CANCELLING = "x\n1e-9\n1e-12\n1e-7\n0.5\n800\n-1\n"


def _same_to_ten_digits(rows: list[dict[str, str]], others: list[dict[str, str]]) -> None:
    assert [row["status"] for row in rows] == [row["status"] for row in others]
    for row, other in zip(rows, others, strict=True):
        assert row["p"] == other["p"] == "" or float(row["p"]) == pytest.approx(float(other["p"]), rel=1e-10)


@pytest.mark.parametrize("expression", ["(1-cos(x))/x^2", "(exp(x)-1)/x", "exp(x)/exp(x-1)", "ln(1+x)/x"])
def test_rows_that_float64_is_not_enough_for_are_computed_again(expression: str, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(_CANCELLING)
    rows = _rows(autodiff("predict", f"p = {expression}; L = mse(y, p)", "--of", "p", "--data", str(table)).out)
    by_eval = _rows(autodiff("eval", f"p = {expression}", "--data", str(table)).out)
    _same_to_ten_digits(rows, by_eval)


@pytest.mark.parametrize("expression", ["(1-cos(u))/u^2", "(exp(u)-1)/u", "exp(u)/exp(u-1)", "ln(1+u)/u"])
def test_rows_of_arrays_are_computed_again_too(expression: str, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(_CANCELLING)
    program = f"u = transpose([x, 2x]) @ w; p = {expression}; q = 2u; L = mse(y, p)"
    ended = autodiff("predict", program, "--of", "p, q", "--data", str(table), "--at", "w=[3,-1]")
    by_eval = _rows(autodiff("eval", f"u = 3x - 2x; p = {expression}", "--data", str(table)).out)
    _same_to_ten_digits(_rows(ended.out), by_eval)


def test_a_row_that_only_random_rounding_takes_out_of_its_domain_has_its_value(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x\n1\n0\n-1\n")
    ended = autodiff(
        "predict", "u = transpose([x, x]) @ w; p = sqrt(u)", "--of", "p", "--data", str(table), "--at", "w=[0.3,-0.3]"
    )
    assert [(row["p"], row["status"]) for row in _rows(ended.out)] == [("0", "ok")] * 3


def test_parameters_of_several_files_keep_what_each_training_kept_of_its_rows(tmp_path: Path) -> None:
    table, saved, more = (tmp_path / name for name in ("rows.csv", "saved.json", "more.json"))
    table.write_text("x,y\n1,0\n2,1\n3,1\n")
    more.write_text('{"q": 2}')  # a whole number is one, too
    training = [
        "train",
        "p = standardise(x)*w; L = mse(y, p)",
        "--data",
        str(table),
        "--params",
        "w=1",
        "--save",
        str(saved),
    ]
    assert autodiff(*training, "-q").status == 0
    program = "p = q*standardise(x)*w"
    orders = ([saved, more], [more, saved])
    ended = [
        autodiff("predict", program, "--of", "p", "--data", str(table), *(f"--at=@{path}" for path in order))
        for order in orders
    ]
    assert [each_run.status for each_run in ended] == [0, 0], ended[0].err
    assert ended[0].out == ended[1].out


def test_a_doubtful_parameter_is_noted_once(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x\n1\n")
    ended = autodiff("predict", "p = w*x", "--of", "p", "--data", str(table), "--at", "w=1/2pi")
    assert ended.err == "notice: 1/2pi is read as (1/2)*pi\n"
