"""Shifts of missing values in the engine, the readable model and pointwise; cells and patients that tell nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from family_chains import chain_model, simulated
from known_truth import TRUTH, without_scales
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from test_engine_families import assert_equal

import bayes_sp as sp
from bayes_sp.design import incomplete, joint
from bayes_sp.design import rows as split
from bayes_sp.design.build import design_arrays
from bayes_sp.design.evaluate import mean_predictor
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.problem import make_problem
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.families import PRIOR_NUMBERS
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_density
from bayes_sp.inference.pointwise.forward import forward
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Unmeasured
from bayes_sp.names import AVERAGE, DIFFERENCE
from bayes_sp.records.survey import Survey

DRAWS = sp.SamplerOptions(draws=100, tune=200, chains=2)


def gaps(survey: Survey, **cells: list[int]) -> Survey:
    """The survey without some cells, {column: rows}."""
    records = survey.records.copy()
    for column, rows in cells.items():
        records[column] = records[column].astype(float)
        records.loc[rows, column] = np.nan
    return replace(survey, records=records, origin="file")


def with_absent(survey: Survey, responses: list[str], count: int, *, exposure: bool = True, seed: int = 0) -> Survey:
    """The survey with further patients of whom no response is known, nor the exposure if it is not to be."""
    rng = np.random.default_rng(seed)
    records = survey.records.astype(float)
    others = records.iloc[rng.integers(0, len(records), count)].copy()
    others[responses] = np.nan
    if not exposure:
        others[records.columns[0]] = np.nan
    return replace(survey, records=pd.concat([records, others], ignore_index=True), origin="file")


def shifted(model, **shifts):
    return replace(model, missing_shift=tuple(shifts.items()))


def program_of(model, survey):
    return compile_program(model, design_arrays(model, survey))


@pytest.fixture(scope="module")
def count_chain():
    """Two normal mediators and a count, and 60 simulated patients."""
    model = chain_model(["normal", "normal", "negative_binomial"])
    return model, simulated(model)[0]


RESPONSES = ["m1", "m2", "y"]


@pytest.mark.parametrize("first", ["normal", "latent_normal"])
@pytest.mark.parametrize("second", ["normal", "ordered_logit"])
def test_the_engine_is_the_readable_model_with_shifts_and_barren_cells(first, second):
    """Value and gradient: shifted cells with something after them, cells with nothing after them, absent patients."""
    y = {"interactions": ["m1"], **({"monotonic": ["m2"]} if second == "ordered_logit" else {})}
    model = shifted(chain_model([first, second, "negative_binomial"], y=y), m1=0.7, m2=-1.1, y=-0.4)
    both = {"m2": [17, 18, 5, 6]} if second == "normal" else {"m2": [5, 6]}  # missing levels have no readable model
    survey = gaps(simulated(model)[0], m1=[3, 17, 40, 6], y=[5, 6, 50], **both)
    survey = with_absent(survey, RESPONSES, 4)
    design = design_arrays(model, survey)
    assert set(design.shifts) == {"m1", "m2", "y"}
    assert_equal(model, design)


def test_a_shifted_missing_mediator_is_the_integral_over_a_shifted_normal(count_chain):
    """The density without the value is the integral of N(value; eta + delta, sigma) times what follows, by a grid."""
    model, survey = count_chain
    missing = program_of(shifted(model, m1=0.8), gaps(survey, m1=[3]))
    theta = missing.start + np.random.default_rng(2).normal(0, 0.1, missing.size)
    posterior, found = log_posterior(missing), []
    z = np.linspace(-9, 9, 121)
    for value in z:
        theta[-1] = value
        found.append(log_density(posterior, theta)[0])
    grid = np.linspace(-11, 13, 121)
    each = [survey_with(survey, 3, value) for value in grid]
    complete = np.array([log_density(log_posterior(program_of(model, s)), theta[:-1])[0] for s in each])
    named = missing.parameters.variables(theta)
    design = design_arrays(model, survey)
    values = {name: values for name, (_, values) in named.items()}
    eta = mean_predictor(model, design, 0, values, {})[3]
    sigma = values["sigma"][0]
    moved = ((grid - eta) ** 2 - (grid - eta - 0.8) ** 2) / (2 * sigma**2)  # log N(.; eta + delta) - log N(.; eta)
    by_z, by_value = (logsumexp(v) + np.log(g[1] - g[0]) for v, g in ((found, z), (complete + moved, grid)))
    assert_allclose(by_z, by_value, rtol=1e-9)


def survey_with(survey: Survey, row: int, value: float) -> Survey:
    records = survey.records.copy()
    records.loc[row, "m1"] = value
    return replace(survey, records=records)


@pytest.mark.parametrize("first", ["ordered_logit", "ordered_probit", "bernoulli_logit"])
def test_a_shifted_missing_level_is_the_sum_over_shifted_levels(first):
    """Of the patient, sum over levels of p(level; eta + delta) times the densities that follow."""
    model = chain_model([first, "normal", "poisson"])
    survey, delta = simulated(model)[0], -0.9
    program = program_of(shifted(model, m1=delta), gaps(survey, m1=[7]))
    theta = program.start + np.random.default_rng(4).normal(0, 0.2, program.size)
    values = {name: values for name, (_, values) in program.parameters.variables(theta).items()}
    design = design_arrays(model, survey)
    eta = mean_predictor(model, design, 0, values, {})[[7]]
    aux = values.get("m1_cutpoint", np.empty(0))
    parts_of_sum = []
    for level in model.levels("m1"):
        records = survey.records.copy()
        records.loc[7, "m1"] = level
        whole = log_density(log_posterior(program_of(model, replace(survey, records=records))), theta)[0]
        coded = np.array([(level - model.coding("m1").origin) / model.coding("m1").unit])
        before, after = (FAMILIES[first].log_density(coded, e, np.zeros(1), aux)[0] for e in (eta, eta + delta))
        parts_of_sum.append(whole - before + after)
    assert_allclose(log_density(log_posterior(program), theta)[0], logsumexp(parts_of_sum), rtol=1e-12)


def test_pointwise_densities_add_up_to_the_engines_with_shifts():
    """Log-posterior less log-likelihood is the prior, whatever is missing and shifted."""
    model = chain_model(["ordered_logit", "ordered_logit", "poisson"])
    survey = simulated(model)[0]
    some = with_absent(gaps(survey, m1=[3, 17, 20], m2=[17, 20, 21], y=[20, 21, 50]), RESPONSES, 5)
    found = []
    for given, records in ((model, survey), (shifted(model, m1=0.9, m2=-0.5, y=1.0), some)):
        program = program_of(given, records)
        theta = np.random.default_rng(1).normal(0.1, 0.2, program.size)
        likelihood = log_likelihood(given, design_arrays(given, records), as_draws(program, theta))
        total = float(sum(values.sum() for values in likelihood.data_vars.values()))
        found.append(log_density(log_posterior(program), theta)[0] - total)
    assert found[0] == pytest.approx(found[1], rel=1e-11)


@pytest.mark.parametrize("first", ["normal", "latent_normal"])
def test_pointwise_densities_integrate_over_a_shifted_normal(first):
    """Of a patient without the first mediator: the integral of N(value; eta + delta) times what follows, by a grid."""
    model, delta = chain_model([first, "normal", "poisson"]), 0.9
    survey = simulated(model)[0]
    program = program_of(model, survey)
    theta = np.full(program.size, 0.1)
    values = {name: own for name, (_, own) in program.parameters.variables(theta).items()}
    given, some = shifted(model, m1=delta), gaps(survey, m1=[3])
    design = design_arrays(model, survey)
    grid = np.linspace(-8, 8, 2001)
    joint = log_normal(grid, mean_predictor(model, design, 0, values, {})[3] + delta, values["sigma"][0])
    for j, aux in ((1, values["sigma"][[1]]), (2, np.empty(0))):
        etas = np.array([mean_predictor(model, design, j, values, {"m1": np.full(design.n, v)})[3] for v in grid])
        own = np.full(len(grid), design.coded(j)[3])
        joint = joint + FAMILIES[model.equations[j].family].log_density(own, etas, np.zeros(len(grid)), aux)
    likelihood = log_likelihood(given, design_arrays(given, some), as_draws(program, theta))
    found = sum(likelihood[f"{name}_observed"].sel(patient=3).item() for name in ("m2", "y"))
    assert_allclose(found, logsumexp(joint) + np.log(grid[1] - grid[0]), rtol=1e-7)
    assert 3 not in likelihood["m1_observed"]["m1_patient"]


def log_normal(x, mean, sd):
    return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


def as_draws(program, theta) -> xr.Dataset:
    """One draw, with the posterior's names."""
    found, coords = {}, {"chain": [0], "draw": [0]}
    ends = {"m1_cutpoint": "m1_cut", "m2_cutpoint": "m2_cut", "sigma": "sigma_response", "phi": "phi_response"}
    for name, (labels, values) in program.parameters.variables(theta).items():
        if "|" not in name:
            dim = ends.get(name, f"{name}_term")
            found[name], coords[dim] = (("chain", "draw", dim), values[None, None]), list(labels)
    return xr.Dataset(found, coords=coords)


