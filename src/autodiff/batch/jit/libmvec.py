"""The C library's functions over four numbers at a time (glibc's libmvec), for processors with AVX2.

Each result is at most 4 units in the last place off, and depends on its own argument only, not on the three beside.
There are forms for eight numbers, which round otherwise and are not used, so that processors agree.
They are called with numbers in the processor's wide registers, which ctypes can't fill; so a few instructions, the same
for all functions, go over arrays and call them.

>>> function = vector_function("sin")
>>> out = np.empty(5)
>>> if function is not None: function.over(out, np.linspace(0.0, 1.0, 5))
>>> function is None or bool(abs(out[4] - np.sin(1.0)) < 1e-15)
True
"""

from __future__ import annotations

import ctypes
import math
import mmap
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from autodiff.batch.jit import libm
from autodiff.batch.jit.llvm_ir import LANES

_LARGEST_ERROR = 4
"""Units in the last place by which a function may differ from the one of `math`; one that differs more is not used."""

_FILE = "libmvec.so.1"
_NEEDED = {"avx2", "fma"}

_INSTRUCTIONS = (
    "53 41 54 41 55 41 56 41 57"  # push rbx, r12, r13, r14, r15, which a function leaves as they are
    "48 89 fb 49 89 f4 49 89 d7 49 89 cd 4d 89 c6"  # the arguments: rbx out, r12 u, r15 v, r13 count, r14 function
    "c4 c1 7d 10 04 24"  # again: vmovupd ymm0, [r12]
    "c4 c1 7d 10 0f"  # vmovupd ymm1, [r15]
    "41 ff d6"  # call r14
    "c5 fd 11 03"  # vmovupd [rbx], ymm0
    "48 83 c3 20 49 83 c4 20 49 83 c7 20"  # add 32 to rbx, r12, r15
    "49 ff cd 75 dd"  # dec r13; jnz again
    "c5 f8 77 41 5f 41 5e 41 5d 41 5c 5b c3"  # vzeroupper; pop what was pushed; ret
)
"""For x86-64: `for (; count; count--, out += 4, u += 4, v += 4) out[0:4] = function(u[0:4], v[0:4])`."""


@dataclass(frozen=True, slots=True)
class VectorFunction:
    """A function of one or two numbers over four at a time: its address, and its loop over arrays."""

    address: int
    loop: Callable[[int, int, int, int, int], object]

    def over(self, out: Any, *args: Any) -> None:
        """Fill `out` with the function of the arguments: arrays of float64, each element beside the next."""
        whole = len(out) // LANES
        if whole:
            given = [a.ctypes.data for a in args]
            self.loop(out.ctypes.data, given[0], given[-1], whole, self.address)
        if rest := len(out) % LANES:
            padded = [np.concatenate([a[-rest:], np.ones(LANES - rest)]) for a in args]
            last = np.empty(LANES)
            self.over(last, *padded)
            out[-rest:] = last[:rest]


@lru_cache(maxsize=64)
def vector_function(name: str) -> VectorFunction | None:
    """The function by its name in C; None where the system lacks it, or it is not as exact as it should be."""
    arity, loop, known = libm.arity(name), _loop(), getattr(math, name, None)
    if loop is None or known is None:
        return None
    try:
        place = getattr(ctypes.CDLL(_FILE), f"_ZGVdN4{'v' * arity}_{name}")
    except (OSError, AttributeError):
        return None
    address = ctypes.cast(place, ctypes.c_void_p).value
    function = None if address is None else VectorFunction(address, loop)
    return function if function is not None and _is_close(function, known, arity) else None


@lru_cache(maxsize=1)
def _loop() -> Callable[[int, int, int, int, int], object] | None:
    """The instructions over arrays; None where the processor is another one, or the system forbids to add some."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or not _NEEDED.issubset(_processor_features()):
        return None
    memory = _executable()
    if memory is None:
        return None
    kinds = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
    return ctypes.CFUNCTYPE(None, *kinds)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))


@lru_cache(maxsize=1)
def _executable() -> mmap.mmap | None:
    """Memory with the instructions, which stays as long as the process."""
    try:
        memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None
    memory.write(bytes.fromhex(_INSTRUCTIONS))
    return memory


def _processor_features() -> set[str]:
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            return next((set(line.split()) for line in lines if line.startswith("flags")), set())
    except OSError:
        return set()


def _is_close(function: VectorFunction, known: Callable[..., float], arity: int) -> bool:
    """Whether the function is as `known` wherever that one does not raise."""
    points = list(libm.arguments(arity))
    results = np.empty(len(points))
    function.over(results, *(np.array(column) for column in zip(*points, strict=True)))
    pairs = ((float(results[k]), want) for k, want in libm.known_values(known, points) if math.isfinite(want))
    return all(abs(got - want) <= _LARGEST_ERROR * math.ulp(want) for got, want in pairs)
