"""The readable model, the pointwise densities and the simulator: three accounts of one model, for every family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytensor
import pytest
import xarray as xr
from family_chains import CHAINS, chain_model, simulated
from scipy import stats

from bayes_sp.design.build import design_arrays, equation_matrix
from bayes_sp.design.evaluate import chain_auxiliary, mean_predictor, zero_predictor
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.errors import SurveyError
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.reference.build import build_model
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.names import observed_name

PLAIN = pytensor.compile.mode.Mode(linker="py", optimizer=None)  # no compilation
every_chain = pytest.mark.parametrize(("families", "parts"), CHAINS.values(), ids=CHAINS)


def posterior_of(model, design, parameters) -> xr.Dataset:
    """Return parameters as a posterior of one draw, with the names and dims of the readable model."""
    with build_model(model, design) as built:
        dims = {name: built.named_vars_to_dims[name][0] for name in parameters}
        coords = {dim: list(built.coords[dim]) for dim in dims.values()}
    found = {name: (("chain", "draw", dims[name]), value[None, None]) for name, value in parameters.items()}
    return xr.Dataset(found, coords={"chain": [0], "draw": [0], **coords})


def pymc_densities(model, design, parameters, hidden=()) -> list[dict[str, np.ndarray]]:
    """Return the observed variables' pointwise densities in PyMC's words, at parameters given by name.

    Once, or for each of the values that every cell of ``m1|hidden`` is given.
    """
    built = build_model(model, design)
    shown = {name: value for name, value in parameters.items() if not name.endswith("_varying")}
    for e in model.equations:
        if e.varying:  # z = deviation / tau
            tau = parameters["tau"][[o.response for o in model.equations if o.varying].index(e.response)]
            shown[f"{e.response}|varying"] = parameters[f"{e.response}_varying"] / tau
    names = [observed_name(e.response) for e in model.equations]
    logps = built.logp(vars=[built[name] for name in names], sum=False)
    inputs, values, node = [], [], pytensor.tensor.dscalar()
    shown["m1|hidden"] = node
    for rv in built.free_RVs:
        transform = built.rvs_to_transforms[rv]
        value = pytensor.tensor.as_tensor(shown[rv.name])
        value = value + pytensor.tensor.zeros(rv.shape) if rv.name == "m1|hidden" else value
        inputs.append(built.rvs_to_values[rv])
        values.append(value if transform is None else transform.forward(value, *rv.owner.inputs))
    replaced = pytensor.graph.graph_replace(logps, dict(zip(inputs, values, strict=True)), strict=False)
    density = pytensor.function([node], replaced, mode=PLAIN, on_unused_input="ignore")
    return [dict(zip(names, density(value), strict=True)) for value in hidden or (0.0,)]


@every_chain
def test_the_pointwise_density_is_that_of_the_readable_model(families, parts):
    """For every family as mediator and outcome, and with every part that an equation can have."""
    model = chain_model(families, **parts)
    survey, parameters = simulated(model)
    design = design_arrays(model, survey)
    found = log_likelihood(model, design, posterior_of(model, design, parameters))
    for j, (name, expected) in enumerate(pymc_densities(model, design, parameters)[0].items()):
        coding = model.coding(model.equations[j].response)
        unit = 0.0 if coding.levels else np.log(coding.unit)
        assert found[name].dims == ("chain", "draw", "patient")
        np.testing.assert_allclose(found[name][0, 0], expected - unit, rtol=1e-9, atol=1e-9)


@every_chain
def test_simulated_responses_have_the_mean_of_the_model(families, parts):
    """Residuals are orthogonal to every column of the design, within 4.5 standard errors."""
    model = chain_model(families, **parts)
    survey, parameters = simulated(model, n=4000)
    design = design_arrays(model, survey)
    for j, equation in enumerate(model.equations):
        family = FAMILIES[equation.family]
        eta = mean_predictor(model, design, j, parameters, {})
        zeta = zero_predictor(model, design, j, parameters, {})
        residual = design.coded(j) - family.mean(eta, zeta, chain_auxiliary(model, design, j, parameters))
        x = np.column_stack([np.ones(design.n), equation_matrix(model, design, j)])
        error = np.sqrt((x**2 * residual[:, None] ** 2).sum(axis=0))
        assert np.all(np.abs(x.T @ residual) < 5 * error), equation.response


def integral(model, design, parameters) -> np.ndarray:
    """Return log of the integral over the hidden values of m1 of the outcome's density, by a fine grid."""
    z = np.linspace(-8.0, 8.0, 65)
    densities = [found["y_observed"] for found in pymc_densities(model, design, parameters, list(z))]
    log_weight = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) + np.log(z[1] - z[0])
    return np.logaddexp.reduce(np.array(densities) + log_weight[:, None])


