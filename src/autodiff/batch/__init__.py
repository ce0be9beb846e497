"""Rows: files read as columns with every fault named, programs over arrays, tables in and out."""
