"""Posterior draws, labelled -> `Chain` and per-patient baselines: the one place that knows the posterior's names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.design.evaluate import group_draws
from bayes_sp.effects.chain import Baselines, Batched, Chain, Linear, Mediator, Moderation, Outcome, covariates_of
from bayes_sp.errors import SurveyError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Covariate, Equation, PathModel
from bayes_sp.model.terms import Number, Term, predictors_of, products_of
from bayes_sp.names import COEFFICIENT, DIFFERENCE

type Row = tuple[Array, Array, Array | None, NDArray[np.int64] | None]
type Columns = Callable[[int, int], Array]
"""``(start, stop) -> (stop - start, n, q)``: draws of the patients' covariate columns."""


@dataclass(frozen=True, eq=False)
class _Monomial:
    """Draws of a coefficient of uncentred variables in linear predictor ``place``: a term has one for each centre."""

    place: int
    draws: Array
    exposure: bool
    mediators: tuple[int, ...]
    columns: tuple[str, ...]


def read_chain(model: PathModel, posterior: xr.Dataset) -> Chain:
    """Return a posterior's draws, chains one after the other, as a `Chain`.

    Raises
    ------
    ValueError
        For a family without effects at its place in the chain.
    """
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    count, rows = len(model.mediators), sum(len(predictors_of(model, e)) for e in model.equations)
    by = tuple(term for name in model.moderating for term in _covariate(model, name).terms)
    exposure, exposure_by = np.zeros((draws, rows)), np.zeros((draws, rows, len(by)))
    slopes, interactions = np.zeros((2, draws, rows, count))
    slopes_by = np.zeros((draws, rows, count, len(by)))
    products: dict[tuple[int, int, int], Array] = {}
    for one in _monomials(model, posterior):
        if one.exposure and one.mediators:
            interactions[:, one.place, one.mediators[0]] += one.draws
        elif len(one.mediators) == 2:
            place = (one.place, *sorted(one.mediators))
            products[place] = products.get(place, 0.0) + one.draws  # type: ignore[index] # a pair
        elif one.columns and (one.exposure or one.mediators):
            c = by.index(one.columns[0])
            into = exposure_by[:, one.place, c] if one.exposure else slopes_by[:, one.place, one.mediators[0], c]
            into += one.draws
        elif one.exposure:
            exposure[:, one.place] += one.draws
        elif one.mediators:
            slopes[:, one.place, one.mediators[0]] += one.draws
    mediators = tuple(_mediator(model, equation, posterior) for equation in model.equations[:-1])
    outcome = _outcome(model, posterior, draws)
    columns = tuple(model.covariate_terms.index(name) for name in by)
    return Chain(
        mediators, outcome, exposure, slopes, interactions, _tables(model, posterior, slopes), products,
        Moderation(columns, exposure_by, slopes_by) if by else None,
    )  # fmt: skip


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


def _covariate(model: PathModel, name: str) -> Covariate:
    return next(covariate for covariate in model.covariates if covariate.name == name)


def _monomials(model: PathModel, posterior: xr.Dataset) -> Iterator[_Monomial]:
    """Yield every coefficient of every linear predictor with its centres multiplied out."""
    predictors = [predictor for equation in model.equations for predictor in predictors_of(model, equation)]
    for place, predictor in enumerate(predictors):
        if not predictor.terms:
            continue
        draws = flat(posterior, predictor.variable)
        for column, term in enumerate(predictor.terms):
            yield from _multiplied_out(model, term, place, draws[:, column])


def _multiplied_out(model: PathModel, term: Term, place: int, draws: Array) -> Iterator[_Monomial]:
    centred = [f for f in term.factors if not f.column and isinstance(f.coding, Number) and f.coding.center]
    for gone in (chosen for size in range(len(centred) + 1) for chosen in combinations(centred, size)):
        left = [factor for factor in term.factors if factor not in gone]
        chain = [factor.variable for factor in left if not factor.column]
        centers = [factor.coding.center for factor in gone if isinstance(factor.coding, Number)]
        yield _Monomial(
            place,
            draws * math.prod(-center for center in centers),
            model.exposure in chain,
            tuple(model.mediators.index(name) for name in chain if name != model.exposure),
            tuple(factor.column for factor in left if factor.column),
        )


def effect_scales(model: PathModel, *, moderated: bool | None = None) -> tuple[str, ...]:
    """Return the scales that a specification's effects have, without a posterior (see `Problem.scales`).

    ``moderated`` says whether slopes differ between the patients that effects are averaged over; None where they do by
    the specification.
    """
    equations = model.equations
    within = any(set(pair) <= set(model.chain) for e in equations for pair in products_of(model, e))
    differ = bool(model.moderating) if moderated is None else moderated
    # With a zero part a product would be of the count part alone, and could differ in sign from the effect on the mean.
    linear = (
        not within
        and not differ
        and all(FAMILIES[equation.family].mediator == "normal" for equation in equations[:-1])
        and not any(equation.monotonic or model.zero_terms(equation) for equation in equations)
    )
    ratio = model.outcome_family.ratio_scale
    return (*((COEFFICIENT,) if linear else ()), *((ratio,) if ratio else ()), DIFFERENCE)


