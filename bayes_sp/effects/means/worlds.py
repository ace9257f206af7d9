r"""Mean outcomes of any chain in any worlds, averaged over patients, exact given a draw.

.. math:: E\,Y(u_D, u_1, u_2, u_3) = \sum_{m, m'} P(M_1(u_1) = m, M_1(u_3) = m') \,
          E[\mu(\eta(u_D, m, M_2)) \mid M_2(u_2, m')]

with sums over the levels of a discrete mediator, closed forms for normal errors under a log, identity or probit link,
and quadrature elsewhere: over normal errors under a logit link or in a zero part, over a normal m1 before an m2 with
levels, over a beta mediator.

**Two worlds of m1.** Where u_1 and u_3 differ, the joint law of M1(u_1) and M1(u_3) is not identified; kappa names it.
Normal m1: its two errors correlate by kappa. Levels: the mixture of the two extreme couplings of quantiles,

.. math:: P(m, m') = \kappa\,|I_m(u_1) \cap I_{m'}(u_3)| + (1 - \kappa)\,P_m(u_1) P_{m'}(u_3),

where I_m(u) is the interval of cumulative probabilities of level m: the same patient's rank in both worlds (Frechet's
upper bound, the most that they can go together) with weight kappa, else independent ranks. Margins are those of the
model for every kappa, the mean outcome is linear in kappa, and where u_1 = u_3 there is one variable.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Baselines, Chain, Linear, number_of_patients
from bayes_sp.effects.means.cells import MANY, distinct, over_patients
from bayes_sp.effects.means.moderated import single_patients, strata
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.normal import Flags, NormalWorld, combine, every_path, normal_worlds, slope_classes
from bayes_sp.effects.means.responses import Mediator
from bayes_sp.effects.means.steep import steep_batch
from bayes_sp.effects.patients import LEAST, log_patient_mean
from bayes_sp.exports import special
from bayes_sp.threads import in_threads

_CELLS = 2**16  # draws x patients in one array: half a megabyte stays in a processor's cache


@dataclass(frozen=True, eq=False)
class Means:
    """Mean outcomes on the family's scale, or their logarithms: (W, S)."""

    values: Array
    logarithmic: bool

    @property
    def plain(self) -> Array:
        """The means themselves."""
        with np.errstate(over="ignore"):  # a wild prior draw has an infinite mean, and says so
            return np.exp(self.values) if self.logarithmic else self.values


def world_means(
    chain: Chain,
    baselines: Baselines,
    worlds: Flags,
    contrast: tuple[float, float],
    rule: Rule,
    weights: Array | None = None,
) -> Means:
    """Return the mean outcome of every world and draw, averaged over patients.

    ``worlds`` says whether each path of `every_path` sees u1 rather than u0, (W, 2**K). Weights of the patients, (n,),
    are 0 or more and not all 0; their sum does not matter. Returns means, (W, S), on the scale of the outcome's family:
    before origin and unit.

    Raises ValueError for a chain without a rule: three or more mediators of which one is not normal, a beta mediator
    before another, errors with heavy tails inside a function that is not linear. For weights that are none.
    """
    check_chain(chain)
    if chain.moderation is not None:
        return _moderated(chain, baselines, worlds, contrast, rule, weights)
    counts = None if weights is None else _counts(weights, number_of_patients(baselines))
    if closed(chain) or not isinstance(baselines, Linear):
        return _averaged(chain, baselines, worlds, contrast, rule, counts)
    own, counts = distinct(baselines, counts)

    def mean(some: Chain, patients: Linear, number: Array | None) -> Array:
        return _averaged(some, patients, worlds, contrast, rule, number).values

    return Means(over_patients(chain, own, counts, mean), False)


