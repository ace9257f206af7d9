"""Several specifications side by side: serial paths in each one's own order, refusals in their row, one sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_sp.analysis.comparison.models import DIRECT, REFERENCE, SERIAL, ModelResult, multiverse, serial_path
from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.analysis.criticism.loo import JOINT, Loo, Scored
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.paths import compute_effects
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import DIFFERENCE, MULTIVERSE_COLUMNS, TOTAL, TOTAL_INDIRECT
from bayes_sp.report.text.models import multiverse_text
from bayes_sp.shown import WIDTH

NUMBERS = {"r_hat": 1.0, "ess_bulk": 1000.0, "ess_tail": 900.0, "divergences": 0.0, "e_bfmi": 0.9}
GOOD = Verdict(True, (), NUMBERS, pd.DataFrame())
BAD = Verdict(False, ("3 divergent transitions",), NUMBERS, pd.DataFrame())


@pytest.fixture
def entry(make_survey, make_posterior):
    """Return a function: name of a shipped specification -> it with made-up draws, and an elpd of one's own."""
    survey = make_survey()

    def make(given="primary", name="", verdict=GOOD, shift=0.0, sign=1.0, n=150):
        model = load_model(given)
        design = design_arrays(model, survey)
        posterior = make_posterior(model, design)["posterior"].to_dataset()
        chain = ("group_change", "belonging_t1", "loneliness_t1", "appointments_t1")
        for parent, response, slope in zip(chain[:-1], chain[1:], (0.3 * sign, -0.5, 0.4), strict=True):
            terms = posterior[response][f"{response}_term"]
            near = slope * (1 + 0.05 * np.random.default_rng(1).standard_normal((4, 250, 1)))
            posterior[response] = posterior[response].where(terms != parent, near)
        effects = compute_effects(model, design, posterior, mark=survey.mark)
        family = model.equations[-1].family
        kind = "density" if family == "normal" else "probability"
        elpd = {model.outcome: np.linspace(-3, -1, n) + shift, JOINT: np.zeros(n)}
        k = {name: np.full(n, 0.1) for name in elpd}
        loo = Loo(name or given, (Scored(model.outcome, family, kind),), elpd, k, dict.fromkeys(elpd, 1.0), (), {})
        return ModelResult(name or given, model, effects, verdict, loo)

    return make


def test_the_serial_path_follows_each_specifications_own_order():
    """Through all mediators, in the chain's order; one mediator is no series, and a broken chain has none."""
    primary, turned = load_model("primary"), load_model("reversed")
    assert serial_path(primary) == "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
    assert serial_path(turned) == "group_change -> loneliness_t1 -> belonging_t1 -> appointments_t1"
    assert serial_path(load_model("process4")) == ""
    second = replace(primary.equations[1], parents=("group_change",))
    broken = replace(primary, equations=(primary.equations[0], second, primary.equations[2]))
    assert serial_path(broken) == ""


def test_each_specification_has_its_effects_on_both_scales(entry):
    """The rows are those of the effects themselves: serial, direct, total indirect, total; every scale."""
    one = entry()
    found = multiverse([one]).table
    assert tuple(found.columns) == MULTIVERSE_COLUMNS
    assert list(found["effect"].unique()) == ["serial", "direct", "total_indirect", "total"]
    assert set(found["scale"]) == {"coefficient", "rate_ratio", "difference"}
    own = one.effects.intervals()
    serial = own[(own["path"] == serial_path(one.model)) & (own["scale"] == DIFFERENCE)]
    serial = serial[serial["decomposition"] != "alone"]
    row = found[(found["effect"] == SERIAL) & (found["scale"] == DIFFERENCE)].iloc[0]
    assert (row["median"], row["lower"], row["upper"]) == tuple(serial[["median", "lower", "upper"]].iloc[0])


