"""The same random programs in every run of the tests; `python -m pytest --hypothesis-seed=…` is for searching by hand."""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

for _wish in (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "CLICOLOR",
    "COLUMNS",
    "LINES",
):  # of who runs the tests; those of colours set their own
    os.environ.pop(_wish, None)


def pytest_collection_finish() -> None:
    """The collector looks for cycles as seldom as in the command, and not among what the libraries have loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Neighbours stay in one worker, which makes their fixtures once, until the other has none left: both end together."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
