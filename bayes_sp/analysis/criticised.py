"""Criticism of draws: replicated records, patients left out, influence of single patients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import xarray as xr

from bayes_sp.analysis.comparison.models import main_path
from bayes_sp.analysis.criticism.influence import Influence, influence
from bayes_sp.analysis.criticism.loo import Loo, loo, with_refits
from bayes_sp.analysis.criticism.pit import LooPit, loo_pit
from bayes_sp.analysis.criticism.pointwise import (
    Criticism,
    Pointwise,
    column_digests,
    patient_rows,
    pointwise,
    pointwise_at,
    scope_of,
    scored_responses,
    without_patient,
)
from bayes_sp.analysis.criticism.predictive import REPLICATES, PredictiveChecks, predictive_checks
from bayes_sp.analysis.criticism.predictors import thinned
from bayes_sp.analysis.criticism.psis import relative_efficiency
from bayes_sp.analysis.sized import Sized
from bayes_sp.arrays import Array
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import BayesSpError, FitError, SurveyError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import Notify, sample_posterior, silent
from bayes_sp.names import AVERAGE, DIFFERENCE


@dataclass(frozen=True, eq=False, repr=False)
class Criticised(Sized):
    """A posterior with what its draws depend on, so that patients can be left out and fits made again.

    Attributes
    ----------
    model, survey, posterior
        As in `Conditioned`.
    seed, options
        What the draws depend on.
    """

    seed: int
    options: SamplerOptions

    def predictive_checks(self, *, replicates: int = REPLICATES, ci_prob: float = CI_PROB) -> PredictiveChecks:
        """Set statistics of the records beside those of records replicated from the posterior (seed: the fit's).

        Parameters
        ----------
        replicates
            How many surveys are replicated.
        ci_prob
            Probability of the intervals over replicates.

        Returns
        -------
        PredictiveChecks
        """
        return predictive_checks(
            self.model, self._design, self._draws, seed=self.seed, replicates=replicates, ci_prob=ci_prob,
            mark=self.survey.mark, records=len(self.survey),
        )  # fmt: skip

    def loo(self, *, refits: int = 0) -> Loo:
        """Return leave-one-out cross-validation of each equation.

        Parameters
        ----------
        refits
            Patients with a Pareto k above 0.7 that are left out by a refit, at most; the others keep their estimate,
            and a note says so.

        Returns
        -------
        Loo
            Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4
        """
        found = self._pointwise
        digests = column_digests(self.model, self.survey)
        scope = scope_of(self.model, self._design, found)
        estimated = loo(self.model.name, scored_responses(self.model), found.draws, found.values, digests, scope)
        return with_refits(estimated, self._refitted_pointwise, refits) if refits else estimated

    def loo_pit(self) -> LooPit:
        """Return where each response falls in what the other patients predict for it (seed: the fit's).

        Returns
        -------
        LooPit
        """
        found = self._pointwise
        pit = loo_pit(self.model, self._design, found.draws, found.values, seed=self.seed)
        return replace(pit, mark=self.survey.mark)

    def influence(self, path: str = "", *, refits: int = 0, ci_prob: float = CI_PROB) -> Influence:
        """Return the difference that a path makes without each single patient.

        Parameters
        ----------
        path
            A path as the effects name it; by default the one that the specification is about (`main_path`).
        refits
            Patients with a Pareto k above 0.7 that are left out by a refit, at most.
        ci_prob
            Probability of the intervals.

        Returns
        -------
        Influence

        Raises
        ------
        BayesSpError
            For a path that the model has not.
        """
        found = self._pointwise
        path = path or main_path(self.model)
        without = influence(
            self._difference(path, found.draws), list(found.values.values()), path=path, scale=DIFFERENCE,
            unit=self.model.outcome_unit, rows=patient_rows(self.model, self.survey),
            efficiency=relative_efficiency(found.draws), most_refits=refits, ci_prob=ci_prob,
            refit=lambda patient: self._refitted_effect(patient, path),
        )  # fmt: skip
        return replace(without, mark=self.survey.mark, model=self.model)

    def criticise(self, *, refits: int = 0, notify: Notify = silent) -> Criticism:
        """Return every check of the fit.

        Parameters
        ----------
        refits
            As in `loo` and `influence`.
        notify
            Called with a line at the start of each stage.

        Returns
        -------
        Criticism
        """
        notify("replicating the records")
        checks = self.predictive_checks()
        notify("leaving patients out")
        return Criticism(checks, self.loo(refits=refits), self.loo_pit(), self.influence(refits=refits))

    def without(self, patient: int) -> Self:
        """Fit again without one patient.

        Parameters
        ----------
        patient
            Place among the patients of the fit, counted from 0.

        Returns
        -------
        Fit

        Raises
        ------
        BayesSpError
            Where the remaining records cannot be fitted, or a group loses its only patient.
        """
        survey = without_patient(self.model, self.survey, patient)
        design = design_arrays(self.model, survey)
        if any(design.groups[name][1] != labels for name, (_, labels) in self._design.groups.items()):
            raise SurveyError(survey.source, ["a group has no other patient"])
        tree = sample_posterior(self.model, survey, seed=self.seed, options=self.options)
        return replace(self, survey=survey, posterior=tree)

    @cached_property
    def _pointwise(self) -> Pointwise:
        return pointwise(self.model, self._design, self.posterior)

    def _difference(self, path: str, draws: xr.Dataset) -> Array:
        """Draws (chain, draw) of a path's difference, averaged over all patients of this fit, at these of its draws."""
        effects = self.effects()
        known = [str(name) for name in effects.draws["path"].to_numpy()]
        if path not in known:
            raise BayesSpError(self.model.name, [f'has no path "{path}"; it has {", ".join(known)}'])
        found = effects.draws[AVERAGE].sel(path=path, scale=DIFFERENCE).transpose("chain", "draw")
        if draws.sizes["draw"] != self._draws.sizes["draw"]:
            found = thinned(found.drop_vars(["path", "scale"]).to_dataset(name=path), draws.sizes["draw"])[path]
        return found.to_numpy()

    def _refitted_pointwise(self, patient: int) -> dict[str, Array]:
        try:
            draws = self.without(patient)._draws
        except (SurveyError, FitError):
            return {}
        return pointwise_at(self.model, self._design, draws, patient)

    def _refitted_effect(self, patient: int, path: str) -> Array | None:
        try:
            refit = self.without(patient)
        except (SurveyError, FitError):
            return None
        if self.baselines() is not None:  # what was not measured of the patient is not known there
            return refit._difference(path, refit._draws)
        draws = replace(self, posterior=refit.posterior).effects().draws
        return draws[AVERAGE].sel(path=path, scale=DIFFERENCE).to_numpy()
