"""Rows of the table beside those of `core.rules`, by what they are about."""
