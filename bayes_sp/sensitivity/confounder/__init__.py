"""Unmeasured confounding."""