@pytest.mark.parametrize("families", [["normal", "normal", "poisson"], ["ordered_logit", "normal", "poisson"]])
def test_imputation_sees_shifts_as_the_engine_does(families):
    """Between two parameter vectors NumPy's and the engine's likelihood differ alike, with covariates missing too."""
    model = shifted(chain_model(families), m1=0.6, m2=-0.8, y=0.5)
    survey = gaps(simulated(model)[0], m1=[3, 17, 20], m2=[20, 21], y=[20, 21], age=[1, 20], x=[2, 20])
    program = program_of(model, with_absent(survey, RESPONSES, 5, exposure=False))
    flat = program.ints.copy()
    flat[flat[at.DIST] : flat[at.DIST] + program.size] = PRIOR_NUMBERS["flat"]  # leaves likelihood and Jacobian
    bare = log_posterior(replace(program, ints=flat))
    theta = program.start + np.random.default_rng(5).normal(0, 0.1, (2, program.size))
    _, ell = forward(program, program.parameters.naturals(theta))
    own = ell[:, : program.rows.single].sum(axis=1)
    own += sum(logsumexp(ell[:, first : first + count], axis=1) for first, count in program.rows.split)
    jacobian = np.zeros(2)
    for block in program.parameters.blocks:
        if block.transform in ("log", "increasing"):
            skip = block.transform == "increasing"
            jacobian += theta[:, block.start + skip : block.start + block.size].sum(axis=1)
    engine = np.array([log_density(bare, point)[0] for point in theta])
    assert_allclose(np.diff(engine), np.diff(own + jacobian), rtol=1e-9)