def _averaged(
    chain: Chain,
    baselines: Baselines,
    worlds: Flags,
    contrast: tuple[float, float],
    rule: Rule,
    counts: Array | None,
) -> Means:
    """Return the means of `world_means` where slopes are everyone's, each patient standing for `counts` or for one."""
    if chain.products:
        from bayes_sp.effects.means.bilinear import product_batch

        own = _in_batches(chain, baselines, 16, product_batch(chain, contrast, rule, counts))
        return Means(own[worlds @ np.array([8, 4, 2, 1])], False)
    if chain.all_normal:
        exposures = np.where(worlds, contrast[1], contrast[0])
        parts = normal_worlds(chain, exposures, rule.kappa, rule.apart)
        if chain.outcome.closed:
            return _closed(chain, baselines, parts, counts)
        from bayes_sp.effects.means.quadrature import normal_batch

        classes = slope_classes(parts)
        work = normal_batch(chain, parts, classes, rule, counts)
        if chain.outcome.rule == "zero_inflated":
            work = steep_batch(chain, parts, classes, counts, work)
        return Means(_in_batches(chain, baselines, len(worlds), work), False)
    from bayes_sp.effects.means.quadrature import levels_batch

    if len(chain.mediators) == 1:
        chain, baselines, worlds = _with_a_constant(chain, baselines, worlds)
    place = worlds @ np.array([8, 4, 2, 1])
    found = _in_batches(chain, baselines, 16, levels_batch(chain, contrast, rule, counts))
    return Means(found[place], False)


def _moderated(
    chain: Chain,
    baselines: Baselines,
    worlds: Flags,
    contrast: tuple[float, float],
    rule: Rule,
    weights: Array | None,
) -> Means:
    """Return the means of `world_means` where slopes differ between patients (`moderated`)."""
    parts = strata(chain, baselines, weights)
    if parts is not None:
        found = [(p.share, world_means(p.chain, p.baselines, worlds, contrast, rule, p.weights)) for p in parts]
        logarithmic = found[0][1].logarithmic
        if logarithmic:
            return Means(np.logaddexp.reduce([np.log(share) + means.values for share, means in found]), True)
        return Means(np.sum([share * means.values for share, means in found], axis=0), False)
    counts = None if weights is None else _counts(weights, number_of_patients(baselines))
    logarithmic = closed(chain) and chain.outcome.exponential

    def mean(some: Chain, patients: Baselines, number: Array | None) -> Array:
        """Return the (log) means, each patient in a draw as a draw of its own."""
        n = number_of_patients(patients)
        share = np.full(n, 1.0 / n) if number is None else number / n
        out = np.empty((len(worlds), some.draws))
        for start, stop, each, alone in single_patients(some, patients):
            own = world_means(each, alone, worlds, contrast, rule).values.reshape(len(worlds), stop - start, n)
            out[:, start:stop] = special.logsumexp(own, b=share, axis=-1) if logarithmic else own @ share
        return out

    if isinstance(baselines, Linear):
        return Means(over_patients(chain, baselines, counts, mean), logarithmic)
    return Means(mean(chain, baselines, counts), logarithmic)


def needs_nodes(chain: Chain) -> bool:
    """Whether any expectation is taken by quadrature."""
    mediators, outcome = chain.mediators, chain.outcome
    if chain.products:
        return any(m.normal or m.beta for m in mediators) and not (chain.all_normal and outcome.closed)
    inside = any(m.normal for m in mediators) and not outcome.closed and outcome.rule != "probit"  # closed in the mean
    beta = any(m.beta for m in mediators) and not outcome.closed
    return inside or beta or (bool(mediators) and mediators[0].normal and not mediators[-1].normal)


def closed(chain: Chain) -> bool:
    """Whether the mean outcome of a patient is linear or exponential in the covariates."""
    return chain.all_normal and not chain.products and chain.outcome.closed


def from_cells(chain: Chain, baselines: Baselines) -> bool:
    """Whether patients are so many that means over them may be taken from cells (`cells`)."""
    many = isinstance(baselines, Linear) and len(baselines.w) > MANY
    return many and (chain.moderation is not None or not closed(chain))


def check_chain(chain: Chain) -> None:
    """Refuse a chain without a rule (`world_means`)."""
    mediators = chain.mediators
    if len(mediators) > 2 and not chain.all_normal:
        raise ValueError("with three or more mediators effects need all of them normal")
    if any(m.beta for m in mediators[:-1]):
        raise ValueError("a beta mediator can only be the last one")
    linear = chain.outcome.linear and all(m.normal for m in mediators[1:]) and not chain.products
    if chain.products:
        if len(mediators) > 2 or any(j < len(mediators) for j, _, _ in chain.products):
            raise ValueError("a product of two mediators has effects in a chain of these two alone, on the outcome")
        if any(m.beta or m.count for m in mediators):
            raise ValueError("a product of two mediators has no effects where one of them is beta or a count")
    if any(m.mean_only for m in mediators) and not linear:
        raise ValueError("through a Student t mediator there are effects only where all that follows is linear in it")


