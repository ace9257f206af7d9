"""Reconstructed records satisfy every published constraint, for every seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from bayes_sp.errors import SurveyError
from bayes_sp.records.published.article import published
from bayes_sp.records.published.constraints import constraint_report
from bayes_sp.records.published.margins import UnreachableError
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import Survey

SEEDS = (0, 1, 2, 7, 2019)
CHANGE_TRIPLE = {("groups_t0", "group_change"), ("groups_t1", "group_change"), ("groups_t1", "groups_t0")}


@pytest.fixture(scope="module", params=SEEDS)
def survey(request: pytest.FixtureRequest) -> Survey:
    """Reconstruct records for each of five seeds."""
    return reconstruct(request.param)


def test_columns_and_origin(survey: Survey) -> None:
    """A reconstruction has 178 complete records, the columns of Table 2 in order, and says what it is."""
    assert survey.records.shape == (178, 13)
    assert tuple(survey.records.columns) == published().names
    assert survey.reconstructed
    assert survey.source.startswith("reconstructed from published moments (seed ")
    assert not survey.records.isna().any().any()
    for name, kind in survey.records.dtypes.items():
        assert kind == (np.float64 if str(name).startswith("loneliness") else np.int64), name


def test_means_and_sds_round_to_the_printed_ones(survey: Survey) -> None:
    """Every mean and SD, computed by pandas, prints as it does in Table 2."""
    for variable in published().variables:
        if variable.mean is not None and variable.sd is not None:
            column = survey.records[variable.name]
            assert f"{column.mean():.2f}" == variable.mean.text, variable.name
            assert f"{column.std():.2f}" == variable.sd.text, variable.name


def test_correlations_round_to_the_printed_ones(survey: Survey) -> None:
    """Every correlation, computed by pandas, prints as in Table 2, but for the change with its own parts."""
    r = survey.records.corr()
    for entry in published().correlation_table:
        if (entry.row, entry.column) not in CHANGE_TRIPLE:
            achieved = float(r.loc[entry.row, entry.column])  # type: ignore[arg-type]  # pandas types a cell as any scalar
            assert round(achieved, entry.r.decimals) == entry.r.value, (entry.row, entry.column, achieved)


def test_change_triple_is_as_near_as_can_be(survey: Survey) -> None:
    """The three correlations that no records satisfy together are at most .001 beyond rounding."""
    r = survey.records[["group_change", "groups_t0", "groups_t1"]].corr().to_numpy()
    assert_allclose(r[np.tril_indices(3, -1)], np.array([-0.53, 0.69, 0.23]), rtol=0, atol=0.006)


def test_change_is_the_difference(survey: Survey) -> None:
    """Change in groups is T1 - T0 in every record."""
    d = survey.records
    assert_array_equal(d["group_change"], d["groups_t1"] - d["groups_t0"])


def test_totals(survey: Survey) -> None:
    """Appointments and groups add up to the published totals, to the last one."""
    sums = survey.records[["appointments_t0", "appointments_t1", "groups_t0", "groups_t1"]].sum()
    assert_array_equal(sums, [1063, 797, 336, 394])


def test_scales(survey: Survey) -> None:
    """Every score is a possible answer on its scale."""
    d = survey.records
    ranges = {"groups": (0, 10), "belonging": (1, 4), "appointments": (0, 89), "loneliness": (1, 5)}
    for name, (low, high) in ranges.items():
        for time in ("t0", "t1"):
            assert d[f"{name}_{time}"].between(low, high).all(), name
    for time in ("t0", "t1"):
        eighths = d[f"loneliness_{time}"].to_numpy() * 8
        assert_array_equal(eighths, np.round(eighths))
        assert set(d[f"belonging_{time}"]) == {1, 2, 3, 4}
    assert d["age"].between(18, 100).all()
    assert set(d["relationship"]) == {0, 1}
    assert set(d["education"]) == {1, 2, 3}


def test_gender_counts(survey: Survey) -> None:
    """86 men and 91 women, and the one unknown is one of the two."""
    counts = survey.records["gender"].value_counts()
    assert (int(counts[1]), int(counts[2])) in {(87, 91), (86, 92)}


def test_appointments_look_like_counts(survey: Survey) -> None:
    """Appointments are skewed to the right, with many patients at zero after the pathway and no absurd maximum."""
    for name, fewest in (("appointments_t0", 30), ("appointments_t1", 55)):
        counts = survey.records[name]
        assert fewest <= (counts == 0).sum() <= 100
        assert stats.skew(counts.to_numpy()) > 2
        assert 35 <= counts.max() <= 80


def test_both_gender_assignments_occur() -> None:
    """The seed decides the gender of the one unknown."""
    men = {int((reconstruct(seed).records["gender"] == 1).sum()) for seed in range(8)}
    assert men == {86, 87}


def test_same_seed_same_records() -> None:
    """The same seed gives the same records, bit for bit, also as a NumPy integer."""
    first, again, numpy_seed = reconstruct(3), reconstruct(3), reconstruct(np.int64(3))  # type: ignore[arg-type]  # NumPy's integers are taken
    pd.testing.assert_frame_equal(first.records, again.records, check_exact=True)
    assert first.digest == again.digest == numpy_seed.digest
    assert first.source == numpy_seed.source == "reconstructed from published moments (seed 3)"


def test_different_seeds_differ() -> None:
    """Different seeds give different records, and different margins where these are not published."""
    surveys = [reconstruct(seed) for seed in SEEDS]
    assert len({survey.digest for survey in surveys}) == len(SEEDS)
    assert len({int(survey.records["relationship"].sum()) for survey in surveys}) > 1
    assert len({tuple(np.sort(survey.records["appointments_t1"])) for survey in surveys}) > 1


@pytest.mark.parametrize("seed", [-1, 1.0, "1", True, None])
def test_bad_seed(seed: object) -> None:
    """A seed that is not a whole number of 0 or more is an error that shows what was given."""
    with pytest.raises(SurveyError, match="whole number of 0 or more, got"):
        reconstruct(seed)  # type: ignore[arg-type]  # of another type on purpose


def test_unknown_count_shape() -> None:
    """An unknown count shape is an error that suggests the nearest one."""
    with pytest.raises(SurveyError, match='did you mean "negative_binomial"'):
        reconstruct(1, count_shape="negativ_binomial")


def test_impossible_constraints_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no attempt meets the constraints, an error comes and no records."""

    def refuse(*_: object) -> None:
        raise UnreachableError("no way")

    monkeypatch.setattr("bayes_sp.records.published.reconstruct.exchange", refuse)
    with pytest.raises(SurveyError, match=r"seed 5 did not meet .* \(no way\); try another seed"):
        reconstruct(5)


