"""Draws: NUTS, exact, Laplace; the mode where they start."""
