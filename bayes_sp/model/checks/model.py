"""Rules between the keys of a specification: a chain in order, known names, a prior for every parameter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.checks.equations import equation_problems
from bayes_sp.model.checks.exposures import contrast_problems, exposure_problems, size_problems, unmeasured_problems
from bayes_sp.model.checks.families import family_problems, kind_problems
from bayes_sp.model.checks.priors import prior_problems
from bayes_sp.model.checks.products import moderator_problems
from bayes_sp.model.distributions import COEFFICIENTS, SHARES
from bayes_sp.model.families.registry import scalar_parameters
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.shifts import shift_problems
from bayes_sp.model.terms import ZERO
from bayes_sp.safe_text import control_problem

LONGEST = 100  # letters of a name; files of draws take 255 of names that are made of two
STEP_ROUNDING = 0.01  # of a step that was written with few digits, such as 0.33
# A response's posterior and design are named after it, with these endings.
SUFFIXES = (
    "term", "x", "y", "observed", "cutpoint", "cut", "zero", "zero_term", "zero_x", "varying", "missing", "latent",
)  # fmt: skip


def reserved() -> tuple[str, ...]:
    """Return names of parameters, of dimensions of a posterior and of a prior's own key."""
    scalars = scalar_parameters()
    own = (*COEFFICIENTS, *scalars, SHARES, "chain", "draw", "patient", "dist")
    return (*own, *(f"{name}_response" for name in scalars))


def check_model(model: PathModel, *, with_priors: bool = True) -> list[str]:
    """Return every broken rule of a path model, each with the key path it concerns; empty when it is sound.

    ``with_priors`` is false where the priors could not be read, so that none is reported as missing for that reason.
    """
    problems = [*_names(model), *_order(model), *family_problems(model), *_covariates(model)]
    problems += exposure_problems(model)
    if not problems:  # the rules below look names up in a sound chain
        problems = [*equation_problems(model), *moderator_problems(model), *_variables(model), *kind_problems(model)]
        problems += [*contrast_problems(model), *size_problems(model), *_cells(model), *_twin(model)]
        problems += [*_published(model), *shift_problems(model)]
        problems += unmeasured_problems(model, {*reserved(), *_derived(model)})
        problems += prior_problems(model) if with_priors else []
    return problems


def text_problems(model: PathModel) -> Iterator[str]:
    """Yield each text with a control character, which would act on a terminal, in a model that was made in code."""
    for key, text in model.own_texts.items():
        if problem := control_problem(text):
            yield f"{key}: {problem}"


def _names(model: PathModel) -> Iterator[str]:
    responses = [equation.response for equation in model.equations]
    for name, count in Counter(responses).items():
        if count > 1:
            yield f'equation: "{name}" is the response of {count} equations; each variable has one'
    if model.exposure in responses:
        yield f'exposure: "{model.exposure}" is also the response of an equation; the exposure comes first in the chain'
    if len(model.equations) < 2:
        found = f"found {len(model.equations)} equation{'' if len(model.equations) == 1 else 's'}"
        yield f"equation: a path model needs at least one mediator and the outcome, {found}"
    if model.outcome not in responses:
        yield f'outcome: no equation has the response "{model.outcome}"{nearest(model.outcome, responses)}'
    elif responses[-1] != model.outcome:
        yield f'outcome: the last equation must be the outcome\'s ("{model.outcome}"), found "{responses[-1]}"'
    for name in dict.fromkeys((*model.columns, *(v.name for v in model.variables))):
        if len(name) > LONGEST:
            yield f'"{name[:20]}..." cannot name a variable: it has {len(name)} letters, at most {LONGEST} are taken'
        elif not name.isidentifier():
            yield f'"{name}" cannot name a variable: use letters, digits and _, and no digit first'
        elif name.startswith(ZERO) and name.removeprefix(ZERO) in model.columns:
            other = name.removeprefix(ZERO)
            yield f'"{name}" cannot name a variable: it would be the prior of "{other}" in a zero part; rename it'
        elif name in reserved():
            yield f'"{name}" cannot name a variable: it has a meaning of its own here, as have {", ".join(reserved())}'
    derived = _derived(model)
    for name in dict.fromkeys((*responses, *model.grouping)):
        if name in derived:
            kind = "responses" if name in responses else "names"
            yield f'equation: the {kind} "{derived[name]}" and "{name}" cannot stand in one model; rename "{name}"'


def _derived(model: PathModel) -> dict[str, str]:
    """Return names of what a posterior or a design holds of a response, each with that response."""
    derived = {f"{e.response}_{suffix}": e.response for e in model.equations for suffix in SUFFIXES}
    for equation in model.equations:
        steps = {f"{equation.response}_{parent}_{end}" for parent in equation.monotonic for end in ("simplex", "step")}
        derived |= dict.fromkeys(steps, equation.response)
    return derived


def _order(model: PathModel) -> Iterator[str]:
    chain = [model.exposure, *(equation.response for equation in model.equations)]
    for i, equation in enumerate(model.equations, start=1):
        key = f"equation[{i}].parents"
        earlier = chain[:i]
        for name, count in Counter(equation.parents).items():
            if count > 1:
                yield f'{key}: "{name}" stands {count} times'
            if name == equation.response:
                yield f'{key}: "{name}" cannot be its own parent'
            elif name not in chain:
                yield f'{key}: "{name}" is not in the chain{nearest(name, earlier)}'
            elif name not in earlier:
                yield f'{key}: "{name}" comes after "{equation.response}"; a parent stands earlier in the chain'
        in_order = [name for name in earlier if name in equation.parents]
        if set(equation.parents) <= set(earlier) and list(equation.parents) != in_order:
            yield f"{key}: must be in the order of the chain: {in_order}"
    if not _reaches_outcome(model):
        yield f'equation: no path leads from "{model.exposure}" to "{model.outcome}"'


