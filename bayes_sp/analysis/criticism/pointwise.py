"""One fit as criticism sees it: pointwise log-likelihoods, rows of the file, digests of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from bayes_sp.analysis.criticism.influence import Influence
from bayes_sp.analysis.criticism.loo import DENSITY, PROBABILITY, Loo, Scored
from bayes_sp.analysis.criticism.pit import LooPit
from bayes_sp.analysis.criticism.predictive import PredictiveChecks
from bayes_sp.analysis.criticism.predictors import thinned
from bayes_sp.arrays import Array
from bayes_sp.design.build import complete_cases
from bayes_sp.design.design import Design
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import observed_name
from bayes_sp.records.small_counts import share_words
from bayes_sp.records.survey import Survey
from bayes_sp.shown import Part, Shown

MOST_VALUES = 20_000_000  # log-likelihoods at a time
LEAST_DRAWS = 400
LARGEST_ERROR = 0.01  # of one patient's log-likelihood, before it is said
COUNTS = ("count", "binary", "integer")


@dataclass(frozen=True, eq=False, repr=False)
class Criticism(Shown):
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

    def _shown(self) -> tuple[str, list[Part]]:
        outside, changes = self.checks.outside, self.influence.changes_conclusion
        said = [
            f"{len(outside)} of {len(self.checks.table)} observed statistics lie outside the 95 % interval of "
            "their replicates.",
            f"Patients without any one of whom it changes whether the interval of {self.influence.path} excludes 0: "
            f"{len(changes)}.",
        ]
        return self.checks.mark, [said, self.loo.table, *self.pit._shown()[1]]


@dataclass(frozen=True, eq=False, repr=False)
class Pointwise:
    """Draws with the log-likelihood of each patient."""

    draws: xr.Dataset  # parameters (chain, draw, ...); fewer than the posterior's where a survey is large
    values: Mapping[str, Array]  # by response, (chain, draw, n), per unit of the response; NaN where it is missing
    # Of the integrals over what is not known of a patient: the largest change by doubling their nodes.
    error: float = 0.0


def pointwise(model: PathModel, design: Design, posterior: xr.DataTree) -> Pointwise:
    """Return the log-likelihood of each patient in each equation: the posterior's own, or computed from its draws.

    Raises BayesSpError where the survey is too large for it.
    """
    draws = posterior["posterior"].to_dataset()
    names = [observed_name(equation.response) for equation in model.equations]
    if "log_likelihood" in posterior.children and all(name in posterior["log_likelihood"] for name in names):
        return _pointwise(model, design, draws, posterior["log_likelihood"].to_dataset())
    most = MOST_VALUES // design.y.size
    if most < LEAST_DRAWS:
        raise BayesSpError(model.name, [f"{design.n:,} patients are too many to leave each of them out"])
    if draws.sizes["chain"] * draws.sizes["draw"] > most:
        draws = thinned(draws, most)
    return _pointwise(model, design, draws, log_likelihood(model, design, draws))


def _pointwise(model: PathModel, design: Design, draws: xr.Dataset, group: xr.Dataset) -> Pointwise:
    return Pointwise(draws, _by_patient(model, design, group), float(group.attrs.get("quadrature_error", 0.0)))


def scope_of(model: PathModel, design: Design, found: Pointwise) -> tuple[str, ...]:
    """Return who is not scored though the response is known, and how inexact integrals are, one sentence each."""
    notes = []
    for j, equation in enumerate(model.equations):
        known = ~np.isnan(design.y[:, j])
        left = np.flatnonzero(known & ~np.isfinite(found.values[equation.response]).all(axis=(0, 1)))
        if left.size:
            needed = [name for name, mask in design.missing.items() if name not in model.chain[1:] and mask[left].any()]
            label = model.variable(equation.response).label
            notes.append(
                f"{label}: {share_words(left.size, int(known.sum()))} known values are not scored, because "
                f"{' or '.join(filter(None, (', '.join(needed[:-1]), needed[-1])))} is missing there"
            )
    if found.error > LARGEST_ERROR:
        notes.append(
            "log-likelihoods of patients with missing values are not exact: doubling the nodes of their integrals "
            f"moved one by {found.error:.2g}"
        )
    return tuple(notes)


def pointwise_at(model: PathModel, design: Design, draws: xr.Dataset, patient: int) -> dict[str, Array]:
    """Return log p(y_i | draw) of one patient by response, (S,); NaN where the response is missing."""
    alone = design.taken(np.array([patient]))
    return {r: values.ravel() for r, values in _by_patient(model, alone, log_likelihood(model, alone, draws)).items()}


def _by_patient(model: PathModel, design: Design, group: xr.Dataset) -> dict[str, Array]:
    """Return log-likelihoods by response, (chain, draw, n), with NaN for patients without the response."""
    found = {}
    for equation in model.equations:
        array = group[observed_name(equation.response)].transpose("chain", "draw", ...)
        values = np.full((*array.shape[:2], design.n), np.nan)
        values[..., array[array.dims[-1]].to_numpy().astype(int)] = array.to_numpy()
        found[equation.response] = values
    return found


def scored_responses(model: PathModel) -> tuple[Scored, ...]:
    """Return what each equation predicts: a density, or a probability."""
    found = []
    for equation in model.equations:
        family = FAMILIES[equation.family]
        predicts = PROBABILITY if family.ordered or family.response in COUNTS else DENSITY
        found.append(Scored(equation.response, equation.family, predicts))
    return tuple(found)


def column_digests(model: PathModel, survey: Survey) -> dict[str, str]:
    """Return a digest of each column of the records that a model uses."""
    used = complete_cases(model, survey)
    return {str(name): replace(used, records=used.records[[name]]).digest for name in used.records.columns}


def patient_rows(model: PathModel, survey: Survey) -> list[int]:
    """Return the row of each patient that a model uses: as a spreadsheet counts a file's, from 1 for other records."""
    first = 2 if survey.origin == "file" else 1
    whole = survey.records[list(model.columns)].notna().all(axis=1).to_numpy()
    used = np.ones(len(survey), dtype=bool) if model.missing == "model" else whole
    return [int(i) + first for i in np.flatnonzero(used)]


def without_patient(model: PathModel, survey: Survey, patient: int) -> Survey:
    """Return the records without one patient."""
    used = complete_cases(model, survey)
    records = used.records.drop(index=used.records.index[patient]).reset_index(drop=True)
    return replace(used, records=records, source=f"{used.source}, one patient left out")
