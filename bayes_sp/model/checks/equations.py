"""Rules for what an equation is made of: covariates, interactions, groups, windows, zero parts, reliability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.checks.products import product_problems
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel


def equation_problems(model: PathModel) -> Iterator[str]:
    """Yield every broken rule of the equations' parts, each with its key path."""
    for i, equation in enumerate(model.equations, start=1):
        key = f"equation[{i}]"
        yield from _chosen_covariates(model, equation, key)
        yield from _interactions(model, equation, key)
        yield from product_problems(model, equation, key)
        yield from _log1p(model, equation, key)
        yield from _correlations(model, equation, key)
        yield from _monotonic(model, equation, key)
        yield from _columns(model, equation, key)
        yield from _zero(model, equation, key)
        yield from _reliability(equation, key)
    used = {c.name for equation in model.equations for c in model.covariates_of(equation)}
    used |= {name for equation in model.equations for name in equation.zero or ()}
    for covariate in model.covariates:
        if covariate.name not in used and covariate.name != model.exposure:
            yield f"covariates.{covariate.name}: stands in no equation; name it in one, or leave it out"


def _doubled(key: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f'{key}: "{name}" stands {count} times'


def _chosen_covariates(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    known = [covariate.name for covariate in model.covariates if covariate.name != model.exposure]
    chosen = equation.covariates or ()
    yield from _doubled(f"{key}.covariates", chosen)
    for name in dict.fromkeys(chosen):
        if name not in known:
            yield f'{key}.covariates: "{name}" is not in [covariates]{nearest(name, known)}'


def _interactions(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    yield from _doubled(f"{key}.interactions", equation.interactions)
    mediators = [name for name in equation.parents if name in model.mediators]
    for name in dict.fromkeys(equation.interactions):
        if name not in mediators:
            hint = nearest(name, mediators)
            yield f'{key}.interactions: "{name}" is not a mediator among the parents of {equation.response}{hint}'
        elif name in equation.monotonic:
            yield f'{key}.interactions: "{name}" enters by a monotonic effect, which has no interaction; choose one'
    if equation.interactions and model.exposure not in equation.parents:
        yield (
            f"{key}.interactions: the exposure is not a parent of {equation.response}; add "
            f'"{model.exposure}" to its parents'
        )


def _log1p(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    yield from _doubled(f"{key}.log1p", equation.log1p)
    families = {other.response: other.family for other in model.equations[:-1]}
    for name in dict.fromkeys(equation.log1p):
        if name not in equation.parents:
            yield f'{key}.log1p: "{name}" is not a parent of {equation.response}{nearest(name, equation.parents)}'
        elif name not in families:
            yield f'{key}.log1p: "{name}" is the exposure, which enters in its own unit; transform its column instead'
        elif FAMILIES[families[name]].response != "count":
            counts = ", ".join(family for family, known in FAMILIES.items() if known.mediator == "count")
            yield (
                f'{key}.log1p: "{name}" is no count but of the family "{families[name]}"; log1p is for mediators of '
                f"the families {counts}"
            )


def _correlations(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    """Yield what is wrong with a list of mediators whose errors go together, and with what stands beside it."""
    correlated = model.correlated
    for name in equation.residual_correlations or ():
        if equation.response in correlated and name in correlated:
            continue
        yield f'{key}.residual_correlations: "{name}" {_uncorrelated(model, equation, name)}'
    if equation.response not in correlated:
        return
    off = f"residual_correlations = [] in the equation of {correlated[-1]}"
    if dict(model.missing_shift).get(equation.response):
        yield (
            f"missing_shift.{equation.response}: has no place beside a correlation of the mediators' errors, which "
            f"says where a missing value lies given the others; take it out, or set {off}"
        )
    others = {e.varying for e in model.equations[:-1] if e.varying and e.varying != equation.varying}
    if equation.varying and others:
        yield (
            f'{key}.varying: "{equation.varying}" is not the grouping column of every mediator, whose errors '
            f"correlate; use one column, or set {off}"
        )


def _uncorrelated(model: PathModel, equation: Equation, name: str) -> str:
    """Return why the errors of an earlier mediator cannot go with those of an equation's response."""
    none = "has no correlation here"
    if equation.response == model.outcome:
        return f"{none}: errors go together between mediators, and {equation.response} is the outcome"
    before = model.mediators[: [e.response for e in model.equations].index(equation.response)]
    if name in equation.parents and name in before:
        return f"is a parent of {equation.response}: the arrow is all that goes between them; take one out"
    if name not in before:
        return f"is no mediator before {equation.response}{nearest(name, before)}"
    if others := [f"{e.response} ({e.family})" for e in model.equations[:-1] if e.family != "normal"]:
        return (
            f"{none}: all mediators must be normal, found {', '.join(others)}; with residual_correlations = [] they "
            "are taken as independent given exposure and covariates, which is said beside the effects"
        )
    arrows = [f"{p} -> {e.response}" for e in model.equations[:-1] for p in e.parents if p in model.mediators]
    if arrows:
        return f"{none}: no mediator may have an arrow to another, found {', '.join(arrows)}"
    if model.confounders:
        names = ", ".join(confounder.name for confounder in model.confounders)
        return f"{none}: unmeasured confounders are what mediators share, found {names}; take one out"
    return f"{none} by itself: name every mediator before each one, here {', '.join(before)}, or [] for none"


def _monotonic(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    yield from _doubled(f"{key}.monotonic", equation.monotonic)
    families = {other.response: FAMILIES[other.family] for other in model.equations}
    for name in dict.fromkeys(equation.monotonic):
        if name not in equation.parents:
            yield f'{key}.monotonic: "{name}" is not a parent of {equation.response}{nearest(name, equation.parents)}'
        elif name not in families or not families[name].ordered:
            ordered = ", ".join(family for family, known in FAMILIES.items() if known.ordered)
            yield f'{key}.monotonic: "{name}" has no ordered levels; its family must be one of {ordered}'


def _columns(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    """Yield what is wrong with a grouping column or a column of windows."""
    covariates = [covariate.name for covariate in model.covariates]
    if equation.varying in model.chain:
        yield f'{key}.varying: "{equation.varying}" is in the chain; name a column of groups'
    elif equation.varying in covariates:
        yield f'{key}.varying: "{equation.varying}" is already a covariate; choose one'
    elif equation.varying and equation.varying in model.windows:
        yield f'{key}.varying: "{equation.varying}" is already an offset; name a column of groups'
    if equation.offset and FAMILIES[equation.family].response != "count":
        counts = ", ".join(name for name, family in FAMILIES.items() if family.response == "count")
        yield f'{key}.offset: "{equation.family}" is not a family of counts; take it out, or use one of {counts}'
    elif equation.offset and equation.response != model.outcome:
        yield (
            f"{key}.offset: {equation.response} is a mediator, whose later equations would see counts over windows of "
            f"different lengths; make the window a covariate, or take it out"
        )
    if equation.offset in model.chain:
        yield f'{key}.offset: "{equation.offset}" is in the chain; name a column of observation windows'
    if equation.offset_reference != 1.0 and not equation.offset:
        yield f"{key}.offset_reference: has no effect without offset; add the column of windows, or take it out"
    if equation.offset_reference <= 0:
        yield f"{key}.offset_reference: must be > 0, found {equation.offset_reference:g}"


def _zero(model: PathModel, equation: Equation, key: str) -> Iterator[str]:
    if equation.zero is None:
        return
    if not equation.zero_part:
        families = ", ".join(name for name, family in FAMILIES.items() if family.zero_part)
        yield f'{key}.zero: "{equation.family}" has no zero part; take it out, or use one of {families}'
    known = [*equation.parents, *(covariate.name for covariate in model.covariates)]
    yield from _doubled(f"{key}.zero", equation.zero)
    for name in dict.fromkeys(equation.zero):
        if name not in known:
            yield (
                f'{key}.zero: "{name}" is neither a parent of {equation.response} nor a covariate{nearest(name, known)}'
            )


def _reliability(equation: Equation, key: str) -> Iterator[str]:
    reliability, observed_sd = equation.reliability, equation.observed_sd
    if FAMILIES[equation.family].latent:
        if reliability is None:
            yield f'{key}.reliability: is missing; "{equation.family}" needs it, such as the alpha of the scale'
        elif not 0 < reliability <= 1:
            yield f"{key}.reliability: must be above 0 and at most 1, found {reliability:g}"
        if observed_sd is not None and observed_sd <= 0:
            yield f"{key}.observed_sd: must be > 0, found {observed_sd:g}"
        return
    latent = ", ".join(name for name, family in FAMILIES.items() if family.latent)
    for name, value in (("reliability", reliability), ("observed_sd", observed_sd)):
        if value is not None:
            yield f'{key}.{name}: has no effect on "{equation.family}"; take it out, or use {latent}'
