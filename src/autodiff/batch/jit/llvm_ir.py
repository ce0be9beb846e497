"""Operations as a program in LLVM's language: for each block of rows, a loop for each stage, with buffers between them.

>>> program = JitProgram()
>>> x = program.column("x")
>>> program.results = [program.do("fadd double {0}, {1}", x, x)]
>>> "fadd double" in assembly(program, {}, {})
True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from autodiff.batch.jit.instructions import JitProgram

BLOCK = 1024
"""Rows of a block at most: enough to make the start of a loop negligible."""

SHORTEST = 64
"""Rows of a block at least."""

LANES = 4
"""Numbers that a vector function takes at a time."""

ROOM = 1 << 12
"""Numbers that all buffers together hold: 32 kB, which stay in a core's first cache beside the columns."""


@dataclass(frozen=True, slots=True)
class Buffers:
    """Which values are kept for a later stage, each in a buffer; buffers are reused. `block` rows at a time fit in."""

    of: Mapping[int, int]
    count: int

    @property
    def block(self) -> int:
        fits = ROOM // max(self.count, 1)
        return max(SHORTEST, min(BLOCK, 1 << fits.bit_length() - 1 if fits else 0))


def buffers(program: JitProgram) -> Buffers:
    """The values that are used in a later stage than their own."""
    last = dict[int, int]()
    for value, operation in enumerate(program.operations):
        for arg in operation.args if operation else ():
            if program.operations[arg] is not None and program.stage[arg] != program.stage[value]:
                last[arg] = max(last.get(arg, 0), program.stage[value])
    of: dict[int, int] = {}
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    for value in sorted(last, key=program.stage.__getitem__):
        while busy and busy[0][0] < program.stage[value]:
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
declare <4 x double> @llvm.masked.load.v4f64.p0(ptr, i32, <4 x i1>, <4 x double>)
define void @rows({signature}, ptr noalias %good, ptr noalias %room, i64 %start, i64 %stop) nounwind "prefer-vector-width"="512" {{
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
"""The metadata declare the rows independent, which LLVM could not prove of the buffers."""


def assembly(program: JitProgram, functions: Mapping[str, int], vector_functions: Mapping[str, int]) -> str:
    """The program `rows` over rows from start to stop, in which functions are called by their addresses.

    Those of `vector_functions` take the numbers of four rows at a time, all others one number.
    """
    pool = buffers(program)
    moved = [*(f"c{value}" for value in program.columns), *(f"r{k}" for k in range(len(program.results)))]
    starts = [f"  %{name}.b = getelementptr double, ptr %{name}, i64 %b" for name in moved]
    rooms = [f"  %m{k} = getelementptr double, ptr %room, i64 {k * pool.block}" for k in range(pool.count)]
    head = _HEAD.format(
        signature=", ".join(
            [*(f"double {text}" for text in program.numbers), *(f"ptr noalias %{name}" for name in moved)]
        ),
        rooms="\n".join(rooms),
        columns="\n".join(starts),
        block=pool.block,
    )
    loops = list(_loops(program, pool, functions, vector_functions))
    lines = [head]
    for k, loop in enumerate(loops):
        before, after = f"loop{k - 1}.end" if k else "block", f"loop{k + 1}" if k + 1 < len(loops) else "rest"
        lines += [
            f"loop{k}:",
            f"  %i{k} = phi i64 [0, %{before}], [%i{k}.next, %loop{k}.end]",
            *loop.lines,
            f"  br label %loop{k}.end",
            f"loop{k}.end:",
            f"  %i{k}.next = add nuw nsw i64 %i{k}, {loop.step}",
            f"  %i{k}.over = icmp sge i64 %i{k}.next, %n",
            f"  br i1 %i{k}.over, label %{after}, label %loop{k}, !llvm.loop !{k + 2}",
        ]
    return "\n".join([*lines, _TAIL, *(f"!{k + 2} = distinct !{{!{k + 2}, !1}}" for k in range(len(loops)))])


def _loops(
    program: JitProgram, pool: Buffers, functions: Mapping[str, int], vector_functions: Mapping[str, int]
) -> Iterator[_Loop]:
    """The loops of all stages, in order: calls that take one number, and those that take four, are loops of their own."""
    number = count()
    for stage in program.stages():
        calls = [value for value in stage if program.stage[value] % 2]
        if not calls:
            loop = _Loop(program, pool, next(number))
            loop.instructions(stage)
            yield loop
            continue
        by_four = [value for value in calls if program.instruction(value).text in vector_functions]
        if by_four:
            loop = _Loop(program, pool, next(number), LANES)
            loop.vector_calls(by_four, vector_functions)
            yield loop
        if len(by_four) < len(calls):
            loop = _Loop(program, pool, next(number))
            loop.calls([value for value in calls if value not in by_four], functions)
            yield loop


class _Loop:
    """The lines inside loop number k, which goes on by `step` rows each time."""

    def __init__(self, program: JitProgram, pool: Buffers, k: int, step: int = 1) -> None:
        self.program, self.pool, self.k, self.step = program, pool, k, step
        self.lines: list[str] = []
        self._known: dict[int, str] = dict(program.fixed)

    def instructions(self, values: Sequence[int]) -> None:
        for value in values:
            instruction = self.program.instruction(value)
            name = f"%v{value}.{self.k}"
            self._put(f"{name} = {instruction.text.format(*map(self._text, instruction.args))}")
            self._known[value] = name
            if value in self.pool.of:
                self._keep(value, name)
        for k, value in enumerate(self.program.results):
            if value in values:
                self._store("double", self._text(value), f"r{k}.b")
        self._judge([check for check in self.program.checks if check in values])

    def calls(self, values: Sequence[int], functions: Mapping[str, int]) -> None:
        for value in values:
            instruction, name = self.program.instruction(value), f"%v{value}.{self.k}"
            given = ", ".join(f"double {self._text(a)}" for a in instruction.args)
            self._put(f"{name} = call double inttoptr (i64 {functions[instruction.text]} to ptr)({given}) nounwind")
            if value in self.pool.of:
                self._keep(value, name)

    def vector_calls(self, values: Sequence[int], functions: Mapping[str, int]) -> None:
        """Calls for the rows i to i + 3. Beyond the block's end they get ones; buffers have room for what comes of these."""
        self._put(f"%left.{self.k} = sub i64 %n, %i{self.k}")
        self._put(f"%all.{self.k} = {self._splat('i64', f'%left.{self.k}')}")
        lanes = ", ".join(f"i64 {lane}" for lane in range(LANES))
        self._put(f"%mask.{self.k} = icmp slt {_VECTOR['i64']} <{lanes}>, %all.{self.k}")
        for value in values:
            instruction, name = self.program.instruction(value), f"%v{value}.{self.k}"
            given = ", ".join(f"{_VECTOR['double']} {self._vector(a)}" for a in instruction.args)
            place = f"inttoptr (i64 {functions[instruction.text]} to ptr)"
            self._put(f"{name} = call {_VECTOR['double']} {place}({given}) nounwind")
            if value in self.pool.of:
                self._store(_VECTOR["double"], name, f"m{self.pool.of[value]}")

    def _vector(self, value: int) -> str:
        """The numbers of four rows, as they are called in this loop."""
        if value in self.program.fixed:
            name = f"%s{value}.{self.k}.{len(self.lines)}"
            self._put(f"{name} = {self._splat('double', self.program.fixed[value])}")
            return name
        if value in self._known:
            return self._known[value]
        name = f"%v{value}.{self.k}.{len(self.lines)}"
        array = f"c{value}.b" if value in self.program.columns else f"m{self.pool.of[value]}"
        self._put(f"{name}.p = getelementptr double, ptr %{array}, i64 %i{self.k}")
        ones = ", ".join(["double 1.0"] * LANES)
        mask = f"<{LANES} x i1> %mask.{self.k}, {_VECTOR['double']} <{ones}>"
        self._put(f"{name} = call {_VECTOR['double']} @llvm.masked.load.v4f64.p0(ptr {name}.p, i32 8, {mask})")
        self._known[value] = name
        return name

    def _splat(self, kind: str, value: str) -> str:
        """The instruction, after one that is put before it, that makes four of a number."""
        first = f"%first.{self.k}.{len(self.lines)}"
        self._put(f"{first} = insertelement {_VECTOR[kind]} poison, {kind} {value}, i64 0")
        return f"shufflevector {_VECTOR[kind]} {first}, {_VECTOR[kind]} poison, <{LANES} x i32> zeroinitializer"

    def _judge(self, checks: Sequence[int]) -> None:
        """Whether the row is good so far."""
        if self.k and not checks:
            return
        good = "true"
        if self.k:
            good = self._loaded("i8", "good.b", f"%good.{self.k}")
            self._put(f"{good}.1 = trunc i8 {good} to i1")
            good += ".1"
        for check in checks:
            self._put(f"%l{check}.{self.k} = and i1 {good}, {self._text(check)}")
            good = f"%l{check}.{self.k}"
        self._put(f"%fine.{self.k} = zext i1 {good} to i8")
        self._store("i8", f"%fine.{self.k}", "good.b")

    def _text(self, value: int) -> str:
        """How a value is called in this loop, into which it is loaded where it is from outside."""
        if value in self._known:
            return self._known[value]
        name = f"%v{value}.{self.k}.{len(self.lines)}"
        if value in self.program.columns:
            self._loaded("double", f"c{value}.b", name)
        elif self.program.kind(value) == "i1":
            self._loaded("i8", f"m{self.pool.of[value]}", f"{name}.8")
            self._put(f"{name} = trunc i8 {name}.8 to i1")
        else:
            self._loaded("double", f"m{self.pool.of[value]}", name)
        self._known[value] = name
        return name

    def _keep(self, value: int, name: str) -> None:
        room = f"m{self.pool.of[value]}"
        if self.program.kind(value) == "i1":
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
        self._put(f"{place} = getelementptr {_ELEMENT.get(kind, kind)}, ptr %{array}, i64 %i{self.k}")
        self._put(f"store {kind} {name}, ptr {place}, align {_ALIGN[kind]}, !llvm.access.group !0")

    def _put(self, line: str) -> None:
        self.lines.append("  " + line)


_VECTOR = {kind: f"<{LANES} x {kind}>" for kind in ("double", "i64")}
_ALIGN = {"double": 8, _VECTOR["double"]: 8, "i8": 1}
_ELEMENT = {_VECTOR["double"]: "double"}
