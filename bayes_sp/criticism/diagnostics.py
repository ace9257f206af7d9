"""Can the draws be trusted? Numbers for every parameter and every effect, and one verdict."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.effects.convergence import Array, energy_bfmi
from bayes_sp.effects.summary import convergence
from bayes_sp.model.options import ESS_LIMIT, PARETO_K_LIMIT, shortfall
from bayes_sp.names import DIAGNOSTIC_COLUMNS, VARYING
from bayes_sp.shown import html

RHAT_LIMIT = 1.01
BFMI_LIMIT = 0.3
LEAST_BEYOND = 15  # patients beyond parameters: see `patients_beyond`


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a fit can be trusted, and the numbers behind it.

    Attributes
    ----------
    trustworthy
        Whether every threshold is met: R-hat <= 1.01, bulk and tail ESS >= 400 for every parameter and every effect,
        no effect whose mean lies outside its 95 % interval, no divergences, E-BFMI > 0.3 in every chain; for
        independent draws from a Laplace approximation Pareto k <= 0.7, importance ESS >= 400 and 15 patients more than
        parameters in every equation instead of R-hat, divergences and E-BFMI.
    reasons
        One sentence for each threshold that is missed; empty when trustworthy.
    numbers
        The extremes: ``r_hat``, ``ess_bulk``, ``ess_tail``, ``divergences`` and ``e_bfmi``, or ``pareto_k`` and
        ``importance_ess``.
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
        ess = f"bulk ESS at least {n['ess_bulk']:,.0f}, tail ESS at least {n['ess_tail']:,.0f}"
        if "pareto_k" in n:
            importance = f"importance ESS {n['importance_ess']:,.0f}"
            found = f"Laplace approximation with Pareto k {n['pareto_k']:.2f}, {importance}, {ess}"
        else:
            sampler = f"{n['divergences']:.0f} divergences, E-BFMI at least {n['e_bfmi']:.2f}"
            found = f"R-hat at most {n['r_hat']:.3f}, {ess}, {sampler}"
        if self.trustworthy:
            return f"The fit passes every check: {found}."
        return f"DO NOT USE THESE RESULTS: {'; '.join(self.reasons)}."

    def __repr__(self) -> str:
        return f"Verdict({self})"

    def _repr_html_(self) -> str:
        word = "Trustworthy" if self.trustworthy else "Not trustworthy"
        return html(str(self), strong=f"{word}.")


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
    numbers = {
        "r_hat": float(table["r_hat"].max()),
        "ess_bulk": float(table["ess_bulk"].min()),
        "ess_tail": float(table["ess_tail"].min()),
    }
    resampled = "pareto_k" in posterior.attrs
    if resampled:
        numbers |= {name: float(posterior.attrs[name]) for name in ("pareto_k", "importance_ess")}
        method_reasons = [*_approximation_reasons(numbers), *_few_patients(posterior.attrs)]
    else:
        stats = posterior["sample_stats"]
        bfmi = energy_bfmi(stats["energy"].transpose("chain", "draw").to_numpy())
        numbers |= {"divergences": float(stats["diverging"].sum()), "e_bfmi": float(bfmi.min())}
        method_reasons = list(_sampler_reasons(numbers, int(bfmi.argmin())))
    heavy = [name for name, values in effects.items() if _mean_is_outside(values)]
    chains, draws = (posterior["posterior"].sizes[dim] for dim in ("chain", "draw"))
    short = shortfall(chains, draws)
    with_r_hat = not resampled and chains > 1
    reasons = (
        *_heavy_tails(heavy),
        *([short] if short else []),
        *_reasons(table, with_r_hat=with_r_hat),
        *method_reasons,
    )
    return Verdict(not reasons, reasons, numbers, table[list(DIAGNOSTIC_COLUMNS)])


def _parameters(posterior: xr.Dataset) -> dict[str, Array]:
    """Return the draws of every scalar parameter by name, such as ``belonging_t1[group_change]``.

    Groups are numbered, ``visits_varying[1]`` being the first in their order: their names may say who is in them.
    """
    found: dict[str, Array] = {}
    for name, array in posterior.data_vars.items():
        (dim,) = [dim for dim in array.dims if dim not in ("chain", "draw")]
        draws = array.transpose("chain", "draw", dim).to_numpy()
        labels = array[dim].to_numpy()
        if str(name).endswith(VARYING):
            labels = np.arange(1, len(labels) + 1)
        found |= {f"{name}[{label}]": draws[..., i] for i, label in enumerate(labels)}
    return found


def _reasons(table: pd.DataFrame, *, with_r_hat: bool) -> Iterator[str]:
    """Yield one sentence for each threshold that is missed. A NaN misses its threshold."""
    for column, limit, noun, ok in (
        ("r_hat", f"above {RHAT_LIMIT}", "R-hat", table["r_hat"] <= RHAT_LIMIT),
        ("ess_bulk", f"below {ESS_LIMIT}", "bulk ESS", table["ess_bulk"] >= ESS_LIMIT),
        ("ess_tail", f"below {ESS_LIMIT}", "tail ESS", table["ess_tail"] >= ESS_LIMIT),
    ):
        if column == "r_hat" and not with_r_hat:
            continue  # independent draws have no chains to compare
        if ok.all():
            continue
        values = table[column].to_numpy()[~ok]
        badness = np.where(np.isnan(values), np.inf, values if column == "r_hat" else -values)
        worst = int(np.argmax(badness))
        digits = 3 if column == "r_hat" else 0
        constant = "not computable: a constant"
        value = constant if np.isnan(values[worst]) else f"{values[worst]:.{digits}f}"
        name = table["name"].to_numpy()[~ok][worst]
        yield f"{noun} {limit} for {len(values)} of {len(table)} quantities (worst: {name}, {value})"


def _mean_is_outside(values: Array) -> bool:
    """Whether the mean of draws lies outside their central 95 %: a few huge draws make it, and more would move it."""
    low, high = np.quantile(values, [0.025, 0.975])
    return not low <= values.mean() <= high


def _heavy_tails(names: list[str]) -> Iterator[str]:
    if names:
        yield (
            f"the mean of {len(names)} effects ({names[0]} first) lies outside its own 95 % interval: the tail is too "
            "heavy for a mean; use tighter priors, more records or a smaller contrast"
        )


def _sampler_reasons(numbers: Mapping[str, float], worst_chain: int) -> Iterator[str]:
    """Yield one sentence for each of NUTS' own thresholds that is missed."""
    if numbers["divergences"]:
        yield f"{numbers['divergences']:.0f} divergent transitions"
    if not numbers["e_bfmi"] > BFMI_LIMIT:
        yield f"E-BFMI {numbers['e_bfmi']:.2f}, not above {BFMI_LIMIT}, in chain {worst_chain}"


def _approximation_reasons(numbers: Mapping[str, float]) -> Iterator[str]:
    """Yield one sentence for each threshold of importance resampling that is missed."""
    if not numbers["pareto_k"] <= PARETO_K_LIMIT:
        yield f"Pareto k {numbers['pareto_k']:.2f}, above {PARETO_K_LIMIT}"
    if not numbers["importance_ess"] >= ESS_LIMIT:
        yield f"importance ESS {numbers['importance_ess']:.0f}, below {ESS_LIMIT}"


def _few_patients(attrs: Mapping[Hashable, Any]) -> Iterator[str]:
    """Yield a sentence where the posterior's tails may be too heavy for the proposals, out of Pareto k's sight."""
    if attrs.get("beyond", LEAST_BEYOND) < LEAST_BEYOND:
        yield (
            f"the Laplace approximation needs {LEAST_BEYOND} patients more than an equation has parameters, and "
            f'"{attrs["least_known"]}" has {attrs["beyond"]}; use --method nuts'
        )
