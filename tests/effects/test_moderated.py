"""Effects with products: against simulated potential outcomes, and against what they reduce to."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from posteriors import made_up_posterior
from potential_outcomes import SETS, simulated, with_values

from bayes_sp.design.build import covariate_values, design_arrays
from bayes_sp.design.elements import arrays_of
from bayes_sp.design.evaluate import mean_predictor
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.chain import Batched, covariates_of
from bayes_sp.effects.controlled import controlled_direct_effect
from bayes_sp.effects.interventional import interventional_effects
from bayes_sp.effects.means.bilinear import product_batch
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.moderation.conditional import conditional_effects
from bayes_sp.effects.moderation.curve import effect_curve
from bayes_sp.effects.moderation.levels import settings_of
from bayes_sp.effects.paths import compute_effects
from bayes_sp.effects.problem import make_problem
from bayes_sp.errors import FitError, SpecificationError
from bayes_sp.model.reading.load import load_model, models_folder
from bayes_sp.names import ALONE, AVERAGE, COEFFICIENT, DIFFERENCE, RATE_RATIO, TOTAL

PRODUCTS = (
    ["gender:group_change"],
    ["loneliness_t0:group_change"],
    ["gender:loneliness_t1", "education:group_change"],
)


# Products of two moderators with an arrow.
TOGETHER = (
    ["gender:group_change", "loneliness_t0:group_change", "gender:loneliness_t0", "gender:loneliness_t0:group_change"],
    ["loneliness_t0:group_change"],
    ["gender:loneliness_t1", "education:loneliness_t1", "gender:education", "education:gender:loneliness_t1"],
)


def moderated(make_survey, name: str, products=PRODUCTS, draws: int = 20, spread: float = 0.05):
    tables = tomllib.loads((models_folder() / f"{name}.toml").read_text())
    for equation, own in zip(tables["equation"], products, strict=True):
        equation["products"] = own
    model = load_model(tables, name="moderated")
    survey = make_survey(60)
    design = design_arrays(model, survey)
    posterior = made_up_posterior(model, design, chains=1, draws=draws, spread=spread)
    return model, survey, design, posterior


def held(model, design, posterior, **options):
    return lambda values: compute_effects(
        model, design, posterior, baselines=linear_baselines(model, design, posterior, held=values), **options
    )


def at_levels(model, survey, design, posterior, at=None, **options):
    settings = settings_of(model, covariate_values(model, survey), at)
    effects = held(model, design, posterior, **options)
    return conditional_effects(model, posterior, settings, [effects(dict(s.held)) for s in settings], **options)


FAST = ("primary", "ordinal")
SLOW = ("interaction", "bounded", "latent", "zinb", "hurdle", "poisson")


@pytest.mark.parametrize(
    ("name", "size"), [*((n, 60_000) for n in FAST), *(pytest.param(n, 10**6, marks=pytest.mark.slow) for n in
                                                       (*FAST, *SLOW))]
)  # fmt: skip
@pytest.mark.parametrize("at", [{"gender": 2.0}, {"gender": 1.0, "loneliness_t0": 2.0, "education": 3.0}, {}])
@pytest.mark.parametrize("products", [PRODUCTS, TOGETHER], ids=["one by one", "together"])
def test_effects_are_those_of_simulated_potential_outcomes(make_survey, name, products, size, at):
    """Each path alone and the total, with moderators held or as observed, within 4 Monte Carlo errors."""
    model, survey, design, posterior = moderated(make_survey, name, products, draws=1, spread=0.2)
    found = at_levels(model, survey, design, posterior, at).each[0] if at else compute_effects(model, design, posterior)
    means = simulated(model, with_values(model, design, at), posterior, size, 3)
    exact = found.draws[ALONE].sel(scale=DIFFERENCE).to_numpy().ravel()
    exact = np.array([*exact[:4], exact[5]])
    for value, world in zip(exact, SETS[1:], strict=True):
        pairs = (means[world] - means[SETS[0]]).mean(axis=-1).ravel()  # each mean is over all patients once
        assert abs(pairs.mean() - value) < 4.0 * pairs.std(ddof=1) / np.sqrt(len(pairs)) + 1e-9


@pytest.mark.parametrize("name", ["primary", "zinb", "ordinal"])
@pytest.mark.parametrize("products", [PRODUCTS, TOGETHER], ids=["one by one", "together"])
def test_strata_and_single_patients_agree(make_survey, name, products):
    """Two ways to average over patients whose slopes differ give one number."""
    model, _, design, posterior = moderated(make_survey, name, products)
    linear = linear_baselines(model, design, posterior)
    single = Batched(linear, lambda start, stop: np.repeat(covariates_of(linear, start, stop), stop - start, axis=0))
    one = compute_effects(model, design, posterior).draws
    other = compute_effects(model, design, posterior, baselines=single).draws
    for decomposition in (ALONE, AVERAGE):
        np.testing.assert_allclose(other[decomposition], one[decomposition], rtol=1e-9, atol=1e-12)


def test_without_a_product_ratios_do_not_depend_on_the_level(make_survey):
    """Under a log link only differences change with a covariate that stands in no product."""
    model, survey, design, posterior = moderated(make_survey, "primary", ([], [], []))
    found = at_levels(model, survey, design, posterior, {"gender": [1, 2]})
    low, high = (one.draws[AVERAGE] for one in found.each)
    np.testing.assert_allclose(low.sel(scale=RATE_RATIO), high.sel(scale=RATE_RATIO), rtol=1e-12)
    apart = np.abs(low.sel(scale=DIFFERENCE) / high.sel(scale=DIFFERENCE) - 1.0) > 1e-3
    assert float(apart.mean()) > 0.8  # of the draws: in some the level hardly matters
    ratios = found.differences()
    assert (ratios[ratios["scale"] == RATE_RATIO][["mean", "lower", "upper"]] == 1.0).all().all()


def test_the_average_over_levels_is_the_effect_on_everyone(make_survey):
    """Conditional differences on patients of each level, weighted by their share, are the effect as observed."""
    products = (["gender:group_change"], [], ["gender:loneliness_t1"])
    model, survey, design, posterior = moderated(make_survey, "primary", products)
    whole = compute_effects(model, design, posterior).draws[AVERAGE].sel(scale=DIFFERENCE)
    gender, total = survey.records["gender"].to_numpy(), 0.0
    for level in (1, 2):
        own = design.taken(np.flatnonzero(gender == level))
        total = total + (gender == level).mean() * compute_effects(model, own, posterior).draws[AVERAGE].sel(
            scale=DIFFERENCE
        )
    np.testing.assert_allclose(total.sel(path=TOTAL), whole.sel(path=TOTAL), rtol=1e-10)


def test_the_index_is_the_change_with_a_unit_of_the_moderator(make_survey):
    """The derivative of each product, in the moderator's own unit; as a ratio it is that of two rate ratios."""
    model, survey, design, posterior = moderated(make_survey, "primary", (["age:group_change"], [], []))
    found = at_levels(model, survey, design, posterior, {"age": [50.0, 51.0]})
    one, two = (each.draws[AVERAGE] for each in found.each)
    rows = found.index_draws
    for path in ("group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1", TOTAL):
        own = rows.isel(row=np.flatnonzero(rows["path"] == path))
        at = {str(scale): own.isel(row=k) for k, scale in enumerate(own["scale"].to_numpy())}
        change = (two - one).sel(path=path, scale=COEFFICIENT)
        np.testing.assert_allclose(at[COEFFICIENT], change, rtol=1e-8, atol=1e-14)
        ratio = (two / one).sel(path=path, scale=RATE_RATIO)
        np.testing.assert_allclose(at[RATE_RATIO], ratio, rtol=1e-10)
    assert set(found.index()["moderator"]) == {"age"}


