"""Which priors a posterior variable's elements have, and the log-density of one in NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel


def priors_of(model: PathModel, variable: str, names: Sequence[str]) -> list[Prior]:
    """Return the prior of each element of a posterior variable."""
    responses = {equation.response for equation in model.equations}
    found = [model.prior(variable, name) if variable in responses else model.prior(name, variable) for name in names]
    missing = [name for name, prior in zip(names, found, strict=True) if prior is None]
    if missing:  # check_model reports this for specifications read from files
        raise ValueError(f'the specification "{model.name}" has no prior for {variable} of {", ".join(missing)}')
    return [prior for prior in found if prior is not None]


def log_density(prior: Prior, x: Array) -> Array:
    """Return the log-density of a prior on its own scale, without any transform; 0 for an improper one.

    Parameters
    ----------
    prior
        On the real numbers, on the positive ones, or on a simplex.
    x
        Of any shape, where the prior has mass; shares of a simplex stand along the last axis, which is summed over.
    """
    values = prior.values
    if prior.dist in ("flat", "half_flat"):
        return np.zeros_like(x)
    if prior.dist == "dirichlet":
        shares, alpha = x.shape[-1], values["alpha"]
        constant = math.lgamma(shares * alpha) - shares * math.lgamma(alpha)
        return np.asarray((alpha - 1.0) * np.log(x).sum(axis=-1) + constant)
    return _kernel(prior, x) + log_constant(prior.dist, values)


def _kernel(prior: Prior, x: Array) -> Array:
    """Return a proper prior's log-density less its constant."""
    values = prior.values
    if prior.dist == "normal":
        return -0.5 * ((x - values["mu"]) / values["sigma"]) ** 2
    if prior.dist == "student_t":
        z = (x - values["mu"]) / values["sigma"]
        return -0.5 * (values["nu"] + 1.0) * np.log1p(z**2 / values["nu"])
    if prior.dist == "laplace":
        return -np.abs(x - values["mu"]) / values["b"]
    if prior.dist == "half_normal":
        return -0.5 * (x / values["sigma"]) ** 2
    if prior.dist == "half_student_t":
        return -0.5 * (values["nu"] + 1.0) * np.log1p((x / values["sigma"]) ** 2 / values["nu"])
    if prior.dist == "exponential":
        return -x / values["scale"]
    if prior.dist == "gamma":
        return (values["alpha"] - 1.0) * np.log(x) - values["beta"] * x
    if prior.dist == "inverse_gamma":
        return -(values["alpha"] + 1.0) * np.log(x) - values["beta"] / x
    if prior.dist == "lognormal":
        return -0.5 * ((np.log(x) - values["mu"]) / values["sigma"]) ** 2 - np.log(x)
    raise ValueError(f"{prior} has no log-density here")


def log_constant(dist: str, values: dict[str, float]) -> float:
    """Return the constant of a prior's log-density that `log_prior` leaves out; 0 for an improper one."""
    half_log_2pi = 0.5 * math.log(2.0 * math.pi)
    if dist in ("normal", "lognormal"):
        return -math.log(values["sigma"]) - half_log_2pi
    if dist == "half_normal":
        return math.log(2.0) - math.log(values["sigma"]) - half_log_2pi
    if dist in ("student_t", "half_student_t"):
        nu = values["nu"]
        ratio = math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0) - 0.5 * math.log(nu * math.pi)
        return ratio - math.log(values["sigma"]) + (math.log(2.0) if dist == "half_student_t" else 0.0)
    if dist == "laplace":
        return -math.log(2.0 * values["b"])
    if dist == "exponential":
        return -math.log(values["scale"])
    if dist in ("gamma", "inverse_gamma"):
        return values["alpha"] * math.log(values["beta"]) - math.lgamma(values["alpha"])
    return 0.0
