"""Effects over kappa."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.names import AVERAGE, DIFFERENCE, RATE_RATIO, TOTAL
from bayes_sp.sensitivity.coupling import kappa_curve

FEW = SamplerOptions(draws=100, tune=100, chains=2)
VIA_FIRST = "group_change -> belonging_t1 -> appointments_t1"


@pytest.fixture(scope="module")
def fit():
    return sp.fit("primary", sp.reconstruct(1), options=FEW)


@pytest.fixture(scope="module")
def curve(fit):
    return kappa_curve(fit, (0.0, 0.25, 0.5, 0.75, 1.0))


def test_each_kappa_is_what_the_fit_says_at_that_kappa(fit, curve):
    """A row of the curve is a row of the effects' own table."""
    for kappa, own in curve.table.groupby("kappa"):
        expected = fit.effects(kappa=kappa).table()[list(own.columns)]
        pd.testing.assert_frame_equal(own.reset_index(drop=True), expected, check_exact=True)


def test_the_split_moves_by_the_closed_form_and_the_total_does_not(fit, curve):
    """The log rate ratio of the path through the first mediator alone moves by (kappa - 1) b1 b2 d sigma1^2."""
    draws = fit.posterior["posterior"]
    slopes = draws["appointments_t1"]
    b1 = slopes.sel(appointments_t1_term="belonging_t1", drop=True)
    b2 = slopes.sel(appointments_t1_term="loneliness_t1", drop=True)
    d = draws["loneliness_t1"].sel(loneliness_t1_term="belonging_t1", drop=True)
    variance = draws["sigma"].sel(sigma_response="belonging_t1", drop=True) ** 2
    at_one = np.log(fit.effects().draws["alone"].sel(path=VIA_FIRST, scale=RATE_RATIO, drop=True))
    expected = np.exp(at_one - b1 * b2 * d * variance).mean()
    found = curve.dataset["mean"].sel(kappa=0.0, path=VIA_FIRST, scale=RATE_RATIO, decomposition="alone")
    assert float(found) == pytest.approx(float(expected), rel=1e-10)
    total = curve.dataset["median"].sel(path=TOTAL, scale=DIFFERENCE, decomposition="")
    assert np.ptp(total.to_numpy()) < 1e-12


def test_the_band_holds_every_interval(curve):
    """The band of an effect runs from the lowest lower to the highest upper limit."""
    own = curve.table[(curve.table["path"] == VIA_FIRST) & (curve.table["scale"] == DIFFERENCE)]
    own = own[own["decomposition"] == AVERAGE]
    row = curve.band.set_index(["path", "scale", "decomposition"]).loc[(VIA_FIRST, DIFFERENCE, AVERAGE)]
    assert row["lower"] == own["lower"].min() < own["lower"].max()
    assert row["upper"] == own["upper"].max()
    assert row["lowest_median"] < row["highest_median"]
    ratio = curve.band[(curve.band["scale"] == RATE_RATIO) & curve.band["one_side"]]
    assert ((ratio["lower"] > 1) | (ratio["upper"] < 1)).all()


def test_the_findings_are_about_the_serial_effect(fit, curve):
    """One finding for each kappa, the last one the fit's own serial effect."""
    table = fit.effects().table()
    serial = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
    own = table[(table["path"] == serial) & (table["scale"] == DIFFERENCE) & (table["decomposition"] == AVERAGE)]
    found = curve.findings()
    assert [finding.case for finding in found] == [f"kappa = {k:g}" for k in (0, 0.25, 0.5, 0.75, 1)]
    assert found[-1].estimate.median == own["median"].item()
    assert found[-1].estimate.sign() == (-1 if own["upper"].item() < 0 else 0)


def test_under_an_identity_link_kappa_does_nothing():
    """A linear chain's effects are products of coefficients."""
    curve = kappa_curve(sp.fit("process6", sp.reconstruct(1), options=FEW), (0.0, 1.0))
    assert (curve.band["highest_median"] == curve.band["lowest_median"]).all()


@pytest.mark.parametrize("kappas", [(), (0.5, 0.5), (-0.1,), (0.5, 1.5), (float("nan"),)])
def test_kappas_that_cannot_be_are_refused(fit, kappas):
    """Kappa is between 0 and 1, and one is needed."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        kappa_curve(fit, kappas)


def test_the_result_says_where_it_comes_from(fit, curve):
    """Seed, digest, specification and what the records are travel with the numbers."""
    attrs = curve.dataset.attrs
    assert attrs["seed"] == 1
    assert attrs["data_digest"] == fit.survey.digest
    assert "reconstructed from published moments" in attrs["data_source"]
    assert "reconstructed from published moments" in curve._repr_html_()
