"""Functions that numba lacks, against SciPy's."""

from __future__ import annotations

import numba
import numpy as np
from scipy import special

from bayes_sp.model.special import digamma


@numba.njit
def digammas(x):
    return np.array([digamma(value) for value in x])


def test_digamma_is_that_of_scipy():
    """To 1e-12 everywhere; at its root, 1.4616, to the last digit of the numbers that cancel there."""
    x = np.concatenate([np.exp(np.linspace(-40.0, 40.0, 2001)), np.linspace(1.0, 2.0, 201)])
    np.testing.assert_allclose(digammas(x), special.digamma(x), rtol=1e-12, atol=4e-15)
