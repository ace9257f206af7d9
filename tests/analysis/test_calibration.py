"""Simulation-based calibration: its statistics on posteriors known to be right and wrong, and its bookkeeping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import bayes_sp as sp
from bayes_sp.analysis.calibration import simulated
from bayes_sp.analysis.calibration.simulated import LIKELIHOOD, RANKED, simulate_and_rank, without_limits
from bayes_sp.analysis.calibration.uniform import spread_out, uniformity
from bayes_sp.cli.main import OK, USER_MISTAKE, main
from bayes_sp.design import simulate as design_simulate
from bayes_sp.design.design import Design
from bayes_sp.design.elements import arrays_of
from bayes_sp.design.evaluate import chain_auxiliary, mean_predictor
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects import formulas
from bayes_sp.effects.comparisons.joined import all_effects
from bayes_sp.errors import RunError, SpecificationError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model, shipped_models

LAPLACE = sp.SamplerOptions(draws=1000, method="laplace", cores=1)
FEW = sp.SamplerOptions(draws=200, tune=200, chains=2, cores=1)
QUANTITIES = 12


def ranks_of_exact_posteriors(simulations: int, seed: int, *, narrow: float = 1.0) -> np.ndarray:
    """Return ranks of normal means with a normal prior, and of sums of them, among draws from the closed form."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(simulations, QUANTITIES))
    seen = truth + rng.normal(size=truth.shape)  # the posterior is N(seen / 2, 1 / 2)
    draws = seen[:, None] / 2 + narrow * np.sqrt(0.5) * rng.normal(size=(simulations, RANKED, QUANTITIES))
    truth, draws = np.cumsum(truth, axis=-1), np.cumsum(draws, axis=-1)  # quantities that go together
    return (draws < truth[:, None]).sum(axis=1)


def passes(ranks: np.ndarray, seed: int) -> bool:
    names = [str(k) for k in range(ranks.shape[1])]
    return bool(uniformity(names, spread_out(ranks, RANKED, seed))["calibrated"].all())


@pytest.mark.slow
def test_exact_posteriors_pass_as_often_as_they_should() -> None:
    """At most 5 % of studies find something where all is right: 177 of 200 are 4.6 standard errors below 190."""
    assert sum(passes(ranks_of_exact_posteriors(60, seed), seed) for seed in range(200)) >= 177


@pytest.mark.parametrize("narrow", [0.9, 1 / 0.9])
def test_posteriors_a_tenth_too_narrow_or_too_wide_are_found(narrow: float) -> None:
    """A thousand simulations see it, and say by how much."""
    ranks = ranks_of_exact_posteriors(1000, 1, narrow=narrow)
    table = uniformity([str(k) for k in range(QUANTITIES)], spread_out(ranks, RANKED, 1))
    assert not table["calibrated"].all()
    assert table["spread"].mean() == pytest.approx(1.0 / narrow, abs=0.06)
    kolmogorov = [stats.kstest(column, "uniform").statistic for column in spread_out(ranks, RANKED, 1).T]
    assert table["deviation"].to_numpy() == pytest.approx(kolmogorov)


def test_a_shifted_posterior_has_a_location() -> None:
    """Draws below the truth by half an SD are found, with the sign and the size."""
    rng = np.random.default_rng(3)
    ranks = (rng.normal(size=(200, RANKED, 1)) - 0.5 < rng.normal(size=(200, 1, 1))).sum(axis=1)
    table = uniformity(["a"], spread_out(ranks, RANKED, 3))
    assert not table["calibrated"].any()
    assert table["location"].item() == pytest.approx(0.5, abs=0.35)


@pytest.fixture(scope="module")
def survey() -> sp.Survey:
    return sp.reconstruct(seed=1)


