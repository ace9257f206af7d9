"""The prior at which a conclusion changes, against exact posteriors of normal regressions."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy_priors import PRIORS

import bayes_sp as sp
from bayes_sp.analysis.batch.cell import Failure
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.errors import BayesSpError, FitError
from bayes_sp.model.distributions import Prior
from bayes_sp.sensitivity.prior.tipping import prior_range, prior_tipping_point, prior_words, range_words
from bayes_sp.sensitivity.target import Target

FLAT = {"dist": "flat", "why": "w"}
UNIT = {"dist": "normal", "mu": 0, "sigma": 1, "why": "w"}
QUICK = sp.SamplerOptions(method="laplace", draws=4000, cores=1)
FEW = sp.SamplerOptions(method="laplace", draws=1000, cores=1)
HERE = Runner(workers=1)


def chain(n: int = 80, seed: int = 4):
    """Return records of x -> m -> y with normal errors."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.35 * x + rng.normal(size=n)
    y = 0.4 * x + 0.45 * m + rng.normal(size=n)
    return sp.Survey(pd.DataFrame({"x": x, "m": m, "y": y}), "simulation", "a made-up survey")


def model_of(**priors):
    """Return the chain with flat priors for everything that is not given."""
    return sp.load_model(
        {
            "title": "A chain",
            "exposure": "x",
            "outcome": "y",
            "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "normal"}],
            "priors": {"intercept": FLAT, "slope": FLAT, "sigma": {"dist": "half_flat", "why": "w"}, **priors},
        },
        name="chain",
    )


class Exact:
    """The posterior of one slope under N(mu, tau^2), everything else flat, by integrating the residual SD out.

    p(b | y) is proportional to N(b; mu, tau^2) (RSS + (b - bhat)^2/v)^(-(n - p)/2), with v the slope's element of
    (X'X)^-1 and p coefficients in all, for a flat prior on the residual SD.
    """

    def __init__(self, survey, response, parents, term):
        frame = survey.records
        x = np.column_stack([np.ones(len(frame)), *(frame[name] for name in parents)])
        y = frame[response].to_numpy()
        inverse, k = np.linalg.inv(x.T @ x), 1 + parents.index(term)
        beta = inverse @ x.T @ y
        self.rss, self.power = float(np.sum((y - x @ beta) ** 2)), -(len(y) - x.shape[1]) / 2
        self.mean, self.v = beta[k], inverse[k, k]
        spread = np.sqrt(self.v * self.rss / -self.power)
        self.grid = np.linspace(min(0, self.mean) - 8 * spread, max(0, self.mean) + 8 * spread, 20001)

    def quantile(self, prob, tau, mu=0.0):
        logs = self.power * np.log(self.rss + (self.grid - self.mean) ** 2 / self.v)
        logs = logs - 0.5 * ((self.grid - mu) / tau) ** 2
        mass = np.cumsum(np.exp(logs - logs.max()))
        return np.interp(prob, mass / mass[-1], self.grid)


def is_at(crossing, value):
    """Whether a crossing is at a value: within three times the range of two Monte Carlo errors."""
    width = crossing.high / crossing.low
    return crossing.low / width < value < crossing.high * width


@pytest.mark.slow
def test_the_tipping_scale_of_one_slope_is_that_of_its_exact_posterior():
    """Reverse Bayes for the direct effect: the exact root lies at the range that is reported."""
    survey = chain()
    exact = Exact(survey, "y", ["x", "m"], "x")
    tau = optimize.brentq(lambda tau: exact.quantile(0.025, tau), 0.01, 10.0)
    found = prior_tipping_point(
        model_of(y={"x": UNIT}), survey, target=Target("x -> y"), low=0.02, high=5, options=QUICK, runner=HERE
    )
    first = found.tipping.first
    assert found.tipping.before == "above"
    assert first.after == "across"
    width = first.high / first.low
    assert width < 1.3
    assert is_at(first, tau)
    assert found.value == first.value
    s2 = exact.v * exact.rss / (-2 * exact.power)  # the closed form with a known residual SD
    assert found.value == pytest.approx(1.96 * s2 / np.sqrt(exact.mean**2 - 1.96**2 * s2), rel=0.1 + width**2 - 1)
    assert dict(found.priors)["y", "x"].values == {"mu": 0.0, "sigma": found.value}


