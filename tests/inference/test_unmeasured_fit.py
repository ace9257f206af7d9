"""Fits with an unmeasured confounder: effects as if it had been measured, and truths that are found with it alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from family_chains import base_survey, chain_model, simulated
from known_truth import TRUTH, without_scales
from numpy.testing import assert_allclose, assert_array_equal

import bayes_sp as sp
from bayes_sp.analysis.workflow import analyse
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.paths import compute_effects
from bayes_sp.errors import BayesSpError, FitError, SurveyError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Covariate, Unmeasured
from bayes_sp.names import AVERAGE, DIFFERENCE, RATE_RATIO
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.text.summary import summary_text

FEW = sp.SamplerOptions(draws=150, chains=2)
HALF = Prior("half_normal", (("sigma", 0.3),), "x")
SERIAL = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
VIA = "group_change -> loneliness_t1 -> appointments_t1"


def confounded(model, **strengths):
    return replace(model, unmeasured=(Unmeasured("U", tuple(strengths.items())),))


@pytest.fixture(scope="module", params=["known", "with a prior"])
def fitted(request, study_survey):
    strength = 0.5 if request.param == "known" else HALF
    model = confounded(sp.load_model("primary"), loneliness_t1=0.4, appointments_t1=strength)
    return sp.fit(model, study_survey, seed=2, options=FEW)


def test_effects_are_those_of_a_model_in_which_the_confounder_was_measured(fitted):
    """With a column of U's draws as one more covariate, and the strengths as its coefficients."""
    model, u = fitted.model, fitted.posterior["unmeasured"]["U"].to_numpy()
    measured = replace(model, unmeasured=(), covariates=(*model.covariates, Covariate("u")))
    draws = fitted.posterior["posterior"].to_dataset()
    found = {}
    for name, values in draws.data_vars.items():
        if name in measured.chain:
            given = dict(model.unmeasured[0].strengths).get(name, 0.0)
            column = draws["U"].sel(U_term=name, drop=True) if isinstance(given, Prior) else given * xr.ones_like(
                values.isel({f"{name}_term": 0}, drop=True)
            )  # fmt: skip
            found[name] = xr.concat([values, column.expand_dims({f"{name}_term": ["u"]}, axis=-1)], f"{name}_term")
        elif name != "U":
            found[name] = values
    posterior, design = xr.Dataset(found), design_arrays(model, fitted.survey)
    design = replace(
        design, w=np.column_stack([design.w, np.zeros(design.n)]), covariate_terms=(*design.covariate_terms, "u")
    )
    flat_u = u.reshape(-1, design.n)

    def columns(start, stop):
        w = np.broadcast_to(design.w, (stop - start, *design.w.shape)).copy()
        w[:, :, -1] = flat_u[start:stop]
        return w

    baselines = linear_baselines(measured, design, posterior, columns)
    expected = compute_effects(measured, design, posterior, baselines=baselines)
    assert_allclose(fitted.effects().draws[AVERAGE], expected.draws[AVERAGE], rtol=1e-10, atol=1e-12)


def test_a_confounder_adds_to_all_worlds_alike(fitted):
    """On the log link without interactions rate ratios do not depend on it, and differences grow with its spread."""
    model, design = fitted.model, design_arrays(fitted.model, fitted.survey)
    draws = fitted.posterior["posterior"].to_dataset()
    plain = compute_effects(replace(model, unmeasured=()), design, draws).draws[AVERAGE]
    found = fitted.effects().draws[AVERAGE]
    assert_allclose(found.sel(scale=RATE_RATIO), plain.sel(scale=RATE_RATIO), rtol=1e-10)
    ratio = found.sel(scale=DIFFERENCE, path="total") / plain.sel(scale=DIFFERENCE, path="total")
    assert ratio.std() > 0.01
    with pytest.raises(SurveyError, match="confounders are not measured"):
        compute_effects(model, design, draws)


