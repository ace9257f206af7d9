"""All analyses together: what is made, what is refused, what it means that something failed."""

from __future__ import annotations

import pytest
from fast_and_slow import some_fast
from scripted import FEW, Scripted, chain_model, chain_records, chain_survey, chain_tables, fits_made_once

from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.errors import BayesSpError, RunError, RunnerError
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import ATTRITION, CONFOUNDING, KAPPA, PARTS, PRIORS
from bayes_sp.records.nonresponders import nonresponders_from_moments, nonresponders_from_records
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.sensitivity.every import analyse
from bayes_sp.sensitivity.target import Target, estimate_of

MODEL, SURVEY = chain_model(), chain_survey()


def asked(parts, survey=SURVEY, runner=None, model=MODEL, **options):
    return analyse(model, survey, parts, runner=runner or Scripted(), options=FEW, **options)


@pytest.fixture(scope="module", autouse=True)
def _fits_made_once():
    with fits_made_once():
        yield


@pytest.fixture(scope="module")
def everything():
    return asked(PARTS)


def test_the_base_is_the_fits_own_effect(everything):
    """Target, effects and estimate are those of a fit of the same seed."""
    own = estimate_of(everything.fit.effects().table(), everything.target)
    assert everything.target == Target("walks -> mood -> visits")  # one mediator has one indirect path
    assert (everything.base.median, everything.base.lower, everything.base.upper) == (own.median, own.lower, own.upper)
    assert everything.base.trustworthy
    assert everything.base.sign() == -1


def test_all_parts_are_made_and_what_cannot_be_is_told(everything):
    """On a survey without rows of non-responders attrition has its reason, and nothing counts as failed."""
    made = ("power", "overlap", "grid", "tipping", "kappa", "confounding", "e_values")
    assert all(getattr(everything, name) is not None for name in made)
    assert everything.attrition is None
    assert everything.delta is None
    assert list(everything.refused) == ["attrition"]
    assert "--nonresponders" in everything.refused["attrition"]
    assert not everything.failed
    assert set(everything.seconds) >= {"fit", "kappa", "other priors", "E-values", "attrition"}


def test_findings_are_those_of_the_parts(everything):
    """Each part's own, none left out, none twice, and the verdicts count each once."""
    found = everything.findings()
    parts = [everything.power.findings(everything.target), everything.grid.findings(), everything.kappa.findings(),
             everything.confounding.findings()]  # fmt: skip
    told = {analysis for analysis in PARTS if analysis != ATTRITION}
    assert told == {part[0].analysis for part in parts}, "each part's findings belong into `parts` above"
    assert len(found) == sum(map(len, parts))
    assert len({(finding.analysis, finding.case) for finding in found}) == len(found)
    counted = sum(len(one.keep) + len(one.lose) + len(one.turn) + len(one.unusable) for one in everything.verdicts())
    assert counted == len(found)


@pytest.mark.parametrize(
    ("part", "attributes"),
    [(PRIORS, {"power", "overlap", "grid", "tipping"}), (KAPPA, {"kappa"}), (CONFOUNDING, {"confounding", "e_values"})],
)
def test_a_part_alone_makes_nothing_else(part, attributes):
    """Only what was asked for."""
    found = asked([part])
    every = ("power", "overlap", "grid", "tipping", "kappa", "confounding", "e_values", "attrition", "delta")
    assert {name for name in every if getattr(found, name) is not None} == attributes
    assert found.asked == (part,)
    assert found.refused == {}


def test_a_part_that_cannot_be_made_alone_raises():
    """Attrition where nobody is known to be missing."""
    with pytest.raises(BayesSpError, match="nothing is known of patients who did not come back"):
        asked([ATTRITION])


def test_what_one_part_lacks_does_not_take_the_rest_of_it_away():
    """Flat priors have no tipping point; the other answers on priors are given."""
    flat = chain_tables()
    flat["priors"]["slope"] = {"dist": "flat", "why": "no scale"}
    found = asked([PRIORS], model=load_model(flat, name="walks"), grid=None)
    assert list(found.refused) == ["tipping point of the priors"]
    assert "flat" in found.refused["tipping point of the priors"]
    assert found.power is not None
    assert found.grid is not None