@pytest.mark.slow
def test_the_tipping_scale_of_a_product_is_that_of_its_exact_posterior():
    """Both slopes of the indirect path are narrowed together; quantiles of the product from exact draws."""
    survey = chain()
    a, b = Exact(survey, "m", ["x"], "x"), Exact(survey, "y", ["x", "m"], "m")
    u = stats.qmc.Sobol(2, seed=0).random(2**16)

    def lower(tau):
        return np.quantile(a.quantile(u[:, 0], tau) * b.quantile(u[:, 1], 2 * tau), 0.025)

    tau = optimize.brentq(lower, 0.01, 1.0)
    model = model_of(m={"x": UNIT}, y={"m": {**UNIT, "sigma": 2}})
    found = prior_tipping_point(model, survey, low=0.02, high=5, options=QUICK, runner=HERE)
    assert found.target == Target("x -> m -> y")
    assert is_at(found.tipping.first, tau)
    assert found.tipping.first.high / found.tipping.first.low < 1.3
    assert [term for term, _ in found.priors] == [("m", "x"), ("y", "m")]


@pytest.mark.slow
def test_the_tipping_location_of_a_prior():
    """The dial of mu: where the prior's centre pulls the interval over 0, and the root on the other side is none."""
    survey = chain()
    exact = Exact(survey, "y", ["x", "m"], "x")
    mu = optimize.brentq(lambda mu: exact.quantile(0.025, 0.2, mu), -2.0, 0.5)
    model = model_of(y={"x": {**UNIT, "sigma": 0.2}})
    found = prior_tipping_point(model, survey, target=Target("x -> y"), dial="y.x.mu", options=QUICK, runner=HERE)
    assert found.tipping.start == 0.0
    assert (found.tipping.low, found.tipping.high) == (-2.0, 2.0)
    first = found.tipping.first
    assert abs(first.value - mu) < 1.5 * (first.high - first.low)
    assert len(found.tipping.crossings) == 1
    assert "mu of the prior y.x is" in found.sentence
    assert "in place of 0" in found.sentence


@pytest.mark.slow
def test_an_interval_that_includes_0_tips_where_it_first_excludes_it():
    """A sceptical prior that hides an effect: widening it lets the effect out."""
    survey = chain()
    exact = Exact(survey, "y", ["x", "m"], "x")
    tau = optimize.brentq(lambda tau: exact.quantile(0.025, tau), 0.01, 10.0)
    model = model_of(y={"x": {**UNIT, "sigma": 0.02}})
    found = prior_tipping_point(model, survey, target=Target("x -> y"), low=0.1, high=100, options=QUICK, runner=HERE)
    assert found.tipping.before == "across"
    assert found.tipping.first.after == "above"
    assert is_at(found.tipping.first, tau / 0.02)
    assert "first excludes 0, all above it when" in found.sentence
    assert "widened to" in found.sentence


@pytest.mark.slow
def test_a_region_of_practical_equivalence_takes_the_place_of_0():
    """The interval leaves the values above 0.1 at a wider prior than those above 0."""
    survey = chain()
    exact = Exact(survey, "y", ["x", "m"], "x")
    assert exact.quantile(0.025, 1.0) > 0.1
    tau = optimize.brentq(lambda tau: exact.quantile(0.025, tau) - 0.1, 0.01, 1.0)
    found = prior_tipping_point(
        model_of(y={"x": UNIT}),
        survey,
        target=Target("x -> y"),
        low=0.02,
        high=5,
        rope=(-0.1, 0.1),
        options=QUICK,
        runner=HERE,
    )
    assert is_at(found.tipping.first, tau)
    assert "first lies across an end of the region of practical equivalence, -0.1 to 0.1" in found.sentence


@pytest.mark.slow
def test_the_sentence_states_the_prior_as_a_range():
    """With probability 0.95, between -1.96 and 1.96 of its SDs, and the number that was found."""
    survey = chain()
    found = prior_tipping_point(
        model_of(y={"x": UNIT}), survey, target=Target("x -> y"), low=0.02, high=5, options=FEW, scan=5, runner=HERE
    )
    value = found.value
    assert found.sentence.startswith(
        "The 95 % interval of the direct effect first includes 0 when the priors of its coefficients are "
        f"centred at 0 and narrowed to {value:.2g} of their scale"
    )
    assert f"Normal(0, {value:.2g}) for y <- x" in found.sentence
    assert f"y <- x lies between {-1.96 * value:.2g} and {1.96 * value:.2g}" in found.sentence
    finding = found.finding()
    assert finding.note == found.sentence
    assert finding.estimate is not None
    assert survey.mark in found._repr_html_()


@pytest.mark.slow
def test_none_in_the_range_says_so():
    """With how near the interval comes."""
    found = prior_tipping_point(
        model_of(y={"x": UNIT}), chain(), target=Target("x -> y"), low=0.8, high=2, options=FEW, scan=3, runner=HERE
    )
    assert found.tipping.first is None
    assert np.isnan(found.value)
    assert found.priors == ()
    assert found.sentence.startswith(
        "The 95 % interval of the direct effect lies above 0 for every value from 0.8 to 2 of the factor "
        "on the scale of the priors of the coefficients of x -> y, centred at 0 ("
    )
    assert re.search(r"nearest at [0-9.]+, where the limit is [0-9.]+ away\)\.$", found.sentence)
    assert found.finding().estimate is None


