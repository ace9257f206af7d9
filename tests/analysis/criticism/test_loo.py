"""Leave-one-out by weights agrees with ArviZ and with exact refits; bad weights are counted, refitted and told."""

from __future__ import annotations

from dataclasses import replace

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import logsumexp

from bayes_sp.analysis.criticism.loo import JOINT, Loo, Scored, elpd_difference, loo, patients_above_limit, with_refits
from bayes_sp.analysis.criticism.pointwise import (
    column_digests,
    pointwise,
    pointwise_at,
    scored_responses,
    without_patient,
)
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.analysis.criticism.psis import leave_one_out_weights, weighted_quantile
from bayes_sp.design.build import design_arrays
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.names import LOO_COLUMNS


def exact_tree(model, survey, seed=1, draws=1000) -> xr.DataTree:
    """Return independent draws from the exact posterior of a normal chain."""
    posterior = exact_posterior(model, design_arrays(model, survey), seed=seed, draws=draws)
    return xr.DataTree.from_dict({"posterior": posterior})


def loo_of(model, survey, tree) -> Loo:
    found = pointwise(model, design_arrays(model, survey), tree)
    return loo(model.name, scored_responses(model), found.draws, found.values, column_digests(model, survey))


@pytest.fixture
def estimated(normal_chain):
    model, survey = normal_chain
    return loo_of(model, survey, exact_tree(model, survey))


def test_the_estimate_is_that_of_exact_leave_one_out(normal_chain, estimated):
    """For every fourth patient, and the outlier, the posterior without it in closed form gives the same density."""
    model, survey = normal_chain
    design = design_arrays(model, survey)
    for patient in (7, *range(0, 40, 4)):
        less = design_arrays(model, without_patient(model, survey, patient))
        exact = pointwise_at(model, design, exact_posterior(model, less, seed=2, draws=2000), patient)
        for response, values in exact.items():
            truth = logsumexp(values) - np.log(len(values))
            error = np.exp(values - truth).std() / np.sqrt(len(values))
            assert estimated.elpd[response][patient] == pytest.approx(truth, abs=max(0.04, 10 * error))


@pytest.mark.fixed_seed  # records whose weights are good
def test_the_estimate_is_arvizs(normal_chain, estimated):
    """elpd, its standard error, the effective number of parameters and every Pareto k."""
    model, survey = normal_chain
    tree = exact_tree(model, survey)
    found = pointwise(model, design_arrays(model, survey), tree)
    values = {f"{name}_observed": (("chain", "draw", "patient"), array) for name, array in found.values.items()}
    tree["log_likelihood"] = xr.DataTree(xr.Dataset(values))
    for row in estimated.table.iloc[:-1].itertuples():
        other = az.loo(tree, var_name=f"{row.response}_observed", pointwise=True)
        np.testing.assert_allclose((row.elpd, row.se, row.p_loo), (other.elpd, other.se, other.p), rtol=1e-8)
        np.testing.assert_allclose(estimated.pareto_k[row.response], other.pareto_k, rtol=1e-8)


def test_all_equations_together_are_their_sum(estimated):
    """Where parameters are independent between equations, so are the parts, up to Monte Carlo error."""
    parts = sum(estimated.elpd[name].sum() for name in ("m", "k", "y"))
    assert estimated.elpd[JOINT].sum() == pytest.approx(parts, abs=0.5)
    assert tuple(estimated.table.columns) == LOO_COLUMNS


@pytest.mark.fixed_seed  # records whose weights are good
def test_the_printed_form_is_a_table_of_sums(estimated):
    """Nothing of single patients stands in it."""
    text = repr(estimated)
    row = estimated.table.iloc[-1]
    shown = text.splitlines()[-1].split("all equations")[1].split()
    numbers = [float(word) for word in shown if word.lstrip("-").replace(".", "").isdigit()]
    for name in ("elpd", "se"):
        assert min(abs(number - row[name]) for number in numbers) < 0.051
    assert "array" not in text
    assert len(text.splitlines()) == 2 + len(estimated.table)


def test_a_kept_log_likelihood_goes_before_one_that_is_computed(normal_chain):
    """The posterior's own group is used where it has every response."""
    model, survey = normal_chain
    tree, design = exact_tree(model, survey, draws=50), design_arrays(model, survey)
    ours = pointwise(model, design, tree)
    kept = {f"{name}_observed": (("chain", "draw", "patient"), values + 1) for name, values in ours.values.items()}
    tree["log_likelihood"] = xr.DataTree(xr.Dataset(kept))
    np.testing.assert_allclose(pointwise(model, design, tree).values["y"], ours.values["y"] + 1)


def test_too_large_a_survey_is_refused(normal_chain, monkeypatch):
    """Leaving each patient out needs some hundred draws of each."""
    model, survey = normal_chain
    monkeypatch.setattr("bayes_sp.analysis.criticism.pointwise.MOST_VALUES", 40 * 3 * 300)
    with pytest.raises(BayesSpError, match="40 patients are too many to leave each of them out"):
        pointwise(model, design_arrays(model, survey), exact_tree(model, survey))


