"""Model and records together: arrays, rows, terms, parameters."""
