"""Machine code for blocks of rows."""
