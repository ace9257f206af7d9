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
    grid, target, kappa, ci_prob
        As in `bayes_sp.sensitivity.prior.grid.prior_grid`, which says what can be raised.
    runner
        Where the fits are made, and where their answers are kept.
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
    target, dial, low, high, rope, kappa, ci_prob, scan
        As in `bayes_sp.sensitivity.prior.tipping.prior_tipping_point`, which says what can be raised.
    runner
        Where the fits are made, and where their answers are kept.
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

    Parameters
    ----------
    fit
        What is asked; it is not fitted again.
    target, strengths, ci_prob
        As in `bayes_sp.sensitivity.confounder.confounding.confounding`, which says what can be raised.
    runner
        Where the fits are made, and where their answers are kept.
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
    shifts, target, kappa, ci_prob, refine
        As in `bayes_sp.sensitivity.missing.delta.delta_curve`, which says what can be raised.
    runner
        Where the fits are made, and where their answers are kept.
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
