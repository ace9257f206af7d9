"""Percentile bootstrap of patients for the effects of a chain, by the same formulas as for a posterior's draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_sp.arrays import Array, sd_of
from bayes_sp.design.design import Design
from bayes_sp.effects.formulas import ChainCoefficients, Path
from bayes_sp.effects.moderation.levels import Setting
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.inference.bootstrap.asked import AskedReplicates
from bayes_sp.inference.bootstrap.available import is_plain, no_likelihood_fit
from bayes_sp.inference.bootstrap.boundary import counted
from bayes_sp.inference.bootstrap.conditional import BootstrapConditional
from bayes_sp.inference.bootstrap.general import GeneralChain, general_chain
from bayes_sp.inference.bootstrap.percentile import percentile_interval
from bayes_sp.inference.bootstrap.refit import DECOMPOSITIONS, PlainChain, Refits, plain_chain
from bayes_sp.inference.bootstrap.resample import joined, resamples, taken
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, AVERAGE, BOOTSTRAP_COLUMNS, COEFFICIENT, TOTAL, TOTAL_INDIRECT, is_total, path_name
from bayes_sp.shown import Part, Shown, short


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapResult(Shown, AskedReplicates):
    """Estimates from all patients, replicates from resampled patients, and percentile intervals.

    The axis *effect* holds the paths in order, then total_indirect, then total. A resample whose maximum lies on a
    boundary gives the limits of its effects, which may be infinite. Where an effect has no limit, and everywhere in a
    resample without a fit, its replicate is NaN and enters no interval; a limit that could be one of those is withheld
    (`percentile_interval`).

    Attributes
    ----------
    paths
        Tuples of mediators, P of them.
    scales
        ``"coefficient"`` (product of coefficients per unit of exposure, and sums of them), ``"rate_ratio"`` (count
        outcomes only) and ``"difference"`` (in the outcome's unit), both for the design's contrast.
    decompositions
        ``"alone"`` and ``"average"`` (over the orders of switching); equal where the order does not matter.
    estimate
        From all patients, (effect, scale, decomposition).
    values
        From each resample, (replicates, effect, scale, decomposition).
    lower, upper
        Limits of the intervals, (effect, scale, decomposition); NaN where withheld.
    lower_mcse, upper_mcse
        Monte Carlo standard errors of the limits: how far they would move with another seed, in their own unit.
    ci_kind, ci_prob
        Equal-tailed percentile interval, and its nominal probability.
    replicates, seed
        Resamples drawn, failed ones among them, and the seed they were drawn with.
    patients
        Number of patients, which every resample has.
    undefined
        How many replicates of each effect have no value, (effect, scale, decomposition).
    failed, reasons
        Number of resamples without a fit, and how many for each reason, most frequent first.
    at_boundary, boundaries
        Number of resamples whose maximum lies on a boundary, and how many on each, most frequent first.
    coefficients, replicate_coefficients
        Of all patients, and of each resample (leading axis replicates); None for chains that have more than these.
    phi, replicate_phi
        Negative-binomial size of the outcome (variance mu + mu**2 / phi), infinite for a Poisson fit; None for other
        outcomes.
    chain, likelihood
        Exposure, mediators and outcome, and the outcome's family.
    mark, notes
        What the records are, and which of them are left out.
    conditional
        Effects at settings of moderators; None where the specification has none, and none were asked for.
    model
        The specification; None where it is a design alone.
    sds
        Of the outcome and of an exposure that is one number, among all patients.
    """

    paths: tuple[Path, ...]
    scales: tuple[str, ...]
    decompositions: tuple[str, ...]
    estimate: Array
    values: Array
    lower: Array
    upper: Array
    lower_mcse: Array
    upper_mcse: Array
    ci_kind: Literal["percentile"]
    ci_prob: float
    replicates: int
    seed: int
    patients: int
    undefined: NDArray[np.int64]
    failed: int
    reasons: tuple[tuple[str, int], ...]
    at_boundary: int
    boundaries: tuple[tuple[str, int], ...]
    coefficients: ChainCoefficients | None
    replicate_coefficients: ChainCoefficients | None
    phi: float | None
    replicate_phi: Array | None
    chain: tuple[str, ...]
    likelihood: str
    mark: str = ""
    notes: tuple[str, ...] = ()
    conditional: BootstrapConditional | None = None
    model: PathModel | None = None
    sds: Mapping[str, float] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of the effects, in the order of the axis *effect*."""
        if self.model is not None:
            return list(self.model.effect_names)
        exposure, *mediators, outcome = self.chain
        through = [(exposure, *(mediators[m] for m in path), outcome) for path in self.paths]
        return [*map(path_name, through), TOTAL_INDIRECT, TOTAL]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each path, scale and decomposition: ``bootstrap.csv``; the total has one decomposition."""
        rows = list[tuple[object, ...]]()
        reasons, boundaries = (
            "; ".join(f"{count} x {words}" for words, count in found) for found in (self.reasons, self.boundaries)
        )
        for place, labels in self.rows():
            limits = (of[place] for of in (self.estimate, self.lower, self.upper, self.lower_mcse, self.upper_mcse))
            made = (self.ci_kind, self.ci_prob, self.replicates, self.failed, reasons, self.undefined[place])
            rows.append((*labels.values(), self.likelihood, *limits, *made, self.at_boundary, boundaries))
        return pd.DataFrame(rows, columns=list(BOOTSTRAP_COLUMNS))

    def rows(self) -> Iterator[tuple[tuple[int, ...], dict[str, str]]]:
        """Yield the place of each row of the table in ``estimate``, and its path, scale and decomposition."""
        for place in np.ndindex(*self.estimate.shape):
            path, scale, decomposition = self.names[place[0]], self.scales[place[1]], self.decompositions[place[2]]
            if scale == COEFFICIENT or is_total(path):  # where alone and average are the same
                if decomposition != AVERAGE:
                    continue
                decomposition = ""
            yield place, {"path": path, "scale": scale, "decomposition": decomposition}

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. {self.replicates} resamples (seed {self.seed}), {self.failed} without a fit."
        rows = self.table[self.table["decomposition"] != ALONE].drop(columns="decomposition")
        return head, [short(rows, rows=len(rows)), list(self.notes)]


def bootstrap_effects(
    design: Design,
    model: PathModel | None = None,
    *,
    seed: int = 1,
    replicates: int = 5000,
    ci_prob: float = 0.95,
    batch_bytes: int = 2**26,
    settings: tuple[Setting, ...] = (),
) -> BootstrapResult:
    """Refit a chain to resampled patients and take percentiles of its effects.

    Normal equations are fitted by least squares, a count outcome by maximum likelihood; then residual
    variances are RSS / n and effects are standardised over each resample's own patients (with kappa = 1).

    Estimates, replicates, intervals, and the number of failed replicates with the reasons.

    Raises SpecificationError if a family has no maximum-likelihood fit here; SurveyError if the equations cannot be
    fitted to all patients, or no resample could be fitted.

    Without a ``model`` mediators are normal, the outcome normal, negative_binomial or poisson, every covariate in every
    equation and nothing else. ``batch_bytes`` is memory for the resampled patients drawn at a time. It changes no
    digit: one stream is drawn in the order of the replicates, and what is computed together depends on the number of
    patients alone. ``settings`` are of moderators, at which effects are computed too.
    """
    if replicates < 1 or not 0.0 < ci_prob < 1.0:
        raise ValueError(f"replicates >= 1 and 0 < ci_prob < 1 are needed, found {replicates} and {ci_prob}")
    problem = _chain(design, model, settings=settings)
    whole = _fit_whole(problem)
    draws = resamples(design.n, seed, replicates, block=problem.block_size, batch_bytes=batch_bytes)
    blocks = [problem.refit(counts) for counts in draws]
    values = np.concatenate([block.values for block in blocks])
    reason = np.concatenate([block.reason for block in blocks])
    fitted = reason == ""
    if not fitted.any():
        raise SurveyError(design.outcome, [f"none of {replicates} resamples could be fitted: {reason[0]}"])
    boundary = np.concatenate([block.boundary for block in blocks]) * fitted
    lower, upper, lower_mcse, upper_mcse = percentile_interval(values, ci_prob)
    sized = "phi" in FAMILIES[design.families[-1]].parameters
    return BootstrapResult(
        paths=problem.paths,
        scales=problem.scales,
        decompositions=DECOMPOSITIONS,
        estimate=whole.values[0],
        values=values,
        lower=lower,
        upper=upper,
        lower_mcse=lower_mcse,
        upper_mcse=upper_mcse,
        ci_kind="percentile",
        ci_prob=ci_prob,
        replicates=replicates,
        seed=seed,
        patients=design.n,
        undefined=np.isnan(values).sum(axis=0),
        failed=int((~fitted).sum()),
        reasons=tuple(Counter(reason[~fitted].tolist()).most_common()),
        at_boundary=int((boundary > 0).sum()),
        boundaries=counted(boundary),
        coefficients=None if whole.coefficients is None else taken(whole.coefficients, 0),
        replicate_coefficients=joined([block.coefficients for block in blocks if block.coefficients is not None]),
        phi=float(whole.phi[0]) if sized else None,
        replicate_phi=np.concatenate([block.phi for block in blocks]) if sized else None,
        chain=(design.exposure, *design.responses),
        likelihood=design.families[-1],
        conditional=_conditional(problem, whole, blocks, ci_prob) if isinstance(problem, GeneralChain) else None,
        model=model,
        sds=_sds(design, model),
    )


def _sds(design: Design, model: PathModel | None) -> dict[str, float]:
    exposure = {} if model is not None and model.exposures else {"exposure": float(sd_of(design.x, ddof=1))}
    return {"outcome": float(sd_of(design.y[:, -1], ddof=1)), **exposure}


def _conditional(
    problem: GeneralChain, whole: Refits, blocks: list[Refits], ci_prob: float
) -> BootstrapConditional | None:
    """Return the effects at settings of moderators; None where there are no settings."""
    if whole.conditional is None or whole.index is None:
        return None
    return BootstrapConditional(
        settings=problem.settings,
        names=problem.model.effect_names,
        scales=problem.conditional_scales,
        decompositions=DECOMPOSITIONS,
        estimate=whole.conditional[0],
        values=np.concatenate([block.conditional for block in blocks if block.conditional is not None]),
        index_rows=problem.index_rows,
        index_estimate=whole.index[0],
        index_values=np.concatenate([block.index for block in blocks if block.index is not None]),
        ci_kind="percentile",
        ci_prob=ci_prob,
    )


def point_estimates(design: Design, model: PathModel | None = None) -> Array:
    """Effects of the maximum-likelihood fit to all patients, (effect, scale, decomposition); as `bootstrap_effects`."""
    return _fit_whole(_chain(design, model, resampled=False)).values[0]


def _chain(
    design: Design, model: PathModel | None, *, resampled: bool = True, settings: tuple[Setting, ...] = ()
) -> PlainChain | GeneralChain:
    """Make the chain ready, by the faster way where that knows all that is asked."""
    if model is None or (is_plain(model) and not settings):
        return plain_chain(design)
    if reasons := no_likelihood_fit(model):
        raise SpecificationError("bootstrap", list(reasons))
    return general_chain(model, design, settings=settings) if resampled else general_chain(model, design, pilot=0)


def _fit_whole(problem: PlainChain | GeneralChain) -> Refits:
    """Fit to all patients, or say why there is none."""
    whole = problem.refit(np.ones((1, problem.design.n)))
    if whole.reason[0]:
        raise SurveyError(problem.design.outcome, [f"no maximum-likelihood fit to all patients: {whole.reason[0]}"])
    return whole
