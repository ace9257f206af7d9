"""Simulated sets with a mediator measured with error: do all fits converge, and do intervals cover the truth?

Run as a script for the long version: ``python tests/inference/latent_calibration.py 100``.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from bayes_sp.analysis.criticism.diagnostics import diagnose
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import sample_posterior
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

A, B, C, PHI, RECORDS = 0.5, 0.4, 0.2, 2.0, 200
WEAK = {"dist": "normal", "mu": 0, "sigma": 5, "why": "weak"}
POSITIVE = {"dist": "half_normal", "sigma": 5, "why": "weak"}
CELLS = [(family, reliability) for family in ("normal", "negative_binomial") for reliability in (0.65, 0.8)]


def model_of(family: str, reliability: float):
    """Return x -> m (measured with error) -> y."""
    count = family == "negative_binomial"
    tables = {
        "title": "x", "exposure": "x", "outcome": "y", "contrast": [0, 1],
        "equation": [
            {"response": "m", "family": "latent_normal", "reliability": reliability},
            {"response": "y", "family": family},
        ],
        "priors": {"intercept": WEAK, "slope": WEAK, "sigma": POSITIVE, **({"phi": POSITIVE} if count else {})},
    }  # fmt: skip
    return load_model(tables, name="calibration")


def simulated(family: str, reliability: float, seed: int) -> Survey:
    """Return records: true m has variance 1, and its error that of the reliability."""
    rng = np.random.default_rng((seed, int(100 * reliability), family == "normal"))
    x = rng.normal(size=RECORDS)
    true = A * x + np.sqrt(1.0 - A**2) * rng.normal(size=RECORDS)
    m = true + np.sqrt(1.0 / reliability - 1.0) * rng.normal(size=RECORDS)
    eta = C * x + B * true
    y = eta + rng.normal(size=RECORDS)
    if family == "negative_binomial":
        y = rng.negative_binomial(PHI, PHI / (PHI + np.exp(0.7 + eta)))
    return Survey(pd.DataFrame({"x": x, "m": m, "y": y}), "memory", "simulated")


def calibrated(family: str, reliability: float, sets: int) -> tuple[int, int]:
    """Return how many fits pass the verdict, and how many 95 % intervals of a b hold the truth."""
    model, options = model_of(family, reliability), SamplerOptions(draws=1000, tune=500, chains=4, cores=1)
    passed = covered = 0
    for seed in range(sets):
        posterior = sample_posterior(
            model, simulated(family, reliability, seed), seed=seed, options=options, pointwise=False
        )
        draws = posterior["posterior"]
        a = draws["m"].sel(m_term="x").to_numpy()
        product = a * draws["y"].sel(y_term="m").to_numpy()
        passed += diagnose(posterior, {"ab": product}).trustworthy
        low, high = np.quantile(product, [0.025, 0.975])
        covered += bool(low < A * B < high)
    return passed, covered


if __name__ == "__main__":
    for cell in CELLS:
        passed, covered = calibrated(*cell, int(sys.argv[1]))
        sys.stdout.write(f"{cell}: {passed} of {sys.argv[1]} converged, {covered} cover\n")
        sys.stdout.flush()