@pytest.mark.slow
def test_centring_alone_can_tip():
    """A prior far from 0 makes the conclusion, and one of the same scale at 0 takes it away."""
    model = model_of(y={"x": {**UNIT, "mu": 3.0, "sigma": 0.05}})
    found = prior_tipping_point(model, chain(), target=Target("x -> y"), options=FEW, scan=3, runner=HERE)
    assert found.base.sign() == 1
    assert found.value == 1.0
    assert "centred at 0 with the scale as written" in found.sentence


@pytest.mark.slow
def test_the_sceptical_dial_goes_on_until_something_changes():
    """A prior as wide as a thousand must be narrowed by more than the first thousandth."""
    exact = Exact(chain(), "y", ["x", "m"], "x")
    tau = optimize.brentq(lambda tau: exact.quantile(0.025, tau), 0.01, 10.0)
    model = model_of(y={"x": {**UNIT, "sigma": 1e4}})
    found = prior_tipping_point(model, chain(), target=Target("x -> y"), options=FEW, runner=HERE)
    assert found.tipping.low == pytest.approx(1e-6)
    assert is_at(found.tipping.first, tau / 1e4)


def test_flat_priors_have_no_scale_to_narrow():
    """The message names the coefficients, and what to do."""
    with pytest.raises(BayesSpError, match="the priors of y <- x are flat: they have no scale to narrow; give them"):
        prior_tipping_point(model_of(), chain(), target=Target("x -> y"))


@pytest.mark.parametrize(
    ("dial", "message"),
    [
        ("y.xx.sigma", r'has no prior "y\.xx"'),
        ("y.x.sgima", r'has no constant "sgima"; did you mean "sigma"'),
        ("pathz", r'did you mean "paths"'),
        ("y.sigma", "none of these priors has a scale"),
    ],
)
def test_an_unknown_dial_is_refused_with_the_nearest(dial, message):
    """Before anything is fitted."""
    with pytest.raises(BayesSpError, match=message):
        prior_tipping_point(model_of(y={"x": UNIT}), chain(), dial=dial)


@dataclass(frozen=True)
class Failing(Runner):
    """A runner whose cells fail, but for those whose name has a word."""

    fits: str = ""
    fails: str = "@"

    def run(self, cells):
        bad = [self.fits not in cell.name or self.fails in cell.name for cell in cells]
        found = iter(super().run([cell for cell, skip in zip(cells, bad, strict=True) if not skip]))
        return [
            Failure(cell.key, cell.name, "it is bad", "") if skip else next(found)
            for cell, skip in zip(cells, bad, strict=True)
        ]


@pytest.mark.slow
def test_failed_fits_are_reported_and_gone_round():
    """The root is found between those that have an answer."""
    found = prior_tipping_point(
        model_of(y={"x": UNIT}), chain(), target=Target("x -> y"), low=0.01, high=5, scan=5, options=QUICK,
        runner=Failing(workers=1, fails="= 5)"),
    )  # fmt: skip
    assert [failure.reason for failure in found.failures] == ["it is bad"]
    assert "no answer at 5" in found.tipping.note
    assert 0.05 < found.value < 0.3


def test_without_a_fit_of_the_specification_there_is_no_search():
    """The reason is the fit's."""
    with pytest.raises(FitError, match="it is bad"):
        prior_tipping_point(
            model_of(y={"x": UNIT}), chain(), options=FEW, target=Target("x -> y"), runner=Failing(workers=1, fits="@")
        )


HALF_STUDENT_T = Prior("half_student_t", (("nu", 5.0), ("sigma", 0.7)), "w")


@pytest.mark.parametrize("prior", [*(prior for prior, _ in PRIORS), HALF_STUDENT_T], ids=str)
def test_the_range_of_a_prior_holds_95_percent_of_its_density(prior):
    """Of its draws, a fortieth lie below the lower limit and a fortieth above the upper one."""
    low, high = prior_range(prior)
    draws = prior.distribution.draw(np.random.default_rng(0), 400_000, *prior.numbers)
    assert np.mean(draws < low) == pytest.approx(0.025, abs=5 * np.sqrt(0.025 * 0.975 / 400_000))
    assert np.mean(draws > high) == pytest.approx(0.025, abs=5 * np.sqrt(0.025 * 0.975 / 400_000))


def test_priors_in_words():
    """Two digits, and what an improper prior says."""
    assert prior_words(Prior("normal", (("mu", 0.0), ("sigma", 0.0347568)), "w")) == "Normal(0, 0.035)"
    assert range_words(Prior("normal", (("mu", 0.0), ("sigma", 0.5)), "w")) == "lies between -0.98 and 0.98"
    assert range_words(Prior("flat", (), "w")) == "has any value"
