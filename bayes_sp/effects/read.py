"""Posterior draws, labelled -> `Chain` and per-patient baselines: the one place that knows the posterior's names."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain, Moderation
from bayes_sp.effects.means.responses import Mediator, Outcome
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Covariate, Equation, PathModel
from bayes_sp.model.terms import Factor, Number, Term, predictors_of, products_of
from bayes_sp.names import COEFFICIENT, DIFFERENCE, RESIDUAL_CORRELATION


@dataclass(frozen=True, eq=False)
class Monomial:
    """Draws of a coefficient of uncentred variables in linear predictor ``place``: a term has one for each centre."""

    place: int
    draws: Array
    exposure: bool
    mediators: tuple[int, ...]
    columns: tuple[str, ...]


def read_chain(model: PathModel, posterior: xr.Dataset) -> Chain:
    """Return a posterior's draws, chains one after the other, as a `Chain`.

    Raises ValueError for a family without effects at its place in the chain.
    """
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    count, rows = len(model.mediators), sum(len(predictors_of(model, e)) for e in model.equations)
    found = list(monomials(model, posterior))
    by = tuple(term for name in model.in_products for term in covariate_of(model, name).terms)
    both = (one.columns for one in found if len(one.columns) > 1 and (one.exposure or one.mediators))
    units = dict.fromkeys((*((term,) for term in by), *both))
    place_of = {columns: t for t, columns in enumerate(units)}
    exposure, exposure_by = np.zeros((draws, rows)), np.zeros((draws, rows, len(units)))
    slopes, interactions = np.zeros((2, draws, rows, count))
    slopes_by = np.zeros((draws, rows, count, len(units)))
    products: dict[tuple[int, int, int], Array] = {}
    for one in found:
        if one.exposure and one.mediators:
            interactions[:, one.place, one.mediators[0]] += one.draws
        elif len(one.mediators) == 2:
            first, second = sorted(one.mediators)
            products[one.place, first, second] = products.get((one.place, first, second), 0.0) + one.draws
        elif one.columns and (one.exposure or one.mediators):
            t = place_of[one.columns]
            into = exposure_by[:, one.place, t] if one.exposure else slopes_by[:, one.place, one.mediators[0], t]
            into += one.draws
        elif one.exposure:
            exposure[:, one.place] += one.draws
        elif one.mediators:
            slopes[:, one.place, one.mediators[0]] += one.draws
    mediators = tuple(_mediator(model, equation, posterior) for equation in model.equations[:-1])
    outcome = _outcome(model, posterior, draws)
    columns = tuple(model.covariate_terms.index(name) for name in by)
    together = tuple(tuple(map(by.index, names)) for names in units)
    differ = any(one.columns for one in found if one.exposure or one.mediators)  # not by what another exposure moves
    return Chain(
        mediators, outcome, exposure, slopes, interactions, _tables(model, posterior, slopes), products,
        Moderation(columns, together, exposure_by, slopes_by) if differ else None, _logs(model),
        _correlations(model, posterior),
    )  # fmt: skip


def _correlations(model: PathModel, posterior: xr.Dataset) -> Array | None:
    """Return the correlations of the mediators' errors, (S, K, K); None where they have none."""
    pairs, names = model.correlated_pairs, model.correlated
    if not pairs:
        return None
    draws = flat(posterior.sel({f"{RESIDUAL_CORRELATION}_response": list(pairs)}), RESIDUAL_CORRELATION)
    found = np.tile(np.eye(len(names)), (len(draws), 1, 1))
    below = np.tril_indices(len(names), -1)
    found[:, below[0], below[1]] = found[:, below[1], below[0]] = draws
    return found


def _logs(model: PathModel) -> frozenset[tuple[int, int]]:
    """Return (linear predictor, mediator) of the counts that enter as log(1 + value)."""
    predictors = [(equation, p) for equation in model.equations for p in predictors_of(model, equation)]
    return frozenset(
        (place, model.mediators.index(name))
        for place, (equation, _) in enumerate(predictors)
        for name in equation.log1p
    )


def _tables(model: PathModel, posterior: xr.Dataset, slopes: Array) -> dict[tuple[int, int], Array]:
    """Return what each level of a monotonic effect adds; such an effect is in the predictor of the mean."""
    found, place = {}, 0
    for equation in model.equations:
        mean, *zero = predictors_of(model, equation)
        for term in mean.terms:
            if term.steps is not None:
                k, shares = model.mediators.index(term.variables[0]), flat(posterior, term.steps.shares)
                steps = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
                found[place, k] = slopes[:, place, k, None] * shares.shape[1] * steps
        place += 1 + len(zero)
    return found


def covariate_of(model: PathModel, name: str) -> Covariate:
    """Return a covariate by its name."""
    return next(covariate for covariate in model.covariates if covariate.name == name)


def monomials(model: PathModel, posterior: xr.Dataset) -> Iterator[Monomial]:
    """Yield every coefficient of every linear predictor with its centres multiplied out."""
    predictors = [predictor for equation in model.equations for predictor in predictors_of(model, equation)]
    for place, predictor in enumerate(predictors):
        if not predictor.terms:
            continue
        draws = flat(posterior, predictor.variable)
        for column, term in enumerate(predictor.terms):
            yield from _multiplied_out(model, term, place, draws[:, column])


