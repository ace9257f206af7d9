"""The digamma function that kernels use, against SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from bayes_sp.model.families.special import digamma


def test_digamma_is_that_of_scipy():
    """To 1e-12 everywhere; at its root, 1.4616, to the last digit of the numbers that cancel there."""
    x = np.concatenate([np.exp(np.linspace(-40.0, 40.0, 2001)), np.linspace(1.0, 2.0, 201)])
    found = np.array([digamma(value) for value in x])
    np.testing.assert_allclose(found, special.digamma(x), rtol=1e-12, atol=4e-15)


@pytest.mark.parametrize("x", [0.0, -1.5, math.nan])
def test_digamma_knows_positive_numbers_only(x):
    """Anything else is not a number."""
    assert math.isnan(digamma(x))
