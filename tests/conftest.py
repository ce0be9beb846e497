"""The same random programs in every run of the tests; `python -m pytest --hypothesis-seed=…` is for searching by hand."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
