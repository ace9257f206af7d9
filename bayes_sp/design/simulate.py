"""Records simulated from a path model with known parameters: the truth that a fit has to find."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.design.build import covariate_columns, group_codes
from bayes_sp.design.design import Design
from bayes_sp.design.elements import with_elements
from bayes_sp.design.evaluate import chain_auxiliary, mean_predictor, zero_predictor
from bayes_sp.design.sequence import in_sequence, sequential
from bayes_sp.errors import SurveyError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import VARYING
from bayes_sp.records.survey import Survey


def simulate_survey(
    model: PathModel, survey: Survey, parameters: Mapping[str, Array], *, n: int | None = None, seed: int
) -> Survey:
    """Simulate ``n`` patients: exposure and covariates resampled from a survey, responses drawn from the model.

    Parameters
    ----------
    model
        The specification; limits of its variables are not kept (a normal response leaves any scale).
    survey
        Whose rows of exposure, covariates, groups and windows are drawn with replacement, of those without a
        missing cell.
    parameters
        ``{response: coefficients in the order of model.terms, "sigma": ..., "phi": ...}``, the last ones in the
        order of the equations that have them, and ``<response>_zero``, ``<response>_cutpoint``,
        ``<response>_<parent>_simplex`` and ``<response>_varying``, all as in the posterior. Where the last is not
        given, deviations of groups are drawn with the SD ``tau``. Strengths of an unmeasured confounder that have a
        prior stand under its name, in the specification's order.
    n, seed
        Number of patients, and seed. None for the survey's own patients without a missing cell, each once.

    Returns
    -------
    Survey
        With the model's columns; origin ``"simulation"``. A response on a bounded scale with steps is rounded to the
        nearest step. A response measured with error is the observed value; later responses depend on the true one.
        Every response is one that is observed: shifts of missing values (``missing_shift``) have no part in it.
        An unmeasured confounder is drawn from N(0, 1) for each patient, and is no column of the records.
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
        response, family, coding = equation.response, FAMILIES[equation.family], model.coding(equation.response)
        eta = mean_predictor(model, design, j, at, values)
        zeta = zero_predictor(model, design, j, at, values)
        aux = chain_auxiliary(model, design, j, at)
        if family.latent:
            values[response] = rng.normal(eta, aux[0])
            design.y[:, j] = rng.normal(values[response], aux[1])
        else:
            coded = coding.origin + coding.unit * family.simulate(rng, eta, zeta, aux)
            design.y[:, j] = _on_steps(model, response, coded) if family.bounded else coded
        records[response] = design.y[:, j]
    return Survey(records, "simulation", f"{len(records)} patients simulated from the model (seed {seed})")


def _on_steps(model: PathModel, response: str, values: Array) -> Array:
    """Return values rounded to the steps of their scale; as they are on a continuous one."""
    variable = model.variable(response)
    if variable.step == 0.0 or variable.minimum is None:
        return values
    return variable.minimum + variable.step * np.round((values - variable.minimum) / variable.step)


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
