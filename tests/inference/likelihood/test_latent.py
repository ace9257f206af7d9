"""Maximum likelihood with a mediator measured with error: closed forms, and integrals over a fine grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_counts import counts_of
from scipy import optimize, special, stats

from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import read_survey
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.bootstrap.bootstrap import bootstrap_effects
from bayes_sp.inference.bootstrap.boundary import NO_ERROR
from bayes_sp.inference.bootstrap.general import GeneralChain, general_chain
from bayes_sp.model.reading.load import load_model

SPECIFICATION = """
title = "test"
exposure = "x"
outcome = "y"
contrast = [0, 1]
[[equation]]
response = "m"
family = "latent_normal"
reliability = {reliability}
[[equation]]
response = "y"
family = "{family}"
{extra}
[priors]
intercept = {{ dist = "normal", mu = 0, sigma = 10, why = "wide" }}
slope = {{ dist = "normal", mu = 0, sigma = 5, why = "wide" }}
sigma = {{ dist = "half_normal", sigma = 10, why = "wide" }}
phi = {{ dist = "lognormal", mu = 0, sigma = 2, why = "wide" }}
"""


def simulated(
    folder: Path, *, reliability: float, family: str, n: int, noise: float = 1.0, extra: str = ""
) -> GeneralChain:
    """Return a chain whose true mediator has residual SD .8 and whose slope in the outcome is steep."""
    rng = np.random.default_rng(35)
    x = rng.normal(size=n)
    true = 0.5 * x + 0.8 * rng.normal(size=n)
    m = true + 0.7 * rng.normal(size=n)
    y = 0.3 * x + 0.9 * true + noise * rng.normal(size=n)
    if family == "negative_binomial":
        mu = np.exp(0.3 + 0.2 * x + 0.9 * true)
        y = rng.negative_binomial(2.0, 2.0 / (2.0 + mu)).astype(float)
    text = SPECIFICATION.format(reliability=reliability, family=family, extra=extra)
    if family == "normal":
        text = "\n".join(line for line in text.splitlines() if not line.startswith("phi"))
    (folder / "model.toml").write_text(text)
    (folder / "data.csv").write_text(
        "x,m,y\n" + "".join(f"{a:.4f},{b:.4f},{c:.4f}\n" for a, b, c in zip(x, m, y, strict=True))
    )
    model = load_model(folder / "model.toml")
    return general_chain(model, design_arrays(model, read_survey(folder / "data.csv", model)))


def residual_moments(chain: GeneralChain, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the slope of the mediator on the exposure, and the covariance matrix of all three."""
    s = np.cov(np.column_stack([chain.design.x, chain.design.y]).T, ddof=0, fweights=w.astype(int))
    return s[0, 1] / s[0, 0], s


@pytest.mark.slow
def test_a_normal_outcome_has_the_closed_form(tmp_path: Path) -> None:
    """Covariances less those of the error give every slope (Fuller 1987, section 2.2)."""
    chain = simulated(tmp_path, reliability=0.65, family="normal", n=300)
    counts = counts_of(chain.design.n, 1, 8, whole=True)
    found = chain.refit(counts)
    assert not found.boundary.any()
    for w, values in zip(counts, found.values, strict=True):
        a, s = residual_moments(chain, w)
        true = s[:2, :2] - np.diag([0.0, chain.design.measurement_sd["m"] ** 2])
        direct, b = np.linalg.solve(true, s[:2, 2])
        np.testing.assert_allclose(values[:, 0, 0], [direct, a * b, a * b, direct + a * b], rtol=1e-6)


@pytest.mark.fixed_seed  # few records have such resamples
@pytest.mark.slow
def test_a_resample_without_residual_variance_has_its_maximum_on_the_boundary(tmp_path: Path) -> None:
    """Where less than nothing would be left of a variance the outcome follows from the true value; by a search."""
    chain = simulated(tmp_path, reliability=0.58, family="normal", n=60, noise=0.3)
    counts = counts_of(chain.design.n, 1, 30, whole=True)
    found = chain.refit(counts)
    error = chain.design.measurement_sd["m"] ** 2
    assert set(found.reason) == {""}
    outside = 0
    for w, values, boundary in zip(counts, found.values, found.boundary, strict=True):
        a, s = residual_moments(chain, w)
        inner = s[1:, 1:] - np.outer(s[0, 1:], s[0, 1:]) / s[0, 0]
        b = inner[0, 1] / (inner[0, 0] - error)
        if inner[0, 0] <= error or inner[1, 1] <= b * inner[0, 1]:
            outside += 1
            assert boundary == NO_ERROR
            b = searched(inner, error)
        np.testing.assert_allclose(values[1, 0, 0], a * b, rtol=1e-5)
        np.testing.assert_allclose(values[-1, 0, 0], s[0, 2] / s[0, 0], rtol=1e-6)
    assert outside > 3


