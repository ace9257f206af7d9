"""Figures of sensitivity hold the tables' numbers, say what the records are, and name only what they draw."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle
from sensitivities import analysed, linear, survey_of, unlucky

from bayes_sp.names import ARROW, ATTRITION, CONFOUNDING, KAPPA, PRIORS
from bayes_sp.report.figures.sensitivity import plot_estimates, plot_kappa
from bayes_sp.report.figures.style import figure_of, free_corner
from bayes_sp.report.figures.surfaces import plot_confounding, plot_prior_grid
from bayes_sp.report.folders.sensitivity import figures
from bayes_sp.sensitivity.target import Estimate, Target

PUBLISHED = {"mediators": 2, "published": True, "reconstructed": True}
STUDY = {**PUBLISHED, "absent": 60}
SERIAL = "walks -> mood -> sleep -> visits"


def strong(cell) -> bool:
    return bool(cell.model.unmeasured) and max(s for _, s in cell.model.unmeasured[0].strengths) > 0.9


def every_text(figure) -> str:
    """Return all that is written on a figure."""
    texts = [figure.get_supxlabel()]
    for axes in figure.axes:
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        texts += [text.get_text() for text in (*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels())]
    return "\n".join(texts)


@pytest.mark.parametrize("variant", [STUDY, {"missing": 40, "keys": 2}])
def test_every_figure_says_what_the_records_are(variant):
    """Reconstructed records are marked, a user's are not; no figure speaks of significance."""
    found = analysed(**variant)
    drawn = dict(figures(found))
    assert set(drawn) >= {"power_scaling", "prior_grid", "kappa", "confounding"}
    for name, figure in ((name, figure_of(made)) for name, made in drawn.items()):
        caption = " ".join(figure.get_supxlabel().split())
        assert (
            "200 records reconstructed from published moments (seed 1)" in caption
        ) == found.fit.survey.reconstructed
        assert ("200 records from clinic.csv" in caption) != found.fit.survey.reconstructed, name
        text = every_text(figure).lower()
        assert not any(word in text for word in ("significan", "p-value", "no effect", "nan"))
        assert ("published" in " ".join(caption.lower().replace("published moments", "").split())) <= bool(
            found.fit.model.published
        ), name


def test_which_figures_there_are():
    """One for each analysis that was made."""
    names = {"power_scaling", "named_priors", "prior_grid"}
    assert set(dict(figures(analysed((PRIORS,))))) == names
    assert set(dict(figures(analysed((PRIORS,), keys=0)))) == names - {"prior_grid"}
    assert set(dict(figures(analysed((PRIORS,), keys=3)))) == {"power_scaling"}
    assert set(dict(figures(analysed((KAPPA,))))) == {"kappa"}
    assert set(dict(figures(analysed((CONFOUNDING,))))) == {"confounding"}
    assert set(dict(figures(analysed((ATTRITION,), absent=60)))) == {"attrition"}
    assert set(dict(figures(analysed((ATTRITION,), missing=40)))) == {"attrition"}


def test_rows_of_estimates_are_the_estimates():
    """Published on top, then the specification, then each case; filled where 0 is excluded, grey where doubtful."""
    found = analysed(**STUDY)
    kept, lost = Estimate(-0.3, -0.5, -0.1), Estimate(-0.1, -0.3, 0.1)
    doubtful = Estimate(-0.2, -0.3, -0.1, trustworthy=False)
    rows = [("kept", kept), ("lost", lost), ("doubtful", doubtful), ("none", None)]
    figure = figure_of(plot_estimates(found.fit.model, found.target, rows, found.base, "a made-up mark", "A note."))
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["published", "this specification", "kept", "lost", "doubtful", "none"]
    points = [line for line in axes.lines if line.get_marker() in ("o", "D")]
    assert [list(line.get_xdata()) for line in points] == [[-0.2], [found.base.median], [-0.3], [-0.1], [-0.2]]
    hollow = [line.get_markerfacecolor() == "white" for line in points]
    assert hollow == [False, found.base.lower <= 0.0 <= found.base.upper, False, True, False]
    assert points[2].get_color() != points[4].get_color()
    drawn = [path.vertices[:, 0] for lines in axes.collections for path in lines.get_paths() if len(path.vertices) == 2]
    expected = [(-0.4, -0.01), *((e.lower, e.upper) for e in (found.base, kept, lost, doubtful))]
    np.testing.assert_allclose(drawn, expected)
    assert [text.get_text() for text in axes.texts] == ["no result"]
    assert "Grey: the fit failed its diagnostics." in " ".join(figure.get_supxlabel().split())


