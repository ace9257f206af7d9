"""Power-scaling: what each prior, all of them, and the likelihood do to every effect, by weights or by refits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.batch.cell import Answer, Cell
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer_table
from bayes_sp.analysis.criticism.diagnostics import diagnose
from bayes_sp.analysis.fit import Fit
from bayes_sp.arrays import Array
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.summary import CI_PROB, variance_factor
from bayes_sp.errors import BayesSpError, SpecificationError
from bayes_sp.inference.sample import sample_posterior
from bayes_sp.model.powers import scaled_model
from bayes_sp.names import AVERAGE
from bayes_sp.sensitivity.power.blocks import (
    ALL_PRIORS,
    LIKELIHOOD,
    Pair,
    PriorBlock,
    block_log_density,
    prior_blocks,
    total_log_likelihood,
)
from bayes_sp.sensitivity.power.result import NUMBERS, REFIT, UNRELIABLE, WEIGHTS, PowerScaling, diagnosis, strength
from bayes_sp.sensitivity.power.weights import (
    LEAST_DRAWS,
    PowerWeights,
    Summary,
    equal_weights,
    power_weights,
    sensitivity,
    tail_sizes,
    weighted_summary,
)
from bayes_sp.sensitivity.target import Target, effect_words, row_of


@dataclass(frozen=True, eq=False)
class Refit:
    """What a fit with a power says."""

    table: pd.DataFrame | None  # its effects; None where there is none
    reason: str = ""  # why there is none, or why its draws are not trustworthy; '' for nothing


def refits(
    fit: Fit, blocks: Sequence[PriorBlock], pairs: Sequence[Pair], ci_prob: float, runner: Runner
) -> dict[Pair, Refit]:
    """Fit again for each (block, power): other priors as cells of the runner, powers of the likelihood here."""
    found: dict[Pair, Refit] = {}
    cells: dict[Pair, Cell] = {}
    for name, alpha in pairs:
        if name == LIKELIHOOD:
            found[name, alpha] = _likelihood_refit(fit, alpha, ci_prob)
            continue
        entries = [block.entry for block in blocks if name in (ALL_PRIORS, block.name)]
        try:
            model = scaled_model(fit.model, entries, alpha)
        except SpecificationError as error:
            found[name, alpha] = Refit(None, f"weights do not hold, and {_sentence(error)}")
            continue
        cells[name, alpha] = Cell(
            f"{name} to the power {alpha:g}", model, fit.survey, fit.seed, fit.options, ci_prob=ci_prob
        )
    for pair, outcome in zip(cells, runner.run(list(cells.values())) if cells else [], strict=True):
        if isinstance(outcome, Answer):
            found[pair] = Refit(outcome.table, "; ".join(outcome.reasons))
        else:
            found[pair] = Refit(None, f"weights do not hold, and the refit failed: {outcome.reason}")
    return found


def _likelihood_refit(fit: Fit, alpha: float, ci_prob: float) -> Refit:
    """Fit with a power of the likelihood; by NUTS where the fit was PyMC's own, whose model has no such power."""
    options = replace(fit.options, method="nuts") if fit.options.method == "pymc" else fit.options
    try:
        tree = sample_posterior(fit.model, fit.survey, seed=fit.seed, options=options, likelihood_power=alpha)
    except BayesSpError as error:
        return Refit(None, f"weights do not hold, and there is no refit: {_sentence(error)}")
    effects = replace(fit, posterior=tree).effects()
    verdict = diagnose(tree, effects.quantities())
    return Refit(answer_table(effects, ci_prob), "; ".join(verdict.reasons))


def _sentence(error: BayesSpError) -> str:
    return "; ".join(error.problems)


ALPHAS = (0.5, 2.0)
GRADIENT = (0.99, 1.01)
type Weighed = Mapping[Pair, PowerWeights]


