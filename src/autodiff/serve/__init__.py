"""A page to type in: a local server that explains formulas in a browser."""
