"""Maximum likelihood and least squares, for many resamples at once."""
