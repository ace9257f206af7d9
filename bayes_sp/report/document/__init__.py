"""A finished run as a document: for a journal, a colleague, a browser."""
