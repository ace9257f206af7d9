"""Chains of any families refitted to resamples of the patients, with effects by the formulas for a posterior's draws.

A refit is a draw: its parameters go through the formulas of `effects` under the names that a posterior's draws have,
averaged over the resample's own patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.comparisons.joined import joined_index
from bayes_sp.effects.formulas import Path
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.moderation.index import indexes
from bayes_sp.effects.moderation.levels import Setting
from bayes_sp.effects.paths import general_effects
from bayes_sp.effects.problem import Problem, Quadrature, choose_nodes, make_problem
from bayes_sp.errors import SurveyError
from bayes_sp.inference.bootstrap import boundary as at
from bayes_sp.inference.bootstrap.conditional import IndexRows, index_rows
from bayes_sp.inference.bootstrap.equation_fits import boundaries_of, enough, fit_with_steps
from bayes_sp.inference.bootstrap.refit import DECOMPOSITIONS, NOT_DETERMINED, Refits
from bayes_sp.inference.bootstrap.resample import resamples
from bayes_sp.inference.likelihood.equations import as_draws, regressions
from bayes_sp.inference.likelihood.latent import NO_MAXIMUM, Block, Together, apart, together
from bayes_sp.inference.likelihood.latent_edge import closed_form
from bayes_sp.inference.likelihood.maximum import Fits, Regression, determined
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, AVERAGE, COEFFICIENT, DIFFERENCE

PILOT = 40  # resamples on which the nodes of quadrature are chosen


@dataclass(frozen=True, eq=False)
class GeneralChain:
    """A specification and its records made ready for refitting."""

    model: PathModel
    design: Design
    regressions: tuple[Regression, ...]
    blocks: tuple[Block, ...]
    starts: tuple[Array, ...]
    pilot: int = PILOT
    settings: tuple[Setting, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Paths as tuples of mediators: of the first move, where there are several."""
        return self._pilots[0].paths

    @property
    def scales(self) -> tuple[str, ...]:
        """Scales of the effects, of every move."""
        first, *others = self._pilots
        return tuple(scale for scale in first.scales if all(scale in one.scales for one in others))

    @cached_property
    def conditional_scales(self) -> tuple[str, ...]:
        """Scales of the effects at settings of moderators, which may fix every slope: those that all of them have."""
        starts, everyone = [regression.start[None] for regression in self.regressions], np.ones((1, self.design.n))
        each = [
            problem.scales
            for setting in self.settings
            for problem in self._problems(starts, everyone, dict(setting.held))
        ]
        return tuple(scale for scale in each[0] if all(scale in scales for scales in each))

    @cached_property
    def index_rows(self) -> IndexRows:
        """What the rows of the index of moderated mediation are."""
        return index_rows(self._index([regression.start[None] for regression in self.regressions]))

    @property
    def block_size(self) -> int:
        """Resamples computed together: at most 64 MiB for the second derivatives of the largest equation."""
        width = max(block.width for block, _ in self.blocks)
        return int(np.clip(2**23 // (self.design.n * width), 8, 1024))

    @cached_property
    def _pilots(self) -> tuple[Problem, ...]:
        """For each move: a few resamples, or all patients where there are to be none, as the effects see them."""
        counts = np.ones((1, self.design.n))
        if self.pilot:
            (counts,) = resamples(self.design.n, 0, self.pilot, block=self.pilot, batch_bytes=2**26)
        fits, reason, _ = self._fitted(counts)
        kept = reason == ""
        if not kept.any():
            raise SurveyError(self.design.outcome, [f"none of {len(counts)} resamples could be fitted: {reason[0]}"])
        finite = kept & ~_moving(fits)
        kept = finite if finite.any() else kept
        return self._problems([fit.theta[kept] for fit in fits], counts[kept])

    @cached_property
    def quadrature(self) -> Quadrature:
        """Nodes of the integrals over mediators: enough for every move."""
        found = [choose_nodes(pilot, pilot.sets(), Rule(1.0)) for pilot in self._pilots]
        return max(found, key=lambda one: one.nodes)

    def refit(self, counts: Array) -> Refits:
        """Refit every equation to a block of resamples, (R, n), and compute the effects."""
        fits, reason, boundary = self._fitted(counts)
        kept = reason == ""
        shape = (len(counts), len(self.model.effect_names), len(self.scales), len(DECOMPOSITIONS))
        values = np.full(shape, np.nan)
        moving = _moving(fits)
        for chosen in (kept & ~moving, kept & moving):
            if chosen.any():
                weights = counts[chosen]
                effects = partial(self._effects, counts=weights, scales=self.scales)
                values[chosen] = self._limit(self._paths(fits, counts, chosen), effects, self.scales)
        self._without_variation(counts, values, boundary)
        conditional, index = self._at_settings(counts, fits, kept, moving) if self.settings else (None, None)
        phi = np.full(len(counts), np.nan)
        if "phi" in self.regressions[-1].parameters:
            last = fits[-1]
            phi[kept] = self.regressions[-1].natural(last.theta[kept])["phi"]
            phi[kept & ((boundary & at.NO_OVERDISPERSION) > 0)] = np.inf
        return Refits(values, reason, boundary, None, phi, conditional, index)

    def _at_settings(
        self, counts: Array, fits: Sequence[Fits], kept: NDArray[np.bool_], moving: NDArray[np.bool_]
    ) -> tuple[Array, Array]:
        """Return effects at each setting, (R, setting, effect, scale, decomposition), and the index, (R, row)."""
        scales = self.conditional_scales
        shape = (len(self.settings), len(self.model.effect_names), len(scales), len(DECOMPOSITIONS))
        values = np.full((len(counts), *shape), np.nan)
        index = np.full((len(counts), len(self.index_rows.path)), np.nan)
        for chosen in (kept & ~moving, kept & moving):
            if not chosen.any():
                continue
            paths, weights = self._paths(fits, counts, chosen), counts[chosen]
            for place, setting in enumerate(self.settings):
                own = dict(setting.held)
                effects = partial(self._effects, counts=weights, scales=scales, held=own)
                values[chosen, place] = self._limit(paths, effects, scales)
            index[chosen] = self._limit(paths, lambda thetas: self._index(thetas)[0].to_numpy())
        return values, index

    def _paths(self, fits: Sequence[Fits], counts: Array, chosen: NDArray[np.bool_]) -> list[tuple[Array, Array]]:
        """Return parameters of each equation, and how they go to infinity."""
        return [
            (
                fit.theta[chosen],
                at.moves_of(own.columns, own.places, counts[chosen], fit.direction[chosen], fit.kept[chosen]),
            )
            for own, fit in zip(self.regressions, fits, strict=True)
        ]

    def _limit(
        self,
        paths: Sequence[tuple[Array, Array]],
        values_of: Callable[[list[Array]], Array],
        scales: Sequence[str] = (COEFFICIENT,),
    ) -> Array:
        """Return values of parameters, in the limit where these go to infinity; NaN where the limit is none.

        ``scales`` are those of the values' last axis but one. Products of coefficients are exact: no quadrature's error
        hides that they move.
        """

        def values_at(t: float, s: float = 0.0, side: int | None = None) -> Array:
            return values_of([at.moved(theta, moves, t, s, side) for theta, moves in paths])

        if not any(moves[0].any() for _, moves in paths):
            return values_at(0.0)
        integrated = at.STILL_INTEGRATED if self.quadrature.nodes else at.STILL_ROUGHLY
        still = np.array([[at.STILL_ROUGHLY if scale == COEFFICIENT else integrated] for scale in scales])
        return at.limits_of(values_at, any(moves[1].any() for _, moves in paths), still=still)

    def _index(self, thetas: Sequence[Array]) -> xr.DataArray:
        """Index of moderated mediation, one chain of R draws: (1, R, row)."""
        draws = as_draws(self.model, self.regressions, thetas)
        return joined_index(self.model, [indexes(view, draws, self.settings)[0] for view in self.model.views])

    def _fitted(self, counts: Array) -> tuple[list[Fits], NDArray[np.object_], at.Bits]:
        """Fit every equation; why there is no fit, and on which boundaries fits lie."""
        reason, boundary = np.full(len(counts), "", dtype=object), np.zeros(len(counts), dtype=np.int64)
        found: dict[int, Fits] = {}
        for (block, numbers), start in zip(self.blocks, self.starts, strict=True):
            keeps = [determined(regression, counts) for regression, _ in block.members]
            fits = fit_with_steps(block, counts, np.concatenate(keeps, axis=1), start)
            if isinstance(block, Together):
                closed_form(block, counts, fits)
            for j, (regression, place), keep in zip(numbers, block.members, keeps, strict=True):
                found[j] = apart(fits, place)
                reason[(reason == "") & ~enough(regression, counts, keep)] = NOT_DETERMINED
                boundary |= boundaries_of(regression, found[j], keep)
            why = np.where(fits.reason == "", "", NO_MAXIMUM) if isinstance(block, Together) else fits.reason
            reason = np.where(reason == "", why, reason)
        return [found[j] for j in range(len(found))], reason, boundary

    def _problems(
        self, thetas: Sequence[Array], counts: Array, held: Mapping[str, float] | None = None
    ) -> tuple[Problem, ...]:
        """Return refits as the effects of each move see a posterior, each with its resample's own patients."""
        draws = as_draws(self.model, self.regressions, thetas, counts)
        n = self.design.n
        index = np.repeat(np.tile(np.arange(n), len(counts)), counts.astype(np.intp).ravel()).reshape(len(counts), n)

        def columns(start: int, stop: int) -> Array:
            return np.asarray(self.design.w[index[start:stop]])

        return tuple(
            make_problem(view, self.design, draws, linear_baselines(view, self.design, draws, columns, held))
            for view in self.model.views
        )

    def _effects(
        self, thetas: Sequence[Array], counts: Array, scales: Sequence[str], held: Mapping[str, float] | None = None
    ) -> Array:
        """Effects of every move on some scales, (R, effect, scale, decomposition)."""
        parts = []
        for problem in self._problems(thetas, counts, held):
            with np.errstate(over="ignore", invalid="ignore"):
                by_scale, _ = general_effects(problem, 1.0, self.quadrature)
            places = [problem.scales.index(scale) for scale in scales]
            both = [np.stack([by_scale[name][k][0] for k in places], axis=-1) for name in (ALONE, AVERAGE)]
            parts.append(np.stack(both, axis=-1))
        return np.concatenate(parts, axis=1)

    def _without_variation(self, counts: Array, values: Array, boundary: at.Bits) -> None:
        """Set the effects where all patients of a resample have the same outcome: no difference."""
        family, y = FAMILIES[self.regressions[-1].family], self.regressions[-1].y
        if family.response not in ("count", "binary", "integer"):
            return
        low, high = np.where(counts > 0, y, np.inf).min(axis=1), np.where(counts > 0, y, -np.inf).max(axis=1)
        same = low == high
        none = same & (high == 0) & (family.response != "integer")
        only = same if family.response != "count" else none
        boundary[only] |= np.where(none[only], at.NO_EVENTS, at.ONE_ANSWER)
        for s, scale in enumerate(self.scales):
            values[only, :, s] = 0.0 if scale == DIFFERENCE else np.nan
            if scale not in (DIFFERENCE, COEFFICIENT):
                values[only & ~none, :, s] = 1.0


def general_chain(
    model: PathModel, design: Design, *, pilot: int = PILOT, settings: tuple[Setting, ...] = ()
) -> GeneralChain:
    """Make a specification ready: fit every equation to all patients, from where resamples start.

    The nodes of quadrature are chosen on ``pilot`` resamples; 0 for all patients alone, where there are to be no more.
    Effects are also computed at each of the ``settings`` of moderators.
    """
    data = regressions(model, design)
    everyone = np.ones((1, design.n))
    blocks = together(model, data, design)
    starts = tuple(_start(block, everyone) for block, _ in blocks)
    return GeneralChain(model, design, data, blocks, starts, pilot, settings)


def _start(block: Regression | Together, everyone: Array) -> Array:
    """Return the fit to all patients; where it lies at infinity, or equations are fitted together, from other fits."""
    start = None
    if isinstance(block, Together):
        start = np.concatenate([_start(regression, everyone) for regression, _ in block.members])
    keep = np.concatenate([determined(regression, everyone) for regression, _ in block.members], axis=1)
    fits = fit_with_steps(block, everyone, keep, start)
    if fits.reason[0]:
        raise SurveyError(block.response, [f"no maximum-likelihood fit to all patients: {fits.reason[0]}"])
    if not fits.direction.any():
        return np.asarray(fits.theta[0])
    return block.beginning if start is None else start


def _moving(fits: Sequence[Fits]) -> NDArray[np.bool_]:
    """Whether a parameter of any equation goes to infinity, (R,)."""
    return np.asarray(np.any([(fit.direction != 0).any(axis=1) for fit in fits], axis=0))
