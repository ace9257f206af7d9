"""Rules for products in an equation: both main effects stand beside them, and a moderator is measured before."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel
from bayes_sp.model.terms import product_text


def product_problems(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    """Yield every product that cannot stand in an equation, with its place."""
    place = f"{key}.products"
    covariates = [covariate.name for covariate in model.covariates_of(equation)]
    exposures = [exposure.name for exposure in model.exposures]
    seen = {frozenset((model.exposure, name)) for name in equation.interactions}
    for pair in equation.products:
        text = product_text(pair)
        if pair[0] == pair[1]:
            yield f'{place}: "{text}" is a variable times itself; a product has two different ones'
            continue
        if frozenset(pair) in seen:
            yield f'{place}: "{text}" stands twice, in either order or among the interactions; once is enough'
        seen.add(frozenset(pair))
        problems = [problem for name in pair if (problem := _unusable(model, equation, name))]
        yield from (f'{place}: "{text}": {problem}' for problem in problems)
        if not problems and set(pair) <= set(covariates) and not set(pair) & set(exposures):
            yield (
                f'{place}: "{text}": both are covariates; a moderator stands in a product with the exposure or a '
                f"mediator that is a parent of {equation.response}"
            )
        elif not problems and set(pair) <= set(model.mediators):
            yield from (f'{place}: "{text}": {problem}' for problem in _without_effects(model, equation, pair))


def _without_effects(model: PathModel, equation: Equation, pair: tuple[str, str]) -> Iterator[str]:
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
    return f'"{name}" is neither a parent of {response} nor in [covariates]{nearest(name, known) if known else ""}'


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
            yield f"{key}: is not in [covariates]{nearest(name, covariates) if covariates else ''}"
        elif name not in moderating:
            yield f'{key}: stands in no product; add one to an equation, such as products = ["{name}:{model.exposure}"]'
        elif levels := covariates[name].levels:
            for value in values:
                if value not in levels:
                    known = ", ".join(f"{level:g}" for level in levels)
                    yield f"{key}: {value:g} is not among the levels {known}"
        if len(set(values)) < len(values):
            yield f"{key}: holds a value twice: {list(values)}"
