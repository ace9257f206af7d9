"""Rules for products in an equation: both main effects stand beside them, and a moderator is measured before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from bayes_sp.errors import nearest
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel
from bayes_sp.model.terms import product_text


def product_problems(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    """Yield every product that cannot stand in an equation, with its place."""
    place = f"{key}.products"
    seen = {frozenset((model.exposure, name)) for name in equation.interactions}
    for names in equation.products:
        text = product_text(names)
        if twice := [name for name in names if names.count(name) > 1]:
            yield f'{place}: "{text}" has "{twice[0]}" twice; the variables of a product are different ones'
            continue
        if frozenset(names) in seen:
            yield f'{place}: "{text}" stands twice, in any order or among the interactions; once is enough'
        seen.add(frozenset(names))
        problems = [problem for name in names if (problem := _unusable(model, equation, name))]
        problems = problems or list(_of_what(model, equation, names))
        yield from (f'{place}: "{text}": {problem}' for problem in problems)


def _of_what(model: PathModel, equation: Equation, names: tuple[str, ...]) -> Iterator[str]:
    """Yield why these variables, each of which can stand in a product of an equation, cannot stand in one together."""
    exposures = {model.exposure, *(exposure.name for exposure in model.exposures)}
    moderators = {covariate.name for covariate in model.covariates_of(equation)} - exposures
    if len(names) > 2:
        yield from _of_three(model, equation, names, moderators)
    elif set(names) <= moderators and not any(set(names) < set(others) for others in equation.products):
        yield (
            "both are covariates; a moderator stands in a product with the exposure or a mediator that is a parent of "
            f"{equation.response}, and with another moderator where the product of all three stands beside it"
        )
    elif set(names) <= set(model.mediators):
        yield from _without_effects(model, equation, names)


def _of_three(model: PathModel, equation: Equation, names: tuple[str, ...], moderators: set[str]) -> Iterator[str]:
    """Yield what is wrong with a product of three variables: two moderators, and the products of each two beside it."""
    others = [name for name in names if name not in moderators]
    if len(others) != 1:
        found = f"the exposure or mediators {', '.join(others)}" if others else "three covariates"
        yield f"has {found}; a product of three is of two covariates with the exposure or one mediator"
        return
    known = [*((model.exposure, name) for name in equation.interactions), *equation.products]
    stand = {frozenset(product) for product in known}
    if lacking := [product_text(pair) for pair in combinations(names, 2) if frozenset(pair) not in stand]:
        listed = ", ".join(f'"{text}"' for text in lacking)
        yield f"stands without the products of each two of its variables; add {listed}"


def _without_effects(model: PathModel, equation: Equation, pair: tuple[str, ...]) -> Iterator[str]:
    """Yield why a product of two mediators would leave effects without an exact rule."""
    if equation.response != model.outcome or len(model.mediators) > 2:
        yield (
            "a product of two mediators is available in the outcome's equation of a chain of these two; "
            f"found it for {equation.response}, after {len(model.mediators)} mediators"
        )
    for other in model.equations:
        family = FAMILIES[other.family]
        if other.response in pair and (family.bounded or family.heavy_tailed or family.mediator == "count"):
            yield f'the family "{other.family}" of {other.response} is not available in it; choose another'


def _unusable(model: PathModel, equation: Equation, name: str) -> str:
    """Return why a variable cannot stand in a product of an equation; '' where it can."""
    response = equation.response
    covariates = [covariate.name for covariate in model.covariates]
    if name in equation.parents:
        return f'"{name}" enters by a monotonic effect, which has no product; choose one' * (name in equation.monotonic)
    if name in [covariate.name for covariate in model.covariates_of(equation)]:
        return ""
    if name == response:
        return f'"{name}" is the response itself'
    if name in covariates:
        return f'"{name}" has no main effect here; add it to the covariates of {response}'
    if name in model.chain:
        if model.chain.index(name) > model.chain.index(response):
            return f'"{name}" comes after {response} in the chain; a product is of variables that come before'
        return f'"{name}" has no main effect here; add it to the parents of {response}'
    known = [*equation.parents, *covariates]
    return f'"{name}" is neither a parent of {response} nor in [covariates]{nearest(name, known)}'


def no_moderator(model: PathModel, name: str) -> str:
    """Return why a variable of the model is no moderator; '' for a covariate, and for what the model does not know."""
    exposures = (model.exposure, *(exposure.name for exposure in model.exposures))
    if name not in (*model.chain, *exposures):
        return ""
    after = "is the exposure" if name == model.exposure else "comes after the exposure, which could change it"
    after = "is an exposure, and has effects of its own" if name in exposures[1:] and name != model.exposure else after
    return f"{after}; a moderator is a covariate that was measured before"


def moderator_problems(model: PathModel) -> Iterator[str]:
    """Yield what is wrong with the values at which conditional effects are asked for."""
    moderating = model.moderating
    covariates = {covariate.name: covariate for covariate in model.covariates}
    for name, values in model.moderators:
        key = f"moderators.{name}"
        if reason := no_moderator(model, name):
            yield f"{key}: {reason}"
        elif name not in covariates:
            yield f"{key}: is not in [covariates]{nearest(name, covariates)}"
        elif name not in moderating:
            yield f'{key}: stands in no product; add one to an equation, such as products = ["{name}:{model.exposure}"]'
        elif levels := covariates[name].levels:
            for value in values:
                if value not in levels:
                    known = ", ".join(f"{level:g}" for level in levels)
                    yield f"{key}: {value:g} is not among the levels {known}"
        if len(set(values)) < len(values):
            yield f"{key}: holds a value twice: {list(values)}"