def power_scaling(
    fit: Fit,
    *,
    alphas: Sequence[float] = ALPHAS,
    gradient: tuple[float, float] = GRADIENT,
    ci_prob: float = CI_PROB,
    runner: Runner | None = None,
) -> PowerScaling:
    r"""Return how every effect depends on each prior, on all priors together, and on the likelihood.

    A block b of the joint density (a prior of the specification with every parameter that has it, all priors, or the
    likelihood) gets a power, :math:`p_b(\theta)^\alpha`: for a normal prior that is its SD divided by
    :math:`\sqrt\alpha`. Draws are weighed by :math:`p_b(\theta_s)^{\alpha - 1}`, Pareto smoothed. Densities are those
    of the parameters themselves, without Jacobians of the sampler's transforms; the distributions of groups'
    intercepts and of hidden values belong to the model and are not scaled. The likelihood is the marginal one of what
    was observed (missing mediators and measurement error integrated out).

    Where Pareto k says that weights at one of `alphas` do not hold, the model is fitted again, with the scaled prior,
    which has the same family, or with the power of the likelihood.

    Parameters
    ----------
    fit
        Its draws are weighed; its seed and options are those of refits.
    alphas
        Powers at which effects are stated: 0.5 is half the log-density, a weaker prior; 2 a stronger one.
    gradient
        Two powers round 1, for the diagnostic.
    ci_prob
        Probability of the intervals.
    runner
        How refits with other priors are run; None for this machine.

    Returns
    -------
    PowerScaling

    Raises
    ------
    ValueError
        For powers that are not above 0, or equal to 1; for `gradient` not round 1.
    BayesSpError
        For fewer than 100 draws.

    References
    ----------
    Kallioinen, Paananen, Buerkner & Vehtari (2024), Detecting and diagnosing prior and likelihood sensitivity with
    power-scaling. Statistics and Computing 34, 57. doi:10.1007/s11222-023-10366-5
    """
    fit = fit.first
    stated = _checked(fit, alphas, gradient)
    blocks = prior_blocks(fit.model)
    densities, note = _log_densities(fit, blocks)
    draws = fit.effects().draws[AVERAGE].transpose("chain", "draw", "path", "scale")
    values = draws.to_numpy().reshape(*draws.shape[:2], -1)
    weights = {
        (name, alpha): power_weights(density, alpha)
        for name, density in densities.items()
        for alpha in dict.fromkeys((*stated, *gradient))
    }
    bad = [(name, alpha) for name in densities for alpha in stated if not weights[name, alpha].reliable]
    refitted = refits(fit, blocks, bad, ci_prob, runner or Runner())
    places = {dim: draws[dim].to_numpy() for dim in ("path", "scale")}
    sizes = tail_sizes(values, variance_factor(draws))
    dataset = xr.merge(
        [
            _numbers(values, sizes, places, list(densities), (1.0, *stated), weights, refitted, ci_prob),
            _measures(values, places, list(densities), gradient, weights),
        ]
    )
    both = dataset["diagnostic"].sel(block=[ALL_PRIORS, LIKELIHOOD]).to_numpy()
    words = {
        (str(path), str(scale)): diagnosis(both[0, i, j], both[1, i, j])
        for i, path in enumerate(places["path"])
        for j, scale in enumerate(places["scale"])
    }
    names = {(path, scale): effect_words(fit.model, Target(path, scale)) for path, scale in words}
    reasons = {pair: again.reason for pair, again in refitted.items() if again.reason}
    notes = [note] if note else []
    named = [f"{u.name} on {response}" for u in fit.model.confounders for response, _ in u.estimated]
    notes += [f"priors of unmeasured strengths stay as they are, in no block: {', '.join(named)}"] if named else []
    notes += [f"{block} {strength(alpha)}: {reason}" for (block, alpha), reason in reasons.items()]
    return PowerScaling(dataset, words, names, reasons, stated, ci_prob, tuple(notes), fit.survey.mark)


def _checked(fit: Fit, alphas: Sequence[float], gradient: tuple[float, float]) -> tuple[float, ...]:
    stated = tuple(float(alpha) for alpha in alphas)
    if not all(0.0 < alpha < np.inf and alpha != 1.0 for alpha in stated):
        raise ValueError(f"powers must be above 0 and not 1, found {stated}")
    if not 0.0 < gradient[0] < 1.0 < gradient[1]:
        raise ValueError(f"the two powers for the diagnostic must lie round 1, found {gradient}")
    sizes = fit.posterior["posterior"].sizes
    count = sizes["chain"] * sizes["draw"]
    if count < LEAST_DRAWS:
        raise BayesSpError(fit.model.name, [f"{count} draws are too few to be weighed; at least {LEAST_DRAWS}"])
    return stated


