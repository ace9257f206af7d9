"""Effects over everyone who was asked, and how much the others must differ to change the conclusion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE, DIFFERENCE, RATE_RATIO, TOTAL
from bayes_sp.records.nonresponders import Moment, NonResponders
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity import attrition, nonresponders_from_records, published_nonresponders
from bayes_sp.sensitivity.missing.attrition import ATTRITION_COLUMNS
from bayes_sp.sensitivity.missing.attrition_tipping import clearance, why_never
from bayes_sp.sensitivity.missing.coefficient_shifts import LEVEL, Move
from bayes_sp.sensitivity.missing.curves import attrition_curves
from bayes_sp.sensitivity.missing.departures import TOGETHER, Departure, departures
from bayes_sp.sensitivity.missing.mixture import patterns
from bayes_sp.sensitivity.target import Target, target_of

pytestmark = pytest.mark.fixed_seed  # what is found is of these records
FEW = sp.SamplerOptions(draws=150, tune=200, chains=2)
SERIAL = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
LAST = "slope loneliness_t1 -> appointments_t1"


@pytest.fixture(scope="module")
def fit():
    return sp.fit("primary", sp.reconstruct(seed=1), options=FEW)


@pytest.fixture(scope="module")
def found(fit):
    return attrition(fit, published_nonresponders())


def along(fit, ways, target):
    """Return effects as functions of any departure, and the departures."""
    both = patterns(fit, published_nonresponders(), 1.0)
    chosen = departures(both, target, *ways)
    return attrition_curves(both, chosen, 0.95), chosen


def test_those_who_came_back_have_the_effects_of_the_fit(fit, found):
    """Draw by draw, on both scales, alone and averaged; products of coefficients are left out."""
    own = fit.effects().draws.sel(scale=[RATE_RATIO, DIFFERENCE])
    for name in ("alone", "average"):
        np.testing.assert_allclose(found.effects["responders"].draws[name], own[name], rtol=1e-9)
    assert set(found.standardised["scale"]) == {RATE_RATIO, DIFFERENCE}


def test_everyone_is_the_mixture_of_both_groups(found):
    """178 and 452 parts of each total difference; without interactions a path's difference too, draw by draw."""
    one, other, all_ = (found.effects[name].draws[AVERAGE].sel(scale=DIFFERENCE) for name in
                        ("responders", "nonresponders", "all"))  # fmt: skip
    np.testing.assert_allclose(all_, (178 * one + 452 * other) / 630, rtol=1e-9)
    assert float(np.abs(other / one - 1).mean()) > 1e-3  # they are two groups


def test_under_a_log_link_the_ratio_is_that_of_any_patients(found):
    """Main effects on the log scale: rate ratios do not depend on who is averaged over."""
    ratios = [own.draws[AVERAGE].sel(scale=RATE_RATIO) for own in found.effects.values()]
    for other in ratios[1:]:
        np.testing.assert_allclose(other, ratios[0], rtol=1e-10)


def test_under_an_identity_link_nothing_but_a_slope_matters():
    """A linear chain has one effect for everyone, whatever their covariates and levels."""
    fit = sp.fit("process6", sp.reconstruct(seed=1), options=FEW)
    found = attrition(fit, published_nonresponders(), points=3)
    own = found.effects["responders"].draws[AVERAGE]
    for other in found.effects.values():
        np.testing.assert_allclose(other.draws[AVERAGE], own, rtol=1e-8, atol=1e-12)
    levels = found.curves["median"].sel(path=SERIAL, scale=DIFFERENCE).where(found.curves["kind"] == "level", drop=True)
    assert np.ptp(levels.to_numpy()) < 1e-12
    assert "changes no difference" in found.tipping[0].impossible
    # a slope: P(R=1) a d b + P(R=0) a d (b + delta), at delta = -2 E b
    draws = fit.posterior["posterior"]
    a = draws["belonging_t1"].sel(belonging_t1_term="group_change")
    d = draws["loneliness_t1"].sel(loneliness_t1_term="belonging_t1")
    b = draws["appointments_t1"].sel(appointments_t1_term="loneliness_t1")
    expected = (a * d * (b - 2 * 452 / 630 * b.mean())).median()
    last = found.curves["median"].sel(population="all", shifted=LAST, path=SERIAL, scale=DIFFERENCE)[-1]
    assert float(last) == pytest.approx(float(expected), rel=1e-8)


