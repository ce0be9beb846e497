"""The C library's functions of numbers as addresses, where they give the digits that Python's `math` gives.

>>> addresses(["no such function"]) is None
True
"""

from __future__ import annotations

import ctypes
import math
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

_FILES: dict[str, tuple[str | None, ...]] = {"linux": ("libm.so.6", None), "win32": ("ucrtbase",)}
"""Where the functions are, by the system; None, which is tried on all others, is this process."""

_NAMES = "exp exp2 expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc"
LIBRARY = {"ln": "log"} | {name: name for name in _NAMES.split()}
"""Values of rows of the table that are a function of one number in the C library, and its name there."""

_SIZES = (0.0, 5e-324, 1e-300, 1e-9, 0.3, 0.5, 0.9, 1.0, 1.5, 2.0, 7.0, 25.0, 100.3, 709.0, 1e5, 1e22, 1.7e308)
_TRIED = 500


def addresses(names: Iterable[str]) -> dict[str, int] | None:
    """The address of each function, by its name in C; None where one is missing or differs from `math`."""
    places = {name: _address(name) for name in names}
    return None if None in places.values() else {name: place for name, place in places.items() if place is not None}


@lru_cache(maxsize=64)
def _address(name: str) -> int | None:
    function, known = _function(name, ctypes.c_double, *[ctypes.c_double] * arity(name)), getattr(math, name, None)
    if function is None or known is None or not _agree(function, known, arity(name)):
        return None
    return ctypes.cast(function, ctypes.c_void_p).value


def arity(name: str) -> int:
    """How many numbers a function takes, by its name in C."""
    return 2 if name in ("pow", "fmod", "atan2") else 1


def _function(name: str, result: Any, *kinds: Any) -> Any:
    """The function of the C library; None where it is missing."""
    for file in _FILES.get(sys.platform, (None,)):
        try:
            return ctypes.CFUNCTYPE(result, *kinds)((name, ctypes.CDLL(file)))
        except (OSError, AttributeError, TypeError):
            continue
    return None


_UNDERFLOW = dict.fromkeys(("x86_64", "amd64", "i386", "i686"), 0x10) | dict.fromkeys(("aarch64", "arm64"), 0x08)
"""FE_UNDERFLOW, a bit of the processor's own: it stays once a result was so small that digits were lost."""


@lru_cache(maxsize=1)
def underflow() -> tuple[Callable[[], object], Callable[[], bool]]:
    """Two functions: clear this thread's flag of underflow; whether it is set, or may be where the system does not tell."""
    bit = _UNDERFLOW.get(platform.machine().lower())
    clear, test = (_function(name, ctypes.c_int, ctypes.c_int) for name in ("feclearexcept", "fetestexcept"))
    if bit is None or clear is None or test is None:
        return (lambda: None), (lambda: True)
    return (lambda: clear(bit)), (lambda: bool(test(bit)))


def _agree(function: Callable[..., float], known: Callable[..., float], count: int) -> bool:
    """Whether two functions give the same bits, wherever the second one does not raise."""
    points = list(arguments(count))
    return all(function(*points[k]).hex() == want.hex() for k, want in known_values(known, points))


def known_values(known: Callable[..., float], points: Iterable[tuple[float, ...]]) -> Iterator[tuple[int, float]]:
    """The values of a function at those points where it does not raise, each with the number of its point."""
    for k, args in enumerate(points):
        with suppress(ValueError, OverflowError):
            yield k, known(*args)


def arguments(count: int) -> Iterator[tuple[float, ...]]:
    """So many at a time: numbers at the ends of the range, and many between -8 and 8, spread evenly by the golden ratio."""
    spread = [(k * 0.6180339887498949) % 1 * 16 - 8 for k in range(1, _TRIED)]
    numbers = [*_SIZES, *(-size for size in _SIZES), *spread]
    if count == 1:
        yield from ((u,) for u in numbers)
    else:
        yield from zip(numbers, reversed(numbers), strict=True)
        yield from zip(numbers, numbers[7:], strict=False)