def bad(estimated: Loo, patients=(3, 7, 9)) -> Loo:
    """Return the estimate as if some patients' weights were useless in the last equation."""
    k = estimated.pareto_k["y"].copy()
    k[list(patients)] = [0.8, 1.2, 0.9]
    return replace(estimated, pareto_k={**estimated.pareto_k, "y": k})


@pytest.mark.fixed_seed  # records whose weights are good
def test_patients_with_bad_weights_are_refitted_the_worst_first(estimated):
    """At most the stated number; the others keep their estimate, and the note counts them."""
    asked = []

    def refit(patient):
        asked.append(patient)
        return {name: np.full(10, -5.0) for name in ("m", "k", "y")}

    found = with_refits(bad(estimated), refit, 2)
    assert asked == [7, 9]
    assert found.elpd["y"][7] == pytest.approx(-5.0)
    assert found.elpd["y"][3] == estimated.elpd["y"][3]
    assert found.elpd["m"][7] == estimated.elpd["m"][7]  # its weights are good there
    (note,) = found.notes
    assert note == (
        "Pareto k is above 0.7 for 3 of 40 patients, refits without them: 2; the part of the others is not reliable"
    )
    row = found.table.set_index("response").loc["y"]
    assert (row["high_k"], row["refitted"]) == (3, 2)
    whole = with_refits(bad(estimated), refit, 5)
    assert whole.unreliable == 0
    assert whole.notes == ("Pareto k is above 0.7 for 3 of 40 patients; each was left out by a refit",)


@pytest.mark.fixed_seed  # records whose weights are good
def test_a_refit_that_fails_is_told(estimated):
    """Nothing stands in for what could not be computed."""
    found = with_refits(bad(estimated), lambda _: {}, 3)
    assert found.notes[-1] == "3 refits failed"
    assert found.unreliable == 3


def test_a_missing_response_counts_for_nothing(normal_chain):
    """The patient is left out of the equation, and stays in the others."""
    model, survey = normal_chain
    found = pointwise(model, design_arrays(model, survey), exact_tree(model, survey, draws=100))
    values = dict(found.values)
    values["y"] = values["y"].copy()
    values["y"][..., 5] = np.nan
    result = loo(model.name, scored_responses(model), found.draws, values, {})
    assert list(result.table["patients"]) == [40, 40, 39, 40]
    assert np.isnan(result.elpd["y"][5])
    assert np.isfinite(result.table["elpd"]).all()


def test_weights_of_a_patient_who_says_nothing_are_equal():
    """A constant log-likelihood cannot move the posterior."""
    weights = leave_one_out_weights(np.full((1, 500), -3.0))
    np.testing.assert_allclose(np.exp(weights.log_weights), 1 / 500)
    assert weights.pareto_k[0] == -np.inf


def test_a_patient_beyond_all_smoothing_is_counted_and_named():
    """A value 300 SD away (a code that passed for data) moves the posterior beyond what any tail can tell: k infinite.

    Its weights are the ratios themselves, and it is the first to be left out by a refit.
    """
    rng = np.random.default_rng(3)
    mean, sd = rng.normal(0.0, 0.08, (2, 500)), np.exp(rng.normal(0.0, 0.05, (2, 500)))
    y = np.append(rng.normal(size=39), 300.0)
    values = -0.5 * ((y - mean[..., None]) / sd[..., None]) ** 2 - np.log(sd[..., None])
    far = values[..., -1].ravel()
    weights = leave_one_out_weights(far[None])
    assert weights.pareto_k[0] == np.inf
    np.testing.assert_allclose(np.exp(weights.log_weights[0]), np.exp(far.min() - far) / np.exp(far.min() - far).sum())
    posterior = xr.Dataset({"mean": (("chain", "draw"), mean)})
    found = loo("a model", [Scored("y", "normal", "density")], posterior, {"y": values}, {})
    assert list(found.table["patients"]) == [40, 40]
    assert patients_above_limit(found.pareto_k)[0] == 39
    assert found.unreliable >= 1
    assert "Pareto k is above 0.7" in found.notes[-1]


def test_weighted_quantiles_are_those_of_repeated_draws():
    """Weights 1, 2 and 3 stand for one, two and three draws."""
    values, weights = np.array([1.0, 5.0, 9.0]), np.array([1.0, 2.0, 3.0])
    many, repeated = np.repeat(values, weights.astype(int) * 1000), np.array([0.08, 0.3333, 0.75])
    np.testing.assert_allclose(weighted_quantile(many, np.ones(6000), repeated), [1.0, 5.0, 9.0])
    assert weighted_quantile(values, weights, np.array([0.5]))[0] == pytest.approx(5 + 4 * (3 - 2) / 2.5)


# --- differences ------------------------------------------------------------------------------------------------------


