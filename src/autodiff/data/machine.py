"""Machine code for a program over rows: arithmetic in wide registers, the C library's functions in between.

    exp(x) + y    becomes    for each block of rows: exp(x) into a buffer, one by one; then buffer + y, eight at a time

LLVM makes the code, of the extra `fast`; it fuses no operations and trades none for another, so a row has the digits
that one-shot gives it.

>>> from autodiff.data.code import Code
>>> code = Code()
>>> x = code.column("x")
>>> code.results = [code.do("fadd double {0}, {1}", x, x)]
>>> "fadd double %v0.0, %v0.0" in assembly(code, {})
True
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from threading import Lock
from typing import Any

from autodiff.data import clibrary
from autodiff.data.code import Code, code
from autodiff.data.plan import Plan

BLOCK = 1024
"""Rows of a block: what a loop costs to start is lost among them, and four buffers of 8 kB fit a core's first cache."""

SHORTEST = 64
"""Rows of a block at least."""

ROOM = 1 << 16
"""Numbers that all buffers together hold, a part of a core's second cache; for more buffers, blocks get shorter."""

LONGEST = 4000
"""Operations that are compiled."""

WORTH = 500_000
"""Rows that pay for machine code. It costs 0.04 s for LLVM and, on a program of a line, 0.03 s; a row gains 20 to 200 ns.
Of a longer program, both grow."""

_LLVM = Lock()
"""LLVM makes one program at a time."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A plan's machine code over arrays, for one choice of which inputs are one number."""

    names: tuple[str, ...]
    same: frozenset[str]
    size: int
    function: Any
    engine: Any  # LLVM's, which owns the function

    def run(self, columns: Mapping[str, Any], results: Sequence[Any], good: Any, shares: Iterable[slice]) -> None:
        """Fill the rows of the results and of `good`; other threads go on meanwhile. No share is empty.

        Arrays are flat, of float64 (and of truth values, `good`), each element beside the next.
        """
        import numpy as np

        room = np.empty(self.size)
        numbers = [columns[name] for name in self.names if name in self.same]
        arrays = [np.ascontiguousarray(columns[name]) for name in self.names if name not in self.same]
        pointers = [each.ctypes.data for each in (*arrays, *results, good, room)]
        for share in shares:
            self.function(*numbers, *pointers, share.start, share.stop)


