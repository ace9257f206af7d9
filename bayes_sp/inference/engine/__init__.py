"""The joint log-density as machine code that is compiled once."""
