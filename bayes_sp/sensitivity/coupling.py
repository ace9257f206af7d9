"""How much each path effect depends on kappa, the one number that no data can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.analysis.provenance import provenance
from bayes_sp.effects.paths import check_kappa
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE
from bayes_sp.sensitivity.target import Finding, Target, estimate_of, viewed_fit
from bayes_sp.shown import Part, Shown, short

KAPPAS = tuple(i / 10 for i in range(11))
ROUNDING = 1e-9  # of the width of an interval
NUMBERS = ("mean", "median", "sd", "lower", "upper", "prob_negative")
BAND_COLUMNS = ("path", "scale", "decomposition", "lowest_median", "highest_median", "lower", "upper", "one_side")


@dataclass(frozen=True, eq=False, repr=False)
class KappaCurve(Shown):
    """Every path effect as a function of kappa, from the same draws.

    Attributes
    ----------
    table
        One row for each kappa, path, scale and decomposition: columns of ``effects.csv`` without those on convergence.
    target
        The effect that the conclusion is about.
    attrs
        Seed, versions, data digest, what the records are, specification.
    model
        The specification.
    """

    table: pd.DataFrame
    target: Target
    attrs: dict[str, object]
    model: PathModel

    @property
    def dataset(self) -> xr.Dataset:
        """Mean, median, SD, limits and P(< 0) with dims (kappa, path, scale, decomposition)."""
        keys = ["kappa", "path", "scale", "decomposition"]
        found = self.table.set_index(keys)[list(NUMBERS)].to_xarray()
        order = {name: list(dict.fromkeys(self.table[name])) for name in keys}
        return found.reindex(order).assign_attrs(self.attrs)

    @cached_property
    def band(self) -> pd.DataFrame:
        """The range of each effect over kappa: of its median, and from the lowest lower to the highest upper limit.

        ``one_side``: whether the interval lies on one side of no effect for every kappa.
        """
        rows = []
        for (path, scale, decomposition), own in self.table.groupby(["path", "scale", "decomposition"], sort=False):
            null = Target(str(path), str(scale)).null
            one_side = bool((own["lower"] > null).all() or (own["upper"] < null).all())
            medians, lower, upper = own["median"], own["lower"].min(), own["upper"].max()
            rows.append((path, scale, decomposition, medians.min(), medians.max(), lower, upper, one_side))
        return pd.DataFrame(rows, columns=list(BAND_COLUMNS))

    def moves(self, path: str) -> bool:
        """Whether an effect, on the target's scale, depends on kappa at all, beyond rounding."""
        own = self.band[(self.band["path"] == path) & (self.band["scale"] == self.target.scale)]
        return bool((own["highest_median"] - own["lowest_median"] > ROUNDING * (own["upper"] - own["lower"])).any())

    def findings(self) -> list[Finding]:
        """Return what the target's effect is at each kappa; one finding where kappa does not move it at all."""
        if not self.moves(self.target.path):
            own = self.table[self.table["kappa"] == self.table["kappa"].iloc[-1]]
            return [Finding("kappa", "any kappa", estimate_of(own, self.target))]
        return [
            Finding("kappa", f"kappa = {kappa:g}", estimate_of(own, self.target))
            for kappa, own in self.table.groupby("kappa", sort=False)
        ]

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.attrs['data_source']}. Over kappa from {self.table['kappa'].min():g} "
        head += f"to {self.table['kappa'].max():g}; limits of {100 * float(self.table['ci_prob'].iloc[0]):g} %."
        own = self.band[(self.band["scale"] == self.target.scale) & (self.band["decomposition"] != ALONE)]
        return head, [short(own, [name for name in BAND_COLUMNS if name not in ("scale", "decomposition")], len(own))]


def kappa_curve(
    fit: Conditioned, kappas: Sequence[float] = KAPPAS, *, target: Target | None = None, ci_prob: float = CI_PROB
) -> KappaCurve:
    r"""Return every path effect for each kappa, exactly given the draws: nothing is fitted again.

    kappa couples a mediator's two worlds: the correlation of a normal mediator's errors, the weight of equal ranks
    against independent ranks for one with levels. Under a log link, two normal mediators and no interaction, it adds
    :math:`(\kappa - 1)\, b_1 b_2 d\, \sigma_1^2` to the step that splits the worlds of the first mediator and takes
    it away where they rejoin: it moves the split between paths, never the total. Under an identity link it does
    nothing.

    Parameters
    ----------
    fit
        A posterior with its records.
    kappas
        From 0 to 1.
    target
        The effect that `KappaCurve.findings` are about; by default the serial path's difference.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    KappaCurve

    Raises
    ------
    ValueError
        For no kappa, one given twice, or one outside [0, 1].

    References
    ----------
    Daniel, De Stavola, Cousens & Vansteelandt (2015), Biometrics 71, 1-14. doi:10.1111/biom.12248
    """
    values = [float(kappa) for kappa in kappas]
    for kappa in values:
        check_kappa(kappa)
    if not values or len(set(values)) < len(values):
        raise ValueError(f"kappas must be different numbers between 0 and 1, one at least, found {values}")
    fit, target = viewed_fit(fit, target)
    tables = [fit.effects(kappa=kappa).intervals(ci_prob) for kappa in values]
    table = pd.concat(tables, ignore_index=True)
    keys = ["kappa", "path", "scale", "decomposition"]
    table = table[[*keys, *(name for name in table.columns if name not in keys)]]
    attrs: dict[str, object] = {**provenance(fit), "kappas": np.array(values)}
    return KappaCurve(table, target, attrs, fit.model)
