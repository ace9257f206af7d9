"""Figures of effects, draws and waves, through what is drawn on their axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

import bayes_sp as sp
from bayes_sp.analysis.pooled import Pooled, pool
from bayes_sp.design.build import design_arrays
from bayes_sp.errors import BayesSpError
from bayes_sp.model.parts import PracticalRegion
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.sets import sets_of
from bayes_sp.report.figures.draws import plot_prior_posterior, plot_rank, plot_trace
from bayes_sp.report.figures.effects import plot_densities, plot_dose, plot_forest, plot_members
from bayes_sp.report.figures.paths import plot_paths
from bayes_sp.report.figures.records import plot_change
from bayes_sp.report.figures.style import figure_of

PATHS = ("walks -> visits", "walks -> mood -> visits", "total")


def differences(fit) -> pd.DataFrame:
    table = fit.effects().intervals()
    return table[(table["scale"] == "difference") & (table["decomposition"] != "alone")].set_index("path")


def note_of(drawn) -> str:
    return " ".join(figure_of(drawn).get_supxlabel().split())


def inside(drawn) -> bool:
    """Whether every text lies within its figure."""
    figure = figure_of(drawn)
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    texts = [text for axes in figure.axes if axes.axison for text in (axes.xaxis.label, axes.yaxis.label, axes.title)]
    for axes in figure.axes:
        low, high = sorted(axes.get_ylim())
        texts += [tick for tick in axes.get_yticklabels() if low <= tick.get_position()[1] <= high]
    boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
    return all(-1 <= box.x0 and box.x1 <= width + 1 and -1 <= box.y0 and box.y1 <= height + 1 for box in boxes)


def test_the_forest_is_the_table_of_differences(own_analysis):
    """Medians and both intervals; which interval is which stands below, with unit and records."""
    axes = plot_forest(own_analysis.fit)
    own = differences(own_analysis.fit).loc[list(PATHS)]
    np.testing.assert_allclose(axes.lines[-1].get_xdata(), own["median"])
    outer = axes.collections[0].get_segments()
    np.testing.assert_allclose([segment[:, 0] for segment in outer], own[["lower", "upper"]])
    assert "visits per person per year" in axes.get_xlabel().replace("\n", " ")
    assert "50 % (thick) and 95 % (thin) equal-tailed interval" in note_of(axes)
    assert own_analysis.fit.survey.mark in note_of(axes)


def test_densities_hold_one_and_the_region_its_probability(own_analysis):
    """Each curve has area 1; the title's probability is the share of draws within the region."""
    fit = replace(own_analysis.fit, model=replace(own_analysis.fit.model, practical=PracticalRegion(-0.1, 0.1, "few")))
    panels = plot_densities(fit)
    draws = fit.effects().draws["average"].sel(scale="difference")
    assert len(panels) == len(PATHS)
    for panel, path in zip(panels, PATHS, strict=True):
        curve = next(line for line in panel.lines if len(line.get_xdata()) > 100)
        assert np.trapezoid(curve.get_ydata(), curve.get_xdata()) == pytest.approx(1.0, abs=1e-6)
        values = draws.sel(path=path).to_numpy()
        share = ((values > -0.1) & (values < 0.1)).mean()
        shown = f"{share:.3f}" if 0.0005 <= share <= 0.9995 else "< .001" if share < 0.5 else "> .999"
        assert shown in panel.get_title(loc="left")
    assert "from \u22120.1 to 0.1 do not matter" in note_of(panels)


def test_the_dose_curve_marks_what_lies_beyond_the_records(own_analysis):
    """It passes the contrast's effect, is 0 where nothing moves, and is hatched beyond the tenth patient."""
    fit = own_analysis.fit
    axes = plot_dose(fit, exposures=np.arange(0.0, 13.0))
    own, (u0, u1) = differences(fit).loc["total"], fit.model.contrast
    x, y = axes.lines[1].get_data()
    assert y[x == u1] == pytest.approx(own["median"])
    assert y[x == u0] == pytest.approx(0.0)
    lowest, highest = np.sort(fit.survey.records["walks"])[[9, -10]]
    *below, hatched = sorted((patch for patch in axes.patches if patch.get_hatch()), key=lambda patch: patch.get_x())
    assert [patch.get_x() + patch.get_width() for patch in below] == [lowest] * int(lowest > 0.0)
    assert hatched.get_x() == highest
    assert hatched.get_x() + hatched.get_width() == 12.0
    assert "fewer than 10 patients lie beyond" in note_of(axes)
    with pytest.raises(BayesSpError, match="is no path of small"):
        plot_dose(fit, path="walks -> sleep")


