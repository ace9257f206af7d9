"""What the compiled loops need for a batch of draws: factors of patients, factors of worlds, nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain
from bayes_sp.effects.means import kernels, kernels_blocks, kernels_levels, kernels_sums, points
from bayes_sp.effects.means.counts import LARGEST, Grid, count_grid, growth_of, mean_curves
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
    "count": points.COUNT,
}
LEAST_SHARE = 0.4
_CLIP = 230.0  # three such factors multiply without overflow; exp(-230) is nothing beside 1


def represent(kind: int, eta: Array) -> Array:
    """Return a linear predictor as the kernels want it: exp(-eta), exp(eta) or eta (see `points`)."""
    if kind in (points.IDENTITY, points.PROBIT, points.COUNT, points.COUNT_MEAN):
        return eta
    clipped = np.clip(eta, -_CLIP, _CLIP)
    return np.exp(-clipped if kind in (points.LOGIT, points.BETA) else clipped)


def cutpoints(kind: int, cuts: Array) -> Array:
    """Return cutpoints to go with linear predictors in representation: exp(cut) beside exp(-eta)."""
    return np.exp(np.clip(cuts, -_CLIP, _CLIP)) if kind in (points.LOGIT, points.BETA) else cuts


def shares(cov: Array) -> Array:
    """Return which share of the nodes each draw of a hurdle needs, (S,), from cov (S, W, 3) of its predictors.

    The error of the trapezoidal rule depends on its step in units of the wider predictor, and it reaches further the
    wider the count's own is.
    """
    own, zero = np.sqrt(cov[..., 0].max(axis=1)), np.sqrt(cov[..., 2].max(axis=1))
    need = np.maximum(own, zero) * (2.0 * kernels.REACH + own)
    return np.maximum(np.sqrt(need / max(need.max(), np.finfo(float).tiny)), LEAST_SHARE)


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
    share = shares(cov)
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
            kind, eta, zeta, classes[0], shift[here], zshift[here], cov[here], share[here], cuts[here],
            chain.outcome.phi[here], x, w, repeats, out,
        )  # fmt: skip
        return out.T

    return work


def levels_batch(chain: Chain, contrast: tuple[float, float], rule: Rule, counts: Array | None) -> Work:
    """Return the work on a batch of a chain of two mediators that are not both normal."""
    known = not chain.mediators[0].normal and chain.outcome.closed
    if chain.mediators[1].normal and not known:
        return _levels_then_normal(chain, contrast, rule, counts)
    return _before_levels(chain, contrast, rule, counts)


def _levels_then_normal(chain: Chain, contrast: tuple[float, float], rule: Rule, counts: Array | None) -> Work:
    """m1 has levels, m2 is normal: cells of (u_D, m1, u_2, the m1 that m2 sees) with normal linear predictors."""
    kind, first = KINDS[chain.outcome.rule], chain.mediators[0]
    link = KINDS[first.rule]
    x, w = normal_nodes(rule.nodes)
    repeats = _repeats(counts)
    slope = [np.stack([chain.slope(j, 1, u) for u in contrast], axis=1) for j in _targets(chain)]  # (S, 2) each
    products = [(0, 0), (0, 1), (1, 1)] if chain.zero_part else [(0, 0)]
    cov = np.zeros((chain.draws, 2, 3))
    for place, (t, other) in enumerate(products):
        cov[:, :, place] = slope[t] * slope[other] * chain.mediators[1].sigma[:, None] ** 2
    share = shares(cov)
    first_shift = represent(link, chain.exposure[:, 0, None] * np.array(contrast))
    cuts = cutpoints(kind, chain.outcome.cuts)

    def work(start: int, stop: int, baseline: Array) -> Array:
        """Return mean outcomes in every world, (worlds, stop - start)."""
        here = slice(start, stop)
        grid = _grid(chain, 0, contrast, rule, baseline, here)
        m2 = _steps(chain, 1, 0, contrast, grid.values, here)
        m2 += chain.exposure[here, 1, None, None] * np.array(contrast)[:, None]
        own: list[Array] = []
        seen: list[Array] = []
        for j, b in zip(_targets(chain), slope, strict=True):
            form = kind if not own else points.EXP
            own.append(represent(form, _steps(chain, j, 0, contrast, grid.values, here)))
            seen.append(represent(form, b[here, :, None, None] * m2[:, None]))
        eta, zeta = _outcome_factors(chain, kind, contrast, baseline, here, 1, slope)
        out = np.empty((stop - start, 16))
        kernels.levels_then_normal(
            kind, link, represent(link, baseline[0]), first_shift[here], cutpoints(link, grid.cuts),
            _precision(chain, 0)[here], grid.values[None], eta, zeta, own[0], seen[0], own[-1] if chain.zero_part else
            np.zeros_like(own[0]), seen[-1], cov[here], share[here], cuts[here], chain.outcome.phi[here], x, w,
            rule.kappa, rule.apart, repeats, out,
        )  # fmt: skip
        return out.T

    return work


def _before_levels(chain: Chain, contrast: tuple[float, float], rule: Rule, counts: Array | None) -> Work:
    """m2 has levels or the nodes of a beta, or a mean that is known; m1 has levels or is normal, summed over nodes."""
    kind, (first, second) = KINDS[chain.outcome.rule], chain.mediators
    sums, normal = chain.outcome.closed, first.normal
    known = sums and (second.normal or second.count or second.beta)
    links = (KINDS[first.rule], points.COUNT_MEAN if sums and second.count else KINDS[second.rule])
    kappa = 0.0 if rule.apart else rule.kappa
    repeats, u = _repeats(counts), np.array(contrast)
    x, w = normal_nodes(rule.nodes, hermite=kappa < 1.0)
    factor = cross_world_factor(kappa if normal else 1.0, x, w)
    outcome_cuts = cutpoints(kind, chain.outcome.cuts)
    slope = [np.stack([chain.slope(j, 0, e) for e in contrast], axis=1) for j in _targets(chain)] if normal else []
    table = beta_nodes(rule.nodes)[1] if second.beta and not sums else np.empty((0, 0))
    onto_second = np.stack([chain.slope(1, 0, e) for e in contrast], axis=1)
    precisions = np.stack([_precision(chain, k) for k in range(2)])

    def work(start: int, stop: int, baseline: Array) -> Array:
        """Return mean outcomes in every world, (worlds, stop - start)."""
        here, size = slice(start, stop), stop - start
        grid = Grid(x, np.zeros((size, 1))) if normal else _grid(chain, 0, contrast, rule, baseline, here)
        if normal:  # what the exposure and the error add to m1, (B, 1, 2, Q)
            added = chain.exposure[here, 0, None] * u
            values = (added[:, :, None] + first.sigma[here, None, None] * x)[:, None]
            first_steps = [slope[t][here, :, None, None] * values for t in range(len(slope))]
            second_steps = onto_second[here, :, None, None] * values
        else:
            first_steps = [_steps(chain, j, 0, contrast, grid.values, here)[:, :, None] for j in _targets(chain)]
            second_steps = _steps(chain, 1, 0, contrast, grid.values, here)[:, :, None]
        predictor = np.stack([baseline[1] + chain.exposure[here, 1, None] * exposure for exposure in contrast])
        if normal:
            predictor += onto_second[here].T[:, :, None] * baseline[0]
        curves = (np.empty((size, 2, 0)), np.empty((size, 2)))
        if known:
            second_grid, later = Grid(np.empty(0), np.zeros((size, 1))), [_known_steps(chain, contrast, here)]
            if (2, 1) in chain.logs:
                curves = _curves(chain, contrast, here, predictor, second_steps)
        else:
            second_grid = _grid(chain, 1, contrast, rule, baseline, here, _top(predictor, second_steps)[0])
            later = [_steps(chain, j, 1, contrast, second_grid.values, here) for j in _targets(chain)]
        eta, zeta = _outcome_factors(chain, kind, contrast, baseline, here, 0, slope)
        steps = [represent(kind, first_steps[0]), later[0] if known else represent(kind, later[0])]
        zsteps = [np.zeros_like(part) for part in steps]
        if chain.zero_part:
            zsteps = [represent(points.EXP, first_steps[1]), represent(points.EXP, later[1])]
        first_shift = represent(links[0], chain.exposure[here, 0, None] * u)
        out = np.empty((size, 16))
        tables = (grid.values[None], table if second.beta else second_grid.values[None])
        m1 = (represent(links[0], baseline[0]), first_shift, cutpoints(links[0], grid.cuts))
        laws = (np.ascontiguousarray(precisions[:, here]), tables)  # of one type whatever the batch
        m2 = (represent(links[1], predictor), represent(links[1], second_steps), cutpoints(links[1], second_grid.cuts))
        law, how = (outcome_cuts[here], chain.outcome.phi[here]), (rule.kappa, rule.apart, repeats, out)
        if sums and not normal:
            kernels_sums.levels_first(kind, links, *m1, *laws, *m2, *curves, eta, *steps, *how)
        elif not normal and points.COUNT not in links:
            kernels_blocks.both_levels(kind, links, *m1, *laws, *m2, eta, zeta, *steps, *zsteps, *law, *how)
        else:
            kernels_levels.before_levels(
                kind, links, *m1, *laws, w, factor, *m2, *curves, eta, zeta, *steps, *zsteps, *law, *how
            )
        return out.T

    return work


def _grid(
    chain: Chain,
    k: int,
    contrast: tuple[float, float],
    rule: Rule,
    baseline: Array,
    here: slice,
    top: Array | None = None,
) -> Grid:
    """Return the values of a mediator that is not normal; ``top``: its largest predictor, (B,), else the first's."""
    mediator = chain.mediators[k]
    if mediator.beta:
        return Grid(mediator.origin + mediator.unit * beta_nodes(rule.nodes)[0], np.zeros((here.stop - here.start, 1)))
    if not mediator.count:
        return Grid(mediator.values, mediator.cuts[here])
    if top is None:
        top = baseline[0].max(axis=1) + (chain.exposure[here, 0, None] * np.array(contrast)).max(axis=1)
    power, exponent = growth_of(chain, contrast, k).most(rule.apart)
    return count_grid(mediator.phi[here], top, power[here], exponent[here])


