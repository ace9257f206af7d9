"""Can the draws be trusted? Numbers for every parameter and every effect, and one verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.effects.summary import Array, convergence
from bayes_sp.names import DIAGNOSTIC_COLUMNS

RHAT_LIMIT = 1.01
ESS_LIMIT = 400
BFMI_LIMIT = 0.3


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a fit can be trusted, and the numbers behind it.

    Attributes
    ----------
    trustworthy
        Whether every threshold is met: R-hat <= 1.01, bulk and tail ESS >= 400 for every parameter and every effect,
        no divergences, E-BFMI > 0.3 in every chain.
    reasons
        One sentence for each threshold that is missed; empty when trustworthy.
    numbers
        The extremes: ``r_hat``, ``ess_bulk``, ``ess_tail``, ``divergences``, ``e_bfmi``.
    table
        ``name, r_hat, ess_bulk, ess_tail, mcse_mean`` for every parameter and effect.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis 16(2). doi:10.1214/20-BA1221
    Betancourt (2016), arXiv:1604.00695 (E-BFMI).
    """

    trustworthy: bool
    reasons: tuple[str, ...]
    numbers: Mapping[str, float]
    table: pd.DataFrame

    def __str__(self) -> str:
        n = self.numbers
        found = (
            f"R-hat at most {n['r_hat']:.3f}, bulk ESS at least {n['ess_bulk']:,.0f}, tail ESS at least "
            f"{n['ess_tail']:,.0f}, {n['divergences']:.0f} divergences, E-BFMI at least {n['e_bfmi']:.2f}"
        )
        if self.trustworthy:
            return f"The fit passes every check: {found}."
        return f"DO NOT USE THESE RESULTS: {'; '.join(self.reasons)}."

    def _repr_html_(self) -> str:
        return f"<p><b>{'Trustworthy' if self.trustworthy else 'Not trustworthy'}.</b> {escape(str(self))}</p>"


def diagnose(posterior: xr.DataTree, effects: Mapping[str, Array]) -> Verdict:
    """Diagnose a posterior and the effects computed from it.

    Parameters
    ----------
    posterior
        Groups ``posterior`` and ``sample_stats`` with dims chain and draw.
    effects
        Draws of each effect by name, (chain, draw).

    Returns
    -------
    Verdict
    """
    quantities = {**_parameters(posterior["posterior"].to_dataset()), **effects}
    table = convergence(np.stack(list(quantities.values()), axis=-1))
    table.insert(0, "name", list(quantities))
    energy = np.atleast_1d(az.bfmi(posterior)["energy"].to_numpy())
    divergences = int(posterior["sample_stats"]["diverging"].sum())
    numbers = {
        "r_hat": float(table["r_hat"].max()),
        "ess_bulk": float(table["ess_bulk"].min()),
        "ess_tail": float(table["ess_tail"].min()),
        "divergences": divergences,
        "e_bfmi": float(energy.min()),
    }
    reasons = tuple(_reasons(table, divergences, energy))
    return Verdict(not reasons, reasons, numbers, table[list(DIAGNOSTIC_COLUMNS)])


def _parameters(posterior: xr.Dataset) -> dict[str, Array]:
    """Return the draws of every scalar parameter by name, such as ``belonging_t1[group_change]``."""
    found = {}
    for name, array in posterior.data_vars.items():
        (dim,) = [dim for dim in array.dims if dim not in ("chain", "draw")]
        for label in array[dim].to_numpy():
            found[f"{name}[{label}]"] = array.sel({dim: label}).to_numpy()
    return found


def _reasons(table: pd.DataFrame, divergences: int, energy: Array) -> Iterator[str]:
    """Yield one sentence for each threshold that is missed. A NaN misses its threshold."""
    for column, limit, noun, ok in (
        ("r_hat", f"above {RHAT_LIMIT}", "R-hat", table["r_hat"] <= RHAT_LIMIT),
        ("ess_bulk", f"below {ESS_LIMIT}", "bulk ESS", table["ess_bulk"] >= ESS_LIMIT),
        ("ess_tail", f"below {ESS_LIMIT}", "tail ESS", table["ess_tail"] >= ESS_LIMIT),
    ):
        if ok.all():
            continue
        values = table[column].to_numpy()[~ok]
        badness = np.where(np.isnan(values), np.inf, values if column == "r_hat" else -values)
        worst = int(np.argmax(badness))
        digits = 3 if column == "r_hat" else 0
        constant = "not computable: one chain, or a constant"
        value = constant if np.isnan(values[worst]) else f"{values[worst]:.{digits}f}"
        name = table["name"].to_numpy()[~ok][worst]
        yield f"{noun} {limit} for {len(values)} of {len(table)} quantities (worst: {name}, {value})"
    if divergences:
        yield f"{divergences} divergent transitions"
    if not (energy > BFMI_LIMIT).all():
        yield f"E-BFMI {energy.min():.2f}, not above {BFMI_LIMIT}, in chain {int(energy.argmin())}"
