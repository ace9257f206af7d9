"""Pointwise log-likelihoods in NumPy: PyMC's own function compiles the model again, for 6 s instead of 0.1 s."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.special import gammaln

from bayes_sp.families.registry import FAMILIES
from bayes_sp.names import observed_name
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import equation_matrix
from bayes_sp.survey.design import Array, Design


def _normal(y: Array, eta: Array, sigma: Array) -> Array:
    """Log N(y | eta, sigma^2)."""
    return -0.5 * ((y - eta) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)


def _negative_binomial(y: Array, eta: Array, phi: Array) -> Array:
    """Log NB(y | mu = exp(eta), var = mu + mu^2/phi)."""
    log_total = np.logaddexp(eta, np.log(phi))
    constant = gammaln(y + phi) - gammaln(phi) - gammaln(y + 1)
    return constant + phi * (np.log(phi) - log_total) + y * (eta - log_total)


LOG_DENSITIES: dict[str, Callable[[Array, Array, Array], Array]] = {
    "normal": _normal,
    "negative_binomial": _negative_binomial,
}


def log_likelihood(model: PathModel, design: Design, posterior: xr.Dataset) -> xr.Dataset:
    """Return log p(y_ij | draw) for each response j, as ``<response>_observed`` (chain, draw, patient)."""
    found = {}
    for j, equation in enumerate(model.equations):
        response = equation.response
        eta = posterior[response].to_numpy() @ equation_matrix(model, design, j).T
        (name,) = FAMILIES[equation.family].parameters
        parameter = posterior[name].sel({f"{name}_response": response}).to_numpy()[..., None]
        values = LOG_DENSITIES[equation.family](design.y[:, j], eta, parameter)
        found[observed_name(response)] = (("chain", "draw", "patient"), values)
    coords = {"chain": posterior["chain"], "draw": posterior["draw"], "patient": np.arange(design.n)}
    return xr.Dataset(found, coords=coords)
