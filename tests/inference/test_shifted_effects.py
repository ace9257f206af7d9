"""Effects over all patients, those who did not come back included, with their responses shifted: every family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from family_chains import CHAINS, chain_model, simulated

from bayes_sp.design.build import design_arrays
from bayes_sp.effects.paths import compute_effects
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.labels import label_draws
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.names import ALONE, AVERAGE, DIFFERENCE

DELTAS = {"m1": 0.8, "m2": -0.6, "y": 0.5}


def incomplete(model, survey):
    """The survey without any response of ten patients, without the outcome of ten others, without m1 of five more."""
    records = survey.records.copy()
    responses = [equation.response for equation in model.equations]
    for name in responses:
        records[name] = records[name].astype(float)
    records.loc[:9, responses] = np.nan
    records.loc[10:19, "y"] = np.nan
    if FAMILIES[model.equations[0].family].missing:  # of others a missing value has no account
        records.loc[20:24, "m1"] = np.nan
    return replace(survey, records=records, origin="file")


def moved(model, posterior, shifts) -> xr.Dataset:
    """Draws of a model in which everybody is shifted: a higher intercept, or lower cutpoints."""
    found = posterior.copy(deep=True)
    for response, delta in shifts.items():
        family = next(e.family for e in model.equations if e.response == response)
        if FAMILIES[family].ordered:
            found[f"{response}_cutpoint"] = posterior[f"{response}_cutpoint"] - delta
        else:
            found[response].loc[{f"{response}_term": "intercept"}] += delta
    return found


@pytest.mark.parametrize(("families", "parts"), CHAINS.values(), ids=CHAINS)
def test_effects_are_averages_over_groups_of_patients_with_their_own_intercepts(families, parts):
    """The difference over all is that of each pattern of missing responses, weighted by its patients."""
    model = chain_model(families, **parts)
    shifts = {name: DELTAS[name] for name in (e.response for e in model.equations)}
    survey = incomplete(model, simulated(model)[0])
    design = design_arrays(replace(model, missing_shift=tuple(shifts.items())), survey)
    program = compile_program(model, design)
    rng = np.random.default_rng(3)
    theta = program.completed(program.start + rng.normal(0.0, 0.1, (2, 3, program.size)), 1)
    posterior = label_draws(model, program.parameters, theta)
    whole = compute_effects(model, design, posterior).draws
    missing = np.isnan(design.y)
    expected = {ALONE: 0.0, AVERAGE: 0.0}
    for pattern in np.unique(missing, axis=0):
        rows = np.flatnonzero((missing == pattern).all(axis=1))
        own = {name: shifts[name] for name, gone in zip(design.responses, pattern, strict=True) if gone}
        part = replace(design.taken(rows), shifts={})
        found = compute_effects(model, part, moved(model, posterior, own)).draws
        share = len(rows) / design.n
        expected = {name: value + share * found[name].sel(scale=DIFFERENCE) for name, value in expected.items()}
    size = float(np.abs(expected[AVERAGE]).max())
    for name, values in expected.items():
        np.testing.assert_allclose(whole[name].sel(scale=DIFFERENCE), values, rtol=2e-5, atol=1e-6 * size)
    plain = compute_effects(model, replace(design, shifts={}), posterior).draws[AVERAGE].sel(scale=DIFFERENCE)
    linear = all(FAMILIES[family].link == "identity" and family != "lognormal" for family in families)
    assert np.allclose(plain, whole[AVERAGE].sel(scale=DIFFERENCE), rtol=1e-6) == linear  # points cancel in differences
