"""Priors as PyMC variables, and as SciPy log-densities where a closed form needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from scipy import stats

from bayes_sp.spec.priors import Prior
from bayes_sp.spec.types import PathModel

Tensor = Any  # pytensor's types say nothing that a reader needs

PYMC: dict[str, tuple[type, dict[str, str]]] = {
    # our constants' names -> PyMC's
    "normal": (pm.Normal, {"mu": "mu", "sigma": "sigma"}),
    "student_t": (pm.StudentT, {"nu": "nu", "mu": "mu", "sigma": "sigma"}),
    "laplace": (pm.Laplace, {"mu": "mu", "b": "b"}),
    "flat": (pm.Flat, {}),
    "half_flat": (pm.HalfFlat, {}),
    "half_normal": (pm.HalfNormal, {"sigma": "sigma"}),
    "half_student_t": (pm.HalfStudentT, {"nu": "nu", "sigma": "sigma"}),
    "exponential": (pm.Exponential, {"scale": "scale"}),
    "gamma": (pm.Gamma, {"alpha": "alpha", "beta": "beta"}),
    "inverse_gamma": (pm.InverseGamma, {"alpha": "alpha", "beta": "beta"}),
    "lognormal": (pm.LogNormal, {"mu": "mu", "sigma": "sigma"}),
}

SCIPY: dict[str, Callable[..., stats.rv_continuous]] = {
    "half_normal": lambda sigma: stats.halfnorm(scale=sigma),
    "exponential": lambda scale: stats.expon(scale=scale),
    "gamma": lambda alpha, beta: stats.gamma(alpha, scale=1 / beta),
    "inverse_gamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
    "lognormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
}


def priors_of(model: PathModel, variable: str, names: Sequence[str]) -> list[Prior]:
    """Return the prior of each element of a posterior variable."""
    responses = {equation.response for equation in model.equations}
    found = [model.prior(variable, name) if variable in responses else model.prior(name, variable) for name in names]
    missing = [name for name, prior in zip(names, found, strict=True) if prior is None]
    if missing:  # check_model reports this for specifications read from files
        raise ValueError(f'the specification "{model.name}" has no prior for {variable} of {", ".join(missing)}')
    return [prior for prior in found if prior is not None]


def prior_vector(name: str, priors: Sequence[Prior], dim: str, labels: Sequence[str]) -> Tensor:
    """Return one PyMC variable with dim ``dim`` whose elements have the given priors.

    Elements with the same distribution are one variable with vectors of constants. Where distributions differ,
    each element is a variable ``name[label]`` and the vector is a Deterministic.
    """
    if len({prior.dist for prior in priors}) == 1:
        make, arguments = PYMC[priors[0].dist]
        constants = {arguments[key]: np.array([p.values[key] for p in priors]) for key in priors[0].values}
        return make(name, **constants, dims=dim)
    elements = []
    for prior, label in zip(priors, labels, strict=True):
        make, arguments = PYMC[prior.dist]
        single = {arguments[key]: np.float64(value) for key, value in prior.constants}
        elements.append(make(f"{name}[{label}]", **single))
    return pm.Deterministic(name, pt.stack(elements), dims=dim)


def log_density(prior: Prior, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-density of a prior on the positive numbers at ``values``; improper ones up to a constant."""
    if prior.dist == "half_flat":
        return np.zeros_like(values)
    if prior.dist == "half_student_t":
        nu, sigma = prior.values["nu"], prior.values["sigma"]
        return np.log(2) + stats.t(nu, scale=sigma).logpdf(values)
    return SCIPY[prior.dist](**prior.values).logpdf(values)
