"""What an analysis of unmeasured confounding says, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from bayes_sp.analysis.batch.cell import Answer, Failure, Outcome
from bayes_sp.model.path_model import PathModel
from bayes_sp.sensitivity.confounder.multiples import Statement
from bayes_sp.sensitivity.confounder.pairs import Pair
from bayes_sp.sensitivity.target import Estimate, Finding, Target, effect_words, label

ANALYSIS = "confounding"
ASSUMPTIONS = (
    "The confounder U is normal with SD 1, independent of the exposure and the covariates, and adds its strength times "
    "U to the linear predictors of two responses; one confounder at a time.",
    "So it says nothing on what confounds the exposure with a mediator or with the outcome.",
    "Its strengths are assumed, not estimated: the records cannot tell a confounder from an effect.",
    "A covariate's strength is what it has beside the other covariates, while U is independent of all of them.",
)


def pair_words(model: PathModel, pair: Pair) -> str:
    """Return both responses by their labels."""
    return f"{label(model, pair[0])} and {label(model, pair[1])}"


def sentences_of(
    model: PathModel,
    target: Target,
    plain: Estimate,
    statements: Sequence[Statement],
    tipping: pd.DataFrame,
    percent: str,
) -> list[str]:
    """Return the conclusion for each pair, the one that needs least first."""
    interval = f"the {percent} interval of {effect_words(model, target)}"
    if not plain.sign(target.null):
        return [f"{interval[:1].upper()}{interval[1:]} includes {target.null:g} without any confounder."]
    include = f"{interval} include {target.null:g}"
    found = [_multiple_sentence(model, statement, include) for statement in sorted(statements, key=_order)]
    told = {statement.multiple.pair for statement in statements}
    for pair, curve in tipping.groupby(["first", "second"], sort=False):
        if pair not in told:
            found.append(_bare_sentence(model, pair, curve, include))
    return found


def _order(statement: Statement) -> tuple[bool, float]:
    multiple = statement.multiple
    beyond = math.isnan(multiple.multiple)
    return beyond, multiple.most if beyond else multiple.multiple


def _multiple_sentence(model: PathModel, statement: Statement, include: str) -> str:
    """Say what a pair's strongest covariate stands for."""
    multiple = statement.multiple
    pair, covariate = pair_words(model, multiple.pair), _quoted(model, multiple.covariate)
    if math.isnan(multiple.multiple):
        how = "" if multiple.refitted else ", by interpolation"
        return (
            f"No unmeasured confounder of {pair} up to {_times(multiple.most)} times as strong in both equations as "
            f"{covariate}, the most that was tried, would make {include}{how}."
        )
    how = f"by a fit there, Monte Carlo error {multiple.mcse:.2f}" if multiple.refitted else "interpolated"
    return (
        f"To make {include}, an unmeasured confounder of {pair} would have to be {_times(multiple.multiple)} times as "
        f"strong as {covariate}, the strongest covariate of both equations ({how})."
    )


def _times(factor: float) -> str:
    return f"{factor:.2f}" if factor < 10.0 else f"{factor:.0f}"


def _quoted(model: PathModel, covariate: str) -> str:
    """Return a covariate's label in quotation marks, without what its codes mean."""
    return f'"{model.variable(covariate).label.partition(" (")[0]}"'


def _bare_sentence(model: PathModel, pair: Pair, curve: pd.DataFrame, include: str) -> str:
    """Say where the tipping curve of a pair without a common covariate has its least product of strengths."""
    known = curve.dropna(subset=["second_strength"])
    if known.empty:
        return f"No unmeasured confounder of {pair_words(model, pair)} of the strengths tried would make {include}."
    least = known.loc[(known["first_strength"] * known["second_strength"].abs()).idxmin()]
    return (
        f"An unmeasured confounder of {pair_words(model, pair)} would make {include} where one SD of it moves "
        f"{label(model, pair[0])} by {least['first_strength']:.2g} and {label(model, pair[1])} by "
        f"{least['second_strength']:.2g} on the scales of their linear predictors (interpolated)."
    )


def problems_sentence(outcomes: Sequence[Outcome]) -> str:
    """Return what is wrong with the fits; '' for nothing."""
    failed = sum(isinstance(outcome, Failure) for outcome in outcomes)
    doubtful = sum(isinstance(outcome, Answer) and not outcome.trustworthy for outcome in outcomes)
    parts = [
        f"{count} of {len(outcomes)} fits {what}"
        for count, what in ((failed, "failed"), (doubtful, "did not pass the diagnostics"))
        if count
    ]
    return f"{'; '.join(parts)}." if parts else ""


def findings_of(
    model: PathModel, target: Target, statements: Sequence[Statement], averaged: Estimate | None, reason: str
) -> list[Finding]:
    """Return a finding for each pair, the strongest covariate's, and one for strengths averaged over priors.

    ``reason`` says why there is no average where there should be one; '' where none was asked for.
    """
    found = []
    for statement in sorted(statements, key=_order):
        multiple = statement.multiple
        strength = "" if statement.factor == 1.0 else f"{_times(statement.factor)} times "
        case = (
            f"a confounder of {pair_words(model, multiple.pair)} {strength}as strong as "
            f"{_quoted(model, multiple.covariate)} in both"
        )
        found.append(Finding(ANALYSIS, case, statement.estimate, _note(statement.estimate, target, "its fit failed")))
    if averaged is not None or reason:
        case = "a confounder whose strengths are averaged over their priors"
        found.append(Finding(ANALYSIS, case, averaged, _note(averaged, target, reason)))
    return found


def _note(estimate: Estimate | None, target: Target, reason: str) -> str:
    """Return why there is no estimate, or what Monte Carlo error leaves open of it."""
    if estimate is None:
        return reason
    limits = ((estimate.lower, estimate.mcse_lower), (estimate.upper, estimate.mcse_upper))
    if any(abs(limit - target.null) <= 2.0 * error for limit, error in limits):
        return f"within Monte Carlo error of including {target.null:g} or not"
    return ""
