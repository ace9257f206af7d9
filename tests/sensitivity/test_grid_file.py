"""Grid files: what they change, and every mistake at once with its key."""

from __future__ import annotations

import numpy as np
import pytest
import tomli_w

from bayes_sp.errors import SpecificationError
from bayes_sp.model.reading.load import load_model, shipped_models
from bayes_sp.sensitivity.prior.grid_file import MOST_CELLS, read_grid, shipped_grids

TIGHT = {"dist": "normal", "mu": 0, "sigma": 0.1, "why": "tight"}


def tables(**more):
    """Return a sound grid with other or more keys."""
    return {"title": "A grid", "named": ["primary"], **more}


def problems_of(model, **more):
    """Return what is wrong with a grid."""
    with pytest.raises(SpecificationError) as caught:
        read_grid(model, tables(**more))
    return list(caught.value.problems)


def test_an_alternative_changes_what_it_names_and_special_priors_win(small_model):
    """A general prior reaches every parameter without a more special one, and those alone."""
    grid = read_grid(small_model, tables(alternative=[{"name": "tight", "why": "w", "priors": {"slope": TIGHT}}]))
    primary, tight = grid.alternatives
    assert (primary.name, tight.name, tight.why) == ("primary", "tight", "w")
    for response, term in (("mood", "walks"), ("mood", "age"), ("visits", "mood"), ("visits", "housing[2]")):
        assert str(tight.model.prior(response, term)) == "Normal(mu=0, sigma=0.1)"
    assert tight.model.prior("visits", "walks") == small_model.prior("visits", "walks")
    assert tight.model.prior("mood", "intercept") == small_model.prior("mood", "intercept")


def test_an_equations_own_table_wins_over_the_whole_models(small_model):
    """As in a specification."""
    priors = {"slope": TIGHT, "visits": {"slope": {**TIGHT, "sigma": 0.7}}}
    tight = read_grid(small_model, tables(alternative=[{"name": "t", "why": "w", "priors": priors}])).alternatives[1]
    assert tight.model.prior("mood", "walks").values["sigma"] == 0.1
    assert tight.model.prior("visits", "mood").values["sigma"] == 0.7
    assert tight.model.prior("visits", "walks").values["sigma"] == 0.2


def test_crossings_are_every_pair_of_values_with_the_last_key_fastest(small_model):
    """Constants by entry, by an equation's entry, and by a coefficient that has no entry of its own."""
    cross = {"slope.sigma": [0.5, 1], "visits.walks.mu": [-0.1, 0.1], "visits.mood.sigma": [0.3]}
    grid = read_grid(small_model, tables(cross=cross))
    models = grid.crossed(small_model)
    assert [dial.key for dial, _ in grid.dials] == list(cross)
    found = [
        (
            m.prior("mood", "walks").values["sigma"], m.prior("visits", "age").values["sigma"],
            m.prior("visits", "walks").values["mu"], m.prior("visits", "mood").values["sigma"],
        )
        for m in models
    ]  # fmt: skip
    assert found == [(0.5, 0.5, -0.1, 0.3), (0.5, 0.5, 0.1, 0.3), (1.0, 1.0, -0.1, 0.3), (1.0, 1.0, 0.1, 0.3)]
    assert all(m.prior("visits", "walks").values["sigma"] == 0.2 for m in models)


def test_keys_can_be_written_with_and_without_quotes(small_model):
    """TOML reads an unquoted dotted key as tables."""
    quoted = read_grid(small_model, tables(cross={"visits.walks.sigma": [0.1, 0.4]}))
    nested = read_grid(small_model, tables(cross={"visits": {"walks": {"sigma": [0.1, 0.4]}}}))
    assert quoted.dials == nested.dials


