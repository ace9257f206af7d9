"""The effect that sensitivity analyses are about, in words, and what a fit or one of their cases says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.analysis.batch.cell import Answer, Cell, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.comparison.models import main_path, serial_path
from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.effects.read import effect_scales
from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.named_effects import scale_words
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.write import specification_digest
from bayes_sp.names import (
    ARROW,
    AVERAGE,
    DIFFERENCE,
    TOTAL,
    TOTAL_INDIRECT,
    effect_name,
    name_parts,
)


def effect_words(model: PathModel, target: Target) -> str:
    """Return an effect in words, as it stands in a sentence: its path, and its scale where that is no difference."""
    scale = "" if target.scale == DIFFERENCE else f" ({scale_words(model, target.scale)})"
    path, compared = name_parts(target.path)
    scale = f", {compared}{scale}" if compared else scale
    if path in (TOTAL, TOTAL_INDIRECT):
        return f"the {path.replace('_', ' ')} effect{scale}"
    between = [label(model, name) for name in path.split(ARROW)[1:-1]]
    if not between:
        return f"the direct effect{scale}"
    if target.path == serial_path(model):
        return f"the serial effect{scale}"
    return f"the {'indirect ' if len(between) == 1 else ''}effect via {', then '.join(between)}{scale}"


def label(model: PathModel, name: str) -> str:
    """Return a variable's label within a sentence: its first letter small, unless it begins with an abbreviation."""
    words = model.variable(name).label
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def run_once(cells: Sequence[Cell], runner: Runner) -> list[Outcome]:
    """Run cells that differ in their specification alone, those of one specification once; in the order given."""
    digests = [specification_digest(cell.model) for cell in cells]
    first = {digest: i for i, digest in reversed(list(enumerate(digests)))}
    chosen = sorted(first.values())
    found = dict(zip(chosen, runner.run([cells[i] for i in chosen]), strict=True))
    return [found[first[digest]] for digest in digests]


def estimate_in(outcome: Outcome, target: Target) -> Estimate | None:
    """Return the target's estimate; None where there is no answer.

    Raises BayesSpError for an effect that the answer does not have.
    """
    if not isinstance(outcome, Answer):
        return None
    try:
        return estimate_of(outcome.table, target, trustworthy=outcome.trustworthy)
    except KeyError as error:
        known = dict.fromkeys(f"{path} [{scale}]" for path, scale in outcome.table[["path", "scale"]].to_numpy())
        problem = f"has no effect {target.path} [{target.scale}]; it has {', '.join(known)}"
        raise BayesSpError("target", [problem]) from error


@dataclass(frozen=True)
class Target:
    """One effect on one scale: a row of ``effects.csv``.

    Attributes
    ----------
    path
        As the effects name it.
    scale
        ``difference``, ``rate_ratio``, ``risk_ratio`` or ``coefficient``.
    null
        The value of no effect on that scale: 1 for ratios, else 0.
    """

    path: str
    scale: str = DIFFERENCE

    @property
    def null(self) -> float:
        """The value of no effect on the scale."""
        return 1.0 if self.scale.endswith("_ratio") else 0.0


@dataclass(frozen=True)
class Estimate:
    """Posterior median and equal-tailed interval of a target; NaN for errors that are not known."""

    median: float
    lower: float
    upper: float
    trustworthy: bool = True
    mcse_lower: float = float("nan")
    mcse_upper: float = float("nan")

    def sign(self, null: float = 0.0) -> int:
        """Return -1 or 1 where the interval lies on one side of the null, else 0."""
        return -1 if self.upper < null else 1 if self.lower > null else 0

    def undecided(self, null: float = 0.0) -> bool:
        """Whether the limit nearer to the null is within two Monte Carlo standard errors of it (if known)."""
        limit, error = min((self.lower, self.mcse_lower), (self.upper, self.mcse_upper), key=lambda c: abs(c[0] - null))
        return abs(limit - null) <= 2.0 * error


@dataclass(frozen=True)
class Finding:
    """What one case of one analysis says about the target, for the summary."""

    analysis: str  # ``priors``, ``kappa``, ``confounding`` or ``attrition``
    case: str  # in words, as it stands in a sentence: ``sceptical priors``
    estimate: Estimate | None  # None where the case has no answer; then `note` says why
    note: str = ""  # what else the reader must know; '' for nothing


def target_of(model: PathModel, path: str = "", scale: str = DIFFERENCE) -> Target:
    """Return a target: by default the path that the specification is about (`main_path`).

    Of a category or of several exposures the effect's name says what it compares: ``total [choir against sport]``.

    Raises BayesSpError for a path or a scale that the specification's effects do not have.
    """
    known = model.effect_names
    path = path or main_path(model)
    if path not in known and len(model.moves) == 1:
        path = effect_name(path, model.moves[0].label)
    if path not in known:
        raise BayesSpError(model.name, [f'has no path "{path}"{nearest(path, known)}; it has {", ".join(known)}'])
    scales = effect_scales(model)
    if scale not in scales:
        listed = ", ".join(f"{name} [{other}]" for name in known for other in scales)
        raise BayesSpError(model.name, [f"has no effect {path} [{scale}]; it has {listed}"])
    return Target(path, scale)


def viewed(model: PathModel, target: Target | None) -> tuple[PathModel, Target]:
    """Return the specification as a target sees it, with the one thing that it compares, and the target there.

    Raises BayesSpError as `target_of`, which has the target where there is none.
    """
    found = target_of(model) if target is None else target_of(model, target.path, target.scale)
    path, label = name_parts(found.path)
    views = [view for view in model.views if view.move is not None and view.move.label == label]
    return (views[0], Target(path, found.scale)) if model.moves else (model, found)


def viewed_fit(fit: Conditioned, target: Target | None) -> tuple[Any, Target]:
    """Return a fit as a target sees it (`viewed`); no draw changes."""
    model, found = viewed(fit.model, target)
    return next((view for view in fit._views if view.model == model), fit), found


def estimate_of(table: pd.DataFrame, target: Target, *, trustworthy: bool = True) -> Estimate:
    """Return what a target's row of an effects table says.

    Raises KeyError as `row_of`.
    """
    row = row_of(table, target)
    errors = [float(row.get(name, np.nan)) for name in ("mcse_lower", "mcse_upper")]
    return Estimate(float(row["median"]), float(row["lower"]), float(row["upper"]), trustworthy, *errors)


def row_of(table: pd.DataFrame, target: Target) -> pd.Series:
    """Return a target's row of an effects table, averaged over orders where there are several.

    Raises KeyError where the table has no such row, because the family has no such scale.
    """
    rows = table[(table["path"] == target.path) & (table["scale"] == target.scale)]
    rows = rows[rows["decomposition"].isin(["", AVERAGE])]
    if rows.empty:
        raise KeyError(f"{target.path} [{target.scale}]")
    return rows.iloc[0]