def test_the_first_specification_is_the_one_that_others_are_compared_with(entry):
    """A difference for the same kind of likelihood, and the reason for another kind."""
    table = multiverse([entry(), entry(name="better", shift=0.1), entry("process6")]).table
    first, better, normal = (table[table["specification"] == n].iloc[0] for n in ("primary", "better", "process6"))
    assert (first["elpd_difference"], first["elpd_reason"]) == (0.0, REFERENCE)
    assert better["elpd_difference"] == pytest.approx(15.0)
    assert better["elpd_reason"] == ""
    assert np.isnan(normal["elpd_difference"])
    assert normal["elpd_reason"].startswith("not comparable: primary (negative_binomial)")


def test_a_specification_that_failed_has_its_reason_in_its_row(entry):
    """The others stand as if it were not there, and the first that was fitted is the reference."""
    failed = ModelResult("wrong", reason="family: there is no such family", mistake=True)
    found = multiverse([failed, entry()])
    row = found.table[found.table["specification"] == "wrong"].iloc[0]
    assert row["verdict"] == "not fitted: family: there is no such family"
    assert pd.isna(row["median"])
    assert found.table[found.table["specification"] == "primary"]["elpd_reason"].iloc[0] == REFERENCE
    assert found.mistake
    assert not found.failed_fit
    assert "wrong could not be fitted" in found.notes


def test_the_sentence_counts_signs_and_gives_the_range(entry):
    """In how many the interval excludes 0, on which side, and from where to where the mean runs."""
    unit = "appointments per patient per three months"
    both = multiverse([entry(sign=1.0), entry(name="other", sign=-1.0)])
    serial = both.table[(both.table["effect"] == SERIAL) & (both.table["scale"] == DIFFERENCE)]
    ends = (serial["median"].min(), serial["median"].max())
    low, high = (np.format_float_positional(float(f"{value:.2g}"), trim="-") for value in ends)
    assert both.sentence == (
        "In 1 of 2 specifications the serial effect is negative, in 1 positive, with a 95 % interval that excludes 0; "
        f"its posterior median runs from {low} to {high} {unit}."
    )
    one = multiverse([entry(sign=1.0)])
    assert one.sentence.startswith(
        "In the one specification that gives it, the serial effect is negative with a 95 % interval"
    )
    none = multiverse([entry(sign=0.0)])
    assert none.sentence.startswith(
        "In the one specification that gives it, the serial effect has a 95 % interval that includes 0"
    )


def test_fits_that_cannot_be_used_are_left_out_of_the_sentence(entry):
    """They stand in the table and in a note, and the status of the whole is that of a failed fit."""
    found = multiverse([entry(sign=1.0), entry(name="stuck", verdict=BAD)])
    assert "the one specification that gives it" in found.sentence
    assert "stuck failed the diagnostics and must not be used" in found.notes
    assert found.failed_fit
    assert multiverse([entry(verdict=BAD)]).sentence == "No specification gives a serial effect that can be used."
    assert multiverse([ModelResult("lost", reason="no mode")]).failed_fit


def test_one_mediator_is_no_series(entry):
    """The specification stands in the table with its direct and total effect, and a note says why it is not counted."""
    found = multiverse([entry(sign=1.0), entry("process6")])
    assert found.sentence.startswith("In 2 of 2")
    model = load_model("process4")
    single = replace(entry("process6"), name="process4", model=model)
    notes = multiverse([entry(sign=1.0), single]).notes
    assert notes == (
        "process4 has no path through all of two or more mediators, so no serial effect; its indirect effect stands in "
        "the table",
    )


def test_one_mediator_alone_is_compared_by_its_indirect_effect(entry):
    """Without any serial path the indirect effect is concluded upon; beside one it has a column of its own."""
    single = replace(entry("process6"), name="one", model=load_model("process4"))
    alone, both = multiverse([single]), multiverse([entry(), single])
    assert alone.effect == TOTAL_INDIRECT
    assert alone.shown == (TOTAL_INDIRECT, DIRECT, TOTAL)
    assert "indirect effect" in alone.sentence
    assert both.effect == SERIAL
    assert both.shown == (SERIAL, TOTAL_INDIRECT, DIRECT, TOTAL)
    assert multiverse([entry()]).shown == (SERIAL, DIRECT, TOTAL)
    assert "3. The indirect effect in all of them" in multiverse_text(alone, "records")
    assert max(map(len, multiverse_text(both, "records").splitlines())) <= WIDTH
