"""What the compiled loops need for a batch of draws: factors of patients, factors of worlds, nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain
from bayes_sp.effects.means import kernels, kernels_levels, points
from bayes_sp.effects.means.nodes import Rule, beta_nodes, cross_world_factor, normal_nodes
from bayes_sp.effects.means.normal import NormalWorld, combine

type Work = Callable[[int, int, Array], Array]

KINDS = {
    "identity": points.IDENTITY,
    "exp": points.EXP,
    "logit": points.LOGIT,
    "probit": points.PROBIT,
    "zero_inflated": points.ZERO_INFLATED,
    "hurdle": points.HURDLE,
    "beta": points.BETA,
    "normal": points.IDENTITY,
}
_CLIP = 230.0  # three such factors multiply without overflow; exp(-230) is nothing beside 1


def represent(kind: int, eta: Array) -> Array:
    """Return a linear predictor as the kernels want it: exp(-eta), exp(eta) or eta (see `points`)."""
    if kind in (points.IDENTITY, points.PROBIT):
        return eta
    clipped = np.clip(eta, -_CLIP, _CLIP)
    return np.exp(-clipped if kind in (points.LOGIT, points.BETA) else clipped)


def cutpoints(kind: int, cuts: Array) -> Array:
    """Return cutpoints to go with linear predictors in representation: exp(cut) beside exp(-eta)."""
    return np.exp(np.clip(cuts, -_CLIP, _CLIP)) if kind in (points.LOGIT, points.BETA) else cuts


def _repeats(counts: Array | None) -> Array:
    """Return how often each patient counts, (n,), or nothing for once each: one type, and so one machine code."""
    return np.empty(0) if counts is None else np.ascontiguousarray(counts, dtype=float)


def normal_batch(
    chain: Chain,
    parts: Sequence[NormalWorld],
    classes: tuple[NDArray[np.int64], list[Array]],
    rule: Rule,
    counts: Array | None,
) -> Work:
    """Return the work on a batch where all mediators are normal and the outcome's mean is not linear or exponential."""
    kind, count = KINDS[chain.outcome.rule], len(chain.mediators)
    x, w = normal_nodes(rule.nodes)
    repeats = _repeats(counts)
    shift = represent(kind, np.stack([part.shift[0] for part in parts], axis=-1))
    zero = np.zeros_like(shift)
    zshift = np.exp(np.stack([part.shift[1] for part in parts], axis=-1)) if chain.zero_part else zero
    cov = np.stack([part.cov for part in parts], axis=1)
    cuts = cutpoints(kind, chain.outcome.cuts)

    def work(start: int, stop: int, baseline: Array) -> Array:
        """Return mean outcomes in every world, (worlds, stop - start)."""
        here = slice(start, stop)
        eta = np.stack([represent(kind, combine(baseline, count, weights[0, here])) for weights in classes[1]])
        zeta = np.zeros_like(eta)
        if chain.zero_part:
            zeta = np.stack(
                [represent(points.EXP, combine(baseline, count + 1, weights[1, here])) for weights in classes[1]]
            )
        out = np.empty((stop - start, len(parts)))
        kernels.normal_worlds(
            kind, eta, zeta, classes[0], shift[here], zshift[here], cov[here], cuts[here], chain.outcome.phi[here],
            x, w, repeats, out,
        )  # fmt: skip
        return out.T

    return work


def levels_batch(chain: Chain, contrast: tuple[float, float], rule: Rule, counts: Array | None) -> Work:
    """Return the work on a batch of a chain of two mediators that are not both normal."""
    if chain.mediators[1].rule == "normal":
        return _levels_then_normal(chain, contrast, rule, counts)
    return _before_levels(chain, contrast, rule, counts)


def _levels_then_normal(chain: Chain, contrast: tuple[float, float], rule: Rule, counts: Array | None) -> Work:
    """m1 has levels, m2 is normal: cells of (u_D, m1, u_2, the m1 that m2 sees) with normal linear predictors."""
    kind, first = KINDS[chain.outcome.rule], chain.mediators[0]
    link = KINDS[first.rule]
    x, w = normal_nodes(rule.nodes)
    repeats = _repeats(counts)
    slope = [np.stack([chain.slope(j, 1, u) for u in contrast], axis=1) for j in _targets(chain)]  # (S, 2) each
    m2 = np.stack(
        [chain.exposure[:, 1, None] * u + chain.steps(1, 0, u, first.values) for u in contrast], axis=1
    )  # (S, 2, L)
    cells = []
    for b, j in zip(slope, _targets(chain), strict=True):
        own = np.stack([chain.steps(j, 0, u, first.values) for u in contrast], axis=1)
        cells.append(own[:, :, :, None, None] + b[:, :, None, None, None] * m2[:, None, None])
    products = [(0, 0), (0, 1), (1, 1)] if chain.zero_part else [(0, 0)]
    cov = np.zeros((chain.draws, 2, 3))
    for place, (t, other) in enumerate(products):
        cov[:, :, place] = slope[t] * slope[other] * chain.mediators[1].sigma[:, None] ** 2
    steps = represent(kind, cells[0])
    zsteps = represent(points.EXP, cells[-1]) if chain.zero_part else np.zeros_like(steps)
    first_shift = represent(link, chain.exposure[:, 0, None] * np.array(contrast))
    first_cuts, cuts = cutpoints(link, first.cuts), cutpoints(kind, chain.outcome.cuts)

    def work(start: int, stop: int, baseline: Array) -> Array:
        """Return mean outcomes in every world, (worlds, stop - start)."""
        here = slice(start, stop)
        eta, zeta = _outcome_factors(chain, kind, contrast, baseline, here, 1, slope)
        out = np.empty((stop - start, 16))
        kernels.levels_then_normal(
            kind, link, represent(link, baseline[0]), first_shift[here], first_cuts[here], eta, zeta, steps[here],
            zsteps[here], cov[here], cuts[here], chain.outcome.phi[here], x, w, rule.kappa, rule.apart, repeats, out,
        )  # fmt: skip
        return out.T

    return work


