"""Unmeasured confounding from end to end: against exact posteriors, a simulated truth, and small fits of every kind."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from confounded import SIGMA, WIDE, ExactRunner, confounded_posterior, confounded_records, normal_chain
from numpy.testing import assert_allclose
from scipy.optimize import brentq

import bayes_sp as sp
from bayes_sp.analysis.batch.cell import Answer, Cell
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.paths import compute_effects
from bayes_sp.model.distributions import Prior
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.confounder.confounding import confounding
from bayes_sp.sensitivity.confounder.grid import Surface, product_bias
from bayes_sp.sensitivity.confounder.pairs import with_confounder
from bayes_sp.sensitivity.confounder.words import ASSUMPTIONS
from bayes_sp.sensitivity.target import Target, estimate_of

pytestmark = pytest.mark.fixed_seed  # what is found is of these records

FEW = sp.SamplerOptions(draws=250, tune=200, chains=4)
SERIAL = "x -> m1 -> m2 -> y"
TRUE = {"m2": 0.5, "y": 0.4}


@pytest.fixture(scope="module")
def chain():
    """A chain of two mediators, and records in which the second one and the outcome are confounded."""
    return normal_chain(2), confounded_records(2, TRUE)


@pytest.fixture(scope="module")
def exact(chain):
    """The whole analysis with exact answers."""
    runner = ExactRunner()
    return confounding(*chain, runner=runner, options=FEW, seed=2), runner


def upper(model, survey, strengths, seed=2):
    """The exact upper or lower limit of the serial effect, by the number of draws that a cell has."""
    posterior = confounded_posterior(model, survey, strengths, seed=seed, draws=8_000)
    return compute_effects(model, design_arrays(model, survey), posterior).intervals().set_index(["path", "scale"])


@pytest.mark.slow
def test_the_sampler_agrees_with_the_closed_form(chain):
    """NUTS with U in the model against the chain without it, turned by the bias: every mean and SD."""
    model, survey = chain
    fitted = sp.fit(with_confounder(model, TRUE), survey, options=sp.SamplerOptions(draws=1000, tune=300))
    assert fitted.diagnose().trustworthy
    sampled = fitted.posterior["posterior"].to_dataset()
    expected = confounded_posterior(model, survey, TRUE, draws=20_000)
    for name in ("m1", "m2", "y", "sigma"):
        dim = str(expected[name].dims[-1])
        for label in expected[name][dim].to_numpy():
            truth, found = expected[name].sel({dim: label}), sampled[name].sel({dim: label})
            sd = float(truth.std())
            assert abs(float(found.mean() - truth.mean())) < 0.1 * sd
            assert_allclose(float(found.std()), sd, rtol=0.1)


def test_a_simulated_confounder_of_known_strength_is_adjusted_for(chain):
    """Without U the slope of m2 is off by s_j s_k / v; with it the truth, 0.5, is within two posterior SDs."""
    model, survey = chain
    plain, adjusted = (
        confounded_posterior(model, survey, {"m2": s, "y": t})["y"].sel(y_term="m2")
        for s, t in ((1e-9, 1e-9), (0.5, 0.4))
    )
    assert abs(float(adjusted.mean()) - 0.5) < 2 * float(adjusted.std())
    assert_allclose(plain.mean() - adjusted.mean(), product_bias(0.5, 0.4, 1.0), atol=0.05)
    assert abs(float(plain.mean()) - 0.5) > 2 * float(plain.std())


def test_without_strength_the_answer_is_the_specifications_own(chain):
    """To the last bit: what a stand-alone fit writes to effects.csv stands where a strength is 0."""
    model, survey = chain
    strengths, unclear = {"m2": [0.3], "y": [0.3]}, Target("x -> y")
    one = Runner(workers=1)
    found = confounding(model, survey, target=unclear, strengths=strengths, options=FEW, seed=5, runner=one)
    table = sp.fit(model, survey, options=FEW, seed=5).effects().table().set_index(["path", "scale"])
    at = found.surfaces["m2", "y"].sel(m2=0.0, y=0.0)
    for path in table.index.get_level_values("path"):
        for name in ("mean", "median", "lower", "upper", "prob_negative"):
            expected = table.loc[(path, "difference"), name]
            assert float(at[name].sel(path=path, scale="difference")) == expected
    assert found.plain.median == table.loc[("x -> y", "difference"), "median"]


def test_turning_both_signs_changes_nothing(chain):
    """U and -U are one confounder: two fits agree within Monte Carlo error."""
    model, survey = chain
    tables = []
    for sign in (-1, 1):
        cell = Cell("c", with_confounder(model, {"m2": 0.5 * sign, "y": 0.4 * sign}), survey, 1, FEW)
        tables.append(answer(cell).table)
    error = 5 * np.hypot(tables[0]["mcse_mean"], tables[1]["mcse_mean"])
    assert (np.abs(tables[0]["median"] - tables[1]["median"]) < error).all()


def test_the_grid_is_what_cells_say(exact, chain):
    """Three pairs of three strengths and both signs; each place is the effect of its own cell."""
    found, runner = exact
    assert list(found.surfaces) == [("m1", "m2"), ("m1", "y"), ("m2", "y")]
    surface = found.surfaces["m2", "y"]
    assert dict(surface.sizes) == {"m2": 4, "y": 7, "path": 6, "scale": 2}
    cells = {cell.name: cell for cell in runner.asked}
    assert sum("confounder" in name for name in cells) >= 54
    s, t = surface["m2"].to_numpy()[2], surface["y"].to_numpy()[0]
    cell = Cell("c", with_confounder(chain[0], {"m2": s, "y": t}), chain[1], 2, FEW)
    (again,) = ExactRunner().run([cell])
    assert isinstance(again, Answer)
    expected = estimate_of(again.table, found.target)
    assert float(surface["median"].sel(m2=s, y=t, path=SERIAL, scale="difference")) == expected.median


def test_the_default_grid_leaves_room(exact):
    """The strongest confounder of a normal response has 0.8 times its residual SD, which is about 1 here."""
    found, _ = exact
    for pair, surface in found.surfaces.items():
        for response in pair:
            assert 0.7 < float(surface[response].max()) < 0.9


def test_tipping_curves_hold_between_the_fits(exact, chain):
    """At places on the curve that were never fitted, the exact limit is near 0: within 4 % of the plain margin."""
    found, _ = exact
    margin = found.plain.lower
    assert margin > 0
    curve = found.tipping.dropna(subset=["second_strength"])
    for pair in (("m1", "m2"), ("m2", "y")):
        own = curve[(curve["first"] == pair[0]) & (curve["second"] == pair[1])]
        for _, row in own.iloc[[0, len(own) // 2, -1]].iterrows():
            strengths = {pair[0]: row["first_strength"], pair[1]: row["second_strength"]}
            limit = upper(*chain, strengths).loc[(SERIAL, "difference"), "lower"]
            assert abs(limit) < 0.04 * margin + 5 * found.plain.mcse_lower


def test_multiples_are_roots_of_the_exact_limit(exact, chain):
    """The strongest covariate's, found by fits: within its Monte Carlo error of the root by bisection."""
    found, _ = exact
    refitted = found.multiples[found.multiples["refitted"] > 0].dropna(subset=["multiple"])
    assert len(refitted) == 2
    for _, row in refitted.iterrows():

        def limit(k, row=row):
            strengths = {
                row["first"]: k * row["first_strength"], row["second"]: row["sign"] * k * row["second_strength"]
            }  # fmt: skip
            return upper(*chain, strengths).loc[(SERIAL, "difference"), "lower"]

        root = brentq(limit, 1.0, row["most"], xtol=1e-3)
        assert abs(row["multiple"] - root) < 5 * row["mcse"] + 0.01


