"""One specification fitted to one survey, and everything that can be asked of the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_sp.analysis.comparison.table import Comparison, Fitted, compare
from bayes_sp.analysis.criticised import Criticised
from bayes_sp.analysis.criticism.diagnostics import LIMITS, Limits, Verdict, diagnose
from bayes_sp.analysis.summary import EFFECTS, Summary
from bayes_sp.calls import needs_records
from bayes_sp.design.build import covariate_values, design_arrays
from bayes_sp.design.read import Records, survey_of
from bayes_sp.effects.existence import warn_of_means
from bayes_sp.effects.moderation.levels import settings_of
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.exports import found
from bayes_sp.inference.bootstrap.resampled import Resampled, bootstrap_of
from bayes_sp.inference.options import SamplerOptions, usual_options, warn_of_options
from bayes_sp.inference.sample import Notify, sample_posterior, silent
from bayes_sp.inference.samplers.exact import exact_posterior, has_exact_posterior
from bayes_sp.model.normal_twin import likelihoods, twin_notes, twin_of
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import ALONE, DIFFERENCE
from bayes_sp.records.survey import Survey
from bayes_sp.shown import Part, Shown, short
from bayes_sp.threads import shared


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Shown, Criticised):
    """A posterior with what it was conditioned on: effects as of `Conditioned`, criticism as of `Criticised`.

    Attributes
    ----------
    model, survey, posterior
        As in `Conditioned`.
    seed, options
        What the draws depend on.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> few = sp.SamplerOptions(draws=500, cores=1)
    >>> fit = sp.fit("process6", sp.reconstruct(seed=1), seed=1, options=few)
    >>> list(fit.coefficients().columns[:4])
    ['equation', 'term', 'mean', 'sd']
    """

    @property
    def first(self) -> Fit:
        """The fit to the first of several sets of records, which criticism looks at; itself, where there is one."""
        return self

    @property
    def twin(self) -> PathModel:
        """The specification with normal likelihoods that `compare` sets beside this one, as least squares has it."""
        return twin_of(self.model)

    def diagnose(self, effects: Effects | None = None, *, limits: Limits = LIMITS) -> Verdict:
        """Return the verdict on the draws, for every parameter and every effect.

        Parameters
        ----------
        effects
            What `effects` returned, where it is at hand.
        limits
            Largest R-hat, fewest effective draws, and largest share of divergent draws.

        Returns
        -------
        Verdict
        """
        quantities = (effects or self.effects()).quantities()
        return diagnose(self.posterior, quantities, self.model, self.causes(), self._design, limits)

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

        Returns
        -------
        Comparison

        Raises
        ------
        SpecificationError
            Where the named twin is not a twin.
        SurveyError
            Where the twin needs other columns. A bootstrap that is not possible is a sentence in ``missing``.
        """
        models = likelihoods(self.model)
        tell_of_bootstraps(models, replicates, notify)
        resample = partial(
            bootstrap_of, survey=self.survey, seed=self.seed, replicates=replicates, ci_prob=ci_prob
        )  # fmt: skip
        return self._compared(shared(resample, models, self.options.cores), ci_prob, effects)

    def _compared(
        self, made: Sequence[Resampled], ci_prob: float = CI_PROB, effects: Effects | None = None
    ) -> Comparison:
        """Return what `compare` does, of what `bootstrap_of` made of each of `likelihoods` before."""
        fits, missing = [], twin_notes(self.model)
        for model, (resampled, notes) in zip(likelihoods(self.model), made, strict=True):
            own = model is self.model
            drawn, more = (effects or self.effects(), []) if own else self.twin_effects(model)
            missing += [*notes, *more]
            patients = self.patients(model)
            fits.append(Fitted(model, drawn, resampled, patients))
        comparison = compare(self.model, fits, self.survey.mark, ci_prob)
        return replace(comparison, missing=tuple(missing))

    def patients(self, model: PathModel) -> int:
        """Return on how many records a posterior of a specification rests.

        Parameters
        ----------
        model
            This fit's specification or its twin.

        Returns
        -------
        int
        """
        return design_arrays(model, self.survey).n

    def twin_effects(self, twin: PathModel) -> tuple[Effects, list[str]]:
        """Return effects of the normal twin's posterior: exact draws where the closed form applies, else sampled.

        With a sentence where the twin's draws cannot be used.

        Parameters
        ----------
        twin
            The specification with normal likelihoods.

        Returns
        -------
        Effects, list of str
        """
        design = design_arrays(twin, self.survey)
        if has_exact_posterior(twin) and design.complete:
            draws = exact_posterior(twin, design, seed=self.seed, chains=self.options.chains, draws=self.options.draws)
            tree = xr.DataTree.from_dict({"posterior": draws})
            return Fit(twin, self.survey, tree, self.seed, self.options).effects(), []
        tree = sample_posterior(twin, self.survey, seed=self.seed, options=self.options, pointwise=False)
        effects = Fit(twin, self.survey, tree, self.seed, self.options).effects()
        verdict = diagnose(tree, effects.quantities(), twin)
        return effects, [] if verdict.trustworthy else [f"normal posterior: {verdict}"]

    def summary(self, ci_prob: float = CI_PROB) -> Summary:
        """Return what a reader looks for first: the verdict on the draws, the effects and the coefficients.

        Parameters
        ----------
        ci_prob
            Probability of the intervals.

        Returns
        -------
        Summary
        """
        effects = self.effects()
        verdict = self.diagnose(effects)
        table = self.coefficients_with_notes(ci_prob, known=verdict.table)
        return Summary(f"{self.model.title}. {self.survey.mark}", verdict, effects.table(ci_prob), table)

    def report(self, file: str | Path, **options: Any) -> Path:  # noqa: ANN401 - those of `write_fit_report`
        """Write the report of this fit, which need not be saved, and return where it stands.

        Parameters
        ----------
        file
            Ends in ``.html`` (one page with its figures in it), ``.docx``, ``.md`` (figures in a folder beside it) or
            ``.tex`` (the tables).
        **options
            ``check``: also criticise the fit. ``replicates``: bootstrap samples, 5000 by default. ``sensitivity``: the
            folder of sensitivity analyses. ``overwrite``: replace the file.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        RunError
            For another ending, or a file that is there already or cannot be written.
        """
        write = found("bayes_sp.report.document.write:write_fit_report")  # rooms below this one know nothing of it
        return write(self, file, **options)

    @cached_property
    def _differences(self) -> pd.DataFrame:
        """Differences of every path, averaged over orders, with their intervals."""
        table = self.effects().intervals()
        return table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)]

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.model.name}; {self.survey.mark}; seed {self.seed}"
        if lacking := self.lacking():
            return head, [f"The posterior holds no draws of {', '.join(lacking)}, over which effects are averaged."]
        unit = f"Differences in {self.model.outcome_unit}, for {self._contrast}."
        return head, [str(self.diagnose()), list(self.doubts), unit, short(self._differences, EFFECTS, rows=20)]

    @property
    def _contrast(self) -> str:
        moves = "; ".join(move.label for move in self.model.moves)
        low, high = (self.model.words_of(self.model.exposure, value) for value in self.model.contrast)
        return moves or f"{self.model.exposure} of {high} rather than {low}"


def tell_of_bootstraps(models: Sequence[PathModel], replicates: int, notify: Notify) -> None:
    """Call ``notify`` with a line for each bootstrap."""
    for model in models if replicates else ():
        notify(f"bootstrapping {replicates} samples: {model.equations[-1].family}")


@needs_records
def fit(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Records,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
    pointwise: bool = True,
) -> Fit:
    """Fit a specification to one survey; arguments, warnings and errors as `bayes_sp.fit`."""
    model = load_model(model)
    survey = ready(model, twin_of(model), survey)
    warn_of_options(options := options or usual_options())
    warn_of_means(model, design_arrays(model, survey))
    tree = sample_posterior(
        model, survey, seed=seed, options=options, progress=progress, notify=notify, pointwise=pointwise
    )
    return Fit(model, survey, tree, seed, options)


def ready(model: PathModel, twin: PathModel, records: Records) -> Survey:
    """Return the records as a specification takes them, checked before minutes are spent on them.

    Raises SurveyError where they do not fit the specification or its twin, or lack a level of a moderator that is asked
    for.
    """
    survey = survey_of(model, records)
    design_arrays(twin, survey)
    settings_of(model, covariate_values(model, survey))
    return survey
