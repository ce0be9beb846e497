"""Value and gradient as source code of other languages: straight-line programs, and a file for each target."""