def test_interpolation_agrees_with_a_refit_at_the_root(chain):
    """Before any refit the multiple is right to a few per cent."""
    found = confounding(
        *chain, runner=ExactRunner(), options=FEW, seed=2, strengths={"m2": [0.3, 0.6, 0.8], "y": [0.4, 0.8]}
    )
    surface, serial = found.surfaces["m2", "y"], {"path": SERIAL, "scale": "difference"}
    s, t = (grid.ravel() for grid in np.meshgrid([0.3, 0.6, 0.8], [-0.8, -0.4, 0.4, 0.8], indexing="ij"))
    values = np.array([float(surface["lower"].sel(m2=a, y=b, **serial)) for a, b in zip(s, t, strict=True)])
    smooth = Surface(s, t, values, found.plain.lower)
    for a, b in ((0.45, 0.6), (0.7, -0.6), (0.75, 0.65)):
        expected = upper(*chain, {"m2": a, "y": b}).loc[(SERIAL, "difference"), "lower"]
        assert abs(float(smooth.at(a, b)) - expected) < 0.03 * np.ptp(values)


def test_sentences_begin_with_the_weakest_pair(exact):
    """In the words of the specification's labels; assumptions and the mark of the records stand beside them."""
    found, _ = exact
    assert found.sentence().startswith(
        "To make the 95 % interval of the serial effect include 0, an unmeasured confounder"
    )
    assert len(found.sentences()) == 3
    assert found.sentences()[-1].startswith("No unmeasured confounder of label of m1 and y up to")
    assert found.assumptions == ASSUMPTIONS
    html = found._repr_html_()
    assert "300 records from a normal chain (seed 3)" in html
    assert ASSUMPTIONS[1] in html


