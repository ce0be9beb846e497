"""LaTeX formulas as programs: `reader` reads them, by the `tables` of their grammar."""
