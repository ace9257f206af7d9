"""Which pairs of responses a confounder could bias an effect through, and the cells in which it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.checks.exposures import unmeasured_problems
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT
from bayes_sp.sensitivity.target import Target

type Pair = tuple[str, str]
type Strengths = Mapping[str, Sequence[float] | Prior]

LEVELS = 3  # of each response's strength, beside 0


def confounded_pairs(model: PathModel, target: Target) -> tuple[Pair, ...]:
    r"""Return the pairs (j, k) of responses whose common cause U would bias a target, in the order of the chain.

    U biases the equation of the later response, k, alone, and only if j is an ancestor of it: with a normal parent j
    the coefficients of k's equation move by :math:`(s_j s_k / v)(e_j - \beta_j)`, with :math:`e_j` the unit vector of j
    as a parent, :math:`\beta_j` the coefficients of j's own equation, and v its residual variance with U's share
    (`product_bias`). So k must be on the target's path (anywhere, for totals) and j one of k's ancestors.
    """
    on_path = model.chain if target.path in (TOTAL, TOTAL_INDIRECT) else target.path.split(ARROW)
    ancestors: dict[str, set[str]] = {}
    for equation in model.equations:
        parents = set(equation.parents)
        ancestors[equation.response] = parents.union(*(ancestors.get(name, set()) for name in parents))
    responses = [equation.response for equation in model.equations]
    return tuple((j, k) for j, k in combinations(responses, 2) if k in on_path and j in ancestors[k])


def with_confounder(model: PathModel, strengths: Mapping[str, float] | Mapping[str, Prior]) -> PathModel:
    """Return a specification with one more unmeasured confounder; itself where no response has a strength but 0."""
    acting = tuple((response, strength) for response, strength in strengths.items() if strength != 0.0)
    if not acting:
        return model
    taken = {*model.columns, *(unmeasured.name for unmeasured in model.unmeasured)}
    name = next(name for name in ("U", *(f"U{i}" for i in range(2, len(taken) + 3))) if name not in taken)
    return replace(model, unmeasured=(*model.unmeasured, Unmeasured(name, acting)))


def default_levels(most: float) -> tuple[float, ...]:
    """Return evenly spaced strengths up to the greatest, without 0."""
    return tuple(float(value) for value in most * np.arange(1, LEVELS + 1) / LEVELS)


def check_strengths(model: PathModel, strengths: Strengths) -> None:
    """Raise unless strengths are numbers above 0, or priors, of at least two responses.

    Raises BayesSpError with every mistake; for priors those of the specification that they make
    (`unmeasured_problems`).
    """
    responses = [equation.response for equation in model.equations]
    problems = [
        f'strengths: no equation has the response "{name}"{nearest(name, responses)}'
        for name in strengths
        if name not in responses
    ]
    if len(strengths) < 2:
        problems.append(f"strengths: a confounder acts on at least two responses, found {len(strengths)}")
    priors = {name: given for name, given in strengths.items() if isinstance(given, Prior)}
    if priors and len(priors) < len(strengths):
        problems.append("strengths: give priors for all responses or numbers for all")
    for name, given in strengths.items():
        if name not in priors and not _numbers_above_zero(given):
            problems.append(
                f'strengths: "{name}" needs numbers above 0 (0 is the model itself, and the later of two responses is '
                f"tried with both signs), found {given!r}"
            )
    if priors and not problems:
        problems = list(unmeasured_problems(with_confounder(model, priors), ()))
    if problems:
        raise BayesSpError(model.name, problems)


def _numbers_above_zero(given: object) -> bool:
    values = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else []
    return bool(values) and all(
        isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value) and value > 0
        for value in values
    )
