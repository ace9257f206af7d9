"""The verdict trips on each threshold, names what is worst, and passes clean draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from bayes_sp.analysis.criticism.diagnostics import _weak_measurements, diagnose
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import DIAGNOSTIC_COLUMNS


def made_up(chains: int = 4, draws: int = 1000, seed: int = 0) -> tuple[xr.DataTree, dict[str, np.ndarray]]:
    """Return independent draws of three coefficients and a residual SD, and of one effect."""
    rng = np.random.default_rng(seed)
    terms = ["intercept", "walks", "age"]
    posterior = xr.Dataset(
        {
            "mood": (("chain", "draw", "mood_term"), rng.standard_normal((chains, draws, 3))),
            "sigma": (("chain", "draw", "sigma_response"), np.exp(0.1 * rng.standard_normal((chains, draws, 1)))),
        },
        coords={"mood_term": terms, "sigma_response": ["mood"]},
    )
    stats = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros((chains, draws), dtype=bool)),
            "energy": (("chain", "draw"), rng.standard_normal((chains, draws))),
        }
    )
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
    return tree, {"total [difference]": rng.standard_normal((chains, draws))}


def autocorrelated(shape: tuple[int, int], step: float, seed: int = 1) -> np.ndarray:
    """Return slow chains that all wander over the same region."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        values[:, t] = (1 - step) * values[:, t - 1] + np.sqrt(1 - (1 - step) ** 2) * values[:, t]
    return values


def test_independent_draws_pass():
    """Four chains of independent draws give no reason for doubt."""
    verdict = diagnose(*made_up())
    assert verdict.trustworthy
    assert verdict.reasons == ()
    assert str(verdict).startswith("The fit passes every check: R-hat at most 1.00")
    assert verdict._repr_html_().startswith("<p><b>Trustworthy.</b>")


def test_every_parameter_and_effect_has_a_row():
    """The table names each scalar, and the numbers are the table's extremes."""
    verdict = diagnose(*made_up())
    assert tuple(verdict.table.columns) == DIAGNOSTIC_COLUMNS
    assert list(verdict.table["name"]) == [
        "mood[intercept]", "mood[walks]", "mood[age]", "sigma[mood]", "total [difference]",
    ]  # fmt: skip
    np.testing.assert_allclose(verdict.numbers["r_hat"], verdict.table["r_hat"].max())
    np.testing.assert_allclose(verdict.numbers["ess_bulk"], verdict.table["ess_bulk"].min())
    np.testing.assert_allclose(verdict.numbers["ess_tail"], verdict.table["ess_tail"].min())


def test_a_chain_elsewhere_trips_r_hat():
    """A chain that found another place is a reason, with the parameter's name."""
    tree, effects = made_up()
    tree["posterior"]["mood"].to_numpy()[2, :, 1] += 3.0
    verdict = diagnose(tree, effects)
    assert not verdict.trustworthy
    assert verdict.reasons[0].startswith("R-hat above 1.01 for 1 of 5 quantities (worst: mood[walks], 1.")
    assert str(verdict).startswith("DO NOT USE THESE RESULTS: R-hat above 1.01")
    assert "Not trustworthy" in verdict._repr_html_()


def test_slow_chains_trip_the_effective_sample_size():
    """Draws that hardly move count for few, in bulk and tails."""
    tree, _ = made_up()
    verdict = diagnose(tree, {"total [difference]": autocorrelated((4, 1000), 0.01)})
    assert any(reason.startswith("bulk ESS below 400 for 1 of 5 quantities (worst: total [difference], ")
               for reason in verdict.reasons)  # fmt: skip
    assert any(reason.startswith("tail ESS below 400 for 1 of 5") for reason in verdict.reasons)


def test_few_draws_trip_the_effective_sample_size():
    """Four times fifty independent draws are too few for tails, however well they mix."""
    verdict = diagnose(*made_up(draws=50))
    assert any("bulk ESS below 400 for 5 of 5" in reason for reason in verdict.reasons)


def test_many_divergences_are_a_reason():
    """More than 1 of 2,000 draws: the count and its share."""
    tree, effects = made_up()
    tree["sample_stats"]["diverging"].to_numpy()[1, [3, 8, 9]] = True
    verdict = diagnose(tree, effects)
    assert verdict.reasons == (
        "3 divergent transitions in 4,000 draws (0.075 %), more than 1 in 2,000: the chains avoid a place",
    )
    assert verdict.numbers["divergences"] == 3
    assert not verdict.trustworthy


def test_one_divergence_of_many_draws_is_told_and_condemns_nothing():
    """Up to 1 of 2,000 draws: the share, and when it matters; the fit can be used but does not pass in silence."""
    tree, effects = made_up()
    tree["sample_stats"]["diverging"].to_numpy()[1, 3] = True
    verdict = diagnose(tree, effects)
    assert verdict.trustworthy
    assert not verdict.clean
    assert verdict.cautions[0].startswith("1 divergent transition in 4,000 draws (0.025 %): ")
    assert str(verdict).startswith("Medians and intervals of this fit can be used: ")
    assert "BEWARE: 1 divergent transition" in str(verdict)
    assert "passes every check" not in str(verdict)


