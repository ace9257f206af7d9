"""Whether the draws of effects have means: tails, and the distance of means from medians."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.effects.existence import MeanBound
from bayes_sp.effects.tails import pareto_k
from bayes_sp.inference.options import PARETO_K_LIMIT

NEAR_LIMIT = 0.05  # share of draws near the bound beyond which a mean does not exist
GAP_LIMIT = 0.25  # of a mean from its median, in widths of the interval


@dataclass(frozen=True)
class Means:
    """What the draws say of the effects' means: Pareto k and distance from the median of the worst, and which fail."""

    worst_k: float
    worst_gap: float
    heavy: tuple[str, ...]
    example: str


def means_of(effects: Mapping[str, Array], ess_tail: Array) -> Means:
    """Look at the tails of effects' draws, and at how far their means lie from their medians."""
    if not effects:
        return Means(float("nan"), float("nan"), (), "")
    values = np.stack(list(effects.values()), axis=-1)
    k = pareto_k(values, ess_tail)
    low, median, high = np.quantile(values, [0.025, 0.5, 0.975], axis=(0, 1))
    mean = values.mean(axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(high > low, np.abs(mean - median) / (high - low), 0.0)
    bad = (k > PARETO_K_LIMIT) | ~(gap <= GAP_LIMIT)
    names = np.array(list(effects))
    worst = int(np.argmax(np.where(bad, np.nan_to_num(k, nan=0.0, posinf=np.finfo(float).max), -np.inf)))
    example = f"{names[worst]}: mean {mean[worst]:.3g}, median {median[worst]:.3g}, Pareto k {k[worst]:.2g}"
    known = k[~np.isnan(k)]
    return Means(float(known.max()) if len(known) else float("nan"), float(gap.max()), tuple(names[bad]), example)


def mean_cautions(found: Means, bound: MeanBound | None, spread: str | None = None) -> Iterator[str]:
    """Say where a posterior mean does not exist, or the draws do not determine it, and which prior makes it so.

    ``spread`` says so of the prior of an outcome's own SD (`spread_cause`), which draws with heavy tails have met.
    """
    causes = [str(bound)] if bound is not None and bound.share > NEAR_LIMIT else []
    causes += [spread] if spread and found.heavy else []
    many = f"{len(found.heavy)} effects have" if len(found.heavy) > 1 else "an effect has"
    seen = f"{many} tails too heavy for a mean ({found.example})"
    if causes:
        shown = f"; {seen}" if found.heavy else ""
        yield f"{'; '.join(causes)}{shown}; use medians and intervals, which always exist"
    elif found.heavy:
        yield f"{seen}: use medians and intervals, or tighter priors, more records or a smaller contrast"
