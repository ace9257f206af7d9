"""Mean outcomes over those who came back and those who did not."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fast_and_slow import some_fast

import bayes_sp as sp
from bayes_sp.design.build import covariate_columns, design_arrays
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.effects.paths import compute_effects
from bayes_sp.effects.problem import Quadrature, chain_coefficients
from bayes_sp.effects.shapley import log_link_effects
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE, DIFFERENCE, RATE_RATIO
from bayes_sp.records.nonresponders import nonresponders_from_records
from bayes_sp.records.published.referred import published_nonresponders
from bayes_sp.sensitivity.missing.coefficient_shifts import LEVEL, Move
from bayes_sp.sensitivity.missing.mixture import effects_of, labelled_effects, patterns

FEW = sp.SamplerOptions(draws=60, tune=150, chains=2)
NODES = Quadrature(8, 0.0)


def absent_rows(model, n: int = 30) -> pd.DataFrame:
    """Return covariates of patients who are younger and saw their doctor twice as often."""
    records = sp.reconstruct(1).records.sample(n, random_state=3)
    records = records.assign(age=np.clip(records["age"] - 15, 18, 100), appointments_t0=2 * records["appointments_t0"])
    return records[[covariate.name for covariate in model.covariates]].reset_index(drop=True)


@pytest.fixture(scope="module")
def fits():
    return {
        name: sp.fit(name, sp.reconstruct(seed=1), options=FEW)
        for name in ("primary", "process6", "interaction", "zinb", "ordinal", "moderated")
    }


@pytest.mark.parametrize(
    "name", some_fast(["primary", "process6", "interaction", "zinb", "ordinal", "moderated"], ["primary", "ordinal"])
)
def test_records_add_up_to_the_effects_on_all_patients_in_one_table(fits, name):
    """The mixture of both groups' means gives the effects standardised over the rows of both together."""
    fit = fits[name]
    rows = absent_rows(fit.model)
    both = patterns(fit, nonresponders_from_records(fit.model, rows), 0.7)
    nodes = both.quadrature([])
    came_back, others = (both.means(p, nodes) for p in (both.responders_problem(), both.others_problem()))
    found = effects_of(both.others_problem(), both.mixed(came_back, others))
    design = design_arrays(fit.model, fit.survey)
    n = design.n + len(rows)
    together = replace(
        design, x=np.zeros(n), y=np.zeros((n, 3)), w=np.vstack([design.w, covariate_columns(fit.model, rows)])
    )
    draws = fit.posterior["posterior"].to_dataset()
    expected = compute_effects(fit.model, together, draws, kappa=0.7).draws[AVERAGE].sel(scale=DIFFERENCE)
    np.testing.assert_allclose(found.difference_average.ravel(), expected.to_numpy().ravel(), rtol=1e-6, atol=2e-6)


def test_moments_weight_the_patients_who_came_back(fits):
    """The closed form of the log link, which takes weights by itself, gives the effects on those who did not."""
    fit = fits["primary"]
    both = patterns(fit, published_nonresponders(), 1.0)
    problem = both.others_problem()
    found = effects_of(problem, both.means(problem, NODES))
    coefficients = chain_coefficients(fit.model, both.design, both.draws)
    weights = both.balanced.weights
    expected = log_link_effects(coefficients, problem.paths, both.design.contrast, both.design.w, weights=weights)
    np.testing.assert_allclose(found.difference_average, expected.difference_average.reshape(120, -1), rtol=1e-9)
    plain = log_link_effects(coefficients, problem.paths, both.design.contrast, both.design.w)
    assert not np.allclose(found.difference_average, plain.difference_average.reshape(120, -1), rtol=1e-3)


