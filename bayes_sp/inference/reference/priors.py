"""Priors as PyMC variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import ordered

from bayes_sp.model.distributions import Prior

Tensor = Any  # pytensor's types say nothing that a reader needs

PYMC: dict[str, tuple[Any, dict[str, str]]] = {
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


def increasing_vector(name: str, prior: Prior, dim: str, labels: Sequence[str]) -> Tensor:
    """Return one PyMC variable with dim ``dim`` whose elements increase and have the prior's density where they do.

    Its log-density is the sum of the elements' own, without the constant log(k!) of the k! orders; its draws are k
    draws from the prior, sorted. A transform alone, such as ``pm.Normal(..., transform=ordered)``, makes an increasing
    vector for NUTS only: draws from the prior do not know of it.
    """
    make, arguments = PYMC[prior.dist]
    names, constants = (
        [arguments[key] for key, _ in prior.constants],
        [np.float64(value) for _, value in prior.constants],
    )

    def drawn(*values: Tensor) -> Tensor:  # the last is PyMC's size of a batch; the shape here is that of the labels
        return pt.sort(make.dist(**dict(zip(names, values[:-1], strict=True)), shape=(len(labels),)), axis=-1)

    def log_density(value: Tensor, *values: Tensor) -> Tensor:
        return pm.logp(make.dist(**dict(zip(names, values, strict=True))), value).sum(axis=-1)

    start = np.linspace(-2.0, 2.0, len(labels) + 2)[1:-1]
    signature = f"{','.join('()' for _ in names)}->(k)"
    return pm.CustomDist(
        name, *constants, dist=drawn, logp=log_density, signature=signature, transform=ordered, initval=start, dims=dim
    )
