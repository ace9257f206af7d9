"""PathModel + Design -> pm.Model: one likelihood term for each equation of the chain."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.build import equation_matrix, zero_matrix
from bayes_sp.design.design import Design
from bayes_sp.design.prior_density import priors_of
from bayes_sp.design.relevance import counted, informative, relevant
from bayes_sp.errors import SurveyError
from bayes_sp.inference.reference.priors import Tensor, increasing_vector, prior_vector
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Equation, Unmeasured
from bayes_sp.model.path_model import ZERO, PathModel
from bayes_sp.names import observed_name

WHOLE = ("count", "integer", "binary")  # kinds of responses that PyMC takes as whole numbers
Scalars = Mapping[tuple[str, str], Tensor]
# A variable as later equations see it: numbers, or a tensor where some are unknown; of a confounder what it adds.
Values = Mapping[str, Any]


def seen_dim(design: Design, response: str) -> str:
    """Return the dim of a response's records: ``patient``, or one of its own where some are missing."""
    return f"{response}_patient" if response in design.missing else "patient"


def build_model(model: PathModel, design: Design) -> pm.Model:
    """Return the joint PyMC model of a specification and a survey's design arrays.

    For each equation j with columns X_j (intercept unless ordered, parents less their fixed centres, interactions,
    covariates)::

        eta_j = X_j beta_j + monotonic steps + tau_j z_group + log(window / reference),  zeta_j = Z_j gamma_j,
        y_j ~ family_j(eta_j, zeta_j, parameters_j),    beta_j, gamma_j, tau_j, parameters_j ~ priors,  z ~ N(0, 1)

    Variables: one vector of coefficients for each equation, named as its response, with dim ``<response>_term``;
    ``sigma``, ``phi``, ``nu``, ``precision``, ``shape`` and ``tau`` with dim ``<name>_response``;
    ``<response>_zero``, ``<response>_cutpoint``, ``<response>_<parent>_simplex`` and ``<response>_varying``;
    ``<response>_observed`` with dim ``patient``, or ``<response>_patient`` where some responses are missing.
    A monotonic effect (Bürkner & Charpentier 2020, doi:10.1111/bmsp.12195) of a parent with D + 1 levels is
    slope * D * (sum of the shares of the steps up to the level), shares ~ Dirichlet.

    A missing value of a continuous response on which something observed depends is eta + delta + sigma z, delta the
    specification's shift, with z ~ N(0, 1), or t_nu; patients without a response have no row. A latent
    value behind an observed one y is N(eta + w (y - eta), sigma^2 (1 - w)) with w = sigma^2 / (sigma^2 + s^2) and a
    known s; it stands in ``<response>|hidden`` as its own z ~ N(0, 1), so that y ~ N(eta, sigma^2 + s^2).

    An unmeasured confounder U stands in ``<name>|hidden``, N(0, 1) for each patient, and adds strength * U to eta;
    strengths with a prior stand in ``<name>``.

    The chain factorises, so the joint likelihood is the product of the equations' likelihoods. This is the model to
    read, to draw from the prior and to test against; `engine` has the same density in a form that is faster to
    compile and to sample.

    Raises
    ------
    SurveyError
        Where values are missing that this model has no account of: exposure, covariates, discrete mediators.
    """
    patients = np.flatnonzero(informative(design, model))
    design = design.taken(patients)
    _check_missing(model, design)
    groups = {column: list(labels) for column, (_, labels) in design.groups.items()}
    with pm.Model(coords={"patient": patients, **groups}) as built:
        scalars = _scalars(model)
        values: dict[str, Any] = {design.exposure: design.x}
        values |= {confounder.name: _unmeasured(confounder) for confounder in model.confounders}
        for j, equation in enumerate(model.equations):
            values[equation.response] = _add_equation(model, design, j, scalars, values)
    return built


