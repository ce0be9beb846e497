"""Intermediate form of the JIT: instructions and calls of the C library, scheduled in stages.

    sin(x*y) + 1    becomes    stage 0: fmul;  stage 1: sin;  stage 2: fadd

>>> program = JitProgram()
>>> x, y = program.column("x"), program.column("y")
>>> program.stage[program.do("fadd double {0}, {1}", program.call("sin", program.do("fmul double {0}, {1}", x, y)), x)]
2
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction, `{0}` standing for its first argument, or the name of a function of the C library."""

    text: str
    args: tuple[int, ...]
    kind: str = "double"
    call: bool = False


@dataclass(slots=True)
class JitProgram:
    """Instructions and calls in order, each with its stage: even for instructions, odd for calls, after their arguments'.

    So everything of one stage is one loop over rows. A value is the number of its operation; those in `columns` are
    inputs, and those in `fixed` the same in every row. `checks` are conditions that hold where a row can be trusted.
    """

    operations: list[Instruction | None] = field(default_factory=list)
    stage: list[int] = field(default_factory=list)
    columns: dict[int, str] = field(default_factory=dict)
    fixed: dict[int, str] = field(default_factory=dict)
    checks: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)

    def column(self, name: str) -> int:
        """An input that has a number for each row."""
        value = self._new(None, 0)
        self.columns[value] = name
        return value

    def same(self, text: str) -> int:
        """A number for all rows, as the processor's language writes it."""
        value = self._new(None, 0)
        self.fixed[value] = text
        return value

    def constant(self, number: float) -> int:
        return self.same(literal(number))

    def do(self, text: str, *args: int, kind: str = "double") -> int:
        """The result of an instruction."""
        after = max(self.stage[a] for a in args)
        return self._new(Instruction(text, args, kind), after + after % 2)

    def test(self, text: str, *args: int) -> int:
        """The result of an instruction that makes a condition."""
        return self.do(text, *args, kind="i1")

    def call(self, name: str, *args: int) -> int:
        """The result of a function of the C library."""
        after = max(self.stage[a] for a in args)
        return self._new(Instruction(name, args, call=True), after + 1 + after % 2)

    def choose(self, condition: int, u: int, v: int) -> int:
        return self.do("select i1 {0}, double {1}, double {2}", condition, u, v)

    @property
    def numbers(self) -> list[str]:
        """The names of the inputs that are one number."""
        return [text for text in self.fixed.values() if text.startswith("%")]

    def stages(self) -> list[list[int]]:
        """The operations of each stage; there is a first one, and no other that is empty."""
        stages: dict[int, list[int]] = {0: []}
        for value, operation in enumerate(self.operations):
            if operation is not None:
                stages.setdefault(self.stage[value], []).append(value)
        return [stages[stage] for stage in sorted(stages)]

    def calls(self) -> set[str]:
        """The functions of the C library that are called."""
        return {operation.text for operation in self.operations if operation is not None and operation.call}

    def instruction(self, value: int) -> Instruction:
        """The instruction or the call that makes a value, which is no input and no constant."""
        operation = self.operations[value]
        assert operation is not None
        return operation

    def kind(self, value: int) -> str:
        """`double`, or `i1` of a condition."""
        operation = self.operations[value]
        return operation.kind if operation else "double"

    def number(self, value: int) -> int:
        """A condition as 1 or 0."""
        return self.do("uitofp i1 {0} to double", value) if self.kind(value) == "i1" else value

    def condition(self, value: int) -> int:
        """A number as a condition."""
        return value if self.kind(value) == "i1" else self.test("fcmp une double {0}, 0.0", value)

    def _new(self, operation: Instruction | None, stage: int) -> int:
        self.operations.append(operation)
        self.stage.append(stage)
        return len(self.stage) - 1


def literal(number: float) -> str:
    """A number as LLVM reads it, bit by bit."""
    return f"0x{struct.pack('>d', number).hex().upper()}"
