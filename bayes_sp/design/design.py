"""Design arrays: what a path model's equations see of a survey, as plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array, Codes, Mask
from bayes_sp.model.parts import Coding


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Design:
    """Arrays of a chain exposure -> mediators -> outcome for n patients, K mediators, q covariate columns."""

    # exposure, mediators, outcome: names of the variables in the order of the chain.
    exposure: str
    mediators: tuple[str, ...]
    outcome: str
    families: tuple[str, ...]  # family of each equation, mediators in order, then the outcome: (K + 1,)
    x: Array  # exposure in its own unit, (n,)
    y: Array  # responses in their own units: mediators in order, then the outcome, (n, K + 1)
    w: Array  # covariates after their fixed transforms, (n, q)
    covariate_terms: tuple[str, ...]  # names of the columns of ``w``, such as ``education[2]``, (q,)
    edges_exposure: NDArray[np.bool_]  # whether the exposure is a parent of equation j, (K + 1,)
    # Whether mediator k is a parent of equation j, (K + 1, K); False wherever k >= j.
    edges_mediators: NDArray[np.bool_]
    contrast: tuple[float, float]  # the two exposure values that effects compare, (u0, u1)
    # Column -> which patients' cells are missing, (n,); columns without missing cells are left out. The arrays hold NaN
    # there.
    missing: dict[str, Mask] = field(default_factory=dict)
    coding: dict[str, Coding] = field(default_factory=dict)  # response -> how its family sees it
    # Grouping column -> (number of each patient's group (n,), the groups' labels).
    groups: dict[str, tuple[Codes, tuple[str, ...]]] = field(default_factory=dict)
    offsets: dict[str, Array] = field(default_factory=dict)  # response -> log(window / reference) of each patient, (n,)
    # Response -> the specification's shift of its missing values, (n,): 0 where the response is observed. Responses
    # without a missing cell or without a shift are left out.
    shifts: dict[str, Array] = field(default_factory=dict)
    # Response measured with error -> the error's SD, in the response's unit.
    measurement_sd: dict[str, float] = field(default_factory=dict)
    # Covariate with missing cells of which the specification names no levels, and whose other cells have two values
    # only -> those two.
    pairs: dict[str, tuple[float, ...]] = field(default_factory=dict)
    dropped: int = 0  # how many records with missing cells were left out

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.x)

    @property
    def responses(self) -> tuple[str, ...]:
        """Names of the equations' responses, mediators first, outcome last."""
        return (*self.mediators, self.outcome)

    @property
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return not self.missing

    def coded(self, j: int) -> Array:
        """Return equation j's response as its family sees it, (n,): ordered levels from 0, positions in (0, 1)."""
        coding = self.coding.get(self.responses[j], Coding())
        return np.asarray(coding.coded(self.y[:, j]))

    def offset(self, response: str) -> Array | None:
        """Return what a response's mean predictor has beside coefficients, (n,): window and shift; None for nothing."""
        window, shift = self.offsets.get(response), self.shifts.get(response)
        return window if shift is None else shift if window is None else window + shift

    def taken(self, index: Codes) -> Design:
        """Return the design of these patients, or of these rows where a patient stands more than once."""
        missing = {name: mask[index] for name, mask in self.missing.items()}
        return replace(
            self,
            x=self.x[index],
            y=self.y[index],
            w=self.w[index],
            missing={name: mask for name, mask in missing.items() if mask.any()},
            groups={name: (codes[index], labels) for name, (codes, labels) in self.groups.items()},
            offsets={name: values[index] for name, values in self.offsets.items()},
            shifts={name: values[index] for name, values in self.shifts.items()},
        )
