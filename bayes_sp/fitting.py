"""One specification fitted to one survey, and everything that can be asked of the fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import xarray as xr

from bayes_sp.compare.multiverse import serial_path
from bayes_sp.compare.table import Comparison, Fitted, compare
from bayes_sp.compare.twin import twin_of
from bayes_sp.criticism.diagnostics import Verdict, diagnose
from bayes_sp.criticism.influence import Influence, influence
from bayes_sp.criticism.loo import DENSITY, PROBABILITY, Loo, Scored, loo, with_refits
from bayes_sp.criticism.pit import LooPit, loo_pit
from bayes_sp.criticism.predictive import REPLICATES, PredictiveChecks, predictive_checks
from bayes_sp.criticism.predictors import Predictor
from bayes_sp.criticism.psis import relative_efficiency
from bayes_sp.criticism.whole import Criticism
from bayes_sp.effects.posterior import Effects, compute_effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import SurveyError
from bayes_sp.frequentist.bootstrap import bootstrap
from bayes_sp.model.exact import exact_posterior, has_exact_posterior
from bayes_sp.model.options import SamplerOptions
from bayes_sp.model.sample import Notify, sample_posterior, silent
from bayes_sp.spec.load import load_model
from bayes_sp.spec.types import PathModel
from bayes_sp.study.reconstruct import reconstruct
from bayes_sp.survey.arrays import design_arrays
from bayes_sp.survey.records import Survey


@dataclass(frozen=True, eq=False)
class Fit:
    """A posterior with what it was conditioned on.

    Attributes
    ----------
    model, survey
        What was fitted to which records.
    posterior
        DataTree with groups ``posterior``, ``sample_stats``, ``log_likelihood``, ``observed_data`` and
        ``constant_data``; its attributes say how it was made.
    seed, options
        What the draws depend on.
    """

    model: PathModel
    survey: Survey
    posterior: xr.DataTree
    seed: int
    options: SamplerOptions

    def effects(self, *, kappa: float = 1.0) -> Effects:
        """Return draws of every path effect, on the coefficient scale and in units of the outcome."""
        design = design_arrays(self.model, self.survey)
        return compute_effects(
            self.model, design, self.posterior["posterior"].to_dataset(), kappa=kappa, mark=self.survey.mark
        )

    def diagnose(self) -> Verdict:
        """Return the verdict on the draws, for every parameter and every effect."""
        return diagnose(self.posterior, self.effects().quantities())

    def compare(self, *, replicates: int = 5000, ci_prob: float = CI_PROB, notify: Notify = silent) -> Comparison:
        """Set this posterior beside the percentile bootstrap, and both beside their normal twins and published values.

        Parameters
        ----------
        replicates
            Bootstrap samples for each likelihood; 0 for no bootstrap.
        ci_prob
            Probability of every interval.
        notify
            Called with a line at the start of each stage.

        Raises
        ------
        SpecificationError
            Where the named twin is not a twin.
        SurveyError
            Where the twin needs other columns. A bootstrap that is not possible is a sentence in ``missing``.
        """
        twin = twin_of(self.model)
        fits, missing = [], list[str]()
        for model in [self.model] if twin == self.model else [twin, self.model]:
            resampled = None
            if replicates:
                notify(f"bootstrapping {replicates} samples: {model.equations[-1].family}")
                design = design_arrays(model, self.survey)
                try:
                    resampled = bootstrap(design, seed=self.seed, replicates=replicates, ci_prob=ci_prob)
                except SurveyError as error:  # the posterior stands without it
                    missing.append(f"{model.equations[-1].family} bootstrap: {'; '.join(error.problems)}")
            effects = self.effects() if model is self.model else self._twin_effects(twin, missing)
            fits.append(Fitted(model, effects, resampled))
        return replace(compare(self.model, fits, self.survey.mark, ci_prob), missing=tuple(missing))

    def _twin_effects(self, twin: PathModel, missing: list[str]) -> Effects:
        """Effects of the normal twin's posterior: exact draws where the closed form applies, else sampled."""
        design = design_arrays(twin, self.survey)
        if has_exact_posterior(twin):
            draws = exact_posterior(twin, design, seed=self.seed, chains=self.options.chains, draws=self.options.draws)
        else:
            tree = sample_posterior(twin, self.survey, seed=self.seed, options=self.options)
            draws = tree["posterior"].to_dataset()
            verdict = diagnose(tree, compute_effects(twin, design, draws).quantities())
            missing += [f"posterior of the normal twin: {verdict}"] if not verdict.trustworthy else []
        return compute_effects(twin, design, draws, mark=self.survey.mark)

    def __repr__(self) -> str:
        return f"Fit({self.model.name}; {self.survey.mark}; seed {self.seed})"

    def _repr_html_(self) -> str:
        head = f"<p><b>{escape(self.model.title)}</b><br>{escape(self.survey.mark)}; seed {self.seed}</p>"
        return head + self.diagnose()._repr_html_()


def fit(
    model: PathModel | str | Path = "primary",
    survey: Survey | None = None,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
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

    Returns
    -------
    Fit

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
    twin = twin_of(model)  # a wrong twin is reported before minutes are spent
    survey = reconstruct() if survey is None else survey
    design_arrays(twin, survey)
    options = options or SamplerOptions()
    tree = sample_posterior(model, survey, seed=seed, options=options, progress=progress, notify=notify)
    return Fit(model, survey, tree, seed, options)
