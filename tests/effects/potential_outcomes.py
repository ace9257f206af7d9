"""Simulated potential outcomes of chains of two mediators of any family, world by world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayes_sp.design.build import transformed
from bayes_sp.design.elements import arrays_of
from bayes_sp.design.evaluate import chain_auxiliary, mean_predictor, zero_predictor
from bayes_sp.model.families.registry import FAMILIES

SETS = ((0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 1, 1, 1))


def simulated(model, design, posterior, size: int, seed: int, ends=None):
    """Return mean outcomes of each world of SETS and the paired errors of their differences, patient by patient.

    ``ends`` gives the columns of what moves before and after it does, where that is not the exposure from 0 to 1.
    """
    count = size // design.n
    rng, at = np.random.default_rng(seed), arrays_of(model, design, posterior.isel(draw=np.zeros(count, dtype=int)))
    shape, exposure = (1, count, design.n), model.exposure
    m1, m2 = model.mediators
    noise = draws_of(model.equations[0].family, rng, shape)

    def values(u, **more):
        moved = {exposure: float(u)} if ends is None else ends[u]
        return {**{name: np.full(design.n, value) for name, value in moved.items()}, **more}

    def mediator(j, given, error):
        family, response = FAMILIES[model.equations[j].family], model.equations[j].response
        eta, aux = mean_predictor(model, design, j, at, given), chain_auxiliary(model, design, j, at)
        if family.mediator == "normal":
            return eta + aux[..., :1] * error
        coding = design.coding[response]
        if family.mediator == "logit":
            return coding.origin + coding.unit * (eta[..., None] + error[..., None] > aux[..., None, :]).sum(axis=-1)
        mu, precision = 1.0 / (1.0 + np.exp(-eta)), aux[..., :1]
        return coding.origin + coding.unit * rng.beta(mu * precision, (1.0 - mu) * precision, error.shape)

    first = {u: mediator(0, values(u), noise) for u in (0, 1)}
    own = draws_of(model.equations[1].family, rng, shape)
    means = {}
    for d, one, two, three in SETS:
        second = mediator(1, values(two, **{m1: first[three]}), own)
        given = values(d, **{m1: first[one], m2: second})
        eta, zeta = mean_predictor(model, design, 2, at, given), zero_predictor(model, design, 2, at, given)
        means[d, one, two, three] = FAMILIES[model.equations[2].family].mean(
            eta, zeta, chain_auxiliary(model, design, 2, at)
        )
    return means


def draws_of(family, rng, shape):
    return rng.logistic(size=shape) if FAMILIES[family].link == "logit" else rng.standard_normal(shape)


def with_values(model, design, values):
    w = design.w.copy()
    for name, value in values.items():
        covariate = next(c for c in model.covariates if c.name == name)
        for term, column in zip(covariate.terms, transformed(covariate, np.array([value])), strict=True):
            w[:, design.covariate_terms.index(term)] = column[0]
    return replace(design, w=w)
