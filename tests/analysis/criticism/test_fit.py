"""What can be asked of a real fit: refits without patients, effects without them, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bayes_sp as sp
from bayes_sp.analysis.criticism import pointwise as whole
from bayes_sp.errors import BayesSpError, SurveyError

FEW = sp.SamplerOptions(draws=300, tune=150, chains=2, cores=2)


@pytest.fixture
def fitted(normal_chain):
    model, survey = normal_chain
    return sp.fit(model, survey, seed=1, options=FEW)


def test_a_refit_has_one_patient_less_and_the_same_recipe(fitted):
    """Seed and options are the fit's; the records are those of the others."""
    less = fitted.without(7)
    assert len(less.survey) == 39
    np.testing.assert_array_equal(less.survey.records["y"], np.delete(fitted.survey.records["y"].to_numpy(), 7))
    assert (less.seed, less.options) == (fitted.seed, fitted.options)
    assert less.posterior["posterior"].sizes["draw"] == 300


def test_patients_with_bad_weights_are_refitted_by_the_fit_itself(fitted, monkeypatch):
    """With the limit lowered, parts of the worst patients come from real refits where their k is above it."""
    for place in ("loo", "influence"):
        monkeypatch.setattr(f"bayes_sp.analysis.criticism.{place}.PARETO_K_LIMIT", 0.3)
    plain, refitted = fitted.loo(), fitted.loo(refits=2)
    assert len(refitted.refitted) == 2
    for patient in refitted.refitted:
        for name, k in plain.pareto_k.items():
            assert (refitted.elpd[name][patient] != plain.elpd[name][patient]) == (k[patient] > 0.3)
            if k[patient] <= 0.7:  # above it the weights may be anywhere
                assert refitted.elpd[name][patient] == pytest.approx(plain.elpd[name][patient], abs=0.4)
    assert "refits without them: 2" in refitted.notes[0]
    found = fitted.influence(refits=1)
    assert list(found.table["method"]).count("refit") == 1


def test_the_serial_effect_is_what_influence_is_about_unless_another_path_is_named(fitted):
    """The mean with all patients is that of the effects; an unknown path is refused with the known ones."""
    found = fitted.influence()
    assert found.path == "x -> m -> k -> y"
    effects = fitted.effects().draws["average"].sel(path=found.path, scale="difference")
    assert found.mean == pytest.approx(float(effects.mean()))
    assert fitted.influence("total").path == "total"
    with pytest.raises(BayesSpError, match='has no path "x -> z"; it has x -> y'):
        fitted.influence("x -> z")


def test_a_fit_read_back_without_its_log_likelihood_is_criticised_all_the_same(fitted):
    """What a saved run leaves out is computed again."""
    saved = replace(fitted, posterior=fitted.posterior.drop_nodes("log_likelihood"))
    np.testing.assert_allclose(saved.loo().elpd["y"], fitted.loo().elpd["y"], rtol=1e-9)
    np.testing.assert_allclose(saved.loo_pit().values["y"], fitted.loo_pit().values["y"], rtol=1e-7, atol=1e-9)


def test_a_group_that_loses_its_only_patient_cannot_be_refitted(make_tables, make_records, some_priors):
    """Its intercept would have no record; the patient keeps its estimate."""
    tables = make_tables("normal")
    tables["equation"][1]["varying"] = "clinic"
    tables["priors"]["tau"] = some_priors["sigma"]
    survey = make_records("normal")
    clinic = np.where(np.arange(60) == 3, 9, np.arange(60) % 3)
    model = sp.load_model(tables, name="clinics")
    fitted = sp.fit(model, replace(survey, records=survey.records.assign(clinic=clinic)), seed=1, options=FEW)
    with pytest.raises(SurveyError, match="a group has no other patient"):
        fitted.without(3)
    assert fitted._refitted_pointwise(3) == {}
    assert len(fitted.without(4).survey) == 59
    assert set(whole.column_digests(model, fitted.survey)) == {"x", "m", "y", "clinic"}
