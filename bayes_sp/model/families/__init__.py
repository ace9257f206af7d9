"""Families of likelihoods, one file each."""