def test_a_dose_curve_stays_within_the_scale_of_the_exposure(own_analysis):
    """Walks are not drawn below none."""
    axes = plot_dose(own_analysis.fit)
    assert axes.get_xlim()[0] >= own_analysis.fit.model.variable("walks").minimum


@pytest.fixture(scope="module")
def pooled(small_model, make_user_survey, make_posterior) -> Pooled:
    surveys = [replace(make_user_survey(seed=seed), source=f"set {seed}") for seed in (1, 2, 3)]
    fits = [
        sp.Fit(small_model, each, make_posterior(small_model, design_arrays(small_model, each), seed=k, chains=2,
               draws=100), k, sp.SamplerOptions(draws=100, chains=2))
        for k, each in enumerate(surveys)
    ]  # fmt: skip
    return pool(sets_of(surveys), fits)


def test_members_and_pool_are_those_of_the_tables(pooled, own_analysis):
    """Members in the order of their medians, the pool below them; one set of records is refused."""
    axes = plot_members(pooled)
    members = pooled.members()
    own = members[(members["path"] == "total") & (members["scale"] == "difference")]
    np.testing.assert_allclose(axes.lines[1].get_xdata(), np.sort(own["median"]))
    assert axes.lines[-1].get_xdata() == pytest.approx(differences(pooled).loc["total", "median"])
    with pytest.raises(BayesSpError, match="several sets of records"):
        plot_members(own_analysis.fit)


def test_prior_and_posterior_of_each_arrow(own_analysis):
    """The prior is that of the specification, the posterior's curve has the draws' mean."""
    fit = own_analysis.fit
    panels = plot_prior_posterior(fit)
    assert len(panels) == 3
    prior, posterior = panels[0].lines[:2]
    known = fit.model.prior("mood", "walks")
    np.testing.assert_allclose(prior.get_ydata(), np.exp(known.log_density(prior.get_xdata())))
    draws = fit.posterior["posterior"]["mood"].sel(mood_term="walks")
    mean = np.trapezoid(posterior.get_ydata() * posterior.get_xdata(), posterior.get_xdata())
    assert mean == pytest.approx(float(draws.mean()), abs=1e-3)
    assert panels[0].get_title(loc="left") == "Walks a week → mood"


@pytest.mark.parametrize("draw", [plot_trace, plot_rank])
def test_arviz_draws_the_chains_of_each_arrow(draw, own_analysis):
    """One panel for each coefficient on an arrow, a line for each chain, no word of tests; also in a user's axes."""
    fit = own_analysis.fit
    given = Figure().subplots(1, 3)
    for panels in (draw(fit), draw(fit, given)):
        assert [panel.get_title() for panel in panels] == [
            "Walks a week → mood",
            "Walks a week → visits",
            "Mood → visits",
        ]
        assert all("p=" not in text.get_text() for panel in panels for text in panel.texts)
        chains = fit.posterior["posterior"]["visits"].sel(visits_term="mood").transpose("chain", "draw").to_numpy()
        assert len(panels[2].lines) >= len(chains)
        if draw is plot_trace:
            drawn = [line.get_ydata() for line in panels[2].lines if len(line.get_xdata()) == chains.shape[1]]
            np.testing.assert_allclose(drawn, chains)
    assert list(panels) == list(given)
    with pytest.raises(BayesSpError, match="3 axes are needed"):
        draw(fit, given[:2])


def test_changes_are_those_of_the_check_in_sds_of_the_first_wave():
    """One row for each pair of waves; a survey of one wave is refused."""
    found = sp.check(sp.reconstruct(seed=1))
    axes = plot_change(found)
    expected = found.repeated["change"] / found.repeated["sd_first"]
    np.testing.assert_allclose(axes.lines[-1].get_xdata(), expected)
    assert "95 % intervals of the mean change" in note_of(axes)
    with pytest.raises(BayesSpError, match="two waves"):
        plot_change(replace(found, repeated=found.repeated.head(0)))


