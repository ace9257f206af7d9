"""A missing value of a bounded scale is integrated out, also where its density has no bound."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from bayes_sp.design.relevance import scale_nodes, summed_values
from bayes_sp.model.reading.load import load_model

FUNCTIONS = [
    lambda u: np.exp(-0.5 * (1.0 - 2.0 * u) ** 2),
    lambda u: special.expit(4.0 * u - 2.0),
    lambda u: stats.norm.pdf(0.7, u, 0.15),
]


def exact(a: float, b: float, function) -> float:
    """Return E f(B) for B ~ Beta(a, b) by Gauss-Jacobi, whose weight is the density itself."""
    x, w = special.roots_jacobi(150, b - 1.0, a - 1.0)
    return float(w @ function(0.5 * (1.0 + x)) / w.sum())


@pytest.mark.parametrize("farthest", [1.0, 1.25])  # scales from 0 to 1, and from 1 to 5
@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        (0.5, 0.5, 2e-6), (0.5, 3.0, 2e-6), (1.0, 1.0, 2e-6), (0.8, 20.0, 2e-6), (20.0, 0.6, 2e-6), (3.0, 7.0, 1e-9),
        (200.0, 200.0, 2e-6), (40.0, 360.0, 4e-6), (0.3, 0.6, 5e-4), (5.0, 0.3, 5e-4),
    ],
)  # fmt: skip
def test_nodes_integrate_smooth_functions_of_a_beta_variable(a, b, error, farthest):
    """U-shaped, steep at an end, uniform and narrow densities alike."""
    u, logs = scale_nodes(farthest)
    assert len(u) == 64
    logs_of_density = special.xlogy(a - 1.0, u) + special.xlog1py(b - 1.0, -u) - special.betaln(a, b)
    for function in FUNCTIONS:
        found = np.exp(logs_of_density + logs) @ function(u)
        assert found == pytest.approx(exact(a, b, function), rel=error)


@pytest.mark.parametrize(("low", "high"), [(0, 100), (1, 5), (1000, 1001)])
def test_every_node_lies_inside_its_scale(low, high):
    """No node falls on an end in double precision, where a density may be infinite; weights sum to the whole."""
    prior = {"dist": "normal", "mu": 0, "sigma": 1, "why": "w"}
    model = load_model({
        "title": "t", "exposure": "x", "outcome": "y",
        "variables": {"m": {"min": low, "max": high}},
        "equation": [{"response": "m", "family": "beta"}, {"response": "y", "family": "normal"}],
        "priors": {
            "intercept": prior, "slope": prior, "precision": {"dist": "lognormal", "mu": 1, "sigma": 1, "why": "w"},
            "sigma": {"dist": "half_normal", "sigma": 1, "why": "w"},
        },
    })  # fmt: skip
    values, logs = summed_values(model, "m")
    coding = model.coding("m")
    shares = (np.array(values) - coding.origin) / coding.unit
    assert (np.diff(values) > 0).all()
    assert shares.min() > 0.0
    assert shares.max() < 1.0
    assert np.exp(logs).sum() == pytest.approx(1.0, abs=1e-6)
