"""A specification's equations made ready for maximum likelihood, and fits of them as a posterior's draws are named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import special

from bayes_sp.families.registry import FAMILIES
from bayes_sp.frequentist.likelihood import Array, Fits, Part, Regression
from bayes_sp.spec.types import Equation, PathModel
from bayes_sp.survey.arrays import equation_matrix, zero_matrix
from bayes_sp.survey.design import Design

INTERCEPT = "intercept"


def regressions(model: PathModel, design: Design) -> tuple[Regression, ...]:
    """Return every equation of a specification without missing cells, made ready."""
    return tuple(_regression(model, design, j) for j in range(len(model.equations)))


def as_draws(model: PathModel, data: Sequence[Regression], thetas: Sequence[Array]) -> xr.Dataset:
    """Return parameters of every equation, (R, P) each, as a posterior of one chain with R draws."""
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
    coords: dict[str, object] = {"chain": [0], "draw": np.arange(len(thetas[0]))}
    for name, by_response in shared.items():
        found[name] = (("chain", "draw", f"{name}_response"), np.stack(list(by_response.values()), axis=-1)[None])
        coords[f"{name}_response"] = list(by_response)
    return xr.Dataset(found, coords=coords)


def _regression(model: PathModel, design: Design, j: int) -> Regression:
    equation, response = model.equations[j], design.responses[j]
    family, y = FAMILIES[equation.family], np.ascontiguousarray(design.coded(j))
    columns = dict(zip(model.terms(equation), equation_matrix(model, design, j).T, strict=True))
    steps: dict[str, list[str]] = {}
    for name in equation.monotonic:
        level = columns.pop(name)
        count = model.coding(name).levels
        steps[name] = [f"{name} >= {k}" for k in range(1, count)]
        columns |= {term: (level >= k).astype(float) for k, term in enumerate(steps[name], start=1)}
    spare = {INTERCEPT, *design.covariate_terms, *(term for names in steps.values() for term in names)}
    offset = design.offset(response)
    parts = [_part(columns, spare, np.zeros(design.n) if offset is None else offset)]
    if zero := model.zero_terms(equation):
        named = dict(zip(zero, zero_matrix(model, design, j).T, strict=True))
        parts.append(_part(named, spare, np.zeros(design.n)))
    cuts = tuple(f"cutpoint[{k}]" for k in range(1, design.coding[response].levels)) if family.ordered else ()
    known = [design.measurement_sd[response]] if family.latent else []
    places = [np.array([parts[0].terms.index(term) for term in names], dtype=np.intp) for names in steps.values()]
    return Regression(
        response, equation.family, y, tuple(parts), cuts or family.parameters, np.array(known, dtype=float),
        _start(equation, y, parts), tuple(places),
    )  # fmt: skip


def _part(columns: dict[str, Array], spare: set[str], offset: Array) -> Part:
    """Return columns in the order in which they stand in for each other: those that may be left out come first."""
    terms = sorted(columns, key=lambda term: (term != INTERCEPT, term not in spare, ">=" in term))
    x = np.column_stack([columns[term] for term in terms]) if terms else np.empty((len(offset), 0))
    centre, scale = x.mean(axis=0), x.std(axis=0)
    plain = np.array([term == INTERCEPT for term in terms], dtype=bool) | (scale == 0)
    centre, scale = np.where(plain, 0.0, centre), np.where(plain, 1.0, scale)
    return Part(
        tuple(terms), (x - centre) / scale, centre, scale, np.array([term in spare for term in terms]), offset
    )  # fmt: skip


def _start(equation: Equation, y: Array, parts: Sequence[Part]) -> Array:
    """Return starting values: a mean without predictors, and shared parameters from moments or as they often are."""
    family = FAMILIES[equation.family]
    mean = np.zeros(parts[0].x.shape[1])
    values = np.log(y) if equation.family == "lognormal" else y
    centre, spread = float(values.mean()), float(values.std())
    level = {
        "identity": centre,
        "log": np.log(max(centre, 1e-3) / float(np.exp(parts[0].offset).mean())),
        "logit": special.logit(np.clip(centre, 0.02, 0.98)),
    }
    if not family.ordered:
        mean[0] = level[family.link]
    given = {"sigma": spread, "phi": 1.0, "precision": 5.0, "nu": 8.0, "shape": (centre / max(spread, 1e-9)) ** 2}
    shared = [np.log(max(given[name], 1e-6)) for name in family.parameters]
    if family.ordered:
        shared = _start_cuts(equation.family, y)
    zero = np.zeros(parts[1].x.shape[1]) if len(parts) > 1 else np.zeros(0)
    if len(zero):
        share = float((y == 0).mean())
        zero[0] = special.logit(np.clip(share if equation.family.startswith("hurdle") else 0.5 * share, 0.02, 0.98))
    return np.array([*mean, *zero, *shared])


def _start_cuts(family: str, y: Array) -> list[float]:
    """First cutpoint and logarithms of the widths, from the shares of the answers."""
    most = int(y.max())
    counts = np.bincount(y.astype(int), minlength=most + 1) + 0.5
    below = np.cumsum(counts)[:-1] / counts.sum()
    cuts = special.ndtri(below) if family == "ordered_probit" else special.logit(below)
    return [float(cuts[0]), *np.log(np.diff(cuts)).tolist()]


def boundary_names(fits: Fits, regression: Regression) -> dict[str, Array]:
    """Return the direction of each shared parameter and the largest of the linear predictors', by name, (R,)."""
    linear = regression.places[len(regression.parts) - 1].stop
    moves = {"": np.abs(fits.direction[:, :linear]).max(axis=1, initial=0.0)}
    return moves | {name: fits.direction[:, linear + k] for k, name in enumerate(regression.parameters)}
