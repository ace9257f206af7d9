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
        without.append("no index of moderated mediation: products of coefficients across unlike links mix scales")
        names = []
    chain = read_chain(model, posterior) if names else None
    for name in names if chain is not None else []:
        found, lacking = _of_moderator(model, chain, name)  # type: ignore[arg-type] # there is one
        without += [f"no single index of {name} for {path}: {reason}" for path, reason in lacking]
        for one in found:
            rows.append((one.moderator, one.unit, one.path, COEFFICIENT))
            columns.append(one.draws.reshape(shape))
            if model.outcome_family.ratio_scale == RATE_RATIO and model.outcome_family.log_mean and kappa == 1.0:
                rows.append((one.moderator, one.unit, one.path, RATE_RATIO))
                columns.append(np.exp(one.draws.reshape(shape) * (model.contrast[1] - model.contrast[0])))
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
    others = [c for c in range(len(moderation.columns)) if c not in own]
    paths = model.named_paths()
    places = [tuple(model.mediators.index(variable) for variable in path[1:-1]) for path in paths]
    found: list[_Index] = []
    lacking: list[tuple[str, str]] = []
    for level, c in enumerate(own):
        unit = f"{covariate.levels[level + 1]:g} against {covariate.levels[0]:g}" if covariate.levels else "one unit"
        if covariate.transform == "log1p":
            unit = f"one unit of log(1 + {name})"
        indirect, total = np.zeros(chain.draws), np.zeros(chain.draws)
        whole = True
        for path, place in zip(paths, places, strict=True):
            draws, reason = _along(chain, place, c, own, others)
            if draws is None:
                whole = False
                if level == 0:
                    lacking.append((path_name(path), reason))
                continue
            if not draws.any():
                continue
            draws = draws / covariate.scale
            found.append(_Index(name, unit, path_name(path), draws))
            total = total + draws
            indirect = indirect + draws * bool(place)
        if whole and total.any():
            found += [_Index(name, unit, TOTAL_INDIRECT, indirect), _Index(name, unit, TOTAL, total)]
    return found, lacking


def _along(
    chain: Chain, path: tuple[int, ...], column: int, own: list[int], others: list[int]
) -> tuple[Array | None, str]:
    """Return the derivative of a path's product in a moderator's column, or None with the reason; 0 where none is."""
    nodes = (*path, len(chain.mediators))
    moderation = chain.moderation
    if moderation is None:
        return np.zeros(chain.draws), ""
    plain = [chain.exposure[:, nodes[0]], *(chain.slopes[:, j, k] for k, j in pairwise(nodes))]
    by = [moderation.exposure[:, nodes[0]], *(moderation.slopes[:, j, k] for k, j in pairwise(nodes))]
    mine = [arrow for arrow, moved in enumerate(by) if moved[:, own].any()]
    if len(mine) > 1:
        return None, "two of its arrows depend on it; see the differences between levels"
    if not mine:
        return np.zeros(chain.draws), ""
    if any(moved[:, others].any() for arrow, moved in enumerate(by) if arrow != mine[0]):
        return None, "another of its arrows depends on another moderator; see the differences between levels"
    rest = [values for arrow, values in enumerate(plain) if arrow != mine[0]]
    return np.prod([by[mine[0]][:, column], *rest], axis=0), ""