def test_findings_are_fits_as_strong_as_the_strongest_covariate(exact, chain):
    """One for each pair, with its estimate of the sign that works against the effect."""
    found, _ = exact
    findings = found.findings()
    assert len(findings) == 3
    age = found.benchmarks.set_index("response")["strength"]
    expected = upper(*chain, {"m1": age["m1"], "m2": age["m2"]}).loc[(SERIAL, "difference")]
    case = next(f for f in findings if f.case.startswith("a confounder of label of m1 and label of m2"))
    assert case.case.endswith('as strong as "age" in both')
    assert_allclose(case.estimate.lower, expected["lower"], atol=5 * case.estimate.mcse_lower)
    assert case.estimate.median < found.plain.median


def test_everything_that_it_depends_on_is_kept(exact, chain):
    """Seed, versions, digest and mark of the records, the specification, the intervals."""
    found, runner = exact
    assert found.attrs["seed"] == 2
    assert found.attrs["data_digest"] == chain[1].digest
    assert found.attrs["data_source"] == chain[1].mark
    assert json.loads(str(found.attrs["versions"]))["python"]
    assert "unmeasured" not in str(found.attrs["specification"])
    assert (found.attrs["ci_prob"], found.attrs["target"]) == (0.95, f"{SERIAL} [difference]")
    assert len(found.outcomes) == len(runner.asked)
    assert {cell.seed for cell in runner.asked} == {2}


def test_failures_and_doubts_are_reported(chain):
    """In the table, in the sentences, and as failures; the others still have their answer."""
    runner = ExactRunner(failing=(0.4,), doubtful=(-0.4,))
    found = confounding(*chain, runner=runner, options=FEW, strengths={"m2": [0.4, 0.8], "y": [0.4, 0.8]})
    assert len(found.failures) == 2
    total = len(found.outcomes)
    wrong = f"2 of {total} fits failed; 2 of {total} fits did not pass the diagnostics."
    assert found.sentences()[-1] == wrong
    failed = found.table[found.table["reason"] == "it could not be fitted"]
    assert set(zip(failed["first_strength"], failed["second_strength"], strict=True)) == {(0.4, 0.4), (0.8, 0.4)}
    assert failed["median"].isna().all()
    assert "To make" in found.sentence()


def test_a_pair_that_cannot_be_fitted_at_all_is_empty(chain):
    """No curve, no multiples; the sentence says that none of those tried would do, and how many failed."""
    runner = ExactRunner(failing=(0.4, -0.4))
    found = confounding(*chain, runner=runner, options=FEW, strengths={"m2": [0.3], "y": [0.4]})
    assert found.multiples.empty
    assert found.tipping.empty
    assert found.findings() == []
    assert found.sentences() == ["2 of 3 fits failed."]


def test_an_effect_that_is_not_clear(chain):
    """The direct effect is 0 in truth: nothing to take away, and no refits."""
    found = confounding(
        *chain, target=Target("x -> y"), runner=ExactRunner(), options=FEW, strengths={"m2": [0.3], "y": [0.4]}
    )
    assert found.plain.sign() == 0
    assert found.sentence() == "The 95 % interval of the direct effect includes 0 without any confounder."
    assert (found.multiples["multiple"] == 0.0).all()


@pytest.mark.slow
def test_one_mediator_and_three():
    """One pair, or six; a path around a mediator leaves out what cannot bias it."""
    one = confounding(
        normal_chain(1), confounded_records(1, {}), runner=ExactRunner(), options=FEW, target=Target("x -> m1 -> y")
    )
    assert list(one.surfaces) == [("m1", "y")]
    assert "the indirect effect via label of m1" in one.sentence()
    levels = {name: [0.4] for name in ("m1", "m2", "m3", "y")}
    three = confounding(normal_chain(3), confounded_records(3, {}), runner=ExactRunner(), options=FEW, strengths=levels)
    assert len(three.surfaces) == 6
    assert three.target.path == "x -> m1 -> m2 -> m3 -> y"
    assert len(three.findings()) == 6


