"""Sample sizes: statsmodels' power, and numbers that G*Power prints."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import FTestAnovaPower, TTestIndPower, TTestPower

from bayes_sp.records.published.audit.rules_sample_size import Design, f_squared, patients_range
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.results import SampleSize


def plan(test: str, effect: str, **more: int) -> SampleSize:
    return SampleSize("", test, effect, Figure("0"), Figure("0.80"), 0, **more)


@pytest.mark.parametrize(
    ("item", "size", "patients"),
    [  # power .80, alpha .05, two-sided
        (plan("paired_t", "dz"), 0.5, 34),
        (plan("two_sample_t", "d"), 0.5, 128),
        (plan("two_sample_t", "d"), 0.2, 788),
        (plan("one_way_anova", "f", groups=3), 0.25, 159),
        (plan("one_way_anova", "f", groups=4), 0.25, 180),
        (plan("regression", "f2", predictors=1), 0.15, 55),
        (plan("regression", "f2", predictors=3), 0.15, 77),
        (plan("correlation", "r"), 0.3, 84),
    ],
)
def test_numbers_that_gpower_prints(item: SampleSize, size: float, patients: int):
    """The usual examples; for correlations its exact test lies between Fisher's z and the t test."""
    low, high = patients_range(item, size, size)
    assert low <= patients <= high
    assert high - low <= 3


def test_the_published_calculation():
    """Partial eta squared .147 needs 48 patients, or 49 by the convention of n - 1; .0494 needs 153 or 154."""
    repeated = plan("repeated_measures", "partial_eta_squared")
    assert patients_range(repeated, 0.147, 0.147) == (48, 49)
    assert patients_range(repeated, 0.0494, 0.0494) == (153, 154)


@pytest.mark.parametrize("size", [0.15, 0.4, 0.9])
def test_power_is_that_of_statsmodels(size: float):
    """Paired and two-sample t tests, and an analysis of variance of three groups, at several n."""
    for n in (12, 25, 45):
        paired = Design(1, 1).power(n, f_squared("dz", size), 0.05)
        assert paired == pytest.approx(TTestPower().power(size, n, 0.05), abs=1e-8)
        two = Design(1, 2).power(2 * n, f_squared("d", size), 0.05)
        assert two == pytest.approx(TTestIndPower().power(size, n, 0.05), abs=1e-8)
        three = Design(2, 3).power(3 * n, f_squared("f", size), 0.05)
        assert three == pytest.approx(FTestAnovaPower().power(size, 3 * n, 0.05, k_groups=3), abs=1e-6)


def test_the_smallest_number_is_found():
    """One patient fewer has less power than wanted."""
    design = Design(1, 1)
    for f2 in np.geomspace(0.01, 2.0, 8):
        n = design.patients(float(f2), 0.05, 0.8)
        assert design.power(n, float(f2), 0.05) >= 0.8 > design.power(n - 1, float(f2), 0.05)


def test_what_has_no_answer_is_said():
    """No effect, an effect that explains everything, more patients than there are."""
    for size, words in ((0.0, "endlessly"), (1.0, "below 1"), (1e-9, "ten million")):
        with pytest.raises(ValueError, match=words):
            patients_range(plan("repeated_measures", "partial_eta_squared"), size, size)
