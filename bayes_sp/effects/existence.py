r"""Which priors leave the mean of an outcome with a log link without a posterior mean.

Given the parameters, a normal mediator with errors of SD sigma and slope b makes the mean outcome
:math:`e^{\ldots + b^2 \sigma^2 / 2}`. Averaged over a normal prior of b with SD tau this is finite only where
:math:`\sigma\tau < 1`, and the likelihood of a count falls too slowly in b to change that (as an exponential, not as a
square). With several mediators whose errors have the covariance matrix Sigma, and prior SDs T = diag(tau), the bound is
that the largest eigenvalue of :math:`T \Sigma T` is below 1. Priors with heavier tails than the normal's (Student t,
Laplace, flat) have no SD that would be small enough.

The mean of a lognormal outcome, :math:`e^{\eta + \sigma^2 / 2}`, asks the same of the prior of its own sigma: the
likelihood falls as a power of sigma only, so that a half-normal prior must have an SD of at most 1, and priors with
heavier tails leave no mean.

References
----------
Fabrizi & Trivisano (2012). Bayesian Analysis 7(4), 975-996. doi:10.1214/12-BA733 (the mean of the lognormal)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array, least_squares, triangle
from bayes_sp.design.checks.estimable import extreme_responses
from bayes_sp.design.design import Design
from bayes_sp.effects.chain import Chain
from bayes_sp.effects.read import flat, read_chain
from bayes_sp.errors import FitWarning, warn
from bayes_sp.model.distributions import DISTRIBUTIONS, Prior
from bayes_sp.model.families.base import EXPONENTIAL
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import predictors_of

MOST_ROWS = 64  # values of moderators that are looked at one by one
NEAR = 0.9  # of residual SD x prior SD, where 1 is the bound
OFTEN = 0.05  # of draws that come so near
# How far the logarithm of sigma's posterior density times the mean sinks, at most, before it rises without end where
# draws come across that: a chance of e^-12 each.
DEPTH = 12.0
ALWAYS = "medians and intervals always exist"


@dataclass(frozen=True)
class MeanBound:
    """How near the priors of an outcome's slopes come to leaving its mean without a posterior mean."""

    share: float  # of draws in which `reach` is 0.9 or more
    # Root of the largest eigenvalue of T Sigma T (residual SD x prior SD for one mediator), median over draws; infinite
    # for a prior with heavier tails than the normal's.
    reach: float
    # mediator, residual_sd: the mediator that takes it farthest, and the SD of its errors, those that earlier mediators
    # pass on included.
    mediator: str
    residual_sd: float
    # prior_sd, place, prior: SD of the prior of its slope, where that stands in the specification, and the prior.
    prior_sd: float
    place: str
    prior: Prior
    safe_sd: float  # prior SD at which `reach` would be 0.9 or more in a share of `OFTEN` of the draws
    # Whether the outcome's likelihood falls so slowly that the mean does not exist beyond the bound, and `reach` is
    # beyond it; False where the mean may exist.
    certain: bool

    def __str__(self) -> str:
        return self.sentence(f", {NEAR} or more in {_percent(self.share)} of the draws")

    def sentence(self, how_often: str) -> str:
        """Return what does not exist, why, and which prior would be safe."""
        exists = "does not exist" if self.certain else "need not exist"
        size = f"{self.residual_sd:.2g} x {self.prior_sd:.3g}" if np.isfinite(self.prior_sd) else "not bounded"
        together = np.isfinite(self.reach) and self.reach > 1.005 * self.residual_sd * self.prior_sd
        of_all = f", for all mediators together {self.reach:.2g}" if together else ""
        return (
            f"the posterior mean of the difference {exists} with these priors: under a log link residual SD x prior SD "
            f"of a slope must stay below 1, and for {self.mediator} it is {size} (priors.{self.place}: {self.prior})"
            f"{of_all}{how_often}; a normal prior with an SD of {_rounded_down(self.safe_sd):.2g} is safe"
        )


def mean_bound(model: PathModel, posterior: xr.Dataset, design: Design | None = None) -> MeanBound | None:
    """Return how near the priors come to the bound; None where no mean is exponential in a normal mediator.

    Slopes that depend on covariates are looked at for the patients of ``design``, or for a typical patient.
    """
    if not (normal := _exponential_in(model)):
        return None
    chain = read_chain(model, posterior)
    found = []
    for row in _covariate_values(model, design):
        here = chain.at(np.array([row[name] for name in row]))
        found += [(u, row, _covariance(model, here, posterior, u)) for u in model.contrast]
    return _bound(model, normal, found)


