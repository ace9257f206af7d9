"""One specification fitted to several sets of records that stand for the same people, and the posterior of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import methodcaller
from typing import Any, Self

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.coefficients import Coefficients, coefficient_table
from bayes_sp.analysis.comparison.table import Comparison, Fitted, compare
from bayes_sp.analysis.criticism.diagnostics import LIMITS, Limits, Verdict, parameters_of
from bayes_sp.analysis.criticism.influence import Influence
from bayes_sp.analysis.criticism.loo import Loo
from bayes_sp.analysis.criticism.pit import LooPit
from bayes_sp.analysis.criticism.predictive import REPLICATES, PredictiveChecks
from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.fit import fit as fit_one
from bayes_sp.analysis.pooled_verdict import MEMBER_LIMITS, PooledVerdict, pooled_verdict
from bayes_sp.arrays import Array
from bayes_sp.effects.existence import mean_bound, spread_cause
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.problem import Problem
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.inference.bootstrap.bootstrap import BootstrapResult
from bayes_sp.inference.bootstrap.pooled import pooled_bootstrap, rubin_table
from bayes_sp.inference.bootstrap.resampled import bootstrap_of
from bayes_sp.inference.estimates import Estimates, maximum_likelihood
from bayes_sp.inference.options import EACH, usual_options
from bayes_sp.inference.pooling import few_words, joined, pooled_estimates, rubin
from bayes_sp.inference.sample import Notify, silent
from bayes_sp.model.normal_twin import likelihoods, twin_notes
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, DIFFERENCE, MEMBER
from bayes_sp.records.sets import Sets
from bayes_sp.shown import Part, short
from bayes_sp.threads import shared

COLUMNS = ("path", "median", "lower", "upper", "prob_negative", "lowest", "highest", "share")
JOINED = ("posterior", "sample_stats")  # the others hold a value for each patient
SUMS = ("divergences", "seconds_compiling", "seconds_sampling")


@dataclass(frozen=True, eq=False, repr=False)
class Pooled(Fit):
    r"""Fits to K sets of records, their draws mixed with equal weights: a `Fit` whose draws are those of all.

    With U the mean of the members' posterior variances of an effect and B the variance of their means, Rubin's variance
    is :math:`T = U + (1 + 1/K) B`, and :math:`(1 + 1/K) B / T` is the share of it that comes from not having the
    records: the fraction of missing information. Draws of K members have the variance :math:`U + (1 - 1/K) B`, which
    for few members is too small (`few_words`). Criticism and sensitivity look at the first member (``first``).

    Attributes
    ----------
    fits
        The members, each diagnosed on its own; R-hat across them would flag what is no fault.
    survey
        The sets, what each is, and from which distribution they are drawn.
    bounds
        Fits to records at the edge of what is known: no part of the pool.

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys. doi:10.1002/9780470316696
    Zhou & Reiter (2010), The American Statistician 64(2), 159-163. doi:10.1198/tast.2010.09109
    """

    survey: Sets
    fits: tuple[Fit, ...]
    bounds: tuple[Fit, ...] = ()

    @cached_property
    def first(self) -> Fit:
        """The fit to the first set of records, which criticism and sensitivity look at.

        Where a member has no more draws than a pool of many needs, it is fitted again, with those of a fit alone.
        """
        if (self.options.draws, self.options.chains) != (EACH.draws, EACH.chains):
            return self.fits[0]
        options = replace(usual_options(), cores=self.options.cores, method=self.options.method)
        return fit_one(self.model, self.fits[0].survey, seed=self.seed, options=options)

    def effects(self, *, kappa: float = 1.0) -> Effects:
        """Return the pooled draws of every path effect; each member's are averages over its own records."""
        return self._pooled if kappa == 1.0 else self._pool(self._of_each(methodcaller("effects", kappa=kappa)))

    def effects_held(self, values: Mapping[str, float], *, kappa: float = 1.0) -> Effects:
        """Return the pooled draws of every path effect among patients who all have these values of covariates."""
        return self._pool(self._of_each(methodcaller("effects_held", values, kappa=kappa)))

    def interventional_effects(self) -> xr.Dataset:
        """Return the pooled draws of interventional effects."""
        return joined(self._of_each(methodcaller("interventional_effects")))

    def controlled_direct_effect(self, at: Mapping[str, float | Sequence[float]]) -> xr.Dataset:
        """Return the pooled draws of the exposure's effect while the mediators are held at stated values."""
        return joined(self._of_each(methodcaller("controlled_direct_effect", at)))

    def dose_curve(self, exposures: Sequence[float], *, exposure: str = "", kappa: float = 1.0) -> xr.Dataset:
        """Return the pooled draws of every path effect of moving the exposure to each of these."""
        return joined(self._of_each(methodcaller("dose_curve", exposures, exposure=exposure, kappa=kappa)))

    def means_of_sets(self) -> tuple[Problem, list[Array]]:
        """Return what `signs_of` needs of the pooled draws."""
        found = self._of_each(methodcaller("means_of_sets"))
        return found[0][0], [np.concatenate(own, axis=1) for own in zip(*(means for _, means in found), strict=True)]

    def coefficients_with_notes(self, ci_prob: float = CI_PROB, *, known: pd.DataFrame | None = None) -> Coefficients:
        """Return every parameter's pooled posterior beside maximum likelihood pooled by Rubin's rules."""
        each = self._of_each(_likelihood)
        return coefficient_table(
            self.model, self.survey, self._design, self._draws, ci_prob=ci_prob, known=known,
            estimates=pooled_estimates(each),
        )  # fmt: skip

    def predictive_checks(self, *, replicates: int = REPLICATES, ci_prob: float = CI_PROB) -> PredictiveChecks:
        """Return those of the first member."""
        return self.first.predictive_checks(replicates=replicates, ci_prob=ci_prob)

    def loo(self, *, refits: int = 0) -> Loo:
        """Return that of the first member."""
        return self.first.loo(refits=refits)

    def loo_pit(self) -> LooPit:
        """Return that of the first member."""
        return self.first.loo_pit()

    def influence(self, path: str = "", *, refits: int = 0, ci_prob: float = CI_PROB) -> Influence:
        """Return that of the first member."""
        return self.first.influence(path, refits=refits, ci_prob=ci_prob)

    def lacking(self) -> list[str]:
        """Return what effects need and the first member's posterior does not hold."""
        return self.fits[0].lacking()

    def shares(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each path, scale and decomposition: the pool, and what its members say.

        Columns of `Effects.intervals`, then ``within_sd`` and ``between_sd`` (roots of U and B), ``share`` (fraction of
        missing information), ``lowest`` and ``highest`` (median of any member), and the same of the bounds.
        """
        table = self._pooled.intervals(ci_prob)
        own = np.stack([effects.columns().reshape(-1, len(table)) for effects in self._each])
        found, medians = rubin(own.mean(axis=1), own.var(axis=1, ddof=1)), np.median(own, axis=1)
        edges = {}
        if self.bounds:
            at = np.stack([np.median(effects.columns(), axis=(0, 1)) for effects in self._edges])
            edges = {"bounds_lowest": at.min(axis=0), "bounds_highest": at.max(axis=0)}
        return _named_first(table).assign(
            within_sd=np.sqrt(found.within), between_sd=np.sqrt(found.between), share=found.share,
            lowest=medians.min(axis=0), highest=medians.max(axis=0), **edges,
        )  # fmt: skip

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the verdict on each member, which needs R-hat <= 1.1 and 100 effective draws."""
        return self._verdicts

    def diagnose(self, effects: Effects | None = None, *, limits: Limits = LIMITS) -> PooledVerdict:
        """Return the verdict on the pool: every member on its own, and the pool's effective draws."""
        own = (effects or self._pooled).quantities()
        quantities = {**parameters_of(self._draws), **own}
        numbers = np.asarray(self._draws[MEMBER])
        parts = [numbers == number for number in np.unique(numbers)]
        bound = mean_bound(self.model, self._draws, self._design)
        causes = (bound, spread_cause(self.model))
        return pooled_verdict(self._verdicts, self.survey.set_labels, quantities, own, parts, causes)

    def members(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each member, path, scale and decomposition, with the member's label and verdict.

        Members are counted from 1; records at the edge of what is known, which are no members, have number 0.
        """
        verdicts = [verdict.trustworthy for verdict in self._verdicts]
        known = list(zip(range(1, len(self.fits) + 1), self.survey.set_labels, verdicts, self._each, strict=True))
        judged = self._judged(self.bounds, self._edges)
        for (label, _), verdict, effects in zip(self.survey.edges, judged, self._edges, strict=True):
            known.append((0, label, verdict.trustworthy, effects))
        parts = [e.intervals(ci_prob).assign(member=k, records=w, trustworthy=fine) for k, w, fine, e in known]
        return _named_first(pd.concat(parts, ignore_index=True), "member", "records", "trustworthy")

    def compare(
        self,
        *,
        replicates: int = 5000,
        ci_prob: float = CI_PROB,
        notify: Notify = silent,
        effects: Effects | None = None,
    ) -> Comparison:
        """Set the pooled posterior beside a pooled bootstrap, and both beside their normal twins and published values.

        Arguments are those of `Fit.compare`; bootstrap samples are spread evenly over the members.
        """
        fitted, missing, rubins = [], twin_notes(self.model), list[pd.DataFrame]()
        each = -(-replicates // len(self.fits))
        for model in likelihoods(self.model):
            if replicates:
                notify(f"bootstrapping {each} samples of each set of records: {model.equations[-1].family}")
            made = self._of_each(partial(_bootstrap, model, each, ci_prob))
            missing += list(dict.fromkeys(note for _, notes in made for note in notes))
            whole = [result for result, _ in made if result is not None]
            resampled = pooled_bootstrap(whole, ci_prob) if len(whole) == len(self.fits) else None
            rubins += [rubin_table(whole, ci_prob)] if resampled is not None else []
            own = model is self.model
            drawn, notes = (effects or self._pooled, []) if own else self.twin_effects(model)
            missing += notes
            fitted.append(Fitted(model, drawn, resampled, self.fits[0].patients(model)))
        found = compare(self.model, fitted, self.survey.mark, ci_prob)
        rules = pd.concat(rubins, ignore_index=True) if rubins else None
        return replace(found, missing=tuple(dict.fromkeys(missing)), rubin=rules)

    def twin_effects(self, twin: PathModel) -> tuple[Effects, list[str]]:
        """Return the pooled effects of the normal twin's posterior, and sentences where draws cannot be used."""
        each = self._of_each(methodcaller("twin_effects", twin))
        return self._pool([effects for effects, _ in each]), [note for _, notes in each for note in notes]

    def _of_each[T](self, work: Callable[[Fit], T]) -> list[T]:
        """Return what comes of each member; ``work`` is such as `pickle` takes."""
        return shared(work, self.fits, self.options.cores)

    @cached_property
    def _views(self) -> tuple[Pooled, ...]:
        """The pool once for each move of a category or of several exposures, of its members' own views."""
        return tuple(
            replace(self, model=view, fits=tuple(fit._views[k] for fit in self.fits),
                    bounds=tuple(fit._views[k] for fit in self.bounds))
            for k, view in enumerate(self.model.views if self.model.moves else ())
        )  # fmt: skip

    def _moved_by(self, width: float) -> Self:
        fits = [tuple(fit._moved_by(width) for fit in own) for own in (self.fits, self.bounds)]
        return replace(self, fits=fits[0], bounds=fits[1])

    @cached_property
    def _each(self) -> list[Effects]:
        return self._of_each(methodcaller("effects"))

    @cached_property
    def _edges(self) -> list[Effects]:
        return shared(methodcaller("effects"), self.bounds, self.options.cores)

    @cached_property
    def _pooled(self) -> Effects:
        return self._pool(self._each)

    @cached_property
    def _verdicts(self) -> tuple[Verdict, ...]:
        return self._judged(self.fits, self._each)

    def _judged(self, fits: Sequence[Fit], each: Sequence[Effects]) -> tuple[Verdict, ...]:
        pairs = list(zip(fits, each, strict=True))
        return tuple(shared(_judged, pairs, self.options.cores))

    def _pool(self, each: Sequence[Effects]) -> Effects:
        return replace(each[0], draws=joined([effects.draws for effects in each]), mark=self.survey.mark)

    def _shown(self) -> tuple[str, list[Any]]:
        table = self.shares()
        rows = table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)]
        unit = f"Differences in {self.model.outcome_unit}, for {self._contrast}, pooled; share: of the "
        parts: list[Part] = [str(self.diagnose()), list(self.doubts), f"{unit}variance, from {self.survey.lack}."]
        parts += [short(rows, COLUMNS, rows=20), *filter(None, (few_words(len(self.fits)), self.survey.words))]
        return f"{self.model.name}; {self.survey.mark}; seed {self.seed}", parts


