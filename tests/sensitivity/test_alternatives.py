"""Other priors for the same specification: exactly which constants change, and nothing else."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from fast_and_slow import some_fast

from bayes_sp.errors import BayesSpError
from bayes_sp.model.checks.model import check_model
from bayes_sp.model.distributions import Prior
from bayes_sp.model.reading.load import load_model, shipped_models
from bayes_sp.model.reading.write import specification_digest, specification_text
from bayes_sp.records.published.article import published
from bayes_sp.sensitivity.prior.grid_file import read_grid
from bayes_sp.sensitivity.prior.rules import RULES, alternative, priors_in_words
from bayes_sp.sensitivity.prior.terms import along, centred, changed, members, scaled, with_priors

SHIPPED = sorted(shipped_models())
SCALE = {"normal": "sigma", "student_t": "sigma", "laplace": "b"}


def every_prior(model):
    """Return each parameter's prior, asked for one by one, by (response, parameter)."""
    found = {}
    for equation in model.equations:
        names = [*model.terms(equation), *model.parameters(equation)]
        names += [f"zero_{term}" for term in model.zero_terms(equation)]
        found |= {(equation.response, name): model.prior(equation.response, name) for name in names}
    return found


def kind_of(model, response, name):
    """Return what a parameter is, from its name and its equation alone."""
    parents = next(equation.parents for equation in model.equations if equation.response == response)
    if name in parents or ":" in name or name.removeprefix("zero_") in parents:
        return "path"
    if name.removeprefix("zero_").split("[")[0] in [covariate.name for covariate in model.covariates]:
        return "covariate"
    return name


@pytest.mark.parametrize("name", some_fast(SHIPPED))
@pytest.mark.parametrize("rule", RULES)
def test_an_alternative_is_the_same_specification_but_for_its_priors(name, rule):
    """It is sound, differs in nothing but name and priors, and reads back from its TOML text."""
    model = load_model(name)
    found = alternative(model, rule).model
    assert check_model(found) == []
    assert replace(found, name=model.name, priors=model.priors) == model
    again = load_model(tomllib.loads(specification_text(found)), name="again")
    assert every_prior(again) == every_prior(found)
    assert specification_digest(again) == specification_digest(found)


@pytest.mark.parametrize("name", some_fast(SHIPPED))
def test_the_primary_priors_are_the_specifications_own(name):
    """Nothing is changed, so that the fit is the fit of the specification."""
    model = load_model(name)
    assert alternative(model, "primary").model is model


@pytest.mark.parametrize("name", some_fast(SHIPPED))
def test_sceptical_priors_are_centred_at_0_with_half_the_scale_on_the_paths_alone(name):
    """Every constant of every parameter, recomputed from the specification as written."""
    model = load_model(name)
    found = every_prior(alternative(model, "sceptical").model)
    for (response, parameter), prior in every_prior(model).items():
        new = found[response, parameter]
        if kind_of(model, response, parameter) == "path":
            assert new.dist == prior.dist
            assert new.values == {**prior.values, "mu": 0.0, SCALE[prior.dist]: prior.values[SCALE[prior.dist]] / 2}
            assert prior.why in new.why
            assert str(prior) in new.why
        else:
            assert new == prior


@pytest.mark.parametrize("name", some_fast(SHIPPED))
def test_wide_priors_have_four_times_the_scale_for_every_coefficient(name):
    """Paths, covariates, intercepts, cutpoints and zero parts widen; scales, dispersions and shares stay."""
    model = load_model(name)
    found = every_prior(alternative(model, "wide").model)
    for place, prior in every_prior(model).items():
        if kind_of(model, *place) in ("path", "covariate", "intercept", "zero_intercept", "cutpoint"):
            scale = SCALE[prior.dist]
            assert found[place].values == {**prior.values, scale: 4 * prior.values[scale]}
        else:
            assert found[place] == prior


