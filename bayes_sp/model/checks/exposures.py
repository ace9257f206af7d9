"""Rules for exposures: known levels, pairs of two different ones, a path to the outcome for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.named_effects import named_effect
from bayes_sp.model.parts import Covariate
from bayes_sp.model.path_model import SIZES, PathModel


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
    if any(name in model.chain[1:] for name in names):
        return
    for view in model.views:
        if view.move and not view.named_paths():
            yield f'exposures.{view.move.names[0]}: no path leads from it to "{model.outcome}"'


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
            yield f"joint.{name}: is not in [exposures]{nearest(name, names) if names else ''}"
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
