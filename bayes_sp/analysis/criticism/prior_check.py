"""Prior prediction: what the priors say about responses before any response is seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_sp.analysis.criticism.predictors import Predictor, predictors
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import PRIOR_COLUMNS
from bayes_sp.shown import Part, Shown, short

DRAWS = 2000
BATCH = 2_000_000  # values at a time
FAR = 10  # times the observed mean: a mean that no clinic has

MEAN, RESPONSE = "mean over patients", "single response"


@dataclass(frozen=True, eq=False, repr=False)
class PriorCheck(Shown):
    """What the priors imply for each response, on its own scale.

    Attributes
    ----------
    table
        One row for each statement: ``response``, ``quantity`` and either an interval (``lower``, ``median``,
        ``upper``) or a ``probability``.
    means
        By response: its mean over patients in each draw from the prior, (draws,).
    observed
        By response: its observed mean, for figures only; no statement is made of it.
    draws, seed
        Number of draws, and seed.
    model
        The specification.
    mark
        Whose exposure and covariates the responses were predicted for.
    """

    table: pd.DataFrame
    means: Mapping[str, Array]
    observed: Mapping[str, float]
    draws: int
    seed: int
    model: PathModel
    mark: str

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"Draws from the priors ({self.draws}, seed {self.seed}), for {self.mark}."
        return head, [short(self.table, rows=len(self.table))]


def prior_check(
    model: PathModel,
    design: Design,
    *,
    seed: int,
    draws: int = DRAWS,
    thresholds: Mapping[str, float] | None = None,
    ci_prob: float = CI_PROB,
    mark: str = "",
) -> PriorCheck:
    """Draw parameters from the priors and responses from the likelihoods, for the survey's own rows.

    Each equation is looked at by itself, given the observed values of its parents, so that a wide prior of one is not
    hidden behind that of another.

    ``thresholds`` has, by response without an upper end, the mean that should not be exceeded; where none is given, ten
    times the observed mean, rounded up to one digit. ``mark``, what the records are, is kept with the result.

    Raises SpecificationError where a prior is improper (flat).

    References
    ----------
    Gabry, Simpson, Vehtari, Betancourt & Gelman (2019), JRSS A 182, 389-402. doi:10.1111/rssa.12378
    """
    parameters = draw_priors(model, design, draws=draws, seed=seed)
    rng = np.random.default_rng([seed, 1])
    means: dict[str, list[Array]] = {}
    singles: dict[str, list[Array]] = {}
    shares: dict[str, list[Array]] = {}
    last: dict[str, Predictor] = {}
    size = max(1, BATCH // design.n)
    for start in range(0, draws, size):
        for one in predictors(model, design, parameters.isel(draw=slice(start, start + size)), rng, informed=False):
            name, predictor = one.response, one.among(one.predicted)
            y = predictor.replicate(rng)
            means.setdefault(name, []).append(predictor.mean().mean(axis=1))
            # one patient of each draw, so that quantiles need no more memory than draws
            singles.setdefault(name, []).append(y[np.arange(len(y)), rng.integers(0, y.shape[1], len(y))])
            shares.setdefault(name, []).append(_shares(predictor, y))
            last[name] = predictor
    rows = []
    limits = thresholds or {}
    for name, predictor in last.items():
        mean, single = np.concatenate(means[name]), np.concatenate(singles[name])
        rows += [_interval(name, MEAN, mean, ci_prob), _interval(name, RESPONSE, single, ci_prob)]
        rows += _beyond(predictor, mean, single, limits.get(name))
        rows += _share_rows(predictor, np.concatenate(shares[name]), ci_prob)
    table = pd.DataFrame(rows, columns=list(PRIOR_COLUMNS))
    observed = {name: float(np.nanmean(predictor.observed)) for name, predictor in last.items()}
    return PriorCheck(table, {name: np.concatenate(m) for name, m in means.items()}, observed, draws, seed, model, mark)


def far_mean(observed: Array) -> float:
    """Return ten times the mean of counts or positive values, rounded up to one digit: 45 becomes 50."""
    mean = max(float(np.nanmean(observed)), 1e-6) * FAR
    unit = 10.0 ** math.floor(math.log10(mean))
    return math.ceil(mean / unit) * unit


def _levels(predictor: Predictor) -> Array:
    """Return the values whose shares are looked at: every answer of an ordered response, zero of a count."""
    if predictor.coding.levels:
        return np.asarray(predictor.coding.value(np.arange(predictor.coding.levels, dtype=np.float64)))
    return np.array([0.0]) if predictor.family.response == "count" else np.empty(0)


def _shares(predictor: Predictor, y: Array) -> Array:
    levels = _levels(predictor)
    return np.stack([(y == level).mean(axis=1) for level in levels], axis=1) if len(levels) else np.empty((len(y), 0))


def _interval(response: str, quantity: str, values: Array, ci_prob: float) -> dict[str, object]:
    tail = (1 - ci_prob) / 2
    lower, median, upper = np.quantile(values, [tail, 0.5, 1 - tail])
    return {
        "response": response, "quantity": quantity, "lower": lower, "median": median, "upper": upper,
        "ci_prob": ci_prob, "probability": np.nan,
    }  # fmt: skip


def _beyond(predictor: Predictor, mean: Array, single: Array, limit: float | None) -> list[dict[str, object]]:
    """Return the probabilities of what should not happen."""
    name, variable = predictor.response, predictor.variable
    if predictor.coding.levels:
        return []
    rows = []
    low, high = variable.minimum, variable.maximum
    positive = predictor.family.response in ("count", "positive")
    if low is not None and not positive:
        rows += [(f"{MEAN} below {low:g}", mean < low), (f"{RESPONSE} below {low:g}", single < low)]
    if high is not None:
        rows += [(f"{MEAN} above {high:g}", mean > high), (f"{RESPONSE} above {high:g}", single > high)]
    elif positive or limit is not None:
        threshold = far_mean(predictor.observed) if limit is None else limit
        rows.append((f"{MEAN} above {threshold:g}", mean > threshold))
    return [{"response": name, "quantity": quantity, "probability": float(mask.mean())} for quantity, mask in rows]


def _share_rows(predictor: Predictor, shares: Array, ci_prob: float) -> list[dict[str, object]]:
    """Return intervals of the share of each answer, and how often nearly everybody gives the same one."""
    name = predictor.response
    levels = _levels(predictor)
    rows = [_interval(name, f"share of {level:g}", shares[:, k], ci_prob) for k, level in enumerate(levels)]
    if len(levels) > 1:
        same = float((shares.max(axis=1) > 0.9).mean())
        rows.append({"response": name, "quantity": "more than 90 % of patients alike", "probability": same})
    return rows