@pytest.mark.fixed_seed  # of other records both populations may be alike
def test_missing_at_random_is_what_a_fit_with_their_empty_rows_says():
    """Rows of those who did not come back, every answer empty, change no parameter and are averaged over.

    The engine has the missing cells as unknowns; both routes agree within four Monte Carlo errors, and differ by more
    from the effects on those who came back alone.
    """
    options = sp.SamplerOptions(draws=500, tune=300, chains=4)
    survey, model = sp.reconstruct(1), load_model("primary")
    rows = absent_rows(model, 40)
    fit = sp.fit(model, survey, options=options)
    both = patterns(fit, nonresponders_from_records(model, rows), 1.0)
    problem = both.others_problem()
    came_back, others = both.means(both.responders_problem(), NODES), both.means(problem, NODES)
    records = pd.concat([survey.records[list(model.columns)], rows], ignore_index=True).astype(float)
    other_route = sp.fit(model, replace(survey, records=records), seed=2, options=options)
    mixed = labelled_effects(both, problem, both.mixed(came_back, others), NODES, "").draws
    alone = labelled_effects(both, problem, came_back, NODES, "").draws
    tables = []
    for draws in (mixed, other_route.effects().draws, alone):
        values = draws[AVERAGE].sel(scale=[RATE_RATIO, DIFFERENCE]).transpose("chain", "draw", "path", "scale")
        values = values.to_numpy().reshape(4, 500, -1)
        tables.append((values.mean(axis=(0, 1)), convergence_measures(values)["mcse_mean"], values.std(axis=(0, 1))))
    (one, error, sd), (two, other_error, other_sd), (own, _, _) = tables
    assert (np.abs(one - two) < 5 * np.hypot(error, other_error)).all()
    np.testing.assert_allclose(sd, other_sd, rtol=0.2)
    serial = 2 * 3 + 1  # the fourth path, on the second scale
    assert abs(own[serial] - two[serial]) > 4 * np.hypot(error, other_error)[serial]


@pytest.mark.parametrize("delta", [-0.2, 0.35])
def test_a_moved_slope_turns_about_its_centre(fits, delta):
    """The closed form with the slope moved, and the intercept by the centre times as much the other way."""
    fit = fits["primary"]
    both = patterns(fit, published_nonresponders(), 1.0)
    problem = both.others_problem([Move("appointments_t1", "loneliness_t1", delta)])
    found = effects_of(problem, both.means(problem, NODES))
    c = chain_coefficients(fit.model, both.design, both.draws)
    slopes, intercept = c.mediators.copy(), c.intercept.copy()
    slopes[..., 2, 1] += delta
    intercept[..., 2] -= delta * fit.model.variable("loneliness_t1").center
    c = replace(c, mediators=slopes, intercept=intercept)
    expected = log_link_effects(c, problem.paths, (0, 1), both.design.w, weights=both.balanced.weights)
    np.testing.assert_allclose(found.difference_average, expected.difference_average.reshape(120, -1), rtol=1e-9)


@pytest.mark.parametrize("name", some_fast(["primary", "zinb", "ordinal", "process6"], ["primary", "ordinal"]))
def test_a_moved_level_is_in_every_patient_s_baseline(fits, name):
    """Adding to one linear predictor of every patient by hand, also where cutpoints stand for the intercept."""
    fit = fits[name]
    both = patterns(fit, published_nonresponders(), 0.5)
    plain = both.others_problem()
    base = both.means(plain, NODES)
    for j, response in enumerate(both.design.responses):

        def raised(start: int, stop: int, j: int = j) -> np.ndarray:
            values = plain.baselines(start, stop).copy()
            values[j] += 0.6
            return values

        expected = both.means(replace(plain, baselines=raised), NODES).plain
        moves = [Move(response, LEVEL, 0.6)]
        np.testing.assert_allclose(both.means(both.others_problem(moves), NODES).plain, expected, rtol=1e-11)
        np.testing.assert_allclose(both.others_means(base, moves, NODES).plain, expected, rtol=1e-9)


def test_groups_are_those_of_the_fit(small_tables, make_user_survey):
    """A patient's group has the intercept of the fit's group of that name; a group that nobody is in is refused."""
    small_tables["equation"][1]["varying"] = "practice"
    small_tables["priors"]["tau"] = {"dist": "half_normal", "sigma": 0.5, "why": "small"}
    model = load_model(small_tables, name="small")
    survey = make_user_survey(80)
    practice = np.array(["north", "south", "west"])[np.arange(80) % 3]
    survey = replace(survey, records=survey.records.assign(practice=practice))
    fit = sp.fit(model, survey, options=FEW)
    rows = survey.records.drop(columns=["mood", "visits"]).iloc[[1, 2, 4]]
    both = patterns(fit, nonresponders_from_records(model, rows), 1.0)
    expected = both.responders_problem().baselines(0, 9)[..., [1, 2, 4]]
    np.testing.assert_array_equal(both.others_problem().baselines(0, 9), expected)
    strange = rows.assign(practice=["south", "east", "north"])
    with pytest.raises(sp.BayesSpError, match="no patient who came back is in east"):
        patterns(fit, nonresponders_from_records(model, strange), 1.0)