@pytest.mark.slow
def test_a_quick_calibration_goes_on_where_it_was_stopped(survey: sp.Survey, tmp_path: Path) -> None:
    """Simulation k is the same whatever their number, in one process or two, and what is kept is not run again."""
    lines: list[str] = []
    first = sp.calibrate("process4", survey, simulations=20, options=FEW, workers=1, folder=tmp_path, seed=2)
    more = sp.calibrate(
        "process4", survey, simulations=24, options=FEW, workers=1, folder=tmp_path, seed=2, progress=lines.append
    )
    assert lines == ["24 of 24 simulations (20 taken from the store)"]
    assert more.ranks.iloc[:20].equals(first.ranks)
    assert {LIKELIHOOD, "total [difference]", "appointments_t1[group_change]"} <= set(more.ranks.columns)
    assert more.ranks.to_numpy().min() >= 0
    assert more.ranks.to_numpy().max() <= RANKED
    assert "30 quantities" in repr(more)
    with pytest.raises(RunError, match="another seed"):
        sp.calibrate("process4", survey, simulations=20, options=FEW, workers=1, folder=tmp_path, seed=3)
    (tmp_path / "ranks.csv").write_text("number\nx\n")
    with pytest.raises(RunError, match="not as it was written"):
        sp.calibrate("process4", survey, simulations=20, options=FEW, workers=1, folder=tmp_path, seed=2)


