"""Made-up chains of any families, and their mean outcomes by simulation: the slow and plain way."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from bayes_sp.effects.chain import Baselines, Chain
from bayes_sp.effects.means.normal import every_path
from bayes_sp.effects.means.responses import Mediator, Outcome

LEVELS = 4


def made_up_mediator(rule: str, draws: int, rng: np.random.Generator) -> Mediator:
    """Return a mediator of moderate spread: four levels from 1, an interval from 1 to 5, or a count of about 1."""
    if rule in ("count", "poisson"):
        return Mediator("count", phi=rng.uniform(0.5, 3.0, draws) if rule == "count" else np.full(draws, np.inf))
    if rule == "normal":
        return Mediator("normal", sigma=rng.uniform(0.5, 1.0, draws))
    if rule == "beta":
        return Mediator("beta", precision=rng.uniform(2.0, 9.0, draws), origin=0.9375, unit=4.125)
    if rule == "binary":
        return Mediator("logit", cuts=np.zeros((draws, 1)), values=np.array([0.0, 1.0]))
    cuts = np.cumsum(rng.uniform(0.4, 1.2, (draws, LEVELS - 1)), axis=1) - 1.5
    return Mediator(rule, cuts=cuts, values=1.0 + np.arange(LEVELS))


def made_up_chain(
    mediators: tuple[str, ...], outcome: str, draws: int = 3, n: int = 4, seed: int = 1, *, interactions: bool = False,
    monotonic: bool = False, log1p: bool = True,
) -> tuple[Chain, Baselines]:  # fmt: skip
    """Return a saturated chain with every slope of moderate size, and baselines of n patients.

    Counts enter as log(1 + value), unless ``log1p`` is False.
    """
    rng = np.random.default_rng(seed)
    count = len(mediators)
    zero = outcome in ("zero_inflated", "hurdle")
    j = count + 1 + zero
    after = np.tri(count + 1, count, -1, dtype=bool)
    reach = np.concatenate([after, after[-1:]])[:j]
    signs = rng.choice([-1.0, 1.0], (draws, j, count))
    slopes = reach * signs * rng.uniform(0.15, 0.4, (draws, j, count))
    cross = np.zeros((draws, j, count))
    if interactions:
        cross[:, : count + 1] = (reach * rng.normal(0, 0.2, (draws, j, count)))[:, : count + 1]
    made = tuple(made_up_mediator(rule, draws, rng) for rule in mediators)
    tables = {}
    if monotonic:
        for k, mediator in enumerate(made):
            if len(mediator.values):
                shares = rng.dirichlet(np.ones(len(mediator.values) - 1), draws)
                steps = np.concatenate([np.zeros((draws, 1)), np.cumsum(shares, axis=1)], axis=1)
                tables[count, k] = slopes[:, count, k, None] * shares.shape[1] * steps
    levels = outcome in ("logit", "probit")
    cuts = np.cumsum(rng.uniform(0.4, 1.0, (draws, 3)), axis=1) - 1.0 if levels else np.zeros((draws, 1))
    end = Outcome(outcome, cuts=cuts, phi=rng.uniform(0.6, 2.0, draws), shift=np.zeros(draws))
    base = rng.normal(0, 0.5, (j, draws, n))
    counts = [k for k, mediator in enumerate(made) if mediator.rule == "count" and log1p]
    logs = frozenset((place, k) for k in counts for place in range(k + 1, j))
    chain = Chain(made, end, rng.uniform(0.2, 0.6, (draws, j)), slopes, cross, tables, logs=logs)
    return chain, lambda start, stop: base[:, start:stop]


def simulated_world(
    chain: Chain, baselines: Baselines, s: int, u: tuple[float, ...], kappa: float, size: int, seed: int,
    apart: bool = False,
) -> tuple[float, float]:  # fmt: skip
    """Simulate E Y in one world for draw s by building every copy of every mediator; return mean and Monte Carlo error.

    Normal m1: a shared and an own error in the proportions kappa : 1 - kappa. Levels: one rank for both worlds with
    probability kappa, else two.
    """
    rng = np.random.default_rng(seed)
    base = baselines(s, s + 1)[:, 0]
    patient = rng.integers(0, base.shape[1], size)
    count = len(chain.mediators)
    exposure = dict(zip(every_path(count), u, strict=True))
    values: dict[tuple[object, ...], np.ndarray] = {}
    shared_normal, own = rng.standard_normal(size), {}
    rank, mixed = rng.uniform(size=size), rng.uniform(size=size) < kappa

    def contribution(j: int, k: int, see: float, m: np.ndarray) -> np.ndarray:
        if (j, k) in chain.tables:
            index = np.round(m - chain.mediators[k].values[0]).astype(int)
            return chain.tables[j, k][s][index] + see * chain.interactions[s, j, k] * m
        m = np.log1p(m) if (j, k) in chain.logs else m
        return (chain.slopes[s, j, k] + see * chain.interactions[s, j, k]) * m

    def copy(route: tuple[int, ...]) -> np.ndarray:
        k, mediator = route[0], chain.mediators[route[0]]
        see = exposure[route]
        key = (
            k,
            see if k == 0 else tuple(exposure[(*prefix, *route)] for prefix in every_path(k)),
            route if apart else 0,
        )
        if key in values:
            return values[key]
        eta = base[k][patient] + chain.exposure[s, k] * see
        for earlier in range(k):
            eta = eta + contribution(k, earlier, see, copy((earlier, *route)))
        single = k > 0 and count <= 2
        if mediator.rule == "normal":
            if key not in own:
                own[key] = rng.standard_normal(size)
            mix = 0.0 if apart or single else kappa
            error = np.sqrt(mix) * shared_normal + np.sqrt(1 - mix) * own[key]
            values[key] = eta + mediator.sigma[s] * error
        elif mediator.rule == "beta":
            mu = special.expit(eta)
            position = rng.beta(mu * mediator.precision[s], (1 - mu) * mediator.precision[s])
            values[key] = mediator.origin + mediator.unit * position
        elif mediator.rule == "count":
            phi, mu = min(mediator.phi[s], 1e12), np.exp(eta)
            if single:
                values[key] = rng.poisson(mu * rng.gamma(phi, 1.0 / phi, size)).astype(float)
                return values[key]
            ranks = rng.uniform(size=size) if apart else np.where(mixed, rank, rng.uniform(size=size))
            values[key] = np.empty(size)
            for mean in np.unique(mu):
                shares = stats.nbinom.pmf(np.arange(500), phi, phi / (phi + mean))
                values[key][mu == mean] = np.searchsorted(np.cumsum(shares), ranks[mu == mean])
        else:
            ranks = rng.uniform(size=size) if single or apart else np.where(mixed, rank, rng.uniform(size=size))
            cdf = special.expit if mediator.rule == "logit" else stats.norm.cdf
            below = 1.0 - cdf(eta[:, None] - mediator.cuts[s])
            values[key] = mediator.values[(ranks[:, None] > below).sum(axis=1)]
        return values[key]

    predictors = []
    for j in range(count, count + 1 + chain.zero_part):
        eta = base[j][patient] + chain.exposure[s, j] * exposure[()]
        for k in range(count):
            eta = eta + contribution(j, k, exposure[()], copy((k,)))
        predictors.append(eta)
    y = outcome_mean(chain.outcome, s, *predictors)
    return float(y.mean()), float(y.std() / np.sqrt(size))


def outcome_mean(outcome: Outcome, s: int, eta: np.ndarray, zeta: np.ndarray | float = 0.0) -> np.ndarray:
    """Mean outcome given linear predictors, written out with SciPy."""
    if outcome.rule == "identity":
        return eta
    if outcome.rule == "logit":
        return special.expit(np.asarray(eta)[..., None] - outcome.cuts[s]).sum(axis=-1)
    if outcome.rule == "probit":
        return stats.norm.cdf(np.asarray(eta)[..., None] - outcome.cuts[s]).sum(axis=-1)
    mu = np.exp(eta + outcome.shift[s])
    if outcome.rule == "zero_inflated":
        return mu * special.expit(-np.asarray(zeta))
    if outcome.rule == "hurdle":
        some = 1.0 - stats.nbinom.pmf(0, outcome.phi[s], outcome.phi[s] / (outcome.phi[s] + mu))
        return mu / some * special.expit(-np.asarray(zeta))
    return mu