def test_a_path_with_two_moderated_arrows_has_no_single_index(make_survey):
    """Its product is quadratic, which is said; a category of three levels has an index for each against the first."""
    products = (["gender:group_change", "education:group_change"], [], ["gender:belonging_t1"])
    model, survey, design, posterior = moderated(make_survey, "primary", products)
    found = at_levels(model, survey, design, posterior)
    words = "\n".join(found.without_index)
    assert "gender for group_change -> belonging_t1 -> appointments_t1: two of its arrows" in words
    assert "education for group_change -> belonging_t1 -> appointments_t1: another of its arrows" in words
    serial = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
    assert serial not in words or "another" in words
    assert [setting.at for setting in found.settings if setting.moderator == "education"] == ["1", "2", "3"]


def test_controlled_and_interventional_effects_see_moderators(make_survey):
    """Both agree with the same chain evaluated patient by patient."""
    model, _, design, posterior = moderated(make_survey, "primary")
    total = interventional_effects(model, design, posterior)["difference"].sel(effect=TOTAL)
    paths = compute_effects(model, design, posterior).draws[ALONE].sel(path=TOTAL, scale=DIFFERENCE)
    np.testing.assert_allclose(total, paths, rtol=1e-9)
    found = controlled_direct_effect(model, design, posterior, {"belonging_t1": 3.0, "loneliness_t1": 2.5})
    at, means = arrays_of(model, design, posterior), []
    for u in model.contrast:
        fixed = {"group_change": u, "belonging_t1": 3.0, "loneliness_t1": 2.5}
        given = {name: np.full(design.n, value) for name, value in fixed.items()}
        means.append(np.exp(mean_predictor(model, design, 2, at, given)).mean(axis=-1))
    np.testing.assert_allclose(found[DIFFERENCE].to_numpy()[..., 0, 0], means[1] - means[0], rtol=1e-10)


