"""Resamples of patients as the bootstrap draws them, for the tests of what is refitted to them."""

from __future__ import annotations

import numpy as np

from bayes_sp.inference.bootstrap.resample import resamples


def counts_of(n: int, seed: int, replicates: int, *, whole: bool = False) -> np.ndarray:
    """Return how often each resample holds each of n patients; all patients once before them if ``whole``."""
    drawn = resamples(n, seed, replicates, block=64, batch_bytes=2**20)
    return np.concatenate([*([np.ones((1, n))] if whole else []), *drawn])