@pytest.mark.parametrize("name", some_fast(SHIPPED))
def test_flat_priors_leave_what_would_make_the_posterior_improper(name):
    """Coefficients and intercepts are flat; scales, shares, cutpoints and intercepts of zero parts keep theirs."""
    model = load_model(name)
    found = every_prior(alternative(model, "flat").model)
    for place, prior in every_prior(model).items():
        if kind_of(model, *place) in ("path", "covariate", "intercept"):
            assert found[place].dist == "flat"
        else:
            assert found[place] == prior


def test_a_covariate_that_shares_an_entry_with_a_path_keeps_its_prior(small_model):
    """In the small specification one prior of slopes serves both; only the paths are centred and narrowed."""
    model = with_priors(small_model, {("mood", "walks"): Prior("normal", (("mu", 1.0), ("sigma", 0.5)), "up")}, "moved")
    found = every_prior(alternative(model, "sceptical").model)
    assert found["mood", "walks"].values == {"mu": 0.0, "sigma": 0.25}
    assert found["visits", "mood"].values == {"mu": 0.0, "sigma": 0.25}
    assert found["visits", "walks"].values == {"mu": 0.0, "sigma": 0.1}
    for term in ("age", "visits_before", "housing[2]", "housing[3]"):
        assert found["mood", term] == small_model.prior("mood", term)
        assert found["visits", term] == small_model.prior("visits", term)


def test_flat_priors_have_no_scale_to_halve(small_tables):
    """They stay, and a note names them."""
    small_tables["priors"]["visits"]["walks"] = {"dist": "flat", "why": "anything"}
    model = load_model(small_tables, name="small")
    for rule in ("sceptical", "wide"):
        found = alternative(model, rule)
        assert found.model.prior("visits", "walks").dist == "flat"
        assert "visits <- walks" in found.notes[0]
        assert "visits <- mood" not in found.notes[0]


def test_an_unknown_rule_is_refused_with_the_nearest(small_model):
    """The message names the rule that was meant."""
    with pytest.raises(BayesSpError, match=r'"scepticl".*did you mean "sceptical"'):
        alternative(small_model, "scepticl")


@pytest.mark.parametrize(("name", "divisor"), [("process6", 1.0), ("primary", 4.48), ("poisson", 4.48)])
def test_published_priors_are_the_articles_numbers(name, divisor):
    """Each is a printed coefficient with its standard error; for a log link divided by the printed mean."""
    model = load_model(name)
    found = next(a.model for a in read_grid(model).alternatives if a.name == "published_informed")
    study = published()
    assert study.variable("appointments_t1").mean.value == 4.48
    for response, term, unit, digits in (
        ("belonging_t1", "group_change", 1.0, 2),
        ("loneliness_t1", "belonging_t1", 1.0, 2),
        ("appointments_t1", "loneliness_t1", divisor, 2 if divisor == 1.0 else 3),
    ):
        printed, prior = study.coefficient(response, term), found.prior(response, term)
        assert prior.values["mu"] == pytest.approx(printed.estimate.value / unit, abs=0.51 * 10**-digits)
        assert prior.values["sigma"] == pytest.approx(printed.se.value / unit, abs=0.0051)
        assert "from the same patients" in prior.why
        assert "no evidence" in prior.why
    others = {place: prior for place, prior in every_prior(model).items() if found.prior(*place) != prior}
    assert len(others) == 3


@pytest.mark.parametrize("name", ["bounded", "hurdle", "latent", "ordinal", "process4", "reversed", "zinb"])
def test_published_priors_do_not_apply_to_other_families_or_orders(name):
    """A note says why, instead of a prior on the wrong scale."""
    grid = read_grid(load_model(name))
    assert "published_informed" not in [found.name for found in grid.alternatives]
    assert any(note.startswith("published_informed: does not apply") for note in grid.notes)


