"""Machine code for a program over rows: arithmetic in wide registers, the C library's functions in between.

    exp(x) + y    becomes    for each block of rows: exp(x) into a buffer, four at a time; then buffer + y, eight at a time

LLVM makes the code, of the extra `fast`; it fuses no operations and trades none for another, so a row has the digits
that the steps over arrays give it.

>>> from autodiff.batch.compile import compile
>>> machine(compile("gamma(x)").plan, (), exact=True) is None     # not in the C library as it is in Python
True
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from autodiff.batch.jit import libm
from autodiff.batch.jit.instructions import JitProgram
from autodiff.batch.jit.llvm_ir import assembly, buffers
from autodiff.batch.jit.lowering import jit_program
from autodiff.batch.program import BlockProgram

LONGEST = 2000
"""Operations that are compiled: LLVM takes a second for them, and four for twice as many."""

WORTH = 500_000
"""Rows that pay for machine code. It costs up to 0.1 s for LLVM, once, and 0.03 s for a program of a line; a row gains
20 to 200 ns. Of a longer program, both grow."""

_LLVM = Lock()
"""LLVM makes one program at a time."""


@dataclass(frozen=True, slots=True)
class MachineCode:
    """A plan's machine code over arrays, for one choice of which inputs are one number."""

    names: tuple[str, ...]
    same: frozenset[str]
    size: int
    function: Any
    engine: Any  # LLVM's, which owns the function

    def run(
        self,
        columns: Mapping[str, Any],
        results: Sequence[Any],
        good: Any,
        underflow: Callable[[slice], None],
        shares: Iterable[slice],
    ) -> None:
        """Fill the rows of the results and of `good`; other threads go on meanwhile. No share is empty.

        `underflow` is called with a share where digits may have been lost below 2.2e-308.

        Arrays are flat, of float64 (and of truth values, `good`), each element beside the next and at its own boundary.
        """
        import numpy as np

        room = np.empty(self.size)
        numbers = [columns[name] for name in self.names if name in self.same]
        arrays = [columns[name] for name in self.names if name not in self.same]
        pointers = [array.ctypes.data for array in (*arrays, *results, good, room)]
        clear, raised = libm.underflow()
        for share in shares:
            clear()
            self.function(*numbers, *pointers, share.start, share.stop)
            if raised():
                underflow(share)


class MachineCodeCache:
    """The machine code of a block program, compiled once for each choice of scalar inputs, when enough rows have come.

    Waiting until the rows would have paid for it costs at most twice what knowing their number beforehand would.
    """

    def __init__(self, plan: BlockProgram, *, exact: bool) -> None:
        self._plan, self._exact = plan, exact
        self._rows = 0
        self._compiled: dict[frozenset[str], MachineCode | None] = {}
        self._lock = Lock()

    def machine(self, rows: int, same: frozenset[str]) -> MachineCode | None:
        """The machine code for so many rows more; None where they are too few so far, or where there is none."""
        with self._lock:
            self._rows += rows
            if self._rows < WORTH:
                return None
            if same not in self._compiled:
                self._compiled[same] = machine(self._plan, same, exact=self._exact)
            return self._compiled[same]

    def restart(self, *, at_once: bool) -> None:
        """Count rows from the beginning, so that what a file's rows are computed by depends on that file alone.

        at_once  use machine code from the first row on
        """
        with self._lock:
            self._rows = WORTH if at_once else 0


def machine(plan: BlockProgram, same: Collection[str], *, exact: bool) -> MachineCode | None:
    """The plan's machine code where `same` are the inputs that are one number; None where LLVM or a function of the C
    library is missing, or the program is too long.

    exact    call the functions that `evaluate` calls; else those that take four rows at a time, where there are some
    """
    if _binding() is None or len(plan.steps) > LONGEST:
        return None
    program = jit_program(plan, same, exact=exact)
    if program is None or len(program.operations) > LONGEST:
        return None
    vector_functions = {} if exact else _vector_functions(program.calls())
    functions = libm.addresses(program.calls() - vector_functions.keys())
    if functions is None:
        return None
    return _assembled(program, functions, vector_functions, tuple(plan.inputs), frozenset(same))


def _vector_functions(names: Iterable[str]) -> dict[str, int]:
    from autodiff.batch.jit.libmvec import vector_function  # loads NumPy

    functions = ((name, vector_function(name)) for name in names)
    return {name: function.address for name, function in functions if function is not None}


def _binding() -> Any:
    """LLVM, or None where it is not installed or has no pass builder."""
    try:
        import llvmlite.binding as llvm
    except ImportError:
        return None
    return llvm if hasattr(llvm, "create_pass_builder") else None


def _assembled(
    program: JitProgram,
    functions: Mapping[str, int],
    vector_functions: Mapping[str, int],
    names: tuple[str, ...],
    same: frozenset[str],
) -> MachineCode:
    pool = buffers(program)
    with _LLVM:
        engine = _engine(assembly(program, functions, vector_functions))
    pointers = len(program.columns) + len(program.results) + 2
    kinds = [ctypes.c_double] * len(program.numbers) + [ctypes.c_void_p] * pointers
    signature = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_int64, ctypes.c_int64)
    function = signature(engine.get_function_address("rows"))
    return MachineCode(names, same, pool.count * pool.block, function, engine)


def _engine(text: str) -> Any:
    llvm = _binding()
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
