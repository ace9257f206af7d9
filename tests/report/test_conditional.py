"""Effects at levels of moderators in the printout, in run folders and in a figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.inference.bootstrap.resampled import bootstrap_of
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import COEFFICIENT, DIFFERENCE, RATE_RATIO
from bayes_sp.report.figures.moderation import plot_effect_curve
from bayes_sp.report.figures.style import figure_of
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.text.summary import summary_text


@pytest.fixture(scope="module")
def moderated(analyse_by_hand, make_survey):
    """Return an analysis of the shipped specification with a moderator, its bootstrap beside it."""
    model, survey = load_model("moderated"), make_survey()
    made = analyse_by_hand(model, survey)
    boot, _ = bootstrap_of(model, survey, 4, 40, 0.95)
    at_levels = {"negative_binomial": boot.conditional}
    return replace(
        made,
        comparison=replace(made.comparison, conditional=at_levels),
        conditional=made.fit.conditional_effects(),
        curves=(made.fit.effect_curve("loneliness_t0", points=5),),
    )


@pytest.mark.fixed_seed  # narrower effects are printed with more decimals
def test_the_printout_has_each_level_the_differences_and_the_index(moderated):
    """Numbers are those of the tables; what the moderator is assumed to be stands below."""
    text = summary_text(moderated)
    assert "Effects at levels of the moderators" in text
    table = moderated.conditional.table().set_index(["at", "path", "scale", "decomposition"])
    serial = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
    for at in dict.fromkeys(setting.at for setting in moderated.conditional.settings):
        assert f"at {at} (" in text
        one = table.loc[(at, serial, RATE_RATIO, "average")]
        assert f"{one['median']:.3f} [{one['lower']:.3f}, {one['upper']:.3f}]" in text
    assert "Index of moderated mediation" in text
    assert "Along loneliness T0" in text
    assert "Loneliness T0 was there before the exposure, which did not change it." in text
    assert max(map(len, text.splitlines())) <= 140


@pytest.mark.slow
def test_a_run_folder_has_the_tables_and_the_figure(moderated, tmp_path):
    """Each table reads back with its columns, the bootstraps' with their likelihood; no patient's row among them."""
    folder = save_analysis(moderated, tmp_path / "run", summary="text")
    tables = {path.name: pd.read_csv(path) for path in folder.glob("*.csv")}
    at = tables["conditional.csv"]
    assert set(at["level"]) == {"16th percentile", "50th percentile", "84th percentile"}
    assert set(at["scale"]) == {COEFFICIENT, RATE_RATIO, DIFFERENCE}
    assert set(tables["conditional_bootstrap.csv"]["likelihood"]) == {"negative_binomial"}
    assert len(tables["conditional_differences.csv"]) == len(tables["conditional_differences_bootstrap.csv"])
    index, twin = tables["moderated_mediation.csv"], tables["moderated_mediation_bootstrap.csv"]
    assert list(index["path"]) == list(twin["path"])
    assert (folder / "along_loneliness_t0.png").stat().st_size > 10_000
    assert len(tables["along_loneliness_t0.csv"]["value"].unique()) == 5


def test_the_figure_draws_the_curve(moderated):
    """A panel for each path, with the median's values, and a scale that is not there is refused."""
    (curve,) = moderated.curves
    figure = figure_of(plot_effect_curve(curve, scale=RATE_RATIO))
    own = curve.table[(curve.table["scale"] == RATE_RATIO) & (curve.table["path"] == "total")]
    line = figure.axes[5].lines[1]
    np.testing.assert_allclose(line.get_ydata(), own["median"])
    with pytest.raises(ValueError, match='there is no scale "risk_ratio" here'):
        sp.plot.effect_curve(curve, scale="risk_ratio")


def test_results_show_themselves(moderated):
    """In a console: what is held at which value, and what has no single index."""
    assert "loneliness_t0" in repr(moderated.conditional)
    assert "holds_no_effect" in repr(moderated.curves[0])
    assert "resamples" in repr(moderated.comparison.conditional["negative_binomial"])
