"""PathModel + Survey -> Design: fixed transforms of covariates, edges of the chain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_sp.spec.types import Covariate, PathModel
from bayes_sp.survey.checks import check_design, check_survey
from bayes_sp.survey.design import Array, Design
from bayes_sp.survey.records import Survey


def design_arrays(model: PathModel, survey: Survey) -> Design:
    """Return the arrays that a model's equations see of a survey, after checking both against each other.

    Covariates enter as ``(f(value) - center) / scale`` with the specification's constants, or as one column for
    each of L levels but the first: 1 at the level and 0 elsewhere, less 1/L, so that the intercept speaks of the
    average over the levels; a column's coefficient is the difference from the first level.

    Raises
    ------
    SurveyError
        For missing columns, values off their scale, constant or collinear columns, too few records.
    """
    check_survey(model, survey)
    values = {name: survey.records[name].to_numpy(dtype=float) for name in model.columns}
    responses = [equation.response for equation in model.equations]
    design = Design(
        exposure=model.exposure,
        mediators=model.mediators,
        outcome=model.outcome,
        families=tuple(equation.family for equation in model.equations),
        x=values[model.exposure],
        y=np.column_stack([values[name] for name in responses]),
        w=covariate_columns(model, survey.records),
        covariate_terms=model.covariate_terms,
        edges_exposure=np.array([model.exposure in equation.parents for equation in model.equations]),
        edges_mediators=np.array([[name in e.parents for name in model.mediators] for e in model.equations]),
        contrast=model.contrast,
    )
    check_design(design, survey.source)
    return design


def covariate_columns(model: PathModel, records: pd.DataFrame) -> Array:
    """Return the covariates' design columns after their fixed transforms, (n, q)."""
    columns = [c for v in model.covariates for c in _columns(v, records[v.name].to_numpy(dtype=float))]
    return np.column_stack(columns) if columns else np.empty((len(records), 0))


def _columns(covariate: Covariate, values: Array) -> list[Array]:
    if covariate.levels:
        return [(values == level) - 1.0 / len(covariate.levels) for level in covariate.levels[1:]]
    raw = np.log1p(values) if covariate.transform == "log1p" else values
    return [(raw - covariate.center) / covariate.scale]


def equation_matrix(model: PathModel, design: Design, j: int) -> Array:
    """Return equation j's columns, (n, p): 1, parents less their fixed centres, covariates (as ``model.terms``)."""
    equation = model.equations[j]
    chain = dict(zip((design.exposure, *design.responses), (design.x, *design.y.T), strict=True))
    parents = [chain[name] - model.variable(name).center for name in equation.parents]
    return np.column_stack([np.ones(design.n), *parents, design.w])
