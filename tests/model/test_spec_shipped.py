"""The shipped specifications say what the article says."""

from __future__ import annotations

import pytest

from bayes_sp.model.checks.model import check_model
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.reading.load import load_model, shipped_models
from bayes_sp.names import path_name
from bayes_sp.records.published.article import published

CHAIN = ("group_change", "belonging_t1", "loneliness_t1", "appointments_t1")


VARIANTS = (
    "ordinal",
    "bounded",
    "latent",
    "poisson",
    "zinb",
    "hurdle",
    "baseline_adjusted",
    "reversed",
    "interaction",
    "moderated",
)


def test_the_shipped_specifications():
    """The primary model, its variants, and the twins of the article's two analyses."""
    assert set(shipped_models()) == {"primary", "process4", "process6", *VARIANTS}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_says_what_it_asks_and_has_a_sound_twin(name):
    """Each variant asks one question, and its twin obeys the rules and has the same chain."""
    model = load_model(name)
    assert "?" in model.question
    twin = twin_of(model)
    assert check_model(twin) == []
    assert twin.chain == model.chain


@pytest.mark.parametrize("name", VARIANTS)
def test_no_variant_has_a_flat_prior(name):
    """Every prior has a reason and is proper."""
    assert all(prior.why and prior.dist not in ("flat", "half_flat") for _, _, prior in load_model(name).priors)


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("ordinal", ("ordered_logit", "normal", "negative_binomial")),
        ("bounded", ("normal", "beta", "negative_binomial")),
        ("latent", ("normal", "latent_normal", "negative_binomial")),
        ("poisson", ("normal", "normal", "poisson")),
        ("zinb", ("normal", "normal", "zero_inflated_negative_binomial")),
        ("hurdle", ("normal", "normal", "hurdle_negative_binomial")),
    ],
)
def test_a_variant_differs_in_one_family(name, families):
    """The chain is the primary model's, and one likelihood is another."""
    model = load_model(name)
    assert model.chain == CHAIN
    assert tuple(equation.family for equation in model.equations) == families


def test_parts_of_the_variants():
    """Monotonic steps, a step of the scale, reliability as published, the zero part, interactions, the order."""
    ordinal, bounded, latent = (load_model(name) for name in ("ordinal", "bounded", "latent"))
    assert [equation.monotonic for equation in ordinal.equations] == [(), ("belonging_t1",), ("belonging_t1",)]
    assert bounded.variable("loneliness_t1").step == 1 / 8
    loneliness = latent.equations[1]
    table = published().variable("loneliness_t1")
    assert loneliness.reliability == table.alpha.value
    assert loneliness.observed_sd == table.sd.value
    hurdle = load_model("hurdle")
    zero = ("intercept", "group_change", "belonging_t1", "loneliness_t1", "appointments_t0")
    assert hurdle.zero_terms(hurdle.equations[2]) == zero
    assert load_model("interaction").equations[2].interactions == CHAIN[1:3]
    assert load_model("reversed").chain == (CHAIN[0], CHAIN[2], CHAIN[1], CHAIN[3])
    assert "groups_t0" in load_model("baseline_adjusted").covariate_terms


@pytest.mark.parametrize("name", shipped_models())
def test_published_values_are_those_of_the_article(name):
    """Each published effect in a specification is the article's, as printed, with every reading of a misprint."""
    model = load_model(name)
    number = 4 if name == "process4" else 6
    printed = {effect.path: effect for effect in published().effects if effect.model == number}
    paths = {path_name(path) for path in model.named_paths()} | {"total"}
    assert {effect.path for effect in model.published} == set(printed) & paths
    for effect in model.published:
        known = printed[effect.path]
        assert effect.estimate == tuple(reading.value for reading in known.readings)
        assert (effect.lower, effect.upper) == (known.lower.value, known.upper.value)


@pytest.mark.parametrize("name", shipped_models())
def test_fixed_constants_are_those_of_table_2(name):
    """Covariates are centred and scaled with the printed means and SDs, or not scaled at all."""
    study, model = published(), load_model(name)
    for covariate in model.covariates:
        variable = study.variable(covariate.name)
        if covariate.scale != 1.0:
            assert (covariate.center, covariate.scale) == (variable.mean.value, variable.sd.value)
    for variable in model.variables:
        if variable.center:
            assert variable.center == study.variable(variable.name).mean.value


@pytest.mark.parametrize("name", shipped_models())
def test_covariates_are_the_published_ones_of_table_2(name):
    """Every published covariate but employment, which Table 2 does not give."""
    covariates = published().covariates
    names = {covariate.name for covariate in load_model(name).covariates}
    more = {"groups_t0"} if name == "baseline_adjusted" else set()
    assert names == set(covariates.names) - set(covariates.missing_from_table2) | more


def test_the_primary_model_has_normal_mediators_and_a_count_outcome():
    """Belonging, then loneliness, then appointments as a count, with every earlier variable as parent."""
    model = load_model("primary")
    assert model.chain == CHAIN
    assert [equation.family for equation in model.equations] == ["normal", "normal", "negative_binomial"]
    assert [equation.parents for equation in model.equations] == [CHAIN[:1], CHAIN[:2], CHAIN[:3]]
    assert model.contrast == (0.0, 1.0)
    assert model.twin == "process6"
    assert {c.name: c.transform for c in model.covariates}["appointments_t0"] == "log1p"
    assert model.covariate_terms[-2:] == ("education[2]", "education[3]")


def test_the_primary_models_priors_are_weakly_informative():
    """No prior is flat, each has its reason, and the outcome's slopes are on a log scale and narrower."""
    model = load_model("primary")
    assert all(prior.why and prior.dist not in ("flat", "half_flat") for _, _, prior in model.priors)
    assert str(model.prior("appointments_t1", "phi")) == "LogNormal(mu=0, sigma=1)"
    assert str(model.prior("belonging_t1", "group_change")) == "Normal(mu=0, sigma=0.25)"
    assert str(model.prior("appointments_t1", "group_change")) == "Normal(mu=0, sigma=0.15)"
    assert str(model.prior("appointments_t1", "appointments_t0")) == "Normal(mu=1, sigma=0.5)"
    assert str(model.prior("appointments_t1", "education[3]")) == "Normal(mu=0, sigma=0.3)"


@pytest.mark.parametrize(("name", "chain"), [("process6", CHAIN), ("process4", (CHAIN[0], *CHAIN[2:]))])
def test_the_twins_are_the_articles_regressions(name, chain):
    """Normal equations, covariates linear as published, priors that are flat over what the data could support."""
    model = load_model(name)
    assert model.chain == chain
    assert {equation.family for equation in model.equations} == {"normal"}
    assert {(c.transform, c.levels) for c in model.covariates} == {("identity", ())}
    assert {str(prior) for _, _, prior in model.priors} == {"Normal(mu=0, sigma=100)", "HalfNormal(sigma=100)"}


def test_the_misprinted_effect_keeps_both_readings():
    """The article's "-003" is -0.03 or -0.003, and neither is chosen."""
    (effect,) = load_model("process4").published
    assert effect.path == path_name((CHAIN[0], *CHAIN[2:]))
    assert effect.estimate == (-0.03, -0.003)
