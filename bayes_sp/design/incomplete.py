"""The equations of incomplete covariates and of an incomplete exposure, given what is complete."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array, sd_of
from bayes_sp.design.build import columns_of, transformed
from bayes_sp.design.design import Design
from bayes_sp.design.equations import JointEquation, hidden_numbers, known_columns
from bayes_sp.design.parameters import Block, hidden_block
from bayes_sp.design.relevance import relevant
from bayes_sp.design.rows import ABSENT, MISSING, SEEN, Rows, split_rows
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import INTERCEPT, Factor, Predictor, Term, covariate_terms

WEAK = "weak: on the scale of the observed cells"


def incomplete_equations(model: PathModel, rows: Rows) -> tuple[JointEquation, ...]:
    """Return the equations of incomplete covariates and of an incomplete exposure.

    p(w_1, ..., w_m, x) is factorised in that order: each incomplete covariate given the complete ones, the exposure
    where it is complete, and the incomplete ones before it; an incomplete exposure given all covariates. So no two of
    them are taken to be independent. A number is normal, on the covariate's transformed scale; one of few levels is
    ordered.
    """
    design = rows.design
    incomplete = [c for c in model.covariates if c.name in rows.summed or c.name in design.missing]
    whole = [term for c in model.covariates if c not in incomplete for term in covariate_terms(c)]
    exposure = Term(model.exposure, (Factor(model.exposure),), "parent")
    coded = model.coded_exposure is not None  # then it is one of the covariates
    gone = model.exposure in design.missing and not coded
    exposed = [] if gone or coded else [exposure]
    found = []
    for k, covariate in enumerate(incomplete):
        before = [term for c in incomplete[:k] for term in covariate_terms(c)]
        found.append(_equation(model, rows, covariate.name, [*whole, *before, *exposed]))
    if gone:
        before = [term for c in incomplete for term in covariate_terms(c)]
        found.append(_equation(model, rows, model.exposure, [*whole, *before]))
    return tuple(found)


def _equation(model: PathModel, rows: Rows, name: str, terms: list[Term]) -> JointEquation:
    design, levels = rows.design, len(rows.summed.get(name, ()))
    if levels:
        values = _level_numbers(model, rows, name)
    else:
        terms = [Term(INTERCEPT, (), "intercept"), *terms]
        places = {term: j for j, term in enumerate(design.covariate_terms)}
        values = design.w[:, places[name]] if name in places else design.x
    predictor = Predictor(name, tuple(terms))
    gone = np.isnan(values)
    plain = name == model.exposure and model.coded_exposure is None
    unknown = gone & relevant(design, name) if plain else gone
    state = np.where(unknown, MISSING, np.where(gone, ABSENT, SEEN))
    number, count = hidden_numbers(rows, state)
    hidden = {cell: mask for cell, mask in design.missing.items() if cell not in rows.summed}
    x, live = known_columns(predictor, rows, hidden, np.ones(rows.count, dtype=bool))
    return JointEquation(
        response=name, family="ordered_logit" if levels else "normal", mean=predictor, zero=None,
        x=x, zero_x=np.empty((rows.count, 0)), y=np.where(gone, 0.0, values), state=state, hidden_number=number,
        is_parent=True, levels=levels, fixed=(), offset=None, groups=None, terms=tuple(live),
        blocks=_blocks(model, predictor, rows, values, levels),
        others=(hidden_block(name, count),) if count else (),
    )  # fmt: skip


def incomplete_priors(model: PathModel, design: Design) -> dict[str, dict[str, Prior]]:
    """Return the prior of each parameter of the equations of incomplete variables, by variable; {} where all is known.

    Those of ``[priors.<variable>]``; where nothing stands there, with m and s the mean and the SD of the observed
    values (0 and 1 for levels) and s_k the SD of a column: intercept N(m, 2s), slopes N(0, s / s_k), residual SD
    half-normal(1.5 s), cutpoints N(0, 2).
    """
    if not design.missing:
        return {}
    found: dict[str, dict[str, Prior]] = {}
    for equation in incomplete_equations(model, split_rows(model, design)):
        own = found.setdefault(equation.response, {})
        for block in equation.blocks:
            other = block.variable.removeprefix(f"{equation.response}_")
            labels = block.labels if block.variable == equation.response else (other,) * len(block.labels)
            own |= dict(zip(labels, block.priors, strict=True))
    return found


def _blocks(model: PathModel, predictor: Predictor, rows: Rows, values: Array, levels: int) -> tuple[Block, ...]:
    """Return the parameters of an incomplete variable's equation with their priors."""
    name, labels = predictor.response, predictor.names
    stated = {parameter: prior for where, parameter, prior in model.priors if where == name}

    def prior(names: tuple[str, ...], dist: str, **constants: float) -> Prior:
        """Return the prior that stands under one of the names, or the default."""
        default = Prior(dist, tuple(constants.items()), WEAK)
        return next((stated[own] for own in names if own in stated), default)

    first = np.unique(rows.patient, return_index=True)[1]
    observed = values[first][~np.isnan(values[first])]
    center, spread = (0.0, 1.0) if levels else (float(observed.mean()), float(sd_of(observed)) or 1.0)
    priors = []
    for term, column in zip(predictor.terms, columns_of(predictor, rows.design)[first].T, strict=True):
        summed = [rows.levels[name][first] >= 0 for name in term.variables if name in rows.levels]
        unit = float(sd_of(column[~np.any([np.isnan(column), *summed], axis=0)])) or 1.0
        mu, sigma = (center, 2.0 * spread) if term.role == "intercept" else (0.0, spread / unit)
        priors.append(prior(term.prior_names, "normal", mu=mu, sigma=sigma))
    blocks = [Block(name, labels, "identity", tuple(priors))] if labels else []
    if levels:
        cut = prior(("cutpoint",), "normal", mu=0.0, sigma=2.0)
        names = tuple(f"{k}|{k + 1}" for k in range(levels - 1))
        return (*blocks, Block(f"{name}_cutpoint", names, "increasing", (cut,) * (levels - 1)))
    scale = prior(("sigma",), "half_normal", sigma=1.5 * spread)
    return (*blocks, Block("sigma", (name,), "log", (scale,)))


def _level_numbers(model: PathModel, rows: Rows, name: str) -> Array:
    """Return the number of a summed covariate's level in each row."""
    covariate = next(c for c in model.covariates if c.name == name)
    design = rows.design
    own = np.column_stack([design.w[:, design.covariate_terms.index(term)] for term in covariate.terms])
    each = np.column_stack(transformed(covariate, np.array(rows.summed[name])))
    return np.abs(own[:, None, :] - each[None, :, :]).sum(axis=2).argmin(axis=1).astype(float)
