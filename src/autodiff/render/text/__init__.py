"""Answers and explanations as plain text."""
