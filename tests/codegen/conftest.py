"""One PostgreSQL server for all tests of exports that a process runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import postgres


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    if postgres.missing():
        pytest.skip(postgres.missing())
    with postgres.server() as running:
        yield running