def warn_of_means(model: PathModel, design: Design) -> None:
    """Warn, before sampling, where the priors come near the bound at the records' residual SDs (`FitWarning`).

    The covariance matrix of the mediators' errors is that of least squares on exposure, covariates and the mediators
    that are not normal, in complete records, less known variances of measurement errors.
    """
    if extreme_responses(design):  # which sampling refuses, by name
        return
    if (cause := spread_cause(model)) and _rises_within_reach(model, design):
        warn(f"{cause}; {ALWAYS}", FitWarning)
    if not (normal := _exponential_in(model)):
        return
    others = [k for k in range(len(model.mediators)) if k not in normal]
    exposure = [] if model.coded_exposure else [design.x]
    columns = np.column_stack([np.ones(design.n), *exposure, design.w, design.y[:, others]])
    values = design.y[:, normal]
    known = np.isfinite(columns).all(axis=1) & np.isfinite(values).all(axis=1)
    columns, values = columns[known], values[known]
    rank = np.linalg.matrix_rank(triangle(columns), rtol=max(columns.shape) * np.finfo(float).eps)
    if len(values) <= rank:
        return
    residual = values - columns @ least_squares(columns, values)
    covariance = np.zeros((1, len(model.mediators), len(model.mediators)))
    covariance[0][np.ix_(normal, normal)] = residual.T @ residual / (len(values) - rank)
    for k in normal:
        error = design.measurement_sd.get(model.mediators[k], 0.0) ** 2
        covariance[0, k, k] = max(covariance[0, k, k] - error, 0.0)
    rows = _covariate_values(model, design)
    found = _bound(model, normal, [(u, row, covariance) for row in rows for u in model.contrast])
    if found.reach >= NEAR:
        warn(f"{found.sentence('')}; {ALWAYS}", FitWarning)


def spread_cause(model: PathModel) -> str | None:
    """Return which prior of a lognormal outcome's sigma leaves its mean without a value, and a safe one; or None."""
    prior, place = model.prior(model.outcome, "sigma"), model.prior_place(model.outcome, "sigma")
    if not model.outcome_family.logged or prior is None or place is None:
        return None
    if prior.dist == "half_normal" and prior.values["sigma"] <= 1.0:
        return None
    return (
        "the posterior mean of the difference does not exist with these priors: that of a lognormal outcome holds "
        f"exp(sigma^2 / 2), and the prior of its sigma falls too slowly (priors.{'.'.join(filter(None, place))}: "
        f"{prior}); a half-normal prior with an SD of at most 1 is safe"
    )


def _rises_within_reach(model: PathModel, design: Design) -> bool:
    """Whether draws of sigma, given these records, can reach where its density times the mean rises again."""
    columns = np.column_stack([np.ones(design.n), design.x, design.w, design.y[:, :-1]])
    known = np.isfinite(columns).all(axis=1) & np.isfinite(design.y[:, -1])
    columns, values = columns[known], model.outcome_family.to_link(design.y[known, -1])
    beyond = len(values) - np.linalg.matrix_rank(triangle(columns), rtol=max(columns.shape) * np.finfo(float).eps)
    if beyond <= 0:
        return True
    squares = float(np.sum((values - columns @ least_squares(columns, values[:, None])[:, 0]) ** 2))
    spread = math.sqrt(squares / beyond)
    sigma = np.geomspace(max(spread, 1e-6), 1e3 * max(spread, 1.0), 1000)
    prior = model.prior(model.outcome, "sigma")
    kernel = None if prior is None else DISTRIBUTIONS[prior.dist].kernel
    log_prior = 0.0 if prior is None or kernel is None else kernel(sigma, *prior.numbers)[0]
    height = -beyond * np.log(sigma) - 0.5 * squares / sigma**2 + 0.5 * sigma**2 + log_prior
    lowest = int(np.argmin(height))
    return bool(height[: lowest + 1].max() - height[lowest] < DEPTH)


def _exponential_in(model: PathModel) -> list[int]:
    """Return the normal mediators in which the outcome's mean is exponential, by their places in the chain."""
    outcome = model.equations[-1]
    if model.outcome_family.outcome not in EXPONENTIAL:
        return []
    rules = [FAMILIES[equation.family].mediator for equation in model.equations[:-1]]
    return [k for k, name in enumerate(model.mediators) if rules[k] == "normal" and name in outcome.parents]


def _covariate_values(model: PathModel, design: Design | None) -> list[dict[str, float]]:
    """Return values of the moderators' columns that slopes are looked at for: those that occur, or their ends.

    An SD is convex in them, so that it is largest at a corner of their ranges. Without records, 0 for each.
    """
    names = [term for c in model.covariates if c.name in model.in_products for term in c.terms]
    if design is None or not names:
        return [dict.fromkeys(names, 0.0)]
    w = design.w[:, [design.covariate_terms.index(name) for name in names]]
    known = np.unique(w[np.isfinite(w).all(axis=1)], axis=0)
    if len(known) > MOST_ROWS or not len(known):
        known = np.array(list(product(*zip(np.nanmin(w, axis=0), np.nanmax(w, axis=0), strict=True))))
    return [dict(zip(names, map(float, row), strict=True)) for row in known]


