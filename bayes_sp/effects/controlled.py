"""Controlled direct effects at stated mediator values, and effects along a range of exposures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.design import Design
from bayes_sp.effects.chain import Baselines, Chain, covariates_of
from bayes_sp.effects.paths import compute_effects
from bayes_sp.effects.problem import Problem, make_problem
from bayes_sp.errors import SpecificationError
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, AVERAGE, DIFFERENCE

type Points = Mapping[str, float | Sequence[float]]
_CELLS = 2**17


def controlled_direct_effect(
    model: PathModel,
    design: Design,
    posterior: xr.Dataset,
    at: Points,
    *,
    mark: str = "",
    baselines: Baselines | None = None,
) -> xr.Dataset:
    r"""Compute E Y(u1, m) - E Y(u0, m): the exposure moves while the mediators are held at stated values.

    .. math:: E\,Y(u, m) = \frac1n \sum_i \mu(\beta_i + c\,u + \sum_k (b_k + h_k u)\, m_k)

    with mu the mean of the outcome's family, averaged over patients for each draw.

    ``at`` has a value, or several, in its own unit for every mediator; all combinations are computed. The rest is as in
    `compute_effects`.

    ``difference`` in the outcome's unit and, where the family has it, ``rate_ratio`` or ``risk_ratio``, dims (chain,
    draw, <mediator>, ...): one dim for each mediator, named after it, with the stated values. Beside each stands the
    coordinate ``<mediator>_extrapolated``: whether a value lies outside those in the records.

    Raises ValueError if a mediator is missing from ``at``, a name in it is no mediator, or a value is no level of a
    mediator with levels or lies outside a bounded one's scale; SurveyError if covariates have missing cells and no
    baselines are given.

    Robins & Greenland (1992). Epidemiology 3, 143-155. doi:10.1097/00001648-199203000-00013
    """
    problem = make_problem(model, design, posterior, baselines)
    chain = problem.chain
    grid = _grid(model, chain, at)
    shape = tuple(len(values) for values in grid.values())
    means = np.empty((2, chain.draws, *shape))
    size = max(1, _CELLS // max(design.n, 1))
    for start in range(0, chain.draws, size):
        here = slice(start, min(start + size, chain.draws))
        baseline = problem.baselines(here.start, here.stop)
        for place in product(*[range(count) for count in shape]):
            held = [values[i] for values, i in zip(grid.values(), place, strict=True)]
            for which, u in enumerate(problem.contrast):
                eta = [part + _added(chain, j, u, held)[here, None] for j, part in _parts(chain, baseline)]
                eta = [part + own for part, own in zip(eta, _differing(problem, here, u, held), strict=True)]
                index: tuple[int | slice, ...] = (which, here, *place)
                means[index] = chain.outcome.mean(here, *eta).mean(axis=1)
    dims = ("chain", "draw", *grid)
    found = {DIFFERENCE: (dims, problem.labelled(chain.outcome.unit * (means[1] - means[0])))}
    if chain.outcome.ratio:
        found[chain.outcome.ratio] = (dims, problem.labelled(means[1] / means[0]))
    attrs = {"contrast": list(problem.contrast), "data_source": mark}
    beyond = {
        f"{name}_extrapolated": (name, _outside(values, design.y[:, design.responses.index(name)]))
        for name, values in grid.items()
    }
    return xr.Dataset(found, coords={**problem.places, **grid, **beyond}, attrs=attrs)


def _outside(values: Array, observed: Array) -> Mask:
    """Return which values lie below the least or above the greatest one observed."""
    return np.asarray((values < np.nanmin(observed)) | (values > np.nanmax(observed)))


def dose_curve(
    model: PathModel,
    design: Design,
    posterior: xr.Dataset,
    exposures: Sequence[float],
    *,
    kappa: float = 1.0,
    mark: str = "",
    baselines: Baselines | None = None,
) -> xr.Dataset:
    """Compute every path effect of moving the exposure from u0 to each of a range of values.

    Effects are for the contrasts u0 -> u with the design's u0; the rest is as in `compute_effects`.

    ``alone`` and ``average`` as in `Effects.draws`, dims (exposure, chain, draw, path, scale). The attribute
    ``quadrature_error``, where there is one, is the largest of all contrasts. The coordinate ``extrapolated`` marks
    exposures whose effect rests on the model alone, because they, or the contrast's first value, lie outside the
    exposures in the records; the attribute ``observed`` has their range.

    Raises ValueError if no exposures are given or one is not a finite number, and as `compute_effects`.
    """
    values, u0 = check_doses(model, model.exposure, exposures), design.contrast[0]
    found = [
        compute_effects(
            model, replace(design, contrast=(u0, float(u))), posterior, kappa=kappa, mark=mark, baselines=baselines
        ).draws
        for u in values
    ]
    return curve_of(found, values, u0, design.x)


def check_doses(model: PathModel, name: str, exposures: Sequence[float]) -> list[float]:
    """Return values of an exposure as numbers.

    Raises ValueError for none, and for one that is not finite; SpecificationError for one that is no level of a
    category.
    """
    values = [float(value) for value in exposures]
    if not values:
        raise ValueError("exposures is empty: give the values of the exposure to move to")
    if not np.isfinite(values).all():
        raise ValueError(f"exposures must be finite numbers, found {values}")
    levels = model.levels(name) if name in model.categories else values
    if unknown := [f"{value:g}" for value in values if value not in levels]:
        known = ", ".join(f"{level:g}" for level in levels)
        raise SpecificationError(model.name, [f"{name}: {', '.join(unknown)} is no level; they are {known}"])
    return values


def curve_of(found: Sequence[xr.Dataset], values: Sequence[float], u0: float, observed: Array) -> xr.Dataset:
    """Return effects of moving an exposure from u0 to each of some values as one data set (`dose_curve`)."""
    seen = [float(np.nanmin(observed)), float(np.nanmax(observed))]
    attrs = {"kappa": found[0].attrs["kappa"], "from": u0, "observed": seen}
    attrs["data_source"] = found[0].attrs["data_source"]
    for name in ("quadrature_nodes", "quadrature_error"):
        if name in found[0].attrs:
            attrs[name] = max(one.attrs[name] for one in found)
    variables = {
        name: (("exposure", *found[0][name].dims), np.stack([one[name].to_numpy() for one in found]))
        for name in (ALONE, AVERAGE)
    }
    coords = {
        "exposure": list(values),
        "extrapolated": (
            "exposure",
            _outside(np.asarray(values), observed) | (u0 < seen[0]) | (u0 > seen[1]),
        ),
        **{name: (coord.dims, coord.to_numpy()) for name, coord in found[0].coords.items()},
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _parts(chain: Chain, baseline: Array) -> list[tuple[int, Array]]:
    """Return number and baseline (B, n) of the outcome's linear predictors."""
    count = len(chain.mediators)
    return [(j, baseline[j]) for j in range(count, count + 1 + chain.zero_part)]