def test_a_tipping_delta_is_where_the_interval_meets_no_effect(fit, found):
    """Plugged back in, a limit is 0; before it the sign is kept on a fine grid, and just beyond it is lost."""
    target = target_of(fit.model)
    effects, ways = along(fit, (None, None), target)
    tipped = [(way, tip) for way, tip in zip(ways, found.tipping, strict=True) if tip.deltas]
    assert {way.name for way, _ in tipped} >= {LAST, "slope group_change -> belonging_t1"}
    for way, tip in tipped:
        (delta,) = tip.deltas
        assert tip.sign == -1
        estimate = effects.estimate(way, delta, target)
        assert abs(estimate.upper) < 1e-8
        assert effects.estimate(way, 0.999 * delta, target).sign() == -1
        assert effects.estimate(way, 1.001 * delta, target).sign() == 0
        assert all(clearance(effects, way, share * delta, target) > 0 for share in np.linspace(0, 0.99, 12))
        value = way.slope + delta
        assert f"{'below' if delta < 0 else 'above'} {value:.2g}" in tip.sentence
        assert "452 who did not come back" in tip.sentence


@pytest.mark.slow
def test_the_error_of_a_tipping_delta_is_its_spread_over_seeds():
    """Eight fits that differ in their seed: the SD of their tipping deltas is what each says of itself."""
    tips = []
    for seed in range(1, 9):
        own = attrition(
            sp.fit("primary", sp.reconstruct(seed=1), seed=seed, options=FEW),
            published_nonresponders(),
            shifts={},
            points=5,
        )
        tips.append([(tip.deltas[0], tip.errors[0]) for tip in own.tipping])
    deltas, errors = np.moveaxis(np.array(tips), -1, 0)
    ratio = deltas.std(axis=0, ddof=1) / np.sqrt((errors**2).mean(axis=0))
    assert ((ratio > 0.2) & (ratio < 2.5)).all()  # a chance of 1 in 10,000 for each of 7 degrees of freedom


@pytest.mark.parametrize("name", ["primary", pytest.param("zinb", marks=pytest.mark.slow)])
def test_where_no_level_can_tip_the_sign_none_does(name):
    """Far beyond any range: 20 to either side, for levels alone and together."""
    fit = sp.fit(name, sp.reconstruct(seed=1), options=replace(FEW, draws=75))
    target = Target(TOTAL) if name == "zinb" else target_of(fit.model)
    effects, ways = along(fit, (None, {}), target)
    proven = [way for way in ways if why_never(effects, way, target)]
    expected = {way.name for way in ways} if name == "primary" else {"level of appointments_t1"}
    assert {way.name for way in proven} == expected
    sign = effects.estimate(ways[0], 0.0, target).sign()
    for way in proven:
        for delta in (-20.0, -3.0, 3.0, 20.0):
            assert effects.estimate(way, delta, target).sign() == sign


def test_a_level_of_the_outcome_scales_the_others_in_any_chain():
    """The criterion on shared signs: with strong paths it proves what steps far out find."""
    model = load_model("zinb")
    fit = sp.fit(model, sp.reconstruct(seed=1), options=FEW)
    draws = fit.posterior["posterior"].to_dataset()
    strong = draws.assign(
        belonging_t1=draws["belonging_t1"] + 1.0 * (draws["belonging_t1_term"] == "group_change"),
        loneliness_t1=draws["loneliness_t1"] - 1.0 * (draws["loneliness_t1_term"] == "belonging_t1"),
    )
    tree = fit.posterior.copy()
    tree["posterior"] = tree["posterior"].copy()
    tree["posterior"].dataset = strong
    target = target_of(model)
    level = Departure(
        "level of appointments_t1", "level",
        ((Move("appointments_t1", LEVEL, -1.0), Move("appointments_t1", LEVEL, 1.0)),), (-1.0, 1.0),
    )  # fmt: skip
    effects = attrition_curves(patterns(replace(fit, posterior=tree), published_nonresponders(), 1.0), [level], 0.95)
    sign = effects.estimate(level, 0.0, target).sign()
    assert sign == -1
    assert "multiplies the difference" in why_never(effects, level, target)
    assert {effects.estimate(level, delta, target).sign() for delta in (-25.0, -2.0, 2.0, 25.0)} == {-1}


