"""PathModel + Survey -> Design: fixed transforms of covariates, edges of the chain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Codes, sd_of
from bayes_sp.design.checks.estimable import check_design
from bayes_sp.design.checks.identified import check_identified, check_levels
from bayes_sp.design.design import Design
from bayes_sp.design.relevance import unaccounted
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Covariate, Equation, PathModel
from bayes_sp.model.terms import Factor, Predictor, covariate_terms, predictors_of, product_text
from bayes_sp.records.checks import check_survey, group_labels, two_values
from bayes_sp.records.codes import without_codes
from bayes_sp.records.survey import Survey

# Of a survey, whose records cannot change: the arrays that its last two specifications see, a model and its twin.
_KNOWN: WeakKeyDictionary[Survey, list[tuple[PathModel, Design]]] = WeakKeyDictionary()


def design_arrays(model: PathModel, survey: Survey) -> Design:
    """Return the arrays that a model's equations see of a survey, after checking both against each other.

    Covariates enter as ``(f(value) - center) / scale`` with the specification's constants, or as one column for
    each of L levels but the first: 1 at the level and 0 elsewhere, less 1/L, so that the intercept speaks of the
    average over the levels; a column's coefficient is the difference from the first level. Missing cells are NaN.

    Raises SurveyError for missing columns, values off their scale, constant or collinear columns, too few records, an
    impossible reliability, groups of a record each.
    """
    known = _KNOWN.setdefault(survey, [])
    for other, design in known:
        if other is model or other == model:
            return design
    design = _checked_design(model, without_codes(model, survey))
    known[:] = [*known[-1:], (model, design)]
    return design


def _checked_design(model: PathModel, survey: Survey) -> Design:
    check_survey(model, survey)
    design = unchecked_design(model, survey)
    check_levels(model, design, survey.source)
    check_design(design, survey.source, _products(model, design), coded_factors(model), unaccounted(model, design))
    check_identified(model, design, partial(equation_matrix, model, design), survey.source)
    return design


def coded_factors(model: PathModel) -> list[Factor]:
    """Return what the columns of covariates, and of exposures that are coded as they are, are made of."""
    return [factor for c in model.covariates for term in covariate_terms(c) for factor in term.factors]


def _products(model: PathModel, design: Design) -> dict[str, Array]:
    """Return the columns of products that a specification lists, by name; interactions are of columns looked at."""
    values = design_values(design)
    return {
        term.name: product_of(term.factors, values, design.n)
        for equation in model.equations
        for term in predictors_of(model, equation)[0].terms
        if term.product in {product_text(names) for names in equation.products}
    }


def unchecked_design(model: PathModel, survey: Survey) -> Design:
    """Return the arrays of `design_arrays` for records that fit the specification, whether or not they are enough."""
    records = complete_cases(model, survey).records
    numbers = [name for name in model.columns if name not in model.grouping]
    values = {name: records[name].to_numpy(dtype=float, na_value=np.nan) for name in numbers}
    responses = [equation.response for equation in model.equations]
    missing = {name: np.isnan(column) for name, column in values.items()}
    return Design(
        exposure=model.exposure,
        mediators=model.mediators,
        outcome=model.outcome,
        families=tuple(equation.family for equation in model.equations),
        x=values[model.exposure],
        y=np.column_stack([values[name] for name in responses]),
        w=covariate_columns(model, records),
        covariate_terms=model.covariate_terms,
        edges_exposure=np.array([model.exposure in equation.parents for equation in model.equations]),
        edges_mediators=np.array([[name in e.parents for name in model.mediators] for e in model.equations]),
        contrast=model.contrast,
        missing={name: mask for name, mask in missing.items() if mask.any()},
        coding={response: model.coding(response) for response in responses},
        groups={name: group_codes(records[name]) for name in model.grouping},
        offsets={e.response: _log_window(e, values[e.offset]) for e in model.equations if e.offset},
        shifts={
            name: np.where(missing[name], delta, 0.0)
            for name, delta in model.missing_shift
            if delta and missing[name].any()
        },
        measurement_sd={e.response: _error_sd(e, values[e.response]) for e in model.equations if _measured(e)},
        pairs={c.name: pair for c in model.covariates if (pair := pair_of(model, c.name, values[c.name]))},
        dropped=len(survey) - len(records),
    )


def complete_cases(model: PathModel, survey: Survey) -> Survey:
    """Return the survey that a model uses: itself, or without incomplete records where the specification says so."""
    survey = without_codes(model, survey)
    keep = survey.records[list(model.columns)].notna().all(axis=1)
    if model.missing == "model" or keep.all():
        return survey
    left_out = f"{survey.source}; {int((~keep).sum())} more with missing cells left out"
    return replace(survey, records=survey.records[keep].reset_index(drop=True), source=left_out)


def group_codes(column: pd.Series) -> tuple[Codes, tuple[str, ...]]:
    """Return the number of each record's group, and the labels in their order: as numbers where all are."""
    labels = group_labels(column)
    numeric = all(label.lstrip("-").isdecimal() for label in labels)
    known = sorted(set(labels), key=lambda label: (int(label) if numeric else 0, label))
    place = {label: i for i, label in enumerate(known)}
    return np.array([place[label] for label in labels], dtype=np.int64), tuple(known)


