"""What an analysis of unmeasured confounding says, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayes_sp.compare.multiverse import serial_path
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT
from bayes_sp.sensitivity.confounders import Pair
from bayes_sp.sensitivity.multiples import Multiple
from bayes_sp.sensitivity.target import Target
from bayes_sp.spec.types import PathModel

ASSUMPTIONS = (
    "The confounder U is normal with SD 1, independent of the exposure and the covariates, and adds its strength times U "
    "to the linear predictors of two responses; one confounder at a time.",
    "So it says nothing on what confounds the exposure with a mediator or with the outcome.",
    "Its strengths are assumed, not estimated: the records cannot tell a confounder from an effect.",
    "A covariate's strength is what it has beside the other covariates; U is compared with it as if it were as unlike the "
    "others as that one is.",
)


def target_words(model: PathModel, target: Target) -> str:
    """Return an effect in words, as it stands in a sentence."""
    if target.path in (TOTAL, TOTAL_INDIRECT):
        return f"the {target.path.replace('_', ' ')} effect"
    between = [label(model, name) for name in target.path.split(ARROW)[1:-1]]
    if not between:
        return "the direct effect"
    if target.path == serial_path(model):
        return "the serial effect"
    return f"the effect via {', then '.join(between)}"


def pair_words(model: PathModel, pair: Pair) -> str:
    """Return both responses by their labels."""
    return f"{label(model, pair[0])} and {label(model, pair[1])}"


def label(model: PathModel, name: str) -> str:
    """Return a variable's label within a sentence: its first letter small, unless it begins with an abbreviation."""
    words = model.variable(name).label
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def pair_sentence(model: PathModel, target: Target, multiple: Multiple, percent: str) -> str:
    """Return what a pair's strongest covariate says."""
    interval = f"the {percent} interval of {target_words(model, target)} include {target.null:g}"
    confounder = f"an unmeasured confounder of {pair_words(model, multiple.pair)}"
    covariate = f"{label(model, multiple.covariate)} (the strongest covariate of the two)"
    if np.isnan(multiple.multiple):
        checked = "" if multiple.refitted else ", by interpolation"
        return (
            f"No confounder of {pair_words(model, multiple.pair)} up to {multiple.most:.2g} times as strong as {covariate} "
            f"in both equations, the most that was tried, makes {interval}{checked}."
        )
    how = f"(Monte Carlo error {multiple.mcse:.1g})" if multiple.refitted else "(interpolated)"
    return (
        f"To make {interval}, {confounder} would have to be {multiple.multiple:.2g} times as strong as {covariate} in both "
        f"equations {how}."
    )


def bare_sentence(model: PathModel, target: Target, pair: Pair, second: float, first: float, percent: str) -> str:
    """Return what the tipping curve of a pair without a common covariate says: its place with the least product."""
    interval = f"the {percent} interval of {target_words(model, target)} include {target.null:g}"
    if np.isnan(second):
        return f"No confounder of {pair_words(model, pair)} of the strengths tried makes {interval}."
    return (
        f"A confounder of {pair_words(model, pair)} makes {interval} where one SD of it moves {label(model, pair[0])} by "
        f"{first:.2g} and {label(model, pair[1])} by {second:.2g}, on the scales of their linear predictors."
    )


def nothing_to_take_away(model: PathModel, target: Target, percent: str) -> str:
    """Return the sentence for an effect whose interval includes no effect without any confounder."""
    return f"The {percent} interval of {target_words(model, target)} includes {target.null:g} without any confounder."


def problems_sentence(failed: int, doubtful: int, total: int) -> str:
    """Return what is wrong with the fits; '' for nothing."""
    parts = [
        f"{count} of {total} fits {what}"
        for count, what in ((failed, "failed"), (doubtful, "did not pass the diagnostics"))
        if count
    ]
    return f"{'; '.join(parts)}." if parts else ""


def overall(multiples: Sequence[Multiple]) -> Multiple:
    """Return the pair that needs least: the smallest multiple, else the one that was tried least far."""
    reached = [m for m in multiples if not np.isnan(m.multiple)]
    return min(reached, key=lambda m: m.multiple) if reached else min(multiples, key=lambda m: m.most)
