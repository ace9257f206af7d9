"""Which prior belongs to which coefficient, and a specification with some of them changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from bayes_sp.model.checks.priors import prior_parameters
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import WHOLE_MODEL, Equation, PathModel
from bayes_sp.model.terms import Term as Product
from bayes_sp.model.terms import predictors_of
from bayes_sp.names import TOTAL, TOTAL_INDIRECT, path_name

type Term = tuple[str, str]  # (response, parameter as its prior is asked for)

PATHS = "paths"
COVARIATES = "covariates"
INTERCEPTS = "intercepts"
COEFFICIENTS = "coefficients"
GROUPS: dict[str, str] = {
    PATHS: "coefficients on the paths",
    "paths_to_mediators": "coefficients on the paths into the mediators",
    "paths_to_outcome": "coefficients on the paths into the outcome",
    COVARIATES: "coefficients of covariates",
    INTERCEPTS: "intercepts",
    COEFFICIENTS: "all coefficients",
}


def members(model: PathModel, group: str) -> tuple[Term, ...]:
    """Return a group's coefficients in the order of the equations.

    ``paths``: slopes of exposure and mediators and their interactions, in zero parts too; ``paths_to_mediators`` and
    ``paths_to_outcome`` are those of the mediators' equations and of the outcome's. ``covariates``; ``intercepts``, in
    zero parts too; ``coefficients``: all of these. Cutpoints belong to none.
    """
    kinds = {"parent": PATHS, "interaction": PATHS, "covariate": COVARIATES, "intercept": INTERCEPTS}
    found = []
    for equation in model.equations:
        place = "paths_to_outcome" if equation.response == model.outcome else "paths_to_mediators"
        for asked, term in _coefficients(model, equation).items():
            kind = PATHS if set(term.variables) & set(_moved(model)) else kinds[term.role]
            if group in (COEFFICIENTS, kind) or (kind == PATHS and group == place):
                found.append((equation.response, asked))
    return tuple(found)


def _coefficients(model: PathModel, equation: Equation) -> dict[str, Product]:
    """Return an equation's coefficients, as their priors are asked for, with their terms; a zero part's come last."""
    return {p.asked(term): term for p in predictors_of(model, equation) for term in p.terms}


def cutpoints(model: PathModel) -> tuple[Term, ...]:
    """Return the cutpoints of the ordered equations."""
    return tuple((e.response, "cutpoint") for e in model.equations if FAMILIES[e.family].ordered)


def along(model: PathModel, path: str) -> tuple[Term, ...]:
    """Return the coefficients along a path, of every indirect path, or of every path (``total``).

    With the slope of a mediator goes its interaction with the exposure, with the slope of the exposure every
    interaction of its equation, and with both their slopes in a zero part.
    """
    names = {path_name(variables): variables for variables in model.named_paths()}
    indirect = [variables for variables in names.values() if len(variables) > 2]
    chosen = {TOTAL: list(names.values()), TOTAL_INDIRECT: indirect}.get(path) or [names[path]]
    edges = {(child, parent) for variables in chosen for parent, child in pairwise(variables)}
    return tuple(term for term in members(model, PATHS) if _parents(model, *term) & edges)


def _parents(model: PathModel, response: str, parameter: str) -> set[Term]:
    """Return the (response, parent) that a coefficient on the paths belongs to: two for an interaction."""
    equation = next(equation for equation in model.equations if equation.response == response)
    variables, moved = _coefficients(model, equation)[parameter].variables, _moved(model)
    return {(response, model.source if parent in moved else parent) for parent in variables}


def _moved(model: PathModel) -> tuple[str, ...]:
    """Return the exposures that move; () where that is one plain number."""
    return model.move.names if model.move else ()


def prior_of(model: PathModel, term: Term) -> Prior:
    """Return the prior of a parameter of a checked specification."""
    prior = model.prior(*term)
    if prior is None:
        raise ValueError(f'the specification "{model.name}" has no prior for {arrow(term)}')
    return prior


def arrow(term: Term) -> str:
    """Return a coefficient's name as readers see it: ``response <- parameter``."""
    return f"{term[0]} <- {term[1]}"


def scaled(prior: Prior, factor: float, why: str) -> Prior:
    """Return a prior whose scale is another multiple; itself for a factor of 1 and where it has no scale."""
    name = prior.distribution.scale
    if not name or factor == 1.0:
        return prior
    return _rewritten(prior, {name: prior.values[name] * factor}, why)


def centred(prior: Prior, factor: float, why: str) -> Prior:
    """Return a prior with mean 0 and a multiple of its scale; itself where that changes nothing, or without a scale."""
    name = prior.distribution.scale
    if not name or (factor == 1.0 and not prior.values.get("mu")):
        return prior
    return _rewritten(prior, {"mu": 0.0, name: prior.values[name] * factor}, why)


def _rewritten(prior: Prior, new: dict[str, float], why: str) -> Prior:
    numbers = [new.get(key, value) for key, value in prior.constants]
    return prior.with_numbers(numbers, f"{why}; as written: {prior}, {prior.why}")


def changed(model: PathModel, terms: tuple[Term, ...], change: Callable[[Prior], Prior], case: str) -> PathModel:
    """Return a specification in which the priors of some coefficients are changed."""
    return with_priors(model, {term: change(prior_of(model, term)) for term in terms}, case)


def with_priors(model: PathModel, changes: Mapping[Term, Prior], case: str) -> PathModel:
    """Return the specification with other priors for some parameters, and nothing else changed but its name.

    An entry of ``priors`` that serves only parameters with one and the same new prior is replaced where it stands;
    where some keep theirs, the others get entries of their own in their equation's table, which win over every other.
    The specification itself where nothing changes.
    """
    if all(model.prior(*term) == prior for term, prior in changes.items()):
        return model
    users = users_of(model)
    entries: list[tuple[str, str, Prior]] = []
    for where, name, prior in model.priors:
        using = users.get((where, name), [])
        new = {term: changes.get(term, prior) for term in using}
        if len(set(new.values())) <= 1:
            entries.append((where, name, next(iter(new.values()), prior)))
            continue
        if prior in new.values():
            entries.append((where, name, prior))
        entries += [(*term, other) for term, other in new.items() if other != prior]
    return renamed(model, tuple(entries), case)


def renamed(model: PathModel, entries: tuple[tuple[str, str, Prior], ...], case: str) -> PathModel:
    """Return a specification with these priors, named after the case, in a form that can be written as TOML."""
    found = replace(model, name=f"{model.name} ({case})", priors=entries)
    return replace(found, priors=tuple(_writable(found)))


def users_of(model: PathModel) -> dict[tuple[str, str], list[Term]]:
    """Return which parameters each entry of ``priors`` serves; entries that serve none are left out."""
    users: dict[tuple[str, str], list[Term]] = defaultdict(list)
    for equation in model.equations:
        for parameter in prior_parameters(model, equation):
            place = model.prior_place(equation.response, parameter)
            if place is not None:
                users[place].append((equation.response, parameter))
    return dict(users)


def _writable(model: PathModel) -> Iterator[tuple[str, str, Prior]]:
    """Yield the priors; a mediator's for the whole model cannot stand beside a table of its equation in a file."""
    tables = {where for where, _, _ in model.priors if where}
    users = users_of(model)
    for where, name, prior in model.priors:
        if where == WHOLE_MODEL and name in tables:
            yield from ((*term, prior) for term in users.get((where, name), []))
        else:
            yield where, name, prior
