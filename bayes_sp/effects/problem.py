"""One model, one posterior: what every kind of effect starts from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array, Codes
from bayes_sp.design.design import Design
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.chain import Baselines, Batched, Chain, Linear, covariates_of
from bayes_sp.effects.formulas import ChainCoefficients, Path, enumerate_paths
from bayes_sp.effects.means.cells import MANY, cells_of
from bayes_sp.effects.means.counts import means_missing, refuse_without_mean
from bayes_sp.effects.means.moderated import of_one_value
from bayes_sp.effects.means.nodes import HERMITE, LEAST_NODES, MOST_NODES, Rule
from bayes_sp.effects.means.normal import Flags, every_path
from bayes_sp.effects.means.worlds import Means, check_chain, needs_nodes, world_means
from bayes_sp.effects.read import effect_scales, read_chain
from bayes_sp.effects.shapley import MAX_ENUMERATED_PATHS, all_sets
from bayes_sp.effects.summary import variance_factor
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import VARIANCE_FACTOR, path_name

TOLERANCE = 1e-6
GAIN = 0.8  # of a third more nodes, in the error's own size, that is worth going on for
_EVEN, _HARD = 24, 16  # draws on which the error of quadrature is measured: evenly spaced, and with the widest errors


@dataclass(frozen=True)
class Quadrature:
    """Nodes in use, and the largest change that doubling them makes (see `choose_nodes`); 0 and 0 where none are."""

    nodes: int = 0
    error: float = 0.0

    @property
    def attrs(self) -> dict[str, float]:
        """For a dataset's attributes; nothing where every mean is in closed form or a finite sum."""
        return {"quadrature_nodes": self.nodes, "quadrature_error": self.error} if self.nodes else {}


@dataclass(frozen=True, eq=False)
class Problem:
    """A posterior as the effects see it.

    Attributes
    ----------
    chain, baselines
        Draws, flattened.
    paths, names
        Paths that exist, and their names, (P,).
    contrast
        (u0, u1).
    scales
        Scales that effects have: ``coefficient`` only where all mediators are on an identity link, enter linearly and
        do not interact with the exposure; the ratio that the outcome's family has; ``difference``.
    places
        Coordinates of chain and draw, with the variance factors of resampled draws.
    weights
        Of the patients over whom means are taken, (n,); None counts each once.
    """

    chain: Chain
    baselines: Baselines
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    contrast: tuple[float, float]
    scales: tuple[str, ...]
    places: dict[str, Any]
    weights: Array | None = None
    _known: dict[Rule, dict[bytes, Array]] = field(default_factory=dict, init=False, repr=False)

    @property
    def full(self) -> tuple[Path, ...]:
        """Every path that a saturated chain would have."""
        return every_path(len(self.chain.mediators))

    def sets(self) -> Flags:
        """Whether each path of a saturated chain is switched, in every set of existing paths: (2**P, 2**K).

        Raises
        ------
        ValueError
            If there are more than `MAX_ENUMERATED_PATHS` paths.
        """
        if len(self.paths) > MAX_ENUMERATED_PATHS:
            raise ValueError(
                f"{len(self.paths)} paths have too many worlds; at most {MAX_ENUMERATED_PATHS} are possible"
            )
        worlds = np.zeros((2 ** len(self.paths), len(self.full)), dtype=bool)
        worlds[:, [self.full.index(path) for path in self.paths]] = all_sets(len(self.paths))
        return worlds

    def means(self, worlds: Flags, rule: Rule) -> Means:
        """Mean outcomes of the worlds (W, 2**K), on the scale of the outcome's family.

        Those of mediators with levels take long, are few, and are kept: several kinds of effects start from the same.
        """
        if self.chain.all_normal or self.chain.moderation is not None:
            return self._made(worlds, rule)
        known, keys = self._known.setdefault(rule, {}), [world.tobytes() for world in worlds]
        if any(key not in known for key in keys):
            known |= zip(keys, self._made(worlds, rule).values, strict=True)
        return Means(np.stack([known[key] for key in keys]), False)

    def _made(self, worlds: Flags, rule: Rule) -> Means:
        return world_means(self.chain, self.baselines, worlds, self.contrast, rule, self.weights)

    def labelled(self, values: Array) -> Array:
        """Draws (S, ...) as (chain, draw, ...)."""
        return values.reshape(len(self.places["chain"]), len(self.places["draw"]), *values.shape[1:])


def make_problem(
    model: PathModel, design: Design, posterior: xr.Dataset, baselines: Baselines | None = None
) -> Problem:
    """Read a posterior; ``baselines`` replaces the design's own.

    Raises ValueError for a chain without effects (see `world_means`); FitError where the mean outcome does not exist in
    some draws; SurveyError if covariates have missing cells, or there are unmeasured confounders, and no baselines are
    given.
    """
    if baselines is None and model.confounders:
        problem = "effects are averages over patients whose confounders are not measured; give the baselines with their"
        raise SurveyError("the survey", [f"{problem} draws"])
    own = linear_baselines(model, design, posterior) if baselines is None else baselines
    chain = of_one_value(read_chain(model, posterior), own)
    check_chain(chain)
    refuse_without_mean(
        means_missing(chain, own, design.contrast),
        [name for name, mediator in zip(model.mediators, chain.mediators, strict=True) if mediator.count],
    )
    return Problem(
        chain,
        own,
        enumerate_paths([model.from_exposure(equation) for equation in model.equations], design.edges_mediators),
        tuple(path_name(path) for path in model.named_paths()),
        design.contrast if model.move is None else model.ends[1],
        effect_scales(model, moderated=chain.moderation is not None),
        _places(posterior),
    )


