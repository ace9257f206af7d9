"""Leave-one-out cross-validation: how well each equation predicts patients that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from bayes_sp.analysis.criticism.psis import leave_one_out_weights, relative_efficiency
from bayes_sp.arrays import Array
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.options import PARETO_K_LIMIT
from bayes_sp.names import LOO_COLUMNS
from bayes_sp.shown import Part, Shown

JOINT = "all equations"
DENSITY, PROBABILITY = "density", "probability"

Refit = Callable[[int], Mapping[str, Array]]  # patient left out -> log p(y_i | draws without it) by response, (S,)


@dataclass(frozen=True)
class Scored:
    """What is scored: a response, the name of its family, and whether that gives a value a density or a probability."""

    response: str
    family: str
    predicts: str


@dataclass(frozen=True, repr=False)
class ElpdDifference(Shown):
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

    def _shown(self) -> tuple[str, list[Part]]:
        found = f"elpd {self.difference:+.1f} (SE {self.se:.1f}) over {self.patients} patients"
        which = f"{self.response}, {self.second} less {self.first}"
        return f"{which}: {found}; positive where {self.second} predicts better.", list(self.notes)


@dataclass(frozen=True, eq=False, repr=False)
class Loo(Shown):
    """Expected log predictive density of new patients (elpd), estimated by leaving one out.

    Attributes
    ----------
    model
        Name of the specification.
    scored
        The responses, in the order of the chain.
    elpd, pareto_k
        By response and for all equations together: each patient's log predictive density without that patient, and
        the reliability of the weights that it was estimated with, (n,). NaN where the response is missing.
    p_loo
        By response: effective number of parameters.
    refitted
        By response: patients (from 0) whose value comes from a refit without them.
    columns
        Digest of each column of the records, by which comparisons know that two fits saw the same data.
    notes
        Who is not scored, and what is not reliable, and why, one sentence each.
    scope
        Those of the notes that no refit changes.
    """

    model: str
    scored: tuple[Scored, ...]
    elpd: Mapping[str, Array]
    pareto_k: Mapping[str, Array]
    p_loo: Mapping[str, float]
    refitted: tuple[int, ...]
    columns: Mapping[str, str]
    notes: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """One row for each response, and one for all equations together."""
        kinds = {one.response: (one.family, one.predicts) for one in self.scored}
        rows = [self._row(name, *kinds.get(name, ("", ""))) for name in self.elpd]
        return pd.DataFrame(rows, columns=list(LOO_COLUMNS))

    @property
    def unreliable(self) -> int:
        """Number of patients with a Pareto k above 0.7 in some equation that were not refitted."""
        return len([i for i in patients_above_limit(self.pareto_k) if i not in self.refitted])

    def compare(self, other: Loo, response: str = "") -> ElpdDifference:
        """Return how much better the other specification predicts a response (the outcome by default).

        See `elpd_difference`, which says when two specifications can be compared.
        """
        return elpd_difference(self, other, response or self.scored[-1].response)

    def _row(self, name: str, family: str, predicts: str) -> dict[str, object]:
        known = np.isfinite(self.elpd[name])
        values, k = self.elpd[name][known], self.pareto_k[name][known]
        high = set(np.flatnonzero(self.pareto_k[name] > PARETO_K_LIMIT).tolist())
        return {
            "response": name, "family": family, "predicts": predicts, "patients": len(values), "elpd": values.sum(),
            "se": float(np.sqrt(len(values) * values.var(ddof=1))), "p_loo": self.p_loo[name],
            "worst_k": float(k.max()), "high_k": len(high), "refitted": len(high & set(self.refitted)),
        }  # fmt: skip

    def _shown(self) -> tuple[str, list[Part]]:
        return f"{self.model}: leave-one-out cross-validation", [*self.notes, self.table]


def loo(
    model: str,
    scored: Sequence[Scored],
    posterior: xr.Dataset,
    log_likelihood: Mapping[str, Array],
    columns: Mapping[str, str],
    scope: Sequence[str] = (),
) -> Loo:
    """Estimate each equation's elpd by Pareto-smoothed importance sampling.

    With weights w_is of draws s without patient i::

        elpd_i = log sum_s w_is p(y_i | theta_s)

    ``log_likelihood`` is (chain, draw, n) by response; ``scope`` says who is not scored, and how exact the
    log-likelihoods are.

    Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432. doi:10.1007/s11222-016-9696-4
    """
    efficiency = relative_efficiency(posterior)
    pointwise = {name: np.moveaxis(v, -1, 0).reshape(v.shape[-1], -1) for name, v in log_likelihood.items()}
    measured = np.any([np.isfinite(values) for values in pointwise.values()], axis=0)
    joint = np.sum([np.nan_to_num(values) for values in pointwise.values()], axis=0)
    pointwise[JOINT] = np.where(measured, joint, np.nan)  # a patient without any response is not predicted
    elpd, pareto_k, p_loo = {}, {}, {}
    for name, values in pointwise.items():
        known = np.isfinite(values).all(axis=1)
        found = leave_one_out_weights(values[known], efficiency)
        elpd[name], pareto_k[name] = np.full(len(values), np.nan), np.full(len(values), np.nan)
        elpd[name][known] = logsumexp(found.log_weights + values[known], axis=1)
        pareto_k[name][known] = found.pareto_k
        lppd = logsumexp(values[known], axis=1) - np.log(values.shape[1])
        p_loo[name] = float((lppd - elpd[name][known]).sum())
    result = Loo(model, tuple(scored), elpd, pareto_k, p_loo, (), columns, scope=tuple(scope))
    return replace(result, notes=_notes(result, []))


def with_refits(found: Loo, refit: Refit, most: int) -> Loo:
    """Replace the elpd of patients with a Pareto k above 0.7 by that of a refit without them, the worst first.

    ``refit`` fits without one patient, or returns the reason why that is not possible as an empty mapping; patients
    beyond ``most`` keep their estimate, and ``notes`` says so.
    """
    elpd = {name: values.copy() for name, values in found.elpd.items()}
    refitted, failed = list[int](), list[int]()
    for patient in patients_above_limit(found.pareto_k)[:most]:
        pointwise = refit(patient)
        if not pointwise:
            failed.append(patient)
            continue
        exact = dict(pointwise)
        exact[JOINT] = np.sum([np.nan_to_num(values) for values in exact.values()], axis=0)
        for name, values in exact.items():
            if found.pareto_k[name][patient] > PARETO_K_LIMIT:
                elpd[name][patient] = logsumexp(values) - np.log(len(values))
        refitted.append(patient)
    result = replace(found, elpd=elpd, refitted=tuple(refitted))
    return replace(result, notes=_notes(result, failed))


def patients_above_limit(pareto_k: Mapping[str, Array]) -> list[int]:
    """Return the patients whose Pareto k is above 0.7 in some equation, or in all together; the highest first."""
    highest = np.fmax.reduce(list(pareto_k.values()))  # NaN for a patient without any response
    return [int(i) for i in np.argsort(-highest, kind="stable") if highest[i] > PARETO_K_LIMIT]


def _notes(found: Loo, failed: Sequence[int]) -> tuple[str, ...]:
    above = len(patients_above_limit(found.pareto_k))
    patients = int(np.isfinite(found.pareto_k[JOINT]).sum())
    if not above:
        return found.scope
    head = f"Pareto k is above {PARETO_K_LIMIT} for {above} of {patients} patients"
    if not found.unreliable:
        return (*found.scope, f"{head}; each was left out by a refit")
    notes = [
        *found.scope,
        f"{head}, refits without them: {len(found.refitted)}; the part of the others is not reliable",
    ]
    notes += [f"{len(failed)} refits failed"] if failed else []
    return tuple(notes)


def elpd_difference(first: Loo, second: Loo, response: str) -> ElpdDifference:
    """Compare two specifications by how well they predict a response of the same patients.

    With d_i = elpd_i(second) - elpd_i(first), the difference is sum_i d_i and its standard error sqrt(n var d). With
    fewer than about 100 patients, or a difference below 4, the standard error is too small.

    Raises BayesSpError where a specification has no such response, where the records differ, where the patients differ,
    or where one likelihood gives a value a density and the other a probability.

    Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4; Sivula, Magnusson, Matamoros & Vehtari (2025),
    Bayesian Analysis. doi:10.1214/24-BA1453
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
