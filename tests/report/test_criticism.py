"""Criticism in words and figures says what its tables say, and never speaks of significance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_sp.analysis.criticism.prior_predictive import prior_predictive
from bayes_sp.report.figures.criticism import (
    plot_influence,
    plot_loo_pit,
    plot_predictive_checks,
    plot_prior_check,
)
from bayes_sp.report.figures.style import figure_of
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.text.criticism import criticism_sections, prior_text
from bayes_sp.report.text.summary import summary_text
from bayes_sp.shown import WIDTH

FORBIDDEN = ("significan", "p-value", "p value")


@pytest.fixture
def criticised(own_analysis):
    """Return a hand-made analysis with its criticism: the outcome's made-up log-likelihood is not used."""
    tree = own_analysis.fit.posterior.drop_nodes("log_likelihood")
    fit = replace(own_analysis.fit, posterior=tree)
    return replace(own_analysis, fit=fit, criticism=fit.criticise())


def text_of(analysis, *, keep_records: bool = True) -> str:
    sections = criticism_sections(analysis.fit.model, analysis.criticism, keep_records=keep_records)
    return "\n".join(line for title, lines in sections for line in (title, *lines))


def test_the_sections_say_what_the_tables_say(criticised):
    """Observed and replicated values, elpd, and the most influential row stand in the text."""
    text, found = text_of(criticised), criticised.criticism
    loo = found.loo.table.set_index("response").loc["visits"]
    assert f"{loo['elpd']:.1f} ({loo['se']:.1f})" in text
    assert f"row {found.influence.table['row'].iloc[0]}" in text
    zeros = found.checks.table.query("statistic == 'share of zeros' and exposure == 'all'").iloc[0]
    assert f"{zeros['share_at_or_above']:.3f}" in text
    assert f"{len(found.checks.outside)} of {len(found.checks.table)} statistics lie outside" in text
    assert not any(word in text.lower() for word in FORBIDDEN)
    assert max(map(len, text.splitlines())) <= WIDTH


def test_the_summary_has_criticism_only_where_it_was_asked_for(criticised):
    """Three more numbered sections, before the assumptions."""
    plain, checked = summary_text(replace(criticised, criticism=None)), summary_text(criticised)
    assert "Would the model have produced these records?" not in plain
    assert checked.index("Does one patient carry the result?") < checked.index("What these effects assume")


@pytest.mark.slow
def test_a_checked_run_has_tables_and_figures_and_no_value_of_a_patient(criticised, tmp_path):
    """What goes patient by patient, and the ends, which are single patients' values, come with the records only."""
    save_analysis(criticised, tmp_path / "run", summary="")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"predictive.csv", "loo.csv", "predictive.png", "loo_pit.png"} < names
    assert not any(name.startswith("influence") for name in names)
    checks = pd.read_csv(tmp_path / "run" / "predictive.csv")
    ends = checks["statistic"].isin(["minimum", "maximum"])
    assert ends.any()
    assert checks.loc[ends, "observed"].isna().all()
    np.testing.assert_allclose(checks.loc[ends, "share_at_or_above"] * 10 % 1, 0, atol=1e-9)
    zeros = checks[checks["statistic"] == "share of zeros"].set_index("exposure")
    counts = (zeros["observed"] * zeros["patients"]).dropna()
    assert (counts >= 10).all()
    assert zeros["observed"].isna().sum() != 1  # one alone could be worked out from the others
    others = checks[~ends & (checks["statistic"] != "share of zeros")]
    assert others["observed"].notna().all()

    save_analysis(criticised, tmp_path / "all", summary="", keep_records=True)
    names = {path.name for path in (tmp_path / "all").iterdir()}
    assert {"influence.csv", "influence.png"} < names
    influence = pd.read_csv(tmp_path / "all" / "influence.csv")
    assert sorted(influence["row"]) == list(range(2, 122))  # the file's own rows
    assert pd.read_csv(tmp_path / "all" / "predictive.csv")["observed"].notna().all()


