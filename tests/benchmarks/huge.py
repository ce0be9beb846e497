"""Programs of megabytes: a sum of Rosenbrock's terms and deep nests against PyTorch, growth with size and depth, sweeps.

PyTorch gets the sum as the same text, which Python compiles. Python compiles no deep nest, so there PyTorch gets a text
with a statement for each level. A loop over one operation, which reads no text at all, stands beside it; brackets are
no operation, so its process then only loads PyTorch.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import autodiff
from autodiff.core.evaluate import Trace, primal
from autodiff.core.linearize import linearize
from autodiff.core.lowering import Lowered, lower
from autodiff.core.vjp import vjp

from .clock import AUTODIFF, Line, has, race, run

TORCH = """
import json, sys, threading

def main():
    import torch
    text = open(sys.argv[1]).read().replace("^", "**")
    point = json.load(open(sys.argv[2]))
    names = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in point.items()}
    result = eval(compile(text, "program", "eval"), dict(names))
    result.backward()
    print(result.item(), *(tensor.grad.item() for tensor in names.values()))

sys.setrecursionlimit(10**6)
threading.stack_size(2**30)  # CPython compiles and PyTorch builds a long sum by recursion
thread = threading.Thread(target=main)
thread.start()
thread.join()
"""


def rosenbrock(n: int) -> tuple[str, dict[str, float]]:
    """The sum over n variables, and a point."""
    terms = (f"100*(x{i + 1}-x{i}^2)^2 + (1-x{i})^2" for i in range(n - 1))
    return " + ".join(terms), {f"x{i}": 0.5 + 0.1 * (i % 7) for i in range(n)}


NESTS = {
    "sines": ("sin(", "x", ")", "y.sin()"),
    "brackets": ("(", "x", ")", "y"),
    "signs": ("-", "x", "", "-y"),
    "sums of sums": ("(x + ", "x", ")", "x + y"),
    "powers of powers": ("x^", "x", "", "x**y"),
}
"""What stands before, in and behind a nest, and a step of PyTorch's: Python's parser refuses such depths."""

LINES = """
import sys
import torch

x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
names = {"x": x, "y": 1*x}
exec(compile(open(sys.argv[1]).read(), "program", "exec"), names)
names["y"].backward()
print(names["y"].item(), x.grad.item())
"""

LOOP = """
import sys
import torch

x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
y, step = 1*x, eval("lambda x, y: " + sys.argv[1])
for _ in range(int(sys.argv[2])):
    y = step(x, y)
y.backward()
print(y.item(), x.grad.item())
"""


def nest(name: str, depth: int) -> tuple[str, dict[str, float]]:
    """sin(sin(… x …)) and its like."""
    before, middle, behind, _ = NESTS[name]
    return before * depth + middle + behind * depth, {"x": 1.0}


def lines(peers: str, rounds: int = 5) -> Iterator[Line]:
    """Whole processes, then the two sweeps alone."""
    torch = has(peers, "torch")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield _against(folder, peers if torch else "", rounds)
        yield from _growth(folder)
        for nest in NESTS:
            yield from _nested(folder, nest, peers if torch else "")
    yield from _sweeps()


def _against(folder: Path, peers: str, rounds: int) -> Line:
    commands = {"autodiff": _command(folder, "program", *rosenbrock(10_000))}
    if peers:
        (folder / "peer.py").write_text(TORCH)
        commands["PyTorch"] = [peers, *(str(folder / file) for file in ("peer.py", "program.txt", "program.json"))]
    ran = race(commands, rounds)
    theirs = ran["PyTorch"].seconds if peers else None
    return Line("Rosenbrock, 10,000 variables", "PyTorch", ran["autodiff"].seconds, theirs, 0.3, note=_lacking(peers))


def _growth(folder: Path) -> Iterator[Line]:
    """Time on a core and memory for each variable, beside those of a program with a tenth as many."""
    sizes = (100, 1_000, 10_000, 100_000)
    ran = {n: run(_command(folder, "program", *rosenbrock(n))) for n in sizes}
    for fewer, n in pairwise(sizes):
        what = f"Rosenbrock, {n:,} variables, for each"
        mine, theirs = (1e6 * ran[k].busy / k for k in (n, fewer))
        yield Line(what, f"with {fewer:,}", mine, theirs, 1.2, unit="µs")
        mine, theirs = (1024 * ran[k].megabytes / k for k in (n, fewer))
        yield Line(what, f"with {fewer:,}", mine, theirs, 1.2, unit="KB")


def _nested(folder: Path, name: str, peers: str, depth: int = 100_000) -> Iterator[Line]:
    base = run(_command(folder, "program", *nest(name, depth // 10)))
    commands = {"autodiff": _command(folder, "program", *nest(name, depth))}
    step = NESTS[name][-1]
    if peers:
        (folder / "lines.py").write_text(LINES)
        (folder / "lines.txt").write_text(f"y = {step}\n" * depth)
        (folder / "loop.py").write_text(LOOP)
        commands[_LINES] = [peers, str(folder / "lines.py"), str(folder / "lines.txt")]
        commands[_LOOP] = [peers, str(folder / "loop.py"), step, str(depth)]
    ran = race(commands, 3)
    what, mine = f"{depth:,} {name}", ran["autodiff"]
    for peer in (_LINES, _LOOP):
        yield Line(what, peer, mine.seconds, ran[peer].seconds if peers else None, 0.5, note=_lacking(peers))
    yield Line(what, "10 × a tenth of it", mine.busy, 10 * base.busy, 1.2)
    yield Line(what, "10 × a tenth of it", mine.megabytes, 10 * base.megabytes, 1.2, unit="MB")


_LINES, _LOOP = "PyTorch, a statement each", "PyTorch in a loop"


def _sweeps() -> Iterator[Line]:
    """Every slope beside the value, both from equations that are at hand."""
    powers = " + ".join(f"x{i}^3*x{i + 1}^-2" for i in range(10_000))
    for what, (text, point) in {
        "Rosenbrock": rosenbrock(10_000),
        "powers": (powers, {f"x{i}": 0.5 + 0.1 * (i % 7) for i in range(10_001)}),
    }.items():
        lowered = lower(autodiff.parse(text))
        sources = [node for name in point if (node := lowered.node(name)) is not None]
        run_once = primal(lowered, point)
        value = _best(partial(primal, lowered, point))
        sweep = _best(partial(_all_slopes, lowered, run_once, sources))
        yield Line(f"{what}, all slopes", "its value sweep", sweep, value, 6.0)


def _all_slopes(lowered: Lowered, trace: Trace, sources: list[int]) -> dict[int, float]:
    return vjp(lowered.result, linearize(lowered, trace, sources), sources)


def _lacking(peers: str) -> str:
    return "" if peers else "not installed"


def _command(folder: Path, name: str, text: str, point: dict[str, float]) -> list[str]:
    program, at = folder / f"{name}.txt", folder / f"{name}.json"
    program.write_text(text)
    at.write_text(json.dumps(point))
    return [AUTODIFF, "eval", "-q", "-f", str(program), "--at", f"@{at}"]


def _best(work: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)
