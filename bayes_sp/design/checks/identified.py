"""Can the data tell what a specification asks for? Errors of measurement, and groups of a record each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.design.relevance import came_back
from bayes_sp.errors import SurveyError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Equation
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import Term, covariate_terms, predictors_of

FEWEST_REPEATS = 5  # records beyond the first of their group
LEAST_REPEATED = 0.03  # of all records
FEWEST_AT_LEVEL = 3  # records of a level of an exposure
HALF = 0.5  # of the distance between the indicators of two levels
THIN = 1 / 3  # a share of records beyond the first of their group below which the groups' SD is hardly known


def check_identified(model: PathModel, design: Design, columns: Callable[[int], Array], source: str) -> None:
    """Check that measurement errors are possible, and that groups can be told from single records.

    ``columns`` gives equation j's columns, (n, p), as `equation_matrix` does, where they are needed.

    Raises SurveyError naming the columns, with the numbers.
    """
    problems = []
    for j, equation in enumerate(model.equations):
        problem = _impossible_error(model, design, equation, partial(columns, j))
        problems += [problem] if problem else []
        if equation.varying:
            problem = _groups_of_one(design, equation)
            problems += [problem] if problem else []
    if problems:
        raise SurveyError(source, problems)


def check_levels(model: PathModel, design: Design, source: str) -> None:
    """Check that enough records have each level of an exposure.

    Raises SurveyError naming the levels.
    """
    if problems := list(_rare_levels(model, design)):
        raise SurveyError(source, problems)


def level_counts(model: PathModel, design: Design) -> Iterator[tuple[str, str, int]]:
    """Yield (exposure, level, records with a response) of every level of the exposures that are categories."""
    back = came_back(design)
    for covariate in (c for c in model.covariates if c.name in model.categories):
        own = design.w[back][:, [design.covariate_terms.index(term) for term in covariate.terms]]
        factors = [factor for term in covariate_terms(covariate) for factor in term.factors]
        each = np.column_stack([factor.coding.column(np.array(covariate.levels)) for factor in factors])
        for level, name in zip(each, covariate.level_names, strict=True):
            yield covariate.name, name, int((np.abs(own - level) < HALF).all(axis=1).sum())


def _rare_levels(model: PathModel, design: Design) -> Iterator[str]:
    """Yield each level of an exposure that too few records with a response have: its effects would be theirs."""
    for name, level, count in level_counts(model, design):
        if count < FEWEST_AT_LEVEL:
            found = f"{count} record{'' if count == 1 else 's'} with a response" if count else "no record"
            yield (
                f'column "{name}": the level {level} has {found}, and its effects need {FEWEST_AT_LEVEL} at least; '
                "take it out of the levels, or put it together with another"
            )


def _groups_of_one(design: Design, equation: Equation) -> str:
    """Return what is wrong where nearly every record is a group of its own; '' where that can be told apart.

    The SD of the groups' intercepts and the spread within groups then make up one variance. A Poisson count has no
    spread of its own, and a group for each record makes it overdispersed.
    """
    family = FAMILIES[equation.family]
    if not family.disperses:
        return ""
    records, groups = _records_and_groups(design, equation)
    if records - groups >= max(FEWEST_REPEATS, LEAST_REPEATED * records):
        return ""
    spread = _spread(equation)
    advice = f'leave out varying = "{equation.varying}"'
    if family.response == "count":
        advice += ', or choose the family "poisson", which groups of one record make overdispersed'
    return (
        f'column "{equation.varying}": {groups} groups for {records} records of {equation.response}; with nearly every '
        f"record a group of its own, the groups' SD (tau) cannot be told from {spread}; {advice}"
    )


def thin_groups(model: PathModel, design: Design) -> Iterator[str]:
    """Yield a sentence on each equation whose groups mostly hold one record: enough to fit, too few to know much.

    Only records that share a group tell the SD of the groups' intercepts from the spread within groups; the sampler
    then goes along the ridge on which the two make up one variance.
    """
    for equation in model.equations:
        if not equation.varying or not FAMILIES[equation.family].disperses or _groups_of_one(design, equation):
            continue  # what is refused is not warned of too
        records, groups = _records_and_groups(design, equation)
        if records - groups < THIN * records:
            scales = ", ".join(f"{name}[{equation.response}]" for name in FAMILIES[equation.family].parameters)
            yield (
                f"{equation.varying}: {groups} groups for {records} records of {equation.response}, so that most are "
                f"alone in theirs and only {records - groups} tell the groups' SD (tau[{equation.response}]) from "
                f"{_spread(equation)}: sampling may fail{f', of {scales} above all' if scales else ''}. Give tau a "
                f'narrower prior, draw more, or leave out varying = "{equation.varying}".'
            )


def _records_and_groups(design: Design, equation: Equation) -> tuple[int, int]:
    """Return how many records have the equation's response, and in how many groups they are."""
    seen = ~np.isnan(design.y[:, design.responses.index(equation.response)])
    codes, _ = design.groups[equation.varying]
    return int(seen.sum()), len(np.unique(codes[seen]))


