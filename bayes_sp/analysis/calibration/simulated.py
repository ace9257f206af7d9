"""One simulated set of records: parameters from the priors, records from the likelihood, the truth's rank in a fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import xarray as xr

from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.arrays import Array, sd_of
from bayes_sp.design.build import unchecked_design
from bayes_sp.design.design import Design
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.comparisons.joined import all_effects
from bayes_sp.effects.summary import convergence
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.sample import sample_posterior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Equation, Variable
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import VARIANCE_FACTOR
from bayes_sp.records.survey import Survey

RANKED = 99  # draws among which the truth has a rank: few enough to be nearly independent
LIKELIHOOD = "log-likelihood"
ATTEMPTS = 200  # at records without a response on an end of its scale


@dataclass(frozen=True)
class Simulated:
    """What one simulated set of records says.

    Attributes
    ----------
    number
        Of the simulation.
    ranks
        Quantity -> how many of the ranked draws lie below its true value, 0 to `RANKED`.
    divergences, r_hat
        Of the fit: divergent transitions, and the largest rank-normalised split R-hat of any parameter.
    failure
        Why the records could not be fitted; '' where they could.
    """

    number: int
    ranks: dict[str, int]
    divergences: int = 0
    r_hat: float = float("nan")
    failure: str = ""


def without_limits(model: PathModel, survey: Survey, *, steps: bool = False) -> PathModel:
    """Return a specification that takes every record it may simulate itself.

    A normal response leaves any scale, counts have no largest value, and the SD of measurement error is that of the
    survey, not of each simulation's own values. A response on a bounded scale is not rounded to its ``steps`` unless
    they are asked for: the likelihood, which is that of a continuous value, is then no longer the one simulated from.
    """
    responses = {equation.response: FAMILIES[equation.family] for equation in model.equations}

    def variable(old: Variable) -> Variable:
        family = responses.get(old.name)
        if family is None or family.ordered or family.response == "binary":
            return old
        if family.bounded:
            return old if steps else replace(old, step=0.0)
        return replace(old, kind=old.kind if family.response == "count" else "real", minimum=None, maximum=None)

    def equation(old: Equation) -> Equation:
        if not FAMILIES[old.family].latent or old.observed_sd is not None:
            return old
        return replace(old, observed_sd=float(sd_of(survey.records[old.response].dropna().to_numpy(float), ddof=1)))

    return replace(
        model,
        variables=tuple(variable(old) for old in model.variables),
        equations=tuple(equation(old) for old in model.equations),
    )


def simulate_and_rank(
    model: PathModel, survey: Survey, number: int, *, seed: int, options: SamplerOptions
) -> Simulated:
    """Draw a truth from the priors and records from it, fit them, and rank the truth.

    Quantities are every parameter, every path effect on each of its scales, and the log-likelihood of all records
    (Modrak et al. 2023, Bayesian Analysis, doi:10.1214/23-BA1404). Simulations of one seed differ in their ``number``;
    each has streams of its own.
    """
    seeds = _seeds(seed, number)
    truth, simulated = _truth_and_records(model, survey, seed, number)
    design = unchecked_design(model, simulated)
    try:
        tree = sample_posterior(model, simulated, seed=seeds[0], options=options, pointwise=False, design=design)
        posterior = tree["posterior"].to_dataset()
        some = _thinned(posterior)
        drawn, true = quantities(model, design, some), quantities(model, design, truth)
    except BayesSpError as error:
        return Simulated(number, {}, failure="; ".join(error.problems))
    rng = np.random.default_rng(seeds[1])
    stacked = np.concatenate([_columns(values) for values in posterior.data_vars.values()], axis=-1)
    return Simulated(
        number,
        {name: _rank(rng, drawn[name].ravel(), float(true[name].item())) for name in true},
        int(tree.attrs.get("divergences", 0)),
        float(np.nanmax(convergence(stacked)["r_hat"])),
    )


def _seeds(*words: int) -> list[int]:
    return [int(word) for word in np.random.SeedSequence(words).generate_state(2)]


def _truth_and_records(model: PathModel, survey: Survey, seed: int, number: int) -> tuple[xr.Dataset, Survey]:
    """Draw parameters and records until no bounded response lies on an end of its scale.

    A position nearer to an end than the computer's resolution is on it, and has no density there. What is drawn anew
    depends on the records alone, so that the posterior given the others, and the ranks, stay what they are.
    """
    template = unchecked_design(model, survey)
    for attempt in range(ATTEMPTS):
        first, second = _seeds(seed, number, attempt)
        truth = draw_priors(model, template, draws=1, seed=first)
        given = {str(name): np.asarray(values)[0, 0] for name, values in truth.data_vars.items()}
        with np.errstate(over="ignore"):
            simulated = simulate_survey(model, survey, given, seed=second)
        if not _on_an_end(model, simulated):
            break
    return truth, simulated


def _on_an_end(model: PathModel, simulated: Survey) -> bool:
    bounded = [model.variable(e.response) for e in model.equations if FAMILIES[e.family].bounded]
    return any(simulated.records[v.name].isin([v.minimum, v.maximum]).any() for v in bounded)


def quantities(model: PathModel, design: Design, posterior: xr.Dataset) -> dict[str, Array]:
    """Return draws of every quantity that is ranked by its name, (chain, draw) each."""
    found: dict[str, Array] = {}
    for variable, values in posterior.data_vars.items():
        labels = [posterior[dim].to_numpy() for dim in values.dims[2:]]
        columns = _columns(values)
        for place, label in enumerate(product(*labels)):
            found[f"{variable}[{', '.join(map(str, label))}]" if label else str(variable)] = columns[..., place]
    found |= all_effects(model, design, posterior).quantities()
    each = log_likelihood(model, design, posterior)
    found[LIKELIHOOD] = sum(
        (values.sum(dim=values.dims[2:]).to_numpy() for values in each.data_vars.values()), np.zeros(1)
    )
    return found


def _columns(values: xr.DataArray) -> Array:
    return values.to_numpy().reshape(*values.shape[:2], -1)


def _thinned(posterior: xr.Dataset) -> xr.Dataset:
    """Return `RANKED` draws at even distances along the chains, as one chain."""
    stacked = posterior.stack(one=("chain", "draw"), create_index=False)
    places = np.linspace(0, stacked.sizes["one"] - 1, RANKED).round().astype(int)
    picked = stacked.isel(one=places).drop_vars(["chain", "draw", VARIANCE_FACTOR], errors="ignore")
    picked = picked.rename(one="draw").expand_dims(chain=[0]).assign_coords(draw=np.arange(RANKED))
    return picked.transpose("chain", "draw", ...)


def _rank(rng: np.random.Generator, draws: Array, true: float) -> int:
    """Return how many draws lie below the truth; draws equal to it lie on either side at random."""
    ties = int((draws == true).sum())
    return int((draws < true).sum()) + int(rng.integers(0, ties + 1))
