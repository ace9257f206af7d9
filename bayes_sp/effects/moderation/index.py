r"""The index of moderated mediation: how much a unit of a moderator changes a product of coefficients along a path.

Where one arrow of a path has a product with the moderator v, and no other arrow has one, the product of coefficients is
linear in v, and its derivative is the index: for a serial path with a moderated first arrow

.. math:: \frac{d}{dv} (a + a_v v)\, d\, b_2 = a_v\, d\, b_2.

Under a log link at kappa = 1 this is the derivative of the path's log rate ratio per unit of exposure, so that
exp(index (u1 - u0)) is the factor by which a unit of v multiplies the rate ratio of the contrast. Where two arrows are
moderated the product is quadratic, or depends on another moderator: there is no single number, and differences between
levels say how effects change. A category has an index for each level against the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain
from bayes_sp.effects.read import covariate_of, effect_scales, read_chain
from bayes_sp.effects.summary import variance_factor
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import COEFFICIENT, INDEX_COLUMNS, RATE_RATIO, TOTAL, TOTAL_INDIRECT, VARIANCE_FACTOR, path_name

__all__ = ["INDEX_COLUMNS", "indexes"]


@dataclass(frozen=True, eq=False)
class _Index:
    moderator: str
    unit: str
    path: str
    draws: Array


def indexes(
    model: PathModel, posterior: xr.Dataset, moderators: Iterable[str], *, kappa: float = 1.0
) -> tuple[xr.DataArray, tuple[str, ...]]:
    """Return draws of the index of each moderator and path that has one, and sentences on those that have none.

    Scales: ``coefficient``, and ``rate_ratio`` under a log link with kappa = 1, for the contrast.
    """
    places = {name: posterior[name].to_numpy() for name in ("chain", "draw")}
    shape = tuple(len(values) for values in places.values())
    rows: list[tuple[str, str, str, str]] = []
    columns: list[Array] = []
    without: list[str] = []
    names = [name for name in moderators if name in model.moderating]
    if names and COEFFICIENT not in effect_scales(model, moderated=False):
        without.append(
            "no index of moderated mediation: products of coefficients are withheld, because links along the paths "
            "differ or a slope depends on the exposure or on another mediator; see the differences between levels"
        )
        names = []
    chain = read_chain(model, posterior) if names else None
    u0, u1 = model.ends[1]
    width = u1 - u0
    for name in names if chain is not None else []:
        found, lacking = _of_moderator(model, chain, name)  # type: ignore[arg-type] # there is one
        without += [f"no single index of {name} for {path}: {reason}" for path, reason in lacking]
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
    return xr.DataArray(values, dims=("chain", "draw", "row"), coords={**places, **labels, **extra}), tuple(without)


def _of_moderator(model: PathModel, chain: Chain, name: str) -> tuple[list[_Index], list[tuple[str, str]]]:
    """Return the indexes of one moderator's columns, and the paths without one, with the reason."""
    covariate, moderation = covariate_of(model, name), chain.moderation
    if moderation is None:
        return [], []
    own = [moderation.columns.index(model.covariate_terms.index(term)) for term in covariate.terms]
    found: list[_Index] = []
    lacking: list[tuple[str, str]] = []
    for level, column in enumerate(own):
        unit = f"{covariate.levels[level + 1]:g} against {covariate.levels[0]:g}" if covariate.levels else "one unit"
        if covariate.transform == "log1p":
            unit = f"one unit of log(1 + {name})"
        by_path: dict[tuple[str, ...], Array] = {}
        for path in model.named_paths():
            draws, reason = _along(model, chain, path, column, name)
            if draws is not None:
                by_path[path] = draws / covariate.scale
            elif reason and level == 0:
                lacking.append((path_name(path), reason))
        found += [_Index(name, unit, path_name(path), draws) for path, draws in by_path.items()]
        if by_path and not lacking:
            indirect = [draws for path, draws in by_path.items() if len(path) > 2]
            found += [_Index(name, unit, TOTAL_INDIRECT, np.sum(indirect, axis=0))] if indirect else []
            found.append(_Index(name, unit, TOTAL, np.sum(list(by_path.values()), axis=0)))
    return found, lacking


def _along(model: PathModel, chain: Chain, path: tuple[str, ...], column: int, name: str) -> tuple[Array | None, str]:
    """Return the derivative of a path's product in a moderator's column, or None with the reason why there is none.

    Without a reason no arrow of the path depends on the moderator.
    """
    nodes = [None, *(model.chain.index(variable) - 1 for variable in path[1:])]
    moderation = chain.moderation
    arrows = list(pairwise(path))
    mine = [a for a, (parent, child) in enumerate(arrows) if name in _moderators(model, parent, child)]
    if not mine or moderation is None:
        return None, ""
    if len(mine) > 1:
        return None, "two of its arrows depend on it; see the differences between levels"
    if any(_moderators(model, *arrow) for a, arrow in enumerate(arrows) if a != mine[0]):
        return None, "another of its arrows depends on another moderator; see the differences between levels"
    product = np.ones(chain.draws)
    for a, (k, j) in enumerate(pairwise(nodes)):
        if a == mine[0]:
            product *= moderation.exposure[:, j, column] if k is None else moderation.slopes[:, j, k, column]
        else:
            product *= chain.exposure[:, j] if k is None else chain.slopes[:, j, k]
    return product, ""


def _moderators(model: PathModel, parent: str, child: str) -> set[str]:
    """Return the covariates on which an arrow depends."""
    equation = next(equation for equation in model.equations if equation.response == child)
    moved = model.move.names if model.move and parent == model.move.source else (parent,)
    return {n for pair in equation.products if set(moved) & set(pair) for n in pair if n in model.moderating}
