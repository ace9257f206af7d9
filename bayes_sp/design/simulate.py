"""What an equation says of its response at some parameters, density and replicates; and whole records simulated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.build import covariate_columns, group_codes
from bayes_sp.design.design import Design
from bayes_sp.design.elements import with_elements
from bayes_sp.design.evaluate import At, Values, chain_auxiliary, mean_predictor, zero_predictor
from bayes_sp.design.sequence import in_sequence, sequential
from bayes_sp.errors import SurveyError
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Coding, Variable
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import VARYING
from bayes_sp.records.survey import Survey


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Predicted:
    """A response given what predicts it, at some parameters: on its own scale, in its own unit."""

    # variable, family, coding: what is known of the response, its likelihood, and how that sees it.
    variable: Variable
    family: Family
    coding: Coding
    # eta, zeta: linear predictors, (..., n); ``zeta`` is 0 where the family has none.
    eta: Array
    zeta: Array
    aux: Array  # the family's other parameters, (..., A)

    def log_density(self, y: Array, known: Mask) -> Array:
        """Return the log density of responses (n,) per unit of them, (..., n); 0 where they are not ``known``."""
        eta, zeta = (part if known.all() else np.where(known, part, 0.0) for part in (self.eta, self.zeta))
        coded = np.where(np.isnan(y), 0.5, self.coding.coded(y))  # a missing one is put anywhere
        value = self.family.log_density(coded, eta, zeta, self.aux)
        if not self.coding.levels and self.coding.unit != 1.0:
            value = value - np.log(self.coding.unit)
        return value if known.all() else np.where(known, value, 0.0)

    def replicate(self, rng: np.random.Generator) -> Array:
        """Draw responses, (..., n); on a bounded scale with steps rounded to the nearest step, as answers are."""
        eta, zeta = np.nan_to_num(self.eta), np.nan_to_num(self.zeta)
        value: Array = self.coding.value(self.family.simulate(rng, eta, zeta, self.aux))
        low, step = self.variable.minimum, self.variable.step
        if low is None or not step or not self.family.bounded:
            return value
        return low + step * np.round((value - low) / step)

    def mean(self) -> Array:
        """Return expected responses, (..., n)."""
        return np.asarray(self.coding.value(self.family.mean(self.eta, self.zeta, self.aux)))


def predicted(model: PathModel, design: Design, j: int, at: At, values: Values) -> Predicted:
    """Return what equation j says of each patient; arguments as `mean_predictor`."""
    name, family = model.equations[j].response, FAMILIES[model.equations[j].family]
    eta, zeta = mean_predictor(model, design, j, at, values), zero_predictor(model, design, j, at, values)
    aux = chain_auxiliary(model, design, j, at)
    return Predicted(model.variable(name), family, model.coding(name), eta, zeta, aux)


def simulate_survey(
    model: PathModel, survey: Survey, parameters: Mapping[str, Array], *, n: int | None = None, seed: int
) -> Survey:
    """Simulate ``n`` patients: exposure and covariates resampled from a survey, responses drawn from the model.

    With the model's columns; origin ``"simulation"``. A response on a bounded scale with steps is rounded to the
    nearest step. A response measured with error is the observed value; later responses depend on the true one. Every
    response is one that is observed: shifts of missing values (``missing_shift``) have no part in it. An unmeasured
    confounder is drawn from N(0, 1) for each patient, and is no column of the records.

    Exposure, covariates, groups and windows are drawn with replacement from rows without a missing cell; for ``n`` None
    those patients stand once each. Limits of variables are not kept (a normal response leaves any scale). Parameters
    are ``{response: coefficients in the order of model.terms, "sigma": ..., "phi": ...}``, the last ones in the order
    of the equations that have them, and ``<response>_zero``, ``<response>_cutpoint``, ``<response>_<parent>_simplex``
    and ``<response>_varying``, all as in the posterior. Where the last is not given, deviations of groups are drawn
    with the SD ``tau``. Strengths of an unmeasured confounder that have a prior stand under its name, in the
    specification's order.
    """
    rng = np.random.default_rng(seed)
    given = [name for name in model.columns if name not in model.mediators and name != model.outcome]
    source = survey.records[given].dropna()
    records = (source if n is None else source.iloc[rng.integers(0, len(source), n)]).reset_index(drop=True)
    design = _empty_design(model, records, survey)
    at = with_elements(model, {name: np.asarray(value, dtype=float) for name, value in parameters.items()})
    values = {confounder.name: rng.standard_normal(len(records)) for confounder in model.confounders}
    for equation in model.equations:
        if equation.varying and f"{equation.response}{VARYING}" not in at:
            z = rng.standard_normal(len(design.groups[equation.varying][1]))
            at[f"{equation.response}{VARYING}"] = at["tau", equation.response] * z
    model, at = in_sequence(model), sequential(model, at)
    for j, equation in enumerate(model.equations):
        response = equation.response
        own = predicted(model, design, j, at, values)
        if own.family.latent:
            values[response] = rng.normal(own.eta, own.aux[0])
            design.y[:, j] = rng.normal(values[response], own.aux[1])
        else:
            design.y[:, j] = own.replicate(rng)
        records[response] = design.y[:, j]
    return Survey(records, "simulation", f"{len(records)} patients simulated from the model (seed {seed})")


def _empty_design(model: PathModel, records: pd.DataFrame, survey: Survey) -> Design:
    """Return the design of records whose responses are still to be drawn."""
    return Design(
        exposure=model.exposure,
        mediators=model.mediators,
        outcome=model.outcome,
        families=tuple(equation.family for equation in model.equations),
        x=records[model.exposure].to_numpy(dtype=float),
        y=np.full((len(records), len(model.equations)), np.nan),
        w=covariate_columns(model, records),
        covariate_terms=model.covariate_terms,
        edges_exposure=np.array([model.exposure in e.parents for e in model.equations]),
        edges_mediators=np.array([[name in e.parents for name in model.mediators] for e in model.equations]),
        contrast=model.contrast,
        coding={e.response: model.coding(e.response) for e in model.equations},
        groups={name: group_codes(records[name]) for name in model.grouping},
        offsets={
            e.response: np.log(records[e.offset].to_numpy(dtype=float) / e.offset_reference)
            for e in model.equations
            if e.offset
        },
        measurement_sd={
            e.response: _error_sd(e.response, e.reliability, e.observed_sd, survey)
            for e in model.equations
            if FAMILIES[e.family].latent
        },
    )


def _error_sd(response: str, reliability: float | None, observed_sd: float | None, survey: Survey) -> float:
    """Return the SD of measurement error; that of the observed values is the survey's where the model has none."""
    if observed_sd is None:
        if response not in survey.records:
            problem = f'column "{response}" is missing, from whose SD that of its measurement error is taken'
            raise SurveyError(survey.source, [f"{problem}; or give the equation observed_sd"])
        observed_sd = float(survey.records[response].std())
    return observed_sd * math.sqrt(1.0 - (1.0 if reliability is None else reliability))
