"""Draws from the model as it is written in PyMC's own words: slower, and independent of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.design.joint import JointModel, joint_model
from bayes_sp.design.parameters import hidden_name, is_posterior
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.options import TARGET_ACCEPT, SamplerOptions
from bayes_sp.inference.pointwise.forward import walked
from bayes_sp.inference.pointwise.imputed import Evaluated, imputed_covariates
from bayes_sp.inference.reference.build import build_model
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel


def plain_draws(
    model: PathModel,
    design: Design,
    *,
    seed: int,
    options: SamplerOptions,
    progress: bool = False,
    likelihood_power: float = 1.0,
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset, xr.Dataset]:
    """Sample `build_model` with `pm.sample`.

    Returns the posterior variables, named as the engine's, the unmeasured confounders (chain, draw, patient), draws of
    covariates' missing cells, and the sampler's statistics.

    Raises SurveyError where cells are missing of which the plain model has no account; SpecificationError where the
    density of true values and residual SDs has no bound.
    """
    _check_bounded(model)
    pytensor.config.numba__fastmath = False  # with it the same seed gives other draws in a cold and a warm cache
    joint = joint_model(model, design)
    with build_model(model, design, likelihood_power):
        tree = pm.sample(
            options.draws, tune=options.tune, chains=options.chains, cores=options.cores, random_seed=seed,
            target_accept=options.target_accept or TARGET_ACCEPT, progressbar=progress,
            compute_convergence_checks=False, quiet=True,
        )  # fmt: skip
    drawn = tree["posterior"].to_dataset()
    unmeasured = xr.Dataset({u.name: drawn[hidden_name(u.name)].drop_attrs() for u in model.confounders})
    imputed = imputed_covariates(joint, design, _evaluated(joint, drawn), options.chains, options.draws, seed=seed)
    posterior = drawn.drop_vars([name for name in drawn.data_vars if "|" in str(name) or "[" in str(name)])
    posterior.attrs.clear()
    statistics = tree["sample_stats"].to_dataset()
    texts = [n for n, v in statistics.items() if not np.issubdtype(v.dtype, np.number) and v.dtype != bool]
    return posterior, unmeasured, imputed, statistics.drop_vars(texts)


def _evaluated(joint: JointModel, drawn: xr.Dataset) -> Evaluated:
    """Return values of variables and log-densities of rows for some of the draws, chains one after the other."""
    found: dict[Any, Array] = {}
    for name, values in drawn.transpose("chain", "draw", ...).data_vars.items():
        found[str(name)] = values.to_numpy().reshape(-1, *values.shape[2:])
    elements = {(b.variable, b.labels[0]) for b in joint.blocks if len(b.labels) == 1 and is_posterior(b.variable)}
    for name, label in elements:
        dim = drawn[name].dims[-1]
        found[name, label] = found[name][..., drawn[dim].to_numpy().tolist().index(label)]
    rows = {c.name: joint.rows.patient for c in joint.confounders}
    numbers = {e.response: e.hidden_number for e in joint.equations if (e.hidden_number >= 0).any()}

    def evaluated(some: slice) -> tuple[dict[str, Array], Array]:
        at = {name: values[some] for name, values in found.items()}
        hidden = {name: at[hidden_name(name)][:, np.maximum(number, 0)] for name, number in (rows | numbers).items()}
        count = len(range(*some.indices(drawn.sizes["chain"] * drawn.sizes["draw"])))
        return walked(joint, at, hidden, (count, joint.rows.count))

    return evaluated


def _check_bounded(model: PathModel) -> None:
    """Refuse what has no bounded density with the true values as parameters.

    A normal response that sees them can have its residual SD go to 0, and the density to infinity, at true values that
    give every record of it exactly; chains that find that place stay there. The engine integrates them out, or moves
    them along with the residual SD.
    """
    measured = {equation.response for equation in model.equations if FAMILIES[equation.family].latent}
    problems = [
        f'equation "{equation.response}": {" and ".join(name for name in equation.parents if name in measured)} is '
        f"measured with error before a response with a residual SD (family {equation.family}); the plain PyMC model "
        "has the true values as parameters, and then its density has no bound where that SD goes to 0; leave out "
        "--method pymc: NUTS through the engine integrates them out or moves them with the SD"
        for equation in model.equations
        if measured.intersection(equation.parents) and FAMILIES[equation.family].has_density
    ]
    if problems:
        raise SpecificationError(model.name, problems)
