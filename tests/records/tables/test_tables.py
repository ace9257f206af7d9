"""Tables of a survey agree with SciPy, statsmodels and pandas, and with what is worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.anova import AnovaRM

from bayes_sp.records.nonresponders import Moment, NonResponders
from bayes_sp.records.tables.compare import (
    came_back,
    groups_from_moments,
    known_nonresponders_table,
    repeated_from_moments,
    repeated_table,
    responders_table,
)
from bayes_sp.records.tables.describe import (
    ANY_TIME,
    correlation_table,
    missing_by_wave,
    missing_patterns,
    moments_table,
)
from bayes_sp.records.tables.waves import waves_of


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return 60 patients at two times, of whom 20 did not come back, some cells missing."""
    rng = np.random.default_rng(3)
    base = rng.normal(5.0, 2.0, 60)
    records = pd.DataFrame(
        {
            "age": rng.integers(20, 80, 60),
            "mood_t0": base.round(1),
            "walks_t0": rng.poisson(3, 60),
            "mood_t1": (1.0 + 0.7 * base + rng.normal(size=60)).round(1),
            "walks_t1": rng.poisson(4, 60).astype(float),
            "town": rng.choice(["a", "b"], 60),
        }
    )
    records.loc[40:, ["mood_t1", "walks_t1"]] = np.nan
    records.loc[[2, 5], "mood_t0"] = np.nan
    return records


def test_moments_are_those_of_pandas(frame):
    """A text has no moments, and its number of levels."""
    found = moments_table(frame).set_index("variable")
    usual = frame.describe().T
    for ours, theirs in (("n", "count"), ("mean", "mean"), ("sd", "std"), ("minimum", "min"), ("maximum", "max")):
        np.testing.assert_allclose(found.loc[usual.index, ours].astype(float), usual[theirs])
    assert (found["n"] + found["missing"] == 60).all()
    assert np.isnan(found.loc["town", "mean"])
    assert found.loc["town", "levels"] == 2


@pytest.mark.parametrize("unit", [1.0, 1e12])
def test_correlations_are_those_of_scipy(frame, unit):
    """Over the patients with both values, with n, p and interval, in any unit and far from 0."""
    names = ["age", "mood_t0", "walks_t0", "mood_t1"]
    moved = frame[names] * unit + 1e3 * unit
    for row in correlation_table(moved, names).itertuples():
        both = frame[[row.row, row.column]].dropna().to_numpy(dtype=float)
        theirs = stats.pearsonr(both[:, 0], both[:, 1])
        interval = theirs.confidence_interval()
        assert row.n == len(both)
        np.testing.assert_allclose([row.r, row.p], [theirs.statistic, theirs.pvalue], rtol=1e-6)
        np.testing.assert_allclose([row.lower, row.upper], [interval.low, interval.high], rtol=1e-6)


def test_no_correlation_is_made_up():
    """A constant, and pairs that hardly anyone has, have none; a copy has 1."""
    table = pd.DataFrame({"x": [1.0, 2, 3, 4, 5], "c": 0.1, "y": [1, 2, 3, np.nan, np.nan], "z": [1.0, 2, 3, 4, 5]})
    found = correlation_table(table, list(table)).set_index(["row", "column"])
    assert found["r"].isna().sum() == 5
    assert found.loc[("z", "x"), "r"] == pytest.approx(1.0)
    assert found.loc[("z", "x"), "p"] == 0.0


def test_two_times_are_compared_as_by_an_analysis_of_variance(frame):
    """F, degrees of freedom and p are those of statsmodels, the interval is that of SciPy's paired t."""
    found = repeated_table(frame, waves_of(list(frame))).set_index("variable")
    assert list(found.index) == ["mood", "walks"]
    for what, row in found.iterrows():
        both = frame[[f"{what}_t0", f"{what}_t1"]].dropna()
        long = both.reset_index().melt(id_vars="index")
        theirs = AnovaRM(long, "value", "index", within=["variable"]).fit().anova_table.iloc[0]
        np.testing.assert_allclose(
            [row["f"], row["df2"], row["p"]], [theirs["F Value"], theirs["Den DF"], theirs["Pr > F"]]
        )
        paired = stats.ttest_rel(both.iloc[:, 1], both.iloc[:, 0])
        interval = paired.confidence_interval()
        np.testing.assert_allclose([row["lower"], row["upper"]], [interval.low, interval.high])
        assert row["partial_eta_squared"] == pytest.approx(row["f"] / (row["f"] + row["df2"]))