def test_every_kind_of_effect_is_averaged_over_the_confounder(fitted):
    """Interventional and controlled effects and dose curves start from the same baselines, and add up."""
    parts = fitted.interventional_effects()["difference"]
    total = fitted.effects().draws[AVERAGE].sel(path="total", scale=DIFFERENCE)
    assert_allclose(parts.drop_sel(effect="total").sum("effect"), total, rtol=1e-6, atol=1e-8)
    assert_allclose(
        fitted.dose_curve([0, 1])[AVERAGE].sel(scale=DIFFERENCE, exposure=1, path="total"), total, rtol=1e-6
    )
    assert fitted.controlled_direct_effect({"belonging_t1": 3, "loneliness_t1": 2})["difference"].shape[:2] == (2, 150)


def test_draws_of_the_confounder_are_no_parameters(fitted):
    """They stand in a group of their own, with a strength that has a prior among the parameters."""
    assert fitted.posterior["unmeasured"]["U"].dims == ("chain", "draw", "patient")
    assert fitted.posterior["unmeasured"]["U"].shape == (2, 150, 178)
    assert "log_likelihood" not in fitted.posterior.children
    assert "U|hidden" not in fitted.posterior["posterior"]
    has_prior = bool(fitted.model.unmeasured[0].estimated)
    assert ("U" in fitted.posterior["posterior"]) == has_prior
    assert any("U[appointments_t1]" in str(name) for name in fitted.diagnose().table["name"]) == has_prior


def test_a_confounder_of_strength_zero_changes_no_draw(study_survey):
    """The corner of a grid of strengths is the fit without it, bit by bit; its effects too."""
    model = sp.load_model("primary")
    plain, zero = (
        sp.fit(m, study_survey, seed=2, options=FEW)
        for m in (model, confounded(model, loneliness_t1=0.0, appointments_t1=0.0))
    )
    assert plain.posterior["posterior"].to_dataset().identical(zero.posterior["posterior"].to_dataset())
    assert_array_equal(plain.effects().draws[AVERAGE], zero.effects().draws[AVERAGE])


def test_cores_change_no_draw(study_survey):
    """Neither those of the confounder nor those of the parameters."""
    model = confounded(sp.load_model("primary"), loneliness_t1=0.4, appointments_t1=0.5)
    one, two = (sp.fit(model, study_survey, options=replace(FEW, cores=cores)) for cores in (1, 2))
    for group in ("posterior", "unmeasured"):
        assert one.posterior[group].to_dataset().identical(two.posterior[group].to_dataset())


def test_given_normal_responses_the_confounder_is_known_in_closed_form(study_survey):
    """Standardised by mean and variance given parameters and responses, its draws are standard normal."""
    model = confounded(sp.load_model("process6"), loneliness_t1=0.6, appointments_t1=4.0)
    fit = sp.fit(model, study_survey, seed=1)
    assert fit.diagnose().trustworthy
    draws, design = fit.posterior["posterior"].to_dataset(), design_arrays(model, study_survey)
    known = linear_baselines(replace(model, unmeasured=()), design, draws)(0, 4000)
    total, precision = 0.0, 1.0
    for j, (name, s) in enumerate((("loneliness_t1", 0.6), ("appointments_t1", 4.0)), start=1):
        eta = known[j].reshape(4, 1000, -1)
        for parent, column in zip((design.exposure, *design.mediators[:j]), (design.x, *design.y.T[:j]), strict=True):
            eta = eta + draws[name].sel({f"{name}_term": parent}).to_numpy()[..., None] * column
        q = draws["sigma"].sel(sigma_response=name).to_numpy()[..., None] ** -2
        total, precision = total + s * q * (design.y[:, j] - eta), precision + s**2 * q
    z = (fit.posterior["unmeasured"]["U"].to_numpy() - total / precision) * np.sqrt(precision)
    assert abs(z.mean()) < 4.5 / np.sqrt(z.size / 2)
    assert z.var() == pytest.approx(1.0, abs=4.5 * np.sqrt(2 / (z.size / 2)))
    assert abs(np.corrcoef(z.reshape(4000, -1), rowvar=False) - np.eye(178)).max() < 0.12