@pytest.mark.parametrize("family", ["latent_normal", "normal"])
def test_values_that_are_not_known_are_integrated_out(family):
    """The one behind a measurement error, or a missing one: quadrature against a grid over PyMC's density."""
    model = chain_model([family, "negative_binomial"], y={"interactions": ["m1"]})
    survey, parameters = simulated(model)
    design = design_arrays(model, survey)
    if family == "normal":
        y = design.y.copy()
        y[[3, 17, 40], 0] = np.nan
        y[[17, 21], 1] = np.nan
        missing = {"m1": np.isnan(y[:, 0]), "y": np.isnan(y[:, 1])}
        design = replace(design, y=y, missing=missing)
    found = log_likelihood(model, design, posterior_of(model, design, parameters))
    np.testing.assert_allclose(found["y_observed"][0, 0], integral(model, design, parameters), rtol=1e-6)
    if family == "normal":
        assert found["m1_observed"].dims == ("chain", "draw", "m1_patient")
        assert found["y_observed"].sizes["y_patient"] == design.n - 2
        assert 17 not in found["y_patient"]
        assert not any(np.isnan(values).any() for values in found.data_vars.values())


def test_missing_levels_are_summed_over():
    """A patient's density is the sum over the levels, each with its own probability."""
    model = chain_model(["ordered_logit", "normal", "poisson"], y={"monotonic": ["m1"]})
    survey, parameters = simulated(model)
    design = design_arrays(model, survey)
    posterior = posterior_of(model, design, parameters)
    gone, y = [5, 30], design.y.copy()
    each = []
    for level in model.levels("m1"):
        y[gone, 0] = level
        parts = log_likelihood(model, replace(design, y=y.copy()), posterior)
        each.append([parts[observed_name(r)].to_numpy()[0, 0, gone] for r in ("m1", "m2", "y")])
    m1, m2, outcome = np.moveaxis(each, 0, 1)
    y[gone, 0] = np.nan
    design = replace(design, y=y, missing={"m1": np.isnan(y[:, 0])})
    found = log_likelihood(model, design, posterior)
    assert found.sizes["m1_patient"] == design.n - 2
    first = np.logaddexp.reduce(m1 + m2)
    np.testing.assert_allclose(found["m2_observed"][0, 0, gone], first, rtol=1e-10)
    expected = np.logaddexp.reduce(m1 + m2 + outcome) - first
    np.testing.assert_allclose(found["y_observed"][0, 0, gone], expected, rtol=1e-10)
    built = build_model(model, design)
    assert list(built.coords["m1_patient"]) == [i for i in range(design.n) if i not in gone]
    assert [potential.name for potential in built.potentials] == ["missing_levels"]


def with_max(model, name, most):
    variables = tuple(replace(v, maximum=most) if v.name == name else v for v in model.variables)
    return replace(model, variables=variables)


