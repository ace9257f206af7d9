"""How much a single patient moves an effect: the posterior without each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from bayes_sp.analysis.criticism.psis import leave_one_out_weights, weighted_quantile
from bayes_sp.arrays import Array
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.inference.options import PARETO_K_LIMIT
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import INFLUENCE_COLUMNS
from bayes_sp.shown import Part, Shown, short

WEIGHTS, REFIT = "weights", "refit"
Refit = Callable[[int], Array | None]  # patient left out -> draws of the effect without it; None where it failed


@dataclass(frozen=True, eq=False, repr=False)
class Influence(Shown):
    """An effect without each single patient.

    Attributes
    ----------
    path, scale, unit
        Which effect, and the unit of its size.
    mean, median, sd, lower, upper
        With all patients; ``sd`` is that of the normal with an interval as wide, which exists where a mean does not.
    table
        One row for each patient, the most influential first: ``row`` as a spreadsheet counts it, posterior mean, median
        and interval without that patient, the median's shift in units and in ``sd``, Pareto k, and ``method``:
        ``weights``, or ``refit`` where the weights are not reliable.
    ci_prob
        Probability of the intervals.
    notes
        What is not reliable.
    mark, model
        What the records are, and the specification.
    """

    path: str
    scale: str
    unit: str
    mean: float
    median: float
    sd: float
    lower: float
    upper: float
    table: pd.DataFrame
    ci_prob: float = CI_PROB
    notes: tuple[str, ...] = ()
    mark: str = ""
    model: PathModel | None = None

    @property
    def changes_conclusion(self) -> pd.DataFrame:
        """Rows without which the interval excludes 0 where it did not, or includes it where it did not."""
        holds = self.lower <= 0 <= self.upper
        return self.table[((self.table["lower"] <= 0) & (self.table["upper"] >= 0)) != holds]

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. {self.path} [{self.scale}] without each single patient; with all: {self.median:.3g}"
        return head, [short(self.table, INFLUENCE_COLUMNS, rows=10), list(self.notes)]


def influence(
    effect: Array,
    log_likelihood: Sequence[Array],
    *,
    path: str,
    scale: str,
    unit: str,
    rows: Sequence[int],
    efficiency: float = 1.0,
    refit: Refit | None = None,
    most_refits: int = 0,
    ci_prob: float = CI_PROB,
) -> Influence:
    """Return an effect's posterior without each patient.

    The joint log-likelihood of patient i is the sum over equations, l_is = sum_j log p(y_ij | theta_s). Draws are
    weighed by exp(-l_is), Pareto smoothed; patients with a Pareto k above 0.7 are refitted, the worst first. The
    covariates over which effects are averaged stay those of all patients, so that only the posterior changes.

    ``effect`` has draws (chain, draw), ``log_likelihood`` those of each equation, (chain, draw, n); a missing response
    is NaN and adds nothing. ``path``, ``scale`` and ``unit`` say which effect it is; ``rows`` are the patients' row
    numbers in the records' file, (n,). ``efficiency`` is the effective number of draws over their number. ``refit``
    fits without one patient, and is asked at most ``most_refits`` times.
    """
    draws = effect.ravel()
    joint = np.sum([np.nan_to_num(values) for values in log_likelihood], axis=0)
    found = leave_one_out_weights(np.moveaxis(joint, -1, 0).reshape(joint.shape[-1], -1), efficiency)
    places = np.array([0.5, (1 - ci_prob) / 2, (1 + ci_prob) / 2])
    median, lower, upper = map(float, np.quantile(draws, places))
    sd = (upper - lower) / (2.0 * NormalDist().inv_cdf(places[2]))
    table = []
    unreliable = [int(i) for i in np.argsort(-found.pareto_k, kind="stable") if found.pareto_k[i] > PARETO_K_LIMIT]
    refitted = {i: refit(i) for i in unreliable[:most_refits]} if refit is not None else {}
    for i, row in enumerate(rows):
        without = refitted.get(i)
        if without is not None:
            mean, numbers = float(without.mean()), np.quantile(without, places)
        else:
            weights = np.exp(found.log_weights[i])
            mean, numbers = float(weights @ draws), weighted_quantile(draws, weights, places)
        shift = float(numbers[0]) - median
        method = WEIGHTS if without is None else REFIT
        table.append((row, mean, *numbers, shift, shift / sd if sd else 0.0, found.pareto_k[i], method))
    frame = pd.DataFrame(table, columns=list(INFLUENCE_COLUMNS))
    frame = frame.sort_values("shift_sd", key=np.abs, ascending=False, kind="stable", ignore_index=True)
    left = len(unreliable) - sum(without is not None for without in refitted.values())
    what = f"Pareto k is above {PARETO_K_LIMIT}, and there is no refit, for {left} of {len(rows)} patients"
    notes = (f"{what}: their shift is not reliable",) if left else ()
    return Influence(path, scale, unit, float(draws.mean()), median, sd, lower, upper, frame, ci_prob, notes)
