"""What speaks against records before a fit: exposures without order, separation, empty hurdles, rows of one person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from bayes_sp.design.build import design_arrays
from bayes_sp.design.checks.dose import departures
from bayes_sp.design.checks.doubts import survey_doubts
from bayes_sp.design.notes import survey_notes
from bayes_sp.design.read import read_survey
from bayes_sp.design.rows import split_rows
from bayes_sp.errors import SurveyError, SurveyWarning
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import Survey

NORMAL = {"dist": "normal", "mu": 0, "sigma": 5, "why": "wide"}
POSITIVE = {"dist": "lognormal", "mu": 0, "sigma": 2, "why": "wide"}
PRIORS = {"intercept": NORMAL, "slope": NORMAL, "sigma": POSITIVE, "phi": POSITIVE}


def model_of(mediator="normal", outcome="negative_binomial", **more):
    """Return a chain arm -> m -> y."""
    equations = [{"response": "m", "family": mediator}, {"response": "y", "family": outcome}]
    priors = PRIORS | more.pop("priors", {})
    if outcome == "bernoulli_logit":
        priors.pop("phi")
    if mediator != "normal":
        priors.pop("sigma")
    tables = {"title": "t", "exposure": "arm", "outcome": "y", "equation": equations, "priors": priors}
    return load_model(tables | more)


def survey_of(frame):
    """Return a survey of a table."""
    return Survey(frame, "memory", "a table")


def the_doubt(model, frame) -> str:
    """Return the only doubt about a table."""
    found = survey_doubts(model, survey_of(frame))
    assert len(found) == 1, f"one doubt belongs here; a new one of design/checks/doubts.py is too wide: {found}"
    return found[0]


def arms(means, seed=36, n=360):
    """Return records of three arms with these means of the mediator."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(1, 4, n)
    m = np.array(means)[arm - 1] + rng.normal(size=n)
    y = rng.negative_binomial(2, 2 / (2 + np.exp(1 + 0.35 * m)))
    return pd.DataFrame({"arm": arm, "m": m.round(3), "y": y})


def test_arms_whose_means_are_not_on_a_line_are_told() -> None:
    """The statistic is the F of dummies against a number; arms on a line are noted as numbers, without a doubt."""
    model, frame = model_of(contrast=[1, 2]), arms([0, 1.2, 0.3])
    doubt = the_doubt(model, frame)
    assert doubt.startswith("arm enters as a number, and the means of m at its 3 levels do not lie on a line")
    assert "significant" not in doubt
    found = departures(model, design_arrays(model, survey_of(frame)))[0]
    line = sm.OLS(frame["m"], sm.add_constant(frame[["arm"]].astype(float))).fit()
    dummies = pd.get_dummies(frame["arm"], dtype=float)
    f, tail, q = sm.OLS(frame["m"], dummies).fit().compare_f_test(line)
    assert (found.f, found.tail, found.q) == (pytest.approx(f), pytest.approx(tail), q)
    assert survey_doubts(model, survey_of(arms([0, 0.5, 1.0]))) == ()
    moved = arms([0, 0.5, 1.0])
    far = moved.assign(arm=10**15 + moved["arm"])
    assert survey_doubts(model_of(contrast=[10**15 + 1, 10**15 + 2]), survey_of(far)) == ()
    assert survey_doubts(model, survey_of(frame.assign(m=1e307 * frame["m"]))) == (doubt,)
    assert survey_notes(model, survey_of(frame))[0] == (
        "arm: its levels 1, 2, 3 enter as numbers, so that every step of 1 is taken to do the same; 2 against 1 is one "
        "such step."
    )


def test_a_log_linear_count_is_on_a_line() -> None:
    """The line of a count is that of its logarithm: a steep rate does not move its score test, a bent one does."""
    rng = np.random.default_rng(2)
    arm = rng.integers(0, 5, 400)
    m, model = rng.normal(size=400), model_of()
    straight = pd.DataFrame({"arm": arm, "m": m, "y": rng.negative_binomial(2, 2 / (2 + np.exp(0.7 * arm)))})
    bent = straight.assign(y=rng.negative_binomial(2, 2 / (2 + np.exp(np.array([0, 2, 0.5, 2, 0])[arm]))))
    tails = [departures(model, design_arrays(model, survey_of(frame)))[1].tail for frame in (straight, bent)]
    assert tails[0] > 0.01
    assert tails[1] < 1e-6


