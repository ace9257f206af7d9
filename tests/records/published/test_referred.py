"""The published study's patients who did not come back."""

from __future__ import annotations

import pytest

from bayes_sp.records.published.article import published
from bayes_sp.records.published.referred import published_nonresponders


def test_the_published_numbers_add_up():
    """630 less 178; 199 men, 249 women and 4 unknown; the pooled age of both groups is the printed age of all."""
    study, found = published(), published_nonresponders()
    referred, came_back = study.sample("baseline"), study.sample("follow_up")
    assert found.n == 452
    men, women = referred.male - came_back.male, referred.female - came_back.female
    assert (men, women, referred.unknown - came_back.unknown) == (199, 249, 4)
    assert men + women + 4 == found.n
    age = next(moment for moment in found.moments if moment.column == "age")
    pooled = (came_back.n * came_back.age_mean.value + found.n * age.mean) / referred.n
    assert referred.age_mean.lower <= pooled <= referred.age_mean.upper


def test_the_moments_are_the_printed_ones():
    """Those of the t tests, and the mean of gender coded 1 and 2 over the 448 whose gender is known."""
    found = {moment.column: (moment.mean, moment.sd) for moment in published_nonresponders().moments}
    assert found == {"age": (51.56, 15.01), "groups_t0": (1.51, 1.37), "gender": (pytest.approx(1 + 249 / 448), None)}
    assert published_nonresponders().source.startswith("Kellezi et al. 2019, Study 2")


def test_the_t_tests_compare_the_same_patients():
    """t from means, SDs and the two sizes agrees with the printed t, so the numbers of patients are the right ones."""
    study, n0 = published(), published_nonresponders().n
    n1 = study.sample("follow_up").n
    for test in study.t_tests:
        gap = test.mean_nonresponders.value - test.mean_responders.value
        pooled = ((n1 - 1) * test.sd_responders.value**2 + (n0 - 1) * test.sd_nonresponders.value**2) / (n1 + n0 - 2)
        t = gap / (pooled * (1 / n1 + 1 / n0)) ** 0.5
        assert t == pytest.approx(test.t.value, abs=0.1)
