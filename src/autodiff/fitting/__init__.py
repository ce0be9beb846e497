"""Least squares: parameters of a curve from data, with their standard errors."""
