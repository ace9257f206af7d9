"""Can the draws be trusted? Numbers for every parameter and every effect, and one verdict."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.criticism.means import mean_cautions, means_of
from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.convergence import energy_bfmi
from bayes_sp.effects.existence import mean_bound, spread_cause
from bayes_sp.effects.summary import converged
from bayes_sp.inference.options import ESS_LIMIT, LEAST_RELIABILITY, PARETO_K_LIMIT, R_HAT_LIMIT, shortfall
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import DIAGNOSTIC_COLUMNS, VARYING
from bayes_sp.safe_text import html
from bayes_sp.shown import in_lines

BFMI_LIMIT = 0.3
DIVERGENT_LIMIT = 1 / 2000  # share of draws
LEAST_BEYOND = 15  # patients beyond parameters: see `patients_beyond`


class Limits(NamedTuple):
    """Largest R-hat, least bulk and tail ESS of every parameter and effect, and largest share of divergent draws."""

    r_hat: float = R_HAT_LIMIT
    ess: int = ESS_LIMIT
    divergent: float = DIVERGENT_LIMIT


LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a fit can be trusted, and the numbers behind it.

    Attributes
    ----------
    trustworthy
        Whether medians and intervals can be used, because every threshold is met: R-hat <= 1.01, bulk and tail
        ESS >= 400 for every parameter and every effect, divergences in at most 1 of 2,000 draws (in none where another
        threshold is missed), E-BFMI > 0.3 in every chain; for draws of a Laplace approximation Pareto k <= 0.7,
        importance ESS >= 400 and 15 patients more than parameters in every equation instead of R-hat, divergences and
        E-BFMI.
    reasons
        One sentence for each threshold that is missed, and on measurements with a reliability below 0.5, which are
        then the likely cause; empty when trustworthy.
    numbers
        The extremes: ``r_hat``, ``ess_bulk``, ``ess_tail``, ``divergences`` and ``e_bfmi``, or ``pareto_k`` and
        ``importance_ess``; of the effects ``effect_pareto_k`` (of their draws' tails) and ``mean_gap`` (between mean
        and median, in widths of the 95 % interval); ``share_near_bound`` where a mean may not exist (`MeanBound`).
    table
        ``name, r_hat, ess_bulk, ess_tail, mcse_mean, mcse_median`` for every parameter and effect.
    cautions
        What a reader must know though medians and intervals can be used: means that do not exist, a few divergences.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis 16(2). doi:10.1214/20-BA1221
    Betancourt (2016), arXiv:1604.00695 (E-BFMI).
    """

    trustworthy: bool
    reasons: tuple[str, ...]
    numbers: Mapping[str, float]
    table: pd.DataFrame
    cautions: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether there is nothing to say against the fit."""
        return self.trustworthy and not self.cautions

    subject: ClassVar[str] = "fit"

    def _found(self) -> str:
        n = self.numbers
        ess = f"bulk ESS at least {n['ess_bulk']:,.0f}, tail ESS at least {n['ess_tail']:,.0f}"
        if "pareto_k" in n:
            importance = f"importance ESS {n['importance_ess']:,.0f}"
            return f"Laplace approximation with Pareto k {n['pareto_k']:.2f}, {importance}, {ess}"
        sampler = f"{n['divergences']:.0f} divergences, E-BFMI at least {n['e_bfmi']:.2f}"
        return f"R-hat at most {n['r_hat']:.3f}, {ess}, {sampler}"

    def __str__(self) -> str:
        cautions = "".join(f" BEWARE: {caution}." for caution in self.cautions)
        if self.clean:
            return f"The {self.subject} passes every check: {self._found()}."
        if self.trustworthy:
            return f"Medians and intervals of this {self.subject} can be used: {self._found()}.{cautions}"
        return f"DO NOT USE THESE RESULTS: {'; '.join(self.reasons)}.{cautions}"

    def __repr__(self) -> str:
        return "\n".join(in_lines(f"Verdict: {self}"))

    def _repr_html_(self) -> str:
        word = "Trustworthy" if self.clean else "Medians and intervals" if self.trustworthy else "Not trustworthy"
        return html(str(self), strong=f"{word}.")


def diagnose(
    posterior: xr.DataTree,
    effects: Mapping[str, Array],
    model: PathModel | None = None,
    causes: Sequence[str] = (),
    design: Design | None = None,
    limits: Limits = LIMITS,
) -> Verdict:
    """Diagnose a posterior and the effects computed from it.

    Of ``model`` the priors may leave a mean without a value; ``causes`` are said where sampling has failed; in
    ``design`` moderators have their values.
    """
    draws = posterior["posterior"].to_dataset()
    quantities = {**parameters_of(draws), **effects}
    table = converged(np.stack(list(quantities.values()), axis=-1), draws)
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
    chains, kept = (posterior["posterior"].sizes[dim] for dim in ("chain", "draw"))
    short = shortfall(chains, kept, limits.ess)
    with_r_hat = not resampled and chains > 1
    reasons = (*([short] if short else []), *missed(table, limits, with_r_hat=with_r_hat), *method_reasons)
    size = chains * kept
    too_many, few = divergences(int(numbers.get("divergences", 0)), size, limits.divergent, alone=not reasons)
    reasons += too_many
    reasons += tuple(_weak_measurements(model)) if reasons and model is not None else ()
    reasons += tuple(f"a likely cause: {cause.rstrip('.')}" for cause in causes) if reasons else ()
    found = means_of(effects, table["ess_tail"].to_numpy()[len(quantities) - len(effects) :])
    bound = None if model is None else mean_bound(model, draws, design)
    numbers |= {"effect_pareto_k": found.worst_k, "mean_gap": found.worst_gap} if effects else {}
    numbers |= {} if bound is None else {"share_near_bound": bound.share}
    cautions = (*mean_cautions(found, bound, None if model is None else spread_cause(model)), *few)
    return Verdict(not reasons, reasons, numbers, table[list(DIAGNOSTIC_COLUMNS)], cautions)


def parameters_of(posterior: xr.Dataset) -> dict[str, Array]:
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


def missed(table: pd.DataFrame, limits: Limits, *, with_r_hat: bool) -> Iterator[str]:
    """Yield one sentence for each threshold that is missed. A NaN misses its threshold."""
    for column, limit, noun, ok in (
        ("r_hat", f"above {limits.r_hat}", "R-hat", table["r_hat"] <= limits.r_hat),
        ("ess_bulk", f"below {limits.ess}", "bulk ESS", table["ess_bulk"] >= limits.ess),
        ("ess_tail", f"below {limits.ess}", "tail ESS", table["ess_tail"] >= limits.ess),
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


def divergences(count: int, size: int, limit: float, *, alone: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what divergences are: a reason, where they are many or not all that is wrong, or a caution."""
    if not count:
        return (), ()
    words = f"{count} divergent transition{'' if count == 1 else 's'} in {size:,} draws ({100 * count / size:.3g} %)"
    if count > limit * size:
        return (f"{words}, more than 1 in {1 / limit:,.0f}: the chains avoid a place",), ()
    if not alone:
        return (words,), ()
    return (), (
        f"{words}: so few move no interval by more than its Monte Carlo error, unless they "
        "mark a place that the chains avoid; a fit with another seed or a higher target_accept tells",
    )


def _sampler_reasons(numbers: Mapping[str, float], worst_chain: int) -> Iterator[str]:
    """Say it where the energy moves too little."""
    if not numbers["e_bfmi"] > BFMI_LIMIT:
        yield f"E-BFMI {numbers['e_bfmi']:.2f}, not above {BFMI_LIMIT}, in chain {worst_chain}"


def _weak_measurements(model: PathModel) -> Iterator[str]:
    """Name a cause where true values are measured so badly that the records say little of them."""
    for equation in model.equations:
        if equation.reliability is not None and equation.reliability < LEAST_RELIABILITY:
            name = equation.response
            later = [other for other in model.equations if name in other.parents]
            spreads = [f"{p}[{other.response}]" for other in later for p in FAMILIES[other.family].parameters]
            slopes = [f"{other.response}[{name}]" for other in later]
            yield (
                f"a likely cause: with a reliability of {equation.reliability:g} the records say little of the true "
                f"{name}, and its SD, its slopes and what it leaves unexplained (sigma[{name}], "
                f"{', '.join((*slopes, *spreads))}) can hardly be told apart; more records, more draws, or narrower "
                "priors on these help"
            )


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
