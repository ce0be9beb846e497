"""Engines: they run one plain function over the parts of a table, on the cores of this machine or on a Dask cluster."""