def _added(chain: Chain, j: int, u: float, held: Sequence[float]) -> Array:
    """Return what the exposure and the mediators' values add to linear predictor j, (S,)."""
    total = chain.exposure[:, j] * u
    for k, value in enumerate(held):
        mediator = chain.mediators[k]
        if (j, k) in chain.tables:
            level = int(np.flatnonzero(np.isclose(mediator.values, value))[0])
            total = total + chain.steps(j, k, u, mediator.values)[:, level]
        else:
            total = total + chain.slope(j, k, u) * chain.seen(j, k, np.asarray(value))
    for (row, k, other), both in chain.products.items():
        total = total + (both * held[k] * held[other] if row == j else 0.0)
    return total


def _differing(problem: Problem, here: slice, u: float, held: Sequence[float]) -> list[Array | float]:
    """Return what moderators add to each of the outcome's linear predictors, (B, n); 0 without any."""
    chain, by = problem.chain, problem.chain.moderation
    places = range(len(chain.mediators), len(chain.mediators) + 1 + chain.zero_part)
    if by is None:
        return [0.0 for _ in places]
    values = by.units(covariates_of(problem.baselines, here.start, here.stop)[..., list(by.columns)])
    units = [
        u * by.exposure[here, j]
        + np.einsum("skc,k->sc", by.slopes[here, j], [chain.seen(j, k, np.asarray(m)) for k, m in enumerate(held)])
        for j in places
    ]
    return [np.einsum("snc,sc->sn", np.broadcast_to(values, (len(unit), *values.shape[1:])), unit) for unit in units]


def _grid(model: PathModel, chain: Chain, at: Points) -> dict[str, Array]:
    """Values of every mediator in the order of the chain, checked."""
    if set(at) != set(model.mediators):
        raise ValueError(f"at must give a value of each mediator, {', '.join(model.mediators)}; found {', '.join(at)}")
    grid = {name: np.atleast_1d(np.asarray(at[name], dtype=float)) for name in model.mediators}
    for (name, values), mediator in zip(grid.items(), chain.mediators, strict=True):
        known = model.variable(name)
        low = -np.inf if known.minimum is None else known.minimum
        high = np.inf if known.maximum is None else known.maximum
        if not (np.isfinite(values) & (values >= low) & (values <= high)).all():
            raise ValueError(f'values of "{name}" must be numbers from {low:g} to {high:g}; found {values.tolist()}')
        if len(mediator.values) and not np.isclose(values[:, None], mediator.values).any(axis=1).all():
            levels = ", ".join(f"{level:g}" for level in mediator.values)
            raise ValueError(f'values of "{name}" must be among its levels {levels}; found {values.tolist()}')
        ends = (mediator.origin, mediator.origin + mediator.unit)
        if mediator.beta and not ((values >= ends[0]) & (values <= ends[1])).all():
            raise ValueError(f'values of "{name}" must be from {ends[0]:g} to {ends[1]:g}; found {values.tolist()}')
    return grid
