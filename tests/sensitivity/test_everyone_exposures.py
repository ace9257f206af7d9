"""Those who did not come back where a category, or several exposures, are compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.errors import BayesSpError, SurveyError
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE, DIFFERENCE, RATE_RATIO, TOTAL
from bayes_sp.sensitivity import attrition, nonresponders_from_moments, nonresponders_from_records
from bayes_sp.sensitivity.missing.curves import attrition_curves
from bayes_sp.sensitivity.missing.departures import departures
from bayes_sp.sensitivity.missing.mixture import patterns
from bayes_sp.sensitivity.target import Target, viewed_fit

N, ABSENT = 120, 30
FEW = sp.SamplerOptions(draws=25, tune=150, chains=2, cores=1)
WEAK = {"dist": "normal", "mu": 0, "sigma": 1, "why": "a test"}
TABLES = {
    "title": "Hours and kind of group",
    "exposure": "hours",
    "outcome": "visits",
    "exposures": {"hours": {"contrast": [1, 3]}, "kind": {"levels": [1, 2, 3], "pairs": [[1, 3], [3, 2]]}},
    "joint": {"hours": [1, 3], "kind": [2, 3]},
    "variables": {"mood": {"center": 0.5}},
    "covariates": {"age": {"center": 50, "scale": 10}},
    "equation": [
        {"response": "mood", "family": "normal"},
        {"response": "visits", "family": "negative_binomial", "products": ["kind:hours"]},
    ],
    "priors": {
        "intercept": WEAK, "slope": WEAK, "sigma": {"dist": "half_normal", "sigma": 1, "why": "a test"},
        "phi": {"dist": "lognormal", "mu": 0, "sigma": 1, "why": "a test"},
    },
}  # fmt: skip
HOURS, SWITCH, BOTH = "hours: 3 against 1", "kind: 2 against 3", "together"
MOVES = {HOURS: {"hours": (1, 3)}, SWITCH: {"kind": (3, 2)}, BOTH: {"hours": (1, 3), "kind": (2, 3)}}


def people(n: int, seed: int, older: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    kind, age = rng.integers(1, 4, n), np.round(rng.normal(50 + older, 10, n))
    return pd.DataFrame({"hours": np.round(rng.gamma(4, 0.5, n), 1), "kind": kind, "age": age})


@pytest.fixture(scope="module")
def fit():
    """Return a fit of few draws: what is tested holds for each."""
    records, rng = people(N, 1, 0.0), np.random.default_rng(2)
    mood = 0.3 * records["hours"] + 0.3 * (records["kind"] == 3) + 0.7 * rng.normal(size=N)
    eta = 0.5 + 0.4 * mood - 0.1 * records["hours"] + 0.02 * (records["age"] - 50)
    records = records.assign(mood=mood, visits=rng.poisson(np.exp(eta)))
    return sp.fit(load_model(TABLES, name="clinic"), records, seed=1, options=FEW)


@pytest.fixture(scope="module")
def absent(fit):
    return nonresponders_from_records(fit.model, people(ABSENT, 5, 12.0))


def coefficients(fit, draw: int) -> tuple[dict[str, dict[str, float]], float, float]:
    """Return each equation's coefficients by name, the SD of mood, and the size of the counts, at one draw."""
    draws = fit.posterior["posterior"].to_dataset().isel(chain=1, draw=draw)
    names = ("mood", "visits")
    found = {r: dict(zip(draws[f"{r}_term"].to_numpy(), draws[r].to_numpy(), strict=True)) for r in names}
    sigma, phi = (float(draws[name].to_numpy().ravel()[0]) for name in ("sigma", "phi"))
    return found, sigma, phi


def linear(c: dict[str, float], rows: pd.DataFrame, mood=None):
    """Return a linear predictor by hand."""
    two, three, hours = rows["kind"] == 2, rows["kind"] == 3, rows["hours"]
    eta = c["intercept"] + c["hours"] * hours + c["kind[2]"] * two + c["kind[3]"] * three
    eta += c["age"] * (rows["age"] - 50) / 10
    if mood is None:
        return eta.to_numpy()
    eta += c["kind[2]:hours"] * two * hours + c["kind[3]:hours"] * three * hours
    return eta.to_numpy() + c["mood"] * (mood - 0.5)


