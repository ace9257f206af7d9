"""Priors as PyMC variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_sp.spec.priors import Prior

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
