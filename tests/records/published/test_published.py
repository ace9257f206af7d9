"""The published numbers agree with the article and with each other where they can."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from bayes_sp.records.published.article import published
from bayes_sp.records.published.printed import Printed

NAMES = (
    "group_change",
    "groups_t0",
    "groups_t1",
    "belonging_t0",
    "belonging_t1",
    "appointments_t0",
    "appointments_t1",
    "loneliness_t0",
    "loneliness_t1",
    "age",
    "gender",
    "relationship",
    "education",
)
SERIAL = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
DIRECT = "group_change -> appointments_t1"
VIA_LONELINESS = "group_change -> loneliness_t1 -> appointments_t1"


@pytest.mark.parametrize(
    ("text", "value", "decimals", "half_unit"),
    [("0.33", 0.33, 2, 0.005), ("-0.001", -0.001, 3, 0.0005), ("1.00", 1.0, 2, 0.005), ("25", 25.0, 0, 0.5)],
)
def test_printed_keeps_decimals(text: str, value: float, decimals: int, half_unit: float) -> None:
    """A printed number knows its value, its decimals and half of its last digit."""
    number = Printed(text)
    assert number.decimals == decimals
    assert_allclose([number.value, number.half_unit], [value, half_unit], rtol=1e-12)
    assert_allclose([number.lower, number.upper], [value - half_unit, value + half_unit], rtol=1e-12)
    assert str(number) == text


def test_printed_refuses_words() -> None:
    """A text that is no number cannot be a printed number."""
    with pytest.raises(ValueError, match="six"):
        Printed("six")


def test_table2_has_thirteen_rows_in_order() -> None:
    """The variables come in the order of Table 2 under their fixed names."""
    assert published().names == NAMES


def test_means_and_sds_as_printed() -> None:
    """Means and SDs are those of Table 2, NaN for the three variables without."""
    nan = math.nan
    study = published()
    assert_array_equal(study.means, [0.33, 1.89, 2.21, 2.72, 2.75, 5.97, 4.48, 2.42, 2.35, 55.75, nan, nan, nan])
    assert_array_equal(study.sds, [2.15, 1.59, 1.87, 1.12, 1.08, 8.11, 8.32, 1.13, 1.0, 13.8, nan, nan, nan])


def test_correlations_form_a_correlation_matrix() -> None:
    """The 78 correlations give a symmetric, positive definite matrix with ones on the diagonal."""
    study = published()
    assert len(study.correlation_table) == 78
    assert study.correlations.shape == (13, 13)
    assert_array_equal(study.correlations, study.correlations.T)
    assert_array_equal(np.diag(study.correlations), np.ones(13))
    assert np.linalg.eigvalsh(study.correlations).min() > 0


@pytest.mark.parametrize(
    ("row", "column", "r", "mark"),
    [
        ("groups_t0", "group_change", "-0.53", "***"),
        ("groups_t1", "group_change", "0.69", "***"),
        ("appointments_t1", "appointments_t0", "0.69", "***"),
        ("appointments_t1", "belonging_t1", "-0.14", "†"),
        ("loneliness_t0", "groups_t1", "-0.001", ""),
        ("loneliness_t1", "belonging_t1", "-0.40", "*"),
        ("relationship", "loneliness_t0", "-0.36", "*"),
        ("education", "relationship", "0.04", ""),
    ],
)
def test_correlation_and_mark(row: str, column: str, r: str, mark: str) -> None:
    """A correlation stands under its two variables, with its printed decimals and mark."""
    study = published()
    entry = next(c for c in study.correlation_table if (c.row, c.column) == (row, column))
    assert (entry.r.text, entry.mark) == (r, mark)
    assert study.correlations[NAMES.index(column), NAMES.index(row)] == float(r)


def test_significance_marks_follow_from_the_correlations() -> None:
    """All but six marks are those of a t test of some correlation that rounds to the printed one, n = 178."""
    study = published()
    thresholds = {mark: p.value for mark, p in study.marks.items()} | {"": math.inf}
    odd = set()
    for entry in study.correlation_table:
        reachable = np.linspace(max(abs(entry.r.value) - entry.r.half_unit, 0), abs(entry.r.value) + entry.r.half_unit)
        p = 2 * stats.t.sf(reachable * np.sqrt((study.n - 2) / (1 - reachable**2)), study.n - 2)
        marks = {min((q, mark) for mark, q in thresholds.items() if x < q)[1] for x in p}
        if entry.mark not in marks:
            odd.add((entry.row, entry.column, f"{entry.r}{entry.mark}"))
    assert odd == {
        ("belonging_t1", "groups_t0", "0.14"),
        ("loneliness_t0", "group_change", "0.15"),
        ("loneliness_t1", "belonging_t0", "-0.25**"),
        ("loneliness_t1", "belonging_t1", "-0.40*"),
        ("age", "loneliness_t0", "-0.26**"),
        ("relationship", "loneliness_t0", "-0.36*"),
    }


def test_only_one_correlation_has_three_decimals() -> None:
    """All correlations are printed to two decimals but for the -.001 of loneliness T0 with groups T1."""
    study = published()
    decimals = study.correlation_decimals[np.tril_indices(13, -1)]
    assert sorted(decimals.tolist()) == [2] * 77 + [3]
    assert study.correlation_decimals[7, 2] == 3
    assert_allclose(study.correlation_half_units[7, 2], 0.0005, rtol=1e-12)
    assert_allclose(study.correlation_half_units[0, 1], 0.005, rtol=1e-12)


def test_study_cannot_be_changed() -> None:
    """The cached study is frozen, and so are its arrays."""
    study = published()
    assert study is published()
    with pytest.raises(ValueError, match="read-only"):
        study.correlations[0, 1] = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.n = 1  # type: ignore[misc]  # frozen, which is tested


def test_totals_and_means_agree() -> None:
    """Total appointments divided by 178 patients round to the means of Table 2, and the reduction to 25 %."""
    study = published()
    totals = study.appointments
    assert (totals.total_t0, totals.total_t1, totals.reduction, totals.reduction_percent.text) == (1063, 797, 266, "25")
    assert totals.total_t0 - totals.total_t1 == totals.reduction
    assert f"{totals.total_t0 / study.n:.2f}" == "5.97"
    assert f"{totals.total_t1 / study.n:.2f}" == "4.48"
    assert f"{100 * totals.reduction / totals.total_t0:.0f}" == totals.reduction_percent.text


def test_sample_flow_adds_up() -> None:
    """Men, women and unknown add up to the patients at each survey, and T1 is the sample of Table 2."""
    study = published()
    for sample, n in ((study.sample("baseline"), 630), (study.sample("follow_up"), 178)):
        assert sample.male + sample.female + sample.unknown == sample.n == n
    assert study.sample("follow_up").n == study.n
    assert study.sample("follow_up").age_mean == study.variable("age").mean


def test_anovas() -> None:
    """The F tests have their printed degrees of freedom, and partial eta squared is F / (F + df2)."""
    tests = {test.variable: test for test in published().anovas}
    assert (tests["appointments"].df1, tests["appointments"].df2, tests["appointments"].f.text) == (1, 176, "9.14")
    assert (tests["groups"].df1, tests["groups"].df2, tests["groups"].f.text) == (1, 177, "5.34")
    assert tests["appointments"].partial_eta_squared is None
    eta = tests["groups"].partial_eta_squared
    assert eta is not None
    assert f"{5.34 / (5.34 + 177):.3f}" == eta.text


def test_text_means_differ_from_table2() -> None:
    """The appointments' means and SDs in the text are kept as printed there, apart from those of Table 2."""
    test = published().anovas[0]
    assert [str(x) for x in (test.mean_t0, test.sd_t0, test.mean_t1, test.sd_t1)] == ["5.9", "8.2", "4.5", "8.4"]


