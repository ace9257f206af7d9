r"""Zero-inflated means where the zero part is so steep that quadrature would meet a step.

With normal errors (eta, zeta) of the two linear predictors, E[e^eta / (1 + e^zeta)] = e^{E eta + V/2} P(Z + L < 0) with
Z ~ N(E zeta + C, V_zeta) and L standard logistic, independent. L adds a variance of pi^2/3 and a fourth cumulant of
2 pi^4/15, so that by Edgeworth's series

.. math:: P(Z + L < 0) = \Phi(u) - \phi(u) (u^3 - 3u) \kappa_4 / 24,
          \qquad u = -(E \zeta + C) / s, \; s^2 = V_\zeta + \pi^2/3, \; \kappa_4 = 2 \pi^4 / (15 s^4)

whose error is below 3e-6 for an SD of zeta of `STEEP` or more and falls with its sixth power.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain
from bayes_sp.effects.means.normal import NormalWorld, combine

STEEP = 8.0  # SD of the zero part's linear predictor


def below_zero(mean: Array, variance: Array) -> Array:
    """Return P(Z + L < 0) for Z ~ N(mean, variance) and L standard logistic, by the series."""
    total = variance + math.pi**2 / 3.0
    u = -mean / np.sqrt(total)
    fourth = 2.0 * math.pi**4 / 15.0 / total**2
    density = np.exp(-0.5 * u**2) / math.sqrt(2.0 * math.pi)
    return np.asarray(special.ndtr(u) - density * (u**3 - 3.0 * u) * fourth / 24.0)


def steep_batch(
    chain: Chain,
    parts: Sequence[NormalWorld],
    classes: tuple[NDArray[np.int64], list[Array]],
    counts: Array | None,
    other: Callable[[int, int, Array], Array],
) -> Callable[[int, int, Array], Array]:
    """Return the work on a batch of draws: the series for steep ones, ``other`` for the rest."""
    steep = np.min([part.cov[:, 2] for part in parts], axis=0) >= STEEP**2  # draws, in every world
    target = len(chain.mediators)

    def work(start: int, stop: int, baseline: Array) -> Array:
        """Return mean outcomes in every world, (worlds, stop - start)."""
        chosen = np.flatnonzero(steep[start:stop])
        out = other(start, stop, baseline) if len(chosen) < stop - start else np.empty((len(parts), stop - start))
        if not len(chosen):
            return out
        draws, own = start + chosen, baseline[:, chosen]
        linear = [[combine(own, target + t, weights[t, draws]) for t in range(2)] for weights in classes[1]]
        for place, part in enumerate(parts):
            eta, zeta = linear[classes[0][place]]
            variance, shared, zero_variance = part.cov[draws].T[:, :, None]
            mean = np.exp(eta + part.shift[0, draws, None] + 0.5 * variance)
            mean = mean * below_zero(zeta + part.shift[1, draws, None] + shared, zero_variance)
            out[place, chosen] = mean.mean(axis=1) if counts is None else mean @ counts / len(counts)
        return out

    return work
