"""Files of rows: read as columns, with every fault named by file, line and column."""