@pytest.mark.parametrize(("variable", "df"), [("groups_t0", 628), ("age", 625)])
def test_t_tests_follow_from_their_means(variable: str, df: int) -> None:
    """Student's t from the printed means and SDs is the printed t within the rounding of its inputs."""
    test = next(t for t in published().t_tests if t.variable == variable)
    assert test.df == df
    n1, n2 = 178, df + 2 - 178
    s1, s2 = test.sd_responders.value, test.sd_nonresponders.value
    pooled = ((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / df
    t = (test.mean_nonresponders.value - test.mean_responders.value) / math.sqrt(pooled * (1 / n1 + 1 / n2))
    assert_allclose(t, test.t.value, atol=0.09)


@pytest.mark.parametrize(
    ("response", "term", "printed"),
    [
        ("belonging_t1", "group_change", "0.09 0.04 2.61 0.01 0.02 0.16"),
        ("loneliness_t1", "belonging_t1", "-0.31 0.07 -4.15 0.0001 -0.45 -0.16"),
        ("appointments_t1", "loneliness_t1", "1.41 0.45 3.13 0.002 0.52 2.31"),
    ],
)
def test_coefficients(response: str, term: str, printed: str) -> None:
    """Each coefficient has its printed figures, and t lies between the bounds of estimate / SE."""
    c = published().coefficient(response, term)
    assert " ".join(str(x) for x in (c.estimate, c.se, c.t, c.p, c.lower, c.upper)) == printed
    magnitude = sorted((abs(c.estimate.lower), abs(c.estimate.upper)))
    assert magnitude[0] / c.se.upper <= abs(c.t.value) <= magnitude[1] / c.se.lower


@pytest.mark.parametrize(
    ("path", "estimate", "se", "lower", "upper", "interval"),
    [
        (SERIAL, "-0.04", "0.02", "-0.09", "-0.005", "bootstrap"),
        ("total", "-0.07", "0.18", "-0.42", "0.28", "t"),
        (DIRECT, "-0.08", "0.18", "-0.43", "0.27", "t"),
    ],
)
def test_effects_of_the_serial_model(path: str, estimate: str, se: str, lower: str, upper: str, interval: str) -> None:
    """Each effect of model 6 has its printed figures and the kind of its interval."""
    effect = published().effect(path)
    assert effect.model == 6
    assert effect.printed == str(effect.estimate) == estimate
    assert (str(effect.se), str(effect.lower), str(effect.upper), effect.interval) == (se, lower, upper, interval)


def test_serial_effect_is_the_product() -> None:
    """The product of the three printed coefficients rounds to the printed serial effect."""
    study = published()
    product = math.prod(c.estimate.value for c in study.coefficients)
    assert f"{product:.2f}" == study.effect(SERIAL).printed


def test_misprint_keeps_both_readings() -> None:
    """The misprinted effect of model 4 has two readings and no estimate."""
    effect = published().effect(VIA_LONELINESS, model=4)
    assert effect.printed == "-003"
    assert [reading.value for reading in effect.readings] == [-0.03, -0.003]
    assert effect.estimate is None
    assert (str(effect.se), str(effect.lower), str(effect.upper)) == ("0.05", "-0.17", "0.06")


def test_design_figures() -> None:
    """Sample size, bootstrap, timing, scales and the list of groups are as printed."""
    study = published()
    assert (study.power.minimum_n, study.power.partial_eta_squared.text, study.power.power.text) == (
        49,
        "0.147",
        "0.80",
    )
    assert (study.bootstrap.samples, study.bootstrap.method, study.bootstrap.ci_prob.value) == (
        5000,
        "percentile",
        0.95,
    )
    assert (study.timing.follow_up_months, study.timing.window_months) == (4, 3)
    assert (study.groups_list.stated, len(study.groups_list.listed)) == (10, 9)
    scales = {s.variable: (s.minimum.value, s.maximum.value, s.step.value) for s in study.scales}
    assert scales == {"groups": (0, 10, 1), "belonging": (1, 4, 1), "loneliness": (1, 5, 0.125)}
    assert [str(study.variable(f"loneliness_t{t}").alpha) for t in (0, 1)] == ["0.88", "0.87"]
    assert study.covariates.missing_from_table2 == ("employment",)
    assert study.citation.doi == "10.1136/bmjopen-2019-033137"


def test_table2_frame() -> None:
    """Table 2 as a frame holds the printed text, blank where the article leaves it blank."""
    table = published().table2()
    assert table.shape == (13, 6 + 13)
    assert list(table.index) == list(NAMES)
    assert table.loc["loneliness_t1", "belonging_t1"] == "-0.40*"
    assert table.loc["loneliness_t1", "sd"] == "1.00"
    assert table.loc["belonging_t1", "loneliness_t1"] == ""
    assert table.loc["gender", "mean"] == ""


def test_every_number_is_listed_once_with_its_place() -> None:
    """The list of all numbers has unique keys, a place for each, and every kind of number."""
    numbers = {key: (text, place) for key, text, place in published().all_numbers()}
    assert len(numbers) == len(list(published().all_numbers()))
    assert all(place for _, place in numbers.values())
    assert sum(key.startswith("correlation_table") for key in numbers) == 78
    assert numbers["correlation_table[loneliness_t0, groups_t1].r"] == ("-0.001", "Table 2")
    assert numbers["appointments.total_t1"] == ("797", "Study 2, Results, paragraph 2")
    assert numbers[f"effects[{VIA_LONELINESS}, model 4].printed"][0] == "-003"
    assert numbers[f"effects[{VIA_LONELINESS}, model 4].readings[1]"][0] == "-0.003"
    assert f"effects[{SERIAL}, model 6].readings[0]" not in numbers
    for text, _ in numbers.values():
        assert any(character.isdigit() for character in text)


@pytest.mark.parametrize("lookup", ["variable", "sample", "effect"])
def test_unknown_names_are_key_errors(lookup: str) -> None:
    """Asking for what the article does not print is a KeyError."""
    with pytest.raises(KeyError):
        getattr(published(), lookup)("employment")


def test_gender_has_no_moments() -> None:
    """A variable whose mean and SD are not printed has no moments."""
    with pytest.raises(LookupError, match="gender"):
        published().variable("gender").moments  # noqa: B018 (the property raises)
