"""Chains go on where draws are too few and nothing else is wrong, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bayes_sp as sp
from bayes_sp.cli.main import _parser
from bayes_sp.cli.records import sampler_of
from bayes_sp.inference import sample
from bayes_sp.inference.options import EACH, MOST_DRAWS, SamplerOptions, usual_options
from bayes_sp.inference.samplers.nuts import draws_needed

UP_TO = SamplerOptions(most_draws=4000)


def chains(correlation: float, apart: float = 0.0) -> np.ndarray:
    """Return 4 chains of 1,000 draws of an autoregression of SD 1; their ESS is 4000 (1 - rho) / (1 + rho)."""
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(4, 1000, 2))
    for t in range(1, 1000):
        draws[:, t] = correlation * draws[:, t - 1] + np.sqrt(1 - correlation**2) * draws[:, t]
    return draws + apart * np.arange(4)[:, None, None]


@pytest.mark.fixed_seed  # chains whose estimated ESS and R-hat are near those of all such chains
@pytest.mark.parametrize(
    ("correlation", "apart", "needed"),
    [
        (0.0, 0.0, 1000),  # ESS 4,000
        (0.87, 0.0, 4000),  # ESS 280
        (0.99, 0.0, 1000),  # ESS 20: four times as many do not do
        (0.0, 2.0, 1000),  # R-hat 2.5
        (np.nan, 0.0, 1000),
    ],
)
def test_more_draws_are_taken_only_where_they_would_do(correlation, apart, needed):
    draws = chains(correlation, apart)
    assert draws_needed(draws, UP_TO) == needed
    assert draws_needed(draws, SamplerOptions()) == 1000  # as given
    assert draws_needed(draws, replace(UP_TO, draws=5000)) == 5000
    assert draws_needed(draws[:1], replace(UP_TO, chains=1)) == 1000  # one chain has no R-hat


def test_a_fit_goes_on_with_the_chains_that_it_has(small_model, make_user_survey, monkeypatch):
    """Its first draws are those of the short run, and the record says how many there are."""
    survey = make_user_survey()
    short = sp.fit(small_model, survey, options=SamplerOptions(draws=100, chains=2))
    monkeypatch.setattr(sample, "draws_needed", lambda _, options: options.most_draws)
    said = []
    long = sp.fit(small_model, survey, options=SamplerOptions(draws=100, chains=2, most_draws=250), notify=said.append)
    assert long.idata["posterior"].sizes["draw"] == long.idata.attrs["draws"] == 250
    for name, draws in short.idata["posterior"].data_vars.items():
        np.testing.assert_allclose(long.idata["posterior"][name].to_numpy()[:, :100], draws.to_numpy(), rtol=1e-12)
    assert any("100 say too little" in line for line in said)


def test_draws_that_are_asked_for_are_those_that_are_taken():
    """Options that are not given leave the number to the chains, except where there are many sets."""
    parser = _parser()
    assert sampler_of(parser.parse_args(["fit"])).most_draws == usual_options().most_draws == MOST_DRAWS
    assert sampler_of(parser.parse_args(["fit", "--draws", "1000"])).most_draws is None
    assert usual_options(20) == EACH
    with pytest.raises(ValueError, match="most_draws must be a whole number of at least 4"):
        SamplerOptions(most_draws=0)