@pytest.mark.slow
def test_priors_of_strengths_are_averaged_over(chain):
    """One fit more: its interval is wider than that of the plain model, and it stands among the findings."""
    model, survey = chain
    strengths = {
        "m2": Prior("half_normal", (("sigma", 0.3),), "moderate"),
        "y": Prior("normal", (("mu", 0.0), ("sigma", 0.3)), "either sign"),
    }
    found = confounding(model, survey, strengths=strengths, runner=ExactRunner(), options=FEW)
    assert list(found.surfaces) == [("m2", "y")]
    averaged = found.findings()[-1]
    assert averaged.case == "a confounder whose strengths are averaged over their priors"
    width = averaged.estimate.upper - averaged.estimate.lower
    assert width > 1.1 * (found.plain.upper - found.plain.lower)


@pytest.mark.slow
def test_ordered_mediators_and_counts(make_survey):
    """Families without a closed form go the same way: one strength each."""
    found = confounding(
        "ordinal", make_survey(), options=sp.SamplerOptions(draws=100, tune=100, chains=2), runner=Runner(workers=1),
        target=Target("group_change -> appointments_t1"),
        strengths={"belonging_t1": [0.5], "appointments_t1": [0.3]},
    )  # fmt: skip
    surface = found.surfaces["belonging_t1", "appointments_t1"]
    assert surface["fitted"].sum() == 2
    assert np.isfinite(surface["median"].sel(scale="difference")).all()
    assert found.tipping["slope_bias"].isna().all()


def test_targets_and_strengths_that_do_not_exist_are_refused(chain, monkeypatch):
    """Before anything is fitted."""
    monkeypatch.setattr("bayes_sp.sensitivity.confounder.confounding.fit", lambda *_, **__: pytest.fail("fitted"))
    model, survey = chain
    with pytest.raises(sp.BayesSpError, match="has no path"):
        confounding(model, survey, target=Target("x -> z"))
    with pytest.raises(sp.BayesSpError, match=r"no effect total \[rate_ratio\]; it has"):
        confounding(model, survey, target=Target("total", "rate_ratio"))
    with pytest.raises(sp.BayesSpError, match="at least two responses"):
        confounding(model, survey, strengths={"y": [0.1]})
    with pytest.raises(sp.BayesSpError, match="no two responses among m1, m2 have a common cause"):
        confounding(model, survey, target=Target("x -> y"), strengths={"m1": [0.1], "m2": [0.1]})


@pytest.mark.slow
def test_a_count_outcome_with_a_simulated_confounder():
    """Negative binomial, 500 patients: without U the slope is off by s_j s_k / v, with it the truth is covered."""
    model = load_model({
        "title": "Counts", "exposure": "x", "outcome": "y", "variables": {"y": {"kind": "count"}},
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "negative_binomial"}],
        "priors": {"intercept": WIDE, "slope": WIDE, "sigma": SIGMA,
                   "phi": {"dist": "lognormal", "mu": 1.0, "sigma": 1.0, "why": "moderate"}},
    }, name="counts")  # fmt: skip
    confounded = with_confounder(model, {"m": 0.6, "y": 0.5})
    truth = {
        "m": np.array([0.2, 0.5]),
        "y": np.array([0.5, 0.1, 0.3]),
        "sigma": np.array([0.8]),
        "phi": np.array([3.0]),
    }
    exposure = Survey(pd.DataFrame({"x": [0.0, 1.0, 2.0]}), "simulation", "exposures")
    records = simulate_survey(confounded, exposure, truth, n=500, seed=11)
    plain, adjusted = (
        sp.fit(fitted, records, options=FEW).posterior["posterior"]["y"].sel(y_term="m")
        for fitted in (model, confounded)
    )
    assert abs(float(adjusted.mean()) - 0.3) < 2 * float(adjusted.std())
    assert float(plain.mean()) - 0.3 > 2 * float(plain.std())
    assert abs(float(plain.mean() - adjusted.mean()) - product_bias(0.6, 0.5, 1.0)) < float(plain.std())
