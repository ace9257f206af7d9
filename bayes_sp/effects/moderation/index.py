r"""The index of moderated mediation: how much a unit of a moderator changes a product of coefficients along a path.

Where one arrow of a path has a product with the moderator v, and no other arrow has one, the product of coefficients is
linear in v, and its derivative is the index: for a serial path with a moderated first arrow

.. math:: \frac{d}{dv} (a + a_v v)\, d\, b_2 = a_v\, d\, b_2.

Where the product of two moderators v and z stands in the arrow's equation too, the derivative in v depends on z, and
there is one *conditional* index for each value of z; the *index of moderated moderated mediation* is the derivative in
both,

.. math:: \frac{d^2}{dv\,dz} (a + a_v v + a_z z + a_{vz} v z)\, d\, b_2 = a_{vz}\, d\, b_2.

Under a log link at kappa = 1 these are derivatives of the path's log rate ratio per unit of exposure, so that
exp(index (u1 - u0)) is the factor by which a unit of v multiplies the rate ratio of the contrast, or by which a unit of
z multiplies that factor. Where two arrows are moderated the product is quadratic, or depends on another moderator:
there is no single number, and differences between levels say how effects change. A category has an index for each
level against the first.

References
----------
Hayes (2018), Communication Monographs 85, 4-40. doi:10.1080/03637751.2017.1352100
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.baselines import held_columns
from bayes_sp.effects.chain import Chain, Moderation
from bayes_sp.effects.moderation.levels import Setting
from bayes_sp.effects.read import covariate_of, effect_scales, read_chain
from bayes_sp.effects.summary import variance_factor
from bayes_sp.model.path_model import Covariate, PathModel
from bayes_sp.names import COEFFICIENT, INDEX_COLUMNS, RATE_RATIO, TOTAL, TOTAL_INDIRECT, VARIANCE_FACTOR, path_name

__all__ = ["INDEX_COLUMNS", "indexes"]

type Held = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class _Index:
    moderator: str
    unit: str
    path: str
    draws: Array


def indexes(
    model: PathModel, posterior: xr.Dataset, settings: Sequence[Setting], *, kappa: float = 1.0
) -> tuple[xr.DataArray, tuple[str, ...]]:
    """Return draws of the index of each moderator and path that has one, and sentences on those that have none.

    Moderators are those that ``settings`` hold; where two stand in one product, each has its index at the values of the
    other. Scales: ``coefficient``, and ``rate_ratio`` under a log link with kappa = 1, for the contrast.
    """
    places = {name: posterior[name].to_numpy() for name in ("chain", "draw")}
    shape = tuple(len(values) for values in places.values())
    rows: list[tuple[str, str, str, str]] = []
    columns: list[Array] = []
    without: list[str] = []
    asked = list(_asked(model, settings))
    if asked and COEFFICIENT not in effect_scales(model, moderated=False):
        without.append(
            "no index of moderated mediation: products of coefficients are withheld, because links along the paths "
            "differ or a slope depends on the exposure or on another mediator; see the differences between levels"
        )
        asked = []
    chain = read_chain(model, posterior) if asked else None
    u0, u1 = model.ends[1]
    width = u1 - u0
    for names, held in asked if chain is not None else []:
        found, lacking = _of_moderators(model, chain, names, held)  # type: ignore[arg-type] # there is one
        without += [f"no single index of {', '.join(names)} for {path}: {reason}" for path, reason in lacking]
        for one in found:
            rows.append((one.moderator, one.unit, one.path, COEFFICIENT))
            columns.append(one.draws.reshape(shape))
            if model.outcome_family.ratio_scale == RATE_RATIO and model.outcome_family.log_mean and kappa == 1.0:
                rows.append((one.moderator, one.unit, one.path, RATE_RATIO))
                columns.append(np.exp(one.draws.reshape(shape) * width))
    values = np.stack(columns, axis=-1) if columns else np.empty((*shape, 0))
    labels = {key: ("row", [row[k] for row in rows]) for k, key in enumerate(("moderator", "unit", "path", "scale"))}
    factor = variance_factor(posterior)
    extra = {} if factor is None else {VARIANCE_FACTOR: (("chain", "draw"), factor)}
    coords = {**places, **labels, **extra}
    return xr.DataArray(values, dims=("chain", "draw", "row"), coords=coords), tuple(dict.fromkeys(without))


def _asked(model: PathModel, settings: Sequence[Setting]) -> list[tuple[tuple[str, ...], dict[str, float]]]:
    """Return each moderator with the values of those that stand in a product with it; then each two of these."""
    found: dict[tuple[tuple[str, ...], tuple[tuple[str, float], ...]], None] = {}
    each = [dict(setting.held) for setting in settings]
    for name in dict.fromkeys(name for held in each for name in held if name in model.moderating):
        others = {other for pair in model.moderating_together if name in pair for other in pair} - {name}
        for held in (held for held in each if name in held):
            found[(name,), tuple((other, value) for other, value in held.items() if other in others)] = None
    for pair in model.moderating_together:
        if any(set(pair) <= held.keys() for held in each):
            found[pair, ()] = None
    return [(names, dict(held)) for names, held in found]


def _of_moderators(
    model: PathModel, chain: Chain, names: tuple[str, ...], held: Held
) -> tuple[list[_Index], list[tuple[str, str]]]:
    """Return the indexes of a moderator's columns, or of each two of two moderators', and the paths without one."""
    covariates, moderation = [covariate_of(model, name) for name in names], chain.moderation
    if moderation is None:
        return [], []
    known = held_columns(model, held)
    values = {c: known[place] for c, place in enumerate(moderation.columns) if place in known}
    found: list[_Index] = []
    lacking: list[tuple[str, str]] = []
    at = ", ".join(f"{name} = {model.words_of(name, value)}" for name, value in held.items())
    for first, levels in enumerate(product(*(range(len(covariate.terms)) for covariate in covariates))):
        unit = _unit(covariates, levels) + (f" at {at}" if at else "")
        terms = [covariate.terms[level] for covariate, level in zip(covariates, levels, strict=True)]
        columns = {moderation.columns.index(model.covariate_terms.index(term)) for term in terms}
        by_path: dict[tuple[str, ...], Array] = {}
        for path in model.named_paths():
            draws, reason = _along(model, chain, path, names, columns, values)
            if draws is not None:
                by_path[path] = draws / np.prod([covariate.scale for covariate in covariates])
            elif reason and not first:
                lacking.append((path_name(path), reason))
        moderator = ", ".join(names)
        found += [_Index(moderator, unit, path_name(path), draws) for path, draws in by_path.items()]
        if by_path and not lacking:
            indirect = [draws for path, draws in by_path.items() if len(path) > 2]
            found += [_Index(moderator, unit, TOTAL_INDIRECT, np.sum(indirect, axis=0))] if indirect else []
            found.append(_Index(moderator, unit, TOTAL, np.sum(list(by_path.values()), axis=0)))
    return found, lacking


def _unit(covariates: Sequence[Covariate], levels: Sequence[int]) -> str:
    """Return what a unit of one moderator is, or of two."""
    words = []
    for covariate, level in zip(covariates, levels, strict=True):
        both, name = len(covariates) > 1, covariate.name
        if covariate.levels:
            against = f"{covariate.level_names[level + 1]} against {covariate.level_names[0]}"
            words.append(f"{name} = {against}" if both else against)
        elif covariate.transform == "log1p":
            words.append(f"one unit of log(1 + {name})")
        else:
            words.append(f"one unit of {name}" if both else "one unit")
    return " and ".join(words)


def _along(
    model: PathModel,
    chain: Chain,
    path: tuple[str, ...],
    names: tuple[str, ...],
    columns: set[int],
    values: Mapping[int, float],
) -> tuple[Array | None, str]:
    """Return the derivative of a path's product in moderators' columns, or None with the reason why there is none.

    ``values`` are those of the columns of other moderators. Without a reason no arrow of the path depends on ``names``
    together.
    """
    nodes = [None, *(model.chain.index(variable) - 1 for variable in path[1:])]
    moderation = chain.moderation
    arrows = list(pairwise(path))
    mine = [a for a, arrow in enumerate(arrows) if any(set(names) <= own for own in _moderators(model, *arrow))]
    if not mine or moderation is None:
        return None, ""
    whom = "it" if len(names) == 1 else "them"
    if len(mine) > 1:
        return None, f"two of its arrows depend on {whom}; see the differences between levels"
    if any(_moderators(model, *arrow) for a, arrow in enumerate(arrows) if a != mine[0]):
        return None, "another of its arrows depends on another moderator; see the differences between levels"
    found = np.ones(chain.draws)
    for a, (k, j) in enumerate(pairwise(nodes)):
        if a != mine[0]:
            found *= chain.exposure[:, j] if k is None else chain.slopes[:, j, k]
            continue
        own = _derivative(
            moderation, moderation.exposure[:, j] if k is None else moderation.slopes[:, j, k], columns, values
        )
        if own is None:
            return None, f"the arrow depends on another moderator in a product with {whom}; name values of both"
        found *= own
    return found, ""


def _derivative(
    moderation: Moderation, coefficients: Array, columns: set[int], values: Mapping[int, float]
) -> Array | None:
    """Return the derivative of a slope in some columns, (S,), from what products add, (S, t); None without a value."""
    total = np.zeros(len(coefficients))
    for t, multiplied in enumerate(moderation.products):
        if not columns <= set(multiplied) or not coefficients[:, t].any():
            continue
        rest = set(multiplied) - columns
        if not rest <= values.keys():
            return None
        total += coefficients[:, t] * np.prod([values[column] for column in rest])
    return total


def _moderators(model: PathModel, parent: str, child: str) -> list[set[str]]:
    """Return the covariates of each product that moderates an arrow."""
    equation = next(equation for equation in model.equations if equation.response == child)
    moved = set(model.move.names if model.move and parent == model.move.source else (parent,))
    found = [{name for name in names if name in model.moderating} for names in equation.products if moved & set(names)]
    return [names for names in found if names]
