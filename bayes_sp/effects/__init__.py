"""Draws of coefficients to effects of paths, exact given a draw."""
