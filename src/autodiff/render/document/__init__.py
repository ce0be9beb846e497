"""Explanations as documents: Markdown, LaTeX and HTML."""