def test_constraint_report(survey: Survey) -> None:
    """The report holds 10 means, 10 SDs and 78 correlations, all within rounding but for the change triple."""
    report = constraint_report(survey)
    assert report["statistic"].value_counts().to_dict() == {"r": 78, "mean": 10, "sd": 10}
    beyond = report[report["excess"] > 0]
    assert set(zip(beyond["variable"], beyond["other"], strict=True)) <= CHANGE_TRIPLE
    assert_allclose(report["excess"], 0.0, atol=0.001)


def test_constraint_report_sees_an_error() -> None:
    """The excess of a statistic is its distance from the printed figure less half of the last digit."""
    survey = reconstruct(1)
    records = survey.records.copy()
    records["age"] += 1
    report = constraint_report(Survey(records, "memory", "test"))
    age = report[(report["variable"] == "age") & (report["statistic"] != "r")]
    assert_array_equal(age["statistic"], ["mean", "sd"])
    assert_array_equal(age["printed"], ["55.75", "13.80"])
    assert_allclose(age["excess"].to_numpy(), np.array([records["age"].mean() - 55.755, 0.0]), atol=1e-9)


def test_constraint_report_names_missing_columns() -> None:
    """A survey without a variable of Table 2 is an error that names it."""
    survey = reconstruct(1)
    with pytest.raises(SurveyError, match='column "education" is missing'):
        constraint_report(Survey(survey.records.drop(columns="education"), "memory", "test"))


def test_least_squares_of_the_records_gives_the_chain() -> None:
    """Least squares on the records comes near the three published coefficients of the chain."""
    d = reconstruct(1).records
    covariates = ["belonging_t0", "loneliness_t0", "appointments_t0", "age", "gender", "relationship", "education"]

    def slope(response: str, parents: list[str]) -> float:
        design = np.column_stack([np.ones(len(d)), d[parents + covariates]])
        return float(np.linalg.lstsq(design, d[response].to_numpy(dtype=float), rcond=None)[0][len(parents)])

    a1 = slope("belonging_t1", ["group_change"])
    d21 = slope("loneliness_t1", ["group_change", "belonging_t1"])
    b2 = slope("appointments_t1", ["group_change", "belonging_t1", "loneliness_t1"])
    assert_allclose([a1, d21, b2], [0.095, -0.277, 1.44], rtol=0.05)
