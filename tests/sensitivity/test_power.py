"""What priors and likelihood do to effects: weights, refits and words agree with independent fits and with ArviZ."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_stats import psense_summary
from fast_and_slow import some_fast
from numpy.testing import assert_allclose

import bayes_sp as sp
from bayes_sp.analysis.batch.cell import Failure
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.errors import BayesSpError, SurveyWarning
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.powers import scaled_model
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity import PowerScaling, Runner, Target, power_scaling
from bayes_sp.sensitivity.power.blocks import (
    ALL_PRIORS,
    LIKELIHOOD,
    block_log_density,
    prior_blocks,
    total_log_likelihood,
)
from bayes_sp.sensitivity.power.result import CONFLICT, NOTHING, STRONG, UNKNOWN, diagnosis
from bayes_sp.sensitivity.power.weights import equal_weights, power_weights, tail_sizes, weighted_summary
from bayes_sp.sensitivity.target import target_of

FEW = sp.SamplerOptions(draws=100, tune=150, chains=2)
PATH = "x -> m -> y"


class Recording(Runner):
    """Fits nothing, and keeps what it was asked for."""

    def run(self, cells):
        self.asked.extend(cells)
        return [Failure(cell.key, cell.name, "it was not tried", "") for cell in cells]

    def __init__(self):
        object.__setattr__(self, "asked", [])


@pytest.fixture(scope="module")
def primary():
    fit = sp.fit("primary", sp.reconstruct(seed=1), seed=1)
    return fit, power_scaling(fit, runner=Runner(workers=1))


def normal_chain(slope: Prior | None = None):
    """Return a chain of two normal equations and 60 records; the prior of m -> y is the second table's own."""
    normal = {"family": "normal"}
    tables = {
        "title": "A normal chain", "exposure": "x", "outcome": "y",
        "equation": [{"response": "m", **normal}, {"response": "y", **normal}],
        "priors": {
            "intercept": {"dist": "normal", "mu": 0.0, "sigma": 1.0, "why": "test"},
            "slope": {"dist": "normal", "mu": 0.0, "sigma": 1.0, "why": "test"},
            "sigma": {"dist": "half_normal", "sigma": 1.0, "why": "test"},
        },
    }  # fmt: skip
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, 60)
    m = 0.5 + 0.6 * x + rng.normal(0, 0.7, 60)
    y = 0.2 - 0.6 * m + rng.normal(0, 0.7, 60)
    model = load_model(tables, name="normal_chain")
    if slope is not None:
        model = replace(model, priors=(*model.priors, ("y", "m", slope)))
    return model, Survey(pd.DataFrame({"x": x, "m": m, "y": y}), "memory", "sixty records")


CONFLICTING = Prior("normal", (("mu", 2.0), ("sigma", 0.3)), "far from the records")


@pytest.fixture(scope="module")
def conflict():
    """Return a fit with a prior and records that disagree about m -> y, and its power-scaling."""
    with pytest.warns(SurveyWarning, match="priors lie far"):
        fit = sp.fit(*normal_chain(CONFLICTING), seed=1)
    return fit, power_scaling(fit, runner=Runner(workers=1))


def flat_effects(fit) -> np.ndarray:
    """Return draws of all effects, (chain, draw, path by scale)."""
    draws = fit.effects().draws[AVERAGE].transpose("chain", "draw", "path", "scale").to_numpy()
    return draws.reshape(*draws.shape[:2], -1)


@pytest.mark.slow
def test_the_diagnostics_are_arvizs_summary_of_the_same_draws(primary):
    """All priors together and the likelihood, for every effect, from a tree with the same log-densities."""
    fit, found = primary
    posterior = fit.posterior["posterior"].to_dataset()
    effects = fit.effects().draws[AVERAGE].transpose("chain", "draw", "path", "scale")
    prior = sum(block_log_density(block, posterior) for block in prior_blocks(fit.model))
    quantities = {f"e{i}{j}": effects[:, :, i, j].drop_vars(["path", "scale"]) for i in range(3) for j in range(3)}
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(quantities),
            "log_prior": xr.Dataset({"all": (("chain", "draw"), prior)}),
            "log_likelihood": fit.posterior["log_likelihood"].to_dataset(),
        }
    )
    expected = psense_summary(tree, round_to=12)
    for i in range(3):
        for j in range(3):
            at = found.dataset["diagnostic"][:, i, j].sel(block=[ALL_PRIORS, LIKELIHOOD])
            assert_allclose(at, expected.loc[f"e{i}{j}", ["prior", "likelihood"]].to_numpy(dtype=float), rtol=1e-8)


