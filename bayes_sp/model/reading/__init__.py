"""Specifications as TOML: read with every mistake in one error, and written."""