@pytest.fixture(scope="module")
def hidden_truth(study_survey):
    """Return records whose loneliness and appointments share a cause, and the model that simulated them."""
    model = without_scales(sp.load_model("primary"))
    truth = confounded(model, loneliness_t1=0.5, appointments_t1=0.6)
    return model, truth, simulate_survey(truth, study_survey, TRUTH, n=800, seed=3)


@pytest.mark.slow
def test_a_truth_behind_a_confounder_is_found_with_it_and_missed_without(hidden_truth):
    """Rate ratios of paths are products of slopes; without the confounder the last slope is some 6 SDs off."""
    model, truth, survey = hidden_truth
    known = {
        (SERIAL, "belonging_t1"): TRUTH["belonging_t1"][1], (SERIAL, "loneliness_t1"): TRUTH["loneliness_t1"][2],
        (VIA, "loneliness_t1"): TRUTH["loneliness_t1"][1], (VIA, "appointments_t1"): TRUTH["appointments_t1"][3],
    }  # fmt: skip
    for one in (model, truth):
        fit = sp.fit(one, survey, seed=1, options=sp.SamplerOptions(draws=300, chains=2))
        assert fit.posterior.attrs["divergences"] == 0
        ratios = fit.effects().draws[AVERAGE].sel(scale=RATE_RATIO)
        for path in (SERIAL, VIA):
            product = 1.0
            names = path.split(" -> ")
            for parent, response in pairwise(names):
                slope = fit.posterior["posterior"][response].sel({f"{response}_term": parent}, drop=True)
                product = product * slope
                if (path, response) in known:
                    off = float((slope.mean() - known[path, response]) / slope.std())
                    assert (abs(off) < 3.5) == (one is truth or response != "appointments_t1"), off
            assert_allclose(ratios.sel(path=path), np.exp(product), rtol=1e-9)


@pytest.mark.slow
def test_a_truth_behind_a_confounder_of_levels_is_found_with_it_alone():
    """An ordered mediator and a normal outcome: nothing but the outcome says where the confounder lies."""
    model = chain_model(["ordered_logit", "normal"])
    truth = replace(model, unmeasured=(Unmeasured("U", (("m1", 1.5), ("y", 1.0))),))
    parameters = {
        "m1": np.array([0.4, 0.3, 0.2, -0.2]), "m1_cutpoint": np.array([-1.0, 0.2, 1.2]),
        "y": np.array([0.2, 0.3, -0.4, 0.1, 0.2, -0.1]), "sigma": np.array([0.8]),
    }  # fmt: skip
    survey = simulate_survey(truth, base_survey(1200), parameters, n=1200, seed=2)
    place = truth.terms(truth.equations[1]).index("m1")
    for one in (model, truth):
        fit = sp.fit(one, survey, seed=1, options=sp.SamplerOptions(draws=300, chains=2))
        slope = fit.posterior["posterior"]["y"].to_numpy()[..., place]
        low, high = np.quantile(slope, [0.001, 0.999])
        assert (low < parameters["y"][place] < high) == (one is truth)


@pytest.mark.slow
@pytest.mark.fixed_seed  # the approximation is poor for these records
def test_the_laplace_approximation_is_used_where_it_is_close_and_refused_elsewhere():
    """Exact for the confounder where all responses are normal; for strong ones behind counts it says what to do."""
    study_survey = sp.reconstruct(seed=1)
    normal = confounded(sp.load_model("process6"), loneliness_t1=0.4, appointments_t1=2.0)
    by_nuts, by_laplace = (
        sp.fit(normal, study_survey, options=sp.SamplerOptions(draws=1000, method=m)) for m in ("nuts", "laplace")
    )
    assert by_laplace.posterior.attrs["pareto_k"] < 0.7
    for path in ("total", SERIAL):
        one, other = (f.effects().draws[AVERAGE].sel(path=path, scale=DIFFERENCE) for f in (by_nuts, by_laplace))
        assert abs(one.mean() - other.mean()) < 0.15 * one.std()
    strong = confounded(sp.load_model("primary"), loneliness_t1=0.7, appointments_t1=1.0)
    with pytest.raises(FitError, match="use --method nuts"):
        sp.fit(strong, study_survey, options=sp.SamplerOptions(draws=1000, method="laplace"))


