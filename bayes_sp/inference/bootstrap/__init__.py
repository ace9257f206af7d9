"""The percentile bootstrap."""
