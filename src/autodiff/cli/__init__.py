"""The command line: options in, one call of the library, an answer out; one room a command, no mathematics."""