def test_without_a_published_value_none_is_drawn():
    """The specification's own result comes first."""
    found = analysed((KAPPA,))
    figure = figure_of(plot_estimates(found.fit.model, found.target, [("kept", found.base)], found.base, "a mark", ""))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["this specification", "kept"]


def test_the_figure_of_kappa_has_a_panel_for_each_path():
    """Curve, band and point are the table's; the published value is dashed in its own panel."""
    found = analysed(**STUDY)
    figure = figure_of(plot_kappa(found.kappa))
    table = found.kappa.table.query("scale == 'difference' and decomposition in ['', 'average']")
    paths = [path for path in dict.fromkeys(table["path"]) if ARROW in path]
    assert len(figure.axes) == len(paths) == 4
    for axes, path in zip(figure.axes, paths, strict=True):
        own = table[table["path"] == path]
        np.testing.assert_allclose(axes.lines[0].get_ydata(), own["median"])
        dashed = [line.get_ydata()[0] for line in axes.lines if line.is_dashed()]
        assert dashed == ([-0.2] if path == SERIAL else [])
        assert axes.lines[-1].get_ydata() == pytest.approx(own["median"].iloc[-1])  # kappa = 1


def test_the_heat_map_holds_the_arrays_means():
    """Each cell's text is the mean, in brackets where its interval includes 0; frame and diamond stand right."""
    found = analysed((PRIORS,), **PUBLISHED, keys=2)
    figure = figure_of(plot_prior_grid(found.grid))
    axes = figure.axes[0]
    at = found.grid.crossed.sel(path=found.target.path, scale="difference")
    down, across = found.grid.keys
    at = at.transpose(down, across, ...)
    excluded = ((at["upper"] < 0) | (at["lower"] > 0)).to_numpy()
    means = at["median"].to_numpy()
    expected = [f"{m:z.3f}" if e else f"({m:z.3f})" for m, e in zip(means.ravel(), excluded.ravel(), strict=True)]
    assert [text.get_text().replace("\u2212", "-") for text in axes.texts] == expected
    assert {text.startswith("(") for text in expected} <= {True, False}
    (frame,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    own = int(np.flatnonzero(at[across] == 5.0)[0]), int(np.flatnonzero(at[down] == 0.5)[0])
    assert (frame.get_x() + 0.5, frame.get_y() + 0.5) == own
    (diamond,) = [line for line in axes.lines if line.get_marker() == "D"]
    i, j = np.unravel_index(np.abs(means + 0.2).argmin(), means.shape)
    assert (round(diamond.get_xdata()[0]), round(diamond.get_ydata()[0])) == (j, i)
    caption = " ".join(figure.get_supxlabel().split())
    assert "Frame: this specification's own priors. Diamond: nearest to the published value." in caption


def test_failed_and_doubtful_cells_are_shown():
    """A failed cell says failed, a doubtful one has a star, and the caption explains it."""
    failed = figure_of(plot_prior_grid(analysed((PRIORS,), keys=2, failing=unlucky).grid))
    assert [text.get_text() for text in failed.axes[0].texts].count("failed") == 2
    found = analysed((PRIORS,), keys=2, doubtful=unlucky)
    doubtful = figure_of(plot_prior_grid(found.grid))
    assert sum(text.get_text().endswith("*") for text in doubtful.axes[0].texts) == 2
    assert "Star: the fit failed its diagnostics." in " ".join(doubtful.get_supxlabel().split())


def test_one_key_is_a_curve():
    """The means in the order of the key, the specification's own value dotted, the axis named after the key."""
    found = analysed((PRIORS,), **PUBLISHED, keys=1)
    figure = figure_of(plot_prior_grid(found.grid))
    (axes,) = figure.axes
    at = found.grid.crossed.sel(path=found.target.path, scale="difference")
    curve = next(line for line in axes.lines if line.get_marker() == "o")
    np.testing.assert_allclose(curve.get_ydata(), at["median"])
    np.testing.assert_allclose(curve.get_xdata(), [0.25, 0.5, 1.0])
    assert axes.get_xlabel() == "slope.sigma"
    assert any(list(line.get_xdata()) == [0.5, 0.5] for line in axes.lines)
    doubtful = figure_of(plot_prior_grid(analysed((PRIORS,), **PUBLISHED, keys=1, doubtful=unlucky).grid))
    assert "Open: the fit failed its diagnostics." in " ".join(doubtful.get_supxlabel().split())


@pytest.mark.parametrize("keys", [0, 3])
def test_other_numbers_of_keys_have_no_figure(keys):
    """A figure of crossed priors has one or two axes."""
    found = analysed((PRIORS,), keys=keys)
    with pytest.raises(ValueError, match=f"one or two crossed keys, found {keys}"):
        plot_prior_grid(found.grid)


def test_the_contours_tipping_line_is_the_tables():
    """A panel for each pair; the line runs through the table's strengths, and circles are the covariates'."""
    study = analysed(**STUDY)
    found = study.confounding
    figure = figure_of(plot_confounding(found))
    pairs = list(found.surfaces)
    panels = figure.axes[: len(pairs)]
    assert len(figure.axes) == len(pairs) + 1  # the colour bar
    drawn = 0
    for panel, (first, second) in zip(panels, pairs, strict=True):
        rows = found.tipping.query("first == @first and second == @second").dropna(subset=["second_strength"])
        lines = [line for line in panel.lines if line.get_linewidth() == 1.6]
        xs = np.concatenate([line.get_xdata() for line in lines]) if lines else np.array([])
        for sign in (-1, 1):
            own = rows[np.sign(rows["second_strength"]) == sign]
            if len(own) > 1:
                drawn += 1
                assert set(np.round(own["second_strength"], 12)) <= set(np.round(xs, 12))
        most = float(found.surfaces[first, second][second].max())
        circles = [line for line in panel.lines if line.get_marker() == "o"]
        strengths = found.multiples.query("first == @first and second == @second")
        highest = float(found.surfaces[first, second][first].max())
        shown = strengths[(strengths["second_strength"] <= most) & (strengths["first_strength"] <= highest)]
        assert len(circles) == len(shown)
        assert panel.get_xlabel().startswith("strength on ")
    assert drawn > 0 or study.base.lower <= 0.0 <= study.base.upper  # then there is nothing to tip


@pytest.mark.fixed_seed  # which fits fail depends on the records
def test_fits_of_the_contour_that_failed_are_marked():
    """A mark at the place of each, and its meaning in the caption."""
    survey_of.cache_clear()  # other tests may have made these records with other seeds
    for how in ("failing", "doubtful"):
        found = analysed((CONFOUNDING,), **{how: strong}).confounding
        (surface,) = found.surfaces.values()
        count = int((~surface["trustworthy"]).sum())
        figure = figure_of(plot_confounding(found))
        (marks,) = [line for line in figure.axes[0].lines if line.get_marker() == "P"]
        assert len(marks.get_xdata()) == count > 0
        assert "Plus: the fit there failed" in " ".join(figure.get_supxlabel().split())


def test_the_figure_of_attrition_has_a_panel_for_each_departure():
    """Curve and tipping deltas are the result's; under an identity link levels are flat."""
    for found in (analysed((ATTRITION,), absent=60), linear((ATTRITION,))):
        figure = figure_of(dict(figures(found))["attrition"])
        curves = found.attrition.curves.sel(path=found.target.path, scale="difference", population="all")
        names = [str(name) for name in curves["shifted"].to_numpy()]
        panels = [axes for axes in figure.axes if axes.axison]
        assert len(panels) == len(names)
        for panel, name, tip in zip(panels, names, found.attrition.tipping, strict=True):
            np.testing.assert_allclose(panel.lines[1].get_ydata(), curves["median"].sel(shifted=name))
            verticals = [line.get_xdata()[0] for line in panel.lines if list(line.get_ydata()) == [0, 1]
                         and line.get_xdata()[0] == line.get_xdata()[1]]  # fmt: skip
            assert verticals == pytest.approx(tip.deltas)
            assert panel.get_xlabel().startswith("delta, ") == name.startswith("level")
        flat = [np.ptp(curves["median"].sel(shifted=name).to_numpy()) < 1e-12 for name in names if "level" in name]
        assert all(flat) == (found.fit.model.equations[-1].family == "normal")


def test_shifts_of_missing_rows_are_rows_of_estimates():
    """One row for each finding below the specification's own."""
    found = analysed((ATTRITION,), missing=40)
    axes = dict(figures(found))["attrition"]
    assert len(axes.get_yticklabels()) == 1 + len(found.delta.findings())


def test_signs_of_formulas_are_drawn_as_they_are():
    """A label with a dollar sign is no formula."""
    found = analysed((KAPPA,))
    target = Target(found.target.path)
    figure = figure_of(
        plot_estimates(found.fit.model, target, [("5 $ and 6 $", found.base)], found.base, "a $ mark $", "")
    )
    assert figure.axes[0].get_yticklabels()[-1].get_text() == r"5 \$ and 6 \$"
    assert r"\$ mark \$" in figure.get_supxlabel()


@pytest.mark.parametrize("wider", [0.0, 5.0])
def test_everything_is_hatched_where_the_interval_always_includes_no_effect(wider):
    """The hatching is what the caption says, also where there is no tipping curve to end it."""
    found = analysed((CONFOUNDING,))
    surfaces = {pair: at.assign(lower=at["lower"] - wider, upper=at["upper"] + wider)
                for pair, at in found.confounding.surfaces.items()}  # fmt: skip
    figure = figure_of(plot_confounding(replace(found.confounding, surfaces=surfaces)))
    (axes, *_) = figure.axes
    assert ("Solid: an end of the interval" in " ".join(figure.get_supxlabel().split())) == any(
        line.get_linewidth() == 1.6 for line in axes.lines
    )
    hatched = [part for part in axes.collections if getattr(part, "hatches", [None]) == ["////"]]
    (extent,) = (part.get_paths()[0].get_extents() for part in hatched)
    whole = axes.dataLim
    assert (extent.width * extent.height == pytest.approx(whole.width * whole.height, rel=1e-6)) == (wider > 0)


@pytest.mark.parametrize(
    ("others", "corner"),
    [([], (1, 1)), ([(-0.7, 0.52)], (-1, 1)), ([(-0.7, 0.52), (-0.85, 0.52)], (1, -1)), ([(-0.2, 0.52)], (1, 1))],
)
def test_a_label_stands_where_it_hides_no_other_circle(others, corner):
    """Towards the middle and above its circle, unless another circle is there; beyond its end nothing is in its way."""
    figure, axes = plt.subplots(figsize=(4, 4), dpi=72)
    axes.set(xlim=(-1, 0), ylim=(0, 1), position=(0, 0, 1, 1))
    at = np.array([(-0.8, 0.5), *others])
    assert free_corner(axes, at, 0, "label") == corner
    plt.close(figure)
