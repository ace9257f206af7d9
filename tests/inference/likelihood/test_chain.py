"""The published paths come back from the published table, and chains with removed edges from records."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import statsmodels.api as sm

from bayes_sp.design.design import Design
from bayes_sp.inference.likelihood.chain import Chain, chain_least_squares
from bayes_sp.inference.likelihood.least_squares import Moments

# Table 2 of the published study (n = 178), without the numbers of groups themselves: name, mean, SD, correlations with
# the variables above. The means and SDs of the last three are not printed; no slope of another variable depends on
# them, so they are taken as 0 and 1.
TABLE_2 = """
group_change     0.33  2.15
belonging_t0     2.72  1.12 -0.16
belonging_t1     2.75  1.08  0.10  0.44
appointments_t0  5.97  8.11  0.04  0.01 -0.11
appointments_t1  4.48  8.32  0.01 -0.06 -0.14  0.69
loneliness_t0    2.42  1.13  0.15 -0.38 -0.29  0.08  0.21
loneliness_t1    2.35  1.00  0.06 -0.25 -0.40  0.20  0.32  0.44
age             55.75 13.80 -0.09  0.19  0.08 -0.02 -0.02 -0.26 -0.22
gender           0.00  1.00  0.01 -0.03 -0.04  0.02 -0.02 -0.02 -0.11  0.10
relationship     0.00  1.00 -0.03  0.06  0.23 -0.04 -0.03 -0.36 -0.22  0.07  0.08
education        0.00  1.00 -0.06  0.10  0.03 -0.04  0.07 -0.08 -0.11  0.15  0.09  0.04
"""
COVARIATES = ("belonging_t0", "loneliness_t0", "appointments_t0", "age", "gender", "relationship", "education")


def published_moments() -> Moments:
    """Return the printed moments."""
    rows = [line.split() for line in TABLE_2.strip().splitlines()]
    values = [[float(cell) for cell in row[1:]] for row in rows]
    correlation = np.eye(len(rows))
    for j, row in enumerate(values):
        correlation[j, :j] = correlation[:j, j] = row[2:]
    mean, sd = np.array([row[0] for row in values]), np.array([row[1] for row in values])
    return Moments(tuple(row[0] for row in rows), mean, sd, correlation, 178)


def test_published_table_gives_the_published_paths() -> None:
    """From the printed moments alone: a1 .095 (.033), d -.277 (.070), b2 1.44 (.53), serial -.038, total -.15."""
    chain = Chain("group_change", ("belonging_t1", "loneliness_t1"), "appointments_t1", COVARIATES)
    fit = chain_least_squares(published_moments(), chain)
    m1, m2, y = fit.equations
    found = [
        (m1.coefficients[1], m1.standard_errors[1]),
        (m2.coefficients[2], m2.standard_errors[2]),
        (y.coefficients[3], y.standard_errors[3]),
    ]
    assert [(f"{b:.3f}", f"{se:.3f}") for b, se in found[:2]] == [("0.095", "0.033"), ("-0.277", "0.070")]
    assert (f"{found[2][0]:.2f}", f"{found[2][1]:.2f}") == ("1.44", "0.53")
    assert fit.paths == ((), (0,), (1,), (0, 1))
    assert f"{fit.products[3]:.3f}" == "-0.038"
    assert (f"{fit.products[0]:.2f}", f"{fit.total:.2f}") == ("-0.15", "-0.15")
    assert fit.total == pytest.approx(fit.products[0] + fit.total_indirect)


def test_chain_agrees_with_statsmodels_equation_by_equation(make_design: Callable[..., Design]) -> None:
    """Coefficients by place, residual variances RSS / n and products are those of three separate OLS fits."""
    design = make_design(seed=2)
    names = (*design.covariate_terms, design.exposure, *design.responses)
    columns = np.column_stack([design.w, design.x, design.y])
    fit = chain_least_squares(Moments.from_records(names, columns), Chain.from_design(design))
    c = fit.coefficients
    for j in range(3):
        other = sm.OLS(design.y[:, j], np.column_stack([np.ones(design.n), design.x, design.y[:, :j], design.w])).fit()
        np.testing.assert_allclose(
            [c.intercept[j], c.exposure[j], *c.mediators[j, :j], *c.covariates[j]], other.params, rtol=1e-10, atol=1e-10
        )
        if j < 2:
            np.testing.assert_allclose(c.variance[j], (other.resid**2).mean(), rtol=1e-10)
    serial = c.exposure[0] * c.mediators[1, 0] * c.mediators[2, 1]
    np.testing.assert_allclose(fit.products[3], serial, rtol=1e-14)


def test_total_of_a_saturated_chain_is_the_regression_without_mediators(make_design: Callable[..., Design]) -> None:
    """The sum of all products equals the slope of the exposure when the mediators are left out."""
    design = make_design(seed=3, mediators=3)
    names = (*design.covariate_terms, design.exposure, *design.responses)
    moments = Moments.from_records(names, np.column_stack([design.w, design.x, design.y]))
    chain = Chain("x", ("m1", "m2", "m3"), "y", design.covariate_terms)
    fit, without = (
        chain_least_squares(moments, chain),
        chain_least_squares(moments, Chain("x", (), "y", chain.covariates)),
    )
    assert len(fit.paths) == 8
    assert fit.total == pytest.approx(without.total, abs=1e-12)


def test_removed_edges_are_not_fitted(make_design: Callable[..., Design]) -> None:
    """Without x -> m2 and m1 -> y the equations lose those predictors and the chain those paths."""
    edges_exposure = np.array([True, False, True])
    edges_mediators = np.array([[False, False], [True, False], [False, True]])
    design = make_design(edges_exposure=edges_exposure, edges_mediators=edges_mediators)
    names = (*design.covariate_terms, design.exposure, *design.responses)
    moments = Moments.from_records(names, np.column_stack([design.w, design.x, design.y]))
    fit = chain_least_squares(moments, Chain.from_design(design))
    assert fit.paths == ((), (0, 1))
    assert fit.equations[1].terms == ("intercept", "m1", "w1", "w2", "w3")
    assert fit.equations[2].terms == ("intercept", "x", "m2", "w1", "w2", "w3")
    assert fit.coefficients.exposure[1] == 0.0
    assert fit.coefficients.mediators[2, 0] == 0.0
