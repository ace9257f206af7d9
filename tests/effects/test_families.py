"""Effects of the shipped specifications and of variations on them, from made-up posteriors in the sampler's shape."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import xarray as xr
from fast_and_slow import some_fast
from posteriors import made_up_posterior

from bayes_sp.design.build import design_arrays, equation_matrix, zero_matrix
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.controlled import controlled_direct_effect, dose_curve
from bayes_sp.effects.interventional import interventional_effects
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.paths import compute_effects
from bayes_sp.effects.problem import TOLERANCE, make_problem
from bayes_sp.effects.read import read_chain
from bayes_sp.effects.stable_signs import KAPPAS, means_of_sets, signs_of
from bayes_sp.errors import SurveyError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import ALONE, AVERAGE, COEFFICIENT, DIFFERENCE, RATE_RATIO, RISK_RATIO, TOTAL, path_name

SHIPPED = ("primary", "interaction", "ordinal", "bounded", "latent", "zinb", "hurdle", "poisson")


def fitted(make_survey, name: str, **changes):
    model = load_model(name)
    if changes:
        equations = tuple(replace(e, **changes.get(e.response, {})) for e in model.equations)
        model = replace(model, equations=equations)
    design = design_arrays(model, make_survey(60))
    return model, design, made_up_posterior(model, design)


@pytest.mark.parametrize("name", some_fast(SHIPPED, set(SHIPPED) - {"bounded"}))
def test_paths_add_up_to_the_total_on_every_scale(make_survey, name):
    """Averages over orders add up (differences) or multiply (ratios) to the total, which no kappa moves."""
    model, design, posterior = fitted(make_survey, name)
    effects = compute_effects(model, design, posterior)
    average, paths = effects.draws[AVERAGE], slice(0, 4)
    difference, ratio = average.sel(scale=DIFFERENCE), average.sel(scale=RATE_RATIO)
    np.testing.assert_allclose(difference[..., paths].sum("path"), difference.sel(path=TOTAL), rtol=1e-10)
    np.testing.assert_allclose(ratio[..., paths].prod("path"), ratio.sel(path=TOTAL), rtol=1e-10)
    other = compute_effects(model, design, posterior, kappa=0.3).draws[AVERAGE].sel(scale=DIFFERENCE)
    np.testing.assert_allclose(other.sel(path=TOTAL), difference.sel(path=TOTAL), rtol=1e-8)
    withheld = ("interaction", "ordinal", "bounded", "zinb", "hurdle")
    assert (COEFFICIENT in effects.draws["scale"]) == (name not in withheld)
    assert effects.draws.attrs.get("quadrature_error", 0.0) <= TOLERANCE
    assert effects.table().notna().to_numpy().all()


@pytest.mark.parametrize("name", SHIPPED)
def test_interventional_effects_add_up_to_the_joint_total(make_survey, name):
    """Direct, via each mediator, mediated interaction and dependence are the total, to 1e-10; it is the path total."""
    model, design, posterior = fitted(make_survey, name)
    found = interventional_effects(model, design, posterior)
    parts = found["difference"].drop_sel(effect=TOTAL).sum("effect")
    total = found["difference"].sel(effect=TOTAL)
    np.testing.assert_allclose(parts, total, atol=1e-10 * float(np.abs(found["difference"]).max()))
    paths = compute_effects(model, design, posterior).draws[ALONE].sel(path=TOTAL, scale=DIFFERENCE)
    np.testing.assert_allclose(total, paths, rtol=1e-7)
    np.testing.assert_allclose(found["mean"].diff("exposure").squeeze("exposure"), total, rtol=1e-10)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_mean_at_fixed_values_is_that_of_the_familys_own_equation(make_survey, name):
    """A controlled direct effect is the family's mean at the equation's own columns, mediators held fixed."""
    model, design, posterior = fitted(make_survey, name)
    at = {"belonging_t1": [1.0, 3.0], "loneliness_t1": 2.5}
    found = controlled_direct_effect(model, design, posterior, at)
    assert dict(found[DIFFERENCE].sizes) == {"chain": 2, "draw": 20, "belonging_t1": 2, "loneliness_t1": 1}
    family, y = FAMILIES[model.equations[-1].family], model.outcome
    means = []
    for u in model.contrast:
        held = np.column_stack([np.full(design.n, 3.0), np.full(design.n, 2.5), design.y[:, 2]])
        changed = replace(design, x=np.full(design.n, u), y=held)
        beta = posterior[y].to_numpy()[1, 7].copy()
        columns = equation_matrix(model, changed, 2)
        for name_, place in ((n, model.terms(model.equations[2]).index(n)) for n in model.equations[2].monotonic):
            shares = posterior[f"{y}_{name_}_simplex"].to_numpy()[1, 7]
            columns[:, place] = len(shares) * shares[: int(columns[0, place])].sum()
        zeta = np.zeros(design.n)
        if family.zero_part:
            zeta = zero_matrix(model, changed, 2) @ posterior[f"{y}_zero"].to_numpy()[1, 7]
        aux = np.array([posterior[p].sel({f"{p}_response": y}).to_numpy()[1, 7] for p in family.parameters])
        means.append(family.mean(columns @ beta, zeta, aux).mean())
    value = found.isel(chain=1, draw=7, belonging_t1=1, loneliness_t1=0)
    np.testing.assert_allclose(value[DIFFERENCE], means[1] - means[0], rtol=1e-10)
    np.testing.assert_allclose(value[RATE_RATIO], means[1] / means[0], rtol=1e-12)


def test_a_controlled_effect_needs_every_mediator_on_its_scale(make_survey):
    """A missing mediator, and a value between two levels, are refused."""
    model, design, posterior = fitted(make_survey, "ordinal")
    with pytest.raises(ValueError, match="must give a value of each mediator"):
        controlled_direct_effect(model, design, posterior, {"belonging_t1": 2.0})
    with pytest.raises(ValueError, match="among its levels 1, 2, 3, 4"):
        controlled_direct_effect(model, design, posterior, {"belonging_t1": 2.5, "loneliness_t1": 2.0})


@pytest.mark.parametrize("name", ["primary", "zinb"])
def test_a_dose_curve_is_effects_at_each_exposure(make_survey, name):
    """Each exposure's slice is the effects of that contrast; no change has no effect."""
    model, design, posterior = fitted(make_survey, name)
    curve = dose_curve(model, design, posterior, [0.0, 1.0, 3.0])
    assert curve[ALONE].dims == ("exposure", "chain", "draw", "path", "scale")
    expected = compute_effects(model, replace(design, contrast=(0.0, 3.0)), posterior).draws
    np.testing.assert_allclose(curve[AVERAGE].sel(exposure=3.0), expected[AVERAGE], rtol=1e-7)
    np.testing.assert_allclose(curve[ALONE].sel(exposure=0.0, scale=DIFFERENCE), 0.0, atol=1e-12)
    low, high = design.x.min(), design.x.max()
    marked = dose_curve(model, design, posterior, [low - 0.5, low, high, high + 0.5])
    assert marked["extrapolated"].to_numpy().tolist() == [True, False, False, True]
    assert marked.attrs["observed"] == [low, high]
    beyond = replace(design, contrast=(high + 1.0, high))
    assert dose_curve(model, beyond, posterior, [low, high])["extrapolated"].all()
    at = {"belonging_t1": [1.0, 2.0], "loneliness_t1": [5.0]}
    held = controlled_direct_effect(model, replace(design, y=np.minimum(design.y, 4.0)), posterior, at)
    assert held["loneliness_t1_extrapolated"].all()
    with pytest.raises(ValueError, match="exposures is empty"):
        dose_curve(model, design, posterior, [])


