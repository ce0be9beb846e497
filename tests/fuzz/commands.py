"""Random command lines over random programs, points and tables."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from hypothesis import strategies as st

from .programs import expressions, points, programs, tables


@dataclass(frozen=True)
class Command:
    """What is run: the words after `autodiff`, what is on stdin, and files beside it by name."""

    words: tuple[str, ...]
    stdin: bytes = b""

    def __repr__(self) -> str:
        fed = f"printf %s {shlex.quote(self.stdin.decode('utf-8', 'backslashreplace'))} | " if self.stdin else ""
        return f"{fed}autodiff {shlex.join(self.words)}"


def _one(*words: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([(), *((word,) for word in words)])


def _option(name: str, *values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([(), (), *((name, value) for value in values)])


_WRT = st.sampled_from([()] * 20 + [("--wrt", "x"), ("--wrt", "y,x"), ("--wrt", "u"), ("--wrt", "q")])
_EVAL = st.one_of(
    _option("--mode", "forward", "both"),
    _option("--mode", "forward", "both"),
    _option("--order", "2", "3", "5", "0", "101"),
    _one("--hessian"),
    st.sampled_from([("--jacobian", "--of", "u"), ("--jvp", "x=1"), ("--jvp", "x=1,y=-2"), ("--vjp", "u=2")]),
    _option("--digits", "1", "30", "1000", "0"),
    _option("--convention", "torch", "jax", "zero"),
    _one("--quiet", "--strict", "--no-check"),
)
_SHAPES: dict[str, list[st.SearchStrategy[tuple[str, ...]]]] = {
    "eval": [_WRT, _EVAL, _option("--format", "json", "csv")],
    "explain": [
        _WRT,
        _option("--format", "json", "markdown", "latex", "html"),
        st.one_of(_option("--mode", "forward", "both"), _one("--atoms"), _option("--digits", "20")),
        st.one_of(st.just(()), _option("--lr", "0.1", "1e300", "nan"), _option("--convention", "torch")),
    ],
    "graph": [_WRT, _option("--format", "dot", "mermaid", "svg", "json"), _one("--atoms")],
    "diff": [
        _WRT,
        st.one_of(_option("--order", "2", "3", "7"), _one("--hessian"), st.just(("--jacobian", "--of", "u"))),
        _option("--format", "latex", "python", "json") | _one("-q"),
    ],
    "export": [
        st.sampled_from(["python", "numpy", "jax", "torch", "c", "javascript", "latex"]).map(lambda to: ("--to", to))
        | st.tuples(st.just("--to"), st.just("sql"), st.sampled_from(["--at", "--sum"])).map(
            lambda m: (*m, "x=1")[: 3 + (m[2] == "--at")]
        ),
        _WRT,
    ],
}


@st.composite
def _joined(draw: st.DrawFn, name: str) -> Command:
    arrays = draw(st.integers(0, 3)) == 0
    program = draw(programs(arrays=arrays))
    words = [name, program, *(word for part in _SHAPES[name] for word in draw(part))]
    if name == "eval" or (name in _AT and draw(st.booleans())):
        words += ["--at", draw(points(program, arrays=arrays))]
    return Command(tuple(words))


_AT = frozenset(["explain", "graph"])
"""Commands that also go without a point."""


@st.composite
def _over_rows(draw: st.DrawFn) -> Command:
    form, content = draw(tables())
    words = [
        "eval",
        draw(programs()),
        "--data",
        "-",
        "--from",
        draw(st.sampled_from([form, form, form, "csv", "ndjson"])),
    ]
    words += draw(_option("--at", "z=2", "y=1,z=0")) + draw(_option("--to", "csv", "ndjson", "tsv"))
    words += draw(_one("--keep")) + draw(_WRT) + draw(_one("--fail-fast"))
    return Command(tuple(words), content)


@st.composite
def _training(draw: st.DrawFn) -> Command:
    _, content = draw(tables())
    loss = draw(st.sampled_from(["mean((a*x + b - y)^2)", "mean(bce(y, sigmoid(a*x + b)))", "sum(a*x)"]) | programs())
    words = ["train", loss, "--data", "-", "--params", draw(st.sampled_from(["a=0,b=0", "a=1", "a=[0,0],b=1e200"]))]
    words += ["--epochs", "3", *draw(_option("--lr", "0.5", "1e308")), *draw(_option("--format", "json"))]
    words += draw(_option("--optimizer", "momentum", "adam", "lbfgs", "adamw", "rmsprop", "adagrad"))
    words += draw(_option("--holdout", "0.5")) + draw(_option("--schedule", "cosine", "step:1", "plateau"))
    words += (
        draw(_option("--clip", "1", "0")) + draw(_option("--l1", "0.1", "1e300")) + draw(_option("--patience", "1"))
    )
    words += draw(_option("--missing", "drop", "mean", "error")) + draw(_option("--batch-size", "2"))
    return Command(tuple(words), content)


_MODEL_LINES = [
    "p = a*x + b",
    "h = standardise(x); p = a*h",
    "p = tanh(W*x)",
    "p = one_hot(y) @ b",
    "p = mean(x)*a",
    "p = x[a]",
]
_OF = ["p", "p", "p", "p, sure = p > 0.5", "q", "x", "p, p"]


@st.composite
def _predicting(draw: st.DrawFn) -> Command:
    form, content = draw(tables())
    program = draw(st.sampled_from(_MODEL_LINES) | programs().map(lambda text: f"p = {text}"))
    words = ["predict", f"{program}; L = mse(y, p)", "--of", draw(st.sampled_from(_OF)), "--data", "-", "--from", form]
    words += ["--at", draw(st.sampled_from(["a=1,b=2", "a=1,b=[1,2]", "a=[1,2],b=1e308", "W=[1,2]", "a=x"]))]
    return Command((*words, *draw(_one("--keep", "--fail-fast")), *draw(_option("--to", "csv", "ndjson"))), content)


_RANGES = [
    "-2..2",
    "0..1",
    "-1e-8..1e-8",
    "0..1e308",
    "-1e308..1e308",
    "2..1",
    "1..1",
    "-1..1e-320",
    "0..2*pi",
    "x",
    "..",
]
"""Of `plot --range`: most can be sampled, and some are no range."""


@st.composite
def _plotting(draw: st.DrawFn) -> Command:
    program, across = draw(programs()), draw(st.sampled_from(["x", "x", "x", "y", "q"]))
    words = ["plot", program, "--range", f"{across}={draw(st.sampled_from(_RANGES))}"]
    words += draw(st.sampled_from([(), (), (), (), ("--range", "z=-1..1")])) + draw(_option("--order", "0", "2"))
    words += draw(_option("--format", "json"))
    return Command((*words, "--at", draw(points(program)))) if draw(st.booleans()) else Command(tuple(words))


_MODELS = ["a*x + b", "a*exp(b*x)", "a*x", "a", "b/(a + x)", "a*x + b*x", "sqrt(a*x)", "abs(a - x) + b", "x", "a*x^b"]


@st.composite
def _fitting(draw: st.DrawFn) -> Command:
    form, content = draw(tables())
    words = [
        "fit",
        draw(st.sampled_from(_MODELS) | st.sampled_from(_MODELS) | programs()),
        "--data",
        "-",
        "--from",
        form,
    ]
    words += ["--y", draw(st.sampled_from(["y", "y", "y", "ln(y)", "z", "q", "1/y"]))]
    words += [
        "--start",
        draw(st.sampled_from(["a=1,b=1", "a=1,b=1", "a=1", "a=0,b=0", "a=1e200,b=-1e-200", "a=x", "y=1"])),
    ]
    words += draw(_option("--sigma", "z", "2", "0", "x")) + draw(_option("--loss", "huber", "cauchy"))
    words += draw(_option("--bounds", "a=0..", "b=-1..1", "a=2..1", "a=1..1")) + draw(_option("--starts", "3"))
    words += draw(_option("--format", "json", "csv")) + draw(_one("--quiet"))
    return Command((*words, "--steps", draw(st.sampled_from(["1", "50"]))), content)


_LATEX = [
    "\\sin",
    "\\frac{1}{x}",
    "\\sqrt[3]{x}",
    "e^{-x^2/2}",
    "\\left|x\\right|",
    "\\ln x",
    "x^{2}",
    "\\cdot",
    "+",
    "-",
    "y",
]
_LATEX += [
    "{",
    "}",
    "\\frac",
    "\\pi",
    "\\alpha",
    "^",
    "_",
    "\\foo",
    "(x)",
    "2",
    "\\sin^2 x",
    "\\begin{cases}",
    "&",
    "\\\\",
]


def _of_latex() -> st.SearchStrategy[Command]:
    formulas = st.lists(st.sampled_from(_LATEX), min_size=1, max_size=6).map(" ".join)
    names = st.sampled_from(["eval", "diff", "explain", "graph"])
    return st.tuples(names, formulas, _one("--strict")).map(
        lambda m: Command((m[0], m[1], "--syntax", "latex", *m[2], *(("--at", "x=2,y=3") if m[0] == "eval" else ())))
    )


def commands() -> st.SearchStrategy[Command]:
    """Any command."""
    answers = st.sampled_from(["", "", "y' = ", "f'(x) = ", "dy/dx = ", "d/dx "])
    checks = st.tuples(programs(), answers, expressions(), _WRT).map(
        lambda m: Command(("check", m[0], m[1] + m[2], *m[3]))
    )
    functions = st.sampled_from(["tanh", "sin", "nothing", "", "+", "\x1b[31m"]).map(
        lambda name: Command(("functions", name))
    )
    return st.one_of(
        *map(_joined, _SHAPES),
        _joined("eval"),
        checks,
        _over_rows(),
        _over_rows(),
        _training(),
        functions,
        _plotting(),
        _fitting(),
        _predicting(),
        _of_latex(),
    )
