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

from bayes_sp.families.registry import FAMILIES
from bayes_sp.frequentist.climb import CONVERGED, DECREMENT, RUNNING, SINGULAR, climb
from bayes_sp.frequentist.normal_equations import Flags, definite, independent, solve_normal
from bayes_sp.frequentist.rows import rows_of

Array = NDArray[np.float64]

# What is left to gain, in log-likelihood a patient, where a climb towards infinity ends; a step that is none towards
# it; a change of a predictor by such a step, and one that is none.
LEFT = 1e-5
LEAST_MOVE, MOVES, STAYS = 1e-2, 0.2, 1e-5
# The longest steps, in units of a linear predictor (a zero part can be a step function) and of a shared parameter.
LONGEST, LONGEST_SHARED = 1000.0, 2.0
# Predictors are independent before any step; on the way to infinity the weights of some patients vanish.
LEAST = 1e-13
_MOST_PRODUCTS = 2**23
_ENDLESS = "endless"


@dataclass(frozen=True, eq=False)
class Part:
    """Columns of one linear predictor.

    Attributes
    ----------
    terms
        Names of the columns.
    x
        Columns, standardised but for an intercept, (n, p).
    centre, scale
        Of the columns, in their units, (p,); 0 and 1 for an intercept.
    spare
        Whether a column may be left out of a resample that does not determine it: covariates and steps, not exposure
        and mediators, (p,).
    offset
        What the predictor has beside coefficients, (n,).
    """

    terms: tuple[str, ...]
    x: Array
    centre: Array
    scale: Array
    spare: Flags
    offset: Array


@dataclass(frozen=True, eq=False)
class Regression:
    """One equation made ready for maximum likelihood.

    Attributes
    ----------
    response, family
        Names.
    y
        Response as its family sees it, (n,).
    parts
        Of the mean, and of a zero part where there is one.
    parameters
        Names of shared parameters; of the cutpoints in an ordered family.
    known
        What the kernel wants beside them: the SD of measurement error.
    start
        Starting values, standardised and without bounds, (P,).
    steps
        Columns of the mean, of each monotonic effect, which must not differ in sign.
    """

    response: str
    family: str
    y: Array
    parts: tuple[Part, ...]
    parameters: tuple[str, ...]
    known: Array
    start: Array
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

    @cached_property
    def products(self) -> dict[tuple[int, int], Array | None]:
        """Products of the columns of two predictors, (n, p_l p_m); None where they would take too much memory."""
        found: dict[tuple[int, int], Array | None] = {}
        for first, one in enumerate(self.columns):
            for second, other in enumerate(self.columns[first:], start=first):
                small = len(one) * one.shape[1] * other.shape[1] <= _MOST_PRODUCTS
                both = (one[:, :, None] * other[:, None]).reshape(len(one), -1) if small else None
                found[first, second] = both
        return found

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
        return _Sums(self.w[chosen], self.keep[:, chosen])


def determined(data: Regression, w: Array) -> Flags:
    """Return which coefficients each weighting of the patients determines, (R, P)."""
    keep = [np.ones((len(w), len(data.parameters)), dtype=bool)]
    for number in reversed(range(len(data.parts))):
        counted = w * (data.y > 0) if data.family.startswith("hurdle") and number == 0 else w
        gram = _gram(data, number, number, counted)
        if data.parts[number].terms[:1] != ("intercept",):  # cutpoints take its place
            sums = (counted @ data.columns[number]).T
            first = np.concatenate([counted.sum(axis=1)[None], sums])
            gram = np.concatenate([first[None], np.concatenate([sums[:, None], gram], axis=1)])
            keep.insert(0, independent(gram)[1:].T)
        else:
            keep.insert(0, independent(gram).T)
    return np.concatenate(keep, axis=1)


def fit_regression(data: Regression, w: Array, keep: Flags, start: Array | None = None) -> Fits:
    """Fit one regression for each row of weights.

    Parameters
    ----------
    data
        The equation.
    w
        How often each patient counts, (R, n).
    keep
        Which coefficients there are, (R, P); the others are 0.
    start
        Where to start, (P,); None for ``data.start``.
    """
    theta = np.tile(data.start if start is None else start, (len(w), 1)) * keep
    climbs = climb(_Sums(w, keep.T), theta, partial(_newton, data), partial(_verdicts, data))
    endless = climbs.verdict == _ENDLESS
    direction = np.where(endless[:, None], climbs.step, 0.0)
    direction[np.abs(direction) < STAYS * np.abs(direction).max(axis=1, keepdims=True)] = 0.0
    climbs.verdict[endless] = CONVERGED
    return Fits(climbs.theta, direction, climbs.value, keep.copy(), climbs.verdict)


