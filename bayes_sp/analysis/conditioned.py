"""A posterior with the records it was conditioned on, and every effect that can be asked of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Self

import pandas as pd
import xarray as xr

from bayes_sp.analysis.coefficients import Coefficients, coefficient_table
from bayes_sp.arrays import Array
from bayes_sp.design.build import covariate_values, design_arrays
from bayes_sp.design.checks.doubts import survey_doubts
from bayes_sp.design.checks.identified import thin_groups
from bayes_sp.design.design import Design
from bayes_sp.effects.baselines import linear_baselines, with_unmeasured
from bayes_sp.effects.chain import Baselines
from bayes_sp.effects.comparisons.contrasts import Contrasts, asked_contrasts, contrasts
from bayes_sp.effects.comparisons.joined import (
    joined_conditional,
    joined_curves,
    joined_effects,
    joined_interventional,
)
from bayes_sp.effects.controlled import check_doses, controlled_direct_effect, curve_of, dose_curve
from bayes_sp.effects.interventional import interventional_effects
from bayes_sp.effects.moderation.conditional import ConditionalEffects, conditional_effects
from bayes_sp.effects.moderation.curve import EffectCurve, effect_curve
from bayes_sp.effects.moderation.levels import Asked, is_category, settings_of
from bayes_sp.effects.paths import Effects, compute_effects
from bayes_sp.effects.problem import Problem
from bayes_sp.effects.stable_signs import Sign, means_of_sets, signs_of
from bayes_sp.effects.summary import CI_PROB, summarise
from bayes_sp.errors import SurveyError
from bayes_sp.inference.pointwise.imputed import filled_columns
from bayes_sp.model.exposures import Move
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
        """Return draws of every path effect, on every scale that the outcome's family has, of every move."""
        if self._views:
            return joined_effects(self.model, [view.effects(kappa=kappa) for view in self._views])
        return compute_effects(
            self.model, self._design, self._draws, kappa=kappa, mark=self.survey.mark, baselines=self.baselines()
        )

    def effects_held(self, values: Mapping[str, float], *, kappa: float = 1.0) -> Effects:
        """Return draws of every path effect among patients who all have these values of covariates."""
        found = self.baselines(values)
        baselines = linear_baselines(self.model, self._design, self._draws) if found is None else found
        return compute_effects(
            self.model, self._design, self._draws, kappa=kappa, mark=self.survey.mark, baselines=baselines
        )

    def interventional_effects(self) -> xr.Dataset:
        """Return draws of the interventional effects, which need no cross-world assumption.

        See `bayes_sp.effects.interventional.interventional_effects`; Vansteelandt & Daniel (2017), Epidemiology 28,
        258-265. doi:10.1097/EDE.0000000000000596
        """
        if self._views:
            return joined_interventional(self.model, [view.interventional_effects() for view in self._views])
        return interventional_effects(
            self.model, self._design, self._draws, mark=self.survey.mark, baselines=self.baselines()
        )

    def interventional_table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each interventional effect, a difference in the outcome's unit."""
        draws = self.interventional_effects()["difference"].transpose("chain", "draw", "effect")
        table = summarise(draws.to_numpy(), ci_prob)
        table.insert(0, "effect", draws["effect"].to_numpy())
        return table

    def controlled_direct_effect(self, at: Mapping[str, float | Sequence[float]]) -> xr.Dataset:
        """Return draws of the exposure's effect while the mediators are held at stated values, ``{mediator: value}``.

        See `bayes_sp.effects.controlled.controlled_direct_effect`. Of a category or of several exposures, with the
        dimension ``compared``.
        """
        if self._views:
            found = [view.controlled_direct_effect(at) for view in self._views]
            return xr.concat(found, "compared").assign_coords(compared=[move.label for move in self.model.moves])
        return controlled_direct_effect(
            self.model, self._design, self._draws, at, mark=self.survey.mark, baselines=self.baselines()
        )

    def dose_curve(self, exposures: Sequence[float], *, exposure: str = "", kappa: float = 1.0) -> xr.Dataset:
        """Return draws of every path effect of moving the exposure from the contrast's first value to each of these.

        See `bayes_sp.effects.controlled.dose_curve`. With ``[exposures]`` that of one ``exposure``, the first by
        default, from the first value that it is compared with; levels of a category by their numbers.

        Raises
        ------
        SpecificationError
            For an ``exposure`` that the specification has not, and for a value that is no level of a category.
        """
        chosen = self.model.pairs_of(exposure) if self.model.exposures else None
        if chosen is None:
            return dose_curve(
                self.model, self._design, self._draws, exposures, kappa=kappa, mark=self.survey.mark,
                baselines=self.baselines(),
            )  # fmt: skip
        name, ((u0, _), *_) = chosen
        values = check_doses(self.model, name, exposures)
        moves = [Move(((name, u0, u),), "") for u in values]
        found = [self._with(replace(self.model, move=move)).effects(kappa=kappa).draws for move in moves]
        observed = self.survey.records[name].to_numpy(dtype=float)
        return curve_of(found, values, u0, observed)

    def coefficients(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return every parameter of every equation, one in a row: its posterior beside maximum likelihood.

        Columns ``equation, term, mean, sd, lower, upper, ci_kind, ci_prob, prob_negative, ratio, ml_estimate, ml_se,
        r_hat, ess_bulk, ess_tail``; see `bayes_sp.analysis.coefficients.coefficient_table`.
        """
        return self.coefficients_with_notes(ci_prob).table

    def coefficients_with_notes(self, ci_prob: float = CI_PROB, *, known: pd.DataFrame | None = None) -> Coefficients:
        """Return the table of `coefficients` with what maximum likelihood leaves empty in it, and why.

        ``known`` is the table of the verdict on the draws, where it is at hand.
        """
        return coefficient_table(self.model, self.survey, self._design, self._draws, ci_prob=ci_prob, known=known)

    def conditional_effects(self, at: Asked | None = None, *, kappa: float = 1.0) -> ConditionalEffects:
        """Return every path effect with moderators held at levels, one level after the other.

        See `bayes_sp.effects.moderation.conditional.conditional_effects`.

        Parameters
        ----------
        at
            Covariate -> value, or several values, in its own unit; every combination. None for each moderator in turn:
            its categories, its 16th, 50th and 84th percentile, or the values under ``[moderators]``.
        kappa
            As in `effects`.
        """
        if self._views:
            return joined_conditional(self.model, [view.conditional_effects(at, kappa=kappa) for view in self._views])
        settings = settings_of(self.model, self._covariates, at)
        each = [self.effects_held(dict(setting.held), kappa=kappa) for setting in settings]
        return conditional_effects(self.model, self._draws, settings, each, kappa=kappa)

    def effect_curve(self, moderator: str, *, points: int = 25, kappa: float = 1.0) -> EffectCurve:
        """Return every path effect along a moderator, from its 5th to its 95th percentile.

        See `bayes_sp.effects.moderation.curve.effect_curve`.
        """
        if self._views:
            curves = [view.effect_curve(moderator, points=points, kappa=kappa) for view in self._views]
            return joined_curves(self.model, curves)
        return effect_curve(
            self.model, moderator, self._covariates, partial(self.effects_held, kappa=kappa), points=points,
        )  # fmt: skip

    def contrast(self, first: str, second: str, *, kappa: float = 1.0) -> Contrasts:
        """Return how two effects differ, by their names: ``fit.contrast("via sleep", "via mood")``.

        See `bayes_sp.model.named_effects.named_effect` for the names.

        Raises
        ------
        SpecificationError
            For an effect that the model has not.
        """
        return self.contrasts({f"{first} less {second}": (first, second)}, kappa=kappa)

    def contrasts(self, pairs: Mapping[str, tuple[str, str]] | None = None, *, kappa: float = 1.0) -> Contrasts:
        """Return how effects differ, two by two: ``pairs`` by name, or those of the specification's ``[contrasts]``.

        See `bayes_sp.effects.comparisons.contrasts`.
        """

        def effects_at(held: tuple[tuple[str, float], ...]) -> Effects:
            at = {name: [value] for name, value in held}
            return self.conditional_effects(at, kappa=kappa).each[0] if held else self.effects(kappa=kappa)

        return contrasts(asked_contrasts(self.model, pairs), effects_at)

    def ranging(self) -> tuple[str, ...]:
        """Return the moderators that are numbers, along which effects are a curve."""
        return tuple(n for n in self.model.moderating if not is_category(self.model, self._covariates, n))

    @cached_property
    def _covariates(self) -> dict[str, Array]:
        """Values of the covariates in their own units, of the patients in the model."""
        return covariate_values(self.model, self.survey)

    def signs(self, ci_prob: float = CI_PROB) -> dict[str, Sign]:
        """Return on which side of 0 each difference lies for kappa 0, 0.5 and 1, averaged and in every single order.

        See `bayes_sp.effects.stable_signs.signs_of`.
        """
        if self._views:
            each = zip(self.model.moves, (view.signs(ci_prob) for view in self._views), strict=True)
            return {effect_name(path, move.label): sign for move, found in each for path, sign in found.items()}
        return signs_of(*self.means_of_sets(), ci_prob)

    def means_of_sets(self) -> tuple[Problem, list[Array]]:
        """Return what `signs_of` needs of these draws."""
        return means_of_sets(self.model, self._design, self._draws, self.baselines())

    def robust_signs(self, ci_prob: float = CI_PROB) -> dict[str, int]:
        """Return the sign that each effect, averaged over orders, has for kappa 0, 0.5 and 1 alike, else 0."""
        return {effect: sign.lasting for effect, sign in self.signs(ci_prob).items()}

    def baselines(self, held: Mapping[str, float] | None = None) -> Baselines | None:
        """Return what `compute_effects` needs where it averages over what was not measured; else None.

        That is missing cells of covariates, and unmeasured confounders: their own draws stand in for them, draw by
        draw. Covariates that are ``held`` have that value for every patient.

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
    def _design(self) -> Design:
        return design_arrays(self.model, self.survey)

    @property
    def _draws(self) -> xr.Dataset:
        return self.posterior["posterior"].to_dataset()