def test_factors_multiply_the_scales_of_groups_and_priors(small_model):
    """After constants are set, each by its own number; a factor of 1 changes nothing."""
    scale = {"paths_to_outcome": [1, 3], "sigma": [1, 10]}
    models = read_grid(small_model, tables(cross={"slope.sigma": [0.5, 2.0]}, scale=scale)).crossed(small_model)
    places = (("mood", "walks"), ("visits", "mood"), ("visits", "walks"), ("mood", "sigma"))
    found = [[m.prior(*place).values["sigma"] for place in places] for m in models]
    expected = [
        [slope, slope * factor, 0.2 * factor, 2.0 * residual]
        for slope in (0.5, 2.0) for factor in (1, 3) for residual in (1, 10)
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert models[0] is small_model


def test_the_default_grid_fits_every_shipped_specification():
    """Named sets, and factors on the coefficients into the mediators and into the outcome."""
    for name in shipped_models():
        model = load_model(name)
        grid = read_grid(model)
        assert [a.name for a in grid.alternatives][:4] == ["sceptical", "primary", "wide", "flat"]
        assert [dial.key for dial, _ in grid.dials] == ["paths_to_mediators", "paths_to_outcome"]
        assert len(grid.crossed(model)) == 25


def test_the_default_grid_of_flat_priors_is_what_applies(small_tables):
    """Notes in place of errors, because the user did not write the grid."""
    flat = {"dist": "flat", "why": "any"}
    small_tables["priors"]["slope"] = flat
    small_tables["priors"]["visits"]["walks"] = flat
    grid = read_grid(load_model(small_tables, name="small"))
    assert [a.name for a in grid.alternatives] == ["primary", "wide", "flat"]  # an intercept can be wider, or flat
    assert grid.dials == ()
    assert any(note.startswith("sceptical: changes no prior") for note in grid.notes)
    assert any(note.startswith("scale.paths_to_outcome: none of these priors has a scale") for note in grid.notes)


def test_every_mistake_of_a_grid_is_reported_at_once(small_model):
    """Each with its key path, what was found, and the nearest known name."""
    found = problems_of(
        small_model,
        named=["primary", "primary", "scepticl", "default"],
        alternative=[
            {"name": "wide", "why": "w", "priors": {"slope": TIGHT}},
            {"name": "b", "why": "w", "priors": {"slop": TIGHT, "slope": {**TIGHT, "sigma": 0}}},
            {"name": "c", "priors": {"visits": {"walks": {**TIGHT, "dist": "nrmal"}}}, "prior": 1},
            {"name": "d", "why": "w", "priors": {"visits": {"phi": TIGHT, "ph": TIGHT}}},
        ],
        cross={
            "slope.sgima": [1.0], "slop.sigma": [1.0], "slope.sigma": [0.5, -1, 0], "phi.mu": [],
            "visits.walks.sigma": [1, 1], "intercept.mu": ["a"], "sigma": [1.0],
        },
        scale={"path": [1.0], "paths": [0.0]},
        colour="red",
    )  # fmt: skip
    expected = [
        'named: "primary" stands 2 times',
        'named: unknown "scepticl"; did you mean "sceptical"?',
        'named: "default" is a grid without alternatives of its own',
        'alternative[1].name: "wide" is a rule; take another name',
        'alternative[2].priors.slop: is neither a parameter nor a variable of the model; did you mean "slope"?',
        "alternative[2].priors.slope.sigma: must be > 0, found 0",
        "alternative[3].why: is missing",
        "alternative[3].prior: unknown key",
        "alternative[3].priors.visits.walks.dist: unknown dist 'nrmal'; did you mean \"normal\"?",
        "alternative[4].priors.visits.phi.dist: Normal(mu=0, sigma=0.1) is a distribution on the real numbers",
        'alternative[4].priors.visits.ph: there is no such parameter; did you mean "phi"?',
        'cross.slope.sgima: Normal(mu=0, sigma=0.5) has no constant "sgima"; did you mean "sigma"?',
        'cross.slop.sigma: has no prior "slop"; did you mean "slope"?',
        "cross.slope.sigma: must be > 0, found -1",
        "cross.slope.sigma: must be > 0, found 0",
        "cross.phi.mu: must be 1 or more different numbers, found []",
        "cross.visits.walks.sigma: must be 1 or more different numbers, found [1, 1]",
        "cross.intercept.mu: must be a finite number, found 'a'",
        'cross.sigma: "sigma" is no constant of a prior; write it as prior.constant',
        'scale.path: has no prior "path"; did you mean "paths"?',
        "scale.paths: must be > 0, found 0",
        "colour: unknown key",
    ]
    for start in expected:
        assert [problem for problem in found if problem.startswith(start)], (start, found)
    assert len(found) == len(expected), found


def test_a_prior_that_nothing_uses_is_a_mistake(small_tables):
    """Turning it would change nothing, and the table would look robust for that reason."""
    small_tables["priors"]["mood"] = {"sigma": {**TIGHT, "dist": "half_normal"}}
    del small_tables["priors"]["mood"]["sigma"]["mu"]
    small_tables["priors"]["walks"] = {**TIGHT, "sigma": 0.9}
    small_tables["priors"]["mood"]["walks"] = TIGHT
    model = load_model(small_tables, name="small")
    assert problems_of(model, cross={"walks.sigma": [1.0]}) == [
        "cross.walks.sigma: no parameter uses the prior walks: more special ones stand before it"
    ]
    assert problems_of(model, alternative=[{"name": "a", "why": "w", "priors": {"walks": TIGHT}}]) == [
        "alternative[1].priors.walks: has no effect; more special priors stand before it"
    ]


def test_names_of_alternatives_are_their_own(small_model):
    """Two rows of a table with one name could not be told apart."""
    two = [{"name": "a", "why": "w", "priors": {"slope": TIGHT}}] * 2
    assert problems_of(small_model, alternative=two) == [
        'alternative: "a" stands 2 times; each set of priors has a name of its own'
    ]


def test_a_cross_of_too_many_cells_is_refused(small_model):
    """Before anything is fitted."""
    values = list(np.linspace(0.1, 1, 101))
    found = problems_of(small_model, cross={"slope.sigma": values, "visits.walks.sigma": values})
    assert found == [f"cross: 10201 crossings; at most {MOST_CELLS} are fitted"]


def test_a_grid_of_nothing_is_refused(small_model):
    """Some key must say which priors."""
    with pytest.raises(SpecificationError, match="holds no priors"):
        read_grid(small_model, {"title": "Nothing"})


def test_keys_given_twice_are_refused(small_model):
    """Once with quotes and once without."""
    cross = {"slope.sigma": [1.0], "slope": {"sigma": [2.0]}}
    assert problems_of(small_model, cross=cross) == ["cross.slope.sigma: stands 2 times, with and without quotes"]


def test_an_alternative_applies_where_it_says(small_model):
    """To an equation with one of its families and parents; else a note says what is missing."""
    applies = {"visits": {"families": ["poisson", "negative_binomial"], "parents": ["mood"]}}
    alternative = {"name": "a", "why": "w", "priors": {"slope": TIGHT}, "applies": applies}
    assert len(read_grid(small_model, tables(alternative=[alternative])).alternatives) == 2
    for other, reason in (
        ({"visits": {"families": ["poisson"]}}, "the family of visits is negative_binomial, not poisson"),
        ({"mood": {"parents": ["visits"]}}, "mood does not depend on visits"),
        ({"sleep": {}}, "it has no equation of sleep"),
    ):
        grid = read_grid(small_model, tables(alternative=[{**alternative, "applies": other}]))
        assert len(grid.alternatives) == 1
        assert grid.notes == (f"a: does not apply to small: {reason}",)
    wrong = problems_of(small_model, alternative=[{**alternative, "applies": {"visits": {"families": ["poison"]}}}])
    assert wrong[0].startswith(
        'alternative[1].applies.visits.families: unknown family "poison"; did you mean "poisson"'
    )


def test_a_users_file_is_read_by_its_path(small_model, in_folder):
    """And its mistakes name the file."""
    (in_folder / "mine.toml").write_text(tomli_w.dumps(tables(cross={"slope.sigma": [1.0]})), encoding="utf-8")
    assert len(read_grid(small_model, "mine.toml").dials) == 1
    (in_folder / "mine.toml").write_text("title = ", encoding="utf-8")
    with pytest.raises(SpecificationError, match=r"mine\.toml: is not valid TOML"):
        read_grid(small_model, "mine.toml")
    with pytest.raises(SpecificationError, match=r'"defaul": is neither a shipped grid .* did you mean "default"'):
        read_grid(small_model, "defaul")


def test_shipped_grids_are_no_specifications():
    """They stand in a folder of their own, which the list of specifications leaves out."""
    assert set(shipped_grids()) == {"default", "published_informed"}
    assert not set(shipped_grids()) & set(shipped_models())
