"""`python -m tests.fuzz.digits [--programs N] [--seed S]`: every number that is printed as good, against many digits.

Random programs with nasty magnitudes: value and slopes in both modes, orders up to 4, Hessians, directional derivatives,
arrays, and rows. It prints each number that is wrong, and one table of counts.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import mpmath
import numpy as np

import autodiff

from .truth import FUNCTIONS, PAIRS, Bad, Jet, Outside, Tree, true, used, written

ONE, ROWS, LEAST = 1e-12, 1e-10, 5e-324
"""What a number may be off, in parts of it; in rows; and beside 0."""

_LARGEST = 1.7976931348623157e308
_LEAST_PART = 1e-12  # of the reference values at least 25 digits are right: a sum that is smaller has fewer than 13
_POINTS = 3
_TILES = 13
"""Each point stands in so many rows: more than the few that are given to one-shot at once."""

_CONSTANTS = ["1", "2", "0.5", "3", "0.1", "pi", "1e-3", "1e5", "1e-8", "7", "0.3", "1e10", "1e-150", "1e200"]
_PLAIN = ["1", "2", "0.5", "3", "0.1", "pi", "7", "0.3"]
_POWERS = ["2", "3", "-1", "0.5", "-2", "4", "1.5"]

CANCELLING: Sequence[Callable[[Tree, Tree], Tree]] = [
    lambda u, v: ("/", ("-", ("call", "exp", u), ("const", "1")), u),
    lambda u, v: ("-", ("const", "1"), ("call", "cos", u)),
    lambda u, v: ("-", ("const", "1"), ("call", "sigmoid", u)),
    lambda u, v: ("-", ("call", "sqrt", ("+", u, ("const", "1"))), ("call", "sqrt", u)),
    lambda u, v: ("-", ("+", u, v), u),
    lambda u, v: ("-", ("*", u, v), ("*", v, u)),
    lambda u, v: ("/", ("-", ("^", u, ("const", "2")), ("^", v, ("const", "2"))), ("-", u, v)),
    lambda u, v: ("call", "ln", ("call", "exp", u)),
    lambda u, v: ("/", ("call", "exp", u), ("call", "exp", v)),
    lambda u, v: ("-", ("call", "sin", u), u),
    lambda u, v: ("-", ("call", "tanh", u), ("call", "tanh", v)),
    lambda u, v: ("^", ("+", ("const", "1"), u), ("/", ("const", "1"), u)),
    lambda u, v: ("/", ("call", "ln", ("+", ("const", "1"), u)), u),
    lambda u, v: ("-", ("call", "hypot", u, v), u),
    lambda u, v: ("-", ("call", "lgamma", ("+", u, ("const", "1"))), ("call", "lgamma", u)),
    lambda u, v: ("-", ("call", "atan", ("^", u, ("const", "2"))), ("const", "1")),
]


def tree(chance: random.Random, depth: int, names: Sequence[str], constants: Sequence[str], *, nasty: bool) -> Tree:
    """A random program."""

    def part() -> Tree:
        return tree(chance, depth - 1, names, constants, nasty=nasty)

    if depth <= 0 or chance.random() < 0.12:
        return ("var", chance.choice(names)) if chance.random() < 0.7 else ("const", chance.choice(constants))
    kind = chance.random()
    if kind < 0.44:
        return (chance.choice("++--**/"), part(), part())
    if kind < 0.78:
        return ("call", chance.choice(FUNCTIONS), part())
    if kind < 0.83:
        return ("call", chance.choice(PAIRS), part(), part())
    if nasty and kind < 0.93:
        return chance.choice(CANCELLING)(part(), part())
    return ("^", part(), ("const", chance.choice(_POWERS)) if chance.random() < 0.85 else part())


def nasty(chance: random.Random) -> float:
    """A number of any size, often an unpleasant one."""
    power = chance.choice([0, 0, 0, -1, -5, 5, -8, -12, 3, 8, -16, chance.randint(-300, 300)])
    return chance.choice([1, 1, -1]) * chance.uniform(1, 10) * 10.0**power


def plain(chance: random.Random) -> float:
    """A number that people give."""
    return round(chance.uniform(0.1, 10), 2)


class Trial:
    """What was found so far."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.numbers: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.statuses: dict[str, Counter[str]] = {}
        self.ordinary: Counter[str] = Counter()
        self.slowest: list[tuple[float, str]] = []

    def status(self, kind: str, status: str) -> bool:
        """Count an answer; whether its numbers are to be judged."""
        self.done[kind] += 1
        self.statuses.setdefault(kind, Counter())[status] += 1
        return status == "ok"

    def judge(self, kind: str, what: str, got: Any, want: Any, part: float, where: Callable[[], str]) -> None:
        """Compare a number that is said to be good with the true one."""
        self.numbers[kind] += 1
        with mpmath.workdps(400):
            number = float("nan") if got is None else float(got)
            if abs(want) > _LARGEST * (1 - 1e-13) and got is not None and abs(number) >= _LARGEST * (1 - 1e-9):
                return
            if number == number and abs(mpmath.mpf(number) - want) <= mpmath.mpf(part) * abs(want) + mpmath.mpf(LEAST):
                return
            self.miss(kind, f"{what} is {got}, not {mpmath.nstr(want, 17)}", where)

    def miss(self, kind: str, what: str, where: Callable[[], str]) -> None:
        """A number that is wrong."""
        self.missed[kind] += 1
        print(f"MISS {kind}: {where()}: {what}", flush=True)

    def table(self) -> Iterator[str]:
        """The counts."""
        yield f"{'kind':<9} {'answers':>8} {'numbers':>8} {'misses':>7}  statuses"
        for kind, done in self.done.items():
            more = ", ".join(f"{status} {count:,}" for status, count in self.statuses[kind].most_common())
            yield f"{kind:<9} {done:>8,} {self.numbers[kind]:>8,} {self.missed[kind]:>7,}  {more}"
        tried, balls = self.ordinary["tried"], self.ordinary["balls"]
        yield f"ordinary programs: {tried:,}, by ball arithmetic {balls:,} ({balls / max(tried, 1):.2%})"
        yield "slowest: " + "; ".join(f"{seconds:.2f} s {text}" for seconds, text in self.slowest)

    def timed(self, text: str, call: Callable[[], Any]) -> Any:
        """Call, and remember what took long."""
        start = time.perf_counter()
        try:
            return call()
        finally:
            self.slowest = sorted([*self.slowest, (time.perf_counter() - start, text)], reverse=True)[:5]


