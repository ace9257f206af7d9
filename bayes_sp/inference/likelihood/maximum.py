r"""Maximum likelihood of one equation of any family, for many weightings of the same patients at once.

An equation has a linear predictor of the mean, in some families one of zeros of a second kind, and parameters that all
patients share. Each is a predictor with columns of its own (for a shared parameter a column of ones), so that with the
derivatives h of `rows_of` with respect to predictors l and m

.. math:: -H_{lm} = -C_l' \mathrm{diag}(w h_{lm}) C_m.

Newton's method with step-halving; where the curvature is not that of a maximum, as much of the product of first
derivatives (Berndt, Hall, Hall & Hausman 1974) is added as makes the step one uphill.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.inference.likelihood.newton import CONVERGED, DECREMENT, NO_CONVERGENCE, RUNNING, SINGULAR, Climbs, climb
from bayes_sp.inference.likelihood.normal_equations import Flags, definite, independent, solve_normal
from bayes_sp.inference.likelihood.predictors import LONGEST, LONGEST_SHARED, Part, Predictors
from bayes_sp.inference.likelihood.rows import rows_of
from bayes_sp.model.families.registry import FAMILIES

# What is left to gain, in log-likelihood a patient, where a climb towards infinity ends; a step that is none towards
# it; a change of a predictor by such a step, and one that is none, also near the end, where rounding moves a parameter
# of which nothing is known in the limit.
LEFT, LEAST_MOVE, MOVES, STAYS, STAYS_ROUGHLY = 1e-5, 1e-2, 0.2, 1e-5, 1e-3
# On the way to infinity the weights of patients vanish; the ridge, a patient, is for those next to a step.
LEAST, RIDGE = 1e-13, 1e-7
# How much of the first derivatives' product, and then of each parameter's own curvature, makes a step uphill.
SHARES, OWN_SIZES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0), (1.5, 5.0, 50.0)
_ENDLESS = "endless"


@dataclass(frozen=True, eq=False)
class Regression(Predictors):
    """One equation made ready for maximum likelihood."""

    response: str
    family: str
    y: Array  # as its family sees it, (n,)
    parts: tuple[Part, ...]  # of the mean, and of a zero part where there is one
    parameters: tuple[str, ...]  # names of shared parameters; of the cutpoints in an ordered family
    known: Array  # what the kernel wants beside them: the SD of measurement error
    start: Array  # starting values, standardised and without bounds, (P,)
    # Columns of the mean, of each monotonic effect, which must not differ in sign.
    steps: tuple[NDArray[np.intp], ...] = field(default=())

    @property
    def ordered(self) -> bool:
        """Whether the shared parameters are cutpoints."""
        return FAMILIES[self.family].ordered

    @property
    def predictors(self) -> int:
        """Number of predictors, L."""
        return len(self.parts) + len(self.parameters)

    @cached_property
    def columns(self) -> tuple[Array, ...]:
        """Columns of every predictor, (n, p_l) each."""
        ones = np.ones((len(self.y), 1))
        return (*(part.x for part in self.parts), *[ones] * len(self.parameters))

    @cached_property
    def places(self) -> tuple[slice, ...]:
        """Place of every predictor's coefficients among all of them."""
        ends = np.cumsum([0, *(columns.shape[1] for columns in self.columns)])
        return tuple(slice(start, stop) for start, stop in pairwise(ends))

    @property
    def width(self) -> int:
        """Numbers of a patient that derivatives take."""
        return self.predictors**2

    @property
    def members(self) -> tuple[tuple[Regression, slice], ...]:
        """Itself, and the place of its parameters."""
        return ((self, slice(0, len(self.start))),)

    @property
    def beginning(self) -> Array:
        """Starting values, (P,)."""
        return self.start

    @property
    def longest(self) -> tuple[float, ...]:
        """Longest step of every predictor."""
        return (LONGEST,) * len(self.parts) + (LONGEST_SHARED,) * len(self.parameters)

    def derivatives(self, theta: Array, w: Array) -> tuple[Array, Array, Array]:
        """Return weighted log-likelihoods (R,), and derivatives by the predictors, (L, R, n) and (L, L, R, n)."""
        linear = self.linear(theta)
        value, first, second = self.at_rows(self.y, w, linear[0], linear[-1], theta)
        return value.sum(axis=1), first, second

    def linear(self, theta: Array) -> list[Array]:
        """Return the linear predictors of the mean and, where there is one, of the zero part, (R, n) each."""
        return [theta[:, place] @ p.x.T + p.offset for p, place in zip(self.parts, self.places, strict=False)]

    def at_rows(self, y: Array, w: Array, eta: Array, zeta: Array, theta: Array) -> tuple[Array, Array, Array]:
        """Return each row's weighted log-likelihood, (R, rows), and its derivatives by the predictors, as `rows_of`."""
        size = self.predictors
        value, first, second = np.zeros(w.shape), np.zeros((size, *w.shape)), np.zeros((size, size, *w.shape))
        shared = np.ascontiguousarray(theta[:, self.places[-1].stop - len(self.parameters) :])
        rows_of(self.family)(
            self.ordered, len(self.parts) - 1, FAMILIES[self.family].sized, self.known, y, w, eta, zeta, shared,
            value, first, second,
        )  # fmt: skip
        return value, first, second

    def natural(self, theta: Array) -> dict[str, Array]:
        """Return coefficients in the columns' units by part (``"mean"``, ``"zero"``), and each shared parameter."""
        found: dict[str, Array] = {}
        moved = np.zeros(len(theta))
        for name, part, place in zip(("mean", "zero"), self.parts, self.places, strict=False):
            slopes = theta[:, place] / part.scale
            moved = slopes @ part.centre
            if part.terms[:1] == ("intercept",):
                slopes[:, 0] -= moved
                moved = np.zeros(len(theta))
            found[name] = slopes
        shared = theta[:, self.places[-1].stop - len(self.parameters) :]
        with np.errstate(over="ignore"):
            positive = np.exp(shared)
        if self.ordered:
            cuts = np.cumsum(np.column_stack([shared[:, :1], positive[:, 1:]]), axis=1)
            return found | {"cutpoint": cuts + moved[:, None]}
        return found | {name: positive[:, k] for k, name in enumerate(self.parameters)}


