"""Every sensitivity analysis of one fit, and what they say together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.analysis.fit import Fit, fit
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import BayesSpError, FitError, RunError, RunnerError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import Notify, silent
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import ATTRITION, CONFOUNDING, KAPPA, PARTS, PRIORS
from bayes_sp.records.nonresponders import NonResponders
from bayes_sp.records.published.referred import published_nonresponders
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.conclusion import Verdicts, tipping_summary, verdict_lines, verdicts
from bayes_sp.sensitivity.confounder.confounding import Confounding, confounding
from bayes_sp.sensitivity.confounder.e_values import EValues, e_values
from bayes_sp.sensitivity.coupling import KappaCurve, kappa_curve
from bayes_sp.sensitivity.missing.attrition import Attrition, attrition
from bayes_sp.sensitivity.missing.delta import DeltaCurve, delta_curve
from bayes_sp.sensitivity.power.overlap import prior_overlap
from bayes_sp.sensitivity.power.power import power_scaling
from bayes_sp.sensitivity.power.result import PowerScaling
from bayes_sp.sensitivity.prior.grid import PriorGrid, prior_grid
from bayes_sp.sensitivity.prior.grid_file import Grid
from bayes_sp.sensitivity.prior.tipping import TippingPoint, prior_tipping_point
from bayes_sp.sensitivity.target import Estimate, Finding, Target, estimate_of, target_of, viewed_fit
from bayes_sp.shown import Part, Shown


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Shown):
    """One fit and what became of every analysis that was asked for; None where one was not, or could not be made.

    Attributes
    ----------
    fit, effects, verdict
        The specification's own fit.
    target, base
        The effect in question, and the fit's own estimate of it.
    asked
        Which of ``PARTS`` were asked for.
    power, overlap, grid, tipping
        Other priors: weighed, prior against posterior, refitted, and the one at which the conclusion changes.
    kappa
        Every effect over kappa.
    confounding, e_values
        A confounder that nobody measured.
    attrition
        Those who did not come back, where the survey does not hold their rows.
    delta
        Those who did not come back, where it does.
    refused
        Analysis -> why it could not be made.
    unfitted
        Whether one of these is refused because nothing of it could be fitted.
    seconds
        Wall time of each part.
    """

    fit: Fit
    effects: Effects
    verdict: Verdict
    target: Target
    base: Estimate
    asked: tuple[str, ...]
    power: PowerScaling | None = None
    overlap: pd.DataFrame | None = None
    grid: PriorGrid | None = None
    tipping: TippingPoint | None = None
    kappa: KappaCurve | None = None
    confounding: Confounding | None = None
    e_values: EValues | None = None
    attrition: Attrition | None = None
    delta: DeltaCurve | None = None
    refused: dict[str, str] = field(default_factory=dict)
    unfitted: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def findings(self) -> list[Finding]:
        """Return what each case of each analysis says about the target."""
        found = [] if self.power is None else self.power.findings(self.target)
        parts = (self.grid, self.kappa, self.confounding, self.attrition, self.delta)
        return [*found, *(finding for part in parts if part is not None for finding in part.findings())]

    def tipping_summary(self) -> list[str]:
        """Return what it would take for the target's interval to reach no effect, a clause for each analysis."""
        return tipping_summary(self.fit.model, self.tipping, self.confounding, self.attrition)

    def verdicts(self) -> list[Verdicts]:
        """Return which cases keep the sign of the target, and which do not."""
        return verdicts(self.findings(), self.base, self.target)

    @property
    def failed(self) -> bool:
        """Whether a fit failed, or failed its diagnostics, in a case, a crossing, a grid of strengths or a curve."""
        grids = [*([] if self.grid is None or not self.grid.keys else [self.grid.crossed]),
                 *([] if self.confounding is None else self.confounding.surfaces.values()),
                 *([] if self.delta is None else [self.delta.curves])]  # fmt: skip
        doubtful = any(f.estimate is not None and not f.estimate.trustworthy for f in self.findings())
        doubtful = doubtful or not all(bool(grid["trustworthy"].all()) for grid in grids)
        refitted = (self.grid, self.tipping, self.confounding)
        failures = any(part.failures for part in refitted if part is not None)
        return doubtful or failures or self.unfitted or not self.verdict.trustworthy

    def _shown(self) -> tuple[str, list[Part]]:
        effect = f"{self.target.path} [{self.target.scale}]: {self.base.median:.3g}"
        head = f"{self.fit.survey.mark}. {effect} [{self.base.lower:.3g}, {self.base.upper:.3g}]"
        held = verdict_lines(self.verdicts(), CI_PROB)
        takes = [f"For its interval to include no effect it takes {clause}" for clause in self.tipping_summary()]
        refused = [f"{name} was not made: {reason}" for name, reason in self.refused.items()]
        return head, [[*held, *takes, *refused]]


