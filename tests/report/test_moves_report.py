"""Effects of a category and of a further exposure in the printout and in run folders, contrasts and sizes with them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_sp.errors import SpecificationError
from bayes_sp.inference.bootstrap.resampled import bootstrap_of
from bayes_sp.model.reading.load import load_model, models_folder
from bayes_sp.report.document.content import document_of
from bayes_sp.report.document.parts import Paragraph
from bayes_sp.report.figures.comparison import plot_comparison
from bayes_sp.report.figures.paths import plot_paths
from bayes_sp.report.figures.style import figure_of
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.text.summary import summary_text


@pytest.fixture(scope="module")
def compared(analyse_by_hand, make_survey):
    """Return an analysis with education as a category, the change of groups beside it, and what is asked of them."""
    tables = tomllib.loads((models_folder() / "primary.toml").read_text())
    for key in ("published", "contrast", "twin"):
        tables.pop(key, None)
    del tables["covariates"]["education"]
    exposures = {"education": {"levels": [1, 2, 3]}, "group_change": {"contrast": [0, 1]}}
    asked = {"either": ["total [education: 2 against 1]", "total [group_change: 1 against 0]"]}
    tables |= {"exposure": "education", "exposures": exposures, "contrasts": asked}
    tables |= {"sizes": ["standardised", "proportion_mediated"]}
    tables |= {"practical": {"lower": -0.1, "upper": 0.1, "why": "one visit of ten patients"}}
    model, survey = load_model(tables, name="compared"), make_survey()
    made = analyse_by_hand(model, survey)
    boot, _ = bootstrap_of(model, survey, 4, 30, 0.95)
    fit = made.fit
    sizes = {
        "standardised": fit.standardised(),
        "proportion_mediated": fit.proportion_mediated(),
        "practical": fit.practical(),
    }
    comparison = replace(made.comparison, contrasts={"negative_binomial": boot.contrasts()})
    return replace(made, comparison=comparison, contrasts=fit.contrasts(), sizes=sizes)


def test_the_printout_says_what_each_effect_compares(compared):
    """Each move has a heading; contrasts and sizes have sections of their own."""
    text = summary_text(compared)
    for words in ("education: 2 against 1:", "education: 3 against 1:", "group_change: 1 against 0:"):
        assert words in text
    assert "the others of them as observed" in " ".join(text.split())
    assert "Contrasts: one effect less another" in text
    assert "How large these effects are" in text
    assert "Region -0.1 to 0.1 appointments per patient per three months: one visit of ten patients." in text
    row = compared.contrasts.table().iloc[-1]
    assert f"{row['prob_negative']:.3f}" in text
    assert max(map(len, text.splitlines())) <= 150


def test_a_dose_curve_is_of_one_exposure(compared):
    """At the values that the specification compares it has their effects; other levels and names are refused."""
    fit = compared.fit
    total = fit.effects().draws["average"].sel(scale="difference")
    known = {"group_change": ([0, 1], "group_change: 1 against 0"), "": ([2, 3], "education: 3 against 1")}
    for exposure, (doses, label) in known.items():
        curve = fit.dose_curve(doses, exposure=exposure)["average"].sel(path="total", scale="difference")
        np.testing.assert_allclose(curve[-1], total.sel(path=f"total [{label}]"), rtol=1e-12)
    with pytest.raises(SpecificationError, match="4 is no level; they are 1, 2, 3"):
        fit.dose_curve([4], exposure="education")
    with pytest.raises(SpecificationError, match='"age" is none'):
        fit.dose_curve([0], exposure="age")


def is_text(block) -> bool:
    return isinstance(block, Paragraph)


@pytest.mark.slow
def test_a_run_folder_has_their_tables(compared, tmp_path):
    """Effects with what they compare in columns of their own, contrasts with the bootstrap's, each size."""
    folder = save_analysis(compared, tmp_path / "run", summary="text")
    tables = {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}
    effects = tables["effects"]
    assert list(effects.columns[:4]) == ["exposure", "from", "to", "path"]
    assert set(zip(effects["exposure"], effects["from"], effects["to"], strict=True)) == {
        ("education", 1, 2), ("education", 1, 3), ("group_change", 0, 1),
    }  # fmt: skip
    assert list(tables["contrasts"]["scale"]) == list(tables["contrasts_bootstrap"]["scale"])
    assert {"standardised", "proportion_mediated", "practical"} <= tables.keys()
    document = document_of(folder)
    table = next(table for table in document.tables if table.name == "effects")
    region = next(table for table in document.tables if table.name == "practical")
    assert region.head == ("effect", "P(below)", "P(inside)", "P(above)")
    assert "\u22120.1 to 0.1" in region.note
    cells = {cell for row in region.rows for cell in row[1:] if cell}
    assert all(re.fullmatch(r"<.001|>.999|0\.\d{3}", cell) for cell in cells)
    headings = [row[0] for row in table.rows if not any(row[1:])]
    assert headings == ["education: 2 against 1", "education: 3 against 1", "group_change: 1 against 0"]
    assert len(table.rows) == 3 + len(compared.fit.model.effect_names)
    told = " ".join(block.text for section in document.sections for block in section.blocks if is_text(block))
    assert "For education: 3 against 1: direct" in told
    assert ", and for group_change: 1 against 0, computed" in told
    assert " at 2 against 1, and if the model's assumptions hold" in told
    assert set(tables["comparison"]["path"]) == set(compared.fit.model.effect_names)


def test_the_figures_draw_them(compared):
    """The path diagram has a line for each level, the forest a row for each effect."""
    labels = [text.get_text() for text in figure_of(plot_paths(compared.fit)).axes[0].texts]
    assert any(label.startswith("2: ") and "\n3: " in label for label in labels)
    rows = [tick.get_text() for tick in figure_of(plot_comparison(compared.comparison)).axes[0].get_yticklabels()]
    assert sum("against" in row for row in rows) == len(rows)
