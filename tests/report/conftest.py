"""Finished analyses made by hand: made-up draws, a small bootstrap and a written verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from bayes_sp.analysis.comparison.recovery import recover_published
from bayes_sp.analysis.comparison.table import Fitted, compare
from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.workflow import Analysis
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.comparisons.joined import all_effects
from bayes_sp.effects.paths import Effects
from bayes_sp.inference.bootstrap.bootstrap import bootstrap_effects
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.article import published
from bayes_sp.records.survey import RECONSTRUCTED, Survey

NUMBERS = {"r_hat": 1.0023, "ess_bulk": 3210.4, "ess_tail": 2109.8, "divergences": 0, "e_bfmi": 0.914}
TABLE = {"name": ["mood[walks]"], "r_hat": [1.0023], "ess_bulk": [3210.4], "ess_tail": [2109.8], "mcse_mean": [0.0012]}


@pytest.fixture(scope="session")
def analyse_by_hand(make_posterior: Callable[..., Any]) -> Callable[..., Analysis]:
    """Return a function: a model and a survey -> an analysis without a sampler."""

    def make(model: PathModel, survey: Survey, reasons: tuple[str, ...] = ()) -> Analysis:
        fits = []
        for each in dict.fromkeys((twin_of(model), model)):
            design = design_arrays(each, survey)
            tree = make_posterior(each, design, seed=4, chains=2, draws=100)
            effects = all_effects(each, design, tree["posterior"].to_dataset(), mark=survey.mark)
            known = each if each.moves else None
            fits.append(Fitted(each, effects, bootstrap_effects(design, known, seed=4, replicates=50)))
        fit = Fit(model, survey, tree, 4, SamplerOptions(draws=100, tune=1, chains=2, cores=1))
        recovered = recover_published(published())[0] if survey.reconstructed else ()
        verdict = Verdict(not reasons, reasons, NUMBERS, pd.DataFrame(TABLE))
        return Analysis(
            fit=fit,
            effects=effects,
            verdict=verdict,
            comparison=compare(model, fits, survey.mark),
            recovered=recovered,
            spread=_spread(effects) if survey.reconstructed else None,
            seconds={"fit": 1.5},
            coefficients=fit.coefficients_with_notes(),
        )

    return make


def _spread(effects: Effects) -> pd.DataFrame:
    """Return what effects would be on two other reconstructions: -0.5 and 0.25 for every path."""
    index = pd.Index(effects.draws["path"].to_numpy(), name="path")
    return pd.DataFrame({1: -0.5, 2: 0.25}, index=index).rename_axis(columns="difference by seed")


@pytest.fixture(scope="session")
def own_analysis(analyse_by_hand, small_model, make_user_survey) -> Analysis:
    """Return the analysis of a user's own file."""
    return analyse_by_hand(small_model, make_user_survey())


@pytest.fixture(scope="session")
def study_analysis(analyse_by_hand, make_survey) -> Analysis:
    """Return an analysis of records that count as reconstructed."""
    survey = replace(make_survey(), origin="reconstruction", source=f"{RECONSTRUCTED} (seed 1)")
    return analyse_by_hand(load_model("primary"), survey)