@pytest.mark.fixed_seed  # records whose weights are good
def test_a_difference_is_that_of_arviz(normal_chain, estimated):
    """Difference and standard error of ``az.compare``; positive where the second predicts better."""
    model, survey = normal_chain
    less = replace(model, name="less", equations=(*model.equations[:2], replace(model.equations[2], parents=("x",))))
    trees = {one.name: exact_tree(one, survey) for one in (model, less)}
    found = {name: loo_of(one, survey, trees[name]) for name, one in (("normal_chain", model), ("less", less))}
    elpds = {}
    for name, one in (("normal_chain", model), ("less", less)):
        values = pointwise(one, design_arrays(one, survey), trees[name]).values["y"]
        tree = trees[name].copy()
        tree["log_likelihood"] = xr.DataTree(xr.Dataset({"y_observed": (("chain", "draw", "patient"), values)}))
        elpds[name] = az.loo(tree, var_name="y_observed", pointwise=True)
    table = az.compare(elpds, round_to="none")
    ours = elpd_difference(found["normal_chain"], found["less"], "y")
    assert ours.difference < 0  # it leaves the mediator out
    np.testing.assert_allclose(abs(ours.difference), abs(table.loc["less", "elpd_diff"]), rtol=1e-6)
    np.testing.assert_allclose(ours.se, table.loc["less", "dse"] * np.sqrt(40 / 39), rtol=1e-6)  # n - 1, as in R's loo


def small_loo(name="one", n=6, predicts="probability", family="poisson", columns=None) -> Loo:
    elpd = {"y": np.linspace(-2, -1, n), JOINT: np.linspace(-2, -1, n)}
    k = {"y": np.full(n, 0.1), JOINT: np.full(n, 0.1)}
    scored = (Scored("y", family, predicts),)
    return Loo(name, scored, elpd, k, {"y": 1.0, JOINT: 1.0}, (), columns or {"x": "aaaa1111", "y": "bbbb2222"})


def test_a_density_is_not_compared_with_a_probability():
    """Both specifications, both families and both kinds are named."""
    with pytest.raises(BayesSpError) as refused:
        elpd_difference(small_loo(), small_loo("two", predicts="density", family="normal"), "y")
    for word in ("one and two", "poisson", "a probability", "normal", "a density"):
        assert word in str(refused.value)


def test_other_records_are_not_compared():
    """The column that differs is named with both digests; a column that only one has does not matter."""
    other = small_loo("two", columns={"x": "cccc3333", "y": "bbbb2222"})
    with pytest.raises(BayesSpError, match=r"different records: x differ \(digests aaaa1111 and cccc3333\)"):
        elpd_difference(small_loo(), other, "y")
    more = small_loo("two", columns={"x": "aaaa1111", "y": "bbbb2222", "age": "dddd4444"})
    assert elpd_difference(small_loo(), more, "y").difference == 0


def test_other_patients_are_not_compared():
    """Other numbers of patients, or other patients with a response."""
    with pytest.raises(BayesSpError, match="one was fitted to 6 patients, two to 5"):
        elpd_difference(small_loo(), small_loo("two", n=5), "y")
    missing = small_loo("two")
    missing.elpd["y"][2] = np.nan
    with pytest.raises(BayesSpError, match="predict y of different patients"):
        elpd_difference(small_loo(), missing, "y")


def test_an_unknown_response_is_refused():
    """The responses that there are, are listed."""
    with pytest.raises(BayesSpError, match="one: has no equation for z; it has y"):
        elpd_difference(small_loo(), small_loo("two"), "z")


def test_each_family_is_a_density_or_a_probability(family, family_model):
    """Whole numbers have probabilities, everything else densities."""
    scored = scored_responses(family_model)[-1]
    densities = {"normal", "student_t", "latent_normal", "beta", "gamma", "lognormal"}
    assert scored.predicts == ("density" if family in densities else "probability")


def test_missing_cells_leave_the_equations_that_do_not_know_them(make_family):
    """A missing outcome leaves its own equation, and a missing mediator its own; the outcome's integrates it out."""
    model, survey = make_family("negative_binomial")
    records = survey.records.astype(float)
    records.loc[4, "y"], records.loc[9, "m"] = np.nan, np.nan
    survey = replace(survey, records=records)
    design = design_arrays(model, survey)
    near = 0.2 * draw_priors(model, design, draws=100, seed=1)  # no mean that is beyond a float
    result = loo_of(model, survey, xr.DataTree.from_dict({"posterior": near}))
    assert list(result.table["patients"]) == [59, 59, 60]
    assert np.isnan(result.elpd["y"][4])
    assert np.isfinite(result.elpd["y"][9])


def test_patients_without_any_response_are_not_counted_in_the_joint_sum():
    """All equations together: the sum over patients of whom something was measured, with the error of as many."""
    rng = np.random.default_rng(2)
    values = {name: rng.normal(-1.0, 0.1, (2, 200, 30)) for name in ("m", "y")}
    values["m"][..., 20:] = np.nan
    values["y"][..., 15:] = np.nan
    posterior = xr.Dataset({"b": (("chain", "draw"), rng.normal(size=(2, 200)))})
    scored = [Scored("m", "normal", "density"), Scored("y", "poisson", "probability")]
    table = loo("a model", scored, posterior, values, {}).table.set_index("response")
    alone = loo("a model", scored, posterior, {n: v[..., :20] for n, v in values.items()}, {}).table.set_index(
        "response"
    )
    assert list(table["patients"]) == [20, 15, 20]
    pd.testing.assert_frame_equal(table, alone)