def test_the_study_has_no_doubts() -> None:
    """Nothing speaks against the reconstruction under the shipped specifications."""
    for name in ("primary", "process6", "hurdle", "bounded"):
        assert survey_doubts(load_model(name), reconstruct(1)) == ()


def test_separation_is_named_with_its_term() -> None:
    """A binary mediator that an arm decides, and an arm without events, are told before sampling; others are not."""
    rng = np.random.default_rng(28)
    arm = np.repeat([0, 1], 60)
    b = ((arm == 1) | (rng.uniform(size=120) < 0.4)).astype(int)
    y = rng.negative_binomial(1.2, 0.4, 120)
    binary = model_of("bernoulli_logit")
    doubt = the_doubt(binary, pd.DataFrame({"arm": arm, "m": b, "y": y}))
    assert doubt.startswith("m: arm tells one value from the other without exception")
    overlapping = pd.DataFrame({"arm": arm, "m": rng.integers(0, 2, 120), "y": y})
    assert survey_doubts(binary, survey_of(overlapping)) == ()
    m = rng.normal(size=120)
    events = pd.DataFrame({"arm": arm, "m": m, "y": np.where(arm == 1, 0, y)})
    doubt = the_doubt(model_of(), events)
    assert doubt.startswith("y: arm tells zeros from counts without exception")
    combined = pd.DataFrame({"arm": arm, "m": (arm + m > 0.5).astype(int), "y": y, "w": m})
    doubt = the_doubt(model_of("bernoulli_logit", covariates={"w": {}}), combined)
    assert doubt.startswith("m: arm, w tell one value from the other")


def test_a_hurdle_with_nothing_above_it_is_named() -> None:
    """Counts of 0 and 1 only say nothing of how many there are above the hurdle."""
    rng = np.random.default_rng(20)
    frame = pd.DataFrame({"arm": rng.normal(size=300), "m": rng.normal(size=300), "y": rng.integers(0, 2, 300)})
    model = model_of(outcome="hurdle_negative_binomial", priors={"zero_intercept": NORMAL, "zero_slope": NORMAL})
    doubt = the_doubt(model, frame)
    assert "y: no count is above 1" in doubt
    assert survey_doubts(model, survey_of(frame.assign(y=rng.integers(0, 3, 300)))) == ()
    zero = {"zero_intercept": NORMAL, "zero_slope": NORMAL}
    inflated = model_of(outcome="zero_inflated_negative_binomial", priors=zero)
    doubt = the_doubt(inflated, frame)
    assert "say nothing of zeros of two kinds" in doubt
    arm = rng.integers(0, 2, 300)
    apart = frame["y"] * np.where(arm == 1, 1, rng.integers(1, 4, 300))
    doubt = the_doubt(model, frame.assign(arm=arm, y=apart))
    assert doubt.startswith("y: arm tells counts of 1 from higher ones")


@pytest.mark.parametrize(
    ("family", "low", "what"),
    [
        ("hurdle_negative_binomial", 1, "a count above 1"),
        ("zero_inflated_negative_binomial", 1, "a count above 1"),
        ("negative_binomial", 0, "a count above 0"),
        ("bernoulli_logit", 0, "the rarer of its two values"),
    ],
)
def test_rare_outcomes_are_named(family, low, what) -> None:
    """Fewer than two records for each coefficient, intercept included; with as many nothing is said."""
    rng = np.random.default_rng(22)
    frame = pd.DataFrame({"arm": rng.normal(size=300), "m": rng.normal(size=300)})
    zero = {"zero_intercept": NORMAL, "zero_slope": NORMAL} if low else {}
    model = model_of(outcome=family, priors=zero)
    for rare, told in ((5, 1), (60, 0)):
        y = np.where(np.arange(300) < rare, low + 1, rng.integers(0, low + 1, 300))
        found = [text for text in survey_doubts(model, survey_of(frame.assign(y=y))) if what in text]
        assert len(found) == told
        assert all("fewer than 10 of 300 records" in text and "3 coefficients" in text for text in found)