@pytest.mark.parametrize("parts", [[], ["prior"], ["priors", "power"]])
def test_unknown_parts_are_refused(parts):
    """None, or one that there is not."""
    with pytest.raises(BayesSpError, match=f"must be some of {', '.join(PARTS)}"):
        asked(parts)


def test_rows_of_non_responders_in_the_survey_are_shifted():
    """With their rows in the file, a curve of shifts; with their records beside it, standardised effects."""
    found = asked([ATTRITION], chain_survey(missing=40))
    assert found.attrition is None
    assert found.delta.curves.attrs["nonresponders"] == 40
    assert not found.failed
    others = chain_records(60, seed=3)[["age", "before"]]
    beside = asked([ATTRITION], nonresponders=nonresponders_from_records(MODEL, others))
    assert beside.delta is None
    assert int(beside.attrition.curves.attrs["everyone"]) == 260
    moments = {"n": 80, "source": "the register", "moments": {"age": {"mean": 60.0}}}
    weighted = asked([ATTRITION], nonresponders=nonresponders_from_moments(moments))
    assert int(weighted.attrition.curves.attrs["everyone"]) == 280


def is_wide(cell) -> bool:
    return cell.name == "wide"


def with_strength(cell) -> bool:
    return bool(cell.model.unmeasured) and max(s for _, s in cell.model.unmeasured[0].strengths) > 0.4


def is_shifted(cell) -> bool:
    return any(delta for _, delta in cell.model.missing_shift)


@pytest.mark.parametrize(("part", "which"), [(PRIORS, is_wide), (CONFOUNDING, with_strength), (ATTRITION, is_shifted)])
@pytest.mark.parametrize("how", some_fast(["failing", "doubtful"], ["failing"]))
def test_one_fit_that_fails_or_is_doubtful_is_a_failure(part, which, how):
    """Wherever it stands: a named case, a grid, a curve; the rest is there."""
    survey = chain_survey(missing=40) if part == ATTRITION else SURVEY
    found = asked([part], survey, Scripted(**{how: which}), grid=None)
    assert found.failed
    assert found.verdict.trustworthy
    assert found.findings()


def test_no_fit_of_a_part_counts_as_failed_and_not_as_refused_alone():
    """Where every refit fails, the rest is told, and the whole has failed."""
    found = asked([PRIORS, KAPPA], runner=Scripted(failing=lambda _: True))
    assert found.kappa is not None
    assert found.grid is None
    assert "it could not be fitted" in found.refused["other priors"]
    assert found.failed


@pytest.mark.parametrize("error", [RunError("cells", ["is not a folder"]), RunnerError("the cluster", ["is gone"])])
def test_a_place_that_cannot_be_used_ends_the_whole(error):
    """A lost cluster, or a folder that cannot be written, is no property of an analysis."""

    class Broken(Runner):
        def run(self, cells):
            raise error

    with pytest.raises(type(error), match=error.problems[0]):
        asked(PARTS, runner=Broken())


def test_another_target_is_asked_of_every_part():
    """The direct effect: no confounder of mediator and outcome, and findings about it."""
    found = asked(PARTS, target=Target("walks -> visits"))
    assert found.grid.target.path == found.kappa.target.path == "walks -> visits"
    own = found.effects.table()
    row = own[(own["path"] == "walks -> visits") & (own["scale"] == "difference")]
    assert found.base.median in row["median"].to_numpy()
    with pytest.raises(BayesSpError, match="has no path"):
        asked([KAPPA], target=Target("walks -> moods -> visits"))


@pytest.mark.slow
def test_non_responders_of_the_published_study_go_with_its_reconstructed_records():
    """Where none are given, they are those whom the article describes."""
    found = analyse("primary", reconstruct(seed=1), [ATTRITION], options=FEW)
    assert found.fit.survey.reconstructed
    assert int(found.attrition.curves.attrs["nonresponders"]) == 452


def test_notify_hears_of_every_analysis():
    """A line for each, in order, after those of the fit."""
    lines: list[str] = []
    asked([KAPPA, CONFOUNDING], notify=lines.append)
    assert lines[-3:] == ["kappa", "E-values", "unmeasured confounding"]
