"""Weights that match published moments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from bayes_sp.errors import SurveyError
from bayes_sp.records.nonresponders import Moment
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.published.referred import published_nonresponders
from bayes_sp.sensitivity.missing.entropy_balancing import balance, entropy_weights


def columns_of(n: int = 40, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 12, n)
    return {"age": age, "groups": rng.poisson(2.0 + 0.01 * age).astype(float), "gender": rng.integers(1, 3, n) * 1.0}


def problems_of(columns, *moments) -> tuple[str, ...]:
    with pytest.raises(SurveyError) as caught:
        balance(columns, moments, 100, "an article")
    return caught.value.problems


def test_two_values_by_hand():
    """Three patients with 0 and one with 1, target 1/2: the one gets half of the weight, the others a sixth each."""
    found = balance({"x": np.array([0.0, 0.0, 0.0, 1.0])}, [Moment("x", 0.5)], 10, "a book")
    np.testing.assert_allclose(found.weights, [1 / 6, 1 / 6, 1 / 6, 1 / 2], rtol=1e-9)
    assert found.ess == pytest.approx(1 / (3 / 36 + 1 / 4))


@pytest.mark.fixed_seed  # SciPy's optimiser does not finish on every problem
def test_they_are_the_nearest_weights_that_scipy_finds():
    """The same minimum of the Kullback-Leibler divergence by a general constrained optimiser on the primal."""
    values = columns_of(12)
    moments = [Moment("age", 47.0, 11.0), Moment("gender", 1.6)]
    constraints = np.column_stack(
        [values["age"] - 47.0, (values["age"] - 47.0) ** 2 - 11.0**2 * 99 / 100, values["gender"] - 1.6]
    )
    spread = constraints.std(axis=0)
    found = minimize(
        lambda w: float(np.sum(w * np.log(12 * np.maximum(w, 1e-300)))), np.full(12, 1 / 12), method="SLSQP",
        bounds=[(1e-9, 1.0)] * 12, options={"ftol": 1e-14, "maxiter": 1000},
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1.0},
                     {"type": "eq", "fun": lambda w: (w @ constraints) / spread}],
    )  # fmt: skip
    assert found.success
    np.testing.assert_allclose(balance(values, moments, 100, "x").weights, found.x, atol=2e-6)


def test_the_published_moments_are_matched():
    """Weighted means and SDs of the reconstructed patients are the printed ones of those who did not come back."""
    absent = published_nonresponders()
    records = reconstruct(1).records
    values = {name: records[name].to_numpy(float) for name in records}
    found = balance(values, absent.moments, absent.n, absent.source)
    assert found.weights.sum() == pytest.approx(1.0)
    assert 100 < found.ess < 178
    for moment in absent.moments:
        mean = found.weights @ values[moment.column]
        assert mean == pytest.approx(moment.mean, rel=1e-9)
        if moment.sd is not None:
            square = found.weights @ (values[moment.column] - mean) ** 2
            assert np.sqrt(square * absent.n / (absent.n - 1)) == pytest.approx(moment.sd, rel=1e-9)


def test_moments_that_hold_already_leave_equal_weights():
    """Nothing to match, or what is there already: every patient counts once."""
    values = columns_of()
    own = Moment("age", float(values["age"].mean()), float(values["age"].std() * np.sqrt(100 / 99)))
    for moments in ([], [own]):
        found = balance(values, moments, 100, "x")
        np.testing.assert_allclose(found.weights, 1 / 40, rtol=1e-8)
        assert found.ess == pytest.approx(40)


def test_a_moment_said_twice_is_no_harder():
    """Redundant constraints leave the same weights: Newton's step is the least one."""
    values = columns_of()
    once = balance(values, [Moment("age", 47.0)], 100, "x")
    twice = balance({**values, "again": 2 * values["age"]}, [Moment("age", 47.0), Moment("again", 94.0)], 100, "x")
    np.testing.assert_allclose(twice.weights, once.weights, rtol=1e-7)


def test_missing_values_are_left_out_of_their_own_moment():
    """The weighted mean over the patients whose value is known is the target."""
    values = columns_of()
    values["age"][[3, 9]] = np.nan
    found = balance(values, [Moment("age", 47.0, 11.0), Moment("gender", 1.6)], 100, "x")
    known = ~np.isnan(values["age"])
    assert np.average(values["age"][known], weights=found.weights[known]) == pytest.approx(47.0)
    assert np.average(values["gender"], weights=found.weights) == pytest.approx(1.6)
    assert found.gaps == ("age",)


def test_moments_out_of_reach_are_named():
    """A mean beyond every value, an SD that the scale does not allow, a column that is not there, no value at all."""
    values = columns_of()
    out = problems_of(values, Moment("age", 150.0), Moment("gender", 1.5, 3.0), Moment("groups", 2.0))
    assert len(out) == 2
    assert out[0].startswith("moments.age.mean: no weights of the 40 patients")
    assert f"run from {values['age'].min():g} to {values['age'].max():g}" in out[0]
    assert out[1].startswith("moments.gender.sd:")
    (unknown,) = problems_of(values, Moment("height", 170.0))
    assert unknown.startswith("moments.height: the records of those who came back have no such column")
    assert "age, groups, gender" in unknown
    (nothing,) = problems_of({**values, "age": np.full(40, np.nan)}, Moment("age", 50.0))
    assert "no patient who came back has a value" in nothing


def test_moments_that_cannot_go_together_are_named():
    """Each can be reached alone: x and twice x cannot have means that differ by another factor."""
    values = columns_of()
    found = problems_of({**values, "again": 2 * values["age"]}, Moment("age", 47.0), Moment("again", 95.0))
    assert any(problem.startswith(("moments.age:", "moments.again:")) for problem in found)
    assert all("together with the other moments" in problem for problem in found)


def test_moments_on_the_edge_leave_patients_out():
    """All who did not come back had the same level: only patients with that level count, each the same."""
    found = balance({"x": np.array([0.0, 0.0, 1.0, 1.0, 1.0])}, [Moment("x", 1.0)], 10, "x")
    np.testing.assert_allclose(found.weights, [0, 0, 1 / 3, 1 / 3, 1 / 3], atol=1e-9)
    assert found.ess == pytest.approx(3.0)


def test_outside_the_hull_there_are_none():
    """Every row on one side of 0."""
    assert entropy_weights(np.array([[-1.0, 0.3], [-1.0, 0.1], [-0.2, -0.4]])) is None
