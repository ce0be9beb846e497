"""What is known, as text and pictures: answers in `plain`, the function table in `table`, graphs in `drawing_…`.

Rich is imported in `table` and `progress` only.
"""
