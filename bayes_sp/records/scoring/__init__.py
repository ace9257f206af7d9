"""Scores of questionnaires: rules as data, and how reliable a score is."""