def test_an_effect_that_is_not_clear_may_become_clear(fit):
    """Where the interval includes no effect the tipping point is where it stops to; over a wide range of slopes."""
    direct = "group_change -> appointments_t1"
    wide = {direct: (-1.0, 1.0)}
    found = attrition(fit, published_nonresponders(), target=Target(direct), shifts={}, slopes=wide, points=5)
    (tip,) = found.tipping
    assert tip.sign == 0
    assert len(tip.deltas) == 2
    assert min(tip.deltas) < 0 < max(tip.deltas)
    assert "includes 0 unless the slope from group_change to appointments_t1" in tip.sentence
    assert "is below" in tip.sentence
    assert "is above" in tip.sentence
    ends = found.curves.sel(population="all", path=direct, scale=DIFFERENCE).squeeze("shifted")
    assert float(ends["upper"][0]) < 0 < float(ends["lower"][-1])


def test_the_ranges_are_what_was_asked_for_or_stated(fit, found):
    """Levels one SD or one on the log rate, last towards a higher outcome; slopes from unchanged to reversed."""
    records, draws = fit.survey.records, fit.posterior["posterior"]
    delta = found.curves["delta"]
    slope = float(draws["appointments_t1"].sel(appointments_t1_term="loneliness_t1").mean())
    np.testing.assert_allclose(delta.sel(shifted=LAST), np.linspace(0, -2 * slope, 9), atol=1e-12)
    np.testing.assert_allclose(found.curves["fraction"].sel(shifted=LAST), np.linspace(1, -1, 9), atol=1e-12)
    for response, sign in (("belonging_t1", -1), ("loneliness_t1", 1)):
        ends = sign * records[response].std() * np.linspace(-1, 1, 9)
        np.testing.assert_allclose(delta.sel(shifted=f"level of {response}"), ends, atol=1e-12)
    np.testing.assert_allclose(delta.sel(shifted="level of appointments_t1"), np.linspace(-1, 1, 9))
    others = found.curves["median"].sel(population="nonresponders", path=SERIAL, scale=DIFFERENCE)
    ratio = others.sel(shifted="level of appointments_t1")[-1] / others.sel(shifted="level of appointments_t1")[4]
    assert float(ratio) == pytest.approx(np.e)
    assert (np.diff(others.sel(shifted=TOGETHER)) < 0).all(), "a higher level makes the difference larger"


def test_stated_levels_move_together_each_to_its_own_end(fit):
    """Halfway is half of every stated level."""
    target = target_of(fit.model)
    both = patterns(fit, published_nonresponders(), 1.0)
    ways = departures(both, target, {"belonging_t1": (0.5, -1.0), "appointments_t1": (-0.2, 0.4)}, {})
    assert [way.name for way in ways] == ["level of belonging_t1", "level of appointments_t1", TOGETHER]
    half, back = ({move.response: move.amount for move in ways[-1].at(delta)} for delta in (0.5, -1.0))
    assert half == {"belonging_t1": -0.5, "appointments_t1": 0.2}
    assert back == {"belonging_t1": 0.5, "appointments_t1": -0.2}


