"""What a reader looks for first: can the draws be trusted, what are the effects, what are the coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bayes_sp.analysis.coefficients import Coefficients
from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.names import ALONE, DIFFERENCE
from bayes_sp.shown import Part, Shown, short

EFFECTS = ("path", "median", "lower", "upper", "prob_negative")


@dataclass(frozen=True, eq=False, repr=False)
class Summary(Shown):
    """Verdict, effects and coefficients of one fit."""

    mark: str  # what was fitted to which records
    verdict: Verdict  # whether the draws can be used
    effects: pd.DataFrame  # ``effects.csv``
    coefficients: Coefficients  # every parameter of every equation, beside maximum likelihood

    @property
    def table(self) -> pd.DataFrame:
        """The coefficients, one in a row."""
        return self.coefficients.table

    def _shown(self) -> tuple[str, list[Part]]:
        rows = self.effects[(self.effects["scale"] == DIFFERENCE) & (self.effects["decomposition"] != ALONE)]
        effects = short(rows, EFFECTS, rows=len(rows))
        return self.mark, [str(self.verdict), effects, *self.coefficients._shown()[1]]
