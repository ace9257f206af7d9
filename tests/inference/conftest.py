"""The study's reconstruction and its two main fits, made once for the tests of the model."""

from __future__ import annotations

import pytest

import bayes_sp as sp


@pytest.fixture(scope="session")
def study_survey() -> sp.Survey:
    return sp.reconstruct(seed=1)


@pytest.fixture(scope="session")
def primary_fit(study_survey):
    return sp.fit("primary", study_survey, seed=1)


@pytest.fixture(scope="session")
def process6_fit(study_survey):
    return sp.fit("process6", study_survey, seed=1, options=sp.SamplerOptions(draws=2000))
