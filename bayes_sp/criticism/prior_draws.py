"""Draws from a specification's priors, in NumPy: no model is compiled to see what the priors say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from bayes_sp.errors import SpecificationError
from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.priors import Prior
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Array

Generator = np.random.Generator

SAMPLERS: dict[str, Callable[..., Array]] = {
    # (rng, number of draws, the distribution's constants by name)
    "normal": lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
    "student_t": lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
    "laplace": lambda rng, size, mu, b: rng.laplace(mu, b, size),
    "half_normal": lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size)),
    "half_student_t": lambda rng, size, nu, sigma: np.abs(sigma * rng.standard_t(nu, size)),
    "exponential": lambda rng, size, scale: rng.exponential(scale, size),
    "gamma": lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / beta, size),
    "inverse_gamma": lambda rng, size, alpha, beta: beta / rng.gamma(alpha, 1.0, size),
    "lognormal": lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
}
IMPROPER = ("flat", "half_flat")


def draw_priors(model: PathModel, *, draws: int, seed: int) -> xr.Dataset:
    """Draw every parameter from its prior.

    Returns
    -------
    xarray.Dataset
        The variables, dims and coordinates of a posterior with one chain.

    Raises
    ------
    SpecificationError
        Naming every improper prior: nothing can be drawn from it.
    """
    rng = np.random.default_rng(seed)
    improper: list[str] = []
    found: dict[str, tuple[tuple[str, ...], Array]] = {}
    coords: dict[str, object] = {"chain": [0], "draw": np.arange(draws)}
    having: dict[str, list[str]] = {}

    def sample(response: str, names: Sequence[str]) -> Array:
        priors = [_known(model, response, name) for name in names]
        improper.extend(
            f"the prior {prior} of {name} in the equation of {response} is improper; nothing can be drawn from it"
            for name, prior in zip(names, priors, strict=True)
            if prior.dist in IMPROPER
        )
        columns = [
            np.full(draws, np.nan) if prior.dist in IMPROPER else SAMPLERS[prior.dist](rng, draws, **prior.values)
            for prior in priors
        ]
        return np.column_stack(columns)[None] if columns else np.empty((1, draws, 0))

    for equation in model.equations:
        response, terms = equation.response, model.terms(equation)
        found[response] = (("chain", "draw", f"{response}_term"), sample(response, terms))
        coords[f"{response}_term"] = list(terms)
        for name in FAMILIES[equation.family].parameters:
            having.setdefault(name, []).append(response)
    for name, responses in having.items():
        values = np.concatenate([sample(response, [name]) for response in responses], axis=-1)
        found[name] = (("chain", "draw", f"{name}_response"), values)
        coords[f"{name}_response"] = responses
    if improper:
        raise SpecificationError(model.name, improper)
    return xr.Dataset(found, coords=coords)


def _known(model: PathModel, response: str, name: str) -> Prior:
    prior = model.prior(response, name)
    if prior is None:  # the check of a specification reports this for those read from files
        raise SpecificationError(model.name, [f"there is no prior for {name} in the equation of {response}"])
    return prior