def test_groups_hold_every_coefficient_once():
    """Paths, covariates and intercepts share nothing and are all coefficients; so do the two kinds of paths."""
    for name in SHIPPED:
        model = load_model(name)
        parts = [members(model, group) for group in ("paths", "covariates", "intercepts")]
        assert sorted(sum(parts, ())) == sorted(members(model, "coefficients"))
        into = members(model, "paths_to_mediators"), members(model, "paths_to_outcome")
        assert sorted(sum(into, ())) == sorted(parts[0])
        assert {response for response, _ in into[1]} == {model.outcome}


def test_the_coefficients_along_a_path():
    """Slopes of the path's own arrows, with their interactions and zero parts."""
    primary, interaction, zinb = (load_model(name) for name in ("primary", "interaction", "zinb"))
    x, m1, m2, y = primary.chain
    serial = " -> ".join(primary.chain)
    assert along(primary, serial) == ((m1, x), (m2, m1), (y, m2))
    assert along(primary, f"{x} -> {y}") == ((y, x),)
    assert along(primary, "total") == members(primary, "paths")
    assert set(along(primary, "total")) - set(along(primary, "total_indirect")) == {(y, x)}
    assert along(interaction, serial) == ((m1, x), (m2, m1), (y, m2), (y, f"{x}:{m2}"))
    assert along(interaction, f"{x} -> {y}") == ((y, x), (y, f"{x}:{m1}"), (y, f"{x}:{m2}"))
    assert along(zinb, serial) == ((m1, x), (m2, m1), (y, m2), (y, f"zero_{m2}"))


@pytest.mark.parametrize(
    ("prior", "constants"),
    [
        (Prior("normal", (("mu", 1.0), ("sigma", 2.0)), "w"), {"mu": 0.0, "sigma": 6.0}),
        (Prior("student_t", (("nu", 4.0), ("mu", 1.0), ("sigma", 2.0)), "w"), {"nu": 4.0, "mu": 0.0, "sigma": 6.0}),
        (Prior("laplace", (("mu", -1.0), ("b", 0.5)), "w"), {"mu": 0.0, "b": 1.5}),
    ],
)
def test_centring_and_scaling_by_distribution(prior, constants):
    """The location goes to 0, the scale is multiplied, and what gives the tails stays."""
    assert centred(prior, 3.0, "why").values == constants
    assert scaled(prior, 3.0, "why").values == {**constants, "mu": prior.values["mu"]}
    assert scaled(prior, 1.0, "why") is prior


def test_a_mediators_prior_for_the_whole_model_can_stand_beside_its_equations_table(small_tables):
    """A file cannot hold both under one name, so the general one moves to the equation that uses it."""
    small_tables["priors"]["mood"] = {"dist": "normal", "mu": 0.1, "sigma": 0.3, "why": "mood matters"}
    model = load_model(small_tables, name="small")
    new = Prior("normal", (("mu", 0.0), ("sigma", 0.01)), "tight")
    found = with_priors(model, {("mood", "walks"): new}, "tight")
    again = load_model(tomllib.loads(specification_text(found)), name="again")
    assert every_prior(again) == every_prior(found) == {**every_prior(model), ("mood", "walks"): new}


def test_an_entry_that_serves_one_kind_is_replaced_where_it_stands():
    """So that an alternative reads like the specification that it comes from."""
    model = load_model("primary")
    found = alternative(model, "sceptical").model
    assert [(where, name) for where, name, _ in found.priors] == [(where, name) for where, name, _ in model.priors]
    assert changed(model, members(model, "paths"), lambda prior: prior, "same") is model


def test_priors_in_words_name_every_coefficient_on_the_paths(small_model):
    """One line that a reader can check against the specification."""
    assert priors_in_words(small_model) == (
        "mood <- walks: Normal(mu=0, sigma=0.5); visits <- walks: Normal(mu=0, sigma=0.2); "
        "visits <- mood: Normal(mu=0, sigma=0.5)"
    )