@pytest.mark.parametrize("family", ["hurdle_negative_binomial", "zero_inflated_negative_binomial"])
def test_a_zero_part_that_its_zeros_do_not_bound_is_named(family) -> None:
    """Counts without a 0, and an arm of which every count is 0, leave the zero part to its priors."""
    rng = np.random.default_rng(21)
    y, arm = rng.poisson(2.0, 200), np.repeat([0, 1], 100)
    frame = pd.DataFrame({"arm": arm, "m": rng.normal(size=200), "y": y})
    model = model_of(outcome=family, priors={"zero_intercept": NORMAL, "zero_slope": NORMAL})
    assert survey_doubts(model, survey_of(frame)) == ()
    doubt = the_doubt(model, frame.assign(y=1 + y))
    assert doubt.startswith("y: no record has 0")
    doubt = the_doubt(model, frame.assign(y=np.where(arm == 1, 0, y)))
    assert doubt.startswith("y: arm tells zeros from")


@pytest.mark.fixed_seed  # other rows may be alike by chance
def test_rows_of_one_person_are_told_and_refused_by_an_id(tmp_path) -> None:
    """A column that looks like an identifier with repeats is told; with ``id`` repeats and blanks are refused."""
    frame = arms([0, 0.5, 1.0], n=60)
    path = tmp_path / "long.csv"
    frame.assign(patient_id=np.arange(60) // 2, site_id=np.arange(60) % 4).to_csv(path, index=False)
    with pytest.warns(SurveyWarning, match='column "patient_id" has 30 values in 60 rows: one row a person') as caught:
        read_survey(path, model_of())
    assert len(caught) == 1
    with pytest.raises(SurveyError, match=r'"patient_id": must differ in every row.*repeated at row 3, row 5'):
        read_survey(path, model_of(id="patient_id"))
    frame.assign(patient_id=np.arange(60)).to_csv(path, index=False)
    assert "patient_id" not in read_survey(path, model_of(id="patient_id")).records
    with pytest.raises(SurveyError, match='"patient_id": must differ in every row'):
        design_arrays(model_of(id="patient_id"), survey_of(frame.assign(patient_id=1)))
    with pytest.raises(SurveyError, match='column "patient_id" is missing'):
        design_arrays(model_of(id="patient_id"), survey_of(frame))


def test_a_covariate_of_two_values_is_summed_over_them() -> None:
    """Missing cells of a 0/1 covariate without a kind have the account that ``binary`` gives, and a note says so."""
    frame = arms([0, 0.5, 1.0], n=60).assign(sex=np.tile([1.0, 2.0, np.nan, 1.0, 2.0], 12))
    plain, told = (
        model_of(covariates={"sex": {}}),
        model_of(covariates={"sex": {}}, variables={"sex": {"kind": "binary", "min": 1, "max": 2}}),
    )
    one, two = (split_rows(model, design_arrays(model, survey_of(frame))) for model in (plain, told))
    assert one.summed == two.summed == {"sex": (1.0, 2.0)}
    np.testing.assert_array_equal(one.design.w, two.design.w)
    assert any("sex: 12 of 60 values (20 %) are missing; each is summed" in note and "1 and 2, the only ones" in note
               for note in survey_notes(plain, survey_of(frame)))  # fmt: skip
    three = frame.assign(sex=frame["sex"].where(frame.index != 0, 3.0))
    assert split_rows(plain, design_arrays(plain, survey_of(three))).summed == {}


def test_the_contrast_of_a_binary_exposure_is_between_its_values() -> None:
    """Coded 1 and 2, effects compare 2 with 1; a contrast that no record is at is noted."""
    binary = model_of(variables={"arm": {"kind": "binary", "min": 1, "max": 2}})
    assert binary.contrast == (1.0, 2.0)
    assert model_of(variables={"arm": {"kind": "binary"}}).contrast == (0.0, 1.0)
    assert any(
        note.startswith("arm: effects speak of 0, and no record is there: most of its values go from 1 to 3")
        for note in survey_notes(model_of(), survey_of(arms([0, 0.5, 1.0])))
    )
