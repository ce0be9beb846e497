"""Kinds of number beside float64, each with what the table's rows are over them."""