@pytest.mark.parametrize("name", ["primary", "ordinal", "interaction"])
def test_signs_are_those_of_the_effects_and_of_every_order(make_survey, name):
    """Averaged: the intervals of `compute_effects` at each kappa; single: the steps of all orders, one by one."""
    model, design, posterior = fitted(make_survey, name)
    problem = make_problem(model, design, posterior)
    found = signs_of(problem, means_of_sets(problem))
    sets = [tuple(row) for row in problem.sets()[:, [problem.full.index(path) for path in problem.paths]]]
    for place, kappa in enumerate(KAPPAS):
        effects = compute_effects(model, design, posterior, kappa=kappa).draws[AVERAGE].sel(scale=DIFFERENCE)
        means = problem.means(problem.sets(), Rule(kappa, 24)).plain
        steps = {path: set[int]() for path in problem.names}
        for order in permutations(range(len(problem.paths))):
            switched = [False] * len(order)
            for p in order:
                before = means[sets.index(tuple(switched))]
                switched[p] = True
                steps[problem.names[p]].add(interval_sign(means[sets.index(tuple(switched))] - before))
        for path, sign in found.items():
            assert sign.average[place] == interval_sign(effects.sel(path=path))
            if path in steps:
                assert sign.single[place] == (next(iter(steps[path])) if len(steps[path]) == 1 else 0)
    problem = make_problem(model, design, made_up_posterior(model, design, spread=2.0))
    wide = signs_of(problem, means_of_sets(problem))
    assert not any(sign.lasting for sign in wide.values())


def interval_sign(draws):
    low, high = np.quantile(draws, [0.025, 0.975])
    return int(np.sign(low)) if low * high > 0 else 0


