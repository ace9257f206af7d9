"""The engine's forward pass in NumPy, for many draws at once: hidden values, and every row's log-density.

Effects are averaged over draws of unmeasured confounders as they are over covariates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.equations import JointEquation
from bayes_sp.design.evaluate import At, Numbers, joint_predictors, known_values, walk
from bayes_sp.design.joint import JointModel
from bayes_sp.design.parameters import hidden_name
from bayes_sp.design.sequence import sequential
from bayes_sp.inference.pointwise.standardised import Linked, precision_of, settled
from bayes_sp.inference.samplers.target import Program

BATCH = 2_000_000  # numbers in one temporary, draws x rows


def forward(program: Program, natural: Array) -> tuple[dict[str, Array], Array]:
    """Return values of hidden variables, (s, R) each, and every row's log-density, (s, R), as the engine has them."""
    own, ell = standardised_values(program, natural)
    values, densities = walked(program.joint, _at(program, natural), own, ell.shape)
    return values, ell + densities


def _at(program: Program, natural: Array) -> At:
    """Return natural parameters as `evaluate` wants them: of mediators in sequence."""
    return sequential(program.joint.model, program.parameters.named(natural))


def evaluated(program: Program, theta: Array) -> Callable[[slice], tuple[dict[str, Array], Array]]:
    """Return `forward` for some of the draws of unconstrained parameters, (chain, draw, P), chains after each other."""
    flat = theta.reshape(-1, theta.shape[-1])
    return lambda some: forward(program, program.parameters.naturals(flat[some]))


def walked(joint: JointModel, at: At, hidden: dict[str, Array], shape: tuple[int, ...]) -> tuple[dict[str, Any], Array]:
    """Return values of every variable, and every row's log-density, (s, R), at standardised hidden values, (s, R)."""
    total, values = np.zeros(shape), dict[str, Any]()
    for found in walk(joint, at, hidden):
        seen = found.equation.seen
        density = found.equation.likelihood.log_density
        eta, zeta = (np.broadcast_to(part, shape)[:, seen] for part in (found.eta, found.zeta))  # one without terms
        total[:, seen] += density(found.equation.y[seen], eta, zeta, found.aux)
        values = found.values
    return values, total


def standardised_values(program: Program, natural: Array) -> tuple[dict[str, Array], Array]:
    """Return the standardised value w of each variable with hidden ones in every row, and the change that `settle` has.

    Both (s, R); an unmeasured confounder is its w. ``natural`` are natural parameters, (s, ...).
    """
    at, members, linked, z = _at(program, natural), list[str](), list[Linked](), list[Array]()
    members += [link.name for link in program.links if link.hidden is not None]
    equations = {equation.response: equation for equation in program.joint.equations}
    for link in program.links:
        if link.hidden is not None:
            sampled = at[hidden_name(link.name)][:, np.maximum(link.hidden, 0)]
            z.append(np.where(link.hidden >= 0, sampled, 0.0))
        member = members.index(link.name) if link.hidden is not None else None
        equation = equations.get(link.name)
        linked.append(_linked(program, link, member, equation, natural, at, members) if equation else Linked(member))
    if not z:
        return {}, np.zeros((len(natural), program.rows.count))
    w, change = settled(linked, z)
    return dict(zip(members, w, strict=True)), change


def _linked(
    program: Program,
    link: Any,  # noqa: ANN401 - of the engine, which may not be there
    member: int | None,
    equation: JointEquation,
    natural: Array,
    at: At,
    members: list[str],
) -> Linked:
    joint, first = program.joint, equation.likelihood.parameters[:1]
    hidden = {other.response: (other.hidden_number >= 0).astype(float) for other in joint.equations}
    sigma = at[first[0], equation.response][..., None] if first else 1.0
    parents = []
    for term in equation.terms:
        if term.levels is None and not term.zero:
            if term.variable:
                slope = natural[:, [program.parameters.place(term.variable, term.name)]]
            else:
                slope = at[equation.response][..., [equation.mean.names.index(term.name)]]
            times = slope * hidden.get(term.source, 1.0) * (1.0 if term.multiplier is None else term.multiplier)
            parents.append((members.index(term.source), times, term.center))
    share, sd = _shares(equation, sigma) if member is not None else (0.0, 1.0)
    precision = None
    if link.weight is not None:
        precision = precision_of(link.precision, link.weight, sigma, sum(equation.fixed))
    base, _ = joint_predictors(joint, equation, known_values(joint), at, hidden=False)
    return Linked(member, base, parents, share, sd, equation.y, link.target, precision)


def _shares(equation: JointEquation, sigma: Numbers) -> tuple[Array, Array]:
    """Return (k, sd) of hidden values eta + k (y - eta) + sd w, (s, R) or (s, 1)."""
    if not equation.fixed:
        return np.zeros_like(sigma), sigma
    spread = sigma**2 + equation.fixed[0] ** 2
    share = np.where(equation.seen, sigma**2 / spread, 0.0)
    return share, np.where(equation.seen, sigma * equation.fixed[0] / np.sqrt(spread), sigma)


def unmeasured_draws(program: Program, theta: Array) -> xr.Dataset:
    """Return draws of every unmeasured confounder of each patient.

    ``theta`` are draws of its unconstrained parameters, (chain, draw, P), with those that are integrated out; variables
    are named as the confounders, dims (chain, draw, patient), in SDs.
    """
    chains, draws = theta.shape[:2]
    flat = theta.reshape(chains * draws, -1)
    patients, first = np.unique(program.rows.patient, return_index=True)  # rows of one patient share their value
    found = {c.name: np.empty((len(flat), len(patients))) for c in program.confounders}
    size = max(1, BATCH // program.rows.count)
    for start in range(0, len(flat), size):
        part = slice(start, start + size)
        values, _ = standardised_values(program, program.parameters.naturals(flat[part]))
        for name, own in found.items():
            own[part] = values[name][:, first]
    coords = {"chain": np.arange(chains), "draw": np.arange(draws), "patient": patients}
    dims = ("chain", "draw", "patient")
    return xr.Dataset({n: (dims, values.reshape(chains, draws, -1)) for n, values in found.items()}, coords=coords)
