"""One file for each language that is written."""