def test_settings_are_categories_percentiles_or_given(make_survey):
    """Two values and named levels are categories, other numbers have percentiles; mistakes stand in one error."""
    model, survey, *_ = moderated(make_survey, "primary")
    values = covariate_values(model, survey)
    found = settings_of(model, values)
    assert [s.why[0] for s in found if s.moderator == "loneliness_t0"] == [f"{p}th percentile" for p in (16, 50, 84)]
    own = [dict(s.held)["loneliness_t0"] for s in found if s.moderator == "loneliness_t0"]
    np.testing.assert_allclose(own, np.percentile(values["loneliness_t0"], [16, 50, 84]))
    assert [s.at for s in found if s.moderator == "gender"] == ["1", "2"]
    both = settings_of(model, values, {"gender": [1, 2], "age": [40, 50]})
    assert [dict(s.held) for s in both] == [{"gender": g, "age": a} for g, a in product([1.0, 2.0], [40.0, 50.0])]
    with pytest.raises(SpecificationError) as error:
        settings_of(
            model,
            values,
            {"relationship": "yes", "belonging_t1": 1, "gender": [3, 3], "agee": 1, "age": 300, "education": 4},
        )
    text = str(error.value)
    expected = ("belonging_t1: comes after the exposure", "gender: no record has 3", 'did you mean "age"')
    expected = (*expected, "relationship: must be a number or numbers, found 'yes'")
    for words in (*expected, "age: 300 is beyond the records", "education: no record has 4", "holds a value twice"):
        assert words in text


def test_a_curve_passes_through_the_effects_at_its_values(make_survey):
    """Medians and limits are those of the effects at each value, and stretches end where a limit crosses 0."""
    model, survey, design, posterior = moderated(make_survey, "primary", (["age:group_change"], [], []))
    values = covariate_values(model, survey)
    curve = effect_curve(model, "age", values, held(model, design, posterior), points=5)
    own = curve.table[(curve.table["path"] == TOTAL) & (curve.table["scale"] == DIFFERENCE)]
    ends = np.percentile(values["age"], [5, 95])
    np.testing.assert_allclose(own["value"], np.linspace(*ends, 5))
    found = at_levels(model, survey, design, posterior, {"age": float(own["value"].iloc[2])}).table()
    same = found[(found["path"] == TOTAL) & (found["scale"] == DIFFERENCE)].iloc[0]
    np.testing.assert_allclose([own.iloc[2][c] for c in ("lower", "upper")], [same["lower"], same["upper"]], rtol=1e-6)
    region = curve.region()
    whole = region[(region["path"] == TOTAL) & (region["scale"] == DIFFERENCE)]
    assert whole["from"].iloc[0] == own["value"].iloc[0]
    assert whole["to"].iloc[-1] == own["value"].iloc[-1]
    with pytest.raises(SpecificationError, match="gender: has categories"):
        effect_curve(model, "gender", values, held(model, design, posterior))