@pytest.mark.parametrize("fitted", ["with a prior"], indirect=True)
@pytest.mark.slow
def test_criticism_of_a_fit_with_a_confounder(fitted):
    """Patients are left out, replicated and refitted; the influential path is the serial one."""
    found = fitted.criticise()
    assert not any(found.pit.leaves_band(0.99999).values())  # the records were not made by this model
    assert found.loo.table["elpd"].notna().all()
    assert found.influence.path == SERIAL
    without = fitted._refitted_effect(3, SERIAL)
    assert without.shape == (2, 150)
    row = found.influence.table.set_index("row").loc[4]
    assert abs(without.mean() - row["mean"]) < 0.5 * found.influence.sd
    pointwise = fitted._refitted_pointwise(3)
    assert set(pointwise) == {"belonging_t1", "loneliness_t1", "appointments_t1"}


def test_with_two_confounders_effects_are_there_and_criticism_says_why_it_is_not(study_survey):
    """An integral over several confounders of each patient is refused by name."""
    model = replace(
        sp.load_model("primary"),
        unmeasured=(
            Unmeasured("U", (("belonging_t1", 0.3), ("appointments_t1", 0.3))),
            Unmeasured("V", (("loneliness_t1", 0.4), ("appointments_t1", -0.4))),
        ),
    )
    fit = sp.fit(model, study_survey, options=FEW)
    assert set(fit.posterior["unmeasured"].data_vars) == {"U", "V"}
    assert np.isfinite(fit.effects().draws[AVERAGE]).all()
    for ask in (fit.loo, fit.loo_pit, fit.influence, fit.predictive_checks):
        with pytest.raises(BayesSpError, match=r"2 unmeasured confounders \(U, V\)"):
            ask()


def test_the_comparison_says_what_the_confounder_takes_away(fitted):
    """The bootstrap of the model is not there, and the normal twin has no confounder; both are said."""
    comparison = fitted.compare(replicates=50)
    told = " ".join(comparison.missing)
    assert "the normal twin takes nothing to be unmeasured: it has no U" in told
    assert "no maximum-likelihood fit here for U" in told
    kinds = set(zip(comparison.table["likelihood"], comparison.table["inference"], strict=True))
    assert ("negative_binomial", "bootstrap") not in kinds
    assert {("normal", "bootstrap"), ("normal", "posterior"), ("negative_binomial", "posterior")} <= kinds


def test_a_normal_model_with_a_confounder_has_no_exact_posterior(study_survey):
    """It is its own twin, is sampled, and has no least-squares bootstrap."""
    model = confounded(sp.load_model("process6"), loneliness_t1=0.4, appointments_t1=2.0)
    fit = sp.fit(model, study_survey, options=FEW)
    comparison = fit.compare(replicates=50)
    assert set(comparison.table["inference"]) == {"published", "posterior"}
    assert comparison.missing == (
        "not available: normal bootstrap: there is no maximum-likelihood fit here for U: an unmeasured confounder, "
        "whose values maximum likelihood has no place for",
    )