def test_mediators_side_by_side_stand_above_and_below_the_direct_arrow(analyse_by_hand, make_survey):
    """Without an arrow between them they have one place across, and neither is at the height of the ends."""
    tables = {
        "title": "Side by side", "exposure": "group_change", "outcome": "appointments_t1",
        "equation": [
            {"response": "belonging_t1", "family": "normal"},
            {"response": "loneliness_t1", "family": "normal", "parents": ["group_change"], "residual_correlations": []},
            {"response": "appointments_t1", "family": "negative_binomial"},
        ],
        "priors": {
            "intercept": {"dist": "normal", "mu": 2, "sigma": 2, "why": "wide"},
            "slope": {"dist": "normal", "mu": 0, "sigma": 1, "why": "wide"},
            "sigma": {"dist": "half_normal", "sigma": 2, "why": "wide"},
            "phi": {"dist": "gamma", "alpha": 2, "beta": 1, "why": "wide"},
        },
    }  # fmt: skip
    axes = plot_paths(analyse_by_hand(load_model(tables), make_survey()).fit)
    places = {text.get_text(): text.get_position() for text in axes.texts if text.get_zorder() == 1 and text.get_text()}
    first, second = places["belonging_t1"], places["loneliness_t1"]
    assert first[0] == second[0]
    assert second[1] < 0 < first[1]
    assert places["group_change"][1] == places["appointments_t1"][1] == 0


def test_a_moderator_points_at_the_arrows_that_depend_on_it(analyse_by_hand, make_survey):
    """Its box stands below the chain, with a dashed arrow and the product's coefficient for each."""
    analysis = analyse_by_hand(load_model("moderated"), make_survey())
    axes = plot_paths(analysis.fit)
    dashed = [
        t for t in axes.texts if isinstance(t, Annotation) and t.arrow_patch.get_linestyle() not in ("-", "solid")
    ]
    assert len(dashed) == 2
    draws = analysis.fit.posterior["posterior"]["belonging_t1"].sel(belonging_t1_term="loneliness_t0:group_change")
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    label = f"{middle:z.2f} [{low:z.2f}, {high:z.2f}]".replace("-", "\u2212")
    assert label in [text.get_text() for text in axes.texts]
    box = next(text for text in axes.texts if text.get_text() == "Loneliness T0")
    assert box.get_position()[1] < 0
    assert "Dashed: what one more unit adds" in note_of(axes)


@pytest.mark.parametrize("draw", [plot_forest, plot_densities, plot_dose, plot_prior_posterior])
def test_long_labels_wrap_and_nothing_is_cut_off(draw, own_analysis):
    """With labels and units of two hundred letters."""
    long = "A label that somebody has written as a whole sentence because it says everything " * 2
    model = own_analysis.fit.model
    variables = tuple(replace(v, label=f"{v.label} {long}".strip(), unit=long.strip()) for v in model.variables)
    assert inside(draw(replace(own_analysis.fit, model=replace(model, variables=variables))))


def test_every_figure_is_public_typed_and_in_the_gallery():
    """Each function of ``bayes_sp.plot`` has a type, a page in the gallery, and a small picture there."""
    from pathlib import Path

    docs = Path(__file__).parents[2] / "docs"
    page, types = (docs / "gallery.md").read_text("utf-8"), (docs.parent / "bayes_sp" / "plot.pyi").read_text("utf-8")
    for name in sp.plot.__all__:
        told = f"give {name} a place in FIGURES of docs/gallery.py, then python docs/gallery.py {name}"
        shown = f"sp.plot.{name}(" in page and (docs / "gallery" / f"{name}.png").is_file()
        assert shown, told
        assert f" as {name}\n" in types, f"name {name} in plot.pyi"
    for picture in (docs / "gallery").glob("*.png"):
        assert picture.stat().st_size < 100_000, f"{picture.name} is too large: fewer panels, in docs/gallery.py"
        assert f"gallery/{picture.name}" in page, f"no figure of docs/gallery.py is {picture.name}: remove it"
