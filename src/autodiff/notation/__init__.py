"""Equations as text: `infix` for people and for the parser, `tex` for LaTeX, `parts` for what is too long for one line."""
