"""Terms as products of factors: their columns, and the names of their priors."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from bayes_sp.design.build import design_arrays, equation_matrix, zero_matrix
from bayes_sp.design.evaluate import evaluate, term_column
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.terms import Factor, Level, Number, Predictor, Steps, Term, predictors_of
from bayes_sp.records.published.reconstruct import reconstruct

PLAIN = pytensor.compile.mode.Mode(linker="py", optimizer=None)


@pytest.fixture(scope="module")
def study_survey():
    """Return records that reproduce the published moments."""
    return reconstruct(1)


def test_columns_are_what_the_reference_says(study_survey):
    """Written out from the records: centres, levels less their share, logarithms, products with the exposure."""
    model = load_model("interaction")
    design, raw = design_arrays(model, study_survey), study_survey.records
    outcome = model.equations[-1]
    mediator = outcome.interactions[0]
    columns = dict(zip(model.terms(outcome), equation_matrix(model, design, len(model.equations) - 1).T, strict=True))
    centred = raw[mediator].to_numpy(float) - model.variable(mediator).center
    np.testing.assert_allclose(columns[mediator], centred, rtol=1e-13)
    np.testing.assert_allclose(columns[f"{model.exposure}:{mediator}"], raw[model.exposure] * centred, rtol=1e-13)
    covariate = next(c for c in model.covariates if c.levels)
    for level in covariate.levels[1:]:
        share = 1.0 / len(covariate.levels)
        np.testing.assert_allclose(columns[f"{covariate.name}[{level:g}]"], (raw[covariate.name] == level) - share)
    number = next(c for c in model.covariates if c.transform == "log1p")
    expected = (np.log1p(raw[number.name].to_numpy(float)) - number.center) / number.scale
    np.testing.assert_allclose(columns[number.name], expected, rtol=1e-12)


def test_a_predictor_is_the_same_in_numpy_and_in_pytensor():
    """Of a product of three factors, a monotonic effect and a level, for every draw at once and for one."""
    rng = np.random.default_rng(1)
    values = {"x": rng.normal(size=9), "m": rng.normal(size=9), "g": rng.integers(1, 4, 9).astype(float)}
    steps = Steps(1.0, 1.0, 2, "shares")
    factors = [
        (),
        (Factor("x"), Factor("m", Number(0.3)), Factor("g", Level(2.0, 3))),
        (Factor("g", steps),),
    ]
    predictor = Predictor("y", tuple(Term(f"t{k}", own, "parent") for k, own in enumerate(factors)))
    at = {"y": rng.normal(size=(5, 3)), "shares": rng.dirichlet([1.0, 1.0], 5)}
    product = values["x"] * (values["m"] - 0.3) * ((values["g"] == 2.0) - 1.0 / 3.0)
    x = np.column_stack([np.ones(9), product, values["g"] - 1.0])
    reached = 2.0 * np.array([[0.0, s, 1.0] for s in at["shares"][:, 0]])[:, (values["g"] - 1.0).astype(int)]
    expected = at["y"][:, :1] + at["y"][:, 1:2] * product + at["y"][:, 2:] * reached
    np.testing.assert_allclose(evaluate(predictor, x, (2,), values, at), expected, rtol=1e-12)
    np.testing.assert_allclose(evaluate(predictor, x, (1, 2), values, at), expected, rtol=1e-12)
    one = {name: pt.as_tensor(value[3]) for name, value in at.items()}
    known = pt.as_tensor(x * [1.0, 0.0, 0.0])
    found = pytensor.function([], evaluate(predictor, known, (1, 2), values, one, pt), mode=PLAIN)()
    np.testing.assert_allclose(found, expected[3], rtol=1e-12)


def test_what_a_unit_of_a_parent_adds_is_the_term_without_it(study_survey):
    """A term less a factor is its slope: against a difference of columns."""
    model = load_model("interaction")
    design = design_arrays(model, study_survey)
    values = dict(zip((model.exposure, *design.responses), (design.x, *design.y.T), strict=True))
    terms = [t for t in predictors_of(model, model.equations[-1])[0].terms if t.role == "interaction"]
    for term in terms:
        mediator = term.variables[1]
        moved = values | {mediator: values[mediator] + 1.0}
        difference = term_column(term, moved, {}) - term_column(term, values, {})
        np.testing.assert_allclose(difference, term_column(term.without(mediator), values, {}), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "equation", "parameter", "names"),
    [
        ("interaction", -1, "group_change:loneliness_t1", ("group_change:loneliness_t1", "interaction", "slope")),
        ("primary", 0, "education[2]", ("education[2]", "education", "covariate", "slope")),
        ("zinb", -1, "zero_appointments_t0", ("zero_appointments_t0", "zero_slope")),
        ("zinb", -1, "zero_intercept", ("zero_intercept",)),
    ],
)
def test_a_prior_is_looked_up_from_the_special_to_the_general(name, equation, parameter, names):
    """The order that the reference states, from a term's factors."""
    model = load_model(name)
    asked = {p.asked(t): p.prior_names(t) for p in predictors_of(model, model.equations[equation]) for t in p.terms}
    assert asked[parameter] == names
    assert model.prior_names(parameter) == names


def test_a_zero_part_has_numbers_for_monotonic_parents(study_survey):
    """Its columns are those of its own predictor, an intercept first."""
    model = load_model("zinb")
    design = design_arrays(model, study_survey)
    j = len(model.equations) - 1
    assert zero_matrix(model, design, j).shape == (design.n, len(model.zero_terms(model.equations[j])))
    assert (zero_matrix(model, design, j)[:, 0] == 1.0).all()