def test_those_who_came_back_are_compared_with_the_others(frame):
    """Student's t of SciPy, others less those who came back; p times the number of variables."""
    back = came_back(frame, waves_of(list(frame)), [])
    assert back.sum() == 40
    found = responders_table(frame, ["age", "mood_t0", "walks_t0", "town", "mood_t1"], back)
    assert list(found["variable"]) == ["age", "mood_t0", "walks_t0"]
    for row in found.itertuples():
        values = frame[row.variable].to_numpy(dtype=float)
        theirs = stats.ttest_ind(values[~back], values[back], nan_policy="omit")
        np.testing.assert_allclose([row.t, row.df, row.p], [theirs.statistic, theirs.df, theirs.pvalue])
        assert row.p_bonferroni == pytest.approx(min(1.0, 3 * row.p))
    moments = tuple(
        Moment(name, float(frame[name][~back].mean()), float(frame[name][~back].std())) for name in ("age", "walks_t0")
    )
    known = known_nonresponders_table(frame[back], NonResponders(20, "a report", moments=moments))
    np.testing.assert_allclose(known["t"], found.set_index("variable").loc[["age", "walks_t0"], "t"])
    records = known_nonresponders_table(frame[back], NonResponders(20, "a file", frame[~back][["age", "walks_t0"]]))
    np.testing.assert_allclose(records["t"], known["t"])


def test_limits_of_the_tests():
    """The same change of everyone is certain, no change at all says nothing, no spread has no t."""
    assert repeated_from_moments((1, 2), (1, 1), 1.0, 10).f == np.inf
    assert repeated_from_moments((1, 2), (1, 1), 1.0, 10).p == 0.0
    assert np.isnan(repeated_from_moments((1, 1), (1, 1), 1.0, 10).f)
    assert np.isnan(groups_from_moments("x", (5, 1, 0), (5, 2, 0)).t)


@pytest.mark.parametrize(
    ("columns", "waves", "repeated"),
    [
        (["age", "groups_t0", "groups_t1", "mood_t1"], ("t0", "t1"), ["groups"]),
        (["T1_mood", "T2_mood", "T10_mood"], ("t1", "t2", "t10"), ["mood"]),
        (["moodT1", "moodT2"], ("t1", "t2"), ["mood"]),
        (["mood.wave1", "mood.wave2"], ("t1", "t2"), ["mood"]),
        (["mood_post", "mood_pre"], ("pre", "post"), ["mood"]),
        (["Baseline mood", "Followup mood"], ("baseline", "followup"), ["mood"]),
        (["m1", "m2", "weight1", "weight2", "fit1", "fit2"], (), []),
        (["uls_1", "uls_2", "post", "start", "mood_t1"], (), []),
    ],
)
def test_waves_are_known_by_names(columns, waves, repeated):
    """Numbers of items, and words that end like a time, are none."""
    found = waves_of(columns)
    assert found.names == waves
    assert list(found.repeated) == repeated


def test_waves_can_be_said():
    """What says them comes first; other columns are of those waves by the end of their names."""
    found = waves_of(["a1", "a2", "b_t1", "c_t0", "sum_Exit", "sum_entry"], {"a1": "entry", "a2": "exit"})
    assert found.names == ("entry", "exit")
    assert found.wave_of == {"a1": "entry", "a2": "exit", "sum_Exit": "exit", "sum_entry": "entry"}
    assert list(found.repeated) == ["sum"]
    assert waves_of(["mood_t1", "mood_t0"], {"mood_t1": "T1", "mood_t0": "T0"}).repeated == {
        "mood": {"T1": "mood_t1", "T0": "mood_t0"},
    }  # fmt: skip


def test_missing_values_are_counted_by_wave_and_pattern(frame):
    """Every patient is in one cell of each wave, and in one pattern."""
    names = list(frame)
    waves = missing_by_wave(frame, names, waves_of(names)).set_index("wave")
    assert waves.loc["t0"].tolist() == [2, 58, 2, 0]
    assert waves.loc["t1"].tolist() == [2, 40, 0, 20]
    assert waves.loc[ANY_TIME].tolist() == [2, 60, 0, 0]
    patterns = missing_patterns(frame, names)
    assert dict(zip(patterns["missing"], patterns["patients"], strict=True)) == {
        "": 38, "mood_t1, walks_t1": 20, "mood_t0": 2,
    }  # fmt: skip
