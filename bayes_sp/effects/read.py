"""Posterior draws, labelled -> `Chain` and per-patient baselines: the one place that knows the posterior's names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.design.evaluate import group_draws
from bayes_sp.effects.chain import Baselines, Chain, Linear, Mediator, Outcome
from bayes_sp.errors import SurveyError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel
from bayes_sp.names import COEFFICIENT, DIFFERENCE

type Row = tuple[Array, Array, Array | None, NDArray[np.int64] | None]
type Columns = Callable[[int, int], Array]
"""``(start, stop) -> (stop - start, n, q)``: draws of the patients' covariate columns."""


def read_chain(model: PathModel, posterior: xr.Dataset) -> Chain:
    """Return a posterior's draws, chains one after the other, as a `Chain`.

    Raises
    ------
    ValueError
        For a family without effects at its place in the chain.
    """
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    count = len(model.mediators)
    parts = [terms for equation in model.equations for terms in _predictors(model, equation, posterior)]
    exposure = np.zeros((draws, len(parts)))
    slopes, interactions = np.zeros((2, draws, len(parts), count))
    tables = {}
    for j, terms in enumerate(parts):
        exposure[:, j] = terms.get(model.exposure, 0.0)
        for k, name in enumerate(model.mediators):
            slopes[:, j, k] = terms.get(name, 0.0)
            interactions[:, j, k] = terms.get(f"{model.exposure}:{name}", 0.0)
            exposure[:, j] -= interactions[:, j, k] * model.variable(name).center
    for j, equation in enumerate(model.equations):
        for name in equation.monotonic:
            k = model.mediators.index(name)
            shares = flat(posterior, f"{equation.response}_{name}_simplex")
            steps = np.concatenate([np.zeros((draws, 1)), np.cumsum(shares, axis=1)], axis=1)
            tables[j, k] = slopes[:, j, k, None] * shares.shape[1] * steps
    mediators = tuple(_mediator(model, equation, posterior) for equation in model.equations[:-1])
    outcome = _outcome(model, posterior, draws)
    return Chain(mediators, outcome, exposure, slopes, interactions, tables)


def effect_scales(model: PathModel) -> tuple[str, ...]:
    """Return the scales that a specification's effects have, without a posterior (see `Problem.scales`)."""
    equations, names = model.equations, [f"{model.exposure}:{name}" for name in model.mediators]
    # With a zero part a product would be of the count part alone, and could differ in sign from the effect on the mean.
    linear = all(FAMILIES[equation.family].mediator == "normal" for equation in equations[:-1]) and not any(
        equation.monotonic or model.zero_terms(equation) or set(names) & set(model.terms(equation))
        for equation in equations
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
    rows: list[Row] = []
    shifts: dict[int, Array] = {}  # of the mean's predictors; a zero part is not shifted
    for equation in model.equations:
        if equation.response in design.shifts:
            shifts[len(rows)] = design.shifts[equation.response]
        rows += _baseline_rows(model, design, equation, posterior)
    if columns is None and not shifts and all(groups is None for _, _, groups, _ in rows):
        return Linear(np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows]), design.w)

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

    return batch


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
        place += 2 if model.zero_terms(equation) else 1

    def batch(start: int, stop: int) -> Array:
        """Return the same with the confounders' parts."""
        out = known(start, stop)
        for j, strength, u in added:
            own = strength if isinstance(strength, float) else strength[start:stop]
            out[j] += own * u[start:stop]
        return out

    return batch


def flat(posterior: xr.Dataset, name: str) -> Array:
    """Return a variable's draws with the chains one after the other, (S, ...)."""
    values = posterior[name].transpose("chain", "draw", ...).to_numpy()
    return np.asarray(values, dtype=float).reshape(values.shape[0] * values.shape[1], *values.shape[2:])


def _scalar(posterior: xr.Dataset, kind: str, response: str) -> Array:
    """Draws of a response's own parameter, (S,)."""
    return flat(posterior.sel({f"{kind}_response": response}), kind)


def _predictors(model: PathModel, equation: Equation, posterior: xr.Dataset) -> list[dict[str, Array]]:
    """Coefficients by term of an equation's linear predictor and, if it has one, of its zero part."""
    response = equation.response
    found = [dict(zip(model.terms(equation), flat(posterior, response).T, strict=True))]
    if zero := model.zero_terms(equation):
        found.append(dict(zip(zero, flat(posterior, f"{response}_zero").T, strict=True)))
    return found


def _baseline_rows(model: PathModel, design: Design, equation: Equation, posterior: xr.Dataset) -> list[Row]:
    """Intercept with the centres moved in, covariates' coefficients, groups' intercepts, patients' groups."""
    rows: list[Row] = []
    for part, terms in enumerate(_predictors(model, equation, posterior)):
        intercept = np.array(terms.get("intercept", np.zeros(len(next(iter(terms.values()))))))
        for name in equation.parents:
            if name in terms and not (part == 0 and name in equation.monotonic):
                intercept -= terms[name] * model.variable(name).center
        zero = np.zeros_like(intercept)
        g = np.stack([terms.get(term, zero) for term in design.covariate_terms], axis=-1) if design.w.shape[1] else (
            np.zeros((len(intercept), 0))
        )  # fmt: skip
        if equation.varying and part == 0:
            known = group_draws(posterior, equation.response, equation.varying, design.groups[equation.varying][1])
            rows.append((intercept, g, flat(known.to_dataset(name="g"), "g"), design.groups[equation.varying][0]))
        else:
            rows.append((intercept, g, None, None))
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