def test_missing_covariates_of_those_who_came_back_are_averaged_over():
    """Their draws stand in for them in both groups: with weights and without."""
    survey = sp.reconstruct(1)
    records = survey.records.astype(float)
    records.loc[[3, 50], "age"] = np.nan
    fit = sp.fit("primary", replace(survey, records=records), options=FEW)
    both = patterns(fit, published_nonresponders(), 1.0)
    came_back = effects_of(both.others_problem(), both.means(both.responders_problem(), NODES))
    own = fit.effects().draws[AVERAGE].sel(scale=DIFFERENCE).to_numpy().reshape(120, -1)
    np.testing.assert_allclose(came_back.difference_average, own, rtol=1e-9)
    assert both.balanced.gaps == ("age",)
    assert np.isfinite(both.means(both.others_problem(), NODES).values).all()


def test_unmeasured_confounders_are_averaged_over():
    r"""Those who came back have the fit's own effects; the others' means are those of U = 0 times exp(s^2 / 2).

    With normal mediators and a log link U adds s U to the outcome's predictor in every world, s its strength there and
    its strength on each mediator times that mediator's total slope. Moments weight the same patients.
    """
    model = load_model("primary")
    model = replace(model, unmeasured=(Unmeasured("U", (("loneliness_t1", 0.4), ("appointments_t1", 0.3))),))
    fit = sp.fit(model, sp.reconstruct(seed=1), options=FEW)
    own = fit.effects().draws[AVERAGE].sel(scale=[RATE_RATIO, DIFFERENCE])
    for known in (published_nonresponders(), nonresponders_from_records(model, absent_rows(model))):
        both = patterns(fit, known, 1.0)
        came_back = both.means(both.responders_problem(), NODES)
        found = labelled_effects(both, both.others_problem(), came_back, NODES, "").draws[AVERAGE]
        np.testing.assert_allclose(found, own, rtol=1e-9)
        zero = replace(both, unmeasured=None)
        strength = 0.3 + 0.4 * both.chain.slopes[:, -1, -1]
        others, plain = both.means(both.others_problem(), NODES), zero.means(zero.others_problem(), NODES)
        np.testing.assert_allclose(others.plain, plain.plain * np.exp(strength**2 / 2), rtol=1e-9)


@pytest.mark.slow
def test_everyone_with_a_moved_slope_by_simulated_outcomes(fits):
    """A million simulated patients, 178 who came back and 30 who did not, whose last slope is another.

    Each path moves alone or after any others, over the 24 orders of switching; both worlds of a patient share their
    residuals (kappa is 1). Means agree within four Monte Carlo errors, at the first draw of the posterior.
    """
    fit, delta, copies = fits["primary"], 0.4, 5000
    rows = absent_rows(fit.model)
    both = patterns(fit, nonresponders_from_records(fit.model, rows), 1.0)
    nodes = both.quadrature([])
    moved = both.others_problem([Move("appointments_t1", "loneliness_t1", delta)])
    means = both.mixed(both.means(both.responders_problem(), nodes), both.means(moved, nodes))
    found = effects_of(moved, means).difference_average[0]
    w = np.repeat(np.vstack([both.design.w, covariate_columns(fit.model, rows)]), copies, axis=0)
    absent = np.repeat(np.arange(len(both.design.w) + len(rows)) >= len(both.design.w), copies)
    first = fit.posterior["posterior"].isel(chain=0, draw=0)
    (b1, b2, b3), rng = (first[name].to_numpy() for name in both.design.responses), np.random.default_rng(5)
    e1, e2 = first["sigma"].to_numpy()[:, None] * rng.standard_normal((2, len(w)))
    centres = [fit.model.variable(name).center for name in both.design.responses]

    def belonging(x):
        return b1[0] + b1[1] * x + w @ b1[2:] + e1 - centres[0]

    def loneliness(x, m1):
        return b2[0] + b2[1] * x + b2[2] * m1 + w @ b2[3:] + e2 - centres[1]

    def appointments(worlds):
        direct, by_belonging, by_loneliness, serial = worlds
        m2 = loneliness(by_loneliness, belonging(serial))
        slope = b3[3] + delta * absent
        return np.exp(b3[0] + b3[1] * direct + b3[2] * belonging(by_belonging) + slope * m2 + w @ b3[4:])

    worlds = {each: appointments(each) for each in itertools.product((0, 1), repeat=4)}
    orders = list(itertools.permutations(range(4)))
    for path in range(4):
        own = np.zeros(len(w))
        for order in orders:
            before = [int(order.index(other) < order.index(path)) for other in range(4)]
            after = [1 if other == path else value for other, value in enumerate(before)]
            own += (worlds[tuple(after)] - worlds[tuple(before)]) / len(orders)
        patients = own.reshape(-1, copies)
        error = np.sqrt((patients.var(axis=1) / copies).mean() / len(patients))
        assert abs(found[path] - own.mean()) < 4 * error
        assert abs(found[path]) > 8 * error  # it would be seen