def means(fit, draw, rows, direct, through, added: float = 0.0):
    """E Y of each row where the outcome sees one world and mood the other; ``added`` to mood in the latter."""
    c, sigma, _ = coefficients(fit, draw)
    eta = linear(c["visits"], rows.assign(**direct), linear(c["mood"], rows.assign(**through)) + added)
    return np.exp(eta + 0.5 * (c["visits"]["mood"] * sigma) ** 2)


@pytest.mark.parametrize("label", MOVES)
def test_effects_over_everyone_are_the_closed_form(fit, absent, label):
    """What moves goes from and to for everybody; the other exposure is as observed, also among those who are absent."""
    found = attrition(fit, absent, target=Target(f"{TOTAL} [{label}]"), points=3)
    groups = {"responders": fit.survey.records, "nonresponders": absent.records}
    groups["all"] = pd.concat(list(groups.values()), ignore_index=True)
    old, new = ({name: ends[k] for name, ends in MOVES[label].items()} for k in (0, 1))
    for name, rows in groups.items():
        for draw in (0, 7):
            worlds = [means(fit, draw, rows, a, b).mean() for a, b in ((old, old), (new, old), (new, new))]
            own = found.effects[name].draws[AVERAGE].isel(chain=1, draw=draw)
            total = own.sel(path=TOTAL)
            np.testing.assert_allclose(total.sel(scale=DIFFERENCE), worlds[2] - worlds[0], rtol=1e-9)
            np.testing.assert_allclose(total.sel(scale=RATE_RATIO), worlds[2] / worlds[0], rtol=1e-9)
    own = fit.effects().draws[AVERAGE].sel(path=f"{TOTAL} [{label}]", scale=[DIFFERENCE, RATE_RATIO])
    expected = found.effects["responders"].draws[AVERAGE].sel(path=TOTAL, scale=[DIFFERENCE, RATE_RATIO])
    np.testing.assert_allclose(expected, own, rtol=1e-9)


EDGES = {HOURS: "hours -> mood", SWITCH: "kind -> mood", BOTH: "hours + kind -> mood"}
ADDS = {
    HOURS: lambda c: c["hours"],
    SWITCH: lambda c: c["kind[2]"] - c["kind[3]"],
    BOTH: lambda c: 2 * c["hours"] + c["kind[3]"] - c["kind[2]"],
}


@pytest.mark.parametrize("label", MOVES)
def test_a_moved_slope_is_what_the_move_adds(fit, absent, label):
    """Delta is added to mood in the second world alone; of a number per unit, about its centre, which is 0."""
    view, target = viewed_fit(fit, Target(f"{TOTAL} [{label}]"))
    both = patterns(view, absent, 1.0)
    (departure,) = departures(both, target, {}, {EDGES[label]: (-0.4, 0.4)})
    curves = attrition_curves(both, (departure,), 0.95)
    moved = both.others_means(curves.others, departure.at(0.4), curves.quadrature)
    found = curves.draws(moved)[:, curves.paths.index(TOTAL), curves.scales.index(DIFFERENCE)].reshape(2, 25)
    first, last = (1.0, 3.0) if label == HOURS else (0.0, 1.0)
    old, new = ({name: ends[k] for name, ends in MOVES[label].items()} for k in (0, 1))
    for draw in (0, 7):
        ends = ((old, old, 0.4 * first), (new, new, 0.4 * last))
        low, high = (means(fit, draw, absent.records, *end).mean() for end in ends)
        np.testing.assert_allclose(found[1, draw], high - low, rtol=1e-9)
    draws = fit.posterior["posterior"].to_dataset()["mood"].mean(("chain", "draw"))
    slope = ADDS[label](dict(zip(draws["mood_term"].to_numpy(), draws.to_numpy(), strict=True)))
    np.testing.assert_allclose(departure.slope, slope, rtol=1e-9)


