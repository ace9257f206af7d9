r"""Equations that share true values measured with error, fitted together by maximum likelihood.

With the true value t ~ N(eta, sigma^2), its measurement y ~ N(t, s^2) and later responses that depend on t, a patient's
likelihood is

.. math:: N(y | \eta, \sigma^2 + s^2) \int N(t | \hat t, v) \prod_c p(y_c | t) dt,

where the true value given its measurement has the mean eta + r (y - eta) and the variance v = s^2 r,
r = sigma^2 / (sigma^2 + s^2). The integral is taken by Gauss-Hermite quadrature about the mode of what is integrated,
with the width that its curvature has there, which is exact where every later response is normal.

References
----------
Carroll, Ruppert, Stefanski & Crainiceanu (2006). Measurement Error in Nonlinear Models, chapter 8.
Liu & Pierce (1994). Biometrika 81, 624-629. doi:10.1093/biomet/81.3.624
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from bayes_sp.arrays import Array
from bayes_sp.design.build import design_values, product_of
from bayes_sp.design.design import Design
from bayes_sp.inference.likelihood.latent_rows import integrated_rows
from bayes_sp.inference.likelihood.maximum import Fits, Regression
from bayes_sp.inference.likelihood.predictors import LONGEST, Predictors
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import predictors_of

NO_MAXIMUM = "no maximum found (taking off the error of measurement leaves a residual variance near or below 0)"
NODES = 9
_LOOKS, _FARTHEST = 4, 2.0  # Newton steps to a patient's mode, and the longest of them in SDs


@dataclass(frozen=True, eq=False)
class Later:
    """An equation that sees the true value, among those fitted together."""

    regression: Regression  # with the measurement in place of the true value
    start: int  # place of its first parameter among all
    # spans, slopes: for the mean and, where there is one, the zero part: which of its parameters are slopes of the true
    # value, and what one unit of the true value changes in their columns, (n, p).
    spans: tuple[slice, ...]
    slopes: tuple[Array, ...]

    @property
    def own(self) -> slice:
        """Place of its parameters among all."""
        return slice(self.start, self.start + len(self.regression.start))


@dataclass(frozen=True, eq=False)
class Together(Predictors):
    """An equation of true values (first) and the later ones that see them.

    Predictors are eta and log sigma of the first; then, equation by equation, each of its own and the slopes of the
    true value in them.
    """

    first: Regression
    later: tuple[Later, ...]

    @property
    def response(self) -> str:
        """Names of the responses."""
        return ", ".join(regression.response for regression, _ in self.members)

    @property
    def width(self) -> int:
        """Numbers of a patient that derivatives take."""
        return len(self.columns) ** 2 + NODES * len(self._numbers[0]) ** 2

    @cached_property
    def members(self) -> tuple[tuple[Regression, slice], ...]:
        """Every equation, and the place of its parameters."""
        return ((self.first, slice(0, len(self.first.start))), *((each.regression, each.own) for each in self.later))

    @cached_property
    def beginning(self) -> Array:
        """Starting values, (P,): those of each equation by itself."""
        return np.concatenate([regression.start for regression, _ in self.members])

    @cached_property
    def steps(self) -> tuple[np.ndarray, ...]:
        """Columns of each monotonic effect, which must not differ in sign."""
        return tuple(place.start + own for regression, place in self.members for own in regression.steps)

    @cached_property
    def columns(self) -> tuple[Array, ...]:
        """Columns of every predictor, (n, p_l) each."""
        later = ((*each.regression.columns, *each.slopes) for each in self.later)
        return (*self.first.columns, *(columns for own in later for columns in own))

    @cached_property
    def places(self) -> tuple[slice, ...]:
        """Place of every predictor's parameters among all of them."""
        found = list(self.first.places)
        for each in self.later:
            places = (*each.regression.places, *each.spans)
            found += [slice(each.start + place.start, each.start + place.stop) for place in places]
        return tuple(found)

    @cached_property
    def longest(self) -> tuple[float, ...]:
        """Longest step of every predictor."""
        later = ((*each.regression.longest, *[LONGEST] * len(each.slopes)) for each in self.later)
        return (*self.first.longest, *(most for own in later for most in own))

    @cached_property
    def _numbers(self) -> tuple[list[int], list[int]]:
        """Number of each later predictor among all, and of the slope in it, -1 for none."""
        own: list[int] = []
        slopes: list[int] = []
        start = self.first.predictors
        for each in self.later:
            count, parts = each.regression.predictors, len(each.slopes)
            own += range(start, start + count)
            slopes += [*range(start + count, start + count + parts), *[-1] * (count - parts)]
            start += count + parts
        return own, slopes

    def derivatives(self, theta: Array, w: Array) -> tuple[Array, Array, Array]:
        """Return weighted log-likelihoods (R,), and derivatives by the predictors, (L, R, n) and (L, L, R, n)."""
        (eta,) = self.first.linear(theta[:, self.members[0][1]])
        log_sigma, error = theta[:, self.members[0][1].stop - 1], float(self.first.known[0])
        sigma = np.exp(log_sigma)
        by_itself, ones, twos = self.first.at_rows(self.first.y, w, eta, eta, theta[:, self.members[0][1]])
        first, second = (
            np.zeros((len(self.columns), *w.shape)),
            np.zeros((len(self.columns), len(self.columns), *w.shape)),
        )
        first[:2], second[:2, :2] = ones, twos
        ratio = (sigma**2 / (sigma**2 + error**2))[:, None]
        residual = self.first.y - eta
        middle, spread = -(1.0 - ratio) * residual, error * np.sqrt(ratio)
        used = (w > 0).astype(float)
        sizes = self._slopes(theta)
        linear = [each.regression.linear(theta[:, each.own]) for each in self.later]

        def later(z: Array) -> tuple[Array, Array, Array]:
            return self._later(theta, used, middle[..., None] + spread[..., None] * z, sizes, linear)

        z, share, integral, ones, twos = _nodes(later, sizes * spread)
        own, slopes = (np.array(each, dtype=np.int64) for each in self._numbers)
        integrated_rows(w, residual, sigma, error, z, share, own, slopes, sizes, ones, twos, first, second)
        return (by_itself + w * integral).sum(axis=1), first, second

    def _slopes(self, theta: Array) -> Array:
        """Return what one unit of the true value adds to each later predictor, (T, R, n)."""
        found = np.zeros((len(self._numbers[0]), len(theta), len(self.first.y)))
        for t, number in enumerate(self._numbers[1]):
            if number >= 0:
                found[t] = theta[:, self.places[number]] @ self.columns[number].T
        return found

    def _later(
        self, theta: Array, used: Array, u: Array, sizes: Array, linear: list[list[Array]]
    ) -> tuple[Array, Array, Array]:
        """Return the later equations' log-likelihoods with true values u above the measurements, u (R, n, K).

        With their derivatives by each later predictor, (R, n, K), (T, R, n, K) and (T, T, R, n, K). ``linear`` are the
        predictors with the measurements.
        """
        count, nodes = len(sizes), u.shape[-1]
        value, ones, twos = np.zeros(u.shape), np.zeros((count, *u.shape)), np.zeros((count, count, *u.shape))
        flat = (len(u), u.shape[1] * nodes)
        weights, t = np.repeat(used, nodes, axis=1), 0
        for each, known in zip(self.later, linear, strict=True):
            own, last = theta[:, each.own], t + each.regression.predictors
            moved = [(eta[..., None] + sizes[t + k][..., None] * u).reshape(flat) for k, eta in enumerate(known)]
            y = np.repeat(each.regression.y, nodes)
            found = each.regression.at_rows(y, weights, moved[0], moved[-1], own)
            value += found[0].reshape(u.shape)
            ones[t:last] = found[1].reshape(-1, *u.shape)
            twos[t:last, t:last] = found[2].reshape(last - t, last - t, *u.shape)
            t = last
        return value, ones, twos


