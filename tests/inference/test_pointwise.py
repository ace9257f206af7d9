"""Log-likelihoods of patients with missing mediators against closed forms and fine grids."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import logsumexp

import bayes_sp as sp
from bayes_sp.design.build import design_arrays, equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood

M1, M2, Y = "belonging_t1", "loneliness_t1", "appointments_t1"
SLOPES = {M1: (0.1,), M2: (0.05, -0.6), Y: (-0.02, -0.2, 0.3)}


def with_gaps(survey, *gaps):
    """The survey with missing cells: (column, first patient, last patient)."""
    records = survey.records.astype(float)
    for column, first, last in gaps:
        records.loc[first : last - 1, column] = np.nan
    return replace(survey, records=records, origin="file")


def posterior_of(model, design: Design, sigmas, scale=1.0) -> xr.Dataset:
    """Six draws: slopes near `SLOPES`, other coefficients near 0, residual SDs as given."""
    rng, found, coords = np.random.default_rng(1), {}, {}
    for equation in model.equations:
        terms = model.terms(equation)
        beta = rng.normal(0.0, 0.05, (2, 3, len(terms)))
        for parent, slope in zip((model.exposure, *model.mediators), SLOPES[equation.response], strict=False):
            if parent in terms:
                beta[..., terms.index(parent)] += scale * slope
        beta[..., 0] += 1.0
        found[equation.response] = (("chain", "draw", f"{equation.response}_term"), beta)
        coords[f"{equation.response}_term"] = list(terms)
    normal = [e.response for e in model.equations if e.family in ("normal", "latent_normal")]
    found["sigma"] = (
        ("chain", "draw", "sigma_response"),
        np.array([sigmas[r] for r in normal]) * rng.uniform(0.9, 1.1, (2, 3, 1)),
    )
    coords["sigma_response"] = normal
    if model.equations[-1].family == "negative_binomial":
        found["phi"] = (("chain", "draw", "phi_response"), np.full((2, 3, 1), 2.0))
        coords["phi_response"] = [Y]
    return xr.Dataset(found, coords=coords | {"chain": [0, 1], "draw": [0, 1, 2]})


@pytest.mark.parametrize("sigma", [1.0, 0.25, 0.02])
def test_missing_normal_mediators_are_integrated_exactly(make_survey, sigma):
    """All normal: log p(y_j | y_<j) of the joint normal distribution of what was measured, however small the SDs."""
    model = sp.load_model("process6")
    survey = with_gaps(make_survey(), (M1, 0, 12), (M2, 8, 20), (Y, 4, 10))
    design = design_arrays(model, survey)
    posterior = posterior_of(model, design, {M1: 0.8, M2: sigma, Y: 2.0 * sigma})
    found = log_likelihood(model, design, posterior)
    whole = design_arrays(model, make_survey())
    for chain, draw in product(range(2), range(3)):
        at = posterior.isel(chain=chain, draw=draw)
        slopes = np.zeros((3, 3))  # of each response on the earlier ones
        constant = np.zeros((design.n, 3))
        for j, response in enumerate((M1, M2, Y)):
            terms = model.terms(model.equations[j])
            beta = at[response].to_numpy()
            x = equation_matrix(model, whole, j)
            parents = [terms.index(name) for name in model.mediators[:j]]
            slopes[j, :j] = beta[parents]
            others = [i for i in range(len(terms)) if i not in parents]
            centres = sum(beta[i] * model.variable(terms[i]).center for i in parents)
            constant[:, j] = x[:, others] @ beta[others] - centres
        total = np.linalg.inv(np.eye(3) - slopes)
        mean, cov = constant @ total.T, total @ np.diag(at["sigma"].to_numpy() ** 2) @ total.T
        for i in range(25):
            known: list[int] = []
            for j, response in enumerate((M1, M2, Y)):
                if np.isnan(design.y[i, j]):
                    continue
                both = [*known, j]
                expected = joint(design.y[i, both], mean[i, both], cov[np.ix_(both, both)])
                expected -= joint(design.y[i, known], mean[i, known], cov[np.ix_(known, known)]) if known else 0.0
                values = found[f"{response}_observed"].isel(chain=chain, draw=draw)
                dim = values.dims[0]
                assert_allclose(values.sel({dim: i}), expected, rtol=1e-8, atol=1e-8)
                known = both
    assert found.attrs["quadrature_error"] < 1e-8


def test_a_missing_mediator_that_a_later_response_does_not_see(make_survey):
    """A chain m1 -> m2 -> y without m1 -> y: m2 has m1 integrated out, and y is given by m2 alone."""
    model = sp.load_model("process6")
    *earlier, last = model.equations
    model = replace(model, equations=(*earlier, replace(last, parents=(model.exposure, M2))))
    design = design_arrays(model, with_gaps(make_survey(), (M1, 0, 12)))
    posterior = posterior_of(model, design, {M1: 0.8, M2: 0.1, Y: 1.0})
    found = log_likelihood(model, design, posterior).isel(chain=0, draw=0)
    at, whole = posterior.isel(chain=0, draw=0), design_arrays(model, make_survey())
    eta = [equation_matrix(model, whole, j) @ at[name].to_numpy() for j, name in enumerate((M1, M2, Y))]
    sigma = at["sigma"].to_numpy()
    slope = float(at[M2].sel({f"{M2}_term": M1}))
    eta[1] -= slope * (whole.y[:, 0] - eta[0])
    spread = np.hypot(sigma[1], slope * sigma[0])
    assert_allclose(found[f"{M2}_observed"][:12], stats.norm.logpdf(whole.y[:12, 1], eta[1][:12], spread), rtol=1e-8)
    assert_allclose(found[f"{Y}_observed"], stats.norm.logpdf(whole.y[:, 2], eta[2], sigma[2]), rtol=1e-8)


def joint(y, mean, cov):
    return stats.multivariate_normal(mean, cov).logpdf(y)


@pytest.mark.parametrize(
    ("scale", "name"),
    [*(pytest.param(6.0, name, marks=pytest.mark.slow) for name in ("primary", "poisson")), (1.0, "poisson")],
)
def test_a_missing_mediator_before_counts_is_a_fine_sum(make_survey, scale, name):
    """A grid 8,000 nodes fine gives the same, for slopes up to six times as steep; the error says so too."""
    model = sp.load_model(name)
    design = design_arrays(model, with_gaps(make_survey(), (M1, 0, 6), (M2, 4, 9)))
    posterior = posterior_of(model, design, {M1: 0.8, M2: 0.1}, scale).isel(chain=[1], draw=[2])
    found = log_likelihood(model, design, posterior)
    assert found.attrs["quadrature_error"] < 1e-5
    for patient in range(4):  # m1 alone is missing
        values = np.linspace(-8.0, 12.0, 8_001)
        many = design.taken(np.full(len(values), patient))
        y = many.y.copy()
        y[:, 0] = values
        each = log_likelihood(model, replace(many, y=y, missing={}), posterior)
        first, second, last = (each[f"{response}_observed"].to_numpy()[0, 0] for response in (M1, M2, Y))
        step = np.log(values[1] - values[0])
        before, after = logsumexp(first + second) + step, logsumexp(first + second + last) + step
        own = {r: found[f"{r}_observed"].isel(chain=0, draw=0) for r in (M2, Y)}
        own = {r: float(v.sel({v.dims[0]: patient})) for r, v in own.items()}
        assert_allclose([own[M2], own[Y]], [before, after - before], rtol=1e-5, atol=1e-5)
