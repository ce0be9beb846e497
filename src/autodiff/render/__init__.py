"""Answers as text: plain text, JSON and CSV in `plain`, the function table in `table`; Rich is imported in `table` only."""