def _nodes(later: Callable[[Array], tuple[Array, Array, Array]], along: Array) -> tuple[Array, ...]:
    """Place nodes about each patient's mode.

    ``later`` gives log-likelihoods and derivatives of the later equations at nodes z, in SDs of the true value given
    its measurement; one such SD adds ``along`` to each later predictor, (T, R, n). Returns nodes and their parts in the
    integral, (R, n, K), the log-integrals, (R, n), and the derivatives at the nodes.
    """
    z, width = np.zeros(along.shape[1:]), np.ones(along.shape[1:])
    for _ in range(_LOOKS):
        _, ones, twos = later(z[..., None])
        slope = np.einsum("trn,trn->rn", along, ones[..., 0]) - z
        bend = np.einsum("trn,vrn,tvrn->rn", along, along, twos[..., 0])
        width = 1.0 / np.sqrt(1.0 - np.minimum(bend, 0.0))
        z = z + np.clip(slope * width**2, -_FARTHEST, _FARTHEST)
    x, weights = hermegauss(NODES)
    nodes = z[..., None] + width[..., None] * x
    value, ones, twos = later(nodes)
    value += np.log(weights / np.sqrt(2.0 * np.pi)) + 0.5 * (x**2 - nodes**2) + np.log(width)[..., None]
    most = value.max(axis=-1, keepdims=True)
    parts = np.exp(value - most)
    total = parts.sum(axis=-1, keepdims=True)
    return nodes, parts / total, (most + np.log(total))[..., 0], ones, twos


