"""Chains of normal mediators and a normal or count outcome, refitted to resamples of the patients, with all effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.formulas import ChainCoefficients, Path, enumerate_paths, path_products
from bayes_sp.effects.shapley import identity_link_effects, log_link_effects, with_totals
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.bootstrap.available import COUNTS
from bayes_sp.inference.bootstrap.boundary import (
    EMPTY_LEVEL,
    NO_EVENTS,
    SMALL,
    Bits,
    limits_of,
    moved,
    moves_of,
)
from bayes_sp.inference.bootstrap.resample import (
    LinearChain,
    by_place,
    predictor_places,
    prepare_chain,
    refit_chain,
    taken,
)
from bayes_sp.inference.likelihood.chain import Chain, chain_least_squares
from bayes_sp.inference.likelihood.counts import CountData, prepare_counts
from bayes_sp.inference.likelihood.least_squares import Moments
from bayes_sp.inference.likelihood.negative_binomial import CountFits, fit_counts

DECOMPOSITIONS = ("alone", "average")
NOT_DETERMINED = "the exposure or a mediator follows from the other predictors"


@dataclass(frozen=True, eq=False)
class Refits:
    """Refits to one block of resamples; leading axis replicates."""

    # Effects, (R, effect, scale, decomposition): infinite where that is their limit, NaN where they have none.
    values: Array
    reason: NDArray[np.object_]  # why there is no fit, '' where there is one, (R,)
    boundary: Bits  # bits of `boundary.BOUNDARY_WORDS`, (R,)
    # By place in the chain, infinite where that is their limit; None for a chain that has more than these.
    coefficients: ChainCoefficients | None
    phi: Array  # size of a negative-binomial outcome, (R,)
    # conditional, index: effects at each setting of moderators, (R, setting, effect, scale, decomposition), and the
    # index of moderated mediation, (R, row); None where none is asked for.
    conditional: Array | None = None
    index: Array | None = None


@dataclass(frozen=True, eq=False)
class PlainChain:
    """A design made ready for refitting, with what every resample shares."""

    design: Design
    paths: tuple[Path, ...]
    linear: LinearChain
    count: CountData | None
    start: CountFits | None

    @property
    def scales(self) -> tuple[str, ...]:
        """Scales of the effects."""
        return ("coefficient", "difference") if self.count is None else ("coefficient", "rate_ratio", "difference")

    @property
    def block_size(self) -> int:
        """Resamples computed together: at most 2 MiB of numbers for each step's result (more beyond 32,768 patients).

        Blocks depend on the data alone. A matrix product of another shape may differ in the last digit, so this is what
        makes the results independent of the memory given.
        """
        width = max(self.design.n, 1 if self.count is None else len(self.count.above))
        return int(np.clip(2**18 // width, 8, 1024))

    def refit(self, counts: Array) -> Refits:
        """Refit every equation to a block of resamples, (R, n), and compute the effects."""
        rows, variance, left_out = refit_chain(self.linear, counts)
        reason = np.where(np.isfinite(rows).all(axis=(1, 2)), "", NOT_DETERMINED).astype(object)
        boundary = np.where(left_out, EMPTY_LEVEL, 0)
        phi, moves = np.full(len(counts), np.nan), np.zeros((1, *rows[:, 0].shape))
        if self.count is not None:
            rows, moves = self._with_outcome(self.count, rows, counts, reason, boundary, phi)
        kept = reason == ""
        rows[~kept], variance[~kept] = np.nan, np.nan
        last, q = len(self.design.mediators), self.design.w.shape[1]
        coefficients = by_place(rows, variance[:, :last], q)
        values = np.full((len(counts), len(self.paths) + 2, len(self.scales), len(DECOMPOSITIONS)), np.nan)
        values[kept] = self._effects(taken(coefficients, kept), counts[kept])
        moving = kept & (moves != 0).any(axis=(0, 2))
        if moving.any():
            values[moving] = self._limits(rows[moving], moves[:, moving], variance[moving], counts[moving])
            rows[:, -1] += _infinite(moves)
            coefficients = by_place(rows, variance[:, :last], q)
        none = (boundary & NO_EVENTS) > 0
        values[none] = np.nan
        values[none, :, -1] = 0.0  # every rate is 0, and no ratio of them has a value
        return Refits(values, reason, boundary, coefficients, phi)

    def _with_outcome(
        self, count: CountData, rows: Array, counts: Array, reason: NDArray[np.object_], boundary: Bits, phi: Array
    ) -> tuple[Array, Array]:
        """Fit the outcome's equation where the others are fitted; its row after theirs, and how it moves."""
        places = predictor_places(self.design, len(self.design.mediators))
        fitted = np.flatnonzero(reason == "")
        fits = fit_counts(count, counts[fitted], self.start, family=self.design.families[-1])
        covariates = places <= self.design.w.shape[1]
        fits.reason[(fits.reason == "") & ~fits.kept[:, ~covariates].all(axis=1)] = NOT_DETERMINED
        outcome = np.zeros((5, len(counts), rows.shape[-1]))
        outcome[np.ix_(range(5), fitted, places)] = [fits.coefficients, *_moves(count, fits, counts[fitted])]
        phi[fitted], reason[fitted] = fits.phi, fits.reason
        boundary[fitted] |= fits.boundary
        return np.concatenate([rows, outcome[0][:, None]], axis=1), outcome[1:]

    def _limits(self, rows: Array, moves: Array, variance: Array, counts: Array) -> Array:
        """Limits of the effects where the outcome's coefficients go to infinity; NaN where there is none."""

        def values_at(t: float, s: float = 0.0, side: int | None = None) -> Array:
            there = rows.copy()
            there[:, -1] = moved(rows[:, -1], moves, t, s, side)
            return self._effects(by_place(there, variance, self.design.w.shape[1]), counts)

        return limits_of(values_at, bool(moves[1].any()))

    def _effects(self, coefficients: ChainCoefficients, counts: Array) -> Array:
        """Effects on every scale, (R, effect, scale, decomposition)."""
        paths, contrast = self.paths, self.design.contrast
        products = with_totals(path_products(coefficients, paths), paths)
        if self.count is None:
            differences = identity_link_effects(coefficients, paths, contrast)
            return np.repeat(np.stack([products, differences], axis=-1)[..., None], 2, axis=-1)
        effects = log_link_effects(coefficients, paths, contrast, self.design.w, weights=counts)
        alone = np.stack([products, effects.rate_ratio_alone, effects.difference_alone], axis=-1)
        average = np.stack([products, effects.rate_ratio_average, effects.difference_average], axis=-1)
        return np.stack([alone, average], axis=-1)


