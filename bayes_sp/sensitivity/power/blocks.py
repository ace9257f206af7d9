"""The parts of a joint density that are scaled one at a time: each prior of a specification, and the likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.design.parameters import Block, equation_blocks
from bayes_sp.design.sequence import partials_of
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import ZERO
from bayes_sp.names import observed_name

ALL_PRIORS, LIKELIHOOD = "all priors", "likelihood"  # names of blocks beside those of single priors
MOST_VALUES = 2_000_000  # log-likelihoods at a time
type Pair = tuple[str, float]  # block, power


@dataclass(frozen=True)
class PriorBlock:
    """One prior of a specification, and every parameter that has it."""

    # As the specification names it: ``slope``, or ``visits.slope`` for one that stands in an equation's table.
    name: str
    entry: tuple[str, str]  # (equation or '', name) in ``PathModel.priors``
    prior: Prior  # the distribution of each element; of a simplex as a whole
    # (posterior variable, labels of its elements); the shares of one simplex stand together.
    elements: tuple[tuple[str, tuple[str, ...]], ...]


def prior_blocks(model: PathModel) -> tuple[PriorBlock, ...]:
    """Return a block for each prior of a specification that a parameter has, in the specification's order.

    The standard normal distributions of groups' intercepts and of hidden values are parts of the model and in no
    block; the prior of their standard deviation is one. So are not the priors of incomplete covariates' equations,
    which the specification does not state.
    """
    found: dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]] = {}
    for j, equation in enumerate(model.equations):
        for block in equation_blocks(model, j):
            for names, labels in _parameters(block, equation.response):
                entry = model.prior_place(equation.response, names)
                if entry is not None:
                    found.setdefault(entry, []).append((block.variable, labels))
    return tuple(
        PriorBlock(f"{where}.{key}" if where else key, (where, key), prior, tuple(found[where, key]))
        for where, key, prior in model.priors
        if (where, key) in found
    )


def _parameters(block: Block, response: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the names under which priors of a block's elements are looked up, each with the elements' labels."""
    if block.transform == "share":
        return [("simplex", block.labels)]
    if block.transform == "increasing":
        return [("cutpoint", block.labels)]
    if block.transform in ("log", "tanh"):
        return [(block.variable, block.labels)]
    prefix = {response: "", f"{response}_zero": ZERO}.get(block.variable)
    return [] if prefix is None else [(f"{prefix}{label}", (label,)) for label in block.labels]


def elements_of(posterior: xr.Dataset, variable: str, labels: tuple[str, ...]) -> Array:
    """Return draws of a posterior variable's elements, (chain, draw, labels)."""
    array = posterior[variable].transpose("chain", "draw", ...)
    dim = array.dims[-1]
    places = {str(label): i for i, label in enumerate(array[dim].to_numpy())}
    return np.asarray(array.to_numpy()[..., [places[label] for label in labels]])


def block_log_density(block: PriorBlock, posterior: xr.Dataset) -> Array:
    """Return the log-density of a block at every draw, (chain, draw): on the parameters' own scale, no Jacobian.

    Cutpoints have their prior's density wherever they increase, and a constant that no power feels.
    """
    total = np.zeros((posterior.sizes["chain"], posterior.sizes["draw"]))
    for variable, labels in block.elements:
        elements = elements_of(posterior, variable, labels)
        if block.prior.support == "correlation":  # log |R| is the sum of log (1 - z^2) over partial correlations z
            elements = partials_of(elements)
        values = block.prior.log_density(elements)
        total += values if block.prior.support == "simplex" else values.sum(axis=-1)
    return total


def total_log_likelihood(model: PathModel, design: Design, tree: xr.DataTree) -> tuple[Array, str]:
    """Return the log-likelihood of all patients at every draw, (chain, draw), and what it leaves out, in words.

    Taken from the group ``log_likelihood``, else computed, some draws at a time. What is not known of a patient's
    mediators is integrated out, so that this is the marginal likelihood of what was observed; the intercepts of
    groups are parameters.
    """
    posterior = tree["posterior"].to_dataset()
    names = [observed_name(equation.response) for equation in model.equations]
    if "log_likelihood" in tree.children and all(name in tree["log_likelihood"] for name in names):
        group = tree["log_likelihood"].to_dataset()
        total = _summed(group, names)
    else:
        step = max(1, MOST_VALUES // (posterior.sizes["chain"] * design.y.size))
        parts = []
        for first in range(0, posterior.sizes["draw"], step):
            group = log_likelihood(model, design, posterior.isel(draw=slice(first, first + step)))
            parts.append(_summed(group, names))
        total = np.concatenate(parts, axis=1)
    measured = int(np.isfinite(design.y).sum())
    left = measured - sum(group[name].sizes[group[name].dims[-1]] for name in names)
    what = f"the likelihood is without {left} of {measured} responses, whose predictors are not known"
    return total, what if left else ""


def _summed(group: xr.Dataset, names: list[str]) -> Array:
    """Return the sum over responses and patients, (chain, draw)."""
    arrays = (group[name].transpose("chain", "draw", ...) for name in names)
    return np.asarray(sum(array.to_numpy().sum(axis=-1) for array in arrays))