def keep_everything(monkeypatch):
    """Leave no patient and no barren cell out, as a likelihood over all that is missing would not."""
    monkeypatch.setattr(split, "informative", lambda design, _: np.ones(design.n, dtype=bool))

    def every(design, name):
        if name == design.outcome:
            return np.zeros(design.n, dtype=bool)
        edges = design.edges_exposure if name == design.exposure else (
            design.edges_mediators[:, design.mediators.index(name)])  # fmt: skip
        return np.full(design.n, edges.any())

    monkeypatch.setattr(split, "relevant", every)
    monkeypatch.setattr(joint, "relevant", every)
    monkeypatch.setattr(incomplete, "relevant", every)


@pytest.mark.parametrize("exposure", [True, False])
@pytest.mark.parametrize("first", ["normal", "latent_normal"])
def test_what_is_left_out_integrates_to_one(monkeypatch, first, exposure):
    """With every hidden value a parameter, the density is that without barren ones times that of their N(0, 1)."""
    model = shifted(chain_model([first, "normal", "negative_binomial"]), m1=0.6, m2=-0.8, y=0.5)
    survey = gaps(simulated(model)[0], m1=[3, 17], m2=[20, 21], y=[20, 50])
    survey = with_absent(survey, RESPONSES, 6, exposure=exposure)
    lean = program_of(model, survey)
    keep_everything(monkeypatch)
    full = program_of(model, survey)
    assert full.rows.count == 66
    assert lean.rows.count == 60
    assert full.size - lean.size > 12  # the hidden cells of six patients, at least
    rng = np.random.default_rng(8)
    gaps_found = []
    for _ in range(2):
        theta = full.start + rng.normal(0, 0.3, full.size)
        chosen, log_z = aligned(lean, full, theta)
        value = log_density(log_posterior(lean), chosen)[0]
        gaps_found.append(log_density(log_posterior(full), theta)[0] - value - log_z)
    if exposure:
        assert_allclose(gaps_found, 0.0, atol=1e-9)
    else:  # an exposure's own equation adds a factor of parameters that the chain does not have: those are held
        theta_2 = theta.copy()
        for block in lean.parameters.blocks:
            if "|" not in block.variable and block.variable != "x":
                place = slice_of(full, block)
                theta_2[place] += rng.normal(0, 0.3, place.stop - place.start)
        chosen, log_z = aligned(lean, full, theta_2)
        last = log_density(log_posterior(full), theta_2)[0] - log_density(log_posterior(lean), chosen)[0] - log_z
        assert_allclose(last, gaps_found[-1], atol=1e-8)