def _top(predictor: Array, steps: Array) -> tuple[Array, Array]:
    """Return the largest and least predictor of m2, (B,), from patients' parts (2, B, n) and steps (B, 2, V, L)."""
    flat = steps.reshape(*steps.shape[:2], -1)
    high = predictor.max(axis=2).T + flat.max(axis=2)
    low = predictor.min(axis=2).T + flat.min(axis=2)
    return high.max(axis=1), low.min(axis=1)


def _precision(chain: Chain, k: int) -> Array:
    """Return the precision of a beta mediator or the size of a count, (S,); zeros for others."""
    mediator = chain.mediators[k]
    given = {"beta": mediator.precision, "count": mediator.phi}.get(mediator.rule)
    return np.zeros(chain.draws) if given is None else given


def _known_steps(chain: Chain, contrast: tuple[float, float], here: slice) -> Array:
    """Return what m2 with a known mean needs, (B, 2, 2), by the exposure of the outcome's equation."""
    second = chain.mediators[1]
    b = np.stack([chain.slope(2, 1, u)[here] for u in contrast], axis=1)
    if second.beta:  # what its origin adds, and what its whole interval adds
        return np.stack([b * second.origin, b * second.unit], axis=2)
    spread = 0.5 * (b * second.sigma[here, None]) ** 2 if second.normal else np.zeros_like(b)
    return np.stack([b, spread], axis=2)


