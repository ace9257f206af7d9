"""Patients who did not answer."""
