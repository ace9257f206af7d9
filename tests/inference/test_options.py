"""Options with which no draws can be used are said before sampling."""

from __future__ import annotations

import warnings

import pytest

import bayes_sp as sp
from bayes_sp.errors import FitWarning
from bayes_sp.inference.options import SamplerOptions, warn_of_options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draws": 10, "chains": 1}, "R-hat compares chains, and there is one"),
        ({"chains": 1}, "R-hat compares chains, and there is one"),
        ({"draws": 99}, "4 chains of 99 draws are fewer than the 400 effective draws"),
        ({"tune": 1}, "in 1 warm-up draws no step size is found"),
        ({"target_accept": 0.05}, "with target_accept 0.05 chains stand still"),
    ],
)
def test_senseless_options_are_said_before_sampling(options, words):
    """One sentence, whatever else is wrong."""
    with pytest.warns(FitWarning, match=words) as caught:
        warn_of_options(SamplerOptions(**options))
    assert len(caught) == 1


@pytest.mark.parametrize("options", [{}, {"draws": 100}, {"method": "laplace", "chains": 1, "tune": 1}])
def test_options_that_can_pass_are_taken_without_a_word(options):
    """So are those that a method does not look at."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_options(SamplerOptions(**options))


def test_a_fit_warns_before_it_samples(small_model, make_user_survey, monkeypatch):
    """The warning comes although nothing is sampled, and names the caller's line."""

    def stop(*_: object, **__: object) -> None:
        raise InterruptedError

    monkeypatch.setattr("bayes_sp.analysis.fit.sample_posterior", stop)
    with pytest.warns(FitWarning, match="R-hat") as caught, pytest.raises(InterruptedError):
        sp.fit(small_model, make_user_survey(), options=SamplerOptions(chains=1))
    assert caught[0].filename == __file__