MEDIATORS: tuple[list[str], ...] = (
    ["gender:group_change"],
    [],
    ["belonging_t1:loneliness_t1", "group_change:loneliness_t1"],
)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("primary", 60_000),
        *(pytest.param(n, 10**6, marks=pytest.mark.slow) for n in ("primary", "ordinal", "latent", "zinb", "hurdle")),
    ],
)
@pytest.mark.parametrize("at", [{}, {"gender": 2.0}])
def test_a_product_of_two_mediators_is_that_of_simulated_potential_outcomes(make_survey, name, size, at):
    """Closed forms, sums over levels and over nodes: each path alone and the total, within 4 Monte Carlo errors."""
    products = MEDIATORS if name != "ordinal" else (["gender:group_change"], [], ["gender:loneliness_t1"])
    tables = tomllib.loads((models_folder() / f"{name}.toml").read_text())
    for equation, own in zip(tables["equation"], products, strict=True):
        equation["products"] = own
    if name == "ordinal":  # levels enter as numbers, so that their product with loneliness is possible
        for equation in tables["equation"]:
            equation.pop("monotonic", None)
        tables["priors"].pop("simplex", None)
        tables["equation"][2]["products"] = MEDIATORS[2]
    model, survey = load_model(tables, name="moderated"), make_survey(60)
    design = design_arrays(model, survey)
    spread = 0.2 if size > 60_000 else 0.12  # strong products have tails that few patients reach
    posterior = made_up_posterior(model, design, chains=1, draws=1, spread=spread)
    found = at_levels(model, survey, design, posterior, at).each[0] if at else compute_effects(model, design, posterior)
    means = simulated(model, with_values(model, design, at), posterior, size, 3)
    exact = found.draws[ALONE].sel(scale=DIFFERENCE).to_numpy().ravel()
    for value, world in zip([*exact[:4], exact[5]], SETS[1:], strict=True):
        pairs = (means[world] - means[SETS[0]]).mean(axis=-1).ravel()
        assert abs(pairs.mean() - value) < 4.0 * pairs.std(ddof=1) / np.sqrt(len(pairs)) + 1e-9


@pytest.mark.slow
def test_the_closed_form_of_a_product_is_its_quadrature(make_survey):
    """Below kappa 1 too, and where mediators are drawn apart."""
    model, _, design, posterior = moderated(make_survey, "primary", MEDIATORS, draws=3)
    problem = make_problem(model, design, posterior)
    worlds = np.array(list(product([False, True], repeat=4)))
    normal = problem.chain.at(np.array([0.5]))
    for rule in (Rule(1.0), Rule(0.4), Rule(0.0, apart=True)):
        exact = product_batch(normal, (0.0, 1.0), rule, None)(0, 3, problem.baselines(0, 3))
        hurdle = replace(normal, outcome=replace(normal.outcome, rule="zero_inflated"),
                         exposure=np.pad(normal.exposure, ((0, 0), (0, 1))),
                         slopes=np.pad(normal.slopes, ((0, 0), (0, 1), (0, 0))),
                         interactions=np.pad(normal.interactions, ((0, 0), (0, 1), (0, 0))))  # fmt: skip
        wide = np.concatenate([problem.baselines(0, 3), np.full((1, 3, design.n), -60.0)])  # never a zero of its own
        summed = product_batch(hurdle, (0.0, 1.0), replace(rule, nodes=24), None)(0, 3, wide)
        np.testing.assert_allclose(summed, exact, rtol=1e-6)
    assert len(worlds) == 16


def test_a_mean_that_does_not_exist_is_refused(make_survey):
    """A large product under a log link has no mean outcome, and no number stands in its place."""
    model, _, design, posterior = moderated(make_survey, "primary", MEDIATORS)
    terms = posterior["appointments_t1_term"]
    posterior["appointments_t1"] = posterior["appointments_t1"] + 2.0 * (terms == "belonging_t1:loneliness_t1")
    with pytest.raises(FitError, match="mean outcome does not exist"):
        compute_effects(model, design, posterior)


def test_controlled_and_interventional_effects_see_a_product_of_mediators(make_survey):
    """The product of the values that mediators are held at; and parts that add up to the same total."""
    model, _, design, posterior = moderated(make_survey, "primary", MEDIATORS)
    found = interventional_effects(model, design, posterior)["difference"]
    paths = compute_effects(model, design, posterior).draws[ALONE].sel(path=TOTAL, scale=DIFFERENCE)
    np.testing.assert_allclose(found.sel(effect=TOTAL), paths, rtol=1e-9)
    np.testing.assert_allclose(found.drop_sel(effect=TOTAL).sum("effect"), paths, rtol=1e-9)
    held_at = controlled_direct_effect(model, design, posterior, {"belonging_t1": 3.0, "loneliness_t1": 2.5})
    at, means = arrays_of(model, design, posterior), []
    for u in model.contrast:
        given = {"group_change": u, "belonging_t1": 3.0, "loneliness_t1": 2.5}
        full = {name: np.full(design.n, value) for name, value in given.items()}
        means.append(np.exp(mean_predictor(model, design, 2, at, full)).mean(axis=-1))
    np.testing.assert_allclose(held_at[DIFFERENCE].to_numpy()[..., 0, 0], means[1] - means[0], rtol=1e-10)
