"""What takes long is said before it begins, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

import bayes_sp as sp
from bayes_sp.cli.durations import bootstrap_samples, fit_takes, sensitivity_takes


def test_a_large_survey_is_announced_and_a_small_one_is_not():
    """In proportion to records; the Laplace approximation and all-normal models need no word."""
    model, options = sp.load_model("primary"), sp.SamplerOptions()
    assert fit_takes(model, 1_000, options) == ""
    assert "200,000 records: sampling may take about 5 min" in fit_takes(model, 200_000, options)
    assert fit_takes(model, 200_000, sp.SamplerOptions(method="laplace")) == ""
    assert fit_takes(sp.load_model("process6"), 200_000, options) == ""


def test_many_records_are_resampled_only_where_that_is_asked_for():
    assert bootstrap_samples(None, 99_999, 14) == (5000, "")
    assert bootstrap_samples(200, 1_000_000, 14) == (200, "")
    assert bootstrap_samples(0, 178, 14) == (0, "")
    wide, why = bootstrap_samples(None, 2_000, 203)
    assert wide == 0
    assert "2,000 records of 203 columns: no bootstrap" in why
    samples, line = bootstrap_samples(None, 1_000_000, 14)
    assert samples == 0
    assert line.startswith("1,000,000 records: no bootstrap")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("kappa",), ""),
        (("priors",), "with other priors: minutes"),
        (("priors", "kappa", "attrition"), "with other priors and shifts of missing values: minutes"),
    ],
)
def test_what_refits_is_named(parts, words):
    """Only analyses that fit the model again; and where finished fits are kept."""
    text = sensitivity_takes(parts, Path("runs/cells"))
    assert words in text
    assert (text == "") == (not words)