def test_a_sign_that_only_single_orders_lose_is_kept(make_survey):
    """The serial effect is clear on average for every kappa; in single orders it is not where kappa is below 1."""
    model, design, posterior = fitted(make_survey, "primary")
    for parent, response, slope in (
        ("group_change", "belonging_t1", 0.1), ("belonging_t1", "loneliness_t1", -0.5),
        ("loneliness_t1", "appointments_t1", 0.4), ("belonging_t1", "appointments_t1", 0.3),
    ):  # fmt: skip
        near = slope * (1 + 0.05 * np.random.default_rng(1).standard_normal(posterior[response].shape[:2]))
        terms = posterior[response][f"{response}_term"]
        near = xr.DataArray(near, dims=("chain", "draw"))
        posterior[response] = posterior[response].where(terms != parent, near)
    problem = make_problem(model, design, posterior)
    serial = signs_of(problem, means_of_sets(problem))[path_name(model.chain)]
    assert serial.average == (-1, -1, -1)
    assert serial.single[-1] == -1
    assert serial.single[0] == 0
    assert serial.lasting == -1
    assert not serial.in_every_order


@pytest.mark.parametrize(
    ("family", "scales"),
    [
        ("poisson", [COEFFICIENT, RATE_RATIO, DIFFERENCE]),
        ("gamma", [COEFFICIENT, RATE_RATIO, DIFFERENCE]),
        ("lognormal", [COEFFICIENT, RATE_RATIO, DIFFERENCE]),
        ("student_t", [COEFFICIENT, DIFFERENCE]),
        ("bernoulli_logit", [COEFFICIENT, RISK_RATIO, DIFFERENCE]),
    ],
)
def test_every_outcome_has_its_scales(small_tables, make_user_survey, family, scales):
    """Rate ratios for positive outcomes, risk ratios for binary ones, differences for all; offsets play no part."""
    tables = copy.deepcopy(small_tables)
    model, survey = load_model(tables, name="small"), make_user_survey()
    design = design_arrays(model, survey)
    model = replace(model, equations=(model.equations[0], replace(model.equations[1], family=family)))
    posterior = made_up_posterior(model, design)
    effects = compute_effects(model, design, posterior)
    assert list(effects.draws["scale"].to_numpy()) == scales
    chain = read_chain(model, posterior)
    if family == "lognormal":
        sigma = posterior["sigma"].sel(sigma_response="visits").to_numpy().ravel()
        np.testing.assert_allclose(chain.outcome.shift, sigma**2 / 2)
    found = interventional_effects(model, design, posterior)
    assert list(found["effect"].to_numpy()) == ["direct", "via mood", "total"]
    total = effects.draws[ALONE].sel(path=TOTAL, scale=DIFFERENCE)
    np.testing.assert_allclose(found["difference"].sel(effect=TOTAL), total, rtol=1e-7)


def test_given_baselines_stand_in_for_those_of_the_design(make_survey):
    """The design's own covariates, given as draws, change nothing; missing ones are refused unless given."""
    model, design, posterior = fitted(make_survey, "primary")
    before = compute_effects(model, design, posterior).draws
    repeated = np.broadcast_to(design.w, (40, *design.w.shape))
    baselines = linear_baselines(model, design, posterior, lambda start, stop: repeated[start:stop])
    w = design.w.copy()
    w[3, 1] = np.nan
    gaps = replace(design, w=w)
    after = compute_effects(model, gaps, posterior, baselines=baselines).draws
    for name in (ALONE, AVERAGE):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-10)
    with pytest.raises(SurveyError, match="without draws: fit again"):
        compute_effects(model, gaps, posterior)


@pytest.mark.parametrize("column", ["site", "g", "value", "name"])
def test_groups_have_their_own_intercepts_in_the_average(make_survey, column):
    """With intercepts by group the average is over patients with their own group's: here written out for a log link.

    The column of groups may have any name.
    """
    model, survey = load_model("primary"), make_survey()
    survey = replace(survey, records=survey.records.assign(**{column: np.arange(len(survey)) % 3}))
    model = replace(model, equations=(*model.equations[:2], replace(model.equations[2], varying=column)))
    design = design_arrays(model, survey)
    posterior = made_up_posterior(model, design)
    effects = compute_effects(model, design, posterior).draws[ALONE]
    plain = replace(model, equations=(*model.equations[:2], replace(model.equations[2], varying="")))
    without = compute_effects(plain, design, posterior).draws[ALONE]
    np.testing.assert_allclose(effects.sel(scale=RATE_RATIO), without.sel(scale=RATE_RATIO), rtol=1e-10)
    assert (np.abs(effects.sel(scale=DIFFERENCE, path=TOTAL) - without.sel(scale=DIFFERENCE, path=TOTAL)) > 0).all()