def slice_of(program, block):
    own = next(b for b in program.parameters.blocks if b.variable == block.variable and b.labels[0] == block.labels[0])
    return slice(own.start, own.start + own.size)


def aligned(lean, full, theta):
    """Return theta for the lean program, and the log-density of the N(0, 1) values that it does without."""
    chosen, spare = np.empty(lean.size), 0.0
    for block in lean.parameters.blocks:
        if "|hidden" not in block.variable:
            chosen[block.start : block.start + block.size] = theta[slice_of(full, block)]
    for response in ("m1", "m2", "x"):
        name = f"{response}|hidden"
        mine = {b.variable: b for b in lean.parameters.blocks}.get(name)
        other = {b.variable: b for b in full.parameters.blocks}.get(name)
        if other is None:
            continue
        values = theta[other.start : other.start + other.size]
        kept = hidden_patients(lean, response)
        place = np.isin(hidden_patients(full, response), kept)
        if mine is not None:
            chosen[mine.start : mine.start + mine.size] = values[place]
        spare += float(log_normal(values[~place], 0.0, 1.0).sum())
    return chosen, spare


def hidden_patients(program, response):
    part = next((p for p in program.parts if p.response == response), None)
    return np.empty(0, dtype=int) if part is None else program.rows.kept[program.rows.patient[part.hidden_number >= 0]]


@pytest.mark.parametrize("exposure", [True, False])
def test_patients_without_a_response_change_no_draw(count_chain, exposure):
    """The program of a survey with them is that without, whatever the shifts; effects are averages over all."""
    model, survey = count_chain
    more = with_absent(survey, RESPONSES, 40, exposure=exposure)
    more = replace(more, records=more.records.iloc[[*range(80, 100), *range(80)]].reset_index(drop=True))
    one = program_of(model, survey)
    other = program_of(shifted(model, m1=0.7, m2=0.3, y=-1.0), more)
    assert_array_equal(one.ints, other.ints)
    assert_allclose(one.floats, other.floats, rtol=1e-12, atol=1e-12)
    assert list(other.rows.kept) == list(range(20, 80))
    fit = sp.fit(model, more, seed=3, options=DRAWS)
    draws = fit.posterior["posterior"].to_dataset()
    found = linear_baselines(model, design_arrays(model, more), draws)(0, 5)
    assert_allclose(found[..., 20:80], linear_baselines(model, design_arrays(model, survey), draws)(0, 5), rtol=1e-12)
    assert found.shape[-1] == 100
    assert fit.posterior["log_likelihood"]["y_observed"].sizes["y_patient"] == 60