def searched(inner: np.ndarray, error: float) -> float:
    """Return the slope at the maximum of the normal likelihood with no negative variance."""

    def minus_log_likelihood(p: np.ndarray) -> float:
        true, rest = np.exp(p[0]), p[2] ** 2
        model = np.array([[true + error, p[1] * true], [p[1] * true, p[1] ** 2 * true + rest]])
        sign, size = np.linalg.slogdet(model)
        return float(size + np.trace(np.linalg.solve(model, inner))) if sign > 0 else np.inf

    starts = [[np.log(t), slope, 0.3] for t in (0.1, 0.5) for slope in (1.0, 2.0)]
    tight = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20_000, "maxfev": 20_000}
    ends = [optimize.minimize(minus_log_likelihood, x, method="Nelder-Mead", options=tight) for x in starts]
    return float(min(ends, key=lambda end: end.fun).x[1])


@pytest.mark.fixed_seed  # the resamples must have a maximum inside
@pytest.mark.parametrize("extra", [pytest.param("", marks=pytest.mark.slow), 'interactions = ["m"]'])
def test_a_count_has_the_maximum_of_the_integral(tmp_path: Path, extra: str) -> None:
    """The log-likelihood is that of a fine grid over true values, whose derivatives are 0 at the fit."""
    chain = simulated(tmp_path, reliability=0.65, family="negative_binomial", n=150, extra=extra)
    x, (m, y), s = chain.design.x, chain.design.y.T, chain.design.measurement_sd["m"]
    grid = np.linspace(-9.0, 9.0, 721)
    counts = counts_of(chain.design.n, 1, 3, whole=True)
    fits, reason, _ = chain._fitted(counts)
    assert (reason == "").all()

    def log_likelihood(p: np.ndarray, w: np.ndarray) -> float:
        sigma, phi = np.exp(p[2]), np.exp(p[7])
        ratio = sigma**2 / (sigma**2 + s**2)
        eta = p[0] + p[1] * x
        true = (eta + ratio * (m - eta))[:, None] + s * np.sqrt(ratio) * grid
        mu = np.exp(p[3] + p[4] * x[:, None] + (p[5] + p[6] * x[:, None]) * true)
        inner = stats.nbinom.logpmf(y[:, None], phi, phi / (phi + mu)) + special.gammaln(y + 1.0)[:, None]
        inner += stats.norm.logpdf(grid) + np.log(grid[1] - grid[0])
        outer = stats.norm.logpdf(m, eta, np.hypot(sigma, s)) + special.logsumexp(inner, axis=1)
        return float(w @ outer)

    for r, w in enumerate(counts):
        found: dict[str, Any] = {}
        for regression, fit in zip(chain.regressions, fits, strict=True):
            values = regression.natural(fit.theta[r : r + 1])
            found |= {
                (regression.response, k): v for k, v in zip(regression.parts[0].terms, values["mean"][0], strict=True)
            }
            found |= {name: float(values[name][0]) for name in regression.parameters}
        terms: list[Any] = [
            ("m", "intercept"),
            ("m", "x"),
            "sigma",
            ("y", "intercept"),
            ("y", "x"),
            ("y", "m"),
            ("y", "x:m"),
            "phi",
        ]
        p = np.array([np.log(found[k]) if isinstance(k, str) else found.get(k, 0.0) for k in terms])
        free = np.array([k != 6 or bool(extra) for k in range(8)])
        np.testing.assert_allclose(fits[0].log_likelihood[r], log_likelihood(p, w), atol=1e-3)
        for j in np.flatnonzero(free):
            step = 1e-4 * (np.arange(8) == j)
            assert abs(log_likelihood(p + step, w) - log_likelihood(p - step, w)) / 2e-4 < 1e-2


def test_the_shipped_specification_has_a_bootstrap(make_survey) -> None:
    """Every resample is fitted, and every limit is a number."""
    model = load_model("latent")
    design = design_arrays(model, make_survey())
    result = bootstrap_effects(design, model, seed=1, replicates=20)
    assert result.failed == 0
    assert np.isfinite(result.lower).all()


def test_two_measured_with_error_are_refused_by_name(make_survey) -> None:
    """One true value is integrated out, not two."""
    model = load_model("latent")
    design = design_arrays(model, make_survey())
    first, second, last = model.equations
    both = replace(model, equations=(replace(second, response=first.response, parents=first.parents), second, last))
    with pytest.raises(SpecificationError, match="belonging_t1, loneliness_t1: more than one response"):
        bootstrap_effects(design, both, seed=1, replicates=3)
