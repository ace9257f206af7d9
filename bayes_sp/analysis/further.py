"""Further effects of a posterior: interventional, controlled, along doses and moderators, and their contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import pandas as pd
import xarray as xr

from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.arrays import Array
from bayes_sp.design.build import covariate_values
from bayes_sp.effects.comparisons.contrasts import Contrasts, asked_contrasts, contrasts
from bayes_sp.effects.comparisons.joined import joined_conditional, joined_curves, joined_interventional
from bayes_sp.effects.controlled import check_doses, controlled_direct_effect, curve_of, dose_curve
from bayes_sp.effects.interventional import interventional_of
from bayes_sp.effects.moderation.conditional import ConditionalEffects, conditional_effects
from bayes_sp.effects.moderation.curve import EffectCurve, effect_curve
from bayes_sp.effects.moderation.levels import Asked, is_category, settings_of
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_PROB, summarise
from bayes_sp.errors import SpecificationError
from bayes_sp.model.exposures import Move


@dataclass(frozen=True, eq=False)
class Further(Conditioned):
    """A posterior with effects beyond those of its paths for everyone."""

    def interventional_effects(self) -> xr.Dataset:
        """Return draws of the interventional effects, which need no cross-world assumption.

        See `bayes_sp.effects.interventional.interventional_effects`; Vansteelandt & Daniel (2017), Epidemiology 28,
        258-265. doi:10.1097/EDE.0000000000000596

        Returns
        -------
        xarray.Dataset
            ``difference``, in the outcome's unit, dims ``chain``, ``draw`` and ``effect``.

        Raises
        ------
        ValueError
            For more than two mediators.
        """
        if self._views:
            return joined_interventional(self.model, [view.interventional_effects() for view in self._views])
        return interventional_of(self._problem, self.model.mediators, mark=self.survey.mark)

    def interventional_table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each interventional effect, a difference in the outcome's unit.

        Parameters
        ----------
        ci_prob
            Probability of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
        """
        draws = self.interventional_effects()["difference"].transpose("chain", "draw", "effect")
        table = summarise(draws.to_numpy(), ci_prob)
        table.insert(0, "effect", draws["effect"].to_numpy())
        return table

    def controlled_direct_effect(self, at: Mapping[str, float | Sequence[float]]) -> xr.Dataset:
        """Return draws of the exposure's effect while the mediators are held at stated values.

        Parameters
        ----------
        at
            Mediator -> value, or several values, in its own unit; one for every mediator.

        Returns
        -------
        xarray.Dataset
            See `bayes_sp.effects.controlled.controlled_direct_effect`. Of a category or of several exposures, with the
            dimension ``compared``.

        Raises
        ------
        ValueError
            For a mediator that has no value, another name, or a value that the mediator cannot have.
        """
        if self._views:
            found = [view.controlled_direct_effect(at) for view in self._views]
            return xr.concat(found, "compared").assign_coords(compared=[move.label for move in self.model.moves])
        return controlled_direct_effect(
            self.model, self._design, self._draws, at, mark=self.survey.mark, baselines=self.baselines()
        )

    def dose_curve(self, exposures: Sequence[float], *, exposure: str = "", kappa: float = 1.0) -> xr.Dataset:
        """Return draws of every path effect of moving the exposure from the contrast's first value to each of these.

        Parameters
        ----------
        exposures
            Values in the exposure's own unit; levels of a category by their numbers.
        exposure
            With ``[exposures]``, which one is moved, from the first value that it is compared with; the first of them
            by default.
        kappa
            As in `effects`.

        Returns
        -------
        xarray.Dataset
            See `bayes_sp.effects.controlled.dose_curve`; the coordinate ``extrapolated`` marks values beyond the
            records.

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

        Returns
        -------
        ConditionalEffects

        Raises
        ------
        SpecificationError
            For what is no covariate, or values that no record has or that lie beyond them, and where there is neither
            a moderator nor ``at``.
        """
        if at is None and not self.model.moderating:
            reason = "has no moderator; name a covariate and its values, as in conditional_effects({'age': [40, 60]})"
            raise SpecificationError(self.model.name, [reason])
        if self._views:
            return joined_conditional(self.model, [view.conditional_effects(at, kappa=kappa) for view in self._views])
        settings = settings_of(self.model, self._covariates, at)
        each = [self.effects_held(dict(setting.held), kappa=kappa) for setting in settings]
        return conditional_effects(self.model, self._draws, settings, each, kappa=kappa)

    def effect_curve(
        self, moderator: str, *, at: Mapping[str, float] | None = None, points: int = 25, kappa: float = 1.0
    ) -> EffectCurve:
        """Return every path effect along a moderator, from its 5th to its 95th percentile.

        Parameters
        ----------
        moderator
            A covariate in a product whose values are numbers.
        at
            Other covariates -> the value at which each is held, as for a second moderator; the rest are as observed.
        points
            At how many values.
        kappa
            As in `effects`.

        Returns
        -------
        EffectCurve
            See `bayes_sp.effects.moderation.curve.effect_curve`.

        Raises
        ------
        SpecificationError
            For what is no covariate, or has categories: its effects are at levels, not along a range. For values in
            ``at`` that no record has, or that lie beyond them.
        """
        if self._views:
            curves = [view.effect_curve(moderator, at=at, points=points, kappa=kappa) for view in self._views]
            return joined_curves(self.model, curves)
        return effect_curve(
            self.model, moderator, self._covariates, partial(self.effects_held, kappa=kappa), at=at, points=points,
        )  # fmt: skip

    def contrast(self, first: str, second: str, *, kappa: float = 1.0) -> Contrasts:
        """Return how two effects differ, by their names: ``fit.contrast("via sleep", "via mood")``.

        Parameters
        ----------
        first, second
            Names as in tables and sentences: ``total``, ``via sleep``, ``direct [sport against none] at gender = 2``.
        kappa
            As in `effects`.

        Returns
        -------
        Contrasts
            The first less the second; of ratios, over the second.

        Raises
        ------
        SpecificationError
            For an effect that the model has not.
        """
        return self.contrasts({f"{first} less {second}": (first, second)}, kappa=kappa)

    def contrasts(self, pairs: Mapping[str, tuple[str, str]] | None = None, *, kappa: float = 1.0) -> Contrasts:
        """Return how effects differ, two by two.

        Parameters
        ----------
        pairs
            Name of the contrast -> names of the two effects; by default those of the specification's ``[contrasts]``.
        kappa
            As in `effects`.

        Returns
        -------
        Contrasts
            See `bayes_sp.effects.comparisons.contrasts`.

        Raises
        ------
        SpecificationError
            For an effect that the model has not.
        """

        def effects_at(held: tuple[tuple[str, float], ...]) -> Effects:
            at = {name: [value] for name, value in held}
            return self.conditional_effects(at, kappa=kappa).each[0] if held else self.effects(kappa=kappa)

        return contrasts(asked_contrasts(self.model, pairs), effects_at)

    def ranging(self) -> tuple[str, ...]:
        """Return the moderators that are numbers, along which effects are a curve."""
        return tuple(n for n in self.model.moderating if not is_category(self.model, self._covariates, n))

    def effect_curves(self, *, points: int = 25) -> tuple[EffectCurve, ...]:
        """Return the curve along each moderator that is a number, at each level of what stands in a product with it.

        Parameters
        ----------
        points
            At how many values.

        Returns
        -------
        tuple of EffectCurve
            See `effect_curve`.
        """
        settings = [dict(setting.held) for setting in settings_of(self.model, self._covariates)]
        asked = [
            (name, tuple((other, value) for other, value in held.items() if other != name))
            for name in self.ranging()
            for held in settings
            if name in held
        ]
        return tuple(self.effect_curve(name, at=dict(held), points=points) for name, held in dict.fromkeys(asked))

    @cached_property
    def _covariates(self) -> dict[str, Array]:
        """Values of the covariates in their own units, of the patients in the model."""
        return covariate_values(self.model, self.survey)
