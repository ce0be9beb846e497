"""L-BFGS through SciPy: the one optimizer that looks at more than the slope here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autodiff.errors import AutodiffError


def minimize(slopes: Callable[[Any], tuple[float, Any]], start: Any, iterations: int) -> Iterator[tuple[float, Any]]:
    """The loss and the parameters after each iteration, until no step makes the loss smaller.

    Raises AutodiffError when SciPy is not installed.
    """
    try:
        from scipy.optimize import fmin_l_bfgs_b
    except ModuleNotFoundError:
        raise AutodiffError(
            "lbfgs needs scipy, which is not installed", hint="pip install 'autodiff-cli[lbfgs]'"
        ) from None
    path: list[tuple[float, Any]] = []
    stopped: BaseException | None = None
    try:
        fmin_l_bfgs_b(
            slopes,
            start,
            factr=0.0,
            pgtol=1e-12,
            maxiter=max(iterations, 0),
            maxfun=20 * iterations + 100,
            callback=lambda vector: path.append((slopes(vector)[0], vector.copy())),
        )
    except BaseException as error:  # an interrupt, a divergence: what was reached before it counts
        stopped = error
    yield from path
    if stopped is not None:
        raise stopped
