"""The optimum of scikit-learn for the models of the notes, on its own tables: what `optima.json` records.

Record anew with `python -m tests.support.optima` in an environment that has scikit-learn; the tables of `tests/examples` are
written as well: `diabetes.csv` (Efron, Hastie, Johnstone and Tibshirani 2004, Least Angle Regression), `cancer.csv` (the first
ten columns of Wolberg, Mangasarian, Street and Street 1993, Breast Cancer Wisconsin (Diagnostic)).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.paths import EXAMPLES

RECORDED = Path(__file__).with_suffix(".json")


class Optimum(NamedTuple):
    """A model as a program of ours: its table, its loss, and the command's other words."""

    data: str
    program: str
    words: str


_X = "X = standardise(columns(* except target)); "
_Y = f"{_X}t = standardise(target); "
_LBFGS = "--optimizer lbfgs --epochs 500"
MODELS = {
    "linear": Optimum("diabetes", f"{_Y}L = mse(t, X @ w + b)", f"--params w=zeros(10),b=0 {_LBFGS}"),
    "ridge": Optimum("diabetes", f"{_Y}L = mse(t, X @ w + b) + 0.1*sum(w^2)", f"--params w=zeros(10),b=0 {_LBFGS}"),
    "lasso": Optimum("diabetes", f"{_Y}L = mse(t, X @ w)/2", "--params w=zeros(10) --l1 0.05 --optimizer momentum --lr 0.1 --epochs 3000"),
    "elastic net": Optimum("diabetes", f"{_Y}L = mse(t, X @ w)/2 + 0.02*sum(w^2)", "--params w=zeros(10) --l1 0.04 --optimizer momentum --lr 0.1 --epochs 3000"),
    "huber": Optimum("diabetes", f"{_Y}r = (t - X @ w - b)/s; L = mean(s + s*if(abs(r) < 1.35, r^2, 2.7*abs(r) - 1.35^2)) + sum(w^2)/4420", f"--params w=zeros(10),b=0,s=1 {_LBFGS}"),
    "quantile": Optimum("diabetes", f"{_Y}r = t - X @ w - b; L = mean(max(0.7*r, -0.3*r))", "--params w=zeros(10),b=0 --optimizer adam --lr 0.05 --epochs 3000 --schedule step:250:0.35"),
    "poisson": Optimum("diabetes", f"{_X}z = X @ w + b; L = mean(exp(z) - target*z) + 0.5*sum(w^2)", f"--params w=zeros(10),b=4 {_LBFGS}"),
    "logistic": Optimum("cancer", f"{_X}L = bce_logits(target, X @ w + b) + sum(w^2)/1138", f"--params w=zeros(10),b=0 {_LBFGS}"),
    "hinge": Optimum("cancer", f"{_X}L = hinge(2*target - 1, X @ w + b) + sum(w^2)/1138", "--params w=zeros(10),b=0 --optimizer adam --lr 0.5 --epochs 4000 --schedule step:250:0.45"),
    "softmax": Optimum("iris", "X = standardise(columns(* except species)); L = cross_entropy(one_hot(species), softmax(X @ W + b)) + sum(W^2)/300", f"--params W=zeros(4,3),b=zeros(3) {_LBFGS}"),
}  # fmt: skip


def _tables() -> None:
    from sklearn import datasets

    diabetes, cancer = datasets.load_diabetes(scaled=False), datasets.load_breast_cancer()
    for name, header, rows, target in (
        ("diabetes", diabetes.feature_names, diabetes.data, diabetes.target),
        ("cancer", [str(n).replace(" ", "_") for n in cancer.feature_names[:10]], cancer.data[:, :10], cancer.target),
    ):
        with (EXAMPLES / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*header, "target"])
            writer.writerows([*(f"{v:.10g}" for v in row), f"{y:g}"] for row, y in zip(rows, target, strict=True))


def _optima() -> dict[str, float]:
    """The loss of each program at the parameters that scikit-learn finds."""
    import numpy as np
    from sklearn import linear_model as linear
    from sklearn import svm

    def table(name: str) -> tuple[Any, Any]:
        whole = np.loadtxt(EXAMPLES / f"{name}.csv", delimiter=",", skiprows=1)
        x = whole[:, :-1]
        return (x - x.mean(0)) / x.std(0), whole[:, -1]

    x, target = table("diabetes")
    t, n = (target - target.mean()) / target.std(), len(target)
    found: dict[str, float] = {}

    def of(model: Any, y: Any = t, rows: Any = x) -> Any:
        model.fit(rows, y)
        return rows @ model.coef_.ravel() + model.intercept_, model.coef_.ravel()

    p, _ = of(linear.LinearRegression())
    found["linear"] = np.mean((t - p) ** 2)
    p, w = of(linear.Ridge(alpha=0.1 * n, tol=1e-14))
    found["ridge"] = np.mean((t - p) ** 2) + 0.1 * np.sum(w**2)
    p, w = of(linear.Lasso(alpha=0.05, tol=1e-14, max_iter=10**6))
    found["lasso"] = np.mean((t - p) ** 2) / 2 + 0.05 * np.sum(abs(w))
    p, w = of(linear.ElasticNet(alpha=0.08, l1_ratio=0.5, tol=1e-14, max_iter=10**6))
    found["elastic net"] = np.mean((t - p) ** 2) / 2 + 0.02 * np.sum(w**2) + 0.04 * np.sum(abs(w))
    model = linear.HuberRegressor(alpha=0.1, tol=1e-12, max_iter=10**5)
    p, w = of(model)
    r = (t - p) / model.scale_
    bent = np.where(abs(r) < 1.35, r**2, 2.7 * abs(r) - 1.35**2)
    found["huber"] = np.mean(model.scale_ * (1 + bent)) + np.sum(w**2) / 4420
    p, w = of(linear.QuantileRegressor(quantile=0.7, alpha=0))
    found["quantile"] = np.mean(np.maximum(0.7 * (t - p), -0.3 * (t - p)))
    z, w = of(linear.PoissonRegressor(alpha=1, tol=1e-12, max_iter=10**5), target)
    found["poisson"] = np.mean(np.exp(z) - target * z) + 0.5 * np.sum(w**2)
    x, target = table("cancer")
    z, w = of(linear.LogisticRegression(C=1, tol=1e-12, max_iter=10**5), target, x)
    found["logistic"] = np.mean(np.logaddexp(0, z) - target * z) + np.sum(w**2) / 1138
    z, w = of(svm.SVC(kernel="linear", C=1, tol=1e-10), target, x)
    found["hinge"] = np.mean(np.maximum(0, 1 - (2 * target - 1) * z)) + np.sum(w**2) / 1138
    x, species = table("iris")
    model = linear.LogisticRegression(C=1, tol=1e-12, max_iter=10**5).fit(x, species)
    scores = x @ model.coef_.T + model.intercept_
    chosen = scores[np.arange(150), species.astype(int)]
    found["softmax"] = np.mean(np.log(np.exp(scores).sum(1)) - chosen) + np.sum(model.coef_**2) / 300
    return {name: float(value) for name, value in found.items()}


if __name__ == "__main__":
    import sklearn

    _tables()
    RECORDED.write_text(json.dumps({"scikit-learn": sklearn.__version__, "losses": _optima()}, indent=1) + "\n")