def _multiplied_out(model: PathModel, term: Term, place: int, draws: Array) -> Iterator[Monomial]:
    for weight, moving, factors in _moved(model, term):
        centred = [f for f in factors if not f.column and isinstance(f.coding, Number) and f.coding.center]
        for gone in (chosen for size in range(len(centred) + 1) for chosen in combinations(centred, size)):
            left = [factor for factor in factors if factor not in gone]
            chain = [factor.variable for factor in left if not factor.column]
            centers = [factor.coding.center for factor in gone if isinstance(factor.coding, Number)]
            yield Monomial(
                place,
                draws * math.prod((-center for center in centers), start=weight),
                moving or model.exposure in chain,
                tuple(model.mediators.index(name) for name in chain if name != model.exposure),
                tuple(factor.column for factor in left if factor.column),
            )


def _moved(model: PathModel, term: Term) -> list[tuple[float, bool, tuple[Factor, ...]]]:
    """Return a term as a + (b - a) u times its factors that do not move: (weight, whether times u, those factors).

    a and b are the products of its moving factors at the two ends of the model's move.
    """
    ends, _ = model.ends
    moving = [factor for factor in term.factors if factor.variable in ends]
    if not moving:
        return [(1.0, False, term.factors)]
    a, b = np.prod([f.coding.column(np.array(ends[f.variable])) for f in moving], axis=0).tolist()
    left = tuple(factor for factor in term.factors if factor not in moving)
    return [(weight, with_u, left) for weight, with_u in ((a, False), (b - a, True)) if weight]


def effect_scales(model: PathModel, *, moderated: bool | None = None) -> tuple[str, ...]:
    """Return the scales that a specification's effects have, without a posterior (see `Problem.scales`).

    ``moderated`` says whether slopes differ between the patients that effects are averaged over; None where they do by
    the specification.
    """
    equations = model.equations
    exposures = model.move.names if model.move else (model.exposure, *(one.name for one in model.exposures))
    inside = {*model.mediators, *exposures}
    within = any(set(pair) <= inside for e in equations for pair in products_of(model, e))
    differ = bool(model.in_products) if moderated is None else moderated
    # With a zero part a product would be of the count part alone, and could differ in sign from the effect on the mean.
    linear = (
        not within
        and not differ
        and all(FAMILIES[equation.family].mediator == "normal" for equation in equations[:-1])
        and not any(equation.monotonic or model.zero_terms(equation) for equation in equations)
    )
    ratio = model.outcome_family.ratio_scale
    return (*((COEFFICIENT,) if linear else ()), *((ratio,) if ratio else ()), DIFFERENCE)


def flat(posterior: xr.Dataset, name: str) -> Array:
    """Return a variable's draws with the chains one after the other, (S, ...)."""
    return flattened(posterior[name])


def flattened(draws: xr.DataArray) -> Array:
    """Return draws with the chains one after the other, (S, ...)."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    return np.asarray(values, dtype=float).reshape(values.shape[0] * values.shape[1], *values.shape[2:])


def _scalar(posterior: xr.Dataset, kind: str, response: str) -> Array:
    """Draws of a response's own parameter, (S,)."""
    return flat(posterior.sel({f"{kind}_response": response}), kind)


def _cuts(model: PathModel, equation: Equation, posterior: xr.Dataset, draws: int) -> Array:
    """Cutpoints, (S, L - 1); one of 0 for families with an intercept."""
    if FAMILIES[equation.family].ordered:
        return flat(posterior, f"{equation.response}_cutpoint")
    return np.zeros((draws, 1))


def _mediator(model: PathModel, equation: Equation, posterior: xr.Dataset) -> Mediator:
    family, response = FAMILIES[equation.family], equation.response
    rule = family.mediator
    if rule is None:
        raise ValueError(f'there are no effects through a mediator with family "{equation.family}"')
    coding = model.coding(response)
    if rule == "count":
        draws = posterior.sizes["chain"] * posterior.sizes["draw"]
        return Mediator(rule, phi=_scalar(posterior, "phi", response) if family.sized else np.full(draws, np.inf))
    if rule == "normal":
        return Mediator(rule, sigma=_scalar(posterior, "sigma", response), mean_only=family.heavy_tailed)
    if rule == "beta":
        precision = _scalar(posterior, "precision", response)
        return Mediator(rule, precision=precision, origin=coding.origin, unit=coding.unit)
    cuts = _cuts(model, equation, posterior, posterior.sizes["chain"] * posterior.sizes["draw"])
    return Mediator(rule, cuts=cuts, values=coding.origin + coding.unit * np.arange(cuts.shape[1] + 1.0))


def _outcome(model: PathModel, posterior: xr.Dataset, draws: int) -> Outcome:
    equation = model.equations[-1]
    family, response = model.outcome_family, equation.response
    rule = family.outcome
    if rule is None:
        raise ValueError(f'there are no effects on an outcome with family "{equation.family}"')
    coding = model.coding(response)
    sigma = _scalar(posterior, "sigma", response) if family.logged else np.zeros(draws)
    return Outcome(
        rule,
        cuts=_cuts(model, equation, posterior, draws),
        phi=_scalar(posterior, "phi", response) if family.zero_part else np.zeros(draws),
        shift=0.5 * sigma**2,
        origin=coding.origin,
        unit=coding.unit,
        ratio=family.ratio_scale,
    )
