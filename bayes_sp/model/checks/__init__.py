"""Rules between the keys of a specification."""
