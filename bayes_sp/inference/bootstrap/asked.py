"""What else a bootstrap's replicates say: contrasts, effects in SDs of the outcome, the share that is indirect."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.effects.comparisons.contrasts import asked_contrasts
from bayes_sp.effects.comparisons.sizes import CLEAR, COMPLETE, NO_SD, PARTIAL
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.bootstrap.conditional import BootstrapConditional, numbers_of
from bayes_sp.inference.bootstrap.contrasts import contrast_table
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import AVERAGE, COEFFICIENT, DIFFERENCE, TOTAL, TOTAL_INDIRECT, name_parts


class AskedReplicates:
    """What a bootstrap's replicates say beside their table, by the rules of `bayes_sp.effects.comparisons`."""

    scales: tuple[str, ...]
    decompositions: tuple[str, ...]
    estimate: Array
    values: Array
    ci_prob: float
    likelihood: str
    sds: Mapping[str, float]
    conditional: BootstrapConditional | None
    model: PathModel | None

    @property
    def names(self) -> list[str]:
        """Names of the effects."""
        raise NotImplementedError

    def contrast(self, first: str, second: str) -> pd.DataFrame:
        """Return how two effects differ, by their names, one row a scale; see `bayes_sp.Fit.contrast`."""
        return self.contrasts({f"{first} less {second}": (first, second)})

    def contrasts(self, pairs: Mapping[str, tuple[str, str]] | None = None) -> pd.DataFrame:
        """Return how effects differ, two by two: ``pairs`` by name, or those of the specification."""
        if self.model is None:
            raise TypeError("contrasts are of a specification's effects, and this is a design alone")
        return contrast_table(self, asked_contrasts(self.model, pairs))

    def standardised(self) -> pd.DataFrame:
        """Return effects in SDs of the outcome among all patients: of a unit of the exposure, and of one SD of it.

        Columns ``path``, ``size`` (``partial``, ``complete``), estimate, percentile interval and its Monte Carlo error.

        Raises
        ------
        SpecificationError
            Where the outcome has no identity link.
        """
        if FAMILIES[self.likelihood].outcome != "identity":
            advice = "give the specification the contrast u0 to u0 + one SD, and bootstrap that"
            raise SpecificationError("bootstrap", [f"no standardised effects: {NO_SD}; {advice}"])
        linear = COEFFICIENT in self.scales
        estimate, values = (part / self.sds["outcome"] for part in self._average(COEFFICIENT if linear else DIFFERENCE))
        sizes = {PARTIAL: 1.0} | ({COMPLETE: self.sds["exposure"]} if linear and "exposure" in self.sds else {})
        labels = pd.DataFrame([(path, size) for size in sizes for path in self.names], columns=["path", "size"])
        estimate, values = (np.concatenate([part * k for k in sizes.values()], axis=-1) for part in (estimate, values))
        return labels.join(numbers_of(estimate, values, self.ci_prob))

    def proportion_mediated(self) -> pd.DataFrame:
        """Return the share of the total that is indirect, one row for each thing compared.

        Withheld, with the reason, unless more than .975 of the resamples' totals have one sign.
        """
        estimate, values = self._average(DIFFERENCE)
        rows, shares = [], []
        for place, name in enumerate(self.names):
            path, label = name_parts(name)
            if path != TOTAL_INDIRECT:
                continue
            total = next(k for k, other in enumerate(self.names) if name_parts(other) == (TOTAL, label))
            known = values[:, total][np.isfinite(values[:, total])]
            sign = max(float((known < 0).mean()), float((known > 0).mean())) if len(known) else 0.0
            why = "" if sign > CLEAR else f"the sign of the total holds in {sign:.3f} of resamples (needed: {CLEAR})"
            rows.append((name, why))
            with np.errstate(invalid="ignore", divide="ignore"):
                share = np.append(values[:, place], estimate[place]) / np.append(values[:, total], estimate[total])
            shares.append(np.full_like(share, np.nan) if why else share)
        table = np.stack(shares, axis=-1)
        labels = pd.DataFrame(rows, columns=["path", "withheld"])
        return labels.join(numbers_of(table[-1], table[:-1], self.ci_prob))

    def _average(self, scale: str) -> tuple[Array, Array]:
        """Return estimates (effect,) and replicates (replicates, effect) on a scale, averaged over orders."""
        k, d = self.scales.index(scale), self.decompositions.index(AVERAGE)
        return self.estimate[:, k, d], self.values[:, :, k, d]