def chain_coefficients(model: PathModel, design: Design, posterior: xr.Dataset) -> ChainCoefficients:
    """Return a posterior's draws as the chain's coefficients with leading dims (chain, draw), variables uncentred.

    For normal mediators and an outcome whose mean is linear or exponential. A parent enters its equation less a fixed
    centre; the intercept is moved to uncentred parents here. Half the variance of a lognormal outcome is in its
    intercept. Coefficients of exposure x mediator in the outcome's equation are in ``interactions``.
    """
    problem = make_problem(model, design, posterior)
    if not isinstance(problem.baselines, Linear):
        raise TypeError("coefficients alone do not say what the baselines of these patients are")
    return coefficients_of(problem, problem.baselines)


def coefficients_of(problem: Problem, baselines: Linear) -> ChainCoefficients:
    """Return a problem's draws as `chain_coefficients` does."""
    chain, label = problem.chain, problem.labelled
    intercept = baselines.intercept.copy()
    intercept[-1] += chain.outcome.shift
    return ChainCoefficients(
        label(intercept.T),
        label(chain.exposure),
        label(chain.slopes),
        label(np.moveaxis(baselines.slopes, 0, 1)),
        label(np.stack([mediator.sigma**2 for mediator in chain.mediators], axis=-1)),
        label(chain.interactions[:, -1]) if chain.interactions[:, -1].any() else None,
    )


def _places(posterior: xr.Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {name: posterior[name].to_numpy() for name in ("chain", "draw")}
    factor = variance_factor(posterior)
    return found if factor is None else {**found, VARIANCE_FACTOR: (("chain", "draw"), factor)}


def choose_nodes(problem: Problem, worlds: Flags, rule: Rule) -> Quadrature:
    r"""Return the fewest nodes whose doubling changes no difference between worlds by more than 1e-6 of itself.

    Measured on up to 40 draws, 24 evenly spaced and the 16 with the widest errors:

    .. math:: \max_v \max_s \frac{|\Delta_{v,s}(2Q) - \Delta_{v,s}(Q)|}
              {|\Delta_{v,s}(2Q)| + \mathrm{median}_s |\Delta_{v,s}(2Q)|},
              \qquad \Delta_v = E\,Y(\text{world } v) - E\,Y(\text{first world})

    A difference below 1e-9 of the mean outcome counts as 1e-9 of it. Where even 192 nodes are not enough, or a third
    more nodes bring nothing twice in a row, as where a wild draw has its mean beyond all nodes, the bound that was
    reached is kept.
    """
    if not needs_nodes(problem.chain):
        return Quadrature()
    few = _few_draws(problem)

    def means(nodes: int) -> Array:
        return few.means(worlds, replace(rule, nodes=nodes)).plain

    nodes, found, changes = LEAST_NODES, dict[int, Array](), list[float]()
    while True:
        for count in (nodes, 2 * nodes):
            if count not in found:
                found[count] = means(count)
        change = _largest_change(found[nodes], found[2 * nodes])
        changes.append(change)
        stuck = nodes > HERMITE and changes[-1] > GAIN * changes[-2] > GAIN**2 * changes[-3]
        if change <= TOLERANCE or nodes >= MOST_NODES or stuck:
            return Quadrature(nodes, change)
        nodes += max(2, nodes // 3)


def _largest_change(coarse: Array, fine: Array) -> float:
    """Largest change of a difference from the first world, relative to its own size and its median over draws."""
    finite = np.isfinite(coarse).all(axis=0) & np.isfinite(fine).all(axis=0)
    if not finite.any():
        return float("nan")
    coarse, fine = coarse[:, finite], fine[:, finite]
    before, after = coarse - coarse[0], fine - fine[0]
    usual = np.median(np.abs(after), axis=1) + 1e-9 * np.median(np.abs(fine[0]))
    return float((np.abs(after - before) / (np.abs(after) + usual[:, None])).max())


def _few_draws(problem: Problem) -> Problem:
    """Return the problem with the draws on which quadrature is tried."""
    chain = problem.chain
    width = np.zeros(chain.draws)
    for k, mediator in enumerate(chain.mediators):
        scale = mediator.sigma if mediator.normal else np.ones(chain.draws)
        width += scale * np.abs(chain.slopes[:, :, k]).sum(axis=1)
    even = np.linspace(0, chain.draws - 1, min(_EVEN, chain.draws)).astype(int)
    chosen = np.unique([*even, *np.argsort(width)[-_HARD:]])
    if isinstance(problem.baselines, Linear):
        own, weights = problem.baselines.taken(chosen), problem.weights
        if len(own.w) > MANY:
            own, weights = cells_of(chain.taken(chosen), own, weights)
        return replace(problem, chain=chain.taken(chosen), baselines=own, weights=weights)
    baseline = np.concatenate([problem.baselines(s, s + 1) for s in chosen], axis=1)
    return replace(problem, chain=chain.taken(chosen), baselines=_fixed(problem, baseline, chosen))


def _fixed(problem: Problem, baseline: Array, chosen: Codes) -> Baselines:
    """Return baselines of few draws, (J, S, n), held in memory; with their covariates where slopes depend on them."""
    if problem.chain.moderation is None:
        return lambda start, stop: baseline[:, start:stop]
    each = np.concatenate([covariates_of(problem.baselines, s, s + 1) for s in chosen])
    return Batched(lambda start, stop: baseline[:, start:stop], lambda start, stop: each[start:stop])