def analyse(
    model: PathModel | str | Path,
    survey: Survey,
    parts: Sequence[str] = PARTS,
    *,
    grid: Grid | str | Path | None = None,
    nonresponders: NonResponders | None = None,
    target: Target | None = None,
    seed: int = 1,
    options: SamplerOptions | None = None,
    runner: Runner | None = None,
    notify: Notify = silent,
) -> Sensitivity:
    """Ask what it would take to change the conclusion on an effect.

    Raises BayesSpError for a part that there is not, or where nothing that was asked for can be made; everything that
    `bayes_sp.fit` raises; RunError, RunnerError where answers cannot be kept, or the place of the fits cannot be used.

    What of the ``parts`` cannot be made stands in ``refused`` with the reason, and the rest goes on. ``grid`` is that
    of `prior_grid`. Those who did not come back are by default those of the published study where the records are
    reconstructed, else the rows of the survey whose outcome is missing; the effect in question is by default the serial
    path's difference.
    """
    _check_parts(parts)
    model = load_model(model)
    target = target_of(model, *(() if target is None else (target.path, target.scale)))
    started = time.perf_counter()
    fitted = fit(model, survey, seed=seed, options=options, notify=notify)
    return analyse_fit(
        fitted, parts, grid=grid, nonresponders=nonresponders, target=target, runner=runner, notify=notify,
        seconds=time.perf_counter() - started,
    )  # fmt: skip


def analyse_fit(
    fitted: Fit,
    parts: Sequence[str] = PARTS,
    *,
    grid: Grid | str | Path | None = None,
    nonresponders: NonResponders | None = None,
    target: Target | None = None,
    runner: Runner | None = None,
    notify: Notify = silent,
    seconds: float = 0.0,
) -> Sensitivity:
    """Ask of a fit what it would take to change the conclusion on an effect.

    Parameters
    ----------
    fitted
        What is asked; it is not fitted again. Of a fit to several sets of records the first is.
    parts, grid, nonresponders, target, runner, notify
        As in `analyse`: which of ``priors``, ``kappa``, ``confounding``, ``attrition``; priors to refit with; those
        who did not come back; the effect in question; where refits are made; who hears of each part.
    seconds
        What the fit took.

    Returns
    -------
    Sensitivity

    Raises
    ------
    BayesSpError
        For a part that there is not, or where nothing that was asked for can be made.
    """
    _check_parts(parts)
    fitted, target = viewed_fit(fitted.first, target)
    runner = runner or Runner()
    started = time.perf_counter() - seconds
    effects = fitted.effects()
    verdict = fitted.diagnose(effects)
    base = estimate_of(effects.table(CI_PROB), target, trustworthy=verdict.trustworthy)
    spent = {"fit": round(time.perf_counter() - started, 3)}
    runner.learn(fitted, effects)
    found: dict[str, object] = {}
    refused: dict[str, BayesSpError] = {}
    asked = tuple(part for part in PARTS if part in parts)
    for name, part, make in _made(fitted, target, asked, grid, nonresponders, runner):
        notify(name)
        started = time.perf_counter()
        try:
            found[part] = make()
        except (RunError, RunnerError):
            raise
        except BayesSpError as error:
            refused[name] = error
        spent[name] = round(time.perf_counter() - started, 3)
    if not found:
        raise next(iter(refused.values()))
    reasons = {name: "; ".join(problem.rstrip(".") for problem in error.problems) for name, error in refused.items()}
    unfitted = any(isinstance(error, FitError) for error in refused.values())
    return Sensitivity(
        fitted, effects, verdict, target, base, asked, refused=reasons, unfitted=unfitted, seconds=spent, **found  # type: ignore[arg-type]  # parts by their names
    )  # fmt: skip


def _check_parts(parts: Sequence[str]) -> None:
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        raise BayesSpError("parts", [f"must be some of {', '.join(PARTS)}, found {', '.join(unknown) or 'none'}"])


def _made(
    fitted: Fit,
    target: Target,
    asked: Sequence[str],
    grid: Grid | str | Path | None,
    nonresponders: NonResponders | None,
    runner: Runner,
) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Yield each analysis: its name, the attribute that holds it, and what makes it."""
    model, survey, seed, options = fitted.model, fitted.survey, fitted.seed, fitted.options
    common = {"target": target, "seed": seed, "options": options, "runner": runner}
    if PRIORS in asked:
        yield "power-scaling", "power", lambda: power_scaling(fitted, runner=runner)
        yield "overlap of prior and posterior", "overlap", lambda: prior_overlap(fitted)
        yield "other priors", "grid", lambda: prior_grid(model, survey, grid, **common)  # type: ignore[arg-type]  # options that all parts share
        yield "tipping point of the priors", "tipping", lambda: prior_tipping_point(model, survey, **common)  # type: ignore[arg-type]  # options that all parts share
    if KAPPA in asked:
        yield "kappa", "kappa", lambda: kappa_curve(fitted, target=target)
    if CONFOUNDING in asked:
        yield "E-values", "e_values", lambda: e_values(fitted)
        yield "unmeasured confounding", "confounding", lambda: confounding(model, survey, fitted=fitted, **common)  # type: ignore[arg-type]  # options that all parts share
    if ATTRITION in asked:
        absent = nonresponders or (published_nonresponders() if survey.reconstructed else None)
        if absent is not None:
            yield "attrition", "attrition", lambda: attrition(fitted, absent, target=target)
        elif reason := unknown_absence(model, survey, None):
            yield "attrition", "attrition", lambda: _refuse(survey.source, reason)
        else:
            yield "attrition", "delta", lambda: delta_curve(model, survey, **common)  # type: ignore[arg-type]  # options that all parts share


def unknown_absence(model: PathModel, survey: Survey, nonresponders: NonResponders | None) -> str:
    """Say why nothing can be asked of those who did not come back; '' where it can."""
    if nonresponders is not None or survey.reconstructed or survey.records[model.outcome].isna().any():
        return ""
    return (
        "nothing is known of patients who did not come back: give their records or their number, means and SDs "
        "(--nonresponders FILE), or leave their rows in the survey with empty cells"
    )


def _refuse(source: str, reason: str) -> object:
    raise BayesSpError(source, [reason])
