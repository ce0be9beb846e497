"""One-sided derivatives at special points."""
