"""A prior distribution made up here is read, drawn, described and given to PyMC; no file of the package knows of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pytensor.compile.mode import Mode
from scipy import stats

from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.design.build import design_arrays
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.reference.build import build_model
from bayes_sp.model.distributions import DISTRIBUTIONS, Distribution
from bayes_sp.model.powers import scaled_prior
from bayes_sp.model.reading.load import load_model
from bayes_sp.sensitivity.power.overlap import marginal
from bayes_sp.sensitivity.prior.terms import scaled
from bayes_sp.sensitivity.prior.tipping import prior_range

PLAIN = Mode(linker="py", optimizer=None)  # no compilation


def kernel(x, mu, s):
    """Log-density of the logistic distribution less its constant, and its derivative."""
    z = np.abs(x - mu) / s
    return -z - 2.0 * np.log1p(np.exp(-z)), -np.tanh((x - mu) / (2.0 * s)) / s


LOGISTIC = Distribution(
    "logistic", ("mu", "s"), ("s",), "real", "Logistic", kernel,
    log_constant=lambda _mu, s: -np.log(s),
    draw=lambda rng, size, mu, s: rng.logistic(mu, s, size),
    frozen=stats.logistic,
    power=lambda a, mu, s: (mu, s if a == 1.0 else np.nan),
    scale="s",
)  # fmt: skip


@pytest.fixture
def model(monkeypatch, small_tables):
    """The small specification with a logistic prior of slopes."""
    monkeypatch.setitem(DISTRIBUTIONS, "logistic", LOGISTIC)
    small_tables["priors"]["slope"] = {"dist": "logistic", "mu": 0.2, "s": 0.5, "why": "made up"}
    return load_model(small_tables, name="small")


def test_it_is_read_and_described(model):
    """Density, range, moments and a scale are those of its object; its power has no closed form, and says so."""
    (prior,) = {p for _, name, p in model.priors if name == "slope"}
    x, exact = np.array([-1.0, 0.2, 3.0]), stats.logistic(0.2, 0.5)
    assert_allclose(prior.log_density(x), exact.logpdf(x), rtol=1e-12)
    assert_allclose(prior_range(prior), exact.interval(0.95))
    assert marginal(prior).sd == exact.std()
    assert scaled(prior, 2.0, "wider").values == {"mu": 0.2, "s": 1.0}
    with pytest.raises(SpecificationError, match="no finite integral"):
        scaled_prior(prior, 0.5)


def test_it_is_drawn_and_built(model, make_user_survey):
    """Draws have its distribution; PyMC's model has its density; the engine has none and says so."""
    design = design_arrays(model, make_user_survey())
    response, parent = model.mediators[0], model.exposure
    drawn = draw_priors(model, design, draws=20_000, seed=3)[response].sel({f"{response}_term": parent}).to_numpy()
    assert stats.kstest(drawn.ravel(), stats.logistic(0.2, 0.5).cdf).statistic < 2.6 / np.sqrt(20_000)
    built = build_model(model, design)
    (slope,) = (v for v in built.free_RVs if v.name == f"{response}[{parent}]")
    point = {**built.initial_point(), slope.name: np.array(0.9)}
    assert_allclose(built.compile_logp(vars=[slope], mode=PLAIN)(point), stats.logistic(0.2, 0.5).logpdf(0.9))
    with pytest.raises(SpecificationError, match='no density of the prior "logistic"'):
        compile_program(model, design)