def _curves(
    chain: Chain, contrast: tuple[float, float], here: slice, predictor: Array, steps: Array
) -> tuple[Array, Array]:
    """Return the means of a count m2 that enters as log(1 + value) as functions of its predictor (`mean_curves`)."""
    phi, logarithmic = chain.mediators[1].phi[here], chain.outcome.exponential
    slopes = np.stack([chain.slope(2, 1, u)[here] for u in contrast], axis=1)
    high, low = _top(predictor, steps)
    high, low = np.minimum(high, LARGEST), np.minimum(low, LARGEST)
    power = np.maximum(slopes.max(axis=1), 0.0) if logarithmic else np.ones(len(phi))
    return mean_curves(phi, count_grid(phi, high, power, np.zeros(len(phi))), slopes, low, high, logarithmic)


def _targets(chain: Chain) -> range:
    """Places of the linear predictors of the outcome and its zero part."""
    count = len(chain.mediators)
    return range(count, count + 1 + chain.zero_part)


def _steps(chain: Chain, j: int, k: int, contrast: tuple[float, float], values: Array, here: slice) -> Array:
    """Return what mediator k's values, (L,) or (B, L), add to linear predictor j at both exposures: (B, 2, L)."""
    if (j, k) in chain.tables:
        return np.stack([chain.steps(j, k, u, values)[here] for u in contrast], axis=1)
    seen = chain.seen(j, k, values)
    return np.stack([chain.slope(j, k, u)[here, None] * seen for u in contrast], axis=1)


def _outcome_factors(
    chain: Chain, kind: int, contrast: tuple[float, float], baseline: Array, here: slice, k: int, slope: list[Array]
) -> tuple[Array, Array]:
    """Patients' parts of eta and zeta by u_D, (2, B, n), with the baseline of the normal mediator k where it is one."""
    found = []
    for t, j in enumerate(_targets(chain)):
        eta = np.stack([baseline[j] + chain.exposure[here, j, None] * u for u in contrast])
        if slope:
            eta += slope[t][here].T[:, :, None] * baseline[k]
        if t == 0 and chain.outcome.exponential:
            eta += chain.outcome.shift[here, None]
        found.append(represent(kind if t == 0 else points.EXP, eta))
    return found[0], found[1] if len(found) > 1 else np.zeros_like(found[0])
