"""Bootstraps of several sets of records that stand for the same people, mixed with equal weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd

from bayes_sp.inference.bootstrap.bootstrap import BootstrapResult
from bayes_sp.inference.bootstrap.percentile import percentile_interval
from bayes_sp.inference.pooling import rubin


def pooled_bootstrap(members: Sequence[BootstrapResult], ci_prob: float) -> BootstrapResult:
    """Return the mixture of bootstraps: estimates averaged, replicates together, percentiles of them all.

    The percentiles hold the variance within each set of records and that between them (Schomaker & Heumann 2018, 'MI
    Boot pooled', doi:10.1002/sim.7654).

    Members are of one specification, with equally many replicates.
    """
    first = members[0]
    values = np.concatenate([each.values for each in members])
    lower, upper, lower_mcse, upper_mcse = percentile_interval(values, ci_prob)
    at_levels = None
    if first.conditional is not None:
        own = [each.conditional for each in members if each.conditional is not None]
        at_levels = replace(
            first.conditional,
            estimate=np.mean([each.estimate for each in own], axis=0),
            values=np.concatenate([each.values for each in own]),
            index_estimate=np.mean([each.index_estimate for each in own], axis=0),
            index_values=np.concatenate([each.index_values for each in own]),
        )
    return replace(
        first,
        estimate=np.mean([each.estimate for each in members], axis=0), values=values,
        lower=lower, upper=upper, lower_mcse=lower_mcse, upper_mcse=upper_mcse,
        replicates=sum(each.replicates for each in members), undefined=np.isnan(values).sum(axis=0),
        failed=sum(each.failed for each in members), reasons=_added(each.reasons for each in members),
        at_boundary=sum(each.at_boundary for each in members), boundaries=_added(each.boundaries for each in members),
        coefficients=None, replicate_coefficients=None, phi=None, replicate_phi=None,
        notes=tuple(dict.fromkeys(chain.from_iterable(each.notes for each in members))), conditional=at_levels,
    )  # fmt: skip


def rubin_table(members: Sequence[BootstrapResult], ci_prob: float) -> pd.DataFrame:
    """Return every effect's bootstrap by Rubin's rules, whose within-variance is that of each set's replicates.

    The columns are those of `bayes_sp.inference.pooling` with ``within_sd``, ``between_sd``, ``se``, ``df`` and
    ``share``; NaN where a replicate has no value.
    """
    variances = np.stack([each.values.var(axis=0, ddof=1) for each in members])
    found = rubin(np.stack([each.estimate for each in members]), variances)
    lower, upper = found.interval(ci_prob)
    first, columns = members[0], {"estimate": found.estimate, "within_sd": np.sqrt(found.within)}
    columns |= {"between_sd": np.sqrt(found.between), "se": np.sqrt(found.total), "df": found.df}
    columns |= {"lower": lower, "upper": upper, "share": found.share}
    rows = [
        {**labels, "likelihood": first.likelihood, **{name: own[place] for name, own in columns.items()},
         "ci_kind": "t", "ci_prob": ci_prob}
        for place, labels in first.rows()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _added(counts: Iterable[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    total: Counter[str] = Counter()
    for own in counts:
        total.update(dict(own))
    return tuple(total.most_common())