def test_the_ends_are_printed_with_the_records_only(criticised):
    """In the lines of all patients; the note says why they are absent."""
    model, found = criticised.fit.model, criticised.criticism
    largest = f"{criticised.fit.survey.records[model.outcome].max():.0f}"
    for with_ends in (True, False):
        lines = next(criticism_sections(model, found, keep_records=with_ends))[1]
        cells = [line.split() for line in lines if line.strip()]
        rows = {name: [row for row in cells if row[0] == name][-1] for name in ("mean", "maximum")}
        assert len(rows["maximum"]) == len(rows["mean"]) - (not with_ends)  # of the outcome: the cell is empty
        assert not with_ends or rows["maximum"][1] == largest
        assert ("are not shown" in " ".join(lines)) != with_ends


def test_a_patient_on_whom_the_conclusion_hangs_is_named_with_the_records(criticised):
    """The rows without which the interval changes sides stand in a sentence, or that there is such a patient."""
    influence = criticised.criticism.influence
    table = influence.table.copy()
    table.loc[0, ["lower", "upper"]] = (0.1, 0.2) if influence.lower <= 0 <= influence.upper else (-0.1, 0.2)
    changed = replace(criticised.criticism, influence=replace(influence, table=table))
    for keep_records, words in ((True, "without row"), (False, "without that patient")):
        text = text_of(replace(criticised, criticism=changed), keep_records=keep_records)
        assert f"depends on a single patient: it changes {words}" in " ".join(text.split())
        assert ("row " in text.replace("row of the file", "")) == keep_records


def test_priors_in_words_and_in_a_figure(small_model, make_user_survey):
    """Every statement of the table has a line; the figure has a panel for each response and its scale's ends."""
    found = prior_predictive(small_model, make_user_survey(), draws=300).check()
    text = prior_text(small_model, found)
    for quantity in found.table["quantity"]:
        assert quantity in text
    assert "Mood (normal, points (0-10))" in text
    figure = figure_of(plot_prior_check(found))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Mood", "Visits"]
    lines = {line.get_xdata()[0] for line in figure.axes[0].lines}
    assert found.observed["mood"] in lines


def test_the_figure_of_replicates_holds_the_tables_numbers(criticised):
    """Bars are observed frequencies, and diamonds the observed statistic of each level of the exposure."""
    checks = criticised.criticism.checks
    figure = figure_of(plot_predictive_checks(checks))
    above, below = figure.axes[1], figure.axes[3]
    rows = checks.frequencies[checks.frequencies["response"] == "visits"]
    np.testing.assert_allclose([bar.get_height() for bar in above.patches], rows["observed"] / rows["width"])
    assert (rows["observed"] >= 10).all()
    own = checks.without_patients().table.query("response == 'visits' and statistic == 'share of zeros'")
    np.testing.assert_allclose(below.lines[-1].get_ydata(), own["observed"])


def test_the_other_figures_hold_every_patient(criticised):
    """One line for each patient's influence; one distribution function for each response."""
    found = criticised.criticism
    (axes,) = figure_of(plot_influence(found.influence)).axes
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), found.influence.table["row"])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), found.influence.table["shift_sd"])
    assert len(figure_of(plot_loo_pit(found.pit)).axes) == 2


def test_long_labels_stay_in_their_panel(criticised):
    """Titles and axes of panels that stand side by side are folded, so that none runs into its neighbour."""
    found, model = criticised.criticism, criticised.fit.model
    label = "A label of sixty letters that says at length what was asked for"
    own = replace(model, variables=tuple(replace(model.variable(name), label=label) for name in model.chain))
    for panels in (
        plot_loo_pit(replace(found.pit, model=own)),
        plot_predictive_checks(replace(found.checks, model=own)),
    ):
        axes = figure_of(panels).axes
        texts = [text for panel in axes for text in (panel.get_title(loc="left"), panel.get_xlabel())]
        assert any("\n" in text for text in texts)
        assert max(len(line) for text in texts for line in text.splitlines()) <= 50
