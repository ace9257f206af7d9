"""What can be asked of a fit beside its path effects, asked through the fit itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayes_sp as sp
from bayes_sp.names import AVERAGE, DIFFERENCE, TOTAL

OPTIONS = sp.SamplerOptions(draws=100, chains=2)


@pytest.fixture(
    scope="module", params=["primary", *(pytest.param(name, marks=pytest.mark.slow) for name in ("ordinal", "zinb"))]
)
def fitted(request):
    return sp.fit(request.param, sp.reconstruct(seed=1), seed=3, options=OPTIONS)


def test_interventional_effects_add_up_to_the_total_of_the_paths(fitted):
    """Both decompositions are of the same difference of means, draw by draw."""
    parts = fitted.interventional_effects()["difference"]
    total = fitted.effects().draws[AVERAGE].sel(path=TOTAL, scale=DIFFERENCE)
    assert_allclose(parts.drop_sel(effect=TOTAL).sum("effect"), total, rtol=1e-6, atol=1e-8)
    assert_allclose(parts.sel(effect=TOTAL), total, rtol=1e-6, atol=1e-8)


def test_the_table_of_interventional_effects_summarises_their_draws(fitted):
    """Mean and interval of each effect are those of its draws."""
    draws = fitted.interventional_effects()["difference"]
    table = fitted.interventional_table(ci_prob=0.8).set_index("effect")
    assert list(table.index) == list(draws["effect"].to_numpy())
    for effect, row in table.iterrows():
        own = draws.sel(effect=effect).to_numpy()
        assert_allclose([row["mean"], row["lower"], row["upper"]], [own.mean(), *np.quantile(own, [0.1, 0.9])])


def test_a_dose_curve_passes_through_the_contrast(fitted):
    """At the contrast's second value the curve is the effect; at the first it is 0."""
    u0, u1 = fitted.model.contrast
    curve = fitted.dose_curve([u0, u1])[AVERAGE].sel(scale=DIFFERENCE)
    assert_allclose(curve.sel(exposure=u0), 0.0, atol=1e-8)
    assert_allclose(curve.sel(exposure=u1), fitted.effects().draws[AVERAGE].sel(scale=DIFFERENCE), rtol=1e-6, atol=1e-8)


def test_a_controlled_direct_effect_has_a_dim_for_each_mediator(fitted):
    """Stated values stand as coordinates; a mediator left out is refused by name."""
    found = fitted.controlled_direct_effect({"belonging_t1": 3, "loneliness_t1": [2.0, 3.0]})
    assert dict(found["difference"].sizes) == {"chain": 2, "draw": 100, "belonging_t1": 1, "loneliness_t1": 2}
    with pytest.raises(ValueError, match="loneliness_t1"):
        fitted.controlled_direct_effect({"belonging_t1": 3})


def test_a_lasting_sign_is_the_sign_of_the_posterior(fitted):
    """A sign that holds for every kappa is that of the table, where kappa is 1."""
    table = fitted.effects().table().query("scale == 'difference' and decomposition in ['', 'average']")
    for path, sign in fitted.robust_signs().items():
        row = table[table["path"] == path].iloc[0]
        if sign:
            assert np.sign(row["lower"]) == np.sign(row["upper"]) == sign
