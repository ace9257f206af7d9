"""Which of two specifications predicts a response better: only where both were asked the same question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_sp.analysis.criticism.loo import Loo, Scored
from bayes_sp.errors import BayesSpError


@dataclass(frozen=True)
class ElpdDifference:
    """Difference in elpd of one response, the second specification less the first.

    Attributes
    ----------
    first, second, response
        Names of the specifications, and of the response.
    difference, se
        Sum over patients, and its standard error; positive where the second predicts better.
    patients
        Number of patients.
    notes
        What is not reliable.
    """

    first: str
    second: str
    response: str
    difference: float
    se: float
    patients: int
    notes: tuple[str, ...] = ()


def elpd_difference(first: Loo, second: Loo, response: str) -> ElpdDifference:
    """Compare two specifications by how well they predict a response of the same patients.

    With d_i = elpd_i(second) - elpd_i(first), the difference is sum_i d_i and its standard error sqrt(n var d). With
    fewer than about 100 patients, or a difference below 4, the standard error is too small.

    Raises
    ------
    BayesSpError
        Where a specification has no such response, where the records differ, where the patients differ, or where one
        likelihood gives a value a density and the other a probability.

    References
    ----------
    Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4
    Sivula, Magnusson, Matamoros & Vehtari (2025), Bayesian Analysis. doi:10.1214/24-BA1453
    """
    one, other = _scored(first, response), _scored(second, response)
    problems = _differences(first, second, response)
    if not problems and one.predicts != other.predicts:
        problems.append(
            f"{first.model} ({one.family}) gives a value of {response} a {one.predicts} and {second.model} "
            f"({other.family}) a {other.predicts}; the two cannot be compared"
        )
    if problems:
        raise BayesSpError(f"{first.model} and {second.model}", problems)
    known = np.isfinite(first.elpd[response])
    d = second.elpd[response][known] - first.elpd[response][known]
    notes = tuple(f"{found.model}: {note}" for found in (first, second) if found.unreliable for note in found.notes)
    se = float(np.sqrt(len(d) * d.var(ddof=1)))
    return ElpdDifference(first.model, second.model, response, float(d.sum()), se, len(d), notes)


def _scored(found: Loo, response: str) -> Scored:
    known = {one.response: one for one in found.scored}
    if response not in known:
        raise BayesSpError(found.model, [f"has no equation for {response}; it has {', '.join(known)}"])
    return known[response]


def _differences(first: Loo, second: Loo, response: str) -> list[str]:
    """Return why the two did not see the same patients."""
    n, m = len(first.elpd[response]), len(second.elpd[response])
    if n != m:
        return [f"{first.model} was fitted to {n} patients, {second.model} to {m}; compare fits to the same records"]
    other = [name for name, digest in first.columns.items() if second.columns.get(name, digest) != digest]
    if other:
        names = ", ".join(other[:5])
        return [f"were fitted to different records: {names} differ (digests {_digests(first, second, other[0])})"]
    if not np.array_equal(np.isfinite(first.elpd[response]), np.isfinite(second.elpd[response])):
        return [f"predict {response} of different patients; compare fits to the same records"]
    return []


def _digests(first: Loo, second: Loo, column: str) -> str:
    return f"{first.columns[column][:8]} and {second.columns[column][:8]}"
