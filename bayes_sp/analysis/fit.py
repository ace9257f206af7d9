"""One specification fitted to one survey, and everything that can be asked of the fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import xarray as xr

from bayes_sp.analysis.comparison.models import main_path
from bayes_sp.analysis.comparison.table import Comparison, Fitted, compare
from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.analysis.criticism.diagnostics import Verdict, diagnose
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
from bayes_sp.arrays import Array
from bayes_sp.design.build import complete_cases, design_arrays
from bayes_sp.design.checks.doubts import warn_of_doubts
from bayes_sp.effects.existence import warn_of_means
from bayes_sp.effects.paths import Effects, compute_effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import BayesSpError, FitError, SurveyError
from bayes_sp.inference.bootstrap.resampled import bootstrap_of
from bayes_sp.inference.options import SamplerOptions, warn_of_options
from bayes_sp.inference.sample import Notify, sample_posterior, silent
from bayes_sp.inference.samplers.exact import exact_posterior, has_exact_posterior
from bayes_sp.model.normal_twin import twin_notes, twin_of
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE, DIFFERENCE
from bayes_sp.records.codes import without_codes
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import Survey
from bayes_sp.safe_text import html


@dataclass(frozen=True, eq=False)
class Fit(Conditioned):
    """A posterior with what it was conditioned on; every effect can be asked of it as of `Conditioned`.

    Attributes
    ----------
    model, survey, posterior
        As in `Conditioned`.
    seed, options
        What the draws depend on.
    """

    seed: int
    options: SamplerOptions

    def diagnose(self, effects: Effects | None = None) -> Verdict:
        """Return the verdict on the draws, for every parameter and every effect (``effects``, where at hand)."""
        return diagnose(self.posterior, (effects or self.effects()).quantities(), self.model, self.causes())

    def compare(
        self,
        *,
        replicates: int = 5000,
        ci_prob: float = CI_PROB,
        notify: Notify = silent,
        effects: Effects | None = None,
    ) -> Comparison:
        """Set this posterior beside the percentile bootstrap, and both beside their normal twins and published values.

        Parameters
        ----------
        replicates
            Bootstrap samples for each likelihood; 0 for no bootstrap.
        ci_prob
            Probability of every interval.
        notify
            Called with a line at the start of each stage.
        effects
            What `effects` returned, where it is at hand; computed here otherwise.

        Raises
        ------
        SpecificationError
            Where the named twin is not a twin.
        SurveyError
            Where the twin needs other columns. A bootstrap that is not possible is a sentence in ``missing``.
        """
        twin = twin_of(self.model)
        fits, missing = [], twin_notes(self.model)
        alone = twin == self.model or bool(self.model.windows)
        for model in [self.model] if alone else [twin, self.model]:
            resampled = None
            if replicates:
                notify(f"bootstrapping {replicates} samples: {model.equations[-1].family}")
                resampled, notes = bootstrap_of(model, self.survey, self.seed, replicates, ci_prob)
                missing += notes
            own = model is self.model
            found = (effects or self.effects()) if own else self._twin_effects(twin, missing)
            patients = len(complete_cases(model, self.survey))
            fits.append(Fitted(model, found, resampled, patients))
        return replace(compare(self.model, fits, self.survey.mark, ci_prob), missing=tuple(missing))

    def predictive_checks(self, *, replicates: int = REPLICATES, ci_prob: float = CI_PROB) -> PredictiveChecks:
        """Set statistics of the records beside those of records replicated from the posterior (seed: the fit's)."""
        return predictive_checks(
            self.model, self._design, self._draws, seed=self.seed, replicates=replicates, ci_prob=ci_prob,
            mark=self.survey.mark,
        )  # fmt: skip

    def loo(self, *, refits: int = 0) -> Loo:
        """Return leave-one-out cross-validation of each equation.

        Parameters
        ----------
        refits
            Patients with a Pareto k above 0.7 that are left out by a refit, at most; the others keep their estimate,
            and a note says so.
        """
        found = self._pointwise
        digests = column_digests(self.model, self.survey)
        scope = scope_of(self.model, self._design, found, patient_rows(self.model, self.survey))
        estimated = loo(self.model.name, scored_responses(self.model), found.draws, found.values, digests, scope)
        return with_refits(estimated, self._refitted_pointwise, refits) if refits else estimated

    def loo_pit(self) -> LooPit:
        """Return where each response falls in what the other patients predict for it (seed: the fit's)."""
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
        """
        found = self._pointwise
        path = path or main_path(self.model)
        without = influence(
            self._difference(path, found.draws), list(found.values.values()), path=path, scale=DIFFERENCE,
            unit=self.model.outcome_unit, rows=patient_rows(self.model, self.survey),
            efficiency=relative_efficiency(found.draws), most_refits=refits, ci_prob=ci_prob,
            refit=lambda patient: self._refitted_effect(patient, path),
        )  # fmt: skip
        return replace(without, mark=self.survey.mark)

    def criticise(self, *, refits: int = 0, notify: Notify = silent) -> Criticism:
        """Return every check of the fit."""
        notify("replicating the records")
        checks = self.predictive_checks()
        notify("leaving patients out")
        return Criticism(checks, self.loo(refits=refits), self.loo_pit(), self.influence(refits=refits))

    def without(self, patient: int) -> Fit:
        """Fit again without one patient (counted from 0).

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
        return Fit(self.model, survey, tree, self.seed, self.options)

    @cached_property
    def _pointwise(self) -> Pointwise:
        return pointwise(self.model, self._design, self.posterior)

    def _difference(self, path: str, draws: xr.Dataset) -> Array:
        """Draws (chain, draw) of a path's difference, averaged over all patients of this fit, at these of its draws."""
        effects = compute_effects(self.model, self._design, self._draws, baselines=self.baselines())
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
        draws = compute_effects(self.model, self._design, refit._draws).draws
        return draws[AVERAGE].sel(path=path, scale=DIFFERENCE).to_numpy()

    def _twin_effects(self, twin: PathModel, missing: list[str]) -> Effects:
        """Effects of the normal twin's posterior: exact draws where the closed form applies, else sampled."""
        design = design_arrays(twin, self.survey)
        if has_exact_posterior(twin) and design.complete:
            draws = exact_posterior(twin, design, seed=self.seed, chains=self.options.chains, draws=self.options.draws)
            return compute_effects(twin, design, draws, mark=self.survey.mark)
        tree = sample_posterior(twin, self.survey, seed=self.seed, options=self.options, pointwise=False)
        effects = Fit(twin, self.survey, tree, self.seed, self.options).effects()
        verdict = diagnose(tree, effects.quantities(), twin)
        missing += [] if verdict.trustworthy else [f"normal posterior: {verdict}"]
        return effects

    def __repr__(self) -> str:
        return f"Fit({self.model.name}; {self.survey.mark}; seed {self.seed})"

    def _repr_html_(self) -> str:
        records = f"{self.survey.mark}; seed {self.seed}"
        return html(records, *self.doubts, strong=self.model.title) + self.diagnose()._repr_html_()


def fit(
    model: PathModel | str | Path = "primary",
    survey: Survey | None = None,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
    pointwise: bool = True,
) -> Fit:
    """Fit a specification to a survey.

    Parameters
    ----------
    model
        A specification, the name of a shipped one, or the path of a TOML file.
    survey
        The records; ``None`` for the reconstruction of the published study (seed 1).
    seed
        Of the sampler. The same seed gives the same draws.
    options
        Draws, warm-up, chains and cores.
    progress
        Show the sampler's progress bar.
    notify
        Called with a line at the start of each stage.
    pointwise
        False to keep no pointwise log-likelihoods, which take a fifth of the time of a small fit; criticism then
        computes them when it is asked for.

    Returns
    -------
    Fit

    Warns
    -----
    SurveyWarning
        Of whatever speaks against taking records from memory as they are; `read_survey` warns of those in a file.
    FitWarning
        Of options with which no draws can pass the diagnostics, and priors that leave a mean without a value.

    Raises
    ------
    SpecificationError
        Where the specification, or the twin it names, is wrong.
    SurveyError
        Where the survey does not fit the specification.
    FitError
        Where the model cannot be sampled with these records.
    """
    model = load_model(model)
    twin = twin_of(model)
    survey = reconstruct() if survey is None else without_codes(model, survey)
    design_arrays(twin, survey)  # a wrong twin is reported before minutes are spent
    if survey.origin == "memory":  # reading a file has warned already
        warn_of_doubts(model, survey)
    warn_of_options(options := options or SamplerOptions())
    warn_of_means(model, design_arrays(model, survey))
    tree = sample_posterior(
        model, survey, seed=seed, options=options, progress=progress, notify=notify, pointwise=pointwise
    )
    return Fit(model, survey, tree, seed, options)
