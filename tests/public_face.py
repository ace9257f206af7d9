"""A user's script with types: ``mypy`` reads it strictly, so that the public face is typed for those who import it."""

from __future__ import annotations

from typing import assert_type

import bayes_sp as sp
from bayes_sp.effects.paths import Effects


def analysis(file: str) -> float:
    """Ask everything that a user asks, with the types that a user sees."""
    model = sp.load_model("primary")
    assert_type(model, sp.PathModel)
    survey = sp.read_survey(file, model)
    assert_type(survey, sp.Survey)
    fit = sp.fit(model, survey, seed=1, options=sp.SamplerOptions(draws=500), progress=True)
    assert_type(fit, sp.Fit)
    effects = fit.effects(kappa=0.5)
    assert_type(effects, Effects)
    sp.plot.paths(fit).set_title("Paths")
    sp.plot.comparison(fit.compare()).set_title("Comparison")
    sp.plot.prior_check(sp.prior_predictive("primary", survey, seed=1).check())
    found = sp.sensitivity.confounding(fit, runner=sp.sensitivity.Runner(store="cells"))
    sentences: list[str] = found.sentences()
    tipping: float = sp.sensitivity.tipping_point(fit).value
    several = sp.compare_models(["primary", "reversed"], sp.reconstruct(seed=1), seed=1)
    resampled = sp.bootstrap(model, survey, seed=1, replicates=200)
    whole = sp.sensitivity.all(fit, ["kappa"], nonresponders=sp.sensitivity.published_nonresponders())
    right: bool = sp.calibrate(model, survey, simulations=20, folder="ranks").calibrated
    better: float = fit.loo().compare(fit.loo()).se
    try:
        fit.without(0)
    except sp.BayesSpError as error:
        reasons: tuple[str, ...] = error.problems
        raise SystemExit("; ".join(reasons)) from error
    words: list[str] = [several.sentence, *resampled.notes, str(right), *sentences, *whole.refused.values()]
    return tipping + better + len(words)


def mistakes(fit: sp.Fit) -> None:
    """Hold mistakes that a type checker must see: an ignore that is not needed is an error."""
    sp.fit()  # type: ignore[call-overload]  # the checker is to complain
    sp.bootstrap("primary")  # type: ignore[call-arg]  # the checker is to complain
    sp.sensitivity.kappa("primary")  # type: ignore[arg-type]  # the checker is to complain
    fit.effects(kapa=1.0)  # type: ignore[call-arg]  # the checker is to complain