type Block = tuple[Regression | Together, tuple[int, ...]]


def together(model: PathModel, data: Sequence[Regression], design: Design) -> tuple[Block, ...]:
    """Return what is fitted at once, single equations or those that share a true value, with their numbers."""
    found: list[Block] = []
    for j, equation in enumerate(model.equations):
        later = [k for k, other in enumerate(model.equations) if equation.response in other.parents]
        if FAMILIES[equation.family].latent and later:
            ends = list(accumulate([len(data[k].start) for k in (j, *later)]))
            members = tuple(
                _later(data[k], end, _changes(model, design, k, equation.response))
                for k, end in zip(later, ends[:-1], strict=True)
            )
            found.append((Together(data[j], members), (j, *later)))
    taken = {k for _, numbers in found for k in numbers}
    return (*((one, (j,)) for j, one in enumerate(data) if j not in taken), *found)


def _changes(model: PathModel, design: Design, j: int, name: str) -> list[dict[str, Array]]:
    """Return, for the mean and for a zero part, the terms of equation j that hold a variable, and what its unit adds.

    That is the product of a term's other factors, (n,).
    """
    values = design_values(design)
    return [
        {t.name: product_of(t.without(name).factors, values, design.n) for t in predictor.terms if name in t.variables}
        for predictor in predictors_of(model, model.equations[j])
    ]


def _later(regression: Regression, start: int, by_part: Sequence[Mapping[str, Array]]) -> Later:
    """Return an equation with the columns that a true value changes, each by so much a unit."""
    spans, slopes = [], []
    for part, place, changes in zip(regression.parts, regression.places, by_part, strict=False):
        numbers = [k for k, term in enumerate(part.terms) if term in changes]
        span = slice(min(numbers), max(numbers) + 1) if numbers else slice(0, 0)
        columns = np.zeros(part.x.shape)
        for k in numbers:
            columns[:, k] = changes[part.terms[k]] / part.scale[k]
        spans.append(slice(place.start + span.start, place.start + span.stop))
        slopes.append(np.ascontiguousarray(columns[:, span]))
    return Later(regression, start, tuple(spans), tuple(slopes))


def apart(fits: Fits, place: slice) -> Fits:
    """Return the fits of one of the equations that were fitted together."""
    kept, direction = fits.kept[:, place], fits.direction[:, place]
    return Fits(fits.theta[:, place], direction, fits.log_likelihood, kept, fits.reason)
