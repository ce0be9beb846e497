"""Value and gradient as source code of other languages: one list of equations, a room for each target."""