def _spread(equation: Equation) -> str:
    return next((f"{own.words} ({own.name})" for own in FAMILIES[equation.family].scalars), "chance")


def _impossible_error(model: PathModel, design: Design, equation: Equation, columns: Callable[[], Array]) -> str:
    """Return what is wrong where a residual variance would be negative; '' where it is not, or cannot be told.

    With S the covariance matrix of what was observed and E that of measurement errors, diagonal, true values have
    S - E. The residual variance of a response y given its parents is s_yy - s_xy' (S_xx - E_xx)^-1 s_xy - E_yy
    (Fuller 1987, Measurement error models, section 2.2); an interaction with a parent measured with error is left out,
    which leaves more of y unexplained.
    """
    family, terms = FAMILIES[equation.family], predictors_of(model, equation)[0].terms
    latent = {e.response: 1.0 if e.reliability is None else e.reliability for e in model.equations if _is_latent(e)}
    involved = [name for name in latent if name == equation.response or name in equation.parents]
    if not involved or family.link != "identity" or family.response != "real":
        return ""
    moved = {term for term in terms if term.role == "interaction" and latent.keys() & set(term.variables)}
    kept = [k for k, term in enumerate(terms) if term.role != "intercept" and term not in moved]
    table = np.column_stack([columns()[:, kept], design.y[:, design.responses.index(equation.response)]])
    table = table[~np.isnan(table).any(axis=1)]
    if len(table) < len(kept) + 3:
        return ""
    errors = np.array([design.measurement_sd.get(name, 0.0) ** 2 for name in (*(terms[k].name for k in kept), "")])
    errors[-1] = design.measurement_sd.get(equation.response, 0.0) ** 2
    observed = np.atleast_2d(np.cov(table.T))
    spent = (len(table) - 1) / (len(table) - 1 - len(kept))  # degrees of freedom: chance alone is not refused
    if not _residual_variance(observed, errors, spent) <= 0.0:
        return ""
    part, step = 0.0, 0.5  # the largest part of the errors' variances that leaves something
    for _ in range(30):
        part += step if _residual_variance(observed, (part + step) * errors) > 0.0 else 0.0
        step /= 2.0
    given = " and ".join(f"{latent[name]:g} of {name}" for name in involved)
    least = " and ".join(f"{1.0 - part * (1.0 - latent[name]):.2f} for {name}" for name in involved)
    before, after = _residual_variance(observed, 0.0 * errors), _residual_variance(observed, errors)
    return (
        f'column "{equation.response}": a reliability of {given} is impossible with these records: of '
        f"{equation.response}, what {_names(equation, terms)} cannot explain has the variance {before:.3g} as observed "
        f"and {after:.3g} after the errors of measurement are taken off; that is positive for a reliability above "
        f"{least}; correct reliability, or observed_sd where it is given"
    )


def _names(equation: Equation, terms: tuple[Term, ...]) -> str:
    covariates = any(term.role == "covariate" for term in terms)
    return ", ".join((*equation.parents, *(["the covariates"] if covariates else [])))


def _residual_variance(observed: Array, errors: Array, spent: float = 1.0) -> float:
    """Return the true residual variance of the last variable given the others; NaN where theirs are impossible."""
    columns = len(observed) - 1
    inner, between = observed[:-1, :-1] - np.diag(errors[:-1]), observed[:-1, -1]
    if columns and np.linalg.eigvalsh(inner)[0] <= 0.0:
        return np.nan
    explained = between @ np.linalg.solve(inner, between) if columns else 0.0
    return float(spent * (observed[-1, -1] - explained) - errors[-1])


def _is_latent(equation: Equation) -> bool:
    return FAMILIES[equation.family].latent
