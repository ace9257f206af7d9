"""What is known of a response in one row: seen, missing without a trace, missing, or measured with error."""

SEEN, ABSENT, MISSING, MEASURED = range(4)