def _bound(model: PathModel, normal: list[int], cases: list[tuple[float, dict[str, float], Array]]) -> MeanBound:
    """Return the bound in the case that comes nearest: exposure, covariates, covariances (draw, mediator, mediator)."""
    found = [_at(model, matrix, normal, u, row) for u, row, matrix in cases]
    reach, tau, sd = max(found, key=lambda one: float(np.median(one[0])))
    k = normal[int(np.argmax(tau * np.median(sd, axis=0)))]
    place, name = model.prior_place(model.outcome, model.mediators[k]) or ("", "")
    prior = model.prior(model.outcome, model.mediators[k])
    if prior is None:
        raise ValueError(f"{model.outcome} has no prior for the slope of {model.mediators[k]}")
    own, spread = float(tau[normal.index(k)]), float(np.median(sd[:, normal.index(k)]))
    middle = float(np.median(reach))
    return MeanBound(
        share=float((reach >= NEAR).mean()),
        reach=middle,
        mediator=model.mediators[k],
        residual_sd=spread,
        prior_sd=own,
        place=f"{place}.{name}" if place else name,
        prior=prior,
        safe_sd=own * NEAR / float(np.quantile(reach, 1.0 - OFTEN)) if np.isfinite(middle) else NEAR / spread,
        certain=not model.outcome_family.light_tailed and middle >= 1.0,
    )


def _at(
    model: PathModel, covariance: Array, normal: list[int], u: float, row: dict[str, float]
) -> tuple[Array, Array, Array]:
    """Return the reach (S,), the slopes' prior SDs (k,) and the mediators' residual SDs (S, k) where all see u."""
    covariance = covariance[:, normal][:, :, normal]
    sd = np.sqrt(np.einsum("skk->sk", covariance))
    tau = np.array([_slope_sd(model, model.mediators[k], u, row) for k in normal])
    if not np.isfinite(tau).all():
        return np.full(len(covariance), np.inf), tau, sd
    largest = np.linalg.eigvalsh(tau[:, None] * covariance * tau)[:, -1]
    return np.sqrt(np.maximum(largest, 0.0)), tau, sd


def _covariance(model: PathModel, chain: Chain, posterior: xr.Dataset, u: float) -> Array:
    """Covariance matrix of the normal mediators' errors, unmeasured confounders included, (S, K, K)."""
    count = len(chain.mediators)
    errors = np.zeros((chain.draws, count, count + len(model.confounders)))
    for k, mediator in enumerate(chain.mediators):
        if not mediator.normal:
            continue  # bounded, whatever is passed on
        errors[:, k, k] = mediator.sigma
        for c, confounder in enumerate(model.confounders):
            given = dict(confounder.strengths).get(model.mediators[k], 0.0)
            if isinstance(given, Prior):
                chosen = posterior[[confounder.name]].sel({f"{confounder.name}_term": model.mediators[k]})
                errors[:, k, count + c] = flat(chosen, confounder.name)
            else:
                errors[:, k, count + c] = given
        for earlier in range(k):
            errors[:, k] += chain.slope(k, earlier, u)[:, None] * errors[:, earlier]
    found = errors @ errors.transpose(0, 2, 1)
    if chain.rho is not None:
        sigma = np.stack([mediator.sigma for mediator in chain.mediators], axis=-1)
        found = chain.rho * sigma[:, :, None] * sigma[:, None, :]
    return np.asarray(found)


def _slope_sd(model: PathModel, mediator: str, u: float, row: dict[str, float]) -> float:
    """Prior SD of a mediator's slope in the outcome's equation where that sees u; infinite for heavier tails.

    Infinite too where the slope depends on another mediator, whose values have no bound.
    """
    mean = predictors_of(model, model.equations[-1])[0]
    total = 0.0
    for term in mean.terms:
        if mediator not in term.variables:
            continue
        others = [row[f.column] if f.column else u if f.variable == model.exposure else math.inf
                  for f in term.without(mediator).factors]  # fmt: skip
        weight = math.prod(others)
        prior = model.prior(model.outcome, term.name)
        sigma = prior.values["sigma"] if prior is not None and prior.dist == "normal" else math.inf
        total += (weight * sigma) ** 2 if weight else 0.0
    return math.sqrt(total)


def _percent(share: float) -> str:
    return "all" if share == 1.0 else f"{100.0 * share:.3g} %"


def _rounded_down(value: float) -> float:
    """Two digits, never more than the value."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.floor(value / digit) * digit