@pytest.mark.slow
def test_a_confounder_goes_with_missing_cells(study_survey):
    """Missing covariates are filled draw by draw, and the confounder is added to what they give."""
    rng, records = np.random.default_rng(4), study_survey.records.astype(float)
    for column in ("age", "education", "belonging_t1"):
        records.loc[rng.random(len(records)) < 0.08, column] = np.nan
    survey = replace(study_survey, records=records)
    model = confounded(sp.load_model("primary"), loneliness_t1=0.4, appointments_t1=0.5)
    fit = sp.fit(model, survey, seed=1, options=FEW)
    assert {"imputed", "unmeasured"} <= set(fit.posterior.children)
    baselines, plain = fit.baselines(), replace(fit, model=replace(model, unmeasured=())).baselines()
    u = fit.posterior["unmeasured"]["U"].to_numpy().reshape(-1, 178)
    added = baselines(10, 20) - plain(10, 20)
    assert_allclose(added, np.stack([0 * u[10:20], 0.4 * u[10:20], 0.5 * u[10:20]]), atol=1e-12)
    assert np.isfinite(fit.effects().draws[AVERAGE]).all()
    assert fit.posterior.attrs["divergences"] == 0


def test_simulating_and_fitting_a_survey_whose_every_level_may_be_missing():
    """Rows of one patient share one confounder, of which there is one draw for each patient."""
    model = chain_model(["ordered_logit", "normal", "poisson"])
    survey, _ = simulated(model, n=80)
    records = survey.records.astype({"m1": float})
    records.loc[[3, 8, 20], "m1"] = np.nan
    truth = replace(model, unmeasured=(Unmeasured("U", (("m1", 0.7), ("m2", 0.4), ("y", 0.3))),))
    fit = sp.fit(truth, replace(survey, records=records), options=FEW)
    assert fit.posterior["unmeasured"]["U"].sizes["patient"] == 80
    assert np.isfinite(fit.posterior["unmeasured"]["U"]).all()
    assert np.isfinite(fit.effects().draws[AVERAGE]).all()
    assert fit.predictive_checks(replicates=50).table["observed"].notna().all()


def test_prior_prediction_draws_the_confounder_too():
    """A strong confounder widens what the priors say of a single response; a strength's prior is drawn from."""
    model, survey = sp.load_model("primary"), sp.reconstruct(seed=1)
    tables = {}
    for name, strength in (("plain", 0.0), ("strong", 3.0)):
        strengths = {"loneliness_t1": strength, "appointments_t1": 0.1 * strength}
        check = sp.prior_predictive(confounded(model, **strengths), survey, draws=500).check()
        rows = check.table.query("response == 'loneliness_t1' and quantity == 'single response'")
        tables[name] = float((rows["upper"] - rows["lower"]).iloc[0])
    assert tables["strong"] > 1.5 * tables["plain"]
    uncertain = confounded(model, loneliness_t1=HALF, appointments_t1=0.3)
    assert len(sp.prior_predictive(uncertain, survey, draws=200).check().means) == 3


@pytest.mark.slow
def test_the_summary_says_that_the_confounder_is_assumed(tmp_path):
    """At the top, in the assumptions and beside the effects; without one nothing of it is said."""
    model = confounded(sp.load_model("primary"), loneliness_t1=-0.4, appointments_t1=HALF)
    analysis = analyse(model, sp.reconstruct(seed=1), seed=1, options=FEW, replicates=20)
    text = " ".join(summary_text(analysis).split())
    sentence = (
        "U was not measured; it is assumed: standard normal, independent of the exposure and the covariates, and one "
        "SD of it adds -0.4 to loneliness T1 and an unknown number, with the prior HalfNormal(sigma=0.3), to "
        "primary-care appointments T1 (log rates)."
    )
    assert text.count(sentence) == 2
    assert "for the patients' own covariates and U" in text
    assert "No other unmeasured confounding of" in text
    assert "given the covariates and U." in text
    folder = tmp_path / "run"
    save_analysis(analysis, folder)
    assert set(sp.read_run(folder).posterior.children) == {"posterior", "sample_stats"}
    assert (folder / "run.toml").read_text(encoding="utf-8").count("[specification.unmeasured.U") == 2