class Case:
    """A program at some points, with what is true there."""

    def __init__(self, program: Tree, points: Sequence[Mapping[str, float]], truths: Sequence[Jet | None]) -> None:
        self.program, self.text, self.points, self.truths = program, written(program), points, truths
        self.names = list(points[0])

    def where(self, k: int, more: str = "") -> Callable[[], str]:
        """How a point is told."""
        return lambda: f"{self.text} at {dict(self.points[k])}{more}"

    def numbers(self, k: int) -> list[tuple[str, Any]]:
        """The value and the slopes at a point."""
        found = self.truths[k]
        assert found is not None
        count = len(self.names)
        zero, firsts = (0,) * count, [_one(j, count) for j in range(count)]
        return [("value", _of(found, zero)), *((n, _of(found, p)) for n, p in zip(self.names, firsts, strict=True))]


def _one(k: int, count: int, power: int = 1) -> tuple[int, ...]:
    return tuple(power * int(j == k) for j in range(count))


def _of(found: Jet, place: tuple[int, ...]) -> Any:
    return found.get(place, mpmath.mpf(0))


def case(chance: random.Random, order: int = 1) -> Case | None:
    """A random program at random points where it is known; None where it is at none."""
    program = tree(chance, chance.randint(1, 4), chance.sample("xyz", chance.choice([1, 1, 2])), _CONSTANTS, nasty=True)
    names = sorted(used(program))
    if not names or (order > 2 and len(names) > 1):
        return None
    points: list[dict[str, float]] = []
    truths: list[Jet | None] = []
    for _ in range(_POINTS):
        point = {name: nasty(chance) for name in names}
        try:
            found = true(program, point, order)
        except Outside:
            if order > 1:
                continue
            points.append(point)
            truths.append(None)
        except Bad:
            continue
        else:
            points.append(point)
            truths.append(found)
    return Case(program, points, truths) if any(truth is not None for truth in truths) else None


