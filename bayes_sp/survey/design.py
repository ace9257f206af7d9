"""Design arrays: what a path model's equations see of a survey, as plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Design:
    """Arrays of a chain exposure -> mediators -> outcome for ``n`` patients, ``K`` mediators, ``q`` covariate columns.

    Attributes
    ----------
    exposure, mediators, outcome
        Names of the variables in the order of the chain.
    families
        Family of each equation, mediators in order, then the outcome: (K + 1,).
    x
        Exposure in its own unit, (n,).
    y
        Responses in their own units: mediators in order, then the outcome, (n, K + 1).
    w
        Covariates after their fixed transforms, (n, q).
    covariate_terms
        Names of the columns of ``w``, such as ``education[2]``, (q,).
    edges_exposure
        Whether the exposure is a parent of equation j, (K + 1,).
    edges_mediators
        Whether mediator k is a parent of equation j, (K + 1, K); False wherever k >= j.
    contrast
        The two exposure values that effects compare, (u0, u1).
    """

    exposure: str
    mediators: tuple[str, ...]
    outcome: str
    families: tuple[str, ...]
    x: Array
    y: Array
    w: Array
    covariate_terms: tuple[str, ...]
    edges_exposure: NDArray[np.bool_]
    edges_mediators: NDArray[np.bool_]
    contrast: tuple[float, float]

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.x)

    @property
    def responses(self) -> tuple[str, ...]:
        """Names of the equations' responses, mediators first, outcome last."""
        return (*self.mediators, self.outcome)
