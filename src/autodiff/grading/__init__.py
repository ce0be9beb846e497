"""Is a given formula the derivative, and if not, which slip made it: `compare` decides, `diagnose` explains."""
