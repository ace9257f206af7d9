"""Sensitivity analyses as a user asks a fit for them: its model, records, seed and options are not given again.

Of a fit to several sets of records they look at the first, and their marks say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.fit import Fit
from bayes_sp.calls import formerly
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.sensitivity.confounder import confounding as confounders
from bayes_sp.sensitivity.confounder.pairs import Strengths
from bayes_sp.sensitivity.crossings import Region
from bayes_sp.sensitivity.missing.delta import DeltaCurve, delta_curve
from bayes_sp.sensitivity.prior.grid import PriorGrid, prior_grid
from bayes_sp.sensitivity.prior.grid_file import Grid
from bayes_sp.sensitivity.prior.tipping import SCEPTICAL, TippingPoint, prior_tipping_point
from bayes_sp.sensitivity.target import Target
from bayes_sp.sensitivity.tipping_search import SCAN


def priors(
    fit: Fit,
    grid: Grid | str | Path | Mapping[str, Any] | None = None,
    *,
    target: Target | None = None,
    runner: Runner | None = None,
    kappa: float = 1.0,
    ci_prob: float = CI_PROB,
) -> PriorGrid:
    """Return the fit's effects under other priors.

    Parameters
    ----------
    fit
        What is asked; it is not fitted again.
    grid
        Name of a shipped grid, path of a TOML file, its tables, or a `Grid`; None for the named sets ``sceptical``,
        ``primary``, ``wide``, ``flat`` and ``published_informed`` (where it applies), and factors from 1/4 to 4 on the
        scales of the coefficients into the mediators crossed with those into the outcome.
    target
        The effect in question; by default the serial path's difference.
    runner
        Where the fits are made, and where their answers are kept.
    kappa, ci_prob
        Of the effects, and of their intervals.

    Returns
    -------
    PriorGrid

    Raises
    ------
    BayesSpError
        For a target that the specification does not have, before anything is fitted.
    SpecificationError
        Where the grid is wrong.
    FitError
        Where no fit succeeds; else a failed fit is one of ``failures``.
    """
    fit = fit.first
    runner = _knowing(fit, runner, kappa, ci_prob)
    return prior_grid(fit.model, fit.survey, grid, target=target, kappa=kappa, ci_prob=ci_prob, **_as(fit, runner))


def tipping_point(
    fit: Fit,
    *,
    target: Target | None = None,
    dial: str = SCEPTICAL,
    low: float | None = None,
    high: float | None = None,
    rope: Region | None = None,
    runner: Runner | None = None,
    kappa: float = 1.0,
    ci_prob: float = CI_PROB,
    scan: int = SCAN,
) -> TippingPoint:
    """Find the prior at which the interval of an effect first includes no effect, or first excludes it.

    Parameters
    ----------
    fit
        What is asked; it is not fitted again.
    target
        The effect in question; by default the serial path's difference.
    dial
        ``sceptical``, a factor on the scales of the priors of all coefficients along the path, centred at 0; a
        constant of a prior, ``slope.sigma`` or ``visits.slope.mu``; or a factor on the scales of a group's priors:
        ``paths``, ``paths_to_mediators``, ``paths_to_outcome``, ``covariates``, ``coefficients``.
    low, high
        Values searched; by default a thousandth to ten times the value as written (and for ``sceptical`` further down,
        until something changes), or ten scales on either side of a location.
    rope
        Region of practical equivalence (from, to) in place of no effect, on the target's scale.
    runner
        Where the fits are made, and where their answers are kept.
    kappa, ci_prob
        Of the effects, and of their intervals.
    scan
        Values of the scan.

    Returns
    -------
    TippingPoint

    Raises
    ------
    BayesSpError
        For a dial that the specification does not have, or flat priors along the path, which have no scale.
    ValueError
        For a range that does not hold the dial's value as written, or a rope that does not increase.

    References
    ----------
    Matthews (2001), Journal of Statistical Planning and Inference 94, 43-58. doi:10.1016/S0378-3758(00)00232-9
    """
    fit = fit.first
    return prior_tipping_point(
        fit.model, fit.survey, target=target, dial=dial, low=low, high=high, rope=rope, kappa=kappa, ci_prob=ci_prob,
        scan=scan, **_as(fit, _knowing(fit, runner, kappa, ci_prob)),
    )  # fmt: skip


def _is_no_fit(*args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 - arguments of an earlier release
    return "model" in kwargs or bool(args and not isinstance(args[0], Fit))


@formerly(_is_no_fit, confounders.confounding, "sensitivity.confounding(fit)")
def confounding(
    fit: Fit,
    *,
    target: Target | None = None,
    strengths: Strengths | None = None,
    runner: Runner | None = None,
    ci_prob: float = CI_PROB,
) -> confounders.Confounding:
    """Say what it would take of an unmeasured confounder to take the sign of an effect away.

    U ~ N(0, 1) for each patient adds its strengths times U to the linear predictors of two responses, for every pair
    whose common cause would bias the target.

    Parameters
    ----------
    fit
        What is asked; it is not fitted again.
    target
        The effect in question; by default the serial path's difference.
    strengths
        ``{response: strengths > 0}`` or ``{response: Prior}`` of at least two responses, on the scales of their linear
        predictors; None for three levels up to 0.8 times what is unexplained.
    runner
        Where the fits are made, and where their answers are kept.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    Confounding

    Raises
    ------
    BayesSpError
        For strengths or targets that the specification does not have, and where no confounder could bias the target.

    References
    ----------
    McCandless & Gustafson (2017), Statistics in Medicine 36. doi:10.1002/sim.7298
    VanderWeele (2010), Epidemiology 21, 540-551. doi:10.1097/EDE.0b013e3181df191c
    """
    fit = fit.first
    return confounders.confounding(
        fit.model, fit.survey, target=target, strengths=strengths, ci_prob=ci_prob, fitted=fit,
        **_as(fit, _knowing(fit, runner, 1.0, ci_prob)),
    )  # fmt: skip


def delta(
    fit: Fit,
    shifts: Mapping[str, Sequence[float]] | None = None,
    *,
    target: Target | None = None,
    runner: Runner | None = None,
    kappa: float = 1.0,
    ci_prob: float = CI_PROB,
    refine: bool = True,
) -> DeltaCurve:
    """Shift the missing responses of a fit's records step by step: what if they are not missing at random.

    Parameters
    ----------
    fit
        What is asked; it is not fitted again where its specification has no shift of its own.
    shifts
        ``{response: deltas}``, ascending, in the response's unit on an identity link, else on the scale of the log
        rate, log mean, log odds or probit; 0 is always among them. By default every response with missing cells.
    target
        The effect in question; by default the serial path's difference, else the total indirect one.
    runner
        Where the fits are made, and where their answers are kept.
    kappa, ci_prob
        Of the effects, and of their intervals.
    refine
        Find tipping points by further fits, with the range that Monte Carlo error leaves open; False for linear
        interpolation between the fits that there are.

    Returns
    -------
    DeltaCurve

    Raises
    ------
    BayesSpError
        Where no response is missing, for shifts that cannot be made, and for an effect that the specification does
        not have.
    FitError
        Where the fit without a shift has no answer.
    """
    fit = fit.first
    return delta_curve(
        fit.model, fit.survey, shifts, target=target, kappa=kappa, ci_prob=ci_prob, refine=refine,
        **_as(fit, _knowing(fit, runner, kappa, ci_prob)),
    )  # fmt: skip


def _knowing(fit: Fit, runner: Runner | None, kappa: float, ci_prob: float) -> Runner:
    """Return a runner that need not fit what is fitted already."""
    runner = runner or Runner()
    runner.learn(fit, fit.effects(kappa=kappa), ci_prob=ci_prob)
    return runner


def _as(fit: Fit, runner: Runner) -> dict[str, Any]:
    return {"seed": fit.seed, "options": fit.options, "runner": runner}
