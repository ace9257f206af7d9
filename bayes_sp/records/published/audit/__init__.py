"""Do a study's printed numbers agree with each other? Rules, each with the range that rounding allows."""
