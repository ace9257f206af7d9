"""A posterior with the records it was conditioned on, and every effect that can be asked of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Self

import pandas as pd
import xarray as xr

from bayes_sp.analysis.coefficients import Coefficients, coefficient_table
from bayes_sp.arrays import Array
from bayes_sp.design.build import design_arrays
from bayes_sp.design.checks.doubts import survey_doubts
from bayes_sp.design.checks.identified import thin_groups
from bayes_sp.design.design import Design
from bayes_sp.effects.baselines import linear_baselines, with_unmeasured
from bayes_sp.effects.chain import Baselines
from bayes_sp.effects.comparisons.joined import joined_effects
from bayes_sp.effects.paths import Effects, compute_effects, effects_of
from bayes_sp.effects.problem import Problem, make_problem
from bayes_sp.effects.stable_signs import Sign, means_of_sets, signs_of
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import SurveyError
from bayes_sp.inference.pointwise.imputed import filled_columns
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import VARYING, effect_name
from bayes_sp.records.survey import Survey


@dataclass(frozen=True, eq=False)
class Conditioned:
    """A posterior with the specification and the survey that it was conditioned on.

    Attributes
    ----------
    model, survey
        What was fitted to which records.
    posterior
        DataTree with groups ``posterior``, ``sample_stats``, ``log_likelihood``, ``observed_data`` and
        ``constant_data``, ``imputed`` where covariates have missing cells, and ``unmeasured`` where there are
        unmeasured confounders; its attributes say how it was made.
    """

    model: PathModel
    survey: Survey
    posterior: xr.DataTree

    @property
    def idata(self) -> xr.DataTree:
        """The posterior under the name that ArviZ's users know."""
        return self.posterior

    @property
    def first(self) -> Conditioned:
        """The posterior given the first of several sets of records; itself, where there is one set."""
        return self

    def effects(self, *, kappa: float = 1.0) -> Effects:
        """Return draws of every path effect, on every scale that the outcome's family has, of every move.

        Parameters
        ----------
        kappa
            How alike a mediator's errors are in two worlds, from 0 to 1; no data can tell.

        Returns
        -------
        Effects
            ``table()`` has one row for each path and scale; ``draws`` has the draws, dims ``chain`` and ``draw``.

        Raises
        ------
        SurveyError
            Where the posterior lacks draws that effects are averaged over; see `lacking`.
        """
        if self._views:
            return joined_effects(self.model, [view.effects(kappa=kappa) for view in self._views])
        return effects_of(self._problem, self.model.outcome_unit, kappa=kappa, mark=self.survey.mark)

    def effects_held(self, values: Mapping[str, float], *, kappa: float = 1.0) -> Effects:
        """Return draws of every path effect among patients who all have these values of covariates.

        Parameters
        ----------
        values
            Covariate -> value in its own unit, the same for every patient.
        kappa
            As in `effects`.

        Returns
        -------
        Effects
        """
        found = self.baselines(values)
        baselines = linear_baselines(self.model, self._design, self._draws) if found is None else found
        return compute_effects(
            self.model, self._design, self._draws, kappa=kappa, mark=self.survey.mark, baselines=baselines
        )

    def coefficients(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return every parameter of every equation, one in a row: its posterior beside maximum likelihood.

        Parameters
        ----------
        ci_prob
            Probability of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            Columns ``equation, term, mean, sd, lower, upper, ci_kind, ci_prob, prob_negative, ratio, ml_estimate,
            ml_se, r_hat, ess_bulk, ess_tail``: for one unit of the column as the specification codes it, in units of
            the response or of its link.
        """
        return self.coefficients_with_notes(ci_prob).table

    def coefficients_with_notes(self, ci_prob: float = CI_PROB, *, known: pd.DataFrame | None = None) -> Coefficients:
        """Return the table of `coefficients` with what maximum likelihood leaves empty in it, and why.

        Parameters
        ----------
        ci_prob
            As in `coefficients`.
        known
            The table of the verdict on the draws, where it is at hand.

        Returns
        -------
        Coefficients
        """
        return coefficient_table(self.model, self.survey, self._design, self._draws, ci_prob=ci_prob, known=known)

    def signs(self, ci_prob: float = CI_PROB) -> dict[str, Sign]:
        """Return on which side of 0 each difference lies for kappa 0, 0.5 and 1, averaged and in every single order.

        Parameters
        ----------
        ci_prob
            Probability of the intervals that lie on one side.

        Returns
        -------
        dict
            Effect -> its sign for each kappa; see `bayes_sp.effects.stable_signs.signs_of`.
        """
        if self._views:
            each = zip(self.model.moves, (view.signs(ci_prob) for view in self._views), strict=True)
            return {effect_name(path, move.label): sign for move, found in each for path, sign in found.items()}
        return signs_of(*self.means_of_sets(), ci_prob)

    def means_of_sets(self) -> tuple[Problem, list[Array]]:
        """Return what `signs_of` needs of these draws."""
        return self._problem, means_of_sets(self._problem)

    def robust_signs(self, ci_prob: float = CI_PROB) -> dict[str, int]:
        """Return the sign that each effect, averaged over orders, has for kappa 0, 0.5 and 1 alike, else 0.

        Parameters
        ----------
        ci_prob
            As in `signs`.

        Returns
        -------
        dict
            Effect -> -1, 0 or 1.
        """
        return {effect: sign.lasting for effect, sign in self.signs(ci_prob).items()}

    def baselines(self, held: Mapping[str, float] | None = None) -> Baselines | None:
        """Return what `compute_effects` needs where it averages over what was not measured; else None.

        That is missing cells of covariates, and unmeasured confounders: their own draws stand in for them, draw by
        draw.

        Parameters
        ----------
        held
            Covariates that have one value for every patient.

        Returns
        -------
        Baselines or None

        Raises
        ------
        SurveyError
            Where the posterior lacks these draws.
        """
        if lacking := self.lacking():
            reason = f"the posterior holds no draws of {', '.join(lacking)}, over which effects are averaged"
            raise SurveyError(self.survey.source, [f"{reason}; a saved run keeps them only with --keep-records: refit"])
        if "imputed" not in self.posterior and not self.model.confounders and not held:
            return None
        design, columns = self._design, None
        if "imputed" in self.posterior:
            columns = partial(filled_columns, design, self.posterior["imputed"].to_dataset())
        known = linear_baselines(self.model, design, self._draws, columns, held)
        if not self.model.confounders:
            return known
        return with_unmeasured(self.model, self._draws, self.posterior["unmeasured"].to_dataset(), known)

    def lacking(self) -> list[str]:
        """Return what effects need and the posterior does not hold, in words; empty for a posterior as it was drawn.

        A run that was saved without the records keeps no values of single patients: neither draws of their missing
        cells nor of their unmeasured confounders; nor those of groups of which one has fewer than 10 patients.
        """
        imputed = self.posterior["imputed"].data_vars if "imputed" in self.posterior else ()
        missing = self._design.missing
        found = [c.name for c in self.model.covariates if c.name in missing and not set(c.terms) <= set(imputed)]
        words = [f"missing cells of {', '.join(found)}"] if found else []
        if self.model.confounders and "unmeasured" not in self.posterior:
            words.append(f"the unmeasured {', '.join(c.name for c in self.model.confounders)}")
        varying = {e.varying for e in self.model.equations if e.varying and f"{e.response}{VARYING}" not in self._draws}
        return words + [f"the groups of {name}" for name in sorted(varying)]

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """What speaks against taking the records as they are, each in one sentence; see `survey_doubts`."""
        return survey_doubts(self.model, self.survey)

    def causes(self) -> tuple[str, ...]:
        """Return what in the records may make sampling fail, each in one sentence; see `thin_groups`."""
        return tuple(thin_groups(self.model, self._design))

    @cached_property
    def _views(self) -> tuple[Self, ...]:
        """The same posterior once for each move of a category or of several exposures; () for one number."""
        if not self.model.moves:
            return ()
        return tuple(self._with(view) for view in self.model.views)

    def _with(self, model: PathModel) -> Self:
        """Return the same posterior of a specification that differs in what it compares."""
        found = replace(self, model=model)
        found.__dict__["_design"] = self._design  # the same arrays, checked already
        return found

    @cached_property
    def _problem(self) -> Problem:
        return make_problem(self.model, self._design, self._draws, self.baselines())

    @cached_property
    def _design(self) -> Design:
        return design_arrays(self.model, self.survey)

    @property
    def _draws(self) -> xr.Dataset:
        return self.posterior["posterior"].to_dataset()
