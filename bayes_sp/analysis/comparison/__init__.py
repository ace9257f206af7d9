"""Specifications and methods side by side."""