@pytest.mark.parametrize(
    ("name", "alpha"),
    [("appointments_t1.slope", 0.5), pytest.param(ALL_PRIORS, 0.7, marks=pytest.mark.slow), (ALL_PRIORS, 2.0)],
)
def test_weights_agree_with_refits(primary, name, alpha):
    """Means and limits of an explicit fit with the scaled prior, within 6 estimated Monte Carlo errors."""
    fit, found = primary
    if alpha not in found.dataset["alpha"]:  # all priors to the power 0.5 have weights with heavy tails
        found = power_scaling(fit, alphas=(alpha,), runner=Recording())
    blocks = [block for block in prior_blocks(fit.model) if name in (ALL_PRIORS, block.name)]
    log_p = sum(block_log_density(block, fit.posterior["posterior"].to_dataset()) for block in blocks)
    weights = power_weights(log_p, alpha).weights
    again = sp.fit(scaled_model(fit.model, [block.entry for block in blocks], alpha), fit.survey, seed=7)
    own, values = (flat_effects(one) for one in (fit, again))
    refit = weighted_summary(values, equal_weights(values), 0.95, tail_sizes(values))
    at = found.dataset.sel(block=name, alpha=alpha)
    assert str(at["method"].item()) == "weights"
    at = at.transpose("path", "scale", ...)
    mean = at["mean"].to_numpy().ravel()
    # a weighted mean varies by the squares of its weights, more where draws follow one another
    sizes = convergence_measures(own)["ess_bulk"]
    spread = np.einsum("cd,cdk->k", weights**2, (own - mean) ** 2) * weights.size / sizes
    error = np.sqrt(spread + convergence_measures(values)["mcse_mean"] ** 2)
    assert (np.abs(mean - refit.mean) < 6 * error).all(), (mean - refit.mean) / error
    for limit in ("lower", "upper"):
        off = at[limit].to_numpy().ravel() - getattr(refit, limit)
        error = np.hypot(at[f"mcse_{limit}"].to_numpy().ravel(), getattr(refit, f"mcse_{limit}"))
        assert (np.abs(off) < 6 * error).all(), off / error


def test_stronger_priors_draw_the_serial_effect_towards_0(primary):
    """The slopes of the outcome's equation have priors round 0: the wider, the further from 0."""
    fit, found = primary
    target = target_of(fit.model)
    means = [found.estimate(target, "appointments_t1.slope", alpha).median for alpha in (0.5, 1.0, 2.0)]
    assert means == sorted(means)
    assert means[-1] < 0.0


def test_the_posterior_itself_is_that_of_the_fit(primary):
    """At power 1 every block has the effects' own table."""
    fit, found = primary
    target = target_of(fit.model)
    table = fit.effects().table()
    row = table[
        (table["path"] == target.path) & (table["scale"] == "difference") & (table["decomposition"] == "average")
    ]
    estimate = found.estimate(target, ALL_PRIORS, 1.0)
    assert_allclose([estimate.median, estimate.lower, estimate.upper], row[["median", "lower", "upper"]].to_numpy()[0])


def test_the_likelihood_is_refitted_with_its_power(primary):
    """Pareto k forbids weights; half of the likelihood gives wider intervals, twice of it narrower ones."""
    _, found = primary
    at = found.dataset.sel(block=LIKELIHOOD)
    forbidden = at["pareto_k"].sel(alpha=[0.5, 2.0]).to_numpy() > 0.7
    assert forbidden[0]
    assert ((at["method"].sel(alpha=[0.5, 2.0]).to_numpy() == "refit") == forbidden).all()
    width = at["upper"] - at["lower"]
    assert (np.diff(width.transpose(..., "alpha").to_numpy(), axis=-1) < 0.0).all()