def _unmeasured(confounder: Unmeasured) -> dict[str, Tensor]:
    """Add a confounder and its strengths; return what it adds to the predictor of each response that it acts on."""
    name, priors = confounder.name, dict(confounder.estimated)
    strengths: dict[str, Tensor] = {r: s for r, s in confounder.strengths if not isinstance(s, Prior) and s != 0.0}
    if priors:
        pm.modelcontext(None).add_coord(f"{name}_term", list(priors))
        vector = prior_vector(name, list(priors.values()), f"{name}_term", list(priors))
        strengths |= {response: vector[place] for place, response in enumerate(priors)}
    u = pm.Normal(f"{name}|hidden", 0.0, 1.0, dims="patient")
    return {response: strength * u for response, strength in strengths.items()}


def _check_missing(model: PathModel, design: Design) -> None:
    """Refuse what has no account here; missing outcomes, and responses without children, simply have no term."""
    continuous = {e.response for e in model.equations if _is_continuous(FAMILIES[e.family])}
    asked = {name: mask & relevant(design, name) for name, mask in design.missing.items() if name in design.responses}
    problems = [
        f"{name}: {int(mask.sum())} values are missing, of which the readable PyMC model has no account; "
        f'set missing = "complete"'
        for name, mask in (design.missing | asked).items()
        if name not in continuous and mask.any()
    ]
    if problems:
        raise SurveyError("the survey", problems)


def _is_continuous(family: Family) -> bool:
    return family.response == "real" and family.link == "identity"


def _scalars(model: PathModel) -> dict[tuple[str, str], Tensor]:
    """Add the parameters beside coefficients, one vector for each kind over the equations that have it."""
    having: dict[str, list[str]] = {}
    for equation in model.equations:
        for name in (*FAMILIES[equation.family].parameters, *(("tau",) if equation.varying else ())):
            having.setdefault(name, []).append(equation.response)
    found: dict[tuple[str, str], Tensor] = {}
    for name, responses in sorted(having.items()):
        pm.modelcontext(None).add_coord(f"{name}_response", responses)
        vector = prior_vector(name, priors_of(model, name, responses), f"{name}_response", responses)
        found |= {(name, response): vector[place] for place, response in enumerate(responses)}
    return found


def _add_equation(model: PathModel, design: Design, j: int, scalars: Scalars, values: Values) -> Tensor:
    """Add one equation and return its response as later equations see it."""
    equation, family = model.equations[j], FAMILIES[model.equations[j].family]
    response, context = equation.response, pm.modelcontext(None)
    eta = _mean_predictor(model, design, j, scalars, values)
    zeta = _zero_predictor(model, design, j, values)
    aux = _auxiliary(model, design, equation, family, scalars)
    seen, y = ~np.isnan(design.y[:, j]), design.coded(j)
    dim = seen_dim(design, response)
    if dim != "patient":
        context.add_coord(dim, np.asarray(context.coords["patient"])[seen])
    data = pm.Data(f"{response}_y", y[seen].astype(int) if family.response in WHOLE else y[seen], dims=dim)
    own = (eta, zeta) if seen.all() else (eta[seen], zeta if zeta is None else zeta[seen])
    family.likelihood(pm, observed_name(response), *own, aux, data, dims=dim)
    hidden = (~seen | family.latent) & relevant(design, response)
    return _hidden_values(response, family, design.y[:, j], hidden, eta, aux) if hidden.any() else design.y[:, j]


def _mean_predictor(model: PathModel, design: Design, j: int, scalars: Scalars, values: Values) -> Tensor:
    """Return eta of equation j, (n,)."""
    equation = model.equations[j]
    response, terms = equation.response, model.terms(equation)
    x = np.where(counted(design)[:, [j]], equation_matrix(model, design, j), 0.0)
    eta = _columns(model, design, response, terms, x, values, _monotonic(model, design, equation, x))
    if equation.varying:
        codes, _ = design.groups[equation.varying]
        z = pm.Normal(f"{response}|varying", 0.0, 1.0, dims=equation.varying)
        eta += pm.Deterministic(f"{response}_varying", scalars["tau", response] * z, dims=equation.varying)[codes]
    for confounder in model.confounders:
        eta = eta + values[confounder.name].get(response, 0.0)
    offset = design.offset(response)
    return eta + (0.0 if offset is None else offset)


def _zero_predictor(model: PathModel, design: Design, j: int, values: Values) -> Tensor:
    """Return zeta of equation j, (n,); None without a zero part."""
    terms = model.zero_terms(model.equations[j])
    if not terms:
        return None
    z = np.where(counted(design)[:, [j]], zero_matrix(model, design, j), 0.0)
    return _columns(model, design, f"{model.equations[j].response}_zero", terms, z, values, {})


