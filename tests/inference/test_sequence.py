"""Mediators side by side with correlated errors: engine, PyMC and single patients, cells missing or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from readable import assert_equal
from scipy import stats

import bayes_sp as sp
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.design.build import design_arrays
from bayes_sp.design.sequence import correlations_of, jacobian_powers, partials_of
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood

NAMES = ["belonging_t1", "loneliness_t1", "third"]


def three(family: str):
    """Return the primary model with three mediators side by side, whose equations differ in covariates."""
    model = sp.load_model("primary")
    one, two, last = model.equations
    two = replace(two, parents=("group_change",), covariates=("loneliness_t0", "age"))
    third = replace(two, response="third", covariates=("gender",))
    last = replace(last, family=family, parents=("group_change", *NAMES))
    unused = {"normal": "phi", "negative_binomial": ""}[family]
    priors = tuple(p for p in model.priors if p[1] != unused)
    return replace(model, equations=(one, two, third, last), priors=priors, published=(), twin="")


@pytest.fixture(scope="module")
def survey(study_survey):
    """Return records with a third mediator and fifteen cells of each variable of the chain gone."""
    records, rng = study_survey.records.astype(float), np.random.default_rng(4)
    records["third"] = 0.4 * records["loneliness_t1"] + rng.normal(size=len(records))
    for name in [*NAMES, "appointments_t1", "group_change", "age"]:
        records.loc[records.index[rng.choice(len(records), 15, replace=False)], name] = np.nan
    return replace(study_survey, records=records)


@pytest.mark.parametrize("family", [pytest.param("normal", marks=pytest.mark.slow), "negative_binomial"])
def test_the_engine_has_the_density_of_the_pymc_model(family, survey):
    """With missing mediators, covariates and exposures, integrated out or sampled; its gradient is that of it."""
    model = three(family)
    assert model.correlated == tuple(NAMES)
    program = assert_equal(model, design_arrays(model, survey))
    assert program.integrated == (family == "normal")


def test_a_patients_likelihood_is_that_of_the_joint_law(survey, study_survey):
    """What was observed of a patient has the multivariate normal density of exactly these variables, by SciPy."""
    model = three("normal")
    records = survey.records.assign(**{name: study_survey.records[name] for name in ("age", "group_change")})
    design = design_arrays(model, replace(survey, records=records))
    draws = draw_priors(model, design, draws=3, seed=2)
    found = log_likelihood(model, design, draws)
    total = sum(found[f"{name}_observed"].to_numpy()[0] if found[f"{name}_observed"].shape[-1] == design.n
                else _spread(found[f"{name}_observed"], design.n)[0] for name in design.responses)  # fmt: skip
    columns = dict(zip(design.covariate_terms, design.w.T, strict=True)) | {"intercept": 1.0, "group_change": design.x}
    for s in range(3):
        one = draws.isel(chain=0, draw=s)
        beta = {e.response: dict(zip(model.terms(e), one[e.response].to_numpy(), strict=True)) for e in model.equations}
        eta = [sum(b * columns[t] for t, b in beta[n].items() if t not in NAMES) for n in design.responses]
        b = np.array([beta["appointments_t1"][name] for name in NAMES])
        center = np.array([model.variable(name).center for name in NAMES])
        sigma, r = one["sigma"].to_numpy(), np.eye(3)
        r[np.tril_indices(3, -1)] = one["residual_correlation"].to_numpy()
        r = np.tril(r) + np.tril(r, -1).T
        errors = sigma[:3, None] * r * sigma[:3]
        cov = np.block([[errors, (errors @ b)[:, None]], [b @ errors, b @ errors @ b + sigma[3] ** 2]])
        mean = np.stack([*eta[:3], eta[3] + (np.stack(eta[:3], axis=-1) - center) @ b], axis=-1)
        for i in range(design.n):
            known = np.flatnonzero(~np.isnan(design.y[i]))
            law = stats.multivariate_normal(mean[i, known], cov[np.ix_(known, known)]) if known.size else None
            expected = law.logpdf(design.y[i, known]) if law else 0.0
            assert total[s, i] == pytest.approx(expected, rel=1e-8, abs=1e-8)


def _spread(values: xr.DataArray, n: int) -> np.ndarray:
    out = np.zeros((*values.shape[:-1], n))
    out[..., values[values.dims[-1]].to_numpy()] = values.to_numpy()
    return out


def test_partial_correlations_have_the_lkj_density():
    """|R| and the Jacobian are products of 1 - z^2; and correlations have the partial ones that they are made of."""
    partials = np.array([0.3, -0.5, 0.6, 0.1, 0.2, -0.4])
    r = np.eye(4)
    r[np.tril_indices(4, -1)] = correlations_of(list(partials))
    r = np.tril(r) + np.tril(r, -1).T
    np.testing.assert_allclose(partials_of(r[np.tril_indices(4, -1)][None])[0], partials, rtol=1e-12)
    powers, step = jacobian_powers(6), 1e-6
    slopes = np.stack([np.array(correlations_of(list(partials + step * e))) - correlations_of(list(partials - step * e))
                       for e in np.eye(6)]) / (2 * step)  # fmt: skip
    jacobian = np.linalg.slogdet(slopes)[1]
    assert jacobian == pytest.approx((powers * np.log1p(-(partials**2))).sum(), rel=1e-7)
    assert np.linalg.slogdet(r)[1] == pytest.approx(np.log1p(-(partials**2)).sum(), rel=1e-9)
