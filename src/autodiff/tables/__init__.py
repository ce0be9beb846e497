"""Tables in files: CSV, TSV, NDJSON, Parquet and Arrow."""
