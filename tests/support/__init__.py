"""What tests share: running the command, random programs, reference values, pages, drawings, a database server."""