@pytest.mark.fixed_seed  # 64 nodes do worse where a Beta density is steep at an end of the scale
@pytest.mark.parametrize(("family", "most"), [("beta", 5.0), ("negative_binomial", 40.0), ("poisson", 40.0)])
def test_a_missing_value_is_integrated_or_summed_over(family, most):
    """Of a patient who lacks it the outcome's density is the integral over the scale, or the sum over counts to max."""
    model = with_max(chain_model([family, "normal"]), "m1", most)
    survey, parameters = simulated(model)
    design = design_arrays(model, survey)
    posterior = posterior_of(model, design, parameters)
    values, weights = np.arange(most + 1.0), np.ones(int(most) + 1)
    if family == "beta":
        x, weights = np.polynomial.legendre.leggauss(2000)
        coding = model.coding("m1")
        values, weights = coding.origin + coding.unit * 0.5 * (x + 1.0), 0.5 * coding.unit * weights
    repeated = design.taken(np.full(len(values), 4))
    y = repeated.y.copy()
    y[:, 0] = values
    parts = log_likelihood(model, replace(repeated, y=y), posterior)
    joint = sum(parts[observed_name(r)].to_numpy()[0, 0] for r in ("m1", "y"))
    y = design.y.copy()
    y[4, 0] = np.nan
    found = log_likelihood(model, replace(design, y=y, missing={"m1": np.isnan(y[:, 0])}), posterior)
    expected = np.log((weights * np.exp(joint)).sum())
    assert found["y_observed"].to_numpy()[0, 0, 4] == pytest.approx(expected, abs=1e-6)


def test_missing_counts_without_a_largest_one_have_no_account():
    """The error says what to state."""
    model = chain_model(["poisson", "normal"])
    survey, _ = simulated(model)
    records = survey.records.astype({"m1": float})
    records.loc[4, "m1"] = np.nan
    with pytest.raises(SurveyError, match=r"at most 63; state max in \[variables.m1\]"):
        design_arrays(model, replace(survey, records=records))


def test_simulated_observations_carry_their_measurement_error():
    """The observed value has both variances; the outcome depends on the true value alone."""
    model = chain_model(["latent_normal", "normal"])
    survey, parameters = simulated(model, n=20_000)
    design = design_arrays(model, survey)
    s, sigma = design.measurement_sd["m1"], parameters["sigma"]
    assert s == pytest.approx(1.2 * np.sqrt(0.2))
    residual = design.y[:, 0] - mean_predictor(model, design, 0, parameters, {})
    assert residual.std() == pytest.approx(np.hypot(sigma[0], s), rel=0.03)
    later = design.y[:, 1] - mean_predictor(model, design, 1, parameters, {})
    slope = parameters["y"][model.terms(model.equations[1]).index("m1")]
    assert (residual * later).mean() == pytest.approx(
        -slope * s**2, abs=5 * residual.std() * later.std() / np.sqrt(20_000)
    )


def test_simulated_groups_are_drawn_where_they_are_not_given():
    """With the SD tau; the bounded response stays on its steps."""
    model = chain_model(["beta", "normal"], m1={"varying": "clinic"})
    survey, parameters = simulated(model, n=500)
    del parameters["m1_varying"]
    again = simulate_survey(model, survey, parameters, n=500, seed=4)
    values = again.records["m1"].to_numpy()
    assert set(np.unique(values * 8 % 1)) == {0.0}
    assert values.min() >= 1.0
    assert values.max() <= 5.0


@pytest.mark.slow
def test_missing_values_with_heavy_tails_are_integrated_out():
    """Those of Student's t, at its quantiles: against the mean over 2000 of them of PyMC's density."""
    model = chain_model(["student_t", "normal"])
    survey, parameters = simulated(model)
    design = design_arrays(model, survey)
    y = design.y.copy()
    y[[3, 17], 0] = np.nan
    design = replace(design, y=y, missing={"m1": np.isnan(y[:, 0])})
    quantiles = list(stats.t.ppf((np.arange(2000) + 0.5) / 2000, parameters["nu"][0]))
    each = [found["y_observed"] for found in pymc_densities(model, design, parameters, quantiles)]
    expected = np.logaddexp.reduce(each, axis=0) - np.log(2000)
    found = log_likelihood(model, design, posterior_of(model, design, parameters))
    np.testing.assert_allclose(found["y_observed"][0, 0], expected, atol=2e-3)
