"""LOO-PIT: where each patient's response falls in what the other patients' records predict for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_sp.analysis.criticism.confounding import numbers_at_once
from bayes_sp.analysis.criticism.predictors import predictors
from bayes_sp.analysis.criticism.psis import leave_one_out_weights, relative_efficiency
from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import LEAST_COUNT
from bayes_sp.shown import Part, Shown

BATCH = 2_000_000  # values at a time
GRID = 100
SIMULATIONS = 1000
TINY = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class LooPit(Shown):
    """Probability integral transforms of every response, each patient left out of what predicts it.

    Attributes
    ----------
    values
        By response, (n,) in [0, 1]; uniform where the equation predicts what happens, NaN where it is missing.
    seed
        Of the replicates and of the position within ties.
    model, mark
        The specification, and what the records are.
    """

    values: Mapping[str, Array]
    seed: int
    model: PathModel
    mark: str = ""

    def coverage(self, prob: float) -> dict[str, float]:
        """Return by response the share of patients inside their central predictive interval of probability ``prob``."""
        tail = (1 - prob) / 2
        known = {name: u[np.isfinite(u)] for name, u in self.values.items()}
        return {name: float(((u >= tail) & (u <= 1 - tail)).mean()) for name, u in known.items()}

    def leaves_band(self, ci_prob: float = CI_PROB) -> dict[str, bool]:
        """Return by response whether the distribution of the values leaves the band of uniform samples."""
        found = {}
        for name, values in self.values.items():
            u = values[np.isfinite(values)]
            grid, lower, upper = uniform_band(len(u), ci_prob)
            away = departure(u, grid)
            found[name] = bool(((away < lower - TINY) | (away > upper + TINY)).any())
        return found

    def _shown(self) -> tuple[str, list[Part]]:
        inside = [f"{name}: {100 * share:.0f} % of patients lie inside their own 90 % predictive interval"
                  for name, share in self.coverage(0.9).items()]  # fmt: skip
        outside = ", ".join(name for name, leaves in self.leaves_band().items() if leaves)
        band = f"LOO-PIT leaves its 95 % band in {outside}." if outside else "LOO-PIT stays within its 95 % band."
        return self.mark, [inside, band]


def loo_pit(
    model: PathModel, design: Design, posterior: xr.Dataset, log_likelihood: Mapping[str, Array], *, seed: int
) -> LooPit:
    """Return every patient's LOO-PIT from replicates, at a random place within ties.

    With weights w_is of draws s without patient i, one replicate y_is for each, and v_i uniform on (0, 1)::

        u_i = sum_s w_is [ 1(y_is < y_i) + v_i 1(y_is = y_i) ]

    Where a parent's value is not known it is drawn from its own equation, and w_is is multiplied with
    p(earlier responses that see it | drawn value) / p(those responses | theta_s), and the weights of a patient then
    normalised: so what else was observed of the patient says where the value lies.

    ``posterior`` has draws (chain, draw, ...), ``log_likelihood`` is by response, (chain, draw, n); ``seed`` is that of
    replicates and ties.

    References
    ----------
    Czado, Gneiting & Held (2009), Biometrics 65, 1254-1261. doi:10.1111/j.1541-0420.2009.01191.x (discrete responses)
    """
    rng = np.random.default_rng(seed)
    efficiency = relative_efficiency(posterior)
    weights: dict[str, Array] = {}
    for response, values in log_likelihood.items():
        pointwise = np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)
        known = np.isfinite(pointwise).all(axis=1)
        weights[response] = np.full(pointwise.shape, np.nan)
        weights[response][known] = np.exp(leave_one_out_weights(pointwise[known], efficiency).log_weights)
    found, total = ({response: np.zeros(design.n) for response in weights} for _ in range(2))
    ties = {response: rng.random(design.n) for response in weights}
    chains, each = posterior.sizes["chain"], posterior.sizes["draw"]
    size = max(1, BATCH // numbers_at_once(model, design.n))
    for chain in range(chains):
        for start in range(0, each, size):
            part = posterior.isel(chain=[chain], draw=slice(start, start + size))
            place = slice(chain * each + start, chain * each + start + part.sizes["draw"])
            told = np.zeros((part.sizes["draw"], design.n))
            for one in predictors(model, design, part, rng):
                name, known = one.response, one.known
                predictor = one.among(known)
                y = predictor.replicate(rng)
                below = (y < predictor.observed) + ties[name][known] * (y == predictor.observed)
                weight = weights[name][known, place] * np.exp(np.clip(told[:, known], -600.0, 600.0)).T
                found[name][known] += (weight * below.T).sum(axis=1)
                total[name][known] += weight.sum(axis=1)
                if one.drawn.any() and not model.confounders:
                    given = np.asarray(log_likelihood[name])[chain, start : start + size]
                    told += np.where(one.drawn & np.isfinite(given), one.observed_density() - given, 0.0)
    with np.errstate(invalid="ignore"):  # 0 / 0 where a response is missing
        found = {name: sums / total[name] for name, sums in found.items()}
    clipped = {name: np.where(np.isfinite(u), np.clip(u, 0.0, 1.0), np.nan) for name, u in found.items()}
    return LooPit(clipped, seed, model)


def departure(values: Array, grid: Array) -> Array:
    """Return the empirical distribution function less the uniform one, at each point of a grid."""
    return np.searchsorted(np.sort(values), grid, side="right") / len(values) - grid


def uniform_band(n: int, ci_prob: float = CI_PROB, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return a grid on (0, 1) and the band of departures that a share ``ci_prob`` of uniform samples stays within.

    The number of values below z is binomial. The band is its central interval of probability 1 - gamma at every point
    of the grid, and gamma comes from simulated samples, so that the whole curve stays inside.

    Saeilynoja, Buerkner & Vehtari (2022), Statistics and Computing 32, 32. doi:10.1007/s11222-022-10090-6
    """
    from scipy import stats  # slow to import, and a fit without criticism does not need it

    points = min(GRID, max(n // LEAST_COUNT, 1))  # so many that as many patients lie between two as may be counted
    grid = (np.arange(points) + 0.5) / points
    samples = np.sort(np.random.default_rng(seed).random((SIMULATIONS, n)), axis=1)
    counts = np.stack([np.searchsorted(sample, grid, side="right") for sample in samples])
    tails = np.minimum(stats.binom.cdf(counts, n, grid), stats.binom.sf(counts - 1, n, grid))
    half = float(np.quantile(tails.min(axis=1), 1 - ci_prob))
    return grid, stats.binom.ppf(half, n, grid) / n - grid, stats.binom.isf(half, n, grid) / n - grid
