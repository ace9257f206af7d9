"""One specification fitted to several sets of records that stand for the same people, and the posterior of them all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.comparison.table import Comparison, Fitted, compare
from bayes_sp.analysis.criticism.diagnostics import Limits, Verdict
from bayes_sp.analysis.fit import Fit
from bayes_sp.effects.comparisons.contrasts import Contrasts, asked_contrasts, contrasts
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.inference.bootstrap.pooled import pooled_bootstrap
from bayes_sp.inference.bootstrap.resampled import bootstrap_of
from bayes_sp.inference.sample import Notify, silent
from bayes_sp.model.normal_twin import twin_notes, twin_of
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, DIFFERENCE, MEMBER
from bayes_sp.shown import Part, Shown, short

FEW = 20  # sets of records below which intervals of mixed draws are too short (Zhou & Reiter 2010)
# A member needs fewer effective draws than a fit on its own, since the pool has K times as many; of so few draws R-hat
# is above 1.01 by chance.
MEMBER_LIMITS = Limits(r_hat=1.05, ess=100)
COLUMNS = ("path", "scale", "median", "lower", "upper", "prob_negative", "lowest", "highest", "share")


@dataclass(frozen=True, eq=False, repr=False)
class Pooled(Shown):
    r"""Fits to K sets of records, their draws mixed with equal weights.

    With U the mean of the members' posterior variances of an effect and B the variance of their means, Rubin's variance
    is :math:`T = U + (1 + 1/K) B`, and :math:`(1 + 1/K) B / T` is the share of it that comes from not having the
    records: the fraction of missing information. Draws of K members have the variance :math:`U + (1 - 1/K) B`, which
    for few members is too small (`few_words`).

    Attributes
    ----------
    fits
        The members, each diagnosed on its own; R-hat across them would flag what is no fault.
    labels
        What each set of records is.

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys. doi:10.1002/9780470316696
    Zhou & Reiter (2010), The American Statistician 64(2), 159-163. doi:10.1198/tast.2010.09109
    """

    fits: tuple[Fit, ...]
    labels: tuple[str, ...]

    @property
    def model(self) -> PathModel:
        """The specification."""
        return self.fits[0].model

    @property
    def mark(self) -> str:
        """What the records are."""
        return f"{len(self.fits)} sets of records, the first: {self.fits[0].survey.mark}"

    def effects(self, *, kappa: float = 1.0) -> Effects:
        """Return the pooled draws of every path effect; each member's are averages over its own records."""
        return self._pooled if kappa == 1.0 else self._pool([fit.effects(kappa=kappa) for fit in self.fits])

    def interventional_effects(self) -> xr.Dataset:
        """Return the pooled draws of interventional effects."""
        return _joined([fit.interventional_effects() for fit in self.fits])

    def contrasts(self, pairs: Mapping[str, tuple[str, str]] | None = None) -> Contrasts:
        """Return how effects differ, two by two, from the pooled draws; see `bayes_sp.Fit.contrasts`."""

        def effects_at(held: tuple[tuple[str, float], ...]) -> Effects:
            at = {name: [value] for name, value in held}
            return self._pool([fit.conditional_effects(at).each[0] for fit in self.fits]) if held else self._pooled

        return contrasts(asked_contrasts(self.model, pairs), effects_at)

    def table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each path, scale and decomposition: the pool, and what its members say.

        Columns of `Effects.intervals`, then ``within_sd`` and ``between_sd`` (roots of U and B), ``share`` (fraction of
        missing information), ``lowest`` and ``highest`` (median of any member).
        """
        table = self._pooled.intervals(ci_prob)
        own = np.stack([effects.columns().reshape(-1, len(table)) for effects in self._each])
        means, variances = own.mean(axis=1), own.var(axis=1, ddof=1)
        medians = np.median(own, axis=1)
        within, between = variances.mean(axis=0), means.var(axis=0, ddof=1)
        extra = (1.0 + 1.0 / len(own)) * between
        total = within + extra
        return table.assign(
            within_sd=np.sqrt(within), between_sd=np.sqrt(between),
            share=np.divide(extra, total, out=np.zeros_like(total), where=total > 0.0),
            lowest=medians.min(axis=0), highest=medians.max(axis=0),
        )  # fmt: skip

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the verdict on each member, which needs R-hat <= 1.05 and 100 effective draws."""
        pairs = zip(self.fits, self._each, strict=True)
        return tuple(fit.diagnose(effects, limits=MEMBER_LIMITS) for fit, effects in pairs)

    def members(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each member, path, scale and decomposition, with the member's label and verdict."""
        verdicts = [verdict.trustworthy for verdict in self.verdicts()]
        parts = [
            effects.intervals(ci_prob).assign(member=k, records=label, trustworthy=fine)
            for k, (effects, label, fine) in enumerate(zip(self._each, self.labels, verdicts, strict=True), start=1)
        ]
        table = pd.concat(parts, ignore_index=True)
        first = ["member", "records", "trustworthy"]
        return table[[*first, *(name for name in table.columns if name not in first)]]

    def compare(self, *, replicates: int = 5000, ci_prob: float = CI_PROB, notify: Notify = silent) -> Comparison:
        """Set the pooled posterior beside a pooled bootstrap, and both beside their normal twins and published values.

        Parameters
        ----------
        replicates
            Bootstrap samples for each likelihood, spread evenly over the members; 0 for no bootstrap.
        ci_prob
            Probability of every interval.
        notify
            Called with a line at the start of each stage.
        """
        twin, first = twin_of(self.model), self.fits[0]
        alone = twin == self.model or bool(self.model.windows)
        fitted, missing = [], twin_notes(self.model)
        each = -(-replicates // len(self.fits))
        for model in [self.model] if alone else [twin, self.model]:
            resampled, notes = None, list[str]()
            if replicates:
                notify(f"bootstrapping {each} samples of each set of records: {model.equations[-1].family}")
                found = [bootstrap_of(model, fit.survey, fit.seed, each, ci_prob) for fit in self.fits]
                notes = list(dict.fromkeys(note for _, own in found for note in own))
                whole = [result for result, _ in found if result is not None]
                resampled = pooled_bootstrap(whole, ci_prob) if len(whole) == len(self.fits) else None
            own = model is self.model
            effects = self._pooled if own else self._pool([fit.twin_effects(twin, notes) for fit in self.fits])
            missing += list(dict.fromkeys(notes))
            fitted.append(Fitted(model, effects, resampled, first.patients(model)))
        return replace(compare(self.model, fitted, self.mark, ci_prob), missing=tuple(missing))

    @cached_property
    def _each(self) -> list[Effects]:
        return [fit.effects() for fit in self.fits]

    @cached_property
    def _pooled(self) -> Effects:
        return self._pool(self._each)

    def _pool(self, each: Sequence[Effects]) -> Effects:
        return replace(each[0], draws=_joined([effects.draws for effects in each]), mark=self.mark)

    def _shown(self) -> tuple[str, list[Part]]:
        bad = sum(not verdict.trustworthy for verdict in self.verdicts())
        trust = f"{bad} of {len(self.fits)} members do not pass their checks: do not use the pool." if bad else ""
        table = self.table()
        rows = table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)]
        unit = f"Differences in {self.model.outcome_unit}, pooled; share: of the variance, from not having the records."
        parts: list[Part] = [*([trust] if trust else []), unit, short(rows, COLUMNS, rows=20)]
        if warning := few_words(len(self.fits)):
            parts.append(warning)
        return f"{self.model.name}; {self.mark}", parts


def few_words(count: int) -> str:
    """Return what few sets of records do to intervals, in a sentence; '' from 20 on."""
    if count >= FEW:
        return ""
    inflated = math.sqrt((count + 1.0) / (count - 1.0))  # of (1 + 1/K) B over (1 - 1/K) B
    return (
        f"Intervals of draws mixed from {count} sets of records are too short (Zhou & Reiter 2010): the SD between "
        f"sets that they hold should be {100 * (inflated - 1):.0f} % larger; use {FEW} or more."
    )


def _joined(each: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return members' draws one after the other, each chain with the number of its member.

    Members with more draws are thinned evenly to those of the member that has fewest.
    """
    chains = min(draws.sizes["chain"] for draws in each)
    length = min(draws.sizes["draw"] for draws in each)
    parts = []
    for draws in each:
        places = np.arange(length) * draws.sizes["draw"] // length
        parts.append(
            draws.isel(chain=slice(chains), draw=places).assign_coords(chain=range(chains), draw=range(length))
        )
    joined = xr.concat(parts, "chain", combine_attrs="override")
    number = np.repeat(np.arange(1, len(each) + 1), chains)
    return joined.assign_coords({"chain": np.arange(joined.sizes["chain"]), MEMBER: ("chain", number)})
