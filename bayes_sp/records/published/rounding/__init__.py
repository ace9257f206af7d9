"""Least squares of every correlation matrix that rounds to a printed one: bounds, and a uniform sample."""