def test_the_table_has_a_row_for_each_block_path_and_scale(primary):
    """With the columns of both powers; the worst Pareto k is over all powers."""
    fit, found = primary
    blocks = [*(block.name for block in prior_blocks(fit.model)), ALL_PRIORS, LIKELIHOOD]
    assert found.table["block"].unique().tolist() == blocks
    assert len(found.table) == len(blocks) * found.dataset.sizes["path"] * found.dataset.sizes["scale"]
    assert found.table.columns.tolist() == [
        "block", "path", "scale", "diagnostic", "pareto_k", "mean_0.5", "median_0.5", "lower_0.5", "upper_0.5",
        "method_0.5", "mean_2", "median_2", "lower_2", "upper_2", "method_2",
    ]  # fmt: skip
    row = found.table.iloc[40]
    at = found.dataset.sel(block=row["block"], path=row["path"], scale=row["scale"])
    assert_allclose(row["diagnostic"], at["diagnostic"])
    assert_allclose([row["mean_0.5"], row["upper_2"]], [at["mean"].sel(alpha=0.5), at["upper"].sel(alpha=2.0)])
    assert row["pareto_k"] >= at["pareto_k"].max()


def test_a_conflict_is_refitted_in_closed_form(conflict):
    """The refit with twice the prior is the exact posterior, beyond the fit."""
    fit, found = conflict
    assert found.dataset["pareto_k"].sel(block="y.m", alpha=2.0) > 0.7
    at = found.dataset.sel(block="y.m", path=PATH, scale="difference", alpha=2.0)
    assert str(at["method"].item()) == "refit"
    exact = exact_posterior(scaled_model(fit.model, [("y", "m")], 2.0), design_arrays(fit.model, fit.survey), seed=3)
    product = (exact["m"].sel(m_term="x") * exact["y"].sel(y_term="m")).to_numpy()
    assert abs(float(at["mean"]) - product.mean()) < 5 * product.std() * np.sqrt(2 / 3000)
    assert_allclose([at["lower"], at["upper"]], np.quantile(product, [0.025, 0.975]), atol=0.2 * product.std())
    fitted = found.estimate(Target(PATH), "y.m", 1.0)
    assert fitted.median < float(at["median"])


def test_a_conflict_is_called_one(conflict):
    """Prior and records both move the effect; the sentence names the prior and where it draws the effect."""
    _, found = conflict
    assert found.words[PATH, "difference"] == CONFLICT
    sentence = found.sentence(Target(PATH))
    assert re.search(r"\(a possible prior-data conflict\); stronger priors draw it (away from|towards) 0\.", sentence)
    assert "Of the single priors that of y.m moves it most" in sentence
    assert "counts as sensitive" in sentence


@pytest.mark.parametrize(
    ("prior", "likelihood", "word"),
    [
        (0.05, 0.05, CONFLICT), (0.3, 0.04, STRONG), (0.049, 0.9, NOTHING), (0.01, np.nan, NOTHING),
        (np.nan, 0.2, UNKNOWN), (0.2, np.nan, UNKNOWN),
    ],
)  # fmt: skip
def test_two_sensitivities_have_a_word(prior, likelihood, word):
    """Kallioinen et al.'s table, with the threshold 0.05."""
    assert diagnosis(prior, likelihood) == word


def test_findings_are_of_every_prior_and_not_of_the_likelihood(conflict):
    """Each prior weaker and stronger, as it stands in a sentence."""
    _, found = conflict
    cases = [finding.case for finding in found.findings(Target(PATH))]
    assert cases[:2] == ["prior of intercept half as strong", "prior of intercept twice as strong"]
    assert cases[-2:] == ["all priors half as strong", "all priors twice as strong"]
    assert not any("likelihood" in case for case in cases)
    assert {finding.analysis for finding in found.findings(Target(PATH))} == {"priors"}