@pytest.mark.slow
def test_everyone_is_a_simulation(fit, absent):
    """A million potential outcomes of all who were asked, mood and counts drawn, within 4 Monte Carlo errors."""
    rows = pd.concat([fit.survey.records[absent.records.columns], absent.records], ignore_index=True)
    rows = rows.loc[rows.index.repeat(10**6 // len(rows))].reset_index(drop=True)
    rng, draw = np.random.default_rng(3), 7
    c, sigma, phi = coefficients(fit, draw)
    counts = []
    error = rng.normal(0.0, sigma, len(rows))
    for world in ({"kind": 3}, {"kind": 2}):
        seen = rows.assign(**world)
        mu = np.exp(linear(c["visits"], seen, linear(c["mood"], seen) + error))
        counts.append(rng.negative_binomial(phi, phi / (phi + mu)))
    pairs = counts[1] - counts[0]
    found = attrition(fit, absent, target=Target(f"{TOTAL} [{SWITCH}]"), points=3).effects["all"].draws[AVERAGE]
    exact = float(found.isel(chain=1, draw=draw).sel(path=TOTAL, scale=DIFFERENCE))
    assert abs(pairs.mean() - exact) < 4.0 * pairs.std(ddof=1) / np.sqrt(len(pairs))


def test_every_effect_has_its_departures(fit, absent):
    """Levels of both responses and slopes of the target's edges, from what moves and through mood, with sentences."""
    found = attrition(fit, absent, target=Target(f"hours -> mood -> visits [{HOURS}]"), points=3)
    names = [departure.name for departure in found.departures]
    assert names == [
        "level of mood", "level of visits", "all levels together", "slope hours -> mood", "slope mood -> visits",
    ]  # fmt: skip
    assert found.curves.attrs["contrast"] == [1.0, 3.0]
    assert "hours at 0, mood at 0.5" in found.notes[-1]
    switched = attrition(fit, absent, target=Target(f"{TOTAL} [{SWITCH}]"), points=3)
    assert "kind at 3, where it moves from, mood at 0.5" in switched.notes[-1]
    assert all(tip.sentence for tip in switched.tipping)


def test_moments_of_the_others_say_what_stays_as_observed(fit):
    """The other exposure of those who came back, weighted; what moves is not among what is taken as theirs."""
    known = nonresponders_from_moments({"n": 40, "source": "a register", "moments": {"kind": {"mean": 2.3}}})
    found = attrition(fit, known, target=Target(f"{TOTAL} [{HOURS}]"), points=3)
    assert "kind of those who did not come back is known" in found.notes[1]
    assert found.notes[2].startswith("age: taken to be as among those who came back")
    rows = fit.survey.records
    weights = patterns(viewed_fit(fit, Target(f"{TOTAL} [{HOURS}]"))[0], known, 1.0).balanced.weights
    np.testing.assert_allclose(np.average(rows["kind"], weights=weights), 2.3, rtol=1e-6)
    low, high = (means(fit, 3, rows, {"hours": h}, {"hours": h}) for h in (1, 3))
    expected = np.average(high - low, weights=weights)
    own = found.effects["nonresponders"].draws[AVERAGE].isel(chain=1, draw=3).sel(path=TOTAL, scale=DIFFERENCE)
    np.testing.assert_allclose(float(own), expected, rtol=1e-8)


def test_what_must_be_known_of_them_is_said(fit, absent, tmp_path):
    """An exposure that stays as observed, with its column; what moves need not be known; unknown effects as ever."""
    without = nonresponders_from_records(fit.model, absent.records.assign(hours=np.nan))
    assert list(without.records) == ["age", "kind"]
    target = Target(f"{TOTAL} [{HOURS}]")
    known, unknown = (attrition(fit, one, target=target, points=3).effects["all"].draws for one in (absent, without))
    np.testing.assert_allclose(unknown[AVERAGE], known[AVERAGE], rtol=1e-12)
    with pytest.raises(SurveyError, match='column "hours" is missing, or empty: effects of kind leave hours as obs'):
        attrition(fit, without, target=Target(f"{TOTAL} [{SWITCH}]"), points=3)
    path = tmp_path / "others.csv"
    absent.records.drop(columns="hours").to_csv(path, index=False)
    assert list(nonresponders_from_records(fit.model, path).records) == ["age", "kind"]
    with pytest.raises(SurveyError, match=r"kind.*9"):
        nonresponders_from_records(fit.model, absent.records.assign(kind=[9, *absent.records["kind"][1:]]))
    with pytest.raises(BayesSpError, match='slopes: has no "kind -> mood"; did you mean "hours -> mood"'):
        attrition(fit, absent, target=Target(f"{TOTAL} [{HOURS}]"), slopes={"kind -> mood": (0, 1)}, points=3)
    with pytest.raises(BayesSpError, match="has no path"):
        attrition(fit, absent, target=Target(TOTAL))
