"""Scores against cases worked by hand, and reliability against independent packages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.multivariate.factor import Factor

from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyError, SurveyWarning
from bayes_sp.records.scoring.reliability import reliability
from bayes_sp.records.scoring.scales import scales

REFERENCE = json.loads((Path(__file__).parent / "reference" / "reliability.json").read_text(encoding="utf-8"))["cases"]


def scored(answers, rule):
    """Return the score of one person's answers; None is an empty cell."""
    items = [f"i{k}" for k in range(len(answers))]
    frame = pd.DataFrame([answers], columns=items, dtype=float)
    survey = read_survey(
        frame, codebook={"variables": {i: {} for i in items}, "derived": {"s": {"items": items} | rule}}
    )
    return survey.records["s"].iloc[0]


@pytest.mark.parametrize(
    ("answers", "rule", "score"),
    [
        ([4, 4, 1, 4, 4, 1, 4, 4], {"scale": "uls8"}, 32),  # the loneliest: items 3 and 6 turned round
        ([1, 1, 4, 1, 1, 4, 1, 1], {"scale": "uls8"}, 8),
        ([2, 3, 3, 1, 2, 2, 4, 1], {"scale": "uls8"}, 2 + 3 + (5 - 3) + 1 + 2 + (5 - 2) + 4 + 1),
        ([2, 3, 3, 1, 2, 2, 4, 1], {"scale": "uls8", "rule": "mean"}, 18 / 8),
        ([5, 5, 1, 5, 5, 1, 5, 5], {"scale": "uls8", "answers": [1, 5], "rule": "mean"}, 5.0),
        ([2, None, 3, 1, 2, None, 4, 1], {"scale": "uls8"}, (2 + 2 + 1 + 2 + 4 + 1) / 6 * 8),  # six of eight: prorated
        ([2, None, None, 1, 2, None, 4, 1], {"scale": "uls8"}, np.nan),  # five are too few
        ([2, None, None, 1, 2, None, 4, 1], {"scale": "uls8", "answered": 5}, (2 + 1 + 2 + 4 + 1) / 5 * 8),
        ([3, 3, 3], {"scale": "ucla3"}, 9),
        ([1, None, 3], {"scale": "ucla3"}, np.nan),
        ([8, 7, 9, 2], {"scale": "ons4"}, (8 + 7 + 9 + (10 - 2)) / 4),
        ([3], {"scale": "belonging"}, 3),
        ([1], {"scale": "belonging", "reversed": ["i0"]}, 4),
        ([1, 0, 0, 1, 1, 0, 0, 0, 0, 0], {"scale": "groups"}, 3),
        ([1, 2, 2, 1], {"rule": "ticks"}, 2),
        ([1, None, 0], {"rule": "ticks"}, np.nan),
        ([1, None, None], {"rule": "ticks", "empty": "unticked"}, 1),
        ([5, 0, 5], {"rule": "ticks", "ticked": 5}, 2),
        ([-1, 2], {"rule": "mean", "reversed": ["i0"], "answers": [-2, 2]}, 1.5),
    ],
)
def test_scores_worked_by_hand(answers, rule, score):
    """Turned items, prorated sums, too few answers, ticks."""
    assert scored(answers, rule) == pytest.approx(score, abs=1e-12, nan_ok=True)


def test_rows_without_any_tick_or_answer_are_told():
    """Where an empty cell is an item that was not ticked, who did not come back counts as 0: that is said."""
    frame = pd.DataFrame({"a": ["X", "", ""], "b": ["", "X", ""]})
    ticks = {"rule": "ticks", "items": ["a", "b"], "empty": "unticked"}
    book = {"variables": {name: {"labels": {"1": "X"}} for name in frame}, "derived": {"n": ticks}}
    with pytest.warns(SurveyWarning, match="n: in 1 of 3 rows none of its items"):
        assert read_survey(frame, codebook=book).records["n"].tolist() == [1, 1, 0]


def test_answers_that_a_scale_does_not_have_are_named():
    """0 in a scale from 1 to 4, and a third value in a list to tick."""
    with pytest.raises(
        SurveyError, match=r"must be an answer from 1 to 4, because derived\.s takes it; found at row 0"
    ):
        scored([0, 1, 1, 1, 1, 1, 1, 1], {"scale": "uls8"})
    frame = pd.DataFrame({"a": [0, 1, 2], "b": [1, 0, 1]})
    book = {"variables": {"a": {}, "b": {}}, "derived": {"n": {"rule": "ticks", "items": ["a", "b"]}}}
    with pytest.raises(SurveyError, match='column "a": must hold two values at most, 1 where it is ticked'):
        read_survey(frame, codebook=book)


