"""The core: a program as a list of equations, one table of primitives, and the two sweeps. It does no input and no output.

To be read in this order:

1. `primitive`, `table`, `rules`: what a row of the table says, the rows, and how they are looked up.
2. `graph`, `evaluate`, `vjp.pull_back`, `algebra`: the equations, the pass over them, and values, partials, both modes and
   special points over any kind of number.
3. `templates`, `linearize`, `jvp`, `vjp`, `special_points`: the same over floats, with the table's texts compiled.

Beside these, `lowering`, `lowering_errors` and `prelude` turn a syntax tree into equations, and `floats` has the functions
that Python's `math` lacks.
"""
