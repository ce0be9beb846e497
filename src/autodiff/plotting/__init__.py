"""Curves and surfaces as plain data: samples, special points, tangents. `render.plot` draws them."""
