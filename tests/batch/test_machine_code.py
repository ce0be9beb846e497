"""Machine code gives the digits of the steps over arrays, is made where it is worth while, and is never needed."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import autodiff
from autodiff.batch import run, ufuncs
from autodiff.batch.compile import SHARE, Compiled
from autodiff.batch.jit import compile as machine
from autodiff.batch.jit import libm, libmvec, llvm_ir
from autodiff.batch.jit.lowering import jit_program
from autodiff.batch.whole_powers import roundings
from autodiff.core import rules
from autodiff.core.floats import PRODUCTS
from autodiff.core.lowering import lower
from autodiff.core.primitive import ELEMENTWISE
from tests.batch.test_rows_equal_points import SPECIAL, columns, rows_like
from tests.support.command import python
from tests.support.programs import programs
from tests.support.reference import arguments

ABSENT = {"gamma", "lgamma", "digamma", "polygamma", "spherical_jn"} | {
    row.name for row in rules.rows() if row.by_balls
}
"""What Python computes by itself, or this project does."""


def _by_machine(text: str, wrt: Sequence[str] | None = None, **options: Any) -> Compiled:
    """A program whose machine code is there from the first row on."""
    compiled = autodiff.compile(text, wrt, **options)
    if compiled.machine_code is not None:
        compiled.machine_code.machine(machine.WORTH, frozenset())
    return compiled


def _as_the_steps(found: Compiled, steps: Compiled, most: float = 0, **at: Any) -> None:
    """The numbers of both before rows are evaluated by themselves, and which rows these are: what follows is one code."""
    (value, gradient, sure), (wanted, slopes, surely) = found.approximate(**at), steps.approximate(**at)
    if (sure != surely).any():  # a row that only one of them evaluates by itself, such as sec's at tiny arguments
        whole, other = found.batch(**at), steps.batch(**at)
        assert whole.hard == other.hard
        value, gradient, wanted, slopes = whole.value, dict(whole.gradient), other.value, dict(other.gradient)
        sure = np.full(sure.shape, True)
    for a, b in zip((value, *gradient.values()), (wanted, *slopes.values()), strict=True):
        first, second = a[sure], b[sure]
        assert (np.isnan(first) == np.isnan(second)).all()
        first, second = first[~np.isnan(first)], second[~np.isnan(second)]
        assert (np.abs(first - second) <= most * 2.0**-52 * np.abs(first)).all(), (a, b)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(programs(), st.randoms(use_true_random=False), st.booleans())
def test_random_programs_have_the_digits_of_the_steps(
    case: tuple[str, dict[str, float]], chance: random.Random, exact: bool
) -> None:
    text, full = case
    names = lower(autodiff.parse(text)).inputs
    if not names:
        return
    rows = rows_like({name: full[name] for name in names}, chance)
    at = columns(rows)
    steps = autodiff.compile(text, exact=exact)
    _as_the_steps(_by_machine(text, exact=exact), steps, 4 if "hypot" in text else 0, **at)


@pytest.mark.parametrize(
    "row",
    [row for row in rules.rows() if row.kind == ELEMENTWISE and not row.conditions],
    ids=lambda row: row.signature,
)
@pytest.mark.parametrize("exact", [True, False])
def test_every_row_of_the_table_at_its_special_points(row: Any, exact: bool) -> None:
    names = [f"a{k}" for k in range(row.arity)]
    calls = {1: f"{row.name}{names[0]}", 2: f" {row.name} ".join(names)}
    call = f"{row.name}({', '.join(names)})" if row.name.isidentifier() else calls[row.arity]
    if row.is_predicate:
        call = f"if({call}, 1, 0)"
    rows = [dict(zip(names, args, strict=True)) for args in arguments(row.arity, 60)]
    rows += [dict.fromkeys(names, value) for value in SPECIAL]
    found = _by_machine(call, exact=exact)
    made = found.machine_code and found.machine_code.machine(0, frozenset())
    needs = {step.row.name for step in found.plan.steps if step.row} if found.plan else set()
    assert (made is None) == (found.plan is None or bool(needs & ABSENT))
    if made is None:  # both would be the steps
        return
    steps = autodiff.compile(call, exact=exact)
    _as_the_steps(found, steps, 1 if "hypot" in call else 0, **columns(rows))


def test_hypot_is_rounded_as_python_rounds_it() -> None:
    chance = np.random.default_rng(3)
    x, y = chance.normal(size=(2, 20_000)) * 10.0 ** chance.integers(-320, 309, (2, 20_000)).clip(-300, 300)
    x[:10_000] = y[:10_000] * chance.uniform(0.1, 10, 10_000)
    value, _ = _by_machine("hypot(x, y)", [])(x=x, y=y)
    want = np.array(list(map(math.hypot, x.tolist(), y.tolist())))
    assert (np.abs(value - want) <= np.spacing(want)).all()
    assert np.count_nonzero(value != want) < 5


def test_the_remainder_by_one_is_that_of_the_steps_without_a_call() -> None:
    chance = np.random.default_rng(0)
    bits = chance.integers(-(2**63), 2**63 - 1, 20_000).view(float)
    sizes = chance.uniform(-1, 1, 20_000) * 2.0 ** chance.integers(-60, 60, 20_000)
    x = np.concatenate([bits[np.isfinite(bits)], sizes, np.arange(-50.0, 50), np.nextafter(np.arange(-50.0, 50), 0)])
    compiled = _by_machine("mod(x, 1)")
    assert compiled.plan is not None
    program = jit_program(compiled.plan, (), exact=False)
    assert program is not None
    assert not program.calls()
    _as_the_steps(compiled, autodiff.compile("mod(x, 1)"), x=x)


@pytest.mark.parametrize("exponent", [2, 3, 4, -1, -2, 0.5, 5, -3, 1.5])
def test_a_power_is_the_same_by_its_constant_and_by_a_column(exponent: float) -> None:
    x = np.concatenate([np.random.default_rng(1).uniform(0.1, 9, 300), [1e-200, 3e-160, 1e155, 5e-324, 1e308]])
    constant, _ = _by_machine(f"x^({exponent})", exact=True)(x=x)
    column, _ = _by_machine("x^y", exact=True)(x=x, y=np.full(len(x), float(exponent)))
    steps, _ = autodiff.compile("x^y", exact=True)(x=x, y=np.full(len(x), float(exponent)))
    assert np.array_equal(constant, column, equal_nan=True)
    assert np.array_equal(constant, steps, equal_nan=True)
    alone = [autodiff.evaluate("x^y", {"x": u, "y": float(exponent)}).value for u in x[:300].tolist()]
    assert alone == constant[:300].tolist()


@pytest.mark.parametrize("exponent", [k for k in range(-20, 21) if k])
def test_whole_powers_are_products(exponent: int) -> None:
    """Up to 16, but not where rows are to be exact; off by no more than their roundings are counted for."""
    x = np.concatenate([np.random.default_rng(1).uniform(-9, 9, 300), [0.0, 1e-200, -3e-21, 1e19, -1e155, 5e-324]])
    text = f"x^({exponent})"
    found = _by_machine(text)
    assert found.plan is not None
    calls = {exact: jit_program(found.plan, (), exact=exact).calls() for exact in (True, False)}  # type: ignore[union-attr]
    needed = {exponent, exponent - 1} - {0, 1}  # the slope's power too
    assert (not calls[False]) == all(abs(power) <= 16 for power in needed)
    assert (not calls[True]) == (needed <= PRODUCTS.keys())
    _as_the_steps(found, autodiff.compile(text), x=x)
    batch = found.batch(x=x)
    for row, u in enumerate(x.tolist()):
        point = autodiff.evaluate(text, {"x": u}, check=False)
        assert batch.hard.get(row, "ok") == point.status
        if point.value is not None:
            most = 1 + roundings(exponent)
            assert math.isclose(batch.value[row], point.value, rel_tol=most * 2.0**-53, abs_tol=5e-324)


@pytest.mark.parametrize("rows", [1, 7, llvm_ir.BLOCK - 1, llvm_ir.BLOCK + 1, SHARE, SHARE + 1, 2 * SHARE + 3])
def test_every_boundary_of_blocks_and_shares(rows: int) -> None:
    chance = np.random.default_rng(rows)
    x, y = chance.normal(size=rows), chance.normal(size=rows)
    corners = sorted({0, 1, llvm_ir.BLOCK - 1, llvm_ir.BLOCK, SHARE - 1, SHARE, rows - 1} & set(range(rows)))
    y[corners] = 0.0
    x[corners[1:2]] = np.nan
    text = "if(x > 0, sqrt(x), exp(x)) + abs(y)*x + atan2(y, sin(x))"
    found, steps = _by_machine(text), autodiff.compile(text)
    _as_the_steps(found, steps, x=x, y=y)
    assert set(found.batch(x=x, y=y).hard) == set(steps.batch(x=x, y=y).hard) == set(corners)


def test_numbers_strided_and_broadcastcolumns() -> None:
    text = "exp(-x*y) + mod(x, z)"
    x = np.linspace(-3, 3, 5001)[::2]
    for at in ({"x": x, "y": 0.5, "z": 2}, {"x": x[::-1], "y": x, "z": np.float32(1.5)}, {"x": x, "y": [0.25], "z": x}):
        _as_the_steps(_by_machine(text), autodiff.compile(text), **at)
    value, gradient = _by_machine(text)(x=x[:6].reshape(2, 3), y=np.ones((1, 3)), z=1)
    assert value.shape == gradient["y"].shape == (2, 3)
    assert _by_machine("2*x")(x=[])[0].shape == (0,)
    unaligned = np.frombuffer(b"\0" + x.tobytes(), offset=1)
    assert _by_machine("2*x")(x=unaligned)[0].tolist() == (2 * x).tolist()


def test_more_values_at_a_time_than_buffers_fit() -> None:
    text = " + ".join(f"sin({k}*x)*cos(x + {k})" for k in range(1, 100))
    compiled = _by_machine(text)
    assert compiled.plan is not None
    made = jit_program(compiled.plan, (), exact=False)
    assert made is not None
    held = llvm_ir.buffers(made)
    assert held.block == llvm_ir.SHORTEST < llvm_ir.ROOM // 16
    assert held.block * held.count > llvm_ir.ROOM
    x = np.random.default_rng(1).normal(size=2 * llvm_ir.BLOCK + 3)
    _as_the_steps(compiled, autodiff.compile(text), x=x)


def test_a_program_that_is_too_long_takes_the_steps() -> None:
    compiled = _by_machine("+".join(f"sin({k}*x)" for k in range(1, machine.LONGEST)))
    assert compiled.plan is not None
    assert machine.machine(compiled.plan, (), exact=False) is None
    assert compiled(x=np.array([0.0]))[0].tolist() == [0.0]


def test_one_build_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []
    build = machine.machine

    def counted(*given: Any, **options: Any) -> Any:
        built.append(given)
        return build(*given, **options)

    monkeypatch.setattr(machine, "machine", counted)
    g = autodiff.compile("sin(x)*y")
    x = np.linspace(0, 1, machine.WORTH)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(g(x=x, y=2.0)[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert all(np.array_equal(result, found[0]) for result in found)
    g(x=x, y=x)
    assert len(built) == 2  # with another choice of inputs that are one number


def _child(code: str) -> str:
    done = python("-c", code)
    assert not done.err
    return done.out


def test_llvm_is_loaded_when_enough_rows_have_come() -> None:
    code = (
        "import sys, autodiff, numpy as np\nfrom autodiff.batch.jit.compile import WORTH\n"
        "g = autodiff.compile('x^2')\n"
        "for rows in (WORTH // 2, WORTH // 2 - 1, 1): g(x=np.ones(rows)); print('llvmlite' in sys.modules)"
    )
    assert _child(code).split() == ["False", "False", "True"]


def test_without_llvm_it_takes_the_steps() -> None:
    code = (
        "import sys; sys.modules['llvmlite'] = None\nimport autodiff, numpy as np\n"
        "value, slopes = autodiff.compile('x^2')(x=np.full(600_000, 3.0)); print(value[-1], slopes['x'][-1])"
    )
    assert _child(code).split() == ["9.0", "6.0"]


def test_a_function_that_answers_otherwise_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    libm._address.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(math, "sinh", lambda u: math.nextafter(math.cosh(u) * math.tanh(u), 9))
        assert libm.addresses(["exp", "sinh"]) is None
    libm._address.cache_clear()
    assert libm.addresses(["exp", "sinh"]) is not None


def test_vector_functions_are_called_where_the_system_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "sin(x)*exp(y)*mod(x, y)^1.5"
    x, y = np.random.default_rng(2).uniform(0.1, 3, (2, 1001))
    exact = _by_machine(text, exact=True)(x=x, y=y)
    alone = [autodiff.evaluate(text, {"x": u, "y": v}).value for u, v in zip(x, y, strict=True)]
    assert np.allclose(exact[0], alone, rtol=2 * 2.0**-52, atol=0)
    fast = _by_machine(text)(x=x, y=y)
    if libmvec.vector_function("sin") is not None:
        assert not np.array_equal(fast[0], exact[0])
    assert np.allclose(fast[0], exact[0], rtol=1e-14, atol=0)
    monkeypatch.setattr(libmvec, "vector_function", lambda name: None)  # macOS, musl, an old glibc, an old processor
    monkeypatch.setattr(ufuncs, "vector_function", lambda name: None)
    for build in (_by_machine, autodiff.compile):
        assert np.array_equal(build(text)(x=x, y=y)[0], exact[0])


@pytest.mark.parametrize("missing", ["processor", "library", "memory"])
def test_without_vector_functions_there_are_none(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise OSError

    caches = [libmvec.vector_function, libmvec._loop, libmvec._executable]
    with monkeypatch.context() as patched:
        for cache in caches:
            cache.cache_clear()
        if missing == "processor":
            patched.setattr(libmvec, "_processor_features", set)
        elif missing == "library":
            patched.setattr(libmvec, "_FILE", "libmvec.so.0")
        else:
            patched.setattr("mmap.mmap", forbidden)
        assert libmvec.vector_function("sin") is None
    for cache in caches:
        cache.cache_clear()


def test_result_arrays_are_reused_when_no_reference_is_left() -> None:
    g = autodiff.compile("x^2")
    x = np.linspace(0, 1, run.LEAST_KEPT)
    value, gradient = g(x=x)
    kept, place = value[5:9], gradient["x"].ctypes.data
    del value, gradient
    again, gradient = g(x=2 * x)
    assert place in (again.ctypes.data, gradient["x"].ctypes.data)  # dropped by all
    assert not np.shares_memory(again, kept)  # a part of it is held
    assert kept.tolist() == (x[5:9] ** 2).tolist()
    second, _ = g(x=3 * x)
    assert not np.shares_memory(again, second)
    assert again.tolist() == ((2 * x) ** 2).tolist()