def _gram(data: Regression, first: int, second: int, weights: Array) -> Array:
    """C_l' diag(weights_r) C_m for each row of the weights, (p_l, p_m, R)."""
    one, other, products = data.columns[first], data.columns[second], data.products[first, second]
    if products is None:
        return np.stack([(one.T * row) @ other for row in weights], axis=-1)
    return np.asarray((products.T @ weights.T).reshape(one.shape[1], other.shape[1], len(weights)))


def _newton(data: Regression, active: _Sums, theta: Array) -> tuple[Array, Array, Array]:
    """Log-likelihood, Newton's step and its decrement."""
    family, size, w = FAMILIES[data.family], data.predictors, active.w
    linear = [theta[:, place] @ part.x.T + part.offset for part, place in zip(data.parts, data.places, strict=False)]
    shared = np.ascontiguousarray(theta[:, data.places[-1].stop - len(data.parameters) :])
    value, first = np.empty(len(w)), np.zeros((size, *w.shape))
    second = np.zeros((size, size, *w.shape))
    rows_of(data.family)(
        data.ordered, len(data.parts) - 1, family.sized, data.known, data.y, w, linear[0],
        linear[-1], shared, value, first, second,
    )  # fmt: skip
    score = np.concatenate([first[k] @ columns for k, columns in enumerate(data.columns)], axis=1)
    curvature = _curvature(data, lambda k, m: -second[k, m], len(w))
    step, unexplained = solve_normal(curvature, score.T[:, None], active.keep, LEAST)
    step = step[:, 0].T
    upward = (np.einsum("jjr->jr", curvature) > 0) | ~active.keep
    bad = ~(definite(unexplained, LEAST) & upward.all(axis=0)) & np.isfinite(value)
    if bad.any():
        weight = np.where(w[bad] > 0, w[bad], 1.0)
        product = _curvature(data, lambda k, m: first[k][bad] * first[m][bad] / weight, int(bad.sum()))
        step[bad] = _uphill(curvature[..., bad], product, score[bad], active.keep[:, bad])
    decrement = np.where(bad, np.inf, (score * step).sum(axis=1))
    moves = (step[:, place] @ columns.T for columns, place in zip(data.columns, data.places, strict=True))
    allowed = [LONGEST] * len(data.parts) + [LONGEST_SHARED] * len(data.parameters)
    longest = np.max([np.abs(move).max(axis=1) / most for move, most in zip(moves, allowed, strict=True)], axis=0)
    return value, step / np.maximum(longest, 1.0)[:, None], decrement


def _uphill(curvature: Array, product: Array, score: Array, keep: Flags) -> Array:
    """Return steps with as little of the first derivatives' product added as makes the curvature that of a maximum."""
    step = np.full(score.shape, np.nan)
    left = np.arange(len(score))
    for share in (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0):
        matrix = curvature[..., left] + share * product[..., left]
        found, unexplained = solve_normal(matrix, score[left].T[:, None], keep[:, left], LEAST)
        good = definite(unexplained, LEAST) & ((np.einsum("jjr->jr", matrix) > 0) | ~keep[:, left]).all(axis=0)
        step[left[good]] = found[:, 0, good].T
        left = left[~good]
    return step


def _curvature(data: Regression, weights_of: object, count: int) -> Array:
    """Assemble the matrix of all coefficients from the weights of each pair of predictors, (P, P, R)."""
    out = np.empty((data.places[-1].stop, data.places[-1].stop, count))
    for first, second in data.products:
        block = _gram(data, first, second, weights_of(first, second))  # type: ignore[operator]
        out[data.places[first], data.places[second]] = block
        if first != second:
            out[data.places[second], data.places[first]] = block.transpose(1, 0, 2)
    return out


def _verdicts(data: Regression, active: _Sums, theta: Array, step: Array, decrement: Array) -> NDArray[np.object_]:
    """Verdict on each replicate at its present values."""
    verdict = np.full(len(step), RUNNING, dtype=object)
    verdict[decrement <= DECREMENT] = CONVERGED
    near = (decrement <= LEFT * active.w.sum(axis=1)) & (np.abs(step).max(axis=1) > LEAST_MOVE)
    for r in np.flatnonzero(near):
        rows = active.w[r] > 0
        moved = np.concatenate(
            [np.abs(columns[rows] @ step[r, place]) for columns, place in zip(data.columns, data.places, strict=True)]
        )
        verdict[r] = _ENDLESS if moved.max() > MOVES and ((moved > MOVES) | (moved < STAYS)).all() else RUNNING
    verdict[~np.isfinite(step).all(axis=1)] = SINGULAR
    return verdict
