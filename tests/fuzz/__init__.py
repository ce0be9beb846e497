"""Random commands against the whole product: `python -m tests.fuzz --minutes 60`.

`programs` writes programs, points and tables, `commands` writes command lines, `trial` runs one and says what is wrong with
how it ended. A fault is made as small as hypothesis can make it; what it finds becomes a test of its own.
"""
