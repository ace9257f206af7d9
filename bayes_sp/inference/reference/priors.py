"""Priors as PyMC variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import Interval, ordered

from bayes_sp.design.sequence import correlations_of, jacobian_powers
from bayes_sp.model.distributions import Prior

Tensor = Any  # pytensor's types say nothing that a reader needs


def pymc_class(prior: Prior) -> Any:  # noqa: ANN401 - a class of PyMC's
    """Return PyMC's distribution of a prior; its constants have the same names."""
    return getattr(pm, prior.distribution.display)


def prior_vector(name: str, priors: Sequence[Prior], dim: str, labels: Sequence[str]) -> Tensor:
    """Return one PyMC variable with dim ``dim`` whose elements have the given priors.

    Elements with the same distribution are one variable with vectors of constants. Where distributions differ,
    each element is a variable ``name[label]`` and the vector is a Deterministic.
    """
    if len({prior.dist for prior in priors}) == 1:
        constants = {key: np.array([p.values[key] for p in priors]) for key in priors[0].values}
        return pymc_class(priors[0])(name, **constants, dims=dim)
    elements = []
    for prior, label in zip(priors, labels, strict=True):
        single = {key: np.float64(value) for key, value in prior.constants}
        elements.append(pymc_class(prior)(f"{name}[{label}]", **single))
    return pm.Deterministic(name, pt.stack(elements), dims=dim)


def increasing_vector(name: str, prior: Prior, dim: str, labels: Sequence[str]) -> Tensor:
    """Return one PyMC variable with dim ``dim`` whose elements increase and have the prior's density where they do.

    Its log-density is the sum of the elements' own, without the constant log(k!) of the k! orders; its draws are k
    draws from the prior, sorted. A transform alone, such as ``pm.Normal(..., transform=ordered)``, makes an increasing
    vector for NUTS only: draws from the prior do not know of it.
    """
    make = pymc_class(prior)
    names, constants = list(prior.values), [np.float64(value) for value in prior.numbers]

    def drawn(*values: Tensor) -> Tensor:  # the last is PyMC's size of a batch; the shape here is that of the labels
        return pt.sort(make.dist(**dict(zip(names, values[:-1], strict=True)), shape=(len(labels),)), axis=-1)

    def log_density(value: Tensor, *values: Tensor) -> Tensor:
        return pm.logp(make.dist(**dict(zip(names, values, strict=True))), value).sum(axis=-1)

    start = np.linspace(-2.0, 2.0, len(labels) + 2)[1:-1]
    signature = f"{','.join('()' for _ in names)}->(k)"
    return pm.CustomDist(
        name, *constants, dist=drawn, logp=log_density, signature=signature, transform=ordered, initval=start, dims=dim
    )


def correlation_vector(name: str, priors: Sequence[Prior], dim: str) -> Tensor:
    """Return correlations of all pairs with dim ``dim``, of which the matrix has the LKJ density (`sequence`).

    More than one are a Deterministic of partial correlations, ``<name>|partial``.
    """

    def drawn(eta: Tensor, size: Tensor) -> Tensor:
        return 2.0 * pm.Beta.dist(eta, eta, size=size) - 1.0

    def log_density(value: Tensor, eta: Tensor) -> Tensor:
        constant = pt.gammaln(2.0 * eta) - 2.0 * pt.gammaln(eta) - (2.0 * eta - 1.0) * np.log(2.0)
        return (eta - 1.0) * pt.log1p(-(value**2)) + constant

    etas = np.array([prior.numbers[0] for prior in priors]) + jacobian_powers(len(priors))
    one = len(priors) == 1
    partial = pm.CustomDist(
        name if one else f"{name}|partial", etas, dist=drawn, logp=log_density, transform=Interval(-1.0, 1.0), dims=dim
    )
    if one:
        return partial
    found = correlations_of([partial[i] for i in range(len(priors))], pt)
    return pm.Deterministic(name, pt.stack(found), dims=dim)
