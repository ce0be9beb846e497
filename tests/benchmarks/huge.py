"""Programs of megabytes: a sum of Rosenbrock's terms against PyTorch, growth with size and depth, sweep against sweep."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import autodiff
from autodiff.calculus import local
from autodiff.calculus.lower import lower
from autodiff.calculus.primal import primal
from autodiff.calculus.reverse import adjoints

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


def nest(depth: int) -> tuple[str, dict[str, float]]:
    """sin(sin(… x …))."""
    return "sin(" * depth + "x" + ")" * depth, {"x": 1.0}


def lines(peers: str, rounds: int = 5) -> Iterator[Line]:
    """Whole processes, then the two sweeps alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mine = _command(folder, "ten", *rosenbrock(10_000))
        commands = {"autodiff": mine}
        if has(peers, "torch"):
            (folder / "peer.py").write_text(TORCH)
            commands["PyTorch"] = [peers, str(folder / "peer.py"), str(folder / "ten.txt"), str(folder / "ten.json")]
        ran = race(commands, rounds)
        theirs = ran["PyTorch"].seconds if "PyTorch" in ran else None
        what = "Rosenbrock, 10,000 variables"
        yield Line(what, "PyTorch", ran["autodiff"].seconds, theirs, 0.5, note="" if theirs else "not installed")
        for title, make, small in (
            ("Rosenbrock, 100,000 variables", rosenbrock, 10_000),
            ("100,000 sines", nest, 10_000),
        ):
            large = run(_command(folder, "large", *make(10 * small)))
            base = run(_command(folder, "small", *make(small)))
            yield Line(title, "10 × a tenth of it", large.seconds, 10 * base.seconds, 1.2)
            yield Line(title, "10 × a tenth of it", large.megabytes, 10 * base.megabytes, 1.2, unit="MB")
    text, point = rosenbrock(10_000)
    lowered = lower(autodiff.parse(text))
    sources = [node for name in point if (node := lowered.node(name)) is not None]
    run_once = primal(lowered, point)
    value = _best(lambda: primal(lowered, point))
    sweep = _best(lambda: adjoints(lowered.result, local.factors(lowered, run_once, sources), sources))
    yield Line("Rosenbrock, all slopes", "its value sweep", sweep, value, 6.0)


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
