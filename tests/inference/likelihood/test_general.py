"""The bootstrap of any chain: against the closed forms, against repeated rows, and where a zero part is a step."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from drawn_counts import counts_of
from scipy import integrate, special, stats

from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import read_survey
from bayes_sp.effects.formulas import ChainCoefficients
from bayes_sp.effects.means.steep import STEEP, below_zero
from bayes_sp.effects.shapley import log_link_effects
from bayes_sp.inference.bootstrap.bootstrap import bootstrap_effects
from bayes_sp.inference.bootstrap.general import general_chain
from bayes_sp.inference.bootstrap.refit import plain_chain
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

Maker = Callable[..., Survey]
FAMILIES = ["interaction", "ordinal", "bounded", "hurdle", "zinb"]


@pytest.mark.parametrize("name", ["primary", "poisson", "process6"])
def test_the_general_way_is_the_plain_one(name: str, make_survey: Maker) -> None:
    """Where both know a chain, draws' formulas over a resample's patients give what weighted closed forms give."""
    model = load_model(name)
    design = design_arrays(model, make_survey())
    counts = counts_of(design.n, 3, 12)
    plain, general = plain_chain(design).refit(counts), general_chain(model, design).refit(counts)
    assert plain.reason.tolist() == general.reason.tolist() == [""] * 12
    np.testing.assert_allclose(general.values, plain.values, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_a_resample_is_its_rows(name: str, make_survey: Maker) -> None:
    """A replicate has the effects of a fit to the resample's rows, each as often as it was drawn."""
    model = load_model(name)
    design = design_arrays(model, make_survey())
    chain = general_chain(model, design)
    counts = counts_of(design.n, 3, 6)
    found = chain.refit(counts)
    usual = np.flatnonzero((found.reason == "") & ((found.boundary & 0b111) == 0))[:2]
    assert len(usual) == 2
    for r in usual:
        rows = np.repeat(np.arange(design.n), counts[r].astype(int))
        own = general_chain(model, design.taken(rows))
        again = replace(chain, design=own.design, regressions=own.regressions, blocks=own.blocks)
        expected = again.refit(np.ones((1, design.n))).values[0]
        np.testing.assert_allclose(found.values[r], expected, rtol=1e-4, atol=1e-6)


