"""Resampled counts, and least squares in resamples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bayes_sp.design.design import Design
from bayes_sp.inference.bootstrap.resample import prepare_chain, refit_chain, resamples


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
    coefficients, variance, left_out = refit_chain(prepare_chain(design, 3), counts)
    assert not left_out.any()
    for r in range(5):
        rows = np.repeat(np.arange(design.n), counts[r].astype(int))
        for j in range(3):
            x = np.column_stack([np.ones(design.n), design.w, design.x, design.y[:, :j]])[rows]
            beta, *_ = np.linalg.lstsq(x, design.y[rows, j], rcond=None)
            rss = ((design.y[rows, j] - x @ beta) ** 2).sum()
            np.testing.assert_allclose(coefficients[r, j, : x.shape[1]], beta, rtol=1e-10, atol=1e-10)
            np.testing.assert_array_equal(coefficients[r, j, x.shape[1] :], 0.0)
            np.testing.assert_allclose(variance[r, j], rss / design.n, rtol=1e-10)


def test_an_empty_level_leaves_the_other_slopes_alone(make_design: Callable[..., Design]) -> None:
    """Without a patient of a level, coded 3/4 and -1/4, other coefficients are those of the least-norm solution."""
    design = make_design(seed=6)
    design.w[:, -1] = -0.25
    design.w[:2, -1] = 0.75
    counts = np.ones((3, design.n))
    counts[1, :2] = 0.0
    counts[2, :2], counts[2, 2:4] = 0.0, 2.0
    coefficients, variance, left_out = refit_chain(prepare_chain(design, 3), counts)
    assert left_out.tolist() == [False, True, True]
    for r, j in [(1, 0), (1, 2), (2, 1)]:
        rows = np.repeat(np.arange(design.n), counts[r].astype(int))
        x = np.column_stack([np.ones(design.n), design.w, design.x, design.y[:, :j]])[rows]
        beta, *_ = np.linalg.lstsq(x, design.y[rows, j], rcond=None)
        np.testing.assert_allclose(coefficients[r, j, [1, 2, *range(4, 5 + j)]], [*beta[1:3], *beta[4:]], rtol=1e-8)
        np.testing.assert_allclose(variance[r, j], ((design.y[rows, j] - x @ beta) ** 2).mean(), rtol=1e-9)


def test_a_resample_with_one_exposure_determines_no_effect(make_design: Callable[..., Design]) -> None:
    """Where everyone has the same exposure its coefficient is not determined: NaN, not an arbitrary number."""
    design = make_design(seed=6)
    counts = (design.x == design.x[0]).astype(float)[None, :] * 3
    coefficients, _, _ = refit_chain(prepare_chain(design, 1), counts)
    assert np.isnan(coefficients[0, 0, 4])


def test_a_chain_is_prepared_in_any_unit(make_design: Callable[..., Design]) -> None:
    """Scales follow the unit and products do not, however large or small the numbers are."""
    design = make_design(n=40)
    plain = prepare_chain(design, 3)
    for unit in (1e-200, 1e300):
        other = prepare_chain(replace(design, x=design.x * unit), 3)
        np.testing.assert_allclose(other.cross.z, plain.cross.z, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(other.scale[design.w.shape[1] + 1], plain.scale[design.w.shape[1] + 1] * unit)