@pytest.mark.parametrize(
    ("limits", "scale", "words"),
    [
        ([(-0.3, -0.1)] * 3, "difference", "each 95 % interval lies below 0"),
        ([(-0.3, 0.1)] * 3, "difference", "each 95 % interval lies on both sides of 0"),
        ([(0.9, 1.1)] * 3, "rate_ratio", "each 95 % interval lies on both sides of 1"),
        ([(1.1, 1.3)] * 3, "rate_ratio", "each 95 % interval lies above 1"),
        ([(-0.3, 0.1), (-0.3, -0.1), (-0.3, -0.1)], "difference", "the 95 % interval does not keep its side of 0"),
    ],
)
def test_a_sentence_says_whether_the_interval_keeps_its_side(primary, limits, scale, words):
    """Numbers at every power, and one conclusion; the limits are those at half, the same and twice the strength."""
    fit, found = primary
    target = replace(target_of(fit.model), scale=scale)
    data = found.dataset.copy(deep=True)
    for alpha, (lower, upper) in zip((0.5, 1.0, 2.0), limits, strict=True):
        for name, value in (("lower", lower), ("median", (lower + upper) / 2.0), ("upper", upper)):
            data[name].loc[{"block": ALL_PRIORS, "path": target.path, "scale": scale, "alpha": alpha}] = value
    sentence = replace(found, dataset=data).sentence(target)
    assert sentence.startswith("The serial effect")
    assert "as fitted" in sentence
    assert "with all priors half as strong" in sentence
    assert "with all priors twice as strong" in sentence
    assert f"; {words}. " in sentence


def test_what_cannot_be_refitted_is_unreliable_and_has_no_numbers(conflict):
    """Where a refit fails, a reason stands in place of numbers; it was asked for with the fit's seed and options."""
    fit, _ = conflict
    runner = Recording()
    found = power_scaling(fit, runner=runner)
    assert str(found.dataset["method"].sel(block="y.m", alpha=2.0).item()) == "unreliable"
    assert found.reasons["y.m", 2.0] == "weights do not hold, and the refit failed: it was not tried"
    assert found.estimate(Target(PATH), "y.m", 2.0) is None
    assert np.isnan(found.dataset["mean"].sel(block="y.m", alpha=2.0)).all()
    finding = next(f for f in found.findings(Target(PATH)) if f.case == "prior of y.m twice as strong")
    assert (finding.estimate, finding.note) == (None, found.reasons["y.m", 2.0])
    assert "y.m twice as strong: weights do not hold" in " ".join(found.notes)
    assert all((cell.seed, cell.options, cell.survey) == (fit.seed, fit.options, fit.survey) for cell in runner.asked)
    asked = {cell.name: cell.model for cell in runner.asked}["y.m to the power 2"]
    assert asked.prior("y", "m").values["sigma"] == pytest.approx(0.3 / np.sqrt(2.0))
    assert asked.prior("m", "x") == fit.model.prior("m", "x")


def test_a_power_that_is_no_distribution_is_told(monkeypatch):
    """Where weights do not hold either, the reason names the prior."""
    monkeypatch.setattr("bayes_sp.sensitivity.power.weights.PARETO_K_LIMIT", -5.0)
    model, survey = normal_chain(Prior("student_t", (("nu", 1.0), ("mu", 0.0), ("sigma", 1.0)), "a Cauchy"))
    found = power_scaling(sp.fit(model, survey, seed=1, options=FEW), alphas=(0.5,), runner=Recording())
    assert "priors.y.m" in found.reasons["y.m", 0.5]
    assert "has no finite integral" in found.reasons["y.m", 0.5]
    assert found.words[PATH, "difference"] == UNKNOWN


def test_the_likelihood_of_hidden_values_is_unreliable(make_survey):
    """With measurement error a power of the conditional likelihood is another one; the reason says so."""
    fit = sp.fit("latent", make_survey(80), seed=1, options=FEW)
    found = power_scaling(fit, alphas=(0.2,), runner=Recording())
    assert str(found.dataset["method"].sel(block=LIKELIHOOD, alpha=0.2).item()) == "unreliable"
    assert "values of loneliness_t1 are missing, measured with error or unmeasured" in found.reasons[LIKELIHOOD, 0.2]


