"""Figures hold what the tables say: tested through their axes, not their pixels."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from bayes_sp.analysis.fit import Fit
from bayes_sp.design.build import design_arrays
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import DIFFERENCE, TOTAL_INDIRECT
from bayes_sp.report.figures.comparison import plot_comparison
from bayes_sp.report.figures.paths import INK, plot_paths
from bayes_sp.report.figures.style import QUIET, figure_of, part_texts


def texts_of(axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_the_path_diagram_has_a_box_for_each_variable_and_an_arrow_for_each_edge(study_analysis):
    """Four variables and six edges: exposure left, outcome right, mediators above."""
    (axes,) = figure_of(plot_paths(study_analysis.fit)).axes
    arrows = [text for text in axes.texts if isinstance(text, Annotation)]
    assert len(arrows) == 6
    boxes = {
        text.get_text().replace("\n", " "): text.get_position()
        for text in axes.texts
        if text.get_zorder() == 1 and text.get_text()
    }
    labels = [study_analysis.fit.model.variable(name).label for name in study_analysis.fit.model.chain]
    assert list(boxes) == labels
    xs = [boxes[label][0] for label in labels]
    assert xs == sorted(xs)
    assert min(boxes[label][1] for label in labels[1:-1]) > max(boxes[labels[0]][1], boxes[labels[-1]][1])


def test_texts_part_from_boxes_and_from_each_other():
    """The first free place is taken; a text that is free stays; where none is free, the least covered one is."""
    axes = Figure(figsize=(6, 4)).subplots()
    box = axes.text(0.3, 0.5, "a box", ha="center", bbox={"boxstyle": "round,pad=0.6"})
    covering, free, stuck = (axes.text(x, 0.5, "0.10 [0.03, 0.16]") for x in (0.3, 0.8, 0.29))
    places = [(0.3, 0.51), (0.3, 0.8), (0.3, 0.1)]
    part_texts(axes.figure, [box], [(covering, places), (free, places), (stuck, [(0.3, 0.81), (0.4, 0.5)])])
    assert covering.get_position() == (0.3, 0.8)
    assert free.get_position() == (0.8, 0.5)
    assert stuck.get_position() == (0.4, 0.5)


def test_arrows_carry_the_posterior_median_and_interval(own_analysis):
    """Each arrow's label is the median and the equal-tailed limits of its coefficient."""
    (axes,) = figure_of(plot_paths(own_analysis.fit)).axes
    expected = []
    for response, parent in (("mood", "walks"), ("visits", "walks"), ("visits", "mood")):
        draws = own_analysis.fit.posterior["posterior"][response].sel({f"{response}_term": parent})
        low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
        expected.append(f"{middle:z.2f} [{low:z.2f}, {high:z.2f}]".replace("-", "\u2212"))
    assert [text for text in texts_of(axes) if "[" in text] == expected


def test_dark_arrows_are_those_whose_interval_excludes_0(own_analysis):
    """The colour of an arrow says whether its label's interval holds 0."""
    (axes,) = figure_of(plot_paths(own_analysis.fit)).axes
    labels = [text for text in axes.texts if "[" in text.get_text()]
    assert len(labels) == 3
    for label in labels:
        limits = label.get_text().replace("\u2212", "-").partition("[")[2].rstrip("]")
        low, high = map(float, limits.split(","))
        if low and high:  # 0.00 may be on either side
            assert label.get_color() == (INK if low > 0 or high < 0 else QUIET)


def test_a_removed_edge_has_no_arrow(analyse_by_hand, small_tables, make_user_survey):
    """Without the direct edge two arrows are left."""
    small_tables["equation"][1]["parents"] = ["mood"]
    del small_tables["priors"]["visits"]
    analysis = analyse_by_hand(load_model(small_tables, name="mediated"), make_user_survey())
    (axes,) = figure_of(plot_paths(analysis.fit)).axes
    assert sum(isinstance(text, Annotation) for text in axes.texts) == 2


@pytest.mark.parametrize("name", ["own_analysis", "study_analysis"])
def test_every_figure_says_what_the_records_are(name, request):
    """The mark of the records stands on both figures: on reconstructed ones, and on a user's file, each its own."""
    analysis = request.getfixturevalue(name)
    paths = figure_of(plot_paths(analysis.fit))
    forest = figure_of(plot_comparison(analysis.comparison))
    for text in (" ".join(figure.get_supxlabel().split()) for figure in (paths, forest)):
        assert analysis.fit.survey.mark in text
        assert ("reconstructed" in text) == analysis.fit.survey.reconstructed


