"""Writers of plots: a terminal, and files of Matplotlib."""