def test_an_exposure_that_others_lack_keeps_the_patients_who_have_it(count_chain):
    """Those inform its equation; patients without it, and without a response, have no row."""
    model, survey = count_chain
    program = program_of(model, gaps(with_absent(survey, RESPONSES, 10), x=[0, 1, 60, 61, 62]))
    assert list(program.rows.kept) == [*range(60), *range(63, 70)]
    exposure = next(part for part in program.parts if part.response == "x")
    assert exposure.others[0].size == 2
    absent = program.rows.patient >= 60
    assert absent.sum() == 7
    assert (exposure.state[absent] == at.SEEN).all()
    for part in program.parts[1:]:
        assert (part.state[absent] == at.ABSENT).all()


def test_incomplete_covariates_keep_every_patient(count_chain):
    """Their cells are averaged over in effects, so they are drawn for patients who did not come back too."""
    model, survey = count_chain
    some = gaps(with_absent(survey, RESPONSES, 10), age=[0, 1, 65], site=[4, 66], x=[60, 61])
    fit = sp.fit(model, some, seed=1, options=DRAWS)
    assert list(fit.posterior["imputed"]["age_cell"]) == [0, 1, 65]
    assert list(fit.posterior["imputed"]["site[2]_cell"]) == [4, 66]
    assert np.isfinite(fit.effects().table()["mean"]).all()
    program = program_of(model, some)
    assert len(program.rows.kept) == 70
    hidden = {block.variable: block.size for block in program.parameters.blocks if "|hidden" in block.variable}
    assert hidden == {"age|hidden": 3}


def test_shifts_of_zero_and_shifts_of_nothing_are_missing_at_random_bit_by_bit(count_chain):
    """delta = 0, and a shift of a response without a missing cell, give the same program."""
    model, survey = count_chain
    some = gaps(survey, m1=[3, 17], y=[5])
    plain = program_of(model, some)
    for other in (shifted(model, m1=0.0, y=0.0), shifted(model, m2=1.5)):
        found = program_of(other, some)
        assert_array_equal(plain.ints, found.ints)
        assert_array_equal(plain.floats, found.floats)
    zero = sp.fit(shifted(model, m1=0.0), some, seed=2, options=DRAWS)
    base = sp.fit(model, some, seed=2, options=DRAWS)
    pd.testing.assert_frame_equal(zero.effects().table(), base.effects().table(), check_exact=True)
    assert zero.posterior.attrs["specification"] == base.posterior.attrs["specification"]


def test_a_shifted_outcome_moves_effects_and_no_draw(count_chain):
    """A missing outcome has no term in the likelihood."""
    model, survey = count_chain
    some = gaps(survey, y=list(range(20)))
    fits = [sp.fit(m, some, seed=2, options=DRAWS) for m in (model, shifted(model, y=1.0))]
    draws = [fit.posterior["posterior"] for fit in fits]
    for name, values in draws[0].data_vars.items():
        assert_array_equal(values, draws[1][name])
    means = [fit.effects().draws[AVERAGE].sel(scale=DIFFERENCE, path="total").mean() for fit in fits]
    assert abs(means[1]) > 1.2 * abs(means[0])


@pytest.mark.slow
def test_mnar_truth_is_found_with_the_right_shift_and_not_without(study_survey):
    """Half the second mediators and outcomes are missing and lie elsewhere: the mean outcome over all patients."""
    model = without_scales(sp.load_model("primary"))
    shift = {"loneliness_t1": 1.2, "appointments_t1": 1.1}
    scores = {"right": [], "at random": []}
    for seed in range(3):
        survey, truth = mnar_survey(model, study_survey, shift, seed)
        for name, given in (("right", shifted(model, **shift)), ("at random", model)):
            fit = sp.fit(given, survey, seed=1, options=sp.SamplerOptions(draws=150, tune=150, chains=2))
            draws = mean_outcome(given, survey, fit.posterior["posterior"].to_dataset())
            scores[name].append((draws.mean() - truth) / draws.std())
    assert abs(np.mean(scores["right"])) < 1.75  # three standard errors of a mean of three standardised errors
    assert np.max(np.abs(scores["right"])) < 3.5
    assert np.max(scores["at random"]) < -3.0