def one_shot(trial: Trial, given: Case) -> None:
    """Value and slopes in both modes."""
    for k, truth in enumerate(given.truths):
        for mode in ("reverse", "forward"):
            where = given.where(k, f" {mode}")
            found = trial.timed(where(), partial(autodiff.evaluate, given.text, given.points[k], mode=mode))
            if not trial.status("one-shot", found.status):
                continue
            if truth is None:
                trial.miss("one-shot", f"{found.value} outside the domain", where)
                continue
            got = [found.value, *(found.gradient[n] for n in given.names)]
            for (what, want), number in zip(given.numbers(k), got, strict=True):
                trial.judge("one-shot", what, number, want, ONE, where)


def orders(trial: Trial, given: Case) -> None:
    """Orders 1 to 4."""
    for k, truth in enumerate(given.truths):
        found = trial.timed(given.text, partial(autodiff.evaluate, given.text, given.points[k], order=4))
        if trial.status("orders", found.status) and truth is not None:
            for m, number in enumerate(found.derivatives, 1):
                trial.judge("orders", f"order {m}", number, _of(truth, (m,)), ONE, given.where(k))


def hessian(trial: Trial, given: Case) -> None:
    """All second derivatives."""
    count = len(given.names)
    for k, truth in enumerate(given.truths):
        found = trial.timed(given.text, partial(autodiff.hessian, given.text, given.points[k]))
        if trial.status("hessian", found.status) and truth is not None:
            for i, a in enumerate(given.names):
                for j, b in enumerate(given.names):
                    place = tuple(map(int.__add__, _one(i, count), _one(j, count)))
                    trial.judge("hessian", f"{a} {b}", found.rows[a][b], _of(truth, place), ONE, given.where(k))


def jvp(trial: Trial, given: Case, chance: random.Random) -> None:
    """How fast the result changes along a direction."""
    for k, truth in enumerate(given.truths):
        if truth is None:
            continue
        rates = {name: nasty(chance) for name in given.names}
        with mpmath.workdps(2000):
            want = mpmath.fsum(slope * mpmath.mpf(rates[n]) for n, slope in given.numbers(k)[1:])
        found = trial.timed(given.text, partial(autodiff.jvp, given.text, given.points[k], rates))
        if trial.status("jvp", found.status):
            (row,) = found.rows.values()
            trial.judge("jvp", "jvp", row["jvp"], want, ONE, given.where(k, f" along {rates}"))


def arrays(trial: Trial, given: Case) -> None:
    """The sum of the program over arrays, the slope by each element, and the program's own array."""
    places = [k for k, truth in enumerate(given.truths) if truth is not None]
    point = {n: np.array([given.points[k][n] for k in places]) for n in given.names}
    shown = {n: list(map(float, array)) for n, array in point.items()}

    def where() -> str:
        return f"sum({given.text}) at {shown}"

    found = trial.timed(given.text, lambda: autodiff.evaluate(f"sum({given.text})", point))
    if trial.status("arrays", found.status):
        with mpmath.workdps(2000):
            terms = [given.numbers(k)[0][1] for k in places]
            total = mpmath.fsum(terms)
            if abs(total) >= _LEAST_PART * max(map(abs, terms), default=0):  # else their digits don't tell
                trial.judge("arrays", "sum", found.value, total, ONE, where)
        for m, k in enumerate(places):
            for name, want in given.numbers(k)[1:]:
                trial.judge("arrays", f"{name}[{m}]", found.gradient[name][m], want, ONE, where)
    answers = trial.timed(given.text, lambda: autodiff.evaluate(given.text, point))
    if trial.status("arrays", answers.status):
        for m, k in enumerate(places):
            trial.judge("arrays", f"element {m}", answers.value[m], given.numbers(k)[0][1], ONE, where)


