"""Which family may stand where in the chain, and what it asks of its response."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.families.base import EXPONENTIAL
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel, Variable

MOST_PATHS = 8  # of which every set is computed, where effects are not in closed form
MOST_MEDIATORS = 2  # with a mediator that is not normal, whose effects are sums over levels or quadratures


def family_problems(model: PathModel) -> Iterator[str]:
    """Yield what is wrong with families at their places in the chain, where effects would have no exact rule."""
    for i, equation in enumerate(model.equations, start=1):
        key = f"equation[{i}].family"
        if equation.family not in FAMILIES:
            yield f'{key}: unknown family "{equation.family}"{nearest(equation.family, FAMILIES)}'
        elif equation.response != model.outcome:
            yield from _mediator(model, equation, key)
        elif not FAMILIES[equation.family].outcome:
            known = [name for name, family in FAMILIES.items() if family.outcome]
            yield f'{key}: "{equation.family}" is not available for the outcome; available: {", ".join(known)}'
    families = [equation.family for equation in model.equations[:-1]]
    others = [name for name in dict.fromkeys(families) if name in FAMILIES and name != "normal"]
    if others and len(families) > MOST_MEDIATORS:
        yield (
            f"equation: effects through {', '.join(others)} mediators are exact for at most {MOST_MEDIATORS} of them, "
            f"found {len(families)}; make them all normal or take one out of the chain"
        )
    sound = len(families) > MOST_MEDIATORS and not others and model.outcome == model.equations[-1].response
    if (
        sound
        and model.outcome_family.outcome not in (None, "identity", "exp")
        and (found := _paths(model)) > MOST_PATHS
    ):
        yield (
            f'equation: effects on an outcome of the family "{model.equations[-1].family}" need the mean of every set '
            f"of paths, 2^{found} for the {found} paths found; at most {MOST_PATHS} paths are possible, as of three "
            f"mediators in series or seven side by side: take arrows or a mediator out"
        )


def _paths(model: PathModel) -> int:
    """Return how many paths lead from the exposure to the outcome."""
    ending = {model.exposure: 1}
    for equation in model.equations:
        ending[equation.response] = sum(ending.get(parent, 0) for parent in equation.parents)
    return ending[model.outcome]


def _mediator(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    family = FAMILIES[equation.family]
    later = model.equations[[e.response for e in model.equations].index(equation.response) + 1 :]
    if not family.mediator:
        mediating = ", ".join(name for name, other in FAMILIES.items() if other.mediator)
        yield (
            f'{key}: "{equation.family}" is not available for a mediator, whose effects must be exact; '
            f"available: {mediating}"
        )
    elif family.bounded and len(later) > 1:
        yield (
            f'{key}: "{equation.family}" is available for the last mediator only, found {equation.response} before '
            f"{later[0].response}; let it be normal, or change the order"
        )
    elif family.mediator == "count":
        yield from _count(model, equation, later[0] if later else None, key)
    elif family.heavy_tailed:  # no finite mean of exp(slope * mediator): every later mean must be linear
        linear = [name for name, other in FAMILIES.items() if other.mediator == "normal"]
        for other in later:
            if other.family in FAMILIES and other.family not in linear:
                yield (
                    f'{key}: "{equation.family}" is available for a mediator only where every later family is one of '
                    f"{', '.join(linear)}, because its tails have no finite mean under another link; "
                    f'found "{other.family}" for {other.response}'
                )


def _count(model: PathModel, equation: Equation, after: Equation | None, key: str) -> Iterator[str]:
    """Yield why a count would leave the mean of a log link without a value whatever the draw (Daniel et al. 2015)."""
    name = equation.response
    if after is None or name not in after.parents or name in after.log1p:
        return
    wide = [
        other.response
        for other in model.equations
        if other.response in equation.parents and FAMILIES[other.family].mediator in ("normal", "count")
    ]
    if wide and after.family in FAMILIES and FAMILIES[after.family].outcome in EXPONENTIAL:
        yield (
            f"{key}: {name} depends on {wide[0]}, whose values have no bound, and enters the log link of "
            f"{after.response} as itself, so that the mean of {after.response} does not exist; let it enter as "
            f'log(1 + {name}): log1p = ["{name}"] in the equation of {after.response}'
        )


def kind_problems(model: PathModel) -> Iterator[str]:
    """Yield what is wrong with the kinds and scales of variables, given what is done with them."""
    for equation in model.equations:
        yield from _response(model.variable(equation.response), equation.family)
    for variable in model.variables:
        key = f"variables.{variable.name}"
        low, high = variable.minimum, variable.maximum
        if variable.kind == "label" and variable.name not in model.grouping:
            yield f'{key}.kind: "label" is for grouping columns, and no varying names {variable.name}; use another'
        if variable.name in model.grouping and (variable.kind != "label" or (low, high) != (None, None)):
            yield f'{key}: a grouping column has the kind "label" and neither min nor max; take them out'
        if variable.kind == "positive" and high is not None and high <= 0:
            yield f"{key}.max: a positive variable has a max above 0, found {high:g}"
        if variable.kind == "binary" and (low is not None or high is not None) and not _neighbours(low, high):
            yield f"{key}: a binary variable has min and max that are neighbouring whole numbers, or neither (0 and 1)"


def _neighbours(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low == round(low) and high - low == 1


def _response(variable: Variable, name: str) -> Iterator[str]:
    """Yield what is wrong with a response's kind and scale for its family."""
    family, key = FAMILIES[name], f"variables.{variable.name}"
    low, high = variable.minimum, variable.maximum
    if family.response != "real" and variable.kind != family.response:
        yield f'{key}.kind: must be "{family.response}" for the family "{name}", found "{variable.kind}"'
    if (family.ordered or family.bounded) and (low is None or high is None):
        missing = " and ".join(end for end, value in (("min", low), ("max", high)) if value is None)
        yield f'{key}: {missing} must be given for the family "{name}", whose scale has two ends'
    elif family.ordered and low is not None and high is not None and (low != round(low) or high != round(high)):
        yield f'{key}: min and max must be whole numbers for the family "{name}", found {low:g} and {high:g}'
    if family.bounded and low is not None and high is not None and variable.step >= high - low > 0:
        yield f"{key}.step: must be below the width of the scale, {high - low:g}, found {variable.step:g}"