@dataclass(frozen=True, eq=False)
class Fits:
    """Maximum-likelihood fits of one equation: standardised parameters, direction (R, P), the rest (R,).

    ``direction`` is where parameters go to infinity, zeros where the maximum is finite; ``kept`` which coefficients the
    resample determines, (R, P); ``reason`` why there is no fit, '' where there is one.
    """

    theta: Array
    direction: Array
    log_likelihood: Array
    kept: Flags
    reason: NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weights (R, n), and which coefficients there are (P, R)."""

    w: Array
    keep: Flags

    def take(self, chosen: Flags) -> _Sums:
        """Return those of some replicates."""
        return _Sums(self.w[chosen], self.keep[:, chosen])


def determined(data: Regression, w: Array, *, zeros: bool = False) -> Flags:
    """Return what each weighting of the patients determines, (R, P); ``zeros`` are to say something above a hurdle."""
    above = FAMILIES[data.family].zero_part == "hurdle" and not zeros
    keep = [np.ones((len(w), len(data.parameters)), dtype=bool)]
    for number in reversed(range(len(data.parts))):
        counted = w * (data.y > 0) if above and number == 0 else w
        gram = data.gram(number, number, counted)
        if data.parts[number].terms[:1] != ("intercept",):  # cutpoints take its place
            sums = (counted @ data.columns[number]).T
            first = np.concatenate([counted.sum(axis=1)[None], sums])
            gram = np.concatenate([first[None], np.concatenate([sums[:, None], gram], axis=1)])
            keep.insert(0, independent(gram)[1:].T)
        else:
            keep.insert(0, independent(gram).T)
    return np.concatenate(keep, axis=1)


def fit_regression(data: Predictors, w: Array, keep: Flags, start: Array | None = None) -> Fits:
    """Fit one regression, or equations that are fitted together, for each row of weights.

    ``w`` is how often each patient counts, (R, n), and ``keep`` which coefficients there are, (R, P); the others are 0.
    Where nothing is found from ``start`` the fit begins at ``data.beginning``.
    """
    climbs = _climbed(data, w, keep, data.beginning if start is None else start)
    again = np.flatnonzero(np.isin(climbs.verdict, [SINGULAR, NO_CONVERGENCE]))
    if start is not None and len(again):  # where all patients' fit is too far from a resample's
        climbs.put(again, _climbed(data, w[again], keep[again], data.beginning))
    endless = climbs.verdict == _ENDLESS
    direction = np.where(endless[:, None], climbs.step, 0.0)
    moves = np.zeros(direction.shape, dtype=bool)
    for columns, place in zip(data.columns, data.places, strict=True):  # what moves nobody's predictor stays
        moved = np.abs(direction[:, place] @ columns.T).max(axis=1, where=w > 0, initial=0.0)
        moves[:, place] |= (moved > MOVES)[:, None]
    direction[~moves] = 0.0
    direction[np.abs(direction) < STAYS * np.abs(direction).max(axis=1, keepdims=True)] = 0.0
    if isinstance(data, Regression) and FAMILIES[data.family].zero_part == "hurdle":
        _all_ones(data, endless & ~(w * (data.y > 1)).any(axis=1), climbs.theta, direction)
    climbs.verdict[endless] = CONVERGED
    return Fits(climbs.theta, direction, climbs.value, keep.copy(), climbs.verdict)


def _all_ones(data: Regression, ones: Flags, theta: Array, direction: Array) -> None:
    """Let the counts above a hurdle be 1 in the limit, for everyone, where no patient of a resample has more.

    Their rate goes to 0; by which slopes on the way, and with what phi, the likelihood does not say, and a mean over
    values of a mediator that nobody has must not depend on it.
    """
    mean, shared = data.places[0], data.places[len(data.parts) - 1].stop
    for part in (mean, slice(shared, None)):
        theta[ones, part] = 0.0
        direction[ones, part] = 0.0
    direction[ones, mean.start] = -1.0


def _climbed(data: Predictors, w: Array, keep: Flags, start: Array) -> Climbs:
    theta = np.tile(start, (len(w), 1)) * keep
    return climb(_Sums(w, keep.T), theta, partial(_newton, data), partial(_verdicts, data))


def _newton(data: Predictors, active: _Sums, theta: Array) -> tuple[Array, Array, Array]:
    """Log-likelihood, Newton's step and its decrement."""
    w = active.w
    value, first, second = data.derivatives(theta, w)
    score = data.score(first)
    curvature = data.curvature(lambda k, m: -second[k, m], len(w))
    step, unexplained = solve_normal(curvature, score.T[:, None], active.keep, LEAST)
    step = step[:, 0].T
    upward = (np.einsum("jjr->jr", curvature) > 0) | ~active.keep
    bad = ~(definite(unexplained, LEAST) & upward.all(axis=0)) & np.isfinite(value)
    if bad.any():
        weight = np.where(w[bad] > 0, w[bad], 1.0)
        product = data.curvature(lambda k, m: first[k][bad] * first[m][bad] / weight, int(bad.sum()))
        product += RIDGE * w[bad].sum(axis=1) * np.eye(len(product))[..., None]
        step[bad] = _uphill(curvature[..., bad], product, score[bad], active.keep[:, bad])
    decrement = np.where(bad, np.inf, (score * step).sum(axis=1))
    moves = (step[:, place] @ columns.T for columns, place in zip(data.columns, data.places, strict=True))
    longest = np.max([np.abs(move).max(axis=1) / most for move, most in zip(moves, data.longest, strict=True)], axis=0)
    return value, step / np.maximum(longest, 1.0)[:, None], decrement