def test_every_scale_has_its_source_and_fits_together():
    """As many wordings as items, turned items among them, a source with its year."""
    assert set(scales()) == {"uls8", "ucla3", "ons4", "belonging", "groups"}
    assert scales()["uls8"].reversed == (3, 6)
    for scale in scales().values():
        assert len(scale.wording) in (0, scale.items)
        assert all(1 <= place <= scale.items for place in scale.reversed)
        assert 1 <= scale.answered <= scale.items
        assert any(f"({year})" in scale.source for year in range(1970, 2026))
        assert scale.doi.startswith("10.") or not scale.doi


@pytest.mark.parametrize("name", list(REFERENCE))
def test_reliability_is_that_of_independent_packages(name):
    """Alpha and its interval as pingouin has them (limits of three digits), omega by two others' factor analyses.

    semopy stops its search early; statsmodels does not.
    """
    case = REFERENCE[name]
    found = reliability(np.array(case["answers"], dtype=float))
    assert found.alpha == pytest.approx(case["alpha"], abs=1e-10)
    assert (found.lower, found.upper) == pytest.approx(case["interval_of_three_digits"], abs=5.01e-4)
    assert found.omega == pytest.approx(case["omega"], abs=5e-4)
    items = np.array(case["answers"], dtype=float)
    factor = Factor(endog=items, n_factor=1, method="ml").fit()
    loadings, unique = (
        np.real(factor.loadings[:, 0]) * items.std(axis=0),
        np.real(factor.uniqueness) * items.var(axis=0),
    )
    assert found.omega == pytest.approx(loadings.sum() ** 2 / (loadings.sum() ** 2 + unique.sum()), abs=1e-6)


def test_alpha_is_the_closed_form_of_parallel_items():
    """Spearman-Brown: k items with one correlation r have alpha = k r / (1 + (k - 1) r), and omega is the same."""
    k, r, n = 5, 0.4, 400
    normal = stats.norm.ppf(np.random.default_rng(1).random((n, k)))
    normal -= normal.mean(axis=0)
    whitened = normal @ np.linalg.inv(np.linalg.cholesky(np.cov(normal, rowvar=False))).T
    items = whitened @ np.linalg.cholesky(np.full((k, k), r) + (1 - r) * np.eye(k)).T
    found = reliability(items)
    assert found.alpha == pytest.approx(k * r / (1 + (k - 1) * r), abs=1e-12)
    assert found.omega == pytest.approx(found.alpha, abs=1e-6)


def test_omega_of_three_items_is_its_closed_form():
    """One factor fits three items exactly: the first loading is sqrt(s12 s13 / s23)."""
    items = np.array(REFERENCE["three items, three answers"]["answers"], dtype=float)
    s = np.cov(items, rowvar=False)
    off = np.array([s[0, 1] * s[0, 2] / s[1, 2], s[0, 1] * s[1, 2] / s[0, 2], s[0, 2] * s[1, 2] / s[0, 1]])
    assert reliability(items).omega == pytest.approx(np.sqrt(off).sum() ** 2 / s.sum(), abs=1e-7)


def test_omega_does_not_depend_on_the_unit_of_all_items():
    """Points from 0 to 100 in the place of 1 to 5 change nothing."""
    items = np.array(REFERENCE["weak items"]["answers"], dtype=float)
    assert reliability(items * 7.0 + 3.0).omega == pytest.approx(reliability(items).omega, abs=1e-8)


@pytest.mark.parametrize(
    "items",
    [
        np.ones((50, 3)),
        np.full((50, 3), np.nan),
        np.arange(20.0)[:, None],
        np.column_stack([np.arange(9.0), -np.arange(9.0)]),
    ],
)
def test_what_has_no_reliability_has_none(items):
    """Items that do not vary, no complete person, one item, a sum that is constant."""
    assert reliability(items) is None


def test_two_items_have_no_omega_and_copies_no_factor():
    """A factor of two items is not determined; items that are the same have no unique variance."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 1))
    assert reliability(x + rng.normal(size=(60, 2))).omega is None
    assert reliability(np.column_stack([x, x, x + 1])).omega is None