class Workshop:
    """Makes a plan's machine code, once for each choice of inputs that are one number, when enough rows have come.

    To wait until the rows would have paid for it costs at most twice what knowing their number would have.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows = 0
        self._made: dict[frozenset[str], Machine | None] = {}
        self._lock = Lock()

    def machine(self, rows: int, same: frozenset[str]) -> Machine | None:
        """The machine code for so many rows more; None where they are too few so far, or where there is none."""
        with self._lock:
            self._rows += rows
            if same not in self._made and self._rows >= WORTH:
                self._made[same] = machine(self._plan, same)
            return self._made.get(same)


def machine(plan: Plan, same: Collection[str]) -> Machine | None:
    """The plan's machine code where `same` are the inputs that are one number; None where it is LLVM or the C library
    that is missing something, or the plan is too long.
    """
    try:
        import llvmlite.binding as llvm
    except ImportError:
        return None
    made = code(plan, same) if len(plan.steps) <= LONGEST else None
    if made is None or len(made.operations) > LONGEST:
        return None
    functions = clibrary.addresses(made.calls())
    if functions is None:
        return None
    with _LLVM:
        engine = _engine(llvm, assembly(made, functions))
    names, held = tuple(plan.inputs), buffers(made)
    kinds = [ctypes.c_double] * len(made.numbers) + [ctypes.c_void_p] * (len(made.columns) + len(made.results) + 2)
    signature = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_int64, ctypes.c_int64)
    function = signature(engine.get_function_address("rows"))
    return Machine(names, frozenset(same), held.count * held.block, function, engine)


def _engine(llvm: Any, text: str) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = target.triple, str(target.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = True
    passes = llvm.create_pass_builder(target, options)
    passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


# --- buffers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Buffers:
    """Which values wait for a later turn, each in a buffer; those are used again. `block` rows at a time fit in."""

    of: Mapping[int, int]
    count: int

    @property
    def block(self) -> int:
        fits = ROOM // max(self.count, 1)
        return max(SHORTEST, min(BLOCK, 1 << fits.bit_length() - 1 if fits else 0))


def buffers(made: Code) -> Buffers:
    last: dict[int, int] = {}
    for value, each in enumerate(made.operations):
        for arg in each.args if each else ():
            if made.operations[arg] is not None and made.turn[arg] != made.turn[value]:
                last[arg] = max(last.get(arg, 0), made.turn[value])
    of: dict[int, int] = {}
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    for value in sorted(last, key=made.turn.__getitem__):
        while busy and busy[0][0] < made.turn[value]:
            free.append(heappop(busy)[1])
        of[value] = free.pop() if free else len(busy)
        heappush(busy, (last[value], of[value]))
    return Buffers(of, 1 + max(of.values(), default=0))


# --- LLVM's language --------------------------------------------------------------------------------------------------

_HEAD = """
declare double @llvm.sqrt.f64(double)
declare double @llvm.fabs.f64(double)
declare double @llvm.floor.f64(double)
declare double @llvm.ceil.f64(double)
declare double @llvm.rint.f64(double)
define void @rows({signature}, ptr noalias %good, ptr noalias %room, i64 %start, i64 %stop) nounwind {{
entry:
{rooms}
  br label %block
block:
  %b = phi i64 [%start, %entry], [%b.next, %rest]
  %b.end = add i64 %b, {block}
  %b.last = icmp sge i64 %b.end, %stop
  %b.next = select i1 %b.last, i64 %stop, i64 %b.end
  %n = sub i64 %b.next, %b
{columns}
  %good.b = getelementptr i8, ptr %good, i64 %b
  br label %loop0
"""

_TAIL = """
rest:
  br i1 %b.last, label %end, label %block
end:
  ret void
}
!0 = distinct !{}
!1 = !{!"llvm.loop.parallel_accesses", !0}
"""
"""The metadata say that rows have nothing to do with each other, which LLVM could not prove of the buffers."""


def assembly(made: Code, functions: Mapping[str, int]) -> str:
    """The program `rows` over rows from start to stop, in which `functions` are called by their addresses."""
    held = buffers(made)
    moved = [*(f"c{value}" for value in made.columns), *(f"r{k}" for k in range(len(made.results)))]
    starts = [f"  %{name}.b = getelementptr double, ptr %{name}, i64 %b" for name in moved]
    rooms = [f"  %m{k} = getelementptr double, ptr %room, i64 {k * held.block}" for k in range(held.count)]
    head = _HEAD.format(
        signature=", ".join(
            [*(f"double {text}" for text in made.numbers), *(f"ptr noalias %{name}" for name in moved)]
        ),
        rooms="\n".join(rooms),
        columns="\n".join(starts),
        block=held.block,
    )
    turns = made.turns()
    lines = [head]
    for k, values in enumerate(turns):
        before, after = f"loop{k - 1}" if k else "block", f"loop{k + 1}" if k + 1 < len(turns) else "rest"
        loop = _Loop(made, held, k)
        if any(made.turn[value] % 2 for value in values[:1]):
            loop.calls(values, functions)
        else:
            loop.instructions(values)
        lines += [
            f"loop{k}:",
            f"  %i{k} = phi i64 [0, %{before}], [%i{k}.next, %loop{k}]",
            *loop.lines,
            f"  %i{k}.next = add nuw nsw i64 %i{k}, 1",
            f"  %i{k}.over = icmp eq i64 %i{k}.next, %n",
            f"  br i1 %i{k}.over, label %{after}, label %loop{k}, !llvm.loop !{k + 2}",
        ]
    return "\n".join([*lines, _TAIL, *(f"!{k + 2} = distinct !{{!{k + 2}, !1}}" for k in range(len(turns)))])


class _Loop:
    """The lines inside loop number k."""

    def __init__(self, made: Code, held: Buffers, k: int) -> None:
        self.made, self.held, self.k = made, held, k
        self.lines: list[str] = []
        self._known: dict[int, str] = dict(made.fixed)

    def instructions(self, values: Sequence[int]) -> None:
        for value in values:
            made = self.made.operations[value]
            assert made is not None
            name = f"%v{value}.{self.k}"
            self._put(f"{name} = {made.text.format(*map(self._text, made.args))}")
            self._known[value] = name
            if value in self.held.of:
                self._keep(value, name)
        for k, value in enumerate(self.made.results):
            if value in values:
                self._store("double", self._text(value), f"r{k}.b")
        self._judge([look for look in self.made.looks if look in values])

    def calls(self, values: Sequence[int], functions: Mapping[str, int]) -> None:
        for value in values:
            made = self.made.operations[value]
            assert made is not None
            given = ", ".join(f"double {self._text(a)}" for a in made.args)
            name = f"%v{value}.{self.k}"
            self._put(f"{name} = call double inttoptr (i64 {functions[made.text]} to ptr)({given}) nounwind")
            if value in self.held.of:
                self._keep(value, name)

    def _judge(self, looks: Sequence[int]) -> None:
        """Whether the row is good so far."""
        if self.k and not looks:
            return
        good = "true"
        if self.k:
            good = self._loaded("i8", "good.b", f"%good.{self.k}")
            self._put(f"{good}.1 = trunc i8 {good} to i1")
            good += ".1"
        for look in looks:
            self._put(f"%l{look}.{self.k} = and i1 {good}, {self._text(look)}")
            good = f"%l{look}.{self.k}"
        self._put(f"%fine.{self.k} = zext i1 {good} to i8")
        self._store("i8", f"%fine.{self.k}", "good.b")

    def _text(self, value: int) -> str:
        """How a value is called in this loop, into which it is loaded where it is from outside."""
        if value in self._known:
            return self._known[value]
        name = f"%v{value}.{self.k}"
        if value in self.made.columns:
            self._loaded("double", f"c{value}.b", name)
        elif self.made.kind(value) == "i1":
            self._loaded("i8", f"m{self.held.of[value]}", f"{name}.8")
            self._put(f"{name} = trunc i8 {name}.8 to i1")
        else:
            self._loaded("double", f"m{self.held.of[value]}", name)
        self._known[value] = name
        return name

    def _keep(self, value: int, name: str) -> None:
        room = f"m{self.held.of[value]}"
        if self.made.kind(value) == "i1":
            self._put(f"{name}.k = zext i1 {name} to i8")
            self._store("i8", f"{name}.k", room)
        else:
            self._store("double", name, room)

    def _loaded(self, kind: str, array: str, name: str) -> str:
        self._put(f"{name}.p = getelementptr {kind}, ptr %{array}, i64 %i{self.k}")
        self._put(f"{name} = load {kind}, ptr {name}.p, align {_ALIGN[kind]}, !llvm.access.group !0")
        return name

    def _store(self, kind: str, name: str, array: str) -> None:
        place = f"%p{len(self.lines)}.{self.k}"
        self._put(f"{place} = getelementptr {kind}, ptr %{array}, i64 %i{self.k}")
        self._put(f"store {kind} {name}, ptr {place}, align {_ALIGN[kind]}, !llvm.access.group !0")

    def _put(self, line: str) -> None:
        self.lines.append("  " + line)


_ALIGN = {"double": 8, "i8": 1}