def rows(trial: Trial, given: Case) -> None:
    """Rows: as few as are given to one-shot, and more."""
    columns = {n: np.array([point[n] for point in given.points]) for n in given.names}
    made = autodiff.compile(given.text, given.names)
    for tiles in (1, _TILES):
        batch = made.batch(**{n: np.tile(column, tiles) for n, column in columns.items()})
        for k, truth in enumerate(given.truths):
            where = given.where(k, f" {tiles * len(given.points)} rows")
            if not trial.status("rows", batch.hard.get(k, "ok")):
                continue
            if truth is None:
                trial.miss("rows", f"{batch.value[k]} outside the domain", where)
                continue
            got = [batch.value[k], *(batch.gradient[n][k] for n in given.names)]
            for (what, want), number in zip(given.numbers(k), got, strict=True):
                trial.judge("rows", what, number, want, ROWS, where)


def ordinary(trial: Trial, chance: random.Random, *, printed: bool) -> None:
    """Whether an ordinary program at an ordinary point needs ball arithmetic."""
    program = tree(chance, chance.randint(1, 4), chance.sample("xyz", chance.choice([1, 2])), _PLAIN, nasty=False)
    point = {name: plain(chance) for name in sorted(used(program))}
    try:
        truth = true(program, point, 1)
    except Bad:
        return
    if len(truth) <= len(point) or not all(truth.values()):
        return  # such as x - x: that nothing is left of a number is no ordinary thing
    found = autodiff.evaluate(written(program), point)
    if found.status == "ok":
        trial.ordinary["tried"] += 1
        if found.bits:
            trial.ordinary["balls"] += 1
            if printed:
                print(f"BALLS {written(program)} at {point}: {found.value} {found.gradient} {found.notes}", flush=True)


def main() -> int:
    """The exit status is 1 where a number was wrong, or too many ordinary programs needed ball arithmetic."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.digits")
    parser.add_argument("--programs", type=int, default=20_000, help="how many programs (20,000)")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so long (600)")
    parser.add_argument("--seed", type=int, help="begin with this seed; any without it")
    parser.add_argument("--only", default="", help="kinds, such as one-shot,rows")
    parser.add_argument("--tell", action="store_true", help="print ordinary programs that needed ball arithmetic")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    only = set(filter(None, options.only.split(",")))
    print(f"seed {seed}", flush=True)
    trial, end = Trial(), time.monotonic() + 60 * options.minutes
    for number in range(options.programs):
        if time.monotonic() > end:
            break
        if number and not number % 500:
            print(f"{number:,} programs", flush=True)
        one(trial, random.Random(seed * 1_000_003 + number), number, only, tell=options.tell)
    print("\n".join(trial.table()))
    crying = trial.ordinary["balls"] > 0.02 * max(trial.ordinary["tried"], 50)
    return int(bool(trial.missed.total()) or crying)


def one(trial: Trial, chance: random.Random, number: int, only: set[str], *, tell: bool = False) -> None:
    """One program, in the forms whose turn it is."""

    def turn(kind: str, every: int) -> bool:
        return (not only or kind in only) and number % every == 0

    if turn("ordinary", 2):
        ordinary(trial, chance, printed=tell)
    if not only or only & {"one-shot", "rows", "arrays", "jvp"}:
        given = case(chance)
        if given is not None:
            if turn("one-shot", 1):
                one_shot(trial, given)
            if turn("rows", 1):
                rows(trial, given)
            if turn("arrays", 2):
                arrays(trial, given)
            if turn("jvp", 2):
                jvp(trial, given, chance)
    if turn("orders", 2) and (given := case(chance, 4)) is not None:
        orders(trial, given)
    if turn("hessian", 2) and (given := case(chance, 2)) is not None:
        hessian(trial, given)


if __name__ == "__main__":
    sys.exit(main())
