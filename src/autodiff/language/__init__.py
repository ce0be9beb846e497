"""Text to syntax tree: `syntax` says what a tree is, `parse` makes one."""
