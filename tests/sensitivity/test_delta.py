"""Effects along shifts of missing values: which are made, what comes back, where the interval changes sides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.analysis.batch.cell import Answer, Failure
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer_table
from bayes_sp.design.build import design_arrays
from bayes_sp.errors import BayesSpError, FitError
from bayes_sp.names import DELTA_COLUMNS
from bayes_sp.sensitivity.missing.delta import DeltaCurve, delta_curve
from bayes_sp.sensitivity.missing.shifts import TOGETHER, Curve, curves_of, tipping_of, words_of, zero_place
from bayes_sp.sensitivity.target import Estimate, Target

OPTIONS = sp.SamplerOptions(draws=50, tune=100, chains=2)
VISITS, MOOD = "visits", "mood"
PATH = "walks -> mood -> visits"


@pytest.fixture
def survey(make_user_survey):
    """120 patients: 30 without visits, ten of them also without mood, five more without mood alone."""
    records = make_user_survey().records.astype(float)
    records.loc[:29, VISITS] = np.nan
    records.loc[[*range(10), *range(40, 45)], MOOD] = np.nan
    return replace(make_user_survey(), records=records)


@dataclass(frozen=True)
class Recorder(Runner):
    """Hands back made-up answers, whose intervals are moved by the shift of visits, or failures; keeps the cells."""

    failing: tuple[str, ...] = ()
    cells: list = field(default_factory=list)

    def run(self, cells):
        self.cells.extend(cells)
        return [self.made_up(cell) for cell in cells]

    def made_up(self, cell):
        if cell.name in self.failing:
            return Failure("k", cell.name, "it did not work", "")
        moved = dict(cell.model.missing_shift).get(VISITS, 0.0)
        rows = [
            {"path": path, "scale": scale, "decomposition": kind, "mean": -1.9 + moved, "median": -2.0 + moved,
             "lower": -3.0 + moved, "upper": -1.0 + moved, "prob_negative": 0.9}
            for path in (PATH, "total_indirect", "total") for scale in ("coefficient", "difference")
            for kind in ("alone", "average")
        ]  # fmt: skip
        return Answer("k", pd.DataFrame(rows), True, (), 0.1)


@pytest.mark.fixed_seed  # the processes that fit are others, whose seeds are not moved
def test_the_step_without_a_shift_is_the_plain_fit(small_model, survey):
    """To the last bit; every other step is the fit of the specification with that shift."""
    found = delta_curve(small_model, survey, {MOOD: [1.5]}, seed=3, options=OPTIONS, runner=Runner(workers=1))
    plain = sp.fit(small_model, survey, seed=3, options=OPTIONS)
    moved = sp.fit(replace(small_model, missing_shift=((MOOD, 1.5),)), survey, seed=3, options=OPTIONS)
    for outcome, fit in zip(found.outcomes[0], (plain, moved), strict=True):
        pd.testing.assert_frame_equal(outcome.table, answer_table(fit.effects(), 0.95), check_exact=True)
    rows = plain.effects().table()
    for path in (PATH, "total"):
        for scale in ("rate_ratio", "difference"):
            row = rows[(rows["path"] == path) & (rows["scale"] == scale) & (rows["decomposition"] != "alone")].iloc[0]
            here = found.curves.sel(shifted=MOOD, step=0, path=path, scale=scale)
            for name in ("mean", "median", "lower", "upper"):
                assert float(here[name]) == row[name]
    assert not np.allclose(found.curves["median"].sel(step=0), found.curves["median"].sel(step=1))


def test_every_way_and_step_is_one_cell_and_missing_at_random_is_one_for_all(small_model, survey):
    """Two responses: each alone, both together; one cell without a shift."""
    runner = Recorder()
    found = delta_curve(
        small_model, survey, seed=4, options=OPTIONS, kappa=0.5, ci_prob=0.9, refine=False, runner=runner
    )
    assert isinstance(found, DeltaCurve)
    shifts = [cell.model.missing_shift for cell in runner.cells]
    sd = float(np.nanstd(survey.records[MOOD], ddof=1))
    steps = (-1.0, -0.5, 0.5, 1.0)
    expected = [
        (), *(((MOOD, m * sd),) for m in steps), *(((VISITS, m),) for m in steps),
        *(((MOOD, m * sd), (VISITS, m)) for m in steps),
    ]  # fmt: skip
    assert [[name for name, _ in shift] for shift in shifts] == [[name for name, _ in shift] for shift in expected]
    for shift, known in zip(shifts, expected, strict=True):
        assert [size for _, size in shift] == pytest.approx([size for _, size in known])
    assert {(c.seed, c.kappa, c.ci_prob, c.options.draws) for c in runner.cells} == {(4, 0.5, 0.9, 50)}
    assert found.curves.sizes == {"shifted": 3, "step": 5, "path": 3, "scale": 2, "response": 2}
    assert list(found.curves["shifted"].to_numpy()) == [MOOD, VISITS, TOGETHER]
    assert list(found.curves["step"].to_numpy()) == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose(found.curves["delta"].sel(shifted=TOGETHER, step=2), [sd, 1.0])
    np.testing.assert_allclose(found.curves["median"].sel(shifted=VISITS, path=PATH, scale="difference"),
                               [-3.0, -2.5, -2.0, -1.5, -1.0])  # fmt: skip
    assert (found.curves.attrs["patients"], found.curves.attrs["nonresponders"]) == (120, 30)
    assert found.curves.attrs["data_source"] == survey.mark


def test_a_model_with_shifts_of_its_own_starts_from_none(small_model, survey):
    """Step 0 is missing at random, whatever the specification says."""
    runner = Recorder()
    delta_curve(
        replace(small_model, missing_shift=((MOOD, 1.0),)), survey, {VISITS: [1.0]}, refine=False, runner=runner
    )
    assert [cell.model.missing_shift for cell in runner.cells] == [(), ((VISITS, 1.0),)]


def test_the_table_and_the_findings_say_it_in_words(small_model, survey):
    """One row for each way, step, path and scale; findings at random and at both ends."""
    target, runner = Target(PATH), Recorder()
    found = delta_curve(small_model, survey, {VISITS: [-0.5, 2.0]}, target=target, refine=False, runner=runner)
    table = found.table
    assert list(table.columns) == list(DELTA_COLUMNS)
    assert len(table) == 3 * 3 * 2
    own = table[(table["path"] == PATH) & (table["scale"] == "difference")]
    assert list(own["shift"]) == [
        "missing values of visits: rate x 0.607 (log rate -0.5)", "missing at random",
        "missing values of visits: rate x 7.39 (log rate +2)",
    ]  # fmt: skip
    assert list(own["delta"]) == [-0.5, 0.0, 2.0]
    assert list(own["upper"]) == [-1.5, -1.0, 1.0]
    first, low, high = found.findings()
    assert (first.case, first.estimate.upper) == ("all 120 patients (30 without the outcome), missing at random", -1.0)
    assert (low.case, low.estimate.upper) == (own["shift"].iloc[0], -1.5)
    assert high.estimate.upper == 1.0
    sentence = (
        "the 95 % interval of the indirect effect via mood over all patients stays below 0 until missing values of "
        "visits: rate x 2.72 (log rate +1)"
    )
    assert {low.note, high.note, found.tipping[0].sentence} == {sentence}
    assert found.tipping[0].shifts == (((VISITS, 1.0),),)
    assert {finding.analysis for finding in found.findings()} == {"attrition"}
    assert sentence in found._repr_html_()


def test_tipping_points_are_found_by_further_fits_or_by_interpolation(small_model, survey):
    """An interval whose limit is not linear in the shift: fits find its root, a line between two steps does not."""

    class Curved(Recorder):
        def made_up(self, cell):
            answer = super().made_up(cell)
            moved = dict(cell.model.missing_shift).get(VISITS, 0.0)
            return replace(answer, table=answer.table.assign(upper=moved**2 - 1.0, mcse_lower=0.01, mcse_upper=0.01))

    fits = [
        delta_curve(small_model, survey, {VISITS: [-0.5, 2.0]}, refine=refine, runner=Curved())
        for refine in (True, False)
    ]
    (exact,), (line,) = (found.tipping[0].shifts[0] for found in fits)
    assert exact[1] == pytest.approx(1.0, abs=0.02)
    assert line[1] == pytest.approx(0.5)
    ((low,), (high,)) = fits[0].tipping[0].ranges[0]
    assert low[1] < 1.0 < high[1]
    assert (high[1] - low[1]) / 2 == pytest.approx(1.96 * 0.01 / 2.0, rel=0.3)  # error over the slope of the limit
    assert "within Monte Carlo error" in fits[0].tipping[0].sentence
    assert fits[1].tipping[0].ranges == ()
    assert len(fits[0].outcomes[0]) == 3


def test_a_fit_that_fails_is_named_and_its_neighbours_stand(small_model, survey):
    """NaN in the array, a reason in the table, a word in the finding; without a plain fit there is nothing."""
    name = "missing values of visits: rate x 7.39 (log rate +2)"
    found = delta_curve(small_model, survey, {VISITS: [0.5, 2.0]}, runner=Recorder(failing=(name,)))
    assert not found.trustworthy
    assert np.isnan(found.curves["median"].sel(step=2)).all()
    assert set(found.table.loc[found.table["step"] == 2, "reason"]) == {"it did not work"}
    assert found.findings()[-1].estimate is None
    assert found.findings()[-1].note.startswith("it did not work; ")
    assert found.tipping[0].sentence.endswith("1 of the fits on the way have no answer")
    with pytest.raises(FitError, match="without a shift: it did not work"):
        delta_curve(small_model, survey, runner=Recorder(failing=("missing at random",)))


@pytest.mark.parametrize(
    ("shifts", "problem"),
    [
        ({"moods": [1.0]}, 'shifts: there is no response "moods"; did you mean "mood"?'),
        ({MOOD: [1.0, 0.5]}, "shifts: those of mood must be ascending finite numbers, found [1.0, 0.5]"),
        ({MOOD: [np.nan]}, "shifts: those of mood must be ascending finite numbers, found [nan]"),
        ({MOOD: [0.0]}, "shifts: those of mood must be ascending finite numbers, found [0.0]"),
        ({}, "shifts: none is given"),
        ({MOOD: [-1, 1], VISITS: [1, 2]}, "shifts: give each response as many on either side of 0"),
        ({MOOD: [-12, 1]}, "missing_shift.mood: must be smaller than the width of the scale, 10, found -12"),
        ({VISITS: [6]}, "missing_shift.visits: must be from -5 to 5 on the scale of the log rate, found 6"),
    ],
)
def test_shifts_that_cannot_be_made_are_refused(small_model, survey, shifts, problem):
    """Before anything is fitted."""
    runner = Recorder()
    with pytest.raises(BayesSpError) as caught:
        delta_curve(small_model, survey, shifts, runner=runner)
    assert caught.value.problems[0].startswith(problem)
    assert runner.cells == []


def test_without_missing_responses_there_is_nothing_to_shift(small_model, survey, make_user_survey):
    """Complete records, and a response that is complete."""
    with pytest.raises(BayesSpError, match="no response has a missing value"):
        delta_curve(small_model, make_user_survey())
    complete = replace(survey, records=survey.records.assign(mood=make_user_survey().records["mood"]))
    with pytest.raises(BayesSpError, match="no value of mood is missing; missing are values of visits"):
        delta_curve(small_model, complete, {MOOD: [1.0]})
    assert [way.name for way in curves_of(small_model, design_arrays(small_model, complete), None)] == [VISITS]


def test_an_effect_that_is_not_there_is_refused(small_model, survey):
    """With the effects that there are."""
    runner = Recorder()
    with pytest.raises(BayesSpError, match=r"has no effect total \[risk_ratio\]; it has walks -> visits"):
        delta_curve(small_model, survey, target=Target("total", "risk_ratio"), runner=runner)
    assert runner.cells == []


def estimates(*limits: tuple[float, float] | None) -> list[Estimate | None]:
    return [None if pair is None else Estimate(sum(pair) / 2, *pair) for pair in limits]


WAY = Curve(VISITS, ((VISITS, (-1.0, -0.5, 0.0, 0.5, 1.0)),))


def tip(small_model, way, found, target=None):
    return tipping_of(small_model, way, found, target or Target(PATH), 0.95)


def test_a_tipping_shift_lies_where_the_limit_reaches_no_effect(small_model):
    """Linear between fits, on both sides; the limit that is nearer to no effect."""
    found = estimates((-3, -2), (-2, 1), (-2, -1), (-2, -0.5), (-2, 1.5))
    result = tip(small_model, WAY, found)
    assert (result.sign, result.shifts) == (-1, (((VISITS, -0.25),), ((VISITS, 0.625),)))
    assert "until missing values of visits: rate x 0.779 (log rate -0.25), or missing values" in result.sentence
    positive = [Estimate(-e.median, -e.upper, -e.lower) for e in found]
    assert tip(small_model, WAY, positive).shifts == result.shifts


def test_an_interval_that_includes_no_effect_tips_when_it_leaves_it(small_model):
    """By the limit that leaves it behind."""
    found = estimates((-3, -1), (-2, 1), (-2, 1), (-2, 2), (-1, 3))
    result = tip(small_model, WAY, found)
    assert (result.sign, result.shifts) == (0, (((VISITS, -0.75),),))
    assert "includes 0 until" in result.sentence


def test_without_a_change_the_range_is_said(small_model):
    """Both ends, or the one that there is; failed fits are passed over and counted."""
    result = tip(small_model, WAY, estimates((-3, -2), None, (-2, -1), (-2, -0.5), (-2, -0.1)))
    assert result.shifts == ()
    assert result.sentence == (
        "the 95 % interval of the indirect effect via mood over all patients stays below 0 from missing values of "
        "visits: rate x 0.368 (log rate -1) to missing values of visits: rate x 2.72 (log rate +1); 1 of the fits on "
        "the way have no answer"
    )
    one = Curve(VISITS, ((VISITS, (0.0, 1.0)),))
    result = tip(small_model, one, estimates((-2, -1), (-2, -0.5)))
    assert "stays below 0 from missing at random to missing values of visits" in result.sentence


def test_ratios_tip_on_their_logarithm(small_model):
    """The null of a ratio is 1."""
    one = Curve(VISITS, ((VISITS, (0.0, 1.0)),))
    result = tip(small_model, one, estimates((0.2, 0.5), (0.3, 4.0)), Target(PATH, "rate_ratio"))
    np.testing.assert_allclose(result.shifts[0][0][1], 1.0 / 3.0)
    assert "(rate ratio) over all patients stays below 1 until" in result.sentence


def test_together_every_response_is_moved_by_the_same_share(small_model):
    """A position between steps lies as far along each response's own shifts; 0 stands where it belongs."""
    way = Curve(TOGETHER, ((MOOD, (-2.0, 0.0, 3.0)), (VISITS, (-1.0, 0.0, 0.5))))
    assert zero_place([way]) == 1
    assert way.between(1.5) == ((MOOD, 1.5), (VISITS, 0.25))
    assert words_of(small_model, way.at(1)) == "missing at random"
    assert words_of(small_model, way.at(0)) == (
        "missing values of mood: 2 points (0-10) lower; missing values of visits: rate x 0.368 (log rate -1)"
    )