def test_interactions_are_those_of_statsmodels(make_survey: Maker) -> None:
    """With exposure x mediator in the outcome's equation estimates are the closed form of statsmodels' fit."""
    model = load_model("interaction")
    design = design_arrays(model, make_survey())
    result = bootstrap_effects(design, model, seed=1, replicates=3)
    m, x = design.y[:, :2], design.x
    base = np.column_stack([np.ones(design.n), design.w, x])
    linear = [sm.OLS(m[:, 0], base).fit(), sm.OLS(m[:, 1], np.column_stack([base, m[:, 0]])).fit()]
    columns = np.column_stack([base, m, x[:, None] * m])
    scale = np.where(columns.std(axis=0) > 0, columns.std(axis=0), 1.0)
    nb = sm.NegativeBinomial(design.y[:, 2], columns / scale, loglike_method="nb2")
    rough = nb.fit(method="bfgs", maxiter=2000, gtol=1e-4, disp=0)
    p = nb.fit(start_params=rough.params, method="newton", tol=1e-12, disp=0).params[:-1] / scale
    q = design.w.shape[1]
    coefficients = ChainCoefficients(
        intercept=np.array([linear[0].params[0], linear[1].params[0], p[0]]),
        exposure=np.array([linear[0].params[q + 1], linear[1].params[q + 1], p[q + 1]]),
        mediators=np.array([[0, 0], [linear[1].params[q + 2], 0], p[q + 2 : q + 4]]),
        covariates=np.array([linear[0].params[1 : q + 1], linear[1].params[1 : q + 1], p[1 : q + 1]]),
        variance=np.array([(fit.resid**2).mean() for fit in linear]),
        interactions=p[q + 4 :],
    )
    expected = log_link_effects(coefficients, result.paths, design.contrast, design.w)
    assert result.scales == ("rate_ratio", "difference")
    np.testing.assert_allclose(result.estimate[:, 1, 1], expected.difference_average, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(result.estimate[:, 0, 0], expected.rate_ratio_alone, rtol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_bootstrap(name: str, make_survey: Maker) -> None:
    """Few resamples have no fit, and the others give every effect a value."""
    model = load_model(name)
    result = bootstrap_effects(design_arrays(model, make_survey()), model, seed=2, replicates=60)
    assert result.failed <= 5
    assert (result.undefined >= result.failed).all()
    assert (result.undefined <= result.failed + 5).all()  # a fit at a boundary may have no difference
    assert result.coefficients is None
    assert result.values.shape == (60, len(result.paths) + 2, len(result.scales), 2)


SEPARATED = """
title = "separated"
exposure = "x"
outcome = "y"
contrast = [0, 1]
[[equation]]
response = "b"
family = "bernoulli_logit"
[[equation]]
response = "y"
family = "poisson"
[priors]
intercept = { dist = "normal", mu = 0, sigma = 10, why = "wide" }
slope = { dist = "normal", mu = 0, sigma = 5, why = "wide" }
"""


@pytest.mark.filterwarnings("ignore")
def test_a_separated_mediator_has_a_probability_of_1(tmp_path: Path) -> None:
    """Everyone exposed has the mediator: effects are those of that probability, by hand from statsmodels' fit."""
    rng = np.random.default_rng(1)
    x = np.repeat([0.0, 1.0], 60)
    b = np.where(x == 1, 1.0, rng.random(120) < 0.4)
    y = rng.poisson(np.exp(0.5 + 0.3 * b + 0.2 * x))
    records = "".join(f"{i:.0f},{j:.0f},{k}\n" for i, j, k in zip(x, b, y, strict=True))
    (tmp_path / "s.csv").write_text(f"x,b,y\n{records}", encoding="utf-8")
    (tmp_path / "s.toml").write_text(SEPARATED, encoding="utf-8")
    model = load_model(tmp_path / "s.toml")
    result = bootstrap_effects(
        design_arrays(model, read_survey(tmp_path / "s.csv", model)), model, seed=1, replicates=20
    )
    fit = sm.GLM(y, np.column_stack([np.ones(120), x, b]), family=sm.families.Poisson()).fit(tol=1e-12)
    i, c, d = fit.params
    share = b[x == 0].mean()
    total = np.exp(i + c + d) - (1 - share) * np.exp(i) - share * np.exp(i + d)
    np.testing.assert_allclose(result.estimate[-1, 1], total, rtol=1e-5)
    assert result.at_boundary == 20
    assert np.isfinite(result.values).all()


@pytest.mark.parametrize("sd", [STEEP, 20.0, 300.0])
def test_a_steep_zero_part_is_its_integral(sd: float) -> None:
    """The series is the integral over a normal predictor within 3e-6, and nearer the steeper it is."""
    for mean in np.linspace(-2.5, 2.5, 7) * sd:
        near, _ = integrate.quad(
            lambda x, m=mean: special.expit(-x) * stats.norm.pdf(x, m, sd), -50, 50, points=[0.0], limit=300
        )
        exact = near + stats.norm.cdf(-50, mean, sd)
        assert abs(float(below_zero(np.array(mean), np.array(sd**2))) - exact) < 3e-6 * (STEEP / sd) ** 4 + 1e-8


HURDLE = """
title = "hurdle"
exposure = "x"
outcome = "y"
contrast = [0, 1]
[[equation]]
response = "m"
family = "normal"
[[equation]]
response = "y"
family = "{family}"
[priors]
intercept = {{ dist = "normal", mu = 0, sigma = 3, why = "wide" }}
slope = {{ dist = "normal", mu = 0, sigma = 1, why = "wide" }}
sigma = {{ dist = "half_normal", sigma = 3, why = "wide" }}
{more}
"""
ABOVE = """
phi = { dist = "lognormal", mu = 0, sigma = 1.5, why = "wide" }
zero_intercept = { dist = "normal", mu = 0, sigma = 2, why = "wide" }
zero_slope = { dist = "normal", mu = 0, sigma = 1, why = "wide" }
"""


@pytest.mark.filterwarnings("ignore")
def test_a_hurdle_without_a_count_above_1_is_a_logistic_regression(tmp_path: Path) -> None:
    """The mean above the hurdle has the limit 1 and phi says nothing: every resample has the logistic effects."""
    rng = np.random.default_rng(4)
    x = rng.integers(0, 2, 200)
    m = 0.5 * x + rng.normal(size=200)
    y = (rng.random(200) < 1 / (1 + np.exp(0.5 - 0.5 * x - 0.4 * m))).astype(int)
    records = "".join(f"{i},{j:.4f},{k}\n" for i, j, k in zip(x, m, y, strict=True))
    (tmp_path / "h.csv").write_text(f"x,m,y\n{records}", encoding="utf-8")
    values = []
    for family, more in (("hurdle_negative_binomial", ABOVE), ("bernoulli_logit", "")):
        (tmp_path / f"{family}.toml").write_text(HURDLE.format(family=family, more=more), encoding="utf-8")
        model = load_model(tmp_path / f"{family}.toml")
        design = design_arrays(model, read_survey(tmp_path / "h.csv", model))
        chain = general_chain(model, design)
        found = chain.refit(counts_of(design.n, 2, 60))
        assert (found.reason == "").all()
        values.append(found.values[:, :, chain.scales.index("difference")])
    np.testing.assert_allclose(values[0], values[1], rtol=1e-3, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_an_arm_without_a_yes_has_an_infinite_coefficient() -> None:
    """Of yes or no, with a mean by quadrature: the difference is finite, by hand from the other arm, the slope not."""
    rng = np.random.default_rng(3)
    x = np.repeat([0.0, 1.0], 50)
    m = 0.6 * x + rng.normal(size=100)
    y = np.where(x == 1, 0, rng.random(100) < special.expit(0.6 * m)).astype(float)
    model = load_model(tomllib.loads(HURDLE.format(family="bernoulli_logit", more="")))
    survey = read_survey(pd.DataFrame({"x": x, "m": m, "y": y}), model)
    result = bootstrap_effects(design_arrays(model, survey), model, seed=1, replicates=8)
    a, b = sm.Logit(y[:50], sm.add_constant(m[:50])).fit(disp=0).params
    low, sd = m[:50].mean(), np.sqrt(((m - np.where(x == 1, m[50:].mean(), m[:50].mean())) ** 2).mean())
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    mean = special.expit(a + b * (low + sd * nodes)) @ weights / weights.sum()
    scales = list(result.scales)
    assert (result.values[:, [0, -1], scales.index("coefficient")] == -np.inf).all()
    np.testing.assert_allclose(result.estimate[-1, scales.index("difference")], -mean, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:.*separation")
def test_a_slope_of_an_arm_without_events_has_no_ratio(tmp_path: Path) -> None:
    """With exposure x mediator the arm's own slope has no value, nor has a ratio of two of its rates; the rest has one.

    Differences and the ratio within the other arm are those of a Poisson regression of that arm alone (statsmodels).
    """
    rng = np.random.default_rng(2)
    x = np.repeat([0.0, 1.0], 40)
    own = rng.standard_normal((2, 40))
    m = 0.4 * x + (own - own.mean(axis=1, keepdims=True)).ravel()  # the arms differ, whatever the seed
    y = np.where(x == 1, 0, rng.poisson(np.exp(0.3 + 0.4 * m)))
    rows = "".join(f"{a:g},{b!r},{c}\n" for a, b, c in zip(x, m.tolist(), y, strict=True))
    (tmp_path / "s.csv").write_text(f"x,m,y\n{rows}", encoding="utf-8")
    wide = {"dist": "normal", "mu": 0, "sigma": 1, "why": "w"}
    tables: dict[str, Any] = {
        "title": "t", "exposure": "x", "outcome": "y", "contrast": [0, 1], "variables": {"y": {"kind": "count"}},
        "equation": [{"response": "m", "family": "normal"},
                     {"response": "y", "family": "poisson", "interactions": ["m"]}],
        "priors": {"intercept": wide, "slope": wide, "interaction": wide, "sigma": {**wide, "dist": "half_normal"}},
    }  # fmt: skip
    del tables["priors"]["sigma"]["mu"]
    model = load_model(tables, name="arm")
    chain = general_chain(model, design_arrays(model, read_survey(tmp_path / "s.csv", model)))
    values = chain.refit(np.ones((1, 80))).values[0]
    scales, paths = list(chain.scales), ["direct", "indirect", "total indirect", "total"]
    at = {(p, s, d): values[paths.index(p), scales.index(s), d] for p in paths for s in scales for d in (0, 1)}
    arm = sm.GLM(y[x == 0], np.column_stack([np.ones(40), m[x == 0]]), family=sm.families.Poisson()).fit()
    assert np.isnan(at["indirect", "rate_ratio", 1])
    ratio = np.exp(arm.params[1] * (m[x == 1].mean() - m[x == 0].mean()))
    assert at["indirect", "rate_ratio", 0] == pytest.approx(ratio, rel=1e-4)
    assert at["total", "rate_ratio", 0] == 0.0
    error = (m - np.where(x == 1, m[x == 1].mean(), m[x == 0].mean())).var()
    mean = np.exp(arm.params[0] + arm.params[1] * m[x == 0].mean() + arm.params[1] ** 2 * error / 2)
    assert at["total", "difference", 0] == pytest.approx(-mean, rel=1e-4)
    assert at["indirect", "difference", 1] == pytest.approx(0.5 * mean * (ratio - 1), rel=1e-3)
