"""Columns as matrices, classes, scales, row indices, missing cells, dropout: the same numbers as written out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff import compile as compile_rows
from autodiff import evaluate
from autodiff.api.inputs import parse_point
from autodiff.tables.columns import NumericTable
from autodiff.train.loop import Hyperparameters, sampler
from autodiff.train.training import Training
from tests.support.command import autodiff
from tests.support.paths import EXAMPLES

CHANCE = np.random.default_rng(5)
COLUMNS: dict[str, Any] = {name: CHANCE.normal(size=30) for name in "abcd"} | {
    "y": CHANCE.normal(size=30),
    "k": CHANCE.integers(0, 4, 30).astype(float),
}
TABLE = NumericTable("t.csv", COLUMNS, range(2, 32))


def _trained(text: str, parameters: dict[str, Any], **options: Any) -> Training:
    plan = Hyperparameters(epochs=7, rate=0.05, batch=options.pop("batch", 0), seed=3)
    training = Training(text, TABLE, parameters, plan, **options)
    list(training.epochs())
    return training


@pytest.mark.parametrize("batch", [0, 8])
@pytest.mark.parametrize(
    ("declared", "by_hand", "parameters"),
    [
        ("X = columns(a..c)", "X = transpose([a, b, c])", {"W": np.ones(3)}),
        ("X = columns(* except y, k)", "X = transpose([a, b, c, d])", {"W": np.ones(4)}),
        ("X = columns(d, a)", "X = transpose([d, a])", {"W": np.ones(2)}),
        ("X = one_hot(k)", "X = transpose([k == 0, k == 1, k == 2, k == 3])", {"W": np.ones(4)}),
        ("X = one_hot(if(a > 0, 1, 0))", "X = transpose([a <= 0, a > 0])", {"W": np.ones(2)}),
    ],
)
def test_a_declaration_is_what_it_stands_for(
    declared: str, by_hand: str, parameters: dict[str, Any], batch: int
) -> None:
    loss = "; L = mse(y, X @ W)"
    found, wanted = (_trained(text + loss, parameters, batch=batch) for text in (declared, by_hand))
    assert found.state.parameters["W"] == pytest.approx(wanted.state.parameters["W"], rel=1e-12)


@pytest.mark.parametrize("holdout", [0.0, 0.3])
def test_standardise_takes_the_rows_trained_on(holdout: float) -> None:
    training = _trained("Z = standardise(columns(a, b)); s = standardise(c^2); L = mse(y, Z @ W + v*s)",
                        {"W": np.ones(2), "v": 0.5}, holdout=holdout)  # fmt: skip
    rows = training._kept
    matrix = np.stack([COLUMNS["a"], COLUMNS["b"]], 1)[rows]
    mean, deviation = training.kept.scales["standardise(columns(a,b))"]
    assert mean == pytest.approx(matrix.mean(0), rel=1e-14)
    assert deviation == pytest.approx(matrix.std(0), rel=1e-14)
    square = COLUMNS["c"][rows] ** 2
    weights = {"W": np.ones(2), "v": 0.5}
    z = (matrix - matrix.mean(0)) / matrix.std(0)
    loss = np.mean((COLUMNS["y"][rows] - z @ weights["W"] - 0.5 * (square - square.mean()) / square.std()) ** 2)
    assert training.measured(weights)[0] == pytest.approx(loss, rel=1e-13)


@pytest.mark.parametrize("rows", [[7.0] * 4, [0.1] * 11, [1e9 + 0.1] * 11, [123456.789] * 11, [-0.1] * 11])
def test_a_constant_column_is_standardised_to_zero(rows: list[float]) -> None:
    table = NumericTable("t", {"x": np.array(rows), "y": np.arange(float(len(rows)))}, range(len(rows)))
    training = Training("L = mse(y, w*standardise(x))", table, {"w": 1.0}, Hyperparameters())
    assert training.measured({"w": 1.0})[0] == pytest.approx(np.mean(table.columns["y"] ** 2))
    assert training.kept.scales["standardise(x)"] == [rows[0], 1]


def test_a_column_that_varies_by_rounding_alone_is_constant() -> None:
    table = NumericTable("t", {"x": np.array([0.3, 0.1 + 0.2, 0.3]), "y": np.arange(3.0)}, range(3))
    training = Training("L = mse(y, w*standardise(x))", table, {"w": 1.0}, Hyperparameters())
    assert training.kept.scales["standardise(x)"][1] == 1


@pytest.mark.parametrize("batch", [0, 8])
def test_a_row_index_is_a_row_of_the_parameter_and_scatters_its_slope(batch: int) -> None:
    start = CHANCE.normal(size=(5, 2))
    training = _trained("p = sum(U[k]*transpose([a, b]), 1); L = mse(y, p)", {"U": start}, batch=batch)
    codes, rows = COLUMNS["k"].astype(int), np.stack([COLUMNS["a"], COLUMNS["b"]], 1)
    if not batch:
        slope = np.zeros_like(start)
        residual = (start[codes] * rows).sum(1) - COLUMNS["y"]
        np.add.at(slope, codes, 2 / 30 * residual[:, None] * rows)
        assert training.measured({"U": start})[1]["U"] == pytest.approx(slope, rel=1e-12, abs=1e-15)
    assert training.state.parameters["U"][4] == pytest.approx(start[4])  # no row of the table has it
    assert np.all(training.state.parameters["U"][:4] != start[:4])


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("U[k, j]", [[1, 2, 0], [3, 0, 4]]), ("U[k, 1]", [[0, 1.5, 0], [0, 3.5, 0]]), ("U[k, -1]", [[0, 0, 1.5], [0, 0, 3.5]]),
        ("U[1, j]", [[0, 0, 0], [2, 2, 4]]),
    ],
)  # fmt: skip
def test_two_indices_take_an_element_for_each_row(program: str, expected: list[list[float]], tmp_path: Path) -> None:
    table, saved = tmp_path / "t.csv", tmp_path / "p.json"
    table.write_text("k,j,y\n0,0,1\n0,1,2\n1,0,3\n1,2,4\n")
    model = f"p = {program}; L = mse(y, p)"
    words = ["--data", str(table), "--params", "U=zeros(2,3)", "--lr", "0.5", "--epochs", "200", "-q"]
    assert autodiff("train", model, *words, "--save", str(saved)).status == 0
    assert json.loads(saved.read_text())["U"] == [pytest.approx(row, abs=1e-9) for row in expected]
    table.write_text("k,j\n1,2\n1,9\n0.5,0\n")
    done = autodiff("predict", model, "--of", "p", "--data", str(table), "--at", f"@{saved}")
    statuses = [line.split(",")[1] for line in done.out.splitlines()[1:]]
    assert statuses == ["ok", *("ok" if name not in program else "input" for name in "jk")]


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("U[k, 5]", "'5' must be a whole number from 0 to 2"),
        ("U[j, k]", "'j' must be a whole number from 0 to 1 in each row, and it is 2 in row 4"),
        ("U[k][j]", "an index that differs from row to row takes a row of a parameter, or an element"),
        ("U[k, j, k]", "an index that differs from row to row takes a row of a parameter, or an element"),
    ],
)
def test_wrong_indices_are_named(program: str, says: str, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("k,j,y\n0,0,1\n0,1,2\n1,0,3\n1,2,4\n")
    ended = autodiff("train", f"mse(y, {program})", "--data", str(table), "--params", "U=zeros(2,3)", "-q")
    assert ended.status in (2, 4)
    assert says in ended.err


@pytest.mark.parametrize("table", ["x,y\n1,nan\n", "x,y\n,1\n2,\n"])
def test_a_table_without_a_whole_row_is_an_error(table: str) -> None:
    words = ["train", "mse(y, w*x)", "--data", "-", "--params", "w=0", "--missing", "drop"]
    ended = autodiff(*words, stdin=table.encode())
    assert (ended.status, ended.out) == (4, "")
    assert ended.err.startswith("error: stdin: there are no rows without a missing cell\n")


def test_dropout_is_seeded_keeps_the_mean_and_is_off_in_evaluation() -> None:
    text, start = "h = dropout(columns(a..d), 0.25); L = mse(y, h @ W)", {"W": np.ones(4)}
    first, again = (_trained(text, start, batch=8) for _ in range(2))
    assert first.state.parameters["W"].tolist() == again.state.parameters["W"].tolist()
    plain = _trained("h = columns(a..d); L = mse(y, h @ W)", start, batch=8)
    assert first.state.parameters["W"] != pytest.approx(plain.state.parameters["W"])
    assert first.measured(start)[0] == plain.measured(start)[0]
    (name,) = first.trained.model.masks
    mask = first.trained.dropped(start, np.random.default_rng(0)).columns[name]
    assert mask.shape == (30, 4)
    assert set(np.unique(mask)) == {0.0, 4 / 3}
    chance = np.random.default_rng(0)
    mean = np.mean([first.trained.dropped(start, chance).columns[name].mean() for _ in range(200)])
    assert mean == pytest.approx(1, abs=0.02)


def test_a_sample_without_sizes_is_a_number() -> None:
    point = parse_point("a=normal(),b=-normal(),c=2+uniform(),d=normal(2)", sampler(1))
    assert [np.shape(point[name]) for name in "abcd"] == [(), (), (), (2,)]
    assert point["b"] < 0 < point["a"]
    assert 1 <= point["c"] <= 3


def test_initial_values_have_the_spread_of_their_layer() -> None:
    values = parse_point(
        "N=normal(200,100),U=uniform(200,100),H=he(200,100),X=xavier(200,100),Z=zeros(2,3),h=0.5*normal(3)", sampler(1)
    )
    for name, deviation in (("N", 1), ("U", 1 / 3**0.5), ("H", 0.1), ("X", (2 / 300) ** 0.5)):
        assert np.std(values[name]) == pytest.approx(deviation, rel=0.02), name
        assert np.mean(values[name]) == pytest.approx(0, abs=0.02), name
    assert np.abs(values["X"]).max() <= (6 / 300) ** 0.5
    ended = autodiff("train", "sum(W^2)", "--params", "W=he()")
    assert (ended.status, "he takes up to three sizes" in ended.err) == (2, True)


# --- tables ---------------------------------------------------------------------------------------------------------------


def _file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_texts_are_codes_that_predictions_know(tmp_path: Path) -> None:
    data = _file(tmp_path / "d.csv", "kind,x,y\nred,1,2\nblue,2,1\nred,3,2\ngreen,1,0\n")
    saved = str(tmp_path / "p.json")
    text = "P = softmax(one_hot(kind) @ W + expand_dims(x, 1)*v); L = mse(y, P @ [0, 1, 2])"
    args = ["--data", data, "--params", "W=zeros(3,3),v=[0,0,0]"]
    ended = autodiff("train", text, *args, "--epochs", "3", "-q", "--save", saved)
    assert (ended.status, ended.err) == (0, "notice: kind is text: blue is 0, green is 1, red is 2\n")
    new = _file(tmp_path / "n.csv", "x,kind\n1,blue\n1,violet\n1,\n1,red\n")
    ended = autodiff(
        "predict", text, "--of", "kind = argmax(one_hot(kind), -1), c = kind", "--data", new, "--at", f"@{saved}"
    )
    assert ended.out == "kind,c,status\nblue,0,ok\n,,input\n,,input\nred,2,ok\n"


def test_classes_and_indices_beyond_those_of_the_training_are_no_input(tmp_path: Path) -> None:
    data = _file(tmp_path / "d.csv", "k,j,y\n0,1,2\n2,0,1\n1,1,1\n")
    saved = str(tmp_path / "p.json")
    text = "p = one_hot(k) @ w + U[j]; L = mse(y, p)"
    autodiff("train", text, "--data", data, "--params", "w=[1,2,3],U=[10,20]", "--epochs", "1", "--lr", "1e-300", "-q", "--save", saved)  # fmt: skip
    new = _file(tmp_path / "n.csv", "k,j\n2,0\n3,0\n1,2\n0.5,1\n0,1\n")
    ended = autodiff("predict", text, "--of", "p", "--data", new, "--at", f"@{saved}")
    assert ended.out == "p,status\n13,ok\n,input\n,input\n,input\n21,ok\n"


def test_rows_of_a_parameter_are_gathered_and_their_slopes_added() -> None:
    """Against sums by hand: users and items come several times, and some never; rows times users would be 8 GB."""
    chance = np.random.default_rng(3)
    rows, users, items = 20_000, 50_000, 7
    user, item = chance.integers(0, users, rows), chance.integers(0, items, rows)
    rating = chance.normal(size=rows)
    first = {"U": chance.normal(size=(users, 2)), "V": chance.normal(size=(items, 2))}
    table = NumericTable("t", {"user": user * 1.0, "item": item * 1.0, "rating": rating}, range(rows))
    training = Training("mse(rating, sum(U[user]*V[item], -1))", table, first, Hyperparameters(1), explain=None)
    loss, slopes = training.trained.slopes(first)
    left = np.sum(first["U"][user] * first["V"][item], axis=1) - rating
    expected = {name: np.zeros_like(value) for name, value in first.items()}
    np.add.at(expected["U"], user, 2 / rows * left[:, None] * first["V"][item])
    np.add.at(expected["V"], item, 2 / rows * left[:, None] * first["U"][user])
    assert loss == pytest.approx(np.mean(left**2), rel=1e-12)
    for name, slope in slopes.items():
        assert slope == pytest.approx(expected[name], rel=1e-9, abs=1e-15)


def test_a_place_may_be_an_input() -> None:
    answer = evaluate("sum(U[k]^2)", {"U": [[1.0, 2.0], [3.0, 4.0]], "k": [1.0, 0.0, 1.0]}, ["U"])
    assert (answer.value, answer.gradient["U"].tolist()) == (55.0, [[2.0, 4.0], [12.0, 16.0]])
    wrong = evaluate("sum(U[k])", {"U": [1.0, 2.0], "k": [0.0, 2.0]}, ["U"])
    assert (wrong.status, "k to be a place in the array, counted from 0" in wrong.why) == ("domain", True)
    value, gradient = compile_rows("x*[10, 20, 30][k]", ["x"])(x=[1.0, 2.0, 3.0], k=[2.0, 0.0, 5.0])
    assert np.array_equal(value, [30, 20, np.nan], equal_nan=True)
    assert np.array_equal(gradient["x"], [30, 10, np.nan], equal_nan=True)


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_missing_cells(tmp_path: Path, form: str) -> None:
    source = _file(tmp_path / "d.csv", "x,y\n1,2\n,3\n3,4\n4,NA\n")
    data = source
    if form != "csv":
        pytest.importorskip("pyarrow")
        data = str(tmp_path / f"d.{form}")
        if form == "ndjson":
            _file(
                tmp_path / "d.ndjson", '{"x": 1, "y": 2}\n{"x": null, "y": 3}\n{"x": 3, "y": 4}\n{"x": 4, "y": null}\n'
            )
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.table({"x": [1.0, None, 3, 4], "y": [2.0, 3, 4, None]}), data)
    base = ["train", "L = mse(y, w*x)", "--data", data, "--params", "w=1", "--epochs", "1", "--json"]
    ended = autodiff(*base)
    assert ended.status == 4
    assert "2, column 'x': an empty cell is no finite number" in ended.err.replace("line 3", "line 2")
    assert "--missing drop leaves such rows out, --missing mean fills them" in ended.err
    dropped = json.loads(autodiff(*base, "--missing", "drop").out)
    assert (dropped["rows"], dropped["history"]["loss"]) == (2, [1.0])
    filled = json.loads(autodiff(*base, "--missing", "mean").out)
    x, y = np.array([1, 8 / 3, 3, 4]), np.array([2, 3, 4, 3.0])
    assert filled["history"]["loss"] == [pytest.approx(np.mean((y - x) ** 2), rel=1e-14)]
    saved = str(tmp_path / "p.json")
    autodiff(*base, "--missing", "mean", "--save", saved)
    predicted = autodiff("predict", "p = x; L = mse(y, w*x)", "--of", "p", "--data", source, "--at", f"@{saved}")
    assert predicted.out.splitlines()[2] == f"{8 / 3},ok"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("p = columns(a..z) @ w; L = mse(y, p)", "no column 'z' for columns(a..z)"),
        ("p = columns(y..a) @ w; L = mse(y, p)", "columns(y..a): 'a' is left of 'y' in the table"),
        ("p = columns(a+1) @ w; L = mse(y, p)", "columns(…) can't be read at 'a+1'"),
        ("p = columns(* except a, y) @ w; L = mse(y, p)", "columns(…) names no column"),
        ("L = mse(y, standardise(w*a))", "standardise(w*a) is computed from the columns once, and 'w' is none"),
        ("f(t) = standardise(t); L = mse(y, w*f(a))", "standardise can't stand in a function of the program"),
        ("L = mse(y, w*one_hot(a))", "'a' must be a whole number from 0 to 9,999 in each row, and it is 0.5 in row 1"),
        ("L = mse(y, dropout(w*a, 1))", "dropout takes an array and the share of it that is dropped"),
        ("L = mse(y, w[a])", "an index that differs from row to row takes a row of a parameter"),
        ("L = mse(y, w*log(standardise(log(a - 1))))", "log(a - 1) needs a - 1 > 0, but at [0] a - 1 is -0.5"),
        ("L = mse(y, w*columns(a, b)[0, 0]", "this '(' is never closed"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, program: str, message: str) -> None:
    data = _file(tmp_path / "d.csv", "a,y\n0.5,2\n0.25,3\n")
    ended = autodiff("train", program, "--data", data, "--params", "w=1", "-q")
    assert ended.status in (2, 4)
    assert ended.err.startswith(f"error: {message}"), ended.err
    assert "____" not in ended.err


def test_a_text_among_numbers_stays_an_error(tmp_path: Path) -> None:
    for cells, line in ((["1", "oops", "2"], 3), (["oops", "1"], 2), (["1,5", "2,5"], 2), (["a", "inf"], 3)):
        data = _file(tmp_path / "d.csv", "x\n" + "".join(f'"{cell}"\n' for cell in cells))
        for missing in ("error", "drop", "mean"):
            ended = autodiff("train", "w*x", "--data", data, "--params", "w=1", "-q", "--missing", missing)
            assert (ended.status, ended.out) == (4, "")
            assert ended.err.startswith(
                f"error: {data}, line {line}, column 'x': {cells[line - 2]!r} is no finite number"
            )


def test_elsewhere_a_declaration_says_where_it_stands() -> None:
    for call in ("columns(x)", "one_hot(x)", "standardise(x)", "dropout(x, 0.5)"):
        ended = autodiff("eval", call, "--at", "x=1")
        assert (ended.status, ended.out) == (2, "")
        name = call.partition("(")[0]
        assert ended.err.startswith(
            f"error: {name}(…) stands in programs of autodiff train and autodiff predict only\n"
        )


def test_watched_expressions_know_the_declarations() -> None:
    text = "P = softmax(standardise(columns(sepal_length..petal_width)) @ W); L = cross_entropy(one_hot(species), P)"
    ended = autodiff(
        "train", text, "--data", str(EXAMPLES / "iris.csv"), "--params", "W=zeros(4,3)", "--epochs", "100", "--optimizer", "adam",
        "--watch", "mean(argmax(P, -1) == species)", "--watch", "mean(one_hot(species))", "--json",
    )  # fmt: skip
    history = json.loads(ended.out)["history"]
    assert history["mean(argmax(P, -1) == species)"][-1] > 0.8
    assert history["mean(one_hot(species))"][-1] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("program", "notices"),
    [
        ("L = mse(y, w*(a - mean(a)))", ["mean(a)"]),
        ("s = max(a); t = 2s; L = mse(y, w*a/t)", ["max(a)"]),
        ("L = sqrt(mean((y - w*a)^2))", []),
        ("L = mse(y, w*standardise(a))", []),
        ("L = mean((y - w*a)^2)/np.var(y)", []),
    ],
)
def test_a_mean_that_is_used_in_each_row_is_said(tmp_path: Path, program: str, notices: list[str]) -> None:
    data = _file(tmp_path / "d.csv", "a,y\n0.5,2\n0.25,3\n4,1\n")
    ended = autodiff("train", program, "--data", data, "--params", "w=1", "-q", "--epochs", "1", "--lr", "0.001")
    assert ended.err == "".join(
        f"notice: {text} is computed from all rows of a step and used in each of them\n" for text in notices
    )


def test_a_parameter_has_up_to_three_sizes() -> None:
    for sizes, status in (("2,3,4", 0), ("2,3,4,5", 2)):
        ended = autodiff("train", "sum(T^2)", "--params", f"T=normal({sizes})", "--epochs", "1")
        assert (ended.status, "T  2×3×4, norm " in ended.out) == (status, not status), ended


def test_a_resumed_training_keeps_the_codes_of_its_texts(tmp_path: Path) -> None:
    """Rows of some of the texts trained the parameters of others."""
    saved = str(tmp_path / "u.json")
    words = ["--epochs", "1", "-q", "--save", saved, "--data"]
    first = _file(tmp_path / "first.csv", "user,r\nann,1\nbob,2\ncyd,3\n")
    autodiff("train", "L = mse(r, U[user])", "--params", "U=zeros(3)", *words, first)
    before = json.loads(Path(saved).read_text())["U"]
    words = ["train", "--resume", saved, "--epochs", "40", "-q", "--data"]
    ended = autodiff(*words, _file(tmp_path / "later.csv", "user,r\ncyd,30\nbob,20\n"))
    ann, bob, cyd = map(float, ended.out.split()[1:])
    assert (ann, bob > 10, cyd > 20) == (before[0], True, True), ended
    ended = autodiff(*words, _file(tmp_path / "new.csv", "user,r\ncyd,30\ndan,20\n"))
    assert (ended.status, ended.out) == (4, "")
    assert ended.err.endswith(
        "new.csv, line 3, column 'user': 'dan' is no text that the training had\n  it had ann, bob, cyd\n"
    ), ended.err


def test_a_number_among_texts_is_named(tmp_path: Path) -> None:
    data = _file(tmp_path / "d.csv", "k,y\n" + "a,1\n" * 3 + "7,1\n" + "b,1\n")
    ended = autodiff("train", "L = mse(y, one_hot(k) @ w)", "--params", "w=zeros(2)", "--data", data)
    assert (ended.status, ended.out) == (4, "")
    assert (
        "line 2, column 'k': 'a' is no finite number\n  there are numbers in this column, as in line 5: " in ended.err
    )
