"""Programs over many rows at once: compiled to array operations, or to machine code (`jit`)."""