@pytest.mark.parametrize("seed", range(3))
def test_tails_too_heavy_for_a_mean_are_told(seed):
    """The draws of exp(z^2) with SD 1.6 have no mean (k = 2.6): every seed says so, and medians stand."""
    tree, effects = made_up(seed=seed)
    z = np.random.default_rng(seed).standard_normal((4, 1000))
    verdict = diagnose(tree, {**effects, "direct [difference]": np.sign(z) * np.expm1((1.6 * z) ** 2)})
    assert verdict.trustworthy
    (caution,) = verdict.cautions
    assert caution.startswith("an effect has tails too heavy for a mean (direct [difference]: mean ")
    assert verdict.numbers["effect_pareto_k"] > 1.0


def test_a_skewed_effect_has_a_mean():
    """A lognormal with SD 1 is skewed, and its mean exists: nothing is said."""
    tree, _ = made_up()
    z = np.random.default_rng(3).standard_normal((4, 1000))
    verdict = diagnose(tree, {"total [difference]": np.exp(z)})
    assert verdict.clean
    assert verdict.numbers["effect_pareto_k"] < 0.7
    assert verdict.numbers["mean_gap"] < 0.25


def test_an_effect_without_finite_draws_is_told():
    """Draws that overflow leave an infinite mean and Pareto k, and a median."""
    tree, effects = made_up()
    values = np.random.default_rng(4).standard_normal((4, 1000))
    values[2, :3] = np.inf
    verdict = diagnose(tree, {**effects, "direct [difference]": values})
    assert any("direct [difference]: mean inf" in caution for caution in verdict.cautions)
    assert verdict.numbers["effect_pareto_k"] == np.inf


def test_energy_that_hardly_moves_is_a_reason():
    """A chain whose energy changes little from draw to draw has a low E-BFMI; the chain is named."""
    tree, effects = made_up()
    tree["sample_stats"]["energy"].to_numpy()[3] = 10 * autocorrelated((1, 1000), 0.02)[0]
    verdict = diagnose(tree, effects)
    (reason,) = verdict.reasons
    assert reason.startswith("E-BFMI 0.0")
    assert reason.endswith("not above 0.3, in chain 3")
    assert verdict.numbers["e_bfmi"] < 0.3


@pytest.mark.parametrize("other", [0.0, 3.0])
def test_a_quantity_that_never_varies_is_a_reason(other):
    """A constant has no R-hat, and is named as worst whatever else is wrong."""
    tree, effects = made_up()
    tree["posterior"]["sigma"].to_numpy()[...] = 2.0
    tree["posterior"]["mood"].to_numpy()[0, :, 0] += other
    verdict = diagnose(tree, effects)
    assert not verdict.trustworthy
    assert "(worst: sigma[mood], not computable: a constant)" in verdict.reasons[0]


def test_one_chain_is_a_reason():
    """One chain cannot show that chains agree."""
    verdict = diagnose(*made_up(chains=1))
    assert verdict.reasons == ("R-hat compares chains, and there is one; use at least 2 (4 are better)",)


def test_draws_that_cannot_be_enough_are_a_reason_of_their_own():
    """Before the effective sample size of each quantity, which may by luck exceed the number of draws."""
    verdict = diagnose(*made_up(chains=4, draws=99))
    assert verdict.reasons[0] == "4 chains of 99 draws are fewer than the 400 effective draws that are needed"


@pytest.mark.parametrize(("beyond", "few"), [(14, True), (15, False)])
def test_a_laplace_approximation_of_few_patients_is_not_trusted(beyond, few):
    """Pareto k cannot see tails where there are no draws."""
    tree, effects = made_up()
    tree.attrs |= {"pareto_k": 0.3, "importance_ess": 3000.0, "least_known": "mood", "beyond": beyond}
    reasons = diagnose(tree, effects).reasons
    assert (reasons == ()) != few
    assert not few or '"mood" has 14; use --method nuts' in reasons[0]


def test_every_reason_is_given_at_once():
    """Several faults give several reasons, joined in one sentence."""
    tree, effects = made_up()
    tree["sample_stats"]["diverging"].to_numpy()[0, 0] = True
    tree["posterior"]["mood"].to_numpy()[2, :, 1] += 3.0
    verdict = diagnose(tree, effects)
    assert len(verdict.reasons) >= 2
    assert str(verdict).count("; ") == len(verdict.reasons) - 1


def test_a_low_reliability_is_named_beside_missed_thresholds():
    """With what cannot be told apart; not where every threshold is met, nor for a reliability that says enough."""
    shipped = load_model("latent")
    for reliability in (0.3, 0.8):
        equations = [replace(e, reliability=reliability if e.reliability else None) for e in shipped.equations]
        causes = list(_weak_measurements(replace(shipped, equations=tuple(equations))))
        assert len(causes) == (reliability == 0.3)
        assert all("reliability of 0.3" in cause and f"phi[{shipped.outcome}]" in cause for cause in causes)


def test_causes_in_the_records_are_said_where_sampling_failed():
    """Beside what is missed, and not in the verdict of a fit that passes."""
    posterior, effects = made_up()
    for chosen, said in ((effects, False), ({"total": autocorrelated((4, 1000), 0.05)}, True)):
        verdict = diagnose(posterior, chosen, causes=("site: 9 groups for 10 records.",))
        assert verdict.trustworthy != said
        assert ("; a likely cause: site: 9 groups for 10 records." in str(verdict)) == said