def _moves(count: CountData, fits: CountFits, counts: Array) -> Array:
    """Return how each resample's coefficients go to infinity, as `moves_of`, in the predictors' units."""
    directions = fits.direction.copy()  # standardised, as the predictors are
    directions[:, 0] += directions[:, 1:] @ count.centre
    directions[:, 1:] *= count.scale
    moves = moves_of([count.x], [slice(0, count.x.shape[1])], counts, directions, fits.kept)
    moves[np.abs(moves) < SMALL * np.abs(moves).max(axis=-1, keepdims=True)] = 0.0  # what rounding leaves
    moves[..., 1:] /= count.scale
    intercept = moves[..., 0] - moves[..., 1:] @ count.centre
    moves[..., 0] = np.where(np.abs(intercept) < SMALL * np.abs(moves).max(axis=-1), 0.0, intercept)
    moves[0] = fits.direction
    return moves


def _infinite(moves: Array) -> Array:
    """Return 0 for coefficients that stay, infinities with their sign for those that go there, NaN for either, (R, P).

    A coefficient that moves along the free direction has no value where it would stay otherwise.
    """
    signs = np.sign(np.stack([moves[0], moves[0] + moves[2], moves[0] + moves[3]]))
    one = (signs == signs[0]).all(axis=0)
    return np.where(one, np.where(signs[0] != 0, np.copysign(np.inf, signs[0]), 0.0), np.nan)


def plain_chain(design: Design) -> PlainChain:
    """Check that every equation can be fitted to all patients, and compute what the resamples share."""
    *mediators, outcome = design.families
    problems = [
        f"equation {name!r}: family {family!r} of a mediator has no bootstrap; use 'normal'"
        for name, family in zip(design.mediators, mediators, strict=True)
        if family != "normal"
    ]
    if outcome not in ("normal", *COUNTS):
        problems.append(
            f"equation {design.outcome!r}: family {outcome!r} of the outcome has no bootstrap; "
            "use 'normal', 'negative_binomial' or 'poisson'"
        )
    if problems:
        raise SpecificationError("bootstrap", problems)
    columns = np.column_stack([design.w, design.x, design.y])
    names = (*design.covariate_terms, design.exposure, *design.responses)
    chain_least_squares(Moments.from_records(names, columns), Chain.from_design(design))  # names what is collinear
    paths = enumerate_paths(design.edges_exposure, design.edges_mediators)
    if outcome == "normal":
        return PlainChain(design, paths, prepare_chain(design, len(design.families)), None, None)
    last = len(design.mediators)
    places = predictor_places(design, last)[1:] - 1
    count = prepare_counts(design.y[:, last], columns[:, places], design.outcome, design.offset(design.outcome))
    start = fit_counts(count, family=outcome)
    return PlainChain(design, paths, prepare_chain(design, last), count, start)
