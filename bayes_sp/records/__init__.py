"""Patients as data: read, checked, their groups, codes and persons."""
