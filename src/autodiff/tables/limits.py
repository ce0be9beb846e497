"""What a table may have at most."""

from __future__ import annotations

LONGEST = 1 << 24
"""Characters of a row: what is longer is no table, and would fill the memory before anybody knows."""

OPEN = "a quote may be open that nothing closes, or this is no table"
"""The next step where a row is longer."""


def too_long() -> str:
    """What is wrong with a row that is longer."""
    return f"a row of more than {LONGEST:,} characters can't be read"
