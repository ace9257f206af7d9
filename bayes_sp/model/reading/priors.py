"""The tables of ``[priors]`` -> priors, each with the equation and the parameter that it is for."""

from __future__ import annotations

from bayes_sp.errors import nearest
from bayes_sp.model.distributions import COEFFICIENTS, DISTRIBUTIONS, SHARES, Prior
from bayes_sp.model.families.registry import scalar_parameters
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.path_model import WHOLE_MODEL, PathModel
from bayes_sp.model.reading.table import Table
from bayes_sp.model.terms import ZERO, predictors_of


def coefficient_names(model: PathModel) -> list[str]:
    """Return every name that a prior of coefficients can stand under."""
    plain = [model.exposure, *(equation.response for equation in model.equations)]
    plain += [name for covariate in model.covariates for name in (covariate.name, *covariate.terms)]
    if any(equation.zero_part for equation in model.equations):
        plain += [ZERO + name for name in plain]
    predictors = [each for equation in model.equations for each in predictors_of(model, equation)]
    asked = [name for each in predictors for term in each.terms for name in each.prior_names(term)]
    return list(dict.fromkeys((*plain, *asked)))


def read_priors(table: Table, variables: list[str], coefficients: list[str]) -> tuple[tuple[str, str, Prior], ...]:
    """Read ``[priors]``: a table with ``dist`` is the whole model's, one named as a variable holds its equation's."""
    known = [*COEFFICIENTS, *scalar_parameters(), SHARES, *coefficients]
    found: list[tuple[str, str, Prior]] = []
    for name in table.names():
        below = table.take_table(name)
        if name in variables and "dist" not in below.names():
            for parameter in below.names():
                prior = read_prior(below.take_table(parameter))
                if prior is not None:
                    found.append((name, parameter, prior))
        elif name in known:
            prior = read_prior(below)
            if prior is not None:
                found.append((WHOLE_MODEL, name, prior))
        else:
            table.report(name, f"is neither a parameter nor a variable of the model{nearest(name, known)}")
    return tuple(found)


def read_unmeasured(tables: Table) -> tuple[Unmeasured, ...]:
    """Read ``[unmeasured]``: for each confounder a table of strengths, numbers or priors; () after any mistake."""
    before = len(tables.problems)
    found = []
    for name in tables.names():
        table = tables.take_table(name)
        strengths = [(response, _strength(table, response)) for response in table.names()]
        found.append(Unmeasured(name, tuple((r, s) for r, s in strengths if s is not None)))
    return tuple(found) if len(tables.problems) == before else ()


def _strength(table: Table, response: str) -> float | Prior | None:
    value = table.take(response)
    if isinstance(value, dict):
        return read_prior(Table(value, table.key(response), table.problems))
    if isinstance(value, str | list):
        table.report(response, f"must be a number, or a prior as in {{ dist = ... }}, found {value!r}")
        return None
    return table.number(response, value)


def read_prior(table: Table) -> Prior | None:
    """Read one prior; None after any mistake."""
    before = len(table.problems)
    dist = table.take_choice("dist", tuple(DISTRIBUTIONS))
    why = table.take_text("why", required=True)
    if not dist:
        return None
    known = DISTRIBUTIONS[dist]
    constants = [(name, table.take_number(name, required=True)) for name in known.arguments]
    for name, value in constants:
        if name in known.positive and value is not None and value <= 0:
            table.report(name, f"must be > 0, found {value:g}")
    table.finish()
    if len(table.problems) > before:
        return None
    return Prior(dist, tuple((name, float(value)) for name, value in constants if value is not None), why)