def pair_of(model: PathModel, name: str, values: Array) -> tuple[float, ...]:
    """Return the two values of a covariate with missing cells whose other cells have no more, and no named levels."""
    return two_values(model, name, values) if np.isnan(values).any() else ()


def _log_window(equation: Equation, windows: Array) -> Array:
    """Return log(window / reference), (n,); 0 where there is no window, which only missing responses can lack."""
    return np.nan_to_num(np.log(windows / equation.offset_reference))


def _measured(equation: Equation) -> bool:
    return FAMILIES[equation.family].latent


def _error_sd(equation: Equation, values: Array) -> float:
    """SD of measurement error = SD of the observed values * sqrt(1 - reliability)."""
    observed = float(sd_of(values[~np.isnan(values)], ddof=1)) if equation.observed_sd is None else equation.observed_sd
    return observed * math.sqrt(1.0 - (1.0 if equation.reliability is None else equation.reliability))


def covariate_columns(model: PathModel, records: pd.DataFrame) -> Array:
    """Return the covariates' design columns after their fixed transforms, (n, q); NaN where a cell is missing."""
    columns = [c for v in model.covariates for c in transformed(v, records[v.name].to_numpy(float, na_value=np.nan))]
    return np.column_stack(columns) if columns else np.empty((len(records), 0))


def covariate_values(model: PathModel, survey: Survey) -> dict[str, Array]:
    """Return the covariates in their own units, (n,) each, of the patients that a model uses; NaN where missing."""
    records = complete_cases(model, survey).records
    return {c.name: records[c.name].to_numpy(dtype=float, na_value=np.nan) for c in model.covariates}


def transformed(covariate: Covariate, values: Array) -> list[Array]:
    """Return one covariate's design columns, each (n,), for its raw values."""
    return [factor.coding.column(values) for term in covariate_terms(covariate) for factor in term.factors]


def equation_matrix(model: PathModel, design: Design, j: int) -> Array:
    """Return equation j's columns, (n, p), in the order of ``model.terms``.

    The intercept's 1 (unless ordered); parents less their fixed centres, a monotonic one as the number of its level
    from 0; exposure * (mediator - its centre) for interactions; covariates. NaN where a cell behind it is missing.
    """
    return columns_of(predictors_of(model, model.equations[j])[0], design)


def zero_matrix(model: PathModel, design: Design, j: int) -> Array:
    """Return the columns of equation j's zero part, (n, p_zero); none where there is no such part."""
    found = [columns_of(predictor, design) for predictor in predictors_of(model, model.equations[j])[1:]]
    return found[0] if found else np.empty((design.n, 0))


def columns_of(predictor: Predictor, design: Design) -> Array:
    """Return a column for each of a predictor's terms, (n, p): the product of its factors."""
    values = design_values(design)
    columns = [product_of(term.factors, values, design.n) for term in predictor.terms]
    return np.column_stack(columns) if columns else np.empty((design.n, 0))


def product_of(factors: Sequence[Factor], values: Mapping[str, Array], n: int) -> Array:
    """Return the product of factors, (n,), 1 of none."""
    columns = [factor.of(values[factor.key]) for factor in factors]
    return math.prod(columns[1:], start=columns[0]) if columns else np.ones(n)


def design_values(design: Design) -> dict[str, Array]:
    """Return what factors are made of: variables of the chain in their units, covariates' coded columns, (n,)."""
    chain = dict(zip((design.exposure, *design.responses), (design.x, *design.y.T), strict=True))
    return chain | dict(zip(design.covariate_terms, design.w.T, strict=True))
