"""PathModel + Design -> pm.Model: one likelihood term for each equation of the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm

from bayes_sp.families.registry import FAMILIES
from bayes_sp.model.prior_density import priors_of
from bayes_sp.model.priors import Tensor, prior_vector
from bayes_sp.names import observed_name
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import equation_matrix
from bayes_sp.survey.design import Array, Design

Likelihood = Callable[[str, Tensor, Tensor, Array], Tensor]


def _normal(name: str, eta: Tensor, sigma: Tensor, y: Array) -> Tensor:
    """Y ~ Normal(eta, sigma)."""
    return pm.Normal(name, mu=eta, sigma=sigma, observed=y, dims="patient")


def _negative_binomial(name: str, eta: Tensor, phi: Tensor, y: Array) -> Tensor:
    """Y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)."""
    return pm.NegativeBinomial(name, mu=pm.math.exp(eta), alpha=phi, observed=y, dims="patient")


LIKELIHOODS: dict[str, Likelihood] = {"normal": _normal, "negative_binomial": _negative_binomial}


def build_model(model: PathModel, design: Design) -> pm.Model:
    """Return the joint PyMC model of a specification and a survey's design arrays.

    For each equation j with columns X_j (intercept, parents less their fixed centres, covariates)::

        eta_j = X_j beta_j,    y_j ~ family_j(eta_j, parameter_j),    beta_j ~ priors

    Variables: one vector of coefficients for each equation, named as its response, with dim ``<response>_term``;
    ``sigma`` (residual SD, unit of the response) with dim ``sigma_response``; ``phi`` (negative-binomial size,
    var = mu + mu^2/phi) with dim ``phi_response``; ``<response>_observed`` with dim ``patient``.
    The chain factorises, so the joint likelihood is the product of the equations' likelihoods. This is the model to
    read, to draw from the prior and to test against; `build_compact` is the same density in a form that is faster to
    compile and to sample.
    """
    terms = {equation.response: model.terms(equation) for equation in model.equations}
    families = {equation.response: FAMILIES[equation.family] for equation in model.equations}
    parameters = sorted({name for family in families.values() for name in family.parameters})
    having = {name: [r for r, family in families.items() if name in family.parameters] for name in parameters}
    coords: dict[str, Any] = {"patient": np.arange(design.n)}
    coords |= {f"{response}_term": list(names) for response, names in terms.items()}
    coords |= {f"{name}_response": responses for name, responses in having.items()}
    with pm.Model(coords=coords) as built:
        parameter = {
            name: prior_vector(name, priors_of(model, name, responses), f"{name}_response", responses)
            for name, responses in having.items()
        }
        for j, equation in enumerate(model.equations):
            response, family = equation.response, families[equation.response]
            priors = priors_of(model, response, terms[response])
            beta = prior_vector(response, priors, f"{response}_term", terms[response])
            x = pm.Data(f"{response}_x", equation_matrix(model, design, j), dims=("patient", f"{response}_term"))
            y = pm.Data(f"{response}_y", design.y[:, j], dims="patient")
            eta = (x * beta).sum(
                axis=-1
            )  # not x @ beta: compiling a matrix product takes 40 s, the gradient is as fast
            (name,) = family.parameters
            LIKELIHOODS[family.name](observed_name(response), eta, parameter[name][having[name].index(response)], y)
    return built
