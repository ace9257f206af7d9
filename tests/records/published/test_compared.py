"""Which of the article's tests come back from the moments that it prints."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from bayes_sp.records.published.article import published
from bayes_sp.records.published.compared import compared_tests
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.published.referred import published_nonresponders
from bayes_sp.records.tables.compare import known_nonresponders_table, repeated_table
from bayes_sp.records.tables.waves import waves_of


def test_the_tests_that_come_back_are_those_that_can():
    """Both t tests and the F of appointments do; that of groups does not, whatever rounds to what is printed."""
    f_appointments, f_groups, t_groups, t_age = compared_tests(published())
    assert [test.agrees for test in (f_appointments, t_groups, t_age)] == [True, True, True]
    assert t_age.found == pytest.approx(-3.22, abs=0.005)
    assert not f_groups.agrees
    assert f_groups.found == pytest.approx(178 * 0.32**2 / (1.59**2 + 1.87**2 - 2 * 0.23 * 1.59 * 1.87))
    assert f_groups.highest < 4.3 < 5.34
    assert 178 * (0.335 / 2.145) ** 2 < 5.34  # nor from the printed change, 0.33 (2.15)


def test_extremes_of_rounding_are_at_corners():
    """No point within the rounding of the inputs is beyond them."""
    for test, printed in zip(compared_tests(published())[2:], published().t_tests, strict=True):
        n = printed.df + 2 - 178
        for k in range(5):
            share = k / 4
            means = [m.lower + share * 2 * m.half_unit for m in (printed.mean_responders, printed.mean_nonresponders)]
            sds = [s.upper - share * 2 * s.half_unit for s in (printed.sd_responders, printed.sd_nonresponders)]
            t = stats.ttest_ind_from_stats(means[1], sds[1], n, means[0], sds[0], 178).statistic
            assert test.lowest - 1e-9 <= t <= test.highest + 1e-9


def test_the_reconstructed_records_give_the_tests_of_the_printed_moments():
    """They reproduce the moments after rounding, and so every test within its rounding."""
    records = reconstruct(1).records
    found = repeated_table(records, waves_of(list(records))).set_index("variable")
    others = known_nonresponders_table(records, published_nonresponders()).set_index("variable")
    f_appointments, f_groups, t_groups, t_age = compared_tests(published())
    assert f_groups.lowest * 0.9 < found.loc["groups", "f"] < f_groups.highest * 1.1
    assert f_appointments.lowest < found.loc["appointments", "f"] < f_appointments.highest
    assert others.loc["groups_t0", "t"] == pytest.approx(t_groups.found, abs=0.05)
    assert others.loc["age", "t"] == pytest.approx(t_age.found, abs=0.05)
    assert math.isclose(
        found.loc["groups", "partial_eta_squared"], found.loc["groups", "f"] / (found.loc["groups", "f"] + 177)
    )
