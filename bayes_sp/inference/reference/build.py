"""JointModel -> pm.Model: one loop over its equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_sp.arrays import Array, Codes
from bayes_sp.design.design import Design
from bayes_sp.design.evaluate import Evaluated, auxiliary, walk
from bayes_sp.design.joint import JointModel, joint_model
from bayes_sp.design.parameters import Block, hidden_name, is_posterior, posterior_dims, varying_name
from bayes_sp.design.sequence import sequential
from bayes_sp.inference.reference.priors import Tensor, correlation_vector, increasing_vector, prior_vector
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import VARYING, observed_name

WHOLE = ("count", "integer", "binary")  # kinds of responses that PyMC takes as whole numbers
LEVELS = "missing_levels"  # the likelihood of patients of whom a level is missing
POWER = "likelihood_power"


def build_model(model: PathModel, design: Design, likelihood_power: float = 1.0) -> pm.Model:
    """Return the joint PyMC model of a specification and a survey's design arrays.

    For each equation j with columns X_j (intercept unless ordered, parents less their fixed centres, interactions,
    covariates)::

        eta_j = X_j beta_j + monotonic steps + tau_j z_group + strength_j U + log(window / reference) + delta_j,
        y_j ~ family_j(eta_j, zeta_j, parameters_j),  zeta_j = Z_j gamma_j,  z ~ N(0, 1),  U ~ N(0, 1)

    Variables: one vector of coefficients for each equation, named as its response, with dim ``<response>_term``;
    ``sigma``, ``phi``, ``nu``, ``precision``, ``shape`` and ``tau`` with dim ``<name>_response``;
    ``<response>_zero``, ``<response>_cutpoint``, ``<response>_<parent>_simplex`` and ``<response>_varying``; strengths
    of an unmeasured confounder under its name. ``<response>_observed`` has dim ``patient``, or
    ``<response>_patient`` where it is not observed of all.

    What is not known of a patient:

    - An incomplete covariate or exposure has an equation of its own, given those that are complete.
    - A missing number is eta + sigma z, with z in ``<name>|hidden``, N(0, 1), or t_nu; so is a true value behind a
      measurement error of SD s, N(eta + w (y - eta), sigma^2 (1 - w)), w = sigma^2 / (sigma^2 + s^2). An unmeasured
      confounder stands in ``<name>|hidden``.
    - A missing level is summed over: the patient is a row for each combination of levels, and the logarithm of the
      sum over rows of the product of all equations' densities stands in the Potential ``missing_levels``. These
      patients are in no observed variable, and so in no posterior predictive draw.

    The engine has the same density in a form that is faster to compile and to sample.

    Raises SurveyError where cells are missing of which the model has no account.
    """
    joint = joint_model(model, design)
    rows = joint.rows
    groups = {column: list(labels) for column, (_, labels) in rows.design.groups.items()}
    with pm.Model(coords={"patient": rows.kept, **groups}) as built:
        at = _parameters(joint)
        found = list(walk(joint, at, _hidden(joint, at), pt, _columns(joint)))
        for one in found:
            _observe(joint, one)
        if rows.split:
            pm.Potential(LEVELS, likelihood_power * _over_levels(joint, found))
        if likelihood_power != 1.0:
            observed = built.logp(vars=built.observed_RVs)
            pm.Potential(POWER, (likelihood_power - 1.0) * observed)
    return built


def _parameters(joint: JointModel) -> dict[Any, Tensor]:
    """Add every parameter; return the vectors by name, with the elements of each response beside."""
    blocks: dict[str, list[Block]] = {}
    for block in joint.blocks:
        if is_posterior(block.variable):
            blocks.setdefault(block.variable, []).append(block)
    labels = {name: tuple(label for block in own for label in block.labels) for name, own in blocks.items()}
    at: dict[Any, Tensor] = {}
    for name, dim in posterior_dims(labels).items():
        pm.modelcontext(None).add_coord(dim, list(labels[name]))
        at[name] = _vector(name, blocks[name], dim, labels[name])
        if all(len(block.labels) == 1 or block.transform == "tanh" for block in blocks[name]):
            at |= {(name, label): at[name][place] for place, label in enumerate(labels[name])}
    for equation in joint.model.equations:
        if equation.varying:
            response, column = equation.response, equation.varying
            z = pm.Normal(varying_name(response), 0.0, 1.0, dims=column)
            at[f"{response}{VARYING}"] = pm.Deterministic(f"{response}{VARYING}", at["tau", response] * z, dims=column)
    return sequential(joint.model, at, pt)


def _vector(name: str, blocks: Sequence[Block], dim: str, labels: Sequence[str]) -> Tensor:
    priors = [prior for block in blocks for prior in block.priors]
    if blocks[0].transform == "share":
        return pm.Dirichlet(name, np.full(len(labels), priors[0].values["alpha"]), dims=dim)
    if blocks[0].transform == "tanh":
        return correlation_vector(name, priors, dim)
    if blocks[0].transform == "increasing":
        return increasing_vector(name, priors[0], dim, labels)
    return prior_vector(name, priors, dim, labels)


def _hidden(joint: JointModel, at: dict[Any, Tensor]) -> dict[str, Tensor]:
    """Add standardised hidden values; return them in every row, (R,), by variable."""
    rows = joint.rows
    found = {c.name: pm.Normal(hidden_name(c.name), 0.0, 1.0, dims="patient")[rows.patient] for c in joint.confounders}
    for equation in joint.equations:
        number, dim = equation.hidden_number, f"{equation.response}_hidden"
        if not (number >= 0).any():
            continue
        pm.modelcontext(None).add_coord(dim, rows.kept[np.unique(rows.patient[number >= 0])])
        name, residual = hidden_name(equation.response), equation.likelihood.residual
        if residual is None:
            z = pm.Normal(name, 0.0, 1.0, dims=dim)
        else:
            z = residual(pm, name, auxiliary(equation.family, equation.response, equation.fixed, at, pt), dim)
        found[equation.response] = z[np.maximum(number, 0)]
    return found


def _columns(joint: JointModel) -> dict[str, Tensor]:
    """Add the columns of each predictor that are known, (R, p), 0 where a live term stands."""
    rows, dim = joint.rows, "patient"
    if not np.array_equal(rows.patient, np.arange(len(rows.kept))):
        dim = "row"
        pm.modelcontext(None).add_coord(dim, rows.kept[rows.patient])
    found = {}
    for equation in joint.equations:
        for predictor, x in ((equation.mean, equation.x), (equation.zero, equation.zero_x)):
            if predictor is not None and predictor.terms:
                known = x.copy()
                known[:, list(equation.live(zero=predictor.zero))] = 0.0
                name = predictor.variable
                found[name] = pm.Data(f"{name}_x", known, dims=(dim, f"{name}_term"))
    return found


def _observe(joint: JointModel, one: Evaluated) -> None:
    """Add an equation's responses that were observed, of patients with one row, in the patients' order."""
    equation, rows = one.equation, joint.rows
    response, seen = equation.response, np.flatnonzero(equation.seen[: rows.single])
    seen = seen[np.argsort(rows.patient[seen], kind="stable")]
    if not len(seen):
        return
    dim = "patient" if len(seen) == len(rows.kept) else f"{response}_patient"
    if dim != "patient":
        pm.modelcontext(None).add_coord(dim, rows.kept[rows.patient[seen]])
    data = pm.Data(f"{response}_y", _coded(one, seen), dims=dim)
    _likelihood(one, seen, observed_name(response), data, dim)


def _over_levels(joint: JointModel, found: Sequence[Evaluated]) -> Tensor:
    """Return log of the sum over a patient's rows of the product of densities, of patients with several rows."""
    rows = joint.rows
    several = rows.count - rows.single
    total = pt.zeros(several) if rows.log_weights is None else pt.as_tensor(rows.log_weights[rows.single :])
    for one in found:
        seen = np.flatnonzero(one.equation.seen[rows.single :])
        if len(seen):
            places = seen + rows.single
            y = _coded(one, places)
            with pm.Model(model=None):  # apart: these are in no observed variable
                response = _likelihood(one, places, one.equation.response, y)
            total = pt.inc_subtensor(total[seen], pm.logp(response, y))
    most = max(count for _, count in rows.split)
    place = np.array([[first - rows.single + min(k, count - 1) for k in range(most)] for first, count in rows.split])
    there = np.array([[k < count for k in range(most)] for _, count in rows.split])
    return pt.logsumexp(pt.where(there, total[place], -np.inf), axis=1).sum()


def _likelihood(one: Evaluated, rows: Codes, name: str, y: Tensor, dim: str | None = None) -> Tensor:
    """Add an equation's responses in some rows as an observed variable."""
    eta, zeta = one.eta, one.zeta
    if not np.array_equal(rows, np.arange(len(one.equation.y))):
        eta, zeta = eta[rows], None if zeta is None else zeta[rows]
    return one.equation.likelihood.likelihood(pm, name, eta, zeta, one.aux, y, dims=dim)


def _coded(one: Evaluated, rows: Codes) -> Array | Codes:
    y = one.equation.y[rows]
    return y.astype(np.int64) if one.equation.likelihood.response in WHOLE else y
