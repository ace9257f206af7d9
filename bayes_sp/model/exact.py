"""Exact posterior draws where every equation is normal: the closed form instead of a sampler."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.linalg import solve_triangular

from bayes_sp.model.priors import log_density
from bayes_sp.spec.priors import Prior
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import equation_matrix
from bayes_sp.survey.design import Array, Design

GRID = 4001
COEFFICIENT_PRIORS = ("normal", "flat")


def has_exact_posterior(model: PathModel) -> bool:
    """Whether every equation is normal with normal or flat priors on its coefficients."""
    return all(
        equation.family == "normal"
        and all(
            prior is not None and prior.dist in COEFFICIENT_PRIORS
            for prior in (model.prior(equation.response, term) for term in model.terms(equation))
        )
        for equation in model.equations
    )


def exact_posterior(model: PathModel, design: Design, *, seed: int, chains: int = 4, draws: int = 1000) -> xr.Dataset:
    """Return independent draws from the joint posterior of a chain of normal regressions.

    The chain's likelihood is a product over equations, and so is the posterior. In each equation, with prior
    beta ~ N(m0, D^-1) (D = 0 where flat) and any prior p(sigma)::

        beta | sigma, y ~ N(m, L^-1),   L = X'X / sigma^2 + D,   m = L^-1 (X'y / sigma^2 + D m0)
        log p(sigma | y) = log p(sigma) - n log sigma - log|L| / 2 - (y'y / sigma^2 - m'L m) / 2 + constant

    sigma is drawn by inverting its distribution function on a fine grid of log sigma (error of order the grid's
    step squared, below 1e-6 posterior SDs), then beta given sigma.

    Returns
    -------
    xarray.Dataset
        The variables, dims and coordinates of the sampler's ``posterior`` group.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 14.8. doi:10.1201/b16018
    """
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[tuple[str, ...], Array]] = {}
    coords: dict[str, object] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    sigmas = []
    for j, equation in enumerate(model.equations):
        response, terms = equation.response, model.terms(equation)
        priors = [_known(model, response, term) for term in terms]
        x, y = equation_matrix(model, design, j), design.y[:, j]
        beta, sigma = _draw_equation(x, y, priors, _known(model, response, "sigma"), chains * draws, rng)
        found[response] = (("chain", "draw", f"{response}_term"), beta.reshape(chains, draws, -1))
        coords[f"{response}_term"] = list(terms)
        sigmas.append(sigma.reshape(chains, draws))
    coords["sigma_response"] = list(design.responses)
    found["sigma"] = (("chain", "draw", "sigma_response"), np.stack(sigmas, axis=-1))
    return xr.Dataset(found, coords=coords)


def _known(model: PathModel, response: str, parameter: str) -> Prior:
    prior = model.prior(response, parameter)
    assert prior is not None  # noqa: S101 - has_exact_posterior and check_model hold it
    return prior


def _draw_equation(
    x: Array, y: Array, priors: list[Prior], sigma_prior: Prior, count: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw (beta, sigma) of one regression, (count, p) and (count,)."""
    center = np.array([prior.values.get("mu", 0.0) for prior in priors])
    precision = np.array([prior.values["sigma"] ** -2.0 if prior.dist == "normal" else 0.0 for prior in priors])
    residual = y - x @ center  # beta - m0 has prior mean 0
    gram, cross, square = x.T @ x, x.T @ residual, residual @ residual
    least = np.linalg.lstsq(x, residual)[0]
    scale = np.sqrt(max(square - cross @ least, 1e-12 * square) / len(y))
    grid = np.log(scale) + np.linspace(-1.0, 1.0, GRID) * min(8.0, 12.0 / np.sqrt(len(y) - x.shape[1]) + 0.2)
    density = _log_marginal(grid, gram, cross, square, precision, len(y)) + log_density(sigma_prior, np.exp(grid))
    sigma = np.exp(_draw_from_grid(grid, density + grid, count, rng))  # + grid: the Jacobian of log sigma
    chol = np.linalg.cholesky(gram / sigma[:, None, None] ** 2 + np.diag(precision))
    half = _solve(chol, np.broadcast_to(cross, (count, len(cross))) / sigma[:, None] ** 2, lower=True)
    noise = rng.standard_normal((count, len(cross)))
    return center + _solve(chol, half + noise, lower=False), sigma


def _log_marginal(grid: Array, gram: Array, cross: Array, square: float, precision: Array, n: int) -> Array:
    """Return log p(y | sigma) on a grid of log sigma, up to a constant."""
    variance = np.exp(2 * grid)
    chol = np.linalg.cholesky(gram / variance[:, None, None] + np.diag(precision))
    half = _solve(chol, cross / variance[:, None], lower=True)
    log_determinant = 2 * np.log(np.diagonal(chol, axis1=1, axis2=2)).sum(axis=1)
    return -n * grid - 0.5 * log_determinant - 0.5 * (square / variance - (half**2).sum(axis=1))


def _solve(chol: Array, right: Array, *, lower: bool) -> Array:
    """Solve L z = r, or L' z = r, for a batch of lower Cholesky factors."""
    return solve_triangular(chol, right[..., None], lower=True, trans="N" if lower else "T")[..., 0]


def _draw_from_grid(grid: Array, log_density_on_grid: Array, count: int, rng: np.random.Generator) -> Array:
    weight = np.exp(log_density_on_grid - log_density_on_grid.max())
    cumulative = np.concatenate([[0.0], np.cumsum((weight[1:] + weight[:-1]) / 2)])
    return np.interp(rng.random(count) * cumulative[-1], cumulative, grid)
