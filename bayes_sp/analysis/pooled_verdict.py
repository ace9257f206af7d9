"""Can pooled draws be trusted? Each set of records on its own, and the pool for what intervals need of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from bayes_sp.analysis.criticism.diagnostics import LIMITS, Limits, Verdict, divergences, missed
from bayes_sp.analysis.criticism.means import mean_cautions, means_of
from bayes_sp.arrays import Array
from bayes_sp.effects.existence import MeanBound
from bayes_sp.effects.summary import Flags, pooled_convergence
from bayes_sp.names import DIAGNOSTIC_COLUMNS

# A set of records needs fewer effective draws than a fit on its own, since the pool has K times as many; of so few
# draws R-hat is above 1.05 by chance, and one divergence is more than the share that a long fit may have.
MEMBER_LIMITS = Limits(r_hat=1.1, ess=100, divergent=1 / 100)


@dataclass(frozen=True, eq=False, repr=False)
class PooledVerdict(Verdict):
    """Whether pooled draws can be trusted: every set of records passes its own checks, and the pool has enough draws.

    R-hat compares chains about the same records only: across sets it would flag what is no fault.

    Attributes
    ----------
    members
        The verdict on each set of records: R-hat <= 1.1, bulk and tail ESS >= 100, divergences in at most 1 of 100
        draws; the others as of a fit alone.
    labels
        What each set is.

    Notes
    -----
    ``numbers`` has the largest R-hat of the pool (``r_hat``, see `pooled_convergence`; at most 1.01), that within a set
    (``r_hat_of_a_set``) and its set's number (``worst``), how many sets ``failed``, ESS summed over sets, divergences
    of all; ``table`` the same for every parameter and effect, with the Monte Carlo errors of pooled means and medians.
    """

    members: tuple[Verdict, ...] = ()
    labels: tuple[str, ...] = ()
    subject: ClassVar[str] = "pool"

    def _found(self) -> str:
        worst = int(self.numbers["worst"])
        passing = len(self.members) - int(self.numbers["failed"])
        of = f"{passing} of {len(self.members)} sets of records pass on their own, the worst of them set {worst}"
        return f"{of} ({self.labels[worst - 1]}); {super()._found()}"


def pooled_verdict(
    members: Sequence[Verdict],
    labels: Sequence[str],
    quantities: Mapping[str, Array],
    effects: Mapping[str, Array],
    parts: Sequence[Flags],
    causes: tuple[MeanBound | None, str | None],
) -> PooledVerdict:
    """Return the verdict on a pool.

    ``quantities`` are pooled draws of parameters and effects, (chain, draw), in the order of the verdicts' tables;
    ``parts`` says which chains belong to each set; ``causes`` why means may not exist.
    """
    names = [name for name in members[0].table["name"] if name in quantities]
    values = np.stack([quantities[name] for name in names], axis=-1)
    table = pooled_convergence([verdict.table.set_index("name").loc[names] for verdict in members], values, parts)
    table.insert(0, "name", names)
    numbers = _numbers(members, table)
    bad = [k for k, verdict in enumerate(members) if not verdict.trustworthy]
    with_r_hat = "pareto_k" not in numbers
    reasons = (*_failed(members, labels, bad), *missed(table, LIMITS, with_r_hat=with_r_hat))
    size = values.shape[0] * values.shape[1]
    count = int(numbers.get("divergences", 0))
    too_many, few = divergences(count, size, LIMITS.divergent, alone=not reasons)
    found = means_of(effects, table["ess_tail"].to_numpy()[len(table) - len(effects) :])
    numbers |= {"effect_pareto_k": found.worst_k, "mean_gap": found.worst_gap}
    numbers |= {} if causes[0] is None else {"share_near_bound": causes[0].share}
    cautions = (*mean_cautions(found, *causes), *few)
    reasons = (*reasons, *too_many)
    return PooledVerdict(
        not reasons, reasons, numbers, table[list(DIAGNOSTIC_COLUMNS)], cautions, tuple(members), tuple(labels)
    )


def _numbers(members: Sequence[Verdict], table: pd.DataFrame) -> dict[str, float]:
    each = pd.DataFrame([dict(verdict.numbers) for verdict in members])
    worst = int(each["r_hat"].fillna(np.inf).argmax()) if "pareto_k" not in each else int(each["pareto_k"].argmax())
    numbers = {
        "members": float(len(members)),
        "failed": float(sum(not verdict.trustworthy for verdict in members)),
        "worst": float(worst + 1),
        "r_hat": float(table["r_hat"].max()),
        "r_hat_of_a_set": float(each["r_hat"].max()),
        "ess_bulk": float(table["ess_bulk"].min()),
        "ess_tail": float(table["ess_tail"].min()),
    }
    joined = {"divergences": "sum", "e_bfmi": "min", "pareto_k": "max", "importance_ess": "min"}
    return numbers | {name: float(each[name].agg(how)) for name, how in joined.items() if name in each}


def _failed(members: Sequence[Verdict], labels: Sequence[str], bad: Sequence[int]) -> list[str]:
    if not bad:
        return []
    worst = max(bad, key=lambda k: (len(members[k].reasons), np.nan_to_num(members[k].numbers["r_hat"], nan=np.inf)))
    why = "; ".join(members[worst].reasons)
    where = f"the worst of them set {worst + 1} ({labels[worst]})"
    return [f"{len(bad)} of {len(members)} sets of records do not pass their checks, {where}: {why}"]
