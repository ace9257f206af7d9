"""Tables and bins of the checks tell of ten patients or more, and of fewer nothing that can be worked out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_sp.analysis.criticism.predictive import PredictiveChecks
from bayes_sp.analysis.criticism.statistics import bins_of
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Variable
from bayes_sp.names import CHECK_COLUMNS
from bayes_sp.records.small_counts import ends_shown, share_words, starts_of


def checks_of(small_model, sizes: dict[str, int], zeros: dict[str, int], records: int) -> PredictiveChecks:
    """Return checks of one count with these numbers of patients and of zeros by group."""
    sizes, zeros = {"all": sum(sizes.values()), **sizes}, {"all": sum(zeros.values()), **zeros}
    rows = [
        ("visits", statistic, group, n, value, 0.5, 0.0, 1.0, "eti", 0.95, 0.437)
        for group, n in sizes.items()
        for statistic, value in (("share of zeros", zeros[group] / n), ("mean", 2.0), ("maximum", 31.0))
    ]
    table = pd.DataFrame(rows, columns=list(CHECK_COLUMNS))
    return PredictiveChecks(table, {}, 1000, 1, "made up", small_model, records)


def shown(checks: PredictiveChecks, statistic: str, column: str = "observed") -> dict[str, float]:
    own = checks.without_patients().table.query("statistic == @statistic")
    return dict(zip(own["exposure"], own[column], strict=True))


def test_a_small_level_goes_with_the_smallest_other(small_model):
    """Its number, its mean: neither can be had from the rest."""
    found = checks_of(small_model, {"0": 60, "1": 31, "2": 4}, {"0": 20, "1": 15, "2": 2}, 95)
    assert shown(found, "mean") == {"all": 2.0, "0": 2.0}
    alone = checks_of(small_model, {"0": 60, "1": 31}, {"0": 20, "1": 15}, 91)
    assert set(shown(alone, "mean")) == {"all", "0", "1"}


def test_a_small_share_goes_with_another(small_model):
    """Zeros of one level are few, so those of another level, or of all, are hidden too; others stay."""
    found = checks_of(small_model, {"0": 60, "1": 40, "2": 50}, {"0": 20, "1": 3, "2": 25}, 150)
    zeros = shown(found, "share of zeros")
    assert np.isnan(zeros["1"])
    assert sum(map(np.isnan, zeros.values())) == 2
    assert shown(found, "share of zeros", "share_at_or_above")["1"] != 0.437
    assert list(shown(found, "mean").values()) == [2.0] * 4


def test_few_missing_values_are_not_counted(small_model):
    """150 records of which 146 are known: neither the sum nor all of its parts."""
    found = checks_of(small_model, {"0": 60, "1": 40, "2": 46}, {"0": 20, "1": 15, "2": 25}, 150)
    sizes = shown(found, "mean", "patients")
    assert np.isnan(sizes["all"])
    assert set(sizes) == {"all", "0", "2"}
    assert not np.isnan(list(shown(replace(found, records=146), "mean", "patients").values())).any()


def test_the_largest_value_is_never_shown(small_model):
    """Where it lies among replicates is, in tenths."""
    found = checks_of(small_model, {"0": 60, "1": 40}, {"0": 20, "1": 15}, 100)
    assert np.isnan(list(shown(found, "maximum").values())).all()
    assert set(shown(found, "maximum", "share_at_or_above").values()) == {0.4}


def answers(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return answers from 1 to 6 of which high ones are rare."""
    return rng.binomial(5, 0.2, n) + 1


@pytest.mark.parametrize(
    ("family", "variable", "draw"),
    [
        ("negative_binomial", Variable("y", "Y", kind="count"), lambda rng, n: rng.negative_binomial(1, 0.2, n)),
        ("normal", Variable("y", "Y"), lambda rng, n: rng.normal(0, 1, n)),
        (
            "ordered_logit",
            Variable("y", "Y", kind="integer", minimum=1, maximum=6),
            lambda rng, n: rng.binomial(5, 0.2, n) + 1,
        ),
    ],
)
@pytest.mark.parametrize("n", [9, 40, 700])
def test_every_bin_holds_ten_patients_or_all(family, variable, draw, n):
    """Joined bins count everybody once, in order, and say where they are open."""
    y = draw(np.random.default_rng(n), n).astype(float)
    fine = bins_of(FAMILIES[family], variable, y)
    counts = fine.count(y)
    bins = fine.joined(starts_of(counts, 10))
    found = bins.count(y)
    assert found.sum() == n
    assert found.min() >= min(10, n)
    np.testing.assert_array_equal(found, np.add.reduceat(counts, starts_of(counts, 10)))
    assert (np.diff(bins.centers) > 0).all()
    assert len(bins.labels) == len(bins.widths) == len(found)


def test_small_counts_in_sentences():
    """Neither the few nor the others are named."""
    assert share_words(4, 200) == "fewer than 10 of 200"
    assert share_words(196, 200) == "more than 190 of 200"
    assert (share_words(0, 200), share_words(50, 200), share_words(200, 200)) == ("0 of 200", "50 of 200", "200 of 200")
    assert ends_shown(np.arange(100.0)) == (9.0, 90.0)
    assert ends_shown(np.repeat([1.0, 5.0], 15)) == (1.0, 5.0)
    assert np.isnan(ends_shown(np.arange(19.0))).all()