def _uphill(curvature: Array, product: Array, score: Array, keep: Flags) -> Array:
    """Return steps with as little of the product (and its ridge) added as makes the curvature that of a maximum."""
    step = np.full(score.shape, np.nan)
    left = np.arange(len(score))
    size = np.eye(len(curvature))[..., None] * np.abs(np.einsum("jjr->jr", curvature))[None]
    # First derivatives say next to nothing of endless degrees of freedom: then each parameter's own curvature counts.
    for share, own in [(each, 0.0) for each in SHARES] + [(SHARES[-1], each) for each in OWN_SIZES]:
        matrix = curvature[..., left] + share * product[..., left] + own * size[..., left]
        found, unexplained = solve_normal(matrix, score[left].T[:, None], keep[:, left], LEAST)
        good = definite(unexplained, LEAST) & ((np.einsum("jjr->jr", matrix) > 0) | ~keep[:, left]).all(axis=0)
        step[left[good]] = found[:, 0, good].T
        left = left[~good]
    return step


def _verdicts(data: Predictors, active: _Sums, theta: Array, step: Array, decrement: Array) -> NDArray[np.object_]:
    """Verdict on each replicate at its present values."""
    verdict = np.full(len(step), RUNNING, dtype=object)
    verdict[decrement <= DECREMENT] = CONVERGED
    near = (decrement <= LEFT * active.w.sum(axis=1)) & (np.abs(step).max(axis=1) > LEAST_MOVE)
    for r in np.flatnonzero(near):
        rows = active.w[r] > 0
        moved = np.concatenate(
            [np.abs(columns[rows] @ step[r, place]) for columns, place in zip(data.columns, data.places, strict=True)]
        )
        stays = STAYS_ROUGHLY if 20.0 * decrement[r] <= LEFT * active.w[r].sum() else STAYS
        verdict[r] = _ENDLESS if moved.max() > MOVES and ((moved > MOVES) | (moved < stays)).all() else RUNNING
    verdict[~np.isfinite(step).all(axis=1)] = SINGULAR
    return verdict
