"""What speaks against a specification for these records."""