def test_the_table_holds_every_number(found):
    """One row for each effect without a departure, and for each population, departure, delta, path and scale."""
    table = found.table
    assert tuple(table) == ATTRITION_COLUMNS
    assert len(table) == len(found.standardised) + 2 * 7 * 9 * 6 * 2
    row = table[(table["shifted"] == LAST) & (table["path"] == SERIAL) & (table["scale"] == DIFFERENCE)]
    own = found.curves.sel(shifted=LAST, path=SERIAL, scale=DIFFERENCE, population="all")
    pd.testing.assert_series_equal(
        row[row["population"] == "all"]["upper"].reset_index(drop=True), pd.Series(own["upper"].to_numpy()),
        check_names=False,
    )  # fmt: skip
    first = table[table["shifted"].isna() & (table["population"] == "all") & (table["decomposition"] != "alone")]
    start = found.curves["median"].sel(population="all", shifted=LAST, step=0)
    for path, scale in ((SERIAL, DIFFERENCE), (TOTAL, RATE_RATIO)):
        mean = first[(first["path"] == path) & (first["scale"] == scale)]["median"].item()
        assert float(start.sel(path=path, scale=scale)) == pytest.approx(mean, rel=1e-12)


def test_the_findings_are_the_target_over_everyone_and_at_the_ends(found):
    """Two without a departure, then one for each, with its sentence."""
    findings = found.findings()
    assert len(findings) == 2 + 7
    assert [finding.analysis for finding in findings] == ["attrition"] * 9
    assert findings[0].case == "all 630 who were asked, missing at random"
    rows = found.standardised[(found.standardised["population"] == "all") & (found.standardised["path"] == SERIAL)]
    row = rows[(rows["scale"] == DIFFERENCE) & (rows["decomposition"] == AVERAGE)]
    assert findings[0].estimate.upper == row["upper"].item()
    assert findings[0].estimate.mcse_upper > 0
    last = next(finding for finding in findings if LAST in finding.case)
    assert "(reversed)" in last.case
    assert "unless the slope from loneliness_t1 to appointments_t1" in last.note
    curve = found.curves["median"].sel(population="all", shifted=LAST, path=SERIAL, scale=DIFFERENCE)
    assert last.estimate.median == float(curve[-1])


def test_the_result_says_where_it_comes_from(fit, found):
    """Seed, digest, specification, what the records are, weights' worth; and what was taken for granted."""
    attrs = found.curves.attrs
    assert (attrs["responders"], attrs["nonresponders"], attrs["everyone"], attrs["seed"]) == (178, 452, 630, 1)
    assert attrs["data_digest"] == fit.survey.digest
    assert 100 < attrs["ess_of_weights"] < 178
    assert "reconstructed from published moments" in attrs["data_source"]
    assert "reconstructed from published moments" in found._repr_html_()
    notes = " ".join(found.notes)
    for words in ("missing at random", "groups_t0, age, gender of those who did not come back is known",
                  "belonging_t0, loneliness_t0, appointments_t0, relationship, education: taken to be as among",
                  "towards a higher outcome", "loneliness_t1 at 2.35"):  # fmt: skip
        assert words in notes


def test_a_ratio_no_level_can_move(fit):
    """On the ratio scale a level does nothing at all under a log link, and a slope does what it does."""
    found = attrition(fit, published_nonresponders(), target=Target(SERIAL, RATE_RATIO), points=3)
    assert "changes no ratio" in found.tipping[0].impossible
    level = found.curves["median"].sel(population="all", shifted=TOGETHER, path=SERIAL, scale=RATE_RATIO)
    assert np.ptp(level.to_numpy()) < 1e-10
    slope = found.tipping[-1]
    assert slope.deltas
    assert "stays below 1 unless" in slope.sentence


def test_kappa_couples_both_groups(fit):
    """Those who came back have the fit's effects at that kappa."""
    found = attrition(fit, published_nonresponders(), shifts={}, kappa=0.3, points=3)
    own = fit.effects(kappa=0.3).draws[AVERAGE].sel(scale=DIFFERENCE)
    np.testing.assert_allclose(found.effects["responders"].draws[AVERAGE].sel(scale=DIFFERENCE), own, rtol=1e-9)