def _reaches_outcome(model: PathModel) -> bool:
    reached = {model.exposure}
    for equation in model.equations:
        if reached & set(equation.parents):
            reached.add(equation.response)
    return model.outcome in reached


def _covariates(model: PathModel) -> Iterator[str]:
    for covariate in model.covariates:
        key = f"covariates.{covariate.name}"
        if covariate.name in model.chain[1:] or (covariate.name == model.exposure and not model.exposures):
            yield f"{key}: is already in the chain; a variable is either in the chain or a covariate"
        if covariate.levels:
            distinct = {*covariate.level_names}  # they name the terms
            if covariate.texts:
                yield from _texts(key, covariate.texts)
            elif len(distinct) != len(covariate.levels) or len(covariate.levels) < 2:
                found = list(covariate.levels)
                yield f"{key}.levels: must be 2 or more numbers that differ in their first six digits, found {found}"
            if (covariate.transform, covariate.center, covariate.scale) != ("identity", 0.0, 1.0):
                yield f"{key}: levels go without transform, center and scale"


def _texts(key: str, texts: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with levels that are texts."""
    if len(texts) < 2 or len(set(texts)) < len(texts):
        yield f"{key}.levels: must be 2 or more different texts, found {list(texts)}"
    for text in texts:
        if not text or re.search(r"[\[\]]", text):
            yield f"{key}.levels: must be texts without square brackets, found {text!r}"


def _variables(model: PathModel) -> Iterator[str]:
    for variable in model.variables:
        key = f"variables.{variable.name}"
        if variable.name not in model.columns:
            yield f"{key}: the model has no such variable{nearest(variable.name, model.columns)}"
        if variable.minimum is not None and variable.maximum is not None and variable.minimum >= variable.maximum:
            yield f"{key}: min ({variable.minimum:g}) must be below max ({variable.maximum:g})"
        if variable.step and variable.minimum is not None and variable.maximum is not None:
            steps = (variable.maximum - variable.minimum) / variable.step
            if abs(steps - round(steps)) > STEP_ROUNDING * max(steps, 1.0):
                width = f"{variable.maximum - variable.minimum:g}"
                yield f"{key}.step: the scale's width, {width}, must be a multiple of it, found {variable.step:g}"
        if variable.texts:
            yield from _texts(key, variable.texts)
            last = len(variable.texts) - 1
            if (variable.minimum, variable.maximum) != (0, last) or variable.kind not in ("binary", "integer"):
                yield f"{key}.levels: texts are numbered from 0 to {last}; leave kind, min and max out"
        if variable.kind == "count" and variable.minimum is not None and variable.minimum < 0:
            yield f"{key}.min: a count cannot be below 0, found {variable.minimum:g}"
        if variable.center and variable.name not in model.chain[:-1]:
            yield (
                f"{key}.center: has no effect, because {variable.name} is a parent in no equation; "
                f"a covariate's center stands in [covariates]"
            )


def _cells(model: PathModel) -> Iterator[str]:
    """Yield what is wrong with the columns' names, the identifier's column, and codes for missing values."""
    for column, count in Counter(map(model.column_of, model.columns)).items():
        if count > 1:
            names = ", ".join(name for name in model.columns if model.column_of(name) == column)
            yield f'variables: the column "{column}" is named for {names}; each variable has a column of its own'
    if model.id in model.columns:
        yield f'id: "{model.id}" is a variable of the model; name the column that tells persons apart, or leave id out'
    for name in model.columns:
        variable, codes = model.variable(name), model.missing_codes_of(name)
        low, high = variable.minimum, variable.maximum
        levels = next((c.levels for c in model.covariates if c.name == name), ())
        closed = low is not None and high is not None
        for code in (code for code in codes if isinstance(code, float)):
            if code in levels or (closed and low <= code <= high):  # type: ignore[operator] # neither is None
                place = f"the levels of {name}" if levels else f"the scale of {name} ({low:g} to {high:g})"
                yield (
                    f"missing_codes: {code:g} is on {place}; give {name} codes of its own in [variables], [] for none"
                )


def _twin(model: PathModel) -> Iterator[str]:
    if model.twin and all(equation.family == "normal" for equation in model.equations):
        yield "twin: every equation is normal, so the model is its own twin; leave the key out"


def _published(model: PathModel) -> Iterator[str]:
    for path, count in Counter(effect.path for effect in model.published).items():
        if count > 1:
            yield f'published: "{path}" stands {count} times; every reading of one value goes into its estimate list'
    for i, effect in enumerate(model.published, start=1):
        limits = [limit for limit in (effect.lower, effect.upper) if limit is not None]
        if len(limits) == 1 or limits != sorted(limits):
            yield f"published[{i}]: lower and upper must both stand, lower first in size, or neither, found {limits}"
        if not effect.estimate:
            yield f"published[{i}].estimate: must hold at least one number"
        known = model.effect_names
        if effect.path not in known:
            yield f'published[{i}].path: "{effect.path}" is not a path of this model{nearest(effect.path, known)}'
