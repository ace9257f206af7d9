"""Exact posterior draws where every equation is normal: the closed form instead of a sampler."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.linalg import solve_triangular

from bayes_sp.arrays import Array, triangle
from bayes_sp.design.build import equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.design.elements import priors_of
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel

GRID = 4001
COEFFICIENT_PRIORS = ("normal", "flat")


def has_exact_posterior(model: PathModel) -> bool:
    """Whether every equation is normal with normal or flat priors on its coefficients, and nothing is unmeasured."""
    return (
        not model.confounders
        and not model.correlated
        and all(
            equation.family == "normal"
            and all(
                prior is not None and prior.dist in COEFFICIENT_PRIORS
                for prior in (model.prior(equation.response, term) for term in model.terms(equation))
            )
            for equation in model.equations
        )
    )


def exact_posterior(model: PathModel, design: Design, *, seed: int, chains: int = 4, draws: int = 1000) -> xr.Dataset:
    """Return independent draws from the joint posterior of a chain of normal regressions.

    The chain's likelihood is a product over equations, and so is the posterior. In each equation, with prior
    beta ~ N(m0, D^-1) (D = 0 where flat) and any prior p(sigma)::

        beta | sigma, y ~ N(m, L^-1),   L = X'X / sigma^2 + D,   m = L^-1 (X'y / sigma^2 + D m0)
        log p(sigma | y) = log p(sigma) - n log sigma - log|L| / 2 - (y'y / sigma^2 - m'L m) / 2 + constant

    sigma is drawn by inverting its distribution function on a fine grid of log sigma (error of order the grid's
    step squared, below 1e-6 posterior SDs), then beta given sigma.

    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 14.8. doi:10.1201/b16018
    """
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[tuple[str, ...], Array]] = {}
    coords: dict[str, object] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    sigmas = []
    for j, equation in enumerate(model.equations):
        response, terms = equation.response, model.terms(equation)
        priors = priors_of(model, response, terms)
        x, y = equation_matrix(model, design, j), design.y[:, j]
        beta, sigma = _draw_equation(x, y, priors, priors_of(model, "sigma", [response])[0], chains * draws, rng)
        found[response] = (("chain", "draw", f"{response}_term"), beta.reshape(chains, draws, -1))
        coords[f"{response}_term"] = list(terms)
        sigmas.append(sigma.reshape(chains, draws))
    coords["sigma_response"] = list(design.responses)
    found["sigma"] = (("chain", "draw", "sigma_response"), np.stack(sigmas, axis=-1))
    return xr.Dataset(found, coords=coords)


def _draw_equation(
    x: Array, y: Array, priors: list[Prior], sigma_prior: Prior, count: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw (beta, sigma) of one regression, (count, p) and (count,).

    With X = Q R, u = V' Q'(y - X m0) and R^-T D R^-1 = V diag(delta) V', all that depends on sigma is diagonal.
    """
    center = np.array([prior.values.get("mu", 0.0) for prior in priors])
    precision = np.array([prior.values["sigma"] ** -2.0 if prior.dist == "normal" else 0.0 for prior in priors])
    factor = triangle(np.column_stack([x, y - x @ center]))
    r, target, rss = factor[:-1, :-1], factor[:-1, -1], float(factor[-1, -1] ** 2)
    inverse = solve_triangular(r, np.eye(len(r)))
    delta, v = np.linalg.eigh(inverse.T @ (precision[:, None] * inverse))
    u, delta = v.T @ target, np.maximum(delta, 0.0)

    def log_posterior(log_sigma: Array) -> Array:
        """Log p(log sigma | y): the last term is the Jacobian of the logarithm."""
        variance = np.exp(2 * log_sigma)[:, None]
        quadratic = rss / variance[:, 0] + (u**2 * delta / (1 + delta * variance)).sum(axis=1)
        log_determinant = np.log(1 / variance + delta).sum(axis=1)
        likelihood = -len(y) * log_sigma - 0.5 * log_determinant - 0.5 * quadratic
        return likelihood + sigma_prior.log_density(np.exp(log_sigma)) + log_sigma

    low, high = (
        float(np.log(rss / len(y))) / 2,
        float(np.log((rss + u @ u) / len(y))) / 2,
    )  # residual SDs at least squares and at m0
    sigma = np.exp(_draw_from_density(log_posterior, low, high, count, rng))
    weight = 1 / sigma[:, None] ** 2 + delta
    noise = rng.standard_normal((count, len(u)))
    standardised = u / sigma[:, None] ** 2 / weight + noise / np.sqrt(weight)
    return center + standardised @ (inverse @ v).T, sigma


def _draw_from_density(
    log_density_of: Callable[[Array], Array], low: float, high: float, count: int, rng: np.random.Generator
) -> Array:
    """Draw by inverting the distribution function on a grid over the part that holds all but exp(-40) of the mass.

    The search begins around [low, high] and widens until the density has fallen that far at both ends.
    """
    for margin in 3.0 * 2.0 ** np.arange(8):
        coarse = np.linspace(low - margin, high + margin, GRID)
        values = log_density_of(coarse)
        inside = np.flatnonzero(values > values.max() - 40.0)
        if inside[0] > 0 and inside[-1] < GRID - 1:
            break
    grid = np.linspace(coarse[max(inside[0] - 1, 0)], coarse[min(inside[-1] + 1, GRID - 1)], GRID)
    values = log_density_of(grid)
    weight = np.exp(values - values.max())
    cumulative = np.concatenate([[0.0], np.cumsum((weight[1:] + weight[:-1]) / 2)])
    return np.interp(rng.random(count) * cumulative[-1], cumulative, grid)
