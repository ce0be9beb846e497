"""Programs over NumPy arrays."""
