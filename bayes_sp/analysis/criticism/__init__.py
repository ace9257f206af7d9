"""Diagnostics, predictive checks, leave-one-out cross-validation, influence."""