def test_three_mediators_in_a_row(small_tables, make_user_survey):
    """The serial path through three mediators has four edges, and levels of four responses."""
    for name in ("sleep", "pain"):
        small_tables["variables"][name] = {"label": name, "unit": "points", "center": 5.0}
        small_tables["equation"].insert(1, {"response": name, "family": "normal"})
    small_tables["published"] = []
    model = load_model(small_tables, name="three")
    rng = np.random.default_rng(1)
    records = make_user_survey(100).records
    records = records.assign(pain=5 - 0.5 * records["mood"] + rng.normal(0, 1, 100))
    records = records.assign(sleep=5 - 0.5 * records["pain"] + rng.normal(0, 1, 100))
    fit = sp.fit(model, Survey(records, "simulation", "made up"), options=FEW)
    absent = NonResponders(50, "a letter", moments=(Moment("age", 45.0),))
    found = attrition(fit, absent, points=3)
    assert list(found.curves["shifted"].to_numpy()) == [
        "level of mood", "level of pain", "level of sleep", "level of visits", TOGETHER, "slope walks -> mood",
        "slope mood -> pain", "slope pain -> sleep", "slope sleep -> visits",
    ]  # fmt: skip
    np.testing.assert_allclose(
        found.effects["responders"].draws[AVERAGE].sel(scale=DIFFERENCE),
        fit.effects().draws[AVERAGE].sel(scale=DIFFERENCE), rtol=1e-9,
    )  # fmt: skip


def test_one_mediator_has_the_edges_of_its_indirect_path(small_model, make_user_survey):
    """Without a serial path the target is the total indirect effect; covariates that are known replace the moments."""
    survey = make_user_survey()
    fit = sp.fit(small_model, survey, options=FEW)
    rows = survey.records[["age", "visits_before", "housing"]].iloc[:20]
    found = attrition(fit, nonresponders_from_records(small_model, rows), shifts={}, points=3)
    assert list(found.curves["shifted"].to_numpy()) == ["slope walks -> mood", "slope mood -> visits"]
    assert np.isnan(found.curves.attrs["ess_of_weights"])
    assert found.curves.attrs["everyone"] == len(survey) + 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shifts": {"belonging": (0, 1)}}, 'shifts: has no "belonging"; did you mean "belonging_t1"'),
        ({"slopes": {"loneliness_t1 -> belonging_t1": (0, 1)}}, "slopes: has no"),
        ({"slopes": {"group_change -> belonging_t1": (0.5, 0.5)}}, "must be two different numbers"),
        ({"shifts": {"belonging_t1": (0, float("nan"))}}, "must be two different numbers"),
        ({"target": Target("group_change -> loneliness_t1")}, "has no path"),
        ({"target": Target(SERIAL, "coefficient")}, 'no scale "coefficient"'),
    ],
)
def test_what_the_specification_does_not_have_is_refused(fit, arguments, words):
    """Responses, edges, ranges, paths and scales, each with what there is."""
    with pytest.raises(sp.BayesSpError) as caught:
        attrition(fit, published_nonresponders(), **arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize("arguments", [{"kappa": 1.2}, {"points": 2}, {"ci_prob": 1.0}])
def test_numbers_that_cannot_be_are_refused(fit, arguments):
    """Kappa, the number of points, the probability of an interval."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        attrition(fit, published_nonresponders(), **arguments)


def test_columns_that_the_records_lack_are_named(fit):
    """A moment of a column that those who came back do not have."""
    absent = NonResponders(9, "a letter", moments=(Moment("height", 170.0),))
    with pytest.raises(sp.BayesSpError, match="no such column of numbers"):
        attrition(fit, absent)


def test_rows_without_an_answer_in_the_survey_are_refused(fit):
    """They would be weighted as if they had come back; the message names both ways out."""
    records = fit.survey.records.copy()
    answers = ["belonging_t1", "loneliness_t1", "appointments_t1"]
    records[answers] = records[answers].astype(float)
    records.loc[:19, answers] = np.nan
    gaps = replace(fit, survey=Survey(records, "memory", "a table"))
    with pytest.raises(sp.BayesSpError, match=r"20 patients have no response.*delta_curve.*non-responders"):
        attrition(gaps, published_nonresponders())
