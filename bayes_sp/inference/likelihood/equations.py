"""A specification's equations made ready for maximum likelihood, and fits of them as a posterior's draws are named."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import xarray as xr
from scipy import special

from bayes_sp.arrays import Array, sd_of
from bayes_sp.design.build import equation_matrix, zero_matrix
from bayes_sp.design.design import Design
from bayes_sp.inference.likelihood.maximum import Fits, Regression
from bayes_sp.inference.likelihood.predictors import Part
from bayes_sp.model.families.base import Parameter
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import RESIDUAL_CORRELATION

INTERCEPT = "intercept"


def regressions(model: PathModel, design: Design) -> tuple[Regression, ...]:
    """Return every equation of a specification without missing cells, made ready."""
    return tuple(_regression(model, design, j) for j in range(len(model.equations)))


def as_draws(
    model: PathModel, data: Sequence[Regression], thetas: Sequence[Array], counts: Array | None = None
) -> xr.Dataset:
    """Return parameters of every equation, (R, P) each, as a posterior of one chain with R draws.

    A correlation of errors is that of the residuals, of patients by their ``counts``, (R, n), or of each once.
    """
    found: dict[str, tuple[tuple[str, ...], Array]] = {}
    shared: dict[str, dict[str, Array]] = {}
    for equation, regression, theta in zip(model.equations, data, thetas, strict=True):
        response, values = equation.response, regression.natural(theta)
        by_term = dict(zip(regression.parts[0].terms, values["mean"].T, strict=True))
        for name, steps in zip(equation.monotonic, regression.steps, strict=True):
            sizes = values["mean"][:, steps]
            total = sizes.sum(axis=1, keepdims=True)
            shares = np.where(total != 0, sizes / np.where(total != 0, total, 1.0), 1.0 / sizes.shape[1])
            by_term[name] = total[:, 0] / sizes.shape[1]
            found[f"{response}_{name}_simplex"] = (("chain", "draw", f"{response}_{name}_step"), shares[None])
        terms = np.stack([by_term[term] for term in model.terms(equation)], axis=-1)
        found[response] = (("chain", "draw", f"{response}_term"), terms[None])
        if "zero" in values:
            by_zero = dict(zip(regression.parts[1].terms, values["zero"].T, strict=True))
            zero = np.stack([by_zero[term] for term in model.zero_terms(equation)], axis=-1)
            found[f"{response}_zero"] = (("chain", "draw", f"{response}_zero_term"), zero[None])
        if regression.ordered:
            found[f"{response}_cutpoint"] = (("chain", "draw", f"{response}_cut"), values["cutpoint"][None])
        else:
            for name in regression.parameters:
                shared.setdefault(name, {})[response] = values[name]
    if model.correlated:
        weights = np.ones((len(thetas[0]), len(data[0].y))) if counts is None else counts
        errors = [one.y - one.linear(theta)[0] for one, theta in zip(data[:-1], thetas[:-1], strict=True)]
        scaled = [e / np.sqrt((weights * e**2).sum(axis=1, keepdims=True)) for e in errors]
        products = [(weights * one * two).sum(axis=1) for i, two in enumerate(scaled) for one in scaled[:i]]
        shared[RESIDUAL_CORRELATION] = dict(zip(model.correlated_pairs, products, strict=True))
    coords: dict[str, object] = {"chain": [0], "draw": np.arange(len(thetas[0]))}
    for name, by_response in shared.items():
        found[name] = (("chain", "draw", f"{name}_response"), np.stack(list(by_response.values()), axis=-1)[None])
        coords[f"{name}_response"] = list(by_response)
    return xr.Dataset(found, coords=coords)


def made_ready(
    response: str,
    family: str,
    y: Array,
    columns: dict[str, Array],
    zero: dict[str, Array],
    *,
    spare: Collection[str] = (),
    steps: Mapping[str, Sequence[str]] | None = None,
    offset: Array | None = None,
    cuts: int = 0,
    known: Sequence[float] = (),
) -> Regression:
    """Return one equation made ready.

    ``y`` is as the family sees it, and columns of the mean and of the ``zero`` part are (n,) each. A resample that does
    not determine the ``spare`` columns may leave them out; ``steps`` names the columns of monotonic effects, ``offset``
    is what the mean's predictor has beside coefficients, ``cuts`` the number of cutpoints, ``known`` what the family's
    kernel wants beside its parameters.
    """
    none = np.zeros(len(y))
    parts = [_part(columns, spare, none if offset is None else offset)]
    parts += [_part(zero, spare, none)] if zero else []
    names = tuple(f"cutpoint[{k}]" for k in range(1, cuts + 1)) if cuts else FAMILIES[family].parameters
    places = [np.array([parts[0].terms.index(term) for term in terms]) for terms in (steps or {}).values()]
    coded = np.ascontiguousarray(y, dtype=float)
    start = _start(family, coded, parts, cuts)
    return Regression(response, family, coded, tuple(parts), names, np.array(known, dtype=float), start, tuple(places))


def _regression(model: PathModel, design: Design, j: int) -> Regression:
    equation, response = model.equations[j], design.responses[j]
    columns = dict(zip(model.terms(equation), equation_matrix(model, design, j).T, strict=True))
    steps: dict[str, list[str]] = {}
    for name in equation.monotonic:
        level = columns.pop(name)
        steps[name] = [f"{name} >= {k}" for k in range(1, model.coding(name).levels)]
        columns |= {term: (level >= k).astype(float) for k, term in enumerate(steps[name], start=1)}
    zero = model.zero_terms(equation)
    family = FAMILIES[equation.family]
    exposures = {exposure.name for exposure in model.exposures}  # without whose columns there are no effects
    covariates = {term for c in model.covariates if c.name not in exposures for term in c.terms}
    return made_ready(
        response,
        equation.family,
        design.coded(j),
        columns,
        dict(zip(zero, zero_matrix(model, design, j).T, strict=True)) if zero else {},
        spare={INTERCEPT, *covariates, *(term for names in steps.values() for term in names)},
        steps=steps,
        offset=design.offset(response),
        cuts=design.coding[response].levels - 1 if family.ordered else 0,
        known=[design.measurement_sd[response]] if family.latent else [],
    )


def _part(columns: dict[str, Array], spare: Collection[str], offset: Array) -> Part:
    """Return columns in the order in which they stand in for each other: those that may be left out come first."""
    terms = sorted(columns, key=lambda term: (term != INTERCEPT, term not in spare, ">=" in term))
    x = np.column_stack([columns[term] for term in terms]) if terms else np.empty((len(offset), 0))
    centre, scale = x.mean(axis=0), sd_of(x)
    plain = np.array([term == INTERCEPT for term in terms], dtype=bool) | (scale == 0)
    centre, scale = np.where(plain, 0.0, centre), np.where(plain, 1.0, scale)
    return Part(
        tuple(terms), (x - centre) / scale, centre, scale, np.array([term in spare for term in terms]), offset
    )  # fmt: skip


def _start(name: str, y: Array, parts: Sequence[Part], cuts: int) -> Array:
    """Return starting values: a mean without predictors, and shared parameters from moments or as they often are."""
    family = FAMILIES[name]
    mean = np.zeros(parts[0].x.shape[1])
    values = family.to_link(y)
    centre, spread = float(values.mean()), float(sd_of(values))
    level = {
        "identity": centre,
        "log": np.log(max(centre, 1e-3) / float(np.exp(parts[0].offset).mean())),
        "logit": special.logit(np.clip(centre, 0.02, 0.98)),
    }
    if not family.ordered:
        mean[0] = level[family.link]
    shared = [np.log(max(_scalar_start(parameter, centre, spread), 1e-6)) for parameter in family.scalars]
    if family.ordered:
        shared = _start_cuts(name, y, cuts)
    zero = np.zeros(parts[1].x.shape[1]) if len(parts) > 1 else np.zeros(0)
    if len(zero):
        share = float((y == 0).mean())
        zero[0] = special.logit(np.clip(share if family.zero_part == "hurdle" else 0.5 * share, 0.02, 0.98))
    return np.array([*mean, *zero, *shared])


def _scalar_start(parameter: Parameter, centre: float, spread: float) -> float:
    if parameter.moments is not None:
        return parameter.moments(centre, spread)
    return spread if parameter.start is None else parameter.start


def _start_cuts(family: str, y: Array, count: int) -> list[float]:
    """First cutpoint and logarithms of the widths, from the shares of the answers."""
    counts = np.bincount(y.astype(int), minlength=count + 1) + 0.5
    below = np.cumsum(counts)[:-1] / counts.sum()
    cuts = special.ndtri(below) if FAMILIES[family].link == "probit" else special.logit(below)
    return [float(cuts[0]), *np.log(np.diff(cuts)).tolist()]


def boundary_names(fits: Fits, regression: Regression) -> dict[str, Array]:
    """Return the direction of each shared parameter and the largest of the linear predictors', by name, (R,)."""
    linear = regression.places[len(regression.parts) - 1].stop
    moves = {"": np.abs(fits.direction[:, :linear]).max(axis=1, initial=0.0)}
    return moves | {name: fits.direction[:, linear + k] for k, name in enumerate(regression.parameters)}