@pytest.mark.slow
def test_ranks_of_a_wrong_model_leave_their_limits(survey: sp.Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records in which the exposure's own effect is missing are told from those of the specification."""
    right = simulated.simulate_survey

    def without_term(model, given, parameters, **others):
        values = np.array(parameters["appointments_t1"])
        values[[term == "group_change" for term in model.terms(model.equations[-1])]] = 0.0
        return right(model, given, {**parameters, "appointments_t1": values}, **others)

    monkeypatch.setattr(simulated, "simulate_survey", without_term)
    found = sp.calibrate("process4", survey, simulations=60, options=FEW, workers=1)
    table = found.table.set_index("quantity")
    assert not table.loc["appointments_t1[group_change]", "calibrated"]
    assert table.loc["loneliness_t1[group_change]", "calibrated"]
    assert "appointments_t1[group_change]" in found.sentences()[0]


@pytest.mark.slow
def test_ranks_of_a_wrong_link_leave_their_limits(survey: sp.Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts whose mean is log(1 + exp(eta)) are told from those of a log link."""
    right = design_simulate.mean_predictor

    def softplus(model, design, j, at, values):
        eta = right(model, design, j, at, values)
        return np.log(np.logaddexp(0.0, eta)) if model.equations[j].response == model.outcome else eta

    def with_wrong_link(*given, **others):
        with monkeypatch.context() as patch:
            patch.setattr(design_simulate, "mean_predictor", softplus)
            return simulate_survey(*given, **others)

    monkeypatch.setattr(simulated, "simulate_survey", with_wrong_link)
    table = sp.calibrate("primary", survey, simulations=20, options=LAPLACE, workers=1).table.set_index("quantity")
    assert not table.loc["appointments_t1[intercept]", "calibrated"]
    assert not table.loc["appointments_t1[appointments_t0]", "calibrated"]
    assert table.loc["loneliness_t1[belonging_t1]", "calibrated"]


def simulated_total(model: PathModel, design: Design, truth: xr.Dataset, copies: int = 2000) -> np.ndarray:
    """Return the mean outcome of patients one group up minus that of none, (1, 1), from errors drawn once for both."""
    at = arrays_of(model, design, truth.isel(draw=np.zeros(copies, dtype=int)))
    errors = np.random.default_rng(1).standard_normal((2, 1, copies, design.n))
    means = []
    for u in (0.0, 1.0):
        values = {model.exposure: np.full(design.n, u)}
        for j, name in enumerate(model.mediators):
            sigma = chain_auxiliary(model, design, j, at)[..., :1]
            values[name] = mean_predictor(model, design, j, at, values) + sigma * errors[j]
        means.append(np.exp(mean_predictor(model, design, 2, at, values)).mean())
    return np.array([[means[1] - means[0]]])


@pytest.mark.slow
def test_a_wrong_sign_of_the_kappa_term_is_found(survey: sp.Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks of a simulated truth among effects see 2 kappa b1 b2 d sigma1^2 taken away, and nothing where it is added.

    A truth from the formula at fault would hide it. Priors are such that the term is not near 0.
    """
    right = formulas._variance

    def wrong(coefficients, *others):
        b1, b2, d = (coefficients.mediators[..., j, k] for j, k in ((2, 0), (2, 1), (1, 0)))
        return right(coefficients, *others) - 4.0 * b1 * b2 * d * coefficients.variance[..., 0]

    def quantities(model, design, posterior):
        if posterior.sizes["draw"] == 1:
            return dict.fromkeys(("added", "taken away"), simulated_total(model, design, posterior))
        added = all_effects(model, design, posterior).quantities()["total [difference]"]
        with monkeypatch.context() as patch:
            patch.setattr(formulas, "_variance", wrong)
            away = all_effects(model, design, posterior).quantities()["total [difference]"]
        return {"added": added, "taken away": away}

    own = {
        ("belonging_t1", "sigma"): ("lognormal", 0.0), ("loneliness_t1", "belonging_t1"): ("normal", -0.8),
        ("appointments_t1", "belonging_t1"): ("normal", -0.4), ("appointments_t1", "loneliness_t1"): ("normal", 0.4),
        ("appointments_t1", "group_change"): ("normal", 0.4),
    }  # fmt: skip
    priors = [(*place, Prior(name, (("mu", mu), ("sigma", 0.1)), "known well")) for place, (name, mu) in own.items()]
    model = load_model("primary")
    model = replace(model, priors=(*model.priors, *priors))
    assert [model.prior(*place) for place in own] == [prior for *_, prior in priors]
    monkeypatch.setattr(simulated, "quantities", quantities)
    table = sp.calibrate(model, survey, simulations=60, options=LAPLACE, workers=1).table.set_index("quantity")
    assert table["calibrated"].to_dict() == {"added": True, "taken away": False}


def test_no_limit_of_a_variable_refuses_what_its_likelihood_draws(survey: sp.Survey) -> None:
    """Scales have no ends for normal responses and counts, and no steps for bounded ones; ordered levels stay."""
    for name in shipped_models():
        model = load_model(name)
        twin = without_limits(model, survey)
        for equation in twin.equations:
            variable = twin.variable(equation.response)
            if equation.family in ("normal", "student_t", "latent_normal"):
                assert (variable.minimum, variable.maximum, variable.kind) == (None, None, "real"), name
            assert variable.maximum is None or equation.family in ("beta", "ordered_logit", "ordered_probit"), name
            assert variable.step == 0.0 or equation.family != "beta", name
    bounded = load_model("bounded")
    steps = [v.step for v in without_limits(bounded, survey, steps=True).variables]
    assert steps == [v.step for v in bounded.variables]
    assert max(steps) > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ordinal", "bounded", "latent", "hurdle"])
def test_specifications_with_scales_take_their_own_simulated_records(name: str, survey: sp.Survey) -> None:
    """Records from the prior are fitted, whatever they are like."""
    twin = without_limits(load_model(name), survey)
    assert [simulate_and_rank(twin, survey, number, seed=1, options=FEW).failure for number in range(3)] == [""] * 3


def test_what_cannot_be_calibrated_is_refused(survey: sp.Survey, in_folder: Path, capsys: pytest.CaptureFixture[str]):
    """Improper priors, too few simulations and a folder of others' files are named before anything runs."""
    model = load_model("process4")
    flat = Prior("flat", (), why="none")
    improper = replace(model, priors=tuple((r, name, flat if name == "slope" else p) for r, name, p in model.priors))
    with pytest.raises(SpecificationError, match="improper; nothing can be drawn"):
        sp.calibrate(improper, survey)
    with pytest.raises(ValueError, match="at least 20"):
        sp.calibrate("process4", survey, simulations=3)
    (in_folder / "mine").mkdir()
    (in_folder / "mine" / "notes.txt").write_text("x")
    (in_folder / "link").symlink_to(in_folder / "nowhere")
    for name in ("mine", "link"):
        assert main(["calibrate", "process4", "--simulations", "20", "--out", name]) == USER_MISTAKE
        assert "holds other files" in capsys.readouterr().err


def test_the_command_prints_and_saves(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Table, figure and ranks stand in one folder; the same command again fits nothing."""
    command = ["calibrate", "process4", "--simulations", "20", "--draws", "100", "--workers", "1", "--out", "here"]
    assert main(command) == OK
    assert "Nothing speaks against the calibration of 30 quantities over 20 simulations." in capsys.readouterr().out
    saved = sorted(path.name for path in (in_folder / "here").iterdir())
    assert saved == ["calibration.csv", "calibration.png", "ranks.csv", "ranks.json"]