def _columns(
    model: PathModel,
    design: Design,
    name: str,
    terms: tuple[str, ...],
    x: Array,
    values: Values,
    others: Mapping[str, Tensor],
) -> Tensor:
    """Return X beta, (n,), beta named ``name``: columns of numbers, and ``others`` or unknown parents as tensors."""
    if not terms:
        return pt.zeros(design.n)
    response = name if name in design.responses else name.removesuffix("_zero")
    asked = terms if name == response else tuple(ZERO + term for term in terms)
    pm.modelcontext(None).add_coord(f"{name}_term", terms)
    beta = prior_vector(name, priors_of(model, response, asked), f"{name}_term", terms)
    columns = dict(others)
    for term in terms:
        exposure, _, mediator = term.rpartition(":")
        if mediator not in others and isinstance(values.get(mediator), pt.TensorVariable):
            value = values[mediator] - model.variable(mediator).center
            columns[term] = design.x * value if exposure else value
    known = np.where(np.isin(terms, list(columns)), 0.0, x)
    data = pm.Data(f"{name}_x", known, dims=("patient", f"{name}_term"))
    eta = (data * beta).sum(axis=-1)  # not data @ beta: compiling a matrix product takes 40 s, the gradient is as fast
    for term, column in columns.items():
        eta += beta[terms.index(term)] * column
    return eta


def _monotonic(model: PathModel, design: Design, equation: Equation, x: Array) -> dict[str, Tensor]:
    """Return the column of each monotonic parent, (n,): D * (sum of the shares of the steps up to its level)."""
    found = {}
    for parent in equation.monotonic:
        name, levels = f"{equation.response}_{parent}", model.levels(parent)
        pm.modelcontext(None).add_coord(f"{name}_step", [f"{low:g}-{high:g}" for low, high in pairwise(levels)])
        (prior,) = priors_of(model, equation.response, ["simplex"])
        steps = len(levels) - 1
        shares = pm.Dirichlet(f"{name}_simplex", np.full(steps, prior.values["alpha"]), dims=f"{name}_step")
        reached = steps * pt.concatenate([pt.zeros(1), pt.cumsum(shares)])
        found[parent] = reached[x[:, model.terms(equation).index(parent)].astype(int)]
    return found


def _auxiliary(model: PathModel, design: Design, equation: Equation, family: Family, scalars: Scalars) -> Tensor:
    """Return a family's aux: cutpoints, or its parameters and a known measurement SD."""
    response = equation.response
    if not family.ordered:
        known = [design.measurement_sd[response]] if family.latent else []
        return [*(scalars[name, response] for name in family.parameters), *known]
    labels = [f"{low:g}|{high:g}" for low, high in pairwise(model.levels(response))]
    pm.modelcontext(None).add_coord(f"{response}_cut", labels)
    (prior,) = priors_of(model, response, ["cutpoint"])
    return increasing_vector(f"{response}_cutpoint", prior, f"{response}_cut", labels)


def _hidden_values(response: str, family: Family, y: Array, unknown: Mask, eta: Tensor, aux: Tensor) -> Tensor:
    """Return the values behind a response, (n,), by standardised unknowns: missing ones, and those behind an error."""
    missing, hidden = np.isnan(y), np.flatnonzero(unknown)
    pm.modelcontext(None).add_coord(f"{response}_hidden", hidden)
    dims = f"{response}_hidden"
    if family.residual is not None:
        z = family.residual(pm, f"{response}|hidden", aux, dims)
    else:
        z = pm.Normal(f"{response}|hidden", 0.0, 1.0, dims=dims)
    sigma, share = aux[0], 0.0
    if family.latent:
        share = pt.where(missing[hidden], 0.0, sigma**2 / (sigma**2 + aux[1] ** 2))
    mean = eta[hidden] + share * (np.nan_to_num(y)[hidden] - eta[hidden])
    value = mean + sigma * pt.sqrt(1.0 - share) * z
    return pt.set_subtensor(pt.as_tensor(np.nan_to_num(y))[hidden], value)
