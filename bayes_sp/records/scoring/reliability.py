r"""How reliable a score is, from the answers of those who answered every item.

**Cronbach's alpha** of k items with variances :math:`s_j^2` and variance of their sum :math:`s^2`:
:math:`\alpha = \frac{k}{k-1} (1 - \sum_j s_j^2 / s^2)`. Its interval is that of Feldt, Woodruff and Salih (1987): for n
persons :math:`(1 - \alpha) / (1 - \hat\alpha)` has the distribution F(n - 1, (n - 1)(k - 1)) inverted, so that the
limits are :math:`1 - (1 - \hat\alpha) F_{1 - a/2}` and :math:`1 - (1 - \hat\alpha) F_{a/2}`. It is exact for normal
answers of which all items have one variance and one covariance, and close for others.

**McDonald's omega** of one factor with loadings :math:`\lambda_j` and unique variances :math:`\psi_j`, in the units of
the items: :math:`\omega = (\sum \lambda_j)^2 / ((\sum \lambda_j)^2 + \sum \psi_j)`. The factor is fitted by maximum
likelihood (Joreskog 1967): with R the correlation matrix and :math:`\theta_1 > \dots > \theta_k` the eigenvalues of
:math:`\Psi^{-1/2} R \Psi^{-1/2}` the uniquenesses minimise :math:`\sum_{j > 1} (\theta_j - 1 - \log \theta_j)`.

References
----------
Cronbach (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16, 297-334.
doi:10.1007/BF02310555

Feldt, Woodruff, Salih (1987). Statistical inference for coefficient alpha. Applied Psychological Measurement 11(1),
93-103. doi:10.1177/014662168701100107

McDonald (1999). Test theory: a unified treatment. Erlbaum, chapter 6.

Joreskog (1967). Some contributions to maximum likelihood factor analysis. Psychometrika 32, 443-482.
doi:10.1007/BF02289658
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from bayes_sp.arrays import Array

LEAST_UNIQUE = 0.005  # uniqueness of an item, as a share of its variance; at it the factor has no proper maximum
LEAST_ITEMS_OF_FACTOR = 3  # with two the loadings are not determined
PROBABILITY = 0.95
AGAINST = 0.1  # correlation of an item with the others, below 0, that is pointed at


@dataclass(frozen=True)
class Reliability:
    """How reliable the score of some items is."""

    # alpha, lower, upper: Cronbach's alpha, and the limits of its 95 % interval.
    alpha: float
    lower: float
    upper: float
    # McDonald's omega; None where one factor is not determined (two items) or has no proper maximum.
    omega: float | None
    # persons, items: how many answered every item, and how many items there are.
    persons: int
    items: int

    def sentence(self) -> str:
        """Return the numbers as a sentence."""
        omega = "omega is not determined" if self.omega is None else f"omega (one factor) {self.omega:.2f}"
        return (
            f"alpha {self.alpha:.2f} (95 % interval {self.lower:.2f} to {self.upper:.2f}, Feldt 1987), {omega}, from "
            f"the {self.persons} who answered all {self.items} items"
        )


def reliability(items: Array) -> Reliability | None:
    """Return how reliable the score of items (n, k) is, all turned the same way; NaN where there is no answer.

    None where it cannot be said: fewer than two items, fewer than three persons who answered all, or an item or a sum
    that does not vary.
    """
    complete = items[~np.isnan(items).any(axis=1)]
    persons, k = complete.shape
    if k < 2 or persons < 3:
        return None
    covariance = np.cov(complete, rowvar=False)
    spread, total = np.diag(covariance), float(covariance.sum())
    if not (spread > 0).all() or not total > 1e-12 * spread.sum():
        return None
    alpha = k / (k - 1) * (1.0 - float(spread.sum()) / total)
    tail = (1.0 - PROBABILITY) / 2
    high, low = (float(fdtri(persons - 1, (persons - 1) * (k - 1), q)) for q in (1 - tail, tail))
    return Reliability(alpha, 1 - (1 - alpha) * high, 1 - (1 - alpha) * low, _omega(covariance), persons, k)


def against_others(items: Array) -> tuple[int, ...]:
    """Return the places of items (n, k) that go against the sum of the others, as items turned the wrong way do.

    Beyond chance: r < -0.1 and r < -2 / sqrt(n).
    """
    complete = items[~np.isnan(items).any(axis=1)]
    persons, k = complete.shape
    if k < LEAST_ITEMS_OF_FACTOR or persons < 3:
        return ()
    rest = complete.sum(axis=1, keepdims=True) - complete
    spread = complete.std(axis=0) * rest.std(axis=0)
    together = ((complete - complete.mean(axis=0)) * (rest - rest.mean(axis=0))).mean(axis=0)
    least = max(AGAINST, 2.0 / np.sqrt(persons))
    return tuple(map(int, np.flatnonzero((spread > 0) & (together < -least * spread))))


def _omega(covariance: Array) -> float | None:
    """Return McDonald's omega of one factor, None where it has no proper maximum."""
    k, sd = len(covariance), np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    if k < LEAST_ITEMS_OF_FACTOR or np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return None
    from scipy.optimize import minimize  # 0.2 s that a fit does without

    start = np.clip(1.0 / np.diag(np.linalg.inv(correlation)), 0.05, 1.0)
    found = minimize(
        _discrepancy, start, args=(correlation,), jac=True, method="L-BFGS-B", bounds=[(LEAST_UNIQUE, 1.0)] * k,
        options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    unique = found.x
    if (unique <= LEAST_UNIQUE * (1 + 1e-6)).any():
        return None
    loadings = _loadings(unique, correlation) * sd
    common = float(loadings.sum()) ** 2
    return common / (common + float((unique * sd**2).sum()))


def _discrepancy(unique: Array, correlation: Array) -> tuple[float, Array]:
    """Return what maximum likelihood minimises, given uniquenesses, and its slopes."""
    values, vectors = np.linalg.eigh(correlation / np.sqrt(np.outer(unique, unique)))
    rest, others = values[:-1], vectors[:, :-1]
    slopes = ((1.0 - rest) * others**2).sum(axis=1) / unique  # d theta_j / d psi_i = -theta_j v_ij^2 / psi_i
    return float((rest - 1.0 - np.log(rest)).sum()), slopes


def _loadings(unique: Array, correlation: Array) -> Array:
    """Return the loadings of one factor given uniquenesses."""
    values, vectors = np.linalg.eigh(correlation / np.sqrt(np.outer(unique, unique)))
    loadings = np.sqrt(unique) * vectors[:, -1] * np.sqrt(max(values[-1] - 1.0, 0.0))
    return np.asarray(loadings * np.sign(loadings.sum()))
