"""Rules for exposures (known levels, pairs, a path to the outcome for each) and for unmeasured confounders."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.distributions import Prior
from bayes_sp.model.named_effects import named_effect
from bayes_sp.model.parts import Covariate, Unmeasured
from bayes_sp.model.path_model import SIZES, PathModel
from bayes_sp.model.terms import ZERO


def unmeasured_problems(model: PathModel, taken: Collection[str]) -> Iterator[str]:
    """Yield every broken rule of the unmeasured confounders; ``taken`` are names that already have a meaning."""
    for name, count in Counter(unmeasured.name for unmeasured in model.unmeasured).items():
        if count > 1:
            yield f'unmeasured: "{name}" stands {count} times; give each confounder a name of its own'
    for unmeasured in model.unmeasured:
        yield from _name(model, unmeasured.name, taken)
        yield from _responses(model, unmeasured)
        yield from _strengths(unmeasured)


def _name(model: PathModel, name: str, taken: Collection[str]) -> Iterator[str]:
    key, responses = f"unmeasured.{name}", [equation.response for equation in model.equations]
    if not name.isidentifier():
        yield f"{key}: cannot name a confounder: use letters, digits and _, and no digit first"
    elif name in model.columns:
        yield f"{key}: is a column of the model; what was measured is a covariate or stands in the chain"
    elif name in taken or name.removeprefix(ZERO) in model.columns or f"{name}_term" in responses:
        yield f"{key}: has a meaning of its own here; rename the confounder"


def _responses(model: PathModel, unmeasured: Unmeasured) -> Iterator[str]:
    key, responses = f"unmeasured.{unmeasured.name}", [equation.response for equation in model.equations]
    given = Counter(response for response, _ in unmeasured.strengths)
    for response, count in given.items():
        if count > 1:
            yield f"{key}.{response}: stands {count} times"
        if response == model.exposure:
            yield f"{key}.{response}: is the exposure, of which the confounder is independent; name responses"
        elif response not in responses:
            yield f"{key}.{response}: no equation has this response{nearest(response, responses)}"
    if len(given) < 2:
        found = f"found {len(given)}" + (f" ({next(iter(given))})" if given else "")
        yield f"{key}: must act on at least two responses, {found}; what acts on one alone confounds nothing"


def _strengths(unmeasured: Unmeasured) -> Iterator[str]:
    """Yield what is wrong with strengths; U and -U fit alike where nothing says in which direction U acts."""
    key, signed = f"unmeasured.{unmeasured.name}", False
    for response, strength in unmeasured.strengths:
        if isinstance(strength, Prior):
            signed = signed or strength.support == "positive"
            if strength.support == "simplex":
                yield f"{key}.{response}.dist: {strength} is a distribution of shares; a strength is a number"
            elif strength.improper:
                yield f"{key}.{response}.dist: {strength} is improper, and the records do not say how strong U is"
        elif not math.isfinite(strength):
            yield f"{key}.{response}: must be a finite number, found {strength!r}"
        else:
            signed = signed or strength != 0.0
    if unmeasured.estimated and not signed:
        yield (
            f"{key}: U and -U fit alike, so that strengths and their negatives do too; give one strength as a number "
            f"other than 0, or a prior on the positive numbers"
        )


def exposure_problems(model: PathModel) -> Iterator[str]:
    """Yield every broken rule of ``[exposures]`` and ``[joint]``, each with its key path."""
    coded = {covariate.name: covariate for covariate in model.covariates}
    names = [exposure.name for exposure in model.exposures]
    for exposure in model.exposures:
        key, name = f"exposures.{exposure.name}", exposure.name
        if name in model.chain[1:]:
            yield f"{key}: comes after the exposure in the chain; an exposure is measured before every mediator"
            continue
        if name not in coded:
            yield f"{key}: has no coding among the covariates"
            continue
        if not exposure.pairs:
            yield f"{key}.pairs: must name at least one pair [from, to]"
        for pair, count in Counter(exposure.pairs).items():
            if count > 1:
                yield f"{key}.pairs: {_told(model, name, pair)} stands {count} times"
            yield from (f"{key}.pairs: {problem}" for problem in _pair_problems(model, coded[name], pair))
    yield from _joint(model, coded, names)
    if not all(name in coded for name in names):
        return
    if any(name in model.chain[1:] for name in names) or not _ends_in_outcome(model):
        return
    for view in model.views:
        if view.move and not view.named_paths():
            yield f'exposures.{view.move.names[0]}: no path leads from it to "{model.outcome}"'


def _ends_in_outcome(model: PathModel) -> bool:
    return bool(model.equations) and model.equations[-1].response == model.outcome


def contrast_problems(model: PathModel) -> Iterator[str]:
    """Yield every contrast of ``[contrasts]`` that names an effect the model has not, or one effect twice."""
    for name, effects in model.contrasts:
        found = []
        for text in effects:
            try:
                found.append(named_effect(model, text))
            except ValueError as error:
                yield f"contrasts.{name}: {error}"
        if len(found) == 2 and found[0] == found[1]:
            yield f"contrasts.{name}: both effects are {found[0]}; name two different ones"


def size_problems(model: PathModel) -> Iterator[str]:
    """Yield what is wrong with the region of ``[practical]`` and with ``sizes``."""
    region = model.practical
    if region is not None and not region.lower < 0.0 < region.upper:
        yield f"practical: must hold 0, with lower < 0 < upper, found {region.lower:g} and {region.upper:g}"
    for name in model.sizes:
        if name not in SIZES:
            yield f'sizes: unknown size "{name}"{nearest(name, SIZES)}'


def _joint(model: PathModel, coded: dict[str, Covariate], names: list[str]) -> Iterator[str]:
    if len(model.joint) == 1:
        yield "joint: must name two exposures or more; one alone has its own pairs"
    for name, u0, u1 in model.joint:
        if name not in names:
            yield f"joint.{name}: is not in [exposures]{nearest(name, names)}"
        else:
            yield from (f"joint.{name}: {problem}" for problem in _pair_problems(model, coded[name], (u0, u1)))


def _pair_problems(model: PathModel, covariate: Covariate, pair: tuple[float, float]) -> Iterator[str]:
    """Yield what is wrong with comparing two values of an exposure."""
    if pair[0] == pair[1]:
        yield f"{_told(model, covariate.name, pair)} compares a value with itself; name two different ones"
    for value in pair:
        if covariate.levels and value not in covariate.levels:
            known = ", ".join(covariate.level_names)
            yield f"{model.words_of(covariate.name, value)} is not among the levels {known}"
        if covariate.transform == "log1p" and value <= -1:
            yield f"{value:g} must be above -1 to enter as log1p"


def _told(model: PathModel, name: str, pair: tuple[float, float]) -> str:
    return f"[{', '.join(model.words_of(name, value) for value in pair)}]"