def mnar_survey(model, study_survey, shift, seed):
    """Simulate 350 patients of whom half miss m2 and half the outcome, each shifted there; return the true mean.

    The mean is of the outcome at no change of groups, over all patients, given their covariates and which of their
    cells are missing.
    """
    rng = np.random.default_rng(seed)
    base = simulate_survey(model, study_survey, TRUTH, n=350, seed=seed).records
    away = {name: rng.random(350) < 0.5 for name in shift}
    m2, y = (np.where(away[name], delta, 0.0) for name, delta in shift.items())
    design = design_arrays(model, Survey(base, "simulation", "s"))
    truth = {name: np.asarray(values) for name, values in TRUTH.items()}
    values: dict[str, np.ndarray] = {}
    for j, response in enumerate(design.responses[:2]):
        eta = mean_predictor(model, design, j, truth, values)
        values[response] = rng.normal(eta + (m2 if j == 1 else 0.0), truth["sigma"][j])
    rate = np.exp(mean_predictor(model, design, 2, truth, values) + y)
    phi = truth["phi"][0]
    values["appointments_t1"] = rng.negative_binomial(phi, phi / (phi + rate)).astype(float)
    records = base.assign(**values)
    for name, mask in away.items():
        records.loc[mask, name] = np.nan
    b, d = TRUTH["appointments_t1"], TRUTH["loneliness_t1"]
    still = replace(design, x=np.zeros(350))
    mean1 = mean_predictor(model, still, 0, truth, {})
    mean2 = mean_predictor(model, still, 1, truth, {"belonging_t1": mean1}) + m2
    eta = mean_predictor(model, still, 2, truth, {"belonging_t1": mean1, "loneliness_t1": mean2}) + y
    slopes = (b[2], b[3], d[2])  # m1 -> y, m2 -> y, m1 -> m2
    variance = (slopes[0] + slopes[1] * slopes[2]) ** 2 * TRUTH["sigma"][0] ** 2 + slopes[1] ** 2 * TRUTH["sigma"][
        1
    ] ** 2
    return Survey(records, "simulation", "shifted"), float(np.exp(eta + variance / 2).mean())


def mean_outcome(model, survey, draws):
    """Draws of the mean outcome over all patients where nobody changes groups."""
    problem = make_problem(model, design_arrays(model, survey), draws)
    return problem.means(problem.sets()[:1], Rule(1.0)).plain[0]


@pytest.mark.fixed_seed  # squares of draws in a row are alike, and the bound is that of independent ones
def test_effects_with_an_unmeasured_confounder_cover_patients_who_did_not_come_back(count_chain):
    """Its draws are of every patient, standard normal where nothing else is known, wherever they stand in the file."""
    model, survey = count_chain
    confounded = replace(model, unmeasured=(Unmeasured("trait", (("m1", 0.4), ("y", 0.3))),))
    more = with_absent(survey, RESPONSES, 30)
    more = replace(more, records=more.records.iloc[[*range(75, 90), *range(75)]].reset_index(drop=True))
    fit = sp.fit(shifted(confounded, m1=0.5, y=1.0), more, seed=1, options=DRAWS)
    trait = fit.posterior["unmeasured"]["trait"]
    assert trait.sizes["patient"] == 90
    absent = trait.isel(patient=[*range(15), *range(75, 90)]).to_numpy()
    assert abs(absent.mean()) < 5 / np.sqrt(absent.size)
    assert abs(absent.std() - 1.0) < 5 / np.sqrt(2 * absent.size)
    assert np.isfinite(fit.effects().table()["mean"]).all()
