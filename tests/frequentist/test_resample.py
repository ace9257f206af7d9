"""Resampled counts, and least squares in resamples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayes_sp.frequentist.resample import prepare_chain, refit_chain, resamples
from bayes_sp.survey.design import Design


def test_counts_do_not_depend_on_blocks_or_batches() -> None:
    """The same seed gives the same counts, bit by bit, whatever is drawn at a time."""
    whole = np.concatenate(list(resamples(37, 5, 100, block=100, batch_bytes=2**26)))
    for block, batch_bytes in [(1, 1), (7, 1), (7, 24 * 37 * 20), (64, 2**20)]:
        parts = np.concatenate(list(resamples(37, 5, 100, block=block, batch_bytes=batch_bytes)))
        np.testing.assert_array_equal(parts, whole)


def test_counts_are_a_multinomial_resample() -> None:
    """Each resample holds n patients; counts have mean 1 and variance 1 - 1/n, near enough."""
    counts = np.concatenate(list(resamples(50, 3, 4000, block=512, batch_bytes=2**26)))
    assert counts.shape == (4000, 50)
    np.testing.assert_array_equal(counts.sum(axis=1), 50.0)
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=5 / np.sqrt(4000))
    np.testing.assert_allclose(counts.var(), 1 - 1 / 50, rtol=0.02)


def test_refits_are_least_squares_of_the_resampled_rows(make_design: Callable[..., Design]) -> None:
    """Every equation of every resample agrees with numpy.linalg.lstsq on the repeated rows."""
    design = make_design(seed=6)
    counts = np.concatenate(list(resamples(design.n, 1, 5, block=5, batch_bytes=2**20)))
    coefficients, variance = refit_chain(prepare_chain(design, 3), counts)
    for r in range(5):
        rows = np.repeat(np.arange(design.n), counts[r].astype(int))
        for j in range(3):
            x = np.column_stack([np.ones(design.n), design.w, design.x, design.y[:, :j]])[rows]
            beta, *_ = np.linalg.lstsq(x, design.y[rows, j], rcond=None)
            rss = ((design.y[rows, j] - x @ beta) ** 2).sum()
            np.testing.assert_allclose(coefficients[r, j, : x.shape[1]], beta, rtol=1e-10, atol=1e-10)
            np.testing.assert_array_equal(coefficients[r, j, x.shape[1] :], 0.0)
            np.testing.assert_allclose(variance[r, j], rss / design.n, rtol=1e-10)