@pytest.mark.parametrize(
    "name",
    some_fast(["bounded", "hurdle", "interaction", "latent", "ordinal", "process4"], ["latent"]),
)
def test_every_kind_of_specification_can_be_scaled(name, make_survey):
    """Every block has a diagnostic for every effect, and a mean close to the fit's at powers close to 1."""
    survey = make_survey(80)
    groups = np.random.default_rng(1).integers(0, 5, len(survey))
    survey = replace(survey, records=survey.records.assign(groups_t0=groups))
    fit = sp.fit(name, survey, seed=1, options=FEW)
    found = power_scaling(fit, alphas=(0.95, 1.05), runner=Recording())
    assert isinstance(found, PowerScaling)
    known = (found.dataset["method"] != "unreliable").all("alpha")
    assert known.any()
    assert np.isfinite(found.dataset["diagnostic"]).where(known, True).all()
    priors = found.dataset.drop_sel(block=LIKELIHOOD)
    sd = fit.effects().draws[AVERAGE].std(["chain", "draw"])
    reliable = priors.where(priors["method"] != "unreliable")
    shift = np.abs(reliable["mean"] - priors["mean"].sel(alpha=1.0)) / sd
    assert float(shift.max()) < 0.5
    assert found.sentence(target_of(fit.model)).endswith(".")


def test_a_flat_prior_has_no_sensitivity():
    """It is a block as any other, with equal weights and the fit's own numbers."""
    fit = sp.fit(*normal_chain(Prior("flat", (), "no prior")), seed=1, options=FEW)
    found = power_scaling(fit, runner=Recording())
    at = found.dataset.sel(block="y.m")
    assert not at["diagnostic"].any()
    assert (at["mean"] == at["mean"].sel(alpha=1.0)).all()
    assert at["method"].to_numpy().tolist() == ["weights"] * 3


def test_the_log_likelihood_of_the_fit_is_used(primary):
    """The likelihood's weights come from the sum over responses and patients."""
    fit, _ = primary
    total, note = total_log_likelihood(fit.model, design_arrays(fit.model, fit.survey), fit.posterior)
    group = fit.posterior["log_likelihood"].to_dataset()
    assert note == ""
    assert_allclose(total, sum(array.sum("patient") for array in group.values()), rtol=1e-12)


@pytest.mark.parametrize("alphas", [(1.0,), (0.0, 2.0), (-1.0,), (np.nan,)])
def test_powers_must_be_above_0_and_not_1(primary, alphas):
    """The power 1 is the posterior itself."""
    with pytest.raises(ValueError, match="powers must be above 0 and not 1"):
        power_scaling(primary[0], alphas=alphas)


def test_the_diagnostics_powers_lie_round_1(primary):
    """A gradient at 1 needs one on each side."""
    with pytest.raises(ValueError, match="must lie round 1"):
        power_scaling(primary[0], gradient=(1.01, 1.02))


def test_a_handful_of_draws_is_refused():
    """There is no tail to smooth."""
    fit = sp.fit(*normal_chain(), seed=1, options=sp.SamplerOptions(draws=20, tune=50, chains=2))
    with pytest.raises(BayesSpError, match="40 draws are too few"):
        power_scaling(fit)


def test_the_result_shows_itself_with_its_mark(primary):
    """A notebook says what the records are."""
    _, found = primary
    assert found.mark in found._repr_html_()
    assert "appointments_t1.slope" in found._repr_html_()


def test_priors_of_unmeasured_strengths_are_told():
    """They are in no block, and a note says which they are."""
    strength = Prior("half_normal", (("sigma", 0.2),), "a test")
    confounder = Unmeasured("U", (("loneliness_t1", 0.3), ("appointments_t1", strength)))
    model = replace(load_model("primary"), unmeasured=(confounder,))
    fit = sp.fit(model, sp.reconstruct(1), options=sp.SamplerOptions(draws=100, tune=200, chains=2))
    found = power_scaling(fit, alphas=(0.9,))
    assert "priors of unmeasured strengths stay as they are, in no block: U on appointments_t1" in found.notes