def _named_first(table: pd.DataFrame, *first: str) -> pd.DataFrame:
    """Return a table whose first columns say what a row is about."""
    names = [*first, "path", "scale", "decomposition", "kappa"]
    return table[[*names, *(name for name in table if name not in names)]]


def pool(survey: Sets, fits: Sequence[Fit], bounds: Sequence[Fit] = ()) -> Pooled:
    """Return fits to several sets of records, and to those at the edge of what is known, as one; see `Pooled`."""
    first, made = fits[0], [fit.posterior.attrs for fit in fits]
    tree = xr.DataTree.from_dict(
        {n: joined([f.posterior[n].to_dataset() for f in fits]) for n in first.posterior.children if n in JOINED}
    )
    sums = {name: sum(own[name] for own in made) for name in SUMS if name in made[0]}
    tree.attrs = {**made[0], **sums, "data_digest": survey.digest, "data_source": survey.mark}
    return Pooled(first.model, survey, tree, first.seed, first.options, tuple(fits), tuple(bounds))


def _judged(own: tuple[Fit, Effects]) -> Verdict:
    return own[0].diagnose(own[1], limits=MEMBER_LIMITS)


def _likelihood(fit: Fit) -> Estimates:
    return maximum_likelihood(fit.model, fit.survey, fit._design)


def _bootstrap(model: PathModel, replicates: int, ci_prob: float, fit: Fit) -> tuple[BootstrapResult | None, list[str]]:
    return bootstrap_of(model, fit.survey, fit.seed, replicates, ci_prob)