def _log_densities(fit: Fit, blocks: Sequence[PriorBlock]) -> tuple[dict[str, Array], str]:
    """Return the log-density of each block at every draw, (chain, draw), and what the likelihood leaves out."""
    posterior = fit.posterior["posterior"].to_dataset()
    found = {block.name: block_log_density(block, posterior) for block in blocks}
    found[ALL_PRIORS] = np.sum(list(found.values()), axis=0)
    found[LIKELIHOOD], note = total_log_likelihood(fit.model, design_arrays(fit.model, fit.survey), fit.posterior)
    return found, note


def _numbers(
    values: Array,
    sizes: Array,
    places: Mapping[str, Array],
    names: Sequence[str],
    alphas: Sequence[float],
    weights: Weighed,
    refitted: Mapping[Pair, Refit],
    ci_prob: float,
) -> xr.Dataset:
    """Return every number where a block has a power, with the limits' errors, by weights or by refits, and by which."""
    labels = [Target(str(path), str(scale)) for path in places["path"] for scale in places["scale"]]
    shape = (len(places["path"]), len(places["scale"]))
    fitted = weighted_summary(values, equal_weights(values), ci_prob, sizes)
    found = np.full((len(NUMBERS), len(names), *shape, len(alphas)), np.nan)
    methods = np.full((len(names), len(alphas)), WEIGHTS, dtype=object)
    for i, name in enumerate(names):
        for j, alpha in enumerate(alphas):
            again = refitted.get((name, alpha))
            if again is not None:
                methods[i, j] = UNRELIABLE if again.table is None else REFIT
                summary = _refit_summary(again, labels)
            elif alpha == 1.0:
                summary = fitted
            else:
                summary = weighted_summary(values, weights[name, alpha], ci_prob, sizes)
            for number, what in enumerate(NUMBERS):
                found[number, i, ..., j] = getattr(summary, what).reshape(shape)
    dims = ("block", "path", "scale", "alpha")
    k = [[-np.inf if alpha == 1.0 else weights[name, alpha].pareto_k for alpha in alphas] for name in names]
    variables = {name: (dims, array) for name, array in zip(NUMBERS, found, strict=True)}
    own = {"method": (("block", "alpha"), methods.astype(str)), "pareto_k": (("block", "alpha"), k)}
    coords = {"block": list(names), **places, "alpha": list(alphas)}
    return xr.Dataset({**variables, **own}, coords=coords).sortby("alpha")


def _refit_summary(again: Refit, labels: Sequence[Target]) -> Summary:
    """Return a refit's rows in the order of the labels; NaN where there is no refit."""
    if again.table is None:
        return Summary(*np.full((len(NUMBERS), len(labels)), np.nan))
    rows = [row_of(again.table, target) for target in labels]
    return Summary(*np.array([[float(row.get(name, np.nan)) for row in rows] for name in NUMBERS]))


def _measures(
    values: Array, places: Mapping[str, Array], names: Sequence[str], gradient: tuple[float, float], weights: Weighed
) -> xr.Dataset:
    """Return the diagnostic of every effect for each block, and the worst Pareto k of a block."""
    found = np.full((len(names), values.shape[-1]), np.nan)
    for i, name in enumerate(names):
        lower, upper = (weights[name, alpha] for alpha in gradient)
        if lower.reliable and upper.reliable:
            found[i] = sensitivity(values, lower, upper, gradient)
    worst = [np.max([one.pareto_k for (block, _), one in weights.items() if block == name]) for name in names]
    shape = (len(names), len(places["path"]), len(places["scale"]))
    variables = {"diagnostic": (("block", "path", "scale"), found.reshape(shape)), "worst_k": ("block", worst)}
    return xr.Dataset(variables, coords={"block": list(names), **places})
