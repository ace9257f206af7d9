"""Standardised effects, the share that is mediated, and a region that does not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayes_sp as sp
from bayes_sp.analysis.sized import Sized
from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import read_survey
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE, COEFFICIENT, DIFFERENCE, TOTAL, TOTAL_INDIRECT

FLAT = {"intercept": "flat", "slope": "flat", "sigma": "half_flat"}


def records(n: int = 400, slope: float = -0.8) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    walks = rng.poisson(3, n).astype(float)
    sleep = 5 + 0.4 * walks + rng.normal(0, 1, n)
    days = 12 + slope * sleep - 0.2 * walks + rng.normal(0, 1, n)
    return pd.DataFrame({"walks": walks, "kind": np.array(["a", "b", "c"])[(walks > 2) * 1 + (walks > 4)],
                         "sleep": sleep, "days": days, "flat": rng.normal(0, 1, n)})  # fmt: skip


def tables(**more):
    equations = [{"response": name, "family": "normal"} for name in ("sleep", "days")]
    priors = {name: {"dist": dist, "why": "reference"} for name, dist in FLAT.items()}
    own = {"title": "Walks", "exposure": "walks", "outcome": "days", "contrast": [0, 3]}
    return {**own, "equation": equations, "priors": priors, **more}


def sized(data: pd.DataFrame, **more) -> Sized:
    model = load_model(tables(**more))
    survey = read_survey(data, model)
    draws = exact_posterior(model, design_arrays(model, survey), seed=1, draws=300)
    return Sized(model, survey, xr.DataTree.from_dict({"posterior": draws}))


def test_standardised_effects_are_those_of_standardised_columns():
    """Partial ones are per unit of the exposure, complete ones the products of standardised least squares."""
    data = records()
    fit = sized(data)
    found = fit.standardised()
    coefficient = fit.effects().draws[AVERAGE].sel(scale=COEFFICIENT, path=TOTAL).to_numpy()
    table = found.table.set_index(["path", "size"])
    sd_y, sd_x = data["days"].std(), data["walks"].std()
    np.testing.assert_allclose(table.loc[(TOTAL, "partial"), "mean"], coefficient.mean() / sd_y)
    np.testing.assert_allclose(table.loc[(TOTAL, "complete"), "mean"], coefficient.mean() * sd_x / sd_y)
    scaled = data.assign(**{name: data[name] / data[name].std() for name in ("walks", "sleep", "days")})
    own = sp.bootstrap(tables(contrast=[0, 1]), scaled, replicates=2).table
    whole = own[(own["path"] == TOTAL) & (own["scale"] == COEFFICIENT)]["estimate"].iloc[0]
    assert table.loc[(TOTAL, "complete"), "mean"] == pytest.approx(whole, abs=0.02)
    assert found.notes == (f"One SD of the outcome is {sd_y:.4g}.", f"One SD of the exposure is {sd_x:.4g}.")


def test_a_category_has_partial_sizes_alone():
    """The difference between two levels in SDs of the outcome; a category has no SD."""
    data = records()
    own = tables(exposure="kind", exposures={"kind": {"levels": ["a", "b", "c"]}})
    del own["contrast"]
    model = load_model(own)
    survey = read_survey(data, model)
    draws = exact_posterior(model, design_arrays(model, survey), seed=1, draws=50)
    fit = Sized(model, survey, xr.DataTree.from_dict({"posterior": draws}))
    found = fit.standardised().table
    assert set(found["size"]) == {"partial"}
    total = fit.effects().draws[AVERAGE].sel(scale=DIFFERENCE, path="total [c against a]").to_numpy()
    row = found[found["path"] == "total [c against a]"].iloc[0]
    np.testing.assert_allclose(row["mean"], total.mean() / data["days"].std())


@pytest.mark.fixed_seed  # by chance it has one
def test_the_share_is_withheld_where_the_total_has_no_sign():
    """Else it is the ratio of draws; its median, interval and P(0 < share < 1)."""
    clear = sized(records())
    draws = clear.effects().draws[AVERAGE].sel(scale=DIFFERENCE)
    share = (draws.sel(path=TOTAL_INDIRECT) / draws.sel(path=TOTAL)).to_numpy()
    row = clear.proportion_mediated().table.iloc[0]
    np.testing.assert_allclose(
        [row["median"], row["prob_share"]], [np.median(share), np.mean((share > 0) & (share < 1))]
    )
    assert not clear.proportion_mediated().notes
    none = sized(records(), exposure="flat").proportion_mediated()
    assert np.isnan(none.table["median"].iloc[0])
    assert "the sign of the total is not known" in none.notes[0]


def test_the_region_is_stated_and_has_no_default():
    """Shares of the draws below, inside and above it, which add up to 1."""
    fit = sized(records(), practical={"lower": -0.5, "upper": 1.0, "why": "less than half a day"})
    total = fit.effects().draws[AVERAGE].sel(scale=DIFFERENCE, path=TOTAL).to_numpy()
    table = fit.practical().table.set_index("path")
    assert table.loc[TOTAL, "prob_below"] == np.mean(total < -0.5)
    np.testing.assert_allclose(table[["prob_below", "prob_inside", "prob_above"]].sum(axis=1), 1.0)
    assert "less than half a day" in fit.practical().notes[0]
    with pytest.raises(SpecificationError, match="there is none by default"):
        sized(records()).practical()
    with pytest.raises(SpecificationError, match="must hold 0"):
        load_model(tables(practical={"lower": 0.1, "upper": 1.0, "why": "no"}))
    with pytest.raises(SpecificationError, match='unknown size "standardized"; did you mean "standardised"'):
        load_model(tables(sizes=["standardized"]))


def test_counts_have_effects_for_an_sd_of_the_exposure(make_posterior, make_survey):
    """No effect in SDs of the outcome, with the reason; the rate ratio is exp of the coefficient times the SD."""
    model, survey = load_model("primary"), make_survey(60)
    fit = Sized(model, survey, make_posterior(model, design_arrays(model, survey)))
    found = fit.standardised()
    sd = survey.records["group_change"].std()
    coefficient = fit.effects().draws[AVERAGE].sel(scale=COEFFICIENT, path=TOTAL).to_numpy()
    row = found.table[
        (found.table["path"] == TOTAL) & (found.table["size"] == "rate_ratio per SD of the exposure")
    ].iloc[0]
    np.testing.assert_allclose(row["median"], np.median(np.exp(coefficient * sd)), rtol=1e-6)
    assert "follows from its mean" in found.notes[0]


def test_the_bootstrap_has_the_same_sizes():
    """Its estimates are those of standardised least squares; a share is the ratio of replicates, or withheld."""
    data = records()
    found = sp.bootstrap(tables(), data, replicates=60)
    complete = found.standardised().set_index(["size", "path"]).loc["complete"]
    scaled = data.assign(**{name: data[name] / data[name].std() for name in ("walks", "sleep", "days")})
    own = sp.bootstrap(tables(contrast=[0, 1]), scaled, replicates=60).table
    expected = own[own["scale"] == COEFFICIENT].set_index("path").loc[complete.index]
    for column in ("estimate", "lower", "upper"):  # the same resamples
        np.testing.assert_allclose(complete[column], expected[column], rtol=1e-9)
    share = found.proportion_mediated().iloc[0]
    by_name = dict(zip(found.names, found.estimate[:, found.scales.index(DIFFERENCE), -1], strict=True))
    assert share["estimate"] == pytest.approx(by_name[TOTAL_INDIRECT] / by_name[TOTAL], rel=1e-12)
    assert share["lower"] < share["estimate"] < share["upper"]
    x = np.column_stack([np.ones(len(data)), data[["walks", "sleep"]]])
    data["flat"] -= x @ np.linalg.lstsq(x, data["flat"], rcond=None)[0]  # a total of 0, whatever the draw
    flat = tables(outcome="flat", equation=[{"response": name, "family": "normal"} for name in ("sleep", "flat")])
    none = sp.bootstrap(flat, data, replicates=60).proportion_mediated().iloc[0]
    assert np.isnan(none["estimate"])
    assert "of resamples" in none["withheld"]