def linear_baselines(
    model: PathModel, design: Design, posterior: xr.Dataset, columns: Columns | None = None
) -> Baselines:
    r"""Return the baselines of a posterior: intercept + g . w_i + the intercept of patient i's group + delta_ij.

    delta_ij is the specification's shift of response j where patient i's is missing, else 0. So effects are averages
    over all patients of the survey, those who did not come back included: in every world such a patient's mediator or
    outcome follows its equation with the shift added, as the cells that the posterior integrated over did.

    Parameters
    ----------
    model, design, posterior
        As in `compute_effects`.
    columns
        Draws of the patients' covariate columns, for patients with missing cells: ``(start, stop) ->
        (stop - start, n, q)`` in the order of ``design.covariate_terms``; None for those of the design.

    Raises
    ------
    SurveyError
        If cells are missing among the design's covariates and no columns are given.
    """
    if columns is None and np.isnan(design.w).any():
        raise SurveyError(
            "the survey", ["effects are averages over patients whose covariates have missing cells; give their draws"]
        )
    rows = _baseline_rows(model, design, posterior)
    shifts: dict[int, Array] = {}  # of the mean's predictors; a zero part is not shifted
    place = 0
    for equation in model.equations:
        if equation.response in design.shifts:
            shifts[place] = design.shifts[equation.response]
        place += len(predictors_of(model, equation))
    if columns is None and not shifts and all(groups is None for _, _, groups, _ in rows):
        return Linear(np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows]), design.w)

    def covariates(start: int, stop: int) -> Array:
        return design.w[None] if columns is None else columns(start, stop)

    def batch(start: int, stop: int) -> Array:
        """Return the baselines of some draws, (rows, stop - start, n)."""
        w = design.w if columns is None else columns(start, stop)
        out = np.empty((len(rows), stop - start, design.n))
        for j, (intercept, g, groups, codes) in enumerate(rows):
            if columns is None:
                np.matmul(g[start:stop], w.T, out=out[j])
            else:
                np.einsum("sq,snq->sn", g[start:stop], w, out=out[j])
            out[j] += intercept[start:stop, None]
            if groups is not None:
                out[j] += groups[start:stop][:, codes]
            if j in shifts:
                out[j] += shifts[j]
        return out

    return Batched(batch, covariates)


def with_unmeasured(model: PathModel, posterior: xr.Dataset, unmeasured: xr.Dataset, known: Baselines) -> Baselines:
    r"""Return baselines with what the unmeasured confounders add to each response: strength * U_i, draw by draw.

    Effects are then averages over the patients' covariates and their U, as if U had been measured::

        E[Y(u)] = sum_i E[Y(u) | w_i, U_i] / n,    (U_1, ..., U_n, parameters) ~ posterior

    Parameters
    ----------
    model, posterior
        As in `compute_effects`.
    unmeasured
        Draws of each confounder, (chain, draw, patient), in SDs.
    known
        Baselines without them.
    """
    added: list[tuple[int, Array | float, Array]] = []
    place = 0
    for equation in model.equations:
        for confounder in model.confounders:
            given = dict(confounder.strengths).get(equation.response, 0.0)
            if isinstance(given, Prior):
                chosen = posterior[[confounder.name]].sel({f"{confounder.name}_term": equation.response})
                added.append((place, flat(chosen, confounder.name)[:, None], flat(unmeasured, confounder.name)))
            elif given != 0.0:
                added.append((place, float(given), flat(unmeasured, confounder.name)))
        place += len(predictors_of(model, equation))

    def batch(start: int, stop: int) -> Array:
        """Return the same with the confounders' parts."""
        out = known(start, stop)
        for j, strength, u in added:
            own = strength if isinstance(strength, float) else strength[start:stop]
            out[j] += own * u[start:stop]
        return out

    return Batched(batch, partial(covariates_of, known))


def flat(posterior: xr.Dataset, name: str) -> Array:
    """Return a variable's draws with the chains one after the other, (S, ...)."""
    values = posterior[name].transpose("chain", "draw", ...).to_numpy()
    return np.asarray(values, dtype=float).reshape(values.shape[0] * values.shape[1], *values.shape[2:])


def _scalar(posterior: xr.Dataset, kind: str, response: str) -> Array:
    """Draws of a response's own parameter, (S,)."""
    return flat(posterior.sel({f"{kind}_response": response}), kind)


def _baseline_rows(model: PathModel, design: Design, posterior: xr.Dataset) -> list[Row]:
    """Return of each linear predictor the intercept with centres moved in, covariates' coefficients, and groups."""
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    means = [(e, zero) for e in model.equations for zero, _ in enumerate(predictors_of(model, e))]
    intercepts, slopes = np.zeros((len(means), draws)), np.zeros((len(means), draws, len(design.covariate_terms)))
    for one in _monomials(model, posterior):
        if not one.exposure and not one.mediators:
            if one.columns:
                slopes[one.place, :, design.covariate_terms.index(one.columns[0])] += one.draws
            else:
                intercepts[one.place] += one.draws
    rows: list[Row] = []
    for (equation, zero), intercept, g in zip(means, intercepts, slopes, strict=True):
        groups, codes = None, None
        if equation.varying and not zero:
            codes, labels = design.groups[equation.varying]
            known = group_draws(posterior, equation.response, equation.varying, labels)
            groups = flat(known.to_dataset(name="g"), "g")
        rows.append((intercept, g, groups, codes))
    return rows


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