def _before_levels(chain: Chain, contrast: tuple[float, float], rule: Rule, counts: Array | None) -> Work:
    """m2 has levels or the nodes of a beta; m1 has levels or is normal, then summed over nodes."""
    kind, (first, second) = KINDS[chain.outcome.rule], chain.mediators
    links = (KINDS[first.rule], KINDS[second.rule])
    normal, closed = first.rule == "normal", second.rule == "beta" and chain.outcome.rule in ("identity", "exp")
    kappa = 0.0 if rule.apart else rule.kappa
    repeats = _repeats(counts)
    x, w = normal_nodes(rule.nodes, hermite=kappa < 1.0)
    factor = cross_world_factor(kappa if normal else 1.0, x, w)
    cuts = [cutpoints(link, mediator.cuts) for link, mediator in zip(links, chain.mediators, strict=True)]
    outcome_cuts = cutpoints(kind, chain.outcome.cuts)
    slope = [np.stack([chain.slope(j, 0, u) for u in contrast], axis=1) for j in _targets(chain)] if normal else []
    values, table = second.values, np.empty((0, 0))
    if closed:
        values = np.array([second.origin, second.unit])
    elif second.rule == "beta":
        positions, table = beta_nodes(rule.nodes)
        values = second.origin + second.unit * positions
    precision = second.precision if second.rule == "beta" else np.zeros(chain.draws)
    onto_second = np.stack([chain.slope(1, 0, u) for u in contrast], axis=1)

    def work(start: int, stop: int, baseline: Array) -> Array:
        """Return mean outcomes in every world, (worlds, stop - start)."""
        here, size = slice(start, stop), stop - start
        u = np.array(contrast)
        if normal:  # what the exposure and the error add to m1, (B, 1, 2, Q)
            added = chain.exposure[here, 0, None] * u
            m1 = (added[:, :, None] + first.sigma[here, None, None] * x)[:, None]
            first_steps = [slope[t][here, :, None, None] * m1 for t in range(len(slope))]
            second_steps = onto_second[here, :, None, None] * m1
        else:
            first_steps = [_steps(chain, j, 0, contrast, first.values, here)[:, :, None] for j in _targets(chain)]
            second_steps = _steps(chain, 1, 0, contrast, first.values, here)[:, :, None]
        predictor = np.stack([baseline[1] + chain.exposure[here, 1, None] * exposure for exposure in contrast])
        if normal:
            predictor += onto_second[here].T[:, :, None] * baseline[0]
        later = [_steps(chain, j, 1, contrast, values, here) for j in _targets(chain)]
        eta, zeta = _outcome_factors(chain, kind, contrast, baseline, here, 0, slope)
        steps = [represent(kind, first_steps[0]), later[0] if closed else represent(kind, later[0])]
        zsteps = [np.zeros_like(part) for part in steps]
        if chain.zero_part:
            zsteps = [represent(points.EXP, first_steps[1]), represent(points.EXP, later[1])]
        first_shift = represent(links[0], chain.exposure[here, 0, None] * u)
        none = np.zeros((size, 1))
        out = np.empty((size, 16))
        kernels_levels.before_levels(
            kind, links, represent(links[0], baseline[0]), first_shift, none if normal else cuts[0][here], w, factor,
            represent(links[1], predictor), represent(links[1], second_steps),
            none if second.rule == "beta" else cuts[1][here], precision[here], table, eta, zeta, steps[0],
            steps[1], zsteps[0], zsteps[1], outcome_cuts[here], chain.outcome.phi[here], rule.kappa, rule.apart,
            repeats, out,
        )  # fmt: skip
        return out.T

    return work


def _targets(chain: Chain) -> range:
    """Places of the linear predictors of the outcome and its zero part."""
    count = len(chain.mediators)
    return range(count, count + 1 + chain.zero_part)


def _steps(chain: Chain, j: int, k: int, contrast: tuple[float, float], values: Array, here: slice) -> Array:
    """Return what mediator k's values, (L,) or (B, L), add to linear predictor j at both exposures: (B, 2, L)."""
    if (j, k) in chain.tables:
        return np.stack([chain.steps(j, k, u, values)[here] for u in contrast], axis=1)
    return np.stack([chain.slope(j, k, u)[here, None] * values for u in contrast], axis=1)


def _outcome_factors(
    chain: Chain, kind: int, contrast: tuple[float, float], baseline: Array, here: slice, k: int, slope: list[Array]
) -> tuple[Array, Array]:
    """Patients' parts of eta and zeta by u_D, (2, B, n), with the baseline of the normal mediator k where it is one."""
    found = []
    for t, j in enumerate(_targets(chain)):
        eta = np.stack([baseline[j] + chain.exposure[here, j, None] * u for u in contrast])
        if slope:
            eta += slope[t][here].T[:, :, None] * baseline[k]
        if t == 0 and chain.outcome.rule == "exp":
            eta += chain.outcome.shift[here, None]
        found.append(represent(kind if t == 0 else points.EXP, eta))
    return found[0], found[1] if len(found) > 1 else np.zeros_like(found[0])
