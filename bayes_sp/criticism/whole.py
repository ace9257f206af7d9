"""Everything that can be said against one fit, together."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_sp.criticism.influence import Influence
from bayes_sp.criticism.loo import Loo
from bayes_sp.criticism.pit import LooPit
from bayes_sp.criticism.predictive import PredictiveChecks


@dataclass(frozen=True, eq=False)
class Criticism:
    """Criticism of one fit.

    Attributes
    ----------
    checks
        Replicated records beside the observed ones.
    loo, pit
        Prediction of each patient from the others: how well, and whether calibrated.
    influence
        The serial effect without each single patient.
    """

    checks: PredictiveChecks
    loo: Loo
    pit: LooPit
    influence: Influence
