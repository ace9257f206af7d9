"""Words for paths and assumptions, from a specification's labels."""

from __future__ import annotations

from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import products_of
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT, distinct, name_parts
from bayes_sp.shown import in_sentence

GENERAL_ASSUMPTIONS = (
    "No unmeasured confounding of exposure and mediators, exposure and outcome, or mediators and outcome, given the "
    "covariates.",
    "No confounder of a mediator and the outcome is itself affected by the exposure.",
    "What a mediator's equation leaves unexplained in a patient would be the same at the other exposure (kappa = 1); "
    "no data can tell.",
)


def path_words(model: PathModel, path: str) -> str:
    """Return a path in words: ``direct``, ``via Community belonging T1``, ``serial: ... then ...``, ``total``.

    What it compares stands before them, where its name says it.
    """
    path, label = name_parts(path)
    if label:
        return f"{label}: {path_words(model, path)}"
    if path == TOTAL:
        return "total"
    if path == TOTAL_INDIRECT:
        return "total indirect"
    between = [model.variable(name).label for name in path.split(ARROW)[1:-1]]
    if not between:
        return "direct"
    return f"via {between[0]}" if len(between) == 1 else f"serial: {', then '.join(between)}"


def headed(paths: list[str]) -> list[tuple[str, str]]:
    """Return (what is compared, name) of `distinct` effects, before those of each move one with '' for a heading."""
    found: list[tuple[str, str]] = []
    for path in distinct(paths):
        label = name_parts(path)[1]
        if label and label not in {own for own, _ in found}:
            found.append((label, ""))
        found.append((label, path))
    return found


def assumptions(model: PathModel) -> tuple[str, ...]:
    """Return the assumptions that stand beside every effect: the general ones, then the specification's own."""
    apart = (*_moderators(model), *independence_words(model))
    if not model.confounders:
        return (*GENERAL_ASSUMPTIONS, *apart, *model.assumptions)
    names = " and ".join(confounder.name for confounder in model.confounders)
    first = GENERAL_ASSUMPTIONS[0].replace("No unmeasured", "No other unmeasured").replace(".", f" and {names}.")
    return (first, *unmeasured_words(model), *GENERAL_ASSUMPTIONS[1:], *apart, *model.assumptions)


def _moderators(model: PathModel) -> tuple[str, ...]:
    """Return what a specification assumes of its moderators; nothing where it has none."""
    if not model.moderating:
        return ()
    names = listed([in_sentence(model.variable(name).label) for name in model.moderating])
    verb = "was" if len(model.moderating) == 1 else "were"
    return (f"{names[:1].upper()}{names[1:]} {verb} there before the exposure, which did not change it.",)


def independence_words(model: PathModel) -> tuple[str, ...]:
    """Return what a specification assumes of mediators with no arrow between them, a sentence or two for each pair.

    With normal errors that correlate by rho and a log link, E Y has the factor exp(rho s_1 s_2 b_1 b_2) in every world,
    with the residual SDs s and the outcome's slopes b: it goes out of ratios, not of differences.
    """
    found = []
    for later in model.equations[:-1]:
        before = model.mediators[: model.mediators.index(later.response)]
        apart = [name for name in before if name not in later.parents and not model.correlated]
        found += [_independent(model, name, later.response) for name in apart]
    if model.correlated:
        first, *others = (model.variable(name).label for name in model.correlated)
        names = listed([first, *(in_sentence(label) for label in others)])
        arrows, what = ("arrow", "is a correlation") if len(others) == 1 else ("arrows", "are correlations")
        found.append(f"{names} have no {arrows} between them: what goes between their errors {what}, estimated with "
                     "the rest, and no path leads through it.")  # fmt: skip
    return tuple(found)


def _independent(model: PathModel, first: str, second: str) -> str:
    labels = [model.variable(name).label for name in (first, second)]
    common = [u.name for u in model.confounders if {first, second} <= dict(u.strengths).keys()]
    others = ["the other mediators before the second"] if len(model.mediators) > 2 else []
    given = listed(["the exposure", "the covariates", *common, *others])
    head = f"{labels[0]} and {in_sentence(labels[1])} have no arrow between them: they are assumed independent given "
    head += f"{given}."
    families = [FAMILIES[e.family] for e in model.equations if e.response in (first, second)]
    curved = any(products_of(model, e) or e.monotonic or e.zero_part for e in model.equations)
    linear = all(family.link == "identity" for family in families) and not curved
    last = model.outcome_family
    if linear and last.link == "identity" and not last.logged:
        return f"{head} The effects of the paths do not depend on it."
    if linear and last.log_mean:
        return (
            f"{head} Where their errors correlate by rho, differences are off by the factor exp(rho s1 s2 b1 b2), with "
            "their residual SDs s and the slopes b of the outcome on them; ratios are not."
        )
    return f"{head} Where they are not, effects on the outcome are off."


def unmeasured_words(model: PathModel) -> tuple[str, ...]:
    """Return what a specification assumes of each confounder that nobody measured, one sentence or two each."""
    return tuple(
        f"{confounder.name} was not measured; it is assumed: standard normal, independent of the exposure and the "
        f"covariates, and one SD of it adds {listed(_strengths(model, confounder))}. The records do not say whether "
        f"it is there or how strong it is; effects are what they would be if it is."
        for confounder in model.confounders
    )


def _strengths(model: PathModel, confounder: Unmeasured) -> list[str]:
    found = []
    for response, strength in confounder.strengths:
        family = next(FAMILIES[e.family] for e in model.equations if e.response == response)
        label, scale = model.variable(response).label, product_scale(family).removeprefix("in ")
        size = f"an unknown number, with the prior {strength}," if isinstance(strength, Prior) else f"{strength:g}"
        found.append(f"{size} to {in_sentence(label)}{f' ({scale})' if scale else ''}")
    return found


def listed(parts: list[str]) -> str:
    """Return parts as a sentence lists them: ``a, b and c``."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def product_scale(family: Family) -> str:
    """Return the scale of products of coefficients into an outcome, in words; '' for the outcome's own unit."""
    words = {"log rate": "log rates", "log mean": "logarithms of the mean", "probit": "probits"}
    return f"in {words.get(family.predictor, family.predictor)}" if family.predictor else ""