def test_the_forest_holds_every_difference_of_the_table(own_analysis):
    """Each kind of result is one series whose points are the table's estimates."""
    (axes,) = figure_of(plot_comparison(own_analysis.comparison)).axes
    table = own_analysis.comparison.table
    table = table[(table["scale"] == DIFFERENCE) & (table["path"] != TOTAL_INDIRECT)]  # one path is all of it
    series = {line.get_label(): line.get_xdata() for line in axes.lines if not line.get_label().startswith("_")}
    assert list(series) == [
        "published", "normal, bootstrap", "normal, posterior", "negative binomial, bootstrap",
        "negative binomial, posterior",
    ]  # fmt: skip
    for label, values in series.items():
        likelihood, _, inference = label.replace("negative binomial", "negative_binomial").partition(", ")
        rows = table[(table["likelihood"] == likelihood) & (table["inference"] == (inference or "published"))]
        np.testing.assert_allclose(values, rows["estimate"])


def test_the_forests_lines_are_the_intervals(own_analysis):
    """Every interval of the table is drawn from its lower to its upper limit; an estimate without limits has none."""
    (axes,) = figure_of(plot_comparison(own_analysis.comparison)).axes
    table = own_analysis.comparison.table
    table = table[(table["scale"] == DIFFERENCE) & (table["path"] != TOTAL_INDIRECT) & table["lower"].notna()]
    drawn = np.concatenate([[path.vertices[:, 0] for path in lines.get_paths()] for lines in axes.collections])
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(table[["lower", "upper"]].to_numpy(float), axis=0))


def test_infinite_limits_are_drawn_to_the_edge(own_analysis):
    """A lower limit of minus infinity is a line to the left edge with an arrow's head; other lines stay as they are."""
    table = own_analysis.comparison.table
    table = table[table["path"] != TOTAL_INDIRECT].copy()
    row = table.index[(table["scale"] == DIFFERENCE) & (table["inference"] == "bootstrap")][0]
    table.loc[row, "lower"] = -np.inf
    (axes,) = figure_of(plot_comparison(replace(own_analysis.comparison, table=table))).axes
    heads = [line for line in axes.lines if line.get_marker() == "<"]
    assert [line.get_xdata()[0] for line in heads] == [axes.get_xlim()[0]]
    drawn = np.concatenate([[path.vertices[:, 0] for path in lines.get_paths()] for lines in axes.collections])
    expected = table[(table["scale"] == DIFFERENCE) & table["lower"].notna()][["lower", "upper"]].to_numpy(float)
    expected = np.clip(expected, *axes.get_xlim())
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0))


def test_the_forests_rows_are_the_paths_from_top_to_bottom(own_analysis):
    """Paths stand in words in the order of the table, the first on top, and no two points share a height."""
    (axes,) = figure_of(plot_comparison(own_analysis.comparison)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["direct", "via Mood", "total"]
    bottom, top = axes.get_ylim()
    assert bottom > top
    heights = np.concatenate([line.get_ydata() for line in axes.lines if not line.get_label().startswith("_")])
    two_readings = 1  # two readings of a published number share their line
    assert len(set(np.round(heights, 6))) == len(heights) - two_readings


def test_the_forests_axis_says_the_contrast_and_the_unit(own_analysis):
    """The horizontal axis names outcome, exposure, contrast and unit."""
    (axes,) = figure_of(plot_comparison(own_analysis.comparison)).axes
    assert axes.get_xlabel() == "Visits: difference for walks a week 0 → 2\n(visits per person per year)"
    (axes,) = figure_of(plot_comparison(own_analysis.comparison, unit="visits")).axes
    assert axes.get_xlabel().endswith("\n(visits)")


def test_signs_of_formulas_in_labels_are_drawn_as_they_are(own_analysis):
    """A label with dollar signs is not taken for a formula, which could fail after the fit is done."""
    model = own_analysis.fit.model
    variables = tuple(replace(v, label=rf"Cost \frac$_{v.name}$^ ($)") for v in model.variables)
    priced = replace(model, variables=variables, title="Cost $^$")
    for figure in (
        figure_of(plot_paths(replace(own_analysis.fit, model=priced))),
        figure_of(plot_comparison(replace(own_analysis.comparison, model=priced))),
    ):
        figure.savefig(io.BytesIO(), format="png")


def test_long_names_stay_inside_the_path_diagram(small_tables, make_user_survey, make_posterior, recwarn):
    """Title, boxes and note are broken into lines; dollar signs are no formula, and nothing warns."""
    small_tables["title"] = "A title that goes on " * 6
    for name in ("walks", "mood", "visits"):
        label = f"{name} at $10 and \\frac 5$ each " + "as reported by the patient at the visit " * 3
        small_tables.setdefault("variables", {}).setdefault(name, {})["label"] = label
    model, survey = load_model(small_tables, name="small"), make_user_survey(100)
    tree = make_posterior(model, design_arrays(model, survey), seed=4, chains=2, draws=100)
    figure = figure_of(plot_paths(Fit(model, survey, tree, 4, SamplerOptions())))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    inside = figure.bbox.padded(1)
    for text in figure.findobj(Text):
        if text.get_text():
            box = text.get_window_extent(canvas.get_renderer())
            assert inside.x0 <= box.x0 <= box.x1 <= inside.x1, text.get_text()
    assert not recwarn.list
