"""E-values: how strongly a confounder would have to go with both of its ends, on the ratio scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.effects.paths import RATIOS, Effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.names import ALONE, E_VALUE_COLUMNS, is_total
from bayes_sp.shown import Part, Shown, short

NOTES = (
    "An E-value says how much confounding could explain an association away; it says nothing on whether there is any.",
    "Of the total effect: the confounder goes with exposure and outcome. Of a path: with mediator and outcome, and the "
    "exposure is taken to be unconfounded; for natural direct and indirect effects through one mediator this is an "
    "approximation that held in more than 99 % of the cases tried (Smith & VanderWeele 2019). For a path through "
    "several mediators it is a rough guide: it does not say which pair of variables is confounded. The contours of "
    "strengths do.",
    "The ratios are of mean outcomes between the two exposures of the contrast; a wider contrast has larger E-values.",
)
NONE = "The outcome has no rate ratio or risk ratio: there are no E-values."


@dataclass(frozen=True, eq=False, repr=False)
class EValues(Shown):
    """E-values of every effect that is a ratio.

    Attributes
    ----------
    table
        One row for each path and ratio: posterior median and interval, ``e_value`` of the median, ``e_value_limit`` of
        the interval's limit nearest to 1 (1 where the interval includes 1), and ``words``. No rows for outcomes
        without a ratio.
    notes
        What the numbers mean, and what they do not.
    mark
        What the records are.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    mark: str

    def _shown(self) -> tuple[str, list[Part]]:
        return self.mark, [short(self.table, rows=len(self.table)), *self.notes]


def e_value(ratio: ArrayLike) -> NDArray[np.float64]:
    r"""Return the E-value of rate ratios or risk ratios, elementwise.

    .. math:: E = RR + \sqrt{RR\,(RR - 1)}, \quad RR = \max(\text{ratio}, 1/\text{ratio}):

    the least ratio by which a confounder must go with both the exposure and the outcome, beyond the measured
    covariates, to explain the ratio away entirely.

    Raises ValueError for a ratio that is not positive.

    VanderWeele & Ding (2017), Annals of Internal Medicine 167, 268-274. doi:10.7326/M16-2607
    """
    value = np.asarray(ratio, dtype=float)
    if (value <= 0.0).any():
        raise ValueError("a ratio must be positive")
    above = np.maximum(value, 1.0 / value)
    return above + np.sqrt(above * (above - 1.0))


def e_values(source: Conditioned | Effects, *, ci_prob: float = CI_PROB) -> EValues:
    """Return the E-values of every path's rate ratio or risk ratio, for the specification's contrast.

    The posterior median stands for the ratio, because the median of 1/RR is 1/median(RR), as it is with E-values; of
    the interval the limit nearest to 1. Where paths are averaged over orders of switching, the average is used.

    Parameters
    ----------
    source
        A fit, or its effects.
    ci_prob
        Probability of the interval.

    Returns
    -------
    EValues

    References
    ----------
    VanderWeele & Ding (2017), Annals of Internal Medicine 167, 268-274. doi:10.7326/M16-2607
    Smith & VanderWeele (2019), Epidemiology 30, 835-837. doi:10.1097/EDE.0000000000001064
    """
    effects = source.effects() if isinstance(source, Conditioned) else source
    table = effects.intervals(ci_prob)
    table = table[table["scale"].isin(RATIOS) & (table["decomposition"] != ALONE)]
    u0, u1 = effects.contrast
    moved = {name: tuple(map(str, ends)) for name, *ends in effects.compared()}
    rows = [
        (row["path"], row["scale"], *moved.get(row["path"], (u0, u1)), *_numbers(row)) for _, row in table.iterrows()
    ]
    found = pd.DataFrame(rows, columns=list(E_VALUE_COLUMNS[:-1]))
    found["words"] = list(_words(found, source.model.outcome_family.ratio if isinstance(source, Conditioned) else ""))
    return EValues(found, NOTES if rows else (NONE,), effects.mark)


def _numbers(row: pd.Series) -> Iterator[object]:
    """Yield median, limits, their kind and probability, and both E-values."""
    yield from (row[name] for name in ("median", "lower", "upper", "ci_kind", "ci_prob"))
    yield float(e_value(row["median"]))
    nearest = min(max(1.0, row["lower"]), row["upper"])  # 1 where the interval includes it
    yield float(e_value(nearest))


def _words(table: pd.DataFrame, word: str) -> Iterator[str]:
    for _, row in table.iterrows():
        ends = "exposure and outcome" if is_total(row["path"]) else "mediator and outcome"
        noun = word or str(row["scale"]).replace("_", " ")
        first = (
            f"A confounder that goes with {ends} by a {noun} of {row['e_value']:.2f} each could explain the median of "
            f"{row['median']:.3f} away"
        )
        percent = f"{100 * row['ci_prob']:g} % interval"
        if row["e_value_limit"] == 1.0:
            yield f"{first}; the {percent} includes 1 without any."
        else:
            yield f"{first}, and one of {row['e_value_limit']:.2f} could make the {percent} include 1; weaker ones not."