def _counts(weights: Array, n: int) -> Array:
    """Return how many patients each one stands for, (n,), n in all."""
    if weights.shape != (n,) or not (np.isfinite(weights).all() and weights.min() >= 0.0 and weights.sum() > 0.0):
        raise ValueError(f"weights must be {n} numbers of at least 0, one for each patient, and not all 0")
    return weights * (n / weights.sum())


def _closed(chain: Chain, baselines: Baselines, parts: Sequence[NormalWorld], counts: Array | None) -> Means:
    """Average an outcome that is linear or exponential over patients, each class of slopes once.

    log E Y = shift + V/2 + log mean_i exp(combined baseline). Each patient stands for `counts` patients, or for one.
    """
    classes, weights = slope_classes(parts)
    target, exponential = len(chain.mediators), chain.outcome.exponential

    def mean(values: Array) -> Array:
        return values.mean(axis=1) if counts is None else values @ counts / len(counts)

    def batch(start: int, stop: int, baseline: Array) -> Array:
        out = np.empty((len(weights), stop - start))
        for c, weight in enumerate(weights):
            eta = combine(baseline, target, weight[0, start:stop])
            if exponential:
                top = eta.max(axis=1)  # taken out so that exp() cannot overflow
                out[c] = top + np.log(mean(np.exp(eta - top[:, None])))
            else:
                out[c] = mean(eta)
        return out

    if isinstance(baselines, Linear) and len(baselines.w) >= LEAST:
        patients = np.stack([_of_many(baselines, weight[0], counts, exponential) for weight in weights])
    else:
        patients = _in_batches(chain, baselines, len(weights), batch)
    shift = np.array([part.shift[0] + (0.5 * part.cov[:, 0] if exponential else 0.0) for part in parts])
    return Means(patients[classes] + shift + (chain.outcome.shift if exponential else 0.0), exponential)


def _of_many(baselines: Linear, weights: Array, counts: Array | None, exponential: bool) -> Array:
    """Return the (log) mean of one class of slopes over many patients, (S,), from weights (S, K) (`patients`)."""
    target = weights.shape[-1]
    level, slopes = baselines.intercept[target].copy(), baselines.slopes[target].copy()
    for k in range(target):
        level += weights[:, k] * baselines.intercept[k]
        slopes += weights[:, k, None] * baselines.slopes[k]
    if exponential:
        return level + log_patient_mean(slopes, baselines.w, counts)
    return np.asarray(level + slopes @ np.average(baselines.w, axis=0, weights=counts))


def _in_batches(chain: Chain, baselines: Baselines, rows: int, work: Callable[[int, int, Array], Array]) -> Array:
    """Run ``work(start, stop, baseline) -> (rows, B)`` on batches of draws in threads, (rows, S)."""
    out = np.empty((rows, chain.draws))
    size = max(1, _CELLS // max(number_of_patients(baselines), 1))

    def one(start: int, _: Event) -> None:
        stop = min(start + size, chain.draws)
        with np.errstate(over="ignore", invalid="ignore"):  # of the thread: a wild prior draw may have no finite mean
            out[:, start:stop] = work(start, stop, baselines(start, stop))

    if size >= chain.draws:
        one(0, Event())
        return out
    in_threads(one, range(0, chain.draws, size), min(os.cpu_count() or 1, 8))
    return out


def _with_a_constant(chain: Chain, baselines: Baselines, worlds: Flags) -> tuple[Chain, Baselines, Flags]:
    """Put a first mediator with one level before a single mediator: one rule serves both."""
    none = np.zeros((chain.draws, 0))
    constant = Mediator("logit", cuts=none, values=np.zeros(1))

    def wide(coefficients: Array) -> Array:
        return np.insert(np.insert(coefficients, 0, 0.0, axis=1), 0, 0.0, axis=2)

    padded = replace(
        chain,
        mediators=(constant, *chain.mediators),
        exposure=np.insert(chain.exposure, 0, 0.0, axis=1),
        slopes=wide(chain.slopes),
        interactions=wide(chain.interactions),
        tables={(j + 1, k + 1): table for (j, k), table in chain.tables.items()},
        logs=frozenset((j + 1, k + 1) for j, k in chain.logs),
    )
    moved = np.zeros((len(worlds), len(every_path(2))), dtype=bool)
    moved[:, [0, 2]] = worlds
    return padded, lambda start, stop: np.insert(baselines(start, stop), 0, 0.0, axis=0), moved
